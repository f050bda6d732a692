"""Events in columns, of a feed and of a recording."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import kucoin_futures as kf
import pytest
from conftest import Sim, kcf

pyarrow = pytest.importorskip("pyarrow")


def rows_of(batch: object) -> list[dict[str, Any]]:
    table = pyarrow.Table.from_batches([pyarrow.record_batch(batch)])
    table.validate(full=True)
    return listed(table)


def listed(table: Any) -> list[dict[str, Any]]:
    """Times are nanoseconds, which Python's own datetime does not know."""
    times = [field.name for field in table.schema if pyarrow.types.is_timestamp(field.type)]
    for name in times:
        column = table[name].cast(pyarrow.int64())
        table = table.set_column(table.schema.get_field_index(name), name, column)
    return table.to_pylist()


def rebuilt(rows: list[dict[str, Any]]) -> tuple[dict[Decimal, int], dict[Decimal, int], int]:
    """The book that rows make, by their documented flags alone."""
    sides: dict[str, dict[Decimal, int]] = {"bid": {}, "ask": {}}
    sequence = 0
    for row in rows:
        if row["flags"] & (4 | 8):
            sides = {"bid": {}, "ask": {}}
        elif row["size"]:
            sides[row["side"]][row["price"]] = row["size"]
        else:
            sides[row["side"]].pop(row["price"], None)
        if not row["flags"] & 1:
            assert row["flags"] & (4 | 8) or row["sequence"] == sequence + 1
        sequence = row["sequence"]
    return sides["bid"], sides["ask"], sequence


def assert_is(bids: dict[Decimal, int], asks: dict[Decimal, int], book: kf.Book) -> None:
    """As far as the book is complete."""
    lowest, highest = book.horizon
    complete = {price: size for price, size in bids.items() if lowest is None or price >= lowest}
    assert complete == {it.price: it.size for it in book.bids()}
    complete = {price: size for price, size in asks.items() if highest is None or price <= highest}
    assert complete == {it.price: it.size for it in book.asks()}


def test_rows_make_the_book_that_is_live(sim: Sim) -> None:
    rows: list[dict[str, Any]] = []
    with kf.Feed(kf.level2("XBTUSDTM"), url=sim.url) as feed:
        while len(rows) < 5000:
            batch = feed.changes(rows=500, timeout=2)
            rows += rows_of(batch)
        bids, asks, sequence = rebuilt(rows)
        book = feed.book("XBTUSDTM")
        assert book.is_live and book.sequence == sequence
        assert sim.is_true(book.copy())
        assert_is(bids, asks, book)
        assert any(isinstance(it, kf.BookLive) for it in feed.states)
        assert rows[0]["flags"] & 4 and {row["epoch"] for row in rows} == {1}


def test_books_go_on_after_what_was_left_out(sim: Sim) -> None:
    rows: list[dict[str, Any]] = []
    with kf.Feed(kf.level2("XBTUSDTM"), kf.trades("XBTUSDTM"), url=sim.url, queue=8) as feed:
        lagged = 0
        trades: list[dict[str, Any]] = []
        for turn in range(60):
            if turn % 3 == 0:
                time.sleep(0.3)
            tables = feed.read(rows=50, timeout=0.2)
            rows += rows_of(tables.level2)
            trades += rows_of(tables.trades)
            lagged += sum(isinstance(it, kf.Lagged) for it in tables.events)
            bids, asks, sequence = rebuilt(rows)
            book = feed.book("XBTUSDTM")
            if not rows or rows[-1]["flags"] & 8 or not book.is_live:
                continue
            assert sequence == book.sequence
            assert_is(bids, asks, book)
        assert lagged > 0 and sum(bool(row["flags"] & 8) for row in rows) > 0
        assert trades[0]["gap_before"] and sum(row["gap_before"] for row in trades) > 1


def test_trades_are_rows_and_those_of_a_busy_feed_are_asked_for_otherwise(sim: Sim) -> None:
    with kf.Feed(kf.trades("XBTUSDTM"), kf.trades("ETHUSDTM"), url=sim.url) as feed:
        rows: list[dict[str, Any]] = []
        while {row["symbol"] for row in rows} != {"XBTUSDTM", "ETHUSDTM"}:
            rows += rows_of(feed.trades(rows=20, timeout=20))
        assert sum(row["gap_before"] for row in rows) == 2
        assert all(row["taker_side"] in ("buy", "sell") for row in rows)
        assert isinstance(rows[0]["price"], Decimal)
    with pytest.raises(kf.Closed):
        while True:
            feed.trades(timeout=0)
    with kf.Feed(kf.trades("XBTUSDTM"), kf.level2("XBTUSDTM"), url=sim.url) as feed:
        with pytest.raises(kf.MisuseError, match="level2:XBTUSDTM, too: read"):
            feed.trades()
        tables = feed.read(rows=10, timeout=5)
        assert len(tables) == len(tables.level2) + len(tables.trades) > 0
        assert "level2 " in repr(tables) and "events " in repr(tables)
        feed.unsubscribe(kf.level2("XBTUSDTM"))
        # Changes may still be on their way: they are no rows of this table, but they end a wait.
        until = time.monotonic() + 20
        while not len(feed.trades(rows=5, timeout=1)):
            assert time.monotonic() < until, "nothing else is followed any more"
        feed.subscribe(kf.level2("XBTUSDTM"))
        with pytest.raises(kf.MisuseError, match="level2:XBTUSDTM, too: read"):
            feed.trades()


