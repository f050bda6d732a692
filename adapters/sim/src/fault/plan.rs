//! Plans: faults with their times, read and written.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use super::Fault;
use super::parameter::{Parameter as _, Words};

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
