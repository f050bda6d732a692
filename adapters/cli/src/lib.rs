//! The program `kcf`: KuCoin Futures market data on the command line.
//!
//! stdout is data, stderr is log (`RUST_LOG`). Exit codes: 0 ok, 1 runtime, 2 usage, 3 auth,
//! 4 network, 5 data integrity.

#![forbid(unsafe_code)]

mod accounts;
mod args;
mod bench;
mod board;
mod book;
mod consume;
mod contracts;
mod crowd;
mod demo;
mod doctor;
mod draw;
mod exit;
mod feed;
mod follow;
mod http;
mod instrument;
mod lines;
mod market;
mod metrics;
mod monitor;
mod numbers;
mod out;
mod private;
mod publish;
mod record;
mod recordings;
mod refusal;
mod replay;
mod serve;
mod sim;
mod soak;
mod stop;
mod studies;
mod symbols;
mod tap;
mod terminal;
mod ticks;
mod verify;
mod watch;
mod words;

use std::io::{IsTerminal as _, Write as _};
use std::process::ExitCode;

use clap::{CommandFactory as _, Parser as _};
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;

use args::{Args, Command, CompletionsArgs};
use exit::Failure;

/// The README's examples compile.
#[cfg(doctest)]
#[doc = include_str!("../../../README.md")]
struct Readme;

/// Runs the program with the process's arguments.
#[must_use]
pub fn run() -> ExitCode {
    let args = Args::parse();
    start_log(match &args.command {
        Command::Demo(args) => demo::is_on_screen(args),
        Command::Watch(args) => watch::is_on_screen(args),
        _ => false,
    });
    let connect = &args.connect;
    let result = match args.command {
        Command::Demo(args) => demo::run(connect, &args),
        Command::Watch(args) => watch::run(connect, &args),
        Command::Book(args) => book::run(connect, &args),
        Command::Doctor(args) => doctor::run(connect, &args),
        Command::Verify(args) => verify::run(connect, &args),
        Command::Ticker(args) => ticks::ticker(connect, &args),
        Command::Trades(args) => ticks::trades(connect, &args),
        Command::Depth(args) => market::depth(connect, &args),
        Command::Candles(args) => market::candles(connect, &args),
        Command::Instrument(args) => instrument::run(connect, &args),
        Command::Stats(args) => market::stats(connect, &args),
        Command::Contracts(args) => contracts::run(connect, &args),
        Command::Private(args) => private::run(connect, &args),
        Command::Sim(args) => sim::run(&args),
        Command::Serve(args) => serve::run(connect, &args),
        Command::Record(args) => record::run(connect, &args),
        Command::Replay(args) => replay::run(&args),
        Command::Info(args) => recordings::info(&args),
        Command::Export(args) => recordings::export(&args),
        Command::Soak(args) => match args.crowd {
            Some(clients) => crowd::run(&args, clients),
            None => soak::run(&args),
        },
        Command::Bench(args) => bench::run(&args),
        Command::Publish(args) => publish::run(connect, &args),
        Command::Consume(args) => consume::run(&args),
        Command::Completions(args) => completions(&args),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => failure.report(),
    }
}

fn completions(args: &CompletionsArgs) -> Result<(), Failure> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Args::command(), "kcf", &mut script);
    Ok(std::io::stdout().write_all(&script)?)
}

/// A log on the same terminal as a drawn screen would tear it; whoever asks for one gets it.
fn start_log(on_screen: bool) {
    let default = if on_screen && std::io::stderr().is_terminal() { "off" } else { "warn" };
    let asked = std::env::var("RUST_LOG").unwrap_or_else(|_| default.into());
    let (filter, problem) = match asked.parse() {
        Ok(filter) => (filter, None),
        Err(error) => (Targets::new().with_default(LevelFilter::WARN), Some(error)),
    };
    let lines = tracing_subscriber::fmt::layer()
        .with_ansi(out::wants_colour_for(&std::io::stderr()))
        .with_writer(std::io::stderr);
    // Only the first call of a process can succeed, and this is it.
    let _ = tracing_subscriber::registry().with(lines).with(filter).try_init();
    if let Some(error) = problem {
        tracing::warn!(%error, "RUST_LOG: use error, warn, info, debug, or module=level, ..");
    }
}
