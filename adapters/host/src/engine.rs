//! A client with what it has to tell. The only place that drives the core.
//!
//! ```text
//!  transport, clock ── handle, handle_timeout ──> Engine ── next_effect ──> transport
//!                                                   └────── step, lend ───> the user
//! ```

use std::collections::VecDeque;

use bytes::Bytes;
use kucoin_futures_proto::{
    BookEvent, Client, Command, Config, Event, Input, Instant, Output, PushTag, Tap,
};
use tracing::Span;

use crate::latencies::Latencies;
use crate::trace::Trace;
use crate::transport::{Effect, Incoming};
use crate::update::{BookUpdate, Item, Message, Update};

/// A [`Client`] and what it reported.
#[derive(Debug)]
pub(crate) struct Engine {
    tap: Option<Box<dyn Tap>>,
    /// A command may have put something out that nobody has asked for.
    commanded: bool,
    client: Client,
    kept: Kept,
    closed: bool,
    latencies: Latencies,
    trace: Trace,
    /// When the client was last told something.
    now: Instant,
}

/// What the client put out and was not taken yet, oldest first.
#[derive(Debug, Default)]
struct Kept {
    effects: VecDeque<Effect>,
    steps: VecDeque<Step>,
    /// The latest message: there is one at most among the steps, because all are told before the next
    /// input.
    message: Option<PushTag>,
    /// Where it lies. Kept from one message to the next, so that none allocates.
    bytes: Vec<u8>,
}

/// Something to tell. `Copy`, so that it does not hold on to the engine while a loop goes on.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Step {
    /// The core reports it.
    Event(Event),
    /// The message that the engine keeps.
    Message,
}

impl Engine {
    /// Nothing has happened yet.
    pub(crate) fn new(
        now: Instant,
        seed: u64,
        config: Config,
        mut tap: Option<Box<dyn Tap>>,
    ) -> Self {
        if let Some(tap) = &mut tap {
            tap.on_start(now, seed, &config);
        }
        Self {
            tap,
            commanded: false,
            client: Client::new(now, seed, config),
            kept: Kept::default(),
            closed: false,
            latencies: Latencies::new(now),
            trace: Trace::default(),
            now,
        }
    }

    /// Lets the core take an input.
    #[inline]
    pub(crate) fn handle(&mut self, now: Instant, incoming: Incoming<'_>) {
        match incoming {
            Incoming::Text(conn, text) => self.input(now, Input::Text { conn, bytes: text }),
            Incoming::Read(conn, read) => self.input(now, read.to_input(conn)),
            Incoming::Opened(conn) => self.input(now, Input::Opened { conn }),
            Incoming::Lost(conn, error) => self.input(now, Input::Lost { conn, error }),
            Incoming::Rest(request, outcome) => self.input(now, outcome.to_input(request)),
        }
    }

    /// Drains all that came of an input. A message is copied: what it lies in is the transport's.
    #[inline]
    fn input(&mut self, now: Instant, input: Input<'_>) {
        self.now = now;
        if let Some(tap) = &mut self.tap {
            tap.on_input(now, &input);
        }
        let mut turn = self.client.handle(now, input);
        while let Some(output) = turn.next() {
            if let Some(tap) = &mut self.tap {
                tap.on_output(&output);
            }
            if let Output::Event(Event::Book(_, BookEvent::Delta(delta))) = &output {
                self.latencies.on_delta(delta.ts_event);
            }
            self.kept.keep(output);
        }
        self.commanded = false;
        if let Some(tap) = &mut self.tap {
            tap.on_drained();
        }
    }

    /// Gives the client a command, by a function that is called with it.
    pub(crate) fn command<R>(
        &mut self,
        now: Instant,
        command: Command,
        call: impl FnOnce(&mut Client, Instant) -> R,
    ) -> R {
        self.commanded = true;
        if let Some(tap) = &mut self.tap {
            tap.on_command(now, command);
        }
        call(&mut self.client, now)
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
        self.now = now;
        self.command(now, Command::Close, Client::close);
        self.closed = true;
    }

    /// What is to be done next; `None` once all is.
    #[inline]
    pub(crate) fn next_effect(&mut self) -> Option<Effect> {
        if std::mem::take(&mut self.commanded) {
            self.drain();
        }
        self.kept.effects.pop_front()
    }

    /// What commands have queued.
    #[cold]
    fn drain(&mut self) {
        if let Some(tap) = &mut self.tap {
            tap.on_poll();
        }
        while let Some(output) = self.client.poll_output() {
            if let Some(tap) = &mut self.tap {
                tap.on_output(&output);
            }
            self.kept.keep(output);
        }
        if let Some(tap) = &mut self.tap {
            tap.on_drained();
        }
    }

    /// What is to be told next.
    #[inline]
    pub(crate) fn step(&mut self) -> Option<Step> {
        let step = self.kept.steps.pop_front()?;
        match step {
            Step::Event(Event::Book(_, BookEvent::Delta(_))) | Step::Message => {}
            Step::Event(event) => self.trace.on_event(&self.client, self.now, event),
        }
        Some(step)
    }

    /// What is traced from now on is part of this.
    pub(crate) fn trace_under(&mut self, span: Span) {
        self.trace = Trace::new(span);
    }

    /// How long what was told was on its way.
    pub(crate) const fn latencies(&self) -> &Latencies {
        &self.latencies
    }

    /// The same, to be counted on.
    pub(crate) const fn latencies_mut(&mut self) -> &mut Latencies {
        &mut self.latencies
    }

    /// Shows a step that was just taken.
    #[inline]
    pub(crate) fn lend(&self, step: Step) -> Option<Update<'_>> {
        Some(match step {
            Step::Event(Event::Book(topic, BookEvent::Delta(delta))) => {
                Update::Book(BookUpdate::new(topic, delta, self.client.book(topic)))
            }
            Step::Event(event) => Update::State(event),
            Step::Message => Update::Push(self.kept.message.as_ref()?.on(&self.kept.bytes)),
        })
    }

    /// The same, to be kept.
    pub(crate) fn own(&self, step: Step) -> Option<Item> {
        Some(match step {
            Step::Event(Event::Book(topic, BookEvent::Delta(delta))) => Item::Delta(topic, delta),
            Step::Event(event) => Item::State(event, self.words_of(event)),
            Step::Message => {
                let bytes = Bytes::copy_from_slice(&self.kept.bytes);
                Item::Push(Message::new(self.kept.message?, bytes))
            }
        })
    }

    fn words_of(&self, event: Event) -> Option<Box<str>> {
        self.client.words(event.refusal()?.words?).map(Box::from)
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
}

impl Kept {
    #[inline]
    fn keep(&mut self, output: Output<'_>) {
        let effect = match output {
            Output::Event(event) => return self.steps.push_back(Step::Event(event)),
            Output::Push(push) => {
                self.message = Some(push.tag());
                self.bytes.clear();
                self.bytes.extend_from_slice(push.bytes());
                return self.steps.push_back(Step::Message);
            }
            Output::Send { conn, text } => Effect::Send(conn, text),
            Output::Open { conn, to } => Effect::Open(conn, to),
            Output::Close { conn } => Effect::Close(conn),
            Output::Fetch(fetch) => Effect::Fetch(fetch),
        };
        self.effects.push_back(effect);
    }
}
