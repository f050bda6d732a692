//! A whole message, read once: envelope and data in one go, whichever stands first.
//!
//! It only ever succeeds. What is not a usual message of a channel that this version knows (another
//! type, an escape in a name, a key twice, bytes that are no JSON) is left to
//! [`Frame::parse`](super::Frame::parse) and the readers of its data, which say the same of all
//! that is read here.

use super::delta::Delta;
use super::fields::{Fields, Position};
use super::frame::Frame;
use super::text::Text;
use super::values::Values;
use super::walk::{self, Kind, Token};
use crate::channel::{Channel, ChannelKind};
use crate::error::WireError;
use crate::message::Message;

/// What a usual message says.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Content {
    Delta(Delta),
    /// Where it stands, and what it says; `None` if that is too large to be kept.
    Message(Option<Position>, Option<Values>),
}

impl Content {
    /// Reads a whole frame in one go, and says whether a time in it cannot be read; `None` if it is not of
    /// the usual kind.
    pub(crate) fn read(bytes: &[u8]) -> Option<(Channel, Self, bool)> {
        let RawMessage { channel, fields } = RawMessage::read(bytes)?;
        let content = if channel.kind() == ChannelKind::Level2 {
            Self::Delta(Delta::assemble(&fields).ok()?)
        } else {
            let message = channel.read(&fields).ok()?;
            Self::Message(Position::of(&fields), Values::of(&message, bytes))
        };
        Some((channel, content, fields.has_odd_time()))
    }
}

/// Reads the message of a topic in two goes, whatever it is: what is wrong, if something is.
pub(crate) fn read_message(bytes: &[u8]) -> Result<Message<'_>, WireError> {
    let Frame::Message(message) = Frame::parse(bytes)? else {
        return Err(WireError::Unexpected);
    };
    let channel = message.channel().ok_or(WireError::Unexpected)?;
    read_data(channel, message.data).map(|(message, _)| message)
}

/// Reads the data of a message of this channel, and says whether a time in it cannot be read.
pub(crate) fn read_data(channel: Channel, data: &[u8]) -> Result<(Message<'_>, bool), WireError> {
    Fields::parse_with_time(data, channel.kind().keys(), |fields| channel.read(fields))
}

/// What a message is about, and its data.
struct RawMessage<'a> {
    channel: Channel,
    fields: Fields<'a>,
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
    fn read(bytes: &'a [u8]) -> Option<Self> {
        let mut fields = Fields::new(bytes);
        let (mut topic, mut seen) = (None, 0);
        let end = walk::object(bytes, walk::space(bytes, 0), |name, at| {
            let key = bit(name);
            if seen & key != 0 {
                return None;
            }
            seen |= key;
            if key == DATA {
                return fields.collect(at, 2);
            }
            let (Token { start, end, kind }, behind) = walk::value(bytes, at, 1)?;
            match (key, kind) {
                (TOPIC, Kind::Text) => topic = Channel::from_text(text(bytes.get(start..end)?)?),
                (KIND, Kind::Text) if bytes.get(start..end)? == b"message" => {}
                (SUBJECT, Kind::Text | Kind::Escaped) | (0 | ID | CODE | TIMESTAMP, _) => {}
                _ => return None,
            }
            Some(behind)
        })?;
        // Some published samples of messages lack the type.
        let is_whole = seen & DATA != 0 && walk::is_end(bytes, end);
        Some(Self { channel: topic?, fields }).filter(|_| is_whole)
    }
}

/// A text without escapes.
fn text(bytes: &[u8]) -> Option<Text<'_>> {
    Some(Text::checked(core::str::from_utf8(bytes).ok()?, false))
}

/// Which key of an envelope this is; 0 for any other.
#[inline]
fn bit(name: &[u8]) -> u8 {
    let is = |key: &str, bit: u8| if name == key.as_bytes() { bit } else { 0 };
    match name.len() {
        2 => is("id", ID),
        4 => is("data", DATA) | is("type", KIND) | is("code", CODE),
        5 => is("topic", TOPIC),
        7 => is("subject", SUBJECT),
        9 => is("timestamp", TIMESTAMP),
        _ => 0,
    }
}
