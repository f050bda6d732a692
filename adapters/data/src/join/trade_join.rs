//! Trades: the state machine.

use kucoin_futures_proto::wire::{Execution, RestTrade, Rows};
use kucoin_futures_proto::{Instant, Query, Symbol};

use super::answer::oldest_first;
use super::config::TradeJoinConfig;
use super::joined::{HoleReason, JoinedTrade, Source};
use super::pending::{Joint, Pending, Reach};
use super::seen::{Seen, Standing};
use super::trade::{Mark, Trade};
use super::trade_state::{TradeCounts, TradeState};

/// Joins the trades of one contract: the last 100 by REST, and the stream after them.
///
/// Sequences of trades rise by one or by more, so they order and tell a trade that was there from a new one, and show
/// no gap. That nothing is missing is proven by overlap alone: history shows something of what was handed out, and
/// what the stream began with. Until then the stream waits.
///
/// ```text
///  state     with                                  does                               next
///  ────────────────────────────────────────────────────────────────────────────────────────────────────────
///  Waiting   due                                   asks                               Asking
///            a new trade                           keeps it; the first: asks sooner   Waiting
///  Asking    an answer that joins all              hands out                          Live, or Quiet if the
///                                                                                     stream has not spoken yet
///            one that is behind the stream,        hands out what it proves,          Waiting
///            a failure, due                        tries again
///            .. for the last time                  tells a hole, hands out            Live, or Quiet
///            a new trade                           keeps it                           Asking
///  Quiet     a trade that history had shown        -                                  Live
///            a new trade                           keeps it                           Waiting
///            due                                   asks                               Asking
///  Live      a trade                               hands it out                       Live
///            due: silence, or a check              asks                               Checking
///  Checking  a trade                               hands it out                       Checking
///            an answer with nothing new, or        hands out what follows, and as     Live
///            after a trade of the stream           late what the stream has left out
///            one with new trades, the stream       hands them out, with a hole if it  Quiet
///            silent                                does not reach back
///            a failure, due                        -                                  Live
///  Waiting.. more is kept than `most_pending`      tells a hole, hands out            Live, or Quiet
///  any       the stream may have missed something  -                                  Waiting
/// ```
///
/// Every state has a deadline, which [`poll_timeout`](Self::poll_timeout) says. A trade that comes without a time is
/// told from others by its sequence alone: that the counter was set back is then not seen.
///
/// What it cannot find: a trade that the exchange leaves out of a stream that goes on, when 100 more have passed until
/// the next check.
#[derive(Debug)]
pub struct TradeJoin {
    symbol: Symbol,
    config: TradeJoinConfig,
    phase: Phase,
    seen: Seen,
    pending: Pending,
    /// The stream has been interrupted since its last trade, or has not begun.
    is_cut: bool,
    /// The last trade of before the interruption.
    cut_after: Option<Mark>,
    /// Queries without success in a row.
    tries: u32,
    asked: Option<Instant>,
    counts: TradeCounts,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Phase {
    Waiting { until: Instant },
    Asking { until: Instant },
    Quiet { until: Instant },
    Live { silent: Instant, check: Instant },
    Checking { until: Instant, has_spoken: bool },
}

impl TradeJoin {
    /// Begins: the first query wants to be asked within a second. Make it when the topic is subscribed.
    #[must_use]
    pub fn new(now: Instant, symbol: Symbol, config: TradeJoinConfig) -> Self {
        let config = TradeJoinConfig {
            tries: config.tries.max(1),
            most_pending: config.most_pending.max(1),
            most_remembered: config.most_remembered.max(LEAST_REMEMBERED),
            ..config
        };
        Self {
            symbol,
            config,
            phase: Phase::Waiting { until: now + config.ask_in_still_market },
            seen: Seen::new(config.most_remembered),
            pending: Pending::default(),
            is_cut: true,
            cut_after: None,
            tries: 0,
            asked: None,
            counts: TradeCounts::default(),
        }
    }

    /// A trade of the stream. One of another contract is passed over.
    pub fn on_execution(
        &mut self,
        now: Instant,
        execution: &Execution<'_>,
        out: &mut Vec<JoinedTrade>,
    ) {
        if execution.symbol != self.symbol {
            return;
        }
        let trade = Trade::from(execution);
        match &mut self.phase {
            Phase::Live { silent, .. } => *silent = now + self.config.silence,
            Phase::Checking { has_spoken, .. } => *has_spoken = true,
            Phase::Waiting { .. } | Phase::Asking { .. } | Phase::Quiet { .. } => {
                return self.keep(now, trade, out);
            }
        }
        self.hand_out(trade, Source::Stream, Joint::Proven, HoleReason::NoHistory, out);
    }

    /// The answer to what was asked. One that comes unasked, or late, does no harm.
    pub fn on_history(
        &mut self,
        now: Instant,
        rows: &Rows<'_, RestTrade<'_>>,
        out: &mut Vec<JoinedTrade>,
    ) {
        let Some(trades) = oldest_first(rows) else { return self.on_query_failed(now, out) };
        match self.phase {
            Phase::Live { .. } => {}
            Phase::Checking { has_spoken, .. } => self.check(now, trades, has_spoken, out),
            Phase::Waiting { .. } | Phase::Asking { .. } | Phase::Quiet { .. } => {
                self.settle(now, trades, out);
            }
        }
    }

