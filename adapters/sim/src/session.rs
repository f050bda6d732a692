//! One WebSocket session as the exchange sees it: what a client's frame is answered with.
//!
//! Pure: it knows no socket. The [`Exchange`](crate::Exchange) routes frames in and pushes out.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use kucoin_futures_proto::{Instant, Sequence, SplitMix64, Symbol};
use serde_json::Value;

use crate::config::Limits;
use crate::fault::Refusal;
use crate::market::Market;
use crate::topic::{BadTopic, Feed, Topic};

/// Closed after so long without a frame of the client's; measured: 60.3 to 60.5 s.
const SILENCE: Duration = Duration::from_secs(60);
/// From the "ping timeout" error to the close.
const SILENCE_CLOSE: Duration = Duration::from_millis(400);
/// Client messages are counted over this time.
const UPLINK_SPAN: Duration = Duration::from_secs(10);

/// What the session does next.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Reply {
    Send(String),
    /// The ack of the request with this id.
    Ack(String),
    /// The pong of the ping with this id.
    Pong(String),
    Close(u16, &'static str),
}

/// What decides, besides the session's own state, how a frame is answered.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ReplyContext<'a> {
    pub(crate) limits: &'a Limits,
    /// A request is refused with this, and not obeyed.
    pub(crate) refusal: Option<Refusal>,
    /// A request is neither obeyed nor answered.
    pub(crate) deaf: bool,
    /// Where the markets are.
    pub(crate) markets: &'a BTreeMap<Symbol, Market>,
}

/// In which run of the counter, and where.
pub(crate) type Position = (usize, Sequence);

/// How far a book was pushed.
#[derive(Clone, Debug)]
pub(crate) struct Progress {
    /// The last delta that was pushed, or made before there was anything to push.
    last: Position,
    /// The oldest snapshot that was served since, if that is older.
    oldest: Sequence,
    /// Where the unbroken run of deltas began that `last` is the end of.
    first: Option<Sequence>,
    /// Where, first and last, a reader may stand who has a book of another run of the counter.
    left_at: VecDeque<(Sequence, Sequence)>,
    /// The latest delta was not pushed, because it would have deceived such a reader.
    withheld: bool,
}

/// A reader has noticed a restart before there are so many more.
const MOST_LEFT: usize = 8;

impl Progress {
    const fn at(last: Position) -> Self {
        Self { last, oldest: last.1, first: None, left_at: VecDeque::new(), withheld: false }
    }

    fn may_stand(&mut self, first: Sequence, last: Sequence) {
        self.left_at.push_back((first, last));
        if self.left_at.len() > MOST_LEFT {
            self.left_at.pop_front();
        }
    }

    /// Whether a reader who has not noticed yet that the counter restarted would take this delta,
    /// which does not follow the last one, for the next of a run before.
    fn seems_to_follow(&self, sequence: Sequence) -> bool {
        let mut left_at = self.left_at.iter();
        left_at.any(|(first, last)| sequence > *first && Some(sequence) <= last.next())
    }
}

#[derive(Debug)]
pub(crate) struct Session {
    opened: Instant,
    /// When it is cut, whatever it does.
    ends: Instant,
    /// Who has logged in.
    user: Option<Arc<str>>,
    topics: BTreeMap<Topic, Progress>,
    heard: Instant,
    warned: bool,
    uplink: VecDeque<Instant>,
}

impl Session {
    pub(crate) const fn new(now: Instant, user: Option<Arc<str>>, ends: Instant) -> Self {
        Self {
            opened: now,
            ends,
            user,
            topics: BTreeMap::new(),
            heard: now,
            warned: false,
            uplink: VecDeque::new(),
        }
    }

    /// Since when it is open.
    pub(crate) const fn opened(&self) -> Instant {
        self.opened
    }

    /// Whether this account has logged in.
    pub(crate) fn is_of(&self, user: &str) -> bool {
        self.user.as_deref() == Some(user)
    }

    pub(crate) fn listens_to(&self, topic: Topic) -> bool {
        self.topics.contains_key(&topic)
    }

