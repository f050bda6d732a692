//! A feed's counters and states in the text format of Prometheus (version 0.0.4).
//!
//! What can be read is a table here: one line is one series. A program that serves it calls [`encode`] when it is
//! asked, with what the feed says at that moment; nothing is counted twice, and nothing while nobody asks.
//!
//! ```
//! use kucoin_futures_host::metrics;
//! use kucoin_futures_proto::{BookStatus, Stats};
//!
//! let mut stats = Stats::default();
//! stats.gaps = 2;
//! let text = metrics::encode(&stats, [], [("XBTUSDTM".parse()?, BookStatus::Live)]);
//! assert!(text.contains("\nkucoin_futures_gaps_total 2\n"));
//! assert!(text.contains("\nkucoin_futures_book_live{symbol=\"XBTUSDTM\"} 1\n"));
//! # Ok::<(), kucoin_futures_proto::Misuse>(())
//! ```

use std::fmt;
use std::time::Duration;

use kucoin_futures_proto::book::LagHistogram;
use kucoin_futures_proto::{BookStatus, LineStatus, Stats, Symbol};
use prometheus_client::collector::Collector;
use prometheus_client::encoding::prometheus_text;
use prometheus_client::encoding::{
    DescriptorEncoder, EncodeLabelSet, EncodeMetric, MetricEncoder, NoLabelSet,
};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::registry::Registry;

/// The `Content-Type` of what [`encode`] gives.
pub const CONTENT_TYPE: &str = prometheus_text::CONTENT_TYPE;

/// What all names begin with.
const PREFIX: &str = "kucoin_futures";

