"""Indicators of trades, of books, and of funding."""

from .._native import (
    BookMeans,
    FundingDivergence,
    Microprice,
    OrderFlowImbalance,
    RollingVwap,
    SessionVwap,
)

__all__ = [
    "BookMeans",
    "FundingDivergence",
    "Microprice",
    "OrderFlowImbalance",
    "RollingVwap",
    "SessionVwap",
]
