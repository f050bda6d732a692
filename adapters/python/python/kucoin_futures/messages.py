"""What streams say, of the kinds that come seldom: one frozen dataclass for each.

Prices and amounts are exact: ``Decimal``, made from what the exchange wrote. Sizes are lots.
``None`` is what was not said.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal



@dataclass(frozen=True, slots=True)
class OrderUpdate:
    """Something has happened to an order. Subjects ``orderChange`` and ``symbolOrderChange``.  A
    maker's fill comes as status ``open`` with type ``match``, a taker's as ``match`` with
    ``match``. Sizes are lots; ``size = filled + remaining + canceled``."""

    symbol: str
    """The contract."""
    order_type: str | None
    """Limit or market; absent in some."""
    side: str
    """Which side it is on."""
    canceled_size: int | None
    """What was canceled of it."""
    order_id: str
    """The exchange's name for it."""
    position_side: str | None
    """Which position it is for; sent since 2025."""
    liquidity: str | None
    """Whether this fill made or took; of a fill only."""
    margin_mode: str | None
    """Isolated or cross; sent since 2024."""
    change: str
    """What happened."""
    fee_type: str | None
    """Which fee this fill costs; of a fill only."""
    order_time_ns: int | None
    """When it was placed; nanoseconds in every capture, milliseconds in the documentation;
    nanoseconds since 1970."""
    size: int | None
    """What was ordered."""
    filled_size: int | None
    """What was filled of it so far."""
    price: Decimal | None
    """Its limit; none or zero for a market order."""
    match_price: Decimal | None
    """Of this fill; of a fill only."""
    match_size: int | None
    """Of this fill; of a fill only."""
    remain_size: int | None
    """What still rests."""
    trade_id: str | None
    """The fill's name, the same as in ``execution``; of a fill only."""
    client_oid: str | None
    """The user's name for it."""
    trade_type: str | None
    """Whether it is a trade or was forced."""
    status: str
    """What it is now."""
    old_size: int | None
    """What it was before; of an update only. (One documentation has a blank behind the name.)"""
    all_canceled_size: int | None
    """All that was canceled of it; sent since 2026."""
    ts_ns: int | None
    """When, from nanoseconds. One that cannot be read is none; nanoseconds since 1970."""


@dataclass(frozen=True, slots=True)
class StopOrderUpdate:
    """Something has happened to an order that waits for a price. Subject ``stopOrder``."""

    created_at_ns: int | None
    """When it was made, from milliseconds; nanoseconds since 1970."""
    margin_mode: str | None
    """Isolated or cross."""
    order_id: str
    """The exchange's name for it."""
    order_price: Decimal | None
    """The limit of the order that it becomes; none for a market order."""
    side: str
    """Which side it is on."""
    size: int | None
    """What it is for, lots."""
    stop: str | None
    """Whether it waits for the price to rise or to fall."""
    stop_price: Decimal | None
    """The price that it waits for."""
    stop_price_type: str | None
    """Which price it looks at."""
    symbol: str
    """The contract."""
    ts_ns: int | None
    """When, from nanoseconds. One that cannot be read is none; nanoseconds since 1970."""
    change: str
    """What happened."""
    position_side: str | None
    """Which position it is for."""
    trigger_success: bool | None
    """Whether the order that it became was taken; once it was triggered."""
    error: str | None
    """Why that was not taken."""


