//! Eight bytes at a time in an ordinary register: digits, and where a byte stands.
//!
//! A word holds its text in reading order from the lowest byte up, whatever the machine. No
//! intrinsics: nothing is detected at run time, and every target does the same. Always inlined,
//! because each is a few instructions between others.
#![allow(clippy::inline_always, reason = "see above; measured")]

use crate::num::{Decimal, Price};

/// One in each byte.
const ONES: u64 = u64::MAX / 255;
/// The highest bit of each byte.
const HIGHS: u64 = ONES << 7;

/// How many bytes there are before the first that a string cannot hold as it is: a quote, a backslash,
/// a control character. All of them if there is none.
#[inline]
pub(super) fn plain_len(bytes: &[u8]) -> usize {
    let mut rest = bytes;
    while let Some((word, behind)) = rest.split_first_chunk() {
        let word = u64::from_le_bytes(*word);
        let controls = word.wrapping_sub(ONES * 0x20) & !word & HIGHS;
        let marks = find(word, b'"') | find(word, b'\\') | controls;
        if marks != 0 {
            let before = bytes.len().wrapping_sub(rest.len());
            return before.wrapping_add(marks.trailing_zeros() as usize / 8);
        }
        rest = behind;
    }
    let plain = rest.iter().take_while(|&&byte| !matches!(byte, b'"' | b'\\' | 0..0x20)).count();
    bytes.len().wrapping_sub(rest.len()).wrapping_add(plain)
}

/// The same, and the bytes stop at whatever is not ASCII, too.
#[inline]
pub(super) fn text_len(bytes: &[u8]) -> usize {
    let mut rest = bytes;
    while let Some((word, behind)) = rest.split_first_chunk() {
        let word = u64::from_le_bytes(*word);
        // The first mark is right: only a mark below it can make a wrong one.
        let controls = word.wrapping_sub(ONES * 0x20);
        let marks = find(word, b'"') | find(word, b'\\') | (controls | word) & HIGHS;
        if marks != 0 {
            let before = bytes.len().wrapping_sub(rest.len());
            return before.wrapping_add(marks.trailing_zeros() as usize / 8);
        }
        rest = behind;
    }
    let is_plain = |&&byte: &&u8| !matches!(byte, b'"' | b'\\' | 0..0x20 | 0x80..);
    bytes.len().wrapping_sub(rest.len()).wrapping_add(rest.iter().take_while(is_plain).count())
}

/// How many digits there are at the beginning.
#[inline]
pub(super) fn digits_len(bytes: &[u8]) -> usize {
    let mut rest = bytes;
    while let Some((word, behind)) = rest.split_first_chunk() {
        let non_digits = Digits::of(u64::from_le_bytes(*word)).non_digits();
        if non_digits != 0 {
            let before = bytes.len().wrapping_sub(rest.len());
            return before.wrapping_add(non_digits.trailing_zeros() as usize / 8);
        }
        rest = behind;
    }
    let digits = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
    bytes.len().wrapping_sub(rest.len()).wrapping_add(digits)
}

/// The number that up to nineteen digits spell; `None` for more or none, for a zero before others, and
/// for anything else.
#[inline]
pub(super) fn whole_number(text: &[u8]) -> Option<u64> {
    let is_padded = text.len() > 1 && text.first() == Some(&b'0');
    if is_padded { None } else { digits(text) }
}

/// A price of up to six digits before the point and twelve behind it.
#[inline]
pub(super) fn usual_price(text: &[u8]) -> Option<Price> {
    const UNIT: u64 = 10_u64.pow(Price::SCALE as u32);
    let point = text.iter().take(7).position(|&byte| byte == b'.');
    let (whole, fraction) = text.split_at_checked(point.unwrap_or(text.len()))?;
    let units = whole_number(whole).filter(|_| whole.len() < 7)?.wrapping_mul(UNIT);
    let fraction = match fraction.split_first() {
        None => 0,
        Some((_, places)) => {
            let missing = u32::from(Price::SCALE).checked_sub(places.len() as u32)?;
            digits(places)?.wrapping_mul(10_u64.pow(missing))
        }
    };
    Price::from_scaled(units.wrapping_add(fraction) as i64)
}

