//! Records what a client is told, beside it: the feed never waits for a disk.
//!
//! ```text
//!  the feed's thread                              the writer's thread
//!  Tap ── encode, mask ──> one block grows ──────> seal, digest, pack ──> file ──> sync
//!                             └ shared ┘ full, or a second old
//! ```

mod clock;
mod options;
mod segment;
mod shared;
mod status;
mod writer;

use std::borrow::Cow;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread::JoinHandle;

use kucoin_futures_proto::{Command, Config, Input, Instant, Output, Tap};

use crate::digest;
use crate::format::record::{self, Call, DRAINED};
use crate::mask::Mask;
use segment::SegmentFile;
use shared::Shared;
use writer::Writer;

pub use options::{RecorderOptions, SyncPolicy};
pub use status::RecorderStatus;

/// Writes one session into a folder: all that one client is told, from its making to its end.
///
/// [`tap`](Self::tap) is what a feed is given; this is who to ask how it goes, and to wait for at the end. Dropping it
/// writes what there is, like [`finish`](Self::finish), and tells nobody.
///
/// Nothing stops the feed. While the disk is full or stands still, what comes is kept in memory
/// ([`RecorderOptions::queue_bytes`]) and tried again; beyond that the session ends, what came later is counted
/// ([`RecorderStatus::lost`]), and the recording says so.
#[derive(Debug)]
pub struct Recorder {
    shared: Arc<Shared>,
    path: PathBuf,
    session: String,
    thread: Option<JoinHandle<()>>,
}

impl Recorder {
    /// Begins a session in a folder, which is made if it is not there. Its name is the time.
    ///
    /// # Errors
    /// The folder cannot be made or written to.
    pub fn create(folder: &Path, options: RecorderOptions) -> io::Result<Self> {
        let options = options.in_order();
        std::fs::create_dir_all(folder)?;
        let (session, file) = SegmentFile::create_session(folder, (options.wall)(Instant::ZERO))?;
        let path = file.path().to_owned();
        let shared = Arc::new(Shared::new(options));
        let (folder, named) = (folder.to_owned(), session.clone());
        let theirs = Arc::clone(&shared);
        let thread = std::thread::Builder::new()
            .name("kucoin-recorder".into())
            .spawn(move || Writer::run(&theirs, folder, named, file))?;
        Ok(Self { shared, path, session, thread: Some(thread) })
    }

    /// What a feed is given, once.
    #[must_use]
    pub fn tap(&self) -> Box<dyn Tap> {
        let shared = Arc::clone(&self.shared);
        Box::new(Recording { shared, mask: Mask::default(), pending: Pending::new() })
    }

    /// The session's first file.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The session's name: the time when it began. Its files are `NAME.SEGMENT.kcr`.
    #[must_use]
    pub fn session(&self) -> &str {
        &self.session
    }

    /// How it goes.
    #[must_use]
    pub fn status(&self) -> RecorderStatus {
        self.shared.status()
    }

    /// Writes what there is and waits for that: as long as the disk takes, but not for room on a full one. An error
    /// says why not all of it could be written: [`RecorderStatus::lost`] counts what is in no file.
    pub fn finish(mut self) -> (RecorderStatus, io::Result<()>) {
        let joined = self.join();
        let status = self.shared.status();
        let result = match status.error {
            Some(kind) => Err(kind.into()),
            None if status.lost > 0 => Err(io::ErrorKind::StorageFull.into()),
            None => joined,
        };
        (status, result)
    }

    fn join(&mut self) -> io::Result<()> {
        self.shared.close();
        let joined = self.thread.take().map(JoinHandle::join);
        joined
            .transpose()
            .map(drop)
            .map_err(|_| io::Error::other("the recorder's thread has panicked"))
    }
}

impl Drop for Recorder {
    fn drop(&mut self) {
        // Nobody is there to be told.
        let _ = self.join();
    }
}

/// The end that a feed has.
#[derive(Debug)]
struct Recording {
    shared: Arc<Shared>,
    mask: Mask,
    pending: Pending,
}

/// The latest call, with what came of it: whole once the next one begins, or all was taken.
#[derive(Debug)]
pub(crate) struct Pending {
    is_there: bool,
    pub(crate) now: Instant,
    pub(crate) kind: u8,
    pub(crate) rest: Vec<u8>,
    /// The bytes of its input, if they are not written as they are.
    masked: Option<Vec<u8>>,
    pub(crate) outputs: Vec<u8>,
    pub(crate) count: u64,
}

impl Pending {
    pub(crate) const fn new() -> Self {
        Self {
            is_there: false,
            now: Instant::ZERO,
            kind: 0,
            rest: Vec::new(),
            masked: None,
            outputs: Vec::new(),
            count: 0,
        }
    }
}

impl Recording {
    #[inline]
    fn begin(&mut self, now: Instant, call: &Call<'_>, text: &[u8]) {
        self.commit();
        self.pending.is_there = true;
        self.pending.now = now;
        self.pending.kind = record::put_rest(&mut self.pending.rest, call, text);
    }

    #[inline]
    fn commit(&mut self) {
        let pending = &mut self.pending;
        if std::mem::take(&mut pending.is_there) {
            self.shared.append(pending);
            pending.rest.clear();
            pending.outputs.clear();
            pending.count = 0;
            pending.masked = None;
        }
    }
}

impl Tap for Recording {
    fn on_start(&mut self, now: Instant, seed: u64, config: &Config) {
        self.pending.now = now;
        self.shared.start(now, seed, config.clone());
    }

    fn on_command(&mut self, now: Instant, command: Command) {
        self.begin(now, &Call::Command(command), &[]);
        // What it puts out is asked for later.
        self.commit();
    }

    #[inline]
    fn on_input(&mut self, now: Instant, input: &Input<'_>) {
        match self.mask.of(input) {
            Cow::Borrowed(bytes) => self.begin(now, &Call::Input(*input), bytes),
            Cow::Owned(bytes) => {
                self.begin(now, &Call::Input(*input), &bytes);
                self.pending.masked = Some(bytes);
            }
        }
    }

    #[inline]
    fn on_output(&mut self, output: &Output<'_>) {
        let pending = &mut self.pending;
        pending.count += 1;
        match (output, &pending.masked) {
            // What was masked in the input is in its message, too.
            (Output::Push(push), Some(masked)) => {
                let tag = push.tag();
                digest::put_output(&mut pending.outputs, &Output::Push(tag.on(masked)));
            }
            _ => digest::put_output(&mut pending.outputs, output),
        }
    }

    #[inline]
    fn on_drained(&mut self) {
        self.pending.kind |= DRAINED;
        self.commit();
    }

    fn on_poll(&mut self) {
        self.begin(self.pending.now, &Call::Poll, &[]);
    }
}

/// What is pending came of a call that is over.
impl Drop for Recording {
    fn drop(&mut self) {
        self.commit();
    }
}
