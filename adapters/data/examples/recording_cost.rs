//! What recording costs: processor time per message of the whole process, the writer's thread included, of a feed
//! with a recorder and one without, in turn.
//!
//! ```text
//! kcf sim --rate 300 --symbols A1USDTM,..,A10USDTM --listen 127.0.0.1:8080
//! cargo run --release -p kucoin-futures-data --example recording_cost -- http://127.0.0.1:8080 10 20 5
//! ```
//!
//! 10 contracts, 20 s each, 5 rounds.

#![allow(
    clippy::print_stdout,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "an example"
)]

use std::error::Error;
use std::time::Duration;

use kucoin_futures_blocking::Feed;
use kucoin_futures_data::{Recorder, RecorderOptions};
use kucoin_futures_host::{Next, Options, Update};
use kucoin_futures_proto::{Channel, Config};
use rustix::time::{ClockId, clock_gettime};

fn main() -> Result<(), Box<dyn Error>> {
    let args: Vec<String> = std::env::args().collect();
    let (url, count, seconds, rounds) =
        (&args[1], args[2].parse::<u32>()?, args[3].parse::<u64>()?, args[4].parse::<u32>()?);
    let folder = std::env::temp_dir().join(format!("recording-cost-{}", std::process::id()));
    let (mut bare, mut recorded) = (Vec::new(), Vec::new());
    for round in 0..rounds {
        bare.push(run(url, count, seconds, None)?);
        recorded.push(run(url, count, seconds, Some(&folder.join(round.to_string())))?);
        let (bare, recorded) = (bare[round as usize], recorded[round as usize]);
        println!("{bare:8.2} us bare   {recorded:8.2} us recorded   {:.3}", recorded / bare);
    }
    bare.sort_by(f64::total_cmp);
    recorded.sort_by(f64::total_cmp);
    let (bare, recorded) = (bare[bare.len() / 2], recorded[recorded.len() / 2]);
    println!("medians: {bare:.2} and {recorded:.2} us a message, {:.3} times", recorded / bare);
    std::fs::remove_dir_all(folder)?;
    Ok(())
}

/// Microseconds of processor time for each message, once all books are live.
fn run(
    url: &str,
    count: u32,
    seconds: u64,
    folder: Option<&std::path::Path>,
) -> Result<f64, Box<dyn Error>> {
    let recorder =
        folder.map(|folder| Recorder::create(folder, RecorderOptions::default())).transpose()?;
    let mut options = Options::with_config(Config::with_rest(url)?);
    options.tap = recorder.as_ref().map(Recorder::tap);
    let mut feed = Feed::with_options(options)?;
    for number in 1..=count {
        feed.subscribe(Channel::level2(format!("A{number}USDTM").parse()?))?;
    }
    // Until all is calm.
    wait(&mut feed, Duration::from_secs(4));
    let (before, messages) = (cpu(), feed.stats().messages);
    wait(&mut feed, Duration::from_secs(seconds));
    let (spent, messages) = (cpu() - before, feed.stats().messages - messages);
    feed.close();
    drop(feed);
    if let Some(recorder) = recorder {
        let (status, result) = recorder.finish();
        result?;
        println!("  {} messages, {} bytes, {} unpacked", messages, status.bytes, status.unpacked);
    }
    Ok(spent / messages as f64 * 1e6)
}

fn wait(feed: &mut Feed, span: Duration) {
    let clock = feed.clock();
    let end = clock.now() + span;
    while clock.now() < end {
        if let Next::Update(Update::Book(change)) = feed.next_within(Duration::from_millis(100)) {
            std::hint::black_box(change.book.map(|book| (book.best_bid(), book.best_ask())));
        }
    }
}

/// Processor time of the process, in seconds.
fn cpu() -> f64 {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    time.tv_sec as f64 + time.tv_nsec as f64 / 1e9
}
