//! A scripted driver around a `Client`: a virtual clock, drained outputs, and the other side's
//! lines of the dialogue in words of our own.

#![allow(dead_code, unused_imports, reason = "every test file uses another part of it")]

mod edited;
pub(crate) mod reply;

use std::time::Duration;

use kucoin_futures_proto::wire::Frame;
use kucoin_futures_proto::{
    Channel, Client, Config, ConnId, Endpoint, Event, Input, Instant, Message, Output, PushTag,
    RequestId, ResponseHead, RestRequest, TopicEvent, TopicId, TransportError, WireError,
};

pub(crate) use edited::{edited, edited_times};

/// The symbol of most tests.
pub(crate) const LINK: &str = "LINKUSDTM";
pub(crate) const SECOND: Duration = Duration::from_secs(1);
pub(crate) const MS: Duration = Duration::from_millis(1);

pub(crate) struct Rig {
    pub(crate) client: Client,
    pub(crate) now: Instant,
    /// The latest connection that was asked for, and what its upgrade request would say.
    pub(crate) conn: ConnId,
    pub(crate) connect_id: String,
    pub(crate) token: String,
    pub(crate) answers_pings: bool,
    tokens: u32,
}

impl Rig {
    pub(crate) fn new() -> Self {
        Self::with(Config::default())
    }

    pub(crate) fn with(config: Config) -> Self {
        let now = Instant::ZERO + 1000 * SECOND;
        Self {
            client: Client::new(now, 7, config),
            now,
            conn: ConnId::new(0),
            connect_id: String::new(),
            token: String::new(),
            answers_pings: true,
            tokens: 0,
        }
    }

    /// A client with a confirmed topic and nothing else.
    pub(crate) fn carrying(channel: Channel) -> (Self, TopicId) {
        let mut rig = Self::new();
        let topic = rig.client.subscribe(rig.now, channel).unwrap();
        let outputs = rig.drain();
        let outputs = rig.reconnect(fetches(&outputs)[0].request());
        assert_eq!(sent(&outputs)[0].topic, channel.to_string());
        assert_eq!(rig.ack(sent(&outputs)[0].id), [Event::Topic(topic, TopicEvent::Confirmed)]);
        (rig, topic)
    }

    /// A client that wants one book and waits for its token.
    pub(crate) fn waiting_for_token(config: Config) -> (Self, RequestId) {
        let mut rig = Self::with(config);
        rig.want(LINK);
        let outputs = rig.drain();
        (rig, bullet_request(&outputs))
    }

    /// A client whose connection is open and not welcomed yet.
    pub(crate) fn greeting(config: Config) -> Self {
        let (mut rig, request) = Self::waiting_for_token(config);
        rig.grant(request);
        rig.opened();
        rig
    }

    /// A client with a welcomed connection that has asked for `LINK` (id 1) and awaits the ack.
    pub(crate) fn asked(config: Config) -> (Self, TopicId) {
        let mut rig = Self::greeting(config);
        rig.welcome();
        let link = rig.want(LINK);
        (rig, link)
    }

    /// The same with the ack.
    pub(crate) fn confirmed(config: Config) -> (Self, TopicId) {
        let (mut rig, link) = Self::asked(config);
        assert_eq!(rig.ack(1), [Event::Topic(link, TopicEvent::Confirmed)]);
        (rig, link)
    }

    /// A client whose book of `LINK` is live at sequence 500: bids 14.2 (5 lots) and 14.1 (7),
    /// asks 14.3 (6) and 14.4 (8).
    pub(crate) fn live(config: Config) -> (Self, TopicId) {
        let (mut rig, link) = Self::confirmed(config);
        let request = snapshot_request(&rig.pass(SECOND));
        rig.reply(request, &plain_snapshot(500));
        assert!(rig.client.book(link).is_some());
        (rig, link)
    }

    // What the user does.

    pub(crate) fn want(&mut self, symbol: &str) -> TopicId {
        let symbol = symbol.parse().unwrap();
        self.client.subscribe(self.now, Channel::level2(symbol)).unwrap()
    }

    /// The book as text: `sequence: bids | asks`.
    pub(crate) fn shown(&self, topic: TopicId) -> Option<String> {
        use kucoin_futures_proto::book::Scope;
        use kucoin_futures_proto::wire::Side;
        let book = self.client.book(topic)?;
        let side = |side| {
            let levels = book.levels(side, Scope::Held);
            levels.map(|l| format!("{}*{}", l.price, l.size)).collect::<Vec<_>>().join(" ")
        };
        Some(format!("{}: {} | {}", book.sequence(), side(Side::Bid), side(Side::Ask)))
    }

    // What an adapter does.

