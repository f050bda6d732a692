//! The exchange's side of the protocol, frame by frame and body by body.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs,
    reason = "tests"
)]

use std::time::Duration;

use kucoin_futures_proto::Instant;
use kucoin_futures_proto::auth::{Credentials, KeyVersion};
use kucoin_futures_proto::wire::{Side, Snapshot};
use kucoin_futures_sim::{Exchange, ExchangeConfig, Fault, Outgoing, Request, SessionId, Target};
use serde_json::Value;

#[test]
fn a_session_from_token_to_push() {
    let mut peer = Peer::connected();
    peer.says(r#"{"id":"me","type":"welcome"}"#);
    peer.tell(r#"{"id":1,"type":"ping"}"#);
    let pong: Value = serde_json::from_str(&peer.hear()).unwrap();
    assert_eq!((pong["id"].as_str(), pong["type"].as_str()), (Some("1"), Some("pong")));
    let micros = pong["timestamp"].as_u64().unwrap();
    assert_eq!(micros, peer.exchange.unix(peer.now).as_nanos() / 1_000);

    peer.subscribe("7", "/contractMarket/level2:XBTUSDTM");
    peer.says(r#"{"id":"7","type":"ack"}"#);
    peer.change();
    let delta: Value = serde_json::from_str(&peer.hear()).unwrap();
    assert_eq!(delta["topic"], "/contractMarket/level2:XBTUSDTM");
    assert_eq!((&delta["type"], &delta["subject"]), (&"message".into(), &"level2".into()));
    assert_eq!(delta["sn"], delta["data"]["sequence"]);
    assert_eq!(delta["data"]["change"].as_str().unwrap().split(',').count(), 3);
    let millis = delta["data"]["timestamp"].as_u64().unwrap();
    assert_eq!(millis, peer.exchange.unix(peer.now).as_millis());
}

#[test]
fn ids_come_back_as_strings_and_nothing_is_confirmed_unasked() {
    let mut peer = Peer::welcomed();
    peer.tell(r#"{"id":1234567890123456789,"type":"subscribe","topic":"/contractMarket/tickerV2:XBTUSDTM","response":true}"#);
    peer.says(r#"{"id":"1234567890123456789","type":"ack"}"#);
    peer.tell(r#"{"id":"q","type":"subscribe","topic":"/contractMarket/level2:XBTUSDTM"}"#);
    peer.is_quiet();
    peer.change();
    assert!(peer.hear().contains("level2"), "subscribed all the same");
}

#[test]
fn subscribing_twice_is_two_acks_and_one_stream() {
    let mut peer = Peer::welcomed();
    for id in ["1", "2"] {
        peer.subscribe(id, "/contractMarket/level2:XBTUSDTM");
        peer.says(&format!(r#"{{"id":"{id}","type":"ack"}}"#));
    }
    peer.change();
    peer.hear();
    peer.is_quiet();
}

#[test]
fn an_unknown_symbol_is_confirmed_and_stays_silent() {
    let mut peer = Peer::welcomed();
    peer.subscribe("1", "/contractMarket/level2:NOPEUSDTM");
    peer.says(r#"{"id":"1","type":"ack"}"#);
    peer.change();
    peer.is_quiet();
}

#[test]
fn refused_requests_have_their_codes_and_texts() {
    let mut peer = Peer::welcomed();
    for (topic, code, text) in [
        ("/contractMarket/level2Depth20:XBTUSDTM", 404, "topic does not exist"),
        ("nonsense", 404, "topic does not exist"),
        ("", 406, "topic is required"),
        ("/contractMarket/level2:X Y", 400, "topic is invalid"),
    ] {
        peer.subscribe("9", topic);
        peer.says(&format!(r#"{{"id":"9","type":"error","code":{code},"data":"{text}"}}"#));
    }
    peer.tell(r#"{"id":"5","type":"dance"}"#);
    peer.says(r#"{"id":"5","type":"error","code":415,"data":"type is not supported"}"#);
    peer.tell(r#"{"id":"5","type":"subscribe","topic":"/contractMarket/level2:XBTUSDTM","privateChannel":true,"response":true}"#);
    peer.says(r#"{"id":"5","type":"error","code":403,"data":"login is required"}"#);
    peer.tell("hello");
    let error: Value = serde_json::from_str(&peer.hear()).unwrap();
    assert_eq!(error["code"], 400);
    assert!(error["data"].as_str().unwrap().starts_with("Unrecognized token 'hello'"));
    assert_eq!(error["id"].as_str().unwrap().len(), 24, "an id that the server made");
    peer.tell(r#"{"id":"6","type":"ping"}"#);
    assert!(peer.hear().contains("pong"), "the connection stays open");
}

#[test]
fn the_limits_speak_with_one_code_and_different_texts() {
    let mut peer = Peer::welcomed();
    let list = |from: usize, count: usize| {
        let names: Vec<_> = (from..from + count).map(|n| format!("S{n}M")).collect();
        format!("/contractMarket/level2:{}", names.join(","))
    };
    peer.subscribe("1", &list(0, 101));
    let text = "exceed max subscription count limitation of 100 per time";
    peer.says(&format!(r#"{{"id":"1","type":"error","code":509,"data":"{text}"}}"#));
    for from in [0, 100, 200] {
        peer.subscribe("2", &list(from, 100));
        peer.says(r#"{"id":"2","type":"ack"}"#);
    }
    peer.subscribe("3", &list(300, 1));
    let text = "exceed max subscription count limitation of 300 per session";
    peer.says(&format!(r#"{{"id":"3","type":"error","code":509,"data":"{text}"}}"#));
    for _ in 0..95 {
        peer.tell(r#"{"id":"4","type":"ping"}"#);
        peer.hear();
    }
    peer.tell(r#"{"id":"5","type":"ping"}"#);
    assert!(peer.hear().contains(r#""code":509,"data":"exceed max permits per second""#));
    assert_eq!(peer.closes(), (1000, "Bye"));
}

#[test]
fn a_silent_client_is_warned_and_closed() {
    let mut peer = Peer::welcomed();
    peer.subscribe("1", "/contractMarket/level2:XBTUSDTM");
    peer.hear();
    peer.pass(Duration::from_millis(59_900));
    peer.change();
    peer.hear();
    peer.is_quiet();
    peer.pass(Duration::from_millis(200));
    peer.says(r#"{"type":"error","code":400,"data":"ping timeout"}"#);
    peer.pass(Duration::from_millis(400));
    assert_eq!(peer.closes(), (1000, "Bye"), "what the server sent did not count as life");
}

#[test]
fn a_connection_is_cut_after_a_day() {
    let mut peer = Peer::welcomed();
    for _ in 0..24 * 120 - 1 {
        peer.pass(Duration::from_secs(30));
        peer.tell(r#"{"id":"1","type":"ping"}"#);
        peer.hear();
    }
    peer.pass(Duration::from_secs(30));
    assert_eq!(peer.closes().0, 1000);
}

#[test]
fn tokens_that_are_unknown_or_expired_get_401_in_place_of_a_welcome() {
    let refused = |peer: &mut Peer, query: &str, text: &str| {
        assert!(
            peer.exchange.connect(peer.now, SessionId(9), query),
            "the upgrade itself succeeds"
        );
        let error: Value = serde_json::from_str(&peer.hear()).unwrap();
        assert_eq!((error["code"].as_u64(), error["data"].as_str()), (Some(401), Some(text)));
        peer.closes();
    };
    let mut peer = Peer::new();
    refused(&mut peer, "token=made-up", "token is invalid");
    refused(&mut peer, "", "token is invalid");
    let token = peer.token();
    peer.pass(Duration::from_secs(24 * 3600 + 1));
    refused(&mut peer, &format!("token={token}"), "token is expired");
    peer.exchange.inject(peer.now, Fault::ExpireToken { count: 1 });
    peer.hear_fault();
    let token = peer.token();
    refused(&mut peer, &format!("token={token}"), "token is expired");
    let token = peer.token().replace('=', "%3D");
    assert!(peer.exchange.connect(peer.now, SessionId(9), &format!("token={token}&connectId=x")));
    peer.says(r#"{"id":"x","type":"welcome"}"#);
}

#[test]
fn a_snapshot_is_cut_at_1000_levels_and_its_prices_are_numbers() {
    let mut peer = Peer::new();
    let response = peer.get("/api/v1/level2/snapshot?symbol=XBTUSDTM");
    assert_eq!(response.status, 200);
    let snapshot = Snapshot::parse(response.body.as_bytes()).unwrap();
    assert_eq!((snapshot.bids.len(), snapshot.asks.len()), (1000, 1000));
    assert!(peer.exchange.market("XBTUSDTM".parse().unwrap()).unwrap().truth().bids.len() > 1200);
    let body: Value = serde_json::from_str(&response.body).unwrap();
    assert!(body["data"]["bids"][0][0].is_f64() && body["data"]["bids"][0][1].is_u64());
    assert!(body["data"]["ts"].as_u64().unwrap() > 1_700_000_000_000_000_000, "nanoseconds");
    let thin = peer.get("/api/v1/level2/snapshot?symbol=CHRUSDTM");
    let thin = Snapshot::parse(thin.body.as_bytes()).unwrap();
    let truth = peer.exchange.market("CHRUSDTM".parse().unwrap()).unwrap().truth();
    assert!(thin.bids.iter().copied().eq(truth.levels(Side::Bid)), "a thin one is whole");
}

#[test]
fn errors_of_rest_come_as_the_exchange_sends_them() {
    let mut peer = Peer::new();
    for (target, status, code) in [
        ("/api/v1/level2/snapshot?symbol=NOPEUSDTM", 200, "200003"),
        ("/api/v1/level2/snapshot", 200, "200003"),
        ("/api/v1/contracts/NOPEUSDTM", 200, "404000"),
        ("/api/v1/nonsense", 404, "404"),
        ("/api/v1/bullet-public", 404, "404"),
    ] {
        let response = peer.get(target);
        let body: Value = serde_json::from_str(&response.body).unwrap();
        assert_eq!((response.status, body["code"].as_str()), (status, Some(code)), "{target}");
    }
    peer.exchange.inject(peer.now, Fault::Html { count: 1 });
    assert!(peer.get("/api/v1/timestamp").body.starts_with("<!DOCTYPE html>"));
    let reset = Duration::from_millis(1_234);
    peer.exchange.inject(peer.now, Fault::TooManyRequests { reset, count: 1 });
    let limited = peer.get("/api/v1/timestamp");
    assert_eq!(limited.status, 429);
    assert!(limited.headers.contains(&("gw-ratelimit-reset", "1234".into())));
    assert_eq!(peer.get("/api/v1/timestamp").status, 200);
}

#[test]
fn the_public_pool_holds_2000_in_30_s_from_the_first_request() {
    let mut peer = Peer::new();
    let target = "/api/v1/level2/snapshot?symbol=CHRUSDTM";
    peer.pass(Duration::from_secs(7));
    for _ in 0..666 {
        assert_eq!(peer.get(target).status, 200);
    }
    let limited = peer.get(target);
    assert_eq!(limited.status, 429, "666 times 3 is 1998");
    assert!(limited.headers.contains(&("gw-ratelimit-remaining", "2".into())));
    assert!(limited.headers.contains(&("gw-ratelimit-reset", "30000".into())));
    let other = Request::new("GET", target).with_peer([127, 0, 0, 9].into());
    assert_eq!(peer.exchange.http(peer.now, &other).status, 200, "another address has its own");
    assert!(peer.get("/api/v1/timestamp").headers.is_empty(), "never carries the headers");
    peer.pass(Duration::from_secs(30));
    assert_eq!(peer.get(target).status, 200);
}

#[test]
fn private_tokens_need_a_signature_and_each_mistake_has_its_code() {
    let mut peer = Peer::new();
    let now_ms = peer.exchange.unix(peer.now).as_millis();
    let credentials = |key: &str, secret: &str, passphrase: &str| {
        Credentials::new(key.into(), secret.into(), passphrase.into(), KeyVersion::V2)
    };
    let good = credentials("sim-key", "sim-secret", "sim-passphrase");
    let path = "/api/v1/bullet-private";
    for (signed, code) in [
        (good.sign(now_ms, "POST", path, ""), "200000"),
        (good.sign(now_ms + 4_999, "POST", path, ""), "200000"),
        (good.sign(now_ms + 5_001, "POST", path, ""), "400002"),
        (good.sign(now_ms, "POST", path, "{}"), "400005"),
        (good.sign(now_ms, "post", path, ""), "400005"),
        (credentials("k", "sim-secret", "sim-passphrase").sign(now_ms, "POST", path, ""), "400003"),
        (credentials("sim-key", "sim-secret", "p").sign(now_ms, "POST", path, ""), "400004"),
        (credentials("sim-key", "s", "sim-passphrase").sign(now_ms, "POST", path, ""), "400004"),
    ] {
        let headers: Vec<_> = signed.iter().collect();
        let request = Request::new("POST", path).with_headers(&headers);
        let body: Value =
            serde_json::from_str(&peer.exchange.http(peer.now, &request).body).unwrap();
        assert_eq!(body["code"], code);
    }
    let bare = peer.exchange.http(peer.now, &Request::new("POST", path));
    assert_eq!((bare.status, bare.body.contains("400001")), (400, true));
}

#[test]
fn contracts_have_the_numbers_that_the_real_list_has() {
    let mut peer = Peer::new();
    let body: Value = serde_json::from_str(&peer.get("/api/v1/contracts/active").body).unwrap();
    let xbt = body["data"].as_array().unwrap().iter().find(|c| c["symbol"] == "XBTUSDTM").unwrap();
    assert_eq!((&xbt["tickSize"], &xbt["multiplier"]), (&0.1.into(), &0.001.into()));
    assert_eq!((&xbt["status"], &xbt["type"]), (&"Open".into(), &"FFWCSX".into()));
    assert!(xbt["openInterest"].is_string() && xbt["expireDate"].is_null());
    let countdown = xbt["nextFundingRateTime"].as_u64().unwrap();
    assert!(countdown <= 28_800_000, "a countdown, not a time");
}

#[test]
fn scripted_faults_do_what_they_say() {
    let mut peer = Peer::welcomed();
    peer.subscribe("1", "/contractMarket/level2:XBTUSDTM");
    peer.hear();
    let sequence = |frame: &str| -> u64 {
        serde_json::from_str::<Value>(frame).unwrap()["sn"].as_u64().unwrap()
    };
    let next = |peer: &mut Peer| {
        peer.change();
        sequence(&peer.hear())
    };
    let first = next(&mut peer);
    let target = Target::All;
    peer.break_it(Fault::Repeat { target, count: 2 });
    assert_eq!([sequence(&peer.hear()), sequence(&peer.hear())], [first, first]);
    peer.break_it(Fault::Drop { target, count: 3 });
    (0..3).for_each(|_| peer.change());
    assert_eq!(next(&mut peer), first + 4);
    peer.break_it(Fault::StepBack { target, step: 5000 });
    let market = peer.exchange.market("XBTUSDTM".parse().unwrap()).unwrap();
    let touch = market.truth().levels(Side::Bid).next().unwrap().price;
    peer.pass(Duration::from_millis(10));
    let restarted = peer.hear();
    assert_eq!(sequence(&restarted), first - 4995);
    assert!(restarted.contains(&format!("\"{touch},buy,")), "a change of the touch: {restarted}");
    assert_eq!(next(&mut peer), first - 4994);
    let fresh = peer.exchange.market("XBTUSDTM".parse().unwrap()).unwrap().sequence().get();
    for _ in 0..20 {
        next(&mut peer);
    }
    peer.break_it(Fault::StaleSnapshot { target, count: 1 });
    let mut taken = || {
        let body = peer.get("/api/v1/level2/snapshot?symbol=XBTUSDTM").body;
        Snapshot::parse(body.as_bytes()).unwrap().sequence.get()
    };
    assert_eq!(taken(), first - 1, "the oldest there is, of before the restart");
    assert_eq!(taken(), fresh + 20);
    peer.break_it(Fault::WithholdPongs { span: Duration::from_secs(2) });
    peer.tell(r#"{"id":"1","type":"ping"}"#);
    peer.is_quiet();
    peer.pass(Duration::from_secs(2));
    peer.tell(r#"{"id":"2","type":"ping"}"#);
    assert!(peer.hear().contains(r#""id":"2""#));
    peer.break_it(Fault::Close { code: 1012 });
    assert_eq!(peer.closes().0, 1012);
    peer.break_it(Fault::Refuse { span: Duration::from_secs(1) });
    let token = peer.token();
    assert!(!peer.exchange.connect(peer.now, SessionId(2), &format!("token={token}")));
    peer.pass(Duration::from_secs(1));
    assert!(peer.exchange.connect(peer.now, SessionId(2), &format!("token={token}")));
}

#[test]
fn a_snapshot_that_lies_has_one_other_size_and_the_next_one_is_true() {
    let mut peer = Peer::new();
    let target = Target::One("XBTUSDTM".parse().unwrap());
    peer.break_it(Fault::Lie { target, count: 1 });
    let [lie, truth] = [(); 2].map(|()| {
        let body = peer.get("/api/v1/level2/snapshot?symbol=XBTUSDTM").body;
        let body: Value = serde_json::from_str(&body).unwrap();
        body["data"].clone()
    });
    assert_eq!(lie["sequence"], truth["sequence"]);
    assert_eq!(lie["asks"], truth["asks"]);
    let [lie, truth] = [lie, truth].map(|body| body["bids"].as_array().unwrap().clone());
    assert_eq!(lie.len(), truth.len());
    let differing: Vec<usize> = (0..lie.len()).filter(|at| lie[*at] != truth[*at]).collect();
    assert_eq!(differing, [lie.len() / 2]);
    let (lie, truth) = (&lie[differing[0]], &truth[differing[0]]);
    assert_eq!((&lie[0], lie[1].as_u64()), (&truth[0], truth[1].as_u64().map(|size| size + 1)));
}

#[test]
fn healing_ends_faults_and_spares_tokens() {
    let mut peer = Peer::new();
    peer.break_it(Fault::ExpireToken { count: 5 });
    peer.exchange.heal();
    let token = peer.token();
    peer.exchange.heal();
    assert!(peer.exchange.connect(peer.now, SessionId(9), &format!("token={token}&connectId=x")));
    peer.says(r#"{"id":"x","type":"welcome"}"#);
}

/// One client's view of an exchange with a still market.
struct Peer {
    exchange: Exchange,
    now: Instant,
}

impl Peer {
    fn new() -> Self {
        let now = Instant::from_nanos(1_000);
        let mut config = ExchangeConfig::default();
        config.rate = 0.0;
        Self { exchange: Exchange::new(now, 1, config), now }
    }

    fn connected() -> Self {
        let mut peer = Self::new();
        let query = format!("token={}&connectId=me", peer.token());
        assert!(peer.exchange.connect(peer.now, SessionId(1), &query));
        peer
    }

    fn welcomed() -> Self {
        let mut peer = Self::connected();
        peer.hear();
        peer
    }

    fn token(&mut self) -> String {
        let response = self.exchange.http(self.now, &Request::new("POST", "/api/v1/bullet-public"));
        let body: Value = serde_json::from_str(&response.body).unwrap();
        body["data"]["token"].as_str().unwrap().to_owned()
    }

    fn get(&mut self, target: &str) -> kucoin_futures_sim::Response {
        self.exchange.http(self.now, &Request::new("GET", target))
    }

    fn tell(&mut self, text: &str) {
        self.exchange.receive(self.now, SessionId(1), text);
    }

    fn subscribe(&mut self, id: &str, topic: &str) {
        self.tell(&format!(
            r#"{{"id":"{id}","type":"subscribe","topic":"{topic}","privateChannel":false,"response":true}}"#
        ));
    }

    fn change(&mut self) {
        self.exchange.change("XBTUSDTM".parse().unwrap(), self.now);
    }

    fn pass(&mut self, span: Duration) {
        self.now = self.now + span;
        self.exchange.tick(self.now);
    }

    fn break_it(&mut self, fault: Fault) {
        self.exchange.inject(self.now, fault);
        self.hear_fault();
    }

    fn hear_fault(&mut self) {
        let Some(Outgoing::Injected(_)) = self.exchange.poll_output() else { panic!("no fault") };
    }

    fn hear(&mut self) -> String {
        match self.exchange.poll_output() {
            Some(Outgoing::Send(_, text, _)) => text.to_string(),
            other => panic!("expected a frame, got {other:?}"),
        }
    }

    fn says(&mut self, expected: &str) {
        assert_eq!(self.hear(), expected);
    }

    fn is_quiet(&mut self) {
        assert_eq!(self.exchange.poll_output(), None);
    }

    fn closes(&mut self) -> (u16, &'static str) {
        match self.exchange.poll_output() {
            Some(Outgoing::Close(_, code, reason)) => (code, reason),
            other => panic!("expected a close, got {other:?}"),
        }
    }
}
