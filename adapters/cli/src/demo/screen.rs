//! The terminal, taken over for the show and given back after it, whatever happens.

use std::io::{self, Stdout};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use ratatui::Terminal;
use ratatui::backend::CrosstermBackend;
use ratatui::crossterm::event::{self, Event, KeyCode, KeyEvent, KeyEventKind, KeyModifiers};
use ratatui::crossterm::execute;
use ratatui::crossterm::terminal::{
    EnterAlternateScreen, LeaveAlternateScreen, disable_raw_mode, enable_raw_mode,
};

use crate::demo::draw::draw;
use crate::demo::scene::Scene;
use crate::demo::theme::Theme;
use crate::demo::view::Wish;
use crate::exit::Failure;
use crate::out;

pub(crate) struct Screen {
    terminal: Terminal<CrosstermBackend<Stdout>>,
    theme: Theme,
    /// Keys can be read.
    raw: bool,
    left: bool,
}

impl Screen {
    pub(crate) fn open() -> Result<Self, Failure> {
        // Without a keyboard there is Ctrl-C still.
        let raw = enable_raw_mode().is_ok();
        TAKEN.store(true, Ordering::Relaxed);
        give_back_on_panic();
        let terminal = take_over().inspect_err(|_| give_terminal_back())?;
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
        Ok(give_back()?)
    }
}

/// Also on the way out of an error.
impl Drop for Screen {
    fn drop(&mut self) {
        if !self.left {
            let _ = give_back();
        }
    }
}

/// Whether the terminal is not as it was.
static TAKEN: AtomicBool = AtomicBool::new(false);

fn take_over() -> io::Result<Terminal<CrosstermBackend<Stdout>>> {
    execute!(io::stdout(), EnterAlternateScreen)?;
    let mut terminal = Terminal::new(CrosstermBackend::new(io::stdout()))?;
    terminal.clear()?;
    Ok(terminal)
}

/// For those who cannot wait for the end of the show; nothing, if the terminal is as it was.
pub(crate) fn give_terminal_back() {
    // There is nobody to tell.
    let _ = give_back();
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

fn give_back() -> io::Result<()> {
    if !TAKEN.swap(false, Ordering::Relaxed) {
        return Ok(());
    }
    let raw = disable_raw_mode();
    execute!(io::stdout(), LeaveAlternateScreen, ratatui::crossterm::cursor::Show)?;
    raw
}

/// A panic's message must be read on the terminal as it was.
fn give_back_on_panic() {
    let before = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        let _ = give_back();
        before(panic);
    }));
}
