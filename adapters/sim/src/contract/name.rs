//! What the name of a contract says: `XBTUSDTM`, `XBTUSDM`, `XBTMZ26`.

/// The currencies of a contract, and when it ends.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Name<'a> {
    pub(crate) base: &'a str,
    pub(crate) quote: &'static str,
    /// In ms since the epoch; `None`: never.
    pub(crate) expires: Option<u64>,
}

/// Settlement of dated contracts: at 8 o'clock, UTC, on the last Friday of their month.
const EXPIRES_AT: u64 = 8 * 3_600_000;
const DAY_MS: u64 = 86_400_000;

impl<'a> Name<'a> {
    pub(crate) fn of(symbol: &'a str) -> Self {
        for (end, quote) in [("USDTM", "USDT"), ("USDCM", "USDC"), ("USDM", "USD")] {
            if let Some(base) = symbol.strip_suffix(end) {
                return Self { base, quote, expires: None };
            }
        }
        Self::dated(symbol).unwrap_or(Self { base: symbol, quote: "USDT", expires: None })
    }

    /// Base, `M`, the letter of a month, two digits of a year.
    fn dated(symbol: &'a str) -> Option<Self> {
        let (head, year) = symbol.split_at_checked(symbol.len().checked_sub(2)?)?;
        let year = 2000 + year.parse::<u64>().ok()?;
        let month = match head.get(head.len().checked_sub(1)?..)? {
            "H" => 3,
            "M" => 6,
            "U" => 9,
            "Z" => 12,
            _ => return None,
        };
        let base = head.get(..head.len() - 1)?.strip_suffix('M')?;
        let (next_year, next_month) = if month == 12 { (year + 1, 1) } else { (year, month + 1) };
        let last_day = days_to(next_year, next_month).checked_sub(1)?;
        // The epoch was a Thursday: Fridays are the days 1, 8, 15, ...
        let friday = last_day - (last_day + 6) % 7;
        Some(Self { base, quote: "USD", expires: Some(friday * DAY_MS + EXPIRES_AT) })
    }
}

/// From the epoch to the first of a month.
fn days_to(year: u64, month: u64) -> u64 {
    let leap =
        |year: u64| year.is_multiple_of(4) && !year.is_multiple_of(100) || year.is_multiple_of(400);
    let years: u64 = (1970..year).map(|year| 365 + u64::from(leap(year))).sum();
    let lengths = [31, 28 + u64::from(leap(year)), 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
    years + lengths.iter().take(month as usize - 1).sum::<u64>()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_taken_apart() {
        for (symbol, base, quote) in [
            ("10PEPEUSDTM", "10PEPE", "USDT"),
            ("XBTUSDCM", "XBT", "USDC"),
            ("XBTUSDM", "XBT", "USD"),
        ] {
            assert_eq!(Name::of(symbol), Name { base, quote, expires: None });
        }
        // 2026-12-25 08:00 and 2024-03-29 08:00.
        let dated = |expires| Name { base: "XBT", quote: "USD", expires: Some(expires) };
        assert_eq!(Name::of("XBTMZ26"), dated(1_798_185_600_000));
        assert_eq!(Name::of("XBTMH24"), dated(1_711_699_200_000));
        assert_eq!(Name::of("WHAT26").expires, None);
    }
}
