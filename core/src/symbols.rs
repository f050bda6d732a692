//! Symbols as people type them: `btc`, `BTC-USDT`, `pepe`.

mod distance;
#[cfg(test)]
mod tests;

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use crate::currency::Currency;
use crate::ids::Symbol;
use crate::time::UnixNanos;
use crate::wire::Contract;
use distance::distance;

/// What somebody may have meant.
#[derive(Clone, PartialEq, Eq, Debug)]
#[allow(clippy::exhaustive_enums, reason = "either it is said which one, or it is not")]
pub enum Resolution {
    /// It names this contract and no other.
    Exact(Symbol),
    /// It names none or several: the likeliest first, at most eight, and maybe none.
    DidYouMean(Vec<Suggestion>),
}

/// A contract that may have been meant. Shown as `XBTUSDTM (perpetual, USDT)`, `XBTUSDM (inverse)`,
/// `XBTMZ26 (dated, inverse, settles 2026-12-25)`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct Suggestion {
    /// Its name.
    pub symbol: Symbol,
    /// Whether it was made to end on a day.
    pub is_dated: bool,
    /// Whether it is settled in its coin.
    pub is_inverse: bool,
    /// What it is settled in.
    pub settle: Option<Currency>,
    /// When it is settled, or if it is perpetual and to be delisted, when that is.
    pub ends: Option<UnixNanos>,
}

/// Most suggestions that are made.
const MOST: usize = 8;
/// Longer than any name with its separators; what is longer is none.
const LONGEST: usize = 40;

/// Finds the contract that `typed` names, in a list of all.
///
/// Case, blanks and the separators `-`, `/`, `_`, `:` do not count, `BTC` is `XBT`, and the `M` at the end of a
/// symbol need not be said: so `btc/usdt` is `XBTUSDTM`, and `XBTUSD` is `XBTUSDM`. A coin alone, even where it has
/// only one contract, is a question, because the contract may be of another amount of it (`pepe` is
/// `10PEPEUSDTM`); so is whatever has to be guessed, by its beginning or as a slip of the fingers. Perpetual
/// contracts in USDT are proposed first, then those in USDC, inverse, and dated ones.
///
/// Any iterator of rows will do: [`Contracts::iter`](crate::wire::Rows::iter) with `flatten`, which leaves out
/// rows that cannot be read.
pub fn resolve_symbol<'a>(
    typed: &str,
    contracts: impl IntoIterator<Item = Contract<'a>>,
) -> Resolution {
    let Some(wanted) = Wanted::new(typed) else { return Resolution::DidYouMean(Vec::new()) };
    let (mut short, mut likely) = (Vec::new(), Vec::new());
    for contract in contracts {
        if wanted.is_name_of(&contract) {
            return Resolution::Exact(contract.symbol);
        }
        if wanted.is_short_for(&contract) {
            short.push(contract.symbol);
        }
        if let Some(likeness) = wanted.likeness(&contract) {
            let suggestion = Suggestion::of(&contract);
            likely.push((likeness, suggestion.rank(), suggestion));
        }
    }
    if let [symbol] = short[..] {
        return Resolution::Exact(symbol);
    }
    likely.sort_by_key(|&(likeness, rank, suggestion)| (likeness, rank, suggestion.symbol));
    // Slips are looked for only where nothing was said that means something.
    let has_better = likely.first().is_some_and(|(likeness, ..)| *likeness < Likeness::Slip(0));
    likely.retain(|(likeness, ..)| !has_better || *likeness < Likeness::Slip(0));
    likely.truncate(MOST);
    Resolution::DidYouMean(likely.into_iter().map(|(.., suggestion)| suggestion).collect())
}

/// How likely it is that a contract was meant; the likeliest first.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum Likeness {
    /// Its coin, or its coin and its quote currency.
    Coin,
    /// An amount of its coin: `10PEPE`.
    Amount,
    /// What its symbol begins with.
    Beginning,
    /// Its coin, with something else behind it.
    OtherQuote,
    /// So many letters are otherwise.
    Slip(usize),
}

/// What was typed: upper case, without separators.
struct Wanted {
    /// As it is, and with `XBT` for `BTC`.
    names: [String; 2],
    /// What stood in front of the first separator, in both ways.
    coins: Option<[String; 2]>,
}

impl Wanted {
    fn new(typed: &str) -> Option<Self> {
        let typed = typed.trim();
        let is_separator = |c: char| matches!(c, '-' | '/' | '_' | ':' | ' ');
        let name: String = typed.chars().filter(|&c| !is_separator(c)).collect();
        if name.is_empty() || name.len() > LONGEST || !name.is_ascii() {
            return None;
        }
        let coin = typed.split_once(is_separator).map(|(coin, _)| both(coin));
        Some(Self { names: both(&name), coins: coin.filter(|[coin, _]| !coin.is_empty()) })
    }

