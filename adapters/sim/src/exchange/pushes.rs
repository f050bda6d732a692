//! What happens in a market, and who is told.

use std::sync::Arc;

use kucoin_futures_proto::{Instant, Lots, Sequence, Symbol, UnixNanos, wire};

use super::frames::{delta_frame, spoil, ticker_frame};
use super::state::{About, Delta, Exchange, Outgoing, PushForm};
use crate::market::Market;
use crate::session::Session;
use crate::topic::{Feed, Topic};
use crate::truth::Change;

impl Exchange {
    /// Makes one change in a market and pushes what follows from it.
    pub fn change(&mut self, symbol: Symbol, at: Instant) {
        self.make(symbol, at, Market::step);
    }

    /// Makes the change that `step` makes, and pushes what follows from it.
    pub(super) fn make(
        &mut self,
        symbol: Symbol,
        at: Instant,
        step: impl FnOnce(&mut Market, UnixNanos) -> (Sequence, Change),
    ) {
        self.make_because(symbol, at, Cause::Market, step);
    }

    /// The same, where it is known whose doing it is.
    pub(crate) fn make_because(
        &mut self,
        symbol: Symbol,
        at: Instant,
        cause: Cause,
        step: impl FnOnce(&mut Market, UnixNanos) -> (Sequence, Change),
    ) {
        let unix = self.unix(at);
        let Some(market) = self.markets.get_mut(&symbol) else { return };
        let before = market.truth().touch();
        let (sequence, change) = step(market, unix);
        let makers = self.accounts.struck(symbol, market, &change);
        let trades = match cause {
            Cause::Market if makers.is_empty() => market.take(&change),
            Cause::Market => market.take_for(&change, None, &makers),
            Cause::Taker(order) => market.take_for(&change, Some(order), &makers),
            Cause::Quiet => Vec::new(),
        };
        let after = market.truth().touch();
        self.counts.changes += 1;
        self.push_delta(at, symbol, sequence, change);
        if let (true, Some(after)) = (before != after, after) {
            self.push(Topic::one(Feed::TickerV2, symbol), || {
                ticker_frame(symbol, sequence, after, unix).into()
            });
        }
        for trade in &trades {
            self.counts.trades += 1;
            self.push(Topic::one(Feed::Execution, symbol), || trade.execution_frame(symbol).into());
            if let Some(touch) = after {
                self.push(Topic::one(Feed::Ticker, symbol), || {
                    trade.ticker_frame(symbol, touch).into()
                });
            }
        }
        self.settle(at, symbol, &trades);
    }

    /// Pushes a change of a book, unless a fault has other plans for it.
    fn push_delta(&mut self, at: Instant, symbol: Symbol, sequence: Sequence, change: Change) {
        if self.troubles.dropped.take(symbol) {
            return self.strike("drop", Some(symbol));
        }
        let sound = !self.troubles.malformed.take(symbol);
        let ms = self.config.clocks.of_delta(change.at);
        let mut said =
            wire::Delta::new(sequence, change.side, change.price, Lots::new(change.after));
        said.ts_event = ms.map(|ms| UnixNanos::from_nanos(ms * 1_000_000));
        let mut frame = delta_frame(symbol, &said);
        if !sound {
            self.strike("malformed", Some(symbol));
            frame = spoil(&mut self.rng, &frame);
        }
        let run = self.market(symbol).map_or(0, |market| market.runs() - 1);
        let delta = Delta { frame: frame.into(), run, sequence, sound };
        if self.troubles.held_back.get(&symbol).is_some_and(|until| at < *until) {
            return self.held.entry(symbol).or_default().push(delta);
        }
        self.push_frame(symbol, &delta);
        self.last_frames.insert(symbol, delta);
    }

    pub(super) fn push_frame(&mut self, symbol: Symbol, delta: &Delta) {
        let (run, sequence, sound) = (delta.run, delta.sequence, delta.sound);
        let about = About::Delta { symbol, run, sequence, sound };
        let Some(market) = self.markets.get(&symbol) else { return };
        for (id, session) in &mut self.sessions {
            if session.takes(market, (delta.run, delta.sequence), delta.sound) {
                self.outgoing.push_back(Outgoing::Send(*id, Arc::clone(&delta.frame), about));
                self.counts.pushed += 1;
            }
        }
    }

    /// The frame is composed only if anybody listens.
    pub(super) fn push(&mut self, topic: Topic, frame: impl FnOnce() -> Arc<str>) {
        self.push_to(Some(topic), |session| session.listens_to(topic), frame);
    }

    /// Pushes to whoever listens; troubles of a topic spoil what is pushed under it.
    fn push_to(
        &mut self,
        topic: Option<Topic>,
        listens: impl Fn(&Session) -> bool,
        frame: impl FnOnce() -> Arc<str>,
    ) {
        if !self.sessions.values().any(&listens) {
            return;
        }
        let before = self.outgoing.len();
        let frames = match topic {
            Some(topic) => self.troubled(topic, frame()),
            None => vec![(frame(), PushForm::Usual)],
        };
        for (frame, form) in frames {
            let listening = self.sessions.iter().filter(|(_, session)| listens(session));
            let send = |id| Outgoing::Send(id, Arc::clone(&frame), About::Push(form));
            self.outgoing.extend(listening.map(|(id, _)| send(*id)));
        }
        self.counts.pushed += (self.outgoing.len() - before) as u64;
    }

    /// Whether anybody has logged in to this account.
    pub(crate) fn is_logged_in(&self, user: &str) -> bool {
        self.sessions.values().any(|session| session.is_of(user))
    }

    /// Pushes to whoever has logged in to this account and listens. `data` is the object in the frame's
    /// `data`, composed only if anybody listens.
    pub(crate) fn push_private(
        &mut self,
        user: &str,
        topic: Topic,
        subject: &str,
        data: impl FnOnce() -> String,
    ) {
        let listens = |session: &Session| session.is_of(user) && session.listens_to(topic);
        self.push_to(None, listens, || {
            format!(
                concat!(
                    r#"{{"topic":"{}","type":"message","subject":"{}","userId":"{}","#,
                    r#""channelType":"private","data":{}}}"#
                ),
                topic,
                subject,
                user,
                data()
            )
            .into()
        });
    }
}

/// Whose doing a change of a book is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Cause {
    /// The market's: what vanished at the touch may have been taken.
    Market,
    /// An account's order took it.
    Taker(u64),
    /// An account's order came or went: nothing was taken.
    Quiet,
}
