//! Any bytes into every public decoder.

use std::fmt::Debug;

use kucoin_futures_proto::book::Level;
use kucoin_futures_proto::wire::{
    Contracts, Delta, Execution, Frame, FrameId, Snapshot, Text, Ticker, TickerV2,
};
use kucoin_futures_proto::{Price, Symbol, WireError};

use super::json::Json;
use super::wire_objects::wire_objects;

/// Any bytes into every public decoder of the wire: none panics, and what is accepted is what
/// serde_json reads, value by value. Beyond JSON, deliberately:
///
/// * the scanner reads 16 levels, serde_json any number of them where it only skips; so what REST
///   bodies hold besides may be deeper, and may hold lone surrogates;
/// * a key that is used must not stand twice;
/// * serde takes an array for an object, its fields in order: no such body is known.
///
/// # Panics
/// A promise is broken.
pub fn wire_any(bytes: &[u8]) {
    let json = Json::read(bytes);
    frame(bytes, json.as_ref());
    tickers(bytes, json.as_ref());
    trades(bytes, json.as_ref());
    snapshot(bytes, json.as_ref());
    contracts(bytes, json.as_ref());
    wire_objects(bytes, json.as_ref());
    let delta = Delta::parse(bytes);
    refused_rightly(&delta, json.as_ref());
}

/// Whoever calls good JSON broken is wrong himself.
pub(super) fn refused_rightly<T: Debug>(result: &Result<T, WireError>, json: Option<&Json>) {
    let _ = format!("{result:?}");
    if let Err(error) = result {
        assert!(!error.to_string().is_empty());
        let blamed = matches!(error, WireError::NotJson { .. } | WireError::TooDeep);
        assert!(!(blamed && json.is_some_and(Json::is_object)), "{error} of good JSON");
    } else {
        assert!(json.is_some_and(Json::is_object), "accepted, and not JSON");
    }
}

fn frame(bytes: &[u8], json: Option<&Json>) {
    let parsed = Frame::parse(bytes);
    refused_rightly(&parsed, json);
    let (Ok(frame), Some(json)) = (parsed, json) else { return };
    let kind = json.one("type").and_then(Json::meant);
    let id = match frame {
        Frame::Message(message) => {
            assert!(kind == Some("message") || (kind.is_none() && json.all("type").is_empty()));
            same_text(message.topic, json.one("topic"));
            if let Some(subject) = message.subject {
                same_text(subject, json.one("subject"));
            }
            assert_eq!(Json::read(message.data).as_ref(), json.one("data"));
            if let Some(channel) = message.channel() {
                assert!(message.topic.is(&channel.to_string()));
            }
            return;
        }
        Frame::Welcome(welcome) => expect(kind, "welcome", welcome.id),
        Frame::Ack(ack) => expect(kind, "ack", ack.id),
        Frame::Pong(pong) => {
            let time = json.one("timestamp").filter(|time| !time.is_nothing());
            let known = time.and_then(|time| time.time(1_000));
            assert_eq!(pong.timestamp.map(|ts| ts.as_nanos()), known);
            assert_eq!(pong.has_odd_time, time.is_some() && known.is_none());
            expect(kind, "pong", pong.id)
        }
        Frame::Error(error) => {
            let code = json.one("code").and_then(Json::digits).and_then(|code| code.parse().ok());
            assert_eq!(code, Some(error.code));
            expect(kind, "error", error.id)
        }
        Frame::Other => {
            let known = ["message", "welcome", "ack", "pong", "error"];
            assert!(kind.is_some_and(|kind| !known.contains(&kind)));
            None
        }
        _ => panic!("a frame that this body does not know: {frame:?}"),
    };
    let expected = match json.one("id") {
        Some(Json::Text { meant, .. } | Json::Number(meant)) => Some(meant.as_str()),
        _ => None,
    };
    if let Some(id) = id {
        assert!(expected.is_some_and(|expected| id.is(expected)), "{id} is {expected:?}");
    }
}

fn expect<'a>(kind: Option<&str>, name: &str, id: Option<FrameId<'a>>) -> Option<FrameId<'a>> {
    assert_eq!(kind, Some(name));
    id
}

/// Every way to look at a text shows the same.
fn same_text(text: Text<'_>, json: Option<&Json>) {
    let Some(Json::Text { meant, escaped }) = json else { panic!("{json:?} is no text") };
    assert!(text.is(meant));
    assert_eq!(&text.to_string(), meant);
    assert!(text.chars().eq(meant.chars()));
    assert_eq!(text.plain(), (!escaped).then_some(meant.as_str()));
    let quoted = format!("\"{}\"", text.raw());
    assert_eq!(serde_json::from_str::<String>(&quoted).ok().as_ref(), Some(meant));
}

/// How a field is written.
#[derive(Clone, Copy)]
enum Form {
    Symbol,
    Integer,
    Time,
    Side,
    Price,
    Lots,
    Text,
}

