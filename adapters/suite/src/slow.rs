//! Callers who stay away, readers who are slow, and feeds that have nothing to do.

use kucoin_futures_host::{Item, Taken, Update};
use kucoin_futures_proto::{BookEvent, Channel, DisconnectReason, Event, LineEvent};

use crate::case::{Case, cases};
use crate::feed::{Feed, Pump};
use crate::rig::*;

pub(crate) fn cases<F: Feed>() -> Vec<Case> {
    let mut cases = cases![BOTH:
        a_caller_who_is_away_for_5_s_has_lost_nothing,
        a_caller_who_is_away_for_long_loses_the_line_and_gets_it_back,
        a_pump_keeps_the_line_while_nobody_reads,
        a_full_queue_counts_what_it_drops_and_the_book_stays_exact,
        a_pump_that_is_dropped_closes_the_connection,
        a_pump_that_is_closed_ends,
        a_pump_whose_command_panics_ends,
        commands_without_end_do_not_keep_the_line_waiting,
        a_crowd_of_commands_is_answered_at_once,
    ];
    cases.extend(cases![PLAIN:
        a_caller_who_is_away_for_40_s_loses_the_line_and_gets_it_back,
        an_idle_feed_wakes_for_its_deadlines_only,
    ]);
    cases
}

fn is_loss(update: &Update<'_>) -> bool {
    matches!(
        update,
        Update::State(
            Event::Line(_, LineEvent::Down { .. }) | Event::Book(_, BookEvent::Lost { .. })
        )
    )
}

fn a_caller_who_is_away_for_5_s_has_lost_nothing<F: Feed>(wire: Wire) {
    let rig = Rig::new(wire, 200.0);
    let (mut feed, topic) = rig.live::<F>();
    let start = feed.book(topic).unwrap().sequence().get();
    stay_away(5 * SECOND);
    let mut last = start;
    wait(&mut feed, "the present", |update| {
        assert!(!is_loss(update), "{update:?}");
        let Update::Book(change) = update else { return false };
        assert_eq!(change.delta.sequence.get(), last + 1, "each change once, in order");
        last += 1;
        last > start + 900
    });
    assert!(rig.is_equal(feed.book(topic).unwrap()));
    assert_eq!((feed.stats().gaps, feed.stats().reconnects), (0, 0));
}

/// Pings every second here: four seconds are long.
fn a_caller_who_is_away_for_long_loses_the_line_and_gets_it_back<F: Feed>(wire: Wire) {
    let rig = Rig::brisk(wire, 50.0);
    let (mut feed, topic) = rig.live::<F>();
    stay_away(4 * SECOND);
    comes_back(&rig, &mut feed, topic);
}

/// With the pings of the real exchange: every 18 s, to be answered within 10 s.
fn a_caller_who_is_away_for_40_s_loses_the_line_and_gets_it_back<F: Feed>(wire: Wire) {
    let rig = Rig::new(wire, 50.0);
    let (mut feed, topic) = rig.live::<F>();
    stay_away(40 * SECOND);
    comes_back(&rig, &mut feed, topic);
}

/// What the server said in the meantime is taken in first; then the line is given up.
fn comes_back<F: Feed>(rig: &Rig, feed: &mut F, topic: kucoin_futures_proto::TopicId) {
    wait_for(feed, "suspended", |event| {
        matches!(event, Event::Line(_, LineEvent::Down { reason: DisconnectReason::Suspended, .. }))
    });
    assert!(feed.book(topic).is_none());
    until_live(feed);
    assert!(rig.is_equal(feed.book(topic).unwrap()));
    assert_eq!(feed.stats().reconnects, 1);
}

fn a_pump_keeps_the_line_while_nobody_reads<F: Feed>(wire: Wire) {
    let rig = Rig::brisk(wire, 50.0);
    let (feed, topic) = rig.live::<F>();
    let pump = feed.spawn(4096);
    stay_away(5 * SECOND);
    let (stats, sequence) =
        pump.with(move |feed| (*feed.stats(), feed.book(topic).unwrap().sequence().get())).unwrap();
    assert!(stats.reconnects == 0 && stats.pings >= 4 && stats.pongs >= 4, "{stats:?}");
    let mut read = None;
    while let Taken::Item(item) = pump.take_within(100 * MS) {
        if let Item::Delta(_, delta) = item {
            assert!(read.is_none_or(|read: u64| read + 1 == delta.sequence.get()));
            read = Some(delta.sequence.get());
        }
        if read >= Some(sequence) {
            return;
        }
    }
    panic!("the book was at {sequence}, what was read ended at {read:?}");
}

