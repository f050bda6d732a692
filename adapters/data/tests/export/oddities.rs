//! What may happen to outputs on their way to a data set.

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use kucoin_futures_data::export::manifest::FileEntry;
use kucoin_futures_data::export::{
    CLEAR, Exporter, Format, LAST, LOST, Manifest, Options, SNAPSHOT,
};
use kucoin_futures_data::{Moment, Sink};
use kucoin_futures_proto::{BookEvent, Channel, Event, Output, UnixNanos};

use crate::common::{self, Many, Run, symbol};
use crate::read::{self, Line, Rebuilt};
use crate::witness::{EVENING, Witness, fresh};

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

/// Keeps one change from another sink, or shows it with another time.
struct Losing<'a> {
    sink: &'a mut dyn Sink,
    left: u32,
    shows: bool,
}

impl Sink for Losing<'_> {
    fn on_start(&mut self, moment: &Moment<'_>) -> io::Result<()> {
        self.sink.on_start(moment)
    }

    fn on_output(&mut self, moment: &Moment<'_>, output: &Output<'_>) -> io::Result<()> {
        if let Output::Event(Event::Book(topic, BookEvent::Delta(mut delta))) = *output {
            self.left = self.left.wrapping_sub(1);
            if self.left == 0 {
                delta.ts_event = Some(UnixNanos::from_nanos(EVENING));
                let shown = Output::Event(Event::Book(topic, BookEvent::Delta(delta)));
                return if self.shows { self.sink.on_output(moment, &shown) } else { Ok(()) };
            }
        }
        self.sink.on_output(moment, output)
    }

    fn on_end(&mut self, moment: &Moment<'_>) -> io::Result<()> {
        self.sink.on_end(moment)
    }
}

/// Five seconds of a book whose 60th change is not shown, or shown wrongly.
fn lose(name: &str, shows: bool) -> (PathBuf, Manifest) {
    let folder = fresh(name);
    let mut exporter = Exporter::new(&folder, Format::Ndjson, Options::default()).unwrap();
    let mut run = Run::new(13, UnixNanos::from_nanos(EVENING), 40.0, "");
    let mut sink = Losing { sink: &mut exporter, left: 60, shows };
    run.subscribe(&[Channel::level2(symbol("XBTUSDTM"))]);
    run.begin(&mut sink).unwrap();
    run.run_for(Duration::from_secs(5), &mut sink).unwrap();
    run.end(&mut sink).unwrap();
    let manifest = Manifest::read(&folder).unwrap();
    (folder, manifest)
}

#[test]
fn a_change_that_was_not_shown_is_a_gap_and_is_said_to_be_one() {
    let (folder, manifest) = lose("losing", false);
    let history = &manifest.books["XBTUSDTM"];
    let [first, second] = history.intervals.as_slice() else { panic!("{history:?}") };
    assert_eq!(first.deltas, 59);
    assert_eq!(second.from.sequence, first.to.unwrap().sequence + 2, "one was lost, one shows it");
    let reason = &history.gaps[0].reason;
    assert_eq!(reason, "deltas were not shown");
    check_one_file(&folder, &manifest);
}

#[test]
fn a_change_that_is_not_the_clients_ends_the_interval() {
    let (_, manifest) = lose("wrong", true);
    let history = &manifest.books["XBTUSDTM"];
    let [first, second] = history.intervals.as_slice() else { panic!("{history:?}") };
    assert_eq!(first.deltas, 60);
    assert_eq!(second.from.sequence, first.to.unwrap().sequence + 1);
    assert_eq!(history.gaps[0].reason, "the rows do not make the client's book");
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

/// Shows every change with a time that is not its own.
struct Altering<'a>(&'a mut dyn Sink);

impl Sink for Altering<'_> {
    fn on_start(&mut self, moment: &Moment<'_>) -> io::Result<()> {
        self.0.on_start(moment)
    }

    fn on_output(&mut self, moment: &Moment<'_>, output: &Output<'_>) -> io::Result<()> {
        let Output::Event(Event::Book(topic, BookEvent::Delta(mut delta))) = *output else {
            return self.0.on_output(moment, output);
        };
        delta.ts_event = Some(UnixNanos::from_nanos(EVENING));
        self.0.on_output(moment, &Output::Event(Event::Book(topic, BookEvent::Delta(delta))))
    }

    fn on_end(&mut self, moment: &Moment<'_>) -> io::Result<()> {
        self.0.on_end(moment)
    }
}

