"""What can go wrong. Every message says what to do next."""

from __future__ import annotations


class Error(Exception):
    """Anything that this package raises on purpose."""


class MisuseError(Error):
    """A mistake of the caller's. Nothing has changed."""


class Closed(MisuseError):
    """The feed or consumer was closed, and everything that it told was read."""


class NotLive(Error):
    """What was to be read is not the exchange's now. Read on: ``BookLive`` says when it is."""


class BeyondHorizon(Error):
    """It lies where the book cannot see: the exchange's snapshot ends at 1000 levels a side."""


class LossError(Error):
    """Changes are missing: the book cannot go on."""


class WireError(Error):
    """The exchange's bytes do not say what they should."""


class NetworkError(Error):
    """There was no answer, and the message says why."""


class QueryTimeout(NetworkError, TimeoutError):
    """There was no answer in the time that was given."""


class RecordingError(Error):
    """A recording cannot be read."""


class ExchangeError(Error):
    """The exchange refused what was asked."""

    code: int | None
    """Its number for that."""
    status: int | None
    """The HTTP status."""
    words: str | None
    """What it said."""

    def __init__(
        self,
        text: str,
        code: int | None = None,
        status: int | None = None,
        words: str | None = None,
    ) -> None:
        super().__init__(text)
        self.code, self.status, self.words = code, status, words

    def __reduce__(self) -> tuple[type[ExchangeError], tuple[object, ...]]:
        return type(self), (self.args[0], self.code, self.status, self.words)


class UnknownSymbol(Error):
    """No contract has this name, or several might be meant."""

    typed: str
    """What was asked for."""
    suggestions: list[str]
    """What may have been meant, the likeliest first."""

    def __init__(
        self, text: str, typed: str = "", suggestions: list[str] | None = None
    ) -> None:
        super().__init__(text)
        self.typed, self.suggestions = typed, suggestions or []

    def __reduce__(self) -> tuple[type[UnknownSymbol], tuple[object, ...]]:
        return type(self), (self.args[0], self.typed, self.suggestions)
