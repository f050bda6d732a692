"""Trades and candles that are made up."""

from __future__ import annotations

import kucoin_futures as kf
from kucoin_futures import analytics as ka

SECOND = 1_000_000_000
MINUTE = 60 * SECOND
T0 = 1_790_000_040 * SECOND
"""Begins a minute."""
TOPIC = "/contractMarket/execution:XBTUSDTM"


def trade(
    sequence: int, second: float, price: str | int, size: int = 1, symbol: str = "XBTUSDTM"
) -> kf.Trade:
    ts_ns = T0 + round(second * SECOND)
    return kf.Trade(symbol, sequence, "buy", price, size, str(sequence), None, None, ts_ns)


def timeless(sequence: int) -> kf.Trade:
    return kf.Trade("XBTUSDTM", sequence, "buy", 1, 1, "t", None, None, None)


def candle(minute: int, close: str | int, is_whole: bool = True) -> ka.ClosedCandle:
    start = T0 + minute * MINUTE
    prices = (close, close, close, close)
    return ka.ClosedCandle(start, start + MINUTE, *prices, 1, None, 1, 1, 1, 1, is_whole)
