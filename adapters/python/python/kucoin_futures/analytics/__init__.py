"""Candles and indicators that say what they know, and what they may have missed.

::

    import kucoin_futures as kf
    from kucoin_futures import analytics as ka

    candles, rsi = ka.Candles("1min"), ka.Rsi(14)
    with kf.Feed(kf.trades("XBTUSDTM")) as feed:
        for event in feed:
            for candle in candles.take(event):
                print(candle, rsi.take(candle))

Every number comes as a ``Reading``: warming, valid or stale. A valid one is exactly its formula
over all inputs since the last gap, digit for digit. After a gap the formula goes on as if nothing
were missing, and its number is stale, until one that has begun after the gap has a number of its
own: a window when it holds nothing from before, a recursive formula when it is warm. A gap before
the first number begins everything anew.

Prices are given as ``Decimal``, int or text, exactly. A float is taken as its shortest decimal
text, rounded to 12 decimals.

What nobody can see in the trades alone: messages that the exchange leaves out of its stream
without a sign. Its own candles (``kf.candles``) tell of those: compare ``lots`` with ``volume``.
"""

from .candles import (
    Bars,
    CandleEvent,
    Candles,
    ClosedCandle,
    EmptyCandles,
    LateTrade,
    RunningCandle,
    TimelessTrade,
    UnknownCandles,
)
from .imbalance import Imbalance
from .markets import (
    BookMeans,
    FundingDivergence,
    Microprice,
    OrderFlowImbalance,
    RollingVwap,
    SessionVwap,
)
from .prices import Atr, Bollinger, Ema, Macd, Rsi, Sma, Volatility
from .readings import Bands, BookMean, Funding, MacdValue, Reading

__all__ = [
    "Atr",
    "Bands",
    "Bars",
    "Bollinger",
    "BookMean",
    "BookMeans",
    "CandleEvent",
    "Candles",
    "ClosedCandle",
    "Ema",
    "EmptyCandles",
    "Funding",
    "FundingDivergence",
    "Imbalance",
    "LateTrade",
    "Macd",
    "MacdValue",
    "Microprice",
    "OrderFlowImbalance",
    "Reading",
    "RollingVwap",
    "Rsi",
    "RunningCandle",
    "SessionVwap",
    "Sma",
    "TimelessTrade",
    "UnknownCandles",
    "Volatility",
]
