//! `--metrics`: what the feed says of itself, over HTTP, for Prometheus.
//!
//! Whoever asks wakes the command, which answers between two updates: nothing is counted or kept for it meanwhile.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::rc::Rc;
use std::time::Duration;

use async_channel::{Receiver, Sender};
use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::header::CONTENT_TYPE;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use kucoin_futures_host::metrics;
use smol::future::FutureExt as _;
use smol::net::{TcpListener, TcpStream};
use smol::{LocalExecutor, Timer};
use smol_hyper::rt::FuturesIo;

use crate::exit::{Failure, Kind};

/// A command that does not answer by then is busy with its output.
const PATIENCE: Duration = Duration::from_secs(5);
/// Questions that may wait: whoever asks faster is told to come again.
const QUESTIONS: usize = 16;

/// Where the text is to go.
type Question = Sender<String>;
type Answer = Response<Full<Bytes>>;

/// A server on a thread of its own, which ends with the program.
pub(crate) struct Metrics {
    addr: SocketAddr,
    questions: Receiver<Question>,
}

impl Metrics {
    /// Listens; `wake` ends the wait of whoever calls [`Metrics::answer`].
    pub(crate) fn listen(
        addr: SocketAddr,
        wake: impl Fn() + Send + 'static,
    ) -> Result<Self, Failure> {
        let fail = |error: std::io::Error| {
            Failure::words(Kind::Usage, format_args!("--metrics {addr}: {error}"))
        };
        let listener = smol::block_on(TcpListener::bind(addr)).map_err(fail)?;
        let addr = listener.local_addr().map_err(fail)?;
        let (asked, questions) = async_channel::bounded(QUESTIONS);
        let ask = Ask { asked, wake: Box::new(wake) };
        let run = move || smol::block_on(serve(&listener, ask));
        std::thread::Builder::new().name("metrics".into()).spawn(run).map_err(fail)?;
        Ok(Self { addr, questions })
    }

    /// Where the text can be had.
    pub(crate) fn url(&self) -> String {
        format!("http://{}/metrics", self.addr)
    }

    /// Answers all who have asked.
    pub(crate) fn answer(&self, text: impl Fn() -> String) {
        while let Ok(question) = self.questions.try_recv() {
            // Gone: whoever asked has given up.
            let _ = question.try_send(text());
        }
    }
}

/// How a question comes to the command.
struct Ask {
    asked: Sender<Question>,
    wake: Box<dyn Fn() + Send>,
}

impl Ask {
    /// The text; `None` if the command does not answer in time.
    async fn text(&self) -> Option<String> {
        let (question, answer) = async_channel::bounded(1);
        self.asked.try_send(question).ok()?;
        (self.wake)();
        let late = async {
            Timer::after(PATIENCE).await;
            None
        };
        async { answer.recv().await.ok() }.or(late).await
    }
}

async fn serve(listener: &TcpListener, ask: Ask) {
    let (executor, ask) = (LocalExecutor::new(), Rc::new(ask));
    let accept = async {
        loop {
            match listener.accept().await {
                Ok((stream, _)) => executor.spawn(connection(stream, Rc::clone(&ask))).detach(),
                Err(error) => {
                    tracing::warn!(%error, "metrics: cannot accept");
                    Timer::after(Duration::from_millis(50)).await;
                }
            }
        }
    };
    executor.run(accept).await
}

async fn connection(stream: TcpStream, ask: Rc<Ask>) {
    let service = service_fn(|request| {
        let ask = Rc::clone(&ask);
        async move { Ok::<_, Infallible>(respond(&ask, &request).await) }
    });
    let http = hyper::server::conn::http1::Builder::new();
    if let Err(error) = http.serve_connection(FuturesIo::new(stream), service).await {
        tracing::debug!(%error, "metrics: connection ended");
    }
}

async fn respond(ask: &Ask, request: &Request<Incoming>) -> Answer {
    if request.uri().path() != "/metrics" {
        return plain(StatusCode::NOT_FOUND, "try /metrics\n");
    }
    if !matches!(*request.method(), Method::GET | Method::HEAD) {
        return plain(StatusCode::METHOD_NOT_ALLOWED, "GET\n");
    }
    let Some(text) = ask.text().await else {
        return plain(StatusCode::SERVICE_UNAVAILABLE, "busy\n");
    };
    let mut response = Response::new(Full::from(text));
    let kind = hyper::header::HeaderValue::from_static(metrics::CONTENT_TYPE);
    response.headers_mut().insert(CONTENT_TYPE, kind);
    response
}

fn plain(status: StatusCode, text: &'static str) -> Answer {
    let mut response = Response::new(Full::from(text));
    *response.status_mut() = status;
    response
}
