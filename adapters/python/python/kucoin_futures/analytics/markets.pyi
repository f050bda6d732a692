"""Indicators of trades, of books, and of funding."""

from datetime import timedelta
from decimal import Decimal
from typing import final

from .._native import Book, Level, TickerV2, Trade
from ..messages import FundingEnd, FundingRate, MarkPrice
from ..types import Event
from .readings import BookMean, Funding, Reading

__all__ = [
    "BookMeans",
    "FundingDivergence",
    "Microprice",
    "OrderFlowImbalance",
    "RollingVwap",
    "SessionVwap",
]

_Span = int | float | timedelta | str
_Price = Decimal | int | str | float

@final
class RollingVwap:
    """The average price of the last trades, weighted by lots: exact sums, divided once and rounded
    down to 12 decimals. Of an inverse contract the sum of lots by the sum of lots / price.

    Exactly one of ``last`` (so many) and ``span`` (a time) says what it is of. Warm-up: so many, or
    a span since the first; and no number where nothing was traded in the window. After a gap: valid
    again when the window holds nothing from before it.
    """

    def __new__(
        cls,
        *,
        last: int | None = None,
        span: _Span | None = None,
        symbol: str | None = None,
        inverse: bool = False,
    ) -> RollingVwap: ...
    def push(
        self, trade: Trade | tuple[_Price, int], *, at_ns: int | None = None
    ) -> Reading[Decimal]:
        """Takes a trade, or price and lots of this time. A trade without a time is a gap."""
    def take(self, event: Event) -> Reading[Decimal]:
        """Takes any event of a feed, as ``Candles.take`` does."""
    def on_gap(self, at_ns: int | None = None) -> Reading[Decimal]:
        """Between the last input and the next one others may have been missed. Idempotent."""
    def on_time(self, at_ns: int) -> Reading[Decimal]:
        """It is this time now, and nothing came since. Moves windows of time."""
    @property
    def reading(self) -> Reading[Decimal]:
        """What it says after the last input."""
    @property
    def warm_up(self) -> int:
        """Inputs for the first number; of a window of time at least so many."""

@final
class SessionVwap:
    """The average price of all trades since the session began, weighted as in ``RollingVwap``.

    A session begins where an interval does (``"1day"``), or where ``anchor`` says. Warm-up: one
    trade. Valid if every trade of the session is in it: in the session of the first trade, and in
    one with a gap, it is stale until the next one begins, because waiting does not mend it.
    """

    def __new__(
        cls, every: _Span | None = None, *, symbol: str | None = None, inverse: bool = False
    ) -> SessionVwap: ...
    def push(
        self, trade: Trade | tuple[_Price, int], *, at_ns: int | None = None
    ) -> Reading[Decimal]:
        """Takes a trade, or price and lots of this time. A trade without a time is a gap."""
    def take(self, event: Event) -> Reading[Decimal]:
        """Takes any event of a feed, as ``Candles.take`` does."""
    def anchor(self, at_ns: int) -> Reading[Decimal]:
        """A session begins now: every trade from here on will be taken."""
    @property
    def session_ns(self) -> int | None:
        """When the present session began; ``None`` before the first."""
    def on_gap(self, at_ns: int | None = None) -> Reading[Decimal]:
        """Between the last input and the next one others may have been missed. Idempotent."""
    def on_time(self, at_ns: int) -> Reading[Decimal]:
        """It is this time now, and nothing came since. Moves windows of time."""
    @property
    def reading(self) -> Reading[Decimal]:
        """What it says after the last input."""
    @property
    def warm_up(self) -> int:
        """Inputs for the first number; of a window of time at least so many."""

@final
class OrderFlowImbalance:
    """Lots by which buyers have pressed more than sellers: a sum over changes of best bid and best
    ask (R. Cont, A. Kukanov, S. Stoikov, 2014). Of a change: the new bid's lots if the bid did not
    fall, less the old bid's if it did not rise, less the same of the ask, turned round. Exact.

    Exactly one of ``last`` (so many changes) and ``span`` (a time). Warm-up: one more, or a span. A
    touch of which a side is missing is a gap. After a gap: valid again when the window holds
    nothing from before it.
    """

    def __new__(
        cls, *, last: int | None = None, span: _Span | None = None, symbol: str | None = None
    ) -> OrderFlowImbalance: ...
    def push(
        self, touch: TickerV2 | Book | tuple[Level, Level], *, at_ns: int | None = None
    ) -> Reading[int]:
        """Takes best bid and best ask: of ``ticker_v2``, of a book (a gap if that is not live), or
        two levels."""
    def take(self, event: Event) -> Reading[int]:
        """Takes any event of a feed: the ``ticker_v2`` of its contract, with gaps as
        ``Candles.take`` has them."""
    def on_gap(self, at_ns: int | None = None) -> Reading[int]:
        """Between the last input and the next one others may have been missed. Idempotent."""
    def on_time(self, at_ns: int) -> Reading[int]:
        """It is this time now, and nothing came since. Moves windows of time."""
    @property
    def reading(self) -> Reading[int]:
        """What it says after the last input."""
    @property
    def warm_up(self) -> int:
        """Inputs for the first number; of a window of time at least so many."""

