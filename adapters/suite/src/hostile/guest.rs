//! A client at a hostile peer's door, and what can be done to it.

use std::io::{self, ErrorKind, Read as _, Write as _};
use std::net::Shutdown;
use std::time::Duration;

use kucoin_futures_host::Clock;
use kucoin_futures_proto::Instant;
use socket2::SockRef;
use tungstenite::handshake::derive_accept_key;

use super::frames::{TEXT, frame};
use super::gate::Exchange;
use super::io::Io;
use crate::rig::stay_away;

/// How a peer leaves it when it has done its worst.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum End {
    /// The connection stays open: it is the client's part to give up.
    Held,
    /// TCP's end, without a word of what is above it.
    Cut,
    Reset,
}

/// Bytes that a peer sends in a row, at most: nothing here may go on for ever.
const MOST: usize = 256 << 20;
const LONGEST: Duration = Duration::from_secs(15);
/// Written at a time.
const CHUNK: usize = 64 << 10;
/// Of what a client has said so much is kept.
const KEPT: usize = 64 << 10;

pub(super) struct Guest<'a> {
    pub(super) io: Io,
    /// Of its request; empty before there is one.
    pub(super) head: String,
    exchange: &'a Exchange,
}

impl<'a> Guest<'a> {
    pub(super) const fn new(io: Io, head: String, exchange: &'a Exchange) -> Self {
        Self { io, head, exchange }
    }

    pub(super) fn send(&mut self, bytes: impl AsRef<[u8]>) -> io::Result<()> {
        self.io.write_all(bytes.as_ref())?;
        self.io.flush()
    }

    /// The same over and over, as fast as it is taken, until the client has had enough.
    pub(super) fn flood(&mut self, piece: impl AsRef<[u8]>) -> io::Result<()> {
        let piece = piece.as_ref();
        let chunk = piece.repeat(CHUNK.div_ceil(piece.len()));
        let clock = Clock::new();
        for _ in 0..MOST / chunk.len() {
            self.io.write_all(&chunk)?;
            if clock.now() > Instant::ZERO + LONGEST {
                break;
            }
        }
        Ok(())
    }

    /// A byte at a time.
    pub(super) fn drip(&mut self, bytes: impl AsRef<[u8]>, pause: Duration) -> io::Result<()> {
        for byte in bytes.as_ref() {
            self.send([*byte])?;
            stay_away(pause);
        }
        Ok(())
    }

    /// Below TLS, if there is any.
    pub(super) fn send_raw(&self, bytes: &[u8]) -> io::Result<()> {
        self.io.tcp().write_all(bytes)
    }

    /// Answers the upgrade as it should be, with these headers besides.
    pub(super) fn upgrade(&mut self, more: &str) -> io::Result<()> {
        let accept = derive_accept_key(self.header("Sec-WebSocket-Key")?.as_bytes());
        self.send(format!(
            "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
             Sec-WebSocket-Accept: {accept}\r\n{more}\r\n"
        ))
    }

    /// What the exchange says first.
    pub(super) fn welcome(&mut self) -> io::Result<()> {
        let id = self.head.split_once("connectId=").map(|(_, id)| id);
        let id = id.and_then(|id| id.split([' ', '&']).next()).unwrap_or_default();
        let welcome = format!(r#"{{"id":"{id}","type":"welcome"}}"#);
        self.send(frame(TEXT, welcome.as_bytes()))
    }

    fn header(&self, name: &str) -> io::Result<&str> {
        let mut headers = self.head.lines().filter_map(|line| line.split_once(": "));
        let found = headers.find(|(of, _)| of.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value).ok_or_else(|| ErrorKind::InvalidData.into())
    }

    /// Hands the request on to the exchange, and its answer back, as many bytes at a time.
    pub(super) fn forward(&mut self, at_a_time: usize) -> io::Result<()> {
        let mut exchange = self.ask()?;
        self.carry(&mut exchange, at_a_time)?;
        self.io.finish()
    }

    /// The exchange's answer to the request.
    pub(super) fn fetch(&self) -> io::Result<String> {
        let (mut exchange, mut answer) = (self.ask()?, Vec::new());
        // It may end without a last word of TLS's.
        let _ = exchange.read_to_end(&mut answer);
        String::from_utf8(answer).map_err(io::Error::other)
    }

    /// A connection to the exchange, on which the request was made, and no other will be.
    fn ask(&self) -> io::Result<Io> {
        let mut exchange = self.exchange.connect()?;
        let (line, rest) = self.head.split_once("\r\n").unwrap_or_default();
        exchange.write_all(format!("{line}\r\nConnection: close\r\n{rest}").as_bytes())?;
        exchange.flush()?;
        Ok(exchange)
    }

    /// Hands everything on, both ways, to the client as many bytes at a time.
    pub(super) fn relay(&mut self, at_a_time: usize) -> io::Result<()> {
        let mut exchange = self.exchange.connect()?;
        exchange.write_all(self.head.as_bytes())?;
        exchange.flush()?;
        let pause = Some(Duration::from_millis(2));
        exchange.tcp().set_read_timeout(pause)?;
        self.io.tcp().set_read_timeout(pause)?;
        let mut bytes = vec![0; CHUNK];
        loop {
            self.carry(&mut exchange, at_a_time)?;
            match self.io.read(&mut bytes) {
                Ok(0) => return Ok(()),
                Ok(count) => {
                    exchange.write_all(bytes.get(..count).unwrap_or_default())?;
                    exchange.flush()?;
                }
                Err(error) if is_quiet(&error) => {}
                Err(error) => return Err(error),
            }
        }
    }

    /// What the exchange says, until it ends or says nothing.
    fn carry(&mut self, exchange: &mut Io, at_a_time: usize) -> io::Result<()> {
        let mut bytes = vec![0; CHUNK];
        loop {
            match exchange.read(&mut bytes) {
                Ok(0) => return Ok(()),
                Ok(count) => {
                    for part in bytes.get(..count).unwrap_or_default().chunks(at_a_time) {
                        self.send(part)?;
                    }
                }
                Err(error) if is_quiet(&error) => return Ok(()),
                // Without a last word of TLS's.
                Err(error) if error.kind() == ErrorKind::UnexpectedEof => return Ok(()),
                Err(error) => return Err(error),
            }
        }
    }

    /// Leaves it to the client to go away, or not: what it said until then.
    pub(super) fn leave(mut self, end: End) -> io::Result<Vec<u8>> {
        match end {
            End::Held => {}
            // Closed with something unread, it would be reset.
            End::Cut => self.io.tcp().shutdown(Shutdown::Write)?,
            End::Reset => {
                SockRef::from(self.io.tcp()).set_linger(Some(Duration::ZERO))?;
                return Ok(Vec::new());
            }
        }
        let (mut heard, mut bytes) = (Vec::new(), vec![0; CHUNK]);
        while let Ok(count @ 1..) = self.io.hear(&mut bytes) {
            let room = KEPT - heard.len();
            heard.extend(bytes.iter().take(count.min(room)));
        }
        Ok(heard)
    }
}

fn is_quiet(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut)
}
