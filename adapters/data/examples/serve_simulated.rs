//! Serves a recording that was never made: a client of the simulated exchange, in virtual time, replayed for whoever
//! connects. For clients that are to be tried against a replay.
//!
//! ```sh
//! cargo run -p kucoin-futures-data --features serve --example serve_simulated -- 10
//! ```
//!
//! Prints one line of JSON with its address, ends when its input does, and then prints what it has seen. The argument
//! is the speed.

#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "an example")]

use std::error::Error;
use std::io::{Read as _, stdin};
use std::sync::Arc;
use std::time::Duration;

use kucoin_futures_data::serve::{ServeOptions, serve};
use kucoin_futures_host::Clock;
use kucoin_futures_proto::{Channel, Interval, Query, TimeRange};
use serde_json::json;

use simulated::{Session, SimulatedTape};

#[path = "../tests/simulated/mod.rs"]
mod simulated;

fn main() -> Result<(), Box<dyn Error>> {
    let speed = std::env::args().nth(1).unwrap_or_else(|| "1".into()).parse()?;
    let mut session = Session::of(&["XBTUSDTM", "ETHUSDTM"], Duration::from_secs(24 * 3600));
    for symbol in session.exchange.contracts.iter().map(|contract| contract.symbol) {
        session.channels.extend([
            Channel::ticker_v2(symbol),
            Channel::ticker(symbol),
            Channel::execution(symbol),
            Channel::instrument(symbol),
            Channel::stats_24h(symbol),
            Channel::candles(symbol, Interval::Min1),
        ]);
        let range = TimeRange::default();
        let granularity = kucoin_futures_proto::Granularity::Min1;
        session.queries.extend([
            Query::Klines { symbol, granularity, range },
            Query::FundingRate { symbol },
            Query::Trades { symbol },
        ]);
    }
    let clock = Clock::new();
    let mut options = ServeOptions::new(Arc::new(move || clock.now()));
    options.speed = speed;
    let tape = SimulatedTape::new(session);
    let server = serve(tape, "127.0.0.1:0".parse()?, &options)?;
    println!("{}", json!({"type": "listening", "url": server.url()}));
    stdin().read_to_end(&mut Vec::new())?;
    let (status, dropped) = (server.status(), server.dropped());
    let summary = json!({
        "type": "summary", "violations": status.violations, "dropped": dropped,
        "position_ms": status.position.as_millis(),
    });
    println!("{summary}");
    Ok(())
}
