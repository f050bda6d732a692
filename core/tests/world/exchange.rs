//! The exchange's answers, right and wrong.

use kucoin_futures_proto::{Input, ResponseHead, TransportError};
use proptest::sample::Index;

use super::step::{Body, Refusal};
use super::{World, pick};
use crate::edited::edited;

impl World {
    pub(super) fn reply(&mut self, at: usize, body: &Body) {
        let (request, path) = self.requests.remove(at);
        self.snapshots.remove(&request);
        self.dead_requests.push(request);
        let right = |back: usize| {
            let symbol = path.split_once("?symbol=").map(|(_, symbol)| symbol);
            let market = self.markets.iter().find(|market| Some(market.symbol.as_str()) == symbol);
            market.map_or_else(|| answer(&path), |market| market.snapshot(back, self.levels))
        };
        let mut head = ResponseHead::new(200);
        let text = match body {
            Body::Right(back) => right(*back),
            Body::Wrong if path.contains("?symbol=") => {
                let other = self.markets.iter().find(|market| !path.ends_with(&market.symbol));
                other.unwrap().snapshot(0, self.levels)
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
            Body::Failed => return self.input(Input::Failed(request, TransportError::TimedOut)),
        };
        self.input(Input::Reply(request, head, text.as_bytes()));
    }

    pub(super) fn welcome(&mut self, right: bool) {
        let Some(conn) = &mut self.conn else { return };
        conn.welcomed |= right && conn.opened;
        let id = if right { conn.connect_id.as_str() } else { "somebody-else" };
        let text = format!(r#"{{"id":"{id}","type":"welcome"}}"#);
        self.text(&text);
    }

    pub(super) fn refuse(&mut self, at: Index, refusal: Refusal) {
        let Some(conn) = &mut self.conn else { return };
        let at = pick(at, conn.unanswered.len());
        let id = at.map_or(77, |at| conn.unanswered.remove(at)).to_string();
        let (id, code, text) = match refusal {
            Refusal::Topic => (id, 404, "topic does not exist".into()),
            Refusal::PerFrame => (id, 509, "exceed limitation of 2 per time".into()),
            Refusal::PerSession(Some(n)) => (id, 509, format!("limitation of {n} per session")),
            Refusal::PerSession(None) => (id, 509, "too many per session".into()),
            Refusal::Other(code, text) => (id, code, text.into()),
            Refusal::NoId => ("5e1f00aa91b2c3d4e5f60718".into(), 404, "topic".to_owned()),
        };
        self.text(&format!(r#"{{"id":"{id}","type":"error","code":{code},"data":"{text}"}}"#));
    }

    pub(super) fn pong(&mut self, right: bool) {
        let Some(conn) = &mut self.conn else { return };
        let ping = if right { conn.ping.take() } else { Some(0) };
        if let Some(id) = ping {
            self.text(&format!(r#"{{"id":"{id}","type":"pong","timestamp":1791500000250000}}"#));
        }
    }
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
