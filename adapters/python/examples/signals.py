"""RSI, average price and funding of two contracts: `python signals.py [URL, or a recording]`."""

import sys
from collections.abc import Iterable
from decimal import Decimal
from pathlib import Path

import kucoin_futures as kf
from kucoin_futures import analytics as ka


class Market:
    """One contract. What is not valid decides nothing."""

    def __init__(self, symbol: str) -> None:
        self.symbol = symbol
        self.candles = ka.Candles("1min", symbol=symbol, fill_empty=True)
        self.rsi = ka.Rsi(14)
        self.vwap = ka.RollingVwap(span="15min", symbol=symbol)
        self.funding = ka.FundingDivergence(symbol=symbol)

    def take(self, event: kf.Event) -> None:
        for candle in self.candles.take(event):
            rsi = self.rsi.take(candle)
            if isinstance(candle, ka.ClosedCandle):
                self.decide(candle.close, rsi, self.vwap.reading, self.funding.reading)
        self.vwap.take(event)
        self.funding.take(event)

    def decide(
        self,
        close: Decimal,
        rsi: ka.Reading[float],
        vwap: ka.Reading[Decimal],
        funding: ka.Reading[ka.Funding],
    ) -> None:
        r, v, f = rsi.valid, vwap.valid, funding.valid
        if r is None or v is None or f is None:
            known = {"rsi": rsi, "vwap": vwap, "funding": funding}
            print(self.symbol, "wait:", {name: it.state for name, it in known.items() if not it})
            return
        why = f"rsi {r:.1f}, close {close} against {v}, premium {f.premium:.4%}"
        if r < 30 and close < v and f.premium < 0:
            print(self.symbol, "buy:", why)
        elif r > 70 and close > v and f.premium > 0:
            print(self.symbol, "sell:", why)


def run(events: Iterable[kf.Event], markets: list[Market]) -> None:
    for event in events:
        for market in markets:
            market.take(event)


SYMBOLS = ["XBTUSDTM", "ETHUSDTM"]
CHANNELS = [make(symbol) for symbol in SYMBOLS for make in (kf.trades, kf.instrument)]
source = next(iter(sys.argv[1:]), None)
if source is not None and Path(source).is_dir():
    run(kf.Recording(source).events(*CHANNELS), [Market(symbol) for symbol in SYMBOLS])
else:
    with kf.Feed(*CHANNELS, url=source) as feed:
        run(feed, [Market(symbol) for symbol in SYMBOLS])
