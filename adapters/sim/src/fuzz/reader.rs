//! Structure out of bytes. When they are used up, everything is zero and nothing more happens.

pub(super) struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    pub(super) const fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    /// The next byte; `None` at the end.
    pub(super) const fn next(&mut self) -> Option<u8> {
        let Some((first, rest)) = self.rest.split_first() else { return None };
        self.rest = rest;
        Some(*first)
    }

    pub(super) fn byte(&mut self) -> u8 {
        self.next().unwrap_or(0)
    }

    pub(super) fn bit(&mut self) -> bool {
        self.byte() & 1 == 1
    }

    /// A number below `end`, which is not zero; a small one takes one byte.
    pub(super) fn below(&mut self, end: usize) -> usize {
        let wide = if end > 256 { usize::from(self.byte()) << 8 } else { 0 };
        (wide | usize::from(self.byte())) % end
    }

    /// Small numbers mostly, and now and then one of any size.
    pub(super) fn number(&mut self) -> u64 {
        match self.byte() {
            255 => (0..8).fold(0, |sum, _| (sum << 8) | u64::from(self.byte())),
            small => u64::from(small),
        }
    }

    /// A piece with its length before it.
    pub(super) fn piece(&mut self) -> &'a [u8] {
        let len = self.below(256).min(self.rest.len());
        let (piece, rest) = self.rest.split_at(len);
        self.rest = rest;
        piece
    }
}
