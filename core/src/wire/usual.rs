//! Values as nearly all are written, read in place: each of these says what stands there and where that ends.
//!
//! They only ever succeed. A text has no escape, a number no exponent and at most nineteen digits; everything else is
//! for the [`Entry`](super::object::Entry) of the value, which says the same of all that is read here. What follows has to be looked at by the caller.

use super::swar::{self, Digits};
use crate::num::{Decimal, Price};

/// A decimal, with quotes or without.
#[inline(never)]
pub(super) fn decimal(data: &[u8], at: usize) -> Option<(Decimal, usize)> {
    unquoted(data, at, |data, at| {
        let is_negative = data.get(at) == Some(&b'-');
        let (digits, places, end) = number(data, at.wrapping_add(usize::from(is_negative)))?;
        Some((Decimal::of_digits(is_negative, digits, places as u8), end))
    })
}

/// A price, with quotes or without.
#[inline(never)]
pub(super) fn price(data: &[u8], at: usize) -> Option<(Price, usize)> {
    unquoted(data, at, |data, at| {
        let (digits, places, end) = number(data, at)?;
        Some((swar::price(digits, places)?, end))
    })
}

/// A whole number that is not negative, with quotes or without.
#[inline(never)]
pub(super) fn integer(data: &[u8], at: usize) -> Option<(u64, usize)> {
    unquoted(data, at, |data, at| {
        let rest = data.get(at..)?;
        let digits = rest.get(..swar::digits_len(rest))?;
        Some((swar::whole_number(digits)?, at.wrapping_add(digits.len())))
    })
}

/// A text in ASCII, between its quotes.
#[inline]
pub(super) fn text(data: &[u8], at: usize) -> Option<(&[u8], usize)> {
    let rest = data.get(at..)?.strip_prefix(b"\"")?;
    let text = rest.get(..swar::text_len(rest))?;
    let end = at.wrapping_add(1).wrapping_add(text.len());
    (data.get(end) == Some(&b'"')).then_some((text, end.wrapping_add(1)))
}

/// Null or an empty text: where it ends.
#[inline]
pub(super) fn nothing(data: &[u8], at: usize) -> Option<usize> {
    match data.get(at..)? {
        [b'"', b'"', ..] => Some(at.wrapping_add(2)),
        [b'n', b'u', b'l', b'l', ..] => Some(at.wrapping_add(4)),
        _ => None,
    }
}

/// What may stand between quotes.
#[inline(always)]
#[allow(clippy::inline_always, reason = "once in each reader; measured")]
fn unquoted<T>(
    data: &[u8],
    at: usize,
    read: impl FnOnce(&[u8], usize) -> Option<(T, usize)>,
) -> Option<(T, usize)> {
    let has_quotes = data.get(at) == Some(&b'"');
    let (value, end) = read(data, at.wrapping_add(usize::from(has_quotes)))?;
    if has_quotes {
        return (data.get(end) == Some(&b'"')).then_some((value, end.wrapping_add(1)));
    }
    Some((value, end))
}

/// A number without a sign: what its digits spell, how many of them stand behind the point, and where it ends.
#[inline(always)]
#[allow(clippy::inline_always, reason = "once in each reader; measured")]
fn number(data: &[u8], at: usize) -> Option<(u64, u32, usize)> {
    // Up to seven bytes, point included, and the end.
    let word = swar::word_at(data, at)?;
    let Some(split) = Digits::of(word).up_to_second_mark() else {
        return long_number(data, at);
    };
    // Nothing before the point, or a zero before another digit.
    if split.first == 0 || (word as u8 == b'0' && split.first > 8) {
        return None;
    }
    let has_point = word.wrapping_shr(split.first) as u8 == b'.';
    let bits_behind = split.second.wrapping_sub(split.first).wrapping_sub(8);
    // No digits behind the point, or digits behind what is none.
    if has_point == (bits_behind == 0) {
        return if has_point { None } else { long_number(data, at) };
    }
    let end = if has_point { split.second } else { split.first };
    Some((split.digits.value(), bits_behind / 8, at.wrapping_add(end as usize / 8)))
}

/// The same of up to nineteen digits.
#[inline(never)]
fn long_number(data: &[u8], at: usize) -> Option<(u64, u32, usize)> {
    let rest = data.get(at..)?;
    let mut len = swar::digits_len(rest);
    if rest.get(len) == Some(&b'.') {
        len = len.wrapping_add(1);
        len = len.wrapping_add(swar::digits_len(rest.get(len..)?));
    }
    let (digits, places) = swar::usual_number(rest.get(..len)?)?;
    Some((digits, places, at.wrapping_add(len)))
}
