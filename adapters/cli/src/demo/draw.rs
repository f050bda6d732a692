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

use kucoin_futures_proto::book::{Coverage, Level};
use kucoin_futures_proto::{BookStatus, Instant};
use ratatui::Frame;
use ratatui::layout::{Alignment, Constraint, Layout, Rect};
use ratatui::style::Style;
use ratatui::text::{Line, Span};
use ratatui::widgets::{Block, Borders, Padding, Paragraph, Sparkline};

use crate::demo::scene::{BookRow, LineState, Scene};
use crate::demo::theme::Theme;
use crate::monitor::{Depth, Ladder, Mood, status_words};
use crate::words;

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
        draw_ladder(frame, ladder, book, theme);
    }
    let [trades, resyncs] =
        Layout::vertical([Constraint::Min(3), Constraint::Length(4)]).areas(right);
    draw_trades(frame, trades, scene, theme);
    draw_resyncs(frame, resyncs, scene, theme);
    draw_log(frame, log, scene, theme);
}

/// A rule with a title on it.
fn titled(title: String, theme: Theme) -> Block<'static> {
    let title = Line::styled(format!(" {title} "), theme.title());
    Block::new().borders(Borders::TOP).border_style(theme.dim()).title(title)
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

fn draw_ladder(frame: &mut Frame<'_>, area: Rect, row: &BookRow, theme: Theme) {
    let Some(depth) = &row.depth else {
        let block = titled(row.symbol.to_string(), theme);
        let text = format!("\n\n  not live: {}", status_words(row.status));
        let text = Paragraph::new(text).style(theme.mood(Mood::Bad)).block(block);
        return frame.render_widget(text, area);
    };
    let block = titled(format!("{} at {}", row.symbol, depth.sequence), theme);
    let inner = block.inner(area);
    frame.render_widget(block, area);
    frame.render_widget(Paragraph::new(ladder(depth, inner, theme)), inner);
}

/// As many levels of each side as fit between the two horizons.
fn ladder(depth: &Depth, area: Rect, theme: Theme) -> Vec<Line<'static>> {
    let rows = usize::from(area.height);
    let each = rows.saturating_sub(3) / 2;
    let levels =
        |ladder: &Ladder| -> Vec<Level> { ladder.levels.iter().copied().take(each).collect() };
    let (asks, bids) = (levels(&depth.asks), levels(&depth.bids));
    let most = asks.iter().chain(&bids).map(|level| level.size.get()).max().unwrap_or(1).max(1);
    let room = area.width.saturating_sub(28).max(1);
    let line = |level: &Level, style: Style| {
        let bar = (u128::from(level.size.get()) * u128::from(room)).div_ceil(u128::from(most));
        let bar = "█".repeat(usize::try_from(bar).unwrap_or(0));
        let (price, size) = (level.price.to_string(), level.size);
        Line::from(vec![
            Span::styled(format!("{price:>14}"), style),
            Span::raw(format!(" {size:>8}  ")),
            Span::styled(bar, style),
        ])
    };
    let mut lines = vec![horizon("asks", &depth.asks, theme)];
    lines.extend(asks.iter().rev().map(|level| line(level, theme.ask())));
    lines.push(touch(&asks, &bids, theme));
    lines.extend(bids.iter().map(|level| line(level, theme.bid())));
    lines.push(horizon("bids", &depth.bids, theme));
    lines
}

fn touch(asks: &[Level], bids: &[Level], theme: Theme) -> Line<'static> {
    let text = match (asks.first(), bids.first()) {
        (Some(ask), Some(bid)) => {
            let spread = ask.price.scaled().saturating_sub(bid.price.scaled());
            let spread = kucoin_futures_proto::Price::from_scaled(spread.max(0));
            format!("{:>14}", format!("-- {} --", spread.unwrap_or_default()))
        }
        _ => format!("{:>14}", "-- empty --"),
    };
    Line::styled(text, theme.dim())
}

/// How far the side is known completely.
fn horizon(side: &str, ladder: &Ladder, theme: Theme) -> Line<'static> {
    let levels = ladder.complete;
    let text = match ladder.reach {
        Coverage::All => format!("  {side} complete: all {levels} levels"),
        Coverage::To(price) => format!("  {side} complete to {price}, {levels} levels"),
    };
    Line::styled(text, theme.dim())
}

fn draw_trades(frame: &mut Frame<'_>, area: Rect, scene: &Scene, theme: Theme) {
    let symbol = scene.books.first().map(|row| row.symbol.to_string()).unwrap_or_default();
    let block = titled(format!("trades of {symbol}, UTC"), theme);
    let rows = usize::from(block.inner(area).height);
    let lines = scene.trades.iter().rev().take(rows).map(|trade| {
        use kucoin_futures_proto::wire::TakerSide;
        let style = match trade.side {
            TakerSide::Buy => theme.bid(),
            TakerSide::Sell => theme.ask(),
        };
        let (side, price) = (trade.side.to_string(), trade.price.to_string());
        Line::from(vec![
            Span::styled(format!(" {} ", words::time_of_day(trade.at)), theme.dim()),
            Span::styled(format!("{side:<4} {price:>9}"), style),
            Span::raw(format!(" x {}", trade.size)),
        ])
    });
    frame.render_widget(Paragraph::new(lines.collect::<Vec<_>>()).block(block), area);
}

fn draw_resyncs(frame: &mut Frame<'_>, area: Rect, scene: &Scene, theme: Theme) {
    let times = &scene.resyncs;
    let title = match (times.last(), times.iter().max()) {
        (Some(last), Some(worst)) => {
            format!("resyncs {}, last {last}, worst {worst} ms", times.len())
        }
        _ => "no resync yet".into(),
    };
    let block = titled(title, theme);
    // One column aside, as everywhere.
    let block = block.padding(Padding::left(1));
    let room = usize::from(block.inner(area).width);
    let latest = times.get(times.len().saturating_sub(room)..).unwrap_or_default();
    let chart = Sparkline::default().data(latest).style(theme.mood(Mood::Plain)).block(block);
    frame.render_widget(chart, area);
}

fn draw_log(frame: &mut Frame<'_>, area: Rect, scene: &Scene, theme: Theme) {
    let count = |done: fn(&crate::demo::acts::Act) -> Option<Instant>| {
        scene.acts.iter().filter(|act| done(act).is_some()).count()
    };
    let (broken, healed) = (count(|act| act.broken), count(|act| act.healed));
    let all = scene.acts.len();
    let block = titled(format!("broken {broken} of {all}, healed {healed}   (q ends)"), theme);
    let rows = usize::from(block.inner(area).height);
    let skip = scene.log.len().saturating_sub(rows);
    let lines = scene.log.iter().skip(skip).map(|row| {
        let at = seconds(row.when.at);
        Line::from(vec![
            Span::styled(format!("{at:>7.2}  "), theme.dim()),
            Span::styled(format!("{:<10} {}", row.who, row.text), theme.mood(row.mood)),
        ])
    });
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
