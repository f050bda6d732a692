//! What an account has and did, by signed REST.

use super::object::object;
use super::rows::{parse_object, rows};
use crate::currency::Currency;
use crate::error::WireError;
use crate::ids::Symbol;
use crate::num::{Decimal, Lots};
use crate::time::UnixNanos;
use crate::wire::Side;
use crate::wire::text::Text;

object! {
    /// An order: a row of `GET /api/v1/orders` and of `GET /api/v1/stopOrders`.
    ///
    /// Prices are in quote currency, sizes in lots, values in settle currency.
    pub struct Order<'a> {
        /// The exchange's name for it.
        id: Text<'a> = text("id"),
        /// The contract.
        symbol: Symbol = symbol("symbol"),
        /// `limit` or `market`.
        kind: Option<Text<'a>> = text_if_any("type"),
        /// Which side of the book it is of: `Bid` buys.
        side: Side = side("side"),
        /// `None` for a market order.
        price: Option<Decimal> = number_if_any("price"),
        /// Its whole size.
        size: Lots = lots("size"),
        /// Price times size.
        value: Option<Decimal> = number_if_any("value"),
        /// The value of what was filled.
        filled_value: Option<Decimal> = number_if_any("dealValue"),
        /// What was filled.
        filled_size: Option<Lots> = lots_if_any("dealSize"),
        /// Self-trade prevention: `CN`, `CO` or `CB`.
        self_trade_prevention: Option<Text<'a>> = text_if_any("stp"),
        /// `up` or `down`: on which side of `stop_price` it is triggered. `None` if it is no stop order.
        stop: Option<Text<'a>> = text_if_any("stop"),
        /// What is held against `stop_price`: `TP` the last trade, `MP` the mark, `IP` the index.
        stop_price_kind: Option<Text<'a>> = text_if_any("stopPriceType"),
        /// Whether it was triggered.
        stop_triggered: Option<bool> = flag_if_any("stopTriggered"),
        /// The price that triggers it.
        stop_price: Option<Decimal> = number_if_any("stopPrice"),
        /// `GTC`, `IOC` or `RPI`.
        time_in_force: Option<Text<'a>> = text_if_any("timeInForce"),
        /// Whether it is refused rather than take.
        post_only: Option<bool> = flag_if_any("postOnly"),
        /// Whether the book does not show it.
        hidden: Option<bool> = flag_if_any("hidden"),
        /// Whether the book shows only `visible_size` of it.
        iceberg: Option<bool> = flag_if_any("iceberg"),
        /// Of its position; `None` or one number for cross margin.
        leverage: Option<Decimal> = number_if_any("leverage"),
        /// Whether margin is held for it though it reduces a position.
        force_hold: Option<bool> = flag_if_any("forceHold"),
        /// Whether it closes a position.
        close_order: Option<bool> = flag_if_any("closeOrder"),
        /// What the book shows of it.
        visible_size: Option<Lots> = lots_if_any("visibleSize"),
        /// The caller's own name for it.
        client_id: Option<Text<'a>> = text_if_any("clientOid"),
        /// The caller's remark.
        remark: Option<Text<'a>> = text_if_any("remark"),
        /// Whether it can still be filled.
        is_active: Option<bool> = flag_if_any("isActive"),
        /// Whether a part of it was cancelled.
        cancel_exists: Option<bool> = flag_if_any("cancelExist"),
        /// When it was made; from milliseconds.
        created: Option<UnixNanos> = millis_if_any("createdAt"),
        /// When it last changed; from milliseconds.
        updated: Option<UnixNanos> = millis_if_any("updatedAt"),
        /// When it ended; from milliseconds.
        ended: Option<UnixNanos> = millis_if_any("endAt"),
        /// When it was placed; from nanoseconds.
        placed: Option<UnixNanos> = nanos_if_any("orderTime"),
        /// What values are in.
        settle_currency: Option<Currency> = currency_if_any("settleCurrency"),
        /// `CROSS` or `ISOLATED`.
        margin_mode: Option<Text<'a>> = text_if_any("marginMode"),
        /// Mean price of what was filled; `None` or zero if nothing was.
        mean_price: Option<Decimal> = number_if_any("avgDealPrice"),
        /// `BOTH`, `LONG` or `SHORT`.
        position_side: Option<Text<'a>> = text_if_any("positionSide"),
        /// `open` or `done`.
        status: Option<Text<'a>> = text_if_any("status"),
        /// Whether it may only reduce a position.
        reduce_only: Option<bool> = flag_if_any("reduceOnly"),
    }
}

