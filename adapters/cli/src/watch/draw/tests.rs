use kucoin_futures_proto::book::{Best, Coverage, Level};
use kucoin_futures_proto::wire::TakerSide;
use kucoin_futures_proto::{
    BookStatus, Decimal, Instant, LineId, LineRole, Lots, Price, Sequence, Stats, UnixNanos,
};
use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::buffer::Buffer;
use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use ratatui::style::Color;

use super::*;
use crate::monitor::{
    Carrier, Day, Depth, Funding, Ladder, Line as Carried, Lines, LogRow, Moment, Resync, Stale,
    TradeRow, Worth,
};
use crate::watch::ui::{Sort, Wish};
use crate::watch::view::{Chosen, From, Row};

/// So long after the feed began: 14:13:20 on the wall.
const NOW: Moment = moment(12_345);

const fn moment(ms: u64) -> Moment {
    let wall = UnixNanos::from_nanos(1_790_000_000_123_000_000 - 12_345_000_000 + ms * 1_000_000);
    Moment { at: Instant::from_nanos(ms * 1_000_000), wall }
}

fn number(text: &str) -> Option<Decimal> {
    Some(text.parse().unwrap())
}

fn level(price: &str, size: u64) -> Level {
    Level { price: price.parse().unwrap(), size: Lots::new(size) }
}

fn row(name: &str) -> Row {
    let touch = (Best::Level(level("62998.8", 5)), Best::Level(level("62999.6", 5)));
    Row {
        symbol: name.parse().unwrap(),
        status: BookStatus::Live,
        is_rejected: false,
        age: Some(Duration::from_millis(40)),
        last: number("62999.6"),
        mark: number("63000.12"),
        touch: Some(touch),
        spread: number("0.8"),
        day: Day {
            change: number("0.0123"),
            high: number("64000"),
            low: number("61000"),
            volume: number("12345"),
            turnover: number("777000000"),
        },
        worth: Some(Worth { currency: "USDT".parse().unwrap(), is_inverse: false }),
        funding: number("0.0001"),
        rate: 301.4,
        resyncs: 2,
        stale: Stale::default(),
    }
}

fn ladder(prices: [&str; 3], reach: Coverage) -> Ladder {
    let levels = prices.into_iter().zip([5, 70, 1000]).map(|(price, size)| level(price, size));
    Ladder { levels: levels.collect(), reach, complete: 1004 }
}

fn chosen(row: Row) -> Chosen {
    let reach = Coverage::To("63151.2".parse::<Price>().unwrap());
    let depth = Depth {
        sequence: Sequence::new(1_754_773_435_112),
        asks: ladder(["62999.6", "62999.7", "63000"], reach),
        bids: ladder(["62998.8", "62998.7", "62998"], Coverage::All),
    };
    let trade = TradeRow {
        at: Some(NOW.wall),
        side: TakerSide::Buy,
        price: "62999.6".parse().unwrap(),
        size: Lots::new(120),
    };
    let resync = |lost: u64, took: u64| Resync {
        lost: moment(lost),
        live: Some(moment(lost + took)),
        reason: "gap: expected 5, got 7".into(),
    };
    Chosen {
        row,
        state: "live".into(),
        since: moment(4_000),
        epoch: Some(3),
        since_delta: Some(Duration::from_millis(3)),
        since_snapshot: Some(Duration::from_secs(8)),
        depth: Some(depth),
        trades: vec![trade],
        index: number("62990"),
        funding: Funding {
            estimated: number("0.0001"),
            settled: number("0.0002"),
            next: Some(moment(12_345 + 11_520_000).wall),
        },
        resyncs: vec![resync(2_000, 1_427), resync(3_700, 300)],
        gaps: 2,
        deltas: 2_900,
        closes: [62_000, 62_500, 62_999].map(|close| Decimal::new(close, 0).unwrap()).into(),
    }
}

