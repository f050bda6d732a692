//! A time as it stands on the wire. Nothing depends on it but what is told: one that cannot be read is
//! absent, and that is said.

use super::scan::Value;
use super::swar;
use crate::time::UnixNanos;

/// What stands where a time may stand.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Time {
    /// Nothing, null, or an empty text.
    Absent,
    Known(UnixNanos),
    /// Something that is no time, or one in another unit.
    Odd,
}

/// What the exchange counts a time in.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Unit {
    Millis,
    Micros,
    Nanos,
}

/// Less than any time in its unit, and more than any of this century in a coarser one that is taken for it:
/// nanoseconds of the year 1973, or microseconds of the year 5138.
pub(super) const EARLIEST: UnixNanos = UnixNanos::from_nanos(100_000_000_000_000_000);

impl Time {
    pub(super) fn of(value: Value<'_>, unit: Unit) -> Self {
        match value {
            Value::Null => Self::Absent,
            Value::Number(digits) => Self::of_digits(digits.as_bytes(), unit),
            Value::Text(text) => {
                text.plain().map_or(Self::Odd, |text| Self::of_text(text.as_bytes(), unit))
            }
            Value::Bool(_) | Value::Object(_) | Value::Array(_) => Self::Odd,
        }
    }

    /// Of a text without escapes.
    pub(super) fn of_text(text: &[u8], unit: Unit) -> Self {
        if text.is_empty() { Self::Absent } else { Self::of_digits(text, unit) }
    }

    /// Of a number: plain digits.
    pub(super) fn of_digits(digits: &[u8], unit: Unit) -> Self {
        let long = || {
            let is_plain = digits.iter().all(u8::is_ascii_digit);
            core::str::from_utf8(digits).ok().filter(|_| is_plain)?.parse().ok()
        };
        let number = swar::whole_number(digits).or_else(long);
        number.and_then(|number| Self::of_number(number, unit)).map_or(Self::Odd, Self::Known)
    }

    /// The time that is so many of a unit, if it is one.
    #[inline]
    pub(super) fn of_number(number: u64, unit: Unit) -> Option<UnixNanos> {
        let time = match unit {
            Unit::Millis => UnixNanos::from_millis(number),
            Unit::Micros => UnixNanos::from_micros(number),
            Unit::Nanos => Some(UnixNanos::from_nanos(number)),
        };
        time.filter(|time| *time >= EARLIEST)
    }

    pub(crate) const fn known(self) -> Option<UnixNanos> {
        match self {
            Self::Known(time) => Some(time),
            Self::Absent | Self::Odd => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_in_another_unit_is_none() {
        const AT: u64 = 1_790_000_000;
        let units = [Unit::Millis, Unit::Micros, Unit::Nanos];
        for (unit, per_second) in units.into_iter().zip([1_000, 1_000_000, 1_000_000_000]) {
            for (other, other_per_second) in
                units.into_iter().zip([1_000, 1_000_000, 1_000_000_000])
            {
                let digits = std::format!("{}", AT * other_per_second);
                let time = Time::of_digits(digits.as_bytes(), unit);
                assert_eq!(time == Time::Odd, unit != other, "{unit:?} {other:?} {per_second}");
            }
        }
    }

    #[test]
    fn what_is_no_time_is_odd_and_what_is_nothing_absent() {
        for text in [
            "1.79E18",
            "1790000000000000000.5",
            "-1790000000000000000",
            "+1790000000000000000",
            "x",
            "0",
        ] {
            assert_eq!(Time::of_text(text.as_bytes(), Unit::Nanos), Time::Odd, "{text}");
        }
        assert_eq!(Time::of_text(b"", Unit::Nanos), Time::Absent);
        assert_eq!(Time::of(Value::Null, Unit::Nanos), Time::Absent);
        assert_eq!(Time::of(Value::Bool(true), Unit::Nanos), Time::Odd);
    }
}