    /// What it listens to.
    pub(crate) fn topics(&self) -> impl Iterator<Item = Topic> + '_ {
        self.topics.keys().copied()
    }

    /// Stops pushing a topic; says how far it was pushed, if it was.
    pub(crate) fn forget(&mut self, topic: Topic) -> Option<Progress> {
        self.topics.remove(&topic)
    }

    /// Pushes a topic again that was forgotten.
    pub(crate) fn remember(&mut self, topic: Topic, last: Progress) {
        self.topics.entry(topic).or_insert(last);
    }

    /// Whether a delta is to be pushed here.
    ///
    /// Not if it is of another run of the counter than the last one and seems to follow it, or a
    /// snapshot that was taken since: nobody could tell by the stream that anything is missing in
    /// between. Nor if the last ones of this run were lost, and it seems to follow a run before. A
    /// later one will show a gap.
    pub(crate) fn takes(
        &mut self,
        market: &Market,
        (run, sequence): Position,
        sound: bool,
    ) -> bool {
        let topic = Topic::one(Feed::Level2, market.contract().symbol);
        let Some(progress) = self.topics.get_mut(&topic) else { return false };
        let before = progress.last.0;
        if run != before {
            let first = progress.last.1.min(progress.oldest);
            // A fresh snapshot may have come from a run that has pushed nothing since.
            let first = market.lowest(before + 1..run).map_or(first, |lowest| lowest.min(first));
            progress.may_stand(first, market.highest(before..run));
        }
        let goes_on = run == before && progress.last.1.next() == Some(sequence);
        let deceives = !goes_on && progress.seems_to_follow(sequence);
        if !deceives {
            let first = progress.first.filter(|_| goes_on).or(Some(sequence));
            let first = if sound { first } else { sequence.next() };
            let left_at = core::mem::take(&mut progress.left_at);
            *progress = Progress { first, left_at, ..Progress::at((run, sequence)) };
        }
        progress.withheld = deceives;
        !deceives
    }

    /// Whether the stream stands still because the next delta would deceive its reader.
    pub(crate) fn withholds(&self, symbol: Symbol) -> bool {
        self.topics.get(&Topic::one(Feed::Level2, symbol)).is_some_and(|progress| progress.withheld)
    }

    /// Whether a reader may have begun to buffer right behind a snapshot of this sequence.
    pub(crate) fn begins_behind(&self, symbol: Symbol, sequence: Sequence) -> bool {
        let progress = self.topics.get(&Topic::one(Feed::Level2, symbol));
        progress.is_some_and(|progress| progress.first == sequence.next())
    }

    /// A snapshot from the past was served to somebody.
    pub(crate) fn on_stale_snapshot(&mut self, symbol: Symbol, sequence: Sequence) {
        if let Some(progress) = self.topics.get_mut(&Topic::one(Feed::Level2, symbol)) {
            progress.oldest = progress.oldest.min(sequence);
            progress.may_stand(sequence, sequence);
        }
    }

    /// Whether the connection has lasted as long as any may.
    pub(crate) fn is_old(&self, now: Instant) -> bool {
        now >= self.ends
    }

    /// When something happens without any frame.
    pub(crate) fn deadline(&self) -> Instant {
        let silence = self.heard + SILENCE;
        let silence = if self.warned { silence + SILENCE_CLOSE } else { silence };
        silence.min(self.ends)
    }

    /// The deadline has come.
    pub(crate) fn on_deadline(&mut self, now: Instant) -> Reply {
        if self.is_old(now) || self.warned {
            return Reply::Close(1000, "Bye");
        }
        self.warned = true;
        Reply::Send(r#"{"type":"error","code":400,"data":"ping timeout"}"#.into())
    }

    /// A text frame of the client's.
    pub(crate) fn on_text(
        &mut self,
        now: Instant,
        rng: &mut SplitMix64,
        mood: ReplyContext<'_>,
        text: &str,
    ) -> Vec<Reply> {
        self.heard = now;
        self.warned = false;
        if self.is_too_fast(now, mood.limits.messages_per_10s) {
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
            "ping" => return vec![Reply::Pong(id)],
            "subscribe" | "unsubscribe" if mood.deaf => return Vec::new(),
            "subscribe" | "unsubscribe" => match mood.refusal.map(Refusal::code_and_text) {
                Some((code, text)) => Err((code, text.into())),
                None => self.on_command(kind == "subscribe", &frame, &mood),
            },
            _ => Err((415, "type is not supported".into())),
        };
        let wants_ack = frame.get("response").is_some_and(is_true);
        match outcome {
            Ok(()) if wants_ack => vec![Reply::Ack(id)],
            Ok(()) => Vec::new(),
            Err((code, text)) => vec![Reply::Send(error_frame(&id, code, &text))],
        }
    }

    fn on_command(
        &mut self,
        subscribe: bool,
        frame: &serde_json::Map<String, Value>,
        mood: &ReplyContext<'_>,
    ) -> Result<(), (u32, String)> {
        let limits = mood.limits;
        let topic = frame.get("topic").and_then(Value::as_str).unwrap_or_default();
        if topic.is_empty() {
            return Err((406, "topic is required".into()));
        }
        let says_private = frame.get("privateChannel").is_some_and(is_true);
        let needs_login = Topic::feed_of(topic).is_some_and(Feed::is_private);
        if (says_private || needs_login) && self.user.is_none() {
            return Err((403, "login is required".into()));
        }
        // A symbol that is not listed is confirmed like any other, and stays silent.
        let most = limits.symbols_per_frame;
        let wanted = Topic::read_list(topic, most).map_err(|bad| match bad {
            BadTopic::Unknown => (404, "topic does not exist".into()),
            BadTopic::Malformed => (400, "topic is invalid".into()),
            BadTopic::TooMany => {
                (509, format!("exceed max subscription count limitation of {most} per time"))
            }
        })?;
        let wanted: BTreeSet<_> = wanted.into_iter().collect();
        if !subscribe {
            self.topics.retain(|topic, _| !wanted.contains(topic));
            return Ok(());
        }
        let new = wanted.iter().filter(|topic| !self.topics.contains_key(topic)).count();
        if self.topics.len() + new > limits.topics_per_session {
            let most = limits.topics_per_session;
            let text = format!("exceed max subscription count limitation of {most} per session");
            return Err((509, text));
        }
        for topic in wanted {
            let market = topic.symbol().and_then(|symbol| mood.markets.get(&symbol));
            let now = market.map_or((0, Sequence::new(0)), |m| (m.runs() - 1, m.sequence()));
            self.topics.entry(topic).or_insert_with(|| Progress::at(now));
        }
        Ok(())
    }

    fn is_too_fast(&mut self, now: Instant, limit: usize) -> bool {
        self.uplink.retain(|at| *at + UPLINK_SPAN > now);
        self.uplink.push_back(now);
        self.uplink.len() > limit
    }
}

