//! How a recording goes.

use std::io;

use kucoin_futures_proto::UnixNanos;

/// How a recording goes. What is written is in the file, and is there if the program is killed; what is synced is there
/// if the machine loses its power, as far as the disk keeps its word.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct RecorderStatus {
    /// What the client was told so far: inputs and commands.
    pub records: u64,
    /// Of these, how many are written.
    pub written: u64,
    /// Of these, how many are synced.
    pub synced: u64,
    /// What came after the session had to end, because more waited than may. It is in no file.
    pub lost: u64,
    /// When the latest record that is written came, by the wall clock; `None` if none is.
    pub until: Option<UnixNanos>,
    /// Bytes of all files.
    pub bytes: u64,
    /// What the records have before they are packed.
    pub unpacked: u64,
    /// Bytes that wait to be packed and written.
    pub waiting: usize,
    /// Files.
    pub segments: u32,
    /// Why the disk takes nothing at present; tried again every second.
    pub error: Option<io::ErrorKind>,
    /// How often it took nothing.
    pub errors: u64,
}

impl RecorderStatus {
    pub(crate) const NEW: Self = Self {
        records: 0,
        written: 0,
        synced: 0,
        lost: 0,
        until: None,
        bytes: 0,
        unpacked: 0,
        waiting: 0,
        segments: 1,
        error: None,
        errors: 0,
    };

    /// Whether the session has ended by itself: begin another one.
    #[must_use]
    pub const fn is_over(&self) -> bool {
        self.lost > 0
    }
}
