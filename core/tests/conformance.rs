//! Real payloads, read from the folder that `KCF_FIXTURES` names; without it these tests are ignored.
//! The payloads belong to others and are not part of this repository. A general JSON parser is the
//! referee.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs,
    reason = "tests"
)]

#[path = "conformance/channels.rs"]
mod channels;
mod common;
#[path = "conformance/folder.rs"]
mod folder;
#[path = "conformance/rest.rs"]
mod rest;
#[path = "conformance/said.rs"]
mod said;
#[path = "conformance/side.rs"]
mod side;

use common::*;
use folder::{Folder, Group, group_of, json, values};
use kucoin_futures_proto::auth::{Credentials, KeyVersion, hmac_base64};
use kucoin_futures_proto::book::{Apply, Book, Level, Scope};
use kucoin_futures_proto::wire::{
    Delta, Depth, ErrorKind, Execution, Frame, Levels, MessageFrame, Side, Snapshot, Ticker,
    TickerV2,
};
use kucoin_futures_proto::{BookEvent, Config, Event};
use libtest_mimic::{Arguments, Trial};
use serde_json::Value as Json;
use side::{held, truth};

/// The tests of these functions, by their names.
macro_rules! tests {
    ($($test:path),+ $(,)?) => {
        [$((stringify!($test), $test as fn(&Folder))),+]
    };
}

fn main() {
    let arguments = Arguments::from_args();
    let tests = tests![
        no_payload_is_overlooked,
        every_frame_of_a_channel_has_a_readable_envelope,
        frames_of_the_session_are_told_apart,
        error_frames_mean_what_their_names_say,
        level2_frames,
        tickers,
        older_tickers,
        depths,
        trades,
        the_worked_example_of_the_documentation,
        a_captured_synchronization,
        channels::instruments_and_announcements,
        channels::figures_of_a_day,
        channels::candles,
        channels::orders,
        channels::positions,
        channels::wallets,
        channels::settings_of_contracts,
        channels::frames_of_spot_are_of_no_channel,
        signatures,
        rest::token_replies_lead_to_a_connection,
        rest::snapshots_are_read_to_the_last_level,
        rest::contract_lists_are_read_row_by_row,
        rest::a_contract_is_read_to_the_last_key,
        rest::tickers_of_rest,
        rest::trades_of_rest,
        rest::candles_of_rest,
        rest::marks_funding_and_status,
        rest::orders_positions_and_fills,
        rest::the_server_time_is_in_milliseconds,
        rest::refusals_are_told_by_their_code_whatever_the_status,
    ];
    let trial = |(name, test): (&str, fn(&Folder))| {
        let run = move || {
            test(&Folder::named().ok_or("KCF_FIXTURES names no folder")?);
            Ok(())
        };
        Trial::test(name, run).with_ignored_flag(Folder::named().is_none())
    };
    libtest_mimic::run(&arguments, tests.map(trial).into()).exit();
}

fn no_payload_is_overlooked(folder: &Folder) {
    let unknown = folder.names().into_iter().filter(|name| group_of(name).is_none());
    assert_eq!(unknown.collect::<Vec<_>>(), Vec::<String>::new());
}

const CHANNELS: [Group; 12] = [
    Group::Level2,
    Group::TickerV2,
    Group::Ticker,
    Group::Depth,
    Group::Execution,
    Group::Instrument,
    Group::Stats,
    Group::Candle,
    Group::Order,
    Group::Position,
    Group::Wallet,
    Group::UserConfig,
];

fn every_frame_of_a_channel_has_a_readable_envelope(folder: &Folder) {
    for (name, text) in CHANNELS.iter().flat_map(|&group| folder.of(group)) {
        for line in values(&name, &text) {
            let (frame, json) = (message(line), json(line));
            assert!(frame.topic.is(json["topic"].as_str().unwrap()), "{name}");
            assert_eq!(frame.subject.and_then(|s| s.plain()), json["subject"].as_str(), "{name}");
            assert_eq!(serde_json::from_slice::<Json>(frame.data).unwrap(), json["data"], "{name}");
            assert_eq!(frame.channel().unwrap().to_string(), json["topic"], "{name}");
        }
    }
}

