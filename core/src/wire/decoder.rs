//! What a frame is and says: the readers of one connection, the cheapest first.
//!
//! 1. The delta of a symbol that was read before and looks the same: [`Decoder::find_delta`].
//! 2. A ticker or a trade, or another symbol's delta, that looks like earlier ones of its channel.
//! 3. Any usual message, in one walk; what it looks like is remembered of the channels of 1 and 2, and what its
//!    topic is of all.
//! 4. All the rest: control frames, and what is unusual or wrong.

use super::delta::Delta;
use super::fields::{Fields, Position};
use super::frame::{Frame, MessageFrame};
use super::known_topics::KnownTopics;
use super::level2::{DeltaParser, FoundSymbol};
use super::message::{Content, Data, DataPlace, Named};
use super::template::MessageParser;
use super::values::Values;
use crate::channel::{Channel, ChannelKind, Read};
use crate::error::WireError;
use crate::ids::TopicId;

/// What was learned of one connection; most of it holds for the next, too.
#[derive(Clone)]
pub(crate) struct Decoder {
    deltas: DeltaParser,
    messages: MessageParser,
    topics: KnownTopics,
}

/// A frame that begins like the last one of its symbol, and has not been read yet.
#[derive(Clone, Copy)]
pub(crate) struct FoundDelta<'a> {
    deltas: &'a DeltaParser,
    symbol: FoundSymbol<'a>,
}

/// Whom a message is for.
#[derive(Clone, Copy)]
pub(crate) struct Route {
    pub(crate) topic: TopicId,
    /// It is the topic that the message came under, and not one of everything.
    pub(crate) is_own: bool,
}

/// Who wants what.
pub(crate) trait Routing {
    /// Whom what comes under a channel is for, if anybody wants it.
    fn route(&self, channel: Channel) -> Option<Route>;

    /// Whether a topic is wanted still.
    fn is_wanted(&self, topic: TopicId) -> bool;
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
        Self {
            deltas: DeltaParser::new(),
            messages: MessageParser::new(),
            topics: KnownTopics::default(),
        }
    }

    /// What seems to be a delta, and of which topic. Nothing else has been looked at.
    #[inline]
    pub(crate) fn find_delta(&self, bytes: &[u8]) -> Option<FoundDelta<'_>> {
        Some(FoundDelta { deltas: &self.deltas, symbol: self.deltas.find(bytes)? })
    }

    /// Reads any other frame. `routing` says who wants what comes under a channel.
    pub(crate) fn decode<'a>(&mut self, bytes: &'a [u8], routing: &impl Routing) -> Decoded<'a> {
        let tag_of = |channel| routing.route(channel).map(|route| route.topic.get());
        if let Some((tag, values)) = self.messages.read(bytes, tag_of) {
            return Decoded::Message(TopicId::new(tag), Said::read(values));
        }
        if let Some((met, delta)) = self.deltas.match_layout(bytes)
            && let Some(Route { topic, .. }) = routing.route(Channel::level2(met.symbol))
        {
            self.deltas.remember(met, delta.sequence, topic.get());
            return Decoded::Delta(topic, delta, false);
        }
        let known = |text: &[u8]| self.topics.find(text);
        if let Some((named, content, has_odd_time)) = Content::read(bytes, known) {
            let Some(topic) = self.topic_of(named, routing) else { return Decoded::Unwanted };
            return self.take(bytes, (named.channel, topic), content, has_odd_time);
        }
        match Frame::parse(bytes) {
            Ok(Frame::Message(message)) => self.take_unusual(bytes, message, routing),
            Ok(control) => Decoded::Control(control),
            Err(_) => Decoded::Malformed,
        }
    }

    /// Whom a message is for.
    fn topic_of(&mut self, named: Named<'_>, routing: &impl Routing) -> Option<TopicId> {
        // It may have ended since, and who asked for everything has it then.
        if let Some(topic) = named.met_as.filter(|&topic| routing.is_wanted(topic)) {
            return Some(topic);
        }
        let Route { topic, is_own } = routing.route(named.channel)?;
        // What goes to those who asked for everything may be asked for by itself later.
        if is_own {
            self.topics.insert(named.text, named.channel, topic);
        }
        Some(topic)
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
        routing: &impl Routing,
    ) -> Decoded<'a> {
        let routed =
            message.channel().and_then(|channel| Some((channel, routing.route(channel)?.topic)));
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
            Some(Read::Data(..) | Read::Delta) | None => {
                let values = DataPlace::of(&data, bytes).map(|place| Ok(Values::Later(place)));
                // It has no sequence that is known.
                Said { position: None, values, has_odd_time: false }
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

impl FoundDelta<'_> {
    /// The topic that it is of, if it is a delta.
    #[inline]
    pub(crate) const fn topic(&self) -> TopicId {
        TopicId::new(self.symbol.tag())
    }

    /// Reads it, if all of it looks like the last one of its symbol.
    #[inline]
    pub(crate) fn read(self, bytes: &[u8]) -> Option<Delta> {
        self.deltas.read_found(self.symbol, bytes)
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
