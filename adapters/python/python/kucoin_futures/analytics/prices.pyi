"""Indicators of prices, and the one of whole candles."""

from collections.abc import Iterable
from datetime import timedelta
from decimal import Decimal
from typing import final

from .candles import CandleEvent
from .readings import Bands, MacdValue, Reading

__all__ = [
    "Atr",
    "Bollinger",
    "Ema",
    "Macd",
    "Rsi",
    "Sma",
    "Volatility",
]

_Span = int | float | timedelta | str
_Price = Decimal | int | str | float

@final
class Sma:
    """The arithmetic mean of the last ``n`` prices: an exact sum, divided once and rounded down to
    12 decimals, so that it never drifts. Warm-up: ``n``, 1 to 65536. After a gap: valid again when
    all ``n`` are from after it.
    """

    def __new__(cls, n: int) -> Sma: ...
    def push(self, value: _Price | CandleEvent, *, at_ns: int | None = None) -> Reading[Decimal]:
        """Takes a price, of this time; or a candle: its close, of its end. A time that is not said
        is the latest so far."""
    def take(self, event: CandleEvent) -> Reading[Decimal]:
        """Takes what candles tell: a close; a gap where a candle is unknown or lacks a trade. The
        close of a candle that is not whole is taken, too, and no number that it is in is valid.

        :raises MisuseError: it is something else.
        """
    def over(self, prices: Iterable[_Price | CandleEvent]) -> list[float | None]:
        """What a new one of these says at each place of a series, ``None`` where it is not
        valid. The indicator itself does not change. Other threads run, once the prices are
        read."""
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
class Ema:
    """``ema += 2 / (n + 1) * (price - ema)``, begun with the mean of the first ``n`` prices, as
    TA-Lib does it. Warm-up: ``n``. After a gap: valid again after ``n`` prices, as one that has
    begun there.
    """

    def __new__(cls, n: int) -> Ema: ...
    def push(self, value: _Price | CandleEvent, *, at_ns: int | None = None) -> Reading[float]:
        """Takes a price, of this time; or a candle: its close, of its end. A time that is not said
        is the latest so far."""
    def take(self, event: CandleEvent) -> Reading[float]:
        """Takes what candles tell: a close; a gap where a candle is unknown or lacks a trade. The
        close of a candle that is not whole is taken, too, and no number that it is in is valid.

        :raises MisuseError: it is something else.
        """
    def over(self, prices: Iterable[_Price | CandleEvent]) -> list[float | None]:
        """What a new one of these says at each place of a series, ``None`` where it is not
        valid. The indicator itself does not change. Other threads run, once the prices are
        read."""
    def on_gap(self, at_ns: int | None = None) -> Reading[float]:
        """Between the last input and the next one others may have been missed. Idempotent."""
    def on_time(self, at_ns: int) -> Reading[float]:
        """It is this time now, and nothing came since. Moves windows of time."""
    @property
    def reading(self) -> Reading[float]:
        """What it says after the last input."""
    @property
    def warm_up(self) -> int:
        """Inputs for the first number; of a window of time at least so many."""

@final
class Rsi:
    """``100 * gain / (gain + loss)``: means of the rises and falls from price to price, first of
    ``n`` of them and then with 1/n of each next one (J. W. Wilder, 1978). Warm-up: ``n + 1``, and
    one change: where nothing has moved there is no number. After a gap: valid again after as many,
    as one that has begun there.
    """

    def __new__(cls, n: int = 14) -> Rsi: ...
    def push(self, value: _Price | CandleEvent, *, at_ns: int | None = None) -> Reading[float]:
        """Takes a price, of this time; or a candle: its close, of its end. A time that is not said
        is the latest so far."""
    def take(self, event: CandleEvent) -> Reading[float]:
        """Takes what candles tell: a close; a gap where a candle is unknown or lacks a trade. The
        close of a candle that is not whole is taken, too, and no number that it is in is valid.

        :raises MisuseError: it is something else.
        """
    def over(self, prices: Iterable[_Price | CandleEvent]) -> list[float | None]:
        """What a new one of these says at each place of a series, ``None`` where it is not
        valid. The indicator itself does not change. Other threads run, once the prices are
        read."""
    def on_gap(self, at_ns: int | None = None) -> Reading[float]:
        """Between the last input and the next one others may have been missed. Idempotent."""
    def on_time(self, at_ns: int) -> Reading[float]:
        """It is this time now, and nothing came since. Moves windows of time."""
    @property
    def reading(self) -> Reading[float]:
        """What it says after the last input."""
    @property
    def warm_up(self) -> int:
        """Inputs for the first number; of a window of time at least so many."""

