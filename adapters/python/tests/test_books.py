"""A book that says it is live is the exchange's, whatever happens."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from decimal import Decimal

import kucoin_futures as kf
import pytest
from conftest import Sim

FAULTS = "every 2s drop *; every 3s repeat * 2; every 5s close 1001; at 4s stale-snapshot * 2; every 7s reset"


@pytest.mark.parametrize("lines", [1, 2])
def test_every_book_that_is_live_is_the_exchanges_with_faults(
    start_sim: Callable[..., Sim], lines: int
) -> None:
    sim = start_sim("--symbols", "XBTUSDTM,ETHUSDTM", "--rate", "300", "--faults", FAULTS)
    seen: Counter[str] = Counter()
    until = time.monotonic() + 12
    with kf.Feed(
        kf.level2("XBTUSDTM"), kf.level2("ETHUSDTM"), url=sim.url, lines=lines
    ) as feed:
        for event in feed:
            seen[type(event).__name__] += 1
            if isinstance(event, kf.BookLost):
                assert not feed.book(event.symbol).is_live
                with pytest.raises(kf.NotLive, match="BookLive says"):
                    _ = feed.book(event.symbol).best_bid
            elif isinstance(event, kf.BookLive):
                book = feed.book(event.symbol)
                assert book.is_live and book.epoch == event.epoch
                assert book.sequence >= event.sequence
                assert sim.is_true(book)
            elif isinstance(event, kf.Delta):
                book = feed.book(event.symbol)
                assert book.is_live and book.sequence >= event.sequence
                if seen["Delta"] % 50 == 0:
                    assert sim.is_true(book)
                    seen["checked"] += 1
            if time.monotonic() > until:
                break
    assert seen["checked"] > 20 and seen["BookLive"] >= 2, seen
    assert seen["BookLost"] >= (2 if lines == 1 else 0), seen


def test_a_change_is_in_the_book_when_it_is_handed_out(sim: Sim) -> None:
    exactly = 0
    with kf.Feed(kf.level2("XBTUSDTM"), url=sim.url) as feed:
        for event in feed:
            if not isinstance(event, kf.Delta):
                continue
            book = feed.book("XBTUSDTM")
            if book.sequence == event.sequence:
                exactly += 1
                side = book.bids(held=True) if event.side == "bid" else book.asks(held=True)
                at = {level.price: level.size for level in side}
                assert at.get(event.price, 0) == event.size
            if exactly == 200:
                break


def test_what_a_book_says_fits_together(sim: Sim) -> None:
    with kf.Feed(kf.level2("XBTUSDTM"), url=sim.url) as feed:
        for event in feed:
            if isinstance(event, kf.Delta):
                break
        book = feed.book("XBTUSDTM").copy()
        live = feed.book("XBTUSDTM")
        for _ in range(50):
            feed.next(5)
        assert live.sequence > book.sequence, "a copy stands still"
    bids, asks = book.bids(), book.asks()
    assert bids == sorted(bids, reverse=True) and asks == sorted(asks)
    assert book.best_bid == bids[0] and book.best_ask == asks[0]
    assert book.touch == (bids[0], asks[0])
    bid, ask = bids[0], asks[0]
    assert book.spread == ask.price - bid.price
    assert book.mid == (bid.price + ask.price) / 2
    assert book.mid_scaled == int((bid.price + ask.price) / 2 * 10**12)
    assert book.mid_float == float(book.mid)
    assert book.microprice is not None and bid.price <= book.microprice <= ask.price
    assert [level.price for level in book.bids(3)] == [level.price for level in bids[:3]]
    lots = sum(level.size for level in asks[:3])
    sweep = book.sweep("buy", lots)
    assert (sweep.side, sweep.lots, sweep.worst, sweep.end) == (
        "ask",
        lots,
        asks[2].price,
        "filled",
    )
    assert sweep.notional == sum((level.price * level.size for level in asks[:3]), Decimal())
    assert book.lots_to("sell", bids[4].price) == (sum(it.size for it in bids[:5]), True)
    assert book.sweep("sell", 10**12).end == "horizon", "what lies behind is not nothing"
    imbalance = book.imbalance(5)
    bid_lots, ask_lots = (sum(it.size for it in side[:5]) for side in (bids, asks))
    assert imbalance is not None
    assert abs(imbalance - Decimal(bid_lots - ask_lots) / (bid_lots + ask_lots)) < Decimal("1e-17")
    assert book.horizon == (bids[-1].price, asks[-1].price) or len(bids) > 900
    assert repr(book).startswith("<Book XBTUSDTM at ")


def test_a_book_is_verified_when_that_is_asked_for(sim: Sim) -> None:
    with kf.Feed(kf.level2("XBTUSDTM"), url=sim.url) as feed:
        for event in feed:
            if isinstance(event, kf.BookLive):
                feed.verify("XBTUSDTM")
            if isinstance(event, kf.BookVerified):
                assert feed.book("XBTUSDTM").is_live
                break


def test_a_lie_is_found(start_sim: Callable[..., Sim]) -> None:
    sim = start_sim("--symbols", "XBTUSDTM", "--rate", "50", "--faults", "at 0s lie XBTUSDTM")
    with kf.Feed(kf.level2("XBTUSDTM"), url=sim.url) as feed:
        for event in feed:
            if isinstance(event, kf.BookLive) and event.epoch == 1:
                feed.verify("XBTUSDTM")
            if isinstance(event, kf.BookLost):
                assert not feed.book("XBTUSDTM").is_live
            if isinstance(event, kf.BookLive) and event.epoch == 2:
                assert sim.is_true(feed.book("XBTUSDTM"))
                break


def test_lines_are_replaced_without_a_loss(sim: Sim) -> None:
    lost = 0
    with kf.Feed(kf.level2("XBTUSDTM"), url=sim.url) as feed:
        for event in feed:
            if isinstance(event, kf.BookLive):
                assert feed.replace_lines() == 1
            lost += isinstance(event, kf.BookLost)
            if isinstance(event, kf.State) and event.kind == "line_down":
                break
        assert lost == 0 and sim.is_true(feed.book("XBTUSDTM"))


def test_what_is_unsubscribed_is_not_live(sim: Sim) -> None:
    with kf.Feed(kf.level2("XBTUSDTM"), url=sim.url) as feed:
        for event in feed:
            if isinstance(event, kf.BookLive):
                assert feed.status(kf.level2("XBTUSDTM")) == ("confirmed", "live")
                feed.unsubscribe(kf.level2("XBTUSDTM"))
            if isinstance(event, kf.BookLost):
                break
        assert not feed.book("XBTUSDTM").is_live
        feed.subscribe(kf.level2("XBTUSDTM"))
        for event in feed:
            if isinstance(event, kf.BookLive):
                assert sim.is_true(feed.book("XBTUSDTM"))
                break
