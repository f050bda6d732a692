"""All that a feed hands out, as one type."""

from __future__ import annotations

from typing import Union

from ._native import (
    AccountLive,
    AccountLost,
    BookLive,
    BookLost,
    BookVerified,
    Delta,
    Depth,
    Lagged,
    MayHaveMissed,
    State,
    Ticker,
    TickerV2,
    Trade,
)
from .messages import (
    BalanceUpdate,
    Candle,
    CrossLeverages,
    FundingBegin,
    FundingEnd,
    FundingRate,
    MarginModes,
    MarkPrice,
    OrderUpdate,
    PositionSettlement,
    PositionUpdate,
    RiskLimitUpdate,
    Stats24h,
    StopOrderUpdate,
    UnknownMessage,
    WalletUpdate,
)

Event = Union[
    Delta,
    BookLive,
    BookLost,
    BookVerified,
    Trade,
    Ticker,
    TickerV2,
    Depth,
    Candle,
    MarkPrice,
    FundingRate,
    FundingBegin,
    FundingEnd,
    Stats24h,
    State,
    Lagged,
    MayHaveMissed,
    AccountLive,
    AccountLost,
    OrderUpdate,
    StopOrderUpdate,
    WalletUpdate,
    BalanceUpdate,
    PositionUpdate,
    PositionSettlement,
    RiskLimitUpdate,
    MarginModes,
    CrossLeverages,
    UnknownMessage,
]
"""Whatever ``for event in feed`` yields."""
