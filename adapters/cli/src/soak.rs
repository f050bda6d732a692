//! `kcf soak`: years of bad network in minutes, in virtual time, without a network.

use std::collections::BTreeMap;
use std::io::IsTerminal as _;
use std::num::NonZero;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};
use kucoin_futures_host::Clock;
use kucoin_futures_proto::Instant;
use kucoin_futures_sim::{Ledger, Scenario, soak};
use serde_json::{Value, json};

use crate::args::{SoakArgs, SoakProfile};
use crate::exit::{Failure, Kind};
use crate::out::{BAD, DIM, GOOD, Out};
use crate::stop::Stop;

/// Failing runs that are told; the others are counted.
const MOST_TOLD: usize = 5;

/// A run moves the bar in so many parts.
const PARTS: u64 = 1000;

/// A run that broke a promise.
struct Broken {
    seed: u64,
    steps: u64,
    problem: String,
    smallest: Option<Scenario>,
}

/// All runs so far.
#[derive(Default)]
struct Sum {
    runs: u64,
    report: soak::Report,
    broken: BTreeMap<u64, (u64, String)>,
    /// Independent of the order in which runs end.
    trace: u64,
    /// From the end of the last fault to all books live, of each run that got there.
    recoveries: Vec<Duration>,
}

pub(crate) fn run(args: &SoakArgs) -> Result<(), Failure> {
    // A client that panics in a run is reported as what it is: a broken promise.
    std::panic::set_hook(Box::new(|_| {}));
    let clock = Clock::new();
    let scripted = args.scenario.as_deref().map(read_scenario).transpose()?;
    set_knobs(&mut Scenario::default(), &args.knob)?;
    let seeds = if scripted.is_some() { 1 } else { args.seeds() };
    let bar = progress(seeds, args.json);
    let sum = run_all(args, scripted.as_ref(), seeds, &bar)?;
    bar.finish_and_clear();
    let seconds = clock.now().since(Instant::ZERO).as_secs_f64();
    let broken = tell_apart(args, scripted.as_ref(), &sum);
    let mut out = Out::new();
    if args.json {
        out.json(&as_json(args, &sum, &broken, seconds))?;
    } else {
        print(&mut out, args, &sum, &broken, seconds)?;
    }
    out.flush()?;
    verdict(args, &sum)
}

fn read_scenario(path: &std::path::Path) -> Result<Scenario, Failure> {
    let usage = |error: &dyn std::fmt::Display| {
        Failure::words(Kind::Usage, format_args!("--scenario {}: {error}", path.display()))
    };
    let text = std::fs::read_to_string(path).map_err(|error| usage(&error))?;
    text.parse().map_err(|error| usage(&error))
}

fn progress(seeds: u64, json: bool) -> ProgressBar {
    if json || !std::io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let bar = ProgressBar::new(seeds * PARTS);
    let template = "{bar:30} {percent} %, {msg}, {eta} left";
    if let Ok(style) = ProgressStyle::with_template(template) {
        bar.set_style(style);
    }
    bar.enable_steady_tick(Duration::from_millis(200));
    bar
}

fn scenario(args: &SoakArgs, scripted: Option<&Scenario>, seed: u64) -> Scenario {
    let mut scenario =
        scripted.cloned().unwrap_or_else(|| Scenario::from_seed(args.profile.into(), seed));
    if let Some(hours) = args.hours {
        scenario.span_ms = (hours * 3_600_000.0) as u64;
    }
    // They were tried before.
    let _ = set_knobs(&mut scenario, &args.knob);
    scenario
}

/// As `--knob NAME=N` says them.
pub(crate) fn set_knobs(scenario: &mut Scenario, knobs: &[String]) -> Result<(), Failure> {
    knobs
        .iter()
        .try_for_each(|knob| scenario.set(&knob.replacen('=', " ", 1)))
        .map_err(|error| Failure::words(Kind::Usage, format_args!("--knob: {error}")))
}

fn run_all(
    args: &SoakArgs,
    scripted: Option<&Scenario>,
    seeds: u64,
    bar: &ProgressBar,
) -> Result<Sum, Failure> {
    let stop = Stop::on_signal(|| {})?;
    let next = AtomicU64::new(0);
    let sum = Mutex::new(Sum::default());
    let work = || {
        loop {
            let at = next.fetch_add(1, Ordering::Relaxed);
            if at >= seeds || stop.is_asked() {
                break;
            }
            let seed = args.seed.wrapping_add(at);
            let scenario = scenario(args, scripted, seed);
            let mut done = 0;
            let report = soak::run_watched(&scenario, args.steps, &mut |passed| {
                let part = passed.as_secs_f64() / scenario.span().as_secs_f64();
                let part = (part * PARTS as f64).min(PARTS as f64) as u64;
                bar.inc(part.saturating_sub(done));
                done = done.max(part);
                !stop.is_asked()
            });
            let mut sum = sum.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
            sum.add(seed, &report);
            bar.set_message(format!("{} runs", grouped(sum.runs)));
            bar.inc(PARTS.saturating_sub(done));
        }
    };
    let threads = std::thread::available_parallelism().map_or(1, NonZero::get);
    let threads = args.jobs.unwrap_or(threads).clamp(1, seeds.max(1) as usize);
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(work);
        }
    });
    Ok(sum.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner))
}

