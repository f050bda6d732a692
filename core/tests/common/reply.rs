//! Bodies of replies, and what is expected of them.

use kucoin_futures_proto::wire::{Row, Rows, Text};
use kucoin_futures_proto::{Decimal, Input, Message, Query, ResponseHead, UnixNanos, WireError};

use super::{Rig, fetches};

pub(crate) fn body(data: &str) -> String {
    format!(r#"{{"code":"200000","data":{data}}}"#)
}

pub(crate) fn decimal(text: &str) -> Decimal {
    text.parse().unwrap()
}

pub(crate) fn some(text: &str) -> Option<Decimal> {
    Some(decimal(text))
}

pub(crate) fn ms(millis: u64) -> Option<UnixNanos> {
    UnixNanos::from_millis(millis)
}

pub(crate) const fn ns(nanos: u64) -> Option<UnixNanos> {
    Some(UnixNanos::from_nanos(nanos))
}

/// The words of texts, in order; `-` for none.
pub(crate) fn words<const N: usize>(texts: [Option<Text<'_>>; N]) -> String {
    texts.map(|text| text.map_or_else(|| "-".into(), |text| text.to_string())).join(" ")
}

pub(crate) fn rows<'a, T: Row<'a>>(body: &'a str) -> Vec<Result<T, WireError>> {
    Rows::parse(body.as_bytes()).unwrap().iter().collect()
}

/// Asks, is answered, and looks at what comes out.
pub(crate) fn answered(query: Query, body: &str, look: impl Fn(Message<'_>)) {
    let mut rig = Rig::new();
    let request = rig.client.fetch(rig.now, query).unwrap();
    let outputs = rig.drain();
    assert!(body.len() <= fetches(&outputs)[0].max_body());
    let input = Input::Reply { request, head: ResponseHead::new(200), body: body.as_bytes() };
    let push = rig.client.handle(rig.now, input).into_message().unwrap();
    look(push.decode().unwrap());
    // An answer of another shape is an error, and none says something that is not in it.
    let other = self::body(r#""neither a list nor an object""#);
    assert!(push.tag().on(other.as_bytes()).decode().is_err());
}
