//! One call of a client: what it was told, and when.

use kucoin_futures_proto::{Command, ConnId, Input, Instant, RequestId};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::wire::{Put as _, Take};

/// What a client was told, or that it was asked for outputs.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Call<'a> {
    Input(Input<'a>),
    Command(Command),
    /// Its outputs were asked for outside of a turn, until there were no more.
    Poll,
}

/// A call with its time.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Record<'a> {
    pub(crate) now: Instant,
    pub(crate) call: Call<'a>,
    /// Its turn was asked until it had no more. Of inputs alone; of one without, only the message was taken.
    pub(crate) is_drained: bool,
}

const TIMEOUT: u8 = 1;
const OPENED: u8 = 2;
const TEXT: u8 = 3;
const BINARY: u8 = 4;
const LOST: u8 = 5;
const REPLY: u8 = 6;
const FAILED: u8 = 7;
const COMMAND: u8 = 8;
const POLL: u8 = 9;
/// Set in the kind of a record that is drained.
pub(crate) const DRAINED: u8 = 0x80;

/// Puts the kind and the time of a record behind what is there. `before` is the time of the record before, or of the
/// block if it is the first.
#[inline]
pub(crate) fn put_head(bytes: &mut Vec<u8>, kind: u8, before: Instant, now: Instant) {
    bytes.push(kind);
    bytes.put_signed(now.as_nanos().wrapping_sub(before.as_nanos()) as i64);
}

/// Puts the rest behind what is there, and says what kind it is, not yet drained. `text` are the bytes of a frame or a
/// body, in place of those in `call`.
#[inline]
pub(crate) fn put_rest(bytes: &mut Vec<u8>, call: &Call<'_>, text: &[u8]) -> u8 {
    match call {
        Call::Input(Input::Text { conn, .. }) => {
            bytes.put_number(u64::from(conn.get()));
            bytes.put_piece(text);
            TEXT
        }
        Call::Input(Input::Timeout) => TIMEOUT,
        Call::Input(Input::Opened { conn }) => {
            bytes.put_number(u64::from(conn.get()));
            OPENED
        }
        Call::Input(Input::Binary { conn }) => {
            bytes.put_number(u64::from(conn.get()));
            BINARY
        }
        Call::Input(Input::Lost { conn, error }) => {
            bytes.put_number(u64::from(conn.get()));
            put_json(bytes, error);
            LOST
        }
        Call::Input(Input::Reply { request, head, .. }) => {
            bytes.put_number(u64::from(request.get()));
            put_json(bytes, head);
            bytes.put_piece(text);
            REPLY
        }
        Call::Input(Input::Failed { request, error }) => {
            bytes.put_number(u64::from(request.get()));
            put_json(bytes, error);
            FAILED
        }
        Call::Command(command) => {
            put_json(bytes, command);
            COMMAND
        }
        Call::Poll => POLL,
    }
}

/// Takes the record at the front; `None` if it is none.
#[inline]
pub(crate) fn take<'a>(bytes: &mut Take<'a>, before: Instant) -> Option<Record<'a>> {
    let kind = bytes.byte()?;
    let pause = bytes.signed()?;
    let now = Instant::from_nanos(before.as_nanos().wrapping_add(pause as u64));
    let call = match kind & !DRAINED {
        TEXT => {
            let conn = ConnId::new(bytes.id()?);
            Call::Input(Input::Text { conn, bytes: bytes.piece()? })
        }
        TIMEOUT => Call::Input(Input::Timeout),
        OPENED => Call::Input(Input::Opened { conn: ConnId::new(bytes.id()?) }),
        BINARY => Call::Input(Input::Binary { conn: ConnId::new(bytes.id()?) }),
        LOST => {
            let conn = ConnId::new(bytes.id()?);
            Call::Input(Input::Lost { conn, error: take_json(bytes)? })
        }
        REPLY => {
            let request = RequestId::new(bytes.id()?);
            let head = take_json(bytes)?;
            Call::Input(Input::Reply { request, head, body: bytes.piece()? })
        }
        FAILED => {
            let request = RequestId::new(bytes.id()?);
            Call::Input(Input::Failed { request, error: take_json(bytes)? })
        }
        COMMAND => Call::Command(take_json(bytes)?),
        POLL => Call::Poll,
        _ => return None,
    };
    Some(Record { now, call, is_drained: kind & DRAINED != 0 })
}