/// A counter of the client's: its name, what it counts, and where it stands.
type CounterRow = (&'static str, &'static str, fn(&Stats) -> u64);
/// What became of a message: its label, and where it is counted.
type DispositionRow = (&'static str, fn(&Stats) -> u64);
/// A counter of every line.
type LineCounterRow = (&'static str, &'static str, fn(&LineStatus) -> u64);
/// A gauge of every line, or of every book.
type GaugeRow<T> = (&'static str, &'static str, fn(&T) -> i64);

/// Counters that stand for themselves, without `_total`.
const COUNTERS: &[CounterRow] = &[
    ("binary", "Binary messages", |stats| stats.binary),
    ("stale_inputs", "Inputs other than text for connections or requests that are gone", |stats| {
        stats.stale_inputs
    }),
    ("clock_backwards", "Times the clock went backwards", |stats| stats.clock_backwards),
    ("gaps", "Missing runs of deltas", |stats| stats.gaps),
    ("resyncs", "Times a live book was lost", |stats| stats.resyncs),
    ("reconnects", "Connections that were ready and ended", |stats| stats.reconnects),
    ("change_overs", "Lines that took the place of others", |stats| stats.change_overs),
    ("tokens", "Tokens received", |stats| stats.tokens),
    ("unauthorized", "Tokens that the server refused", |stats| stats.unauthorized),
    ("snapshots", "Snapshots received and usable", |stats| stats.snapshots),
    ("snapshots_too_old", "Snapshots that were too old", |stats| stats.snapshots_too_old),
    ("audits", "Live books that were held against a snapshot", |stats| stats.audits),
    ("failed_fetches", "REST requests that failed", |stats| stats.failed_fetches),
    ("pings", "Pings sent", |stats| stats.pings),
    ("pongs", "Pongs that answered one", |stats| stats.pongs),
    ("odd_times", "Times that cannot be read", |stats| stats.odd_times),
    ("lagged", "Deltas that were not reported because nobody took them", |stats| stats.lagged),
];

/// The rows of [`Stats`] that every text message is in exactly one of: together they are `Stats::messages`.
const DISPOSITIONS: &[DispositionRow] = &[
    ("deltas", |stats| stats.deltas),
    ("buffered", |stats| stats.buffered),
    ("repeats", |stats| stats.repeats),
    ("covered", |stats| stats.covered),
    ("poisoned", |stats| stats.poisoned),
    ("pushes", |stats| stats.pushes),
    ("control", |stats| stats.control),
    ("unsolicited", |stats| stats.unsolicited),
    ("errors", |stats| stats.errors),
    ("unwanted", |stats| stats.unwanted),
    ("unknown", |stats| stats.unknown),
    ("malformed", |stats| stats.malformed),
    ("stale", |stats| stats.stale),
];

/// Of each line, with its number and its role.
const LINE_GAUGES: &[GaugeRow<LineStatus>] = &[
    ("line_up", "Whether the exchange has welcomed the line", |line| {
        i64::from(line.conn.is_some())
    }),
    ("line_topics", "Topics that were asked for on the line", |line| {
        i64::try_from(line.topics).unwrap_or(i64::MAX)
    }),
    ("line_replaces", "Whether the line is about to replace another one", |line| {
        i64::from(line.replaces.is_some())
    }),
];

/// Of each line: what it has brought of the books that another one carries, too. They begin anew with a line that
/// takes the number of one that is over.
const LINE_COUNTERS: &[LineCounterRow] = &[
    ("line_first", "Deltas that the line brought before another one did", |line| line.share.first),
    ("line_later", "Copies that came after another line's", |line| line.share.later),
    ("line_missed", "Deltas that the line left out and another one brought", |line| {
        line.share.missed
    }),
];

/// The same: how late its copies were.
const LINE_LAG: (&str, &str) = ("line_lag_seconds", "How late the copies of the line were");

/// Of each book, with its symbol.
const BOOK_GAUGES: &[GaugeRow<BookStatus>] =
    &[("book_live", "Whether the book is the exchange's", |status| {
        i64::from(*status == BookStatus::Live)
    })];

/// What a feed says at this moment, as text: its counters, its lines, and its books with their symbols.
///
/// Counters end in `_total` and begin anew with each client. Series keep their order; that of lines and books is the
/// one they come in.
#[must_use]
pub fn encode(
    stats: &Stats,
    lines: impl IntoIterator<Item = LineStatus>,
    books: impl IntoIterator<Item = (Symbol, BookStatus)>,
) -> String {
    let moment = Moment {
        stats: *stats,
        lines: lines.into_iter().collect(),
        books: books.into_iter().collect(),
    };
    let mut registry = Registry::with_prefix(PREFIX);
    registry.register_collector(Box::new(moment));
    let mut text = String::new();
    // A `String` takes whatever is written into it, and nothing below fails by itself.
    let _ = prometheus_text::encode(&mut text, &registry);
    text
}

/// What is encoded.
#[derive(Debug)]
struct Moment {
    stats: Stats,
    lines: Vec<LineStatus>,
    books: Vec<(Symbol, BookStatus)>,
}

impl Moment {
    /// A value of each line, with its labels.
    fn lines<M>(
        &self,
        value: impl Fn(&LineStatus) -> M,
    ) -> impl Iterator<Item = ([(&'static str, String); 2], M)> {
        self.lines.iter().map(move |line| {
            let labels = [("line", line.id.get().to_string()), ("role", line.role.name().into())];
            (labels, value(line))
        })
    }
}

impl Collector for Moment {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let label = |row: &DispositionRow| [("disposition", row.0)];
        let rows =
            DISPOSITIONS.iter().map(|row| (label(row), ConstCounter::new(row.1(&self.stats))));
        family(&mut encoder, "messages", "Text messages by what became of them", rows)?;
        for (name, help, read) in COUNTERS {
            let counter = ConstCounter::new(read(&self.stats));
            counter.encode(encoder.encode_descriptor(
                name,
                help,
                None,
                counter.metric_type(),
            )?)?;
        }
        for (name, help, read) in LINE_GAUGES {
            family(&mut encoder, name, help, self.lines(|line| ConstGauge::new(read(line))))?;
        }
        for (name, help, read) in LINE_COUNTERS {
            family(&mut encoder, name, help, self.lines(|line| ConstCounter::new(read(line))))?;
        }
        let (name, help) = LINE_LAG;
        family(&mut encoder, name, help, self.lines(|line| Lag(line.share.lag)))?;
        for (name, help, read) in BOOK_GAUGES {
            let row = |(symbol, status): &(Symbol, BookStatus)| {
                ([("symbol", symbol.to_string())], ConstGauge::new(read(status)))
            };
            family(&mut encoder, name, help, self.books.iter().map(row))?;
        }
        Ok(())
    }
}

/// The ranges that a client counts in, in seconds.
#[derive(Debug)]
struct Lag(LagHistogram);

impl EncodeMetric for Lag {
    fn encode(&self, mut encoder: MetricEncoder<'_>) -> fmt::Result {
        let end = |range| LagHistogram::bound(range).as_ref().map(Duration::as_secs_f64);
        let ranges: Vec<(f64, u64)> = self
            .0
            .counts()
            .iter()
            .enumerate()
            .map(|(range, count)| (end(range).unwrap_or(f64::INFINITY), u64::from(*count)))
            .collect();
        let count = ranges.iter().map(|(_, count)| count).sum();
        // The ranges are all that is kept: a sum made out of them would be a guess.
        encoder.encode_histogram::<NoLabelSet>(f64::NAN, count, &ranges, None)
    }

    fn metric_type(&self) -> MetricType {
        MetricType::Histogram
    }
}

/// Writes a metric that has a value for each set of labels; without any, nothing.
fn family<L: EncodeLabelSet, M: EncodeMetric>(
    encoder: &mut DescriptorEncoder<'_>,
    name: &str,
    help: &str,
    rows: impl IntoIterator<Item = (L, M)>,
) -> fmt::Result {
    let mut rows = rows.into_iter().peekable();
    let Some((_, first)) = rows.peek() else { return Ok(()) };
    let mut metric = encoder.encode_descriptor(name, help, None, first.metric_type())?;
    for (labels, value) in rows {
        value.encode(metric.encode_family(&labels)?)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests;
