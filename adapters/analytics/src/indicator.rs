//! What all indicators have in common, and the one place where gaps are dealt with.
//!
//! ```text
//!              ┌── while nothing is missing ───────────────┐
//!  push ──────>│ Guarded ── current: all since valid_since │──> Valid
//!              ├── after on_gap ───────────────────────────┤
//!              │          ├ current: as if nothing were    │──> Stale
//!              │          │          missing               │
//!              │          └ fresh:   all since the gap;    │
//!              │            takes current's place when it  │
//!              │            has a number                   │
//!              └───────────────────────────────────────────┘
//! ```

use core::fmt;

use kucoin_futures_proto::UnixNanos;

use crate::reading::Reading;

/// A number that is kept up to date input by input.
///
/// Times are the exchange's, of the inputs. They should not fall; where a formula looks at them, one that does counts
/// as the latest time so far, and a window of time begins anew if one falls by more than the window.
pub trait Indicator {
    /// What it is computed of.
    type Input;
    /// What it says.
    type Output;

    /// Takes the next input, of this time.
    fn push(&mut self, at: UnixNanos, input: Self::Input) -> Reading<Self::Output>;

    /// Between the last input and the next one others may have been missed. Idempotent.
    fn on_gap(&mut self, at: UnixNanos);

    /// It is this time now, and nothing came since the last input. Moves windows of time; changes nothing else.
    fn on_time(&mut self, at: UnixNanos) -> Reading<Self::Output> {
        let _ = at;
        self.reading()
    }

    /// What it says after the last input.
    fn reading(&self) -> Reading<Self::Output>;

    /// Inputs that are needed for the first number; of a window of time at least so many.
    fn warm_up(&self) -> u32;
}

/// A computation over inputs of which none is missing. [`Guarded`] makes an indicator of it: whoever writes one of
/// his own writes only this.
pub trait Formula {
    /// What it is computed of.
    type Input: Copy;
    /// What it says.
    type Output;

    /// Takes the next input.
    fn push(&mut self, at: UnixNanos, input: Self::Input);

    /// It is this time now, and there was no input.
    fn on_time(&mut self, at: UnixNanos) {
        let _ = at;
    }

    /// The number; `None` as long as inputs are missing that it needs.
    fn value(&self) -> Option<Self::Output>;

    /// Inputs that are needed for the first number.
    fn warm_up(&self) -> u32;

    /// Inputs taken since it was new, at most [`warm_up`](Self::warm_up) need be counted.
    fn taken(&self) -> u32;

    /// Becomes as new, and keeps its memory.
    fn reset(&mut self);
}

/// A formula that knows of gaps: how all indicators here behave at one.
///
/// * Before a gap the number is that of all inputs.
/// * At a gap without a number everything begins anew.
/// * After a gap the formula goes on as if nothing were missing, and its number is [`Stale`](Reading::Stale). A second
///   state begins with the first input after the gap. When it has a number of its own, it takes the first one's
///   place. For a window that is when the window holds nothing from before the gap; for a recursive formula when it
///   is warm.
///
/// So a [`Valid`](Reading::Valid) number is always the formula over the inputs since the last gap, digit for digit.
#[derive(Clone, Debug)]
pub struct Guarded<F> {
    current: F,
    since: Option<UnixNanos>,
    fresh: F,
    fresh_since: Option<UnixNanos>,
    gap: Option<UnixNanos>,
}

impl<F: Formula + Clone> Guarded<F> {
    /// Of a formula that has taken nothing yet.
    #[must_use]
    pub fn new(formula: F) -> Self {
        let fresh = formula.clone();
        Self { current: formula, since: None, fresh, fresh_since: None, gap: None }
    }
}

impl<F: Formula> Guarded<F> {
    /// The formula, as it is if nothing was missed.
    #[must_use]
    pub const fn formula(&self) -> &F {
        &self.current
    }

    /// Lets the state of after the gap take over if it can.
    fn recover(&mut self) {
        if self.fresh.value().is_some() {
            core::mem::swap(&mut self.current, &mut self.fresh);
            self.fresh.reset();
            self.since = self.fresh_since.take();
            self.gap = None;
        }
    }
}

impl<F: Formula> Indicator for Guarded<F> {
    type Input = F::Input;
    type Output = F::Output;

    #[inline]
    fn push(&mut self, at: UnixNanos, input: F::Input) -> Reading<F::Output> {
        self.current.push(at, input);
        if self.gap.is_some() {
            self.fresh.push(at, input);
            self.fresh_since.get_or_insert(at);
            self.recover();
        } else {
            self.since.get_or_insert(at);
        }
        self.reading()
    }

    fn on_gap(&mut self, at: UnixNanos) {
        if self.current.value().is_none() {
            self.current.reset();
            (self.since, self.gap) = (None, None);
        } else {
            self.gap = Some(at);
        }
        self.fresh.reset();
        self.fresh_since = None;
    }

    fn on_time(&mut self, at: UnixNanos) -> Reading<F::Output> {
        self.current.on_time(at);
        if self.gap.is_some() {
            self.fresh.on_time(at);
            self.recover();
        }
        self.reading()
    }

    #[inline]
    fn reading(&self) -> Reading<F::Output> {
        match (self.current.value(), self.gap, self.since) {
            (Some(value), Some(gap), _) => Reading::Stale { value, gap },
            (Some(value), None, Some(valid_since)) => Reading::Valid { value, valid_since },
            _ => {
                // Of the state that will have a number first, and be right.
                let ahead = if self.gap.is_some() { &self.fresh } else { &self.current };
                Reading::Warming { needed: ahead.warm_up().saturating_sub(ahead.taken()).max(1) }
            }
        }
    }

    fn warm_up(&self) -> u32 {
        self.current.warm_up()
    }
}

/// Why there is no such indicator, candle or bar.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum ParameterError {
    /// A length, span or amount of zero.
    Zero,
    /// More than it can be: windows hold 65 536 inputs at most.
    TooLarge,
    /// The fast average of two must be the shorter one.
    Order,
    /// A number that is below zero, infinite or none.
    NotPositive,
}

impl fmt::Display for ParameterError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Zero => "a length of zero: 1 or more is needed",
            Self::TooLarge => {
                "a length or amount that is too large: windows hold 65536 inputs at most"
            }
            Self::Order => {
                "a fast average that is no shorter than the slow one: give the shorter length first"
            }
            Self::NotPositive => "a number that is not above zero",
        })
    }
}

impl core::error::Error for ParameterError {}

/// The most inputs that a window holds.
pub(crate) const MOST_INPUTS: u32 = 1 << 16;

/// A length that windows and averages can have.
pub(crate) const fn length(n: u32) -> Result<u32, ParameterError> {
    match n {
        0 => Err(ParameterError::Zero),
        1..=MOST_INPUTS => Ok(n),
        _ => Err(ParameterError::TooLarge),
    }
}
