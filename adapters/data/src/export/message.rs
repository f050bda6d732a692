//! Messages of channels without a book, as rows.

use std::collections::BTreeMap;
use std::io;

use kucoin_futures_proto::wire::{
    CandleUpdate, Contract, Execution, FundingRate, FundingSettlement, MarkPrice, Stats24h,
    TickerV2,
};
use kucoin_futures_proto::{Message, Push, Symbol, UnixNanos};

use super::manifest::Terms;
use super::row::{CandleRow, Derivative, InstrumentRow, Row, Stamp, StatsRow, TickerRow, TradeRow};
use super::set::DataSet;
use crate::sink::Moment;

/// What was last said of each contract.
#[derive(Default)]
pub(super) struct Messages {
    known: BTreeMap<Symbol, Derivative>,
}

impl Messages {
    pub(super) fn on_push(
        &mut self,
        set: &mut DataSet,
        moment: &Moment<'_>,
        push: &Push<'_>,
    ) -> io::Result<()> {
        let Ok(message) = push.decode() else {
            set.manifest.undecodable += 1;
            return Ok(());
        };
        let channel = push.topic().and_then(|topic| moment.client.channel(topic));
        let symbol = message.symbol().or_else(|| channel.and_then(|channel| channel.symbol()));
        if let Some(channel) = channel {
            set.manifest.channel(channel).count(moment.received);
        }
        note_contracts(set, &message);
        let is_written = match symbol {
            Some(symbol) => self.write(set, moment.received, symbol, &message)?,
            None => false,
        };
        if !is_written && let Some(channel) = channel {
            set.manifest.leave_out(channel);
        }
        Ok(())
    }

    /// Whether there was a place for it.
    fn write(
        &mut self,
        set: &mut DataSet,
        received: UnixNanos,
        symbol: Symbol,
        message: &Message<'_>,
    ) -> io::Result<bool> {
        let known = self.known.entry(symbol).or_default();
        match row(known, received, message, &mut String::new()) {
            Some(row) => set.write(symbol, &row),
            None => Ok(false),
        }
    }
}

/// What stands in the table that a message belongs to; `None` if there is no such table. `text` is room for what is
/// written with escapes in the message.
pub(super) fn row<'a>(
    known: &mut Derivative,
    received: UnixNanos,
    message: &'a Message<'_>,
    text: &'a mut String,
) -> Option<Row<'a>> {
    let stamp = |exchange| Stamp { received, exchange };
    Some(match message {
        Message::Execution(trade) => {
            known.last_price = Some(trade.price);
            Row::Trade(trade_row(stamp(trade.ts_event), trade, text))
        }
        Message::TickerV2(ticker) => Row::Ticker(ticker_row(stamp(ticker.ts_event), ticker)),
        Message::MarkPrice(mark) => Row::Instrument(mark_row(stamp(mark.ts_event), known, mark)),
        Message::FundingRate(rate) => Row::Instrument(rate_row(stamp(rate.ts_event), known, rate)),
        Message::FundingBegin(settlement) => {
            let row = settlement_row(stamp(settlement.ts_event), known, settlement);
            Row::Instrument(InstrumentRow { kind: "funding_begin", ..row })
        }
        Message::FundingEnd(settlement) => {
            let row = settlement_row(stamp(settlement.ts_event), known, settlement);
            Row::Instrument(InstrumentRow { kind: "funding_end", ..row })
        }
        Message::Candle(candle) => Row::Candle(candle_row(stamp(candle.ts_event), candle)),
        Message::Stats24h(stats) => Row::Stats(stats_row(stamp(stats.ts_event), stats)),
        _ => return None,
    })
}

fn trade_row<'a>(stamp: Stamp, trade: &'a Execution<'_>, text: &'a mut String) -> TradeRow<'a> {
    let id = match trade.trade_id.plain() {
        Some(plain) => plain,
        None => {
            *text = trade.trade_id.chars().collect();
            text
        }
    };
    let &Execution { sequence, taker_side: taker, price, size, .. } = trade;
    TradeRow { stamp, sequence, taker, price, size, id }
}

const fn ticker_row(stamp: Stamp, ticker: &TickerV2) -> TickerRow {
    let TickerV2 { sequence, best_bid: bid, best_ask: ask, .. } = *ticker;
    TickerRow { stamp, sequence, bid, ask }
}

/// A row that says nothing yet.
const fn instrument_row(stamp: Stamp, known: Derivative) -> InstrumentRow {
    InstrumentRow {
        stamp,
        kind: "",
        mark: None,
        index: None,
        funding_rate: None,
        funding_time: None,
        interval_ms: None,
        known,
    }
}

fn mark_row(stamp: Stamp, known: &mut Derivative, mark: &MarkPrice) -> InstrumentRow {
    known.mark = Some(mark.mark_price);
    known.index = Some(mark.index_price);
    InstrumentRow {
        kind: "mark_index",
        mark: known.mark,
        index: known.index,
        interval_ms: millis(mark.interval),
        ..instrument_row(stamp, *known)
    }
}

fn rate_row(stamp: Stamp, known: &mut Derivative, rate: &FundingRate) -> InstrumentRow {
    let is_estimate = rate.is_estimate();
    if is_estimate {
        known.funding_estimate = Some(rate.funding_rate);
    }
    InstrumentRow {
        kind: if is_estimate { "funding_estimate" } else { "funding_settled" },
        funding_rate: Some(rate.funding_rate),
        interval_ms: millis(rate.interval),
        ..instrument_row(stamp, *known)
    }
}

fn settlement_row(
    stamp: Stamp,
    known: &Derivative,
    settlement: &FundingSettlement,
) -> InstrumentRow {
    InstrumentRow {
        funding_rate: Some(settlement.funding_rate),
        funding_time: settlement.funding_time,
        ..instrument_row(stamp, *known)
    }
}

fn millis(span: Option<core::time::Duration>) -> Option<u64> {
    span.and_then(|span| u64::try_from(span.as_millis()).ok())
}

fn candle_row(stamp: Stamp, candle: &CandleUpdate) -> CandleRow {
    let &CandleUpdate { start, open, high, low, close, turnover, volume, .. } = candle;
    let interval = candle.interval.map(|interval| interval.as_str());
    CandleRow { stamp, interval, start, numbers: [open, high, low, close, turnover], volume }
}

const fn stats_row(stamp: Stamp, stats: &Stats24h) -> StatsRow {
    let numbers = [
        stats.last_price,
        stats.high_price,
        stats.low_price,
        stats.price_24h_before,
        stats.price_change,
        stats.price_change_ratio,
        stats.turnover,
        stats.volume,
        stats.funding_rate,
    ];
    StatsRow { stamp, numbers }
}

/// The terms of contracts, where somebody has asked for them.
fn note_contracts(set: &mut DataSet, message: &Message<'_>) {
    let mut note = |contract: &Contract<'_>| {
        let terms = Terms {
            multiplier: contract.multiplier.to_string(),
            tick_size: contract.tick_size.to_string(),
            lot_size: contract.lot_size.to_string(),
        };
        set.manifest.contracts.insert(contract.symbol.to_string(), terms);
    };
    match message {
        Message::Contract(contract) => note(contract),
        Message::Contracts(contracts) => contracts.iter().flatten().for_each(|one| note(&one)),
        _ => {}
    }
}
