//! The account that is followed: live only when it is the exchange's, by the stream and REST together.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs,
    reason = "tests"
)]

mod common;

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use common::*;
use kucoin_futures_proto::wire::{OrderSide, PositionSide, Side, StopDirection, StopPriceType};
use kucoin_futures_proto::{
    AccountDelayReason, AccountEvent, AccountLostReason, AccountPart, AccountStatus, Config, Event,
    LoginError, Lots, Output, RequestId, ResponseHead, RestError, SplitMix64, TopicEvent, TopicId,
    TopicStatus, TransportError,
};

/// The exchange's side: what the account has, and what it says of that.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
struct Truth {
    /// Size and what was filled, of each open order.
    orders: BTreeMap<u64, (u64, u64)>,
    /// Size of each stop order.
    stops: BTreeMap<u64, u64>,
    qty: i64,
    available: u64,
}

impl Truth {
    fn order_frame(&self, id: u64, kind: &str, size: u64, filled: u64) -> String {
        let is_over = matches!(kind, "filled" | "canceled");
        let (status, remain) = if is_over { ("done", 0) } else { ("open", size - filled) };
        let canceled = if kind == "canceled" { size - filled } else { 0 };
        let fill = if kind == "match" {
            format!(
                r#","matchPrice":"14.5","matchSize":"1","tradeId":"t{id}-{filled}","liquidity":"maker""#
            )
        } else {
            String::new()
        };
        format!(
            r#"{{"topic":"/contractMarket/tradeOrders","type":"message","subject":"orderChange","channelType":"private","data":{{"symbol":"{LINK}","orderId":"o{id}","side":"buy","orderType":"limit","type":"{kind}","status":"{status}","price":"14.5","size":"{size}","filledSize":"{filled}","remainSize":"{remain}","canceledSize":"{canceled}"{fill},"ts":1791500000251000000}}}}"#
        )
    }

    fn stop_frame(&self, id: u64, kind: &str, size: u64) -> String {
        format!(
            r#"{{"topic":"/contractMarket/advancedOrders","type":"message","subject":"stopOrder","channelType":"private","data":{{"createdAt":1791500000250,"marginMode":"ISOLATED","orderId":"s{id}","orderPrice":"14.1","orderType":"stop","side":"sell","size":{size},"stop":"down","stopPrice":"14.2","stopPriceType":"MP","symbol":"{LINK}","ts":1791500000251000000,"type":"{kind}"}}}}"#
        )
    }

    fn position_frame(&self) -> String {
        let (qty, is_open) = (self.qty, self.qty != 0);
        format!(
            r#"{{"topic":"/contract/positionAll","type":"message","subject":"position.change","channelType":"private","data":{{"symbol":"{LINK}","currentQty":{qty},"isOpen":{is_open},"avgEntryPrice":14.5,"markPrice":14.6,"changeReason":"positionChange","currentTimestamp":1791500000251}}}}"#
        )
    }

    fn wallet_frame(&self) -> String {
        let available = self.available;
        format!(
            r#"{{"topic":"/contractAccount/wallet","type":"message","subject":"walletBalance.change","channelType":"private","data":{{"currency":"USDT","availableBalance":"{available}","walletBalance":"{available}","equity":"{available}","holdBalance":"0","version":"7","timestamp":"1791500000251"}}}}"#
        )
    }

    /// Something happens; what is said of it.
    fn step(&mut self, rng: &mut SplitMix64) -> Vec<String> {
        let next = self.orders.keys().last().map_or(1, |last| last + 1) + rng.below(2);
        let some = self.orders.keys().nth(rng.below(self.orders.len().max(1) as u64) as usize);
        match (rng.below(7), some.copied()) {
            (5, _) => {
                let next = self.stops.keys().last().map_or(1, |last| last + 1);
                self.stops.insert(next, next + 3);
                vec![self.stop_frame(next, "open", next + 3)]
            }
            (6, _) => {
                let nth = rng.below(self.stops.len().max(1) as u64) as usize;
                let Some((&id, &size)) = self.stops.iter().nth(nth) else { return Vec::new() };
                self.stops.remove(&id);
                let kind = if rng.below(2) == 0 { "triggered" } else { "cancel" };
                vec![self.stop_frame(id, kind, size)]
            }
            (0 | 1, _) | (_, None) => {
                self.orders.insert(next, (3, 0));
                self.available += 1;
                vec![self.order_frame(next, "open", 3, 0), self.wallet_frame()]
            }
            (2, Some(id)) => {
                self.orders.remove(&id);
                vec![self.order_frame(id, "canceled", 3, 0)]
            }
            (_, Some(id)) => {
                let order = self.orders.get_mut(&id).unwrap();
                order.1 += 1;
                let (size, filled) = *order;
                self.qty += if rng.below(2) == 0 { 1 } else { -1 };
                let mut said = vec![self.order_frame(id, "match", size, filled)];
                if filled == size {
                    self.orders.remove(&id);
                    said.push(self.order_frame(id, "filled", size, filled));
                }
                said.push(self.position_frame());
                said
            }
        }
    }