fn frames_of_the_session_are_told_apart(folder: &Folder) {
    for (name, text) in folder.of(Group::Session) {
        for line in values(&name, &text) {
            let json = json(line);
            let id = match frame(line) {
                Frame::Welcome(welcome) => ("welcome", welcome.id),
                Frame::Ack(ack) => ("ack", ack.id),
                Frame::Pong(pong) => {
                    let micros = pong.timestamp.map(|time| time.as_nanos() / 1000);
                    assert_eq!(micros, json["timestamp"].as_u64(), "{name}");
                    ("pong", pong.id)
                }
                // A client's own frames: never received, and nothing to us if they were.
                Frame::Other => ("other", None),
                Frame::Message(message) => {
                    assert_eq!(message.data, b"{}", "{name}: an unknown tunnelId is no obstacle");
                    ("message", None)
                }
                _ => panic!("{name}: {line}"),
            };
            let kind = json["type"].as_str().unwrap();
            let ours = ["welcome", "ack", "pong", "message"].contains(&kind);
            assert_eq!(id.0, if ours { kind } else { "other" }, "{name}");
            assert!(id.1.is_none_or(|id| id.is(json["id"].as_str().unwrap())), "{name}");
        }
    }
}

fn error_frames_mean_what_their_names_say(folder: &Folder) {
    for (name, text) in folder.of(Group::ErrorFrame) {
        let rest = name.strip_prefix("ws/error_").unwrap();
        let kind = match rest.split('_').collect::<Vec<_>>()[..] {
            ["400", "ping", ..] => ErrorKind::PingTimeout,
            ["401", ..] => ErrorKind::Unauthorized,
            ["404", ..] => ErrorKind::Topic,
            ["415.json"] => ErrorKind::NotUnderstood,
            ["509", "per", "session", limit] => {
                let limit = limit.strip_suffix(".json").and_then(|limit| limit.parse().ok());
                ErrorKind::TooManyTopics { limit }
            }
            ["509", "per", "time", _] => ErrorKind::TooManyPerFrame,
            ["509", "per", "10", _] | ["509", "permits", ..] => ErrorKind::TooFast,
            _ => panic!("what does {name} mean?"),
        };
        let Frame::Error(error) = frame(&text) else { panic!("{name}") };
        let json = json(&text);
        assert_eq!((u64::from(error.code), error.kind), (json["code"].as_u64().unwrap(), kind));
        assert_eq!(error.id.map(|id| id.to_string()).as_deref(), json["id"].as_str(), "{name}");
    }
}

fn level2_frames(folder: &Folder) {
    for (name, text) in folder.of(Group::Level2) {
        let (delta, json) = (Delta::parse(message(&text).data).unwrap(), json(&text));
        let data = &json["data"];
        assert_eq!(Some(delta.sequence.get()), data["sequence"].as_u64(), "{name}");
        assert_eq!(delta.ts_event.map(|time| time.as_millis()), data["timestamp"].as_u64());
        let side = if delta.side == Side::Bid { "buy" } else { "sell" };
        let shown = format!("{},{side},{}", delta.price, delta.size);
        assert_eq!(Some(shown.as_str()), data["change"].as_str(), "{name}");
    }
}

fn tickers(folder: &Folder) {
    for (name, text) in folder.of(Group::TickerV2) {
        let (ticker, json) = (TickerV2::parse(message(&text).data).unwrap(), json(&text));
        let data = &json["data"];
        assert_eq!(Some(ticker.symbol.as_str()), data["symbol"].as_str(), "{name}");
        assert_eq!(ticker.sequence.map(|s| s.get()), data["sequence"].as_u64());
        assert_eq!(
            Some(ticker.best_bid.unwrap().price.to_string().as_str()),
            data["bestBidPrice"].as_str()
        );
        assert_eq!(
            Some(ticker.best_ask.unwrap().price.to_string().as_str()),
            data["bestAskPrice"].as_str()
        );
        assert_eq!(Some(ticker.best_bid.unwrap().size.get()), data["bestBidSize"].as_u64());
        assert_eq!(Some(ticker.best_ask.unwrap().size.get()), data["bestAskSize"].as_u64());
        assert_eq!(Some(ticker.ts_event.unwrap().as_nanos()), data["ts"].as_u64());
    }
}

