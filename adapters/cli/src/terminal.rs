//! The terminal, taken over for a show and given back after it, whatever happens.

mod screen;

use std::io;
use std::sync::atomic::{AtomicBool, Ordering};

use ratatui::Terminal;
use ratatui::crossterm::cursor::Show;
use ratatui::crossterm::execute;
use ratatui::crossterm::terminal::{
    EnterAlternateScreen, LeaveAlternateScreen, disable_raw_mode, enable_raw_mode,
};

pub(crate) use screen::Screen;

/// Whether the terminal is not as it was.
static TAKEN: AtomicBool = AtomicBool::new(false);

/// An empty screen, and whether keys can be read.
pub(crate) fn take_over() -> io::Result<(Terminal<Screen>, bool)> {
    // Without a keyboard there is Ctrl-C still.
    let raw = enable_raw_mode().is_ok();
    TAKEN.store(true, Ordering::Relaxed);
    give_back_on_panic();
    let terminal = empty_screen().inspect_err(|_| drop(give_back()))?;
    Ok((terminal, raw))
}

fn empty_screen() -> io::Result<Terminal<Screen>> {
    execute!(io::stdout(), EnterAlternateScreen)?;
    let mut terminal = Terminal::new(Screen::new())?;
    terminal.clear()?;
    Ok(terminal)
}

/// Nothing, if the terminal is as it was.
pub(crate) fn give_back() -> io::Result<()> {
    if !TAKEN.swap(false, Ordering::Relaxed) {
        return Ok(());
    }
    let raw = disable_raw_mode();
    execute!(io::stdout(), LeaveAlternateScreen, Show)?;
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
