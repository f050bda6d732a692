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
use std::process::Command;
use std::sync::OnceLock;
use std::time::Duration;

use common::{Many, Run, symbol};
use kucoin_futures_data::export::manifest::{BookHistory, FileEntry, Gap};
use kucoin_futures_data::export::{
    CLEAR, Exporter, Format, LAST, LOST, Manifest, Options, SNAPSHOT,
};
use kucoin_futures_data::{Moment, Sink};
use kucoin_futures_proto::book::Scope;
use kucoin_futures_proto::wire::Side;
use kucoin_futures_proto::{
    BookEvent, Channel, Event, Interval, Message, Output, Price, Query, TopicId, UnixNanos,
};
use read::{HftEvent, Line, Rebuilt, Record, Word};

/// 2026-11-30T23:58:30Z: the day ends after a minute and a half.
const EVENING: u64 = 1_796_083_110_000_000_000;

const FAULTS: &str = "at 20s drop XBTUSDTM 3; at 35s step-back ETHUSDTM 400; at 70s close 1006; \
     at 100s rally XBTUSDTM 900; at 120s drop XBTUSDTM; at 125s push-drop * 5; at 150s reset; at 170s drop ETHUSDTM 2";

/// What a client's own books looked like, and what it handed out.
#[derive(Default)]
struct Witness {
    /// By symbol, epoch and sequence.
    books: BTreeMap<(String, u32, u64), String>,
    epochs: BTreeMap<TopicId, u32>,
    trades: BTreeMap<String, Vec<(u64, String, u64)>>,
    deltas: BTreeMap<String, Vec<Told>>,
}

