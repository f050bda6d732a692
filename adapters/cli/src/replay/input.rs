//! A file as text: unpacked, and in UTF-8, by what its first bytes say and not by its name.

use std::fs::File;
use std::io::{self, BufReader, Cursor, IsTerminal as _, Read};
use std::path::Path;

use flate2::read::MultiGzDecoder;
use indicatif::{ProgressBar, ProgressStyle};

use super::utf16::{Order, Utf16};

/// The text of a file.
pub(super) struct Input {
    pub(super) reader: BufReader<Box<dyn Read>>,
    /// An error while reading is one of the data then: the file is there, and says something wrong.
    pub(super) is_packed: bool,
    /// Moves with what was read of the file, packed or not.
    bar: ProgressBar,
}

/// What is read at once.
const BUFFER: usize = 1 << 20;

impl Input {
    pub(super) fn open(path: &Path, bar: fn(u64) -> ProgressBar) -> io::Result<Self> {
        let file = File::open(path)?;
        let bar = bar(file.metadata().map_or(0, |data| data.len()));
        let (is_packed, text) = unpacked(bar.wrap_read(file))?;
        let reader = BufReader::with_capacity(BUFFER, in_utf8(text)?);
        Ok(Self { reader, is_packed, bar })
    }
}

impl Drop for Input {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}

/// A bar if somebody looks on.
pub(super) fn progress(bytes: u64) -> ProgressBar {
    if !io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let style = "{wide_bar} {bytes}/{total_bytes} {bytes_per_sec} {eta}";
    let style = ProgressStyle::with_template(style);
    let bar = ProgressBar::new(bytes);
    style.map_or_else(|_| bar.clone(), |style| bar.clone().with_style(style))
}

/// None.
pub(super) fn no_progress(_: u64) -> ProgressBar {
    ProgressBar::hidden()
}

fn unpacked(mut file: impl Read + 'static) -> io::Result<(bool, Box<dyn Read>)> {
    let head = head::<4>(&mut file)?;
    let magic = head.clone();
    let file = Cursor::new(head).chain(file);
    Ok(match *magic {
        [0x1f, 0x8b, ..] => (true, Box::new(MultiGzDecoder::new(file))),
        // A skippable frame may come first.
        [0x28, 0xb5, 0x2f, 0xfd] | [0x50..=0x5f, 0x2a, 0x4d, 0x18] => {
            (true, Box::new(zstd::Decoder::new(file)?))
        }
        _ => (false, Box::new(file)),
    })
}

fn in_utf8(mut text: Box<dyn Read>) -> io::Result<Box<dyn Read>> {
    let mut head = match head::<3>(&mut text) {
        Ok(head) => head,
        // A packed file that is broken from its first byte: said when it is read.
        Err(error) => return Ok(Box::new(Failing(Some(error)))),
    };
    let order = match *head {
        [0xff, 0xfe, ..] => Some(Order::Little),
        [0xfe, 0xff, ..] => Some(Order::Big),
        _ => None,
    };
    let mark = match *head {
        [0xef, 0xbb, 0xbf] => 3,
        _ if order.is_some() => 2,
        _ => 0,
    };
    head.drain(..mark);
    let text = Cursor::new(head).chain(text);
    Ok(match order {
        Some(order) => Box::new(Utf16::new(BufReader::new(text), order)),
        None => Box::new(text),
    })
}

/// The first bytes, as many as there are.
fn head<const N: usize>(reader: &mut impl Read) -> io::Result<Vec<u8>> {
    let mut head = Vec::with_capacity(N);
    reader.take(N as u64).read_to_end(&mut head)?;
    Ok(head)
}

/// Says its error once.
struct Failing(Option<io::Error>);

impl Read for Failing {
    fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
        self.0.take().map_or(Ok(0), Err)
    }
}
