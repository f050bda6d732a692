"""What every Python driver shares: checks that are told as JSON lines, and a book to hold a client's to."""

import hashlib
import json
import os
import ssl
import sys
import time
import traceback
import urllib.error
import urllib.request
from collections import OrderedDict
from decimal import Decimal

URL = os.environ["KCF_URL"]
CA = os.environ.get("KCF_CA")
SYMBOL = os.environ.get("KCF_SYMBOL", "XBTUSDTM")
KEY, SECRET, PASSPHRASE = os.environ.get("KCF_ACCOUNT", "::").split(":")
# When the exchange closes every socket, by this machine's clock; only in the phase `reconnect`.
CLOSE_AT = float(os.environ.get("KCF_CLOSE_AT", "0"))
PHASE = sys.argv[1] if len(sys.argv) > 1 else "public"
# A driver of an asynchronous client must not print while another thread does.
_out = sys.stdout
# Whatever a client prints by itself is not a result.
sys.stdout = sys.stderr


class Failed(Exception):
    """A check that did not hold."""


def need(condition, text):
    if not condition:
        raise Failed(text)


def tell(check, result, detail=""):
    line = {"check": check, "result": result, "detail": str(detail)[:400]}
    print(json.dumps(line), file=_out, flush=True)


def check(name, run, *args, **named):
    """Runs a check and tells how it went; what it returned, or `None`."""
    try:
        value = run(*args, **named)
    except Exception as error:
        _failed(name, error)
        return None
    tell(name, "ok")
    return value


async def acheck(name, wait):
    """The same for a coroutine, with a time limit."""
    import asyncio

    try:
        value = await asyncio.wait_for(wait, 25)
    except Exception as error:
        _failed(name, error)
        return None
    tell(name, "ok")
    return value


def _failed(name, error):
    if os.environ.get("KCF_TRACE"):
        traceback.print_exception(error, file=sys.stderr)
    tell(name, "fail", f"{type(error).__name__}: {error}")


def refused(name, run, code):
    """Holds if `run` is refused, and the client's error names the code."""
    def attempt():
        try:
            value = run()
        except Exception as error:
            need(code in f"{error} {getattr(error, 'response', '')}", f"not {code}: {error}")
            return
        raise Failed(f"not refused: {value!r}")
    return check(name, attempt)


def until(condition, seconds, what):
    """Waits until `condition()` is true; its value."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        value = condition()
        if value:
            return value
        time.sleep(0.05)
    raise Failed(f"{what}: not within {seconds} s")


def complete(value, may_lack=()):
    """Every field of a decoded message has a value, except these."""
    fields = value if isinstance(value, dict) else vars(value)
    lacking = [name for name, field in fields.items() if field is None and name not in may_lack]
    need(not lacking, f"{type(value).__name__} without {', '.join(lacking)}")
    return value


def rest(path):
    """The exchange's own answer, past the client."""
    context = ssl.create_default_context(cafile=CA) if CA else None
    with urllib.request.urlopen(URL + path, context=context, timeout=10) as answer:
        return json.load(answer, parse_float=Decimal)["data"]


def level(price, size):
    """Prices may come as texts, floats or decimals; texts of floats are exact here."""
    return Decimal(str(price)).normalize(), int(Decimal(str(size)))


