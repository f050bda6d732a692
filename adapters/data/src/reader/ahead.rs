//! Blocks are read and unpacked on a thread of its own, a few ahead of who needs them.

use std::io;
use std::sync::mpsc::{Receiver, Sender, SyncSender, channel, sync_channel};

use super::{BlockReader, Next, Session};
use crate::error::RecordingError;

/// So many blocks wait at most.
const AHEAD: usize = 4;

/// A block with its content, and how many bytes of the session were read by then.
#[derive(Debug)]
pub(crate) struct Unpacked {
    pub(crate) next: Next,
    pub(crate) content: Vec<u8>,
    pub(crate) read: u64,
}

/// The other end of the thread. It ends when this is dropped.
#[derive(Debug)]
pub(crate) struct Ahead {
    blocks: Receiver<Result<Unpacked, RecordingError>>,
    /// Room that can be used again.
    used: Sender<Vec<u8>>,
}

impl Ahead {
    pub(crate) fn start(session: &Session) -> io::Result<Self> {
        let reader = BlockReader::new(session);
        let (found, blocks) = sync_channel(AHEAD);
        let (used, room) = channel();
        std::thread::Builder::new()
            .name("kucoin-unpack".into())
            .spawn(move || run(reader, &found, &room))?;
        Ok(Self { blocks, used })
    }

    /// The next one; `None` once the end was told.
    pub(crate) fn next(&self, used: Vec<u8>) -> Result<Option<Unpacked>, RecordingError> {
        // The thread may be done.
        let _ = self.used.send(used);
        self.blocks.recv().ok().transpose()
    }
}

fn run(
    mut reader: BlockReader,
    found: &SyncSender<Result<Unpacked, RecordingError>>,
    room: &Receiver<Vec<u8>>,
) {
    loop {
        let mut content = room.try_recv().unwrap_or_default();
        let unpacked = match reader.next(&mut content) {
            Ok(Some(next)) => Ok(Unpacked { next, content, read: reader.read() }),
            Ok(None) => return,
            Err(error) => Err(error),
        };
        let is_over = unpacked.is_err();
        if found.send(unpacked).is_err() || is_over {
            return;
        }
    }
}