impl Sum {
    fn add(&mut self, seed: u64, report: &soak::Report) {
        self.runs += 1;
        self.trace = self.trace.wrapping_add(report.trace ^ seed.wrapping_mul(0x9e37_79b9));
        if let Some(problem) = &report.failure {
            self.broken.insert(seed, (report.events, problem.clone()));
        }
        self.recoveries.extend(report.recovery);
        self.report.add(report);
    }

    /// Median, 99th percentile and longest recovery; `None` if no run was asked for one.
    fn outages(&self) -> Option<[Duration; 3]> {
        let mut sorted = self.recoveries.clone();
        sorted.sort_unstable();
        let at = |share: f64| {
            let rank = (share * sorted.len() as f64).ceil() as usize;
            sorted.get(rank.saturating_sub(1)).copied()
        };
        Some([at(0.5)?, at(0.99)?, at(1.0)?])
    }
}

/// The first few failing runs, made small.
fn tell_apart(args: &SoakArgs, scripted: Option<&Scenario>, sum: &Sum) -> Vec<Broken> {
    let told = sum.broken.iter().take(MOST_TOLD);
    let broken = told.map(|(seed, (steps, problem))| {
        let smallest = (args.steps.is_none() && !args.no_shrink).then(|| {
            let bar = if args.json { ProgressBar::hidden() } else { ProgressBar::new_spinner() };
            let smallest = soak::shrink(&scenario(args, scripted, *seed), |to_try, left| {
                bar.set_message(format!("seed {seed}: {left} faults left, {to_try} to try"));
                bar.tick();
            });
            bar.finish_and_clear();
            smallest
        });
        Broken { seed: *seed, steps: *steps, problem: problem.clone(), smallest }
    });
    broken.collect()
}

fn verdict(args: &SoakArgs, sum: &Sum) -> Result<(), Failure> {
    let broken = sum.broken.len();
    if broken > 0 {
        let text = format!("{broken} of {} runs broke a promise", sum.runs);
        return Err(Failure::words(Kind::Integrity, text));
    }
    let ledger = &sum.report.ledger;
    let rare: Vec<String> = match args.profile {
        _ if args.at_least == 0 => Vec::new(),
        SoakProfile::Restart => ledger
            .evidence()
            .filter(|(_, named)| *named < args.at_least)
            .map(|(kind, named)| format!("evidence that {kind} (named {named} times)"))
            .collect(),
        _ => Ledger::words()
            .map(|word| (word, ledger.of(word)))
            .filter(|(_, tally)| tally.struck < args.at_least || tally.seen == 0)
            .map(|(word, tally)| format!("{word} ({} struck, {} seen)", tally.struck, tally.seen))
            .collect(),
    };
    if rare.is_empty() {
        return Ok(());
    }
    let text =
        format!("too few of some kinds to say anything, use more --seeds: {}", rare.join(", "));
    Err(Failure::words(Kind::Integrity, text))
}

fn print(
    out: &mut Out,
    args: &SoakArgs,
    sum: &Sum,
    broken: &[Broken],
    seconds: f64,
) -> Result<(), Failure> {
    let report = &sum.report;
    let passed = report.passed.as_secs_f64();
    out.line(format_args!(
        "{} runs, {} events, {} faults",
        grouped(sum.runs),
        grouped(report.events),
        grouped(report.faults)
    ))?;
    out.line(format_args!(
        "{} deltas, {} whole books and {} other messages compared with the truth",
        grouped(report.deltas),
        grouped(report.books),
        grouped(report.messages)
    ))?;
    out.line(format_args!(
        "{} of virtual time in {seconds:.1} s: {} x real time{DIM}, trace {:016x}{DIM:#}",
        spell(passed),
        grouped((passed / seconds.max(0.001)) as u64),
        sum.trace
    ))?;
    if !report.wanted.is_zero() {
        let share = 100.0 * report.live.as_secs_f64() / report.wanted.as_secs_f64();
        out.line(format_args!(
            "while there were faults, books were live {share:.2} % of the time"
        ))?;
    }
    if let Some([median, most, longest]) = sum.outages() {
        out.line(format_args!(
            "from the end of the last fault to all books live: median {:.1} s, 99 % within {:.1} s, \
             longest {:.1} s",
            median.as_secs_f64(),
            most.as_secs_f64(),
            longest.as_secs_f64()
        ))?;
    }
    if report.ledger.struck() > 0 {
        print_kinds(out, &report.ledger)?;
    }
    for broken in broken {
        print_broken(out, args, broken)?;
    }
    let untold = sum.broken.len().saturating_sub(broken.len());
    if untold > 0 {
        out.line(format_args!("{DIM}and {untold} more{DIM:#}"))?;
    }
    if sum.broken.is_empty() {
        out.line(format_args!("{GOOD}no promise was broken{GOOD:#}"))?;
    }
    Ok(())
}