fn carried(id: u32, up_since: Option<u64>, first: u64) -> Carried {
    let mut share = kucoin_futures_proto::book::LineShare::default();
    (share.first, share.later) = (first, 100 - first);
    let status = Carrier {
        id: LineId::new(id),
        role: if id == 0 { LineRole::Public } else { LineRole::Spare },
        replaces: None,
        up_since: up_since.map(|ms| moment(ms).at),
        topics: 8,
        share,
    };
    let said = (moment(9_000), "line down: closed with code 1001".to_owned(), Mood::Bad);
    Carried { status, lag_us: [Some(128), Some(4096)], said: up_since.is_none().then_some(said) }
}

fn view(rows: Vec<Row>) -> View {
    let mut lines = Lines::default();
    lines.all = vec![carried(0, Some(4_145), 93), carried(1, None, 7)];
    let mut stats = Stats::default();
    stats.resyncs = 4;
    let said = LogRow {
        when: NOW,
        who: "XBTUSDTM".into(),
        text: "live: epoch 3 at 1754773435001".into(),
        mood: Mood::Good,
    };
    View {
        looked: NOW,
        started: moment(0),
        from: From { host: "127.0.0.1:8080".into(), runtime: "blocking" },
        stats,
        rate: 12_345.0,
        lines,
        chosen: rows.first().cloned().map(chosen),
        rows,
        log: vec![said],
        account: None,
    }
}

fn usual() -> View {
    view(vec![row("XBTUSDTM"), row("ETHUSDTM"), row("CHRUSDTM")])
}

fn ui(view: &View) -> Ui {
    let first = view.chosen.as_ref().unwrap().row.symbol;
    Ui::new(first, Sort::Volume, NOW.at)
}

fn press(ui: &mut Ui, view: &View, code: KeyCode) -> Option<Wish> {
    ui.on_key(KeyEvent::new(code, KeyModifiers::NONE), Some(view))
}

fn drawn((width, height): (u16, u16), view: &View, ui: &Ui, colour: bool) -> Buffer {
    let mut terminal = Terminal::new(TestBackend::new(width, height)).unwrap();
    terminal.draw(|frame| draw(frame, Some(view), ui, Theme::new(colour))).unwrap();
    terminal.backend().buffer().clone()
}

fn text_of(buffer: &Buffer) -> String {
    let rows = buffer.content().chunks(usize::from(buffer.area().width));
    let row = |cells: &[ratatui::buffer::Cell]| cells.iter().map(|cell| cell.symbol()).collect();
    rows.map(row).collect::<Vec<String>>().join("\n")
}

fn text(size: (u16, u16), view: &View, ui: &Ui) -> String {
    text_of(&drawn(size, view, ui, true))
}

#[track_caller]
fn has(text: &str, parts: &[&str]) {
    for part in parts {
        assert!(text.contains(part), "{part:?} is missing:\n{text}");
    }
}

#[track_caller]
fn has_not(text: &str, parts: &[&str]) {
    for part in parts {
        assert!(!text.contains(part), "{part:?} must not be there:\n{text}");
    }
}

#[test]
fn what_matters_is_there_in_every_size() {
    let view = usual();
    for size in [(60, 16), (80, 24), (120, 40), (250, 60)] {
        has(
            &text(size, &view, &ui(&view)),
            &[
                "kcf watch",
                "127.0.0.1:8080",
                "14:13:20 UTC",
                "? helps",
                "line 0 up 8.2 s, first 93 %",
                "line 1 down, first 7 %",
                "3 contracts by volume",
                "> XBTUSDTM",
                "  ETHUSDTM",
                "live for 8.3 s, epoch 3",
                "XBTUSDTM at 1754773435112",
                "62999.6        5  █",
                "62998.8        5  █",
                "-- 0.8 --",
                "said (l: lines, a: account)",
                "14:13:20.123  XBTUSDTM   live: epoch 3 at 1754773435001",
            ],
        );
    }
    has(
        &text((80, 24), &view, &ui(&view)),
        &[
            "books 3 of 3 live",
            "asks complete to 63151.2, 1004 levels",
            "last 62999.6",
            "mark 63000.12",
        ],
    );
    has(
        &text((120, 40), &view, &ui(&view)),
        &[
            "12345 msg/s   4 resyncs",
            "bids complete: all 1004 levels",
            "62998     1000  ██",
            "14:13:20.123 buy    62999.6 x 120",
            "funding 0.0100 %",
            "next in 3:12 h",
            "+1.23 %",
        ],
    );
    has(
        &text((250, 60), &view, &ui(&view)),
        &[
            "spread bp",
            "0.12",
            "777.00M",
            "index 62990",
            "settled 0.0200 %",
            "last change 3 ms ago",
            "snapshot 8.0 s ago",
            "resyncs 2, last 300, worst 1427 ms",
            "14:13:11.478 gap: expected 5, got 7",
            "minutes: 62000 to 62999",
        ],
    );
}

