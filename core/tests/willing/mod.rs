//! An exchange that does what it is asked.

#![allow(dead_code, reason = "each suite uses a part of it")]

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use kucoin_futures_proto::{
    Client, Config, ConnId, Event, Input, Instant, Output, ResponseHead, TransportError,
};

const SECOND: Duration = Duration::from_secs(1);
const TOKEN: &[u8] = br#"{"code":"200000","data":{"token":"abc.d==","instanceServers":[{"endpoint":"wss://w.kucoin.com/","pingInterval":18000,"pingTimeout":10000}]}}"#;

/// An exchange that grants, opens, welcomes, confirms and answers pings; that has room for so many topics on a
/// connection.
#[derive(Clone)]
pub(crate) struct Willing {
    pub(crate) client: Client,
    pub(crate) now: Instant,
    room: usize,
    /// Connections that are open, with what is subscribed on each.
    pub(crate) conns: BTreeMap<ConnId, BTreeSet<String>>,
    /// Texts that were sent.
    pub(crate) sent: usize,
    /// Topics that were asked for where they were carried already.
    pub(crate) again: usize,
    /// What the client has told.
    pub(crate) told: Vec<Event>,
    /// Where the market of every book stands, which answers for a snapshot.
    pub(crate) sequence: u64,
    pub(crate) snapshots: usize,
    /// A connection on which every topic is refused, and when one was.
    pub(crate) refuses: Option<ConnId>,
    pub(crate) refused: Vec<Instant>,
    /// No ack comes.
    pub(crate) is_mute: bool,
    /// Those that did not: where, and their ids.
    pub(crate) unanswered: Vec<(ConnId, String)>,
    /// In place of that: the best ask, in tenths; at each tenth below it is a bid of one lot, at each other one an
    /// ask.
    pub(crate) dense: Option<u64>,
    /// Its bids, by price; there are no asks.
    bids: BTreeMap<u64, u64>,
}

impl Willing {
    pub(crate) fn new(config: Config, room: usize) -> Self {
        Self::with_seed(5, config, room)
    }

    pub(crate) fn with_seed(seed: u64, config: Config, room: usize) -> Self {
        let now = Instant::ZERO + SECOND * 3600;
        let client = Client::new(now, seed, config);
        Self {
            client,
            now,
            room,
            conns: BTreeMap::new(),
            sent: 0,
            again: 0,
            told: Vec::new(),
            sequence: 500,
            snapshots: 0,
            refuses: None,
            refused: Vec::new(),
            is_mute: false,
            dense: None,
            unanswered: Vec::new(),
            bids: BTreeMap::new(),
        }
    }

