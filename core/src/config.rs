//! Every cap, interval and default, each with its source.

use alloc::boxed::Box;
use alloc::vec;
use alloc::vec::Vec;
use core::time::Duration;

use serde::{Deserialize, Serialize};

use crate::currency::Currency;
use crate::endpoint::RestBase;
use crate::error::Misuse;
use crate::line_set::MOST_LINES;

/// What a [`Client`](crate::Client) keeps to. Take the default and change single fields.
///
/// Values that contradict each other are not refused but brought in order by the client, as each
/// field says.
///
/// ```
/// use core::time::Duration;
/// use kucoin_futures_proto::Config;
///
/// let mut config = Config::default();
/// config.backoff.cap = Duration::from_secs(30);
/// ```
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct Config {
    /// Where requests and connections go.
    pub endpoints: Endpoints,
    /// How long something is waited for.
    pub timeouts: Timeouts,
    /// The delay before the next attempt to connect, and before a topic that was refused is asked for
    /// again: full jitter over a bound that doubles.
    pub backoff: Backoff,
    /// What is sent, asked and carried, at most.
    pub budgets: Budgets,
    /// How many lines there are, and when they are replaced.
    pub lines: Lines,
    /// How a book comes to be live, how far it reaches, and what it keeps.
    pub book: BookLimits,
    /// What is asked of an account.
    pub account: AccountLimits,
    /// What may wait, at most.
    pub queues: Queues,
}

/// What is asked of an account that is followed.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct AccountLimits {
    /// The currencies whose balances are asked for; those that the stream speaks of come besides. Default:
    /// USDT, USDC and XBT, which contracts are settled in.
    pub currencies: Vec<Currency>,
    /// Pages of orders and stop orders that are asked for until the account is live. Default 40: as many orders
    /// and stop orders as are kept, 1000 to a page, each list read twice. At least 2: one of each.
    pub max_pages: u32,
    /// Open orders that are kept. Default 10,000: 100 in each of 100 contracts; how many the exchange allows is not
    /// known. An account that has more is not live, and says so.
    pub max_orders: usize,
    /// Stop orders that are kept; the same. Default 10,000.
    pub max_stop_orders: usize,
    /// Positions that are kept; the same. Default 2000: both sides of twice as many contracts as there are.
    pub max_positions: usize,
    /// Balances that are kept; the same. Default 256: contracts are settled in a handful of currencies.
    pub max_balances: usize,
}

impl Default for AccountLimits {
    fn default() -> Self {
        let names = ["USDT", "USDC", "XBT"].into_iter();
        Self {
            currencies: names.filter_map(|name| Currency::new(name).ok()).collect(),
            max_pages: 40,
            max_orders: 10_000,
            max_stop_orders: 10_000,
            max_positions: 2_000,
            max_balances: 256,
        }
    }
}

/// Where requests and connections go.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct Endpoints {
    /// Where REST requests go. Default: KuCoin's futures host.
    pub rest: RestBase,
    /// Hosts, and parents of hosts, that a token response may send us to. Default: `kucoin.com`.
    /// Loopback hosts are allowed besides, if and only if `rest` is one.
    pub allowed_hosts: Vec<Box<str>>,
}

impl Default for Endpoints {
    fn default() -> Self {
        Self { rest: RestBase::kucoin(), allowed_hosts: vec!["kucoin.com".into()] }
    }
}

/// How long something is waited for.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct Timeouts {
    /// Time from `Open` to `Opened`: DNS, TCP, TLS and the upgrade. Default 10 s.
    pub connect: Duration,
    /// Time from `Opened` to the welcome. Default 10 s.
    pub welcome: Duration,
    /// Time for a whole REST exchange. Default 10 s.
    pub fetch: Duration,
    /// Used when the token response says none. Default 18 s: `pingInterval` of the response.
    pub ping_interval: Duration,
    /// Used when the token response says none. Default 10 s: `pingTimeout` of the response.
    pub pong: Duration,
    /// Time for an ack before the request is sent again. Default 5 s; at least 1 ms.
    pub ack: Duration,
    /// Times a request is sent again before the line is given up. Default 3.
    pub ack_retries: u8,
    /// Silence after which a confirmed topic is reported as silent, and a live book is held against a snapshot
    /// (of weight 3), again after each such time. Default 60 s; at least 1 ms. A book with a fast stream is looked at
    /// sooner: after fifty of its usual pauses, and 10 s at least.
    pub silence: Duration,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(10),
            welcome: Duration::from_secs(10),
            fetch: Duration::from_secs(10),
            ping_interval: Duration::from_secs(18),
            pong: Duration::from_secs(10),
            ack: Duration::from_secs(5),
            ack_retries: 3,
            silence: Duration::from_secs(60),
        }
    }
}

/// The delay before the next attempt to connect, and before a topic that was refused is asked for again:
/// full jitter over a bound that doubles. Lines and topics count their failures each for itself.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct Backoff {
    /// First bound of the delay. Default 1 s.
    pub base: Duration,
    /// Last bound of the delay. Default 60 s.
    pub cap: Duration,
    /// Time ready after which the delay of a line starts from the first bound again. Default 60 s. That of a
    /// topic does once it is confirmed.
    pub reset_after: Duration,
}

