"""What is written in Rust."""

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any, Literal, final

from .account import Account, Line, Stats
from .analytics.candles import (
    Bars as Bars,
    Candles as Candles,
    ClosedCandle as ClosedCandle,
    EmptyCandles as EmptyCandles,
    LateTrade as LateTrade,
    RunningCandle as RunningCandle,
    TimelessTrade as TimelessTrade,
    UnknownCandles as UnknownCandles,
)
from .analytics.markets import (
    BookMeans as BookMeans,
    FundingDivergence as FundingDivergence,
    Microprice as Microprice,
    OrderFlowImbalance as OrderFlowImbalance,
    RollingVwap as RollingVwap,
    SessionVwap as SessionVwap,
)
from .analytics.prices import (
    Atr as Atr,
    Bollinger as Bollinger,
    Ema as Ema,
    Macd as Macd,
    Rsi as Rsi,
    Sma as Sma,
    Volatility as Volatility,
)
from .analytics.readings import (
    Bands as Bands,
    BookMean as BookMean,
    Funding as Funding,
    MacdValue as MacdValue,
    Reading as Reading,
)
from .consumer import ConsumerEvent, ConsumerStats
from .recordings import Info, Session
from .types import Event

def topic(kind: str, symbol: str | None = None, interval: str | None = None) -> str:
    """The topic of a channel, such as ``/contractMarket/level2:XBTUSDTM``."""

def is_symbol(typed: str) -> bool:
    """Whether it is a contract's name as the exchange writes it."""

def decode(frame: bytes) -> Event:
    """What one frame says, for those who have sockets of their own: ``Delta``, ``Trade``, ...

    :raises MisuseError: a frame that is no message of a stream: a welcome, an ack, a pong.
    :raises WireError: it cannot be read.
    """

@final
class Credentials:
    """Key, secret and passphrase of an account. They are not shown, compared or pickled.

    A key that may only read is enough.
    """

    def __new__(
        cls, key: str, secret: str, passphrase: str, version: Literal[2, 3] = 3
    ) -> Credentials: ...
    @staticmethod
    def from_env() -> Credentials:
        """Out of ``KUCOIN_API_KEY``, ``KUCOIN_API_SECRET`` and ``KUCOIN_API_PASSPHRASE``.

        Or out of the files that the same names with ``_FILE`` behind them name;
        ``KUCOIN_API_KEY_VERSION`` is 3 if it is not set.
        """

@final
class Level:
    """A price and a size: ``price, size = level``. Levels are ordered by price."""

    __match_args__ = ("price", "size")
    def __new__(cls, price: Decimal | int | str, size: int) -> Level: ...
    @property
    def price(self) -> Decimal:
        """Exact; made when it is looked at."""
    @property
    def price_scaled(self) -> int:
        """The price in units of 1e-12: exact, and cheaper than a ``Decimal``."""
    @property
    def price_float(self) -> float:
        """The nearest float."""
    @property
    def size(self) -> int:
        """Lots."""
    def __len__(self) -> Literal[2]: ...
    def __iter__(self) -> Iterator[Any]: ...
    def __getitem__(self, index: int) -> Decimal | int: ...
    def __lt__(self, other: Level) -> bool: ...
    def __le__(self, other: Level) -> bool: ...
    def __gt__(self, other: Level) -> bool: ...
    def __ge__(self, other: Level) -> bool: ...

@final
class Delta:
    """A live book changed by one level."""

    __match_args__ = ("symbol", "sequence", "side", "price", "size", "ts_ns")
    def __new__(
        cls,
        symbol: str,
        sequence: int,
        side: Literal["bid", "ask"],
        price: Decimal | int | str,
        size: int,
        ts_ns: int | None,
    ) -> Delta: ...
    @property
    def symbol(self) -> str:
        """The contract."""
    @property
    def sequence(self) -> int:
        """One more than that of the change before."""
    @property
    def side(self) -> Literal["bid", "ask"]:
        """Which half of the book."""
    @property
    def price(self) -> Decimal:
        """Exact; made when it is looked at."""
    @property
    def price_scaled(self) -> int:
        """The price in units of 1e-12: exact, and cheaper than a ``Decimal``."""
    @property
    def price_float(self) -> float:
        """The nearest float."""
    @property
    def size(self) -> int:
        """Lots at this price from now on; zero: none."""
    @property
    def ts_ns(self) -> int | None:
        """The exchange's time; nanoseconds since 1970."""

