//! What is known of a running feed, for those who look at it: plain state, without drawing or output.
//!
//! ```text
//!  feed ── change, message, said ──> Monitor <── look(feed, now): whoever looks, as often as it looks
//!                                     ├ contracts  book, prices, trades, candles, resyncs
//!                                     ├ lines      which are up, who is first; budgets, latencies
//!                                     ├ account    if it is followed
//!                                     └ log        what was said last
//! ```
//!
//! What comes is counted and kept as it comes, and each list has an end. What can be asked of the feed at any time
//! is asked when somebody looks: of each contract a few numbers, and the levels of those that are in focus.

mod account;
mod contract;
mod depth;
mod freshness;
mod line;
mod log;
mod minutes;
mod rate;
mod terms;
mod watched;

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use kucoin_futures_host::{BookUpdate, unix_now};
use kucoin_futures_proto::{
    BookEvent, BookLostReason, Channel, ChannelKind, Event, Instant, Message, Push, Query, Stats,
    Symbol, TopicEvent, TopicId, UnixNanos, WireError,
};

use crate::exit::Failure;
use crate::feed::Feed;
use crate::follow::{Ctx, News, Show};
use crate::words::Tone;

pub(crate) use account::Holdings;
pub(crate) use contract::{Contract, Day, Funding, Resync, Worth, status_words};

pub(crate) use depth::{Depth, Ladder, TradeRow};
pub(crate) use freshness::Stale;
pub(crate) use line::{Carrier, Delays, Line, Lines};
pub(crate) use log::{LogRow, Mood, keep};
pub(crate) use rate::Rate;
pub(crate) use watched::{Again, Watched};

use terms::Terms;

/// A time by both clocks: that of the feed, and the one on the wall.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Moment {
    /// Never set back.
    pub(crate) at: Instant,
    /// For people, and to hold against the exchange's times.
    pub(crate) wall: UnixNanos,
}

impl Moment {
    /// This moment, which by the feed's clock is `now`.
    pub(crate) fn of(now: Instant) -> Self {
        Self { at: now, wall: unix_now() }
    }

    /// When something was that is so old now, by the clock on the wall as it is now. From then to this moment is what
    /// went by, also if that clock was set in between.
    pub(crate) fn before(self, age: Duration) -> UnixNanos {
        let age = u64::try_from(age.as_nanos()).unwrap_or(u64::MAX);
        UnixNanos::from_nanos(self.wall.as_nanos().saturating_sub(age))
    }

    /// The same of what was at that time.
    pub(crate) fn wall_of(self, then: Instant) -> UnixNanos {
        self.before(self.at.since(then))
    }
}

/// Rows of the log that are kept.
const LOG: usize = 300;
/// Of so many contracts each subscription that is confirmed is news.
const FEW: usize = 8;

/// What is known of a feed.
pub(crate) struct Monitor {
    /// When this began to look.
    pub(crate) started: Moment,
    /// When somebody looked last: as of when everything is.
    pub(crate) looked: Moment,
    /// Counters of the client, as of then.
    pub(crate) stats: Stats,
    /// Messages of all kinds on all lines.
    pub(crate) rate: Rate,
    contracts: BTreeMap<Symbol, Contract>,
    books: BTreeMap<TopicId, Symbol>,
    lines: Lines,
    /// `None` unless the account is followed.
    account: Option<Holdings>,
    log: VecDeque<LogRow>,
    /// Whose levels are taken at a look, and how many of each side.
    focus: (Vec<Symbol>, usize),
    terms: Terms,
    /// Of what is stale, as it was seen last.
    stale: u64,
}

/// What a monitor wants to hear of: books, trades, prices and funding, figures of the day, settlements.
pub(crate) fn channels(symbols: &[Symbol]) -> impl Iterator<Item = Channel> + '_ {
    let kinds = [Channel::level2, Channel::execution, Channel::instrument, Channel::stats_24h];
    // Books first: what is asked for first is there first.
    let each = kinds.into_iter().flat_map(|kind| symbols.iter().map(move |symbol| kind(*symbol)));
    each.chain([Channel::announcements()])
}

impl Monitor {
    /// Of these contracts, which are subscribed to [`channels`]. `account`: it is followed.
    pub(crate) fn new(symbols: &[Symbol], account: bool, now: Instant) -> Self {
        let started = Moment::of(now);
        let contract = |symbol: &Symbol| (*symbol, Contract::new(*symbol, started));
        Self {
            started,
            looked: started,
            stats: Stats::default(),
            rate: Rate::new(now),
            contracts: symbols.iter().map(contract).collect(),
            books: BTreeMap::new(),
            lines: Lines::default(),
            account: account.then(|| Holdings::new(started)),
            log: VecDeque::new(),
            focus: (Vec::new(), 0),
            terms: Terms::new(now),
            stale: 0,
        }
    }

