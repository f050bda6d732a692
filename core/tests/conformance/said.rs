//! What a reply says, key by key, beside what a general parser reads.

use std::time::Duration;

use kucoin_futures_proto::wire::{
    AccountOverview, Contract, Fill, IndexComponent, IndexPrice, OpenPosition, Order,
    RestFundingRate, RestMarkPrice, RestTrade, SeriesPoint, ServiceStatus, SettledFunding, Side,
    Strings, TakerSide, Text,
};
use kucoin_futures_proto::{Currency, Decimal, Lots, Price, Sequence, Symbol, UnixNanos};
use serde_json::Value as Json;

/// A value as one text, whatever its form; `None` for nothing.
pub(crate) trait Said {
    fn said(&self) -> Option<String>;
}

macro_rules! shown {
    ($($type:ty),*) => {
        $(impl Said for $type {
            fn said(&self) -> Option<String> {
                canonical(&self.to_string())
            }
        })*
    };
}

shown!(Decimal, Lots, Price, Sequence, Symbol, Currency, Text<'_>, TakerSide, bool, u64, i64);

impl<T: Said> Said for Option<T> {
    fn said(&self) -> Option<String> {
        self.as_ref()?.said()
    }
}

impl Said for Side {
    fn said(&self) -> Option<String> {
        Some(if *self == Self::Bid { "buy" } else { "sell" }.into())
    }
}

impl Said for UnixNanos {
    fn said(&self) -> Option<String> {
        Some(self.as_nanos().to_string())
    }
}

impl Said for Duration {
    fn said(&self) -> Option<String> {
        Some(self.as_millis().to_string())
    }
}

impl Said for Strings<'_> {
    fn said(&self) -> Option<String> {
        Some(self.iter().map(|text| text.to_string()).collect::<Vec<_>>().join(","))
    }
}

/// A number in lowest terms, any other text as it is.
fn canonical(text: &str) -> Option<String> {
    let number = text.parse::<Decimal>().map(|number| number.to_string());
    Some(number.unwrap_or_else(|_| text.into())).filter(|text| !text.is_empty())
}

/// The same of what the referee has read.
pub(crate) fn meant(json: &Json) -> Option<String> {
    match json {
        Json::Null => None,
        Json::Bool(flag) => Some(flag.to_string()),
        Json::Number(number) => canonical(&number.to_string()),
        Json::String(text) => canonical(text),
        Json::Array(items) => Some(items.iter().filter_map(meant).collect::<Vec<_>>().join(",")),
        Json::Object(_) => panic!("{json}"),
    }
}

/// Asserts that a reply says what its JSON says, and that there is no key that it leaves out.
pub(crate) trait Says {
    /// Keys that are left out on purpose are `ignored`.
    fn says(&self, json: &Json, ignored: &[&str]);
}

macro_rules! says {
    ($name:ident $(<$life:lifetime>)?: $($field:ident $key:literal $($unit:ident)?,)*) => {
        impl Says for $name $(<$life>)? {
            fn says(&self, json: &Json, ignored: &[&str]) {
                let keys = [$($key),*];
                for key in json.as_object().unwrap().keys() {
                    let is_known = keys.contains(&&**key) || ignored.contains(&&**key);
                    assert!(is_known, "{key} of {} is not read", stringify!($name));
                }
                $(
                    let theirs = meant(&json[$key]) $(.map($unit))?;
                    let ours = self.$field.said();
                    let same = ours == theirs || are_near(&json[$key], &ours);
                    assert!(same || is_nothing(&ours, &theirs), "{}: {ours:?} is {theirs:?}", $key);
                )*
            }
        }
    };
}

/// The referee rounds what has more digits than a float.
fn are_near(json: &Json, ours: &Option<String>) -> bool {
    let Some(theirs) = json.as_f64().filter(|_| json.is_f64()) else { return false };
    let ours: Option<f64> = ours.as_ref().and_then(|ours| ours.parse().ok());
    ours.is_some_and(|ours| (ours - theirs).abs() <= 4.0 * f64::EPSILON * theirs.abs())
}

/// An empty text or list, where there is none.
fn is_nothing(ours: &Option<String>, theirs: &Option<String>) -> bool {
    theirs.is_none() && ours.as_ref().is_some_and(String::is_empty)
}

/// Milliseconds as nanoseconds.
fn ms(millis: String) -> String {
    let millis: Decimal = millis.parse().unwrap();
    Decimal::new(millis.mantissa(), millis.exponent() + 6).unwrap().to_string()
}

