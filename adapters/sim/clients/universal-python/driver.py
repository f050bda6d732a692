"""kucoin-universal-sdk (Python): the exchange's own SDK of today."""

import logging
import time
import uuid
import warnings

warnings.filterwarnings("ignore")
logging.basicConfig(level=logging.WARNING)

from check import *
from kucoin_universal_sdk.api import DefaultClient
from kucoin_universal_sdk.generate.account import account
from kucoin_universal_sdk.generate.futures import fundingfees, market, order, positions
from kucoin_universal_sdk.model import (
    ClientOptionBuilder, TransportOptionBuilder, WebSocketClientOptionBuilder,
)
from kucoin_universal_sdk.model import WebSocketEvent


def client(key="", secret="", passphrase="", events=None):
    socket = WebSocketClientOptionBuilder().with_reconnect_interval(1)
    if events is not None:
        socket = socket.with_event_callback(lambda kind, *_: events.append((time.time(), kind)))
    options = ClientOptionBuilder().set_key(key).set_secret(secret).set_passphrase(passphrase)
    options = options.set_futures_endpoint(URL).set_transport_option(TransportOptionBuilder().build())
    return DefaultClient(options.set_websocket_client_option(socket.build()).build())


def full(response, may_lack=()):
    """A response is complete, and so is each of its rows."""
    for name, value in vars(response).items():
        for row in value if isinstance(value, list) else []:
            if hasattr(row, "model_dump"):
                complete(row, may_lack)
    return complete(response, may_lack)


# What the documentation of contracts lets be absent or null.
NULL = (
    "expire_date", "settle_date", "predicted_funding_fee_rate", "settlement_symbol",
    "settlement_fee", "funding_quote_symbol1_m", "funding_base_symbol1_m",
)


def market_calls(rest):
    api, fees, ms = rest.get_market_api(), rest.get_funding_fees_api(), int(time.time() * 1000)

    def call(name, request=None, may_lack=(), of=api):
        method = getattr(of, name)
        check(f"REST {name}", lambda: full(method(request) if request else method(), may_lack))

    call("get_server_time")
    call("get_service_status")
    call("get_public_token")
    call("get_symbol", market.GetSymbolReqBuilder().set_symbol(SYMBOL).build(), NULL)
    call("get_all_symbols", None, NULL)
    call("get_ticker", market.GetTickerReqBuilder().set_symbol(SYMBOL).build())
    call("get_all_tickers")
    call("get_full_order_book", market.GetFullOrderBookReqBuilder().set_symbol(SYMBOL).build())
    for size in ("20", "100"):
        request = market.GetPartOrderBookReqBuilder().set_size(size).set_symbol(SYMBOL).build()
        check(f"REST get_part_order_book {size}", lambda: full(api.get_part_order_book(request)))
    call("get_trade_history", market.GetTradeHistoryReqBuilder().set_symbol(SYMBOL).build())
    klines = market.GetKlinesReqBuilder().set_symbol(SYMBOL).set_from_(ms - 7_200_000).set_to(ms)
    klines = klines.set_granularity(market.GetKlinesReq.GranularityEnum.T_1).build()
    check("REST get_klines", lambda: need(len(api.get_klines(klines).data[0]) == 7, "rows of 7"))
    call("get_mark_price", market.GetMarkPriceReqBuilder().set_symbol(SYMBOL).build())
    index = market.GetSpotIndexPriceReqBuilder().set_symbol(".KXBTUSDT").build()
    check("REST get_spot_index_price",
          lambda: need(full(api.get_spot_index_price(index)).data_list, "no rows"))
    interest = market.GetInterestRateIndexReqBuilder().set_symbol(".XBTINT").build()
    check("REST get_interest_rate_index",
          lambda: need(full(api.get_interest_rate_index(interest)).data_list, "no rows"))
    premium = market.GetPremiumIndexReqBuilder().set_symbol(".XBTUSDTMPI").build()
    check("REST get_premium_index",
          lambda: need(full(api.get_premium_index(premium)).data_list, "no rows"))
    call("get_current_funding_rate",
         fundingfees.GetCurrentFundingRateReqBuilder().set_symbol(SYMBOL).build(),
         ("predicted_value",), fees)
    history = fundingfees.GetPublicFundingHistoryReqBuilder().set_symbol(SYMBOL)
    history = history.set_from_(ms - 3 * 86_400_000).set_to(ms).build()
    check("REST get_public_funding_history",
          lambda: need(full(fees.get_public_funding_history(history)).data, "no rows"))
    refused("REST unknown symbol is refused",
            lambda: api.get_ticker(market.GetTickerReqBuilder().set_symbol("NOPEUSDTM").build()),
            "200003")


