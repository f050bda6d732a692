//! What each line has brought, in JSON.

use std::time::Duration;

use kucoin_futures_host::unix_now;
use kucoin_futures_proto::book::LagHistogram;
use kucoin_futures_proto::{Instant, LineStatus};
use serde_json::{Value, json};

/// All of them, as they are at `now`.
pub(crate) fn json(lines: &[LineStatus], now: Instant) -> Value {
    let lines: Vec<Value> = lines.iter().map(|line| one(line, now)).collect();
    json!({ "type": "lines", "lines": lines })
}

fn one(line: &LineStatus, now: Instant) -> Value {
    let up_since = line.up_since.map(|since| {
        let up_for = u64::try_from(now.since(since).as_nanos()).unwrap_or(u64::MAX);
        unix_now().as_nanos().saturating_sub(up_for) / 1_000_000
    });
    json!({
        "line_id": line.id.get(),
        "role": line.role.name(),
        "up_since_ms": up_since,
        "topics": line.topics,
        "replaces": line.replaces.map(|line| line.get()),
        "first": line.share.first,
        "later": line.share.later,
        "missed": line.share.missed,
        "lag_p50_us": percentile(&line.share.lag, 50),
        "lag_p99_us": percentile(&line.share.lag, 99),
    })
}

/// What so many of a hundred copies were no later than, in microseconds: the end of the range that it lies in, and
/// of the last one, which has none, the beginning. `None` without copies.
pub(crate) fn percentile(lag: &LagHistogram, percent: u64) -> Option<u64> {
    let counts = lag.counts().iter().map(|count| u64::from(*count));
    let total: u64 = counts.clone().sum();
    let rank = (total * percent).div_ceil(100).max(1);
    let sums = counts.scan(0, |sum, count| {
        *sum += count;
        Some(*sum)
    });
    let range = sums.enumerate().find(|(_, sum)| *sum >= rank).map(|(range, _)| range)?;
    let end = LagHistogram::bound(range).or_else(|| LagHistogram::bound(range.checked_sub(1)?));
    end.map(|end: Duration| end.as_micros() as u64)
}
