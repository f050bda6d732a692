//! Every cap, interval and default, each with its source.

use alloc::boxed::Box;
use alloc::vec;
use alloc::vec::Vec;
use core::time::Duration;

use crate::endpoint::RestBase;
use crate::error::Misuse;

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
/// config.backoff_cap = Duration::from_secs(30);
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Config {
    /// Where REST requests go. Default: KuCoin's futures host.
    pub rest: RestBase,
    /// Hosts, and parents of hosts, that a token response may send us to. Default: `kucoin.com`.
    /// Loopback hosts are allowed besides, if and only if `rest` is one.
    pub allowed_hosts: Vec<Box<str>>,

    /// Time from `Open` to `Opened`: DNS, TCP, TLS and the upgrade. Default 10 s.
    pub connect_timeout: Duration,
    /// Time from `Opened` to the welcome. Default 10 s.
    pub welcome_timeout: Duration,
    /// Time for a whole REST exchange. Default 10 s.
    pub fetch_timeout: Duration,
    /// Used when the token response says none. Default 18 s: `pingInterval` of the response.
    pub ping_interval: Duration,
    /// Used when the token response says none. Default 10 s: `pingTimeout` of the response.
    pub ping_timeout: Duration,
    /// Time for an ack before the request is sent again. Default 5 s; at least 1 ms.
    pub ack_timeout: Duration,
    /// Times a request is sent again before the line is given up. Default 3.
    pub ack_retries: u8,

    /// First bound of the reconnect delay. Default 1 s.
    pub backoff_base: Duration,
    /// Last bound of the reconnect delay. Default 60 s.
    pub backoff_cap: Duration,
    /// Time ready after which the delay starts from the first bound again. Default 60 s.
    pub backoff_reset_after: Duration,

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
    /// Snapshots in flight at a time. Default 8.
    pub snapshots_in_flight: usize,
    /// Topics on one line. Default 300: the text of the 509 error; one that names less is believed.
    pub topics_per_line: usize,
    /// Symbols in one subscribe frame. Default 100: the exchange's limit.
    pub symbols_per_frame: usize,
    /// Queries that may wait. Default 64.
    pub max_queries: usize,

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
    /// A book with fewer complete levels on a side that was cut is fetched anew. Default 250; cut
    /// to half of `snapshot_levels`. 0 switches this off: the best may then become unknown.
    pub refresh_below: usize,
    /// Most levels of a side that are kept. Default 5000; at least `snapshot_levels`.
    pub max_levels_per_side: usize,
    /// Deltas buffered per book while a snapshot is on its way. Default 8192; at least 1.
    pub max_pending_deltas: usize,
    /// Time a book may stay crossed before it is doubted. Default 1 s.
    pub crossed_for: Duration,
    /// How long a symbol that keeps sending undecodable deltas must wait for its next resync (three
    /// within this time). Default 60 s.
    pub poison_pause: Duration,

    /// Silence after which a confirmed topic is reported as silent. Default 60 s.
    pub silent_after: Duration,
    /// Undrained deltas and delays after which they are folded into one `Lagged`. Default 65,536.
    /// Other events and effects are few: each needs something to happen on the other side.
    pub max_queued_events: usize,
}

impl Default for Config {
    fn default() -> Self {
        let seconds = Duration::from_secs;
        Self {
            rest: RestBase::kucoin(),
            allowed_hosts: vec!["kucoin.com".into()],
            connect_timeout: seconds(10),
            welcome_timeout: seconds(10),
            fetch_timeout: seconds(10),
            ping_interval: seconds(18),
            ping_timeout: seconds(10),
            ack_timeout: seconds(5),
            ack_retries: 3,
            backoff_base: seconds(1),
            backoff_cap: seconds(60),
            backoff_reset_after: seconds(60),
            sends_per_10s: 100,
            sends_kept_for_pings: 10,
            tokens_per_min: 20,
            connects_per_min: 20,
            rest_weight_per_30s: 1500,
            snapshots_in_flight: 8,
            topics_per_line: 300,
            symbols_per_frame: 100,
            max_queries: 64,
            snapshot_delay: Duration::from_millis(200),
            snapshot_quiet_delay: seconds(1),
            snapshot_spacing: seconds(1),
            snapshot_backoff_cap: seconds(30),
            snapshot_patience: 10,
            snapshot_levels: 1000,
            refresh_below: 250,
            max_levels_per_side: 5000,
            max_pending_deltas: 8192,
            crossed_for: seconds(1),
            poison_pause: seconds(60),
            silent_after: seconds(60),
            max_queued_events: 65_536,
        }
    }
}

impl Config {
    /// The default, with another REST host, for example a simulated exchange on
    /// `http://127.0.0.1:8080`.
    ///
    /// # Errors
    /// [`Misuse::InvalidRestBase`] unless it is `https://host[:port]`, or `http` on loopback.
    pub fn with_rest(url: &str) -> Result<Self, Misuse> {
        Ok(Self { rest: RestBase::new(url)?, ..Self::default() })
    }

    /// Resolves contradictions, as the fields say.
    pub(crate) fn in_order(mut self) -> Self {
        self.snapshot_levels = self.snapshot_levels.max(1);
        self.refresh_below = self.refresh_below.min(self.snapshot_levels / 2);
        self.max_levels_per_side = self.max_levels_per_side.max(self.snapshot_levels);
        self.max_pending_deltas = self.max_pending_deltas.max(1);
        self.symbols_per_frame = self.symbols_per_frame.max(1);
        self.snapshot_patience = self.snapshot_patience.max(1);
        self.snapshots_in_flight = self.snapshots_in_flight.max(1);
        self.sends_per_10s = self.sends_per_10s.max(2);
        self.sends_kept_for_pings = self.sends_kept_for_pings.clamp(1, self.sends_per_10s - 1);
        self.tokens_per_min = self.tokens_per_min.max(1);
        self.connects_per_min = self.connects_per_min.max(1);
        self.rest_weight_per_30s = self.rest_weight_per_30s.max(10);
        self.max_queued_events = self.max_queued_events.max(1);
        self.ack_timeout = self.ack_timeout.max(Duration::from_millis(1));
        self
    }
}
