//! A small HTTP server on a thread of its own, and how what it is asked comes to the command.
//!
//! What `--metrics` and `kcf serve` have in common. Whoever asks wakes the command, which answers between two updates:
//! nothing is made while nobody asks, and whoever reads slowly holds up nobody but himself.

use std::cell::Cell;
use std::convert::Infallible;
use std::io::{self, IoSlice};
use std::net::SocketAddr;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};
use std::time::Duration;

use async_channel::{Receiver, Sender};
use http_body_util::{Either, Full};
use hyper::body::{Bytes, Frame, Incoming};
use hyper::header::{CONTENT_TYPE, HeaderValue};
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use kucoin_futures_host::Clock;
use kucoin_futures_proto::Instant;
use smol::future::FutureExt as _;
use smol::io::{AsyncRead, AsyncWrite};
use smol::net::{TcpListener, TcpStream};
use smol::stream::Stream as _;
use smol::{LocalExecutor, Timer};
use smol_hyper::rt::{FuturesIo, SmolTimer};
use socket2::SockRef;

/// A command that does not answer by then is busy with its output.
const PATIENCE: Duration = Duration::from_secs(5);
/// Connections at once. What comes beyond is shut unheard: it must not take all descriptors.
const CONNECTIONS: usize = 128;
/// Questions that may wait: one of each connection. None of them is refused because others ask, too.
const QUESTIONS: usize = CONNECTIONS;
/// A request whose head is not there by then, and a connection without a request.
const HEAD_PATIENCE: Duration = Duration::from_secs(20);
/// A reader that takes nothing for so long is given up.
const STUCK: Duration = Duration::from_secs(10);
/// Bytes that are kept of a request's head, and of an answer that is not taken.
const BUFFER: usize = 32 * 1024;
/// Bytes that may wait in the system for a reader.
const WAITING: usize = 64 * 1024;

/// There at once, or as it comes.
pub(crate) type Body = Either<Full<Bytes>, Flow>;
pub(crate) type Answer = Response<Body>;

/// What answers requests, on the server's thread.
pub(crate) trait Site: 'static {
    async fn respond(&self, request: Request<Incoming>) -> Answer;
}

/// Serves what `make` gives for the address that was bound, on a thread `name` that ends with the program.
///
/// # Errors
/// The address is taken or not ours.
pub(crate) fn listen<S: Site>(
    addr: SocketAddr,
    name: &'static str,
    make: impl FnOnce(SocketAddr) -> S + Send + 'static,
) -> io::Result<SocketAddr> {
    let listener = smol::block_on(TcpListener::bind(addr))?;
    let addr = listener.local_addr()?;
    let run = move || smol::block_on(serve(&listener, Rc::new(make(addr))));
    std::thread::Builder::new().name(name.into()).spawn(run)?;
    Ok(addr)
}

/// How a question comes to the command.
pub(crate) struct Ask<Q> {
    asked: Sender<Q>,
    wake: Box<dyn Fn() + Send>,
}

impl<Q> Ask<Q> {
    /// `wake` ends the wait of whoever takes the questions.
    pub(crate) fn new(wake: impl Fn() + Send + 'static) -> (Self, Receiver<Q>) {
        let (asked, questions) = async_channel::bounded(QUESTIONS);
        (Self { asked, wake: Box::new(wake) }, questions)
    }

    /// What is answered; `None` if the command does not answer in time. `question` says where to.
    pub(crate) async fn ask<A>(&self, question: impl FnOnce(Sender<A>) -> Q) -> Option<A> {
        let (to, answer) = async_channel::bounded(1);
        self.asked.try_send(question(to)).ok()?;
        (self.wake)();
        let late = async {
            Timer::after(PATIENCE).await;
            None
        };
        async { answer.recv().await.ok() }.or(late).await
    }
}

/// With a body that is there at once.
pub(crate) fn whole(status: StatusCode, kind: &'static str, body: impl Into<Bytes>) -> Answer {
    let mut answer = Response::new(Body::Left(Full::from(body.into())));
    *answer.status_mut() = status;
    answer.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    answer
}

/// A sentence for people.
pub(crate) fn plain(status: StatusCode, text: impl Into<Bytes>) -> Answer {
    whole(status, "text/plain; charset=utf-8", text)
}

async fn serve(listener: &TcpListener, site: Rc<impl Site>) {
    let (executor, open) = (LocalExecutor::new(), Rc::new(Cell::new(0)));
    let accept = async {
        let (mut trouble, clock) = (Trouble::default(), Clock::new());
        loop {
            match listener.accept().await {
                Ok((stream, _)) => {
                    trouble.pause = Duration::ZERO;
                    let Some(place) = Place::take(&open, CONNECTIONS) else { continue };
                    executor.spawn(connection(stream, Rc::clone(&site), place)).detach();
                }
                Err(error) => {
                    let (pause, is_news) = trouble.next(clock.now());
                    if is_news {
                        tracing::warn!(%error, "http: cannot accept");
                    }
                    Timer::after(pause).await;
                }
            }
        }
    };
    executor.run(accept).await
}