/// What the fields of an object mean, as text; `None` unless all of those that stand there are
/// well-formed and the needed ones do.
fn fields(json: Option<&Json>, wanted: &[(&str, Form, bool)]) -> Option<Vec<Option<String>>> {
    let json = json.filter(|json| json.is_object())?;
    let read = |(key, form, needed): &(&str, Form, bool)| {
        let value = match json.all(key)[..] {
            [] => None,
            [Json::Null] => None,
            // A text that has to be there may be empty.
            [value] => Some(value).filter(|value| *needed || !value.is_nothing()),
            _ => return None,
        };
        match (value, form) {
            // One that cannot be read is none.
            (value, Form::Time) => Some(value.and_then(|value| meaning(value, Form::Time))),
            (Some(value), form) => meaning(value, *form).map(Some),
            (None, _) => (!needed).then_some(None),
        }
    };
    wanted.iter().map(read).collect()
}

/// A side without a price, or with one of zero, is empty; one with a price has a size.
fn touch(mut said: Vec<Option<String>>) -> Option<Vec<Option<String>>> {
    for at in [1, 3] {
        if said[at].is_some() && said[at + 1].is_none() {
            return None;
        }
        if said[at].as_deref().is_none_or(|price| price == "0") {
            said[at] = None;
            said[at + 1] = None;
        }
    }
    Some(said)
}

/// Price and size of a side.
fn best(level: Option<Level>) -> [Option<String>; 2] {
    [level.and_then(|level| shown(level.price)), level.map(|level| level.size.to_string())]
}

fn meaning(json: &Json, form: Form) -> Option<String> {
    Some(match form {
        Form::Symbol => json.symbol()?.to_string(),
        Form::Integer => json.integer()?.to_string(),
        Form::Time => json.time(1)?.to_string(),
        Form::Side => json.meant().filter(|side| ["buy", "sell"].contains(side))?.into(),
        Form::Price => json.price()?.to_string(),
        Form::Lots => json.lots()?.to_string(),
        Form::Text => json.meant()?.into(),
    })
}

fn tickers(bytes: &[u8], json: Option<&Json>) {
    const TOUCH: [(&str, Form, bool); 6] = [
        ("symbol", Form::Symbol, true),
        ("bestBidPrice", Form::Price, false),
        ("bestBidSize", Form::Lots, false),
        ("bestAskPrice", Form::Price, false),
        ("bestAskSize", Form::Lots, false),
        ("ts", Form::Time, false),
    ];
    let parsed = TickerV2::parse(bytes);
    refused_rightly(&parsed, json);
    let ours = parsed.ok().map(|t| {
        let mut said = vec![Some(t.symbol.to_string())];
        said.extend([t.best_bid, t.best_ask].into_iter().flat_map(best));
        said.push(t.ts_event.map(|ts| ts.as_nanos().to_string()));
        said.push(t.sequence.map(|sequence| sequence.to_string()));
        said
    });
    let sequence = |needed| ("sequence", Form::Integer, needed);
    let wanted = [&TOUCH[..], &[sequence(false)]].concat();
    assert_eq!(ours, fields(json, &wanted).and_then(touch));

    let parsed = Ticker::parse(bytes);
    refused_rightly(&parsed, json);
    let ours = parsed.ok().map(|t| {
        let mut said = vec![Some(t.symbol.to_string())];
        said.extend([t.best_bid, t.best_ask].into_iter().flat_map(best));
        said.push(t.ts_event.map(|ts| ts.as_nanos().to_string()));
        said.push(Some(t.sequence.to_string()));
        said.extend([Some(t.taker_side.to_string()), shown(t.price), Some(t.size.to_string())]);
        said.push(Some(t.trade_id.to_string()));
        said
    });
    let wanted = [&TOUCH[..], &[sequence(true)], &TRADE].concat();
    assert_eq!(ours, fields(json, &wanted).and_then(touch));
}

const TRADE: [(&str, Form, bool); 4] = [
    ("side", Form::Side, true),
    ("price", Form::Price, true),
    ("size", Form::Lots, true),
    ("tradeId", Form::Text, true),
];

fn trades(bytes: &[u8], json: Option<&Json>) {
    const AROUND: [(&str, Form, bool); 5] = [
        ("symbol", Form::Symbol, true),
        ("sequence", Form::Integer, true),
        ("ts", Form::Time, false),
        ("takerOrderId", Form::Text, false),
        ("makerOrderId", Form::Text, false),
    ];
    let parsed = Execution::parse(bytes);
    refused_rightly(&parsed, json);
    let ours = parsed.ok().map(|t| {
        let mut said = vec![Some(t.symbol.to_string()), Some(t.sequence.to_string())];
        said.push(t.ts_event.map(|ts| ts.as_nanos().to_string()));
        said.extend([t.taker_order_id, t.maker_order_id].map(|id| id.map(|id| id.to_string())));
        said.extend([Some(t.taker_side.to_string()), shown(t.price), Some(t.size.to_string())]);
        said.push(Some(t.trade_id.to_string()));
        said
    });
    assert_eq!(ours, fields(json, &[&AROUND[..], &TRADE].concat()));
}

