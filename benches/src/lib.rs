//! What the benchmarks share: the [`corpus`], [`ours`], and the rivals ([`parsers`], [`books`], and both
//! together in a [`baseline`]).

#![allow(
    clippy::cast_possible_truncation,
    reason = "lossy casts are for sums that nobody reads and for draws"
)]

pub mod baseline;
pub mod books;
pub mod corpus;
pub mod number;
pub mod ours;
pub mod parsers;
pub mod report;
pub mod run;
