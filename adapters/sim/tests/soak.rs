//! Scenarios and their runs: what is promised holds under every fault, and a lie is noticed.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

use std::collections::BTreeSet;
use std::time::Duration;

use kucoin_futures_proto::{
    BookEvent, Channel, Client, Config, Event, Instant, Lots, Price, Sequence, SplitMix64, Symbol,
    TopicEvent, TopicId,
};
use kucoin_futures_sim::{
    Exchange, ExchangeConfig, Fault, Ledger, Oracle, Plan, Profile, Scenario, Violation, World,
    WorldEvent, soak,
};
use proptest::prelude::*;

const PROFILES: [Profile; 5] =
    [Profile::Swarm, Profile::Storm, Profile::Chain, Profile::Quiet, Profile::Trading];

fn secs(n: u64) -> Duration {
    Duration::from_secs(n)
}

// Scenarios.

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_scenario_comes_back_from_its_text(seed: u64, profile in 0..PROFILES.len()) {
        let scenario = Scenario::from_seed(PROFILES[profile], seed);
        prop_assert_eq!(scenario.to_string().parse::<Scenario>(), Ok(scenario));
    }

    #[test]
    fn any_bytes_are_a_scenario(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        let scenario = Scenario::from_bytes(&bytes);
        prop_assert_eq!(scenario.to_string().parse::<Scenario>(), Ok(scenario));
    }
}

#[test]
fn a_line_that_is_neither_knob_nor_fault_is_named() {
    for (text, named) in [
        ("seed 1\nspeed 7\n", "`speed 7` is neither `KNOB NUMBER` nor a fault"),
        ("seed one", "`seed one` is neither"),
        ("seed", "`seed` is neither"),
        ("seed 1\nat 3s explode", "fault `at 3s explode`: `explode` is no fault"),
        ("at 3 drop *", "fault `at 3 drop *`: `3`: the unit is"),
        ("every 0s reset", "fault `every 0s reset`: `every` needs a time above zero"),
    ] {
        let error = text.parse::<Scenario>().unwrap_err().to_string();
        assert!(error.contains(named), "{text}: {error}");
    }
}

#[test]
fn the_same_seed_is_the_same_run_and_another_seed_is_another() {
    let mut traces = BTreeSet::new();
    for seed in 0..8 {
        let scenario = Scenario::from_seed(Profile::Swarm, seed);
        let [one, other] = [(); 2].map(|()| soak::run(&scenario, Some(4_000)));
        assert_eq!((one.trace, one.events), (other.trace, other.events), "seed {seed}");
        assert!(traces.insert(one.trace), "seed {seed} is a run that was seen before");
    }
}

#[test]
fn few_bytes_or_any_are_runs_that_keep_their_promises() {
    let mut rng = SplitMix64::new(7);
    for length in [0, 1, 2, 20, 40, 80, 160, 300] {
        let bytes: Vec<u8> = (0..length).map(|_| rng.below(256) as u8).collect();
        let scenario = Scenario::from_bytes(&bytes);
        let report = soak::run(&scenario, Some(30_000));
        assert_eq!(report.failure, None, "{scenario}");
        assert!(report.events > 0);
    }
}

// Faults.

