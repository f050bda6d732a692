//! What is handed out of trades.

use super::trade::{Mark, Trade};

/// Which side has brought something first.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum Source {
    /// REST.
    History,
    /// The stream.
    Stream,
}

/// One word of [`TradeJoin`](super::TradeJoin).
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum JoinedTrade {
    /// The trade after the one before: each once, in the order of sequences. Between two in a row there is none,
    /// unless something stands between them that says otherwise.
    Trade {
        /// The trade.
        trade: Trade,
        /// Who has brought it.
        source: Source,
    },
    /// A trade that belongs before the last one handed out: another line brought it late, or history shows that the
    /// stream left it out. Once, like all others.
    Late {
        /// The trade.
        trade: Trade,
        /// Who has brought it.
        source: Source,
    },
    /// The counter was set back: sequences begin anew. What comes of the run before any more is not handed out.
    NewRun {
        /// The last trade of the run before.
        after: Mark,
        /// The first one of this run that is handed out: next.
        before: Mark,
    },
    /// Trades may be missing here, and will not come any more.
    Hole {
        /// The last one before; `None` at the beginning.
        after: Option<Mark>,
        /// The first one after: it is handed out next.
        before: Mark,
        /// Why it cannot be closed.
        reason: HoleReason,
    },
}

/// Why a hole cannot be closed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum HoleReason {
    /// More has happened meanwhile than history shows.
    OutOfReach,
    /// History could not be had, or stayed behind the stream, so many times:
    /// [`TradeJoinConfig::tries`](super::TradeJoinConfig::tries).
    NoHistory,
    /// The stream has brought more meanwhile than is kept:
    /// [`TradeJoinConfig::most_pending`](super::TradeJoinConfig::most_pending).
    Overflow,
}
