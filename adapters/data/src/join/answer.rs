//! What history answers, brought into the order of happening.

use kucoin_futures_proto::wire::{RestTrade, Rows};

use super::trade::Trade;

/// Documented are 100 rows; more than that is more reach, up to here.
const MOST_ROWS: usize = 1_000;

/// The trades, oldest first. `None` if one cannot be read, or they are in no order that trades can have: an answer
/// with a hole in it proves nothing.
pub(super) fn oldest_first(rows: &Rows<'_, RestTrade<'_>>) -> Option<Vec<Trade>> {
    let mut trades: Vec<Trade> = Vec::new();
    for row in rows.iter().take(MOST_ROWS) {
        let older = Trade::from(&row.ok()?);
        match trades.last().map(Trade::mark) {
            Some(newer) if newer.is(older.mark()) => {}
            Some(newer) if !older.mark().is_before(newer) => return None,
            _ => trades.push(older),
        }
    }
    trades.reverse();
    Some(trades)
}