    pub(crate) fn serve(&mut self) {
        while let Some(output) = self.client.poll_output() {
            match output {
                Output::Fetch(fetch) if fetch.path().contains("bullet") => {
                    let (request, head) = (fetch.request(), ResponseHead::new(200));
                    self.give(Input::Reply { request, head, body: TOKEN });
                }
                Output::Fetch(fetch) => {
                    let symbol = fetch.path().split_once("?symbol=").unwrap().1;
                    let rows =
                        self.bids.iter().rev().map(|(price, size)| format!("[{price},{size}]"));
                    let mut sides = [rows.collect::<Vec<_>>().join(","), String::new()];
                    if let Some(ask) = self.dense {
                        let side = |ticks: &mut dyn Iterator<Item = u64>| {
                            let rows = ticks.take(1000).map(|tick| format!("[{},1]", price(tick)));
                            rows.collect::<Vec<_>>().join(",")
                        };
                        sides = [side(&mut (0..ask).rev()), side(&mut (ask..))];
                    }
                    let ([bids, asks], sequence) = (sides, self.sequence);
                    let body = format!(
                        r#"{{"code":"200000","data":{{"sequence":{sequence},"symbol":"{symbol}","bids":[{bids}],"asks":[{asks}]}}}}"#
                    );
                    self.snapshots += 1;
                    let (request, head) = (fetch.request(), ResponseHead::new(200));
                    self.give(Input::Reply { request, head, body: body.as_bytes() });
                }
                Output::Open { conn, to } => {
                    self.conns.insert(conn, BTreeSet::new());
                    self.give(Input::Opened { conn });
                    let id = to.secret_url().split_once("&connectId=").unwrap().1;
                    self.say(conn, &format!(r#"{{"id":"{id}","type":"welcome"}}"#));
                }
                Output::Close { conn } => {
                    self.conns.remove(&conn);
                }
                Output::Send { conn, text } => self.take(conn, &text),
                Output::Event(event) => self.told.push(event),
                Output::Push(_) => panic!("a message outside of its turn"),
            }
        }
    }

    pub(crate) fn take(&mut self, conn: ConnId, text: &str) {
        self.sent += 1;
        let json: serde_json::Value = serde_json::from_str(text).unwrap();
        let id = json["id"].as_str().unwrap();
        if json["type"] == "ping" {
            return self.say(conn, &format!(r#"{{"id":"{id}","type":"pong"}}"#));
        }
        let topic = json["topic"].as_str().unwrap();
        let (prefix, keys) = topic.split_once(':').unwrap_or((topic, ""));
        let topics = keys.split(',').map(|key| format!("{prefix}:{key}"));
        if json["type"] == "subscribe" && self.refuses == Some(conn) {
            self.refused.push(self.now);
            let error = format!(r#"{{"id":"{id}","type":"error","code":404,"data":"topic"}}"#);
            return self.say(conn, &error);
        }
        let known = self.conns.get_mut(&conn).unwrap();
        if json["type"] == "unsubscribe" {
            topics.for_each(|topic| assert!(known.remove(&topic)));
        } else if known.len() + keys.split(',').count() > self.room {
            let text =
                format!("exceed max subscription count limitation of {} per session", self.room);
            let error = format!(r#"{{"id":"{id}","type":"error","code":509,"data":"{text}"}}"#);
            return self.say(conn, &error);
        } else {
            self.again += topics.filter(|topic| !known.insert(topic.clone())).count();
        }
        if self.is_mute {
            return self.unanswered.push((conn, id.to_owned()));
        }
        self.say(conn, &format!(r#"{{"id":"{id}","type":"ack"}}"#));
    }

    pub(crate) fn say(&mut self, conn: ConnId, text: &str) {
        self.give(Input::Text { conn, bytes: text.as_bytes() });
    }

    pub(crate) fn give(&mut self, input: Input<'_>) {
        let _ = self.client.handle(self.now, input);
    }

    pub(crate) fn pass(&mut self, span: Duration) {
        let end = self.now + span;
        self.serve();
        while let Some(due) = self.client.poll_timeout().filter(|due| due.at <= end) {
            self.now = self.now.max(due.at);
            self.give(Input::Timeout);
            self.serve();
        }
        self.now = end;
    }

    /// A connection ends.
    pub(crate) fn lose(&mut self, conn: ConnId) {
        self.conns.remove(&conn);
        self.give(Input::Lost { conn, error: TransportError::Reset });
        self.serve();
    }

    /// The book of a symbol changes: the frame.
    pub(crate) fn change(&mut self, symbol: &str) -> String {
        self.sequence += 1;
        let price = 14 + self.sequence % 7;
        self.bids.insert(price, self.sequence);
        format!(
            r#"{{"topic":"/contractMarket/level2:{symbol}","type":"message","subject":"level2","data":{{"sequence":{},"change":"{price},buy,{}","timestamp":1790000000000}}}}"#,
            self.sequence, self.sequence
        )
    }

    /// The dense market goes up by a tenth: the two frames.
    pub(crate) fn climb(&mut self, symbol: &str) -> [String; 2] {
        let ask = self.dense.unwrap();
        self.dense = Some(ask + 1);
        [("sell", 0), ("buy", 1)].map(|(side, size)| {
            self.sequence += 1;
            format!(
                r#"{{"topic":"/contractMarket/level2:{symbol}","type":"message","subject":"level2","data":{{"sequence":{},"change":"{},{side},{size}","timestamp":1790000000000}}}}"#,
                self.sequence, price(ask)
            )
        })
    }

    /// Topics on each connection.
    pub(crate) fn loads(&self) -> Vec<usize> {
        self.conns.values().map(BTreeSet::len).collect()
    }
}

fn price(tenths: u64) -> String {
    format!("{}.{}", tenths / 10, tenths % 10)
}
