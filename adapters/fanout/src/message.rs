//! What publishers tell consumers: one message of one symbol's stream.
//!
//! ```text
//!   a publisher's stream of a symbol        number  1  2  3  4  5 ..   of this publisher, without holes
//!
//!   Snapshot(41)  Deltas(42, 43)  Heartbeat(43)  Lost  |  Snapshot(70)  Deltas(71)  Lagged(9)  Snapshot(81) .. End
//!   '---------------- epoch 1 ----------------------'     '------------- epoch 2 ------------'
//! ```
//!
//! Sequences are the exchange's: what two publishers say of one symbol is told apart, and put together, by them.

mod text;

use kucoin_futures_proto::book::{Coverage, Level, Scope, SideParts};
use kucoin_futures_proto::wire::{Delta, Side};
use kucoin_futures_proto::{Book, Lots, Price, Sequence, Symbol, UnixNanos};
use serde::{Deserialize, Serialize};

pub use text::{Digest, PublisherId};
use text::{Row, price};

/// The version of what is encoded here.
pub const VERSION: u8 = 1;
/// No message is larger, in bytes: what NATS carries where nothing else is set.
pub const MAX_MESSAGE: usize = 1 << 20;
/// Most levels of a side in a snapshot. A book that has more is told as far as these go.
pub const MAX_LEVELS: usize = 5000;
/// Most changes in one message.
pub const MAX_CHANGES: usize = 1024;
/// Most bytes of a reason.
pub const MAX_REASON: usize = 200;

/// One message.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Message {
    /// The contract.
    pub symbol: Symbol,
    /// Who says it.
    pub publisher: PublisherId,
    /// Counts the messages of this publisher and symbol from 1: a hole is what an engine has lost.
    pub number: u64,
    /// Which live run of the publisher's book it is about; 0: none yet.
    pub epoch: u32,
    /// What is said.
    pub body: Body,
}

/// What is said.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Body {
    /// The book is live and this is it: what was said before is not needed any more.
    Snapshot(Box<Snapshot>),
    /// It changed.
    Deltas(Deltas),
    /// It is not live any more.
    Lost(Lost),
    /// Changes were left out because the engine took them too slowly. A snapshot follows.
    Lagged {
        /// How many.
        count: u64,
    },
    /// The publisher is there, and this is how its book stands.
    Heartbeat(Heartbeat),
    /// The publisher ends here, or gives the symbol up.
    End,
}

/// A whole book, as far as its publisher knows it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Snapshot {
    /// The exchange's sequence of the last change that is in it.
    pub sequence: Sequence,
    /// When the exchange made that change, if it said so.
    pub ts_event: Option<UnixNanos>,
    /// Best (highest) first.
    pub bids: SideImage,
    /// Best (lowest) first.
    pub asks: SideImage,
    /// [`Book::digest`] of what is inside the reach: a book that is made of this has the same, or is not used.
    pub digest: Digest,
}

/// One side of a snapshot.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct SideImage {
    levels: Vec<Row>,
    #[serde(with = "text::horizon")]
    horizon: Option<Price>,
}

/// Changes with neighbouring sequences.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Deltas {
    /// The sequence of the first one; each further one has the next.
    pub first: Sequence,
    /// At least one, at most [`MAX_CHANGES`].
    pub changes: Vec<Change>,
}

/// One level has another size from here on.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Change {
    side: SideName,
    #[serde(with = "price")]
    price: Price,
    size: Lots,
    ts_event: Option<UnixNanos>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum SideName {
    Bid,
    Ask,
}

/// Why a publisher's book is not live any more.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Lost {
    /// In words.
    pub reason: String,
    /// What was said before may be of a book that was not the exchange's any more, or of another run of the exchange's
    /// counter: whoever has it from there must not go on with it.
    pub is_doubt: bool,
}

/// A sign of life.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Heartbeat {
    /// Up to where its book has been told; `None` while it is not live.
    pub sequence: Option<Sequence>,
    /// For how long, in milliseconds, nothing has proved that the publisher still hears the exchange.
    pub age_ms: u64,
    /// When it was said, by the publisher's wall clock: to be shown, and for nothing that decides anything.
    pub sent: UnixNanos,
}

