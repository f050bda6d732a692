//! What private channels tell, frame by frame, read by a general JSON parser.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs,
    reason = "tests"
)]

mod owner;

use std::collections::{BTreeMap, BTreeSet};

use kucoin_futures_proto::Decimal;
use kucoin_futures_proto::wire::Side;
use owner::Owner;
use serde_json::Value;

/// Everything that a busy account is told, of several seeds.
fn told() -> Vec<Value> {
    let frames = (100..140).flat_map(|seed| {
        let mut owner = Owner::new(seed, 8.0, 120, &["XBTUSDTM", "CHRUSDTM"]);
        owner.seconds(180);
        owner.frames
    });
    frames.collect()
}

fn keys(value: &Value) -> BTreeSet<&str> {
    value.as_object().unwrap().keys().map(String::as_str).collect()
}

#[test]
fn every_kind_of_frame_occurs_in_its_documented_shape() {
    let mut kinds: BTreeMap<String, u64> = BTreeMap::new();
    for frame in told() {
        let envelope = ["topic", "type", "subject", "userId", "channelType", "data"];
        assert_eq!(keys(&frame), BTreeSet::from(envelope), "{frame}");
        assert_eq!(frame["channelType"], "private");
        assert_eq!(frame["userId"].as_str().unwrap().len(), 24);
        let (subject, data) = (frame["subject"].as_str().unwrap(), &frame["data"]);
        let kind = match (subject, frame["topic"].as_str().unwrap()) {
            ("orderChange", "/contractMarket/tradeOrders") => order(data),
            ("stopOrder", "/contractMarket/advancedOrders") => stop(data),
            ("position.change", "/contract/positionAll") => position(data),
            ("position.adjustRiskLimit", "/contract/positionAll") => risk_limit(data),
            ("walletBalance.change", "/contractAccount/wallet") => wallet(data),
            (
                "orderMargin.change" | "availableBalance.change" | "withdrawHold.change",
                "/contractAccount/wallet",
            ) => old_wallet(subject, data),
            ("user.config", "/contract/marginMode") => {
                assert!(
                    data.as_object().unwrap().values().all(|v| v == "CROSS" || v == "ISOLATED")
                );
                "margin mode".into()
            }
            ("user.config", "/contract/crossLeverage") => {
                let leverage = data.as_object().unwrap().values().next().unwrap();
                assert!(leverage["leverage"].as_str().unwrap().parse::<u32>().is_ok());
                "cross leverage".into()
            }
            other => panic!("{other:?}"),
        };
        *kinds.entry(kind).or_default() += 1;
    }
    for kind in [
        "order open",
        "order match maker",
        "order match taker",
        "order filled",
        "order canceled",
        "order update",
        "stop open",
        "stop triggered",
        "stop cancel",
        "position positionChange ISOLATED",
        "position positionChange CROSS",
        "position marginChange ISOLATED",
        "position autoAppendMarginStatusChange ISOLATED",
        "position changeRiskLimit ISOLATED",
        "position markPriceChange",
        "risk limit true",
        "wallet",
        "orderMargin.change",
        "availableBalance.change",
        "withdrawHold.change",
        "margin mode",
        "cross leverage",
    ] {
        assert!(kinds.contains_key(kind), "{kind} is missing: {kinds:#?}");
    }
}

fn lots(data: &Value, name: &str) -> u64 {
    data[name].as_str().unwrap().parse().unwrap()
}

