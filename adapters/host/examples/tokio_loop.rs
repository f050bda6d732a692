//! Another runtime, tokio: `select!` waits for the first of a channel, a socket and the deadline.
//!
//! Prints the top of a book after each of twenty changes. Addresses are tried in tokio's way, one after the
//! other, and the upgrade is the WebSocket library's: the adapters use `Race` and `Upgrade` of the host.
//!
//! ```sh
//! cargo run -p kucoin-futures-host --example tokio_loop -- XBTUSDTM http://127.0.0.1:8080
//! ```
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "an example")]

use std::sync::Arc;
use std::time::Duration;

use futures_util::{SinkExt as _, StreamExt as _};
use kucoin_futures_host::{
    Clock, Rest, RestOutcome, Roots, USER_AGENT, WsRead, io_error, tls_config, websocket_config,
    websocket_error,
};
use kucoin_futures_proto::{
    BookEvent, Channel, Client, Config, ConnId, Endpoint, Event, Input, Instant, Output, RequestId,
    TransportError,
};
use rustls::ClientConfig;
use tokio::net::TcpStream;
use tokio::sync::mpsc::unbounded_channel;
use tokio_tungstenite::{Connector, MaybeTlsStream, WebSocketStream, client_async_tls_with_config};
use tungstenite::{ClientRequestBuilder, Error, Message};

type WebSocket = Box<WebSocketStream<MaybeTlsStream<TcpStream>>>;
/// A connection, and its socket once there is one.
type Conn = Option<(ConnId, Option<WebSocket>)>;

/// From the tasks that connect and ask.
enum Arrival {
    Opened(ConnId, Result<WebSocket, TransportError>),
    Answer(RequestId, RestOutcome),
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut args = std::env::args().skip(1);
    let symbol = args.next().unwrap_or_else(|| "XBTUSDTM".into()).parse()?;
    let url = args.next().unwrap_or_else(|| "https://api-futures.kucoin.com".into());
    let (clock, rest) = (Clock::new(), Rest::new(&Roots::Public, None));
    let tls = tls_config(&Roots::Public)?;
    let (arrived, mut arrivals) = unbounded_channel();
    let mut conn: Conn = None;
    let mut client = Client::new(clock.now(), 42, Config::with_rest(&url)?);
    client.subscribe(clock.now(), Channel::level2(symbol))?;
    let mut left = 20;
    while left > 0 {
        while let Some(output) = client.poll_output() {
            let arrived = arrived.clone();
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
                    conn = Some((id, None));
                    let opened = open(to, Arc::clone(&tls));
                    tokio::spawn(async move { arrived.send(Arrival::Opened(id, opened.await)) });
                }
                Output::Send { conn: id, text } => {
                    let Some((at, Some(socket))) = &mut conn else { continue };
                    if *at == id
                        && let Err(error) = socket.send(Message::text(&*text)).await
                    {
                        let error = websocket_error(&error);
                        tell(&mut client, clock.now(), Input::Lost { conn: id, error });
                    }
                }
                Output::Close { conn: id } => conn = conn.take().filter(|conn| conn.0 != id),
                Output::Fetch(fetch) => {
                    let (rest, request) = (rest.clone(), fetch.request());
                    tokio::task::spawn_blocking(move || {
                        arrived.send(Arrival::Answer(request, rest.perform(&fetch)))
                    });
                }
            }
        }
        let due =
            client.poll_timeout().map_or(Duration::from_secs(3600), |at| at.at.since(clock.now()));
        tokio::select! {
            Some(arrival) = arrivals.recv() => {
                let input = match &arrival {
                    Arrival::Opened(id, Ok(_)) => Input::Opened { conn: *id },
                    Arrival::Opened(id, Err(error)) => Input::Lost { conn: *id, error: *error },
                    Arrival::Answer(id, answer) => answer.to_input(*id),
                };
                tell(&mut client, clock.now(), input);
                if let (Arrival::Opened(id, Ok(socket)), Some((at, none))) = (arrival, &mut conn)
                    && *at == id // not given up meanwhile
                {
                    *none = Some(socket);
                }
            }
            (id, heard) = read(&mut conn) => {
                tell(&mut client, clock.now(), heard.to_input(id));
            }
            () = tokio::time::sleep(due) => tell(&mut client, clock.now(), Input::Timeout),
        }
    }
    Ok(())
}

/// Effects and events wait in the client for the head of the loop. A message lies in the bytes of its input.
fn tell(client: &mut Client, now: Instant, input: Input<'_>) {
    if let Some(push) = client.handle(now, input).into_message() {
        println!("{:?}", push.decode());
    }
}

/// Waits for ever while there is no connection.
async fn read(conn: &mut Conn) -> (ConnId, WsRead) {
    let Some((id, Some(socket))) = conn else { return std::future::pending().await };
    let read = socket.next().await.unwrap_or(Err(Error::ConnectionClosed));
    (*id, WsRead::from_read(read))
}

async fn open(to: Box<Endpoint>, tls: Arc<ClientConfig>) -> Result<WebSocket, TransportError> {
    let tcp = TcpStream::connect((to.host(), to.port())).await.map_err(|error| io_error(&error))?;
    let _ = tcp.set_nodelay(true);
    let (config, tls) = (Some(websocket_config()), Some(Connector::Rustls(tls)));
    let request =
        ClientRequestBuilder::new(to.secret_url().parse().map_err(|_| TransportError::Other)?)
            .with_header("User-Agent", USER_AGENT);
    let opened = client_async_tls_with_config(request, tcp, config, tls).await;
    opened.map(|(socket, _)| Box::new(socket)).map_err(|error| websocket_error(&error))
}
