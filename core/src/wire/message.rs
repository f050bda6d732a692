//! A whole message, read once: envelope and data in one go, whichever stands first.
//!
//! It only ever succeeds. What is not a usual message of a channel that this version knows (another
//! type, an escape in a name, a key twice, bytes that are no JSON) is left to
//! [`Frame::parse`](super::Frame::parse) and the readers of its data, which say the same of all
//! that is read here.

use super::delta::Delta;
use super::fields::Fields;
use super::frame::Frame;
use super::text::Text;
use super::values::Values;
use super::walk::{self, Kind, Token};
use super::{Execution, Ticker, TickerV2};
use crate::channel::Channel;
use crate::error::WireError;
use crate::message::Message;

/// What a usual message says.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Content {
    Delta(Delta),
    Values(Values),
}

impl Content {
    /// Reads a whole frame in one go; `None` if it is not of the usual kind.
    pub(crate) fn read(bytes: &[u8]) -> Option<(Channel, Self)> {
        let RawMessage { channel, fields } = RawMessage::read(bytes)?;
        let content = match channel {
            Channel::Level2(_) => Self::Delta(Delta::assemble(&fields).ok()?),
            Channel::TickerV2(_) | Channel::Ticker(_) | Channel::Execution(_) => {
                Self::Values(Values::of(&decode(channel, &fields).ok()?, bytes)?)
            }
        };
        Some((channel, content))
    }
}

/// Reads the message of a topic in two goes, whatever it is: what is wrong, if something is.
pub(crate) fn read_message(bytes: &[u8]) -> Result<Message<'_>, WireError> {
    let Frame::Message(message) = Frame::parse(bytes)? else {
        return Err(WireError::Unexpected);
    };
    let channel = message.channel().ok_or(WireError::Unexpected)?;
    read_data(channel, message.data)
}

/// Reads the data of a message of this channel.
pub(crate) fn read_data(channel: Channel, data: &[u8]) -> Result<Message<'_>, WireError> {
    let message = match channel {
        Channel::TickerV2(_) => Message::TickerV2(TickerV2::parse(data)?),
        Channel::Ticker(_) => Message::Ticker(Ticker::parse(data)?),
        Channel::Execution(_) => Message::Execution(Execution::parse(data)?),
        Channel::Level2(_) => return Err(WireError::Unexpected),
    };
    of_channel(channel, message)
}

fn decode<'a>(channel: Channel, fields: &Fields<'a>) -> Result<Message<'a>, WireError> {
    let message = match channel {
        Channel::TickerV2(_) => Message::TickerV2(TickerV2::assemble(fields)?),
        Channel::Ticker(_) => Message::Ticker(Ticker::assemble(fields)?),
        Channel::Execution(_) => Message::Execution(Execution::assemble(fields)?),
        Channel::Level2(_) => return Err(WireError::Unexpected),
    };
    of_channel(channel, message)
}

/// Topic and data have to speak of the same contract.
fn of_channel(channel: Channel, message: Message<'_>) -> Result<Message<'_>, WireError> {
    let symbol = match &message {
        Message::TickerV2(ticker) => ticker.symbol,
        Message::Ticker(ticker) => ticker.symbol,
        Message::Execution(execution) => execution.symbol,
        Message::ServerTime(_) | Message::Contracts(_) => return Err(WireError::Unexpected),
    };
    if symbol == channel.symbol() {
        Ok(message)
    } else {
        Err(WireError::Mismatch { field: "symbol" })
    }
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
