"""Books that somebody else publishes: ``kcf publish`` over Redis or NATS."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from types import TracebackType
from typing import Union

from . import _native
from ._native import Book, BookLive, BookLost, BookVerified, Delta, Lagged, State
from .reading import Reader

ConsumerEvent = Union[Delta, BookLive, BookLost, BookVerified, Lagged, State]
"""Whatever ``for event in consumer`` yields: the same classes as a feed's."""


@dataclass(frozen=True)
class ConsumerStats:
    """What a consumer has met since it was made, of all contracts."""

    messages: int
    """Messages that were read."""
    unwanted: int
    """Messages of contracts that are not followed."""
    malformed: int
    """Messages that could not be read."""
    repeats: int
    """Messages that had come before."""
    changes: int
    """Changes that books took."""
    copies: int
    """Changes that another publisher had said before, and alike."""
    holes: int
    """Times that messages of a publisher were missing."""
    lagged: int
    """Changes that publishers say they left out."""
    bad_snapshots: int
    """Snapshots that were no book."""
    conflicts: int
    """Times that two publishers differed."""
    agreed: int
    """Snapshots that were held against a book at the same sequence, and were equal."""
    crowded_out: int
    """Messages of a ninth publisher of a contract, and of more: eight are told apart."""


class Consumer(Reader[ConsumerEvent]):
    """Books that ``kcf publish`` gives to many, over Redis or NATS.

    ::

        with kf.Consumer("redis://127.0.0.1:6379", ["XBTUSDTM"]) as consumer:
            for event in consumer:
                if (book := consumer.book("XBTUSDTM")) is not None:
                    print(book.sequence, book.best_bid, book.best_ask)

    A book that is live equals the exchange's at its sequence, whatever the engine loses, repeats or
    mixes up. Where no publisher is heard of for 5 s, or messages are missing, ``BookLost`` says so.

    The engine is read on a thread of its own, and connected to anew by itself: ``State`` with the
    kind ``engine_up`` or ``engine_down`` says how it stands. One reader at a time: ``for``,
    ``next`` or ``async for``.

    :param url: ``redis://[NAME:PASSWORD@]HOST[:6379][/DB]`` or
        ``nats://[NAME:PASSWORD@]HOST[:4222]``. A password is not shown anywhere.
    :param symbols: contracts as the exchange writes them, such as ``XBTUSDTM``; ``None``: all that
        are published.
    :param prefix: what the publisher's keys or subjects begin with.
    :param queue: events that may wait for the reader. Those beyond are counted: ``Lagged``. Books
        are right after it all the same.
    :raises MisuseError: an address, a prefix or a name that cannot be used.
    """

    def __init__(
        self,
        url: str,
        symbols: Iterable[str] | None = None,
        *,
        prefix: str = "kcf",
        queue: int = 65536,
    ) -> None:
        # One name alone is an iterable of letters, too.
        names = [symbols] if isinstance(symbols, str) else symbols
        wanted = None if names is None else list(names)
        self._native = _native.Consumer(url, wanted, prefix, queue)
        super().__init__(self._native, "consumer")

    def __iter__(self) -> Iterator[ConsumerEvent]:
        """Events, one after the other, until it is closed. Waits; Ctrl-C ends the wait."""
        return self._native

    def next(self, timeout: float | None = None) -> ConsumerEvent | None:
        """The next event; ``None`` if there is none in so many seconds.

        :raises Closed: after the last one.
        """
        return self._native.next(timeout)

    def book(self, symbol: str) -> Book | None:
        """The book of a contract at the event that was handed out last; ``None`` unless it is live.

        It goes on with the events, and raises ``NotLive`` once it is lost; ``book.copy()`` stands
        still.

        :raises MisuseError: it is not among those that are followed.
        """
        return self._native.book(symbol)

    @property
    def symbols(self) -> list[str]:
        """What is followed by now."""
        return self._native.symbols

    def stats(self) -> ConsumerStats:
        """What was met since it was made."""
        return self._native.stats()

    def close(self) -> None:
        """Ends everything: within 3 s, or what a call to find and reach the engine takes.

        What was told before can still be read; no book after."""
        self._native.close()
        self._shut()

    def __enter__(self) -> Consumer:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    async def __aenter__(self) -> Consumer:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await asyncio.to_thread(self.close)

    def __repr__(self) -> str:
        return repr(self._native)
