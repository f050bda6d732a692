//! What a join of trades says of itself.

/// Where a [`TradeJoin`](super::TradeJoin) stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum TradeState {
    /// History is to be asked for; the stream is kept.
    Waiting,
    /// History was asked for; the stream is kept.
    Asking,
    /// What history shows was handed out. Whether the stream begins before its end shows with the first trade.
    Quiet,
    /// What was handed out is complete, and the stream is handed out as it comes.
    Live,
    /// The same, and history was asked for to see that the stream leaves nothing out.
    Checking,
}

/// What a [`TradeJoin`](super::TradeJoin) has done so far.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
#[non_exhaustive]
pub struct TradeCounts {
    /// Trades handed out that history brought first.
    pub of_history: u64,
    /// Trades handed out that the stream brought first.
    pub of_stream: u64,
    /// Of both, those handed out as late.
    pub late: u64,
    /// Trades that came once more, or too long after others of their time to know.
    pub repeats: u64,
    /// Holes told.
    pub holes: u64,
    /// Times the counter was set back.
    pub runs: u64,
    /// Queries.
    pub queries: u64,
    /// Of them those that failed, took too long or could not be read.
    pub failures: u64,
}
