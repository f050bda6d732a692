//! The book against sorted maps.

use std::collections::BTreeMap;

use kucoin_futures_proto::book::{Apply, Best, Book, Coverage, Level, Scope};
use kucoin_futures_proto::wire::{Delta, Side, Snapshot};
use kucoin_futures_proto::{Lots, Price, Sequence, UnixNanos};
use sha2::{Digest, Sha256};

use super::reader::Reader;

/// Bytes as snapshots and deltas (good ones, repeats, gaps, zeros, far prices): after each of them a
/// [`Book`] says in everything what two sorted maps say.
///
/// # Panics
/// A promise is broken.
pub fn book(bytes: &[u8]) {
    let mut reader = Reader::new(bytes);
    let (cut, most) = (reader.below(10), reader.below(14));
    let mut book = Book::new(cut, most);
    let mut model = Model::new(cut, most);
    model.check(&book);
    for _ in 0..MOST_OPS {
        let Some(op) = reader.next() else { return };
        if op % 16 == 0 {
            let snapshot = snapshot(&mut reader);
            book.load(&snapshot);
            model.load(&snapshot);
        } else {
            let delta = delta(&mut reader, op, model.sequence);
            assert_eq!(book.apply(&delta), model.apply(&delta), "{delta:?}");
        }
        model.check(&book);
    }
}

const MOST_OPS: usize = 300;
const SIDES: [Side; 2] = [Side::Bid, Side::Ask];

fn snapshot(reader: &mut Reader<'_>) -> Snapshot {
    const EMPTY: &[u8] =
        br#"{"code":"200000","data":{"symbol":"LINKUSDTM","sequence":0,"bids":[],"asks":[]}}"#;
    let mut snapshot = Snapshot::parse(EMPTY).expect("it is a snapshot");
    let number = reader.number();
    // Near the end of the range, too.
    let sequence = if reader.bit() { u64::MAX - number % 300 } else { number };
    snapshot.sequence = Sequence::new(sequence);
    snapshot.ts_event = reader.bit().then(|| UnixNanos::from_nanos(number));
    for side in SIDES {
        let levels: BTreeMap<Price, Lots> =
            (0..reader.below(20)).map(|_| (price(reader), size(reader))).collect();
        let levels = levels.into_iter().filter(|(p, s)| *p != Price::ZERO && *s != Lots::ZERO);
        let levels = levels.map(|(price, size)| Level { price, size });
        match side {
            Side::Bid => snapshot.bids = levels.rev().collect(),
            Side::Ask => snapshot.asks = levels.collect(),
        }
    }
    snapshot
}

/// The next delta mostly; else one from before, or one too far ahead.
fn delta(reader: &mut Reader<'_>, op: u8, sequence: u64) -> Delta {
    let sequence = match op % 16 {
        1 => sequence.saturating_sub(reader.number()),
        2 => sequence.saturating_add(2).saturating_add(reader.number()),
        _ => sequence.saturating_add(1),
    };
    let side = if op & 16 == 0 { Side::Bid } else { Side::Ask };
    let size = if op & 32 == 0 { size(reader) } else { Lots::ZERO };
    let mut delta = Delta::new(Sequence::new(sequence), side, price(reader), size);
    delta.ts_event = (op & 64 == 0).then(|| UnixNanos::from_nanos(sequence));
    delta
}

/// Few prices, so that they meet; the least and the greatest among them.
fn price(reader: &mut Reader<'_>) -> Price {
    let ticks = match reader.byte() {
        255 => i64::MAX,
        tick => i64::from(tick % 48),
    };
    Price::from_scaled(ticks).expect("not negative")
}

fn size(reader: &mut Reader<'_>) -> Lots {
    Lots::new(reader.number())
}

struct Model {
    sequence: u64,
    ts: Option<UnixNanos>,
    sides: [Half; 2],
}

/// One side. The key is a rank: the price, or its negative for bids, so that the best comes first.
struct Half {
    side: Side,
    levels: BTreeMap<i64, u64>,
    /// The rank to which it is complete; `None` is without limit.
    horizon: Option<i64>,
    cut: usize,
    most: usize,
}

impl Model {
    fn new(cut: usize, most: usize) -> Self {
        let (cut, most) = (cut.max(1), most.max(1));
        let half = |side| Half { side, levels: BTreeMap::new(), horizon: None, cut, most };
        Self { sequence: 0, ts: None, sides: SIDES.map(half) }
    }

