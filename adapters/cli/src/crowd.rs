//! `kcf soak --crowd`: a thousand clients lose their lines at once, and come back by one schedule or another.

use std::time::Duration;

use kucoin_futures_sim::crowd::{self, Crowd, Outcome, Schedule};
use serde_json::{Value, json};

use crate::args::SoakArgs;
use crate::exit::{Failure, Kind};
use crate::out::{DIM, GOOD, Out};

pub(crate) fn run(args: &SoakArgs, clients: usize) -> Result<(), Failure> {
    let mut crowd = Crowd::default();
    (crowd.clients, crowd.seed) = (clients, args.seed);
    let mut out = Out::new();
    if !args.json {
        head(&mut out, &crowd)?;
    }
    let mut outcomes = Vec::new();
    for schedule in Schedule::ALL {
        let outcome = crowd::run(&crowd, *schedule);
        if !args.json {
            out.line(format_args!("{}", row(&crowd, &outcome)))?;
            out.flush()?;
        }
        outcomes.push(outcome);
    }
    if args.json {
        out.json(&as_json(&crowd, &outcomes))?;
    }
    out.flush()?;
    verdict(&crowd, &outcomes)
}

fn head(out: &mut Out, crowd: &Crowd) -> Result<(), Failure> {
    out.line(format_args!(
        "{} clients lose their lines at once; {} connections a second are let in again, the others hear 429, 503 \
         or a reset",
        crowd.clients, crowd.per_second
    ))?;
    out.line(format_args!(
        "{DIM}{:<24}{:>10}{:>10}{:>10}{:>7}{:>10}{:>14}{DIM:#}",
        "waits", "all live", "median", "attempts", "most", "refused", "over a limit"
    ))?;
    out.flush()?;
    Ok(())
}

fn row(crowd: &Crowd, outcome: &Outcome) -> String {
    let seconds = |time: Option<Duration>| {
        time.map_or_else(|| "never".to_owned(), |time| format!("{:.1} s", time.as_secs_f64()))
    };
    let line = format!(
        "{:<24}{:>10}{:>10}{:>10.1}{:>7}{:>10}{:>14}",
        outcome.schedule.words(),
        seconds(outcome.all_live),
        seconds(outcome.median),
        outcome.mean_attempts(crowd),
        outcome.most_attempts,
        outcome.refused,
        outcome.over_limit
    );
    if outcome.schedule == Schedule::Core { format!("{GOOD}{line}{GOOD:#}") } else { line }
}

fn as_json(crowd: &Crowd, outcomes: &[Outcome]) -> Value {
    let ms = |time: Option<Duration>| time.map(|time| time.as_millis() as u64);
    let rows: Vec<Value> = outcomes
        .iter()
        .map(|outcome| {
            json!({
                "schedule": outcome.schedule.name(),
                "all_live_ms": ms(outcome.all_live),
                "median_ms": ms(outcome.median),
                "attempts": outcome.attempts,
                "mean_attempts": outcome.mean_attempts(crowd),
                "most_attempts": outcome.most_attempts,
                "refused": outcome.refused,
                "over_limit": outcome.over_limit,
            })
        })
        .collect();
    json!({
        "type": "crowd",
        "clients": crowd.clients,
        "per_second": crowd.per_second,
        "seed": crowd.seed,
        "schedules": rows,
    })
}

/// The core promises to come back, and to keep to the exchange's limits while it does.
fn verdict(crowd: &Crowd, outcomes: &[Outcome]) -> Result<(), Failure> {
    let cores = outcomes.iter().filter(|outcome| outcome.schedule == Schedule::Core);
    for core in cores {
        if core.lost < crowd.clients || core.all_live.is_none() || core.over_limit > 0 {
            let text = format!(
                "of {} clients of the core {} were live before, {} went over a limit, and all live again: {}",
                crowd.clients,
                core.lost,
                core.over_limit,
                if core.all_live.is_some() { "yes" } else { "no" }
            );
            return Err(Failure::words(Kind::Integrity, text));
        }
    }
    Ok(())
}
