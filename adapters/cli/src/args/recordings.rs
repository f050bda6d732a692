//! The arguments of what writes and reads recordings.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use clap::ValueEnum;
use kucoin_futures_data::serve::Speed;

use super::{RunArgs, SoakProfile, SymbolArgs, duration};

/// What of a contract is recorded.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub(crate) enum RecordPart {
    /// The book: level2
    Book,
    /// Each trade
    Trades,
    /// Best bid and offer
    Ticker,
    /// Mark and index price, funding
    Instrument,
    /// Candles of a minute
    Candles,
    /// The figures of 24 hours
    Stats,
}

/// What data sets can be written as.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub(crate) enum ExportFormat {
    /// Apache Parquet, with exact decimals
    Parquet,
    /// The CSV files of tardis.dev
    Tardis,
    /// Arrays for hftbacktest (npz)
    Hftbacktest,
    /// One JSON object per line
    Ndjson,
}

/// When the disk is told to keep what was written.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub(crate) enum SyncWhen {
    /// Whenever the system likes
    Never,
    /// Every second
    Second,
    /// After every block
    Block,
}

#[derive(clap::Args, Debug)]
#[command(
    after_help = "What is recorded is what the client was told: replayed, it does the same again, byte for byte. Tokens are\n\
    masked before they reach the disk. Nothing stops the feed: while the disk is full, what comes waits in memory, and\n\
    if that is not enough the session ends, says so, and another one begins as soon as there is room.\n\n\
    Examples:\n  kcf record XBTUSDTM ETHUSDTM --to data\n  \
    kcf record --all --lines 2 --to data --for 24h --json\n  \
    kcf record XBTUSDTM --to data --for 1h --format parquet\n  \
    kcf record --from-soak 17 --to failure          a simulated run, to be looked at\n  \
    kcf info data; kcf replay data; kcf export data --format parquet --to parquet"
)]
pub(crate) struct RecordArgs {
    /// Contracts, such as XBTUSDTM (Bitcoin is XBT); btc/usdt will do
    #[arg(required_unless_present_any = ["all", "from_soak"], value_name = "SYMBOL")]
    pub(crate) symbols: Vec<String>,
    /// All contracts that are listed
    #[arg(long, conflicts_with = "symbols")]
    pub(crate) all: bool,
    /// Of all, the Kth of N parts, for several kcf that share them
    #[arg(long, value_name = "K/N", requires = "all")]
    pub(crate) part: Option<super::streams::Part>,
    /// The folder; made if it is not there
    #[arg(long, value_name = "FOLDER")]
    pub(crate) to: PathBuf,
    /// What of each contract
    #[arg(
        long,
        value_name = "A,B",
        value_delimiter = ',',
        default_value = "book,trades,ticker,instrument"
    )]
    pub(crate) parts: Vec<RecordPart>,
    /// Connections that carry each topic
    #[arg(long, value_name = "1|2", default_value_t = 1, value_parser = clap::value_parser!(u8).range(1..=2))]
    pub(crate) lines: u8,
    /// Begin another file after so many bytes
    #[arg(long, value_name = "BYTES", default_value = "256MiB", value_parser = bytes)]
    pub(crate) file_size: u64,
    /// Begin another file after so long
    #[arg(long, value_name = "TIME", default_value = "24h", value_parser = duration)]
    pub(crate) file_age: Duration,
    /// When the disk is told to keep what was written
    #[arg(long, value_name = "WHEN", default_value = "second")]
    pub(crate) sync: SyncWhen,
    /// How hard it is packed, by zstd: 1 (least time) to 19 (fewest bytes). At 3 files are a third smaller
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(i32).range(1..=19))]
    pub(crate) level: i32,
    /// What may wait in memory while the disk is full or slow
    #[arg(long, value_name = "BYTES", default_value = "64MiB", value_parser = bytes)]
    pub(crate) queue: u64,
    /// At the end, a data set of it, too, in a folder of this name in the folder
    #[arg(long, value_name = "NAME")]
    pub(crate) format: Option<ExportFormat>,
    /// In place of an exchange: the simulated run of this seed, with its faults
    #[arg(long, value_name = "SEED", conflicts_with_all = ["symbols", "all", "lines", "url"])]
    pub(crate) from_soak: Option<u64>,
    /// What kind of simulated run
    #[arg(long, value_name = "NAME", default_value = "swarm", requires = "from_soak")]
    pub(crate) profile: SoakProfile,
    /// Of a simulated run: the virtual length of the part with faults, in place of the profile's own
    #[arg(long, value_name = "H", value_parser = super::trials::hours, requires = "from_soak")]
    pub(crate) hours: Option<f64>,
    /// Of a simulated run: set a knob, as `kcf soak` has it
    #[arg(long, value_name = "NAME=N", requires = "from_soak")]
    pub(crate) knob: Vec<String>,
    #[command(flatten)]
    pub(crate) run: RunArgs,
}

