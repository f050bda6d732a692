//! One WebSocket, until either end closes it.

use std::io;
use std::time::Duration;

use async_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use async_tungstenite::tungstenite::protocol::{CloseFrame, Message, Role, WebSocketConfig};
use async_tungstenite::{WebSocketReceiver, WebSocketSender, WebSocketStream};
use futures_lite::{AsyncWriteExt as _, FutureExt as _, StreamExt as _};
use hyper::upgrade::Upgraded;
use smol::Timer;
use smol::net::TcpStream;
use smol_hyper::rt::FuturesIo;
use socket2::SockRef;

use super::deflated::{self, Answer, Incoming};
use super::shared::{Item, MAX_INCOMING, Seat};
use super::venue::Venue;
use crate::stream::Stream;

/// The head of a text frame of 126 bytes, and none of them.
const HALF_A_FRAME: &[u8] = &[0x81, 126, 0, 126];
/// The head of a TLS record with 126 bytes of data, and none of them.
const HALF_A_RECORD: &[u8] = &[0x17, 0x03, 0x03, 0, 126];
/// The peer gets this long to read a close frame and answer it.
const GOODBYE: Duration = Duration::from_millis(500);

/// Where messages go out, compressed or not.
enum Writer {
    Plain(WebSocketSender<Stream>),
    Deflated(deflated::Writer),
}

impl Writer {
    async fn text(&mut self, text: &str) -> bool {
        match self {
            Self::Plain(sender) => sender.send(Message::text(text)).await.is_ok(),
            Self::Deflated(writer) => writer.text(text).await.is_ok(),
        }
    }

    async fn close(&mut self, frame: Option<CloseFrame>) {
        // Who is gone needs no goodbye.
        match self {
            Self::Plain(sender) => drop(sender.close(frame).await),
            Self::Deflated(writer) => drop(writer.close(frame).await),
        }
    }

    /// What the reader wants said; the library of plain ones says it by itself. `false`: the end.
    async fn answer(&mut self, answer: Answer) -> bool {
        let Self::Deflated(writer) = self else { return true };
        match answer {
            Answer::Pong(payload) => writer.pong(payload).await.is_ok(),
            Answer::Close => {
                let _ = writer.close(None).await;
                false
            }
        }
    }
}

/// Where messages come in, compressed or not.
enum Reader {
    Plain(WebSocketReceiver<Stream>),
    Deflated(deflated::Reader),
}

impl Reader {
    async fn next(&mut self) -> Option<Incoming> {
        match self {
            Self::Plain(receiver) => match receiver.next().await? {
                Ok(Message::Text(text)) => Some(Incoming::Text(text.to_string())),
                Ok(_) => Some(Incoming::Other),
                Err(_) => None,
            },
            Self::Deflated(reader) => reader.next().await,
        }
    }
}

async fn open(stream: Stream, read: Vec<u8>, deflate: bool) -> (Writer, Reader) {
    if deflate {
        let (reader, writer) = futures_lite::io::split(stream);
        let reader = deflated::Reader::new(reader, read);
        return (Writer::Deflated(deflated::Writer::new(writer)), Reader::Deflated(reader));
    }
    let config = WebSocketConfig::default()
        .max_message_size(Some(MAX_INCOMING))
        .max_frame_size(Some(MAX_INCOMING));
    let stream = WebSocketStream::from_partially_read(stream, read, Role::Server, Some(config));
    let (sender, receiver) = stream.await.split();
    (Writer::Plain(sender), Reader::Plain(receiver))
}

/// `deflate`: whether both sides have agreed to compress messages.
pub(super) async fn run<V: Venue>(seat: &Seat<V>, upgraded: Upgraded, deflate: bool) {
    let Ok(parts) = upgraded.downcast::<FuturesIo<Stream>>() else { return };
    let stream = parts.io.into_inner();
    let (tcp, half) = match &stream {
        Stream::Plain(tcp) => (tcp.clone(), HALF_A_FRAME),
        Stream::Tls(tls) => (tls.get_ref().0.clone(), HALF_A_RECORD),
    };
    let is_tls = matches!(stream, Stream::Tls(_));
    let (mut writer, mut reader) = open(stream, parts.read_buf.into(), deflate).await;
    let (say, answers) = async_channel::unbounded::<Answer>();
    let write = async {
        loop {
            let answer = async { Next::Answer(answers.recv().await.ok()) };
            let item = async { Next::Item(seat.items.recv().await.ok()) };
            let item = match answer.or(item).await {
                Next::Answer(Some(answer)) => {
                    if writer.answer(answer).await {
                        continue;
                    }
                    return;
                }
                Next::Item(Some(item)) => item,
                Next::Answer(None) | Next::Item(None) => return,
            };
            seat.shared.thawed().await;
            let sent = match item {
                Item::Text(text) => writer.text(&text).await,
                Item::Reset => return reset(tcp, half).await,
                Item::Flood(_) if is_tls => return,
                Item::Flood(flood) => flood.pour(tcp.clone()).await.is_ok(),
                Item::Close(1006, _) => return,
                Item::Close(code, reason) => {
                    let frame = CloseFrame { code: CloseCode::from(code), reason: reason.into() };
                    writer.close(Some(frame)).await;
                    Timer::after(GOODBYE).await;
                    return;
                }
            };
            if !sent {
                return;
            }
        }
    };
    let read = async {
        while let Some(incoming) = reader.next().await {
            seat.shared.thawed().await;
            match incoming {
                Incoming::Text(text) => {
                    let mut state = seat.shared.lock();
                    let now = (seat.shared.clock)();
                    state.venue.receive(now, seat.id, &text);
                    state.carry(&seat.shared, now);
                }
                Incoming::Answer(answer) => {
                    let _ = say.try_send(answer);
                }
                Incoming::Other => {}
            }
        }
    };
    write.or(read).await;
}

/// What the writer has to do.
enum Next {
    Answer(Option<Answer>),
    Item(Option<Item>),
}

/// Sends half of something and lets the system end the connection with a reset.
async fn reset(mut tcp: TcpStream, half: &[u8]) {
    let sent: io::Result<()> = async {
        tcp.write_all(half).await?;
        SockRef::from(&tcp).set_linger(Some(Duration::ZERO))
    }
    .await;
    if let Err(error) = sent {
        tracing::debug!(%error, "reset");
    }
}
