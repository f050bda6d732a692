//! The promise, in virtual time: whatever the seed draws, every live book is the exchange's.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs,
    reason = "tests"
)]

use std::time::Duration;

use kucoin_futures_proto::{
    BookEvent, BookStatus, Channel, Config, Event, SplitMix64, Stats, TopicId,
};
use kucoin_futures_sim::{Contract, ExchangeConfig, Fault, Plan, Target, World, WorldEvent};

const SECOND: Duration = Duration::from_secs(1);
/// Deep, drifting, tiny prices, thin: what differs between markets.
const SYMBOLS: [&str; 4] = ["XBTUSDTM", "ETHUSDTM", "10PEPEUSDTM", "CHRUSDTM"];

/// A hundred seeds, each with four markets, drawn faults and more than 1000 deltas.
#[test]
fn a_hundred_seeds_with_faults_and_every_live_book_is_exact() {
    let mut total = Stats::default();
    let (mut checks, mut faults) = (0, 0);
    for seed in 0..100 {
        let run = run(seed).unwrap_or_else(|problem| panic!("seed {seed}: {problem}"));
        total.deltas += run.stats.deltas;
        total.gaps += run.stats.gaps;
        total.resyncs += run.stats.resyncs;
        total.reconnects += run.stats.reconnects;
        total.repeats += run.stats.repeats;
        total.snapshots_too_old += run.stats.snapshots_too_old;
        total.unauthorized += run.stats.unauthorized;
        total.failed_fetches += run.stats.failed_fetches;
        checks += run.checks;
        faults += run.faults;
    }
    println!("{faults} faults, {checks} whole books compared, {total:?}");
    // A run in which nothing happened proves nothing.
    assert!(total.deltas > 500_000 && checks > 8_000 && faults > 700);
    assert!(total.gaps > 100 && total.reconnects > 50 && total.repeats > 100);
    assert!(total.snapshots_too_old > 20 && total.unauthorized > 10 && total.failed_fetches > 20);
}

#[test]
fn the_same_seed_is_the_same_run() {
    let (a, b) = (run(7).unwrap(), run(7).unwrap());
    assert_eq!(a.trace, b.trace);
    assert_ne!(a.trace, run(8).unwrap().trace, "the trace sees differences");
}

/// The market walks through the snapshot's window for a long time; the book must never show a best
/// level that is not the exchange's, and must resync before its horizon is reached.
#[test]
fn a_market_that_walks_out_of_the_snapshot_is_followed() {
    let mut world =
        world(3, 500.0, Plan::default(), |config| config.book.max_levels_per_side = 1200);
    let xbt = subscribe(&mut world, "XBTUSDTM");
    world.run_for(SECOND * 600).unwrap();
    let is_wider = |(_, happening): &(_, WorldEvent)| matches!(happening, WorldEvent::Client(Event::Book(topic, BookEvent::Verified { is_wider: true, .. })) if *topic == xbt);
    let widened = world.take_happenings().iter().filter(|h| is_wider(h)).count();
    assert!(widened > 1, "the horizon was never near: {widened}");
    assert_eq!((world.client().stats().resyncs, world.client().stats().gaps), (0, 0));
    world.check_all().unwrap();
}

/// A still market gives no first delta to wait for.
#[test]
fn a_still_market_becomes_live() {
    let mut world = world(4, 0.0, Plan::default(), |_| {});
    let topic = subscribe(&mut world, "CHRUSDTM");
    assert!(world.run_until(SECOND * 3, |world| world.client().book(topic).is_some()).unwrap());
}

/// A day without faults but the exchange's own, which cuts after 24 h: before that another line has taken over.
#[test]
fn a_quiet_day_has_pings_and_no_cut() {
    let mut world = world(5, 0.05, Plan::default(), |_| {});
    let topic = subscribe(&mut world, "CHRUSDTM");
    world.run_for(SECOND * 3600 * 25).unwrap();
    let stats = world.client().stats();
    let ended = (stats.reconnects, stats.gaps, stats.unauthorized, stats.resyncs);
    assert_eq!((stats.change_overs, ended), (1, (0, 0, 0, 0)));
    assert!(stats.pings >= 4_990 && stats.pings - stats.pongs <= 1, "{} pings", stats.pings);
    assert!(world.client().book(topic).is_some());
    assert_eq!(world.exchange().counts().violations, 0);
}

struct Run {
    stats: Stats,
    checks: u64,
    faults: usize,
    trace: String,
}

