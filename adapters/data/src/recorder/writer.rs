//! The thread that packs blocks and writes them.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant as StdInstant};

use kucoin_futures_proto::{Instant, UnixNanos};
use zstd::bulk::Compressor;

use super::clock;
use super::options::SyncPolicy;
use super::segment::SegmentFile;
use super::shared::{Block, Job, Made, Shared};
use crate::digest::Hasher;
use crate::format::SCHEMA;
use crate::format::block::{Head, Kind, pack, stored};
use crate::format::end::{self, End, SegmentEnd};
use crate::format::head::SegmentHead;

/// A disk that takes nothing is tried again after so long.
const RETRY: Duration = Duration::from_secs(1);
/// A file ends after so many blocks: its index is to stay small.
const MOST_BLOCKS: usize = 1 << 20;
/// The writer looks so often whether there is something to sync.
const IDLE: Duration = Duration::from_millis(250);

#[derive(Debug)]
pub(crate) struct Writer {
    shared: Arc<Shared>,
    folder: PathBuf,
    session: String,
    file: SegmentFile,
    segment: u32,
    made: Made,
    hasher: Hasher,
    outputs: u64,
    blocks: u64,
    records: u64,
    /// Bytes of the files before this one.
    bytes_before: u64,
    synced_at: StdInstant,
    /// A sync has failed.
    is_sync_lost: bool,
    last: (Instant, UnixNanos),
}

/// A block as it goes to the file.
struct Packed {
    head: Head,
    bytes: Vec<u8>,
    weight: usize,
}

impl Writer {
    /// A thread's own: it waits for the client.
    pub(crate) fn run(shared: &Arc<Shared>, folder: PathBuf, session: String, file: SegmentFile) {
        let Some(made) = shared.made() else {
            file.remove_if_empty();
            return;
        };
        let last = (made.now, made.wall);
        let mut writer = Self {
            shared: Arc::clone(shared),
            folder,
            session,
            file,
            segment: 0,
            made,
            hasher: Hasher::default(),
            outputs: 0,
            blocks: 0,
            records: 0,
            bytes_before: 0,
            synced_at: clock::now(),
            is_sync_lost: false,
            last,
        };
        if let Err(error) = sync_folder(&writer.folder) {
            tracing::warn!(%error, folder = %writer.folder.display(), "cannot sync the folder");
        }
        let head = writer.head();
        if writer.insist(|writer| writer.file.write_head(&head)) {
            writer.write_blocks();
        } else {
            writer.give_up(0);
            writer.file.remove_if_empty();
        }
    }

    fn write_blocks(&mut self) {
        let mut compressor = Compressor::new(self.shared.options().level).ok();
        loop {
            match self.shared.next(IDLE) {
                Job::Write(block) => {
                    self.rotate_if_due();
                    let packed = self.pack(block, compressor.as_mut());
                    if !self.insist(|writer| writer.file.write_block(&packed.head, &packed.bytes)) {
                        self.give_up(u64::from(packed.head.records));
                        return;
                    }
                    self.on_written(&packed);
                    self.sync_if_due();
                }
                Job::Idle => self.sync_if_due(),
                Job::End { is_over } => {
                    let end = if is_over { SegmentEnd::Overflowed } else { SegmentEnd::Finished };
                    let lost = self.shared.status().lost;
                    if self.insist(|writer| writer.write_end(end, lost)) {
                        self.sync_or_warn();
                    }
                    return;
                }
            }
        }
    }

    /// Tries again while the client goes on; `false`: it has ended, and the disk takes nothing.
    fn insist(&mut self, mut write: impl FnMut(&mut Self) -> io::Result<()>) -> bool {
        loop {
            let Err(error) = write(self) else {
                self.shared.update(|status| status.error = None);
                return true;
            };
            tracing::warn!(%error, file = %self.file.path().display(), "cannot write the recording");
            self.shared.update(|status| {
                status.error = Some(error.kind());
                status.errors += 1;
            });
            if self.shared.is_closed() {
                return false;
            }
            self.shared.pause(RETRY);
        }
    }

    fn head(&self) -> SegmentHead {
        SegmentHead {
            schema: SCHEMA,
            software: concat!("kucoin-futures ", env!("CARGO_PKG_VERSION")).to_owned(),
            session: self.session.clone(),
            segment: self.segment,
            blocks_before: self.blocks,
            started: self.made.now,
            wall: self.made.wall,
            seed: self.made.seed,
            config: self.made.config.clone(),
        }
    }

