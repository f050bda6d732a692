//! The rows of a data set: what each says, and its columns.

use kucoin_futures_proto::book::{Book, Level, Scope};
use kucoin_futures_proto::wire::{Side, TakerSide};
use kucoin_futures_proto::{Decimal, Epoch, Lots, Price, Sequence, Symbol, UnixNanos};

/// The row belongs to a snapshot: `size` lots stand at `price`, as of `sequence`.
pub const SNAPSHOT: i32 = 1;
/// The last row of one input, or of a snapshot: the book is whole again after it.
pub const LAST: i32 = 2;
/// A snapshot begins: forget every level. The row itself has no level.
pub const CLEAR: i32 = 4;
/// Nothing is known of the book from here on, until the next [`CLEAR`]. The row itself has no level.
pub const LOST: i32 = 8;

/// What rows are of.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
#[non_exhaustive]
pub enum Table {
    /// Books: snapshots, changes, and where nothing is known.
    Level2,
    /// Trades.
    Trades,
    /// Best bid and offer (channel tickerV2).
    Tickers,
    /// Mark and index prices, funding rates and settlements.
    Instrument,
    /// Candles as the exchange pushes them: each as it grows.
    Candles,
    /// Figures of the last 24 hours.
    Stats,
}

/// When something was said, and when it was heard.
#[derive(Clone, Copy, Debug)]
pub(super) struct Stamp {
    pub(super) received: UnixNanos,
    pub(super) exchange: Option<UnixNanos>,
}

/// A row.
#[derive(Clone, Copy, Debug)]
pub(super) enum Row<'a> {
    Level(LevelRow),
    Trade(TradeRow<'a>),
    Ticker(TickerRow),
    Instrument(InstrumentRow),
    Candle(CandleRow),
    Stats(StatsRow),
}

/// A level of a book, or a word about the book.
#[derive(Clone, Copy, Debug)]
pub(super) struct LevelRow {
    pub(super) stamp: Stamp,
    pub(super) sequence: Sequence,
    pub(super) epoch: Epoch,
    pub(super) flags: i32,
    /// `None`: the row is a word about the whole book.
    pub(super) level: Option<(Side, Price, Lots)>,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct TradeRow<'a> {
    pub(super) stamp: Stamp,
    pub(super) sequence: Sequence,
    pub(super) taker: TakerSide,
    pub(super) price: Price,
    pub(super) size: Lots,
    pub(super) id: &'a str,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct TickerRow {
    pub(super) stamp: Stamp,
    pub(super) sequence: Option<Sequence>,
    pub(super) bid: Option<Level>,
    pub(super) ask: Option<Level>,
}

/// What is said of mark, index and funding; with what else is known of them by then.
#[derive(Clone, Copy, Debug)]
pub(super) struct InstrumentRow {
    pub(super) stamp: Stamp,
    pub(super) kind: &'static str,
    pub(super) mark: Option<Decimal>,
    pub(super) index: Option<Decimal>,
    pub(super) funding_rate: Option<Decimal>,
    pub(super) funding_time: Option<UnixNanos>,
    pub(super) interval_ms: Option<u64>,
    pub(super) known: Derivative,
}

/// The latest of each that was said of a contract.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Derivative {
    pub(super) mark: Option<Decimal>,
    pub(super) index: Option<Decimal>,
    pub(super) funding_estimate: Option<Decimal>,
    pub(super) last_price: Option<Price>,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct CandleRow {
    pub(super) stamp: Stamp,
    pub(super) interval: Option<&'static str>,
    pub(super) start: UnixNanos,
    /// Open, high, low, close, turnover.
    pub(super) numbers: [Decimal; 5],
    pub(super) volume: Lots,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct StatsRow {
    pub(super) stamp: Stamp,
    /// In the order of the columns.
    pub(super) numbers: [Option<Decimal>; 9],
}

/// What a column holds.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Kind {
    /// Nanoseconds since 1970.
    Time,
    /// A number of 64 bits.
    Whole,
    /// A number of 32 bits.
    Small,
    /// A price, in units of 1e-12.
    Price,
    /// A number, in units of 1e-18.
    Number,
    Text,
    #[cfg_attr(not(feature = "arrow"), allow(dead_code, reason = "in memory alone"))]
    Flag,
}