/// One seed: half a minute of drawn faults, then peace; every book must come back, and be right.
fn run(seed: u64) -> Result<Run, String> {
    let plan = draw_plan(&mut SplitMix64::new(seed));
    let mut world = world(seed, 60.0, plan, |_| {});
    let topics = SYMBOLS.map(|symbol| subscribe(&mut world, symbol));
    world.run_for(SECOND * 40).map_err(|violation| violation.to_string())?;
    world.heal().unwrap();
    let all_live = world
        .run_until(SECOND * 150, |world| {
            let client = world.client();
            topics.iter().all(|&topic| client.book_status(topic) == Some(BookStatus::Live))
        })
        .map_err(|violation| violation.to_string())?;
    if !all_live {
        let states =
            topics.map(|topic| (world.client().status(topic), world.client().book_status(topic)));
        return Err(format!("not live again within 150 s: {states:?}"));
    }
    world.check_all().map_err(|v| v.to_string())?;
    let counts = world.exchange().counts();
    if counts.violations > 0 {
        return Err(format!("the exchange's limits were exceeded: {counts:?}"));
    }
    let happenings = world.take_happenings();
    Ok(Run {
        stats: *world.client().stats(),
        checks: world.compared().1,
        faults: happenings.iter().filter(|(_, h)| matches!(h, WorldEvent::Fault(_))).count(),
        trace: format!("{happenings:?}"),
    })
}

/// Eight faults in half a minute, of every kind that can be scripted.
fn draw_plan(rng: &mut SplitMix64) -> Plan {
    let mut plan = Plan::default();
    for _ in 0..8 {
        let symbol = SYMBOLS[rng.below(SYMBOLS.len() as u64) as usize];
        let target = Target::One(symbol.parse().unwrap());
        let (count, span) = (1 + rng.below(3) as u32, rng.up_to(SECOND * 5));
        let fault = match rng.below(10) {
            0 => Fault::Drop { target, count },
            1 => Fault::Repeat { target, count: 1 + rng.below(5) as u32 },
            2 => {
                let most = [3, 30, 3_000][rng.below(3) as usize];
                Fault::StepBack { target, step: 1 + rng.below(most) }
            }
            3 => Fault::StaleSnapshot { target: Target::All, count },
            4 => Fault::WithholdPongs { span: SECOND * 30 },
            5 => Fault::Close { code: [1000, 1001, 1006, 1012][rng.below(4) as usize] },
            6 => Fault::ExpireToken { count },
            7 => Fault::Refuse { span },
            8 => Fault::TooManyRequests { reset: span, count },
            _ => Fault::Html { count },
        };
        // Faults of REST and of tokens bite only when something has to be fetched.
        let at = SECOND + rng.up_to(SECOND * 30);
        plan.entries.push(kucoin_futures_sim::fault::Entry::once(at, fault));
        if matches!(fault, Fault::ExpireToken { .. } | Fault::Refuse { .. }) {
            let close = Fault::Close { code: 1001 };
            plan.entries.push(kucoin_futures_sim::fault::Entry::once(at, close));
        }
        if matches!(
            fault,
            Fault::StaleSnapshot { .. } | Fault::TooManyRequests { .. } | Fault::Html { .. }
        ) {
            let drop = Fault::Drop { target, count: 1 };
            plan.entries.push(kucoin_futures_sim::fault::Entry::once(at, drop));
        }
    }
    plan
}

fn world(seed: u64, rate: f64, faults: Plan, adjust: impl FnOnce(&mut Config)) -> World {
    let mut config = World::client_config();
    adjust(&mut config);
    let mut exchange = ExchangeConfig::default();
    exchange.contracts = SYMBOLS.map(|symbol| Contract::named(symbol.parse().unwrap())).into();
    exchange.rate = rate;
    exchange.faults = faults;
    World::new(seed, config, exchange, Duration::from_millis(80))
}

fn subscribe(world: &mut World, symbol: &str) -> TopicId {
    let channel = Channel::level2(symbol.parse().unwrap());
    world.subscribe(channel).unwrap().unwrap()
}

#[test]
fn after_a_restart_the_book_is_of_the_new_run() {
    let mut world = world(6, 500.0, Plan::default(), |_| {});
    let topic = subscribe(&mut world, "ETHUSDTM");
    world.run_for(SECOND * 12).unwrap();
    let target = Target::One("ETHUSDTM".parse().unwrap());
    world.inject(Fault::StepBack { target, step: 5_000 }).unwrap();
    world.run_for(SECOND * 2).unwrap();
    let book = world.client().book(topic).unwrap();
    let market = world.exchange().market("ETHUSDTM".parse().unwrap()).unwrap();
    let truths: Vec<_> = market.truths_at(book.sequence()).collect();
    assert_eq!(truths.len(), 2, "both runs have been there");
    assert_eq!(kucoin_futures_sim::compare(book, &truths[0]), Ok(()));
}
