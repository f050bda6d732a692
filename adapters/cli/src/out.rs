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
    writer: BufWriter<AutoStream<io::StdoutLock<'static>>>,
    at_once: bool,
}

impl Out {
    pub(crate) fn new() -> Self {
        let stdout = io::stdout();
        let at_once = stdout.is_terminal();
        let choice = AutoStream::choice(&stdout);
        Self { writer: BufWriter::new(AutoStream::new(stdout.lock(), choice)), at_once }
    }

    pub(crate) fn line(&mut self, line: std::fmt::Arguments<'_>) -> io::Result<()> {
        self.writer.write_fmt(line)?;
        self.end_line()
    }

    pub(crate) fn json(&mut self, value: &Value) -> io::Result<()> {
        serde_json::to_writer(&mut self.writer, value)?;
        self.end_line()
    }

    /// To be called before waiting for anything.
    pub(crate) fn flush(&mut self) -> io::Result<()> {
        self.writer.flush()
    }

    fn end_line(&mut self) -> io::Result<()> {
        self.writer.write_all(b"\n")?;
        if self.at_once { self.writer.flush() } else { Ok(()) }
    }
}
