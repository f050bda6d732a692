//! Which faults struck, and whether what was expected of the client was then seen.

use std::collections::BTreeMap;

use kucoin_futures_proto::{
    BookDelayReason, BookEvent, BookLostReason, DisconnectReason, Event, Evidence, LineEvent,
    RestError, Stats, Symbol, TopicEvent, WireError,
};

use crate::exchange::DAY_CUT;
use crate::fault::{Fault, Refusal};
use crate::judge::Found;

/// What a run knows of one kind of fault.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
#[non_exhaustive]
pub struct Tally {
    /// Times it met something: a request, a frame, a connection.
    pub struck: u64,
    /// Times one of the signs that it calls for was seen while it was open.
    pub seen: u64,
}

/// All kinds of faults, by their words.
#[derive(Clone, Debug, Default)]
pub struct Ledger {
    tallies: BTreeMap<&'static str, Tally>,
    /// How often a client named evidence of a restarted counter.
    evidence: BTreeMap<Evidence, u64>,
    open: Vec<Open>,
}

#[derive(Clone, Copy, Debug)]
struct Open {
    word: &'static str,
    symbol: Option<Symbol>,
    signs: u64,
    count: u64,
}

/// Strikes of one kind that wait for their sign; more are not kept apart.
const MOST_OPEN: usize = 256;

impl Ledger {
    /// Every kind that is drawn: the words of the faults, each error by itself, and the cut after a day.
    pub fn words() -> impl Iterator<Item = &'static str> {
        let plain =
            Fault::honest_words().filter(|word| !matches!(*word, "error" | "refuse-request"));
        let errors = Refusal::ALL.iter().flat_map(|error| [error.as_error(), error.as_refusal()]);
        plain.chain(errors).chain([DAY_CUT])
    }

    /// What is known of each kind that struck.
    pub fn tallies(&self) -> impl Iterator<Item = (&'static str, Tally)> + '_ {
        self.tallies.iter().map(|(word, tally)| (*word, *tally))
    }

    /// What is known of one kind.
    #[must_use]
    pub fn of(&self, word: &str) -> Tally {
        self.tallies.get(word).copied().unwrap_or_default()
    }

    /// How often clients named each kind of evidence of a restarted counter.
    pub fn evidence(&self) -> impl Iterator<Item = (Evidence, u64)> + '_ {
        let named = |kind| (kind, self.evidence.get(&kind).copied().unwrap_or_default());
        Evidence::ALL.iter().copied().map(named)
    }

    /// Faults that struck, of all kinds.
    #[must_use]
    pub fn struck(&self) -> u64 {
        self.tallies.values().map(|tally| tally.struck).sum()
    }

    /// Adds what another run knows.
    pub fn add(&mut self, other: &Self) {
        for (word, tally) in &other.tallies {
            let mine = self.tallies.entry(word).or_default();
            mine.struck += tally.struck;
            mine.seen += tally.seen;
        }
        for (kind, named) in &other.evidence {
            *self.evidence.entry(*kind).or_default() += named;
        }
    }

    pub(crate) fn strike(&mut self, word: &'static str, symbol: Option<Symbol>) {
        self.tallies.entry(word).or_default().struck += 1;
        let same = |open: &&mut Open| (open.word, open.symbol) == (word, symbol);
        if let Some(open) = self.open.iter_mut().find(same) {
            open.count += 1;
        } else if self.open.len() < MOST_OPEN {
            self.open.push(Open { word, symbol, signs: expected(word), count: 1 });
        }
    }

    pub(crate) fn on_event(&mut self, event: &Event, symbol: Option<Symbol>) {
        if let Some(kind) = evidence_in(event) {
            *self.evidence.entry(kind).or_default() += 1;
        }
        if !self.open.is_empty() {
            self.on_signs(signs_of(event), symbol);
        }
    }

    /// What counters say that no event does.
    pub(crate) fn on_stats(&mut self, before: &Stats, after: &Stats) {
        if self.open.is_empty() {
            return;
        }
        let mut signs = 0;
        for (grown, sign) in [
            (after.repeats > before.repeats, REPEATS),
            (after.unsolicited > before.unsolicited, UNSOLICITED),
            (after.errors > before.errors, ERRORS),
            (after.clock_backwards > before.clock_backwards, BACKWARDS),
            (after.pongs > before.pongs, PONG),
            (after.covered > before.covered, COVERED),
            (after.stale_inputs > before.stale_inputs, STALE),
            (after.messages > before.messages, MESSAGE),
            (after.malformed > before.malformed, UNREADABLE),
            (after.unknown > before.unknown, UNREADABLE),
            (after.unwanted > before.unwanted, UNREADABLE),
        ] {
            signs |= if grown { sign } else { 0 };
        }
        self.on_signs(signs, None);
    }

    /// What a message of the exchange's came out as.
    pub(crate) fn on_message(&mut self, found: Found) {
        let sign = match found {
            Found::Nothing | Found::Message => return,
            Found::Error => UNREADABLE,
            Found::Unknown => RAW,
        };
        if !self.open.is_empty() {
            self.on_signs(sign, None);
        }
    }

    fn on_signs(&mut self, signs: u64, symbol: Option<Symbol>) {
        let tallies = &mut self.tallies;
        self.open.retain(|open| {
            let concerns = open.symbol.is_none() || symbol.is_none() || open.symbol == symbol;
            let answered = concerns && open.signs & signs != 0;
            if answered {
                tallies.entry(open.word).or_default().seen += open.count;
            }
            !answered
        });
    }
}

