//! A client for the fuzzing server of the Autobahn testsuite, made of the sockets and frames of the feed.
//!
//! ```sh
//! autobahn_client ws://127.0.0.1:9001 blocking library
//! ```
//!
//! The testsuite wants an echo, also of what the product never sends and drops when it comes: binary messages, and
//! such of more than 1 MiB. So there are two layers:
//!
//! * `library`: connect and upgrade, the socket with its reader of text frames, and the WebSocket library as they are
//!   in the product, without its caps, and binary messages answered. All cases can be right.
//! * `feed`: all of a transport, as a feed drives it, with its caps: 1 MiB of a message, 256 KiB that were not sent yet.
//!   Binary messages are not answered.
//!
//! What is shown is what is below the core; the core itself takes no part but to make an address of a token's reply.

use std::error::Error;
use std::future::poll_fn;
use std::task::{Context, Poll, Waker, ready};
use std::time::Duration;

use async_tungstenite::WebSocketStream;
use futures_util::SinkExt as _;
use kucoin_futures_blocking as blocking;
use kucoin_futures_host::{
    Attempt, Clock, Effect, Incoming, Rest, Roots, Socket, Transport, WsRead, connect, tls_config,
    websocket_close_code, websocket_config,
};
use kucoin_futures_proto::{
    Channel, Client, Config, ConnId, Endpoint, Input, Instant, Output, ResponseHead,
};
use kucoin_futures_smol as on_smol;
use smol::stream::StreamExt as _;
use tungstenite::protocol::{CloseFrame, WebSocketConfig};
use tungstenite::{Message, WebSocket};

type Failure = Box<dyn Error>;
/// Hears a message, of which there may be none, and gives the answer.
type Answer<'a> = &'a mut dyn FnMut(Message) -> Option<Message>;

/// Longest pause inside of a case.
const PATIENCE: Duration = Duration::from_secs(60);

#[allow(clippy::print_stdout, reason = "a program")]
fn main() -> Result<(), Failure> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [url, runtime, layer] = arguments.as_slice() else {
        return Err("usage: autobahn_client URL blocking|smol library|feed".into());
    };
    let run = match (runtime.as_str(), layer.as_str()) {
        ("blocking", "library") => by_library_on_threads,
        ("smol", "library") => by_library_on_smol,
        ("blocking", "feed") => by_feed_on_threads,
        ("smol", "feed") => by_feed_on_smol,
        _ => return Err("the runtimes are blocking and smol, the layers library and feed".into()),
    };
    let agent = format!("kcf-{runtime}-{layer}");
    let mut count = String::new();
    run(endpoint(&format!("{url}/getCaseCount"))?, &mut |message| {
        count = message.into_text().map(|text| text.to_string()).unwrap_or_default();
        None
    })?;
    let count: usize = count.parse()?;
    println!("{agent}: {count} cases");
    for case in 1..=count {
        // A connection that cannot be made is a case that failed: the report has it.
        if let Err(error) =
            run(endpoint(&format!("{url}/runCase?case={case}&agent={agent}"))?, &mut Some)
        {
            println!("case {case}: {error}");
        }
    }
    run(endpoint(&format!("{url}/updateReports?agent={agent}"))?, &mut |_| None)
}

/// The core makes addresses of replies to requests for tokens, and of nothing else.
fn endpoint(url: &str) -> Result<Endpoint, Failure> {
    let mut client = Client::new(Instant::ZERO, 1, Config::with_rest("http://127.0.0.1:1")?);
    client.subscribe(Instant::ZERO, Channel::level2("XBTUSDTM".parse()?))?;
    let mut request = None;
    while let Some(output) = client.poll_output() {
        if let Output::Fetch(fetch) = output {
            request = Some(fetch.request());
        }
    }
    let request = request.ok_or("no token is asked for")?;
    let body = format!(
        r#"{{"code":"200000","data":{{"token":"t","instanceServers":[{{"endpoint":"{url}"}}]}}}}"#
    );
    let reply = Input::Reply { request, head: ResponseHead::new(200), body: body.as_bytes() };
    let mut turn = client.handle(Instant::ZERO, reply);
    while let Some(output) = turn.next() {
        if let Output::Open { to, .. } = output {
            return Ok(*to);
        }
    }
    Err("not an address on this machine".into())
}

fn without_caps() -> WebSocketConfig {
    websocket_config().max_message_size(None).max_frame_size(None).max_write_buffer_size(usize::MAX)
}

fn by_library_on_threads(to: Endpoint, answer: Answer<'_>) -> Result<(), Failure> {
    let rest = Rest::new(&Roots::Public, None);
    let tls = tls_config(&Roots::Public)?;
    let mut websocket = connect(&to, &tls, rest.addresses(), &Attempt::default())?;
    websocket.set_config(|config| *config = without_caps());
    // One connection, and a thread that may wait for it.
    websocket.get_ref().tcp().set_nonblocking(false)?;
    websocket.get_ref().tcp().set_read_timeout(Some(PATIENCE))?;
    loop {
        let message = match next_on_threads(&mut websocket) {
            Ok(message) => message,
            Err(error) => {
                if let Some(code) = websocket_close_code(&error) {
                    let _ = websocket.close(Some(CloseFrame { code, reason: "".into() }));
                }
                return Ok(());
            }
        };
        match message {
            Message::Text(_) | Message::Binary(_) => {
                if let Some(answer) = answer(message) {
                    websocket.send(answer)?;
                }
            }
            // The library's answer.
            _ => websocket.flush()?,
        }
    }
}

