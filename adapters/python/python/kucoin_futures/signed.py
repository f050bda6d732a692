"""What queries about an account are answered with.

Prices and amounts are exact: ``Decimal``, made from what the exchange wrote. Sizes are lots.
``None`` is what was not said.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Generic, TypeVar

Row = TypeVar("Row")


@dataclass(frozen=True, slots=True)
class Order:
    """An order: a row of ``GET /api/v1/orders`` and of ``GET /api/v1/stopOrders``.  Prices are in
    quote currency, sizes in lots, values in settle currency."""

    id: str
    """The exchange's name for it."""
    symbol: str
    """The contract."""
    kind: str | None
    """``limit`` or ``market``."""
    side: str
    """Which side of the book it is of: ``Bid`` buys."""
    price: Decimal | None
    """``None`` for a market order."""
    size: int
    """Its whole size."""
    value: Decimal | None
    """Price times size."""
    filled_value: Decimal | None
    """The value of what was filled."""
    filled_size: int | None
    """What was filled."""
    self_trade_prevention: str | None
    """Self-trade prevention: ``CN``, ``CO`` or ``CB``."""
    stop: str | None
    """``up`` or ``down``: on which side of ``stop_price`` it is triggered. ``None`` if it is no
    stop order."""
    stop_price_kind: str | None
    """What is held against ``stop_price``: ``TP`` the last trade, ``MP`` the mark, ``IP`` the
    index."""
    stop_triggered: bool | None
    """Whether it was triggered."""
    stop_price: Decimal | None
    """The price that triggers it."""
    time_in_force: str | None
    """``GTC``, ``IOC`` or ``RPI``."""
    post_only: bool | None
    """Whether it is refused rather than take."""
    hidden: bool | None
    """Whether the book does not show it."""
    iceberg: bool | None
    """Whether the book shows only ``visible_size`` of it."""
    leverage: Decimal | None
    """Of its position; ``None`` or one number for cross margin."""
    force_hold: bool | None
    """Whether margin is held for it though it reduces a position."""
    close_order: bool | None
    """Whether it closes a position."""
    visible_size: int | None
    """What the book shows of it."""
    client_id: str | None
    """The caller's own name for it."""
    remark: str | None
    """The caller's remark."""
    is_active: bool | None
    """Whether it can still be filled."""
    cancel_exists: bool | None
    """Whether a part of it was cancelled."""
    created_ns: int | None
    """When it was made; from milliseconds; nanoseconds since 1970."""
    updated_ns: int | None
    """When it last changed; from milliseconds; nanoseconds since 1970."""
    ended_ns: int | None
    """When it ended; from milliseconds; nanoseconds since 1970."""
    placed_ns: int | None
    """When it was placed; from nanoseconds; nanoseconds since 1970."""
    settle_currency: str | None
    """What values are in."""
    margin_mode: str | None
    """``CROSS`` or ``ISOLATED``."""
    mean_price: Decimal | None
    """Mean price of what was filled; ``None`` or zero if nothing was."""
    position_side: str | None
    """``BOTH``, ``LONG`` or ``SHORT``."""
    status: str | None
    """``open`` or ``done``."""
    reduce_only: bool | None
    """Whether it may only reduce a position."""


@dataclass(frozen=True, slots=True)
class Fill:
    """A fill: a row of ``GET /api/v1/recentFills`` and of ``GET /api/v1/fills``.  Prices are in
    quote currency, sizes in lots, values in settle currency, fees in ``fee_currency``."""

    symbol: str
    """The contract."""
    trade_id: str
    """The exchange's name for the trade."""
    order_id: str
    """The order that was filled."""
    side: str
    """Which side of the book the order was of: ``Bid`` bought."""
    liquidity: str | None
    """``taker`` or ``maker``."""
    forced_taker: bool | None
    """Whether the order had to take."""
    price: Decimal
    """Of the trade."""
    size: int
    """Lots filled."""
    value: Decimal | None
    """Price times size."""
    open_fee: Decimal | None
    """Fee for what was opened."""
    close_fee: Decimal | None
    """Fee for what was closed."""
    stop: str | None
    """``up`` or ``down`` if the order was a stop order."""
    fee_rate: Decimal | None
    """The fee as a fraction of the value."""
    fixed_fee: Decimal | None
    """Deprecated."""
    fee_currency: str | None
    """What fees are in."""
    traded_ns: int | None
    """When the trade was; from nanoseconds; nanoseconds since 1970."""
    sub_trade_kind: str | None
    """What kind of trade within ``trade_kind``; null on every fill seen."""
    margin_mode: str | None
    """``CROSS`` or ``ISOLATED``."""
    open_fee_tax: Decimal | None
    """Tax on the fee for what was opened."""
    close_fee_tax: Decimal | None
    """Tax on the fee for what was closed."""
    position_side: str | None
    """``BOTH``, ``LONG`` or ``SHORT``."""
    settle_currency: str | None
    """What values are in."""
    display_kind: str | None
    """The order's kind as it is shown to people."""
    fee: Decimal | None
    """The whole fee; below zero for a rebate."""
    order_kind: str | None
    """``limit`` or ``market``."""
    trade_kind: str | None
    """``trade``, ``liquid``, ``adl`` or ``settlement``."""
    created_ns: int | None
    """When the fill was written down; from milliseconds; nanoseconds since 1970."""


