//! A row of `contracts/active`: every key that the exchange sent in 2026, in its type.

use std::fmt::{Display, Write as _};

use kucoin_futures_proto::{Decimal, Price};

use super::name::Name;
use super::{Contract, java_number};
use crate::market::{DayFigures, FundingShown, Marks};

/// What a contract's row says of the present.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Present {
    pub(crate) now_ms: u64,
    pub(crate) marks: Marks,
    pub(crate) day: DayFigures,
    /// In lots.
    pub(crate) open_interest: u64,
    pub(crate) funding: Option<FundingShown>,
}

/// A JSON object in the making.
struct Object(String);

impl Object {
    fn raw(&mut self, key: &str, value: impl Display) -> &mut Self {
        let comma = if self.0.is_empty() { "" } else { "," };
        // Writing to a string cannot fail.
        let _ = write!(self.0, r#"{comma}"{key}":{value}"#);
        self
    }

    fn text(&mut self, key: &str, value: impl Display) -> &mut Self {
        self.raw(key, format_args!(r#""{value}""#))
    }

    fn or_null(&mut self, key: &str, value: Option<impl Display>) -> &mut Self {
        match value {
            Some(value) => self.raw(key, value),
            None => self.raw(key, "null"),
        }
    }

    fn nulls(&mut self, keys: &[&str]) -> &mut Self {
        keys.iter().fold(self, |object, key| object.raw(key, "null"))
    }
}

impl Contract {
    pub(crate) fn row(&self, present: &Present) -> String {
        let mut row = Object(String::with_capacity(2_600));
        self.identity(&mut row);
        self.rules(&mut row);
        self.sources(&mut row);
        self.funding(&mut row, present);
        figures(&mut row, self, present);
        format!("{{{}}}", row.0)
    }

    fn identity(&self, row: &mut Object) {
        let symbol = self.symbol.as_str();
        let name = Name::of(symbol);
        let settle = if self.is_inverse() { name.base } else { name.quote };
        row.text("symbol", symbol)
            .text("displaySymbol", symbol)
            .text("rootSymbol", settle)
            .text("type", if name.expires.is_some() { "FFICSX" } else { "FFWCSX" })
            .raw("firstOpenDate", 1_600_000_000_000_u64)
            .or_null("expireDate", name.expires)
            .or_null("settleDate", name.expires)
            .text("baseCurrency", name.base)
            .text("displayBaseCurrency", name.base)
            .text("quoteCurrency", name.quote)
            .text("settleCurrency", settle)
            .text("status", "Open")
            .text("marketStage", "NORMAL")
            .text("marketType", "CRYPTO")
            .text("assetClass", "CRYPTO")
            .nulls(&["subMarketType", "preMarketToPerpDate"]);
    }

    fn rules(&self, row: &mut Object) {
        let inverse = self.is_inverse();
        // In the settlement currency: coins of an inverse contract.
        let (risk, step, cross) =
            if inverse { (5, 2, "100.0") } else { (250_000, 125_000, "1.5E9") };
        row.raw("maxOrderQty", 1_000_000)
            .raw("marketMaxOrderQty", 1_000_000)
            .raw("maxPrice", "1000000.0")
            .raw("lotSize", 1)
            .raw("tickSize", java_number(self.tick.into()))
            .raw("indexPriceTickSize", java_number(self.index_tick().into()))
            .raw("multiplier", java_number(self.multiplier))
            .raw("initialMargin", "0.01")
            .raw("maintainMargin", "0.005")
            .raw("maxLeverage", 100)
            .raw("maxRiskLimit", risk)
            .raw("minRiskLimit", risk)
            .raw("riskStep", step)
            .raw("crossRiskLimit", cross)
            .raw("makerFeeRate", "2.0E-4")
            .raw("takerFeeRate", "6.0E-4")
            .raw("takerFixFee", "0.0")
            .raw("makerFixFee", "0.0")
            .raw("settlementFee", "null")
            .raw("isDeleverage", true)
            .raw("isQuanto", !inverse)
            .raw("isInverse", inverse)
            .raw("supportCross", true)
            .text("markMethod", "FairPrice")
            .raw("k", "490.0")
            .raw("m", "300.0")
            .raw("f", "1.3")
            .raw("mmrLimit", "0.3")
            .raw("mmrLevConstant", "100.0")
            .nulls(&["adjustK", "adjustM", "adjustMmrLevConstant", "adjustActiveTime"]);
    }

    fn sources(&self, row: &mut Object) {
        let (symbol, name) = (self.symbol.as_str(), Name::of(self.symbol.as_str()));
        let Name { base, quote, .. } = name;
        let perpetual = |text: String| (self.funding_hours > 0).then(|| format!(r#""{text}""#));
        row.text("indexSymbol", self.index_symbol())
            .text("settlementSymbol", if name.expires.is_some() { ".BXBT30M" } else { "" })
            .or_null("fairMethod", perpetual("FundingRate".into()))
            .or_null("fundingBaseSymbol", perpetual(format!(".{base}INT8H")))
            .or_null("fundingQuoteSymbol", perpetual(format!(".{quote}INT8H")))
            .or_null("fundingBaseSymbol1M", perpetual(format!(".{base}INT")))
            .or_null("fundingQuoteSymbol1M", perpetual(format!(".{quote}INT")))
            .or_null("fundingRateSymbol", perpetual(self.rate_symbol()))
            .text("premiumsSymbol1M", format_args!(".{symbol}PI"))
            .text("premiumsSymbol8H", format_args!(".{symbol}PI8H"))
            .raw("sourceExchanges", r#"["okex","binance","kucoin"]"#);
    }

    fn funding(&self, row: &mut Object, present: &Present) {
        let shown = present.funding;
        let interval = shown.map(|shown| shown.interval_ms);
        row.or_null("fundingFeeRate", shown.map(|shown| java_number(shown.rate)))
            .or_null("lastTimeFundingRate", shown.map(|shown| java_number(shown.last_charged)))
            .nulls(&["predictedFundingFeeRate"])
            .or_null("dailyInterestRate", shown.map(|_| DAILY_INTEREST))
            .or_null("fundingRateGranularity", interval)
            .or_null("currentFundingRateGranularity", interval)
            .or_null("effectiveFundingRateCycleStartTime", shown.map(|_| 1_750_147_200_000_u64))
            .or_null("fundingRateCap", shown.map(|_| FUNDING_CAP))
            .or_null("fundingRateFloor", shown.map(|_| FUNDING_FLOOR))
            .or_null("period", shown.map(|_| 1))
            .or_null("nextFundingRateTime", shown.map(|shown| shown.next_ms - present.now_ms))
            .or_null("nextFundingRateDateTime", shown.map(|shown| shown.next_ms));
    }

    /// The index that the contract follows, by its name.
    pub(crate) fn index_symbol(&self) -> String {
        let Name { base, quote, .. } = Name::of(self.symbol.as_str());
        if self.is_inverse() { format!(".B{base}") } else { format!(".K{base}{quote}") }
    }

    /// The funding rate, by its name.
    pub(crate) fn rate_symbol(&self) -> String {
        format!(".{}FPI8H", self.symbol)
    }
}

pub(crate) const DAILY_INTEREST: &str = "3.0E-4";
pub(crate) const FUNDING_CAP: &str = "0.003";
pub(crate) const FUNDING_FLOOR: &str = "-0.003";
/// Orders may be off the mark by 5 %.
const PRICE_RANGE: i64 = 20;

fn figures(row: &mut Object, contract: &Contract, present: &Present) {
    let Present { marks, day, .. } = present;
    let price = |price: Price| java_number(price.into());
    let amount = |amount: Decimal| java_number(amount);
    let off = marks.mark.scaled() / PRICE_RANGE;
    let limit = |scaled: i64| {
        let cut = scaled - scaled % contract.tick.scaled().max(1);
        price(Price::from_scaled(cut).unwrap_or_default())
    };
    row.text("openInterest", present.open_interest)
        .raw("turnoverOf24h", amount(day.turnover))
        .raw("volumeOf24h", amount(day.volume))
        .raw("markPrice", price(marks.mark))
        .raw("indexPrice", price(marks.index))
        .raw("lastTradePrice", price(day.last))
        .raw("lowPrice", price(day.low))
        .raw("highPrice", price(day.high))
        .raw("priceChg", amount(day.change))
        .raw("priceChgPct", amount(day.change_part))
        .raw("orderPriceRange", "0.05")
        .raw("buyLimit", limit(marks.mark.scaled() + off))
        .raw("sellLimit", limit(marks.mark.scaled() - off));
}
