//! The suite on threads and on smol.

use kucoin_futures_suite::{run, trials};

fn main() {
    let mut all = trials::<kucoin_futures_blocking::Feed>("blocking");
    all.extend(trials::<kucoin_futures_smol::Feed>("smol"));
    run(all);
}
