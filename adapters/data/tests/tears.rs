//! A recorder that is killed, and a disk that fails: what was written is read, and nothing else.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs,
    reason = "tests"
)]

mod recorded;

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use kucoin_futures_data::RecorderOptions;
use kucoin_futures_data::{Moment, Recording, RecordingError, Replayed, Replayer, Sink, TearKind};
use kucoin_futures_proto::{Output, SplitMix64};
use kucoin_futures_sim::{Profile, Scenario};
use recorded::{Folder, record_scenario};

/// Keeps what was put out, as text.
#[derive(Default)]
struct Texts(Vec<String>);

impl Sink for Texts {
    fn on_start(&mut self, _: &Moment<'_>) -> io::Result<()> {
        Ok(())
    }

    fn on_output(&mut self, moment: &Moment<'_>, output: &Output<'_>) -> io::Result<()> {
        self.0.push(format!("{:?} {output:?}", moment.now));
        Ok(())
    }

    fn on_end(&mut self, _: &Moment<'_>) -> io::Result<()> {
        Ok(())
    }
}

/// A session of several files with small blocks.
fn recorded(folder: &Path) -> Vec<PathBuf> {
    let mut options = RecorderOptions::default();
    options.block_bytes = 2 << 10;
    options.segment_bytes = 10 << 10;
    let scenario = Scenario::from_seed(Profile::Swarm, 3);
    let status = record_scenario(folder, &scenario, options);
    assert!(status.segments >= 2, "{status:?}");
    let mut files: Vec<PathBuf> = folder.read_dir().unwrap().map(|e| e.unwrap().path()).collect();
    files.sort();
    files
}

fn replay(folder: &Path) -> Result<(Replayed, Vec<String>), RecordingError> {
    let recording = Recording::open(folder)?;
    let mut replayer = Replayer::new(&recording.sessions[0]);
    let mut texts = Texts::default();
    replayer.run(&mut texts)?;
    Ok((replayer.replayed().clone(), texts.0))
}

/// A copy of the session as a killed recorder leaves it: its files up to some byte.
fn cut(files: &[PathBuf], to: &Path, mut bytes: u64) {
    fs::create_dir_all(to).unwrap();
    for file in files {
        let content = fs::read(file).unwrap();
        let len = content.len().min(usize::try_from(bytes).unwrap());
        fs::write(to.join(file.file_name().unwrap()), &content[..len]).unwrap();
        bytes -= len as u64;
        if len < content.len() {
            return;
        }
    }
}

#[test]
fn after_a_kill_at_any_byte_every_whole_block_is_read_and_nothing_else() {
    let folder = Folder::new("kills");
    let whole = folder.path().join("whole");
    let files = recorded(&whole);
    let (full, all) = replay(&whole).unwrap();
    assert!(full.is_equal() && full.tear.is_none());
    let total: u64 = files.iter().map(|file| file.metadata().unwrap().len()).sum();
    let mut random = SplitMix64::new(18);
    let (mut torn, mut latest) = (0, 0);
    let mut places: Vec<u64> = (0..1000).map(|_| random.next_u64() % total).collect();
    places.sort_unstable();
    for (number, place) in places.into_iter().enumerate() {
        let copy = folder.path().join(format!("cut-{number}"));
        cut(&files, &copy, place);
        match replay(&copy) {
            Ok((replayed, texts)) => {
                assert!(replayed.is_equal(), "cut at {place}: {replayed:?}");
                assert_eq!(texts, all[..texts.len()], "cut at {place}");
                // Never less than of a shorter file, and all of the blocks that are whole.
                assert!(replayed.records >= latest, "cut at {place}");
                latest = replayed.records;
                let tear = replayed.tear.unwrap();
                let kinds = [TearKind::Cut, TearKind::NoEnd, TearKind::NoSegment];
                assert!(kinds.contains(&tear.kind), "cut at {place}: {tear:?}");
                torn += 1;
            }
            // Not even the head is there.
            Err(RecordingError::Foreign { .. }) => assert_eq!(latest, 0, "cut at {place}"),
            Err(error) => panic!("cut at {place}: {error}"),
        }
        fs::remove_dir_all(&copy).unwrap();
    }
    assert!(torn > 850, "{torn}");
    assert!(latest > full.records * 9 / 10, "{latest} of {}", full.records);
}

#[test]
fn a_flipped_bit_is_seen_and_nothing_behind_it_is_read() {
    let folder = Folder::new("flips");
    let whole = folder.path().join("whole");
    let files = recorded(&whole);
    let (_, all) = replay(&whole).unwrap();
    let mut random = SplitMix64::new(19);
    let mut damaged = 0;
    for number in 0..200 {
        let copy = folder.path().join(format!("flip-{number}"));
        cut(&files, &copy, u64::MAX / 2);
        let victim = &files[random.next_u64() as usize % files.len()];
        let path = copy.join(victim.file_name().unwrap());
        let mut content = fs::read(&path).unwrap();
        let bit = random.next_u64() as usize % (content.len() * 8);
        content[bit / 8] ^= 1 << (bit % 8);
        fs::write(&path, content).unwrap();
        // A head that is damaged makes a file none of a session.
        if let Ok((replayed, texts)) = replay(&copy) {
            assert!(replayed.is_equal(), "bit {bit}: {replayed:?}");
            assert_eq!(texts, all[..texts.len()], "bit {bit}");
            damaged += u32::from(replayed.tear.is_some_and(|tear| tear.kind == TearKind::Damaged));
        }
        fs::remove_dir_all(&copy).unwrap();
    }
    assert!(damaged > 100, "{damaged}");
}
