#!/usr/bin/env python3
"""Rebuilds the books of a data set and holds them against the digests of its manifest.

    python check.py FOLDER [--levels N]

Needs polars, pandas and pyarrow for Parquet, pyarrow for NDJSON, numpy and hftbacktest for arrays of events, and
nothing for tardis CSV, which hftbacktest converts if it is there. Every reader here knows the format's own documented rules and nothing else; hftbacktest's files
are read, validated and played by hftbacktest itself.

Exits with 1 if anything differs, or if less than ten places of a book could be compared.
"""

import argparse
import csv
import gzip
import hashlib
import json
import sys
from decimal import Decimal
from pathlib import Path

SNAPSHOT, LAST, CLEAR, LOST = 1, 2, 4, 8
PLACES = 10


class Book:
    """Levels by price, and nothing known to begin with."""

    def __init__(self):
        self.sides = {"bid": {}, "ask": {}}

    def clear(self):
        for side in self.sides.values():
            side.clear()

    def set(self, side, price, size):
        if size == 0:
            self.sides[side].pop(price, None)
        else:
            self.sides[side][price] = size

    def levels(self, horizon):
        """Both sides, best first, as far as they are complete."""
        bids_to, asks_to = horizon["bids_to"], horizon["asks_to"]
        bids = sorted(self.sides["bid"].items(), reverse=True)
        asks = sorted(self.sides["ask"].items())
        if bids_to is not None:
            bids = [level for level in bids if level[0] >= Decimal(bids_to)]
        if asks_to is not None:
            asks = [level for level in asks if level[0] <= Decimal(asks_to)]
        return bids, asks

    def digest(self, horizon):
        """SHA-256 over a line for each level: `b <price> <size>`, then `a <price> <size>`."""
        hash = hashlib.sha256()
        for tag, levels in zip("ba", self.levels(horizon)):
            for price, size in levels:
                hash.update(f"{tag} {shortest(price)} {size}\n".encode())
        return hash.hexdigest()


