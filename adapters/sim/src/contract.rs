//! The contracts that the simulated exchange lists.

use kucoin_futures_proto::{Decimal, Lots, Price, Symbol};

pub(crate) mod name;
pub(crate) mod row;

/// A contract and the market it starts with.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Contract {
    /// Its name.
    pub symbol: Symbol,
    /// Smallest price step.
    pub tick: Price,
    /// Where the market starts.
    pub start: Price,
    /// Base coins per lot; -1 for an inverse contract, whose lot is one unit of quote currency.
    pub multiplier: Decimal,
    /// Levels that each side hovers around; the snapshot is cut at 1000.
    pub depth: usize,
    /// How many digits a size has at most, in lots: 1 to 18.
    pub size_digits: u32,
    /// Hours from one funding settlement to the next: 1, 4 or 8; 0 for a contract that has none.
    pub funding_hours: u64,
    /// The grid of settlements begins so many hours after midnight, UTC.
    pub funding_offset: u64,
}

/// Name, tick, start, multiplier, depth, digits of a size, hours of funding: chosen so that the tick
/// sizes, price forms, depths and intervals of the real list occur, a coin below 0.001 and a thin market
/// among them; and what a reader may stumble over: a price that gets a digit more as it rises, and sizes
/// that need not fit into one word of text.
type Row = (&'static str, &'static str, &'static str, &'static str, usize, u32, u64);

const KNOWN: [Row; 8] = [
    ("XBTUSDTM", "0.1", "63000", "0.001", 1500, 4, 8),
    ("ETHUSDTM", "0.01", "9999.5", "0.01", 1300, 5, 8),
    ("SOLUSDTM", "0.001", "150", "0.1", 1200, 5, 4),
    ("XRPUSDTM", "0.0001", "0.5", "10", 1100, 7, 8),
    ("10PEPEUSDTM", "0.00000001", "0.00012", "100000", 1200, 10, 1),
    ("CHRUSDTM", "0.00001", "0.05", "1", 90, 8, 4),
    ("YFIUSDTM", "1", "5200", "0.0001", 400, 3, 4),
    ("XBTUSDCM", "0.1", "63000", "0.0001", 700, 4, 8),
];
/// Known by name, and listed only where they are named: more books would be other books for every seed.
/// The first is inverse and for ever, the second inverse and dated.
const KNOWN_BY_NAME: [Row; 2] =
    [("XBTUSDM", "0.1", "63000", "-1", 700, 6, 8), ("XBTMZ26", "0.1", "63400", "-1", 90, 4, 0)];

/// Decimals of a price in [`Contract::value`]: a unit is 1e-12.
const VALUE_EXPONENT: i8 = -12;

impl Contract {
    /// The contracts listed when none are named.
    #[must_use]
    pub fn defaults() -> Vec<Self> {
        KNOWN.iter().filter_map(|row| Self::listed(*row)).collect()
    }

    /// The contract of that name; an unknown name gets a plausible market. Beside the defaults,
    /// `XBTUSDM` (inverse) and `XBTMZ26` (inverse, dated) are known.
    #[must_use]
    pub fn named(symbol: Symbol) -> Self {
        let known = KNOWN.iter().chain(&KNOWN_BY_NAME).find(|row| row.0 == symbol.as_str());
        known.and_then(|row| Self::listed(*row)).unwrap_or_else(|| Self {
            symbol,
            tick: Price::from_scaled(10_000_000_000).unwrap_or_default(),
            start: Price::from_scaled(100_000_000_000_000).unwrap_or_default(),
            multiplier: Decimal::new(1, -1).unwrap_or_default(),
            depth: 1200,
            size_digits: 6,
            funding_hours: 8,
            funding_offset: 0,
        })
    }

    fn listed(row: Row) -> Option<Self> {
        let (symbol, tick, start, multiplier, depth, size_digits, funding_hours) = row;
        Some(Self {
            symbol: symbol.parse().ok()?,
            tick: tick.parse().ok()?,
            start: start.parse().ok()?,
            multiplier: multiplier.parse().ok()?,
            depth,
            size_digits,
            funding_hours,
            // One grid that does not go through midnight, as a few real ones do not.
            funding_offset: if symbol == "SOLUSDTM" { 3 } else { 0 },
        })
    }

