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
//! Nothing is remembered: whoever comes later asks for a snapshot, or waits for the next one. A reader that is too slow
//! is cut off by the server, and sees by the numbers in the messages what it has missed.

mod protocol;

use std::collections::{BTreeMap, BTreeSet};
use std::io::{ErrorKind, Read as _, Write as _};
use std::net::{TcpStream, ToSocketAddrs as _};
use std::time::Duration;

use kucoin_futures_host::Clock;
use kucoin_futures_proto::{Instant, Symbol};
use serde_json::{Value, json};

use super::{Address, Arrived, CALL, Engine, EngineError, Source};
use crate::message::{Encoding, Message, PublisherId};
use protocol::{Frame, Frames};

/// The port of NATS where the address names none.
const PORT: u16 = 4222;
/// Bytes that are read at once.
const CHUNK: usize = 64 * 1024;

/// A connection that can be made anew.
struct Link {
    address: Address,
    clock: Clock,
    stream: Option<TcpStream>,
    frames: Frames,
    chunk: Vec<u8>,
    /// What the server carries in one message.
    max_payload: usize,
}

/// What came on a subject.
type OnMessage<'a> = &'a mut dyn FnMut(&str, &[u8]);

impl std::fmt::Debug for Link {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Link").field(&self.address).finish()
    }
}

impl Link {
    fn new(address: &Address) -> Self {
        Self {
            address: address.clone(),
            clock: Clock::new(),
            stream: None,
            frames: Frames::default(),
            chunk: vec![0; CHUNK],
            max_payload: 0,
        }
    }

    fn connect(&mut self, subjects: &[String]) -> Result<(), EngineError> {
        self.stream = None;
        self.frames = Frames::default();
        self.stream = Some(self.open().map_err(|error| self.unreachable(&error))?);
        let deadline = self.clock.now() + CALL;
        let info = loop {
            match self.frames.next() {
                Ok(Some(Frame::Info(info))) => break info.to_vec(),
                Ok(None) => self.read(deadline)?,
                Ok(Some(_)) | Err(_) => return Err(self.protocol("no INFO at its beginning")),
            }
        };
        let info: Value =
            serde_json::from_slice(&info).map_err(|_| self.protocol("INFO without JSON"))?;
        if info["tls_required"] == true {
            let text = "the NATS server requires TLS, which is not supported here: put a tunnel in front of it";
            return Err(EngineError::Address(text.into()));
        }
        let most = info["max_payload"].as_u64().and_then(|most| usize::try_from(most).ok());
        self.max_payload = most.unwrap_or(1 << 20);
        let mut hello = self.hello();
        for (sid, subject) in subjects.iter().enumerate() {
            hello += &format!("SUB {subject} {}\r\n", sid + 1);
        }
        self.round_trip(hello.into_bytes(), &mut |_, _| {})
    }

    fn open(&self) -> std::io::Result<TcpStream> {
        let url = &self.address.url;
        let host = url.host_str().unwrap_or_default().trim_matches(['[', ']']);
        let addresses = (host, url.port().unwrap_or(PORT)).to_socket_addrs()?;
        let mut last = std::io::Error::from(ErrorKind::AddrNotAvailable);
        for address in addresses {
            match TcpStream::connect_timeout(&address, CALL) {
                Ok(stream) => {
                    stream.set_nodelay(true)?;
                    stream.set_write_timeout(Some(CALL))?;
                    return Ok(stream);
                }
                Err(error) => last = error,
            }
        }
        Err(last)
    }

    fn hello(&self) -> String {
        let url = &self.address.url;
        let text = |text: &str| percent_decoded(text);
        let mut hello = json!({
            "verbose": false,
            "pedantic": false,
            "tls_required": false,
            "lang": "rust",
            "version": env!("CARGO_PKG_VERSION"),
            "protocol": 1,
            "name": "kcf",
        });
        if let Some(fields) = hello.as_object_mut() {
            match (url.username(), url.password()) {
                ("", None) => {}
                (token, None) => drop(fields.insert("auth_token".into(), text(token).into())),
                (name, Some(password)) => {
                    fields.insert("user".into(), text(name).into());
                    fields.insert("pass".into(), text(password).into());
                }
            }
        }
        format!("CONNECT {hello}\r\n")
    }

    /// Writes, and waits until the server has all of it; what comes meanwhile is handed out.
    fn round_trip(&mut self, mut bytes: Vec<u8>, on: OnMessage<'_>) -> Result<(), EngineError> {
        bytes.extend_from_slice(b"PING\r\n");
        self.write(&bytes)?;
        let deadline = self.clock.now() + CALL;
        while !self.hand_out(on)?.is_answered {
            self.read(deadline)?;
        }
        Ok(())
    }

    fn write(&mut self, bytes: &[u8]) -> Result<(), EngineError> {
        let Some(stream) = &mut self.stream else { return Err(self.not_connected()) };
        stream.write_all(bytes).map_err(|error| self.cut(&error))
    }

