//! The signed half of REST: who may ask, what is answered, and what orders do.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs,
    reason = "tests"
)]

mod owner;

use std::net::IpAddr;

use kucoin_futures_proto::Instant;
use kucoin_futures_proto::auth::{Credentials, KeyVersion};
use kucoin_futures_proto::wire::Side;
use kucoin_futures_sim::{AccountConfig, Exchange, ExchangeConfig, Money, Permission, Request};
use owner::{Owner, symbol};
use serde_json::Value;

const MS: u64 = 1_790_000_000_000;
const SECRET: &str = "c7a0f1e2-secret-of-a-test";
const PASSPHRASE: &str = "pass of a test";
/// Made with another HMAC (Python's): of the passphrase, and of the three requests below at `MS`.
const SIGNED_PASSPHRASE: &str = "WDVzru0OFFTdt89GxwWiNjIThXrtkcVgL3dKGyN6ycw=";
const ORDER: &str = r#"{"clientOid":"one","symbol":"XBTUSDTM","side":"buy","type":"limit","price":"60000","size":1,"leverage":2}"#;
const SIGNED: [(&str, &str, &str, &str); 3] = [
    ("GET", "/api/v1/positions", "", "uJlO4AbkD/sNIqEE5aNL17dl6IIvcH8ExrpLDJJwiWE="),
    (
        "GET",
        "/api/v1/orders?status=active&symbol=XBTUSDTM",
        "",
        "Ysl6gp0llqCSw7nLJQ4+EKFCD1nvphLjvJQoxyklc/Y=",
    ),
    ("POST", "/api/v1/orders", ORDER, "2nsT3Tto9eLIANoaHu/xVHIUbv6Cwt6VyesthO7e3q8="),
];

const NOW: Instant = Instant::from_nanos(1_000);

fn exchange(configure: impl FnOnce(&mut AccountConfig)) -> Exchange {
    let mut account = AccountConfig::new("key".into(), SECRET.into(), PASSPHRASE.into());
    configure(&mut account);
    let mut config = ExchangeConfig::default();
    config.rate = 0.0;
    config.accounts = vec![account, AccountConfig::default()];
    Exchange::new(NOW, 1, config)
}

/// HTTP status and code.
fn outcome(exchange: &mut Exchange, request: &Request<'_>) -> (u16, String) {
    let response = exchange.http(NOW, request);
    let body: Value = serde_json::from_str(&response.body).unwrap();
    (response.status, body["code"].as_str().unwrap().to_owned())
}

#[test]
fn signatures_of_another_implementation_are_right() {
    let mut exchange = exchange(|_| {});
    for (method, target, body, sign) in SIGNED {
        for version in ["2", "3"] {
            let ms = MS.to_string();
            let headers = [
                ("kc-api-key", "key"),
                ("kc-api-sign", sign),
                ("kc-api-timestamp", ms.as_str()),
                ("kc-api-passphrase", SIGNED_PASSPHRASE),
                ("kc-api-key-version", version),
            ];
            let request = Request::new(method, target).with_headers(&headers);
            let expected = if version == "3" && method == "POST" { "300018" } else { "200000" };
            let signed = outcome(&mut exchange, &request.with_body(body));
            assert_eq!(signed, (200, expected.into()), "{target}, version {version}");
            assert_eq!(outcome(&mut exchange, &request.with_body("x")).1, "400005", "{target}");
        }
    }
}

