"""What a followed account has, and what a feed has counted.

Prices and amounts are exact: ``Decimal``, made from what the exchange wrote. Sizes are lots.
``None`` is what was not said.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal



@dataclass(frozen=True, slots=True)
class Balance:
    """What there is of a currency. Amounts are of that currency."""

    currency: str
    """Which."""
    equity: Decimal | None
    """Wallet balance and unrealised profit."""
    wallet_balance: Decimal | None
    """Deposits and realised profit."""
    available: Decimal | None
    """What new orders may use."""
    hold: Decimal | None
    """Held for withdrawals and transfers."""
    version: int | None
    """Rises with each change; ``None`` until the stream has said one."""
    ts_ns: int | None
    """When the exchange said so, from milliseconds; ``None`` if REST did, which says no time;
    nanoseconds since 1970."""


@dataclass(frozen=True, slots=True)
class Position:
    """A position that is open."""

    symbol: str
    """The contract."""
    side: str
    """Which of its positions."""
    qty: int
    """Its size in lots; negative if it is short."""
    avg_entry_price: Decimal | None
    """Average price of entry."""
    mark_price: Decimal | None
    """What it is valued by, as last said."""
    mark_value: Decimal | None
    """Its value at the mark price."""
    cost: Decimal | None
    """Its value at the entry price."""
    margin: Decimal | None
    """Its margin; isolated only."""
    unrealised_pnl: Decimal | None
    """Profit of what is open, at the mark price."""
    realised_pnl: Decimal | None
    """Profit of what was closed, less fees and funding."""
    liquidation_price: Decimal | None
    """Where it is liquidated."""
    leverage: Decimal | None
    """Value by margin."""
    margin_mode: str | None
    """Isolated or cross."""
    ts_ns: int | None
    """When the exchange last said so, from milliseconds; nanoseconds since 1970."""


@dataclass(frozen=True, slots=True)
class OpenOrder:
    """An order that rests in the book, or is about to."""

    id: str
    """The exchange's name for it."""
    client_oid: str | None
    """The user's name for it."""
    symbol: str
    """The contract."""
    side: str
    """Which side it is on."""
    order_type: str | None
    """Limit or market."""
    price: Decimal | None
    """Its limit; ``None`` for a market order."""
    size: int
    """What was ordered."""
    filled: int
    """What was filled of it."""
    remaining: int | None
    """What still rests. ``None``: a part of it was canceled before the stream was heard, and REST
    does not say how much; the next word of the stream will."""
    status: str
    """What it is now."""
    ts_ns: int | None
    """When the exchange last said so: of the stream from nanoseconds, of REST from milliseconds;
    nanoseconds since 1970."""


@dataclass(frozen=True, slots=True)
class StopOrder:
    """An order that waits for a price. It is in no book until then."""

    id: str
    """The exchange's name for it; the order that it becomes has the same."""
    client_oid: str | None
    """The user's name for it. ``None``, too, if only the stream has told of it, which does not
    say."""
    symbol: str
    """The contract."""
    side: str
    """Which side it is on."""
    price: Decimal | None
    """The limit of the order that it becomes; ``None`` for a market order."""
    size: int | None
    """What it is for, lots; ``None`` or zero if it closes a position."""
    stop: str | None
    """Whether it waits for the price to rise or to fall."""
    stop_price: Decimal | None
    """The price that it waits for."""
    stop_price_type: str | None
    """Which price it looks at."""
    margin_mode: str | None
    """Isolated or cross."""
    position_side: str | None
    """Which position it is for."""
    ts_ns: int | None
    """When the exchange last said so: of the stream from nanoseconds, of REST from milliseconds;
    nanoseconds since 1970."""


