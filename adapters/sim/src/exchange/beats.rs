//! What is pushed by the clock and not by a change: depths, marks, funding, statistics, candles.
//!
//! The clock runs only while somebody listens to any of it.

use std::sync::Arc;
use std::time::Duration;

use kucoin_futures_proto::{Instant, Sequence, UnixNanos};

use super::figures::{
    announcement_frame, candle_frame, depth_frame, estimate_frame, levels, mark_frame,
    settled_frame, snapshot_frame,
};
use super::state::Exchange;
use crate::market::Market;
use crate::topic::{Feed, Key, Topic};

/// Documented: depths every 100 ms, marks and candles every second, statistics every 5 s, the estimate
/// of funding every minute.
const DEPTH_MS: u64 = 100;
const SECOND_MS: u64 = 1_000;
const SNAPSHOT_MS: u64 = 5_000;
const MINUTE_MS: u64 = 60_000;
/// From the announcement that funding is being settled to the one that it is; as in the documents.
const SETTLING_MS: u64 = 10_000;

/// How often a channel is looked at; `None`: it is pushed when something changes.
const fn period_ms(feed: Feed) -> Option<u64> {
    match feed {
        Feed::Depth5 | Feed::Depth50 => Some(DEPTH_MS),
        Feed::Instrument | Feed::Announcement | Feed::Candle => Some(SECOND_MS),
        Feed::Snapshot => Some(SNAPSHOT_MS),
        _ => None,
    }
}

/// The depth that was pushed last: of which run and sequence, and its levels.
pub(super) type LastDepth = ((usize, Sequence), Arc<str>);

impl Exchange {
    /// Sets when the clock ticks next, if anybody listens to what it brings.
    pub(super) fn wind(&mut self, now: Instant) {
        let period = self.timed_topics().filter_map(|topic| period_ms(topic.feed)).min();
        self.next_beat = period.map(|ms| {
            let period = ms * 1_000_000;
            now + Duration::from_nanos(period - self.unix(now).as_nanos() % period)
        });
    }

    /// What the clock has to bring. A topic may be in there more than once.
    fn timed_topics(&self) -> impl Iterator<Item = Topic> + '_ {
        let topics = self.sessions.values().flat_map(|session| session.topics());
        topics.filter(|topic| period_ms(topic.feed).is_some())
    }

    /// A depth is pushed to who has just come, changed or not.
    pub(super) fn forget_depths(&mut self) {
        self.last_depths.clear();
    }

    /// The clock ticks, if it is time.
    pub(super) fn run_beats(&mut self, due: Instant) {
        if self.next_beat.is_none_or(|beat| due < beat) {
            return;
        }
        let at = self.unix(due);
        let mut topics: Vec<Topic> = self.timed_topics().collect();
        topics.sort_unstable();
        topics.dedup();
        for topic in topics {
            let is_time = |ms: u64| at.as_millis().is_multiple_of(ms);
            if period_ms(topic.feed).is_some_and(is_time) {
                self.beat(at, topic);
            }
        }
        self.wind(due);
    }

    fn beat(&mut self, at: UnixNanos, topic: Topic) {
        match topic.feed {
            Feed::Depth5 => self.push_depth(at, topic, 5),
            Feed::Depth50 => self.push_depth(at, topic, 50),
            Feed::Instrument => self.push_instrument(at, topic),
            Feed::Announcement => self.announce(at, topic),
            Feed::Snapshot => {
                let Some(market) = self.market_of(topic) else { return };
                let frame = snapshot_frame(topic, market, at);
                self.push(topic, || frame.into());
            }
            Feed::Candle => self.push_candle(at, topic),
            _ => {}
        }
    }

    fn market_of(&self, topic: Topic) -> Option<&Market> {
        self.markets.get(&topic.symbol()?)
    }

    fn push_depth(&mut self, at: UnixNanos, topic: Topic, most: usize) {
        let Some(market) = self.market_of(topic) else { return };
        let sequence = market.sequence();
        let position = (market.runs() - 1, sequence);
        let last = self.last_depths.get(&topic);
        let unchanged = last.filter(|last| last.0 == position).map(|last| Arc::clone(&last.1));
        let body = unchanged.unwrap_or_else(|| levels(market.truth(), most, sequence).into());
        let is_news = last.is_none_or(|last| last.1 != body);
        self.last_depths.insert(topic, (position, Arc::clone(&body)));
        if is_news || self.config.depths_repeat {
            self.push(topic, || depth_frame(topic, sequence, &body, at).into());
        }
    }

    fn push_instrument(&mut self, at: UnixNanos, topic: Topic) {
        let Some(market) = self.market_of(topic) else { return };
        let ms = at.as_millis();
        let funding = market.funding();
        let mut frames = vec![mark_frame(topic, market, at)];
        if let Some(interval) = funding.interval_ms().filter(|_| ms.is_multiple_of(MINUTE_MS)) {
            frames.push(estimate_frame(topic, funding.estimate(ms / MINUTE_MS), ms));
            if funding.last_settlement(ms) == Some(ms) {
                frames.push(settled_frame(topic, funding.charged(ms), interval, ms));
            }
        }
        for frame in frames {
            self.push(topic, || frame.into());
        }
    }

    fn announce(&mut self, at: UnixNanos, topic: Topic) {
        let ms = at.as_millis();
        let frames: Vec<String> = self
            .markets
            .values()
            .filter(|market| topic.symbol().is_none_or(|one| one == market.contract().symbol))
            .filter_map(|market| {
                let (symbol, funding) = (market.contract().symbol, market.funding());
                let settled = funding.last_settlement(ms)?;
                let subject = match ms - settled {
                    0 => "funding.begin",
                    SETTLING_MS => "funding.end",
                    _ => return None,
                };
                let rate = funding.charged(settled);
                Some(announcement_frame(topic, subject, symbol, (settled, ms), rate))
            })
            .collect();
        for frame in frames {
            self.push(topic, || frame.into());
        }
    }

    /// Of the period that the last trade fell into, even if that has just ended: so the last push of a
    /// period is its final state.
    fn push_candle(&mut self, at: UnixNanos, topic: Topic) {
        let Key::Candle(_, interval) = topic.key else { return };
        let Some(market) = self.market_of(topic) else { return };
        let since = at.as_nanos() - SECOND_MS * 1_000_000;
        let traded = market.last_trade_at().is_some_and(|last| last.as_nanos() >= since);
        let Some(candle) = market.last_candle(interval).filter(|_| traded) else { return };
        let frame = candle_frame(topic, &candle, at);
        self.push(topic, || frame.into());
    }
}
