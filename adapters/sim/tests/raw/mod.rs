//! A client of a server on loopback, down to the bytes: it knows nothing of the server's code.

#![allow(dead_code, reason = "not every test file uses everything")]

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::sync::Arc;
use std::time::Duration;

use kucoin_futures_proto::Instant;
use kucoin_futures_sim::{ExchangeConfig, Server};

/// A server on any port, its clock begun now.
pub(crate) fn server(config: ExchangeConfig) -> Server {
    let start = std::time::Instant::now();
    let clock = Arc::new(move || Instant::from_nanos(1 + start.elapsed().as_nanos() as u64));
    Server::start("127.0.0.1:0".parse().unwrap(), 1, config, clock).unwrap()
}

/// A socket after its upgrade with a token of its own, and the head that answered it.
pub(crate) fn upgraded(server: &Server, offer: Option<&str>) -> (TcpStream, String) {
    upgraded_with(server, &token(server), offer)
}

/// A token that is granted now.
pub(crate) fn token(server: &Server) -> String {
    let mut rest = connect(server);
    let request = "POST /api/v1/bullet-public HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n";
    write!(rest, "{request}Connection: close\r\n\r\n").unwrap();
    let mut body = String::new();
    rest.read_to_string(&mut body).unwrap();
    let (_, token) = body.split_once(r#""token":""#).unwrap();
    token.split_once('"').unwrap().0.to_owned()
}

/// A socket after its upgrade with this token.
pub(crate) fn upgraded_with(
    server: &Server,
    token: &str,
    offer: Option<&str>,
) -> (TcpStream, String) {
    let mut socket = connect(server);
    let offer = offer.map(|offer| format!("Sec-WebSocket-Extensions: {offer}\r\n"));
    write!(
        socket,
        "GET /?token={token}&connectId=me HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\n\
         Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
         Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n{}\r\n",
        offer.unwrap_or_default()
    )
    .unwrap();
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        socket.read_exact(&mut byte).unwrap();
        head.push(byte[0]);
    }
    (socket, String::from_utf8(head).unwrap())
}

fn connect(server: &Server) -> TcpStream {
    let socket = TcpStream::connect(server.addr()).unwrap();
    socket.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    socket
}

/// The first byte of a frame, and its payload.
pub(crate) fn frame(socket: &mut TcpStream) -> (u8, Vec<u8>) {
    let mut head = [0; 2];
    socket.read_exact(&mut head).unwrap();
    let len = match head[1] {
        126 => {
            let mut len = [0; 2];
            socket.read_exact(&mut len).unwrap();
            usize::from(u16::from_be_bytes(len))
        }
        127 => panic!("nothing is that long"),
        len => usize::from(len),
    };
    let mut payload = vec![0; len];
    socket.read_exact(&mut payload).unwrap();
    (head[0], payload)
}

pub(crate) fn say(socket: &mut TcpStream, first: u8, payload: &[u8]) {
    let mask = [7, 99, 200, 13];
    let mut bytes = vec![first, 0x80 | u8::try_from(payload.len()).unwrap().min(126)];
    if payload.len() >= 126 {
        bytes.extend((payload.len() as u16).to_be_bytes());
    }
    bytes.extend(mask);
    bytes.extend(payload.iter().zip(mask.iter().cycle()).map(|(byte, mask)| byte ^ mask));
    socket.write_all(&bytes).unwrap();
}
