//! RSI, average price and funding over several contracts, live and back-tested with the same code and the same output.
//!
//! ```sh
//! kcf sim --rate 50 &                                    # or nothing, for the exchange itself
//! signal live FOLDER 60 XBTUSDTM ETHUSDTM http://127.0.0.1:8080 > live.txt
//! signal back FOLDER > back.txt                          # FOLDER: what was recorded meanwhile
//! cmp live.txt back.txt
//! ```
//!
//! A recording of `kcf record` does as well. `--every SECONDS` is the length of a candle (1), `--rsi N` the candles
//! that the RSI is of (14), `--low X` what is too low (30), `--average SECONDS` what the price is compared with (300).

mod strategy;

use std::env;
use std::error::Error;
use std::io::{self, Write as _};
use std::path::Path;
use std::time::Duration;

use kucoin_futures_blocking::{Feed, Update};
use kucoin_futures_data::{Moment, Recorder, RecorderOptions, Recording, Replayer, Sink};
use kucoin_futures_host::{Next, Options};
use kucoin_futures_proto::{
    Channel, Config, Event, Message, Output, Push, Query, Symbol, TopicEvent,
};
use strategy::{Decision, Rules, Strategy};

fn main() -> Result<(), Box<dyn Error>> {
    let mut args: Vec<String> = env::args().skip(1).collect();
    let every = option(&mut args, "--every")?.unwrap_or(1.0);
    let rules = Rules {
        every: Duration::try_from_secs_f64(every)?,
        rsi: option(&mut args, "--rsi")?.unwrap_or(14.0) as u32,
        low: option(&mut args, "--low")?.unwrap_or(30.0),
        average: Duration::try_from_secs_f64(option(&mut args, "--average")?.unwrap_or(300.0))?,
    };
    let teller = Teller { strategy: Strategy::new(rules), decisions: Vec::new() };
    match args.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        ["live", folder, seconds, of @ ..] => live(teller, Path::new(folder), seconds.parse()?, of),
        ["back", folder] => back(teller, Path::new(folder)),
        _ => Err("signal live FOLDER SECONDS SYMBOL.. [URL] | signal back FOLDER".into()),
    }
}

/// A number behind its name, taken out of the arguments.
fn option(args: &mut Vec<String>, name: &str) -> Result<Option<f64>, Box<dyn Error>> {
    let Some(at) = args.iter().position(|arg| arg == name) else { return Ok(None) };
    args.remove(at);
    if at == args.len() {
        return Err(format!("{name} wants a number").into());
    }
    Ok(Some(args.remove(at).parse()?))
}

/// Follows an exchange, and records what it is told.
fn live(
    mut teller: Teller,
    folder: &Path,
    seconds: u64,
    of: &[&str],
) -> Result<(), Box<dyn Error>> {
    let (urls, symbols): (Vec<_>, Vec<_>) =
        of.iter().copied().partition(|arg: &&str| arg.starts_with("http"));
    let config =
        urls.first().map_or_else(|| Ok(Config::default()), |url| Config::with_rest(url))?;
    std::fs::create_dir_all(folder)?;
    let recorder = Recorder::create(folder, RecorderOptions::default())?;
    let mut options = Options::with_config(config);
    options.tap = Some(recorder.tap());
    let mut feed = Feed::with_options(options)?;
    for symbol in symbols {
        let symbol: Symbol = symbol.parse()?;
        feed.subscribe(Channel::execution(symbol))?;
        feed.subscribe(Channel::instrument(symbol))?;
    }
    feed.fetch(Query::Contracts)?;

    let clock = feed.clock();
    let end = clock.now() + Duration::from_secs(seconds);
    let mut is_over = false;
    loop {
        // What was read before the end is told after it, as it is in the recording.
        if !is_over && clock.now() >= end {
            is_over = true;
            feed.close();
        }
        match feed.next_within(end.since(clock.now())) {
            Next::Update(Update::Push(push)) => {
                // Lent: the feed is asked for the channel, and then the message is put on its bytes again.
                let (tag, bytes) = (push.tag(), push.bytes().to_vec());
                let push = tag.on(&bytes);
                let channel = push.topic().and_then(|topic| feed.channel(topic));
                teller.on_push(channel, &push)?;
            }
            Next::Update(Update::State(event)) => {
                let channel = event.topic().and_then(|topic| feed.channel(topic));
                teller.on_event(channel, &event)?;
            }
            Next::Update(Update::Book(_)) | Next::Quiet => {}
            Next::Ended => break,
        }
        teller.tell()?;
    }
    drop(feed);
    teller.conclude()?;
    let (_, finished) = recorder.finish();
    Ok(finished?)
}

/// Does the same with what was recorded.
fn back(mut teller: Teller, folder: &Path) -> Result<(), Box<dyn Error>> {
    for session in &Recording::open(folder)?.sessions {
        Replayer::new(session).run(&mut teller)?;
    }
    Ok(teller.conclude()?)
}

/// Hands on what concerns the strategy, and tells what it decides.
struct Teller {
    strategy: Strategy,
    decisions: Vec<Decision>,
}

impl Teller {
    fn on_push(&mut self, channel: Option<Channel>, push: &Push<'_>) -> io::Result<()> {
        let symbol = channel.and_then(|channel| channel.symbol());
        match (symbol, push.decode()) {
            (Some(symbol), Ok(message)) => {
                self.strategy.on_message(symbol, &message, &mut self.decisions)
            }
            // What cannot be read is missing.
            (Some(symbol), Err(_)) => self.strategy.on_gap(symbol),
            (None, Ok(Message::Contracts(list))) => {
                list.iter().flatten().for_each(|terms| self.strategy.on_terms(&terms));
                Ok(())
            }
            (None, _) => Ok(()),
        }
        .map_err(io::Error::other)
    }

    fn on_event(&mut self, channel: Option<Channel>, event: &Event) -> io::Result<()> {
        let symbol = channel.and_then(|channel| channel.symbol());
        match (symbol, event) {
            (Some(symbol), Event::Topic(_, TopicEvent::MayHaveMissed)) => {
                self.strategy.on_gap(symbol).map_err(io::Error::other)
            }
            _ => Ok(()),
        }
    }

    fn tell(&mut self) -> io::Result<()> {
        let mut out = io::stdout().lock();
        self.decisions.drain(..).try_for_each(|decision| writeln!(out, "{decision}"))
    }

    fn conclude(&self) -> io::Result<()> {
        let mut out = io::stdout().lock();
        self.strategy.results().try_for_each(|result| writeln!(out, "{result}"))
    }
}

impl Sink for Teller {
    /// Nobody has heard what was between two sessions.
    fn on_start(&mut self, _: &Moment<'_>) -> io::Result<()> {
        self.strategy.on_gaps();
        Ok(())
    }

    fn on_output(&mut self, moment: &Moment<'_>, output: &Output<'_>) -> io::Result<()> {
        let channel = |topic| moment.client.channel(topic);
        match output {
            Output::Push(push) => self.on_push(push.topic().and_then(channel), push)?,
            Output::Event(event) => self.on_event(event.topic().and_then(channel), event)?,
            _ => {}
        }
        self.tell()
    }

    fn on_end(&mut self, _: &Moment<'_>) -> io::Result<()> {
        Ok(())
    }
}
