//! Colours, or none.

use ratatui::style::{Color, Modifier, Style};

use crate::monitor::Mood;

/// How things look. Without colour, what matters is bold and what does not is dim.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Theme {
    colour: bool,
}

impl Theme {
    pub(crate) const fn new(colour: bool) -> Self {
        Self { colour }
    }

    pub(crate) fn mood(self, mood: Mood) -> Style {
        match mood {
            Mood::Good => self.paint(Color::Green, Modifier::empty()),
            Mood::Bad => self.paint(Color::Red, Modifier::BOLD),
            Mood::Fault => self.paint(Color::Yellow, Modifier::BOLD),
            Mood::Plain => Style::new(),
        }
    }

    pub(crate) fn bid(self) -> Style {
        self.paint(Color::Green, Modifier::empty())
    }

    pub(crate) fn ask(self) -> Style {
        self.paint(Color::Red, Modifier::empty())
    }

    pub(crate) fn title(self) -> Style {
        self.paint(Color::Cyan, Modifier::BOLD)
    }

    pub(crate) fn dim(self) -> Style {
        Style::new().add_modifier(Modifier::DIM)
    }

    fn paint(self, colour: Color, without: Modifier) -> Style {
        if self.colour { Style::new().fg(colour) } else { Style::new().add_modifier(without) }
    }
}
