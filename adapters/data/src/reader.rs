//! Recordings on disk: which sessions there are, and their blocks, one after the other.

mod ahead;
mod blocks;

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufReader, Write};
use std::path::{Path, PathBuf};

use kucoin_futures_proto::{Config, Instant, UnixNanos};

use crate::error::RecordingError;
use crate::format::head::{HeadError, SegmentHead};
use crate::names::is_segment;

pub(crate) use ahead::{Ahead, Unpacked};
pub(crate) use blocks::{BlockReader, Next};

/// The sessions of a folder, or of one file.
#[derive(Debug)]
#[non_exhaustive]
pub struct Recording {
    /// The oldest first.
    pub sessions: Vec<Session>,
    /// Files that are named like a part of a recording and cannot be read as one, and why.
    pub unreadable: Vec<(PathBuf, String)>,
}

/// One client, from its making to its end.
#[derive(Clone, Debug)]
pub struct Session {
    head: SegmentHead,
    pub(crate) segments: Vec<Segment>,
}

/// A file of a session.
#[derive(Clone, Debug)]
pub(crate) struct Segment {
    pub(crate) path: PathBuf,
    pub(crate) number: u32,
    pub(crate) blocks_before: u64,
}

impl Recording {
    /// Looks into a folder (not into folders in it), or at the session that a file belongs to.
    ///
    /// # Errors
    /// There is none, or the folder cannot be read. Of a file, also what is wrong with it.
    pub fn open(path: &Path) -> Result<Self, RecordingError> {
        let metadata = path.metadata().map_err(RecordingError::io(path))?;
        if metadata.is_dir() {
            return Self::open_folder(path);
        }
        let head = read_head(path)?;
        let folder = match path.parent() {
            Some(folder) if !folder.as_os_str().is_empty() => folder,
            _ => Path::new("."),
        };
        let Self { sessions, unreadable } = Self::open_folder(folder)?;
        let sessions = sessions.into_iter().filter(|session| session.head.session == head.session);
        Ok(Self { sessions: sessions.collect(), unreadable })
    }

    fn open_folder(folder: &Path) -> Result<Self, RecordingError> {
        let entries = folder.read_dir().map_err(RecordingError::io(folder))?;
        let mut sessions = BTreeMap::<String, Session>::new();
        let mut unreadable = Vec::new();
        for entry in entries {
            let path = entry.map_err(RecordingError::io(folder))?.path();
            if !is_segment(&path) {
                continue;
            }
            match read_head(&path) {
                Ok(head) => {
                    let (number, blocks_before) = (head.segment, head.blocks_before);
                    let segment = Segment { path, number, blocks_before };
                    let session = sessions
                        .entry(head.session.clone())
                        .or_insert_with(|| Session { head, segments: Vec::new() });
                    session.segments.push(segment);
                }
                Err(error) => unreadable.push((path, error.to_string())),
            }
        }
        for session in sessions.values_mut() {
            session.segments.sort_by_key(|segment| segment.number);
        }
        if sessions.is_empty() {
            // With one file that is there the reader is best told what is wrong with it.
            return Err(match unreadable.first().map(|(path, _)| read_head(path)) {
                Some(Err(error)) => error,
                _ => RecordingError::Nothing { path: folder.to_owned() },
            });
        }
        Ok(Self { sessions: sessions.into_values().collect(), unreadable })
    }
}

impl Session {
    /// Its name: the time when it began.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.head.session
    }

    /// The program that wrote it.
    #[must_use]
    pub fn software(&self) -> &str {
        &self.head.software
    }

    /// When the client was made, by the clock that it was given.
    #[must_use]
    pub const fn started(&self) -> Instant {
        self.head.started
    }

    /// When the client was made, by the wall clock.
    #[must_use]
    pub const fn started_at(&self) -> UnixNanos {
        self.head.wall
    }

    /// The seed that the client was made with.
    #[must_use]
    pub const fn seed(&self) -> u64 {
        self.head.seed
    }

    /// The config that the client was made with.
    #[must_use]
    pub const fn config(&self) -> &Config {
        &self.head.config
    }

    /// Bytes of its files, as they are now.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.files().filter_map(|path| path.metadata().ok()).map(|metadata| metadata.len()).sum()
    }

    /// Writes what its blocks hold, unpacked, one after the other: for a look at the records with other tools. As far
    /// as it is whole.
    ///
    /// # Errors
    /// It cannot be read, or not be written there ([`RecordingError::Sink`]).
    pub fn write_unpacked(&self, to: &mut impl Write) -> Result<(), RecordingError> {
        let (mut blocks, mut content) = (BlockReader::new(self), Vec::new());
        while let Some(next) = blocks.next(&mut content)? {
            if matches!(next, Next::Block(_)) {
                to.write_all(&content).map_err(RecordingError::Sink)?;
            }
        }
        Ok(())
    }

    /// Its files, the oldest first.
    pub fn files(&self) -> impl Iterator<Item = &Path> {
        self.segments.iter().map(|segment| &*segment.path)
    }
}

fn read_head(path: &Path) -> Result<SegmentHead, RecordingError> {
    let file = File::open(path).map_err(RecordingError::io(path))?;
    let head = SegmentHead::read(&mut BufReader::new(file));
    head.map(|(head, _)| head).map_err(|error| of_head(path, error))
}

fn of_head(path: &Path, error: HeadError) -> RecordingError {
    let path = path.to_owned();
    match error {
        HeadError::Schema(schema) => RecordingError::Schema { path, schema },
        HeadError::Io(source) => RecordingError::Io { path, source },
        HeadError::Cut | HeadError::Foreign | HeadError::Damaged => {
            RecordingError::Foreign { path }
        }
    }
}
