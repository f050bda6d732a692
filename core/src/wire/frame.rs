//! The envelope of every WebSocket frame the server sends.

use core::fmt;

use serde::Serialize;

use super::exchange_time::{Time, Unit};
use super::message::Data;
use super::scan::{Scanner, Value, once};
use super::text::Text;
use crate::channel::Channel;
use crate::error::WireError;
use crate::message::Message;
use crate::time::UnixNanos;

/// A server frame, told apart by its `type`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum Frame<'a> {
    /// `{"id":"<connectId>","type":"welcome"}`: the session may be used from now on.
    Welcome(Welcome<'a>),
    /// `{"id":"<same as the ping's>","type":"pong","timestamp":<microseconds>}`.
    Pong(Pong<'a>),
    /// `{"id":"<request id>","type":"ack"}`, for subscribe and unsubscribe alike.
    Ack(Ack<'a>),
    /// `{"id":?,"type":"error","code":<number>,"data":"<text>"}`.
    Error(ErrorFrame<'a>),
    /// `{"type":"message","topic":..,"subject":..,"data":{..}}`.
    Message(MessageFrame<'a>),
    /// A type that this version does not know (`notice`, `command`, ...): to be ignored.
    Other,
}

/// The first frame of a session.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct Welcome<'a> {
    /// The connect id, echoed.
    pub id: Option<FrameId<'a>>,
}

/// The answer to a ping.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct Pong<'a> {
    /// The ping's id, echoed.
    pub id: Option<FrameId<'a>>,
    /// The server's time; from microseconds, absent in old captures. One that cannot be read is none.
    pub timestamp: Option<UnixNanos>,
    /// A time stands there that cannot be read.
    pub has_odd_time: bool,
}

/// The confirmation of a request.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct Ack<'a> {
    /// The request's id, echoed.
    pub id: Option<FrameId<'a>>,
}

/// A refusal, of a request or of the whole connection.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct ErrorFrame<'a> {
    /// The id of the request, or one that the server made, or none: not to be waited for.
    pub id: Option<FrameId<'a>>,
    /// The number; several different refusals share 400 and 509.
    pub code: u32,
    /// What the number and the text mean together.
    pub kind: ErrorKind,
    /// The text as it came; empty if there is none. It may be hostile: see
    /// [`Client::words`](crate::Client::words) for what can be shown.
    pub text: Text<'a>,
}

/// What an error frame means, told apart by code and text.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
#[non_exhaustive]
pub enum ErrorKind {
    /// 401: the token is unknown or expired. A new one is needed.
    Unauthorized,
    /// 400 `topic is invalid`, 403, 404, 406: this topic cannot be had.
    Topic,
    /// 400 `ping timeout`: 60 s without a frame of ours; the close follows.
    PingTimeout,
    /// 509 `.. limitation of N per time`: too many symbols in one frame.
    TooManyPerFrame,
    /// 509 `.. limitation of N per session`: too many topics on this connection.
    TooManyTopics {
        /// The limit that the text names, if it names one.
        limit: Option<u32>,
    },
    /// 509 `exceed max permits per ..`: frames sent too fast; the close follows.
    TooFast,
    /// 509 `exceed max session count ..`, `service busy ..`: no room for this connection.
    Busy,
    /// 400 and 415 about a frame of ours that the server could not read: a bug on our side.
    NotUnderstood,
    /// 500 and everything unknown.
    System,
}

impl ErrorKind {
    fn classify(code: u32, text: Text<'_>) -> Self {
        let has = |word: &str| contains(text, word);
        match code {
            400 if has("ping timeout") => Self::PingTimeout,
            400 if has("topic") => Self::Topic,
            400 | 415 => Self::NotUnderstood,
            401 => Self::Unauthorized,
            403 | 404 | 406 => Self::Topic,
            509 if has("per time") => Self::TooManyPerFrame,
            509 if has("per session") => Self::TooManyTopics { limit: first_number(text) },
            509 if has("permits") => Self::TooFast,
            509 => Self::Busy,
            _ => Self::System,
        }
    }
}

fn contains(text: Text<'_>, word: &str) -> bool {
    // The texts are plain ASCII; one that needs unescaping is none of them.
    text.plain().is_some_and(|text| text.contains(word))
}

fn first_number(text: Text<'_>) -> Option<u32> {
    let digits = text.plain()?.split(|c: char| !c.is_ascii_digit());
    digits.filter(|part| !part.is_empty()).find_map(|part| part.parse().ok())
}

/// A pushed message. Its topic decides what it is; subjects are shared between channels.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct MessageFrame<'a> {
    /// For example `/contractMarket/level2:XBTUSDTM`; always of one symbol.
    pub topic: Text<'a>,
    /// For example `level2`; shared by `level2`, `level2Depth5` and `level2Depth50`.
    pub subject: Option<Text<'a>>,
    /// The `data` value, checked to be JSON.
    pub data: &'a [u8],
}

