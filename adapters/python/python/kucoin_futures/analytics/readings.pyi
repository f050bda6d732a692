"""What indicators say."""

from decimal import Decimal
from typing import Generic, Literal, TypeVar, final

__all__ = [
    "Bands",
    "BookMean",
    "Funding",
    "MacdValue",
    "Reading",
]

_T_co = TypeVar("_T_co", covariant=True)
_FundingState = Literal["comparable", "settling", "no_estimate", "no_settled_rate", "unknown"]

@final
class Reading(Generic[_T_co]):
    """What an indicator says, and how far it can be believed. True if it is valid.

    ::

        match rsi.take(candle):
            case ka.Reading("valid", value):
                ...
            case ka.Reading("stale", value):
                ...     # something may be missing in it: see gap_ns
    """

    __match_args__ = ("state", "value")
    def __new__(
        cls,
        state: Literal["warming", "valid", "stale"],
        value: _T_co | None = None,
        valid_since_ns: int | None = None,
        gap_ns: int | None = None,
        needed: int = 0,
    ) -> Reading[_T_co]: ...
    @property
    def state(self) -> Literal["warming", "valid", "stale"]:
        """No number yet; a right one; one in which something may be missing."""
    @property
    def value(self) -> _T_co | None:
        """The number, right or not; ``None`` while warming."""
    @property
    def valid(self) -> _T_co | None:
        """The number, if nothing may be missing in it; ``None`` otherwise."""
    @property
    def value_float(self) -> float | _T_co | None:
        """A price as the nearest float, and cheaper; everything else as ``value`` has it."""
    @property
    def valid_since_ns(self) -> int | None:
        """When the first input came that a valid number may depend on; ``None`` otherwise, or if
        no input had a time. Nanoseconds since 1970."""
    @property
    def gap_ns(self) -> int | None:
        """Where something may be missing in a stale number, the last such place; ``None``
        otherwise, or if no input had a time. Nanoseconds since 1970."""
    @property
    def needed(self) -> int:
        """Inputs that are still needed, at least; a span counts as one. 0 unless warming."""
    @property
    def is_valid(self) -> bool:
        """The same as ``bool(reading)``."""
    def __bool__(self) -> bool: ...

@final
class Bands:
    """Bands around a mean, in quote currency."""

    __match_args__ = (
        "upper",
        "middle",
        "lower",
        "deviation",
    )
    def __new__(
        cls,
        upper: float,
        middle: float,
        lower: float,
        deviation: float,
    ) -> Bands: ...
    @property
    def upper(self) -> float:
        """The middle and so many standard deviations."""
    @property
    def middle(self) -> float:
        """The arithmetic mean."""
    @property
    def lower(self) -> float:
        """The middle less so many standard deviations."""
    @property
    def deviation(self) -> float:
        """One standard deviation."""

@final
class MacdValue:
    """The two lines, in quote currency."""

    __match_args__ = (
        "macd",
        "signal",
        "histogram",
    )
    def __new__(
        cls,
        macd: float,
        signal: float,
        histogram: float,
    ) -> MacdValue: ...
    @property
    def macd(self) -> float:
        """The fast average less the slow one."""
    @property
    def signal(self) -> float:
        """The average of that."""
    @property
    def histogram(self) -> float:
        """The first less the second."""

@final
class BookMean:
    """Means of a book over a span of time."""

    __match_args__ = (
        "spread",
        "bid_lots",
        "ask_lots",
    )
    def __new__(
        cls,
        spread: Decimal | int | str,
        bid_lots: float,
        ask_lots: float,
    ) -> BookMean: ...
    @property
    def spread(self) -> Decimal:
        """Of best ask less best bid; exact, rounded down to 12 decimals."""
    @property
    def bid_lots(self) -> float:
        """Of the lots of the best bids."""
    @property
    def ask_lots(self) -> float:
        """Of the lots of the best asks."""

@final
class Funding:
    """What is said of a contract's funding. Rates are parts of a position's value."""

    __match_args__ = (
        "premium",
        "state",
        "settlement_ns",
        "estimate",
        "settled",
        "difference",
        "estimate_per_year",
        "settled_per_year",
        "next_settlement_ns",
        "to_settlement_ns",
    )
    def __new__(
        cls,
        premium: Decimal | int | str,
        state: _FundingState,
        settlement_ns: int | None,
        estimate: Decimal | int | str | None,
        settled: Decimal | int | str | None,
        difference: Decimal | int | str | None,
        estimate_per_year: Decimal | int | str | None,
        settled_per_year: Decimal | int | str | None,
        next_settlement_ns: int | None,
        to_settlement_ns: int | None,
    ) -> Funding: ...
    @property
    def premium(self) -> Decimal:
        """(mark - index) / index, cut after 18 decimals."""
    @property
    def state(self) -> _FundingState:
        """Whether the estimate can be set beside the rate that was charged last, or why not."""
    @property
    def settlement_ns(self) -> int | None:
        """While settling: when that is due, or was; nanoseconds since 1970."""
    @property
    def estimate(self) -> Decimal | None:
        """What will be charged next, as estimated; ``None`` unless comparable, as all below."""
    @property
    def settled(self) -> Decimal | None:
        """What was charged last."""
    @property
    def difference(self) -> Decimal | None:
        """The estimate less the settled rate."""
    @property
    def estimate_per_year(self) -> Decimal | None:
        """The estimate times the intervals of 365 days, without compounding."""
    @property
    def settled_per_year(self) -> Decimal | None:
        """The settled rate, likewise."""
    @property
    def next_settlement_ns(self) -> int | None:
        """When funding is settled next; ``None`` before any settlement was told."""
    @property
    def to_settlement_ns(self) -> int | None:
        """From the latest time told until then, nanoseconds."""
    @property
    def is_comparable(self) -> bool:
        """Whether estimate and settled rate are of two intervals in a row."""
