//! Payloads of our own in the documented shapes, read field by field, each time in its unit.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs,
    reason = "tests"
)]

mod common;

use common::*;
use kucoin_futures_proto::book::Level;
use kucoin_futures_proto::wire::{
    Contracts, Delta, Depth, ErrorKind, Execution, Frame, MessageFrame, Side, Snapshot, TakerSide,
    Ticker, TickerV2,
};
use kucoin_futures_proto::{
    Channel, Config, Decimal, Event, Input, Lots, Message, Price, Query, ResponseHead, Sequence,
    TopicEvent, UnixNanos, WireError,
};

#[test]
fn a_level2_frame_has_a_sequence_a_change_and_a_time_in_milliseconds() {
    let text = r#"{"topic":"/contractMarket/level2:LINKUSDTM","type":"message","subject":"level2","sn":1655400450243,"data":{"sequence":1655400450243,"change":"14.205,sell,31","timestamp":1791500000123}}"#;
    let frame = message(text);
    assert_eq!(frame.topic.plain(), Some("/contractMarket/level2:LINKUSDTM"));
    assert_eq!(frame.subject.and_then(|subject| subject.plain()), Some("level2"));
    let delta = Delta::parse(frame.data).unwrap();
    assert_eq!(delta.sequence, Sequence::new(1_655_400_450_243));
    assert_eq!((delta.price, delta.side, delta.size), (price("14.205"), Side::Ask, Lots::new(31)));
    assert_eq!(delta.ts_event, Some(UnixNanos::from_nanos(1_791_500_000_123_000_000)));
}

