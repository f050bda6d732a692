//! What a consumer reads from Redis.

use std::collections::BTreeMap;
use std::time::Duration;

use kucoin_futures_host::Clock;
use kucoin_futures_proto::{Instant, Symbol};
use redis::{Value, cmd, pipe};

use super::link::Link;
use super::{Keys, millis, oldest_recent, parts};
use crate::engine::{Address, Arrived, CALL, EngineError, Source};

/// A consumer's end.
#[derive(Debug)]
pub struct RedisSource {
    link: Link,
    keys: Keys,
    clock: Clock,
    /// The server's time when it was last asked, and when that was.
    time: (u64, Instant),
    /// After which entry of each stream to read on, and when that was found or last looked after.
    places: BTreeMap<Symbol, (String, Instant)>,
    /// Entries of one stream that are read at once.
    count: usize,
    /// When the last call went out that left nothing behind: all that comes later was added after that.
    emptied: Option<Instant>,
    /// The same as keys and places, for the call.
    call: (Vec<String>, Vec<String>),
}

/// The most entries of one stream that are read at once. There may be hundreds of streams, and a book in each entry.
const ENTRIES: usize = 500;
/// Fewer are read next time after more bytes than this in one answer, and more again after less than a quarter.
const ANSWER: usize = 4 << 20;
/// An entry whose name is further ahead of the server's clock was added before that was set back, and its name says
/// nothing of when. Nearer ones are within what is lost in asking for the time.
const AHEAD_MS: u64 = 1000;
/// A stream of which nothing came for so long is looked after.
const QUIET: Duration = Duration::from_secs(3);
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
        Ok(Self {
            link,
            keys,
            clock,
            time,
            places,
            count: 16,
            emptied: None,
            call: Default::default(),
        })
    }

    /// Looks whether the streams of which nothing came for so long still reach to where they were read. One that was
    /// emptied, or is of another server, begins anew: its entries may have lower names, which would never be read.
    fn look_after(&mut self, quiet: Duration) -> Result<(), EngineError> {
        let now = self.clock.now();
        let is_quiet = |(_, (_, at)): &(&Symbol, &(String, Instant))| now.since(*at) >= quiet;
        let symbols: Vec<Symbol> =
            self.places.iter().filter(is_quiet).map(|(symbol, _)| *symbol).collect();
        if symbols.is_empty() {
            return Ok(());
        }
        let mut pipe = pipe();
        for symbol in &symbols {
            pipe.cmd("XREVRANGE").arg(self.keys.book(*symbol)).arg("+").arg("-");
            pipe.arg("COUNT").arg(1);
        }
        let lasts: Vec<Value> = self.link.ask(|it| pipe.query(it))?;
        for (symbol, last) in symbols.into_iter().zip(&lasts) {
            let last = last_of(last).map_or((0, 0), parts);
            let Some((place, at)) = self.places.get_mut(&symbol) else { continue };
            *at = now;
            if parts(place) > last {
                let place = self.beginnings(&[symbol])?.pop().unwrap_or_default();
                let place = if parts(&place) > last { "0-0".into() } else { place };
                self.places.insert(symbol, (place, now));
                // What is there was not looked at before.
                self.emptied = None;
            }
        }
        Ok(())
    }

    fn server_now(&mut self) -> Result<u64, EngineError> {
        let (at, now) = (self.time.1, self.clock.now());
        if self.time.0 == 0 || now.since(at) >= TIME_EVERY {
            // As of when it was asked: what is read is then no older than it is said to be.
            self.time = (self.link.time()?, now);
        }
        let since = self.clock.now().since(self.time.1).as_millis() as u64;
        Ok(self.time.0.saturating_add(since))
    }

    /// Of each the entry before the first one that is needed: the oldest of the snapshots that living publishers told
    /// last.
    fn beginnings(&mut self, symbols: &[Symbol]) -> Result<Vec<String>, EngineError> {
        let mut pipe = pipe();
        for symbol in symbols {
            pipe.cmd("HGETALL").arg(self.keys.snapshots(*symbol));
        }
        let all: Vec<BTreeMap<String, String>> = self.link.ask(|it| pipe.query(it))?;
        let before = |marks| match oldest_recent(marks) {
            // All of that millisecond.
            Some(ms @ 1..) => format!("{}-{}", ms - 1, u64::MAX),
            _ => "0-0".into(),
        };
        Ok(all.iter().map(before).collect())
    }
}

impl Source for RedisSource {
    fn connect(&mut self) -> Result<(), EngineError> {
        self.link.connect()?;
        self.time = (0, Instant::ZERO);
        self.emptied = None;
        self.server_now()?;
        self.look_after(Duration::ZERO)
    }

