//! For how long books were not live that had been.

use std::collections::BTreeMap;
use std::time::Duration;

use kucoin_futures_proto::{BookEvent, Event, Instant, TopicId};

/// The longest time that any book was away.
#[derive(Debug, Default)]
pub(super) struct Liveness {
    /// Those that are away, and since when.
    lost: BTreeMap<TopicId, Instant>,
    longest: Duration,
}

impl Liveness {
    pub(super) fn on_event(&mut self, now: Instant, event: &Event) {
        match *event {
            Event::Book(topic, BookEvent::Lost { .. }) => {
                self.lost.insert(topic, now);
            }
            Event::Book(topic, BookEvent::Live { .. }) => {
                let since = self.lost.remove(&topic);
                let span = since.map_or(Duration::ZERO, |since| now.since(since));
                self.longest = self.longest.max(span);
            }
            _ => {}
        }
    }

    /// With those that are away still; zero if none ever was.
    pub(super) fn longest(&self, now: Instant) -> Duration {
        let still = self.lost.values().map(|since| now.since(*since)).max();
        self.longest.max(still.unwrap_or_default())
    }
}
