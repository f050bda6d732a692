//! What an indicator says, and how far it can be believed.

use kucoin_futures_proto::UnixNanos;

/// What an indicator says.
///
/// ```
/// use kucoin_futures_analytics::Reading;
/// use kucoin_futures_proto::UnixNanos;
///
/// let at = UnixNanos::from_nanos(5);
/// let valid = Reading::Valid { value: 7, valid_since: at };
/// let stale = Reading::Stale { value: 7, gap: at };
/// assert_eq!((valid.valid(), valid.value()), (Some(&7), Some(&7)));
/// assert_eq!((stale.valid(), stale.value()), (None, Some(&7)));
/// assert_eq!(Reading::<u8>::Warming { needed: 3 }.value(), None);
/// ```
#[derive(Clone, Copy, PartialEq, Debug)]
#[allow(clippy::exhaustive_enums, reason = "no number, a right one, or one that may be wrong")]
pub enum Reading<T> {
    /// No number yet.
    Warming {
        /// At least so many inputs more are needed; 1 or more. A span of time that is not over yet counts as one.
        needed: u32,
    },
    /// Exactly what all inputs since a time add up to.
    Valid {
        /// The number.
        value: T,
        /// When the first input came that it may depend on.
        valid_since: UnixNanos,
    },
    /// An input that it depends on may have been missed.
    Stale {
        /// The number as it is if nothing was missed.
        value: T,
        /// Where something may be missing, the last such place: what
        /// [`Indicator::on_gap`](crate::Indicator::on_gap) was told.
        gap: UnixNanos,
    },
}

impl<T> Reading<T> {
    /// The number, if nothing is missing in it.
    #[must_use]
    pub const fn valid(&self) -> Option<&T> {
        match self {
            Self::Valid { value, .. } => Some(value),
            Self::Warming { .. } | Self::Stale { .. } => None,
        }
    }

    /// The number, if there is one, right or not.
    #[must_use]
    pub const fn value(&self) -> Option<&T> {
        match self {
            Self::Valid { value, .. } | Self::Stale { value, .. } => Some(value),
            Self::Warming { .. } => None,
        }
    }

    /// When the first input came that a valid number may depend on.
    #[must_use]
    pub const fn valid_since(&self) -> Option<UnixNanos> {
        match self {
            Self::Valid { valid_since, .. } => Some(*valid_since),
            Self::Warming { .. } | Self::Stale { .. } => None,
        }
    }

    /// Whether there is a number in which something may be missing.
    #[must_use]
    pub const fn is_stale(&self) -> bool {
        matches!(self, Self::Stale { .. })
    }

    /// The same said of what `f` makes of the number.
    pub fn map<U>(self, f: impl FnOnce(T) -> U) -> Reading<U> {
        match self {
            Self::Warming { needed } => Reading::Warming { needed },
            Self::Valid { value, valid_since } => Reading::Valid { value: f(value), valid_since },
            Self::Stale { value, gap } => Reading::Stale { value: f(value), gap },
        }
    }
}
