//! Every public decoder of the wire: none panics, and what is accepted is JSON.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| kucoin_futures_sim::fuzz::wire_any(bytes));