#[test]
fn no_size_is_too_small() {
    let view = usual();
    for width in [1, 5, 20, 59, 60, 61, 80] {
        for height in [1, 2, 15, 16, 17, 24] {
            drawn((width, height), &view, &ui(&view), true);
        }
    }
    let small = text((59, 10), &view, &ui(&view));
    has(
        &small,
        &["line 0 up 8.2 s", "XBTUSDTM 62998.8 | 62999.6", "(more from 60 x 16 on; q ends)"],
    );
}

#[test]
fn one_contract_has_the_screen_for_itself() {
    let view = view(vec![row("XBTUSDTM")]);
    let text = text((80, 24), &view, &ui(&view));
    has(
        &text,
        &["XBTUSDTM at 1754773435112", "14:13:20.123 buy    62999.6 x 120", "trades of XBTUSDTM"],
    );
    has_not(&text, &["contracts by"]);
}

/// Nothing of a book that is not live may be looked at, and one sees since when and why.
#[test]
fn a_book_that_is_not_live_shows_no_level_and_says_why() {
    let mut view = usual();
    let chosen = view.chosen.as_mut().unwrap();
    chosen.state = "gap: expected 5, got 7".into();
    chosen.since = moment(10_000);
    for row in [&mut chosen.row, &mut view.rows[0]] {
        (row.status, row.touch, row.spread, row.age) = (BookStatus::Buffering, None, None, None);
    }
    (chosen.depth, chosen.epoch) = (None, None);
    for size in [(60, 16), (80, 24), (120, 40), (250, 60)] {
        let text = text(size, &view, &ui(&view));
        has(&text, &["not live: gap: expected 5,", "not live for 2.3 s", "> XBTUSDTM     sync"]);
        has_not(&text, &["62998", "complete"]);
        assert!(size == (60, 16) || text.contains("books 2 of 3 live"), "{text}");
    }
    has(&text((40, 5), &view, &ui(&view)), &["XBTUSDTM not live: gap"]);
}

#[test]
fn what_other_streams_said_before_their_line_went_down_is_stale() {
    let mut view = usual();
    let stale = Stale { trades: true, ..Stale::default() };
    view.chosen.as_mut().unwrap().row.stale = stale;
    for size in [(80, 24), (120, 40)] {
        let text = text(size, &view, &ui(&view));
        has(&text, &["trades of XBTUSDTM, UTC, stale", "stale: trades"]);
        has_not(&text, &["stale: mark", "stale: trades, "]);
    }
    let all = Stale { marks: true, funding: true, day: true, trades: true };
    view.chosen.as_mut().unwrap().row.stale = all;
    // Also where there is no room for trades.
    for size in [(60, 16), (250, 60)] {
        has(&text(size, &view, &ui(&view)), &["stale: mark and funding"]);
    }
    has(&text((250, 60), &view, &ui(&view)), &["stale: mark and funding, 24 h, trades"]);
}