const GAP: u64 = 1;
const REGRESSED: u64 = 1 << 1;
const POISONED: u64 = 1 << 2;
const HORIZON: u64 = 1 << 3;
const CROSSED: u64 = 1 << 4;
const LIVE: u64 = 1 << 5;
const DELTA: u64 = 1 << 6;
const DOWN: u64 = 1 << 7;
const SILENT_PEER: u64 = 1 << 8;
const UNAUTHORIZED: u64 = 1 << 9;
const REFUSED: u64 = 1 << 10;
const FETCH: u64 = 1 << 11;
const BAD_SNAPSHOT: u64 = 1 << 12;
const TOO_OLD: u64 = 1 << 13;
const UP: u64 = 1 << 14;
const NO_WELCOME: u64 = 1 << 15;
const CONFIRMED: u64 = 1 << 16;
const REJECTED: u64 = 1 << 17;
const LAGGED: u64 = 1 << 18;
const CLOSED: u64 = 1 << 19;
const SUSPENDED: u64 = 1 << 20;
const NO_SERVER: u64 = 1 << 21;
const UNSUBSCRIBED: u64 = 1 << 22;
const REPEATS: u64 = 1 << 23;
const UNSOLICITED: u64 = 1 << 24;
const ERRORS: u64 = 1 << 25;
const BACKWARDS: u64 = 1 << 26;
const PONG: u64 = 1 << 27;
const COVERED: u64 = 1 << 28;
const STALE: u64 = 1 << 29;
const MESSAGE: u64 = 1 << 30;
const NO_ACK: u64 = 1 << 31;
const UNREADABLE: u64 = 1 << 32;
const RAW: u64 = 1 << 33;

/// Any of these is what a fault calls for.
fn expected(word: &str) -> u64 {
    match word {
        "drop" | "step-ahead" | "mute" => GAP,
        "repeat" => REPEATS | REGRESSED,
        "push-repeat" => REPEATS | MESSAGE,
        "push-malformed" => UNREADABLE,
        "push-subject" => RAW,
        // Nothing counts what never came or is only written in another way; but the stream goes on.
        "push-drop" | "push-old" => MESSAGE,
        "step-back" => REGRESSED,
        "malformed" => POISONED,
        // The next snapshot is ahead of all that was buffered, or the deltas come late.
        "hold-back" => DELTA | COVERED | LIVE,
        "one-sided" | "hollow" | "rally" => HORIZON | DELTA,
        "cross" => CROSSED | DELTA,
        "stale-snapshot" => TOO_OLD | LIVE,
        "other-snapshot" => BAD_SNAPSHOT,
        "late-welcome" => UP | NO_WELCOME,
        "no-welcome" | "wrong-welcome" => NO_WELCOME,
        "two-welcomes" | "two-acks" | "strange-ack" => UNSOLICITED,
        "late-ack" | "swap-acks" => CONFIRMED | UNSUBSCRIBED | NO_ACK,
        "no-ack" => CONFIRMED | UNSUBSCRIBED | NO_ACK,
        "withhold-pongs" | "wrong-pong" => SILENT_PEER,
        "late-pong" => PONG | SILENT_PEER,
        "expire-token" => UNAUTHORIZED,
        "close" | "close-one" | "reset" | "flap" | "refuse" => DOWN,
        DAY_CUT => DOWN,
        "slow-connect" => UP | DOWN,
        "freeze" | "stall-up" | "stall-down" => SILENT_PEER | MESSAGE,
        "http-late" | "http-never" | "http-drip" => FETCH | UP | LIVE | STALE,
        "bad-servers" | "absurd-pings" => UP,
        "only-bad-servers" => NO_SERVER,
        "lag" => MESSAGE,
        "clock-back" => BACKWARDS,
        "clock-leap" | "sleep" => SUSPENDED | SILENT_PEER | MESSAGE | DOWN,
        "late-timeouts" | "early-timeouts" => MESSAGE,
        "undrained" | "slow-consumer" => LAGGED | MESSAGE,
        "toggle" => UNSUBSCRIBED | CONFIRMED,
        "close-client" => CLOSED,
        word if word.starts_with("http-") => FETCH,
        "error 401" => UNAUTHORIZED,
        "refuse-request 401" => UNAUTHORIZED,
        word if word.starts_with("error ") => ERRORS,
        word if word.starts_with("refuse-request ") => ERRORS | REJECTED | REFUSED,
        _ => 0,
    }
}

