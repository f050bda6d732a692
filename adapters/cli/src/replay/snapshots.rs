//! The books that a replay begins with.

use std::collections::BTreeMap;
use std::io::{self, Read as _};
use std::path::Path;

use kucoin_futures_proto::book::Book;
use kucoin_futures_proto::{Config, Symbol};
use serde_json::value::RawValue;

use super::input::{Input, no_progress};
use crate::exit::{Failure, Kind};

/// Reads a body, or a list of them.
pub(super) fn read(path: &Path) -> Result<BTreeMap<Symbol, Book>, Failure> {
    let data = |error: String| {
        let hint =
            "expected the body of GET /api/v1/level2/snapshot, or a JSON list of such bodies";
        Failure::words(Kind::Integrity, format_args!("{}: {error} ({hint})", path.display()))
    };
    let text = String::from_utf8(bytes(path)?).map_err(|error| data(error.to_string()))?;
    let bodies: Vec<&RawValue> = if text.trim_start().starts_with('[') {
        serde_json::from_str(&text).map_err(|error| data(error.to_string()))?
    } else {
        vec![serde_json::from_str(&text).map_err(|error| data(error.to_string()))?]
    };
    let mut books = BTreeMap::new();
    for body in bodies {
        // No pruning: the digest is over every level that is held.
        let mut book = Book::new(Config::default().book.snapshot_levels, usize::MAX);
        let head = book.read(body.get().as_bytes()).map_err(|error| data(error.to_string()))?;
        if books.insert(head.symbol, book).is_some() {
            return Err(data(format!("two snapshots of {}", head.symbol)));
        }
    }
    Ok(books)
}

fn bytes(path: &Path) -> Result<Vec<u8>, Failure> {
    let fail = |kind| {
        move |error: io::Error| Failure::words(kind, format_args!("{}: {error}", path.display()))
    };
    let mut input = Input::open(path, no_progress).map_err(fail(Kind::Usage))?;
    let kind = if input.is_packed { Kind::Integrity } else { Kind::Usage };
    let mut bytes = Vec::new();
    input.reader.read_to_end(&mut bytes).map_err(fail(kind))?;
    Ok(bytes)
}
