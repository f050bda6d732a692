//! A recording as an exchange: other people's clients run on yesterday's market, unchanged.
//!
//! The server speaks the exchange's own REST and WebSocket protocol on one port of this machine. Tokens, welcomes,
//! pings, acks, limits and errors are those of the simulated exchange; the markets are the recorded ones, as they were
//! at the moment that is replayed. Several clients hear the same moment.
//!
//! * **Streams.** Whoever subscribes to a book is pushed its recorded changes; to anything else, the recorded frames as
//!   they are. Best bid and offer (`tickerV2`), last trades with them (`ticker`) and the best 5 and 50 levels are made
//!   from the book and the trades if they were not recorded.
//! * **REST.** Full and partial books, tickers, trades, marks and candles are those of the moment; lists of contracts and
//!   all else that was asked while recording are answered with the latest recorded answer; what is not known, with HTTP
//!   503. `timestamp` and pongs state the moment. What would have to be signed is refused as with an unknown key, and
//!   nothing of an account that was recorded is shown.
//! * **Holes.** While a book was not live in the recording, its snapshot is refused with HTTP 503: nobody gets a book
//!   that may be wrong. What was missed shows in the numbers of the changes that follow. Where these could not show it
//!   (the counter was set back, or the book was found wrong and made anew in its place), the connections that carry the
//!   book are closed, as the exchange does when it is restarted.
//! * **Horizon.** A recorded book is complete to a horizon; the exchange's snapshots are, too, but say so only by having
//!   1000 levels. A side that is known less far ends with a row of size 0 whose price has 13 decimals: nothing
//!   rests there, and this project's clients take the side for cut where it stands.
//!
//! # Control
//!
//! ```text
//! GET  /_replay/status                                       position, speed, paused, ended
//! POST /_replay/pause, /_replay/resume
//! POST /_replay/speed?x=10                                   0.001 to 1000, or max
//! POST /_replay/seek?to=1790000000000                        Unix time in ms; shows nothing of what lies between
//! GET  /_replay/digest?symbol=&sequence=&bid_horizon=&ask_horizon=   SHA-256 of the book at one of its last changes
//! ```
//!
//! After a seek backward every connection is closed. A client that remembers how far it has heard may have to be started
//! anew: no exchange goes back in time. At the end of the recording connections stay open, and nothing comes any more.

use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;

use kucoin_futures_proto::{Instant, UnixNanos};
use kucoin_futures_sim::{Clock, ExchangeConfig, Gateway, Server, ServerError, TlsConfig};
use serde_json::{Value, json};

use clock::ReplayClock;
use venue::Replay;

mod answers;
mod book;
mod clock;
mod control;
mod market;
mod recorded;
mod replies;
mod tape;
mod trades;
mod venue;

pub use clock::{Speed, SpeedError};
pub use recorded::RecordingTape;
pub use tape::Tape;

/// How a recording is served.
#[derive(Clone)]
#[non_exhaustive]
pub struct ServeOptions {
    /// The monotonic clock of this machine.
    pub clock: Clock,
    /// How fast it is replayed. Default: as it was recorded.
    pub speed: Speed,
    /// Whether it stands still until it is told to go on. Default: no.
    pub is_paused: bool,
    /// Over TLS: `https` and `wss`. Default: without.
    pub tls: Option<TlsConfig>,
    /// Draws tokens. Anything will do: they are good for nothing but this server. Default 1.
    pub seed: u64,
}

impl ServeOptions {
    /// With this clock, all else by default.
    #[must_use]
    pub const fn new(clock: Clock) -> Self {
        Self { clock, speed: Speed::REAL, is_paused: false, tls: None, seed: 1 }
    }
}

impl fmt::Debug for ServeOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ServeOptions")
            .field("speed", &self.speed)
            .field("is_paused", &self.is_paused)
            .finish_non_exhaustive()
    }
}

/// Could not serve a recording.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ServeError {
    /// The address is taken or not ours.
    #[error(transparent)]
    Server(#[from] ServerError),
    /// It is not an address of this machine alone: nobody else may take this for the exchange.
    #[error("{0} is not an address of this machine alone: use 127.0.0.1 or [::1]")]
    NotLoopback(SocketAddr),
    /// There is nothing in it.
    #[error("the recording is empty")]
    Empty,
}

/// Where a replay is.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct ReplayStatus {
    /// When the first input was received, by the wall clock of who recorded.
    pub began: UnixNanos,
    /// What time it is in the recording.
    pub position: UnixNanos,
    /// How fast it goes, if it is not paused.
    pub speed: Speed,
    /// Whether it stands still.
    pub is_paused: bool,
    /// Whether it is on its way to a moment that was asked for.
    pub is_seeking: bool,
    /// Whether there is nothing more.
    pub has_ended: bool,
    /// Why it cannot go on.
    pub error: Option<String>,
    /// Connections that are open.
    pub connections: usize,
    /// How often a client exceeded a limit of the exchange.
    pub violations: u64,
}

impl ReplayStatus {
    /// As `/_replay/status` answers it; times in ms since 1970.
    #[must_use]
    pub fn to_json(&self) -> Value {
        json!({
            "began_ms": self.began.as_millis(), "position_ms": self.position.as_millis(),
            "speed": self.speed.to_string(), "paused": self.is_paused,
            "seeking": self.is_seeking, "ended": self.has_ended, "error": self.error,
            "connections": self.connections, "violations": self.violations,
        })
    }
}

/// A recording that is served. Stops when dropped.
#[derive(Debug)]
pub struct ReplayServer(Server<Replay>);

/// Serves a recording on an address of this machine; port 0 lets the system choose one.
///
/// # Errors
/// [`ServeError`].
pub fn serve(
    tape: impl Tape + Send + 'static,
    listen: SocketAddr,
    options: &ServeOptions,
) -> Result<ReplayServer, ServeError> {
    if !listen.ip().is_loopback() {
        return Err(ServeError::NotLoopback(listen));
    }
    let began = tape.next_at().ok_or(ServeError::Empty)?;
    let gateway = Gateway::new(options.seed, &ExchangeConfig::default());
    let clock = Arc::clone(&options.clock);
    let make = |now: Instant| {
        let clock = ReplayClock::new(now, began, options.speed, options.is_paused);
        Replay::new(Box::new(tape), gateway, began, clock, now)
    };
    Ok(ReplayServer(Server::open(listen, clock, options.tls.clone(), make)?))
}

impl ReplayServer {
    /// The base of its REST interface, for example `http://127.0.0.1:40123`.
    #[must_use]
    pub fn url(&self) -> String {
        self.0.url()
    }

    /// Where it is.
    #[must_use]
    pub fn status(&self) -> ReplayStatus {
        self.0.with(|replay, _| replay.status())
    }

    /// Stands still from now on. Connections stay open, and requests are answered.
    pub fn pause(&self) {
        self.0.with(|replay, _| replay.set_paused(true));
    }

    /// Goes on.
    pub fn resume(&self) {
        self.0.with(|replay, _| replay.set_paused(false));
    }

    /// Goes on at this speed.
    pub fn set_speed(&self, speed: Speed) {
        self.0.with(|replay, _| replay.set_speed(speed));
    }

    /// Goes to a moment without showing what lies between; [`ReplayStatus::is_seeking`] says until when. Backward it
    /// begins anew, and closes every connection.
    pub fn seek(&self, to: UnixNanos) {
        self.0.with(|replay, _| replay.seek(to));
    }

    /// Frames that slow readers missed.
    #[must_use]
    pub fn dropped(&self) -> u64 {
        self.0.dropped()
    }
}
