//! Bodies of fuzz targets: whatever is on a disk, reading it neither panics nor goes on for ever.

use std::fs;
use std::sync::atomic::{AtomicU64, Ordering};

use kucoin_futures_proto::{Config, Instant, UnixNanos};

use crate::digest::Hasher;
use crate::format::SCHEMA;
use crate::format::block::{Head, Kind, pack};
use crate::format::head::SegmentHead;
use crate::{Recording, Replayer};

/// Reads a folder whose only file holds these bytes: with the first one even as they are, otherwise as the records of
/// a block that is whole.
pub fn recording(bytes: &[u8]) {
    static NUMBER: AtomicU64 = AtomicU64::new(0);
    let Some((kind, bytes)) = bytes.split_first() else { return };
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    let folder = std::env::temp_dir().join(format!("kcf-fuzz-{}-{number}", std::process::id()));
    let file = if kind % 2 == 0 { Some(bytes.to_vec()) } else { around(bytes) };
    let written = file.map(|file| {
        fs::create_dir_all(&folder).and_then(|()| fs::write(folder.join("s.000000.kcr"), file))
    });
    if matches!(written, Some(Ok(()))) {
        read(&folder);
    }
    let _ = fs::remove_dir_all(&folder);
}

fn read(folder: &std::path::Path) {
    let Ok(recording) = Recording::open(folder) else { return };
    for session in &recording.sessions {
        let mut replayer = Replayer::new(session);
        // An error is an answer, too.
        while let Ok(true) = replayer.step(&mut ()) {
            let _ = replayer.next_at();
        }
    }
}

/// A segment with these records.
fn around(content: &[u8]) -> Option<Vec<u8>> {
    let (started, wall) = (Instant::from_nanos(1_000), UnixNanos::from_nanos(1_796_044_687 << 30));
    let head = SegmentHead {
        schema: SCHEMA,
        software: String::new(),
        session: "s".into(),
        segment: 0,
        blocks_before: 0,
        started,
        wall,
        seed: 1,
        config: Config::default(),
    };
    let packed = pack(content, 1).ok()?;
    let block = Head {
        kind: Kind::Records,
        number: 0,
        first: started,
        last: started,
        read_at: started,
        wall,
        records_before: 0,
        records: content.len() as u32,
        len: content.len() as u32,
        packed: packed.len() as u32,
        crc: crc32fast::hash(&packed),
        outputs: 0,
        digest: Hasher::default().digest(),
    };
    let mut bytes = head.to_bytes().ok()?;
    bytes.extend_from_slice(&block.to_bytes());
    bytes.extend_from_slice(&packed);
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::recording;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(300))]

        /// Of kinds that there are, more often than by chance.
        #[test]
        fn whatever_is_on_the_disk_is_read_or_refused(
            first in 0..2_u8,
            calls in prop::collection::vec((0..12_u8, 0..2_u8, prop::collection::vec(any::<u8>(), 0..12)), 0..20),
        ) {
            let mut bytes = vec![first];
            for (kind, drained, rest) in calls {
                bytes.push(kind | drained << 7);
                bytes.extend(rest);
            }
            recording(&bytes);
        }
    }
}
