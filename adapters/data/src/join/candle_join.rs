//! Candles: the state machine.

use std::collections::BTreeMap;
use std::time::Duration;

use kucoin_futures_proto::wire::{CandleUpdate, Kline, Rows};
use kucoin_futures_proto::{Granularity, Instant, Interval, Query, Symbol, TimeRange, UnixNanos};

use super::candle::{Candle, CandleState, JoinedCandle};
use super::clock::{ExchangeClock, Saturating as _};
use super::config::CandleJoinConfig;
use super::grid::{Grid, NoGrid, granularity};

/// Joins the candles of one contract and length: those of REST, and those of the stream as they grow.
///
/// A candle of the stream is closed when the stream shows a later one and was not interrupted in between; one of REST
/// when it was asked for after its end, by the exchange's clock. What REST said counts before what the stream said.
///
/// ```text
///  state      with                                      does                               next
///  ───────────────────────────────────────────────────────────────────────────────────────────────────────────
///  Clockless  due                                       asks for the exchange's time       Clockless
///             its answer, or a candle                   knows where to begin               Following
///  any but    a candle                                  hands it out as growing; the one   the same
///  Clockless                                            before as closed, if it is whole
///             the stream may have missed something      the growing one is not whole       the same
///                                                       until it is pushed again
///  Following  due: an interval is over, and what        asks for it and what follows       Filling
///             became of it is not known
///             due: the exchange's time is old           asks for it                        Following
///  Filling    an answer that settles all                hands out closed and empty ones    Following
///             one that leaves something open,           tries again                        Filling
///             a failure, due
///             .. for the last time                      tells a hole, goes on              Following
///             more candles wait than `most_waiting`     tells a hole, goes on              the same
/// ```
///
/// Every state has a deadline, which [`poll_timeout`](Self::poll_timeout) says.
///
/// What it cannot find: that the exchange leaves the last push of an interval out of a stream that goes on. Whoever has
/// to rule that out sets [`CandleJoinConfig::confirm`].
#[derive(Debug)]
pub struct CandleJoin {
    symbol: Symbol,
    interval: Interval,
    granularity: Granularity,
    config: CandleJoinConfig,
    grid: Grid,
    clock: Option<ExchangeClock>,
    /// The first interval of which nothing was told.
    next: Option<UnixNanos>,
    has_told: bool,
    /// What is known of intervals, until those before them are.
    known: BTreeMap<UnixNanos, Fate>,
    growing: Option<Growing>,
    /// The stream goes on without an interruption since some time before this interval.
    whole_from: Option<UnixNanos>,
    /// The stream is known to be down.
    is_down: bool,
    asked: Option<Asked>,
    /// Nothing is asked before.
    not_before: Instant,
    tries: u32,
}

/// What became of an interval.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Fate {
    Closed(Candle),
    Empty,
    Hole,
}

#[derive(Clone, Copy, Debug)]
struct Growing {
    candle: Candle,
    /// The stream was not interrupted since it was pushed.
    is_whole: bool,
}

#[derive(Clone, Copy, Debug)]
struct Asked {
    what: Wanted,
    until: Instant,
}

#[derive(Clone, Copy, Debug)]
enum Wanted {
    Clock,
    /// Intervals that begin at or after `from` and before `end` are over; those up to `to` show how far history is.
    Candles {
        from: UnixNanos,
        end: UnixNanos,
        to: UnixNanos,
    },
}

/// What is known of the exchange's clock is not further behind: no message is on its way for so long.
const MOST_BEHIND: Duration = Duration::from_secs(60);
/// Measured: an answer has no more rows.
const MOST_ROWS: u64 = 200;

impl CandleJoin {
    /// Begins. Make it when the topic is subscribed.
    ///
    /// # Errors
    /// Months cannot be joined.
    pub fn new(
        now: Instant,
        symbol: Symbol,
        interval: Interval,
        config: CandleJoinConfig,
    ) -> Result<Self, NoGrid> {
        let config = CandleJoinConfig {
            tries: config.tries.max(1),
            most_waiting: config.most_waiting.max(1),
            ..config
        };
        Ok(Self {
            symbol,
            interval,
            granularity: granularity(interval).ok_or(NoGrid)?,
            config,
            grid: Grid::new(interval)?,
            clock: None,
            next: None,
            has_told: false,
            known: BTreeMap::new(),
            growing: None,
            whole_from: None,
            is_down: false,
            asked: None,
            not_before: now,
            tries: 0,
        })
    }

