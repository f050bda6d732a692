//! stdout: JSON lines for machines, or lines with colour where a person looks on.

use std::io::{self, BufWriter, IsTerminal as _, Write};

use anstream::AutoStream;
use anstyle::{AnsiColor, Style};
use serde_json::Value;

/// Good news.
pub(crate) const GOOD: Style = AnsiColor::Green.on_default();
/// Bad news.
pub(crate) const BAD: Style = AnsiColor::Red.on_default();
/// What was broken on purpose.
pub(crate) const FAULT: Style = AnsiColor::Yellow.on_default().bold();
/// Less important.
pub(crate) const DIM: Style = Style::new().dimmed();

/// Whether stdout is a terminal that wants colour (`NO_COLOR` and its relatives say no).
pub(crate) fn wants_colour() -> bool {
    wants_colour_for(&io::stdout())
}

/// The same for another stream.
pub(crate) fn wants_colour_for(stream: &impl anstream::stream::RawStream) -> bool {
    !matches!(AutoStream::choice(stream), anstream::ColorChoice::Never)
}

/// Buffered; colour is stripped unless stdout is a terminal that wants it.
pub(crate) struct Out {
    /// `None`: nothing is printed.
    writer: Option<BufWriter<AutoStream<io::StdoutLock<'static>>>>,
    at_once: bool,
    table: Table,
}

/// What stands below all lines and is rewritten in its place.
#[derive(Default)]
struct Table {
    possible: bool,
    rows: Vec<String>,
    /// Lines of the terminal that it takes now.
    drawn: usize,
}

impl Out {
    pub(crate) fn new() -> Self {
        let stdout = io::stdout();
        let at_once = stdout.is_terminal();
        let choice = AutoStream::choice(&stdout);
        // Where escapes are stripped, those that move the cursor are, too.
        let possible = at_once && !matches!(choice, anstream::ColorChoice::Never);
        let table = Table { possible, ..Table::default() };
        let writer = BufWriter::new(AutoStream::new(stdout.lock(), choice));
        Self { writer: Some(writer), at_once, table }
    }

    /// Prints nothing, and leaves stdout to others.
    pub(crate) fn silent() -> Self {
        Self { writer: None, at_once: false, table: Table::default() }
    }

    /// Whether [`Out::set_table`] has a place to be seen.
    pub(crate) const fn has_table(&self) -> bool {
        self.table.possible
    }

    /// Rows below all lines, in place of the ones before; shown with the next flush.
    pub(crate) fn set_table(&mut self, rows: Vec<String>) -> io::Result<()> {
        self.wipe_table()?;
        self.table.rows = rows;
        Ok(())
    }

    pub(crate) fn line(&mut self, line: std::fmt::Arguments<'_>) -> io::Result<()> {
        self.wipe_table()?;
        let Some(writer) = &mut self.writer else { return Ok(()) };
        writer.write_fmt(line)?;
        self.end_line()
    }

    pub(crate) fn json(&mut self, value: &Value) -> io::Result<()> {
        let Some(writer) = &mut self.writer else { return Ok(()) };
        serde_json::to_writer(writer, value)?;
        self.end_line()
    }

    /// To be called before waiting for anything.
    pub(crate) fn flush(&mut self) -> io::Result<()> {
        self.draw_table()?;
        self.writer.as_mut().map_or(Ok(()), Write::flush)
    }

    fn wipe_table(&mut self) -> io::Result<()> {
        match (std::mem::take(&mut self.table.drawn), &mut self.writer) {
            (0, _) | (_, None) => Ok(()),
            (drawn, Some(writer)) => write!(writer, "\x1b[{drawn}A\x1b[J"),
        }
    }

    /// As much of it as there is room for. Rows are cut by the terminal: one that went on below would not be
    /// wiped.
    fn draw_table(&mut self) -> io::Result<()> {
        let (Table { possible: true, rows, drawn: drawn @ 0 }, Some(writer)) =
            (&mut self.table, &mut self.writer)
        else {
            return Ok(());
        };
        if rows.is_empty() {
            return Ok(());
        }
        // A terminal that says nothing of its size says zero.
        let height = ratatui::crossterm::terminal::size().map_or(0, |(_, height)| height);
        let height = if height == 0 { 24 } else { height };
        let room = usize::from(height).saturating_sub(2).max(1);
        let shown = if rows.len() > room { room - 1 } else { rows.len() };
        write!(writer, "\x1b[?7l")?;
        for row in rows.iter().take(shown) {
            writeln!(writer, "{row}")?;
        }
        if shown < rows.len() {
            let more = rows.len() - shown;
            writeln!(writer, "{DIM}and {more} more: a higher window shows them{DIM:#}")?;
        }
        *drawn = shown + usize::from(shown < rows.len());
        write!(writer, "\x1b[?7h")
    }

    fn end_line(&mut self) -> io::Result<()> {
        let Some(writer) = &mut self.writer else { return Ok(()) };
        writer.write_all(b"\n")?;
        if self.at_once { writer.flush() } else { Ok(()) }
    }
}
