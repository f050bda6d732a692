//! A client of the crowd that is the real core, lightly driven: it wants one book.

use kucoin_futures_proto::{
    Channel, Client, Input, Instant, Output, ResponseHead, Symbol, TopicId,
};

use crate::world::World;
use crate::world::net::{Asked, Load};

#[derive(Debug)]
pub(super) struct CoreClient {
    client: Client,
    topic: Option<TopicId>,
}

impl CoreClient {
    /// One that begins at once.
    pub(super) fn new(now: Instant, seed: u64, symbol: Symbol, sent: &mut Vec<Load>) -> Self {
        let mut client = Client::new(now, seed, World::client_config());
        let topic = client.subscribe(now, Channel::level2(symbol)).ok();
        let mut core = Self { client, topic };
        core.drain(sent);
        core
    }

    pub(super) fn is_live(&self) -> bool {
        self.topic.is_some_and(|topic| self.client.book(topic).is_some())
    }

    pub(super) fn wakes(&self) -> Option<Instant> {
        self.client.poll_timeout().map(|deadline| deadline.at)
    }

    pub(super) fn on_wake(&mut self, now: Instant, sent: &mut Vec<Load>) {
        let _ = self.client.handle(now, Input::Timeout);
        self.drain(sent);
    }

    /// Something arrives.
    pub(super) fn on_load(&mut self, now: Instant, load: Load, sent: &mut Vec<Load>) {
        // Every input leads to a turn; what it says is drained below.
        match load {
            Load::Opened(conn) => drop(self.client.handle(now, Input::Opened { conn })),
            Load::Down(conn, text, _) => {
                drop(self.client.handle(now, Input::Text { conn, bytes: text.as_bytes() }));
            }
            Load::Lost(conn, error) => drop(self.client.handle(now, Input::Lost { conn, error })),
            Load::Reply(request, reply) => {
                let mut head = ResponseHead::new(reply.status);
                reply.headers.iter().for_each(|(name, value)| head.header(name, value));
                let body = reply.body.as_bytes();
                drop(self.client.handle(now, Input::Reply { request, head, body }));
            }
            Load::Failed(request, error) => {
                drop(self.client.handle(now, Input::Failed { request, error }));
            }
            Load::Connect(..) | Load::Up(..) | Load::Gone(_) | Load::Request(_) => {}
        }
        self.drain(sent);
    }

    fn drain(&mut self, sent: &mut Vec<Load>) {
        while let Some(output) = self.client.poll_output() {
            sent.push(match output {
                Output::Open { conn, to } => {
                    let query = to.secret_url().split_once('?').map_or("", |(_, query)| query);
                    Load::Connect(conn, query.into())
                }
                Output::Send { conn, text } => Load::Up(conn, text),
                Output::Close { conn } => Load::Gone(conn),
                // Nothing is signed: the time is of no use.
                Output::Fetch(fetch) => Load::Request(Asked::new(&fetch, 0)),
                Output::Event(_) | Output::Push(_) => continue,
            });
        }
    }
}
