//! A level2 frame's data: the scanner and serde_json agree, value by value.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| kucoin_futures_sim::fuzz::wire_delta(bytes));
