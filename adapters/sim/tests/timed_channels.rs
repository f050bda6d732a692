//! Channels that are pushed by the clock: how often, in which shape, and whether they tell the truth.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs,
    reason = "tests"
)]

use std::time::Duration;

use kucoin_futures_proto::{Decimal, Price};
use kucoin_futures_sim::{Candle, Fault, Interval, Outgoing, Target};
use serde_json::Value;

mod listener;

use listener::{Listener, keys};

fn decimal(value: &Value) -> Decimal {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned).parse().unwrap()
}

fn price(value: &Value) -> Price {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned).parse().unwrap()
}

fn of_subject<'a>(frames: &'a [Value], subject: &str) -> Vec<&'a Value> {
    frames.iter().filter(|frame| frame["subject"] == subject).collect()
}

#[test]
fn each_channel_has_its_rate() {
    let mut listener = Listener::new(200.0);
    for topic in [
        "/contractMarket/level2Depth5:XBTUSDTM",
        "/contract/instrument:XBTUSDTM",
        "/contractMarket/snapshot:XBTUSDTM",
        "/contractMarket/limitCandle:XBTUSDTM_1min",
    ] {
        listener.listen(topic);
    }
    let frames = listener.seconds(60);
    let count = |subject| of_subject(&frames, subject).len();
    assert!((590..=600).contains(&count("level2")), "every 100 ms: {}", count("level2"));
    assert_eq!(count("mark.index.price"), 60);
    assert_eq!(count("funding.rate"), 1);
    assert_eq!(count("snapshot.24h"), 12);
    assert!((55..=60).contains(&count("candle.stick")), "{}", count("candle.stick"));
}

#[test]
fn depths_are_the_book_and_come_when_it_changed() {
    let mut listener = Listener::new(0.0);
    listener.listen("/contractMarket/level2Depth5:XBTUSDTM");
    listener.listen("/contractMarket/level2Depth50:XBTUSDTM");
    assert_eq!(listener.seconds(1).len(), 2, "the book as it is, once");
    listener.exchange.change("XBTUSDTM".parse().unwrap(), listener.now);
    listener.exchange.set_rate(100.0);
    let frames = listener.seconds(2);
    for frame in frames {
        assert_eq!(keys(&frame), ["data", "sn", "subject", "topic", "type"]);
        let data = &frame["data"];
        assert_eq!(keys(data), ["asks", "bids", "sequence", "timestamp", "ts"]);
        assert_eq!(frame["sn"], data["ts"], "the time of the push");
        assert_eq!(data["timestamp"].as_u64().unwrap() % 100, 0);
        let most = if frame["topic"] == "/contractMarket/level2Depth5:XBTUSDTM" { 5 } else { 50 };
        let sequence = data["sequence"].as_u64().unwrap();
        let market = listener.market("XBTUSDTM");
        let truth = market.truth_of(0, kucoin_futures_proto::Sequence::new(sequence)).unwrap();
        for (name, side) in [
            ("bids", kucoin_futures_proto::wire::Side::Bid),
            ("asks", kucoin_futures_proto::wire::Side::Ask),
        ] {
            let rows = data[name].as_array().unwrap();
            assert_eq!(rows.len(), most);
            for (row, level) in rows.iter().zip(truth.levels(side)) {
                assert_eq!(row[0].as_str().unwrap(), level.price.to_string());
                assert_eq!(row[1].as_u64().unwrap(), level.size.get());
            }
        }
    }
    let mut restless = Listener::with(|config| {
        (config.rate, config.depths_repeat) = (0.0, true);
    });
    restless.listen("/contractMarket/level2Depth5:XBTUSDTM");
    assert_eq!(restless.seconds(1).len(), 10);
}