    /// What was asked is not answered: [`Event::QueryFailed`](kucoin_futures_proto::Event::QueryFailed), or something
    /// else than trades.
    pub fn on_query_failed(&mut self, now: Instant, out: &mut Vec<JoinedTrade>) {
        match self.phase {
            Phase::Asking { .. } => {
                self.counts.failures = self.counts.failures.saturating_add(1);
                self.try_again(now, out);
            }
            Phase::Checking { .. } => {
                self.counts.failures = self.counts.failures.saturating_add(1);
                self.go_on(now);
            }
            Phase::Waiting { .. } | Phase::Quiet { .. } | Phase::Live { .. } => {}
        }
    }

    /// The stream may have left something out:
    /// [`TopicEvent::MayHaveMissed`](kucoin_futures_proto::TopicEvent::MayHaveMissed), a trade that could not be read,
    /// or a queue in between that has overflowed. To be said before the first trade that comes after it.
    pub fn on_may_have_missed(&mut self, now: Instant) {
        self.is_cut = true;
        self.cut_after = self.pending.newest().or_else(|| self.seen.newest());
        if !matches!(self.phase, Phase::Waiting { .. } | Phase::Asking { .. }) {
            self.tries = 0;
        }
        self.phase = Phase::Waiting { until: now + self.config.ask_in_still_market };
    }

    /// What is to be asked now, if anything. To be called after the other calls, and when
    /// [`poll_timeout`](Self::poll_timeout) is due.
    pub fn poll_query(&mut self, now: Instant, out: &mut Vec<JoinedTrade>) -> Option<Query> {
        if now < self.poll_timeout() {
            return None;
        }
        if matches!(self.phase, Phase::Asking { .. } | Phase::Checking { .. }) {
            self.on_query_failed(now, out);
            if now < self.poll_timeout() {
                return None;
            }
        }
        let until = now + self.config.answer_within;
        self.phase = match self.phase {
            Phase::Live { .. } => Phase::Checking { until, has_spoken: false },
            _ => Phase::Asking { until },
        };
        self.asked = Some(now);
        self.counts.queries = self.counts.queries.saturating_add(1);
        Some(Query::Trades { symbol: self.symbol })
    }

    /// When [`poll_query`](Self::poll_query) has something to do. There is always something: no state is for ever.
    #[must_use]
    pub fn poll_timeout(&self) -> Instant {
        let until = match self.phase {
            Phase::Asking { until } | Phase::Checking { until, .. } => return until,
            Phase::Waiting { until } | Phase::Quiet { until } => until,
            Phase::Live { silent, check } => silent.min(check),
        };
        self.asked.map_or(until, |asked| until.max(asked + self.config.spacing))
    }

    /// Where it stands.
    #[must_use]
    pub const fn state(&self) -> TradeState {
        match self.phase {
            Phase::Waiting { .. } => TradeState::Waiting,
            Phase::Asking { .. } => TradeState::Asking,
            Phase::Quiet { .. } => TradeState::Quiet,
            Phase::Live { .. } => TradeState::Live,
            Phase::Checking { .. } => TradeState::Checking,
        }
    }

    /// What it has done so far.
    #[must_use]
    pub const fn counts(&self) -> &TradeCounts {
        &self.counts
    }

    /// Trades of the stream that wait for history.
    #[must_use]
    pub fn pending(&self) -> usize {
        self.pending.len()
    }

    /// A trade of a stream that is not joined yet.
    fn keep(&mut self, now: Instant, trade: Trade, out: &mut Vec<JoinedTrade>) {
        let mark = trade.mark();
        match self.seen.standing(mark) {
            Standing::Known => {
                self.count_repeat();
                // Not what was pushed before the interruption, once more.
                let is_since = self.cut_after.is_none_or(|cut| cut.is_before(mark));
                if self.is_cut && is_since {
                    self.is_cut = false;
                    if self.pending.is_empty() {
                        self.go_on(now);
                    }
                }
            }
            Standing::Past | Standing::Late => {
                self.hand_out(trade, Source::Stream, Joint::Proven, HoleReason::NoHistory, out);
            }
            Standing::Next | Standing::NewRun => {
                if self.pending.insert(trade, self.is_cut) {
                    self.is_cut = false;
                }
                self.hurry(now);
                if self.pending.len() > self.config.most_pending {
                    self.give_up(now, HoleReason::Overflow, out);
                }
            }
        }
    }

    /// There is something to join history to.
    fn hurry(&mut self, now: Instant) {
        let soon = now + self.config.ask_after_trade;
        self.phase = match self.phase {
            Phase::Quiet { .. } => Phase::Waiting { until: soon },
            Phase::Waiting { until } if self.tries == 0 => {
                Phase::Waiting { until: until.min(soon) }
            }
            other => other,
        };
    }

