//! Data sets of a bad day, written to disk and read back.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stderr,
    unreachable_pub,
    reason = "tests"
)]

mod common;
#[path = "export/read.rs"]
mod read;

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use common::{Both, Run, symbol};
use kucoin_futures_data::export::manifest::{BookHistory, FileEntry};
use kucoin_futures_data::export::{Exporter, Format, Manifest, Options};
use kucoin_futures_data::{Moment, Sink};
use kucoin_futures_proto::book::Scope;
use kucoin_futures_proto::{
    BookEvent, Channel, Event, Interval, Message, Output, Query, TopicId, UnixNanos,
};
use read::{HftEvent, Rebuilt, Record};

/// 2026-11-30T23:58:30Z: the day ends after a minute and a half.
const EVENING: u64 = 1_796_083_110_000_000_000;

const FAULTS: &str = "at 20s drop XBTUSDTM 3; at 35s step-back ETHUSDTM 400; at 70s close 1006; \
     at 120s drop XBTUSDTM; at 125s push-drop * 5; at 150s reset; at 170s drop ETHUSDTM 2";

/// What a client's own books looked like, and what it handed out.
#[derive(Default)]
struct Witness {
    /// By symbol, epoch and sequence.
    books: BTreeMap<(String, u32, u64), String>,
    epochs: BTreeMap<TopicId, u32>,
    trades: BTreeMap<String, Vec<(u64, String, u64)>>,
    deltas: u64,
}

impl Sink for Witness {
    fn on_start(&mut self, _: &Moment<'_>) -> io::Result<()> {
        self.epochs.clear();
        Ok(())
    }

