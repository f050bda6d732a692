//! Candles that the stream of trades has not told: from before this was started, and of minutes in which a line was
//! down. The exchange is asked for those of a contract that somebody looks at.

use std::collections::BTreeMap;
use std::time::Duration;

use kucoin_futures_proto::wire::{Kline, Rows};
use kucoin_futures_proto::{Granularity, Instant, Query, Symbol, TimeRange, UnixNanos};
use serde_json::{Value, json};

use crate::monitor::Contract;

/// The exchange gives no more at once.
const KEPT: usize = 200;
const MINUTE: Duration = Duration::from_secs(60);
/// A minute is asked for once it is over for so long: trades of it may be on their way.
const SETTLED: Duration = Duration::from_secs(5);
/// A contract is asked for no more often.
const PAUSE: Duration = Duration::from_secs(30);

/// Of all contracts that were looked at.
#[derive(Debug, Default)]
pub(crate) struct Histories(BTreeMap<Symbol, History>);

/// Of one.
#[derive(Debug, Default)]
struct History {
    asked: Option<Instant>,
    /// By their begin; all are over.
    rows: BTreeMap<UnixNanos, Value>,
    /// How often rows have come.
    version: u64,
}

impl Histories {
    /// What is to be asked now for whoever looks at the contract.
    pub(crate) fn want(
        &mut self,
        now: Instant,
        wall: UnixNanos,
        contract: &Contract,
    ) -> Option<Query> {
        let symbol = contract.symbol;
        let history = self.0.entry(symbol).or_default();
        let is_due = match history.asked {
            None => true,
            Some(asked) => now.since(asked) >= PAUSE && history.is_wanting(wall, contract),
        };
        is_due.then(|| {
            history.asked = Some(now);
            let (granularity, range) = (Granularity::Min1, TimeRange::default());
            Query::Klines { symbol, granularity, range }
        })
    }

    /// Takes what was answered, but for the minute that is not over.
    pub(crate) fn on_klines(&mut self, wall: UnixNanos, symbol: Symbol, rows: &Rows<'_, Kline>) {
        let Some(history) = self.0.get_mut(&symbol) else { return };
        let over = before(wall, MINUTE + SETTLED);
        for row in rows.iter().flatten().filter(|row| row.start <= over) {
            history.rows.insert(row.start, json(&row));
        }
        while history.rows.len() > KEPT {
            history.rows.pop_first();
        }
        history.version += 1;
    }

    /// The candles of a contract in the order of time, and how often the exchange has told some: where the stream has
    /// missed nothing it is believed, and elsewhere the exchange.
    pub(crate) fn candles(&self, contract: &Contract) -> (BTreeMap<UnixNanos, Value>, u64) {
        let history = self.0.get(&contract.symbol);
        let mut candles = history.map(|history| history.rows.clone()).unwrap_or_default();
        for candle in contract.minutes.candles() {
            if candle.is_whole || !candles.contains_key(&candle.start) {
                let prices = [candle.open, candle.high, candle.low, candle.close];
                let [open, high, low, close] = prices.map(|price| price.to_string());
                let (start, lots) = (candle.start.as_millis(), candle.lots.to_string());
                let row = json!([start, open, high, low, close, lots, candle.is_whole]);
                candles.insert(candle.start, row);
            }
        }
        (candles, history.map_or(0, |history| history.version))
    }
}

impl History {
    /// Whether there is a minute of which neither the stream nor the exchange has told all.
    fn is_wanting(&self, wall: UnixNanos, contract: &Contract) -> bool {
        let over = before(wall, SETTLED);
        contract.minutes.candles().any(|candle| {
            !candle.is_whole && candle.end <= over && !self.rows.contains_key(&candle.start)
        })
    }
}

/// As [`Histories::candles`] has them; all is told of it.
fn json(row: &Kline) -> Value {
    let [open, high, low, close] =
        [row.open, row.high, row.low, row.close].map(|price| price.to_string());
    let lots = row.volume.map(|lots| lots.to_string());
    json!([row.start.as_millis(), open, high, low, close, lots, true])
}

fn before(wall: UnixNanos, span: Duration) -> UnixNanos {
    let span = u64::try_from(span.as_nanos()).unwrap_or(u64::MAX);
    UnixNanos::from_nanos(wall.as_nanos().saturating_sub(span))
}
