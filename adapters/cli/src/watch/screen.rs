//! The terminal, and the thread that draws on it. Whatever the terminal does, only this thread waits for it.

use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::Duration;

use kucoin_futures_host::Clock;
use kucoin_futures_proto::Instant;
use ratatui::crossterm::event::{self, Event};

use super::draw::draw;
use super::slot::{Slot, Taken};
use super::ui::{Ui, Wish};
use super::view::View;
use crate::draw::Theme;
use crate::exit::{Failure, Kind};
use crate::stop::Stop;
use crate::{out, terminal};

/// Keys and pictures are looked for so often.
const TICK: Duration = Duration::from_millis(40);
/// Without either it is drawn so often: the clocks on it move.
const IDLE: Duration = Duration::from_millis(500);
/// A terminal that takes longer to take the last words is left as it is.
const PATIENCE: Duration = Duration::from_secs(2);

/// What leads to the feed's thread and back.
pub(super) struct Link {
    pub(super) slot: Slot<View>,
    pub(super) wishes: Sender<Wish>,
    /// Ends the feed's wait.
    pub(super) wake: Box<dyn Fn() + Send>,
    pub(super) stop: Stop,
    pub(super) clock: Clock,
}

/// A thread that draws until its slot is closed.
pub(super) struct Screen {
    done: Receiver<Result<(), Failure>>,
}

impl Screen {
    pub(super) fn open(ui: Ui, link: Link) -> Result<Self, Failure> {
        let (ended, done) = channel();
        let run = move || {
            let _over = Over(&link);
            let _ = ended.send(Drawing::new(ui).run(&link));
        };
        let thread = std::thread::Builder::new().name("screen".into()).spawn(run);
        thread.map_err(|error| Failure::new(Kind::Runtime, error))?;
        Ok(Self { done })
    }

    /// Gives the terminal back; whether it was there to take it.
    pub(super) fn leave(self) -> Result<bool, Failure> {
        match self.done.recv_timeout(PATIENCE) {
            Ok(result) => result.map(|()| true),
            Err(RecvTimeoutError::Disconnected) => {
                Err(Failure::words(Kind::Runtime, "the thread that draws has ended"))
            }
            Err(RecvTimeoutError::Timeout) => {
                // Keys at least are to be the shell's again; nothing more can be written.
                let _ = ratatui::crossterm::terminal::disable_raw_mode();
                Ok(false)
            }
        }
    }
}

struct Drawing {
    ui: Ui,
    view: Option<View>,
    drawn: Option<Instant>,
    theme: Theme,
}

impl Drawing {
    fn new(ui: Ui) -> Self {
        Self { ui, view: None, drawn: None, theme: Theme::new(out::wants_colour()) }
    }

    fn run(mut self, link: &Link) -> Result<(), Failure> {
        let (mut terminal, raw) = terminal::take_over()?;
        let _left = Left;
        loop {
            let mut is_new = raw && self.keys(link)?;
            let wait = if raw { Duration::ZERO } else { TICK };
            match link.slot.take_within(wait) {
                Taken::Some(view) if self.ui.paused.is_none() => {
                    self.view = Some(view);
                    is_new = true;
                }
                Taken::Some(_) | Taken::None => {}
                Taken::Closed => break,
            }
            self.ui.now = link.clock.now();
            let is_due = self.drawn.is_none_or(|drawn| self.ui.now.since(drawn) >= IDLE);
            if is_new || is_due {
                self.drawn = Some(self.ui.now);
                // Sizes itself anew first, if the terminal has another size now.
                let (view, ui, theme) = (self.view.as_ref(), &self.ui, self.theme);
                terminal.draw(|frame| draw(frame, view, ui, theme))?;
            }
        }
        Ok(terminal::give_back()?)
    }

    /// Waits a moment for keys; whether there is something to draw.
    fn keys(&mut self, link: &Link) -> Result<bool, Failure> {
        let mut is_new = false;
        let mut wait = TICK;
        while event::poll(wait)? {
            wait = Duration::ZERO;
            let event = event::read()?;
            is_new = true;
            self.ui.now = link.clock.now();
            let Event::Key(key) = event else { continue };
            match self.ui.on_key(key, self.view.as_ref()) {
                Some(Wish::End) => {
                    link.stop.ask();
                    (link.wake)();
                }
                Some(wish @ Wish::Show(_)) => {
                    // Gone: it is over.
                    let _ = link.wishes.send(wish);
                    (link.wake)();
                }
                None => {}
            }
        }
        Ok(is_new)
    }
}

/// Nobody looks on any more, for whatever reason: the feed has nobody to go on for.
struct Over<'a>(&'a Link);

impl Drop for Over<'_> {
    fn drop(&mut self) {
        self.0.stop.ask();
        (self.0.wake)();
    }
}

/// Gives the terminal back also on the way out of an error.
struct Left;

impl Drop for Left {
    fn drop(&mut self) {
        let _ = terminal::give_back();
    }
}
