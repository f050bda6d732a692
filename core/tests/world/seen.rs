//! What a history has reached.

use std::collections::BTreeSet;

use kucoin_futures_proto::{Event, Input, Output};

/// Names of all kinds of input and event that there were.
#[derive(Default, Debug)]
pub(crate) struct Seen(BTreeSet<String>);

impl Seen {
    pub(crate) fn input(&mut self, input: &Input<'_>) {
        self.0.insert(name(&format!("{input:?}")));
    }

    pub(crate) fn output(&mut self, output: &Output<'_>) {
        if let Output::Event(event) = output {
            self.0.insert(name_of(event));
        }
    }

    pub(crate) fn add(&mut self, other: Self) {
        self.0.extend(other.0);
    }

    pub(crate) fn has(&self, name: &str) -> bool {
        self.0.contains(name)
    }
}

/// Kind and reason of an event, without its numbers.
fn name_of(event: &Event) -> String {
    match event {
        Event::LineDown { reason, .. } => format!("LineDown {}", name(&format!("{reason:?}"))),
        Event::BookLost { reason, .. } => format!("BookLost {}", name(&format!("{reason:?}"))),
        Event::BookDelayed { reason, .. } => {
            format!("BookDelayed {}", name(&format!("{reason:?}")))
        }
        Event::TokenFailed { reason, .. } => {
            format!("TokenFailed {}", name(&format!("{reason:?}")))
        }
        other => name(&format!("{other:?}")),
    }
}

fn name(debug: &str) -> String {
    debug.split([' ', '(', '{']).next().unwrap_or_default().into()
}
