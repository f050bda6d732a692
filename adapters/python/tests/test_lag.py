"""A reader who is too slow is told so, and has the right book all the same."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

import kucoin_futures as kf
from conftest import Sim


def test_a_lag_is_told_and_the_mirror_is_right_again(start_sim: Callable[..., Sim]) -> None:
    faults = "every 1s drop *; at 4s close 1001"
    sim = start_sim("--symbols", "XBTUSDTM,ETHUSDTM", "--rate", "400", "--faults", faults)
    lags = checks = 0
    until = time.monotonic() + 9
    with kf.Feed(
        kf.level2("XBTUSDTM"), kf.level2("ETHUSDTM"), url=sim.url, queue=16
    ) as feed:
        for count, event in enumerate(feed):
            if isinstance(event, kf.Lagged):
                assert event.dropped > 0
                lags += 1
            if count % 20 == 0:
                time.sleep(0.12)
            if isinstance(event, (kf.Delta, kf.Lagged)):
                for symbol in ("XBTUSDTM", "ETHUSDTM"):
                    book = feed.book(symbol)
                    if book.is_live and count % 5 == 0:
                        assert sim.is_true(book), (count, event, book)
                        checks += 1
            if time.monotonic() > until:
                break
    assert lags > 5 and checks > 100, (lags, checks)


def test_after_a_lag_the_changes_go_on_where_the_book_stands(
    start_sim: Callable[..., Sim],
) -> None:
    sim = start_sim("--symbols", "XBTUSDTM", "--rate", "500")
    after = 0
    with kf.Feed(kf.level2("XBTUSDTM"), url=sim.url, queue=8) as feed:
        for event in feed:
            if isinstance(event, kf.BookLive):
                time.sleep(0.5)
            if isinstance(event, kf.Lagged):
                after = 1
                assert sim.is_true(feed.book("XBTUSDTM"))
            if after and isinstance(event, kf.Delta):
                book = feed.book("XBTUSDTM")
                assert book.is_live and book.sequence >= event.sequence
                after += 1
                if after > 300:
                    assert book.sequence == event.sequence, "the reader has caught up"
                    assert sim.is_true(book)
                    break


def test_what_is_kept_while_others_ask_is_bounded_too(start_sim: Callable[..., Sim]) -> None:
    sim = start_sim("--symbols", "XBTUSDTM", "--rate", "1000")
    stop, problems = threading.Event(), []

    def asker() -> None:
        while not stop.is_set():
            try:
                feed.query.ticker("XBTUSDTM")
            except kf.Closed:
                return
            except kf.Error as problem:
                problems.append(problem)
            time.sleep(0.02)

    lags = checks = 0
    with kf.Feed(kf.level2("XBTUSDTM"), url=sim.url, queue=128) as feed:
        asking = threading.Thread(target=asker)
        asking.start()
        until = time.monotonic() + 8
        while time.monotonic() < until:
            event = feed.next(2)
            book = feed.book("XBTUSDTM")
            if isinstance(event, kf.Lagged):
                lags += 1
                assert book.is_live and sim.is_true(book.copy())
            elif isinstance(event, kf.Delta):
                assert book.is_live and book.sequence >= event.sequence
                checks += 1
            if checks % 20 == 0:
                time.sleep(0.1)
        stop.set()
        asking.join()
    assert lags > 3 and checks > 300 and not problems, (lags, checks, problems[:3])
