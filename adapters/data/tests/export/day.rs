//! A bad day in every format, lived through once, and what its data sets must say.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::time::Duration;

use kucoin_futures_data::Sink;
use kucoin_futures_data::export::manifest::{BookHistory, FileEntry, Gap};
use kucoin_futures_data::export::{Exporter, Format, Manifest, Options};
use kucoin_futures_proto::{Channel, Interval, Query, UnixNanos};

use crate::common::{Many, Run, symbol};
use crate::read::{self, Line, Rebuilt, Word};
use crate::witness::{EVENING, Told, Witness, fresh};

const FAULTS: &str = "at 20s drop XBTUSDTM 3; at 35s step-back ETHUSDTM 400; at 70s close 1006; \
     at 100s rally XBTUSDTM 900; at 120s drop XBTUSDTM; at 125s push-drop * 5; at 150s reset; at 170s drop ETHUSDTM 2";

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
pub struct Day {
    pub witness: Witness,
    pub folders: BTreeMap<&'static str, PathBuf>,
    #[cfg(feature = "arrow")]
    pub batches: crate::batches::Held,
}

const FORMATS: &[(&str, Format)] = &[
    #[cfg(feature = "parquet")]
    ("parquet", Format::Parquet),
    ("ndjson", Format::Ndjson),
    ("tardis", Format::Tardis),
    ("hftbacktest", Format::Hftbacktest),
];

impl Day {
    /// Four minutes with gaps, a counter that is set back, two lost connections, a market that walks away, a clock that
    /// is set, midnight, and another client.
    fn new() -> Self {
        let folders = FORMATS.iter().map(|(name, _)| (*name, fresh(name))).collect();
        let mut options = Options::default();
        options.checkpoint_every = Duration::from_secs(8);
        let exporter = |(name, format): &(&str, Format)| {
            let folders: &BTreeMap<_, PathBuf> = &folders;
            Exporter::new(&folders[name], *format, options).unwrap()
        };
        let mut exporters: Vec<_> = FORMATS.iter().map(exporter).collect();
        let mut witness = Witness::default();
        #[cfg(feature = "arrow")]
        let mut batches = crate::batches::Taken::new();
        let mut all: Vec<_> = exporters.iter_mut().map(|one| one as &mut dyn Sink).collect();
        all.push(&mut witness);
        #[cfg(feature = "arrow")]
        all.push(&mut batches);
        live_through(&mut Many(all));
        Self {
            witness,
            folders,
            #[cfg(feature = "arrow")]
            batches: batches.into_held(),
        }
    }

    /// Lived through once, for all tests.
    pub fn get() -> &'static Self {
        static DAY: OnceLock<Day> = OnceLock::new();
        DAY.get_or_init(Self::new)
    }

    pub fn manifest(&self, format: &str) -> (&Path, Manifest) {
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
pub fn check_books(
    witness: &Witness,
    manifest: &Manifest,
    mut rebuild: impl FnMut(&str) -> Rebuilt,
) {
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
pub fn check_trades(
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
pub fn check_gaps(manifest: &Manifest) {
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
