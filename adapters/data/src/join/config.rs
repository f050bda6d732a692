//! Bounds and pauses.

use std::time::Duration;

/// How a [`TradeJoin`](super::TradeJoin) asks, and how much it keeps.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct TradeJoinConfig {
    /// After the first trade of a stream that was interrupted, history is asked for so much later: it may be a little
    /// behind. 200 ms, as books do it.
    pub ask_after_trade: Duration,
    /// In a still market it is asked for so long after the interruption. 1 s, as books do it.
    pub ask_in_still_market: Duration,
    /// No two queries are closer to each other. 1 s.
    pub spacing: Duration,
    /// After a query that failed, or an answer that was behind the stream. 2 s.
    pub retry_after: Duration,
    /// An answer that takes longer counts as failed. 20 s: the client itself gives up sooner.
    pub answer_within: Duration,
    /// Queries without success until a hole is told and the stream goes on. 5; at least 1.
    pub tries: u32,
    /// Where nothing comes by the stream, history is asked for so often. 60 s.
    pub silence: Duration,
    /// A stream that speaks is held against history so often: sequences do not tell what it left out, and only the
    /// last 100 trades can be compared. 5 min: at a weight of 5 a query that is affordable for hundreds of contracts.
    pub check_every: Duration,
    /// Trades of the stream kept until history is there. 10 000; at least 1.
    pub most_pending: usize,
    /// Trades remembered, by sequence and time, to know them again. 1024; at least 256, more than history shows.
    pub most_remembered: usize,
}

impl Default for TradeJoinConfig {
    fn default() -> Self {
        Self {
            ask_after_trade: Duration::from_millis(200),
            ask_in_still_market: Duration::from_secs(1),
            spacing: Duration::from_secs(1),
            retry_after: Duration::from_secs(2),
            answer_within: Duration::from_secs(20),
            tries: 5,
            silence: Duration::from_secs(60),
            check_every: Duration::from_secs(300),
            most_pending: 10_000,
            most_remembered: 1_024,
        }
    }
}

/// How a [`CandleJoin`](super::CandleJoin) asks, and how much it keeps.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct CandleJoinConfig {
    /// Closed intervals to begin with, before the present one. 0; there may be thousands, they are asked for 200 at a
    /// time.
    pub history: u32,
    /// An interval that the stream has not shown to be over is asked for so long after its end, by the exchange's
    /// clock: history may be a little behind. 5 s.
    pub settle: Duration,
    /// No two queries are closer to each other. 1 s.
    pub spacing: Duration,
    /// After a query that failed, or an answer that left a question open. 5 s.
    pub retry_after: Duration,
    /// An answer that takes longer counts as failed. 20 s: the client itself gives up sooner.
    pub answer_within: Duration,
    /// Queries without success until a hole is told and the stream goes on. 5; at least 1.
    pub tries: u32,
    /// The exchange is asked for its time when what is known of it is older. 10 min.
    pub clock_for: Duration,
    /// Closed candles are taken from history alone, and the stream shows growing ones only. `false`: the last push of an
    /// interval is its final state, and history is asked where the stream leaves something open.
    pub confirm: bool,
    /// Candles of the stream kept until what is before them is known. 256; at least 1.
    pub most_waiting: usize,
}

impl Default for CandleJoinConfig {
    fn default() -> Self {
        Self {
            history: 0,
            settle: Duration::from_secs(5),
            spacing: Duration::from_secs(1),
            retry_after: Duration::from_secs(5),
            answer_within: Duration::from_secs(20),
            tries: 5,
            clock_for: Duration::from_secs(600),
            confirm: false,
            most_waiting: 256,
        }
    }
}
