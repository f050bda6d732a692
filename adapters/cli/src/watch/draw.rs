//! From a view to a screen: pure, so that every size can be tested.
//!
//! ```text
//! kcf watch  127.0.0.1:8080, blocking                      14:03:59 UTC   ? helps
//! line 0 up 8.2 s   books 3 of 3 live   301 msg/s   no resync
//! ─ 3 contracts by volume ──────┬─ XBTUSDTM at 1754773435112 ───────────────────
//!   > XBTUSDTM  live   62999.6  │ live for 8.1 s  last 62999.6  mark 63000.1  ..
//!     ETHUSDTM  live   2417.3   │  asks complete to 63151.2, 1004 levels
//!                               ├─ trades of XBTUSDTM, UTC ─────────────────────
//! ─ said ───────────────────────┴───────────────────────────────────────────────
//!  14:03:51.120  XBTUSDTM   live: epoch 1 at 1754773435001
//! ```

mod below;
mod chosen;
mod help;
mod table;

use std::time::Duration;

use ratatui::Frame;
use ratatui::layout::{Alignment, Constraint, Layout, Rect};
use ratatui::text::{Line, Span};
use ratatui::widgets::Paragraph;

use super::ui::{Panel, Ui};
use super::view::View;
use crate::draw::{Theme, cut_line, span};
use crate::monitor::Mood;
use crate::words;

/// Smaller than this, only the words fit.
const LEAST: (u16, u16) = (60, 16);
/// A picture that is older, though nobody has stopped it, is said to be old.
const OLD: Duration = Duration::from_secs(2);
/// Lines that are told one by one at the top.
const FEW_LINES: usize = 3;
/// Width of the table beside a book: least, and most.
const TABLE: (u16, u16) = (32, 96);

/// `view`: `None` until there is one.
pub(super) fn draw(frame: &mut Frame<'_>, view: Option<&View>, ui: &Ui, theme: Theme) {
    let area = frame.area();
    let Some(view) = view else {
        return frame.render_widget(Line::styled("kcf watch: one moment", theme.dim()), area);
    };
    if area.width < LEAST.0 || area.height < LEAST.1 {
        return draw_small(frame, view, ui, theme);
    }
    let below = match ui.panel {
        Panel::Log => (area.height / 4).clamp(4, 14),
        Panel::Lines | Panel::Account => (area.height / 3).clamp(6, 18),
    };
    let [title, states, main, below] = Layout::vertical([
        Constraint::Length(1),
        Constraint::Length(1),
        Constraint::Min(8),
        Constraint::Length(below),
    ])
    .areas(area);
    draw_title(frame, title, view, ui, theme);
    frame.render_widget(cut_line(states_line(view, theme), states.width.into()), states);
    let book = if view.rows.len() > 1 || ui.is_typing {
        let width = main.width.saturating_mul(4) / 11;
        let width = width.clamp(TABLE.0, TABLE.1);
        let [table, book] =
            Layout::horizontal([Constraint::Length(width), Constraint::Min(20)]).areas(main);
        table::draw_table(frame, table, view, ui, theme);
        book
    } else {
        main
    };
    chosen::draw_chosen(frame, book, view, ui, theme);
    below::draw_below(frame, below, view, ui, theme);
    if ui.has_help {
        help::draw_help(frame, area, theme);
    }
}

