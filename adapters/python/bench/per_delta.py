"""What a change of a book costs in Python: the usual tutorial, ccxt, and this, on the same frames in one run.

    python bench/per_delta.py --kcf target/release/kcf [--frames 20000]

Needs `pip install ccxt requests websocket-client`. Frames and snapshot come from `kcf sim`, over a socket, before
anything is measured. Each of the three gets every frame as its own socket library would hand it over (text, text,
bytes), puts it into its book, and reads best bid and best ask after it. In the end the three books have to be equal.

The last rows are this package's other ways: a recording, and a live feed that reads what has queued up.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import requests
import websocket

import kucoin_futures as kf

sys.path.insert(0, str(Path(__file__).parents[1] / "examples" / "tutorial"))
SYMBOL = "XBTUSDTM"


def frames_of(url: str, count: int) -> tuple[bytes, list[str]]:
    """A snapshot, and so many frames that go on from it."""
    bullet = requests.post(f"{url}/api/v1/bullet-public", timeout=10).json()["data"]
    address = bullet["instanceServers"][0]["endpoint"]
    ws = websocket.create_connection(f"{address}?token={bullet['token']}&connectId={uuid.uuid4()}")
    topic = f"/contractMarket/level2:{SYMBOL}"
    ws.send(json.dumps({"id": "1", "type": "subscribe", "topic": topic, "response": True}))
    frames: list[str] = []
    snapshot = b""
    pinged = time.monotonic()
    while len(frames) < count:
        text = ws.recv()
        if json.loads(text)["type"] != "message":
            continue
        frames.append(text)
        if not snapshot:
            reply = requests.get(
                f"{url}/api/v1/level2/snapshot", params={"symbol": SYMBOL}, timeout=10
            )
            snapshot = reply.content
        if time.monotonic() - pinged > 5:
            ws.send(json.dumps({"id": "2", "type": "ping"}))
            pinged = time.monotonic()
    ws.close()
    base = json.loads(snapshot)["data"]["sequence"]
    return snapshot, [text for text in frames if json.loads(text)["data"]["sequence"] > base]


def timed(name: str, frames: list[Any], run: Callable[[list[Any]], Any]) -> float:
    """Microseconds a frame, with the collector of garbage as it is by default."""
    begun = time.perf_counter()
    run(frames)
    cost = (time.perf_counter() - begun) / len(frames) * 1e6
    print(f"{name:<46} {cost:>9.3f} us/delta", flush=True)
    return cost


Side = list[tuple[float, float]]


def tutorial(snapshot: bytes, frames: list[str]) -> tuple[float, Side, Side]:
    from orderbook import OrderBook

    best: list[Any] = [None]

    class Quiet(OrderBook):  # type: ignore[misc]
        def on_update(self, best_bid: float, best_ask: float) -> None:
            best[0] = (best_bid, best_ask)

    book = Quiet(SYMBOL)
    book.load_snapshot(json.loads(snapshot)["data"])

    def run(frames: list[str]) -> None:
        for frame in frames:
            book.on_message(None, frame)

    cost = timed("the tutorial's on_message", frames, run)
    return cost, sorted(book.bids.items(), reverse=True), sorted(book.asks.items())


async def ccxt(url: str, snapshot: bytes, frames: list[str]) -> tuple[float, Side, Side]:
    import ccxt.pro

    # Currencies are asked of the spot host, which is not simulated.
    api = ccxt.pro.kucoinfutures({"newUpdates": True, "has": {"fetchCurrencies": False}})
    for name, address in api.urls["api"].items():
        if isinstance(address, str):
            api.urls["api"][name] = url
    api.options["uta"] = False
    await api.load_markets()
    pair = api.safe_symbol(SYMBOL, None, "-")
    client = api.client("ws://127.0.0.1:1")
    book = api.order_book({}, None)
    data = json.loads(snapshot)["data"]
    parsed = api.parse_order_book(data, pair, None, "bids", "asks", 0, 1)
    parsed["nonce"] = data["sequence"]
    book.reset(parsed)
    api.orderbooks[pair] = book
    best: list[Any] = [None]

    def run(frames: list[str]) -> None:
        for frame in frames:
            api.handle_message(client, json.loads(frame))
            best[0] = (book["bids"][0], book["asks"][0])

    cost = timed("ccxt.pro's kucoinfutures.handle_message", frames, run)
    bids, asks = ([(level[0], level[1]) for level in book[side]] for side in ("bids", "asks"))
    await api.close()
    return cost, bids, asks


def ours(snapshot: bytes, frames: list[str]) -> tuple[float, Side, Side]:
    encoded = [frame.encode() for frame in frames]
    best: list[Any] = [None]

    def looked(replica: kf.Replica) -> Callable[[list[bytes]], None]:
        def run(frames: list[bytes]) -> None:
            apply, book = replica.apply, replica.book
            for frame in frames:
                apply(frame)
                best[0] = book.touch

        return run

    def decimals(replica: kf.Replica) -> Callable[[list[bytes]], None]:
        def run(frames: list[bytes]) -> None:
            apply, book = replica.apply, replica.book
            for frame in frames:
                apply(frame)
                bid, ask = book.touch
                assert bid and ask
                best[0] = (bid.price, ask.price)

        return run

    replica = kf.Replica(snapshot)
    cost = timed("kf.Replica.apply, best levels", encoded, looked(replica))
    timed("the same, and both prices as Decimal", encoded, decimals(kf.Replica(snapshot)))
    book = replica.book
    bids, asks = (
        [(float(level.price), float(level.size)) for level in side]
        for side in (book.bids(held=True), book.asks(held=True))
    )
    return cost, bids, asks


def recording(kcf: str, url: str, seconds: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        to = str(Path(folder) / "data")
        args = [kcf, "record", SYMBOL, "--parts", "book", "--to", to, "--url", url]
        subprocess.run([*args, "--for", f"{seconds}s"], check=True, capture_output=True)
        begun, deltas = time.perf_counter(), 0
        replay = kf.Recording(to).events(kf.level2(SYMBOL))
        book = None
        for event in replay:
            if isinstance(event, kf.Delta):
                deltas += 1
                if book is None:
                    book = replay.book(SYMBOL)
                _ = book.touch
        cost = (time.perf_counter() - begun) / max(deltas, 1) * 1e6
    print(f"{f'kf.Recording, best levels ({deltas} deltas)':<46} {cost:>9.3f} us/delta")


def live(url: str, count: int) -> None:
    """As many as are there already, so that no wait is in it."""
    with kf.Feed(kf.level2(SYMBOL), url=url) as feed:
        for event in feed:
            if isinstance(event, kf.BookLive):
                break
        while feed.stats().deltas < count * 1.1:
            time.sleep(0.1)
        book, deltas, begun = feed.book(SYMBOL), 0, time.perf_counter()
        for event in feed:
            deltas += 1
            _ = book.touch
            if deltas == count:
                break
        cost = (time.perf_counter() - begun) / deltas * 1e6
    print(f"{f'kf.Feed, queued, best levels ({deltas} deltas)':<46} {cost:>9.3f} us/delta")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--kcf", required=True, help="the program, for its simulated exchange")
    parser.add_argument("--frames", type=int, default=20_000)
    parser.add_argument("--rate", type=int, default=2000)
    given = parser.parse_args()
    args = [given.kcf, "sim", "--symbols", SYMBOL, "--rate", str(given.rate)]
    sim = subprocess.Popen(args, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    try:
        assert sim.stdout is not None
        url = sim.stdout.readline().split()[-1]
        snapshot, frames = frames_of(url, given.frames)
        print(f"{len(frames)} frames of {SYMBOL}; Python {sys.version.split()[0]}")
        slow, *one = tutorial(snapshot, frames)
        middle, *two = asyncio.run(ccxt(url, snapshot, frames))
        fast, *three = ours(snapshot, frames)
        for side, name in enumerate(("bids", "asks")):
            assert one[side] == three[side], f"the tutorial's {name} differ"
            assert two[side] == three[side], f"ccxt's {name} differ"
        print("all three books are equal")
        print(f"ours is {slow / fast:.0f} times as fast as the tutorial, {middle / fast:.0f} as ccxt")
        recording(given.kcf, url, 5)
        live(url, 5000)
    finally:
        sim.kill()
        sim.wait()


if __name__ == "__main__":
    main()
