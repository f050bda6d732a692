//! The copy: core and simulation in a workspace of their own, with the bugs and a small program.

use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result};

use crate::bugs::BUGS;
use crate::plant::{Sources, plant};

/// Makes the copy anew.
pub(crate) fn make(root: &Path, planted: &Path) -> Result<()> {
    fs::create_dir_all(planted)?;
    for (from, to) in [("core", "core"), ("adapters/sim", "adapters/sim")] {
        let (from, to) = (root.join(from), planted.join(to));
        // A file that was moved must not be there twice.
        if to.join("src").exists() {
            fs::remove_dir_all(to.join("src"))?;
        }
        copy(&from.join("src"), &to.join("src"))?;
        let manifest = fs::read_to_string(from.join("Cargo.toml"))?;
        write(&to.join("Cargo.toml"), without_tests(&manifest))?;
    }
    let mut sources = Sources::new();
    read(&planted.join("core/src"), "core/src", &mut sources)?;
    plant(&mut sources, BUGS)?;
    for (name, text) in sources {
        write(&planted.join(name), text)?;
    }
    let lib = planted.join("core/src/lib.rs");
    let text = fs::read_to_string(&lib)?;
    write(&lib, format!("{text}\n{SWITCH}"))?;
    let workspace = fs::read_to_string(root.join("Cargo.toml"))?;
    write(&planted.join("Cargo.toml"), workspace_of_three(&workspace)?)?;
    fs::copy(root.join("Cargo.lock"), planted.join("Cargo.lock"))?;
    write(&planted.join("hunt/Cargo.toml"), HUNT_MANIFEST.into())?;
    write(&planted.join("hunt/src/main.rs"), HUNT.into())
}

fn copy(from: &Path, to: &Path) -> Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from).with_context(|| format!("{}", from.display()))? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy(&entry.path(), &target)?;
        } else {
            fs::copy(entry.path(), target)?;
        }
    }
    Ok(())
}

/// Reads all Rust below a folder.
fn read(folder: &Path, name: &str, sources: &mut Sources) -> Result<()> {
    for entry in fs::read_dir(folder).with_context(|| format!("{}", folder.display()))? {
        let entry = entry?;
        let (path, name) = (entry.path(), format!("{name}/{}", entry.file_name().display()));
        if entry.file_type()?.is_dir() {
            read(&path, &name, sources)?;
        } else if name.ends_with(".rs") {
            let text = fs::read_to_string(&path).with_context(|| name.clone())?;
            sources.insert(name, text);
        }
    }
    Ok(())
}

/// Nobody tests the copy.
fn without_tests(manifest: &str) -> String {
    let mut kept = String::new();
    let mut skips = false;
    for line in manifest.lines() {
        if line.starts_with('[') {
            skips = ["[dev-dependencies", "[lints", "[[test"].iter().any(|it| line.starts_with(it));
        }
        if !skips {
            kept.push_str(line);
            kept.push('\n');
        }
    }
    kept
}

fn workspace_of_three(workspace: &str) -> Result<String> {
    let start = workspace.find("members = [").context("the workspace has no members")?;
    let rest = workspace.get(start..).unwrap_or_default();
    let end = rest.find("]\n").context("the list of members has no end")?;
    let after = rest.get(end..).unwrap_or_default();
    let before = workspace.get(..start).unwrap_or_default();
    Ok(format!("{before}members = [\"core\", \"adapters/sim\", \"hunt\"{after}"))
}

fn write(path: &Path, text: String) -> Result<()> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    fs::write(path, text).with_context(|| format!("{}", path.display()))
}

/// Which bug is switched on: one for the whole process.
const SWITCH: &str = r#"
/// Switches for planted bugs.
#[allow(missing_docs, reason = "a copy")]
pub mod planted {
    use core::sync::atomic::{AtomicUsize, Ordering};
    static BUG: AtomicUsize = AtomicUsize::new(0);
    pub fn set(bug: usize) {
        BUG.store(bug, Ordering::Relaxed);
    }
    pub(crate) fn is_on(bug: usize) -> bool {
        BUG.load(Ordering::Relaxed) == bug
    }
}
"#;