#[test]
fn a_book_that_changes_of_another_run_have_reached_by_number_is_not_taken_for_theirs() {
    let folder = fresh("other-run");
    let mut exporter = Exporter::new(&folder, Format::Ndjson, Options::default()).unwrap();
    let mut run = Run::new(14, UnixNanos::from_nanos(EVENING), 80.0, "");
    run.subscribe(&[Channel::level2(symbol("XBTUSDTM"))]);
    run.begin(&mut exporter).unwrap();
    run.run_to_snapshot(&mut exporter).unwrap();
    run.run_undrained(Duration::from_secs(1), &mut Altering(&mut exporter)).unwrap();
    let history = exporter.manifest().books.get("XBTUSDTM");
    assert!(history.is_none_or(|history| history.intervals.is_empty()), "{history:?}");
    run.run_for(Duration::from_secs(1), &mut exporter).unwrap();
    run.end(&mut exporter).unwrap();
    let manifest = Manifest::read(&folder).unwrap();
    assert_eq!(manifest.books["XBTUSDTM"].intervals.len(), 1);
    check_one_file(&folder, &manifest);
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
fn clients_of_the_same_time_have_files_of_their_own() {
    let folder = fresh("overlapping");
    let mut options = Options::default();
    options.checkpoint_every = Duration::from_secs(1);
    let mut exporter = Exporter::new(&folder, Format::Hftbacktest, options).unwrap();
    for seed in [15, 16] {
        let mut run = Run::new(seed, UnixNanos::from_nanos(EVENING), 40.0, "");
        run.subscribe(&[Channel::level2(symbol("XBTUSDTM"))]);
        run.begin(&mut exporter).unwrap();
        run.run_for(Duration::from_secs(5), &mut exporter).unwrap();
        if seed == 16 {
            run.end(&mut exporter).unwrap();
        }
    }
    let manifest = Manifest::read(&folder).unwrap();
    assert_eq!(manifest.moved_times, 0, "nothing was moved behind what another one said");
    let [one, other] = read::files(&manifest, "events", "XBTUSDTM").try_into().unwrap();
    assert!(one.from_ns < other.to_ns && other.from_ns < one.to_ns);
    let lines = |file: FileEntry| {
        let events = read::npz(&folder.join(&file.path));
        (file, read::hft_lines(&events, read::LOCAL))
    };
    let rebuilt = Rebuilt(vec![lines(one), lines(other)]);
    let history = &manifest.books["XBTUSDTM"];
    let [gap] = history.gaps.as_slice() else { panic!("{history:?}") };
    assert_eq!((gap.missing, &gap.counter_restarted), (None, &None), "there is none in between");
    let lost = gap.lost_ns;
    let digests: Vec<_> = history.digests.iter().filter(|d| d.at.received_ns != lost).collect();
    assert!(digests.len() >= 8, "{}", digests.len());
    for digest in digests {
        assert_eq!(rebuilt.digest(digest).as_ref(), Some(&digest.sha256), "{digest:?}");
    }
}

#[test]
fn a_clock_that_is_set_back_begins_new_files() {
    let folder = fresh("set-back");
    let mut exporter = Exporter::new(&folder, Format::Hftbacktest, Options::default()).unwrap();
    let mut run = Run::new(17, UnixNanos::from_nanos(EVENING), 40.0, "");
    run.subscribe(&[Channel::level2(symbol("XBTUSDTM"))]);
    run.begin(&mut exporter).unwrap();
    run.run_for(Duration::from_secs(5), &mut exporter).unwrap();
    run.set_clock(-3_000);
    run.run_for(Duration::from_secs(5), &mut exporter).unwrap();
    run.end(&mut exporter).unwrap();

    let manifest = Manifest::read(&folder).unwrap();
    assert_eq!(manifest.moved_times, 0);
    let [one, other] = read::files(&manifest, "events", "XBTUSDTM").try_into().unwrap();
    assert!(other.from_ns < one.to_ns - 2_500_000_000, "{one:?} {other:?}");
    let history = &manifest.books["XBTUSDTM"];
    assert_eq!((history.intervals.len(), history.gaps.len()), (1, 0), "the book knows no clock");
    let lines = |file: FileEntry| {
        let events = read::npz(&folder.join(&file.path));
        (file, read::hft_lines(&events, read::LOCAL))
    };
    let rebuilt = Rebuilt(vec![lines(one), lines(other)]);
    assert_eq!(history.digests.len(), 2);
    for digest in &history.digests {
        assert_eq!(rebuilt.digest(digest).as_ref(), Some(&digest.sha256), "{digest:?}");
    }
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
