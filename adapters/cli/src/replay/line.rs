//! Lines that are no frames as they stand: what is in front of a frame, or around it.

use std::borrow::Cow;
use std::fmt;

use kucoin_futures_proto::Symbol;
use kucoin_futures_proto::wire::Frame;
use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, Visitor};
use serde_json::value::RawValue;

/// The object behind a time or other words (`1790000000.123 {..}`, tabs, a byte order mark). Words have
/// neither quotes nor braces, and end with white space: what is left of a torn frame does not pass for
/// them.
pub(super) fn behind_words(line: &[u8]) -> &[u8] {
    let line = line.strip_prefix(b"\xef\xbb\xbf").unwrap_or(line);
    let brace = line.iter().position(|byte| matches!(byte, b'{' | b'}' | b'"'));
    let Some((words, object)) = brace.and_then(|at| line.split_at_checked(at)) else { return line };
    let are_words = object.starts_with(b"{") && words.last().is_some_and(u8::is_ascii_whitespace);
    if are_words { object } else { line }
}

/// The frames among the values of an object, as objects or as text; also what one may have been. Of a
/// text that stands alone: itself.
pub(super) fn frames_inside(line: &[u8]) -> Vec<Cow<'_, [u8]>> {
    let values = match line.first() {
        Some(b'{') => serde_json::from_slice(line).map_or_else(|_| Vec::new(), |Values(all)| all),
        Some(b'"') => serde_json::from_slice(line).map_or_else(|_| Vec::new(), |one| vec![one]),
        _ => Vec::new(),
    };
    let objects = values.into_iter().filter_map(object);
    objects.filter(|object| is_frame(object) || Named::by(object) != Named::Nothing).collect()
}

/// Whether it is a whole object, of whatever kind.
pub(super) fn is_object(line: &[u8]) -> bool {
    line.starts_with(b"{") && serde_json::from_slice::<IgnoredAny>(line).is_ok()
}

/// Whether there is something in it like the data of a delta, in clear or in a text.
pub(super) fn holds_delta(line: &[u8]) -> bool {
    ["change", "sequence"].iter().all(|key| {
        let has = |quote: &str| find(line, format!("{quote}{key}{quote}").as_bytes()).is_some();
        has("\"") || has("\\\"")
    })
}

/// Whose a line is that cannot be read, by the topics in it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Named {
    /// One book, and nothing else.
    Book(Symbol),
    /// No book: a topic of another channel.
    Another,
    /// Nothing, or no one.
    Nothing,
    /// More than one book, or a symbol that is none.
    Unclear,
}

impl Named {
    pub(super) fn by(line: &[u8]) -> Self {
        const BOOK: &[u8] = b"level2:";
        let mut named = Self::Nothing;
        let mut rest = line;
        while let Some(at) = find(rest, BOOK) {
            rest = rest.get(at + BOOK.len()..).unwrap_or_default();
            named = match (named, symbol(rest)) {
                (Self::Nothing, Some(symbol)) => Self::Book(symbol),
                (Self::Book(first), Some(symbol)) if symbol == first => named,
                _ => return Self::Unclear,
            };
        }
        if named == Self::Nothing && names_another(line) { Self::Another } else { named }
    }
}

/// Whether a topic is one of books, whatever it ends with.
pub(super) fn is_books(topic: &str) -> bool {
    topic.replace('\\', "").starts_with("/contractMarket/level2:")
}

/// What a topic ends with.
fn symbol(rest: &[u8]) -> Option<Symbol> {
    let end = rest.iter().position(|byte| matches!(byte, b'"' | b'\\'))?;
    std::str::from_utf8(rest.get(..end)?).ok()?.parse().ok()
}

/// A whole topic that is not a book's.
fn names_another(line: &[u8]) -> bool {
    let mut topics = ["\"/contract", "\"\\/contract", "\\\"/contract"].iter();
    topics.any(|start| {
        let Some(at) = find(line, start.as_bytes()) else { return false };
        let topic = line.get(at + start.len()..).unwrap_or_default();
        let colon = topic.iter().position(|byte| matches!(byte, b':' | b'"'));
        colon.and_then(|at| topic.get(at + 1..)).is_some_and(|rest| symbol(rest).is_some())
    })
}

fn find(text: &[u8], what: &[u8]) -> Option<usize> {
    text.windows(what.len()).position(|window| window == what)
}

fn is_frame(object: &[u8]) -> bool {
    Frame::parse(object).is_ok()
}

/// The value, or the text that it holds, if that is an object.
fn object(value: &RawValue) -> Option<Cow<'_, [u8]>> {
    let value = value.get();
    let object = if value.starts_with('"') {
        let text: String = serde_json::from_str(value).ok()?;
        Cow::Owned(text.trim().as_bytes().to_vec())
    } else {
        Cow::Borrowed(value.as_bytes())
    };
    object.starts_with(b"{").then_some(object)
}

/// The values of an object. A map would keep one of two that have the same key.
struct Values<'a>(Vec<&'a RawValue>);

impl<'de> Deserialize<'de> for Values<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Collect;
        impl<'de> Visitor<'de> for Collect {
            type Value = Values<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut values = Vec::new();
                while let Some((IgnoredAny, value)) = map.next_entry()? {
                    values.push(value);
                }
                Ok(Values(values))
            }
        }
        deserializer.deserialize_map(Collect)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_topic_tells_whose_a_line_is_only_if_it_is_whole_and_alone() {
        let named = |line: &str| Named::by(line.as_bytes());
        let xbt = Named::Book("XBTUSDTM".parse().unwrap());
        assert_eq!(named(r#"{"topic":"/contractMarket/level2:XBTUSDTM","ty"#), xbt);
        assert_eq!(named(r#"{"m":"{\"topic\":\"\/contractMarket\/level2:XBTUSDTM\","#), xbt);
        assert_eq!(named(r#"{"topic":"/contractMarket/level2:XBTUS"#), Named::Unclear);
        assert_eq!(named(r#"level2:XBTUSDTM",{"topic":"level2:ETHUSDTM""#), Named::Unclear);
        assert_eq!(named(r#"{"subject":"level2","sn":1"#), Named::Nothing);
        assert_eq!(named(r#"{"topic":"/contractMarket/tickerV2:XBTUSDTM","#), Named::Another);
        assert_eq!(named(r#"{"topic":"/contractMarket/tickerV2:XBTU"#), Named::Nothing);
    }

    #[test]
    fn what_is_left_of_a_torn_frame_does_not_pass_for_words() {
        fn behind(line: &[u8]) -> &str {
            std::str::from_utf8(behind_words(line)).unwrap()
        }
        for words in ["17.5 ", "2026-10-03T00:00:00Z\t", "[10:00:00,1] INFO ", "\u{feff}", "< "] {
            let line = format!("{words}{{}}");
            assert_eq!(behind(line.as_bytes()), "{}", "{words:?}");
        }
        for torn in ["17}} {}", "17{}", "sell\" {}", "17.5"] {
            assert_eq!(behind(torn.as_bytes()), torn);
        }
    }
}
