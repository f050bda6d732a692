//! Whatever a REST server answers: the laws hold, and no token is shown.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| kucoin_futures_sim::fuzz::rest_bodies(bytes));
