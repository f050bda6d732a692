//! A whole message, read once: envelope and data in one go, whichever stands first.
//!
//! It only ever succeeds. What is not a usual message of a channel that this version knows (another
//! type, an escape in a name, a key twice, bytes that are no JSON) is left to
//! [`Frame::parse`](super::Frame::parse) and the readers of its data, which say the same of all
//! that is read here.

use super::fields::Fields;
use super::scan::{Scanner, Value};
use super::text::Text;
use crate::channel::Channel;

/// What a message is about, and its data.
pub(super) struct RawMessage<'a> {
    pub(super) channel: Channel,
    pub(super) fields: Fields<'a>,
}

/// The keys of an envelope, as bits.
const TOPIC: u8 = 1;
const DATA: u8 = 1 << 1;
const KIND: u8 = 1 << 2;
const SUBJECT: u8 = 1 << 3;
const ID: u8 = 1 << 4;
const CODE: u8 = 1 << 5;
const TIMESTAMP: u8 = 1 << 6;

impl<'a> RawMessage<'a> {
    /// Reads a whole frame; `None` if it is not of the usual kind.
    pub(super) fn read(bytes: &'a [u8]) -> Option<Self> {
        let mut scanner = Scanner::of_text(bytes);
        let (mut topic, mut fields) = (Text::default(), None);
        scanner.object().ok()?;
        let (mut first, mut seen) = (true, 0);
        while let Some(name) = scanner.key(&mut first).ok()? {
            let key = bit(name.plain()?);
            if seen & key != 0 {
                return None;
            }
            seen |= key;
            if key == DATA {
                fields = Some(Fields::collect(&mut scanner)?);
                continue;
            }
            let value = scanner.value().ok()?;
            match (key, value) {
                (TOPIC, Value::Text(text)) => topic = text,
                (KIND, Value::Text(kind)) if kind.plain() == Some("message") => {}
                (SUBJECT, Value::Text(_)) | (0 | ID | CODE | TIMESTAMP, _) => {}
                _ => return None,
            }
        }
        scanner.end().ok()?;
        // Some published samples of messages lack the type.
        Some(Self { channel: Channel::from_text(topic)?, fields: fields? })
    }
}

/// Which key of an envelope this is; 0 for any other.
#[inline]
fn bit(name: &str) -> u8 {
    let is = |key: &str, bit: u8| if name == key { bit } else { 0 };
    match name.len() {
        2 => is("id", ID),
        4 => is("data", DATA) | is("type", KIND) | is("code", CODE),
        5 => is("topic", TOPIC),
        7 => is("subject", SUBJECT),
        9 => is("timestamp", TIMESTAMP),
        _ => 0,
    }
}
