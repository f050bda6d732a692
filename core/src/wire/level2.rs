//! Whole level2 frames: the fast way first, the scanner for everything else.
//!
//! The frames of one connection differ in the symbol, in the change, and in the digits of a few
//! numbers; every other byte is the same. So the first frame of a connection is read by the
//! scanner, and what all frames have in common is remembered as a layout. The first frame of each
//! other symbol is *met*: compared with the layout, and what is its own remembered. From then on a
//! frame is looked up by the sixteen bytes around its symbol, compared with the layout, and only
//! what differs is read. Nothing is assumed about the order of keys, white space or further keys:
//! whatever the connection does is learned.
//!
//! ```text
//! {"topic":"/contractMarket/level2:........","type":"message","subject":"level2","sn":.............,
//!  "data":{"sequence":.............,"change":"..............","timestamp":.............}}
//! ```
//!
//! Why both ways say the same: all bytes but the symbol, the change and the digits are bytes of a
//! frame that the scanner has accepted, at the same distance from the frame's start, its end, or the
//! symbol. A symbol that is met is looked at: it is one, and stands alone between colon and quote; and
//! so are the first digits of its numbers, which do not begin with a zero. Later frames have the same
//! ones. The last digits have taken the place of digits, and the change is read only if it is three
//! words without quote or escape. So the tokens are the same in the same order, and what differs is
//! read by the same rules. Everything else is a surprise, and left to the scanner.

mod entry;
mod layout;
mod learn;
mod level;
mod table;

use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use alloc::vec::Vec;

use super::delta::Delta;
use super::frame::Frame;
use super::message::Content;
use crate::channel::ChannelKind;
use crate::error::WireError;
use crate::ids::{Sequence, Symbol};
use entry::SymbolEntry;
use layout::{Anchor, Layout};
use learn::Learned;
pub(super) use level::LevelReader;
use table::Table;

/// A delta and whose it is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct DeltaFrame {
    /// The contract, from the topic.
    pub symbol: Symbol,
    /// What changed.
    pub delta: Delta,
}

/// Reads the level2 frames of one connection, and learns how that connection writes them.
///
/// Says what [`Frame::parse`] and [`Delta::parse`] say, in an eighth of the scanner's instructions once it
/// has seen a symbol (420 and 3500). A connection that changes its mind is learned anew; one that writes every frame
/// differently is read by the scanner. Remembers at most 1024 symbols, 1 KiB each at most.
///
/// ```
/// use kucoin_futures_proto::wire::DeltaParser;
///
/// let mut parser = DeltaParser::new();
/// let frame = parser.parse(
///     br#"{"topic":"/contractMarket/level2:ETHUSDTM","type":"message","subject":"level2","sn":41,
///     "data":{"sequence":41,"change":"2417.55,buy,2","timestamp":1790000000001}}"#,
/// )?;
/// assert_eq!(frame.symbol.as_str(), "ETHUSDTM");
/// assert_eq!(frame.delta.size.get(), 2);
/// # Ok::<(), kucoin_futures_proto::WireError>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct DeltaParser {
    /// The layout that was learned first, which is nearly always the only one.
    usual: Option<Box<Layout>>,
    others: Vec<Other>,
    entries: Vec<Entry>,
    /// Where in `entries` a symbol is.
    index: BTreeMap<Symbol, u16>,
    /// Where the symbol stands, in the frames that were learned last.
    anchor: Anchor,
    /// Those of `entries` whose symbol stands there.
    table: Table,
}

/// A layout besides the usual one.
#[derive(Clone, Debug)]
struct Other {
    layout: Layout,
    /// Frames that were met in it lately.
    met: u32,
}

/// What is known of the symbol that a frame seems to be of, and where the frame has it.
#[derive(Clone, Copy)]
pub(crate) struct FoundSymbol<'a> {
    known: &'a SymbolEntry,
    edge: usize,
}

/// A symbol whose frame turned out to look like those of others.
pub(crate) struct LayoutMatch {
    pub(crate) symbol: Symbol,
    anchor: Anchor,
    known: SymbolEntry,
}

/// A symbol, and the rest of what is known of it.
#[derive(Clone, Debug)]
struct Entry {
    symbol: Symbol,
    anchor: Anchor,
    known: SymbolEntry,
    patience: RelearnBackoff,
}

/// When to learn a symbol again that is known, but looked otherwise.
#[derive(Clone, Copy, Debug)]
struct RelearnBackoff {
    learned_at: Sequence,
    /// Frames of this symbol that were met or read by the scanner since.
    scanned: u32,
    /// So many must be read before the next attempt.
    wait: u32,
}

/// Symbols remembered; the exchange lists some 700 contracts.
const MAX_KNOWN: usize = 1024;
/// Layouts remembered besides the usual one.
const MAX_LAYOUTS: usize = 6;
/// A symbol that had a layout last counts as so many frames that were met in it.
const SYMBOL_USES: u64 = 8;
/// Longest wait before a symbol is learned again, in frames met or read by the scanner.
const LONGEST_WAIT: u32 = 1024;
/// A symbol has been read the fast way if its sequence has gone on so much further than the frames
/// that were met or read by the scanner.
const PAID_OFF: u64 = 8;

