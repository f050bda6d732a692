//! `kcf contracts`: what is listed, as a table or as JSON.

mod json;

use std::cmp::Reverse;

use kucoin_futures_proto::wire::{Contract, Contracts};
use kucoin_futures_proto::{Config, Currency, Decimal};

use crate::args::{Connect, ContractSort, ContractsArgs};
use crate::exit::{Failure, Kind};
use crate::feed::Feed;
use crate::numbers;
use crate::out::{DIM, Out};
use crate::stop::Stop;
use crate::symbols;
use crate::words;

pub(crate) fn run(connect: &Connect, args: &ContractsArgs) -> Result<(), Failure> {
    let config = Config::with_rest(&args.url).map_err(|error| Failure::new(Kind::Usage, error))?;
    let mut feed = Feed::open(connect, config, None, None)?;
    let stop = Stop::on_signal(feed.waker())?;
    let shown = symbols::load(&mut feed, &stop, |list| show(args, list));
    feed.close();
    shown?
}

/// Rows that cannot be read are said, and do not take the others along.
fn show(args: &ContractsArgs, list: &Contracts<'_>) -> Result<(), Failure> {
    let (mut rows, mut bad) = (Vec::new(), None);
    for row in list.iter() {
        match row {
            Ok(row) => rows.push(row),
            Err(error) => {
                tracing::warn!(%error, "a contract that cannot be read");
                bad = Some(error);
            }
        }
    }
    rows.retain(|row| args.filter.as_ref().is_none_or(|filter| is_about(row, filter)));
    sort(&mut rows, args.sort);
    let mut out = Out::new();
    if args.json {
        for row in &rows {
            out.json(&json::contract(row))?;
        }
    } else {
        print(&mut out, &rows)?;
    }
    out.flush()?;
    match (bad, rows.is_empty(), &args.filter) {
        (Some(error), ..) => Err(Failure::new(Kind::Integrity, error)),
        (None, true, Some(filter)) => {
            let text = format!("no contract is about `{}`", filter.escape_debug());
            Err(Failure::words(Kind::Usage, text))
        }
        _ => Ok(()),
    }
}

fn is_about(row: &Contract<'_>, filter: &str) -> bool {
    let filter = filter.to_lowercase();
    let coin = if filter == "btc" { "xbt" } else { &filter };
    let named = |name: &str| name.to_lowercase().contains(coin);
    let base = row.base_currency.as_ref().map_or("", Currency::as_str);
    let settle = row.settle_currency.as_ref().map_or("", Currency::as_str);
    named(row.symbol.as_str()) || named(base) || named(settle) || kind(row).contains(&filter)
}

fn sort(rows: &mut [Contract<'_>], by: ContractSort) {
    // Values of several currencies cannot be held against each other: the common one goes first.
    let currency = |row: &Contract<'_>| {
        let settle = row.settle_currency;
        let rank = match settle.as_ref().map(Currency::as_str) {
            Some("USDT") => 0,
            Some("USDC") => 1,
            _ => 2,
        };
        (rank, settle)
    };
    match by {
        ContractSort::Symbol => rows.sort_by_key(|row| row.symbol),
        ContractSort::Volume => {
            rows.sort_by_key(|row| (currency(row), Reverse(row.turnover_24h), row.symbol));
        }
        ContractSort::Change => {
            rows.sort_by_key(|row| (Reverse(row.price_change_rate_24h), row.symbol));
        }
        ContractSort::Funding => {
            rows.sort_by_key(|row| (Reverse(row.funding_fee_rate), row.symbol))
        }
    }
}

/// `perpetual, USDT`, `inverse`, `dated, inverse`.
fn kind(row: &Contract<'_>) -> String {
    let settle = row.settle_currency.as_ref().map_or("", Currency::as_str);
    let kind = match (row.is_dated(), row.is_inverse) {
        (true, true) => "dated, inverse".into(),
        (true, false) => format!("dated, {settle}"),
        (false, true) => "inverse".into(),
        (false, false) => format!("perpetual, {settle}"),
    };
    let pre = row.market_stage.is_some_and(|stage| stage.is("PRE_MARKET"));
    if pre { format!("{kind}, pre-market") } else { kind }
}

/// What a lot is: `0.001 XBT`, or of inverse contracts `1 USD`.
fn lot(row: &Contract<'_>) -> String {
    let unit = if row.is_inverse { row.quote_currency } else { row.base_currency };
    let amount = row.multiplier.to_string();
    let amount = if row.is_inverse { amount.trim_start_matches('-') } else { &amount };
    format!("{amount} {}", unit.as_ref().map_or("", Currency::as_str))
}

const HEADER: [&str; 9] =
    ["symbol", "kind", "tick", "lot", "price", "24 h", "volume 24 h", "funding", "leverage"];
/// Of those that stand to the left.
const LEFT: usize = 2;

fn print(out: &mut Out, rows: &[Contract<'_>]) -> Result<(), Failure> {
    let cells: Vec<[String; 9]> = rows.iter().map(cells).collect();
    let width = |column: usize| {
        let of = |row: &[String; 9]| row.get(column).map_or(0, |cell| cell.chars().count());
        let header = HEADER.get(column).map_or(0, |name| name.len());
        cells.iter().map(of).max().unwrap_or_default().max(header)
    };
    let widths: [usize; 9] = std::array::from_fn(width);
    let pad = |column: usize, cell: &str| {
        let width = widths.get(column).copied().unwrap_or_default();
        if column < LEFT { format!("{cell:<width$}") } else { format!("{cell:>width$}") }
    };
    let header: Vec<String> = HEADER.iter().enumerate().map(|(at, name)| pad(at, name)).collect();
    out.line(format_args!("{DIM}{}{DIM:#}", header.join("  ")))?;
    for (row, cells) in rows.iter().zip(&cells) {
        let (style, _) = words::change(row.price_change_rate_24h);
        let line: Vec<String> = cells
            .iter()
            .enumerate()
            .map(|(at, cell)| {
                let cell = pad(at, cell);
                if at == CHANGE { format!("{style}{cell}{style:#}") } else { cell }
            })
            .collect();
        out.line(format_args!("{}", line.join("  ")))?;
    }
    let n = rows.len();
    Ok(out.line(format_args!("{DIM}{n} contract{}{DIM:#}", if n == 1 { "" } else { "s" }))?)
}

/// The column with a colour.
const CHANGE: usize = 5;

fn cells(row: &Contract<'_>) -> [String; 9] {
    let text =
        |number: Option<Decimal>| number.map_or_else(|| "-".into(), |number| number.to_string());
    let settle = row.settle_currency.as_ref().map_or("", Currency::as_str);
    let volume = row.turnover_24h.map(|value| format!("{} {settle}", numbers::short(value)));
    let interval = row.current_funding_interval.or(row.funding_interval);
    let hours = interval.map(|interval| format!(" / {} h", interval.as_secs() / 3600));
    let funding = row
        .funding_fee_rate
        .map(|rate| format!("{} %{}", numbers::percent(rate, 4), hours.unwrap_or_default()));
    let leverage = row.max_leverage.map(|most| format!("{most}x"));
    [
        row.symbol.to_string(),
        kind(row),
        row.tick_size.to_string(),
        lot(row),
        text(row.last_trade_price),
        words::change(row.price_change_rate_24h).1,
        volume.unwrap_or_else(|| "-".into()),
        funding.unwrap_or_else(|| "-".into()),
        leverage.unwrap_or_else(|| "-".into()),
    ]
}
