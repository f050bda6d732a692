//! `kcf record`: what a client is told goes to disk, for as long as it is asked to.

use std::cell::RefCell;
use std::io;
use std::path::Path;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use indicatif::{HumanBytes, ProgressBar};
use kucoin_futures_data::{Recorder, RecorderOptions, RecorderStatus, SyncPolicy};
use kucoin_futures_host::Clock;
use kucoin_futures_proto::{Channel, Instant, Interval, Query, Symbol};
use kucoin_futures_sim::{Scenario, Taps, soak};
use serde_json::{Value, json};

use crate::args::{Connect, RecordArgs, RecordPart, SyncWhen};
use crate::exit::{Failure, Kind};
use crate::feed::Feed;
use crate::follow::{Ctx, Session, Show};
use crate::out::{BAD, DIM, Out};
use crate::recordings;
use crate::soak::set_knobs;
use crate::stop::Stop;

/// How often it is said how it goes.
const BEAT: Duration = Duration::from_secs(1);
/// The list of contracts, with what a lot of each is, is asked for so often: it belongs to the data.
const LIST_EVERY: Duration = Duration::from_secs(24 * 3600);
/// After a session that had to end, another one is tried so often.
const RETRY: Duration = Duration::from_secs(1);

pub(crate) fn run(connect: &Connect, args: &RecordArgs) -> Result<(), Failure> {
    let mut told = Told::default();
    let result = match args.from_soak {
        Some(seed) => from_soak(args, seed, &mut told),
        None => from_exchange(connect, args, &mut told),
    };
    if told.sessions > 0 {
        told.say(&mut Out::new(), args)?;
    }
    result?;
    if let Some(format) = args.format {
        let to = args.to.join(recordings::format_name(format));
        recordings::export_to(&args.to, format, &to, args.run.json)?;
    }
    Ok(())
}

/// What became of all sessions.
#[derive(Default)]
struct Told {
    sessions: u32,
    files: u32,
    records: u64,
    lost: u64,
    bytes: u64,
    unpacked: u64,
}

impl Told {
    fn add(&mut self, status: &RecorderStatus) {
        self.sessions += 1;
        self.files += status.segments;
        self.records += status.written;
        self.lost += status.lost;
        self.bytes += status.bytes;
        self.unpacked += status.unpacked;
    }

    fn say(&self, out: &mut Out, args: &RecordArgs) -> io::Result<()> {
        let Self { sessions, files, records, lost, bytes, unpacked } = *self;
        let folder = args.to.display();
        if args.run.json {
            out.json(&json!({
                "type": "recorded",
                "folder": folder.to_string(),
                "sessions": sessions,
                "files": files,
                "inputs": records,
                "lost": lost,
                "bytes": bytes,
                "unpacked": unpacked,
            }))?;
        } else {
            let size = HumanBytes(bytes);
            out.line(format_args!("{records} inputs in {files} files, {size}: {folder}"))?;
            if lost > 0 {
                out.line(format_args!(
                    "{BAD}{lost} inputs are in no file: the disk took nothing{BAD:#}"
                ))?;
            }
            out.line(format_args!("{DIM}kcf info {folder}   kcf replay {folder}{DIM:#}"))?;
        }
        out.flush()
    }
}

fn options(args: &RecordArgs) -> RecorderOptions {
    let mut options = RecorderOptions::default();
    options.segment_bytes = args.file_size;
    options.segment_age = args.file_age;
    options.level = args.level;
    options.queue_bytes = usize::try_from(args.queue).unwrap_or(usize::MAX);
    options.sync = match args.sync {
        SyncWhen::Never => SyncPolicy::Never,
        SyncWhen::Second => SyncPolicy::Every(Duration::from_secs(1)),
        SyncWhen::Block => SyncPolicy::EachBlock,
    };
    options
}

fn create(folder: &Path, options: RecorderOptions) -> Result<Recorder, Failure> {
    let fail = |error| {
        let text = format_args!("--to {}: {error}", folder.display());
        Failure::words(Kind::Usage, text)
    };
    Recorder::create(folder, options).map_err(fail)
}

/// Writes what is left, and says what could not be.
fn finish(recorder: Recorder, told: &mut Told) -> Result<RecorderStatus, Failure> {
    let (status, result) = recorder.finish();
    told.add(&status);
    result.map_err(|error| {
        let text = format_args!(
            "the disk took nothing more ({error}): {} inputs are in no file; make room, or record to another disk",
            status.lost
        );
        Failure::words(Kind::Runtime, text)
    })?;
    Ok(status)
}

/// What a simulated run was told, whether it keeps its promises or breaks one.
fn from_soak(args: &RecordArgs, seed: u64, told: &mut Told) -> Result<(), Failure> {
    let mut scenario = Scenario::from_seed(args.profile.into(), seed);
    if let Some(hours) = args.hours {
        scenario.span_ms = (hours * 3_600_000.0) as u64;
    }
    set_knobs(&mut scenario, &args.knob)?;
    let clock = scenario.clone();
    let mut options = options(args);
    options.wall = Arc::new(move |now| clock.unix(now));
    // Each client is a session: one that crashes is followed by another.
    let recorders = Rc::new(RefCell::new(vec![create(&args.to, options.clone())?]));
    let (made, folder) = (Rc::clone(&recorders), args.to.clone());
    let mut is_first = true;
    let taps = Taps::new(move |number| {
        if number > 0 {
            return None;
        }
        let mut recorders = made.borrow_mut();
        if !std::mem::replace(&mut is_first, false) {
            let next = Recorder::create(&folder, options.clone());
            let next =
                next.inspect_err(|error| tracing::warn!(%error, "a session is not recorded"));
            recorders.push(next.ok()?);
        }
        recorders.last().map(Recorder::tap)
    });
    let bar = ProgressBar::new_spinner().with_message("running");
    let report = soak::run_tapped(&scenario, None, taps, &mut |passed| {
        bar.set_message(format!("{:.0} s of simulated time", passed.as_secs_f64()));
        bar.tick();
        true
    });
    bar.finish_and_clear();
    if let Some(failure) = report.failure {
        tracing::warn!(seed, %failure, "the run has broken a promise; it is recorded up to there");
    }
    for recorder in recorders.take() {
        finish(recorder, told)?;
    }
    Ok(())
}

