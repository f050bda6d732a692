//! Bytes to messages and back. Everything here is a pure function; nothing allocates on the way
//! of a level2 frame.
//!
//! * [`Frame::parse`] reads the envelope of any WebSocket frame; [`Delta::parse`] the data of a
//!   level2 one.
//! * [`TickerV2::parse`], [`Ticker::parse`], [`Execution::parse`] and [`Depth::parse`] the data of theirs.
//! * [`DeltaParser`] and [`MessageParser`] read whole frames, and learn how a connection writes them.
//! * [`Snapshot::parse`] reads the body of `GET /api/v1/level2/snapshot`; [`Rows`], [`Page`], [`Series`] and
//!   what they hold the bodies of other requests.
//!
//! ```
//! use kucoin_futures_proto::wire::{Delta, Frame};
//!
//! let text = br#"{"topic":"/contractMarket/level2:XBTUSDTM","type":"message","subject":"level2",
//!     "sn":41,"data":{"sequence":41,"change":"63000.5,buy,7","timestamp":1790000000123}}"#;
//! let Frame::Message(message) = Frame::parse(text)? else { panic!() };
//! let delta = Delta::parse(message.data)?;
//! assert_eq!((delta.price.to_string().as_str(), delta.size.get()), ("63000.5", 7));
//! # Ok::<(), kucoin_futures_proto::WireError>(())
//! ```

mod change;
#[cfg(test)]
mod damage;
mod decoder;
mod delta;
pub(crate) mod depth;
pub(crate) mod encode;
mod exchange_time;
pub(crate) mod execution;
mod fields;
mod frame;
mod instrument;
mod kept;
mod known_topics;
mod level2;
mod message;
mod object;
mod order;
mod position;
mod rest;
pub(crate) mod scan;
mod side;
mod snapshot;
mod statistics;
mod swar;
mod template;
mod text;
pub(crate) mod ticker;
mod usual;
mod values;
mod walk;
mod wallet;

pub(crate) use decoder::{Decoded, Decoder, FoundDelta, Route, Routing};
pub use delta::Delta;
pub(crate) use delta::NOT_KEPT;
pub use depth::{Depth, Levels};
pub use execution::Execution;
pub use fields::TakerSide;
pub(crate) use fields::{Fields, Key, Position};
pub use frame::{Ack, ErrorFrame, ErrorKind, Frame, FrameId, MessageFrame, Pong, Welcome};
pub use instrument::{FundingRate, FundingSettlement, MarkPrice};
pub(crate) use kept::Kept;
pub use level2::{DeltaFrame, DeltaParser};
pub(crate) use message::{Data, read_message};
pub use order::{
    FeeType, Liquidity, MarginMode, OrderChange, OrderSide, OrderStatus, OrderType, OrderUpdate,
    PositionSide, StopDirection, StopOrderChange, StopOrderUpdate, StopPriceType, TradeType,
};
pub use position::{ChangeReason, PositionSettlement, PositionUpdate, RiskLimitUpdate};
pub use rest::{
    AccountOverview, Contract, Contracts, Fill, IndexComponent, IndexPrice, Kline, OpenPosition,
    Order, Page, RestFundingRate, RestMarkPrice, RestTicker, RestTrade, Row, Rows, Series,
    SeriesPoint, ServiceStatus, SettledFunding, Strings,
};
pub(crate) use rest::{Bullet, Server, api_data, edge_code, parse_server_time, refusal_text};
pub use side::Side;
pub(crate) use snapshot::{LevelSink, SideSink, read as read_snapshot};
pub use snapshot::{Snapshot, SnapshotHead};
pub use statistics::{CandleUpdate, Interval, Stats24h};
pub use template::MessageParser;
pub use text::Text;
pub use ticker::{Ticker, TickerV2};
pub(crate) use values::Values;
pub(crate) use walk::skip_object;
pub use wallet::{BalanceUpdate, CrossLeverages, MarginModes, WalletUpdate};