impl RecordArgs {
    /// The contracts that are meant.
    pub(crate) fn contracts(&self) -> SymbolArgs {
        SymbolArgs { symbols: self.symbols.clone(), all: self.all, part: self.part }
    }
}

#[derive(clap::Args, Debug)]
#[command(
    after_help = "Examples:\n  kcf info data\n  kcf info data --json | jq 'select(.type == \"gap\")'"
)]
pub(crate) struct InfoArgs {
    /// A folder with recordings, or a file of one
    #[arg(value_name = "FOLDER")]
    pub(crate) recording: PathBuf,
    /// One JSON object per line
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(clap::Args, Debug)]
#[command(
    after_help = "Beside the files stands manifest.json: when each book was live, what is missing, and digests to check against.\n\n\
    Examples:\n  kcf export data --format parquet --to parquet\n  \
    python -c 'import polars; print(polars.read_parquet(\"parquet/**/*.parquet\"))'"
)]
pub(crate) struct ExportArgs {
    /// A folder with recordings, or a file of one
    #[arg(value_name = "FOLDER")]
    pub(crate) recording: PathBuf,
    /// As what
    #[arg(long, value_name = "NAME")]
    pub(crate) format: ExportFormat,
    /// Where to; made if it is not there
    #[arg(long, value_name = "FOLDER")]
    pub(crate) to: PathBuf,
    /// One JSON object
    #[arg(long)]
    pub(crate) json: bool,
}

/// How a recording is replayed.
#[derive(clap::Args, Debug)]
pub(crate) struct RecordingArgs {
    /// Of a recording: show what comes (or serve it) this many times as fast as it came, from 0.001 to 1000, or `max`
    #[arg(long, value_name = "N", conflicts_with = "frames")]
    pub(crate) speed: Option<Speed>,
    /// Of a recording: show only what came from then on, such as 2026-11-30T13:18:07Z
    #[arg(long, value_name = "TIME", conflicts_with = "frames", value_parser = humantime::parse_rfc3339_weak)]
    pub(crate) from: Option<std::time::SystemTime>,
    /// Of a recording: show only what came once a book had reached this sequence
    #[arg(long, value_name = "N", conflicts_with_all = ["frames", "from"])]
    pub(crate) from_sequence: Option<u64>,
    /// Of a recording: show states and books as fast as it goes
    #[arg(long, conflicts_with = "frames")]
    pub(crate) show: bool,
    /// Of a recording: serve it as the exchange did, over REST and WebSocket, for any client; port 0 lets the system
    /// choose. POST /_replay/pause, resume, speed?x=10 and seek?to=UNIX_MS say how it goes on
    #[arg(long, value_name = "ADDR", conflicts_with_all = ["frames", "from_sequence", "show"])]
    pub(crate) serve: Option<SocketAddr>,
}

impl RecordingArgs {
    /// Whether anything of it is to be seen.
    pub(crate) const fn is_shown(&self) -> bool {
        self.show || self.speed.is_some() || self.from.is_some() || self.from_sequence.is_some()
    }
}

/// `64MiB`, `1GB`, `100000`.
fn bytes(text: &str) -> Result<u64, String> {
    let end = text.find(|letter: char| !letter.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at_checked(end).unwrap_or_default();
    let unit = match unit.trim() {
        "" | "B" => 1,
        "kB" => 1_000,
        "KiB" | "k" | "K" => 1 << 10,
        "MB" => 1_000_000,
        "MiB" | "M" => 1 << 20,
        "GB" => 1_000_000_000,
        "GiB" | "G" => 1 << 30,
        _ => return Err("a size such as 64MiB or 1GB".into()),
    };
    let size = number.parse::<u64>().ok().and_then(|number| number.checked_mul(unit));
    match size {
        Some(size) if size >= 64 << 10 => Ok(size),
        Some(_) => Err("at least 64KiB".into()),
        None => Err("a size such as 64MiB or 1GB".into()),
    }
}
