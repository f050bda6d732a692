//! From the scene to a screen: pure, so that every size can be tested.
//!
//! ```text
//! kcf demo  simulated exchange, real client, offline                smol  12.3 of 60 s
//! line up for 8 s   XBTUSDTM live   ETHUSDTM live   CHRUSDTM syncing
//! ─ XBTUSDTM at 1754773435112 ─────────────┬─ trades ──────────────────────────────────
//!   asks complete to 63151.2, 1004 levels  │ 14:03:59.120 buy     62999.6 x 120
//!            62999.6      79 ████          │
//!            62998.8      12 █             ├─ resyncs 4, last 427, worst 1427 ms ───────
//!   bids complete to 62846.7, 998 levels   │ ▁▂▇▃
//! ─ broken 4 of 6, healed 3 (q ends) ──────┴───────────────────────────────────────────
//!    9.96 HEALED       a delta is lost: all books live after 211 ms
//! ```

use kucoin_futures_proto::{BookStatus, Instant};
use ratatui::Frame;
use ratatui::layout::{Alignment, Constraint, Layout, Rect};
use ratatui::text::{Line, Span};
use ratatui::widgets::Paragraph;

use crate::demo::scene::{BookRow, LineState, Scene};
use crate::draw::{Theme, draw_ladder, draw_resyncs, draw_trades, log_line, titled};
use crate::monitor::{LogRow, Mood, status_words};

/// Smaller than this, only the words fit.
const LEAST: (u16, u16) = (60, 16);
/// Narrower than this, the title is short.
const ROOMY: u16 = 78;
/// Width of the ladder beside the trades.
const LADDER: u16 = 42;

pub(crate) fn draw(frame: &mut Frame<'_>, scene: &Scene, theme: Theme) {
    let area = frame.area();
    if area.width < LEAST.0 || area.height < LEAST.1 {
        return draw_small(frame, scene, theme);
    }
    let log = (area.height / 3).clamp(7, 16);
    let [title, words, main, log] = Layout::vertical([
        Constraint::Length(1),
        Constraint::Length(1),
        Constraint::Min(7),
        Constraint::Length(log),
    ])
    .areas(area);
    draw_title(frame, title, scene, theme);
    frame.render_widget(states(scene, theme), words);
    let ladder = LADDER.min(main.width * 6 / 10).max(main.width / 3);
    let [ladder, right] =
        Layout::horizontal([Constraint::Length(ladder), Constraint::Min(20)]).areas(main);
    if let Some(book) = scene.books.first() {
        draw_book(frame, ladder, book, theme);
    }
    let [trades, resyncs] =
        Layout::vertical([Constraint::Min(3), Constraint::Length(4)]).areas(right);
    let symbol = scene.books.first().map(|row| row.symbol.to_string()).unwrap_or_default();
    let title = format!("trades of {symbol}, UTC");
    draw_trades(frame, trades, title, scene.trades.iter().rev(), theme);
    draw_resyncs(frame, resyncs, scene.resyncs.len() as u64, &scene.resyncs, theme);
    draw_log(frame, log, scene, theme);
}

fn draw_title(frame: &mut Frame<'_>, area: Rect, scene: &Scene, theme: Theme) {
    let what = "  simulated exchange, real client, offline";
    let title = Line::from(vec![
        Span::styled("kcf demo", theme.title()),
        Span::styled(if area.width < ROOMY { "" } else { what }, theme.dim()),
    ]);
    frame.render_widget(title, area);
    let (now, span) = (seconds(scene.now), scene.span.as_secs());
    let clock = format!("{}  {now:.1} of {span} s  ", scene.runtime);
    frame.render_widget(Line::from(clock).alignment(Alignment::Right), area);
}

const fn short_word(status: BookStatus) -> &'static str {
    match status {
        BookStatus::Live => "live",
        BookStatus::Buffering => "syncing",
        BookStatus::Stale | BookStatus::Idle => "down",
    }
}

/// The line and the books, in words.
fn states(scene: &Scene, theme: Theme) -> Line<'static> {
    let mut spans = match &scene.line {
        LineState::Starting => vec![Span::raw("line starting")],
        LineState::Up { since } => {
            let text = format!("line up for {} s", scene.now.since(*since).as_secs());
            vec![Span::styled(text, theme.mood(Mood::Good))]
        }
        LineState::Down => vec![Span::styled("line down", theme.mood(Mood::Bad))],
    };
    for row in &scene.books {
        let live = row.status == BookStatus::Live;
        let mood = theme.mood(if live { Mood::Good } else { Mood::Bad });
        spans.push(Span::raw(format!("   {} ", row.symbol)));
        spans.push(Span::styled(short_word(row.status), mood));
    }
    Line::from(spans)
}

fn draw_book(frame: &mut Frame<'_>, area: Rect, row: &BookRow, theme: Theme) {
    let depth = row.depth.as_ref().ok_or_else(|| status_words(row.status));
    draw_ladder(frame, area, row.symbol.as_str(), depth, theme);
}

fn draw_log(frame: &mut Frame<'_>, area: Rect, scene: &Scene, theme: Theme) {
    let count = |done: fn(&crate::demo::acts::Act) -> Option<Instant>| {
        scene.acts.iter().filter(|act| done(act).is_some()).count()
    };
    let (broken, healed) = (count(|act| act.broken), count(|act| act.healed));
    let all = scene.acts.len();
    let title = format!("broken {broken} of {all}, healed {healed}   (q ends)");
    let block = titled(&title, area.width, theme);
    let rows = usize::from(block.inner(area).height);
    let skip = scene.log.len().saturating_sub(rows);
    let at = |row: &LogRow| format!("{:>7.2}  ", seconds(row.when.at));
    let lines = scene.log.iter().skip(skip).map(|row| log_line(at(row), row, theme));
    frame.render_widget(Paragraph::new(lines.collect::<Vec<_>>()).block(block), area);
}

fn draw_small(frame: &mut Frame<'_>, scene: &Scene, theme: Theme) {
    let (width, height) = LEAST;
    let lines = vec![
        states(scene, theme),
        Line::styled(format!("(more from {width} x {height} on)"), theme.dim()),
    ];
    frame.render_widget(Paragraph::new(lines), frame.area());
}

fn seconds(at: Instant) -> f64 {
    at.as_nanos() as f64 / 1e9
}

#[cfg(test)]
#[path = "draw/tests.rs"]
mod tests;