/// A delta, as it was told.
#[derive(Clone, Copy, PartialEq, Debug)]
struct Told {
    received: u64,
    exchange: u64,
    sequence: u64,
    is_bid: bool,
    price: Price,
    size: u64,
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
                let of = moment.client.channel(*topic).unwrap().symbol().unwrap();
                if let BookEvent::Delta(delta) = event {
                    self.deltas.entry(of.to_string()).or_default().push(Told {
                        received: moment.received.as_nanos(),
                        exchange: delta.ts_event.unwrap().as_nanos(),
                        sequence: delta.sequence.get(),
                        is_bid: delta.side == Side::Bid,
                        price: delta.price,
                        size: delta.size.get(),
                    });
                }
                if let Some(book) = moment.client.book(*topic) {
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

/// An empty folder for a data set.
fn fresh(name: &str) -> PathBuf {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("export-{name}"));
    let _ = std::fs::remove_dir_all(&path);
    path
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

/// What one client has put out on a bad day, in every format.
struct Day {
    witness: Witness,
    folders: BTreeMap<&'static str, PathBuf>,
}

const FORMATS: [(&str, Format); 3] =
    [("ndjson", Format::Ndjson), ("tardis", Format::Tardis), ("hftbacktest", Format::Hftbacktest)];

impl Day {
    /// Four minutes with gaps, a counter that is set back, two lost connections, a market that walks away, a clock that
    /// is set, midnight, and another client.
    fn new() -> Self {
        let mut formats = FORMATS.to_vec();
        #[cfg(feature = "parquet")]
        formats.push(("parquet", Format::Parquet));
        let folders = formats.iter().map(|(name, _)| (*name, fresh(name))).collect();
        let mut options = Options::default();
        options.checkpoint_every = Duration::from_secs(8);
        let exporter = |(name, format): &(&str, Format)| {
            let folders: &BTreeMap<_, PathBuf> = &folders;
            Exporter::new(&folders[name], *format, options).unwrap()
        };
        let mut exporters: Vec<_> = formats.iter().map(exporter).collect();
        let mut witness = Witness::default();
        let all = exporters.iter_mut().map(|one| one as &mut dyn Sink);
        live_through(&mut Many(all.chain([&mut witness as &mut dyn Sink]).collect()));
        Self { witness, folders }
    }

    /// Lived through once, for all tests.
    fn get() -> &'static Self {
        static DAY: OnceLock<Day> = OnceLock::new();
        DAY.get_or_init(Self::new)
    }

    fn manifest(&self, format: &str) -> (&Path, Manifest) {
        let folder = self.folders[format].as_path();
        let manifest = Manifest::read(folder).unwrap();
        assert_eq!(manifest.format, format);
        read::check_files(folder, &manifest);
        (folder, manifest)
    }
}

fn live_through(sink: &mut dyn Sink) {
    let mut run = Run::new(5, UnixNanos::from_nanos(EVENING), 40.0, FAULTS);
    run.subscribe(&wishes());
    run.ask(Query::Contracts);
    run.begin(sink).unwrap();
    run.run_for(Duration::from_secs(50), sink).unwrap();
    run.set_clock(40);
    run.run_for(Duration::from_secs(60), sink).unwrap();
    run.set_clock(-25);
    run.run_for(Duration::from_secs(80), sink).unwrap();
    run.restart(6, Duration::ZERO);
    run.subscribe(&wishes());
    run.begin(sink).unwrap();
    run.run_for(Duration::from_secs(50), sink).unwrap();
    run.end(sink).unwrap();
}

/// Holds what was rebuilt against the manifest, and the manifest against what the client had.
fn check_books(witness: &Witness, manifest: &Manifest, mut rebuild: impl FnMut(&str) -> Rebuilt) {
    assert!(manifest.complete);
    for name in ["XBTUSDTM", "ETHUSDTM"] {
        let history = &manifest.books[name];
        assert!(history.digests.len() >= 20, "{}", history.digests.len());
        let rebuilt = rebuild(name);
        check_deltas(witness, &rebuilt, name, &manifest.format);
        let mut compared = 0;
        for digest in &history.digests {
            // By time alone there is no place between the last change and a loss at the very same time.
            let is_lost = |gap: &Gap| gap.lost_ns == digest.at.received_ns;
            if digest.file_rows.is_none() && history.gaps.iter().any(is_lost) {
                continue;
            }
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
    let day = Day::get();
    let (folder, manifest) = day.manifest("parquet");
    check_books(&day.witness, &manifest, |name| {
        let files = read::files(&manifest, "level2", name).into_iter();
        Rebuilt(
            files
                .map(|file| {
                    let (records, metadata) = read::parquet(&folder.join(&file.path));
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

#[cfg(feature = "parquet")]
#[test]
fn parquet_files_and_lines_of_json_say_the_same_in_every_table() {
    let day = Day::get();
    let (columns, parquet) = day.manifest("parquet");
    let (lines, ndjson) = day.manifest("ndjson");
    let mut tables = BTreeSet::new();
    assert_eq!(parquet.files.len(), ndjson.files.len());
    for (one, other) in parquet.files.iter().zip(&ndjson.files) {
        let (records, _) = read::parquet(&columns.join(&one.path));
        assert_eq!(records, read::ndjson(&lines.join(&other.path)), "{}", one.path);
        assert_eq!(one.rows, records.len() as u64);
        tables.insert(one.table.as_str());
    }
    let all = ["candles", "instrument", "level2", "stats", "tickers", "trades"];
    assert_eq!(tables.into_iter().collect::<Vec<_>>(), all);
    assert_eq!(parquet.books, ndjson.books);
    assert_eq!(parquet.unrepresentable, 0);
}

#[test]
fn lines_of_json_make_the_books_that_the_client_had() {
    let day = Day::get();
    let (folder, manifest) = day.manifest("ndjson");
    let read = |file: &FileEntry| read::ndjson(&folder.join(&file.path));
    check_books(&day.witness, &manifest, |name| {
        let files = read::files(&manifest, "level2", name).into_iter();
        Rebuilt(files.map(|file| (file.clone(), read::table_lines(&read(&file)))).collect())
    });
    check_trades(&day.witness, &manifest, "trades", |file| {
        let text = |record: &Record, name: &str| record[name].as_str().unwrap().to_owned();
        let trade = |record: &Record| (text(record, "price"), record["size"].as_u64().unwrap());
        read(file).iter().map(trade).collect()
    });
    check_gaps(&manifest);
}

#[test]
fn tardis_files_make_the_books_that_the_client_had() {
    let day = Day::get();
    let (folder, manifest) = day.manifest("tardis");
    check_books(&day.witness, &manifest, |name| {
        let files = read::files(&manifest, "incremental_book_L2", name).into_iter();
        let lines = |file: &FileEntry| {
            let (head, rows) = read::csv(&folder.join(&file.path));
            let columns = "exchange,symbol,timestamp,local_timestamp,is_snapshot,side,price,amount";
            assert_eq!(head, columns);
            assert_eq!(rows[0][4], "true", "a file begins with a snapshot");
            read::tardis_lines(&rows)
        };
        Rebuilt(files.map(|file| (file.clone(), lines(&file))).collect())
    });
    check_trades(&day.witness, &manifest, "trades", |file| {
        let (head, rows) = read::csv(&folder.join(&file.path));
        assert_eq!(head, "exchange,symbol,timestamp,local_timestamp,id,side,price,amount");
        rows.iter().map(|row| (row[6].clone(), row[7].parse().unwrap())).collect()
    });
    let files = read::files(&manifest, "derivative_ticker", "XBTUSDTM");
    let (head, rows) = read::csv(&folder.join(&files.last().unwrap().path));
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
    let day = Day::get();
    let (folder, manifest) = day.manifest("hftbacktest");
    let events = |file: &FileEntry| {
        let events = read::npz(&folder.join(&file.path));
        assert_eq!(events.len() as u64, file.rows);
        events
    };
    check_books(&day.witness, &manifest, |name| {
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
    check_trades(&day.witness, &manifest, "events", |file| {
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

/// Every change that was told is there once, with both its times.
fn check_deltas(witness: &Witness, rebuilt: &Rebuilt, name: &str, format: &str) {
    // Of a microsecond, or of a nanosecond.
    let unit = if format == "tardis" { 1_000 } else { 1 };
    let may_move = format == "hftbacktest";
    let is_delta = |line: &&Line| !line.is_snapshot && !line.words.contains(&Word::Forget);
    let found: Vec<_> = rebuilt.lines().filter(is_delta).collect();
    let told = &witness.deltas[name];
    assert_eq!(found.len(), told.len(), "{name}");
    for (found, told) in found.into_iter().zip(told) {
        let Told { is_bid, price, size, .. } = *told;
        assert_eq!(found.words, [Word::Level { is_bid, price, size }]);
        assert_eq!(found.exchange, told.exchange / unit * unit);
        // Where the clock was set back by 25 ms, and the format wants an order.
        let moved = found.received - told.received / unit * unit;
        assert!(moved == 0 || may_move && moved <= 25_000_000, "{moved}");
        assert!(found.sequence.is_none_or(|sequence| sequence == told.sequence));
    }
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
    assert!(!xbt.widened.is_empty(), "the market has left its horizon");
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

#[test]
fn what_a_client_did_not_report_ends_the_interval_and_its_book_begins_another() {
    let folder = fresh("lagged");
    let mut config = common::client_config();
    config.queues.events = 20;
    let mut exporter = Exporter::new(&folder, Format::Ndjson, Options::default()).unwrap();
    let mut witness = Witness::default();
    let mut run = Run::with_client(config, 8, UnixNanos::from_nanos(EVENING), 40.0, "");
    let mut sink = Many(vec![&mut exporter, &mut witness]);
    run.subscribe(&[Channel::level2(symbol("XBTUSDTM"))]);
    run.begin(&mut sink).unwrap();
    run.run_for(Duration::from_secs(5), &mut sink).unwrap();
    run.run_undrained(Duration::from_secs(3), &mut sink).unwrap();
    run.run_for(Duration::from_secs(5), &mut sink).unwrap();
    run.end(&mut sink).unwrap();

    let manifest = Manifest::read(&folder).unwrap();
    let history = &manifest.books["XBTUSDTM"];
    assert_eq!(manifest.lagged.len(), 1);
    assert!(manifest.lagged[0].dropped > 50, "{:?}", manifest.lagged);
    let [first, second] = history.intervals.as_slice() else { panic!("{history:?}") };
    assert_eq!(first.epoch, second.epoch, "the client's book was live all the time");
    assert!(second.deltas > 100);
    let [gap] = history.gaps.as_slice() else { panic!("{history:?}") };
    assert_eq!(gap.reason, "the client was not drained");
    assert_eq!(gap.missing, Some((first.to.unwrap().sequence + 1, second.from.sequence)));
    let file = &read::files(&manifest, "level2", "XBTUSDTM")[0];
    let lines = read::table_lines(&read::ndjson(&folder.join(&file.path)));
    let rebuilt = Rebuilt(vec![(file.clone(), lines)]);
    assert_eq!(history.digests.len(), 2, "where the first interval ends, and where the file does");
    for digest in &history.digests {
        assert_eq!(rebuilt.digest(digest).as_ref(), Some(&digest.sha256));
    }
    let last = history.digests.last().unwrap();
    let key = ("XBTUSDTM".to_owned(), last.epoch, last.at.sequence);
    assert_eq!(witness.books[&key], last.sha256);
}

/// Keeps one change from another sink.
struct Losing<'a> {
    sink: &'a mut dyn Sink,
    left: u32,
}

impl Sink for Losing<'_> {
    fn on_start(&mut self, moment: &Moment<'_>) -> io::Result<()> {
        self.sink.on_start(moment)
    }

    fn on_output(&mut self, moment: &Moment<'_>, output: &Output<'_>) -> io::Result<()> {
        if matches!(output, Output::Event(Event::Book(_, BookEvent::Delta(_)))) {
            self.left = self.left.wrapping_sub(1);
            if self.left == 0 {
                return Ok(());
            }
        }
        self.sink.on_output(moment, output)
    }

    fn on_end(&mut self, moment: &Moment<'_>) -> io::Result<()> {
        self.sink.on_end(moment)
    }
}

#[test]
fn a_change_that_was_not_shown_is_a_gap_and_is_said_to_be_one() {
    let folder = fresh("losing");
    let mut exporter = Exporter::new(&folder, Format::Ndjson, Options::default()).unwrap();
    let mut run = Run::new(13, UnixNanos::from_nanos(EVENING), 40.0, "");
    let mut sink = Losing { sink: &mut exporter, left: 60 };
    run.subscribe(&[Channel::level2(symbol("XBTUSDTM"))]);
    run.begin(&mut sink).unwrap();
    run.run_for(Duration::from_secs(5), &mut sink).unwrap();
    run.end(&mut sink).unwrap();

    let manifest = Manifest::read(&folder).unwrap();
    let history = &manifest.books["XBTUSDTM"];
    let [first, second] = history.intervals.as_slice() else { panic!("{history:?}") };
    assert_eq!(first.deltas, 59);
    assert_eq!(second.from.sequence, first.to.unwrap().sequence + 2, "one was lost, one shows it");
    let reason = &history.gaps[0].reason;
    assert_eq!(reason, "deltas were not shown");
    check_one_file(&folder, &manifest);
}

#[test]
fn a_book_that_is_further_than_what_is_shown_is_written_as_it_is() {
    let folder = fresh("further");
    let mut exporter = Exporter::new(&folder, Format::Ndjson, Options::default()).unwrap();
    let mut run = Run::new(14, UnixNanos::from_nanos(EVENING), 80.0, "");
    run.subscribe(&[Channel::level2(symbol("XBTUSDTM"))]);
    run.begin(&mut exporter).unwrap();
    run.run_to_snapshot(&mut exporter).unwrap();
    let mut witness = Witness::default();
    let mut sink = Many(vec![&mut exporter, &mut witness]);
    run.run_undrained(Duration::from_secs(1), &mut sink).unwrap();
    run.run_for(Duration::from_secs(1), &mut sink).unwrap();
    run.end(&mut sink).unwrap();

    let manifest = Manifest::read(&folder).unwrap();
    let history = &manifest.books["XBTUSDTM"];
    let [interval] = history.intervals.as_slice() else { panic!("{history:?}") };
    let told = &witness.deltas["XBTUSDTM"];
    let earlier = told.iter().filter(|told| told.sequence <= interval.from.sequence).count();
    assert!(earlier > 10, "the snapshot has changes that are shown after it: {earlier}");
    let lines = check_one_file(&folder, &manifest);
    let sequences: Vec<_> = lines.iter().map(|line| line.sequence.unwrap()).collect();
    assert!(sequences.is_sorted_by(|one, next| next - one <= 1));
    assert_eq!(sequences[0], interval.from.sequence);
    assert_eq!(*sequences.last().unwrap(), told.last().unwrap().sequence);
}

/// The only file of the only book makes what the digests say; gives its rows.
fn check_one_file(folder: &Path, manifest: &Manifest) -> Vec<Line> {
    let [file] = read::files(manifest, "level2", "XBTUSDTM").try_into().unwrap();
    let lines = read::table_lines(&read::ndjson(&folder.join(&file.path)));
    let rebuilt = Rebuilt(vec![(file, lines.clone())]);
    for digest in &manifest.books["XBTUSDTM"].digests {
        assert_eq!(rebuilt.digest(digest).as_ref(), Some(&digest.sha256), "{digest:?}");
    }
    lines
}

#[test]
fn the_last_row_says_that_the_book_is_where_its_client_is() {
    let folder = fresh("last");
    let mut exporter = Exporter::new(&folder, Format::Ndjson, Options::default()).unwrap();
    let mut run = Run::new(12, UnixNanos::from_nanos(EVENING), 40.0, "");
    run.subscribe(&[Channel::level2(symbol("XBTUSDTM"))]);
    run.begin(&mut exporter).unwrap();
    run.run_for(Duration::from_secs(5), &mut exporter).unwrap();
    run.run_undrained(Duration::from_secs(1), &mut exporter).unwrap();
    run.end(&mut exporter).unwrap();

    let manifest = Manifest::read(&folder).unwrap();
    let file = &read::files(&manifest, "level2", "XBTUSDTM")[0];
    let records = read::ndjson(&folder.join(&file.path));
    let flags: Vec<_> = records.iter().map(|r| r["flags"].as_i64().unwrap() as i32).collect();
    let snapshot = flags.iter().take_while(|flags| **flags & SNAPSHOT != 0).count();
    assert_eq!(flags[0], CLEAR | SNAPSHOT);
    assert!(flags[1..snapshot - 1].iter().all(|flags| *flags == SNAPSHOT));
    assert_eq!(flags[snapshot - 1], SNAPSHOT | LAST);
    let drained = flags[snapshot..].iter().take_while(|flags| **flags == LAST).count();
    let rest = &flags[snapshot + drained..];
    assert!(drained > 100 && rest.len() > 20, "{drained}, {}", rest.len());
    let (last, others) = rest.split_last().unwrap();
    assert_eq!(*last, LAST);
    assert!(others.iter().all(|flags| *flags == 0), "they came together");
}

#[test]
fn a_book_of_a_client_that_is_gone_is_not_carried_over_midnight() {
    let folder = fresh("midnight");
    let mut exporter = Exporter::new(&folder, Format::Ndjson, Options::default()).unwrap();
    let mut run = Run::new(10, UnixNanos::from_nanos(EVENING), 40.0, "");
    let level2 = [Channel::level2(symbol("XBTUSDTM"))];
    run.subscribe(&level2);
    run.begin(&mut exporter).unwrap();
    run.run_for(Duration::from_secs(80), &mut exporter).unwrap();
    run.restart(11, Duration::from_secs(30));
    run.subscribe(&level2);
    run.begin(&mut exporter).unwrap();
    run.run_for(Duration::from_secs(30), &mut exporter).unwrap();
    run.end(&mut exporter).unwrap();

    let manifest = Manifest::read(&folder).unwrap();
    let history = &manifest.books["XBTUSDTM"];
    let [first, second] = history.intervals.as_slice() else { panic!("{history:?}") };
    let [evening, morning] = read::files(&manifest, "level2", "XBTUSDTM").try_into().unwrap();
    assert_eq!(history.gaps[0].lost_ns, evening.to_ns);
    assert!(evening.to_ns - first.to.unwrap().received_ns < 1_000_000_000);
    let records = read::ndjson(&folder.join(&evening.path));
    assert_eq!(records.last().unwrap()["flags"], LOST | LAST);
    let records = read::ndjson(&folder.join(&morning.path));
    assert_eq!(records[0]["flags"], CLEAR | SNAPSHOT);
    assert_eq!(records[0]["sequence"], second.from.sequence);
    assert_eq!(morning.from_ns, second.from.received_ns);
}

#[test]
fn a_data_set_that_did_not_come_to_its_end_says_so_and_is_not_written_over() {
    let folder = fresh("unfinished");
    let mut exporter = Exporter::new(&folder, Format::Tardis, Options::default()).unwrap();
    let mut run = Run::new(9, UnixNanos::from_nanos(EVENING), 40.0, "");
    run.subscribe(&[Channel::level2(symbol("XBTUSDTM"))]);
    run.begin(&mut exporter).unwrap();
    run.run_for(Duration::from_secs(5), &mut exporter).unwrap();
    fn is_send<T: Send>(_: &T) {}
    is_send(&exporter);
    drop(exporter);

    let manifest = Manifest::read(&folder).unwrap();
    assert!(!manifest.complete);
    assert_eq!(manifest.files, []);
    let day = folder.join("incremental_book_L2/XBTUSDTM/2026-11-30");
    let names: Vec<_> = std::fs::read_dir(day)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    assert!(names.len() == 1 && names[0].ends_with(".csv.gz.partial"), "{names:?}");
    let again = Exporter::new(&folder, Format::Tardis, Options::default());
    assert_eq!(again.unwrap_err().kind(), io::ErrorKind::AlreadyExists);
}

/// With `KCF_PYTHON` set to a Python that has polars, pandas, pyarrow and hftbacktest.
#[test]
fn other_peoples_readers_make_the_same_books() {
    let Some(python) = std::env::var_os("KCF_PYTHON") else {
        eprintln!("skipped: KCF_PYTHON names no Python to check with");
        return;
    };
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("python/check.py");
    for (format, folder) in &Day::get().folders {
        let found = Command::new(&python).arg(&script).arg(folder).output().unwrap();
        let said = String::from_utf8_lossy(&found.stdout).into_owned();
        eprintln!("{format}\n{said}");
        let problem = String::from_utf8_lossy(&found.stderr).into_owned();
        assert!(found.status.success(), "{format}: {said}{problem}");
    }
}
