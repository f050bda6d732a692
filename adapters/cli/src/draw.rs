//! What the screens of several commands draw alike: pure, so that every size can be tested.
//!
//! ```text
//! ladder   levels around the touch, between the two horizons
//! panels   trades, times of resyncs, rows of a log
//! span     times for people
//! picture  a screen as SVG, for pages that cannot run it
//! theme    colours, or none
//! ```

mod ladder;
mod panels;
mod picture;
mod span;
mod theme;

use ratatui::text::{Line, Span};
use ratatui::widgets::{Block, Borders};

pub(crate) use ladder::draw_ladder;
pub(crate) use panels::{draw_resyncs, draw_trades, log_line};
pub(crate) use picture::svg;
pub(crate) use span::span;
pub(crate) use theme::Theme;

/// What is too long for its place is cut, and one sees that it is: part of a number is another number.
pub(crate) fn cut(text: String, width: usize) -> String {
    if text.chars().count() <= width {
        return text;
    }
    text.chars().take(width.saturating_sub(1)).chain(['…']).collect()
}

/// The same of a line of several parts.
pub(crate) fn cut_line(line: Line<'static>, width: usize) -> Line<'static> {
    if line.width() <= width {
        return line;
    }
    let (mut left, mut spans) = (width, Vec::new());
    for span in line.spans {
        let count = span.content.chars().count();
        if count < left {
            left -= count;
            spans.push(span);
            continue;
        }
        let text = span.content.chars().take(left.saturating_sub(1)).chain(['…']);
        spans.push(Span::styled(text.collect::<String>(), span.style));
        break;
    }
    Line { spans, ..Line::default() }
}

/// A rule of this width with a title on it.
pub(crate) fn titled(title: &str, width: u16, theme: Theme) -> Block<'static> {
    let title = Line::styled(cut(format!(" {title} "), width.into()), theme.title());
    Block::new().borders(Borders::TOP).border_style(theme.dim()).title(title)
}