#[test]
fn what_is_wrong_with_a_request_has_a_code_of_its_own() {
    let path = "/api/v1/positions";
    let good = || Credentials::new("key".into(), SECRET.into(), PASSPHRASE.into(), KeyVersion::V3);
    let signed = good().sign(MS, "GET", path, "");
    let headers: Vec<(&str, &str)> = signed.iter().collect();
    let with = |name: &str, value: &'static str| {
        let mut changed = headers.clone();
        changed.iter_mut().filter(|header| header.0 == name).for_each(|header| header.1 = value);
        changed
    };
    let ask = |configure: fn(&mut AccountConfig), headers: &[(&str, &str)]| {
        let request = Request::new("GET", path).with_headers(headers);
        outcome(&mut exchange(configure), &request.with_peer(IpAddr::from([127, 0, 0, 1])))
    };
    assert_eq!(ask(|_| {}, &headers), (200, "200000".into()));
    for at in 0..4 {
        let mut fewer = headers.clone();
        fewer.remove(at);
        assert_eq!(ask(|_| {}, &fewer), (400, "400001".into()), "without {:?}", headers[at].0);
    }
    assert_eq!(ask(|_| {}, &headers[..4]), (400, "400008".into()), "no version is version 1");
    let late = good().sign(MS + 5_001, "GET", path, "");
    let early = good().sign(MS - 5_001, "GET", path, "");
    for off in [late, early] {
        assert_eq!(ask(|_| {}, &off.iter().collect::<Vec<_>>()), (400, "400002".into()));
    }
    for (name, value, code) in [
        ("KC-API-TIMESTAMP", "soon", "400002"),
        ("KC-API-KEY", "nobody", "400003"),
        ("KC-API-PASSPHRASE", PASSPHRASE, "400004"),
        ("KC-API-SIGN", "uJlO4AbkD/sNIqEE5aNL17dl6IIvcH8ExrpLDJJwiWE", "400005"),
        ("KC-API-KEY", "sim-key", "400004"),
        ("KC-API-KEY-VERSION", "1", "400008"),
        ("KC-API-KEY-VERSION", "4", "400009"),
    ] {
        assert_eq!(ask(|_| {}, &with(name, value)), (400, code.into()), "{name}: {value}");
    }
    let ip = |account: &mut AccountConfig| account.addresses = vec![IpAddr::from([10, 0, 0, 1])];
    assert_eq!(ask(ip, &headers), (400, "400006".into()));
    assert_eq!(ask(|a| a.permissions = vec![Permission::Futures], &headers).1, "400007");
    assert_eq!(ask(|a| a.permissions = vec![Permission::General], &headers).1, "200000");
    assert_eq!(ask(|a| a.version = Some(2), &headers), (400, "400009".into()));
    assert_eq!(ask(|a| a.version = Some(3), &headers), (200, "200000".into()));
}

#[test]
fn a_key_that_may_only_read_places_no_order() {
    let mut exchange = exchange(|account| account.permissions = vec![Permission::General]);
    let credentials =
        Credentials::new("key".into(), SECRET.into(), PASSPHRASE.into(), KeyVersion::V2);
    let signed = credentials.sign(MS, "POST", "/api/v1/orders", ORDER);
    let headers: Vec<_> = signed.iter().collect();
    let request = Request::new("POST", "/api/v1/orders").with_headers(&headers).with_body(ORDER);
    assert_eq!(outcome(&mut exchange, &request), (400, "400007".into()));
    assert!(exchange.account("key").unwrap().state().orders.is_empty());
}

#[test]
fn secrets_are_not_shown() {
    let exchange = exchange(|_| {});
    let mut shown = format!("{exchange:?} {:?}", exchange.account("key"));
    shown += &format!("{:?}", ExchangeConfig::default());
    assert!(shown.contains("sim-key"));
    for secret in [SECRET, PASSPHRASE, "sim-secret", "sim-passphrase"] {
        assert!(!shown.contains(secret), "{secret}");
    }
}

#[test]
fn each_account_has_a_budget_of_its_own() {
    let mut owner = Owner::new(1, 0.0, 0, &["XBTUSDTM"]);
    let limits = |owner: &mut Owner, target: &str| -> (u16, u64, u64) {
        let response = owner.respond("GET", target, "");
        let header = |name: &str| {
            let of = response.headers.iter().find(|header| header.0 == name);
            of.unwrap().1.parse::<u64>().unwrap()
        };
        assert_eq!(header("gw-ratelimit-limit"), 2000);
        (response.status, header("gw-ratelimit-remaining"), header("gw-ratelimit-reset"))
    };
    // The token of the test's own connection took 10.
    assert_eq!(limits(&mut owner, "/api/v1/account-overview"), (200, 1985, 30_000));
    assert_eq!(limits(&mut owner, "/api/v1/recentFills").1, 1982);
    while limits(&mut owner, "/api/v1/openOrderStatistics?symbol=XBTUSDTM").1 >= 10 {}
    let (status, left, _) = limits(&mut owner, "/api/v1/openOrderStatistics?symbol=XBTUSDTM");
    assert!(status == 429 && left < 10, "{status} {left}");
    let public = owner.exchange.http(owner.now, &Request::new("GET", "/api/v1/status"));
    assert_eq!(public.status, 200, "the public pool is another");
    owner.seconds(30);
    assert_eq!(limits(&mut owner, "/api/v1/positions"), (200, 1998, 30_000));
}