@dataclass(frozen=True, slots=True)
class WalletUpdate:
    """The balance of one currency, whole. Subject ``walletBalance.change``. Amounts are of that
    currency."""

    cross_pos_margin: Decimal | None
    """Margin of the cross positions."""
    isolated_order_margin: Decimal | None
    """Margin of the orders of isolated contracts."""
    hold_balance: Decimal | None
    """Held for withdrawals and transfers."""
    equity: Decimal | None
    """Wallet balance and unrealised profit."""
    version: int | None
    """Rises with each change of the balance."""
    available_balance: Decimal
    """What new orders may use."""
    isolated_pos_margin: Decimal | None
    """Margin of the isolated positions."""
    max_withdraw_amount: Decimal | None
    """What may be withdrawn; sent since 2025."""
    wallet_balance: Decimal | None
    """Deposits and realised profit."""
    isolated_funding_fee_margin: Decimal | None
    """Funding fees of isolated positions, from their margin."""
    cross_unrealised_pnl: Decimal | None
    """Unrealised profit of the cross positions."""
    total_cross_margin: Decimal | None
    """What the cross positions are held by together."""
    currency: str
    """Which currency."""
    isolated_unrealised_pnl: Decimal | None
    """Unrealised profit of the isolated positions."""
    cross_order_margin: Decimal | None
    """Margin of the orders of cross contracts."""
    ts_ns: int | None
    """When, from milliseconds. One that cannot be read is none; nanoseconds since 1970."""


@dataclass(frozen=True, slots=True)
class BalanceUpdate:
    """One part of a balance. Subjects ``orderMargin.change``, ``availableBalance.change`` and
    ``withdrawHold.change``: deprecated, and sent no more once an account was switched to cross
    margin.  Which part, its fields say: one of the three is there, with ``hold_balance`` beside
    the second."""

    order_margin: Decimal | None
    """Margin of the orders."""
    available_balance: Decimal | None
    """What new orders may use."""
    hold_balance: Decimal | None
    """Held in all."""
    withdraw_hold: Decimal | None
    """Held for withdrawals."""
    currency: str
    """Which currency."""
    ts_ns: int | None
    """When, from milliseconds. One that cannot be read is none; nanoseconds since 1970."""


@dataclass(frozen=True, slots=True)
class PositionUpdate:
    """A position has changed, or is valued anew. Subject ``position.change``.  Amounts are of the
    settlement currency unless another unit stands there. A message about the mark price alone has
    about ten of the fields, and says no symbol: it is that of the topic. What is absent has not
    changed."""

    symbol: str | None
    """The contract; of the topic, if the message does not say."""
    maint_margin_req: Decimal | None
    """Maintenance margin as part of the value."""
    risk_limit: Decimal | None
    """Largest value that this leverage allows; isolated only."""
    real_leverage: Decimal | None
    """Value by margin; isolated only."""
    cross_mode: bool | None
    """Whether the margin is the account's."""
    deleverage_percentage: Decimal | None
    """Place in the queue for auto-deleveraging: ``0.1`` is the first tenth."""
    opening_time_ns: int | None
    """When it was opened, from milliseconds; nanoseconds since 1970."""
    auto_deposit: bool | None
    """Whether margin is added by itself before it is liquidated."""
    ts_ns: int | None
    """When, from milliseconds. One that cannot be read is none; nanoseconds since 1970."""
    current_qty: int | None
    """Its size in lots; negative if it is short, zero if it is closed."""
    current_cost: Decimal | None
    """What it has cost since it was opened."""
    current_comm: Decimal | None
    """Fees since it was opened."""
    unrealised_cost: Decimal | None
    """Value of what is open at its entry price."""
    realised_cost: Decimal | None
    """Cost of what was closed, fees included."""
    is_open: bool | None
    """Whether there is a position."""
    mark_price: Decimal | None
    """What it is valued by; quote currency."""
    mark_value: Decimal | None
    """Its value at the mark price."""
    pos_cost: Decimal | None
    """Its value at the entry price."""
    pos_cross: Decimal | None
    """Margin that was added by hand; isolated only."""
    pos_init: Decimal | None
    """Initial margin."""
    pos_comm: Decimal | None
    """Fee to come of bankruptcy; isolated only."""
    pos_loss: Decimal | None
    """Funding that was paid out of its margin; isolated only."""
    pos_margin: Decimal | None
    """Margin; isolated only."""
    pos_funding: Decimal | None
    """Funding to be settled; isolated only."""
    pos_maint: Decimal | None
    """Maintenance margin."""
    maint_margin: Decimal | None
    """Margin with unrealised profit; isolated only. (REST has a rate under this name.)"""
    avg_entry_price: Decimal | None
    """Average price of entry; quote currency."""
    liquidation_price: Decimal | None
    """Where it is liquidated; quote currency."""
    bankrupt_price: Decimal | None
    """Where its margin is gone; quote currency."""
    settle_currency: str | None
    """In which currency it is settled."""
    change_reason: str | None
    """Why this is said."""
    risk_limit_level: int | None
    """Step of the risk limit; isolated only."""
    realised_gross_cost: Decimal | None
    """Cost of what was closed, without fees."""
    realised_gross_pnl: Decimal | None
    """Profit of what was closed, without fees."""
    realised_pnl: Decimal | None
    """Profit of what was closed, less fees and funding."""
    unrealised_pnl: Decimal | None
    """Profit of what is open, at the mark price."""
    unrealised_pnl_ratio: Decimal | None
    """The same as part of the entry value: ``0.01`` is 1 %."""
    unrealised_roe_ratio: Decimal | None
    """The same as part of the initial margin."""
    leverage: Decimal | None
    """Value by margin."""
    margin_mode: str | None
    """Isolated or cross."""
    position_side: str | None
    """Which of the contract's positions."""
    tax: Decimal | None
    """Tax."""
    deal_comm: Decimal | None
    """Fee of this change."""
    funding_fee: Decimal | None
    """Funding since it was opened."""
    agg_rate: Decimal | None
    """Undocumented."""


