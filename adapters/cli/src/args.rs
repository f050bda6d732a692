//! The command line.

mod fanout;
mod recordings;
mod streams;
mod trials;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Parser, Subcommand, ValueEnum};
use kucoin_futures_proto::Symbol;
use kucoin_futures_sim::Plan;

pub(crate) use fanout::{ConsumeArgs, PublishArgs};
pub(crate) use recordings::{
    ExportArgs, ExportFormat, InfoArgs, RecordArgs, RecordPart, RecordingArgs, SyncWhen,
};
pub(crate) use streams::{
    BookArgs, CandlesArgs, ContractSort, ContractsArgs, DepthArgs, DepthLevels, DoctorArgs,
    InstrumentArgs, PrivateArgs, PrivatePart, RunArgs, ServeArgs, StatsArgs, StreamArgs,
    SymbolArgs, TickerArgs, TradesArgs, VerifyArgs, WatchArgs,
};
pub(crate) use trials::{BenchArgs, BenchReader, SoakArgs, SoakProfile};

use crate::accounts::AccountText;

#[derive(Parser, Debug)]
#[command(name = "kcf", version, long_version = LONG_VERSION, about = BRIEF, long_about = ABOUT)]
#[command(after_help = EXIT_CODES, after_long_help = MANUAL)]
pub(crate) struct Args {
    #[command(flatten)]
    pub(crate) connect: Connect,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// How to reach an exchange: the same for all commands that do.
#[derive(clap::Args, Clone, Debug)]
pub(crate) struct Connect {
    /// What carries the bytes
    #[arg(long, global = true, value_name = "NAME", default_value = "blocking")]
    pub(crate) runtime: Runtime,
    /// Believe the certificate authorities in this PEM file, and no others
    #[arg(long, global = true, value_name = "FILE")]
    pub(crate) ca: Option<PathBuf>,
}

/// The adapters.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub(crate) enum Runtime {
    /// Threads and a poller
    Blocking,
    /// Async tasks
    Smol,
}

impl Runtime {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Blocking => "blocking",
            Self::Smol => "smol",
        }
    }
}

const LONG_VERSION: &str = concat!(
    env!("CARGO_PKG_VERSION"),
    "\nruntimes: blocking (polling, tungstenite), smol (async-io, async-tungstenite)",
    "\nchannels: level2, level2Depth5, level2Depth50, tickerV2, ticker, execution, limitCandle,",
    "\n          instrument, announcement, snapshot, tradeOrders, advancedOrders, wallet,",
    "\n          positionAll, marginMode, crossLeverage",
    "\ntls:      rustls with ring, always verified; Mozilla's roots, or yours by --ca",
    "\nlogs:     up to debug; trace is compiled out, because libraries write secrets there",
);

const BRIEF: &str = "KuCoin Futures market data: books that are exact, or say that they are not.";

const ABOUT: &str = "KuCoin Futures market data: books that are exact, or say that they are not.

kcf keeps a connection to KuCoin Futures (or to an exchange that it simulates itself) through lost \
messages, silent sockets, expired tokens and rate limits, and prints what it knows and when it does \
not know. Keys are needed for an account and nothing else: `kcf private`, and `watch` and `doctor` if they are set.";

const EXIT_CODES: &str = "Exit codes: 0 ok, 1 runtime, 2 usage, 3 auth, 4 network, 5 data integrity.\n\
     Log: stderr, set RUST_LOG=debug for more. `kcf --help` is the manual, `-h` the summary.";

