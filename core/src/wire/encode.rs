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

#[cfg(test)]
mod tests {
    use std::format;

    use super::*;

    #[test]
    fn a_request_is_one_line_of_json_that_asks_for_an_answer() {
        let symbols = ["LINKUSDTM", "10PEPEUSDTM"].map(|symbol| Symbol::new(symbol).unwrap());
        let topic = "/contractMarket/level2";
        assert_eq!(
            *command(7, Command::Subscribe, topic, symbols.iter()),
            *r#"{"id":"7","type":"subscribe","topic":"/contractMarket/level2:LINKUSDTM,10PEPEUSDTM","privateChannel":false,"response":true}"#
        );
        assert_eq!(
            *command(8, Command::Unsubscribe, topic, symbols.iter().take(1)),
            *r#"{"id":"8","type":"unsubscribe","topic":"/contractMarket/level2:LINKUSDTM","privateChannel":false,"response":true}"#
        );
        assert_eq!(*ping(u64::MAX), *r#"{"id":"18446744073709551615","type":"ping"}"#);
    }

    #[test]
    fn no_symbol_breaks_out_of_its_topic() {
        for byte in 0..=u8::MAX {
            let text = format!("A{}B", char::from(byte));
            let legal = byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
            assert_eq!(Symbol::new(&text).is_ok(), legal, "{text:?}");
        }
        for (len, legal) in [(0, false), (1, true), (Symbol::MAX_LEN, true), (24, false)] {
            assert_eq!(Symbol::new(&"X".repeat(len)).is_ok(), legal, "{len}");
        }
    }
}
