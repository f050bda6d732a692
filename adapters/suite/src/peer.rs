//! Servers that break the rules, one connection at a time, on a thread of their own.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};

use tungstenite::handshake::derive_accept_key;

/// Listens until the process ends.
pub(crate) struct Peer {
    addr: SocketAddr,
}

impl Peer {
    /// Upgrades, and says nothing.
    pub(crate) fn mute() -> Self {
        Self::saying(Vec::new())
    }

    /// Upgrades, and sends these bytes.
    pub(crate) fn saying(bytes: Vec<u8>) -> Self {
        Self::start(move |stream| {
            let mut websocket = tungstenite::accept(stream).ok()?;
            websocket.get_mut().write_all(&bytes).ok()?;
            websocket.get_ref().try_clone().ok()
        })
    }

    /// Answers whatever comes first with this text.
    pub(crate) fn answering(text: &'static str) -> Self {
        Self::start(move |mut stream| {
            let mut request = [0; 4096];
            let _ = stream.read(&mut request).ok()?;
            stream.write_all(text.as_bytes()).ok()?;
            Some(stream)
        })
    }

    /// Answers an upgrade with what this makes of the request, where `ACCEPT` stands for the right key, and
    /// says welcome in the same packet.
    pub(crate) fn upgrading(answer: fn(&str) -> String) -> Self {
        Self::start(move |mut stream| {
            let mut request = [0; 4096];
            let count = stream.read(&mut request).ok()?;
            let request = str::from_utf8(&request[..count]).ok()?;
            let key = request.split_once("Sec-WebSocket-Key: ")?.1.split_once("\r\n")?.0;
            let id = request.split_once("connectId=")?.1.split_once(' ')?.0;
            let welcome = format!(r#"{{"id":"{id}","type":"welcome"}}"#);
            let head = answer(request).replace("ACCEPT", &derive_accept_key(key.as_bytes()));
            let frame = [0x81, u8::try_from(welcome.len()).ok()?];
            stream.write_all(&[head.as_bytes(), &frame, welcome.as_bytes()].concat()).ok()?;
            Some(stream)
        })
    }

    pub(crate) const fn addr(&self) -> SocketAddr {
        self.addr
    }

    pub(crate) fn endpoint(&self) -> String {
        format!("ws://{}/", self.addr)
    }

    fn start(serve: impl Fn(TcpStream) -> Option<TcpStream> + Send + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let addr = listener.local_addr().unwrap();
        std::thread::spawn(move || {
            // Held open: it is the client's part to give up.
            let _held: Vec<_> = listener.incoming().flatten().filter_map(serve).collect();
        });
        Self { addr }
    }
}
