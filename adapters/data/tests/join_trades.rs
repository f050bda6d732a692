//! Trades of a market that is known in full, told by a stream that breaks off and a history that lags behind.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "tests")]

use std::collections::BTreeSet;
use std::time::Duration;

use kucoin_futures_data::join::{
    HoleReason, JoinedTrade, Mark, Source, TradeJoin, TradeJoinConfig, TradeState,
};
use kucoin_futures_proto::wire::{Execution, Rows};
use kucoin_futures_proto::{Instant, Query};
use proptest::prelude::*;

const SYMBOL: &str = "XBTUSDTM";
const MS: Duration = Duration::from_millis(1);
/// As many rows as history shows.
const SHOWN: usize = 100;

/// A sequence, and a time in milliseconds.
type True = (u64, u64);

fn execution((sequence, ms): True) -> String {
    format!(
        r#"{{"symbol":"{SYMBOL}","sequence":{sequence},"side":"buy","size":2,"price":"63000.6","takerOrderId":"9001","makerOrderId":"9000","tradeId":"{sequence}","ts":{ms}000000}}"#
    )
}

fn row((sequence, ms): True) -> String {
    format!(
        r#"{{"sequence":{sequence},"contractId":1,"tradeId":"{sequence}","makerOrderId":"9000","takerOrderId":"9001","ts":{ms}000000,"size":2,"price":"63000.6","side":"buy"}}"#
    )
}