@final
class BookLive:
    """From here on the book equals the exchange's."""

    __match_args__ = ("symbol", "epoch", "sequence")
    def __new__(cls, symbol: str, epoch: int, sequence: int) -> BookLive: ...
    @property
    def symbol(self) -> str:
        """The contract."""
    @property
    def epoch(self) -> int:
        """This run of the book: one more after each loss."""
    @property
    def sequence(self) -> int:
        """Where it starts."""

@final
class BookLost:
    """The book is not the exchange's any more, and cannot be read."""

    __match_args__ = ("symbol", "epoch", "reason")
    def __new__(cls, symbol: str, epoch: int, reason: str) -> BookLost: ...
    @property
    def symbol(self) -> str:
        """The contract."""
    @property
    def epoch(self) -> int:
        """The run that ended."""
    @property
    def reason(self) -> str:
        """Why, in words."""

@final
class BookVerified:
    """The live book was held against a snapshot at the same sequence, and the two agree."""

    __match_args__ = ("symbol", "sequence", "is_wider")
    def __new__(cls, symbol: str, sequence: int, is_wider: bool) -> BookVerified: ...
    @property
    def symbol(self) -> str:
        """The contract."""
    @property
    def sequence(self) -> int:
        """Where both were."""
    @property
    def is_wider(self) -> bool:
        """The book knows more than before."""

@final
class AccountLive:
    """From here on the account is the exchange's."""

    __match_args__ = ("epoch",)
    def __new__(cls, epoch: int) -> AccountLive: ...
    @property
    def epoch(self) -> int:
        """This run of it."""

@final
class AccountLost:
    """The account is not known any more."""

    __match_args__ = ("epoch", "reason")
    def __new__(cls, epoch: int, reason: str) -> AccountLost: ...
    @property
    def epoch(self) -> int:
        """The run that ended."""
    @property
    def reason(self) -> str:
        """Why, in words."""

@final
class Lagged:
    """So many events are missing here: they were read too slowly. Books are exact all the same."""

    __match_args__ = ("dropped",)
    def __new__(cls, dropped: int) -> Lagged: ...
    @property
    def dropped(self) -> int:
        """How many."""

@final
class MayHaveMissed:
    """Messages of a topic without a book may be missing here: its line was down."""

    __match_args__ = ("topic", "symbol")
    def __new__(cls, topic: str, symbol: str | None) -> MayHaveMissed: ...
    @property
    def topic(self) -> str:
        """The exchange's name of the stream."""
    @property
    def symbol(self) -> str | None:
        """The contract, if it is of one."""

@final
class State:
    """Anything else that happens to lines, topics, books and the account.

    ``kind`` is ``line_up``, ``line_down``, ``line_waiting``, ``line_behind``, ``replacing``,
    ``no_token``, ``login_refused``; ``confirmed``, ``refused``, ``rejected``, ``silent``,
    ``heard``, ``subscribed_again``, ``unsubscribed``; ``delayed``, ``not_verified``;
    ``account_delayed``, ``account_refused``, ``fills_recovered``, ``balance_refused``;
    ``odd_time``, ``malformed``; of a recording ``torn``: it ends there without its end;
    of a consumer ``engine_up``, ``engine_down``.
    """

    __match_args__ = ("kind", "text", "topic", "symbol", "line", "status", "code", "words")
    def __new__(
        cls,
        kind: str,
        text: str,
        topic: str | None,
        symbol: str | None,
        line: int | None,
        status: int | None,
        code: int | None,
        words: str | None,
    ) -> State: ...
    @property
    def kind(self) -> str:
        """What happened."""
    @property
    def text(self) -> str:
        """Why, in words; empty if there is nothing to add."""
    @property
    def topic(self) -> str | None:
        """The exchange's name of the stream, if it is of one."""
    @property
    def symbol(self) -> str | None:
        """The contract, if it is of one."""
    @property
    def line(self) -> int | None:
        """The connection, if it is of one."""
    @property
    def status(self) -> int | None:
        """The HTTP status of a refusal."""
    @property
    def code(self) -> int | None:
        """The exchange's number of a refusal."""
    @property
    def words(self) -> str | None:
        """What the exchange said when it refused something."""

