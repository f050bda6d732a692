use super::*;

fn body(levels: usize) -> String {
    let rows = |step: i64| {
        let row = |at: i64| format!("[{},{}]", 50_000 + step * (at + 1), at + 1);
        (0..levels as i64).map(row).collect::<Vec<_>>().join(",")
    };
    format!(
        r#"{{"code":"200000","data":{{"sequence":41,"symbol":"A","bids":[{}],"asks":[{}],"ts":7000000}}}}"#,
        rows(-1),
        rows(1)
    )
}

/// A book whose snapshot had so many levels.
fn recorded(levels: usize) -> RecordedBook {
    let mut book = Book::new(CUT, usize::MAX);
    book.read(body(levels).as_bytes()).unwrap();
    RecordedBook::new(&book)
}

fn read(snapshot: &str) -> Book {
    let mut book = Book::new(CUT, usize::MAX);
    book.read(format!(r#"{{"code":"200000","data":{snapshot}}}"#).as_bytes()).unwrap();
    book
}

fn change(sequence: u64, side: Side, price: &str, size: u64) -> Delta {
    let price = price.parse().unwrap();
    Delta::new(Sequence::new(sequence), side, price, kucoin_futures_proto::Lots::new(size))
}

#[test]
fn who_reads_a_snapshot_knows_what_was_known_and_no_more() {
    let symbol = "A".parse().unwrap();
    for (levels, gone) in [(3, 0), (999, 5), (1000, 0), (1000, 1), (1000, 750)] {
        let mut book = recorded(levels);
        for n in 0..gone {
            let (sequence, price) = (42 + n as u64, (49_999 - n).to_string());
            assert!(book.apply(&change(sequence, Side::Bid, &price, 0)));
        }
        let read = read(&book.full(symbol).unwrap());
        assert_eq!(read, book.now, "{levels} levels, {gone} of them gone");
    }
}

#[test]
fn a_side_of_which_nothing_is_known_is_not_shown_as_empty() {
    let mut book = recorded(1000);
    for n in 0..1000 {
        let price = (49_999 - n).to_string();
        assert!(book.apply(&change(42 + n as u64, Side::Bid, &price, 0)));
    }
    assert_eq!(book.full("A".parse().unwrap()), None);
    assert_eq!(book.touch(), None);
    let mut whole = recorded(1);
    assert!(whole.apply(&change(42, Side::Bid, "49999", 0)));
    assert!(whole.full("A".parse().unwrap()).unwrap().contains(r#""bids":[]"#));
    assert_eq!(whole.touch().unwrap()[0], None);
}

#[test]
fn depths_are_whole_or_not_there() {
    let mut book = recorded(1000);
    assert!(book.depth(5).unwrap().starts_with(r#""bids":[["49999",1],["49998",2],"#));
    for n in 0..996 {
        assert!(book.apply(&change(42 + n as u64, Side::Bid, &(49_999 - n).to_string(), 0)));
    }
    assert_eq!(book.depth(5), None, "four are known");
    assert!(book.snapshot("A".parse().unwrap(), 20).is_some(), "and said to be four");
}

#[test]
fn what_it_was_is_known_for_a_while_as_far_as_it_was_known() {
    let mut book = recorded(1000);
    let reach = |price: &str| Coverage::To(price.parse().unwrap());
    let near = [reach("49990"), reach("50010")];
    let mut digests = vec![(41, book.digest(Sequence::new(41), near).unwrap())];
    for sequence in 42..42 + KEPT as u64 + 100 {
        assert!(book.apply(&change(sequence, Side::Bid, "49995", sequence)));
        digests.push((sequence, book.digest(Sequence::new(sequence), near).unwrap()));
    }
    for (sequence, digest) in &digests {
        let again = book.digest(Sequence::new(*sequence), near);
        let is_kept = *sequence >= digests[100].0;
        assert_eq!(again, if is_kept { Ok(digest.clone()) } else { Err(Unknown::Sequence) });
    }
    assert_ne!(digests[200].1, digests[201].1, "another size");
    let last = book.sequence();
    assert_eq!(book.digest(last.next().unwrap(), near), Err(Unknown::Sequence), "ahead");
    assert_eq!(book.digest(last, [Coverage::All, near[1]]), Err(Unknown::Horizon));
    assert_eq!(book.digest(last, [reach("48999"), near[1]]), Err(Unknown::Horizon));
    assert!(book.digest(last, [reach("49000"), reach("51000")]).is_ok(), "to the last level");
}

#[test]
fn a_hole_is_no_change() {
    let mut book = recorded(10);
    assert!(!book.apply(&change(43, Side::Bid, "49995", 1)));
    assert!(book.apply(&change(41, Side::Bid, "49995", 1)), "it has that");
    assert_eq!(book.sequence(), Sequence::new(41));
}
