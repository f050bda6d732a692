//! From the text of a topic to its channel and the topic that is fed by it, without reading it again.

use alloc::vec::Vec;

use crate::channel::Channel;
use crate::ids::TopicId;
use crate::wire::swar;

/// The topics that frames have named lately. One that is forgotten is read and looked up again: it costs time, and
/// nothing else. One that has ended is remembered: whether it is wanted still is to be asked.
#[derive(Clone, Debug, Default)]
pub(super) struct KnownTopics(Vec<[Option<Slot>; 2]>);

/// A topic as frames have it, and what it was found to be.
#[derive(Clone, Copy, Debug)]
struct Slot {
    text: [u8; LONGEST],
    len: u8,
    channel: Channel,
    topic: TopicId,
}

/// Longest text that is remembered: one with the longest symbol has 58 bytes.
const LONGEST: usize = 64;
/// Pairs of places, some 50 KiB in all; a line carries at most 400 topics. A power of two.
const PAIRS: usize = 256;

impl KnownTopics {
    /// What a topic is, if it was met before.
    #[inline]
    pub(super) fn find(&self, text: &[u8]) -> Option<(Channel, TopicId)> {
        let pair = self.0.get(place(text))?;
        let slot = pair.iter().flatten().find(|slot| slot.text() == text)?;
        Some((slot.channel, slot.topic))
    }

    /// Remembers a topic in the place of the one of two that was put there before.
    pub(super) fn insert(&mut self, text: &[u8], channel: Channel, topic: TopicId) {
        let mut slot = Slot { text: [0; LONGEST], len: 0, channel, topic };
        if self.0.is_empty() {
            self.0.resize(PAIRS, [None; 2]);
        }
        let Some(room) = slot.text.get_mut(..text.len()) else { return };
        room.copy_from_slice(text);
        slot.len = text.len() as u8;
        if let Some(pair) = self.0.get_mut(place(text)) {
            pair.reverse();
            pair[0] = Some(slot);
        }
    }
}

impl Slot {
    #[inline]
    fn text(&self) -> &[u8] {
        self.text.get(..usize::from(self.len)).unwrap_or_default()
    }
}

/// By its last words, which have the symbol, and its length, in which most channels differ.
#[inline]
fn place(text: &[u8]) -> usize {
    /// 2^64 over the golden ratio: spreads whatever differs into the highest bits.
    const SPREAD: u64 = 0x9e37_79b9_7f4a_7c15;
    let [first, last] = swar::pair_before(text, text.len()).unwrap_or_default();
    let first = first.wrapping_mul(SPREAD);
    let mixed = (first ^ first >> 32 ^ last ^ text.len() as u64).wrapping_mul(SPREAD);
    (mixed >> 48) as usize % PAIRS
}

#[cfg(test)]
mod tests {
    use alloc::format;

    use super::*;

    #[test]
    fn what_is_found_is_what_was_put_there() {
        let mut known = KnownTopics::default();
        assert_eq!(known.find(b""), None);
        let channels = (0..400).map(|n| Channel::depth5(format!("A{n}USDTM").parse().unwrap()));
        let mut found = 0;
        for (n, channel) in channels.clone().enumerate() {
            known.insert(format!("{channel}").as_bytes(), channel, TopicId::new(n as u32));
        }
        for (n, channel) in channels.enumerate() {
            let text = format!("{channel}");
            assert_eq!(known.find(b""), None);
            assert!(known.find(text.replace("Depth5:", "Depth50:").as_bytes()).is_none());
            if let Some(entry) = known.find(text.as_bytes()) {
                assert_eq!(entry, (channel, TopicId::new(n as u32)));
                found += 1;
            }
        }
        // Of 400 in 256 pairs some are forgotten.
        assert!(found > 340, "{found}");
    }

    #[test]
    fn a_topic_that_is_too_long_is_not_remembered() {
        let (mut known, channel) = (KnownTopics::default(), Channel::wallet());
        for len in [1, 15, 16, 64, 65, 300] {
            let text = alloc::vec![b'x'; len];
            known.insert(&text, channel, TopicId::new(7));
            assert_eq!(known.find(&text).is_some(), len <= LONGEST, "{len}");
        }
    }
}