/// Each kind of fault, and what makes a client meet it: the sessions' faults need a connection that
/// is made (`close`), the subscriptions' a request (`toggle`, twice, so that all is as before), REST's
/// something that is asked for (a snapshot after a `drop`, a token after a `close`).
const KINDS: [(&str, &str); 67] = [
    ("drop * 2", ""),
    ("repeat * 3", ""),
    ("step-back * 40", ""),
    ("step-ahead * 40", ""),
    ("malformed * 1", ""),
    ("hold-back * 700ms", ""),
    ("mute * 700ms", ""),
    ("one-sided *", ""),
    ("hollow *", ""),
    ("cross * 700ms", ""),
    ("rally * 60", ""),
    ("stale-snapshot * 1", "drop *"),
    ("other-snapshot * 1", "drop *"),
    ("late-welcome 700ms", "close 1001"),
    ("no-welcome", "close 1001"),
    ("two-welcomes", "close 1001"),
    ("wrong-welcome", "close 1001"),
    ("late-ack 700ms", "toggle *; toggle *"),
    ("no-ack 2", "toggle *; toggle *"),
    ("two-acks", "toggle *; toggle *"),
    ("strange-ack", "toggle *; toggle *"),
    ("swap-acks", "toggle *; toggle *"),
    ("withhold-pongs 4s", ""),
    ("late-pong 700ms", ""),
    ("wrong-pong", ""),
    ("expire-token", "close 1001"),
    ("close 1006", ""),
    ("close-one", ""),
    ("reset", ""),
    ("refuse 3s", "close 1001"),
    ("flap 700ms", ""),
    ("slow-connect 700ms", "close 1001"),
    ("freeze 3s", ""),
    ("http-429 1500ms", "drop *"),
    ("http-429-bare", "drop *"),
    ("http-403", "drop *"),
    ("http-1015", "drop *"),
    ("http-5xx", "drop *"),
    ("http-code", "drop *"),
    ("http-html", "drop *"),
    ("http-empty", "close 1001"),
    ("http-cut", "close 1001"),
    ("http-giant", "close 1001"),
    ("http-drip 1ms", "drop *"),
    ("http-late 700ms", "close 1001"),
    ("http-never", "drop *"),
    ("http-refused", "close 1001"),
    ("bad-servers", "close 1001"),
    ("only-bad-servers", "close 1001"),
    ("absurd-pings", "close 1001"),
    ("stall-up 3s", ""),
    ("stall-down 3s", ""),
    ("lag 400ms 3s", ""),
    ("clock-back 30s", ""),
    ("clock-leap 20s", ""),
    ("sleep 5s", ""),
    ("late-timeouts 900ms 4s", ""),
    ("early-timeouts 3", ""),
    ("undrained 20", ""),
    ("slow-consumer 3s", ""),
    ("toggle *", "toggle *"),
    ("push-drop * 9", ""),
    ("push-repeat * 9", ""),
    ("push-malformed * 9", ""),
    ("push-subject * 9", ""),
    ("push-old * 9", ""),
    ("close-client", ""),
];

/// Faults as in a plan, without their times.
fn faults(text: &str) -> Vec<Fault> {
    let entries = text.split(';').filter(|entry| !entry.is_empty());
    let plan = entries.map(|entry| format!("at 0s {entry}")).collect::<Vec<_>>().join(";");
    plan.parse::<Plan>().unwrap().entries.iter().map(|entry| entry.fault).collect()
}

fn exchange(rate: f64) -> ExchangeConfig {
    let mut config = ExchangeConfig::default();
    config.contracts.truncate(2);
    config.contracts.iter_mut().for_each(|contract| contract.depth = 30);
    config.rate = rate;
    config.ping_interval = Duration::from_secs(1);
    config.ping_timeout = Duration::from_secs(2);
    config
}

fn books(world: &mut World) -> Vec<TopicId> {
    let listed = exchange(1.0).contracts.into_iter().map(|contract| contract.symbol);
    listed.map(|symbol| world.subscribe(Channel::level2(symbol)).unwrap().unwrap()).collect()
}

fn tickers_and_trades(world: &mut World) {
    for contract in exchange(1.0).contracts {
        for channel in [Channel::ticker_v2(contract.symbol), Channel::execution(contract.symbol)] {
            world.subscribe(channel).unwrap().unwrap();
        }
    }
}

/// A world in which a fault strikes four times; then all is well.
fn strike_by_itself(fault: &str, trigger: &str, lifetime: Duration) -> Ledger {
    let mut config = World::client_config();
    config.backoff.cap = secs(4);
    let mut exchange = exchange(20.0);
    exchange.session_lifetime = lifetime;
    let mut world = World::new(11, config, exchange, Duration::from_millis(30));
    world.forget_happenings();
    let unbroken = |found: Result<(), Violation>| {
        found.unwrap_or_else(|violation| panic!("{fault}: {violation}"));
    };
    books(&mut world);
    if fault.starts_with("push-") {
        tickers_and_trades(&mut world);
    }
    unbroken(world.run_for(secs(6)));
    for _ in 0..4 {
        for fault in faults(fault).into_iter().chain(faults(trigger)) {
            unbroken(world.inject(fault));
        }
        unbroken(world.run_for(secs(12)));
        unbroken(world.check_all());
    }
    unbroken(world.heal());
    let well = world.run_until(secs(240), |world| world.is_healthy(|_| false)).unwrap();
    assert!(well, "{fault}: not well");
    unbroken(world.check_all());
    let ledger = world.ledger().clone();
    unbroken(world.close());
    ledger
}

