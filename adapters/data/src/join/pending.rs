//! Trades of the stream that wait for history, and how the two are woven into one list.

use std::collections::VecDeque;

use super::joined::Source;
use super::trade::{Mark, Trade};

/// What the stream has brought since it was interrupted, in the order of happening.
#[derive(Debug, Default)]
pub(super) struct Pending(VecDeque<Waiting>);

#[derive(Debug)]
struct Waiting {
    trade: Trade,
    /// The stream was interrupted before it: trades may be missing in front of it.
    after_cut: bool,
}

/// How what was handed out and what history shows meet.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Reach {
    /// Nothing was handed out yet.
    Begin,
    /// History shows something of it.
    Meets,
    /// History begins after it.
    Falls,
}

/// How a trade stands to the one before.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Joint {
    /// There is none in between.
    Proven,
    /// There may be some, and it will never be known.
    Hole,
}

/// A trade of the one list.
#[derive(Debug)]
struct Link {
    trade: Trade,
    /// The stream has brought it, after an interruption or not.
    of_stream: Option<bool>,
    in_history: bool,
}

impl Pending {
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The last trade of the stream.
    pub(super) fn newest(&self) -> Option<Mark> {
        self.0.back().map(|waiting| waiting.trade.mark())
    }

    /// Takes a trade of the stream. Whether it is the first one since the interruption, if there was one.
    pub(super) fn insert(&mut self, trade: Trade, is_cut: bool) -> bool {
        let mark = trade.mark();
        let is_behind = |waiting: &Waiting| waiting.trade.mark().is_before(mark);
        let is_there = |waiting: &Waiting| waiting.trade.mark().is(mark);
        let is_next = self.0.back().is_none_or(is_behind);
        if !is_next && self.0.iter().any(is_there) {
            return false;
        }
        // One of a higher sequence comes after them, even if its time or theirs is wrong.
        if is_next || self.newest().is_some_and(|last| last.sequence < mark.sequence) {
            self.0.push_back(Waiting { trade, after_cut: is_cut });
            return is_cut;
        }
        // Of another line.
        let at = self.0.iter().rposition(is_behind).map_or(0, |before| before.saturating_add(1));
        let after_cut = self.0.get(at).is_some_and(|next| next.after_cut);
        self.0.insert(at, Waiting { trade, after_cut });
        false
    }

    /// All of it, though nothing proves that nothing is missing in between.
    pub(super) fn give_up(&mut self) -> Vec<(Trade, Source, Joint)> {
        let joint = |after_cut| if after_cut { Joint::Hole } else { Joint::Proven };
        let trades = self.0.drain(..);
        trades.map(|w| (w.trade, Source::Stream, joint(w.after_cut))).collect()
    }

    /// Puts rows of history, oldest first and all beyond what was handed out, between what waits, and gives away as
    /// much of it as is settled: what follows the one before for sure, or is known not to. `is_cut`: after all that
    /// waits the stream was interrupted again.
    pub(super) fn weave(
        &mut self,
        rows: Vec<Trade>,
        reach: Reach,
        is_cut: bool,
    ) -> Vec<(Trade, Source, Joint)> {
        let links = self.merged(rows);
        let first = links.iter().position(|link| link.in_history);
        let last = links.iter().rposition(|link| link.in_history);
        let mut settled = Vec::new();
        let mut joints = Vec::with_capacity(links.len());
        for (at, link) in links.iter().enumerate() {
            // Both this one and the one before lie in what history shows, which leaves nothing out.
            let begins_before = reach == Reach::Meets || first.is_some_and(|first| first < at);
            let is_spanned = begins_before && last.is_some_and(|last| at <= last);
            let is_begin = at == 0 && reach == Reach::Begin && last.is_some();
            let joint = if is_spanned || is_begin {
                Some(Joint::Proven)
            } else if let Some(after_cut) = link.of_stream {
                match after_cut {
                    false => Some(Joint::Proven),
                    // History is beyond it, and so has left behind what came before it.
                    true => last.is_some_and(|last| at <= last).then_some(Joint::Hole),
                }
            } else {
                let rest = links.iter().skip(at);
                joint_of_oldest(rest, is_cut)
            };
            let Some(joint) = joint else { break };
            joints.push(joint);
        }
        let mut links = links.into_iter();
        for joint in joints {
            let Some(link) = links.next() else { break };
            let source = if link.of_stream.is_some() { Source::Stream } else { Source::History };
            settled.push((link.trade, source, joint));
        }
        // What history shows beyond that, it will show again.
        self.0
            .extend(links.filter_map(|link| {
                Some(Waiting { after_cut: link.of_stream?, trade: link.trade })
            }));
        settled
    }

    /// One list of both, in the order of happening; nothing waits any more.
    fn merged(&mut self, rows: Vec<Trade>) -> Vec<Link> {
        let mut links = Vec::with_capacity(self.0.len().saturating_add(rows.len()));
        let of_stream = |waiting: Waiting, in_history| Link {
            trade: waiting.trade,
            of_stream: Some(waiting.after_cut),
            in_history,
        };
        for row in rows {
            let mark = row.mark();
            let same = self.0.iter().position(|waiting| waiting.trade.mark().is(mark));
            if let Some(same) = same {
                links.extend(self.0.drain(..same).map(|waiting| of_stream(waiting, false)));
                links.extend(self.0.pop_front().map(|waiting| of_stream(waiting, true)));
                continue;
            }
            let is_later = |waiting: &Waiting| !waiting.trade.mark().is_before(mark);
            let earlier = self.0.iter().position(is_later).unwrap_or(self.0.len());
            links.extend(self.0.drain(..earlier).map(|waiting| of_stream(waiting, false)));
            links.push(Link { trade: row, of_stream: None, in_history: true });
        }
        links.extend(self.0.drain(..).map(|waiting| of_stream(waiting, false)));
        links
    }
}

/// How the oldest row of history, the first of `rest`, stands to what comes before it, which history does not show.
/// `None`: the stream is expected to bring what is in between.
fn joint_of_oldest<'a>(mut rest: impl Iterator<Item = &'a Link>, is_cut: bool) -> Option<Joint> {
    match rest.find_map(|link| link.of_stream) {
        Some(true) => Some(Joint::Hole),
        // In the middle of what the stream has brought without an interruption.
        Some(false) => Some(Joint::Proven),
        None => is_cut.then_some(Joint::Hole),
    }
}
