//! A book, what became of it, and why it ended.

use std::io;

use kucoin_futures_proto::book::{Apply, Book, Scope};
use kucoin_futures_proto::wire::{Delta, Side};
use kucoin_futures_proto::{Sequence, Symbol};
use serde_json::{Value, json};

use super::fault::Fault;
use crate::out::{BAD, DIM, GOOD, Out};
use crate::words;

/// Levels a side that are printed.
const TOP: usize = 20;
/// So many repeats in a row, once something was applied, are a counter that was set back: the rule of
/// the live client.
const SET_BACK: u32 = 3;

/// The book of a symbol.
pub(super) struct Row {
    book: Book,
    pub(super) frames: u64,
    applied: u64,
    repeats: u64,
    gaps: u64,
    /// Frames of this symbol that could not be read, and what ended the book without a symbol.
    malformed: u64,
    pub(super) first_malformed: Option<Fault>,
    /// Repeats in a row since the last change.
    in_row: u32,
    pub(super) end: Option<End>,
}

/// Why a book ended. The rest of its frames is counted, and no more.
pub(super) enum End {
    /// What had to come, and what came.
    Gap(Sequence, Sequence),
    /// The counter was set back: what follows is of another run.
    SetBack,
    /// A frame of it that cannot be read. Should it come again, the book stays ended: the live client
    /// does not wait for that either, and what is read for the second time may not be what was sent.
    Malformed,
    /// Something that cannot be read, and may have been a frame of it.
    MalformedOfAny,
}

impl End {
    const fn name(&self) -> &'static str {
        match self {
            Self::Gap(..) => "gap",
            Self::SetBack => "set_back",
            Self::Malformed | Self::MalformedOfAny => "malformed",
        }
    }
}

impl Row {
    pub(super) const fn new(book: Book) -> Self {
        Self {
            book,
            frames: 0,
            applied: 0,
            repeats: 0,
            gaps: 0,
            malformed: 0,
            first_malformed: None,
            in_row: 0,
            end: None,
        }
    }

    /// A delta of this symbol.
    #[inline]
    pub(super) fn take(&mut self, delta: &Delta) {
        self.frames += 1;
        if self.end.is_some() {
            return;
        }
        match self.book.apply(delta) {
            Apply::Applied => {
                self.applied += 1;
                self.in_row = 0;
            }
            Apply::Repeat => {
                self.repeats += 1;
                self.in_row += u32::from(self.applied > 0);
                if self.in_row >= SET_BACK {
                    self.end = Some(End::SetBack);
                }
            }
            Apply::Gap { expected } => {
                self.gaps += 1;
                self.end = Some(End::Gap(expected, delta.sequence));
            }
            _ => {}
        }
    }

    /// A frame of this symbol that cannot be read.
    pub(super) fn take_malformed(&mut self, fault: &Fault) {
        self.frames += 1;
        self.note(fault);
        self.end.get_or_insert(End::Malformed);
    }

    /// Something that cannot be read, and does not say whose it is.
    pub(super) fn doubt(&mut self, fault: &Fault) {
        if self.end.is_none() {
            self.note(fault);
            self.end = Some(End::MalformedOfAny);
        }
    }

    fn note(&mut self, fault: &Fault) {
        self.malformed += 1;
        self.first_malformed.get_or_insert_with(|| fault.clone());
    }

    /// Why and where it ended, as the rest of a sentence.
    pub(super) fn why(&self) -> Option<String> {
        let sequence = self.book.sequence();
        Some(match (self.end.as_ref()?, &self.first_malformed) {
            (End::Gap(expected, got), _) => {
                format!("ended with a gap: expected {expected}, got {got}")
            }
            (End::SetBack, _) => "ended: its counter was set back".into(),
            (_, Some(fault)) => format!("ended at {sequence}: {fault}"),
            (_, None) => format!("ended at {sequence}"),
        })
    }

    pub(super) fn json(&self, symbol: Symbol) -> Value {
        let sequence = self.book.sequence().get();
        json!({
            "type": "replay",
            "symbol": symbol.as_str(),
            "frames": self.frames,
            "applied": self.applied,
            "repeats": self.repeats,
            "gaps": self.gaps,
            "set_back": matches!(self.end, Some(End::SetBack)),
            "malformed": self.malformed,
            "first_malformed": Fault::json_of(self.first_malformed.as_ref()),
            "ended": self.end.as_ref().map(End::name),
            "reason": self.why(),
            "unbroken_to": sequence,
            "sequence": sequence,
            "bid_levels": self.book.held_levels(Side::Bid),
            "ask_levels": self.book.held_levels(Side::Ask),
            "top_bids": words::levels(&self.book, Side::Bid, Scope::Held, TOP),
            "top_asks": words::levels(&self.book, Side::Ask, Scope::Held, TOP),
            "sha256": words::hex(&self.book.digest(Scope::Held)),
        })
    }

    pub(super) fn print(&self, out: &mut Out, symbol: Symbol) -> io::Result<()> {
        let (style, verdict) = match self.end {
            Some(End::Gap(..)) => (BAD, "ended with a gap, unbroken"),
            Some(End::SetBack) => (BAD, "ended: its counter was set back, unbroken"),
            Some(End::Malformed) => (BAD, "ended with a frame that cannot be read, unbroken"),
            Some(End::MalformedOfAny) => (BAD, "ended with what cannot be read, unbroken"),
            None if self.frames == 0 => (BAD, "had no frames"),
            None => (GOOD, "unbroken"),
        };
        let sequence = self.book.sequence();
        out.line(format_args!(
            "{symbol:<12} {style}{verdict}{style:#} to {sequence}: {} frames, {} applied, {} \
             repeats, {} malformed",
            self.frames, self.applied, self.repeats, self.malformed
        ))?;
        if let Some(fault) = &self.first_malformed {
            out.line(format_args!("             {fault}"))?;
        }
        let (bid, ask) = (words::best(self.book.best_bid()), words::best(self.book.best_ask()));
        let [bids, asks] = [Side::Bid, Side::Ask].map(|side| self.book.held_levels(side));
        out.line(format_args!("             {bid} | {ask}, {bids} + {asks} levels"))?;
        let digest = words::hex(&self.book.digest(Scope::Held));
        out.line(format_args!("             {DIM}sha256 {digest}{DIM:#}"))
    }
}
