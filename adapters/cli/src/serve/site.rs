//! What is had where: the routes, on the server's thread.

use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;

use async_channel::Sender;
use http_body_util::{BodyExt as _, Limited};
use hyper::body::{Bytes, Incoming};
use hyper::header::{
    ALLOW, CACHE_CONTROL, CONNECTION, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HeaderMap, HeaderName,
    HeaderValue, LOCATION, REFERRER_POLICY, SET_COOKIE, WWW_AUTHENTICATE, X_CONTENT_TYPE_OPTIONS,
    X_FRAME_OPTIONS,
};
use hyper::http::request::Parts;
use hyper::{Method, Request, Response, StatusCode};
use kucoin_futures_host::metrics;
use kucoin_futures_proto::Symbol;
use smol::Timer;
use smol::future::FutureExt as _;

use super::assets;
use super::guard::{Denied, Guard};
use crate::http::{self, Answer, Ask, Body, Flow, Place, Site};

/// Streams at once: each costs the command some work, four times a second.
const STREAMS: usize = 16;
/// A form with one token.
const FORM: usize = 4096;
/// Forms that may be on their way at once, and tokens that are wrong: each keeps a connection, and the page needs some, too.
const LOGINS: usize = 16;
/// A form that is not there by then.
const FORM_PATIENCE: Duration = Duration::from_secs(10);
/// Whoever guesses waits so long, wherever he shows what he has guessed.
const WRONG: Duration = Duration::from_millis(500);
const JSON: &str = "application/json";
const EVENTS: &str = "text/event-stream";

/// What the command is asked; `symbol` is of one contract only, or the one that is looked at.
pub(crate) enum Question {
    /// Counters, for Prometheus.
    Metrics { to: Sender<String> },
    /// Whether the books are live.
    Health { symbol: Option<Symbol>, to: Sender<Reply> },
    /// Everything that the page shows, once.
    State { symbol: Option<Symbol>, to: Sender<Reply> },
    /// The same, and what changes, into `slot`, until that is dropped.
    Stream { symbol: Option<Symbol>, slot: Sender<Bytes>, to: Sender<Reply> },
}

/// What the command answers.
#[derive(Debug)]
pub(crate) enum Reply {
    /// All is well: JSON.
    Well(String),
    /// It is not: JSON.
    Ill(String),
    /// The contract is none of those that are followed.
    NotFollowed,
}

pub(crate) struct Dashboard {
    guard: Guard,
    ask: Ask<Question>,
    streams: Rc<Cell<usize>>,
    logins: Rc<Cell<usize>>,
}

impl Site for Dashboard {
    async fn respond(&self, request: Request<Incoming>) -> Answer {
        let (head, body) = request.into_parts();
        let mut answer = match self.guard.check_source(&head) {
            Ok(()) => self.route(&head, body).await,
            Err(denied) => deny(denied),
        };
        secure(answer.headers_mut());
        answer
    }
}

impl Dashboard {
    pub(crate) fn new(guard: Guard, ask: Ask<Question>) -> Self {
        Self { guard, ask, streams: Rc::default(), logins: Rc::default() }
    }

    async fn route(&self, head: &Parts, body: Incoming) -> Answer {
        let path = head.uri.path();
        if path == assets::LOGIN.path() {
            return match head.method {
                Method::POST => self.log_in(body).await,
                _ => refuse_method("POST"),
            };
        }
        let is_stream = path == "/stream";
        match head.method {
            Method::GET => {}
            Method::HEAD if !is_stream => {}
            _ if is_stream => return refuse_method("GET"),
            _ => return refuse_method("GET, HEAD"),
        }
        if let Some(asset) = assets::at(path) {
            return http::whole(StatusCode::OK, asset.kind, asset.text);
        }
        if let Err(denied) = self.guard.check_key(&head.headers) {
            if self.guard.is_guess(&head.headers) {
                let Some(_place) = Place::take(&self.logins, LOGINS) else { return busy() };
                Timer::after(WRONG).await;
            }
            return if path == "/" { login("") } else { deny(denied) };
        }
        let symbol = match symbol(head) {
            Ok(symbol) => symbol,
            Err(text) => return http::plain(StatusCode::BAD_REQUEST, text),
        };
        match path {
            "/" => http::whole(StatusCode::OK, assets::PAGE.kind, assets::PAGE.text),
            "/metrics" => match self.ask.ask(|to| Question::Metrics { to }).await {
                Some(text) => http::whole(StatusCode::OK, metrics::CONTENT_TYPE, text),
                None => busy(),
            },
            "/health" => reply(self.ask.ask(|to| Question::Health { symbol, to }).await),
            "/state" => reply(self.ask.ask(|to| Question::State { symbol, to }).await),
            "/stream" => self.stream(symbol).await,
            _ => http::plain(
                StatusCode::NOT_FOUND,
                "try / (for a browser), /health, /metrics, /state or /stream\n",
            ),
        }
    }

