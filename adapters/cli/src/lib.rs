//! The program `kcf`: KuCoin Futures market data on the command line.
//!
//! stdout is data, stderr is log (`RUST_LOG`). Exit codes: 0 ok, 1 runtime, 2 usage, 3 auth,
//! 4 network, 5 data integrity.

#![forbid(unsafe_code)]

mod args;
mod book;
mod demo;
mod exit;
mod out;
mod replay;
mod sim;
mod stop;
mod words;

use std::io::IsTerminal as _;
use std::process::ExitCode;

use clap::Parser as _;
use tracing_subscriber::EnvFilter;

use args::{Args, Command};

/// The README's examples compile.
#[cfg(doctest)]
#[doc = include_str!("../../../README.md")]
struct Readme;

/// Runs the program with the process's arguments.
#[must_use]
pub fn run() -> ExitCode {
    let args = Args::parse();
    start_log();
    let result = match args.command {
        Command::Demo(args) => demo::run(&args),
        Command::Book(args) => book::run(&args),
        Command::Sim(args) => sim::run(&args),
        Command::Replay(args) => replay::run(&args),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => failure.report(),
    }
}

fn start_log() {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("warn"));
    let subscriber = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_ansi(std::io::stderr().is_terminal())
        .with_writer(std::io::stderr);
    // Only the first call of a process can succeed, and this is it.
    let _ = subscriber.try_init();
}
