//! A busy day with something broken every few seconds, in virtual time, and what is allocated after each of its
//! hours: it must not grow.
//!
//! ```sh
//! cargo run --release -p kucoin-futures-sim --example memory -- 24 100
//! ```
//!
//! Hours, and level changes a second of each of three contracts. Every change is compared with the truth on the way.

use std::error::Error;
use std::process::ExitCode;
use std::time::Duration;

use kucoin_futures_proto::book::{Level, Scope, SideParts};
use kucoin_futures_proto::wire::Side;
use kucoin_futures_proto::{Book, Channel};
use kucoin_futures_sim::{ExchangeConfig, World};
use peak_alloc::PeakAlloc;

#[global_allocator]
static HEAP: PeakAlloc = PeakAlloc;

const FAULTS: &str = "every 17s drop *; every 61s repeat XBTUSDTM 3; every 131s close 1006;
    every 181s close-one 1001; every 193s withhold-pongs 30s; every 421s expire-token;
    at 30m step-back ETHUSDTM 4000; every 809s stale-snapshot * 2; every 1009s http-429 3s;
    every 1201s refuse 5s; every 1511s http-html 2; every 1811s flap 20s";
/// By then the exchange remembers as much as it ever will, if it makes forty changes a second or more.
const WARM_UP: usize = 8;

/// Bytes that were allocated at the end of an hour. Of the client a copy is measured: whatever it holds, but not the room
/// that it keeps for later.
struct Hour {
    /// By everything, which is mostly what the exchange remembers: a million changes of each contract.
    all: usize,
    /// Books that are live keep the room of the most pages that they had since they were loaded.
    books: usize,
    /// All that the client has besides.
    rest: usize,
}

#[allow(clippy::print_stdout, reason = "an example")]
fn main() -> Result<ExitCode, Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let hours = arguments.next().map_or(Ok(24), |hours| hours.parse())?;
    let rate = arguments.next().map_or(Ok(100.0), |rate| rate.parse())?;
    let mut exchange = ExchangeConfig::default();
    (exchange.rate, exchange.faults) = (rate, FAULTS.parse()?);
    let mut config = World::client_config();
    config.lines.per_topic = 2;
    let mut world = World::new(1, config, exchange, Duration::from_millis(80));
    world.forget_happenings();
    let mut topics = Vec::new();
    for symbol in ["XBTUSDTM", "ETHUSDTM", "CHRUSDTM"] {
        for channel in [Channel::level2, Channel::execution, Channel::ticker_v2] {
            topics.push(world.subscribe(channel(symbol.parse()?))??);
        }
    }
    println!(
        "hour\tall KiB\tbooks KiB\tlevels\tanew KiB\trest of the client KiB\tdeltas\treconnects\tgaps"
    );
    let mut seen = Vec::new();
    for hour in 1..=hours {
        world.run_for(Duration::from_secs(3600))?;
        // A book that is being mended is measured a moment later.
        while !world.is_healthy(|_| false) {
            world.run_for(Duration::from_millis(100))?;
        }
        let (all, client) = (HEAP.current_usage(), world.client());
        let live = || topics.iter().filter_map(|topic| client.book(*topic));
        let books = live().map(held).sum();
        let levels: usize = live().map(levels).sum();
        let anew: usize = live().map(|book| held(&made_anew(book))).sum();
        let now = Hour { all, books, rest: held(client) - books };
        let stats = client.stats();
        let (deltas, reconnects, gaps) = (stats.deltas, stats.reconnects, stats.gaps);
        let [all, books, anew, rest] =
            [now.all, now.books, anew, now.rest].map(|bytes| bytes >> 10);
        println!(
            "{hour}\t{all}\t{books}\t{levels}\t{anew}\t{rest}\t{deltas}\t{reconnects}\t{gaps}"
        );
        seen.push(now);
    }
    world.check_all()?;
    let all = is_flat("all", &seen, |hour| hour.all, 100);
    let rest = is_flat("the client without its books", &seen, |hour| hour.rest, 100);
    let books = is_flat("books", &seen, |hour| hour.books, 8);
    Ok(if all && rest && books { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Those beyond its horizon included.
fn levels(book: &Book) -> usize {
    book.held_levels(Side::Bid) + book.held_levels(Side::Ask)
}

/// The levels that it knows to be complete, without a past.
fn made_anew(book: &Book) -> Book {
    let mut anew = Book::new(usize::MAX, usize::MAX);
    let [bids, asks] = [Side::Bid, Side::Ask]
        .map(|side| (book.levels(side, Scope::Complete).collect::<Vec<Level>>(), book.reach(side)));
    let [bids, asks] = [&bids, &asks].map(|(levels, reach)| SideParts { levels, reach: *reach });
    assert!(anew.restore(book.sequence(), book.ts_event(), bids, asks));
    anew
}

/// What a copy of it takes.
fn held<T: Clone>(what: &T) -> usize {
    let before = HEAP.current_usage();
    let copy = what.clone();
    let held = HEAP.current_usage() - before;
    drop(copy);
    held
}

/// The most of the last quarter is no more than that of the first quarter, and one `part`th.
#[allow(clippy::print_stdout, reason = "an example")]
fn is_flat(what: &str, hours: &[Hour], bytes: impl Fn(&Hour) -> usize, part: usize) -> bool {
    let warm = hours.get(WARM_UP..).unwrap_or_default();
    let quarter = (warm.len() / 4).max(1);
    let most = |hours: &[Hour]| hours.iter().map(&bytes).max().unwrap_or_default();
    let first = most(warm.get(..quarter).unwrap_or_default());
    let last = most(warm.get(warm.len().saturating_sub(quarter)..).unwrap_or_default());
    let is_flat = last <= first + first / part;
    let verdict = if is_flat { "flat" } else { "GREW" };
    println!("{what}: at most {first} bytes in the first quarter, {last} in the last: {verdict}");
    is_flat
}
