"""What type checkers are to understand: read by mypy and pyright, not run."""

from __future__ import annotations

from decimal import Decimal

import kucoin_futures as kf
from kucoin_futures import analytics as ka
from kucoin_futures.replies import Contract, IndexPrice, Kline
from kucoin_futures.signed import Order
from typing_extensions import assert_type


def events(feed: kf.Feed) -> None:
    for event in feed:
        assert_type(event, kf.Event)
        match event:
            case kf.Delta(symbol=symbol, price=price):
                assert_type(symbol, str)
                assert_type(price, Decimal)
                assert_type(event.price_scaled, int)
            case kf.Trade():
                assert_type(event.maker_order_id, str | None)
            case kf.OrderUpdate():
                assert_type(event.match_price, Decimal | None)
            case kf.Depth():
                assert_type(event.bids, tuple[kf.Level, ...])
            case _:
                pass
    assert_type(feed.next(timeout=1.0), kf.Event | None)


def books(feed: kf.Feed) -> None:
    book = feed.book("XBTUSDTM")
    assert_type(book, kf.Book)
    if (bid := book.best_bid) is not None:
        assert_type(bid.price, Decimal)
    assert_type(book.bids(5), list[kf.Level])
    assert_type(book.mid, Decimal | None)
    assert_type(book.sweep("buy", 5).worst, Decimal | None)
    assert_type(book.lots_to("sell", "63000.5"), tuple[int, bool])


def queries(feed: kf.Feed) -> None:
    assert_type(feed.query.contracts(), list[Contract])
    assert_type(feed.query.klines("XBTUSDTM", "1min"), list[Kline])
    assert_type(feed.query.index(".KXBTUSDT").points, list[IndexPrice])
    assert_type(feed.query.orders().rows, list[Order])
    assert_type(feed.account().balances[0].equity, Decimal | None)


async def on_a_loop() -> None:
    async with kf.Feed(kf.level2("XBTUSDTM"), credentials="env", lines=2) as feed:
        assert_type(feed, kf.Feed)
        async for event in feed:
            assert_type(event, kf.Event)


def recordings() -> None:
    replay = kf.Recording("data").events(kf.level2("XBTUSDTM"))
    for event in replay:
        assert_type(event, kf.Event)
    assert_type(replay.received_ns, int | None)
    assert_type(kf.Replica(b"").apply(b""), kf.Delta | None)


def analytics(feed: kf.Feed) -> None:
    candles, rsi = ka.Candles("1min", lot="0.001"), ka.Rsi(14)
    for event in feed:
        for told in candles.take(event):
            assert_type(told, ka.CandleEvent)
            assert_type(rsi.take(told), ka.Reading[float])
            match told:
                case ka.ClosedCandle(close=close, turnover=turnover):
                    assert_type(close, Decimal)
                    assert_type(turnover, Decimal | None)
                case ka.LateTrade(trade=trade):
                    assert_type(trade, kf.Trade)
                case _:
                    pass
    assert_type(ka.Sma(3).push("63000.1").valid, Decimal | None)
    assert_type(ka.Sma(3).over([1.0, 2.0]), list[float | None])
    assert_type(ka.Macd().over([1.0]), list[ka.MacdValue | None])
    assert_type(ka.OrderFlowImbalance(last=5).reading.value, int | None)
    if funding := ka.FundingDivergence().reading.valid:
        assert_type(funding.premium, Decimal)


async def consumers() -> None:
    with kf.Consumer("redis://127.0.0.1:6379", ["XBTUSDTM"], prefix="kcf") as consumer:
        assert_type(consumer, kf.Consumer)
        for event in consumer:
            assert_type(event, kf.ConsumerEvent)
            match event:
                case kf.BookLost(reason=reason):
                    assert_type(reason, str)
                case _:
                    pass
    assert_type(consumer.next(1.0), kf.ConsumerEvent | None)
    assert_type(consumer.book("XBTUSDTM"), kf.Book | None)
    assert_type(consumer.stats(), kf.ConsumerStats)
    async with kf.Consumer("nats://127.0.0.1:4222") as other:
        async for told in other:
            assert_type(told, kf.ConsumerEvent)