says! { Contract<'_>:
        symbol "symbol",
        display_symbol "displaySymbol",
        root_symbol "rootSymbol",
        kind "type",
        first_open "firstOpenDate" ms,
        expires "expireDate" ms,
        settles "settleDate" ms,
        base_currency "baseCurrency",
        display_base_currency "displayBaseCurrency",
        quote_currency "quoteCurrency",
        settle_currency "settleCurrency",
        max_order_size "maxOrderQty",
        max_market_order_size "marketMaxOrderQty",
        max_price "maxPrice",
        lot_size "lotSize",
        tick_size "tickSize",
        index_tick_size "indexPriceTickSize",
        multiplier "multiplier",
        initial_margin "initialMargin",
        maintenance_margin "maintainMargin",
        max_risk_limit "maxRiskLimit",
        min_risk_limit "minRiskLimit",
        risk_step "riskStep",
        maker_fee_rate "makerFeeRate",
        taker_fee_rate "takerFeeRate",
        taker_fixed_fee "takerFixFee",
        maker_fixed_fee "makerFixFee",
        settlement_fee "settlementFee",
        is_deleverage "isDeleverage",
        is_quanto "isQuanto",
        is_inverse "isInverse",
        mark_method "markMethod",
        fair_method "fairMethod",
        funding_base_symbol "fundingBaseSymbol",
        funding_quote_symbol "fundingQuoteSymbol",
        funding_rate_symbol "fundingRateSymbol",
        index_symbol "indexSymbol",
        settlement_symbol "settlementSymbol",
        status "status",
        funding_fee_rate "fundingFeeRate",
        predicted_funding_fee_rate "predictedFundingFeeRate",
        daily_interest_rate "dailyInterestRate",
        funding_interval "fundingRateGranularity",
        funding_rate_cap "fundingRateCap",
        funding_rate_floor "fundingRateFloor",
        period "period",
        funding_cycle_start "effectiveFundingRateCycleStartTime" ms,
        current_funding_interval "currentFundingRateGranularity",
        open_interest "openInterest",
        turnover_24h "turnoverOf24h",
        volume_24h "volumeOf24h",
        mark_price "markPrice",
        index_price "indexPrice",
        last_trade_price "lastTradePrice",
        next_funding_in "nextFundingRateTime",
        next_funding "nextFundingRateDateTime" ms,
        max_leverage "maxLeverage",
        source_exchanges "sourceExchanges",
        premium_symbol_1m "premiumsSymbol1M",
        premium_symbol_8h "premiumsSymbol8H",
        funding_base_symbol_1m "fundingBaseSymbol1M",
        funding_quote_symbol_1m "fundingQuoteSymbol1M",
        low_price_24h "lowPrice",
        high_price_24h "highPrice",
        price_change_rate_24h "priceChgPct",
        price_change_24h "priceChg",
        k "k",
        m "m",
        f "f",
        mmr_limit "mmrLimit",
        mmr_leverage_constant "mmrLevConstant",
        supports_cross "supportCross",
        buy_limit "buyLimit",
        sell_limit "sellLimit",
        adjusted_k "adjustK",
        adjusted_m "adjustM",
        adjusted_mmr_leverage_constant "adjustMmrLevConstant",
        adjusts "adjustActiveTime" ms,
        cross_risk_limit "crossRiskLimit",
        market_stage "marketStage",
        becomes_perpetual "preMarketToPerpDate" ms,
        order_price_range "orderPriceRange",
        market_type "marketType",
        asset_class "assetClass",
        sub_market_type "subMarketType",
        last_funding_rate "lastTimeFundingRate",
}

says! { Order<'_>:
        id "id",
        symbol "symbol",
        kind "type",
        side "side",
        price "price",
        size "size",
        value "value",
        filled_value "dealValue",
        filled_size "dealSize",
        self_trade_prevention "stp",
        stop "stop",
        stop_price_kind "stopPriceType",
        stop_triggered "stopTriggered",
        stop_price "stopPrice",
        time_in_force "timeInForce",
        post_only "postOnly",
        hidden "hidden",
        iceberg "iceberg",
        leverage "leverage",
        force_hold "forceHold",
        close_order "closeOrder",
        visible_size "visibleSize",
        client_id "clientOid",
        remark "remark",
        is_active "isActive",
        cancel_exists "cancelExist",
        created "createdAt" ms,
        updated "updatedAt" ms,
        ended "endAt" ms,
        placed "orderTime",
        settle_currency "settleCurrency",
        margin_mode "marginMode",
        mean_price "avgDealPrice",
        position_side "positionSide",
        status "status",
        reduce_only "reduceOnly",
}

