//! The laws of the core, over arbitrary histories.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| kucoin_futures_sim::fuzz::client(bytes));
