"""Candles and bars, and what they tell."""

from .._native import (
    Bars,
    Candles,
    ClosedCandle,
    EmptyCandles,
    LateTrade,
    RunningCandle,
    TimelessTrade,
    UnknownCandles,
)

CandleEvent = ClosedCandle | EmptyCandles | UnknownCandles | LateTrade | TimelessTrade

__all__ = [
    "Bars",
    "CandleEvent",
    "Candles",
    "ClosedCandle",
    "EmptyCandles",
    "LateTrade",
    "RunningCandle",
    "TimelessTrade",
    "UnknownCandles",
]
