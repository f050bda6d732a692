//! The arguments of what goes over Redis or NATS.

use std::time::Duration;

use clap::ValueEnum;
use kucoin_futures_fanout::Encoding;
use kucoin_futures_proto::Symbol;

use super::duration;
use super::streams::StreamArgs;

/// How messages are written.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub(crate) enum EncodingName {
    /// Compact
    Binary,
    /// One JSON object a message
    Ndjson,
}

impl From<EncodingName> for Encoding {
    fn from(name: EncodingName) -> Self {
        match name {
            EncodingName::Binary => Self::Binary,
            EncodingName::Ndjson => Self::Ndjson,
        }
    }
}

#[derive(clap::Args, Debug)]
#[command(after_help = "Examples:\n  \
    kcf publish XBTUSDTM --to redis://127.0.0.1:6379\n  \
    kcf publish --all --to nats://127.0.0.1:4222 --group books --replicas 2\n  \
    kcf consume XBTUSDTM --from redis://127.0.0.1:6379\n\n\
    The engine being slow or away never slows the feed: what does not fit is dropped, said to be, and the book is\n\
    told whole again. docs/fanout.md has the keys, the subjects and the promise.")]
pub(crate) struct PublishArgs {
    #[command(flatten)]
    pub(crate) stream: StreamArgs,
    /// The engine: redis://[NAME:PASSWORD@]HOST[:6379][/DB] or nats://[NAME:PASSWORD@]HOST[:4222].
    /// Without this KCF_ENGINE in the environment says it, where other users see no password
    #[arg(long, value_name = "URL")]
    pub(crate) to: Option<String>,
    /// What keys and subjects begin with
    #[arg(long, value_name = "NAME", default_value = "kcf")]
    pub(crate) prefix: String,
    /// How messages are written; consumers read both
    #[arg(long, value_name = "NAME", default_value = "binary")]
    pub(crate) encoding: EncodingName,
    /// Messages of a symbol that Redis keeps, more or less
    #[arg(long, value_name = "N", default_value_t = 10_000, value_parser = clap::value_parser!(u32).range(64..))]
    pub(crate) history: u32,
    /// Memory for what waits for the engine, in MiB
    #[arg(long, value_name = "MIB", default_value_t = 32, value_parser = clap::value_parser!(u32).range(1..=4096))]
    pub(crate) queue: u32,
    /// Share the contracts with all who publish under this name
    #[arg(long, value_name = "NAME")]
    pub(crate) group: Option<String>,
    /// So many of the group publish each contract
    #[arg(long, value_name = "N", default_value_t = 1, requires = "group", value_parser = clap::value_parser!(u8).range(1..=8))]
    pub(crate) replicas: u8,
}

#[derive(clap::Args, Debug)]
#[command(after_help = "Examples:\n  \
    kcf consume XBTUSDTM ETHUSDTM --from redis://127.0.0.1:6379\n  \
    kcf consume --all --from nats://127.0.0.1:4222 --json | jq 'select(.type == \"state\")'\n\n\
    A book that is said to be live is the exchange's at its sequence. Exit codes: 0 ok, 2 usage, 3 the engine\n\
    refuses the login, 4 it was never reached.")]
pub(crate) struct ConsumeArgs {
    /// Contracts, such as XBTUSDTM
    #[arg(required_unless_present = "all", value_name = "SYMBOL")]
    pub(crate) symbols: Vec<Symbol>,
    /// All that are published
    #[arg(long, conflicts_with = "symbols")]
    pub(crate) all: bool,
    /// The engine: redis://[NAME:PASSWORD@]HOST[:6379][/DB] or nats://[NAME:PASSWORD@]HOST[:4222].
    /// Without this KCF_ENGINE in the environment says it, where other users see no password
    #[arg(long, value_name = "URL")]
    pub(crate) from: Option<String>,
    /// What keys and subjects begin with
    #[arg(long, value_name = "NAME", default_value = "kcf")]
    pub(crate) prefix: String,
    /// One JSON object per line, one for every change
    #[arg(long)]
    pub(crate) json: bool,
    /// Levels a side, with --json
    #[arg(long, value_name = "N", default_value_t = 10)]
    pub(crate) levels: usize,
    /// Print a digest of the whole book after every N changes of it, and nothing of the changes between
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) digest_every: Option<u64>,
    /// Stop after this time
    #[arg(long = "for", value_name = "TIME", value_parser = duration)]
    pub(crate) span: Option<Duration>,
}
