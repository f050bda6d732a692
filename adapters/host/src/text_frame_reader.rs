//! Between a socket and the WebSocket library: whole text messages are taken where they lie.
//!
//! ```text
//!  socket ── fill ──> reader ── poll_text ──> the core: whole, short, ASCII text frames
//!                        └───── poll_read ──> the library: everything else, to the end of a frame
//! ```
//!
//! The library makes a shared buffer of each message, counts references to it and moves it through
//! several types: with that, reading costs half as much again as it does here. So what nearly every
//! message is, is recognised here; what is left, the library gets byte for byte and decides on: pings,
//! closes, fragments, long messages, other encodings, violations. It gets nothing beyond the end of a
//! frame, so its own buffer is empty whenever a message is taken here.

use std::io;
use std::ops::Range;
use std::task::{Poll, ready};

/// Bytes that were read and belong to nobody yet.
#[derive(Debug)]
pub struct TextFrameReader {
    bytes: Box<[u8]>,
    start: usize,
    end: usize,
    stage: Stage,
    /// The library has seen the first part of a message, or a close: what comes next is its business.
    engaged: bool,
    /// So many parts of the message have come.
    parts: u32,
    /// Why there was nothing to read, if the library has yet to hear of it.
    stopped: Option<io::Result<usize>>,
}

/// What the next byte is part of.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Stage {
    /// Nothing yet: a frame begins.
    Between,
    /// Something that the library has begun: so many bytes are its own.
    Inside(u64),
}

/// Read at a time: some eighty level2 frames.
const CAPACITY: usize = 16 << 10;

/// Most parts of a message. Empty ones make none that is too long, and the library, which looks for the last one, would
/// come back to nobody as long as they come. Eight bytes each make the longest message.
const MAX_PARTS: u32 = 1 << 17;

/// The first byte of a text frame that is the whole message.
const WHOLE_TEXT: u8 = 0x81;
/// Opcodes; those of data lie between.
const CONTINUATION: u8 = 0;
const CLOSE: u8 = 8;
/// In its second byte: two, or eight, bytes with the length follow.
const TWO_BYTES: u8 = 126;
const EIGHT_BYTES: u8 = 127;
/// In its second byte: four bytes of mask follow the length.
const MASKED: u8 = 0x80;

impl TextFrameReader {
    /// For a connection that was just upgraded; these bytes were read with the answer.
    #[must_use]
    pub fn new(first: &[u8]) -> Self {
        let mut bytes = vec![0; CAPACITY.max(first.len())].into_boxed_slice();
        bytes.iter_mut().zip(first).for_each(|(to, from)| *to = *from);
        let (start, end) = (0, first.len());
        Self { bytes, start, end, stage: Stage::Between, engaged: false, parts: 0, stopped: None }
    }

    /// The next message, if it is here or can be read, and is nothing that the library must see. It lies
    /// in [`TextFrameReader::text`] until the next call. `None`: read from the WebSocket, which will find
    /// what is here or say why there is nothing.
    ///
    /// `fill` reads from the socket to a buffer; a blocking socket is always `Ready`.
    #[inline]
    pub fn poll_text(
        &mut self,
        mut fill: impl FnMut(&mut [u8]) -> Poll<io::Result<usize>>,
    ) -> Poll<Option<Range<usize>>> {
        loop {
            let taken = self.take_text();
            if taken.is_some() || self.stopped.is_some() || self.has_more() {
                return Poll::Ready(taken);
            }
            match ready!(fill(self.space())) {
                Ok(count) if count > 0 => self.filled(count),
                stopped => self.stopped = Some(stopped),
            }
        }
    }

    /// What the library reads: bytes that are here, or that `fill` reads, but not beyond the end of a
    /// frame.
    ///
    /// # Errors
    /// Those of `fill`, also one that [`TextFrameReader::poll_text`] met and kept; and
    /// [`FileTooLarge`](io::ErrorKind::FileTooLarge) if a message has more than 131,072 parts.
    pub fn poll_read(
        &mut self,
        to: &mut [u8],
        mut fill: impl FnMut(&mut [u8]) -> Poll<io::Result<usize>>,
    ) -> Poll<io::Result<usize>> {
        // What is here then is the beginning of a message, which may yet become whole here.
        if let Some(stopped) = self.stopped.take() {
            return Poll::Ready(stopped);
        }
        loop {
            let passed = self.pass(to);
            if self.parts > MAX_PARTS {
                return Poll::Ready(Err(io::ErrorKind::FileTooLarge.into()));
            }
            if passed > 0 {
                return Poll::Ready(Ok(passed));
            }
            match ready!(fill(self.space()))? {
                0 => return Poll::Ready(Ok(0)),
                count => self.filled(count),
            }
        }
    }

