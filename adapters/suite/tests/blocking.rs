//! The suite on threads.

fn main() {
    kucoin_futures_suite::run::<kucoin_futures_blocking::Feed>();
}
