//! A whole message, read once: envelope and data in one go, whichever stands first.
//!
//! It only ever succeeds. What is not a usual message of a channel that this version knows (another
//! type, an escape in a name, a key twice, bytes that are no JSON) is left to
//! [`Frame::parse`](super::Frame::parse) and the readers of its data, which say the same of all
//! that is read here.

use super::delta::Delta;
use super::fields::{Fields, Position};
use super::frame::Frame;
use super::kept::Kept;
use super::swar;
use super::text::Text;
use super::values::{Place, Values};
use super::walk::{self, Kind, Token};
use crate::channel::{Channel, ChannelKind, Read};
use crate::error::WireError;
use crate::ids::{Symbol, TopicId};
use crate::message::{Message, UnknownMessage};

/// What a usual message says.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Content {
    Delta(Delta),
    /// Where it stands, and what it says; `None` if that is too large to be kept.
    Message(Option<Position>, Option<Values>),
}

impl Content {
    /// Reads a whole frame in one go, and says what it came under, and whether a time in it cannot be read;
    /// `None` if it is not of the usual kind. `known` says what a topic is that was met before.
    // Apart from the frames that are read by templates and layouts, which are most.
    #[inline(never)]
    pub(crate) fn read(
        bytes: &[u8],
        known: impl Fn(&[u8]) -> Option<(Channel, TopicId)>,
    ) -> Option<(Named<'_>, Self, bool)> {
        let mut skimmed = Skimmed { fields: None, kept: None };
        let RawMessage { named, subject, data } = RawMessage::read(bytes, &mut skimmed, known)?;
        let channel = named.channel;
        let later = || DataPlace::new(channel, subject, data).map(Values::Later);
        let Some(fields) = skimmed.fields else {
            let subject = subject.and_then(|place| place.unescaped(bytes));
            let is_first = channel.kind().is_first(subject);
            let is_kept = skimmed.kept.as_mut().is_some_and(|kept| kept.put_under(channel));
            let values = match skimmed.kept {
                Some(kept) if is_kept && is_first => Values::Kept(kept),
                _ => later()?,
            };
            return Some((named, Self::Message(None, Some(values)), false));
        };
        // Most frames that come here are of this one, which has nothing else to say.
        if channel.kind() == ChannelKind::Level2 {
            let delta = Delta::assemble(&fields).ok()?;
            return Some((named, Self::Delta(delta), fields.has_odd_time()));
        }
        let text = match subject {
            Some(place) => Some(place.text(bytes)?),
            None => None,
        };
        let Some(Read::Fields(_, read)) = channel.reader(text) else {
            return Some((named, Self::Message(None, Some(later()?)), false));
        };
        let message = channel.assemble(read, &fields).ok()?;
        let values = Values::of(&message, bytes);
        // A depth is read as its place is; of the others a time may be in another unit.
        let position = match values {
            Some(values @ (Values::Depth5(_) | Values::Depth50(_))) => values.position(),
            _ => Position::of(&fields),
        };
        let content = Self::Message(position, values);
        Some((named, content, fields.has_odd_time()))
    }
}

/// What was taken out of data on the way: either what its keys have, or, of data that is read when it is asked for,
/// what it says if that is little.
struct Skimmed<'a> {
    fields: Option<Fields<'a>>,
    kept: Option<Kept>,
}

/// What a message came under.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Named<'a> {
    /// As the frame has it.
    pub(crate) text: &'a [u8],
    pub(crate) channel: Channel,
    /// Whom it was for when it was met before: a topic that may have ended since.
    pub(crate) met_as: Option<TopicId>,
}

impl<'a> Named<'a> {
    fn read(text: &'a [u8], known: impl Fn(&[u8]) -> Option<(Channel, TopicId)>) -> Option<Self> {
        let (channel, met_as) = match known(text) {
            Some((channel, topic)) => (channel, Some(topic)),
            None => (Channel::from_bytes(text)?, None),
        };
        Some(Self { text, channel, met_as })
    }
}