/// Connections cannot be accepted, as where no descriptor is left: that lasts, and is not said each time.
#[derive(Default)]
struct Trouble {
    /// The last one.
    pause: Duration,
    /// When it was said last.
    said: Option<Instant>,
}

impl Trouble {
    const FIRST: Duration = Duration::from_millis(50);
    const LONGEST: Duration = Duration::from_secs(2);
    /// It is said again after such a time.
    const QUIET: Duration = Duration::from_secs(60);

    /// How long to wait now, and whether to say so.
    fn next(&mut self, now: Instant) -> (Duration, bool) {
        self.pause = (self.pause * 2).clamp(Self::FIRST, Self::LONGEST);
        let is_news = self.said.is_none_or(|said| now.since(said) >= Self::QUIET);
        if is_news {
            self.said = Some(now);
        }
        (self.pause, is_news)
    }
}

async fn connection(stream: TcpStream, site: Rc<impl Site>, _: Place) {
    let _ = stream.set_nodelay(true);
    // What waits in the system for a slow reader is old when it is read.
    let _ = SockRef::from(&stream).set_send_buffer_size(WAITING);
    let service = service_fn(|request| {
        let site = Rc::clone(&site);
        async move { Ok::<_, Infallible>(site.respond(request).await) }
    });
    let mut http = hyper::server::conn::http1::Builder::new();
    http.timer(SmolTimer::new()).header_read_timeout(HEAD_PATIENCE).max_buf_size(BUFFER);
    let stream = FuturesIo::new(Patient { stream, stuck: None });
    if let Err(error) = http.serve_connection(stream, service).await {
        tracing::debug!(%error, "http: connection ended");
    }
}

/// A body that goes on until whoever makes it ends.
pub(crate) struct Flow {
    chunks: Pin<Box<Receiver<Bytes>>>,
    /// Of those that may be read at once.
    _place: Place,
}

impl Flow {
    pub(crate) fn new(chunks: Receiver<Bytes>, place: Place) -> Self {
        Self { chunks: Box::pin(chunks), _place: place }
    }
}

impl hyper::body::Body for Flow {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        self.chunks.as_mut().poll_next(cx).map(|chunk| chunk.map(|chunk| Ok(Frame::data(chunk))))
    }
}

/// One of a limited number, until it is dropped.
pub(crate) struct Place(Rc<Cell<usize>>);

impl Place {
    /// `None` if so many are taken already.
    pub(crate) fn take(taken: &Rc<Cell<usize>>, most: usize) -> Option<Self> {
        let count = taken.get();
        (count < most).then(|| {
            taken.set(count + 1);
            Self(Rc::clone(taken))
        })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.0.set(self.0.get().saturating_sub(1));
    }
}

/// A stream that gives up a reader who takes nothing: the library waits for ever.
struct Patient {
    stream: TcpStream,
    stuck: Option<Timer>,
}

impl Patient {
    /// What became of a write, or that it has waited for too long.
    fn watch<T>(
        &mut self,
        cx: &mut Context<'_>,
        written: Poll<io::Result<T>>,
    ) -> Poll<io::Result<T>> {
        if written.is_ready() {
            self.stuck = None;
            return written;
        }
        let stuck = self.stuck.get_or_insert_with(|| Timer::after(STUCK));
        Pin::new(stuck).poll(cx).map(|_| Err(io::ErrorKind::TimedOut.into()))
    }
}

impl AsyncRead for Patient {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_read(cx, buf)
    }
}

impl AsyncWrite for Patient {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(cx, buf);
        self.watch(cx, written)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write_vectored(cx, bufs);
        self.watch(cx, written)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let flushed = Pin::new(&mut self.stream).poll_flush(cx);
        self.watch(cx, flushed)
    }

    fn poll_close(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_close(cx)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn trouble_that_lasts_is_said_once_a_minute_and_waited_for() {
        let (mut trouble, mut now, mut said) = (Trouble::default(), Instant::ZERO, Vec::new());
        let mut tries = 0;
        while now < Instant::ZERO + Duration::from_secs(200) {
            let (pause, is_news) = trouble.next(now);
            if is_news {
                said.push(now);
            }
            now = now + pause;
            tries += 1;
        }
        assert_eq!(said.len(), 4, "{said:?}");
        assert!(said.windows(2).all(|two| two[1].since(two[0]) >= Trouble::QUIET), "{said:?}");
        assert!(tries < 120, "{tries}");
        // It comes and goes, and comes again later.
        trouble.pause = Duration::ZERO;
        assert_eq!(trouble.next(now), (Trouble::FIRST, false));
        assert!(trouble.next(now + Trouble::QUIET).1);
    }
}
