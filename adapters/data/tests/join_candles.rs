//! Candles of a market that is known in full, told by a stream that breaks off and a history that lags behind.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "tests")]

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use kucoin_futures_data::join::{
    Candle, CandleJoin, CandleJoinConfig, CandleState, JoinedCandle, NoGrid, Source,
};
use kucoin_futures_proto::wire::{CandleUpdate, Rows};
use kucoin_futures_proto::{Granularity, Instant, Interval, Query, TimeRange, UnixNanos};
use proptest::prelude::*;

const SYMBOL: &str = "XBTUSDTM";
const MS: Duration = Duration::from_millis(1);
const MINUTE: u64 = 60_000;
/// A full minute, in milliseconds.
const START: u64 = 1_790_000_040_000;
const SHOWN: usize = 200;

fn config() -> CandleJoinConfig {
    CandleJoinConfig::default()
}

/// Lots traded; the last price is their number, too.
type Bars = BTreeMap<u64, u64>;

struct Market {
    /// Of the exchange, in milliseconds since it opened.
    ms: u64,
    bars: Bars,
    /// What history shows: the bars of so long ago.
    past: Vec<(u64, Bars)>,
    is_connected: bool,
    is_unpushed: bool,
    join: CandleJoin,
    out: Vec<JoinedCandle>,
    query: Option<Query>,
    until: Instant,
    queries: Vec<Query>,
    /// A minute without trades has a row of history, or not.
    flat: bool,
    /// Intervals that history had a candle of, or was past.
    answered: BTreeSet<u64>,
}

impl Market {
    fn new(config: CandleJoinConfig) -> Self {
        let join = CandleJoin::new(Instant::ZERO, SYMBOL.parse().unwrap(), Interval::Min1, config);
        Self {
            ms: 0,
            bars: Bars::new(),
            past: Vec::new(),
            is_connected: true,
            is_unpushed: false,
            join: join.unwrap(),
            out: Vec::new(),
            query: None,
            until: Instant::ZERO,
            queries: Vec::new(),
            flat: false,
            answered: BTreeSet::new(),
        }
    }

    fn now(&self) -> Instant {
        Instant::ZERO + MS * self.ms as u32
    }

    fn start(&self) -> u64 {
        START + self.ms / MINUTE * MINUTE
    }

    fn trade(&mut self, lots: u64) {
        *self.bars.entry(self.start()).or_default() += lots;
        self.is_unpushed = true;
    }

    /// A second passes.
    fn second(&mut self) {
        // Pushed once a second, just before the next one begins.
        if std::mem::take(&mut self.is_unpushed) && self.is_connected {
            self.push(*self.bars.last_key_value().unwrap().0);
        }
        self.past.push((self.ms, self.bars.clone()));
        self.ms += 1_000;
        self.ask();
    }

    fn push(&mut self, start: u64) {
        let (lots, seconds) = (self.bars[&start], start / 1_000);
        let time = START + self.ms + 999;
        let data = format!(
            r#"{{"symbol":"{SYMBOL}","candles":["{seconds}","1","{lots}","{lots}","1","{lots}.5","{lots}"],"time":{time}}}"#
        );
        let update = CandleUpdate::parse(data.as_bytes()).unwrap();
        // It arrives a little later.
        self.join.on_candle(self.now() + MS * 999, &update, &mut self.out);
    }

    fn ask(&mut self) {
        let before = self.join.poll_timeout();
        // What was not answered in time is not answered any more.
        self.query = self.query.filter(|_| self.now() < self.until);
        if let Some(query) = self.join.poll_query(self.now(), &mut self.out) {
            assert!(before <= self.now(), "asked before its time: {before:?} {query:?}");
            self.query = Some(query);
            self.until = self.now() + config().answer_within;
            self.queries.push(query);
        }
        assert!(self.join.poll_timeout() > self.now(), "a deadline that is not later: a busy loop");
    }