impl DeltaParser {
    /// Knows nothing yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Reads a whole frame.
    ///
    /// # Errors
    /// [`WireError::Unexpected`] for a frame of another kind, otherwise those of [`Frame::parse`] and
    /// [`Delta::parse`].
    #[inline]
    pub fn parse(&mut self, frame: &[u8]) -> Result<DeltaFrame, WireError> {
        if let Some((known, delta)) = self.read(frame)
            && let Some(entry) = self.entries.get(usize::from(known.entry))
        {
            return Ok(DeltaFrame { symbol: entry.symbol, delta });
        }
        if let Some((met, delta)) = self.match_layout(frame) {
            let symbol = met.symbol;
            self.remember(met, delta.sequence, 0);
            return Ok(DeltaFrame { symbol, delta });
        }
        self.scan(frame)
    }

    #[cold]
    fn scan(&mut self, frame: &[u8]) -> Result<DeltaFrame, WireError> {
        let read = match read_once(frame) {
            Some(read) => read,
            None => read_twice(frame)?,
        };
        self.learn(frame, read.symbol, read.delta, 0);
        Ok(read)
    }

    /// Reads a frame that looks like an earlier one of its symbol. `None`: leave it to the scanner.
    #[inline]
    pub(crate) fn read(&self, frame: &[u8]) -> Option<(&SymbolEntry, Delta)> {
        let found = self.find(frame)?;
        Some((found.known, self.read_found(found, frame)?))
    }

    /// Whose a frame is, if it is like an earlier one of its symbol so far: the rest is not looked at.
    #[inline]
    pub(crate) fn find(&self, frame: &[u8]) -> Option<FoundSymbol<'_>> {
        let (key, edge) = self.anchor.find(frame)?;
        Some(FoundSymbol { known: self.table.find(key)?, edge })
    }

    /// Reads a frame whose symbol was found. `None`: leave it to the scanner.
    #[inline]
    pub(crate) fn read_found(&self, found: FoundSymbol<'_>, frame: &[u8]) -> Option<Delta> {
        let FoundSymbol { known, edge } = found;
        // Two ways, so that reading need not wait until it is known which layout it is: that is
        // guessed, and nearly always right.
        let delta = match known.layout {
            0 => known.read(self.usual.as_deref()?, frame, edge)?,
            other => self.read_as(other, known, frame, edge)?,
        };
        Some(delta)
    }

    #[inline(never)]
    fn read_as(
        &self,
        layout: u16,
        known: &SymbolEntry,
        frame: &[u8],
        edge: usize,
    ) -> Option<Delta> {
        let other = self.others.get(usize::from(layout).wrapping_sub(1))?;
        known.read(&other.layout, frame, edge)
    }

    /// Reads a frame of another symbol, with other first digits, or in another layout than this symbol
    /// had last, if the layout is known. `None`: leave it to the scanner.
    #[inline(never)]
    pub(crate) fn match_layout(&mut self, frame: &[u8]) -> Option<(LayoutMatch, Delta)> {
        let usual = self.usual.as_deref();
        if let Some(met) = usual.and_then(|layout| LayoutMatch::of(0, layout, frame)) {
            return Some(met);
        }
        let mut others = (1..).zip(&mut self.others);
        others.find_map(|(number, other)| {
            let met = LayoutMatch::of(number, &other.layout, frame)?;
            other.met = other.met.saturating_add(1);
            Some(met)
        })
    }

    /// Remembers what was met; of a symbol that had another layout not every time. The tag comes with
    /// what is [read](Self::read) of this symbol from now on.
    pub(crate) fn remember(&mut self, met: LayoutMatch, at: Sequence, tag: u32) {
        let old = self.index.get(&met.symbol);
        let old = old.and_then(|&old| self.entries.get_mut(usize::from(old)));
        let patience = match old {
            None => RelearnBackoff { learned_at: at, scanned: 0, wait: 1 },
            Some(old) if old.known.is_nobody() || old.known.is_of(met.known.layout) => old.patience,
            Some(old) => match old.patience.after_another(at) {
                Some(wait) => RelearnBackoff { learned_at: at, scanned: 0, wait },
                None => return,
            },
        };
        self.keep(met.symbol, met.anchor, SymbolEntry { tag, ..met.known }, patience);
    }

    /// Learns from a frame that the scanner has read as this delta. The tag comes with what is
    /// [read](Self::read) of this symbol from now on.
    pub(crate) fn learn(&mut self, frame: &[u8], symbol: Symbol, delta: Delta, tag: u32) {
        let old = self.index.get(&symbol).and_then(|&old| self.entries.get_mut(usize::from(old)));
        let wait = match old {
            None => Some(1),
            Some(entry) => entry.patience.after_another(delta.sequence),
        };
        let Some(wait) = wait else { return };
        let patience = RelearnBackoff { learned_at: delta.sequence, scanned: 0, wait };
        if let Some(Learned { layout, known }) = Learned::from(frame) {
            let anchor = layout.anchor;
            let known = SymbolEntry { layout: self.number_of(layout), tag, ..known };
            self.keep(symbol, anchor, known, patience);
        }
    }

    fn keep(
        &mut self,
        symbol: Symbol,
        anchor: Anchor,
        known: SymbolEntry,
        patience: RelearnBackoff,
    ) {
        let next = self.entries.len();
        let at = match self.index.get(&symbol) {
            Some(&at) => at,
            None if next >= MAX_KNOWN => return,
            None => next as u16,
        };
        let known = SymbolEntry { entry: at, ..known };
        let entry = Entry { symbol, anchor, known, patience };
        let is_first_key = match self.entries.get_mut(usize::from(at)) {
            Some(before) => core::mem::replace(before, entry).known.key == known.key,
            None => {
                self.entries.push(entry);
                self.index.insert(symbol, at);
                true
            }
        };
        // Nearly always the others' symbols stand where this one's does, and stay where they are.
        if self.anchor == anchor && is_first_key && self.table.insert(known) {
            return;
        }
        self.anchor = anchor;
        self.fill_table();
    }

    fn fill_table(&mut self) {
        let anchor = self.anchor;
        let is_there = |entry: &Entry| entry.anchor == anchor && !entry.known.is_nobody();
        self.table.fill(self.entries.iter().map(|entry| is_there(entry).then_some(entry.known)));
    }

    /// The number of a layout, a new one if it was not there.
    fn number_of(&mut self, layout: Layout) -> u16 {
        let Some(usual) = &self.usual else {
            self.usual = Some(Box::new(layout));
            return 0;
        };
        if **usual == layout {
            return 0;
        }
        let known = self.others.iter().position(|other| other.layout == layout);
        let at = known.unwrap_or_else(|| {
            let room = if self.others.len() < MAX_LAYOUTS { None } else { self.forget_one() };
            let (other, end) = (Other { layout, met: 0 }, self.others.len());
            match room.and_then(|at| Some((at, self.others.get_mut(at)?))) {
                Some((at, old)) => {
                    *old = other;
                    at
                }
                None => {
                    self.others.push(other);
                    end
                }
            }
        });
        other_number(at)
    }

    /// Forgets the layout that is used least, and says where it was.
    fn forget_one(&mut self) -> Option<usize> {
        let uses = |at: usize, other: &Other| {
            let has_it = |entry: &&Entry| entry.known.is_of(other_number(at));
            let symbols = self.entries.iter().filter(has_it).count();
            u64::from(other.met).saturating_add((symbols as u64).saturating_mul(SYMBOL_USES))
        };
        let all = self.others.iter().enumerate();
        let (_, least) = all.map(|(at, other)| (uses(at, other), at)).min()?;
        self.others.iter_mut().for_each(|other| other.met /= 2);
        let has_it = |entry: &&mut Entry| entry.known.is_of(other_number(least));
        let entries = self.entries.iter_mut().filter(has_it);
        entries.for_each(|entry| entry.known = SymbolEntry::NOBODY);
        self.fill_table();
        Some(least)
    }
}

