//! NATS, without JetStream, by its own protocol on a blocking socket.
//!
//! The kept client for Rust, `async-nats`, needs tokio, and the one that did not (`nats`) is deprecated. What is needed of
//! the protocol is small: `INFO`, `CONNECT`, `PUB`, `SUB`, `MSG`, `PING` and `PONG`.
//!
//! | subject | what |
//! |---|---|
//! | `PREFIX.book.SYMBOL` | the messages; a dot in a symbol is written `~` |
//! | `PREFIX.want.SYMBOL` | somebody asks for a snapshot of it: it comes in the stream, at its place |
//! | `PREFIX.group.NAME` | a worker of a group is there: its id; or ends: `-` and its id |
//!
//! How old a message is cannot be seen in it. What comes after the answer to a ping was given to the server after that
//! ping was sent, so the time since is the most that it can be: a second or so, and more if the reader is behind.
//!
//! Nothing is remembered: whoever comes later asks for a snapshot, or waits for the next one. A reader that is too slow
//! is cut off by the server, and sees by the numbers in the messages what it has missed.

mod link;
mod protocol;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use kucoin_futures_proto::{Instant, Symbol};

use super::{Address, Arrived, Engine, EngineError, Source};
use crate::message::{Body, Encoding, Message, PublisherId};
use link::Link;

/// A symbol as a part of a subject, and back.
fn token(symbol: Symbol) -> String {
    symbol.as_str().replace('.', "~")
}

fn symbol_of(subject: &str) -> Option<Symbol> {
    subject.rsplit('.').next()?.replace('~', ".").parse().ok()
}

/// A message in so many bytes; a book with fewer levels, if it must be. `None` if that is not enough.
fn fitted(message: &Message, encoding: Encoding, most: usize) -> Option<Vec<u8>> {
    let mut payload = message.encode(encoding);
    if let Body::Snapshot(snapshot) = &message.body {
        let mut levels = snapshot.levels();
        while payload.len() > most && levels > 1 {
            levels = levels.div_ceil(2);
            let body = Body::Snapshot(Box::new(snapshot.cut(levels)));
            payload = Message { body, ..message.clone() }.encode(encoding);
        }
    }
    (payload.len() <= most).then_some(payload)
}

/// A publisher's end.
#[derive(Debug)]
pub struct NatsEngine {
    link: Link,
    prefix: String,
    group: Option<String>,
    heard: Heard,
}

/// What others said.
#[derive(Debug, Default)]
struct Heard {
    wanted: BTreeSet<Symbol>,
    workers: BTreeMap<PublisherId, Instant>,
}

impl Heard {
    fn take(&mut self, now: Instant, prefix: &str, subject: &str, payload: &[u8]) {
        let Some(rest) = subject.strip_prefix(prefix).and_then(|rest| rest.strip_prefix('.'))
        else {
            return;
        };
        if rest.starts_with("want.") {
            self.wanted.extend(symbol_of(rest));
        } else if rest.starts_with("group.") {
            let text = std::str::from_utf8(payload).unwrap_or_default();
            match text.strip_prefix('-') {
                Some(ended) => drop(ended.parse().map(|worker| self.workers.remove(&worker))),
                None => drop(text.parse().map(|worker| self.workers.insert(worker, now))),
            }
        }
    }
}

impl NatsEngine {
    /// Not connected yet.
    #[must_use]
    pub fn new(address: &Address) -> Self {
        let prefix = address.prefix.clone();
        Self { link: Link::new(address), prefix, group: None, heard: Heard::default() }
    }

    fn round_trip(&mut self, bytes: Vec<u8>) -> Result<(), EngineError> {
        let Self { link, prefix, heard, .. } = self;
        let now = link.clock.now();
        link.round_trip(bytes, &mut |subject, payload, _| {
            heard.take(now, prefix, subject, payload);
        })
    }

    fn subjects(&self) -> Vec<String> {
        let want = format!("{}.want.*", self.prefix);
        let group = self.group.as_ref().map(|group| format!("{}.group.{group}", self.prefix));
        std::iter::once(want).chain(group).collect()
    }
}

impl Engine for NatsEngine {
    fn connect(&mut self) -> Result<(), EngineError> {
        let subjects = self.subjects();
        self.link.connect(&subjects)
    }

    fn publish(&mut self, messages: &[Message], encoding: Encoding) -> Result<(), EngineError> {
        let mut bytes = Vec::new();
        for message in messages {
            let Some(payload) = fitted(message, encoding, self.link.max_payload) else {
                // By its number it is missed, and so not believed to be whole, where it is read.
                let (symbol, most) = (message.symbol, self.link.max_payload);
                tracing::warn!(%symbol, most, "a message that the server does not carry: set its max_payload to 1MB");
                continue;
            };
            let (prefix, symbol, len) = (&self.prefix, token(message.symbol), payload.len());
            bytes.extend_from_slice(format!("PUB {prefix}.book.{symbol} {len}\r\n").as_bytes());
            bytes.extend_from_slice(&payload);
            bytes.extend_from_slice(b"\r\n");
        }
        self.round_trip(bytes)
    }

