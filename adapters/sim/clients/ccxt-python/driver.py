"""ccxt (Python): `kucoinfutures` of its asynchronous half, REST and `watch*`."""

import asyncio

import ccxt.pro as ccxt

from check import *

PAIR = "BTC/USDT:USDT"


def make(**secrets):
    # Currencies are asked of the spot host, which is not simulated.
    words = {"enableRateLimit": False, "newUpdates": True, "has": {"fetchCurrencies": False}}
    words.update({"cafile": CA} if CA else {})
    exchange = ccxt.kucoinfutures({**words, **secrets})
    for name, address in exchange.urls["api"].items():
        if isinstance(address, str):
            exchange.urls["api"][name] = URL
    # What follows is about classic accounts; without the word it asks another host which it is.
    exchange.options["uta"] = False
    return exchange


async def holds(wait, condition, text):
    value = await wait
    need(condition(value), f"{text}: {str(value)[:200]}")
    return value


async def refused_async(name, wait, kind):
    async def attempt():
        try:
            value = await wait
        except ccxt.BaseError as error:
            need(type(error).__name__ in kind, f"{type(error).__name__}: {error}")
            return
        raise Failed(f"not refused: {str(value)[:200]}")
    await acheck(name, attempt())


async def market_calls(api):
    now = api.milliseconds()
    await acheck("REST load_markets", holds(api.load_markets(), lambda m: PAIR in m, "markets"))
    market = api.market(PAIR)
    await acheck("market is what the contract says", holds(asyncio.sleep(0), lambda _: (
        market["linear"] and market["contractSize"] == 0.001 and market["precision"]["amount"] == 1),
        "contract size"))
    await acheck("REST fetch_time", holds(api.fetch_time(), lambda at: abs(at - now) < 5000, "time"))
    await acheck("REST fetch_status", holds(api.fetch_status(), lambda s: s["status"] == "ok", "status"))
    await acheck("REST fetch_ticker", holds(
        api.fetch_ticker(PAIR), lambda t: t["bid"] < t["ask"] and t["last"], "ticker"))
    await acheck("REST fetch_tickers", holds(
        api.fetch_tickers([PAIR]), lambda t: t[PAIR]["last"], "tickers"))
    await acheck("REST fetch_bids_asks", holds(
        api.fetch_bids_asks([PAIR]), lambda t: t[PAIR]["bid"] < t[PAIR]["ask"], "bids"))
    for limit in (20, 100, None):
        await acheck(f"REST fetch_order_book {limit or 'full'}", holds(
            api.fetch_order_book(PAIR, limit), lambda b: b["bids"][0][0] < b["asks"][0][0], "book"))
    await acheck("REST fetch_trades", holds(
        api.fetch_trades(PAIR), lambda rows: rows and rows[-1]["price"] and abs(
            rows[-1]["timestamp"] - now) < 86_400_000, "trades"))
    for frame in ("1m", "1h", "1d"):
        await acheck(f"REST fetch_ohlcv {frame}", holds(
            api.fetch_ohlcv(PAIR, frame), lambda rows: rows and rows[0][3] <= rows[0][4] <= rows[0][2],
            "candles"))
    await acheck("REST fetch_funding_rate", holds(
        api.fetch_funding_rate(PAIR), lambda r: r["fundingRate"] is not None, "rate"))
    await acheck("REST fetch_funding_rate_history", holds(
        api.fetch_funding_rate_history(PAIR, now - 3 * 86_400_000, 10), bool, "rates"))
    await acheck("REST fetch_mark_price", holds(
        api.fetch_mark_price(PAIR), lambda m: m["markPrice"], "mark"))
    await refused_async("REST unknown symbol is refused",
                        api.futuresPublicGetTicker({"symbol": "NOPEUSDTM"}), ("BadRequest", "BadSymbol", "ExchangeError"))


