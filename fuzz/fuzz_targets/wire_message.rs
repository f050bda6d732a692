//! A frame of a ticker or a trade: what was learned and the scanner agree.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| kucoin_futures_sim::fuzz::wire_message(bytes));
