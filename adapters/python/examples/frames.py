"""Trades as polars frames, five seconds each: `python frames.py [URL]`. Needs polars."""

import sys

import kucoin_futures as kf
import polars

FEED = kf.Feed(kf.trades("XBTUSDTM"), kf.trades("ETHUSDTM"), url=next(iter(sys.argv[1:]), None))

with FEED as feed:
    while True:
        frame = polars.DataFrame(feed.trades(timeout=5))
        print(
            frame.group_by("symbol").agg(
                polars.len().alias("trades"),
                polars.col("size").sum().alias("lots"),
                polars.col("price").last(),
                polars.col("gap_before").any().alias("may have missed some"),
            )
        )
