//! The last trades before the exchange opened: what the list of trades begins with.

use kucoin_futures_proto::wire::TakerSide;
use kucoin_futures_proto::{Lots, Price, Sequence, SplitMix64, UnixNanos};

use super::THIN;
use crate::contract::Contract;
use crate::interval::Interval;
use crate::market::bar::{Bar, grouped};
use crate::trade::{KEPT, Place, Trade};

/// Milliseconds between two trades at most, in a market with many levels and in a thin one.
const GAP: u64 = 2_000;
const THIN_GAP: u64 = 40_000;
/// Of twelve trades, one went a tick up and one a tick down from the one before.
const STEPS: u64 = 12;

/// Where the past ends: when, and what the first trade since then comes after.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Opening {
    pub(crate) at: UnixNanos,
    pub(crate) place: Place,
}

/// At least as many trades as the exchange shows, oldest first; the first of them is the first of its minute, so
/// that no candle holds a part of what was traded.
pub(super) fn before(opening: Opening, seed: u64, contract: &Contract) -> Vec<Trade> {
    let mut rng = SplitMix64::new(seed ^ 3);
    let gap = if contract.depth < THIN { THIN_GAP } else { GAP };
    let Opening { at, place } = opening;
    let (mut ms, mut sequence, mut order) = (at.as_millis(), place.last.get(), place.orders);
    let mut price = contract.start;
    let mut trades: Vec<Trade> = Vec::new();
    loop {
        ms = ms.saturating_sub(1 + rng.below(gap));
        let is_whole = trades.last().is_some_and(|first| minute(first.at) != minute(unix(ms)));
        if (trades.len() >= KEPT && is_whole) || ms == 0 {
            break;
        }
        // The last one took from the best bid, which is where the market starts.
        let sells = trades.is_empty() || rng.below(2) == 0;
        let digits = 1 + rng.below(u64::from(contract.size_digits.clamp(1, 12)));
        trades.push(Trade {
            sequence: Sequence::new(sequence),
            taker_side: if sells { TakerSide::Sell } else { TakerSide::Buy },
            price,
            size: Lots::new(1 + rng.below(10_u64.pow(digits as u32) - 1)),
            at: unix(ms),
            taker_order: order.saturating_sub(rng.below(500)),
            maker_order: order.saturating_sub(500 + rng.below(500)),
        });
        sequence = sequence.saturating_sub(1 + rng.below(3));
        order = order.saturating_sub(1_000);
        price = moved(price, rng.below(STEPS), contract);
    }
    trades.reverse();
    trades
}

/// What they add up to.
pub(super) fn minutes(trades: &[Trade], contract: &Contract) -> Vec<Bar> {
    let bar = |trade: &Trade| Bar::of_trade(contract, minute(trade.at), trade.price, trade.size);
    grouped(trades.iter().map(bar), Interval::Min1)
}

pub(super) const fn minute(at: UnixNanos) -> u64 {
    at.as_millis() / 60_000
}

fn unix(ms: u64) -> UnixNanos {
    UnixNanos::from_nanos(ms.saturating_mul(1_000_000))
}

fn moved(price: Price, drawn: u64, contract: &Contract) -> Price {
    let tick = contract.tick.scaled();
    let scaled = match drawn {
        0 => price.scaled().saturating_add(tick),
        1 => price.scaled().saturating_sub(tick),
        _ => return price,
    };
    Price::from_scaled(scaled).filter(|moved| *moved > Price::ZERO).unwrap_or(price)
}
