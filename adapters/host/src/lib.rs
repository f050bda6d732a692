//! The feed of the KuCoin Futures core, and what it needs from the machine it runs on.
//!
//! ```text
//!   the user ── next ──> Feed ── Engine ── Client (the core)
//!                         └───── Transport: blocking, smol, or yours
//! ```
//!
//! * [`Feed`], [`Pump`], [`Items`]: the feed, pulled, running by itself, and as an iterator or a stream.
//!   They hand out [`Update`]s, lent, or [`Item`]s, owned.
//! * [`Transport`]: what a runtime does for a feed. Its page says how to write one. For it:
//!   [`Connections`], [`Mailbox`], [`connect`] and [`Socket`] (blocking), [`WsRead`], and
//!   [`TextFrameReader`], which takes whole text messages past the WebSocket library. For connecting,
//!   without I/O: [`Race`], which address to try when (RFC 8305), and [`Upgrade`].
//! * [`Addresses`]: a resolver ([`Resolve`]), and a memory of addresses that failed, which sockets and REST
//!   of a feed share.
//! * [`Clock`]: a monotonic clock that goes on while the machine sleeps.
//! * [`Rest`]: performs a [`RestRequest`](kucoin_futures_proto::RestRequest), blocking, by ureq.
//! * [`tls_config`]: rustls with the `ring` provider named explicitly, so that it works whatever else
//!   is in the build.
//! * `metrics` (with the feature of that name): counters and states in the text format of Prometheus.
//! * [`credentials_from_env`]: keys from the environment or from files, never from arguments.
//!
//! There is no policy here but in which order addresses are tried: no retry, no parsing of messages, nothing
//! that knows the exchange.
//!
//! **Logs.** Nothing here writes a secret to a log. The libraries below do, at the trace level of the
//! `log` crate: ureq whole bodies, with the token in them, and headers; tungstenite every frame. A
//! program that handles real keys should compile that level out, as `kcf` does: depend on `log` with
//! the feature `max_level_debug`.
//!
//! Proxies are not supported, neither for the socket nor for REST: half a proxy would be worse. What
//! `HTTPS_PROXY` and its like say is ignored.

#![forbid(unsafe_code)]

mod addresses;
mod clock;
mod connect;
mod connections;
mod credentials;
mod dial;
mod engine;
mod feed;
mod happy_eyeballs;
mod io_error;
mod items;
mod latencies;
mod mailbox;
#[cfg(feature = "metrics")]
pub mod metrics;
mod options;
mod pump;
mod queue;
mod rest;
mod rest_connector;
mod socket;
mod text_frame_reader;
mod tls;
mod trace;
mod transport;
mod update;
mod upgrade;
mod waker;
mod websocket;

pub use addresses::{Addresses, Resolve};
pub use clock::{CachedClock, Clock, Sleep, thread_time, unix_now};
pub use connect::connect;
pub use connections::{Connection, Connections, Received};
pub use credentials::{CredentialsError, credentials_from_env};
pub use dial::Attempt;
pub use feed::Feed;
pub use happy_eyeballs::{Move, Race};
pub use io_error::io_error;
pub use items::Items;
pub use latencies::{Latencies, LatencyHistogram};
pub use mailbox::{Mailbox, Sender};
pub use options::{FeedError, Next, Options};
pub use pump::{Pump, Spawn};
pub use queue::Taken;
pub use rest::{Rest, RestOutcome};
pub use socket::Socket;
pub use text_frame_reader::TextFrameReader;
pub use tls::{Roots, TlsError, tls_config};
pub use transport::{Async, Blocking, Effect, Incoming, Transport};
pub use update::{BookUpdate, Item, Message, Update};
pub use upgrade::{UPGRADE_CHUNK, USER_AGENT, Upgrade, UpgradeError};
pub use waker::Waker;
pub use websocket::{WsRead, websocket_close_code, websocket_config, websocket_error};
