//! Which topics there are, who may listen to them, and how a request may be written.

#![allow(clippy::unwrap_used, clippy::panic, reason = "these are tests")]

use std::time::Duration;

use kucoin_futures_proto::Instant;
use kucoin_futures_proto::auth::{Credentials, KeyVersion};
use kucoin_futures_sim::{Exchange, ExchangeConfig, Outgoing, Request, SessionId};
use serde_json::Value;

const ID: SessionId = SessionId(1);
const NOW: Instant = Instant::from_nanos(1_000);

const PUBLIC: [&str; 12] = [
    "/contractMarket/level2:XBTUSDTM",
    "/contractMarket/level2Depth5:XBTUSDTM",
    "/contractMarket/level2Depth50:XBTUSDTM,ETHUSDTM",
    "/contractMarket/tickerV2:XBTUSDTM",
    "/contractMarket/ticker:XBTUSDTM",
    "/contractMarket/execution:XBTUSDTM",
    "/contract/instrument:XBTUSDTM",
    "/contract/announcement",
    "/contract/announcement:XBTUSDTM",
    "/contractMarket/snapshot:XBTUSDTM",
    "/contractMarket/limitCandle:XBTUSDTM_1min",
    "/contractMarket/limitCandle:XBTUSDTM_3min,ETHUSDTM_1month",
];
const PRIVATE: [&str; 8] = [
    "/contractMarket/tradeOrders",
    "/contractMarket/tradeOrders:XBTUSDTM",
    "/contractMarket/advancedOrders",
    "/contractAccount/wallet",
    "/contract/position:XBTUSDTM",
    "/contract/positionAll",
    "/contract/marginMode",
    "/contract/crossLeverage",
];

#[test]
fn everybody_may_listen_to_public_channels_only() {
    let mut exchange = open(false);
    for topic in PUBLIC {
        assert_eq!(ask(&mut exchange, topic, "false", "true"), acked(), "{topic}");
    }
    for topic in PRIVATE {
        for private in ["false", "true", r#""true""#] {
            let answer = ask(&mut exchange, topic, private, "true");
            let refusal = r#"{"id":"1","type":"error","code":403,"data":"login is required"}"#;
            assert_eq!(answer.as_deref(), Some(refusal), "{topic}");
        }
    }
}

#[test]
fn whoever_has_logged_in_may_listen_to_all() {
    let mut exchange = open(true);
    for topic in PUBLIC.into_iter().chain(PRIVATE) {
        assert_eq!(ask(&mut exchange, topic, "true", "true"), acked(), "{topic}");
    }
}

#[test]
fn yes_may_be_written_as_text() {
    let mut exchange = open(false);
    let topic = "/contractMarket/level2:XBTUSDTM";
    assert_eq!(ask(&mut exchange, topic, "false", r#""true""#), acked());
    assert_eq!(ask(&mut exchange, topic, r#""false""#, r#""false""#), None);
    let refused = ask(&mut exchange, topic, r#""true""#, "true");
    assert!(refused.unwrap().contains("login is required"));
}

#[test]
fn what_has_no_id_is_answered_without_one() {
    let mut exchange = open(false);
    exchange.receive(NOW, ID, r#"{"type":"ping"}"#);
    let pong: Value = serde_json::from_str(&hear(&mut exchange).unwrap()).unwrap();
    assert_eq!((&pong["type"], pong.get("id")), (&"pong".into(), None));
}

#[test]
fn topics_are_gone_when_they_are_unsubscribed() {
    let mut exchange = open(false);
    let topic = "/contractMarket/level2:XBTUSDTM";
    ask(&mut exchange, topic, "false", "true");
    exchange.receive(NOW, ID, &format!(r#"{{"type":"unsubscribe","topic":"{topic}"}}"#));
    exchange.change("XBTUSDTM".parse().unwrap(), NOW);
    assert_eq!(hear(&mut exchange), None);
}

#[test]
fn a_token_works_as_often_as_it_is_used_until_it_expires() {
    let mut config = ExchangeConfig::default();
    config.token_lifetime = Duration::from_secs(100);
    let mut exchange = Exchange::new(NOW, 1, config);
    exchange.http(NOW, &Request::new("POST", "/api/v1/bullet-public"));
    let token = exchange.latest_tokens().last().unwrap().clone();
    for (after, answer) in
        [(0, "welcome"), (1, "welcome"), (99, "welcome"), (100, "token is expired")]
    {
        let now = NOW + Duration::from_secs(after);
        assert!(exchange.connect(now, SessionId(after), &format!("token={token}")));
        let sent =
            std::iter::from_fn(|| exchange.poll_output()).find_map(|outgoing| match outgoing {
                Outgoing::Send(id, text, _) if id == SessionId(after) => Some(text),
                _ => None,
            });
        assert!(sent.unwrap().contains(answer), "{after}");
    }
}

fn open(private: bool) -> Exchange {
    let mut config = ExchangeConfig::default();
    config.rate = 0.0;
    let mut exchange = Exchange::new(NOW, 1, config);
    let path = if private { "/api/v1/bullet-private" } else { "/api/v1/bullet-public" };
    let [key, secret, passphrase] = ["sim-key", "sim-secret", "sim-passphrase"].map(String::from);
    let credentials = Credentials::new(key, secret, passphrase, KeyVersion::V2);
    let signed = credentials.sign(exchange.unix(NOW).as_millis(), "POST", path, "");
    let headers: Vec<_> = signed.iter().collect();
    exchange.http(NOW, &Request::new("POST", path).with_headers(&headers));
    let token = exchange.latest_tokens().last().unwrap().clone();
    assert!(exchange.connect(NOW, ID, &format!("token={token}&connectId=me")));
    hear(&mut exchange);
    exchange
}

fn ask(exchange: &mut Exchange, topic: &str, private: &str, response: &str) -> Option<String> {
    exchange.receive(
        NOW,
        ID,
        &format!(
            r#"{{"id":1,"type":"subscribe","topic":"{topic}","privateChannel":{private},"response":{response}}}"#
        ),
    );
    hear(exchange)
}

fn acked() -> Option<String> {
    Some(r#"{"id":"1","type":"ack"}"#.into())
}

fn hear(exchange: &mut Exchange) -> Option<String> {
    match exchange.poll_output()? {
        Outgoing::Send(_, text, _) => Some(text.to_string()),
        other => panic!("expected a frame, got {other:?}"),
    }
}
