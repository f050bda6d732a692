//! What a run has measured: read from where criterion left it, and told as tables, a page and a chart.

pub mod chart;
pub mod goals;
pub mod page;

use std::fmt::Write as _;
use std::fs;
use std::io;
use std::path::Path;
use std::time::SystemTime;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{ours, run};

/// A median of one benchmark, per element.
#[derive(Clone, PartialEq, Debug)]
pub struct Measured {
    /// Like `parse, usual`: a family, and a variant of it.
    pub group: String,
    /// Ours, or a rival.
    pub name: String,
    /// Nanoseconds.
    pub nanos: f64,
}

/// Percentiles in nanoseconds, without the timer.
#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Debug)]
pub struct Tail {
    /// Half of all frames take longer.
    pub p50: u64,
    /// One in a hundred.
    pub p99: u64,
    /// One in a thousand.
    pub p999: u64,
    /// The same with the first frame of each symbol, which the others are without.
    pub p999_with_firsts: u64,
}

/// What the benchmark of the tail has found.
#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Debug)]
pub struct Latency {
    /// Median of the timer alone, which was taken off.
    pub timer: u64,
    /// The whole client.
    pub ours: Tail,
    /// `serde_json`, `HashMap`, `BTreeMap` of `Decimal`.
    pub rival: Tail,
}

const LATENCY: &str = "latency.json";

impl Latency {
    /// Leaves it for the summary.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn save(&self) -> io::Result<()> {
        fs::create_dir_all(run::measurements())?;
        fs::write(run::measurements().join(LATENCY), serde_json::to_string(self)?)
    }
}

/// All that one run has measured.
#[derive(Clone, PartialEq, Debug)]
pub struct Report {
    measured: Vec<Measured>,
    latency: Option<Latency>,
}

impl Report {
    /// Reads what this run has left; what is older is not looked at.
    #[must_use]
    pub fn read() -> Self {
        let since = run::started().unwrap_or(SystemTime::UNIX_EPOCH);
        let mut measured: Vec<(SystemTime, Measured)> = Vec::new();
        for group in folders(&run::measurements()) {
            measured.extend(folders(&group).iter().filter_map(|path| measurement(path, since)));
        }
        // In the order in which they were measured.
        measured.sort_by_key(|(at, _)| *at);
        let measured = measured.into_iter().map(|(_, measured)| measured).collect();
        let latency = run::measurements().join(LATENCY);
        let latency = fresh(&latency, since).and_then(|_| fs::read_to_string(latency).ok());
        let latency = latency.and_then(|text| serde_json::from_str(&text).ok());
        Self { measured, latency }
    }

    /// The median of a benchmark, if this run has it.
    #[must_use]
    pub fn nanos(&self, group: &str, name: &str) -> Option<f64> {
        let mut all = self.measured.iter();
        all.find(|one| one.group == group && one.name == name).map(|one| one.nanos)
    }

    /// What was measured in a group, in order.
    pub fn group<'a>(&'a self, group: &'a str) -> impl Iterator<Item = &'a Measured> {
        self.measured.iter().filter(move |one| one.group == group)
    }

    /// The tail, if this run has it.
    #[must_use]
    pub const fn latency(&self) -> Option<Latency> {
        self.latency
    }

    /// Every benchmark: a table for each family, a row for each rival, a column for each variant.
    #[must_use]
    pub fn tables(&self) -> String {
        let mut text = String::new();
        for family in unique(self.measured.iter().map(|one| split(&one.group).0)) {
            let members = || self.measured.iter().filter(|one| split(&one.group).0 == family);
            let variants = unique(members().map(|one| split(&one.group).1));
            let mut rows = vec![vec![family]];
            rows.extend(
                unique(members().map(|one| one.name.as_str())).into_iter().map(|n| vec![n]),
            );
            let mut cells: Vec<Vec<String>> =
                rows.into_iter().map(|row| row.into_iter().map(String::from).collect()).collect();
            for variant in variants {
                for (at, row) in cells.iter_mut().enumerate() {
                    let name = row.first().cloned().unwrap_or_default();
                    let is_it =
                        |one: &&Measured| split(&one.group).1 == variant && one.name == name;
                    row.push(match members().find(is_it) {
                        _ if at == 0 => variant.into(),
                        Some(one) => self.cell(one),
                        None => String::new(),
                    });
                }
            }
            let _ = writeln!(text, "{}", table(&cells));
        }
        if let Some(latency) = self.latency {
            let _ = writeln!(text, "{}", table(&latency_rows(latency)));
        }
        text
    }

