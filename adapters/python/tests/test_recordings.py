"""A recording says the same events again, with the same books."""

from __future__ import annotations

import subprocess
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import kucoin_futures as kf
import pytest
from conftest import Sim, kcf

Record = Callable[..., Path]


@pytest.fixture
def record(start_sim: Callable[..., Sim], tmp_path: Path) -> Callable[[str], tuple[Sim, Path]]:
    def run(faults: str) -> tuple[Sim, Path]:
        more = ["--faults", faults] if faults else []
        sim = start_sim("--symbols", "XBTUSDTM,ETHUSDTM", "--rate", "300", *more)
        to = tmp_path / "data"
        args = [kcf(), "record", "XBTUSDTM", "ETHUSDTM", "--to", str(to), "--for", "8s"]
        subprocess.run([*args, "--url", sim.url], check=True, capture_output=True)
        return sim, to

    return run


def test_books_are_the_exchanges(record: Callable[[str], tuple[Sim, Path]]) -> None:
    sim, path = record("every 2s drop *; every 3s close 1001")
    replay = kf.Recording(path).events()
    seen: Counter[str] = Counter()
    received = 0
    for event in replay:
        seen[type(event).__name__] += 1
        assert replay.received_ns is not None and replay.received_ns >= received
        received = replay.received_ns
        if isinstance(event, kf.BookLost):
            assert not replay.book(event.symbol).is_live
        if isinstance(event, kf.Delta):
            book = replay.book(event.symbol)
            assert book.is_live and book.sequence >= event.sequence
            if seen["Delta"] % 100 == 0:
                assert sim.is_true(book)
                seen["checked"] += 1
    assert seen["checked"] > 10 and seen["BookLost"] > 2 and seen["Trade"] > 0, seen
    info = kf.Recording(path).info()
    assert sum(it.deltas for it in info.symbols.values()) == seen["Delta"]
    assert info.symbols["XBTUSDTM"].gaps and info.lines_down > 0


def test_of_some_channels_only(record: Callable[[str], tuple[Sim, Path]]) -> None:
    _, path = record("")
    recording = kf.Recording(path)
    assert len(recording.sessions) == 1 and recording.sessions[0].bytes > 0
    events = list(recording.events(kf.trades("ETHUSDTM")))
    trades = [event for event in events if isinstance(event, kf.Trade)]
    assert trades and {trade.symbol for trade in trades} == {"ETHUSDTM"}
    assert not any(isinstance(event, (kf.Delta, kf.BookLive)) for event in events)
    assert len(trades) == recording.info().symbols["ETHUSDTM"].trades
    with pytest.raises(kf.NotLive, match="BookLive"):
        recording.events().book("XBTUSDTM")


def test_where_another_session_begins_that_is_told(
    start_sim: Callable[..., Sim], tmp_path: Path
) -> None:
    sim = start_sim("--symbols", "XBTUSDTM,ETHUSDTM", "--rate", "300")
    args = [kcf(), "record", "XBTUSDTM", "ETHUSDTM", "--to", str(tmp_path), "--url", sim.url]
    first = subprocess.Popen([*args, "--for", "1h"], stdout=subprocess.DEVNULL)
    time.sleep(5)
    first.kill()
    first.wait()
    subprocess.run([*args, "--for", "3s"], check=True, capture_output=True)
    recording = kf.Recording(tmp_path)
    assert len(recording.sessions) == 2
    begin = recording.sessions[1].started_ns

    live: dict[str, int] = {}
    lost: list[str] = []
    missed: list[str] = []
    replay = recording.events()
    for event in replay:
        assert replay.received_ns is not None
        if isinstance(event, kf.BookLive):
            live[event.symbol] = event.epoch
        elif isinstance(event, kf.BookLost):
            assert live.pop(event.symbol) == event.epoch and not replay.book(event.symbol).is_live
            if "another session" in event.reason:
                assert replay.received_ns == begin
                lost.append(event.symbol)
        elif isinstance(event, kf.MayHaveMissed) and replay.received_ns == begin:
            missed.append(event.topic)
        elif isinstance(event, (kf.Delta, kf.Trade)) and replay.received_ns >= begin:
            assert len(lost) == 2 and len(missed) >= 2, (lost, missed, event)
    assert sorted(lost) == ["ETHUSDTM", "XBTUSDTM"]
    trades = ["/contractMarket/execution:ETHUSDTM", "/contractMarket/execution:XBTUSDTM"]
    assert set(trades) <= set(missed) and len(missed) == len(set(missed)), missed

    replay = recording.events(kf.trades("ETHUSDTM"))
    told = [it for it in replay if replay.received_ns == begin]
    assert [getattr(it, "topic", it) for it in told] == trades[:1]


def test_what_is_before_an_unreadable_file_is_told_and_then_that(
    start_sim: Callable[..., Sim], tmp_path: Path
) -> None:
    sim = start_sim("--symbols", "XBTUSDTM", "--rate", "300")
    args = [kcf(), "record", "XBTUSDTM", "--to", str(tmp_path), "--url", sim.url, "--for", "2s"]
    for _ in range(3):
        subprocess.run(args, check=True, capture_output=True)
    files = sorted(tmp_path.rglob("*.kcr"), key=lambda file: file.stat().st_mtime_ns)
    recording = kf.Recording(tmp_path)
    begin = recording.sessions[1].started_ns
    replay = recording.events()
    first = [str(event) for event in replay if (replay.received_ns or 0) < begin]
    assert len(first) > 300
    files[1].unlink()
    replay = recording.events()
    told: list[str] = []
    with pytest.raises(kf.RecordingError):
        for event in replay:
            told.append(str(event))
    assert told[: len(first)] == first
    assert all("MayHaveMissed" in it for it in told[len(first) :])
    assert next(replay, None) is None, "what is behind it is not told"


def test_a_recording_that_is_torn_says_so_at_its_end(tmp_path: Path) -> None:
    args = "--from-soak 7 --profile trading --hours 0.2 --to".split()
    subprocess.run([kcf(), "record", *args, tmp_path], check=True, capture_output=True)
    whole = list(kf.Recording(tmp_path).events())
    assert not any(isinstance(it, kf.State) and it.kind == "torn" for it in whole)
    (file,) = tmp_path.rglob("*.kcr")
    with file.open("r+b") as torn:
        torn.truncate(file.stat().st_size * 2 // 3)
    told = list(kf.Recording(tmp_path).events())
    last = told[-1]
    assert isinstance(last, kf.State) and last.kind == "torn" and "ends here" in last.text
    assert 10 < len(told) < len(whole) and told[:-1] == whole[: len(told) - 1]
