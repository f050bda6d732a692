//! Redis Streams, by the crate `redis` on a blocking socket.
//!
//! | key | kind | what |
//! |---|---|---|
//! | `PREFIX:book:SYMBOL` | stream | the messages, in the field `m`; cut to about `history` entries |
//! | `PREFIX:snapshots:SYMBOL` | hash | of each publisher the entry of its newest snapshot: where to begin to read |
//! | `PREFIX:symbols` | set | what was ever published |
//! | `PREFIX:wants` | sorted set | symbols that somebody asks for a snapshot of, by time (ms) |
//! | `PREFIX:group:NAME` | sorted set | the workers of a group, by when they were last there (ms) |
//!
//! All times are the server's, so clocks of other machines do not matter. Publishers and consumers need no more than
//! `XADD`, `XREAD`, `HSET`, `HGETALL`, `EXPIRE`, `SADD`, `SMEMBERS`, `ZADD`, `ZRANGEBYSCORE`, `ZREMRANGEBYSCORE`, `ZREM`
//! and `TIME`.

use std::collections::BTreeMap;
use std::time::Duration;

use kucoin_futures_host::Clock;
use kucoin_futures_proto::{Instant, Symbol};
use redis::{Client, Connection, ErrorKind, RedisError, Value, cmd, pipe};

use super::{Address, Arrived, CALL, Engine, EngineError, Source};
use crate::message::{Body, Encoding, Message, PublisherId};

/// The names of keys.
#[derive(Clone, Debug)]
struct Keys {
    prefix: String,
}

impl Keys {
    fn book(&self, symbol: Symbol) -> String {
        format!("{}:book:{symbol}", self.prefix)
    }

    fn snapshots(&self, symbol: Symbol) -> String {
        format!("{}:snapshots:{symbol}", self.prefix)
    }

    fn named(&self, name: &str) -> String {
        format!("{}:{name}", self.prefix)
    }

    fn group(&self, group: &str) -> String {
        format!("{}:group:{group}", self.prefix)
    }
}

/// A connection that can be made anew.
struct Link {
    client: Client,
    shown: String,
    connection: Option<Connection>,
}

impl Link {
    fn new(address: &Address) -> Result<Self, EngineError> {
        let client = Client::open(address.url.as_str()).map_err(|_| {
            EngineError::Address(
                "not an address of Redis: use redis://NAME:PASSWORD@HOST:6379/0".into(),
            )
        })?;
        Ok(Self { client, shown: address.to_string(), connection: None })
    }

    fn connect(&mut self) -> Result<(), EngineError> {
        self.connection = None;
        let connection = self.client.get_connection_with_timeout(CALL);
        let connection = connection.map_err(|error| self.error(&error))?;
        for limit in [Connection::set_read_timeout, Connection::set_write_timeout] {
            limit(&connection, Some(CALL)).map_err(|error| self.error(&error))?;
        }
        self.connection = Some(connection);
        Ok(())
    }

    fn ask<T>(
        &mut self,
        call: impl FnOnce(&mut Connection) -> Result<T, RedisError>,
    ) -> Result<T, EngineError> {
        let Some(connection) = &mut self.connection else {
            return Err(self.unreachable("not connected"));
        };
        call(connection).map_err(|error| {
            let error = self.error(&error);
            // Whatever may still come on it is not what would be waited for.
            self.connection = None;
            error
        })
    }

    /// Milliseconds of the server's clock.
    fn time(&mut self) -> Result<u64, EngineError> {
        let (seconds, micros): (u64, u64) = self.ask(|it| cmd("TIME").query(it))?;
        Ok(seconds.saturating_mul(1000).saturating_add(micros / 1000))
    }

    fn unreachable(&self, why: &str) -> EngineError {
        EngineError::Unreachable { engine: self.shown.clone(), why: why.into() }
    }

