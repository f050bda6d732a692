"""Candles and bars, and what they tell."""

from datetime import timedelta
from decimal import Decimal
from typing import final

from .._native import Trade
from ..replies import Contract, Kline
from ..types import Event
from .imbalance import Imbalance

__all__ = [
    "Bars",
    "CandleEvent",
    "Candles",
    "ClosedCandle",
    "EmptyCandles",
    "LateTrade",
    "RunningCandle",
    "TimelessTrade",
    "UnknownCandles",
]

_Span = int | float | timedelta | str
_Lot = Decimal | int | str | Contract

CandleEvent = ClosedCandle | EmptyCandles | UnknownCandles | LateTrade | TimelessTrade
"""What ``Candles`` and ``Bars`` tell."""

@final
class ClosedCandle:
    """A candle or bar that is over. Exact; a ``Decimal`` is made when it is looked at."""

    __match_args__ = (
        "start_ns",
        "end_ns",
        "open",
        "high",
        "low",
        "close",
        "lots",
        "turnover",
        "trades",
        "taker_buy_lots",
        "first_sequence",
        "last_sequence",
        "is_whole",
    )
    def __new__(
        cls,
        start_ns: int,
        end_ns: int,
        open: Decimal | int | str,
        high: Decimal | int | str,
        low: Decimal | int | str,
        close: Decimal | int | str,
        lots: int,
        turnover: Decimal | int | str | None,
        trades: int | None,
        taker_buy_lots: int | None,
        first_sequence: int | None,
        last_sequence: int | None,
        is_whole: bool,
    ) -> ClosedCandle: ...
    @property
    def start_ns(self) -> int:
        """When it begins: of an interval its begin, of a bar the time of its first trade."""
    @property
    def end_ns(self) -> int:
        """When it ends: the begin of the next interval; of a bar the time of its last trade."""
    @property
    def open(self) -> Decimal:
        """Price of the first trade."""
    @property
    def high(self) -> Decimal:
        """Highest price."""
    @property
    def low(self) -> Decimal:
        """Lowest price."""
    @property
    def close(self) -> Decimal:
        """Price of the last trade."""
    @property
    def lots(self) -> int:
        """Lots traded."""
    @property
    def turnover(self) -> Decimal | None:
        """In quote currency, in coins of an inverse contract; ``None`` without ``lot=``."""
    @property
    def trades(self) -> int | None:
        """How many; ``None`` if part of it is history, which does not say."""
    @property
    def taker_buy_lots(self) -> int | None:
        """Lots that a taker bought; ``None`` if part of it is history."""
    @property
    def first_sequence(self) -> int | None:
        """The lowest of its trades; ``None`` without any, or if part is history."""
    @property
    def last_sequence(self) -> int | None:
        """The highest of its trades; ``None`` without any."""
    @property
    def is_whole(self) -> bool:
        """Whether nothing may be missing in it: the trades were followed from before its begin."""
    @property
    def open_float(self) -> float:
        """The nearest float."""
    @property
    def high_float(self) -> float:
        """The nearest float."""
    @property
    def low_float(self) -> float:
        """The nearest float."""
    @property
    def close_float(self) -> float:
        """The nearest float."""
    @property
    def turnover_float(self) -> float | None:
        """The nearest float."""

