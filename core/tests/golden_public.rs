//! Public channels besides level2, tickers and trades: payloads of our own in the documented shapes, read
//! field by field in their units, each by its frame alone and through a whole client.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs,
    reason = "tests"
)]

mod common;

use std::time::Duration;

use common::*;
use kucoin_futures_proto::book::Level;
use kucoin_futures_proto::wire::{
    CandleUpdate, Depth, FundingRate, FundingSettlement, Levels, MarkPrice, Stats24h,
};
use kucoin_futures_proto::{
    Channel, Decimal, Interval, Lots, Message, Symbol, UnixNanos, WireError,
};

fn link() -> Symbol {
    LINK.parse().unwrap()
}

fn decimal(text: &str) -> Decimal {
    text.parse().unwrap()
}

fn millis(ms: u64) -> Option<UnixNanos> {
    UnixNanos::from_millis(ms)
}

macro_rules! is {
    ($message:expr, $variant:ident) => {
        match $message.unwrap() {
            Message::$variant(said) => said,
            other => panic!("{other:?}"),
        }
    };
}

const DEPTH: &str = r#"{"topic":"/contractMarket/level2Depth50:LINKUSDTM","type":"message","subject":"level2","sn":1791500000500,"data":{"bids":[["14.205",713],["14.2",54],["14",1]],"sequence":1655400450777,"timestamp":1791500000500,"ts":1791500000500,"asks":[["14.21",854],["14.2105",4]]}}"#;

fn depth50(text: &str) -> Result<Depth<'_>, WireError> {
    said(Channel::depth50(link()), text).map(|message| match message {
        Message::Depth50(depth) => depth,
        other => panic!("{other:?}"),
    })
}

fn shown(levels: Levels<'_>) -> String {
    let level = |Level { price, size }| format!("{price}*{size}");
    levels.iter().map(level).collect::<Vec<_>>().join(" ")
}

#[test]
fn fifty_levels_come_whole_with_the_sequence_of_the_book_and_a_time_in_milliseconds() {
    let depth = depth50(DEPTH).unwrap();
    assert_eq!(shown(depth.bids), "14.205*713 14.2*54 14*1", "the highest first");
    assert_eq!(shown(depth.asks), "14.21*854 14.2105*4", "the lowest first");
    assert_eq!(depth.sequence.unwrap().get(), 1_655_400_450_777, "and not `sn`, a time");
    assert_eq!(depth.ts_event, millis(1_791_500_000_500));
    let five = edited(DEPTH, "Depth50", "Depth5");
    let same = is!(said(Channel::depth5(link()), &five), Depth5);
    assert_eq!(format!("{same:?}"), format!("{depth:?}"));
}