    fn on_output(&mut self, moment: &Moment<'_>, output: &Output<'_>) -> io::Result<()> {
        match output {
            Output::Event(Event::Book(topic, event)) => {
                if let BookEvent::Live { epoch, .. } = event {
                    self.epochs.insert(*topic, epoch.get());
                }
                self.deltas += u64::from(matches!(event, BookEvent::Delta(_)));
                if let Some(book) = moment.client.book(*topic) {
                    let of = moment.client.channel(*topic).unwrap().symbol().unwrap();
                    let key = (of.to_string(), self.epochs[topic], book.sequence().get());
                    self.books.insert(key, read::hex(&book.digest(Scope::Complete)));
                }
            }
            Output::Push(push) => {
                if let Ok(Message::Execution(trade)) = push.decode() {
                    let trades = self.trades.entry(trade.symbol.to_string()).or_default();
                    let price = trade.price.to_string();
                    trades.push((trade.sequence.get(), price, trade.size.get()));
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn on_end(&mut self, _: &Moment<'_>) -> io::Result<()> {
        Ok(())
    }
}

/// A folder that is gone afterwards.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("export-{name}"));
        let _ = std::fs::remove_dir_all(&path);
        Self(path)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        if std::env::var_os("KCF_KEEP").is_none() {
            let _ = std::fs::remove_dir_all(&self.0);
        }
    }
}

fn wishes() -> Vec<Channel> {
    let [one, other] = ["XBTUSDTM", "ETHUSDTM"].map(symbol);
    let mut wishes: Vec<_> = [one, other]
        .into_iter()
        .flat_map(|of| {
            [
                Channel::level2(of),
                Channel::execution(of),
                Channel::ticker_v2(of),
                Channel::instrument(of),
            ]
        })
        .collect();
    wishes.extend([
        Channel::candles(one, Interval::Min1),
        Channel::stats_24h(one),
        Channel::depth5(one),
    ]);
    wishes
}

/// Four minutes with gaps, a counter that is set back, two lost connections, a clock that is set, midnight, a client
/// that is not drained, and another client.
fn bad_day(folder: &Path, format: Format) -> Witness {
    let mut options = Options::default();
    options.checkpoint_every = Duration::from_secs(8);
    let mut exporter = Exporter::new(folder, format, options).unwrap();
    let mut witness = Witness::default();
    let mut sink = Both(&mut exporter, &mut witness);
    let mut run = Run::new(5, UnixNanos::from_nanos(EVENING), 40.0, FAULTS);
    run.subscribe(&wishes());
    run.ask(Query::Contracts);
    run.begin(&mut sink).unwrap();
    run.run_for(Duration::from_secs(50), &mut sink).unwrap();
    run.set_clock(40);
    run.run_for(Duration::from_secs(60), &mut sink).unwrap();
    run.set_clock(-25);
    run.run_for(Duration::from_secs(80), &mut sink).unwrap();
    run.restart(6);
    run.subscribe(&wishes());
    run.begin(&mut sink).unwrap();
    run.run_for(Duration::from_secs(50), &mut sink).unwrap();
    run.end(&mut sink).unwrap();
    witness
}

/// Holds what was rebuilt against the manifest, and the manifest against what the client had.
fn check_books(witness: &Witness, manifest: &Manifest, mut rebuild: impl FnMut(&str) -> Rebuilt) {
    assert!(manifest.complete);
    for name in ["XBTUSDTM", "ETHUSDTM"] {
        let history = &manifest.books[name];
        assert!(history.digests.len() >= 20, "{}", history.digests.len());
        let rebuilt = rebuild(name);
        let mut compared = 0;
        for digest in &history.digests {
            let key = (name.to_owned(), digest.epoch, digest.at.sequence);
            let own = witness.books.get(&key);
            assert!(own.is_none_or(|own| *own == digest.sha256), "{name} {digest:?}");
            compared += u64::from(own.is_some());
            let found = rebuilt.digest(digest);
            assert_eq!(found.as_ref(), Some(&digest.sha256), "{name} {digest:?}");
        }
        assert!(compared >= 20, "{compared} digests of the client's own");
    }
}

#[cfg(feature = "parquet")]
#[test]
fn parquet_files_make_the_books_that_the_client_had() {
    let folder = Folder::new("parquet");
    let witness = bad_day(&folder.0, Format::Parquet);
    let manifest = Manifest::read(&folder.0).unwrap();
    read::check_files(&folder.0, &manifest);
    check_books(&witness, &manifest, |name| {
        let files = read::files(&manifest, "level2", name).into_iter();
        Rebuilt(
            files
                .map(|file| {
                    let (records, metadata) = read::parquet(&folder.0.join(&file.path));
                    assert_eq!(records.len() as u64, file.rows);
                    assert_eq!(metadata["symbol"], name);
                    assert_eq!(metadata["schema"], "1");
                    assert!(metadata.contains_key("tick_size"), "{metadata:?}");
                    (file, read::table_lines(&records))
                })
                .collect(),
        )
    });
}

#[test]
fn lines_of_json_make_the_books_that_the_client_had() {
    let folder = Folder::new("ndjson");
    let witness = bad_day(&folder.0, Format::Ndjson);
    let manifest = Manifest::read(&folder.0).unwrap();
    read::check_files(&folder.0, &manifest);
    let read = |file: &FileEntry| read::ndjson(&folder.0.join(&file.path));
    check_books(&witness, &manifest, |name| {
        let files = read::files(&manifest, "level2", name).into_iter();
        Rebuilt(files.map(|file| (file.clone(), read::table_lines(&read(&file)))).collect())
    });
    check_trades(&witness, &manifest, "trades", |file| {
        let text = |record: &Record, name: &str| record[name].as_str().unwrap().to_owned();
        let trade = |record: &Record| (text(record, "price"), record["size"].as_u64().unwrap());
        read(file).iter().map(trade).collect()
    });
    check_gaps(&manifest);
}

#[test]
fn tardis_files_make_the_books_that_the_client_had() {
    let folder = Folder::new("tardis");
    let witness = bad_day(&folder.0, Format::Tardis);
    let manifest = Manifest::read(&folder.0).unwrap();
    read::check_files(&folder.0, &manifest);
    check_books(&witness, &manifest, |name| {
        let files = read::files(&manifest, "incremental_book_L2", name).into_iter();
        let lines = |file: &FileEntry| {
            let (head, rows) = read::csv(&folder.0.join(&file.path));
            let columns = "exchange,symbol,timestamp,local_timestamp,is_snapshot,side,price,amount";
            assert_eq!(head, columns);
            assert_eq!(rows[0][4], "true", "a file begins with a snapshot");
            read::tardis_lines(&rows)
        };
        Rebuilt(files.map(|file| (file.clone(), lines(&file))).collect())
    });
    check_trades(&witness, &manifest, "trades", |file| {
        let (head, rows) = read::csv(&folder.0.join(&file.path));
        assert_eq!(head, "exchange,symbol,timestamp,local_timestamp,id,side,price,amount");
        rows.iter().map(|row| (row[6].clone(), row[7].parse().unwrap())).collect()
    });
    let files = read::files(&manifest, "derivative_ticker", "XBTUSDTM");
    let (head, rows) = read::csv(&folder.0.join(&files.last().unwrap().path));
    let columns = "exchange,symbol,timestamp,local_timestamp,funding_timestamp,funding_rate,\
         predicted_funding_rate,open_interest,last_price,index_price,mark_price";
    assert_eq!(head, columns);
    let last = rows.last().unwrap();
    assert_eq!(last.len(), 11);
    for known in [5, 8, 9, 10] {
        assert!(last[known].parse::<f64>().is_ok(), "{last:?}");
    }
}

#[test]
fn arrays_of_events_make_the_books_that_the_client_had_by_either_clock() {
    let folder = Folder::new("hftbacktest");
    let witness = bad_day(&folder.0, Format::Hftbacktest);
    let manifest = Manifest::read(&folder.0).unwrap();
    read::check_files(&folder.0, &manifest);
    let events = |file: &FileEntry| {
        let events = read::npz(&folder.0.join(&file.path));
        assert_eq!(events.len() as u64, file.rows);
        events
    };
    check_books(&witness, &manifest, |name| {
        let files = read::files(&manifest, "events", name).into_iter();
        let rebuilt = files.map(|file| {
            let events = events(&file);
            check_order(&events);
            let lines = read::hft_lines(&events, read::LOCAL);
            // The exchange's processor is told the same of the book, in the same order.
            assert_eq!(lines, read::hft_lines(&events, read::EXCH));
            (file, lines)
        });
        Rebuilt(rebuilt.collect())
    });
    check_trades(&witness, &manifest, "events", |file| {
        let is_trade = |event: &&HftEvent| event.ev & 0xff == 2 && event.ev & read::LOCAL != 0;
        let trade = |event: &HftEvent| (event.px.to_string(), event.qty as u64);
        events(file).iter().filter(is_trade).map(trade).collect()
    });
}

/// Rows are in order for each of the two that read them, and one that both read at once is there once.
fn check_order(events: &[HftEvent]) {
    let of = |flag: u64| events.iter().filter(move |event| event.ev & flag != 0);
    assert!(of(read::EXCH).is_sorted_by_key(|event| event.exch_ts));
    assert!(of(read::LOCAL).is_sorted_by_key(|event| event.local_ts));
    assert_eq!(of(read::EXCH).count(), of(read::LOCAL).count());
    let both = read::EXCH | read::LOCAL;
    let alone = events.iter().filter(|event| event.ev & both != both).count();
    assert!(alone > 0 && alone < events.len() / 2, "{alone} of {}", events.len());
}

/// Every trade is there once, in the order in which it came.
fn check_trades(
    witness: &Witness,
    manifest: &Manifest,
    table: &str,
    read: impl Fn(&FileEntry) -> Vec<(String, u64)>,
) {
    for (name, trades) in &witness.trades {
        let files = read::files(manifest, table, name);
        let found: Vec<_> = files.iter().flat_map(&read).collect();
        let told: Vec<_> = trades.iter().map(|(_, price, size)| (price.clone(), *size)).collect();
        assert!(told.len() > 50, "{}", told.len());
        assert_eq!(found, told, "{name}");
    }
}

/// The manifest says what was missing, and why.
fn check_gaps(manifest: &Manifest) {
    let XbtEth { xbt, eth } = XbtEth::of(manifest);
    let gap = xbt.gaps.iter().find(|gap| gap.reason.starts_with("gap: expected")).unwrap();
    let (from, to) = gap.missing.unwrap();
    assert_eq!(from, gap.last.sequence + 1);
    assert_eq!(to, gap.first.unwrap().sequence);
    assert!(to - from >= 2, "three were dropped");
    assert_eq!(gap.counter_restarted, None);

    let reset = eth.gaps.iter().find(|gap| gap.counter_restarted.is_some()).unwrap();
    assert!(reset.first.unwrap().sequence < reset.last.sequence, "{reset:?}");
    assert_eq!(reset.missing, None);

    for history in [xbt, eth] {
        assert!(history.gaps.iter().any(|gap| gap.reason == "the line is down"));
        assert!(history.gaps.iter().any(|gap| gap.reason == "another client began"));
        assert!(history.intervals.iter().all(|interval| interval.ended.is_some()));
        assert_eq!(history.intervals.last().unwrap().ended.as_deref(), Some("the data end"));
        assert_eq!(history.gaps.len() + 1, history.intervals.len());
        for (gap, next) in history.gaps.iter().zip(&history.intervals[1..]) {
            assert_eq!(gap.first, Some(next.from));
        }
        for interval in &history.intervals {
            let to = interval.to.unwrap();
            assert_eq!(to.sequence - interval.from.sequence, interval.deltas, "{interval:?}");
            assert!(interval.horizon.bids_to.is_some(), "the model's books are deeper");
        }
    }
    let steps: Vec<_> = manifest.clock_steps.iter().map(|step| step.by_ns / 1_000_000).collect();
    assert_eq!(steps, [40, -25]);
    assert_eq!(manifest.starts.len(), 2);
    let missed = &manifest.channels["/contractMarket/execution:XBTUSDTM"].may_have_missed_ns;
    assert!(missed.len() >= 2, "two lines were lost: {missed:?}");
    assert!(manifest.left_out["/contractMarket/level2Depth5"] > 100);
    assert_eq!(manifest.undecodable, 0);
    assert_eq!(manifest.contracts["XBTUSDTM"].multiplier, "0.001");
    let days: BTreeSet<_> = manifest.files.iter().map(|file| file.day.as_str()).collect();
    assert_eq!(days.into_iter().collect::<Vec<_>>(), ["2026-11-30", "2026-12-01"]);
}

struct XbtEth<'a> {
    xbt: &'a BookHistory,
    eth: &'a BookHistory,
}

impl<'a> XbtEth<'a> {
    fn of(manifest: &'a Manifest) -> Self {
        Self { xbt: &manifest.books["XBTUSDTM"], eth: &manifest.books["ETHUSDTM"] }
    }
}