    /// Waits for more, up to a deadline.
    fn read(&mut self, deadline: Instant) -> Result<(), EngineError> {
        let left = deadline.since(self.clock.now());
        if left.is_zero() || !self.read_within(left)? {
            self.stream = None;
            return Err(self.unreachable(&ErrorKind::TimedOut.into()));
        }
        Ok(())
    }

    /// Waits for more; false if nothing came.
    fn read_within(&mut self, limit: Duration) -> Result<bool, EngineError> {
        let Some(stream) = &mut self.stream else { return Err(self.not_connected()) };
        // Zero would be for ever.
        let limit = limit.max(Duration::from_millis(1));
        let read = stream.set_read_timeout(Some(limit)).and_then(|()| stream.read(&mut self.chunk));
        match read {
            Ok(0) => Err(self.cut(&ErrorKind::UnexpectedEof.into())),
            Ok(count) => {
                self.frames.push(self.chunk.get(..count).unwrap_or_default());
                Ok(true)
            }
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {
                Ok(false)
            }
            Err(error) if error.kind() == ErrorKind::Interrupted => Ok(true),
            Err(error) => Err(self.cut(&error)),
        }
    }

    /// Hands out all that is here whole.
    fn hand_out(&mut self, on: OnMessage<'_>) -> Result<Handed, EngineError> {
        let mut handed = Handed::default();
        let mut pings = 0;
        let result = loop {
            match self.frames.next() {
                Ok(None) => break Ok(()),
                Ok(Some(Frame::Message { subject, payload })) => {
                    handed.messages += 1;
                    on(subject, payload);
                }
                Ok(Some(Frame::Ping)) => pings += 1,
                Ok(Some(Frame::Pong)) => handed.is_answered = true,
                Ok(Some(Frame::Info(_) | Frame::Ok)) => {}
                Ok(Some(Frame::Error(text))) => break Err(text.to_owned()),
                Err(why) => break Err(why.to_owned()),
            }
        };
        if let Err(why) = result {
            self.stream = None;
            return Err(if why.contains("Authorization") || why.contains("Authentication") {
                EngineError::Login { engine: self.address.to_string(), scheme: "nats" }
            } else {
                self.protocol(&why)
            });
        }
        for _ in 0..pings {
            self.write(b"PONG\r\n")?;
        }
        Ok(handed)
    }

    fn cut(&mut self, error: &std::io::Error) -> EngineError {
        self.stream = None;
        self.unreachable(error)
    }

    fn unreachable(&self, error: &std::io::Error) -> EngineError {
        let why = kucoin_futures_host::io_error(error).to_string();
        EngineError::Unreachable { engine: self.address.to_string(), why }
    }

    fn not_connected(&self) -> EngineError {
        EngineError::Unreachable { engine: self.address.to_string(), why: "not connected".into() }
    }

    fn protocol(&self, why: &str) -> EngineError {
        EngineError::Protocol { engine: self.address.to_string(), why: why.to_owned() }
    }
}

/// What was handed out.
#[derive(Default)]
struct Handed {
    messages: usize,
    /// The server has answered a ping.
    is_answered: bool,
}

/// `%40` as `@`.
fn percent_decoded(text: &str) -> String {
    let pairs = format!("x={}", text.replace('+', "%2B"));
    let decoded = url::form_urlencoded::parse(pairs.as_bytes()).next();
    decoded.map_or_else(String::new, |(_, value)| value.into_owned())
}

/// A symbol as a part of a subject, and back.
fn token(symbol: Symbol) -> String {
    symbol.as_str().replace('.', "~")
}

fn symbol_of(subject: &str) -> Option<Symbol> {
    subject.rsplit('.').next()?.replace('~', ".").parse().ok()
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
        link.round_trip(bytes, &mut |subject, payload| heard.take(now, prefix, subject, payload))
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
            let payload = message.encode(encoding);
            if payload.len() > self.link.max_payload {
                let text = format!(
                    "a message of {} bytes, and this server carries {}: set its max_payload to 1 MB",
                    payload.len(),
                    self.link.max_payload
                );
                return Err(self.link.protocol(&text));
            }
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
            let text = format!("SUB {}.book.* 1\r\n", self.prefix);
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
        let mut on = |subject: &str, bytes: &[u8]| {
            if *is_all {
                seen.extend(symbol_of(subject));
            }
            take(Arrived { age: Duration::ZERO, bytes });
        };
        let handed = link.hand_out(&mut on)?.messages;
        if handed > 0 || !link.read_within(limit.min(CALL))? {
            return Ok(handed);
        }
        Ok(link.hand_out(&mut on)?.messages)
    }

    fn want(&mut self, symbols: &[Symbol]) -> Result<(), EngineError> {
        let prefix = &self.prefix;
        let asks =
            symbols.iter().map(|symbol| format!("PUB {prefix}.want.{} 0\r\n\r\n", token(*symbol)));
        let text: String = asks.collect();
        self.link.write(text.as_bytes())
    }
}