    fn is_any(&self, is: impl Fn(&str) -> bool) -> bool {
        self.names.iter().any(|name| is(name))
    }

    /// Whether it is a contract's symbol, or the one that is shown.
    fn is_name_of(&self, contract: &Contract<'_>) -> bool {
        let shown = contract.display_symbol.and_then(|shown| shown.plain());
        let names = [Some(contract.symbol.as_str()), shown];
        names.iter().flatten().any(|symbol| self.is_any(|name| name.eq_ignore_ascii_case(symbol)))
    }

    /// Whether it is the symbol without its `M`, or coin and quote currency.
    fn is_short_for(&self, contract: &Contract<'_>) -> bool {
        let symbol = contract.symbol;
        let short = symbol.as_str().strip_suffix('M').filter(|_| !contract.is_dated());
        short.is_some_and(|short| self.is_any(|name| name == short))
    }

    fn likeness(&self, contract: &Contract<'_>) -> Option<Likeness> {
        let symbol = contract.symbol;
        let symbol = symbol.as_str();
        let base = contract.base_currency;
        let base = base.as_ref().map_or(symbol, Currency::as_str);
        let shown = contract.display_base_currency.and_then(|shown| shown.plain());
        let coin = base.trim_start_matches(|c: char| c.is_ascii_digit());
        let is_coin = |coin: &str| self.is_any(|name| name == coin);
        let before = |coin: &str| self.coins.iter().flatten().any(|name| name == coin);
        if is_coin(base) || shown.is_some_and(is_coin) {
            return Some(Likeness::Coin);
        }
        if coin != base && !coin.is_empty() && self.is_any(|name| starts(name, coin)) {
            return Some(Likeness::Amount);
        }
        if self.is_any(|name| name.len() > 1 && symbol.starts_with(name)) {
            return Some(Likeness::Beginning);
        }
        if before(base) || (base.len() > 2 && self.is_any(|name| starts(name, base))) {
            return Some(Likeness::OtherQuote);
        }
        let short = symbol.strip_suffix('M').unwrap_or(symbol);
        let nearest = self.names.iter().filter_map(|name| {
            // A letter in four may be wrong, but not all of them.
            let most = (name.len() / 4).clamp(usize::from(name.len() > 2), 2);
            [base, coin, short, symbol].iter().filter_map(|other| distance(name, other, most)).min()
        });
        nearest.min().map(Likeness::Slip)
    }
}

/// Whether a name is a coin and maybe a currency behind it.
fn starts(name: &str, coin: &str) -> bool {
    name.strip_prefix(coin).is_some_and(|rest| matches!(rest.len(), 0 | 3..=5))
}

/// In upper case, as it is and with `XBT` for `BTC` in front.
fn both(name: &str) -> [String; 2] {
    let name = name.to_ascii_uppercase();
    let alias = match name.strip_prefix("BTC") {
        Some(rest) => ["XBT", rest].concat(),
        None => name.clone(),
    };
    [name, alias]
}

impl Suggestion {
    fn of(contract: &Contract<'_>) -> Self {
        Self {
            symbol: contract.symbol,
            is_dated: contract.is_dated(),
            is_inverse: contract.is_inverse,
            settle: contract.settle_currency,
            ends: contract.settles.or(contract.expires),
        }
    }

    /// The least is proposed first.
    fn rank(&self) -> (u8, Option<UnixNanos>) {
        let settle = self.settle.as_ref().map(Currency::as_str);
        match (self.is_dated, self.is_inverse, settle) {
            (true, ..) => (4, self.ends),
            (false, true, _) => (3, None),
            (false, false, Some("USDT")) => (0, None),
            (false, false, Some("USDC")) => (1, None),
            (false, false, _) => (2, None),
        }
    }
}

impl fmt::Display for Suggestion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} (", self.symbol)?;
        match (self.is_dated, self.is_inverse) {
            (true, true) => f.write_str("dated, inverse")?,
            (true, false) => f.write_str("dated")?,
            (false, true) => f.write_str("inverse")?,
            (false, false) => f.write_str("perpetual")?,
        }
        if let (Some(settle), false) = (self.settle, self.is_inverse) {
            write!(f, ", {settle}")?;
        }
        if let Some(ends) = self.ends {
            let word = if self.is_dated { "settles" } else { "ends" };
            let [year, month, day] = date(ends);
            write!(f, ", {word} {year:04}-{month:02}-{day:02}")?;
        }
        f.write_str(")")
    }
}

/// Year, month and day of a time, in UTC.
const fn date(time: UnixNanos) -> [u64; 3] {
    // Years that begin in March end with the day that some do not have.
    let days = time.as_millis() / 86_400_000 + 719_468;
    let (era, day) = (days / 146_097, days % 146_097);
    let year = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153;
    let (day, late) = (day - (153 * month + 2) / 5 + 1, month / 10);
    [era * 400 + year + late, month + 3 - 12 * late, day]
}
