//! Holds every message that a client hands out against the truth, and every one that it does not hand out.
//!
//! What a message says must be what the exchange meant by it, at the time or sequence that it names. What a
//! fault has spoiled must come out as an error, or not at all, and what nobody knows as it stands; never as a
//! value. What is new is handed out, what is not is handed out once; nothing goes back in time. After a
//! reconnect a topic says that something may be missing before it says anything else.
//!
//! What nobody can notice is not asked for: a push that never came, or that could not be read as one of its
//! topic, leaves no mark in channels whose sequences have gaps, or which have none.

use std::collections::{BTreeMap, VecDeque};

use kucoin_futures_proto::{
    Channel, ChannelKind, Client, ConnId, Event, LineEvent, Message, Push, Sequence, Symbol,
    TopicEvent, TopicId, TopicStatus, UnixNanos,
};

use super::topics::{Verdict, topic_in};
use crate::exchange::{Exchange, PushForm};
use follow::Followed;
use values::Truths;

mod follow;
#[cfg(test)]
mod tests;
mod values;

/// Follows the messages of one client.
#[derive(Debug, Default)]
pub(crate) struct MessageChecker {
    names: BTreeMap<String, TopicId>,
    topics: BTreeMap<TopicId, Heard>,
    books: BTreeMap<Symbol, Followed>,
    checked: u64,
    /// Pushes that were handed in so far.
    turn: u64,
}

/// What was handed out of one topic, and what is known of its stream.
#[derive(Debug)]
struct Heard {
    channel: Channel,
    /// Where the newest message stands.
    newest: Option<Position>,
    /// When the latest one was said.
    said: Option<UnixNanos>,
    /// Since when, by the exchange's clock, nothing can have been lost between the exchange and here.
    carried: Option<UnixNanos>,
    /// In which turn a line that carried it went down, if nobody was told yet of what may be missing. What was
    /// handed out in the same turn was handed out before.
    interrupted: Option<u64>,
    candle: Option<Candle>,
    /// The settlement that began last, of each contract.
    begun: BTreeMap<Symbol, UnixNanos>,
    /// Several connections have carried it: what one has left out another one brings, late.
    was_shared: bool,
    /// What was handed out while several connections carried it: the others bring it, too.
    recent: VecDeque<String>,
    /// What one of several connections brought, and was kept back: another one is heard, and brings it too.
    kept_back: VecDeque<(String, ConnId)>,
}

/// Another connection may be behind by so many messages of a topic, and still be seen to repeat them.
const RECENT: usize = 256;

/// What is known of the candle that a topic is at.
#[derive(Clone, Copy, Debug)]
struct Candle {
    start: UnixNanos,
    volume: u64,
}

/// Where a message stands in its topic, and when it was said.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
struct Position {
    sequence: Sequence,
    /// In the unit of the topic.
    ts: u64,
}

/// A push that arrived, and what the client made of it.
#[derive(Clone, Copy)]
pub(crate) struct Arrival<'a> {
    pub(crate) client: &'a Client,
    pub(crate) exchange: &'a Exchange,
    /// By the exchange's clock.
    pub(crate) now: UnixNanos,
    pub(crate) frame: &'a str,
    pub(crate) form: PushForm,
    pub(crate) push: Option<Push<'a>>,
    /// It came on a connection that was gone for the client, or that was not asked for it.
    pub(crate) is_stale: bool,
    /// The connection that brought it.
    pub(crate) conn: ConnId,
    /// Another connection carries the topic, too.
    pub(crate) is_shared: bool,
    /// How many do.
    pub(crate) carriers: usize,
    /// Outputs were left lying: what was told until now is not known.
    pub(crate) is_late: bool,
}

/// What a message turned out to be.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Found {
    Nothing,
    /// A message that is what it must be.
    Message,
    /// An error, where one was due.
    Error,
    /// Something unknown, where that was due.
    Unknown,
}

impl MessageChecker {
    /// Messages that were compared with the truth so far.
    pub(crate) const fn checked(&self) -> u64 {
        self.checked
    }

    pub(crate) fn on_subscribed(&mut self, topic: TopicId, channel: Channel) {
        self.names.entry(channel.to_string()).or_insert(topic);
        self.topics.entry(topic).or_insert_with(|| Heard::new(channel));
    }

    /// Nobody wants it any more, so nothing of it can be missed.
    pub(crate) fn on_unsubscribed(&mut self, topic: TopicId) {
        if let Some(heard) = self.topics.get_mut(&topic) {
            (heard.carried, heard.interrupted) = (None, None);
        }
    }

