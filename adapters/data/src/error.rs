//! What can be wrong with a recording.

use std::fmt;
use std::io;
use std::path::PathBuf;

/// A recording that cannot be opened or read on. What is merely cut off is no error: see [`Tear`].
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RecordingError {
    /// The file system says no.
    #[error("{}: {source}", path.display())]
    Io {
        /// Of which file or folder.
        path: PathBuf,
        /// What it says.
        source: io::Error,
    },
    /// There is no session in it.
    #[error("{}: no recording is here (its files end in .kcr)", path.display())]
    Nothing {
        /// The folder.
        path: PathBuf,
    },
    /// The file is none of a recording.
    #[error("{}: not a recording", path.display())]
    Foreign {
        /// Which.
        path: PathBuf,
    },
    /// It was written by a newer version of this library, or by one that is not supported any more.
    #[error("{}: its format is version {schema}; this program reads {}", path.display(), crate::SCHEMA)]
    Schema {
        /// Which.
        path: PathBuf,
        /// Its version.
        schema: u32,
    },
    /// Who looks on could not go on.
    #[error(transparent)]
    Sink(io::Error),
}

impl RecordingError {
    pub(crate) fn io(path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        |source| Self::Io { path, source }
    }
}

/// Where a session ends before its time: everything before is whole, and nothing after it is read.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct Tear {
    /// In which file.
    pub path: PathBuf,
    /// So many bytes of it are whole.
    pub offset: u64,
    /// So many bytes stand behind that and were not read.
    pub behind: u64,
    /// What it looks like.
    pub kind: TearKind,
}

/// What a tear looks like.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum TearKind {
    /// The file ends behind a whole block, without an end: whoever wrote it was killed, or still writes.
    NoEnd,
    /// The file ends within a block.
    Cut,
    /// What stands there is not what was written.
    Damaged,
    /// The next file of the session is not there, or the first one.
    NoSegment,
}

impl Tear {
    /// Something is not as it was written. A recorder that was killed leaves files that end without an end, or within a
    /// block, and those are not damaged.
    #[must_use]
    pub const fn is_damage(&self) -> bool {
        matches!(self.kind, TearKind::Damaged | TearKind::NoSegment)
    }
}

impl fmt::Display for Tear {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { path, offset, behind, kind } = self;
        let path = path.display();
        match kind {
            TearKind::NoEnd => write!(
                f,
                "{path}: no end behind byte {offset}: the recorder was killed, or still writes"
            ),
            TearKind::Cut => {
                write!(
                    f,
                    "{path}: cut off within a block: {offset} bytes are whole, {behind} are not"
                )
            }
            TearKind::Damaged => {
                write!(f, "{path}: damaged behind byte {offset}: {behind} bytes are not read")
            }
            TearKind::NoSegment if *offset == 0 => write!(f, "files before {path} are not there"),
            TearKind::NoSegment => write!(f, "the file that follows {path} is not there"),
        }
    }
}
