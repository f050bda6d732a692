//! All contracts, in as many columns as there is room for.

use std::cmp::Ordering;

use kucoin_futures_proto::{BookStatus, Decimal};
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::style::{Modifier, Style};
use ratatui::text::{Line, Span};
use ratatui::widgets::Paragraph;

use crate::draw::{Theme, cut, span, titled};
use crate::monitor::Mood;
use crate::numbers;
use crate::watch::ui::{Sort, Ui};
use crate::watch::view::{Row, View};

/// What is told of each contract.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Column {
    Name,
    State,
    Last,
    Change,
    Spread,
    Funding,
    Volume,
    Rate,
    Age,
    Resyncs,
    Mark,
}

impl Column {
    /// What is left out last comes first.
    const BY_USE: [Self; 11] = [
        Self::Name,
        Self::State,
        Self::Last,
        Self::Change,
        Self::Spread,
        Self::Funding,
        Self::Volume,
        Self::Rate,
        Self::Age,
        Self::Resyncs,
        Self::Mark,
    ];

    const fn of(sort: Sort) -> Self {
        match sort {
            Sort::Volume => Self::Volume,
            Sort::Change => Self::Change,
            Sort::Funding => Self::Funding,
            Sort::Spread => Self::Spread,
            Sort::Name => Self::Name,
            Sort::State => Self::State,
        }
    }

    /// Its head, and how wide it is.
    const fn head(self) -> (&'static str, usize) {
        match self {
            Self::Name => ("symbol", 13),
            Self::State => ("book", 5),
            Self::Last => ("last", 11),
            Self::Change => ("24 h", 9),
            Self::Spread => ("spread bp", 10),
            Self::Funding => ("funding", 10),
            Self::Volume => ("worth", 11),
            Self::Rate => ("msg/s", 7),
            Self::Age => ("age", 8),
            Self::Resyncs => ("resyncs", 8),
            Self::Mark => ("mark", 11),
        }
    }

    /// Whether what it tells of this contract may be of the past.
    const fn is_stale(self, row: &Row) -> bool {
        match self {
            Self::Last => row.stale.trades,
            Self::Change | Self::Volume => row.stale.day,
            Self::Mark => row.stale.marks,
            Self::Funding => row.stale.funding,
            _ => false,
        }
    }

    fn cell(self, row: &Row, theme: Theme) -> (String, Style) {
        let plain = |text: Option<String>| (text.unwrap_or_else(|| "-".into()), Style::new());
        match self {
            Self::Name => plain(Some(row.symbol.to_string())),
            Self::State => {
                let (text, mood) = state(row);
                (text.into(), theme.mood(mood))
            }
            Self::Last => plain(row.last.map(|price| price.to_string())),
            Self::Mark => plain(row.mark.map(|price| price.to_string())),
            Self::Change => change(row.day.change, theme),
            Self::Spread => plain(row.spread_ppm().map(|ppm| {
                let bp = Decimal::new(ppm, -2);
                bp.map_or_else(|| "-".into(), |bp| numbers::rounded(bp, 2))
            })),
            Self::Funding => plain(row.funding.map(|rate| numbers::percent(rate, 4) + " %")),
            Self::Volume => plain(row.worth_in_table()),
            Self::Rate => plain(Some(format!("{:.0}", row.rate))),
            Self::Age => plain(row.age.map(span)),
            Self::Resyncs => plain(Some(row.resyncs.to_string())),
        }
    }
}

/// `+1.23 %`, and in which colour.
pub(super) fn change(ratio: Option<Decimal>, theme: Theme) -> (String, Style) {
    let Some(ratio) = ratio else { return ("-".into(), theme.dim()) };
    let style = match ratio.cmp(&Decimal::ZERO) {
        Ordering::Less => theme.ask(),
        Ordering::Equal => theme.dim(),
        Ordering::Greater => theme.bid(),
    };
    (format!("{} %", numbers::signed_percent(ratio, 2)), style)
}