    /// The levels of these are taken at each look, the best so many of each side; those of others are not.
    pub(crate) fn focus(&mut self, symbols: Vec<Symbol>, levels: usize) {
        for contract in self.contracts.values_mut() {
            if !symbols.contains(&contract.symbol) {
                contract.depth = None;
            }
        }
        self.focus = (symbols, levels);
    }

    /// Brings it up to date.
    pub(crate) fn look(&mut self, feed: &Feed, now: Instant) {
        self.looked = Moment::of(now);
        self.stats = *feed.stats();
        self.rate.look(now, self.stats.messages);
        self.lines.look(feed);
        if let Some(account) = &mut self.account {
            account.look(feed);
        }
        let (focus, levels) = &self.focus;
        for (topic, symbol) in &self.books {
            let Some(contract) = self.contracts.get_mut(symbol) else { continue };
            contract.look(feed, *topic, now);
            // Nobody has told of the settlement, or not yet.
            if contract.funding.next.is_some_and(|next| next < self.looked.wall) {
                contract.forget_settlement();
                self.terms.want_later(now, *symbol);
            }
            let depth = || Some(Depth::of(feed.book(*topic)?, *levels));
            contract.depth = if focus.contains(symbol) { depth() } else { None };
        }
    }

    /// Brings one contract up to date, but for its levels.
    pub(crate) fn look_at(&mut self, feed: &Feed, now: Instant, symbol: Symbol, topic: TopicId) {
        self.looked = Moment::of(now);
        if let Some(contract) = self.contracts.get_mut(&symbol) {
            contract.look(feed, topic, now);
        }
    }

    /// All of them, by name.
    pub(crate) fn contracts(&self) -> impl ExactSizeIterator<Item = &Contract> {
        self.contracts.values()
    }

    pub(crate) fn contract(&self, symbol: Symbol) -> Option<&Contract> {
        self.contracts.get(&symbol)
    }

    /// The lines that there are.
    pub(crate) const fn lines(&self) -> &Lines {
        &self.lines
    }

    pub(crate) const fn account(&self) -> Option<&Holdings> {
        self.account.as_ref()
    }

    /// What was said, the latest last.
    pub(crate) fn log(&self) -> impl ExactSizeIterator<Item = &LogRow> + DoubleEndedIterator {
        self.log.iter()
    }

    /// Notes something.
    pub(crate) fn say(
        &mut self,
        now: Instant,
        who: impl Into<String>,
        text: impl Into<String>,
        mood: Mood,
    ) {
        let row = LogRow { when: Moment::of(now), who: who.into(), text: text.into(), mood };
        keep(&mut self.log, row, LOG);
    }

    /// The contract that an event is about.
    fn of_topic(&mut self, cx: &Ctx, topic: TopicId) -> Option<&mut Contract> {
        self.contracts.get_mut(&cx.symbol(topic)?)
    }

    fn on_book(&mut self, cx: &Ctx, topic: TopicId, event: &BookEvent) {
        let now = Moment::of(cx.now);
        let Some(contract) = self.of_topic(cx, topic) else { return };
        match event {
            BookEvent::Live { .. } => contract.on_live(now),
            BookEvent::Lost { reason, .. } => {
                let is_gap = matches!(reason, BookLostReason::Gap { .. });
                contract.on_lost(now, reason.to_string(), is_gap);
            }
            BookEvent::Delayed(reason) => contract.on_delayed(reason.to_string()),
            _ => {}
        }
    }

    /// A book that is refused says so itself; what another stream said before it was is not of now.
    fn on_topic(&mut self, cx: &Ctx, topic: TopicId, event: TopicEvent, news: &News) {
        let Some(kind) = cx.channel(topic).map(|channel| channel.kind()) else { return };
        let Some(contract) = self.of_topic(cx, topic) else { return };
        match event {
            TopicEvent::Rejected { .. } if kind == ChannelKind::Level2 => {
                contract.rejected = Some(news.state.text());
            }
            TopicEvent::Rejected { .. } | TopicEvent::Refused { .. } => contract.on_cut(kind),
            TopicEvent::Confirmed => contract.on_confirmed(kind),
            _ => {}
        }
    }
}

impl Show for Monitor {
    fn begin(&mut self, cx: &mut Ctx, _: &Feed) {
        self.books = cx.books().collect();
    }

    fn change(&mut self, _: &mut Ctx, change: &BookUpdate<'_>) -> Result<(), Failure> {
        let symbol = self.books.get(&change.topic);
        if let Some(contract) = symbol.and_then(|symbol| self.contracts.get_mut(symbol)) {
            contract.deltas += 1;
        }
        Ok(())
    }

