//! What carries messages: Redis Streams, NATS, or whatever else implements two traits.
//!
//! An engine's calls block, each for a limited time, so a publisher makes them on a thread of its own, behind an
//! [`Outbox`](crate::outbox::Outbox) that is bounded and never waits.

#[cfg(feature = "nats")]
pub mod nats;
#[cfg(feature = "redis")]
pub mod redis;

use std::fmt;
use std::time::Duration;

use kucoin_futures_proto::Symbol;
use url::Url;

use crate::message::{Encoding, Message, PublisherId};

/// What was wrong with an engine.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum EngineError {
    /// The address cannot be used.
    #[error("{0}")]
    Address(String),
    /// It cannot be reached, or the connection ended.
    #[error("{engine} does not answer ({why}): is it running, and does the address say where?")]
    Unreachable {
        /// Its address, without a password.
        engine: String,
        /// In the system's words.
        why: String,
    },
    /// It refuses the name or the password.
    #[error(
        "{engine} refuses the login: put name and password into the address, as in {scheme}://NAME:PASSWORD@HOST"
    )]
    Login {
        /// Its address, without a password.
        engine: String,
        /// `redis` or `nats`.
        scheme: &'static str,
    },
    /// It says something that it must not say.
    #[error("{engine} says what cannot be understood: {why}")]
    Protocol {
        /// Its address, without a password.
        engine: String,
        /// What.
        why: String,
    },
}

/// What a publisher needs of an engine. Every call may block for [`CALL`], or to connect for as long as the system looks
/// for the host's name and [`CALL`] for each of its addresses.
pub trait Engine: Send {
    /// Connects, or connects anew.
    ///
    /// # Errors
    /// It cannot be reached, or refuses.
    fn connect(&mut self) -> Result<(), EngineError>;

    /// Carries these, in order. After an error nobody knows which of them it has.
    ///
    /// # Errors
    /// The connection ended.
    fn publish(&mut self, messages: &[Message], encoding: Encoding) -> Result<(), EngineError>;

    /// The symbols that somebody asks for a snapshot of, since this was last called.
    ///
    /// # Errors
    /// The connection ended.
    fn wanted(&mut self) -> Result<Vec<Symbol>, EngineError>;

    /// How many publishers share the room of one symbol's stream, this one among them, as far as is known.
    fn sharing(&self) -> u64 {
        1
    }

    /// Says that a worker of a group is there, or ends, and who else is: those that were heard of within `life`, this
    /// one among them unless it ends, in order.
    ///
    /// # Errors
    /// The connection ended.
    fn announce(
        &mut self,
        group: &str,
        worker: PublisherId,
        life: Duration,
        is_ending: bool,
    ) -> Result<Vec<PublisherId>, EngineError>;
}

/// Something that came.
#[derive(Debug)]
pub struct Arrived<'a> {
    /// How long ago it was given to the engine, by the engine's clock, or at the most.
    pub age: Duration,
    /// A message, encoded.
    pub bytes: &'a [u8],
}

/// What a consumer needs of an engine. Every call may block for [`CALL`], or what it is given, or to connect for as long
/// as the system looks for the host's name and [`CALL`] for each of its addresses.
pub trait Source: Send {
    /// Connects, or connects anew, and goes on where it was as far as the engine remembers.
    ///
    /// # Errors
    /// It cannot be reached, or refuses.
    fn connect(&mut self) -> Result<(), EngineError>;

    /// Takes these symbols' messages, too: from the newest snapshot on, if the engine remembers.
    ///
    /// # Errors
    /// The connection ended.
    fn follow(&mut self, symbols: &[Symbol]) -> Result<(), EngineError>;

    /// The symbols that are published, as far as the engine knows.
    ///
    /// # Errors
    /// The connection ended.
    fn published(&mut self) -> Result<Vec<Symbol>, EngineError>;

    /// Waits up to `limit` for messages and gives those that came; how many.
    ///
    /// # Errors
    /// The connection ended.
    fn poll(
        &mut self,
        limit: Duration,
        take: &mut dyn FnMut(Arrived<'_>),
    ) -> Result<usize, EngineError>;

    /// Asks whoever publishes these symbols for snapshots. A server whose rules forbid that is no error: snapshots come
    /// from time to time anyway.
    ///
    /// # Errors
    /// The connection ended.
    fn want(&mut self, symbols: &[Symbol]) -> Result<(), EngineError>;
}

/// Longest time of a call.
pub const CALL: Duration = Duration::from_secs(3);

/// Where an engine is, and what its keys or subjects begin with. Shown without its password.
#[derive(Clone, PartialEq, Eq)]
pub struct Address {
    url: Url,
    prefix: String,
    history: usize,
}

/// Which engine.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// Redis, or what speaks like it.
    Redis,
    /// NATS.
    Nats,
}