/// Envelope and data in one go; `None` if it is no usual delta.
fn read_once(frame: &[u8]) -> Option<DeltaFrame> {
    match Content::read(frame, |_| None)? {
        (named, Content::Delta(delta), _) => {
            Some(DeltaFrame { symbol: named.channel.symbol()?, delta })
        }
        _ => None,
    }
}

/// The envelope, and then its data: what is wrong, if something is.
fn read_twice(frame: &[u8]) -> Result<DeltaFrame, WireError> {
    let Frame::Message(message) = Frame::parse(frame)? else {
        return Err(WireError::Unexpected);
    };
    let channel = message.channel().filter(|channel| channel.kind() == ChannelKind::Level2);
    let symbol = channel.and_then(|channel| channel.symbol()).ok_or(WireError::Unexpected)?;
    Ok(DeltaFrame { symbol, delta: Delta::parse(message.data)? })
}

impl FoundSymbol<'_> {
    pub(crate) const fn tag(&self) -> u32 {
        self.known.tag()
    }
}

impl LayoutMatch {
    fn of(number: u16, layout: &Layout, frame: &[u8]) -> Option<(Self, Delta)> {
        let (symbol, known, delta) = learn::met(layout, frame)?;
        let known = SymbolEntry { layout: number, ..known };
        Some((Self { symbol, anchor: layout.anchor, known }, delta))
    }
}

const fn other_number(at: usize) -> u16 {
    at as u16 + 1
}

impl RelearnBackoff {
    /// After one more frame that the scanner had to read: whether it is time to learn again, and how
    /// long to wait the next time.
    fn after_another(&mut self, at: Sequence) -> Option<u32> {
        self.scanned = self.scanned.saturating_add(1);
        if self.scanned < self.wait {
            return None;
        }
        let gone_on = at.get().abs_diff(self.learned_at.get());
        let paid_off = gone_on > PAID_OFF.saturating_mul(u64::from(self.scanned));
        Some(if paid_off { 1 } else { self.wait.saturating_mul(2).min(LONGEST_WAIT) })
    }
}

#[cfg(test)]
mod tests;
