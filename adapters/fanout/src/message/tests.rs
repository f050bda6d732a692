use proptest::prelude::*;

use super::*;

fn symbol() -> Symbol {
    "XBTUSDTM".parse().unwrap()
}

fn message(body: Body) -> Message {
    Message { symbol: symbol(), publisher: PublisherId::new(0xfeed), number: 7, epoch: 3, body }
}

fn prices() -> impl Strategy<Value = Price> {
    (1..=i64::MAX).prop_map(|units| Price::from_scaled(units).unwrap())
}

fn levels() -> impl Strategy<Value = Vec<Level>> {
    prop::collection::btree_map(prices(), 1..=u64::MAX, 0..20).prop_map(|levels| {
        levels.into_iter().map(|(price, size)| Level { price, size: Lots::new(size) }).collect()
    })
}

/// Books whose sides reach to their last level, or without limit.
fn books() -> impl Strategy<Value = Book> {
    (levels(), levels(), any::<[bool; 2]>(), any::<u64>()).prop_map(
        |(mut bids, asks, cut, sequence)| {
            bids.reverse();
            let reach = |levels: &[Level], is_cut| match levels.last() {
                Some(last) if is_cut => Coverage::To(last.price),
                _ => Coverage::All,
            };
            let [cut_bids, cut_asks] = cut;
            let parts = [
                SideParts { levels: &bids, reach: reach(&bids, cut_bids) },
                SideParts { levels: &asks, reach: reach(&asks, cut_asks) },
            ];
            let mut book = Book::new(1, usize::MAX);
            let [bids, asks] = parts;
            assert!(book.restore(Sequence::new(sequence), None, bids, asks));
            book
        },
    )
}

fn deltas() -> impl Strategy<Value = Vec<Delta>> {
    let change = (any::<bool>(), prices(), any::<u64>(), any::<Option<u64>>());
    (any::<u32>(), prop::collection::vec(change, 1..30)).prop_map(|(first, changes)| {
        let sequences = u64::from(first)..;
        let delta =
            |(sequence, (is_bid, price, size, ts)): (u64, (bool, Price, u64, Option<u64>))| {
                let side = if is_bid { Side::Bid } else { Side::Ask };
                let mut delta = Delta::new(Sequence::new(sequence), side, price, Lots::new(size));
                delta.ts_event = ts.map(UnixNanos::from_nanos);
                delta
            };
        sequences.zip(changes).map(delta).collect()
    })
}

fn bodies() -> impl Strategy<Value = Body> {
    prop_oneof![
        books().prop_map(|book| Body::Snapshot(Box::new(Snapshot::of(&book)))),
        deltas().prop_map(|deltas| Body::Deltas(Deltas::of(&deltas).unwrap())),
        (".*", any::<bool>()).prop_map(|(reason, doubt)| Body::Lost(Lost::new(&reason, doubt))),
        any::<u64>().prop_map(|count| Body::Lagged { count }),
        (any::<Option<u64>>(), any::<u64>(), any::<u64>()).prop_map(|(sequence, age_ms, sent)| {
            let sequence = sequence.map(Sequence::new);
            Body::Heartbeat(Heartbeat { sequence, age_ms, sent: UnixNanos::from_nanos(sent) })
        }),
        Just(Body::End),
    ]
}

proptest! {
    #[test]
    fn what_is_encoded_is_decoded(body in bodies(), publisher: u64, number: u64, epoch: u32) {
        let publisher = PublisherId::new(publisher);
        let message = Message { symbol: symbol(), publisher, number, epoch, body };
        for encoding in [Encoding::Binary, Encoding::Ndjson] {
            let bytes = message.encode(encoding);
            prop_assert!(!bytes.contains(&b'\n') || encoding == Encoding::Binary);
            prop_assert_eq!(Message::decode(&bytes), Ok(message.clone()));
        }
    }

    #[test]
    fn a_book_comes_back_as_it_was(book in books()) {
        let read = Snapshot::of(&book).book().unwrap();
        prop_assert_eq!(read.digest(Scope::Complete), book.digest(Scope::Complete));
        for side in [Side::Bid, Side::Ask] {
            prop_assert_eq!(read.reach(side), book.reach(side));
        }
        prop_assert_eq!(read.sequence(), book.sequence());
    }

    #[test]
    fn changes_come_back_as_they_were(deltas in deltas()) {
        let read: Vec<Delta> = Deltas::of(&deltas).unwrap().iter().collect();
        prop_assert_eq!(read, deltas);
    }

    #[test]
    fn hostile_bytes_are_refused_or_read(mut bytes: Vec<u8>, is_binary: bool) {
        if is_binary {
            bytes.insert(0, VERSION);
        }
        if let Ok(Message { body: Body::Snapshot(snapshot), .. }) = Message::decode(&bytes) {
            let _ = snapshot.book();
        }
    }

    /// Damage anywhere: refused, or read as something else, or not to be seen; and a damaged book is never taken
    /// for a whole one.
    #[test]
    fn damaged_messages_do_no_harm(body in bodies(), at: prop::sample::Index, to: u8, cut: bool) {
        let whole = message(body);
        for encoding in [Encoding::Binary, Encoding::Ndjson] {
            let mut bytes = whole.encode(encoding);
            let at = at.index(bytes.len());
            if cut {
                bytes.truncate(at);
                prop_assert!(Message::decode(&bytes).is_err());
                continue;
            }
            bytes[at] = to;
            let Ok(Message { body: Body::Snapshot(damaged), .. }) = Message::decode(&bytes) else { continue };
            let Body::Snapshot(whole) = &whole.body else { continue };
            if let Some(book) = damaged.book() {
                prop_assert_eq!(book.digest(Scope::Complete), whole.digest.0);
            }
        }
    }
}

