//! Whole pipelines out of libraries: what people assemble who do not use a client.

#![allow(clippy::disallowed_types, reason = "the rival is a HashMap; its order is never looked at")]

use std::collections::HashMap;

use crate::books::Book;
use crate::corpus::{Level, Market};
use crate::parsers::Parser;

/// A parser, a map from symbol to book, a check for gaps.
#[derive(Debug)]
pub struct Baseline<P, B> {
    parser: P,
    books: HashMap<String, (u64, B)>,
}

impl<P: Parser, B: Book> Baseline<P, B> {
    /// With the books as they are before the first change.
    #[must_use]
    pub fn new(markets: &[Market]) -> Self {
        let books = markets.iter().map(|market| {
            let book = B::load(market);
            (market.symbol.clone(), (market.sequence, book))
        });
        Self { parser: P::default(), books: books.collect() }
    }

    /// The frame goes in, and the best of its book is read. `None` if there is no book, or a gap.
    #[inline]
    pub fn feed(&mut self, frame: &[u8]) -> Option<impl Sized + use<P, B>> {
        let parsed = self.parser.parse::<B::Price>(frame)?;
        let (sequence, book) = self.books.get_mut(parsed.symbol)?;
        if parsed.sequence != *sequence + 1 {
            return None;
        }
        *sequence = parsed.sequence;
        book.set(parsed.bid, parsed.price, parsed.size);
        Some(book.best())
    }

    /// All levels of all books, in the order of the markets.
    #[must_use]
    pub fn held(&self, markets: &[Market]) -> Vec<Option<[Vec<Level>; 2]>> {
        let held = |market: &Market| self.books.get(&market.symbol).map(|(_, book)| book.held());
        markets.iter().map(held).collect()
    }
}
