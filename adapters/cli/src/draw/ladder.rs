//! The levels around the touch, as far as they are known.

use kucoin_futures_proto::Price;
use kucoin_futures_proto::book::{Coverage, Level};
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};
use ratatui::widgets::Paragraph;

use super::{Theme, cut_line, titled};
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
            let block = titled(name, area.width, theme);
            let text = Paragraph::new(format!("\n\n  not live: {why}"));
            let text = text.wrap(ratatui::widgets::Wrap { trim: false });
            return frame.render_widget(text.style(theme.mood(Mood::Bad)).block(block), area);
        }
    };
    let block = titled(&format!("{name} at {}", depth.sequence), area.width, theme);
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
        let line = Line::from(vec![
            Span::styled(format!("{price:>14}"), style),
            Span::raw(format!(" {size:>8}  ")),
            Span::styled(bar, style),
        ]);
        cut_line(line, area.width.into())
    };
    let mut lines = vec![horizon("asks", &depth.asks, theme)];
    lines.extend(asks.iter().rev().map(|level| line(level, theme.ask())));
    lines.push(touch(depth, theme));
    lines.extend(bids.iter().map(|level| line(level, theme.bid())));
    lines.push(horizon("bids", &depth.bids, theme));
    lines
}

/// Of the book itself, whether or not a level fits on the screen. A side without a known level need not be empty.
fn touch(depth: &Depth, theme: Theme) -> Line<'static> {
    let is_unknown =
        |ladder: &Ladder| ladder.levels.is_empty() && matches!(ladder.reach, Coverage::To(_));
    let text = match (depth.asks.levels.first(), depth.bids.levels.first()) {
        (Some(ask), Some(bid)) => {
            let spread = ask.price.scaled().saturating_sub(bid.price.scaled());
            let spread = Price::from_scaled(spread.max(0));
            format!("{:>14}", format!("-- {} --", spread.unwrap_or_default()))
        }
        _ if is_unknown(&depth.asks) || is_unknown(&depth.bids) => "-- unknown --".into(),
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
    use kucoin_futures_proto::{Lots, Sequence};

    use super::*;

    fn price(text: &str) -> Price {
        text.parse().unwrap()
    }

    fn ladder(prices: &[&str], reach: Coverage) -> Ladder {
        let level = |text: &&str| Level { price: price(text), size: Lots::new(1234) };
        Ladder { levels: prices.iter().map(level).collect(), reach, complete: prices.len() }
    }

    fn depth(ask: Ladder, bid: Ladder) -> Depth {
        Depth { sequence: Sequence::new(1), asks: ask, bids: bid }
    }

    fn drawn(depth: &Depth, width: u16, height: u16) -> Vec<String> {
        let area = Rect { x: 0, y: 0, width, height };
        rows(depth, area, Theme::new(false)).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn spreads_are_exact_and_those_of_the_book() {
        let book = depth(ladder(&["0.3"], Coverage::All), ladder(&["0.1"], Coverage::All));
        let spread = format!("-- {} --", price("0.2"));
        // Also where there is no room for a level.
        for height in [3, 4, 5, 20] {
            assert!(drawn(&book, 40, height).iter().any(|row| row.trim() == spread), "{height}");
        }
    }

    #[test]
    fn a_side_is_empty_only_where_all_of_it_is_known() {
        let known = || ladder(&["0.3"], Coverage::All);
        let none = || ladder(&[], Coverage::All);
        let beyond = || ladder(&[], Coverage::To(price("0.4")));
        for (asks, bids, word) in [
            (known(), none(), "empty"),
            (none(), none(), "empty"),
            (known(), beyond(), "unknown"),
            (beyond(), known(), "unknown"),
            (none(), beyond(), "unknown"),
        ] {
            let rows = drawn(&depth(asks, bids), 40, 9);
            let touch: Vec<&str> =
                rows.iter().map(|row| row.trim()).filter(|row| row.starts_with("--")).collect();
            assert_eq!(touch, [format!("-- {word} --")]);
        }
    }

    #[test]
    fn a_size_that_does_not_fit_is_seen_to_be_cut() {
        let book = depth(ladder(&["0.3"], Coverage::All), ladder(&["0.1"], Coverage::All));
        let size = |width| drawn(&book, width, 9)[1].trim_end().to_owned();
        assert!(size(40).contains("    1234  "), "{}", size(40));
        assert!(size(21).ends_with("     1…"), "{}", size(21));
    }
}
