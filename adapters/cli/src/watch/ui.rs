//! What whoever looks on has chosen: pure, keys in and wishes out.

use std::cmp::Reverse;
use std::time::Duration;

use kucoin_futures_proto::{Instant, Symbol};
use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyEventKind, KeyModifiers};

use super::view::{Row, View};

/// By what contracts are listed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Sort {
    /// Value traded in 24 hours, the most first; coins of inverse contracts compare with no currency and come last.
    Volume,
    /// In 24 hours, the highest first.
    Change,
    /// The highest first.
    Funding,
    /// As part of the price, the widest first; those without one last.
    Spread,
    Name,
    /// Not live first, then those that were lost most often.
    State,
}

impl Sort {
    const ALL: [Self; 6] =
        [Self::Volume, Self::Change, Self::Funding, Self::Spread, Self::Name, Self::State];

    fn next(self) -> Self {
        let at = Self::ALL.iter().position(|sort| *sort == self).unwrap_or(0);
        Self::ALL.get(at + 1).copied().unwrap_or(Self::Volume)
    }

    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Volume => "volume",
            Self::Change => "change",
            Self::Funding => "funding",
            Self::Spread => "spread",
            Self::Name => "name",
            Self::State => "state",
        }
    }
}

/// What is shown below.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Panel {
    Log,
    Lines,
    Account,
}

/// What a key is to lead to, besides another drawing.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Wish {
    /// Look at this contract.
    Show(Symbol),
    End,
}

/// Longest text to filter by: symbols are no longer.
const LONGEST: usize = 23;
/// Page up and down.
const PAGE: isize = 10;

#[derive(Clone, Debug)]
pub(super) struct Ui {
    /// Under the cursor.
    pub(super) cursor: Symbol,
    /// Whose book is shown.
    pub(super) shown: Symbol,
    pub(super) sort: Sort,
    /// In upper case; those whose names contain it are listed.
    pub(super) filter: String,
    /// Keys are letters of the filter.
    pub(super) is_typing: bool,
    pub(super) panel: Panel,
    pub(super) has_help: bool,
    /// Since when the picture stands still.
    pub(super) paused: Option<Instant>,
    /// By the clock of the feed.
    pub(super) now: Instant,
}

impl Ui {
    pub(super) const fn new(first: Symbol, sort: Sort, now: Instant) -> Self {
        Self {
            cursor: first,
            shown: first,
            sort,
            filter: String::new(),
            is_typing: false,
            panel: Panel::Log,
            has_help: false,
            paused: None,
            now,
        }
    }

    /// For how long the picture stands still; `None` if it does not.
    pub(super) fn paused_for(&self) -> Option<Duration> {
        Some(self.now.since(self.paused?))
    }

    /// The contracts that are listed, in order.
    pub(super) fn listed<'a>(&self, view: &'a View) -> Vec<&'a Row> {
        let mut rows: Vec<&Row> = view.rows.iter().filter(|row| self.lists(row.symbol)).collect();
        // They come by name, and stay so where they are alike.
        match self.sort {
            Sort::Volume => {
                rows.sort_by_key(|row| (row.is_inverse(), Reverse(row.day.turnover)));
            }
            Sort::Change => rows.sort_by_key(|row| Reverse(row.day.change)),
            Sort::Funding => rows.sort_by_key(|row| Reverse(row.funding)),
            Sort::Spread => rows.sort_by_key(|row| Reverse(row.spread_ppm())),
            Sort::Name => {}
            Sort::State => rows.sort_by_key(|row| (row.is_live(), Reverse(row.resyncs))),
        }
        rows
    }

    /// Bitcoin is XBT, and yet called BTC.
    fn lists(&self, symbol: Symbol) -> bool {
        let name = symbol.as_str();
        name.contains(&self.filter) || (self.filter == "BTC" && name.contains("XBT"))
    }

    pub(super) fn on_key(&mut self, key: KeyEvent, view: Option<&View>) -> Option<Wish> {
        if key.kind == KeyEventKind::Release {
            return None;
        }
        // In raw mode Ctrl-C is a key like any other.
        if key.code == KeyCode::Char('c') && key.modifiers.contains(KeyModifiers::CONTROL) {
            return Some(Wish::End);
        }
        if self.is_typing {
            return self.on_typed(key, view);
        }
        if std::mem::take(&mut self.has_help) && key.code != KeyCode::Char('q') {
            return None;
        }
        match key.code {
            KeyCode::Esc if !self.filter.is_empty() => {
                self.filter.clear();
                self.step(view, 0);
            }
            KeyCode::Char('q' | 'Q') | KeyCode::Esc => return Some(Wish::End),
            KeyCode::Up | KeyCode::Char('k') => self.step(view, -1),
            KeyCode::Down | KeyCode::Char('j') => self.step(view, 1),
            KeyCode::PageUp => self.step(view, -PAGE),
            KeyCode::PageDown => self.step(view, PAGE),
            KeyCode::Home => self.step(view, isize::MIN),
            KeyCode::End => self.step(view, isize::MAX),
            KeyCode::Enter => return self.show(),
            KeyCode::Tab => {
                self.cycle(view);
                return self.show();
            }
            KeyCode::Char('s') => self.sort = self.sort.next(),
            KeyCode::Char('/') => {
                self.filter.clear();
                self.is_typing = true;
            }
            KeyCode::Char(' ') => {
                self.paused = if self.paused.is_some() { None } else { Some(self.now) };
            }
            KeyCode::Char('l') => self.toggle(Panel::Lines),
            KeyCode::Char('a') => self.toggle(Panel::Account),
            KeyCode::Char('?' | 'h') => self.has_help = true,
            _ => {}
        }
        None
    }

    fn on_typed(&mut self, key: KeyEvent, view: Option<&View>) -> Option<Wish> {
        match key.code {
            KeyCode::Esc => {
                self.filter.clear();
                self.is_typing = false;
            }
            KeyCode::Enter => {
                self.is_typing = false;
                self.step(view, 0);
                return self.show();
            }
            KeyCode::Backspace => drop(self.filter.pop()),
            KeyCode::Up => self.step(view, -1),
            KeyCode::Down => self.step(view, 1),
            KeyCode::Char(c) if self.filter.len() < LONGEST && c.is_ascii_graphic() => {
                self.filter.push(c.to_ascii_uppercase());
                self.step(view, 0);
            }
            _ => {}
        }
        None
    }

    const fn show(&mut self) -> Option<Wish> {
        self.shown = self.cursor;
        Some(Wish::Show(self.shown))
    }

    fn toggle(&mut self, panel: Panel) {
        self.panel = if self.panel == panel { Panel::Log } else { panel };
    }

    /// Moves the cursor among what is listed; onto the first if it is not among them.
    fn step(&mut self, view: Option<&View>, by: isize) {
        let Some(view) = view else { return };
        let rows = self.listed(view);
        let at = rows.iter().position(|row| row.symbol == self.cursor);
        let to = at.map_or(0, |at| at.saturating_add_signed(by).min(rows.len().saturating_sub(1)));
        if let Some(row) = rows.get(to) {
            self.cursor = row.symbol;
        }
    }

    /// To the next one, and from the last to the first.
    fn cycle(&mut self, view: Option<&View>) {
        let Some(view) = view else { return };
        let rows = self.listed(view);
        let at = rows.iter().position(|row| row.symbol == self.cursor);
        if let Some(row) = at.and_then(|at| rows.get(at + 1)).or_else(|| rows.first()) {
            self.cursor = row.symbol;
        }
    }
}
