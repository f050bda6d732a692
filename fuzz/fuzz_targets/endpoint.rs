//! Where a token may go: what is opened, the `url` crate reads the same way.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| kucoin_futures_sim::fuzz::endpoint(bytes));
