use std::collections::VecDeque;
use std::time::Duration;

use kucoin_futures_proto::book::{Coverage, Level};
use kucoin_futures_proto::wire::TakerSide;
use kucoin_futures_proto::{Lots, Sequence, Stats, TopicId, UnixNanos};
use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::buffer::Buffer;
use ratatui::style::Color;

use super::*;
use crate::demo::acts::acts;
use crate::monitor::{Depth, Ladder, Moment, TradeRow};

const NOW: Instant = Instant::from_nanos(12_345_000_000);

fn level(price: &str, size: u64) -> Level {
    Level { price: price.parse().unwrap(), size: Lots::new(size) }
}

fn ladder_of(prices: [&str; 3], reach: Coverage) -> Ladder {
    let levels = prices.into_iter().zip([5, 70, 1000]).map(|(price, size)| level(price, size));
    Ladder { levels: levels.collect(), reach, complete: 1004 }
}

fn scene() -> Scene {
    let symbol = "XBTUSDTM".parse().unwrap();
    let depth = Depth {
        sequence: Sequence::new(1_754_773_435_112),
        asks: ladder_of(["62999.6", "62999.7", "63000"], Coverage::To("63151.2".parse().unwrap())),
        bids: ladder_of(["62998.8", "62998.7", "62998"], Coverage::All),
    };
    let row = |topic, status, depth| BookRow {
        topic: TopicId::new(topic),
        symbol,
        status,
        lost_at: None,
        depth,
    };
    let trade = TradeRow {
        at: Some(UnixNanos::from_nanos(1_790_000_000_123_000_000)),
        side: TakerSide::Buy,
        price: "62999.6".parse().unwrap(),
        size: Lots::new(120),
    };
    let said = LogRow {
        when: Moment::of(NOW),
        who: "HEALED".into(),
        text: "a delta is lost: all books live after 211 ms".into(),
        mood: Mood::Good,
    };
    Scene {
        runtime: "smol",
        url: "http://127.0.0.1:1".into(),
        span: Duration::from_secs(60),
        now: NOW,
        line: LineState::Up { since: Instant::from_nanos(4_000_000_000) },
        books: vec![row(0, BookStatus::Live, Some(depth)), row(1, BookStatus::Buffering, None)],
        traded: None,
        trades: VecDeque::from([trade]),
        log: VecDeque::from([said]),
        resyncs: vec![211, 1427, 300],
        acts: acts(symbol, Duration::from_secs(60)),
        stats: Stats::default(),
    }
}

fn drawn(width: u16, height: u16, scene: &Scene, colour: bool) -> Buffer {
    let mut terminal = Terminal::new(TestBackend::new(width, height)).unwrap();
    terminal.draw(|frame| draw(frame, scene, Theme::new(colour))).unwrap();
    terminal.backend().buffer().clone()
}

fn text(buffer: &Buffer) -> String {
    let rows = buffer.content().chunks(usize::from(buffer.area().width));
    let row = |cells: &[ratatui::buffer::Cell]| cells.iter().map(|cell| cell.symbol()).collect();
    rows.map(row).collect::<Vec<String>>().join("\n")
}

#[test]
fn everything_is_there_in_the_usual_sizes() {
    for (width, height) in [(80, 24), (200, 50)] {
        let text = text(&drawn(width, height, &scene(), true));
        for part in [
            "kcf demo",
            "smol  12.3 of 60 s",
            "line up for 8 s",
            "XBTUSDTM live",
            "XBTUSDTM syncing",
            "XBTUSDTM at 1754773435112",
            "asks complete to 63151.2, 1004 levels",
            "bids complete: all 1004 levels",
            "62999.6        5  █",
            "62998     1000  ██████████",
            "-- 0.8 --",
            "14:13:20.123 buy    62999.6 x 120",
            "resyncs 3, last 300, worst 1427 ms",
            "broken 0 of 14, healed 0",
            "12.35  HEALED     a delta is lost: all books live after 211 ms",
        ] {
            assert!(text.contains(part), "{part} is missing at {width} x {height}:\n{text}");
        }
    }
}

#[test]
fn asks_stand_above_bids_and_the_best_ones_meet() {
    let text = text(&drawn(80, 24, &scene(), true));
    let order = ["63000 ", "62999.7 ", "62999.6   ", "-- 0.8", "62998.8 ", "62998.7 ", "62998 "];
    let rows = order.map(|part| text.lines().position(|line| line.contains(part)).unwrap());
    assert!(rows.is_sorted_by(|above, below| above < below), "{rows:?}\n{text}");
}

/// Nothing of a book that is not live may be looked at.
#[test]
fn a_book_that_is_not_live_shows_no_level() {
    let mut scene = scene();
    scene.books[0].status = BookStatus::Stale;
    scene.books[0].depth = None;
    let text = text(&drawn(80, 24, &scene, true));
    assert!(text.contains("not live: the line is down"), "{text}");
    assert!(!text.contains("62998"), "{text}");
}

#[test]
fn no_size_is_too_small() {
    for width in [1, 5, 20, 59, 60, 61, 80] {
        for height in [1, 2, 15, 16, 17, 24] {
            drawn(width, height, &scene(), true);
        }
    }
    assert!(text(&drawn(59, 10, &scene(), true)).contains("line up for 8 s"));
}

#[test]
fn without_colour_there_is_none() {
    let colours = |colour| {
        let buffer = drawn(80, 24, &scene(), colour);
        buffer.content().iter().filter(|cell| cell.fg != Color::Reset).count()
    };
    assert!(colours(true) > 100);
    assert_eq!(colours(false), 0);
}
