"""What can be followed. Symbols may be written as people write them: ``BTC/USDT`` is ``XBTUSDTM``."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

from ._native import is_symbol, topic

Interval = Literal[
    "1min", "3min", "5min", "15min", "30min", "1hour", "2hour", "4hour", "8hour", "12hour",
    "1day", "1week", "1month",
]  # fmt: skip
"""How long a candle is."""


@dataclass(frozen=True, slots=True)
class Channel:
    """A stream of the exchange's: of one contract, or of an account. Made by the functions here."""

    kind: str
    """What it tells."""
    symbol: str | None = None
    """Of which contract, as it was written."""
    interval: str | None = None
    """How long its candles are."""

    def __post_init__(self) -> None:
        # A name that has to be looked up stands in for one that is known, for the check.
        symbol = self.symbol if self.is_resolved else "XBTUSDTM"
        topic(self.kind, symbol, self.interval)

    @property
    def is_resolved(self) -> bool:
        """Whether the contract is named as the exchange names it."""
        return self.symbol is None or is_symbol(self.symbol)

    @property
    def topic(self) -> str:
        """The exchange's name of the stream: ``/contractMarket/level2:XBTUSDTM``."""
        return topic(self.kind, self.symbol, self.interval)

    def of(self, symbol: str) -> Channel:
        """The same of this contract."""
        return replace(self, symbol=symbol)


def level2(symbol: str) -> Channel:
    """Every change of the order book, and with it the exact book: ``Delta``, ``Feed.book``."""
    return Channel("level2", symbol)


def trades(symbol: str) -> Channel:
    """Every trade, once: ``Trade``."""
    return Channel("trades", symbol)


def ticker(symbol: str) -> Channel:
    """The last trade with best bid and offer: ``Ticker``."""
    return Channel("ticker", symbol)


def ticker_v2(symbol: str) -> Channel:
    """Best bid and offer in real time: ``TickerV2``."""
    return Channel("ticker_v2", symbol)


def depth(symbol: str, levels: Literal[5, 50] = 5) -> Channel:
    """The best levels of both sides, whole each time: ``Depth``."""
    return Channel(f"depth{levels}", symbol)


def candles(symbol: str, interval: Interval) -> Channel:
    """Candles as they grow: ``Candle``."""
    return Channel("candles", symbol, interval)


def instrument(symbol: str) -> Channel:
    """Mark and index price, and the running estimate of funding: ``MarkPrice``, ``FundingRate``."""
    return Channel("instrument", symbol)


def stats(symbol: str) -> Channel:
    """Figures of the last 24 hours: ``Stats24h``."""
    return Channel("stats", symbol)


def announcements(symbol: str | None = None) -> Channel:
    """Settlements of funding, of one contract or of all: ``FundingBegin``, ``FundingEnd``."""
    return Channel("announcements", symbol)


def orders(symbol: str | None = None) -> Channel:
    """What becomes of the account's orders: ``OrderUpdate``."""
    return Channel("orders", symbol)


def stop_orders() -> Channel:
    """What becomes of the account's stop orders: ``StopOrderUpdate``."""
    return Channel("stop_orders")


def wallet() -> Channel:
    """The account's balances: ``WalletUpdate``, ``BalanceUpdate``."""
    return Channel("wallet")


def positions(symbol: str | None = None) -> Channel:
    """The account's positions: ``PositionUpdate``, ``PositionSettlement``, ``RiskLimitUpdate``."""
    return Channel("positions", symbol)


def margin_modes() -> Channel:
    """The margin mode of contracts, when it is switched: ``MarginModes``."""
    return Channel("margin_modes")


def cross_leverages() -> Channel:
    """The leverage of contracts with cross margin, when it is changed: ``CrossLeverages``."""
    return Channel("cross_leverages")
