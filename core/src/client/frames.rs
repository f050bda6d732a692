//! What becomes of a message: to whom it goes, and what of it the user gets.

use super::{Client, count};
use crate::channel::Channel;
use crate::context::Context;
use crate::ids::TopicId;
use crate::line::Line;
use crate::push::{Kind, Push, Said};
use crate::topics::{Routed, Topics};
use crate::wire::{Content, Decoded, Delta, Frame, MessageFrame, Position, read_data};

impl Client {
    /// A frame that does not look like the last delta of its symbol. Apart from those, which are most and
    /// should not wait for what this needs.
    #[inline(never)]
    pub(super) fn on_other<'a>(
        line: &mut Line,
        cx: &mut Context,
        topics: &mut Topics,
        bytes: &'a [u8],
    ) -> Option<Push<'a>> {
        if let Some((topic, decoded)) = line.read_message(bytes, topics) {
            return Self::on_decoded(cx, topics, topic, decoded, bytes);
        }
        if let Some((topic, delta)) = line.match_delta(bytes, topics) {
            let routed = topics.on_delta(cx, line.id(), topic, delta);
            Self::hand_out(cx, routed);
            return None;
        }
        if let Some((channel, content)) = Content::read(bytes) {
            return Self::on_content(line, cx, topics, channel, content, bytes);
        }
        match Frame::parse(bytes) {
            Ok(Frame::Message(message)) => {
                return Self::on_message(line, cx, topics, message, bytes);
            }
            Ok(Frame::Welcome(welcome)) => line.on_welcome(cx, topics, welcome),
            Ok(Frame::Pong(pong)) => line.on_pong(cx, pong),
            Ok(Frame::Ack(ack)) => line.on_ack(cx, topics, ack),
            Ok(Frame::Error(error)) => line.on_error(cx, topics, error),
            Ok(Frame::Other) => count(&mut cx.stats.unknown),
            Err(_) => count(&mut cx.stats.malformed),
        }
        None
    }

    /// A message that was read in one go.
    fn on_content<'a>(
        line: &mut Line,
        cx: &mut Context,
        topics: &mut Topics,
        channel: Channel,
        content: Content,
        bytes: &'a [u8],
    ) -> Option<Push<'a>> {
        let topic = if line.is_ready() { topics.route(channel) } else { None };
        let Some(topic) = topic else {
            Self::hand_out(cx, Routed::Unwanted);
            return None;
        };
        match content {
            Content::Delta(delta) => {
                line.learn_delta(bytes, channel.symbol(), delta, topic);
                let routed = topics.on_delta(cx, line.id(), topic, delta);
                Self::hand_out(cx, routed);
                None
            }
            Content::Decoded(decoded) => {
                line.learn_message(bytes, channel);
                Self::on_decoded(cx, topics, topic, decoded, bytes)
            }
        }
    }

    fn on_decoded<'a>(
        cx: &mut Context,
        topics: &mut Topics,
        topic: TopicId,
        decoded: Decoded,
        bytes: &'a [u8],
    ) -> Option<Push<'a>> {
        let routed = topics.on_push(cx, topic, decoded.position());
        let topic = Self::hand_out(cx, routed)?;
        Some(Push::new(Kind::Topic(topic, Said::of(bytes, Ok(decoded))), bytes))
    }

    /// A message that is unusual or wrong.
    fn on_message<'a>(
        line: &mut Line,
        cx: &mut Context,
        topics: &mut Topics,
        message: MessageFrame<'_>,
        bytes: &'a [u8],
    ) -> Option<Push<'a>> {
        let channel = message.channel().filter(|_| line.is_ready());
        let routed = channel.and_then(|channel| Some((channel, topics.route(channel)?)));
        let (routed, said) = match routed {
            None => (Routed::Unwanted, Said::Unread),
            Some((Channel::Level2(symbol), topic)) => {
                let routed = match Delta::parse(message.data) {
                    Ok(delta) => {
                        line.learn_delta(bytes, symbol, delta, topic);
                        topics.on_delta(cx, line.id(), topic, delta)
                    }
                    Err(error) => topics.on_poison(cx, line.id(), topic, error),
                };
                (routed, Said::Unread)
            }
            Some((channel, topic)) => {
                let routed = topics.on_push(cx, topic, Position::of_data(message.data));
                (routed, Said::again(bytes, read_data(channel, message.data)))
            }
        };
        let topic = Self::hand_out(cx, routed)?;
        Some(Push::new(Kind::Topic(topic, said), bytes))
    }

    /// The topic that the user gets a message of.
    pub(super) fn hand_out(cx: &mut Context, routed: Routed) -> Option<TopicId> {
        match routed {
            Routed::Book => None,
            Routed::Repeat => {
                count(&mut cx.stats.repeats);
                None
            }
            Routed::Unwanted => {
                count(&mut cx.stats.unwanted);
                None
            }
            Routed::Push(topic) => {
                count(&mut cx.stats.pushes);
                Some(topic)
            }
        }
    }
}
