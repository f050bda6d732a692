//! `kcf replay`: recorded frames on snapshots, through the core, without a network.
//!
//! ```text
//! input      a file as text: unpacked, in UTF-8 (utf16)
//! recording  its lines, or the elements of its array
//! line       frames behind words and inside other objects
//! fault      what could not be read
//! snapshots  the books to begin with
//! row        a book, and why it ended
//! ```
//!
//! What was not read is not vouched for: a frame that cannot be read ends its book, and what does not say
//! whose it is ends every book.

mod fault;
mod input;
mod line;
mod recording;
mod row;
mod snapshots;
mod utf16;

use std::collections::BTreeMap;
use std::io;
use std::path::Path;

use kucoin_futures_host::Clock;
use kucoin_futures_proto::wire::{Delta, DeltaFrame, DeltaParser, Frame};
use kucoin_futures_proto::{ChannelKind, Symbol, WireError};
use serde_json::json;

use crate::args::ReplayArgs;
use crate::exit::{Failure, Kind};
use crate::out::{DIM, Out};
use crate::recordings;
use fault::{Fault, Why};
use input::{Input, progress};
use line::Named;
use recording::{Item, Place, Recording};
use row::{End, Row};

pub(crate) fn run(args: &ReplayArgs) -> Result<(), Failure> {
    match &args.frames {
        Some(frames) => run_frames(args, frames),
        None => recordings::replay(args),
    }
}

fn run_frames(args: &ReplayArgs, frames: &Path) -> Result<(), Failure> {
    let books = snapshots::read(&args.recording)?;
    let mut replay = Replay {
        books: books.into_iter().map(|(symbol, book)| (symbol, Row::new(book))).collect(),
        parser: DeltaParser::new(),
        frames: 0,
        not_frames: 0,
        malformed: 0,
        first_malformed: None,
    };
    let clock = Clock::new();
    replay.read_frames(frames)?;
    let seconds = clock.now().as_nanos() as f64 / 1e9;
    let mut out = Out::new();
    if args.json {
        replay.json(&mut out, seconds)?;
    } else {
        replay.print(&mut out, seconds)?;
    }
    out.flush()?;
    replay.verdict()
}

struct Replay {
    books: BTreeMap<Symbol, Row>,
    /// The whole file counts as one connection.
    parser: DeltaParser,
    /// Lines that are not empty, or elements of an array.
    frames: u64,
    /// Whole objects among them that are no frames, and hold none.
    not_frames: u64,
    malformed: u64,
    first_malformed: Option<Fault>,
}

/// What a whole object is.
enum Content {
    /// A frame: what had to be done is done.
    Frame,
    /// Maybe a frame of a kind that is not known, maybe what a frame was put into.
    Other,
}

impl Replay {
    fn read_frames(&mut self, path: &Path) -> Result<(), Failure> {
        let fail = |error: io::Error| {
            Failure::words(Kind::Usage, format_args!("{}: {error}", path.display()))
        };
        let mut input = Input::open(path, progress).map_err(fail)?;
        let mut piece = Vec::new();
        let read = self.read_recording(&mut input, &mut piece);
        match read {
            Err((place, error)) if input.is_packed => {
                self.malformed(&Fault::new(place, Why::Packing(error.to_string()), &piece), None);
                Ok(())
            }
            read => read.map_err(|(_, error)| fail(error)),
        }
    }

    fn read_recording(
        &mut self,
        input: &mut Input,
        piece: &mut Vec<u8>,
    ) -> Result<(), (Place, io::Error)> {
        let start = Place { line: 1, element: None };
        let mut recording = Recording::new(input).map_err(|error| (start, error))?;
        loop {
            match recording.next(piece).map_err(|error| (recording.place(), error))? {
                Item::Piece(place) => {
                    let frame = piece.trim_ascii();
                    if !frame.is_empty() {
                        self.take(frame, place);
                    }
                }
                Item::Broken(place, text) => {
                    self.malformed(&Fault::new(place, Why::Array(text), piece), None);
                }
                Item::End => return Ok(()),
            }
        }
    }

    #[inline]
    fn take(&mut self, bytes: &[u8], place: Place) {
        self.frames += 1;
        match self.parser.parse(bytes) {
            Ok(frame) => self.take_delta(&frame),
            Err(_) => self.take_other(line::behind_words(bytes), place),
        }
    }

    /// Deltas of symbols without a snapshot are passed over.
    #[inline]
    fn take_delta(&mut self, frame: &DeltaFrame) {
        if let Some(row) = self.books.get_mut(&frame.symbol) {
            row.take(&frame.delta);
        }
    }

    /// What is no delta as it stands.
    #[cold]
    fn take_other(&mut self, line: &[u8], place: Place) {
        let content = self.take_frame(line, place);
        if matches!(content, Ok(Content::Frame)) {
            return;
        }
        let frames = line::frames_inside(line);
        for frame in &frames {
            let content = self.take_frame(frame, place);
            self.judge(content, frame, place);
        }
        if frames.is_empty() {
            self.judge(content, line, place);
        }
    }

    fn take_frame(&mut self, bytes: &[u8], place: Place) -> Result<Content, Why> {
        if let Ok(frame) = self.parser.parse(bytes) {
            self.take_delta(&frame);
            return Ok(Content::Frame);
        }
        let message = match Frame::parse(bytes).map_err(|error| Why::of(error, bytes))? {
            Frame::Message(message) => message,
            Frame::Other => return Ok(Content::Other),
            _ => return Ok(Content::Frame),
        };
        match message.channel() {
            Some(channel)
                if channel.kind() == ChannelKind::Level2
                    && let Some(symbol) = channel.symbol() =>
            {
                self.take_data(symbol, message.data, bytes, place);
                Ok(Content::Frame)
            }
            Some(_) => Ok(Content::Frame),
            None if line::is_books(message.topic.raw()) => Err(NO_SYMBOL),
            None => Ok(Content::Other),
        }
    }

