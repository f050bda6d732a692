//! A crowd: many clients that lose their lines at once, at an exchange that takes in only so many a second.
//!
//! One client's backoff looks good against any outage. What it is worth shows when a thousand come back
//! together: whoever is refused comes again, and those who draw no lots come again together. [`run`] lets
//! the real core do so, or a model of what clients usually do, in one and the same world: a network, an
//! exchange, and a door that refuses what is too much. All in virtual time; the same seed is the same run.
//!
//! ```
//! use kucoin_futures_sim::crowd::{self, Crowd, Schedule};
//!
//! let mut crowd = Crowd::default();
//! (crowd.clients, crowd.per_second) = (20, 4);
//! let core = crowd::run(&crowd, Schedule::Core);
//! assert!(core.all_live.is_some());
//! assert_eq!(core.over_limit, 0);
//! ```

use std::time::Duration;

use kucoin_futures_proto::TransportError;

mod core_client;
mod door;
mod schedule;
mod tally;
mod town;
mod usual_client;

pub use schedule::Schedule;
use town::Town;

/// Who comes, and who is let in.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Crowd {
    /// How many clients. Each has its own address, and so its own limits, and its own seed. Default 1000.
    pub clients: usize,
    /// Connections that are accepted in any one second once the lines are lost. Default 50.
    pub per_second: usize,
    /// What the others are refused with, drawn from these evenly. Default: HTTP 429 and HTTP 503 that name no
    /// time, and a reset. Empty: a reset.
    pub refusals: Vec<TransportError>,
    /// The longest time a packet takes one way. Default 100 ms.
    pub latency: Duration,
    /// Decides the market, the network, the refusals and each client's draws. Default 0.
    pub seed: u64,
}

impl Default for Crowd {
    fn default() -> Self {
        let upgrade = |status| TransportError::Upgrade { status, retry_after: None };
        Self {
            clients: 1000,
            per_second: 50,
            refusals: vec![upgrade(429), upgrade(503), TransportError::Reset],
            latency: Duration::from_millis(100),
            seed: 0,
        }
    }
}

/// How a crowd came back.
#[derive(Clone, PartialEq, Debug)]
#[non_exhaustive]
pub struct Outcome {
    /// By which schedule.
    pub schedule: Schedule,
    /// Clients that were live when the lines were lost: all of them, unless something is wrong.
    pub lost: usize,
    /// From the loss until all are live; `None`: not within [`PATIENCE`].
    pub all_live: Option<Duration>,
    /// The time after which half of the clients are live; `None` as above.
    pub median: Option<Duration>,
    /// Attempts to connect, of all clients, from the loss on.
    pub attempts: u64,
    /// The most of one client.
    pub most_attempts: u64,
    /// Attempts that were refused.
    pub refused: u64,
    /// Clients that connected more than [`CONNECTS_PER_MINUTE`] times in some minute, or used up their weight of
    /// REST requests. The model does not punish it; the exchange may.
    pub over_limit: usize,
}

impl Outcome {
    /// Attempts of one client, on average.
    #[must_use]
    #[allow(clippy::cast_precision_loss, reason = "for people; a crowd is no 2^52")]
    pub fn mean_attempts(&self, crowd: &Crowd) -> f64 {
        self.attempts as f64 / crowd.clients.max(1) as f64
    }
}

/// Connections that an address may open in a minute: the exchange's documented limit.
pub const CONNECTS_PER_MINUTE: usize = 30;
/// Nobody is waited for any longer.
pub const PATIENCE: Duration = Duration::from_secs(3600);

/// Lets all of them connect, takes their lines away at once, and waits until all are live again.
#[must_use]
pub fn run(crowd: &Crowd, schedule: Schedule) -> Outcome {
    let mut town = Town::new(crowd, schedule);
    town.settle();
    let lost = town.cut_all();
    let all_live = town.recover();
    town.outcome(schedule, lost, all_live)
}