/// Some clients, and a page of the documents, write it as text.
fn is_true(value: &Value) -> bool {
    *value == Value::Bool(true) || value.as_str() == Some("true")
}

/// What had no id is answered without one.
fn id_member(id: &str) -> String {
    if id.is_empty() { String::new() } else { format!(r#""id":{},"#, Value::from(id)) }
}

pub(crate) fn ack_frame(id: &str) -> String {
    format!(r#"{{{}"type":"ack"}}"#, id_member(id))
}

pub(crate) fn pong_frame(id: &str, unix_us: u64) -> String {
    format!(r#"{{{}"type":"pong","timestamp":{unix_us}}}"#, id_member(id))
}

pub(crate) fn welcome_frame(id: &str) -> String {
    format!(r#"{{{}"type":"welcome"}}"#, id_member(id))
}

pub(crate) fn error_frame(id: &str, code: u32, text: &str) -> String {
    let text = Value::from(text);
    format!(r#"{{{}"type":"error","code":{code},"data":{text}}}"#, id_member(id))
}

/// Errors about a whole connection carry an id that the server makes: 24 hex digits.
pub(crate) fn server_id(rng: &mut SplitMix64) -> String {
    format!("{:016x}{:08x}", rng.next_u64(), rng.next_u64() as u32)
}