    /// What REST says now.
    fn answer(&self, path: &str) -> String {
        let data = if path.starts_with("/api/v1/positions") {
            let row = format!(
                r#"{{"symbol":"{LINK}","currentQty":{},"isOpen":true,"avgEntryPrice":14.5,"markPrice":14.6}}"#,
                self.qty
            );
            format!("[{}]", if self.qty == 0 { String::new() } else { row })
        } else if path.starts_with("/api/v1/orders") {
            let row = |(id, order): (&u64, &(u64, u64))| {
                format!(
                    r#"{{"id":"o{id}","symbol":"{LINK}","type":"limit","side":"buy","price":"14.5","size":{},"dealSize":{},"status":"open","isActive":true}}"#,
                    order.0, order.1
                )
            };
            page_of(path, self.orders.iter().map(row).collect())
        } else if path.starts_with("/api/v1/stopOrders") {
            let row = |(id, size): (&u64, &u64)| {
                format!(
                    r#"{{"id":"s{id}","symbol":"{LINK}","type":"limit","side":"sell","price":"14.1","size":{size},"stop":"down","stopPriceType":"MP","stopPrice":"14.2","clientOid":"mine-{id}","status":"open","isActive":true}}"#
                )
            };
            page_of(path, self.stops.iter().map(row).collect())
        } else if path.starts_with("/api/v1/recentFills") {
            "[]".into()
        } else {
            let currency = path.split("currency=").nth(1).unwrap();
            let amount = if currency == "USDT" { self.available } else { 0 };
            format!(
                r#"{{"accountEquity":{amount},"marginBalance":{amount},"availableBalance":{amount},"frozenFunds":0,"currency":"{currency}"}}"#
            )
        };
        format!(r#"{{"code":"200000","data":{data}}}"#)
    }

    fn is_told_by(&self, rig: &Rig) {
        let account = rig.client.account().unwrap();
        let orders = account.orders().map(|order| {
            let id = order.id.strip_prefix('o').unwrap().parse().unwrap();
            (id, (order.size.get(), order.filled.get()))
        });
        let stops = account.stop_orders().map(|order| {
            let id = order.id.strip_prefix('s').unwrap().parse().unwrap();
            assert_eq!(order.stop_price.unwrap().to_string(), "14.2");
            (id, order.size.unwrap().get())
        });
        let position = account.position(LINK.parse().unwrap(), PositionSide::Both);
        let told = Self {
            orders: orders.collect(),
            stops: stops.collect(),
            qty: position.map_or(0, |position| position.qty),
            available: account
                .balance("USDT".parse().unwrap())
                .and_then(|balance| balance.available)
                .map_or(0, |available| available.to_string().parse().unwrap()),
        };
        assert_eq!(told, *self);
    }
}

/// Two rows to a page.
fn page_of(path: &str, rows: Vec<String>) -> String {
    let size: usize = 2;
    let page = path.split("currentPage=").nth(1).unwrap();
    let page: usize = page.split('&').next().unwrap().parse().unwrap();
    let (total, pages) = (rows.len(), rows.len().div_ceil(size).max(1));
    let rows: Vec<_> = rows.into_iter().skip((page - 1) * size).take(size).collect();
    format!(
        r#"{{"currentPage":{page},"pageSize":{size},"totalNum":{total},"totalPage":{pages},"items":[{}]}}"#,
        rows.join(",")
    )
}

/// What is on its way to the client, in order.
#[derive(Clone, Debug)]
enum OnWay {
    Frame(String, Truth),
    Ack(u64, Truth),
}

/// A client that follows an account over a slow connection.
struct World {
    rig: Rig,
    rng: SplitMix64,
    truth: Truth,
    way: VecDeque<OnWay>,
    /// Requests that were not answered yet, and their paths.
    asked: Vec<(RequestId, String)>,
    events: Vec<AccountEvent>,
    topic_events: Vec<(TopicId, TopicEvent)>,
    /// Pages that were asked for.
    pages: u32,
}

impl World {
    fn new(seed: u64) -> Self {
        Self::with(seed, Config::default())
    }

    fn with(seed: u64, config: Config) -> Self {
        let mut rig = Rig::with(config);
        rig.answers_pings = false;
        rig.client.follow_account(rig.now).unwrap();
        let (rng, truth) = (SplitMix64::new(seed), Truth { available: 5, ..Truth::default() });
        let (way, asked, events) = (VecDeque::new(), Vec::new(), Vec::new());
        let topic_events = Vec::new();
        let mut world = Self { rig, rng, truth, way, asked, events, topic_events, pages: 0 };
        let outputs = world.rig.drain();
        world.see(outputs);
        world
    }

