//! What the threads and tasks of a server share: the venue, and who is to be sent what.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_channel::{Receiver, Sender};
use futures_rustls::TlsAcceptor;
use kucoin_futures_proto::Instant;
use smol::Timer;

use super::flood::Flood;
use super::venue::Venue;
use crate::exchange::{Outgoing, SessionId};
use crate::fault::Fault;

/// A clock that the server reads: monotonic, any start.
pub type Clock = Arc<dyn Fn() -> Instant + Send + Sync>;

/// Most frames that wait for a slow reader of a [`Server`](crate::Server); beyond that they are dropped, as the real
/// exchange does.
pub const QUEUE: usize = 1 << 16;
/// Largest client frame and request body.
pub(super) const MAX_INCOMING: usize = 1 << 20;
/// Connections that stand still are looked at so often.
const THAW: Duration = Duration::from_millis(20);

pub(super) struct Shared<V> {
    pub(super) clock: Clock,
    pub(super) tls: Option<TlsAcceptor>,
    /// Looked at with every frame, so without the lock.
    pub(super) frozen_until: AtomicU64,
    pub(super) state: Mutex<State<V>>,
}

pub(super) struct State<V> {
    pub(super) venue: V,
    pub(super) sessions: BTreeMap<SessionId, Sender<Item>>,
    pub(super) next_session: u64,
    pub(super) injected: Vec<(Instant, Fault)>,
    pub(super) dropped: u64,
}

pub(super) enum Item {
    Text(Arc<str>),
    Close(u16, &'static str),
    Reset,
    Flood(Arc<Flood>),
}

/// An accepted connection, with what it is to be sent. Gone from the venue when dropped.
pub(super) struct Seat<V: Venue> {
    pub(super) shared: Arc<Shared<V>>,
    pub(super) id: SessionId,
    pub(super) items: Receiver<Item>,
}

impl<V: Venue> Drop for Seat<V> {
    fn drop(&mut self) {
        let mut state = self.shared.lock();
        state.sessions.remove(&self.id);
        state.venue.lost(self.id);
    }
}

impl<V: Venue> Shared<V> {
    /// A place for a connection, and how late its upgrade is to be answered; `None`: refused.
    pub(super) fn open(self: &Arc<Self>, query: &str) -> Option<(Seat<V>, Duration)> {
        let mut state = self.lock();
        let now = (self.clock)();
        state.next_session += 1;
        let id = SessionId(state.next_session);
        let (sender, items) = async_channel::bounded(QUEUE);
        state.sessions.insert(id, sender);
        let accepted = state.venue.connect(now, id, query);
        state.carry(self, now);
        if !accepted {
            state.sessions.remove(&id);
            return None;
        }
        let delay = state.venue.take_connect_delay();
        Some((Seat { shared: Arc::clone(self), id, items }, delay))
    }

    /// While connections stand still, waits.
    pub(super) async fn thawed(&self) {
        while (self.clock)().as_nanos() < self.frozen_until.load(Ordering::Relaxed) {
            Timer::after(THAW).await;
        }
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, State<V>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<V: Venue> State<V> {
    /// Lets everything happen that is due.
    pub(super) fn tick(&mut self, now: Instant) {
        let backlog = self.sessions.values().map(Sender::len).max();
        self.venue.tick(now, backlog.unwrap_or_default());
    }

    /// Hands out what the venue said.
    pub(super) fn carry(&mut self, shared: &Shared<V>, now: Instant) {
        shared.frozen_until.store(self.venue.frozen_until().as_nanos(), Ordering::Relaxed);
        while let Some(outgoing) = self.venue.poll_output() {
            match outgoing {
                Outgoing::Send(id, text, _) => {
                    let session = self.sessions.get(&id);
                    if session.is_some_and(|session| session.try_send(Item::Text(text)).is_err()) {
                        self.dropped += 1;
                    }
                }
                Outgoing::Close(id, code, reason) => {
                    if let Some(session) = self.sessions.remove(&id) {
                        // Full or gone: dropping the sender ends the session as well.
                        let _ = session.try_send(Item::Close(code, reason));
                    }
                }
                Outgoing::Reset(id) => {
                    if let Some(session) = self.sessions.remove(&id) {
                        let _ = session.try_send(Item::Reset);
                    }
                }
                Outgoing::Injected(fault) => self.injected.push((now, fault)),
            }
        }
        self.venue.on_carried();
    }
}