@dataclass(frozen=True, slots=True)
class OpenPosition:
    """A position: a row of ``GET /api/v1/positions`` and of ``GET /api/v2/position``, which
    writes its numbers as strings.  Prices are in quote currency; costs, margins, profit and fees
    in settle currency; rates are fractions of one."""

    id: str | None
    """The exchange's name for it."""
    symbol: str
    """The contract."""
    auto_deposit: bool | None
    """Whether margin is added by itself."""
    is_cross: bool | None
    """Whether its margin is cross."""
    maintenance_margin_rate: Decimal | None
    """Maintenance margin, as a rate."""
    risk_limit: Decimal | None
    """Largest position, in settle currency."""
    real_leverage: Decimal | None
    """Its value over its margin."""
    deleverage_rank: Decimal | None
    """Place in the queue for auto-deleveraging: a fraction of one, 1 is next."""
    opened_ns: int | None
    """When it was opened; from milliseconds; nanoseconds since 1970."""
    time_ns: int | None
    """When this was so; from milliseconds; nanoseconds since 1970."""
    quantity: int
    """Lots held; below zero when short."""
    current_cost: Decimal | None
    """Value at entry, of what is held; below zero when short."""
    current_fees: Decimal | None
    """Fees so far."""
    unrealised_cost: Decimal | None
    """Value at entry of what is not closed."""
    realised_gross_cost: Decimal | None
    """Value at entry of what was closed, less that at its exit."""
    realised_cost: Decimal | None
    """The same with fees."""
    is_open: bool | None
    """Whether there is one."""
    mark_price: Decimal | None
    """What it is valued at."""
    mark_value: Decimal | None
    """Its value at that price; below zero when short."""
    position_cost: Decimal | None
    """Its value at entry."""
    added_margin: Decimal | None
    """Margin added by hand."""
    initial_margin: Decimal | None
    """Margin at entry."""
    fee_margin: Decimal | None
    """Margin kept for fees."""
    margin_loss: Decimal | None
    """Loss that was taken out of its margin."""
    margin: Decimal | None
    """Margin now."""
    margin_funding: Decimal | None
    """Funding that was taken out of its margin."""
    maintenance_margin: Decimal | None
    """Margin it must keep."""
    margin_balance: Decimal | None
    """Margin with profit and loss."""
    realised_gross_profit: Decimal | None
    """Profit of what was closed, without fees."""
    realised_profit: Decimal | None
    """The same with fees and funding."""
    unrealised_profit: Decimal | None
    """Profit of what is held, at the mark price."""
    unrealised_profit_rate: Decimal | None
    """The same over its value at entry, as a rate."""
    unrealised_return: Decimal | None
    """The same over its margin at entry, as a rate."""
    entry_price: Decimal | None
    """Mean price of entry."""
    liquidation_price: Decimal | None
    """Where it would be liquidated."""
    bankrupt_price: Decimal | None
    """Where its margin would be used up."""
    settle_currency: str | None
    """What costs, margins and profit are in."""
    is_inverse: bool | None
    """Whether its contract is inverse."""
    maintenance_rate: Decimal | None
    """The same as ``maintenance_margin_rate``, for accounts of the older kind."""
    margin_mode: str | None
    """``CROSS`` or ``ISOLATED``."""
    position_side: str | None
    """``BOTH``, ``LONG`` or ``SHORT``."""
    leverage: Decimal | None
    """As it was chosen."""
    trade_fees: Decimal | None
    """Fees so far; ``/api/v1/positions`` says so."""
    funding_fees: Decimal | None
    """Funding so far; ``/api/v1/positions`` says so."""
    tax: Decimal | None
    """Tax so far; ``/api/v1/positions`` says so."""
    cumulative_trade_fees: Decimal | None
    """Fees so far; ``/api/v2/position`` says so."""
    cumulative_funding_fees: Decimal | None
    """Funding so far; ``/api/v2/position`` says so."""
    cumulative_tax: Decimal | None
    """Tax so far; ``/api/v2/position`` says so."""
    withdrawn_profit: Decimal | None
    """Profit that was taken out."""
    risk_limit_level: int | None
    """Step of its risk limit, from 1."""


@dataclass(frozen=True, slots=True)
class AccountOverview:
    """What an account has in one currency: ``GET /api/v1/account-overview``. All amounts are in
    it."""

    equity: Decimal
    """Balance and unrealised profit."""
    unrealised_profit: Decimal | None
    """Profit of all open positions, at their mark prices."""
    margin_balance: Decimal | None
    """Balance without it."""
    position_margin: Decimal | None
    """Margin of positions."""
    order_margin: Decimal | None
    """Margin of orders."""
    frozen: Decimal | None
    """Held for withdrawals and transfers."""
    available: Decimal | None
    """Can be used."""
    currency: str
    """The currency."""
    risk_ratio: Decimal | None
    """Of the positions with cross margin: maintenance margin over margin; at 1 they are
    liquidated."""
    max_withdrawal: Decimal | None
    """Can be taken out."""
    available_margin: Decimal | None
    """Can be used as margin."""


@dataclass(frozen=True, slots=True)
class Page(Generic[Row]):
    """A page of a list."""

    rows: list[Row]
    """What is on it."""
    number: int | None
    """Which one it is, from 1."""
    size: int | None
    """Most rows of a page."""
    total_rows: int | None
    """Rows of all pages."""
    total_pages: int | None
    """How many pages there are."""
