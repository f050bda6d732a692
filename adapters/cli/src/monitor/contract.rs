//! What is known of one contract.

use std::collections::VecDeque;
use std::time::Duration;

use kucoin_futures_proto::book::Best;
use kucoin_futures_proto::{
    BookAge, BookStatus, ChannelKind, Currency, Decimal, Instant, Message, Price, Sequence, Symbol,
    TopicId, UnixNanos, wire,
};

use super::Moment;
use super::depth::{Depth, TradeRow};
use super::freshness::{Freshness, Stale};
use super::log::keep;
use super::minutes::Minutes;
use super::rate::Rate;
use crate::feed::Feed;

/// Trades that are kept of each contract.
const TRADES: usize = 100;
/// Resyncs that are kept of each contract.
const RESYNCS: usize = 200;

/// A contract. What is said to be "as of the last look" is what [`Monitor::look`](super::Monitor::look) found.
pub(crate) struct Contract {
    pub(crate) symbol: Symbol,
    /// As of the last look.
    pub(crate) status: BookStatus,
    /// Since when the book is live, or is not.
    pub(crate) since: Moment,
    /// Why it is not live, if that was said.
    pub(crate) why: Option<String>,
    /// The exchange does not give the book, in these words.
    pub(crate) rejected: Option<String>,
    /// Which run of the live book, as of the last look.
    pub(crate) epoch: Option<u32>,
    /// Where the live book is, as of the last look.
    pub(crate) sequence: Option<Sequence>,
    /// Of the live book, as of the last look.
    pub(crate) age: Option<BookAge>,
    /// Best bid and ask of the live book, as of the last look.
    pub(crate) touch: Option<(Best, Best)>,
    /// Around them; only of contracts in focus.
    pub(crate) depth: Option<Depth>,
    /// The latest last.
    pub(crate) trades: VecDeque<TradeRow>,
    /// Price of the last trade.
    pub(crate) last: Option<Decimal>,
    pub(crate) mark: Option<Decimal>,
    pub(crate) index: Option<Decimal>,
    pub(crate) funding: Funding,
    pub(crate) day: Day,
    /// In what the turnover of the day is; `None` until the exchange has said so.
    pub(crate) worth: Option<Worth>,
    pub(crate) minutes: Minutes,
    /// Times at which the book was not live any more, the latest last, which may last still.
    pub(crate) resyncs: VecDeque<Resync>,
    /// All there were.
    pub(crate) resync_count: u64,
    /// Of these, because deltas were missing.
    pub(crate) gap_count: u64,
    /// Changes of the live book.
    pub(crate) deltas: u64,
    /// Messages of other streams.
    pub(crate) messages: u64,
    /// Messages that could not be read.
    pub(crate) unreadable: u64,
    /// Of changes and messages.
    pub(crate) rate: Rate,
    /// What its other streams said that may be of the past, as of the last look.
    pub(crate) stale: Stale,
    fresh: Freshness,
    /// By the exchange's clock, when the last trade was that the stream told since it is carried.
    traded: Option<UnixNanos>,
}

/// Part of a position's value: `0.0001` is 0.01 %.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) struct Funding {
    /// What would be charged as things stand.
    pub(crate) estimated: Option<Decimal>,
    /// What was charged last.
    pub(crate) settled: Option<Decimal>,
    /// When the next settlement is, by the exchange's clock.
    pub(crate) next: Option<UnixNanos>,
}

/// Figures of 24 hours.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) struct Day {
    /// As part of the price before: `0.01` is 1 %.
    pub(crate) change: Option<Decimal>,
    pub(crate) high: Option<Decimal>,
    pub(crate) low: Option<Decimal>,
    /// In base coins; of inverse contracts in lots.
    pub(crate) volume: Option<Decimal>,
    /// In quote currency; of inverse contracts in coins.
    pub(crate) turnover: Option<Decimal>,
}

/// In what a turnover is told.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Worth {
    pub(crate) currency: Currency,
    /// The currency is the coin: what is told of others is no more and no less.
    pub(crate) is_inverse: bool,
}

