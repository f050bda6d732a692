"""Candles equal the exchange's where they say that they are whole."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import kucoin_futures as kf
import pytest
from conftest import Record
from kucoin_futures import analytics as ka
from kucoin_futures.replies import Kline
from made import MINUTE, T0, TOPIC, timeless, trade

LOTS = {"XBTUSDTM": "0.001", "ETHUSDTM": "0.01"}


def compare(
    recording: kf.Recording, symbol: str
) -> tuple[list[ka.ClosedCandle], dict[int, kf.Candle], list[int]]:
    """Our candles, the last push of each minute of the exchange's, and where the stream broke."""
    ours: list[ka.ClosedCandle] = []
    theirs: dict[int, kf.Candle] = {}
    breaks: list[int] = []
    candles = ka.Candles("1min", symbol=symbol, lot=LOTS[symbol])
    replay = recording.events()
    for event in replay:
        match event:
            case kf.Candle(symbol=of, interval="1min") if of == symbol:
                theirs[event.start_ns] = event
            case kf.MayHaveMissed(topic=topic) if topic.endswith(f"execution:{symbol}"):
                breaks.append(replay.received_ns or 0)
            case _:
                pass
        ours += [it for it in candles.take(event) if isinstance(it, ka.ClosedCandle)]
    return ours, theirs, breaks


def is_same(ours: ka.ClosedCandle, theirs: kf.Candle) -> bool:
    prices = (ours.open, ours.high, ours.low, ours.close)
    return (*prices, ours.lots, ours.turnover) == (
        *(theirs.open, theirs.high, theirs.low, theirs.close),
        theirs.volume,
        theirs.turnover,
    )


@pytest.mark.parametrize("symbol", LOTS)
@pytest.mark.parametrize("seed", [1, 5])
def test_whole_candles_are_the_exchanges(record: Record, seed: int, symbol: str) -> None:
    ours, theirs, breaks = compare(kf.Recording(record(seed)), symbol)
    whole = [it for it in ours if it.is_whole]
    told = [it for it in whole if it.start_ns in theirs]
    assert len(told) >= 55 and len(breaks) >= 1, (len(ours), len(told), len(breaks))
    assert all(is_same(it, theirs[it.start_ns]) for it in told)
    for at in breaks:
        assert not any(it.start_ns <= at < it.end_ns for it in whole), at


def test_what_the_exchange_leaves_out_shows_in_its_own_candles_only(record: Record) -> None:
    ours, theirs, _ = compare(kf.Recording(record(7)), "ETHUSDTM")
    told = [it for it in ours if it.is_whole and it.start_ns in theirs]
    other = [it for it in told if not is_same(it, theirs[it.start_ns])]
    # In this run it skips a trade, and neither line nor sequence tells of that.
    assert [(it.lots, theirs[it.start_ns].volume) for it in other] == [(217_480, 256_510)]
    assert len(told) >= 55


def test_candles_take_any_event_and_know_a_gap() -> None:
    candles = ka.Candles("1min", lot="0.001")
    assert candles.running is None and candles.symbol is None
    assert candles.take(trade(1, 50, 100)) == [] == candles.take(kf.BookLive("XBTUSDTM", 1, 1))
    (first,) = candles.take(trade(2, 60.5, "100.5", 2))
    assert isinstance(first, ka.ClosedCandle) and not first.is_whole
    (second,) = candles.take(trade(3, 121, 99))
    assert second == ka.ClosedCandle(
        *(T0 + MINUTE, T0 + 2 * MINUTE, "100.5", "100.5", "100.5", "100.5"),
        *(2, "0.201", 1, 2, 2, 2, True),
    )
    running = candles.running
    assert isinstance(running, ka.RunningCandle) and running.is_whole and running.lots == 1
    assert candles.symbol == "XBTUSDTM"
    gone = kf.State("malformed", "", TOPIC, "XBTUSDTM", None, None, None, None)
    other = kf.MayHaveMissed("/contractMarket/execution:ETHUSDTM", "ETHUSDTM")
    tickers = kf.MayHaveMissed("/contractMarket/tickerV2:XBTUSDTM", "XBTUSDTM")
    for minute, (event, is_gap) in enumerate(
        [
            (other, False),
            (tickers, False),
            (kf.Lagged(3), True),
            (kf.MayHaveMissed(TOPIC, "XBTUSDTM"), True),
            (gone, True),
            (kf.State("confirmed", "", TOPIC, "XBTUSDTM", None, None, None, None), True),
            (kf.State("silent", "", TOPIC, "XBTUSDTM", None, None, None, None), False),
        ]
    ):
        at = 10 + 3 * minute
        for second in (0, 60, 61):
            candles.take(trade(at * 100 + second, at * 60 + second, 100))
        assert candles.running and candles.running.is_whole
        candles.take(event)
        assert candles.running.is_whole is not is_gap, event