/// A number of up to nineteen digits, with a sign or a point perhaps.
#[inline]
pub(super) fn usual_decimal(text: &[u8]) -> Option<Decimal> {
    let (is_negative, text) = match text.split_first()? {
        (b'-', rest) => (true, rest),
        _ => (false, text),
    };
    let point = text.iter().position(|&byte| byte == b'.');
    let (whole, fraction) = text.split_at_checked(point.unwrap_or(text.len()))?;
    let value = whole_number(whole)?;
    let Some((_, places)) = fraction.split_first() else {
        return Some(Decimal::of_digits(is_negative, value, 0));
    };
    if whole.len().wrapping_add(places.len()) > 19 {
        return None;
    }
    let value = value.wrapping_mul(10_u64.pow(places.len() as u32));
    let value = value.wrapping_add(digits(places)?);
    Some(Decimal::of_digits(is_negative, value, places.len() as u8))
}

/// The number that up to nineteen digits spell, whatever they begin with.
#[inline]
fn digits(text: &[u8]) -> Option<u64> {
    if text.is_empty() || text.len() > 19 {
        return None;
    }
    let (words, rest) = text.as_chunks();
    let mut non_digits = 0;
    let whole = words.iter().fold(0_u64, |sum, word| {
        let digits = Digits::of(u64::from_le_bytes(*word));
        non_digits |= digits.non_digits();
        sum.wrapping_mul(100_000_000).wrapping_add(digits.value())
    });
    let value = rest.iter().try_fold(whole, |sum, byte| {
        let digit = byte.wrapping_sub(b'0');
        (digit <= 9).then(|| sum.wrapping_mul(10).wrapping_add(u64::from(digit)))
    });
    value.filter(|_| non_digits == 0)
}

/// The eight bytes that end before `end`.
#[inline(always)]
pub(super) fn word_before(bytes: &[u8], end: usize) -> Option<u64> {
    let (_, last) = bytes.get(..end)?.split_last_chunk()?;
    Some(u64::from_le_bytes(*last))
}

/// The sixteen bytes that end before `end`.
#[inline(always)]
pub(super) fn pair_before(bytes: &[u8], end: usize) -> Option<[u64; 2]> {
    let (_, last) = bytes.get(..end)?.split_last_chunk()?;
    Some(pair_of(*last))
}

/// The eight bytes from `start` on.
#[inline(always)]
pub(super) fn word_at(bytes: &[u8], start: usize) -> Option<u64> {
    Some(u64::from_le_bytes(*chunk_at(bytes, start)?))
}

/// The four bytes from `start` on.
#[inline(always)]
pub(super) fn half_word_at(bytes: &[u8], start: usize) -> Option<u32> {
    Some(u32::from_le_bytes(*chunk_at(bytes, start)?))
}

/// The sixteen bytes from `start` on.
#[inline(always)]
pub(super) fn pair_at(bytes: &[u8], start: usize) -> Option<[u64; 2]> {
    Some(pair_of(*chunk_at(bytes, start)?))
}

#[inline(always)]
const fn pair_of(bytes: [u8; 16]) -> [u64; 2] {
    let pair = u128::from_le_bytes(bytes);
    [pair as u64, (pair >> 64) as u64]
}

/// As many bytes as wanted from `start` on.
#[inline(always)]
pub(super) fn chunk_at<const N: usize>(bytes: &[u8], start: usize) -> Option<&[u8; N]> {
    bytes.get(start..)?.first_chunk()
}

/// The words in some bytes.
#[inline(always)]
pub(super) fn words(bytes: &[u8]) -> impl Iterator<Item = u64> {
    bytes.as_chunks().0.iter().map(|word| u64::from_le_bytes(*word))
}

/// Marks each byte that is `byte` by its highest bit. A byte behind one of them that differs from it
/// in the lowest bit only is marked as well: the first mark is always right, the last one if what
/// stands behind it is looked at, too.
#[inline(always)]
pub(super) const fn find(word: u64, byte: u8) -> u64 {
    let other = word ^ ONES.wrapping_mul(byte as u64);
    other.wrapping_sub(ONES) & !other & HIGHS
}

/// The same in fewer steps; but the first mark is right only if every byte before it is ASCII, and the
/// last one only if none before it was made by one. They have to be looked at.
#[inline(always)]
pub(super) const fn find_text(word: u64, byte: u8) -> u64 {
    (word ^ ONES.wrapping_mul(byte as u64)).wrapping_sub(ONES) & HIGHS
}

