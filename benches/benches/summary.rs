//! The last one: what this run has measured, as tables; and, if it was a full run, as files.

#![allow(missing_docs, clippy::print_stdout, reason = "a program that prints tables")]

use kucoin_futures_bench::report::{Report, chart, goals, page};
use kucoin_futures_bench::run;

fn main() -> std::io::Result<()> {
    if run::is_trial() {
        return Ok(());
    }
    let report = Report::read();
    println!("\n{}\n{}", report.tables(), goals::table(&report));
    let plain = std::env::args().skip(1).all(|argument| argument == "--bench");
    if !(plain && cfg!(feature = "rivals") && goals::are_measured(&report)) {
        println!("No file written: that takes a whole run with `--features rivals`.");
        return Ok(());
    }
    let results = run::package().join("RESULTS.md");
    std::fs::write(&results, page::write(&report))?;
    let picture = run::package().join("../docs/bench.svg");
    std::fs::write(&picture, chart::draw(&report))?;
    println!("Written: benches/RESULTS.md, docs/bench.svg");
    Ok(())
}
