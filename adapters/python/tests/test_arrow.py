"""Books in columns, for whoever knows Arrow."""

from __future__ import annotations

from decimal import Decimal

import kucoin_futures as kf
import pytest
from conftest import Sim

pyarrow = pytest.importorskip("pyarrow")


def test_a_book_in_columns_is_the_book(sim: Sim) -> None:
    with kf.Feed(kf.level2("XBTUSDTM"), url=sim.url) as feed:
        for event in feed:
            if isinstance(event, kf.Delta):
                break
        book = feed.book("XBTUSDTM").copy()
    batch = book.to_arrow()
    assert batch.schema.names == ["side", "price", "size"] and batch.num_columns == 3
    assert "Decimal128(19, 12)" in repr(batch)
    table = pyarrow.record_batch(batch)
    table.validate(full=True)
    levels = [("bid", it.price, it.size) for it in book.bids()]
    levels += [("ask", it.price, it.size) for it in book.asks()]
    rows = [(row["side"], row["price"], row["size"]) for row in table.to_pylist()]
    assert rows == levels and len(batch) == len(levels)
    assert isinstance(rows[0][1], Decimal)
    assert pyarrow.schema(batch.schema) == table.schema
    assert pyarrow.RecordBatchReader.from_stream(batch).read_all().num_rows == len(levels)
    assert len(book.to_arrow(5)) == 10
