//! Depths, candles, marks, funding, statistics and contracts, as `kcf` shows those of a `kcf sim`: real processes.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    missing_docs,
    reason = "tests"
)]

mod common;

use common::{Sim, kcf, lines, of_type};
use kucoin_futures_proto::Decimal;
use serde_json::Value;

const RUNTIMES: [&str; 2] = ["blocking", "smol"];
const YEAR_2023_NS: u64 = 1_700_000_000_000_000_000;

fn number(value: &Value) -> Decimal {
    value.as_str().unwrap_or_else(|| panic!("no exact number: {value}")).parse().unwrap()
}

fn stream(sim: &Sim, args: &[&str]) -> Vec<Value> {
    let output = kcf(&[args, &["--url", &sim.url, "--json"]].concat());
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let lines = lines(&output);
    assert_eq!(of_type(&lines, "summary").len(), 1);
    for line in lines.iter().filter(|line| line["type"] != "summary") {
        assert!(line["at_ns"].as_u64() > Some(YEAR_2023_NS), "by which clock: {line}");
    }
    lines
}

#[test]
fn a_depth_is_whole_each_time_and_has_as_many_levels_as_were_asked_for() {
    let sim = Sim::start(&["--rate", "200", "--symbols", "XBTUSDTM,ETHUSDTM"]);
    for (levels, runtime) in ["5", "50"].into_iter().zip(RUNTIMES) {
        let args = ["depth", "XBTUSDTM", "ETHUSDTM", "--levels", levels, "--for", "2s"];
        let lines = stream(&sim, &[&args[..], &["--runtime", runtime]].concat());
        let depths = of_type(&lines, "depth");
        for symbol in ["XBTUSDTM", "ETHUSDTM"] {
            let of: Vec<_> = depths.iter().filter(|depth| depth["symbol"] == symbol).collect();
            let sequence = |depth: &&&&Value| depth["sequence"].as_u64().unwrap();
            assert!(
                of.len() > 3 && of.iter().is_sorted_by_key(|depth| sequence(&depth)),
                "{symbol}"
            );
        }
        for depth in depths {
            let wanted: usize = levels.parse().unwrap();
            assert_eq!(depth["levels"], wanted);
            for side in ["bids", "asks"] {
                let rows = depth[side].as_array().unwrap();
                assert_eq!(rows.len(), wanted, "{side}");
                assert!(rows[0][0].is_string() && rows[0][1].as_u64() > Some(0), "{depth}");
            }
            assert!(number(&depth["bids"][0][0]) < number(&depth["asks"][0][0]));
            assert!(depth["ts_ns"].as_u64() > Some(YEAR_2023_NS));
        }
    }
}

#[test]
fn a_candle_grows_and_is_of_the_interval_that_was_asked_for() {
    let sim = Sim::start(&["--rate", "300", "--symbols", "XBTUSDTM"]);
    for (interval, seconds) in [("1min", 60), ("4hour", 14_400)] {
        let lines = stream(&sim, &["candles", "XBTUSDTM", "--interval", interval, "--for", "4s"]);
        let candles = of_type(&lines, "candle");
        assert!(candles.len() > 1, "{lines:?}");
        for candle in &candles {
            let [low, high] = ["low", "high"].map(|key| number(&candle[key]));
            for key in ["open", "close"] {
                assert!((low..=high).contains(&number(&candle[key])), "{candle}");
            }
            assert_eq!(candle["interval"], interval);
            assert_eq!(candle["start_ns"].as_u64().unwrap() % (seconds * 1_000_000_000), 0);
            assert!(number(&candle["turnover"]) > Decimal::ZERO);
        }
    }
    let wrong = kcf(&["candles", "XBTUSDTM", "--interval", "7min"]);
    assert_eq!(wrong.status.code(), Some(2));
}

/// So many decimals as a price holds, cut.
fn cut(sum: Decimal, by: i128) -> Decimal {
    let units = sum.mantissa() * 10_i128.pow((12 + i32::from(sum.exponent())) as u32);
    Decimal::new(units / by, -12).unwrap()
}