    pub(crate) fn drain(&mut self) -> Vec<Output<'static>> {
        let mut outputs = Vec::new();
        while let Some(output) = self.client.poll_output() {
            assert!(outputs.len() < 100_000, "there is no end to it");
            if let Output::Open { conn, to } = &output {
                self.conn = *conn;
                (self.token, self.connect_id) = credentials(to);
            }
            outputs.push(output);
        }
        for ping in pings(&outputs) {
            if self.answers_pings {
                outputs.extend(self.text(&pong(ping)));
            }
        }
        outputs
    }

    pub(crate) fn input(&mut self, input: Input<'_>) -> Vec<Output<'static>> {
        let _ = self.client.handle(self.now, input);
        self.drain()
    }

    pub(crate) fn text(&mut self, text: &str) -> Vec<Output<'static>> {
        self.input(Input::Text { conn: self.conn, bytes: text.as_bytes() })
    }

    /// A frame that carries a message, and what the message was.
    pub(crate) fn pushed(&mut self, text: &str) -> Option<PushTag> {
        let turn =
            self.client.handle(self.now, Input::Text { conn: self.conn, bytes: text.as_bytes() });
        let tag = turn.into_message().map(|push| push.tag());
        self.drain();
        tag
    }

    /// Lets time pass, calling whenever the client wants to be called.
    pub(crate) fn pass(&mut self, time: Duration) -> Vec<Output<'static>> {
        let end = self.now + time;
        let mut outputs = self.drain();
        for steps in 0.. {
            assert!(steps < 10_000, "it wants to be called all the time");
            let Some(deadline) = self.client.poll_timeout().filter(|d| d.at <= end) else { break };
            assert!(deadline.at > self.now || steps == 0, "a deadline that was dealt with");
            self.now = self.now.max(deadline.at);
            outputs.extend(self.input(Input::Timeout));
        }
        self.now = end;
        outputs
    }

    /// Lets time pass with nobody calling, then calls once.
    pub(crate) fn sleep(&mut self, time: Duration) -> Vec<Output<'static>> {
        self.now = self.now + time;
        self.input(Input::Timeout)
    }

    // What the exchange does.

    pub(crate) fn reply(&mut self, request: RequestId, body: &str) -> Vec<Output<'static>> {
        self.reply_with(request, ResponseHead::new(200), body)
    }

    pub(crate) fn reply_with(
        &mut self,
        request: RequestId,
        head: ResponseHead,
        body: &str,
    ) -> Vec<Output<'static>> {
        self.input(Input::Reply { request, head, body: body.as_bytes() })
    }

    /// Grants a token, each time another one.
    pub(crate) fn grant(&mut self, request: RequestId) -> Vec<Output<'static>> {
        self.tokens += 1;
        let body = bullet(&format!("t0ken{}.x==", self.tokens));
        self.reply(request, &body)
    }

    pub(crate) fn opened(&mut self) -> Vec<Output<'static>> {
        self.input(Input::Opened { conn: self.conn })
    }

    pub(crate) fn welcome(&mut self) -> Vec<Output<'static>> {
        let text = format!(r#"{{"id":"{}","type":"welcome"}}"#, self.connect_id);
        self.text(&text)
    }

    pub(crate) fn ack(&mut self, id: u64) -> Vec<Event> {
        events(&self.text(&format!(r#"{{"id":"{id}","type":"ack"}}"#)))
    }

    pub(crate) fn lose(&mut self, error: TransportError) -> Vec<Output<'static>> {
        self.input(Input::Lost { conn: self.conn, error })
    }

    /// A change of `LINK`.
    pub(crate) fn change(&mut self, sequence: u64, change: &str) -> Vec<Event> {
        events(&self.text(&level2(LINK, sequence, change)))
    }

    /// From a request for a token to a connection that has asked again for all that is wanted.
    pub(crate) fn reconnect(&mut self, request: RequestId) -> Vec<Output<'static>> {
        self.grant(request);
        self.opened();
        self.welcome()
    }
}

/// What a frame says: by itself, and through a client that wants this channel, which says the same.
pub(crate) fn said(wanted: Channel, text: &str) -> Result<Message<'_>, WireError> {
    let (mut rig, topic) = Rig::carrying(wanted);
    let tag = rig.pushed(text).unwrap_or_else(|| panic!("not handed out: {text}"));
    let push = tag.on(text.as_bytes());
    assert_eq!((push.topic(), push.bytes()), (Some(topic), text.as_bytes()));
    let message = said_by_frame(text);
    assert_eq!(format!("{:?}", push.decode()), format!("{message:?}"), "{text}");
    message
}

/// What a frame says by itself.
pub(crate) fn said_by_frame(text: &str) -> Result<Message<'_>, WireError> {
    let Ok(Frame::Message(frame)) = Frame::parse(text.as_bytes()) else {
        panic!("no message: {text}")
    };
    frame.decode()
}

// Payloads.

pub(crate) fn bullet(token: &str) -> String {
    bullet_of(token, &[("wss://ws-7.kucoin.com/", "18000", "10000")])
}

