//! One client at one row's door, and whether what came of it is what the row says.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use kucoin_futures_proto::book::Coverage;
use kucoin_futures_proto::{Price, Sequence};

use super::gate::{Door, Gate};
use super::row::{Place, Row};
use super::visitors::Visitors;
use crate::rig::{MS, Rig, SECOND, SLACK, Wire, stay_away, symbol};

/// What any feed allocates to come as far as that: its own, the buffers of REST and of a socket, and, over TLS, the
/// roots and two sessions.
const fn any_feed(wire: Wire) -> usize {
    match wire {
        Wire::Plain => 416 << 10,
        Wire::Tls => 704 << 10,
    }
}

/// What came of a visit.
#[derive(Debug)]
pub(super) struct Visit {
    pub(super) class: String,
    pub(super) took: Duration,
    pub(super) bytes: usize,
    /// From then until the book was live.
    pub(super) healed: Option<Duration>,
    wire: Wire,
    closes: Vec<u16>,
    is_equal: bool,
}

/// What is wrong with one.
#[derive(Debug)]
pub(super) enum Wrong {
    Class,
    Late,
    Memory,
    CloseCode,
    NotHealed,
    OtherBook,
}

impl Visit {
    /// Sends a client of this runtime there, and is good to it once it has told what it makes of the row.
    pub(super) fn make(
        row: &'static Row,
        wire: Wire,
        runtime: &str,
        visitors: &Visitors,
    ) -> Option<Self> {
        let rig = Rig::brisk(wire, 50.0);
        let gate = Gate::new(row, &rig, wire);
        let own = format!("{}://{}/", rig.ws(), rig.server.addr());
        if door_of(row) == Door::Socket {
            let at = format!("{}://{}/", rig.ws(), gate.socket());
            rig.server.with(|exchange, _| exchange.set_endpoint(at));
        }
        let roots = Roots::of(&rig, wire);
        let url = format!("{}://{}", rig.http(), gate.rest());
        let visitor = visitors.send(runtime, &url, &roots.path());
        let told = visitor.told()?;
        gate.be_good();
        rig.server.with(|exchange, _| exchange.set_endpoint(own));
        let live = visitor.told()?;
        // Its last words may still be on their way.
        let closes = (0..20).find_map(|_| {
            stay_away(10 * MS);
            Some(gate.closes()).filter(|closes| !closes.is_empty())
        });
        Some(Self {
            wire,
            healed: (live.what == "live").then(|| live.took - told.took),
            is_equal: is_equal(&rig, &live.rest).unwrap_or(false),
            class: if told.what == "told" { told.rest } else { format!("lost: {}", told.rest) },
            took: told.took,
            bytes: told.bytes,
            closes: closes.unwrap_or_default(),
        })
    }

    /// What is wrong with it, if anything is. `alone`: its process did nothing else.
    pub(super) fn wrong(&self, row: &Row, alone: bool) -> Option<Wrong> {
        // There may have been a second attempt before the peer was good.
        let closed =
            |code| self.closes.first() == Some(&code) && self.closes.iter().all(|of| *of == code);
        let mut classes = [Some(row.class), row.or].into_iter().flatten();
        match () {
            () if !classes.any(|class| self.class == format!("{class:?}")) => Some(Wrong::Class),
            () if self.took > row.within + SLACK => Some(Wrong::Late),
            () if alone && self.bytes > any_feed(self.wire) + row.cap => Some(Wrong::Memory),
            () if row.closes_with.is_some_and(|code| !closed(code)) => Some(Wrong::CloseCode),
            () if self.healed.is_none_or(|took| took > 10 * SECOND) => Some(Wrong::NotHealed),
            () if !self.is_equal => Some(Wrong::OtherBook),
            () => None,
        }
    }
}

impl fmt::Display for Visit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { class, took, bytes, healed, closes, is_equal, .. } = self;
        let (took, kib) = (took.as_millis(), bytes >> 10);
        write!(f, "{class} after {took} ms, {kib} KiB, closed with {closes:?}, ")?;
        match healed {
            Some(healed) => write!(f, "live {} ms later, equal: {is_equal}", healed.as_millis()),
            None => f.write_str("not live again"),
        }
    }
}

const fn door_of(row: &Row) -> Door {
    match row.place {
        Place::Token | Place::Snapshot | Place::Elsewhere => Door::Rest,
        Place::Upgrade | Place::Stream => Door::Socket,
        Place::Greeting(door) | Place::Certificate(door, _) => door,
    }
}

/// How far a side is known, in a word.
pub(super) fn said(reach: Coverage) -> String {
    match reach {
        Coverage::All => "all".into(),
        Coverage::To(price) => price.scaled().to_string(),
    }
}

fn heard(word: &str) -> Option<Coverage> {
    match word {
        "all" => Some(Coverage::All),
        units => Some(Coverage::To(Price::from_scaled(units.parse().ok()?)?)),
    }
}

/// Whether the book that a client has shown is the exchange's.
fn is_equal(rig: &Rig, shown: &str) -> Option<bool> {
    let words: Vec<&str> = shown.split(' ').collect();
    let [sequence, bids, asks, digest] = words[..] else { return None };
    let (sequence, bids, asks) =
        (Sequence::new(sequence.parse().ok()?), heard(bids)?, heard(asks)?);
    rig.server.with(|exchange, _| {
        let mut truths = exchange.market(symbol())?.truths_at(sequence);
        Some(truths.any(|truth| truth.digest(bids, asks) == digest))
    })
}

/// What the client may believe, where its process finds it.
struct Roots(Option<PathBuf>);

impl Roots {
    fn of(rig: &Rig, wire: Wire) -> Self {
        if wire == Wire::Plain {
            return Self(None);
        }
        let name = format!("kcf-hostile-{}-{}.pem", std::process::id(), rig.server.addr().port());
        let path = std::env::temp_dir().join(name);
        std::fs::write(&path, rig.authority().pem()).unwrap();
        Self(Some(path))
    }

    fn path(&self) -> String {
        self.0.as_ref().map_or_else(|| "-".into(), |path| path.to_str().unwrap().into())
    }
}

impl Drop for Roots {
    fn drop(&mut self) {
        if let Some(path) = &self.0 {
            let _ = std::fs::remove_file(path);
        }
    }
}
