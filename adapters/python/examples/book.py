"""An exact order book: `python book.py [URL]`."""

import sys

import kucoin_futures as kf

with kf.Feed(kf.level2("XBTUSDTM"), url=next(iter(sys.argv[1:]), None)) as feed:
    for event in feed:
        if isinstance(event, (kf.BookLive, kf.Delta)) and feed.book(event.symbol).is_live:
            book = feed.book(event.symbol)
            print(book.sequence, book.best_bid, book.best_ask)
        elif isinstance(event, kf.BookLost):
            print("not known any more:", event.reason, file=sys.stderr)
