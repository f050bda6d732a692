//! How a recording is written.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use kucoin_futures_proto::{Instant, UnixNanos};

use super::clock::unix_now;

/// When what was written is made to survive a loss of power. A killed program loses nothing that was written,
/// whatever this is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[allow(clippy::exhaustive_enums, reason = "there is no other way")]
pub enum SyncPolicy {
    /// The system decides; mostly within half a minute.
    Never,
    /// So often, if there is something new.
    Every(Duration),
    /// After every block.
    EachBlock,
}

/// How a recording is written.
#[derive(Clone)]
#[non_exhaustive]
pub struct RecorderOptions {
    /// What a block holds before it is packed and written, 1 KiB to 16 MiB. Default 256 KiB: about a thousand frames.
    pub block_bytes: usize,
    /// A block is written after so long, however little is in it: a killed program loses no more. Default 1 s.
    pub block_age: Duration,
    /// A file ends after so many bytes. Default 256 MiB.
    pub segment_bytes: u64,
    /// A file ends after so long. Default 24 h.
    pub segment_age: Duration,
    /// What may wait for the disk, in bytes; at least eight blocks. Default 64 MiB: a good minute of 3,000 frames
    /// a second, of 300 bytes each with what came of it.
    pub queue_bytes: usize,
    /// Default: every second.
    pub sync: SyncPolicy,
    /// The level of zstd, 1 to 22. Default 1: half of the processor time of 3, and half as many bytes again.
    pub level: i32,
    /// The wall clock, as of a time of the client's clock: the system's by default. A simulation gives its own.
    pub wall: Arc<dyn Fn(Instant) -> UnixNanos + Send + Sync>,
}

impl RecorderOptions {
    /// Within what a reader takes, and with room for a few blocks.
    pub(crate) fn in_order(mut self) -> Self {
        self.block_bytes = self.block_bytes.clamp(1 << 10, 16 << 20);
        self.queue_bytes = self.queue_bytes.max(self.block_bytes.saturating_mul(8));
        self
    }
}

impl Default for RecorderOptions {
    fn default() -> Self {
        Self {
            block_bytes: 256 << 10,
            block_age: Duration::from_secs(1),
            segment_bytes: 256 << 20,
            segment_age: Duration::from_secs(24 * 3600),
            queue_bytes: 64 << 20,
            sync: SyncPolicy::Every(Duration::from_secs(1)),
            level: 1,
            wall: Arc::new(|_| unix_now()),
        }
    }
}

impl fmt::Debug for RecorderOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RecorderOptions")
            .field("block_bytes", &self.block_bytes)
            .field("segment_bytes", &self.segment_bytes)
            .field("queue_bytes", &self.queue_bytes)
            .field("sync", &self.sync)
            .finish_non_exhaustive()
    }
}
