"""python-kucoin (sammchardy): REST for spot and futures. Its socket manager asks `get_ws_endpoint`
of the client, which this version has for spot only; a client whose futures method stands there is
what its documentation of futures leaves to the user."""

import asyncio
import base64
import hashlib
import hmac
import logging
import uuid

from check import *
from kucoin.asyncio import KucoinSocketManager
from kucoin.client import Client
from kucoin.exceptions import KucoinAPIException

logging.basicConfig(level=logging.INFO)


class Futures(Client):
    REST_API_URL = URL
    REST_FUTURES_API_URL = URL

    def get_ws_endpoint(self, private=False):
        return self.futures_get_ws_endpoint(private)


def market_calls():
    api, ms = Futures("", "", ""), int(time.time() * 1000)
    check("REST futures_get_timestamp", lambda: need(abs(api.futures_get_timestamp() - ms) < 5000, "time"))
    check("REST futures_get_status", lambda: need(api.futures_get_status()["status"] == "open", "status"))
    check("REST futures_get_symbols", lambda: need(
        any(row["symbol"] == SYMBOL for row in api.futures_get_symbols()), SYMBOL))
    check("REST futures_get_symbol", lambda: need(api.futures_get_symbol(SYMBOL)["tickSize"], "tick"))
    check("REST futures_get_ticker", lambda: complete(api.futures_get_ticker(SYMBOL)))
    check("REST futures_get_tickers", lambda: complete(api.futures_get_tickers()[0]))
    check("REST futures_get_order_book 20", lambda: complete(api.futures_get_order_book(SYMBOL, depth_20=True)))
    check("REST futures_get_order_book 100", lambda: complete(api.futures_get_order_book(SYMBOL)))
    check("REST futures_get_full_order_book", lambda: complete(api.futures_get_full_order_book(SYMBOL)))
    check("REST futures_get_trade_histories", lambda: complete(api.futures_get_trade_histories(SYMBOL)[0]))
    check("REST futures_get_klines", lambda: need(api.futures_get_klines(SYMBOL, 1)[0], "rows"))
    check("REST futures_get_interest_rate", lambda: complete(api.futures_get_interest_rate(".XBTINT")["dataList"][0]))
    check("REST futures_get_index", lambda: complete(api.futures_get_index(".KXBTUSDT")["dataList"][0]))
    check("REST futures_get_mark_price", lambda: complete(api.futures_get_mark_price(SYMBOL)))
    check("REST futures_get_premium_index", lambda: complete(api.futures_get_premium_index(".XBTUSDTMPI")["dataList"][0]))
    check("REST futures_get_funding_rate", lambda: complete(
        api.futures_get_funding_rate(SYMBOL), ("predictedValue",)))
    check("REST futures_get_public_funding_history", lambda: complete(
        api.futures_get_public_funding_history(SYMBOL, ms - 3 * 86_400_000, ms)[0]))
    refused("REST unknown symbol is refused", lambda: api.futures_get_ticker("NOPEUSDTM"), "200003")


class Socket:
    def __init__(self, *keys):
        self.got, self.times, self.book, self.keys = {}, [], Book(), keys

    async def open(self, private=False):
        loop = asyncio.get_running_loop()
        client = Futures(*(self.keys or ("", "", "")))
        if self.keys:
            second_version(client)
        self.manager = await KucoinSocketManager.create(loop, client, self.take, private=private)

    async def take(self, message):
        self.times.append(time.time())
        topic = message.get("topic", "error")
        self.got.setdefault(topic, []).append(message)
        if topic.startswith("/contractMarket/level2:"):
            self.book.change(message["data"]["sequence"], message["data"]["change"])

    async def seen(self, topic, condition=lambda data: True, seconds=20):
        for _ in range(seconds * 20):
            for message in self.got.get(topic, []):
                if condition(message["data"]):
                    return message
            await asyncio.sleep(0.05)
        raise Failed(f"no message; errors: {self.got.get('error')}")