/// Each figure of a stream that is not carried is dim, on its own and in the table, under the cursor, too.
#[test]
fn what_may_be_of_the_past_is_dim_wherever_it_stands() {
    let of = |stale: Stale| {
        let mut view = usual();
        view.chosen.as_mut().unwrap().row.stale = stale;
        view.rows[0].stale = stale;
        let buffer = drawn((250, 60), &view, &ui(&view), true);
        let dim = Theme::new(true).dim();
        // All that is dim, in the order of the screen.
        let cells = buffer.content().iter();
        let is_dim = |cell: &ratatui::buffer::Cell| {
            dim.fg.is_none_or(|fg| cell.fg == fg) && cell.modifier.contains(dim.add_modifier)
        };
        cells.map(|cell| if is_dim(cell) { cell.symbol() } else { "~" }).collect::<String>()
    };
    let fresh = of(Stale::default());
    let marks = ["63000.12", "0.0100 %", "62990", "3:12 h", "0.0200 %"];
    let day = ["+1.23 %", "777.00M", "64000", "61000"];
    let trades = ["62999.6"];
    has_not(&fresh, &[&marks[..], &day, &trades].concat());
    let marked = of(Stale { marks: true, funding: true, ..Stale::default() });
    has(&marked, &marks);
    has_not(&marked, &day);
    let funded = of(Stale { funding: true, ..Stale::default() });
    has(&funded, &["0.0100 %"]);
    has_not(&funded, &["63000.12", "62990", "0.0200 %"]);
    let days = of(Stale { day: true, ..Stale::default() });
    has(&days, &day);
    has_not(&days, &marks);
    assert_eq!(days.matches("777.00M").count(), 2, "in the table, too: {days}");
    let traded = of(Stale { trades: true, ..Stale::default() });
    // In the table under the cursor, and among the facts.
    assert_eq!(traded.matches("62999.6").count(), 2, "{traded}");
}

#[test]
fn a_screen_that_is_too_small_shows_no_old_price_and_cuts_no_number_unseen() {
    let view = usual();
    let mut ui = ui(&view);
    ui.now = moment(12_345 + 75_000).at;
    for size in [(30, 1), (59, 10)] {
        let text = text(size, &view, &ui);
        has(&text, &["OLD: nothing new for 75 s"]);
        has_not(&text, &["62998.8"]);
    }
    assert_eq!(press(&mut ui, &view, KeyCode::Char(' ')), None);
    has(&text((30, 1), &view, &ui), &["PAUSED"]);
    has_not(&text((59, 10), &view, &ui), &["62998.8"]);
    let fresh = self::ui(&view);
    has(&text((23, 10), &view, &fresh), &["XBTUSDTM 62998.8 | 629…"]);
    let mut one = self::view(vec![row("XBTUSDTM")]);
    one.chosen.as_mut().unwrap().trades[0].size = Lots::new(1234);
    let trades = |width: u16| {
        let mut terminal = Terminal::new(TestBackend::new(width, 3)).unwrap();
        let shown = &one.chosen.as_ref().unwrap().trades;
        let theme = Theme::new(false);
        terminal
            .draw(|frame| {
                crate::draw::draw_trades(frame, frame.area(), "".into(), shown.iter(), theme);
            })
            .unwrap();
        text_of(terminal.backend().buffer())
    };
    has(&trades(40), &["62999.6 x 1234"]);
    has(&trades(32), &["62999.6 x …"]);
}

#[test]
fn a_picture_that_is_old_says_so_whether_or_not_somebody_has_stopped_it() {
    let view = usual();
    let mut ui = ui(&view);
    assert_eq!(press(&mut ui, &view, KeyCode::Char(' ')), None);
    ui.now = moment(12_345 + 75_000).at;
    for size in [(60, 16), (80, 24), (250, 60)] {
        has(&text(size, &view, &ui), &["PAUSED for 75 s, space goes on"]);
    }
    has(&text((30, 6), &view, &ui), &["PAUSED, space goes on"]);
    // Another one can be chosen, and is seen once it goes on.
    press(&mut ui, &view, KeyCode::Tab);
    has(&text((80, 24), &view, &ui), &["the picture stands still: space"]);
    ui.shown = view.rows[0].symbol;
    press(&mut ui, &view, KeyCode::Char(' '));
    let old = text((80, 24), &view, &ui);
    has(&old, &["OLD: nothing new for 75 s"]);
    has_not(&old, &["PAUSED"]);
}

