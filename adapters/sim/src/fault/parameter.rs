//! What follows a fault's word: how parameters are read and written.

use std::fmt;
use std::str::{FromStr, SplitWhitespace};
use std::time::Duration;

use kucoin_futures_proto::Symbol;

/// What is left of an entry.
pub(super) struct Words<'a>(pub(super) SplitWhitespace<'a>);

impl<'a> Words<'a> {
    pub(super) fn need(&mut self, what: &str) -> Result<&'a str, String> {
        self.0.next().ok_or_else(|| format!("{what} is missing"))
    }

    fn number<T: FromStr>(&mut self, default: T) -> Result<T, String> {
        let Some(word) = self.0.next() else { return Ok(default) };
        word.parse().map_err(|_| format!("`{word}` is no number in range"))
    }
}

/// A type that a fault's parameter may have: there is one meaning for each.
pub(super) trait Parameter: Sized {
    fn read(words: &mut Words<'_>) -> Result<Self, String>;

    fn write(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result;

    fn as_target(&self) -> Option<Target> {
        None
    }
}

/// Which symbols a fault hits.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[allow(clippy::exhaustive_enums, reason = "one or all")]
pub enum Target {
    /// All of them.
    All,
    /// This one.
    One(Symbol),
}

impl Target {
    pub(crate) fn hits(self, symbol: Symbol) -> bool {
        match self {
            Self::All => true,
            Self::One(one) => one == symbol,
        }
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::All => f.write_str("*"),
            Self::One(symbol) => symbol.fmt(f),
        }
    }
}

impl Parameter for Target {
    fn read(words: &mut Words<'_>) -> Result<Self, String> {
        match words.need("a symbol or `*`")? {
            "*" => Ok(Self::All),
            symbol => symbol.parse().map(Self::One).map_err(|e| format!("`{symbol}`: {e}")),
        }
    }

    fn write(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }

    fn as_target(&self) -> Option<Target> {
        Some(*self)
    }
}

impl Parameter for Duration {
    fn read(words: &mut Words<'_>) -> Result<Self, String> {
        let word = words.need("a time such as `500ms`, `3s` or `2m`")?;
        let digits = word.trim_end_matches(|c: char| !c.is_ascii_digit());
        let number: u64 = digits.parse().map_err(|_| format!("`{word}` is no time"))?;
        let unit = match word.get(digits.len()..) {
            Some("ns") => 1,
            Some("ms") => 1_000_000,
            Some("s") => 1_000_000_000,
            Some("m") => 60_000_000_000,
            Some("h") => 3_600_000_000_000,
            _ => return Err(format!("`{word}`: the unit is `ns`, `ms`, `s`, `m` or `h`")),
        };
        Ok(Self::from_nanos(number.saturating_mul(unit)))
    }

    fn write(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.subsec_nanos().is_multiple_of(1_000_000) {
            write!(f, "{}ms", self.as_millis())
        } else {
            write!(f, "{}ns", self.as_nanos())
        }
    }
}

/// A count.
impl Parameter for u32 {
    fn read(words: &mut Words<'_>) -> Result<Self, String> {
        match words.number(1)? {
            0 => Err("a count is at least 1".into()),
            count => Ok(count),
        }
    }

    fn write(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// The size of a step.
impl Parameter for u64 {
    fn read(words: &mut Words<'_>) -> Result<Self, String> {
        match words.number(0)? {
            0 => Err("the size of the step is missing".into()),
            step => Ok(step),
        }
    }

    fn write(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A close code.
impl Parameter for u16 {
    fn read(words: &mut Words<'_>) -> Result<Self, String> {
        words.number(1000)
    }

    fn write(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
