//! What best bid and best ask say.

use core::time::Duration;

use kucoin_futures_proto::{Price, UnixNanos};

use crate::indicator::{Formula, Guarded, ParameterError};
use crate::touch::Touch;
use crate::window::Window;

/// Lots by which buyers have pressed more than sellers: the sum over changes of best bid and best ask (R. Cont, A.
/// Kukanov and S. Stoikov, *The Price Impact of Order Book Events*, 2014). Of a change from one touch to the next:
///
/// * the new bid's lots if the bid did not fall, less the old bid's if it did not rise;
/// * less the new ask's lots if the ask did not rise, and the old ask's if it did not fall.
///
/// Exact. Warm-up: `n + 1` touches, or a span since the first one.
#[derive(Clone, Debug)]
pub struct OrderFlowImbalance {
    last: Option<Touch>,
    window: Window<i128>,
    sum: i128,
}

impl OrderFlowImbalance {
    /// Over the last `n` changes, 1 to 65 536.
    ///
    /// # Errors
    /// [`ParameterError`] for another number.
    pub fn of_last(n: u32) -> Result<Guarded<Self>, ParameterError> {
        Ok(Guarded::new(Self { last: None, window: Window::last(n)?, sum: 0 }))
    }

    /// Over the changes later than a span before the last one, or before what
    /// [`on_time`](crate::Indicator::on_time) was told.
    ///
    /// # Errors
    /// [`ParameterError`] for a span of zero or of more than 584 years.
    pub fn of_span(span: Duration) -> Result<Guarded<Self>, ParameterError> {
        Ok(Guarded::new(Self { last: None, window: Window::span(span)?, sum: 0 }))
    }
}

/// What one change says.
fn flow(before: Touch, after: Touch) -> i128 {
    let lots = |is_counted: bool, lots: u64| if is_counted { i128::from(lots) } else { 0 };
    let (bids, asks) = ((before.bid, after.bid), (before.ask, after.ask));
    let bought = lots(bids.1.price >= bids.0.price, bids.1.size.get())
        .wrapping_sub(lots(bids.1.price <= bids.0.price, bids.0.size.get()));
    let sold = lots(asks.1.price <= asks.0.price, asks.1.size.get())
        .wrapping_sub(lots(asks.1.price >= asks.0.price, asks.0.size.get()));
    bought.wrapping_sub(sold)
}

impl Formula for OrderFlowImbalance {
    type Input = Touch;
    type Output = i128;

    #[inline]
    fn push(&mut self, at: UnixNanos, touch: Touch) {
        let Self { last, window, sum } = self;
        let Some(before) = last.replace(touch) else {
            window.begin(at);
            return;
        };
        let flow = flow(before, touch);
        // 2^16 numbers of 66 bits; a span would have to hold 2^60.
        *sum = sum.wrapping_add(flow);
        window.push(at, flow, |old| *sum = sum.wrapping_sub(old));
    }

    fn on_time(&mut self, at: UnixNanos) {
        let Self { window, sum, .. } = self;
        window.advance(at, |old| *sum = sum.wrapping_sub(old));
    }

    #[inline]
    fn value(&self) -> Option<i128> {
        self.window.is_full().then_some(self.sum)
    }

    fn warm_up(&self) -> u32 {
        self.window.warm_up().saturating_add(1)
    }

    fn taken(&self) -> u32 {
        self.window.taken().saturating_add(u32::from(self.last.is_some()))
    }

    fn reset(&mut self) {
        self.last = None;
        self.window.clear();
        self.sum = 0;
    }
}

/// The price between best bid and best ask that is nearer to the side with fewer lots, where the next trade is likelier
/// to be: bid price x ask size and ask price x bid size, by both sizes. Exact, rounded down to 12 decimals. (The
/// weighted mid that S. Stoikov, *The Micro-Price*, 2018, begins with; his own is an expectation that needs a model.)
/// Warm-up: one touch.
#[derive(Clone, Debug)]
pub struct Microprice {
    last: Option<Price>,
}

impl Microprice {
    /// That has seen nothing yet.
    #[must_use]
    #[allow(clippy::new_without_default, reason = "all indicators are made by a new of theirs")]
    pub fn new() -> Guarded<Self> {
        Guarded::new(Self { last: None })
    }
}

impl Formula for Microprice {
    type Input = Touch;
    type Output = Price;

    #[inline]
    fn push(&mut self, _: UnixNanos, touch: Touch) {
        self.last = touch.microprice();
    }

    fn value(&self) -> Option<Price> {
        self.last
    }

    fn warm_up(&self) -> u32 {
        1
    }

    fn taken(&self) -> u32 {
        u32::from(self.last.is_some())
    }

    fn reset(&mut self) {
        self.last = None;
    }
}
