//! `RESULTS.md`: the tables of one run, and where it ran.

use std::fs;
use std::process::Command;
use std::time::SystemTime;

use super::{Report, goals};
use crate::run;

const CRATES: [&str; 9] = [
    "serde_json",
    "simd-json",
    "sonic-rs",
    "jiter",
    "rust_decimal",
    "hftbacktest",
    "barter-data",
    "nautilus-model",
    "criterion",
];

/// The page for the repository.
#[must_use]
pub fn write(report: &Report) -> String {
    let timer = report.latency().map_or(0, |latency| latency.timer);
    let versions = versions();
    let (machine, rustc, date) = (machine(), rustc(), today());
    let (goals, tables) = (goals::table(report), report.tables());
    format!(
        "# Benchmarks: results of one run

Written by `cargo bench -p kucoin-futures-bench --features rivals`; not to be edited.

Compare inside this page only: medians of one run on one machine. Between machines and between runs the
nanoseconds move by far more than the ratios, and another build on the same machine ruins both.

{goals}
`x` is how many times as long as ours it takes; per frame, change or read. What each benchmark does, and
what was expected on paper, stands at its top in `benches/benches/`; how the corpus is made, in
`benches/src/corpus.rs`.

{tables}
The latencies are of single frames, in nine rounds of 100,000 in which both take turns; the timer's own
{timer} ns are taken off. The first frame of each symbol, which meets memory that nobody has touched yet and
comes once for each connection, is in the last column only.

| | |
|---|---|
| date | {date} |
| machine | {machine} |
| compiler | {rustc}, an ordinary release build |
| rivals | {versions} |
"
    )
}

fn machine() -> String {
    let info = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let field = |key: &str| {
        let line = info.lines().find(|line| line.starts_with(key))?;
        line.split_once(": ").map(|(_, value)| value.trim().to_owned())
    };
    let model = field("model name").unwrap_or_else(|| "unknown processor".into());
    let kind = match (field("vendor_id"), field("cpu family"), field("model\t")) {
        (Some(vendor), Some(family), Some(model)) => format!(" ({vendor} {family}/{model})"),
        _ => String::new(),
    };
    let cores = std::thread::available_parallelism().map_or(0, std::num::NonZero::get);
    let (os, arch) = (std::env::consts::OS, std::env::consts::ARCH);
    format!("{model}{kind}, {cores} cores seen, {os} {arch}")
}

fn rustc() -> String {
    let output = Command::new("rustc").arg("--version").output();
    let text = output.ok().and_then(|output| String::from_utf8(output.stdout).ok());
    text.map_or_else(|| "unknown rustc".into(), |text| text.trim().to_owned())
}

fn versions() -> String {
    let lock = fs::read_to_string(run::package().join("../Cargo.lock")).unwrap_or_default();
    let version = |name: &str| {
        let (_, rest) = lock.split_once(&format!("name = \"{name}\"\nversion = \""))?;
        rest.split_once('"').map(|(version, _)| format!("{name} {version}"))
    };
    CRATES.into_iter().filter_map(version).collect::<Vec<_>>().join(", ")
}

/// The date in UTC.
#[allow(clippy::disallowed_methods, reason = "a page says when it was written")]
fn today() -> String {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    let days = now.map_or(0, |now| now.as_secs() / 86_400);
    let (year, month, day) = civil(days);
    format!("{year}-{month:02}-{day:02}")
}

/// Year, month and day of a day since 1970 (Howard Hinnant, `civil_from_days`).
pub(super) const fn civil(days: u64) -> (u64, u64, u64) {
    let days = days + 719_468;
    let (era, of_era) = (days / 146_097, days % 146_097);
    let year = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let shifted = (5 * of_year + 2) / 153;
    let day = of_year - (153 * shifted + 2) / 5 + 1;
    let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
    (era * 400 + year + if month <= 2 { 1 } else { 0 }, month, day)
}