object! {
    /// A fill: a row of `GET /api/v1/recentFills` and of `GET /api/v1/fills`.
    ///
    /// Prices are in quote currency, sizes in lots, values in settle currency, fees in `fee_currency`.
    pub struct Fill<'a> {
        /// The contract.
        symbol: Symbol = symbol("symbol"),
        /// The exchange's name for the trade.
        trade_id: Text<'a> = text("tradeId"),
        /// The order that was filled.
        order_id: Text<'a> = text("orderId"),
        /// Which side of the book the order was of: `Bid` bought.
        side: Side = side("side"),
        /// `taker` or `maker`.
        liquidity: Option<Text<'a>> = text_if_any("liquidity"),
        /// Whether the order had to take.
        forced_taker: Option<bool> = flag_if_any("forceTaker"),
        /// Of the trade.
        price: Decimal = number("price"),
        /// Lots filled.
        size: Lots = lots("size"),
        /// Price times size.
        value: Option<Decimal> = number_if_any("value"),
        /// Fee for what was opened.
        open_fee: Option<Decimal> = number_if_any("openFeePay"),
        /// Fee for what was closed.
        close_fee: Option<Decimal> = number_if_any("closeFeePay"),
        /// `up` or `down` if the order was a stop order.
        stop: Option<Text<'a>> = text_if_any("stop"),
        /// The fee as a fraction of the value.
        fee_rate: Option<Decimal> = number_if_any("feeRate"),
        /// Deprecated.
        fixed_fee: Option<Decimal> = number_if_any("fixFee"),
        /// What fees are in.
        fee_currency: Option<Currency> = currency_if_any("feeCurrency"),
        /// When the trade was; from nanoseconds.
        traded: Option<UnixNanos> = nanos_if_any("tradeTime"),
        /// What kind of trade within `trade_kind`; null on every fill seen.
        sub_trade_kind: Option<Text<'a>> = text_if_any("subTradeType"),
        /// `CROSS` or `ISOLATED`.
        margin_mode: Option<Text<'a>> = text_if_any("marginMode"),
        /// Tax on the fee for what was opened.
        open_fee_tax: Option<Decimal> = number_if_any("openFeeTaxPay"),
        /// Tax on the fee for what was closed.
        close_fee_tax: Option<Decimal> = number_if_any("closeFeeTaxPay"),
        /// `BOTH`, `LONG` or `SHORT`.
        position_side: Option<Text<'a>> = text_if_any("positionSide"),
        /// What values are in.
        settle_currency: Option<Currency> = currency_if_any("settleCurrency"),
        /// The order's kind as it is shown to people.
        display_kind: Option<Text<'a>> = text_if_any("displayType"),
        /// The whole fee; below zero for a rebate.
        fee: Option<Decimal> = number_if_any("fee"),
        /// `limit` or `market`.
        order_kind: Option<Text<'a>> = text_if_any("orderType"),
        /// `trade`, `liquid`, `adl` or `settlement`.
        trade_kind: Option<Text<'a>> = text_if_any("tradeType"),
        /// When the fill was written down; from milliseconds.
        created: Option<UnixNanos> = millis_if_any("createdAt"),
    }
}

