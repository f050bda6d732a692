"""Numbers are right, or say what they lack."""

from __future__ import annotations

import random
import subprocess
import sys
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import kucoin_futures as kf
import pytest
from conftest import Record
from kucoin_futures import analytics as ka
from made import MINUTE, SECOND, T0, TOPIC, candle, timeless, trade


def test_a_reading_is_warming_valid_or_stale() -> None:
    sma = ka.Sma(2)
    assert sma.warm_up == 2
    first = sma.push("1", at_ns=10)
    assert (first.state, first.value, first.needed, bool(first)) == ("warming", None, 1, False)
    second = sma.push(Decimal("2.5"), at_ns=20)
    assert (second.value, second.valid, second.value_float) == (Decimal("1.75"), Decimal("1.75"), 1.75)
    assert (second.valid_since_ns, second.gap_ns, second.needed, bool(second)) == (10, None, 0, True)
    gap = sma.on_gap(25)
    assert (gap.state, gap.value, gap.valid, gap.gap_ns) == ("stale", Decimal("1.75"), None, 25)
    assert sma.push(3, at_ns=30).state == "stale"
    match sma.push(4, at_ns=40):
        case ka.Reading("valid", value):
            assert value == Decimal("3.5")
        case other:
            pytest.fail(repr(other))
    assert sma.reading == ka.Reading("valid", Decimal("3.5"), valid_since_ns=30)
    assert repr(sma.reading) == "Reading('valid', Decimal('3.5'), valid_since_ns=30)"
    untimed = ka.Sma(1).push(1)
    assert untimed and untimed.valid_since_ns is None


def test_a_candle_that_is_not_whole_is_in_no_valid_number() -> None:
    sma = ka.Sma(2)
    states = [
        sma.take(it).state
        for it in (
            *(candle(0, 9, is_whole=False), candle(1, 1), candle(2, 2)),
            *(candle(3, 9, is_whole=False), candle(4, 3), candle(5, 4)),
            *(ka.EmptyCandles(T0, T0), ka.UnknownCandles(T0 + 6 * MINUTE, T0 + 7 * MINUTE)),
            *(candle(7, 1), candle(8, 1), ka.LateTrade(trade(1, 1, 1), None)),
            *(candle(9, 1), candle(10, 1), ka.TimelessTrade(timeless(1))),
        )
    ]
    assert states == [
        *("warming", "warming", "valid", "stale", "stale", "valid"),
        *("valid", "stale", "stale", "valid", "stale", "stale", "valid", "stale"),
    ]
    assert sma.reading.gap_ns == T0 + 11 * MINUTE
    with pytest.raises(kf.MisuseError, match="Candles and Bars"):
        sma.take(trade(1, 1, 1))  # type: ignore[arg-type]


def test_prices_come_in_exactly() -> None:
    one = ka.Sma(1)
    for given, taken in [
        (63000.1, "63000.1"),
        (0.1, "0.1"),
        (1 / 3, "0.333333333333"),
        (1e-13, "0"),
        ("0.000000000001", "0.000000000001"),
        (Decimal("1E+3"), "1000"),
    ]:
        assert one.push(given).value == Decimal(taken), given
    for wrong in (float("nan"), float("inf"), -1.0, 1e300):
        with pytest.raises(kf.MisuseError, match="price"):
            one.push(wrong)
    with pytest.raises(ValueError, match="not a price"):
        one.push("-1")
    assert one.reading.value == 1000


def test_a_series_is_what_pushes_say() -> None:
    random.seed(4)
    prices = [round(100 + random.gauss(0, 1), 2) for _ in range(200)]
    indicators: list[ka.Rsi | ka.Ema | ka.Sma | ka.Volatility | ka.Macd | ka.Bollinger] = [
        *(ka.Rsi(14), ka.Ema(9), ka.Sma(7), ka.Volatility(10, every=60)),
        *(ka.Macd(3, 5, 4), ka.Bollinger(5)),
    ]
    for it in indicators:
        batch = it.over(prices)
        assert it.reading.state == "warming", "the indicator itself does not change"
        pushed = [it.push(price) for price in prices]
        assert batch == [reading.value_float if reading else None for reading in pushed]
        assert batch[it.warm_up - 2] is None and batch[it.warm_up - 1] is not None
    # Of candles: one that is not whole, and what is too near behind it, is nothing.
    assert ka.Sma(2).over([candle(0, 1), candle(1, 3), candle(2, 5, False), *map(str, (7, 9))]) == [
        *(None, 2.0, None, None, 8.0)
    ]