#[test]
fn indicators_are_of_complete_candles_and_say_how_many_they_lack() {
    let sim = Sim::start(&["--rate", "100", "--symbols", "XBTUSDTM,XBTUSDM"]);
    let asked = ["candles", "XBTUSDTM", "--indicators", "sma=3,vwap=1,rsi", "--history", "20"];
    for runtime in RUNTIMES {
        let lines = stream(&sim, &[&asked[..], &["--for", "4s", "--runtime", runtime]].concat());
        let candles = of_type(&lines, "candle");
        assert!((19..=22).contains(&candles.len()), "{}", candles.len());
        let of = |candle: &Value, name: &str| candle["indicators"][name].clone();
        for (place, candle) in candles.iter().enumerate() {
            let is_next = place == 0
                || candles[place - 1]["start_ns"].as_u64().unwrap() + 60_000_000_000
                    == candle["start_ns"].as_u64().unwrap();
            assert!(is_next, "{candle}");
            let [sma, vwap, rsi] = ["sma=3", "vwap=1", "rsi"].map(|name| of(candle, name));
            if place < 2 {
                assert_eq!(
                    (&sma["state"], &sma["needed"]),
                    (&"warming".into(), &(2 - place).into())
                );
            } else {
                let closes = candles[place - 2..=place].iter().map(|c| units(c, "close"));
                let sum: i128 = closes.sum();
                assert_eq!(sma["state"], "valid");
                assert_eq!(
                    sma["valid_since_ns"],
                    candles[0]["start_ns"].as_u64().unwrap() + MINUTE_NS
                );
                assert_eq!(number(&sma["value"]), cut(Decimal::new(sum, -12).unwrap(), 3));
            }
            // A lot is 0.001 coins.
            let lots = candle["volume_lots"].as_u64().unwrap();
            let turnover = number(&candle["turnover"]);
            let value = Decimal::new(turnover.mantissa(), turnover.exponent() + 3).unwrap();
            assert_eq!(number(&vwap["value"]), cut(value, lots.into()), "{candle}");
            assert_eq!(rsi["state"], if place < 14 { "warming" } else { "valid" }, "{candle}");
        }
    }
    // An average over the day is asked for since the day began, and a coin-settled contract is averaged by its coins.
    let lines = stream(
        &sim,
        &[
            "candles",
            "XBTUSDM",
            "--indicators",
            "vwap",
            "--history",
            "2",
            "--interval",
            "15min",
            "--for",
            "5s",
        ],
    );
    let candle = of_type(&lines, "candle").pop().unwrap().clone();
    assert_eq!(candle["indicators"]["vwap"]["state"], "valid", "{candle}");
    let vwap = number(&candle["indicators"]["vwap"]["value"]);
    let near = |percent: i128| Decimal::new(units(&candle, "close") * percent / 100, -12).unwrap();
    assert!(near(50) < vwap && vwap < near(200), "{candle}");

    let output = kcf(&[&asked[..], &["--url", &sim.url, "--for", "4s"]].concat());
    let text = String::from_utf8(output.stdout).unwrap();
    let last = text.lines().rfind(|line| line.starts_with("XBTUSDTM")).unwrap();
    assert!(last.contains('█') && last.contains("rsi ") && last.contains("sma=3 6"), "{text}");
    let wrong = kcf(&["candles", "XBTUSDTM", "--indicators", "rsi=0", "--url", &sim.url]);
    assert_eq!(wrong.status.code(), Some(2));
}

const MINUTE_NS: u64 = 60_000_000_000;

/// In units of 1e-12.
fn units(line: &Value, key: &str) -> i128 {
    let number = number(&line[key]);
    number.mantissa() * 10_i128.pow((12 + i32::from(number.exponent())) as u32)
}

