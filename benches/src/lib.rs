//! What the benchmarks share: the [`corpus`], [`ours`], the rivals ([`parsers`], [`books`], and both
//! together in a [`baseline`]), and the [`report`] at the end of a run.
//!
//! ```sh
//! cargo bench -p kucoin-futures-bench                      # three minutes; prints the tables
//! cargo bench -p kucoin-futures-bench --features rivals    # five, and the build; writes RESULTS.md too
//! cargo bench -p kucoin-futures-bench -- --test            # everything once, nothing measured
//! ```
//!
//! * Every rival does the same work as ours, on the same bytes, in the way that is fastest with it, and is
//!   checked against the corpus before it is measured.
//! * All are built by one profile, that of an ordinary release build: no link-time optimisation, no overflow
//!   checks, the base instruction set. What finds out at run time what the processor can do (`simd-json`)
//!   uses it.
//! * Only a whole run with all rivals writes `RESULTS.md` and `docs/bench.svg`; any other prints the tables
//!   of what it has measured. Nothing of an earlier run gets into them: ratios between runs mean nothing.
//! * The feature `rivals` needs Rust 1.95 for nautilus-model 0.57.0 (the last version before Rust 1.99 was
//!   asked for) and 1.91 for hftbacktest. Nothing of it is in any other build.

#![allow(
    clippy::cast_possible_truncation,
    reason = "lossy casts are for sums that nobody reads and for draws"
)]

pub mod baseline;
pub mod books;
pub mod corpus;
pub mod messages;
pub mod number;
pub mod ours;
pub mod parsers;
pub mod report;
pub mod run;