def test_as_ta_lib_does_it() -> None:
    talib = pytest.importorskip("talib", reason="TA-Lib is not installed: nothing to compare with")
    numpy = pytest.importorskip("numpy")
    random.seed(5)
    close = [63000.0]
    for _ in range(999):
        close.append(round(close[-1] + random.gauss(0, 20), 1))
    high, low = [it + random.randrange(9) for it in close], [it - random.randrange(9) for it in close]
    array = numpy.array(close)
    pairs = [
        (ka.Rsi(14).over(array), talib.RSI(array, 14)),
        (ka.Sma(20).over(array), talib.SMA(array, 20)),
        (ka.Ema(20).over(close), talib.EMA(array, 20)),
        (ka.Atr(14).over(zip(high, low, close)), talib.ATR(numpy.array(high), numpy.array(low), array, 14)),
        ([it and it.upper for it in ka.Bollinger(20, 2).over(close)], talib.BBANDS(array, 20, 2, 2)[0]),
        ([it and it.signal for it in ka.Macd(12, 26, 9).over(close)], talib.MACD(array, 12, 26, 9)[1]),
    ]
    for ours, theirs in pairs:
        assert len(ours) == len(theirs) == 1000
        compared = 0
        for one, other in zip(ours, theirs):
            assert (one is None) == bool(numpy.isnan(other))
            if one is not None:
                assert one == pytest.approx(other, rel=1e-9, abs=1e-6)
                compared += 1
        assert compared > 900


def test_average_prices() -> None:
    vwap, day = ka.RollingVwap(span=10), ka.SessionVwap("1min")
    inverse = ka.RollingVwap(last=2, inverse=True)
    assert vwap.take(trade(1, 0, 100, 1)).state == "warming"
    assert vwap.take(trade(2, 10, 103, 2)).value == Decimal("103")
    assert vwap.take(trade(3, 11, 106, 1)).value == Decimal("104")
    assert vwap.on_time(T0 + 30 * SECOND).state == "warming", "nothing was traded in the window"
    assert vwap.take(kf.Lagged(1)).state == "warming"
    inverse.push((100, 1))
    assert inverse.push(("300", 3)).value == Decimal("200")
    assert day.take(kf.MayHaveMissed(TOPIC, "XBTUSDTM")).state == "warming"
    first = day.take(trade(1, 0, 100))
    assert (first.state, first.gap_ns) == ("stale", T0), "the session may have begun before"
    assert day.take(trade(2, 60, 101)).valid == 101 and day.session_ns == T0 + MINUTE
    assert day.take(kf.MayHaveMissed(TOPIC, "XBTUSDTM")).state == "stale"
    assert day.anchor(T0 + 90 * SECOND).state == "warming"
    assert day.take(trade(3, 91, 105)).valid == 105
    assert day.take(timeless(4)).state == "stale"
    for timed in (ka.RollingVwap(span=1), ka.SessionVwap()):
        with pytest.raises(kf.MisuseError, match="at_ns="):
            timed.push((100, 1))


def test_what_the_touch_says(record: Record) -> None:
    bid, ask = kf.Level(100, 3), kf.Level(101, 1)
    micro, flow = ka.Microprice(), ka.OrderFlowImbalance(last=1)
    assert micro.push((bid, ask)).value == Decimal("100.75")
    flow.push((bid, ask))
    assert flow.push((kf.Level(100, 8), kf.Level(102, 1))).value == 6
    assert flow.push(kf.TickerV2("XBTUSDTM", 1, bid, None, 5)).state == "stale"
    assert micro.push((bid, kf.Level(101, 0))).state == "stale"
    # Of a run: of books and of tickers.
    means, book_flow = ka.BookMeans(60, levels=3), ka.OrderFlowImbalance(span=10)
    flow = ka.OrderFlowImbalance(span=timedelta(seconds=10), symbol="XBTUSDTM")
    states: set[tuple[str, str]] = set()
    replay = kf.Recording(record(7)).events(kf.level2("XBTUSDTM"), kf.ticker_v2("XBTUSDTM"))
    for event in replay:
        states.add(("flow", flow.take(event).state))
        if isinstance(event, (kf.Delta, kf.BookLost)):
            book, at = replay.book("XBTUSDTM"), replay.received_ns or 0
            states.add(("book flow", book_flow.push(book, at_ns=at).state))
            states.add(("means", means.push(book, at_ns=at).state))
            assert book.is_live or means.reading.state == "stale"
    assert {(name, "stale") for name in ("flow", "book flow", "means")} <= states
    mean = means.reading.value
    assert ("means", "valid") in states and ("flow", "valid") in states
    assert isinstance(mean, ka.BookMean) and mean.spread > 0 and mean.bid_lots > 0


