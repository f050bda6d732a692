//! Stands between `kcf` and a `kcf sim`, on sockets: hears all that passes, and refuses what it was told to.

#![allow(clippy::disallowed_methods, reason = "it waits for what others send")]
#![allow(clippy::result_large_err, reason = "the library's own")]

use std::io::{ErrorKind, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use serde_json::{Value, json};
use tungstenite::handshake::server::{Request, Response};
use tungstenite::{Message, WebSocket};

pub(crate) struct Between {
    pub(crate) url: String,
    heard: Arc<Mutex<String>>,
}

impl Between {
    /// Refuses subscriptions that name this.
    pub(crate) fn start(sim: &str, refused: &'static str) -> Self {
        let sim = sim.strip_prefix("http://").unwrap().trim_end_matches('/').to_owned();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let own = listener.local_addr().unwrap().to_string();
        let heard = Arc::new(Mutex::new(String::new()));
        let (url, ears) = (format!("http://{own}"), Arc::clone(&heard));
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (sim, own, ears) = (sim.clone(), own.clone(), Arc::clone(&ears));
                thread::spawn(move || pass(stream, &sim, &own, refused, &ears));
            }
        });
        Self { url, heard }
    }

    /// Heads of requests, and their answers.
    pub(crate) fn heard(&self) -> String {
        self.heard.lock().unwrap().clone()
    }
}

/// Whoever goes away ends it.
fn pass(stream: TcpStream, sim: &str, own: &str, refused: &str, ears: &Mutex<String>) {
    let mut head = [0; 8192];
    let head = loop {
        let Ok(len @ 1..) = stream.peek(&mut head) else { return };
        let text = String::from_utf8_lossy(&head[..len]).into_owned();
        if let Some((head, _)) = text.split_once("\r\n\r\n") {
            break head.to_owned();
        }
        thread::sleep(Duration::from_millis(1));
    };
    ears.lock().unwrap().push_str(&format!("{head}\r\n"));
    if head.to_lowercase().contains("upgrade: websocket") {
        pass_frames(stream, sim, refused);
    } else {
        pass_request(stream, &head, sim, own, ears);
    }
}

/// One request for each connection; none has a body.
fn pass_request(mut stream: TcpStream, head: &str, sim: &str, own: &str, ears: &Mutex<String>) {
    let dropped = |line: &&str| {
        let line = line.to_lowercase();
        !line.starts_with("connection:") && !line.starts_with("accept-encoding:")
    };
    let lines: Vec<&str> = head.split("\r\n").filter(dropped).collect();
    let mut onward = TcpStream::connect(sim).unwrap();
    write!(onward, "{}\r\nConnection: close\r\n\r\n", lines.join("\r\n")).unwrap();
    let mut answer = String::new();
    onward.read_to_string(&mut answer).unwrap();
    let answer = answer.replace(sim, own);
    assert_eq!(sim.len(), own.len(), "or else the length that is said is wrong");
    ears.lock().unwrap().push_str(&answer);
    let _ = stream.read(&mut [0; 8192]).and_then(|_| stream.write_all(answer.as_bytes()));
}

fn pass_frames(stream: TcpStream, sim: &str, refused: &str) {
    let mut way = String::new();
    let Ok(mut client) =
        tungstenite::accept_hdr(stream, |request: &Request, response: Response| {
            way = request.uri().to_string();
            Ok(response)
        })
    else {
        return;
    };
    let onward = TcpStream::connect(sim).unwrap();
    let Ok((mut exchange, _)) = tungstenite::client(format!("ws://{sim}{way}"), onward) else {
        return;
    };
    for socket in [client.get_ref(), exchange.get_ref()] {
        socket.set_read_timeout(Some(Duration::from_millis(2))).unwrap();
    }
    loop {
        while let Some(message) = next(&mut exchange) {
            let Ok(message) = message else { return };
            if client.send(message).is_err() {
                return;
            }
        }
        while let Some(message) = next(&mut client) {
            let Ok(message) = message else { return };
            let sent = match refusal(&message, refused) {
                Some(error) => client.send(Message::text(error)),
                None => exchange.send(message),
            };
            if sent.is_err() {
                return;
            }
        }
    }
}

/// `None`: nothing for now.
fn next(socket: &mut WebSocket<TcpStream>) -> Option<Result<Message, ()>> {
    match socket.read() {
        Ok(message) => Some(Ok(message)),
        Err(tungstenite::Error::Io(error))
            if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) =>
        {
            None
        }
        Err(_) => Some(Err(())),
    }
}

/// As the exchange says it, for the whole frame.
fn refusal(message: &Message, refused: &str) -> Option<String> {
    let frame: Value = serde_json::from_str(message.to_text().ok()?).ok()?;
    let topic = frame["topic"].as_str()?;
    let names = topic.split([':', ',']).any(|name| name == refused);
    (frame["type"] == "subscribe" && names).then(|| {
        json!({"id": frame["id"], "type": "error", "code": 404, "data": "topic does not exist"})
            .to_string()
    })
}
