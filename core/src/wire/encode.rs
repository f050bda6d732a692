//! The three kinds of text a client sends.

use alloc::boxed::Box;
use alloc::string::{String, ToString};

use crate::channel::{ChannelKey, ChannelKind};

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
pub(crate) fn command(
    id: u64,
    command: Command,
    kind: ChannelKind,
    keys: impl Iterator<Item = ChannelKey>,
) -> Box<str> {
    let mut text = String::from(r#"{"id":""#);
    text.push_str(&id.to_string());
    text.push_str(match command {
        Command::Subscribe => r#"","type":"subscribe","topic":""#,
        Command::Unsubscribe => r#"","type":"unsubscribe","topic":""#,
    });
    text.push_str(kind.prefix());
    for (at, key) in keys.filter(|key| *key != ChannelKey::All).enumerate() {
        text.push(if at == 0 { ':' } else { ',' });
        // Writing into a string does not fail.
        let _ = key.write(&mut text);
    }
    text.push_str(if kind.is_private() {
        r#"","privateChannel":true,"response":true}"#
    } else {
        r#"","privateChannel":false,"response":true}"#
    });
    text.into_boxed_str()
}

#[cfg(test)]
mod tests {
    use std::format;

    use super::*;
    use crate::ids::Symbol;
    use crate::wire::Interval;

    #[test]
    fn a_request_is_one_line_of_json_that_asks_for_an_answer() {
        let symbols = ["LINKUSDTM", "10PEPEUSDTM"].map(|symbol| Symbol::new(symbol).unwrap());
        let keys = || symbols.iter().map(|symbol| ChannelKey::Symbol(*symbol));
        assert_eq!(
            *command(7, Command::Subscribe, ChannelKind::Level2, keys()),
            *r#"{"id":"7","type":"subscribe","topic":"/contractMarket/level2:LINKUSDTM,10PEPEUSDTM","privateChannel":false,"response":true}"#
        );
        assert_eq!(
            *command(8, Command::Unsubscribe, ChannelKind::Level2, keys().take(1)),
            *r#"{"id":"8","type":"unsubscribe","topic":"/contractMarket/level2:LINKUSDTM","privateChannel":false,"response":true}"#
        );
        let candles = [Interval::Min1, Interval::Hour1];
        let candles = candles.iter().zip(symbols).map(|(at, of)| ChannelKey::Candle(of, *at));
        assert_eq!(
            *command(9, Command::Subscribe, ChannelKind::Candles, candles),
            *r#"{"id":"9","type":"subscribe","topic":"/contractMarket/limitCandle:LINKUSDTM_1min,10PEPEUSDTM_1hour","privateChannel":false,"response":true}"#
        );
        assert_eq!(
            *command(10, Command::Subscribe, ChannelKind::Orders, [ChannelKey::All].into_iter()),
            *r#"{"id":"10","type":"subscribe","topic":"/contractMarket/tradeOrders","privateChannel":true,"response":true}"#
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
