//! The command line.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Parser, Subcommand};
use kucoin_futures_proto::Symbol;
use kucoin_futures_sim::Plan;

/// KuCoin Futures market data: books that are exact, or say that they are not.
#[derive(Parser, Debug)]
#[command(name = "kcf", version, about, after_help = EXIT_CODES)]
pub(crate) struct Args {
    #[command(subcommand)]
    pub(crate) command: Command,
}

const EXIT_CODES: &str = "Exit codes: 0 ok, 1 runtime, 2 usage, 3 auth, 4 network, 5 data integrity.\n\
     Log: stderr, set RUST_LOG=debug for more.";

#[derive(Subcommand, Debug)]
pub(crate) enum Command {
    /// Offline: a simulated exchange and the real client over loopback sockets, with faults
    Demo(DemoArgs),
    /// Stream exact order books
    Book(BookArgs),
    /// Serve a simulated exchange, for this or any other client
    Sim(SimArgs),
    /// Apply recorded frames to a snapshot, without a network
    Replay(ReplayArgs),
}

#[derive(clap::Args, Debug)]
#[command(after_help = "Example: kcf demo --for 60s --seed 7")]
pub(crate) struct DemoArgs {
    /// Decides the market, the jitter and everything else that is drawn
    #[arg(long, default_value_t = 1)]
    pub(crate) seed: u64,
    /// One JSON object per line
    #[arg(long)]
    pub(crate) json: bool,
    /// How long (at least 5s); up to 20 s more where healing takes longer
    #[arg(long = "for", value_name = "TIME", default_value = "20s", value_parser = duration)]
    pub(crate) span: Duration,
}

#[derive(clap::Args, Debug)]
#[command(after_help = "Examples:\n  kcf book XBTUSDTM ETHUSDTM\n  \
    kcf book XBTUSDTM --url http://127.0.0.1:8080 --json --for 1m | jq .bids[0]")]
pub(crate) struct BookArgs {
    /// Contracts, such as XBTUSDTM (Bitcoin is XBT)
    #[arg(required = true, value_name = "SYMBOL")]
    pub(crate) symbols: Vec<Symbol>,
    /// REST base of another exchange, such as a `kcf sim`
    #[arg(long, value_name = "URL", default_value = "https://api-futures.kucoin.com")]
    pub(crate) url: String,
    /// Levels a side
    #[arg(long, value_name = "N", default_value_t = 10)]
    pub(crate) levels: usize,
    /// One JSON object per line, one for every change
    #[arg(long)]
    pub(crate) json: bool,
    /// Stop after this time
    #[arg(long = "for", value_name = "TIME", value_parser = duration)]
    pub(crate) span: Option<Duration>,
    /// Print a digest of the whole book after every N deltas of it
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) digest_every: Option<u64>,
}

#[derive(clap::Args, Debug)]
#[command(after_help = FAULTS)]
pub(crate) struct SimArgs {
    /// Where to listen; port 0 lets the system choose
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:0")]
    pub(crate) listen: SocketAddr,
    /// Decides the market and everything else that is drawn
    #[arg(long, default_value_t = 1)]
    pub(crate) seed: u64,
    /// Contracts to list, separated by commas; any name will do
    #[arg(long, value_name = "A,B", value_delimiter = ',')]
    pub(crate) symbols: Vec<Symbol>,
    /// Level changes a second, of each contract
    #[arg(long, value_name = "PER_SECOND", default_value_t = 20.0, value_parser = rate)]
    pub(crate) rate: f64,
    /// What to break and when; the grammar is below
    #[arg(long, value_name = "TEXT", default_value = "", hide_default_value = true)]
    pub(crate) faults: Plan,
    /// One JSON object per line
    #[arg(long)]
    pub(crate) json: bool,
}

const FAULTS: &str = "Faults, separated by `;` or line breaks:
  at TIME FAULT | every TIME FAULT      times: 500ms 3s 2m 1h, from the start
    drop SYMBOL [N]            N deltas are never sent
    repeat SYMBOL [N]          the last delta is sent N times more
    step-back SYMBOL N         the sequence is set back by N
    stale-snapshot SYMBOL [N]  N snapshots come from the past
    withhold-pongs TIME        pings are not answered
    close [CODE]               every connection is closed (1006: without a close frame)
    expire-token [N]           all tokens expire, and the next N at birth
    refuse TIME                connections are refused
    http-429 TIME [N]          N requests get a 429 whose reset is TIME
    http-html [N]              N requests get a web page
  SYMBOL may be `*` for all.

Example: kcf sim --listen 127.0.0.1:8080 --rate 100 --faults 'every 10s drop *; at 30s close 1001'";

#[derive(clap::Args, Debug)]
#[command(
    after_help = "SNAPSHOT is the body of GET /api/v1/level2/snapshot, or a JSON list of such bodies.\n\
    FRAMES holds one WebSocket text frame a line.\n\
    A gap ends the book of its symbol; the exit code is 5 then."
)]
pub(crate) struct ReplayArgs {
    /// A snapshot's body, or a list of them
    #[arg(value_name = "SNAPSHOT.json")]
    pub(crate) snapshot: PathBuf,
    /// Frames, one a line
    #[arg(value_name = "FRAMES.ndjson")]
    pub(crate) frames: PathBuf,
    /// One JSON object per line
    #[arg(long)]
    pub(crate) json: bool,
}

fn duration(text: &str) -> Result<Duration, String> {
    humantime::parse_duration(text).map_err(|error| format!("{error} (example: 90s, 5m, 1h)"))
}

fn rate(text: &str) -> Result<f64, String> {
    match text.parse() {
        Ok(rate) if (0.0..=20_000.0).contains(&rate) => Ok(rate),
        _ => Err("a number from 0 to 20000".into()),
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    #[test]
    fn the_command_line_is_sound() {
        super::Args::command().debug_assert();
    }
}