    /// A push is about to be handed in.
    pub(crate) const fn on_text(&mut self) {
        self.turn += 1;
    }

    /// Events were told late, so that they say nothing of when anything was.
    pub(crate) fn forget_events(&mut self) {
        for heard in self.topics.values_mut() {
            (heard.carried, heard.interrupted) = (None, None);
        }
    }

    /// An event was told; `ends_with` says whether a topic of this name ends with a connection, because no
    /// other carries it.
    pub(crate) fn on_event(
        &mut self,
        (now, client): (UnixNanos, &Client),
        event: &Event,
        ends_with: impl Fn(ConnId, &str) -> bool,
    ) {
        match *event {
            Event::Line(_, LineEvent::Down { conn, .. }) => {
                let Self { names, topics, .. } = self;
                for (_, topic) in names.iter().filter(|(name, _)| ends_with(conn, name)) {
                    let Some(heard) = topics.get_mut(topic) else { continue };
                    let was_carried = heard.carried.take().is_some();
                    if was_carried {
                        heard.interrupted.get_or_insert(self.turn);
                    }
                }
            }
            Event::Topic(topic, event) => {
                let Some(heard) = self.topics.get_mut(&topic) else { return };
                match event {
                    TopicEvent::Confirmed => {
                        let status = client.status(topic);
                        if matches!(status, TopicStatus::Confirmed { .. }) {
                            heard.carried = heard.carried.or(Some(now));
                        }
                    }
                    TopicEvent::MayHaveMissed => {
                        heard.interrupted = None;
                        heard.carried = heard.carried.and(Some(now));
                        heard.kept_back.clear();
                    }
                    TopicEvent::Rejected { .. } | TopicEvent::Unsubscribed => {
                        (heard.carried, heard.interrupted) = (None, None);
                    }
                    _ => {}
                }
            }
            _ => {}
        }
    }

    /// A push was handled, and what it caused was told, unless nobody drains.
    pub(crate) fn on_push(&mut self, arrival: &Arrival<'_>) -> Result<Found, String> {
        let name = topic_in(arrival.frame).unwrap_or_default();
        let position = Position::of(arrival.frame);
        let Some(push) = arrival.push else {
            return self.check_kept_back(arrival, name, position).map(|()| Found::Nothing);
        };
        let channel = push.topic().and_then(|topic| arrival.client.channel(topic));
        // An account has a judge of its own.
        if channel.is_some_and(|channel| channel.is_private()) {
            return Ok(Found::Nothing);
        }
        let heard = push.topic().and_then(|topic| self.topics.get_mut(&topic));
        let (Some(channel), Some(heard)) = (channel, heard) else {
            return Err(format!("{name}: handed out for no topic"));
        };
        if self.names.get(name) != push.topic().as_ref() {
            return Err(format!("{name}: handed out as one of {channel}"));
        }
        match heard.interrupted {
            Some(turn) if turn < self.turn && !arrival.is_late => {
                return Err(format!("{name}: goes on, and nobody is told what may be missing"));
            }
            Some(_) => {}
            None => heard.carried = heard.carried.or(Some(arrival.now)),
        }
        heard.was_shared |= arrival.is_shared;
        let is_known = heard.recent.iter().any(|known| known == arrival.frame);
        if heard.was_shared {
            let has_place = heard.is_ordered() && position.is_some();
            if arrival.is_shared && has_place && is_known {
                return Err(format!("{name}: handed out twice, as two connections brought it"));
            }
            heard.remember(arrival.frame);
        }
        let found = match (arrival.form, push.decode()) {
            (PushForm::Unreadable, Err(_)) => Found::Error,
            (PushForm::Unknown, Ok(Message::Unknown(raw))) if raw.channel == channel => {
                return Ok(Found::Unknown);
            }
            (PushForm::Usual | PushForm::Old, Ok(message)) => {
                let market = message.symbol().or_else(|| channel.symbol());
                let symbol = market.ok_or_else(|| format!("{name}: of no contract"))?;
                if channel.symbol().is_some_and(|of| of != symbol) {
                    return Err(format!("{name}: read as {symbol}'s"));
                }
                let Some(market) = arrival.exchange.market(symbol) else {
                    return Err(format!("{name}: of {symbol}, which is not listed"));
                };
                let book = self.books.entry(symbol).or_default();
                let truths = Truths { market, channel, book };
                truths.check(&message).map_err(|wrong| format!("{name}: {wrong}: {message:?}"))?;
                let wrong = heard.follow(arrival, (symbol, market), &message);
                wrong.map_err(|wrong| format!("{name}: {wrong}"))?;
                self.checked += 1;
                Found::Message
            }
            (form, decoded) => return Err(format!("{name}: {form:?} came out as {decoded:?}")),
        };
        if heard.was_shared && !is_known && channel.kind() == ChannelKind::Execution {
            heard.newest = heard.newest.max(position);
            return Ok(found);
        }
        heard.take(position).map_err(|wrong| format!("{name}: {wrong}"))?;
        Ok(found)
    }