    /// What history shows is so many seconds old.
    fn answer(&mut self, lag: usize) {
        match self.query.take() {
            Some(Query::ServerTime) => {
                let time = UnixNanos::from_millis(START + self.ms).unwrap();
                self.join.on_server_time(self.now(), time);
            }
            Some(Query::Klines { symbol, granularity, range }) => {
                assert_eq!((symbol.as_str(), granularity), (SYMBOL, Granularity::Min1));
                let body = self.klines(range, lag);
                let rows = Rows::parse(body.as_bytes()).unwrap();
                self.join.on_klines(self.now(), &rows, &mut self.out);
            }
            other => assert_eq!(other, None),
        }
    }

    fn klines(&mut self, range: TimeRange, lag: usize) -> String {
        let [from, to] = [range.from, range.to].map(|at| at.unwrap().as_millis());
        let none = (0, Bars::new());
        let (until, bars) = self.past.iter().rev().nth(lag).unwrap_or(&none);
        let last = START + until / MINUTE * MINUTE;
        let minutes = (from..=to.min(last)).step_by(MINUTE as usize);
        let bar =
            |start| Some((start, bars.get(&start).copied().or_else(|| self.flat.then_some(0))?));
        let shown: Vec<(u64, u64)> = minutes.filter_map(bar).take(SHOWN).collect();
        let rows: Vec<String> = shown
            .iter()
            .map(|(start, lots)| format!("[{start},1,{lots},1,{lots},{lots},{lots}.5]"))
            .collect();
        if let Some((newest, _)) = shown.last() {
            self.answered.extend((from..=*newest).step_by(MINUTE as usize).filter(|at| *at < to));
        }
        format!(r#"{{"code":"200000","data":[{}]}}"#, rows.join(","))
    }

    fn fail(&mut self) {
        if self.query.take().is_some() {
            self.join.on_query_failed(self.now(), &mut self.out);
        }
    }

    fn cut(&mut self) {
        self.is_connected = false;
        self.join.on_down();
    }

    fn resume(&mut self) {
        self.is_connected = true;
        self.join.on_may_have_missed(self.now());
    }

    fn run(&mut self, seconds: u64, mut each: impl FnMut(&mut Self)) {
        for _ in 0..seconds {
            each(self);
            self.second();
        }
    }

    /// Everything is well until all that is over is told.
    fn heal(&mut self) {
        self.resume();
        for second in 0.. {
            if second > 150 && self.join.state() == CandleState::Following {
                break;
            }
            assert!(second < 180, "{:?}", self.join);
            self.run(1, |market| {
                market.trade(1);
                market.answer(0);
            });
        }
    }

    /// Holds what was handed out against the truth. Returns the starts of closed ones.
    fn check(&self) -> Vec<u64> {
        let mut next: Option<u64> = None;
        let mut closed = Vec::new();
        for joined in &self.out {
            match joined {
                JoinedCandle::Closed(candle) => {
                    let start = candle.start.as_millis();
                    assert!(next.is_none_or(|next| next == start), "{start} after {next:?}");
                    let lots = candle.volume.unwrap().get();
                    assert_eq!(self.bars.get(&start).copied().unwrap_or(0), lots, "at {start}");
                    let all = [candle.close, candle.high].map(|price| price.to_string());
                    assert_eq!(all, [lots.to_string(), lots.to_string()]);
                    assert_eq!(candle.turnover.unwrap().to_string(), format!("{lots}.5"));
                    next = Some(start + MINUTE);
                    closed.push(start);
                }
                JoinedCandle::Empty { from, to } => {
                    let (from, to) = (from.as_millis(), to.as_millis());
                    assert!(from < to && next.is_none_or(|next| next == from));
                    assert_eq!(self.bars.range(from..to).count(), 0, "it has traded: {joined:?}");
                    next = Some(to);
                }
                JoinedCandle::Hole { from, to } => {
                    let (from, to) = (from.as_millis(), to.as_millis());
                    assert!(from < to && next.is_none_or(|next| next == from));
                    let shown = self.answered.range(from..to).next();
                    assert_eq!(shown, None, "history had shown it: {joined:?}");
                    next = Some(to);
                }
                JoinedCandle::Growing(candle) => {
                    let start = candle.start.as_millis();
                    assert!(next.is_none_or(|next| next <= start), "it was closed");
                    assert!(candle.volume.unwrap().get() <= self.bars[&start]);
                }
                other => panic!("{other:?}"),
            }
        }
        // All that is over, but for what is too fresh.
        let over = START + (self.ms - 5_000) / MINUTE * MINUTE;
        assert!(next.is_some_and(|next| next >= over), "told until {next:?}, over are {over}");
        closed
    }

    fn holes(&self) -> Vec<(u64, u64)> {
        let minute = |at: &UnixNanos| (at.as_millis() - START) / MINUTE;
        let hole = |joined: &JoinedCandle| match joined {
            JoinedCandle::Hole { from, to } => Some((minute(from), minute(to))),
            _ => None,
        };
        self.out.iter().filter_map(hole).collect()
    }
}

#[derive(Clone, Debug)]
enum Step {
    Trade(u64),
    Still(u64),
    Busy(u64),
    Cut,
    Resume,
    Answer(usize),
    Fail,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => (1_u64..9).prop_map(Step::Trade),
        5 => (1_u64..100).prop_map(Step::Still),
        1 => (100_u64..1_000).prop_map(Step::Still),
        4 => (1_u64..100).prop_map(Step::Busy),
        2 => Just(Step::Cut),
        3 => Just(Step::Resume),
        6 => Just(Step::Answer(0)),
        3 => (1_usize..6).prop_map(Step::Answer),
        2 => Just(Step::Fail),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 600, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn each_interval_once_in_order(
        history in 0_u32..5,
        flat in any::<bool>(),
        confirm in any::<bool>(),
        steps in prop::collection::vec(step(), 1..80),
    ) {
        let mut config = config();
        (config.history, config.confirm, config.tries) = (history, confirm, 3);
        let mut market = Market::new(config);
        market.flat = flat;
        for step in steps {
            match step {
                Step::Trade(lots) => market.trade(lots),
                Step::Still(seconds) => market.run(seconds, |_| {}),
                Step::Busy(seconds) => market.run(seconds, |market| market.trade(2)),
                Step::Cut => market.cut(),
                Step::Resume => market.resume(),
                // History is not further behind than what is waited for.
                Step::Answer(lag) => market.answer(lag),
                Step::Fail => market.fail(),
            }
        }
        market.heal();
        let closed = market.check();
        prop_assert!(!closed.is_empty());
    }
}

#[test]
fn a_living_stream_closes_candles_by_itself() {
    let mut market = Market::new(config());
    market.join.on_may_have_missed(market.now());
    market.run(200, |market| market.trade(1));
    // Nothing was answered, not even what time it is.
    let all: Vec<&Candle> = market
        .out
        .iter()
        .filter_map(|joined| match joined {
            JoinedCandle::Closed(candle) => Some(candle),
            _ => None,
        })
        .collect();
    assert_eq!(all.len(), 3);
    assert!(all.iter().all(|candle| candle.source == Source::Stream));
    assert!(market.queries.iter().all(|query| *query == Query::ServerTime), "{:?}", market.queries);
    market.check();
}

#[test]
fn a_still_market_is_closed_by_history() {
    let mut market = Market::new(config());
    market.run(30, |market| {
        market.trade(1);
        market.answer(0);
    });
    market.run(40, |market| market.answer(0));
    let closed = market.out.iter().filter(|joined| matches!(joined, JoinedCandle::Closed(_)));
    assert_eq!((closed.count(), market.holes()), (1, vec![]));
    // Nothing is traded for three minutes; the stream would have said.
    market.run(180, |market| market.answer(0));
    let empty = market.out.iter().filter(|joined| matches!(joined, JoinedCandle::Empty { .. }));
    assert_eq!((empty.count(), market.holes()), (3, vec![]));
    market.check();
}

#[test]
fn an_interruption_leaves_a_candle_to_history() {
    for trades_after in [false, true] {
        let mut market = Market::new(config());
        market.join.on_may_have_missed(market.now());
        market.run(30, |market| market.trade(1));
        market.cut();
        market.run(20, |market| market.trade(5));
        market.resume();
        if trades_after {
            // What is pushed now is the whole candle.
            market.run(10, |market| market.trade(1));
        } else {
            market.run(10, |_| {});
        }
        market.run(2, |market| market.trade(1));
        let closed = market.out.iter().filter(|joined| matches!(joined, JoinedCandle::Closed(_)));
        assert_eq!(closed.count(), usize::from(trades_after));
        market.run(70, |market| {
            market.trade(1);
            market.answer(0);
        });
        assert_eq!((market.check().len(), market.holes()), (2, vec![]));
    }
}

#[test]
fn silence_of_a_stream_that_is_down_is_no_still_market() {
    let mut market = Market::new(config());
    market.run(30, |market| {
        market.trade(1);
        market.answer(0);
    });
    market.cut();
    market.run(40, |market| {
        market.trade(1);
        market.answer(0);
    });
    assert_eq!(market.out.iter().filter(|j| matches!(j, JoinedCandle::Closed(_))).count(), 1);
    // Minute 1 is over, and history knows nothing of it yet.
    market.run(60, |market| {
        market.trade(1);
        market.answer(1_000);
    });
    let gaps = |joined: &&JoinedCandle| {
        matches!(joined, JoinedCandle::Empty { .. } | JoinedCandle::Hole { .. })
    };
    assert_eq!(
        (market.join.state(), market.out.iter().filter(gaps).count()),
        (CandleState::Filling, 0)
    );
    market.run(10, |market| {
        market.trade(1);
        market.answer(0);
    });
    assert_eq!((market.check().len(), market.holes()), (2, vec![]));
}

#[test]
fn history_behind_an_interrupted_candle_is_asked_again() {
    let mut market = Market::new(config());
    market.run(30, |market| {
        market.trade(1);
        market.answer(0);
    });
    market.cut();
    market.resume();
    market.run(38, |market| market.answer(1_000));
    assert_eq!((market.join.state(), market.holes()), (CandleState::Filling, vec![]));
    market.run(20, |market| market.answer(0));
    assert_eq!((market.check().len(), market.holes()), (1, vec![]));
}

#[test]
fn confirmed_candles_are_of_history() {
    let mut confirmed = config();
    confirmed.confirm = true;
    let mut market = Market::new(confirmed);
    market.join.on_may_have_missed(market.now());
    market.run(66, |market| market.trade(1));
    let closed = |market: &Market| {
        let closed = market.out.iter().filter_map(|joined| match joined {
            JoinedCandle::Closed(candle) => Some(candle.source),
            _ => None,
        });
        closed.collect::<Vec<_>>()
    };
    assert_eq!(closed(&market), []);
    market.run(10, |market| {
        market.trade(1);
        market.answer(0);
    });
    assert_eq!(closed(&market), [Source::History]);
}

#[test]
fn history_counts_before_the_stream() {
    let mut patient = config();
    patient.tries = 100;
    let mut market = Market::new(patient);
    market.run(30, |market| {
        market.trade(1);
        market.answer(0);
    });
    market.cut();
    market.run(35, |market| market.trade(1));
    market.resume();
    market.run(50, |market| market.trade(1));
    // The exchange leaves out the last push of minute 1, and nobody says so.
    market.is_connected = false;
    market.run(5, |market| market.trade(1));
    market.is_connected = true;
    market.run(10, |market| market.trade(1));
    // What was asked before minute 1 was over is not answered.
    market.fail();
    market.run(10, |market| {
        market.trade(1);
        market.answer(0);
    });
    assert_eq!((market.check().len(), market.holes()), (2, vec![]));
}

#[test]
fn a_candle_of_the_future_does_not_move_the_clock() {
    let mut market = Market::new(config());
    market.run(30, |market| {
        market.trade(1);
        market.answer(0);
    });
    let far = market.start() + 500 * MINUTE;
    market.bars.insert(far, 1);
    market.push(far);
    market.bars.remove(&far);
    market.run(150, |market| {
        market.trade(1);
        market.answer(0);
    });
    assert_eq!((market.check().len(), market.holes()), (2, vec![]));
}

#[test]
fn no_more_candles_wait_than_may() {
    let mut small = config();
    (small.most_waiting, small.tries) = (2, 1_000);
    let mut market = Market::new(small);
    market.run(30, |market| market.trade(1));
    market.cut();
    market.resume();
    market.run(5 * 60, |market| {
        if market.ms >= MINUTE {
            market.trade(1);
        }
        market.fail();
    });
    assert_eq!(market.holes(), [(0, 1)]);
    assert_eq!(market.check().len(), 4);
}

#[test]
fn what_neither_side_has_is_a_hole() {
    let mut market = Market::new(config());
    market.run(30, |market| {
        market.trade(1);
        market.answer(0);
    });
    market.cut();
    market.run(150, |market| {
        market.trade(1);
        market.fail();
    });
    assert!(!market.holes().is_empty());
    market.resume();
    market.run(120, |market| {
        market.trade(1);
        market.answer(0);
    });
    let closed = market.check();
    let lost: u64 = market.holes().iter().map(|(from, to)| to - from).sum();
    assert!((1..=3).contains(&lost), "{:?}", market.holes());
    assert_eq!(closed.len() as u64 + lost, 4);
}

#[test]
fn a_long_outage_is_closed_page_by_page() {
    let mut market = Market::new(config());
    market.run(30, |market| {
        market.trade(1);
        market.answer(0);
    });
    market.cut();
    market.query = None;
    for minute in 0..1_000 {
        if minute % 7 != 3 {
            market.trade(1);
        }
        market.ms += MINUTE;
    }
    market.past.push((market.ms, market.bars.clone()));
    market.resume();
    market.run(60, |market| {
        market.trade(1);
        market.answer(0);
    });
    assert_eq!(market.holes(), []);
    assert_eq!(market.check().len(), 1_000 - 143 + 1);
    let pages = market.queries.iter().filter(|query| matches!(query, Query::Klines { .. }));
    assert!(pages.count() <= 8, "{:?}", market.queries);
}

#[test]
fn history_comes_first_if_it_is_wanted() {
    let mut config = config();
    config.history = 3;
    let mut market = Market::new(config);
    for _ in 0..5 {
        market.trade(1);
        market.ms += MINUTE;
    }
    market.past.push((market.ms, market.bars.clone()));
    market.run(80, |market| {
        market.trade(1);
        market.answer(0);
    });
    let first: Vec<u64> = market.check().iter().map(|start| (start - START) / MINUTE).collect();
    assert_eq!(first, [2, 3, 4, 5]);
}

#[test]
fn candles_that_begin_elsewhere() {
    let (symbol, config) = (SYMBOL.parse().unwrap(), config());
    let month = CandleJoin::new(Instant::ZERO, symbol, Interval::Month1, config);
    assert!(matches!(month, Err(NoGrid { .. })));

    // Days that begin at 16:00.
    let mut join = CandleJoin::new(Instant::ZERO, symbol, Interval::Day1, config).unwrap();
    let mut out = Vec::new();
    let push = |start: u64| {
        let data = format!(
            r#"{{"symbol":"{SYMBOL}","candles":["{start}","1","2","2","1","9.5","9"],"time":{}000}}"#,
            start + 5
        );
        CandleUpdate::parse(data.as_bytes()).unwrap()
    };
    let day = 20_717 * 86_400 + 16 * 3_600;
    join.on_candle(Instant::ZERO, &push(day), &mut out);
    let later = Instant::ZERO + Duration::from_secs(86_400);
    join.on_candle(later, &push(day + 86_400), &mut out);
    let closed = |out: &[JoinedCandle]| {
        out.iter().filter(|joined| matches!(joined, JoinedCandle::Closed(_))).count()
    };
    assert_eq!((out.len(), closed(&out)), (3, 1));
    // From now on that is when they begin.
    join.on_candle(later + MS, &push(day + 86_400 + 30), &mut out);
    assert_eq!(out.len(), 3);
}
