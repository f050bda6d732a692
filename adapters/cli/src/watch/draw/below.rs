//! What stands below: the log, the lines, or the account.

use std::time::Duration;

use kucoin_futures_proto::{AccountStatus, Decimal};
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use ratatui::widgets::Paragraph;

use crate::draw::{Theme, cut_line, log_line, span, titled};
use crate::monitor::{Carrier, Delays, Holdings, Line as Carried, Mood};
use crate::watch::ui::{Panel, Ui};
use crate::watch::view::View;
use crate::words;

pub(super) fn draw_below(frame: &mut Frame<'_>, area: Rect, view: &View, ui: &Ui, theme: Theme) {
    let (title, lines) = match ui.panel {
        Panel::Log => ("said (l: lines, a: account)", log(view, area, theme)),
        Panel::Lines => ("lines (l: log)", lines(view, theme)),
        Panel::Account => ("account (a: log)", account(view, theme)),
    };
    let block = titled(title, area.width, theme);
    let lines: Vec<_> = lines.into_iter().map(|line| cut_line(line, area.width.into())).collect();
    frame.render_widget(Paragraph::new(lines).block(block), area);
}

/// The latest at the end, as many as fit.
fn log(view: &View, area: Rect, theme: Theme) -> Vec<Line<'static>> {
    let rows = usize::from(area.height.saturating_sub(1));
    let skip = view.log.len().saturating_sub(rows);
    let at = |row: &crate::monitor::LogRow| format!(" {}  ", words::time_of_day(row.when.wall));
    view.log.iter().skip(skip).map(|row| log_line(at(row), row, theme)).collect()
}

fn lines(view: &View, theme: Theme) -> Vec<Line<'static>> {
    let head = " line     role     state          topics     first     later  missed  lag p50 / p99  last word";
    let mut lines = vec![Line::styled(head, theme.dim())];
    lines.extend(view.lines.all.iter().map(|line| carrier(line, view, theme)));
    lines.push(delays(view, theme));
    let budgets = view.lines.budgets.iter().filter(|budget| {
        // Messages of each line would fill the screen, and are used up by nobody.
        budget.kind.name() != "messages" || budget.used * 2 > budget.limit
    });
    let mut spans = vec![Span::styled(" budgets", theme.dim())];
    for budget in budgets {
        let name = budget.kind.name().replace('_', " ");
        let held = if budget.held_for.is_zero() {
            String::new()
        } else {
            format!(", the exchange says wait {}", span(budget.held_for))
        };
        let mood = if budget.left() == 0 { Mood::Bad } else { Mood::Plain };
        let text = format!("  {name} {}/{}{held}", budget.used, budget.limit);
        spans.push(Span::styled(text, theme.mood(mood)));
    }
    lines.push(Line::from(spans));
    lines
}

/// Whether it is up, for how long, and whom it is to replace.
fn state(status: &Carrier, view: &View) -> (String, Mood) {
    let (text, mood) = match status.up_since {
        Some(since) => (format!("up {}", span(view.looked.at.since(since))), Mood::Good),
        None => ("down".into(), Mood::Bad),
    };
    let replaces = status.replaces.map(|line| format!(" for {}", line.get()));
    (text + &replaces.unwrap_or_default(), mood)
}

fn carrier(line: &Carried, view: &View, theme: Theme) -> Line<'static> {
    let status = &line.status;
    let (state, mood) = state(status, view);
    let lag = |us: Option<u64>| us.map_or_else(|| "-".into(), |us| span(Duration::from_micros(us)));
    let [p50, p99] = line.lag_us.map(lag);
    let lag = format!("{p50} / {p99}");
    let share = &status.share;
    let (name, role) = (line.name(), status.role.name());
    let mut spans = vec![
        Span::raw(format!(" {name:<9}{role:<9}")),
        Span::styled(format!("{state:<14}"), theme.mood(mood)),
        Span::raw(format!(
            "{:>7}{:>10}{:>10}{:>8}  {lag:<13}",
            status.topics, share.first, share.later, share.missed
        )),
    ];
    if let Some((when, text, mood)) = &line.said {
        let at = words::time_of_day(when.wall);
        spans.push(Span::styled(format!("  {at} "), theme.dim()));
        spans.push(Span::styled(text.clone(), theme.mood(*mood)));
    }
    Line::from(spans)
}

