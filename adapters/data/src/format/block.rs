//! A block: what can be read by itself, and is either whole or not there.

use std::io;

use kucoin_futures_proto::{Instant, UnixNanos};

use super::wire::Take;
use crate::digest::Digest;

/// In front of every block.
const MAGIC: [u8; 4] = *b"KCB1";
/// Bytes of a block's head.
pub(crate) const HEAD: usize = 116;
/// Most bytes of a block, packed or not: one that says more is damaged. A record holds at most one body of REST, of
/// a few megabytes.
pub(crate) const MOST: usize = 256 << 20;

/// What a block holds.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Kind {
    /// Records.
    Records,
    /// How the segment ended, and where its blocks are.
    End,
}

/// The head of a block.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Head {
    pub(crate) kind: Kind,
    /// Its number in the session, from zero.
    pub(crate) number: u64,
    /// The times of its first and its last record.
    pub(crate) first: Instant,
    pub(crate) last: Instant,
    /// When the wall clock was read, and what it said.
    pub(crate) read_at: Instant,
    pub(crate) wall: UnixNanos,
    /// Records of the session before it, and in it.
    pub(crate) records_before: u64,
    pub(crate) records: u32,
    /// Bytes of its content, and of that when it is packed.
    pub(crate) len: u32,
    pub(crate) packed: u32,
    /// CRC-32 of the packed content.
    pub(crate) crc: u32,
    /// Outputs of the session up to its end, and their digest.
    pub(crate) outputs: u64,
    pub(crate) digest: Digest,
}

impl Head {
    pub(crate) fn to_bytes(self) -> Vec<u8> {
        let kind = match self.kind {
            Kind::Records => 1,
            Kind::End => 2,
        };
        let mut bytes = Vec::with_capacity(HEAD);
        bytes.extend_from_slice(&MAGIC);
        bytes.extend_from_slice(&u32::to_le_bytes(kind));
        let times = [self.first, self.last, self.read_at].map(Instant::as_nanos);
        let [first, last, read_at] = times;
        for long in [self.number, first, last, read_at, self.wall.as_nanos(), self.records_before] {
            bytes.extend_from_slice(&long.to_le_bytes());
        }
        for short in [self.records, self.len, self.packed, self.crc] {
            bytes.extend_from_slice(&short.to_le_bytes());
        }
        bytes.extend_from_slice(&self.outputs.to_le_bytes());
        bytes.extend_from_slice(&self.digest.0);
        bytes.extend_from_slice(&crc32fast::hash(&bytes).to_le_bytes());
        bytes
    }

    /// `None`: no head stands here, or not as it was written.
    pub(crate) fn from_bytes(bytes: &[u8; HEAD]) -> Option<Self> {
        let (said, crc) = bytes.split_last_chunk()?;
        if crc32fast::hash(said) != u32::from_le_bytes(*crc) {
            return None;
        }
        let mut left = Take(said);
        if left.array()? != MAGIC {
            return None;
        }
        let kind = match left.u32()? {
            1 => Kind::Records,
            2 => Kind::End,
            _ => return None,
        };
        let number = left.u64()?;
        let [first, last, read_at] =
            [left.u64()?, left.u64()?, left.u64()?].map(Instant::from_nanos);
        let head = Self {
            kind,
            number,
            first,
            last,
            read_at,
            wall: UnixNanos::from_nanos(left.u64()?),
            records_before: left.u64()?,
            records: left.u32()?,
            len: left.u32()?,
            packed: left.u32()?,
            crc: left.u32()?,
            outputs: left.u64()?,
            digest: Digest(left.array()?),
        };
        let is_sane = head.len as usize <= MOST && head.packed as usize <= MOST;
        is_sane.then_some(head)
    }

    /// What the wall clock said, or would have said, at another time.
    pub(crate) fn wall_at(&self, now: Instant) -> UnixNanos {
        let (now, read_at) = (i128::from(now.as_nanos()), i128::from(self.read_at.as_nanos()));
        let nanos = i128::from(self.wall.as_nanos()) + now - read_at;
        UnixNanos::from_nanos(u64::try_from(nanos).unwrap_or_default())
    }

