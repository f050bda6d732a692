//! What could not be read: where, why, and what it looks like.

use std::fmt;

use kucoin_futures_proto::WireError;
use serde_json::{Value, json};

use super::recording::Place;

/// Why something cannot be read.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Why {
    /// What the core says of it.
    Wire(WireError),
    /// It ends in its middle, after so many bytes.
    Cut(usize),
    /// Whole JSON, and a delta inside, but not where it would be found.
    Form,
    /// The array around it.
    Array(&'static str),
    /// What the file is packed with.
    Packing(String),
}

impl Why {
    /// An error of the core about these bytes.
    pub(super) const fn of(error: WireError, bytes: &[u8]) -> Self {
        match error {
            WireError::NotJson { at } if at as usize >= bytes.len() => Self::Cut(bytes.len()),
            error => Self::Wire(error),
        }
    }
}

impl fmt::Display for Why {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Wire(error) => error.fmt(f),
            Self::Cut(at) => write!(f, "cut off after byte {at}"),
            Self::Form => f.write_str(
                "a delta in a form that is not known: expected a frame, with words in front or as a \
                 value of an object",
            ),
            Self::Array(text) => f.write_str(text),
            Self::Packing(text) => write!(f, "the packed file is broken: {text}"),
        }
    }
}

/// Something that could not be read.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Fault {
    pub(super) place: Place,
    why: Why,
    text: String,
}

impl Fault {
    pub(super) fn new(place: Place, why: Why, bytes: &[u8]) -> Self {
        Self { place, why, text: excerpt(bytes) }
    }

    pub(super) fn json(&self) -> Value {
        let mut json = self.place.json();
        if let Some(json) = json.as_object_mut() {
            json.insert("reason".into(), self.why.to_string().into());
            json.insert("text".into(), self.text.clone().into());
        }
        json
    }

    /// The same where there may be none.
    pub(super) fn json_of(fault: Option<&Self>) -> Value {
        fault.map_or_else(|| json!(null), Self::json)
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} cannot be read: {}", self.place, self.why)?;
        if self.text.is_empty() { Ok(()) } else { write!(f, ": {}", self.text) }
    }
}

/// Characters of the beginning and of the end that are shown.
const SHOWN: (usize, usize) = (60, 40);

/// Short, and nothing in it that a terminal would obey.
fn excerpt(bytes: &[u8]) -> String {
    let (first, last) = SHOWN;
    let Some((head, tail)) = bytes.split_at_checked(first).filter(|(_, tail)| tail.len() > last)
    else {
        return escaped(bytes);
    };
    let tail = tail.get(tail.len() - last..).unwrap_or_default();
    format!("{} .. {}", escaped(head), escaped(tail))
}

fn escaped(bytes: &[u8]) -> String {
    let mut text = String::new();
    for chunk in bytes.utf8_chunks() {
        for char in chunk.valid().chars() {
            // Also what turns the direction of writing.
            match char {
                ' '..='~' => text.push(char),
                _ if char.is_alphanumeric() => text.push(char),
                _ => text.extend(char.escape_unicode()),
            }
        }
        for byte in chunk.invalid() {
            text.push_str(&format!("\\x{byte:02x}"));
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_excerpt_is_short_and_harmless() {
        assert_eq!(excerpt("a\u{1b}[31m\u{202e}\u{e9}".as_bytes()), "a\\u{1b}[31m\\u{202e}\u{e9}");
        assert_eq!(excerpt(b"\xff\0"), "\\xff\\u{0}");
        let long = excerpt(&[b'x'; 5_000]);
        assert_eq!(long, format!("{} .. {}", "x".repeat(60), "x".repeat(40)));
    }
}
