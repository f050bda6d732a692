//! The contracts and their terms.

use core::time::Duration;

use super::object::{Strings, object};
use super::rows::{Rows, parse_object, rows};
use crate::currency::Currency;
use crate::error::WireError;
use crate::ids::Symbol;
use crate::num::{Decimal, Lots};
use crate::time::UnixNanos;
use crate::wire::text::Text;

/// The reply of `GET /api/v1/contracts/active`: rows that are decoded one by one.
pub type Contracts<'a> = Rows<'a, Contract<'a>>;

object! {
    /// A contract: its terms, and what it did lately. The exchange documents 84 fields; what it does not
    /// explain is named as it names it. Its arithmetic is that of a [`ContractSpec`](crate::ContractSpec).
    ///
    /// "Quote" is the quote currency per base coin; "rate" and "share" are fractions of one.
    pub struct Contract<'a> {
        /// For example `XBTUSDTM`.
        symbol: Symbol = symbol("symbol"),
        /// As it is shown to people; since 2025-12-26.
        display_symbol: Option<Text<'a>> = text_if_any("displaySymbol"),
        /// What it is settled in, as a group: `USDT`, `USDC`, or the coin of inverse contracts.
        root_symbol: Option<Text<'a>> = text_if_any("rootSymbol"),
        /// `FFWCSX` for perpetual ones, `FFICSX` for dated ones.
        kind: Option<Text<'a>> = text_if_any("type"),
        /// When it was first traded; from milliseconds.
        first_open: Option<UnixNanos> = millis_if_any("firstOpenDate"),
        /// When its last trade is; from milliseconds. A perpetual one gets this when it is to be delisted.
        expires: Option<UnixNanos> = millis_if_any("expireDate"),
        /// When it is settled; from milliseconds. `None` for perpetual ones.
        settles: Option<UnixNanos> = millis_if_any("settleDate"),
        /// The coin that is priced; `XBT` is Bitcoin.
        base_currency: Option<Currency> = currency_if_any("baseCurrency"),
        /// The same as it is shown to people; since 2025-12-26.
        display_base_currency: Option<Text<'a>> = text_if_any("displayBaseCurrency"),
        /// What it is priced in.
        quote_currency: Option<Currency> = currency_if_any("quoteCurrency"),
        /// What profit and loss are paid in.
        settle_currency: Option<Currency> = currency_if_any("settleCurrency"),
        /// Most of a limit order, in lots.
        max_order_size: Option<Lots> = lots_if_any("maxOrderQty"),
        /// Most of a market order, in lots.
        max_market_order_size: Option<Lots> = lots_if_any("marketMaxOrderQty"),
        /// Highest price of an order, in quote.
        max_price: Option<Decimal> = number_if_any("maxPrice"),
        /// Smallest size step, in lots; 1 everywhere seen.
        lot_size: Decimal = number("lotSize"),
        /// Smallest price step, in quote. Changes over time: do not keep it for days.
        tick_size: Decimal = number("tickSize"),
        /// The same of its index.
        index_tick_size: Option<Decimal> = number_if_any("indexPriceTickSize"),
        /// Base coins per lot; -1 for inverse contracts, where a lot is one unit of quote currency.
        multiplier: Decimal = number("multiplier"),
        /// Margin to open a position, as a share of its value.
        initial_margin: Option<Decimal> = number_if_any("initialMargin"),
        /// Margin to keep it.
        maintenance_margin: Option<Decimal> = number_if_any("maintainMargin"),
        /// Largest position, in settle currency. The documentation says XBT; the numbers say otherwise.
        max_risk_limit: Option<Decimal> = number_if_any("maxRiskLimit"),
        /// Smallest limit of a position, in settle currency.
        min_risk_limit: Option<Decimal> = number_if_any("minRiskLimit"),
        /// Step from one limit to the next, in settle currency.
        risk_step: Option<Decimal> = number_if_any("riskStep"),
        /// Fee of who is taken, as a rate.
        maker_fee_rate: Option<Decimal> = number_if_any("makerFeeRate"),
        /// Fee of who takes, as a rate.
        taker_fee_rate: Option<Decimal> = number_if_any("takerFeeRate"),
        /// Deprecated.
        taker_fixed_fee: Option<Decimal> = number_if_any("takerFixFee"),
        /// Deprecated.
        maker_fixed_fee: Option<Decimal> = number_if_any("makerFixFee"),
        /// Fee at settlement, as a rate; null on every contract seen.
        settlement_fee: Option<Decimal> = number_if_any("settlementFee"),
        /// Whether positions may be closed by auto-deleveraging.
        is_deleverage: Option<bool> = flag_if_any("isDeleverage"),
        /// Deprecated, and true for linear contracts that are no quantos.
        is_quanto: Option<bool> = flag_if_any("isQuanto"),
        /// Whether size is in quote currency and profit in base currency.
        is_inverse: bool = flag("isInverse"),
        /// How it is marked: `FairPrice`.
        mark_method: Option<Text<'a>> = text_if_any("markMethod"),
        /// How its fair price is found: `FundingRate`; `None` for dated ones.
        fair_method: Option<Text<'a>> = text_if_any("fairMethod"),
        /// Of the interest rate of the base coin, such as `.XBTINT8H`.
        funding_base_symbol: Option<Symbol> = symbol_if_any("fundingBaseSymbol"),
        /// Of the interest rate of the quote currency, such as `.USDTINT8H`.
        funding_quote_symbol: Option<Symbol> = symbol_if_any("fundingQuoteSymbol"),
        /// Of the funding rate, such as `.XBTUSDTMFPI8H`.
        funding_rate_symbol: Option<Symbol> = symbol_if_any("fundingRateSymbol"),
        /// Of the index, such as `.KXBTUSDT`.
        index_symbol: Option<Symbol> = symbol_if_any("indexSymbol"),
        /// Of the price that a dated contract is settled at, such as `.BXBT30M`.
        settlement_symbol: Option<Symbol> = symbol_if_any("settlementSymbol"),
        /// `Open`, `Paused`, `BeingSettled`, `Settled`, `Closed`, `CancelOnly` or `Init`.
        status: Text<'a> = text("status"),
        /// The estimate of the rate that will be charged next, and for about a minute after a settlement the
        /// rate that was. Not what is charged: see [`SettledFunding`](super::SettledFunding).
        funding_fee_rate: Option<Decimal> = number_if_any("fundingFeeRate"),
        /// Null on every contract seen since 2025.
        predicted_funding_fee_rate: Option<Decimal> = number_if_any("predictedFundingFeeRate"),
        /// Interest that funding contains, a day, as a rate. Undocumented.
        daily_interest_rate: Option<Decimal> = number_if_any("dailyInterestRate"),
        /// From one settlement of funding to the next, as it is set; from milliseconds, though the
        /// documentation says hours. Valid from `funding_cycle_start` on.
        funding_interval: Option<Duration> = interval_if_any("fundingRateGranularity"),
        /// Highest funding rate.
        funding_rate_cap: Option<Decimal> = number_if_any("fundingRateCap"),
        /// Lowest funding rate.
        funding_rate_floor: Option<Decimal> = number_if_any("fundingRateFloor"),
        /// Deprecated: 1 where funding is charged for the period that ends.
        period: Option<u64> = count_if_any("period"),
        /// Since when `funding_interval` holds; from milliseconds; since 2025-11-24.
        funding_cycle_start: Option<UnixNanos> = millis_if_any("effectiveFundingRateCycleStartTime"),
        /// The interval that holds now; from milliseconds; since 2025-11-24.
        current_funding_interval: Option<Duration> = interval_if_any("currentFundingRateGranularity"),
        /// Open positions, in lots. The only number that is a string on the wire.
        open_interest: Option<Lots> = lots_if_any("openInterest"),
        /// Traded within 24 hours, in settle currency.
        turnover_24h: Option<Decimal> = number_if_any("turnoverOf24h"),
        /// The same in base coins; in lots (units of quote currency) for inverse contracts.
        volume_24h: Option<Decimal> = number_if_any("volumeOf24h"),
        /// What positions are valued at, in quote.
        mark_price: Option<Decimal> = number_if_any("markPrice"),
        /// What the spot exchanges say, in quote.
        index_price: Option<Decimal> = number_if_any("indexPrice"),
        /// Of the last trade, in quote; `None` before the first.
        last_trade_price: Option<Decimal> = number_if_any("lastTradePrice"),
        /// How long until funding is settled; from milliseconds. A countdown, though its name says a time.
        next_funding_in: Option<Duration> = interval_if_any("nextFundingRateTime"),
        /// When that is; from milliseconds. `None` for dated ones.
        next_funding: Option<UnixNanos> = millis_if_any("nextFundingRateDateTime"),
        /// Highest leverage.
        max_leverage: Option<Decimal> = number_if_any("maxLeverage"),
        /// The exchanges that make the index.
        source_exchanges: Strings<'a> = strings("sourceExchanges"),
        /// Of the premium index, by minute, such as `.XBTUSDTMPI`.
        premium_symbol_1m: Option<Symbol> = symbol_if_any("premiumsSymbol1M"),
        /// The same over 8 hours.
        premium_symbol_8h: Option<Symbol> = symbol_if_any("premiumsSymbol8H"),
        /// Of the interest rate of the base coin, by minute, such as `.XBTINT`.
        funding_base_symbol_1m: Option<Symbol> = symbol_if_any("fundingBaseSymbol1M"),
        /// Of that of the quote currency, by minute, such as `.USDTINT`.
        funding_quote_symbol_1m: Option<Symbol> = symbol_if_any("fundingQuoteSymbol1M"),
        /// Lowest price of 24 hours, in quote; zero if there was no trade.
        low_price_24h: Option<Decimal> = number_if_any("lowPrice"),
        /// Highest price of 24 hours.
        high_price_24h: Option<Decimal> = number_if_any("highPrice"),
        /// By how much the price changed in 24 hours, as a rate.
        price_change_rate_24h: Option<Decimal> = number_if_any("priceChgPct"),
        /// The same in quote.
        price_change_24h: Option<Decimal> = number_if_any("priceChg"),
        /// Of the margin model; unexplained.
        k: Option<Decimal> = number_if_any("k"),
        /// Of the margin model; unexplained.
        m: Option<Decimal> = number_if_any("m"),
        /// Of the margin model; unexplained.
        f: Option<Decimal> = number_if_any("f"),
        /// Of the margin model: limit of the maintenance margin rate.
        mmr_limit: Option<Decimal> = number_if_any("mmrLimit"),
        /// Of the margin model: its constant of leverage.
        mmr_leverage_constant: Option<Decimal> = number_if_any("mmrLevConstant"),
        /// Whether it can be held with cross margin.
        supports_cross: Option<bool> = flag_if_any("supportCross"),
        /// Highest price of a buy order now, in quote.
        buy_limit: Option<Decimal> = number_if_any("buyLimit"),
        /// Lowest price of a sell order now, in quote.
        sell_limit: Option<Decimal> = number_if_any("sellLimit"),
        /// What `k` will be.
        adjusted_k: Option<Decimal> = number_if_any("adjustK"),
        /// What `m` will be.
        adjusted_m: Option<Decimal> = number_if_any("adjustM"),
        /// What `mmr_leverage_constant` will be.
        adjusted_mmr_leverage_constant: Option<Decimal> = number_if_any("adjustMmrLevConstant"),
        /// From when on; from milliseconds. `None` if nothing is to change.
        adjusts: Option<UnixNanos> = millis_if_any("adjustActiveTime"),
        /// Largest position with cross margin, in settle currency.
        cross_risk_limit: Option<Decimal> = number_if_any("crossRiskLimit"),
        /// `NORMAL` or `PRE_MARKET`: then the index is the exchange's own perpetual.
        market_stage: Option<Text<'a>> = text_if_any("marketStage"),
        /// When a pre-market contract becomes an ordinary one; from milliseconds.
        becomes_perpetual: Option<UnixNanos> = millis_if_any("preMarketToPerpDate"),
        /// How far from the mark price an order may be, as a share of it: gives `buy_limit` and `sell_limit`.
        order_price_range: Option<Decimal> = number_if_any("orderPriceRange"),
        /// `CRYPTO` or `NASDAQ`.
        market_type: Option<Text<'a>> = text_if_any("marketType"),
        /// `CRYPTO`, `METAL`, `COMMODITY` or `STOCK`.
        asset_class: Option<Text<'a>> = text_if_any("assetClass"),
        /// `US.STOCK`, `KR.STOCK`, `HK.STOCK`, `JP.STOCK`; `None` for what is no stock.
        sub_market_type: Option<Text<'a>> = text_if_any("subMarketType"),
        /// The rate that was charged last. Undocumented.
        last_funding_rate: Option<Decimal> = number_if_any("lastTimeFundingRate"),
    }
}

rows!(Contract<'a>);

impl<'a> Contract<'a> {
    /// Reads the body of `GET /api/v1/contracts/{symbol}`, envelope included.
    ///
    /// # Errors
    /// Not JSON, an error body ([`WireError::Unexpected`]), or as of a row.
    pub fn parse(body: &'a [u8]) -> Result<Self, WireError> {
        parse_object(body)
    }

    /// Whether it was made to end on a day: what it says of its kind, or if it says nothing, whether it is
    /// settled some time.
    #[must_use]
    pub fn is_dated(&self) -> bool {
        match self.kind {
            Some(kind) if kind.is("FFWCSX") => false,
            Some(kind) if kind.is("FFICSX") => true,
            _ => self.settles.is_some(),
        }
    }
}
