//! What rests up to each price: the curve that a depth chart draws.

use kucoin_futures_proto::book::{Level, Scope};
use kucoin_futures_proto::wire::Side;
use kucoin_futures_proto::{Book, Price};
use serde_json::{Value, json};

use crate::words;

/// Points of a side. A chart has no more pixels to show them with.
const POINTS: usize = 160;

/// Both sides to their horizons, and not beyond.
pub(crate) fn json(book: &Book) -> Value {
    json!({
        "bids": side(book, Side::Bid),
        "asks": side(book, Side::Ask),
        "bid_levels": book.complete_levels(Side::Bid),
        "ask_levels": book.complete_levels(Side::Ask),
        "bid_horizon": words::horizon(book, Side::Bid),
        "ask_horizon": words::horizon(book, Side::Ask),
    })
}

fn side(book: &Book, side: Side) -> Value {
    let points = curve(book.levels(side, Scope::Complete), book.complete_levels(side));
    points.into_iter().map(|(price, lots)| json!([price.to_string(), lots.to_string()])).collect()
}

/// Price and all lots up to there, best first: of `count` levels at most [`POINTS`], with the first and the last.
fn curve(levels: impl Iterator<Item = Level>, count: usize) -> Vec<(Price, u128)> {
    let step = count.div_ceil(POINTS).max(1);
    let mut lots = 0_u128;
    let mut points = Vec::with_capacity(count.min(POINTS + 1));
    for (at, level) in levels.enumerate() {
        lots += u128::from(level.size.get());
        if at % step == 0 || at + 1 == count {
            points.push((level.price, lots));
        }
    }
    points
}

#[cfg(test)]
mod tests {
    use kucoin_futures_proto::Lots;

    use super::*;

    #[test]
    fn a_curve_of_many_levels_has_few_points_and_loses_no_lot() {
        for count in [0, 1, 2, 159, 160, 161, 1000, 1601] {
            let level = |at: usize| Level {
                price: format!("{}", 1000 + at).parse().unwrap(),
                size: Lots::new(at as u64 + 1),
            };
            let points = curve((0..count).map(level), count);
            assert!(points.len() <= POINTS + 1, "{count}: {}", points.len());
            assert_eq!(points.len() < count, count > POINTS, "{count}");
            for (price, lots) in &points {
                let levels: u128 = price.to_string().parse::<u128>().unwrap() - 999;
                assert_eq!(*lots, levels * (levels + 1) / 2, "all up to {price}");
            }
            let ends = [points.first(), points.last()].map(|end| end.map(|(_, lots)| *lots));
            let all = count as u128 * (count as u128 + 1) / 2;
            assert_eq!(ends, if count == 0 { [None; 2] } else { [Some(1), Some(all)] });
        }
    }
}
