//! Every history of the small world up to a length, for each kind of times.
//!
//! `cargo run --release -p kucoin-futures-sim --example small_world -- [DEPTH [TIMES]]`
//!
//! With a `+` before the depth two lines carry the book.
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
        let (depth, two) = first.strip_prefix('+').map_or((&*first, false), |depth| (depth, true));
        let Ok(depth) = depth.parse() else {
            println!("times {}", times.name());
            println!("{}", tell(&first, times).unwrap_or_else(|problem| problem));
            continue;
        };
        let start = Instant::now();
        let extent = Extent::new(depth, times);
        let report = explore(if two { extent.on_two_lines() } else { extent });
        let took = start.elapsed().as_secs_f64();
        println!("times {}, {first} letters, {took:.1} s", times.name());
        println!("{report}");
        sound &= report.is_sound();
    }
    if sound { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
