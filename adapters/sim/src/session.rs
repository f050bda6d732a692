//! One WebSocket session as the exchange sees it: what a client's frame is answered with.
//!
//! Pure: it knows no socket. The [`Exchange`](crate::Exchange) routes frames in and pushes out.

use std::collections::{BTreeSet, VecDeque};
use std::time::Duration;

use kucoin_futures_proto::{Instant, SplitMix64, Symbol};
use serde_json::Value;

use crate::config::Limits;

/// Closed after so long without a frame of the client's; measured: 60.3 to 60.5 s.
const SILENCE: Duration = Duration::from_secs(60);
/// From the "ping timeout" error to the close.
const SILENCE_CLOSE: Duration = Duration::from_millis(400);
/// A connection is cut after a day.
const LONGEST: Duration = Duration::from_secs(24 * 3600);
/// Client messages are counted over this time.
const UPLINK_SPAN: Duration = Duration::from_secs(10);

/// A channel that is pushed here.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) enum Feed {
    Level2,
    TickerV2,
    Ticker,
    Execution,
}

impl Feed {
    const ALL: [Self; 4] = [Self::Level2, Self::TickerV2, Self::Ticker, Self::Execution];

    pub(crate) const fn prefix(self) -> &'static str {
        match self {
            Self::Level2 => "/contractMarket/level2",
            Self::TickerV2 => "/contractMarket/tickerV2",
            Self::Ticker => "/contractMarket/ticker",
            Self::Execution => "/contractMarket/execution",
        }
    }

    fn of(prefix: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|feed| feed.prefix() == prefix)
    }
}

/// What the session does next.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Reply {
    Send(String),
    Close(u16, &'static str),
}

#[derive(Debug)]
pub(crate) struct Session {
    private: bool,
    topics: BTreeSet<(Feed, Symbol)>,
    opened: Instant,
    heard: Instant,
    warned: bool,
    uplink: VecDeque<Instant>,
}

impl Session {
    pub(crate) const fn new(now: Instant, private: bool) -> Self {
        Self {
            private,
            topics: BTreeSet::new(),
            opened: now,
            heard: now,
            warned: false,
            uplink: VecDeque::new(),
        }
    }

    pub(crate) fn listens_to(&self, feed: Feed, symbol: Symbol) -> bool {
        self.topics.contains(&(feed, symbol))
    }

    /// When something happens without any frame.
    pub(crate) fn deadline(&self) -> Instant {
        let silence = self.heard + SILENCE;
        let silence = if self.warned { silence + SILENCE_CLOSE } else { silence };
        silence.min(self.opened + LONGEST)
    }

    /// The deadline has come.
    pub(crate) fn on_deadline(&mut self, now: Instant) -> Reply {
        if now >= self.opened + LONGEST || self.warned {
            return Reply::Close(1000, "Bye");
        }
        self.warned = true;
        Reply::Send(r#"{"type":"error","code":400,"data":"ping timeout"}"#.into())
    }

    /// A text frame of the client's. `pongs` is off while pongs are withheld.
    pub(crate) fn on_text(
        &mut self,
        now: Instant,
        unix_us: u64,
        rng: &mut SplitMix64,
        limits: &Limits,
        pongs: bool,
        text: &str,
    ) -> Vec<Reply> {
        self.heard = now;
        self.warned = false;
        if self.is_too_fast(now, limits.messages_per_10s) {
            let error = error_frame(&server_id(rng), 509, "exceed max permits per second");
            return vec![Reply::Send(error), Reply::Close(1000, "Bye")];
        }
        let Ok(Value::Object(frame)) = serde_json::from_str(text) else {
            let word: String = text.chars().take_while(|c| c.is_alphanumeric()).take(32).collect();
            let problem = format!("Unrecognized token '{word}': was expecting a JSON object");
            return vec![Reply::Send(error_frame(&server_id(rng), 400, &problem))];
        };
        // Numbers come back as strings.
        let id = match frame.get("id") {
            Some(Value::String(id)) => id.clone(),
            Some(Value::Number(id)) => id.to_string(),
            _ => String::new(),
        };
        let kind = frame.get("type").and_then(Value::as_str).unwrap_or_default();
        let outcome = match kind {
            "ping" if !pongs => return Vec::new(),
            "ping" => {
                let id = Value::from(id);
                let pong = format!(r#"{{"id":{id},"type":"pong","timestamp":{unix_us}}}"#);
                return vec![Reply::Send(pong)];
            }
            "subscribe" | "unsubscribe" => self.on_command(kind == "subscribe", &frame, limits),
            _ => Err((415, "type is not supported".into())),
        };
        let wants_ack = frame.get("response").and_then(Value::as_bool).unwrap_or(false);
        match outcome {
            Ok(()) if wants_ack => {
                let id = Value::from(id);
                vec![Reply::Send(format!(r#"{{"id":{id},"type":"ack"}}"#))]
            }
            Ok(()) => Vec::new(),
            Err((code, text)) => vec![Reply::Send(error_frame(&id, code, &text))],
        }
    }

    fn on_command(
        &mut self,
        subscribe: bool,
        frame: &serde_json::Map<String, Value>,
        limits: &Limits,
    ) -> Result<(), (u32, String)> {
        let topic = frame.get("topic").and_then(Value::as_str).unwrap_or_default();
        if topic.is_empty() {
            return Err((406, "topic is required".into()));
        }
        let private = frame.get("privateChannel").and_then(Value::as_bool).unwrap_or(false);
        if private && !self.private {
            return Err((403, "login is required".into()));
        }
        let Some((prefix, list)) = topic.split_once(':') else {
            return Err((404, "topic does not exist".into()));
        };
        let feed = Feed::of(prefix).ok_or_else(|| (404, "topic does not exist".into()))?;
        let symbols: Vec<&str> = list.split(',').collect();
        if symbols.len() > limits.symbols_per_frame {
            let most = limits.symbols_per_frame;
            let text = format!("exceed max subscription count limitation of {most} per time");
            return Err((509, text));
        }
        // A symbol that is not listed is confirmed like any other, and stays silent.
        let symbols: Result<Vec<Symbol>, _> = symbols.into_iter().map(str::parse).collect();
        let symbols = symbols.map_err(|_| (400, "topic is invalid".into()))?;
        let wanted: BTreeSet<_> = symbols.into_iter().map(|symbol| (feed, symbol)).collect();
        if !subscribe {
            self.topics.retain(|topic| !wanted.contains(topic));
            return Ok(());
        }
        let new = wanted.difference(&self.topics).count();
        if self.topics.len() + new > limits.topics_per_session {
            let most = limits.topics_per_session;
            let text = format!("exceed max subscription count limitation of {most} per session");
            return Err((509, text));
        }
        self.topics.extend(wanted);
        Ok(())
    }

    fn is_too_fast(&mut self, now: Instant, limit: usize) -> bool {
        self.uplink.retain(|at| *at + UPLINK_SPAN > now);
        self.uplink.push_back(now);
        self.uplink.len() > limit
    }
}

pub(crate) fn error_frame(id: &str, code: u32, text: &str) -> String {
    let (id, text) = (Value::from(id), Value::from(text));
    format!(r#"{{"id":{id},"type":"error","code":{code},"data":{text}}}"#)
}

/// Errors about a whole connection carry an id that the server makes: 24 hex digits.
pub(crate) fn server_id(rng: &mut SplitMix64) -> String {
    format!("{:016x}{:08x}", rng.next_u64(), rng.next_u64() as u32)
}
