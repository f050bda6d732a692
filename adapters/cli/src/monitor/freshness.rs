//! Whether what a stream has said is of now.

use std::time::Duration;

use kucoin_futures_proto::{ChannelKind, Instant};

/// A mark price comes every second.
const MARK_PAUSE: Duration = Duration::from_secs(10);

/// What must not be taken for current, of the streams of a contract besides its book.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) struct Stale {
    /// Mark, index, funding.
    pub(crate) marks: bool,
    /// Figures of 24 hours.
    pub(crate) day: bool,
    /// Trades, and the price of the last.
    pub(crate) trades: bool,
}

impl Stale {
    /// Something of it.
    pub(crate) const fn is_any(self) -> bool {
        self.marks || self.day || self.trades
    }

    /// What it is, for people; empty if it is nothing.
    pub(crate) fn words(self) -> String {
        let all = [(self.marks, "mark and funding"), (self.day, "24 h"), (self.trades, "trades")];
        let words: Vec<&str> =
            all.into_iter().filter_map(|(is, word)| is.then_some(word)).collect();
        words.join(", ")
    }
}

/// Of the same streams, what is known of their being carried.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Freshness {
    /// Not carried, or nothing was heard since it is again.
    cut: Stale,
    /// When a mark price came last, from wherever.
    marked: Option<Instant>,
}

impl Freshness {
    /// The line of a stream is down, or the exchange refuses it.
    pub(super) const fn on_cut(&mut self, kind: ChannelKind) {
        if let Some(cut) = self.of(kind) {
            *cut = true;
        }
    }

    /// It is carried again. A trade that was is one for ever; of the others the next message tells what is now.
    pub(super) const fn on_confirmed(&mut self, kind: ChannelKind) {
        if matches!(kind, ChannelKind::Execution) {
            self.cut.trades = false;
        }
    }

    /// It says something.
    pub(super) const fn on_message(&mut self, kind: ChannelKind) {
        if let Some(cut) = self.of(kind) {
            *cut = false;
        }
    }

    /// There is a mark price of this moment.
    pub(super) const fn on_mark(&mut self, now: Instant) {
        self.marked = Some(now);
    }

    /// What is so by now.
    pub(super) fn stale(&self, now: Instant) -> Stale {
        let is_old = self.marked.is_some_and(|marked| now.since(marked) > MARK_PAUSE);
        Stale { marks: self.cut.marks || is_old, ..self.cut }
    }

    const fn of(&mut self, kind: ChannelKind) -> Option<&mut bool> {
        match kind {
            ChannelKind::Instrument => Some(&mut self.cut.marks),
            ChannelKind::Stats24h => Some(&mut self.cut.day),
            ChannelKind::Execution => Some(&mut self.cut.trades),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn at(seconds: u64) -> Instant {
        Instant::from_nanos(seconds * 1_000_000_000)
    }

    #[test]
    fn each_stream_is_stale_until_it_is_carried_itself() {
        let kinds = [ChannelKind::Instrument, ChannelKind::Stats24h, ChannelKind::Execution];
        let mut fresh = Freshness::default();
        kinds.into_iter().for_each(|kind| fresh.on_cut(kind));
        assert_eq!(fresh.stale(at(1)), Stale { marks: true, day: true, trades: true });
        kinds.into_iter().for_each(|kind| fresh.on_confirmed(kind));
        assert_eq!(fresh.stale(at(1)), Stale { marks: true, day: true, trades: false });
        fresh.on_message(ChannelKind::Instrument);
        assert_eq!(fresh.stale(at(1)), Stale { marks: false, day: true, trades: false });
        fresh.on_message(ChannelKind::Stats24h);
        assert!(!fresh.stale(at(1)).is_any());
    }

    #[test]
    fn a_mark_price_grows_old_by_itself() {
        let mut fresh = Freshness::default();
        fresh.on_mark(at(5));
        assert!(!fresh.stale(at(15)).is_any());
        assert_eq!(fresh.stale(at(16)), Stale { marks: true, ..Stale::default() });
        fresh.on_mark(at(16));
        assert!(!fresh.stale(at(16)).is_any());
    }
}
