//! Scenarios out of chance: first the ranges, then the values, then the faults.

use std::time::Duration;

use kucoin_futures_proto::{SplitMix64, Symbol};

use super::Scenario;
use crate::fault::{Entry, Fault, Refusal, Target};

/// What kind of run it is to be.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[allow(clippy::exhaustive_enums, reason = "each is asked for by name")]
pub enum Profile {
    /// Everything is drawn, the ranges and the kinds of fault among it: about a minute with about
    /// fifty faults.
    Swarm,
    /// Ten deep books at 50 changes a second, a fault every ten seconds: ten minutes.
    Storm,
    /// A chain of short troubles for up to half a minute: how long a client stays off the air once
    /// they are over.
    Chain,
    /// Engines restart, mostly while the client is away, and snapshots are from before: eleven minutes of
    /// what a maintenance leaves behind. Half of the markets state no times, a third stand still.
    Restart,
    /// Two books that change once a minute, pings, and the cut after a day: a year.
    Quiet,
    /// Three contracts with every public channel and a trouble every ten minutes: three hours of what a program that
    /// trades has to live with.
    Trading,
}

/// Where numbers come from.
pub trait Source {
    /// A number in `0..bound`; 0 if `bound` is 0.
    fn below(&mut self, bound: u64) -> u64;
}

impl Source for SplitMix64 {
    fn below(&mut self, bound: u64) -> u64 {
        Self::below(self, bound)
    }
}

/// A fuzzer's bytes; zeros once they are used up.
struct Bytes<'a>(&'a [u8]);

impl Source for Bytes<'_> {
    fn below(&mut self, bound: u64) -> u64 {
        let mut value = 0;
        let mut most = bound.saturating_sub(1);
        while most > 0 {
            let (byte, rest) = self.0.split_first().unwrap_or((&0, &[]));
            self.0 = rest;
            value = value << 8 | u64::from(*byte);
            most >>= 8;
        }
        value.checked_rem(bound).unwrap_or(0)
    }
}

const SECOND: Duration = Duration::from_secs(1);
const MOST_LINES: u64 = 8;
/// Kinds of fault that wait for something to be asked for: tokens, snapshots, connections, acks.
const NEEDS_A_SNAPSHOT: [&str; 2] = ["stale-snapshot", "other-snapshot"];
const NEEDS_A_CONNECTION: [&str; 9] = [
    "late-welcome",
    "no-welcome",
    "two-welcomes",
    "wrong-welcome",
    "expire-token",
    "refuse",
    "slow-connect",
    "bad-servers",
    "absurd-pings",
];
const NEEDS_A_REQUEST: [&str; 6] =
    ["late-ack", "no-ack", "two-acks", "strange-ack", "swap-acks", "refuse-request"];

impl Scenario {
    /// The scenario that a seed decides.
    #[must_use]
    pub fn from_seed(profile: Profile, seed: u64) -> Self {
        Self::draw(profile, seed, &mut SplitMix64::new(seed))
    }

    /// The scenario that the bytes of a fuzzer decide.
    #[must_use]
    pub fn from_bytes(bytes: &[u8]) -> Self {
        let mut source = Bytes(bytes);
        let seed = source.below(1 << 16);
        Self::draw(Profile::Swarm, seed, &mut source)
    }

    fn draw(profile: Profile, seed: u64, source: &mut impl Source) -> Self {
        match profile {
            Profile::Swarm => swarm(seed, source),
            Profile::Storm => storm(seed, source),
            Profile::Chain => chain(seed, source),
            Profile::Restart => restart(seed, source),
            Profile::Quiet => quiet(seed),
            Profile::Trading => trading(seed, source),
        }
    }
}