fn body(trades: &[True]) -> String {
    let rows: Vec<String> = trades.iter().rev().map(|trade| row(*trade)).collect();
    format!(r#"{{"code":"200000","data":[{}]}}"#, rows.join(","))
}

struct Market {
    now: Instant,
    /// All trades, oldest first.
    truth: Vec<True>,
    ms: u64,
    is_connected: bool,
    join: TradeJoin,
    out: Vec<JoinedTrade>,
    has_query: bool,
    /// What the stream has brought.
    pushed: BTreeSet<usize>,
    /// What answers have shown, and how much had been handed out by then: from which trade to before which.
    shown: Vec<(usize, usize, usize)>,
}

impl Market {
    /// With so many trades before anybody looks.
    fn new(past: usize, config: TradeJoinConfig) -> Self {
        let now = Instant::ZERO;
        let mut market = Self {
            now,
            truth: vec![(1_000, 1_790_000_000_000)],
            ms: 1_790_000_000_000,
            is_connected: false,
            join: TradeJoin::new(now, SYMBOL.parse().unwrap(), config),
            out: Vec::new(),
            has_query: false,
            pushed: BTreeSet::new(),
            shown: Vec::new(),
        };
        market.trade(past, 1);
        market.is_connected = true;
        market
    }

    fn trade(&mut self, count: usize, step: u64) {
        for n in 0..count {
            let (last, _) = *self.truth.last().unwrap();
            // Several of one time, neighbours or not.
            self.ms += u64::from(n % 3 == 0);
            self.truth.push((last + 1 + (n as u64 * step) % 3, self.ms));
            self.now = self.now + MS / 3;
            if self.is_connected {
                self.push(self.truth.len() - 1);
            }
        }
    }

    fn push(&mut self, at: usize) {
        self.pushed.insert(at);
        let data = execution(self.truth[at]);
        let execution = Execution::parse(data.as_bytes()).unwrap();
        self.join.on_execution(self.now, &execution, &mut self.out);
    }

    fn cut(&mut self) {
        self.is_connected = false;
    }

    fn resume(&mut self) {
        if !self.is_connected {
            self.is_connected = true;
            self.join.on_may_have_missed(self.now);
        }
    }

    /// After an interruption that hid so many trades, the exchange pushes again what it pushed before.
    fn replay(&mut self, count: usize, hidden: usize) {
        self.cut();
        let end = self.truth.len();
        self.trade(hidden, 1);
        self.resume();
        let again: Vec<usize> = self.pushed.range(end.saturating_sub(count)..).copied().collect();
        again.into_iter().for_each(|at| self.push(at));
    }

    fn set_back(&mut self, by: u64) {
        self.ms += 5_000;
        self.now = self.now + MS * 5_000;
        let (last, _) = *self.truth.last().unwrap();
        self.truth.push((last.saturating_sub(by), self.ms));
        if self.is_connected {
            self.push(self.truth.len() - 1);
        }
    }

    fn wait(&mut self, span: Duration) {
        self.now = self.now + span;
        self.ask();
    }

    fn ask(&mut self) {
        let before = self.join.poll_timeout();
        if let Some(query) = self.join.poll_query(self.now, &mut self.out) {
            assert!(before <= self.now, "asked before its time");
            assert_eq!(query, Query::Trades { symbol: SYMBOL.parse().unwrap() });
            self.has_query = true;
        }
        assert!(self.join.poll_timeout() > self.now, "a deadline that is not later: a busy loop");
    }

    /// An answer that lags behind by so many trades.
    fn answer(&mut self, lag: usize) {
        if !std::mem::take(&mut self.has_query) {
            return;
        }
        let end = self.truth.len().saturating_sub(lag);
        let begin = end.saturating_sub(SHOWN);
        let body = body(&self.truth[begin..end]);
        // Nothing is expected of one that comes when all is well, or shows nothing of what was there: it proves nothing.
        let handed = self.out.iter().filter_map(|joined| match joined {
            JoinedTrade::Trade { trade, .. } => Some(self.place(trade.mark())),
            _ => None,
        });
        let is_met = self.pushed.last().copied().max(handed.max()).is_none_or(|last| begin <= last);
        if self.join.state() != TradeState::Live && is_met {
            self.shown.push((self.out.len(), begin, end));
        }
        let rows = Rows::parse(body.as_bytes()).unwrap();
        self.join.on_history(self.now, &rows, &mut self.out);
    }

    fn fail(&mut self) {
        if std::mem::take(&mut self.has_query) {
            self.join.on_query_failed(self.now, &mut self.out);
        }
    }

    /// Everything is well from now on.
    fn heal(&mut self) {
        self.resume();
        self.trade(1, 1);
        for _ in 0..20 {
            self.answer(0);
            if self.join.state() == TradeState::Live {
                break;
            }
            self.now = self.now.max(self.join.poll_timeout());
            self.ask();
        }
        assert_eq!(self.join.state(), TradeState::Live);
        assert_eq!(self.join.pending(), 0);
    }

    fn place(&self, mark: Mark) -> usize {
        let ms = mark.time.unwrap().as_millis();
        let same = |(sequence, at): &True| *sequence == mark.sequence.get() && *at == ms;
        self.truth.iter().position(same).unwrap()
    }

    /// Whether history had shown all from one trade to another, before something was handed out.
    fn was_shown(&self, from: usize, to: usize, out: usize) -> bool {
        self.shown.iter().any(|(by, begin, end)| *by <= out && *begin <= from && to < *end)
    }

    /// Holds what was handed out against the truth.
    fn check(&self) {
        let mut last: Option<usize> = None;
        let mut hole: Option<(Option<usize>, usize)> = None;
        let mut run: Option<(usize, usize)> = None;
        let mut late = vec![false; self.truth.len()];
        let mut told = vec![false; self.truth.len()];
        for (out, joined) in self.out.iter().enumerate() {
            match joined {
                JoinedTrade::Trade { trade, .. } => {
                    let at = self.place(trade.mark());
                    assert!(last.is_none_or(|last| last < at), "{at} after {last:?}");
                    let from = last.map_or(at, |last| last + 1);
                    if let Some((after, before)) = hole.take() {
                        assert_eq!(
                            (after, before),
                            (last, at),
                            "a hole lies between its neighbours"
                        );
                    } else {
                        assert_eq!(from, at, "nobody has told that {from}..{at} are missing");
                    }
                    let turns = |at: &usize| self.truth[*at].0 <= self.truth[*at - 1].0;
                    let turned = last.is_some_and(|last| (last + 1..=at).any(|at| turns(&at)));
                    // Behind a hole it may have come to higher sequences again.
                    let shows = turned && last.is_some_and(|l| self.truth[at].0 <= self.truth[l].0);
                    assert_eq!(run.take().is_some(), shows, "a turn of the counter at {at}");
                    (told[at], last) = (true, Some(at));
                }
                JoinedTrade::Late { trade, .. } => {
                    let at = self.place(trade.mark());
                    assert!(!std::mem::replace(&mut late[at], true), "late twice");
                    assert!(!told[at], "late, and was told");
                }
                JoinedTrade::Hole { after, before, .. } => {
                    let (after, before) = (after.map(|mark| self.place(mark)), self.place(*before));
                    assert!(hole.replace((after, before)).is_none(), "two holes in a row");
                    let is_closed = after.is_some_and(|after| self.was_shown(after, before, out));
                    assert!(!is_closed, "history had shown what is called a hole: {joined:?}");
                }
                JoinedTrade::NewRun { after, before } => {
                    run = Some((self.place(*after), self.place(*before)));
                }
                other => panic!("{other:?}"),
            }
        }
        assert_eq!(last, Some(self.truth.len() - 1), "the last trade");
    }
}

#[derive(Clone, Debug)]
enum Step {
    Trade(usize, u64),
    Cut,
    Resume,
    Replay(usize, usize),
    SetBack(u64),
    Wait(u64),
    Answer(usize),
    Fail,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        6 => (1_usize..40, 0_u64..3).prop_map(|(count, step)| Step::Trade(count, step)),
        1 => (100_usize..250, 0_u64..3).prop_map(|(count, step)| Step::Trade(count, step)),
        2 => Just(Step::Cut),
        3 => Just(Step::Resume),
        2 => (1_usize..30, 0_usize..5).prop_map(|(count, hidden)| Step::Replay(count, hidden)),
        1 => (1_u64..400).prop_map(Step::SetBack),
        6 => (1_u64..4_000).prop_map(Step::Wait),
        1 => (60_000_u64..400_000).prop_map(Step::Wait),
        5 => Just(Step::Answer(0)),
        3 => (1_usize..150).prop_map(Step::Answer),
        2 => Just(Step::Fail),
    ]
}

