//! Runs scenarios and says what became of them; makes failing ones small.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

use kucoin_futures_proto::{Client, Instant};

use crate::ledger::Ledger;
use crate::oracle::Violation;
use crate::scenario::Scenario;
use crate::world::{Taps, World};

/// What became of a run.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Report {
    /// Things delivered: frames, requests and replies, each way, and deadlines.
    pub events: u64,
    /// Scripted faults whose time came.
    pub faults: u64,
    /// Deltas compared with the truth.
    pub deltas: u64,
    /// Whole books compared with the truth.
    pub books: u64,
    /// Other messages compared with the truth: tickers, trades, depths, marks, funding, figures, candles.
    pub messages: u64,
    /// Books that were wanted, each times how long, while there were faults.
    pub wanted: Duration,
    /// The same of those that were live.
    pub live: Duration,
    /// Virtual time that passed.
    pub passed: Duration,
    /// From the end of the last fault until all books that can be had are live; `None` if that was
    /// not asked for or did not happen. Of several runs: the longest.
    pub recovery: Option<Duration>,
    /// One number for all that happened: equal for equal scenarios.
    pub trace: u64,
    /// Which faults struck, and whether what they call for was seen.
    pub ledger: Ledger,
    /// The promise that was broken, if one was.
    pub failure: Option<String>,
}

impl Report {
    /// Adds another run's numbers. The trace becomes that of both, in this order.
    pub fn add(&mut self, other: &Self) {
        self.events += other.events;
        self.faults += other.faults;
        self.deltas += other.deltas;
        self.books += other.books;
        self.messages += other.messages;
        self.passed = self.passed.saturating_add(other.passed);
        self.wanted = self.wanted.saturating_add(other.wanted);
        self.live = self.live.saturating_add(other.live);
        self.recovery = self.recovery.max(other.recovery);
        self.trace = self.trace.rotate_left(7) ^ other.trace;
        self.ledger.add(&other.ledger);
        if self.failure.is_none() {
            self.failure.clone_from(&other.failure);
        }
    }
}

/// Two busy books, their tickers and trades, and over and over whatever makes a client remember
/// something, without an end.
const DAY: &str = "seed 5
clients 1
symbols 2
depth 40
rate_per_ks 30000
latency_us 40000
snapshot_levels 1000
stale_by 50
ping_interval_ms 18000
ping_timeout_ms 10000
lifetime_ms 86400000
max_pending 8192
max_queued 65536
backoff_cap_ms 60000
symbols_per_frame 100
streams 1
every 3m drop * 2
every 7m repeat * 2
every 13m close 1001
every 17m step-back * 3
every 19m stale-snapshot * 2
every 23m http-5xx 2
every 29m malformed * 1
";

/// What a client holds in its first hour and in the last one of a day, as `measure` has it: each time the
/// mean over the full minutes, because books have now more levels, now fewer.
///
/// A busy hour fills what is filled; a whole day at its rate would say no more and take minutes, so the
/// hours after it are quieter.
///
/// # Errors
/// A broken promise.
pub fn held_over_a_day(measure: impl Fn(&Client) -> u64) -> Result<[u64; 2], Violation> {
    let scenario: Scenario = DAY.parse().map_err(|error| Violation::new(format!("{error}")))?;
    let mut world = scenario.world()?;
    let hour = |world: &mut World| -> Result<u64, Violation> {
        let mut sum = 0;
        for _ in 0..60 {
            world.run_for(Duration::from_secs(60))?;
            sum += measure(world.client());
        }
        Ok(sum / 60)
    };
    let first = hour(&mut world)?;
    world.exchange_mut().set_rate(2.0);
    world.run_for(Duration::from_secs(22 * 3600))?;
    Ok([first, hour(&mut world)?])
}

/// A world does not take so many events in a virtual second, not even with four clients in a rush.
const BUSY: u64 = 200_000;
/// The market must be seen to go on once all is well.
const AFTERWARDS: Duration = Duration::from_secs(2);

/// Runs a scenario to its end, or until more than `steps` events were delivered: with the events of
/// a failed run it fails again, even if time alone was what broke the promise.
///
/// With the faults on, only safety is asked for: whatever a client says must be true. Then they are
/// healed, all but a lasting one, and every book that is not hopeless must be live, and go on,
/// within the scenario's time.
#[must_use]
pub fn run(scenario: &Scenario, steps: Option<u64>) -> Report {
    run_watched(scenario, steps, &mut |_| true)
}

/// The same; now and then `watch` is shown the time that has passed, and says whether to go on.
#[must_use]
pub fn run_watched(
    scenario: &Scenario,
    steps: Option<u64>,
    watch: &mut dyn FnMut(Duration) -> bool,
) -> Report {
    run_tapped(scenario, steps, Taps::default(), watch)
}

/// The same, with somebody who looks on.
#[must_use]
pub fn run_tapped(
    scenario: &Scenario,
    steps: Option<u64>,
    taps: Taps,
    watch: &mut dyn FnMut(Duration) -> bool,
) -> Report {
    let mut report = Report::default();
    let mut world = match scenario.world_with_taps(taps) {
        Ok(world) => world,
        Err(violation) => {
            return Report { failure: Some(violation.to_string()), ..Report::default() };
        }
    };
    // A client that panics has broken a promise like any other.
    let outcome = catch_unwind(AssertUnwindSafe(|| {
        let mut limits = Limits { steps: steps.unwrap_or(u64::MAX), watch };
        phases(&mut world, scenario, &mut limits, &mut report)
    }));
    report.failure = match outcome {
        Ok(Ok(())) => None,
        Ok(Err(violation)) => Some(violation.to_string()),
        Err(panic) => Some(format!("panic: {}", words_of(&*panic))),
    };
    (report.deltas, report.books) = world.compared();
    report.messages = world.messages();
    report.events = world.events();
    report.faults = world.faults();
    report.passed = world.now().since(Instant::ZERO);
    report.trace = world.trace();
    report
}

