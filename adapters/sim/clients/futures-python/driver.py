"""kucoin-futures-python: the exchange's older SDK for futures."""

import asyncio
import logging
import uuid

from check import *
from kucoin_futures.client import Market, Trade, User, WsToken
from kucoin_futures.ws_client import KucoinFuturesWsClient

logging.basicConfig(level=logging.INFO)


def market_calls():
    api, ms = Market(url=URL), int(time.time() * 1000)
    check("REST get_server_timestamp", lambda: need(abs(api.get_server_timestamp() - ms) < 5000, "time"))
    check("REST get_service_status", lambda: need(api.get_service_status()["status"] == "open", "status"))
    check("REST get_contracts_list", lambda: need(
        any(row["symbol"] == SYMBOL for row in api.get_contracts_list()), SYMBOL))
    check("REST get_contract_detail", lambda: need(api.get_contract_detail(SYMBOL)["tickSize"], "tick"))
    check("REST get_ticker", lambda: complete(api.get_ticker(SYMBOL)))
    check("REST get_all_tickers", lambda: complete(api.get_all_tickers()[0]))
    check("REST l2_order_book", lambda: complete(api.l2_order_book(SYMBOL)))
    for depth in (20, 100):
        check(f"REST l2_part_order_book {depth}", lambda: need(
            len(api.l2_part_order_book(SYMBOL, depth)["bids"]) <= depth, "levels"))
    check("REST get_trade_history", lambda: complete(api.get_trade_history(SYMBOL)[0]))
    check("REST get_kline_data", lambda: need(
        len(api.get_kline_data(SYMBOL, 1, ms - 3_600_000, ms)) > 50, "60 rows"))
    check("REST get_current_mark_price", lambda: complete(api.get_current_mark_price(SYMBOL)))
    check("REST get_index_list", lambda: complete(api.get_index_list(".KXBTUSDT")["dataList"][0]))
    check("REST get_interest_rate", lambda: complete(api.get_interest_rate(".XBTINT")["dataList"][0]))
    check("REST get_premium_index", lambda: complete(api.get_premium_index(".XBTUSDTMPI")["dataList"][0]))
    check("REST get_current_fund_rate", lambda: complete(
        api.get_current_fund_rate(SYMBOL), ("predictedValue",)))
    fees = Trade("", "", "", url=URL)
    check("REST get_public_funding_history", lambda: complete(
        fees.get_public_funding_history(SYMBOL, ms - 3 * 86_400_000, ms)[0]))
    refused("REST unknown symbol is refused", lambda: api.get_ticker("NOPEUSDTM"), "200003")


TOPICS = {
    "/contractMarket/tickerV2:": "tickerV2", "/contractMarket/ticker:": "ticker",
    "/contractMarket/level2:": "level2", "/contractMarket/execution:": "execution",
    "/contractMarket/level2Depth5:": "level2Depth5", "/contractMarket/level2Depth50:": "level2Depth50",
    "/contract/instrument:": "instrument", "/contractMarket/snapshot:": "snapshot",
}


class Socket:
    """Its socket, with what came by topic."""

    def __init__(self):
        self.got, self.times, self.errors, self.book = {}, [], [], Book()

    async def open(self, token, private=False):
        self.client = await KucoinFuturesWsClient.create(None, token, self.take, private=private)

    async def take(self, message):
        self.times.append(time.time())
        if message["type"] == "error":
            return self.errors.append(message)
        self.got.setdefault(message["topic"], []).append(message)
        if message["topic"].startswith("/contractMarket/level2:"):
            self.book.change(message["data"]["sequence"], message["data"]["change"])

    async def seen(self, topic, condition=lambda data: True, seconds=20):
        for _ in range(seconds * 20):
            for message in self.got.get(topic, []):
                if condition(message["data"]):
                    return message
            await asyncio.sleep(0.05)
        raise Failed(f"no message; errors: {self.errors}")


async def public():
    await asyncio.to_thread(market_calls)
    socket = Socket()
    await socket.open(WsToken(url=URL))
    for prefix in TOPICS:
        await acheck(f"subscribe {TOPICS[prefix]}", socket.client.subscribe(prefix + SYMBOL))
    candle = f"/contractMarket/limitCandle:{SYMBOL}_1min"
    await acheck("subscribe limitCandle", socket.client.subscribe(candle))
    await acheck("subscribe announcement", socket.client.subscribe("/contract/announcement"))
    for prefix, name in TOPICS.items():
        await acheck(f"channel {name}", socket.seen(prefix + SYMBOL))
    await acheck("channel limitCandle", socket.seen(candle))
    await acheck("book of its deltas equals REST", book(socket))
    await acheck("no errors", none(socket.errors))