def shortest(price):
    """No exponent, no zeros at the end."""
    text = format(price, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def files_of(folder, manifest, table, symbol):
    files = [f for f in manifest["files"] if (f["table"], f["symbol"]) == (table, symbol)]
    return sorted(files, key=lambda file: file["from_ns"])


def check_files(folder, manifest):
    for file in manifest["files"]:
        data = (folder / file["path"]).read_bytes()
        assert len(data) == file["bytes"], file["path"]
        assert hashlib.sha256(data).hexdigest() == file["sha256"], file["path"]


# Formats whose rows stand in the order in which they were received: digests say after how many rows they are.


def play_rows(rows, digests, apply):
    """Applies rows one by one; yields the book after as many as each digest says."""
    book, done = Book(), 0
    for digest in sorted(digests, key=lambda digest: digest["file_rows"]):
        while done < digest["file_rows"]:
            apply(book, rows[done])
            done += 1
        yield digest, book


def apply_table(book, row):
    flags, side, price, size = row
    if flags & (CLEAR | LOST):
        book.clear()
    else:
        book.set(side, price, size)


def read_parquet(path, symbol):
    import pandas
    import polars
    import pyarrow.parquet

    metadata = pyarrow.parquet.read_metadata(path).metadata
    assert metadata[b"symbol"].decode() == symbol and metadata[b"schema"] == b"1"
    # A decimal as a decimal: pandas makes objects of it, and no floats.
    by_pandas = pandas.read_parquet(path, dtype_backend="pyarrow")
    by_polars = polars.read_parquet(path)
    assert by_polars.schema["price"] == polars.Decimal(38, 12), by_polars.schema
    assert str(by_polars.schema["received_ns"]) == "Datetime(time_unit='ns', time_zone='UTC')"
    columns = ["flags", "side", "price", "size"]
    rows = by_polars.select(columns).rows()
    others = [by_pandas[column].to_list() for column in columns]
    clean = lambda value: None if value is pandas.NA else value
    assert rows == [tuple(map(clean, row)) for row in zip(*others)], "polars and pandas differ"
    return rows


def read_ndjson(path, symbol):
    import pyarrow

    rows = []
    with pyarrow.input_stream(str(path), compression="zstd") as stream:
        for line in stream.read().decode().splitlines():
            row = json.loads(line)
            assert row["symbol"] == symbol
            price = None if row["price"] is None else Decimal(row["price"])
            rows.append((row["flags"], row["side"], price, row["size"]))
    return rows


def read_tardis(path, symbol):
    """A row of a snapshot after one that is none: forget every level."""
    rows, after_snapshot = [], False
    with gzip.open(path, "rt", newline="") as lines:
        for row in csv.DictReader(lines):
            assert (row["exchange"], row["symbol"]) == ("kucoin-futures", symbol)
            is_snapshot = {"true": True, "false": False}[row["is_snapshot"]]
            forget = is_snapshot and not after_snapshot
            after_snapshot = is_snapshot
            level = (row["side"], Decimal(row["price"]), int(row["amount"]))
            rows.append((forget, int(row["local_timestamp"]), level))
    return rows


def apply_tardis(book, row):
    forget, _, level = row
    if forget:
        book.clear()
    book.set(*level)


def check_in_order(folder, manifest, symbol, table, read, apply):
    digests = manifest["books"][symbol]["digests"]
    for file in files_of(folder, manifest, table, symbol):
        rows = read(folder / file["path"], symbol)
        assert len(rows) == file["rows"], file["path"]
        here = [digest for digest in digests if digest["file"] == file["number"]]
        yield from play_rows(rows, here, apply)


def check_converted(folder, manifest, symbol):
    """hftbacktest makes its own events of tardis' CSV: what it makes of ours, it finds in order."""
    try:
        from hftbacktest.data.utils import tardis
    except ImportError:
        print("  skipped: hftbacktest is not there to convert the files")
        return
    import contextlib
    import io

    days = sorted({file["day"] for file in manifest["files"]})
    for day in days:
        tables = ("trades", "incremental_book_L2")
        files = [f for t in tables for f in files_of(folder, manifest, t, symbol) if f["day"] == day]
        paths = [str(folder / file["path"]) for file in files]
        rows = sum(file["rows"] for file in files)
        with contextlib.redirect_stdout(io.StringIO()):
            events = tardis.convert(paths, buffer_size=2 * rows + 1000, ss_buffer_size=rows + 1000)
        print(f"  {day}: hftbacktest converts {rows} rows to {len(events)} events")


# hftbacktest: its own reader, its own validator, its own books.


def check_hftbacktest(folder, manifest, symbol):
    history = manifest["books"][symbol]
    tick = Decimal(manifest["contracts"][symbol]["tick_size"])
    # Lost at the very time of the last change: by time there is no place in between.
    lost = {gap["lost_ns"] for gap in history["gaps"]}
    for file in files_of(folder, manifest, "events", symbol):
        path = str(folder / file["path"])
        check_events(path)
        is_here = lambda d: d["file"] == file["number"] and d["at"]["received_ns"] not in lost
        yield from play_events(path, tick, filter(is_here, history["digests"]))


def check_events(path):
    """Their type, their order, and what they make of the rows in the order of the local clock."""
    import numpy
    from hftbacktest.data import correct_event_order, validate_event_order
    from hftbacktest.types import EXCH_EVENT, LOCAL_EVENT, event_dtype

    data = numpy.load(path)["data"]
    assert data.dtype == event_dtype, data.dtype
    validate_event_order(data)
    # (Their function wants the array that it makes itself: of the same layout, and said to be aligned.)
    rows = data[data["ev"] & LOCAL_EVENT != 0].astype(event_dtype)
    rows["ev"] &= ~numpy.uint64(EXCH_EVENT | LOCAL_EVENT)
    orders = [numpy.argsort(rows[key], kind="mergesort") for key in ("exch_ts", "local_ts")]
    theirs = correct_event_order(rows, *orders)
    assert numpy.array_equal(theirs, data), f"{path}: not as correct_event_order has it"
    both = numpy.uint64(EXCH_EVENT | LOCAL_EVENT)
    alone = int(((data["ev"] & both) != both).sum())
    print(f"  {Path(path).name}: {len(data)} rows, {alone} of them for one clock alone")


def play_events(path, tick, digests):
    """A back test that does nothing but look at its book."""
    from hftbacktest import BacktestAsset, HashMapMarketDepthBacktest
    from hftbacktest.types import BUY_EVENT

    asset = (
        BacktestAsset()
        .data([path])
        .linear_asset(1.0)
        .constant_order_latency(0, 0)
        .risk_adverse_queue_model()
        .no_partial_fill_exchange()
        .trading_value_fee_model(0.0, 0.0)
        .tick_size(float(tick))
        .lot_size(1.0)
    )
    backtest = HashMapMarketDepthBacktest([asset])
    # Its clock stands at no time before it was first asked for one.
    backtest.elapse(0)
    for digest in sorted(digests, key=lambda digest: digest["at"]["received_ns"]):
        pause = digest["at"]["received_ns"] - backtest.current_timestamp
        if pause > 0:
            backtest.elapse(pause)
        depth = backtest.depth(0)
        levels = depth.snapshot()
        book = Book()
        for level in levels:
            side = "bid" if int(level["ev"]) & BUY_EVENT else "ask"
            ticks = round(float(level["px"]) / float(tick))
            book.set(side, ticks * tick, int(level["qty"]))
        depth.snapshot_free(levels)
        yield digest, book
    backtest.close()


def check_other_tables(folder, manifest):
    """polars and pandas read every Parquet file, and find as many rows as the manifest says."""
    import pandas
    import polars

    for file in manifest["files"]:
        path = folder / file["path"]
        by_polars, by_pandas = polars.read_parquet(path), pandas.read_parquet(path)
        assert len(by_polars) == len(by_pandas) == file["rows"], file["path"]
        assert list(by_polars.columns) == list(by_pandas.columns), file["path"]
        assert by_polars["received_ns"].cast(polars.Int64).min() == file["from_ns"], file["path"]


def check(folder, shown):
    manifest = json.loads((folder / "manifest.json").read_text())
    assert manifest["schema"] == 1 and manifest["complete"], "the data set is not complete"
    check_files(folder, manifest)
    form, is_fine = manifest["format"], True
    if form == "parquet":
        check_other_tables(folder, manifest)
    for symbol, history in manifest["books"].items():
        print(f"{symbol}: {len(history['intervals'])} intervals, {len(history['gaps'])} gaps")
        if form == "hftbacktest":
            looks = check_hftbacktest(folder, manifest, symbol)
        else:
            table, read, apply = {
                "parquet": ("level2", read_parquet, apply_table),
                "ndjson": ("level2", read_ndjson, apply_table),
                "tardis": ("incremental_book_L2", read_tardis, apply_tardis),
            }[form]
            if form == "tardis":
                check_converted(folder, manifest, symbol)
            looks = check_in_order(folder, manifest, symbol, table, read, apply)
        same = different = 0
        last = None
        for digest, book in looks:
            found = book.digest(digest["horizon"])
            if found == digest["sha256"]:
                same += 1
            else:
                different += 1
                print(f"  DIFFERS at {digest['at']} ({digest['place']})")
            last = (digest, book.levels(digest["horizon"]))
        print(f"  {same} of {same + different} digests are the same")
        is_fine &= different == 0 and same >= PLACES
        if last and shown:
            show(*last, shown)
    return is_fine


def show(digest, levels, shown):
    print(f"  the book at {digest['at']['sequence']}:")
    for name, side in zip(("bids", "asks"), levels):
        row = "  ".join(f"{shortest(price)} x {size}" for price, size in side[:shown])
        print(f"    {len(side)} {name}: {row}")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--levels", type=int, default=3, help="levels to show of the last book")
    arguments = parser.parse_args()
    sys.exit(0 if check(arguments.folder, arguments.levels) else 1)


if __name__ == "__main__":
    main()