def test_what_is_not_a_candle() -> None:
    candles = ka.Candles("1min")
    candles.push(trade(1, 0, 100))
    assert [type(it) for it in candles.on_time(T0 + MINUTE)] == [ka.ClosedCandle]
    assert candles.on_time(T0 + 3 * MINUTE) == [ka.EmptyCandles(T0 + MINUTE, T0 + 3 * MINUTE)]
    late = trade(2, 30, 101)
    assert candles.push(late) == [ka.LateTrade(late, T0)]
    assert candles.push(timeless(3)) == [ka.TimelessTrade(timeless(3))]
    assert candles.on_time(T0 + 4 * MINUTE) == [
        ka.UnknownCandles(T0 + 3 * MINUTE, T0 + 4 * MINUTE)
    ]
    filled = ka.Candles(timedelta(minutes=1), fill_empty=True)
    filled.push(trade(1, 0, 100))
    (closed, empty) = filled.push(trade(2, 130, 100))
    assert isinstance(empty, ka.ClosedCandle) and (empty.lots, empty.is_whole) == (0, True)
    assert isinstance(closed, ka.ClosedCandle) and closed.turnover is None


def test_a_candle_that_history_has_begun() -> None:
    row = Kline(T0, *map(Decimal, ("100", "102", "99", "101")), 7, Decimal("0.7"))
    candles = ka.Candles(60, lot="0.001")
    candles.seed(row, through=5)
    assert candles.push(trade(4, 10, 50)) == []
    (seeded,) = candles.push(trade(6, 50, 103, 2)) + candles.push(trade(7, 61, 100))
    assert isinstance(seeded, ka.ClosedCandle) and seeded.is_whole
    assert (seeded.high, seeded.close, seeded.lots, seeded.turnover) == (103, 103, 9, Decimal("0.906"))
    with pytest.raises(kf.MisuseError, match="told already"):
        candles.seed(row, through=9)


def test_one_contract_each() -> None:
    other = trade(1, 0, 5, symbol="ETHUSDTM")
    candles, vwap = ka.Candles("1min"), ka.RollingVwap(last=1)
    for each in (candles, vwap):
        each.take(trade(1, 0, 100))
        with pytest.raises(kf.MisuseError, match=r"XBTUSDTM, and ETHUSDTM came.*symbol="):
            each.take(other)
        with pytest.raises(kf.MisuseError, match="symbol="):
            each.push(other)
    named = ka.Candles("1min", symbol="XBTUSDTM")
    assert named.take(other) == [] and named.running is None
    with pytest.raises(kf.MisuseError, match="symbol="):
        named.push(other)


@pytest.mark.parametrize(
    ("bars", "closes"),
    [
        (ka.Bars(ticks=2), [101, 103]),
        (ka.Bars(lots=3), [102]),
        (ka.Bars(value="300", lot=1), [102]),
        (ka.Bars(imbalance=ka.Imbalance(2, 1.0, 10, 2, 2)), [101, 103]),
    ],
)
def test_bars(bars: ka.Bars, closes: list[int]) -> None:
    told = [it for n in range(5) for it in bars.take(trade(n + 1, n, 100 + n))]
    assert [it.close for it in told if isinstance(it, ka.ClosedCandle) and it.is_whole] == closes
    assert bars.running is not None and bars.running.close == 104