    /// Unpacks the content, if it is as it was written.
    pub(crate) fn unpack(&self, packed: &[u8], content: &mut Vec<u8>) -> Option<()> {
        if packed.len() != self.packed as usize || crc32fast::hash(packed) != self.crc {
            return None;
        }
        content.clear();
        content.reserve_exact(self.len as usize);
        let mut decoder = zstd::bulk::Decompressor::new().ok()?;
        let len = decoder.decompress_to_buffer(packed, content).ok()?;
        (len == self.len as usize).then_some(())
    }
}

/// Packs content at this level of zstd.
pub(crate) fn pack(content: &[u8], level: i32) -> io::Result<Vec<u8>> {
    zstd::bulk::compress(content, level)
}

/// The same without packing it, where there is no memory for that: a frame of zstd with raw blocks.
pub(crate) fn stored(content: &[u8]) -> Vec<u8> {
    /// What a raw block holds at most.
    const BLOCK: usize = 1 << 17;
    // The magic number; a content size of eight bytes and a single segment; the size.
    let mut bytes = vec![0x28, 0xb5, 0x2f, 0xfd, 0xe0];
    bytes.extend_from_slice(&(content.len() as u64).to_le_bytes());
    let last = content.len().div_ceil(BLOCK).max(1) - 1;
    for number in 0..=last {
        let begin = number * BLOCK;
        let end = content.len().min(begin + BLOCK);
        let piece = content.get(begin..end).unwrap_or_default();
        let head = (piece.len() as u32) << 3 | u32::from(number == last);
        bytes.extend(head.to_le_bytes().iter().take(3));
        bytes.extend_from_slice(piece);
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::{Digest, HEAD, Head, Instant, Kind, UnixNanos, pack};

    fn head(content: &[u8]) -> (Head, Vec<u8>) {
        let packed = pack(content, 3).unwrap();
        let head = Head {
            kind: Kind::Records,
            number: 7,
            first: Instant::from_nanos(1),
            last: Instant::from_nanos(9),
            read_at: Instant::from_nanos(2),
            wall: UnixNanos::from_nanos(1_000),
            records_before: 3,
            records: 4,
            len: content.len() as u32,
            packed: packed.len() as u32,
            crc: crc32fast::hash(&packed),
            outputs: 5,
            digest: Digest([6; 32]),
        };
        (head, packed)
    }

    #[test]
    fn any_flipped_bit_of_a_head_is_seen() {
        let (head, _) = head(b"content");
        let bytes: [u8; HEAD] = head.to_bytes().try_into().unwrap();
        assert_eq!(Head::from_bytes(&bytes), Some(head));
        for bit in 0..HEAD * 8 {
            let mut spoiled = bytes;
            spoiled[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(Head::from_bytes(&spoiled), None, "bit {bit}");
        }
    }

    #[test]
    fn any_flipped_bit_of_the_content_is_seen() {
        let (head, packed) = head(&[b"content, content, content".as_slice(); 9].concat());
        let mut content = Vec::new();
        assert_eq!(head.unpack(&packed, &mut content), Some(()));
        for bit in 0..packed.len() * 8 {
            let mut spoiled = packed.clone();
            spoiled[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(head.unpack(&spoiled, &mut content), None, "bit {bit}");
        }
    }

    #[test]
    fn what_cannot_be_packed_is_stored_and_read_all_the_same() {
        for len in [0, 1, 131_071, 131_072, 131_073, 400_000] {
            let content: Vec<u8> =
                (0..len).map(|n: u32| n.wrapping_mul(2_654_435_761) as u8).collect();
            let packed = super::stored(&content);
            let (head, _) = head(&content);
            let (packed_len, crc) = (packed.len() as u32, crc32fast::hash(&packed));
            let head = Head { packed: packed_len, crc, ..head };
            let mut read = Vec::new();
            assert_eq!(head.unpack(&packed, &mut read), Some(()), "{len}");
            assert_eq!(read, content, "{len}");
        }
    }

    #[test]
    fn the_wall_clock_is_told_for_times_before_and_after_it_was_read() {
        let (head, _) = head(b"");
        assert_eq!(head.wall_at(Instant::from_nanos(1)).as_nanos(), 999);
        assert_eq!(head.wall_at(Instant::from_nanos(10)).as_nanos(), 1_008);
        assert_eq!(
            head.wall_at(Instant::from_nanos(u64::MAX)).as_nanos(),
            0,
            "beyond any calendar"
        );
    }
}
