//! The picture for the README: bars, one panel for each question, ours in colour.

use std::fmt::Write as _;

use super::{Report, split, time, times};
use crate::ours;

/// Panels: a title and the group it shows.
const PANELS: [(&str, &str); 5] = [
    ("Parse: frame to exact change", "parse, usual"),
    ("Apply: change to book, 2 x 500 levels", "apply, 2 x 500"),
    ("Pipeline: bytes in, best bid and ask out, 200 symbols", "pipeline, 200 symbols"),
    ("Slowest frame in a thousand of that pipeline (p99.9)", "latency"),
    ("Snapshot: 2 x 1000 levels of JSON to book", "snapshot, 2 x 1000"),
];

/// Variants of what stands beside them anyway.
const LEFT_OUT: [&str; 5] = [
    "serde_json borrowed, Decimal",
    "ours, bare parse and apply",
    "hftbacktest BTree",
    "hftbacktest HashMap",
    "serde_json borrowed + sorted Vec",
];

const WIDTH: f64 = 780.0;
const NAMES: f64 = 290.0;
const BARS: f64 = 350.0;
const ROW: f64 = 21.0;

const STYLE: &str = "\
text{font:13px system-ui,-apple-system,'Segoe UI',Helvetica,Arial,sans-serif;fill:#1f2328}\
.title{font-weight:600}.value{font-variant-numeric:tabular-nums}.note{font-size:12px;fill:#656d76}\
.rival{fill:#afb8c1}.floor{fill:#d8dee4}.ours{fill:#1a7f37}.me{font-weight:600}\
@media(prefers-color-scheme:dark){text{fill:#e6edf3}.note{fill:#8d96a0}.rival{fill:#545d68}\
.floor{fill:#373e47}.ours{fill:#3fb950}}";

/// Draws the chart, as SVG.
#[must_use]
pub fn draw(report: &Report) -> String {
    let mut body = String::new();
    let mut y = 8.0;
    for (title, group) in PANELS {
        let bars = bars(report, group);
        if bars.is_empty() {
            continue;
        }
        y += 20.0;
        let _ = writeln!(body, r#"<text class="title" x="12" y="{y}">{}</text>"#, escape(title));
        y += 8.0;
        panel(&mut body, &bars, &mut y);
        y += 8.0;
    }
    y += 16.0;
    let note = "Shorter is better; each panel has a scale of its own. Medians of one run, one machine: \
                see benches/RESULTS.md.";
    let _ = writeln!(body, r#"<text class="note" x="12" y="{y}">{note}</text>"#);
    let height = y + 14.0;
    format!(
        r#"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}" role="img" aria-label="Benchmarks: ours beside its rivals">
<style>{STYLE}</style>
{body}</svg>
"#
    )
}

fn panel(body: &mut String, bars: &[(String, f64)], y: &mut f64) {
    let longest = bars.iter().map(|(_, nanos)| *nanos).fold(1.0, f64::max);
    let ours = bars.iter().find(|(name, _)| name == ours::NAME).map(|(_, nanos)| *nanos);
    for (name, nanos) in bars {
        let is_ours = name == ours::NAME;
        let class = match name {
            _ if is_ours => "ours",
            name if name.starts_with("floor") => "floor",
            _ => "rival",
        };
        let me = if is_ours { " me" } else { "" };
        let shown = name.replace(" borrowed +", " +");
        let shown = if is_ours { "kucoin-futures-proto" } else { &shown };
        let value = match ours {
            Some(ours) if !is_ours => format!("{}   {}", time(*nanos), times(nanos / ours)),
            _ => time(*nanos),
        };
        let length = (nanos / longest * BARS).max(1.0);
        let (end, base) = (NAMES - 8.0, *y + 14.0);
        let after = NAMES + length + 8.0;
        let shown = escape(shown);
        let _ = writeln!(
            body,
            r#"<text class="name{me}" x="{end}" y="{base}" text-anchor="end">{shown}</text><rect class="{class}" x="{NAMES}" y="{:.1}" width="{length:.1}" height="14" rx="2"/><text class="value{me}" x="{after:.1}" y="{base}" xml:space="preserve">{value}</text>"#,
            *y + 3.0,
        );
        *y += ROW;
    }
}

/// Names and nanoseconds, shortest first.
fn bars(report: &Report, group: &str) -> Vec<(String, f64)> {
    let mut bars: Vec<(String, f64)> = if split(group).0 == "latency" {
        let tail = |latency: super::Latency| {
            let rival = "serde_json borrowed + BTreeMap of Decimal";
            [(ours::NAME, latency.ours), (rival, latency.rival)]
        };
        let tails = report.latency().map(tail).into_iter().flatten();
        tails.map(|(name, tail)| (name.into(), tail.p999 as f64)).collect()
    } else {
        let kept = report.group(group).filter(|one| !LEFT_OUT.contains(&one.name.as_str()));
        kept.map(|one| (one.name.clone(), one.nanos)).collect()
    };
    bars.sort_by(|(_, a), (_, b)| a.total_cmp(b));
    bars
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}
