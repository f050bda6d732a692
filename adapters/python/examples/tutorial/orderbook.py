"""An order book as many tutorials make one. Wrong: see the README beside it. `python orderbook.py [URL]`."""

import json
import sys
import threading
import time
import uuid

import requests
import websocket

BASE_URL = sys.argv[1] if len(sys.argv) > 1 else "https://api-futures.kucoin.com"
SYMBOL = "XBTUSDTM"


class OrderBook:
    def __init__(self, symbol):
        self.symbol = symbol
        self.bids = {}
        self.asks = {}
        self.sequence = 0

    def load_snapshot(self, data):
        self.bids = {float(price): float(size) for price, size in data["bids"]}
        self.asks = {float(price): float(size) for price, size in data["asks"]}
        self.sequence = data["sequence"]

    def on_message(self, ws, message):
        message = json.loads(message)
        if message.get("type") != "message":
            return
        data = message["data"]
        if data["sequence"] <= self.sequence:
            return
        price, side, size = data["change"].split(",")
        price, size = float(price), float(size)
        book = self.bids if side == "buy" else self.asks
        if size == 0:
            book.pop(price, None)
        else:
            book[price] = size
        self.sequence = data["sequence"]
        self.on_update(max(self.bids), min(self.asks))

    def on_update(self, best_bid, best_ask):
        print(f"{self.symbol} bid {best_bid} ask {best_ask}")


def get_token():
    data = requests.post(f"{BASE_URL}/api/v1/bullet-public", timeout=10).json()["data"]
    server = data["instanceServers"][0]
    return data["token"], server["endpoint"], server["pingInterval"] / 1000


def get_snapshot(symbol):
    url = f"{BASE_URL}/api/v1/level2/snapshot"
    return requests.get(url, params={"symbol": symbol}, timeout=10).json()["data"]


def ping(ws, interval):
    while ws.keep_running:
        time.sleep(interval)
        ws.send(json.dumps({"id": str(uuid.uuid4()), "type": "ping"}))


def run(book):
    token, endpoint, interval = get_token()

    def on_open(ws):
        topic = f"/contractMarket/level2:{book.symbol}"
        subscribe = {"id": str(uuid.uuid4()), "type": "subscribe", "topic": topic, "response": True}
        ws.send(json.dumps(subscribe))
        threading.Thread(target=ping, args=(ws, interval), daemon=True).start()

    ws = websocket.WebSocketApp(
        f"{endpoint}?token={token}&connectId={uuid.uuid4()}",
        on_open=on_open,
        on_message=book.on_message,
    )
    ws.run_forever()


def main():
    book = OrderBook(SYMBOL)
    book.load_snapshot(get_snapshot(SYMBOL))
    pause = 1
    while True:
        try:
            run(book)
            pause = 1
        except Exception as error:
            print("error:", error)
        time.sleep(pause)
        pause = min(pause * 2, 60)


if __name__ == "__main__":
    main()
