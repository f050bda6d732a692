//! `kcf replay`: recorded frames on a snapshot, through the core, without a network.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, BufRead, BufReader, IsTerminal as _};
use std::path::Path;

use indicatif::{ProgressBar, ProgressStyle};
use kucoin_futures_host::Clock;
use kucoin_futures_proto::book::{Apply, Book, Scope};
use kucoin_futures_proto::wire::{Delta, DeltaFrame, DeltaParser, Frame, Side, Snapshot};
use kucoin_futures_proto::{ChannelKind, Config, Sequence, Symbol, WireError};
use serde_json::value::RawValue;
use serde_json::{Value, json};

use crate::args::ReplayArgs;
use crate::exit::{Failure, Kind};
use crate::out::{BAD, DIM, GOOD, Out};
use crate::words;

/// Levels a side that are printed.
const TOP: usize = 20;
/// The bar is moved after so many lines.
const PROGRESS_EVERY: u64 = 4096;

pub(crate) fn run(args: &ReplayArgs) -> Result<(), Failure> {
    let mut replay = Replay {
        books: read_snapshots(&args.snapshot)?,
        parser: DeltaParser::new(),
        frames: 0,
        malformed: 0,
    };
    let clock = Clock::new();
    replay.read_frames(&args.frames)?;
    let seconds = clock.now().as_nanos() as f64 / 1e9;
    let mut out = Out::new();
    for (symbol, row) in &replay.books {
        if args.json {
            out.json(&row.json(*symbol))?;
        } else {
            row.print(&mut out, *symbol)?;
        }
    }
    let (frames, malformed) = (replay.frames, replay.malformed);
    if args.json {
        out.json(&json!({
            "type": "replay_total", "frames": frames, "malformed": malformed, "seconds": seconds,
        }))?;
    } else {
        out.line(format_args!(
            "{DIM}{frames} frames, {malformed} malformed, {seconds:.3} s{DIM:#}"
        ))?;
    }
    out.flush()?;
    replay.verdict()
}

struct Replay {
    books: BTreeMap<Symbol, Row>,
    /// The whole file counts as one connection.
    parser: DeltaParser,
    frames: u64,
    malformed: u64,
}

struct Row {
    book: Book,
    frames: u64,
    applied: u64,
    repeats: u64,
    gaps: u64,
    /// Where the book ended: what had to come, and what came.
    gap: Option<(Sequence, Sequence)>,
    /// Repeats in a row since the last change.
    in_row: u32,
    /// The counter was set back: what follows is of another run.
    set_back: bool,
}

/// So many repeats in a row, once something was applied, are a counter that was set back: the rule of
/// the live client.
const SET_BACK: u32 = 3;

fn read_snapshots(path: &Path) -> Result<BTreeMap<Symbol, Row>, Failure> {
    let file =
        |error: io::Error| Failure::words(Kind::Usage, format_args!("{}: {error}", path.display()));
    let data = |error: String| {
        let hint =
            "expected the body of GET /api/v1/level2/snapshot, or a JSON list of such bodies";
        Failure::words(Kind::Integrity, format_args!("{}: {error} ({hint})", path.display()))
    };
    let text = std::fs::read_to_string(path).map_err(file)?;
    let bodies: Vec<&RawValue> = if text.trim_start().starts_with('[') {
        serde_json::from_str(&text).map_err(|error| data(error.to_string()))?
    } else {
        vec![serde_json::from_str(&text).map_err(|error| data(error.to_string()))?]
    };
    let mut books = BTreeMap::new();
    for body in bodies {
        let snapshot = Snapshot::parse(body.get().as_bytes());
        let snapshot = snapshot.map_err(|error| data(error.to_string()))?;
        // No pruning: the digest is over every level that is held.
        let mut book = Book::new(Config::default().book.snapshot_levels, usize::MAX);
        book.load(&snapshot);
        let row = Row {
            book,
            frames: 0,
            applied: 0,
            repeats: 0,
            gaps: 0,
            gap: None,
            in_row: 0,
            set_back: false,
        };
        if books.insert(snapshot.symbol, row).is_some() {
            return Err(data(format!("two snapshots of {}", snapshot.symbol)));
        }
    }
    Ok(books)
}

impl Replay {
    fn read_frames(&mut self, path: &Path) -> Result<(), Failure> {
        let fail = |error: io::Error| {
            Failure::words(Kind::Usage, format_args!("{}: {error}", path.display()))
        };
        let file = File::open(path).map_err(fail)?;
        let bar = progress(file.metadata().map_or(0, |data| data.len()));
        let mut reader = BufReader::with_capacity(1 << 20, file);
        let (mut line, mut bytes, mut lines) = (Vec::new(), 0, 0_u64);
        loop {
            line.clear();
            let read = reader.read_until(b'\n', &mut line).map_err(fail)?;
            if read == 0 {
                break;
            }
            bytes += read as u64;
            lines += 1;
            if lines % PROGRESS_EVERY == 0 {
                bar.set_position(bytes);
            }
            let frame = line.trim_ascii();
            if !frame.is_empty() {
                self.frame(frame);
            }
        }
        bar.finish_and_clear();
        Ok(())
    }

