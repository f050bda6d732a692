//! A client of the crowd as they are usually written: token, connection, welcome, subscription, snapshot, pings,
//! and after whatever goes wrong the next try, when its schedule says so.

use std::time::Duration;

use kucoin_futures_proto::{ConnId, Instant, RequestId, SplitMix64, Symbol};

use super::schedule::Schedule;
use crate::exchange::About;
use crate::rest::Response;
use crate::world::net::{Asked, Load};

/// From the ack to the request for a snapshot: as soon as the core may ask.
const SETTLE: Duration = Duration::from_millis(200);
/// What token responses say.
const PING: Duration = Duration::from_secs(18);
/// Nothing is lost in this world, so that nobody has to give up.
const TIMEOUT: Duration = Duration::from_secs(10);

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Phase {
    /// The next try comes then.
    Waiting(Instant),
    Token(RequestId),
    Opening,
    Welcome,
    Ack,
    /// The snapshot is asked for then.
    Settling(Instant),
    Snapshot(RequestId),
    /// The next ping is due then.
    Live(Instant),
}

#[derive(Debug)]
pub(super) struct UsualClient {
    symbol: Symbol,
    schedule: Schedule,
    rng: SplitMix64,
    phase: Phase,
    conn: ConnId,
    requests: u32,
    /// In a row.
    failures: u32,
}

impl UsualClient {
    /// One that begins at once.
    pub(super) const fn new(now: Instant, seed: u64, symbol: Symbol, schedule: Schedule) -> Self {
        Self {
            symbol,
            schedule,
            rng: SplitMix64::new(seed),
            phase: Phase::Waiting(now),
            conn: ConnId::new(0),
            requests: 0,
            failures: 0,
        }
    }

    pub(super) const fn is_live(&self) -> bool {
        matches!(self.phase, Phase::Live(_))
    }

    pub(super) const fn wakes(&self) -> Option<Instant> {
        match self.phase {
            Phase::Waiting(at) | Phase::Settling(at) | Phase::Live(at) => Some(at),
            Phase::Token(_) | Phase::Opening | Phase::Welcome | Phase::Ack | Phase::Snapshot(_) => {
                None
            }
        }
    }

    pub(super) fn on_wake(&mut self, now: Instant, sent: &mut Vec<Load>) {
        match self.phase {
            Phase::Waiting(_) => {
                self.phase = Phase::Token(self.ask("POST", "/api/v1/bullet-public".into(), sent));
            }
            Phase::Settling(_) => {
                let path = format!("/api/v1/level2/snapshot?symbol={}", self.symbol);
                self.phase = Phase::Snapshot(self.ask("GET", path, sent));
            }
            Phase::Live(_) => {
                sent.push(Load::Up(self.conn, r#"{"id":"1","type":"ping"}"#.into()));
                self.phase = Phase::Live(now + PING);
            }
            Phase::Token(_) | Phase::Opening | Phase::Welcome | Phase::Ack | Phase::Snapshot(_) => {
            }
        }
    }

    /// Something arrives.
    pub(super) fn on_load(&mut self, now: Instant, load: Load, sent: &mut Vec<Load>) {
        match load {
            Load::Opened(conn) if conn == self.conn && self.phase == Phase::Opening => {
                self.phase = Phase::Welcome;
            }
            Load::Down(conn, text, About::Session) if conn == self.conn => {
                self.on_control(now, &text, sent);
            }
            Load::Lost(conn, _) if conn == self.conn => self.fail(now),
            Load::Reply(request, response) => self.on_reply(now, request, Some(&response), sent),
            Load::Failed(request, _) => self.on_reply(now, request, None, sent),
            _ => {}
        }
    }

    fn on_control(&mut self, now: Instant, text: &str, sent: &mut Vec<Load>) {
        if self.phase == Phase::Welcome && text.contains(r#""type":"welcome""#) {
            let topic = format!("/contractMarket/level2:{}", self.symbol);
            let request =
                format!(r#"{{"id":"1","type":"subscribe","topic":"{topic}","response":true}}"#);
            sent.push(Load::Up(self.conn, request.into()));
            self.phase = Phase::Ack;
        } else if self.phase == Phase::Ack && text.contains(r#""type":"ack""#) {
            self.phase = Phase::Settling(now + SETTLE);
        }
    }

    fn on_reply(
        &mut self,
        now: Instant,
        request: RequestId,
        response: Option<&Response>,
        sent: &mut Vec<Load>,
    ) {
        let response = response.filter(|response| response.status == 200);
        match self.phase {
            Phase::Token(asked) if asked == request => {
                let Some(token) = response.and_then(|response| token_in(&response.body)) else {
                    return self.fail(now);
                };
                self.conn = ConnId::new(self.conn.get() + 1);
                let query = format!("token={token}&connectId={}", self.conn.get());
                sent.push(Load::Connect(self.conn, query));
                self.phase = Phase::Opening;
            }
            Phase::Snapshot(asked) if asked == request => match response {
                Some(_) => {
                    self.failures = 0;
                    self.phase = Phase::Live(now + PING);
                }
                None => self.phase = Phase::Settling(now + SETTLE),
            },
            _ => {}
        }
    }

    fn fail(&mut self, now: Instant) {
        self.phase = Phase::Waiting(now + self.schedule.wait(self.failures, &mut self.rng));
        self.failures = self.failures.saturating_add(1);
    }

    fn ask(&mut self, method: &'static str, path: String, sent: &mut Vec<Load>) -> RequestId {
        self.requests += 1;
        let request = RequestId::new(self.requests);
        let headers = Vec::new();
        sent.push(Load::Request(Asked { request, method, path, headers, timeout: TIMEOUT }));
        request
    }
}

/// The token of a token response.
fn token_in(body: &str) -> Option<&str> {
    let (_, rest) = body.split_once(r#""token":""#)?;
    Some(rest.split_once('"')?.0)
}
