//! The account that is followed: live only when it is the exchange's, by the stream and REST together.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs,
    reason = "tests"
)]

mod common;

use std::collections::{BTreeMap, VecDeque};

use common::*;
use kucoin_futures_proto::wire::{PositionSide, Side};
use kucoin_futures_proto::{
    AccountDelayReason, AccountEvent, AccountLostReason, AccountStatus, Config, Event, LoginError,
    Lots, Output, RequestId, ResponseHead, RestError, SplitMix64, TransportError,
};

/// The exchange's side: what the account has, and what it says of that.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
struct Truth {
    /// Size and what was filled, of each open order.
    orders: BTreeMap<u64, (u64, u64)>,
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
        match (rng.below(5), some.copied()) {
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
            let size: usize = 2;
            let page = path.split("currentPage=").nth(1).unwrap();
            let page: usize = page.split('&').next().unwrap().parse().unwrap();
            let rows = self.orders.iter().skip((page - 1) * size).take(size).map(|(id, order)| {
                format!(
                    r#"{{"id":"o{id}","symbol":"{LINK}","type":"limit","side":"buy","price":"14.5","size":{},"dealSize":{},"status":"open","isActive":true}}"#,
                    order.0, order.1
                )
            });
            let rows = rows.collect::<Vec<_>>().join(",");
            let pages = self.orders.len().div_ceil(size).max(1);
            format!(
                r#"{{"currentPage":{page},"pageSize":{size},"totalNum":{},"totalPage":{pages},"items":[{rows}]}}"#,
                self.orders.len()
            )
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
        let position = account.position(LINK.parse().unwrap(), PositionSide::Both);
        let told = Self {
            orders: orders.collect(),
            qty: position.map_or(0, |position| position.qty),
            available: account
                .balance("USDT".parse().unwrap())
                .and_then(|balance| balance.available)
                .map_or(0, |available| available.to_string().parse().unwrap()),
        };
        assert_eq!(told, *self);
    }
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
}

impl World {
    fn new(seed: u64) -> Self {
        let mut rig = Rig::new();
        rig.answers_pings = false;
        rig.client.follow_account(rig.now).unwrap();
        let (rng, truth) = (SplitMix64::new(seed), Truth { available: 5, ..Truth::default() });
        let (way, asked, events) = (VecDeque::new(), Vec::new(), Vec::new());
        let mut world = Self { rig, rng, truth, way, asked, events };
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
            self.asked.push((fetch.request(), fetch.path().to_string()));
        }
        for event in events(&outputs) {
            if let Event::Account(event) = event {
                self.events.push(event);
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
    assert!(world.events.contains(&AccountEvent::Refused(LoginError::PermissionMissing)));
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

#[test]
fn who_follows_no_more_has_nothing() {
    let mut world = World::new(7);
    world.calm();
    world.rig.client.unfollow_account(world.rig.now).unwrap();
    let outputs = world.rig.drain();
    assert_eq!(sent(&outputs).len(), 3, "three topics are given back");
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
