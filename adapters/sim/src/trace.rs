//! What happened in a run, as one number: the same seed must give the same one, everywhere.

use kucoin_futures_proto::{BookEvent, Event, Instant, Output};

/// FNV-1a over words: not for secrets, but the same on every machine and in every build.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Trace(u64);

impl Default for Trace {
    fn default() -> Self {
        Self(0xcbf2_9ce4_8422_2325)
    }
}

impl Trace {
    pub(crate) const fn hash(self) -> u64 {
        self.0
    }

    /// An output of a client.
    pub(crate) fn output(&mut self, now: Instant, output: &Output<'_>) {
        self.word(now.as_nanos());
        match output {
            // By far the most; what matters of them as numbers.
            Output::Event(Event::Book(topic, BookEvent::Delta(delta))) => {
                self.word(u64::from(topic.get()));
                self.word(delta.sequence.get());
                self.word(delta.price.scaled() as u64);
                self.word(delta.size.get());
            }
            Output::Send { conn, text } => {
                self.word(u64::from(conn.get()));
                self.text(text);
            }
            other => self.text(&format!("{other:?}")),
        }
    }

    pub(crate) fn text(&mut self, text: &str) {
        text.bytes().for_each(|byte| self.word(u64::from(byte)));
    }

    const fn word(&mut self, word: u64) {
        self.0 = (self.0 ^ word).wrapping_mul(0x0000_0100_0000_01b3).rotate_left(23);
    }
}
