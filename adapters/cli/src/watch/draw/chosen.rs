//! The contract that is looked at: its book, trades, prices, funding, resyncs.

use kucoin_futures_proto::book::Best;
use kucoin_futures_proto::{Decimal, UnixNanos};
use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::style::Style;
use ratatui::text::{Line, Span};
use ratatui::widgets::{Padding, Paragraph, Sparkline};

use super::table::change;
use crate::draw::{Theme, cut, cut_line, draw_ladder, draw_resyncs, draw_trades, span, titled};
use crate::monitor::{Mood, Resync};
use crate::watch::ui::Ui;
use crate::watch::view::{Chosen, View};
use crate::{numbers, words};

/// From this width on trades stand beside the book.
const WIDE: u16 = 74;
/// From this height on there is room for more than book and trades.
const TALL: u16 = 22;
/// Rows of words above the book, at most.
const FACTS: u16 = 4;

pub(super) fn draw_chosen(frame: &mut Frame<'_>, area: Rect, view: &View, ui: &Ui, theme: Theme) {
    let Some(chosen) = view.chosen.as_ref().filter(|chosen| chosen.row.symbol == ui.shown) else {
        let block = titled(ui.shown.as_str(), area.width, theme);
        let stopped = ui.paused.is_some();
        let words = if stopped { "the picture stands still: space" } else { "one moment" };
        let text = Paragraph::new(format!("\n\n  {words}")).style(theme.dim()).block(block);
        return frame.render_widget(text, area);
    };
    let facts = facts(chosen, view, area.width, theme);
    let height = u16::try_from(facts.len()).unwrap_or(FACTS).min(FACTS);
    let name = chosen.row.symbol.to_string();
    let depth = chosen.depth.as_ref().ok_or(chosen.state.as_str());
    let [facts_area, rest] =
        Layout::vertical([Constraint::Length(height), Constraint::Min(5)]).areas(area);
    frame.render_widget(Paragraph::new(facts), facts_area);
    if area.width >= WIDE {
        let ladder = (rest.width / 2).clamp(42, 90);
        let [ladder, right] =
            Layout::horizontal([Constraint::Length(ladder), Constraint::Min(20)]).areas(rest);
        draw_ladder(frame, ladder, &name, depth, theme);
        draw_right(frame, right, chosen, theme);
        return;
    }
    let trades = if rest.height >= 12 { rest.height / 3 } else { 0 };
    let [ladder, trades] =
        Layout::vertical([Constraint::Min(5), Constraint::Length(trades)]).areas(rest);
    draw_ladder(frame, ladder, &name, depth, theme);
    if trades.height > 0 {
        trades_of(frame, trades, chosen, theme);
    }
}

/// Trades, and below them what there is room for.
fn draw_right(frame: &mut Frame<'_>, area: Rect, chosen: &Chosen, theme: Theme) {
    let more = if area.height >= TALL { 5 } else { 0 };
    let resyncs = if area.height >= 10 { 5 } else { 0 };
    let [trades, closes, resyncs] = Layout::vertical([
        Constraint::Min(4),
        Constraint::Length(more),
        Constraint::Length(resyncs),
    ])
    .areas(area);
    trades_of(frame, trades, chosen, theme);
    if closes.height > 0 {
        draw_closes(frame, closes, chosen, theme);
    }
    if resyncs.height > 0 {
        let [chart, last] =
            Layout::vertical([Constraint::Min(3), Constraint::Length(1)]).areas(resyncs);
        let times: Vec<u64> = chosen.resyncs.iter().filter_map(millis).collect();
        draw_resyncs(frame, chart, chosen.row.resyncs, &times, theme);
        if let Some(resync) = chosen.resyncs.last() {
            let at = words::time_of_day(resync.lost.wall);
            let text = cut(format!(" {at} {}", resync.reason), last.width.into());
            frame.render_widget(Line::styled(text, theme.dim()), last);
        }
    }
}

fn millis(resync: &Resync) -> Option<u64> {
    u64::try_from(resync.took()?.as_millis()).ok()
}

fn trades_of(frame: &mut Frame<'_>, area: Rect, chosen: &Chosen, theme: Theme) {
    let stale = if chosen.row.stale.trades { ", stale" } else { "" };
    let title = format!("trades of {}, UTC{stale}", chosen.row.symbol);
    draw_trades(frame, area, title, chosen.trades.iter(), theme);
}

/// Closes of minutes between the lowest and the highest that are shown.
fn draw_closes(frame: &mut Frame<'_>, area: Rect, chosen: &Chosen, theme: Theme) {
    let room = usize::from(area.width.saturating_sub(1));
    let latest = chosen.closes.get(chosen.closes.len().saturating_sub(room)..).unwrap_or_default();
    let (Some(low), Some(high)) = (latest.iter().min(), latest.iter().max()) else {
        let block = titled("no trade yet", area.width, theme);
        return frame.render_widget(block, area);
    };
    let title = format!("minutes: {low} to {high}");
    let block = titled(&title, area.width, theme).padding(Padding::left(1));
    // Pixels, so to say: the least one is seen, too.
    let place = |price: &Decimal| -> u64 {
        let range = float(high) - float(low);
        let share = if range > 0.0 { (float(price) - float(low)) / range } else { 0.5 };
        8 + (share * 92.0) as u64
    };
    let data: Vec<u64> = latest.iter().map(place).collect();
    let chart = Sparkline::default().data(&data).max(100).style(theme.mood(Mood::Plain));
    frame.render_widget(chart.block(block), area);
}