    /// History, for a stream that waits for it.
    fn settle(&mut self, now: Instant, trades: Vec<Trade>, out: &mut Vec<JoinedTrade>) {
        let (rows, reach) = self.beyond(trades, out);
        let settled = self.pending.weave(rows, reach, self.is_cut);
        self.hand_out_all(settled, HoleReason::OutOfReach, out);
        let is_asked = matches!(self.phase, Phase::Asking { .. });
        if self.pending.is_empty() {
            // An answer of before the interruption does not spare the question.
            if is_asked || !self.is_cut {
                self.go_on(now);
            }
        } else if is_asked {
            self.try_again(now, out);
        }
    }

    /// History, for a stream that goes on.
    fn check(
        &mut self,
        now: Instant,
        trades: Vec<Trade>,
        has_spoken: bool,
        out: &mut Vec<JoinedTrade>,
    ) {
        let (rows, reach) = self.beyond(trades, out);
        if !has_spoken && !rows.is_empty() {
            (self.is_cut, self.cut_after) = (true, self.seen.newest());
        }
        // A stream that speaks will bring what is between it and history.
        let settled = self.pending.weave(rows, reach, !has_spoken);
        self.hand_out_all(settled, HoleReason::OutOfReach, out);
        self.go_on(now);
    }

    /// The rows beyond what was handed out, and whether they reach back to it. What belongs in between is handed out.
    fn beyond(
        &mut self,
        mut trades: Vec<Trade>,
        out: &mut Vec<JoinedTrade>,
    ) -> (Vec<Trade>, Reach) {
        let is_beyond = |trade: &Trade| {
            let standing = self.seen.standing_of_row(trade.mark());
            matches!(standing, Standing::Next | Standing::NewRun)
        };
        let at = trades.iter().position(is_beyond).unwrap_or(trades.len());
        let rows = trades.split_off(at);
        let reach = match (self.seen.newest(), trades.is_empty()) {
            (None, _) => Reach::Begin,
            (Some(_), true) => Reach::Falls,
            (Some(_), false) => Reach::Meets,
        };
        for trade in trades {
            if self.seen.standing_of_row(trade.mark()) == Standing::Late {
                let reason = HoleReason::OutOfReach;
                self.hand_out(trade, Source::History, Joint::Proven, reason, out);
            }
        }
        (rows, reach)
    }

    fn try_again(&mut self, now: Instant, out: &mut Vec<JoinedTrade>) {
        self.tries = self.tries.saturating_add(1);
        if self.tries >= self.config.tries {
            self.give_up(now, HoleReason::NoHistory, out);
        } else {
            self.phase = Phase::Waiting { until: now + self.config.retry_after };
        }
    }

    /// The stream goes on without what is missing.
    fn give_up(&mut self, now: Instant, reason: HoleReason, out: &mut Vec<JoinedTrade>) {
        let all = self.pending.give_up();
        self.hand_out_all(all, reason, out);
        self.go_on(now);
    }

    /// Nothing waits any more.
    fn go_on(&mut self, now: Instant) {
        self.tries = 0;
        let silent = now + self.config.silence;
        self.phase = if self.is_cut {
            Phase::Quiet { until: silent }
        } else {
            Phase::Live { silent, check: now + self.config.check_every }
        };
    }

    fn hand_out_all(
        &mut self,
        trades: Vec<(Trade, Source, Joint)>,
        reason: HoleReason,
        out: &mut Vec<JoinedTrade>,
    ) {
        for (trade, source, joint) in trades {
            self.hand_out(trade, source, joint, reason, out);
        }
    }

    /// The only place where something is handed out. `reason`: of a hole before it, if there is one.
    fn hand_out(
        &mut self,
        trade: Trade,
        source: Source,
        joint: Joint,
        reason: HoleReason,
        out: &mut Vec<JoinedTrade>,
    ) {
        let before = trade.mark();
        let standing = self.seen.standing(before);
        if matches!(standing, Standing::Known | Standing::Past) {
            return self.count_repeat();
        }
        let after = self.seen.newest();
        if joint == Joint::Hole {
            self.counts.holes = self.counts.holes.saturating_add(1);
            out.push(JoinedTrade::Hole { after, before, reason });
        }
        if let (Standing::NewRun, Some(after)) = (standing, after) {
            self.counts.runs = self.counts.runs.saturating_add(1);
            out.push(JoinedTrade::NewRun { after, before });
        }
        let count = match source {
            Source::History => &mut self.counts.of_history,
            Source::Stream => &mut self.counts.of_stream,
        };
        *count = count.saturating_add(1);
        self.seen.add(before, standing);
        out.push(if standing == Standing::Late {
            self.counts.late = self.counts.late.saturating_add(1);
            JoinedTrade::Late { trade, source }
        } else {
            JoinedTrade::Trade { trade, source }
        });
    }

    const fn count_repeat(&mut self) {
        self.counts.repeats = self.counts.repeats.saturating_add(1);
    }
}

/// More than history shows.
const LEAST_REMEMBERED: usize = 256;
