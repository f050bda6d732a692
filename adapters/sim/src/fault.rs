//! Faults that can be scripted, and their text form.
//!
//! ```text
//! plan    = [ entry { ( ";" | newline ) entry } ]
//! entry   = ( "at" time | "every" time ) fault          # since the start of the exchange
//! fault   = "drop" symbols [ count ]                    # deltas that are never pushed
//!         | "repeat" symbols [ count ]                  # the last delta is pushed again
//!         | "step-back" symbols count                   # the counter is set back by this much
//!         | "stale-snapshot" symbols [ count ]          # snapshots are served from the past
//!         | "withhold-pongs" time                       # pings are not answered for so long
//!         | "close" [ code ]                            # every connection is closed; 1006 = without a frame
//!         | "expire-token" [ count ]                    # all tokens, and the next ones from birth
//!         | "refuse" time                               # connections are refused for so long
//!         | "http-429" time [ count ]                   # "too many requests", with a reset header
//!         | "http-html" [ count ]                       # a web page in place of JSON
//!         | "http-drip" time [ count ]                  # an answer's bytes come one by one, so far apart
//!         | "freeze" time                               # connections stay open and stand still
//!         | "reset"                                     # connections are reset in the middle of a frame
//!         | "slow-connect" time [ count ]               # upgrades are answered so late
//! symbols = SYMBOL | "*"
//! time    = digits ( "ms" | "s" | "m" | "h" )
//! ```
//!
//! Counts are 1 where absent; `close` is 1000. White space separates words; empty entries are
//! skipped. `Display` gives the same form back.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use kucoin_futures_proto::Symbol;

/// One thing that goes wrong.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum Fault {
    /// The next `count` deltas are made but never pushed.
    Drop {
        /// Of which symbols.
        target: Target,
        /// How many.
        count: u32,
    },
    /// The last delta is pushed `count` times more.
    Repeat {
        /// Of which symbols.
        target: Target,
        /// How often.
        count: u32,
    },
    /// The engine restarts: its counter goes back by `step`, the book stays.
    StepBack {
        /// Of which symbols.
        target: Target,
        /// How far.
        step: u64,
    },
    /// The next `count` snapshots are the oldest ones that may be served.
    StaleSnapshot {
        /// Of which symbols.
        target: Target,
        /// How many.
        count: u32,
    },
    /// Pings go unanswered.
    WithholdPongs {
        /// How long.
        span: Duration,
    },
    /// Every connection is closed.
    Close {
        /// With this code; 1006 ends the stream without a close frame.
        code: u16,
    },
    /// All tokens given out are expired, and the next `count` are from birth.
    ExpireToken {
        /// How many.
        count: u32,
    },
    /// Connections are refused.
    Refuse {
        /// How long.
        span: Duration,
    },
    /// REST requests are answered with HTTP 429.
    TooManyRequests {
        /// What `gw-ratelimit-reset` says.
        reset: Duration,
        /// How many requests.
        count: u32,
    },
    /// REST requests are answered with HTTP 200 and a web page.
    Html {
        /// How many requests.
        count: u32,
    },
    /// REST answers trickle: one byte at a time.
    Drip {
        /// From one byte to the next.
        pause: Duration,
        /// How many answers.
        count: u32,
    },
    /// Connections stand still: nothing is read from them and nothing is written to them, but they
    /// stay open. Afterwards all that waited arrives.
    Freeze {
        /// How long.
        span: Duration,
    },
    /// Every connection is reset in the middle of a frame.
    Reset,
    /// Upgrades are answered late.
    SlowConnect {
        /// By how much.
        delay: Duration,
        /// How many.
        count: u32,
    },
}