    fn follow(&mut self, symbols: &[Symbol]) -> Result<(), EngineError> {
        let new = symbols.iter().copied().filter(|symbol| !self.places.contains_key(symbol));
        let new: Vec<Symbol> = new.collect();
        if new.is_empty() {
            return Ok(());
        }
        let places = self.beginnings(&new)?;
        let now = self.clock.now();
        self.places.extend(new.into_iter().zip(places.into_iter().map(|place| (place, now))));
        // What is in their streams was not looked at before.
        self.emptied = None;
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
        self.look_after(QUIET)?;
        let (keys, places) = &mut self.call;
        keys.clear();
        places.clear();
        for (symbol, (place, _)) in &self.places {
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
            .arg(self.count)
            .arg("BLOCK")
            .arg(wait)
            .arg("STREAMS")
            .arg(&*keys)
            .arg(&*places);
        let sent = self.clock.now();
        let Some(reply) = self.link.wait(|it| command.query::<Value>(it))? else { return Ok(0) };
        let now = self.server_now()?;
        let (mut count, mut size, read_at) = (0, 0, self.clock.now());
        let longest = self.emptied.map_or(Duration::MAX, |emptied| read_at.since(emptied));
        let clock = self.clock;
        let on_entry = |key: &[u8], id: &str, bytes: Option<&[u8]>| {
            let symbol = key.rsplit(|byte| *byte == b':').next().unwrap_or_default();
            let symbol = std::str::from_utf8(symbol).ok().and_then(|text| text.parse().ok());
            let Some(symbol) = symbol else { return };
            // Whatever it is, it is behind us.
            self.places.insert(symbol, (id.to_owned(), read_at));
            let Some(bytes) = bytes else {
                tracing::warn!(%symbol, id, "an entry of a stream that is no message");
                return;
            };
            let ms = millis(id);
            let is_ahead = ms > now.saturating_add(AHEAD_MS);
            let age = Duration::from_millis(now.saturating_sub(ms));
            let age = if is_ahead { longest } else { age };
            count += 1;
            size += bytes.len();
            // While those before it are taken it grows older.
            let age = age.saturating_add(clock.now().since(read_at));
            take(Arrived { age, bytes });
        };
        walk(&reply, on_entry).ok_or_else(|| self.link.protocol("what is no stream"))?;
        if longest_stream(&reply) < self.count {
            self.emptied = Some(sent);
        }
        self.count = next_count(self.count, size);
        Ok(count)
    }

    fn want(&mut self, symbols: &[Symbol]) -> Result<(), EngineError> {
        let now = self.link.time()?;
        let key = self.keys.named("wants");
        if symbols.is_empty() {
            return Ok(());
        }
        let mut command = cmd("ZADD");
        command.arg(key);
        for symbol in symbols {
            command.arg(now).arg(symbol.as_str());
        }
        self.link.ask_if_allowed(|it| command.query::<()>(it)).map(drop)
    }
}

/// How many entries of a stream to read after an answer of so many bytes.
fn next_count(count: usize, size: usize) -> usize {
    match size {
        size if size > ANSWER => (count / 2).max(1),
        size if size < ANSWER / 4 => (count * 2).min(ENTRIES),
        _ => count,
    }
}

/// Entries of the stream that has most of what `XREAD` gave.
fn longest_stream(reply: &Value) -> usize {
    let Value::Array(streams) = reply else { return 0 };
    let entries = |stream: &Value| match stream {
        Value::Array(parts) => match &parts[..] {
            [_, Value::Array(entries)] => entries.len(),
            _ => 0,
        },
        _ => 0,
    };
    streams.iter().map(entries).max().unwrap_or(0)
}

/// The name of the only entry of what `XREVRANGE` gives.
fn last_of(reply: &Value) -> Option<&str> {
    let Value::Array(entries) = reply else { return None };
    let Some(Value::Array(entry)) = entries.first() else { return None };
    let Some(Value::BulkString(id)) = entry.first() else { return None };
    std::str::from_utf8(id).ok()
}

/// Walks over what `XREAD` gives: streams, each with entries, each with fields, of which one may be a message. `None` if
/// it is something else.
fn walk(reply: &Value, mut on_entry: impl FnMut(&[u8], &str, Option<&[u8]>)) -> Option<()> {
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
            let bytes = match fields {
                Value::Array(fields) => match &fields[..] {
                    [Value::BulkString(name), Value::BulkString(bytes), ..] if name == b"m" => {
                        Some(&bytes[..])
                    }
                    _ => None,
                },
                // One that was deleted has none.
                _ => None,
            };
            on_entry(key, id, bytes);
        }
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_stay_within_bounds_and_never_stop() {
        assert_eq!([1, 2, 500].map(|count| next_count(count, 5 << 20)), [1, 1, 250]);
        assert_eq!([1, 400, 500].map(|count| next_count(count, 100)), [2, 500, 500]);
        assert_eq!(next_count(77, 2 << 20), 77);
    }

    #[test]
    fn names_of_entries_are_compared_as_numbers() {
        assert!(parts("999-5") < parts("1000-0") && parts("7-9") < parts("7-10"));
    }
}
