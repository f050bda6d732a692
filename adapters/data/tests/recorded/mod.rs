//! Recordings of simulated runs.

#![allow(dead_code, reason = "each test has its own need")]

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use kucoin_futures_data::{Recorder, RecorderOptions, RecorderStatus};
use kucoin_futures_sim::{Profile, Scenario, Taps, soak};

/// A folder that is removed with everything in it.
pub(crate) struct Folder(PathBuf);

impl Folder {
    pub(crate) fn new(name: &str) -> Self {
        static NUMBER: AtomicU64 = AtomicU64::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let name = format!("kcf-data-{}-{name}-{number}", std::process::id());
        let path = std::env::temp_dir().join(name);
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// Records a run of everything that can go wrong.
pub(crate) fn record(folder: &Path, seed: u64, options: RecorderOptions) -> RecorderStatus {
    record_scenario(folder, &Scenario::from_seed(Profile::Swarm, seed), options)
}

pub(crate) fn record_scenario(
    folder: &Path,
    scenario: &Scenario,
    mut options: RecorderOptions,
) -> RecorderStatus {
    let clock = scenario.clone();
    options.wall = Arc::new(move |now| clock.unix(now));
    let recorder = Recorder::create(folder, options).unwrap();
    // The first client, until it is replaced.
    let mut tap = Some(recorder.tap());
    let taps = Taps::new(move |number| tap.take_if(|_| number == 0));
    let report = soak::run_tapped(scenario, None, taps, &mut |_| true);
    assert_eq!(report.failure, None);
    let (status, result) = recorder.finish();
    result.unwrap();
    status
}
