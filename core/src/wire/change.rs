//! The text of a change, `price,side,size`, in its usual form.
#![allow(clippy::inline_always, reason = "a part of the fast way, in files of its own; measured")]

use crate::num::{Lots, Price};
use crate::wire::Side;
use crate::wire::swar::{Digits, find, word_at, word_before};

/// Reads a change that stands from `start` to `end` in few steps: eight bytes at a time, and without
/// branches that the market decides. `None` if it is not of the usual form, which need not be wrong:
/// a size of at most fifteen digits, a price of at most eight before the point and twelve behind it.
#[inline(always)]
pub(super) fn read(frame: &[u8], start: usize, end: usize) -> Option<(Price, Side, Lots)> {
    // The size from the end and the price from the start, so that neither waits for the other.
    let last = Digits::of(word_before(frame, end)?);
    let (size, size_at, is_padded) = match last.non_digits().checked_ilog2() {
        Some(comma) => {
            let is_padded = last.is_zero_behind(comma) & (comma != ONE_DIGIT);
            let size_at = end.wrapping_sub(7).wrapping_add(comma as usize / 8);
            (last.behind(comma).value(), size_at, is_padded | (comma == NO_DIGIT))
        }
        None => read_long_size(frame, end, last)?,
    };

    let (price, price_comma) = read_price::<b','>(frame, start)?;

    // Looked up by its length: a branch would be wrong half of the time. Whether what was taken for
    // commas are some is seen here, too.
    let side_len = size_at.wrapping_sub(price_comma);
    let (side, word) = *SIDES.get(side_len.wrapping_sub(5))?;
    let others = 64_u32.wrapping_sub((side_len as u32).wrapping_mul(8));
    let between = word_before(frame, size_at)?.wrapping_shr(others);
    if (between ^ word) | u64::from(is_padded) != 0 {
        return None;
    }
    Some((price, side, Lots::new(size)))
}

/// A size of eight to fifteen digits: where it begins, and whether that is with a zero.
#[cold]
fn read_long_size(frame: &[u8], end: usize, last: Digits) -> Option<(u64, usize, bool)> {
    let first_end = end.wrapping_sub(8);
    let first = Digits::of(word_before(frame, first_end)?);
    let comma = first.non_digits().checked_ilog2()?;
    let size_at = first_end.wrapping_sub(7).wrapping_add(comma as usize / 8);
    let first = if comma == NO_DIGIT { Digits::NONE } else { first.behind(comma) };
    // planted: long-size
    let size = first.value().wrapping_mul(100_000_000).wrapping_add(last.value());
    Some((size, size_at, frame.get(size_at) == Some(&b'0')))
}

/// Where the mark of what stands before the last digits is, if there is one of these or none.
const ONE_DIGIT: u32 = 55;
const NO_DIGIT: u32 = 63;

/// The sides, between their commas, by length.
const SIDES: [(Side, u64); 2] = [
    (Side::Bid, u64::from_le_bytes(*b",buy,\0\0\0")),
    (Side::Ask, u64::from_le_bytes(*b",sell,\0\0")),
];

/// What the last digit of a price is worth in units of 1e-12, by the digits behind the point.
#[allow(clippy::indexing_slicing, reason = "checked when it is compiled")]
const UNITS: [u64; Price::SCALE as usize + 1] = {
    let mut units = [1; Price::SCALE as usize + 1];
    let mut places = units.len() - 1;
    while places > 0 {
        units[places - 1] = units[places] * 10;
        places -= 1;
    }
    units
};

/// The same by the bits behind the point, which are all 64 if there is none.
#[inline(always)]
pub(super) fn unit_of(bits_behind: u32) -> Option<u64> {
    UNITS.get((bits_behind as usize / 8) & 7).copied()
}

/// A price, and where the byte behind it is that ends it, such as the comma of a change: that it is there,
/// and not followed by a digit, has to be looked at by the caller.
#[inline(always)]
pub(super) fn read_price<const END: u8>(frame: &[u8], start: usize) -> Option<(Price, usize)> {
    let word = word_at(frame, start)?;
    // Up to seven bytes, point included, and the end.
    let Some(text) = Digits::of(word).up_to_second_mark() else {
        return read_long_price::<END>(frame, start);
    };
    // A zero before another digit, or a point or comma that nothing stands before.
    let zero_end = u16::from_le_bytes([b'0', END]);
    if word as u8 <= b'0' && word as u16 != ZERO_POINT && word as u16 != zero_end {
        return None;
    }
    // The first mark is the point, or else the comma, and what is behind that is no digit. Whichever
    // is said to be the comma is looked at together with the side.
    let has_point = word.wrapping_shr(text.first) as u8 == b'.';
    let bits_behind = text.second.wrapping_sub(text.first).wrapping_sub(8);
    let comma = if has_point { text.second } else { text.first };
    // Seven digits of the highest unit fit into 64 bits.
    let units = text.digits.value().wrapping_mul(unit_of(bits_behind)?);
    if has_point & (bits_behind == 0) {
        return None;
    }
    let price = Price::from_scaled(i64::try_from(units).ok()?)?;
    Some((price, start.wrapping_add(comma as usize / 8)))
}

const ZERO_POINT: u16 = u16::from_le_bytes(*b"0.");

/// The same out of more words, where the end is eight bytes on or further.
#[inline(never)]
fn read_long_price<const END: u8>(frame: &[u8], start: usize) -> Option<(Price, usize)> {
    let rest = word_at(frame, start.wrapping_add(8))?;
    let more = find(rest, END).trailing_zeros() as usize / 8;
    let comma = start.wrapping_add(8).wrapping_add(more);
    if frame.get(comma) != Some(&END) {
        let rest = word_at(frame, comma)?;
        let more = find(rest, END).trailing_zeros() as usize / 8;
        return read_split_price::<END>(frame, start, comma.wrapping_add(more));
    }
    read_split_price::<END>(frame, start, comma)
}

/// Up to eight digits before the point and twelve behind it.
fn read_split_price<const END: u8>(
    frame: &[u8],
    start: usize,
    end: usize,
) -> Option<(Price, usize)> {
    let text = frame.get(start..end)?;
    let whole_len = text.iter().take(9).position(|&byte| byte == b'.')?;
    let places = text.len().wrapping_sub(whole_len).wrapping_sub(1);
    let unit = *UNITS.get(places)?;
    let point = start.wrapping_add(whole_len);
    // planted: price-digit-lost
    let whole = last_digits(frame, point, whole_len)?;
    let low = last_digits(frame, end, places.min(8))?;
    let high = last_digits(frame, end.wrapping_sub(8), places.saturating_sub(8))?;
    let is_padded = whole_len > 1 && text.first() == Some(&b'0');
    let non_digits = whole.non_digits() | low.non_digits() | high.non_digits();
    if non_digits != 0 || is_padded || whole_len == 0 || places == 0 || frame.get(end) != Some(&END)
    {
        return None;
    }
    let fraction = high.value().wrapping_mul(100_000_000).wrapping_add(low.value());
    let units = whole.value().checked_mul(UNITS[0])?.checked_add(fraction.checked_mul(unit)?)?;
    let price = Price::from_scaled(i64::try_from(units).ok()?)?;
    Some((price, end))
}

/// The `count` digits (at most 8) before `end`.
fn last_digits(frame: &[u8], end: usize, count: usize) -> Option<Digits> {
    let digits = Digits::of(word_before(frame, end)?);
    // The mark of the byte before them; all are behind none.
    Some(match count {
        0 => Digits::NONE,
        8 => digits,
        count => digits.behind(63_u32.wrapping_sub(count as u32 * 8)),
    })
}
