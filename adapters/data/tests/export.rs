//! Data sets of a client in virtual time, written to disk and read back.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stderr,
    unreachable_pub,
    reason = "tests"
)]

#[cfg(feature = "arrow")]
#[path = "export/batches.rs"]
mod batches;
mod common;
#[path = "export/day.rs"]
mod day;
#[path = "export/formats.rs"]
mod formats;
#[path = "export/oddities.rs"]
mod oddities;
#[path = "export/read.rs"]
mod read;
#[path = "export/witness.rs"]
mod witness;
