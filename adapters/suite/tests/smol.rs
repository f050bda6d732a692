//! The suite on smol.

fn main() {
    kucoin_futures_suite::run::<kucoin_futures_smol::Feed>();
}
