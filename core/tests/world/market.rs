//! One symbol's exchange: every state its book ever had, so that any claim can be checked.

use std::collections::BTreeMap;

use kucoin_futures_proto::book::{Best, Book, Coverage, Level, Scope};
use kucoin_futures_proto::wire::Side;
use kucoin_futures_proto::{Lots, Price};

/// Prices in halves, so that they have a decimal.
type Ticks = BTreeMap<u32, u64>;

#[derive(Clone)]
struct State {
    sequence: u64,
    bids: Ticks,
    asks: Ticks,
    /// The frame that led here.
    frame: String,
}

pub(crate) struct Market {
    pub(crate) symbol: String,
    states: Vec<State>,
    /// Where the present counter's states begin.
    session: usize,
}

/// A change of one level; tick 0 is the best one there is.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Change {
    pub(crate) bid: bool,
    pub(crate) tick: u32,
    pub(crate) size: u64,
}

impl Market {
    pub(crate) fn new(symbol: &str) -> Self {
        let bids = (10..20).map(|tick| (tick, u64::from(tick))).collect();
        let asks = (20..23).map(|tick| (tick, u64::from(tick))).collect();
        let state = State { sequence: 1_650_000_100_000, bids, asks, frame: String::new() };
        Self { symbol: symbol.into(), states: vec![state], session: 0 }
    }

    fn last(&self) -> &State {
        self.states.last().unwrap()
    }

    /// Changes a level and says so in a frame.
    pub(crate) fn change(&mut self, change: Change) -> String {
        let mut state = self.last().clone();
        state.sequence += 1;
        let (side, ticks) =
            if change.bid { ("buy", &mut state.bids) } else { ("sell", &mut state.asks) };
        let best = if change.bid { ticks.keys().next_back() } else { ticks.keys().next() };
        let tick = if change.tick == 0 { *best.unwrap_or(&1) } else { change.tick };
        if change.size == 0 {
            ticks.remove(&tick);
        } else {
            ticks.insert(tick, change.size);
        }
        let (sequence, symbol) = (state.sequence, &self.symbol);
        let price = spelled(tick, sequence);
        let size = change.size;
        state.frame = format!(
            r#"{{"topic":"/contractMarket/level2:{symbol}","type":"message","subject":"level2","data":{{"sequence":{sequence},"change":"{price},{side},{size}","timestamp":1791500000250}}}}"#
        );
        self.states.push(state);
        self.last().frame.clone()
    }

    /// A frame that was sent `back` frames ago by the present counter.
    pub(crate) fn earlier(&self, back: usize) -> Option<String> {
        let of_session = self.states.get(self.session..)?;
        let state = of_session.iter().rev().nth(back).filter(|state| !state.frame.is_empty())?;
        Some(state.frame.clone())
    }

    /// The engine restarts; its counter starts elsewhere. The book stays.
    pub(crate) fn restart(&mut self, forward: bool) {
        let mut state = self.last().clone();
        state.sequence = if forward { state.sequence + 5000 } else { state.sequence - 5000 };
        state.frame.clear();
        self.session = self.states.len();
        self.states.push(state);
    }

    /// A snapshot that may be a few states old, cut to `levels` a side.
    pub(crate) fn snapshot(&self, back: usize, levels: usize) -> String {
        let state = self.states.iter().rev().nth(back).unwrap_or_else(|| self.last());
        let sequence = state.sequence;
        let side = |ticks: Vec<(&u32, &u64)>| {
            let cut = ticks.into_iter().take(levels);
            let levels =
                cut.map(|(tick, size)| format!("[{},{size}]", spelled(*tick, sequence + 1)));
            levels.collect::<Vec<_>>().join(",")
        };
        let (bids, asks) =
            (side(state.bids.iter().rev().collect()), side(state.asks.iter().collect()));
        format!(
            r#"{{"code":"200000","data":{{"sequence":{sequence},"symbol":"{}","bids":[{bids}],"asks":[{asks}],"ts":1791500000251000000}}}}"#,
            self.symbol
        )
    }

    pub(crate) fn ticker(&self) -> String {
        let (symbol, sequence) = (&self.symbol, self.last().sequence);
        format!(
            r#"{{"topic":"/contractMarket/tickerV2:{symbol}","type":"message","subject":"tickerV2","data":{{"symbol":"{symbol}","sequence":{sequence},"bestBidSize":7,"bestBidPrice":"9.5","bestAskPrice":"10","bestAskSize":3,"ts":1791500000250000000}}}}"#
        )
    }

    /// Whether all that a live book says was true at its sequence.
    pub(crate) fn vouches_for(&self, book: &Book) -> bool {
        let at_sequence = self.states.iter().filter(|s| s.sequence == book.sequence().get());
        at_sequence.clone().any(|state| {
            let bids = levels(state.bids.iter().rev());
            let asks = levels(state.asks.iter());
            is_true(book, Side::Bid, &bids, book.best_bid())
                && is_true(book, Side::Ask, &asks, book.best_ask())
        })
    }
}

fn is_true(book: &Book, side: Side, truth: &[Level], best: Best) -> bool {
    let reach = book.reach(side);
    let within = |level: &&Level| match (reach, side) {
        (Coverage::All, _) => true,
        (Coverage::To(horizon), Side::Bid) => level.price >= horizon,
        (Coverage::To(horizon), Side::Ask) => level.price <= horizon,
    };
    let known: Vec<Level> = truth.iter().filter(within).copied().collect();
    let expected = match (known.first(), reach) {
        (Some(level), _) => Best::Level(*level),
        (None, Coverage::All) => Best::Empty,
        (None, Coverage::To(_)) => Best::Unknown,
    };
    best == expected
        && book.levels(side, Scope::Complete).eq(known.iter().copied())
        && book.levels(side, Scope::Held).all(|level| truth.contains(&level))
}

fn levels<'a>(ticks: impl Iterator<Item = (&'a u32, &'a u64)>) -> Vec<Level> {
    let level = |(tick, size): (&u32, &u64)| {
        let price: Price = spelled(*tick, 0).parse().unwrap();
        Level { price, size: Lots::new(*size) }
    };
    ticks.map(level).collect()
}

/// One price in one of several ways.
fn spelled(tick: u32, way: u64) -> String {
    let (whole, half) = (tick / 2, 5 * (tick % 2));
    match way % 3 {
        0 => format!("{whole}.{half}"),
        1 => format!("{whole}.{half}00"),
        _ => format!("{whole}{half}E-1").trim_start_matches('0').into(),
    }
}