says! { Fill<'_>:
        symbol "symbol",
        trade_id "tradeId",
        order_id "orderId",
        side "side",
        liquidity "liquidity",
        forced_taker "forceTaker",
        price "price",
        size "size",
        value "value",
        open_fee "openFeePay",
        close_fee "closeFeePay",
        stop "stop",
        fee_rate "feeRate",
        fixed_fee "fixFee",
        fee_currency "feeCurrency",
        traded "tradeTime",
        sub_trade_kind "subTradeType",
        margin_mode "marginMode",
        open_fee_tax "openFeeTaxPay",
        close_fee_tax "closeFeeTaxPay",
        position_side "positionSide",
        settle_currency "settleCurrency",
        display_kind "displayType",
        fee "fee",
        order_kind "orderType",
        trade_kind "tradeType",
        created "createdAt" ms,
}

says! { OpenPosition<'_>:
        id "id",
        symbol "symbol",
        auto_deposit "autoDeposit",
        is_cross "crossMode",
        maintenance_margin_rate "maintMarginReq",
        risk_limit "riskLimit",
        real_leverage "realLeverage",
        deleverage_rank "delevPercentage",
        opened "openingTimestamp" ms,
        time "currentTimestamp" ms,
        quantity "currentQty",
        current_cost "currentCost",
        current_fees "currentComm",
        unrealised_cost "unrealisedCost",
        realised_gross_cost "realisedGrossCost",
        realised_cost "realisedCost",
        is_open "isOpen",
        mark_price "markPrice",
        mark_value "markValue",
        position_cost "posCost",
        added_margin "posCross",
        initial_margin "posInit",
        fee_margin "posComm",
        margin_loss "posLoss",
        margin "posMargin",
        margin_funding "posFunding",
        maintenance_margin "posMaint",
        margin_balance "maintMargin",
        realised_gross_profit "realisedGrossPnl",
        realised_profit "realisedPnl",
        unrealised_profit "unrealisedPnl",
        unrealised_profit_rate "unrealisedPnlPcnt",
        unrealised_return "unrealisedRoePcnt",
        entry_price "avgEntryPrice",
        liquidation_price "liquidationPrice",
        bankrupt_price "bankruptPrice",
        settle_currency "settleCurrency",
        is_inverse "isInverse",
        maintenance_rate "maintainMargin",
        margin_mode "marginMode",
        position_side "positionSide",
        leverage "leverage",
        trade_fees "dealComm",
        funding_fees "fundingFee",
        tax "tax",
        cumulative_trade_fees "cumulativeTradeFee",
        cumulative_funding_fees "cumulativeFundingFee",
        cumulative_tax "cumulativeTax",
        withdrawn_profit "withdrawPnl",
        risk_limit_level "riskLimitLevel",
}

says! { AccountOverview:
        equity "accountEquity",
        unrealised_profit "unrealisedPNL",
        margin_balance "marginBalance",
        position_margin "positionMargin",
        order_margin "orderMargin",
        frozen "frozenFunds",
        available "availableBalance",
        currency "currency",
        risk_ratio "riskRatio",
        max_withdrawal "maxWithdrawAmount",
        available_margin "availableMargin",
}

says! { RestTrade<'_>:
        sequence "sequence",
        trade_id "tradeId",
        maker_order_id "makerOrderId",
        taker_order_id "takerOrderId",
        time "ts",
        size "size",
        price "price",
        taker_side "side",
}

says! { RestMarkPrice:
        symbol "symbol",
        granularity "granularity",
        time "timePoint" ms,
        value "value",
        index_price "indexPrice",
}

says! { RestFundingRate:
        rate_symbol "symbol",
        interval "granularity",
        interval_start "timePoint" ms,
        value "value",
        predicted_value "predictedValue",
        daily_interest_rate "dailyInterestRate",
        cap "fundingRateCap",
        floor "fundingRateFloor",
        period "period",
        next_settlement "fundingTime" ms,
        last_rate "lastTimeFundingRate",
}

says! { SettledFunding:
        symbol "symbol",
        rate "fundingRate",
        time "timepoint" ms,
}

says! { ServiceStatus<'_>:
        message "msg",
        status "status",
}

says! { SeriesPoint:
        symbol "symbol",
        granularity "granularity",
        time "timePoint" ms,
        value "value",
}

says! { IndexPrice<'_>:
        symbol "symbol",
        granularity "granularity",
        time "timePoint" ms,
        value "value",
}

says! { IndexComponent<'_>:
        exchange "exchange",
        exchange_name "exchangeName",
        price "price",
        weight "weight",
}