fn swarm(seed: u64, source: &mut impl Source) -> Scenario {
    let depth = pick(source, &[3, 12, 40, 40, 90]);
    let mut scenario = Scenario {
        seed,
        span_ms: 20_000 + source.below(60_000),
        clients: pick(source, &[1, 1, 1, 2]),
        symbols: 1 + source.below(4),
        depth,
        rate_per_ks: pick(source, &[500, 5_000, 30_000, 30_000, 100_000]),
        latency_us: pick(source, &[100, 5_000, 40_000, 40_000, 200_000, 700_000]),
        snapshot_levels: pick(source, &[8, 30, 1000]),
        stale_by: pick(source, &[5, 100, 500]),
        ping_interval_ms: pick(source, &[1_000, 2_000, 5_000, 18_000]),
        ping_timeout_ms: pick(source, &[1_500, 3_000, 10_000]),
        lifetime_ms: pick(source, &[15_000, 86_400_000, 86_400_000, 86_400_000]),
        max_pending: pick(source, &[20, 8192, 8192]),
        max_queued: pick(source, &[4, 100, 65_536]),
        backoff_cap_ms: pick(source, &[1_000, 4_000, 60_000]),
        symbols_per_frame: pick(source, &[1, 2, 100]),
        streams: source.below(2),
        stranger: u64::from(source.below(4) == 0),
        crowd: if source.below(32) == 0 { 270 } else { 0 },
        lasting: pick(source, &[0, 0, 0, 1, 2, 3, 4, 5]),
        ..Scenario::default()
    };
    let span = scenario.span();
    let most = pick(source, &[20, 60, 120]);
    let count = 5 + source.below(most);
    // One run in four has all kinds of fault, the others a few. Two words stand for a dozen each.
    let words: Vec<&str> =
        Fault::honest_words().chain(["error", "refuse-request"].repeat(5)).collect();
    let some = pick(source, &[words.len() as u64, 3, 8, 20]);
    let kinds: Vec<&str> = if some == words.len() as u64 {
        words
    } else {
        (0..some).filter_map(|_| pick_of(source, &words)).collect()
    };
    add_faults(&mut scenario, source, span, count, &kinds);
    scenario.liveness_ms = liveness_ms(&scenario);
    draw_clocks(&mut scenario, source);
    draw_channels(&mut scenario, source);
    draw_account(&mut scenario, source);
    draw_lines(&mut scenario, source);
    scenario
}

/// In a quarter of the runs a client needs several lines: at most eight, of which a few reconnect within a
/// minute's budget. In another quarter each topic is on two.
fn draw_lines(scenario: &mut Scenario, source: &mut impl Source) {
    match source.below(4) {
        0 | 1 => return,
        2 if scenario.crowd == 0 => {
            scenario.lines = 2;
            scenario.liveness_ms += 60_000;
            return;
        }
        _ => {}
    }
    let topics = scenario.channels().len() as u64;
    let least = topics.div_ceil(MOST_LINES);
    scenario.topics_per_line = pick(source, &[1, 2, 3, 5, 20]).max(least);
    // What lines use up of a minute's budget of tokens and connections, others wait for.
    scenario.liveness_ms += 2 * 60_000;
}

/// In two of five runs clients follow an account.
fn draw_account(scenario: &mut Scenario, source: &mut impl Source) {
    scenario.account = pick(source, &[0, 0, 0, 10, 120]);
    let behind = pick(source, &[0, 0, 3_000, 20_000, 3_600_000]);
    if scenario.account > 0 {
        scenario.wall_behind_ms = behind;
        // Its line fails and backs off by itself, and so does what is asked about it.
        scenario.liveness_ms += 2 * (scenario.backoff_cap_ms + 30_000);
    }
}

