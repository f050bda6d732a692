//! What the exchange says when it refuses something, for whoever shows it to a person.
//!
//! Events are small and `Copy`, so they name words by an id, and the client keeps the latest ones. What is
//! kept may be shown as it is, in a log as on a terminal.

use alloc::boxed::Box;
use alloc::collections::VecDeque;
use alloc::string::String;

use serde::Serialize;

use crate::event::{
    AccountDelayReason, AccountEvent, BookDelayReason, BookEvent, DisconnectReason, Event,
};
use crate::event::{LineEvent, LoginError, RestError, TopicEvent};
use crate::ids::WordsId;

/// What is known of a refusal, wherever it came from.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
#[non_exhaustive]
pub struct Refusal {
    /// The HTTP status, if it came by HTTP: 200 is as usual as any other.
    pub status: Option<u16>,
    /// The number that the exchange, or the edge in front of it, gives for it.
    pub code: Option<u32>,
    /// What was said: [`Client::words`](crate::Client::words) has the text.
    pub words: Option<WordsId>,
}

impl Event {
    /// What the exchange said, if this tells that it refused something.
    ///
    /// ```
    /// use kucoin_futures_proto::{Client, Event};
    /// fn explain(client: &Client, event: &Event) -> String {
    ///     let words = event.refusal().and_then(|refusal| client.words(refusal.words?));
    ///     format!("{event:?}: {}", words.unwrap_or("no words"))
    /// }
    /// ```
    #[must_use]
    pub const fn refusal(&self) -> Option<Refusal> {
        match *self {
            Self::Line(_, LineEvent::TokenFailed(reason))
            | Self::Book(_, BookEvent::Delayed(BookDelayReason::SnapshotFailed(reason)))
            | Self::Account(AccountEvent::Delayed(AccountDelayReason::Failed(reason)))
            | Self::QueryFailed { reason, .. } => reason.refusal(),
            Self::Line(_, LineEvent::Down { reason, .. }) => reason.refusal(),
            Self::Topic(
                _,
                TopicEvent::Rejected { code, words } | TopicEvent::Refused { code, words, .. },
            ) => Some(Refusal { status: None, code: Some(code), words }),
            Self::Line(_, LineEvent::LoginRefused { error, words })
            | Self::Account(AccountEvent::Refused { error, words })
                if !matches!(error, LoginError::NoCredentials) =>
            {
                Some(Refusal { status: None, code: Some(error.code()), words })
            }
            Self::Line(..)
            | Self::Topic(..)
            | Self::Book(..)
            | Self::Account(_)
            | Self::OddTime(_)
            | Self::Lagged { .. } => None,
        }
    }
}

impl RestError {
    /// What the exchange said, if it refused the request.
    #[must_use]
    pub const fn refusal(self) -> Option<Refusal> {
        let (status, code, words) = match self {
            Self::RateLimited { status, code, words, .. } => (status, code, words),
            Self::Http { status, words } => (status, None, words),
            Self::Api { code, status, words } => (status, Some(code), words),
            Self::Lost(_) | Self::Wire(_) | Self::Closed => return None,
        };
        Some(Refusal { status: Some(status), code, words })
    }

    /// The same in these words.
    pub(crate) const fn with_words(mut self, said: Option<WordsId>) -> Self {
        match &mut self {
            Self::RateLimited { words, .. }
            | Self::Http { words, .. }
            | Self::Api { words, .. } => *words = said,
            Self::Lost(_) | Self::Wire(_) | Self::Closed => {}
        }
        self
    }
}

impl DisconnectReason {
    /// What the exchange said, if it refused the connection or what was sent on it.
    #[must_use]
    pub const fn refusal(self) -> Option<Refusal> {
        use crate::error::TransportError::Upgrade;
        Some(match self {
            Self::Lost(Upgrade { status, .. }) => {
                Refusal { status: Some(status), code: None, words: None }
            }
            Self::Unauthorized { words } => Refusal { status: None, code: Some(401), words },
            Self::Refused { code, words, .. } => Refusal { status: None, code: Some(code), words },
            Self::Lost(_)
            | Self::ConnectTimeout
            | Self::WelcomeTimeout
            | Self::WrongWelcome
            | Self::PongTimeout
            | Self::AckTimeout
            | Self::Suspended
            | Self::Binary
            | Self::Replaced
            | Self::Closed => return None,
        })
    }
}

