//! The bare loop: the core on std's blocking sockets, nothing in between.
//!
//! One thread connects, reads and writes (a peer that trickles its handshake holds it up; the blocking
//! adapter does not let it); each REST request gets a thread. Prints the top of a book after each
//! of twenty changes.
//!
//! ```sh
//! cargo run -p kucoin-futures-host --example std_loop -- XBTUSDTM http://127.0.0.1:8080
//! ```
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "an example")]

use std::io::ErrorKind;
use std::sync::mpsc::channel;
use std::time::Duration;

use kucoin_futures_host::{
    Attempt, Clock, Rest, RestOutcome, Roots, Socket, WsRead, connect, tls_config, websocket_error,
};
use kucoin_futures_proto::{
    BookEvent, Channel, Client, Config, ConnId, Event, Input, Instant, Output,
};
use tungstenite::{Error, Message, WebSocket};

/// The longest that a reply waits while the socket is being read, and the other way round.
const GLANCE: Duration = Duration::from_millis(20);

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut args = std::env::args().skip(1);
    let symbol = args.next().unwrap_or_else(|| "XBTUSDTM".into()).parse()?;
    let url = args.next().unwrap_or_else(|| "https://api-futures.kucoin.com".into());
    let (clock, rest) = (Clock::new(), Rest::new(&Roots::Public, None));
    let tls = tls_config(&Roots::Public)?;
    let (answered, answers) = channel();
    let mut conn: Option<(ConnId, WebSocket<Socket>)> = None;

    // The seed decides jitter and ids: in earnest, another one for each process.
    let mut client = Client::new(clock.now(), 42, Config::with_rest(&url)?);
    client.subscribe(clock.now(), Channel::level2(symbol))?;
    let mut left = 20;
    while left > 0 {
        // Do what the core wants done.
        while let Some(output) = client.poll_output() {
            match output {
                Output::Event(Event::Book(topic, BookEvent::Delta(_))) => {
                    left -= 1;
                    if let Some(book) = client.book(topic) {
                        println!("{} {:?} {:?}", book.sequence(), book.best_bid(), book.best_ask());
                    }
                }
                Output::Event(event) => eprintln!("{event:?}"),
                Output::Push(_) => {} // was told when it came
                Output::Open { conn: id, to } => {
                    let input = match connect(&to, &tls, rest.addresses(), &Attempt::default()) {
                        Ok(websocket) => {
                            websocket.get_ref().tcp().set_nonblocking(false)?;
                            conn = Some((id, websocket));
                            Input::Opened { conn: id }
                        }
                        Err(error) => Input::Lost { conn: id, error },
                    };
                    tell(&mut client, clock.now(), input);
                }
                Output::Send { conn: id, text } => {
                    let Some((_, websocket)) = conn.as_mut().filter(|c| c.0 == id) else {
                        continue;
                    };
                    if let Err(error) = websocket.send(Message::text(&*text)) {
                        let error = websocket_error(&error);
                        tell(&mut client, clock.now(), Input::Lost { conn: id, error });
                    }
                }
                Output::Close { conn: id } => conn = conn.take().filter(|conn| conn.0 != id),
                Output::Fetch(fetch) => {
                    let (rest, answered) = (rest.clone(), answered.clone());
                    std::thread::spawn(move || {
                        answered.send((fetch.request(), rest.perform(&fetch)))
                    });
                }
            }
        }
        // Wait for a reply, a message or the deadline. An early timeout is harmless.
        let now = clock.now();
        let due = client.poll_timeout().map_or(GLANCE, |deadline| deadline.at.since(now));
        let wait = if conn.is_some() { Duration::ZERO } else { due.min(GLANCE) };
        match answers.recv_timeout(wait) {
            Ok((request, answer)) => {
                let answer: RestOutcome = answer;
                tell(&mut client, clock.now(), answer.to_input(request));
            }
            Err(_) => tell(&mut client, clock.now(), Input::Timeout),
        }
        let Some((id, websocket)) = conn.as_mut() else { continue };
        let wait = due.clamp(Duration::from_millis(1), GLANCE);
        websocket.get_ref().tcp().set_read_timeout(Some(wait))?;
        let heard = match websocket.read() {
            Err(Error::Io(error)) if error.kind() == ErrorKind::WouldBlock => continue,
            read => WsRead::from_read(read),
        };
        tell(&mut client, clock.now(), heard.to_input(*id));
    }
    Ok(())
}

/// Effects and events wait in the client for the head of the loop. A message lies in the bytes of its input.
fn tell(client: &mut Client, now: Instant, input: Input<'_>) {
    if let Some(push) = client.handle(now, input).into_message() {
        println!("{:?}", push.decode());
    }
}
