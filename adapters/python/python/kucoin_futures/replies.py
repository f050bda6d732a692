"""What queries about the market are answered with.

Prices and amounts are exact: ``Decimal``, made from what the exchange wrote. Sizes are lots.
``None`` is what was not said.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Generic, TypeVar

from ._native import Level

Point = TypeVar("Point")


@dataclass(frozen=True, slots=True)
class Contract:
    """A contract: its terms, and what it did lately. The exchange documents 84 fields; what it
    does not explain is named as it names it. Its arithmetic is that of a ``ContractSpec``.
    "Quote" is the quote currency per base coin; "rate" and "share" are fractions of one."""

    symbol: str
    """For example ``XBTUSDTM``."""
    display_symbol: str | None
    """As it is shown to people; since 2025-12-26."""
    root_symbol: str | None
    """What it is settled in, as a group: ``USDT``, ``USDC``, or the coin of inverse contracts."""
    kind: str | None
    """``FFWCSX`` for perpetual ones, ``FFICSX`` for dated ones."""
    first_open_ns: int | None
    """When it was first traded; from milliseconds; nanoseconds since 1970."""
    expires_ns: int | None
    """When its last trade is; from milliseconds. A perpetual one gets this when it is to be
    delisted; nanoseconds since 1970."""
    settles_ns: int | None
    """When it is settled; from milliseconds. ``None`` for perpetual ones; nanoseconds since
    1970."""
    base_currency: str | None
    """The coin that is priced; ``XBT`` is Bitcoin."""
    display_base_currency: str | None
    """The same as it is shown to people; since 2025-12-26."""
    quote_currency: str | None
    """What it is priced in."""
    settle_currency: str | None
    """What profit and loss are paid in."""
    max_order_size: int | None
    """Most of a limit order, in lots."""
    max_market_order_size: int | None
    """Most of a market order, in lots."""
    max_price: Decimal | None
    """Highest price of an order, in quote."""
    lot_size: Decimal
    """Smallest size step, in lots; 1 everywhere seen."""
    tick_size: Decimal
    """Smallest price step, in quote. Changes over time: do not keep it for days."""
    index_tick_size: Decimal | None
    """The same of its index."""
    multiplier: Decimal
    """Base coins per lot; -1 for inverse contracts, where a lot is one unit of quote currency."""
    initial_margin: Decimal | None
    """Margin to open a position, as a share of its value."""
    maintenance_margin: Decimal | None
    """Margin to keep it."""
    max_risk_limit: Decimal | None
    """Largest position, in settle currency. The documentation says XBT; the numbers say
    otherwise."""
    min_risk_limit: Decimal | None
    """Smallest limit of a position, in settle currency."""
    risk_step: Decimal | None
    """Step from one limit to the next, in settle currency."""
    maker_fee_rate: Decimal | None
    """Fee of who is taken, as a rate."""
    taker_fee_rate: Decimal | None
    """Fee of who takes, as a rate."""
    taker_fixed_fee: Decimal | None
    """Deprecated."""
    maker_fixed_fee: Decimal | None
    """Deprecated."""
    settlement_fee: Decimal | None
    """Fee at settlement, as a rate; null on every contract seen."""
    is_deleverage: bool | None
    """Whether positions may be closed by auto-deleveraging."""
    is_quanto: bool | None
    """Deprecated, and true for linear contracts that are no quantos."""
    is_inverse: bool
    """Whether size is in quote currency and profit in base currency."""
    mark_method: str | None
    """How it is marked: ``FairPrice``."""
    fair_method: str | None
    """How its fair price is found: ``FundingRate``; ``None`` for dated ones."""
    funding_base_symbol: str | None
    """Of the interest rate of the base coin, such as ``.XBTINT8H``."""
    funding_quote_symbol: str | None
    """Of the interest rate of the quote currency, such as ``.USDTINT8H``."""
    funding_rate_symbol: str | None
    """Of the funding rate, such as ``.XBTUSDTMFPI8H``."""
    index_symbol: str | None
    """Of the index, such as ``.KXBTUSDT``."""
    settlement_symbol: str | None
    """Of the price that a dated contract is settled at, such as ``.BXBT30M``."""
    status: str
    """``Open``, ``Paused``, ``BeingSettled``, ``Settled``, ``Closed``, ``CancelOnly`` or
    ``Init``."""
    funding_fee_rate: Decimal | None
    """The estimate of the rate that will be charged next, and for about a minute after a
    settlement the rate that was. Not what is charged: see ``SettledFunding``."""
    predicted_funding_fee_rate: Decimal | None
    """Null on every contract seen since 2025."""
    daily_interest_rate: Decimal | None
    """Interest that funding contains, a day, as a rate. Undocumented."""
    funding_interval_ms: int | None
    """From one settlement of funding to the next, as it is set; from milliseconds, though the
    documentation says hours. Valid from ``funding_cycle_start`` on; milliseconds."""
    funding_rate_cap: Decimal | None
    """Highest funding rate."""
    funding_rate_floor: Decimal | None
    """Lowest funding rate."""
    period: int | None
    """Deprecated: 1 where funding is charged for the period that ends."""
    funding_cycle_start_ns: int | None
    """Since when ``funding_interval`` holds; from milliseconds; since 2025-11-24; nanoseconds
    since 1970."""
    current_funding_interval_ms: int | None
    """The interval that holds now; from milliseconds; since 2025-11-24; milliseconds."""
    open_interest: int | None
    """Open positions, in lots. The only number that is a string on the wire."""
    turnover_24h: Decimal | None
    """Traded within 24 hours, in settle currency."""
    volume_24h: Decimal | None
    """The same in base coins; in lots (units of quote currency) for inverse contracts."""
    mark_price: Decimal | None
    """What positions are valued at, in quote."""
    index_price: Decimal | None
    """What the spot exchanges say, in quote."""
    last_trade_price: Decimal | None
    """Of the last trade, in quote; ``None`` before the first."""
    next_funding_in_ms: int | None
    """How long until funding is settled; from milliseconds. A countdown, though its name says a
    time; milliseconds."""
    next_funding_ns: int | None
    """When that is; from milliseconds. ``None`` for dated ones; nanoseconds since 1970."""
    max_leverage: Decimal | None
    """Highest leverage."""
    source_exchanges: list[str]
    """The exchanges that make the index."""
    premium_symbol_1m: str | None
    """Of the premium index, by minute, such as ``.XBTUSDTMPI``."""
    premium_symbol_8h: str | None
    """The same over 8 hours."""
    funding_base_symbol_1m: str | None
    """Of the interest rate of the base coin, by minute, such as ``.XBTINT``."""
    funding_quote_symbol_1m: str | None
    """Of that of the quote currency, by minute, such as ``.USDTINT``."""
    low_price_24h: Decimal | None
    """Lowest price of 24 hours, in quote; zero if there was no trade."""
    high_price_24h: Decimal | None
    """Highest price of 24 hours."""
    price_change_rate_24h: Decimal | None
    """By how much the price changed in 24 hours, as a rate."""
    price_change_24h: Decimal | None
    """The same in quote."""
    k: Decimal | None
    """Of the margin model; unexplained."""
    m: Decimal | None
    """Of the margin model; unexplained."""
    f: Decimal | None
    """Of the margin model; unexplained."""
    mmr_limit: Decimal | None
    """Of the margin model: limit of the maintenance margin rate."""
    mmr_leverage_constant: Decimal | None
    """Of the margin model: its constant of leverage."""
    supports_cross: bool | None
    """Whether it can be held with cross margin."""
    buy_limit: Decimal | None
    """Highest price of a buy order now, in quote."""
    sell_limit: Decimal | None
    """Lowest price of a sell order now, in quote."""
    adjusted_k: Decimal | None
    """What ``k`` will be."""
    adjusted_m: Decimal | None
    """What ``m`` will be."""
    adjusted_mmr_leverage_constant: Decimal | None
    """What ``mmr_leverage_constant`` will be."""
    adjusts_ns: int | None
    """From when on; from milliseconds. ``None`` if nothing is to change; nanoseconds since
    1970."""
    cross_risk_limit: Decimal | None
    """Largest position with cross margin, in settle currency."""
    market_stage: str | None
    """``NORMAL`` or ``PRE_MARKET``: then the index is the exchange's own perpetual."""
    becomes_perpetual_ns: int | None
    """When a pre-market contract becomes an ordinary one; from milliseconds; nanoseconds since
    1970."""
    order_price_range: Decimal | None
    """How far from the mark price an order may be, as a share of it: gives ``buy_limit`` and
    ``sell_limit``."""
    market_type: str | None
    """``CRYPTO`` or ``NASDAQ``."""
    asset_class: str | None
    """``CRYPTO``, ``METAL``, ``COMMODITY`` or ``STOCK``."""
    sub_market_type: str | None
    """``US.STOCK``, ``KR.STOCK``, ``HK.STOCK``, ``JP.STOCK``; ``None`` for what is no stock."""
    last_funding_rate: Decimal | None
    """The rate that was charged last. Undocumented."""


