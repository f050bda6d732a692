//! The terminal that the show is drawn on.

use std::time::Duration;

use ratatui::Terminal;
use ratatui::crossterm::event::{self, Event, KeyCode, KeyEvent, KeyEventKind, KeyModifiers};

use crate::demo::draw::draw;
use crate::demo::scene::Scene;
use crate::draw::Theme;
use crate::exit::Failure;
use crate::{out, terminal};

/// What whoever looks on wants.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Wish {
    More,
    End,
}

pub(crate) struct Screen {
    terminal: Terminal<terminal::Screen>,
    theme: Theme,
    /// Keys can be read.
    raw: bool,
    left: bool,
}

impl Screen {
    pub(crate) fn open() -> Result<Self, Failure> {
        let (terminal, raw) = terminal::take_over()?;
        Ok(Self { terminal, theme: Theme::new(out::wants_colour()), raw, left: false })
    }

    pub(crate) fn draw(&mut self, scene: &Scene) -> Result<Wish, Failure> {
        // Sizes itself anew first, if the terminal has another size now.
        self.terminal.draw(|frame| draw(frame, scene, self.theme))?;
        while self.raw && event::poll(Duration::ZERO)? {
            if let Event::Key(key) = event::read()?
                && is_end(key)
            {
                return Ok(Wish::End);
            }
        }
        Ok(Wish::More)
    }

    pub(crate) fn leave(mut self) -> Result<(), Failure> {
        self.left = true;
        Ok(terminal::give_back()?)
    }
}

/// Also on the way out of an error.
impl Drop for Screen {
    fn drop(&mut self) {
        if !self.left {
            let _ = terminal::give_back();
        }
    }
}

/// In raw mode Ctrl-C is a key like any other.
fn is_end(key: KeyEvent) -> bool {
    let end = match key.code {
        KeyCode::Char('c') => key.modifiers.contains(KeyModifiers::CONTROL),
        KeyCode::Char('q' | 'Q') | KeyCode::Esc => true,
        _ => false,
    };
    end && key.kind == KeyEventKind::Press
}
