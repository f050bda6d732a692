//! What a sliding window held, counted independently of the client.

use std::collections::VecDeque;
use std::time::Duration;

use kucoin_futures_proto::Instant;

/// The weights of the last `span`.
#[derive(Debug)]
pub(super) struct Window {
    span: Duration,
    limit: u64,
    entries: VecDeque<(Instant, u64)>,
    sum: u64,
}

impl Window {
    pub(super) const fn new(limit: u64, span: Duration) -> Self {
        Self { span, limit, entries: VecDeque::new(), sum: 0 }
    }

    /// Counts something; says whether the window holds too much now.
    pub(super) fn exceeds(&mut self, at: Instant, weight: u64) -> bool {
        while let Some((first, weight)) = self.entries.front() {
            if *first + self.span > at {
                break;
            }
            self.sum -= weight;
            self.entries.pop_front();
        }
        self.entries.push_back((at, weight));
        self.sum += weight;
        self.sum > self.limit
    }

    /// What was counted is of no use: it was seen late.
    pub(super) fn clear(&mut self) {
        self.entries.clear();
        self.sum = 0;
    }
}
