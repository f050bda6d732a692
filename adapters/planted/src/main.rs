//! Plants bugs in a copy of the core and lets the simulation look for them: a checker that finds
//! nothing proves nothing.
//!
//! ```sh
//! cargo run --release -p kucoin-futures-planted
//! ```
//!
//! The copy lies below `target/planted`. All bugs are in it, each behind a switch, so that it is
//! built once; the core itself knows nothing of them. A bug that is not found within a minute, or
//! whose place is not in the core any more, is a failure.

#![forbid(unsafe_code)]
#![allow(clippy::print_stdout, reason = "a program for people and CI")]

mod bugs;
mod copy;

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use anyhow::{Context as _, Result, bail};

use bugs::BUGS;

/// A bug must be found within this time, by one core.
const SECONDS: u64 = 60;
/// Runs of the untouched copy that must find nothing.
const SOUND_SEEDS: &str = "300";

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
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let planted = root.join("target/planted");
    copy::make(&root, &planted)?;
    let hunt = build(&planted)?;
    let sound = Command::new(&hunt).args(["0", SOUND_SEEDS, &SECONDS.to_string()]).output()?;
    let said = String::from_utf8_lossy(&sound.stdout);
    if !said.starts_with("nothing") {
        bail!("without any bug the simulation says: {said}");
    }
    println!("{:<62}{:>6}{:>8}  what gave it away", "bug", "seeds", "s");
    let missed = hunt_all(&hunt)?;
    println!("{} of {} bugs found", BUGS.len() - missed, BUGS.len());
    if missed > 0 {
        bail!("{missed} bugs were not found within {SECONDS} s each");
    }
    Ok(())
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

/// As many at a time as there are processors; says how many were not found.
fn hunt_all(hunt: &Path) -> Result<usize> {
    let (next, missed) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let failed = Mutex::new(None);
    let work = || {
        loop {
            let at = next.fetch_add(1, Ordering::Relaxed);
            let Some(bug) = BUGS.get(at) else { break };
            let number = (at + 1).to_string();
            let run = Command::new(hunt).args([&number, "1000000", &SECONDS.to_string()]).output();
            match run {
                Ok(output) => {
                    let said = String::from_utf8_lossy(&output.stdout);
                    missed.fetch_add(usize::from(said.starts_with("nothing")), Ordering::Relaxed);
                    println!("{:<62}{}", bug.name, said.trim_end());
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
        Some(error) => Err(error).context("the hunt did not start"),
        None => Ok(missed.into_inner()),
    }
}