/// In a quarter of the runs every public channel is subscribed, their pushes meet faults of their own, and midnight
/// comes. Drawn after all else, so that the other runs are what they would be without.
fn draw_channels(scenario: &mut Scenario, source: &mut impl Source) {
    if source.below(4) < 3 || scenario.crowd > 0 {
        return;
    }
    scenario.channels = 1;
    let span = scenario.span();
    scenario.midnight_ms = 1 + source.below(scenario.span_ms);
    let symbols = scenario.listed();
    for _ in 0..source.below(16) {
        let at = Duration::from_nanos(source.below(span.as_nanos() as u64));
        let one = pick_of(source, &symbols).map_or(Target::All, Target::One);
        let target = if source.below(4) == 0 { Target::All } else { one };
        let count = 1 + source.below(8) as u32;
        let fault = match source.below(5) {
            0 => Fault::PushDrop { target, count },
            1 => Fault::PushRepeat { target, count },
            2 => Fault::PushMalformed { target, count },
            3 => Fault::PushSubject { target, count },
            _ => Fault::PushOld { target, count },
        };
        scenario.plan.entries.push(Entry::once(at, fault));
    }
}

/// In every other run the clocks of snapshots and deltas are apart, or cut to more than a millisecond.
fn draw_clocks(scenario: &mut Scenario, source: &mut impl Source) {
    let most = pick(source, &[0, 0, 0, 10, 100, 1_000, 3_000]);
    let skew = source.below(most);
    if source.below(2) == 0 {
        scenario.ahead_ms = skew;
    } else {
        scenario.behind_ms = skew;
    }
    scenario.delta_step_ms = pick(source, &[1, 1, 1, 10, 100, 1_000]);
    scenario.snapshot_step_ms = pick(source, &[1, 1, 1, 1, 10, 1_000]);
}

/// One client with the limits of the exchange and the settings that clients have by themselves.
fn usual(seed: u64) -> Scenario {
    Scenario {
        seed,
        clients: 1,
        latency_us: 40_000,
        snapshot_levels: 1000,
        stale_by: 500,
        ping_interval_ms: 18_000,
        ping_timeout_ms: 10_000,
        lifetime_ms: 86_400_000,
        max_pending: 8192,
        max_queued: 65_536,
        backoff_cap_ms: 60_000,
        symbols_per_frame: 100,
        ..Scenario::default()
    }
}

fn storm(seed: u64, source: &mut impl Source) -> Scenario {
    let mut scenario =
        Scenario { span_ms: 600_000, symbols: 10, depth: 1200, rate_per_ks: 50_000, ..usual(seed) };
    let span = scenario.span();
    // Books that nobody wants would make it no storm.
    let kinds: Vec<&str> = Fault::honest_words().filter(|word| *word != "toggle").collect();
    add_faults(&mut scenario, source, span, 60, &kinds);
    scenario.liveness_ms = liveness_ms(&scenario);
    scenario
}

/// The exchange restarts its front, which takes up to half a minute: the connection ends, requests for
/// tokens are refused in ways that change every second, and of what gets through most connections are
/// refused. What counts is how long it takes once that is over.
fn chain(seed: u64, source: &mut impl Source) -> Scenario {
    let start = SECOND * 10;
    let most = pick(source, &[3_000, 10_000, 30_000]);
    let span = ms(source, &[most]);
    let mut scenario = Scenario {
        span_ms: (start + span).as_millis() as u64,
        symbols: 3,
        depth: 40,
        rate_per_ks: 30_000,
        ..usual(seed)
    };
    scenario.liveness_ms = liveness_ms(&scenario);
    let entries = &mut scenario.plan.entries;
    entries.push(Entry::once(start, Fault::Close { code: 1001 }));
    if source.below(3) > 0 {
        entries.push(Entry::once(start, Fault::Refuse { span }));
    }
    let mut at = start;
    while at < start + span {
        let reset = ms(source, &[2_000]);
        let fault = match source.below(6) {
            0 | 1 => Fault::ServerError { count: 2 },
            2 | 3 => Fault::TooManyRequests { reset, count: 2 },
            4 => Fault::Html { count: 1 },
            _ => Fault::RefusedRequest { count: 1 },
        };
        entries.push(Entry::once(at, fault));
        at += ms(source, &[2_000]);
    }
    scenario
}

