//! A row of the table: what a peer does, and what has to come of it.

use std::io;
use std::time::Duration;

use kucoin_futures_proto::{
    BookDelayReason, BookEvent, DisconnectReason, Event, LineEvent, RestError, TransportError,
};
use kucoin_futures_sim::Flaw;

use super::gate::Door;
use super::guest::{End, Guest};
use crate::case::{BOTH, PLAIN, TLS};
use crate::rig::{SECOND, Wire};

/// Where the peer does it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Place {
    /// In answer to the request for a token.
    Token,
    /// In answer to the request for a snapshot.
    Snapshot,
    /// In answer to the upgrade.
    Upgrade,
    /// On the WebSocket, after the welcome.
    Stream,
    /// Before anything was said on a connection that should begin with TLS.
    Greeting(Door),
    /// By its certificate; `None`: a good one, of another authority.
    Certificate(Door, Option<Flaw>),
    /// Nowhere.
    Elsewhere,
}

/// What the feed makes of it, in the feed's own words.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Class {
    Token(RestError),
    Snapshot(BookDelayReason),
    Line(DisconnectReason),
    /// Nothing: it is odd, but allowed, or does no harm.
    Live,
}

impl Class {
    pub(super) const fn of(event: &Event) -> Option<Self> {
        match *event {
            Event::Line(_, LineEvent::TokenFailed(reason)) => Some(Self::Token(reason)),
            Event::Line(_, LineEvent::Down { reason, .. }) => Some(Self::Line(reason)),
            Event::Book(_, BookEvent::Live { .. }) => Some(Self::Live),
            Event::Book(
                _,
                BookEvent::Delayed(
                    reason @ (BookDelayReason::SnapshotFailed(_)
                    | BookDelayReason::SnapshotMalformed(_)),
                ),
            ) => Some(Self::Snapshot(reason)),
            _ => None,
        }
    }
}

pub(super) type Act = fn(&mut Guest<'_>) -> io::Result<End>;

pub(super) struct Row {
    pub(super) name: &'static str,
    pub(super) place: Place,
    pub(super) act: Act,
    pub(super) class: Class,
    /// What it may be as well, where that is a matter of who is faster.
    pub(super) or: Option<Class>,
    /// The class is told within this time of the feed's start, and what a busy machine may add.
    pub(super) within: Duration,
    /// Bytes that the feed may allocate for it at a time, beyond those of any feed that connects.
    pub(super) cap: usize,
    /// The code that the client closes the socket with, if it does.
    pub(super) closes_with: Option<u16>,
    pub(super) wires: &'static [Wire],
}

/// What a feed waits for at most, in all of them: connects, welcomes, answers of REST, pongs.
pub(super) const PATIENCE: Duration = SECOND;
/// For what is no more than a few buffers.
const SMALL: usize = 64 << 10;

/// A snapshot, and what is made of it.
const BOOK: usize = 128 << 10;

impl Row {
    const fn new(name: &'static str, place: Place, class: Class, act: Act) -> Self {
        let wires = match place {
            Place::Greeting(_) | Place::Certificate(..) => TLS,
            _ => BOTH,
        };
        let within = Duration::ZERO;
        let (or, cap, closes_with) = (None, SMALL, None);
        Self { name, place, act, class, or, within, cap, closes_with, wires }
    }

    pub(super) const fn token(name: &'static str, error: RestError, act: Act) -> Self {
        Self::new(name, Place::Token, Class::Token(error), act)
    }

    pub(super) const fn snapshot(name: &'static str, why: BookDelayReason, act: Act) -> Self {
        // After the ack, and the pause before a snapshot; what is buffered meanwhile counts.
        Self::new(name, Place::Snapshot, Class::Snapshot(why), act).within(SECOND).cap(BOOK)
    }

    pub(super) const fn upgrade(name: &'static str, error: TransportError, act: Act) -> Self {
        Self::new(name, Place::Upgrade, Class::Line(DisconnectReason::Lost(error)), act)
    }

    pub(super) const fn stream(name: &'static str, error: TransportError, act: Act) -> Self {
        Self::new(name, Place::Stream, Class::Line(DisconnectReason::Lost(error)), act)
    }

    pub(super) const fn greeting(name: &'static str, door: Door, act: Act) -> Self {
        Self::new(name, Place::Greeting(door), refused(door), act)
    }

    pub(super) const fn certificate(name: &'static str, door: Door, flaw: Option<Flaw>) -> Self {
        // Whoever gets here was believed.
        Self::new(name, Place::Certificate(door, flaw), refused(door), |_| Ok(End::Held))
    }

    /// With another class.
    pub(super) const fn is(mut self, class: Class) -> Self {
        self.class = class;
        self
    }

    pub(super) const fn or(mut self, class: Class) -> Self {
        self.or = Some(class);
        self
    }

    pub(super) const fn ends(self, reason: DisconnectReason) -> Self {
        self.is(Class::Line(reason))
    }

    pub(super) const fn does_no_harm(self) -> Self {
        // A book in a still market waits for so long, and has levels.
        let cap = self.cap + BOOK;
        self.is(Class::Live).within(SECOND).cap(cap)
    }

    pub(super) const fn within(mut self, within: Duration) -> Self {
        self.within = within;
        self
    }

    pub(super) const fn cap(mut self, bytes: usize) -> Self {
        self.cap = bytes;
        self
    }

    pub(super) const fn closes_with(mut self, code: u16) -> Self {
        self.closes_with = Some(code);
        self
    }

    pub(super) const fn over_tls(mut self) -> Self {
        self.wires = TLS;
        self
    }

    pub(super) const fn without_tls(mut self) -> Self {
        self.wires = PLAIN;
        self
    }
}

const fn refused(door: Door) -> Class {
    match door {
        Door::Rest => Class::Token(RestError::Lost(TransportError::Tls)),
        Door::Socket => Class::Line(DisconnectReason::Lost(TransportError::Tls)),
    }
}
