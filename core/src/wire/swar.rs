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
    // Anything but a digit in place of what is missing.
    let non_digits = Digits::of(short_word(rest)).non_digits();
    let digits = non_digits.trailing_zeros() as usize / 8;
    bytes.len().wrapping_sub(rest.len()).wrapping_add(digits)
}

/// The number that up to nineteen digits spell; `None` for more or none, for a zero before others, and
/// for anything else.
#[inline]
pub(super) fn whole_number(text: &[u8]) -> Option<u64> {
    let is_padded = text.len() > 1 && text.first() == Some(&b'0');
    if is_padded { None } else { digits(text) }
}

/// A price of up to nineteen digits.
#[inline]
pub(super) fn usual_price(text: &[u8]) -> Option<Price> {
    let (digits, places) = usual_number(text)?;
    price(digits, places)
}

/// The price that these digits spell, of which so many stand behind the point.
#[inline]
pub(super) fn price(digits: u64, places: u32) -> Option<Price> {
    let missing = usize::from(Price::SCALE).checked_sub(places as usize)?;
    let units = digits.checked_mul(*POWERS.get(missing)?)?;
    Price::from_scaled(i64::try_from(units).ok()?)
}

/// A number of up to nineteen digits, and perhaps a sign.
#[inline]
pub(super) fn usual_decimal(text: &[u8]) -> Option<Decimal> {
    let (is_negative, text) = match text.split_first()? {
        (b'-', rest) => (true, rest),
        _ => (false, text),
    };
    let (digits, places) = usual_number(text)?;
    Some(Decimal::of_digits(is_negative, digits, places as u8))
}

/// Ten to the power of the place.
#[allow(clippy::indexing_slicing, reason = "checked when it is compiled")]
const POWERS: [u64; 20] = {
    let mut powers = [1; 20];
    let mut at = 1;
    while at < powers.len() {
        powers[at] = powers[at - 1] * 10;
        at += 1;
    }
    powers
};

/// A number without a sign, of up to nineteen digits: what they spell, and how many of them stand behind the point.
/// `None` for anything longer, and for what is no number.
#[inline]
pub(super) fn usual_number(text: &[u8]) -> Option<(u64, u32)> {
    let (first, last) = text.split_at_checked(text.len().saturating_sub(8))?;
    if !may_begin(text) {
        return None;
    }
    if first.len() > 8 {
        return long_number(text);
    }
    let (high, low) = (Digits::of_short(first), Digits::of_short(last));
    let behind = low.bits_behind_point();
    if behind < 64 {
        let low = low.without_point(behind);
        let value = high.value().wrapping_mul(10_000_000).wrapping_add(low.value());
        let is_number = behind > 0 && (high.non_digits() | low.non_digits()) == 0;
        return is_number.then_some((value, behind / 8));
    }
    let behind = high.bits_behind_point();
    let (high, places) = match behind {
        64 => (high, 0),
        // The point is the last of them.
        0 => (high.shifted(8), 8),
        _ => (high.without_point(behind), (behind / 8).wrapping_add(8)),
    };
    let value = high.value().wrapping_mul(100_000_000).wrapping_add(low.value());
    ((high.non_digits() | low.non_digits()) == 0).then_some((value, places))
}

/// The same of more than sixteen bytes.
#[inline(never)]
fn long_number(text: &[u8]) -> Option<(u64, u32)> {
    let point = text.iter().position(|&byte| byte == b'.');
    let Some(point) = point else { return Some((digits(text)?, 0)) };
    let (whole, places) = (text.get(..point)?, text.get(point.wrapping_add(1)..)?);
    if text.len() > 20 {
        return None;
    }
    let value = digits(whole)?.wrapping_mul(*POWERS.get(places.len())?);
    Some((value.wrapping_add(digits(places)?), places.len() as u32))
}

/// Whether a number may begin like this: not with the point, nor with a zero before another digit.
#[inline]
fn may_begin(text: &[u8]) -> bool {
    match text {
        [b'0'] | [b'0', b'.', ..] => true,
        [first, ..] => !matches!(first, b'0' | b'.'),
        [] => false,
    }
}

/// The number that up to nineteen digits spell, whatever they begin with.
#[inline]
fn digits(text: &[u8]) -> Option<u64> {
    let (rest, last) = text.split_at_checked(text.len().saturating_sub(8))?;
    let (first, middle) = rest.split_at_checked(rest.len().saturating_sub(8))?;
    if text.is_empty() || first.len() > 3 {
        return None;
    }
    let (high, low) = (Digits::of_short(middle), Digits::of_short(last));
    let highest = if first.is_empty() { Digits::NONE } else { Digits::of_short(first) };
    let value = high.value().wrapping_mul(100_000_000).wrapping_add(low.value());
    let value = highest.value().wrapping_mul(POWERS[16]).wrapping_add(value);
    let non_digits = highest.non_digits() | high.non_digits() | low.non_digits();
    (non_digits == 0).then_some(value)
}

/// A text of up to eight bytes, with zeros behind it.
#[inline(always)]
fn short_word(text: &[u8]) -> u64 {
    match (text.first_chunk(), text.last_chunk()) {
        (Some(first), Some(last)) => {
            // The two overlap, unless there are eight bytes.
            let first = u64::from(u32::from_le_bytes(*first));
            let shift = (text.len() as u32).wrapping_mul(8).wrapping_sub(32);
            first | u64::from(u32::from_le_bytes(*last)).wrapping_shl(shift)
        }
        _ => match *text {
            [a] => u64::from(a),
            [a, b] => u64::from_le_bytes([a, b, 0, 0, 0, 0, 0, 0]),
            [a, b, c] => u64::from_le_bytes([a, b, c, 0, 0, 0, 0, 0]),
            _ => 0,
        },
    }
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

    /// The digits of a text of up to eight bytes, with zeros before them.
    #[inline(always)]
    pub(super) fn of_short(text: &[u8]) -> Self {
        let missing = 64_u32.wrapping_sub((text.len() as u32).wrapping_mul(8));
        if text.is_empty() {
            return Self::NONE;
        }
        Self::of(short_word(text).wrapping_shl(missing)).under(u64::MAX.wrapping_shl(missing))
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

#[cfg(test)]
mod tests {
    use alloc::string::String;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(2_000) })]

        #[test]
        fn usual_numbers_are_read_and_the_same(text in "-?(0|[1-9][0-9]{0,11})([.][0-9]{1,12})?") {
            let usual = usual_decimal(text.as_bytes());
            prop_assert_eq!(usual.is_some(), text.trim_start_matches('-').replace('.', "").len() <= 19, "{}", text);
            if usual.is_some() {
                prop_assert_eq!(usual, Decimal::parse(text.as_bytes()));
            }
            let price = usual_price(text.as_bytes());
            if price.is_some() {
                prop_assert_eq!(price, Price::parse(text.as_bytes(), "price").ok());
            }
        }

        #[test]
        fn what_is_no_number_is_none(text in "[-+0-9./eE :\"\u{e9}]{0,20}") {
            let bytes = text.as_bytes();
            for usual in [usual_decimal(bytes), whole_number(bytes).and_then(|n| Decimal::new(i128::from(n), 0))] {
                prop_assert!(usual.is_none() || usual == Decimal::parse(bytes), "{} {:?}", text, usual);
            }
            if let Some(price) = usual_price(bytes) {
                prop_assert_eq!(Some(price), Price::parse(bytes, "price").ok());
            }
            let plain = String::from_utf8_lossy(bytes).bytes().take_while(u8::is_ascii_digit).count();
            prop_assert_eq!(digits_len(bytes), plain);
        }
    }
}
