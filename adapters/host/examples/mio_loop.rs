//! An embedder: a program that has an event loop already, here mio's, and takes the feed into it.
//!
//! The feed adds a socket, a waker and a deadline. Prints the top of a book at twenty beats of its own.
//!
//! ```sh
//! cargo run -p kucoin-futures-host --example mio_loop -- XBTUSDTM http://127.0.0.1:8080
//! ```
#![allow(clippy::print_stdout, clippy::too_many_lines, reason = "an example, in one piece")]

use std::io::ErrorKind;
use std::sync::{Arc, mpsc::channel};
use std::time::Duration;

use kucoin_futures_host::{
    Attempt, Clock, Rest, RestOutcome, Roots, Socket, WsRead, connect, tls_config, websocket_error,
};
use kucoin_futures_proto::{
    Channel, Client, Config, ConnId, Input, Instant, Output, RequestId, TransportError,
};
use mio::{Events, Interest, Poll, Token, Waker, net::TcpStream};
use tungstenite::{Error, Message, WebSocket};

/// From the helper threads.
enum Arrival {
    Opened(ConnId, Result<Box<WebSocket<Socket>>, TransportError>),
    Answer(RequestId, RestOutcome),
}

/// The program's own rhythm.
const BEAT: Duration = Duration::from_millis(100);

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut args = std::env::args().skip(1);
    let symbol = args.next().unwrap_or_else(|| "XBTUSDTM".into()).parse()?;
    let url = args.next().unwrap_or_else(|| "https://api-futures.kucoin.com".into());
    let (clock, rest, mut poll) = (Clock::new(), Rest::new(&Roots::Public, None), Poll::new()?);
    let (tls, waker) = (tls_config(&Roots::Public)?, Waker::new(poll.registry(), Token(0))?);
    let (waker, (arrived, arrivals)) = (Arc::new(waker), channel());
    let help = |work: Box<dyn FnOnce() -> Arrival + Send>| {
        let (arrived, waker) = (arrived.clone(), Arc::clone(&waker));
        std::thread::spawn(move || arrived.send(work()).map(|()| waker.wake()));
    };
    // The attempt under way; then the socket, with a second handle by which mio knows it.
    let (mut opening, mut conn) = (None, None::<(ConnId, Box<WebSocket<Socket>>, TcpStream)>);
    let (mut beat, mut left) = (clock.now(), 20);
    let mut client = Client::new(clock.now(), 42, Config::with_rest(&url)?);
    let topic = client.subscribe(clock.now(), Channel::level2(symbol))?;
    while left > 0 {
        while let Some(output) = client.poll_output() {
            match output {
                Output::Event(event) => println!("{event:?}"),
                Output::Push(_) => {} // was told when it came
                Output::Open { conn: id, to } => {
                    let (tls, addresses) = (Arc::clone(&tls), rest.addresses().clone());
                    opening = Some(id);
                    help(Box::new(move || {
                        let opened = connect(&to, &tls, &addresses, &Attempt::default());
                        Arrival::Opened(id, opened.map(Box::new))
                    }));
                }
                Output::Send { text, .. } => {
                    let Some((id, socket, _)) = &mut conn else { continue };
                    // What would block is kept, and flushed before the next read.
                    let sent = socket.send(Message::text(&*text));
                    if let Some(error) = sent.err().filter(|error| !would_block(error)) {
                        let error = websocket_error(&error);
                        tell(&mut client, clock.now(), Input::Lost { conn: *id, error });
                    }
                }
                Output::Close { .. } => (opening, conn) = (None, None),
                Output::Fetch(fetch) => {
                    let (rest, request) = (rest.clone(), fetch.request());
                    help(Box::new(move || Arrival::Answer(request, rest.perform(&fetch))));
                }
            }
        }
        // The program's own business, on time whatever the feed does.
        let now = clock.now();
        if now >= beat {
            beat = now + BEAT;
            if let Some(book) = client.book(topic) {
                println!("{} {:?} {:?}", book.sequence(), book.best_bid(), book.best_ask());
                left -= 1;
            }
        }
        let due = client.poll_timeout().map_or(beat, |deadline| deadline.at.min(beat));
        poll.poll(&mut Events::with_capacity(8), Some(due.since(now)))?;
        for arrival in arrivals.try_iter() {
            let input = match arrival {
                Arrival::Answer(id, answer) => {
                    tell(&mut client, clock.now(), answer.to_input(id));
                    continue;
                }
                Arrival::Opened(id, _) if opening != Some(id) => continue, // given up meanwhile
                Arrival::Opened(id, Err(error)) => Input::Lost { conn: id, error },
                Arrival::Opened(id, Ok(socket)) => {
                    let mut tcp = TcpStream::from_std(socket.get_ref().tcp().try_clone()?);
                    poll.registry().register(&mut tcp, Token(1), Interest::READABLE)?;
                    conn = Some((id, socket, tcp));
                    Input::Opened { conn: id }
                }
            };
            tell(&mut client, clock.now(), input);
        }
        // Edge-triggered: whoever is told must read until there is nothing more.
        while let Some((id, socket, _)) = &mut conn {
            let _ = socket.flush(); // heard by the read, if it fails
            let read = socket.read();
            if read.as_ref().is_err_and(would_block) {
                break;
            }
            let (id, heard) = (*id, WsRead::from_read(read));
            tell(&mut client, clock.now(), heard.to_input(id));
            conn = conn.take_if(|_| !matches!(heard, WsRead::Closed(_) | WsRead::Lost(_)));
        }
        tell(&mut client, clock.now(), Input::Timeout); // early is harmless
    }
    Ok(())
}

/// Effects and events wait in the client for the head of the loop. A message lies in the bytes of its input.
fn tell(client: &mut Client, now: Instant, input: Input<'_>) {
    if let Some(push) = client.handle(now, input).into_message() {
        println!("{:?}", push.decode());
    }
}

fn would_block(error: &Error) -> bool {
    matches!(error, Error::Io(error) if error.kind() == ErrorKind::WouldBlock)
}
