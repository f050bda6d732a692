//! Whether topics are spread evenly over the lines that they need, as long as nothing has disturbed that.

use std::collections::BTreeSet;

use kucoin_futures_proto::{Channel, Config};

/// What a client wants before its first connection is there. Once anything has gone wrong, topics stay where
/// they are, and lines may differ.
#[derive(Debug)]
pub(super) struct FirstFill {
    wanted: BTreeSet<Channel>,
    topics_per_line: usize,
    is_over: bool,
    /// The exchange has said that there is no room on a connection: a second home may not be found.
    is_short: bool,
}

impl FirstFill {
    pub(super) const fn new(config: &Config) -> Self {
        let topics_per_line = config.budgets.topics_per_line;
        Self { wanted: BTreeSet::new(), topics_per_line, is_over: false, is_short: false }
    }

    /// A channel is wanted that everybody may hear.
    pub(super) fn want(&mut self, channel: Channel) {
        self.wanted.insert(channel);
    }

    /// Something has happened after which lines may differ.
    pub(super) const fn disturb(&mut self) {
        self.is_over = true;
    }

    /// The exchange has said that there is no room.
    pub(super) const fn run_short(&mut self) {
        self.is_short = true;
    }

    pub(super) const fn is_short(&self) -> bool {
        self.is_short
    }

    /// A line carries so many of the topics.
    pub(super) fn check(&self, load: usize) -> Result<(), String> {
        let lines = self.wanted.len().div_ceil(self.topics_per_line.max(1)).max(1);
        let share = self.wanted.len().div_ceil(lines);
        // Nothing is known of what a test asked for behind our back.
        if self.is_over || self.wanted.is_empty() || load <= share {
            return Ok(());
        }
        let wanted = self.wanted.len();
        Err(format!(
            "a line is filled up: {load} of {wanted} topics are on it, and {share} would do"
        ))
    }
}
