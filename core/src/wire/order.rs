//! The data of `tradeOrders` and `advancedOrders` frames: what became of orders of one's own.

use super::object::{Either, Millis, Nanos, object, words};
use super::text::Text;
use crate::ids::Symbol;
use crate::num::{Decimal, Lots, Price};
use crate::time::UnixNanos;

object! {
    /// Something has happened to an order. Subjects `orderChange` and `symbolOrderChange`.
    ///
    /// A maker's fill comes as status `open` with type `match`, a taker's as `match` with `match`. Sizes are
    /// lots; `size = filled + remaining + canceled`.
    pub struct OrderUpdate<'a> {
        /// The contract.
        symbol: Symbol = "symbol";
        /// Limit or market; absent in some.
        order_type: Option<OrderType> = "orderType";
        /// Which side it is on.
        side: OrderSide = "side";
        /// What was canceled of it.
        canceled_size: Option<Lots> = "canceledSize";
        /// The exchange's name for it.
        order_id: Text<'a> = "orderId";
        /// Which position it is for; sent since 2025.
        position_side: Option<PositionSide> = "positionSide";
        /// Whether this fill made or took; of a fill only.
        liquidity: Option<Liquidity> = "liquidity";
        /// Isolated or cross; sent since 2024.
        margin_mode: Option<MarginMode> = "marginMode";
        /// What happened.
        change: OrderChange = "type";
        /// Which fee this fill costs; of a fill only.
        fee_type: Option<FeeType> = "feeType";
        /// When it was placed; nanoseconds in every capture, milliseconds in the documentation.
        order_time: Option<UnixNanos> = "orderTime" by Either;
        /// What was ordered.
        size: Option<Lots> = "size";
        /// What was filled of it so far.
        filled_size: Option<Lots> = "filledSize";
        /// Its limit; none or zero for a market order.
        price: Option<Price> = "price";
        /// Of this fill; of a fill only.
        match_price: Option<Price> = "matchPrice";
        /// Of this fill; of a fill only.
        match_size: Option<Lots> = "matchSize";
        /// What still rests.
        remain_size: Option<Lots> = "remainSize";
        /// The fill's name, the same as in `execution`; of a fill only.
        trade_id: Option<Text<'a>> = "tradeId";
        /// The user's name for it.
        client_oid: Option<Text<'a>> = "clientOid";
        /// Whether it is a trade or was forced.
        trade_type: Option<TradeType> = "tradeType";
        /// What it is now.
        status: OrderStatus = "status";
        /// What it was before; of an update only. (One documentation has a blank behind the name.)
        old_size: Option<Lots> = "oldSize" | "oldSize ";
        /// All that was canceled of it; sent since 2026.
        all_canceled_size: Option<Lots> = "allCanceledSize";
        /// When, from nanoseconds. One that cannot be read is none.
        ts_event: Option<UnixNanos> = "ts" by Nanos;
    }
}

object! {
    /// Something has happened to an order that waits for a price. Subject `stopOrder`.
    pub struct StopOrderUpdate<'a> {
        /// When it was made, from milliseconds.
        created_at: Option<UnixNanos> = "createdAt" by Millis;
        /// Isolated or cross.
        margin_mode: Option<MarginMode> = "marginMode";
        /// The exchange's name for it.
        order_id: Text<'a> = "orderId";
        /// The limit of the order that it becomes; none for a market order.
        order_price: Option<Price> = "orderPrice";
        /// Which side it is on.
        side: OrderSide = "side";
        /// What it is for, lots.
        size: Option<Lots> = "size";
        /// Whether it waits for the price to rise or to fall.
        stop: Option<StopDirection> = "stop";
        /// The price that it waits for.
        stop_price: Option<Price> = "stopPrice";
        /// Which price it looks at.
        stop_price_type: Option<StopPriceType> = "stopPriceType";
        /// The contract.
        symbol: Symbol = "symbol";
        /// When, from nanoseconds. One that cannot be read is none.
        ts_event: Option<UnixNanos> = "ts" by Nanos;
        /// What happened.
        change: StopOrderChange = "type";
        /// Which position it is for.
        position_side: Option<PositionSide> = "positionSide";
        /// Whether the order that it became was taken; once it was triggered.
        trigger_success: Option<bool> = "triggerSuccess";
        /// Why that was not taken.
        error: Option<Text<'a>> = "error";
    }
}

