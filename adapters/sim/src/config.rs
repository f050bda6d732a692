//! What a simulated exchange lists, says and tolerates.

use std::time::Duration;

use kucoin_futures_proto::UnixNanos;

use crate::account::AccountConfig;
use crate::contract::Contract;
use crate::fault::Plan;

/// What an exchange is made of.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ExchangeConfig {
    /// What is listed. Default: [`Contract::defaults`].
    pub contracts: Vec<Contract>,
    /// Level changes a second, of each symbol. Default 20; 0 for a still market.
    pub rate: f64,
    /// What the token response says. Default 18 s: as on the real one.
    pub ping_interval: Duration,
    /// What the token response says. Default 10 s: as on the real one.
    pub ping_timeout: Duration,
    /// What the token response says.
    pub endpoint: String,
    /// Tokens may be used for so long, as often as anybody likes. Default 24 h: as on the real one.
    pub token_lifetime: Duration,
    /// Connections are cut so long after their token was granted. Default 24 h: as on the real one.
    pub session_lifetime: Duration,
    /// A full snapshot is cut at so many levels a side. Default 1000: as on the real one.
    pub snapshot_levels: usize,
    /// How far back a stale snapshot is, in changes. Default 500.
    pub stale_by: usize,
    /// Whether depths are pushed every 100 ms even if nothing changed, as probes of 2026 saw; documents
    /// say that they are not. Default false.
    pub depths_repeat: bool,
    /// The clocks that stamp level2 deltas and snapshots.
    pub clocks: Clocks,
    /// The exchange's clock at the start.
    pub unix_start: UnixNanos,
    /// The accounts that may sign requests. Default: one, see [`AccountConfig`].
    pub accounts: Vec<AccountConfig>,
    /// The limits in force.
    pub limits: Limits,
    /// Faults, from the start on.
    pub faults: Plan,
}

/// The clocks that stamp level2 deltas and snapshots. Default: both right, to a millisecond.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct Clocks {
    /// Whether times are stated at all. Default true: as on the real one.
    pub stated: bool,
    /// How far the clock of snapshots is ahead of the one of deltas.
    pub ahead: Duration,
    /// How far it is behind.
    pub behind: Duration,
    /// What the times of deltas are cut to; at least 1 ms. Default 1 ms: as on the real one.
    pub delta_step: Duration,
    /// What the times of snapshots are cut to; at least 1 ms. Default 1 ms.
    pub snapshot_step: Duration,
}

impl Default for Clocks {
    fn default() -> Self {
        const STEP: Duration = Duration::from_millis(1);
        let (ahead, behind) = (Duration::ZERO, Duration::ZERO);
        Self { stated: true, ahead, behind, delta_step: STEP, snapshot_step: STEP }
    }
}

impl Clocks {
    /// What a delta of this time states, in ms.
    pub(crate) fn of_delta(&self, at: UnixNanos) -> Option<u64> {
        self.stated.then(|| cut(at.as_millis(), self.delta_step))
    }

    /// What a snapshot of this time states, in ms.
    pub(crate) fn of_snapshot(&self, at: UnixNanos) -> Option<u64> {
        let [ahead, behind] = [self.ahead, self.behind].map(|by| by.as_millis() as u64);
        let at = at.as_millis().saturating_add(ahead).saturating_sub(behind);
        self.stated.then(|| cut(at, self.snapshot_step))
    }
}

fn cut(ms: u64, step: Duration) -> u64 {
    ms - ms % (step.as_millis() as u64).max(1)
}

/// What the exchange tolerates.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Limits {
    /// Client frames in 10 s, per connection. Default 100.
    pub messages_per_10s: usize,
    /// Symbols in one topic string. Default 100.
    pub symbols_per_frame: usize,
    /// Topics on one connection. Default 300.
    pub topics_per_session: usize,
    /// Connections at a time. Default 800.
    pub sessions: usize,
}

impl Default for ExchangeConfig {
    fn default() -> Self {
        Self {
            contracts: Contract::defaults(),
            rate: 20.0,
            ping_interval: Duration::from_secs(18),
            ping_timeout: Duration::from_secs(10),
            endpoint: "ws://127.0.0.1:80/".into(),
            token_lifetime: Duration::from_secs(24 * 3600),
            session_lifetime: Duration::from_secs(24 * 3600),
            snapshot_levels: 1000,
            stale_by: 500,
            depths_repeat: false,
            clocks: Clocks::default(),
            unix_start: UnixNanos::from_nanos(1_790_000_000_000_000_000),
            accounts: vec![AccountConfig::default()],
            limits: Limits {
                messages_per_10s: 100,
                symbols_per_frame: 100,
                topics_per_session: 300,
                sessions: 800,
            },
            faults: Plan::default(),
        }
    }
}
