"""Books that ``kcf publish`` gives to others, over a real Redis and NATS, against ``kcf sim``."""

from __future__ import annotations

import asyncio
import functools
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import kucoin_futures as kf
import pytest
from conftest import Sim, kcf

ENGINES = ["redis", "nats"]
BOTH = ["XBTUSDTM", "ETHUSDTM"]
SILENCE = 5.0
"""What is not heard of for so long is taken for dead."""


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


class Engine:
    """A server on loopback, ended by its id."""

    def __init__(self, name: str, folder: Path, password: str | None = None) -> None:
        program = shutil.which(f"{name}-server")
        if program is None:
            pytest.skip(f"SKIPPED: no {name}-server in PATH")
        self.name, self.folder, self.port = name, folder, free_port()
        self.url = f"{name}://127.0.0.1:{self.port}"
        if name == "redis":
            self.command = [program, "--port", str(self.port), "--bind", "127.0.0.1"]
            self.command += ["--save", "", "--appendonly", "no"]
            self.command += ["--requirepass", password] if password else []
        else:
            self.command = [program, "--addr", "127.0.0.1", "--port", str(self.port)]
            self.command += ["--user", "me", "--pass", password] if password else []
        self.start()

    def start(self) -> None:
        self.process = subprocess.Popen(
            self.command,
            cwd=self.folder,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        until = time.monotonic() + 10
        while time.monotonic() < until:
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
                return
            except OSError:
                time.sleep(0.05)
        raise AssertionError(f"{self.name} does not start")

    def with_login(self, password: str) -> str:
        name = "me" if self.name == "nats" else ""
        return f"{self.name}://{name}:{password}@127.0.0.1:{self.port}"

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()


@functools.cache
def has_publisher() -> bool:
    asked = subprocess.run([kcf(), "publish", "--help"], capture_output=True, check=False)
    return asked.returncode == 0


Publish = Callable[..., "subprocess.Popen[bytes]"]


@pytest.fixture
def start_engine(tmp_path: Path) -> Iterator[Callable[..., Engine]]:
    """Starts servers, and ends them."""
    engines: list[Engine] = []

    def start(name: str, password: str | None = None) -> Engine:
        engines.append(Engine(name, tmp_path, password))
        return engines[-1]

    yield start
    for engine in engines:
        engine.kill()


@pytest.fixture
def publish() -> Iterator[Publish]:
    """Starts publishers, and ends them."""
    if not has_publisher():
        pytest.skip("SKIPPED: this kcf has no `publish`")
    publishers: list[subprocess.Popen[bytes]] = []

    def start(engine: str, sim: Sim, *args: str) -> subprocess.Popen[bytes]:
        command = [kcf(), "publish", *args, "--to", engine, "--url", sim.url]
        publishers.append(
            subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        )
        return publishers[-1]

    yield start
    for publisher in publishers:
        publisher.kill()
        publisher.wait()


def read_until(
    consumer: kf.Consumer, kind: type[kf.ConsumerEvent], limit: float = 20.0
) -> kf.ConsumerEvent:
    """Reads on to the next event of this class."""
    until = time.monotonic() + limit
    while time.monotonic() < until:
        if isinstance(event := consumer.next(0.5), kind):
            return event
    raise AssertionError(f"no {kind.__name__} within {limit} s")


def exact(consumer: kf.Consumer, sim: Sim, symbol: str) -> bool:
    book = consumer.book(symbol)
    return book is not None and sim.is_true(book.copy())


@pytest.mark.parametrize("engine", ENGINES)
def test_books_equal_the_exchanges(
    engine: str,
    start_engine: Callable[..., Engine],
    start_sim: Callable[..., Sim],
    publish: Publish,
) -> None:
    server = start_engine(engine)
    sim = start_sim("--symbols", ",".join(BOTH), "--rate", "400")
    publish(server.url, sim, *BOTH, "--prefix", "of-test")
    last: dict[str, int] = {}
    deltas, checked = 0, 0
    with kf.Consumer(server.url, BOTH, prefix="of-test") as consumer:
        assert consumer.symbols == sorted(BOTH)
        for event in consumer:
            if isinstance(event, kf.BookLive):
                book = consumer.book(event.symbol)
                assert book is not None and book.is_live
                assert (book.sequence, book.epoch) == (event.sequence, event.epoch)
                assert event.epoch == 1
                last[event.symbol] = event.sequence
            elif isinstance(event, kf.Delta):
                book = consumer.book(event.symbol)
                assert book is not None and book.sequence == event.sequence, "no further"
                assert event.sequence == last[event.symbol] + 1
                last[event.symbol] = event.sequence
                deltas += 1
                if deltas % 50 == 0:
                    assert exact(consumer, sim, event.symbol), event
                    checked += 1
            else:
                assert isinstance(event, (kf.State, kf.BookVerified)), event
            if deltas == 2000:
                break
        stats = consumer.stats()
        assert set(last) == set(BOTH) and checked == 40
        assert stats.changes >= 2000 and stats.messages > 0
        assert (stats.holes, stats.conflicts, stats.malformed, stats.bad_snapshots) == (0, 0, 0, 0)


@pytest.mark.parametrize("engine", ENGINES)
def test_a_killed_publisher_is_missed_in_time_and_its_successor_believed(
    engine: str, start_engine: Callable[..., Engine], sim: Sim, publish: Publish
) -> None:
    server = start_engine(engine)
    first = publish(server.url, sim, "XBTUSDTM")
    with kf.Consumer(server.url, ["XBTUSDTM"]) as consumer:
        read_until(consumer, kf.Delta)
        held = consumer.book("XBTUSDTM")
        assert held is not None
        first.kill()
        first.wait()
        killed = time.monotonic()
        lost = read_until(consumer, kf.BookLost)
        took = time.monotonic() - killed
        assert isinstance(lost, kf.BookLost) and (lost.symbol, lost.epoch) == ("XBTUSDTM", 1)
        assert lost.reason == "no publisher is heard of"
        assert SILENCE - 1.5 < took < SILENCE + 1.0, took
        assert consumer.book("XBTUSDTM") is None
        with pytest.raises(kf.NotLive, match="no publisher is heard of"):
            _ = held.best_bid
        publish(server.url, sim, "XBTUSDTM", "--encoding", "ndjson")
        live = read_until(consumer, kf.BookLive)
        assert isinstance(live, kf.BookLive) and live.epoch == 2
        for _ in range(100):
            read_until(consumer, kf.Delta)
        assert exact(consumer, sim, "XBTUSDTM")
        assert held.sequence > live.sequence, "the same book goes on"


@pytest.mark.parametrize("engine", ENGINES)
def test_an_engine_that_dies_is_said_and_connected_to_anew(
    engine: str, start_engine: Callable[..., Engine], sim: Sim, publish: Publish
) -> None:
    server = start_engine(engine)
    publish(server.url, sim, "XBTUSDTM")
    with kf.Consumer(server.url, ["XBTUSDTM"]) as consumer:
        up = read_until(consumer, kf.State)
        assert isinstance(up, kf.State) and (up.kind, up.text) == ("engine_up", server.url)
        read_until(consumer, kf.Delta)
        server.kill()
        lost = read_until(consumer, kf.BookLost, 5)
        assert isinstance(lost, kf.BookLost) and lost.reason == "the engine cannot be reached"
        assert consumer.book("XBTUSDTM") is None
        down = read_until(consumer, kf.State, 5)
        assert isinstance(down, kf.State) and down.kind == "engine_down"
        assert "does not answer" in down.text
        server.start()
        read_until(consumer, kf.BookLive)
        for _ in range(100):
            read_until(consumer, kf.Delta)
        assert exact(consumer, sim, "XBTUSDTM")


@pytest.mark.parametrize("engine", ENGINES)
def test_a_slow_reader_is_told_and_books_are_right_after(
    engine: str, start_engine: Callable[..., Engine], sim: Sim, publish: Publish
) -> None:
    server = start_engine(engine)
    publish(server.url, sim, *BOTH)
    with kf.Consumer(server.url, BOTH, queue=64) as consumer:
        for _ in BOTH:
            read_until(consumer, kf.BookLive)
        time.sleep(3)
        lagged = read_until(consumer, kf.Lagged)
        assert isinstance(lagged, kf.Lagged) and lagged.dropped > 100, lagged
        last: dict[str, int] = {}
        for symbol in BOTH:
            book = consumer.book(symbol)
            assert book is not None and sim.is_true(book.copy())
            last[symbol] = book.sequence
        for _ in range(50):
            delta = read_until(consumer, kf.Delta)
            assert isinstance(delta, kf.Delta) and delta.sequence == last[delta.symbol] + 1
            last[delta.symbol] = delta.sequence
        assert all(exact(consumer, sim, symbol) for symbol in BOTH)


@pytest.mark.parametrize("engine", ENGINES)
def test_all_that_is_published_can_be_followed(
    engine: str, start_engine: Callable[..., Engine], sim: Sim, publish: Publish
) -> None:
    server = start_engine(engine)
    with kf.Consumer(server.url) as consumer:
        assert consumer.symbols == [] and consumer.book("XBTUSDTM") is None
        publish(server.url, sim, *BOTH)
        live = {str(getattr(read_until(consumer, kf.BookLive), "symbol", "")) for _ in BOTH}
        assert live == set(BOTH) and consumer.symbols == sorted(BOTH)
        assert all(exact(consumer, sim, symbol) for symbol in BOTH)


def test_on_an_event_loop(start_engine: Callable[..., Engine], sim: Sim, publish: Publish) -> None:
    server = start_engine("nats")
    publish(server.url, sim, "XBTUSDTM")

    async def main() -> None:
        ticks, last, deltas, cancelled = 0, 0, 0, 0

        async def tick() -> None:
            nonlocal ticks
            while True:
                await asyncio.sleep(0.01)
                ticks += 1

        ticker = asyncio.create_task(tick())
        async with kf.Consumer(server.url, ["XBTUSDTM"]) as consumer:
            while deltas < 300:
                try:
                    event = await asyncio.wait_for(anext(aiter(consumer)), 0.002)
                except asyncio.TimeoutError:
                    cancelled += 1
                    continue
                if isinstance(event, kf.Delta):
                    assert last in (0, event.sequence - 1), "a cancelled wait loses nothing"
                    last, deltas = event.sequence, deltas + 1
            assert await asyncio.to_thread(exact, consumer, sim, "XBTUSDTM")
        ticker.cancel()
        assert ticks > 50 and cancelled > 20, (ticks, cancelled)

    asyncio.run(main())


@pytest.mark.parametrize("engine", ENGINES)
def test_passwords_are_not_shown(
    engine: str, start_engine: Callable[..., Engine], sim: Sim, publish: Publish
) -> None:
    server = start_engine(engine, "s3cret-Canary")
    with kf.Consumer(server.with_login("wr0ng-Canary"), ["XBTUSDTM"]) as consumer:
        down = read_until(consumer, kf.State)
        assert isinstance(down, kf.State) and down.kind == "engine_down"
        assert "refuses the login" in down.text, down
        assert "Canary" not in f"{down!r} {consumer!r} {consumer._native!r}"
        assert "***" in repr(consumer)
    url = server.with_login("s3cret-Canary")
    publish(url, sim, "XBTUSDTM")
    with kf.Consumer(url, ["XBTUSDTM"]) as consumer:
        up = read_until(consumer, kf.State)
        assert isinstance(up, kf.State) and up.kind == "engine_up" and "Canary" not in repr(up)
        read_until(consumer, kf.Delta)
        assert exact(consumer, sim, "XBTUSDTM")


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("http://me:s3cret@127.0.0.1", "use redis://"),
        ("rediss://me:s3cret@127.0.0.1", "TLS"),
        ("redis://me:s3cret@", "use redis://"),
        ("s3cret", "not an address"),
    ],
)
def test_addresses_that_cannot_be_used(url: str, said: str) -> None:
    with pytest.raises(kf.MisuseError, match=said) as error:
        kf.Consumer(url, ["XBTUSDTM"])
    assert "s3cret" not in f"{error.value!r}"