    fn error(&self, error: &RedisError) -> EngineError {
        let engine = self.shown.clone();
        let is_login = error.kind() == ErrorKind::AuthenticationFailed
            || matches!(error.code(), Some("NOAUTH" | "WRONGPASS" | "NOPERM"));
        if is_login {
            return EngineError::Login { engine, scheme: "redis" };
        }
        if error.is_io_error() || error.is_connection_dropped() || error.is_timeout() {
            return self.unreachable(match error {
                _ if error.is_connection_refusal() => "connection refused",
                _ if error.is_timeout() => "no answer in time",
                _ if error.is_connection_dropped() => "the connection ended",
                _ => error.category(),
            });
        }
        let detail = error.detail().unwrap_or_default();
        EngineError::Protocol { engine, why: format!("{} {detail}", error.category()) }
    }

    fn protocol(&self, why: &str) -> EngineError {
        EngineError::Protocol { engine: self.shown.clone(), why: why.into() }
    }
}

impl std::fmt::Debug for Link {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Link").field(&self.shown).finish()
    }
}

/// A publisher's end.
#[derive(Debug)]
pub struct RedisEngine {
    link: Link,
    keys: Keys,
    history: usize,
    /// Symbols that are in the set.
    named: Vec<Symbol>,
    /// Up to when wants are known, by the server's clock.
    wanted_to: u64,
}

/// Entries of dead publishers in the hash of snapshots go with it, after this time without any.
const SNAPSHOTS_LIFE: Duration = Duration::from_secs(24 * 3600);
/// Entries of the hash of snapshots that are older than the newest one by this are of the past.
const SNAPSHOT_AGE_MS: u64 = 60_000;

impl RedisEngine {
    /// Not connected yet.
    ///
    /// # Errors
    /// The address is none of Redis.
    pub fn new(address: &Address) -> Result<Self, EngineError> {
        let keys = Keys { prefix: address.prefix.clone() };
        let (link, history) = (Link::new(address)?, address.history);
        Ok(Self { link, keys, history, named: Vec::new(), wanted_to: 0 })
    }

    /// Says where the newest snapshots are.
    fn mark(&mut self, marks: &[(Symbol, PublisherId, &str)]) -> Result<(), EngineError> {
        if marks.is_empty() {
            return Ok(());
        }
        let mut pipe = pipe();
        for (symbol, publisher, id) in marks {
            let key = self.keys.snapshots(*symbol);
            pipe.cmd("HSET").arg(&key).arg(publisher.to_string()).arg(*id).ignore();
            pipe.cmd("EXPIRE").arg(&key).arg(SNAPSHOTS_LIFE.as_secs()).ignore();
            if !self.named.contains(symbol) {
                self.named.push(*symbol);
                pipe.cmd("SADD").arg(self.keys.named("symbols")).arg(symbol.as_str()).ignore();
            }
        }
        self.link.ask(|it| pipe.query::<()>(it))
    }
}

impl Engine for RedisEngine {
    fn connect(&mut self) -> Result<(), EngineError> {
        self.named.clear();
        self.link.connect()?;
        self.wanted_to = self.link.time()?.saturating_sub(1000);
        Ok(())
    }

    fn publish(&mut self, messages: &[Message], encoding: Encoding) -> Result<(), EngineError> {
        let mut pipe = pipe();
        for message in messages {
            let key = self.keys.book(message.symbol);
            pipe.cmd("XADD").arg(key).arg("MAXLEN").arg("~").arg(self.history);
            pipe.arg("*").arg("m").arg(message.encode(encoding));
        }
        let ids: Vec<String> = self.link.ask(|it| pipe.query(it))?;
        let marks: Vec<_> = messages
            .iter()
            .zip(&ids)
            .filter(|(message, _)| matches!(message.body, Body::Snapshot(_)))
            .map(|(message, id)| (message.symbol, message.publisher, id.as_str()))
            .collect();
        self.mark(&marks)
    }