/// A time in which a book was not live any more.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Resync {
    pub(crate) lost: Moment,
    /// `None`: it is not yet.
    pub(crate) live: Option<Moment>,
    pub(crate) reason: String,
}

impl Resync {
    /// How long it has taken; `None`: it is not over.
    pub(crate) fn took(&self) -> Option<Duration> {
        Some(self.live?.at.since(self.lost.at))
    }
}

impl Contract {
    pub(super) fn new(symbol: Symbol, now: Moment) -> Self {
        Self {
            symbol,
            status: BookStatus::Idle,
            since: now,
            why: None,
            rejected: None,
            epoch: None,
            sequence: None,
            age: None,
            touch: None,
            depth: None,
            trades: VecDeque::new(),
            last: None,
            mark: None,
            index: None,
            funding: Funding::default(),
            day: Day::default(),
            worth: None,
            minutes: Minutes::default(),
            resyncs: VecDeque::new(),
            resync_count: 0,
            gap_count: 0,
            deltas: 0,
            messages: 0,
            unreadable: 0,
            rate: Rate::new(now.at),
            stale: Freshness::new().stale(now.at),
            fresh: Freshness::new(),
            traded: None,
        }
    }

    /// Whether the book can be read, as of the last look.
    pub(crate) fn is_live(&self) -> bool {
        self.status == BookStatus::Live
    }

    /// What becomes of the book, for people: `live`, or why it is not.
    pub(crate) fn state(&self) -> &str {
        match (&self.rejected, &self.why) {
            (Some(words), _) => words,
            (None, Some(why)) if !self.is_live() => why,
            (None, _) => status_words(self.status),
        }
    }

    /// From best bid to best ask; `None` unless both are known. Negative while the exchange's own book is crossed.
    pub(crate) fn spread(&self) -> Option<Decimal> {
        let (Best::Level(bid), Best::Level(ask)) = self.touch? else { return None };
        let units = i128::from(ask.price.scaled()) - i128::from(bid.price.scaled());
        Decimal::new(units, -(Price::SCALE as i8))
    }

    pub(super) fn on_live(&mut self, now: Moment) {
        (self.since, self.why) = (now, None);
        if let Some(resync) = self.resyncs.back_mut().filter(|resync| resync.live.is_none()) {
            resync.live = Some(now);
        }
    }

    pub(super) fn on_lost(&mut self, now: Moment, reason: String, is_gap: bool) {
        (self.since, self.why) = (now, Some(reason.clone()));
        self.resync_count += 1;
        self.gap_count += u64::from(is_gap);
        keep(&mut self.resyncs, Resync { lost: now, live: None, reason }, RESYNCS);
    }

    pub(super) fn on_delayed(&mut self, reason: String) {
        self.why = Some(reason);
    }

    pub(super) fn look(&mut self, feed: &Feed, topic: TopicId, now: Instant) {
        self.status = feed.book_status(topic).unwrap_or(BookStatus::Idle);
        let book = feed.book(topic);
        self.touch = book.map(|book| (book.best_bid(), book.best_ask()));
        self.sequence = book.map(|book| book.sequence());
        self.epoch = feed.book_epoch(topic).map(|epoch| epoch.get());
        self.age = feed.book_age(topic);
        self.stale = self.fresh.stale(now);
        self.rate.look(now, self.deltas + self.messages);
    }

    /// The line of one of its streams is down, or the exchange refuses it.
    pub(super) fn on_cut(&mut self, kind: ChannelKind) {
        self.fresh.on_cut(kind);
        if matches!(kind, ChannelKind::Execution) {
            self.traded = None;
            // What is traded meanwhile is missed, whether or not it is told of later.
            self.minutes.on_gap();
        }
    }

    /// One of its streams is carried again.
    pub(super) const fn on_confirmed(&mut self, kind: ChannelKind) {
        self.fresh.on_confirmed(kind);
    }

