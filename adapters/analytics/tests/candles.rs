//! Candles of any trades, with gaps anywhere, against a model that looks at all trades at once.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "tests")]

use std::time::Duration;

use kucoin_futures_analytics::candle::{Candle, CandleBuilder, CandleEvent, Grid, Seed, SeedError};
use kucoin_futures_analytics::{Tick, Valuation};
use kucoin_futures_proto::wire::TakerSide;
use kucoin_futures_proto::{Decimal, Interval, Lots, Price, Sequence, UnixNanos};
use proptest::prelude::*;

const S: u64 = 1_000_000_000;

#[derive(Clone, Copy, Debug)]
enum Step {
    Trade(Tick),
    Gap,
    Time(UnixNanos),
}

fn tick(sequence: u64, at: u64, price: u64, size: u64) -> Tick {
    Tick {
        time: Some(UnixNanos::from_nanos(at)),
        sequence: Sequence::new(sequence),
        taker_side: if size.is_multiple_of(3) { TakerSide::Sell } else { TakerSide::Buy },
        price: Price::from_scaled((price * 100_000_000_000) as i64).unwrap(),
        size: Lots::new(size),
    }
}

fn linear() -> Valuation {
    Valuation::linear("0.001".parse().unwrap()).unwrap()
}

/// Trades in order, gaps and words about time between them.
fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = (0..40_u8, 0..9 * S, 1..9_u64, 600_000..600_100_u64, 0..50_u64);
    proptest::collection::vec(step, 1..120).prop_map(|steps| {
        let (mut at, mut sequence) = (1_790_000_000 * S, 100);
        steps
            .into_iter()
            .map(|(kind, passed, ahead, price, size)| {
                at += passed;
                sequence += ahead;
                match kind {
                    0 => Step::Gap,
                    1 => Step::Time(UnixNanos::from_nanos(at)),
                    _ => Step::Trade(tick(sequence, at, price, size)),
                }
            })
            .collect()
    })
}

fn run(builder: &mut CandleBuilder, steps: &[Step]) -> Vec<CandleEvent> {
    let mut events = Vec::new();
    for step in steps {
        match step {
            Step::Trade(tick) => builder.push(tick, &mut events),
            Step::Gap => builder.on_gap(),
            Step::Time(at) => builder.on_time(*at, &mut events),
        }
    }
    events
}

/// The candle of an interval from nothing but the list of all steps.
fn model(steps: &[Step], length: u64, start: u64) -> Option<Candle> {
    let trades: Vec<(usize, Tick)> = steps
        .iter()
        .enumerate()
        .filter_map(
            |(at, step)| if let Step::Trade(tick) = step { Some((at, *tick)) } else { None },
        )
        .collect();
    let time = |tick: &Tick| tick.time.unwrap().as_nanos();
    let inside: Vec<&(usize, Tick)> =
        trades.iter().filter(|(_, tick)| time(tick) / length * length == start).collect();
    let (first, last) = (inside.first()?, inside.last()?);
    let prices = || inside.iter().map(|(_, tick)| tick.price);
    let lots = |side: Option<TakerSide>| -> u128 {
        let of = inside.iter().filter(|(_, tick)| side.is_none_or(|side| tick.taker_side == side));
        of.map(|(_, tick)| u128::from(tick.size.get())).sum()
    };
    let value: i128 = inside
        .iter()
        .map(|(_, tick)| i128::from(tick.price.scaled()) * i128::from(tick.size.get()))
        .sum();
    // Whole: an earlier trade, more than 10 ms before the begin, and no gap from that one to the last one inside.
    let before = trades.iter().rfind(|(_, tick)| time(tick) + 10_000_000 < start);
    let is_whole = before
        .is_some_and(|(at, _)| !steps[*at..last.0].iter().any(|step| matches!(step, Step::Gap)));
    // And no gap after the last one, while it still ran.
    let ran_until = steps[last.0 + 1..].iter().take_while(|step| match step {
        Step::Trade(tick) => time(tick) < start + length,
        Step::Time(at) => at.as_nanos() < start + length,
        Step::Gap => true,
    });
    let is_whole = is_whole && !ran_until.into_iter().any(|step| matches!(step, Step::Gap));
    let mut candle = expected(start, length, inside[0].1);
    candle.0.open = first.1.price;
    candle.0.close = last.1.price;
    candle.0.high = prices().max()?;
    candle.0.low = prices().min()?;
    candle.0.lots = lots(None);
    candle.0.taker_buy_lots = Some(lots(Some(TakerSide::Buy)));
    candle.0.trades = Some(inside.len() as u64);
    candle.0.turnover = Decimal::new(value, -15);
    candle.0.first_sequence = Some(first.1.sequence);
    candle.0.last_sequence = Some(last.1.sequence);
    candle.0.is_whole = is_whole;
    Some(candle.0)
}

