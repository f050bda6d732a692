//! The blocks of a session, in order, for as long as they are whole.

use std::fs::File;
use std::io::{self, BufReader, Read, Seek as _, SeekFrom};
use std::path::PathBuf;

use super::{Segment, Session, of_head};
use crate::error::{RecordingError, Tear, TearKind};
use crate::format::block::{HEAD, Head, Kind};
use crate::format::end::{self, End, SegmentEnd};
use crate::format::head::SegmentHead;

/// Reads blocks.
#[derive(Debug)]
pub(crate) struct BlockReader {
    segments: std::vec::IntoIter<Segment>,
    open: Option<Open>,
    /// The number that the next block must have.
    number: u64,
    packed: Vec<u8>,
    is_over: bool,
    /// The first file that is there is not the session's first.
    is_without_first: bool,
    /// Bytes of the files that are behind.
    behind: u64,
}

/// The file that is being read.
#[derive(Debug)]
struct Open {
    path: PathBuf,
    segment: u32,
    file: BufReader<File>,
    len: u64,
    /// Where the next block begins.
    offset: u64,
}

/// What comes next.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Next {
    /// A block of records, whose content was unpacked.
    Block(Head),
    /// The end of the session, as it was written; so many records are not in it.
    End(SegmentEnd, u64),
    /// It ends here without having been ended.
    Tear(Tear),
}

/// What stands at a place in a file.
enum Found {
    Block(Head),
    End(End),
    Nothing(TearKind),
}

impl BlockReader {
    pub(crate) fn new(session: &Session) -> Self {
        let segments = session.segments.clone().into_iter();
        Self {
            segments,
            open: None,
            number: 0,
            packed: Vec::new(),
            is_over: false,
            is_without_first: false,
            behind: 0,
        }
    }

    /// The next block, unpacked into `content`; `None` once the end was told.
    pub(crate) fn next(&mut self, content: &mut Vec<u8>) -> Result<Option<Next>, RecordingError> {
        loop {
            if self.is_over {
                return Ok(None);
            }
            if self.open.is_none() && !self.open_next()? {
                return Ok(None);
            }
            let is_without_first = self.is_without_first;
            let Some(open) = &mut self.open else { return Ok(None) };
            if is_without_first {
                open.offset = 0;
                return Ok(Some(self.tear(TearKind::NoSegment)));
            }
            let found = open.find(self.number, &mut self.packed, content);
            let found = found.map_err(RecordingError::io(&open.path))?;
            match found {
                Found::Block(head) => {
                    self.number += 1;
                    return Ok(Some(Next::Block(head)));
                }
                Found::End(End { end: SegmentEnd::Rotated, .. }) => {
                    let segment = open.segment;
                    let is_next = |next: &Segment| {
                        segment.checked_add(1) == Some(next.number)
                            && next.blocks_before == self.number
                    };
                    if !self.segments.as_slice().first().is_some_and(is_next) {
                        return Ok(Some(self.tear(TearKind::NoSegment)));
                    }
                    self.behind += open.len;
                    self.open = None;
                }
                Found::End(End { end, lost }) => {
                    self.is_over = true;
                    return Ok(Some(Next::End(end, lost)));
                }
                Found::Nothing(kind) => return Ok(Some(self.tear(kind))),
            }
        }
    }

    /// Bytes of the session that were read.
    pub(crate) fn read(&self) -> u64 {
        self.behind.saturating_add(self.open.as_ref().map_or(0, |open| open.offset))
    }

    fn tear(&mut self, kind: TearKind) -> Next {
        self.is_over = true;
        let open = self.open.as_ref();
        Next::Tear(Tear {
            path: open.map(|open| open.path.clone()).unwrap_or_default(),
            offset: open.map_or(0, |open| open.offset),
            behind: open.map_or(0, |open| open.len.saturating_sub(open.offset)),
            kind,
        })
    }

    fn open_next(&mut self) -> Result<bool, RecordingError> {
        let Some(segment) = self.segments.next() else {
            self.is_over = true;
            return Ok(false);
        };
        self.is_without_first = self.number == 0 && segment.number > 0;
        let open = |path| {
            let file = File::open(path)?;
            let len = file.metadata()?.len();
            Ok((BufReader::with_capacity(1 << 20, file), len))
        };
        let (mut file, len) = open(&segment.path).map_err(RecordingError::io(&segment.path))?;
        let (_, offset) =
            SegmentHead::read(&mut file).map_err(|error| of_head(&segment.path, error))?;
        let (path, segment) = (segment.path, segment.number);
        self.open = Some(Open { path, segment, file, len, offset });
        Ok(true)
    }
}

impl Open {
    /// What stands at the offset, which goes on if it is whole.
    fn find(
        &mut self,
        number: u64,
        packed: &mut Vec<u8>,
        content: &mut Vec<u8>,
    ) -> io::Result<Found> {
        // It may grow while it is read.
        if self.offset == self.len {
            self.len = self.file.get_ref().metadata()?.len();
            self.file.seek(SeekFrom::Start(self.offset))?;
        }
        if self.offset == self.len {
            return Ok(Found::Nothing(TearKind::NoEnd));
        }
        let mut head = [0; HEAD];
        if !read_whole(&mut self.file, &mut head)? {
            return Ok(Found::Nothing(TearKind::Cut));
        }
        let Some(head) = Head::from_bytes(&head).filter(|head| head.number == number) else {
            return Ok(Found::Nothing(TearKind::Damaged));
        };
        // Before room is made for it. It may have grown meanwhile.
        let end = self.offset.saturating_add(HEAD as u64).saturating_add(u64::from(head.packed));
        if end > self.len {
            self.len = self.file.get_ref().metadata()?.len();
        }
        if end > self.len {
            return Ok(Found::Nothing(TearKind::Cut));
        }
        packed.resize(head.packed as usize, 0);
        if !read_whole(&mut self.file, packed)? {
            return Ok(Found::Nothing(TearKind::Cut));
        }
        if head.unpack(packed, content).is_none() {
            return Ok(Found::Nothing(TearKind::Damaged));
        }
        match head.kind {
            Kind::Records => {
                self.offset = end;
                Ok(Found::Block(head))
            }
            Kind::End => Ok(match end::from_bytes(content) {
                Some((said, _)) => Found::End(said),
                None => Found::Nothing(TearKind::Damaged),
            }),
        }
    }
}

/// False if the file ends too early.
fn read_whole(file: &mut impl Read, bytes: &mut [u8]) -> io::Result<bool> {
    match file.read_exact(bytes) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(false),
        Err(error) => Err(error),
    }
}