def test_rows_after_a_topic_was_left_and_followed_again_say_so(sim: Sim) -> None:
    channel = kf.trades("XBTUSDTM")
    with kf.Feed(channel, url=sim.url) as feed:
        def flags(least: int) -> list[bool]:
            rows: list[dict[str, Any]] = []
            until = time.monotonic() + 30
            while len(rows) < least and time.monotonic() < until:
                rows += rows_of(feed.read(rows=20, timeout=1).trades)
            return [row["gap_before"] for row in rows]

        first = flags(5)
        assert first[0] and not any(first[1:])
        feed.unsubscribe(channel)
        while feed.status(channel)[0] != "unsubscribed":
            feed.read(timeout=0.1)
        feed.subscribe(channel)
        assert sum(flags(5)) == 1


def test_a_recording_is_a_table_and_says_its_gaps(tmp_path: Path) -> None:
    args = "--from-soak 7 --profile trading --hours 0.5 --to".split()
    subprocess.run([kcf(), "record", *args, tmp_path / "day"], check=True, capture_output=True)
    recording = kf.Recording(tmp_path / "day")
    reader = recording.table("trades", rows=1000)
    table = pyarrow.RecordBatchReader.from_stream(reader).read_all()
    events = [it for it in recording.events() if isinstance(it, kf.Trade)]
    assert table.num_rows == len(events) > 1000
    rows = listed(table)
    assert [(row["symbol"], row["sequence"], row["price"]) for row in rows] == [
        (it.symbol, it.sequence, it.price) for it in events
    ]
    assert 3 < sum(row["gap_before"] for row in rows) < 30
    with pytest.raises(kf.MisuseError, match="no table `ticks`: there are level2, trades"):
        recording.table("ticks")
    with pytest.raises(kf.MisuseError, match="read already"):
        pyarrow.RecordBatchReader.from_stream(reader)


def test_rows_go_on_where_events_were_taken_one_by_one(start_sim: Callable[..., Sim]) -> None:
    faults = "at 4s close 1001"
    sim = start_sim("--symbols", "XBTUSDTM", "--rate", "300", "--faults", faults)
    rows: list[dict[str, Any]] = []

    def read_on() -> None:
        rows.extend(rows_of(feed.changes(rows=200, timeout=2)))
        bids, asks, sequence = rebuilt(rows)
        book = feed.book("XBTUSDTM")
        assert book.is_live and sequence == book.sequence and rows[-1]["epoch"] == book.epoch
        assert_is(bids, asks, book)

    def until(kind: type) -> None:
        while not isinstance(feed.next(10), kind):
            pass

    with kf.Feed(kf.level2("XBTUSDTM"), url=sim.url) as feed:
        until(kf.BookLive)
        read_on()
        assert not any(row["flags"] & 8 for row in rows), "nothing was told before"
        for _ in range(20):
            until(kf.Delta)
        read_on()
        assert sum(bool(row["flags"] & 8) for row in rows) == 1
        until(kf.BookLost)
        until(kf.BookLive)
        read_on()
        assert {row["epoch"] for row in rows} == {1, 2}
        assert sum(bool(row["flags"] & 8) for row in rows) == 2


def test_trades_that_were_taken_one_by_one_are_a_gap_in_the_rows(sim: Sim) -> None:
    with kf.Feed(kf.trades("XBTUSDTM"), kf.trades("ETHUSDTM"), url=sim.url) as feed:
        seen: set[str] = set()
        while len(seen) < 2:
            seen |= {row["symbol"] for row in rows_of(feed.trades(rows=20, timeout=20))}
        while not isinstance(trade := feed.next(20), kf.Trade):
            pass
        rows: list[dict[str, Any]] = []
        while {row["symbol"] for row in rows} != seen:
            rows += rows_of(feed.trades(rows=20, timeout=20))
    assert [row["symbol"] for row in rows if row["gap_before"]] == [trade.symbol]
