//! A feed's counters and states in the text format of Prometheus (version 0.0.4).
//!
//! What can be read is a table here: one line is one series. A program that serves it calls [`encode`] when it is
//! asked, with what the feed says at that moment; nothing is counted twice, and nothing while nobody asks.
//!
//! ```
//! use kucoin_futures_host::{Latencies, metrics};
//! use kucoin_futures_proto::{Channel, Client, Config, Instant};
//!
//! let now = Instant::ZERO;
//! let mut client = Client::new(now, 42, Config::default());
//! let book = client.subscribe(now, Channel::level2("XBTUSDTM".parse()?))?;
//! let text = metrics::encode(&client, now, &Latencies::new(now), [book]);
//! assert!(text.contains("\nkucoin_futures_gaps_total 0\n"));
//! assert!(text.contains("\nkucoin_futures_book_live{symbol=\"XBTUSDTM\"} 0\n"));
//! # Ok::<(), kucoin_futures_proto::Misuse>(())
//! ```
//!
//! A feed has all of it at hand: [`Feed::metrics`](crate::Feed::metrics).

use std::fmt;
use std::time::Duration;

use kucoin_futures_proto::book::LagHistogram;
use kucoin_futures_proto::{
    BookAge, BookStatus, BudgetKind, BudgetUse, Client, Instant, LineStatus, Stats, Symbol, TopicId,
};
use prometheus_client::collector::Collector;
use prometheus_client::encoding::prometheus_text;
use prometheus_client::encoding::{
    DescriptorEncoder, EncodeLabelSet, EncodeMetric, MetricEncoder, NoLabelSet,
};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::registry::Registry;

use crate::latencies::{Latencies, LatencyHistogram};

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
/// A time, in seconds, of every live book.
type AgeRow = (&'static str, &'static str, fn(&BookAge) -> Option<Duration>);
/// A distribution of times, in seconds.
type LatencyRow = (&'static str, &'static str, fn(&Latencies) -> &LatencyHistogram);

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

/// Of each live book, with its symbol: see [`BookAge`].
const BOOK_AGES: &[AgeRow] = &[
    ("book_delta_age_seconds", "Since something was pushed for the live book", |age| {
        age.since_delta
    }),
    ("book_snapshot_age_seconds", "Since the live book was found equal to a snapshot", |age| {
        Some(age.since_snapshot)
    }),
    (
        "book_proof_age_seconds",
        "Since the latest of these, and of an answer of a line that carries the live book",
        |age| Some(age.since_proof),
    ),
];

/// Of each budget, by name: see [`BudgetUse`].
const BUDGET_GAUGES: &[GaugeRow<BudgetUse>] = &[
    ("budget_used", "What was used of a budget within its window", |budget| budget.used.into()),
    ("budget_left", "What may be used of a budget now", |budget| budget.left().into()),
];

/// The same: how long the exchange wants it to be left alone.
const BUDGET_HELD: (&str, &str) =
    ("budget_held_seconds", "For how long the exchange has asked to be left alone (429)");

/// Of each line that is up: messages that were sent, of those that it may send.
const LINE_BUDGETS: &[GaugeRow<BudgetUse>] = &[
    ("line_messages_used", "Messages sent on the line within 11 s", |budget| budget.used.into()),
    ("line_messages_left", "Messages that may be sent on the line now", |budget| {
        budget.left().into()
    }),
];

/// Distributions since the feed was made; their ranges end at [`LatencyHistogram::bounds`].
const LATENCIES: &[LatencyRow] = &[
    (
        "exchange_to_received_seconds",
        "From the exchange's time of a delta to its receipt by our clock, not corrected",
        Latencies::to_received,
    ),
    (
        "received_to_applied_seconds",
        "From the read of a frame to when the client had taken it, at most",
        Latencies::to_applied,
    ),
];

/// Deltas that are later than our clock.
const FROM_FUTURE: (&str, &str) =
    ("deltas_from_future", "Deltas later than our clock, which is behind the exchange's");

