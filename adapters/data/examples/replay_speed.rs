//! How fast a recording is replayed through the whole client, with the digest of its outputs.
//!
//! ```text
//! cargo run --release -p kucoin-futures-data --example replay_speed -- FOLDER 5
//! ```

#![allow(clippy::print_stdout, clippy::indexing_slicing, reason = "an example")]

use std::error::Error;
use std::path::Path;

use kucoin_futures_data::{Recording, Replayer};
use kucoin_futures_host::Clock;

fn main() -> Result<(), Box<dyn Error>> {
    let args: Vec<String> = std::env::args().collect();
    let recording = Recording::open(Path::new(&args[1]))?;
    for _ in 0..args[2].parse::<u32>()? {
        let clock = Clock::new();
        let (mut records, mut deltas) = (0, 0);
        for session in &recording.sessions {
            let mut replayer = Replayer::new(session);
            replayer.run(&mut ())?;
            let replayed = replayer.replayed();
            assert!(replayed.is_equal(), "{replayed:?}");
            records += replayed.records;
            deltas += replayer.client().stats().deltas;
        }
        let seconds = clock.now().as_nanos() as f64 / 1e9;
        let (inputs, changes) = (records as f64 / seconds, deltas as f64 / seconds);
        println!(
            "{records} inputs, {deltas} deltas in {seconds:.3} s: {inputs:.0} and {changes:.0} a second"
        );
    }
    Ok(())
}
