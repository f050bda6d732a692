"""Candles and RSI as many tutorials make them. Wrong: see the README beside it. `python candles.py [URL]`."""

import json
import sys
import threading
import time
import uuid

import requests
import websocket

BASE_URL = sys.argv[1] if len(sys.argv) > 1 else "https://api-futures.kucoin.com"
SYMBOL = "XBTUSDTM"


class Candles:
    def __init__(self):
        self.trades = []  # (second, price, size)
        self.closes = []
        self.minute = None

    def on_message(self, ws, message):
        message = json.loads(message)
        if message.get("type") != "message":
            return
        data = message["data"]
        second = data["ts"] / 1e9
        minute = int(second // 60)
        if self.minute is not None and minute > self.minute:
            self.resample()
        self.minute = minute
        self.trades.append((second, float(data["price"]), float(data["size"])))

    def resample(self):
        rows = [row for row in self.trades if int(row[0] // 60) <= self.minute]
        prices = [price for _, price, _ in rows]
        volume = sum(size for _, _, size in rows)
        candle = {
            "open": prices[0],
            "high": max(prices),
            "low": min(prices),
            "close": prices[-1],
            "volume": volume,
            "vwap": sum(price * size for _, price, size in rows) / volume,
        }
        self.trades = []
        self.closes.append(candle["close"])
        print(self.minute, candle, "rsi", rsi(self.closes))


def rsi(closes, period=14):
    deltas = [b - a for a, b in zip(closes, closes[1:])][-period:]
    if len(deltas) < period:
        return None
    gain = sum(delta for delta in deltas if delta > 0) / period
    loss = -sum(delta for delta in deltas if delta < 0) / period
    return 100 - 100 / (1 + gain / (loss or 1e-10))


def run(candles):
    data = requests.post(f"{BASE_URL}/api/v1/bullet-public", timeout=10).json()["data"]
    server = data["instanceServers"][0]

    def on_open(ws):
        topic = f"/contractMarket/execution:{SYMBOL}"
        ws.send(json.dumps({"id": str(uuid.uuid4()), "type": "subscribe", "topic": topic}))
        threading.Thread(target=ping, args=(ws, server["pingInterval"] / 1000), daemon=True).start()

    ws = websocket.WebSocketApp(
        f"{server['endpoint']}?token={data['token']}&connectId={uuid.uuid4()}",
        on_open=on_open,
        on_message=candles.on_message,
    )
    ws.run_forever()


def ping(ws, interval):
    while ws.keep_running:
        time.sleep(interval)
        ws.send(json.dumps({"id": str(uuid.uuid4()), "type": "ping"}))


def main():
    candles = Candles()
    while True:
        try:
            run(candles)
        except Exception as error:
            print("error:", error)
        time.sleep(1)


if __name__ == "__main__":
    main()
