"""Errors say what to do next, and nothing shows a secret."""

from __future__ import annotations

import pickle
import traceback
from collections.abc import Callable
from pathlib import Path

import kucoin_futures as kf
import pytest
from conftest import KEY, PASSPHRASE, SECRET, Sim


def test_a_name_that_is_no_contracts_is_answered_with_what_may_be_meant(sim: Sim) -> None:
    with (
        pytest.raises(kf.UnknownSymbol, match="did you mean") as raised,
        kf.Feed(kf.level2("btc"), url=sim.url),
    ):
        pytest.fail("it was opened")
    assert raised.value.typed == "btc" and "XBTUSDTM" in raised.value.suggestions
    again = pickle.loads(pickle.dumps(raised.value))
    assert (str(again), again.suggestions) == (str(raised.value), raised.value.suggestions)
    with kf.Feed(url=sim.url) as feed, pytest.raises(kf.UnknownSymbol, match="query.contracts"):
        feed.query.ticker("zzzzzzzz")


def test_names_are_taken_as_people_write_them(sim: Sim) -> None:
    with kf.Feed(kf.level2("BTC/USDT"), url=sim.url) as feed:
        for event in feed:
            if isinstance(event, kf.BookLive):
                break
        assert feed.book("btc-usdt").symbol == "XBTUSDTM"
        assert feed.topics == ["/contractMarket/level2:XBTUSDTM"]


def test_a_channel_whose_name_could_not_be_looked_up_is_not_forgotten(
    sim: Sim, monkeypatch: pytest.MonkeyPatch
) -> None:
    feed = kf.Feed(kf.level2("BTC/USDT"), kf.trades("ETH/USDT"), url=sim.url)
    look_up, failed = kf.Feed._symbol, []

    def once_in_vain(self: kf.Feed, typed: str, timeout: float = 10.0) -> str:
        if typed == "ETH/USDT" and not failed:
            failed.append(typed)
            raise kf.QueryTimeout("no answer")
        return look_up(self, typed, timeout)

    monkeypatch.setattr(kf.Feed, "_symbol", once_in_vain)
    with pytest.raises(kf.QueryTimeout):
        feed.next(0)
    assert feed.topics == ["/contractMarket/level2:XBTUSDTM"]
    feed.next(0)
    assert feed.topics[1:] == ["/contractMarket/execution:ETHUSDTM"]
    feed.close()


def test_a_channel_whose_name_means_nothing_can_be_given_up(sim: Sim) -> None:
    feed = kf.Feed(kf.level2("btc"), kf.trades("XBTUSDTM"), url=sim.url)
    for _ in range(2):
        with pytest.raises(kf.UnknownSymbol):
            feed.next(0)
    feed.unsubscribe(kf.level2("btc"))
    assert feed.next(5) is not None
    feed.close()


def test_what_the_exchange_refuses_has_its_code_and_words(sim: Sim) -> None:
    with kf.Feed(url=sim.url) as feed:
        with pytest.raises(kf.ExchangeError, match="contracts") as raised:
            feed.query.contract("NOPEUSDTM")
        assert raised.value.code is not None and raised.value.words
        again = pickle.loads(pickle.dumps(raised.value))
        assert (again.code, again.words) == (raised.value.code, raised.value.words)


def test_without_credentials_it_says_what_is_missing(
    sim: Sim, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("KEY", "SECRET", "PASSPHRASE"):
        monkeypatch.delenv(f"KUCOIN_API_{name}", raising=False)
    with pytest.raises(kf.MisuseError, match="KUCOIN_API_KEY"):
        kf.Feed(credentials="env", url=sim.url)
    monkeypatch.setenv("KUCOIN_API_KEY", "k")
    with pytest.raises(kf.MisuseError, match="KUCOIN_API_SECRET"):
        kf.Credentials.from_env()
    with kf.Feed(url=sim.url) as feed, pytest.raises(kf.Error, match="credentials"):
        feed.query.positions()


def test_no_answer_in_time_is_a_timeout(start_sim: Callable[..., Sim]) -> None:
    sim = start_sim("--symbols", "XBTUSDTM", "--faults", "at 0s http-drip 2s 9")
    with kf.Feed(url=sim.url) as feed:
        with pytest.raises(kf.QueryTimeout, match="longer timeout"):
            feed.query.contracts(timeout=0.3)
        with pytest.raises(TimeoutError):
            feed.query.contracts(timeout=0)
        with pytest.raises(kf.MisuseError, match="seconds"):
            feed.query.contracts(timeout=-1)


def test_misuse_is_told_at_once(sim: Sim, tmp_path: Path) -> None:
    with pytest.raises(kf.MisuseError, match="https://"):
        kf.Feed(url="http://example.com")
    with pytest.raises(kf.MisuseError, match="ca"):
        kf.Feed(ca=b"nothing")
    with pytest.raises(kf.RecordingError):
        kf.Recording(tmp_path)
    with kf.Feed(url=sim.url) as feed:
        with pytest.raises(kf.MisuseError, match="level2"):
            feed.book("XBTUSDTM")
        with pytest.raises(kf.MisuseError, match="not subscribed"):
            feed.unsubscribe(kf.level2("XBTUSDTM"))
        with pytest.raises(kf.MisuseError, match="start_ns"):
            feed.query.funding_history("XBTUSDTM", None, None)  # type: ignore[arg-type]
    with pytest.raises(kf.Closed, match="make a new one"):
        feed.query.contracts()
    with pytest.raises(kf.Closed):
        feed.subscribe(kf.level2("XBTUSDTM"))
    assert list(feed) == []
    with pytest.raises(kf.Closed):
        feed.next()


def test_no_secret_is_shown(account_sim: Sim, keys: kf.Credentials) -> None:
    shown = [repr(keys), str(keys), repr(vars(kf)), f"{keys!r:}"]
    with pytest.raises(TypeError):
        pickle.dumps(keys)
    wrong = kf.Credentials(KEY, SECRET, "wrong")
    with kf.Feed(kf.orders(), url=account_sim.url, credentials=wrong) as feed:
        shown.append(repr(feed) + repr(vars(feed)))
        with pytest.raises(kf.ExchangeError, match="passphrase") as raised:
            feed.query.positions()
        shown += traceback.format_exception(raised.value) + [repr(raised.value)]
        for event in feed:
            shown.append(repr(event))
            if isinstance(event, kf.State) and event.kind == "login_refused":
                assert "passphrase" in event.text
                break
        shown += map(repr, feed.lines())
    with kf.Feed(kf.orders(), url=account_sim.url, credentials=keys) as feed:
        for _ in range(20):
            shown.append(repr(feed.next(5)))
    text = "\n".join(shown)
    for secret in (KEY, SECRET, PASSPHRASE, "wrong"):
        assert secret not in text