impl Address {
    /// From `redis://HOST:PORT/DB` or `nats://HOST:PORT`, with `NAME:PASSWORD@` in front of the host where one is
    /// needed. `prefix`: letters, digits, `_` and `-`. `history`: messages of a symbol that Redis keeps, more or less.
    ///
    /// # Errors
    /// It is no such address.
    pub fn new(url: &str, prefix: &str, history: usize) -> Result<Self, EngineError> {
        let wrong = |why: &str| EngineError::Address(why.to_owned());
        // Never quoted: there may be a password in it.
        let url = Url::parse(url).map_err(|error| {
            let text =
                format!("not an address ({error}): use redis://HOST:6379 or nats://HOST:4222");
            EngineError::Address(text)
        })?;
        match url.scheme() {
            "redis" | "nats" => {}
            "rediss" | "tls" => {
                return Err(wrong(
                    "no TLS to engines: put a tunnel such as stunnel in front of it",
                ));
            }
            _ => return Err(wrong("use redis://HOST:6379 or nats://HOST:4222")),
        }
        if url.host_str().is_none_or(str::is_empty) {
            return Err(wrong(
                "the address names no host: use redis://HOST:6379 or nats://HOST:4222",
            ));
        }
        if url.query().is_some() || url.fragment().is_some() {
            return Err(wrong(
                "the address goes on behind ? or #, which means nothing here: write %3F or %23 in a password",
            ));
        }
        // A token with a slash in it ends the name of the host, and what follows would be shown.
        let path = url.path().trim_start_matches('/');
        let is_database = url.scheme() == "redis" && path.bytes().all(|byte| byte.is_ascii_digit());
        if !path.is_empty() && !is_database {
            return Err(wrong(
                "behind the host of Redis a number may follow, and of NATS nothing: write %2F for / in a password",
            ));
        }
        let is_plain = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
        if prefix.is_empty() || prefix.len() > 64 || !prefix.chars().all(is_plain) {
            return Err(wrong("a prefix and a group have up to 64 letters, digits, _ and -"));
        }
        Ok(Self { url, prefix: prefix.to_owned(), history: history.max(16) })
    }

    /// Which engine it is.
    #[must_use]
    pub fn kind(&self) -> Kind {
        if self.url.scheme() == "nats" { Kind::Nats } else { Kind::Redis }
    }

    /// What keys and subjects begin with.
    #[must_use]
    pub fn prefix(&self) -> &str {
        &self.prefix
    }

    /// Something to publish with.
    ///
    /// # Errors
    /// This build has no such engine.
    pub fn engine(&self) -> Result<Box<dyn Engine>, EngineError> {
        match self.kind() {
            #[cfg(feature = "redis")]
            Kind::Redis => Ok(Box::new(redis::RedisEngine::new(self)?)),
            #[cfg(feature = "nats")]
            Kind::Nats => Ok(Box::new(nats::NatsEngine::new(self))),
            #[cfg(not(all(feature = "redis", feature = "nats")))]
            kind => Err(EngineError::Address(format!(
                "this build has no {kind:?}: build it with that feature"
            ))),
        }
    }

    /// Something to consume with.
    ///
    /// # Errors
    /// This build has no such engine.
    pub fn source(&self) -> Result<Box<dyn Source>, EngineError> {
        match self.kind() {
            #[cfg(feature = "redis")]
            Kind::Redis => Ok(Box::new(redis::RedisSource::new(self)?)),
            #[cfg(feature = "nats")]
            Kind::Nats => Ok(Box::new(nats::NatsSource::new(self))),
            #[cfg(not(all(feature = "redis", feature = "nats")))]
            kind => Err(EngineError::Address(format!(
                "this build has no {kind:?}: build it with that feature"
            ))),
        }
    }
}

/// `redis://NAME:***@HOST:6379/0`
impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = self.url.clone();
        if shown.password().is_some() {
            let _ = shown.set_password(Some("***"));
        } else if !shown.username().is_empty() {
            // With NATS a name alone is a token.
            let _ = shown.set_username("***");
        }
        fmt::Display::fmt(&shown, f)
    }
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passwords_are_not_shown() {
        for (url, shown) in [
            ("redis://me:s3cret@127.0.0.1:6379/2", "redis://me:***@127.0.0.1:6379/2"),
            ("redis://:s3cret@127.0.0.1", "redis://:***@127.0.0.1"),
            ("nats://s3cret@127.0.0.1:4222", "nats://***@127.0.0.1:4222"),
        ] {
            let address = Address::new(url, "kcf", 100).unwrap();
            assert_eq!((address.to_string(), format!("{address:?}")), (shown.into(), shown.into()));
        }
        for bad in [
            "redis:s3cret",
            "http://x:s3cret@h",
            "s3cret",
            "rediss://x:s3cret@h",
            "redis://u:s3cret@",
            "nats://127.0.0.1:4222?password=s3cret",
            "redis://127.0.0.1:6379?protocol=resp3&password=s3cret",
            "nats://dG9r/s3cret=@127.0.0.1:4222",
            "nats://user:1/s3cret@127.0.0.1:4222",
            "redis://user:1/s3cret@127.0.0.1:6379",
        ] {
            let error = Address::new(bad, "kcf", 100).unwrap_err();
            assert!(!format!("{error} {error:?}").contains("s3cret"), "{bad}: {error}");
        }
        assert!(Address::new("redis://h", "a b", 100).is_err());
    }
}
