//! The suite on threads and on smol, and REST alone.

use kucoin_futures_suite::{rest_trials, run, trials};

fn main() {
    let mut all = trials::<kucoin_futures_blocking::Feed>("blocking");
    all.extend(trials::<kucoin_futures_smol::Feed>("smol"));
    all.extend(rest_trials());
    run(all);
}
