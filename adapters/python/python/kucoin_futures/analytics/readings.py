"""What indicators say."""

from .._native import (
    Bands,
    BookMean,
    Funding,
    MacdValue,
    Reading,
)

__all__ = [
    "Bands",
    "BookMean",
    "Funding",
    "MacdValue",
    "Reading",
]