@dataclass(frozen=True, slots=True)
class AccountFill:
    """A fill of an order of the account's."""

    trade_id: str
    """The trade's name, the same as in ``execution``."""
    order_id: str
    """The order that was filled."""
    symbol: str
    """The contract."""
    side: str
    """Which side the order is on."""
    price: Decimal
    """Of the trade."""
    size: int
    """Lots filled."""
    liquidity: str | None
    """Whether the order made or took."""
    ts_ns: int | None
    """When, from nanoseconds; nanoseconds since 1970."""


@dataclass(frozen=True, slots=True)
class Stats:
    """What a client has seen and done since it was made."""

    messages: int
    """Text messages received, of any kind. The sum of all rows marked *one of ``messages``*."""
    deltas: int
    """Deltas applied to a live book as they came. *One of ``messages``.*"""
    buffered: int
    """Deltas kept for a book that waits for its snapshot. *One of ``messages``.*"""
    repeats: int
    """Frames of a topic that had been seen before. *One of ``messages``.*"""
    covered: int
    """Deltas that the snapshot contained already. *One of ``messages``.*"""
    poisoned: int
    """Deltas that could not be decoded. *One of ``messages``.*"""
    pushes: int
    """Messages handed out as a ``Push``. *One of ``messages``.*"""
    control: int
    """Welcomes, pongs and acks that were expected. *One of ``messages``.*"""
    unsolicited: int
    """Welcomes, pongs and acks that nothing was waiting for. *One of ``messages``.*"""
    errors: int
    """Error frames. *One of ``messages``.*"""
    unwanted: int
    """Messages of a topic that nobody wants (any more). *One of ``messages``.*"""
    unknown: int
    """Frames of a type that is not known. *One of ``messages``.*"""
    malformed: int
    """Text that is not a frame. *One of ``messages``.*"""
    stale: int
    """Text messages of connections that are gone. *One of ``messages``.*"""
    binary: int
    """Binary messages."""
    stale_inputs: int
    """Inputs other than text for connections or requests that are gone."""
    clock_backwards: int
    """Times the caller's clock went backwards."""
    gaps: int
    """Missing runs of deltas."""
    resyncs: int
    """Times a live book was lost for another reason than unsubscribing or closing."""
    reconnects: int
    """Connections that were ready and ended, other than by closing or being replaced."""
    change_overs: int
    """Lines that took the place of others."""
    tokens: int
    """Tokens received."""
    unauthorized: int
    """Tokens that the server refused."""
    snapshots: int
    """Snapshots received and usable."""
    snapshots_too_old: int
    """Snapshots that were too old."""
    audits: int
    """Live books that were held against a snapshot, because their stream had fallen silent."""
    failed_fetches: int
    """REST requests that failed."""
    pings: int
    """Pings sent."""
    pongs: int
    """Pongs that answered one."""
    odd_times: int
    """Times that cannot be read, and count as absent."""
    lagged: int
    """Deltas that were not reported because outputs were not drained."""


@dataclass(frozen=True, slots=True)
class Account:
    """What an account has, while that is known: see ``Feed.account``."""

    is_live: bool
    """Whether it is the exchange's. If not, everything else is empty."""
    epoch: int | None
    """This run of it: one more after each loss."""
    balances: list[Balance]
    """By currency."""
    positions: list[Position]
    """Those that are open."""
    orders: list[OpenOrder]
    """Those that rest."""
    stop_orders: list[StopOrder]
    """Those that wait for a price."""
    fills: list[AccountFill]
    """The last ones, up to 1000, the oldest first."""


@dataclass(frozen=True, slots=True)
class Line:
    """A connection, as it is now."""

    id: int
    """Its number."""
    role: str
    """``"public"``, ``"spare"`` or ``"private"``."""
    is_up: bool
    """Whether it carries anything now."""
    topics: int
    """How many topics it carries."""
    replaces: int | None
    """The line whose place it is to take."""
    first: int
    """Deltas that it was the first to bring."""
    later: int
    """Deltas that another line had brought before."""
    missed: int
    """Deltas that it left out."""