def public():
    sdk = client()
    market_calls(sdk.rest_service().get_futures_service())
    ws = sdk.ws_service().new_futures_public_ws()
    if check("token, welcome", ws.start) is None and not ws.transport.client.connected.is_set():
        return
    got, book = {}, Book()

    def listener(name):
        return lambda topic, subject, event: got.setdefault(name, []).append((subject, event))

    def level2(topic, subject, event):
        got.setdefault("orderbook_increment", []).append((subject, event))
        book.change(event.sequence, event.change)

    channels = ["execution", "instrument", "orderbook_level5", "orderbook_level50",
                "symbol_snapshot", "ticker_v1", "ticker_v2", "announcement"]
    accepted = set()
    for name in channels:
        if check(f"subscribe {name}", getattr(ws, name), SYMBOL, listener(name)):
            accepted.add(name)
    if check("subscribe klines", ws.klines, SYMBOL, "1min", listener("klines")):
        accepted.add("klines")
    check("subscribe orderbook_increment", ws.orderbook_increment, SYMBOL, level2)
    # Settlements are hours apart; that the subscription is accepted is what can be seen.
    accepted.discard("announcement")
    for name in sorted(accepted | {"orderbook_increment"}):
        # One message of the mark price has no rate, and the other way round.
        lack = ("funding_rate", "mark_price", "index_price") if name == "instrument" else ()
        check(f"channel {name}", lambda: complete(
            until(lambda: got.get(name), 15, "a message")[-1][1], lack))
    full_book = market.GetFullOrderBookReqBuilder().set_symbol(SYMBOL).build()
    snapshot = sdk.rest_service().get_futures_service().get_market_api().get_full_order_book(full_book)
    book.load(snapshot.sequence, snapshot.bids, snapshot.asks)
    check("book of its deltas equals REST", book.books.agree)
    check("stop", ws.stop)


