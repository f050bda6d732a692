"""The same on an event loop: `python book_async.py [URL]`."""

import asyncio
import sys

import kucoin_futures as kf


async def main(url: str | None) -> None:
    async with kf.Feed(kf.level2("XBTUSDTM"), kf.trades("XBTUSDTM"), url=url) as feed:
        async for event in feed:
            match event:
                case kf.Trade(side=side, price=price, size=size):
                    print(side, size, "at", price)
                case kf.Delta(symbol=symbol) if feed.book(symbol).is_live:
                    print(feed.book(symbol))
                case _:
                    pass


asyncio.run(main(next(iter(sys.argv[1:]), None)))