    /// A push was not handed out: it was not wanted, could not be read, or was handed out before.
    fn check_kept_back(
        &mut self,
        arrival: &Arrival<'_>,
        name: &str,
        position: Option<Position>,
    ) -> Verdict {
        if arrival.is_stale || arrival.form == PushForm::Unreadable {
            return Ok(());
        }
        let topic = self.names.get(name);
        let Some((topic, heard)) =
            topic.and_then(|topic| Some((topic, self.topics.get_mut(topic)?)))
        else {
            return Ok(());
        };
        match arrival.client.status(*topic) {
            TopicStatus::Pending | TopicStatus::Confirmed { .. } | TopicStatus::Refused { .. } => {}
            TopicStatus::Wanted | TopicStatus::Rejected { .. } | TopicStatus::Unsubscribed => {
                return Ok(());
            }
        }
        let position = position.filter(|_| arrival.form != PushForm::Unknown);
        if heard.has_seen(position) || heard.recent.iter().any(|known| known == arrival.frame) {
            return Ok(());
        }
        // One of several connections may still bring what was before a reset that another has shown.
        let is_earlier = position.zip(heard.newest).is_some_and(|(at, newest)| at.ts < newest.ts);
        if arrival.is_shared && heard.is_ordered() && is_earlier {
            return Ok(());
        }
        // One of several connections is heard; what two have brought was on that one, too.
        let has_place = heard.is_ordered() && position.is_some();
        if arrival.is_shared && !has_place {
            let before =
                |(text, conn): &(String, ConnId)| text == arrival.frame && *conn != arrival.conn;
            if arrival.carriers == 2 && heard.kept_back.iter().any(before) {
                return Err(format!(
                    "{name}: brought by two connections, and handed out from neither"
                ));
            }
            heard.kept_back.push_back((arrival.frame.into(), arrival.conn));
            if heard.kept_back.len() > RECENT {
                heard.kept_back.pop_front();
            }
            return Ok(());
        }
        Err(format!("{name}: a message that is new was not handed out"))
    }
}

impl Heard {
    const fn new(channel: Channel) -> Self {
        Self {
            channel,
            newest: None,
            said: None,
            carried: None,
            interrupted: None,
            candle: None,
            begun: BTreeMap::new(),
            was_shared: false,
            recent: VecDeque::new(),
            kept_back: VecDeque::new(),
        }
    }

    /// A message was handed out that other connections will bring, too.
    fn remember(&mut self, frame: &str) {
        self.kept_back.retain(|(text, _)| text != frame);
        self.recent.push_back(frame.into());
        if self.recent.len() > RECENT {
            self.recent.pop_front();
        }
    }

    /// Whether a message that stands there is one of before. Those of other channels say no place, and each of
    /// them is new.
    fn has_seen(&self, position: Option<Position>) -> bool {
        let (true, Some(at), Some(newest)) = (self.is_ordered(), position, self.newest) else {
            return false;
        };
        // A lower sequence with a later time is of a counter that was set back.
        at.sequence <= newest.sequence && at.ts <= newest.ts
    }

    /// Whether its messages say where they stand.
    const fn is_ordered(&self) -> bool {
        matches!(
            self.channel.kind(),
            ChannelKind::TickerV2
                | ChannelKind::Ticker
                | ChannelKind::Execution
                | ChannelKind::Depth5
                | ChannelKind::Depth50
        )
    }

    /// A message was handed out.
    fn take(&mut self, position: Option<Position>) -> Verdict {
        if self.has_seen(position) {
            let newest = self.newest;
            return Err(format!("{position:?} was handed out after {newest:?}"));
        }
        self.newest = position.or(self.newest);
        Ok(())
    }
}

impl Position {
    /// What a frame says of where it stands, found as text.
    fn of(frame: &str) -> Option<Self> {
        let number = |key: &str| -> Option<u64> {
            let (_, rest) = frame.split_once(key)?;
            rest.split(|c: char| !c.is_ascii_digit()).next()?.parse().ok()
        };
        let sequence = Sequence::new(number(r#""sequence":"#)?);
        Some(Self { sequence, ts: number(r#""ts":"#)? })
    }
}
