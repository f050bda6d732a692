"""A simulated exchange for each test: ``kcf sim``, from ``KCF`` or from this repository's target folder."""

from __future__ import annotations

import json
import os
import subprocess
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import kucoin_futures as kf
import pytest

KEY, SECRET, PASSPHRASE = "canary-key+1/=", "canary secret%2", "canary:pass&phrase~3"


def kcf() -> str:
    """The program."""
    if path := os.environ.get("KCF"):
        return path
    target = Path(os.environ.get("CARGO_TARGET_DIR", Path(__file__).parents[3] / "target"))
    for profile in ("release", "debug"):
        if (path := target / profile / "kcf").exists():
            return str(path)
    pytest.exit("no kcf: `cargo build -p kcf`, or name it in the environment as KCF", returncode=2)


class Sim:
    """An exchange on loopback."""

    def __init__(self, *args: str) -> None:
        self.process = subprocess.Popen(
            [kcf(), "sim", *args], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        )
        assert self.process.stdout is not None
        self.url = self.process.stdout.readline().split()[-1]

    def is_true(self, book: kf.Book) -> bool:
        """Whether the exchange's book at its sequence, as far as it reaches, is this one."""
        bid, ask = book.horizon
        terms = {
            "symbol": book.symbol,
            "sequence": book.sequence,
            "bid_horizon": bid or "",
            "ask_horizon": ask or "",
        }
        query = urllib.parse.urlencode(terms)
        with urllib.request.urlopen(f"{self.url}/_sim/digest?{query}") as reply:
            truth = json.load(reply)
        return book.digest() in [truth["sha256"], *truth["earlier_runs"]]

    def stop(self) -> None:
        self.process.kill()
        self.process.wait()


Record = Callable[[int], Path]


@pytest.fixture(scope="session")
def record(tmp_path_factory: pytest.TempPathFactory) -> Record:
    """An hour of a simulated exchange with faults, in virtual time."""
    made: dict[int, Path] = {}

    def of(seed: int) -> Path:
        if seed not in made:
            made[seed] = tmp_path_factory.mktemp("soak") / "data"
            args = ["--from-soak", str(seed), "--profile", "trading", "--hours", "1"]
            subprocess.run(
                [kcf(), "record", *args, "--to", str(made[seed])], check=True, capture_output=True
            )
        return made[seed]

    return of


@pytest.fixture
def start_sim() -> Iterator[Callable[..., Sim]]:
    """Starts exchanges, and ends them."""
    sims: list[Sim] = []

    def start(*args: str) -> Sim:
        sims.append(Sim(*args))
        return sims[-1]

    yield start
    for sim in sims:
        sim.stop()


@pytest.fixture
def sim(start_sim: Callable[..., Sim]) -> Sim:
    """A well-behaved one with two contracts."""
    return start_sim("--symbols", "XBTUSDTM,ETHUSDTM", "--rate", "200")


@pytest.fixture
def account_sim(start_sim: Callable[..., Sim]) -> Sim:
    """One with a lively account."""
    keys = f"{KEY}:{SECRET}:{PASSPHRASE}"
    return start_sim(
        "--account", keys, "--activity", "900", "--symbols", "XBTUSDTM", "--rate", "100"
    )


@pytest.fixture
def keys() -> kf.Credentials:
    """Those of that account."""
    return kf.Credentials(KEY, SECRET, PASSPHRASE)