#[test]
fn every_fault_by_itself_strikes_is_noticed_and_breaks_no_promise() {
    let mut met = BTreeSet::new();
    for (fault, trigger) in KINDS {
        let ledger = strike_by_itself(fault, trigger, secs(86_400));
        let word = fault.split(' ').next().unwrap();
        let tally = ledger.of(word);
        assert!(tally.struck > 0, "{fault} met nothing");
        assert!(tally.seen > 0, "{fault} struck {} times, and was not seen", tally.struck);
        met.insert(word);
    }
    let plain = Fault::honest_words().filter(|word| !matches!(*word, "error" | "refuse-request"));
    assert_eq!(met, plain.collect());
}

#[test]
fn every_error_of_the_exchange_by_itself_breaks_no_promise() {
    let errors = Ledger::words().filter(|word| word.contains(' '));
    for word in errors {
        let trigger = if word.starts_with("refuse") { "close 1001" } else { "" };
        let tally = strike_by_itself(word, trigger, secs(86_400)).of(word);
        assert!(tally.struck > 0 && tally.seen > 0, "{word}: {tally:?}");
    }
    let cut = strike_by_itself("early-timeouts", "", secs(9)).of("day-cut");
    assert!(cut.struck > 0 && cut.seen > 0, "{cut:?}");
}

/// As during an upgrade of the exchange: what was live is refused over and over, told each time, and comes
/// back. What has never said anything is rejected.
#[test]
fn a_book_that_was_live_comes_back_however_often_it_is_refused() {
    for seed in 0..20 {
        let mut world =
            World::new(seed, World::client_config(), exchange(20.0), Duration::from_millis(30));
        let topics = books(&mut world);
        world.run_for(secs(6)).unwrap();
        assert!(world.is_healthy(|_| false));
        // One more frame for the two of them, and five refusals for each.
        faults("close 1001; refuse-request 404 11").into_iter().for_each(|fault| {
            world.inject(fault).unwrap();
        });
        world.take_happenings();
        let well = |world: &World| topics.iter().all(|topic| world.client().book(*topic).is_some());
        world.run_for(secs(1)).unwrap();
        assert!(world.run_until(secs(240), well).unwrap(), "seed {seed}");
        let refused = world.take_happenings().into_iter().filter(|(_, happening)| {
            let event = match happening {
                WorldEvent::Client(Event::Topic(_, event)) => *event,
                _ => return false,
            };
            assert!(!matches!(event, TopicEvent::Rejected { .. }), "seed {seed}");
            matches!(event, TopicEvent::Refused { .. })
        });
        assert_eq!(refused.count(), 10, "seed {seed}");
        world.close().unwrap();
    }
}

/// Found by the swarm: whoever calls is at fault, and the excuse for it was counted by the clock that
/// had been set back.
#[test]
fn a_clock_set_back_does_not_take_the_excuse_of_one_who_sleeps_or_leaps() {
    for (fault, at_ms) in [("sleep 12s", 31_000), ("clock-leap 900ms", 29_200)] {
        for seed in 0..20 {
            let text = format!(
                "at 20s close 1001; at 20s no-welcome 20; at {}ms clock-back 25s; at {at_ms}ms {fault}",
                at_ms - 1
            );
            let mut world = World::new(seed, World::client_config(), exchange(5.0), secs(1) / 5);
            books(&mut world);
            text.parse::<Plan>().unwrap().entries.iter().for_each(|entry| {
                world.exchange_mut().script(Instant::ZERO, &Plan { entries: vec![*entry] });
            });
            world.run_for(secs(60)).unwrap_or_else(|wrong| panic!("{fault}, seed {seed}: {wrong}"));
        }
    }
}

