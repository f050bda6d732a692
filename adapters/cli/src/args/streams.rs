//! The arguments of what shows an exchange's data.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use clap::ValueEnum;
use kucoin_futures_proto::Interval;

use super::duration;
use crate::studies::IndicatorName;

/// What all of these have in common.
#[derive(clap::Args, Debug)]
pub(crate) struct RunArgs {
    /// REST base of another exchange, such as a `kcf sim`
    #[arg(long, value_name = "URL", default_value = "https://api-futures.kucoin.com")]
    pub(crate) url: String,
    /// One JSON object per line, one for every message
    #[arg(long)]
    pub(crate) json: bool,
    /// Stop after this time
    #[arg(long = "for", value_name = "TIME", value_parser = duration)]
    pub(crate) span: Option<Duration>,
    /// Serve counters, lines, latencies, budgets and ages of books for Prometheus, as http://ADDR/metrics; port 0
    /// lets the system choose
    #[arg(long, value_name = "ADDR")]
    pub(crate) metrics: Option<SocketAddr>,
    /// Replace a line after this time (at least 10s), or up to a twentieth earlier. Without this 23h: the
    /// exchange ends a connection a day after its token was given. For a `kcf sim --token-life`
    #[arg(long, value_name = "TIME", value_parser = line_life, hide_short_help = true)]
    pub(crate) line_life: Option<Duration>,
}

/// The client keeps each line for at least so long.
fn line_life(text: &str) -> Result<Duration, String> {
    match duration(text)? {
        life if life < Duration::from_secs(10) => Err("at least 10s".into()),
        life => Ok(life),
    }
}

/// Which contracts are meant.
#[derive(clap::Args, Debug)]
pub(crate) struct SymbolArgs {
    /// Contracts, such as XBTUSDTM (Bitcoin is XBT); btc/usdt will do
    #[arg(required_unless_present = "all", value_name = "SYMBOL")]
    pub(crate) symbols: Vec<String>,
    /// All contracts that are listed
    #[arg(long, conflicts_with = "symbols")]
    pub(crate) all: bool,
    /// Of all, the Kth of N parts, for several kcf that share them
    #[arg(long, value_name = "K/N", requires = "all")]
    pub(crate) part: Option<Part>,
}

/// What the streams of contracts have in common.
#[derive(clap::Args, Debug)]
pub(crate) struct StreamArgs {
    #[command(flatten)]
    pub(crate) contracts: SymbolArgs,
    /// Connections that carry each topic. With two the first copy of each message counts, and either may end
    /// without a book leaving live
    #[arg(long, value_name = "1|2", default_value_t = 1, value_parser = clap::value_parser!(u8).range(1..=2))]
    pub(crate) lines: u8,
    #[command(flatten)]
    pub(crate) run: RunArgs,
}

/// One of several even parts of a list.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Part {
    /// From 1.
    number: usize,
    of: usize,
}

impl Part {
    /// Its items; none of other parts, and all parts together are the list.
    pub(crate) fn take<T>(self, list: Vec<T>) -> Vec<T> {
        let end = |number: usize| list.len() * number / self.of;
        let (start, end) = (end(self.number - 1), end(self.number));
        list.into_iter().skip(start).take(end - start).collect()
    }
}

impl std::str::FromStr for Part {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let numbers = text.split_once('/').and_then(|(number, of)| {
            Some(Self { number: number.parse().ok()?, of: of.parse().ok()? })
        });
        numbers
            .filter(|part| (1..=part.of).contains(&part.number) && part.of <= 1000)
            .ok_or_else(|| "a part such as 1/3: the first of three".into())
    }
}

#[derive(clap::Args, Debug)]
#[command(after_help = "Examples:\n  kcf book XBTUSDTM ETHUSDTM\n  \
    kcf book XBTUSDTM --url http://127.0.0.1:8080 --json --for 1m | jq 'select(.type == \"book\").bids[0]'\n  \
    kcf book XBTUSDTM --url https://127.0.0.1:8443 --ca ca.pem")]
pub(crate) struct BookArgs {
    #[command(flatten)]
    pub(crate) stream: StreamArgs,
    /// Levels a side, with --json
    #[arg(long, value_name = "N", default_value_t = 10)]
    pub(crate) levels: usize,
    /// Print a digest of the whole book after every N deltas of it
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) digest_every: Option<u64>,
}