words! {
    /// The side of an order.
    pub enum OrderSide {
        /// It buys.
        Buy = "buy",
        /// It sells.
        Sell = "sell",
    }
}

words! {
    /// What kind of order it is.
    pub enum OrderType {
        /// At its price or better.
        Limit = "limit",
        /// At any price.
        Market = "market",
        /// Once a price is reached.
        Stop = "stop",
    }
}

words! {
    /// What happened to an order (`type`).
    pub enum OrderChange {
        /// It rests in the book.
        Open = "open",
        /// A part of it, or all, was filled.
        Match = "match",
        /// It was filled, and is over.
        Filled = "filled",
        /// What was left of it was canceled, and it is over.
        Canceled = "canceled",
        /// Its size was changed.
        Update = "update",
    }
}

words! {
    /// What an order is now (`status`).
    pub enum OrderStatus {
        /// It rests in the book.
        Open = "open",
        /// It takes what rests.
        Match = "match",
        /// It is over.
        Done = "done",
    }
}

words! {
    /// What happened to a stop order (`type`).
    pub enum StopOrderChange {
        /// It waits.
        Open = "open",
        /// Its price was reached.
        Triggered = "triggered",
        /// It was canceled.
        Canceled = "cancel" | "canceled",
    }
}

words! {
    /// Whether a fill made or took.
    pub enum Liquidity {
        /// It rested, and was taken.
        Maker = "maker",
        /// It took.
        Taker = "taker",
    }
}

words! {
    /// Which fee a fill costs.
    pub enum FeeType {
        /// The maker's.
        Maker = "makerFee",
        /// The taker's.
        Taker = "takerFee",
    }
}

words! {
    /// Why there was a trade.
    pub enum TradeType {
        /// It was ordered.
        Trade = "trade",
        /// A position was liquidated.
        Liquidation = "liquid" | "liquidation",
        /// A position was reduced to cover another's loss.
        AutoDeleveraging = "adl",
        /// A contract was settled.
        Settlement = "settlement",
    }
}

words! {
    /// Whether a position has a margin of its own.
    pub enum MarginMode {
        /// It shares the account's.
        Cross = "CROSS",
        /// It has its own.
        Isolated = "ISOLATED",
    }
}

words! {
    /// Which of the positions of a contract.
    pub enum PositionSide {
        /// The only one: of an account that does not hold both.
        Both = "BOTH",
        /// The long one.
        Long = "LONG",
        /// The short one.
        Short = "SHORT",
    }
}

words! {
    /// Whether a stop order waits for its price to rise or to fall.
    pub enum StopDirection {
        /// At or above.
        Up = "up",
        /// At or below.
        Down = "down",
    }
}

words! {
    /// Which price a stop order looks at.
    pub enum StopPriceType {
        /// Of the last trade.
        Trade = "TP",
        /// The mark price.
        Mark = "MP",
        /// The index price.
        Index = "IP",
    }
}

impl OrderUpdate<'_> {
    /// Whether the order is over.
    #[must_use]
    pub const fn is_over(&self) -> bool {
        matches!(self.status, OrderStatus::Done)
    }

    /// Price and size of this fill; `None` if it is none.
    #[must_use]
    pub fn fill(&self) -> Option<(Decimal, Lots)> {
        let is_fill = self.change == OrderChange::Match;
        Some((self.match_price.filter(|_| is_fill)?.into(), self.match_size?))
    }
}