/// Three kinds a line: how often each struck, and how often what it calls for was seen.
fn print_kinds(out: &mut Out, ledger: &Ledger) -> Result<(), Failure> {
    out.line(format_args!(
        "\n{DIM}faults that met something, and how often what they call for was seen:{DIM:#}"
    ))?;
    let kinds: Vec<_> = ledger.tallies().collect();
    for row in kinds.chunks(2) {
        let cells: Vec<String> = row
            .iter()
            .map(|(word, tally)| {
                format!("{word:<26}{:>9}{:>9}", grouped(tally.struck), grouped(tally.seen))
            })
            .collect();
        out.line(format_args!("{}", cells.join("   ").trim_end()))?;
    }
    out.line(format_args!(
        "\n{DIM}evidence that the exchange's counter was set back, and how often it was named:{DIM:#}"
    ))?;
    for (kind, named) in ledger.evidence() {
        out.line(format_args!("{:<60}{:>9}", kind.to_string(), grouped(named)))?;
    }
    out.line(format_args!(""))?;
    Ok(())
}

fn print_broken(out: &mut Out, args: &SoakArgs, broken: &Broken) -> Result<(), Failure> {
    out.line(format_args!("{BAD}seed {}: {}{BAD:#}", broken.seed, broken.problem))?;
    out.line(format_args!("  to see it again: {}", repro(args, broken)))?;
    if let Some(smallest) = &broken.smallest {
        out.line(format_args!("  the smallest scenario that fails (--scenario FILE):"))?;
        for line in smallest.to_string().lines() {
            out.line(format_args!("    {line}"))?;
        }
    }
    Ok(())
}

fn repro(args: &SoakArgs, broken: &Broken) -> String {
    let mut line = format!("kcf soak --seed {} --steps {}", broken.seed, broken.steps);
    if let Some(path) = &args.scenario {
        return format!("kcf soak --scenario {} --steps {}", path.display(), broken.steps);
    }
    if args.profile != SoakProfile::Swarm {
        line.push_str(&format!(" --profile {}", args.profile.name()));
    }
    if let Some(hours) = args.hours {
        line.push_str(&format!(" --hours {hours}"));
    }
    args.knob.iter().for_each(|knob| line.push_str(&format!(" --knob {knob}")));
    line
}

fn as_json(args: &SoakArgs, sum: &Sum, broken: &[Broken], seconds: f64) -> Value {
    let report = &sum.report;
    let kinds: BTreeMap<_, _> = report
        .ledger
        .tallies()
        .map(|(word, tally)| (word, json!({ "struck": tally.struck, "seen": tally.seen })))
        .collect();
    let evidence: BTreeMap<_, _> =
        report.ledger.evidence().map(|(kind, named)| (format!("{kind:?}"), named)).collect();
    let told: Vec<Value> = broken
        .iter()
        .map(|broken| {
            json!({
                "seed": broken.seed,
                "steps": broken.steps,
                "problem": broken.problem,
                "repro": repro(args, broken),
                "scenario": broken.smallest.as_ref().map(ToString::to_string),
            })
        })
        .collect();
    json!({
        "type": "soak",
        "profile": args.profile.name(),
        "runs": sum.runs,
        "events": report.events,
        "faults": report.faults,
        "deltas": report.deltas,
        "evidence": evidence,
        "books": report.books,
        "messages": report.messages,
        "virtual_seconds": report.passed.as_secs(),
        "seconds": seconds,
        "wanted_seconds": report.wanted.as_secs_f64(),
        "live_seconds": report.live.as_secs_f64(),
        "recovery_ms": sum.outages().map(|outages| {
            let [median, most, longest] = outages.map(|outage| outage.as_millis() as u64);
            json!({ "median": median, "p99": most, "longest": longest })
        }),
        "trace": format!("{:016x}", sum.trace),
        "kinds": kinds,
        "broken": sum.broken.len(),
        "failures": told,
    })
}

/// 1234567 as 1,234,567.
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A time in words, as coarse as it is long.
fn spell(seconds: f64) -> String {
    const MINUTE: f64 = 60.0;
    const HOUR: f64 = 3600.0;
    const DAY: f64 = 86_400.0;
    const YEAR: f64 = 365.0 * DAY;
    match seconds {
        s if s < 2.0 * MINUTE => format!("{s:.0} s"),
        s if s < 2.0 * HOUR => format!("{:.0} min", s / MINUTE),
        s if s < 2.0 * DAY => format!("{:.1} h", s / HOUR),
        s if s < YEAR => format!("{:.1} days", s / DAY),
        s => format!("{:.1} years", s / YEAR),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_times_read_well() {
        for (number, text) in [(0, "0"), (999, "999"), (1000, "1,000"), (1_234_567, "1,234,567")] {
            assert_eq!(grouped(number), text);
        }
        for (seconds, text) in
            [(61.0, "61 s"), (600.0, "10 min"), (36_000.0, "10.0 h"), (3.2e7, "1.0 years")]
        {
            assert_eq!(spell(seconds), text);
        }
    }
}