/// Counters that are set back. Where nothing states a time, they go back so far that the old run and the new
/// one cannot be taken for each other: nobody could tell them apart.
fn restart(seed: u64, source: &mut impl Source) -> Scenario {
    let timeless = source.below(2);
    let still = source.below(3) == 0;
    let mut scenario = Scenario {
        span_ms: 660_000,
        symbols: 1 + source.below(2),
        depth: pick(source, &[3, 12]),
        rate_per_ks: if still { 17 } else { pick(source, &[500, 2_000, 10_000]) },
        timeless,
        overtakes: 1,
        ..usual(seed)
    };
    scenario.latency_us = pick(source, &[5_000, 40_000, 700_000]);
    scenario.stale_by = pick(source, &[1, 3, 20]);
    let target = Target::All;
    // A book that stands still believes the tenth snapshot, after two and a half minutes.
    let pause = if still { 200 } else { 30 };
    let mut at = SECOND * 5;
    while at < scenario.span() {
        let mut add = |after, fault| scenario.plan.entries.push(Entry::once(at + after, fault));
        let step = if timeless > 0 { 1_000_000 + source.below(1_000_000) } else { step(source) };
        if source.below(4) > 0 {
            add(Duration::ZERO, Fault::Close { code: 1001 });
            add(Duration::ZERO, Fault::Refuse { span: ms(source, &[4_000]) });
        }
        if source.below(2) > 0 {
            add(Duration::ZERO, Fault::StaleSnapshot { target, count: 1 + source.below(6) as u32 });
        }
        if source.below(2) > 0 {
            add(ms(source, &[2_000]), Fault::Drop { target, count: 1 + source.below(2) as u32 });
        }
        add(ms(source, &[2_000]), Fault::StepBack { target, step });
        at += SECOND * pause + ms(source, &[10_000]);
    }
    // A topic that says something once a minute is well when it has.
    scenario.liveness_ms = liveness_ms(&scenario) + if still { 900_000 } else { 0 };
    scenario
}

fn quiet(seed: u64) -> Scenario {
    Scenario {
        span_ms: 365 * 86_400_000,
        symbols: 2,
        depth: 60,
        rate_per_ks: 17,
        liveness_ms: 60_000,
        ..usual(seed)
    }
}

/// Lines that end, changes and trades that do not come, a market that runs away.
fn trading(seed: u64, source: &mut impl Source) -> Scenario {
    let mut scenario = Scenario {
        span_ms: 3 * 3_600_000,
        symbols: 3,
        depth: 300,
        rate_per_ks: 5_000,
        channels: 1,
        ..usual(seed)
    };
    let span = scenario.span();
    add_faults(&mut scenario, source, span, 12, &["close", "reset", "drop", "malformed", "rally"]);
    let symbols = scenario.listed();
    for _ in 0..6 {
        let at = Duration::from_nanos(source.below(span.as_nanos() as u64));
        let target = pick_of(source, &symbols).map_or(Target::All, Target::One);
        let count = 1 + source.below(20) as u32;
        scenario.plan.entries.push(Entry::once(at, Fault::PushDrop { target, count }));
    }
    scenario.liveness_ms = liveness_ms(&scenario);
    scenario
}

/// What it may take once everything works again: a backoff, a token, a connection, a welcome and
/// acks (55 s), what is left of a rate limit (20 s), of a pause after poison (the longest backoff)
/// and of a dead connection (a ping and its pong), and snapshots that have to be asked for several
/// times (60 s; where a counter was set back, and snapshots of the new run may not overtake the news, there is
/// none for half a minute, and then ten may be refused before they are believed, half a minute apart at most:
/// 340 s). Absurd words about pings are cut to a minute
/// each.
fn liveness_ms(scenario: &Scenario) -> u64 {
    let steps =
        |entry: &Entry| matches!(entry.fault, Fault::StepBack { .. } | Fault::StepAhead { .. });
    let is_held_up = scenario.overtakes == 0 && scenario.plan.entries.iter().any(steps);
    let snapshots = if is_held_up { 340_000 } else { 60_000 };
    55_000 + 20_000 + snapshots + 2 * scenario.backoff_cap_ms + 120_000
}

