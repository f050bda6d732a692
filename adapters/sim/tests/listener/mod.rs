//! One connection that listens, on an exchange whose time the test moves.

use std::time::Duration;

use kucoin_futures_proto::{Instant, Symbol};
use kucoin_futures_sim::{Exchange, ExchangeConfig, Fault, Market, Outgoing, Request, SessionId};
use serde_json::Value;

const ID: SessionId = SessionId(1);

pub(crate) struct Listener {
    pub(crate) exchange: Exchange,
    pub(crate) now: Instant,
}

#[allow(dead_code, reason = "no test file uses all of it")]
impl Listener {
    /// `rate`: changes a second, of each of the usual contracts.
    pub(crate) fn new(rate: f64) -> Self {
        Self::with(|config| config.rate = rate)
    }

    pub(crate) fn with(configure: impl FnOnce(&mut ExchangeConfig)) -> Self {
        let now = Instant::from_nanos(1_000);
        let mut config = ExchangeConfig::default();
        configure(&mut config);
        let mut listener = Self { exchange: Exchange::new(now, 7, config), now };
        listener.exchange.http(now, &Request::new("POST", "/api/v1/bullet-public"));
        let token = listener.exchange.latest_tokens().last().unwrap().clone();
        assert!(listener.exchange.connect(now, ID, &format!("token={token}")));
        listener.heard();
        listener
    }

    /// Listens, and takes no notice of the ack.
    pub(crate) fn listen(&mut self, topic: &str) {
        let text = format!(r#"{{"type":"subscribe","topic":"{topic}","response":false}}"#);
        self.exchange.receive(self.now, ID, &text);
    }

    /// What came meanwhile. Pings are sent often enough.
    pub(crate) fn pass(&mut self, span: Duration) -> Vec<Value> {
        let (until, mut heard) = (self.now + span, Vec::new());
        while self.now < until {
            self.now = (self.now + Duration::from_secs(20)).min(until);
            self.exchange.tick(self.now);
            heard.extend(self.heard());
            self.exchange.receive(self.now, ID, r#"{"id":"p","type":"ping"}"#);
            self.heard();
        }
        heard
    }

    pub(crate) fn seconds(&mut self, seconds: u64) -> Vec<Value> {
        self.pass(Duration::from_secs(seconds))
    }

    pub(crate) fn heard(&mut self) -> Vec<Value> {
        std::iter::from_fn(|| self.exchange.poll_output())
            .filter_map(|outgoing| match outgoing {
                Outgoing::Send(_, text, _) => Some(serde_json::from_str(&text).unwrap()),
                Outgoing::Injected(_) => None,
                other => panic!("expected a frame, got {other:?}"),
            })
            .collect()
    }

    pub(crate) fn inject(&mut self, fault: Fault) {
        self.exchange.inject(self.now, fault);
    }

    pub(crate) fn unix_ms(&self) -> u64 {
        self.exchange.unix(self.now).as_millis()
    }

    pub(crate) fn market(&self, name: &str) -> &Market {
        self.exchange.market(symbol(name)).unwrap()
    }

    pub(crate) fn get(&mut self, target: &str) -> (u16, Value) {
        let response = self.exchange.http(self.now, &Request::new("GET", target));
        (response.status, serde_json::from_str(&response.body).unwrap())
    }

    /// The data of an answer that is no refusal.
    pub(crate) fn data(&mut self, target: &str) -> Value {
        let (status, mut body) = self.get(target);
        assert_eq!((status, &body["code"]), (200, &"200000".into()), "{target}: {body}");
        body["data"].take()
    }
}

pub(crate) fn symbol(name: &str) -> Symbol {
    name.parse().unwrap()
}

/// The names of an object's members, sorted.
#[allow(dead_code, reason = "no test file uses all of it")]
pub(crate) fn keys(value: &Value) -> Vec<&str> {
    let mut keys: Vec<&str> = value.as_object().unwrap().keys().map(String::as_str).collect();
    keys.sort_unstable();
    keys
}
