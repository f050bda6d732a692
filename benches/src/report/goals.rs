//! What the project set out to reach, beside what was measured.

use super::{Report, table as lay_out, time, times};
use crate::ours;

/// One figure to reach.
pub(super) struct Goal {
    what: &'static str,
    pub(super) value: Option<f64>,
    unit: Unit,
    at_least: Option<f64>,
    reach_for: Option<f64>,
}

/// What a figure is, and which way is better.
#[derive(Clone, Copy)]
enum Unit {
    /// As many times faster than a rival: more is better.
    Faster,
    /// As many times as long as a bound: less is better.
    AsLong,
    /// Nanoseconds: less is better.
    Nanos,
}

impl Unit {
    fn show(self, value: f64) -> String {
        match self {
            Self::Faster | Self::AsLong => times(value),
            Self::Nanos => time(value),
        }
    }

    fn bound(self, value: Option<f64>) -> String {
        let sign = if matches!(self, Self::Faster) { ">=" } else { "<=" };
        value.map_or_else(String::new, |value| format!("{sign} {}", self.show(value)))
    }

    fn is_met(self, value: f64, bound: f64) -> bool {
        match self {
            Self::Faster => value >= bound,
            Self::AsLong | Self::Nanos => value <= bound,
        }
    }
}

const SERDE: &str = "serde_json borrowed";
const TREE: &str = "BTreeMap of Decimal";
const ROI: &str = "hftbacktest ROI vector";
const USUAL: &str = "serde_json borrowed + BTreeMap of Decimal";

pub(super) fn all(report: &Report) -> Vec<Goal> {
    use Unit::{AsLong, Faster, Nanos};
    let ours = |group: &str| report.nanos(group, ours::NAME);
    let over = |group: &str, rival: &str| Some(report.nanos(group, rival)? / ours(group)?);
    let under = |group: &str, bound: &str| Some(ours(group)? / report.nanos(group, bound)?);
    let tail = || {
        let latency = report.latency()?;
        Some(latency.rival.p999 as f64 / latency.ours.p999.max(1) as f64)
    };
    let other = || Some(ours("parse, other key order")? / ours("parse, usual")?);
    let goal =
        |what, value, unit, at_least, reach_for| Goal { what, value, unit, at_least, reach_for };
    let floor = "floor: every byte read once";
    let (best, top) = ("read, best of both sides", "read, top 10 of both sides");
    let mut goals = vec![
        goal(
            "parse / serde_json borrowed",
            over("parse, usual", SERDE),
            Faster,
            Some(13.0),
            Some(16.0),
        ),
        goal(
            "parse, as against every byte read once",
            under("parse, usual", floor),
            AsLong,
            None,
            Some(2.2),
        ),
        goal(
            "parse, other key order / serde_json",
            over("parse, other key order", SERDE),
            Faster,
            Some(4.0),
            None,
        ),
        goal(
            "parse, white space / serde_json",
            over("parse, white space", SERDE),
            Faster,
            Some(4.0),
            None,
        ),
        goal("parse, other key order, as against usual", other(), AsLong, None, Some(1.1)),
        goal(
            "apply, 2 x 500 / BTreeMap of Decimal",
            over("apply, 2 x 500", TREE),
            Faster,
            Some(11.0),
            None,
        ),
        goal(
            "apply, 2 x 5000 / BTreeMap of Decimal",
            over("apply, 2 x 5000", TREE),
            Faster,
            Some(11.0),
            None,
        ),
        goal(
            "apply, flat 2 x 500 / BTreeMap of Decimal",
            over("apply, flat 2 x 500", TREE),
            Faster,
            None,
            Some(4.0),
        ),
        goal(
            "apply, flat 2 x 5000 / BTreeMap of Decimal",
            over("apply, flat 2 x 5000", TREE),
            Faster,
            None,
            Some(4.0),
        ),
        goal("best of both sides", ours(best), Nanos, Some(2.0), None),
        goal("top 10 of both sides", ours(top), Nanos, Some(20.0), Some(10.0)),
        goal(
            "pipeline, 200 symbols / the usual way",
            over("pipeline, 200 symbols", USUAL),
            Faster,
            Some(10.0),
            Some(12.0),
        ),
        goal(
            "pipeline, as against bare parse and apply",
            under("pipeline, 200 symbols", "ours, bare parse and apply"),
            AsLong,
            None,
            Some(1.5),
        ),
        goal("p99.9 of the pipeline / the usual way", tail(), Faster, Some(5.0), None),
        goal(
            "snapshot / serde_json into Vec<(f64, u64)>",
            over("snapshot, 2 x 1000", "serde_json into Vec<(f64, u64)>"),
            Faster,
            Some(5.0),
            None,
        ),
    ];
    if cfg!(feature = "rivals") {
        goals.insert(
            7,
            goal(
                "apply, 2 x 500 / hftbacktest ROI vector",
                over("apply, 2 x 500", ROI),
                Faster,
                Some(2.0),
                None,
            ),
        );
    }
    goals
}

pub(super) fn table(report: &Report) -> String {
    let head = ["goal", "measured", "at least", "reach for", ""].map(String::from).to_vec();
    let rows = all(report).into_iter().filter_map(|goal| {
        let value = goal.value?;
        let unit = goal.unit;
        let is_met = |bound: Option<f64>| bound.map(|bound| unit.is_met(value, bound));
        let verdict = match (is_met(goal.at_least), is_met(goal.reach_for)) {
            (_, Some(true)) => "reached",
            (Some(true), _) => "met",
            (Some(false), _) => "missed",
            (None, _) => "not reached",
        };
        let bounds = [unit.bound(goal.at_least), unit.bound(goal.reach_for)];
        let [at_least, reach_for] = bounds;
        Some(vec![goal.what.into(), unit.show(value), at_least, reach_for, verdict.into()])
    });
    lay_out(&std::iter::once(head).chain(rows).collect::<Vec<_>>())
}
