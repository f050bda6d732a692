//! The last screen as a picture.

use std::path::Path;

use ratatui::Terminal;
use ratatui::backend::TestBackend;

use crate::demo::draw::draw;
use crate::demo::scene::Scene;
use crate::draw::{Theme, svg};
use crate::exit::{Failure, Kind};

/// Columns and rows.
const SIZE: (u16, u16) = (100, 32);

pub(crate) fn write(path: &Path, scene: &Scene) -> Result<(), Failure> {
    let Ok(mut terminal) = Terminal::new(TestBackend::new(SIZE.0, SIZE.1));
    let Ok(_) = terminal.draw(|frame| draw(frame, scene, Theme::new(true)));
    let picture = svg(terminal.backend().buffer(), "kcf demo in a terminal");
    std::fs::write(path, picture).map_err(|error| {
        Failure::words(Kind::Usage, format_args!("--svg {}: {error}", path.display()))
    })
}
