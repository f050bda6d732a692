//! The contracts that the simulated exchange lists.

use kucoin_futures_proto::{Decimal, Price, Symbol};

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
    /// Base coins per lot.
    pub multiplier: Decimal,
    /// Levels that each side hovers around; the snapshot is cut at 1000.
    pub depth: usize,
    /// How many digits a size has at most, in lots: 1 to 18.
    pub size_digits: u32,
}

/// Name, tick, start, multiplier, depth, digits of a size: chosen so that the tick sizes, price forms
/// and depths of the real list occur, a coin below 0.001 and a thin market among them; and what a
/// reader may stumble over: a price that gets a digit more as it rises, and sizes that need not fit
/// into one word of text.
const KNOWN: [(&str, &str, &str, &str, usize, u32); 8] = [
    ("XBTUSDTM", "0.1", "63000", "0.001", 1500, 4),
    ("ETHUSDTM", "0.01", "9999.5", "0.01", 1300, 5),
    ("SOLUSDTM", "0.001", "150", "0.1", 1200, 5),
    ("XRPUSDTM", "0.0001", "0.5", "10", 1100, 7),
    ("10PEPEUSDTM", "0.00000001", "0.00012", "100000", 1200, 10),
    ("CHRUSDTM", "0.00001", "0.05", "1", 90, 8),
    ("YFIUSDTM", "1", "5200", "0.0001", 400, 3),
    ("XBTUSDCM", "0.1", "63000", "0.0001", 700, 4),
];

impl Contract {
    /// The contracts listed when none are named.
    #[must_use]
    pub fn defaults() -> Vec<Self> {
        KNOWN.iter().filter_map(|row| Self::listed(*row)).collect()
    }

    /// The contract of that name; an unknown name gets a plausible market.
    #[must_use]
    pub fn named(symbol: Symbol) -> Self {
        let known = KNOWN.iter().find(|row| row.0 == symbol.as_str());
        known.and_then(|row| Self::listed(*row)).unwrap_or_else(|| Self {
            symbol,
            tick: Price::from_scaled(10_000_000_000).unwrap_or_default(),
            start: Price::from_scaled(100_000_000_000_000).unwrap_or_default(),
            multiplier: Decimal::new(1, -1).unwrap_or_default(),
            depth: 1200,
            size_digits: 6,
        })
    }

    fn listed(
        (symbol, tick, start, multiplier, depth, size_digits): (&str, &str, &str, &str, usize, u32),
    ) -> Option<Self> {
        Some(Self {
            symbol: symbol.parse().ok()?,
            tick: tick.parse().ok()?,
            start: start.parse().ok()?,
            multiplier: multiplier.parse().ok()?,
            depth,
            size_digits,
        })
    }

    /// One row of `GET /api/v1/contracts/active`, every documented field in its documented type.
    pub(crate) fn row(&self, last: Price, now_ms: u64) -> String {
        const EIGHT_HOURS: u64 = 28_800_000;
        let name = self.symbol.as_str();
        let quote = if name.contains("USDC") { "USDC" } else { "USDT" };
        let base = name.split(quote).next().unwrap_or(name);
        let (tick, price) = (java(self.tick.into()), java(last.into()));
        let multiplier = java(self.multiplier);
        let funding_in = EIGHT_HOURS - now_ms % EIGHT_HOURS;
        let funding_at = now_ms + funding_in;
        format!(
            concat!(
                r#"{{"symbol":"{name}","rootSymbol":"{quote}","type":"FFWCSX","firstOpenDate":1600000000000,"#,
                r#""expireDate":null,"settleDate":null,"baseCurrency":"{base}","quoteCurrency":"{quote}","#,
                r#""settleCurrency":"{quote}","maxOrderQty":1000000,"marketMaxOrderQty":1000000,"#,
                r#""maxPrice":1000000.0,"lotSize":1,"tickSize":{tick},"indexPriceTickSize":{tick},"#,
                r#""multiplier":{multiplier},"initialMargin":0.01,"maintainMargin":0.005,"#,
                r#""maxRiskLimit":100000,"minRiskLimit":100000,"riskStep":50000,"makerFeeRate":2.0E-4,"#,
                r#""takerFeeRate":6.0E-4,"takerFixFee":0.0,"makerFixFee":0.0,"settlementFee":null,"#,
                r#""isDeleverage":true,"isQuanto":true,"isInverse":false,"markMethod":"FairPrice","#,
                r#""fairMethod":"FundingRate","fundingBaseSymbol":".{base}INT8H","#,
                r#""fundingQuoteSymbol":".{quote}INT8H","fundingRateSymbol":".{name}FPI8H","#,
                r#""indexSymbol":".K{base}{quote}","settlementSymbol":"","status":"Open","#,
                r#""fundingFeeRate":1.0E-4,"predictedFundingFeeRate":9.0E-5,"#,
                r#""fundingRateGranularity":28800000,"openInterest":"1234567","turnoverOf24h":1.5E8,"#,
                r#""volumeOf24h":2500.5,"markPrice":{price},"indexPrice":{price},"#,
                r#""lastTradePrice":{price},"nextFundingRateTime":{funding_in},"#,
                r#""nextFundingRateDateTime":{funding_at},"maxLeverage":100,"#,
                r#""sourceExchanges":["one","two"],"premiumsSymbol1M":".{name}PI","#,
                r#""premiumsSymbol8H":".{name}PI8H","fundingBaseSymbol1M":".{base}INT","#,
                r#""fundingQuoteSymbol1M":".{quote}INT","lowPrice":{price},"highPrice":{price},"#,
                r#""priceChgPct":0.01,"priceChg":1.5,"supportCross":true,"marketStage":"NORMAL"}}"#
            ),
            name = name,
            quote = quote,
            base = base,
            tick = tick,
            price = price,
            multiplier = multiplier,
            funding_in = funding_in,
            funding_at = funding_at,
        )
    }
}

/// A number as Java's `Double.toString` writes it, which is how the exchange's REST bodies look:
/// `84474.0`, `0.05`, `1.2E-4`, `1.0E7`.
pub(crate) fn java(value: Decimal) -> String {
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
            assert_eq!(java(text.parse().unwrap()), expected);
        }
    }

    #[test]
    fn the_contract_list_reads_back() {
        let contracts = Contract::defaults();
        assert_eq!(contracts.len(), KNOWN.len());
        let rows: Vec<_> = contracts.iter().map(|c| c.row(c.start, 1_790_000_000_123)).collect();
        let body = format!(r#"{{"code":"200000","data":[{}]}}"#, rows.join(","));
        let parsed = kucoin_futures_proto::wire::Contracts::parse(body.as_bytes()).unwrap();
        for (row, contract) in parsed.iter().zip(&contracts) {
            let row = row.unwrap();
            assert_eq!(row.symbol, contract.symbol);
            assert_eq!(row.tick_size, contract.tick.into());
            assert_eq!(row.multiplier, contract.multiplier);
        }
    }
}
