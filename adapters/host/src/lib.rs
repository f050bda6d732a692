//! What every adapter of the KuCoin Futures core needs from the machine it runs on.
//!
//! * [`Clock`]: a monotonic clock that goes on while the machine sleeps.
//! * [`Rest`]: performs a [`Fetch`](kucoin_futures_proto::Fetch), blocking, by ureq.
//! * [`connect`]: a WebSocket to an endpoint, blocking.
//! * [`Inlet`]: takes whole text messages out of what was read, past the WebSocket library.
//! * [`tls_config`]: rustls with the `ring` provider named explicitly, so that it works whatever else
//!   is in the build.
//! * [`credentials_from_env`]: keys from the environment or from files, never from arguments.
//! * [`Engine`]: a client and what it has to tell; an adapter adds sockets and waiting.
//! * [`Update`], [`Item`]: what the feeds of all adapters hand out, lent or owned.
//! * [`Queue`]: what a pump leaves for a reader who may be slow.
//!
//! There is no policy here: no retry, no parsing, nothing that knows the exchange.
//!
//! **Logs.** Nothing here writes a secret to a log. The libraries below do, at the trace level of the
//! `log` crate: tungstenite writes the request with its token, ureq whole bodies and headers. A
//! program that handles real keys should compile that level out, as `kcf` does: depend on `log` with
//! the feature `max_level_debug`.
//!
//! Proxies are not supported, neither for the socket nor for REST: half a proxy would be worse.

#![forbid(unsafe_code)]

mod clock;
mod connect;
mod credentials;
mod engine;
mod inlet;
mod loss;
mod options;
mod queue;
mod rest;
mod socket;
mod tls;
mod update;
mod websocket;

pub use clock::{Clock, Sleep, Watch, thread_time, unix_now};
pub use connect::{ADDRESS_TIMEOUT, Attempt, connect};
pub use credentials::{CredentialsError, credentials_from_env};
pub use engine::{Effect, Engine, Step};
pub use inlet::Inlet;
pub use loss::io_loss;
pub use options::{FeedError, Next, Options};
pub use queue::{Queue, Taken};
pub use rest::{Answer, Rest};
pub use socket::Socket;
pub use tls::{Roots, TlsError, tls_config};
pub use update::{BookUpdate, Item, Message, Update};
pub use websocket::{Heard, websocket_config, websocket_loss};
