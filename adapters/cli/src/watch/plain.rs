//! What is seen where there is no screen: lines, once a second.

use std::io;
use std::time::Duration;

use kucoin_futures_proto::Decimal;

use super::view::{Row, View};
use crate::numbers;
use crate::out::{BAD, DIM, GOOD, Out};
use crate::words;

/// Time for the next lines.
pub(super) const EVERY: Duration = Duration::from_secs(1);
/// Of more contracts only what they come to is told, and who is not live.
const FEW: usize = 20;

pub(super) fn tell(out: &mut Out, view: &View) -> io::Result<()> {
    let at = words::time_of_day(view.looked.wall);
    if view.rows.len() <= FEW {
        view.rows.iter().try_for_each(|row| one(out, &at, row))?;
    } else {
        all(out, &at, view)?;
    }
    out.flush()
}

fn one(out: &mut Out, at: &str, row: &Row) -> io::Result<()> {
    let (style, word) = if row.is_live() { (GOOD, "live") } else { (BAD, "not live") };
    let touch = row.touch.map_or_else(
        || format!("{:>20} | {:<20}", "-", "-"),
        |(bid, ask)| format!("{:>20} | {:<20}", words::best(bid), words::best(ask)),
    );
    let number = |number: Option<Decimal>| number.map_or_else(|| "-".into(), |n| n.to_string());
    let (last, mark) = (number(row.last), number(row.mark));
    let funding = row.funding.map_or_else(|| "-".into(), |rate| numbers::percent(rate, 4) + " %");
    let stale = if row.stale.is_any() { ", stale: " } else { "" };
    let which = row.stale.words();
    let (symbol, rate, resyncs) = (row.symbol, row.rate, row.resyncs);
    out.line(format_args!(
        "{DIM}{at}{DIM:#} {symbol:<12} {style}{word:<8}{style:#} {touch} last {last}, mark {mark}, funding {funding} \
         {DIM}{rate:.0} msg/s, {resyncs} resyncs{stale}{which}{DIM:#}"
    ))
}

fn all(out: &mut Out, at: &str, view: &View) -> io::Result<()> {
    let (live, all) = (view.live(), view.rows.len());
    let lines = &view.lines.all;
    let up = lines.iter().filter(|line| line.status.up_since.is_some()).count();
    let style = if live == all { GOOD } else { BAD };
    let away = view.rows.iter().filter(|row| !row.is_live()).take(3);
    let away: Vec<String> = away.map(|row| row.symbol.to_string()).collect();
    let away = match all - live {
        0 => String::new(),
        count if count > away.len() => {
            format!("; not live: {} and {}", away.join(", "), count - away.len())
        }
        _ => format!("; not live: {}", away.join(", ")),
    };
    let (lines, rate, resyncs) = (lines.len(), view.rate, view.stats.resyncs);
    out.line(format_args!(
        "{DIM}{at}{DIM:#} {style}{live} of {all} books live{style:#}, {up} of {lines} lines up, {rate:.0} msg/s, \
         {resyncs} resyncs{away}"
    ))
}