fn small(most_pending: usize) -> TradeJoinConfig {
    let mut config = TradeJoinConfig::default();
    (config.most_pending, config.tries) = (most_pending, 3);
    config
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_500, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn each_trade_once_in_order_or_a_hole(
        past in 0_usize..150,
        most_pending in 30_usize..400,
        steps in prop::collection::vec(step(), 1..60),
    ) {
        let mut market = Market::new(past, small(most_pending));
        for step in steps {
            match step {
                Step::Trade(count, step) => market.trade(count, step),
                Step::Cut => market.cut(),
                Step::Resume => market.resume(),
                Step::Replay(count, hidden) => market.replay(count, hidden),
                Step::SetBack(by) => market.set_back(by),
                Step::Wait(ms) => market.wait(MS * ms as u32),
                Step::Answer(lag) => market.answer(lag),
                Step::Fail => market.fail(),
            }
            prop_assert!(market.join.pending() <= most_pending + 1);
        }
        market.heal();
        market.check();
    }
}

fn holes(market: &Market) -> Vec<HoleReason> {
    let reason = |joined: &JoinedTrade| match joined {
        JoinedTrade::Hole { reason, .. } => Some(*reason),
        _ => None,
    };
    market.out.iter().filter_map(reason).collect()
}

#[test]
fn begins_with_history_and_goes_on_with_the_stream() {
    let mut market = Market::new(150, TradeJoinConfig::default());
    market.trade(3, 1);
    market.wait(MS * 300);
    market.answer(0);
    market.trade(5, 1);
    assert_eq!(market.join.state(), TradeState::Live);
    assert_eq!(market.out.len(), SHOWN + 5);
    let of = |source: Source| {
        let is = |joined: &&JoinedTrade| matches!(joined, JoinedTrade::Trade { source: s, .. } if *s == source);
        market.out.iter().filter(is).count()
    };
    assert_eq!((of(Source::History), of(Source::Stream)), (SHOWN - 3, 8));
    market.check();
}

#[test]
fn a_still_market_is_joined_with_its_first_trade() {
    let mut market = Market::new(50, TradeJoinConfig::default());
    market.wait(MS * 1_000);
    market.answer(0);
    assert_eq!((market.join.state(), market.out.len()), (TradeState::Quiet, 51));
    // Between it and what history showed could be others.
    market.trade(1, 1);
    assert_eq!((market.join.state(), market.out.len()), (TradeState::Waiting, 51));
    market.wait(MS * 1_000);
    market.answer(0);
    assert_eq!((market.join.state(), market.out.len()), (TradeState::Live, 52));
    market.check();
}

#[test]
fn what_an_interruption_hid_is_brought_by_history() {
    let mut market = Market::new(50, TradeJoinConfig::default());
    market.heal();
    market.cut();
    market.trade(60, 1);
    market.resume();
    market.trade(4, 1);
    market.wait(MS * 300);
    // A cached answer ends before the stream begins: it is asked again.
    market.answer(10);
    assert_eq!(market.join.state(), TradeState::Waiting);
    market.wait(MS * 2_000);
    market.answer(0);
    assert_eq!((market.join.state(), holes(&market)), (TradeState::Live, vec![]));
    market.check();
}

#[test]
fn a_hole_is_told_with_its_reason() {
    let mut market = Market::new(50, small(200));
    market.heal();
    // More than history shows.
    market.cut();
    market.trade(150, 1);
    market.heal();
    assert_eq!(holes(&market), [HoleReason::OutOfReach]);
    // No history.
    market.cut();
    market.trade(1, 1);
    market.resume();
    market.trade(1, 1);
    for _ in 0..3 {
        market.wait(MS * 2_000);
        market.fail();
    }
    assert_eq!(market.join.state(), TradeState::Live);
    assert_eq!(holes(&market)[1..], [HoleReason::NoHistory]);
    // No room.
    market.cut();
    market.trade(1, 1);
    market.resume();
    market.trade(201, 1);
    assert_eq!(market.join.state(), TradeState::Live);
    assert_eq!(holes(&market)[2..], [HoleReason::Overflow]);
    market.check();
}

