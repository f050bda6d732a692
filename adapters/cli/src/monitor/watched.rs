//! A command that is a monitor, and somebody who looks at it.

use std::time::Duration;

use kucoin_futures_host::BookUpdate;
use kucoin_futures_proto::{Channel, Event, Message, Push, Query, WireError};

use super::Monitor;
use crate::exit::Failure;
use crate::feed::Feed;
use crate::follow::{Ctx, News, Show};

/// When whoever looks wants to be called again.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Again {
    /// With the next thing that comes, or is waited for, and after this time at the latest.
    Within(Duration),
    /// Never: it is over.
    Not,
}

/// Feeds a monitor; `look` is called between any two things that come, so it keeps its own time and looks only when
/// that is due.
pub(crate) struct Watched<F> {
    monitor: Monitor,
    look: F,
    is_over: bool,
}

impl<F> Watched<F>
where
    F: FnMut(&mut Monitor, &mut Ctx, &Feed) -> Result<Again, Failure>,
{
    pub(crate) const fn new(monitor: Monitor, look: F) -> Self {
        Self { monitor, look, is_over: false }
    }

    /// As it was seen last.
    pub(crate) const fn monitor(&self) -> &Monitor {
        &self.monitor
    }
}

impl<F> Show for Watched<F>
where
    F: FnMut(&mut Monitor, &mut Ctx, &Feed) -> Result<Again, Failure>,
{
    fn begin(&mut self, cx: &mut Ctx, feed: &Feed) {
        self.monitor.begin(cx, feed);
    }

    fn change(&mut self, cx: &mut Ctx, change: &BookUpdate<'_>) -> Result<(), Failure> {
        self.monitor.change(cx, change)
    }

    fn said(&mut self, cx: &mut Ctx, event: &Event, news: &News) -> Result<(), Failure> {
        self.monitor.said(cx, event, news)
    }

    fn unreadable(&mut self, cx: &mut Ctx, push: &Push<'_>, error: WireError) {
        self.monitor.unreadable(cx, push, error);
    }

    fn missed(&mut self, cx: &mut Ctx, channel: Channel) {
        self.monitor.missed(cx, channel);
    }

    fn failed(&mut self, cx: &mut Ctx, query: Query) {
        self.monitor.failed(cx, query);
    }

    fn message(
        &mut self,
        cx: &mut Ctx,
        push: &Push<'_>,
        message: &Message<'_>,
    ) -> Result<(), Failure> {
        self.monitor.message(cx, push, message)
    }

    fn beat(&mut self, cx: &mut Ctx, feed: &Feed) -> Result<Option<Duration>, Failure> {
        let wait = self.monitor.beat(cx, feed)?;
        let again = (self.look)(&mut self.monitor, cx, feed)?;
        self.is_over |= again == Again::Not;
        let again = match again {
            Again::Within(span) => span,
            Again::Not => Duration::ZERO,
        };
        Ok(Some(wait.map_or(again, |wait| wait.min(again))))
    }

    fn is_over(&self) -> bool {
        self.is_over
    }
}