/// A candle to be filled in: it cannot be made from outside.
struct Blank(Candle);

fn expected(start: u64, length: u64, any: Tick) -> Blank {
    let grid = Grid::every(Duration::from_nanos(length)).unwrap();
    let mut builder = CandleBuilder::new(grid, linear());
    let mut events = Vec::new();
    let at = UnixNanos::from_nanos(start);
    builder.push(&Tick { time: Some(at), ..any }, &mut events);
    builder.on_time(UnixNanos::from_nanos(start + length), &mut events);
    let Some(CandleEvent::Closed(candle)) = events.first().copied() else { panic!("{events:?}") };
    assert_eq!((candle.start.as_nanos(), candle.end.as_nanos()), (start, start + length));
    Blank(candle)
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(400) })]

    #[test]
    fn candles_are_what_all_trades_of_their_time_add_up_to(
        steps in steps(),
        length in prop_oneof![Just(S), Just(7 * S), Just(60 * S), Just(1_234_567_891)],
    ) {
        let grid = Grid::every(Duration::from_nanos(length)).unwrap();
        let events = run(&mut CandleBuilder::new(grid, linear()), &steps);
        let mut told = None;
        for event in &events {
            let (from, to) = match event {
                CandleEvent::Closed(candle) => {
                    let start = candle.start.as_nanos();
                    prop_assert_eq!(Some(*candle), model(&steps, length, start));
                    (candle.start, candle.end)
                }
                CandleEvent::Empty { from, to } | CandleEvent::Unknown { from, to } => {
                    for start in (from.as_nanos()..to.as_nanos()).step_by(length as usize) {
                        prop_assert_eq!(model(&steps, length, start), None);
                    }
                    (*from, *to)
                }
                other => panic!("{other:?}"),
            };
            prop_assert!(told.is_none_or(|told| told == from) && from < to, "{:?}", event);
            told = Some(to);
        }
    }

    #[test]
    fn filled_candles_are_those_that_are_known_to_be_empty(steps in steps()) {
        let grid = Grid::every(Duration::from_secs(2)).unwrap();
        let plain = run(&mut CandleBuilder::new(grid, linear()), &steps);
        let filled = run(&mut CandleBuilder::new(grid, linear()).filling_empty(), &steps);
        let mut close = None;
        let mut expected = Vec::new();
        for event in plain {
            match event {
                CandleEvent::Empty { from, to } => {
                    for start in (from.as_nanos()..to.as_nanos()).step_by(2 * S as usize) {
                        expected.push((start, close.unwrap(), 0));
                    }
                }
                CandleEvent::Closed(candle) => {
                    close = Some(candle.close);
                    expected.push((candle.start.as_nanos(), candle.close, candle.lots));
                }
                CandleEvent::Unknown { .. } => {}
                other => panic!("{other:?}"),
            }
        }
        let said: Vec<_> = filled
            .iter()
            .filter_map(|event| match event {
                CandleEvent::Closed(candle) => Some((candle.start.as_nanos(), candle.close, candle.lots)),
                _ => None,
            })
            .collect();
        prop_assert_eq!(said, expected);
        let empty = filled.iter().any(|event| matches!(event, CandleEvent::Empty { .. }));
        prop_assert!(!empty);
    }

    #[test]
    fn late_trades_change_nothing_that_was_told(
        steps in steps(),
        swaps in proptest::collection::vec((0..120_usize, 1..30_usize), 0..12),
    ) {
        let grid = Grid::every(Duration::from_secs(7)).unwrap();
        let mut late = steps;
        for (at, by) in swaps {
            if at + by < late.len() {
                late[at..=at + by].rotate_left(1);
            }
        }
        let mut builder = CandleBuilder::new(grid, linear());
        let mut events = Vec::new();
        let mut told = Vec::new();
        let mut lots = 0;
        for step in &late {
            let before = events.len();
            match step {
                Step::Trade(tick) => builder.push(tick, &mut events),
                Step::Gap => builder.on_gap(),
                Step::Time(at) => builder.on_time(*at, &mut events),
            }
            for event in &events[before..] {
                match event {
                    CandleEvent::Closed(candle) => {
                        prop_assert!(!told.contains(&candle.start), "told twice: {:?}", candle);
                        told.push(candle.start);
                        lots += candle.lots;
                    }
                    CandleEvent::Late { trade, candle_start } => {
                        let running = builder.running().map(|candle| candle.start);
                        prop_assert!(running.is_none_or(|running| *candle_start < Some(running)));
                        lots += u128::from(trade.size.get());
                    }
                    _ => {}
                }
            }
        }
        lots += builder.running().map_or(0, |candle| candle.lots);
        let all: u128 = late
            .iter()
            .map(|step| if let Step::Trade(tick) = step { u128::from(tick.size.get()) } else { 0 })
            .sum();
        prop_assert_eq!(lots, all, "each trade is in one candle, or told late");
    }
}

