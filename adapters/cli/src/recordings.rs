//! What is done with recordings: replayed, looked at, made data sets of, served.

mod exporting;
mod info;
mod replaying;
mod serving;
mod viewer;

use std::io::IsTerminal as _;
use std::path::Path;

use indicatif::{ProgressBar, ProgressStyle};
use kucoin_futures_data::{Recording, RecordingError, Session, Sink};

pub(crate) use exporting::{export, export_to, format_name};
pub(crate) use info::info;
pub(crate) use replaying::replay;

use crate::exit::{Failure, Kind};

fn open(path: &Path) -> Result<Recording, Failure> {
    let recording = Recording::open(path).map_err(failure)?;
    for (path, why) in &recording.unreadable {
        tracing::warn!(path = %path.display(), why, "not read");
    }
    Ok(recording)
}

fn failure(error: RecordingError) -> Failure {
    let kind = match error {
        RecordingError::Sink(error) => return Failure::from(error),
        RecordingError::Foreign { .. } => Kind::Integrity,
        _ => Kind::Usage,
    };
    Failure::new(kind, error)
}

/// A bar that goes with the bytes of the files that were read; none where nobody looks on.
struct Progress {
    bar: ProgressBar,
    before: u64,
    steps: u32,
}

impl Progress {
    fn new(recording: &Recording, is_hidden: bool) -> Self {
        let total = recording.sessions.iter().map(Session::bytes).sum();
        let bar = if is_hidden || !std::io::stderr().is_terminal() {
            ProgressBar::hidden()
        } else {
            ProgressBar::new(total)
        };
        let style = "{wide_bar} {bytes}/{total_bytes} {bytes_per_sec} {eta}";
        if let Ok(style) = ProgressStyle::with_template(style) {
            bar.set_style(style);
        }
        Self { bar, before: 0, steps: 0 }
    }

    /// Replays a session to its end.
    fn run(
        &mut self,
        session: &Session,
        sink: &mut impl Sink,
    ) -> Result<kucoin_futures_data::Replayed, Failure> {
        let mut replayer = kucoin_futures_data::Replayer::new(session);
        while replayer.step(sink).map_err(failure)? {
            self.steps = self.steps.wrapping_add(1);
            if self.steps.is_multiple_of(1 << 14) {
                self.bar.set_position(self.before + replayer.bytes_read());
            }
        }
        self.before += session.bytes();
        Ok(replayer.replayed().clone())
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}
