//! The levels around the touch, as far as they are known.

use kucoin_futures_proto::Price;
use kucoin_futures_proto::book::{Coverage, Level};
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};
use ratatui::widgets::Paragraph;

use super::{Theme, titled};
use crate::monitor::{Depth, Ladder, Mood};

/// A book under its name, or why it cannot be read: then no level is shown.
pub(crate) fn draw_ladder(
    frame: &mut Frame<'_>,
    area: Rect,
    name: &str,
    depth: Result<&Depth, &str>,
    theme: Theme,
) {
    let depth = match depth {
        Ok(depth) => depth,
        Err(why) => {
            let block = titled(name.to_owned(), theme);
            let text = Paragraph::new(format!("\n\n  not live: {why}"));
            let text = text.wrap(ratatui::widgets::Wrap { trim: false });
            return frame.render_widget(text.style(theme.mood(Mood::Bad)).block(block), area);
        }
    };
    let block = titled(format!("{name} at {}", depth.sequence), theme);
    let inner = block.inner(area);
    frame.render_widget(block, area);
    frame.render_widget(Paragraph::new(rows(depth, inner, theme)), inner);
}

/// As many levels of each side as fit between the two horizons.
fn rows(depth: &Depth, area: Rect, theme: Theme) -> Vec<Line<'static>> {
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
            let spread = Price::from_scaled(spread.max(0));
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

#[cfg(test)]
mod tests {
    use kucoin_futures_proto::Lots;

    use super::*;

    #[test]
    fn spreads_are_exact() {
        let price = |text: &str| text.parse::<Price>().unwrap();
        let level = |text: &str| Level { price: price(text), size: Lots::new(1) };
        let line = touch(&[level("0.3")], &[level("0.1")], Theme::new(false));
        assert_eq!(line.to_string().trim(), format!("-- {} --", price("0.2")));
    }
}