/// What cannot be a message.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum DecodeError {
    /// It is of another version.
    #[error(
        "version {0} of the encoding, and this program reads 1: run the same kcf on both sides"
    )]
    Version(u64),
    /// It is larger than any message.
    #[error("{0} bytes, and no message has more than 1 MiB")]
    TooLong(usize),
    /// It is cut off, or no message at all.
    #[error("not a message: {0}")]
    Malformed(String),
    /// More levels or changes than there may be, or none where one must be.
    #[error("a message with more or fewer parts than it may have")]
    Count,
}

/// How messages are written.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Encoding {
    /// A version byte, then [postcard](https://postcard.jamesmunns.com/wire-format) 1.
    #[default]
    Binary,
    /// One object of JSON in one line, for people and for other programs.
    Ndjson,
}

impl Message {
    /// As bytes; they say themselves which encoding they are of.
    #[must_use]
    pub fn encode(&self, encoding: Encoding) -> Vec<u8> {
        // Plain values, and vectors have room: neither can fail.
        match encoding {
            Encoding::Binary => postcard::to_extend(self, vec![VERSION]).unwrap_or_default(),
            Encoding::Ndjson => {
                serde_json::to_vec(&text::Line { v: VERSION.into(), message: self })
                    .unwrap_or_default()
            }
        }
    }

    /// From bytes of either encoding. Bytes of any kind are refused or read; what is read is within the bounds of this
    /// module, and may still be nonsense: a consumer checks it.
    ///
    /// # Errors
    /// What cannot be a message.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        if bytes.len() > MAX_MESSAGE {
            return Err(DecodeError::TooLong(bytes.len()));
        }
        let message = match bytes {
            [b'{', ..] => text::parse_line(bytes)?,
            [VERSION, rest @ ..] => match postcard::take_from_bytes(rest) {
                Ok((message, [])) => message,
                Ok(_) => return Err(DecodeError::Malformed("bytes after its end".into())),
                Err(error) => return Err(DecodeError::Malformed(error.to_string())),
            },
            [version, ..] => return Err(DecodeError::Version((*version).into())),
            [] => return Err(DecodeError::Malformed("empty".into())),
        };
        if message.is_bounded() { Ok(message) } else { Err(DecodeError::Count) }
    }

    fn is_bounded(&self) -> bool {
        match &self.body {
            Body::Snapshot(snapshot) => {
                snapshot.bids.levels.len() <= MAX_LEVELS && snapshot.asks.levels.len() <= MAX_LEVELS
            }
            Body::Deltas(deltas) => (1..=MAX_CHANGES).contains(&deltas.changes.len()),
            Body::Lost(lost) => lost.reason.len() <= MAX_REASON,
            Body::Lagged { .. } | Body::Heartbeat(_) | Body::End => true,
        }
    }
}

impl Snapshot {
    /// Of a live book, its best [`MAX_LEVELS`] a side.
    #[must_use]
    pub fn of(book: &Book) -> Self {
        let [bids, asks] = [Side::Bid, Side::Ask].map(|side| SideImage::of(book, side));
        let is_cut =
            [Side::Bid, Side::Ask].iter().any(|side| book.complete_levels(*side) > MAX_LEVELS);
        let mut snapshot = Self {
            sequence: book.sequence(),
            ts_event: book.ts_event(),
            bids,
            asks,
            digest: Digest(book.digest(Scope::Complete)),
        };
        if is_cut && let Some(told) = snapshot.restored() {
            snapshot.digest = Digest(told.digest(Scope::Complete));
        }
        snapshot
    }

    /// Levels of its longer side.
    #[must_use]
    pub fn levels(&self) -> usize {
        self.bids.levels.len().max(self.asks.levels.len())
    }

    /// Its best levels of each side alone, and no claim about the others.
    #[must_use]
    pub fn cut(&self, levels: usize) -> Self {
        let [bids, asks] = [&self.bids, &self.asks].map(|side| side.cut(levels));
        let mut cut = Self { bids, asks, ..*self };
        if let Some(told) = cut.restored() {
            cut.digest = Digest(told.digest(Scope::Complete));
        }
        cut
    }

    /// The book that it is of; `None` if it is that of no book, or another than its digest says.
    #[must_use]
    pub fn book(&self) -> Option<Book> {
        self.restored().filter(|book| book.digest(Scope::Complete) == self.digest.0)
    }