const fn state(row: &Row) -> (&'static str, Mood) {
    match row.status {
        _ if row.is_rejected => ("none", Mood::Bad),
        BookStatus::Live => ("live", Mood::Good),
        BookStatus::Buffering => ("sync", Mood::Bad),
        BookStatus::Stale => ("down", Mood::Bad),
        BookStatus::Idle => ("wait", Mood::Bad),
    }
}

pub(super) fn draw_table(frame: &mut Frame<'_>, area: Rect, view: &View, ui: &Ui, theme: Theme) {
    let rows = ui.listed(view);
    let all = view.rows.len();
    let cursor = if ui.is_typing { "_" } else { "" };
    let title = match (ui.is_typing, ui.filter.as_str()) {
        (false, "") => format!("{all} contracts by {}", ui.sort.name()),
        (_, filter) => format!("{} of {all} with /{filter}{cursor}", rows.len()),
    };
    let block = titled(&title, area.width, theme);
    // One column aside from what is on the right.
    let inner = block.inner(Rect { width: area.width.saturating_sub(1), ..area });
    frame.render_widget(block, area);
    let columns = columns(usize::from(inner.width), ui.sort);
    let mut lines = vec![head(&columns, ui.sort, theme)];
    let room = usize::from(inner.height).saturating_sub(1);
    let at = rows.iter().position(|row| row.symbol == ui.cursor).unwrap_or(0);
    // The cursor stays in the middle where there is more on both sides.
    let first = at.saturating_sub(room / 2).min(rows.len().saturating_sub(room));
    for row in rows.iter().skip(first).take(room) {
        lines.push(line(row, &columns, ui, theme));
    }
    if rows.is_empty() {
        lines.push(Line::styled("  no such name", theme.dim()));
    }
    frame.render_widget(Paragraph::new(lines), inner);
}

/// Marks of the cursor take two.
const MARKS: usize = 2;

fn columns(width: usize, sort: Sort) -> Vec<Column> {
    let sorted = Column::of(sort);
    let must =
        |column: &Column| matches!(column, Column::Name | Column::State) || *column == sorted;
    let width_of = |column: &Column| column.head().1;
    let needed: usize = Column::BY_USE.iter().filter(|column| must(column)).map(width_of).sum();
    let mut left = width.saturating_sub(MARKS).saturating_sub(needed);
    let mut is_full = false;
    let mut columns = Vec::new();
    for column in Column::BY_USE {
        if !must(&column) {
            is_full |= column.head().1 > left;
            if is_full {
                continue;
            }
            left -= column.head().1;
        }
        columns.push(column);
    }
    columns
}

fn head(columns: &[Column], sort: Sort, theme: Theme) -> Line<'static> {
    let mut spans = vec![Span::raw(" ".repeat(MARKS))];
    for column in columns {
        let (text, width) = column.head();
        let style = if *column == Column::of(sort) { theme.title() } else { theme.dim() };
        spans.push(Span::styled(aligned(*column, text, width), style));
    }
    Line::from(spans)
}

fn line(row: &Row, columns: &[Column], ui: &Ui, theme: Theme) -> Line<'static> {
    let mark = match (row.symbol == ui.cursor, row.symbol == ui.shown) {
        (true, _) => "> ",
        (false, true) => "* ",
        (false, false) => "  ",
    };
    let mut spans = vec![Span::styled(mark, theme.title())];
    for column in columns {
        let (text, style) = column.cell(row, theme);
        // What may be of the past is not what catches the eye, under the cursor neither.
        let style = match (column.is_stale(row), row.symbol == ui.cursor) {
            (true, _) => theme.dim(),
            (false, true) => style.add_modifier(Modifier::BOLD),
            (false, false) => style,
        };
        spans.push(Span::styled(aligned(*column, &text, column.head().1), style));
    }
    Line::from(spans)
}

/// Names on the left, numbers on the right; what is too long is cut, and one sees that it is.
fn aligned(column: Column, text: &str, width: usize) -> String {
    let text = cut(text.to_owned(), width.saturating_sub(1));
    match column {
        Column::Name | Column::State => format!("{text:<width$}"),
        _ => format!("{text:>width$}"),
    }
}
