//! `kcf replay RECORDING --serve ADDR`: a recording as an exchange.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, UNIX_EPOCH};

use kucoin_futures_data::Recording;
use kucoin_futures_data::serve::{RecordingTape, ReplayStatus, ServeOptions, serve};
use kucoin_futures_host::Clock;
use kucoin_futures_proto::UnixNanos;
use serde_json::json;

use super::failure;
use super::info::time;
use crate::args::ReplayArgs;
use crate::exit::{Failure, Kind};
use crate::out::{DIM, Out};
use crate::stop::Stop;

/// How often a signal is looked for, and whether the end has come.
const LOOK: Duration = Duration::from_millis(100);
/// How often it is said where it is.
const BEAT: u32 = 10;

pub(super) fn run(
    recording: &Recording,
    listen: SocketAddr,
    args: &ReplayArgs,
) -> Result<(), Failure> {
    let tape = RecordingTape::new(recording).map_err(failure)?;
    let clock = Clock::new();
    let mut options = ServeOptions::new(Arc::new(move || clock.now()));
    options.speed = args.how.speed.unwrap_or_default();
    let server = serve(tape, listen, &options);
    let server = server.map_err(|error| Failure::new(Kind::Usage, error))?;
    if let Some(from) = args.how.from {
        let since = from.duration_since(UNIX_EPOCH).unwrap_or_default();
        let to = u64::try_from(since.as_nanos()).unwrap_or(u64::MAX);
        server.seek(UnixNanos::from_nanos(to));
    }
    let mut out = Out::new();
    let url = server.url();
    if args.json {
        out.json(&json!({ "type": "listening", "url": url }))?;
    } else {
        out.line(format_args!("listening on {url}"))?;
        out.line(format_args!(
            "{DIM}kcf book XBTUSDTM --url {url}   curl {url}/_replay/status{DIM:#}"
        ))?;
    }
    out.flush()?;
    let stop = Stop::on_signal(|| {})?;
    let (mut looks, mut has_ended) = (0_u32, false);
    while !stop.is_asked() {
        stop.wait(LOOK);
        looks = looks.wrapping_add(1);
        let status = server.status();
        if let Some(error) = status.error {
            return Err(Failure::words(Kind::Integrity, error));
        }
        // Once, and on a terminal as it goes.
        let is_over = status.has_ended && !std::mem::replace(&mut has_ended, status.has_ended);
        if is_over || (looks.is_multiple_of(BEAT) && out.has_table()) {
            say(&mut out, args.json, &status)?;
        }
    }
    Ok(())
}

fn say(out: &mut Out, json: bool, status: &ReplayStatus) -> Result<(), Failure> {
    let at = time(status.position);
    let (speed, connections) = (status.speed, status.connections);
    if json {
        let mut line = status.to_json();
        if let Some(fields) = line.as_object_mut() {
            fields.insert("type".into(), "replaying".into());
        }
        out.json(&line)?;
    } else if status.has_ended {
        out.set_table(Vec::new())?;
        out.line(format_args!("{at}: the recording ends here; connections stay open"))?;
    } else {
        let how = match (status.is_paused, status.is_seeking) {
            (true, _) => "paused".to_owned(),
            (_, true) => "seeking".to_owned(),
            _ => format!("x {speed}"),
        };
        out.set_table(vec![format!("{at}  {how}, {connections} connections")])?;
    }
    Ok(out.flush()?)
}