#[test]
fn of_700_contracts_those_around_the_cursor_are_listed_as_they_are_sorted() {
    let mut rows: Vec<Row> = (0..700).map(|n| row(&format!("T{n:03}USDTM"))).collect();
    for (n, row) in rows.iter_mut().enumerate() {
        row.day.turnover = Decimal::new(n as i128, 6);
        row.day.change = Decimal::new(-(n as i128), -4);
    }
    (rows[321].status, rows[321].touch) = (BookStatus::Stale, None);
    rows[5].spread = number("40");
    let view = view(rows);
    let mut ui = ui(&view);
    press(&mut ui, &view, KeyCode::Home);
    let first = text((120, 40), &view, &ui);
    has(
        &first,
        &["700 contracts by volume", "> T699USDTM", "  T698USDTM", "books 699 of 700 live"],
    );
    has_not(&first, &["T600USDTM"]);
    let expected = [
        ("change", "T000"),
        ("funding", "T000"),
        ("spread", "T005"),
        ("name", "T000"),
        ("state", "T321"),
    ];
    for (name, first) in expected {
        press(&mut ui, &view, KeyCode::Char('s'));
        press(&mut ui, &view, KeyCode::Home);
        let text = text((120, 40), &view, &ui);
        has(&text, &[&format!("700 contracts by {name}"), &format!("> {first}USDTM")]);
    }
    press(&mut ui, &view, KeyCode::End);
    has(&text((80, 24), &view, &ui), &["> T699USDTM"]);
    press(&mut ui, &view, KeyCode::Char('k'));
    assert_eq!(
        press(&mut ui, &view, KeyCode::Enter),
        Some(Wish::Show("T698USDTM".parse().unwrap()))
    );
    // Until it is known.
    has(&text((80, 24), &view, &ui), &["one moment"]);
    assert_eq!(press(&mut ui, &view, KeyCode::Tab), Some(Wish::Show("T699USDTM".parse().unwrap())));
    assert_eq!(press(&mut ui, &view, KeyCode::Tab), Some(Wish::Show("T321USDTM".parse().unwrap())));
}

#[test]
fn what_is_traded_in_coins_says_so_and_comes_after_what_is_not() {
    let mut inverse = row("XBTUSDM");
    inverse.worth = Some(Worth { currency: "XBT".parse().unwrap(), is_inverse: true });
    inverse.day.turnover = number("888000000");
    let view = view(vec![inverse, row("XBTUSDTM")]);
    let mut ui = ui(&view);
    press(&mut ui, &view, KeyCode::Home);
    has(&text((160, 40), &view, &ui), &["> XBTUSDTM ", "888.00M X", "worth 888.00M XBT"]);
}

/// Part of a number is another number, also where few look.
#[test]
fn what_does_not_fit_is_cut_with_a_mark_in_every_part() {
    let mut view = usual();
    view.from.host = "h".repeat(80);
    view.log[0].text = "liquidation 7123456 ".repeat(9);
    for size in [(60, 16), (80, 24)] {
        let mut ui = ui(&view);
        for panel in ["", "l"] {
            for key in panel.chars() {
                press(&mut ui, &view, KeyCode::Char(key));
            }
            let text = text(size, &view, &ui);
            let rows: Vec<&str> = text.lines().collect();
            assert!(rows[0].contains("hhh… 14:13:20 UTC"), "{text}");
            assert!(rows[1].ends_with('…'), "{text}");
            let long = if panel.is_empty() { "liquidation" } else { "line 0   public" };
            let cut = rows.iter().find(|row| row.contains(long)).unwrap();
            assert!(cut.ends_with('…'), "{text}");
        }
    }
}

