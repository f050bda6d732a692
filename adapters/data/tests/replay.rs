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

/// Counts changes of books.
#[cfg(feature = "arrow")]
#[derive(Default)]
struct Deltas(usize);

#[cfg(feature = "arrow")]
impl kucoin_futures_data::Sink for Deltas {
    fn on_start(&mut self, _: &kucoin_futures_data::Moment<'_>) -> std::io::Result<()> {
        Ok(())
    }

    fn on_output(
        &mut self,
        _: &kucoin_futures_data::Moment<'_>,
        output: &kucoin_futures_proto::Output<'_>,
    ) -> std::io::Result<()> {
        use kucoin_futures_proto::{BookEvent, Event, Output};
        self.0 += usize::from(matches!(output, Output::Event(Event::Book(_, BookEvent::Delta(_)))));
        Ok(())
    }

    fn on_end(&mut self, _: &kucoin_futures_data::Moment<'_>) -> std::io::Result<()> {
        Ok(())
    }
}

#[cfg(feature = "arrow")]
#[test]
fn a_table_of_a_recording_has_every_change_of_every_session() {
    use arrow_array::RecordBatchReader as _;
    use kucoin_futures_data::batch::{SNAPSHOT, Table, TableReader};

    let folder = Folder::new("table");
    record(folder.path(), 3, options());
    record(folder.path(), 4, options());
    let recording = Recording::open(folder.path()).unwrap();
    assert_eq!(recording.sessions.len(), 2);
    let mut deltas = Deltas::default();
    for session in &recording.sessions {
        Replayer::new(session).run(&mut deltas).unwrap();
    }
    let reader = TableReader::new(&recording, Table::Level2, 100);
    let schema = reader.schema();
    let (mut changes, mut batches) = (0, 0);
    for batch in reader {
        let batch = batch.unwrap();
        assert_eq!(batch.schema(), schema);
        let flags = batch.column_by_name("flags").unwrap();
        let sizes = batch.column_by_name("size").unwrap();
        let flags = flags.as_any().downcast_ref::<arrow_array::Int32Array>().unwrap();
        let is_change = |row: &usize| {
            flags.value(*row) & SNAPSHOT == 0 && arrow_array::Array::is_valid(sizes, *row)
        };
        changes += (0..batch.num_rows()).filter(is_change).count();
        batches += 1;
    }
    assert!(batches > 2 && deltas.0 > 200, "{batches} {}", deltas.0);
    // Those before a book is written with its snapshot are in that.
    assert!(changes <= deltas.0 && changes * 10 > deltas.0 * 9, "{changes} of {}", deltas.0);
}

#[cfg(feature = "arrow")]
#[test]
fn a_recording_that_cannot_be_read_on_ends_its_table_with_the_error_once() {
    use kucoin_futures_data::batch::{Table, TableReader};

    let folder = Folder::new("gone");
    record(folder.path(), 3, options());
    let recording = Recording::open(folder.path()).unwrap();
    for file in recording.sessions[0].files() {
        std::fs::remove_file(file).unwrap();
    }
    let mut reader = TableReader::new(&recording, Table::Trades, 100);
    assert!(matches!(reader.next(), Some(Err(_))));
    assert!(reader.next().is_none());
}
