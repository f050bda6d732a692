//! What no stream says: when the next funding is, and the figures of the day before the first are pushed.

use std::time::Duration;

use kucoin_futures_proto::{Instant, Query, Symbol};

use crate::follow::Ctx;

/// Asks for rows of the list of contracts.
pub(super) struct Terms {
    /// Of all that are watched.
    all_due: Option<Instant>,
    /// Of one.
    due: Option<(Instant, Symbol)>,
}

/// More contracts than so many are asked for with the whole list at once, which costs as much as one.
const FEW: usize = 8;
/// After an answer that did not come, and until a settlement that was not told of is looked into.
const RETRY: Duration = Duration::from_secs(15);
/// From the end of a settlement on: the exchange has the next one by then.
const SETTLED: Duration = Duration::from_secs(5);

impl Terms {
    /// Nothing was asked yet.
    pub(super) const fn new(now: Instant) -> Self {
        Self { all_due: Some(now), due: None }
    }

    pub(super) fn on_failed(&mut self, now: Instant, query: Query) {
        match query {
            Query::Contracts => self.all_due = Some(now + RETRY),
            Query::Contract { symbol } => self.want(now + RETRY, symbol),
            _ => {}
        }
    }

    /// A settlement of this contract has ended.
    pub(super) fn want_after(&mut self, now: Instant, symbol: Symbol) {
        self.want(now + SETTLED, symbol);
    }

    /// Its settlement is due, and the exchange may take its time.
    pub(super) fn want_later(&mut self, now: Instant, symbol: Symbol) {
        self.want(now + RETRY, symbol);
    }

    /// Settlements of whichever contracts may have been missed.
    pub(super) fn want_all(&mut self, now: Instant) {
        self.all_due = Some(now);
    }

    /// Of several, all are asked for.
    fn want(&mut self, at: Instant, symbol: Symbol) {
        match self.due.take() {
            Some((_, other)) if other != symbol => self.all_due = self.all_due.or(Some(at)),
            _ => self.due = Some((at, symbol)),
        }
    }

    /// Asks what is due; gives how long there is to wait for the next.
    pub(super) fn ask<'a>(
        &mut self,
        cx: &mut Ctx,
        symbols: impl ExactSizeIterator<Item = &'a Symbol>,
    ) -> Option<Duration> {
        if self.all_due.take_if(|due| *due <= cx.now).is_some() {
            if symbols.len() > FEW {
                cx.ask(Query::Contracts);
            } else {
                symbols.for_each(|symbol| cx.ask(Query::Contract { symbol: *symbol }));
            }
        }
        if let Some((_, symbol)) = self.due.take_if(|(due, _)| *due <= cx.now) {
            cx.ask(Query::Contract { symbol });
        }
        let next = [self.all_due, self.due.map(|(due, _)| due)].into_iter().flatten().min();
        next.map(|due| due.since(cx.now))
    }
}
