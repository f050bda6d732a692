//! Numbers and pieces as bytes: little-endian, lengths in front, small numbers short.

/// Puts numbers and pieces behind what is there.
pub(crate) trait Put {
    /// Seven bits a byte, the least first; all but the last have their highest bit set (LEB128).
    fn put_number(&mut self, number: u64);
    /// Small ones of either sign are short (zigzag).
    fn put_signed(&mut self, number: i64);
    /// With its length in front.
    fn put_piece(&mut self, piece: &[u8]);
}

impl Put for Vec<u8> {
    #[inline]
    fn put_number(&mut self, mut number: u64) {
        while number >= 0x80 {
            self.push(number as u8 | 0x80);
            number >>= 7;
        }
        self.push(number as u8);
    }

    #[inline]
    fn put_signed(&mut self, number: i64) {
        self.put_number(((number << 1) ^ (number >> 63)) as u64);
    }

    #[inline]
    fn put_piece(&mut self, piece: &[u8]) {
        self.put_number(piece.len() as u64);
        self.extend_from_slice(piece);
    }
}

/// Takes them from the front of what is left. `None`: it ends too early, or says what cannot be.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Take<'a>(pub(crate) &'a [u8]);

impl<'a> Take<'a> {
    #[inline]
    pub(crate) fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (array, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(*array)
    }

    #[inline]
    pub(crate) fn byte(&mut self) -> Option<u8> {
        self.array().map(|[byte]| byte)
    }

    pub(crate) fn u32(&mut self) -> Option<u32> {
        self.array().map(u32::from_le_bytes)
    }

    pub(crate) fn u64(&mut self) -> Option<u64> {
        self.array().map(u64::from_le_bytes)
    }

    #[inline]
    pub(crate) fn number(&mut self) -> Option<u64> {
        let mut number = 0;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            let bits = u64::from(byte & 0x7f);
            // The tenth byte has room for one bit.
            if shift == 63 && bits > 1 {
                return None;
            }
            number |= bits << shift;
            if byte < 0x80 {
                return Some(number);
            }
        }
        None
    }

    #[inline]
    pub(crate) fn signed(&mut self) -> Option<i64> {
        let number = self.number()?;
        Some((number >> 1) as i64 ^ -((number & 1) as i64))
    }

    pub(crate) fn id(&mut self) -> Option<u32> {
        self.number()?.try_into().ok()
    }

    #[inline]
    pub(crate) fn bytes(&mut self, len: usize) -> Option<&'a [u8]> {
        let (piece, rest) = self.0.split_at_checked(len)?;
        self.0 = rest;
        Some(piece)
    }

    #[inline]
    pub(crate) fn piece(&mut self) -> Option<&'a [u8]> {
        let len = self.number()?.try_into().ok()?;
        self.bytes(len)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{Put as _, Take};

    proptest! {
        #[test]
        fn what_is_put_is_taken(number: u64, signed: i64, piece: Vec<u8>, cut: usize) {
            let mut bytes = Vec::new();
            bytes.put_number(number);
            bytes.put_signed(signed);
            bytes.put_piece(&piece);
            let mut take = Take(&bytes);
            prop_assert_eq!(take.number(), Some(number));
            prop_assert_eq!(take.signed(), Some(signed));
            prop_assert_eq!(take.piece(), Some(&piece[..]));
            prop_assert!(take.0.is_empty());
            // Nothing is read beyond an end.
            let mut take = Take(&bytes[..cut % bytes.len()]);
            let all = (|| Some((take.number()?, take.signed()?, take.piece()?.len())))();
            prop_assert_eq!(all, None);
        }

        #[test]
        fn hostile_numbers_are_refused_or_read(bytes: Vec<u8>) {
            let mut take = Take(&bytes);
            while take.number().is_some() {}
        }
    }
}
