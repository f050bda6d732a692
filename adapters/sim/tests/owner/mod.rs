//! Who owns an account: signs requests, listens to its private channels, and keeps a picture of it that is
//! made of frames alone.

use std::collections::BTreeMap;
use std::time::Duration;

use kucoin_futures_proto::auth::{Credentials, KeyVersion};
use kucoin_futures_proto::{Instant, Symbol};
use kucoin_futures_sim::{
    Account, AccountConfig, Contract, Exchange, ExchangeConfig, Outgoing, Request, Response,
    SessionId,
};
use serde_json::Value;

const ID: SessionId = SessionId(1);
pub(crate) const KEY: &str = "sim-key";
const TOPICS: [&str; 6] = [
    "/contractMarket/tradeOrders",
    "/contractMarket/advancedOrders",
    "/contractAccount/wallet",
    "/contract/positionAll",
    "/contract/marginMode",
    "/contract/crossLeverage",
];

pub(crate) struct Owner {
    pub(crate) exchange: Exchange,
    pub(crate) now: Instant,
    pub(crate) frames: Vec<Value>,
}

#[allow(dead_code, reason = "no test file uses all of it")]
impl Owner {
    /// Who trades these contracts, so many times a minute by itself.
    pub(crate) fn new(seed: u64, rate: f64, activity: u32, names: &[&str]) -> Self {
        Self::with(seed, |config| {
            config.rate = rate;
            config.contracts = names.iter().map(|name| Contract::named(symbol(name))).collect();
            let mut account = AccountConfig::default();
            account.activity = activity;
            config.accounts = vec![account];
        })
    }

    /// Logged in, and listening to everything.
    pub(crate) fn with(seed: u64, configure: impl FnOnce(&mut ExchangeConfig)) -> Self {
        let now = Instant::from_nanos(1_000);
        let mut config = ExchangeConfig::default();
        configure(&mut config);
        let mut owner = Self { exchange: Exchange::new(now, seed, config), now, frames: vec![] };
        let token = owner.post("/api/v1/bullet-private", "")["token"].as_str().unwrap().to_owned();
        assert!(owner.exchange.connect(now, ID, &format!("token={token}")));
        TOPICS.iter().for_each(|topic| owner.listen(topic));
        owner.hear();
        owner
    }