/// What a message says, as it stands in a frame.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Data<'a> {
    /// What it came under.
    pub(crate) channel: Channel,
    /// What it is about.
    pub(crate) subject: Option<Text<'a>>,
    /// The value of `data`.
    pub(crate) bytes: &'a [u8],
}

impl<'a> Data<'a> {
    /// The message, if it is about something that this version knows.
    pub(crate) fn read(&self) -> Result<Message<'a>, WireError> {
        match self.channel.reader(self.subject) {
            Some(Read::Data(_, read)) => read(self),
            Some(Read::Fields(keys, read)) => {
                Fields::parse(self.bytes, keys, |fields| self.channel.assemble(read, fields))
            }
            Some(Read::Delta) => Err(WireError::Unexpected),
            None => {
                let Self { channel, subject, bytes } = *self;
                Ok(Message::Unknown(UnknownMessage { channel, subject, data: bytes }))
            }
        }
    }

    /// Whether the data speaks of the topic's contract.
    pub(crate) fn check(&self, said: Symbol) -> Result<(), WireError> {
        match self.channel.symbol() {
            Some(symbol) if symbol != said => Err(WireError::Mismatch { field: "symbol" }),
            _ => Ok(()),
        }
    }

    /// The contract of the topic, where the data says none.
    pub(crate) fn fill(&self, said: &mut Option<Symbol>) -> Result<(), WireError> {
        match *said {
            Some(symbol) => self.check(symbol),
            None => {
                *said = self.channel.symbol();
                Ok(())
            }
        }
    }
}

/// How to read the data of a message.
type Reader = for<'a> fn(&Data<'a>) -> Result<Message<'a>, WireError>;

/// Where a message's data stands in a frame, to be read later.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct DataPlace {
    channel: Channel,
    subject: Option<Place>,
    start: u32,
    end: u32,
}

impl DataPlace {
    /// `None` if it is too far out.
    fn new(channel: Channel, subject: Option<Place>, (start, end): (usize, usize)) -> Option<Self> {
        let (start, end) = (u32::try_from(start).ok()?, u32::try_from(end).ok()?);
        Some(Self { channel, subject, start, end })
    }

    /// The message that stands there.
    pub(crate) fn read(self, bytes: &[u8]) -> Result<Message<'_>, WireError> {
        match self.usual(bytes) {
            Some((read, data)) => read(&data),
            None => self.on(bytes).ok_or(WireError::Unexpected)?.read(),
        }
    }

    /// Its data, and how to read it. `None` if its subject is none that is known, letter by letter, or these bytes
    /// have nothing there.
    #[inline]
    fn usual(self, bytes: &[u8]) -> Option<(Reader, Data<'_>)> {
        let subject = match self.subject {
            Some(place) => Some(place.unescaped(bytes)?),
            None => None,
        };
        let Some(Read::Data(_, read)) = self.channel.kind().reader(subject) else { return None };
        let bytes = bytes.get(self.start as usize..self.end as usize)?;
        Some((read, Data { channel: self.channel, subject: None, bytes }))
    }

    /// Of a message that lies in these bytes.
    pub(crate) fn of(data: &Data<'_>, bytes: &[u8]) -> Option<Self> {
        let subject = match data.subject {
            Some(subject) => Some(Place::of(subject, bytes)?),
            None => None,
        };
        let start = data.bytes.as_ptr().addr().checked_sub(bytes.as_ptr().addr())?;
        Self::new(data.channel, subject, (start, start.checked_add(data.bytes.len())?))
    }

    /// What stands there; `None` if these bytes have nothing there.
    fn on(self, bytes: &[u8]) -> Option<Data<'_>> {
        let subject = match self.subject {
            Some(place) => Some(place.text(bytes)?),
            None => None,
        };
        let bytes = bytes.get(self.start as usize..self.end as usize)?;
        Some(Data { channel: self.channel, subject, bytes })
    }
}

