"""Indicators of prices, and the one of whole candles."""

from .._native import (
    Atr,
    Bollinger,
    Ema,
    Macd,
    Rsi,
    Sma,
    Volatility,
)

__all__ = [
    "Atr",
    "Bollinger",
    "Ema",
    "Macd",
    "Rsi",
    "Sma",
    "Volatility",
]