/// Found by the swarm: after a step back in a still market the exchange lets the stream stand still for
/// minutes, lest it deceive its readers; nobody can pass what is not pushed.
#[test]
fn a_book_whose_stream_stands_still_has_not_failed_to_go_on() {
    let scenario = |seed| {
        let mut scenario = Scenario::from_seed(Profile::Swarm, seed);
        (scenario.span_ms, scenario.liveness_ms) = (50_000, 257_000);
        (scenario.symbols, scenario.rate_per_ks, scenario.lasting) = (3, 500, 0);
        (scenario.latency_us, scenario.lifetime_ms, scenario.clients) = (5_000, 86_400_000, 1);
        (scenario.streams, scenario.stranger, scenario.stale_by) = (0, 0, 100);
        scenario.plan = "at 20s stale-snapshot * 2; at 20s drop * 1; at 46s close 1001;
            at 46s stale-snapshot * 2; at 49s step-back * 276"
            .parse()
            .unwrap();
        scenario
    };
    for seed in 0..20 {
        let report = soak::run(&scenario(seed), None);
        assert_eq!(report.failure, None, "seed {seed}");
        assert!(report.passed < secs(50 + 257 + 30), "seed {seed} never ends: {report:?}");
    }
}

/// Found by the swarm: whoever wakes up hands in a message, and finds in the same turn that the connection has been
/// silent for too long. What was handed out before it went down says nothing of what may be missing.
#[test]
fn a_message_of_the_turn_in_which_its_connection_goes_down_was_handed_out_before() {
    let text = "seed 400120\n\
        span_ms 68234\n\
        clients 1\n\
        symbols 1\n\
        depth 90\n\
        rate_per_ks 5000\n\
        latency_us 40000\n\
        snapshot_levels 1000\n\
        stale_by 500\n\
        delta_step_ms 1\n\
        snapshot_step_ms 1000\n\
        ping_interval_ms 1000\n\
        ping_timeout_ms 10000\n\
        lifetime_ms 86400000\n\
        max_pending 20\n\
        max_queued 65536\n\
        backoff_cap_ms 60000\n\
        symbols_per_frame 1\n\
        channels 1\n\
        midnight_ms 20000\n\
        liveness_ms 375000\n\
        at 994854029ns sleep 29659ms";
    let scenario: Scenario = text.parse().unwrap();
    assert_eq!(soak::run(&scenario, None).failure, None);
}

/// An exchange that is out of order for up to half a minute, in a dozen ways one after the other, takes
/// a client off the air for about as long again at the very most, and mostly for a second or two.
#[test]
fn an_outage_ends_soon_after_its_cause() {
    let mut outlasting = Vec::new();
    for seed in 0..600 {
        let report = soak::run(&Scenario::from_seed(Profile::Chain, seed), None);
        assert_eq!(report.failure, None, "seed {seed}");
        outlasting.push(report.recovery.unwrap());
    }
    outlasting.sort_unstable();
    let (median, most) = (outlasting[300], outlasting[594]);
    assert!(median < secs(3) && most < secs(22), "median {median:?}, 99 % {most:?}");
    assert!(outlasting[599] < secs(32), "{:?}", outlasting[599]);
}

#[test]
fn a_lasting_fault_of_one_symbol_is_no_business_of_the_others() {
    for lasting in 1..=5 {
        let text = "span_ms 8000\nclients 1\nsymbols 3\ndepth 30\nrate_per_ks 20000\n\
            latency_us 20000\nsnapshot_levels 1000\nstale_by 100\nping_interval_ms 2000\n\
            ping_timeout_ms 1500\nlifetime_ms 86400000\nmax_pending 100\nmax_queued 65536\n\
            backoff_cap_ms 1000\nsymbols_per_frame 100\nliveness_ms 60000\nat 3s close 1001";
        let mut scenario: Scenario = text.parse().unwrap();
        scenario.lasting = lasting;
        assert_eq!(soak::run(&scenario, None).failure, None, "{scenario}");

        let mut world = scenario.world().unwrap();
        world.run_for(secs(5)).unwrap();
        assert!(world.is_healthy(|_| false));
        world.inject(scenario.lasting_fault().unwrap()).unwrap();
        // Snapshots are asked for only by those who need them.
        world.inject(Fault::Drop { target: kucoin_futures_sim::Target::All, count: 1 }).unwrap();
        for _ in 0..20 {
            world.run_for(secs(1)).unwrap();
        }
        assert!(world.is_healthy(|channel| scenario.is_hopeless(channel)), "lasting {lasting}");
    }
}

