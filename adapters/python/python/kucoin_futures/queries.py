"""What can be asked once, by REST. What streams tell meanwhile is kept, in order."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

from .channels import Interval
from .replies import (
    Contract,
    IndexPrice,
    Kline,
    PartialBook,
    RestFundingRate,
    RestMarkPrice,
    RestTicker,
    RestTrade,
    Series,
    SeriesPoint,
    ServiceStatus,
    SettledFunding,
)
from .signed import AccountOverview, Fill, OpenPosition, Order, Page

Ask = Callable[[str, dict[str, Any], float], Any]


class Queries:
    """Questions to the exchange: ``feed.query.ticker("XBTUSDTM")``.

    Each waits for its answer, for ``timeout`` seconds at most, and budgets are kept to. What the
    exchange refuses raises ``ExchangeError``. On an event loop: ``await
    asyncio.to_thread(feed.query.ticker, "XBTUSDTM")``.
    """

    __slots__ = ("_ask", "_symbol")

    def __init__(self, ask: Ask, symbol: Callable[[str, float], str]) -> None:
        self._ask, self._symbol = ask, symbol

    def _of(self, name: str, symbol: str, timeout: float, **terms: Any) -> Any:
        return self._ask(name, {"symbol": self._symbol(symbol, timeout), **terms}, timeout)

    def _of_any(self, name: str, symbol: str | None, timeout: float, **terms: Any) -> Any:
        if symbol is None:
            return self._ask(name, terms, timeout)
        return self._of(name, symbol, timeout, **terms)

    def server_time(self, *, timeout: float = 10.0) -> int:
        """The exchange's clock, in nanoseconds since 1970."""
        answer: int = self._ask("server_time", {}, timeout)
        return answer

    def contracts(self, *, timeout: float = 10.0) -> list[Contract]:
        """All contracts that are traded."""
        answer: list[Contract] = self._ask("contracts", {}, timeout)
        return answer

    def contract(self, symbol: str, *, timeout: float = 10.0) -> Contract:
        """One contract and its terms."""
        answer: Contract = self._of("contract", symbol, timeout)
        return answer

    def ticker(self, symbol: str, *, timeout: float = 10.0) -> RestTicker:
        """The last trade, best bid and offer of a contract."""
        answer: RestTicker = self._of("ticker", symbol, timeout)
        return answer

    def all_tickers(self, *, timeout: float = 10.0) -> list[RestTicker]:
        """The same of all contracts."""
        answer: list[RestTicker] = self._ask("all_tickers", {}, timeout)
        return answer

    def depth(
        self, symbol: str, levels: Literal[20, 100] = 20, *, timeout: float = 10.0
    ) -> PartialBook:
        """The best levels of both sides, once. For a book follow ``level2``."""
        answer: PartialBook = self._of("depth", symbol, timeout, levels=levels)
        return answer

    def trades(self, symbol: str, *, timeout: float = 10.0) -> list[RestTrade]:
        """The last 100 trades, the newest first."""
        answer: list[RestTrade] = self._of("trades", symbol, timeout)
        return answer

    def klines(
        self,
        symbol: str,
        granularity: Interval,
        start_ns: int | None = None,
        end_ns: int | None = None,
        *,
        timeout: float = 10.0,
    ) -> list[Kline]:
        """Candles, at most 200: the first from ``start_ns``, or the last up to ``end_ns``."""
        terms = {"granularity": granularity, "start_ns": start_ns, "end_ns": end_ns}
        answer: list[Kline] = self._of("klines", symbol, timeout, **terms)
        return answer

    def mark_price(self, symbol: str, *, timeout: float = 10.0) -> RestMarkPrice:
        """What positions are valued at."""
        answer: RestMarkPrice = self._of("mark_price", symbol, timeout)
        return answer

    def funding_rate(self, symbol: str, *, timeout: float = 10.0) -> RestFundingRate:
        """The estimate of the next funding."""
        answer: RestFundingRate = self._of("funding_rate", symbol, timeout)
        return answer

    def funding_history(
        self, symbol: str, start_ns: int, end_ns: int, *, timeout: float = 10.0
    ) -> list[SettledFunding]:
        """What funding was charged."""
        terms = {"start_ns": start_ns, "end_ns": end_ns}
        answer: list[SettledFunding] = self._of("funding_history", symbol, timeout, **terms)
        return answer

    def index(
        self,
        symbol: str,
        start_ns: int | None = None,
        end_ns: int | None = None,
        *,
        offset_ns: int | None = None,
        max_count: int | None = None,
        timeout: float = 10.0,
    ) -> Series[IndexPrice]:
        """An index over time, such as that of ``.KXBTUSDT``."""
        terms = _part(symbol, start_ns, end_ns, offset_ns, max_count)
        answer: Series[IndexPrice] = self._ask("index", terms, timeout)
        return answer

    def interest(
        self,
        symbol: str,
        start_ns: int | None = None,
        end_ns: int | None = None,
        *,
        offset_ns: int | None = None,
        max_count: int | None = None,
        timeout: float = 10.0,
    ) -> Series[SeriesPoint]:
        """An interest rate over time, such as ``.XBTINT``."""
        terms = _part(symbol, start_ns, end_ns, offset_ns, max_count)
        answer: Series[SeriesPoint] = self._ask("interest", terms, timeout)
        return answer

    def premium(
        self,
        symbol: str,
        start_ns: int | None = None,
        end_ns: int | None = None,
        *,
        offset_ns: int | None = None,
        max_count: int | None = None,
        timeout: float = 10.0,
    ) -> Series[SeriesPoint]:
        """A premium over time, such as ``.XBTUSDTMPI``."""
        terms = _part(symbol, start_ns, end_ns, offset_ns, max_count)
        answer: Series[SeriesPoint] = self._ask("premium", terms, timeout)
        return answer

    def status(self, *, timeout: float = 10.0) -> ServiceStatus:
        """Whether there is trading at all."""
        answer: ServiceStatus = self._ask("status", {}, timeout)
        return answer

    def orders(
        self,
        symbol: str | None = None,
        *,
        page: int | None = None,
        size: int | None = None,
        timeout: float = 10.0,
    ) -> Page[Order]:
        """Signed. Orders that can still be filled."""
        answer: Page[Order] = self._of_any("orders", symbol, timeout, number=page, size=size)
        return answer

    def stop_orders(
        self,
        symbol: str | None = None,
        *,
        page: int | None = None,
        size: int | None = None,
        timeout: float = 10.0,
    ) -> Page[Order]:
        """Signed. Stop orders that were not triggered yet."""
        answer: Page[Order] = self._of_any("stop_orders", symbol, timeout, number=page, size=size)
        return answer

    def positions(
        self, symbol: str | None = None, *, timeout: float = 10.0
    ) -> list[OpenPosition]:
        """Signed. Open positions."""
        answer: list[OpenPosition] = self._of_any("positions", symbol, timeout)
        return answer

    def overview(self, currency: str = "USDT", *, timeout: float = 10.0) -> AccountOverview:
        """Signed. What the account has in a currency."""
        answer: AccountOverview = self._ask("overview", {"currency": currency}, timeout)
        return answer

    def recent_fills(self, *, timeout: float = 10.0) -> list[Fill]:
        """Signed. The fills of the last 24 hours, up to 1000."""
        answer: list[Fill] = self._ask("recent_fills", {}, timeout)
        return answer

    def fills(
        self,
        symbol: str | None = None,
        start_ns: int | None = None,
        end_ns: int | None = None,
        *,
        page: int | None = None,
        size: int | None = None,
        timeout: float = 10.0,
    ) -> Page[Fill]:
        """Signed. Fills; a range is at most 7 days long."""
        terms = {"start_ns": start_ns, "end_ns": end_ns, "number": page, "size": size}
        answer: Page[Fill] = self._of_any("fills", symbol, timeout, **terms)
        return answer


def _part(
    symbol: str,
    start_ns: int | None,
    end_ns: int | None,
    offset_ns: int | None,
    max_count: int | None,
) -> dict[str, Any]:
    return {
        "symbol": symbol,
        "start_ns": start_ns,
        "end_ns": end_ns,
        "offset_ns": offset_ns,
        "max_count": max_count,
    }