fn older_tickers(folder: &Folder) {
    for (name, text) in folder.of(Group::Ticker) {
        let (ticker, json) = (Ticker::parse(message(&text).data).unwrap(), json(&text));
        let data = &json["data"];
        let ours = serde_json::json!({
            "symbol": ticker.symbol.as_str(), "sequence": ticker.sequence.get(),
            "side": ticker.taker_side.to_string(), "size": ticker.size.get(),
            "price": ticker.price.to_string(), "tradeId": ticker.trade_id.to_string(),
            "bestBidPrice": ticker.best_bid.unwrap().price.to_string(),
            "bestBidSize": ticker.best_bid.unwrap().size.get(),
            "bestAskPrice": ticker.best_ask.unwrap().price.to_string(),
            "bestAskSize": ticker.best_ask.unwrap().size.get(), "ts": ticker.ts_event.unwrap().as_nanos(),
        });
        assert_eq!(&ours, data, "{name}");
    }
}

fn depths(folder: &Folder) {
    for (name, text) in folder.of(Group::Depth) {
        let (depth, json) = (Depth::parse(message(&text).data).unwrap(), json(&text));
        let levels = |levels: Levels<'_>| {
            let level =
                |level: Level| serde_json::json!([level.price.to_string(), level.size.get()]);
            levels.iter().map(level).collect::<Json>()
        };
        let ours = serde_json::json!({
            "bids": levels(depth.bids), "asks": levels(depth.asks),
            "sequence": depth.sequence.unwrap().get(), "ts": depth.ts_event.unwrap().as_millis(),
            "timestamp": depth.ts_event.unwrap().as_millis(),
        });
        assert_eq!(ours, json["data"], "{name}");
    }
}

fn trades(folder: &Folder) {
    for (name, text) in folder.of(Group::Execution) {
        let (trade, json) = (Execution::parse(message(&text).data).unwrap(), json(&text));
        let mut data = json["data"].clone();
        // Gone since 2024, and nothing to us.
        for key in ["makerUserId", "takerUserId"] {
            data.as_object_mut().unwrap().remove(key);
        }
        let ours = serde_json::json!({
            "symbol": trade.symbol.as_str(), "sequence": trade.sequence.get(),
            "side": trade.taker_side.to_string(), "size": trade.size.get(),
            "price": trade.price.to_string(), "tradeId": trade.trade_id.to_string(),
            "takerOrderId": trade.taker_order_id.unwrap().to_string(),
            "makerOrderId": trade.maker_order_id.unwrap().to_string(),
            "ts": trade.ts_event.unwrap().as_nanos(),
        });
        assert_eq!(ours, data, "{name}");
    }
}