#[allow(clippy::unnecessary_wraps, reason = "every field is compared as an optional text")]
fn shown(price: Price) -> Option<String> {
    Some(price.scaled().to_string())
}

/// What a body's `data` is, if the exchange's code says that all is well.
fn api_data(json: &Json) -> Option<&Json> {
    let code: u32 = json.one("code")?.digits()?.parse().ok()?;
    json.one("data").filter(|data| code == 200_000 && **data != Json::Null)
}

fn snapshot(bytes: &[u8], json: Option<&Json>) {
    let parsed = Snapshot::parse(bytes);
    if let Ok(snapshot) = &parsed {
        assert!(snapshot.bids.is_sorted_by(|a, b| a.price > b.price), "best first");
        assert!(snapshot.asks.is_sorted_by(|a, b| a.price < b.price), "best first");
    }
    let Some(json) = json.filter(|json| json.is_object()) else { return };
    if api_data(json).is_some_and(|data| matches!(data, Json::Array(_))) {
        return;
    }
    let ours = parsed.ok().map(|s| {
        let sides = [(s.bids, s.bids_are_cut), (s.asks, s.asks_are_cut)];
        let sides = sides.map(|(side, is_cut)| (side.into_iter().map(pair).collect(), is_cut));
        (s.symbol, s.sequence.get(), sides, s.ts_event.map(|ts| ts.as_nanos()))
    });
    // A snapshot's code is compared letter by letter: `0200000` is none of the exchange's.
    let is_its_code = json.one("code").and_then(Json::digits).is_some_and(|code| code == "200000");
    assert_eq!(ours, api_data(json).filter(|_| is_its_code).and_then(reference));
}

fn pair(level: Level) -> (u64, u64) {
    (level.price.scaled().unsigned_abs(), level.size.get())
}

/// Levels of a side (price in units of 1e-12, size), and whether it goes on behind them.
type Half = (Vec<(u64, u64)>, bool);

/// Symbol, sequence, bids and asks, and time.
type Parts = (Symbol, u64, [Half; 2], Option<u64>);

fn reference(data: &Json) -> Option<Parts> {
    let optional = |key| match data.all(key)[..] {
        [] => Some(None),
        [value] => Some(Some(value)),
        _ => None,
    };
    let (bids, asks, ts) = (optional("bids")?, optional("asks")?, optional("ts")?);
    bids.or(asks)?;
    let bids = side(bids, |better, worse| better > worse)?;
    let asks = side(asks, |better, worse| better < worse)?;
    let ts = ts.and_then(|ts| ts.time(1));
    Some((data.one("symbol")?.symbol()?, data.one("sequence")?.integer()?, [bids, asks], ts))
}

fn side(json: Option<&Json>, ordered: fn(u64, u64) -> bool) -> Option<Half> {
    let rows = match json {
        None | Some(Json::Null) => return Some((Vec::new(), false)),
        Some(Json::Array(rows)) => rows,
        Some(_) => return None,
    };
    let mut levels: Vec<(u64, u64)> = Vec::new();
    for row in rows {
        let Json::Array(columns) = row else { return None };
        let [price, size, ..] = &columns[..] else { return None };
        let Some(level) = price.price().zip(size.lots()) else {
            let is_cut = price.price().is_none() && price.is_beyond() && size.lots().is_some();
            return (is_cut && !levels.is_empty()).then_some((levels, true));
        };
        match levels.last() {
            _ if level.0 == 0 || level.1 == 0 => {}
            Some(last) if *last == level => {}
            Some(last) if !ordered(last.0, level.0) => return None,
            _ => levels.push(level),
        }
    }
    Some((levels, false))
}

fn contracts(bytes: &[u8], json: Option<&Json>) {
    let parsed = Contracts::parse(bytes);
    let _ = format!("{parsed:?}");
    let Some(json) = json.filter(|json| json.is_object()) else { return };
    let Some(Json::Array(rows)) = api_data(json) else {
        return assert!(parsed.is_err(), "no rows");
    };
    let parsed = parsed.expect("there are rows");
    assert_eq!(parsed.iter().count(), rows.len());
    for (ours, row) in parsed.iter().zip(rows) {
        let ours = ours.ok().map(|contract| {
            let sizes = [contract.multiplier, contract.tick_size, contract.lot_size];
            ((contract.symbol, contract.status.to_string()), sizes, contract.is_inverse)
        });
        assert_eq!(ours, contract(row), "{row:?}");
    }
}

type ContractParts = ((Symbol, String), [kucoin_futures_proto::Decimal; 3], bool);

fn contract(row: &Json) -> Option<ContractParts> {
    let number = |key| row.one(key)?.digits()?.parse().ok();
    let Some(Json::Bool(inverse)) = row.one("isInverse") else { return None };
    let status = row.one("status")?.meant().filter(|status| !status.is_empty())?;
    let names = (row.one("symbol")?.symbol()?, status.to_owned());
    Some((names, [number("multiplier")?, number("tickSize")?, number("lotSize")?], *inverse))
}