@final
class Microprice:
    """Bid price x ask lots and ask price x bid lots, by both: between both, nearer to the side with
    fewer lots. Exact, rounded down to 12 decimals. Warm-up: one touch; a gap is over with the next.
    """

    def __new__(cls, *, symbol: str | None = None) -> Microprice: ...
    def push(
        self, touch: TickerV2 | Book | tuple[Level, Level], *, at_ns: int | None = None
    ) -> Reading[Decimal]:
        """Takes best bid and best ask, as ``OrderFlowImbalance`` does."""
    def take(self, event: Event) -> Reading[Decimal]:
        """Takes any event of a feed: the ``ticker_v2`` of its contract, with gaps as
        ``Candles.take`` has them."""
    def on_gap(self, at_ns: int | None = None) -> Reading[Decimal]:
        """Between the last input and the next one others may have been missed. Idempotent."""
    def on_time(self, at_ns: int) -> Reading[Decimal]:
        """It is this time now, and nothing came since. Moves windows of time."""
    @property
    def reading(self) -> Reading[Decimal]:
        """What it says after the last input."""
    @property
    def warm_up(self) -> int:
        """Inputs for the first number; of a window of time at least so many."""

@final
class BookMeans:
    """Spread and depth of a book, each state weighted with the time that it lasted within the last
    ``span``. Depth is that of the best ``levels`` of each side.

    Warm-up: the span. A book that is not live, or does not reach so far, is a gap: stale until a
    span without one is over. A state lasts until the next one, or until ``on_time``.
    """

    def __new__(cls, span: _Span, levels: int = 5) -> BookMeans: ...
    def push(self, book: Book, *, at_ns: int) -> Reading[BookMean]:
        """Looks at a book: after each change, or as often as one likes."""
    def on_gap(self, at_ns: int | None = None) -> Reading[BookMean]:
        """Between the last input and the next one others may have been missed. Idempotent."""
    def on_time(self, at_ns: int) -> Reading[BookMean]:
        """It is this time now, and nothing came since. Moves windows of time."""
    @property
    def reading(self) -> Reading[BookMean]:
        """What it says after the last input."""
    @property
    def warm_up(self) -> int:
        """Inputs for the first number; of a window of time at least so many."""

@final
class FundingDivergence:
    """Mark price against index, and the estimate of the funding rate against what was charged last.

    Around a settlement estimate and settled rate are not comparable, and ``Funding.state`` says so.
    Warm-up: one mark price. Stale after a gap until the next mark price, and without any for
    ``mark_timeout``. After a gap an estimate is awaited. Exact.

    :param interval: from settlement to settlement: 8 h if not said.
    :param symbol: the contract, if the events may be of several.
    :param mark_timeout: a mark price that is older is stale: 5 s.
    :param estimate_timeout: an estimate that is older is not compared: 3 min.
    :param before: so long before a settlement nothing is compared: 60 s.
    :param after: and so long after it: 90 s.
    """

    def __new__(
        cls,
        interval: _Span | None = None,
        *,
        symbol: str | None = None,
        mark_timeout: _Span | None = None,
        estimate_timeout: _Span | None = None,
        before: _Span | None = None,
        after: _Span | None = None,
    ) -> FundingDivergence: ...
    def take(self, event: Event | MarkPrice | FundingRate | FundingEnd) -> Reading[Funding]:
        """Takes any event of a feed: what ``instrument`` tells of its contract, gaps as
        ``Candles.take``."""
    def on_schedule(self, next_ns: int) -> Reading[Funding]:
        """When funding is settled next: ``next_funding_ns`` of the contract list."""
    def on_gap(self, at_ns: int | None = None) -> Reading[Funding]:
        """Between the last input and the next one others may have been missed. Idempotent."""
    def on_time(self, at_ns: int) -> Reading[Funding]:
        """It is this time now, and nothing came since. Moves windows of time."""
    @property
    def reading(self) -> Reading[Funding]:
        """What it says after the last input."""
    @property
    def warm_up(self) -> int:
        """Inputs for the first number; of a window of time at least so many."""
