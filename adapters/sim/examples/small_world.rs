//! Every history of the small world up to a length, for each kind of times.
//!
//! `cargo run --release -p kucoin-futures-sim --example small_world -- [DEPTH [TIMES]]`
//!
//! Fails if a claim has no story or a book does not come back.
//!
//! With letters in place of a depth, that one history, step by step:
//! `... -- "back-2 a lost-b a" close`

#![allow(clippy::print_stdout, clippy::disallowed_methods, reason = "a program for people")]

use std::process::ExitCode;
use std::time::Instant;

use kucoin_futures_sim::small::{Extent, Times, explore, tell};

fn main() -> ExitCode {
    let mut args = std::env::args().skip(1);
    let first = args.next().unwrap_or_else(|| "6".into());
    let only = args.next();
    let mut sound = true;
    for times in Times::ALL {
        if only.as_deref().is_some_and(|only| only != times.name()) {
            continue;
        }
        let Ok(depth) = first.parse() else {
            println!("times {}", times.name());
            println!("{}", tell(&first, times).unwrap_or_else(|problem| problem));
            continue;
        };
        let start = Instant::now();
        let report = explore(Extent::new(depth, times));
        println!("times {}, {depth} letters, {:.1} s", times.name(), start.elapsed().as_secs_f64());
        println!("{report}");
        sound &= report.is_sound();
    }
    if sound { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