const HUNT_MANIFEST: &str = r#"[package]
name = "hunt"
version = "0.0.0"
edition = "2024"

[dependencies]
kucoin-futures-proto.workspace = true
kucoin-futures-sim = { path = "../adapters/sim", default-features = false }
allocation-counter.workspace = true
"#;

/// `hunt MODE BUG LIMIT SECONDS`: how far into its limit the hunter of that mode came until the bug
/// gave itself away, the time, and the words; or `nothing`.
const HUNT: &str = r#"
use kucoin_futures_sim::small::{Extent, Times, explore};
use kucoin_futures_proto::Client;
use kucoin_futures_sim::{Profile, Scenario, soak};
use std::time::Instant;

fn main() {
    std::panic::set_hook(Box::new(|_| {}));
    let args: Vec<String> = std::env::args().skip(1).collect();
    let numbers: Vec<u64> = args[1..].iter().map(|a| a.parse().unwrap()).collect();
    if args[0] == "small-world" {
        SOUND.set(Times::ALL.map(costlier)).unwrap();
    }
    kucoin_futures_proto::planted::set(numbers[0] as usize);
    let start = Instant::now();
    let goes_on = || start.elapsed().as_secs() < numbers[2];
    let found = match args[0].as_str() {
        "simulation" => simulation(numbers[1], goes_on),
        "small-world" => small_world(),
        "memory" => memory(),
        other => panic!("no hunter is called {other}"),
    };
    match found {
        Some((count, words)) => {
            let words: String = words.chars().take(90).collect();
            println!("{count:>6}{:>8.2}  {words}", start.elapsed().as_secs_f64());
        }
        None => println!("nothing"),
    }
}

/// What the small world says without any bug.
static SOUND: std::sync::OnceLock<[u64; 4]> = std::sync::OnceLock::new();

/// Claims that need more faults than the truth in histories of five letters; all there are if a claim has
/// no story at all, a book does not come back, or something broke.
fn costlier(times: Times) -> u64 {
    let mut extent = Extent::new(5, times);
    (extent.threads, extent.live_depth) = (1, 4);
    let report = explore(extent);
    if report.is_sound() { report.costlier_claims() } else { u64::MAX }
}

fn small_world() -> Option<(u64, String)> {
    (1..).zip(Times::ALL).zip(SOUND.get().unwrap()).find_map(|((step, times), sound)| {
        let found = costlier(times);
        let words = match found {
            u64::MAX => format!("times {}: not sound", times.name()),
            _ => format!("times {}: {found} claims need more faults than the truth, not {sound}", times.name()),
        };
        (found > *sound).then_some((step, words))
    })
}

/// A book or a stream that grows over a day.
fn memory() -> Option<(u64, String)> {
    let held = |client: &Client| allocation_counter::measure(|| drop(client.clone())).bytes_total;
    let [first, last] = soak::held_over_a_day(held).unwrap();
    (last > first + first / 8).then(|| (1, format!("{first} bytes after an hour, {last} after a day")))
}

/// One seed after the other.
fn simulation(seeds: u64, goes_on: impl Fn() -> bool) -> Option<(u64, String)> {
    (0..seeds).take_while(|_| goes_on()).find_map(|seed| {
        let report = soak::run(&Scenario::from_seed(Profile::Swarm, seed), None);
        report.failure.map(|found| (seed + 1, found.to_string()))
    })
}
"#;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_bug_has_its_place_in_the_core() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        let planted = root.join("target/planted-places");
        make(&root, &planted).unwrap();
        let mut sources = Sources::new();
        read(&planted.join("core/src"), "core/src", &mut sources).unwrap();
        for (number, bug) in (1..).zip(BUGS) {
            let switch = format!("planted::is_on({number})");
            let count: usize = sources.values().map(|text| text.matches(&switch).count()).sum();
            assert_eq!(count, 1, "`{}`", bug.slug);
        }
        for (name, text) in &sources {
            assert!(syn::parse_file(text).is_ok(), "{name}");
        }
    }
}
