//! The copy: core and simulation in a workspace of their own, with the bugs and a small program.

use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result, bail};

use crate::bugs::{BUGS, Bug};

/// Makes the copy anew.
pub(crate) fn make(root: &Path, planted: &Path) -> Result<()> {
    fs::create_dir_all(planted)?;
    for (from, to) in [("core", "core"), ("adapters/sim", "adapters/sim")] {
        let (from, to) = (root.join(from), planted.join(to));
        copy(&from.join("src"), &to.join("src"))?;
        let manifest = fs::read_to_string(from.join("Cargo.toml"))?;
        write(&to.join("Cargo.toml"), without_tests(&manifest))?;
    }
    for (number, switches) in (1..).zip(BUGS) {
        // Counted from 1: 0 is no bug.
        plant(number, switches, &planted.join("core/src"))?;
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

fn plant(number: usize, bug: &Bug, sources: &Path) -> Result<()> {
    let path = sources.join(bug.file);
    let text = fs::read_to_string(&path).with_context(|| format!("{}", path.display()))?;
    if text.matches(bug.right).count() != 1 {
        bail!("bug `{}`: its place is not exactly once in {}", bug.name, bug.file);
    }
    let on = format!("crate::planted::is_on({number})");
    let both = if bug.wrong.contains("{on}") {
        bug.wrong.replace("{on}", &on)
    } else if bug.right.ends_with(';') {
        format!("if {on} {{ {} }} else {{ {} }}", bug.wrong, bug.right)
    } else {
        format!("(if {on} {{ {} }} else {{ {} }})", bug.wrong, bug.right)
    };
    write(&path, text.replace(bug.right, &both))
}

/// Nobody tests the copy.
fn without_tests(manifest: &str) -> String {
    let mut kept = String::new();
    let mut skips = false;
    for line in manifest.lines() {
        if line.starts_with('[') {
            skips = line.starts_with("[dev-dependencies") || line.starts_with("[lints");
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
"#;

/// `hunt BUG SEEDS SECONDS`: the first seed that gives the bug away, the time, and the words.
const HUNT: &str = r#"
use kucoin_futures_sim::{Profile, Scenario, soak};
use std::time::Instant;

fn main() {
    std::panic::set_hook(Box::new(|_| {}));
    let args: Vec<u64> = std::env::args().skip(1).map(|a| a.parse().unwrap()).collect();
    kucoin_futures_proto::planted::set(args[0] as usize);
    let start = Instant::now();
    for seed in 0..args[1] {
        if start.elapsed().as_secs() >= args[2] {
            break;
        }
        let report = soak::run(&Scenario::from_seed(Profile::Swarm, seed), None);
        if let Some(found) = report.failure {
            let found: String = found.chars().take(90).collect();
            println!("{:>6}{:>8.2}  {found}", seed + 1, start.elapsed().as_secs_f64());
            return;
        }
    }
    println!("nothing");
}
"#;