/// What [`Digits::up_to_second_mark`] has split.
#[derive(Clone, Copy)]
pub(super) struct Split {
    /// With zeros before them; if there are none, anything.
    pub(super) digits: Digits,
    /// Before how many bits the marked bytes begin.
    pub(super) first: u32,
    pub(super) second: u32,
}

/// Eight digits as their values, the first one lowest. Until [`non_digits`](Self::non_digits) is looked at, they
/// may be anything.
#[derive(Clone, Copy)]
pub(super) struct Digits(u64);

impl Digits {
    /// Eight zeros.
    pub(super) const NONE: Self = Self(0);

    /// The digits of a text.
    #[inline(always)]
    pub(super) const fn of(text: u64) -> Self {
        Self(text ^ (ONES * b'0' as u64))
    }

    /// Those behind a mark, with zeros in place of the others; all eight if nothing is behind it, the
    /// marked one included, so that it is no digit.
    #[inline(always)]
    pub(super) const fn behind(self, mark: u32) -> Self {
        Self(self.0 & u64::MAX.wrapping_shl(mark.wrapping_add(1)))
    }

    /// Whether the one behind a mark is a zero.
    #[inline(always)]
    pub(super) const fn is_zero_behind(self, mark: u32) -> bool {
        self.0.wrapping_shr(mark.wrapping_add(1)) as u8 == 0
    }

    /// Those before a mark, with zeros before them; all eight if nothing is before it, the marked one
    /// included, so that it is no digit.
    #[inline(always)]
    pub(super) const fn before(self, mark: u32) -> Self {
        Self(self.0.wrapping_shl(7_u32.wrapping_sub(mark)))
    }

    /// Those where a mask is all ones, with zeros before them.
    #[inline(always)]
    pub(super) const fn under(self, mask: u64) -> Self {
        Self(self.0 & mask)
    }

    /// Moved behind so many bits of zeros.
    #[inline(always)]
    pub(super) const fn shifted(self, bits: u32) -> Self {
        Self(self.0.wrapping_shl(bits))
    }

    /// How many bits stand behind the point; 64 if there is none.
    #[inline(always)]
    pub(super) const fn bits_behind_point(self) -> u32 {
        find(self.0, b'.' ^ b'0').leading_zeros()
    }

    /// Closes the gap that a point leaves.
    #[inline(always)]
    pub(super) const fn without_point(self, bits_behind: u32) -> Self {
        // What is no digit behind it goes, too.
        let fraction = u64::MAX.wrapping_shl(64_u32.wrapping_sub(bits_behind));
        Self(self.0 & fraction | (self.0 << 8) & !fraction)
    }

    /// Those before the second byte that is none, without the first such byte: two numbers with
    /// something between them as one. `None` without a second one.
    #[inline(always)]
    pub(super) const fn up_to_second_mark(self) -> Option<Split> {
        let marks = self.non_digits();
        let before = marks.wrapping_sub(1);
        let rest = marks & before;
        if rest == 0 {
            return None;
        }
        // All bits before the first mark's byte.
        let below = (marks ^ before) >> 8;
        let moved = self.0 >> 8;
        let closed = moved ^ ((moved ^ self.0) & below);
        let (first, second) = (marks.trailing_zeros() & !7, rest.trailing_zeros() & !7);
        // To the end of the word, so that nothing is left of what is behind it.
        let digits = Self(closed.wrapping_shl(72_u32.wrapping_sub(second)));
        Some(Split { digits, first, second })
    }

    /// Not zero if something else than a digit is there. To be gathered with `|`.
    #[inline(always)]
    pub(super) const fn non_digits(self) -> u64 {
        (self.0.wrapping_add(ONES * (0x7f - 9)) | self.0) & HIGHS
    }

    /// The number that they spell.
    #[inline(always)]
    pub(super) const fn value(self) -> u64 {
        // Pairs, then fours, then all eight: each step adds the digits before, ten times, a hundred
        // times and so on, from below.
        const PAIRS: u64 = 0x00ff_00ff_00ff_00ff;
        const FOURS: u64 = 0x0000_ffff_0000_ffff;
        let pairs = self.0.wrapping_mul(10 << 8 | 1) >> 8;
        let fours = (pairs & PAIRS).wrapping_mul(100 << 16 | 1) >> 16;
        (fours & FOURS).wrapping_mul(10_000 << 32 | 1) >> 32
    }
}
