//! Frames that were made beforehand, written as fast as they are read: for benchmarks.
//!
//! The server's own market stands still meanwhile. Of the same seed and config it *is* the market
//! that the recording began with, so a client takes its snapshot from the server, is then poured the
//! recording, and must end with the recording's books.

use std::ops::Range;
use std::time::Duration;

use futures_lite::AsyncWriteExt as _;
use kucoin_futures_proto::{Instant, SplitMix64, Symbol};
use smol::net::TcpStream;

use crate::config::ExchangeConfig;
use crate::exchange::{About, Exchange, Outgoing, SessionId};
use crate::market::Market;
use crate::rest::Request;

/// WebSocket frames of level2 changes, back to back, and the books that they lead to.
#[derive(Debug)]
pub struct Flood {
    bytes: Vec<u8>,
    frames: usize,
    /// What goes into one write.
    writes: Vec<Range<usize>>,
    exchange: Exchange,
    symbols: Vec<Symbol>,
}

/// The first change is so late: no snapshot that was taken before may be younger.
const LATER: Duration = Duration::from_secs(24 * 3600);
/// From one change to the next, by the exchange's clock.
const PACE: Duration = Duration::from_micros(50);
/// The head of an unmasked text frame, whose length follows.
const TEXT: u8 = 0x81;
/// In place of the length: two bytes with it follow.
const TWO_BYTES: u8 = 126;
const SESSION: SessionId = SessionId(0);

impl Flood {
    /// Lets the exchange of this seed and config make so many changes; `per_write` frames are handed
    /// to the system at a time. The first contracts are the busy ones.
    #[must_use]
    pub fn record(
        seed: u64,
        mut config: ExchangeConfig,
        frames: usize,
        per_write: usize,
        progress: impl Fn(usize),
    ) -> Self {
        config.rate = 0.0;
        let symbols: Vec<Symbol> = config.contracts.iter().map(|c| c.symbol).collect();
        let exchange = Exchange::new(Instant::ZERO, seed, config);
        // About so long is each.
        let (bytes, writes) = (Vec::with_capacity(frames * 192), Vec::new());
        let mut flood = Self { bytes, frames: 0, writes, exchange, symbols };
        flood.subscribe();
        let mut rng = SplitMix64::new(seed);
        let mut now = Instant::ZERO + LATER;
        let mut start = 0;
        while flood.frames < frames {
            now = now + PACE;
            flood.change(&mut rng, now);
            if flood.frames.is_multiple_of(per_write.max(1)) || flood.frames == frames {
                flood.writes.push(start..flood.bytes.len());
                start = flood.bytes.len();
                progress(flood.frames);
            }
        }
        flood
    }

    /// How many frames there are.
    #[must_use]
    pub const fn frames(&self) -> usize {
        self.frames
    }

    /// Their size on the wire.
    #[must_use]
    pub const fn bytes(&self) -> usize {
        self.bytes.len()
    }

    /// The markets after the last frame.
    pub fn markets(&self) -> impl Iterator<Item = &Market> {
        self.symbols.iter().filter_map(|symbol| self.exchange.market(*symbol))
    }

    /// The exchange makes frames only for those who listen.
    fn subscribe(&mut self) {
        let (now, exchange) = (Instant::ZERO, &mut self.exchange);
        exchange.http(now, &Request::new("POST", "/api/v1/bullet-public"));
        let token = exchange.latest_tokens().last().cloned().unwrap_or_default();
        exchange.connect(now, SESSION, &format!("token={token}"));
        for batch in self.symbols.chunks(exchange.config.limits.symbols_per_frame) {
            let names: Vec<&str> = batch.iter().map(Symbol::as_str).collect();
            let topic = format!("/contractMarket/level2:{}", names.join(","));
            let text = format!(r#"{{"id":"1","type":"subscribe","topic":"{topic}"}}"#);
            exchange.receive(now, SESSION, &text);
        }
    }

    fn change(&mut self, rng: &mut SplitMix64, now: Instant) {
        // Twice drawn: a few are busy and most are not, as with real contracts.
        let most = rng.below(self.symbols.len() as u64);
        let Some(symbol) = self.symbols.get(rng.below(most + 1) as usize) else { return };
        self.exchange.change(*symbol, now);
        while let Some(outgoing) = self.exchange.poll_output() {
            if let Outgoing::Send(_, text, About::Delta { .. }) = outgoing {
                self.frames += 1;
                let len = u16::try_from(text.len()).unwrap_or(u16::MAX);
                self.bytes.extend([TEXT, TWO_BYTES]);
                self.bytes.extend(len.to_be_bytes());
                self.bytes.extend(text.as_bytes());
            }
        }
    }

    /// Writes everything, past the WebSocket that is on this stream: nothing else may write meanwhile.
    pub(super) async fn pour(&self, mut tcp: TcpStream) -> std::io::Result<()> {
        for write in &self.writes {
            tcp.write_all(self.bytes.get(write.clone()).unwrap_or_default()).await?;
        }
        Ok(())
    }
}
