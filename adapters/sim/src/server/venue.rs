//! What a server can carry: the simulated exchange, or anything else that speaks its protocol.

use std::time::Duration;

use kucoin_futures_proto::Instant;

use crate::exchange::{Exchange, Outgoing, SessionId};
use crate::rest::{Request, Response};

/// An exchange as a [`Server`](crate::Server) sees it: time, requests and frames in, answers and frames out. It knows
/// no socket and reads no clock.
///
/// The server calls [`poll_output`](Self::poll_output) until there is nothing more after each of the other calls that
/// could have brought something.
pub trait Venue: Send + 'static {
    /// Where it listens, as its token responses are to name it: `ws://127.0.0.1:40123/`. Called once, before all else.
    fn set_endpoint(&mut self, endpoint: String);

    /// A client connects. `query` is what follows the `?` of the address. `false`: refused before any upgrade.
    fn connect(&mut self, now: Instant, id: SessionId, query: &str) -> bool;

    /// How late the upgrade of the connection that was just accepted is answered.
    fn take_connect_delay(&mut self) -> Duration {
        Duration::ZERO
    }

    /// A text frame of a client.
    fn receive(&mut self, now: Instant, id: SessionId, text: &str);

    /// A connection is gone.
    fn lost(&mut self, id: SessionId);

    /// Lets everything happen that is due. `backlog`: frames that wait for the slowest reader; beyond
    /// [`QUEUE`](crate::QUEUE) they are dropped.
    fn tick(&mut self, now: Instant, backlog: usize);

    /// When `tick` has something to do.
    fn poll_timeout(&self) -> Option<Instant>;

    /// Answers a REST request.
    fn http(&mut self, now: Instant, request: &Request<'_>) -> Response;

    /// What is to be carried out; `None` once drained.
    fn poll_output(&mut self) -> Option<Outgoing>;

    /// Until when all connections stand still: a fault.
    fn frozen_until(&self) -> Instant {
        Instant::ZERO
    }

    /// What it said was carried out.
    fn on_carried(&mut self) {}
}

impl Venue for Exchange {
    fn set_endpoint(&mut self, endpoint: String) {
        Self::set_endpoint(self, endpoint);
    }

    fn connect(&mut self, now: Instant, id: SessionId, query: &str) -> bool {
        Self::connect(self, now, id, query)
    }

    fn take_connect_delay(&mut self) -> Duration {
        Self::take_connect_delay(self)
    }

    fn receive(&mut self, now: Instant, id: SessionId, text: &str) {
        Self::receive(self, now, id, text);
    }

    fn lost(&mut self, id: SessionId) {
        Self::lost(self, id);
    }

    fn tick(&mut self, now: Instant, _backlog: usize) {
        Self::tick(self, now);
    }

    fn poll_timeout(&self) -> Option<Instant> {
        Self::poll_timeout(self)
    }

    fn http(&mut self, now: Instant, request: &Request<'_>) -> Response {
        Self::http(self, now, request)
    }

    fn poll_output(&mut self) -> Option<Outgoing> {
        Self::poll_output(self)
    }

    fn frozen_until(&self) -> Instant {
        Self::frozen_until(self)
    }

    fn on_carried(&mut self) {
        // Nobody counts what faults hit here.
        self.take_strikes();
    }
}
