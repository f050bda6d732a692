//! Tickers and trades by what was learned, against the readers of envelope and data.

use kucoin_futures_proto::wire::{Execution, Frame, MessageParser, Ticker, TickerV2};
use kucoin_futures_proto::{ChannelKind, Message, WireError};

/// Any bytes as a frame of a ticker or a trade: [`MessageParser`], which has learned frames of all three
/// channels or none, says what [`Frame::parse`] and the `parse` of the message say; and again once it has
/// seen the bytes themselves.
///
/// # Panics
/// A promise is broken.
pub fn wire_message(bytes: &[u8]) {
    const KNOWN: [&[u8]; 3] = [
        br#"{"topic":"/contractMarket/tickerV2:XBTUSDTM","type":"message","subject":"tickerV2","sn":41,"data":{"symbol":"XBTUSDTM","sequence":41,"bestBidSize":7,"bestBidPrice":"63000.5","bestAskPrice":"63000.6","bestAskSize":9,"ts":1790000000123000000}}"#,
        br#"{"topic":"/contractMarket/ticker:XBTUSDTM","type":"message","subject":"ticker","sn":52,"data":{"symbol":"XBTUSDTM","sequence":52,"side":"sell","size":3,"price":63000.5,"bestBidSize":7,"bestBidPrice":"63000.5","bestAskPrice":"63000.6","tradeId":"52","bestAskSize":9,"ts":1790000000123000000}}"#,
        br#"{"data": {"ts": 1790000000123000000, "tradeId": "52", "makerOrderId": "9000", "takerOrderId": "9001", "price": "63000.6", "size": 2, "side": "buy", "sequence": 52, "symbol": "XBTUSDTM"}, "type": "message", "topic": "/contractMarket/execution:XBTUSDTM"}"#,
    ];
    let expected = format!("{:?}", apart(bytes));
    let mut learned = MessageParser::new();
    for frame in KNOWN.iter().chain(&KNOWN).chain(&KNOWN) {
        assert!(learned.parse(frame).is_ok());
    }
    for mut parser in [learned, MessageParser::new()] {
        for _ in 0..3 {
            let read = format!("{:?}", parser.parse(bytes));
            assert_eq!(read, expected, "{}", String::from_utf8_lossy(bytes));
        }
    }
}

/// The envelope, and then its data.
fn apart(bytes: &[u8]) -> Result<Message<'_>, WireError> {
    let Frame::Message(message) = Frame::parse(bytes)? else {
        return Err(WireError::Unexpected);
    };
    let channel = message.channel().ok_or(WireError::Unexpected)?;
    // What is about something else is not looked into.
    let known = match channel.kind() {
        ChannelKind::TickerV2 => "tickerV2",
        ChannelKind::Ticker => "ticker",
        ChannelKind::Execution => "match",
        _ => return message.decode(),
    };
    if message.subject.is_some_and(|subject| !subject.is(known)) {
        return message.decode();
    }
    let (read, symbol) = match channel.kind() {
        ChannelKind::TickerV2 => {
            let ticker = TickerV2::parse(message.data)?;
            (Message::TickerV2(ticker), ticker.symbol)
        }
        ChannelKind::Ticker => {
            let ticker = Ticker::parse(message.data)?;
            (Message::Ticker(ticker), ticker.symbol)
        }
        ChannelKind::Execution => {
            let execution = Execution::parse(message.data)?;
            (Message::Execution(execution), execution.symbol)
        }
        _ => return message.decode(),
    };
    if Some(symbol) == channel.symbol() {
        Ok(read)
    } else {
        Err(WireError::Mismatch { field: "symbol" })
    }
}
