//! A line that is up, and everything that can end it: each end has its class and its deadline, and
//! afterwards the books are the exchange's again.

use std::collections::BTreeMap;
use std::time::Duration;

use kucoin_futures_host::{Clock, Update};
use kucoin_futures_proto::{
    BookEvent, Channel, DisconnectReason, Event, LineEvent, Symbol, TransportError,
};
use kucoin_futures_sim::{Fault, Plan};

use crate::case::{Case, cases};
use crate::feed::Feed;
use crate::rig::*;

pub(crate) fn cases<F: Feed>() -> Vec<Case> {
    cases![BOTH:
        with_every_fault_there_is_every_book_is_the_exchanges,
        each_close_code_is_told_and_healed,
        a_reset_in_the_middle_of_a_frame_is_a_reset,
        a_half_open_connection_is_noticed_by_its_pongs,
        withheld_pongs_are_noticed_though_data_flow,
        a_server_that_goes_away_is_noticed_at_once,
        a_machine_that_slept_believes_nothing,
    ]
}

/// Everything that can be scripted, most of it over and over.
const PLAN: &str = "every 2s drop *; every 3s repeat ETHUSDTM 2; at 2500ms close 1001;
    at 4s step-back CHRUSDTM 7000; at 5s stale-snapshot XBTUSDTM 2; at 5s drop XBTUSDTM;
    at 6500ms expire-token; at 6500ms close 1006; at 6500ms refuse 500ms;
    at 9s http-429 1200ms 2; at 9s drop CHRUSDTM; at 10s http-html 1; at 10s drop ETHUSDTM 3;
    at 11s withhold-pongs 1s; at 13s reset; at 13s slow-connect 300ms; at 15s freeze 3s;
    at 19s http-drip 1ms 1; at 19s drop XBTUSDTM";

fn with_every_fault_there_is_every_book_is_the_exchanges<F: Feed>(wire: Wire) {
    let rig = Rig::brisk(wire, 1000.0);
    let symbols = ["XBTUSDTM", "ETHUSDTM", "CHRUSDTM"].map(|name| name.parse::<Symbol>().unwrap());
    let mut feed: F = rig.feed();
    let topics: BTreeMap<_, _> = symbols
        .into_iter()
        .map(|symbol| (feed.subscribe(Channel::level2(symbol)).unwrap(), symbol))
        .collect();
    let plan: Plan = PLAN.parse().unwrap();
    rig.server.with(|exchange, now| exchange.script(now, &plan));
    let (mut compared, mut deltas, mut next) = (0, 0_u64, BTreeMap::new());
    run_for(&mut feed, 22 * SECOND, |update| match update {
        Update::Book(change) => {
            deltas += 1;
            let expected = next.insert(change.topic, change.delta.sequence.next());
            assert!(expected.is_none_or(|expected| expected == Some(change.delta.sequence)));
            let Some(book) = change.book.filter(|_| deltas % 500 == 0) else { return };
            assert!(rig.is_equal_for(topics[&change.topic], book));
            compared += 1;
        }
        Update::State(Event::Book(topic, BookEvent::Lost { .. })) => {
            next.remove(topic);
        }
        Update::State(_) | Update::Push(_) => {}
    });
    rig.server.with(|exchange, _| exchange.heal());
    let clock = Clock::new();
    while !topics.keys().all(|topic| feed.book(*topic).is_some()) {
        assert!(clock.now().as_nanos() < 20_000_000_000, "not all books are live again");
        run_for(&mut feed, 50 * MS, |_| {});
    }
    for (topic, symbol) in &topics {
        assert!(rig.is_equal_for(*symbol, feed.book(*topic).unwrap()));
    }
    let stats = feed.stats();
    assert!(compared > 30 && stats.gaps > 10 && stats.reconnects >= 4, "{compared}: {stats:?}");
    assert_eq!(rig.server.with(|exchange, _| exchange.counts().violations), 0);
}

