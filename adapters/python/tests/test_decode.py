"""Every kind of message that there is arrives with all its fields: also those that an exchange seldom sends."""

from __future__ import annotations

import dataclasses
import json
from decimal import Decimal
from typing import Any

import kucoin_futures as kf
import pytest

AT = 1_790_000_000_123
NS = AT * 10**6
CONTRACT, ACCOUNT = "/contract", "/contractAccount"


def frame(topic: str, subject: str, data: object) -> bytes:
    message = {"topic": topic, "type": "message", "subject": subject, "data": data}
    return json.dumps(message).encode()


CASES: list[tuple[type[Any], str, str, dict[str, Any], dict[str, Any]]] = [
    (
        kf.FundingBegin,
        "/contract/announcement",
        "funding.begin",
        {"symbol": "XBTUSDTM", "fundingTime": AT, "fundingRate": -0.00026, "timestamp": AT},
        {"symbol": "XBTUSDTM", "funding_rate": Decimal("-0.00026"), "funding_time_ns": NS},
    ),
    (
        kf.FundingEnd,
        "/contract/announcement:XBTUSDTM",
        "funding.end",
        {"symbol": "XBTUSDTM", "fundingTime": AT, "fundingRate": "0.0001", "timestamp": AT},
        {"funding_rate": Decimal("0.0001"), "ts_ns": NS},
    ),
    (
        kf.FundingRate,
        "/contract/instrument:XBTUSDTM",
        "funding.rate",
        {"granularity": 60000, "fundingRate": "-0.002966", "timestamp": AT},
        {"interval_ms": 60000, "funding_rate": Decimal("-0.002966"), "symbol": "XBTUSDTM"},
    ),
    (
        kf.BalanceUpdate,
        f"{ACCOUNT}/wallet",
        "orderMargin.change",
        {"orderMargin": "5.12", "currency": "USDT", "timestamp": AT},
        {"order_margin": Decimal("5.12"), "currency": "USDT", "available_balance": None},
    ),
    (
        kf.WalletUpdate,
        f"{ACCOUNT}/wallet",
        "walletBalance.change",
        {"availableBalance": "61.5", "equity": "99.9", "currency": "USDT", "version": "37"},
        {"available_balance": Decimal("61.5"), "equity": Decimal("99.9"), "version": 37},
    ),
    (
        kf.PositionSettlement,
        f"{CONTRACT}/position:XBTUSDTM",
        "position.settlement",
        {
            "fundingTime": AT,
            "qty": -100,
            "markPrice": 63000.5,
            "fundingRate": "-0.0029",
            "fundingFee": "-0.29",
            "ts": NS,
            "settleCurrency": "USDT",
        },
        {"qty": -100, "funding_fee": Decimal("-0.29"), "symbol": "XBTUSDTM"},
    ),
    (
        kf.PositionUpdate,
        f"{CONTRACT}/positionAll",
        "position.change",
        {
            "symbol": "XBTUSDTM",
            "currentQty": 4,
            "markPrice": "63000.1",
            "crossMode": True,
            "changeReason": "markPriceChange",
            "marginMode": "CROSS",
        },
        {"current_qty": 4, "cross_mode": True, "change_reason": "markPriceChange"},
    ),
    (
        kf.RiskLimitUpdate,
        f"{CONTRACT}/position:XBTUSDTM",
        "position.adjustRiskLimit",
        {"success": True, "riskLimitLevel": 2, "msg": ""},
        {"success": True, "risk_limit_level": 2},
    ),
    (
        kf.MarginModes,
        f"{CONTRACT}/marginMode",
        "user.config",
        {"XBTUSDTM": "ISOLATED", "ETHUSDTM": "CROSS"},
        {"modes": {"XBTUSDTM": "ISOLATED", "ETHUSDTM": "CROSS"}},
    ),
    (
        kf.CrossLeverages,
        f"{CONTRACT}/crossLeverage",
        "user.config",
        {"XBTUSDTM": {"leverage": "3.5"}},
        {"leverages": {"XBTUSDTM": Decimal("3.5")}},
    ),
    (
        kf.OrderUpdate,
        "/contractMarket/tradeOrders",
        "orderChange",
        {
            "symbol": "XBTUSDTM",
            "side": "buy",
            "orderId": "o-1",
            "type": "match",
            "status": "match",
            "matchPrice": "63000.1",
            "matchSize": "5",
            "ts": NS,
        },
        {"change": "match", "match_price": Decimal("63000.1"), "match_size": 5, "ts_ns": NS},
    ),
    (
        kf.StopOrderUpdate,
        "/contractMarket/advancedOrders",
        "stopOrder",
        {
            "symbol": "XBTUSDTM",
            "side": "sell",
            "orderId": "s-1",
            "type": "triggered",
            "stop": "down",
            "stopPrice": "60000",
            "triggerSuccess": True,
            "ts": NS,
        },
        {"change": "triggered", "trigger_success": True, "stop_price": Decimal(60000)},
    ),
    (
        kf.UnknownMessage,
        "/contract/instrument:XBTUSDTM",
        "something.new",
        {"x": 1},
        {"subject": "something.new", "data": '{"x": 1}', "topic": "/contract/instrument:XBTUSDTM"},
    ),
]


@pytest.mark.parametrize(
    ("kind", "topic", "subject", "data", "wanted"), CASES, ids=lambda it: getattr(it, "__name__", "")
)
def test_a_message_has_its_fields(
    kind: type[Any], topic: str, subject: str, data: dict[str, Any], wanted: dict[str, Any]
) -> None:
    event: Any = kf.decode(frame(topic, subject, data))
    assert type(event) is kind
    fields = dataclasses.asdict(event)
    assert {name: fields[name] for name in wanted} == wanted
    with pytest.raises(dataclasses.FrozenInstanceError):
        setattr(event, next(iter(fields)), None)


def test_frames_of_streams_and_no_others() -> None:
    data = {"sequence": 42, "change": "2417.55,buy,2", "timestamp": AT}
    delta = kf.decode(frame("/contractMarket/level2:ETHUSDTM", "level2", data))
    assert delta == kf.Delta("ETHUSDTM", 42, "bid", "2417.55", 2, NS)
    depth = {"bids": [["1.5", 2]], "asks": [["1.6", 3]], "sequence": 7, "ts": AT}
    event = kf.decode(frame("/contractMarket/level2Depth5:ETHUSDTM", "level2", depth))
    assert isinstance(event, kf.Depth) and event.symbol == "ETHUSDTM"
    assert event.asks == (kf.Level("1.6", 3),)
    for other in (b'{"id":"1","type":"welcome"}', b'{"id":"1","type":"ack"}'):
        with pytest.raises(kf.MisuseError, match="no message"):
            kf.decode(other)
    with pytest.raises(kf.WireError):
        kf.decode(b"<html>")
    with pytest.raises(kf.MisuseError, match="topic"):
        kf.decode(frame("/nobody/knows", "x", {}))
