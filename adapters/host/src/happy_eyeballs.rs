//! Which address to try next, and when: RFC 8305 ("Happy Eyeballs"), without sockets and without a clock.
//!
//! ```text
//!  resolver ── addresses ──> FailedAddresses::order ──> Race ── Start(address) ──> driver: one connect each
//!                                     ^                 ^ └──── Wait(until)            │
//!                                     └── remembered ───┴──────── failed, won ─────────┘
//! ```
//!
//! IPv6 and IPv4 take turns, beginning with what the resolver puts first (RFC 6724). A connect begins
//! [`STAGGER`] after the last one, or at once when one fails; the first that is through wins. Both families
//! come from the resolver in one answer, so the RFC's wait for the slower of two answers has no place here.

use std::collections::VecDeque;
use std::io::{self, ErrorKind};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use kucoin_futures_proto::Instant;

/// Between two connects. RFC 8305 recommends 250 ms and no less than 100 ms (section 8): with its least,
/// nine addresses that say nothing cost 0.9 s.
const STAGGER: Duration = Duration::from_millis(100);

/// Remembered at most. The exchange's names have two to ten addresses each.
const MAX_REMEMBERED: usize = 64;

/// The connects of one attempt to reach a host. Made by [`Addresses::race`](crate::Addresses::race).
///
/// Dropped before it is won, it remembers that all addresses under way have failed.
#[derive(Debug)]
pub struct Race {
    ahead: VecDeque<SocketAddr>,
    /// Oldest first.
    under_way: Vec<SocketAddr>,
    /// The next connect begins no earlier.
    due: Instant,
    failure: io::Error,
    memory: FailedAddresses,
}

/// What a driver does next.
#[derive(Debug)]
#[allow(clippy::exhaustive_enums, reason = "a driver must handle all of them")]
pub enum Move {
    /// Begin a connect to this address, and ask again.
    Start(SocketAddr),
    /// Wait for a connect to end, but no longer than until then if there is a time.
    Wait(Option<Instant>),
    /// All have failed; this is how the last one did.
    Over(io::Error),
}

impl Race {
    pub(crate) fn new(now: Instant, addresses: &[SocketAddr], memory: &FailedAddresses) -> Self {
        Self {
            ahead: memory.order(addresses).into(),
            under_way: Vec::new(),
            due: now,
            failure: ErrorKind::AddrNotAvailable.into(),
            memory: memory.clone(),
        }
    }

    /// What to do now.
    pub fn next(&mut self, now: Instant) -> Move {
        if now < self.due && !self.ahead.is_empty() {
            return Move::Wait(Some(self.due));
        }
        match self.ahead.pop_front() {
            Some(address) => {
                self.under_way.push(address);
                self.due = now + STAGGER;
                Move::Start(address)
            }
            None if self.under_way.is_empty() => {
                Move::Over(std::mem::replace(&mut self.failure, ErrorKind::AddrNotAvailable.into()))
            }
            None => Move::Wait(None),
        }
    }

    /// A connect has failed: the next one may begin at once.
    pub fn failed(&mut self, address: SocketAddr, error: io::Error) {
        tracing::debug!(%address, %error, "address failed");
        self.under_way.retain(|&other| other != address);
        self.memory.remember(address);
        self.failure = error;
        self.due = Instant::ZERO;
    }

    /// A connect is through. Those that began before it and are still under way have lost, and are
    /// remembered as failed; of those that began later nothing is known.
    pub fn won(mut self, address: SocketAddr) {
        let earlier = self.under_way.iter().position(|&other| other == address);
        self.under_way.truncate(earlier.unwrap_or_default());
        self.memory.forget(address);
    }
}

impl Drop for Race {
    fn drop(&mut self) {
        self.under_way.iter().for_each(|&address| self.memory.remember(address));
    }
}

/// Addresses that did not answer when they were last tried, shared by all that connect for one feed. An
/// address is remembered until it answers, or until there are too many younger ones.
#[derive(Clone, Debug, Default)]
pub(crate) struct FailedAddresses(Arc<Mutex<VecDeque<SocketAddr>>>);

impl FailedAddresses {
    fn remember(&self, address: SocketAddr) {
        self.with(|failed| {
            failed.retain(|&other| other != address);
            failed.push_back(address);
            if failed.len() > MAX_REMEMBERED {
                failed.pop_front();
            }
        });
    }

    fn forget(&self, address: SocketAddr) {
        self.with(|failed| failed.retain(|&other| other != address));
    }

    /// Each address once: the families in turn, then those that failed, the longest ago first.
    fn order(&self, addresses: &[SocketAddr]) -> Vec<SocketAddr> {
        self.with(|failed| {
            let fresh = addresses.iter().filter(|address| !failed.contains(address));
            let mut ordered = interleave(fresh.copied());
            ordered.extend(failed.iter().filter(|address| addresses.contains(address)));
            ordered
        })
    }

    fn with<T>(&self, work: impl FnOnce(&mut VecDeque<SocketAddr>) -> T) -> T {
        work(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

fn interleave(addresses: impl Iterator<Item = SocketAddr>) -> Vec<SocketAddr> {
    let mut families: [Vec<SocketAddr>; 2] = Default::default();
    let mut leader = None;
    for address in addresses {
        let leads = *leader.get_or_insert_with(|| address.is_ipv6()) == address.is_ipv6();
        let [first, second] = &mut families;
        let family = if leads { first } else { second };
        if !family.contains(&address) {
            family.push(address);
        }
    }
    let [first, second] = families;
    let mut second = second.into_iter();
    let mut ordered = Vec::new();
    for address in first {
        ordered.push(address);
        ordered.extend(second.next());
    }
    ordered.extend(second);
    ordered
}

#[cfg(test)]
mod tests;
