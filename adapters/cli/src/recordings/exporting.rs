//! `kcf export`: a data set of a recording.

use std::io;
use std::path::Path;

use indicatif::{HumanBytes, HumanCount};
use kucoin_futures_data::export::manifest::Gap;
use kucoin_futures_data::export::{Exporter, Format, Manifest, Options};
use kucoin_futures_data::{Moment, Sink};
use kucoin_futures_proto::Output;
use serde_json::json;

use super::{Progress, open};
use crate::args::{ExportArgs, ExportFormat};
use crate::exit::{Failure, Kind};
use crate::out::{BAD, DIM, Out};

pub(crate) fn export(args: &ExportArgs) -> Result<(), Failure> {
    export_to(&args.recording, args.format, &args.to, args.json)
}

/// As folders and people name it.
pub(crate) const fn format_name(format: ExportFormat) -> &'static str {
    match format {
        ExportFormat::Parquet => "parquet",
        ExportFormat::Tardis => "tardis",
        ExportFormat::Hftbacktest => "hftbacktest",
        ExportFormat::Ndjson => "ndjson",
    }
}

const fn format_of(format: ExportFormat) -> Format {
    match format {
        ExportFormat::Parquet => Format::Parquet,
        ExportFormat::Tardis => Format::Tardis,
        ExportFormat::Hftbacktest => Format::Hftbacktest,
        ExportFormat::Ndjson => Format::Ndjson,
    }
}

/// All sessions, one after the other, in one data set.
pub(crate) fn export_to(
    from: &Path,
    format: ExportFormat,
    to: &Path,
    json: bool,
) -> Result<(), Failure> {
    let recording = open(from)?;
    let fail = |error: io::Error| {
        let text = format_args!("--to {}: {error}", to.display());
        Failure::words(Kind::Usage, text)
    };
    let exporter = Exporter::new(to, format_of(format), Options::default()).map_err(fail)?;
    let mut sessions = Sessions { exporter, left: recording.sessions.len() };
    let mut progress = Progress::new(&recording, json);
    let (mut inputs, mut differ, mut damaged) = (0, Vec::new(), Vec::new());
    for session in &recording.sessions {
        sessions.left -= 1;
        let replayed = progress.run(session, &mut sessions)?;
        inputs += replayed.records;
        if let Some(tear) = &replayed.tear {
            sessions.exporter.note_tear(tear).map_err(fail)?;
            damaged.extend(tear.is_damage().then(|| tear.to_string()));
        }
        if !replayed.is_equal() {
            differ.push(session.name());
        }
    }
    drop(progress);
    let mut out = Out::new();
    say(&mut out, json, (format, to), sessions.exporter.manifest(), inputs)?;
    if !differ.is_empty() {
        let text = format!(
            "{}: what was exported is not what was recorded; it was recorded by another version, or is damaged",
            differ.join(", ")
        );
        return Err(Failure::words(Kind::Integrity, text));
    }
    if !damaged.is_empty() {
        return Err(Failure::words(Kind::Integrity, damaged.join("; ")));
    }
    Ok(())
}

/// As a book's end is told that somebody wanted.
const UNWANTED: &str = "unsubscribed";

fn say(
    out: &mut Out,
    json: bool,
    (format, to): (ExportFormat, &Path),
    manifest: &Manifest,
    inputs: u64,
) -> Result<(), Failure> {
    let rows: u64 = manifest.files.iter().map(|file| file.rows).sum();
    let bytes: u64 = manifest
        .files
        .iter()
        .filter_map(|file| to.join(&file.path).metadata().ok())
        .map(|data| data.len())
        .sum();
    // A book that is not wanted any more in the end lacks nothing.
    let is_missing = |gap: &&Gap| gap.first.is_some() || gap.reason != UNWANTED;
    let gaps = manifest.books.values().flat_map(|book| &book.gaps).filter(is_missing).count();
    if json {
        out.json(&json!({
            "type": "exported",
            "format": format_name(format),
            "folder": to.display().to_string(),
            "files": manifest.files.len(),
            "rows": rows,
            "bytes": bytes,
            "gaps": gaps,
            "torn": manifest.torn,
            "inputs": inputs,
        }))?;
    } else {
        let files = manifest.files.len();
        let (rows, bytes) = (HumanCount(rows), HumanBytes(bytes));
        out.line(format_args!("{rows} rows in {files} files, {bytes}: {}", to.display()))?;
        for torn in &manifest.torn {
            out.line(format_args!("{BAD}ends before its time{BAD:#}: {torn}"))?;
        }
        if gaps > 0 {
            out.line(format_args!(
                "{BAD}{gaps} gaps{BAD:#} of books: {}",
                to.join("manifest.json").display()
            ))?;
        } else if manifest.torn.is_empty() {
            out.line(format_args!(
                "{DIM}no gap; {} says so{DIM:#}",
                to.join("manifest.json").display()
            ))?;
        }
    }
    Ok(out.flush()?)
}

/// A data set is complete with the last session.
struct Sessions {
    exporter: Exporter,
    /// Sessions that follow.
    left: usize,
}

impl Sink for Sessions {
    fn on_start(&mut self, moment: &Moment<'_>) -> io::Result<()> {
        self.exporter.on_start(moment)
    }

    fn on_output(&mut self, moment: &Moment<'_>, output: &Output<'_>) -> io::Result<()> {
        self.exporter.on_output(moment, output)
    }

    fn on_end(&mut self, moment: &Moment<'_>) -> io::Result<()> {
        if self.left == 0 { self.exporter.on_end(moment) } else { Ok(()) }
    }
}