    fn load(&mut self, snapshot: &Snapshot) {
        self.sequence = snapshot.sequence.get();
        self.ts = snapshot.ts_event;
        self.sides[0].load(&snapshot.bids);
        self.sides[1].load(&snapshot.asks);
    }

    fn apply(&mut self, delta: &Delta) -> Apply {
        let sequence = delta.sequence.get();
        if sequence <= self.sequence {
            return Apply::Repeat;
        }
        if sequence - self.sequence > 1 {
            return Apply::Gap { expected: Sequence::new(self.sequence + 1) };
        }
        self.sequence = sequence;
        self.ts = delta.ts_event.or(self.ts);
        self.sides[usize::from(delta.side == Side::Ask)].set(delta.price, delta.size);
        Apply::Applied
    }

    fn check(&self, book: &Book) {
        assert_eq!((book.sequence().get(), book.ts_event()), (self.sequence, self.ts));
        for half in &self.sides {
            half.check(book);
        }
        let crossed = match (self.sides[0].best(), self.sides[1].best()) {
            (Best::Level(bid), Best::Level(ask)) => bid.price >= ask.price,
            _ => false,
        };
        assert_eq!(book.is_crossed(), crossed);
        for (scope, inside) in [(Scope::Held, false), (Scope::Complete, true)] {
            let lines: String = self.sides.iter().map(|half| half.lines(inside)).collect();
            assert_eq!(book.digest(scope)[..], Sha256::digest(lines)[..]);
        }
        assert!(format!("{book:?}").starts_with("Book"));
    }
}

impl Half {
    fn rank(&self, price: Price) -> i64 {
        if self.side == Side::Bid { -price.scaled() } else { price.scaled() }
    }

    fn load(&mut self, best_first: &[Level]) {
        self.levels = best_first.iter().map(|l| (self.rank(l.price), l.size.get())).collect();
        while self.levels.len() > self.most {
            self.levels.pop_last();
        }
        let shown = best_first.len() < self.cut && best_first.len() <= self.most;
        self.horizon = if shown { None } else { self.levels.last_key_value().map(|(r, _)| *r) };
    }

    fn set(&mut self, price: Price, size: Lots) {
        let rank = self.rank(price);
        if price == Price::ZERO {
            return;
        }
        if size == Lots::ZERO {
            self.levels.remove(&rank);
            return;
        }
        self.levels.insert(rank, size.get());
        if self.levels.len() > self.most {
            let (dropped, _) = self.levels.pop_last().expect("there is one");
            if self.is_inside(dropped) {
                self.horizon = self.levels.last_key_value().map(|(rank, _)| *rank);
            }
        }
    }

    fn is_inside(&self, rank: i64) -> bool {
        self.horizon.is_none_or(|horizon| rank <= horizon)
    }

    fn levels(&self, inside: bool) -> Vec<Level> {
        let wanted = self.levels.iter().filter(|(rank, _)| !inside || self.is_inside(**rank));
        wanted.map(|(rank, size)| level(*rank, *size)).collect()
    }

    fn best(&self) -> Best {
        match (self.levels(true).first(), self.horizon) {
            (Some(level), _) => Best::Level(*level),
            (None, None) => Best::Empty,
            (None, Some(_)) => Best::Unknown,
        }
    }

    fn lines(&self, inside: bool) -> String {
        let tag = if self.side == Side::Bid { 'b' } else { 'a' };
        let line = |level: Level| format!("{tag} {} {}\n", level.price, level.size);
        self.levels(inside).into_iter().map(line).collect()
    }

    fn check(&self, book: &Book) {
        let side = self.side;
        let reach = self.horizon.map_or(Coverage::All, |rank| Coverage::To(level(rank, 1).price));
        assert_eq!(book.reach(side), reach, "{side}");
        let best = if side == Side::Bid { book.best_bid() } else { book.best_ask() };
        assert_eq!(best, self.best(), "{side}");
        let (held, complete) = (self.levels(false), self.levels(true));
        assert!(book.levels(side, Scope::Held).eq(held.iter().copied()), "{side}");
        assert!(book.levels(side, Scope::Complete).eq(complete.iter().copied()), "{side}");
        let counts = (book.held_levels(side), book.complete_levels(side));
        assert_eq!(counts, (held.len(), complete.len()), "{side}");
    }
}

fn level(rank: i64, size: u64) -> Level {
    let price = Price::from_scaled(rank.abs()).expect("not negative");
    Level { price, size: Lots::new(size) }
}
