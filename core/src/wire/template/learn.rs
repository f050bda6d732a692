//! The template of a frame that the scanner has accepted.

use alloc::vec::Vec;
use core::ops::Range;

use super::shape::{Block, Hole, Id, Step, Template, Which};
use crate::channel::ChannelKind;
use crate::wire::fields::Key;
use crate::wire::scan::{Scanner, Value};
use crate::wire::text::Text;

/// Longest frame to learn from. A usual one has 270 to 330 bytes.
const LONGEST_FRAME: usize = 1024;
/// Most holes.
const MOST_STEPS: usize = 40;

/// The template of a message of this channel. `None` if it is too long, or has something that a template
/// cannot express.
pub(super) fn template(frame: &[u8], kind: ChannelKind) -> Option<Template> {
    if frame.len() > LONGEST_FRAME {
        return None;
    }
    let scanner = Scanner::new(frame);
    let mut learner =
        Learner { frame, kind, scanner, learned: 0, steps: Vec::new(), blocks: Vec::new() };
    learner.envelope()?;
    learner.hole(Hole::End, &(frame.len()..frame.len()))?;
    let Learner { steps, blocks, .. } = learner;
    let template = Template { kind, steps: steps.into(), blocks: blocks.into() };
    // It would be of no use if it could not read even this one.
    template.walk(frame)?;
    Some(template)
}

struct Learner<'a> {
    frame: &'a [u8],
    kind: ChannelKind,
    scanner: Scanner<'a>,
    /// How far the frame is in the steps.
    learned: usize,
    steps: Vec<Step>,
    blocks: Vec<Block>,
}

impl<'a> Learner<'a> {
    fn envelope(&mut self) -> Option<()> {
        self.scanner.object().ok()?;
        let mut first = true;
        while let Some(key) = self.scanner.key(&mut first).ok()? {
            if key.is("data") {
                self.data()?;
                continue;
            }
            let (value, span) = self.value()?;
            if let Value::Text(topic) = value
                && key.is("topic")
            {
                let (_, symbol) = topic.plain()?.split_once(':')?;
                let text = inside(topic, &span)?;
                self.hole(Hole::Symbol, &(text.end.checked_sub(symbol.len())?..text.end))?;
            } else if !(key.is("type") || key.is("subject")) {
                // These two are the same in every frame.
                self.unused(value, &span)?;
            }
        }
        Some(())
    }

    fn data(&mut self) -> Option<()> {
        self.scanner.object().ok()?;
        let mut first = true;
        while let Some(name) = self.scanner.key(&mut first).ok()? {
            let (value, span) = self.value()?;
            let used = self.kind.keys().iter().find(|key| name.is(key.name()));
            let Some(&key) = used else {
                self.unused(value, &span)?;
                continue;
            };
            let inner = match value {
                Value::Text(text) => inside(text, &span)?,
                Value::Number(_) => span,
                Value::Bool(_) | Value::Null | Value::Object(_) | Value::Array(_) => return None,
            };
            self.hole(hole(key, matches!(value, Value::Text(_)))?, &inner)?;
        }
        Some(())
    }

    /// A value that nobody asks for: texts and whole numbers may differ, all else stays the same.
    fn unused(&mut self, value: Value<'a>, span: &Range<usize>) -> Option<()> {
        match value {
            Value::Text(text) => match inside(text, span) {
                Some(inner) => self.hole(Hole::Text, &inner),
                None => Some(()),
            },
            Value::Number(digits) if digits.bytes().all(|byte| byte.is_ascii_digit()) => {
                self.hole(Hole::Number, span)
            }
            Value::Number(_) | Value::Bool(_) | Value::Null => Some(()),
            Value::Object(_) | Value::Array(_) => Some(()),
        }
    }

    /// What was not learned yet up to there is a literal, and behind it there is a hole.
    fn hole(&mut self, hole: Hole, span: &Range<usize>) -> Option<()> {
        let literal = self.frame.get(self.learned..span.start)?;
        let blocks = literal.chunks(16).map(Block::of);
        let before = self.blocks.len();
        self.blocks.extend(blocks);
        let blocks = u8::try_from(self.blocks.len().checked_sub(before)?).ok()?;
        let literal_len = u16::try_from(literal.len()).ok()?;
        self.steps.push(Step { literal_len, blocks, hole });
        self.learned = span.end;
        (self.steps.len() <= MOST_STEPS).then_some(())
    }

    /// The next value, and from where to where it stands.
    fn value(&mut self) -> Option<(Value<'a>, Range<usize>)> {
        self.scanner.space();
        let start = self.scanner.at();
        let value = self.scanner.value().ok()?;
        Some((value, start..self.scanner.at()))
    }
}

/// What is read of a key: between quotes, or as it stands.
fn hole(key: Key, is_quoted: bool) -> Option<Hole> {
    let price = |which: Which| if is_quoted { Hole::Price(which) } else { Hole::BarePrice(which) };
    Some(match key {
        Key::Symbol => Hole::Symbol,
        Key::Sequence => Hole::Sequence,
        Key::Side => Hole::Side,
        Key::Price => price(Which::Trade),
        Key::BidPrice => price(Which::Bid),
        Key::AskPrice => price(Which::Ask),
        Key::Size => Hole::Size(Which::Trade),
        Key::BidSize => Hole::Size(Which::Bid),
        Key::AskSize => Hole::Size(Which::Ask),
        Key::TradeId => Hole::Id(Id::Trade),
        Key::TakerOrderId => Hole::Id(Id::TakerOrder),
        Key::MakerOrderId => Hole::Id(Id::MakerOrder),
        Key::Ts => Hole::Ts,
        Key::Change | Key::Timestamp | Key::Bids | Key::Asks => return None,
    })
}

/// Where a text stands without its quotes, if it has no escapes.
fn inside(text: Text<'_>, span: &Range<usize>) -> Option<Range<usize>> {
    text.plain()?;
    Some(span.start.checked_add(1)?..span.end.checked_sub(1)?)
}
