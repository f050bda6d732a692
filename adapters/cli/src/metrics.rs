//! `--metrics`: what the feed says of itself, over HTTP, for Prometheus.
//!
//! Whoever asks wakes the command, which answers between two updates: nothing is counted or kept for it meanwhile.

use std::net::SocketAddr;
use std::time::Duration;

use async_channel::{Receiver, Sender};
use hyper::body::Incoming;
use hyper::{Method, Request, StatusCode};
use kucoin_futures_host::metrics;
use kucoin_futures_proto::Instant;

use crate::exit::{Failure, Kind};
use crate::http::{self, Answer, Ask, Site};

/// Where the text is to go.
type Question = Sender<String>;

/// Questions that are answered between two updates.
const AT_ONCE: usize = 16;
/// The text is given again to whoever asks within this time.
const KEPT: Duration = Duration::from_millis(250);

/// A server on a thread of its own, which ends with the program.
pub(crate) struct Metrics {
    addr: SocketAddr,
    questions: Receiver<Question>,
    /// The text that was given last, and when.
    said: Option<(Instant, String)>,
}

impl Metrics {
    /// Listens; `wake` ends the wait of whoever calls [`Metrics::answer`].
    pub(crate) fn listen(
        addr: SocketAddr,
        wake: impl Fn() + Send + 'static,
    ) -> Result<Self, Failure> {
        let (ask, questions) = Ask::new(wake);
        let addr = http::listen(addr, "metrics", |_| Page(ask)).map_err(|error| {
            Failure::words(Kind::Usage, format_args!("--metrics {addr}: {error}"))
        })?;
        Ok(Self { addr, questions, said: None })
    }

    /// Where the text can be had.
    pub(crate) fn url(&self) -> String {
        format!("http://{}/metrics", self.addr)
    }

    /// Answers those who have asked, with what was said a moment ago if it was: whoever asks quickly must not hold up
    /// the feed.
    pub(crate) fn answer(&mut self, now: Instant, text: impl Fn() -> String) {
        for _ in 0..AT_ONCE {
            let Ok(question) = self.questions.try_recv() else { return };
            let kept = self.said.take().filter(|(at, _)| now.since(*at) < KEPT);
            let (at, text) = kept.unwrap_or_else(|| (now, text()));
            // Gone: whoever asked has given up.
            let _ = question.try_send(text.clone());
            self.said = Some((at, text));
        }
    }
}

struct Page(Ask<Question>);

impl Site for Page {
    async fn respond(&self, request: Request<Incoming>) -> Answer {
        if request.uri().path() != "/metrics" {
            return http::plain(StatusCode::NOT_FOUND, "try /metrics\n");
        }
        if !matches!(*request.method(), Method::GET | Method::HEAD) {
            return http::plain(StatusCode::METHOD_NOT_ALLOWED, "GET\n");
        }
        match self.0.ask(|to| to).await {
            Some(text) => http::whole(StatusCode::OK, metrics::CONTENT_TYPE, text),
            None => http::plain(StatusCode::SERVICE_UNAVAILABLE, "busy\n"),
        }
    }
}