pub(crate) fn bullet_of(token: &str, servers: &[(&str, &str, &str)]) -> String {
    let servers = servers.iter().map(|(endpoint, interval, timeout)| {
        format!(
            r#"{{"endpoint":"{endpoint}","encrypt":true,"protocol":"websocket","pingInterval":{interval},"pingTimeout":{timeout}}}"#
        )
    });
    let servers = servers.collect::<Vec<_>>().join(",");
    format!(r#"{{"code":"200000","data":{{"token":"{token}","instanceServers":[{servers}]}}}}"#)
}

pub(crate) fn level2(symbol: &str, sequence: u64, change: &str) -> String {
    format!(
        r#"{{"topic":"/contractMarket/level2:{symbol}","type":"message","subject":"level2","sn":{sequence},"data":{{"sequence":{sequence},"change":"{change}","timestamp":1791500000250}}}}"#
    )
}

pub(crate) fn snapshot(symbol: &str, sequence: u64, bids: &str, asks: &str) -> String {
    format!(
        r#"{{"code":"200000","data":{{"sequence":{sequence},"symbol":"{symbol}","bids":[{bids}],"asks":[{asks}],"ts":1791500000251000000}}}}"#
    )
}

/// The snapshot of `LINK` that `Rig::live` starts from.
pub(crate) fn plain_snapshot(sequence: u64) -> String {
    snapshot(LINK, sequence, "[14.2,5],[14.1,7]", "[14.3,6],[14.4,8]")
}

pub(crate) fn pong(id: u64) -> String {
    format!(r#"{{"id":"{id}","type":"pong","timestamp":1791500000250999}}"#)
}

pub(crate) fn error(id: &str, code: u32, text: &str) -> String {
    format!(r#"{{"id":"{id}","type":"error","code":{code},"data":"{text}"}}"#)
}

// Outputs, sorted.

pub(crate) fn events(outputs: &[Output<'_>]) -> Vec<Event> {
    let event = |output: &Output<'_>| if let Output::Event(e) = output { Some(*e) } else { None };
    outputs.iter().filter_map(event).collect()
}

pub(crate) fn fetches<'a>(outputs: &'a [Output<'_>]) -> Vec<&'a RestRequest> {
    let fetches = outputs.iter();
    fetches.filter_map(|o| if let Output::Fetch(f) = o { Some(&**f) } else { None }).collect()
}

pub(crate) fn opens<'a>(outputs: &'a [Output<'_>]) -> Vec<&'a Endpoint> {
    let opens = outputs.iter();
    opens.filter_map(|o| if let Output::Open { to, .. } = o { Some(&**to) } else { None }).collect()
}

pub(crate) fn shuts(outputs: &[Output<'_>]) -> usize {
    outputs.iter().filter(|output| matches!(output, Output::Close { .. })).count()
}

/// A text the client sent.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Sent {
    pub(crate) id: u64,
    pub(crate) kind: String,
    /// Empty for a ping.
    pub(crate) topic: String,
}

pub(crate) fn sent(outputs: &[Output<'_>]) -> Vec<Sent> {
    let parse = |text: &str| {
        let json: serde_json::Value = serde_json::from_str(text).unwrap();
        let field = |key: &str| json.get(key).and_then(|v| v.as_str()).unwrap_or_default();
        let (kind, topic) = (field("type").into(), field("topic").into());
        Sent { id: field("id").parse().unwrap(), kind, topic }
    };
    let texts = outputs.iter();
    texts
        .filter_map(|o| if let Output::Send { text, .. } = o { Some(parse(text)) } else { None })
        .collect()
}

pub(crate) fn pings(outputs: &[Output<'_>]) -> Vec<u64> {
    sent(outputs).iter().filter(|sent| sent.kind == "ping").map(|sent| sent.id).collect()
}

/// The one request for a token.
pub(crate) fn bullet_request(outputs: &[Output<'_>]) -> RequestId {
    the_request(outputs, "/api/v1/bullet-public")
}

/// The one request for a snapshot of `LINK`.
pub(crate) fn snapshot_request(outputs: &[Output<'_>]) -> RequestId {
    the_request(outputs, "/api/v1/level2/snapshot?symbol=LINKUSDTM")
}

fn the_request(outputs: &[Output<'_>], path: &str) -> RequestId {
    let fetches = fetches(outputs);
    let [fetch] = fetches.as_slice() else { panic!("one request expected in {outputs:?}") };
    assert_eq!(fetch.path(), path);
    fetch.request()
}

/// Token and connect id out of an upgrade request.
fn credentials(to: &Endpoint) -> (String, String) {
    let (_, query) = to.secret_url().split_once("token=").unwrap();
    let (token, id) = query.split_once("&connectId=").unwrap();
    (token.into(), id.into())
}
