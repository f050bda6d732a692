//! Drives a client with what another one was told.

use std::path::Path;

use kucoin_futures_proto::{Client, Input, Instant, Output, PushTag, UnixNanos};

use crate::digest::{Digest, Hasher, put_output};
use crate::error::{RecordingError, Tear};
use crate::format::block::Head;
use crate::format::end::SegmentEnd;
use crate::format::record::{self, Call, Record};
use crate::format::wire::Take;
use crate::reader::{Ahead, Next, Session, Unpacked};
use crate::sink::{Moment, Sink};

/// A client that is told what the recorded one was, input by input, and held against what that one put out, block by
/// block.
///
/// ```no_run
/// use std::path::Path;
/// use kucoin_futures_data::{Recording, Replayer};
///
/// for session in &Recording::open(Path::new("yesterday"))?.sessions {
///     let mut replayer = Replayer::new(session);
///     while replayer.step(&mut ())? {}
///     let end = replayer.replayed();
///     println!("{}: {} inputs, equal: {}", session.name(), end.records, end.is_equal());
/// }
/// # Ok::<(), kucoin_futures_data::RecordingError>(())
/// ```
#[derive(Debug)]
pub struct Replayer {
    client: Client,
    session: Session,
    /// Once it was asked for.
    blocks: Option<Ahead>,
    bytes_read: u64,
    block: Block,
    outputs: Outputs,
    hasher: Hasher,
    replayed: Replayed,
    is_started: bool,
    is_ended: bool,
    /// When the latest input came, or the client was made.
    latest: (Instant, UnixNanos),
}

/// What a replay came to, so far.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct Replayed {
    /// What the client was told: inputs and commands.
    pub records: u64,
    /// What it put out.
    pub outputs: u64,
    /// The digest of what it put out, as of the latest whole block.
    pub digest: Digest,
    /// The same as it was recorded.
    pub recorded: Digest,
    /// The first block after which the two differed, with the times between which it happened.
    pub differs: Option<Difference>,
    /// How the session ended; `None` if it goes on or is torn.
    pub end: Option<SegmentEnd>,
    /// What came after that end, and is not in the recording.
    pub lost: u64,
    /// Where it is torn.
    pub tear: Option<Tear>,
}

/// Between which times a replay began to differ.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct Difference {
    /// The number of the block.
    pub block: u64,
    /// When its first record came.
    pub from: UnixNanos,
    /// When its last record came.
    pub to: UnixNanos,
}

/// The block that is being replayed.
#[derive(Debug, Default)]
struct Block {
    head: Option<Head>,
    content: Vec<u8>,
    /// Where the next record begins.
    at: usize,
    /// The time of the one before.
    before: Option<Instant>,
    left: u32,
}

impl Replayed {
    /// Whether all outputs were those that were recorded, up to the latest whole block.
    #[must_use]
    pub fn is_equal(&self) -> bool {
        self.differs.is_none()
    }
}

impl Replayer {
    /// At the beginning of a session.
    #[must_use]
    pub fn new(session: &Session) -> Self {
        let empty = Hasher::default().digest();
        let started = session.started();
        Self {
            client: Client::new(started, session.seed(), session.config().clone()),
            session: session.clone(),
            blocks: None,
            bytes_read: 0,
            block: Block::default(),
            outputs: Outputs::default(),
            hasher: Hasher::default(),
            replayed: Replayed {
                records: 0,
                outputs: 0,
                digest: empty,
                recorded: empty,
                differs: None,
                end: None,
                lost: 0,
                tear: None,
            },
            is_started: false,
            is_ended: false,
            latest: (started, session.started_at()),
        }
    }

    /// The client, as it is after what it was told so far.
    #[must_use]
    pub const fn client(&self) -> &Client {
        &self.client
    }

    /// What it came to so far.
    #[must_use]
    pub const fn replayed(&self) -> &Replayed {
        &self.replayed
    }

    /// Bytes of the session's files that were read, of [`Session::bytes`].
    #[must_use]
    pub const fn bytes_read(&self) -> u64 {
        self.bytes_read
    }

    /// When the next input came, by the wall clock; `None` at the end.
    ///
    /// # Errors
    /// The recording cannot be read on.
    pub fn next_at(&mut self) -> Result<Option<UnixNanos>, RecordingError> {
        if !self.fill()? {
            return Ok(None);
        }
        let Some(head) = self.block.head else { return Ok(None) };
        Ok(Some(head.wall_at(self.block.peek().unwrap_or(head.first))))
    }

    /// Tells the client the next thing, and shows what comes of it; `false` at the end, once it was shown.
    ///
    /// # Errors
    /// The recording cannot be read on, or the sink could not write.
    #[inline]
    pub fn step<S: Sink + ?Sized>(&mut self, sink: &mut S) -> Result<bool, RecordingError> {
        if !self.is_started {
            self.is_started = true;
            let (now, received) = self.latest;
            sink.on_start(&Moment::new(now, received, &self.client))
                .map_err(RecordingError::Sink)?;
        }
        if !self.fill()? {
            if std::mem::replace(&mut self.is_ended, true) {
                return Ok(false);
            }
            let moment = Moment::new(self.latest.0, self.latest.1, &self.client);
            sink.on_end(&moment).map_err(RecordingError::Sink)?;
            return Ok(false);
        }
        let Some(head) = self.block.head else { return Ok(false) };
        let Some((record, at)) = self.block.read() else {
            // The block is whole and does not hold what it says: it was not written by this program.
            self.block.left = 0;
            self.compare(&head);
            return Ok(true);
        };
        let now = record.now;
        let received = head.wall_at(now);
        self.outputs.take(&mut self.client, &record);
        self.replayed.outputs += self.outputs.kept.len() as u64;
        let moment = Moment::new(now, received, &self.client);
        self.outputs.show(&moment, bytes_of(&record.call), sink)?;
        self.latest = (now, received);
        self.replayed.records += 1;
        self.block.at = at;
        self.block.before = Some(now);
        self.block.left = self.block.left.saturating_sub(1);
        if self.block.left == 0 {
            self.compare(&head);
        }
        Ok(true)
    }

