//! What the feed needs of a runtime: sockets, helpers, and waiting.

use std::fmt;
use std::io;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use kucoin_futures_proto::{ConnId, Endpoint, Instant, RequestId, RestRequest, TransportError};
use rustls::ClientConfig;
use tracing::Span;

use crate::rest::{Rest, RestOutcome};
use crate::websocket::WsRead;

/// The I/O of one [`Feed`](crate::Feed). Everything else is in the feed; a transport decides nothing.
///
/// The feed calls it in this order, and nobody calls it meanwhile:
///
/// ```text
///  ┌─> poll_input ── Ready ──> the core takes the input ────────┐
///  │     └─ Pending: is the core's timeout due? ─ yes ──────────┤
///  │            └─ no: wait                                     ▼
///  └───────────────────────────────────────────── perform every effect
/// ```
///
/// **For another runtime**, implement this trait for the struct that owns the sockets:
///
/// * `Mode` is [`Async`] where a waiting task gives its thread away, otherwise [`Blocking`]. It decides
///   whether `next` is awaited or blocks.
/// * Every open connection goes into [`Connections`](crate::Connections), which performs
///   [`Effect::Send`] and [`Effect::Close`], reads the sockets in turn and forgets those that ended. A
///   connection implements [`Connection`](crate::Connection): one WebSocket that never waits.
/// * [`Effect::Open`] and [`Effect::Fetch`] take long: start them on a helper (a thread, a task) and
///   leave the result in a [`Mailbox`](crate::Mailbox) until the next `poll_input`.
///   [`connect`](crate::connect) and [`Rest::perform`] do the work where the helper may block. Where it
///   may not, [`Rest::addresses`], [`Race`](crate::Race) and [`Upgrade`](crate::Upgrade) say what to do
///   for an `Open`, and the runtime's own sockets do it.
/// * `wait` sleeps until something can be done. That is the only difference between the two modes.
///
/// Then `pub type Feed = kucoin_futures_host::Feed<YourSockets>` is a whole adapter, with its `Pump` and
/// `Items`. `kucoin_futures_blocking::Sockets` and `kucoin_futures_smol::Sockets` are examples.
pub trait Transport: fmt::Debug + Send + Sized + 'static {
    /// [`Blocking`] or [`Async`].
    type Mode: fmt::Debug;

    /// Called once, when the feed is made. Nothing is opened yet.
    ///
    /// # Errors
    /// The system has no poller left.
    fn new(tls: Arc<ClientConfig>, rest: Rest) -> io::Result<Self>;

    /// The next input that is there already, whichever source it is from; never waits. `Pending`: there
    /// is none now, and an [`Async`] transport has left `cx` with its sources.
    fn poll_input(&mut self, cx: &mut Context<'_>) -> Poll<Incoming<'_>>;

    /// Starts what the core wants done; never waits. A failure is the next input
    /// ([`Incoming::Lost`], [`Incoming::Rest`]). What concerns an unknown connection is ignored.
    fn perform(&mut self, effect: Effect);

    /// Called when there is no input and no timeout is due. It is over when there may be input again, when
    /// a [`Transport::waker`] is used, or when the clock reaches `until`; it may be over early. `now` is
    /// the time of the call, on the same clock.
    ///
    /// A [`Blocking`] transport waits in the call. An [`Async`] one stores `cx` for its timer and its
    /// helpers, looks once more into its mailbox (what came before that woke nobody), and returns at
    /// once. The feed polls again after that, so neither has anything to return.
    fn wait(&mut self, cx: &mut Context<'_>, now: Instant, until: Option<Instant>);

    /// Ends all connections and attempts without waiting: the peer is sent a close frame if the socket
    /// takes it. Called when the feed is closed, and when it is dropped.
    fn close(&mut self);

    /// Ends the present or the next `wait` from any thread.
    fn waker(&self) -> Waker;

    /// Whether a frame that was read from a socket already waits for the next `poll_input`:
    /// [`Connections::has_frame`](crate::Connections::has_frame) says so. For measurements
    /// ([`Latencies`](crate::Latencies)) alone.
    fn has_frame(&self) -> bool {
        false
    }

    /// What everything that the feed does is traced under. Default: nothing.
    fn span(&self) -> Span {
        Span::none()
    }
}

/// The caller's thread waits inside `next`.
#[derive(Debug)]
#[allow(clippy::exhaustive_enums, reason = "a type without values")]
pub enum Blocking {}

/// `next` is awaited, and its task polled again once it is woken.
#[derive(Debug)]
#[allow(clippy::exhaustive_enums, reason = "a type without values")]
pub enum Async {}

/// What the core wants done. Exhaustive, so that a new one fails to compile in every transport.
#[derive(Debug)]
#[allow(clippy::exhaustive_enums, reason = "a transport must not overlook an effect")]
pub enum Effect {
    /// Send a text message.
    Send(ConnId, Box<str>),
    /// Connect and upgrade. Ends as [`Incoming::Opened`] or [`Incoming::Lost`].
    Open(ConnId, Box<Endpoint>),
    /// Drop a connection, open or opening. There will be no input from it.
    Close(ConnId),
    /// Make a REST request. Ends as [`Incoming::Rest`].
    Fetch(Box<RestRequest>),
}

/// What has happened outside.
#[derive(Debug)]
#[allow(clippy::exhaustive_enums, reason = "what a transport can tell")]
pub enum Incoming<'a> {
    /// A text message, lent from the socket's buffer.
    Text(ConnId, &'a [u8]),
    /// Anything else that the WebSocket library made of a read.
    Read(ConnId, WsRead),
    /// A connection is upgraded and will be read.
    Opened(ConnId),
    /// A connection has ended, or could not be made.
    Lost(ConnId, TransportError),
    /// A REST request has ended.
    Rest(RequestId, RestOutcome),
}