async def public():
    api = make()
    await market_calls(api)
    await acheck("watch_ticker", holds(api.watch_ticker(PAIR), lambda t: t["last"], "ticker"))
    await acheck("watch_tickers", holds(api.watch_tickers([PAIR]), lambda t: t[PAIR]["last"], "tickers"))
    await acheck("watch_bids_asks", holds(
        api.watch_bids_asks([PAIR]), lambda t: t[PAIR]["bid"] < t[PAIR]["ask"], "bids"))
    await acheck("watch_trades", holds(api.watch_trades(PAIR), lambda rows: rows[0]["price"], "trades"))
    await acheck("watch_ohlcv", holds(api.watch_ohlcv(PAIR, "1m"), lambda rows: len(rows[0]) >= 6, "candles"))
    for depth in (5, 50):
        await acheck(f"watch_order_book, depth {depth}", holds(
            fresh(lambda one: one.watch_order_book(PAIR, depth)),
            lambda b: 0 < len(b["bids"]) <= depth, "levels"))
    await acheck("watch_order_book equals REST", book(api))
    await acheck("un_watch_order_book", api.un_watch_order_book(PAIR))
    await api.close()


async def fresh(run):
    one = make()
    try:
        return await run(one)
    finally:
        await one.close()


async def book(api, agree=Books.agree):
    books = Books()

    async def read():
        while True:
            book = await api.watch_order_book(PAIR)
            books.note(book["nonce"], book["bids"], book["asks"])
    reader = asyncio.create_task(read())
    agree = asyncio.create_task(asyncio.to_thread(agree, books))
    done, _ = await asyncio.wait({reader, agree}, return_when=asyncio.FIRST_COMPLETED)
    reader.cancel()
    for task in done:
        task.result()


async def replay():
    """A recording in place of the exchange: the market is the one of the moment that is replayed."""
    api = make()
    await acheck("REST load_markets", holds(api.load_markets(), lambda m: PAIR in m, "markets"))
    began = replayed("GET", "status")["began_ms"]
    await acheck("REST fetch_time is the recording's", holds(
        api.fetch_time(), lambda at: 0 <= at - began < 3_600_000, "time"))
    await acheck("REST fetch_status", holds(api.fetch_status(), lambda s: s["status"] == "ok", "status"))
    await acheck("REST fetch_ticker", holds(
        api.fetch_ticker(PAIR), lambda t: t["bid"] < t["ask"] and t["last"], "ticker"))
    for limit in (20, 100, None):
        await acheck(f"REST fetch_order_book {limit or 'full'}", holds(
            api.fetch_order_book(PAIR, limit), lambda b: b["bids"][0][0] < b["asks"][0][0], "book"))
    await acheck("REST fetch_trades", holds(api.fetch_trades(PAIR), bool, "trades"))
    await acheck("REST fetch_ohlcv", holds(
        api.fetch_ohlcv(PAIR, "1m"), lambda rows: rows and rows[0][3] <= rows[0][4] <= rows[0][2], "candles"))
    await acheck("REST fetch_mark_price", holds(api.fetch_mark_price(PAIR), lambda m: m["markPrice"], "mark"))
    await refused_async("REST unknown symbol is refused",
                        api.futuresPublicGetTicker({"symbol": "NOPEUSDTM"}), ("BadRequest", "BadSymbol", "ExchangeError"))
    stranger = make(apiKey="no", secret="no", password="no")
    await refused_async("a key is refused", stranger.futuresPrivateGetPositions(), ("AuthenticationError",))
    await stranger.close()
    await acheck("watch_ticker", holds(api.watch_ticker(PAIR), lambda t: t["last"], "ticker"))
    await acheck("watch_trades", holds(api.watch_trades(PAIR), lambda rows: rows[0]["price"], "trades"))
    for depth in (5, 50):
        await acheck(f"watch_order_book, depth {depth}", holds(
            fresh(lambda one: one.watch_order_book(PAIR, depth)),
            lambda b: 0 < len(b["bids"]) <= depth, "levels"))
    await acheck("watch_order_book equals REST", book(api))
    await acheck("watch_order_book has the recorded digests", book(api, Books.digests_agree))
    await api.close()


async def reconnect():
    """It fails what waits; whoever watches again is connected again."""
    times, failures, api = [], [], make()

    async def read():
        while True:
            try:
                await api.watch_trades(PAIR)
                times.append(time.time())
            except ccxt.NetworkError as error:
                failures.append(error)
                await asyncio.sleep(0.5)
    reader = asyncio.create_task(read())
    await asyncio.to_thread(reconnected, "data again after a close", times)
    await acheck("the close was said", holds(asyncio.sleep(0), lambda _: failures, "not"))
    reader.cancel()


