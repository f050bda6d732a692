"""typed-kucoin: validates every answer and push against types; what is lacking or of another type fails."""

import asyncio
import uuid
from datetime import datetime, timedelta, timezone
from types import SimpleNamespace

from check import *
from typed_core.exceptions import NetworkError
from typed_kucoin.account import Account
from typed_kucoin.core.auth import Credentials
from typed_kucoin.core.transport.http import HttpRpcClient
from typed_kucoin.core.transport.ws import SocketStreamClient
from typed_kucoin.futures import Futures
from typed_kucoin.streams.futures_private import FuturesPrivate
from typed_kucoin.streams.futures_public import FuturesPublic


class Client:
    """Its parts for futures, at our address: `KuCoin.new` takes none."""

    def __init__(self, *secrets):
        credentials = Credentials(*secrets) if secrets else None
        self.rpc = HttpRpcClient(base_url=URL, credentials=credentials)
        self.socket = SocketStreamClient.new(bullet=self.rpc, private=bool(secrets))
        self.futures, self.account = Futures(client=self.rpc), Account(client=self.rpc)
        self.public = FuturesPublic(client=self.socket)
        self.private = FuturesPrivate(client=self.socket)

    async def __aenter__(self):
        await self.rpc.__aenter__()
        return self

    async def __aexit__(self, *why):
        await self.rpc.__aexit__(*why)


async def holds(wait, condition, text):
    value = await wait
    need(condition(value), f"{text}: {value!r}")
    return value


async def refused_async(name, wait, code):
    async def attempt():
        try:
            value = await wait
        except Exception as error:
            need(code in repr(error) + str(getattr(error, "args", "")), f"not {code}: {error!r}")
            return
        raise Failed(f"not refused: {value!r}")
    await acheck(name, attempt())


async def market_calls(futures):
    now = datetime.now(timezone.utc)
    for name in ("server_time", "service_status", "all_symbols", "all_tickers"):
        await acheck(f"REST {name}", holds(getattr(futures, name)(), bool, "empty"))
    for name in ("symbol", "ticker", "full_orderbook", "trade_history", "mark_price"):
        await acheck(f"REST {name}", holds(getattr(futures, name)(SYMBOL), bool, "empty"))
    for size in ("20", "100"):
        await acheck(f"REST part_orderbook {size}", futures.part_orderbook(size, symbol=SYMBOL))
    window = dict(from_=now - timedelta(hours=5), to=now)
    await acheck("REST klines", holds(
        futures.klines(SYMBOL, granularity=1, **window), lambda rows: len(rows) == 200, "200 rows"))
    await acheck("REST klines, all pages", holds(
        flat(futures.klines_paged(SYMBOL, granularity=1, **window)),
        # A minute without trades has none.
        lambda rows: len(rows) > 290 and len({row[0] for row in rows}) == len(rows), "300 rows"))
    for name, symbol in (("spot_index_price", ".KXBTUSDT"), ("interest_rate_index", ".XBTINT"),
                         ("premium_index", ".XBTUSDTMPI")):
        call = getattr(futures, name)
        await acheck(f"REST {name}", holds(call(symbol), lambda page: page["dataList"], "no rows"))
    fees = futures.funding_fees
    await acheck("REST current_funding_rate", fees.current_funding_rate(SYMBOL))
    days = dict(from_=now - timedelta(days=3), to=now)
    await acheck("REST public_funding_history", holds(
        fees.public_funding_history(SYMBOL, **days), bool, "no rows"))
    await refused_async("REST unknown symbol is refused", futures.ticker("NOPEUSDTM"), "200003")


async def flat(paged):
    return list(await paged)


async def first(manager, count=1, seconds=15):
    """The first messages of a channel, validated."""
    async with manager as stream:
        got = []
        async for message in stream:
            got.append(message)
            if len(got) == count:
                return got


async def public():
    async with Client() as client:
        await market_calls(client.futures)
        channels = client.public
        for name in ("execution", "instrument", "orderbook_level5", "orderbook_level50",
                     "symbol_snapshot", "ticker_v1", "ticker_v2"):
            await acheck(f"channel {name}", first(getattr(channels, name)(SYMBOL)))
        for kind in ("1min", "1month"):
            await acheck(f"channel klines {kind}", first(channels.klines(SYMBOL, type=kind)))
        # Settlements are hours apart.
        await acheck("subscribe announcement", subscribed(channels.announcement(SYMBOL)))
        await acheck("book of its deltas equals REST", book(client))


async def subscribed(manager):
    async with manager:
        pass


async def book(client):
    mine = Book()
    async with client.public.orderbook_increment(SYMBOL) as stream:
        async def read():
            async for message in stream:
                mine.change(message["sequence"], message["change"])
        reader = asyncio.create_task(read())
        await asyncio.sleep(1)
        snapshot = await client.futures.full_orderbook(SYMBOL)
        mine.load(snapshot["sequence"], snapshot["bids"], snapshot["asks"])
        await asyncio.to_thread(mine.books.agree)
        reader.cancel()


async def reconnect():
    """It says that the socket is gone; whoever wants more subscribes again."""
    times, ended = [], []
    async with Client() as client:
        async def read():
            while True:
                try:
                    async for _ in await client.public.ticker_v2(SYMBOL):
                        times.append(time.time())
                except NetworkError:
                    ended.append(time.time())
                    await asyncio.sleep(1)
        reader = asyncio.create_task(read())
        await asyncio.to_thread(reconnected, "data again after a close", times)
        await acheck("the close was said", holds(asyncio.sleep(0, ended), bool, "not"))
        reader.cancel()


