"""Compares the indicators with TA-Lib and polars, over candles made from a seed.

    pip install TA-Lib polars numpy
    python adapters/analytics/python/check.py [candles [seed]]

Prints the largest relative difference of each and what is allowed, and fails beyond that.
"""

import io
import os
import random
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import polars as pl
import talib

ROOT = Path(__file__).resolve().parents[3]
MINUTE_MS = 60_000
YEAR_MINUTES = 365 * 24 * 60


def candles(count, seed):
    """A random walk in ticks of 0.1, so that every price is a decimal of one digit."""
    rng = random.Random(seed)
    rows, close = ["time_ms,open,high,low,close,lots"], 630_001
    for number in range(count):
        opened = close
        path = [opened]
        for _ in range(8):
            path.append(max(1_000, path[-1] + rng.randint(-60, 60)))
        close = path[-1]
        prices = [opened, max(path), min(path), close]
        text = ",".join(f"{price // 10}.{price % 10}" for price in prices)
        rows.append(f"{1_790_000_040_000 + number * MINUTE_MS},{text},{rng.randint(1, 90_000)}")
    return "\n".join(rows) + "\n"


def ours(text):
    command = ["cargo", "run", "-q", "-p", "kucoin-futures-analytics", "--example", "indicators_csv", "--"]
    with tempfile.NamedTemporaryFile("w", suffix=".csv", delete=False) as file:
        file.write(text)
    try:
        done = subprocess.run(command + [file.name], cwd=ROOT, capture_output=True, text=True, check=True)
    finally:
        os.unlink(file.name)
    return pl.read_csv(io.StringIO(done.stdout), infer_schema_length=None)


def theirs(text):
    data = pl.read_csv(io.StringIO(text))
    high, low, close = (data[name].to_numpy().astype(float) for name in ("high", "low", "close"))
    upper, middle, lower = talib.BBANDS(close, 20, 2, 2)
    macd, signal, histogram = talib.MACD(close, 12, 26, 9)
    yield "sma", "TA-Lib", talib.SMA(close, 20), 1e-14
    yield "ema", "TA-Lib", talib.EMA(close, 20), 1e-14
    yield "rsi", "TA-Lib", talib.RSI(close, 14), 1e-11
    yield "atr", "TA-Lib", talib.ATR(high, low, close, 14), 1e-11
    yield "upper", "TA-Lib", upper, 1e-13
    yield "middle", "TA-Lib", middle, 1e-14
    yield "lower", "TA-Lib", lower, 1e-13
    yield "macd", "TA-Lib", macd, 1e-14
    yield "signal", "TA-Lib", signal, 1e-14
    yield "histogram", "TA-Lib", histogram, 1e-14
    price, lots = pl.col("close"), pl.col("lots").cast(pl.Float64)
    year = (YEAR_MINUTES / 20) ** 0.5
    frame = data.select(
        sma=price.rolling_mean(20),
        vwap=(price * lots).rolling_sum(20) / lots.rolling_sum(20),
        vwap_inverse=lots.rolling_sum(20) / (lots / price).rolling_sum(20),
        volatility=(price.log() - price.log().shift(1)).pow(2).rolling_sum(20).sqrt() * year,
    )
    for name, allowed in [("sma", 1e-14), ("vwap", 1e-13), ("vwap_inverse", 1e-13), ("volatility", 1e-10)]:
        yield name, "polars", frame[name].cast(pl.Float64).fill_null(float("nan")).to_numpy(), allowed


# What a difference is a part of, where that is not the number itself: lines around zero are differences of averages
# of prices, and can be no more exact than those.
OF_PRICE = {"macd", "signal", "histogram"}
WHY = """
All round, and in other orders. Sums of prices are exact here and averages err by a few units in the last place (1e-16),
so 1e-14 is left to averages, and 1e-13 to what is a root of a difference. Ranges and ratios of small changes get 1e-11:
TA-Lib takes the difference of two prices as floats, and loses the digits that both share; ours is exact. Volatility
gets 1e-10: polars has the difference of two logarithms there, of which the same is true. Lines around zero are compared
as parts of the price, because they are differences of averages of prices."""


def main():
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 20_000
    seed = int(sys.argv[2]) if len(sys.argv) > 2 else 1
    text = candles(count, seed)
    said = ours(text)
    price = pl.read_csv(io.StringIO(text))["close"].to_numpy()
    is_good = True
    print(f"{count} candles, seed {seed}; TA-Lib {talib.__version__}, polars {pl.__version__}")
    print(f"{'':<13} {'rival':<7} {'compared':>8} {'largest':>9} {'allowed':>8}")
    for name, rival, numbers, allowed in theirs(text):
        mine = said[name].cast(pl.Float64).fill_null(float("nan")).to_numpy()
        both = ~np.isnan(mine) & ~np.isnan(numbers)
        aligned = np.array_equal(np.isnan(mine), np.isnan(numbers))
        scale = np.abs(price if name in OF_PRICE else numbers)[both]
        largest = float(np.max(np.abs(mine - numbers)[both] / scale))
        fine = aligned and largest <= allowed and both.sum() > count - 40
        is_good &= fine
        word = "" if fine else ("  BEYOND" if aligned else "  BEGINS ELSEWHERE")
        print(f"{name:<13} {rival:<7} {int(both.sum()):>8} {largest:>9.1e} {allowed:>8.0e}{word}")
    print(WHY)
    sys.exit(0 if is_good else 1)


if __name__ == "__main__":
    main()