@dataclass(frozen=True, slots=True)
class PositionSettlement:
    """Funding was charged on a position. Subject ``position.settlement``."""

    symbol: str | None
    """The contract: of the topic, the message does not say."""
    mark_price: Decimal
    """What the position was valued by; quote currency."""
    qty: int
    """The position, lots; negative if it was short."""
    position_side: str | None
    """Which of the contract's positions; sent since 2026."""
    margin_mode: str | None
    """Isolated or cross; sent since 2026."""
    settle_currency: str | None
    """In which currency it was charged."""
    funding_time_ns: int | None
    """Which settlement, from milliseconds. One that cannot be read is none; nanoseconds since
    1970."""
    funding_rate: Decimal
    """Part of the value; longs pay it if positive."""
    funding_fee: Decimal
    """What was charged; negative if it was paid out of the account."""
    ts_ns: int | None
    """When, from nanoseconds. One that cannot be read is none; nanoseconds since 1970."""


@dataclass(frozen=True, slots=True)
class RiskLimitUpdate:
    """The answer to a change of a position's risk limit. Subject ``position.adjustRiskLimit``."""

    symbol: str | None
    """The contract: of the topic, if that says one."""
    msg: str | None
    """Why it failed."""
    success: bool
    """Whether it was changed."""
    risk_limit_level: int | None
    """The step that was asked for."""


@dataclass(frozen=True, slots=True)
class MarkPrice:
    """Mark and index price of a contract; once a second. Subject ``mark.index.price``.  On a
    quiet contract the mark price equals the last trade for minutes: that they are equal says
    nothing of how fresh either is."""

    symbol: str | None
    """The contract: of the topic, the message does not say."""
    mark_price: Decimal
    """What positions are valued and liquidated by; quote currency."""
    index_price: Decimal
    """What the mark price leans on: the price elsewhere; quote currency."""
    interval_ms: int | None
    """From one to the next: 1 s (``granularity``, from milliseconds); milliseconds."""
    ts_ns: int | None
    """When, from milliseconds. One that cannot be read is none; nanoseconds since 1970."""


@dataclass(frozen=True, slots=True)
class FundingRate:
    """A funding rate of a contract. Subject ``funding.rate``.  With an interval of a minute it is
    the running estimate, which is *not* the rate that will be charged; with the contract's own
    interval (8, 4 or 1 h) it is the settled one."""

    symbol: str | None
    """The contract: of the topic, the message does not say."""
    funding_rate: Decimal
    """Part of a position's value that longs pay shorts for one funding interval: ``0.0001`` is
    0.01 %."""
    interval_ms: int | None
    """From one such message to the next (``granularity``, from milliseconds): 60 s for the
    estimate; milliseconds."""
    period: int | None
    """Undocumented; 1 in every capture of 2025 and later."""
    ts_ns: int | None
    """When, from milliseconds. One that cannot be read is none; nanoseconds since 1970."""