/// How long changes were on their way.
fn delays(view: &View, theme: Theme) -> Line<'static> {
    let text = |delays: &Delays| {
        let end = |end: Option<Duration>| end.map_or_else(|| "-".into(), span);
        format!("{} / {}", end(delays.p50), end(delays.p99))
    };
    let mut spans = vec![
        Span::styled(" on the way (half / 99 of 100 no longer)", theme.dim()),
        Span::raw(format!("  to us {}", text(&view.lines.to_received))),
        Span::raw(format!("  through us {}", text(&view.lines.to_applied))),
    ];
    if view.lines.from_future > 0 {
        let text = "  this machine's clock is behind the exchange's";
        spans.push(Span::styled(text, theme.mood(Mood::Bad)));
    }
    Line::from(spans)
}

fn account(view: &View, theme: Theme) -> Vec<Line<'static>> {
    let Some(it) = &view.account else {
        let text = " not followed: set KUCOIN_API_KEY, KUCOIN_API_SECRET and KUCOIN_API_PASSPHRASE \
                    (`kcf private --help`)";
        return vec![Line::styled(text, theme.dim())];
    };
    let since = span(it.age(view.looked.at));
    if it.status != AccountStatus::Live {
        let text = format!(" not live for {since}: {}", it.state());
        return vec![Line::styled(text, theme.mood(Mood::Bad))];
    }
    let epoch = it.epoch.unwrap_or_default();
    let counts = format!(
        "   {} orders, {} stop orders, {} positions",
        it.order_count, it.stop_order_count, it.position_count
    );
    let mut lines = vec![Line::from(vec![
        Span::styled(format!(" live for {since}, epoch {epoch}"), theme.mood(Mood::Good)),
        Span::raw(counts),
    ])];
    lines.extend(balances(it));
    lines.extend(positions(it, theme));
    lines.extend(orders(it, theme));
    lines
}

fn number(number: Option<Decimal>) -> String {
    number.map_or_else(|| "-".into(), |number| number.to_string())
}

fn balances(it: &Holdings) -> impl Iterator<Item = Line<'static>> + '_ {
    it.balances.iter().map(|it| {
        let (equity, available) = (number(it.equity), number(it.available));
        let currency = it.currency.as_str();
        Line::raw(format!(" {currency:<13} equity {equity}, available {available}"))
    })
}

fn positions(it: &Holdings, theme: Theme) -> impl Iterator<Item = Line<'static>> + '_ {
    it.positions.iter().map(move |it| {
        let style = if it.qty < 0 { theme.ask() } else { theme.bid() };
        let [entry, mark, profit, end] =
            [it.avg_entry_price, it.mark_price, it.unrealised_pnl, it.liquidation_price]
                .map(number);
        Line::from(vec![
            Span::raw(format!(" {:<13} ", it.symbol)),
            Span::styled(format!("{:>8} lots", it.qty), style),
            Span::raw(format!(" at {entry}, mark {mark}, unrealised {profit}, liquidation {end}")),
        ])
    })
}

fn orders(it: &Holdings, theme: Theme) -> impl Iterator<Item = Line<'static>> + '_ {
    let resting = it.orders.iter().map(move |it| {
        let price = it.price.map_or_else(|| "market".into(), |price| price.to_string());
        Line::from(vec![
            Span::raw(format!(" {:<13} order {} {price} x {}", it.symbol, it.side, it.size)),
            Span::styled(format!(", {} filled", it.filled), theme.dim()),
        ])
    });
    let waiting = it.stop_orders.iter().map(move |it| {
        let size = it.size.map_or_else(|| "-".into(), |size| size.to_string());
        let stop = it.stop_price.map_or_else(|| "-".into(), |price| price.to_string());
        Line::raw(format!(" {:<13} stop order {} x {size} at {stop}", it.symbol, it.side))
    });
    resting.chain(waiting)
}