    /// The next message, if it is here, whole, and nothing that the library must see.
    #[inline]
    fn take_text(&mut self) -> Option<Range<usize>> {
        if self.stage != Stage::Between || self.engaged {
            return None;
        }
        let here = self.here();
        let (head, len) = match *here {
            [WHOLE_TEXT, len, ..] if len < TWO_BYTES => (2, usize::from(len)),
            [WHOLE_TEXT, TWO_BYTES, high, low, ..] => {
                (4, usize::from(u16::from_be_bytes([high, low])))
            }
            _ => return None,
        };
        // What is not ASCII has to be checked for more than that.
        if !here.get(head..head + len)?.is_ascii() {
            return None;
        }
        let at = self.start + head;
        self.start = at + len;
        Some(at..self.start)
    }

    /// A message that was taken, by its place.
    #[must_use]
    #[inline]
    pub fn text(&self, taken: Range<usize>) -> &[u8] {
        self.bytes.get(taken).unwrap_or_default()
    }

    /// Whether a whole frame is here: the next one comes without a read from the socket.
    #[must_use]
    #[inline]
    pub fn has_frame(&self) -> bool {
        let is_here = |(_, len)| usize::try_from(len).is_ok_and(|len| len <= self.here().len());
        self.stage == Stage::Between && self.frame().is_some_and(is_here)
    }

    /// After `take_text` found nothing: whether the library should be passed something before more is
    /// read.
    fn has_more(&self) -> bool {
        let here = self.here().len();
        match self.stage {
            Stage::Inside(_) => here > 0,
            // Whole, or never to be whole here.
            Stage::Between => self.frame().is_some_and(|(_, len)| {
                usize::try_from(len).map_or(true, |len| len <= here || len > CAPACITY)
            }),
        }
    }

    /// Hands bytes to the library, not beyond the end of a frame. 0: it has to wait for more.
    fn pass(&mut self, to: &mut [u8]) -> usize {
        if self.stage == Stage::Between {
            let Some((first, len)) = self.frame() else { return 0 };
            self.stage = Stage::Inside(len);
            let (last, opcode) = (first & 0x80 != 0, first & 0x0f);
            // Pings and pongs may come between the parts.
            match opcode {
                CONTINUATION..CLOSE => {
                    self.engaged = !last;
                    self.parts = if last { 0 } else { self.parts.saturating_add(1) };
                }
                CLOSE => self.engaged = true,
                _ => {}
            }
        }
        let most = match self.stage {
            Stage::Inside(left) => usize::try_from(left).unwrap_or(usize::MAX),
            Stage::Between => return 0,
        };
        let here = self.here();
        let count = most.min(here.len()).min(to.len());
        let (Some(from), Some(to)) = (here.get(..count), to.get_mut(..count)) else { return 0 };
        to.copy_from_slice(from);
        self.stage = match self.stage {
            Stage::Inside(left) if left > count as u64 => Stage::Inside(left - count as u64),
            _ => Stage::Between,
        };
        self.start += count;
        count
    }

    /// Where to read to. Never empty once there is nothing more to pass.
    fn space(&mut self) -> &mut [u8] {
        self.bytes.copy_within(self.start..self.end, 0);
        (self.start, self.end) = (0, self.end - self.start);
        self.bytes.get_mut(self.end..).unwrap_or_default()
    }

    /// So many bytes were read to the space.
    fn filled(&mut self, count: usize) {
        self.end = (self.end + count).min(self.bytes.len());
    }

    #[inline]
    fn here(&self) -> &[u8] {
        self.bytes.get(self.start..self.end).unwrap_or_default()
    }

    /// First byte and whole length of the frame that begins here; `None`: too few bytes to say.
    fn frame(&self) -> Option<(u8, u64)> {
        let here = self.here();
        let (&first, &second) = (here.first()?, here.get(1)?);
        let (head, len) = match second & !MASKED {
            TWO_BYTES => (4, u16::from_be_bytes(here.get(2..4)?.try_into().ok()?).into()),
            EIGHT_BYTES => (10, u64::from_be_bytes(here.get(2..10)?.try_into().ok()?)),
            len => (2, u64::from(len)),
        };
        let mask = if second & MASKED == 0 { 0 } else { 4 };
        Some((first, len.saturating_add(head + mask)))
    }
}

#[cfg(test)]
mod tests;
