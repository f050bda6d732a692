//! A client with what it has to tell. The only place that drives the core.
//!
//! ```text
//!  transport, clock ── handle, handle_timeout ──> Engine ── next_effect ──> transport
//!                                                   └────── step, lend ───> the user
//! ```

use std::collections::VecDeque;

use bytes::Bytes;
use kucoin_futures_proto::{
    Client, Config, ConnId, Event, Input, Instant, Output, PushTag, RequestId,
};

use crate::rest::RestOutcome;
use crate::transport::{Effect, Incoming};
use crate::update::{BookUpdate, Item, Message, Update};
use crate::websocket::WsRead;

/// A [`Client`] and what it reported.
#[derive(Debug)]
pub(crate) struct Engine {
    client: Client,
    /// What the core reported and the user has not been told yet, oldest first.
    reported: VecDeque<Event>,
    /// A message for the user, until it was told; it lies in `bytes`.
    push: Option<PushTag>,
    /// Kept from one message to the next, so that none allocates.
    bytes: Vec<u8>,
    closed: bool,
}

/// Something to tell. `Copy`, so that it does not hold on to the engine while a loop goes on.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Step {
    /// The core reports it.
    Event(Event),
    /// A message, in the bytes that the engine keeps.
    Push(PushTag),
}

impl Engine {
    /// Nothing has happened yet.
    pub(crate) fn new(now: Instant, seed: u64, config: Config) -> Self {
        Self {
            client: Client::new(now, seed, config),
            reported: VecDeque::new(),
            push: None,
            bytes: Vec::new(),
            closed: false,
        }
    }

    /// Lets the core take an input.
    #[inline]
    pub(crate) fn handle(&mut self, now: Instant, incoming: Incoming<'_>) {
        match incoming {
            Incoming::Text(conn, text) => self.text(now, conn, text),
            Incoming::Read(conn, WsRead::Text(text)) => self.text(now, conn, &text),
            Incoming::Read(conn, read) => self.input(now, read.to_input(conn)),
            Incoming::Opened(conn) => self.input(now, Input::Opened(conn)),
            Incoming::Lost(conn, loss) => self.input(now, Input::Lost(conn, loss)),
            Incoming::Rest(request, outcome) => self.rest(now, request, outcome),
        }
    }

    #[inline]
    fn text(&mut self, now: Instant, conn: ConnId, text: &[u8]) {
        if let Some(push) = self.client.handle_input(now, Input::Text(conn, text)) {
            self.push = Some(push.tag());
            self.bytes.clear();
            self.bytes.extend_from_slice(text);
        }
    }

    fn rest(&mut self, now: Instant, request: RequestId, outcome: RestOutcome) {
        let tag = self.client.handle_input(now, outcome.to_input(request)).map(|push| push.tag());
        if let (Some(tag), RestOutcome::Reply(_, body)) = (tag, outcome) {
            self.push = Some(tag);
            self.bytes = body;
        }
    }

    /// Nothing but a message or a reply yields one to lend.
    fn input(&mut self, now: Instant, input: Input<'_>) {
        let _ = self.client.handle_input(now, input);
    }

    /// Tells the core that its deadline has come, if it has; false if it has not.
    pub(crate) fn handle_timeout(&mut self, now: Instant) -> bool {
        let due = self.deadline().is_some_and(|at| at <= now);
        if due {
            self.input(now, Input::Timeout);
        }
        due
    }

    /// Ends everything; what was reported can still be told.
    pub(crate) fn close(&mut self, now: Instant) {
        self.client.close(now);
        self.closed = true;
    }

    /// What is to be done next; `None` once all is. What the core reports meanwhile is kept.
    #[inline]
    pub(crate) fn next_effect(&mut self) -> Option<Effect> {
        loop {
            match self.client.poll_output()? {
                Output::Event(event) => self.reported.push_back(event),
                Output::Send { conn, text } => return Some(Effect::Send(conn, text)),
                Output::Open { conn, to } => return Some(Effect::Open(conn, to)),
                Output::Close { conn } => return Some(Effect::Close(conn)),
                Output::Fetch(fetch) => return Some(Effect::Fetch(fetch)),
            }
        }
    }

    /// What is to be told next: events first, then the message that came with them.
    #[inline]
    pub(crate) fn step(&mut self) -> Option<Step> {
        let event = self.reported.pop_front().map(Step::Event);
        event.or_else(|| self.push.take().map(Step::Push))
    }

    /// Shows a step that was just taken.
    #[inline]
    pub(crate) fn lend(&self, step: Step) -> Update<'_> {
        match step {
            Step::Event(Event::Delta { topic, delta }) => {
                Update::Book(BookUpdate::new(topic, delta, self.client.book(topic)))
            }
            Step::Event(event) => Update::State(event),
            Step::Push(tag) => Update::Push(tag.on(&self.bytes)),
        }
    }

    /// The same, to be kept.
    pub(crate) fn own(&self, step: Step) -> Item {
        match step {
            Step::Event(Event::Delta { topic, delta }) => Item::Delta(topic, delta),
            Step::Event(event) => Item::State(event),
            Step::Push(tag) => Item::Push(Message::new(tag, Bytes::copy_from_slice(&self.bytes))),
        }
    }

    /// When the core wants to be called.
    pub(crate) fn deadline(&self) -> Option<Instant> {
        self.client.poll_timeout().map(|deadline| deadline.at)
    }

    /// Whether [`Engine::close`] was called: once `step` is `None`, nothing will come any more.
    pub(crate) const fn is_closed(&self) -> bool {
        self.closed
    }

    /// The client, to be read.
    pub(crate) const fn client(&self) -> &Client {
        &self.client
    }

    /// The client, for commands. Their effects are performed after the next input.
    pub(crate) const fn client_mut(&mut self) -> &mut Client {
        &mut self.client
    }
}
