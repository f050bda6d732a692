//! What the keys do.

use ratatui::Frame;
use ratatui::layout::{Constraint, Rect};
use ratatui::text::{Line, Span};
use ratatui::widgets::{Block, Clear, Padding, Paragraph};

use crate::draw::Theme;

const KEYS: [(&str, &str); 11] = [
    ("up, down, j, k", "move among the contracts"),
    ("PgUp, PgDn, Home, End", "the same, further"),
    ("Enter", "show the book of this one"),
    ("Tab", "show that of the next one"),
    ("s", "sort by another column"),
    ("/", "list those whose name contains a text; Esc: all"),
    ("space", "stop the picture; the feed goes on"),
    ("l", "lines, budgets and delays, or the log again"),
    ("a", "the account, or the log again"),
    ("?", "this; any key closes it"),
    ("q, Esc, Ctrl-C", "end"),
];

pub(super) fn draw_help(frame: &mut Frame<'_>, area: Rect, theme: Theme) {
    let rows = u16::try_from(KEYS.len()).unwrap_or(u16::MAX);
    let place = area.centered(Constraint::Max(76), Constraint::Max(rows.saturating_add(2)));
    let title = Line::styled(" keys ", theme.title());
    let block = Block::bordered().title(title).padding(Padding::horizontal(1));
    let lines = KEYS.map(|(key, what)| {
        Line::from(vec![Span::styled(format!("{key:<23}"), theme.title()), Span::raw(what)])
    });
    frame.render_widget(Clear, place);
    frame.render_widget(Paragraph::new(lines.to_vec()).block(block), place);
}
