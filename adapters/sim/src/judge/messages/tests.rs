#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

use std::collections::BTreeSet;
use std::time::Duration;

use kucoin_futures_proto::wire::Frame;
use kucoin_futures_proto::{Channel, ChannelKind, Message, Sequence};

use super::follow::Followed;
use super::values::Truths;
use super::{Heard, Position};
use crate::{Scenario, World, WorldEvent};

/// Two contracts and all their channels around midnight.
const MIDNIGHT: &str = "seed 3
clients 1
symbols 2
depth 20
rate_per_ks 20000
latency_us 20000
snapshot_levels 1000
stale_by 100
ping_interval_ms 18000
ping_timeout_ms 10000
lifetime_ms 86400000
max_pending 8192
max_queued 65536
backoff_cap_ms 60000
symbols_per_frame 100
channels 1
midnight_ms 20000
at 4s one-sided XBTUSDTM
at 6s push-old * 40
";

fn world() -> (World, Vec<String>) {
    let scenario: Scenario = MIDNIGHT.parse().unwrap();
    let mut world = scenario.world().unwrap();
    world.remember_happenings();
    world.run_for(Duration::from_secs(35)).unwrap();
    let pushes = world.take_happenings().into_iter().filter_map(|(_, happening)| {
        let WorldEvent::Push(bytes) = happening else { return None };
        Some(String::from_utf8(bytes.to_vec()).unwrap())
    });
    let pushes = pushes.collect();
    (world, pushes)
}

/// What the judge says of a frame, by itself; `None` if it cannot be read.
fn verdict(world: &World, frame: &str) -> Option<Result<(), String>> {
    let Ok(Frame::Message(said)) = Frame::parse(frame.as_bytes()) else { return None };
    let channel = said.channel()?;
    let mut message = said.decode().ok()?;
    if let Message::Candle(candle) = &mut message {
        candle.interval = channel.interval();
    }
    let market = world.exchange().market(message.symbol().or_else(|| channel.symbol())?)?;
    Some(Truths { market, channel, book: &mut Followed::default() }.check(&message))
}

/// Keys whose numbers nothing depends on, or that come twice.
const IDLE: [&str; 4] = ["period", "timestamp", "time", "symbol"];

/// The frame with each number of its data in turn one higher in its last digit.
fn changed(frame: &str) -> Vec<String> {
    let (head, data) = frame.split_once(r#""data":"#).unwrap();
    let bytes = data.as_bytes();
    let mut frames = Vec::new();
    let mut key = String::new();
    for (at, piece) in data.match_indices('"').map(|(at, _)| at).zip(data.split('"').skip(1)) {
        if bytes.get(at + 1 + piece.len() + 1) == Some(&b':') {
            key = piece.into();
        }
        let is_idle = IDLE.contains(&key.as_str());
        // The numbers between this quote and the next.
        let ends = piece.char_indices().filter(|(end, c)| {
            let next = piece[end + 1..].chars().next();
            c.is_ascii_digit() && !is_idle && next.is_none_or(|c| !c.is_ascii_digit() && c != '.')
        });
        for (end, digit) in ends {
            let other = char::from(b'0' + (digit as u8 - b'0' + 1) % 10);
            let end = at + 1 + end;
            let rest = &data[end + 1..];
            frames.push(format!(r#"{head}"data":{}{other}{rest}"#, &data[..end]));
        }
    }
    frames
}

#[test]
fn every_number_of_every_message_is_held_against_the_truth() {
    let (world, pushes) = world();
    let mut kinds = BTreeSet::new();
    let mut lies = 0;
    for frame in pushes.iter().step_by(7).chain(pushes.iter().filter(|f| f.contains("funding"))) {
        assert_eq!(verdict(&world, frame), Some(Ok(())), "{frame}");
        let Ok(Frame::Message(said)) = Frame::parse(frame.as_bytes()) else { panic!("{frame}") };
        // A candle begins at a time that is written like a price.
        kinds.insert((said.channel().unwrap().kind(), said.subject.unwrap().raw().to_owned()));
        for lie in changed(frame) {
            lies += 1;
            assert!(!matches!(verdict(&world, &lie), Some(Ok(()))), "{lie}\nis not {frame}");
        }
    }
    assert!(lies > 10_000, "{lies}");
    assert!(kinds.contains(&(ChannelKind::Announcements, "funding.begin".into())), "{kinds:?}");
    assert!(kinds.contains(&(ChannelKind::Announcements, "funding.end".into())), "{kinds:?}");
    // Level2 makes no messages; the instrument makes two kinds.
    assert_eq!(kinds.len(), 11, "{kinds:?}");
}

#[test]
fn what_was_seen_is_not_new_unless_its_counter_was_set_back() {
    let at = |sequence, ts| Some(Position { sequence: Sequence::new(sequence), ts });
    let symbol = "XBTUSDTM".parse().unwrap();
    let mut trades = Heard::new(Channel::execution(symbol));
    assert_eq!(trades.take(at(10, 100)), Ok(()));
    assert!(trades.take(at(10, 100)).is_err(), "twice");
    assert!(trades.take(at(9, 99)).is_err(), "back in time");
    assert_eq!(trades.take(at(11, 100)), Ok(()));
    assert_eq!(trades.take(at(5, 101)), Ok(()), "another run of the counter");
    let mut marks = Heard::new(Channel::instrument(symbol));
    assert_eq!((marks.take(at(10, 100)), marks.take(at(10, 100))), (Ok(()), Ok(())));
}