#[test]
fn a_late_trade_of_the_running_candle_is_put_where_it_belongs() {
    let grid = Grid::of(Interval::Min1).unwrap();
    let mut builder = CandleBuilder::new(grid, linear());
    let mut events = Vec::new();
    let minute = 1_790_000_040 * S;
    for (sequence, second, price) in
        [(1, 0, 50), (10, 61, 20), (14, 63, 40), (12, 62, 70), (9, 60, 10)]
    {
        builder.push(&tick(sequence, minute + second * S, price, 1), &mut events);
    }
    let candle = builder.running().unwrap();
    let prices = [candle.open, candle.high, candle.low, candle.close].map(|p| p.to_string());
    assert_eq!(prices, ["1", "7", "1", "4"]);
    assert!(candle.is_whole && !candle.is_closed);
    builder.push(&tick(8, minute + 59 * S, 99, 1), &mut events);
    assert!(matches!(events[..], [CandleEvent::Closed(_), CandleEvent::Late { .. }]));
    // The furthest one once more is no trade.
    builder.push(&tick(14, minute + 63 * S, 40, 1), &mut events);
    assert_eq!(builder.running().unwrap().lots, 4);
}

#[test]
fn what_is_complete_since_longer_stays_so() {
    let minute = 1_790_000_040 * S;
    let at = |seconds: u64| UnixNanos::from_nanos(minute + seconds * S);
    let mut builder = CandleBuilder::new(Grid::of(Interval::Min1).unwrap(), linear());
    let mut events = Vec::new();
    builder.push(&tick(1, minute, 5, 1), &mut events);
    builder.on_complete_since(at(70));
    builder.on_time(at(180), &mut events);
    assert_eq!(events[1..], [CandleEvent::Empty { from: at(60), to: at(180) }]);
}

#[test]
fn a_candle_that_begins_with_the_stream_is_not_whole() {
    let grid = Grid::of(Interval::Min1).unwrap();
    let minute = 1_790_000_040 * S;
    // A neighbour of the first trade may be missing, and its time may differ by milliseconds.
    for (ms_before, is_whole) in [(0, false), (10, false), (11, true)] {
        let mut builder = CandleBuilder::new(grid, linear());
        let mut events = Vec::new();
        builder.push(&tick(1, minute - ms_before * 1_000_000, 5, 1), &mut events);
        builder.push(&tick(2, minute, 5, 1), &mut events);
        assert_eq!(builder.running().unwrap().is_whole, is_whole, "{ms_before}");
    }
}

#[test]
fn a_late_trade_is_no_sign_that_the_stream_is_back() {
    let grid = Grid::of(Interval::Min1).unwrap();
    let minute = 1_790_000_040 * S;
    let mut builder = CandleBuilder::new(grid, linear());
    let mut events = Vec::new();
    for (sequence, second) in [(1, 0), (5, 61)] {
        builder.push(&tick(sequence, minute + second * S, 5, 1), &mut events);
    }
    builder.on_gap();
    // Another line brings it, or history.
    builder.push(&tick(4, minute + 60 * S, 5, 1), &mut events);
    for (sequence, second, is_whole) in [(9, 121, false), (10, 181, true)] {
        builder.push(&tick(sequence, minute + second * S, 5, 1), &mut events);
        assert_eq!(builder.running().unwrap().is_whole, is_whole, "{second}");
    }
}