impl Default for Backoff {
    fn default() -> Self {
        Self {
            base: Duration::from_secs(1),
            cap: Duration::from_secs(60),
            reset_after: Duration::from_secs(60),
        }
    }
}

/// What is sent, asked and carried, at most.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct Budgets {
    /// Client messages per 10 s and line. Default 100: KuCoin's documented limit. Counted over 11 s,
    /// because what is held up on its way arrives closer together than it was sent.
    pub sends_per_10s: u32,
    /// Of these, how many only pings may use. Default 10.
    pub sends_kept_for_pings: u32,
    /// Tokens per sliding minute. Default 20; KuCoin allows 30 connections a minute.
    pub tokens_per_min: u32,
    /// Connection attempts per sliding minute. Default 20; KuCoin allows 30.
    pub connects_per_min: u32,
    /// Weight of public REST requests per sliding 30 s. Default 1500; the public pool has 2000
    /// per IP, which other programs behind the same address share.
    pub rest_weight_per_30s: u32,
    /// Weight of signed REST requests per sliding 30 s. Default 1500; the pool of an account without a VIP
    /// level has 2000, which its other programs share.
    pub signed_weight_per_30s: u32,
    /// Queries in flight at a time. Default 8. At least 1.
    pub queries_in_flight: usize,
    /// Snapshots in flight at a time. Default 8.
    pub snapshots_in_flight: usize,
    /// Topics on one line. Default 300: the text of the 509 error; one that names less is believed.
    pub topics_per_line: usize,
    /// Symbols in one subscribe frame. Default 100: the exchange's limit.
    pub symbols_per_frame: usize,
}

impl Default for Budgets {
    fn default() -> Self {
        Self {
            sends_per_10s: 100,
            sends_kept_for_pings: 10,
            tokens_per_min: 20,
            connects_per_min: 20,
            rest_weight_per_30s: 1500,
            signed_weight_per_30s: 1500,
            queries_in_flight: 8,
            snapshots_in_flight: 8,
            topics_per_line: 300,
            symbols_per_frame: 100,
        }
    }
}

/// How many lines there are, and when they are replaced.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct Lines {
    /// Lines that carry each public topic: 1 (the default), or 2. With two the first copy of each message is
    /// taken, and either line may end without a book leaving live. An account has one.
    pub per_topic: u8,
    /// Lines that topics are spread over, at most, besides those of second copies and those that are being
    /// replaced. Default 16: 4800 topics of 300 to a line. 1 to 31. KuCoin allows 800 connections from an address.
    pub at_most: usize,
    /// How long a book stays as it is when one of several lines has left something out: so long another one may
    /// bring it. Default 250 ms: the time in which TCP repeats what was lost on the way. The book is true at its
    /// sequence meanwhile. When all lines have left it out, or one line is all there is, nothing is waited for.
    pub hole_grace: Duration,
    /// The same when a line brings its first words, and what came before them is still on its way on another.
    /// Default 2 s: longer than a frame is on its way on a line that answers its pings.
    pub join_grace: Duration,
    /// Time after which a line is replaced. Default 23 h: the exchange ends a connection 24 h after its token was
    /// given. At least 10 s.
    pub life: Duration,
    /// Replaced up to so much earlier, by chance: no two lines at once. Default 1 h.
    pub life_jitter: Duration,
    /// For so long at least both lines carry everything before the old one is shut. Default 2 s.
    pub overlap: Duration,
    /// How often the two lines of each topic are held against each other: one that is behind the other twice in a row
    /// is replaced. Default 60 s; at least 1 s; 0: never.
    pub compare_every: Duration,
    /// A line is behind if half of what it brings comes so much later than from another one, as far as the ranges of a
    /// [`LagHistogram`](crate::book::LagHistogram) tell. Default 500 ms.
    pub most_lag: Duration,
}

impl Default for Lines {
    fn default() -> Self {
        Self {
            per_topic: 1,
            at_most: 16,
            hole_grace: Duration::from_millis(250),
            join_grace: Duration::from_secs(2),
            life: Duration::from_secs(23 * 3600),
            life_jitter: Duration::from_secs(3600),
            overlap: Duration::from_secs(2),
            compare_every: Duration::from_secs(60),
            most_lag: Duration::from_millis(500),
        }
    }
}

