//! What is broken on purpose, in the order of the show.

use std::time::Duration;

use kucoin_futures_proto::{
    BookDelayReason, BookEvent, BookLostReason, DisconnectReason, Event, Instant, LineEvent,
    RestError, Symbol, TransportError,
};
use kucoin_futures_sim::{Fault, Target};

/// One thing that is broken on purpose.
pub(crate) struct Act {
    pub(crate) title: &'static str,
    pub(crate) faults: Vec<Fault>,
    notices: Notices,
    pub(crate) broken: Option<Instant>,
    pub(crate) noticed: Option<Instant>,
    pub(crate) healed: Option<Instant>,
}

/// How one sees that the client has noticed.
enum Notices {
    /// By an event.
    Event(fn(&Event) -> bool),
    /// By its count of repeats: there is nothing to say, because nothing is wrong.
    Repeats,
}

impl Act {
    /// Whether the event, or the repeats counted since the fault, show that it was noticed.
    pub(crate) fn is_noticed(&self, event: Option<&Event>, new_repeats: u64) -> bool {
        match self.notices {
            Notices::Event(shows) => event.is_some_and(shows),
            Notices::Repeats => new_repeats > 0,
        }
    }

    /// From the fault to the notice, and to all books being live again.
    pub(crate) fn times(&self) -> [Option<Duration>; 2] {
        [self.noticed, self.healed].map(|at| Some(at?.since(self.broken?)))
    }
}

/// One act for so much time.
const PACE: Duration = Duration::from_millis(3200);
/// The fewest acts.
const FEWEST: usize = 3;

/// As many acts as the time allows, the most telling ones first.
pub(crate) fn acts(symbol: Symbol, span: Duration) -> Vec<Act> {
    let count = (span.as_millis() / PACE.as_millis()) as usize;
    let all = first_acts(symbol).into_iter().chain(later_acts(symbol));
    all.take(count.max(FEWEST)).collect()
}

fn act(title: &'static str, faults: &[Fault], notices: fn(&Event) -> bool) -> Act {
    Act {
        title,
        faults: faults.to_vec(),
        notices: Notices::Event(notices),
        broken: None,
        noticed: None,
        healed: None,
    }
}

fn first_acts(symbol: Symbol) -> Vec<Act> {
    let target = Target::One(symbol);
    let drop = Fault::Drop { target, count: 1 };
    let ms = Duration::from_millis;
    vec![
        act("a delta is lost", &[drop], |event| {
            matches!(
                event,
                Event::Book(_, BookEvent::Lost { reason: BookLostReason::Gap { .. }, .. })
            )
        }),
        act("pongs are withheld", &[Fault::WithholdPongs { span: ms(1500) }], |event| {
            down(event) == Some(DisconnectReason::PongTimeout)
        }),
        act(
            "the token expires",
            &[Fault::ExpireToken { count: 1 }, Fault::Close { code: 1001 }],
            |event| matches!(down(event), Some(DisconnectReason::Unauthorized { .. })),
        ),
        act(
            "a delta is lost, and REST says 429",
            &[Fault::TooManyRequests { reset: ms(1000), count: 1 }, drop],
            |event| matches!(no_snapshot(event), Some(RestError::RateLimited { .. })),
        ),
        act("the connection is closed", &[Fault::Close { code: 1000 }], |event| {
            lost(event) == Some(TransportError::Closed { code: Some(1000) })
        }),
        act("the connection is half open", &[Fault::Freeze { span: ms(2500) }], |event| {
            down(event) == Some(DisconnectReason::PongTimeout)
        }),
        act(
            "the engine restarts: numbers go back",
            &[Fault::StepBack { target, step: 5000 }],
            |event| {
                matches!(
                    event,
                    Event::Book(
                        _,
                        BookEvent::Lost { reason: BookLostReason::SequenceReset(_), .. }
                    )
                )
            },
        ),
    ]
}

fn later_acts(symbol: Symbol) -> Vec<Act> {
    let target = Target::One(symbol);
    let drop = Fault::Drop { target, count: 1 };
    let ms = Duration::from_millis;
    vec![
        act("a reset in the middle of a frame", &[Fault::Reset {}], |event| {
            lost(event) == Some(TransportError::Reset)
        }),
        act(
            "a delta is lost, the snapshot is stale",
            &[Fault::StaleSnapshot { target, count: 1 }, drop],
            |event| {
                matches!(
                    event,
                    Event::Book(
                        _,
                        BookEvent::Delayed(
                            BookDelayReason::SnapshotTooOld { .. }
                                | BookDelayReason::SnapshotDoubted { .. }
                        )
                    )
                )
            },
        ),
        act(
            "the connection breaks, the next is refused",
            &[Fault::Refuse { span: ms(800) }, Fault::Close { code: 1006 }],
            |event| matches!(lost(event), Some(TransportError::Upgrade { status: 503, .. })),
        ),
        act("a delta is lost, REST sends a web page", &[Fault::Html { count: 1 }, drop], |event| {
            matches!(no_snapshot(event), Some(RestError::Wire(_)))
        }),
        act(
            "a service restart, slow to come back",
            &[Fault::SlowConnect { delay: ms(400), count: 1 }, Fault::Close { code: 1012 }],
            |event| lost(event) == Some(TransportError::Closed { code: Some(1012) }),
        ),
        act(
            "a delta is lost, REST drips",
            &[Fault::Drip { pause: ms(5), count: 1 }, drop],
            |event| no_snapshot(event) == Some(RestError::Lost(TransportError::TimedOut)),
        ),
        Act {
            notices: Notices::Repeats,
            ..act("deltas come twice", &[Fault::Repeat { target, count: 2 }], |_| false)
        },
    ]
}

const fn down(event: &Event) -> Option<DisconnectReason> {
    match event {
        Event::Line(_, LineEvent::Down { reason, .. }) => Some(*reason),
        _ => None,
    }
}

const fn lost(event: &Event) -> Option<TransportError> {
    match down(event) {
        Some(DisconnectReason::Lost(error)) => Some(error),
        _ => None,
    }
}

const fn no_snapshot(event: &Event) -> Option<RestError> {
    match event {
        Event::Book(_, BookEvent::Delayed(BookDelayReason::SnapshotFailed(failure))) => {
            Some(*failure)
        }
        _ => None,
    }
}
