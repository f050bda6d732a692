//! `kcf bench`: what a message costs over loopback, with the core and without.

mod pusher;
mod readers;
mod report;

use std::io::IsTerminal as _;

use indicatif::{ProgressBar, ProgressStyle};
use kucoin_futures_host::thread_time;

use crate::args::BenchArgs;
use crate::exit::{Failure, Kind};
use crate::out::Out;
use pusher::Pusher;
use readers::{Reader, Reading};
use report::Report;

pub(crate) fn run(args: &BenchArgs) -> Result<(), Failure> {
    if args.push {
        return pusher::push(args);
    }
    if thread_time().is_none() {
        let text = "this system does not say how much processor time a thread has used";
        return Err(Failure::words(Kind::Runtime, text));
    }
    let asked = |reader: &Reader| args.only.is_empty() || args.only.contains(&reader.kind());
    let readers: Vec<Reader> = Reader::ALL.into_iter().filter(asked).collect();
    let bar = progress(args, readers.len() * args.rounds + 1);
    bar.set_message("recording a market");
    let mut pusher = Pusher::start(args, &bar)?;
    let mut report = Report::new(args, pusher.frame_bytes());
    for round in 1..=args.rounds {
        for &reader in &readers {
            bar.set_message(format!("round {round}: {}", reader.kind().name()));
            let reading: Reading = reader.read(&mut pusher, args.frames, &bar)?;
            report.add(reader, reading);
        }
    }
    bar.finish_and_clear();
    let mut out = Out::new();
    if args.json {
        report.json(&mut out)?;
    } else {
        report.print(&mut out)?;
    }
    Ok(out.flush()?)
}

/// Each part is as many frames as one reader gets.
fn progress(args: &BenchArgs, parts: usize) -> ProgressBar {
    if args.json || !std::io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let bar = ProgressBar::new((args.frames * parts) as u64);
    if let Ok(style) = ProgressStyle::with_template("{bar:30} {percent} %, {msg}, {eta} left") {
        bar.set_style(style);
    }
    bar
}
