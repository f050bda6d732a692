"""Candles of a minute with RSI and average price: `python candles.py [URL]`."""

import sys

import kucoin_futures as kf
from kucoin_futures import analytics as ka

candles, rsi, vwap = ka.Candles("1min"), ka.Rsi(14), ka.RollingVwap(span="15min")
with kf.Feed(kf.trades("XBTUSDTM"), url=next(iter(sys.argv[1:]), None)) as feed:
    for event in feed:
        for candle in candles.take(event):
            strength = rsi.take(candle)
            match candle:
                case ka.ClosedCandle(close=close, is_whole=True):
                    print("close", close, "rsi", strength, "vwap", vwap.reading)
                case _:
                    print("something may be missing:", candle, file=sys.stderr)
        vwap.take(event)
