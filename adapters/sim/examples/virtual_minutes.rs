//! Ten minutes of market with something broken every few seconds, in virtual time: takes a moment, and
//! every event of the client is compared with the truth.
//!
//! ```sh
//! cargo run --release -p kucoin-futures-sim --example virtual_minutes -- 7
//! ```

use std::error::Error;
use std::time::Duration;

use kucoin_futures_proto::Channel;
use kucoin_futures_sim::{ExchangeConfig, World};

const FAULTS: &str = "every 7s drop *; every 31s repeat XBTUSDTM 3; every 53s close 1006;
    every 97s withhold-pongs 30s; every 211s expire-token; every 307s step-back ETHUSDTM 4000;
    every 401s stale-snapshot * 2; every 503s http-429 3s; every 601s refuse 5s";

#[allow(clippy::print_stdout, reason = "an example")]
fn main() -> Result<(), Box<dyn Error>> {
    let seed = std::env::args().nth(1).map_or(Ok(1), |seed| seed.parse())?;
    let mut exchange = ExchangeConfig::default();
    exchange.faults = FAULTS.parse()?;
    let latency = Duration::from_millis(80);
    let mut world = World::new(seed, World::client_config(), exchange, latency);
    for symbol in ["XBTUSDTM", "ETHUSDTM", "CHRUSDTM"] {
        let channel = Channel::level2(symbol.parse()?);
        world.subscribe(channel)??;
    }
    world.run_for(Duration::from_secs(600))?;
    world.check_all()?;
    println!("{:#?}", world.client().stats());
    let (deltas, books) = world.compared();
    println!("{deltas} deltas and {books} whole books compared");
    Ok(())
}