/// One session after the other: mostly one.
fn from_exchange(connect: &Connect, args: &RecordArgs, told: &mut Told) -> Result<(), Failure> {
    let clock = Clock::new();
    let end = args.run.span.map(|span| clock.now() + span);
    let mut stop: Option<Stop> = None;
    let mut symbols = Vec::new();
    let mut recorder = create(&args.to, options(args))?;
    loop {
        let tap = Some(recorder.tap());
        let mut session =
            Session::open_tapped(connect, &args.run, args.lines, None, tap, stop.clone())?;
        session.end_after(end.map(|end| end.since(clock.now())));
        let stopped = stop.get_or_insert_with(|| session.stop()).clone();
        // Asked for once: a later session is the same, whatever the network does then.
        if symbols.is_empty() {
            symbols = session.symbols(&args.contracts())?;
        }
        session.subscribe(symbols.iter().flat_map(|symbol| channels(*symbol, &args.parts)))?;
        session.fetch(Query::Contracts);
        let mut watch = Watch { recorder: &recorder, list: None, beat: None, told: None };
        let result = session.run(&mut watch);
        // What waits is written as soon as the disk takes it again.
        let is_asked = || stopped.is_asked() || end.is_some_and(|end| end <= clock.now());
        let waits = |status: &RecorderStatus| status.errors > 0 && status.waiting > 0;
        while waits(&recorder.status()) && !is_asked() {
            stopped.wait(RETRY);
        }
        let lost_before = told.lost;
        let finished = finish(recorder, told);
        result?;
        if is_asked() || told.lost == lost_before {
            return finished.map(drop);
        }
        recorder = loop {
            match Recorder::create(&args.to, options(args)) {
                Ok(recorder) => break recorder,
                Err(error) if stopped.is_asked() => return Err(Failure::new(Kind::Runtime, error)),
                Err(error) => tracing::warn!(%error, "no session can be begun"),
            }
            stopped.wait(RETRY);
        };
    }
}

fn channels(symbol: Symbol, parts: &[RecordPart]) -> impl Iterator<Item = Channel> {
    parts.iter().map(move |part| match part {
        RecordPart::Book => Channel::level2(symbol),
        RecordPart::Trades => Channel::execution(symbol),
        RecordPart::Ticker => Channel::ticker_v2(symbol),
        RecordPart::Instrument => Channel::instrument(symbol),
        RecordPart::Candles => Channel::candles(symbol, Interval::Min1),
        RecordPart::Stats => Channel::stats_24h(symbol),
    })
}

/// Says how it goes.
struct Watch<'a> {
    recorder: &'a Recorder,
    /// When the list of contracts is due again.
    list: Option<Instant>,
    beat: Option<Instant>,
    /// What trouble was told last.
    told: Option<io::ErrorKind>,
}

impl Show for Watch<'_> {
    fn is_over(&self) -> bool {
        self.recorder.status().is_over()
    }

    fn beat(&mut self, cx: &mut Ctx, _: &Feed) -> Result<Option<Duration>, Failure> {
        if cx.now >= *self.list.get_or_insert(cx.now + LIST_EVERY) {
            self.list = Some(cx.now + LIST_EVERY);
            cx.ask(Query::Contracts);
        }
        let due = *self.beat.get_or_insert(cx.now + BEAT);
        if cx.now < due {
            return Ok(Some(due.since(cx.now)));
        }
        self.beat = Some(cx.now + BEAT);
        let status = self.recorder.status();
        if status.error != self.told {
            self.told = status.error;
            if let Some(error) = status.error {
                let waiting = HumanBytes(status.waiting as u64);
                tracing::warn!(%error, %waiting, "the disk takes nothing: what comes waits in memory");
            }
        }
        if cx.json {
            cx.data(status_json(&status))?;
        } else if cx.out.has_table() {
            cx.out.set_table(vec![status_text(&status)])?;
        }
        Ok(Some(BEAT))
    }
}

fn status_json(status: &RecorderStatus) -> Value {
    json!({
        "type": "recording",
        "inputs": status.records,
        "written": status.written,
        "synced": status.synced,
        "lost": status.lost,
        "until_ms": status.until.map(|until| until.as_nanos() / 1_000_000),
        "bytes": status.bytes,
        "unpacked": status.unpacked,
        "waiting": status.waiting,
        "files": status.segments,
        "error": status.error.map(|error| error.to_string()),
        "errors": status.errors,
    })
}

fn status_text(status: &RecorderStatus) -> String {
    let RecorderStatus { written, lost, bytes, unpacked, waiting, .. } = *status;
    let (size, left) = (HumanBytes(bytes), HumanBytes(waiting as u64));
    let ratio = unpacked as f64 / bytes.max(1) as f64;
    let mut text = format!("{written} inputs written: {size}, packed {ratio:.1} to 1; {left} wait");
    if let Some(error) = status.error {
        text += &format!("; the disk says: {error}");
    }
    if lost > 0 {
        text += &format!("; {lost} LOST");
    }
    text
}