/// Sizes as strings, prices as numbers with any number of decimals, times in nanoseconds, no sequence.
#[test]
fn depths_of_older_days_say_the_same() {
    let levels = r#"[["14.205",713],["14.2",54],["14",1]]"#;
    for older in [
        r#"[["14.205","713"],["14.2","54"],["14","1"]]"#,
        r#"[[14.20500000,713],[14.2,54],[14,1]]"#,
        r#"[["1.4205E1",713.0],[14.20,"54.0"],["14.0",1]]"#,
        "[ [ \"14.205\" , 713 ] ,\n[\"14.2\",54],\t[\"14\",1] ]",
    ] {
        let depth = edited(DEPTH, levels, older);
        assert_eq!(shown(depth50(&depth).unwrap().bids), "14.205*713 14.2*54 14*1", "{older}");
    }
    let nanos = edited(DEPTH, r#""ts":1791500000500"#, r#""ts":1791500000500000000"#);
    assert_eq!(depth50(&nanos).unwrap().ts_event, millis(1_791_500_000_500));
    let without = edited(DEPTH, r#""sequence":1655400450777,"#, "");
    assert_eq!(depth50(&without).unwrap().sequence, None);
    let timeless = edited(DEPTH, r#""ts":1791500000500"#, r#""ts":null"#);
    assert_eq!(depth50(&timeless).unwrap().ts_event, None);
}

/// How the exchange writes an empty side is not known.
#[test]
fn a_side_of_a_depth_may_be_empty_but_not_both_be_absent() {
    let asks = r#","asks":[["14.21",854],["14.2105",4]]"#;
    for nothing in [r#","asks":[]"#, r#","asks":null"#, r#","asks":"""#, ""] {
        let text = edited(DEPTH, asks, nothing);
        let depth = depth50(&text).unwrap();
        assert_eq!((depth.asks.iter().count(), depth.bids.iter().count()), (0, 3), "{nothing}");
    }
    let neither = edited(&edited(DEPTH, asks, ""), r#""bids""#, r#""other""#);
    assert_eq!(depth50(&neither).unwrap_err(), WireError::Missing { field: "bids" });
}

const MARK: &str = r#"{"topic":"/contract/instrument:LINKUSDTM","type":"message","subject":"mark.index.price","data":{"markPrice":14.2050,"indexPrice":14.21,"granularity":1000,"timestamp":1791500001000}}"#;

fn mark(text: &str) -> MarkPrice {
    is!(said(Channel::instrument(link()), text), MarkPrice)
}

#[test]
fn a_mark_price_is_of_the_contract_of_its_topic() {
    let said = mark(MARK);
    assert_eq!((said.mark_price, said.index_price), (decimal("14.205"), decimal("14.21")));
    assert_eq!(said.interval, Some(Duration::from_secs(1)), "`granularity` is in milliseconds");
    assert_eq!((said.symbol, said.ts_event), (Some(link()), millis(1_791_500_001_000)));
}

#[test]
fn prices_of_an_instrument_have_any_form_that_a_number_has() {
    for (number, means) in [
        ("\"14.2050\"", "14.205"),
        ("1.42050E1", "14.205"),
        ("1.2E-7", "0.00000012"),
        ("0E-8", "0"),
        ("-0.0", "0"),
        ("110110.10", "110110.1"),
        ("1234567890123456789", "1234567890123456789"),
        ("1234567890123456789.0123456789", "1234567890123456789.0123456789"),
    ] {
        let text = edited(MARK, "14.2050", number);
        assert_eq!(mark(&text).mark_price, decimal(means), "{number}");
    }
    for absent in ["\"granularity\":null", "\"granularity\":\"\"", "\"x\":1"] {
        let text = edited(MARK, "\"granularity\":1000", absent);
        assert_eq!(mark(&text).interval, None, "{absent}");
    }
    let text = edited(MARK, ":1000,", ":\"1000\",");
    assert_eq!(mark(&text).interval, Some(Duration::from_secs(1)));
}

#[test]
fn a_mark_price_without_a_price_says_what_is_wrong() {
    let whole = |from: &str, to: &str| edited(MARK, from, to);
    for (text, error) in [
        (whole("markPrice", "other"), WireError::Missing { field: "markPrice" }),
        (whole("14.2050", "null"), WireError::Missing { field: "markPrice" }),
        (whole("14.2050", "\"\""), WireError::OutOfRange { field: "markPrice" }),
        (whole("14.2050", "\"x\""), WireError::OutOfRange { field: "markPrice" }),
        (whole("14.2050", "[1]"), WireError::WrongType { field: "markPrice" }),
        (whole("14.2050", "true"), WireError::WrongType { field: "markPrice" }),
        (whole("14.2050", "\"1\\u0034\""), WireError::WrongType { field: "markPrice" }),
        (whole(":1000,", ":-1000,"), WireError::OutOfRange { field: "granularity" }),
        (whole(":1000,", ":0.5,"), WireError::OutOfRange { field: "granularity" }),
        (whole(":1000,", ":\"+1000\","), WireError::OutOfRange { field: "granularity" }),
        (whole(":1000,", ":\"01000\","), WireError::OutOfRange { field: "granularity" }),
        (whole(":1000,", ":18446744073709551616,"), WireError::OutOfRange { field: "granularity" }),
        (whole(":1000,", ":1000,\"markPrice\":1,"), WireError::Duplicate { field: "markPrice" }),
    ] {
        let wanted = Channel::instrument(link());
        assert_eq!(said(wanted, &text).map(|_| ()), Err(error), "{text}");
    }
}

const RATE: &str = r#"{"topic":"/contract/instrument:LINKUSDTM","type":"message","subject":"funding.rate","data":{"period":1,"granularity":60000,"fundingRate":-0.000077,"timestamp":1791500040000}}"#;

fn rate(text: &str) -> FundingRate {
    is!(said(Channel::instrument(link()), text), FundingRate)
}

/// What tells them apart is how often they come, and nothing else.
#[test]
fn a_funding_rate_is_an_estimate_each_minute_and_settled_at_each_interval() {
    let estimate = rate(RATE);
    assert_eq!((estimate.symbol, estimate.funding_rate), (Some(link()), decimal("-0.000077")));
    assert_eq!((estimate.interval, estimate.period), (Some(Duration::from_secs(60)), Some(1)));
    assert_eq!(estimate.ts_event, millis(1_791_500_040_000));
    assert!(estimate.is_estimate());
    for (granularity, hours) in [("28800000", 8), ("14400000", 4), ("3600000", 1)] {
        let text = edited(&edited(RATE, "60000", granularity), "\"period\":1,", "");
        let settled = rate(&text);
        assert_eq!(settled.interval, Some(Duration::from_secs(3600 * hours)));
        assert_eq!((settled.period, settled.is_estimate()), (None, false), "{hours}");
    }
    let text = edited(RATE, "-0.000077", "-7.7E-5");
    assert_eq!(rate(&text).funding_rate, estimate.funding_rate);
}

const BEGIN: &str = r#"{"topic":"/contract/announcement","subject":"funding.begin","data":{"symbol":"LINKUSDTM","fundingTime":1791504000000,"fundingRate":0.000125,"timestamp":1791504000017}}"#;

fn check_settlement(settlement: FundingSettlement) {
    assert_eq!((settlement.symbol, settlement.funding_rate), (Some(link()), decimal("0.000125")));
    assert_eq!(settlement.funding_time, millis(1_791_504_000_000), "when it was due");
    assert_eq!(settlement.ts_event, millis(1_791_504_000_017));
}

/// Samples of the documentation lack the type.
#[test]
fn a_settlement_of_funding_is_announced_to_all_and_by_contract() {
    let end = edited(BEGIN, "funding.begin", "funding.end");
    let typed = edited(BEGIN, "\"subject\"", "\"type\":\"message\",\"subject\"");
    for all in [BEGIN, typed.as_str()] {
        check_settlement(is!(said(Channel::announcements(), all), FundingBegin));
    }
    check_settlement(is!(said(Channel::announcements(), &end), FundingEnd));

    let of_link = |text| edited(text, "announcement", "announcement:LINKUSDTM");
    for wanted in [Channel::announcements_of(link()), Channel::announcements()] {
        check_settlement(is!(said(wanted, &of_link(BEGIN)), FundingBegin));
        check_settlement(is!(said(wanted, &of_link(&end)), FundingEnd));
    }
    let silent = edited(&of_link(BEGIN), "\"symbol\":\"LINKUSDTM\",", "");
    let wanted = Channel::announcements_of(link());
    check_settlement(is!(said(wanted, &silent), FundingBegin));
    let nobody = edited(BEGIN, "\"symbol\":\"LINKUSDTM\",", "");
    assert_eq!(is!(said(Channel::announcements(), &nobody), FundingBegin).symbol, None);
}

const STATS: &str = r#"{"topic":"/contractMarket/snapshot:LINKUSDTM","type":"message","subject":"snapshot.24h","id":"69a1b2c3d4e5f60001020304","data":{"highPrice":14.990,"lastPrice":14.205,"lowPrice":13.801,"price24HoursBefore":14.365,"priceChg":-0.160,"priceChgPct":-0.0111,"symbol":"LINKUSDTM","ts":1791500005494812819,"turnover":3068698.8596315383,"volume":684.327,"fundingRate":0.000077}}"#;

fn stats(text: &str) -> Stats24h {
    is!(said(Channel::stats_24h(link()), text), Stats24h)
}

#[test]
fn figures_of_a_day_are_in_coins_and_quote_currency_with_a_time_in_nanoseconds() {
    let said = stats(STATS);
    let prices = [said.high_price, said.last_price, said.low_price, said.price_24h_before];
    assert_eq!(prices, ["14.99", "14.205", "13.801", "14.365"].map(|text| Some(decimal(text))));
    assert_eq!(said.price_change, Some(decimal("-0.16")));
    assert_eq!(said.price_change_ratio, Some(decimal("-0.0111")), "-1.11 %");
    assert_eq!(said.turnover, Some(decimal("3068698.8596315383")), "quote currency");
    assert_eq!(said.volume, Some(decimal("684.327")), "base currency, and no lots");
    assert_eq!(said.funding_rate, Some(decimal("0.000077")));
    assert_eq!(said.symbol, Some(link()));
    assert_eq!(said.ts_event, Some(UnixNanos::from_nanos(1_791_500_005_494_812_819)));
}

#[test]
fn figures_of_a_day_may_be_long_short_or_absent() {
    let long = edited(STATS, "3068698.8596315383", "526928331.0482177734");
    assert_eq!(stats(&long).turnover, Some(decimal("526928331.0482177734")), "19 digits");
    let longer = edited(STATS, "3068698.8596315383", "9223372036854775808");
    assert_eq!(stats(&longer).turnover, Some(decimal("9223372036854775808")));
    let older = edited(STATS, ",\"fundingRate\":0.000077", "");
    assert_eq!((stats(&older).funding_rate, stats(&older).volume), (None, stats(STATS).volume));
    for nothing in ["null", "\"\""] {
        let text = edited(STATS, ":14.205,", &format!(":{nothing},"));
        assert_eq!(stats(&text).last_price, None, "{nothing}");
    }
    // A time that says less than it should costs nothing but itself.
    for odd in ["1791500005494", "\"soon\"", "1.79E18", "{}"] {
        let text = edited(STATS, "1791500005494812819", odd);
        assert_eq!((stats(&text).ts_event, stats(&text).volume), (None, stats(STATS).volume));
    }
}

const CANDLE: &str = r#"{"topic":"/contractMarket/limitCandle:LINKUSDTM_4hour","type":"message","data":{"symbol":"LINKUSDTM","candles":["1791489600","14.10","14.205","14.9","13.8","30210.512","2131"],"time":1791500003213},"subject":"candle.stick"}"#;

fn candle(text: &str) -> Result<CandleUpdate, WireError> {
    let message = said(Channel::candles(link(), Interval::Hour4), text)?;
    let Message::Candle(candle) = message else { panic!("{message:?}") };
    Ok(candle)
}

/// Close stands before high and low, unlike in REST; turnover before lots, unlike in the documentation.
#[test]
fn a_candle_is_start_open_close_high_low_turnover_and_lots() {
    let said = candle(CANDLE).unwrap();
    assert_eq!((said.symbol, said.interval), (link(), Some(Interval::Hour4)));
    assert_eq!(said.start, UnixNanos::from_nanos(1_791_489_600_000_000_000), "from seconds");
    assert_eq!((said.open, said.close), (decimal("14.1"), decimal("14.205")));
    assert_eq!((said.high, said.low), (decimal("14.9"), decimal("13.8")));
    assert_eq!((said.turnover, said.volume), (decimal("30210.512"), Lots::new(2131)));
    assert_eq!(said.ts_event, millis(1_791_500_003_213), "from milliseconds");
}

#[test]
fn a_candle_may_be_written_in_numbers_and_have_more_entries() {
    let entries = r#"["1791489600","14.10","14.205","14.9","13.8","30210.512","2131"]"#;
    for other in [
        "[1791489600,14.10,14.205,14.9,13.8,30210.512,2131]",
        r#"[ "1791489600" , 1.41E1,"14.2050","14.90","13.8","30210.5120","2131.0"]"#,
        r#"["1791489600","14.10","14.205","14.9","13.8","30210.512","2131",null,{"new":[]}]"#,
    ] {
        assert_eq!(candle(&edited(CANDLE, entries, other)), candle(CANDLE), "{other}");
    }
    let malformed = WireError::Malformed { field: "candles" };
    for (other, error) in [
        ("[]", malformed),
        (r#"["1791489600","14.10","14.205","14.9","13.8","30210.512"]"#, malformed),
        ("{}", WireError::WrongType { field: "candles" }),
        ("null", WireError::Missing { field: "candles" }),
        ("[null,1,1,1,1,1,1]", WireError::WrongType { field: "candles" }),
        ("[-1,1,1,1,1,1,1]", WireError::OutOfRange { field: "candles" }),
        ("[1,1,1,1,1,1,0.5]", WireError::NotWhole { field: "candles" }),
        ("[1,1,1,1,1,1,-5]", WireError::Negative { field: "candles" }),
        ("[99999999999999999999,1,1,1,1,1,1]", WireError::OutOfRange { field: "candles" }),
    ] {
        assert_eq!(candle(&edited(CANDLE, entries, other)), Err(error), "{other}");
    }
}

#[test]
fn every_interval_of_candles_has_its_topic() {
    for &interval in Interval::ALL {
        let text = edited(CANDLE, "4hour", interval.as_str());
        let message = said(Channel::candles(link(), interval), &text);
        assert_eq!(is!(message, Candle).interval, Some(interval));
    }
}

/// Candles of a contract whose name is like an interval, of other lengths, and of none.
#[test]
fn candles_of_another_length_are_of_another_topic() {
    let (mut rig, _) = Rig::carrying(Channel::candles(link(), Interval::Hour4));
    for other in ["LINKUSDTM_1hour", "LINKUSDTM_7min", "LINKUSDTM", "_4hour", "LINKUSDTM_"] {
        assert_eq!(rig.pushed(&edited(CANDLE, "LINKUSDTM_4hour", other)), None, "{other}");
    }
    assert!(rig.pushed(CANDLE).is_some());
}

/// One of each, for what holds for all.
const EACH: [(&str, &str); 6] = [
    ("level2", DEPTH),
    ("mark.index.price", MARK),
    ("funding.rate", RATE),
    ("funding.begin", BEGIN),
    ("snapshot.24h", STATS),
    ("candle.stick", CANDLE),
];

fn channel_of(text: &str) -> Channel {
    let json: serde_json::Value = serde_json::from_str(text).unwrap();
    let topic = json["topic"].as_str().unwrap();
    let all = [
        Channel::depth50(link()),
        Channel::instrument(link()),
        Channel::announcements(),
        Channel::stats_24h(link()),
        Channel::candles(link(), Interval::Hour4),
    ];
    all.into_iter().find(|channel| channel.to_string() == topic).unwrap()
}

#[test]
fn a_message_about_something_unknown_comes_as_it_stands() {
    for (subject, text) in EACH {
        for other in ["something.new", "match", "position.change", ""] {
            let quoted = |subject: &str| format!("\"subject\":\"{subject}\"");
            let text = edited(text, &quoted(subject), &quoted(other));
            let unknown = is!(said(channel_of(&text), &text), Unknown);
            assert_eq!(unknown.channel, channel_of(&text));
            assert_eq!(unknown.subject.unwrap().to_string(), other);
            let json: serde_json::Value = serde_json::from_str(&text).unwrap();
            let data: serde_json::Value = serde_json::from_slice(unknown.data).unwrap();
            assert_eq!(data, json["data"], "{text}");
        }
    }
}

/// What is unknown has no sequence: nothing of it is taken for a repeat.
#[test]
fn a_message_about_something_unknown_is_handed_out_each_time() {
    let plain = edited(DEPTH, "\"subject\":\"level2\"", "\"subject\":\"other\"");
    let escaped = edited(DEPTH, "\"subject\":\"level2\"", "\"subject\":\"\\u006fther\"");
    let (mut rig, _) = Rig::carrying(Channel::depth50(link()));
    for text in [&plain, &plain, &escaped, &escaped] {
        assert!(rig.pushed(text).is_some(), "{text}");
    }
}

/// A channel with one subject takes its messages for that; one with several cannot know.
#[test]
fn a_message_without_a_subject_is_known_by_a_channel_with_one() {
    for (subject, text) in EACH {
        let with = format!("\"subject\":\"{subject}\"");
        let without = edited(text, &with, "\"other\":0");
        let message = said(channel_of(text), &without).unwrap();
        let is_one = !["mark.index.price", "funding.rate", "funding.begin"].contains(&subject);
        if is_one {
            let usual = format!("{:?}", said(channel_of(text), text).unwrap());
            assert_eq!(format!("{message:?}"), usual, "{text}");
        } else {
            let Message::Unknown(unknown) = message else { panic!("{message:?}") };
            assert_eq!(unknown.subject, None);
        }
    }
}

#[test]
fn a_message_about_another_contract_than_its_topic_is_a_mismatch() {
    for (_, text) in EACH {
        let data_of_others = text.contains("\"symbol\":\"LINKUSDTM\"");
        if !data_of_others || text.contains("announcement") {
            continue;
        }
        let other = edited(text, "\"symbol\":\"LINKUSDTM\"", "\"symbol\":\"AVAXUSDTM\"");
        let error = said(channel_of(text), &other).map(|_| ()).unwrap_err();
        assert_eq!(error, WireError::Mismatch { field: "symbol" }, "{other}");
    }
    let of_link = edited(BEGIN, "announcement", "announcement:LINKUSDTM");
    let other = edited(&of_link, "\"symbol\":\"LINK", "\"symbol\":\"AVAX");
    let wanted = Channel::announcements_of(link());
    let error = said(wanted, &other).map(|_| ()).unwrap_err();
    assert_eq!(error, WireError::Mismatch { field: "symbol" });
}
