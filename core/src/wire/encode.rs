//! The three kinds of text a client sends.

use alloc::boxed::Box;
use alloc::string::{String, ToString};

use crate::ids::Symbol;

/// `{"id":"7","type":"ping"}`.
pub(crate) fn ping(id: u64) -> Box<str> {
    let mut text = String::from(r#"{"id":""#);
    text.push_str(&id.to_string());
    text.push_str(r#"","type":"ping"}"#);
    text.into_boxed_str()
}

/// `subscribe` or `unsubscribe`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) enum Command {
    Unsubscribe,
    Subscribe,
}

/// `{"id":"7","type":"subscribe","topic":"/contractMarket/level2:A,B","privateChannel":false,"response":true}`.
///
/// Without `response` there would be no ack. Symbols cannot hold anything that needs escaping.
pub(crate) fn command<'a>(
    id: u64,
    command: Command,
    prefix: &str,
    symbols: impl Iterator<Item = &'a Symbol>,
) -> Box<str> {
    let mut text = String::from(r#"{"id":""#);
    text.push_str(&id.to_string());
    text.push_str(match command {
        Command::Subscribe => r#"","type":"subscribe","topic":""#,
        Command::Unsubscribe => r#"","type":"unsubscribe","topic":""#,
    });
    text.push_str(prefix);
    for (at, symbol) in symbols.enumerate() {
        text.push(if at == 0 { ':' } else { ',' });
        text.push_str(symbol.as_str());
    }
    text.push_str(r#"","privateChannel":false,"response":true}"#);
    text.into_boxed_str()
}
