//! The book: what it says after any deltas is what two sorted maps say.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| kucoin_futures_sim::fuzz::book(bytes));