object! {
    /// A position: a row of `GET /api/v1/positions` and of `GET /api/v2/position`, which writes its numbers
    /// as strings.
    ///
    /// Prices are in quote currency; costs, margins, profit and fees in settle currency; rates are fractions
    /// of one.
    pub struct OpenPosition<'a> {
        /// The exchange's name for it.
        id: Option<Text<'a>> = text_if_any("id"),
        /// The contract.
        symbol: Symbol = symbol("symbol"),
        /// Whether margin is added by itself.
        auto_deposit: Option<bool> = flag_if_any("autoDeposit"),
        /// Whether its margin is cross.
        is_cross: Option<bool> = flag_if_any("crossMode"),
        /// Maintenance margin, as a rate.
        maintenance_margin_rate: Option<Decimal> = number_if_any("maintMarginReq"),
        /// Largest position, in settle currency.
        risk_limit: Option<Decimal> = number_if_any("riskLimit"),
        /// Its value over its margin.
        real_leverage: Option<Decimal> = number_if_any("realLeverage"),
        /// Place in the queue for auto-deleveraging: a fraction of one, 1 is next.
        deleverage_rank: Option<Decimal> = number_if_any("delevPercentage"),
        /// When it was opened; from milliseconds.
        opened: Option<UnixNanos> = millis_if_any("openingTimestamp"),
        /// When this was so; from milliseconds.
        time: Option<UnixNanos> = millis_if_any("currentTimestamp"),
        /// Lots held; below zero when short.
        quantity: i64 = integer("currentQty"),
        /// Value at entry, of what is held; below zero when short.
        current_cost: Option<Decimal> = number_if_any("currentCost"),
        /// Fees so far.
        current_fees: Option<Decimal> = number_if_any("currentComm"),
        /// Value at entry of what is not closed.
        unrealised_cost: Option<Decimal> = number_if_any("unrealisedCost"),
        /// Value at entry of what was closed, less that at its exit.
        realised_gross_cost: Option<Decimal> = number_if_any("realisedGrossCost"),
        /// The same with fees.
        realised_cost: Option<Decimal> = number_if_any("realisedCost"),
        /// Whether there is one.
        is_open: Option<bool> = flag_if_any("isOpen"),
        /// What it is valued at.
        mark_price: Option<Decimal> = number_if_any("markPrice"),
        /// Its value at that price; below zero when short.
        mark_value: Option<Decimal> = number_if_any("markValue"),
        /// Its value at entry.
        position_cost: Option<Decimal> = number_if_any("posCost"),
        /// Margin added by hand.
        added_margin: Option<Decimal> = number_if_any("posCross"),
        /// Margin at entry.
        initial_margin: Option<Decimal> = number_if_any("posInit"),
        /// Margin kept for fees.
        fee_margin: Option<Decimal> = number_if_any("posComm"),
        /// Loss that was taken out of its margin.
        margin_loss: Option<Decimal> = number_if_any("posLoss"),
        /// Margin now.
        margin: Option<Decimal> = number_if_any("posMargin"),
        /// Funding that was taken out of its margin.
        margin_funding: Option<Decimal> = number_if_any("posFunding"),
        /// Margin it must keep.
        maintenance_margin: Option<Decimal> = number_if_any("posMaint"),
        /// Margin with profit and loss.
        margin_balance: Option<Decimal> = number_if_any("maintMargin"),
        /// Profit of what was closed, without fees.
        realised_gross_profit: Option<Decimal> = number_if_any("realisedGrossPnl"),
        /// The same with fees and funding.
        realised_profit: Option<Decimal> = number_if_any("realisedPnl"),
        /// Profit of what is held, at the mark price.
        unrealised_profit: Option<Decimal> = number_if_any("unrealisedPnl"),
        /// The same over its value at entry, as a rate.
        unrealised_profit_rate: Option<Decimal> = number_if_any("unrealisedPnlPcnt"),
        /// The same over its margin at entry, as a rate.
        unrealised_return: Option<Decimal> = number_if_any("unrealisedRoePcnt"),
        /// Mean price of entry.
        entry_price: Option<Decimal> = number_if_any("avgEntryPrice"),
        /// Where it would be liquidated.
        liquidation_price: Option<Decimal> = number_if_any("liquidationPrice"),
        /// Where its margin would be used up.
        bankrupt_price: Option<Decimal> = number_if_any("bankruptPrice"),
        /// What costs, margins and profit are in.
        settle_currency: Option<Currency> = currency_if_any("settleCurrency"),
        /// Whether its contract is inverse.
        is_inverse: Option<bool> = flag_if_any("isInverse"),
        /// The same as `maintenance_margin_rate`, for accounts of the older kind.
        maintenance_rate: Option<Decimal> = number_if_any("maintainMargin"),
        /// `CROSS` or `ISOLATED`.
        margin_mode: Option<Text<'a>> = text_if_any("marginMode"),
        /// `BOTH`, `LONG` or `SHORT`.
        position_side: Option<Text<'a>> = text_if_any("positionSide"),
        /// As it was chosen.
        leverage: Option<Decimal> = number_if_any("leverage"),
        /// Fees so far; `/api/v1/positions` says so.
        trade_fees: Option<Decimal> = number_if_any("dealComm"),
        /// Funding so far; `/api/v1/positions` says so.
        funding_fees: Option<Decimal> = number_if_any("fundingFee"),
        /// Tax so far; `/api/v1/positions` says so.
        tax: Option<Decimal> = number_if_any("tax"),
        /// Fees so far; `/api/v2/position` says so.
        cumulative_trade_fees: Option<Decimal> = number_if_any("cumulativeTradeFee"),
        /// Funding so far; `/api/v2/position` says so.
        cumulative_funding_fees: Option<Decimal> = number_if_any("cumulativeFundingFee"),
        /// Tax so far; `/api/v2/position` says so.
        cumulative_tax: Option<Decimal> = number_if_any("cumulativeTax"),
        /// Profit that was taken out.
        withdrawn_profit: Option<Decimal> = number_if_any("withdrawPnl"),
        /// Step of its risk limit, from 1.
        risk_limit_level: Option<u64> = count_if_any("riskLimitLevel"),
    }
}

