//! Several lines, the change-over from one to another, and books that are held against a snapshot while they are live.

use kucoin_futures_host::{Item, Taken};
use kucoin_futures_proto::{
    BookEvent, DisconnectReason, Event, LineEvent, LineRole, Misuse, ReplaceReason,
};
use kucoin_futures_sim::Fault;

use crate::case::{Case, cases};
use crate::feed::{Feed, Pump};
use crate::rig::*;

pub(crate) fn cases<F: Feed>() -> Vec<Case> {
    cases![BOTH:
        a_book_is_held_against_a_snapshot_when_somebody_asks,
        lines_are_replaced_when_somebody_asks_and_the_book_stays_live,
        of_two_lines_one_may_end_and_the_book_stays_live,
        a_pump_takes_the_same_commands,
    ]
}

fn is_lost(event: &Event) -> bool {
    matches!(event, Event::Book(_, BookEvent::Lost { .. }))
}

fn is_verified(event: &Event) -> bool {
    matches!(event, Event::Book(_, BookEvent::Verified { .. }))
}

fn a_book_is_held_against_a_snapshot_when_somebody_asks<F: Feed>(wire: Wire) {
    let rig = Rig::new(wire, 200.0);
    let (mut feed, topic) = rig.book_feed::<F>();
    assert_eq!(feed.verify(topic), Err(Misuse::NotLive));
    until_live(&mut feed);
    let audits = feed.stats().audits;
    feed.verify(topic).unwrap();
    wait_for(&mut feed, "a verdict", |event| {
        assert!(!is_lost(event), "{event:?}");
        is_verified(event)
    });
    assert!(feed.stats().audits > audits);
    assert!(rig.is_equal(feed.book(topic).unwrap()));
}

fn lines_are_replaced_when_somebody_asks_and_the_book_stays_live<F: Feed>(wire: Wire) {
    let rig = Rig::new(wire, 200.0);
    let (mut feed, topic) = rig.live::<F>();
    assert_eq!(feed.replace_lines(), Ok(1));
    assert_eq!(feed.replace_lines(), Ok(0), "it is being replaced");
    let mut is_told = false;
    wait_for(&mut feed, "the old one to be shut", |event| {
        assert!(!is_lost(event), "{event:?}");
        is_told |= matches!(
            event,
            Event::Line(_, LineEvent::Replacing { reason: ReplaceReason::Asked, .. })
        );
        matches!(event, Event::Line(_, LineEvent::Down { reason: DisconnectReason::Replaced, .. }))
    });
    assert!(is_told);
    assert_eq!((feed.stats().change_overs, feed.stats().reconnects), (1, 0));
    assert!(rig.is_equal(feed.book(topic).unwrap()));
}

fn of_two_lines_one_may_end_and_the_book_stays_live<F: Feed>(wire: Wire) {
    let rig = Rig::new(wire, 200.0);
    let mut options = rig.options();
    options.config.lines.per_topic = 2;
    let (mut feed, topic) = book_feed::<F>(options);
    until_live(&mut feed);
    run_for(&mut feed, 2 * SECOND, |_| {});
    let mut roles: Vec<_> = feed.lines().iter().map(|line| line.role).collect();
    roles.sort_unstable();
    assert_eq!(roles, [LineRole::Public, LineRole::Spare]);
    let shares = feed.shares(topic);
    assert_eq!(shares.len(), 2);
    let (first, later) = shares
        .iter()
        .fold((0, 0), |(first, later), (_, share)| (first + share.first, later + share.later));
    assert!(first > 100 && later > 100, "{shares:?}");
    rig.inject(Fault::CloseOne { code: 1006 });
    let mut downs = 0;
    wait_for(&mut feed, "one down and up again", |event| {
        assert!(!is_lost(event), "{event:?}");
        downs += u32::from(matches!(event, Event::Line(_, LineEvent::Down { .. })));
        downs > 0 && matches!(event, Event::Line(_, LineEvent::Up { .. }))
    });
    assert_eq!((downs, feed.stats().gaps), (1, 0));
    assert!(rig.is_equal(feed.book(topic).unwrap()));
}

fn a_pump_takes_the_same_commands<F: Feed>(wire: Wire) {
    let rig = Rig::new(wire, 200.0);
    let (feed, topic) = rig.live::<F>();
    let pump = feed.spawn(4096);
    pump.verify(topic).unwrap();
    assert_eq!(pump.replace_lines(), Ok(1));
    let (mut verified, mut replaced) = (false, false);
    while !(verified && replaced) {
        match pump.take_within(PATIENCE) {
            Taken::Item(Item::State(event, _)) => {
                assert!(!is_lost(&event), "{event:?}");
                verified |= is_verified(&event);
                replaced |= matches!(
                    event,
                    Event::Line(_, LineEvent::Down { reason: DisconnectReason::Replaced, .. })
                );
            }
            Taken::Item(_) => {}
            Taken::Quiet | Taken::Ended => panic!("verified {verified}, replaced {replaced}"),
        }
    }
    pump.close();
    assert_eq!(pump.verify(topic), Err(Misuse::Closed));
}