@dataclass(frozen=True, slots=True)
class FundingBegin:
    """A settlement of funding begins: subject ``funding.begin``."""

    symbol: str | None
    """The contract."""
    funding_time_ns: int | None
    """The settlement: when it was due, from milliseconds. One that cannot be read is none;
    nanoseconds since 1970."""
    funding_rate: Decimal
    """What is charged: part of a position's value, paid by longs if positive."""
    ts_ns: int | None
    """When this was said, from milliseconds. One that cannot be read is none; nanoseconds since
    1970."""


@dataclass(frozen=True, slots=True)
class FundingEnd:
    """A settlement of funding has ended: subject ``funding.end``."""

    symbol: str | None
    """The contract."""
    funding_time_ns: int | None
    """The settlement: when it was due, from milliseconds. One that cannot be read is none;
    nanoseconds since 1970."""
    funding_rate: Decimal
    """What is charged: part of a position's value, paid by longs if positive."""
    ts_ns: int | None
    """When this was said, from milliseconds. One that cannot be read is none; nanoseconds since
    1970."""


@dataclass(frozen=True, slots=True)
class Stats24h:
    """Figures of a contract over the last 24 h; every 5 s. Subject ``snapshot.24h``."""

    high_price: Decimal | None
    """Highest price traded."""
    last_price: Decimal | None
    """Of the last trade."""
    low_price: Decimal | None
    """Lowest price traded."""
    price_24h_before: Decimal | None
    """Of the last trade before the 24 h."""
    price_change: Decimal | None
    """Last price less that one."""
    price_change_ratio: Decimal | None
    """The same as part of the price before: ``0.01`` is 1 %."""
    symbol: str | None
    """The contract."""
    ts_ns: int | None
    """When, from nanoseconds. One that cannot be read is none; nanoseconds since 1970."""
    turnover: Decimal | None
    """Value traded: quote currency; of inverse contracts coins."""
    volume: Decimal | None
    """Size traded: *base coins and not lots*; of inverse contracts lots, which are USD."""
    funding_rate: Decimal | None
    """The current funding rate; sent since 2026."""


@dataclass(frozen=True, slots=True)
class Candle:
    """A candle as it stands; pushed each second in which something was traded. Subject
    ``candle.stick``.  There is no closed flag: the last push of an interval is its final state.
    The order of the array is that of the stream, which is not that of REST; turnover and lots
    stand in the order that was measured against REST in 2026, and not in the one that the
    documentation names."""

    symbol: str
    """The contract."""
    interval: str | None
    """How long it is; ``None`` if read without its topic."""
    start_ns: int
    """When it begins, from seconds; nanoseconds since 1970."""
    open: Decimal
    """First price."""
    close: Decimal
    """Last price."""
    high: Decimal
    """Highest price."""
    low: Decimal
    """Lowest price."""
    turnover: Decimal
    """Value traded, quote currency; of inverse contracts coins."""
    volume: int
    """Size traded, lots."""
    ts_ns: int | None
    """When it was said, from milliseconds. One that cannot be read is none; nanoseconds since
    1970."""


@dataclass(frozen=True, slots=True)
class MarginModes:
    """Margin modes that were switched."""

    modes: dict[str, str]
    """``"CROSS"`` or ``"ISOLATED"``, by symbol."""


@dataclass(frozen=True, slots=True)
class CrossLeverages:
    """Leverages that were changed, of contracts with cross margin."""

    leverages: dict[str, Decimal]
    """By symbol."""


@dataclass(frozen=True, slots=True)
class UnknownMessage:
    """A message of a topic that is wanted, about something that this version does not know."""

    topic: str
    """What it came under."""
    subject: str | None
    """What it says that it is about."""
    data: str
    """Its ``data``: JSON, as it stands."""