fn order(data: &Value) -> String {
    let kind = data["type"].as_str().unwrap();
    let [size, filled, canceled, remains] =
        ["size", "filledSize", "canceledSize", "remainSize"].map(|name| lots(data, name));
    assert_eq!(size, filled + canceled + remains, "{data}");
    let taker = data["liquidity"] == "taker";
    let status = match kind {
        "open" | "update" => "open",
        "match" if taker => "match",
        "match" => "open",
        _ => "done",
    };
    assert_eq!(data["status"], status, "{data}");
    assert!(data["orderTime"].as_u64() > Some(1_700_000_000_000_000_000), "nanoseconds: {data}");
    assert!(data["ts"].as_u64().unwrap().is_multiple_of(1_000_000), "{data}");
    data["price"].as_str().unwrap().parse::<Decimal>().unwrap();
    data["orderId"].as_str().unwrap().parse::<u64>().unwrap();
    assert_eq!((&data["positionSide"], &data["tradeType"]), (&"BOTH".into(), &"trade".into()));
    for name in ["matchPrice", "matchSize", "tradeId", "feeType"] {
        assert_eq!(data[name].is_string(), kind == "match", "{name}: {data}");
    }
    assert_eq!(data["oldSize"].is_string(), kind == "update", "{data}");
    match kind {
        "match" => format!("order match {}", data["liquidity"].as_str().unwrap()),
        "filled" => {
            assert_eq!((filled + canceled, remains), (size, 0), "{data}");
            "order filled".into()
        }
        "canceled" => {
            assert!(canceled > 0 && remains == 0, "{data}");
            "order canceled".into()
        }
        kind => format!("order {kind}"),
    }
}

fn stop(data: &Value) -> String {
    let kind = data["type"].as_str().unwrap();
    assert_eq!(data["orderType"], "stop");
    assert!(data["size"].is_u64() && data["stopPrice"].is_string(), "{data}");
    assert!(data["orderPrice"].is_string() || data["orderPrice"].is_null());
    assert!(["up", "down"].contains(&data["stop"].as_str().unwrap()));
    assert!(["TP", "MP", "IP"].contains(&data["stopPriceType"].as_str().unwrap()));
    assert!(data["createdAt"].as_u64() < Some(10_000_000_000_000), "milliseconds: {data}");
    assert!(data["ts"].as_u64() > Some(1_700_000_000_000_000_000), "nanoseconds: {data}");
    assert_eq!(data["triggerSuccess"].is_boolean(), kind == "triggered");
    assert_eq!(data["error"].is_string(), data["triggerSuccess"] == false);
    format!("stop {kind}")
}

fn position(data: &Value) -> String {
    let reason = data["changeReason"].as_str().unwrap();
    assert!(data["currentTimestamp"].as_u64() < Some(10_000_000_000_000), "milliseconds");
    assert!(data["markPrice"].is_number() && data["markValue"].is_number(), "{data}");
    if reason == "markPriceChange" {
        assert!(data.get("symbol").is_none(), "the topic says which");
        assert_eq!(keys(data).len(), 11, "{data}");
        return "position markPriceChange".into();
    }
    let number = |name: &str| data[name].as_f64().unwrap_or_else(|| panic!("{name}: {data}"));
    let near = |a: f64, b: f64| assert!((a - b).abs() < 1e-6, "{a} {b}: {data}");
    near(number("unrealisedPnl"), number("markValue") - number("unrealisedCost"));
    near(number("currentCost"), number("unrealisedCost") + number("realisedGrossCost"));
    near(number("realisedPnl"), -number("realisedCost"));
    near(number("realisedGrossPnl"), -number("realisedGrossCost"));
    assert_eq!(data["isOpen"], data["currentQty"] != 0);
    let isolated = data["marginMode"] == "ISOLATED";
    assert_eq!(data["crossMode"], !isolated);
    for name in ["riskLimit", "realLeverage", "autoDeposit", "posCross", "maintMargin"] {
        assert_eq!(data.get(name).is_some(), isolated, "{name}: {data}");
    }
    format!("position {reason} {}", data["marginMode"].as_str().unwrap())
}

fn risk_limit(data: &Value) -> String {
    assert_eq!(keys(data), BTreeSet::from(["success", "riskLimitLevel", "msg"]));
    assert_eq!(data["success"] == true, data["msg"] == "", "{data}");
    format!("risk limit {}", data["success"])
}

