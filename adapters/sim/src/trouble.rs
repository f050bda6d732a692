//! What is broken at present: the lasting part of the faults.

use std::collections::BTreeMap;
use std::time::Duration;

use kucoin_futures_proto::{Instant, Symbol};

use crate::fault::{Fault, Refusal};

/// So many of the next ones, each spoiled by so much.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Next {
    left: u32,
    by: Duration,
}

impl Next {
    pub(crate) const fn new(left: u32, by: Duration) -> Self {
        Self { left, by }
    }

    pub(crate) const fn times(left: u32) -> Self {
        Self { left, by: Duration::ZERO }
    }

    /// Spoils one, if one is left.
    pub(crate) const fn take(&mut self) -> Option<Duration> {
        if self.left == 0 {
            return None;
        }
        self.left -= 1;
        Some(self.by)
    }
}

/// So many of the next ones, per symbol.
#[derive(Debug, Default)]
pub(crate) struct PerSymbol(BTreeMap<Symbol, u32>);

impl PerSymbol {
    pub(crate) fn add(&mut self, symbols: impl Iterator<Item = Symbol>, count: u32) {
        self.0.extend(symbols.filter(|_| count > 0).map(|symbol| (symbol, count)));
    }

    /// Spoils one, if one is left.
    pub(crate) fn take(&mut self, symbol: Symbol) -> bool {
        if self.0.is_empty() {
            return false;
        }
        let Some(left) = self.0.get_mut(&symbol) else { return false };
        *left -= 1;
        if *left == 0 {
            self.0.remove(&symbol);
        }
        true
    }
}

/// A REST trouble, in the order in which they are tried.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) enum HttpTrouble {
    Refused,
    Never,
    Html,
    Empty,
    TooMany,
    TooManyBare,
    Forbidden,
    Banned,
    ServerError,
    ApiError,
    Giant,
    Cut,
    Late,
    Drip,
}

impl HttpTrouble {
    /// The trouble that a fault makes, with how often and by how much.
    pub(crate) const fn of(fault: &Fault) -> Option<(Self, Next)> {
        Some(match *fault {
            Fault::RefusedRequest { count } => (Self::Refused, Next::times(count)),
            Fault::NoAnswer { count } => (Self::Never, Next::times(count)),
            Fault::Html { count } => (Self::Html, Next::times(count)),
            Fault::EmptyBody { count } => (Self::Empty, Next::times(count)),
            Fault::TooManyRequests { reset, count } => (Self::TooMany, Next::new(count, reset)),
            Fault::TooManyBare { count } => (Self::TooManyBare, Next::times(count)),
            Fault::Forbidden { count } => (Self::Forbidden, Next::times(count)),
            Fault::Banned { count } => (Self::Banned, Next::times(count)),
            Fault::ServerError { count } => (Self::ServerError, Next::times(count)),
            Fault::ApiError { count } => (Self::ApiError, Next::times(count)),
            Fault::GiantBody { count } => (Self::Giant, Next::times(count)),
            Fault::CutBody { count } => (Self::Cut, Next::times(count)),
            Fault::LateAnswer { delay, count } => (Self::Late, Next::new(count, delay)),
            Fault::Drip { pause, count } => (Self::Drip, Next::new(count, pause)),
            _ => return None,
        })
    }
}

/// A trouble of pushes that are no deltas, in the order in which they are tried.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) enum PushTrouble {
    Drop,
    Repeat,
    Malformed,
    Subject,
    OldForm,
}

impl PushTrouble {
    /// The trouble that a fault makes.
    pub(crate) const fn of(fault: &Fault) -> Option<Self> {
        Some(match fault {
            Fault::PushDrop { .. } => Self::Drop,
            Fault::PushRepeat { .. } => Self::Repeat,
            Fault::PushMalformed { .. } => Self::Malformed,
            Fault::PushSubject { .. } => Self::Subject,
            Fault::PushOld { .. } => Self::OldForm,
            _ => return None,
        })
    }

    /// The word of its fault.
    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::Drop => "push-drop",
            Self::Repeat => "push-repeat",
            Self::Malformed => "push-malformed",
            Self::Subject => "push-subject",
            Self::OldForm => "push-old",
        }
    }
}

/// Everything that is not as it should be; the default is health.
#[derive(Debug, Default)]
pub(crate) struct Troubles {
    /// Deltas still to be dropped.
    pub(crate) dropped: PerSymbol,
    /// Deltas still to be spoiled.
    pub(crate) malformed: PerSymbol,
    /// Snapshots still to be served from the past, as another symbol's, and with a wrong level.
    pub(crate) stale: PerSymbol,
    pub(crate) other: PerSymbol,
    pub(crate) lies: PerSymbol,
    /// Pushes still to be spoiled, in each way.
    pub(crate) pushes: BTreeMap<PushTrouble, PerSymbol>,
    /// Until when pushes of a book wait.
    pub(crate) held_back: BTreeMap<Symbol, Instant>,
    pub(crate) no_pongs_until: Option<Instant>,
    pub(crate) refused_until: Option<Instant>,
    pub(crate) frozen_until: Option<Instant>,
    pub(crate) flapping_until: Option<Instant>,
    /// With the words of their faults.
    pub(crate) http: BTreeMap<HttpTrouble, (&'static str, Next)>,
    /// Upgrades that are answered late.
    pub(crate) slow_connects: Next,
    pub(crate) late_welcomes: Next,
    pub(crate) no_welcomes: Next,
    pub(crate) two_welcomes: Next,
    pub(crate) wrong_welcomes: Next,
    pub(crate) late_acks: Next,
    pub(crate) no_acks: Next,
    pub(crate) two_acks: Next,
    pub(crate) strange_acks: Next,
    pub(crate) swapped_acks: Next,
    pub(crate) late_pongs: Next,
    pub(crate) wrong_pongs: Next,
    pub(crate) bad_servers: Next,
    pub(crate) only_bad_servers: Next,
    pub(crate) absurd_pings: Next,
    pub(crate) refused_requests: Option<(Refusal, Next)>,
}

impl Troubles {
    /// The REST trouble whose turn it is, the word of its fault, and by how much.
    pub(crate) fn take_http(&mut self) -> Option<(HttpTrouble, &'static str, Duration)> {
        let mut troubles = self.http.iter_mut();
        troubles.find_map(|(trouble, (word, next))| Some((*trouble, *word, next.take()?)))
    }

    /// The error that the request is to be refused with, if it is one.
    pub(crate) fn take_refusal_if(&mut self, is_request: bool) -> Option<Refusal> {
        if !is_request {
            return None;
        }
        let (refusal, next) = self.refused_requests.as_mut()?;
        next.take().map(|_| *refusal)
    }
}