@dataclass(frozen=True, slots=True)
class RestTicker:
    """The last trade of a contract, and its best bid and offer: ``GET /api/v1/ticker``, and a row
    of ``GET /api/v1/allTickers``."""

    symbol: str
    """The contract."""
    sequence: int | None
    """Where its book was: the same counter as level2's."""
    taker_side: str | None
    """Who took, in the last trade; this and what follows of it is ``None`` before the first
    one."""
    price: Decimal | None
    """Its price, in quote currency."""
    size: int | None
    """Lots traded."""
    trade_id: str | None
    """The exchange's name for it; decimal digits today."""
    best_bid: Level | None
    """Highest bid; ``None`` if there is none."""
    best_ask: Level | None
    """Lowest ask; ``None`` if there is none."""
    traded_ns: int | None
    """When the last trade was, not when this was said; from nanoseconds; nanoseconds since
    1970."""


@dataclass(frozen=True, slots=True)
class RestTrade:
    """A trade of the last 100, the newest first: a row of ``GET /api/v1/trade/history``. It does
    not say of which contract: of the one that was asked for."""

    sequence: int
    """The counter of ``Execution``: rises by one or by more."""
    trade_id: str | None
    """The exchange's name for the trade."""
    maker_order_id: str | None
    """The order that was taken."""
    taker_order_id: str | None
    """The order that took."""
    time_ns: int | None
    """When; from nanoseconds; nanoseconds since 1970."""
    size: int
    """Lots traded."""
    price: Decimal
    """In quote currency."""
    taker_side: str
    """Who took."""