#[test]
fn marks_move_and_keep_apart() {
    let mut listener = Listener::new(20.0);
    listener.listen("/contract/instrument:XBTUSDTM");
    let frames = listener.seconds(600);
    let marks = of_subject(&frames, "mark.index.price");
    let (mut moved, mut apart, mut unlike_last) = (0, 0, 0);
    let mut before = (Price::ZERO, Price::ZERO);
    for frame in &marks {
        assert_eq!(keys(frame), ["data", "subject", "topic", "type"]);
        let data = &frame["data"];
        assert_eq!(keys(data), ["granularity", "indexPrice", "markPrice", "timestamp"]);
        assert_eq!(
            (&data["granularity"], data["timestamp"].as_u64().unwrap() % 1000),
            (&1000.into(), 0)
        );
        let at = data["timestamp"].as_u64().unwrap();
        let truth = listener
            .market("XBTUSDTM")
            .marks(kucoin_futures_proto::UnixNanos::from_nanos(at * 1_000_000));
        let said = (price(&data["markPrice"]), price(&data["indexPrice"]));
        assert_eq!(said, (truth.mark, truth.index));
        moved += usize::from(said.0 != before.0 && said.1 != before.1);
        apart += usize::from(said.0 != said.1);
        unlike_last += usize::from(said.1 != truth.last);
        let off = (said.1.scaled() - truth.last.scaled()).abs();
        assert!(off < truth.last.scaled() / 500, "the index is near the market");
        before = said;
    }
    assert_eq!(marks.len(), 600);
    assert!(moved > 300 && apart > 500 && unlike_last > 500, "{moved} {apart} {unlike_last}");
}

/// Everything is held against the trades that another channel told.
#[test]
fn candles_are_what_the_trades_add_up_to() {
    let mut listener = Listener::new(50.0);
    listener.listen("/contractMarket/execution:XBTUSDTM");
    let intervals = Interval::ALL.map(|interval| format!("XBTUSDTM_{}", interval.name())).join(",");
    listener.listen(&format!("/contractMarket/limitCandle:{intervals}"));
    let frames = listener.seconds(200);
    let candles = of_subject(&frames, "candle.stick");
    assert_eq!(candles.len() % 13, 0, "all at the same time");
    let start = 1_790_000_000_u64;
    let mut trades: Vec<(u64, Price, u64)> = Vec::new();
    let (mut compared, mut last) = (0, 0);
    for frame in &frames {
        let data = &frame["data"];
        if frame["subject"] == "match" {
            let ms = data["ts"].as_u64().unwrap() / 1_000_000;
            trades.push((ms, price(&data["price"]), data["size"].as_u64().unwrap()));
            continue;
        }
        assert_eq!(keys(data), ["candles", "symbol", "time"]);
        let row = data["candles"].as_array().unwrap();
        let numbers: Vec<&str> = row.iter().map(|text| text.as_str().unwrap()).collect();
        let [begin, open, close, high, low, turnover, lots] = numbers.try_into().unwrap();
        let begin: u64 = begin.parse().unwrap();
        // Candles that began before the exchange opened have a past, too.
        if begin < start || frame["topic"] != "/contractMarket/limitCandle:XBTUSDTM_1min" {
            continue;
        }
        let of_it: Vec<_> = trades.iter().filter(|t| t.0 / 1000 / 60 * 60 == begin).collect();
        assert_eq!(of_it.first().unwrap().1, open.parse().unwrap());
        assert_eq!(of_it.last().unwrap().1, close.parse().unwrap());
        assert_eq!(of_it.iter().map(|t| t.1).max().unwrap(), high.parse().unwrap());
        assert_eq!(of_it.iter().map(|t| t.1).min().unwrap(), low.parse().unwrap());
        assert_eq!(of_it.iter().map(|t| t.2).sum::<u64>(), lots.parse::<u64>().unwrap());
        let worth: i128 = of_it.iter().map(|t| i128::from(t.1.scaled()) * i128::from(t.2)).sum();
        assert_eq!(Decimal::new(worth, -15).unwrap(), turnover.parse().unwrap());
        assert!(begin >= last, "time goes on");
        (compared, last) = (compared + 1, begin);
    }
    assert!(compared > 100, "{compared}");
}

#[test]
fn a_period_ends_with_a_push_of_its_final_state() {
    let mut listener = Listener::new(50.0);
    listener.listen("/contractMarket/limitCandle:XBTUSDTM_1min");
    let frames = listener.seconds(300);
    let rows: Vec<Vec<String>> = frames
        .iter()
        .map(|f| serde_json::from_value(f["data"]["candles"].clone()).unwrap())
        .collect();
    let kept = listener.market("XBTUSDTM").candles(Interval::Min1);
    let ended = rows.windows(2).filter(|two| two[0][0] != two[1][0]).map(|two| &two[0]);
    let mut compared = 0;
    for row in ended {
        let candle = kept.iter().find(|candle| candle.start.to_string() == row[0]).unwrap();
        assert_eq!(
            (candle.close.to_string(), candle.lots.to_string()),
            (row[2].clone(), row[6].clone())
        );
        compared += 1;
    }
    assert!(compared >= 4);
}