    /// The data of a frame that the parser has refused: the object around a frame may repeat its topic,
    /// otherwise something is wrong. Of symbols without a snapshot that does not matter.
    fn take_data(&mut self, symbol: Symbol, data: &[u8], frame: &[u8], place: Place) {
        if let Ok(frame) = self.parser.parse(data) {
            self.take_delta(&frame);
        } else if let Err(error) = Delta::parse(data)
            && self.books.contains_key(&symbol)
        {
            self.malformed(&Fault::new(place, Why::Wire(error), frame), Some(symbol));
        }
    }

    /// What is to be thought of bytes in which no frame was found.
    fn judge(&mut self, content: Result<Content, Why>, bytes: &[u8], place: Place) {
        let holds_delta = || line::holds_delta(bytes);
        let is_books = || matches!(Named::by(bytes), Named::Book(_) | Named::Unclear);
        match content {
            Ok(Content::Frame) => {}
            Ok(Content::Other) if !holds_delta() => {}
            // A log may speak of topics; only data of deltas must not be passed over.
            Err(NO_TYPE) if line::is_object(bytes) && !holds_delta() => self.not_frames += 1,
            Ok(Content::Other) | Err(NO_TYPE) if line::is_object(bytes) => {
                self.unreadable(bytes, place, Why::Form);
            }
            Err(why) if !line::is_object(bytes) || is_books() || holds_delta() => {
                self.unreadable(bytes, place, why);
            }
            Ok(Content::Other) | Err(_) => self.not_frames += 1,
        }
    }

    /// Ends the books that the bytes may have been a frame of.
    fn unreadable(&mut self, bytes: &[u8], place: Place, why: Why) {
        let fault = Fault::new(place, why, bytes);
        match Named::by(bytes) {
            Named::Book(symbol) => self.malformed(&fault, Some(symbol)),
            Named::Nothing | Named::Unclear => self.malformed(&fault, None),
            Named::Another => self.count(&fault),
        }
    }

    /// Ends the book of the symbol, or all of them.
    fn malformed(&mut self, fault: &Fault, symbol: Option<Symbol>) {
        self.count(fault);
        match symbol {
            Some(symbol) => {
                if let Some(row) = self.books.get_mut(&symbol) {
                    row.take_malformed(fault);
                }
            }
            None => self.books.values_mut().for_each(|row| row.doubt(fault)),
        }
    }

    fn count(&mut self, fault: &Fault) {
        self.malformed += 1;
        self.first_malformed.get_or_insert_with(|| fault.clone());
    }

    fn ended(&self) -> usize {
        self.books.values().filter(|row| row.end.is_some()).count()
    }

    fn json(&self, out: &mut Out, seconds: f64) -> io::Result<()> {
        for (symbol, row) in &self.books {
            out.json(&row.json(*symbol))?;
        }
        out.json(&json!({
            "type": "replay_total",
            "books": self.books.len(),
            "ended": self.ended(),
            "frames": self.frames,
            "not_frames": self.not_frames,
            "malformed": self.malformed,
            "first_malformed": Fault::json_of(self.first_malformed.as_ref()),
            "seconds": seconds,
        }))
    }

    fn print(&self, out: &mut Out, seconds: f64) -> io::Result<()> {
        for (symbol, row) in &self.books {
            row.print(out, *symbol)?;
        }
        if let Some(fault) = &self.first_malformed {
            out.line(format_args!("first malformed: {fault}"))?;
        }
        let Self { frames, not_frames, malformed, .. } = self;
        let (books, ended) = (self.books.len(), self.ended());
        out.line(format_args!(
            "{DIM}{ended} of {books} books ended; {frames} frames, {malformed} malformed, \
             {not_frames} other objects, {seconds:.3} s{DIM:#}"
        ))
    }

    fn verdict(&self) -> Result<(), Failure> {
        let mut ends = Vec::new();
        if self.books.values().all(|row| row.frames == 0) {
            let text = "nothing was replayed: no frame is a level2 delta of a symbol that the \
                        snapshot file has";
            ends.push(text.to_owned());
        }
        let (mut doubted, mut doubt) = (0, None);
        for (symbol, row) in &self.books {
            match (&row.end, row.why()) {
                // One sentence for all of them: it is the same line.
                (Some(End::MalformedOfAny), _) => {
                    doubted += 1;
                    doubt = row.first_malformed.as_ref();
                }
                (_, Some(why)) => ends.push(format!("{symbol} {why}")),
                (_, None) => {}
            }
        }
        if let Some(fault) = doubt {
            let books = self.books.len();
            ends.push(format!(
                "{doubted} of {books} books ended, as it is not said whose this is: {fault}"
            ));
        }
        if ends.is_empty() { Ok(()) } else { Err(Failure::words(Kind::Integrity, ends.join("; "))) }
    }
}

/// Not meant to be a frame.
const NO_TYPE: Why = Why::Wire(WireError::Missing { field: "type" });
/// The topic of a book, and no symbol.
const NO_SYMBOL: Why = Why::Wire(WireError::Malformed { field: "topic" });
