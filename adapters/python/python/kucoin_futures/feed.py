"""The feed: events in order, and books that are exact or say that they are not."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Literal

from . import _native
from ._native import Batch, Book, Credentials, Tables
from .account import Account, Line, Stats
from .channels import Channel
from .errors import MisuseError
from .queries import Queries
from .reading import Reader
from .types import Event


class Feed(Reader[Event]):
    """Market data of KuCoin Futures, and of an account.

    ::

        with kf.Feed(kf.level2("XBTUSDTM"), kf.trades("XBTUSDTM")) as feed:
            for event in feed:
                ...

    It runs on a thread of its own, keeps its lines whatever the reader does, and is read by one
    reader at a time: ``for``, ``next`` or ``async for``.

    :param channels: what to follow from the beginning.
    :param url: another exchange, such as ``kcf sim``.
    :param credentials: ``"env"``, or ``Credentials``: for what is an account's.
    :param lines: connections that carry each public topic, 1 or 2.
    :param queue: events that may wait for the reader. Those beyond are counted: ``Lagged``.
    :param ca: a PEM file, or its bytes: believe these authorities and no others.
    """

    def __init__(
        self,
        *channels: Channel,
        url: str | None = None,
        credentials: Credentials | Literal["env"] | None = None,
        lines: int = 1,
        queue: int = 65536,
        ca: str | Path | bytes | None = None,
    ) -> None:
        keys = Credentials.from_env() if credentials == "env" else credentials
        pem = Path(ca).read_bytes() if isinstance(ca, (str, Path)) else ca
        self._native = _native.Feed(url, keys, lines, queue, pem)
        super().__init__(self._native, "feed")
        self._names: dict[str, str] = {}
        self._later: list[Channel] = []
        self.states: deque[Event] = deque(maxlen=1024)
        """What ``trades`` and ``changes`` have met that has no rows, the latest of it."""
        self.query = Queries(self._native.query, self._symbol)
        """What can be asked once: see ``Queries``."""
        for channel in channels:
            # A name that has to be looked up waits until there is time to wait for that.
            if channel.is_resolved:
                self._native.subscribe(channel.topic)
            else:
                self._later.append(channel)

    # Names.

    def _symbol(self, typed: str, timeout: float = 10.0) -> str:
        if _native.is_symbol(typed):
            return typed
        if typed not in self._names:
            self._names[typed] = self._native.resolve([typed], timeout)[0]
        return self._names[typed]

    def _resolved(self, channel: Channel) -> Channel:
        if channel.is_resolved or channel.symbol is None:
            return channel
        return channel.of(self._symbol(channel.symbol))

    def _open(self) -> None:
        for channel in list(self._later):
            self._native.subscribe(self._resolved(channel).topic)
            # Not before: a name that could not be looked up is tried again. Another thread may be here, too.
            with suppress(ValueError):
                self._later.remove(channel)

    # What is followed.

    def subscribe(self, *channels: Channel) -> None:
        """Follows these, too, over all reconnects."""
        self._open()
        for channel in channels:
            self._native.subscribe(self._resolved(channel).topic)

    def unsubscribe(self, *channels: Channel) -> None:
        """Follows these no more."""
        for channel in channels:
            if channel in self._later:
                self._later.remove(channel)
            else:
                self._native.unsubscribe(self._resolved(channel).topic)

    def status(self, channel: Channel) -> tuple[str, str | None]:
        """How far a channel has come, and its book if it has one.

        ``"wanted"``, ``"pending"``, ``"refused"``, ``"confirmed"``, ``"silent"``, ``"rejected"``
        or ``"unsubscribed"``; ``"idle"``, ``"buffering"``, ``"live"`` or ``"stale"``.
        """
        return self._native.status(self._resolved(channel).topic)

    @property
    def topics(self) -> list[str]:
        """All that was ever subscribed to."""
        return self._native.topics

    # Reading.

    def __iter__(self) -> Iterator[Event]:
        """Events, one after the other, until the feed is closed. Waits; Ctrl-C ends the wait."""
        self._open()
        return self._native

    def next(self, timeout: float | None = None) -> Event | None:
        """The next event; ``None`` if there is none in so many seconds.

        :raises Closed: after the last one.
        """
        self._open()
        return self._native.next(timeout)

    # Reading in columns.

    def read(self, rows: int = 65536, timeout: float | None = 1.0) -> Tables:
        """What comes, as columns: until there are so many rows and other events, or so many seconds
        are over. For polars, pandas, pyarrow and DuckDB, without an object for each event.

        ::

            tables = feed.read(timeout=5)
            frame = polars.DataFrame(tables.trades)

        ``received_ns`` is when a row was read, not when it came: read often. ``gap_before`` says
        that rows of that contract may be missing before it. A book is a snapshot where it becomes
        live, changes, and a row that says so where it is lost: see ``Tables.level2``.

        :raises Closed: after the last row.
        """
        self._open()
        return self._native.read(rows, timeout)

    def trades(self, rows: int = 65536, timeout: float | None = 1.0) -> Batch:
        """The trades of a feed that follows nothing else: see ``read``.

        ::

            polars.DataFrame(feed.trades(timeout=5))

        Other events, such as lines that go down, are in ``states``.
        """
        return self._only("trades", rows, timeout).trades

    def changes(self, rows: int = 65536, timeout: float | None = 1.0) -> Batch:
        """The books of a feed that follows nothing else: see ``read`` and ``trades``."""
        return self._only("level2", rows, timeout).level2

    def _only(self, table: str, rows: int, timeout: float | None) -> Tables:
        self._open()
        if topic := self._native.beside(table):
            raise MisuseError(f"this feed follows {topic}, too: read() has all its tables")
        tables = self.read(rows, timeout)
        self.states.extend(tables.events)
        return tables

    def book(self, symbol: str) -> Book:
        """The book of a contract, as it is at the event that was handed out last.

        It goes on with the events. Just after ``BookLive`` it may be further than the event;
        changes up to its sequence are in it already.
        """
        return self._native.book(self._symbol(symbol))

    def verify(self, symbol: str) -> None:
        """Holds a live book against a snapshot, once. ``BookVerified`` or ``BookLost`` follows."""
        self._native.verify(self._symbol(symbol))

    # The account.

    def follow_account(self) -> None:
        """Keeps balances, positions and orders: see ``account``. Needs credentials."""
        self._native.follow_account()

    def unfollow_account(self) -> None:
        """Keeps them no more."""
        self._native.unfollow_account()

    def account(self) -> Account:
        """What the account has now, which may be further than the events."""
        return self._native.account()

    # How it fares.

    def stats(self) -> Stats:
        """What was counted since the feed was made."""
        return self._native.stats()

    def lines(self) -> list[Line]:
        """The connections, as they are now."""
        return self._native.lines()

    def replace_lines(self) -> int:
        """Replaces every connection by a new one without a book leaving live. How many."""
        return self._native.replace_lines()

    # Its end.

    def close(self) -> None:
        """Ends everything. What was told before can still be read."""
        self._native.close()
        self._shut()

    def __enter__(self) -> Feed:
        try:
            self._open()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<Feed of {len(self.topics) + len(self._later)} topics>"

    # On an event loop.

    async def __aenter__(self) -> Feed:
        try:
            if self._later:
                await asyncio.to_thread(self._open)
        except BaseException:
            self.close()
            raise
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await asyncio.to_thread(self.close)

    async def _prepare(self) -> None:
        if self._later:
            await asyncio.to_thread(self._open)
