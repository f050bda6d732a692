//! Whatever is on a disk: reading a recording neither panics nor goes on for ever.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| kucoin_futures_data::fuzz::recording(bytes));