    /// All that is left.
    ///
    /// # Errors
    /// The recording cannot be read on, or the sink could not write.
    pub fn run<S: Sink + ?Sized>(&mut self, sink: &mut S) -> Result<(), RecordingError> {
        while self.step(sink)? {}
        Ok(())
    }

    /// Sees to it that there is a record; `false` at the end.
    #[inline]
    fn fill(&mut self) -> Result<bool, RecordingError> {
        if self.block.left > 0 { Ok(true) } else { self.next_block() }
    }

    #[cold]
    fn next_block(&mut self) -> Result<bool, RecordingError> {
        while self.block.left == 0 {
            let Some(unpacked) = self.unpacked()? else { return Ok(false) };
            self.bytes_read = unpacked.read;
            self.block.content = unpacked.content;
            match unpacked.next {
                Next::Block(head) => {
                    self.block.at = 0;
                    self.block.before = Some(head.first);
                    self.block.left = head.records;
                    self.block.head = Some(head);
                }
                Next::End(end, lost) => {
                    self.replayed.end = Some(end);
                    self.replayed.lost = lost;
                }
                Next::Tear(tear) => self.replayed.tear = Some(tear),
            }
        }
        Ok(true)
    }

    fn unpacked(&mut self) -> Result<Option<Unpacked>, RecordingError> {
        let used = std::mem::take(&mut self.block.content);
        let blocks = match &mut self.blocks {
            Some(blocks) => blocks,
            none => {
                let path = self.session.files().next().unwrap_or_else(|| Path::new("")).to_owned();
                none.insert(Ahead::start(&self.session).map_err(RecordingError::io(path))?)
            }
        };
        blocks.next(used)
    }

    #[cold]
    fn compare(&mut self, head: &Head) {
        self.hasher.update(&self.outputs.bytes);
        self.outputs.bytes.clear();
        self.replayed.digest = self.hasher.digest();
        self.replayed.recorded = head.digest;
        let is_equal = self.replayed.digest == head.digest
            && self.replayed.outputs == head.outputs
            && Some(self.replayed.records)
                == head.records_before.checked_add(u64::from(head.records));
        if !is_equal && self.replayed.differs.is_none() {
            let [from, to] = [head.first, head.last].map(|at| head.wall_at(at));
            self.replayed.differs = Some(Difference { block: head.number, from, to });
        }
    }
}

impl Block {
    fn rest(&self) -> Take<'_> {
        Take(self.content.get(self.at..).unwrap_or_default())
    }

    fn peek(&self) -> Option<Instant> {
        record::take(&mut self.rest(), self.before?).map(|record| record.now)
    }

    /// The next record, and where the one behind it begins.
    #[inline]
    fn read(&self) -> Option<(Record<'_>, usize)> {
        let mut rest = self.rest();
        let record = record::take(&mut rest, self.before?)?;
        Some((record, self.content.len() - rest.0.len()))
    }
}

/// What one call has put out, in order. Shown only then: while it comes out, the client is not to be looked at.
#[derive(Debug, Default)]
struct Outputs {
    kept: Vec<Kept>,
    /// All of them so far, as they are digested.
    bytes: Vec<u8>,
}

#[derive(Debug)]
enum Kept {
    Output(Output<'static>),
    /// A message that lies in the input.
    Push(PushTag),
}

impl Outputs {
    #[inline]
    fn keep(&mut self, output: Output<'_>) {
        put_output(&mut self.bytes, &output);
        self.kept.push(match output {
            Output::Push(push) => Kept::Push(push.tag()),
            Output::Event(event) => Kept::Output(Output::Event(event)),
            Output::Send { conn, text } => Kept::Output(Output::Send { conn, text }),
            Output::Open { conn, to } => Kept::Output(Output::Open { conn, to }),
            Output::Close { conn } => Kept::Output(Output::Close { conn }),
            Output::Fetch(request) => Kept::Output(Output::Fetch(request)),
        });
    }

    /// Tells the client what was recorded, and takes what was taken then.
    #[inline]
    fn take(&mut self, client: &mut Client, record: &Record<'_>) {
        match record.call {
            Call::Input(input) => {
                let mut turn = client.handle(record.now, input);
                if record.is_drained {
                    while let Some(output) = turn.next() {
                        self.keep(output);
                    }
                } else if let Some(push) = turn.into_message() {
                    self.keep(Output::Push(push));
                }
            }
            Call::Command(command) => {
                // Whatever came of it then comes of it again.
                let _ = client.command(record.now, command);
            }
            Call::Poll => {
                while let Some(output) = client.poll_output() {
                    self.keep(output);
                }
            }
        }
    }

    #[inline]
    fn show<S: Sink + ?Sized>(
        &mut self,
        moment: &Moment<'_>,
        bytes: &[u8],
        sink: &mut S,
    ) -> Result<(), RecordingError> {
        for kept in self.kept.drain(..) {
            match kept {
                Kept::Output(output) => sink.on_output(moment, &output),
                Kept::Push(tag) => sink.on_output(moment, &Output::Push(tag.on(bytes))),
            }
            .map_err(RecordingError::Sink)?;
        }
        Ok(())
    }
}

/// What a message lies in.
const fn bytes_of<'a>(call: &Call<'a>) -> &'a [u8] {
    match call {
        Call::Input(Input::Text { bytes, .. } | Input::Reply { body: bytes, .. }) => bytes,
        _ => &[],
    }
}
