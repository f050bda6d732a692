//! What is known of the lines.

use std::collections::BTreeMap;
use std::time::Duration;

use kucoin_futures_host::LatencyHistogram;
use kucoin_futures_proto::book::LineShare;
use kucoin_futures_proto::{BudgetUse, Instant, LineId, LineRole, LineStatus};

use super::Moment;
use super::log::Mood;
use crate::feed::Feed;
use crate::lines::percentile;
use crate::words::State;

/// The lines that there are, as of the last look; what they share, and how long changes were on their way.
#[derive(Clone, Default)]
pub(crate) struct Lines {
    /// In the order of their numbers.
    pub(crate) all: Vec<Line>,
    /// How much of each budget is in use.
    pub(crate) budgets: Vec<BudgetUse>,
    /// From the exchange's time of a change to when it was read, by this machine's clock, which may be wrong.
    pub(crate) to_received: Delays,
    /// From when it was read to when it was in the book.
    pub(crate) to_applied: Delays,
    /// Changes later than this machine's clock, which so is behind.
    pub(crate) from_future: u64,
    /// What each said last.
    said: BTreeMap<LineId, (Moment, String, Mood)>,
}

/// One line.
#[derive(Clone)]
pub(crate) struct Line {
    pub(crate) status: Carrier,
    /// What half, and 99 of 100, of its later copies were no later than, in microseconds; `None` without copies.
    pub(crate) lag_us: [Option<u64>; 2],
    /// What it said last, and when.
    pub(crate) said: Option<(Moment, String, Mood)>,
}

/// What a line is there for, and what it has brought.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Carrier {
    pub(crate) id: LineId,
    pub(crate) role: LineRole,
    /// The line that it is about to replace.
    pub(crate) replaces: Option<LineId>,
    /// `None`: it is down.
    pub(crate) up_since: Option<Instant>,
    /// Topics that it carries, or was asked for.
    pub(crate) topics: usize,
    /// Of what another line carries, too.
    pub(crate) share: LineShare,
}

impl From<&LineStatus> for Carrier {
    fn from(it: &LineStatus) -> Self {
        Self {
            id: it.id,
            role: it.role,
            replaces: it.replaces,
            up_since: it.up_since,
            topics: it.topics,
            share: it.share,
        }
    }
}

/// How long something took since the feed began. The ends of ranges: it was no longer.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) struct Delays {
    /// How many there were.
    pub(crate) count: u64,
    /// Half of them; `None` without any, or beyond the last range that has an end.
    pub(crate) p50: Option<Duration>,
    /// 99 of 100.
    pub(crate) p99: Option<Duration>,
}

impl Delays {
    fn of(histogram: &LatencyHistogram) -> Self {
        let count = histogram.count();
        let rank = |percent: u64| (count * percent).div_ceil(100).max(1);
        let end = |percent| {
            let mut sum = 0;
            let mut ranges = histogram.counts().iter().zip(histogram.bounds());
            let found = ranges.find(|(count, _)| {
                sum += **count;
                sum >= rank(percent)
            });
            found.map(|(_, end)| end)
        };
        Self { count, p50: end(50), p99: end(99) }
    }
}

impl Lines {
    pub(super) fn look(&mut self, feed: &Feed) {
        let mut lines = feed.lines();
        lines.sort_by_key(|line| line.id);
        self.said.retain(|id, _| lines.iter().any(|line| line.id == *id));
        let line = |status: LineStatus| Line {
            lag_us: [50, 99].map(|percent| percentile(&status.share.lag, percent)),
            said: self.said.get(&status.id).cloned(),
            status: Carrier::from(&status),
        };
        self.all = lines.into_iter().map(line).collect();
        self.budgets = feed.budgets();
        let latencies = feed.latencies();
        self.to_received = Delays::of(latencies.to_received());
        self.to_applied = Delays::of(latencies.to_applied());
        self.from_future = latencies.from_future();
    }

    pub(super) fn on_news(&mut self, line: LineId, now: Moment, state: &State) {
        self.said.insert(line, (now, state.text(), Mood::of(state.tone)));
    }
}

impl Line {
    /// What it is called by people.
    pub(crate) fn name(&self) -> String {
        match self.status.role {
            LineRole::Private => "private".into(),
            _ => format!("line {}", self.status.id.get()),
        }
    }

    /// How many of a hundred deltas that it has in common with another it brought first; `None` without such.
    pub(crate) fn wins(&self) -> Option<u64> {
        let share = &self.status.share;
        let all = share.first + share.later + share.missed;
        (share.first * 100).checked_div(all)
    }
}
