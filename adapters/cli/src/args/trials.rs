//! The arguments of soak and bench.

use std::path::PathBuf;

use clap::ValueEnum;
use kucoin_futures_sim::Profile;

/// What kind of runs.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub(crate) enum SoakProfile {
    /// Everything is drawn: a minute or so with about fifty faults
    Swarm,
    /// Ten deep books at 50 changes a second, a fault every ten seconds: ten minutes
    Storm,
    /// A chain of short troubles: how long a client stays off the air once they are over
    Chain,
    /// Counters that are set back while the client is away, and snapshots from before
    Restart,
    /// Two still books, pings, and the cut after a day: a year
    Quiet,
    /// Three contracts with every public channel, a trouble every ten minutes: three hours
    Trading,
}

impl SoakProfile {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Swarm => "swarm",
            Self::Storm => "storm",
            Self::Chain => "chain",
            Self::Restart => "restart",
            Self::Quiet => "quiet",
            Self::Trading => "trading",
        }
    }
}

impl From<SoakProfile> for Profile {
    fn from(profile: SoakProfile) -> Self {
        match profile {
            SoakProfile::Swarm => Self::Swarm,
            SoakProfile::Storm => Self::Storm,
            SoakProfile::Chain => Self::Chain,
            SoakProfile::Restart => Self::Restart,
            SoakProfile::Quiet => Self::Quiet,
            SoakProfile::Trading => Self::Trading,
        }
    }
}

#[derive(clap::Args, Debug)]
#[command(
    after_help = "Exchange, network, clock and client in one process: the client is the real one, every event of \
    it is compared with the truth, and the same seed is the same run.\n\n\
    Examples:\n  kcf soak\n  \
    kcf soak --seeds 5000 --json | jq .broken\n  \
    kcf soak --profile quiet                    a year of pings and daily cuts\n  \
    kcf soak --profile chain                    how long an outage outlasts its cause\n  \
    kcf soak --crowd 1000                       a thousand clients lose their lines at once\n  \
    kcf soak --seed 17 --steps 1234             again what was reported"
)]
pub(crate) struct SoakArgs {
    /// The first seed
    #[arg(long, value_name = "S", default_value_t = 0)]
    pub(crate) seed: u64,
    /// How many seeds; 200, or 1000 for chain, or 1 with --steps and for storm and quiet
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) seeds: Option<u64>,
    /// What kind of runs
    #[arg(long, value_name = "NAME", default_value = "swarm")]
    pub(crate) profile: SoakProfile,
    /// Virtual length of the part with faults, in place of the profile's own
    #[arg(long, value_name = "H", value_parser = hours)]
    pub(crate) hours: Option<f64>,
    /// Stop each run after so many events
    #[arg(long, value_name = "N")]
    pub(crate) steps: Option<u64>,
    /// Run this scenario, as printed for a run that failed
    #[arg(long, value_name = "FILE", conflicts_with_all = ["seed", "seeds", "profile"])]
    pub(crate) scenario: Option<PathBuf>,
    /// In place of all that: so many clients lose their lines at once, at an exchange that lets in 50 connections
    /// a second; how they come back, by the core's schedule and by those of others
    #[arg(
        long,
        value_name = "N",
        value_parser = crowd,
        conflicts_with_all = [
            "seeds", "profile", "hours", "steps", "scenario", "knob", "no_shrink", "at_least", "jobs"
        ]
    )]
    pub(crate) crowd: Option<usize>,
    /// Set a knob of every run, whatever was drawn: `ahead_ms=0`; a scenario's text lists them
    #[arg(long, value_name = "NAME=N")]
    pub(crate) knob: Vec<String>,
    /// Do not look for the smallest scenario that still fails
    #[arg(long)]
    pub(crate) no_shrink: bool,
    /// Fail, too, if a kind of fault met something less often than this, or was never answered; in restart,
    /// if a kind of evidence was named less often
    #[arg(long, value_name = "N", default_value_t = 0, hide_default_value = true)]
    pub(crate) at_least: u64,
    /// Threads; as many as there are processors
    #[arg(long, value_name = "N")]
    pub(crate) jobs: Option<usize>,
    /// One JSON object
    #[arg(long)]
    pub(crate) json: bool,
}

