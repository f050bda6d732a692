//! UTF-16 as UTF-8, as far as it is read.

use std::io::{self, BufRead, Read};

/// Which byte of a unit comes first.
#[derive(Clone, Copy)]
pub(super) enum Order {
    Little,
    Big,
}

/// Reads UTF-16 and gives UTF-8.
pub(super) struct Utf16<R> {
    reader: R,
    order: Order,
    /// The first half of a character.
    high: Option<u16>,
    /// The first byte of a unit.
    half: Option<u8>,
    /// UTF-8 that has not been asked for yet, and how much of it was.
    ready: Vec<u8>,
    given: usize,
}

/// No byte of UTF-8: what is no UTF-16 becomes no UTF-8, so that the line it stands in is refused. The
/// usual replacement character would pass for text.
const BAD: u8 = 0xff;

impl<R: BufRead> Utf16<R> {
    pub(super) const fn new(reader: R, order: Order) -> Self {
        Self { reader, order, high: None, half: None, ready: Vec::new(), given: 0 }
    }

    fn fill(&mut self) -> io::Result<()> {
        self.ready.clear();
        self.given = 0;
        while self.ready.is_empty() {
            let bytes = self.reader.fill_buf()?;
            let len = bytes.len();
            if len == 0 {
                let is_cut = self.half.take().is_some() | self.high.take().is_some();
                self.ready.extend(is_cut.then_some(BAD));
                return Ok(());
            }
            for &byte in bytes {
                let Some(first) = self.half.take() else {
                    self.half = Some(byte);
                    continue;
                };
                let unit = match self.order {
                    Order::Little => u16::from_le_bytes([first, byte]),
                    Order::Big => u16::from_be_bytes([first, byte]),
                };
                push(&mut self.ready, &mut self.high, unit);
            }
            self.reader.consume(len);
        }
        Ok(())
    }
}

fn push(text: &mut Vec<u8>, high: &mut Option<u16>, unit: u16) {
    let is_high = matches!(unit, 0xd800..=0xdbff);
    let units = [high.take(), (!is_high).then_some(unit)];
    for char in char::decode_utf16(units.into_iter().flatten()) {
        match char {
            Ok(char) => text.extend_from_slice(char.encode_utf8(&mut [0; 4]).as_bytes()),
            Err(_) => text.push(BAD),
        }
    }
    *high = is_high.then_some(unit);
}

impl<R: BufRead> Read for Utf16<R> {
    fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
        if self.given == self.ready.len() {
            self.fill()?;
        }
        let mut rest = self.ready.get(self.given..).unwrap_or_default();
        let len = rest.read(room)?;
        self.given += len;
        Ok(len)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(bytes: &[u8], order: Order) -> Vec<u8> {
        // A buffer of three: units and characters are torn everywhere.
        let mut text = Vec::new();
        let reader = io::BufReader::with_capacity(3, bytes);
        Utf16::new(reader, order).read_to_end(&mut text).unwrap();
        text
    }

    fn units(units: &[u16]) -> Vec<u8> {
        units.iter().flat_map(|unit| unit.to_le_bytes()).collect()
    }

    #[test]
    fn both_orders_are_read() {
        let text = "level2 \u{e9}\u{20ac}\u{1d11e}\n";
        let little: Vec<u16> = text.encode_utf16().collect();
        let big: Vec<u8> = little.iter().flat_map(|unit| unit.to_be_bytes()).collect();
        assert_eq!(read(&units(&little), Order::Little), text.as_bytes());
        assert_eq!(read(&big, Order::Big), text.as_bytes());
    }

    #[test]
    fn what_is_no_utf_16_is_no_utf_8() {
        let (high, low) = (0xd834, 0xdd1e);
        for broken in [&[high, 0x41][..], &[low, 0x41], &[high, high, low], &[0x41, high]] {
            let text = read(&units(broken), Order::Little);
            assert!(std::str::from_utf8(&text).is_err(), "{broken:x?}");
        }
        assert_eq!(read(b"A\0B", Order::Little), [b'A', BAD]);
    }
}
