//! The names of files.

use std::path::Path;

/// How the files of recordings end.
pub(crate) const EXTENSION: &str = "kcr";

/// `SESSION.SEGMENT.kcr`; in the order of names is in the order of time.
pub(crate) fn segment_name(session: &str, segment: u32) -> String {
    format!("{session}.{segment:06}.{EXTENSION}")
}

/// Whether a file is named like a segment.
pub(crate) fn is_segment(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == EXTENSION)
}
