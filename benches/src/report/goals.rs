//! What the project set out to reach, beside what was measured.

use super::{Report, table as lay_out, time, times};
use crate::ours;

/// One figure to reach: what it is, where it comes from, and its bounds.
struct Goal(&'static str, Figure, Option<f64>, Option<f64>);

/// Where a figure comes from, and with that which way is better.
#[derive(Clone, Copy)]
enum Figure {
    /// A rival of a group, over ours: more is better.
    Faster(&'static str, &'static str),
    /// Ours of a group, over something else of that group: less is better.
    AsLong(&'static str, &'static str),
    /// Ours of one group over ours of another: less is better.
    Against(&'static str, &'static str),
    /// Many idle books over one: less is better.
    Idle,
    /// Nanoseconds of ours in a group: less is better.
    Nanos(&'static str),
    /// The rival's p99.9 over ours: more is better.
    Tail,
}

use Figure::{Against, AsLong, Faster, Idle, Nanos, Tail};

const SERDE: &str = "serde_json borrowed";
const DECIMAL: &str = "serde_json borrowed, Decimal";
const TREE: &str = "BTreeMap of Decimal";
const ROI: &str = "hftbacktest ROI vector";
const FLOOR: &str = "floor: every byte read once";
const BARE: &str = "ours, bare parse and apply";
const USUAL: &str = "serde_json borrowed + BTreeMap of Decimal";
const FLOATS: &str = "serde_json into Vec<(f64, u64)>";
const WHOLE: &str = "pipeline, 200 symbols";

#[rustfmt::skip]
const GOALS: [Goal; 28] = [
    Goal("parse / serde_json borrowed", Faster("parse, usual", SERDE), Some(13.0), Some(16.0)),
    Goal("parse, as against every byte read once", AsLong("parse, usual", FLOOR), None, Some(2.2)),
    Goal("parse, other key order / serde_json", Faster("parse, other key order", SERDE), Some(4.0), None),
    Goal("parse, white space / serde_json", Faster("parse, white space", SERDE), Some(4.0), None),
    Goal("parse, other key order, as against usual", Against("parse, other key order", "parse, usual"), None, Some(1.1)),
    Goal("parse, random key order / serde_json", Faster("parse, random key order", SERDE), Some(1.0), None),
    Goal("tickerV2, client + decode / serde_json", Faster("messages, tickerV2", DECIMAL), Some(1.5), Some(4.0)),
    Goal("execution, client + decode / serde_json", Faster("messages, execution", DECIMAL), Some(1.5), Some(4.0)),
    Goal("level2Depth5, client + decode / serde_json", Faster("messages, level2Depth5", DECIMAL), Some(1.5), None),
    Goal("level2Depth50, client + decode / serde_json", Faster("messages, level2Depth50", DECIMAL), Some(1.5), None),
    Goal("mark.index.price, client + decode / serde_json", Faster("messages, mark.index.price", DECIMAL), Some(1.5), None),
    Goal("snapshot.24h, client + decode / serde_json", Faster("messages, snapshot.24h", DECIMAL), Some(1.5), None),
    Goal("limitCandle, client + decode / serde_json", Faster("messages, limitCandle", DECIMAL), Some(1.5), None),
    Goal("tradeOrders, client + decode / serde_json", Faster("messages, tradeOrders", DECIMAL), Some(1.5), None),
    Goal("position.change, client + decode / serde_json", Faster("messages, position.change", DECIMAL), Some(1.5), None),
    Goal("wallet, client + decode / serde_json", Faster("messages, wallet", DECIMAL), Some(1.5), None),
    Goal("apply, 2 x 500 / BTreeMap of Decimal", Faster("apply, 2 x 500", TREE), Some(11.0), None),
    Goal("apply, 2 x 5000 / BTreeMap of Decimal", Faster("apply, 2 x 5000", TREE), Some(11.0), None),
    Goal("apply, 2 x 500 / hftbacktest ROI vector", Faster("apply, 2 x 500", ROI), Some(2.0), None),
    Goal("apply, flat 2 x 500 / BTreeMap of Decimal", Faster("apply, flat 2 x 500", TREE), None, Some(4.0)),
    Goal("apply, flat 2 x 5000 / BTreeMap of Decimal", Faster("apply, flat 2 x 5000", TREE), None, Some(4.0)),
    Goal("best of both sides", Nanos("read, best of both sides"), Some(2.0), None),
    Goal("top 10 of both sides", Nanos("read, top 10 of both sides"), Some(20.0), Some(10.0)),
    Goal("pipeline, 200 symbols / the usual way", Faster(WHOLE, USUAL), Some(10.0), Some(12.0)),
    Goal("pipeline, as against bare parse and apply", AsLong(WHOLE, BARE), None, Some(1.5)),
    Goal("p99.9 of the pipeline / the usual way", Tail, Some(5.0), None),
    Goal("snapshot / serde_json into Vec<(f64, u64)>", Faster("snapshot, 2 x 1000", FLOATS), Some(5.0), None),
    Goal("idle poll, 400 books, as against one", Idle, Some(1.2), None),
];

impl Figure {
    fn value(self, report: &Report) -> Option<f64> {
        let ours = |group| report.nanos(group, ours::NAME);
        Some(match self {
            Faster(group, rival) => report.nanos(group, rival)? / ours(group)?,
            AsLong(group, other) => ours(group)? / report.nanos(group, other)?,
            Against(group, other) => ours(group)? / ours(other)?,
            Idle => {
                let books = |name| report.nanos("idle poll", name);
                books("ours, 400 books")? / books("ours, 1 book")?
            }
            Nanos(group) => ours(group)?,
            Tail => {
                let latency = report.latency()?;
                latency.rival.p999 as f64 / latency.ours.p999.max(1) as f64
            }
        })
    }

    const fn more_is_better(self) -> bool {
        matches!(self, Faster(..) | Tail)
    }

    fn show(self, value: f64) -> String {
        if matches!(self, Nanos(_)) { time(value) } else { times(value) }
    }

    fn bound(self, value: Option<f64>) -> String {
        let sign = if self.more_is_better() { ">=" } else { "<=" };
        value.map_or_else(String::new, |value| format!("{sign} {}", self.show(value)))
    }

    fn is_met(self, value: f64, bound: f64) -> bool {
        if self.more_is_better() { value >= bound } else { value <= bound }
    }
}

/// Whether nothing that the goals ask for is missing.
#[must_use]
pub fn are_measured(report: &Report) -> bool {
    GOALS.iter().all(|Goal(_, figure, ..)| figure.value(report).is_some())
}

/// The goals beside what was measured: one small table.
#[must_use]
pub fn table(report: &Report) -> String {
    let head = ["goal", "measured", "at least", "reach for", ""].map(String::from).to_vec();
    let rows = GOALS.iter().filter_map(|&Goal(what, figure, at_least, reach_for)| {
        let value = figure.value(report)?;
        let is_met = |bound: Option<f64>| bound.map(|bound| figure.is_met(value, bound));
        let verdict = match (is_met(at_least), is_met(reach_for)) {
            (_, Some(true)) => "reached",
            (Some(true), _) => "met",
            (Some(false), _) => "missed",
            (None, _) => "not reached",
        };
        let [at_least, reach_for] = [at_least, reach_for].map(|bound| figure.bound(bound));
        Some(vec![what.into(), figure.show(value), at_least, reach_for, verdict.into()])
    });
    lay_out(&std::iter::once(head).chain(rows).collect::<Vec<_>>())
}