async def public():
    await asyncio.to_thread(market_calls)
    socket = Socket()
    await socket.open()
    topics = [f"/contractMarket/{name}:{SYMBOL}" for name in (
        "tickerV2", "ticker", "level2", "execution", "level2Depth5", "level2Depth50", "snapshot")]
    topics += [f"/contract/instrument:{SYMBOL}", f"/contractMarket/limitCandle:{SYMBOL}_1min"]
    for topic in topics:
        await acheck(f"subscribe {topic}", socket.manager.subscribe(topic))
    for topic in topics:
        await acheck(f"channel {topic}", socket.seen(topic))
    await acheck("book of its deltas equals REST", book(socket))


async def book(socket):
    snapshot = await asyncio.to_thread(Futures("", "", "").futures_get_full_order_book, SYMBOL)
    socket.book.load(snapshot["sequence"], snapshot["bids"], snapshot["asks"])
    await asyncio.to_thread(socket.book.books.agree)


async def reconnect():
    socket = Socket()
    await socket.open()
    await socket.manager.subscribe("/contractMarket/tickerV2:" + SYMBOL)
    await asyncio.to_thread(reconnected, "data again after a close", socket.times, 25)


def second_version(api):
    """What its session sends with every request, for a key of the second version."""
    secret = hmac.new(SECRET.encode(), PASSPHRASE.encode(), hashlib.sha256).digest()
    passphrase = base64.b64encode(secret).decode()
    api.session.headers.update({"KC-API-KEY-VERSION": "2", "KC-API-PASSPHRASE": passphrase})


async def private():
    api = Futures(KEY, SECRET, PASSPHRASE)
    # By itself it signs as keys of the first version did.
    await asyncio.to_thread(refused, "a key of version 1 is refused", api.futures_get_positions, "400008")
    second_version(api)
    call = lambda name, run: asyncio.to_thread(check, name, run)
    await call("REST futures_get_account_detail", lambda: complete(api.futures_get_account_detail("USDT")))
    await call("REST futures_get_24hr_transaction_volume",
               lambda: complete(api.futures_get_24hr_transaction_volume()))
    stranger = Futures("no", SECRET, PASSPHRASE)
    await asyncio.to_thread(refused, "wrong key is refused", stranger.futures_get_positions, "400003")
    stranger = Futures(KEY, "no", PASSPHRASE)
    second_version(stranger)
    await asyncio.to_thread(refused, "wrong secret is refused", stranger.futures_get_positions, "40000")
    socket = Socket(KEY, SECRET, PASSPHRASE)
    await socket.open(private=True)
    topics = ["/contractMarket/tradeOrders", "/contractAccount/wallet", "/contract/positionAll"]
    for topic in topics:
        await acheck(f"subscribe {topic}", socket.manager.subscribe(topic))
    far = str(round(float(api.futures_get_ticker(SYMBOL)["bestBidPrice"]) * 0.9))
    placed = await call("order placed", lambda: api.futures_create_order(
        SYMBOL, type="limit", side="buy", size=1, price=far, leverage=3, client_oid=uuid.uuid4().hex))
    order_id = (placed or {}).get("orderId", "1")
    await acheck("order seen on its channel", socket.seen(topics[0], lambda d: d["orderId"] == order_id))
    await call("order by id", lambda: need(api.futures_get_order(order_id)["id"] == order_id, "id"))
    await call("order among the active ones", lambda: need(any(
        row["id"] == order_id for row in api.futures_get_orders(SYMBOL, status="active")["items"]), "not there"))
    await call("order cancelled", lambda: need(
        api.futures_cancel_order(order_id)["cancelledOrderIds"] == [order_id], "other"))
    await call("market order placed", lambda: api.futures_create_order(
        SYMBOL, type="market", side="buy", size=1, leverage=3, client_oid=uuid.uuid4().hex))
    await asyncio.sleep(1)
    await call("positions", lambda: need(api.futures_get_positions()[0], "none"))
    await call("position", lambda: need(api.futures_get_position(SYMBOL)["symbol"] == SYMBOL, "other"))
    await call("fills", lambda: need(api.futures_get_fills(symbol=SYMBOL)["items"], "none"))
    await call("recent fills", lambda: need(api.futures_get_recent_fills()[0], "none"))
    await call("recent orders", lambda: need(api.futures_get_recent_orders()[0], "none"))
    for topic in topics:
        await acheck(f"channel {topic}", socket.seen(topic))


async def main():
    await {"public": public, "reconnect": reconnect, "private": private}[PHASE]()
    finish()


asyncio.run(main())
