use std::collections::BTreeMap;

use super::{Corpus, Layout, Level, Shape, Spread};

const SHAPE: Shape =
    Shape { symbols: 1, levels: 500, changes: 20_000, spread: Spread::Touch, seed: 1 };

/// What the changes did, counted.
#[derive(Default, Debug)]
struct Counts {
    removed: u32,
    inserted: u32,
    near: u32,
    crossed: u32,
    touches: u32,
}

/// Replays all changes into trees of our own, looking at each.
fn replay(corpus: &Corpus) -> (Counts, Vec<[Vec<Level>; 2]>) {
    let books = corpus.markets.iter().map(|market| {
        let [bids, asks] = &market.before;
        let bids: BTreeMap<_, _> = bids.iter().map(|&(price, size)| (-price, size)).collect();
        (bids, asks.iter().copied().collect::<BTreeMap<_, _>>(), market.sequence)
    });
    let mut books: Vec<_> = books.collect();
    let mut counts = Counts::default();
    for change in &corpus.changes {
        let (bids, asks, sequence) = &mut books[change.market];
        assert_eq!(change.sequence, *sequence + 1);
        *sequence += 1;
        let (side, key) =
            if change.bid { (&mut *bids, -change.price) } else { (&mut *asks, change.price) };
        counts.near += u32::from(side.range(..key).take(20).count() < 20);
        let before = side.first_key_value().map(|(&key, _)| key);
        match (side.contains_key(&key), change.size) {
            (false, 0) => panic!("a removal of nothing: {change:?}"),
            (false, _) => counts.inserted += 1,
            (true, 0) => counts.removed += 1,
            (true, _) => {}
        }
        if change.size == 0 {
            side.remove(&key)
        } else {
            side.insert(key, change.size)
        };
        counts.touches += u32::from(before != side.first_key_value().map(|(&key, _)| key));
        let (bid, ask) = (bids.first_key_value().unwrap().0, asks.first_key_value().unwrap().0);
        counts.crossed += u32::from(-bid >= *ask);
    }
    let ends = books.into_iter().map(|(bids, asks, _)| {
        let bids = bids.into_iter().map(|(price, size)| (-price, size));
        [bids.collect(), asks.into_iter().collect()]
    });
    (counts, ends.collect())
}

#[test]
fn the_same_shape_is_the_same_corpus() {
    let shape = Shape { symbols: 7, changes: 500, ..SHAPE };
    let corpus = Corpus::new(shape);
    assert_eq!(corpus, Corpus::new(shape));
    assert_ne!(corpus, Corpus::new(Shape { seed: 2, ..shape }));
    for layout in Layout::ALL {
        assert_eq!(corpus.frames(layout), corpus.frames(layout));
        assert_eq!(corpus.frames(layout).count(), 500);
    }
}

#[test]
fn changes_lead_from_the_first_book_to_the_last_and_are_shaped_as_promised() {
    for (symbols, spread) in [(1, Spread::Touch), (1, Spread::Flat), (9, Spread::Touch)] {
        let corpus = Corpus::new(Shape { symbols, spread, ..SHAPE });
        let (counts, ends) = replay(&corpus);
        let after: Vec<_> = corpus.markets.iter().map(super::Market::after).collect();
        assert_eq!(ends, after);
        let share = |count: u32| f64::from(count) / corpus.changes.len() as f64;
        println!("{symbols} {spread:?} {counts:?}");
        assert!((0.42..0.47).contains(&share(counts.removed)), "{counts:?}");
        assert!((0.42..0.47).contains(&share(counts.inserted)), "{counts:?}");
        assert_eq!(counts.crossed, 0);
        match spread {
            Spread::Touch => assert!((0.88..0.96).contains(&share(counts.near)), "{counts:?}"),
            Spread::Flat => assert!(share(counts.near) < 0.2, "{counts:?}"),
        }
        for levels in after.iter().flatten() {
            assert!((420..580).contains(&levels.len()), "{}", levels.len());
        }
    }
}

#[test]
fn a_frame_is_what_the_exchange_writes() {
    let corpus = Corpus::new(Shape { changes: 1, ..SHAPE });
    let change = corpus.changes[0];
    let price = corpus.markets[0].price_text(change.price);
    let side = if change.bid { "buy" } else { "sell" };
    let expected = format!(
        r#"{{"topic":"/contractMarket/level2:XBTUSDTM","type":"message","subject":"level2","sn":{0},"data":{{"sequence":{0},"change":"{price},{side},{1}","timestamp":{2}}}}}"#,
        change.sequence, change.size, change.timestamp,
    );
    let frames = corpus.frames(Layout::Usual);
    assert_eq!(frames.iter().next().unwrap(), expected.as_bytes());
    let spaced = corpus.frames(Layout::Spaced);
    let spaced: String = String::from_utf8(spaced.iter().next().unwrap().into()).unwrap();
    assert_eq!(spaced.replace(", ", ",").replace(": ", ":"), expected);
}