#[test]
fn a_filter_is_typed_and_the_cursor_follows() {
    let view = view(vec![row("XBTUSDTM"), row("ETHUSDTM"), row("XBTUSDM")]);
    let mut ui = ui(&view);
    for c in "/eth".chars() {
        assert_eq!(press(&mut ui, &view, KeyCode::Char(c)), None);
    }
    let typed = text((80, 24), &view, &ui);
    has(&typed, &["1 of 3 with /ETH_", "> ETHUSDTM"]);
    has_not(&typed, &["XBTUSDM"]);
    assert_eq!(
        press(&mut ui, &view, KeyCode::Enter),
        Some(Wish::Show("ETHUSDTM".parse().unwrap()))
    );
    has(&text((80, 24), &view, &ui), &["1 of 3 with /ETH ─"]);
    press(&mut ui, &view, KeyCode::Char('/'));
    for c in "btc".chars() {
        press(&mut ui, &view, KeyCode::Char(c));
    }
    has(&text((80, 24), &view, &ui), &["2 of 3 with /BTC_", "> XBTUSDTM", "XBTUSDM"]);
    for c in "zz".chars() {
        press(&mut ui, &view, KeyCode::Char(c));
    }
    has(&text((80, 24), &view, &ui), &["0 of 3 with /BTCZZ_", "no such name"]);
    // Also once it was typed, Esc is all of them again.
    press(&mut ui, &view, KeyCode::Enter);
    assert_eq!(press(&mut ui, &view, KeyCode::Esc), None);
    has(&text((80, 24), &view, &ui), &["3 contracts by volume"]);
    press(&mut ui, &view, KeyCode::Char('/'));
    // The first Esc ends the typing, and only the next one the program.
    assert_eq!(press(&mut ui, &view, KeyCode::Esc), None);
    has(&text((80, 24), &view, &ui), &["3 contracts by volume"]);
    assert_eq!(press(&mut ui, &view, KeyCode::Esc), Some(Wish::End));
}

#[test]
fn keys_end_it_and_ctrl_c_does_so_always() {
    let view = usual();
    let mut ui = ui(&view);
    assert_eq!(press(&mut ui, &view, KeyCode::Char('q')), Some(Wish::End));
    assert_eq!(press(&mut ui, &view, KeyCode::Char('c')), None);
    press(&mut ui, &view, KeyCode::Char('/'));
    assert_eq!(press(&mut ui, &view, KeyCode::Char('q')), None, "a letter of the filter");
    let ctrl_c = KeyEvent::new(KeyCode::Char('c'), KeyModifiers::CONTROL);
    assert_eq!(ui.on_key(ctrl_c, None), Some(Wish::End));
}

#[test]
fn a_name_and_a_price_that_are_too_long_are_cut_and_one_sees_it() {
    let mut long = row("1000000BABYDOGEUSDTM");
    long.last = number("0.000000001234");
    let view = view(vec![long, row("XBTUSDTM")]);
    let table = text((160, 40), &view, &ui(&view));
    has(&table, &["> 1000000BABY… live", "0.0000000… "]);
    // Under its own name it is whole.
    has(&table, &["1000000BABYDOGEUSDTM at 1754773435112"]);
}

#[test]
fn lines_account_and_help_are_a_key_away() {
    let view = usual();
    let mut ui = ui(&view);
    press(&mut ui, &view, KeyCode::Char('l'));
    has(
        &text((160, 40), &view, &ui),
        &[
            "lines (l: log)",
            "up 8.2 s",
            "128 us / 4 ms",
            "line down: closed with code 1001",
            "on the way",
        ],
    );
    press(&mut ui, &view, KeyCode::Char('a'));
    has(&text((120, 40), &view, &ui), &["account (a: log)", "not followed: set KUCOIN_API_KEY"]);
    press(&mut ui, &view, KeyCode::Char('a'));
    has(&text((120, 40), &view, &ui), &["said (l: lines"]);
    press(&mut ui, &view, KeyCode::Char('?'));
    for size in [(60, 16), (80, 24), (250, 60)] {
        has(&text(size, &view, &ui), &["sort by another column", "q, Esc, Ctrl-C"]);
    }
    assert_eq!(press(&mut ui, &view, KeyCode::Char('x')), None);
    has_not(&text((80, 24), &view, &ui), &["sort by another column"]);
}

#[test]
fn without_colour_there_is_none() {
    let view = usual();
    let colours = |colour| {
        let buffer = drawn((120, 40), &view, &ui(&view), colour);
        buffer.content().iter().filter(|cell| cell.fg != Color::Reset).count()
    };
    assert!(colours(true) > 100);
    assert_eq!(colours(false), 0);
}