object! {
    /// What an account has in one currency: `GET /api/v1/account-overview`. All amounts are in it.
    pub struct AccountOverview {
        /// Balance and unrealised profit.
        equity: Decimal = number("accountEquity"),
        /// Profit of all open positions, at their mark prices.
        unrealised_profit: Option<Decimal> = number_if_any("unrealisedPNL"),
        /// Balance without it.
        margin_balance: Option<Decimal> = number_if_any("marginBalance"),
        /// Margin of positions.
        position_margin: Option<Decimal> = number_if_any("positionMargin"),
        /// Margin of orders.
        order_margin: Option<Decimal> = number_if_any("orderMargin"),
        /// Held for withdrawals and transfers.
        frozen: Option<Decimal> = number_if_any("frozenFunds"),
        /// Can be used.
        available: Option<Decimal> = number_if_any("availableBalance"),
        /// The currency.
        currency: Currency = currency("currency"),
        /// Of the positions with cross margin: maintenance margin over margin; at 1 they are liquidated.
        risk_ratio: Option<Decimal> = number_if_any("riskRatio"),
        /// Can be taken out.
        max_withdrawal: Option<Decimal> = number_if_any("maxWithdrawAmount"),
        /// Can be used as margin.
        available_margin: Option<Decimal> = number_if_any("availableMargin"),
    }
}

rows!(Order<'a>, Fill<'a>, OpenPosition<'a>);

impl AccountOverview {
    /// Reads a whole response body, envelope included.
    ///
    /// # Errors
    /// Not JSON, an error body ([`WireError::Unexpected`]), no equity or no currency.
    pub fn parse(body: &[u8]) -> Result<Self, WireError> {
        parse_object(body)
    }
}