    fn see(&mut self, outputs: Vec<Output<'static>>) {
        for sent in sent(&outputs) {
            self.way.push_back(if sent.kind == "ping" {
                OnWay::Frame(pong(sent.id), self.truth.clone())
            } else {
                OnWay::Ack(sent.id, self.truth.clone())
            });
        }
        for fetch in fetches(&outputs) {
            self.pages += u32::from(fetch.path().contains("currentPage="));
            self.asked.push((fetch.request(), fetch.path().to_string()));
        }
        for event in events(&outputs) {
            match event {
                Event::Account(event) => self.events.push(event),
                Event::Topic(topic, event) => self.topic_events.push((topic, event)),
                _ => {}
            }
        }
    }

    fn answer(&mut self, at: usize) {
        let (request, path) = self.asked.remove(at);
        let outputs = if path.contains("bullet-private") {
            let mut outputs = self.rig.grant(request);
            outputs.extend(self.rig.opened());
            outputs.extend(self.rig.welcome());
            outputs
        } else {
            self.rig.reply(request, &self.truth.answer(&path))
        };
        self.see(outputs);
    }

    /// The next thing on its way arrives; what the account was when it was said.
    fn arrive(&mut self) -> Option<Truth> {
        let (text, truth) = match self.way.pop_front()? {
            OnWay::Frame(text, truth) => (text, truth),
            OnWay::Ack(id, truth) => (format!(r#"{{"id":"{id}","type":"ack"}}"#), truth),
        };
        let outputs = self.rig.text(&text);
        self.see(outputs);
        Some(truth)
    }

    fn happen(&mut self) {
        for frame in self.truth.step(&mut self.rng) {
            self.way.push_back(OnWay::Frame(frame, self.truth.clone()));
        }
    }

    /// Answers everything, in order, and lets everything arrive.
    fn calm(&mut self) {
        while !self.asked.is_empty() || !self.way.is_empty() {
            if self.asked.is_empty() {
                self.arrive();
            } else {
                self.answer(0);
            }
        }
    }

    fn pass(&mut self, time: std::time::Duration) {
        let outputs = self.rig.pass(time);
        self.see(outputs);
    }
}

#[test]
fn an_account_is_live_once_all_was_answered_and_has_arrived() {
    let mut world = World::new(1);
    assert_eq!(world.rig.client.account_status(), AccountStatus::Syncing);
    world.calm();
    assert_eq!(world.rig.client.account_status(), AccountStatus::Live);
    let [AccountEvent::Live { epoch }] = world.events[..] else { panic!("{:?}", world.events) };
    assert_eq!(epoch.get(), 1);
    world.truth.is_told_by(&world.rig);
    world.happen();
    world.calm();
    world.truth.is_told_by(&world.rig);
}

/// Whatever happens while it is asked for, in whatever order answers and messages come: when it says live, it
/// is what it was on the exchange when the message that arrived last was sent.
#[test]
fn whenever_it_is_live_it_is_the_exchanges() {
    let (mut lives, mut checks) = (0, 0);
    for seed in 0..400 {
        let mut world = World::new(seed);
        // Frames of one step tell one thing after the other.
        let mut whole = None;
        for _ in 0..300 {
            match world.rng.below(10) {
                0 | 1 => world.happen(),
                2..=5 => {
                    if let Some(truth) = world.arrive() {
                        let is_last = !matches!(world.way.front(), Some(OnWay::Frame(_, next)) if *next == truth);
                        whole = is_last.then_some(truth);
                    }
                }
                6 => {
                    if !world.asked.is_empty() {
                        let at = world.rng.below(world.asked.len() as u64) as usize;
                        world.answer(at);
                    }
                }
                7 if world.rng.below(20) == 0 => {
                    let outputs = world.rig.lose(TransportError::Eof);
                    world.way.clear();
                    world.see(outputs);
                    world.pass(61 * SECOND);
                }
                _ => world.pass(MS),
            }
            if world.rig.client.account().is_some() {
                lives += 1;
                if let Some(truth) = &whole {
                    checks += 1;
                    truth.is_told_by(&world.rig);
                }
            }
        }
        world.calm();
        world.pass(61 * SECOND);
        world.calm();
        if world.rig.client.account().is_some() {
            world.truth.is_told_by(&world.rig);
        }
    }
    assert!(lives > 5_000 && checks > 2_000, "{lives} {checks}");
}

#[test]
fn a_lost_line_takes_it_and_a_new_run_follows() {
    let mut world = World::new(2);
    world.happen();
    world.calm();
    let outputs = world.rig.lose(TransportError::Eof);
    world.see(outputs);
    assert!(world.rig.client.account().is_none());
    world.happen();
    world.way.clear();
    world.pass(61 * SECOND);
    world.calm();
    world.truth.is_told_by(&world.rig);
    let epochs = world.events.iter().filter_map(|event| match event {
        AccountEvent::Live { epoch } => Some((epoch.get(), None)),
        AccountEvent::Lost { epoch, reason } => Some((epoch.get(), Some(*reason))),
        _ => None,
    });
    let expected = [(1, None), (1, Some(AccountLostReason::LineDown)), (2, None)];
    assert_eq!(epochs.collect::<Vec<_>>(), expected);
}

#[test]
fn fills_that_no_stream_told_are_recovered_and_each_is_there_once() {
    let mut world = World::new(3);
    world.calm();
    let frame = world.truth.order_frame(9, "match", 3, 1);
    for _ in 0..2 {
        world.rig.text(&frame);
    }
    assert_eq!(world.rig.client.account().unwrap().fills().count(), 1, "said twice");
    let outputs = world.rig.lose(TransportError::Eof);
    world.see(outputs);
    world.pass(61 * SECOND);
    let fill = |id: &str| {
        format!(
            r#"{{"symbol":"{LINK}","tradeId":"{id}","orderId":"o9","side":"buy","price":"14.5","size":1,"liquidity":"maker","tradeTime":1791500000251000000}}"#
        )
    };
    let body = format!(r#"{{"code":"200000","data":[{},{}]}}"#, fill("t9-2"), fill("t9-1"));
    while !world.asked.is_empty() || !world.way.is_empty() {
        match world.asked.iter().position(|(_, path)| path.contains("recentFills")) {
            Some(at) => {
                let (request, _) = world.asked.remove(at);
                let outputs = world.rig.reply(request, &body);
                world.see(outputs);
            }
            None if world.asked.is_empty() => drop(world.arrive()),
            None => world.answer(0),
        }
    }
    assert!(world.events.contains(&AccountEvent::FillsRecovered { count: 1 }));
    let fills: Vec<_> = world.rig.client.account().unwrap().fills().map(|f| &*f.trade_id).collect();
    assert_eq!(fills, ["t9-1", "t9-2"]);
}

#[test]
fn what_cannot_be_read_ends_it_and_it_comes_back() {
    let mut world = World::new(4);
    world.calm();
    let outputs = world.rig.text(
        r#"{"topic":"/contractAccount/wallet","type":"message","subject":"walletBalance.change","data":{"currency":"USDT","availableBalance":"much"}}"#,
    );
    world.see(outputs);
    assert!(world.rig.client.account().is_none());
    assert!(matches!(
        world.events[..],
        [_, AccountEvent::Lost { reason: AccountLostReason::Undecodable(_), .. }]
    ));
    world.pass(5 * SECOND);
    world.calm();
    world.truth.is_told_by(&world.rig);
}

/// The acknowledgement of an earlier round was sent in front of what this round was answered.
#[test]
fn an_acknowledgement_of_an_earlier_round_proves_nothing() {
    let mut world = World::new(9);
    // All is answered, and the acknowledgement is on its way.
    let settles = |world: &World| world.asked.is_empty() && world.way.len() == 1;
    let mut asked_for_all = false;
    while !(asked_for_all && settles(&world)) {
        asked_for_all |= world.asked.iter().any(|(_, path)| path.contains("positions"));
        if world.asked.is_empty() { drop(world.arrive()) } else { world.answer(0) }
    }
    let late = world.way.pop_front().unwrap();
    let odd = r#"{"topic":"/contractAccount/wallet","type":"message","subject":"walletBalance.change","data":{}}"#;
    let outputs = world.rig.text(odd);
    world.see(outputs);
    assert!(matches!(
        world.events[..],
        [AccountEvent::Delayed(AccountDelayReason::Undecodable(_))]
    ));
    // Less than the acknowledgement may take.
    world.pass(2 * SECOND);
    while !world.asked.is_empty() {
        world.answer(0);
    }
    assert_eq!(world.way.len(), 0, "one at a time");
    world.way.push_back(late);
    world.arrive();
    assert!(world.rig.client.account().is_none(), "what was asked in an earlier round");
    assert_eq!(world.way.len(), 1, "asked for once more");
    world.calm();
    world.truth.is_told_by(&world.rig);
}

#[test]
fn an_answer_that_cannot_be_had_delays_it_and_a_refused_key_ends_it() {
    let mut world = World::new(5);
    while world.asked.is_empty() || world.asked[0].1.contains("bullet") {
        if world.asked.is_empty() {
            world.arrive();
        } else {
            world.answer(0);
        }
    }
    let (request, _) = world.asked.remove(0);
    let outputs = world.rig.reply_with(request, ResponseHead::new(502), "<html>");
    world.see(outputs);
    let [AccountEvent::Delayed(AccountDelayReason::Failed(RestError::Http { status: 502, .. }))] =
        world.events[..]
    else {
        panic!("{:?}", world.events)
    };
    world.calm();
    assert!(world.rig.client.account().is_none(), "answers of a round that has failed");
    world.pass(2 * SECOND);
    let (request, _) = world.asked.remove(0);
    let body = r#"{"code":"400007","msg":"no"}"#;
    let outputs = world.rig.reply_with(request, ResponseHead::new(400), body);
    world.see(outputs);
    let refused = world.events.iter().find_map(|event| match event {
        AccountEvent::Refused { error, words } => Some((*error, *words)),
        _ => None,
    });
    let (error, words) = refused.unwrap();
    assert_eq!(error, LoginError::PermissionMissing);
    assert_eq!(words.and_then(|words| world.rig.client.words(words)), Some("no"));
    assert_eq!(world.rig.client.account_status(), AccountStatus::Idle);
    world.calm();
    world.rig.answers_pings = true;
    world.pass(600 * SECOND);
    assert_eq!(world.asked, [], "asked again");
}

#[test]
fn too_much_at_once_begins_anew() {
    let mut config = Config::default();
    config.queues.account_changes = 2;
    let mut world = World::new(6);
    world.rig = Rig::with(config);
    world.rig.client.follow_account(world.rig.now).unwrap();
    (world.asked, world.way) = (Vec::new(), VecDeque::new());
    let outputs = world.rig.drain();
    world.see(outputs);
    world.answer(0);
    while world.arrive().is_some() {}
    let wallet = world.truth.wallet_frame();
    for _ in 0..3 {
        let outputs = world.rig.text(&wallet);
        world.see(outputs);
    }
    assert_eq!(world.events, [AccountEvent::Delayed(AccountDelayReason::Overflow)]);
    world.calm();
    world.pass(2 * SECOND);
    world.calm();
    world.truth.is_told_by(&world.rig);
}

/// The row of an order moves to a page that was read already, and the end that moved it is heard only when all is
/// answered.
#[test]
fn a_row_that_moved_between_pages_is_not_lost() {
    for is_stop in [false, true] {
        let mut world = World::new(10);
        for id in 1..=3 {
            world.truth.orders.insert(id, (3, 0));
            world.truth.stops.insert(id, 5);
        }
        let name = if is_stop { "stopOrders" } else { "v1/orders" };
        let second = |world: &World| {
            let is_second = |path: &str| path.contains(name) && path.contains("currentPage=2");
            world.asked.iter().position(|(_, path)| is_second(path))
        };
        while second(&world).is_none() {
            if world.asked.is_empty() { drop(world.arrive()) } else { world.answer(0) }
        }
        let frame = if is_stop {
            world.truth.stops.remove(&1);
            world.truth.stop_frame(1, "cancel", 5)
        } else {
            world.truth.orders.remove(&1);
            world.truth.order_frame(1, "canceled", 3, 0)
        };
        while !world.asked.is_empty() {
            world.answer(0);
        }
        // In front of the acknowledgement, as it was said earlier.
        world.way.push_front(OnWay::Frame(frame, world.truth.clone()));
        world.calm();
        world.truth.is_told_by(&world.rig);
        assert_eq!(world.events.len(), 1, "{:?}", world.events);
    }
}

/// Whoever says to have pages without end is not asked without end.
#[test]
fn pages_without_end_delay_it_and_say_so() {
    let mut config = Config::default();
    config.account.max_pages = 7;
    let mut world = World::with(11, config);
    let endless = |path: &str| {
        let page = path.split("currentPage=").nth(1)?.split('&').next()?.to_owned();
        let data = format!(r#"{{"currentPage":{page},"totalPage":9007199254740991,"items":[]}}"#);
        path.contains("v1/orders").then(|| format!(r#"{{"code":"200000","data":{data}}}"#))
    };
    let mut pages = 0;
    while world.events.is_empty() {
        match world.asked.iter().position(|(_, path)| endless(path).is_some()) {
            Some(at) => {
                let (request, path) = world.asked.remove(at);
                let outputs = world.rig.reply(request, &endless(&path).unwrap());
                pages += 1;
                world.see(outputs);
            }
            None if world.asked.is_empty() => drop(world.arrive()),
            None => world.answer(0),
        }
    }
    assert_eq!(world.events, [AccountEvent::Delayed(AccountDelayReason::TooManyPages)]);
    assert_eq!(pages, 6, "and one of stop orders");
    assert!(world.rig.client.account().is_none());
    world.calm();
    world.pass(2 * SECOND);
    world.calm();
    world.truth.is_told_by(&world.rig);
}

/// Orders that end whenever the list was read cannot have it read for ever.
#[test]
fn changes_without_end_delay_it_and_say_so() {
    let mut config = Config::default();
    config.account.max_pages = 12;
    let mut world = World::with(20, config);
    world.truth.orders = (1..=3).map(|id| (id, (3, 0))).collect();
    while world.events.is_empty() {
        while !world.asked.is_empty() {
            world.answer(0);
        }
        // One ends and one comes: the list stays as long as it is.
        let (&first, &last) =
            (world.truth.orders.keys().min().unwrap(), world.truth.orders.keys().max().unwrap());
        world.truth.orders.remove(&first);
        world.truth.orders.insert(last + 1, (3, 0));
        let ended = world.truth.order_frame(first, "canceled", 3, 0);
        world.way.push_front(OnWay::Frame(ended, world.truth.clone()));
        let came = world.truth.order_frame(last + 1, "open", 3, 0);
        world.way.push_front(OnWay::Frame(came, world.truth.clone()));
        while world.asked.is_empty() && world.events.is_empty() && world.arrive().is_some() {}
        assert!(world.rig.client.account().is_none());
    }
    assert_eq!(world.events, [AccountEvent::Delayed(AccountDelayReason::TooManyPages)]);
    assert_eq!(world.pages, 12);
    world.way.clear();
    world.pass(2 * SECOND);
    world.calm();
    world.truth.is_told_by(&world.rig);
}

#[test]
fn an_account_with_more_than_is_kept_is_not_live_and_says_of_what() {
    let told = |part, limit: fn(&mut Config), fill: fn(&mut Truth), frame: fn(&Truth) -> String| {
        let mut config = Config::default();
        limit(&mut config);
        // Found when it is asked for.
        let mut world = World::with(12, config.clone());
        fill(&mut world.truth);
        world.calm();
        assert_eq!(world.events, [AccountEvent::Delayed(AccountDelayReason::TooMany(part))]);
        assert!(world.rig.client.account().is_none());
        // Or when it is said.
        let mut world = World::with(12, config);
        world.calm();
        assert!(world.rig.client.account().is_some());
        fill(&mut world.truth);
        let frame = frame(&world.truth);
        let outputs = world.rig.text(&frame);
        world.see(outputs);
        assert!(world.rig.client.account().is_none());
        let [_, AccountEvent::Lost { reason, .. }] = world.events[..] else {
            panic!("{:?}", world.events)
        };
        assert_eq!(reason, AccountLostReason::TooMany(part));
        // What there was too much of is gone.
        world.truth = Truth { available: 5, ..Truth::default() };
        world.pass(2 * SECOND);
        world.calm();
        world.truth.is_told_by(&world.rig);
    };
    told(
        AccountPart::Orders,
        |config| config.account.max_orders = 0,
        |truth| {
            truth.orders.insert(1, (3, 0));
        },
        |truth| truth.order_frame(1, "open", 3, 0),
    );
    told(
        AccountPart::StopOrders,
        |config| config.account.max_stop_orders = 0,
        |truth| {
            truth.stops.insert(1, 5);
        },
        |truth| truth.stop_frame(1, "open", 5),
    );
    told(
        AccountPart::Positions,
        |config| config.account.max_positions = 0,
        |truth| truth.qty = 3,
        Truth::position_frame,
    );
    let mut config = Config::default();
    config.account.max_balances = 2;
    let mut world = World::with(13, config);
    world.calm();
    let too_many = AccountDelayReason::TooMany(AccountPart::Balances);
    assert_eq!(world.events, [AccountEvent::Delayed(too_many)], "three currencies are asked for");
}

#[test]
fn stop_orders_wait_in_no_book_and_keep_the_name_that_only_rest_says() {
    let mut world = World::new(14);
    world.truth.stops.insert(4, 6);
    world.calm();
    let link = LINK.parse().unwrap();
    let account = world.rig.client.account().unwrap();
    let stop = account.stop_order("s4").unwrap();
    assert_eq!(stop.client_oid.as_deref(), Some("mine-4"));
    assert_eq!(
        (stop.stop, stop.stop_price_type),
        (Some(StopDirection::Down), Some(StopPriceType::Mark))
    );
    assert_eq!((stop.side, stop.symbol), (OrderSide::Sell, link));
    assert_eq!((stop.price.unwrap().to_string(), stop.ts_event), ("14.1".into(), None));
    assert_eq!(account.orders().len(), 0);
    assert_eq!(account.resting(link), Default::default(), "it rests nowhere");
    // The stream tells of it once more.
    let frame = world.truth.stop_frame(4, "open", 7);
    world.rig.text(&frame);
    let stop = world.rig.client.account().unwrap().stop_order("s4").unwrap();
    assert_eq!((stop.size, stop.client_oid.as_deref()), (Some(Lots::new(7)), Some("mine-4")));
    assert!(stop.ts_event.is_some());
    // What has become of it may be its end.
    let frame = world.truth.stop_frame(4, "expired", 7);
    let outputs = world.rig.text(&frame);
    world.see(outputs);
    assert!(matches!(
        world.events[..],
        [_, AccountEvent::Lost { reason: AccountLostReason::Undecodable(_), .. }]
    ));
    world.truth.stops.clear();
    world.pass(2 * SECOND);
    world.calm();
    assert_eq!(world.rig.client.account().unwrap().stop_orders().len(), 0);
}

/// That a topic is asked for once more to see that all has come is nobody else's business.
#[test]
fn each_topic_is_said_to_be_confirmed_once() {
    let mut world = World::new(15);
    world.calm();
    let requests = world.topic_events.iter().map(|(topic, event)| {
        assert_eq!(*event, TopicEvent::Confirmed);
        *topic
    });
    let topics: BTreeSet<_> = requests.clone().collect();
    assert_eq!((topics.len(), requests.count()), (4, 4), "{:?}", world.topic_events);
    assert!(world.rig.client.account().is_some());
    // A new line is news.
    world.topic_events.clear();
    let outputs = world.rig.lose(TransportError::Eof);
    world.way.clear();
    world.see(outputs);
    world.pass(61 * SECOND);
    world.calm();
    let confirmed = world.topic_events.iter().filter(|told| told.1 == TopicEvent::Confirmed);
    assert_eq!(confirmed.count(), 4);
}

/// Loses the line; what is asked for next is answered with 404 until the client has been told so.
fn refuse_once(world: &mut World) {
    let outputs = world.rig.lose(TransportError::Eof);
    world.way.clear();
    world.see(outputs);
    world.pass(61 * SECOND);
    world.topic_events.clear();
    while world.way.is_empty() {
        world.answer(0);
    }
    let Some(OnWay::Ack(id, _)) = world.way.pop_front() else { panic!("{:?}", world.way) };
    let outputs = world.rig.text(&error(&id.to_string(), 404, "topic does not exist"));
    world.see(outputs);
}

/// A quiet account brings nothing that would speak for its topics; that they were carried does.
#[test]
fn a_topic_that_was_carried_and_is_refused_once_delays_the_account() {
    let mut world = World::new(16);
    world.calm();
    refuse_once(&mut world);
    let [(topic, TopicEvent::Refused { code: 404, delay, words })] = world.topic_events[..] else {
        panic!("{:?}", world.topic_events)
    };
    assert_eq!(words.and_then(|words| world.rig.client.words(words)), Some("topic does not exist"));
    assert_eq!(world.rig.client.status(topic), TopicStatus::Refused { code: 404 });
    world.calm();
    assert_eq!(world.rig.client.account_status(), AccountStatus::Syncing);
    world.pass(delay);
    world.calm();
    world.truth.is_told_by(&world.rig);
    assert!(world.topic_events.contains(&(topic, TopicEvent::Confirmed)));
}

#[test]
fn a_topic_that_is_refused_in_place_of_its_first_confirmation_ends_the_account() {
    let mut world = World::new(17);
    while world.way.is_empty() {
        world.answer(0);
    }
    let Some(OnWay::Ack(id, _)) = world.way.pop_front() else { panic!("{:?}", world.way) };
    let outputs = world.rig.text(&error(&id.to_string(), 404, "topic does not exist"));
    world.see(outputs);
    assert!(matches!(world.topic_events[..], [(_, TopicEvent::Rejected { code: 404, .. })]));
    assert_eq!(world.rig.client.account_status(), AccountStatus::Idle);
}

/// The topic that is asked for once more is refused: the stream goes on, and what confirms it later is news.
#[test]
fn a_refusal_of_what_is_asked_for_once_more_is_no_end() {
    let mut world = World::new(18);
    while world.rig.client.account().is_none() {
        let asked_for_all = world.topic_events.len() == 4 && world.asked.is_empty();
        match world.way.front() {
            Some(OnWay::Ack(id, _)) if asked_for_all => {
                let text = error(&id.to_string(), 404, "topic does not exist");
                world.way.pop_front();
                let outputs = world.rig.text(&text);
                world.see(outputs);
                break;
            }
            _ if world.asked.is_empty() => drop(world.arrive()),
            _ => world.answer(0),
        }
    }
    let (orders, TopicEvent::Refused { delay, .. }) = *world.topic_events.last().unwrap() else {
        panic!("{:?}", world.topic_events)
    };
    assert!(world.rig.client.account().is_none());
    world.pass(delay);
    world.calm();
    world.truth.is_told_by(&world.rig);
    assert_eq!(world.topic_events.last(), Some(&(orders, TopicEvent::Confirmed)));
}

/// A frame about one side of a contract that is held on both.
fn side_frame(side: &str, qty: i64, rest: &str) -> String {
    let is_open = qty != 0;
    format!(
        r#"{{"topic":"/contract/positionAll","type":"message","subject":"position.change","channelType":"private","data":{{"symbol":"{LINK}","positionSide":"{side}","marginMode":"CROSS","currentQty":{qty},"isOpen":{is_open},{rest}"changeReason":"positionChange","currentTimestamp":1791500000300}}}}"#
    )
}

#[test]
fn the_long_and_the_short_position_of_a_contract_are_kept_apart() {
    let link = LINK.parse().unwrap();
    let mut world = World::new(19);
    let row = |side: &str, qty: i64, entry: &str| {
        format!(
            r#"{{"id":"5001{qty}","symbol":"{LINK}","crossMode":true,"currentQty":{qty},"isOpen":true,"avgEntryPrice":{entry},"markPrice":14.63,"positionSide":"{side}","marginMode":"CROSS","leverage":3}}"#
        )
    };
    let rows = [row("LONG", 7, "14.21"), row("SHORT", -4, "14.92")].join(",");
    let body = format!(r#"{{"code":"200000","data":[{rows}]}}"#);
    while world.rig.client.account().is_none() {
        match world.asked.iter().position(|(_, path)| path.contains("positions")) {
            Some(at) => {
                let (request, _) = world.asked.remove(at);
                let outputs = world.rig.reply(request, &body);
                world.see(outputs);
            }
            None if world.asked.is_empty() => drop(world.arrive()),
            None => world.answer(0),
        }
    }
    let held = |world: &World| {
        let account = world.rig.client.account().unwrap();
        let all = account.positions().map(|position| {
            assert_eq!(account.position(position.symbol, position.side), Some(position));
            (position.side, position.qty, position.avg_entry_price.unwrap().to_string())
        });
        all.collect::<Vec<_>>()
    };
    use PositionSide::{Both, Long, Short};
    assert_eq!(held(&world), [(Long, 7, "14.21".into()), (Short, -4, "14.92".into())]);
    world.rig.text(&side_frame("SHORT", -6, r#""avgEntryPrice":14.9,"#));
    assert_eq!(held(&world), [(Long, 7, "14.21".into()), (Short, -6, "14.9".into())]);
    // What is left out has not changed, of this side.
    world.rig.text(&side_frame("LONG", 9, ""));
    assert_eq!(held(&world), [(Long, 9, "14.21".into()), (Short, -6, "14.9".into())]);
    // A mark without a side is of neither.
    let mark = format!(
        r#"{{"topic":"/contract/positionAll","type":"message","subject":"position.change","channelType":"private","data":{{"symbol":"{LINK}","markPrice":15.5,"changeReason":"markPriceChange","currentTimestamp":1791500000301}}}}"#
    );
    world.rig.text(&mark);
    let account = world.rig.client.account().unwrap();
    assert!(account.positions().all(|held| held.mark_price.unwrap().to_string() == "14.63"));
    assert_eq!(account.position(link, Both), None);
    world.rig.text(&side_frame("LONG", 0, ""));
    assert_eq!(held(&world), [(Short, -6, "14.9".into())]);
    assert_eq!(world.events.len(), 1, "{:?}", world.events);
}

#[test]
fn who_follows_no_more_has_nothing() {
    let mut world = World::new(7);
    world.calm();
    world.rig.client.unfollow_account(world.rig.now).unwrap();
    let outputs = world.rig.drain();
    assert_eq!(sent(&outputs).len(), 4, "four topics are given back");
    world.see(outputs);
    assert!(world.rig.client.account().is_none());
    assert!(matches!(
        world.events[..],
        [_, AccountEvent::Lost { reason: AccountLostReason::Unfollowed, .. }]
    ));
    // And again.
    world.rig.client.follow_account(world.rig.now).unwrap();
    let outputs = world.rig.drain();
    world.see(outputs);
    world.calm();
    world.truth.is_told_by(&world.rig);
}

#[test]
fn ones_own_orders_are_left_out_of_a_book() {
    use kucoin_futures_proto::book::{Best, Scope};
    let mut world = World::new(8);
    world.calm();
    let frame = world.truth.order_frame(1, "open", 3, 0).replace(r#""14.5""#, r#""14.2""#);
    world.rig.text(&frame);
    let (books, link) = Rig::live(Config::default());
    let book = books.client.book(link).unwrap();
    let own = world.rig.client.account().unwrap().resting(LINK.parse().unwrap());
    let bids: Vec<_> = book.without(&own).levels(Side::Bid, Scope::Held).collect();
    assert_eq!(bids.iter().map(|level| level.size).collect::<Vec<_>>(), [2, 7].map(Lots::new));
    let all = world.truth.order_frame(2, "open", 2, 0).replace(r#""14.5""#, r#""14.2""#);
    world.rig.text(&all);
    let own = world.rig.client.account().unwrap().resting(LINK.parse().unwrap());
    let Best::Level(best) = book.without(&own).best(Side::Bid) else { panic!() };
    assert_eq!(best.price.to_string(), "14.1");
}