    fn said(&mut self, cx: &mut Ctx, event: &Event, news: &News) -> Result<(), Failure> {
        match *event {
            Event::Line(line, _) => {
                self.lines.on_news(line, Moment::of(cx.now), &news.state);
            }
            Event::Book(topic, ref event) => self.on_book(cx, topic, event),
            Event::Topic(topic, event) => self.on_topic(cx, topic, event, news),
            Event::Account(event) => {
                if let Some(account) = &mut self.account {
                    account.on_news(Moment::of(cx.now), &event, &news.state);
                }
            }
            _ => {}
        }
        let is_usual = matches!(event, Event::Topic(_, TopicEvent::Confirmed));
        if !is_usual || self.contracts.len() <= FEW {
            let mut text = news.state.text();
            if let (Event::Topic(..), Some(channel)) = (event, news.state.channel) {
                text = format!("{}: {text}", short_name(channel));
            }
            let who = match event {
                // By its number also where it is the only one: lines come and go.
                Event::Line(line, _) if news.who == "line" => format!("line {}", line.get()),
                _ => news.who.clone(),
            };
            // A still market is no bad news, and a book that is silent is looked into; mark prices are never still.
            let kind = news.state.channel.map(|channel| channel.kind());
            let is_still = matches!(event, Event::Topic(_, TopicEvent::Idle))
                && kind != Some(ChannelKind::Instrument);
            let mood = if is_still { Mood::Plain } else { Mood::of(news.state.tone) };
            self.say(cx.now, who, text, mood);
        }
        Ok(())
    }

    fn unreadable(&mut self, cx: &mut Ctx, push: &Push<'_>, error: WireError) {
        let symbol = cx.symbol_of(push);
        if let Some(contract) = symbol.and_then(|symbol| self.contracts.get_mut(&symbol)) {
            contract.unreadable += 1;
        }
        let who = symbol.map_or_else(|| "message".into(), |symbol| symbol.to_string());
        self.say(cx.now, who, format!("cannot be read: {error}"), Mood::Bad);
    }

    fn missed(&mut self, cx: &mut Ctx, channel: Channel) {
        match channel.kind() {
            ChannelKind::Execution => {}
            // A settlement may be among it, of any contract.
            ChannelKind::Announcements => {
                self.contracts.values_mut().for_each(Contract::forget_settlement);
                return self.terms.want_all(cx.now);
            }
            _ => return,
        }
        let symbol = channel.symbol();
        if let Some(contract) = symbol.and_then(|symbol| self.contracts.get_mut(&symbol)) {
            contract.minutes.on_gap();
        }
    }

    fn failed(&mut self, cx: &mut Ctx, query: Query) {
        self.terms.on_failed(cx.now, query);
    }

    fn message(
        &mut self,
        cx: &mut Ctx,
        push: &Push<'_>,
        message: &Message<'_>,
    ) -> Result<(), Failure> {
        if let Message::Contracts(list) = message {
            let wall = unix_now();
            for row in list.iter().flatten() {
                if let Some(contract) = self.contracts.get_mut(&row.symbol) {
                    contract.on_terms(cx.now, &row, wall);
                }
            }
            return Ok(());
        }
        let symbol = message.symbol().or_else(|| cx.symbol_of(push));
        let Some(contract) = symbol.and_then(|symbol| self.contracts.get_mut(&symbol)) else {
            return Ok(());
        };
        let kind = push.topic().and_then(|topic| cx.channel(topic)).map(|it| it.kind());
        contract.on_message(cx.now, kind, message);
        if let Message::FundingEnd(_) = message {
            self.terms.want_after(cx.now, contract.symbol);
        }
        Ok(())
    }

    fn beat(&mut self, cx: &mut Ctx, _: &Feed) -> Result<Option<Duration>, Failure> {
        if self.stale != cx.stale_changes() {
            self.stale = cx.stale_changes();
            for channel in cx.stale() {
                let symbol = channel.symbol();
                if let Some(contract) = symbol.and_then(|it| self.contracts.get_mut(&it)) {
                    contract.on_cut(channel.kind());
                }
            }
        }
        Ok(self.terms.ask(cx, self.contracts.keys()))
    }
}

/// What a stream of a contract is called by people.
pub(crate) const fn short_name(channel: Channel) -> &'static str {
    match channel.kind() {
        ChannelKind::Level2 => "book",
        ChannelKind::Execution => "trades",
        ChannelKind::Instrument => "mark and funding",
        ChannelKind::Stats24h => "24 h",
        ChannelKind::Announcements => "settlements",
        _ => "stream",
    }
}

impl Mood {
    pub(crate) const fn of(tone: Tone) -> Self {
        match tone {
            Tone::Good => Self::Good,
            Tone::Calm => Self::Plain,
            Tone::Bad => Self::Bad,
        }
    }
}

#[cfg(test)]
#[path = "monitor/tests.rs"]
mod tests;
