//! What differs from frame to frame, read in place: each of these takes the text that stands at a place
//! up to its end, and says where that is. It never reads past what the scanner would accept there, apart
//! from the byte behind: that is the next literal's first one, and looked at with it.
#![allow(clippy::inline_always, reason = "a part of the fast way, in files of its own; measured")]

use crate::num::{Lots, Price};
use crate::wire::TakerSide;
use crate::wire::change::read_price;
use crate::wire::swar::{Digits, digits_len, find, text_len};

/// A symbol's bytes, and in the last one how many they are: never all zeros.
pub(super) type SymbolKey = [u64; 3];

/// The eight bytes from `at` on, with zeros behind the frame's end.
#[inline(always)]
pub(super) fn word(frame: &[u8], at: usize) -> Option<u64> {
    let rest = frame.get(at..)?;
    match rest.first_chunk() {
        Some(word) => Some(u64::from_le_bytes(*word)),
        None => last_word(frame, rest.len()),
    }
}

/// The last `len` bytes, fewer than eight.
#[inline(never)]
fn last_word(frame: &[u8], len: usize) -> Option<u64> {
    let last = u64::from_le_bytes(*frame.last_chunk()?);
    Some(last.checked_shr(64_u32.checked_sub(len as u32 * 8)?).unwrap_or(0))
}

/// A symbol that is followed by a quote. Whether its bytes may be those of one is not looked at: that
/// was done when they were first seen.
#[inline(always)]
pub(super) fn symbol(frame: &[u8], at: usize) -> Option<(SymbolKey, usize)> {
    let mut key = [0; 3];
    let mut len = 0_usize;
    for part in &mut key {
        let word = word(frame, at.wrapping_add(len))?;
        let quote = find(word, b'"');
        if quote == 0 {
            *part = word;
            len = len.wrapping_add(8);
            continue;
        }
        // What is below the quote.
        let below = ((quote & quote.wrapping_neg()) >> 7).wrapping_sub(1);
        *part = word & below;
        len = len.wrapping_add(quote.trailing_zeros() as usize / 8);
        // At most 23 bytes: the last one is free.
        key[2] |= (len as u64) << 56;
        return (len > 0).then(|| (key, at.wrapping_add(len)));
    }
    None
}

/// A whole number of up to nineteen digits that does not begin with a zero, unless it is one.
#[inline(always)]
pub(super) fn integer(frame: &[u8], at: usize) -> Option<(u64, usize)> {
    let first = word(frame, at)?;
    let digits = Digits::of(first);
    let non_digits = digits.non_digits();
    if non_digits != 0 {
        let mark = non_digits.trailing_zeros();
        let len = mark as usize / 8;
        if len == 0 || (len > 1 && first as u8 == b'0') {
            return None;
        }
        return Some((digits.before(mark).value(), at.wrapping_add(len)));
    }
    if first as u8 == b'0' {
        return None;
    }
    let (value, end) = more_digits(digits.value(), frame, at.wrapping_add(8))?;
    if end.wrapping_sub(at) < 16 {
        return Some((value, end));
    }
    let (value, end) = more_digits(value, frame, end)?;
    (end.wrapping_sub(at) < 20).then_some((value, end))
}

/// Up to eight digits more.
#[inline(always)]
fn more_digits(value: u64, frame: &[u8], at: usize) -> Option<(u64, usize)> {
    const POWERS: [u64; 8] = [1, 10, 100, 1_000, 10_000, 100_000, 1_000_000, 10_000_000];
    let digits = Digits::of(word(frame, at)?);
    let non_digits = digits.non_digits();
    if non_digits == 0 {
        let value = value.wrapping_mul(100_000_000).wrapping_add(digits.value());
        return Some((value, at.wrapping_add(8)));
    }
    let mark = non_digits.trailing_zeros();
    let len = mark as usize / 8;
    if len == 0 {
        return Some((value, at));
    }
    let value = value.wrapping_mul(*POWERS.get(len)?);
    Some((value.wrapping_add(digits.before(mark).value()), at.wrapping_add(len)))
}

/// A price that stands before this byte.
#[inline(always)]
pub(super) fn price<const END: u8>(frame: &[u8], at: usize) -> Option<(Price, usize)> {
    let usual = read_price::<END>(frame, at);
    // Where no digit stands at all, what comes behind the price is taken for its end.
    usual.filter(|(_, end)| *end > at).or_else(|| any_price(frame, at))
}

/// A price of any form: all that can belong to a number is taken for it.
#[inline(never)]
fn any_price(frame: &[u8], at: usize) -> Option<(Price, usize)> {
    let text = numeric(frame, at)?;
    Some((Price::parse(text, "price").ok()?, at.wrapping_add(text.len())))
}

/// A size.
#[inline(always)]
pub(super) fn size(frame: &[u8], at: usize) -> Option<(Lots, usize)> {
    match integer(frame, at) {
        Some((lots, end)) if !is_numeric(*frame.get(end)?) => Some((Lots::new(lots), end)),
        _ => any_size(frame, at),
    }
}

#[inline(never)]
fn any_size(frame: &[u8], at: usize) -> Option<(Lots, usize)> {
    let text = numeric(frame, at)?;
    Some((Lots::parse(text, "size").ok()?, at.wrapping_add(text.len())))
}

fn numeric(frame: &[u8], at: usize) -> Option<&[u8]> {
    let rest = frame.get(at..)?;
    let len = rest.iter().position(|&byte| !is_numeric(byte)).unwrap_or(rest.len());
    rest.get(..len)
}

const fn is_numeric(byte: u8) -> bool {
    byte.is_ascii_digit() || matches!(byte, b'.' | b'-' | b'+' | b'e' | b'E')
}

/// A side that is followed by a quote.
#[inline(always)]
pub(super) fn side(frame: &[u8], at: usize) -> Option<(TakerSide, usize)> {
    match frame.get(at..)?.first_chunk()? {
        b"buy\"" => Some((TakerSide::Buy, at.wrapping_add(3))),
        b"sell" => Some((TakerSide::Sell, at.wrapping_add(4))),
        _ => None,
    }
}

/// A text in ASCII without an escape: where it ends.
#[inline(always)]
pub(super) fn text(frame: &[u8], at: usize) -> Option<usize> {
    Some(at.wrapping_add(text_len(frame.get(at..)?)))
}

/// Digits that do not begin with a zero, unless it is the only one: where they end.
#[inline(always)]
pub(super) fn number(frame: &[u8], at: usize) -> Option<usize> {
    let rest = frame.get(at..)?;
    let len = digits_len(rest);
    let may_stand = len == 1 || (len > 1 && rest.first() != Some(&b'0'));
    may_stand.then(|| at.wrapping_add(len))
}
