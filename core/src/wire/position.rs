//! The data of `position` and `positionAll` frames.

use super::object::{Millis, Nanos, object, words};
use super::order::{MarginMode, PositionSide};
use super::text::Text;
use crate::ids::Symbol;
use crate::num::Decimal;
use crate::time::UnixNanos;

object! {
    /// A position has changed, or is valued anew. Subject `position.change`.
    ///
    /// Amounts are of the settlement currency unless another unit stands there. A message about the mark price
    /// alone has about ten of the fields, and says no symbol: it is that of the topic. What is absent has not
    /// changed.
    pub struct PositionUpdate<'a> {
        /// The contract; of the topic, if the message does not say.
        symbol: Option<Symbol> = "symbol";
        /// Maintenance margin as part of the value.
        maint_margin_req: Option<Decimal> = "maintMarginReq";
        /// Largest value that this leverage allows; isolated only.
        risk_limit: Option<Decimal> = "riskLimit";
        /// Value by margin; isolated only.
        real_leverage: Option<Decimal> = "realLeverage";
        /// Whether the margin is the account's.
        cross_mode: Option<bool> = "crossMode";
        /// Place in the queue for auto-deleveraging: `0.1` is the first tenth.
        deleverage_percentage: Option<Decimal> = "delevPercentage";
        /// When it was opened, from milliseconds.
        opening_time: Option<UnixNanos> = "openingTimestamp" by Millis;
        /// Whether margin is added by itself before it is liquidated.
        auto_deposit: Option<bool> = "autoDeposit";
        /// When, from milliseconds. One that cannot be read is none.
        ts_event: Option<UnixNanos> = "currentTimestamp" by Millis;
        /// Its size in lots; negative if it is short, zero if it is closed.
        current_qty: Option<i64> = "currentQty";
        /// What it has cost since it was opened.
        current_cost: Option<Decimal> = "currentCost";
        /// Fees since it was opened.
        current_comm: Option<Decimal> = "currentComm";
        /// Value of what is open at its entry price.
        unrealised_cost: Option<Decimal> = "unrealisedCost";
        /// Cost of what was closed, fees included.
        realised_cost: Option<Decimal> = "realisedCost";
        /// Whether there is a position.
        is_open: Option<bool> = "isOpen";
        /// What it is valued by; quote currency.
        mark_price: Option<Decimal> = "markPrice";
        /// Its value at the mark price.
        mark_value: Option<Decimal> = "markValue";
        /// Its value at the entry price.
        pos_cost: Option<Decimal> = "posCost";
        /// Margin that was added by hand; isolated only.
        pos_cross: Option<Decimal> = "posCross";
        /// Initial margin.
        pos_init: Option<Decimal> = "posInit";
        /// Fee to come of bankruptcy; isolated only.
        pos_comm: Option<Decimal> = "posComm";
        /// Funding that was paid out of its margin; isolated only.
        pos_loss: Option<Decimal> = "posLoss";
        /// Margin; isolated only.
        pos_margin: Option<Decimal> = "posMargin";
        /// Funding to be settled; isolated only.
        pos_funding: Option<Decimal> = "posFunding";
        /// Maintenance margin.
        pos_maint: Option<Decimal> = "posMaint";
        /// Margin with unrealised profit; isolated only. (REST has a rate under this name.)
        maint_margin: Option<Decimal> = "maintMargin";
        /// Average price of entry; quote currency.
        avg_entry_price: Option<Decimal> = "avgEntryPrice";
        /// Where it is liquidated; quote currency.
        liquidation_price: Option<Decimal> = "liquidationPrice";
        /// Where its margin is gone; quote currency.
        bankrupt_price: Option<Decimal> = "bankruptPrice";
        /// In which currency it is settled.
        settle_currency: Option<Text<'a>> = "settleCurrency";
        /// Why this is said.
        change_reason: Option<ChangeReason> = "changeReason";
        /// Step of the risk limit; isolated only.
        risk_limit_level: Option<i64> = "riskLimitLevel";
        /// Cost of what was closed, without fees.
        realised_gross_cost: Option<Decimal> = "realisedGrossCost";
        /// Profit of what was closed, without fees.
        realised_gross_pnl: Option<Decimal> = "realisedGrossPnl";
        /// Profit of what was closed, less fees and funding.
        realised_pnl: Option<Decimal> = "realisedPnl";
        /// Profit of what is open, at the mark price.
        unrealised_pnl: Option<Decimal> = "unrealisedPnl";
        /// The same as part of the entry value: `0.01` is 1 %.
        unrealised_pnl_ratio: Option<Decimal> = "unrealisedPnlPcnt";
        /// The same as part of the initial margin.
        unrealised_roe_ratio: Option<Decimal> = "unrealisedRoePcnt";
        /// Value by margin.
        leverage: Option<Decimal> = "leverage";
        /// Isolated or cross.
        margin_mode: Option<MarginMode> = "marginMode";
        /// Which of the contract's positions.
        position_side: Option<PositionSide> = "positionSide";
        /// Tax.
        tax: Option<Decimal> = "tax";
        /// Fee of this change.
        deal_comm: Option<Decimal> = "dealComm";
        /// Funding since it was opened.
        funding_fee: Option<Decimal> = "fundingFee";
        /// Undocumented.
        agg_rate: Option<Decimal> = "aggRate";
    }
}

object! {
    /// Funding was charged on a position. Subject `position.settlement`.
    pub struct PositionSettlement<'a> {
        /// The contract: of the topic, the message does not say.
        symbol: Option<Symbol> = "symbol";
        /// What the position was valued by; quote currency.
        mark_price: Decimal = "markPrice";
        /// The position, lots; negative if it was short.
        qty: i64 = "qty";
        /// Which of the contract's positions; sent since 2026.
        position_side: Option<PositionSide> = "positionSide";
        /// Isolated or cross; sent since 2026.
        margin_mode: Option<MarginMode> = "marginMode";
        /// In which currency it was charged.
        settle_currency: Option<Text<'a>> = "settleCurrency";
        /// Which settlement, from milliseconds. One that cannot be read is none.
        funding_time: Option<UnixNanos> = "fundingTime" by Millis;
        /// Part of the value; longs pay it if positive.
        funding_rate: Decimal = "fundingRate";
        /// What was charged; negative if it was paid out of the account.
        funding_fee: Decimal = "fundingFee";
        /// When, from nanoseconds. One that cannot be read is none.
        ts_event: Option<UnixNanos> = "ts" by Nanos;
    }
}

object! {
    /// The answer to a change of a position's risk limit. Subject `position.adjustRiskLimit`.
    pub struct RiskLimitUpdate<'a> {
        /// The contract: of the topic, if that says one.
        symbol: Option<Symbol> = "symbol";
        /// Why it failed.
        msg: Option<Text<'a>> = "msg";
        /// Whether it was changed.
        success: bool = "success";
        /// The step that was asked for.
        risk_limit_level: Option<i64> = "riskLimitLevel";
    }
}

words! {
    /// Why a position is said.
    pub enum ChangeReason {
        /// Its size.
        Position = "positionChange",
        /// Its margin.
        Margin = "marginChange",
        /// It is liquidated.
        Liquidation = "liquidation",
        /// Whether margin is added by itself.
        AutoDeposit = "autoAppendMarginStatusChange",
        /// It was reduced to cover another's loss.
        AutoDeleveraging = "adl",
        /// Its risk limit.
        RiskLimit = "changeRiskLimit",
        /// The mark price, and nothing else.
        MarkPrice = "markPriceChange",
    }
}