    fn frame(&mut self, bytes: &[u8]) {
        self.frames += 1;
        if self.take(bytes).is_err() {
            self.malformed += 1;
        }
    }

    fn take(&mut self, bytes: &[u8]) -> Result<(), WireError> {
        let Ok(DeltaFrame { symbol, delta, .. }) = self.parser.parse(bytes) else {
            return self.take_other(bytes);
        };
        self.books.get_mut(&symbol).map_or(Ok(()), |row| row.take(|| Ok(delta)))
    }

    /// Frames that are no deltas, or of symbols without a snapshot, are passed over, and what their
    /// data says does not matter.
    #[cold]
    fn take_other(&mut self, bytes: &[u8]) -> Result<(), WireError> {
        let Frame::Message(message) = Frame::parse(bytes)? else { return Ok(()) };
        let channel = message.channel().filter(|channel| channel.kind() == ChannelKind::Level2);
        let Some(symbol) = channel.map(|channel| channel.symbol()) else { return Ok(()) };
        let Some(row) = self.books.get_mut(&symbol) else { return Ok(()) };
        row.take(|| Delta::parse(message.data))
    }

    fn verdict(&self) -> Result<(), Failure> {
        if self.books.values().all(|row| row.frames == 0) {
            let text = "nothing was replayed: no frame is a level2 delta of a symbol that the \
                        snapshot file has";
            return Err(Failure::words(Kind::Integrity, text));
        }
        let ends = self.books.iter().filter_map(|(symbol, row)| match row.gap {
            Some((expected, got)) => {
                Some(format!("{symbol} ended with a gap: expected {expected}, got {got}"))
            }
            None if row.set_back => Some(format!("{symbol} ended: its counter was set back")),
            None => None,
        });
        let ends: Vec<String> = ends.collect();
        if ends.is_empty() { Ok(()) } else { Err(Failure::words(Kind::Integrity, ends.join("; "))) }
    }
}

impl Row {
    /// A frame of this symbol; once the book has ended, nobody asks what it says.
    #[inline]
    fn take(&mut self, delta: impl FnOnce() -> Result<Delta, WireError>) -> Result<(), WireError> {
        self.frames += 1;
        if self.gap.is_some() || self.set_back {
            return Ok(());
        }
        let delta = delta()?;
        match self.book.apply(&delta) {
            Apply::Applied => {
                self.applied += 1;
                self.in_row = 0;
            }
            Apply::Repeat => {
                self.repeats += 1;
                self.in_row += u32::from(self.applied > 0);
                self.set_back = self.in_row >= SET_BACK;
            }
            Apply::Gap { expected } => {
                self.gaps += 1;
                self.gap = Some((expected, delta.sequence));
            }
            _ => {}
        }
        Ok(())
    }

    fn json(&self, symbol: Symbol) -> Value {
        json!({
            "type": "replay",
            "symbol": symbol.as_str(),
            "frames": self.frames,
            "applied": self.applied,
            "repeats": self.repeats,
            "gaps": self.gaps,
            "set_back": self.set_back,
            "sequence": self.book.sequence().get(),
            "bid_levels": self.book.held_levels(Side::Bid),
            "ask_levels": self.book.held_levels(Side::Ask),
            "top_bids": words::levels(&self.book, Side::Bid, Scope::Held, TOP),
            "top_asks": words::levels(&self.book, Side::Ask, Scope::Held, TOP),
            "sha256": words::hex(&self.book.digest(Scope::Held)),
        })
    }

    fn print(&self, out: &mut Out, symbol: Symbol) -> io::Result<()> {
        let (style, verdict) = match self.gap {
            Some(_) => (BAD, "ended with a gap"),
            None if self.set_back => (BAD, "ended: its counter was set back"),
            None if self.frames == 0 => (BAD, "had no frames"),
            None => (GOOD, "unbroken"),
        };
        let sequence = self.book.sequence();
        out.line(format_args!(
            "{symbol:<12} {style}{verdict}{style:#} to {sequence}: {} frames, {} applied, {} repeats",
            self.frames, self.applied, self.repeats
        ))?;
        let (bid, ask) = (words::best(self.book.best_bid()), words::best(self.book.best_ask()));
        let [bids, asks] = [Side::Bid, Side::Ask].map(|side| self.book.held_levels(side));
        out.line(format_args!("             {bid} | {ask}, {bids} + {asks} levels"))?;
        let digest = words::hex(&self.book.digest(Scope::Held));
        out.line(format_args!("             {DIM}sha256 {digest}{DIM:#}"))
    }
}

fn progress(bytes: u64) -> ProgressBar {
    if !io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let style = "{wide_bar} {bytes}/{total_bytes} {bytes_per_sec} {eta}";
    let style = ProgressStyle::with_template(style);
    let bar = ProgressBar::new(bytes);
    style.map_or_else(|_| bar.clone(), |style| bar.clone().with_style(style))
}