/// A snapshot, and the deltas that follow it.
fn the_worked_example_of_the_documentation(folder: &Folder) {
    for (name, text) in folder.of(Group::Example) {
        let lines = values(&name, &text);
        // The documentation gives neither symbol nor envelope.
        let bare = lines[0].trim().strip_prefix('{').unwrap();
        let body = format!(r#"{{"code":"200000","data":{{"symbol":"{LINK}",{bare}}}"#);
        let mut book = Book::new(1000, usize::MAX);
        book.load(&Snapshot::parse(body.as_bytes()).unwrap());
        let start = book.sequence().get();
        let mut sides = [(Side::Bid, "bids"), (Side::Ask, "asks")]
            .map(|(side, key)| (side, truth(&json(lines[0])[key])));
        for line in &lines[1..] {
            let data = json(line)["data"].to_string();
            let delta = Delta::parse(data.as_bytes()).unwrap();
            assert_eq!(book.apply(&delta), Apply::Applied);
            let change = json(&data)["change"].as_str().unwrap().to_owned();
            let [price, side, size] = change.split(',').collect::<Vec<_>>()[..] else { panic!() };
            let levels = &mut sides[usize::from(side == "sell")].1;
            levels.insert(price.parse().unwrap(), size.parse().unwrap());
            levels.retain(|_, size| *size > 0);
        }
        assert_eq!(book.sequence().get(), start + 2);
        for (side, levels) in sides {
            assert_eq!(held(&book, side), levels, "{side}");
        }
    }
}

/// Deltas, a snapshot, a delta. They were put together from captures of different days: the sequences
/// fit, the snapshot's time is later than the times of the deltas that follow it, and is put right.
fn a_captured_synchronization(folder: &Folder) {
    for (name, text) in folder.of(Group::Sync) {
        let lines = values(&name, &text);
        let at = lines.iter().position(|line| line.contains("generated")).unwrap();
        let snapshot = Snapshot::parse(lines[at].as_bytes()).unwrap();
        let millis = json(lines[at - 1])["data"]["timestamp"].to_string();
        let wrong = snapshot.ts_event.unwrap().as_nanos().to_string();
        let body = edited(lines[at], &wrong, &format!("{millis}000000"));
        let mut rig = Rig::with(Config::default());
        let topic = rig.want(snapshot.symbol.as_str());
        let request = bullet_request(&rig.drain());
        rig.reconnect(request);
        rig.ack(1);
        lines[..at].iter().for_each(|line| drop(rig.text(line)));
        let outputs = rig.pass(SECOND);
        let replayed = rig.reply(fetches(&outputs)[0].request(), &body);
        assert!(
            matches!(events(&replayed)[..], [Event::Book(_, BookEvent::Live { .. })]),
            "{replayed:?}"
        );
        for line in &lines[at + 1..] {
            assert!(
                matches!(events(&rig.text(line))[..], [Event::Book(_, BookEvent::Delta(_))]),
                "{line}"
            );
        }

        let mut book = Book::new(1000, usize::MAX);
        book.load(&snapshot);
        let deltas = lines.iter().filter(|line| !line.contains("generated"));
        for delta in deltas.map(|line| Delta::parse(message(line).data).unwrap()) {
            let is_old = delta.sequence <= snapshot.sequence;
            assert_eq!(book.apply(&delta), if is_old { Apply::Repeat } else { Apply::Applied });
        }
        assert_eq!(rig.client.book(topic).unwrap().digest(Scope::Held), book.digest(Scope::Held));
    }
}

fn signatures(folder: &Folder) {
    let mut whole_requests = 0;
    for (_, text) in folder.of(Group::Signatures) {
        for vector in json(&text)["vectors"].as_array().unwrap() {
            let field = |key: &str| vector[key].as_str().unwrap_or_default();
            let (secret, text) = (field("secret"), field("string_to_sign"));
            let signed = hmac_base64(secret, text);
            if vector["verified"] == false {
                assert_ne!(signed, field("sign"), "published, and wrong");
                assert_eq!(signed, field("recomputed_sign"));
                continue;
            }
            assert_eq!(signed, field("sign"), "{text}");
            whole_requests += usize::from(check_request(secret, text, &signed));
        }
    }
    assert!(whole_requests > 5, "{whole_requests}");
}

/// Signs a vector that is a whole request the way an adapter does; the others are parts of one.
fn check_request(secret: &str, text: &str, signed: &str) -> bool {
    let Some((time, rest)) = text.split_at_checked(13) else { return false };
    let (Ok(time), Some(at)) = (time.parse(), rest.find('/')) else { return false };
    let (method, rest) = rest.split_at(at);
    let (path, body) = rest.split_at(rest.find('{').unwrap_or(rest.len()));
    let credentials =
        Credentials::new("k".into(), secret.into(), "p".into(), KeyVersion::default());
    let headers = credentials.sign(time, method, path, body);
    assert!(headers.iter().any(|header| header == ("KC-API-SIGN", signed)), "{text}");
    true
}

fn frame(text: &str) -> Frame<'_> {
    Frame::parse(text.as_bytes()).unwrap_or_else(|error| panic!("{error}: {text}"))
}

fn message(text: &str) -> MessageFrame<'_> {
    let Frame::Message(message) = frame(text) else { panic!("{text}") };
    message
}