#[test]
fn a_trade_without_a_time_is_told_and_doubted() {
    let grid = Grid::of(Interval::Min1).unwrap();
    let mut builder = CandleBuilder::new(grid, linear());
    let mut events = Vec::new();
    let minute = 1_790_000_040 * S;
    for second in [0, 61, 121] {
        builder.push(&tick(second + 1, minute + second * S, 5, 1), &mut events);
    }
    assert!(builder.running().unwrap().is_whole);
    let timeless = Tick { time: None, ..tick(130, 0, 5, 1) };
    builder.push(&timeless, &mut events);
    assert_eq!(events.last(), Some(&CandleEvent::Timeless { trade: timeless }));
    assert!(!builder.running().unwrap().is_whole);
    for (second, is_whole) in [(181, false), (241, true)] {
        builder.push(&tick(second + 1, minute + second * S, 5, 1), &mut events);
        assert_eq!(builder.running().unwrap().is_whole, is_whole, "{second}");
    }
}

#[test]
fn a_counter_that_is_set_back_is_a_gap() {
    let grid = Grid::of(Interval::Min1).unwrap();
    let mut builder = CandleBuilder::new(grid, linear());
    let mut events = Vec::new();
    let minute = 1_790_000_040 * S;
    for (sequence, second) in [(900, 0), (901, 61), (3, 62)] {
        builder.push(&tick(sequence, minute + second * S, second, 1), &mut events);
    }
    let candle = builder.running().unwrap();
    assert_eq!((candle.close.to_string().as_str(), candle.is_whole), ("6.2", false));
    assert_eq!(candle.open.to_string(), "6.1");
}

#[test]
fn a_week_begins_on_monday_and_a_month_is_no_grid() {
    let week = Grid::of(Interval::Week1).unwrap();
    // 2026-09-22 is a Tuesday.
    let at = |day: u64| UnixNanos::from_nanos(day * 86_400 * S);
    assert_eq!(week.start_of(at(20_718)), at(20_717));
    assert_eq!(week.end_of(at(20_717)), at(20_724));
    assert_eq!((week.start_of(at(2)), week.end_of(at(0))), (at(0), at(4)));
    assert_eq!(Grid::of(Interval::Month1), None);
}

#[test]
fn history_begins_a_candle_and_trades_go_on() {
    let grid = Grid::of(Interval::Min1).unwrap();
    let minute = 1_790_000_040 * S;
    let price = |text: &str| text.parse().unwrap();
    let seed = Seed {
        start: UnixNanos::from_nanos(minute),
        open: price("5"),
        high: price("9"),
        low: price("4"),
        close: price("6"),
        lots: 100,
        turnover: Some("0.55".parse().unwrap()),
        through: Sequence::new(50),
    };
    let mut builder = CandleBuilder::new(grid, linear());
    let mut events = Vec::new();
    let off = Seed { start: UnixNanos::from_nanos(minute + 1), ..seed };
    assert_eq!(builder.seed(&off), Err(SeedError::OffGrid));
    assert_eq!(builder.seed(&Seed { low: price("5.5"), ..seed }), Err(SeedError::Impossible));
    builder.seed(&seed).unwrap();
    // 49 and 50 are contained.
    for (sequence, second, lots) in [(49, 10, 7), (50, 11, 7), (51, 12, 2), (52, 61, 1)] {
        builder.push(&tick(sequence, minute + second * S, 110, lots), &mut events);
    }
    let [CandleEvent::Closed(candle)] = events[..] else { panic!("{events:?}") };
    let prices = [candle.open, candle.high, candle.low, candle.close].map(|p| p.to_string());
    assert_eq!(prices, ["5", "11", "4", "11"]);
    assert_eq!((candle.lots, candle.turnover), (102, Some("0.572".parse().unwrap())));
    assert_eq!((candle.trades, candle.first_sequence, candle.is_whole), (None, None, true));
    assert!(builder.running().unwrap().is_whole);
    let at = |minutes: u64| UnixNanos::from_nanos(minute + minutes * 60 * S);
    let again = |minutes: u64| Seed { start: at(minutes), ..seed };
    assert_eq!(builder.seed(&again(1)), Err(SeedError::Behind));
    assert_eq!(builder.seed(&seed), Err(SeedError::Told));
    assert_eq!(builder.seed(&again(2)), Err(SeedError::Ahead), "the running one is before it");
    builder.on_time(at(2), &mut events);
    assert_eq!(builder.seed(&again(3)), Err(SeedError::Ahead), "and now another one");
    let next = Seed { through: Sequence::new(60), ..again(2) };
    builder.seed(&next).unwrap();
    assert!(builder.running().unwrap().is_whole);
}

