//! What a history has reached.

use std::collections::BTreeSet;
use std::fmt::Debug;

use kucoin_futures_proto::{BookEvent, Event, Input, LineEvent, Output};

/// Names of all kinds of input and event that there were.
#[derive(Default, Debug)]
pub(crate) struct Seen(BTreeSet<String>);

impl Seen {
    pub(crate) fn input(&mut self, input: &Input<'_>) {
        self.0.insert(name(input));
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

/// Whose event, its kind and its reason, without numbers: `Book Lost Gap`.
fn name_of(event: &Event) -> String {
    match event {
        Event::Line(_, line) => match line {
            LineEvent::Down { reason, .. } => format!("Line Down {}", name(reason)),
            LineEvent::TokenFailed(reason) => format!("Line TokenFailed {}", name(reason)),
            other => format!("Line {}", name(other)),
        },
        Event::Topic(_, topic) => format!("Topic {}", name(topic)),
        Event::Book(_, book) => match book {
            BookEvent::Lost { reason, .. } => format!("Book Lost {}", name(reason)),
            BookEvent::Delayed(reason) => format!("Book Delayed {}", name(reason)),
            other => format!("Book {}", name(other)),
        },
        other => name(other),
    }
}

fn name(named: &impl Debug) -> String {
    format!("{named:?}").split([' ', '(', '{']).next().unwrap_or_default().into()
}
