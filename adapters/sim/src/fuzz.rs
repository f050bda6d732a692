//! Bodies of the fuzz targets: plain functions of bytes that panic when a promise is broken, so that
//! ordinary tests can run them, too.
//!
//! A new body is a function in a file of its own, a row of [`TARGETS`], five lines in
//! `fuzz/fuzz_targets`, an entry in `fuzz/Cargo.toml` and a folder of seeds in `fuzz/corpus`;
//! `tests/corpus.rs` fails until all of them are there.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a body says by panicking that a promise is broken"
)]

mod book;
mod client;
mod decimal;
mod endpoint;
mod json;
mod market;
mod reader;
mod rest_bodies;
mod scenario;
mod watched;
mod wire_any;
mod wire_delta;
mod wire_message;
mod wire_objects;

pub use book::book;
pub use client::client;
pub use decimal::decimal;
pub use endpoint::endpoint;
pub use rest_bodies::rest_bodies;
pub use scenario::scenario;
pub use wire_any::wire_any;
pub use wire_delta::wire_delta;
pub use wire_message::wire_message;

/// A body: takes any bytes, and panics when a promise is broken.
pub type Body = fn(&[u8]);

/// Every body, by the name of its target.
pub const TARGETS: [(&str, Body); 9] = [
    ("book", book),
    ("client", client),
    ("decimal", decimal),
    ("endpoint", endpoint),
    ("rest_bodies", rest_bodies),
    ("scenario", scenario),
    ("wire_any", wire_any),
    ("wire_delta", wire_delta),
    ("wire_message", wire_message),
];