#[test]
fn what_a_living_stream_leaves_out_is_found_by_a_check() {
    let mut market = Market::new(50, TradeJoinConfig::default());
    market.heal();
    market.trade(5, 1);
    // Nobody says that it was interrupted.
    market.is_connected = false;
    market.trade(2, 1);
    market.is_connected = true;
    market.trade(5, 1);
    let before = market.out.len();
    market.wait(Duration::from_secs(300));
    assert_eq!(market.join.state(), TradeState::Checking);
    market.trade(1, 1);
    market.answer(0);
    assert_eq!(market.join.state(), TradeState::Live);
    let late = market.out[before..].iter().filter(|j| matches!(j, JoinedTrade::Late { .. }));
    assert_eq!((late.count(), market.join.counts().late), (2, 2));
    // The same once more is nothing new.
    let before = market.out.len();
    market.wait(Duration::from_secs(300));
    market.answer(0);
    assert_eq!(market.out.len(), before);
}

#[test]
fn what_is_pushed_again_proves_nothing() {
    let mut market = Market::new(50, TradeJoinConfig::default());
    market.heal();
    market.trade(5, 1);
    market.replay(3, 2);
    assert_eq!(market.join.state(), TradeState::Waiting);
    market.wait(MS * 1_000);
    market.answer(2);
    market.push(market.truth.len() - 3);
    assert_eq!(market.join.state(), TradeState::Quiet);
    market.heal();
    assert_eq!(holes(&market), []);
    market.check();
}

#[test]
fn an_answer_of_before_the_interruption_does_not_spare_the_question() {
    let mut market = Market::new(50, TradeJoinConfig::default());
    market.heal();
    market.wait(Duration::from_secs(60));
    assert_eq!(market.join.state(), TradeState::Checking);
    market.cut();
    market.trade(3, 1);
    market.resume();
    market.answer(3);
    assert_eq!(market.join.state(), TradeState::Waiting);
    let before = market.out.len();
    market.wait(MS * 1_000);
    market.answer(0);
    assert_eq!((market.join.state(), market.out.len()), (TradeState::Quiet, before + 3));
}

#[test]
fn a_stream_that_falls_silent_is_found() {
    let mut market = Market::new(50, TradeJoinConfig::default());
    market.heal();
    market.is_connected = false;
    market.trade(7, 1);
    market.wait(Duration::from_secs(60));
    let before = market.out.len();
    market.answer(0);
    assert_eq!((market.join.state(), market.out.len()), (TradeState::Quiet, before + 7));
    market.is_connected = true;
    market.heal();
    market.check();
}

#[test]
fn a_trade_of_another_line_comes_late() {
    let mut market = Market::new(50, TradeJoinConfig::default());
    market.heal();
    market.is_connected = false;
    market.trade(3, 1);
    let end = market.truth.len();
    for at in [end - 3, end - 1, end - 2, end - 2] {
        market.push(at);
    }
    assert!(matches!(market.out.last(), Some(JoinedTrade::Late { source: Source::Stream, .. })));
    assert_eq!(market.join.counts().repeats, 1);
}

#[test]
fn a_time_that_is_wrong_loses_nothing() {
    for is_live in [true, false] {
        let mut market = Market::new(50, TradeJoinConfig::default());
        market.heal();
        market.trade(3, 1);
        if !is_live {
            market.cut();
            market.resume();
            market.trade(1, 1);
        }
        let before = market.truth.len();
        // A day ahead, and then as before.
        let ms = market.ms;
        market.ms += 86_400_000;
        market.trade(1, 1);
        market.ms = ms;
        market.trade(5, 1);
        market.heal();
        let told = |at: &True| {
            let is = |joined: &JoinedTrade| matches!(joined, JoinedTrade::Trade { trade, .. } if trade.sequence.get() == at.0);
            market.out.iter().filter(|joined| is(joined)).count()
        };
        assert!(market.truth[before..].iter().all(|trade| told(trade) == 1));
        let turns = market.out.iter().filter(|joined| matches!(joined, JoinedTrade::NewRun { .. }));
        assert_eq!(turns.count(), 0);
    }
}

#[test]
fn an_answer_that_cannot_be_read_proves_nothing() {
    let mut market = Market::new(50, TradeJoinConfig::default());
    market.trade(1, 1);
    let sound = body(&market.truth);
    let spoiled = [
        sound.replacen(r#""size":2"#, r#""size":"many""#, 1),
        // The oldest first.
        body(&market.truth.iter().rev().copied().collect::<Vec<_>>()),
    ];
    for (n, text) in spoiled.iter().enumerate() {
        market.wait(MS * 2_000);
        market.join.on_history(market.now, &Rows::parse(text.as_bytes()).unwrap(), &mut market.out);
        assert_eq!(market.join.counts().failures, n as u64 + 1);
        assert!(market.out.is_empty());
    }
    market.heal();
    market.check();
}
