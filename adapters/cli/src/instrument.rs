//! `kcf instrument`: mark and index price, and funding: what is estimated, what was settled, and when next.

use std::collections::BTreeMap;
use std::time::Duration;

use kucoin_futures_proto::wire::{FundingRate, FundingSettlement, MarkPrice, RestFundingRate};
use kucoin_futures_proto::{Channel, Decimal, Message, Push, Query, Symbol, UnixNanos};
use serde_json::{Value, json};

use crate::args::{Connect, InstrumentArgs};
use crate::board::Board;
use crate::exit::Failure;
use crate::feed::Feed;
use crate::follow::{Ctx, Session, Show};
use crate::numbers;
use crate::out::DIM;
use crate::words;

pub(crate) fn run(connect: &Connect, args: &InstrumentArgs) -> Result<(), Failure> {
    let mut session = Session::open(connect, &args.stream.run, args.stream.lines, None)?;
    let symbols = session.symbols(&args.stream.contracts)?;
    // Settlements of all contracts are one topic.
    let topics = symbols.into_iter().map(Channel::instrument);
    session.subscribe(topics.chain([Channel::announcements()]))?;
    session.run(&mut Instruments { known: BTreeMap::new(), board: Board::new(HEADER) })
}

const HEADER: &str =
    "symbol               mark        index   estimated   settled   next settlement (UTC)";

struct Instruments {
    known: BTreeMap<Symbol, Known>,
    board: Board,
}

/// What is known of a contract.
#[derive(Default)]
struct Known {
    mark: Option<Decimal>,
    index: Option<Decimal>,
    /// What would be charged as things stand.
    estimated: Option<Decimal>,
    /// What was charged last.
    settled: Option<Decimal>,
    next: Option<UnixNanos>,
}

impl Show for Instruments {
    /// The stream does not say when the next settlement is.
    fn confirmed(&mut self, cx: &mut Ctx, channel: Channel) {
        if let Some(symbol) = channel.symbol() {
            cx.ask(Query::FundingRate { symbol });
        }
    }

    fn message(
        &mut self,
        cx: &mut Ctx,
        push: &Push<'_>,
        message: &Message<'_>,
    ) -> Result<(), Failure> {
        let Some(symbol) = message.symbol().filter(|symbol| cx.wants(*symbol)) else {
            // What REST says of a rate has the rate's name, and not the contract's.
            let (Some(symbol), Message::RestFundingRate(rate)) = (cx.symbol_of(push), message)
            else {
                return Ok(());
            };
            return self.asked(cx, symbol, rate);
        };
        let known = self.known.entry(symbol).or_default();
        let line = match message {
            Message::MarkPrice(mark) => {
                (known.mark, known.index) = (Some(mark.mark_price), Some(mark.index_price));
                mark_json(symbol, mark)
            }
            Message::FundingRate(rate) => {
                let place =
                    if rate.is_estimate() { &mut known.estimated } else { &mut known.settled };
                *place = Some(rate.funding_rate);
                funding_json(symbol, rate, known.next)
            }
            Message::FundingBegin(settlement) => settlement_json(symbol, "begin", settlement),
            Message::FundingEnd(settlement) => {
                (known.settled, known.next) = (Some(settlement.funding_rate), None);
                cx.ask(Query::FundingRate { symbol });
                settlement_json(symbol, "end", settlement)
            }
            _ => return Ok(()),
        };
        if cx.json { cx.data(line) } else { self.show(cx, symbol) }
    }

    fn rest(&mut self, cx: &mut Ctx, _: &Feed) -> Result<Option<Duration>, Failure> {
        self.board.rest(cx)
    }
}

impl Instruments {
    fn asked(
        &mut self,
        cx: &mut Ctx,
        symbol: Symbol,
        rate: &RestFundingRate,
    ) -> Result<(), Failure> {
        let known = self.known.entry(symbol).or_default();
        (known.estimated, known.next) = (Some(rate.value), rate.next_settlement);
        known.settled = rate.last_rate.or(known.settled);
        if !cx.json {
            return self.show(cx, symbol);
        }
        cx.data(json!({
            "type": "funding",
            "symbol": symbol.as_str(),
            "kind": "estimate",
            "rate": words::exact(rate.value),
            "interval_ms": rate.interval.map(millis),
            "last_settled_rate": words::exact_if_any(rate.last_rate),
            "next_settlement_ns": words::nanos(rate.next_settlement),
            "source": "rest",
            "ts_ns": null,
        }))
    }

    fn show(&mut self, cx: &mut Ctx, symbol: Symbol) -> Result<(), Failure> {
        let Some(known) = self.known.get(&symbol) else { return Ok(()) };
        let price =
            |price: Option<Decimal>| price.map_or_else(|| "-".into(), |price| price.to_string());
        let rate = |rate: Option<Decimal>| {
            rate.map_or_else(|| "-".into(), |rate| numbers::percent(rate, 4) + " %")
        };
        let [mark, index] = [known.mark, known.index].map(price);
        let [estimated, settled] = [known.estimated, known.settled].map(rate);
        let next = known.next.map_or_else(|| "-".into(), words::time_of_day);
        let row = format!(
            "{symbol:<12} {mark:>12} {index:>12} {estimated:>11} {settled:>9} {DIM}{next:>14}{DIM:#}"
        );
        self.board.show(cx, symbol.as_str(), row)
    }
}

fn mark_json(symbol: Symbol, mark: &MarkPrice) -> Value {
    json!({
        "type": "mark",
        "symbol": symbol.as_str(),
        "mark_price": words::exact(mark.mark_price),
        "index_price": words::exact(mark.index_price),
        "ts_ns": words::nanos(mark.ts_event),
    })
}

fn funding_json(symbol: Symbol, rate: &FundingRate, next: Option<UnixNanos>) -> Value {
    json!({
        "type": "funding",
        "symbol": symbol.as_str(),
        "kind": if rate.is_estimate() { "estimate" } else { "settled" },
        "rate": words::exact(rate.funding_rate),
        "interval_ms": rate.interval.map(millis),
        "next_settlement_ns": words::nanos(next),
        "source": "stream",
        "ts_ns": words::nanos(rate.ts_event),
    })
}

fn settlement_json(symbol: Symbol, phase: &str, settlement: &FundingSettlement) -> Value {
    json!({
        "type": "settlement",
        "symbol": symbol.as_str(),
        "phase": phase,
        "rate": words::exact(settlement.funding_rate),
        "settlement_ns": words::nanos(settlement.funding_time),
        "ts_ns": words::nanos(settlement.ts_event),
    })
}

fn millis(span: Duration) -> u64 {
    u64::try_from(span.as_millis()).unwrap_or(u64::MAX)
}