    /// Whether a lot is one unit of quote currency, paid for in coins.
    #[must_use]
    pub const fn is_inverse(&self) -> bool {
        self.multiplier.is_negative()
    }

    /// The index has one digit more than prices, as most real ones have.
    pub(crate) fn index_tick(&self) -> Price {
        Price::from_scaled(self.tick.scaled() / 10).unwrap_or(self.tick)
    }

    /// What a fill is worth, in a unit of its own: to be added up, and shown by [`Self::turnover`].
    pub(crate) fn value(&self, price: Price, size: Lots) -> i128 {
        let (price, lots) = (i128::from(price.scaled()), i128::from(size.get()));
        if self.is_inverse() {
            // Coins, cut to 1e-12.
            lots.saturating_mul(1_000_000_000_000_000_000_000_000) / price.max(1)
        } else {
            lots.saturating_mul(price)
        }
    }

    /// In quote currency; in coins for an inverse contract.
    pub(crate) fn turnover(&self, value: i128) -> Decimal {
        let turnover = if self.is_inverse() {
            Decimal::new(value, VALUE_EXPONENT)
        } else {
            let mantissa = value.saturating_mul(self.multiplier.mantissa());
            Decimal::new(mantissa, VALUE_EXPONENT.saturating_add(self.multiplier.exponent()))
        };
        turnover.unwrap_or_default()
    }

    /// In coins; in lots for an inverse contract.
    pub(crate) fn volume(&self, lots: u128) -> Decimal {
        let lots = i128::try_from(lots).unwrap_or(i128::MAX);
        let volume = if self.is_inverse() {
            Decimal::new(lots, 0)
        } else {
            let mantissa = lots.saturating_mul(self.multiplier.mantissa());
            Decimal::new(mantissa, self.multiplier.exponent())
        };
        volume.unwrap_or_default()
    }
}

/// A number as Java's `Double.toString` writes it, which is how the exchange's REST bodies look:
/// `84474.0`, `0.05`, `1.2E-4`, `1.0E7`.
#[must_use]
pub fn java_number(value: Decimal) -> String {
    let digits = value.mantissa().unsigned_abs().to_string();
    let sign = if value.is_negative() { "-" } else { "" };
    let point = digits.len() as i64 + i64::from(value.exponent());
    if value == Decimal::ZERO {
        return "0.0".into();
    }
    if (-2..=7).contains(&point) {
        let plain = value.to_string();
        return if plain.contains('.') { plain } else { format!("{plain}.0") };
    }
    let (first, rest) = digits.split_at(1);
    let rest = if rest.is_empty() { "0" } else { rest };
    format!("{sign}{first}.{rest}E{}", point - 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_look_like_javas() {
        for (text, expected) in [
            ("84474", "84474.0"),
            ("84474.5", "84474.5"),
            ("0.001", "0.001"),
            ("0.00099", "9.9E-4"),
            ("0.00001", "1.0E-5"),
            ("1000000", "1000000.0"),
            ("9999999", "9999999.0"),
            ("10000000", "1.0E7"),
            ("-0.00012", "-1.2E-4"),
            ("-1", "-1.0"),
            ("0", "0.0"),
        ] {
            assert_eq!(java_number(text.parse().unwrap()), expected);
        }
    }

    #[test]
    fn what_a_fill_is_worth() {
        let named = |name: &str| Contract::named(name.parse().unwrap());
        let (linear, inverse) = (named("XBTUSDTM"), named("XBTUSDM"));
        let worth = |contract: &Contract, price: &str, lots| {
            contract.turnover(contract.value(price.parse().unwrap(), Lots::new(lots))).to_string()
        };
        assert_eq!(worth(&linear, "63000.1", 7), "441.0007");
        assert_eq!(linear.volume(7).to_string(), "0.007");
        assert_eq!(worth(&inverse, "64000", 16), "0.00025");
        assert_eq!(inverse.volume(7).to_string(), "7");
    }
}