def replay():
    """A recording in place of the exchange: the market is the one of the moment that is replayed."""
    sdk = client()
    rest = sdk.rest_service().get_futures_service()
    api = rest.get_market_api()
    began = replayed("GET", "status")["began_ms"]
    check("REST get_server_time is the recording's", lambda: need(
        0 <= api.get_server_time().data - began < 3_600_000, "another time"))
    check("REST get_service_status", lambda: full(api.get_service_status()))
    check("REST get_all_symbols", lambda: full(api.get_all_symbols(), NULL))
    check("REST get_symbol", lambda: full(
        api.get_symbol(market.GetSymbolReqBuilder().set_symbol(SYMBOL).build()), NULL))
    check("REST get_ticker", lambda: full(
        api.get_ticker(market.GetTickerReqBuilder().set_symbol(SYMBOL).build())))
    check("REST get_all_tickers", lambda: full(api.get_all_tickers()))
    for size in ("20", "100"):
        request = market.GetPartOrderBookReqBuilder().set_size(size).set_symbol(SYMBOL).build()
        check(f"REST get_part_order_book {size}", lambda: full(api.get_part_order_book(request)))
    check("REST get_trade_history", lambda: full(api.get_trade_history(
        market.GetTradeHistoryReqBuilder().set_symbol(SYMBOL).build())))
    klines = market.GetKlinesReqBuilder().set_symbol(SYMBOL).set_from_(began - 3_600_000).set_to(began + 3_600_000)
    klines = klines.set_granularity(market.GetKlinesReq.GranularityEnum.T_1).build()
    check("REST get_klines", lambda: need(len(api.get_klines(klines).data[0]) == 7, "rows of 7"))
    check("REST get_mark_price", lambda: full(api.get_mark_price(
        market.GetMarkPriceReqBuilder().set_symbol(SYMBOL).build())))
    refused("REST unknown symbol is refused",
            lambda: api.get_ticker(market.GetTickerReqBuilder().set_symbol("NOPEUSDTM").build()),
            "200003")
    stranger = client("no", "no", "no").rest_service().get_futures_service()
    refused("a key is refused", stranger.get_market_api().get_private_token, "400003")
    ws, got, book = sdk.ws_service().new_futures_public_ws(), {}, Book()
    check("token, welcome", ws.start)

    def listener(name):
        return lambda topic, subject, event: got.setdefault(name, []).append(event)

    def level2(topic, subject, event):
        got.setdefault("orderbook_increment", []).append(event)
        book.change(event.sequence, event.change)

    names = ["execution", "instrument", "orderbook_level5", "orderbook_level50", "symbol_snapshot",
             "ticker_v1", "ticker_v2"]
    for name in names:
        check(f"subscribe {name}", getattr(ws, name), SYMBOL, listener(name))
    check("subscribe orderbook_increment", ws.orderbook_increment, SYMBOL, level2)
    for name in [*names, "orderbook_increment"]:
        lack = ("funding_rate", "mark_price", "index_price") if name == "instrument" else ()
        check(f"channel {name}", lambda: complete(
            until(lambda: got.get(name), 15, "a message")[-1], lack))
    full_book = market.GetFullOrderBookReqBuilder().set_symbol(SYMBOL).build()
    snapshot = api.get_full_order_book(full_book)
    book.load(snapshot.sequence, snapshot.bids, snapshot.asks)
    check("book of its deltas equals REST", book.books.agree)
    check("book of its deltas has the recorded digests", book.books.digests_agree)
    check("stop", ws.stop)


def reconnect():
    events, times = [], []
    ws = client(events=events).ws_service().new_futures_public_ws()
    ws.start()
    ws.ticker_v2(SYMBOL, lambda *_: times.append(time.time()))
    if reconnected("data again after a close", times) is None:
        kinds = [str(kind) for at, kind in events if at > CLOSE_AT and "MESSAGE" not in str(kind)]
        logging.warning("events after the close: %s", kinds)


def private():
    sdk = client(KEY, SECRET, PASSPHRASE)
    rest = sdk.rest_service().get_futures_service()
    api, orders, places = rest.get_market_api(), rest.get_order_api(), rest.get_positions_api()
    check("REST get_private_token", lambda: full(api.get_private_token()))
    check("REST get24hr_stats", lambda: full(api.get24hr_stats()))
    overview = account.GetFuturesAccountReqBuilder().set_currency("USDT").build()
    check("REST get_futures_account", lambda: full(
        sdk.rest_service().get_account_service().get_account_api().get_futures_account(overview)))
    wrong = client(KEY, "not-" + SECRET, PASSPHRASE).rest_service().get_futures_service()
    refused("wrong secret is refused", wrong.get_market_api().get_private_token, "40000")
    stranger = client("no-" + KEY, SECRET, PASSPHRASE).rest_service().get_futures_service()
    refused("wrong key is refused", stranger.get_market_api().get_private_token, "400003")
    ws, got = sdk.ws_service().new_futures_private_ws(), {}
    check("private token, welcome", ws.start)

    def listener(name):
        return lambda topic, subject, event: got.setdefault(name, []).append(event)

    for name in ("all_order", "all_position", "balance", "stop_orders", "margin_mode", "cross_leverage"):
        check(f"subscribe {name}", getattr(ws, name), listener(name))
    for name in ("order", "position"):
        check(f"subscribe {name}", getattr(ws, name), SYMBOL, listener(name))
    trade(api, orders, places, got)
    for name in ("all_order", "order", "balance", "all_position", "position"):
        check(f"channel {name}", lambda: until(lambda: got.get(name), 20, "a message"))
    for name in ("stop_orders", "margin_mode", "cross_leverage"):
        check(f"channel {name}", lambda: until(lambda: got.get(name), 20, "a message"))
    check("stop", ws.stop)