fn draw_title(frame: &mut Frame<'_>, area: Rect, view: &View, ui: &Ui, theme: Theme) {
    let from = format!("  {}, {}", view.from.host, view.from.runtime);
    let title =
        Line::from(vec![Span::styled("kcf watch", theme.title()), Span::styled(from, theme.dim())]);
    let mut right = Vec::new();
    if let Some(paused) = ui.paused_for() {
        let text = format!(" PAUSED for {}, space goes on ", span(paused));
        right.push(Span::styled(text, theme.mood(Mood::Fault)));
    } else {
        let age = ui.now.since(view.looked.at);
        if age >= OLD {
            let text = format!(" OLD: nothing new for {} ", span(age));
            right.push(Span::styled(text, theme.mood(Mood::Bad)));
        }
    }
    let time = words::time_of_day(view.looked.wall);
    let time = time.split('.').next().unwrap_or_default();
    right.push(Span::raw(format!(" {time} UTC ")));
    right.push(Span::styled(" ? helps ", theme.dim()));
    // What is said on the right comes first: the left has what is left.
    let right = Line::from(right);
    let width = u16::try_from(right.width()).unwrap_or(area.width).min(area.width);
    let [left, place] =
        Layout::horizontal([Constraint::Min(0), Constraint::Length(width)]).areas(area);
    frame.render_widget(cut_line(title, left.width.into()), left);
    frame.render_widget(right.alignment(Alignment::Right), place);
}

/// Lines, books and counts, in words.
fn states_line(view: &View, theme: Theme) -> Line<'static> {
    let mut spans = Vec::new();
    let mut add = |text: String, mood: Mood| {
        spans.push(Span::styled(text, theme.mood(mood)));
        spans.push(Span::raw("   "));
    };
    let good = |is_good| if is_good { Mood::Good } else { Mood::Bad };
    let lines = &view.lines.all;
    let up = lines.iter().filter(|line| line.status.up_since.is_some()).count();
    match lines.len() {
        0 => add("no line yet".into(), Mood::Bad),
        1..=FEW_LINES => {
            for line in lines {
                let state = line.status.up_since.map_or_else(
                    || "down".into(),
                    |since| format!("up {}", span(view.looked.at.since(since))),
                );
                let wins = line.wins().map(|wins| format!(", first {wins} %"));
                let text = format!("{} {state}{}", line.name(), wins.unwrap_or_default());
                add(text, good(line.status.up_since.is_some()));
            }
        }
        all => add(format!("{up} of {all} lines up"), good(up == all)),
    }
    let (live, all) = (view.live(), view.rows.len());
    add(format!("books {live} of {all} live"), good(live == all));
    add(format!("{:.0} msg/s", view.rate), Mood::Plain);
    let resyncs = match view.stats.resyncs {
        0 => "no resync".into(),
        1 => "1 resync".into(),
        count => format!("{count} resyncs"),
    };
    add(resyncs, Mood::Plain);
    add(format!("in {}", span(view.looked.at.since(view.started.at))), Mood::Plain);
    if let Some(account) = &view.account {
        let is_live = account.epoch.is_some();
        let text = format!("account {}", if is_live { "live" } else { "not live" });
        add(text, good(is_live));
    }
    // What is behind the last of them is no part of it that could be cut.
    spans.pop();
    Line::from(spans)
}

fn draw_small(frame: &mut Frame<'_>, view: &View, ui: &Ui, theme: Theme) {
    let (width, height) = LEAST;
    let age = ui.now.since(view.looked.at);
    let mut lines = Vec::new();
    // First, as there may be no second line.
    if ui.paused_for().is_some() {
        lines.push(Line::styled("PAUSED, space goes on", theme.mood(Mood::Fault)));
    } else if age >= OLD {
        let text = format!("OLD: nothing new for {}", span(age));
        lines.push(Line::styled(text, theme.mood(Mood::Bad)));
    }
    lines.push(states_line(view, theme));
    if let Some(chosen) = view.chosen.as_ref().filter(|_| age < OLD) {
        lines.push(chosen::touch_line(chosen, theme));
    }
    lines.push(Line::styled(format!("(more from {width} x {height} on; q ends)"), theme.dim()));
    let room = usize::from(frame.area().width);
    let lines: Vec<_> = lines.into_iter().map(|line| cut_line(line, room)).collect();
    frame.render_widget(Paragraph::new(lines), frame.area());
}

#[cfg(test)]
#[path = "draw/tests.rs"]
mod tests;