#[test]
fn what_a_fill_of_an_inverse_contract_is_worth_is_cut_before_it_is_added() {
    let inverse = Valuation::inverse("1".parse().unwrap()).unwrap();
    let mut builder = CandleBuilder::new(Grid::of(Interval::Min1).unwrap(), inverse);
    let mut events = Vec::new();
    for sequence in 1..=3 {
        // 1 / 3 each.
        builder.push(&tick(sequence, 1_790_000_040 * S, 30, 1), &mut events);
    }
    assert_eq!(builder.running().unwrap().turnover.unwrap().to_string(), "0.999999999999");
}

#[test]
fn a_stream_that_is_back_says_so_before_its_first_trade() {
    let grid = Grid::of(Interval::Min1).unwrap();
    let minute = 1_790_000_040 * S;
    let at = |seconds: u64| UnixNanos::from_nanos(minute + seconds * S);
    let mut builder = CandleBuilder::new(grid, linear());
    let mut events = Vec::new();
    builder.on_complete_since(at(30));
    builder.on_time(at(180), &mut events);
    builder.push(&tick(1, at(190).as_nanos(), 5, 1), &mut events);
    builder.on_gap();
    builder.on_time(at(300), &mut events);
    let expected = [
        CandleEvent::Unknown { from: at(0), to: at(60) },
        CandleEvent::Empty { from: at(60), to: at(180) },
    ];
    assert_eq!(events[..2], expected);
    let CandleEvent::Closed(candle) = events[2] else { panic!("{events:?}") };
    assert!(!candle.is_whole, "the gap");
    assert_eq!(events[3..], [CandleEvent::Unknown { from: at(240), to: at(300) }]);
}

#[test]
fn an_interval_without_trades_is_not_filled_with_a_price_that_may_have_moved() {
    let grid = Grid::of(Interval::Min1).unwrap();
    let minute = 1_790_000_040 * S;
    let at = |seconds: u64| UnixNanos::from_nanos(minute + seconds * S);
    let trade = |sequence, seconds, price| tick(sequence, at(seconds).as_nanos(), price, 1);

    // Trades may be missing after the last one: nobody knows what was paid before the silence.
    let mut builder = CandleBuilder::new(grid, linear()).filling_empty();
    let mut events = Vec::new();
    builder.push(&trade(1, 30, 100), &mut events);
    builder.on_gap();
    builder.on_complete_since(at(130));
    builder.on_time(at(300), &mut events);
    let expected = [
        CandleEvent::Unknown { from: at(60), to: at(180) },
        CandleEvent::Empty { from: at(180), to: at(300) },
    ];
    assert_eq!(events[1..], expected);
    // The next trade says it.
    builder.push(&trade(2, 310, 110), &mut events);
    events.clear();
    builder.on_time(at(480), &mut events);
    let closes: Vec<_> = events.iter().map(close).collect();
    assert_eq!(closes, [price(110), price(110), price(110)]);

    // A trade that is late is the last price all the same; one from before is not.
    for (sequence, seconds, last) in [(9, 119, 105), (3, 70, 110)] {
        let mut builder = CandleBuilder::new(grid, linear()).filling_empty();
        let mut events = Vec::new();
        builder.push(&trade(2, 10, 90), &mut events);
        builder.push(&trade(5, 70, 110), &mut events);
        builder.on_time(at(120), &mut events);
        builder.push(&trade(sequence, seconds, 105), &mut events);
        assert!(matches!(events.last(), Some(CandleEvent::Late { .. })));
        events.clear();
        builder.on_time(at(240), &mut events);
        let closes: Vec<_> = events.iter().map(close).collect();
        assert_eq!(closes, [price(last), price(last)], "{sequence}");
    }
}

fn price(tenths: u64) -> Price {
    tick(1, 1, tenths, 1).price
}

fn close(event: &CandleEvent) -> Price {
    match event {
        CandleEvent::Closed(candle) => candle.close,
        other => panic!("{other:?}"),
    }
}
