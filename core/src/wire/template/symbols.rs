//! From the bytes of a symbol to what is known of it.

use alloc::vec::Vec;

use super::hole::SymbolKey;
use crate::channel::ChannelKind;
use crate::ids::Symbol;

/// The symbols that were seen last, of all channels. One that is forgotten is looked up again: it costs
/// time, and nothing else.
#[derive(Clone, Debug, Default)]
pub(super) struct Symbols(Vec<[Slot; 2]>);

/// A symbol of a channel, its bytes as a frame has them, and the tag that it was given.
#[derive(Clone, Copy, Debug)]
struct Slot {
    key: SymbolKey,
    symbol: Symbol,
    tag: u32,
    kind: ChannelKind,
}

/// Pairs of places: 64 KiB. A power of two.
const PAIRS: usize = 512;

impl Symbols {
    /// The symbol and its tag.
    #[inline]
    pub(super) fn find(&self, key: SymbolKey, kind: ChannelKind) -> Option<(Symbol, u32)> {
        let pair = self.0.get(place(key, kind))?;
        let slot = pair.iter().find(|slot| slot.key == key && slot.kind == kind)?;
        Some((slot.symbol, slot.tag))
    }

    /// Remembers a symbol in the place of one that was not seen for longer.
    pub(super) fn insert(&mut self, key: SymbolKey, kind: ChannelKind, symbol: Symbol, tag: u32) {
        let slot = Slot { key, symbol, tag, kind };
        if self.0.is_empty() {
            // A key is never all zeros: nothing is found yet.
            let nothing = Slot { key: [0; 3], ..slot };
            self.0.resize(PAIRS, [nothing; 2]);
        }
        if let Some(pair) = self.0.get_mut(place(key, kind)) {
            pair.reverse();
            pair[0] = slot;
        }
    }
}

#[inline]
const fn place(key: SymbolKey, kind: ChannelKind) -> usize {
    /// 2^64 over the golden ratio: spreads whatever differs into the highest bits.
    const SPREAD: u64 = 0x9e37_79b9_7f4a_7c15;
    let mixed = (key[0] ^ key[1].rotate_left(29) ^ key[2].rotate_left(47) ^ kind as u64)
        .wrapping_mul(SPREAD);
    (mixed >> 32) as usize % PAIRS
}
