//! Trades and candles as REST has them.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "tests")]

use kucoin_futures_analytics::candle::{CandleBuilder, CandleEvent, Grid, MOST_FILLED, Seed};
use kucoin_futures_analytics::{Tick, Valuation};
use kucoin_futures_proto::wire::{Execution, Kline, RestTrade, Rows, TakerSide};
use kucoin_futures_proto::{Interval, Sequence, UnixNanos};

const MINUTE_MS: u64 = 60_000;
const START_MS: u64 = 1_790_000_040_000;

fn klines(rows: &str) -> Vec<Kline> {
    let body = format!(r#"{{"code":"200000","data":[{rows}]}}"#);
    Rows::<Kline>::parse(body.as_bytes()).unwrap().iter().map(Result::unwrap).collect()
}

fn builder() -> CandleBuilder {
    let valuation = Valuation::linear("0.001".parse().unwrap()).unwrap();
    CandleBuilder::new(Grid::of(Interval::Min1).unwrap(), valuation)
}

#[test]
fn a_trade_is_the_same_tick_of_either_side() {
    let body = br#"{"code":"200000","data":[{"sequence":52,"tradeId":"52","takerOrderId":"9001",
        "makerOrderId":"9000","ts":1790000000123000000,"size":2,"price":"63000.6","side":"sell"}]}"#;
    let row = Rows::<RestTrade<'_>>::parse(body).unwrap().iter().next().unwrap().unwrap();
    let push = br#"{"symbol":"XBTUSDTM","sequence":52,"side":"sell","size":2,"price":"63000.6",
        "takerOrderId":"9001","makerOrderId":"9000","tradeId":"52","ts":1790000000123000000}"#;
    let tick = Tick::from(&Execution::parse(push).unwrap());
    assert_eq!(tick, Tick::from(&row));
    assert_eq!(tick.time, UnixNanos::from_millis(1_790_000_000_123));
    let said = (tick.sequence.get(), tick.size.get(), tick.price.to_string(), tick.taker_side);
    assert_eq!(said, (52, 2, "63000.6".into(), TakerSide::Sell));
}

#[test]
fn a_row_of_history_begins_a_candle() {
    let rows = format!(
        "[{START_MS},63000.5,63010,6.29E4,63001.0,120,7560.12],[{START_MS},63000.5,63010,62900,63001],\
         [{START_MS},1e9,63010,62900,63001,1,2]"
    );
    let [row, without_lots, too_high] = klines(&rows).try_into().unwrap();
    assert_eq!(Seed::new(&without_lots, Sequence::new(9)), None);
    assert_eq!(Seed::new(&too_high, Sequence::new(9)), None);
    let mut builder = builder();
    builder.seed(&Seed::new(&row, Sequence::new(9)).unwrap()).unwrap();
    let candle = builder.running().unwrap();
    let prices = [candle.open, candle.high, candle.low, candle.close].map(|p| p.to_string());
    assert_eq!(prices, ["63000.5", "63010", "62900", "63001"]);
    assert_eq!((candle.lots, candle.turnover.unwrap().to_string()), (120, "7560.12".into()));
}

#[test]
fn a_time_from_far_ahead_fills_no_memory() {
    let tick = |sequence, ms| Tick {
        time: UnixNanos::from_millis(ms),
        sequence: Sequence::new(sequence),
        taker_side: TakerSide::Buy,
        price: "63000".parse().unwrap(),
        size: "1".parse().unwrap(),
    };
    for (minutes, filled) in [(MOST_FILLED, true), (MOST_FILLED + 1, false), (200_000_000, false)] {
        let (mut builder, mut events) = (builder().filling_empty(), Vec::new());
        builder.push(&tick(1, START_MS), &mut events);
        builder.push(&tick(2, START_MS + (minutes + 1) * MINUTE_MS), &mut events);
        let expected = if filled { minutes as usize + 1 } else { 2 };
        assert_eq!(events.len(), expected, "{minutes}");
        assert_eq!(matches!(events[1], CandleEvent::Empty { .. }), !filled);
    }
}