async def private():
    api = make()
    await api.load_markets()
    # Set only now: with keys, loading asks hosts that are not simulated about margin.
    api.apiKey, api.secret, api.password = KEY, SECRET, PASSPHRASE
    for name, keys in (("key", ("no", SECRET, PASSPHRASE)), ("secret", (KEY, "no", PASSPHRASE)),
                       ("passphrase", (KEY, SECRET, "no"))):
        stranger = make(apiKey=keys[0], secret=keys[1], password=keys[2])
        await refused_async(f"wrong {name} is refused", stranger.futuresPrivateGetPositions(),
                            ("AuthenticationError", "InvalidNonce", "PermissionDenied", "NotSupported"))
        await stranger.close()
    await acheck("fetch_balance", holds(api.fetch_balance({"type": "swap"}), lambda b: b["USDT"]["total"], "USDT"))
    seen = {}
    watchers = [asyncio.create_task(watch(seen, name, run)) for name, run in (
        ("watch_orders", lambda: api.watch_orders(PAIR)),
        ("watch_my_trades", lambda: api.watch_my_trades(PAIR)),
        ("watch_balance", lambda: api.watch_balance({"type": "swap"})),
        ("watch_position", lambda: api.watch_position(PAIR)))]
    await asyncio.sleep(2)
    await trade(api, seen)
    for name in ("watch_orders", "watch_my_trades", "watch_balance", "watch_position"):
        await acheck(name, has(seen, name))
    for task in watchers:
        task.cancel()


async def watch(seen, name, run):
    while True:
        try:
            value = await run()
        except ccxt.BaseError as error:
            seen.setdefault(name, []).append(error)
            return
        rows = value if isinstance(value, list) else [value]
        seen.setdefault(name, []).extend(dict(row) for row in rows)


async def has(seen, name, condition=lambda row: True):
    for _ in range(400):
        for row in seen.get(name, []):
            if isinstance(row, Exception):
                raise row
            if condition(row):
                return row
        await asyncio.sleep(0.05)
    raise Failed("nothing came")


async def trade(api, seen):
    far = api.price_to_precision(PAIR, (await api.fetch_ticker(PAIR))["bid"] * 0.9)
    placed = await acheck("create_order, limit", api.create_order(
        PAIR, "limit", "buy", 1, far, {"leverage": 3, "marginMode": "isolated"}))
    order_id = placed["id"] if placed else "1"
    await acheck("order seen by watch_orders", has(seen, "watch_orders", lambda o: o["id"] == order_id))
    await acheck("fetch_order", holds(api.fetch_order(order_id), lambda o: o["status"] == "open", "order"))
    await acheck("fetch_open_orders", holds(
        api.fetch_open_orders(PAIR), lambda rows: any(o["id"] == order_id for o in rows), "not there"))
    await acheck("cancel_order", api.cancel_order(order_id))
    await acheck("cancel seen by watch_orders", has(
        seen, "watch_orders", lambda o: o["id"] == order_id and o["status"] == "canceled"))
    await acheck("create_order, stop", api.create_order(
        PAIR, "limit", "buy", 1, far, {"leverage": 3, "stopLossPrice": far}))
    await acheck("cancel_all_orders, stop", api.cancel_all_orders(PAIR, {"trigger": True}))
    await acheck("create_order, market", api.create_order(PAIR, "market", "buy", 1, None, {"leverage": 3}))
    await asyncio.sleep(1)
    await acheck("fetch_positions", holds(
        api.fetch_positions([PAIR]), lambda rows: rows and rows[0]["contracts"], "none"))
    await acheck("fetch_position", holds(api.fetch_position(PAIR), lambda p: p["entryPrice"], "none"))
    await acheck("fetch_my_trades", holds(api.fetch_my_trades(PAIR), lambda rows: rows and rows[0]["price"], "none"))
    await acheck("fetch_closed_orders", holds(api.fetch_closed_orders(PAIR), bool, "none"))
    await acheck("fetch_leverage", api.fetch_leverage(PAIR, {"marginMode": "cross"}))
    await acheck("set_margin_mode", api.set_margin_mode("cross", "ETH/USDT:USDT"))
    await acheck("set_leverage", api.set_leverage(7, "ETH/USDT:USDT", {"marginMode": "cross"}))
    await refused_async("order beyond the balance is refused", api.create_order(
        PAIR, "limit", "buy", 10**6, far, {"leverage": 1}),
        ("InsufficientFunds", "InvalidOrder", "BadRequest", "ExchangeError"))


async def main():
    phases = {"public": public, "reconnect": reconnect, "private": private, "replay": replay}
    await phases[PHASE]()
    finish()


asyncio.run(main())