#[test]
fn marks_come_each_second_and_an_estimate_is_told_from_what_was_settled() {
    let sim = Sim::start(&["--rate", "100", "--symbols", "XBTUSDTM"]);
    let lines = stream(&sim, &["instrument", "XBTUSDTM", "--for", "4s"]);
    let marks = of_type(&lines, "mark");
    assert!((2..=6).contains(&marks.len()), "{}", marks.len());
    assert!(number(&marks[0]["mark_price"]) > Decimal::ZERO);
    assert!(number(&marks[0]["index_price"]) > Decimal::ZERO);
    // Once a minute on the stream; what REST says is there at once.
    let funding = of_type(&lines, "funding");
    let asked = funding.iter().find(|line| line["source"] == "rest").unwrap();
    assert_eq!(asked["kind"], "estimate", "{asked}");
    number(&asked["rate"]);
    assert!(asked["next_settlement_ns"].as_u64() > asked["at_ns"].as_u64(), "{asked}");
    assert!(asked["interval_ms"].as_u64() >= Some(3_600_000), "{asked}");
}

#[test]
fn statistics_are_exact_and_people_read_a_row() {
    let sim = Sim::start(&["--rate", "100", "--symbols", "XBTUSDTM,ETHUSDTM"]);
    let lines = stream(&sim, &["stats", "--all", "--for", "7s"]);
    for symbol in ["XBTUSDTM", "ETHUSDTM"] {
        let stats = of_type(&lines, "stats").into_iter().find(|line| line["symbol"] == symbol);
        let stats = stats.unwrap();
        let [low, last, high] =
            ["low_price", "last_price", "high_price"].map(|key| number(&stats[key]));
        assert!(low <= last && last <= high && number(&stats["volume"]) > Decimal::ZERO, "{stats}");
    }
    let output = kcf(&["stats", "ETHUSDTM", "--url", &sim.url, "--for", "7s"]);
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(
        text.lines().any(|line| line.starts_with("ETHUSDTM") && line.matches('%').count() == 2),
        "{text}"
    );
    assert!(!text.contains('\u{1b}'), "no terminal, no colour");
}

#[test]
fn contracts_are_a_table_or_objects_with_every_field() {
    let symbols = "XBTUSDTM,ETHUSDTM,XBTUSDM,XBTMZ26";
    let sim = Sim::start(&["--symbols", symbols]);
    let table = |more: &[&str]| {
        let output = kcf(&[&["contracts", "--url", &sim.url], more].concat());
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    };
    let text = table(&["--sort", "symbol"]);
    let rows: Vec<&str> = text.lines().collect();
    assert!(rows[0].starts_with("symbol") && rows[5] == "4 contracts", "{text}");
    let names = rows[1..5].iter().map(|row| row.split(' ').next().unwrap());
    assert_eq!(names.collect::<Vec<_>>(), ["ETHUSDTM", "XBTMZ26", "XBTUSDM", "XBTUSDTM"]);
    for (row, words) in [
        (2, ["dated, inverse", "1 USD"]),
        (3, ["inverse", "1 USD"]),
        (4, ["perpetual, USDT", "0.001 XBT"]),
    ] {
        assert!(words.iter().all(|word| rows[row].contains(word)), "{}", rows[row]);
    }
    assert!(rows[4].contains(" % / 8 h") && rows[4].contains('x'), "{text}");
    assert!(!text.contains('\u{1b}'));
    assert!(table(&["dated"]).lines().count() == 3 && table(&["btc"]).contains("3 contracts"));

    let objects = kcf(&["contracts", "--url", &sim.url, "--json"]);
    let objects = lines(&objects);
    let contract = objects.iter().find(|line| line["symbol"] == "XBTUSDTM").unwrap();
    assert_eq!(
        contract.as_object().unwrap().len(),
        87,
        "the type, and all that is known: {contract}"
    );
    assert_eq!((&contract["type"], &contract["multiplier"]), (&"contract".into(), &"0.001".into()));
    assert_eq!(contract["is_inverse"], false);
    assert!(contract["first_open_ns"].is_u64() && contract["source_exchanges"].is_array());

    let none = kcf(&["contracts", "doge", "--url", &sim.url]);
    assert_eq!(none.status.code(), Some(2));
    let away = kcf(&["contracts", "--url", "http://127.0.0.1:1"]);
    assert_eq!(away.status.code(), Some(4), "{}", String::from_utf8_lossy(&away.stderr));
}
