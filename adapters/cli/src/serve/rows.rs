//! The table of contracts: a row of each, made once a second for all who look.

use std::collections::BTreeMap;

use kucoin_futures_proto::book::Best;
use kucoin_futures_proto::{Decimal, Symbol, UnixNanos};
use serde_json::{Value, json};

use crate::monitor::{Contract, Moment, Monitor};
use crate::numbers;
use crate::words;

/// The rows, and when each was changed last.
#[derive(Debug, Default)]
pub(crate) struct Rows {
    version: u64,
    rows: BTreeMap<Symbol, (u64, Value)>,
}

impl Rows {
    /// Makes them anew.
    pub(crate) fn look(&mut self, monitor: &Monitor) {
        self.version += 1;
        for contract in monitor.contracts() {
            let row = row(contract, monitor.looked);
            match self.rows.get_mut(&contract.symbol) {
                Some((_, old)) if *old == row => {}
                Some(old) => *old = (self.version, row),
                None => drop(self.rows.insert(contract.symbol, (self.version, row))),
            }
        }
    }

    /// Those that changed since `version`, and which version they are now: what to say next time.
    pub(crate) fn since(&self, version: u64) -> (Value, u64) {
        let rows = self.rows.values().filter(|(changed, _)| *changed > version);
        (rows.map(|(_, row)| row.clone()).collect(), self.version)
    }
}

/// What is said of a book that is not live is that it is not; what other streams said is said to be stale where
/// it may be of the past.
fn row(contract: &Contract, looked: Moment) -> Value {
    let (bid, ask) =
        contract.touch.map_or((Value::Null, Value::Null), |(bid, ask)| (best(bid), best(ask)));
    json!({
        "symbol": contract.symbol.as_str(),
        "live": contract.is_live(),
        "state": contract.state(),
        "since_ms": looked.wall_of(contract.since.at).as_millis(),
        "bid": bid,
        "ask": ask,
        "spread": words::exact_if_any(contract.spread()),
        "last": words::exact_if_any(contract.last),
        "mark": words::exact_if_any(contract.mark),
        "index": words::exact_if_any(contract.index),
        "funding": percent(contract.funding.estimated, 4),
        "next_funding_ms": contract.funding.next.map(UnixNanos::as_millis),
        "change": percent(contract.day.change, 2),
        "turnover": contract.day.turnover.map(numbers::short),
        "turnover_in": contract.worth.map(|worth| worth.currency.as_str().to_owned()),
        "rate": contract.rate.per_second().round(),
        "gaps": contract.gap_count,
        "resyncs": contract.resync_count,
        "unreadable": contract.unreadable,
        "heard_ms": contract.age.and_then(|age| age.since_delta).map(|age| before(looked, age)),
        "proof_ms": contract.age.map(|age| before(looked, age.since_proof)),
        "stale": contract.stale.is_any(),
        "stale_mark": contract.stale.marks,
        "stale_funding": contract.stale.funding,
        "stale_day": contract.stale.day,
        "stale_trades": contract.stale.trades,
    })
}

fn best(best: Best) -> Value {
    match best {
        Best::Level(level) => Value::from(level.price.to_string()),
        Best::Empty => Value::from("empty"),
        Best::Unknown => Value::from("unknown"),
    }
}

fn percent(ratio: Option<Decimal>, places: u8) -> Value {
    words::exact_if_any(ratio.map(|ratio| numbers::signed_percent(ratio, places)))
}

/// In milliseconds since 1970.
fn before(looked: Moment, age: std::time::Duration) -> u64 {
    looked.before(age).as_millis()
}