    /// A candle of the stream. One of another contract or length is passed over.
    pub fn on_candle(&mut self, now: Instant, update: &CandleUpdate, out: &mut Vec<JoinedCandle>) {
        let is_ours = update.interval.is_none_or(|interval| interval == self.interval);
        if update.symbol != self.symbol || !is_ours || !self.fits(update.start) {
            return;
        }
        let start = update.start;
        let end = self.grid.after(start, 1);
        if self.clock.is_some_and(|clock| start > clock.time(now).saturating_add(MOST_BEHIND)) {
            // One of the two is wrong; the exchange's clock is asked, and until then nothing is concluded.
            self.clock = None;
            return;
        }
        // While the clock is asked for, a candle does not set it.
        if self.clock.is_some() || self.next.is_none() {
            self.set_clock(now, update.ts_event.unwrap_or(start).clamp(start, end));
        }
        let is_old = self.growing.is_some_and(|growing| start < growing.candle.start);
        if is_old || self.next.is_some_and(|next| start < next) {
            return;
        }
        // Whatever was pushed before: this one was pushed whole, and all that is pushed after it is heard.
        if !self.is_down && self.whole_from.is_none() {
            self.whole_from = Some(end);
        }
        let candle = Candle::from(update);
        let before = self.growing.replace(Growing { candle, is_whole: true });
        if let Some(Growing { candle, is_whole: true }) = before
            && candle.start < start
            && !self.config.confirm
        {
            self.known.entry(candle.start).or_insert(Fate::Closed(candle));
        }
        self.advance(out);
        out.push(JoinedCandle::Growing(candle));
        if self.known.len() > self.config.most_waiting {
            self.skip(out);
        }
    }

    /// The answer to the query for candles that was asked last; answers to earlier ones are not for here. One that comes
    /// unasked is passed over: it is not known when it was made.
    pub fn on_klines(&mut self, now: Instant, rows: &Rows<'_, Kline>, out: &mut Vec<JoinedCandle>) {
        let Some(Asked { what: Wanted::Candles { from, end, to }, .. }) = self.asked else {
            return;
        };
        let rows = rows.iter().take(MOST_ROWS as usize).collect::<Result<Vec<_>, _>>();
        let Ok(rows) = rows else { return self.on_query_failed(now, out) };
        self.asked = None;
        let rows = rows.iter().map(Candle::from).filter(|row| (from..=to).contains(&row.start));
        let rows: BTreeMap<UnixNanos, Candle> = rows.map(|row| (row.start, row)).collect();
        let grid = self.grid;
        if !rows.keys().all(|start| self.fits(*start)) {
            return self.try_again(now, (from, end), out);
        }
        if self.grid != grid {
            // Candles begin at other times than it was asked for.
            return;
        }
        let newest = rows.keys().next_back().copied();
        let mut start = from;
        while start < end {
            let fate = match rows.get(&start) {
                Some(row) => Some(Fate::Closed(*row)),
                None => self.fate_without_row(start, newest.is_some_and(|newest| newest > start)),
            };
            match fate {
                Some(fate) => self.known.insert(start, fate),
                None if self.known.contains_key(&start) => None,
                None => break,
            };
            start = self.grid.after(start, 1);
        }
        self.advance(out);
        if start < end {
            self.try_again(now, (start, end), out);
        }
    }

    /// The answer to [`Query::ServerTime`].
    pub fn on_server_time(&mut self, now: Instant, time: UnixNanos) {
        if matches!(self.asked, Some(Asked { what: Wanted::Clock, .. })) {
            self.asked = None;
        }
        self.clock = None;
        self.set_clock(now, time);
    }