impl SoakArgs {
    pub(crate) fn seeds(&self) -> u64 {
        self.seeds.unwrap_or_else(|| match self.profile {
            _ if self.steps.is_some() => 1,
            SoakProfile::Swarm | SoakProfile::Restart => 200,
            SoakProfile::Chain => 1000,
            SoakProfile::Storm | SoakProfile::Quiet | SoakProfile::Trading => 1,
        })
    }
}

/// Who reads.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub(crate) enum BenchReader {
    /// The library under the blocking feed
    Tungstenite,
    /// The feed on threads
    Blocking,
    /// The library under the feed on smol
    AsyncTungstenite,
    /// The feed on smol
    Smol,
}

impl BenchReader {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Tungstenite => "tungstenite",
            Self::Blocking => "blocking",
            Self::AsyncTungstenite => "async-tungstenite",
            Self::Smol => "smol",
        }
    }
}

#[derive(clap::Args, Debug)]
#[command(after_help = BENCH)]
pub(crate) struct BenchArgs {
    /// Messages that each reader gets in each round
    #[arg(long, value_name = "N", default_value_t = 1_000_000, value_parser = frames)]
    pub(crate) frames: usize,
    /// Messages that are handed to the system in one write: so many are there at once
    #[arg(long, value_name = "K", default_value_t = 64, value_parser = per_write)]
    pub(crate) per_write: usize,
    /// Books, a few of them busy
    #[arg(long, value_name = "N", default_value_t = 10, value_parser = books)]
    pub(crate) symbols: usize,
    /// Rounds; every reader has its turn in each, and the medians are shown
    #[arg(long, value_name = "N", default_value_t = 5, value_parser = rounds)]
    pub(crate) rounds: usize,
    /// Measure these readers only, for example under a profiler
    #[arg(long, value_name = "A,B", value_delimiter = ',')]
    pub(crate) only: Vec<BenchReader>,
    /// Decides the market
    #[arg(long, default_value_t = 1)]
    pub(crate) seed: u64,
    /// One JSON object per line
    #[arg(long)]
    pub(crate) json: bool,
    /// Be the other side: kcf starts itself so
    #[arg(long, hide = true)]
    pub(crate) push: bool,
}

const BENCH: &str = "\
A simulated exchange in a process of its own makes a market's messages beforehand. Each reader connects, \
the feeds go through token, welcome, subscription and snapshots as always, and then the messages are \
written as fast as they are read, over plain TCP on loopback.

  tungstenite, async-tungstenite   read the messages and throw them away; with the settings that the
                                   feeds use and with the library's own, the cheaper ones are shown
  blocking, smol                   the feeds: read, decode, keep exact books, show each change

CPU is the processor time of the reading thread, user and system. In the end the digest of every book must \
be the exchange's; the exit code is 5 if one is not.

Figures are worth comparing within one run only, on a machine with two idle processors or more.

Examples:
  kcf bench
  kcf bench --per-write 1                  every message alone: mostly system calls
  kcf bench --symbols 200 --json | jq 'select(.type == \"reader\")'";

pub(super) fn hours(text: &str) -> Result<f64, String> {
    match text.parse() {
        Ok(hours) if (0.001..=1e6).contains(&hours) => Ok(hours),
        _ => Err("a number of hours, from 0.001 to 1000000".into()),
    }
}

/// The model goes through all sessions whenever something happens: more would take hours.
fn crowd(text: &str) -> Result<usize, String> {
    number(text, 1, 10_000)
}

fn frames(text: &str) -> Result<usize, String> {
    number(text, 1, 20_000_000)
}

fn per_write(text: &str) -> Result<usize, String> {
    number(text, 1, 4096)
}

/// As many topics as a connection may have.
fn books(text: &str) -> Result<usize, String> {
    number(text, 1, 300)
}

fn rounds(text: &str) -> Result<usize, String> {
    number(text, 1, 1000)
}

fn number(text: &str, least: usize, most: usize) -> Result<usize, String> {
    match text.parse() {
        Ok(number) if (least..=most).contains(&number) => Ok(number),
        _ => Err(format!("a number from {least} to {most}")),
    }
}