@final
class RunningCandle:
    """A candle or bar that still grows, as it stands."""

    __match_args__ = (
        "start_ns",
        "end_ns",
        "open",
        "high",
        "low",
        "close",
        "lots",
        "turnover",
        "trades",
        "taker_buy_lots",
        "first_sequence",
        "last_sequence",
        "is_whole",
    )
    def __new__(
        cls,
        start_ns: int,
        end_ns: int,
        open: Decimal | int | str,
        high: Decimal | int | str,
        low: Decimal | int | str,
        close: Decimal | int | str,
        lots: int,
        turnover: Decimal | int | str | None,
        trades: int | None,
        taker_buy_lots: int | None,
        first_sequence: int | None,
        last_sequence: int | None,
        is_whole: bool,
    ) -> RunningCandle: ...
    @property
    def start_ns(self) -> int:
        """When it begins: of an interval its begin, of a bar the time of its first trade."""
    @property
    def end_ns(self) -> int:
        """When it ends: the begin of the next interval; of a bar the time of its last trade."""
    @property
    def open(self) -> Decimal:
        """Price of the first trade."""
    @property
    def high(self) -> Decimal:
        """Highest price."""
    @property
    def low(self) -> Decimal:
        """Lowest price."""
    @property
    def close(self) -> Decimal:
        """Price of the last trade."""
    @property
    def lots(self) -> int:
        """Lots traded."""
    @property
    def turnover(self) -> Decimal | None:
        """In quote currency, in coins of an inverse contract; ``None`` without ``lot=``."""
    @property
    def trades(self) -> int | None:
        """How many; ``None`` if part of it is history, which does not say."""
    @property
    def taker_buy_lots(self) -> int | None:
        """Lots that a taker bought; ``None`` if part of it is history."""
    @property
    def first_sequence(self) -> int | None:
        """The lowest of its trades; ``None`` without any, or if part is history."""
    @property
    def last_sequence(self) -> int | None:
        """The highest of its trades; ``None`` without any."""
    @property
    def is_whole(self) -> bool:
        """Whether nothing may be missing in it: the trades were followed from before its begin."""
    @property
    def open_float(self) -> float:
        """The nearest float."""
    @property
    def high_float(self) -> float:
        """The nearest float."""
    @property
    def low_float(self) -> float:
        """The nearest float."""
    @property
    def close_float(self) -> float:
        """The nearest float."""
    @property
    def turnover_float(self) -> float | None:
        """The nearest float."""

@final
class EmptyCandles:
    """Nothing was traded in these intervals, surely."""

    __match_args__ = (
        "start_ns",
        "end_ns",
    )
    def __new__(
        cls,
        start_ns: int,
        end_ns: int,
    ) -> EmptyCandles: ...
    @property
    def start_ns(self) -> int:
        """When the first one begins; nanoseconds since 1970."""
    @property
    def end_ns(self) -> int:
        """When the last one ends; nanoseconds since 1970."""

@final
class UnknownCandles:
    """There is no candle of these intervals, and something may have been missed in them."""

    __match_args__ = (
        "start_ns",
        "end_ns",
    )
    def __new__(
        cls,
        start_ns: int,
        end_ns: int,
    ) -> UnknownCandles: ...
    @property
    def start_ns(self) -> int:
        """When the first one begins; nanoseconds since 1970."""
    @property
    def end_ns(self) -> int:
        """When the last one ends; nanoseconds since 1970."""

@final
class LateTrade:
    """A trade of a candle that was told already. It is in none: that candle lacks it."""

    __match_args__ = (
        "trade",
        "candle_start_ns",
    )
    def __new__(
        cls,
        trade: Trade,
        candle_start_ns: int | None,
    ) -> LateTrade: ...
    @property
    def trade(self) -> Trade:
        """The trade."""
    @property
    def candle_start_ns(self) -> int | None:
        """When its candle began; ``None`` for bars."""

@final
class TimelessTrade:
    """A trade without a time. It is in no candle: the running and the next one are not whole."""

    __match_args__ = (
        "trade",
    )
    def __new__(
        cls,
        trade: Trade,
    ) -> TimelessTrade: ...
    @property
    def trade(self) -> Trade:
        """The trade."""

