"""Recordings: what a client was told, to be told again."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from . import _native
from ._native import BatchReader, Replay
from .channels import Channel


@dataclass(frozen=True, slots=True)
class Session:
    """One client, from its making to its end."""

    name: str
    """The time when it began."""
    software: str
    """The program that wrote it."""
    started_ns: int
    """When the client was made; nanoseconds since 1970."""
    bytes: int
    """Of its files."""


@dataclass(frozen=True, slots=True)
class LiveInterval:
    """A time during which a book was live."""

    from_ns: int
    """From when; nanoseconds since 1970."""
    to_ns: int | None
    """Until when; ``None``: to the end of the recording."""
    first: int
    """The sequence where it began."""
    last: int
    """How far it came."""


@dataclass(frozen=True, slots=True)
class BookGap:
    """A time during which a book that had been live was not."""

    from_ns: int
    """From when; nanoseconds since 1970."""
    to_ns: int | None
    """Until when; ``None``: to the end of the recording."""
    after: int
    """The last sequence before it."""
    before: int | None
    """Where the book went on."""
    reason: str
    """Why."""


@dataclass(frozen=True, slots=True)
class SymbolInfo:
    """What there is of a contract."""

    deltas: int
    """Changes of its book while that was live."""
    trades: int
    """Trades."""
    messages: int
    """Other messages."""
    live: list[LiveInterval]
    """When its book was live."""
    gaps: list[BookGap]
    """When it was not, after it had been."""


@dataclass(frozen=True, slots=True)
class Info:
    """What is in a recording."""

    from_ns: int | None
    """When the first client began; nanoseconds since 1970."""
    to_ns: int | None
    """When the last input came; nanoseconds since 1970."""
    symbols: dict[str, SymbolInfo]
    """By contract."""
    lines: int
    """Connections that were up."""
    lines_down: int
    """Connections that have ended."""
    may_have_missed: int
    """Times at which messages of a topic without a sequence may have been missed."""
    lagged: int
    """Changes that were applied and not told."""


class Recording:
    """A recording on disk, made by ``kcf record``.

    ::

        replay = kf.Recording("data").events(kf.level2("XBTUSDTM"))
        for event in replay:
            ...

    :param path: its folder, or one of its files.
    """

    def __init__(self, path: str | Path) -> None:
        self._native = _native.Recording(path)

    @property
    def sessions(self) -> list[Session]:
        """The clients in it, the oldest first."""
        return self._native.sessions

    def info(self) -> Info:
        """What is in it, and its gaps. Replays it once."""
        return self._native.info()

    def events(self, *channels: Channel) -> Replay:
        """The events of these channels, or of all: the same as a feed's, and books beside them.

        Symbols are the exchange's own here: there is nobody to ask. Where one session ends and the
        next begins, ``BookLost`` and ``MayHaveMissed`` say so; where a session ends without its
        end, because its writer was killed or a file is damaged, a ``State`` of the kind ``torn``.

        :raises RecordingError: where it cannot be read on, once all that is before was told.
        """
        return self._native.replay([channel.topic for channel in channels] or None)

    def table(self, name: str, rows: int = 65536) -> BatchReader:
        """One table of it, in batches of so many rows: ``level2``, ``trades``, ``tickers``,
        ``instrument``, ``candles`` or ``stats``.

        ::

            trades = polars.DataFrame(kf.Recording("data").table("trades"))

        Read while it is replayed, once. ``gap_before`` says that rows of that contract may be
        missing before it.
        """
        return self._native.table(name, rows)

    def __repr__(self) -> str:
        return repr(self._native)