    /// What was asked is not answered: [`Event::QueryFailed`](kucoin_futures_proto::Event::QueryFailed), or something
    /// else than it should be.
    pub fn on_query_failed(&mut self, now: Instant, out: &mut Vec<JoinedCandle>) {
        match self.asked.take() {
            Some(Asked { what: Wanted::Candles { from, end, .. }, .. }) => {
                self.try_again(now, (from, end), out);
            }
            Some(Asked { what: Wanted::Clock, .. }) => {
                self.not_before = now + self.config.retry_after;
            }
            None => {}
        }
    }

    /// The stream is carried from here on, and may have left something out before:
    /// [`TopicEvent::MayHaveMissed`](kucoin_futures_proto::TopicEvent::MayHaveMissed), a candle that could not be read,
    /// and also [`TopicEvent::Confirmed`](kucoin_futures_proto::TopicEvent::Confirmed), after which silence means that
    /// nothing is traded.
    pub fn on_may_have_missed(&mut self, now: Instant) {
        self.interrupt();
        self.is_down = false;
        // Of the present interval something may be missing. What is known of the exchange's clock is a little behind.
        self.whole_from = self.clock.map(|clock| {
            let soon = clock.time(now).saturating_add(self.config.settle);
            self.grid.after(self.grid.start_of(soon), 1)
        });
    }

    /// Nothing comes by the stream until [`on_may_have_missed`](Self::on_may_have_missed) is called: its line is down.
    /// Without this call, silence of a stream that is down passes for a still market if history, too, has no candle
    /// yet.
    pub fn on_down(&mut self) {
        self.interrupt();
        self.is_down = true;
        self.whole_from = None;
    }

    /// What is to be asked now, if anything. To be called after the other calls, and when
    /// [`poll_timeout`](Self::poll_timeout) is due.
    pub fn poll_query(&mut self, now: Instant, out: &mut Vec<JoinedCandle>) -> Option<Query> {
        if self.asked.is_some_and(|asked| now >= asked.until) {
            self.on_query_failed(now, out);
        }
        if self.asked.is_some() || now < self.not_before {
            return None;
        }
        let what = self.wanted(now)?;
        self.asked = Some(Asked { what, until: now + self.config.answer_within });
        self.not_before = now + self.config.spacing;
        Some(match what {
            Wanted::Clock => Query::ServerTime,
            Wanted::Candles { from, to, .. } => Query::Klines {
                symbol: self.symbol,
                granularity: self.granularity,
                range: TimeRange { from: Some(from), to: Some(to) },
            },
        })
    }

    /// When [`poll_query`](Self::poll_query) has something to do. There is always something: no state is for ever.
    #[must_use]
    pub fn poll_timeout(&self) -> Instant {
        if let Some(asked) = self.asked {
            return asked.until;
        }
        let Some((clock, next)) = self.clock.zip(self.next) else { return self.not_before };
        let over = self.grid.after(next, 1).saturating_add(self.config.settle);
        clock.when(over, self.config.clock_for).max(self.not_before)
    }

    /// Where it stands.
    #[must_use]
    pub const fn state(&self) -> CandleState {
        match (self.next, self.asked) {
            (None, _) => CandleState::Clockless,
            (Some(_), Some(Asked { what: Wanted::Candles { .. }, .. })) => CandleState::Filling,
            _ if self.tries > 0 => CandleState::Filling,
            _ => CandleState::Following,
        }
    }

    /// Whether a candle can begin then. Until something was told, candles say when they do.
    fn fits(&mut self, start: UnixNanos) -> bool {
        if !self.has_told && !self.grid.is_start(start) {
            self.grid.move_to(start);
            self.next = self.next.map(|next| self.grid.start_of(next));
            self.known.clear();
            (self.growing, self.whole_from) = (None, None);
        }
        self.grid.is_start(start)
    }

    /// The exchange's clock has come to this time, or further.
    fn set_clock(&mut self, now: Instant, time: UnixNanos) {
        if self.clock.is_none_or(|clock| clock.time(now) < time) {
            self.clock = Some(ExchangeClock::new(now, time));
        }
        if self.next.is_none() {
            let history = u64::from(self.config.history);
            self.next = Some(self.grid.before(self.grid.start_of(time), history));
        }
    }

