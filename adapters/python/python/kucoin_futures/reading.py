"""How events are read on an event loop, whatever hands them out."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from typing import Generic, Protocol, TypeVar

from .errors import Closed, MisuseError

_HOP = 0.5
"""Seconds after which the waiting thread looks whether anybody still waits."""
_STREAK = 128
"""Events that are handed out without a turn for other tasks."""

E = TypeVar("E")
E_co = TypeVar("E_co", covariant=True)


class Source(Protocol[E_co]):
    """What events come from."""

    def next(self, timeout: float | None = None) -> E_co | None: ...
    def wait(self, timeout: float) -> bool: ...


class Reader(Generic[E]):
    """``async for``: one task at a time."""

    def __init__(self, source: Source[E], name: str) -> None:
        self._source = source
        self._name = name
        self._waiter: ThreadPoolExecutor | None = None
        self._awaited = False
        self._streak = 0

    async def _prepare(self) -> None:
        """What has to be waited for before the next event."""

    def __aiter__(self) -> AsyncIterator[E]:
        return self

    async def __anext__(self) -> E:
        """The next event. May be cancelled: nothing is lost.

        What is there is handed out at once, and after so many events other tasks have a turn.
        """
        if self._awaited:
            raise MisuseError(
                f"another task is waiting for this {self._name}: "
                "let one read and hand on what others need"
            )
        self._awaited = True
        try:
            await self._prepare()
            self._streak += 1
            if self._streak >= _STREAK:
                self._streak = 0
                await asyncio.sleep(0)
            while True:
                try:
                    event = self._source.next(0.0)
                except Closed:
                    raise StopAsyncIteration from None
                if event is not None:
                    return event
                self._streak = 0
                await self._news()
        finally:
            self._awaited = False

    async def _news(self) -> None:
        if self._waiter is None:
            self._waiter = ThreadPoolExecutor(1, thread_name_prefix="kucoin-futures-wait")
        loop = asyncio.get_running_loop()
        await loop.run_in_executor(self._waiter, self._source.wait, _HOP)

    def _shut(self) -> None:
        if self._waiter is not None:
            self._waiter.shutdown(wait=False)
            self._waiter = None
