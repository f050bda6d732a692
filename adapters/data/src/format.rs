//! The bytes of a recording: see `docs/recordings.md` for enough to write a reader.
//!
//! ```text
//! folder    sessions: one client each, from its making to its end
//! session   segments: files, one after the other
//! segment   a head, blocks, and, unless it was cut off, an end with an index of the blocks
//! block     a head with counts, times, checksums and the digest of all outputs so far; records, packed with zstd
//! record    what a client was told, and when
//! ```

pub(crate) mod block;
pub(crate) mod end;
pub(crate) mod head;
pub(crate) mod record;
pub(crate) mod wire;

/// Counts changes of the format that older readers cannot read.
pub const SCHEMA: u32 = 1;
