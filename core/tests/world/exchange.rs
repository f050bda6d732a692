//! The exchange's answers, right and wrong.

use std::collections::{BTreeSet, VecDeque};

use kucoin_futures_proto::{ConnId, Endpoint, ResponseHead};
use proptest::sample::Index;

use super::market::Market;
use super::step::{Body, Refusal, pick};
use crate::edited::edited;

/// A connection, and what was sent on it.
pub(super) struct Conn {
    pub(super) id: ConnId,
    pub(super) connect_id: String,
    pub(super) opened: bool,
    pub(super) welcomed: bool,
    pub(super) unanswered: Vec<u64>,
    pub(super) ping: Option<u64>,
    /// Topics that were asked for on it.
    pub(super) topics: BTreeSet<String>,
    /// What it brings comes late: here it waits.
    pub(super) late: Option<VecDeque<String>>,
}

impl Conn {
    pub(super) fn new(id: ConnId, to: &Endpoint) -> Self {
        let connect_id = to.secret_url().split_once("&connectId=").unwrap().1.into();
        let (opened, welcomed, unanswered, ping) = (false, false, Vec::new(), None);
        let topics = BTreeSet::new();
        Self { id, connect_id, opened, welcomed, unanswered, ping, topics, late: None }
    }

    /// Takes what was sent on it.
    pub(super) fn take(&mut self, text: &str) {
        let json: serde_json::Value = serde_json::from_str(text).unwrap();
        let id = json["id"].as_str().unwrap().parse().unwrap();
        if json["type"] == "ping" {
            self.ping = Some(id);
            return;
        }
        self.unanswered.push(id);
        let (prefix, symbols) = json["topic"].as_str().unwrap().split_once(':').unwrap();
        for symbol in symbols.split(',') {
            let topic = format!("{prefix}:{symbol}");
            if json["type"] == "subscribe" {
                self.topics.insert(topic);
            } else {
                self.topics.remove(&topic);
            }
        }
    }

    pub(super) fn welcome(&mut self, right: bool) -> String {
        self.welcomed |= right && self.opened;
        let id = if right { self.connect_id.as_str() } else { "somebody-else" };
        format!(r#"{{"id":"{id}","type":"welcome"}}"#)
    }

    pub(super) fn refuse(&mut self, at: Index, refusal: Refusal) -> String {
        let at = pick(at, self.unanswered.len());
        let id = at.map_or(77, |at| self.unanswered.remove(at)).to_string();
        let (id, code, text) = match refusal {
            Refusal::Topic => (id, 404, "topic does not exist".into()),
            Refusal::PerFrame => (id, 509, "exceed limitation of 2 per time".into()),
            Refusal::PerSession(Some(n)) => (id, 509, format!("limitation of {n} per session")),
            Refusal::PerSession(None) => (id, 509, "too many per session".into()),
            Refusal::Other(code, text) => (id, code, text.into()),
            Refusal::NoId => ("5e1f00aa91b2c3d4e5f60718".into(), 404, "topic".to_owned()),
        };
        format!(r#"{{"id":"{id}","type":"error","code":{code},"data":"{text}"}}"#)
    }

    pub(super) fn pong(&mut self, right: bool) -> Option<String> {
        let id = if right { self.ping.take()? } else { 0 };
        Some(format!(r#"{{"id":"{id}","type":"pong","timestamp":1791500000250000}}"#))
    }
}

/// The answer to a request; `None` if it fails.
pub(super) fn reply(
    path: &str,
    body: &Body,
    markets: &[Market],
    levels: usize,
) -> Option<(ResponseHead, String)> {
    let right = |back: usize| {
        let symbol = path.split_once("?symbol=").map(|(_, symbol)| symbol);
        let market = markets.iter().find(|market| Some(market.symbol.as_str()) == symbol);
        market.map_or_else(|| answer(path), |market| market.snapshot(back, levels))
    };
    let mut head = ResponseHead::new(200);
    let text = match body {
        Body::Right(back) => right(*back),
        Body::Wrong if path.contains("?symbol=") => {
            let other = markets.iter().find(|market| !path.ends_with(&market.symbol));
            other.unwrap().snapshot(0, levels)
        }
        Body::Wrong if path.contains("/bullet-") => edited(&right(0), "kucoin.com", "evil.io"),
        Body::Wrong => right(0),
        Body::Html => "<html>Bad gateway</html>".into(),
        Body::Cut(at) => {
            let text = right(0);
            text[..at.index(text.len())].into()
        }
        Body::Api(code) => format!(r#"{{"code":"{code}","msg":"no"}}"#),
        Body::TooMany(reset) => {
            head = ResponseHead::new(429);
            head.header("gw-ratelimit-reset", &reset.to_string());
            String::new()
        }
        Body::Failed => return None,
    };
    Some((head, text))
}

fn answer(path: &str) -> String {
    let data = match path {
        "/api/v1/timestamp" => "1791500000250",
        "/api/v1/contracts/active" => "[]",
        _ => {
            r#"{"token":"abc.d==","instanceServers":[{"endpoint":"wss://w.kucoin.com/","pingInterval":18000,"pingTimeout":10000}]}"#
        }
    };
    format!(r#"{{"code":"200000","data":{data}}}"#)
}