#[test]
fn longer_candles_are_made_of_shorter_ones() {
    let mut listener = Listener::new(20.0);
    listener.seconds(4_000);
    let market = listener.market("XBTUSDTM");
    for interval in Interval::ALL {
        let part = match interval.minutes() {
            ..=60 => Interval::Min1,
            61..=1440 => Interval::Hour1,
            _ => Interval::Day1,
        };
        let parts = market.candles(part);
        let whole = market.candles(interval);
        assert!(
            whole.len() > 200 || interval.minutes() <= 30 && whole.len() >= 200,
            "{interval:?}"
        );
        // The oldest ones may lack their first parts.
        for candle in whole.iter().rev().take(100) {
            let end = candle.start + interval.minutes() * 60;
            let of_it: Vec<_> =
                parts.iter().filter(|c| (candle.start..end).contains(&c.start)).collect();
            assert_eq!(of_it.first().unwrap().open, candle.open, "{interval:?}");
            assert_eq!(of_it.last().unwrap().close, candle.close);
            assert_eq!(of_it.iter().map(|c| c.high).max().unwrap(), candle.high);
            assert_eq!(of_it.iter().map(|c| c.low).min().unwrap(), candle.low);
            assert_eq!(of_it.iter().map(|c| c.lots).sum::<u128>(), candle.lots);
        }
        assert!(
            whole.iter().all(|c| c.low <= c.open.min(c.close) && c.high >= c.open.max(c.close))
        );
        assert!(whole.windows(2).all(|two| two[0].start < two[1].start));
    }
}

#[test]
fn the_last_24_hours_are_those_of_the_candles() {
    let mut listener = Listener::new(20.0);
    listener.listen("/contractMarket/snapshot:ETHUSDTM");
    let frames = listener.seconds(120);
    let frame = of_subject(&frames, "snapshot.24h").pop().unwrap();
    assert_eq!(frame["id"].as_str().unwrap().len(), 24);
    let data = &frame["data"];
    let names = [
        "fundingRate",
        "highPrice",
        "lastPrice",
        "lowPrice",
        "price24HoursBefore",
        "priceChg",
        "priceChgPct",
        "symbol",
        "ts",
        "turnover",
        "volume",
    ];
    assert_eq!(keys(data), names);
    let at = data["ts"].as_u64().unwrap();
    let from = (at / 60_000_000_000 - 1439) * 60;
    let candles = listener.market("ETHUSDTM").candles(Interval::Min1);
    // Nothing was traded between the push and now: time stood still.
    let (day, before): (Vec<&Candle>, Vec<&Candle>) = candles.iter().partition(|c| c.start >= from);
    assert_eq!(price(&data["highPrice"]), day.iter().map(|c| c.high).max().unwrap());
    assert_eq!(price(&data["lowPrice"]), day.iter().map(|c| c.low).min().unwrap());
    assert_eq!(price(&data["lastPrice"]), day.last().unwrap().close);
    let was = before.last().unwrap().close;
    assert_eq!(price(&data["price24HoursBefore"]), was);
    let lots: u128 = day.iter().map(|c| c.lots).sum();
    assert_eq!(decimal(&data["volume"]), Decimal::new(lots as i128, -2).unwrap(), "coins");
    let change = price(&data["lastPrice"]).scaled() - was.scaled();
    assert_eq!(decimal(&data["priceChg"]), Decimal::new(change.into(), -12).unwrap());
    assert!(day.len() > 1_400, "a day, from the first second on");
}