impl<'a> MessageFrame<'a> {
    /// What it says, read by its channel and subject.
    ///
    /// # Errors
    /// [`WireError::Unexpected`] for a channel that this version does not know, and for level2, whose data
    /// [`Delta::parse`](super::Delta::parse) reads; otherwise what its data lacks.
    pub fn decode(&self) -> Result<Message<'a>, WireError> {
        let channel = self.channel().ok_or(WireError::Unexpected)?;
        Data { channel, subject: self.subject, bytes: self.data }.read()
    }

    /// The channel that the topic names; `None` for one that this version does not know.
    #[must_use]
    pub fn channel(&self) -> Option<Channel> {
        Channel::from_text(self.topic)
    }
}

/// The id of a frame. Sent as a string it comes back as a string; sent as a number, as a string
/// too. Compared as text.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct FrameId<'a>(Text<'a>);

impl FrameId<'_> {
    /// Whether this is `text`.
    #[must_use]
    pub fn is(self, text: &str) -> bool {
        self.0.is(text)
    }

    /// The request counter that this id spells, in plain decimal without leading zeros.
    pub(crate) fn counter(self) -> Option<u64> {
        let text = self.0.plain()?;
        let canonical = text == "0" || !text.starts_with(['0', '+']);
        text.parse().ok().filter(|_| canonical)
    }
}

impl fmt::Display for FrameId<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.raw())
    }
}

#[derive(Default)]
struct Envelope<'a> {
    kind: Option<Text<'a>>,
    id: Option<Value<'a>>,
    topic: Option<Text<'a>>,
    subject: Option<Text<'a>>,
    code: Option<Value<'a>>,
    timestamp: Option<Value<'a>>,
    data: Option<Value<'a>>,
}

impl<'a> Frame<'a> {
    /// Reads one WebSocket text frame. Unknown keys are skipped.
    ///
    /// # Errors
    /// Not one JSON object, a used key twice, or a required key missing.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, WireError> {
        let envelope = Envelope::parse(bytes)?;
        // Some published samples of messages lack the type.
        let is = |kind| match envelope.kind {
            Some(text) => text.is(kind),
            None => kind == "message" && envelope.topic.is_some(),
        };
        if is("message") {
            return envelope.message().map(Self::Message);
        }
        let id = envelope.id()?;
        Ok(if is("pong") {
            let time = envelope.timestamp.map_or(Time::Absent, |time| Time::of(time, Unit::Micros));
            Self::Pong(Pong { id, timestamp: time.known(), has_odd_time: time == Time::Odd })
        } else if is("ack") {
            Self::Ack(Ack { id })
        } else if is("welcome") {
            Self::Welcome(Welcome { id })
        } else if is("error") {
            Self::Error(envelope.error(id)?)
        } else if envelope.kind.is_some() {
            Self::Other
        } else {
            return Err(WireError::Missing { field: "type" });
        })
    }
}

impl<'a> Envelope<'a> {
    fn parse(bytes: &'a [u8]) -> Result<Self, WireError> {
        let mut envelope = Self::default();
        let mut scanner = Scanner::of_text(bytes);
        scanner.object()?;
        let mut first = true;
        while let Some(key) = scanner.key(&mut first)? {
            let value = scanner.value()?;
            if key.is("topic") {
                once(&mut envelope.topic, value.text("topic")?, "topic")?;
            } else if key.is("type") {
                once(&mut envelope.kind, value.text("type")?, "type")?;
            } else if key.is("subject") {
                once(&mut envelope.subject, value.text("subject")?, "subject")?;
            } else if key.is("data") {
                once(&mut envelope.data, value, "data")?;
            } else if key.is("id") {
                once(&mut envelope.id, value, "id")?;
            } else if key.is("code") {
                once(&mut envelope.code, value, "code")?;
            } else if key.is("timestamp") {
                once(&mut envelope.timestamp, value, "timestamp")?;
            }
        }
        scanner.end()?;
        Ok(envelope)
    }

    fn message(&self) -> Result<MessageFrame<'a>, WireError> {
        let topic = self.topic.ok_or(WireError::Missing { field: "topic" })?;
        let data = match self.data {
            Some(Value::Object(data)) => data,
            Some(_) => return Err(WireError::WrongType { field: "data" }),
            None => return Err(WireError::Missing { field: "data" }),
        };
        Ok(MessageFrame { topic, subject: self.subject, data })
    }

    fn error(&self, id: Option<FrameId<'a>>) -> Result<ErrorFrame<'a>, WireError> {
        let code = self.code.ok_or(WireError::Missing { field: "code" })?;
        let code = code.digits("code")?;
        let code = core::str::from_utf8(code).ok().and_then(|code| code.parse().ok());
        let code = code.ok_or(WireError::OutOfRange { field: "code" })?;
        let text = match self.data {
            Some(Value::Text(text)) => text,
            _ => Text::default(),
        };
        Ok(ErrorFrame { id, code, kind: ErrorKind::classify(code, text), text })
    }

    fn id(&self) -> Result<Option<FrameId<'a>>, WireError> {
        match self.id {
            None | Some(Value::Null) => Ok(None),
            Some(Value::Text(text)) => Ok(Some(FrameId(text))),
            Some(Value::Number(digits)) => Ok(Some(FrameId(Text::unescaped(digits)))),
            Some(Value::Bool(_) | Value::Object(_) | Value::Array(_)) => {
                Err(WireError::WrongType { field: "id" })
            }
        }
    }
}