/// How far a run goes.
struct Limits<'a> {
    steps: u64,
    watch: &'a mut dyn FnMut(Duration) -> bool,
}

/// The watch is asked at every so many events.
const WATCHED: u64 = 1 << 14;

impl Limits<'_> {
    fn is_over(&mut self, world: &World) -> bool {
        world.events().is_multiple_of(WATCHED) && !(self.watch)(world.now().since(Instant::ZERO))
    }
}

fn words_of(panic: &(dyn core::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().cloned();
    text.or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).into())).unwrap_or_default()
}

fn phases(
    world: &mut World,
    scenario: &Scenario,
    limits: &mut Limits<'_>,
    report: &mut Report,
) -> Result<(), Violation> {
    let safety = run_for(world, scenario.span(), limits);
    report.ledger.add(world.ledger());
    (report.wanted, report.live) = world.time_live();
    if !safety? {
        return Ok(());
    }
    world.check_all()?;
    world.heal()?;
    if let Some(fault) = scenario.lasting_fault() {
        world.inject(fault)?;
    }
    if scenario.liveness_ms > 0 && !liveness(world, scenario, limits, &mut report.recovery)? {
        return Ok(());
    }
    world.check_all()?;
    let exceeded = world.exchange().counts().violations;
    if exceeded > 0 && !scenario.bunches() {
        return Err(Violation::new(format!("the exchange's limits were exceeded: {exceeded}")));
    }
    world.close()
}

/// Lets time pass, until there are more events than that; says whether it did not have to be cut short.
fn run_for(world: &mut World, span: Duration, limits: &mut Limits<'_>) -> Result<bool, Violation> {
    let end = world.now() + span;
    let (mut second, mut before) = (world.now(), world.events());
    loop {
        if world.events() > limits.steps || limits.is_over(world) {
            return Ok(false);
        }
        if !world.step(end)? {
            world.run_for(end.since(world.now()))?;
            return Ok(true);
        }
        if world.now().since(second) >= Duration::from_secs(1) {
            (second, before) = (world.now(), world.events());
        } else if world.events() - before > BUSY {
            return Err(Violation::new(format!("no rest at {:?}", world.now())));
        }
    }
}

fn liveness(
    world: &mut World,
    scenario: &Scenario,
    limits: &mut Limits<'_>,
    recovery: &mut Option<Duration>,
) -> Result<bool, Violation> {
    let limit = Duration::from_millis(scenario.liveness_ms);
    let since = world.now();
    loop {
        let well = |world: &World| world.is_healthy(|channel| scenario.is_hopeless(channel));
        let left = limit.saturating_sub(world.now().since(since));
        let pause = Duration::from_millis(100).min(left);
        let is_well = well(world);
        if is_well && recovery.is_none() {
            *recovery = Some(world.now().since(since));
        }
        if is_well && pause.is_zero() {
            return Err(Violation::new(format!(
                "live {limit:?} after the faults, but not going on"
            )));
        } else if is_well {
            let marks = world.marks();
            let latency = Duration::from_micros(scenario.latency_us);
            if !run_for(world, AFTERWARDS + latency * 2, limits)? {
                return Ok(false);
            }
            if well(world) && world.have_passed(&marks, |channel| scenario.is_hopeless(channel)) {
                return Ok(true);
            }
        } else if pause.is_zero() {
            let ill = world.ailments(|channel| scenario.is_hopeless(channel));
            return Err(Violation::new(format!("not well {limit:?} after the faults: {ill}")));
        } else if !run_for(world, pause, limits)? {
            return Ok(false);
        }
    }
}

/// Leaves out one fault after the other while it still fails; `progress` is told how many are left
/// to try and how many are left.
#[must_use]
pub fn shrink(scenario: &Scenario, progress: impl FnMut(usize, usize)) -> Scenario {
    shrink_while(scenario, |scenario| run(scenario, None).failure.is_some(), progress)
}

/// The same for whatever else may fail in a scenario, such as a [trial](crate::trial).
#[must_use]
pub fn shrink_while(
    scenario: &Scenario,
    fails: impl Fn(&Scenario) -> bool,
    mut progress: impl FnMut(usize, usize),
) -> Scenario {
    let mut smallest = scenario.clone();
    // Big pieces first: most of the faults have nothing to do with it.
    let mut piece = smallest.plan.entries.len().div_ceil(2);
    while piece > 0 {
        let mut at = 0;
        while at < smallest.plan.entries.len() {
            progress(smallest.plan.entries.len() - at, smallest.plan.entries.len());
            let mut smaller = smallest.clone();
            let end = (at + piece).min(smaller.plan.entries.len());
            smaller.plan.entries.drain(at..end);
            if fails(&smaller) {
                smallest = smaller;
            } else {
                at += piece;
            }
        }
        piece /= 2;
    }
    for simplify in [
        |scenario: &mut Scenario| scenario.clients = 1,
        |scenario: &mut Scenario| scenario.channels = 0,
        |scenario: &mut Scenario| scenario.streams = 0,
        |scenario: &mut Scenario| scenario.stranger = 0,
        |scenario: &mut Scenario| scenario.lasting = 0,
        |scenario: &mut Scenario| scenario.symbols = 1,
    ] {
        let mut smaller = smallest.clone();
        simplify(&mut smaller);
        if smaller != smallest && fails(&smaller) {
            smallest = smaller;
        }
    }
    smallest
}