class Books:
    """What a client's book was at each of the last sequences."""

    def __init__(self, depth=20):
        self.depth, self.seen = depth, OrderedDict()

    def note(self, sequence, bids, asks):
        self.seen[int(sequence)] = (self.top(bids), self.top(asks))
        while len(self.seen) > 2000:
            self.seen.popitem(last=False)

    def top(self, side):
        return [level(*row[:2]) for row in side[: self.depth]]

    def agree(self, times=3, seconds=20):
        """So many snapshots of REST equal the book at the same sequence."""
        end, equal = time.monotonic() + seconds, 0
        while equal < times and time.monotonic() < end:
            truth = rest(f"/api/v1/level2/snapshot?symbol={SYMBOL}")
            until(lambda: self.seen and max(self.seen) >= truth["sequence"], seconds, "the book")
            mine = self.seen.get(truth["sequence"])
            if mine:
                wanted = (self.top(truth["bids"]), self.top(truth["asks"]))
                need(mine == wanted, f"at {truth['sequence']}: {differ(mine, wanted)}")
                equal += 1
            time.sleep(0.3)
        need(equal >= times, f"only {equal} snapshots at a sequence that the book had")


    def digests_agree(self, times=5, seconds=20):
        """So many of the latest books have the digest that a replay says of the recorded book at that sequence."""
        end, equal = time.monotonic() + seconds, 0
        while equal < times and time.monotonic() < end:
            until(lambda: self.seen, seconds, "the book")
            sequence, (bids, asks) = next(reversed(self.seen.items()))
            query = f"symbol={SYMBOL}&sequence={sequence}"
            query += f"&bid_horizon={plain(bids[-1][0])}&ask_horizon={plain(asks[-1][0])}"
            said = replayed("GET", f"digest?{query}")
            if "sha256" in said:
                need(said["sha256"] == digest(bids, asks), f"at {sequence}: another digest")
                equal += 1
            time.sleep(0.3)
        need(equal >= times, f"only {equal} sequences that are remembered: {said}")


def plain(price):
    """In shortest form, without an exponent."""
    return format(price.normalize(), "f")


def digest(bids, asks):
    """As the project has it: a line for each level, bids and then asks, best first."""
    rows = [f"b {plain(price)} {size}\n" for price, size in bids]
    rows += [f"a {plain(price)} {size}\n" for price, size in asks]
    return hashlib.sha256("".join(rows).encode()).hexdigest()


def replayed(method, command):
    """Asks a replay, or tells it what to do; its answer, whatever the status."""
    request = urllib.request.Request(f"{URL}/_replay/{command}", method=method)
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            return json.load(answer)
    except urllib.error.HTTPError as error:
        return json.load(error)


def differ(mine, wanted):
    for side, a, b in zip(("bids", "asks"), mine, wanted):
        for at, (x, y) in enumerate(zip(a, b)):
            if x != y:
                return f"{side}[{at}] is {x[0]} x {x[1]}, REST has {y[0]} x {y[1]}"
    return "another number of levels"


class Book:
    """A book by the documented procedure, of what the client has decoded: a snapshot and changes."""

    def __init__(self):
        self.books, self.sequence, self.waiting = Books(), None, []
        self.sides = {"buy": {}, "sell": {}}

    def load(self, sequence, bids, asks):
        for side, rows in (("buy", bids), ("sell", asks)):
            self.sides[side] = dict(level(*row[:2]) for row in rows)
        self.sequence, waiting, self.waiting = int(sequence), self.waiting, []
        for one in waiting:
            self.change(*one)

    def change(self, sequence, change):
        if self.sequence is None:
            return self.waiting.append((sequence, change))
        if sequence <= self.sequence:
            return
        need(sequence == self.sequence + 1, f"gap: {self.sequence} and then {sequence}")
        price, side, size = change.split(",")
        price, size = level(price, size)
        self.sides[side].pop(price, None)
        if size:
            self.sides[side][price] = size
        self.sequence = sequence
        bids = sorted(self.sides["buy"].items(), reverse=True)
        self.books.note(sequence, bids, sorted(self.sides["sell"].items()))


def reconnected(name, times, seconds=40):
    """Data came after every socket was closed. `times`: the clock at each message."""
    def wait():
        until(lambda: any(at < CLOSE_AT for at in times), 15, "data before the close")
        until(lambda: time.time() > CLOSE_AT, 30, "the close")
        # What had been sent before may still be on its way.
        return until(lambda: any(at > CLOSE_AT + 1 for at in times), seconds, "data after it")
    return check(name, wait)


def finish():
    """Ends here and now: some clients' tasks refuse to be cancelled, and threads to end."""
    sys.stderr.flush()
    os._exit(0)