    /// `kind`: of the stream that said it, if one did.
    pub(super) fn on_message(
        &mut self,
        now: Instant,
        kind: Option<ChannelKind>,
        message: &Message<'_>,
    ) {
        self.messages += 1;
        if let Some(kind) = kind {
            self.fresh.on_message(kind);
        }
        match message {
            Message::Execution(trade) => {
                self.last = Some(trade.price.into());
                self.traded = trade.ts_event.or(self.traded);
                self.minutes.on_trade(trade);
                keep(&mut self.trades, TradeRow::from(trade), TRADES);
            }
            Message::MarkPrice(mark) => {
                self.fresh.on_mark(now);
                (self.mark, self.index) = (Some(mark.mark_price), Some(mark.index_price));
            }
            Message::FundingRate(rate) if rate.is_estimate() => {
                self.fresh.on_funding(now);
                self.funding.estimated = Some(rate.funding_rate);
            }
            Message::FundingRate(rate) => self.funding.settled = Some(rate.funding_rate),
            Message::FundingEnd(settlement) => {
                self.funding.settled = Some(settlement.funding_rate);
                self.funding.next = None;
            }
            Message::Stats24h(stats) => self.on_stats(now, stats),
            Message::Contract(row) => self.on_terms(now, row, kucoin_futures_host::unix_now()),
            _ => {}
        }
    }

    /// One may have been missed: what was known of the last and the next is of the past then.
    pub(super) const fn forget_settlement(&mut self) {
        (self.funding.settled, self.funding.next) = (None, None);
    }

    fn on_stats(&mut self, now: Instant, stats: &wire::Stats24h) {
        // Figures are put together now and then: one of before must not set back what the stream has told since.
        if self.traded.is_none_or(|traded| stats.ts_event.is_some_and(|at| at > traded)) {
            self.last = stats.last_price.or(self.last);
        }
        let day = Day {
            change: stats.price_change_ratio,
            high: stats.high_price,
            low: stats.low_price,
            volume: stats.volume,
            turnover: stats.turnover,
        };
        self.day = day.or(self.day);
        self.funding_if_none(now, stats.funding_rate);
    }

    /// Its stream tells it once a minute: one that was asked for is as good until then.
    const fn funding_if_none(&mut self, now: Instant, rate: Option<Decimal>) {
        if self.funding.estimated.is_none() && rate.is_some() {
            self.funding.estimated = rate;
            self.fresh.on_funding(now);
        }
    }

    /// A row of the list of contracts: where the streams have said nothing yet, that is better than nothing.
    pub(super) fn on_terms(&mut self, now: Instant, row: &wire::Contract<'_>, wall: UnixNanos) {
        let day = Day {
            change: row.price_change_rate_24h,
            high: row.high_price_24h,
            low: row.low_price_24h,
            volume: row.volume_24h,
            turnover: row.turnover_24h,
        };
        self.day = self.day.or(day);
        self.last = self.last.or(row.last_trade_price);
        self.mark = self.mark.or(row.mark_price);
        self.index = self.index.or(row.index_price);
        self.funding_if_none(now, row.funding_fee_rate);
        self.worth = match (row.is_inverse, row.quote_currency, row.base_currency) {
            (false, Some(quote), _) => Some(Worth { currency: quote, is_inverse: false }),
            (true, _, Some(coin)) => Some(Worth { currency: coin, is_inverse: true }),
            _ => None,
        };
        let later = |span: Duration| {
            let nanos = u64::try_from(span.as_nanos()).unwrap_or(u64::MAX);
            UnixNanos::from_nanos(wall.as_nanos().saturating_add(nanos))
        };
        self.funding.next = row.next_funding.or_else(|| row.next_funding_in.map(later));
    }
}

impl Day {
    /// What is not known is taken from another one.
    fn or(self, other: Self) -> Self {
        Self {
            change: self.change.or(other.change),
            high: self.high.or(other.high),
            low: self.low.or(other.low),
            volume: self.volume.or(other.volume),
            turnover: self.turnover.or(other.turnover),
        }
    }
}

/// For people.
pub(crate) const fn status_words(status: BookStatus) -> &'static str {
    match status {
        BookStatus::Idle => "not subscribed yet",
        BookStatus::Buffering => "waiting for a snapshot",
        BookStatus::Live => "live",
        BookStatus::Stale => "the line is down",
    }
}
