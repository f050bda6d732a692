//! Instructions per frame, as callgrind counts them: the same on every run, whatever else the machine does.
//!
//! ```sh
//! just bench-count              # beside the committed ceilings; fails above one by more than 3 %
//! just bench-count --write      # after a change: these are the ceilings from now on
//! ```
//!
//! A compiler that is not the one of the ceilings makes other instructions: then figures are shown and
//! nothing is compared. Without valgrind nothing is counted, and that is no failure.

#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a program for terminals")]

use std::collections::BTreeMap;
use std::hint::black_box;
use std::process::{Command, ExitCode};
use std::{env, fs, io};

use kucoin_futures_bench::corpus::{Corpus, Feed, Layout, Shape, Spread};
use kucoin_futures_bench::{ours, run};
use serde::{Deserialize, Serialize};

/// What is counted.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Case {
    /// Bytes to a delta.
    Parse(Layout),
    /// A delta into the book, 2 x 500 levels.
    Apply,
    /// Bytes to the best of the changed book, through a client with 200 of them.
    Pipeline,
    /// The same of a book on two lines, which both bring each frame, one after the other or one sixteen frames later.
    TwoLines { later: bool },
    /// Bytes to a decoded message, through a client with 200 topics of this channel.
    Message(Feed),
    /// A level of a snapshot, 2 x 1000 of them, into the book.
    Snapshot,
}

const CASES: [(&str, Case); 18] = [
    ("parse, usual", Case::Parse(Layout::Usual)),
    ("parse, other key order", Case::Parse(Layout::OtherOrder)),
    ("parse, random key order", Case::Parse(Layout::Random)),
    ("apply", Case::Apply),
    ("pipeline, 200 symbols", Case::Pipeline),
    ("pipeline, two lines", Case::TwoLines { later: false }),
    ("pipeline, two lines, late", Case::TwoLines { later: true }),
    ("tickerV2, decoded", Case::Message(Feed::TickerV2)),
    ("execution, decoded", Case::Message(Feed::Execution)),
    ("level2Depth5, decoded", Case::Message(Feed::Depth5)),
    ("level2Depth50, decoded", Case::Message(Feed::Depth50)),
    ("mark.index.price, decoded", Case::Message(Feed::Mark)),
    ("snapshot.24h, decoded", Case::Message(Feed::Stats)),
    ("limitCandle, decoded", Case::Message(Feed::Candle)),
    ("tradeOrders, decoded", Case::Message(Feed::Order)),
    ("position.change, decoded", Case::Message(Feed::Position)),
    ("wallet, decoded", Case::Message(Feed::Wallet)),
    ("snapshot, per level", Case::Snapshot),
];

/// Frames of each case: enough that what is done once does not show.
const FRAMES: usize = 20_000;

/// Above a ceiling by this much is too much.
const SLACK: f64 = 0.03;

/// The committed figures.
#[derive(Serialize, Deserialize)]
struct Ceilings {
    /// Of the compiler that they were made with.
    rustc: String,
    instructions: BTreeMap<String, f64>,
}

fn main() -> ExitCode {
    let mut arguments = env::args().skip(1);
    match arguments.next().as_deref() {
        Some("--run") => perform(arguments.next().as_deref()),
        Some("--write") => finish(count(true)),
        None => finish(count(false)),
        Some(other) => {
            eprintln!("{other}: not known; --write keeps the figures as the new ceilings");
            ExitCode::from(2)
        }
    }
}

fn finish(counted: io::Result<bool>) -> ExitCode {
    match counted {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("not counted: {error}");
            ExitCode::FAILURE
        }
    }
}

/// False if a case takes more than it may.
fn count(write: bool) -> io::Result<bool> {
    if Command::new("valgrind").arg("--version").output().is_err() {
        println!("skipped: valgrind is not installed (apt-get install valgrind)");
        return Ok(true);
    }
    let path = run::package().join("instructions.json");
    let known: Ceilings = serde_json::from_slice(&fs::read(&path)?)?;
    let rustc = rustc()?;
    let same = known.rustc == rustc;
    if !same && !write {
        println!("nothing is compared: the ceilings are of {}, this is {rustc}", known.rustc);
    }
    let mut all_right = true;
    let mut instructions = BTreeMap::new();
    println!("{:<26}{:>12}{:>12}", "instructions per frame", "counted", "ceiling");
    for (name, _) in CASES {
        let counted = under_valgrind(name)?;
        let ceiling = known.instructions.get(name).copied();
        let verdict = match ceiling {
            _ if write || !same => "",
            Some(ceiling) if counted > ceiling * (1.0 + SLACK) => "too many",
            Some(ceiling) if counted < ceiling * (1.0 - SLACK) => "fewer: --write keeps that",
            Some(_) => "",
            None => "not known yet: --write",
        };
        let shown = ceiling.map_or_else(String::new, |ceiling| format!("{ceiling:.1}"));
        println!("{name:<26}{counted:>12.1}{shown:>12}  {verdict}");
        all_right &= verdict != "too many";
        instructions.insert(name.to_owned(), (counted * 10.0).round() / 10.0);
    }
    if write {
        let ceilings = Ceilings { rustc, instructions };
        fs::write(&path, serde_json::to_string_pretty(&ceilings)? + "\n")?;
    }
    Ok(all_right)
}