#[derive(clap::Args, Debug)]
#[command(after_help = "Examples:\n  kcf ticker XBTUSDTM ETHUSDTM\n  \
    kcf ticker XBTUSDTM --bbo --json      best bid and offer at every change, without trades")]
pub(crate) struct TickerArgs {
    #[command(flatten)]
    pub(crate) stream: StreamArgs,
    /// Best bid and offer alone, at every change of them (channel tickerV2); without this, the
    /// last trade with both, once per trade (channel ticker)
    #[arg(long)]
    pub(crate) bbo: bool,
}

#[derive(clap::Args, Debug)]
#[command(after_help = "Examples:\n  kcf trades XBTUSDTM\n  \
    kcf trades XBTUSDTM --json --for 1h > trades.ndjson\n\n\
    A trade is told once, also over reconnects. `may have missed` says where some can be missing.")]
pub(crate) struct TradesArgs {
    #[command(flatten)]
    pub(crate) stream: StreamArgs,
}

/// How deep.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub(crate) enum DepthLevels {
    /// Five levels a side (level2Depth5)
    #[value(name = "5")]
    Five,
    /// Fifty levels a side (level2Depth50)
    #[value(name = "50")]
    Fifty,
}

#[derive(clap::Args, Debug)]
#[command(after_help = "Examples:\n  kcf depth XBTUSDTM ETHUSDTM\n  \
    kcf depth XBTUSDTM --levels 50 --json | jq .asks[49]\n\n\
    Whole in each message, some times a second; `kcf book` has every change, and says whether it is exact.")]
pub(crate) struct DepthArgs {
    #[command(flatten)]
    pub(crate) stream: StreamArgs,
    /// Levels a side
    #[arg(long, value_name = "N", default_value = "5")]
    pub(crate) levels: DepthLevels,
}

#[derive(clap::Args, Debug)]
#[command(after_help = "Examples:\n  kcf candles XBTUSDTM ETHUSDTM\n  \
    kcf candles XBTUSDTM --interval 4hour --json\n  \
    kcf candles XBTUSDTM ETHUSDTM --indicators rsi,vwap\n  \
    kcf candles XBTUSDTM --indicators ema=20,ema=50,macd,atr --history 200 --json\n\n\
    A candle is told as it grows, while there are trades. Nothing says that one is complete: the last of its\n\
    interval is. With --indicators history and stream are joined, and what is told is complete or said not to be.")]
pub(crate) struct CandlesArgs {
    #[command(flatten)]
    pub(crate) stream: StreamArgs,
    /// How long each is: 1min, 3min, 5min, 15min, 30min, 1hour, 2hour, 4hour, 8hour, 12hour, 1day,
    /// 1week, 1month
    #[arg(long, value_name = "TIME", default_value = "1min")]
    pub(crate) interval: Interval,
    /// Compute these of complete candles: rsi, vwap, sma, ema, atr, bollinger, macd, volatility; each with a length
    /// of its own if that is not to be the usual one: rsi=21
    #[arg(long, value_name = "A,B", value_delimiter = ',')]
    pub(crate) indicators: Vec<IndicatorName>,
    /// Begin so many candles ago, with --indicators; the exchange shows 200 at once
    #[arg(long, value_name = "N", default_value_t = 100, requires = "indicators",
        value_parser = clap::value_parser!(u32).range(0..=10_000))]
    pub(crate) history: u32,
}

#[derive(clap::Args, Debug)]
#[command(after_help = "Examples:\n  kcf instrument XBTUSDTM ETHUSDTM\n  \
    kcf instrument --all --json | jq 'select(.type == \"settlement\")'\n\n\
    The estimate of a funding rate is not what will be charged; what is settled is. How long until then,\n\
    REST says: asked at the start and after each settlement.")]
pub(crate) struct InstrumentArgs {
    #[command(flatten)]
    pub(crate) stream: StreamArgs,
}

#[derive(clap::Args, Debug)]
#[command(after_help = "Examples:\n  kcf stats XBTUSDTM ETHUSDTM\n  \
    kcf stats --all --part 1/3 --json\n\n\
    Volume is in base coins; of inverse contracts in lots, which are US dollars.")]