@final
class Trade:
    """A trade."""

    __match_args__ = (
        "symbol",
        "sequence",
        "side",
        "price",
        "size",
        "trade_id",
        "taker_order_id",
        "maker_order_id",
        "ts_ns",
    )
    def __new__(
        cls,
        symbol: str,
        sequence: int,
        side: Literal["buy", "sell"],
        price: Decimal | int | str,
        size: int,
        trade_id: str,
        taker_order_id: str | None,
        maker_order_id: str | None,
        ts_ns: int | None,
    ) -> Trade: ...
    @property
    def symbol(self) -> str:
        """The contract."""
    @property
    def sequence(self) -> int:
        """A counter of the contract's trades."""
    @property
    def side(self) -> Literal["buy", "sell"]:
        """What the taker did."""
    @property
    def price(self) -> Decimal:
        """Exact; made when it is looked at."""
    @property
    def price_scaled(self) -> int:
        """The price in units of 1e-12: exact, and cheaper than a ``Decimal``."""
    @property
    def price_float(self) -> float:
        """The nearest float."""
    @property
    def size(self) -> int:
        """Lots."""
    @property
    def trade_id(self) -> str:
        """The exchange's name for it."""
    @property
    def taker_order_id(self) -> str | None:
        """The order that took."""
    @property
    def maker_order_id(self) -> str | None:
        """The order that was taken from."""
    @property
    def ts_ns(self) -> int | None:
        """The exchange's time; nanoseconds since 1970."""

@final
class Ticker:
    """The last trade with best bid and offer."""

    __match_args__ = (
        "symbol",
        "sequence",
        "side",
        "price",
        "size",
        "trade_id",
        "best_bid",
        "best_ask",
        "ts_ns",
    )
    def __new__(
        cls,
        symbol: str,
        sequence: int,
        side: Literal["buy", "sell"],
        price: Decimal | int | str,
        size: int,
        trade_id: str,
        best_bid: Level | None,
        best_ask: Level | None,
        ts_ns: int | None,
    ) -> Ticker: ...
    @property
    def symbol(self) -> str:
        """The contract."""
    @property
    def sequence(self) -> int:
        """A counter of the contract's."""
    @property
    def side(self) -> Literal["buy", "sell"]:
        """What the taker of the last trade did."""
    @property
    def price(self) -> Decimal:
        """Of the last trade: exact; made when it is looked at."""
    @property
    def price_scaled(self) -> int:
        """The price in units of 1e-12: exact, and cheaper than a ``Decimal``."""
    @property
    def price_float(self) -> float:
        """The nearest float."""
    @property
    def size(self) -> int:
        """Lots of the last trade."""
    @property
    def trade_id(self) -> str:
        """The exchange's name for the last trade."""
    @property
    def best_bid(self) -> Level | None:
        """``None``: there is none."""
    @property
    def best_ask(self) -> Level | None:
        """``None``: there is none."""
    @property
    def ts_ns(self) -> int | None:
        """The exchange's time; nanoseconds since 1970."""

@final
class TickerV2:
    """Best bid and offer."""

    __match_args__ = ("symbol", "sequence", "best_bid", "best_ask", "ts_ns")
    def __new__(
        cls,
        symbol: str,
        sequence: int | None,
        best_bid: Level | None,
        best_ask: Level | None,
        ts_ns: int | None,
    ) -> TickerV2: ...
    @property
    def symbol(self) -> str:
        """The contract."""
    @property
    def sequence(self) -> int | None:
        """A counter of the contract's."""
    @property
    def best_bid(self) -> Level | None:
        """``None``: there is none."""
    @property
    def best_ask(self) -> Level | None:
        """``None``: there is none."""
    @property
    def ts_ns(self) -> int | None:
        """The exchange's time; nanoseconds since 1970."""

@final
class Depth:
    """The best levels of both sides, whole."""

    __match_args__ = ("symbol", "levels", "sequence", "bids", "asks", "ts_ns")
    def __new__(
        cls,
        symbol: str,
        levels: int,
        sequence: int | None,
        bids: tuple[Level, ...],
        asks: tuple[Level, ...],
        ts_ns: int | None,
    ) -> Depth: ...
    @property
    def symbol(self) -> str:
        """The contract."""
    @property
    def levels(self) -> int:
        """Of which channel it is: 5 or 50 levels a side, at most."""
    @property
    def sequence(self) -> int | None:
        """A counter of the contract's."""
    @property
    def bids(self) -> tuple[Level, ...]:
        """The best first."""
    @property
    def asks(self) -> tuple[Level, ...]:
        """The best first."""
    @property
    def ts_ns(self) -> int | None:
        """The exchange's time; nanoseconds since 1970."""

