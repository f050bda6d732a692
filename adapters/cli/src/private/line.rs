//! A line about an account.

use kucoin_futures_proto::{Lots, Symbol};
use serde_json::{Map, Value};

/// Of a type, maybe about a contract, with these fields; those without a value are left out: what is absent has
/// not changed.
pub(super) fn line(
    kind: &str,
    symbol: Option<Symbol>,
    fields: impl IntoIterator<Item = (&'static str, Value)>,
) -> Value {
    let symbol = symbol.map(|symbol| ("symbol", Value::from(symbol.as_str())));
    let known = fields.into_iter().filter(|(_, value)| !value.is_null());
    let all = [("type", Value::from(kind))].into_iter().chain(symbol).chain(known);
    Value::Object(all.map(|(name, value)| (name.to_owned(), value)).collect::<Map<_, _>>())
}

pub(super) fn lots(lots: Option<Lots>) -> Value {
    lots.map_or(Value::Null, |lots| lots.get().into())
}