    pub(crate) fn listen(&mut self, topic: &str) {
        let text = format!(r#"{{"type":"subscribe","topic":"{topic}","privateChannel":true}}"#);
        self.exchange.receive(self.now, ID, &text);
    }

    pub(crate) fn account(&self) -> &Account {
        self.exchange.account(KEY).unwrap()
    }

    /// What came is kept, and shown.
    pub(crate) fn hear(&mut self) -> &[Value] {
        let before = self.frames.len();
        while let Some(outgoing) = self.exchange.poll_output() {
            let Outgoing::Send(_, text, _) = outgoing else { panic!("{outgoing:?}") };
            let frame: Value = serde_json::from_str(&text).unwrap();
            if frame["type"] == "message" {
                self.frames.push(frame);
            }
        }
        &self.frames[before..]
    }

    pub(crate) fn pass(&mut self, span: Duration) {
        let until = self.now + span;
        while self.now < until {
            self.now = (self.now + Duration::from_secs(15)).min(until);
            self.exchange.tick(self.now);
            self.exchange.receive(self.now, ID, r#"{"id":"p","type":"ping"}"#);
            self.hear();
        }
    }

    pub(crate) fn seconds(&mut self, seconds: u64) {
        self.pass(Duration::from_secs(seconds));
    }

    pub(crate) fn respond(&mut self, method: &str, target: &str, body: &str) -> Response {
        let (secret, passphrase) = ("sim-secret".into(), "sim-passphrase".into());
        let credentials = Credentials::new(KEY.into(), secret, passphrase, KeyVersion::V3);
        let ms = self.exchange.unix(self.now).as_millis();
        let signed = credentials.sign(ms, method, target, body);
        let headers: Vec<_> = signed.iter().collect();
        let request = Request::new(method, target).with_headers(&headers).with_body(body);
        self.exchange.http(self.now, &request)
    }

    /// The whole answer.
    pub(crate) fn ask(&mut self, method: &str, target: &str, body: &str) -> Value {
        serde_json::from_str(&self.respond(method, target, body).body).unwrap()
    }

    /// The data of an answer that is no refusal.
    pub(crate) fn get(&mut self, target: &str) -> Value {
        granted(target, self.ask("GET", target, ""))
    }

    pub(crate) fn post(&mut self, target: &str, body: &str) -> Value {
        granted(target, self.ask("POST", target, body))
    }

    pub(crate) fn delete(&mut self, target: &str) -> Value {
        granted(target, self.ask("DELETE", target, ""))
    }

    /// An order of this many lots; the other members as they are given, each with a comma before it.
    pub(crate) fn order(&mut self, side: &str, size: u64, rest: &str) -> Value {
        let oid = self.frames.len() + self.account().history().count();
        let body = format!(
            r#"{{"clientOid":"own-{oid}","symbol":"XBTUSDTM","side":"{side}","size":{size},"leverage":5{rest}}}"#
        );
        self.ask("POST", "/api/v1/orders", &body)
    }

    pub(crate) fn best(&self, side: kucoin_futures_proto::wire::Side) -> String {
        let market = self.exchange.market(symbol("XBTUSDTM")).unwrap();
        market.truth().levels(side).next().unwrap().price.to_string()
    }

    /// Subjects and types of what was told, in their order.
    pub(crate) fn told(&self, from: usize) -> Vec<String> {
        let name = |frame: &Value| {
            let subject = frame["subject"].as_str().unwrap();
            match (frame["data"]["type"].as_str(), frame["data"]["changeReason"].as_str()) {
                (Some(kind), _) | (None, Some(kind)) => format!("{subject} {kind}"),
                (None, None) => subject.to_owned(),
            }
        };
        self.frames[from..].iter().map(name).collect()
    }
}

fn granted(target: &str, mut answer: Value) -> Value {
    assert_eq!(answer["code"], "200000", "{target}: {answer}");
    answer["data"].take()
}

pub(crate) fn symbol(name: &str) -> Symbol {
    name.parse().unwrap()
}

/// What the frames so far say: the last frame of each order that waits, of each position that is open, of
/// each balance.
#[derive(Default)]
#[allow(dead_code, reason = "no test file uses all of it")]
pub(crate) struct Picture {
    pub(crate) orders: BTreeMap<String, Value>,
    pub(crate) stops: BTreeMap<String, Value>,
    pub(crate) positions: BTreeMap<String, Value>,
    pub(crate) balances: BTreeMap<String, Value>,
}

#[allow(dead_code, reason = "no test file uses all of it")]
impl Picture {
    pub(crate) fn of(frames: &[Value]) -> Self {
        let mut picture = Self::default();
        frames.iter().for_each(|frame| picture.hear(frame));
        picture
    }

    fn hear(&mut self, frame: &Value) {
        let data = frame["data"].clone();
        let text = |name: &str| data[name].as_str().unwrap_or_default().to_owned();
        match frame["subject"].as_str().unwrap() {
            "orderChange" if data["status"] == "done" => drop(self.orders.remove(&text("orderId"))),
            "orderChange" => drop(self.orders.insert(text("orderId"), data)),
            "stopOrder" if data["type"] == "open" => {
                self.stops.insert(text("orderId"), data);
            }
            "stopOrder" => drop(self.stops.remove(&text("orderId"))),
            "position.change" if data["changeReason"] == "markPriceChange" => {}
            "position.change" if data["isOpen"] == false => {
                self.positions.remove(&text("symbol"));
            }
            "position.change" => drop(self.positions.insert(text("symbol"), data)),
            "walletBalance.change" => drop(self.balances.insert(text("currency"), data)),
            _ => {}
        }
    }
}