def test_what_cannot_be_meant(start_engine: Callable[..., Engine]) -> None:
    url = start_engine("redis").url
    with pytest.raises(kf.MisuseError, match="prefix"):
        kf.Consumer(url, ["XBTUSDTM"], prefix="a b")
    with pytest.raises(kf.Error):
        kf.Consumer(url, ["no contract"])
    with kf.Consumer(url, "XBTUSDTM") as consumer:
        assert consumer.symbols == ["XBTUSDTM"], "one name is one name"
        with pytest.raises(kf.MisuseError, match="not followed"):
            consumer.book("ETHUSDTM")
        with pytest.raises(kf.MisuseError, match="seconds"):
            consumer.next(-1)


def test_its_end_and_its_readers(start_engine: Callable[..., Engine]) -> None:
    consumer = kf.Consumer(start_engine("redis").url, ["XBTUSDTM"])
    read_until(consumer, kf.State)
    begun = time.monotonic()
    assert consumer.next(0.2) is None and 0.15 < time.monotonic() - begun < 1
    first = threading.Thread(target=lambda: list(consumer))
    first.start()
    ticks, until = 0, time.monotonic() + 1
    while time.monotonic() < until:
        time.sleep(0.001)
        ticks += 1
    assert ticks > 100, f"a reader that waits holds others up: {ticks}"
    with pytest.raises(kf.MisuseError, match="another thread"):
        consumer.next(0)
    begun = time.monotonic()
    consumer.close()
    first.join(3)
    assert not first.is_alive() and time.monotonic() - begun < 1
    assert list(consumer) == []
    with pytest.raises(kf.Closed):
        consumer.next(1)
    consumer.close()


