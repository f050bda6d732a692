//! The end of a segment that was not cut off: why it ended, and where its blocks are.

use serde::{Deserialize, Serialize};

use super::block::{HEAD, Head};
use super::wire::Take;

/// Why a segment ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum SegmentEnd {
    /// The session goes on in the next one.
    Rotated,
    /// The recorder was finished: nothing was left out.
    Finished,
    /// More waited to be written than may: the disk was full or slow. What came then is not in the session.
    Overflowed,
}

/// What the end says.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct End {
    pub(crate) end: SegmentEnd,
    /// Records that are not in the session.
    pub(crate) lost: u64,
}

/// The last bytes of a segment that was not cut off, behind the place of its end block.
pub(crate) const MAGIC: [u8; 8] = *b"KCFEND\r\n";

/// Where a block is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Place {
    pub(crate) offset: u64,
    pub(crate) head: Head,
}

/// The content of the last block.
pub(crate) fn to_bytes(end: &End, index: &[Place]) -> Vec<u8> {
    let text = serde_json::to_vec(end).unwrap_or_default();
    let mut bytes = (text.len() as u32).to_le_bytes().to_vec();
    bytes.extend_from_slice(&text);
    for Place { offset, head } in index {
        bytes.extend_from_slice(&offset.to_le_bytes());
        bytes.extend_from_slice(&head.to_bytes());
    }
    bytes
}

pub(crate) fn from_bytes(bytes: &[u8]) -> Option<(End, Vec<Place>)> {
    let mut left = Take(bytes);
    let len = left.u32()?;
    let end = serde_json::from_slice(left.bytes(len as usize)?).ok()?;
    let mut index = Vec::new();
    while !left.0.is_empty() {
        let offset = left.u64()?;
        let head = Head::from_bytes(&left.array::<HEAD>()?)?;
        index.push(Place { offset, head });
    }
    Some((end, index))
}