/// What a feed says at this moment, as text: its counters, its lines, what is left of its budgets, how long deltas were
/// on their way, and the books of these topics with their symbols.
///
/// Counters end in `_total` and begin anew with each client; times are in seconds. Series keep their order; that of
/// books is the one their topics come in, and topics without a book are left out.
#[must_use]
pub fn encode(
    client: &Client,
    now: Instant,
    latencies: &Latencies,
    books: impl IntoIterator<Item = TopicId>,
) -> String {
    let book = |topic| {
        let (symbol, status) = (client.channel(topic)?.symbol()?, client.book_status(topic)?);
        Some(BookNow { symbol, status, age: client.book_age(now, topic) })
    };
    let moment = Moment {
        stats: *client.stats(),
        lines: client.lines().collect(),
        budgets: client.budgets(now).collect(),
        latencies: latencies.clone(),
        books: books.into_iter().filter_map(book).collect(),
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
    budgets: Vec<BudgetUse>,
    latencies: Latencies,
    books: Vec<BookNow>,
}

/// A book with its symbol.
#[derive(Debug)]
struct BookNow {
    symbol: Symbol,
    status: BookStatus,
    /// While it is live.
    age: Option<BookAge>,
}

impl Moment {
    /// A value of each line, with its labels.
    fn lines<M>(
        &self,
        value: impl Fn(&LineStatus) -> M,
    ) -> impl Iterator<Item = ([(&'static str, String); 2], M)> {
        self.lines.iter().map(move |line| (labels_of(line), value(line)))
    }

    /// The budget of messages of each line that is up, with the labels of the line.
    fn messages<M>(
        &self,
        value: impl Fn(&BudgetUse) -> M,
    ) -> impl Iterator<Item = ([(&'static str, String); 2], M)> {
        self.lines.iter().filter_map(move |line| {
            let is_its = |budget: &&BudgetUse| budget.kind == BudgetKind::Messages(line.id);
            Some((labels_of(line), value(self.budgets.iter().find(is_its)?)))
        })
    }

    /// The other budgets, by name.
    fn budgets<M>(
        &self,
        value: impl Fn(&BudgetUse) -> M,
    ) -> impl Iterator<Item = ([(&'static str, &'static str); 1], M)> {
        let others = self.budgets.iter().filter(|b| !matches!(b.kind, BudgetKind::Messages(_)));
        others.map(move |budget| ([("budget", budget.kind.name())], value(budget)))
    }

    /// A value of each book that has it, with its symbol.
    fn books<M>(
        &self,
        value: impl Fn(&BookNow) -> Option<M>,
    ) -> impl Iterator<Item = ([(&'static str, String); 1], M)> {
        self.books
            .iter()
            .filter_map(move |book| Some(([("symbol", book.symbol.to_string())], value(book)?)))
    }
}

fn labels_of(line: &LineStatus) -> [(&'static str, String); 2] {
    [("line", line.id.get().to_string()), ("role", line.role.name().into())]
}

impl Collector for Moment {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let label = |row: &DispositionRow| [("disposition", row.0)];
        let rows =
            DISPOSITIONS.iter().map(|row| (label(row), ConstCounter::new(row.1(&self.stats))));
        family(&mut encoder, "messages", "Text messages by what became of them", rows)?;
        for (name, help, read) in COUNTERS {
            single(&mut encoder, name, help, &ConstCounter::new(read(&self.stats)))?;
        }
        for (name, help, read) in LINE_GAUGES {
            family(&mut encoder, name, help, self.lines(|line| ConstGauge::new(read(line))))?;
        }
        for (name, help, read) in LINE_COUNTERS {
            family(&mut encoder, name, help, self.lines(|line| ConstCounter::new(read(line))))?;
        }
        let (name, help) = LINE_LAG;
        family(&mut encoder, name, help, self.lines(|line| Ranges::of_lag(&line.share.lag)))?;
        for (name, help, read) in LINE_BUDGETS {
            family(&mut encoder, name, help, self.messages(|of| ConstGauge::new(read(of))))?;
        }
        for (name, help, read) in BUDGET_GAUGES {
            family(&mut encoder, name, help, self.budgets(|of| ConstGauge::new(read(of))))?;
        }
        let (name, help) = BUDGET_HELD;
        let held = self.budgets(|of| ConstGauge::new(of.held_for.as_secs_f64()));
        family(&mut encoder, name, help, held)?;
        for (name, help, read) in LATENCIES {
            single(&mut encoder, name, help, &Ranges::of_latency(read(&self.latencies)))?;
        }
        let (name, help) = FROM_FUTURE;
        single(&mut encoder, name, help, &ConstCounter::new(self.latencies.from_future()))?;
        for (name, help, read) in BOOK_GAUGES {
            let live = self.books(|book| Some(ConstGauge::new(read(&book.status))));
            family(&mut encoder, name, help, live)?;
        }
        for (name, help, read) in BOOK_AGES {
            let ages = self.books(|book| Some(ConstGauge::new(read(&book.age?)?.as_secs_f64())));
            family(&mut encoder, name, help, ages)?;
        }
        Ok(())
    }
}

/// How often something took so long: the ends of ranges, in seconds, and how many are in each.
#[derive(Debug)]
struct Ranges {
    ranges: Vec<(f64, u64)>,
    sum: f64,
}

impl Ranges {
    fn of_lag(lag: &LagHistogram) -> Self {
        let end = |range| LagHistogram::bound(range).as_ref().map(Duration::as_secs_f64);
        let counts = lag.counts().iter().enumerate();
        let ranges = counts
            .map(|(range, count)| (end(range).unwrap_or(f64::INFINITY), u64::from(*count)))
            .collect();
        // The ranges are all that is kept: a sum made out of them would be a guess.
        Self { ranges, sum: f64::NAN }
    }

    fn of_latency(latency: &LatencyHistogram) -> Self {
        let ends = latency.bounds().map(|bound| bound.as_secs_f64()).chain([f64::INFINITY]);
        let ranges = ends.zip(latency.counts().iter().copied()).collect();
        Self { ranges, sum: latency.sum().as_secs_f64() }
    }
}

impl EncodeMetric for Ranges {
    fn encode(&self, mut encoder: MetricEncoder<'_>) -> fmt::Result {
        let count = self.ranges.iter().map(|(_, count)| count).sum();
        encoder.encode_histogram::<NoLabelSet>(self.sum, count, &self.ranges, None)
    }

    fn metric_type(&self) -> MetricType {
        MetricType::Histogram
    }
}

/// Writes a metric without labels.
fn single(
    encoder: &mut DescriptorEncoder<'_>,
    name: &str,
    help: &str,
    metric: &impl EncodeMetric,
) -> fmt::Result {
    metric.encode(encoder.encode_descriptor(name, help, None, metric.metric_type())?)
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