def test_no_book_is_live_after_the_end(
    start_engine: Callable[..., Engine], sim: Sim, publish: Publish
) -> None:
    server = start_engine("redis")
    publish(server.url, sim, "XBTUSDTM")
    consumer = kf.Consumer(server.url, ["XBTUSDTM"])
    read_until(consumer, kf.Delta)
    book = consumer.book("XBTUSDTM")
    assert book is not None and book.is_live
    consumer.close()
    for _ in consumer:
        pass
    assert consumer.book("XBTUSDTM") is None
    with pytest.raises(kf.NotLive, match="closed"):
        _ = book.best_ask


@pytest.mark.skipif(os.name == "nt", reason="no such signal")
def test_ctrl_c_ends_a_wait(start_engine: Callable[..., Engine]) -> None:
    # Whoever starts the tests in the background may have it ignored by all that they start.
    code = """
import signal, sys, kucoin_futures as kf
signal.signal(signal.SIGINT, signal.default_int_handler)
with kf.Consumer(sys.argv[1], ["XBTUSDTM"]) as consumer:
    try:
        for event in consumer:
            print("waiting", flush=True)
    except KeyboardInterrupt:
        print("interrupted", flush=True)
"""
    args = [sys.executable, "-X", "faulthandler", "-c", code, start_engine("redis").url]
    process = subprocess.Popen(args, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert process.stdout is not None and process.stdout.readline() == "waiting\n"
    time.sleep(0.3)
    begun = time.monotonic()
    process.send_signal(signal.SIGINT)
    try:
        told, _ = process.communicate(timeout=10)
    except subprocess.TimeoutExpired:
        # Where it hangs, each thread says.
        process.send_signal(signal.SIGABRT)
        pytest.fail(process.communicate(timeout=10)[1])
    assert told == "interrupted\n"
    assert process.returncode == 0 and time.monotonic() - begun < 2