@dataclass(frozen=True, slots=True)
class Kline:
    """A candle: a row of ``GET /api/v1/kline/query``, the oldest first. Of an index or a premium,
    too: then the prices are its values, which may be below zero, and nothing is traded."""

    start_ns: int
    """When it began; from milliseconds; nanoseconds since 1970."""
    open: Decimal
    """First price, in quote currency."""
    high: Decimal
    """Highest price."""
    low: Decimal
    """Lowest price."""
    close: Decimal
    """Last price."""
    volume: int | None
    """Lots traded."""
    turnover: Decimal | None
    """Traded, in quote currency (in the coin for inverse contracts); since 2025-09-12."""


@dataclass(frozen=True, slots=True)
class RestMarkPrice:
    """What positions are valued at: ``GET /api/v1/mark-price/{symbol}/current``. 0.4 to 1.6 s old
    on arrival."""

    symbol: str
    """The contract."""
    granularity_ms: int | None
    """How often it is made; from milliseconds, 1 s today; milliseconds."""
    time_ns: int
    """When it was made; from milliseconds; nanoseconds since 1970."""
    value: Decimal
    """In quote currency."""
    index_price: Decimal | None
    """The index at that time, in quote currency."""


@dataclass(frozen=True, slots=True)
class RestFundingRate:
    """The estimate of the funding rate that will be charged next: ``GET /api/v1/funding-
    rate/{symbol}/current``. Rates are fractions of one; a positive one is paid by who is long."""

    rate_symbol: str
    """Of the rate, not of the contract: such as ``.XBTUSDTMFPI8H``."""
    interval_ms: int | None
    """From one settlement to the next; from milliseconds; milliseconds."""
    interval_start_ns: int
    """When the interval began; from milliseconds; nanoseconds since 1970."""
    value: Decimal
    """The estimate."""
    predicted_value: Decimal | None
    """The next estimate; documented, and absent since 2026."""
    daily_interest_rate: Decimal | None
    """Interest that is contained, a day."""
    cap: Decimal | None
    """Highest rate."""
    floor: Decimal | None
    """Lowest rate."""
    period: int | None
    """1 where funding is charged for the period that ends."""
    next_settlement_ns: int | None
    """When it will be charged; from milliseconds; nanoseconds since 1970."""
    last_rate: Decimal | None
    """The rate that was charged last."""