    async fn stream(&self, symbol: Option<Symbol>) -> Answer {
        let Some(place) = Place::take(&self.streams, STREAMS) else {
            let text = format!("{STREAMS} others look already: close one of them\n");
            return http::plain(StatusCode::SERVICE_UNAVAILABLE, text);
        };
        // Of size one: what is not taken is not made, and the next is made of what is true then.
        let (slot, chunks) = async_channel::bounded(1);
        match self.ask.ask(|to| Question::Stream { symbol, slot, to }).await {
            Some(Reply::Well(_)) => {
                let mut answer = Response::new(Body::Right(Flow::new(chunks, place)));
                let headers = answer.headers_mut();
                headers.insert(CONTENT_TYPE, HeaderValue::from_static(EVENTS));
                // What nginx keeps back is late.
                headers.insert("x-accel-buffering", HeaderValue::from_static("no"));
                answer
            }
            other => reply(other),
        }
    }

    /// Whoever knows the token gets a cookie, so that it stands in no address.
    async fn log_in(&self, body: Incoming) -> Answer {
        let Some(_place) = Place::take(&self.logins, LOGINS) else { return busy() };
        let late = async {
            Timer::after(FORM_PATIENCE).await;
            None
        };
        let body = match async { Some(Limited::new(body, FORM).collect().await) }.or(late).await {
            Some(Ok(body)) => body,
            Some(Err(_)) => return http::plain(StatusCode::PAYLOAD_TOO_LARGE, "a token\n"),
            None => return give_up(),
        };
        let body = body.to_bytes();
        let mut fields = url::form_urlencoded::parse(&body);
        let token = fields.find(|(name, _)| name == "token").map(|(_, token)| token);
        let cookie = token.and_then(|token| self.guard.log_in(token.trim().as_bytes()));
        let Some(cookie) = cookie.and_then(|cookie| HeaderValue::from_str(&cookie).ok()) else {
            Timer::after(WRONG).await;
            return login("That is not the token.");
        };
        let mut answer = http::plain(StatusCode::SEE_OTHER, "");
        answer.headers_mut().insert(LOCATION, HeaderValue::from_static("/"));
        answer.headers_mut().insert(SET_COOKIE, cookie);
        answer
    }
}

/// The contract that is asked for. Whoever misspells something must not be told of something else.
fn symbol(head: &Parts) -> Result<Option<Symbol>, String> {
    let query = head.uri.query().unwrap_or_default().as_bytes();
    let mut symbol = None;
    for (name, value) in url::form_urlencoded::parse(query) {
        if name != "symbol" || symbol.is_some() {
            return Err("the only parameter is `symbol`, once\n".into());
        }
        let parsed = Symbol::new(&value).map_err(|error| format!("symbol: {error}\n"))?;
        symbol = Some(parsed);
    }
    Ok(symbol)
}

fn reply(reply: Option<Reply>) -> Answer {
    match reply {
        Some(Reply::Well(json)) => http::whole(StatusCode::OK, JSON, json),
        Some(Reply::Ill(json)) => http::whole(StatusCode::SERVICE_UNAVAILABLE, JSON, json),
        Some(Reply::NotFollowed) => http::whole(
            StatusCode::NOT_FOUND,
            JSON,
            "{\"error\":\"this contract is not followed\"}\n",
        ),
        None => busy(),
    }
}

/// It may be that the other end of stdout is not read.
fn busy() -> Answer {
    http::plain(StatusCode::SERVICE_UNAVAILABLE, "busy\n")
}

/// Of a body that does not come; what comes later is not the next request.
fn give_up() -> Answer {
    let mut answer = http::plain(StatusCode::REQUEST_TIMEOUT, "a token, sooner\n");
    answer.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
    answer
}

fn deny(denied: Denied) -> Answer {
    match denied {
        Denied::Misdirected => http::plain(
            StatusCode::MISDIRECTED_REQUEST,
            "not a name of this server: ask by its address, or start it with --host\n",
        ),
        Denied::Foreign => http::plain(StatusCode::FORBIDDEN, "not for pages of other sites\n"),
        Denied::Keyless => {
            let mut answer = http::plain(StatusCode::UNAUTHORIZED, "the token, as a bearer\n");
            let scheme = HeaderValue::from_static("Bearer realm=\"kcf\"");
            answer.headers_mut().insert(WWW_AUTHENTICATE, scheme);
            answer
        }
    }
}

fn login(wrong: &'static str) -> Answer {
    let page = assets::LOGIN.text.replace("<!-- wrong -->", wrong);
    http::whole(StatusCode::UNAUTHORIZED, assets::LOGIN.kind, page)
}

fn refuse_method(allowed: &'static str) -> Answer {
    let mut answer = http::plain(StatusCode::METHOD_NOT_ALLOWED, allowed);
    answer.headers_mut().insert(ALLOW, HeaderValue::from_static(allowed));
    answer
}

/// Scripts and styles are files of ours, and nothing is loaded from elsewhere, framed, or kept.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; \
     img-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'; \
     require-trusted-types-for 'script'; trusted-types 'none'";

fn secure(headers: &mut HeaderMap) {
    let own = [
        (CONTENT_SECURITY_POLICY, POLICY),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (X_FRAME_OPTIONS, "DENY"),
        // With `no-referrer` a browser would hide the origin of our own form, too.
        (REFERRER_POLICY, "same-origin"),
        (CACHE_CONTROL, "no-store"),
        (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
        (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
    ];
    for (name, value) in own {
        headers.insert(name, HeaderValue::from_static(value));
    }
}