fn next_on_threads(websocket: &mut WebSocket<Socket>) -> Result<Message, tungstenite::Error> {
    match websocket.get_mut().take_text() {
        Some(taken) => Ok(text(websocket.get_ref().text(taken))),
        None => websocket.read(),
    }
}

/// The reader takes nothing but ASCII past the library.
fn text(bytes: &[u8]) -> Message {
    Message::text(String::from_utf8_lossy(bytes).into_owned())
}

fn by_library_on_smol(to: Endpoint, answer: Answer<'_>) -> Result<(), Failure> {
    let rest = Rest::new(&Roots::Public, None);
    let tls = tls_config(&Roots::Public)?;
    smol::block_on(async {
        let addresses = rest.addresses().clone();
        let mut websocket = on_smol::connect(to.into(), tls, addresses, without_caps()).await?;
        loop {
            let message = match next_on_smol(&mut websocket).await {
                Ok(message) => message,
                Err(error) => {
                    if let Some(code) = websocket_close_code(&error) {
                        let frame = CloseFrame { code, reason: "".into() };
                        let _ = websocket.close(Some(frame)).await;
                    }
                    return Ok(());
                }
            };
            match message {
                Message::Text(_) | Message::Binary(_) => {
                    if let Some(answer) = answer(message) {
                        websocket.send(answer).await?;
                    }
                }
                // The library's answer.
                _ => websocket.flush().await?,
            }
        }
    })
}

async fn next_on_smol(
    websocket: &mut WebSocketStream<on_smol::Socket>,
) -> Result<Message, tungstenite::Error> {
    match poll_fn(|cx| websocket.get_mut().poll_text(cx)).await {
        Some(taken) => Ok(text(websocket.get_ref().text(taken))),
        None => websocket.next().await.unwrap_or(Err(tungstenite::Error::ConnectionClosed)),
    }
}

fn by_feed_on_threads(to: Endpoint, answer: Answer<'_>) -> Result<(), Failure> {
    let mut transport: blocking::Sockets = transport()?;
    let mut case = Case::new(&mut transport, to);
    let mut cx = Context::from_waker(Waker::noop());
    // `Pending`: it has waited.
    while case.poll(&mut cx, answer).is_pending() {}
    Ok(())
}

fn by_feed_on_smol(to: Endpoint, answer: Answer<'_>) -> Result<(), Failure> {
    let mut transport: on_smol::Sockets = transport()?;
    let mut case = Case::new(&mut transport, to);
    smol::block_on(poll_fn(|cx| case.poll(cx, answer)));
    Ok(())
}

fn transport<T: Transport>() -> Result<T, Failure> {
    Ok(T::new(tls_config(&Roots::Public)?, Rest::new(&Roots::Public, None))?)
}

/// One connection on a transport.
struct Case<'a, T> {
    transport: &'a mut T,
    conn: ConnId,
    clock: Clock,
}

impl<'a, T: Transport> Case<'a, T> {
    fn new(transport: &'a mut T, to: Endpoint) -> Self {
        let conn = ConnId::new(1);
        transport.perform(Effect::Open(conn, to.into()));
        Self { transport, conn, clock: Clock::new() }
    }

    /// Until the connection has ended.
    fn poll(&mut self, cx: &mut Context<'_>, answer: Answer<'_>) -> Poll<()> {
        loop {
            let message = ready!(self.poll_text(cx));
            let Some(message) = message else { return Poll::Ready(()) };
            if let Some(Message::Text(text)) = answer(message) {
                self.transport.perform(Effect::Send(self.conn, text.as_str().into()));
            }
        }
    }

    /// The next text; `None`: the end.
    fn poll_text(&mut self, cx: &mut Context<'_>) -> Poll<Option<Message>> {
        loop {
            let Poll::Ready(incoming) = self.transport.poll_input(cx) else {
                let now = self.clock.now();
                self.transport.wait(cx, now, Some(now + PATIENCE));
                return Poll::Pending;
            };
            match incoming {
                Incoming::Text(_, bytes) => return Poll::Ready(Some(text(bytes))),
                Incoming::Read(_, WsRead::Text(bytes)) => return Poll::Ready(Some(text(&bytes))),
                Incoming::Opened(_) | Incoming::Read(_, WsRead::Binary | WsRead::Control) => {}
                Incoming::Read(_, WsRead::Closed(_) | WsRead::Lost(_))
                | Incoming::Lost(..)
                | Incoming::Rest(..) => return Poll::Ready(None),
            }
        }
    }
}
