//! What a message says, held against what the exchange meant.

use std::time::Duration;

use kucoin_futures_proto::book::Level;
use kucoin_futures_proto::wire::{
    CandleUpdate, Depth, Execution, FundingRate, FundingSettlement, MarkPrice, Side, Stats24h,
    TakerSide, Text, Ticker, TickerV2,
};
use kucoin_futures_proto::{Channel, Decimal, Lots, Message, Price, Sequence, UnixNanos};

use super::follow::Followed;
use crate::interval::Interval;
use crate::judge::topics::Verdict;
use crate::market::{DayFigures, Fill, Market, decimal};
use crate::truth::Truth;

/// What messages of one topic are held against.
pub(super) struct Truths<'a> {
    pub(super) market: &'a Market,
    pub(super) channel: Channel,
    pub(super) book: &'a mut Followed,
}

/// Depths and figures of 24 h are said at multiples of these; as in the documents.
const DEPTH_MS: u64 = 100;
const FIGURES_MS: u64 = 5_000;
/// The end of a settlement is said so long after its beginning; as in the documents.
const SETTLING_MS: u64 = 10_000;

impl Truths<'_> {
    pub(super) fn check(self, message: &Message<'_>) -> Verdict {
        let is_true = match message {
            Message::TickerV2(ticker) => self.has_touch(ticker),
            Message::Depth5(depth) => self.has_depth(depth, 5),
            Message::Depth50(depth) => self.has_depth(depth, 50),
            Message::Ticker(ticker) => self.is_last_trade(ticker),
            Message::Execution(execution) => self.is_trade(execution),
            Message::MarkPrice(mark) => self.is_mark(mark),
            Message::FundingRate(rate) => self.is_rate(rate),
            Message::FundingBegin(settlement) => self.is_settlement(settlement, 0),
            Message::FundingEnd(settlement) => self.is_settlement(settlement, SETTLING_MS),
            Message::Stats24h(stats) => self.are_figures(stats),
            Message::Candle(candle) => self.is_candle(candle),
            other => return Err(format!("no message of this channel: {other:?}")),
        };
        if is_true { Ok(()) } else { Err("not what the exchange said".into()) }
    }

    /// Whether the book stood like this at a sequence, and then was said at this time; or, where no sequence is
    /// said, at this time.
    fn stood(
        self,
        (sequence, at): (Option<Sequence>, Option<UnixNanos>),
        is_of_change: bool,
        fits: impl Fn(&Truth) -> bool,
    ) -> bool {
        let is_whole = |at: &UnixNanos| is_multiple(*at, 1);
        let (market, Some(at)) = (self.market, at.filter(is_whole)) else { return false };
        let ms = at.as_millis();
        let is_then = |run: usize, sequence: Sequence| {
            let [made, next] = market
                .changes_around(run, sequence)
                .map(|change| change.map(|change| change.at.as_millis()));
            let is_later = made.is_none_or(|made| made == ms || (made < ms && !is_of_change));
            is_later && next.is_none_or(|next| next >= ms)
        };
        match sequence {
            Some(sequence) => {
                self.book.is(market, sequence, |run, truth| is_then(run, sequence) && fits(truth))
            }
            None => market.positions_at(ms).into_iter().any(|(run, sequence)| {
                let truth = market.truth_of(run, sequence);
                is_then(run, sequence) && truth.is_some_and(|truth| fits(&truth))
            }),
        }
    }

    fn has_touch(self, ticker: &TickerV2) -> bool {
        let said = [ticker.best_bid, ticker.best_ask];
        self.stood((ticker.sequence, ticker.ts_event), true, |truth| {
            truth.touch().map(|touch| touch.map(Some)) == Some(said)
        })
    }

    fn has_depth(self, depth: &Depth<'_>, most: usize) -> bool {
        let is_side = |truth: &Truth, side, levels: &mut dyn Iterator<Item = Level>| {
            levels.eq(truth.levels(side).take(most))
        };
        let at = depth.ts_event.filter(|at| is_multiple(*at, DEPTH_MS));
        self.stood((depth.sequence, at), false, |truth| {
            is_side(truth, Side::Bid, &mut depth.bids.iter())
                && is_side(truth, Side::Ask, &mut depth.asks.iter())
        })
    }

    fn fill_is(&self, said: &SaidTrade<'_>) -> Option<&Fill> {
        let fill = self.market.fill_of(said.sequence)?;
        let trade = &fill.trade;
        let is_it = (trade.taker_side, trade.price, trade.size)
            == (said.taker_side, said.price, said.size)
            && said.at.map(UnixNanos::as_nanos) == Some(trade.at.as_millis() * 1_000_000)
            && is_id(said.id, trade.sequence.get());
        is_it.then_some(fill)
    }

    fn is_last_trade(&self, ticker: &Ticker<'_>) -> bool {
        let fill = self.fill_is(&SaidTrade {
            sequence: ticker.sequence,
            taker_side: ticker.taker_side,
            price: ticker.price,
            size: ticker.size,
            id: Some(ticker.trade_id),
            at: ticker.ts_event,
        });
        let touch = fill.and_then(|fill| fill.touch);
        touch.is_some_and(|touch| touch.map(Some) == [ticker.best_bid, ticker.best_ask])
    }

    fn is_trade(&self, execution: &Execution<'_>) -> bool {
        let fill = self.fill_is(&SaidTrade {
            sequence: execution.sequence,
            taker_side: execution.taker_side,
            price: execution.price,
            size: execution.size,
            id: Some(execution.trade_id),
            at: execution.ts_event,
        });
        fill.is_some_and(|fill| {
            is_id(execution.taker_order_id, fill.trade.taker_order)
                && is_id(execution.maker_order_id, fill.trade.maker_order)
        })
    }

    fn is_mark(&self, mark: &MarkPrice) -> bool {
        let Some(at) = mark.ts_event else { return false };
        let truth = self.market.marks(at);
        at == truth.at
            && mark.interval == Some(Duration::from_secs(1))
            && is_price(Some(mark.mark_price), truth.mark)
            && is_price(Some(mark.index_price), truth.index)
    }

    /// The running estimate of this minute, or what is charged from this time on.
    fn is_rate(&self, rate: &FundingRate) -> bool {
        let (funding, Some(at)) = (self.market.funding(), rate.ts_event) else { return false };
        let ms = at.as_millis();
        if rate.is_estimate() {
            return rate.interval == Some(Duration::from_secs(60))
                && ms.is_multiple_of(60_000)
                && rate.funding_rate == decimal(funding.estimate(ms / 60_000));
        }
        rate.interval == funding.interval_ms().map(Duration::from_millis)
            && funding.last_settlement(ms) == Some(ms)
            && rate.funding_rate == decimal(funding.charged(ms))
    }

    fn is_settlement(&self, settlement: &FundingSettlement, later_ms: u64) -> bool {
        let funding = self.market.funding();
        let times = settlement.funding_time.zip(settlement.ts_event);
        let Some((due, at)) = times else { return false };
        let due = due.as_millis();
        funding.last_settlement(due) == Some(due)
            && at.as_millis() == due + later_ms
            && settlement.funding_rate == decimal(funding.charged(due))
    }

    fn are_figures(&self, stats: &Stats24h) -> bool {
        let Some(at) = stats.ts_event.filter(|at| is_multiple(*at, FIGURES_MS)) else {
            return false;
        };
        let rate = self.market.funding_at(at).map(|shown| shown.rate);
        let are = |day: &DayFigures| {
            is_price(stats.high_price, day.high)
                && is_price(stats.low_price, day.low)
                && is_price(stats.last_price, day.last)
                && is_price(stats.price_24h_before, day.before)
                && stats.price_change == Some(day.change)
                && stats.price_change_ratio == Some(day.change_part)
                && stats.volume == Some(day.volume)
                && stats.turnover == Some(day.turnover)
        };
        let days = self.market.days_at(at);
        stats.funding_rate == rate && days.is_none_or(|days| days.iter().any(are))
    }

    fn is_candle(&self, candle: &CandleUpdate) -> bool {
        let Some(at) = candle.ts_event else { return false };
        let own = self.channel.interval();
        let interval = own.and_then(|interval| Interval::named(interval.as_str()));
        let Some(interval) = interval.filter(|_| candle.interval == own) else { return false };
        let start = candle.start.as_nanos() / 1_000_000_000;
        let is = |truth: &crate::market::Candle| {
            is_price(Some(candle.open), truth.open)
                && is_price(Some(candle.close), truth.close)
                && is_price(Some(candle.high), truth.high)
                && is_price(Some(candle.low), truth.low)
                && candle.turnover == truth.turnover
                && u128::from(candle.volume.get()) == truth.lots
        };
        let is_start = candle.start.as_nanos().is_multiple_of(60_000_000_000)
            && interval.start_of(start / 60) == start / 60;
        let candles = self.market.candles_at(interval, start, at);
        is_start && candles.is_none_or(|candles| candles.iter().any(is))
    }
}

/// A trade as a message has it.
struct SaidTrade<'a> {
    sequence: Sequence,
    taker_side: TakerSide,
    price: Price,
    size: Lots,
    id: Option<Text<'a>>,
    at: Option<UnixNanos>,
}

fn is_id(said: Option<Text<'_>>, id: u64) -> bool {
    said.is_some_and(|said| said.is(&id.to_string()))
}

/// Of so many milliseconds.
const fn is_multiple(at: UnixNanos, ms: u64) -> bool {
    at.as_nanos().is_multiple_of(ms * 1_000_000)
}

fn is_price(said: Option<Decimal>, price: Price) -> bool {
    said == Some(Decimal::from(price))
}