/// Faults of these kinds, each with what makes the client meet it.
fn add_faults(
    scenario: &mut Scenario,
    source: &mut impl Source,
    span: Duration,
    count: u64,
    kinds: &[&str],
) {
    let symbols = scenario.listed();
    for _ in 0..count {
        let Some(word) = pick_of(source, kinds) else { break };
        let at = Duration::from_nanos(source.below(span.as_nanos() as u64));
        let Some(fault) = draw_fault(word, source, &symbols) else { continue };
        scenario.plan.entries.push(Entry::once(at, fault));
        if let Some(trigger) = trigger(word, source, &symbols) {
            scenario.plan.entries.push(Entry::once(at, trigger));
        }
    }
}

/// What makes the client ask for what is spoiled.
fn trigger(word: &str, source: &mut impl Source, symbols: &[Symbol]) -> Option<Fault> {
    let target = Target::One(pick_of(source, symbols)?);
    let lost_delta = Fault::Drop { target, count: 1 };
    let lost_line = Fault::Close { code: 1001 };
    let chance = source.below(4);
    if chance == 0 {
        None
    } else if NEEDS_A_SNAPSHOT.contains(&word) {
        Some(Fault::Drop { target: Target::All, count: 1 })
    } else if word.starts_with("http-") {
        Some(if chance == 1 { lost_line } else { lost_delta })
    } else if NEEDS_A_CONNECTION.contains(&word) || word == "only-bad-servers" {
        Some(lost_line)
    } else if NEEDS_A_REQUEST.contains(&word) {
        Some(if chance == 1 { lost_line } else { Fault::Toggle { target } })
    } else {
        None
    }
}