fn signs_of(event: &Event) -> u64 {
    match event {
        Event::Line(_, LineEvent::Up { .. }) => UP,
        Event::Line(_, LineEvent::Down { reason, .. }) => DOWN | signs_of_down(*reason),
        Event::Line(_, LineEvent::TokenFailed(RestError::Wire(WireError::NoUsableServer))) => {
            NO_SERVER | FETCH
        }
        Event::Line(_, LineEvent::TokenFailed(_)) | Event::QueryFailed { .. } => FETCH,
        Event::Topic(_, TopicEvent::Confirmed) => CONFIRMED,
        Event::Topic(_, TopicEvent::Refused { .. } | TopicEvent::Rejected { .. }) => REJECTED,
        Event::Topic(_, TopicEvent::Unsubscribed) => UNSUBSCRIBED,
        Event::Book(_, BookEvent::Live { .. }) => LIVE,
        Event::Book(_, BookEvent::Delta(_)) => DELTA,
        Event::Book(_, BookEvent::Lost { reason, .. }) => match reason {
            BookLostReason::Gap { .. } | BookLostReason::LeftBehind { .. } => GAP,
            BookLostReason::SequenceReset(_) => REGRESSED,
            BookLostReason::Poisoned(_) => POISONED,
            BookLostReason::Horizon(_) => HORIZON,
            BookLostReason::Crossed => CROSSED,
            _ => 0,
        },
        Event::Book(_, BookEvent::Delayed(reason)) => match reason {
            BookDelayReason::Gap => GAP,
            BookDelayReason::SequenceReset(_) => REGRESSED,
            BookDelayReason::Poisoned(_) => POISONED,
            BookDelayReason::SnapshotTooOld { .. }
            | BookDelayReason::SnapshotDeferred { .. }
            | BookDelayReason::SnapshotDoubted { .. } => TOO_OLD,
            BookDelayReason::SnapshotFailed(_) => FETCH,
            BookDelayReason::SnapshotMalformed(_) => BAD_SNAPSHOT | FETCH,
            _ => 0,
        },
        Event::Lagged { .. } => LAGGED,
        _ => 0,
    }
}

const fn evidence_in(event: &Event) -> Option<Evidence> {
    use BookDelayReason::{SequenceReset, SnapshotDeferred, SnapshotDoubted};
    match *event {
        Event::Book(_, BookEvent::Lost { reason: BookLostReason::SequenceReset(evidence), .. })
        | Event::Book(
            _,
            BookEvent::Delayed(
                SequenceReset(evidence)
                | SnapshotDeferred { evidence, .. }
                | SnapshotDoubted { evidence, .. },
            ),
        ) => Some(evidence),
        _ => None,
    }
}

const fn signs_of_down(reason: DisconnectReason) -> u64 {
    match reason {
        DisconnectReason::PongTimeout => SILENT_PEER,
        DisconnectReason::Unauthorized { .. } => UNAUTHORIZED,
        DisconnectReason::WelcomeTimeout | DisconnectReason::WrongWelcome => NO_WELCOME,
        DisconnectReason::Suspended => SUSPENDED,
        DisconnectReason::Refused { .. } => REFUSED,
        DisconnectReason::AckTimeout => NO_ACK,
        DisconnectReason::Closed => CLOSED,
        _ => 0,
    }
}
