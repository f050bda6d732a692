//! One file that is being written.

use std::fs::{File, OpenOptions};
use std::io::{self, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};
use std::time::Instant as StdInstant;

use kucoin_futures_proto::UnixNanos;

use super::clock;
use crate::format::block::Head;
use crate::format::end::{self, Place};
use crate::format::head::SegmentHead;
use crate::names::{segment_name, session_name};

/// A file, and how far it is whole.
#[derive(Debug)]
pub(crate) struct SegmentFile {
    file: File,
    path: PathBuf,
    len: u64,
    index: Vec<Place>,
    pub(crate) since: StdInstant,
    is_dirty: bool,
}

impl SegmentFile {
    /// The first file of a session that is named after the time. Two within a millisecond get different ones.
    pub(crate) fn create_session(folder: &Path, now: UnixNanos) -> io::Result<(String, Self)> {
        let mut millis = now.as_nanos() / 1_000_000;
        loop {
            let session = session_name(millis);
            match Self::create(folder, &session, 0) {
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => millis += 1,
                made => return made.map(|file| (session, file)),
            }
        }
    }

    pub(crate) fn create(folder: &Path, session: &str, segment: u32) -> io::Result<Self> {
        let path = folder.join(segment_name(session, segment));
        let mut options = OpenOptions::new();
        options.write(true).create_new(true);
        // What an account did is in it.
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let file = options.open(&path)?;
        let since = clock::now();
        Ok(Self { file, path, len: 0, index: Vec::new(), since, is_dirty: true })
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    pub(crate) const fn len(&self) -> u64 {
        self.len
    }

    pub(crate) fn write_head(&mut self, head: &SegmentHead) -> io::Result<()> {
        let bytes = head.to_bytes()?;
        self.append(&[&bytes])
    }

    pub(crate) fn write_block(&mut self, head: &Head, packed: &[u8]) -> io::Result<()> {
        let offset = self.len;
        self.append(&[&head.to_bytes(), packed])?;
        self.index.push(Place { offset, head: *head });
        Ok(())
    }

    /// The end block and where it begins: readers look there first.
    pub(crate) fn write_end(&mut self, head: &Head, packed: &[u8]) -> io::Result<()> {
        let offset = self.len.to_le_bytes();
        self.append(&[&head.to_bytes(), packed, &offset, &end::MAGIC])
    }

    pub(crate) fn index(&self) -> &[Place] {
        &self.index
    }

    /// All of it, or nothing: what was half written is cut off again.
    fn append(&mut self, pieces: &[&[u8]]) -> io::Result<()> {
        self.is_dirty = true;
        let written = pieces.iter().try_for_each(|piece| self.file.write_all(piece));
        match written {
            Ok(()) => self.len += pieces.iter().map(|piece| piece.len() as u64).sum::<u64>(),
            Err(error) => {
                // If this fails, too, a reader sees a block that is cut off, or the next attempt overwrites it.
                let _ = self.file.set_len(self.len);
                self.file.seek(SeekFrom::Start(self.len))?;
                return Err(error);
            }
        }
        Ok(())
    }

    /// Whether there was something to sync.
    pub(crate) fn sync(&mut self) -> io::Result<bool> {
        if self.is_dirty {
            self.file.sync_data()?;
            self.is_dirty = false;
            return Ok(true);
        }
        Ok(false)
    }

    /// Nothing was ever written to it.
    pub(crate) fn remove_if_empty(&self) {
        if self.len == 0 {
            let _ = std::fs::remove_file(&self.path);
        }
    }
}