    fn wanted(&mut self) -> Result<Vec<Symbol>, EngineError> {
        let (key, from) = (self.keys.named("wants"), format!("({}", self.wanted_to));
        let found: Vec<(String, u64)> = self.link.ask(|it| {
            cmd("ZRANGEBYSCORE").arg(key).arg(from).arg("+inf").arg("WITHSCORES").query(it)
        })?;
        self.wanted_to = found.iter().map(|(_, at)| *at).max().unwrap_or(self.wanted_to);
        Ok(found.iter().filter_map(|(symbol, _)| symbol.parse().ok()).collect())
    }

    fn announce(
        &mut self,
        group: &str,
        worker: PublisherId,
        life: Duration,
        is_ending: bool,
    ) -> Result<Vec<PublisherId>, EngineError> {
        let now = self.link.time()?;
        let dead = now.saturating_sub(life.as_millis() as u64);
        let (key, worker) = (self.keys.group(group), worker.to_string());
        let mut pipe = pipe();
        match is_ending {
            true => pipe.cmd("ZREM").arg(&key).arg(worker).ignore(),
            false => pipe.cmd("ZADD").arg(&key).arg(now).arg(worker).ignore(),
        };
        pipe.cmd("ZREMRANGEBYSCORE").arg(&key).arg("-inf").arg(dead).ignore();
        pipe.cmd("ZRANGEBYSCORE").arg(&key).arg("-inf").arg("+inf");
        let (workers,): (Vec<String>,) = self.link.ask(|it| pipe.query(it))?;
        let mut workers: Vec<PublisherId> =
            workers.iter().filter_map(|worker| worker.parse().ok()).collect();
        workers.sort_unstable();
        Ok(workers)
    }
}

/// A consumer's end.
#[derive(Debug)]
pub struct RedisSource {
    link: Link,
    keys: Keys,
    clock: Clock,
    /// The server's time when it was last asked, and when that was.
    time: (u64, Instant),
    /// After which entry of each stream to read on.
    places: BTreeMap<Symbol, String>,
    /// The same as keys and places, for the call.
    call: (Vec<String>, Vec<String>),
}

/// Entries of one stream that are read at once.
const ENTRIES: usize = 500;
/// The server's clock is asked for so often.
const TIME_EVERY: Duration = Duration::from_secs(1);

impl RedisSource {
    /// Not connected yet.
    ///
    /// # Errors
    /// The address is none of Redis.
    pub fn new(address: &Address) -> Result<Self, EngineError> {
        let (link, keys) = (Link::new(address)?, Keys { prefix: address.prefix.clone() });
        let (clock, places) = (Clock::new(), BTreeMap::new());
        let time = (0, Instant::ZERO);
        Ok(Self { link, keys, clock, time, places, call: Default::default() })
    }

    /// What an entry's name says of when it came.
    fn millis(id: &str) -> u64 {
        id.split('-').next().and_then(|ms| ms.parse().ok()).unwrap_or(0)
    }

    fn server_now(&mut self) -> Result<u64, EngineError> {
        let (at, now) = (self.time.1, self.clock.now());
        if self.time.0 == 0 || now.since(at) >= TIME_EVERY {
            self.time = (self.link.time()?, self.clock.now());
        }
        let since = self.clock.now().since(self.time.1).as_millis() as u64;
        Ok(self.time.0.saturating_add(since))
    }

    /// The entry before the first one that is needed: the oldest of the snapshots that living publishers told last.
    fn beginning(&mut self, symbol: Symbol) -> Result<String, EngineError> {
        let key = self.keys.snapshots(symbol);
        let marks: BTreeMap<String, String> =
            self.link.ask(|it| cmd("HGETALL").arg(key).query(it))?;
        let newest = marks.values().map(|id| Self::millis(id)).max().unwrap_or(0);
        let recent = marks.values().map(|id| Self::millis(id));
        let first = recent.filter(|ms| ms.saturating_add(SNAPSHOT_AGE_MS) >= newest).min();
        Ok(match first {
            // All of that millisecond.
            Some(ms @ 1..) => format!("{}-{}", ms - 1, u64::MAX),
            _ => "0-0".into(),
        })
    }
}

