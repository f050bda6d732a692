//! Plans: faults with their times, read and written.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use super::{Fault, Refusal, Target};

/// A fault and its time.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct Entry {
    /// Since the start of the exchange.
    pub at: Duration,
    /// Again after every so long.
    pub every: Option<Duration>,
    /// What happens.
    pub fault: Fault,
}

impl Entry {
    /// A fault that happens once.
    #[must_use]
    pub const fn once(at: Duration, fault: Fault) -> Self {
        Self { at, every: None, fault }
    }
}

/// Faults with their times.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Plan {
    /// In no particular order.
    pub entries: Vec<Entry>,
}

/// A plan that does not follow the grammar.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("fault `{entry}`: {problem} (example: `at 3s drop XBTUSDTM 2; every 10s close 1001`)")]
pub struct PlanError {
    entry: String,
    problem: String,
}

impl FromStr for Plan {
    type Err = PlanError;

    fn from_str(text: &str) -> Result<Self, PlanError> {
        let entries = text.split([';', '\n']).map(str::trim).filter(|entry| !entry.is_empty());
        let parse = |entry: &str| {
            parse_entry(entry).map_err(|problem| PlanError { entry: entry.into(), problem })
        };
        Ok(Self { entries: entries.map(parse).collect::<Result<_, _>>()? })
    }
}

fn parse_entry(entry: &str) -> Result<Entry, String> {
    let mut words = Words(entry.split_whitespace());
    let repeats = match words.need("`at` or `every`")? {
        "at" => false,
        "every" => true,
        other => return Err(format!("`{other}` is neither `at` nor `every`")),
    };
    let at = Duration::read(&mut words)?;
    if repeats && at.is_zero() {
        return Err("`every` needs a time above zero".into());
    }
    let fault = Fault::read(words.need("a fault")?, &mut words)?;
    match words.0.next() {
        Some(rest) => Err(format!("`{rest}` is too much")),
        None => Ok(Entry { at, every: repeats.then_some(at), fault }),
    }
}

impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, entry) in self.entries.iter().enumerate() {
            f.write_str(if at == 0 { "" } else { "; " })?;
            entry.fmt(f)?;
        }
        Ok(())
    }
}

impl fmt::Display for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.every.is_some() { "every " } else { "at " })?;
        self.at.write(f)?;
        write!(f, " {}", self.fault)
    }
}

/// What is left of an entry.
pub(super) struct Words<'a>(std::str::SplitWhitespace<'a>);

impl<'a> Words<'a> {
    fn need(&mut self, what: &str) -> Result<&'a str, String> {
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

impl Parameter for Refusal {
    fn read(words: &mut Words<'_>) -> Result<Self, String> {
        let word = words.need("an error such as `404` or `509-busy`")?;
        let known = Self::ALL.iter().copied().find(|refusal| refusal.word() == word);
        known.ok_or_else(|| {
            let known: Vec<&str> = Self::ALL.iter().map(|refusal| refusal.word()).collect();
            format!("`{word}` is none of {}", known.join(", "))
        })
    }

    fn write(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}