    fn restored(&self) -> Option<Book> {
        let mut book = Book::new(usize::MAX, MAX_LEVELS);
        let [bids, asks] = [&self.bids, &self.asks].map(SideImage::levels);
        let [bids, asks] = [(&bids, &self.bids), (&asks, &self.asks)]
            .map(|(levels, image)| SideParts { levels, reach: image.reach() });
        book.restore(self.sequence, self.ts_event, bids, asks).then_some(book)
    }

    /// About how many bytes one of this book would take.
    pub(crate) fn size_of(book: &Book) -> usize {
        let levels = [Side::Bid, Side::Ask].map(|side| book.complete_levels(side).min(MAX_LEVELS));
        64 + 24 * levels.into_iter().sum::<usize>()
    }

    /// About how many bytes it takes.
    pub(crate) fn size(&self) -> usize {
        64 + 24 * (self.bids.levels.len() + self.asks.levels.len())
    }
}

impl SideImage {
    fn of(book: &Book, side: Side) -> Self {
        let levels: Vec<Row> =
            book.levels(side, Scope::Complete).take(MAX_LEVELS).map(Row).collect();
        let is_cut = book.complete_levels(side) > MAX_LEVELS;
        let horizon = match book.reach(side) {
            _ if is_cut => levels.last().map(|row| row.0.price),
            Coverage::All => None,
            Coverage::To(price) => Some(price),
        };
        Self { levels, horizon }
    }

    fn cut(&self, most: usize) -> Self {
        let levels: Vec<Row> = self.levels.iter().take(most).copied().collect();
        let is_cut = levels.len() < self.levels.len();
        let horizon = if is_cut { levels.last().map(|row| row.0.price) } else { self.horizon };
        Self { levels, horizon }
    }

    /// The levels, best first.
    #[must_use]
    pub fn levels(&self) -> Vec<Level> {
        self.levels.iter().map(|row| row.0).collect()
    }

    /// How far they are all there are.
    #[must_use]
    pub const fn reach(&self) -> Coverage {
        match self.horizon {
            Some(price) => Coverage::To(price),
            None => Coverage::All,
        }
    }
}

impl Deltas {
    /// Of changes with neighbouring sequences; `None` if they are not, or there are none or too many.
    #[must_use]
    pub fn of(deltas: &[Delta]) -> Option<Self> {
        let first = deltas.first()?.sequence;
        let follows = |pair: &[Delta]| match pair {
            [before, after] => before.sequence.next() == Some(after.sequence),
            _ => true,
        };
        let is_sound = deltas.len() <= MAX_CHANGES && deltas.windows(2).all(follows);
        is_sound.then(|| Self { first, changes: deltas.iter().map(Change::of).collect() })
    }

    /// The sequence of the last one.
    #[must_use]
    pub fn last(&self) -> Sequence {
        let further = self.changes.len().saturating_sub(1);
        Sequence::new(self.first.get().saturating_add(further as u64))
    }

    /// The changes with their sequences. They end where sequences do.
    pub fn iter(&self) -> impl Iterator<Item = Delta> + '_ {
        let sequences = (self.first.get()..=u64::MAX).map(Sequence::new);
        sequences.zip(&self.changes).map(|(sequence, change)| change.at(sequence))
    }
}

impl Change {
    fn of(delta: &Delta) -> Self {
        let side = match delta.side {
            Side::Bid => SideName::Bid,
            Side::Ask => SideName::Ask,
        };
        Self { side, price: delta.price, size: delta.size, ts_event: delta.ts_event }
    }

    fn at(&self, sequence: Sequence) -> Delta {
        let side = match self.side {
            SideName::Bid => Side::Bid,
            SideName::Ask => Side::Ask,
        };
        let mut delta = Delta::new(sequence, side, self.price, self.size);
        delta.ts_event = self.ts_event;
        delta
    }
}

impl Lost {
    /// With a reason that is cut where it is too long.
    #[must_use]
    pub fn new(reason: &str, is_doubt: bool) -> Self {
        let end = (0..=reason.len().min(MAX_REASON)).rev().find(|at| reason.is_char_boundary(*at));
        Self {
            reason: end.and_then(|end| reason.get(..end)).unwrap_or_default().to_owned(),
            is_doubt,
        }
    }
}

#[cfg(test)]
mod tests;