/// All of it text; what it is made of adds up.
fn wallet(data: &Value) -> String {
    let money = |name: &str| data[name].as_str().unwrap().parse::<f64>().unwrap();
    assert!(data.as_object().unwrap().values().all(Value::is_string), "{data}");
    let near = |a: f64, b: f64| assert!((a - b).abs() < 1e-6, "{a} {b}: {data}");
    near(money("equity"), money("walletBalance") + money("isolatedUnPnl") + money("crossUnPnl"));
    let isolated = money("isolatedPosMargin") + money("isolatedOrderMargin") + money("holdBalance");
    near(money("totalCrossMargin"), money("walletBalance") - isolated + money("crossUnPnl"));
    let cross = money("crossPosMargin") + money("crossOrderMargin");
    near(money("availableBalance"), (money("totalCrossMargin") - cross).max(0.0));
    assert_eq!(data["timestamp"].as_str().unwrap().len(), 13, "milliseconds: {data}");
    "wallet".into()
}

fn old_wallet(subject: &str, data: &Value) -> String {
    let own = match subject {
        "orderMargin.change" => vec!["orderMargin"],
        "withdrawHold.change" => vec!["withdrawHold"],
        _ => vec!["availableBalance", "holdBalance"],
    };
    assert!(own.iter().all(|name| data[*name].is_number()), "{data}");
    assert_eq!(keys(data).len(), own.len() + 2, "{data}");
    assert!(data["timestamp"].is_u64() && data["currency"].is_string());
    subject.into()
}

