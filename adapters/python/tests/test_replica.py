"""A book of one's own frames."""

from __future__ import annotations

import json
from decimal import Decimal

import kucoin_futures as kf
import pytest


def snapshot(sequence: int) -> bytes:
    data = {
        "sequence": sequence,
        "symbol": "ETHUSDTM",
        "bids": [[2417.3, 8]],
        "asks": [[2417.9, 5]],
        "ts": 1_790_000_000_000_000_000,
    }
    return json.dumps({"code": "200000", "data": data}).encode()


def frame(sequence: int, change: str, symbol: str = "ETHUSDTM") -> bytes:
    data = {"sequence": sequence, "change": change, "timestamp": 1_790_000_000_001}
    topic = f"/contractMarket/level2:{symbol}"
    message = {"topic": topic, "type": "message", "subject": "level2", "sn": 1, "data": data}
    return json.dumps(message).encode()


def test_it_is_exact() -> None:
    replica = kf.Replica(snapshot(41))
    assert replica.apply(frame(41, "2417.5,buy,1")) is None, "it is in the snapshot"
    delta = replica.apply(frame(42, "2417.55,buy,2"))
    assert delta == kf.Delta("ETHUSDTM", 42, "bid", "2417.55", 2, 1_790_000_000_001_000_000)
    assert replica.book.best_bid == kf.Level("2417.55", 2)
    assert replica.book.spread == Decimal("0.35")
    assert replica.book.horizon == (None, None)
    replica.apply(frame(43, "2417.55,buy,0"))
    assert replica.book.best_bid == kf.Level("2417.3", 8)


def test_a_gap_ends_it_for_good() -> None:
    replica = kf.Replica(snapshot(41))
    with pytest.raises(kf.LossError, match="expected 42, got 43"):
        replica.apply(frame(43, "2417.5,buy,1"))
    assert not replica.book.is_live
    with pytest.raises(kf.NotLive, match="new Replica"):
        replica.apply(frame(42, "2417.5,buy,1"))
    with pytest.raises(kf.NotLive, match="gap"):
        _ = replica.book.mid


def test_what_cannot_be_read_ends_it_and_what_is_of_others_does_not() -> None:
    replica = kf.Replica(snapshot(41))
    with pytest.raises(kf.MisuseError, match="no level2 frame"):
        replica.apply(b'{"id":"1","type":"pong"}')
    with pytest.raises(kf.MisuseError, match="XBTUSDTM"):
        replica.apply(frame(42, "1,buy,1", "XBTUSDTM"))
    assert replica.book.is_live
    with pytest.raises(kf.WireError):
        replica.apply(frame(42, "2417.5,buy,-1"))
    assert not replica.book.is_live
    with pytest.raises(kf.WireError):
        kf.Replica(b"<html>")