pub(crate) struct StatsArgs {
    #[command(flatten)]
    pub(crate) stream: StreamArgs,
}

#[derive(clap::Args, Debug)]
#[command(after_help = "Examples:\n  kcf verify XBTUSDTM ETHUSDTM\n  \
    kcf verify --all --timeout 5m --json | jq 'select(.verdict != \"equal\")'\n\n\
    Each book is made live, then held once against another snapshot, brought to the same sequence. What both\n\
    know is compared, level by level. Exit codes: 0 all are equal, 5 one differs, 4 nobody answers, 1 no verdict.")]
pub(crate) struct VerifyArgs {
    #[command(flatten)]
    pub(crate) contracts: SymbolArgs,
    /// REST base of another exchange, such as a `kcf sim`
    #[arg(long, value_name = "URL", default_value = "https://api-futures.kucoin.com")]
    pub(crate) url: String,
    /// One JSON object per contract
    #[arg(long)]
    pub(crate) json: bool,
    /// Give up after this time
    #[arg(long, value_name = "TIME", default_value = "60s", value_parser = duration)]
    pub(crate) timeout: Duration,
}

#[derive(clap::Args, Debug)]
#[command(after_help = "Examples:\n  kcf doctor\n  \
    kcf doctor ETHUSDTM --url http://127.0.0.1:8080 --json\n  \
    kcf doctor --record report                  for a bug report: what the client was told, tokens masked\n\n\
    A line for each: open files, sleep, proxies, names, addresses, certificates, REST, clocks, the token, the\n\
    socket, the welcome, the subscription, the book, its first change, what happens in the next seconds, whether the\n\
    exchange has the same book, limits, keys. Exit codes: 0 all is well, otherwise that of the first thing that is\n\
    bad: 2 usage, 3 keys, 4 network, 5 data that is not what it must be.")]
pub(crate) struct DoctorArgs {
    /// The contract whose book is tried
    #[arg(value_name = "SYMBOL", default_value = "XBTUSDTM")]
    pub(crate) symbol: String,
    /// REST base of another exchange, such as a `kcf sim`
    #[arg(long, value_name = "URL", default_value = "https://api-futures.kucoin.com")]
    pub(crate) url: String,
    /// One JSON object per check
    #[arg(long)]
    pub(crate) json: bool,
    /// How long to wait for a live book
    #[arg(long, value_name = "TIME", default_value = "20s", value_parser = duration)]
    pub(crate) timeout: Duration,
    /// How long a book that is live is watched
    #[arg(long, value_name = "TIME", default_value = "5s", value_parser = duration)]
    pub(crate) watch: Duration,
    /// Record what the client is told, without secrets, into this folder
    #[arg(long, value_name = "FOLDER")]
    pub(crate) record: Option<PathBuf>,
}

/// By what contracts are listed.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub(crate) enum ContractSort {
    /// Value traded in 24 hours, the most first; those of one currency together
    Volume,
    /// Name
    Symbol,
    /// Change in 24 hours, the highest first
    Change,
    /// Funding rate, the highest first
    Funding,
}

#[derive(clap::Args, Debug)]
#[command(after_help = "Examples:\n  kcf contracts\n  \
    kcf contracts btc --sort symbol\n  \
    kcf contracts --json | jq -r 'select(.is_inverse).symbol'")]
pub(crate) struct ContractsArgs {
    /// Only those whose symbol, coin or kind contains this; btc is XBT
    #[arg(value_name = "FILTER")]
    pub(crate) filter: Option<String>,
    /// By what they are listed
    #[arg(long, value_name = "NAME", default_value = "volume")]
    pub(crate) sort: ContractSort,
    /// REST base of another exchange, such as a `kcf sim`
    #[arg(long, value_name = "URL", default_value = "https://api-futures.kucoin.com")]
    pub(crate) url: String,
    /// One JSON object per contract, with all fields
    #[arg(long)]
    pub(crate) json: bool,
}

/// What happens to an account.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub(crate) enum PrivatePart {
    /// Orders and their fills
    Orders,
    /// Orders that wait for a price
    StopOrders,
    /// Balances
    Wallet,
    /// Positions, funding charged on them, risk limits
    Positions,
    /// Switches between isolated and cross margin
    MarginMode,
    /// Changes of leverage
    Leverage,
}

