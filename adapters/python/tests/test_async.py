"""On an event loop: nothing blocks it, and a cancelled wait loses nothing."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

import kucoin_futures as kf
import pytest
from conftest import Sim


def test_events_come_and_the_loop_goes_on(sim: Sim) -> None:
    async def main() -> None:
        ticks = 0

        async def tick() -> None:
            nonlocal ticks
            while True:
                await asyncio.sleep(0.01)
                ticks += 1

        ticker = asyncio.create_task(tick())
        last, deltas = 0, 0
        async with kf.Feed(kf.level2("BTC/USDT"), url=sim.url) as feed:
            async for event in feed:
                if isinstance(event, kf.Delta):
                    assert last in (0, event.sequence - 1)
                    last, deltas = event.sequence, deltas + 1
                    if deltas == 500:
                        assert await asyncio.to_thread(sim.is_true, feed.book("XBTUSDTM"))
                        break
        ticker.cancel()
        assert ticks > 100, ticks

    asyncio.run(main())


def test_a_cancelled_wait_loses_nothing(sim: Sim) -> None:
    async def main() -> None:
        last, deltas, cancelled = 0, 0, 0
        async with kf.Feed(kf.level2("XBTUSDTM"), url=sim.url) as feed:
            while deltas < 300:
                try:
                    event = await asyncio.wait_for(anext(feed.__aiter__()), 0.002)
                except asyncio.TimeoutError:
                    cancelled += 1
                    continue
                if isinstance(event, kf.Delta):
                    assert last in (0, event.sequence - 1)
                    last, deltas = event.sequence, deltas + 1
            assert await asyncio.to_thread(sim.is_true, feed.book("XBTUSDTM"))
        assert cancelled > 20, cancelled

    asyncio.run(main())


def test_many_tasks_with_feeds_of_their_own(sim: Sim) -> None:
    async def read(channel: kf.Channel) -> int:
        count = 0
        async with kf.Feed(channel, url=sim.url) as feed:
            async for event in feed:
                count += isinstance(event, (kf.Delta, kf.Trade, kf.TickerV2))
                if count == 50:
                    return count
        return count

    async def main() -> list[int]:
        makers = (kf.level2, kf.trades, kf.ticker_v2)
        symbols = ("XBTUSDTM", "ETHUSDTM")
        tasks = [read(make(symbol)) for make in makers for symbol in symbols]
        return await asyncio.gather(*tasks)

    assert asyncio.run(main()) == [50] * 6


def test_a_second_task_is_told(start_sim: Callable[..., Sim]) -> None:
    sim = start_sim("--symbols", "XBTUSDTM", "--rate", "1")

    async def main() -> None:
        async with kf.Feed(url=sim.url) as feed:
            first = asyncio.ensure_future(anext(feed.__aiter__()))
            await asyncio.sleep(0.1)
            with pytest.raises(kf.MisuseError, match="another task"):
                await anext(feed.__aiter__())
            first.cancel()
            with pytest.raises(asyncio.CancelledError):
                await first

    asyncio.run(main())


def test_closing_ends_the_stream_at_once(start_sim: Callable[..., Sim]) -> None:
    sim = start_sim("--symbols", "XBTUSDTM", "--rate", "1")

    async def main() -> float:
        feed = kf.Feed(url=sim.url)

        async def read() -> None:
            async for _ in feed:
                pass

        reader = asyncio.create_task(read())
        await asyncio.sleep(0.2)
        begun = time.monotonic()
        feed.close()
        await asyncio.wait_for(reader, 3)
        return time.monotonic() - begun

    assert asyncio.run(main()) < 0.3


def test_a_burst_is_handed_out_without_a_hop(sim: Sim) -> None:
    async def main() -> int:
        async with kf.Feed(kf.level2("XBTUSDTM"), url=sim.url) as feed:
            async for event in feed:
                if isinstance(event, kf.BookLive):
                    break
            await asyncio.sleep(1)
            hops, news = 0, feed._news

            async def counted() -> None:
                nonlocal hops
                hops += 1
                await news()

            feed._news = counted  # type: ignore[method-assign]
            for _ in range(100):
                await anext(feed.__aiter__())
            return hops

    assert asyncio.run(main()) == 0


def test_others_have_a_turn_while_a_long_queue_is_read(start_sim: Callable[..., Sim]) -> None:
    sim = start_sim("--symbols", "XBTUSDTM", "--rate", "2000")

    async def main() -> int:
        turns = 0

        async def other() -> None:
            nonlocal turns
            while True:
                turns += 1
                await asyncio.sleep(0)

        async with kf.Feed(kf.level2("XBTUSDTM"), url=sim.url) as feed:
            async for event in feed:
                if isinstance(event, kf.BookLive):
                    break
            await asyncio.to_thread(time.sleep, 2)
            task = asyncio.create_task(other())
            for _ in range(1300):
                await anext(feed.__aiter__())
            task.cancel()
        return turns

    assert 5 < asyncio.run(main()) < 100