@final
class Sweep:
    """What it takes to take so much of a side."""

    __match_args__ = ("side", "lots", "worst", "average", "notional", "end")
    def __new__(
        cls,
        side: Literal["bid", "ask"],
        lots: int,
        worst: Decimal | int | str | None,
        average: Decimal | int | str | None,
        notional: Decimal | int | str | None,
        end: str,
    ) -> Sweep: ...
    @property
    def side(self) -> Literal["bid", "ask"]:
        """Which side is taken."""
    @property
    def lots(self) -> int:
        """Lots that there are, of those that are wanted."""
    @property
    def worst(self) -> Decimal | None:
        """The price of the last of them."""
    @property
    def average(self) -> Decimal | None:
        """Their average price, cut at twelve decimals."""
    @property
    def notional(self) -> Decimal | None:
        """The sum of price by lots; without the contract's multiplier."""
    @property
    def end(self) -> Literal["filled", "exhausted", "horizon"]:
        """``"horizon"``: what lies behind is not known, and not taken for nothing."""

@final
class Book:
    """The order book of a contract, exact.

    That of a feed or a replay goes on with the events that are handed out; ``copy()`` stands
    still. Whatever is read of a book that is not live raises ``NotLive``.
    """

    @property
    def symbol(self) -> str:
        """The contract."""
    @property
    def is_live(self) -> bool:
        """Whether it equals the exchange's at its sequence, and can be read."""
    @property
    def epoch(self) -> int:
        """This run of the book: one more after each loss."""
    @property
    def sequence(self) -> int:
        """The last change that it contains."""
    @property
    def ts_ns(self) -> int | None:
        """The exchange's time of the last change; nanoseconds since 1970."""
    @property
    def best_bid(self) -> Level | None:
        """The highest bid; ``None``: there is none.

        :raises BeyondHorizon: it is not known.
        """
    @property
    def best_ask(self) -> Level | None:
        """The lowest ask; ``None``: there is none.

        :raises BeyondHorizon: it is not known.
        """
    @property
    def touch(self) -> tuple[Level | None, Level | None]:
        """Best bid and best ask in one look: of the same moment, whoever reads on meanwhile."""
    @property
    def mid(self) -> Decimal | None:
        """Half of best bid and best ask, cut at twelve decimals."""
    @property
    def mid_scaled(self) -> int | None:
        """The same in units of 1e-12."""
    @property
    def mid_float(self) -> float | None:
        """The float that is nearest to it."""
    @property
    def microprice(self) -> Decimal | None:
        """Best bid and best ask, each weighed by the size of the other."""
    @property
    def spread(self) -> Decimal | None:
        """Best ask less best bid; below zero while the book is crossed."""
    @property
    def is_crossed(self) -> bool:
        """Whether the best bid is at or above the best ask: legal for moments."""
    def bids(self, n: int | None = None, *, held: bool = False) -> list[Level]:
        """The best ``n`` bids, the best first: of those within the horizon, or all that are held."""
    def asks(self, n: int | None = None, *, held: bool = False) -> list[Level]:
        """The best ``n`` asks, the best first: of those within the horizon, or all that are held."""
    def imbalance(self, n: int) -> Decimal | None:
        """Bids less asks by their sum, of ``n`` levels: from -1 to 1.

        ``None``: there is nothing, or fewer levels are known.
        """
    def sweep(self, side: Literal["buy", "sell", "bid", "ask"], lots: int) -> Sweep:
        """What it takes to buy (of the asks) or sell (to the bids) so many lots."""
    def lots_to(
        self, side: Literal["buy", "sell", "bid", "ask"], price: Decimal | int | str
    ) -> tuple[int, bool]:
        """Lots up to a price, and whether that is all, or only as far as the book knows."""
    @property
    def horizon(self) -> tuple[Decimal | None, Decimal | None]:
        """How far bids and asks are known; ``None``: without limit."""
    def digest(self) -> str:
        """SHA-256 of all levels within the horizon, as ``kcf book --digest-every`` has it."""
    def to_arrow(self, n: int | None = None, *, held: bool = False) -> Batch:
        """The levels in columns: ``side``, ``price`` (a decimal), ``size``."""
    def copy(self) -> Book:
        """The book as it is now, to be kept."""

@final
class Replica:
    """A book for those who have sockets of their own.

    Made of the body of a snapshot, then given level2 frames as they come from the exchange.
    """

    def __new__(cls, snapshot: bytes) -> Replica: ...
    def apply(self, frame: bytes) -> Delta | None:
        """Takes a frame; ``None``: the book has it already.

        :raises LossError: something is missing, and the book is lost for good.
        :raises WireError: it cannot be read, and the book is lost for good.
        """
    @property
    def book(self) -> Book:
        """The book after the frames so far."""

@final
class ArrowSchema:
    """The names and types of columns, for any library that knows Arrow."""

    @property
    def names(self) -> list[str]:
        """Of the columns."""
    def __arrow_c_schema__(self) -> object: ...