#[test]
fn funding_is_announced_and_settled_on_the_grid_of_each_contract() {
    // It opens at 14:13 UTC. 10PEPEUSDTM settles each hour, SOLUSDTM at three and every four hours.
    let mut listener = Listener::new(0.0);
    listener.listen("/contract/announcement");
    listener.listen("/contract/announcement:10PEPEUSDTM");
    listener.listen("/contract/instrument:10PEPEUSDTM,XBTUSDTM");
    let begins = 1_790_000_000_000_u64.next_multiple_of(3_600_000);
    let frames = listener.pass(Duration::from_millis(begins - listener.unix_ms() + 60_000));
    for (subject, late) in [("funding.begin", 0), ("funding.end", 10_000)] {
        let told = of_subject(&frames, subject);
        let topics: Vec<_> = told
            .iter()
            .map(|f| (f["topic"].as_str().unwrap(), f["data"]["symbol"].as_str().unwrap()))
            .collect();
        assert_eq!(
            topics,
            [
                ("/contract/announcement", "10PEPEUSDTM"),
                ("/contract/announcement", "SOLUSDTM"),
                ("/contract/announcement:10PEPEUSDTM", "10PEPEUSDTM")
            ]
        );
        let data = &told[0]["data"];
        assert_eq!(keys(data), ["fundingRate", "fundingTime", "symbol", "timestamp"]);
        assert_eq!(
            (&data["symbol"], &data["fundingTime"]),
            (&"10PEPEUSDTM".into(), &begins.into())
        );
        assert_eq!(data["timestamp"].as_u64(), Some(begins + late));
    }
    let rates = of_subject(&frames, "funding.rate");
    let settled: Vec<_> =
        rates.iter().filter(|frame| frame["data"]["granularity"] == 3_600_000).collect();
    assert_eq!(settled.len(), 1);
    assert_eq!(settled[0]["topic"], "/contract/instrument:10PEPEUSDTM");
    assert_eq!(keys(&settled[0]["data"]), ["fundingRate", "granularity", "timestamp"]);
    let charged = &of_subject(&frames, "funding.end")[0]["data"]["fundingRate"];
    assert_eq!(&settled[0]["data"]["fundingRate"], charged);
    let estimates: Vec<_> =
        rates.iter().filter(|frame| frame["data"]["granularity"] == 60_000).collect();
    assert_eq!(keys(&estimates[0]["data"]), ["fundingRate", "granularity", "period", "timestamp"]);
    assert!(estimates.iter().all(|f| f["data"]["timestamp"].as_u64().unwrap() % 60_000 == 0));
    let last = estimates.iter().rfind(|f| {
        f["topic"] == "/contract/instrument:10PEPEUSDTM"
            && f["data"]["timestamp"].as_u64().unwrap() < begins
    });
    assert_ne!(&last.unwrap()["data"]["fundingRate"], charged, "an estimate is only one");
}

#[test]
fn who_listens_changes_nothing_else() {
    let run = |topics: &[&str]| {
        let mut listener = Listener::new(50.0);
        topics.iter().for_each(|topic| listener.listen(topic));
        listener.seconds(70);
        let market = listener.market("XBTUSDTM");
        (market.sequence(), market.truth().clone(), market.open_interest())
    };
    let all = [
        "/contractMarket/level2Depth50:XBTUSDTM",
        "/contract/instrument:XBTUSDTM",
        "/contractMarket/snapshot:XBTUSDTM",
        "/contractMarket/limitCandle:XBTUSDTM_1month",
    ];
    assert!(run(&[]) == run(&all), "the same seed, the same market");
}

#[test]
fn pushes_are_lost_doubled_and_spoiled_as_scripted() {
    let mut listener = Listener::new(100.0);
    let target = Target::One("XBTUSDTM".parse().unwrap());
    listener.listen("/contract/instrument:XBTUSDTM");
    let count = 3;
    listener.inject(Fault::PushDrop { target, count });
    assert_eq!(listener.seconds(5).len(), 2);
    listener.inject(Fault::PushRepeat { target, count });
    let frames = listener.seconds(5);
    assert_eq!((frames.len(), frames[0] == frames[1]), (8, true));
    listener.inject(Fault::PushSubject { target, count });
    let frames = listener.seconds(5);
    let strange = frames.iter().filter(|frame| frame["subject"] == "next.mark.index.price");
    assert_eq!((frames.len(), strange.count()), (5, 3));
    listener.inject(Fault::PushMalformed { target, count });
    listener.exchange.tick(listener.now + Duration::from_secs(5));
    let texts: Vec<_> = std::iter::from_fn(|| listener.exchange.poll_output())
        .filter_map(|outgoing| match outgoing {
            Outgoing::Send(_, text, _) => Some(text),
            _ => None,
        })
        .collect();
    let sound = texts.iter().filter(|text| {
        serde_json::from_str::<Value>(text).is_ok_and(|frame| frame["data"].is_object())
    });
    assert_eq!((texts.len(), sound.count()), (5, 2));
}
