//! Lists beside a ladder.

use kucoin_futures_proto::wire::TakerSide;
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use ratatui::widgets::{Padding, Paragraph, Sparkline};

use super::{Theme, cut_line, titled};
use crate::monitor::{LogRow, Mood, TradeRow};
use crate::words;

/// The latest first, as many as fit.
pub(crate) fn draw_trades<'a>(
    frame: &mut Frame<'_>,
    area: Rect,
    title: String,
    latest_first: impl Iterator<Item = &'a TradeRow>,
    theme: Theme,
) {
    let block = titled(&title, area.width, theme);
    let inner = block.inner(area);
    let (rows, width) = (usize::from(inner.height), usize::from(inner.width));
    let lines = latest_first.take(rows).map(|trade| {
        let style = match trade.side {
            TakerSide::Buy => theme.bid(),
            TakerSide::Sell => theme.ask(),
        };
        let (side, price) = (trade.side.to_string(), trade.price.to_string());
        let line = Line::from(vec![
            Span::styled(format!(" {} ", words::time_of_day(trade.at)), theme.dim()),
            Span::styled(format!("{side:<4} {price:>9}"), style),
            Span::raw(format!(" x {}", trade.size)),
        ]);
        cut_line(line, width)
    });
    frame.render_widget(Paragraph::new(lines.collect::<Vec<_>>()).block(block), area);
}

/// How long each resync took, in milliseconds, the latest last; the title tells of `count`.
pub(crate) fn draw_resyncs(
    frame: &mut Frame<'_>,
    area: Rect,
    count: u64,
    times: &[u64],
    theme: Theme,
) {
    let title = match (times.last(), times.iter().max()) {
        (Some(last), Some(worst)) => format!("resyncs {count}, last {last}, worst {worst} ms"),
        _ => "no resync yet".into(),
    };
    let block = titled(&title, area.width, theme);
    // One column aside, as everywhere.
    let block = block.padding(Padding::left(1));
    let room = usize::from(block.inner(area).width);
    let latest = times.get(times.len().saturating_sub(room)..).unwrap_or_default();
    let chart = Sparkline::default().data(latest).style(theme.mood(Mood::Plain)).block(block);
    frame.render_widget(chart, area);
}

/// A row of a log, at a time in whatever form.
pub(crate) fn log_line(at: String, row: &LogRow, theme: Theme) -> Line<'static> {
    Line::from(vec![
        Span::styled(at, theme.dim()),
        Span::styled(format!("{:<10} {}", row.who, row.text), theme.mood(row.mood)),
    ])
}