impl Source for RedisSource {
    fn connect(&mut self) -> Result<(), EngineError> {
        self.link.connect()?;
        self.time = (0, Instant::ZERO);
        self.server_now().map(drop)
    }

    fn follow(&mut self, symbols: &[Symbol]) -> Result<(), EngineError> {
        for symbol in symbols {
            if !self.places.contains_key(symbol) {
                let place = self.beginning(*symbol)?;
                self.places.insert(*symbol, place);
            }
        }
        Ok(())
    }

    fn published(&mut self) -> Result<Vec<Symbol>, EngineError> {
        let key = self.keys.named("symbols");
        let names: Vec<String> = self.link.ask(|it| cmd("SMEMBERS").arg(key).query(it))?;
        let mut symbols: Vec<Symbol> = names.iter().filter_map(|name| name.parse().ok()).collect();
        symbols.sort_unstable();
        Ok(symbols)
    }

    fn poll(
        &mut self,
        limit: Duration,
        take: &mut dyn FnMut(Arrived<'_>),
    ) -> Result<usize, EngineError> {
        self.server_now()?;
        let (keys, places) = &mut self.call;
        keys.clear();
        places.clear();
        for (symbol, place) in &self.places {
            keys.push(self.keys.book(*symbol));
            places.push(place.clone());
        }
        if keys.is_empty() {
            // There is no stream of this name: a wait like any other.
            keys.push(self.keys.named("none"));
            places.push("0-0".into());
        }
        // Zero would be for ever.
        let wait = (limit.min(CALL / 2).as_millis() as u64).max(1);
        let mut command = cmd("XREAD");
        command
            .arg("COUNT")
            .arg(ENTRIES)
            .arg("BLOCK")
            .arg(wait)
            .arg("STREAMS")
            .arg(&*keys)
            .arg(&*places);
        let reply: Value = self.link.ask(|it| command.query(it))?;
        let now = self.server_now()?;
        let mut count = 0;
        let on_entry = |key: &[u8], id: &str, bytes: &[u8]| {
            let symbol = key.rsplit(|byte| *byte == b':').next().unwrap_or_default();
            let symbol = std::str::from_utf8(symbol).ok().and_then(|text| text.parse().ok());
            let Some(symbol) = symbol else { return };
            self.places.insert(symbol, id.to_owned());
            let age = Duration::from_millis(now.saturating_sub(Self::millis(id)));
            count += 1;
            take(Arrived { age, bytes });
        };
        walk(&reply, on_entry).ok_or_else(|| self.link.protocol("what is no stream"))?;
        Ok(count)
    }

    fn want(&mut self, symbols: &[Symbol]) -> Result<(), EngineError> {
        let now = self.link.time()?;
        let key = self.keys.named("wants");
        let mut pipe = pipe();
        for symbol in symbols {
            pipe.cmd("ZADD").arg(&key).arg(now).arg(symbol.as_str()).ignore();
        }
        self.link.ask(|it| pipe.query::<()>(it))
    }
}

/// Walks over what `XREAD` gives: streams, each with entries, each with fields. `None` if it is something else.
fn walk(reply: &Value, mut on_entry: impl FnMut(&[u8], &str, &[u8])) -> Option<()> {
    let Value::Array(streams) = reply else {
        return matches!(reply, Value::Nil).then_some(());
    };
    for stream in streams {
        let Value::Array(parts) = stream else { return None };
        let [Value::BulkString(key), Value::Array(entries)] = &parts[..] else { return None };
        for entry in entries {
            let Value::Array(parts) = entry else { return None };
            let [Value::BulkString(id), fields] = &parts[..] else { return None };
            let id = std::str::from_utf8(id).ok()?;
            // One that was deleted has none.
            let Value::Array(fields) = fields else { continue };
            if let [Value::BulkString(name), Value::BulkString(bytes), ..] = &fields[..]
                && name == b"m"
            {
                on_entry(key, id, bytes);
            }
        }
    }
    Some(())
}