    /// What is not known and could be.
    fn wanted(&self, now: Instant) -> Option<Wanted> {
        let clock = self.clock.filter(|clock| clock.age(now) < self.config.clock_for);
        let (Some(clock), Some(from)) = (clock, self.next) else { return Some(Wanted::Clock) };
        let over = self.grid.start_of(clock.time(now).saturating_sub(self.config.settle));
        let to = over.min(self.grid.after(from, MOST_ROWS - 1));
        (from < over).then(|| Wanted::Candles { from, end: over.min(self.grid.after(to, 1)), to })
    }

    /// What became of an interval that is over and that history has no candle of. `is_past`: but of a later one.
    fn fate_without_row(&self, start: UnixNanos, is_past: bool) -> Option<Fate> {
        if self.known.contains_key(&start) {
            return None;
        }
        match self.growing.filter(|growing| growing.candle.start == start) {
            // History is behind the stream.
            Some(_) if !is_past => None,
            Some(Growing { candle, is_whole: true }) => Some(Fate::Closed(candle)),
            // It has traded, and nobody says how much.
            Some(_) => Some(Fate::Hole),
            None if is_past || self.whole_from.is_some_and(|from| from <= start) => {
                Some(Fate::Empty)
            }
            None => None,
        }
    }

    /// Of these intervals nothing is known yet.
    fn try_again(
        &mut self,
        now: Instant,
        (mut start, end): (UnixNanos, UnixNanos),
        out: &mut Vec<JoinedCandle>,
    ) {
        self.tries = self.tries.saturating_add(1);
        if self.tries < self.config.tries {
            self.not_before = now + self.config.retry_after;
            return;
        }
        self.tries = 0;
        while start < end {
            let fate = match self.growing {
                Some(Growing { candle, is_whole: true }) if candle.start == start => {
                    Fate::Closed(candle)
                }
                _ => Fate::Hole,
            };
            self.known.entry(start).or_insert(fate);
            start = self.grid.after(start, 1);
        }
        self.advance(out);
    }

    /// What is before the first candle that waits will not be known.
    fn skip(&mut self, out: &mut Vec<JoinedCandle>) {
        let (Some(from), Some((to, _))) = (self.next, self.known.first_key_value()) else { return };
        let to = *to;
        out.push(JoinedCandle::Hole { from, to });
        (self.next, self.has_told) = (Some(to), true);
        self.advance(out);
    }

    /// Hands out what is known of the next intervals.
    fn advance(&mut self, out: &mut Vec<JoinedCandle>) {
        let Some(mut next) = self.next else { return };
        let mut gap: Option<(Fate, UnixNanos)> = None;
        while let Some(fate) = self.known.remove(&next) {
            let goes_on = gap.is_some_and(|(of, _)| of == fate);
            if !goes_on && let Some((of, from)) = gap.take() {
                out.push(told(of, from, next));
            }
            if goes_on || !matches!(fate, Fate::Closed(_)) {
                gap = gap.or(Some((fate, next)));
            } else {
                out.push(told(fate, next, next));
            }
            next = self.grid.after(next, 1);
            self.has_told = true;
        }
        if let Some((of, from)) = gap {
            out.push(told(of, from, next));
        }
        if self.next.replace(next) != Some(next) {
            self.tries = 0;
        }
        self.known = self.known.split_off(&next);
        self.growing = self.growing.filter(|growing| growing.candle.start >= next);
    }

    fn interrupt(&mut self) {
        if let Some(growing) = &mut self.growing {
            growing.is_whole = false;
        }
    }
}

/// What is told of the intervals from one to another.
const fn told(fate: Fate, from: UnixNanos, to: UnixNanos) -> JoinedCandle {
    match fate {
        Fate::Closed(candle) => JoinedCandle::Closed(candle),
        Fate::Empty => JoinedCandle::Empty { from, to },
        Fate::Hole => JoinedCandle::Hole { from, to },
    }
}
