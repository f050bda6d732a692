//! KuCoin Futures market data on disk: recordings that replay byte for byte, and data sets that state their own gaps.
//!
//! ```text
//!                      ┌ Recorder ──> files          a feed's tap: what a client was told, and when
//!  feed or simulation ─┤
//!                      └ Sink                        what it put out
//!
//!  files ── Recording ── Session ── Replayer ──> Client ──> Sink: data sets, a server, yours
//! ```
//!
//! A recording holds no outputs but their digest: the client is deterministic, so its inputs are all there is to know.

mod digest;
mod error;
mod format;
mod mask;
mod names;
mod reader;
mod recorder;
mod replayer;
mod sink;
mod summary;

pub mod export;
#[cfg(any(test, feature = "fuzz"))]
pub mod fuzz;
pub mod join;
#[cfg(feature = "serve")]
pub mod serve;

pub use digest::Digest;
pub use error::{RecordingError, Tear, TearKind};
#[cfg(feature = "arrow")]
pub use export::batch;
pub use format::SCHEMA;
pub use format::end::SegmentEnd;
pub use reader::{Recording, Session};
pub use recorder::{Recorder, RecorderOptions, RecorderStatus, SyncPolicy};
pub use replayer::{Difference, Replayed, Replayer};
pub use sink::{Moment, Sink};
pub use summary::{BookGap, LiveInterval, Minute, Summary, SymbolSummary};
