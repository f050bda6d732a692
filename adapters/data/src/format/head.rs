//! The head of a segment: whose recording it is.

use std::io::{self, Read};

use kucoin_futures_proto::{Config, Instant, UnixNanos};
use serde::{Deserialize, Serialize};

use super::SCHEMA;

/// The first bytes of every segment.
pub(crate) const MAGIC: [u8; 8] = *b"KCFREC\r\n";
/// Most bytes of the text.
const MOST: u32 = 1 << 20;

/// What a segment says of itself, as JSON.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct SegmentHead {
    pub(crate) schema: u32,
    /// Who has written it.
    pub(crate) software: String,
    /// The session's name; files of one session share it.
    pub(crate) session: String,
    /// Which of the session's, from zero.
    pub(crate) segment: u32,
    /// Blocks of the session before it.
    pub(crate) blocks_before: u64,
    /// When the client was made, by both clocks.
    pub(crate) started: Instant,
    pub(crate) wall: UnixNanos,
    /// What it was made with.
    pub(crate) seed: u64,
    pub(crate) config: Config,
}

impl SegmentHead {
    pub(crate) fn to_bytes(&self) -> io::Result<Vec<u8>> {
        let text = serde_json::to_vec(self)?;
        let len = u32::try_from(text.len()).map_err(io::Error::other)?;
        let mut bytes = MAGIC.to_vec();
        bytes.extend_from_slice(&len.to_le_bytes());
        bytes.extend_from_slice(&crc32fast::hash(&text).to_le_bytes());
        bytes.extend_from_slice(&text);
        Ok(bytes)
    }

    /// Reads it, and how many bytes it has.
    pub(crate) fn read(from: &mut impl Read) -> Result<(Self, u64), HeadError> {
        let mut start = [0; 16];
        from.read_exact(&mut start).map_err(HeadError::of)?;
        let mut left = super::wire::Take(&start);
        if left.array() != Some(MAGIC) {
            return Err(HeadError::Foreign);
        }
        let (len, crc) = (left.u32().unwrap_or(0), left.u32().unwrap_or(0));
        if len > MOST {
            return Err(HeadError::Damaged);
        }
        let mut text = vec![0; len as usize];
        from.read_exact(&mut text).map_err(HeadError::of)?;
        if crc32fast::hash(&text) != crc {
            return Err(HeadError::Damaged);
        }
        // The schema first: whatever else a newer one says.
        #[derive(Deserialize)]
        struct Schema {
            schema: u32,
        }
        let Schema { schema } = serde_json::from_slice(&text).map_err(|_| HeadError::Damaged)?;
        if schema != SCHEMA {
            return Err(HeadError::Schema(schema));
        }
        let head = serde_json::from_slice(&text).map_err(|_| HeadError::Damaged)?;
        Ok((head, 16 + u64::from(len)))
    }
}

/// Why there is no head.
#[derive(Debug)]
pub(crate) enum HeadError {
    /// It is cut off: the file was being made.
    Cut,
    /// It is no segment.
    Foreign,
    /// It is one, and not as it was written.
    Damaged,
    /// It has another version.
    Schema(u32),
    Io(io::Error),
}

impl HeadError {
    fn of(error: io::Error) -> Self {
        if error.kind() == io::ErrorKind::UnexpectedEof { Self::Cut } else { Self::Io(error) }
    }
}