#[test]
fn a_change_is_price_side_and_absolute_size() {
    for (change, side, at, size) in [
        ("14.205,buy,31", Side::Bid, "14.205", 31),
        ("14,sell,1", Side::Ask, "14", 1),
        ("39069.0,buy,0", Side::Bid, "39069", 0),
        ("1.0E-5,sell,12.0", Side::Ask, "0.00001", 12),
        ("0,buy,0", Side::Bid, "0", 0),
    ] {
        let delta = Delta::parse(format!(r#"{{"sequence":9,"change":"{change}"}}"#).as_bytes());
        let delta = delta.unwrap();
        assert_eq!(
            (delta.side, delta.price, delta.size.get()),
            (side, price(at), size),
            "{change}"
        );
        assert_eq!(delta.ts_event, None);
    }
}

#[test]
fn a_delta_that_is_not_exactly_one_change_is_refused() {
    let change = WireError::Malformed { field: "change" };
    for (data, error) in [
        (r#"{"sequence":9,"change":"1,BUY,3"}"#, change),
        (r#"{"sequence":9,"change":"1,x,3"}"#, change),
        (r#"{"sequence":9,"change":"1,buy"}"#, change),
        (r#"{"sequence":9,"change":"1,buy,3,4"}"#, change),
        (r#"{"sequence":9,"change":"1,buy,3|2,buy,1"}"#, change),
        (r#"{"sequence":9,"change":""}"#, change),
        (r#"{"sequence":9,"change":"1,3,buy"}"#, change),
        (r#"{"sequence":9,"change":"NaN,buy,3"}"#, WireError::OutOfRange { field: "price" }),
        (r#"{"sequence":9,"change":"-1,buy,3"}"#, WireError::Negative { field: "price" }),
        (r#"{"sequence":9,"change":"1,buy,-3"}"#, WireError::Negative { field: "size" }),
        (r#"{"sequence":9,"change":"1,buy,0.5"}"#, WireError::NotWhole { field: "size" }),
        (r#"{"sequence":9,"change":[1,"buy",3]}"#, WireError::WrongType { field: "change" }),
        (r#"{"sequence":9}"#, WireError::Missing { field: "change" }),
        (r#"{"change":"1,buy,3"}"#, WireError::Missing { field: "sequence" }),
        (r#"{"sequence":"+9","change":"1,buy,3"}"#, WireError::OutOfRange { field: "sequence" }),
        (r#"{"sequence":"","change":"1,buy,3"}"#, WireError::OutOfRange { field: "sequence" }),
        (r#"{"sequence":null,"change":"1,buy,3"}"#, WireError::Missing { field: "sequence" }),
        (r#"{"sequence":9.0,"change":"1,buy,3"}"#, WireError::OutOfRange { field: "sequence" }),
        (r#"{"sequence":9e3,"change":"1,buy,3"}"#, WireError::OutOfRange { field: "sequence" }),
        (r#"{"sequence":-9,"change":"1,buy,3"}"#, WireError::OutOfRange { field: "sequence" }),
        (
            r#"{"sequence":18446744073709551616,"change":"1,buy,3"}"#,
            WireError::OutOfRange { field: "sequence" },
        ),
        (
            r#"{"sequence":9,"sequence":9,"change":"1,buy,3"}"#,
            WireError::Duplicate { field: "sequence" },
        ),
        (
            r#"{"sequence":9,"change":"1,buy,3","timestamp":1,"timestamp":1}"#,
            WireError::Duplicate { field: "timestamp" },
        ),
    ] {
        assert_eq!(Delta::parse(data.as_bytes()), Err(error), "{data}");
    }
    let text = Delta::parse(br#"{"sequence":"9","change":"1,buy,3"}"#).unwrap();
    assert_eq!(text.sequence, Sequence::new(9));
    let last = Delta::parse(br#"{"sequence":18446744073709551615,"change":"1,buy,3"}"#).unwrap();
    assert_eq!(last.sequence.next(), None);
}

#[test]
fn a_frame_may_be_laid_out_in_any_way() {
    let plain = Delta::parse(br#"{"sequence":41,"change":"14.2,buy,7","timestamp":1791500000250}"#);
    for text in [
        r#"{"data":{"timestamp":1791500000250,"change":"14.2,buy,7","sequence":41},"subject":"level2","type":"message","topic":"/contractMarket/level2:LINKUSDTM"}"#,
        "\t{ \"topic\" : \"/contractMarket/level2:LINKUSDTM\" ,\r\n \"type\":\"message\", \"data\" : { \"sequence\" : 41 , \"change\":\"14.2,buy,7\", \"timestamp\":1791500000250 } }\n",
        r#"{"topic":"/contractMarket/level2:LINKUSDTM","type":"message","tunnelId":"t1","userId":"6f","channelType":"public","sn":41,"new":{"a":[1,{"b":null}]},"data":{"x":[[]],"sequence":41,"change":"14.2,buy,7","timestamp":1791500000250}}"#,
        r#"{"t\u006fpic":"\/contractMarket\/level2:\u004cINKUSDTM","\u0074ype":"m\u0065ssage","data":{"sequenc\u0065":41,"change":"14.2\u002cbuy,7","timestamp":1791500000250}}"#,
        r#"{"topic":"/contractMarket/level2:LINKUSDTM","data":{"sequence":41,"change":"14.2,buy,7","timestamp":1791500000250}}"#,
    ] {
        let frame = message(text);
        assert_eq!(Delta::parse(frame.data), plain, "{text}");
        assert!(frame.topic.is("/contractMarket/level2:LINKUSDTM"), "{text}");
        let (mut rig, link) = Rig::confirmed(Config::default());
        rig.text(text);
        let request = snapshot_request(&rig.pass(SECOND));
        rig.reply(request, &plain_snapshot(40));
        assert!(rig.shown(link).unwrap().starts_with("41: 14.2*7 "), "{text}");
    }
}

#[test]
fn what_is_no_frame_is_counted_and_harmless() {
    let (mut rig, _) = Rig::live(Config::default());
    for text in [
        "",
        "{}",
        "[]",
        "null",
        "hello",
        r#"{"type":"ack""#,
        r#"{"type":"ack","id":"1"}x"#,
        r#"{"type":1}"#,
        r#"{"type":"ack","id":{}}"#,
        r#"{"type":"ack","id":true}"#,
        r#"{"type":"ack","type":"ack"}"#,
        r#"{"type":"message","topic":"/contractMarket/level2:LINKUSDTM"}"#,
        r#"{"type":"message","topic":"/contractMarket/level2:LINKUSDTM","data":[]}"#,
        r#"{"type":"message","data":{}}"#,
        r#"{"type":"error","data":"?"}"#,
        r#"{"type":"error","code":"x","data":"?"}"#,
        &"[".repeat(100_000),
    ] {
        assert_eq!(rig.text(text), [], "{text}");
    }
    assert_eq!(rig.client.stats().malformed, 17);
    for kind in ["notice", "command", "something new"] {
        assert_eq!(rig.text(&format!(r#"{{"type":"{kind}","id":7}}"#)), []);
    }
    assert_eq!(rig.client.stats().unknown, 3);
}

#[test]
fn a_ticker_is_read_in_its_units() {
    let text = r#"{"topic":"/contractMarket/tickerV2:LINKUSDTM","type":"message","subject":"tickerV2","sn":1655400450777,"data":{"symbol":"LINKUSDTM","sequence":1655400450777,"bestBidSize":713,"bestBidPrice":"14.205","bestAskPrice":"14.21","bestAskSize":1037,"ts":1791500000461000000}}"#;
    let ticker = TickerV2::parse(message(text).data).unwrap();
    assert_eq!(ticker.symbol.as_str(), "LINKUSDTM");
    assert_eq!(ticker.sequence, Some(Sequence::new(1_655_400_450_777)));
    assert_eq!(ticker.best_bid, Some(level("14.205", Lots::new(713))));
    assert_eq!(ticker.best_ask, Some(level("14.21", Lots::new(1037))));
    assert_eq!(
        ticker.ts_event,
        Some(UnixNanos::from_nanos(1_791_500_000_461_000_000)),
        "nanoseconds"
    );

    let (mut rig, _) = Rig::live(Config::default());
    let topic = rig.client.subscribe(rig.now, Channel::ticker_v2("LINKUSDTM".parse().unwrap()));
    // What was not asked for yet is not taken.
    rig.drain();
    let tag = rig.pushed(text).unwrap();
    let push = tag.on(text.as_bytes());
    assert_eq!((push.topic(), push.request()), (topic.ok(), None));
    let Message::TickerV2(pushed) = push.decode().unwrap() else { panic!("{push:?}") };
    assert_eq!(pushed, ticker);
    assert_eq!(rig.pushed(text), None, "seen before");
    let other = edited(text, "\"symbol\":\"LINK", "\"symbol\":\"AVAX");
    let other = edited_times(2, &other, "450777", "450778");
    let mismatch = rig.pushed(&other).unwrap().on(other.as_bytes()).decode().unwrap_err();
    assert_eq!(mismatch, WireError::Mismatch { field: "symbol" });
}

#[test]
fn a_ticker_without_a_sequence_is_a_ticker() {
    let data = r#"{"symbol":"LINKUSDTM","bestBidSize":7.0,"bestBidPrice":14.20,"bestAskPrice":"15","bestAskSize":"9","ts":1}"#;
    let ticker = TickerV2::parse(data.as_bytes()).unwrap();
    assert_eq!((ticker.sequence, ticker.best_bid), (None, Some(level("14.2", Lots::new(7)))));
    assert_eq!(ticker.best_ask.unwrap().size.get(), 9);
    for field in ["symbol", "bestBidSize", "bestAskSize"] {
        let without = edited(data, &format!("\"{field}\""), "\"other\"");
        assert_eq!(TickerV2::parse(without.as_bytes()), Err(WireError::Missing { field }));
    }
}

/// Null, empty and absent are the same, and so is a price of zero.
#[test]
fn a_ticker_of_one_side_has_one_side() {
    let whole = r#"{"symbol":"LINKUSDTM","bestBidSize":7,"bestBidPrice":"14.2","bestAskPrice":"15","bestAskSize":9,"ts":1791500000461000000}"#;
    for nothing in
        [r#""bestAskPrice":"""#, r#""bestAskPrice":null"#, r#""x":1"#, r#""bestAskPrice":"0""#]
    {
        let text = edited(whole, r#""bestAskPrice":"15""#, nothing);
        let ticker = TickerV2::parse(text.as_bytes()).unwrap();
        assert_eq!(ticker.best_bid, Some(level("14.2", Lots::new(7))), "{nothing}");
        assert_eq!((ticker.best_ask, ticker.sequence), (None, None), "{nothing}");
    }
    let wrong = edited(
        whole,
        r#""bestAskPrice":"15","bestAskSize":9"#,
        r#""bestAskPrice":null,"bestAskSize":-9"#,
    );
    assert_eq!(
        TickerV2::parse(wrong.as_bytes()),
        Err(WireError::Negative { field: "bestAskSize" })
    );
}

#[test]
fn a_trade_is_read_in_its_units() {
    let text = r#"{"topic":"/contractMarket/execution:LINKUSDTM","type":"message","subject":"match","sn":1655400451001,"data":{"symbol":"LINKUSDTM","sequence":1655400451001,"side":"sell","size":17,"price":"14.205","takerOrderId":"240011228877665544","makerOrderId":"240011228877665533","tradeId":"1655400451001","ts":1791500000461000000}}"#;
    let trade = Execution::parse(message(text).data).unwrap();
    assert_eq!((trade.symbol.as_str(), trade.sequence.get()), ("LINKUSDTM", 1_655_400_451_001));
    assert_eq!((trade.taker_side, trade.price), (TakerSide::Sell, price("14.205")));
    assert_eq!((trade.size, trade.trade_id.plain()), (Lots::new(17), Some("1655400451001")));
    let orders =
        [trade.taker_order_id, trade.maker_order_id].map(|id| id.and_then(|id| id.plain()));
    assert_eq!(orders, [Some("240011228877665544"), Some("240011228877665533")]);
    assert_eq!(
        trade.ts_event,
        Some(UnixNanos::from_nanos(1_791_500_000_461_000_000)),
        "nanoseconds"
    );
    // As it was in 2021, and with ids that are gone since.
    let old = r#"{"price":14.205,"side":"buy","size":2,"tradeId":"5fe9","sequence":9,"symbol":"LINKUSDTM","makerUserId":"1","ts":1}"#;
    let old = Execution::parse(old.as_bytes()).unwrap();
    assert_eq!((old.price, old.taker_side), (price("14.205"), TakerSide::Buy));
    assert_eq!((old.taker_order_id, old.maker_order_id), (None, None));
}

#[test]
fn an_older_ticker_is_a_trade_and_the_touch() {
    let text = r#"{"topic":"/contractMarket/ticker:LINKUSDTM","type":"message","subject":"ticker","sn":1655400451001,"data":{"symbol":"LINKUSDTM","sequence":1655400451001,"side":"sell","size":17,"price":"14.205","bestBidSize":713,"bestBidPrice":"14.205","bestAskPrice":"14.21","tradeId":"1655400451001","bestAskSize":1037,"ts":1791500000461000000}}"#;
    let frame = message(text);
    assert_eq!(frame.channel(), Some(Channel::ticker("LINKUSDTM".parse().unwrap())));
    let ticker = Ticker::parse(frame.data).unwrap();
    assert_eq!((ticker.taker_side, ticker.price), (TakerSide::Sell, price("14.205")));
    assert_eq!((ticker.size, ticker.trade_id.plain()), (Lots::new(17), Some("1655400451001")));
    assert_eq!(ticker.best_bid, Some(level("14.205", Lots::new(713))));
    assert_eq!(ticker.best_ask, Some(level("14.21", Lots::new(1037))));
    assert_eq!(ticker.ts_event.unwrap().as_millis(), 1_791_500_000_461);
}

/// Sizes and prices occur as numbers and as strings, times in milliseconds and in nanoseconds.
#[test]
fn the_best_five_levels_come_whole() {
    let text = r#"{"topic":"/contractMarket/level2Depth5:LINKUSDTM","type":"message","subject":"level2","sn":1791500000500,"data":{"bids":[["14.2",5],[14.10,"7"]],"sequence":1655400450777,"timestamp":1791500000500,"ts":1791500000500,"asks":[["14.3",6]]}}"#;
    let depth = Depth::parse(message(text).data).unwrap();
    let level = |at, size| Level { price: price(at), size: Lots::new(size) };
    assert_eq!(depth.bids.iter().collect::<Vec<_>>(), [level("14.2", 5), level("14.1", 7)]);
    assert_eq!(depth.asks.iter().collect::<Vec<_>>(), [level("14.3", 6)]);
    assert_eq!(depth.sequence, Some(Sequence::new(1_655_400_450_777)));
    assert_eq!(depth.ts_event.unwrap().as_millis(), 1_791_500_000_500);
    let nanos = edited(text, "\"ts\":1791500000500", "\"ts\":1791500000500000000");
    assert_eq!(Depth::parse(message(&nanos).data).unwrap().ts_event, depth.ts_event);

    let (mut rig, _) = Rig::live(Config::default());
    let topic = rig.client.subscribe(rig.now, Channel::depth5(LINK.parse().unwrap()));
    assert_eq!(sent(&rig.drain())[0].topic, "/contractMarket/level2Depth5:LINKUSDTM");
    let tag = rig.pushed(text).unwrap();
    let push = tag.on(text.as_bytes());
    let Message::Depth5(pushed) = push.decode().unwrap() else { panic!("{push:?}") };
    assert_eq!((push.topic(), pushed), (topic.ok(), depth));
    assert_eq!(rig.pushed(text), None, "seen before");
    let later = edited_times(3, text, "1791500000500,", "1791500000600,");
    assert!(rig.pushed(&later).is_some(), "the same book again, a moment later");
}

#[test]
fn levels_that_are_none_are_refused() {
    let whole = r#"{"bids":[["14.2",5]],"asks":[],"ts":1}"#;
    assert!(Depth::parse(whole.as_bytes()).is_ok());
    for (from, to, error) in [
        ("[[\"14.2\",5]]", "{}", WireError::WrongType { field: "bids" }),
        ("[\"14.2\",5]", "[\"14.2\"]", WireError::Malformed { field: "bids" }),
        ("[\"14.2\",5]", "[\"14.2\",5,1]", WireError::Malformed { field: "bids" }),
        ("5]", "-5]", WireError::Negative { field: "bids" }),
        ("\"bids\":[[\"14.2\",5]],\"asks\"", "\"other\"", WireError::Missing { field: "bids" }),
    ] {
        let changed = edited(whole, from, to);
        assert_eq!(Depth::parse(changed.as_bytes()), Err(error), "{changed}");
    }
}

#[test]
fn a_trade_that_is_not_one_is_refused() {
    let whole = r#"{"symbol":"LINKUSDTM","sequence":9,"side":"buy","size":2,"price":"14.2","tradeId":"9","ts":1}"#;
    assert!(Execution::parse(whole.as_bytes()).is_ok());
    for field in ["symbol", "sequence", "side", "size", "price", "tradeId", "ts"] {
        let without = edited(whole, &format!("\"{field}\""), "\"other\"");
        let error = (field != "ts").then_some(WireError::Missing { field });
        assert_eq!(Execution::parse(without.as_bytes()).err(), error);
        let twice = edited(whole, "}", &format!(",\"{field}\":{}}}", value_of(whole, field)));
        assert_eq!(Execution::parse(twice.as_bytes()), Err(WireError::Duplicate { field }));
    }
    for (from, to, error) in [
        ("buy", "BUY", WireError::Malformed { field: "side" }),
        ("\"9\"", "9", WireError::WrongType { field: "tradeId" }),
        (":2,", ":-2,", WireError::Negative { field: "size" }),
        ("14.2", "1e99", WireError::OutOfRange { field: "price" }),
    ] {
        let changed = edited(whole, from, to);
        assert_eq!(Execution::parse(changed.as_bytes()), Err(error), "{changed}");
    }
}

/// An order that is not named costs no trade, however that is said.
#[test]
fn null_empty_and_absent_are_the_same() {
    for orders in ["", r#","makerOrderId":null"#, r#","makerOrderId":"","takerOrderId":null"#] {
        let text = format!(
            r#"{{"symbol":"LINKUSDTM","sequence":9,"side":"buy","size":2,"price":"14.2","tradeId":"9"{orders}}}"#
        );
        let trade = Execution::parse(text.as_bytes()).unwrap();
        assert_eq!((trade.maker_order_id, trade.taker_order_id), (None, None), "{orders}");
        assert_eq!(trade.ts_event, None);
    }
}

/// What stands behind a key, up to the comma or the end.
fn value_of<'a>(object: &'a str, key: &str) -> &'a str {
    let (_, rest) = object.split_once(&format!("\"{key}\":")).unwrap();
    rest.split([',', '}']).next().unwrap()
}

#[test]
fn a_pong_has_its_time_in_microseconds() {
    let text = r#"{"id":"p7","type":"pong","timestamp":1791500000236506}"#;
    let Frame::Pong(pong) = Frame::parse(text.as_bytes()).unwrap() else { panic!() };
    assert!(pong.id.is_some_and(|id| id.is("p7")));
    assert_eq!(pong.timestamp, Some(UnixNanos::from_nanos(1_791_500_000_236_506_000)));
    let Frame::Pong(old) = Frame::parse(br#"{"id":"p7","type":"pong"}"#).unwrap() else { panic!() };
    assert_eq!(old.timestamp, None);
}

#[test]
fn welcomes_and_acks_have_an_id() {
    let text = br#"{"id":"c0nn3ct","type":"welcome"}"#;
    let Frame::Welcome(welcome) = Frame::parse(text).unwrap() else { panic!() };
    assert!(welcome.id.is_some_and(|id| id.is("c0nn3ct")));
    for (text, id) in [
        (r#"{"id":"19","type":"ack"}"#, Some("19")),
        (r#"{"type":"ack","id":19}"#, Some("19")),
        (r#"{"type":"ack","id":1234567890123456789}"#, Some("1234567890123456789")),
        (r#"{"type":"ack","id":null}"#, None),
        (r#"{"type":"ack"}"#, None),
    ] {
        let Frame::Ack(ack) = Frame::parse(text.as_bytes()).unwrap() else { panic!("{text}") };
        assert_eq!(ack.id.map(|id| id.to_string()).as_deref(), id, "{text}");
    }
}

/// The classic mistake: a number sent as an id, and its text awaited, or the other way round.
#[test]
fn ids_are_compared_as_text() {
    for (id, ours) in [
        (r#""1""#, true),
        ("1", true),
        (r#""01""#, false),
        (r#""+1""#, false),
        ("1.0", false),
        (r#""1.0""#, false),
        ("1e0", false),
        (r#"" 1""#, false),
        (r#""2""#, false),
        (r#""""#, false),
    ] {
        let (mut rig, link) = Rig::asked(Config::default());
        let outputs = rig.text(&format!(r#"{{"id":{id},"type":"ack"}}"#));
        let confirmed = events(&outputs) == [Event::Topic(link, TopicEvent::Confirmed)];
        assert_eq!(confirmed, ours, "{id}");
    }
}

#[test]
fn an_error_means_what_code_and_text_say_together() {
    let topics = |limit| ErrorKind::TooManyTopics { limit };
    for (code, text, kind) in [
        (400, "ping timeout", ErrorKind::PingTimeout),
        (400, "topic is invalid", ErrorKind::Topic),
        (400, "Unrecognized token 'hello'", ErrorKind::NotUnderstood),
        (401, "token is invalid", ErrorKind::Unauthorized),
        (401, "token is expired", ErrorKind::Unauthorized),
        (403, "login is required", ErrorKind::Topic),
        (404, "topic does not exist", ErrorKind::Topic),
        (404, "topic /x:y is not found", ErrorKind::Topic),
        (406, "topic is required", ErrorKind::Topic),
        (415, "command type is invalid", ErrorKind::NotUnderstood),
        (415, "type is not supported", ErrorKind::NotUnderstood),
        (500, "system error", ErrorKind::System),
        (777, "something new", ErrorKind::System),
        (
            509,
            "exceed max subscription count limitation of 100 per time",
            ErrorKind::TooManyPerFrame,
        ),
        (509, "exceed max subscription count limitation of 300 per session", topics(Some(300))),
        (509, "too many per session", topics(None)),
        (509, "exceed max permits per second", ErrorKind::TooFast),
        (509, "exceed max permits per 10 seconds", ErrorKind::TooFast),
        (509, "exceed max session count limitation of 50", ErrorKind::Busy),
        (509, "service busy, please retry later", ErrorKind::Busy),
    ] {
        for code_text in [code.to_string(), format!("\"{code}\"")] {
            let frame =
                format!(r#"{{"data":"{text}","code":{code_text},"type":"error","id":"9"}}"#);
            let Frame::Error(error) = Frame::parse(frame.as_bytes()).unwrap() else { panic!() };
            assert_eq!((error.code, error.kind), (code, kind), "{frame}");
            assert!(error.id.is_some_and(|id| id.is("9")));
        }
    }
    let frame = br#"{"type":"error","code":401,"data":null}"#;
    let Frame::Error(error) = Frame::parse(frame).unwrap() else { panic!() };
    assert_eq!((error.id, error.kind), (None, ErrorKind::Unauthorized));
}

#[test]
fn a_snapshot_has_numbers_of_all_forms_and_a_time_in_nanoseconds() {
    let body = br#"
        { "msg" : null, "code" : "200000", "data" : {
            "ts" : 1791500000251000000, "newKey" : [],
            "asks" : [ [ 84477.0, 30 ], [ 8.44775E4, 35 ], [ "84478.40", "29" ] ],
            "symbol" : "LINKUSDTM",
            "bids" : [ [ 84476, 488.0 ], [ 1.0E-5, 15602000 ] ],
            "sequence" : 1655400435452
        } }
    "#;
    let snapshot = Snapshot::parse(body).unwrap();
    assert_eq!(
        (snapshot.symbol.as_str(), snapshot.sequence.get()),
        ("LINKUSDTM", 1_655_400_435_452)
    );
    assert_eq!(snapshot.ts_event, Some(UnixNanos::from_nanos(1_791_500_000_251_000_000)));
    let shown = |levels: &[Level]| {
        levels.iter().map(|l| format!("{}*{}", l.price, l.size)).collect::<Vec<_>>().join(" ")
    };
    assert_eq!(shown(&snapshot.bids), "84476*488 0.00001*15602000");
    assert_eq!(shown(&snapshot.asks), "84477*30 84477.5*35 84478.4*29");
}

#[test]
fn a_side_of_a_snapshot_may_be_empty_but_not_both_be_absent() {
    for sides in [
        r#""bids":[],"asks":[]"#,
        r#""bids":null,"asks":[]"#,
        r#""asks":[[2,1]]"#,
        r#""bids":[[2,1]],"asks":null"#,
    ] {
        let body = edited(&snapshot(LINK, 7, "", ""), r#""bids":[],"asks":[]"#, sides);
        assert!(Snapshot::parse(body.as_bytes()).is_ok(), "{body}");
    }
    let neither = edited(&snapshot(LINK, 7, "", ""), r#""bids":[],"asks":[],"#, "");
    let missing = Err(WireError::Missing { field: "bids" });
    assert_eq!(Snapshot::parse(neither.as_bytes()), missing);
    let refused = br#"{"msg":"Invalid symbol.","code":"200003"}"#;
    assert_eq!(Snapshot::parse(refused), Err(WireError::Unexpected));
}

#[test]
fn contracts_have_exact_numbers_and_each_row_its_own_error() {
    let row = r#"{"symbol":"LINKUSDTM","status":"Open","multiplier":0.1,"tickSize":1.0E-4,"lotSize":1,"isInverse":false,"maxPrice":1000000.0,"settleDate":null,"sourceExchanges":["a","b"]}"#;
    let mut inverse = row.to_owned();
    for (from, to) in
        [("LINKUSDTM", "LINKUSDM"), ("0.1", "-1.0"), ("false", "true"), ("1.0E-4", "0.001")]
    {
        inverse = edited(&inverse, from, to);
    }
    let broken = edited(row, "1.0E-4", "\"fine\"");
    let body = format!(r#"{{"code":"200000","data":[{row},{broken},{inverse}]}}"#);
    let contracts = Contracts::parse(body.as_bytes()).unwrap();
    let [Ok(first), Err(error), Ok(last)] = &contracts.iter().collect::<Vec<_>>()[..] else {
        panic!("{contracts:?}")
    };
    assert_eq!(
        (first.symbol.as_str(), first.status.raw(), first.is_inverse),
        ("LINKUSDTM", "Open", false)
    );
    assert_eq!((first.multiplier, first.tick_size), (decimal("0.1"), decimal("0.0001")));
    assert_eq!(first.lot_size, decimal("1"));
    assert_eq!(
        (last.multiplier, last.tick_size, last.is_inverse),
        (decimal("-1"), decimal("0.001"), true)
    );
    assert_eq!(*error, WireError::OutOfRange { field: "tickSize" });
}

#[test]
fn a_query_is_answered_by_a_push() {
    let mut rig = Rig::new();
    for (query, path, body) in [
        (
            Query::ServerTime,
            "/api/v1/timestamp",
            r#"{"msg":"","data":1791500000774,"code":"200000"}"#,
        ),
        (Query::Contracts, "/api/v1/contracts/active", r#"{"code":"200000","data":[]}"#),
    ] {
        let request = rig.client.fetch(rig.now, query).unwrap();
        let outputs = rig.drain();
        let fetch = fetches(&outputs)[0];
        assert_eq!(
            (fetch.request(), fetch.path(), fetch.method().as_str()),
            (request, path, "GET")
        );
        let input = Input::Reply { request, head: ResponseHead::new(200), body: body.as_bytes() };
        let push = rig.client.handle(rig.now, input).into_message().unwrap();
        assert_eq!(
            (push.request(), push.topic(), push.bytes()),
            (Some(request), None, body.as_bytes())
        );
        assert_eq!(push.tag().on(body.as_bytes()), push);
        match push.decode().unwrap() {
            Message::ServerTime(time) => {
                assert_eq!(time, UnixNanos::from_nanos(1_791_500_000_774_000_000), "milliseconds");
            }
            Message::Contracts(contracts) => assert_eq!(contracts.iter().count(), 0),
            other => panic!("{other:?}"),
        }
    }
}

fn message(text: &str) -> MessageFrame<'_> {
    let Ok(Frame::Message(frame)) = Frame::parse(text.as_bytes()) else { panic!("{text}") };
    frame
}

fn price(text: &str) -> Price {
    text.parse().unwrap()
}

fn level(at: &str, size: Lots) -> Level {
    Level { price: price(at), size }
}

fn decimal(text: &str) -> Decimal {
    text.parse().unwrap()
}

#[test]
fn a_level_is_a_price_and_a_size_and_may_be_more() {
    let parsed = |level: &str| {
        let body = format!(
            r#"{{"code":"200000","data":{{"sequence":1,"symbol":"LINKUSDTM","bids":[{level}]}}}}"#
        );
        Snapshot::parse(body.as_bytes()).map(|snapshot| snapshot.bids.len())
    };
    assert_eq!((parsed("[2,1]"), parsed(r#"["2","1"]"#), parsed("")), (Ok(1), Ok(1), Ok(0)));
    assert_eq!((parsed("[2,1,7]"), parsed("[2,1,null,{}]")), (Ok(1), Ok(1)));
    for level in ["[]", "[2]"] {
        assert_eq!(parsed(level), Err(WireError::Malformed { field: "level" }), "{level}");
    }
    for level in ["[true,1]", "[2,null]", "[[2],1]", "[2,{}]", r#"["\u0032",1]"#] {
        assert_eq!(parsed(level), Err(WireError::WrongType { field: "bids" }), "{level}");
    }
}

#[test]
fn the_time_of_a_pong_decides_nothing() {
    let latest = u64::MAX / 1000;
    let read = |time: &str| {
        let text = format!(r#"{{"id":"1","type":"pong","timestamp":{time}}}"#);
        let Ok(Frame::Pong(pong)) = Frame::parse(text.as_bytes()) else { panic!("{text}") };
        (pong.timestamp.is_some(), pong.has_odd_time)
    };
    for time in [latest.to_string(), format!("\"{latest}\"")] {
        assert_eq!(read(&time), (true, false), "{time}");
    }
    for odd in
        [(latest + 1).to_string().as_str(), "1791500000123", "1791500000123000.5", "\"x\"", "[]"]
    {
        assert_eq!(read(odd), (false, true), "{odd}");
    }
    assert_eq!((read("null"), read("\"\"")), ((false, false), (false, false)));
}

/// An edit that changes nothing would make a test of nothing.
#[test]
fn an_edit_that_finds_nothing_or_too_much_fails() {
    assert_eq!(edited("a,b,c", "b", "x"), "a,x,c");
    assert_eq!(edited_times(2, "a,b,c", ",", ";"), "a;b;c");
    for (times, from) in [(1, "d"), (1, ","), (3, ","), (2, "b")] {
        let edit = std::panic::catch_unwind(|| edited_times(times, "a,b,c", from, "x"));
        assert!(edit.is_err(), "{times} times {from:?}");
    }
}
