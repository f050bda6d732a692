//! `kcf replay RECORDING`: the client does again what it did.

use std::time::Duration;

use indicatif::HumanCount;
use kucoin_futures_data::{Digest, Recording, Replayed, Replayer, Session};
use kucoin_futures_host::Clock;
use kucoin_futures_proto::{Instant, UnixNanos};
use serde_json::json;

use super::viewer::{From, Viewer};
use super::{Progress, failure, open, serving};
use crate::args::{RecordingArgs, ReplayArgs};
use crate::exit::{Failure, Kind};
use crate::out::{BAD, DIM, GOOD, Out};
use crate::stop::Stop;

pub(crate) fn replay(args: &ReplayArgs) -> Result<(), Failure> {
    let recording = open(&args.recording)?;
    if let Some(listen) = args.how.serve {
        return serving::run(&recording, listen, args);
    }
    let clock = Clock::new();
    let mut total = Total::default();
    let mut out = Out::new();
    let mut progress = Progress::new(&recording, args.json || args.how.is_shown());
    let stop = if args.how.is_shown() { Stop::on_signal(|| {})? } else { Stop::default() };
    for session in &recording.sessions {
        if stop.is_asked() {
            break;
        }
        let replayed = if args.how.is_shown() {
            show(session, args, &mut out, &stop)?
        } else {
            progress.run(session, &mut ())?
        };
        say(&mut out, args.json, session, &replayed)?;
        total.add(&replayed);
    }
    drop(progress);
    total.say(&mut out, args.json, &recording, clock.now().since(Instant::ZERO))?;
    out.flush()?;
    total.verdict()
}

/// Replays with what comes on stdout, and as fast as it is asked for.
fn show(
    session: &Session,
    args: &ReplayArgs,
    out: &mut Out,
    stop: &Stop,
) -> Result<Replayed, Failure> {
    let mut replayer = Replayer::new(session);
    let mut viewer = Viewer::new(out, args.json, from(&args.how));
    // What is not shown is not waited for.
    let clock = Clock::new();
    let mut start: Option<(Instant, UnixNanos)> = None;
    while let Some(at) = replayer.next_at().map_err(failure)? {
        if stop.is_asked() {
            break;
        }
        if let (Some(speed), true) = (args.how.speed, viewer.is_shown(at)) {
            let (began, first) = *start.get_or_insert_with(|| (clock.now(), at));
            let passed = Duration::from_nanos(at.as_nanos().saturating_sub(first.as_nanos()));
            let due = began + speed.takes(passed);
            let left = due.since(clock.now());
            if left > Duration::from_millis(1) {
                viewer.flush()?;
                stop.wait(left);
            }
        }
        replayer.step(&mut viewer).map_err(failure)?;
    }
    viewer.flush()?;
    Ok(replayer.replayed().clone())
}

fn from(how: &RecordingArgs) -> From {
    match (how.from, how.from_sequence) {
        (Some(time), _) => {
            let since = time.duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
            From::Time(UnixNanos::from_nanos(u64::try_from(since.as_nanos()).unwrap_or(u64::MAX)))
        }
        (None, Some(sequence)) => From::Sequence(sequence),
        (None, None) => From::Start,
    }
}

fn say(out: &mut Out, json: bool, session: &Session, replayed: &Replayed) -> Result<(), Failure> {
    let name = session.name();
    let tear = replayed.tear.as_ref().map(ToString::to_string);
    if json {
        let differs = replayed.differs.map(|differs| {
            json!({
                "block": differs.block,
                "from_ms": differs.from.as_nanos() / 1_000_000,
                "to_ms": differs.to.as_nanos() / 1_000_000,
            })
        });
        out.json(&json!({
            "type": "session",
            "session": name,
            "software": session.software(),
            "inputs": replayed.records,
            "outputs": replayed.outputs,
            "sha256": replayed.digest.to_string(),
            "recorded_sha256": replayed.recorded.to_string(),
            "equal": replayed.is_equal(),
            "differs": differs,
            "end": replayed.end,
            "lost": replayed.lost,
            "tear": tear,
        }))?;
        return Ok(());
    }
    let (inputs, outputs) = (HumanCount(replayed.records), HumanCount(replayed.outputs));
    match replayed.differs {
        None => {
            let digest = replayed.digest.to_string();
            let digest = digest.get(..16).unwrap_or_default();
            out.line(format_args!(
                "{name}  {GOOD}equal{GOOD:#}  {inputs} inputs, {outputs} outputs {DIM}{digest}..{DIM:#}"
            ))?;
        }
        Some(differs) => {
            let (from, to) = (super::info::time(differs.from), super::info::time(differs.to));
            out.line(format_args!(
                "{name}  {BAD}DIFFERS{BAD:#} from block {} on, between {from} and {to}; recorded by {}",
                differs.block,
                session.software()
            ))?;
        }
    }
    if let Some(tear) = tear {
        out.line(format_args!("  {tear}"))?;
    }
    if replayed.lost > 0 {
        let lost = HumanCount(replayed.lost);
        out.line(format_args!(
            "  it had to end: {lost} inputs after it are in no file, as the disk took nothing"
        ))?;
    }
    Ok(())
}

/// All sessions.
#[derive(Default)]
struct Total {
    inputs: u64,
    outputs: u64,
    digests: Vec<Digest>,
    recorded: Vec<Digest>,
    differ: usize,
    /// What is not as it was written.
    damaged: Vec<String>,
}

impl Total {
    fn add(&mut self, replayed: &Replayed) {
        self.inputs += replayed.records;
        self.outputs += replayed.outputs;
        self.digests.push(replayed.digest);
        self.recorded.push(replayed.recorded);
        self.differ += usize::from(!replayed.is_equal());
        let damage = replayed.tear.as_ref().filter(|tear| tear.is_damage());
        self.damaged.extend(damage.map(ToString::to_string));
    }

    fn say(
        &self,
        out: &mut Out,
        json: bool,
        recording: &Recording,
        took: Duration,
    ) -> Result<(), Failure> {
        let seconds = took.as_secs_f64();
        let rate = self.inputs as f64 / seconds.max(1e-9);
        if json {
            out.json(&json!({
                "type": "replayed",
                "sessions": recording.sessions.len(),
                "inputs": self.inputs,
                "outputs": self.outputs,
                "sha256": Digest::of_all(&self.digests).to_string(),
                "recorded_sha256": Digest::of_all(&self.recorded).to_string(),
                "equal": self.differ == 0,
                "seconds": seconds,
                "inputs_per_second": rate.round(),
            }))?;
        } else {
            let (inputs, rate) = (HumanCount(self.inputs), HumanCount(rate as u64));
            out.line(format_args!(
                "{DIM}{inputs} inputs in {seconds:.2} s: {rate} a second{DIM:#}"
            ))?;
        }
        Ok(())
    }

    fn verdict(&self) -> Result<(), Failure> {
        if self.differ > 0 {
            let text = format!(
                "{} of {} sessions do not replay to what was recorded: was it recorded by another version?",
                self.differ,
                self.digests.len()
            );
            return Err(Failure::words(Kind::Integrity, text));
        }
        if !self.damaged.is_empty() {
            return Err(Failure::words(Kind::Integrity, self.damaged.join("; ")));
        }
        Ok(())
    }
}
