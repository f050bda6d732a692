//! Plants bugs in a copy of the core and lets the simulation look for them: a checker that finds
//! nothing proves nothing.
//!
//! ```sh
//! cargo run --release -p kucoin-futures-planted            # all of them
//! cargo run --release -p kucoin-futures-planted any-pong   # only these
//! ```
//!
//! Where a bug goes is said by a comment in the core, directly above a statement, the last
//! expression of a block, or a match arm:
//!
//! ```text
//! // planted: any-pong
//! let ours = ...
//! ```
//!
//! The comment travels with the code: to another file, through a rename, to another layout. What the
//! bug makes of that place is in the list of `bugs.rs`, as an edit of its structure (the statement is
//! skipped, its condition is `false`), which names as little of the text as can be. What is listed
//! and not marked, marked and not listed, or marked where the edit makes no sense is an error; an
//! ordinary test of this package sees it, too, without building anything.
//!
//! The copy lies below `target/planted`. All bugs are in it, each behind a switch, so that it is
//! built once; the core itself knows nothing of them but the comments. A bug that is not found within
//! a minute is a failure.

#![forbid(unsafe_code)]
#![allow(clippy::print_stdout, reason = "a program for people and CI")]

mod bugs;
mod copy;
mod markers;
mod place;
mod plant;

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use anyhow::{Context as _, Result, bail};

use bugs::{BUGS, Bug, By};

/// A bug must be found within this time, by one core.
const SECONDS: u64 = 60;

/// Somebody who looks for bugs: a mode of the program `hunt` in the copy.
struct Hunter {
    mode: &'static str,
    /// What it counts.
    unit: &'static str,
    /// How many of these without any bug must show nothing.
    sound: u64,
    /// Bugs of these it must find.
    by: By,
    /// It looks for all the others, too.
    all: bool,
}

const HUNTERS: &[Hunter] = &[
    Hunter { mode: "small-world", unit: "step", sound: 1, by: By::SmallWorld, all: true },
    Hunter { mode: "memory", unit: "day", sound: 1, by: By::Memory, all: false },
    Hunter { mode: "simulation", unit: "seeds", sound: 300, by: By::Simulation, all: false },
];

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            println!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<()> {
    let slugs: Vec<String> = std::env::args().skip(1).collect();
    let bugs = chosen(&slugs)?;
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let planted = root.join("target/planted");
    copy::make(&root, &planted)?;
    let hunt = build(&planted)?;
    for hunter in HUNTERS {
        let Hunter { mode, unit, sound, .. } = *hunter;
        let said = hunter.look(&hunt, 0, sound)?;
        if !said.starts_with("nothing") {
            bail!("without any bug the {mode} says: {said}");
        }
        println!("{:<62}{unit:>6}{:>8}  what gave it away to the {mode}", "bug", "s");
        let (own, others): (Vec<_>, Vec<_>) =
            bugs.iter().copied().partition(|(_, bug)| bug.by == hunter.by);
        let missed = hunter.look_for_all(&hunt, &own)?;
        println!("{} of {} bugs found", own.len() - missed, own.len());
        if missed > 0 {
            bail!("the {mode} did not find {missed} bugs within {SECONDS} s each");
        }
        if hunter.all {
            let missed = hunter.look_for_all(&hunt, &others)?;
            println!("{} of the {} others found, too", others.len() - missed, others.len());
        }
    }
    Ok(())
}

/// The bugs of these slugs with their numbers; all of them, if none is named.
fn chosen(slugs: &[String]) -> Result<Vec<(usize, &'static Bug)>> {
    if let Some(slug) = slugs.iter().find(|slug| !BUGS.iter().any(|bug| bug.slug == **slug)) {
        bail!("no bug is called `{slug}`");
    }
    let is_chosen = |bug: &Bug| slugs.is_empty() || slugs.iter().any(|slug| slug == bug.slug);
    Ok((1..).zip(BUGS).filter(|(_, bug)| is_chosen(bug)).collect())
}

fn build(planted: &Path) -> Result<PathBuf> {
    let status = Command::new(env!("CARGO"))
        .args(["build", "--release", "--quiet", "--manifest-path"])
        .arg(planted.join("Cargo.toml"))
        .arg("--target-dir")
        .arg(planted.join("target"))
        // Bugs are planted without regard to style.
        .env("RUSTFLAGS", "-Awarnings")
        .stdin(Stdio::null())
        .status()
        .context("cargo did not start")?;
    if !status.success() {
        bail!("the copy with the bugs does not build");
    }
    Ok(planted.join("target/release/hunt"))
}

impl Hunter {
    /// Looks for one bug; 0 is none.
    fn look(&self, hunt: &Path, number: usize, limit: u64) -> Result<String> {
        let output = Command::new(hunt)
            .arg(self.mode)
            .args([number.to_string(), limit.to_string(), SECONDS.to_string()])
            .output()
            .context("the hunt did not start")?;
        let said = String::from_utf8_lossy(&output.stdout).trim_end().to_owned();
        if !output.status.success() || said.is_empty() {
            bail!("the hunt for bug {number} ended without a word: {}", output.status);
        }
        Ok(said)
    }

    /// As many at a time as there are processors; says how many were not found.
    fn look_for_all(&self, hunt: &Path, bugs: &[(usize, &Bug)]) -> Result<usize> {
        let (next, missed) = (AtomicUsize::new(0), AtomicUsize::new(0));
        let failed = Mutex::new(None);
        let work = || {
            while let Some((number, bug)) = bugs.get(next.fetch_add(1, Ordering::Relaxed)) {
                match self.look(hunt, *number, 1_000_000) {
                    Ok(said) => {
                        let is_missed = said.starts_with("nothing");
                        missed.fetch_add(usize::from(is_missed), Ordering::Relaxed);
                        println!("{:<62}{said}", bug.name);
                    }
                    Err(error) => *failed.lock().unwrap_or_else(|e| e.into_inner()) = Some(error),
                }
            }
        };
        std::thread::scope(|scope| {
            for _ in 0..std::thread::available_parallelism().map_or(1, |n| n.get()) {
                scope.spawn(work);
            }
        });
        match failed.into_inner().unwrap_or_else(|e| e.into_inner()) {
            Some(error) => Err(error),
            None => Ok(missed.into_inner()),
        }
    }
}
