//! From one line to another, of a topic whose messages do not say where they stand.
//!
//! While both carry it, what each has said and the other has not is remembered. The first one can be shut
//! without a loss once it has said all that the second one has; what the second one says after that is a copy if the
//! first one said it.

use alloc::vec::Vec;

/// What the line that is heard and the one that waits have said.
#[derive(Clone, Debug, Default)]
pub(crate) struct HandOver {
    /// By the owner, and by the other one not yet.
    by_owner: Vec<u64>,
    /// By the other one, and by the owner not yet.
    by_other: Vec<u64>,
    /// After a change of owner: what the one before had said, and this one not yet.
    expected: Vec<u64>,
    /// Both have said the same once: what the owner says has come as far as where the other one began.
    has_met: bool,
}

/// So much is remembered of each line: what one is ahead of the other.
const MEMORY: usize = 256;

impl HandOver {
    /// One of two lines has said something.
    pub(crate) fn note(&mut self, is_owner: bool, bytes: &[u8]) {
        let digest = digest(bytes);
        let (own, other) = if is_owner {
            (&mut self.by_owner, &mut self.by_other)
        } else {
            (&mut self.by_other, &mut self.by_owner)
        };
        if let Some(at) = other.iter().position(|&known| known == digest) {
            other.remove(at);
            self.has_met = true;
            return;
        }
        if own.len() == MEMORY {
            own.remove(0);
        }
        own.push(digest);
    }

    /// Whether the owner says something that was not heard on the one before it.
    pub(crate) fn is_new(&mut self, bytes: &[u8]) -> bool {
        if self.expected.is_empty() {
            return true;
        }
        let digest = digest(bytes);
        match self.expected.iter().position(|&known| known == digest) {
            Some(at) => {
                // In order: what was said before it does not come any more.
                self.expected.drain(..=at);
                false
            }
            None => true,
        }
    }

    /// Whether the other line has said something that the owner has not.
    pub(crate) const fn is_behind(&self) -> bool {
        !self.by_other.is_empty()
    }

    /// Whether both have said the same once.
    pub(crate) const fn has_met(&self) -> bool {
        self.has_met
    }

    /// The other line is the owner now. True if something that it said was not heard.
    pub(crate) fn change_owner(&mut self) -> bool {
        let has_missed = self.is_behind();
        self.expected = core::mem::take(&mut self.by_owner);
        self.by_other.clear();
        self.has_met = false;
        has_missed
    }

    /// The other line is gone.
    pub(crate) fn keep_owner(&mut self) {
        self.by_owner.clear();
        self.by_other.clear();
        self.has_met = false;
    }
}

/// Eight bytes at a time: what two messages differ in shows, and of the few that are remembered two are hardly ever
/// alike.
fn digest(bytes: &[u8]) -> u64 {
    let (words, rest) = bytes.as_chunks();
    let mut last = [0; 8];
    last.iter_mut().zip(rest).for_each(|(to, byte)| *to = *byte);
    let words = words.iter().chain([&last]).map(|word| u64::from_le_bytes(*word));
    words.fold(bytes.len() as u64, |hash, word| {
        (hash.rotate_left(23) ^ word).wrapping_mul(0x9e37_79b9_7f4a_7c15)
    })
}
