//! Frames, one after the other: one a line, or the elements of a JSON array.

use std::fmt;
use std::io::{self, BufRead, BufReader, Cursor, Read};

use serde_json::{Value, json};

use super::input::Input;

/// Where something stands in the text.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Place {
    /// From 1.
    pub(super) line: u64,
    /// Of an array, from 1.
    pub(super) element: Option<u64>,
}

impl Place {
    pub(super) fn json(self) -> Value {
        json!({ "line": self.line, "element": self.element })
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.element {
            Some(element) => write!(f, "element {element} (line {})", self.line),
            None => write!(f, "line {}", self.line),
        }
    }
}

/// A piece of the text.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Item {
    /// To be looked at.
    Piece(Place),
    /// The array stops being one: what else was in it cannot be known.
    Broken(Place, &'static str),
    /// Nothing follows.
    End,
}

/// The text of a recording.
pub(super) struct Recording {
    reader: io::Chain<Cursor<Vec<u8>>, BufReader<Box<dyn Read>>>,
    array: Option<Array>,
    /// Line breaks that were read.
    lines: u64,
}

/// Longest white space in front of an array.
const LONGEST_HEAD: usize = 4096;

impl Recording {
    /// # Errors
    /// The file cannot be read; `input` can be asked whether that is a matter of what it says.
    pub(super) fn new(input: &mut Input) -> io::Result<Self> {
        let nothing: Box<dyn Read> = Box::new(io::empty());
        let mut reader = std::mem::replace(&mut input.reader, BufReader::new(nothing));
        let (head, is_array) = read_head(&mut reader)?;
        let array = is_array.then(Array::default);
        Ok(Self { reader: Cursor::new(head).chain(reader), array, lines: 0 })
    }

    /// Puts the next piece into `piece`, white space around it included.
    #[inline]
    pub(super) fn next(&mut self, piece: &mut Vec<u8>) -> io::Result<Item> {
        piece.clear();
        if let Some(array) = &mut self.array {
            return array.next(&mut self.reader, &mut self.lines, piece);
        }
        if self.reader.read_until(b'\n', piece)? == 0 {
            return Ok(Item::End);
        }
        self.lines += 1;
        Ok(Item::Piece(Place { line: self.lines, element: None }))
    }

    /// Of what comes next.
    pub(super) fn place(&self) -> Place {
        let element = self.array.as_ref().map(|array| array.elements + 1);
        Place { line: self.lines + 1, element }
    }
}

/// What was read to know it, and whether the text is an array: a bracket, and an element or another
/// bracket behind it. Logs may begin with a bracket, too.
fn read_head(reader: &mut impl BufRead) -> io::Result<(Vec<u8>, bool)> {
    let mut head = Vec::new();
    let mut is_open = false;
    while head.len() < LONGEST_HEAD {
        let Some(&byte) = reader.fill_buf()?.first() else { break };
        head.push(byte);
        reader.consume(1);
        match byte {
            b' ' | b'\t' | b'\r' | b'\n' => {}
            b'[' if !is_open => is_open = true,
            b'{' | b'"' | b']' => return Ok((head, is_open)),
            _ => break,
        }
    }
    Ok((head, false))
}

/// Cuts an array into its elements, however many lines it takes. More arrays may follow.
#[derive(Default)]
struct Array {
    at: At,
    elements: u64,
}

/// What comes next.
#[derive(Clone, Copy, PartialEq, Eq, Default)]
enum At {
    /// An array, or nothing.
    #[default]
    Outside,
    /// Its first element, or its end.
    First,
    /// An element.
    Element,
    /// A comma, or the end.
    Comma,
    /// Nothing that would mean anything.
    Broken,
}

const NOT_CLOSED: &str = "the array is cut off";
const NO_ARRAY: &str = "no array of frames from here on";

impl Array {
    fn next(
        &mut self,
        reader: &mut impl BufRead,
        lines: &mut u64,
        piece: &mut Vec<u8>,
    ) -> io::Result<Item> {
        while self.at != At::Broken {
            let place = Place { line: *lines + 1, element: Some(self.elements + 1) };
            let Some(&byte) = reader.fill_buf()?.first() else {
                if self.at == At::Outside {
                    return Ok(Item::End);
                }
                self.at = At::Broken;
                return Ok(Item::Broken(place, NOT_CLOSED));
            };
            self.at = match (self.at, byte) {
                (at, b' ' | b'\t' | b'\r' | b'\n') => {
                    *lines += u64::from(byte == b'\n');
                    at
                }
                (At::Outside, b'[') => At::First,
                (At::First | At::Comma, b']') => At::Outside,
                (At::Comma, b',') => At::Element,
                (At::First | At::Element, b'{' | b'"') => {
                    self.elements += 1;
                    let is_whole = read_element(reader, lines, piece)?;
                    self.at = if is_whole { At::Comma } else { At::Broken };
                    let broken = Item::Broken(place, NOT_CLOSED);
                    return Ok(if is_whole { Item::Piece(place) } else { broken });
                }
                _ => {
                    self.at = At::Broken;
                    reader.take(64).read_to_end(piece)?;
                    return Ok(Item::Broken(place, NO_ARRAY));
                }
            };
            reader.consume(1);
        }
        Ok(Item::End)
    }
}

/// An object or a text, to its end; false if the text ends first.
fn read_element(
    reader: &mut impl BufRead,
    lines: &mut u64,
    element: &mut Vec<u8>,
) -> io::Result<bool> {
    let (mut depth, mut in_text, mut is_escaped) = (0_u64, false, false);
    loop {
        let bytes = reader.fill_buf()?;
        if bytes.is_empty() {
            return Ok(false);
        }
        let mut is_done = false;
        let end = bytes.iter().position(|&byte| {
            *lines += u64::from(byte == b'\n');
            match byte {
                _ if is_escaped => is_escaped = false,
                b'\\' => is_escaped = in_text,
                b'"' => in_text = !in_text,
                b'{' | b'[' if !in_text => depth += 1,
                b'}' | b']' if !in_text => depth = depth.saturating_sub(1),
                _ => {}
            }
            is_done = depth == 0 && !in_text;
            is_done
        });
        let len = end.map_or(bytes.len(), |end| end + 1);
        element.extend_from_slice(bytes.get(..len).unwrap_or_default());
        reader.consume(len);
        if is_done {
            return Ok(true);
        }
    }
}
