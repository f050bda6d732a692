//! What the components of one client share: the present, the config, and one way out.

use alloc::boxed::Box;
use alloc::collections::{BTreeSet, VecDeque};
use core::time::Duration;

use crate::config::Config;
use crate::event::{BookDelayReason, BookEvent, Event, TimePlace};
use crate::ids::{ConnId, RequestId, TopicId};
use crate::output::Output;
use crate::refusal::RecentWords;
use crate::rng::SplitMix64;
use crate::stats::Stats;
use crate::time::Instant;
use crate::timers::{Timer, Timers, TopicTimer};
use crate::wire::Delta;

/// Handed to every component that reacts to an input.
#[derive(Clone)]
pub(crate) struct Context {
    /// The time of the latest input; never goes backwards.
    pub(crate) now: Instant,
    pub(crate) config: Config,
    pub(crate) rng: SplitMix64,
    pub(crate) timers: Timers,
    pub(crate) stats: Stats,
    pub(crate) outbox: Outbox,
    /// What the exchange said when it refused something.
    pub(crate) words: RecentWords,
    /// Public lines that are up.
    pub(crate) lines_up: u32,
    conns: u32,
    requests: u32,
    /// Whether a time that cannot be read was told, for each place.
    odd_times_told: [bool; 4],
}

impl Context {
    pub(crate) fn new(now: Instant, seed: u64, config: Config) -> Self {
        let outbox = Outbox { cap: config.queues.events, ..Outbox::default() };
        let rng = SplitMix64::new(seed);
        Self {
            now,
            config,
            rng,
            timers: Timers::default(),
            stats: Stats::default(),
            outbox,
            words: RecentWords::default(),
            lines_up: 0,
            conns: 0,
            requests: 0,
            odd_times_told: [false; 4],
        }
    }

    /// Takes the caller's time; a clock that runs backwards is held, and counted.
    #[inline]
    pub(crate) fn advance(&mut self, now: Instant) {
        if now < self.now {
            self.stats.clock_backwards = self.stats.clock_backwards.saturating_add(1);
        }
        // planted: clock-back-forgets
        self.now = self.now.max(now);
    }

    pub(crate) fn event(&mut self, event: Event) {
        let lagged = self.outbox.event(event);
        self.stats.lagged = self.stats.lagged.saturating_add(lagged);
    }

    /// The event that comes a thousand times as often as all others.
    #[inline]
    pub(crate) fn delta_event(&mut self, topic: TopicId, delta: Delta) {
        let event = Event::Book(topic, BookEvent::Delta(delta));
        if self.outbox.foldable >= self.outbox.cap {
            return self.event(event);
        }
        self.outbox.foldable = self.outbox.foldable.wrapping_add(1);
        self.outbox.queue.push_back(Output::Event(event));
    }

    /// A time stands there that cannot be read: it counts as absent. Told once, because whoever writes times
    /// so does it every time.
    pub(crate) fn on_odd_time(&mut self, place: TimePlace) {
        self.stats.odd_times = self.stats.odd_times.saturating_add(1);
        let told = self.odd_times_told.get_mut(place as usize);
        if told.is_some_and(|told| !core::mem::replace(told, true)) {
            self.event(Event::OddTime(place));
        }
    }

    /// A topic that was refused on a line is to be asked for again after a pause; if others refused it, too, after
    /// the longest.
    pub(crate) fn pause(&mut self, topic: TopicId, delay: Duration) {
        let timer = Timer::Topic(topic, TopicTimer::Subscribe);
        let at = self.now + delay;
        self.timers.set(timer, self.timers.get(timer).map_or(at, |known| known.max(at)));
    }

    pub(crate) fn effect(&mut self, output: Output<'static>) {
        self.outbox.queue.push_back(output);
    }

    pub(crate) fn send(&mut self, conn: ConnId, text: Box<str>) {
        self.effect(Output::Send { conn, text });
    }

    /// Forgets what was to be sent on a connection that is gone.
    pub(crate) fn cancel_sends(&mut self, gone: ConnId) {
        self.outbox.queue.retain(|o| !matches!(o, Output::Send { conn, .. } if *conn == gone));
    }

    pub(crate) fn new_conn(&mut self) -> ConnId {
        self.conns = self.conns.wrapping_add(1);
        ConnId::new(self.conns)
    }

    pub(crate) fn new_request(&mut self) -> RequestId {
        self.requests = self.requests.wrapping_add(1);
        RequestId::new(self.requests)
    }
}

/// Outputs in the order of their causes.
#[derive(Clone, Default)]
pub(crate) struct Outbox {
    queue: VecDeque<Output<'static>>,
    /// Events in the queue that may be folded.
    foldable: usize,
    cap: usize,
}

/// Events that come again and again, and change no state that cannot be read elsewhere.
const fn is_foldable(output: &Output<'_>) -> bool {
    matches!(output, Output::Event(Event::Book(_, BookEvent::Delta(_) | BookEvent::Delayed(_))))
}

impl Outbox {
    /// Queues an event and says how many were folded into a `Lagged` because nobody drained.
    fn event(&mut self, event: Event) -> u64 {
        let output = Output::Event(event);
        let mut lagged = 0;
        if is_foldable(&output) {
            if self.foldable >= self.cap {
                lagged = self.fold();
            }
            self.foldable = self.foldable.saturating_add(1);
        }
        self.queue.push_back(output);
        lagged
    }

    /// The `Lagged` stands where the gap in the deltas is: behind what became live meanwhile. That a counter
    /// was set back is said all the same, once for each book: nothing else would.
    fn fold(&mut self) -> u64 {
        let (mut dropped, mut before) = (0_u32, 0_u32);
        let mut resets = BTreeSet::new();
        self.queue.retain(|output| {
            if let Output::Event(Event::Lagged { dropped }) = output {
                before = before.saturating_add(*dropped);
                return false;
            }
            let is_kept = !is_foldable(output)
                || matches!(output, Output::Event(Event::Book(topic, BookEvent::Delayed(reason)))
                    if matches!(reason, BookDelayReason::SequenceReset(_)) && resets.insert(*topic));
            dropped = dropped.saturating_add(u32::from(!is_kept));
            is_kept
        });
        self.foldable = resets.len();
        let in_all = before.saturating_add(dropped);
        if in_all > 0 {
            // planted: lag-untold
            self.queue.push_back(Output::Event(Event::Lagged { dropped: in_all }));
        }
        u64::from(dropped)
    }

    #[inline]
    pub(crate) fn pop(&mut self) -> Option<Output<'static>> {
        let output = self.queue.pop_front()?;
        if is_foldable(&output) {
            self.foldable = self.foldable.saturating_sub(1);
        }
        Some(output)
    }

    pub(crate) fn len(&self) -> usize {
        self.queue.len()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.queue.is_empty()
    }
}
