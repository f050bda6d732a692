//! `kcf info`: what is in a recording, what is not, and a small picture of it.

use std::path::Path;

use indicatif::{HumanBytes, HumanCount};
use kucoin_futures_data::{BookGap, Replayed, Session, Summary, SymbolSummary};
use kucoin_futures_proto::{Symbol, UnixNanos};
use serde_json::json;

use super::{Progress, open};
use crate::args::InfoArgs;
use crate::exit::Failure;
use crate::out::{BAD, DIM, GOOD, Out};

/// So many columns has the picture.
const COLUMNS: u64 = 60;
/// So many minutes are the worst.
const WORST: usize = 5;
/// So many gaps of a book are listed for a person.
const LISTED: usize = 5;

pub(crate) fn info(args: &InfoArgs) -> Result<(), Failure> {
    let recording = open(&args.recording)?;
    let mut out = Out::new();
    let mut progress = Progress::new(&recording, args.json);
    let mut rows = Vec::new();
    for session in &recording.sessions {
        let mut summary = Summary::default();
        let replayed = progress.run(session, &mut summary)?;
        rows.push((session, summary, replayed));
    }
    drop(progress);
    for (session, summary, replayed) in &rows {
        if args.json {
            json(&mut out, session, summary, replayed)?;
        } else {
            print(&mut out, session, summary, replayed)?;
        }
    }
    for (path, why) in &recording.unreadable {
        if args.json {
            let path = path.display().to_string();
            out.json(&json!({ "type": "unreadable", "path": path, "why": why }))?;
        } else {
            out.line(format_args!("{BAD}not read{BAD:#}: {why}"))?;
        }
    }
    Ok(out.flush()?)
}

/// `2026-11-30 13:18:07.123`.
pub(super) fn time(at: UnixNanos) -> String {
    let at = std::time::UNIX_EPOCH + std::time::Duration::from_nanos(at.as_nanos());
    let text = humantime::format_rfc3339_millis(at).to_string();
    text.replace('T', " ").trim_end_matches('Z').to_owned()
}

fn millis(at: UnixNanos) -> u64 {
    at.as_nanos() / 1_000_000
}

fn file_name(path: &Path) -> String {
    path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned()
}

fn json(
    out: &mut Out,
    session: &Session,
    summary: &Summary,
    replayed: &Replayed,
) -> Result<(), Failure> {
    let name = session.name();
    out.json(&json!({
        "type": "session",
        "session": name,
        "software": session.software(),
        "seed": session.seed(),
        "files": session.files().map(file_name).collect::<Vec<_>>(),
        "bytes": session.bytes(),
        "inputs": replayed.records,
        "outputs": replayed.outputs,
        "from_ms": summary.from.map(millis),
        "to_ms": summary.to.map(millis),
        "lines": summary.lines,
        "lines_down": summary.lines_down,
        "may_have_missed": summary.may_have_missed,
        "lagged": summary.lagged,
        "sha256": replayed.digest.to_string(),
        "equal": replayed.is_equal(),
        "end": replayed.end,
        "lost": replayed.lost,
        "tear": replayed.tear.as_ref().map(ToString::to_string),
    }))?;
    let end = summary.to.unwrap_or_else(|| session.started_at());
    for (symbol, of) in &summary.symbols {
        out.json(&json!({
            "type": "symbol",
            "session": name,
            "symbol": symbol.as_str(),
            "deltas": of.deltas,
            "trades": of.trades,
            "messages": of.messages,
            "live_ms": u64::try_from(of.time_live(end).as_millis()).unwrap_or(u64::MAX),
            "live": of.live.iter().map(|live| json!({
                "from_ms": millis(live.from),
                "to_ms": live.to.map(millis),
                "first": live.first.get(),
                "last": live.last.get(),
            })).collect::<Vec<_>>(),
        }))?;
        for gap in &of.gaps {
            out.json(&json!({
                "type": "gap",
                "session": name,
                "symbol": symbol.as_str(),
                "from_ms": millis(gap.from),
                "to_ms": gap.to.map(millis),
                "after": gap.after.get(),
                "before": gap.before.map(|before| before.get()),
                "reason": gap.reason.to_string(),
            }))?;
        }
    }
    for (minute, of) in summary.worst_minutes(WORST) {
        out.json(&json!({
            "type": "worst_minute",
            "session": name,
            "at_ms": minute * 60_000,
            "lost": of.lost,
            "deltas": of.deltas,
        }))?;
    }
    Ok(())
}

