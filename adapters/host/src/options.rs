//! What a feed can be told at its start, and what waiting for it can come to.

use std::hash::{BuildHasher as _, Hasher as _};
use std::io;

use kucoin_futures_proto::auth::Credentials;
use kucoin_futures_proto::{Config, Tap};

use crate::addresses::Resolve;
use crate::clock::Clock;
use crate::engine::Engine;
use crate::rest::Rest;
use crate::tls::{Roots, TlsError};
use crate::update::Update;

/// Everything a feed can be told at its start.
#[derive(Debug, Default)]
#[non_exhaustive]
pub struct Options {
    /// What the core keeps to.
    pub config: Config,
    /// Whose certificates are believed.
    pub roots: Roots,
    /// What gives the addresses of hosts.
    pub resolve: Resolve,
    /// For signed requests.
    pub credentials: Option<Credentials>,
    /// For jitter and connect ids; drawn from the system if absent.
    pub seed: Option<u64>,
    /// What the feed tells the time by. Default: the system's, from now on.
    pub clock: Clock,
    /// What is shown all that the client is told and puts out: a recorder.
    pub tap: Option<Box<dyn Tap>>,
}

impl Options {
    /// The defaults with this config.
    #[must_use]
    pub fn with_config(config: Config) -> Self {
        Self { config, ..Self::default() }
    }

    /// The parts of a feed that do not depend on its runtime.
    pub(crate) fn into_parts(self) -> (Engine, Clock, Rest) {
        let rest = Rest::with_resolve(&self.roots, self.credentials, self.resolve);
        let seed = self.seed.unwrap_or_else(random_seed);
        (Engine::new(self.clock.now(), seed, self.config, self.tap), self.clock, rest)
    }
}

/// A feed that could not be made.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FeedError {
    /// The system has no poller for us: raise its limit of open files.
    #[error("cannot watch sockets: {0}")]
    Poller(#[from] io::Error),
    /// The roots cannot be used.
    #[error(transparent)]
    Tls(#[from] TlsError),
}

/// What waiting for a limited time came to.
#[derive(Debug)]
#[allow(clippy::exhaustive_enums, reason = "a user should handle all three")]
pub enum Next<'a> {
    /// Something happened.
    Update(Update<'a>),
    /// Nothing happened in that time, or a waker was used.
    Quiet,
    /// The feed was closed; nothing will happen any more.
    Ended,
}

/// A seed from the operating system's randomness: for jitter and connect ids, not for secrets.
fn random_seed() -> u64 {
    std::hash::RandomState::new().build_hasher().finish()
}
