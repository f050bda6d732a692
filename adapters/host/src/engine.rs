//! A client with what it has to tell: all of an adapter but its I/O.
//!
//! ```text
//!  sockets, REST, clock ── text, answer, input ──> Engine ── next_effect ──> sockets, REST
//!                                                     └───── step, lend ──> the user
//! ```
//!
//! After each input an adapter performs every effect; only then it hands out a step. So nothing a
//! user sees is ahead of what was done about it.

use std::collections::VecDeque;

use bytes::Bytes;
use kucoin_futures_proto::{
    Client, ConnId, Endpoint, Event, Fetch, Input, Instant, Output, PushTag, RequestId,
};

use crate::rest::Answer;
use crate::update::{BookUpdate, Item, Message, Update};

/// A [`Client`] and what it reported. For adapters.
#[derive(Debug)]
pub struct Engine {
    client: Client,
    /// What the core reported and nobody has been told yet.
    reported: VecDeque<Event>,
    /// A message for the user that lies in `bytes`, and whether it was handed out already.
    push: Option<PushTag>,
    told: bool,
    /// Kept from one message to the next, so that none allocates.
    bytes: Vec<u8>,
    closed: bool,
}

/// Something to do. Exhaustive, so that a new one fails to compile in every adapter.
#[derive(Debug)]
#[allow(clippy::exhaustive_enums, reason = "an adapter must not overlook an effect")]
pub enum Effect {
    /// Send a text message.
    Send(ConnId, Box<str>),
    /// Connect and upgrade.
    Open(ConnId, Box<Endpoint>),
    /// Drop a connection, open or opening.
    Shut(ConnId),
    /// Make a REST request.
    Fetch(Box<Fetch>),
}

/// Something to tell. `Copy`, so that it does not hold on to the engine while a loop goes on.
#[derive(Clone, Copy, Debug)]
#[allow(clippy::exhaustive_enums, reason = "what can be told")]
pub enum Step {
    /// The core reports it.
    Event(Event),
    /// A message, in the bytes that the engine keeps.
    Push(PushTag),
}

impl Engine {
    /// Nothing has happened yet.
    #[must_use]
    pub const fn new(client: Client) -> Self {
        Self {
            client,
            reported: VecDeque::new(),
            push: None,
            told: false,
            bytes: Vec::new(),
            closed: false,
        }
    }

    /// Something other than a message or a reply.
    pub fn input(&mut self, now: Instant, input: Input<'_>) {
        // None of these carries a message.
        let _ = self.client.handle_input(now, input);
    }

    /// A text message.
    #[inline]
    pub fn text(&mut self, now: Instant, conn: ConnId, text: &[u8]) {
        if let Some(push) = self.client.handle_input(now, Input::Text(conn, text)) {
            self.push = Some(push.tag());
            self.bytes.clear();
            self.bytes.extend_from_slice(text);
        }
    }

    /// The end of a REST request.
    pub fn answer(&mut self, now: Instant, request: RequestId, answer: Answer) {
        let (head, body) = match answer {
            Answer::Reply(head, body) => (head, body),
            Answer::Failed(loss) => return self.input(now, Input::Failed(request, loss)),
        };
        let push = self.client.handle_input(now, Input::Reply(request, head, &body));
        if let Some(tag) = push.map(|push| push.tag()) {
            self.push = Some(tag);
            self.bytes = body;
        }
    }

    /// Lets the core meet its deadline; false if none is due.
    pub fn meet_deadline(&mut self, now: Instant) -> bool {
        let due = self.deadline().is_some_and(|at| at <= now);
        if due {
            self.input(now, Input::Timeout);
        }
        due
    }

    /// Ends everything; what was reported can still be told.
    pub fn close(&mut self, now: Instant) {
        self.client.close(now);
        self.closed = true;
    }

    /// What is to be done next; `None` once all is. What the core reports meanwhile is kept.
    #[inline]
    pub fn next_effect(&mut self) -> Option<Effect> {
        loop {
            match self.client.poll_output()? {
                Output::Event(event) => self.reported.push_back(event),
                Output::Send { conn, text } => return Some(Effect::Send(conn, text)),
                Output::Open { conn, to } => return Some(Effect::Open(conn, to)),
                Output::Shut { conn } => return Some(Effect::Shut(conn)),
                Output::Fetch(fetch) => return Some(Effect::Fetch(fetch)),
            }
        }
    }

    /// What is to be told next: events first, then the message that came with them.
    #[inline]
    pub fn step(&mut self) -> Option<Step> {
        if std::mem::take(&mut self.told) {
            self.push = None;
        }
        if let Some(event) = self.reported.pop_front() {
            return Some(Step::Event(event));
        }
        let tag = self.push?;
        self.told = true;
        Some(Step::Push(tag))
    }

    /// Shows a step that was just taken. `None` would be a push whose bytes are gone.
    #[must_use]
    #[inline]
    pub fn lend(&self, step: Step) -> Option<Update<'_>> {
        match step {
            Step::Event(Event::Delta { topic, delta }) => {
                Some(Update::Book(BookUpdate::new(topic, delta, self.client.book(topic))))
            }
            Step::Event(event) => Some(Update::State(event)),
            Step::Push(tag) => {
                self.push?;
                Some(Update::Push(tag.on(&self.bytes)))
            }
        }
    }

    /// The same, to be kept.
    #[must_use]
    pub fn own(&self, step: Step) -> Option<Item> {
        match step {
            Step::Event(Event::Delta { topic, delta }) => Some(Item::Delta(topic, delta)),
            Step::Event(event) => Some(Item::State(event)),
            Step::Push(tag) => {
                self.push?;
                Some(Item::Push(Message::new(tag, Bytes::copy_from_slice(&self.bytes))))
            }
        }
    }

    /// When the core wants to be called.
    #[must_use]
    pub fn deadline(&self) -> Option<Instant> {
        self.client.poll_timeout().map(|deadline| deadline.at)
    }

    /// Whether [`Engine::close`] was called: once `step` is `None`, nothing will come any more.
    #[must_use]
    pub const fn is_closed(&self) -> bool {
        self.closed
    }

    /// The client, to be read.
    #[must_use]
    pub const fn client(&self) -> &Client {
        &self.client
    }

    /// The client, for commands; perform the effects afterwards.
    pub const fn client_mut(&mut self) -> &mut Client {
        &mut self.client
    }
}