    fn wanted(&mut self) -> Result<Vec<Symbol>, EngineError> {
        self.round_trip(Vec::new())?;
        Ok(std::mem::take(&mut self.heard.wanted).into_iter().collect())
    }

    fn announce(
        &mut self,
        group: &str,
        worker: PublisherId,
        life: Duration,
        is_ending: bool,
    ) -> Result<Vec<PublisherId>, EngineError> {
        let mut text = String::new();
        if self.group.as_deref() != Some(group) {
            self.group = Some(group.to_owned());
            // The second subject, as after a reconnect.
            text += &format!("SUB {}.group.{group} 2\r\n", self.prefix);
        }
        let word = if is_ending { format!("-{worker}") } else { worker.to_string() };
        text += &format!("PUB {}.group.{group} {}\r\n{word}\r\n", self.prefix, word.len());
        self.round_trip(text.into_bytes())?;
        let now = self.link.clock.now();
        let workers = &mut self.heard.workers;
        workers.retain(|_, heard| now.since(*heard) <= life);
        if !is_ending {
            workers.insert(worker, now);
        }
        Ok(workers.keys().copied().collect())
    }
}

/// A call to read takes no longer, so that pings go out in time.
const PAUSE: Duration = Duration::from_millis(500);

/// A consumer's end.
#[derive(Debug)]
pub struct NatsSource {
    link: Link,
    prefix: String,
    followed: Vec<Symbol>,
    /// All symbols are subscribed to.
    is_all: bool,
    seen: BTreeSet<Symbol>,
}

impl NatsSource {
    /// Not connected yet.
    #[must_use]
    pub fn new(address: &Address) -> Self {
        let (prefix, seen) = (address.prefix.clone(), BTreeSet::new());
        Self { link: Link::new(address), prefix, followed: Vec::new(), is_all: false, seen }
    }

    fn subjects(&self) -> Vec<String> {
        if self.is_all {
            return vec![format!("{}.book.*", self.prefix)];
        }
        let subject = |symbol: &Symbol| format!("{}.book.{}", self.prefix, token(*symbol));
        self.followed.iter().map(subject).collect()
    }
}

impl Source for NatsSource {
    fn connect(&mut self) -> Result<(), EngineError> {
        let subjects = self.subjects();
        self.link.connect(&subjects)
    }

    fn follow(&mut self, symbols: &[Symbol]) -> Result<(), EngineError> {
        let mut text = String::new();
        for symbol in symbols {
            if !self.followed.contains(symbol) {
                self.followed.push(*symbol);
                if !self.is_all {
                    let (subject, sid) = (token(*symbol), self.followed.len());
                    text += &format!("SUB {}.book.{subject} {sid}\r\n", self.prefix);
                }
            }
        }
        self.link.write(text.as_bytes())?;
        // Nothing is remembered for whoever comes.
        self.want(symbols)
    }

    fn published(&mut self) -> Result<Vec<Symbol>, EngineError> {
        if !std::mem::replace(&mut self.is_all, true) {
            // A name of its own: one that is taken already is not heeded.
            let mut text = format!("SUB {}.book.* all\r\n", self.prefix);
            (1..=self.followed.len()).for_each(|sid| text += &format!("UNSUB {sid}\r\n"));
            self.link.write(text.as_bytes())?;
        }
        Ok(self.seen.iter().copied().collect())
    }

    fn poll(
        &mut self,
        limit: Duration,
        take: &mut dyn FnMut(Arrived<'_>),
    ) -> Result<usize, EngineError> {
        let Self { link, seen, is_all, .. } = self;
        link.ping()?;
        let clock = link.clock;
        let mut on = |subject: &str, bytes: &[u8], since: Instant| {
            if *is_all {
                seen.extend(symbol_of(subject));
            }
            take(Arrived { age: clock.now().since(since), bytes });
        };
        let handed = link.hand_out(&mut on)?;
        if handed > 0 {
            return Ok(handed);
        }
        if !link.read_within(limit.min(PAUSE))? {
            link.check_silence()?;
            return Ok(0);
        }
        link.hand_out(&mut on)
    }

    fn want(&mut self, symbols: &[Symbol]) -> Result<(), EngineError> {
        let prefix = &self.prefix;
        let asks =
            symbols.iter().map(|symbol| format!("PUB {prefix}.want.{} 0\r\n\r\n", token(*symbol)));
        let text: String = asks.collect();
        self.link.write(text.as_bytes())
    }
}
