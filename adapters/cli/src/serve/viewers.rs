//! Those who look: each is told the next part once it has taken the last.

use std::time::Duration;

use async_channel::Sender;
use hyper::body::Bytes;
use kucoin_futures_proto::{Instant, Symbol, TopicId};
use serde_json::Value;

use super::picture::{Scene, Told};

/// A contract that is looked at is told so often, and all of them so often.
const PAUSE: Duration = Duration::from_millis(250);
pub(super) const PAUSE_OF_ALL: Duration = Duration::from_secs(1);
/// Whoever takes nothing for so long is let go.
const PATIENCE: Duration = Duration::from_secs(10);

struct Viewer {
    symbol: Symbol,
    topic: TopicId,
    slot: Sender<Bytes>,
    told: Told,
    due: Instant,
    all_due: Instant,
    /// Since when it has not taken what is there for it.
    stuck: Option<Instant>,
}

/// All of them.
#[derive(Default)]
pub(crate) struct Viewers(Vec<Viewer>);

impl Viewers {
    /// One more, who is told everything now.
    pub(crate) fn add(
        &mut self,
        now: Instant,
        (symbol, topic): (Symbol, TopicId),
        slot: Sender<Bytes>,
        scene: Scene<'_>,
    ) {
        let (picture, told) = scene.whole(symbol, topic);
        // There is room: nothing was put there yet. Or it is gone already.
        let _ = slot.try_send(event(&picture));
        let (due, all_due) = (now + PAUSE, now + PAUSE_OF_ALL);
        self.0.push(Viewer { symbol, topic, slot, told, due, all_due, stuck: None });
    }

    /// Lets go of those who are gone or stuck; gives when the next of the others is due.
    pub(crate) fn due(&mut self, now: Instant) -> Option<Instant> {
        self.0.retain_mut(|viewer| viewer.stays(now));
        self.0.iter().map(|viewer| viewer.due).min()
    }

    /// Whether somebody is to be told of all contracts, and has taken what was told before.
    pub(crate) fn is_all_due(&self, now: Instant) -> bool {
        let is_due = |viewer: &Viewer| viewer.due <= now && viewer.all_due <= now;
        self.0.iter().any(|viewer| is_due(viewer) && !viewer.slot.is_full())
    }

    /// What is looked at; one that several look at is there several times.
    pub(crate) fn contracts(&self) -> impl Iterator<Item = (Symbol, TopicId)> + '_ {
        self.0.iter().map(|viewer| (viewer.symbol, viewer.topic))
    }

    /// Tells one of those who are due and have taken what they were told before: who has waited longest. The feed goes
    /// on in between.
    pub(crate) fn tell(&mut self, now: Instant, scene: Scene<'_>) {
        let mut due: Vec<_> = self.0.iter_mut().filter(|viewer| viewer.due <= now).collect();
        due.sort_by_key(|viewer| viewer.due);
        for viewer in due {
            viewer.due = now + PAUSE;
            if viewer.slot.is_full() {
                continue;
            }
            let all = viewer.all_due <= now;
            if all {
                viewer.all_due = now + PAUSE_OF_ALL;
            }
            let picture = scene.update(viewer.symbol, viewer.topic, &mut viewer.told, all);
            let _ = viewer.slot.try_send(event(&picture));
            return;
        }
    }
}

impl Viewer {
    fn stays(&mut self, now: Instant) -> bool {
        if !self.slot.is_full() {
            self.stuck = None;
        } else if now.since(*self.stuck.get_or_insert(now)) > PATIENCE {
            tracing::info!(symbol = %self.symbol, "serve: a reader who takes nothing is let go");
            self.slot.close();
        }
        !self.slot.is_closed()
    }
}

/// As an event stream has it.
fn event(picture: &Value) -> Bytes {
    Bytes::from(format!("data: {picture}\n\n"))
}
