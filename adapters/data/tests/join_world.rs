//! A real client of the simulated exchange loses its connection again and again; what is joined of its messages is held
//! against the exchange's own trades.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "tests")]

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use kucoin_futures_data::join::{
    CandleJoin, CandleJoinConfig, JoinedCandle, JoinedTrade, TradeJoin, TradeJoinConfig, TradeState,
};
use kucoin_futures_proto::wire::{CandleUpdate, Execution, Rows};
use kucoin_futures_proto::{
    Channel, Event, Instant, Interval, LineEvent, Query, RequestId, Symbol, TopicEvent, TopicId,
    UnixNanos,
};
use kucoin_futures_sim::{ExchangeConfig, World, WorldEvent};
use serde_json::Value;

const MINUTE_MS: u64 = 60_000;

/// Price in units of the market and lots of each trade, by sequence.
type Tape = BTreeMap<u64, (u64, String, u64)>;

struct Desk {
    world: World,
    symbol: Symbol,
    topics: [TopicId; 2],
    trades: TradeJoin,
    candles: CandleJoin,
    asked_trades: Option<RequestId>,
    asked_candles: Option<(RequestId, Query)>,
    joined_trades: Vec<JoinedTrade>,
    joined_candles: Vec<JoinedCandle>,
    /// All that the exchange has traded.
    tape: Tape,
}

impl Desk {
    fn new(
        seed: u64,
        rate: f64,
        faults: &str,
        config: TradeJoinConfig,
        mut candles: CandleJoinConfig,
    ) -> Self {
        let mut exchange = ExchangeConfig::default();
        (exchange.rate, exchange.faults) = (rate, faults.parse().unwrap());
        let latency = Duration::from_millis(80);
        let mut world = World::new(seed, World::client_config(), exchange, latency);
        let symbol: Symbol = "XBTUSDTM".parse().unwrap();
        let channels = [Channel::execution(symbol), Channel::candles(symbol, Interval::Min1)];
        let topics = channels.map(|channel| world.subscribe(channel).unwrap().unwrap());
        candles.history = 5;
        Self {
            symbol,
            topics,
            trades: TradeJoin::new(world.now(), symbol, config),
            candles: CandleJoin::new(world.now(), symbol, Interval::Min1, candles).unwrap(),
            world,
            asked_trades: None,
            asked_candles: None,
            joined_trades: Vec::new(),
            joined_candles: Vec::new(),
            tape: Tape::new(),
        }
    }

    fn run_for(&mut self, span: Duration) {
        let end = self.world.now() + span;
        loop {
            let due = self.trades.poll_timeout().min(self.candles.poll_timeout());
            let until = due.max(self.world.now()).min(end);
            let happened = self.world.step(until).unwrap();
            if !happened {
                self.world.run_for(until.since(self.world.now())).unwrap();
            }
            self.note_trades();
            self.take();
            self.ask();
            if !happened && self.world.now() >= end {
                break;
            }
        }
    }

    fn note_trades(&mut self) {
        let market = self.world.exchange().market(self.symbol).unwrap();
        let trades = market.trades().rev().take_while(|trade| {
            // What is known is not looked at twice.
            !self.tape.contains_key(&trade.sequence.get())
        });
        let new: Tape = trades
            .map(|t| (t.sequence.get(), (t.at.as_millis(), t.price.to_string(), t.size.get())))
            .collect();
        self.tape.extend(new);
    }

    /// What the client has said since: what happened before what it was told in the same moment.
    fn take(&mut self) {
        let happenings = self.world.take_happenings();
        for (_, happening) in &happenings {
            if let WorldEvent::Client(event) = happening {
                self.on_event(*event);
            }
        }
        for (_, happening) in &happenings {
            if let WorldEvent::Push(bytes) = happening {
                self.on_push(bytes);
            }
        }
    }

    fn on_event(&mut self, event: Event) {
        let now = self.world.now();
        match event {
            Event::Topic(topic, TopicEvent::MayHaveMissed) if topic == self.topics[0] => {
                self.trades.on_may_have_missed(now);
            }
            Event::Topic(topic, TopicEvent::MayHaveMissed | TopicEvent::Confirmed)
                if topic == self.topics[1] =>
            {
                self.candles.on_may_have_missed(now);
            }
            Event::Line(_, LineEvent::Down { .. }) => self.candles.on_down(),
            Event::QueryFailed { request, .. } if Some(request) == self.asked_trades => {
                self.asked_trades = None;
                self.trades.on_query_failed(now, &mut self.joined_trades);
            }
            Event::QueryFailed { request, .. }
                if self.asked_candles.is_some_and(|(asked, _)| asked == request) =>
            {
                self.asked_candles = None;
                self.candles.on_query_failed(now, &mut self.joined_candles);
            }
            _ => {}
        }
    }

