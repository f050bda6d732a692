//! The show as lines: for pipes, logs and whoever asks for it. The verdict looks like this always.

use std::io;
use std::time::Duration;

use kucoin_futures_proto::Instant;

use crate::demo::scene::{Scene, Verdict};
use crate::monitor::{LogRow, Mood, status_words};
use crate::out::{BAD, DIM, FAULT, GOOD, Out};
use crate::words;

pub(crate) struct Lines {
    out: Out,
    shown: Instant,
}

/// The top of each book is shown so often.
const SHOW_EVERY: Duration = Duration::from_secs(1);

impl Lines {
    pub(crate) fn new() -> Self {
        Self { out: Out::new(), shown: Instant::ZERO }
    }

    pub(crate) fn open(&mut self, scene: &Scene) -> io::Result<()> {
        let pace = scene.span.as_secs_f64() / scene.acts.len().max(1) as f64;
        self.out.line(format_args!(
            "A simulated exchange at {}, the real client on {}, real sockets, no network.\n\
             {DIM}Every {pace:.1} s something breaks. Left: seconds; right: what the client says.{DIM:#}\n",
            scene.url, scene.runtime
        ))?;
        self.out.flush()
    }

    pub(crate) fn broken(&mut self, at: Instant, title: &str, faults: &str) -> io::Result<()> {
        let at = seconds(at);
        self.out
            .line(format_args!("{at}  {FAULT}BROKEN       {title}{FAULT:#} {DIM}({faults}){DIM:#}"))
    }

    pub(crate) fn log(&mut self, row: &LogRow) -> io::Result<()> {
        let style = match row.mood {
            Mood::Good => GOOD,
            Mood::Bad => BAD,
            Mood::Fault => FAULT,
            Mood::Plain => DIM,
        };
        let (at, who, text) = (seconds(row.when.at), &row.who, &row.text);
        self.out.line(format_args!("{at}  {style}{who:<12} {text}{style:#}"))
    }

    pub(crate) fn frame(&mut self, scene: &Scene) -> io::Result<()> {
        if scene.now.since(self.shown) >= SHOW_EVERY {
            self.shown = scene.now;
            self.books(scene)?;
        }
        self.out.flush()
    }

    fn books(&mut self, scene: &Scene) -> io::Result<()> {
        let at = seconds(scene.now);
        for row in &scene.books {
            let symbol = row.symbol;
            let Some(depth) = &row.depth else {
                let status = status_words(row.status);
                self.out.line(format_args!("{at}  {symbol:<12} {DIM}not live: {status}{DIM:#}"))?;
                continue;
            };
            let best = |levels: &[kucoin_futures_proto::book::Level]| {
                levels.first().map_or_else(|| "-".into(), |l| format!("{} x {}", l.price, l.size))
            };
            let (bid, ask) = (best(&depth.bids.levels), best(&depth.asks.levels));
            let sequence = depth.sequence;
            self.out.line(format_args!(
                "{at}  {symbol:<12} {bid:>16} | {ask:<16} {DIM}at {sequence}{DIM:#}"
            ))?;
        }
        Ok(())
    }

    pub(crate) fn verdict(&mut self, scene: &Scene, books: &[Verdict]) -> io::Result<()> {
        self.out.line(format_args!("\nVerdict"))?;
        for act in &scene.acts {
            let times = act.times().map(|time| time.map(|time| format!("{} ms", time.as_millis())));
            if act.broken.is_none() {
                self.out.line(format_args!("  {DIM}{:<43} not reached{DIM:#}", act.title))?;
                continue;
            }
            let style = if times.iter().all(Option::is_some) { GOOD } else { BAD };
            let [seen, healed] = times.map(|time| time.unwrap_or_else(|| "never".into()));
            self.out.line(format_args!(
                "  {style}{:<43}{style:#} seen {seen:>7}, healed {healed:>7}",
                act.title
            ))?;
        }
        for book in books {
            let (style, verdict) = match book.equal {
                Some(true) => (GOOD, "equal to the exchange's"),
                Some(false) => (BAD, "DIFFERS from the exchange's"),
                None => (BAD, "not live"),
            };
            self.out.line(format_args!(
                "  {:<9} {style}{verdict}{style:#} at {}: {} levels",
                book.symbol, book.sequence, book.levels
            ))?;
        }
        // Two lines: a terminal may have 80 columns.
        for part in words::summary_text(&scene.stats).split("; ") {
            self.out.line(format_args!("  {DIM}{part}{DIM:#}"))?;
        }
        self.out.flush()
    }
}

fn seconds(at: Instant) -> String {
    format!("{:>6.2}", at.as_nanos() as f64 / 1e9)
}