#[derive(Clone, Copy, Debug)]
#[cfg_attr(not(feature = "arrow"), allow(dead_code, reason = "text needs no types"))]
pub(super) struct Column {
    pub(super) name: &'static str,
    pub(super) kind: Kind,
    pub(super) optional: bool,
}

const fn must(name: &'static str, kind: Kind) -> Column {
    Column { name, kind, optional: false }
}

const fn may(name: &'static str, kind: Kind) -> Column {
    Column { name, kind, optional: true }
}

const SYMBOL: Column = must("symbol", Kind::Text);
const RECEIVED: Column = must("received_ns", Kind::Time);
const EXCHANGE: Column = may("exchange_ns", Kind::Time);

const LEVEL2: &[Column] = &[
    SYMBOL,
    RECEIVED,
    EXCHANGE,
    must("sequence", Kind::Whole),
    must("epoch", Kind::Small),
    must("flags", Kind::Small),
    may("side", Kind::Text),
    may("price", Kind::Price),
    may("size", Kind::Whole),
];
const TRADES: &[Column] = &[
    SYMBOL,
    RECEIVED,
    EXCHANGE,
    must("sequence", Kind::Whole),
    must("taker_side", Kind::Text),
    must("price", Kind::Price),
    must("size", Kind::Whole),
    must("trade_id", Kind::Text),
];
const TICKERS: &[Column] = &[
    SYMBOL,
    RECEIVED,
    EXCHANGE,
    may("sequence", Kind::Whole),
    may("bid_price", Kind::Price),
    may("bid_size", Kind::Whole),
    may("ask_price", Kind::Price),
    may("ask_size", Kind::Whole),
];
const INSTRUMENT: &[Column] = &[
    SYMBOL,
    RECEIVED,
    EXCHANGE,
    must("kind", Kind::Text),
    may("mark_price", Kind::Number),
    may("index_price", Kind::Number),
    may("funding_rate", Kind::Number),
    may("funding_ns", Kind::Time),
    may("interval_ms", Kind::Whole),
];
const CANDLES: &[Column] = &[
    SYMBOL,
    RECEIVED,
    EXCHANGE,
    may("interval", Kind::Text),
    must("start_ns", Kind::Time),
    may("open", Kind::Number),
    may("high", Kind::Number),
    may("low", Kind::Number),
    may("close", Kind::Number),
    may("turnover", Kind::Number),
    must("volume", Kind::Whole),
];
const STATS: &[Column] = &[
    SYMBOL,
    RECEIVED,
    EXCHANGE,
    may("last_price", Kind::Number),
    may("high_price", Kind::Number),
    may("low_price", Kind::Number),
    may("price_24h_before", Kind::Number),
    may("price_change", Kind::Number),
    may("price_change_ratio", Kind::Number),
    may("turnover", Kind::Number),
    may("volume", Kind::Number),
    may("funding_rate", Kind::Number),
];

impl Table {
    /// As files and folders are called: `level2`, `trades`, `tickers`, `instrument`, `candles`, `stats`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Level2 => "level2",
            Self::Trades => "trades",
            Self::Tickers => "tickers",
            Self::Instrument => "instrument",
            Self::Candles => "candles",
            Self::Stats => "stats",
        }
    }

    pub(super) const fn columns(self) -> &'static [Column] {
        match self {
            Self::Level2 => LEVEL2,
            Self::Trades => TRADES,
            Self::Tickers => TICKERS,
            Self::Instrument => INSTRUMENT,
            Self::Candles => CANDLES,
            Self::Stats => STATS,
        }
    }
}

/// What stands in a column.
#[derive(Clone, Copy, Debug)]
pub(super) enum Cell<'a> {
    None,
    Time(UnixNanos),
    Whole(u64),
    Small(i32),
    Price(Price),
    Number(Decimal),
    Text(&'a str),
    #[cfg_attr(not(feature = "arrow"), allow(dead_code, reason = "in memory alone"))]
    Flag(bool),
}

impl<'a> Cell<'a> {
    fn maybe<T>(value: Option<T>, cell: fn(T) -> Self) -> Self {
        value.map_or(Self::None, cell)
    }

