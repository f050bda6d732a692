//! History by REST and the stream after it, joined without a hole or a double.
//!
//! A stream begins when it begins, and breaks off now and then; REST shows the past, a little late and not far back.
//! [`TradeJoin`] makes one list of trades of both, [`CandleJoin`] one list of candles. What neither side can close is
//! told, once, as a hole. Both are pure: no clock, no I/O, and they ask by saying what they want to ask.
//!
//! # Driving them
//!
//! From whatever a [`Client`](kucoin_futures_proto::Client) puts out, or a feed's updates, which say the same. The
//! deadline of a join is one more that the loop around it has to wait for.
//!
//! ```
//! use kucoin_futures_data::join::{JoinedTrade, TradeJoin, TradeJoinConfig};
//! use kucoin_futures_proto::{
//!     Channel, Client, Config, Event, Input, Instant, Message, Output, RequestId, Symbol, TopicEvent, TopicId,
//! };
//!
//! struct Trades {
//!     topic: TopicId,
//!     join: TradeJoin,
//!     /// What was asked for and is not answered yet.
//!     asked: Option<RequestId>,
//!     joined: Vec<JoinedTrade>,
//! }
//!
//! impl Trades {
//!     fn new(client: &mut Client, now: Instant, symbol: Symbol) -> Result<Self, Box<dyn std::error::Error>> {
//!         let topic = client.subscribe(now, Channel::execution(symbol))?;
//!         let join = TradeJoin::new(now, symbol, TradeJoinConfig::default());
//!         Ok(Self { topic, join, asked: None, joined: Vec::new() })
//!     }
//!
//!     /// Of each output of the client.
//!     fn on_output(&mut self, now: Instant, output: &Output<'_>) {
//!         let Self { topic, join, asked, joined } = self;
//!         match output {
//!             Output::Push(push) if push.topic() == Some(*topic) => match push.decode() {
//!                 Ok(Message::Execution(trade)) => join.on_execution(now, &trade, joined),
//!                 // A trade that cannot be read is one that was missed.
//!                 _ => join.on_may_have_missed(now),
//!             },
//!             Output::Push(push) if asked.is_some() && push.request() == *asked => {
//!                 *asked = None;
//!                 match push.decode() {
//!                     Ok(Message::Trades(rows)) => join.on_history(now, &rows, joined),
//!                     _ => join.on_query_failed(now, joined),
//!                 }
//!             }
//!             Output::Event(Event::QueryFailed { request, .. }) if Some(*request) == *asked => {
//!                 *asked = None;
//!                 join.on_query_failed(now, joined);
//!             }
//!             // Before the first trade that comes after it.
//!             Output::Event(Event::Topic(of, TopicEvent::MayHaveMissed)) if of == topic => {
//!                 join.on_may_have_missed(now);
//!             }
//!             _ => {}
//!         }
//!     }
//!
//!     /// After each input, and when `join.poll_timeout()` is due.
//!     fn ask(&mut self, now: Instant, client: &mut Client) -> Result<(), Box<dyn std::error::Error>> {
//!         if let Some(query) = self.join.poll_query(now, &mut self.joined) {
//!             self.asked = Some(client.fetch(now, query)?);
//!         }
//!         for joined in self.joined.drain(..) {
//!             println!("{joined:?}");
//!         }
//!         Ok(())
//!     }
//! }
//!
//! let (now, symbol) = (Instant::ZERO, "XBTUSDTM".parse()?);
//! let mut client = Client::new(now, 42, Config::default());
//! let mut trades = Trades::new(&mut client, now, symbol)?;
//! let mut turn = client.handle(now, Input::Timeout);
//! while let Some(output) = turn.next() {
//!     trades.on_output(now, &output);
//!     // .. and perform it
//! }
//! trades.ask(now, &mut client)?;
//! // Wait for an input, at most until the earlier one of these two.
//! let deadline = client.poll_timeout().map(|deadline| deadline.at);
//! assert!(trades.join.poll_timeout() > now && deadline.is_some());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! Candles go the same way: [`CandleJoin::on_candle`] for [`Message::Candle`], [`CandleJoin::on_klines`] for
//! [`Message::Klines`], [`CandleJoin::on_server_time`] for [`Message::ServerTime`], [`CandleJoin::on_down`] for
//! [`LineEvent::Down`].
//!
//! [`Message::Candle`]: kucoin_futures_proto::Message::Candle
//! [`Message::Klines`]: kucoin_futures_proto::Message::Klines
//! [`Message::ServerTime`]: kucoin_futures_proto::Message::ServerTime
//! [`LineEvent::Down`]: kucoin_futures_proto::LineEvent::Down

mod answer;
mod candle;
mod candle_join;
mod clock;
mod config;
mod grid;
mod joined;
mod pending;
mod seen;
mod trade;
mod trade_join;
mod trade_state;

pub use candle::{Candle, CandleState, JoinedCandle};
pub use candle_join::CandleJoin;
pub use config::{CandleJoinConfig, TradeJoinConfig};
pub use grid::NoGrid;
pub use joined::{HoleReason, JoinedTrade, Source};
pub use trade::{Mark, Trade};
pub use trade_join::TradeJoin;
pub use trade_state::{TradeCounts, TradeState};