#[allow(clippy::too_many_lines, reason = "one line for each kind of fault")]
fn draw_fault(word: &str, source: &mut impl Source, symbols: &[Symbol]) -> Option<Fault> {
    let one = Target::One(pick_of(source, symbols)?);
    let target = if source.below(4) == 0 { Target::All } else { one };
    let count = 1 + source.below(3) as u32;
    let delay = ms(source, &[300, 3_000, 20_000]);
    let span = ms(source, &[500, 4_000, 30_000]);
    Some(match word {
        "drop" => Fault::Drop { target, count },
        "repeat" => Fault::Repeat { target, count: 1 + source.below(5) as u32 },
        "step-back" => Fault::StepBack { target, step: step(source) },
        "step-ahead" => Fault::StepAhead { target, step: step(source) },
        "malformed" => Fault::Malformed { target, count },
        "hold-back" => Fault::HoldBack { target, span: ms(source, &[500, 4_000]) },
        "mute" => Fault::Mute { target, span },
        "one-sided" => Fault::OneSided { target: one },
        "hollow" => Fault::Hollow { target: one },
        "cross" => Fault::Cross { target: one, span: ms(source, &[500, 3_000]) },
        "rally" => Fault::Rally { target: one, count: 20 + source.below(200) as u32 },
        "stale-snapshot" => Fault::StaleSnapshot { target, count },
        "other-snapshot" => Fault::OtherSnapshot { target, count },
        "late-welcome" => Fault::LateWelcome { delay, count },
        "no-welcome" => Fault::NoWelcome { count },
        "two-welcomes" => Fault::TwoWelcomes { count },
        "wrong-welcome" => Fault::WrongWelcome { count },
        "late-ack" => Fault::LateAck { delay, count },
        "no-ack" => Fault::NoAck { count: 1 + source.below(5) as u32 },
        "two-acks" => Fault::TwoAcks { count },
        "strange-ack" => Fault::StrangeAck { count },
        "swap-acks" => Fault::SwapAcks { count },
        // A topic that is refused for good is nothing to recover from: one at a time. One that has spoken
        // comes back, however often the exchange says that it does not exist; and a frame of several is
        // refused as often as it is halved before one of them is.
        "refuse-request" => {
            let error = pick_of(source, Refusal::ALL)?;
            let count = match error {
                Refusal::UnknownTopic | Refusal::LoginRequired => {
                    pick(source, &[1, 1, 4, 12]) as u32
                }
                _ => 1,
            };
            Fault::RefuseRequest { error, count }
        }
        "error" => Fault::Error { error: pick_of(source, Refusal::ALL)? },
        "withhold-pongs" => Fault::WithholdPongs { span },
        "late-pong" => Fault::LatePong { delay: ms(source, &[500, 5_000]), count },
        "wrong-pong" => Fault::WrongPong { count },
        "expire-token" => Fault::ExpireToken { count },
        "close" => Fault::Close { code: pick(source, &[1000, 1001, 1006, 1012, 1013]) as u16 },
        "close-one" => Fault::CloseOne { code: pick(source, &[1000, 1001, 1006]) as u16 },
        "reset" => Fault::Reset {},
        "refuse" => Fault::Refuse { span: ms(source, &[500, 10_000]) },
        "flap" => Fault::Flap { span: ms(source, &[500, 10_000]) },
        "slow-connect" => Fault::SlowConnect { delay, count },
        "freeze" => Fault::Freeze { span },
        "http-429" => Fault::TooManyRequests { reset: ms(source, &[2_000, 20_000]), count },
        "http-429-bare" => Fault::TooManyBare { count },
        "http-403" => Fault::Forbidden { count },
        "http-1015" => Fault::Banned { count },
        "http-5xx" => Fault::ServerError { count },
        "http-code" => Fault::ApiError { count },
        "http-html" => Fault::Html { count },
        "http-empty" => Fault::EmptyBody { count },
        "http-cut" => Fault::CutBody { count },
        "http-giant" => Fault::GiantBody { count },
        "http-drip" => Fault::Drip { pause: ms(source, &[1, 20]), count },
        "http-late" => Fault::LateAnswer { delay, count },
        "http-never" => Fault::NoAnswer { count },
        "http-refused" => Fault::RefusedRequest { count },
        "bad-servers" => Fault::BadServers { count },
        "only-bad-servers" => Fault::OnlyBadServers { count },
        "absurd-pings" => Fault::AbsurdPings { count: 1 },
        "stall-up" => Fault::StallUp { span },
        "stall-down" => Fault::StallDown { span },
        "lag" => Fault::Lag { delay: ms(source, &[500, 3_000]), span },
        "clock-back" => Fault::ClockBack { by: ms(source, &[100, 60_000]) },
        "clock-leap" => Fault::ClockLeap { by: ms(source, &[1_000, 3_600_000]) },
        "sleep" => Fault::Sleep { span: ms(source, &[2_000, 120_000]) },
        "late-timeouts" => Fault::LateTimeouts { by: ms(source, &[50, 3_000, 15_000]), span },
        "early-timeouts" => Fault::EarlyTimeouts { count },
        "undrained" => Fault::Undrained { count: 1 + source.below(30) as u32 },
        "slow-consumer" => Fault::SlowConsumer { span },
        "toggle" => Fault::Toggle { target },
        "close-client" => Fault::CloseClient {},
        // Those of pushes that are no deltas are drawn with their channels.
        _ => return None,
    })
}

/// How far counters step: hardly, or by far.
fn step(source: &mut impl Source) -> u64 {
    let most = pick(source, &[3, 30, 1_000, 5_000]);
    1 + source.below(most)
}

/// A time up to one of these bounds.
fn ms(source: &mut impl Source, bounds: &[u64]) -> Duration {
    let most = pick(source, bounds);
    (SECOND / 1000) * (1 + source.below(most)) as u32
}

fn pick(source: &mut impl Source, of: &[u64]) -> u64 {
    pick_of(source, of).unwrap_or(0)
}

fn pick_of<T: Copy>(source: &mut impl Source, of: &[T]) -> Option<T> {
    of.get(source.below(of.len() as u64) as usize).copied()
}
