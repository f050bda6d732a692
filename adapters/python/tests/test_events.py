"""Events are values: frozen, equal, hashed, matched, pickled, and shown."""

from __future__ import annotations

import copy
import pickle
from decimal import Decimal

import kucoin_futures as kf
import pytest

BID, ASK = kf.Level("62998.8", 12), kf.Level(Decimal("62999.6"), 79)
EVENTS = [
    kf.Level("0.000000000001", 1),
    kf.Delta("XBTUSDTM", 7, "bid", "62998.8", 12, 1_790_000_000_000_000_000),
    kf.Delta("XBTUSDTM", 7, "ask", Decimal("62999.6"), 0, None),
    kf.BookLive("XBTUSDTM", 1, 7),
    kf.BookLost("XBTUSDTM", 1, "gap: expected 7, got 8"),
    kf.BookVerified("XBTUSDTM", 9, False),
    kf.AccountLive(1),
    kf.AccountLost(1, "the line is down"),
    kf.Lagged(3),
    kf.MayHaveMissed("/contractMarket/ticker:XBTUSDTM", "XBTUSDTM"),
    kf.State("rejected", "code 404", "/x", None, 0, 200, 404, "no such topic"),
    kf.Trade("XBTUSDTM", 1, "sell", 63000, 2, "t", "a", None, 5),
    kf.Ticker("XBTUSDTM", 1, "buy", "63000.1", 2, "t", BID, None, 5),
    kf.TickerV2("XBTUSDTM", None, BID, ASK, None),
    kf.Depth("XBTUSDTM", 5, 4, (BID,), (ASK,), 6),
    kf.Sweep("ask", 3, "5", "4.5", "13.5", "filled"),
]


@pytest.mark.parametrize("event", EVENTS, ids=lambda event: type(event).__name__)
def test_an_event_is_a_value(event: kf.Event) -> None:
    again = pickle.loads(pickle.dumps(event))
    assert again == event and again is not event and hash(again) == hash(event)
    assert copy.deepcopy(event) == event
    others = [other for other in EVENTS if other is not event]
    assert all(event != other for other in others)
    assert eval(repr(event), {**vars(kf), "Decimal": Decimal}) == event
    for name in type(event).__match_args__:
        with pytest.raises(AttributeError):
            setattr(event, name, 1)


def test_prices_are_exact_and_no_float_comes_in() -> None:
    level = kf.Level("0.000000000001", 1)
    assert (level.price, level.price_scaled) == (Decimal("1E-12"), 1)
    assert kf.Level(Decimal("1E+3"), 1).price == 1000
    assert kf.Level("63000.10", 1) == kf.Level("63000.1", 1)
    assert kf.Level("63000.1", 1).price_float == 63000.1
    with pytest.raises(TypeError, match="not as float"):
        kf.Level(63000.1, 1)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="not a price"):
        kf.Level("0.0000000000001", 1)
    with pytest.raises(ValueError, match="bid"):
        kf.Delta("XBTUSDTM", 1, "buy", "1", 1, None)  # type: ignore[arg-type]


def test_events_are_matched_by_their_fields() -> None:
    match EVENTS[1]:
        case kf.Delta("XBTUSDTM", sequence, "bid", price, size=size):
            assert (sequence, price, size) == (7, Decimal("62998.8"), 12)
        case _:
            pytest.fail("no match")
    price, size = BID
    assert (price, size, len(BID), BID[0], BID[-1]) == (Decimal("62998.8"), 12, 2, price, 12)
    with pytest.raises(IndexError):
        _ = BID[2]
    assert BID < ASK and max(BID, ASK) == ASK


def test_channels_are_values_and_are_checked_when_they_are_made() -> None:
    assert kf.level2("XBTUSDTM").topic == "/contractMarket/level2:XBTUSDTM"
    assert kf.candles("XBTUSDTM", "1hour").topic == "/contractMarket/limitCandle:XBTUSDTM_1hour"
    assert kf.depth("XBTUSDTM", 50).topic == "/contractMarket/level2Depth50:XBTUSDTM"
    assert kf.orders().topic == "/contractMarket/tradeOrders"
    assert len({kf.trades("XBTUSDTM"), kf.trades("XBTUSDTM"), kf.ticker("XBTUSDTM")}) == 2
    with pytest.raises(kf.MisuseError, match="1min"):
        kf.candles("XBTUSDTM", "7min")  # type: ignore[arg-type]
    with pytest.raises(kf.MisuseError, match="channel"):
        kf.depth("XBTUSDTM", 7)  # type: ignore[arg-type]