@final
class Batch:
    """Rows in columns: ``pyarrow.record_batch(batch)``, ``polars.DataFrame(batch)``."""

    @property
    def schema(self) -> ArrowSchema:
        """Names and types of its columns."""
    @property
    def num_columns(self) -> int:
        """How many columns there are."""
    def __len__(self) -> int: ...
    def __arrow_c_schema__(self) -> object: ...
    def __arrow_c_array__(
        self, requested_schema: object | None = None
    ) -> tuple[object, object]: ...
    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object: ...

@final
class BatchReader:
    """Batches, one after the other; they can be read once."""

    @property
    def schema(self) -> ArrowSchema:
        """Names and types of the columns."""
    def __iter__(self) -> Iterator[Batch]: ...
    def __next__(self) -> Batch: ...
    def __arrow_c_schema__(self) -> object: ...
    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object: ...

@final
class Tables:
    """What a feed has told in a while, by table.

    Prices are ``decimal128(38, 12)``, other numbers ``decimal128(38, 18)``, times
    ``timestamp[ns, UTC]``, sizes whole lots. A table of which nothing came is empty.
    """

    @property
    def level2(self) -> Batch:
        """Books. ``flags``: 1 the row belongs to a snapshot, 2 the book is whole after it,
        4 forget every level, a snapshot begins, 8 nothing is known of the book from here on."""
    @property
    def trades(self) -> Batch:
        """Trades."""
    @property
    def tickers(self) -> Batch:
        """Best bid and offer, of ``ticker_v2``."""
    @property
    def instrument(self) -> Batch:
        """Mark and index prices, funding rates and settlements."""
    @property
    def candles(self) -> Batch:
        """The exchange's own candles, each as it grows."""
    @property
    def stats(self) -> Batch:
        """Figures of 24 hours."""
    @property
    def events(self) -> list[Event]:
        """All that has no rows, in order."""
    def __len__(self) -> int: ...

@final
class Replay:
    """The events of a recording, one after the other, and the books beside them."""

    def __iter__(self) -> Iterator[Event]: ...
    def __next__(self) -> Event: ...
    def book(self, symbol: str) -> Book:
        """The book of a contract, as it is at the event that was handed out last."""
    @property
    def received_ns(self) -> int | None:
        """When the recorder received what the latest event came of; nanoseconds since 1970."""

@final
class Recording:
    def __new__(cls, path: str | Path) -> Recording: ...
    @property
    def sessions(self) -> list[Session]: ...
    def info(self) -> Info: ...
    def replay(self, topics: list[str] | None = None) -> Replay: ...
    def table(self, name: str, rows: int) -> BatchReader: ...

@final
class Consumer:
    def __new__(
        cls, url: str, symbols: list[str] | None, prefix: str, queue: int
    ) -> Consumer: ...
    def __iter__(self) -> Iterator[ConsumerEvent]: ...
    def __next__(self) -> ConsumerEvent: ...
    def next(self, timeout: float | None = None) -> ConsumerEvent | None: ...
    def wait(self, timeout: float) -> bool: ...
    def book(self, symbol: str) -> Book | None: ...
    def stats(self) -> ConsumerStats: ...
    def close(self) -> None: ...
    @property
    def symbols(self) -> list[str]: ...

@final
class Feed:
    def __new__(
        cls,
        url: str | None,
        credentials: Credentials | None,
        lines: int,
        queue: int,
        ca: bytes | None,
    ) -> Feed: ...
    def subscribe(self, topic: str) -> None: ...
    def unsubscribe(self, topic: str) -> None: ...
    def resolve(self, typed: list[str], timeout: float) -> list[str]: ...
    def __iter__(self) -> Iterator[Event]: ...
    def __next__(self) -> Event: ...
    def next(self, timeout: float | None = None) -> Event | None: ...
    def wait(self, timeout: float) -> bool: ...
    def read(self, rows: int, timeout: float | None) -> Tables: ...
    def book(self, symbol: str) -> Book: ...
    def query(self, name: str, terms: dict[str, Any], timeout: float) -> Any: ...
    def follow_account(self) -> None: ...
    def unfollow_account(self) -> None: ...
    def account(self) -> Account: ...
    def stats(self) -> Stats: ...
    def lines(self) -> list[Line]: ...
    def status(self, topic: str) -> tuple[str, str | None]: ...
    def verify(self, symbol: str) -> None: ...
    def replace_lines(self) -> int: ...
    def close(self) -> None: ...
    def beside(self, table: str) -> str | None: ...
    @property
    def topics(self) -> list[str]: ...
