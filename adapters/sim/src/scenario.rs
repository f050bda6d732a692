//! What a run consists of: knobs and timed faults, drawn from a seed or from the bytes of a fuzzer.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use kucoin_futures_proto::{Channel, Config, Instant, Interval, Symbol, UnixNanos};

use crate::account::AccountConfig;
use crate::config::{Clocks, ExchangeConfig};
use crate::contract::Contract;
use crate::fault::{Fault, Plan, PlanError, Target};
use crate::oracle::Violation;
use crate::world::{Taps, World};

mod draw;

pub use draw::{Profile, Source};

/// All knobs are numbers, so that there is one list of them: fields, printer and parser.
macro_rules! knobs {
    ($( $(#[$doc:meta])* $name:ident ),* $(,)?) => {
        /// One run, completely: the same scenario is the same run, event for event.
        ///
        /// Its text form has a line `name value` for each knob and then the faults as in a
        /// [`Plan`], one a line.
        ///
        /// ```
        /// use kucoin_futures_sim::{Profile, Scenario};
        ///
        /// let scenario = Scenario::from_seed(Profile::Swarm, 7);
        /// assert_eq!(scenario.to_string().parse::<Scenario>()?, scenario);
        /// # Ok::<(), kucoin_futures_sim::ScenarioError>(())
        /// ```
        #[derive(Clone, PartialEq, Eq, Debug, Default)]
        #[non_exhaustive]
        pub struct Scenario {
            $( $(#[$doc])* pub $name: u64, )*
            /// What goes wrong, and when.
            pub plan: Plan,
        }

        impl Scenario {
            const KNOBS: &[&str] = &[$(stringify!($name)),*];

            fn knob(&mut self, name: &str) -> Option<&mut u64> {
                match name {
                    $( stringify!($name) => Some(&mut self.$name), )*
                    _ => None,
                }
            }

            fn write_knobs(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                $( writeln!(f, "{} {}", stringify!($name), self.$name)?; )*
                Ok(())
            }
        }
    };
}

knobs! {
    /// Decides what is drawn while it runs: the market, the network, jitter.
    seed,
    /// Length of the part with faults, in ms.
    span_ms,
    /// Clients, each with its own network and clock.
    clients,
    /// Contracts that are listed, and whose books everybody subscribes.
    symbols,
    /// Levels that each side of a book hovers around.
    depth,
    /// Changes of each book in 1000 s.
    rate_per_ks,
    /// Longest time of a packet one way, in us.
    latency_us,
    /// Levels a side at which the exchange cuts its snapshots.
    snapshot_levels,
    /// How far back a stale snapshot is, in changes.
    stale_by,
    /// 1: level2 deltas and snapshots carry no time.
    timeless,
    /// How far the clock that stamps snapshots is ahead of the one that stamps deltas, in ms.
    ahead_ms,
    /// How far it is behind, in ms.
    behind_ms,
    /// What the times of deltas are cut to, in ms; 0 as 1.
    delta_step_ms,
    /// What the times of snapshots are cut to, in ms; 0 as 1.
    snapshot_step_ms,
    /// 1: snapshots of a new run of a counter may overtake the news of it, for a client that has had a book for
    /// long enough to know the exchange's clocks.
    overtakes,
    /// What token responses say, in ms.
    ping_interval_ms,
    /// What token responses say, in ms.
    ping_timeout_ms,
    /// When the exchange cuts connections, in ms.
    lifetime_ms,
    /// `BookLimits::max_pending_deltas`.
    max_pending,
    /// `Queues::events`.
    max_queued,
    /// `Backoff::cap` in ms.
    backoff_cap_ms,
    /// `Budgets::symbols_per_frame`.
    symbols_per_frame,
    /// `Budgets::topics_per_line`; 0 for the usual.
    topics_per_line,
    /// `Lines::per_topic`; 0 as 1.
    lines,
    /// 1: tickers and trades are subscribed as well.
    streams,
    /// 1: every public channel of each contract is subscribed, with candles of 1 and 15 minutes, and the
    /// announcements of all.
    channels,
    /// The exchange opens so long before midnight, UTC, in ms: nearly all contracts settle funding then, and bars of
    /// every length end. 0: it opens when it always does.
    midnight_ms,
    /// 1: a contract is subscribed that is not listed.
    stranger,
    /// Tickers that are subscribed besides, of contracts that are not listed.
    crowd,
    /// A fault of the first symbol that outlasts all others: 0 none, 1 every delta is lost, 2 none
    /// can be decoded, 3 snapshots are stale, 4 snapshots are of another symbol, 5 the subscription
    /// is lost (which the client is to notice).
    lasting,
    /// Actions a minute of the trader whose account clients follow; 0: nobody follows it.
    account,
    /// What the wall clocks of the clients' machines are behind by, in ms: what is signed by them is refused from
    /// 5000 on.
    wall_behind_ms,
    /// How long it may take, once the faults are over, until all is well, in ms; 0: not asked.
    liveness_ms,
}

/// A text that is no scenario.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ScenarioError {
    /// A line is neither a knob nor a fault.
    #[error("`{0}` is neither `KNOB NUMBER` nor a fault; the knobs are {knobs}", knobs = Scenario::KNOBS.join(", "))]
    Line(String),
    /// A fault does not follow its grammar.
    #[error(transparent)]
    Plan(#[from] PlanError),
}

/// The markets there are: deep, drifting, tiny prices, whole ticks, and a name with digits.
const SYMBOLS: [&str; 10] = [
    "XBTUSDTM",
    "ETHUSDTM",
    "10PEPEUSDTM",
    "CHRUSDTM",
    "YFIUSDTM",
    "SOLUSDTM",
    "XRPUSDTM",
    "XBTUSDCM",
    "AVAXUSDTM",
    "DOGEUSDTM",
];
const STRANGER: &str = "NOSUCHUSDTM";
/// Short enough for topics to be silent and to speak again within a run, unless that takes days.
const SILENT_AFTER: Duration = Duration::from_secs(8);
const DAY: Duration = Duration::from_secs(86_400);

impl Scenario {
    /// The part with faults.
    #[must_use]
    pub const fn span(&self) -> Duration {
        Duration::from_millis(self.span_ms)
    }

    /// Sets a knob: `NAME NUMBER`, as in the text form.
    ///
    /// # Errors
    /// It is none, or no number.
    pub fn set(&mut self, line: &str) -> Result<(), ScenarioError> {
        let known = line.split_once(' ').and_then(|(name, value)| {
            *self.knob(name)? = value.trim().parse().ok()?;
            Some(())
        });
        known.ok_or_else(|| ScenarioError::Line(line.into()))
    }

    /// What is listed.
    pub(crate) fn listed(&self) -> Vec<Symbol> {
        let symbols = SYMBOLS.iter().take(self.symbols.max(1) as usize);
        symbols.filter_map(|symbol| symbol.parse().ok()).collect()
    }

    /// The world in which it happens, with its clients subscribed.
    ///
    /// # Errors
    /// A broken promise, so early.
    pub fn world(&self) -> Result<World, Violation> {
        self.world_with_taps(Taps::default())
    }

    /// The same, with somebody who looks on.
    ///
    /// # Errors
    /// A broken promise, as early as that.
    pub fn world_with_taps(&self, taps: Taps) -> Result<World, Violation> {
        let latency = Duration::from_micros(self.latency_us);
        let config = self.config();
        let mut world = World::with_taps(self.seed, config.clone(), self.exchange(), latency, taps);
        world.forget_happenings();
        if self.overtakes > 0 {
            world.let_overtake();
        }
        for _ in 1..self.clients {
            world.add_client(config.clone());
        }
        for number in 0..world.clients() {
            for channel in self.channels() {
                // More than its lines hold is not drawn.
                let _ = world.subscribe_at(number, channel)?;
            }
            if self.account > 0 {
                let behind = i64::try_from(self.wall_behind_ms).unwrap_or(i64::MAX);
                let _ = world.follow_account_at(number, -behind)?;
            }
        }
        Ok(world)
    }

    /// What the exchange's clock says.
    #[must_use]
    pub fn unix(&self, now: Instant) -> UnixNanos {
        let start = self.exchange().unix_start.as_nanos();
        UnixNanos::from_nanos(start.saturating_add(now.as_nanos()))
    }

    /// Whether a channel is out of order for good, so that nothing can be expected of it.
    #[must_use]
    pub fn is_hopeless(&self, channel: Channel) -> bool {
        let Some(symbol) = channel.symbol() else { return false };
        let first = self.listed().first().copied();
        symbol.as_str() == STRANGER || (matches!(self.lasting, 1..=4) && Some(symbol) == first)
    }

    /// Whether the exchange may count more than a client sent in the same time: the client's clock
    /// leaps or stands still, or what it sends in minutes arrives at once.
    pub(crate) fn bunches(&self) -> bool {
        let bunches = |fault: &Fault| match fault {
            Fault::ClockLeap { .. } => true,
            Fault::ClockBack { .. }
            | Fault::StallUp { .. }
            | Fault::Freeze { .. }
            | Fault::Lag { .. } => self.crowd > 0,
            _ => false,
        };
        self.plan.entries.iter().any(|entry| bunches(&entry.fault))
    }

    /// What stays broken when all else is healed.
    #[must_use]
    pub fn lasting_fault(&self) -> Option<Fault> {
        let target = Target::One(self.listed().first().copied()?);
        let (count, span) = (u32::MAX, Duration::from_secs(1 << 20));
        match self.lasting {
            1 => Some(Fault::Drop { target, count }),
            2 => Some(Fault::Malformed { target, count }),
            3 => Some(Fault::StaleSnapshot { target, count }),
            4 => Some(Fault::OtherSnapshot { target, count }),
            5 => Some(Fault::Mute { target, span }),
            _ => None,
        }
    }

    fn channels(&self) -> Vec<Channel> {
        let mut channels = Vec::new();
        for symbol in self.listed() {
            channels.push(Channel::level2(symbol));
            if self.channels > 0 {
                channels.extend(others_of(symbol));
            } else if self.streams > 0 {
                channels.extend([Channel::ticker_v2(symbol), Channel::execution(symbol)]);
            }
        }
        if self.channels > 0 {
            channels.push(Channel::announcements());
        }
        if self.stranger > 0 {
            channels.extend(STRANGER.parse().map(Channel::level2));
        }
        for number in 0..self.crowd {
            channels.extend(format!("C{number}USDTM").parse().map(Channel::ticker_v2));
        }
        channels
    }

    fn config(&self) -> Config {
        let mut config = World::client_config();
        config.book.snapshot_levels = self.snapshot_levels as usize;
        config.book.refresh_below = config.book.snapshot_levels / 4;
        // Half of the clients hold no more levels than a snapshot has.
        config.book.max_levels_per_side =
            config.book.snapshot_levels * if self.seed.is_multiple_of(2) { 1 } else { 5 };
        if self.span() < DAY {
            config.timeouts.silence = SILENT_AFTER;
        }
        config.book.max_pending_deltas = self.max_pending as usize;
        config.queues.events = self.max_queued as usize;
        config.budgets.symbols_per_frame = self.symbols_per_frame as usize;
        // Where the exchange cuts early, half of the clients know it, and replace their lines in time.
        if self.lifetime_ms < 3_600_000 && self.seed.is_multiple_of(2) {
            config.lines.life = Duration::from_millis(self.lifetime_ms / 4 * 3);
            config.lines.life_jitter = Duration::from_millis(self.lifetime_ms / 20);
        }
        if self.topics_per_line > 0 {
            config.budgets.topics_per_line = self.topics_per_line as usize;
        }
        config.lines.per_topic = u8::try_from(self.lines.max(1)).unwrap_or(u8::MAX);
        config.backoff.cap = Duration::from_millis(self.backoff_cap_ms);
        config.book.poison_pause = config.backoff.cap.max(Duration::from_secs(2));
        config
    }

    fn clocks(&self) -> Clocks {
        let ms = Duration::from_millis;
        Clocks {
            stated: self.timeless == 0,
            ahead: ms(self.ahead_ms),
            behind: ms(self.behind_ms),
            delta_step: ms(self.delta_step_ms),
            snapshot_step: ms(self.snapshot_step_ms),
        }
    }

    fn account(&self) -> AccountConfig {
        let activity = u32::try_from(self.account).unwrap_or(u32::MAX);
        AccountConfig { activity, ..AccountConfig::default() }
    }

    pub(crate) fn exchange(&self) -> ExchangeConfig {
        let contracts = self
            .listed()
            .into_iter()
            .map(|symbol| Contract { depth: self.depth as usize, ..Contract::named(symbol) });
        let usual = ExchangeConfig::default();
        ExchangeConfig {
            unix_start: match self.midnight_ms {
                0 => usual.unix_start,
                ms => before_midnight(usual.unix_start, ms),
            },
            contracts: contracts.collect(),
            rate: self.rate_per_ks as f64 / 1000.0,
            ping_interval: Duration::from_millis(self.ping_interval_ms),
            ping_timeout: Duration::from_millis(self.ping_timeout_ms),
            session_lifetime: Duration::from_millis(self.lifetime_ms),
            snapshot_levels: self.snapshot_levels as usize,
            stale_by: self.stale_by as usize,
            clocks: self.clocks(),
            faults: self.plan.clone(),
            accounts: vec![self.account()],
            ..usual
        }
    }
}

/// Every public channel of a contract beside that of its book.
fn others_of(symbol: Symbol) -> [Channel; 9] {
    [
        Channel::ticker_v2(symbol),
        Channel::ticker(symbol),
        Channel::execution(symbol),
        Channel::depth5(symbol),
        Channel::depth50(symbol),
        Channel::instrument(symbol),
        Channel::stats_24h(symbol),
        Channel::candles(symbol, Interval::Min1),
        Channel::candles(symbol, Interval::Min15),
    ]
}

/// So many milliseconds before the first midnight after a time.
const fn before_midnight(after: UnixNanos, ms: u64) -> UnixNanos {
    const DAY_MS: u64 = 86_400_000;
    let midnight = (after.as_millis() / DAY_MS + 1) * DAY_MS;
    UnixNanos::from_nanos((midnight - ms % DAY_MS) * 1_000_000)
}

impl fmt::Display for Scenario {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.write_knobs(f)?;
        self.plan.entries.iter().try_for_each(|entry| writeln!(f, "{entry}"))
    }
}

impl FromStr for Scenario {
    type Err = ScenarioError;

    fn from_str(text: &str) -> Result<Self, ScenarioError> {
        let mut scenario = Self::default();
        for line in text.lines().map(str::trim).filter(|line| !line.is_empty()) {
            if line.starts_with("at ") || line.starts_with("every ") {
                scenario.plan.entries.append(&mut line.parse::<Plan>()?.entries);
                continue;
            }
            scenario.set(line)?;
        }
        Ok(scenario)
    }
}