/// Numbers that a client would stumble over if it read them as the docs show them.
#[test]
fn a_closed_position_shows_what_it_brought() {
    let mut owner = Owner::new(1, 0.0, 0, &["XBTUSDTM"]);
    owner.order("buy", 3, r#","type":"market""#);
    owner.order("sell", 0, r#","type":"market","closeOrder":true"#);
    owner.hear();
    let last = owner.frames.iter().rfind(|frame| frame["subject"] == "position.change").unwrap();
    let last = last["data"].clone();
    assert_eq!((&last["currentQty"], &last["isOpen"]), (&0.into(), &false.into()));
    let account = owner.account();
    let fills: Vec<_> = account.fills().collect();
    let fees: kucoin_futures_sim::Money = fills.iter().map(|f| f.open_fee + f.close_fee).sum();
    let gross: kucoin_futures_sim::Money = fills.iter().map(|f| f.gross).sum();
    let shown = |name: &str| last[name].as_f64().unwrap();
    let exact = |money: kucoin_futures_sim::Money| money.to_string().parse::<f64>().unwrap();
    assert!((shown("realisedPnl") - exact(gross - fees)).abs() < 1e-9, "{last}");
    assert!((shown("currentComm") - exact(fees)).abs() < 1e-9, "{last}");
}

#[test]
fn an_order_that_takes_is_told_in_this_order() {
    let mut owner = Owner::new(2, 0.0, 0, &["XBTUSDTM"]);
    let answer = owner.order("buy", 1, r#","type":"market""#);
    owner.hear();
    assert_eq!(
        owner.told(0),
        [
            "orderChange match",
            "position.change positionChange",
            "availableBalance.change",
            "walletBalance.change",
            "orderChange filled",
        ]
    );
    assert_eq!(answer["data"]["orderId"], owner.frames[0]["data"]["orderId"]);
    assert_eq!(owner.frames[0]["data"]["liquidity"], "taker");
}

/// Part of it is taken, then the rest, by a market that goes through its level.
#[test]
fn an_order_that_waits_is_matched_by_the_market() {
    let mut owner = Owner::new(3, 0.0, 0, &["XBTUSDTM"]);
    let bid = owner.best(Side::Bid);
    let price = format!(r#","price":"{bid}","leverage":2"#);
    let answer = owner.order("buy", 40, &price);
    let id = answer["data"]["orderId"].as_str().unwrap().to_owned();
    owner.hear();
    assert_eq!(owner.told(0)[0], "orderChange open", "{answer}");
    let from = owner.frames.len();
    owner.exchange.set_rate(50.0);
    owner.seconds(120);
    let own = |frame: &&Value| frame["data"]["orderId"] == id.as_str();
    let kinds: Vec<&str> = owner.frames[from..]
        .iter()
        .filter(own)
        .map(|f| f["data"]["type"].as_str().unwrap())
        .collect();
    let (last, matches) = kinds.split_last().unwrap();
    assert_eq!(*last, "filled");
    assert!(!matches.is_empty() && matches.iter().all(|kind| *kind == "match"), "{kinds:?}");
    for frame in owner.frames[from..].iter().filter(own) {
        let data = &frame["data"];
        if data["type"] == "match" {
            assert_eq!(
                (&data["liquidity"], &data["status"], &data["matchPrice"]),
                (&"maker".into(), &"open".into(), &bid.as_str().into())
            );
        }
    }
}

#[test]
fn one_contracts_orders_have_a_subject_of_their_own() {
    let mut owner = Owner::new(4, 0.0, 0, &["XBTUSDTM", "ETHUSDTM"]);
    owner.listen("/contractMarket/tradeOrders:XBTUSDTM");
    owner.listen("/contract/position:XBTUSDTM");
    owner.order("buy", 1, r#","type":"market""#);
    owner.hear();
    let topics = |subject: &str| -> Vec<&str> {
        let of = owner.frames.iter().filter(|frame| frame["subject"] == subject);
        of.map(|frame| frame["topic"].as_str().unwrap()).collect()
    };
    assert_eq!(topics("symbolOrderChange"), ["/contractMarket/tradeOrders:XBTUSDTM"; 2]);
    assert_eq!(topics("orderChange"), ["/contractMarket/tradeOrders"; 2]);
    assert_eq!(topics("position.change"), ["/contract/position:XBTUSDTM", "/contract/positionAll"]);
}

#[test]
fn the_old_way_of_telling_balances_ends_with_the_first_switch_to_cross() {
    let mut owner = Owner::new(5, 0.0, 0, &["XBTUSDTM", "ETHUSDTM"]);
    let old = |told: &[String]| told.iter().filter(|t| t.as_str() == "orderMargin.change").count();
    owner.order("buy", 1, r#","price":"50000""#);
    owner.hear();
    assert_eq!(old(&owner.told(0)), 1);
    let switch = |mode: &str| format!(r#"{{"symbol":"ETHUSDTM","marginMode":"{mode}"}}"#);
    owner.post("/api/v2/position/changeMarginMode", &switch("CROSS"));
    owner.post("/api/v2/position/changeMarginMode", &switch("ISOLATED"));
    owner.hear();
    let from = owner.frames.len();
    owner.order("buy", 1, r#","price":"50001""#);
    owner.hear();
    assert_eq!(owner.told(from), ["orderChange open", "walletBalance.change"]);
}

#[test]
fn a_stop_order_waits_is_triggered_and_becomes_an_order_with_its_name() {
    let mut owner = Owner::new(6, 20.0, 0, &["XBTUSDTM"]);
    let rest = r#","type":"market","stop":"down","stopPrice":"62999","stopPriceType":"MP""#;
    let answer = owner.order("sell", 2, rest);
    let id = answer["data"]["orderId"].as_str().unwrap().to_owned();
    owner.hear();
    assert_eq!(owner.told(0), ["stopOrder open"]);
    for _ in 0..60 {
        owner.seconds(60);
        if owner.account().state().stops.is_empty() {
            break;
        }
    }
    let told = owner.told(1);
    assert_eq!(told.first().map(String::as_str), Some("stopOrder triggered"), "{told:?}");
    assert_eq!(told.get(1).map(String::as_str), Some("orderChange match"), "{told:?}");
    assert_eq!(owner.frames[2]["data"]["orderId"], id.as_str());
    let row = owner.get(&format!("/api/v1/orders/{id}"));
    assert_eq!((&row["stopTriggered"], &row["status"]), (&true.into(), &"done".into()));
}
