"""What analytics tell are values, mistakes say what to do, and nothing waits for Python."""

from __future__ import annotations

import pickle
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path

import kucoin_futures as kf
import pytest
from kucoin_futures import analytics as ka
from made import candle, timeless, trade

WHOLE = candle(0, "63000.1")
VALUES: list[object] = [
    WHOLE,
    candle(0, "63000.1", is_whole=False),
    ka.RunningCandle(1, 2, 3, 4, 2, "3.5", 10**30, "0.1", None, None, None, None, True),
    ka.EmptyCandles(1, 2),
    ka.UnknownCandles(1, 2),
    ka.LateTrade(trade(1, 1, 1), None),
    ka.TimelessTrade(timeless(1)),
    ka.Bands(3.0, 2.0, 1.0, 0.5),
    ka.MacdValue(1.0, -0.0, 1.0),
    ka.BookMean("0.1", 1.0, 2.0),
    ka.Funding("0.1", "no_estimate", None, None, None, None, None, None, None, None),
    ka.Reading("warming", needed=3),
    ka.Reading("valid", Decimal("1.5"), valid_since_ns=7),
    ka.Reading("valid", 1.5, valid_since_ns=7),
    ka.Reading("stale", 5, gap_ns=7),
    ka.Reading("stale", ka.Bands(3.0, 2.0, 1.0, 0.5), gap_ns=7),
]


@pytest.mark.parametrize("value", VALUES, ids=lambda it: type(it).__name__)
def test_what_is_told_is_a_value(value: object) -> None:
    again = pickle.loads(pickle.dumps(value))
    assert again == value and again is not value
    assert [other for other in VALUES if other == value] == [value]
    assert eval(repr(value), {**vars(kf), **vars(ka), "Decimal": Decimal}) == value
    with pytest.raises(AttributeError):
        value.state = 1  # type: ignore[attr-defined]


def test_floats_are_made_when_asked_for() -> None:
    assert (WHOLE.open_float, WHOLE.close_float, WHOLE.turnover_float) == (63000.1, 63000.1, None)
    assert type(WHOLE.close) is Decimal and hash(WHOLE) == hash(candle(0, "63000.1"))


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: ka.Candles("7min"), "1min"),
        (lambda: ka.Candles("1month"), "month"),
        (lambda: ka.Candles(0), "zero"),
        (lambda: ka.Candles(-1), "seconds"),
        (lambda: ka.Candles(60, lot=0), "above zero"),
        (lambda: ka.Bars(), "one of ticks="),
        (lambda: ka.Bars(ticks=1, lots=1), "one of ticks="),
        (lambda: ka.Bars(value=1), "lot="),
        (lambda: ka.Bars(ticks=0), "zero"),
        (lambda: ka.Bars(imbalance=ka.Imbalance(9, 1.0, 1, 1, 2)), "between"),
        (lambda: ka.Sma(0), "zero"),
        (lambda: ka.Sma(70_000), "65536"),
        (lambda: ka.Bollinger(20, float("nan")), "above zero"),
        (lambda: ka.Macd(26, 12, 9), "fast"),
        (lambda: ka.RollingVwap(), "last="),
        (lambda: ka.OrderFlowImbalance(last=1, span=1), "last="),
        (lambda: ka.FundingDivergence(7), "year"),
        (lambda: ka.Reading("valid"), "value"),
        (lambda: ka.Atr(2).push((1, 2, 3)), "lowest"),
        (lambda: ka.Atr(2).push(1), "candle"),  # type: ignore[arg-type]
    ],
)
def test_mistakes_say_what_to_do(make: Callable[[], object], words: str) -> None:
    with pytest.raises(kf.MisuseError, match=words):
        make()


def test_nothing_is_locked_while_python_runs() -> None:
    rsi, candles = ka.Rsi(3), ka.Candles("1min")

    class Odd:
        """A price that looks at the indicator while it is read."""

        def __format__(self, spec: str) -> str:
            rsi.push(1)
            return "2"

    def prices() -> Iterator[float]:
        for price in (1.0, 2.0, 3.0, 4.0):
            rsi.push(price)
            yield price

    rsi.push(Odd())  # type: ignore[arg-type]
    assert rsi.over(prices()) == [None, None, None, 100.0]

    def work() -> None:
        for n in range(2000):
            for symbol in ("XBTUSDTM", "ETHUSDTM"):
                try:
                    candles.take(trade(n, n, 100, symbol=symbol))
                except kf.MisuseError:
                    pass
            rsi.push(n)
            rsi.over([1, 2, 3])

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert not any(thread.is_alive() for thread in threads)


REENTRANT = """
import kucoin_futures as kf
from kucoin_futures import analytics as ka, errors
from made import trade

objects = [ka.Candles("1min"), ka.Bars(ticks=9), ka.RollingVwap(last=3), ka.SessionVwap("1day")]

class Curious(errors.MisuseError):
    def __init__(self, text):
        super().__init__(text)
        for it in objects:
            it.take(trade(2, 2, 100))

errors.MisuseError = Curious
raised = 0
for it in objects:
    it.take(trade(1, 1, 100))
for it in objects:
    for give in (it.push, it.take):
        try:
            give(trade(3, 3, 100, symbol="ETHUSDTM"))
        except Curious:
            raised += 1
print(raised)
"""


def test_nothing_is_locked_while_an_error_is_made() -> None:
    # In a process of its own: what waits for a lock inside would stop this one, too.
    folder = Path(__file__).parent
    command = [sys.executable, "-c", REENTRANT]
    done = subprocess.run(
        command, cwd=folder, capture_output=True, text=True, timeout=30, check=False
    )
    assert done.stdout == "8\n", done.stderr