fn print(
    out: &mut Out,
    session: &Session,
    summary: &Summary,
    replayed: &Replayed,
) -> Result<(), Failure> {
    let from = summary.from.unwrap_or_else(|| session.started_at());
    let to = summary.to.unwrap_or(from);
    let span = std::time::Duration::from_nanos(to.as_nanos().saturating_sub(from.as_nanos()));
    let span = humantime::format_duration(std::time::Duration::from_secs(span.as_secs()));
    let (bytes, inputs) = (HumanBytes(session.bytes()), HumanCount(replayed.records));
    let files = session.files().count();
    out.line(format_args!(
        "{}  {} to {} ({span}), {inputs} inputs, {bytes} in {files} files",
        session.name(),
        time(from),
        time(to),
    ))?;
    how_it_ends(out, replayed)?;
    for (symbol, of) in &summary.symbols {
        print_symbol(out, *symbol, of, (from, to))?;
    }
    for (minute, of) in summary.worst_minutes(WORST) {
        let at = UnixNanos::from_millis(minute * 60_000).map(time).unwrap_or_default();
        let at = at.get(..16).unwrap_or_default();
        let (lost, deltas) = (of.lost, HumanCount(of.deltas));
        out.line(format_args!(
            "  {DIM}worst minute{DIM:#} {at}: {lost} books lost, {deltas} changes"
        ))?;
    }
    Ok(())
}

fn how_it_ends(out: &mut Out, replayed: &Replayed) -> Result<(), Failure> {
    if let Some(tear) = &replayed.tear {
        out.line(format_args!("  {BAD}{tear}{BAD:#}"))?;
    }
    if replayed.lost > 0 {
        let lost = HumanCount(replayed.lost);
        out.line(format_args!(
            "  {BAD}{lost} inputs after its end are in no file{BAD:#}: the disk took nothing"
        ))?;
    }
    if let Some(differs) = replayed.differs {
        let at = time(differs.from);
        out.line(format_args!("  {BAD}does not replay to what was recorded{BAD:#}, from {at} on"))?;
    }
    Ok(())
}

fn print_symbol(
    out: &mut Out,
    symbol: Symbol,
    of: &SymbolSummary,
    (from, to): (UnixNanos, UnixNanos),
) -> Result<(), Failure> {
    let picture = picture(of, from, to);
    let (deltas, trades) = (HumanCount(of.deltas), HumanCount(of.trades));
    let whole = to.as_nanos().saturating_sub(from.as_nanos()).max(1) as f64;
    let live = of.time_live(to).as_nanos() as f64 / whole * 100.0;
    let style = if of.gaps.is_empty() { GOOD } else { BAD };
    out.line(format_args!(
        "  {symbol:<12} {style}{picture}{style:#} live {live:.1} %, {deltas} changes, {trades} trades, {} gaps",
        of.gaps.len()
    ))?;
    for gap in of.gaps.iter().take(LISTED) {
        out.line(format_args!("  {:<12} {}", "", gap_text(gap)))?;
    }
    if of.gaps.len() > LISTED {
        let more = of.gaps.len() - LISTED;
        out.line(format_args!("  {:<12} {DIM}and {more} more: --json lists all{DIM:#}", ""))?;
    }
    Ok(())
}

fn gap_text(gap: &BookGap) -> String {
    let from = time(gap.from);
    let for_ms = gap.to.map(|to| millis(to).saturating_sub(millis(gap.from)));
    let span = for_ms.map_or_else(|| "to the end".into(), |ms| format!("for {ms} ms"));
    let sequences = match gap.before {
        Some(before) => format!("{} to {before}", gap.after),
        None => format!("after {}", gap.after),
    };
    format!("{from} {span}, {sequences}: {}", gap.reason)
}

/// When its book was live: full, half or none of each piece of the time.
fn picture(of: &SymbolSummary, from: UnixNanos, to: UnixNanos) -> String {
    let (from, to) = (from.as_nanos(), to.as_nanos().max(from.as_nanos() + COLUMNS));
    let width = (to - from) / COLUMNS;
    let piece = |column: u64| {
        let begin = from + column * width;
        let end = begin + width;
        let overlap = |live: &kucoin_futures_data::LiveInterval| {
            let until = live.to.map_or(to, UnixNanos::as_nanos).min(end);
            until.saturating_sub(live.from.as_nanos().max(begin))
        };
        let live: u64 = of.live.iter().map(overlap).sum();
        match live * 8 / width.max(1) {
            0 => '·',
            1..=3 => '▃',
            4..=7 => '▆',
            _ => '█',
        }
    };
    (0..COLUMNS).map(piece).collect()
}