// Lies.

/// A world with one book that has lived through a gap, and what its client said.
fn history() -> (World, TopicId, Vec<Event>) {
    let mut world =
        World::new(5, World::client_config(), exchange(20.0), Duration::from_millis(30));
    let topic = books(&mut world)[0];
    world.run_for(secs(8)).unwrap();
    faults("drop *").into_iter().for_each(|fault| world.inject(fault).unwrap());
    world.run_for(secs(8)).unwrap();
    let said = world.take_happenings().into_iter().filter_map(|(_, happening)| match happening {
        WorldEvent::Client(event) => Some(event),
        _ => None,
    });
    let events: Vec<Event> = said.collect();
    assert!(events.iter().any(|event| matches!(event, Event::Book(_, BookEvent::Lost { .. }))));
    (world, topic, events)
}

fn hear(client: &Client, exchange: &Exchange, events: &[Event]) -> Result<(), String> {
    let mut oracle = Oracle::default();
    let heard = events.iter().try_for_each(|event| oracle.on_event(client, exchange, event));
    heard.and_then(|()| oracle.settle(client, exchange)).map_err(|found| found.to_string())?;
    oracle.check_all(client).map_err(|found| found.to_string())
}

#[test]
fn an_oracle_believes_what_happened_and_no_lie_about_it() {
    let (world, topic, events) = history();
    let (client, exchange) = (world.client(), world.exchange());
    assert_eq!(hear(client, exchange, &events), Ok(()));

    let of = |event: &&Event| match event {
        Event::Book(t, BookEvent::Delta(_)) => *t == topic,
        _ => false,
    };
    let last = events.iter().rposition(|event| of(&event)).unwrap();
    let Event::Book(_, BookEvent::Delta(delta)) = events[last] else { unreachable!() };
    let live =
        events.iter().position(|e| matches!(e, Event::Book(_, BookEvent::Live { .. }))).unwrap();
    let lost =
        events.iter().position(|e| matches!(e, Event::Book(_, BookEvent::Lost { .. }))).unwrap();

    let told = |lie: &dyn Fn(&mut Vec<Event>)| {
        let mut events = events.clone();
        lie(&mut events);
        hear(client, exchange, &events).unwrap_err()
    };
    let wrong = |change: &dyn Fn(&mut kucoin_futures_proto::wire::Delta)| {
        let mut delta = delta;
        change(&mut delta);
        told(&|events| events[last] = Event::Book(topic, BookEvent::Delta(delta)))
    };
    let another = "the exchange made another change";
    assert!(wrong(&|delta| delta.size = Lots::new(delta.size.get() + 1)).ends_with(another));
    assert!(wrong(&|delta| delta.price = Price::from_scaled(7).unwrap()).ends_with(another));
    let left_out = |at: usize| told(&|events| drop(events.drain(at..=at)));
    for (lie, found) in [
        (left_out(last), "not where its events say"),
        (told(&|events| events.insert(last, events[last])), "does not follow the delta before it"),
        (left_out(live), "that is not live"),
        (told(&|events| events.insert(live, events[live])), "live again without having been lost"),
        (left_out(lost), "live again without having been lost"),
        (told(&|events| events.insert(lost, events[lost])), "lost without having been live"),
    ] {
        assert!(lie.contains(found), "{lie}");
    }
    let early = told(&|events| {
        if let Event::Book(_, BookEvent::Live { sequence, .. }) = &mut events[live] {
            *sequence = Sequence::new(sequence.get() - 1);
        }
    });
    assert!(early.ends_with("does not follow the delta before it"), "{early}");
}

#[test]
fn a_book_of_another_market_is_not_taken_for_the_truth() {
    let (world, _, events) = history();
    let other = Exchange::new(Instant::ZERO, 99, exchange(20.0));
    assert!(hear(world.client(), &other, &events).is_err());
}

