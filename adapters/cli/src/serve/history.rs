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
#[derive(Debug)]
struct History {
    asked: Option<Instant>,
    /// By their begin; all are over.
    rows: BTreeMap<UnixNanos, Value>,
    /// How often rows have come.
    version: u64,
    /// When the exchange was asked last, by the clock on the wall, if it has answered: what it has not told of the
    /// minutes before then it will not tell.
    answered: Option<UnixNanos>,
    asked_wall: UnixNanos,
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
        let history = self.0.entry(symbol).or_insert_with(History::new);
        let is_due = match history.asked {
            None => true,
            Some(asked) => now.since(asked) >= PAUSE && history.is_wanting(wall, contract),
        };
        is_due.then(|| {
            (history.asked, history.asked_wall) = (Some(now), wall);
            let (granularity, range) = (Granularity::Min1, TimeRange::default());
            Query::Klines { symbol, granularity, range }
        })
    }

    /// Takes what was answered.
    pub(crate) fn on_klines(&mut self, wall: UnixNanos, symbol: Symbol, rows: &Rows<'_, Kline>) {
        let Some(history) = self.0.get_mut(&symbol) else { return };
        history.take(wall, rows.iter().flatten().map(|row| (row.start, json(&row))).collect());
    }

    /// How often the exchange has told candles of a contract.
    pub(crate) fn version(&self, symbol: Symbol) -> u64 {
        self.0.get(&symbol).map_or(0, |history| history.version)
    }

    /// The candles of a contract from one on, in the order of time: where the stream has missed nothing it is
    /// believed, and elsewhere the exchange, of minutes that are over.
    pub(crate) fn candles(
        &self,
        contract: &Contract,
        from: UnixNanos,
    ) -> BTreeMap<UnixNanos, Value> {
        let rows = self.0.get(&contract.symbol).map(|history| &history.rows);
        let is_told =
            |start: UnixNanos| rows.and_then(|rows| rows.get(&start)).is_some_and(is_whole);
        let told = rows.into_iter().flat_map(|rows| rows.range(from..));
        let mut candles: BTreeMap<_, _> = told.map(|(start, row)| (*start, row.clone())).collect();
        for candle in contract.minutes.candles().filter(|candle| candle.start >= from) {
            if candle.is_whole || !is_told(candle.start) {
                let prices = [candle.open, candle.high, candle.low, candle.close];
                let [open, high, low, close] = prices.map(|price| price.to_string());
                let (start, lots) = (candle.start.as_millis(), candle.lots.to_string());
                let row = json!([start, open, high, low, close, lots, candle.is_whole]);
                candles.insert(candle.start, row);
            }
        }
        candles
    }
}

impl History {
    fn new() -> Self {
        let never = UnixNanos::from_nanos(0);
        let (rows, answered) = (BTreeMap::new(), None);
        Self { asked: None, rows, version: 0, answered, asked_wall: never }
    }

    /// The newest may be of a minute that is not over, whatever this machine's clock says: it is not whole.
    fn take(&mut self, wall: UnixNanos, mut rows: BTreeMap<UnixNanos, Value>) {
        if let Some(mut newest) = rows.last_entry()
            && let Some(whole) = newest.get_mut().get_mut(WHOLE)
        {
            *whole = false.into();
        }
        let over = before(wall, MINUTE + SETTLED);
        self.rows.extend(rows.into_iter().filter(|(start, _)| *start <= over));
        while self.rows.len() > KEPT {
            self.rows.pop_first();
        }
        self.version += 1;
        self.answered = Some(self.asked_wall);
    }

    /// Whether there is a minute of which neither the stream nor the exchange has told all.
    fn is_wanting(&self, wall: UnixNanos, contract: &Contract) -> bool {
        let mut candles = contract.minutes.candles().filter(|candle| !candle.is_whole);
        candles.any(|candle| self.wants(wall, candle.start, candle.end))
    }

    /// Whether the exchange may tell this minute: it is over, one of those that it gives, and was not when it was
    /// asked last.
    fn wants(&self, wall: UnixNanos, start: UnixNanos, end: UnixNanos) -> bool {
        let is_given = start > before(wall, MINUTE * KEPT as u32);
        let is_answered = self.answered.is_some_and(|asked| end <= before(asked, SETTLED));
        end <= before(wall, SETTLED)
            && is_given
            && !is_answered
            && !self.rows.get(&start).is_some_and(is_whole)
    }
}

/// Where a row says whether all is told of its minute.
const WHOLE: usize = 6;

fn is_whole(row: &Value) -> bool {
    row.get(WHOLE).and_then(Value::as_bool).unwrap_or_default()
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

#[cfg(test)]
mod tests {
    use super::*;

    const fn minute(n: u64) -> UnixNanos {
        UnixNanos::from_nanos((1_000_000 + n) * 60_000_000_000)
    }

    fn answer(minutes: impl Iterator<Item = u64>) -> BTreeMap<UnixNanos, Value> {
        minutes.map(|n| (minute(n), json!([n, "1", "1", "1", "1", "1", true]))).collect()
    }

    /// One that was asked at the begin of a minute, and answered.
    fn asked(at: u64, minutes: impl Iterator<Item = u64>) -> History {
        let mut history = History::new();
        history.asked_wall = minute(at);
        history.take(minute(at), answer(minutes));
        history
    }

    #[test]
    fn a_minute_that_the_exchange_does_not_tell_is_asked_for_once() {
        let history = History::new();
        assert!(history.wants(minute(302), minute(300), minute(301)));
        assert!(!history.wants(minute(301), minute(300), minute(301)), "its trades may come yet");
        assert!(!history.wants(minute(502), minute(300), minute(301)), "it tells 200 minutes");
        let history = asked(302, 100..300);
        assert!(!history.wants(minute(310), minute(300), minute(301)), "it has told nothing of it");
        assert!(history.wants(minute(304), minute(302), minute(303)), "that is over since then");
    }

    #[test]
    fn the_newest_minute_is_not_taken_as_over_though_this_clock_is_fast() {
        let history = asked(310, 100..301);
        assert!(is_whole(&history.rows[&minute(299)]) && !is_whole(&history.rows[&minute(300)]));
        assert_eq!(history.rows.len(), KEPT);
        let mut history = history;
        history.take(minute(311), answer(110..302));
        assert!(is_whole(&history.rows[&minute(300)]));
    }
}
