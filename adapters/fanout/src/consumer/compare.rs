//! Whether two books of one sequence say the same, wherever both know.

use kucoin_futures_proto::Book;
use kucoin_futures_proto::book::{Coverage, Level, Scope};
use kucoin_futures_proto::wire::Side;

const SIDES: [Side; 2] = [Side::Bid, Side::Ask];

/// Whether all levels that both know are the same.
pub(super) fn agree(one: &Book, other: &Book) -> bool {
    SIDES.into_iter().all(|side| {
        let common = narrower(side, one.reach(side), other.reach(side));
        within(one, side, common).eq(within(other, side, common))
    })
}

/// Whether `one` knows more than `other` of one side, and no less of the other side.
pub(super) fn is_wider(one: &Book, other: &Book) -> bool {
    let reaches = SIDES.map(|side| (side, one.reach(side), other.reach(side)));
    let is_no_less = |(side, one, other)| narrower(side, one, other) == other;
    reaches.into_iter().all(is_no_less) && reaches.iter().any(|(_, one, other)| one != other)
}

fn narrower(side: Side, one: Coverage, other: Coverage) -> Coverage {
    match (one, other) {
        (Coverage::All, reach) | (reach, Coverage::All) => reach,
        (Coverage::To(one), Coverage::To(other)) => Coverage::To(match side {
            Side::Bid => one.max(other),
            Side::Ask => one.min(other),
        }),
    }
}

fn within(book: &Book, side: Side, reach: Coverage) -> impl Iterator<Item = Level> + '_ {
    book.levels(side, Scope::Complete).take_while(move |level| match (reach, side) {
        (Coverage::All, _) => true,
        (Coverage::To(horizon), Side::Bid) => level.price >= horizon,
        (Coverage::To(horizon), Side::Ask) => level.price <= horizon,
    })
}