/// Runs this program again, where callgrind counts what happens below [`counted`].
fn under_valgrind(name: &str) -> io::Result<f64> {
    let output = Command::new("valgrind")
        .args(["--tool=callgrind", "--callgrind-out-file=/dev/null", "--collect-atstart=no"])
        .arg("--toggle-collect=*counted*")
        .arg(env::current_exe()?)
        .args(["--run", name])
        .output()?;
    let text = String::from_utf8_lossy(&output.stderr);
    let collected = |line: &str| line.split_once("Collected : ")?.1.parse().ok();
    let total: Option<f64> = text.lines().find_map(collected);
    let units = String::from_utf8_lossy(&output.stdout).trim().parse::<f64>();
    match (total, units) {
        // None at all: the function to count below was not found.
        (Some(total), Ok(units)) if output.status.success() && total > 0.0 => Ok(total / units),
        _ => Err(io::Error::other(format!("{name}: {text}"))),
    }
}

fn rustc() -> io::Result<String> {
    let output = Command::new("rustc").arg("--version").output()?;
    Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

/// Once under callgrind; prints over how much the instructions are to be spread.
fn perform(name: Option<&str>) -> ExitCode {
    let Some((_, case)) = CASES.into_iter().find(|(known, _)| Some(*known) == name) else {
        return ExitCode::from(2);
    };
    let symbols = if matches!(case, Case::Pipeline | Case::TwoLines { .. } | Case::Message(_)) {
        200
    } else {
        1
    };
    let (levels, changes) = if case == Case::Snapshot { (1000, 0) } else { (500, FRAMES) };
    let shape = Shape { symbols, levels, changes, spread: Spread::Touch, seed: 2 };
    let corpus = Corpus::new(shape);
    let Some(market) = corpus.markets.first() else { return ExitCode::FAILURE };
    let units = match case {
        Case::Parse(layout) => {
            let frames = corpus.frames(layout);
            let mut parser = ours::Parser::new();
            counted(|| frames.iter().filter(|frame| parser.parse(frame).is_some()).count())
        }
        Case::Apply => {
            let deltas: Vec<_> = corpus.changes.iter().filter_map(ours::delta).collect();
            let mut book = ours::load(market);
            counted(|| deltas.iter().filter(|delta| ours::apply(&mut book, delta)).count())
        }
        Case::Pipeline => {
            let frames = corpus.frames(Layout::Usual);
            let mut live = ours::Live::new(&corpus.markets);
            counted(|| frames.iter().filter(|frame| live.feed(frame).is_some()).count())
        }
        Case::TwoLines { later } => {
            let frames = corpus.frames(Layout::Usual);
            let mut live = ours::Live::on_lines(&corpus.markets, 2);
            let lag = if later { 16 } else { 0 };
            let copies = std::iter::repeat_n(None, lag).chain(frames.iter().map(Some));
            let pairs = frames.iter().zip(copies);
            let order: Vec<_> = pairs
                .flat_map(|(frame, copy)| [Some((0, frame)), copy.map(|copy| (1, copy))])
                .flatten()
                .collect();
            // Copies change nothing: what is divided by is how many others there are.
            counted(|| {
                order.iter().filter(|(line, frame)| live.feed_on(*line, frame).is_some()).count()
            })
        }
        Case::Message(feed) => {
            let frames = corpus.messages(feed);
            let mut client = ours::Messages::new(&corpus.markets, feed);
            let mut feed = |frame: &[u8]| client.feed(frame, |message| _ = black_box(message));
            counted(|| frames.iter().filter(|frame| feed(frame).is_some()).count())
        }
        Case::Snapshot => {
            let body = market.body.as_bytes();
            let mut book = ours::load(market);
            let loads = counted(|| (0..20).filter(|_| ours::load_body(&mut book, body)).count());
            loads * (book.held_levels(kucoin_futures_proto::wire::Side::Bid) * 2)
        }
    };
    println!("{units}");
    if units == 0 { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}

/// By its name callgrind knows when to begin and when to end.
#[inline(never)]
fn counted(work: impl FnOnce() -> usize) -> usize {
    black_box(work())
}