@final
class Candles:
    """Puts trades together to candles of one length.

    A candle is over by the first trade of a later interval, or by ``on_time``. It is whole if it
    begins more than 10 ms after a trade since which nothing was missed: so not the first one, nor
    one with a gap in it, nor that of the first trade after the gap. What comes for a candle that
    was told is a ``LateTrade``, and changes nothing that was told.

    :param every: the exchange's name (``"1min"`` to ``"1week"``; weeks begin on Mondays), or any
        length as seconds or ``timedelta``: multiples since 1970.
    :param symbol: the contract, if the events may be of several.
    :param lot: what a lot is worth, for ``turnover``: coins a lot (``"0.001"``), quote currency of
        an inverse contract; or the contract of ``feed.query.contracts()``.
    :param inverse: whether it is an inverse contract; that of ``lot`` if it is a contract.
    :param fill_empty: tells intervals in which surely nothing was traded as candles without lots,
        all prices the last close. What may have been missed is never filled.
    """

    def __new__(
        cls,
        every: _Span,
        *,
        symbol: str | None = None,
        lot: _Lot | None = None,
        inverse: bool | None = None,
        fill_empty: bool = False,
    ) -> Candles: ...
    def push(self, trade: Trade) -> list[CandleEvent]:
        """Takes a trade, and tells what that ends.

        :raises MisuseError: it is of another contract. Nothing has changed.
        """
    def take(self, event: Event) -> list[CandleEvent]:
        """Takes any event of a feed: its trades are pushed, and where some may be missing there
        is a gap (``MayHaveMissed`` of the trades, ``Lagged``, a trade that cannot be read, a
        subscription that begins or ends). Everything else is passed over.

        :raises MisuseError: without ``symbol=``, at a trade of a second contract.
        """
    def on_gap(self) -> None:
        """Trades may be missing between the last one and the next one. Idempotent."""
    def on_complete_since(self, at_ns: int) -> None:
        """From this time of the exchange on nothing is missed."""
    def on_time(self, at_ns: int) -> list[CandleEvent]:
        """All trades before this time of the exchange were taken: ends what ends by then, and tells
        of intervals without a trade. Trades may be on their way for a second; those come late."""
    def seed(self, row: Kline, *, through: int) -> None:
        """Begins with the candle of the present interval as ``feed.query.klines`` has it.

        :param through: the sequence of the last trade that is in it. Every later one has to be
            pushed then.
        :raises MisuseError: it is no such candle. Nothing has changed.
        """
    @property
    def running(self) -> RunningCandle | None:
        """What still grows; ``None`` without any trade since the last one was over."""
    @property
    def symbol(self) -> str | None:
        """The contract: the one that was named, or that of the first trade."""

@final
class Bars:
    """Puts trades together to bars that are over when something is full. The trade that fills a bar
    is its last one, whole: none is split.

    A bar with a gap in it goes on to its end and is not whole. The first one begins with the first
    trade, and is whole. Exactly one of the first four says when a bar is over.

    :param ticks: after so many trades.
    :param lots: when so many lots were traded.
    :param value: when so much was turned over; needs ``lot``.
    :param imbalance: when takers of one side outnumber the other by more than is expected.
    :param symbol, lot, inverse: as for ``Candles``.
    """

    def __new__(
        cls,
        *,
        ticks: int | None = None,
        lots: int | None = None,
        value: Decimal | int | str | None = None,
        imbalance: Imbalance | None = None,
        symbol: str | None = None,
        lot: _Lot | None = None,
        inverse: bool | None = None,
    ) -> Bars: ...
    def push(self, trade: Trade) -> list[CandleEvent]:
        """Takes a trade, and tells what that ends.

        :raises MisuseError: it is of another contract. Nothing has changed.
        """
    def take(self, event: Event) -> list[CandleEvent]:
        """Takes any event of a feed: its trades are pushed, and where some may be missing there
        is a gap (``MayHaveMissed`` of the trades, ``Lagged``, a trade that cannot be read, a
        subscription that begins or ends). Everything else is passed over.

        :raises MisuseError: without ``symbol=``, at a trade of a second contract.
        """
    def on_gap(self) -> None:
        """Trades may be missing between the last one and the next one. Idempotent."""
    @property
    def running(self) -> RunningCandle | None:
        """What still grows; ``None`` without any trade since the last one was over."""
    @property
    def symbol(self) -> str | None:
        """The contract: the one that was named, or that of the first trade."""
