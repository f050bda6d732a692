//! A connection to NATS that can be made anew.

use std::collections::VecDeque;
use std::io::{ErrorKind, Read as _, Write as _};
use std::net::{TcpStream, ToSocketAddrs as _};
use std::time::Duration;

use kucoin_futures_host::Clock;
use kucoin_futures_proto::Instant;
use serde_json::{Value, json};

use super::protocol::{Frame, Frames};
use crate::engine::{Address, CALL, EngineError};

/// The port of NATS where the address names none.
const PORT: u16 = 4222;
/// Bytes that are read at once.
const CHUNK: usize = 64 * 1024;

/// A connection that can be made anew.
pub(super) struct Link {
    address: Address,
    pub(super) clock: Clock,
    stream: Option<TcpStream>,
    frames: Frames,
    chunk: Vec<u8>,
    /// When each ping was sent that is not answered yet, the oldest first.
    pings: VecDeque<Instant>,
    /// When the newest ping was sent that is answered: all that has come since was given to the server later than that.
    answered: Instant,
    /// That wants are forbidden was said.
    is_warned: bool,
    /// What the server carries in one message.
    pub(super) max_payload: usize,
}

/// What came on a subject, and since when at the earliest it can have been with the server.
pub(super) type OnMessage<'a> = &'a mut dyn FnMut(&str, &[u8], Instant);

/// A reader asks whether the server is there so often.
const PING: Duration = Duration::from_secs(1);
/// No more than so many questions wait for an answer.
const PINGS: usize = 16;

impl std::fmt::Debug for Link {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Link").field(&self.address).finish()
    }
}

impl Link {
    pub(super) fn new(address: &Address) -> Self {
        Self {
            address: address.clone(),
            clock: Clock::new(),
            stream: None,
            frames: Frames::default(),
            chunk: vec![0; CHUNK],
            pings: VecDeque::new(),
            answered: Instant::ZERO,
            is_warned: false,
            max_payload: 0,
        }
    }

    pub(super) fn connect(&mut self, subjects: &[String]) -> Result<(), EngineError> {
        self.stream = None;
        self.frames = Frames::default();
        self.pings.clear();
        self.is_warned = false;
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
        if info.get("tls_required").is_some_and(|is| *is == true) {
            let text = "the NATS server requires TLS, which is not supported here: put a tunnel in front of it";
            return Err(EngineError::Address(text.into()));
        }
        let most = info.get("max_payload").and_then(Value::as_u64);
        let most = most.and_then(|most| usize::try_from(most).ok());
        self.max_payload = most.unwrap_or(1 << 20);
        let mut hello = self.hello();
        for (sid, subject) in subjects.iter().enumerate() {
            hello += &format!("SUB {subject} {}\r\n", sid + 1);
        }
        self.round_trip(hello.into_bytes(), &mut |_, _, _| {})
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
    pub(super) fn round_trip(
        &mut self,
        mut bytes: Vec<u8>,
        on: OnMessage<'_>,
    ) -> Result<(), EngineError> {
        bytes.extend_from_slice(b"PING\r\n");
        self.pings.push_back(self.clock.now());
        self.write(&bytes)?;
        let deadline = self.clock.now() + CALL;
        self.hand_out(on)?;
        while !self.pings.is_empty() {
            self.read(deadline)?;
            self.hand_out(on)?;
        }
        Ok(())
    }

    /// Asks from time to time whether the server is there: a connection that nobody is at the other end of any more
    /// looks like one on which nothing happens.
    pub(super) fn ping(&mut self) -> Result<(), EngineError> {
        let now = self.clock.now();
        let last = self.pings.back().copied().unwrap_or(self.answered);
        if now.since(last) < PING || self.pings.len() >= PINGS {
            return Ok(());
        }
        self.pings.push_back(now);
        self.write(b"PING\r\n")
    }

    /// Nothing is here to be read: then an answer that is due for too long will not come.
    pub(super) fn check_silence(&mut self) -> Result<(), EngineError> {
        match self.pings.front() {
            Some(sent) if self.clock.now().since(*sent) > CALL => {
                Err(self.cut(&ErrorKind::TimedOut.into()))
            }
            _ => Ok(()),
        }
    }

    pub(super) fn write(&mut self, bytes: &[u8]) -> Result<(), EngineError> {
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
    pub(super) fn read_within(&mut self, limit: Duration) -> Result<bool, EngineError> {
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
    pub(super) fn hand_out(&mut self, on: OnMessage<'_>) -> Result<usize, EngineError> {
        let (mut messages, mut pings) = (0, 0);
        let result = loop {
            match self.frames.next() {
                Ok(None) => break Ok(()),
                Ok(Some(Frame::Message { subject, payload })) => {
                    messages += 1;
                    on(subject, payload, self.answered);
                }
                Ok(Some(Frame::Ping)) => pings += 1,
                Ok(Some(Frame::Pong)) => {
                    self.answered = self.pings.pop_front().unwrap_or(self.answered);
                }
                Ok(Some(Frame::Info(_) | Frame::Ok)) => {}
                Ok(Some(Frame::Error(text))) if is_forbidden_want(text) => {
                    if !std::mem::replace(&mut self.is_warned, true) {
                        tracing::warn!(engine = %self.address, text, "snapshots cannot be asked for");
                    }
                }
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
        Ok(messages)
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

    pub(super) fn protocol(&self, why: &str) -> EngineError {
        EngineError::Protocol { engine: self.address.to_string(), why: why.to_owned() }
    }
}

/// The server's rules forbid what snapshots are asked for by. The connection goes on, and snapshots come from time to
/// time anyway.
fn is_forbidden_want(text: &str) -> bool {
    text.to_ascii_lowercase().starts_with("permissions violation") && text.contains(".want.")
}

/// `%40` as `@`.
fn percent_decoded(text: &str) -> String {
    let pairs = format!("x={}", text.replace('+', "%2B").replace('&', "%26"));
    let decoded = url::form_urlencoded::parse(pairs.as_bytes()).next();
    decoded.map_or_else(String::new, |(_, value)| value.into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passwords_are_whole_whatever_is_in_them() {
        for (written, meant) in
            [("a&b", "a&b"), ("a+b", "a+b"), ("a%2Fb%40", "a/b@"), ("a=b", "a=b")]
        {
            assert_eq!(percent_decoded(written), meant);
        }
    }
}
