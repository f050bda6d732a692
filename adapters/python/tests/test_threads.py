"""Threads, and Ctrl-C."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import kucoin_futures as kf
import pytest
from conftest import Sim, kcf


def test_one_reads_and_others_ask(sim: Sim) -> None:
    stop, problems, read = threading.Event(), [], [0]

    def reader() -> None:
        last = 0
        for event in feed:
            if isinstance(event, kf.Delta):
                if last not in (0, event.sequence - 1):
                    problems.append((last, event))
                last = event.sequence
                read[0] += 1
            if stop.is_set():
                break

    def asker() -> None:
        while not stop.is_set():
            try:
                assert feed.query.ticker("XBTUSDTM").symbol == "XBTUSDTM"
                book = feed.book("XBTUSDTM")
                if book.is_live:
                    assert book.best_bid and feed.stats().messages > 0
            except Exception as problem:  # noqa: BLE001
                problems.append(problem)
            time.sleep(0.02)  # The budget for requests is not what is tried here.

    with kf.Feed(kf.level2("XBTUSDTM"), url=sim.url) as feed:
        threads = [threading.Thread(target=it) for it in (reader, asker, asker)]
        for thread in threads:
            thread.start()
        time.sleep(4)
        stop.set()
        for thread in threads:
            thread.join(5)
        assert not any(thread.is_alive() for thread in threads)
    assert not problems and read[0] > 200, (problems[:3], read)


def test_a_second_reader_is_told(start_sim: Callable[..., Sim]) -> None:
    sim = start_sim("--symbols", "XBTUSDTM", "--rate", "1")
    with kf.Feed(url=sim.url) as feed:
        first = threading.Thread(target=lambda: feed.next(2))
        first.start()
        time.sleep(0.3)
        with pytest.raises(kf.MisuseError, match="another thread"):
            feed.next(0)
        first.join()
        assert feed.next(0) is None, "the next may read"


def test_closing_ends_a_reader_in_another_thread(sim: Sim) -> None:
    feed = kf.Feed(kf.ticker("XBTUSDTM"), url=sim.url)
    reader = threading.Thread(target=lambda: list(feed))
    reader.start()
    time.sleep(0.5)
    feed.close()
    reader.join(3)
    assert not reader.is_alive()


def test_others_run_while_one_waits(start_sim: Callable[..., Sim]) -> None:
    sim = start_sim("--symbols", "XBTUSDTM", "--rate", "1")
    with kf.Feed(url=sim.url) as feed:
        waiting = threading.Thread(target=lambda: feed.next(1.0))
        waiting.start()
        count, until = 0, time.monotonic() + 0.5
        while time.monotonic() < until:
            count += 1
        waiting.join()
    assert count > 100_000


@pytest.mark.parametrize("what", ["for event in feed: print('x', flush=True)", "feed.next()"])
def test_ctrl_c_ends_a_wait(start_sim: Callable[..., Sim], what: str) -> None:
    sim = start_sim("--symbols", "XBTUSDTM", "--rate", "1")
    program = (
        "import kucoin_futures as kf\n"
        f"with kf.Feed(url={sim.url!r}) as feed:\n"
        "    print('ready', flush=True)\n"
        f"    {what}\n"
    )
    child = subprocess.Popen(
        [sys.executable, "-c", program], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert child.stdout is not None and child.stdout.readline() == "ready\n"
    time.sleep(0.3)
    begun = time.monotonic()
    child.send_signal(signal.SIGINT)
    _, errors = child.communicate(timeout=10)
    assert time.monotonic() - begun < 1.0
    assert "KeyboardInterrupt" in errors and "panic" not in errors.lower(), errors


def test_a_feed_that_is_forgotten_ends_itself(sim: Sim) -> None:
    before = threading.active_count()
    for _ in range(5):
        feed = kf.Feed(kf.level2("XBTUSDTM"), url=sim.url)
        feed.next(2)
        del feed
    assert threading.active_count() == before


def test_both_sides_are_of_one_sequence_while_another_thread_reads(
    start_sim: Callable[..., Sim],
) -> None:
    pyarrow = pytest.importorskip("pyarrow")
    sim = start_sim("--symbols", "XBTUSDTM", "--rate", "5000")
    stop, rows, seen = threading.Event(), [], []

    def reader() -> None:
        while not stop.is_set():
            rows.append(feed.changes(rows=4000, timeout=0.02))

    with kf.Feed(kf.level2("XBTUSDTM"), url=sim.url) as feed:
        thread = threading.Thread(target=reader)
        thread.start()
        until = time.monotonic() + 10
        while time.monotonic() < until and len(seen) < 1000:
            book = feed.book("XBTUSDTM")
            if not book.is_live:
                continue
            before, both = book.sequence, book.to_arrow(held=True)
            if book.sequence != before:
                seen.append(both)
        stop.set()
        thread.join()

    sides: dict[str, dict[object, int]] = {"bid": {}, "ask": {}}
    sums, was = {"bid": 0, "ask": 0}, set()
    names = ["flags", "side", "price", "size"]
    batches = [pyarrow.record_batch(batch).select(names) for batch in rows]
    for row in (row for batch in batches for row in batch.to_pylist()):
        if row["flags"] & (4 | 8):
            sides, sums = {"bid": {}, "ask": {}}, {"bid": 0, "ask": 0}
            continue
        side, price, size = row["side"], row["price"], row["size"]
        if before := sides[side].pop(price, None):
            sums[side] ^= hash((price, before))
        if size:
            sides[side][price] = size
            sums[side] ^= hash((price, size))
        was.add((sums["bid"], sums["ask"]))
    for look, book in enumerate(seen):
        found = {"bid": 0, "ask": 0}
        for row in pyarrow.record_batch(book).to_pylist():
            found[row["side"]] ^= hash((row["price"], row["size"]))
        assert (found["bid"], found["ask"]) in was, (look, len(seen))
    assert len(seen) > 20, "it went on while it was looked at"


def test_others_run_while_two_look_at_one_replay(tmp_path: Path) -> None:
    args = "--from-soak 7 --profile trading --hours 0.1 --to".split()
    subprocess.run([kcf(), "record", *args, tmp_path], check=True, capture_output=True)
    (file,) = tmp_path.rglob("*.kcr")
    program = (
        "import os, threading, time\n"
        "import kucoin_futures as kf\n"
        f"replay = kf.Recording({str(tmp_path)!r}).events()\n"
        # Whoever plays on has to wait for the one who writes this.
        f"os.unlink({str(file)!r})\n"
        f"os.mkfifo({str(file)!r})\n"
        "for it in (lambda: list(replay), lambda: replay.received_ns):\n"
        "    threading.Thread(target=it).start()\n"
        "    time.sleep(0.3)\n"
        f"os.close(os.open({str(file)!r}, os.O_WRONLY))\n"
        "print('ran')\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=30, check=False
    )
    assert done.stdout == "ran\n", done.stderr