fn reason_of(event: &Event) -> Option<DisconnectReason> {
    match event {
        Event::Line(_, LineEvent::Down { reason, .. }) => Some(*reason),
        _ => None,
    }
}

/// Breaks the line of a live book; the first thing said must be that it is down, for that reason and
/// within that time, and the book must come back equal.
fn is_healed<F: Feed>(
    rig: &Rig,
    breaks: impl FnOnce(),
    reason: DisconnectReason,
    within: Duration,
) {
    let (mut feed, topic) = rig.live::<F>();
    breaks();
    let mut first = None;
    let took = wait_for(&mut feed, "anything", |event| {
        first = Some(*event);
        true
    });
    assert_eq!(first.as_ref().and_then(reason_of), Some(reason), "{first:?}");
    assert!(took < within + SLACK, "{reason:?} after {took:?}");
    assert!(feed.book(topic).is_none());
    until_live(&mut feed);
    assert!(rig.is_equal(feed.book(topic).unwrap()));
}

fn each_close_code_is_told_and_healed<F: Feed>(wire: Wire) {
    for code in [1000, 1001, 1006, 1012] {
        let rig = Rig::new(wire, 100.0);
        let error = if code == 1006 {
            TransportError::Eof
        } else {
            TransportError::Closed { code: Some(code) }
        };
        is_healed::<F>(
            &rig,
            || rig.inject(Fault::Close { code }),
            DisconnectReason::Lost(error),
            Duration::ZERO,
        );
    }
}

fn a_reset_in_the_middle_of_a_frame_is_a_reset<F: Feed>(wire: Wire) {
    let rig = Rig::new(wire, 100.0);
    let reset = DisconnectReason::Lost(TransportError::Reset);
    is_healed::<F>(&rig, || rig.inject(Fault::Reset {}), reset, Duration::ZERO);
}

/// Nothing can be read and nothing that is written arrives, but TCP says that all is well.
fn a_half_open_connection_is_noticed_by_its_pongs<F: Feed>(wire: Wire) {
    let rig = Rig::brisk(wire, 100.0);
    let frozen = || rig.inject(Fault::Freeze { span: 5 * SECOND });
    is_healed::<F>(&rig, frozen, DisconnectReason::PongTimeout, 2 * SECOND);
}

fn withheld_pongs_are_noticed_though_data_flow<F: Feed>(wire: Wire) {
    let rig = Rig::brisk(wire, 100.0);
    let withheld = || rig.inject(Fault::WithholdPongs { span: 3 * SECOND });
    is_healed::<F>(&rig, withheld, DisconnectReason::PongTimeout, 2 * SECOND);
}

fn a_server_that_goes_away_is_noticed_at_once<F: Feed>(wire: Wire) {
    let rig = Rig::new(wire, 0.0);
    let (mut feed, _) = rig.live::<F>();
    drop(rig);
    let took = wait_for(&mut feed, "down", |event| {
        matches!(reason_of(event), Some(DisconnectReason::Lost(_)))
    });
    assert!(took < SLACK, "{took:?}");
}

/// The clock jumps, and everything that waits in the socket is from before.
fn a_machine_that_slept_believes_nothing<F: Feed>(wire: Wire) {
    let rig = Rig::new(wire, 100.0);
    let mut options = rig.options();
    let (clock, sleep) = Clock::sleepy();
    options.clock = clock;
    let (mut feed, topic) = book_feed::<F>(options);
    until_live(&mut feed);
    sleep.pass(3600 * SECOND);
    let mut deltas = 0;
    let took = wait(&mut feed, "suspended", |update| {
        deltas += u32::from(matches!(update, Update::Book(_)));
        matches!(update, Update::State(event) if reason_of(event) == Some(DisconnectReason::Suspended))
    });
    assert!(took < SLACK, "{took:?}");
    assert!(deltas <= 1, "{deltas} deltas were believed");
    until_live(&mut feed);
    assert!(rig.is_equal(feed.book(topic).unwrap()));
    assert_eq!(feed.stats().reconnects, 1);
}
