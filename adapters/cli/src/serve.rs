//! `kcf serve`: metrics, health and a dashboard over HTTP.
//!
//! ```text
//!  browser ── HTTP ── site (its own thread) ── Question ──> desk (the command's thread) ── look ──> Monitor
//!                      ^                                      │
//!                      └── slot of one, for each who looks <── viewers: the next part when the last is taken
//! ```
//!
//! What is shown is made on the command's thread between two updates, and only for whoever looks. Nobody waits for a
//! browser: what it does not take is not made.

mod assets;
mod depth;
mod desk;
mod guard;
mod history;
mod picture;
mod rows;
mod site;
mod token;
mod trail;
mod viewers;

use std::net::SocketAddr;

use async_channel::Receiver;

use crate::args::{Connect, ServeArgs};
use crate::exit::{Failure, Kind};
use crate::follow::Session;
use crate::http::{self, Ask};
use crate::monitor::{self, Monitor};
use desk::{About, Desk};
use guard::Guard;
use site::{Dashboard, Question};
use token::Secret;

pub(crate) fn run(connect: &Connect, args: &ServeArgs) -> Result<(), Failure> {
    if !args.listen.ip().is_loopback() && !args.public {
        let text = format_args!(
            "--listen {}: other machines can reach that. With --public a token is asked for, but what is sent can be \
             read on the way: listen on 127.0.0.1 and put a TLS proxy in front, where that matters",
            args.listen
        );
        return Err(Failure::words(Kind::Usage, text));
    }
    let door = Door::new(args)?;
    let stream = &args.stream;
    let mut session = Session::open(connect, &stream.run, stream.lines, None)?;
    let symbols = session.symbols(&stream.contracts)?;
    session.subscribe(monitor::channels(&symbols))?;
    let told = door.told.clone();
    let (addr, questions) = door.open(args, session.waker())?;
    let about = About {
        url: format!("http://{addr}/"),
        token: told,
        exchange: shown(&stream.run.url),
        runtime: connect.runtime.name(),
    };
    let monitor = Monitor::new(&symbols, false, session.now());
    let mut desk = Desk::new(monitor, questions, about);
    session.run(&mut desk)?;
    desk.verdict()
}

/// Without a password, if somebody has put one there.
fn shown(url: &str) -> String {
    let Ok(mut url) = url::Url::parse(url) else { return "unknown".into() };
    // An address without a host has none to lose.
    let _ = url.set_username("").and_then(|()| url.set_password(None));
    url.origin().ascii_serialization()
}

/// Who may come in.
struct Door {
    token: Option<(Secret, Secret)>,
    /// The token, if nobody but this run knows it.
    told: Option<String>,
}

impl Door {
    /// A token is asked for where one is set, or where others can come.
    fn new(args: &ServeArgs) -> Result<Self, Failure> {
        let (token, told) = match token::from_env()? {
            Some(token) => (token, None),
            None if args.public => {
                let token = Secret::random()?;
                let told = Some(token.tell().to_owned());
                (token, told)
            }
            None => return Ok(Self { token: None, told: None }),
        };
        Ok(Self { token: Some((token, Secret::random()?)), told })
    }

    fn open(
        self,
        args: &ServeArgs,
        wake: impl Fn() + Send + 'static,
    ) -> Result<(SocketAddr, Receiver<Question>), Failure> {
        let (ask, questions) = Ask::new(wake);
        let (names, token) = (args.host.clone(), self.token);
        let make = move |addr| Dashboard::new(Guard::new(addr, names, token), ask);
        let addr = http::listen(args.listen, "serve", make).map_err(|error| {
            Failure::words(Kind::Usage, format_args!("--listen {}: {error}", args.listen))
        })?;
        Ok((addr, questions))
    }
}