/// For places on a screen, and for nothing else.
fn float(price: &Decimal) -> f64 {
    price.mantissa() as f64 * 10_f64.powi(price.exponent().into())
}

/// Best bid and ask in one line.
pub(super) fn touch_line(chosen: &Chosen, theme: Theme) -> Line<'static> {
    let name = format!("{} ", chosen.row.symbol);
    let Some((bid, ask)) = chosen.row.touch else {
        let text = format!("{name}not live: {}", chosen.state);
        return Line::styled(text, theme.mood(Mood::Bad));
    };
    let best = |best: Best| match best {
        Best::Level(level) => level.price.to_string(),
        Best::Empty | Best::Unknown => words::best(best),
    };
    Line::from(vec![
        Span::raw(name),
        Span::styled(best(bid), theme.bid()),
        Span::raw(" | "),
        Span::styled(best(ask), theme.ask()),
    ])
}

/// A few words that belong together: what it is, and the value.
type Fact = (String, String, Style);

/// What is known besides book and trades, as many to a line as fit.
fn facts(chosen: &Chosen, view: &View, width: u16, theme: Theme) -> Vec<Line<'static>> {
    let mut lines = vec![Line::default()];
    for (what, value, style) in all_facts(chosen, view, theme) {
        let spans = vec![
            Span::raw("  "),
            Span::styled(if what.is_empty() { what } else { what + " " }, theme.dim()),
            Span::styled(value, style),
        ];
        let added = Line::from(spans);
        match lines.last_mut() {
            Some(line)
                if line.width() == 0 || line.width() + added.width() <= usize::from(width) =>
            {
                line.spans.extend(added.spans);
            }
            _ => lines.push(added),
        }
    }
    lines.into_iter().map(|line| cut_line(line, width.into())).collect()
}

fn all_facts(chosen: &Chosen, view: &View, theme: Theme) -> Vec<Fact> {
    let plain = Style::new();
    let row = &chosen.row;
    let fact = |what: &str, value: String| (what.to_owned(), value, plain);
    let price = |price: Option<Decimal>| price.map_or_else(|| "-".into(), |p| p.to_string());
    let short = |value: Option<Decimal>| value.map_or_else(|| "-".into(), numbers::short);
    let percent = |rate: Option<Decimal>| {
        rate.map_or_else(|| "-".into(), |rate| numbers::percent(rate, 4) + " %")
    };
    // What may be of the past, as of streams that are not carried.
    let streamed = |is_stale: bool, what: &str, value: String| {
        (what.to_owned(), value, if is_stale { theme.dim() } else { plain })
    };
    let mark = |what: &str, value: String| streamed(row.stale.marks, what, value);
    let of_day = |what: &str, value: String| streamed(row.stale.day, what, value);
    let (day, day_style) = change(row.day.change, theme);
    let day_style = if row.stale.day { theme.dim() } else { day_style };
    let mut facts = vec![state(chosen, view, theme)];
    if row.stale.is_any() {
        facts.push(("stale:".to_owned(), row.stale.words(), theme.mood(Mood::Bad)));
    }
    if let Some(age) = row.age {
        facts.push(fact("known right", format!("{} ago", span(age))));
    }
    facts.push(streamed(row.stale.trades, "last", price(row.last)));
    facts.push(mark("mark", price(row.mark)));
    facts.push(("24 h".into(), day, day_style));
    facts.push(streamed(row.stale.funding, "funding", percent(row.funding)));
    if let Some(next) = chosen.funding.next {
        facts.push(mark("next in", until(view.looked.wall, next)));
    }
    facts.push(mark("index", price(chosen.index)));
    facts.push(fact("msg/s", format!("{:.0}", row.rate)));
    if chosen.funding.settled.is_some() {
        facts.push(mark("settled", percent(chosen.funding.settled)));
    }
    facts.push(of_day("worth", row.worth().unwrap_or_else(|| "-".into())));
    facts.push(of_day("low", price(row.day.low)));
    facts.push(of_day("high", price(row.day.high)));
    facts.push(of_day("volume", short(row.day.volume)));
    facts.push(fact("changes", chosen.deltas.to_string()));
    facts.push(fact("gaps", chosen.gaps.to_string()));
    if let Some(age) = chosen.since_delta {
        facts.push(fact("last change", format!("{} ago", span(age))));
    }
    if let Some(age) = chosen.since_snapshot {
        facts.push(fact("snapshot", format!("{} ago", span(age))));
    }
    facts
}

fn state(chosen: &Chosen, view: &View, theme: Theme) -> Fact {
    let since = span(view.looked.at.since(chosen.since.at));
    if chosen.row.is_live() {
        let epoch = chosen.epoch.unwrap_or_default();
        let text = format!("live for {since}, epoch {epoch}");
        return (String::new(), text, theme.mood(Mood::Good));
    }
    (String::new(), format!("not live for {since}"), theme.mood(Mood::Bad))
}

/// By the clocks of the exchange and of this machine.
fn until(now: UnixNanos, next: UnixNanos) -> String {
    match next.as_nanos().checked_sub(now.as_nanos()) {
        Some(nanos) => span(std::time::Duration::from_nanos(nanos)),
        None => "now".into(),
    }
}
