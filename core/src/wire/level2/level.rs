//! The levels of a snapshot, `[price,size]`, in their usual form.
#![allow(clippy::inline_always, reason = "a part of the fast way, in files of its own; measured")]

use crate::book::Level;
use crate::num::{Lots, Price};
use crate::wire::change::unit_of;
use crate::wire::swar::{Digits, chunk_at, find, half_word_at, word_at};

/// Reads the levels of one side. Comma and point of a price nearly always stand where those of the
/// one before stood; so it is only looked whether they do.
#[derive(Clone, Copy, Debug)]
pub(in crate::wire) struct LevelReader {
    /// The comma behind the price and its point, at their places, and where to look for them.
    want: u64,
    mask: u64,
    /// How long a price is, its point included: at most seven bytes.
    price_len: usize,
    /// How far the price's bytes are shifted to end where a word ends, and where the digits behind the
    /// point are then.
    shift: u32,
    bits_behind: u32,
    /// What its last digit is worth, in units of a price.
    unit: u64,
    /// Its first digit is higher than this: a zero may only stand before the point.
    above: u8,
}

/// What stands between two levels, from the second byte up.
const ANOTHER: u32 = u32::from_le_bytes(*b"\0],[");

/// Bytes looked at for a level: seven of the price, a comma, eight of which the last one at least is no
/// digit of the size, and what follows.
const WINDOW: usize = 7 + 1 + 8 + 4;

impl LevelReader {
    /// Knows nothing yet, so that any price is another one.
    pub(in crate::wire) const fn new() -> Self {
        Self {
            want: u64::MAX,
            mask: u64::MAX,
            price_len: 0,
            shift: 0,
            bits_behind: 0,
            unit: 0,
            above: b'9',
        }
    }

    /// Reads the levels that a text begins with, for as long as one follows the other in the usual form
    /// and `take` wants more; and says how long they are. What is not of that form need not be wrong.
    #[inline(always)]
    pub(in crate::wire) fn read_run(
        &mut self,
        text: &[u8],
        mut take: impl FnMut(Level) -> bool,
    ) -> usize {
        if text.first() != Some(&b'[') {
            return 0;
        }
        let mut like = *self;
        let (mut at, mut end) = (1_usize, 0);
        while let Some((level, len, another)) = chunk_at(text, at).and_then(|at| like.read(at)) {
            end = at.wrapping_add(len);
            if !(take(level) && another) {
                break;
            }
            at = end.wrapping_add(2);
        }
        *self = like;
        end
    }

    /// Reads the level that a text begins with, behind its bracket: how long it is, and whether another
    /// one follows.
    #[inline(always)]
    fn read(&mut self, window: &[u8; WINDOW]) -> Option<(Level, usize, bool)> {
        let word = word_at(window, 0)?;
        if (word ^ self.want) & self.mask != 0 {
            *self = Self::like(word)?;
        }
        let size_at = (self.price_len & 7).wrapping_add(1);
        let size_word = word_at(window, size_at)?;
        let size = Digits::of(size_word);
        // Where the first byte is that is no digit.
        let bracket = size.non_digits().trailing_zeros();
        let close = size_at.wrapping_add(bracket as usize / 8);
        let follows = half_word_at(window, close)?;
        let price = Digits::of(word).shifted(self.shift).without_point(self.bits_behind);
        let starts = word as u8 > self.above && size_word as u8 > b'0';
        // With a bracket in the first byte of its word a size has no digit, without one eight or more.
        // planted: eight-even-digits
        let is_short = bracket.wrapping_sub(8) < 56;
        if !starts || !is_short || follows as u8 != b']' || price.non_digits() != 0 {
            return None;
        }
        // Seven digits of the highest unit fit into 64 bits.
        let units = price.value().wrapping_mul(self.unit);
        let price = Price::from_scaled(i64::try_from(units).ok()?)?;
        let level = Level { price, size: Lots::new(size.before(bracket).value()) };
        (price != Price::ZERO).then(|| (level, close.wrapping_add(1), follows << 8 == ANOTHER))
    }

    /// Of prices like the one that these bytes begin with.
    #[cold]
    fn like(word: u64) -> Option<Self> {
        let comma = find(word, b',').trailing_zeros();
        let price_len = comma as usize / 8;
        // Nothing or more than seven bytes before it.
        if !(1..8).contains(&price_len) {
            return None;
        }
        let shift = 64_u32.wrapping_sub(comma & !7);
        let bits_behind = Digits::of(word).shifted(shift).bits_behind_point();
        let mut mask = 0xff << (comma & !7);
        if bits_behind < 64 {
            // The byte before those behind it, back where it stood.
            mask |= (0xff << 56 >> bits_behind) >> shift;
        }
        let is_whole = word as u16 == u16::from_le_bytes(*b"0.");
        let above = if is_whole { b'0' - 1 } else { b'0' };
        let unit = unit_of(bits_behind)?;
        Some(Self { want: word & mask, mask, price_len, shift, bits_behind, unit, above })
    }
}
