//! REST bodies: the envelope, the bullet token, and what queries are answered with.
//!
//! Replies to queries are lent, not kept: a list is the bytes of its array, and a row is read when it is
//! asked for. In every reply a number may be written as a number or as a string, with or without an
//! exponent; unknown keys are passed over. A field that need not be there is `None` if it is absent, null,
//! empty, or cannot be read; one that must be there is an error of its row.

mod account;
mod bullet;
mod contract;
mod envelope;
mod market;
mod object;
mod rows;
mod series;

pub use account::{AccountOverview, Fill, OpenPosition, Order};
pub(crate) use bullet::{Bullet, Server};
pub use contract::{Contract, Contracts};
pub(crate) use envelope::{api_data, edge_code, parse_server_time, refusal_text};
pub use market::{
    Kline, RestFundingRate, RestMarkPrice, RestTicker, RestTrade, ServiceStatus, SettledFunding,
};
pub use object::Strings;
pub use rows::{Page, Row, Rows};
pub use series::{IndexComponent, IndexPrice, Series, SeriesPoint};
