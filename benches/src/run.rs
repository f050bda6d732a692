//! One run of `cargo bench`: is it one that measures, and what belongs to it.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

/// Whether nothing is measured, only tried: `cargo bench -- --test`, or outside of `cargo bench`.
#[must_use]
pub fn is_trial() -> bool {
    let has = |word: &str| std::env::args().any(|argument| argument == word);
    has("--test") || !has("--bench")
}

/// `full` of something in a run that measures, a hundredth of it in one that only tries.
#[must_use]
pub fn sized(full: usize) -> usize {
    if is_trial() { full / 100 } else { full }
}

/// The package's folder.
#[must_use]
pub fn package() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Where criterion writes what it measured.
#[must_use]
pub fn measurements() -> PathBuf {
    let target = std::env::var_os("CARGO_TARGET_DIR").map(PathBuf::from);
    target.unwrap_or_else(|| package().join("../target")).join("criterion")
}

/// To be called first by each benchmark. All that one `cargo bench` starts have one parent, so the first
/// of them leaves a mark, and what is older than the mark is of another run: never to be compared with.
pub fn begin() {
    if is_trial() || started().is_some() {
        return;
    }
    // Without a mark the summary leaves out nothing, and says so.
    let _ = fs::create_dir_all(measurements());
    let _ = fs::write(mark(), parent());
}

/// When this run began; `None` if none of its benchmarks has begun.
#[must_use]
pub fn started() -> Option<SystemTime> {
    let known = fs::read_to_string(mark()).ok()?;
    let modified = || fs::metadata(mark()).ok()?.modified().ok();
    if known == parent() { modified() } else { None }
}

fn mark() -> PathBuf {
    measurements().join("this-run")
}

#[cfg(unix)]
fn parent() -> String {
    std::os::unix::process::parent_id().to_string()
}

/// No parent to go by: every benchmark is a run by itself, and the summary shows the last one.
#[cfg(not(unix))]
fn parent() -> String {
    std::process::id().to_string()
}