@final
class Bollinger:
    """The mean of the last ``n`` prices, and bands at ``width`` standard deviations of a population
    (J. Bollinger, 2001). Both sums are integers: nothing cancels out, nothing drifts. Warm-up:
    ``n``. After a gap: valid again when all ``n`` are from after it.
    """

    def __new__(cls, n: int = 20, width: float = 2.0) -> Bollinger: ...
    def push(self, value: _Price | CandleEvent, *, at_ns: int | None = None) -> Reading[Bands]:
        """Takes a price, of this time; or a candle: its close, of its end. A time that is not said
        is the latest so far."""
    def take(self, event: CandleEvent) -> Reading[Bands]:
        """Takes what candles tell: a close; a gap where a candle is unknown or lacks a trade. The
        close of a candle that is not whole is taken, too, and no number that it is in is valid.

        :raises MisuseError: it is something else.
        """
    def over(self, prices: Iterable[_Price | CandleEvent]) -> list[Bands | None]:
        """What a new one of these says at each place of a series, ``None`` where it is not
        valid. The indicator itself does not change. Other threads run, once the prices are
        read."""
    def on_gap(self, at_ns: int | None = None) -> Reading[Bands]:
        """Between the last input and the next one others may have been missed. Idempotent."""
    def on_time(self, at_ns: int) -> Reading[Bands]:
        """It is this time now, and nothing came since. Moves windows of time."""
    @property
    def reading(self) -> Reading[Bands]:
        """What it says after the last input."""
    @property
    def warm_up(self) -> int:
        """Inputs for the first number; of a window of time at least so many."""

@final
class Macd:
    """A fast ``Ema`` less a slow one, and the ``Ema`` of that (G. Appel, 1979), aligned as in
    TA-Lib. Warm-up: ``slow + signal - 1``. After a gap: valid again after as many, as one that has
    begun there.
    """

    def __new__(cls, fast: int = 12, slow: int = 26, signal: int = 9) -> Macd: ...
    def push(self, value: _Price | CandleEvent, *, at_ns: int | None = None) -> Reading[MacdValue]:
        """Takes a price, of this time; or a candle: its close, of its end. A time that is not said
        is the latest so far."""
    def take(self, event: CandleEvent) -> Reading[MacdValue]:
        """Takes what candles tell: a close; a gap where a candle is unknown or lacks a trade. The
        close of a candle that is not whole is taken, too, and no number that it is in is valid.

        :raises MisuseError: it is something else.
        """
    def over(self, prices: Iterable[_Price | CandleEvent]) -> list[MacdValue | None]:
        """What a new one of these says at each place of a series, ``None`` where it is not
        valid. The indicator itself does not change. Other threads run, once the prices are
        read."""
    def on_gap(self, at_ns: int | None = None) -> Reading[MacdValue]:
        """Between the last input and the next one others may have been missed. Idempotent."""
    def on_time(self, at_ns: int) -> Reading[MacdValue]:
        """It is this time now, and nothing came since. Moves windows of time."""
    @property
    def reading(self) -> Reading[MacdValue]:
        """What it says after the last input."""
    @property
    def warm_up(self) -> int:
        """Inputs for the first number; of a window of time at least so many."""

@final
class Volatility:
    """The root of the sum of the last ``n`` squared logarithmic returns; with ``every``, how often
    a price comes, per year of 365 days: times ``sqrt(year / (n * every))``. No mean is taken off.
    Warm-up: ``n + 1``. After a gap: valid again when all ``n`` returns are from after it.
    """

    def __new__(cls, n: int, *, every: _Span | None = None) -> Volatility: ...
    def push(self, value: _Price | CandleEvent, *, at_ns: int | None = None) -> Reading[float]:
        """Takes a price, of this time; or a candle: its close, of its end. A time that is not said
        is the latest so far."""
    def take(self, event: CandleEvent) -> Reading[float]:
        """Takes what candles tell: a close; a gap where a candle is unknown or lacks a trade. The
        close of a candle that is not whole is taken, too, and no number that it is in is valid.

        :raises MisuseError: it is something else.
        """
    def over(self, prices: Iterable[_Price | CandleEvent]) -> list[float | None]:
        """What a new one of these says at each place of a series, ``None`` where it is not
        valid. The indicator itself does not change. Other threads run, once the prices are
        read."""
    def on_gap(self, at_ns: int | None = None) -> Reading[float]:
        """Between the last input and the next one others may have been missed. Idempotent."""
    def on_time(self, at_ns: int) -> Reading[float]:
        """It is this time now, and nothing came since. Moves windows of time."""
    @property
    def reading(self) -> Reading[float]:
        """What it says after the last input."""
    @property
    def warm_up(self) -> int:
        """Inputs for the first number; of a window of time at least so many."""

@final
class Atr:
    """The mean of true ranges in quote currency, first of ``n`` of them and then with 1/n of each
    next one (J. W. Wilder, 1978). A true range is the largest of high less low, and the ways from
    the close before to high and low. Warm-up: ``n + 1`` candles. After a gap: valid again after as
    many, as one that has begun there.
    """

    def __new__(cls, n: int = 14) -> Atr: ...
    def push(
        self, candle: CandleEvent | tuple[_Price, _Price, _Price], *, at_ns: int | None = None
    ) -> Reading[float]:
        """Takes a candle, or its high, low and close."""
    def take(self, event: CandleEvent) -> Reading[float]:
        """Takes what candles tell, with gaps as for ``Rsi``."""
    def over(
        self, candles: Iterable[CandleEvent | tuple[_Price, _Price, _Price]]
    ) -> list[float | None]:
        """What a new one of these says at each place of a series, ``None`` where it is not
        valid."""
    def on_gap(self, at_ns: int | None = None) -> Reading[float]:
        """Between the last input and the next one others may have been missed. Idempotent."""
    def on_time(self, at_ns: int) -> Reading[float]:
        """It is this time now, and nothing came since. Moves windows of time."""
    @property
    def reading(self) -> Reading[float]:
        """What it says after the last input."""
    @property
    def warm_up(self) -> int:
        """Inputs for the first number; of a window of time at least so many."""
