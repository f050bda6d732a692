//! Every contract there is, in four channels: live as soon as the exchange's limits allow.

use std::time::Duration;

use kucoin_futures_host::{Clock, Next, Update, unix_now};
use kucoin_futures_proto::{
    BookEvent, BookLostReason, BookStatus, Channel, Event, Evidence, TopicEvent, TopicStatus,
};
use kucoin_futures_sim::{Contract, ExchangeConfig};

use crate::case::{Case, cases};
use crate::feed::Feed;
use crate::rig::*;

pub(crate) fn cases<F: Feed>() -> Vec<Case> {
    cases![PLAIN: seven_hundred_contracts_are_live_within_the_limits_own_minimum]
}

const CONTRACTS: usize = 700;

/// 2000 in 30 s for REST, of which a snapshot takes 3: 666 at once, and the last 34 when the window is over.
const LEAST: Duration = Duration::from_secs(30);

/// What is beyond that: tokens, connections and acks, built for debugging on a machine that does other things, too.
const MOST: Duration = Duration::from_secs(45);

fn seven_hundred_contracts_are_live_within_the_limits_own_minimum<F: Feed>(wire: Wire) {
    let mut config = ExchangeConfig::default();
    let symbols: Vec<_> = (0..CONTRACTS).map(|n| format!("C{n}USDTM").parse().unwrap()).collect();
    config.contracts = symbols.iter().map(|&symbol| Contract::named(symbol)).collect();
    config.rate = 0.5;
    config.unix_start = unix_now();
    let rig = Rig::with_config(wire, config);
    let mut feed: F = rig.feed();
    let clock = Clock::new();
    let start = clock.now();
    let (mut books, mut others) = (Vec::new(), Vec::new());
    for &symbol in &symbols {
        books.push(feed.subscribe(Channel::level2(symbol)).unwrap());
        for channel in [Channel::ticker_v2, Channel::execution, Channel::instrument] {
            others.push(feed.subscribe(channel(symbol)).unwrap());
        }
    }
    let (mut to_confirm, mut to_go_live) = (books.len() + others.len(), books.len());
    let (mut confirmed, mut doubted) = (None, 0);
    while to_confirm + to_go_live > 0 {
        let next = feed.next_within(PATIENCE);
        let Next::Update(Update::State(event)) = next else {
            assert!(matches!(next, Next::Update(_)), "{next:?}");
            continue;
        };
        match event {
            Event::Topic(_, TopicEvent::Confirmed) => {
                to_confirm -= 1;
                confirmed = Some(clock.now().since(start));
            }
            Event::Book(_, BookEvent::Live { .. }) => to_go_live -= 1,
            // A change that changes nothing, right behind a snapshot: one in hundreds, and not told from a counter
            // that was set back.
            Event::Book(_, BookEvent::Lost { reason, .. }) => {
                let what = BookLostReason::SequenceReset(Evidence::ChangesNothing);
                assert_eq!(reason, what);
                doubted += 1;
                to_go_live += 1;
            }
            _ => {}
        }
    }
    let live = clock.now().since(start);
    let is_confirmed = |&topic: &_| matches!(feed.status(topic), TopicStatus::Confirmed { .. });
    assert!(books.iter().chain(&others).all(is_confirmed));
    assert!(books.iter().all(|&book| feed.book_status(book) == Some(BookStatus::Live)));
    println!("{wire}: all confirmed after {confirmed:?}, all live after {live:?}, {doubted} twice");
    let counts = rig.server.with(|exchange, _| exchange.counts());
    assert_eq!(counts.violations, 0, "{counts:?}");
    assert_eq!((feed.lines().len(), feed.stats().gaps, feed.stats().resyncs), (10, 0, doubted));
    assert!(doubted <= 5, "{doubted}");
    assert!(feed.lines().iter().all(|line| line.topics == 280));
    assert!(live < MOST, "{live:?}; {LEAST:?} is what the limits ask for");
}