fn a_full_queue_counts_what_it_drops_and_the_book_stays_exact<F: Feed>(wire: Wire) {
    let rig = Rig::new(wire, 2000.0);
    let (feed, topic) = rig.live::<F>();
    let pump = feed.spawn(64);
    stay_away(SECOND);
    rig.server.with(|exchange, _| exchange.set_rate(0.0));
    stay_away(300 * MS);
    let book = pump.with(move |feed| feed.book(topic).cloned()).unwrap().unwrap();
    assert!(rig.is_equal(&book), "whatever the reader does");
    let (mut last, mut dropped, mut items) = (None::<u64>, 0, 0);
    while let Taken::Item(item) = pump.take_within(100 * MS) {
        items += 1;
        match item {
            Item::Delta(_, delta) => {
                let expected = last.map(|last| last + 1 + dropped);
                assert!(expected.is_none_or(|expected| expected == delta.sequence.get()));
                (last, dropped) = (Some(delta.sequence.get()), 0);
            }
            Item::State(Event::Lagged { dropped: more }, _) => dropped += u64::from(more),
            Item::State(..) | Item::Push(_) => {}
        }
    }
    assert!(items <= 66 && dropped > 1000, "{items} items, then {dropped} dropped");
    assert_eq!(last.unwrap() + dropped, book.sequence().get(), "every change is accounted for");
    rig.server.with(|exchange, _| exchange.set_rate(2000.0));
    let next = loop {
        match pump.take_within(PATIENCE) {
            Taken::Item(Item::Delta(_, delta)) => break delta.sequence.get(),
            Taken::Item(_) => {}
            Taken::Quiet | Taken::Ended => panic!("nothing more came"),
        }
    };
    assert_eq!(next, book.sequence().get() + 1, "and then it goes on");
}

fn a_pump_that_is_dropped_closes_the_connection<F: Feed>(wire: Wire) {
    let rig = Rig::new(wire, 50.0);
    let (feed, _) = rig.live::<F>();
    let pump = feed.spawn(16);
    assert_eq!(rig.server.with(|exchange, _| exchange.sessions()), 1);
    drop(pump);
    stay_away(SECOND);
    assert_eq!(rig.server.with(|exchange, _| exchange.sessions()), 0);
}

fn a_pump_that_is_closed_ends<F: Feed>(wire: Wire) {
    let rig = Rig::new(wire, 50.0);
    let (feed, _) = rig.live::<F>();
    let pump = feed.spawn(4096);
    pump.close();
    let mut closed = false;
    loop {
        match pump.take_within(PATIENCE) {
            Taken::Item(Item::State(Event::Line(_, LineEvent::Down { reason, .. }), _)) => {
                closed |= reason == DisconnectReason::Closed;
            }
            Taken::Item(_) => {}
            Taken::Quiet => panic!("it should have ended"),
            Taken::Ended => break,
        }
    }
    assert!(closed, "what it knew was told");
    assert!(pump.with(|_| ()).is_err());
}

/// Found in review: on threads the reader waited for ever.
fn a_pump_whose_command_panics_ends<F: Feed>(wire: Wire) {
    let rig = Rig::new(wire, 0.0);
    let pump = rig.feed::<F>().spawn(16);
    let answer = pump.with(|_| panic!("on purpose: a user's mistake"));
    assert_eq!(answer, Err::<(), _>(kucoin_futures_proto::Misuse::Closed));
    loop {
        match pump.take_within(PATIENCE) {
            Taken::Item(_) => {}
            Taken::Quiet => panic!("nobody told the reader"),
            Taken::Ended => break,
        }
    }
}

/// Found in review: commands and wake-ups went before sockets and deadlines.
fn commands_without_end_do_not_keep_the_line_waiting<F: Feed>(wire: Wire) {
    let rig = Rig::brisk(wire, 200.0);
    let (feed, topic) = rig.live::<F>();
    let pump = feed.spawn(4096);
    let clock = kucoin_futures_host::Clock::new();
    std::thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| {
                while clock.now() < kucoin_futures_proto::Instant::ZERO + 3 * SECOND {
                    pump.with(move |feed| feed.book(topic).map(|book| book.sequence())).unwrap();
                }
            });
        }
    });
    let stats = pump.with(|feed| *feed.stats()).unwrap();
    assert!(stats.reconnects == 0 && stats.pongs >= 2 && stats.deltas > 400, "{stats:?}");
}

/// Found on reading again: more commands than two rounds take waited for the next message or deadline.
fn a_crowd_of_commands_is_answered_at_once<F: Feed>(wire: Wire) {
    let rig = Rig::new(wire, 0.0);
    let (feed, _) = rig.live::<F>();
    let pump = feed.spawn(16);
    let clock = kucoin_futures_host::Clock::new();
    std::thread::scope(|scope| {
        // It is busy until all the others have come.
        scope.spawn(|| pump.with(|_| stay_away(500 * MS)).unwrap());
        stay_away(100 * MS);
        for _ in 0..80 {
            scope.spawn(|| pump.with(|_| ()).unwrap());
        }
    });
    let took = clock.now().since(kucoin_futures_proto::Instant::ZERO);
    assert!(took < 500 * MS + SLACK, "{took:?}");
}

/// In a minute: three pings with their pongs, and a topic that is reported as silent.
fn an_idle_feed_wakes_for_its_deadlines_only<F: Feed>(wire: Wire) {
    let rig = Rig::new(wire, 0.0);
    let (mut feed, _) = rig.live::<F>();
    feed.subscribe(Channel::execution(symbol())).unwrap();
    run_for(&mut feed, 500 * MS, |_| {});
    let (wakes, pings) = (feed.wakes(), feed.stats().pings);
    run_for(&mut feed, 60 * SECOND, |_| {});
    let (wakes, pings) = (feed.wakes() - wakes, feed.stats().pings - pings);
    println!("{wakes} wake-ups in 60 s, {pings} pings");
    assert_eq!((pings, feed.stats().reconnects), (3, 0));
    assert!(wakes <= 16, "{wakes} wake-ups in 60 s");
}
