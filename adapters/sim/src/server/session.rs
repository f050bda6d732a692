//! One WebSocket, until either end closes it.

use std::io;
use std::time::Duration;

use async_tungstenite::WebSocketStream;
use async_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use async_tungstenite::tungstenite::protocol::{CloseFrame, Message, Role, WebSocketConfig};
use futures_lite::{AsyncWriteExt as _, FutureExt as _, StreamExt as _};
use hyper::upgrade::Upgraded;
use smol::Timer;
use smol::net::TcpStream;
use smol_hyper::rt::FuturesIo;
use socket2::SockRef;

use super::shared::{Item, MAX_INCOMING, Seat};
use crate::stream::Stream;

/// The head of a text frame of 126 bytes, and none of them.
const HALF_A_FRAME: &[u8] = &[0x81, 126, 0, 126];
/// The head of a TLS record with 126 bytes of data, and none of them.
const HALF_A_RECORD: &[u8] = &[0x17, 0x03, 0x03, 0, 126];
/// The peer gets this long to read a close frame and answer it.
const GOODBYE: Duration = Duration::from_millis(500);

pub(super) async fn run(seat: &Seat, upgraded: Upgraded) {
    let Ok(parts) = upgraded.downcast::<FuturesIo<Stream>>() else { return };
    let stream = parts.io.into_inner();
    let (tcp, half) = match &stream {
        Stream::Plain(tcp) => (tcp.clone(), HALF_A_FRAME),
        Stream::Tls(tls) => (tls.get_ref().0.clone(), HALF_A_RECORD),
    };
    let is_tls = matches!(stream, Stream::Tls(_));
    let config = WebSocketConfig::default()
        .max_message_size(Some(MAX_INCOMING))
        .max_frame_size(Some(MAX_INCOMING));
    let stream = WebSocketStream::from_partially_read(
        stream,
        parts.read_buf.into(),
        Role::Server,
        Some(config),
    );
    let (mut sender, mut receiver) = stream.await.split();
    let write = async {
        while let Ok(item) = seat.items.recv().await {
            seat.shared.thawed().await;
            let sent = match item {
                Item::Text(text) => sender.send(Message::text(&*text)).await,
                Item::Reset => return reset(tcp, half).await,
                Item::Flood(_) if is_tls => return,
                Item::Flood(flood) => match flood.pour(tcp.clone()).await {
                    Ok(()) => continue,
                    Err(_) => return,
                },
                Item::Close(1006, _) => return,
                Item::Close(code, reason) => {
                    let frame = CloseFrame { code: CloseCode::from(code), reason: reason.into() };
                    let _ = sender.close(Some(frame)).await;
                    Timer::after(GOODBYE).await;
                    return;
                }
            };
            if sent.is_err() {
                return;
            }
        }
    };
    let read = async {
        while let Some(Ok(message)) = receiver.next().await {
            seat.shared.thawed().await;
            if let Message::Text(text) = message {
                let mut state = seat.shared.lock();
                let now = (seat.shared.clock)();
                state.exchange.receive(now, seat.id, text.as_str());
                state.carry(&seat.shared, now);
            }
        }
    };
    write.or(read).await;
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