/// What is rare is written so that a person can read it, too.
fn put_json(bytes: &mut Vec<u8>, value: &impl Serialize) {
    // Plain values without maps: it cannot fail.
    bytes.put_piece(&serde_json::to_vec(value).unwrap_or_default());
}

fn take_json<T: DeserializeOwned>(bytes: &mut Take<'_>) -> Option<T> {
    serde_json::from_slice(bytes.piece()?).ok()
}

#[cfg(test)]
mod tests {
    use core::time::Duration;

    use kucoin_futures_proto::{
        Channel, Command, ConnId, Granularity, Input, Instant, Interval, Query, RequestId,
        ResponseHead, TimeRange, TopicId, TransportError, UnixNanos,
    };

    use super::{Call, Record, Take, put_head, put_rest, take};

    #[test]
    fn every_call_comes_back() {
        let symbol = "XBTUSDTM".parse().unwrap();
        let (conn, request, topic) = (ConnId::new(300), RequestId::new(u32::MAX), TopicId::new(0));
        let mut head = ResponseHead::new(429);
        head.header("gw-ratelimit-reset", "1178");
        let query = Query::Klines {
            symbol,
            granularity: Granularity::Min15,
            range: TimeRange { from: Some(UnixNanos::from_nanos(1)), ..TimeRange::default() },
        };
        let error = TransportError::Reset;
        let calls = [
            Call::Input(Input::Timeout),
            Call::Input(Input::Opened { conn }),
            Call::Input(Input::Text { conn, bytes: b"{}" }),
            Call::Input(Input::Binary { conn }),
            Call::Input(Input::Lost { conn, error }),
            Call::Input(Input::Reply { request, head, body: b"[]" }),
            Call::Input(Input::Failed { request, error }),
            Call::Command(Command::Subscribe {
                channel: Channel::candles(symbol, Interval::Hour4),
            }),
            Call::Command(Command::Unsubscribe { topic }),
            Call::Command(Command::Fetch { query }),
            Call::Command(Command::Fetch { query: Query::Contracts }),
            Call::Command(Command::Verify { topic }),
            Call::Command(Command::FollowAccount),
            Call::Command(Command::UnfollowAccount),
            Call::Command(Command::ReplaceLines),
            Call::Command(Command::Close),
            Call::Poll,
        ];
        // A clock may be seen to go back.
        let times = [5, 5, 1_000_000_000, 7].map(Instant::from_nanos).into_iter().cycle();
        let (mut bytes, mut before) = (Vec::new(), Instant::ZERO);
        let records: Vec<_> = calls.into_iter().zip(times).collect();
        for (call, now) in &records {
            let text: &[u8] = match call {
                Call::Input(Input::Text { bytes, .. }) => bytes,
                Call::Input(Input::Reply { body, .. }) => body,
                _ => b"",
            };
            let mut rest = Vec::new();
            let kind = put_rest(&mut rest, call, text);
            put_head(&mut bytes, kind, before, *now);
            bytes.extend_from_slice(&rest);
            before = *now;
        }
        let mut left = Take(&bytes);
        before = Instant::ZERO;
        for (call, now) in records {
            let expected = Record { now, call, is_drained: false };
            assert_eq!(take(&mut left, before), Some(expected));
            before = now;
        }
        assert!(left.0.is_empty());
        assert_eq!(Instant::ZERO + Duration::from_secs(1), Instant::from_nanos(1_000_000_000));
    }
}