#[test]
fn a_market_that_is_exchanged_behind_the_clients_back_is_noticed() {
    let latency = Duration::from_millis(300);
    let mut world = World::new(5, World::client_config(), exchange(100.0), latency);
    books(&mut world);
    world.run_for(secs(8)).unwrap();
    assert!(world.is_healthy(|_| false));
    // Deltas of the old market are still on their way.
    *world.exchange_mut() = Exchange::new(world.now(), 99, exchange(100.0));
    let found = world.run_for(secs(1)).unwrap_err().to_string();
    assert!(found.ends_with("the exchange made another change"), "{found}");
}

/// A world that expects a client of `config`, and gets one of another.
fn impostor(loosen: impl Fn(&mut Config), plan: &str) -> String {
    let mut exchange = exchange(50.0);
    exchange.faults = plan.parse().unwrap();
    let strict = World::client_config();
    let mut loose = strict.clone();
    loosen(&mut loose);
    let mut world = World::new(5, strict, exchange, Duration::from_millis(30));
    world.command(|client, now| *client = Client::new(now, 5, loose)).unwrap();
    books(&mut world);
    world.run_for(secs(120)).unwrap_err().to_string()
}

#[test]
fn a_client_that_takes_more_than_it_may_is_noticed() {
    for (found, expected) in [
        (
            impostor(|config| config.book.snapshot_spacing = Duration::ZERO, "every 200ms drop *"),
            "two snapshots within",
        ),
        (
            impostor(
                |config| {
                    config.budgets.connects_per_min = 1000;
                    config.budgets.tokens_per_min = 1000;
                    config.backoff.cap = Duration::from_millis(100);
                },
                "every 300ms close 1001",
            ),
            "in a minute",
        ),
    ] {
        assert!(found.contains(expected), "{found}");
    }
    let found = impostor(
        |config| config.backoff.base = config.backoff.cap,
        "at 8s toggle *; at 9s refuse-request 404 4; at 9s toggle *",
    );
    assert!(found.contains("after 1 refusals; at most 1s"), "{found}");
}

#[test]
fn a_message_that_nobody_sent_is_noticed() {
    let (mut world, ..) = history();
    let conn = kucoin_futures_proto::ConnId::new(1);
    let input = kucoin_futures_proto::Input::Text { conn, bytes: b"{}" };
    let found = world
        .command(|client, now| client.handle(now, input).into_message().is_some())
        .unwrap_err();
    assert!(found.to_string().contains("messages arrived"), "{found}");
}

// Small ones.

#[test]
fn a_scenario_that_fails_becomes_small_and_still_fails() {
    let mut scenario = Scenario::from_seed(Profile::Swarm, 3);
    (scenario.clients, scenario.symbols, scenario.streams, scenario.stranger) = (2, 3, 1, 1);
    (scenario.span_ms, scenario.lasting, scenario.liveness_ms) = (6_000, 0, 1);
    // Down when the faults end: a millisecond is too little to come back.
    let plan = "at 2s drop *; at 3s repeat *; at 4s malformed *; at 5900ms refuse 10s; \
        at 5950ms close 1001; at 5s lag 10ms 100ms";
    scenario.plan = plan.parse().unwrap();
    let failure = soak::run(&scenario, None).failure.unwrap();
    assert!(failure.starts_with("not well"), "{failure}");

    let mut told = 0;
    let smallest = soak::shrink(&scenario, |_, left| told = told.max(left));
    assert_eq!(told, 6);
    assert_eq!(smallest.plan.to_string(), "at 5950ms close 1001");
    assert_eq!((smallest.clients, smallest.symbols), (1, 1));
    assert_eq!((smallest.streams, smallest.stranger), (0, 0));
    assert!(soak::run(&smallest, None).failure.is_some());
}

#[test]
fn a_symbol_that_is_out_of_order_for_good_is_told_from_the_others() {
    let scenario: Scenario = "symbols 2\nlasting 1".parse().unwrap();
    let level2 = |symbol: &str| Channel::level2(symbol.parse::<Symbol>().unwrap());
    assert!(scenario.is_hopeless(level2("XBTUSDTM")));
    assert!(!scenario.is_hopeless(level2("ETHUSDTM")));
}
