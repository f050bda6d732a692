//! The folder of real payloads, and what kind each file is of.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value as Json;

/// What a file holds, and so which test reads it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) enum Group {
    /// No payload.
    Text,
    Signatures,
    Instrument,
    Stats,
    Candle,
    Order,
    Position,
    Wallet,
    /// Margin modes, leverages.
    UserConfig,
    /// A frame of another market.
    Spot,
    Session,
    ErrorFrame,
    Level2,
    /// Deltas around a snapshot.
    Sync,
    /// The documentation's example of a book.
    Example,
    TickerV2,
    Ticker,
    Depth,
    Execution,
    Token,
    Snapshot,
    Contracts,
    Time,
    Refusal,
    Contract,
    RestTicker,
    AllTickers,
    Trades,
    Klines,
    MarkPrice,
    FundingRate,
    Status,
    Orders,
    Positions,
    Fills,
}

/// By what names begin with; the longest beginning counts.
const GROUPS: &[(&str, Group)] = &[
    ("INDEX.md", Group::Text),
    ("auth/sign_vectors", Group::Signatures),
    ("rest/all_tickers", Group::AllTickers),
    ("rest/bullet_", Group::Token),
    ("rest/cancel_order_error", Group::Refusal),
    ("rest/contract.json", Group::Contract),
    ("rest/contracts_active_", Group::Contracts),
    ("rest/error_", Group::Refusal),
    ("rest/funding_rate_current", Group::FundingRate),
    ("rest/klines", Group::Klines),
    ("rest/level2_", Group::Snapshot),
    ("rest/mark_price", Group::MarkPrice),
    ("rest/open_orders", Group::Orders),
    ("rest/positions", Group::Positions),
    ("rest/recent_fills", Group::Fills),
    ("rest/status", Group::Status),
    ("rest/ticker.json", Group::RestTicker),
    ("rest/timestamp", Group::Time),
    ("rest/trade_history", Group::Trades),
    ("ws/ack", Group::Session),
    ("ws/announcement_", Group::Instrument),
    ("ws/client_", Group::Session),
    ("ws/error_", Group::ErrorFrame),
    ("ws/execution_", Group::Execution),
    ("ws/instrument_", Group::Instrument),
    ("ws/level2", Group::Level2),
    ("ws/level2_depth", Group::Depth),
    ("ws/level2_sync_", Group::Sync),
    ("ws/level2_worked_example", Group::Example),
    ("ws/limit_candle", Group::Candle),
    ("ws/pong_", Group::Session),
    ("ws/private_cross_leverage", Group::UserConfig),
    ("ws/private_margin_mode", Group::UserConfig),
    ("ws/private_order_", Group::Order),
    ("ws/private_position_", Group::Position),
    ("ws/private_stop_order", Group::Order),
    ("ws/private_wallet_", Group::Wallet),
    ("ws/session_", Group::Session),
    ("ws/snapshot_24h", Group::Stats),
    ("ws/spot_l2update_", Group::Spot),
    ("ws/ticker_v1", Group::Ticker),
    ("ws/ticker_v2", Group::TickerV2),
    ("ws/tunnel_", Group::Session),
    ("ws/welcome", Group::Session),
];

pub(crate) fn group_of(name: &str) -> Option<Group> {
    let fitting = GROUPS.iter().filter(|(start, _)| name.starts_with(start));
    fitting.max_by_key(|(start, _)| start.len()).map(|(_, group)| *group)
}

pub(crate) struct Folder(PathBuf);

impl Folder {
    /// The one that `KCF_FIXTURES` names.
    pub(crate) fn named() -> Option<Self> {
        let folder = std::env::var_os("KCF_FIXTURES").filter(|name| !name.is_empty());
        folder.map(|folder| Self(folder.into()))
    }

    pub(crate) fn names(&self) -> Vec<String> {
        let mut names = Vec::new();
        collect(&self.0, &self.0, &mut names);
        names.sort();
        names
    }

    /// The files of a group, by name; never none.
    pub(crate) fn of(&self, group: Group) -> BTreeMap<String, String> {
        let names = self.names().into_iter().filter(|name| group_of(name) == Some(group));
        let files: BTreeMap<_, _> = names.map(|name| (name.clone(), self.read(&name))).collect();
        assert!(!files.is_empty(), "no file is of the group {group:?}");
        files
    }

    fn read(&self, name: &str) -> String {
        fs::read_to_string(self.0.join(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
    }
}

fn collect(folder: &Path, root: &Path, names: &mut Vec<String>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(&path, root, names);
        } else {
            names.push(path.strip_prefix(root).unwrap().to_str().unwrap().replace('\\', "/"));
        }
    }
}

/// One value a line, or the whole file.
pub(crate) fn values<'a>(name: &str, text: &'a str) -> Vec<&'a str> {
    if name.ends_with(".ndjson") {
        text.lines().filter(|line| !line.trim().is_empty()).collect()
    } else {
        vec![text]
    }
}

/// What a general parser makes of it: the referee.
pub(crate) fn json(text: &str) -> Json {
    serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {text}"))
}
