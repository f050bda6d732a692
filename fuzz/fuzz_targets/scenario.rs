//! Whole runs in the simulated world, faults and all.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| kucoin_futures_sim::fuzz::scenario(bytes));