    fn pack(&mut self, block: Block, compressor: Option<&mut Compressor<'_>>) -> Packed {
        self.hasher.update(&block.outputs);
        self.outputs += block.output_count;
        let weight = block.weight();
        let packed = compressor.and_then(|compressor| compressor.compress(&block.bytes).ok());
        let bytes = packed.unwrap_or_else(|| stored(&block.bytes));
        let head = Head {
            kind: Kind::Records,
            number: self.blocks,
            first: block.first,
            last: block.last,
            read_at: block.first,
            wall: block.wall,
            records_before: self.records,
            records: block.records,
            len: block.bytes.len() as u32,
            packed: bytes.len() as u32,
            crc: crc32fast::hash(&bytes),
            outputs: self.outputs,
            digest: self.hasher.digest(),
        };
        self.blocks += 1;
        self.records += u64::from(block.records);
        self.last = (block.last, head.wall_at(block.last));
        Packed { head, bytes, weight }
    }

    fn on_written(&self, packed: &Packed) {
        let bytes = self.bytes_before + self.file.len();
        let (written, until) = (self.records, self.last.1);
        self.shared.done(packed.weight);
        self.shared.update(|status| {
            status.written = written;
            status.until = Some(until);
            status.bytes = bytes;
            status.unpacked += u64::from(packed.head.len);
        });
    }

    /// Nobody waits for it any more, and it cannot be written.
    fn give_up(&self, mut lost: u64) {
        while let Job::Write(block) = self.shared.next(Duration::ZERO) {
            lost += u64::from(block.records);
        }
        self.shared.update(|status| status.lost += lost);
    }

    /// The old file goes on if a new one cannot be made.
    fn rotate_if_due(&mut self) {
        let options = self.shared.options();
        let is_due = self.file.len() >= options.segment_bytes
            || self.file.since.elapsed() >= options.segment_age
            || self.file.index().len() >= MOST_BLOCKS;
        if is_due && let Err(error) = self.rotate() {
            tracing::warn!(%error, folder = %self.folder.display(), "cannot begin another file");
            self.shared.update(|status| status.errors += 1);
        }
    }

    fn rotate(&mut self) -> io::Result<()> {
        let mut next = SegmentFile::create(&self.folder, &self.session, self.segment + 1)?;
        let head = SegmentHead { segment: self.segment + 1, ..self.head() };
        // The next one is there for good before this one says that it goes on there. After that there is no way back.
        let begun = next
            .write_head(&head)
            .and_then(|()| next.sync())
            .and_then(|_| sync_folder(&self.folder));
        if let Err(error) = begun.and_then(|()| self.write_end(SegmentEnd::Rotated, 0)) {
            let _ = std::fs::remove_file(next.path());
            return Err(error);
        }
        self.sync_or_warn();
        self.bytes_before += self.file.len();
        self.segment += 1;
        self.file = next;
        self.shared.update(|status| status.segments += 1);
        Ok(())
    }

    /// Writes the end of the file.
    fn write_end(&mut self, end: SegmentEnd, lost: u64) -> io::Result<()> {
        let content = end::to_bytes(&End { end, lost }, self.file.index());
        let packed =
            pack(&content, self.shared.options().level).unwrap_or_else(|_| stored(&content));
        let (at, wall) = self.last;
        let head = Head {
            kind: Kind::End,
            number: self.blocks,
            first: at,
            last: at,
            read_at: at,
            wall,
            records_before: self.records,
            records: 0,
            len: content.len() as u32,
            packed: packed.len() as u32,
            crc: crc32fast::hash(&packed),
            outputs: self.outputs,
            digest: self.hasher.digest(),
        };
        self.file.write_end(&head, &packed)?;
        let bytes = self.bytes_before + self.file.len();
        self.shared.update(|status| status.bytes = bytes);
        Ok(())
    }

    fn sync_if_due(&mut self) {
        let is_due = match self.shared.options().sync {
            SyncPolicy::Never => false,
            SyncPolicy::EachBlock => true,
            SyncPolicy::Every(span) => self.synced_at.elapsed() >= span,
        };
        if is_due {
            self.sync_or_warn();
        }
    }

    /// After a sync that failed nobody knows what of the file is on the disk, also if a later one does not fail: nothing
    /// more is said to be synced in this session.
    fn sync_or_warn(&mut self) {
        self.synced_at = clock::now();
        match self.file.sync() {
            Ok(true) if !self.is_sync_lost => {
                self.shared.update(|status| status.synced = status.written);
            }
            Ok(_) => {}
            Err(error) => {
                tracing::warn!(%error, file = %self.file.path().display(), "cannot sync the recording");
                self.is_sync_lost = true;
                self.shared.update(|status| status.errors += 1);
            }
        }
    }
}

/// Names of files are on the disk, too.
fn sync_folder(folder: &Path) -> io::Result<()> {
    if cfg!(unix) { File::open(folder)?.sync_all() } else { Ok(()) }
}