def test_funding_around_a_settlement() -> None:
    def mark(second: int, price: str) -> kf.MarkPrice:
        at = T0 + second * SECOND
        return kf.MarkPrice("XBTUSDTM", Decimal(price), Decimal(63000), 1000, at)

    def estimate(second: int, rate: str) -> kf.FundingRate:
        return kf.FundingRate("XBTUSDTM", Decimal(rate), 60_000, None, T0 + second * SECOND)

    funding = ka.FundingDivergence(symbol="XBTUSDTM")
    assert funding.take(estimate(0, "0.0001")).state == "warming"
    said = funding.take(mark(1, "63063"))
    assert said.valid and said.valid.premium == Decimal("0.001")
    assert said.valid.state == "no_settled_rate" and not said.valid.is_comparable
    end = kf.FundingEnd("XBTUSDTM", T0 + 10 * SECOND, Decimal("0.0002"), T0 + 12 * SECOND)
    funding.take(mark(11, "63063"))
    settling = funding.take(end).valid
    assert settling and (settling.state, settling.settlement_ns) == ("settling", T0 + 10 * SECOND)
    funding.take(estimate(130, "0.00005"))
    now = funding.take(mark(131, "62937")).valid
    assert now and now.is_comparable and now.premium == Decimal("-0.001")
    assert (now.estimate, now.settled) == (Decimal("0.00005"), Decimal("0.0002"))
    assert now.difference == Decimal("-0.00015") and now.settled_per_year == Decimal("0.219")
    assert now.next_settlement_ns == T0 + 10 * SECOND + 8 * 60 * MINUTE
    assert funding.take(kf.MarkPrice("ETHUSDTM", Decimal(1), Decimal(2), 1000, T0)) == funding.reading
    assert funding.reading.valid == now
    assert funding.on_time(T0 + 137 * SECOND).state == "stale", "no mark price for 6 s"
    funding.take(mark(138, "63000"))
    gap = kf.MayHaveMissed("/contract/instrument:XBTUSDTM", "XBTUSDTM")
    assert funding.take(gap).state == "stale"
    again = funding.take(mark(139, "63000")).valid
    assert again and again.state == "no_estimate"


def test_indicators_are_stale_over_the_gaps_of_a_run_and_recover(record: Record) -> None:
    candles, rsi = ka.Candles("1min", symbol="XBTUSDTM", fill_empty=True), ka.Rsi(5)
    vwap = ka.RollingVwap(span="1min", symbol="XBTUSDTM")
    rsis: list[str] = []
    vwaps: list[str] = []
    for event in kf.Recording(record(1)).events(kf.trades("XBTUSDTM")):
        rsis += [rsi.take(it).state for it in candles.take(event)]
        vwaps.append(vwap.take(event).state)
    for states in (rsis, vwaps):
        runs = [state for at, state in enumerate(states) if at == 0 or states[at - 1] != state]
        assert runs[:2] == ["warming", "valid"] and "stale" in runs, runs
        assert runs[runs.index("stale") + 1] == "valid", runs
    assert rsis.count("valid") > 30


@pytest.mark.parametrize("seed", [1, 7])
def test_the_example_decides_over_a_recording(record: Record, seed: int) -> None:
    example = Path(__file__).parents[1] / "examples" / "signals.py"
    command = [sys.executable, str(example), str(record(seed))]
    said = subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines()
    assert {line.split()[0] for line in said} == {"XBTUSDTM", "ETHUSDTM"}
    assert any(" buy: rsi " in line or " sell: rsi " in line for line in said), said[-5:]
    waits = [line for line in said if " wait: " in line]
    assert any("warming" in line for line in waits)
    # In the first run lines end once the indicators are warm; in the other one before that.
    assert any("'rsi': 'stale'" in line for line in waits) is (seed == 1), waits