    fn on_push(&mut self, bytes: &[u8]) {
        let now = self.world.now();
        let frame: Value = serde_json::from_slice(bytes).unwrap();
        let data = serde_json::to_vec(&frame["data"]).unwrap();
        match frame["subject"].as_str() {
            Some("match") => match Execution::parse(&data) {
                Ok(trade) => self.trades.on_execution(now, &trade, &mut self.joined_trades),
                Err(_) => self.trades.on_may_have_missed(now),
            },
            Some("candle.stick") => {
                let candle = CandleUpdate::parse(&data).unwrap();
                self.candles.on_candle(now, &candle, &mut self.joined_candles);
            }
            Some(_) => {}
            None => self.on_answer(bytes, &frame["data"]),
        }
    }

    fn on_answer(&mut self, body: &[u8], data: &Value) {
        let now = self.world.now();
        if data[0].get("tradeId").is_some() {
            let rows = Rows::parse(body).unwrap();
            self.trades.on_history(now, &rows, &mut self.joined_trades);
            self.asked_trades = None;
        } else if let Some(time) = data.as_u64() {
            self.candles.on_server_time(now, UnixNanos::from_millis(time).unwrap());
            self.asked_candles = None;
        } else {
            let rows = Rows::parse(body).unwrap();
            self.candles.on_klines(now, &rows, &mut self.joined_candles);
            self.asked_candles = None;
        }
    }

    fn ask(&mut self) {
        let now = self.world.now();
        let fetch = |world: &mut World, query| {
            world.command(|client, now| client.fetch(now, query)).unwrap().unwrap()
        };
        if let Some(query) = self.trades.poll_query(now, &mut self.joined_trades) {
            self.asked_trades = Some(fetch(&mut self.world, query));
        }
        if let Some(query) = self.candles.poll_query(now, &mut self.joined_candles) {
            self.asked_candles = Some((fetch(&mut self.world, query), query));
        }
        let busy = "a deadline that is not later: a busy loop";
        assert!(self.trades.poll_timeout() > now && self.candles.poll_timeout() > now, "{busy}");
    }

    /// Holds the joined trades against the tape. Returns those in holes, and those that came late.
    fn check_trades(&self) -> (BTreeSet<u64>, BTreeSet<u64>) {
        let (mut last, mut hole) = (None::<u64>, false);
        let (mut missing, mut late) = (BTreeSet::new(), BTreeSet::new());
        for joined in &self.joined_trades {
            match joined {
                JoinedTrade::Trade { trade, .. } => {
                    let sequence = trade.sequence.get();
                    self.check_trade(trade);
                    let from = last.map_or(sequence, |last| last + 1);
                    assert!(from <= sequence, "{sequence} after {last:?}");
                    let between: Vec<u64> = self.tape.range(from..sequence).map(|t| *t.0).collect();
                    assert!(hole || between.is_empty(), "nobody has told of {between:?}");
                    missing.extend(between);
                    (last, hole) = (Some(sequence), false);
                }
                JoinedTrade::Hole { .. } => hole = true,
                JoinedTrade::Late { trade, .. } => {
                    self.check_trade(trade);
                    assert!(late.insert(trade.sequence.get()), "late twice");
                }
                JoinedTrade::NewRun { .. } => panic!("{joined:?}"),
                other => panic!("{other:?}"),
            }
        }
        (missing, late)
    }

    fn check_trade(&self, trade: &kucoin_futures_data::join::Trade) {
        let (ms, price, lots) = &self.tape[&trade.sequence.get()];
        assert_eq!(trade.time.map(|time| time.as_millis()), Some(*ms));
        assert_eq!((trade.price.to_string(), trade.size.get()), (price.clone(), *lots));
        assert_eq!(trade.trade_id.as_deref(), Some(trade.sequence.to_string().as_str()));
        assert!(trade.taker_order_id.is_some() && trade.maker_order_id.is_some());
    }

