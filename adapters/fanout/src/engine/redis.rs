//! Redis Streams, by the crate `redis` on a blocking socket.
//!
//! | key | kind | what |
//! |---|---|---|
//! | `PREFIX:book:SYMBOL` | stream | the messages, in the field `m`; cut to about `history` entries, and to about a minute before where a late joiner begins |
//! | `PREFIX:snapshots:SYMBOL` | hash | of each publisher the entry of its newest snapshot: where to begin to read |
//! | `PREFIX:symbols` | set | what was ever published |
//! | `PREFIX:wants` | sorted set | symbols that somebody asks for a snapshot of, by time (ms) |
//! | `PREFIX:group:NAME` | sorted set | the workers of a group, by when they were last there (ms) |
//!
//! All times are the server's, so clocks of other machines do not matter. Publishers and consumers need no more than
//! `XADD`, `XREAD`, `XREVRANGE`, `HSET`, `HGETALL`, `HDEL`, `EXPIRE`, `SADD`, `SMEMBERS`, `ZADD`, `ZRANGEBYSCORE`,
//! `ZREMRANGEBYSCORE`, `ZREM` and `TIME`. Who may not write or read `PREFIX:wants` does without.

mod link;
mod source;

use std::collections::BTreeMap;
use std::time::Duration;

use kucoin_futures_proto::Symbol;
use redis::{cmd, pipe};

use super::{Address, Engine, EngineError};
use crate::message::{Body, Encoding, Message, PublisherId};
use link::Link;
pub use source::RedisSource;

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

/// A publisher's end.
#[derive(Debug)]
pub struct RedisEngine {
    link: Link,
    keys: Keys,
    history: usize,
    /// Publishers of one symbol, the most there are, that told a snapshot not long ago.
    sharing: u64,
    /// Up to when wants are known, by the server's clock.
    wanted_to: u64,
    /// Of each symbol the oldest of the newest snapshots (ms), where a late joiner begins.
    begins: BTreeMap<Symbol, u64>,
}

/// A stream of which nobody tells a snapshot any more goes after this time, and the hash with it.
const LIFE: Duration = Duration::from_secs(24 * 3600);
/// What is older than where a late joiner begins is kept for so long, for readers that are behind.
const BEHIND_MS: u64 = 60_000;
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
        Ok(Self { link, keys, history, sharing: 1, wanted_to: 0, begins: BTreeMap::new() })
    }

    /// Says where the newest snapshots are, and forgets those of publishers that are gone.
    fn mark(&mut self, marks: &[(Symbol, PublisherId, &str)]) -> Result<(), EngineError> {
        if marks.is_empty() {
            return Ok(());
        }
        let mut pipe = pipe();
        for (symbol, publisher, id) in marks {
            let key = self.keys.snapshots(*symbol);
            pipe.cmd("HSET").arg(&key).arg(publisher.to_string()).arg(*id).ignore();
            for key in [&key, &self.keys.book(*symbol)] {
                pipe.cmd("EXPIRE").arg(key).arg(LIFE.as_secs()).ignore();
            }
            // Each time: whoever empties the database has it back with the next one.
            pipe.cmd("SADD").arg(self.keys.named("symbols")).arg(symbol.as_str()).ignore();
            pipe.cmd("HGETALL").arg(&key);
        }
        let all: Vec<BTreeMap<String, String>> = self.link.ask(|it| pipe.query(it))?;
        let mut clean = redis::pipe();
        let mut is_clean = true;
        self.sharing = 1;
        for ((symbol, ..), all) in marks.iter().zip(&all) {
            let (recent, old) = by_age(all);
            self.sharing = self.sharing.max(recent.len() as u64);
            self.begins.extend(oldest_recent(all).map(|ms| (*symbol, ms)));
            if !old.is_empty() {
                clean.cmd("HDEL").arg(self.keys.snapshots(*symbol)).arg(old).ignore();
                is_clean = false;
            }
        }
        if is_clean { Ok(()) } else { self.link.ask(|it| clean.query::<()>(it)) }
    }
}

/// The publishers of a hash of snapshots: those whose entry is near the newest one, and the others.
fn by_age(marks: &BTreeMap<String, String>) -> (Vec<(&str, u64)>, Vec<&str>) {
    let newest = marks.values().map(|id| millis(id)).max().unwrap_or(0);
    let ages = marks.iter().map(|(publisher, id)| (publisher.as_str(), millis(id)));
    let (recent, old): (Vec<_>, Vec<_>) =
        ages.partition(|(_, ms)| ms.saturating_add(SNAPSHOT_AGE_MS) >= newest);
    (recent, old.into_iter().map(|(publisher, _)| publisher).collect())
}

/// When the oldest of the snapshots came that living publishers told last.
fn oldest_recent(marks: &BTreeMap<String, String>) -> Option<u64> {
    by_age(marks).0.into_iter().map(|(_, ms)| ms).min()
}

/// What an entry's name says of when it came.
fn millis(id: &str) -> u64 {
    parts(id).0
}

/// An entry's name, to be compared.
fn parts(id: &str) -> (u64, u64) {
    let (ms, number) = id.split_once('-').unwrap_or((id, "0"));
    (ms.parse().unwrap_or(0), number.parse().unwrap_or(0))
}

impl Engine for RedisEngine {
    fn connect(&mut self) -> Result<(), EngineError> {
        self.link.connect()?;
        self.wanted_to = self.link.time()?.saturating_sub(1000);
        Ok(())
    }

    fn publish(&mut self, messages: &[Message], encoding: Encoding) -> Result<(), EngineError> {
        let mut pipe = pipe();
        for message in messages {
            let key = self.keys.book(message.symbol);
            // Of a contract where little happens the messages are mostly snapshots, and large: with each the past goes,
            // whatever its number.
            let begin = self.begins.get(&message.symbol);
            let begin = begin.filter(|_| matches!(message.body, Body::Snapshot(_)));
            pipe.cmd("XADD").arg(key);
            match begin {
                Some(ms) => pipe.arg("MINID").arg("~").arg(ms.saturating_sub(BEHIND_MS)),
                None => pipe.arg("MAXLEN").arg("~").arg(self.history),
            };
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
        let found: Option<Vec<(String, u64)>> = self.link.ask_if_allowed(|it| {
            cmd("ZRANGEBYSCORE").arg(key).arg(from).arg("+inf").arg("WITHSCORES").query(it)
        })?;
        let found = found.unwrap_or_default();
        self.wanted_to = found.iter().map(|(_, at)| *at).max().unwrap_or(self.wanted_to);
        Ok(found.iter().filter_map(|(symbol, _)| symbol.parse().ok()).collect())
    }

    fn sharing(&self) -> u64 {
        self.sharing
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
