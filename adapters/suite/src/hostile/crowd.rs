//! Many visits at a time, drawn from the table: all of the clients in one process.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use kucoin_futures_proto::SplitMix64;

use super::visit::Visit;
use super::visitors::Visitors;
use super::{RUNTIMES, rows};

/// What came of all of them.
#[derive(Debug)]
pub struct Crowd {
    /// By what the feeds called it.
    classes: BTreeMap<String, Vec<Duration>>,
    healed: Vec<Duration>,
    /// What did not end as its row says, in words.
    pub wrong: Vec<String>,
    most_resident: Option<u64>,
}

/// Makes so many visits, `at_a_time` of them at a time; which ones, and on which runtime and wire, the seed decides.
#[must_use]
pub fn hostile_crowd(visits: usize, at_a_time: usize, seed: u64) -> Crowd {
    let (rows, mut rng) = (rows(), SplitMix64::new(seed));
    let mut below = |count: usize| rng.below(count as u64) as usize;
    let drawn: Vec<_> = (0..visits)
        .map(|_| {
            let row = rows[below(rows.len())];
            (row, row.wires[below(row.wires.len())], RUNTIMES[below(RUNTIMES.len())])
        })
        .collect();
    let (visitors, next) = (Visitors::new(), AtomicUsize::new(0));
    let (classes, healed, wrong) = (BTreeMap::new(), Vec::new(), Vec::new());
    let crowd = Mutex::new(Crowd { classes, healed, wrong, most_resident: None });
    std::thread::scope(|scope| {
        for _ in 0..at_a_time {
            scope.spawn(|| {
                while let Some(&(row, wire, runtime)) =
                    drawn.get(next.fetch_add(1, Ordering::Relaxed))
                {
                    let visit = Visit::make(row, wire, runtime, &visitors);
                    let wrong = match &visit {
                        None => Some("it hangs".into()),
                        Some(visit) => {
                            visit.wrong(row, false).map(|wrong| format!("{wrong:?}: {visit}"))
                        }
                    };
                    let at = format!("{runtime}::{wire}::{}", row.name);
                    crowd.lock().unwrap().add(visit, wrong.map(|wrong| format!("{at}: {wrong}")));
                }
            });
        }
    });
    let mut crowd = crowd.into_inner().unwrap();
    crowd.most_resident = visitors.most_resident();
    crowd
}

impl Crowd {
    fn add(&mut self, visit: Option<Visit>, wrong: Option<String>) {
        self.wrong.extend(wrong);
        let Some(visit) = visit else { return };
        self.healed.extend(visit.healed);
        self.classes.entry(visit.class).or_default().push(visit.took);
    }
}

/// A line for each class, then what was wrong.
impl fmt::Display for Crowd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{:>6} {:>9} {:>9}  class", "count", "median ms", "most ms")?;
        let healed = ("live again".to_owned(), &self.healed);
        let classes = self.classes.iter().map(|(class, took)| (class.clone(), took));
        for (class, took) in classes.chain([healed]) {
            let mut took = took.clone();
            took.sort_unstable();
            let [median, most] = [took.len() / 2, took.len().saturating_sub(1)]
                .map(|at| took.get(at).map_or(0, Duration::as_millis));
            writeln!(f, "{:>6} {median:>9} {most:>9}  {class}", took.len())?;
        }
        if let Some(kib) = self.most_resident {
            writeln!(f, "most resident memory of the clients' process: {kib} KiB")?;
        }
        writeln!(f, "not as the table says: {}", self.wrong.len())?;
        self.wrong.iter().try_for_each(|wrong| writeln!(f, "  {wrong}"))
    }
}
