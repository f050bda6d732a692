# %% [markdown]
# # From a recording to a picture
#
# Three hours of three contracts on the simulated exchange, with a trouble every ten minutes: lines that end, changes
# and trades that do not come, a market that runs away. Everybody's recording of it is the same:
#
# ```sh
# pip install kucoin_futures polars matplotlib
# kcf record --from-soak 7 --profile trading --to day
# ```
#
# A recording of the exchange itself (`kcf record XBTUSDTM ETHUSDTM --to day --for 3h`) is read in the same way. This
# page is made of [`notebook/cells.py`](notebook/cells.py) by [`notebook/make.py`](notebook/make.py): text, numbers and
# pictures.

# %%
import kucoin_futures as kf

recording = kf.Recording(RECORDING)
for symbol, found in recording.info().symbols.items():
    print(f"{symbol:12} {found.deltas:6} changes of the book, {found.trades:5} trades, {len(found.gaps)} gaps")

# %% [markdown]
# ## Trades as a frame
#
# A table of the recording is read in columns; polars, pandas, pyarrow and DuckDB take it without a copy. Prices are
# exact decimals. `gap_before` says that trades may be missing before a row: whoever sums over it knows what it is the sum
# of.

# %%
import polars

trades = polars.DataFrame(recording.table("trades"))
trades.group_by("symbol").agg(
    polars.len().alias("trades"),
    polars.col("size").sum().alias("lots"),
    polars.col("gap_before").sum().alias("gaps"),
    polars.col("price").min().alias("lowest"),
    polars.col("price").max().alias("highest"),
).sort("symbol")

# %% [markdown]
# ## Candles, VWAP and RSI
#
# Candles are made of the trades as they come. `take` looks at every event: a trade goes into its candle, and where the
# feed says that it may have missed something, the candle is said not to be whole. An indicator that has taken such a
# candle says so itself, until it knows enough again: its reading is `stale`, and never a silent number.

# %%
from kucoin_futures import analytics

SYMBOL = "XBTUSDTM"
candles = analytics.Candles("1min", symbol=SYMBOL)
rsi, vwap = analytics.Rsi(14), analytics.RollingVwap(span="30min")
rows = []
for event in recording.events(kf.trades(SYMBOL)):
    vwap.take(event)
    for told in candles.take(event):
        if isinstance(told, analytics.ClosedCandle):
            rows.append((told, rsi.push(told), vwap.reading))

whole = sum(candle.is_whole for candle, _, _ in rows)
print(f"{len(rows)} candles, {whole} of them whole")
for candle, strength, average in rows[:3] + rows[60:62]:
    print(candle.close, strength, average)

# %%
from matplotlib import pyplot

MINUTE = 60e9
start = rows[0][0].start_ns


def minutes(ns):
    return (ns - start) / MINUTE


def shade(axes, spans):
    for place, (begin, end) in enumerate(spans):
        axes.axvspan(begin, end, color="tab:red", alpha=0.15, label="may have missed something" if place == 0 else None)


missed = [
    (minutes(candle.start_ns), minutes(candle.end_ns)) for candle, _, _ in rows if not candle.is_whole
]
figure, (price, strength) = pyplot.subplots(2, sharex=True, height_ratios=(3, 1), figsize=(9, 5))
for candle, _, _ in rows:
    at = minutes(candle.start_ns) + 0.5
    colour = "tab:green" if candle.close >= candle.open else "tab:red"
    price.plot([at, at], [float(candle.low), float(candle.high)], color=colour, linewidth=0.6)
    price.plot([at, at], [float(candle.open), float(candle.close)], color=colour, linewidth=2.2)
for reading, name, axes in ((2, "VWAP of 30 minutes", price), (1, "RSI of 14", strength)):
    for state, style in (("valid", "-"), ("stale", ":")):
        shown = [row[reading] for row in rows]
        line = [float(it.value) if it.state == state else float("nan") for it in shown]
        label = name if state == "valid" else f"{name}, stale"
        axes.plot([minutes(row[0].end_ns) for row in rows], line, style, color="tab:blue", label=label)
shade(price, missed)
shade(strength, missed)
price.set_ylabel(f"{SYMBOL}, USDT")
price.legend(loc="upper left", fontsize=8)
strength.set_ylabel("RSI")
strength.set_ylim(0, 100)
strength.set_xlabel("minutes")
for level in (30, 70):
    strength.axhline(level, color="grey", linewidth=0.5)

# %% [markdown]
# The dotted parts are what most programs draw without a word: an RSI that has swallowed a minute of which trades are
# missing. Where the average of half an hour is dotted, a part of that half hour may be missing.
#
# ## Depth over time
#
# The book is at hand beside every event, exact or not to be read: while it is not live, there is nothing to draw.

# %%
replay = recording.events(kf.level2(SYMBOL))
depth, lost = [], []
due = 0
for event in replay:
    now = replay.received_ns
    if isinstance(event, kf.BookLost):
        lost.append([now, None])
    elif isinstance(event, kf.BookLive) and lost:
        lost[-1][1] = now
    if now >= due:
        due = now + 10_000_000_000
        book = replay.book(SYMBOL)
        if book.is_live:
            bids, asks = book.bids(20), book.asks(20)
            depth.append((now, sum(it.size for it in bids), sum(it.size for it in asks), book.spread))
        else:
            depth.append((now, None, None, None))

lost = [(begin, end or now) for begin, end in lost]
print(f"{len(depth)} looks at the book, {sum(it[1] is None for it in depth)} of them at none")
for begin, end in lost:
    print(f"lost at minute {minutes(begin):5.1f} for {(end - begin) / 1e9:.2f} s")

# %%
figure, (lots, spread) = pyplot.subplots(2, sharex=True, height_ratios=(3, 1), figsize=(9, 5))
nan = float("nan")
times = [minutes(it[0]) for it in depth]
lots.fill_between(times, [nan if it[1] is None else it[1] for it in depth], color="tab:green", alpha=0.5, label="bid, 20 levels")
lots.fill_between(times, [nan if it[2] is None else -it[2] for it in depth], color="tab:red", alpha=0.5, label="asked, 20 levels")
lots.axhline(0, color="black", linewidth=0.5)
spread.plot(times, [nan if it[3] is None else float(it[3]) for it in depth], color="tab:blue", linewidth=0.8)
for axes in (lots, spread):
    for begin, end in lost:
        # Half a minute wide at least: a second would not be seen.
        axes.axvspan(minutes(begin), max(minutes(end), minutes(begin) + 0.5), color="grey", alpha=0.5)
lots.set_ylabel("lots")
lots.legend(loc="upper left", fontsize=8)
spread.set_ylabel("spread, USDT")
_ = spread.set_xlabel("minutes; grey: the book was not live")

# %% [markdown]
# ## Mark, index and funding
#
# The premium of the mark price over the index is valid while marks come. The estimate of the next funding rate is set
# beside the rate that was charged last, and not around a settlement: what is shown then is of the interval that ends.

# %%
from collections import Counter

funding = analytics.FundingDivergence("8hour")
said = Counter()
premiums = []
for event in recording.events(kf.instrument(SYMBOL)):
    reading = funding.take(event)
    said[reading.state] += 1
    if reading:
        premiums.append(float(reading.value.premium))

print(dict(said))
print(f"premium from {min(premiums):.4%} to {max(premiums):.4%}, {sum(premiums) / len(premiums):.4%} on average")