#[derive(clap::Args, Debug)]
#[command(after_help = "Examples:\n  kcf private\n  \
    kcf private --only orders,positions --json\n  \
    KUCOIN_API_SECRET_FILE=/run/secrets/kucoin kcf private --for 1h\n\n\
    The account is that of KUCOIN_API_KEY, KUCOIN_API_SECRET and KUCOIN_API_PASSPHRASE (or of the files that\n\
    the same names with _FILE name) and KUCOIN_API_KEY_VERSION (2 or 3). The key needs the permission General\n\
    and no other. With orders, wallet and positions among what is shown, all that the account has is shown, too,\n\
    whenever it is known for sure: `account live`.")]
pub(crate) struct PrivateArgs {
    /// These only
    #[arg(long, value_name = "A,B", value_delimiter = ',')]
    pub(crate) only: Vec<PrivatePart>,
    #[command(flatten)]
    pub(crate) run: RunArgs,
}

#[derive(clap::Args, Debug)]
#[command(after_help = "Examples:\n  kcf watch XBTUSDTM ETHUSDTM\n  \
    kcf watch --all --lines 2\n  \
    kcf watch XBTUSDTM --url http://127.0.0.1:8080 --metrics 127.0.0.1:9100\n  \
    kcf watch --all --plain >> watch.log            a line a second, also for pipes and TERM=dumb\n\n\
    Keys: up, down, j, k and Enter or Tab choose the contract whose book is shown; s sorts by value traded, change,\n\
    funding, spread, name or what is not live; / lists those whose name contains a text; space stops the picture;\n\
    l shows lines and delays, a the account; ? says all; q, Esc or Ctrl-C ends.\n\n\
    Of each contract four topics are subscribed: book, trades, mark and funding, figures of 24 hours; with --all so\n\
    some 2800, on ten lines or (--lines 2) twenty. The account of KUCOIN_API_KEY, KUCOIN_API_SECRET and\n\
    KUCOIN_API_PASSPHRASE is followed if they are set (see `kcf private --help`). A terminal that is slow misses\n\
    pictures; the feed waits for nobody.")]
pub(crate) struct WatchArgs {
    #[command(flatten)]
    pub(crate) stream: StreamArgs,
    /// Lines in place of a screen, also on a terminal
    #[arg(long)]
    pub(crate) plain: bool,
    /// Write the last look as a picture
    #[arg(long, value_name = "FILE.svg", hide = true)]
    pub(crate) svg: Option<PathBuf>,
}

#[derive(clap::Args, Debug)]
#[command(after_help = SERVE)]
pub(crate) struct ServeArgs {
    #[command(flatten)]
    pub(crate) stream: StreamArgs,
    /// Where to listen; port 0 lets the system choose
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:9464")]
    pub(crate) listen: SocketAddr,
    /// Listen where other machines can reach it, too, and ask for a token: KCF_TOKEN, or one that is made and shown
    /// at the start
    #[arg(long)]
    pub(crate) public: bool,
    /// Answer to this name, too, as a browser or a proxy says it: dash.example.org, or with a port
    #[arg(long, value_name = "NAME[:PORT]", value_parser = clap::builder::NonEmptyStringValueParser::new())]
    pub(crate) host: Vec<String>,
}

const SERVE: &str = "\
Routes:
  /         the dashboard: prices, depth, spread, state of each contract, gaps, lines, log
  /health   200 if all books are live, else 503 and which are not, and why; ?symbol=XBTUSDTM for one
  /metrics  counters, lines, latencies, budgets and ages of books, for Prometheus
  /state    all that the page shows, once, as JSON; /stream goes on, as server-sent events

Environment:
  KCF_TOKEN, or KCF_TOKEN_FILE for a file that holds it
            is asked for, as a bearer or on the page: with --public, and elsewhere if it is set

Examples:
  kcf serve XBTUSDTM ETHUSDTM
  kcf serve --all --part 1/2 --listen 127.0.0.1:8000
  kcf serve XBTUSDTM --public --listen 0.0.0.0:9464
  curl -s http://127.0.0.1:9464/health | jq .not_live";
