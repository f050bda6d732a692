"""Every trade with best bid and offer: `python ticker.py [URL]`."""

import sys

import kucoin_futures as kf

with kf.Feed(kf.ticker("XBTUSDTM"), url=next(iter(sys.argv[1:]), None)) as feed:
    for event in feed:
        if isinstance(event, kf.Ticker):
            print(event.side, event.size, "at", event.price, event.best_bid, event.best_ask)
        elif isinstance(event, kf.State):
            print(event.kind, event.text, file=sys.stderr)
