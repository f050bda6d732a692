//! A picture of a monitor: all that is drawn, as plain data, so that whoever draws needs no feed.

use std::time::Duration;

use kucoin_futures_proto::book::Best;
use kucoin_futures_proto::{BookStatus, Decimal, Stats, Symbol};

use crate::monitor::{
    Contract, Day, Depth, Funding, Holdings, Lines, LogRow, Moment, Monitor, Resync, Stale,
    TradeRow, Worth,
};
use crate::numbers;

/// Levels of a side, trades and rows of the log that the tallest screen can show.
pub(super) const TALL: usize = 100;

/// As it was at one moment.
#[derive(Clone)]
pub(super) struct View {
    pub(super) looked: Moment,
    pub(super) started: Moment,
    /// Where the exchange is, and what carries the bytes.
    pub(super) from: From,
    pub(super) stats: Stats,
    /// Messages a second.
    pub(super) rate: f64,
    pub(super) lines: Lines,
    /// Every contract, by name.
    pub(super) rows: Vec<Row>,
    /// The one that is looked at.
    pub(super) chosen: Option<Chosen>,
    /// The latest last.
    pub(super) log: Vec<LogRow>,
    pub(super) account: Option<Holdings>,
}

/// Where it comes from.
#[derive(Clone)]
pub(super) struct From {
    pub(super) host: String,
    pub(super) runtime: &'static str,
}

/// A contract among others.
#[derive(Clone)]
pub(super) struct Row {
    pub(super) symbol: Symbol,
    pub(super) status: BookStatus,
    pub(super) is_rejected: bool,
    /// Since the book was last known to be right; `None` unless it is live.
    pub(super) age: Option<Duration>,
    pub(super) last: Option<Decimal>,
    pub(super) mark: Option<Decimal>,
    pub(super) touch: Option<(Best, Best)>,
    pub(super) spread: Option<Decimal>,
    pub(super) day: Day,
    /// In what the turnover of the day is.
    pub(super) worth: Option<Worth>,
    pub(super) funding: Option<Decimal>,
    pub(super) rate: f64,
    pub(super) resyncs: u64,
    pub(super) stale: Stale,
}

/// The contract that is looked at.
#[derive(Clone)]
pub(super) struct Chosen {
    pub(super) row: Row,
    /// `live`, or why it is not.
    pub(super) state: String,
    pub(super) since: Moment,
    pub(super) epoch: Option<u32>,
    /// Since something was pushed for the book.
    pub(super) since_delta: Option<Duration>,
    /// Since it was held against a snapshot.
    pub(super) since_snapshot: Option<Duration>,
    pub(super) depth: Option<Depth>,
    /// The latest first.
    pub(super) trades: Vec<TradeRow>,
    pub(super) index: Option<Decimal>,
    pub(super) funding: Funding,
    /// The latest last.
    pub(super) resyncs: Vec<Resync>,
    pub(super) gaps: u64,
    pub(super) deltas: u64,
    /// Closes of minutes, the latest last, which may be running still.
    pub(super) closes: Vec<Decimal>,
}

impl View {
    pub(super) fn of(monitor: &Monitor, from: &From, chosen: Symbol) -> Self {
        let skip = monitor.log().len().saturating_sub(TALL);
        Self {
            looked: monitor.looked,
            started: monitor.started,
            from: from.clone(),
            stats: monitor.stats,
            rate: monitor.rate.per_second(),
            lines: monitor.lines().clone(),
            rows: monitor.contracts().map(Row::of).collect(),
            chosen: monitor.contract(chosen).map(Chosen::of),
            log: monitor.log().skip(skip).cloned().collect(),
            account: monitor.account().cloned(),
        }
    }

    pub(super) fn live(&self) -> usize {
        self.rows.iter().filter(|row| row.is_live()).count()
    }
}

impl Row {
    fn of(contract: &Contract) -> Self {
        Self {
            symbol: contract.symbol,
            status: contract.status,
            is_rejected: contract.rejected.is_some(),
            age: contract.age.map(|age| age.since_proof),
            last: contract.last,
            mark: contract.mark,
            touch: contract.touch,
            spread: contract.spread(),
            day: contract.day,
            worth: contract.worth,
            funding: contract.funding.estimated,
            rate: contract.rate.per_second(),
            resyncs: contract.resync_count,
            stale: contract.stale,
        }
    }

    pub(super) fn is_live(&self) -> bool {
        self.status == BookStatus::Live
    }

    /// What was traded in a day, and in what it is told.
    pub(super) fn worth(&self) -> Option<String> {
        let amount = numbers::short(self.day.turnover?);
        let currency = self.worth.map(|worth| format!(" {}", worth.currency));
        Some(amount + &currency.unwrap_or_default())
    }

    /// The same, where there is room for it only if it is not what others are worth.
    pub(super) fn worth_in_table(&self) -> Option<String> {
        if self.is_inverse() { self.worth() } else { self.day.turnover.map(numbers::short) }
    }

    /// Whether what was traded is told in coins.
    pub(super) fn is_inverse(&self) -> bool {
        self.worth.is_some_and(|worth| worth.is_inverse)
    }

    /// The spread as part of the bid, in millionths; `None` if it is not known.
    pub(super) fn spread_ppm(&self) -> Option<i128> {
        let Best::Level(bid) = self.touch?.0 else { return None };
        let spread = self.spread?;
        let units = spread.mantissa().checked_mul(
            10_i128.checked_pow(u32::try_from(i32::from(spread.exponent()) + 12).ok()?)?,
        )?;
        units.checked_mul(1_000_000)?.checked_div(bid.price.scaled().into())
    }
}

impl Chosen {
    fn of(contract: &Contract) -> Self {
        let skip = contract.resyncs.len().saturating_sub(TALL);
        let closes: Vec<Decimal> =
            contract.minutes.candles().map(|candle| candle.close.into()).collect();
        Self {
            row: Row::of(contract),
            state: contract.state().to_owned(),
            since: contract.since,
            epoch: contract.epoch,
            since_delta: contract.age.and_then(|age| age.since_delta),
            since_snapshot: contract.age.map(|age| age.since_snapshot),
            depth: contract.depth.clone(),
            trades: contract.trades.iter().rev().take(TALL).copied().collect(),
            index: contract.index,
            funding: contract.funding,
            resyncs: contract.resyncs.iter().skip(skip).cloned().collect(),
            gaps: contract.gap_count,
            deltas: contract.deltas,
            closes,
        }
    }
}