#[test]
fn an_order_is_in_the_book_until_it_is_cancelled() {
    let mut owner = Owner::new(2, 0.0, 0, &["XBTUSDTM"]);
    owner.listen("/contractMarket/level2:XBTUSDTM");
    let price: kucoin_futures_proto::Price = owner.best(Side::Bid).parse().unwrap();
    let size = |owner: &Owner| {
        owner.exchange.market(symbol("XBTUSDTM")).unwrap().truth().size(Side::Bid, price)
    };
    let before = size(&owner);
    let answer = owner.order("buy", 25, &format!(r#","price":"{price}","remark":"a note""#));
    let id = answer["data"]["orderId"].as_str().unwrap().to_owned();
    assert_eq!(size(&owner), before + 25);
    let row = owner.get(&format!("/api/v1/orders/{id}"));
    assert_eq!((&row["status"], &row["remark"]), (&"open".into(), &"a note".into()));
    assert_eq!((&row["isActive"], &row["endAt"]), (&true.into(), &Value::Null));
    assert_eq!(owner.get("/api/v1/orders?status=active")["items"][0], row);
    let name = answer["data"]["clientOid"].as_str().unwrap();
    assert_eq!(owner.get(&format!("/api/v1/orders/byClientOid?clientOid={name}")), row);
    let value = owner.get("/api/v1/openOrderStatistics?symbol=XBTUSDTM");
    assert_eq!((&value["openOrderBuySize"], &value["openOrderSellSize"]), (&25.into(), &0.into()));

    let gone = owner.delete(&format!("/api/v1/orders/{id}"));
    assert_eq!(gone["cancelledOrderIds"], serde_json::json!([id]));
    assert_eq!(size(&owner), before);
    assert_eq!(owner.ask("DELETE", &format!("/api/v1/orders/{id}"), "")["code"], "100004");
    let row = owner.get(&format!("/api/v1/orders/{id}"));
    assert_eq!((&row["status"], &row["cancelExist"]), (&"done".into(), &true.into()));
    assert_eq!(owner.get("/api/v1/recentDoneOrders")[0]["id"], id.as_str());
    owner.hear();
    let deltas = owner.frames.iter().filter(|frame| frame["subject"] == "level2");
    let changes: Vec<&str> = deltas.map(|f| f["data"]["change"].as_str().unwrap()).collect();
    let change = |size: u64| format!("{price},buy,{size}");
    assert_eq!(changes, [change(before + 25), change(before)]);
}

#[test]
fn orders_are_cancelled_together_and_by_the_clients_names() {
    let mut owner = Owner::new(3, 0.0, 0, &["XBTUSDTM", "ETHUSDTM"]);
    let order = |owner: &mut Owner, name: &str, on: &str| {
        let body = format!(
            r#"{{"clientOid":"{name}","symbol":"{on}","side":"buy","type":"limit","price":"5000","size":2,"leverage":"3"}}"#
        );
        owner.post("/api/v1/orders", &body)["orderId"].as_str().unwrap().to_owned()
    };
    let [a, b, c] = ["a", "b", "c"].map(|name| order(&mut owner, name, "XBTUSDTM"));
    let other = order(&mut owner, "d", "ETHUSDTM");
    let gone = owner.delete("/api/v1/orders/client-order/b?symbol=XBTUSDTM");
    assert_eq!(gone["clientOid"], "b");
    let body = format!(r#"{{"orderIdsList":["{a}","{b}"]}}"#);
    let rows = owner.ask("DELETE", "/api/v1/orders/multi-cancel", &body)["data"].take();
    assert_eq!((&rows[0]["code"], &rows[1]["code"]), (&"200".into(), &"100004".into()));
    let gone = owner.delete("/api/v3/orders?symbol=XBTUSDTM");
    assert_eq!(gone["cancelledOrderIds"], serde_json::json!([c]));
    assert_eq!(owner.delete("/api/v1/orders")["cancelledOrderIds"], serde_json::json!([other]));
    let page = owner.get("/api/v1/orders?status=done&currentPage=2&pageSize=3");
    assert_eq!((&page["totalNum"], &page["totalPage"]), (&4.into(), &2.into()));
    assert_eq!(page["items"].as_array().unwrap().len(), 1);
    assert_eq!(page["items"][0]["id"], a.as_str(), "the newest come first");
}

#[test]
fn orders_that_cannot_be_are_refused_and_do_nothing() {
    let mut owner = Owner::new(4, 0.0, 0, &["XBTUSDTM"]);
    for (change, code) in [
        (r#""symbol":"NOPEUSDTM""#, "100003"),
        (r#""symbol":"no such""#, "100003"),
        (r#""side":"up""#, "100001"),
        (r#""type":"iceberg""#, "100001"),
        (r#""price":"60000.05""#, "100001"),
        (r#""price":"0""#, "100001"),
        (r#""price":"-1""#, "100001"),
        (r#""price":"2000000""#, "300011"),
        (r#""size":0"#, "100001"),
        (r#""size":1.5"#, "100000"),
        (r#""size":"1.0""#, "100000"),
        (r#""size":1000001"#, "100001"),
        (r#""size":900000"#, "300003"),
        (r#""leverage":101"#, "300016"),
        (r#""marginMode":"CROSS""#, "330005"),
        (r#""timeInForce":"GTX""#, "100001"),
        (r#""reduceOnly":true"#, "300009"),
        (r#""closeOrder":true"#, "300009"),
        (r#""stop":"sideways","stopPrice":"1""#, "100001"),
        (r#""stop":"up""#, "100001"),
        (r#""clientOid":"""#, "100001"),
    ] {
        // Of two members with one name the last is read.
        let body = format!("{},{change}}}", ORDER.strip_suffix('}').unwrap());
        for path in ["/api/v1/orders", "/api/v1/orders/test"] {
            assert_eq!(owner.ask("POST", path, &body)["code"], code, "{change}");
        }
    }
    assert_eq!(owner.ask("POST", "/api/v1/orders", "{")["code"], "400100");
    assert_eq!(owner.account().history().count(), 0);
    assert_eq!(owner.ask("POST", "/api/v1/orders/test", ORDER)["code"], "200000");
    assert_eq!(owner.account().history().count(), 0, "a test does nothing");
    assert_eq!(owner.ask("GET", "/api/v1/orders/17", "")["code"], "100001");
    assert_eq!(owner.ask("GET", "/api/v1/position?symbol=NOPEUSDTM", "")["code"], "100003");
}

#[test]
fn what_an_order_may_not_do_is_cancelled() {
    let mut owner = Owner::new(5, 0.0, 0, &["XBTUSDTM"]);
    let ask = owner.best(Side::Ask);
    let deep = 10_000;
    for (size, rest) in [
        (1, format!(r#","price":"{ask}","postOnly":true"#)),
        (deep, format!(r#","price":"{ask}","timeInForce":"FOK","leverage":100"#)),
        (1, r#","price":"50000","timeInForce":"IOC""#.to_owned()),
    ] {
        let answer = owner.order("buy", size, &rest);
        let id =
            answer["data"]["orderId"].as_str().unwrap_or_else(|| panic!("{answer}")).to_owned();
        let row = owner.get(&format!("/api/v1/orders/{id}"));
        assert_eq!((&row["dealSize"], &row["status"]), (&0.into(), &"done".into()), "{rest}");
    }
    assert!(owner.account().state().positions.is_empty());
}

#[test]
fn orders_that_may_only_close_are_cut_as_the_position_shrinks() {
    let mut owner = Owner::new(6, 0.0, 0, &["XBTUSDTM"]);
    owner.order("buy", 10, r#","type":"market""#);
    let answer = owner.order("sell", 30, r#","price":"90000","reduceOnly":true"#);
    let id = answer["data"]["orderId"].as_str().unwrap().to_owned();
    let row = owner.get(&format!("/api/v1/orders/{id}"));
    assert_eq!(row["size"], 10, "no more than there is to close");
    owner.order("sell", 4, r#","type":"market""#);
    owner.hear();
    let told = owner.frames.iter().rfind(|frame| frame["data"]["type"] == "update").unwrap();
    let data = &told["data"];
    assert_eq!((&data["remainSize"], &data["canceledSize"]), (&"6".into(), &"4".into()));
    assert_eq!(data["oldSize"], "10");
    owner.order("sell", 0, r#","type":"market","closeOrder":true"#);
    // All that is left is spoken for by the order that waits.
    assert_eq!(owner.account().state().positions[&symbol("XBTUSDTM")].qty, 6);
    owner.delete(&format!("/api/v1/orders/{id}"));
    owner.order("sell", 0, r#","type":"market","closeOrder":true"#);
    assert!(owner.account().state().positions.is_empty());
    let fills = owner.get("/api/v1/fills?symbol=XBTUSDTM&side=sell");
    let lots: u64 =
        fills["items"].as_array().unwrap().iter().map(|f| f["size"].as_u64().unwrap()).sum();
    assert_eq!(lots, 10);
    assert_eq!(
        owner.get("/api/v1/recentFills").as_array().unwrap().len(),
        owner.account().fills().count()
    );
}

#[test]
fn two_accounts_trade_with_each_other_and_the_first_in_line_is_matched_first() {
    let mut owner = Owner::with(7, |config| {
        config.rate = 0.0;
        let other = AccountConfig::new("other".into(), SECRET.into(), PASSPHRASE.into());
        config.accounts = vec![AccountConfig::default(), other];
    });
    let other = |owner: &mut Owner, body: &str| {
        let credentials =
            Credentials::new("other".into(), SECRET.into(), PASSPHRASE.into(), KeyVersion::V2);
        let ms = owner.exchange.unix(owner.now).as_millis();
        let signed = credentials.sign(ms, "POST", "/api/v1/orders", body);
        let headers: Vec<_> = signed.iter().collect();
        let request = Request::new("POST", "/api/v1/orders").with_headers(&headers).with_body(body);
        let answer = owner.exchange.http(owner.now, &request).body;
        assert!(answer.contains("200000"), "{answer}");
    };
    // Between bid and ask there is nobody else.
    let (bid, ask) = (owner.best(Side::Bid), owner.best(Side::Ask));
    let tick = 100_000_000_000;
    let scaled = |price: &str| price.parse::<kucoin_futures_proto::Price>().unwrap().scaled();
    let between = if scaled(&ask) - scaled(&bid) > tick {
        kucoin_futures_proto::Price::from_scaled(scaled(&ask) - tick).unwrap().to_string()
    } else {
        bid
    };
    owner.order("buy", 5, &format!(r#","price":"{between}""#));
    other(
        &mut owner,
        &format!(
            r#"{{"clientOid":"o1","symbol":"XBTUSDTM","side":"buy","price":"{between}","size":5,"leverage":2}}"#
        ),
    );
    let market = owner.exchange.market(symbol("XBTUSDTM")).unwrap();
    let level = market.truth().levels(Side::Bid).next().unwrap().size.get();
    // All of the level but the last three lots, which are those of the one who came last.
    let lots = level - 3;
    other(
        &mut owner,
        &format!(
            r#"{{"clientOid":"o2","symbol":"XBTUSDTM","side":"sell","type":"market","size":{lots},"leverage":100}}"#
        ),
    );
    assert_eq!(owner.account().state().positions[&symbol("XBTUSDTM")].qty, 5);
    let account = owner.exchange.account("other").unwrap();
    assert_eq!(account.state().positions[&symbol("XBTUSDTM")].qty, 2 - lots as i64);
    let [order] = account.state().orders.values().collect::<Vec<_>>()[..] else { panic!() };
    assert_eq!((order.remaining(), order.filled), (3, 2));
    owner.hear();
    let users: Vec<&str> = owner.frames.iter().map(|f| f["userId"].as_str().unwrap()).collect();
    let own = owner.account().user_id();
    assert!(users.iter().all(|user| *user == own), "others are told apart");
    assert_eq!(
        owner.account().state().balances["USDT"].wallet,
        Money::whole(10_000) - owner.account().fills().map(|f| f.open_fee + f.close_fee).sum()
    );
}

#[test]
fn margin_and_leverage_are_set_and_read_back() {
    let mut owner = Owner::new(8, 0.0, 0, &["XBTUSDTM"]);
    let cross = r#"{"symbol":"XBTUSDTM","marginMode":"CROSS"}"#;
    assert_eq!(owner.post("/api/v2/position/changeMarginMode", cross)["marginMode"], "CROSS");
    let mode = owner.get("/api/v2/position/getMarginMode?symbol=XBTUSDTM");
    assert_eq!(mode["marginMode"], "CROSS");
    let leverage = r#"{"symbol":"XBTUSDTM","leverage":"8"}"#;
    assert_eq!(owner.post("/api/v2/changeCrossUserLeverage", leverage), true);
    assert_eq!(owner.get("/api/v2/getCrossUserLeverage?symbol=XBTUSDTM")["leverage"], "8");
    owner.order("buy", 2, r#","type":"market","marginMode":"CROSS""#);
    let position = owner.get("/api/v2/position?symbol=XBTUSDTM")[0].take();
    assert_eq!((&position["crossMode"], &position["leverage"]), (&true.into(), &8.into()));
    let answer =
        owner.ask("POST", "/api/v2/position/changeMarginMode", &cross.replace("CROSS", "ISOLATED"));
    assert_eq!(answer["code"], "330004", "not while there is a position");
    owner.order("sell", 0, r#","type":"market","closeOrder":true,"marginMode":"CROSS""#);
    owner.post("/api/v2/position/changeMarginMode", &cross.replace("CROSS", "ISOLATED"));
    owner.order("buy", 2, r#","type":"market""#);
    let before = owner.get("/api/v1/position?symbol=XBTUSDTM");
    let add = r#"{"symbol":"XBTUSDTM","margin":"12.5","bizNo":"one"}"#;
    let after = owner.post("/api/v1/position/margin/deposit-margin", add);
    let margin = |row: &Value| row["posMargin"].as_f64().unwrap();
    assert!((margin(&after) - margin(&before) - 12.5).abs() < 1e-9, "{before} {after}");
    let take = r#"{"symbol":"XBTUSDTM","withdrawAmount":"12.5"}"#;
    assert_eq!(owner.post("/api/v1/margin/withdrawMargin", take), "12.5");
    assert_eq!(owner.ask("POST", "/api/v1/margin/withdrawMargin", take)["code"], "300003");
    let level = r#"{"symbol":"XBTUSDTM","level":7}"#;
    assert_eq!(owner.post("/api/v1/position/risk-limit-level/change", level), true);
    let position = owner.get("/api/v1/position?symbol=XBTUSDTM");
    assert_eq!((&position["riskLimitLevel"], &position["leverage"]), (&7.into(), &5.into()));
    let limits = owner.get("/api/v1/contracts/risk-limit/XBTUSDTM");
    assert_eq!(limits[6]["maxLeverage"], position["leverage"]);
    assert_eq!(limits[6]["maxRiskLimit"], position["riskLimit"]);
    owner.order("sell", 0, r#","type":"market","closeOrder":true"#);
    let closed = owner.get("/api/v1/history-positions");
    assert_eq!(closed["totalNum"], 2);
    let brought: f64 = closed["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| row["pnl"].as_str().unwrap().parse::<f64>().unwrap())
        .sum();
    let wallet = owner.account().state().balances["USDT"].wallet - Money::whole(10_000);
    assert!((brought - wallet.to_string().parse::<f64>().unwrap()).abs() < 1e-9);
}

#[test]
fn several_orders_have_an_answer_each() {
    let mut owner = Owner::new(9, 0.0, 0, &["XBTUSDTM"]);
    let bad = ORDER.replace(r#""one""#, r#""two""#).replace("60000", "60000.01");
    let rows = owner.post("/api/v1/orders/multi", &format!("[{ORDER},{bad}]"));
    assert_eq!((&rows[0]["code"], &rows[1]["code"]), (&"200000".into(), &"100001".into()));
    assert!(rows[0]["orderId"].is_string() && rows[1]["orderId"].is_null());
    let both =
        ORDER.replace('}', r#","triggerStopUpPrice":"70000","triggerStopDownPrice":"50000"}"#);
    owner.post("/api/v1/st-orders", &both.replace(r#""one""#, r#""three""#));
    let stops = owner.get("/api/v1/stopOrders?symbol=XBTUSDTM");
    let mut directions: Vec<&str> =
        stops["items"].as_array().unwrap().iter().map(|s| s["stop"].as_str().unwrap()).collect();
    directions.sort_unstable();
    assert_eq!(directions, ["down", "up"]);
    let gone = owner.delete("/api/v1/stopOrders");
    assert_eq!(gone["cancelledOrderIds"].as_array().unwrap().len(), 2);
    let quantity =
        ORDER.replace(r#""one""#, r#""four""#).replace(r#""size":1"#, r#""qty":"0.004""#);
    let id = owner.post("/api/v1/orders", &quantity)["orderId"].as_str().unwrap().to_owned();
    assert_eq!(owner.get(&format!("/api/v1/orders/{id}"))["size"], 4, "a lot is 0.001 coins");
}
