//! What a frame is and says: the readers of one connection, the cheapest first.
//!
//! 1. The delta of a symbol that was read before and looks the same: [`Decoder::read_delta`].
//! 2. A ticker or a trade, or another symbol's delta, that looks like earlier ones of its channel.
//! 3. Any usual message, in one walk; what it looks like is remembered.
//! 4. All the rest: control frames, and what is unusual or wrong.

use super::delta::Delta;
use super::fields::{Fields, Position};
use super::frame::{Frame, MessageFrame};
use super::level2::DeltaParser;
use super::message::{Content, Data, DataPlace};
use super::template::MessageParser;
use super::values::Values;
use crate::channel::{Channel, ChannelKind, Delivery, Read};
use crate::error::WireError;
use crate::ids::TopicId;

/// What was learned of one connection; most of it holds for the next, too.
#[derive(Clone)]
pub(crate) struct Decoder {
    deltas: DeltaParser,
    messages: MessageParser,
}

/// What a frame says, to whom.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Decoded<'a> {
    /// A change of a book, and whether it has a time that cannot be read.
    Delta(TopicId, Delta, bool),
    /// A message for a book that is no delta.
    BadDelta(TopicId, WireError),
    /// A message for the user.
    Message(TopicId, Said),
    /// A message of a topic that is not wanted.
    Unwanted,
    /// A frame that concerns the connection, or of an unknown type.
    Control(Frame<'a>),
    /// Not a frame.
    Malformed,
}

/// What a message for the user says.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Said {
    /// Where it stands among those of its topic, if it says so.
    pub(crate) position: Option<Position>,
    /// `None`: too large to be kept, and read when it is asked for.
    pub(crate) values: Option<Result<Values, WireError>>,
    /// It has a time that cannot be read.
    pub(crate) has_odd_time: bool,
}

impl Decoder {
    pub(crate) fn new() -> Self {
        Self { deltas: DeltaParser::new(), messages: MessageParser::new() }
    }

    /// Reads a delta of a topic, if it looks like the last one of its symbol.
    #[inline]
    pub(crate) fn read_delta(&self, bytes: &[u8]) -> Option<(TopicId, Delta)> {
        let (known, delta) = self.deltas.read(bytes)?;
        Some((TopicId::new(known.tag()), delta))
    }

    /// Reads any other frame. `topic_of` says the topic of a channel, if it is wanted.
    pub(crate) fn decode<'a>(
        &mut self,
        bytes: &'a [u8],
        topic_of: impl Fn(Channel) -> Option<TopicId>,
    ) -> Decoded<'a> {
        let tag_of = |channel| topic_of(channel).map(TopicId::get);
        if let Some((tag, values)) = self.messages.read(bytes, tag_of) {
            return Decoded::Message(TopicId::new(tag), Said::read(values));
        }
        if let Some((met, delta)) = self.deltas.match_layout(bytes)
            && let Some(topic) = topic_of(Channel::level2(met.symbol))
        {
            self.deltas.remember(met, delta.sequence, topic.get());
            return Decoded::Delta(topic, delta, false);
        }
        if let Some((channel, content, has_odd_time)) = Content::read(bytes) {
            let Some(topic) = topic_of(channel) else { return Decoded::Unwanted };
            return self.take(bytes, (channel, topic), content, has_odd_time);
        }
        match Frame::parse(bytes) {
            Ok(Frame::Message(message)) => self.take_unusual(bytes, message, topic_of),
            Ok(control) => Decoded::Control(control),
            Err(_) => Decoded::Malformed,
        }
    }

    /// A message that was read in one walk.
    fn take<'a>(
        &mut self,
        bytes: &[u8],
        (channel, topic): (Channel, TopicId),
        content: Content,
        has_odd_time: bool,
    ) -> Decoded<'a> {
        match content {
            Content::Delta(delta) => {
                if let Some(symbol) = channel.symbol() {
                    self.deltas.learn(bytes, symbol, delta, topic.get());
                }
                Decoded::Delta(topic, delta, has_odd_time)
            }
            Content::Message(position, values) => {
                if values.is_some_and(|values| values.is_learned()) {
                    self.messages.learn(bytes, channel);
                }
                Decoded::Message(topic, Said { position, values: values.map(Ok), has_odd_time })
            }
        }
    }

    /// A message that is unusual or wrong.
    fn take_unusual<'a>(
        &mut self,
        bytes: &[u8],
        message: MessageFrame<'_>,
        topic_of: impl Fn(Channel) -> Option<TopicId>,
    ) -> Decoded<'a> {
        let routed = message.channel().and_then(|channel| Some((channel, topic_of(channel)?)));
        match routed {
            None => Decoded::Unwanted,
            Some((channel, topic)) => {
                let data = Data { channel, subject: message.subject, bytes: message.data };
                self.take_data(bytes, data, topic)
            }
        }
    }

    fn take_data<'a>(&mut self, bytes: &[u8], data: Data<'_>, topic: TopicId) -> Decoded<'a> {
        // Whatever it says that it is about: a book must not overlook what may be a change.
        if data.channel.kind() == ChannelKind::Level2 {
            return self.take_delta(bytes, data, topic);
        }
        let said = match data.channel.reader(data.subject) {
            Some(Read::Fields(keys, read)) => {
                let assemble = |fields: &Fields<'_>| {
                    let message = data.channel.assemble(read, fields)?;
                    Ok(Values::of(&message, bytes))
                };
                let read = Fields::parse_with_time(data.bytes, keys, assemble);
                let has_odd_time = matches!(read, Ok((_, true)));
                let values = read.map(|(values, _)| values).transpose();
                Said { position: Position::of_data(data.bytes), values, has_odd_time }
            }
            reader @ (Some(Read::Data(_) | Read::Delta) | None) => {
                let is_latest = data.channel.kind().delivery() == Delivery::Latest;
                // What is unknown has no sequence that is known.
                let is_ordered = is_latest && reader.is_some();
                let position = Position::of_data(data.bytes).filter(|_| is_ordered);
                let values = DataPlace::of(&data, bytes).map(|place| Ok(Values::Later(place)));
                Said { position, values, has_odd_time: false }
            }
        };
        Decoded::Message(topic, said)
    }

    fn take_delta<'a>(&mut self, bytes: &[u8], data: Data<'_>, topic: TopicId) -> Decoded<'a> {
        let Some(symbol) = data.channel.symbol() else { return Decoded::Unwanted };
        match Delta::parse_with_time(data.bytes) {
            Ok((delta, has_odd_time)) => {
                self.deltas.learn(bytes, symbol, delta, topic.get());
                Decoded::Delta(topic, delta, has_odd_time)
            }
            Err(error) => Decoded::BadDelta(topic, error),
        }
    }
}

impl Decoded<'_> {
    /// What a frame says on a connection that does not carry topics yet.
    pub(crate) fn of_control(bytes: &[u8]) -> Decoded<'_> {
        match Frame::parse(bytes) {
            Ok(Frame::Message(_)) => Decoded::Unwanted,
            Ok(control) => Decoded::Control(control),
            Err(_) => Decoded::Malformed,
        }
    }
}

impl Said {
    #[inline]
    fn read(values: Values) -> Self {
        Self { position: values.position(), values: Some(Ok(values)), has_odd_time: false }
    }
}
