//! Rivals that read frames. All do the same work: symbol, sequence, side, price, size and time.

#[cfg(feature = "rivals")]
mod rivals;

use serde::Deserialize;

use crate::number::Number;

#[cfg(feature = "rivals")]
pub use rivals::{Jiter, SimdJson, SonicRs};

/// What a frame says.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Parsed<'a, N> {
    /// The contract.
    pub symbol: &'a str,
    /// Position in its stream.
    pub sequence: u64,
    /// Milliseconds since 1970.
    pub timestamp: u64,
    /// Side of the level.
    pub bid: bool,
    /// Price of the level.
    pub price: N,
    /// New size.
    pub size: u64,
}

/// A library that reads frames, with the buffers it wants to keep.
pub trait Parser: Default {
    /// Name in tables.
    const NAME: &'static str;

    /// Reads one frame; `None` if it is not what it should be.
    fn parse<'a, N: Number>(&'a mut self, frame: &'a [u8]) -> Option<Parsed<'a, N>>;
}

/// `serde_json` into borrowed structs: the usual way, done well.
#[derive(Default, Debug)]
pub struct SerdeJson;

#[derive(Deserialize)]
struct Frame<'a> {
    #[serde(borrow)]
    topic: &'a str,
    #[serde(borrow)]
    data: Data<'a>,
}

#[derive(Deserialize)]
struct Data<'a> {
    sequence: u64,
    #[serde(borrow)]
    change: &'a str,
    timestamp: u64,
}

impl<'a> Frame<'a> {
    fn read<N: Number>(&self) -> Option<Parsed<'a, N>> {
        let Data { sequence, change, timestamp } = self.data;
        assemble(self.topic, sequence, change, timestamp)
    }
}

/// What is left to do when a JSON library is done.
fn assemble<'a, N: Number>(
    topic: &'a str,
    sequence: u64,
    change: &str,
    timestamp: u64,
) -> Option<Parsed<'a, N>> {
    let symbol = topic.strip_prefix("/contractMarket/level2:")?;
    let mut parts = change.split(',');
    let price = N::read(parts.next()?)?;
    let bid = match parts.next()? {
        "buy" => true,
        "sell" => false,
        _ => return None,
    };
    let size = parts.next()?.parse().ok()?;
    Some(Parsed { symbol, sequence, timestamp, bid, price, size })
}

impl Parser for SerdeJson {
    const NAME: &'static str = "serde_json borrowed";

    fn parse<'a, N: Number>(&'a mut self, frame: &'a [u8]) -> Option<Parsed<'a, N>> {
        serde_json::from_slice::<Frame<'_>>(frame).ok()?.read()
    }
}

/// Reads every byte once, eight at a time, and adds them up: the floor under every parser.
#[must_use]
pub fn floor(frame: &[u8]) -> u64 {
    let (words, rest) = frame.as_chunks();
    let sum = words.iter().fold(0_u64, |sum, &word| sum.wrapping_add(u64::from_le_bytes(word)));
    rest.iter().fold(sum, |sum, &byte| sum.wrapping_add(u64::from(byte)))
}

#[cfg(test)]
mod tests {
    use super::{Parser, SerdeJson};
    use crate::corpus::{Corpus, Layout, Shape, Spread};

    fn reads_all<P: Parser>() {
        let shape = Shape { symbols: 6, levels: 50, changes: 400, spread: Spread::Touch, seed: 3 };
        let corpus = Corpus::new(shape);
        let mut parser = P::default();
        for layout in Layout::ALL {
            for (frame, change) in corpus.frames(layout).iter().zip(&corpus.changes) {
                let parsed = parser.parse::<i64>(frame).unwrap();
                assert_eq!(parsed.symbol, corpus.markets[change.market].symbol);
                assert_eq!(parsed.sequence, change.sequence);
                assert_eq!(parsed.timestamp, change.timestamp);
                let level = (parsed.bid, parsed.price, parsed.size);
                assert_eq!(level, (change.bid, change.price, change.size));
            }
        }
    }

    #[test]
    fn every_rival_reads_every_layout() {
        reads_all::<SerdeJson>();
        #[cfg(feature = "rivals")]
        {
            reads_all::<super::SimdJson>();
            reads_all::<super::SonicRs>();
            reads_all::<super::Jiter>();
        }
    }
}
