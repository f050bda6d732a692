//! Topics find lines, and stay there.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs,
    reason = "tests"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use kucoin_futures_proto::{
    Channel, Client, Config, ConnId, Input, Instant, Misuse, Output, ResponseHead, TopicStatus,
    TransportError,
};

const SECOND: Duration = Duration::from_secs(1);
const TOKEN: &[u8] = br#"{"code":"200000","data":{"token":"abc.d==","instanceServers":[{"endpoint":"wss://w.kucoin.com/","pingInterval":18000,"pingTimeout":10000}]}}"#;

/// An exchange that grants, opens, welcomes, confirms and answers pings; that has room for so many topics on a
/// connection.
struct Willing {
    client: Client,
    now: Instant,
    room: usize,
    /// Connections that are open, with what is subscribed on each.
    conns: BTreeMap<ConnId, BTreeSet<String>>,
    sent: usize,
}

impl Willing {
    fn new(config: Config, room: usize) -> Self {
        let now = Instant::ZERO + SECOND * 3600;
        let client = Client::new(now, 5, config);
        Self { client, now, room, conns: BTreeMap::new(), sent: 0 }
    }

    fn serve(&mut self) {
        while let Some(output) = self.client.poll_output() {
            match output {
                Output::Fetch(fetch) if fetch.path().contains("bullet") => {
                    let (request, head) = (fetch.request(), ResponseHead::new(200));
                    self.give(Input::Reply { request, head, body: TOKEN });
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
                _ => {}
            }
        }
    }

    fn take(&mut self, conn: ConnId, text: &str) {
        self.sent += 1;
        let json: serde_json::Value = serde_json::from_str(text).unwrap();
        let id = json["id"].as_str().unwrap();
        if json["type"] == "ping" {
            return self.say(conn, &format!(r#"{{"id":"{id}","type":"pong"}}"#));
        }
        let (prefix, keys) = json["topic"].as_str().unwrap().split_once(':').unwrap();
        let topics = keys.split(',').map(|key| format!("{prefix}:{key}"));
        let known = self.conns.get_mut(&conn).unwrap();
        if json["type"] == "unsubscribe" {
            topics.for_each(|topic| assert!(known.remove(&topic)));
        } else if known.len() + keys.split(',').count() > self.room {
            let text =
                format!("exceed max subscription count limitation of {} per session", self.room);
            let error = format!(r#"{{"id":"{id}","type":"error","code":509,"data":"{text}"}}"#);
            return self.say(conn, &error);
        } else {
            topics.for_each(|topic| assert!(known.insert(topic)));
        }
        self.say(conn, &format!(r#"{{"id":"{id}","type":"ack"}}"#));
    }

    fn say(&mut self, conn: ConnId, text: &str) {
        self.give(Input::Text { conn, bytes: text.as_bytes() });
    }

    fn give(&mut self, input: Input<'_>) {
        let _ = self.client.handle(self.now, input);
    }

    fn pass(&mut self, span: Duration) {
        let end = self.now + span;
        self.serve();
        while let Some(due) = self.client.poll_timeout().filter(|due| due.at <= end) {
            self.now = self.now.max(due.at);
            self.give(Input::Timeout);
            self.serve();
        }
        self.now = end;
    }

    fn want(&mut self, topics: usize) {
        for n in 0..topics {
            let symbol = format!("C{}USDTM", n / 4).parse().unwrap();
            let channel =
                [Channel::ticker_v2, Channel::execution, Channel::instrument, Channel::depth5]
                    [n % 4](symbol);
            self.client.subscribe(self.now, channel).unwrap();
        }
    }

    fn loads(&self) -> Vec<usize> {
        self.conns.values().map(BTreeSet::len).collect()
    }
}

#[test]
fn the_whole_market_is_spread_evenly_over_as_many_lines_as_it_takes() {
    let mut world = Willing::new(Config::default(), 300);
    world.want(2_800);
    world.pass(SECOND);
    assert_eq!(world.loads(), [280; 10]);
    assert_eq!(world.sent, 40, "frames of up to a hundred of a channel");
    let topics: BTreeSet<_> = world.conns.values().flatten().collect();
    assert_eq!(topics.len(), 2_800, "each once");
    assert!(world.client.lines().all(|line| line.topics == 280 && line.conn.is_some()));
}

#[test]
fn a_line_that_ends_touches_only_what_it_carried() {
    let mut world = Willing::new(Config::default(), 300);
    world.want(700);
    world.pass(SECOND);
    let before: Vec<_> = world.conns.clone().into_values().collect();
    let (&conn, carried) = world.conns.iter().nth(1).unwrap();
    let (carried, sent) = (carried.clone(), world.sent);
    world.conns.remove(&conn);
    world.give(Input::Lost { conn, error: TransportError::Reset });
    let wanted = world.client.lines().filter(|line| line.conn.is_none()).count();
    assert_eq!(wanted, 1);
    world.pass(2 * SECOND);
    let again = world.conns.last_key_value().unwrap().1;
    assert_eq!(*again, carried, "the same topics come back, on a line of the same number");
    let after: Vec<_> = world.conns.clone().into_values().collect();
    assert_eq!(after.iter().collect::<BTreeSet<_>>(), before.iter().collect());
    assert!(world.sent - sent <= 4, "nothing was asked for elsewhere");
}

#[test]
fn a_limit_that_a_509_teaches_moves_what_has_no_room() {
    let mut world = Willing::new(Config::default(), 70);
    world.want(200);
    world.pass(5 * SECOND);
    assert!(world.loads().iter().all(|load| *load <= 70), "{:?}", world.loads());
    assert_eq!(world.loads().iter().sum::<usize>(), 200);
    assert_eq!(world.conns.values().flatten().collect::<BTreeSet<_>>().len(), 200);
}

#[test]
fn what_comes_later_goes_where_there_is_room() {
    let mut world = Willing::new(Config::default(), 300);
    world.want(310);
    world.pass(SECOND);
    assert_eq!(world.loads(), [155, 155]);
    world.want(420);
    world.pass(SECOND);
    assert_eq!(world.loads(), [210, 210]);
}

#[test]
fn beyond_the_room_of_all_lines_is_a_misuse_and_without_room_a_rejection() {
    let mut config = Config::default();
    (config.lines.at_most, config.budgets.topics_per_line) = (2, 50);
    let mut world = Willing::new(config, 40);
    world.want(100);
    let one_more = world.client.subscribe(world.now, Channel::announcements());
    assert_eq!(one_more, Err(Misuse::TooManyTopics));
    world.pass(5 * SECOND);
    assert_eq!(world.loads(), [40, 40]);
    let status = |n: u32| world.client.status(kucoin_futures_proto::TopicId::new(n));
    let rejected = (0..100).filter(|&n| status(n) == TopicStatus::Rejected { code: 509 });
    assert_eq!(rejected.count(), 20);
}

#[test]
fn a_topic_is_not_heard_on_a_line_that_does_not_carry_it() {
    let mut config = Config::default();
    config.budgets.topics_per_line = 1;
    let mut world = Willing::new(config, 1);
    world.want(2);
    world.pass(SECOND);
    let ticker = r#"{"topic":"/contractMarket/tickerV2:C0USDTM","type":"message","subject":"tickerV2","data":{"symbol":"C0USDTM","sequence":9,"bestBidSize":1,"bestBidPrice":"1.0","bestAskPrice":"1.1","bestAskSize":2,"ts":1791500000461000000}}"#;
    let carries = |topics: &BTreeSet<String>| topics.iter().any(|topic| topic.contains("tickerV2"));
    let lines: Vec<_> = world.conns.iter().map(|(conn, topics)| (*conn, carries(topics))).collect();
    assert_eq!(lines.len(), 2);
    for (conn, is_its) in lines {
        let input = Input::Text { conn, bytes: ticker.as_bytes() };
        let message = world.client.handle(world.now, input).into_message();
        assert_eq!(message.is_some(), is_its);
    }
    assert_eq!(world.client.stats().unwanted, 1);
}
