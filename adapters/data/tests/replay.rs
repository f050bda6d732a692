//! What was recorded is replayed: the same outputs, byte for byte.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs,
    reason = "tests"
)]

mod recorded;

use kucoin_futures_data::{RecorderOptions, Recording, Replayer, SegmentEnd};
use recorded::{Folder, record};

fn options() -> RecorderOptions {
    let mut options = RecorderOptions::default();
    options.block_bytes = 16 << 10;
    options.segment_bytes = 40 << 10;
    options
}

#[test]
fn simulated_runs_with_every_fault_replay_to_the_same_outputs() {
    let mut rotated = 0;
    for seed in 0..40 {
        let folder = Folder::new("swarm");
        let status = record(folder.path(), seed, options());
        let recording = Recording::open(folder.path()).unwrap();
        assert_eq!(recording.sessions.len(), 1);
        let mut replayer = Replayer::new(&recording.sessions[0]);
        replayer.run(&mut ()).unwrap();
        let replayed = replayer.replayed();
        assert!(replayed.is_equal(), "seed {seed}: {replayed:?}");
        assert_eq!(replayed.end, Some(SegmentEnd::Finished), "seed {seed}");
        assert_eq!((replayed.records, status.lost), (status.records, 0), "seed {seed}");
        rotated += u32::from(status.segments > 1);
    }
    assert!(rotated > 10, "only {rotated} had several files");
}
