//! The last inputs: so many, or those of a span of time.

use alloc::collections::VecDeque;
use alloc::vec::Vec;
use core::time::Duration;

use kucoin_futures_proto::UnixNanos;

use crate::indicator::{ParameterError, length};

/// The last `n` values. All its memory is there from the start.
#[derive(Clone, Debug)]
pub(crate) struct Ring<T> {
    slots: Vec<T>,
    /// The slot of the oldest value, or the next free one.
    next: usize,
    len: u32,
}

impl<T: Copy + Default> Ring<T> {
    pub(crate) fn new(n: u32) -> Result<Self, ParameterError> {
        let n = length(n)?;
        let slots = core::iter::repeat_n(T::default(), n as usize).collect();
        Ok(Self { slots, next: 0, len: 0 })
    }

    /// Takes a value in, and gives the one that it has pushed out.
    #[inline]
    pub(crate) fn push(&mut self, value: T) -> Option<T> {
        let was_full = self.is_full();
        let slot = self.slots.get_mut(self.next)?;
        let gone = core::mem::replace(slot, value);
        self.next = self.next.wrapping_add(1);
        if self.next >= self.slots.len() {
            self.next = 0;
        }
        if was_full {
            return Some(gone);
        }
        self.len = self.len.saturating_add(1);
        None
    }

    #[inline]
    pub(crate) const fn is_full(&self) -> bool {
        self.len as usize >= self.slots.len()
    }

    pub(crate) const fn len(&self) -> u32 {
        self.len
    }

    pub(crate) const fn capacity(&self) -> u32 {
        self.slots.len() as u32
    }

    pub(crate) const fn clear(&mut self) {
        (self.next, self.len) = (0, 0);
    }
}

/// The last values, by number or by time.
#[derive(Clone, Debug)]
pub(crate) enum Window<T> {
    Last(Ring<T>),
    Span(Span<T>),
}

/// Values later than a span before now. Grows to the most that were ever in it, and stays so.
#[derive(Clone, Debug)]
pub(crate) struct Span<T> {
    /// In nanoseconds, above zero.
    span: u64,
    held: VecDeque<(u64, T)>,
    /// When it began to be told.
    first: Option<u64>,
    now: u64,
}

impl<T: Copy + Default> Window<T> {
    pub(crate) fn last(n: u32) -> Result<Self, ParameterError> {
        Ok(Self::Last(Ring::new(n)?))
    }

    pub(crate) fn span(span: Duration) -> Result<Self, ParameterError> {
        let span = nanos(span)?;
        Ok(Self::Span(Span { span, held: VecDeque::new(), first: None, now: 0 }))
    }

    /// All from this time on is told, if it was not before.
    #[inline]
    pub(crate) fn begin(&mut self, at: UnixNanos) {
        if let Self::Span(span) = self {
            span.first.get_or_insert(at.as_nanos());
        }
    }

    /// Takes a value in; `gone` gets each that leaves.
    #[inline]
    pub(crate) fn push(&mut self, at: UnixNanos, value: T, mut gone: impl FnMut(T)) {
        match self {
            Self::Last(ring) => {
                if let Some(old) = ring.push(value) {
                    gone(old);
                }
            }
            Self::Span(span) => {
                span.begin(at.as_nanos(), &mut gone);
                span.advance(at.as_nanos(), &mut gone);
                span.held.push_back((span.now, value));
            }
        }
    }

    /// It is this time now.
    pub(crate) fn advance(&mut self, at: UnixNanos, mut gone: impl FnMut(T)) {
        if let Self::Span(span) = self {
            span.advance(at.as_nanos(), &mut gone);
        }
    }

    /// Whether all of it was told.
    #[inline]
    pub(crate) fn is_full(&self) -> bool {
        match self {
            Self::Last(ring) => ring.is_full(),
            Self::Span(Span { first, span, now, .. }) => {
                first.is_some_and(|first| first.saturating_add(*span) <= *now)
            }
        }
    }

    /// Values that it takes to be full; of a span one.
    pub(crate) const fn warm_up(&self) -> u32 {
        match self {
            Self::Last(ring) => ring.capacity(),
            Self::Span(_) => 1,
        }
    }

    /// Of those so many were taken; of a span none until it is over.
    pub(crate) fn taken(&self) -> u32 {
        match self {
            Self::Last(ring) => ring.len(),
            Self::Span(_) => u32::from(self.is_full()),
        }
    }

    pub(crate) fn clear(&mut self) {
        match self {
            Self::Last(ring) => ring.clear(),
            Self::Span(span) => {
                span.held.clear();
                (span.first, span.now) = (None, 0);
            }
        }
    }
}

impl<T: Copy> Span<T> {
    /// Begins with the first input, and anew with one from more than a span before: one of both times is wrong, and
    /// nothing would leave the window until the later one has come.
    fn begin(&mut self, at: u64, gone: &mut impl FnMut(T)) {
        if at.saturating_add(self.span) < self.now {
            self.held.drain(..).for_each(|(_, value)| gone(value));
            (self.first, self.now) = (None, at);
        }
        self.first.get_or_insert(at);
    }

    fn advance(&mut self, at: u64, gone: &mut impl FnMut(T)) {
        self.now = self.now.max(at);
        let Some(begin) = self.now.checked_sub(self.span) else { return };
        while let Some((_, value)) = self.held.front().copied().filter(|(at, _)| *at <= begin) {
            self.held.pop_front();
            gone(value);
        }
    }
}

/// A span that a window can have.
pub(crate) fn nanos(span: Duration) -> Result<u64, ParameterError> {
    match u64::try_from(span.as_nanos()) {
        Ok(0) => Err(ParameterError::Zero),
        Ok(span) => Ok(span),
        Err(_) => Err(ParameterError::TooLarge),
    }
}
