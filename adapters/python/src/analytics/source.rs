//! What an event of a feed means to something that is computed of one stream of one contract.

use std::sync::{Mutex, MutexGuard, PoisonError};

use kucoin_futures_analytics::Tick;
use kucoin_futures_proto::{Channel, ChannelKind, Lots, Sequence, Symbol};
use pyo3::prelude::*;

use crate::analytics::numbers::nanos;
use crate::events::{Lagged, MayHaveMissed, State, Trade};
use crate::fault::Fault;

/// One stream of one contract: the one that was named, or that of the first message.
#[derive(Debug)]
pub(crate) struct Source {
    kind: ChannelKind,
    is_named: bool,
    symbol: Mutex<Option<Symbol>>,
}

impl Source {
    pub(crate) fn new(kind: ChannelKind, symbol: Option<&str>) -> Result<Self, Fault> {
        let symbol = symbol.map(str::parse::<Symbol>).transpose()?;
        Ok(Self { kind, is_named: symbol.is_some(), symbol: Mutex::new(symbol) })
    }

    pub(crate) fn symbol(&self) -> Option<Symbol> {
        *self.lock()
    }

    fn lock(&self) -> MutexGuard<'_, Option<Symbol>> {
        self.symbol.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A message of this contract came among others: whether it is ours. Without a name there may be only one contract.
    pub(crate) fn wants(&self, symbol: Symbol) -> Result<bool, Fault> {
        let ours = *self.lock().get_or_insert(symbol);
        if ours == symbol || self.is_named { Ok(ours == symbol) } else { Err(two(ours, symbol)) }
    }

    /// A message of this contract was given on purpose.
    pub(crate) fn takes(&self, symbol: Symbol) -> Result<(), Fault> {
        let ours = *self.lock().get_or_insert(symbol);
        if ours == symbol { Ok(()) } else { Err(two(ours, symbol)) }
    }

    /// Whether messages of this stream may be missing where this event stands.
    ///
    /// A subscription that is confirmed, or ends, is such a place, too: what was before it, in a session of a recording
    /// for instance, does not go on there. So is a message that cannot be read.
    pub(crate) fn is_gap(&self, event: &Bound<'_, PyAny>) -> bool {
        if event.is_instance_of::<Lagged>() {
            return true;
        }
        if let Ok(missed) = event.cast::<MayHaveMissed>() {
            return self.is_of(&missed.get().topic);
        }
        let Ok(state) = event.cast::<State>() else { return false };
        let State { kind, topic: Some(topic), .. } = state.get() else { return false };
        let breaks = ["confirmed", "malformed", "rejected", "unsubscribed"];
        breaks.contains(&kind.as_str()) && self.is_of(topic)
    }

    fn is_of(&self, topic: &str) -> bool {
        let Ok(channel) = topic.parse::<Channel>() else { return false };
        let is_ours = self.symbol().is_none_or(|ours| channel.symbol() == Some(ours));
        channel.kind() == self.kind && is_ours
    }
}

fn two(ours: Symbol, other: Symbol) -> Fault {
    Fault::Misuse(format!(
        "this is of {ours}, and {other} came: make one for each contract, with symbol=, and give every event to `take`"
    ))
}

impl Trade {
    /// What candles and averages need of it.
    pub(crate) fn tick(&self) -> Tick {
        Tick {
            time: self.ts_ns.map(nanos),
            sequence: Sequence::new(self.sequence),
            taker_side: self.side,
            price: self.price,
            size: Lots::new(self.size),
        }
    }
}
