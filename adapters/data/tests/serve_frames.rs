//! What a served recording says frame by frame, to a client that knows nothing of this project.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "tests fail by panicking"
)]

mod listener;
mod simulated;

use std::io;
use std::net::TcpStream;
use std::time::Duration;

use kucoin_futures_data::serve::{ReplayServer, Speed, Tape as _};
use kucoin_futures_data::{Moment, Sink};
use kucoin_futures_proto::wire::Side;
use kucoin_futures_proto::{BookEvent, Channel, Event, Output};
use serde_json::{Value, json};
use tungstenite::{Message, WebSocket};

use listener::{get, post, serve_at, serve_paused, settle};
use simulated::{Session, SimulatedTape};

const MINUTE: Duration = Duration::from_secs(60);

/// A WebSocket after its upgrade.
struct Line(WebSocket<TcpStream>);

impl Line {
    fn open(server: &ReplayServer, query: &str) -> Self {
        let addr = server.url().strip_prefix("http://").unwrap().to_owned();
        let socket = TcpStream::connect(&addr).unwrap();
        socket.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
        Self(tungstenite::client(format!("ws://{addr}/?{query}"), socket).unwrap().0)
    }

    /// One with a token of its own, after its welcome.
    fn welcomed(server: &ReplayServer) -> Self {
        let bullet = post_bullet(server);
        let mut line = Self::open(server, &format!("token={bullet}&connectId=me"));
        assert_eq!(line.next(), json!({"id": "me", "type": "welcome"}));
        line
    }

    fn say(&mut self, frame: &Value) {
        self.0.send(Message::text(frame.to_string())).unwrap();
    }

    fn next_text(&mut self) -> String {
        loop {
            match self.0.read().unwrap() {
                Message::Text(text) => return text.to_string(),
                Message::Close(_) => return "closed".into(),
                _ => {}
            }
        }
    }

    fn next(&mut self) -> Value {
        let text = self.next_text();
        serde_json::from_str(&text).unwrap_or(Value::String(text))
    }

    fn subscribe(&mut self, topic: &str) -> Value {
        self.say(&json!({"id": "7", "type": "subscribe", "topic": topic, "response": true}));
        self.next()
    }
}

fn post_bullet(server: &ReplayServer) -> String {
    let answer = listener::request(server, "POST", "/api/v1/bullet-public").1;
    answer["data"]["token"].as_str().unwrap().replace('=', "%3D")
}

#[test]
fn tokens_acks_errors_and_pongs_are_the_exchanges() {
    let server = serve_paused(&Session::of(&["XBTUSDTM"], MINUTE), Speed::REAL);
    let mut stranger = Line::open(&server, "token=nonsense");
    let refused = stranger.next();
    assert_eq!((&refused["code"], &refused["data"]), (&json!(401), &json!("token is invalid")));
    assert_eq!(stranger.next(), "closed");

    let mut line = Line::welcomed(&server);
    assert_eq!(
        line.subscribe("/contractMarket/level2:XBTUSDTM"),
        json!({"id": "7", "type": "ack"})
    );
    for (topic, code) in [
        ("/contractMarket/nothing:XBTUSDTM", 404),
        ("/contractMarket/tradeOrders", 403),
        ("/contractMarket/level2:", 400),
        ("", 406),
    ] {
        let answer = line.subscribe(topic);
        assert_eq!((&answer["type"], &answer["code"]), (&json!("error"), &json!(code)), "{topic}");
    }
    line.say(&json!({"id": "9", "type": "ping"}));
    let micros = server.status().position.as_nanos() / 1_000;
    assert_eq!(line.next(), json!({"id": "9", "type": "pong", "timestamp": micros}));
    for _ in 0..100 {
        line.say(&json!({"id": "9", "type": "ping"}));
    }
    let mut pongs = 0;
    let error = loop {
        let frame = line.next();
        if frame["type"] != "pong" {
            break frame;
        }
        pongs += 1;
    };
    // With five requests and a ping before them.
    assert_eq!((pongs, &error["code"]), (94, &json!(509)), "more than 100 in 10 s");
    assert_eq!(line.next(), "closed");
    assert_eq!(server.status().violations, 1);
}

/// What was recorded of a topic, in order.
#[derive(Default)]
struct Recorded {
    deltas: Vec<(u64, String)>,
    tickers: Vec<String>,
}

impl Sink for Recorded {
    fn on_start(&mut self, _: &Moment<'_>) -> io::Result<()> {
        Ok(())
    }

    fn on_output(&mut self, _: &Moment<'_>, output: &Output<'_>) -> io::Result<()> {
        match output {
            Output::Push(push) if push.topic().is_some() => {
                self.tickers.push(String::from_utf8(push.bytes().to_vec()).unwrap());
            }
            Output::Event(Event::Book(_, BookEvent::Delta(delta))) => {
                let side = if delta.side == Side::Bid { "buy" } else { "sell" };
                let change = format!("{},{side},{}", delta.price, delta.size);
                self.deltas.push((delta.sequence.get(), change));
            }
            _ => {}
        }
        Ok(())
    }