async def private():
    async with Client(KEY, SECRET, PASSPHRASE) as client:
        futures = client.futures
        await acheck("REST stats_24h", futures.stats_24h())
        await acheck("REST futures_account", client.account.futures_account(currency="USDT"))
        for wrong, code in (((KEY, "no", PASSPHRASE), "40000"), (("no", SECRET, PASSPHRASE), "400003"),
                            ((KEY, SECRET, "no"), "400004")):
            async with Client(*wrong) as stranger:
                name = {"400003": "key", "400004": "passphrase"}.get(code, "secret")
                await refused_async(f"wrong {name} is refused", stranger.futures.stats_24h(), code)
        got = SimpleNamespace(tasks=[], seen={})
        channels = client.private
        for name in ("all_orders", "all_positions", "balance", "stop_order", "margin_mode", "cross_leverage"):
            await listen(got, name, getattr(channels, name)())
        for name in ("order", "position"):
            await listen(got, name, getattr(channels, name)(SYMBOL))
        await trade(futures, got)
        for name in ("all_orders", "order", "balance", "all_positions", "position", "stop_order",
                     "margin_mode", "cross_leverage"):
            await acheck(f"channel {name}", seen(got, name))
        for task in got.tasks:
            task.cancel()


async def listen(got, name, manager):
    stream = await acheck(f"subscribe {name}", wait_for(manager))
    if stream is None:
        return

    async def read():
        try:
            async for message in stream:
                got.seen.setdefault(name, []).append(message)
        except Exception as error:
            got.seen.setdefault(name, []).append(error)
    got.tasks.append(asyncio.create_task(read()))


async def wait_for(manager):
    return await manager


async def seen(got, name, condition=lambda message: True, seconds=20):
    for _ in range(seconds * 20):
        for message in got.seen.get(name, []):
            if isinstance(message, Exception):
                raise message
            if condition(message):
                return message
        await asyncio.sleep(0.05)
    raise Failed("no message")


async def trade(futures, got):
    orders, positions = futures.orders, futures.positions
    best = (await futures.ticker(SYMBOL))["bestBidPrice"]
    far = str(round(float(best) * 0.9))
    base = dict(symbol=SYMBOL, side="buy", leverage=3, size=1, marginMode="ISOLATED")

    def limit(**more):
        return orders.add(dict(base, clientOid=uuid.uuid4().hex, type="limit", price=far, **more))

    placed = await acheck("order placed", limit()) or {"orderId": "1", "clientOid": "1"}
    order_id = placed["orderId"]
    await acheck("order by id", orders.get_by_order_id(order_id))
    await acheck("order by client id", orders.get_by_client_oid(placed["clientOid"]))
    await acheck("order seen on its channel", seen(
        got, "all_orders", lambda m: m["orderId"] == order_id))
    await acheck("order among the active ones", holds(
        orders.get_order_list("active", symbol=SYMBOL),
        lambda page: any(row["id"] == order_id for row in page["items"]), "not there"))
    await acheck("order cancelled", holds(
        orders.cancel_by_order_id(order_id), lambda d: d["cancelledOrderIds"] == [order_id], "other"))
    await acheck("cancel seen on its channel", seen(
        got, "all_orders", lambda m: m["orderId"] == order_id and m["type"] == "canceled"))
    await acheck("stop order placed", limit(stop="down", stopPrice=far, stopPriceType="TP"))
    await acheck("stop orders listed", holds(
        orders.get_stop_order_list(symbol=SYMBOL), lambda page: page["items"], "none"))
    await acheck("stop orders cancelled", orders.cancel_all_stop_orders(symbol=SYMBOL))
    await acheck("market order placed", orders.add(dict(
        base, clientOid=uuid.uuid4().hex, type="market")))
    await asyncio.sleep(1)
    await acheck("positions", holds(positions.get_position_list(currency="USDT"), bool, "none"))
    await acheck("position details", positions.get_position_details(SYMBOL))
    await acheck("fills", holds(
        orders.get_trade_history(symbol=SYMBOL), lambda page: page["items"], "none"))
    await acheck("recent fills", holds(orders.get_recent_trade_history(symbol=SYMBOL), bool, "none"))
    await acheck("recent done orders", holds(
        orders.get_recent_closed_orders(symbol=SYMBOL), bool, "none"))
    await acheck("open order value", orders.get_open_order_value(SYMBOL))
    await acheck("margin mode", positions.get_margin_mode(SYMBOL))
    await acheck("margin mode switched", positions.switch_margin_mode("ETHUSDTM", margin_mode="CROSS"))
    await acheck("cross leverage changed",
                 positions.modify_cross_margin_leverage("ETHUSDTM", leverage="7"))
    await acheck("cross leverage", positions.get_cross_margin_leverage("ETHUSDTM"))
    await acheck("max open size", positions.get_max_open_size(SYMBOL, price=far, leverage=3))
    await refused_async("order beyond the balance is refused",
                        orders.add(dict(base, clientOid="x1", type="limit", price=far, size=10**9)), "")


async def main():
    await {"public": public, "reconnect": reconnect, "private": private}[PHASE]()
    finish()


asyncio.run(main())