async def none(errors):
    need(not errors, errors)


async def book(socket):
    snapshot = await asyncio.to_thread(Market(url=URL).l2_order_book, SYMBOL)
    socket.book.load(snapshot["sequence"], snapshot["bids"], snapshot["asks"])
    await asyncio.to_thread(socket.book.books.agree)


async def reconnect():
    socket = Socket()
    await socket.open(WsToken(url=URL))
    await socket.client.subscribe("/contractMarket/tickerV2:" + SYMBOL)
    await asyncio.to_thread(reconnected, "data again after a close", socket.times)


async def private():
    trade, user = Trade(KEY, SECRET, PASSPHRASE, url=URL), User(KEY, SECRET, PASSPHRASE, url=URL)
    call = lambda name, run, *args: asyncio.to_thread(check, name, run, *args)
    await call("REST get_account_overview", lambda: complete(user.get_account_overview("USDT")))
    await call("REST get_24h_futures_transaction_volume",
               lambda: complete(trade.get_24h_futures_transaction_volume()))
    for name, keys, code in (("key", ("no", SECRET, PASSPHRASE), "400003"),
                             ("secret", (KEY, "no", PASSPHRASE), "40000"),
                             ("passphrase", (KEY, SECRET, "no"), "400004")):
        stranger = User(*keys, url=URL)
        await asyncio.to_thread(refused, f"wrong {name} is refused",
                                lambda: stranger.get_account_overview("USDT"), code)
    socket = Socket()
    await socket.open(WsToken(KEY, SECRET, PASSPHRASE, url=URL), private=True)
    topics = ["/contractMarket/tradeOrders", "/contractAccount/wallet", "/contract/positionAll",
              "/contractMarket/advancedOrders", f"/contractMarket/tradeOrders:{SYMBOL}",
              f"/contract/position:{SYMBOL}", "/contract/marginMode", "/contract/crossLeverage"]
    for topic in topics:
        await acheck(f"subscribe {topic}", socket.client.subscribe(topic))
    best = float(Market(url=URL).get_ticker(SYMBOL)["bestBidPrice"])
    far = str(round(best * 0.9))
    placed = await call("order placed", lambda: trade.create_limit_order(SYMBOL, "buy", "3", 1, far))
    order_id = (placed or {}).get("orderId", "1")
    await acheck("order seen on its channel", socket.seen(topics[0], lambda d: d["orderId"] == order_id))
    await call("order by id", lambda: need(trade.get_order_details(order_id)["id"] == order_id, "id"))
    await call("order among the active ones", lambda: need(any(
        row["id"] == order_id for row in trade.get_order_list(status="active")["items"]), "not there"))
    await call("order cancelled", lambda: need(
        trade.cancel_order(order_id)["cancelledOrderIds"] == [order_id], "other"))
    await acheck("cancel seen on its channel", socket.seen(
        topics[0], lambda d: d["orderId"] == order_id and d["type"] == "canceled"))
    stop = dict(stop="down", stopPrice=far, stopPriceType="TP")
    await call("stop order placed", lambda: trade.create_limit_order(SYMBOL, "buy", "3", 1, far, **stop))
    await call("stop orders listed", lambda: need(trade.get_open_stop_order()["items"], "none"))
    await call("stop orders cancelled", lambda: trade.cancel_all_stop_order(SYMBOL))
    await call("market order placed", lambda: trade.create_market_order(
        SYMBOL, "buy", "3", clientOid=uuid.uuid4().hex, size=1))
    await asyncio.sleep(1)
    await call("positions", lambda: need(trade.get_all_position()[0], "none"))
    await call("position details", lambda: need(trade.get_position_details(SYMBOL)["symbol"] == SYMBOL, "other"))
    await call("fills", lambda: need(trade.get_fills_details(SYMBOL)["items"], "none"))
    await call("recent fills", lambda: need(trade.get_recent_fills()[0], "none"))
    await call("recent done orders", lambda: need(trade.get_24h_done_order()[0], "none"))
    await call("margin mode switched", lambda: trade.change_margin_mode("ETHUSDTM", "CROSS"))
    await call("cross leverage changed", lambda: trade.change_cross_user_leverage("ETHUSDTM", "7"))
    for topic in topics:
        await acheck(f"channel {topic}", socket.seen(topic))
    await acheck("no errors", none(socket.errors))


async def main():
    await {"public": public, "reconnect": reconnect, "private": private}[PHASE]()
    finish()


asyncio.run(main())