    fn number(value: Option<Decimal>) -> Self {
        Self::maybe(value, Cell::Number)
    }
}

impl<'a> Row<'a> {
    pub(super) const fn table(&self) -> Table {
        match self {
            Self::Level(_) => Table::Level2,
            Self::Trade(_) => Table::Trades,
            Self::Ticker(_) => Table::Tickers,
            Self::Instrument(_) => Table::Instrument,
            Self::Candle(_) => Table::Candles,
            Self::Stats(_) => Table::Stats,
        }
    }

    pub(super) const fn stamp(&self) -> Stamp {
        match self {
            Self::Level(LevelRow { stamp, .. })
            | Self::Trade(TradeRow { stamp, .. })
            | Self::Ticker(TickerRow { stamp, .. })
            | Self::Instrument(InstrumentRow { stamp, .. })
            | Self::Candle(CandleRow { stamp, .. })
            | Self::Stats(StatsRow { stamp, .. }) => *stamp,
        }
    }

    /// What stands in its columns, in their order.
    pub(super) fn cells(&self, symbol: &'a Symbol, cells: &mut Vec<Cell<'a>>) {
        let stamp = self.stamp();
        cells.clear();
        cells.extend([
            Cell::Text(symbol.as_str()),
            Cell::Time(stamp.received),
            Cell::maybe(stamp.exchange, Cell::Time),
        ]);
        match *self {
            Self::Level(row) => cells.extend(level_cells(&row)),
            Self::Trade(row) => cells.extend([
                Cell::Whole(row.sequence.get()),
                Cell::Text(if row.taker == TakerSide::Buy { "buy" } else { "sell" }),
                Cell::Price(row.price),
                Cell::Whole(row.size.get()),
                Cell::Text(row.id),
            ]),
            Self::Ticker(row) => {
                cells.push(Cell::maybe(row.sequence.map(Sequence::get), Cell::Whole));
                for best in [row.bid, row.ask] {
                    cells.push(Cell::maybe(best.map(|best| best.price), Cell::Price));
                    cells.push(Cell::maybe(best.map(|best| best.size.get()), Cell::Whole));
                }
            }
            Self::Instrument(row) => cells.extend([
                Cell::Text(row.kind),
                Cell::number(row.mark),
                Cell::number(row.index),
                Cell::number(row.funding_rate),
                Cell::maybe(row.funding_time, Cell::Time),
                Cell::maybe(row.interval_ms, Cell::Whole),
            ]),
            Self::Candle(row) => {
                cells.push(Cell::maybe(row.interval, Cell::Text));
                cells.push(Cell::Time(row.start));
                cells.extend(row.numbers.map(Cell::Number));
                cells.push(Cell::Whole(row.volume.get()));
            }
            Self::Stats(row) => cells.extend(row.numbers.map(Cell::number)),
        }
    }
}

fn level_cells(row: &LevelRow) -> [Cell<'static>; 6] {
    let side = |side| if side == Side::Bid { "bid" } else { "ask" };
    [
        Cell::Whole(row.sequence.get()),
        Cell::Small(i32::try_from(row.epoch.get()).unwrap_or(i32::MAX)),
        Cell::Small(row.flags),
        Cell::maybe(row.level.map(|(of, ..)| side(of)), Cell::Text),
        Cell::maybe(row.level.map(|(_, price, _)| price), Cell::Price),
        Cell::maybe(row.level.map(|(.., size)| size.get()), Cell::Whole),
    ]
}

/// A word that a snapshot begins, and its levels: bids best first, then asks best first. With their flags.
pub(super) fn snapshot(book: &Book) -> impl Iterator<Item = (i32, Option<(Side, Price, Lots)>)> {
    let left = book.held_levels(Side::Bid) + book.held_levels(Side::Ask);
    let levels = [Side::Bid, Side::Ask].into_iter().flat_map(move |side| {
        let levels = book.levels(side, Scope::Held);
        levels.map(move |level| (SNAPSHOT, Some((side, level.price, level.size))))
    });
    std::iter::once((CLEAR | SNAPSHOT, None)).chain(levels).enumerate().map(
        move |(number, (flags, level))| (if number == left { flags | LAST } else { flags }, level),
    )
}