    /// Holds the joined candles against the tape. Returns how many were closed, and how many lie in holes.
    fn check_candles(&self) -> (u64, u64) {
        let (mut next, mut closed, mut lost) = (None::<u64>, 0, 0);
        // What was before the exchange opened is not on the tape.
        let first = self.world.exchange().unix(Instant::ZERO).as_millis() / MINUTE_MS + 1;
        for joined in &self.joined_candles {
            match joined {
                JoinedCandle::Closed(candle) => {
                    let minute = candle.start.as_millis() / MINUTE_MS;
                    assert!(next.is_none_or(|next| next == minute), "{minute} after {next:?}");
                    next = Some(minute + 1);
                    closed += 1;
                    if minute >= first {
                        let trades =
                            || self.tape.values().filter(|(ms, ..)| ms / MINUTE_MS == minute);
                        let lots: u64 = trades().map(|(.., lots)| lots).sum();
                        assert_eq!(candle.volume.unwrap().get(), lots, "{candle:?}");
                        let text = |trade: Option<&(u64, String, u64)>| trade.unwrap().1.clone();
                        let ends = [text(trades().next()), text(trades().next_back())];
                        assert_eq!([candle.open, candle.close].map(|p| p.to_string()), ends);
                    }
                }
                JoinedCandle::Empty { from, to } | JoinedCandle::Hole { from, to } => {
                    let [from, to] = [from, to].map(|at| at.as_millis() / MINUTE_MS);
                    assert!(next.is_none_or(|next| next == from) && from < to);
                    next = Some(to);
                    if matches!(joined, JoinedCandle::Hole { .. }) {
                        lost += to - from;
                    } else {
                        let traded =
                            self.tape.values().any(|t| (from..to).contains(&(t.0 / MINUTE_MS)));
                        assert!(!traded, "{joined:?}");
                    }
                }
                JoinedCandle::Growing(_) => {}
                other => panic!("{other:?}"),
            }
        }
        let over = self.world.exchange().unix(self.world.now()).as_millis() / MINUTE_MS;
        assert!(next.is_some_and(|next| next + 1 >= over), "told until {next:?} of {over}");
        (closed, lost)
    }
}

#[test]
fn interruptions_leave_no_hole_while_history_reaches_back() {
    let faults = "every 81s close 1006; every 81s refuse 8s; every 197s reset; every 60s push-repeat * 3; at 80s late-ack 2s";
    for seed in 0..4 {
        let mut desk =
            Desk::new(seed, 10.0, faults, TradeJoinConfig::default(), CandleJoinConfig::default());
        desk.run_for(Duration::from_secs(600));
        let (missing, late) = desk.check_trades();
        assert_eq!(
            (missing, late, desk.trades.counts().holes),
            (BTreeSet::new(), BTreeSet::new(), 0)
        );
        let counts = desk.trades.counts();
        assert!(counts.of_history > 120 && counts.of_stream > 200, "{counts:?}");
        let (closed, lost) = desk.check_candles();
        assert_eq!((closed, lost), (5 + 10, 0));
        // An idle deadline, but no query for each trade.
        assert!(counts.queries < 100, "{counts:?}");
    }
}

#[test]
fn more_than_history_shows_is_a_hole_and_no_more() {
    let faults = "at 100s close 1006; at 100s refuse 60s; at 300s close 1006";
    let mut desk =
        Desk::new(5, 60.0, faults, TradeJoinConfig::default(), CandleJoinConfig::default());
    desk.run_for(Duration::from_secs(420));
    let (missing, late) = desk.check_trades();
    assert!(missing.len() > 100 && late.is_empty(), "{} missing", missing.len());
    assert_eq!((desk.trades.counts().holes, desk.trades.state()), (1, TradeState::Live));
    let (closed, lost) = desk.check_candles();
    assert_eq!((closed, lost), (5 + 7, 0), "candles reach back further");
}

#[test]
fn what_the_exchange_leaves_out_is_found() {
    let mut config = TradeJoinConfig::default();
    config.check_every = Duration::from_secs(5);
    // The last push of a minute may be among what is left out.
    let mut confirmed = CandleJoinConfig::default();
    confirmed.confirm = true;
    let faults = "every 30s push-drop XBTUSDTM 2; at 98s push-drop XBTUSDTM 40";
    let mut desk = Desk::new(7, 20.0, faults, config, confirmed);
    desk.run_for(Duration::from_secs(310));
    let (_, late) = desk_with_late(&desk);
    assert!(!late.is_empty(), "the exchange has left out something");
    assert_eq!(desk.check_candles(), (5 + 5, 0));
}

/// The trades handed out, and of them those that came late: all that the exchange has traded until the last check.
fn desk_with_late(desk: &Desk) -> (BTreeSet<u64>, BTreeSet<u64>) {
    let (mut all, mut late) = (BTreeSet::new(), BTreeSet::new());
    for joined in &desk.joined_trades {
        if let JoinedTrade::Trade { trade, .. } | JoinedTrade::Late { trade, .. } = joined {
            desk.check_trade(trade);
            assert!(all.insert(trade.sequence.get()), "twice");
            if matches!(joined, JoinedTrade::Late { .. }) {
                late.insert(trade.sequence.get());
            }
        }
    }
    let first = *all.first().unwrap();
    let checked = desk.world.exchange().unix(desk.world.now()).as_millis() - 10_000;
    let lost = desk
        .tape
        .range(first..)
        .filter(|(sequence, (ms, ..))| *ms < checked && !all.contains(sequence));
    assert_eq!(lost.count(), 0);
    (all, late)
}
