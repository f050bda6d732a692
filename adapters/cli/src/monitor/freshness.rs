//! Whether what a stream has said is of now.

use std::time::Duration;

use kucoin_futures_proto::{ChannelKind, Instant};

/// A mark price comes every second.
const MARK_PAUSE: Duration = Duration::from_secs(10);
/// An estimate of the funding rate comes every minute.
const FUNDING_PAUSE: Duration = Duration::from_secs(150);

/// What must not be taken for current, of the streams of a contract besides its book.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) struct Stale {
    /// Mark, index, and what was settled.
    pub(crate) marks: bool,
    /// The estimate of the funding rate: it comes on the stream of the marks, and far less often.
    pub(crate) funding: bool,
    /// Figures of 24 hours.
    pub(crate) day: bool,
    /// Trades, and the price of the last.
    pub(crate) trades: bool,
}

impl Stale {
    /// Something of it.
    pub(crate) const fn is_any(self) -> bool {
        self.marks || self.funding || self.day || self.trades
    }

    /// What it is, for people; empty if it is nothing.
    pub(crate) fn words(self) -> String {
        let marks = match (self.marks, self.funding) {
            (true, true) => "mark and funding",
            (true, false) => "mark",
            (false, _) => "funding",
        };
        let all =
            [(self.marks || self.funding, marks), (self.day, "24 h"), (self.trades, "trades")];
        let words: Vec<&str> =
            all.into_iter().filter_map(|(is, word)| is.then_some(word)).collect();
        words.join(", ")
    }
}

/// Of the same streams, what is known of their being carried.
#[derive(Clone, Copy, Debug)]
pub(super) struct Freshness {
    /// Not carried, or nothing was heard since it is.
    cut: Stale,
    /// When its stream told the mark price last.
    marked: Option<Instant>,
    /// When the estimate of the funding rate was told last.
    funded: Option<Instant>,
}

impl Freshness {
    /// Nothing is carried yet: what was asked for meanwhile grows old unseen.
    pub(super) const fn new() -> Self {
        let cut = Stale { marks: true, funding: true, day: true, trades: true };
        Self { cut, marked: None, funded: None }
    }

    /// The line of a stream is down, or the exchange refuses it.
    pub(super) const fn on_cut(&mut self, kind: ChannelKind) {
        match kind {
            ChannelKind::Instrument => (self.cut.marks, self.cut.funding) = (true, true),
            ChannelKind::Stats24h => self.cut.day = true,
            ChannelKind::Execution => self.cut.trades = true,
            _ => {}
        }
    }

    /// It is carried again. A trade that was is one for ever; of the others the next message tells what is now.
    pub(super) const fn on_confirmed(&mut self, kind: ChannelKind) {
        if matches!(kind, ChannelKind::Execution) {
            self.cut.trades = false;
        }
    }

    /// It says something: a trade, or all figures of the day. Marks and funding come apart.
    pub(super) const fn on_message(&mut self, kind: ChannelKind) {
        match kind {
            ChannelKind::Stats24h => self.cut.day = false,
            ChannelKind::Execution => self.cut.trades = false,
            _ => {}
        }
    }

    /// Its stream tells the mark price of this moment.
    pub(super) const fn on_mark(&mut self, now: Instant) {
        (self.marked, self.cut.marks) = (Some(now), false);
    }

    /// There is an estimate of the funding rate of this moment, from wherever.
    pub(super) const fn on_funding(&mut self, now: Instant) {
        (self.funded, self.cut.funding) = (Some(now), false);
    }

    /// What is so by now. A stream that does not tell the mark any more does not tell the funding rate either.
    pub(super) fn stale(&self, now: Instant) -> Stale {
        let is_old = |told: Option<Instant>, most| told.is_some_and(|told| now.since(told) > most);
        let is_silent = is_old(self.marked, MARK_PAUSE);
        let is_over = is_silent || is_old(self.funded, FUNDING_PAUSE);
        Stale {
            marks: self.cut.marks || is_silent,
            funding: self.cut.funding || is_over,
            ..self.cut
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn at(seconds: u64) -> Instant {
        Instant::from_nanos(seconds * 1_000_000_000)
    }

    const ALL: Stale = Stale { marks: true, funding: true, day: true, trades: true };
    const KINDS: [ChannelKind; 3] =
        [ChannelKind::Instrument, ChannelKind::Stats24h, ChannelKind::Execution];

    #[test]
    fn each_stream_is_stale_until_it_is_carried_itself() {
        let mut fresh = Freshness::new();
        // Before the first word, and again once it is cut.
        for _ in 0..2 {
            assert_eq!(fresh.stale(at(1)), ALL);
            KINDS.into_iter().for_each(|kind| fresh.on_confirmed(kind));
            assert_eq!(fresh.stale(at(1)), Stale { trades: false, ..ALL });
            KINDS.into_iter().for_each(|kind| fresh.on_message(kind));
            fresh.on_mark(at(1));
            assert_eq!(fresh.stale(at(1)), Stale { funding: true, ..Stale::default() });
            fresh.on_funding(at(1));
            assert!(!fresh.stale(at(1)).is_any());
            KINDS.into_iter().for_each(|kind| fresh.on_cut(kind));
        }
    }

    #[test]
    fn a_mark_price_and_a_funding_rate_grow_old_by_themselves() {
        let mut fresh = Freshness::new();
        KINDS.into_iter().for_each(|kind| fresh.on_message(kind));
        let marks = |fresh: &Freshness, s| {
            let stale = fresh.stale(at(s));
            (stale.marks, stale.funding)
        };
        fresh.on_funding(at(5));
        fresh.on_mark(at(5));
        assert_eq!(marks(&fresh, 15), (false, false));
        assert_eq!(marks(&fresh, 16), (true, true), "its stream is silent");
        fresh.on_mark(at(155));
        assert_eq!(marks(&fresh, 155), (false, false));
        assert_eq!(marks(&fresh, 156), (false, true));
    }

    #[test]
    fn what_is_stale_is_named() {
        assert_eq!(ALL.words(), "mark and funding, 24 h, trades");
        assert_eq!(Stale { marks: false, ..ALL }.words(), "funding, 24 h, trades");
        assert_eq!(Stale { marks: true, ..Stale::default() }.words(), "mark");
        assert_eq!(Stale::default().words(), "");
    }
}
