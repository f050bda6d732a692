//! Everything there is to see, as plain data: what a screen is drawn from.

use std::collections::VecDeque;
use std::time::Duration;

use kucoin_futures_proto::wire::Execution;
use kucoin_futures_proto::{
    BookEvent, BookStatus, Event, Instant, LineEvent, LineRole, Stats, Symbol, TopicId,
};

use crate::demo::acts::Act;
use crate::monitor::{Depth, LogRow, Moment, Mood, TradeRow, keep};
use crate::words::State;

pub(crate) struct Scene {
    pub(crate) runtime: &'static str,
    pub(crate) url: String,
    pub(crate) span: Duration,
    pub(crate) now: Instant,
    pub(crate) line: LineState,
    pub(crate) books: Vec<BookRow>,
    /// Whose trades run beside the ladder.
    pub(crate) traded: Option<(TopicId, Symbol)>,
    pub(crate) trades: VecDeque<TradeRow>,
    pub(crate) log: VecDeque<LogRow>,
    /// Milliseconds from each loss of a book to its return.
    pub(crate) resyncs: Vec<u64>,
    pub(crate) acts: Vec<Act>,
    pub(crate) stats: Stats,
}

/// The line, in words.
pub(crate) enum LineState {
    /// Connecting for the first time.
    Starting,
    Up {
        since: Instant,
    },
    /// The log says why.
    Down,
}

/// A book as it is now.
pub(crate) struct BookRow {
    pub(crate) topic: TopicId,
    pub(crate) symbol: Symbol,
    pub(crate) status: BookStatus,
    pub(crate) lost_at: Option<Instant>,
    /// What it can be read as; `None` unless it is live.
    pub(crate) depth: Option<Depth>,
}

/// How a book compares with the exchange's.
pub(crate) struct Verdict {
    pub(crate) symbol: Symbol,
    pub(crate) sequence: u64,
    /// `None`: it is not live.
    pub(crate) equal: Option<bool>,
    pub(crate) levels: usize,
}

/// Rows that the tallest screen can show.
pub(super) const KEPT: usize = 100;

impl Scene {
    /// Takes in what the client says, and gives the words for it, if it is a change of state. `message`: what
    /// the exchange said.
    pub(crate) fn on_event(&mut self, event: &Event, message: Option<&str>) -> Option<State> {
        let state = State::of(event, message, |_| Some(LineRole::Public))?;
        match event {
            Event::Line(_, LineEvent::Up { .. }) => self.line = LineState::Up { since: self.now },
            Event::Line(
                _,
                LineEvent::Down { .. } | LineEvent::TokenFailed(_) | LineEvent::Waiting { .. },
            ) => {
                self.line = LineState::Down;
            }
            Event::Book(topic, BookEvent::Lost { .. }) => {
                let now = self.now;
                if let Some(row) = self.row(*topic) {
                    row.lost_at = Some(now);
                }
            }
            Event::Book(topic, BookEvent::Live { .. }) => {
                let now = self.now;
                let lost = self.row(*topic).and_then(|row| row.lost_at.take());
                self.resyncs.extend(lost.map(|lost| now.since(lost).as_millis() as u64));
            }
            _ => {}
        }
        let who = match state.topic {
            None => "line".into(),
            Some(topic) if self.traded.is_some_and(|(of, _)| of == topic) => "trades".into(),
            Some(topic) => self.symbol(topic).map_or_else(String::new, |s| s.to_string()),
        };
        self.say(who, state.text(), Mood::of(state.tone));
        Some(state)
    }

    pub(crate) fn on_trade(&mut self, trade: &Execution<'_>) {
        keep(&mut self.trades, TradeRow::from(trade), KEPT);
    }

    pub(crate) fn say(&mut self, who: impl Into<String>, text: impl Into<String>, mood: Mood) {
        let when = Moment::of(self.now);
        let row = LogRow { when, who: who.into(), text: text.into(), mood };
        keep(&mut self.log, row, KEPT);
    }

    pub(crate) fn all_live(&self) -> bool {
        self.books.iter().all(|row| row.status == BookStatus::Live)
    }

    pub(crate) fn symbol(&self, topic: TopicId) -> Option<Symbol> {
        let traded = self.traded.filter(|(of, _)| *of == topic).map(|(_, symbol)| symbol);
        let book = self.books.iter().find(|row| row.topic == topic).map(|row| row.symbol);
        book.or(traded)
    }

    fn row(&mut self, topic: TopicId) -> Option<&mut BookRow> {
        self.books.iter_mut().find(|row| row.topic == topic)
    }
}