def add(orders, price=None, size=1, **more):
    of = order.AddOrderReq
    words = dict(clientOid=uuid.uuid4().hex, side=of.SideEnum.BUY, symbol=SYMBOL, leverage=3,
                 marginMode=of.MarginModeEnum.ISOLATED, size=size, **more)
    kind = of.TypeEnum.LIMIT if price else of.TypeEnum.MARKET
    words.update(type=kind, **({"price": price} if price else {}))
    return full(orders.add_order(of(**words)))


def trade(api, orders, places, got):
    ticker = api.get_ticker(market.GetTickerReqBuilder().set_symbol(SYMBOL).build())
    far = str(round(float(ticker.best_bid_price) * 0.9))
    placed = check("order placed", add, orders, far)
    by_id = order.GetOrderByOrderIdReqBuilder().set_order_id(placed.order_id if placed else "1").build()
    check("order by id", lambda: need(
        orders.get_order_by_order_id(by_id).id == placed.order_id, "another id"))
    check("order seen on its channel", lambda: until(
        lambda: any(e.order_id == placed.order_id for e in got.get("all_order", [])), 10, "it"))
    active = order.GetOrderListReqBuilder().set_symbol(SYMBOL).set_status(
        order.GetOrderListReq.StatusEnum.ACTIVE).build()
    check("order among the active ones", lambda: need(any(
        row.id == placed.order_id for row in orders.get_order_list(active).items), "not there"))
    cancel = order.CancelOrderByIdReqBuilder().set_order_id(placed.order_id if placed else "1").build()
    check("order cancelled", lambda: need(
        orders.cancel_order_by_id(cancel).cancelled_order_ids == [placed.order_id], "another id"))
    check("cancel seen on its channel", lambda: until(lambda: any(
        e.order_id == placed.order_id and e.type.value == "canceled"
        for e in got.get("all_order", [])), 10, "it"))
    stop = order.AddOrderReq
    check("stop order placed", lambda: add(
        orders, far, stop=stop.StopEnum.DOWN, stopPrice=far,
        stopPriceType=stop.StopPriceTypeEnum.TRADE_PRICE))
    check("stop orders listed", lambda: need(orders.get_stop_order_list(
        order.GetStopOrderListReqBuilder().set_symbol(SYMBOL).build()).items, "none"))
    check("stop orders cancelled", lambda: need(orders.cancel_all_stop_orders(
        order.CancelAllStopOrdersReqBuilder().set_symbol(SYMBOL).build()).cancelled_order_ids, "none"))
    bought = check("market order placed", add, orders)
    check("position after it", lambda: until(lambda: [
        row for row in places.get_position_list(
            positions.GetPositionListReqBuilder().set_currency("USDT").build()).data or []
        if row.symbol == SYMBOL], 10, "a position"))
    check("position details", lambda: need(places.get_position_details(
        positions.GetPositionDetailsReqBuilder().set_symbol(SYMBOL).build()).symbol == SYMBOL, "other"))
    check("fills list it", lambda: need(any(
        row.order_id == bought.order_id for row in orders.get_trade_history(
            order.GetTradeHistoryReqBuilder().set_symbol(SYMBOL).build()).items), "not there"))
    check("recent fills", lambda: need(orders.get_recent_trade_history(
        order.GetRecentTradeHistoryReqBuilder().set_symbol(SYMBOL).build()).data, "none"))
    check("recent done orders", lambda: need(orders.get_recent_closed_orders(
        order.GetRecentClosedOrdersReqBuilder().set_symbol(SYMBOL).build()).data, "none"))
    switch = positions.SwitchMarginModeReq
    check("margin mode switched", lambda: full(places.switch_margin_mode(
        switch(symbol="ETHUSDTM", marginMode=switch.MarginModeEnum.CROSS))))
    check("cross leverage changed", lambda: full(places.modify_margin_leverage(
        positions.ModifyMarginLeverageReqBuilder().set_symbol("ETHUSDTM").set_leverage("7").build())))
    too_large = lambda: add(orders, far, size=10**9)
    refused("order beyond the balance is refused", too_large, "request error")


{"public": public, "reconnect": reconnect, "private": private, "replay": replay}[PHASE]()
finish()
