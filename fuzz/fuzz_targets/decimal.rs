//! Exact numbers: whatever the bytes, the same value comes back from its text.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| kucoin_futures_sim::fuzz::decimal(bytes));