const MANUAL: &str = "Examples:
  kcf demo                                    watch faults happen and heal, offline
  kcf book XBTUSDTM ETHUSDTM                  exact books, live from KuCoin
  kcf book XBTUSDTM --lines 2                 two connections: one may end, and nothing is missed
  kcf verify XBTUSDTM                         once against a snapshot: equal, or what differs
  kcf doctor                                  what is wrong between here and there, if anything
  kcf trades XBTUSDTM --json                  for machines: one object a line
  kcf stats --all                             every contract there is
  kcf candles XBTUSDTM --indicators rsi,vwap  of complete candles, or it says that they are not
  kcf contracts pepe                          what is listed, and its terms
  kcf book XBTUSDTM --metrics 127.0.0.1:9464  and how it fares, for Prometheus
  kcf serve XBTUSDTM                          a dashboard for the browser; health and metrics for machines
  kcf private                                 an account, by the keys in the environment
  kcf sim --listen 127.0.0.1:8080             an exchange to test any client against
  kcf ticker XBTUSDTM --url http://127.0.0.1:8080 --runtime smol
  kcf publish XBTUSDTM --to redis://127.0.0.1:6379     exact books for others: kcf consume

Output:
  stdout is data, stderr is log. With --json every line of stdout is one object with a `type`:
  `state` says what became of the line or of a symbol, and when by this machine's clock (`at_ms`,
  Unix), so that silence and blindness can be told apart, and of a refusal `status` (HTTP), `code`,
  `message` (the exchange's own words) and `advice`; `book`, `digest`, `ticker`, `trade`, `depth`,
  `candle`, `mark`, `funding`, `settlement`, `stats`, `order`, `stop_order`, `wallet`, `position` and
  so on are data (with `kcf candles --indicators` each `candle` is over and has `indicators`, and `empty` and `hole`
  say where there is none); `lines` says once a second what each connection of `kcf book` has brought, and how late
  its copies were (the end of the range of powers of two that half, or 99 of 100, do not exceed);
  `malformed` is a message that could not be read; `summary` ends a stream: `not_live_ms` is the longest time for which a book that was live was not.
  `verify` is a verdict. The demo adds
  `demo`, `fault`, `healed` and `verdict`, the simulation `listening` and `fault`, a replay `replay`
  and `replay_total`, `kcf publish` `publishing`, --metrics `metrics` and `kcf serve` `serve` (where it can be had). Prices and amounts are strings and exact, sizes are whole lots. `ts_ns`
  (and `ts_ms`) are the exchange's own times, `at_ns` (and `at_ms`) this machine's when it came, both
  Unix; nanoseconds are beyond what JavaScript and jq 1.6 hold exactly.

Environment:
  RUST_LOG   what the log says: error, warn (default), info, debug; or by module, as in
             RUST_LOG=kucoin_futures_blocking=debug
  NO_COLOR   no colour, also on a terminal
  KUCOIN_API_KEY, KUCOIN_API_SECRET, KUCOIN_API_PASSPHRASE
             an account's, for `kcf private`; or the same with _FILE: a file that holds it
  KUCOIN_API_KEY_VERSION
             2 or 3 (default)
  KCF_TOKEN  what `kcf serve` asks for; or KCF_TOKEN_FILE: a file that holds it
  KCF_ENGINE the engine of `kcf publish` and `kcf consume`: for an address with a password
  Proxies are not used: HTTPS_PROXY, HTTP_PROXY and ALL_PROXY are ignored.

Exit codes:
  0  ok; also when whoever reads the output goes away
  1  anything else
  2  the call was wrong
  3  the exchange refused the token or the credentials
  4  the other side could not be reached
  5  data is not what it must be";

#[derive(Subcommand, Debug)]
pub(crate) enum Command {
    /// Offline: a simulated exchange and the real client over loopback sockets, with faults
    Demo(DemoArgs),
    /// Look at an exchange: books, trades, prices, lines, resyncs, on one screen
    Watch(WatchArgs),
    /// Stream exact order books
    Book(BookArgs),
    /// Look at everything between this machine and a live book, and say what to do
    Doctor(DoctorArgs),
    /// Hold books against a snapshot once, and say whether they are equal
    Verify(VerifyArgs),
    /// Stream the last trade with best bid and offer
    Ticker(TickerArgs),
    /// Stream trades
    Trades(TradesArgs),
    /// Stream the best five or fifty levels, whole each time
    Depth(DepthArgs),
    /// Stream candles as they grow
    Candles(CandlesArgs),
    /// Stream mark and index price, and funding: estimated, settled, and when next
    Instrument(InstrumentArgs),
    /// Stream the figures of the last 24 hours
    Stats(StatsArgs),
    /// List the contracts and their terms
    Contracts(ContractsArgs),
    /// Stream what happens to an account: orders, stop orders, wallet, positions, margin, leverage
    Private(PrivateArgs),
    /// Serve a simulated exchange, for this or any other client
    Sim(SimArgs),
    /// Serve a dashboard for the browser, health for a load balancer, metrics for Prometheus
    Serve(ServeArgs),
    /// Record what comes, so that it can be replayed byte for byte
    Record(RecordArgs),
    /// Drive the real client with a recording; or apply frames to a snapshot, without a network
    Replay(ReplayArgs),
    /// What is in a recording: its gaps, its worst minutes, a small picture
    Info(InfoArgs),
    /// Make data sets of a recording, with a manifest of their gaps
    Export(ExportArgs),
    /// Run years of bad network in virtual time and look for a broken promise
    Soak(SoakArgs),
    /// Measure what a message costs over loopback, beside the bare WebSocket libraries
    Bench(BenchArgs),
    /// Give exact books to others, over Redis or NATS
    Publish(PublishArgs),
    /// Take exact books that others publish, from Redis or NATS
    Consume(ConsumeArgs),
    /// Print what a shell needs to complete kcf's command lines
    Completions(CompletionsArgs),
}

#[derive(clap::Args, Debug)]
#[command(after_help = "Examples:\n  \
    kcf demo\n  \
    kcf demo --for 60s --runtime smol       every fault there is\n  \
    kcf demo --json | jq 'select(.type == \"verdict\")'\n\n\
    On a terminal: q or Ctrl-C ends it; the verdict is printed in any case.")]
pub(crate) struct DemoArgs {
    /// Decides the market, the jitter and everything else that is drawn
    #[arg(long, default_value_t = 1)]
    pub(crate) seed: u64,
    /// One JSON object per line
    #[arg(long)]
    pub(crate) json: bool,
    /// Lines in place of a screen, also on a terminal
    #[arg(long, conflicts_with = "json")]
    pub(crate) plain: bool,
    /// How long (at least 5s), and so how many faults: one every three seconds or so; up to 20 s
    /// more where healing takes longer
    #[arg(long = "for", value_name = "TIME", default_value = "20s", value_parser = duration)]
    pub(crate) span: Duration,
    /// Write the last screen as a picture
    #[arg(long, value_name = "FILE.svg")]
    pub(crate) svg: Option<PathBuf>,
}

#[derive(clap::Args, Debug)]
#[command(after_help = FAULTS)]
pub(crate) struct SimArgs {
    /// Where to listen; port 0 lets the system choose
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:0")]
    pub(crate) listen: SocketAddr,
    /// Serve https and wss; the certificate of the throw-away authority is written here, for --ca
    #[arg(long, value_name = "FILE.pem")]
    pub(crate) tls: Option<PathBuf>,
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
    /// An account that may sign requests, once for each; never a real key. Without any there is
    /// sim-key:sim-secret:sim-passphrase
    #[arg(long = "account", value_name = "KEY:SECRET:PASSPHRASE")]
    pub(crate) accounts: Vec<AccountText>,
    /// What each account does by itself: orders, cancels and so on, a minute
    #[arg(long, value_name = "PER_MINUTE", default_value_t = 0, value_parser = clap::value_parser!(u32).range(..=60_000))]
    pub(crate) activity: u32,
    /// Tokens are good for this long, and the exchange cuts a connection so long after its token was granted
    #[arg(long, value_name = "TIME", default_value = "24h", value_parser = token_life)]
    pub(crate) token_life: Duration,
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
    lie SYMBOL [N]             one level of N snapshots has another size
    withhold-pongs TIME        pings are not answered
    close [CODE]               every connection is closed (1006: without a close frame)
    close-one [CODE]           the one that has been open longest is; the others stay
    reset                      every connection is reset in the middle of a frame
    freeze TIME                connections stay open and stand still
    expire-token [N]           all tokens expire, and the next N at birth
    refuse TIME                connections are refused
    slow-connect TIME [N]      N upgrades are answered so late
    http-429 TIME [N]          N requests get a 429 whose reset is TIME
    http-html [N]              N requests get a web page
    http-drip TIME [N]         N answers come byte by byte, so far apart
  and more, all in the documentation of `kucoin_futures_sim::Fault`: step-ahead, malformed,
  hold-back, mute, one-sided, hollow, cross, rally, late-ack, no-ack, no-welcome, late-pong, flap,
  http-5xx, http-cut, http-never, only-bad-servers, absurd-pings ..
  SYMBOL may be `*` for all.

Examples:
  kcf sim --listen 127.0.0.1:8080 --rate 100 --faults 'every 10s drop *; at 30s close 1001'
  kcf sim --listen 127.0.0.1:8443 --tls ca.pem
  kcf sim --token-life 60s --faults 'every 20s close-one'
  kcf sim --listen 127.0.0.1:8080 --account key:secret:passphrase --activity 60";

#[derive(clap::Args, Debug)]
#[command(
    after_help = "A recording is a folder that `kcf record` has written. The client is told again what it was told, and must do what\n\
    it did: the exit code is 5 if it does not, or if the recording is damaged.\n\n\
    With FRAMES, RECORDING is a snapshot: the body of GET /api/v1/level2/snapshot, or a JSON list of such bodies.\n\
    FRAMES holds one WebSocket text frame a line, or one JSON array of frames. Words may stand in front of a \
    frame (a time), and an object around it. Both files may be packed with gzip or zstd, and in UTF-16.\n\
    A gap, a counter that was set back, or a frame that cannot be read ends the book of its symbol; a line \
    that does not say whose it is ends every book. The exit code is 5 then.\n\n\
    Examples:\n  kcf replay data\n  \
    kcf replay data --speed 10 --from 2026-11-30T13:00:00Z\n  \
    kcf replay data --serve 127.0.0.1:8080\n  \
    kcf replay snapshot.json frames.ndjson"
)]
pub(crate) struct ReplayArgs {
    /// A folder with recordings, or a file of one; before FRAMES, a snapshot's body, or a list of them
    #[arg(value_name = "RECORDING")]
    pub(crate) recording: PathBuf,
    /// Frames, one a line or in an array
    #[arg(value_name = "FRAMES.ndjson")]
    pub(crate) frames: Option<PathBuf>,
    /// One JSON object per line
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) how: RecordingArgs,
}

#[derive(clap::Args, Debug)]
#[command(after_help = "Examples:\n  \
    kcf completions bash > ~/.local/share/bash-completion/completions/kcf\n  \
    kcf completions zsh > \"${fpath[1]}/_kcf\"\n  \
    kcf completions fish > ~/.config/fish/completions/kcf.fish")]
pub(crate) struct CompletionsArgs {
    /// Which shell
    #[arg(value_name = "SHELL")]
    pub(crate) shell: clap_complete::Shell,
}

fn duration(text: &str) -> Result<Duration, String> {
    humantime::parse_duration(text).map_err(|error| format!("{error} (example: 90s, 5m, 1h)"))
}

/// The exchange counts in milliseconds.
fn token_life(text: &str) -> Result<Duration, String> {
    match duration(text)? {
        life if life < Duration::from_millis(1) => Err("at least 1ms".into()),
        life => Ok(life),
    }
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
