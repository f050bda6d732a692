//! A thousand connections to hostile peers, drawn from the table, on both runtimes; exits 1 if one ended otherwise than
//! the table says.
//!
//! ```sh
//! cargo run --release -p kucoin-futures-suite --example hostile -- 1000 36 1
//! ```
//!
//! Connections, how many of them at a time, and a seed.

use std::error::Error;
use std::process::ExitCode;

use kucoin_futures_suite::{hostile_crowd, visit_if_asked};
use peak_alloc::PeakAlloc;

#[global_allocator]
static HEAP: PeakAlloc = PeakAlloc;

#[allow(clippy::print_stdout, reason = "a program")]
fn main() -> Result<ExitCode, Box<dyn Error>> {
    visit_if_asked();
    let mut arguments = std::env::args().skip(1);
    let visits = arguments.next().map_or(Ok(1000), |visits| visits.parse())?;
    let at_a_time = arguments.next().map_or(Ok(36), |count| count.parse())?;
    let seed = arguments.next().map_or(Ok(1), |seed| seed.parse())?;
    let crowd = hostile_crowd(visits, at_a_time, seed);
    println!("{crowd}");
    Ok(if crowd.wrong.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