    /// Nanoseconds, and how many times as long as ours.
    fn cell(&self, one: &Measured) -> String {
        match self.nanos(&one.group, ours::NAME) {
            Some(ours) if one.name != ours::NAME => {
                format!("{} ({})", time(one.nanos), times(one.nanos / ours))
            }
            _ => time(one.nanos),
        }
    }
}

fn latency_rows(latency: Latency) -> Vec<Vec<String>> {
    let Latency { ours, rival, .. } = latency;
    let row = |name: &str, cells: [String; 4]| [vec![name.into()], cells.to_vec()].concat();
    let firsts = (ours.p999_with_firsts, rival.p999_with_firsts);
    let pairs = [(ours.p50, rival.p50), (ours.p99, rival.p99), (ours.p999, rival.p999), firsts];
    vec![
        row("latency, 200 symbols", ["p50", "p99", "p99.9", "with first frames"].map(String::from)),
        row(ours::NAME, pairs.map(|(ours, _)| time(ours as f64))),
        row(
            "serde_json borrowed + BTreeMap of Decimal",
            pairs.map(|(ours, rival)| {
                let (ours, rival) = (ours.max(1) as f64, rival as f64);
                format!("{} ({})", time(rival), times(rival / ours))
            }),
        ),
    ]
}

/// A Markdown table that is also legible as text; the first row is its head.
fn table(rows: &[Vec<String>]) -> String {
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let cell = |row: &Vec<String>, at: usize| row.get(at).cloned().unwrap_or_default();
    let width = |at| rows.iter().map(|row| cell(row, at).chars().count()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..columns).map(width).collect();
    let mut text = String::new();
    for (number, row) in rows.iter().enumerate() {
        for (at, &width) in widths.iter().enumerate() {
            let cell = cell(row, at);
            let _ = match at {
                0 => write!(text, "| {cell:<width$} |"),
                _ => write!(text, " {cell:>width$} |"),
            };
        }
        text.push('\n');
        if number == 0 {
            for (at, &width) in widths.iter().enumerate() {
                let _ = match at {
                    0 => write!(text, "|{:-<1$}|", "", width + 2),
                    _ => write!(text, "{:-<1$}:|", "", width + 1),
                };
            }
            text.push('\n');
        }
    }
    text
}

/// `18.3 ns`, `267 ns`, `112 us`.
fn time(nanos: f64) -> String {
    match nanos {
        n if n < 100.0 => format!("{n:.1} ns"),
        n if n < 10_000.0 => format!("{n:.0} ns"),
        n => format!("{:.0} us", n / 1000.0),
    }
}

/// `14.6 x`, `0.45 x`.
fn times(ratio: f64) -> String {
    match ratio {
        r if r < 1.0 => format!("{r:.2} x"),
        r if r < 100.0 => format!("{r:.1} x"),
        r => format!("{r:.0} x"),
    }
}

/// Family and variant of a group.
fn split(group: &str) -> (&str, &str) {
    group.split_once(", ").unwrap_or((group, ""))
}

fn unique<'a>(items: impl Iterator<Item = &'a str>) -> Vec<&'a str> {
    items.fold(Vec::new(), |mut seen, item| {
        if !seen.contains(&item) {
            seen.push(item);
        }
        seen
    })
}

fn folders(path: &Path) -> Vec<std::path::PathBuf> {
    let entries = fs::read_dir(path).into_iter().flatten().flatten();
    entries.map(|entry| entry.path()).filter(|path| path.is_dir()).collect()
}

/// When a file was written, if not before `since`.
fn fresh(path: &Path, since: SystemTime) -> Option<SystemTime> {
    let modified = fs::metadata(path).ok()?.modified().ok()?;
    (modified >= since).then_some(modified)
}

fn measurement(folder: &Path, since: SystemTime) -> Option<(SystemTime, Measured)> {
    let read = |file: &str| -> Option<Value> {
        let text = fs::read_to_string(folder.join("new").join(file)).ok()?;
        serde_json::from_str(&text).ok()
    };
    let at = fresh(&folder.join("new/estimates.json"), since)?;
    let names = read("benchmark.json")?;
    let nanos = read("estimates.json")?.pointer("/median/point_estimate")?.as_f64()?;
    let elements = names.pointer("/throughput/Elements").and_then(Value::as_f64).unwrap_or(1.0);
    let text = |key: &str| Some(names.get(key)?.as_str()?.to_owned());
    let (group, name) = (text("group_id")?, text("function_id")?);
    Some((at, Measured { group, name, nanos: nanos / elements }))
}

#[cfg(test)]
mod tests;