/// The latest words of the exchange, fit to be shown.
#[derive(Clone, Default)]
pub(crate) struct RecentWords {
    /// Oldest first.
    texts: VecDeque<Box<str>>,
    /// The id of the newest one; zero if there is none yet.
    newest: u32,
}

/// Texts that are kept: more refusals than a turn of a client can tell.
const KEPT: usize = 32;

impl RecentWords {
    /// Keeps a text; `None` if it says nothing. One that came last, too, is the same: refusals repeat.
    pub(crate) fn keep(&mut self, text: impl IntoIterator<Item = char>) -> Option<WordsId> {
        let text = presentable(text);
        if text.is_empty() {
            return None;
        }
        if self.texts.back().is_none_or(|last| **last != *text) {
            if self.texts.len() >= KEPT {
                self.texts.pop_front();
            }
            self.texts.push_back(text.into_boxed_str());
            self.newest = self.newest.wrapping_add(1);
        }
        Some(WordsId::new(self.newest))
    }

    pub(crate) fn get(&self, id: WordsId) -> Option<&str> {
        let newer = usize::try_from(self.newest.wrapping_sub(id.get())).ok()?;
        let at = self.texts.len().checked_sub(newer)?.checked_sub(1)?;
        self.texts.get(at).map(|text| &**text)
    }
}

/// Longest text, in bytes.
const LONGEST: usize = 256;
/// Stands at the end of a text that was longer.
const CUT: &str = "...";
/// Longest word out of the letters that secrets are written in; tokens and signatures are longer.
const LONGEST_WORD: usize = 32;
/// Stands in place of a word that is longer.
const MASK: &str = "***";

/// A text that can neither drive a terminal nor hide in it, nor give away a secret. Letters of any script stay
/// as they are; what is no letter and cannot be seen is written as in Rust, `\u{1b}`.
fn presentable(text: impl IntoIterator<Item = char>) -> String {
    let mut writer = Writer::default();
    for c in text {
        if is_of_secret(c) {
            writer.add_to_word(c);
        } else {
            writer.end_word();
            writer.write(c);
        }
        if writer.is_full {
            break;
        }
    }
    writer.finish()
}

/// Whether base64, hex, or either of them in a URL, may have it.
const fn is_of_secret(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '+' | '/' | '=' | '-' | '_' | '.' | '~' | '%')
}

/// Letters and signs that nobody sees.
const BLANKS: [char; 5] = ['\u{115f}', '\u{1160}', '\u{2800}', '\u{3164}', '\u{ffa0}'];

fn can_be_shown(c: char) -> bool {
    let is_letter = c.is_alphanumeric() && !BLANKS.contains(&c);
    // `escape_debug` escapes these three for the sake of Rust's literals.
    is_letter || matches!(c, '\\' | '"' | '\'')
}

/// Writes at most [`LONGEST`] bytes, and no escape in part.
#[derive(Default)]
struct Writer {
    text: String,
    /// Where it can be cut so that [`CUT`] still fits.
    cut: usize,
    is_full: bool,
    /// The present word, unless it is too long, and its length.
    word: String,
    word_len: usize,
}

impl Writer {
    fn add_to_word(&mut self, c: char) {
        if self.word_len < LONGEST_WORD {
            self.word.push(c);
        }
        self.word_len = self.word_len.saturating_add(1);
    }

    fn end_word(&mut self) {
        let word = core::mem::take(&mut self.word);
        if self.word_len > LONGEST_WORD {
            self.put(MASK);
        } else {
            word.chars().for_each(|c| self.write(c));
        }
        self.word_len = 0;
    }

    fn write(&mut self, c: char) {
        if c.is_whitespace() && self.text.is_empty() {
            return;
        }
        if can_be_shown(c) {
            self.put(c.encode_utf8(&mut [0; 4]));
        } else if BLANKS.contains(&c) {
            self.put(&c.escape_unicode().collect::<String>());
        } else {
            self.put(&c.escape_debug().collect::<String>());
        }
    }

    fn put(&mut self, part: &str) {
        let end = self.text.len().saturating_add(part.len());
        if self.is_full || end > LONGEST {
            self.is_full = true;
            return;
        }
        self.text.push_str(part);
        if end.saturating_add(CUT.len()) <= LONGEST {
            self.cut = end;
        }
    }

    fn finish(mut self) -> String {
        self.end_word();
        if self.is_full {
            self.text.truncate(self.cut);
        }
        self.text.truncate(self.text.trim_end().len());
        if self.is_full {
            self.text.push_str(CUT);
        }
        self.text
    }
}

#[cfg(test)]
mod tests;