@dataclass(frozen=True, slots=True)
class SettledFunding:
    """A rate that was charged: a row of ``GET /api/v1/contract/funding-rates``, the newest
    first."""

    symbol: str
    """The contract."""
    rate: Decimal
    """A fraction of one; a positive one was paid by who was long."""
    time_ns: int
    """When; from milliseconds; nanoseconds since 1970."""


@dataclass(frozen=True, slots=True)
class IndexPrice:
    """An index at a time, and what it was made of."""

    symbol: str
    """Of the index, such as ``.KXBTUSDT``."""
    granularity_ms: int | None
    """What a point stands for; from milliseconds, 1 s today; milliseconds."""
    time_ns: int
    """When; from milliseconds; nanoseconds since 1970."""
    value: Decimal
    """The index, in quote currency."""
    components: list[IndexComponent]
    """The exchanges that it was made of; none where the exchange does not say. The key is
    misspelled on the wire."""


@dataclass(frozen=True, slots=True)
class IndexComponent:
    """What one exchange adds to an index."""

    exchange: str
    """Its code, such as ``okex``."""
    exchange_name: str | None
    """Its name for people."""
    price: Decimal | None
    """The price there, in quote currency."""
    weight: Decimal | None
    """Its share of the index, as a fraction of one."""


@dataclass(frozen=True, slots=True)
class SeriesPoint:
    """An interest rate or a premium at a time."""

    symbol: str
    """Of the series, such as ``.XBTINT`` or ``.XBTUSDTMPI``."""
    granularity_ms: int | None
    """What a point stands for; from milliseconds; milliseconds."""
    time_ns: int
    """When; from milliseconds; nanoseconds since 1970."""
    value: Decimal
    """The rate as a fraction of one, often below zero."""


@dataclass(frozen=True, slots=True)
class ServiceStatus:
    """Whether there is trading at all: ``GET /api/v1/status``."""

    message: str
    """Why not, for people."""
    status: str
    """``open``, ``close`` or ``cancelonly``."""


@dataclass(frozen=True, slots=True)
class PartialBook:
    """The best levels of both sides, once. No base for a book: follow ``level2`` for that."""

    symbol: str
    """The contract."""
    sequence: int
    """The last change that it contains."""
    bids: list[Level]
    """The best first."""
    asks: list[Level]
    """The best first."""
    ts_ns: int | None
    """When the exchange made it; nanoseconds since 1970."""


@dataclass(frozen=True, slots=True)
class Series(Generic[Point]):
    """A part of a series over time."""

    points: list[Point]
    """The points."""
    has_more: bool
    """Whether there are more behind the last one: ask again with its time as ``offset_ns``."""