impl Fault {
    /// The symbols that it hits, if it is about symbols.
    #[must_use]
    pub const fn target(&self) -> Option<Target> {
        match *self {
            Self::Drop { target, .. }
            | Self::Repeat { target, .. }
            | Self::StepBack { target, .. }
            | Self::StaleSnapshot { target, .. } => Some(target),
            Self::WithholdPongs { .. }
            | Self::Close { .. }
            | Self::ExpireToken { .. }
            | Self::Refuse { .. }
            | Self::TooManyRequests { .. }
            | Self::Html { .. }
            | Self::Drip { .. }
            | Self::Freeze { .. }
            | Self::Reset
            | Self::SlowConnect { .. } => None,
        }
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
    let at = words.time()?;
    if repeats && at.is_zero() {
        return Err("`every` needs a time above zero".into());
    }
    let fault = match words.need("a fault")? {
        "drop" => Fault::Drop { target: words.target()?, count: words.count()? },
        "repeat" => Fault::Repeat { target: words.target()?, count: words.count()? },
        "step-back" => Fault::StepBack { target: words.target()?, step: words.step()? },
        "stale-snapshot" => Fault::StaleSnapshot { target: words.target()?, count: words.count()? },
        "withhold-pongs" => Fault::WithholdPongs { span: words.time()? },
        "close" => Fault::Close { code: words.number(1000)? },
        "expire-token" => Fault::ExpireToken { count: words.count()? },
        "refuse" => Fault::Refuse { span: words.time()? },
        "http-429" => Fault::TooManyRequests { reset: words.time()?, count: words.count()? },
        "http-html" => Fault::Html { count: words.count()? },
        "http-drip" => Fault::Drip { pause: words.time()?, count: words.count()? },
        "freeze" => Fault::Freeze { span: words.time()? },
        "reset" => Fault::Reset,
        "slow-connect" => Fault::SlowConnect { delay: words.time()?, count: words.count()? },
        other => return Err(format!("`{other}` is no fault")),
    };
    match words.0.next() {
        Some(rest) => Err(format!("`{rest}` is too much")),
        None => Ok(Entry { at, every: repeats.then_some(at), fault }),
    }
}

struct Words<'a>(std::str::SplitWhitespace<'a>);

impl<'a> Words<'a> {
    fn need(&mut self, what: &str) -> Result<&'a str, String> {
        self.0.next().ok_or_else(|| format!("{what} is missing"))
    }

    fn target(&mut self) -> Result<Target, String> {
        match self.need("a symbol or `*`")? {
            "*" => Ok(Target::All),
            symbol => symbol.parse().map(Target::One).map_err(|e| format!("`{symbol}`: {e}")),
        }
    }

    fn time(&mut self) -> Result<Duration, String> {
        let word = self.need("a time such as `500ms`, `3s` or `2m`")?;
        let digits = word.trim_end_matches(|c: char| !c.is_ascii_digit());
        let number: u64 = digits.parse().map_err(|_| format!("`{word}` is no time"))?;
        let unit = match word.get(digits.len()..) {
            Some("ms") => 1,
            Some("s") => 1_000,
            Some("m") => 60_000,
            Some("h") => 3_600_000,
            _ => return Err(format!("`{word}`: the unit is `ms`, `s`, `m` or `h`")),
        };
        Ok(Duration::from_millis(number.saturating_mul(unit)))
    }

    fn number<T: FromStr>(&mut self, default: T) -> Result<T, String> {
        let Some(word) = self.0.next() else { return Ok(default) };
        word.parse().map_err(|_| format!("`{word}` is no number in range"))
    }

    fn count(&mut self) -> Result<u32, String> {
        match self.number(1)? {
            0 => Err("a count is at least 1".into()),
            count => Ok(count),
        }
    }

    fn step(&mut self) -> Result<u64, String> {
        match self.number(0)? {
            0 => Err("the size of the step is missing".into()),
            step => Ok(step),
        }
    }
}

impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, entry) in self.entries.iter().enumerate() {
            f.write_str(if at == 0 { "" } else { "; " })?;
            let word = if entry.every.is_some() { "every" } else { "at" };
            write!(f, "{word} {}ms {}", entry.at.as_millis(), entry.fault)?;
        }
        Ok(())
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Drop { target, count } => write!(f, "drop {target} {count}"),
            Self::Repeat { target, count } => write!(f, "repeat {target} {count}"),
            Self::StepBack { target, step } => write!(f, "step-back {target} {step}"),
            Self::StaleSnapshot { target, count } => write!(f, "stale-snapshot {target} {count}"),
            Self::WithholdPongs { span } => write!(f, "withhold-pongs {}ms", span.as_millis()),
            Self::Close { code } => write!(f, "close {code}"),
            Self::ExpireToken { count } => write!(f, "expire-token {count}"),
            Self::Refuse { span } => write!(f, "refuse {}ms", span.as_millis()),
            Self::TooManyRequests { reset, count } => {
                write!(f, "http-429 {}ms {count}", reset.as_millis())
            }
            Self::Html { count } => write!(f, "http-html {count}"),
            Self::Drip { pause, count } => write!(f, "http-drip {}ms {count}", pause.as_millis()),
            Self::Freeze { span } => write!(f, "freeze {}ms", span.as_millis()),
            Self::Reset => f.write_str("reset"),
            Self::SlowConnect { delay, count } => {
                write!(f, "slow-connect {}ms {count}", delay.as_millis())
            }
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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn fault() -> impl Strategy<Value = Fault> {
        let target = prop_oneof![
            Just(Target::All),
            "[A-Z]{3,10}M".prop_map(|s| Target::One(s.parse().unwrap()))
        ];
        let span = (0_u64..10_000_000).prop_map(Duration::from_millis);
        let count = 1_u32..100;
        prop_oneof![
            (target.clone(), count.clone())
                .prop_map(|(target, count)| Fault::Drop { target, count }),
            (target.clone(), count.clone())
                .prop_map(|(target, count)| Fault::Repeat { target, count }),
            (target.clone(), 1_u64..).prop_map(|(target, step)| Fault::StepBack { target, step }),
            (target, count.clone())
                .prop_map(|(target, count)| Fault::StaleSnapshot { target, count }),
            span.clone().prop_map(|span| Fault::WithholdPongs { span }),
            any::<u16>().prop_map(|code| Fault::Close { code }),
            count.clone().prop_map(|count| Fault::ExpireToken { count }),
            span.clone().prop_map(|span| Fault::Refuse { span }),
            (span.clone(), count.clone())
                .prop_map(|(reset, count)| Fault::TooManyRequests { reset, count }),
            count.clone().prop_map(|count| Fault::Html { count }),
            (span.clone(), count.clone()).prop_map(|(pause, count)| Fault::Drip { pause, count }),
            span.clone().prop_map(|span| Fault::Freeze { span }),
            Just(Fault::Reset),
            (span, count).prop_map(|(delay, count)| Fault::SlowConnect { delay, count }),
        ]
    }

    proptest! {
        #[test]
        fn the_text_form_goes_there_and_back(
            entries in prop::collection::vec((1_u64..10_000_000, any::<bool>(), fault()), 0..8)
        ) {
            let entries = entries.into_iter().map(|(ms, repeats, fault)| {
                let at = Duration::from_millis(ms);
                Entry { at, every: repeats.then_some(at), fault }
            });
            let plan = Plan { entries: entries.collect() };
            prop_assert_eq!(plan.to_string().parse::<Plan>().unwrap(), plan);
        }
    }

    #[test]
    fn defaults_line_breaks_and_empty_entries() {
        let plan: Plan = " at 3s drop *\n\n;every 1m close ; at 0ms expire-token;".parse().unwrap();
        let shown = "at 3000ms drop * 1; every 60000ms close 1000; at 0ms expire-token 1";
        assert_eq!(plan.to_string(), shown);
    }

    #[test]
    fn errors_name_the_entry_and_the_problem() {
        for (text, problem) in [
            ("drop X", "neither `at` nor `every`"),
            ("at 3 drop X", "the unit is"),
            ("at 3s", "a fault is missing"),
            ("at 3s explode", "is no fault"),
            ("at 3s drop", "a symbol or `*` is missing"),
            ("at 3s drop X 0", "at least 1"),
            ("at 3s step-back X", "the size of the step"),
            ("at 3s close 70000", "no number in range"),
            ("at 3s close 1000 1", "too much"),
            ("every 0s close", "above zero"),
        ] {
            let error = text.parse::<Plan>().unwrap_err().to_string();
            assert!(error.contains(problem) && error.contains(text), "{error}");
        }
    }
}