/// Reads the message of a topic in two goes, whatever it is: what is wrong, if something is.
pub(crate) fn read_message(bytes: &[u8]) -> Result<Message<'_>, WireError> {
    let Frame::Message(message) = Frame::parse(bytes)? else {
        return Err(WireError::Unexpected);
    };
    message.decode()
}

/// What a message is about, and its data.
struct RawMessage<'a> {
    named: Named<'a>,
    subject: Option<Place>,
    /// Where its data begins and ends.
    data: (usize, usize),
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
    fn read(
        bytes: &'a [u8],
        skimmed: &mut Skimmed<'a>,
        known: impl Fn(&[u8]) -> Option<(Channel, TopicId)>,
    ) -> Option<Self> {
        let (mut named, mut seen) = (None::<Named<'_>>, 0);
        let (mut subject, mut data) = (None, (0, 0));
        let mut first = walk::first_key(bytes)?;
        if let Some(head) = Head::read(bytes) {
            named = Some(Named::read(bytes.get(head.topic.0..head.topic.1)?, &known)?);
            seen = TOPIC | KIND;
            if let Some((start, end)) = head.subject {
                subject = Some(Place::new(start, end)?);
                seen |= SUBJECT;
            }
            first = head.end;
        }
        let visit = |name: &[u8], at| {
            let key = bit(name);
            if seen & key != 0 {
                return None;
            }
            seen |= key;
            if key == DATA {
                let end = match named.and_then(|named| named.channel.kind().skim()) {
                    Some(skim) => skim(bytes, at, &mut skimmed.kept)?,
                    None => skimmed.fields.insert(Fields::new(bytes)).collect(at, 2)?,
                };
                data = (at, end);
                return Some(end);
            }
            let (Token { start, end, kind }, behind) = walk::value(bytes, at, 1)?;
            match (key, kind) {
                (TOPIC, Kind::Text) => named = Some(Named::read(bytes.get(start..end)?, &known)?),
                (KIND, Kind::Text) if bytes.get(start..end)? == b"message" => {}
                (SUBJECT, Kind::Text) => subject = Some(Place::new(start, end)?),
                (0 | ID | CODE | TIMESTAMP, _) => {}
                _ => return None,
            }
            Some(behind)
        };
        let end = walk::members(bytes, first, visit)?;
        // Some published samples of messages lack the type.
        let is_whole = seen & DATA != 0 && walk::is_end(bytes, end);
        Some(Self { named: named?, subject, data }).filter(|_| is_whole)
    }
}

/// What nearly all messages begin with: a topic, the type, and mostly the subject.
struct Head {
    topic: (usize, usize),
    subject: Option<(usize, usize)>,
    /// Where the next key begins.
    end: usize,
}

impl Head {
    /// `None` for a frame that begins in another way, which it may.
    #[inline]
    fn read(bytes: &[u8]) -> Option<Self> {
        let topic = literal(bytes, 0, b"{\"topic\":\"")?;
        let topic_end = text_end(bytes, topic)?;
        let end = literal(bytes, topic_end, b"\",\"type\":\"message\",")?;
        let head = Self { topic: (topic, topic_end), subject: None, end };
        let subject = || {
            let start = literal(bytes, end, b"\"subject\":\"")?;
            let text_end = text_end(bytes, start)?;
            let end = literal(bytes, text_end, b"\",")?;
            Some(Self { subject: Some((start, text_end)), end, ..head })
        };
        Some(subject().unwrap_or(head))
    }
}

/// Behind these bytes, if they stand there.
#[inline]
fn literal(bytes: &[u8], at: usize, expected: &[u8]) -> Option<usize> {
    let is_there = bytes.get(at..)?.starts_with(expected);
    is_there.then(|| at.wrapping_add(expected.len()))
}

/// Where a text ends that begins there, if it is nothing but ASCII without escapes.
#[inline]
fn text_end(bytes: &[u8], at: usize) -> Option<usize> {
    Some(at.wrapping_add(swar::text_len(bytes.get(at..)?)))
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