#[test]
fn a_message_of_json_can_be_read_by_people() {
    let mut book = Book::new(1, usize::MAX);
    let body = br#"{"code":"200000","data":{"sequence":41,"symbol":"XBTUSDTM",
        "bids":[[63000.5,7]],"asks":[],"ts":1790000000000000000}}"#;
    book.read(body).unwrap();
    let text = message(Body::Snapshot(Box::new(Snapshot::of(&book)))).encode(Encoding::Ndjson);
    let digest = Digest(book.digest(Scope::Complete));
    assert_eq!(
        String::from_utf8(text).unwrap(),
        format!(
            "{{\"v\":1,\"symbol\":\"XBTUSDTM\",\"publisher\":\"000000000000feed\",\"number\":7,\"epoch\":3,\
             \"body\":{{\"snapshot\":{{\"sequence\":41,\"ts_event\":1790000000000000000,\
             \"bids\":{{\"levels\":[[\"63000.5\",7]],\"horizon\":\"63000.5\"}},\
             \"asks\":{{\"levels\":[],\"horizon\":null}},\"digest\":\"{digest}\"}}}}}}"
        )
    );
}

#[test]
fn other_versions_and_what_is_too_large_are_named() {
    let text = message(Body::End).encode(Encoding::Ndjson);
    let text = String::from_utf8(text).unwrap().replace("\"v\":1", "\"v\":9");
    assert_eq!(Message::decode(text.as_bytes()), Err(DecodeError::Version(9)));
    assert_eq!(Message::decode(&[2, 0, 0]), Err(DecodeError::Version(2)));
    let long = vec![VERSION; MAX_MESSAGE + 1];
    assert_eq!(Message::decode(&long), Err(DecodeError::TooLong(MAX_MESSAGE + 1)));
    let none = message(Body::Deltas(Deltas { first: Sequence::new(1), changes: Vec::new() }));
    assert_eq!(Message::decode(&none.encode(Encoding::Binary)), Err(DecodeError::Count));
}

/// 7000 levels a side with long prices: cut to what may be, and within what an engine carries in either encoding.
#[test]
fn the_largest_snapshot_fits() {
    let rows = |side: Side| -> Vec<Level> {
        let price = |at: i64| match side {
            Side::Bid => i64::MAX / 2 - at * 1_000_007,
            Side::Ask => i64::MAX / 2 + at * 1_000_007,
        };
        let level =
            |at| Level { price: Price::from_scaled(price(at)).unwrap(), size: Lots::new(u64::MAX) };
        (1..=7000).map(level).collect()
    };
    let [bids, asks] = [Side::Bid, Side::Ask].map(rows);
    let mut book = Book::new(1, usize::MAX);
    let [bids, asks] = [&bids, &asks].map(|levels| SideParts { levels, reach: Coverage::All });
    assert!(book.restore(Sequence::new(1), None, bids, asks));
    let snapshot = Snapshot::of(&book);
    let told = snapshot.book().unwrap();
    assert_eq!(told.complete_levels(Side::Bid), MAX_LEVELS);
    assert!(matches!(told.reach(Side::Bid), Coverage::To(_)));
    for encoding in [Encoding::Binary, Encoding::Ndjson] {
        let bytes = message(Body::Snapshot(Box::new(snapshot.clone()))).encode(encoding);
        assert!(bytes.len() <= MAX_MESSAGE, "{encoding:?}: {}", bytes.len());
        assert!(Message::decode(&bytes).is_ok());
    }
}