/// How a book comes to be live, how far it reaches, and what it keeps.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct BookLimits {
    /// From the first delta after the ack to the request for a snapshot. Default 200 ms: the
    /// snapshot service may lag behind the stream.
    pub snapshot_delay: Duration,
    /// From the ack to the request for a snapshot in a still market. Default 1 s.
    pub snapshot_quiet_delay: Duration,
    /// Least time between two snapshot requests for one symbol. Default 1 s.
    pub snapshot_spacing: Duration,
    /// Last bound of the extra delay before a snapshot is asked for again. Default 30 s.
    pub snapshot_backoff_cap: Duration,
    /// Snapshots in a row that are older than what the book had reached, with no delta to confirm
    /// that, after which the exchange's counter is taken to have been set back. Default 10.
    pub snapshot_patience: u32,
    /// Levels of a snapshot's side from which on it is taken to be cut. Default 1000: measured.
    /// At least 1.
    pub snapshot_levels: usize,
    /// A live book with fewer complete levels on a side that was cut is widened by a snapshot, and stays live. Default
    /// 250; cut to half of `snapshot_levels`. 0 switches this off: the best may then become unknown.
    pub refresh_below: usize,
    /// Time after which a live book is held against a snapshot again, or up to half of it earlier, each book by its
    /// own. Default 10 min: a snapshot has a weight of 3, so that 700 books use some 140 of the 2000 in 30 s. 0: never,
    /// but when a book is silent or its horizon is near.
    pub audit_every: Duration,
    /// Most levels of a side that are kept. Default 5000; at least `snapshot_levels`.
    pub max_levels_per_side: usize,
    /// Deltas buffered per book while a snapshot is on its way. Default 8192; at least 1.
    pub max_pending_deltas: usize,
    /// Time a book may stay crossed before it is doubted. Default 1 s.
    pub crossed_for: Duration,
    /// How long a symbol that keeps sending undecodable deltas must wait for its next resync (three
    /// within this time). Default 60 s.
    pub poison_pause: Duration,
}

impl Default for BookLimits {
    fn default() -> Self {
        Self {
            snapshot_delay: Duration::from_millis(200),
            snapshot_quiet_delay: Duration::from_secs(1),
            snapshot_spacing: Duration::from_secs(1),
            snapshot_backoff_cap: Duration::from_secs(30),
            snapshot_patience: 10,
            snapshot_levels: 1000,
            refresh_below: 250,
            audit_every: Duration::from_secs(600),
            max_levels_per_side: 5000,
            max_pending_deltas: 8192,
            crossed_for: Duration::from_secs(1),
            poison_pause: Duration::from_secs(60),
        }
    }
}

/// What may wait, at most.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct Queues {
    /// Queries that may wait. Default 64.
    pub queries: usize,
    /// Changes of an account that are kept while what it has is asked for. Default 8192; more begin it anew.
    pub account_changes: usize,
    /// Undrained deltas and delays after which they are folded into one `Lagged`. Default 65,536.
    /// Other events and effects are few: each needs something to happen on the other side.
    pub events: usize,
}

impl Default for Queues {
    fn default() -> Self {
        Self { queries: 64, account_changes: 8192, events: 65_536 }
    }
}

impl Config {
    /// The default, with another REST host, for example a simulated exchange on
    /// `http://127.0.0.1:8080`.
    ///
    /// # Errors
    /// [`Misuse::InvalidRestBase`] unless it is `https://host[:port]`, or `http` on loopback.
    pub fn with_rest(url: &str) -> Result<Self, Misuse> {
        let rest = RestBase::new(url)?;
        Ok(Self { endpoints: Endpoints { rest, ..Endpoints::default() }, ..Self::default() })
    }

    /// Resolves contradictions, as the fields say.
    pub(crate) fn in_order(mut self) -> Self {
        let Self { timeouts, budgets, lines, book, account, queues, .. } = &mut self;
        timeouts.ack = timeouts.ack.max(Duration::from_millis(1));
        timeouts.silence = timeouts.silence.max(Duration::from_millis(1));
        budgets.symbols_per_frame = budgets.symbols_per_frame.max(1);
        budgets.snapshots_in_flight = budgets.snapshots_in_flight.max(1);
        budgets.sends_per_10s = budgets.sends_per_10s.max(2);
        let most = budgets.sends_per_10s - 1;
        budgets.sends_kept_for_pings = budgets.sends_kept_for_pings.clamp(1, most);
        budgets.tokens_per_min = budgets.tokens_per_min.max(1);
        budgets.connects_per_min = budgets.connects_per_min.max(1);
        budgets.rest_weight_per_30s = budgets.rest_weight_per_30s.max(10);
        budgets.signed_weight_per_30s = budgets.signed_weight_per_30s.max(10);
        budgets.queries_in_flight = budgets.queries_in_flight.max(1);
        lines.per_topic = lines.per_topic.clamp(1, 2);
        if lines.compare_every > Duration::ZERO {
            lines.compare_every = lines.compare_every.max(Duration::from_secs(1));
        }
        lines.at_most = lines.at_most.clamp(1, MOST_LINES / 4 - 1);
        book.snapshot_levels = book.snapshot_levels.max(1);
        book.snapshot_patience = book.snapshot_patience.max(1);
        book.refresh_below = book.refresh_below.min(book.snapshot_levels / 2);
        book.max_levels_per_side = book.max_levels_per_side.max(book.snapshot_levels);
        book.max_pending_deltas = book.max_pending_deltas.max(1);
        account.max_pages = account.max_pages.max(2);
        queues.events = queues.events.max(1);
        self
    }
}
