"""Every channel arrives, public and of an account, with what it says."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import kucoin_futures as kf
import pytest
from conftest import Sim
from kucoin_futures import replies, signed

PUBLIC: list[tuple[kf.Channel, set[type[Any]]]] = [
    (kf.level2("XBTUSDTM"), {kf.Delta, kf.BookLive}),
    (kf.trades("XBTUSDTM"), {kf.Trade}),
    (kf.ticker("XBTUSDTM"), {kf.Ticker}),
    (kf.ticker_v2("XBTUSDTM"), {kf.TickerV2}),
    (kf.depth("XBTUSDTM", 5), {kf.Depth}),
    (kf.depth("ETHUSDTM", 50), {kf.Depth}),
    (kf.candles("XBTUSDTM", "1min"), {kf.Candle}),
    (kf.instrument("XBTUSDTM"), {kf.MarkPrice}),
    (kf.stats("XBTUSDTM"), {kf.Stats24h}),
]


def test_every_public_channel_arrives(sim: Sim) -> None:
    wanted = set().union(*(classes for _, classes in PUBLIC))
    seen: dict[type[Any], Any] = {}
    until = time.monotonic() + 30
    channels = [channel for channel, _ in PUBLIC] + [kf.announcements()]
    with kf.Feed(*channels, url=sim.url) as feed:
        for event in feed:
            seen[type(event)] = event
            if isinstance(event, kf.State):
                assert event.kind in ("line_up", "confirmed"), event
            if isinstance(event, kf.Depth):
                assert event.symbol == ("XBTUSDTM" if event.levels == 5 else "ETHUSDTM")
                assert 0 < len(event.bids) <= event.levels
                assert list(event.asks) == sorted(event.asks)
            if wanted <= seen.keys() or time.monotonic() > until:
                break
        assert {feed.status(channel)[0] for channel in channels} == {"confirmed"}
    assert wanted <= seen.keys(), wanted - seen.keys()
    assert seen[kf.Trade].side in ("buy", "sell") and seen[kf.Trade].price > 0
    assert seen[kf.Candle].interval == "1min" and seen[kf.Candle].symbol == "XBTUSDTM"
    assert isinstance(seen[kf.MarkPrice].mark_price, Decimal)
    bid, ask = seen[kf.Ticker].best_bid, seen[kf.Ticker].best_ask
    assert bid.price < ask.price


def test_an_account_arrives_and_is_followed(account_sim: Sim, keys: kf.Credentials) -> None:
    wanted: set[type[Any]] = {
        kf.AccountLive,
        kf.OrderUpdate,
        kf.StopOrderUpdate,
        kf.WalletUpdate,
        kf.PositionUpdate,
    }
    rare: set[type[Any]] = {kf.PositionSettlement, kf.MarginModes, kf.CrossLeverages}
    seen: dict[type[Any], Any] = {}
    until = time.monotonic() + 40
    channels = [
        kf.orders(),
        kf.stop_orders(),
        kf.wallet(),
        kf.positions(),
        kf.margin_modes(),
        kf.cross_leverages(),
    ]
    with kf.Feed(*channels, url=account_sim.url, credentials=keys) as feed:
        assert not feed.account().is_live
        feed.follow_account()
        for event in feed:
            seen[type(event)] = event
            is_whole = wanted <= seen.keys() and seen.keys() & rare
            if is_whole or time.monotonic() > until:
                break
        assert wanted <= seen.keys(), wanted - seen.keys()
        account = feed.account()
    assert account.is_live and account.epoch == 1
    assert {balance.currency for balance in account.balances} >= {"USDT"}
    assert all(isinstance(balance.equity, Decimal) for balance in account.balances)
    assert account.fills and account.fills[-1].size > 0
    order = seen[kf.OrderUpdate]
    assert order.symbol == "XBTUSDTM" and order.side in ("buy", "sell") and order.order_id
    assert seen.keys() & rare, "none of the rare ones came in all that time"


def test_market_queries_are_answered_in_types(sim: Sim) -> None:
    with kf.Feed(url=sim.url) as feed:
        query = feed.query
        contracts = query.contracts()
        assert {contract.symbol for contract in contracts} == {"XBTUSDTM", "ETHUSDTM"}
        assert query.contract("XBTUSDTM").tick_size > 0
        assert query.ticker("BTC/USDT").symbol == "XBTUSDTM"
        assert len(query.all_tickers()) == 2
        book = query.depth("XBTUSDTM", 20)
        assert len(book.bids) == 20 and book.bids[0] > book.bids[1]
        assert len(query.depth("XBTUSDTM", 100).asks) == 100
        time.sleep(1)
        assert query.trades("XBTUSDTM")[0].taker_side in ("buy", "sell")
        now = query.server_time()
        assert abs(now - time.time_ns()) < 60 * 10**9
        candle = query.klines("XBTUSDTM", "1min")[-1]
        assert candle.low <= candle.close <= candle.high
        assert query.mark_price("XBTUSDTM").value > 0
        assert isinstance(query.funding_rate("XBTUSDTM").value, Decimal)
        day = 86_400 * 10**9
        assert query.funding_history("XBTUSDTM", now - day, now)[0].time_ns <= now
        contract = contracts[0]
        assert contract.index_symbol is not None
        for series in (
            query.index(contract.index_symbol),
            query.interest(".XBTINT"),
            query.premium(".XBTUSDTMPI"),
        ):
            assert isinstance(series, replies.Series) and series.points[0].time_ns <= now
        assert query.index(contract.index_symbol).points[0].components
        assert query.status().status


def test_signed_queries_are_answered_in_types(account_sim: Sim, keys: kf.Credentials) -> None:
    with kf.Feed(url=account_sim.url, credentials=keys) as feed:
        time.sleep(2)
        query = feed.query
        overview = query.overview()
        assert overview.currency == "USDT" and overview.equity > 0
        orders = query.orders()
        assert isinstance(orders, signed.Page) and orders.number == 1
        assert all(order.side in ("buy", "sell") for order in orders.rows)
        while not (stops := query.stop_orders("XBTUSDTM", size=10).rows):
            time.sleep(0.2)
        assert stops[0].stop in ("up", "down") and stops[0].stop_price is not None
        until = time.monotonic() + 20
        while not (positions := query.positions("XBTUSDTM")) and time.monotonic() < until:
            time.sleep(0.2)
        assert positions[0].symbol == "XBTUSDTM" and positions[0].quantity != 0
        assert all(it.symbol == "XBTUSDTM" for it in query.positions())
        fills = query.recent_fills()
        assert fills and fills[0].price > 0
        assert query.fills("XBTUSDTM").rows


def test_what_comes_while_a_query_waits_is_kept_in_order(
    start_sim: Callable[..., Sim],
) -> None:
    sim = start_sim("--symbols", "XBTUSDTM", "--rate", "1000")
    last, deltas = 0, 0
    with kf.Feed(kf.level2("XBTUSDTM"), url=sim.url) as feed:
        for event in feed:
            if isinstance(event, kf.Delta):
                assert last in (0, event.sequence - 1)
                last, deltas = event.sequence, deltas + 1
                if deltas % 100 == 0:
                    # So much waits already that the query has to keep it.
                    time.sleep(0.1)
                    feed.query.ticker("XBTUSDTM")
                if deltas == 1000:
                    assert sim.is_true(feed.book("XBTUSDTM"))
                    break


@pytest.mark.parametrize("module", ["messages", "replies", "signed", "account"])
def test_every_field_has_words(module: str) -> None:
    classes = [it for it in vars(getattr(kf, module)).values() if dataclasses.is_dataclass(it)]
    assert classes
    for it in classes:
        assert it.__doc__ and not it.__doc__.startswith(f"{it.__name__}(")
