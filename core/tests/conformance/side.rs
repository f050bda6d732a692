//! A side of a book, as it should be and as it is.

use std::collections::BTreeMap;

use kucoin_futures_proto::Price;
use kucoin_futures_proto::book::{Book, Level, Scope};
use kucoin_futures_proto::wire::Side;
use serde_json::Value as Json;

/// A side as the referee reads it; prices as numbers or as text.
pub(crate) fn truth(levels: &Json) -> BTreeMap<Price, u64> {
    let level = |level: &Json| {
        let price = level[0].as_str().map_or_else(|| level[0].to_string(), String::from);
        (price.parse().unwrap(), level[1].as_u64().unwrap())
    };
    levels.as_array().unwrap().iter().map(level).collect()
}

pub(crate) fn held(book: &Book, side: Side) -> BTreeMap<Price, u64> {
    let level = |level: Level| (level.price, level.size.get());
    book.levels(side, Scope::Held).map(level).collect()
}