    fn on_end(&mut self, _: &Moment<'_>) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn each_connection_is_pushed_what_was_recorded_of_what_it_has_subscribed() {
    let mut session = Session::of(&["XBTUSDTM"], MINUTE);
    session.channels.push(Channel::ticker_v2("XBTUSDTM".parse().unwrap()));
    let mut recorded = Recorded::default();
    let mut tape = SimulatedTape::new(session.clone());
    while tape.next_at().is_some() {
        tape.step(&mut recorded).unwrap();
    }
    let server = serve_paused(&session, Speed::times(20).unwrap());
    let mut books = Line::welcomed(&server);
    let mut tickers = Line::welcomed(&server);
    books.subscribe("/contractMarket/level2:XBTUSDTM");
    tickers.subscribe("/contractMarket/tickerV2:XBTUSDTM");
    post(&server, "resume");
    for wanted in &recorded.tickers[..100] {
        assert_eq!(tickers.next_text(), *wanted, "byte for byte");
    }
    for (sequence, change) in &recorded.deltas[..100] {
        let frame = books.next();
        assert_eq!((&frame["subject"], &frame["sn"]), (&json!("level2"), &json!(sequence)));
        assert_eq!(frame["topic"], "/contractMarket/level2:XBTUSDTM");
        let data = &frame["data"];
        assert_eq!((&data["sequence"], &data["change"]), (&json!(sequence), &json!(change)));
        assert!(data["timestamp"].as_u64().unwrap() > 1_790_000_000_000);
    }
    books.say(&json!({"id": "8", "type": "unsubscribe", "response": true,
        "topic": "/contractMarket/level2:XBTUSDTM"}));
    while books.next() != json!({"id": "8", "type": "ack"}) {}
    books.say(&json!({"id": "9", "type": "ping"}));
    assert_eq!(books.next()["type"], "pong", "and nothing else");
}

#[test]
fn depths_that_were_not_recorded_are_those_of_the_book() {
    let server = serve_at(&Session::of(&["XBTUSDTM"], 10 * MINUTE), Speed::REAL);
    post(&server, &format!("seek?to={}", server.status().began.as_millis() + 30_000));
    settle(&server);
    let mut line = Line::welcomed(&server);
    line.subscribe("/contractMarket/level2Depth5:XBTUSDTM");
    let mut times = Vec::new();
    let last = loop {
        let frame = line.next();
        let data = &frame["data"];
        assert_eq!((data["bids"].as_array().unwrap().len(), &frame["sn"]), (5, &data["ts"]));
        times.push(data["ts"].as_u64().unwrap());
        if times.len() == 10 {
            post(&server, "pause");
        }
        if times.len() >= 10 && server.status().is_paused {
            break frame;
        }
    };
    assert!(times.iter().all(|ms| ms.is_multiple_of(100)) && times.is_sorted_by(|a, b| a < b));
    // What was on its way when it was paused.
    line.say(&json!({"id": "9", "type": "ping"}));
    let mut frame = last;
    loop {
        let next = line.next();
        if next["type"] == "pong" {
            break;
        }
        frame = next;
    }
    let (_, book) = get(&server, "/api/v1/level2/depth20?symbol=XBTUSDTM");
    if book["data"]["sequence"] == frame["data"]["sequence"] {
        for side in ["bids", "asks"] {
            for (shown, level) in frame["data"][side]
                .as_array()
                .unwrap()
                .iter()
                .zip(book["data"][side].as_array().unwrap())
            {
                let price: f64 = shown[0].as_str().unwrap().parse().unwrap();
                assert_eq!((Some(price), &shown[1]), (level[0].as_f64(), &level[1]));
            }
        }
    } else {
        // A change since: within the 100 ms.
        assert!(book["data"]["sequence"].as_u64() > frame["data"]["sequence"].as_u64());
    }
}

/// Best bid and offer, where they were not recorded, are those of the book: each is what the recorded ones would have
/// said.
#[test]
fn tickers_that_were_not_recorded_are_those_of_the_book() {
    let books = Session::of(&["XBTUSDTM"], MINUTE);
    let mut both = books.clone();
    both.channels.push(Channel::ticker_v2("XBTUSDTM".parse().unwrap()));
    let said = |session: &Session| {
        let server = serve_paused(session, Speed::times(20).unwrap());
        let began = server.status().began.as_millis();
        post(&server, &format!("seek?to={}", began + 10_000));
        settle(&server);
        let mut line = Line::welcomed(&server);
        line.subscribe("/contractMarket/tickerV2:XBTUSDTM");
        post(&server, "resume");
        (0..50).map(|_| line.next()).collect::<Vec<_>>()
    };
    // The first change after the beginning is told, whatever it changed.
    let [made, recorded] = [said(&books), said(&both)];
    let first = made.iter().position(|frame| *frame == recorded[0]).unwrap();
    assert!(first <= 1, "{first}");
    assert_eq!(made[first..], recorded[..50 - first]);
}

/// Likewise last trades: one for each, with the trade's own number, and best bid and offer as they stood.
#[test]
fn last_trades_that_were_not_recorded_are_made_from_trades_and_book() {
    let mut session = Session::of(&["XBTUSDTM"], 5 * MINUTE);
    session.channels.push(Channel::execution("XBTUSDTM".parse().unwrap()));
    let server = serve_paused(&session, Speed::times(20).unwrap());
    post(&server, &format!("seek?to={}", server.status().began.as_millis() + 10_000));
    settle(&server);
    let [mut trades, mut tickers] = [Line::welcomed(&server), Line::welcomed(&server)];
    trades.subscribe("/contractMarket/execution:XBTUSDTM");
    tickers.subscribe("/contractMarket/ticker:XBTUSDTM");
    post(&server, "resume");
    for _ in 0..20 {
        let (trade, ticker) = (trades.next(), tickers.next());
        assert_eq!((&ticker["subject"], &ticker["sn"]), (&json!("ticker"), &trade["sn"]));
        for field in ["symbol", "sequence", "side", "size", "price", "tradeId", "ts"] {
            assert_eq!(ticker["data"][field], trade["data"][field], "{field}");
        }
        let price = |field: &str| ticker["data"][field].as_str().unwrap().parse::<f64>().unwrap();
        assert!(price("bestBidPrice") < price("bestAskPrice"), "{ticker}");
    }
}
