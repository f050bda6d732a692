//! REST bodies, by serde: the envelope, the bullet token, the contract list, the server's time.

use alloc::borrow::Cow;
use alloc::string::String;
use alloc::vec::Vec;

use serde::Deserialize;
use serde_json::value::RawValue;
use zeroize::Zeroizing;

use crate::error::WireError;
use crate::num::Decimal;
use crate::time::UnixNanos;

/// Deserializes with errors of ours, which never quote the text.
pub(crate) trait FromJson<'a>: Deserialize<'a> {
    fn from_json(bytes: &'a [u8], field: &'static str) -> Result<Self, WireError> {
        serde_json::from_slice(bytes).map_err(|error| {
            use serde_json::error::Category;
            match error.classify() {
                Category::Data => WireError::WrongType { field },
                Category::Syntax | Category::Eof | Category::Io => {
                    WireError::NotJson { at: u32::try_from(error.column()).unwrap_or(u32::MAX) }
                }
            }
        })
    }
}

impl<'a, T: Deserialize<'a>> FromJson<'a> for T {}

#[derive(Deserialize)]
struct Body<'a> {
    #[serde(borrow)]
    code: &'a RawValue,
    #[serde(borrow)]
    data: Option<&'a RawValue>,
}

/// Opens the envelope `{"code":"200000","data":..}`. The inner error is the exchange's code: HTTP
/// 200 is no promise of success.
pub(crate) fn api_data(bytes: &[u8]) -> Result<Result<&RawValue, u32>, WireError> {
    let body = Body::from_json(bytes, "code")?;
    let code = body.code.get().trim_matches('"').parse();
    match code.map_err(|_| WireError::OutOfRange { field: "code" })? {
        200_000 => body.data.map(Ok).ok_or(WireError::Missing { field: "data" }),
        code => Ok(Err(code)),
    }
}

#[derive(Deserialize)]
struct Said<'a> {
    #[serde(borrow)]
    msg: Cow<'a, str>,
}

/// What a refusal says to a person: its `msg`.
pub(crate) fn refusal_text(bytes: &[u8]) -> Option<Cow<'_, str>> {
    Said::from_json(bytes, "msg").ok().map(|said| said.msg)
}

/// The number on a page of the edge that is nothing but it: `error code: 1015`.
pub(crate) fn edge_code(bytes: &[u8]) -> Option<u32> {
    let text = core::str::from_utf8(bytes).ok()?;
    text.trim().strip_prefix("error code:")?.trim().parse().ok()
}

/// The body of `GET /api/v1/timestamp`: `{"code":"200000","data":1790000000123}`, milliseconds.
pub(crate) fn parse_server_time(body: &[u8]) -> Result<UnixNanos, WireError> {
    let data = api_data(body)?.map_err(|_| WireError::Unexpected)?;
    let millis = u64::from_json(data.get().as_bytes(), "data")?;
    UnixNanos::from_millis(millis).ok_or(WireError::OutOfRange { field: "data" })
}

/// The body of `POST /api/v1/bullet-public` and `bullet-private`, as it stands; nothing is trusted
/// yet. No `Debug`: it holds the token.
pub(crate) struct Bullet {
    pub(crate) token: Zeroizing<String>,
    pub(crate) servers: Vec<Server>,
}

/// One entry of `instanceServers`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Server {
    pub(crate) endpoint: String,
    /// `pingInterval`, milliseconds; `None` if absent or not a number.
    pub(crate) ping_interval_ms: Option<Decimal>,
    /// `pingTimeout`, milliseconds; `None` if absent or not a number.
    pub(crate) ping_timeout_ms: Option<Decimal>,
}

/// Longest token accepted, in bytes; real ones have about 250.
const MAX_TOKEN: usize = 4096;
/// Entries of `instanceServers` that are looked at; every known reply has one.
const MAX_SERVERS: usize = 16;

#[derive(Deserialize)]
struct BulletData<'a> {
    #[serde(borrow)]
    token: Cow<'a, str>,
    #[serde(borrow, rename = "instanceServers")]
    servers: Vec<ServerData<'a>>,
}

#[derive(Deserialize)]
struct ServerData<'a> {
    #[serde(borrow)]
    endpoint: Cow<'a, str>,
    #[serde(borrow, rename = "pingInterval")]
    ping_interval: Option<&'a RawValue>,
    #[serde(borrow, rename = "pingTimeout")]
    ping_timeout: Option<&'a RawValue>,
}

impl Bullet {
    /// All servers, beginning with this one.
    pub(crate) fn servers_from(&self, first: usize) -> impl Iterator<Item = &Server> {
        let len = self.servers.len();
        self.servers.iter().cycle().skip(first % len.max(1)).take(len)
    }

    /// Reads the `data` of a reply.
    pub(crate) fn parse(data: &RawValue) -> Result<Self, WireError> {
        let data = BulletData::from_json(data.get().as_bytes(), "data")?;
        if data.token.is_empty() {
            return Err(WireError::Missing { field: "token" });
        }
        if data.token.len() > MAX_TOKEN {
            return Err(WireError::TooLong { field: "token" });
        }
        let servers = data.servers.into_iter().take(MAX_SERVERS).map(|server| Server {
            endpoint: server.endpoint.into_owned(),
            ping_interval_ms: server.ping_interval.and_then(lenient_number),
            ping_timeout_ms: server.ping_timeout.and_then(lenient_number),
        });
        Ok(Self { servers: servers.collect(), token: Zeroizing::new(data.token.into_owned()) })
    }
}

/// A number, or a string that holds one.
fn lenient_number(raw: &RawValue) -> Option<Decimal> {
    Decimal::parse(raw.get().trim_matches('"').as_bytes())
}

/// The reply of `GET /api/v1/contracts/active`: rows that are decoded one by one.
#[derive(Debug)]
pub struct Contracts<'a> {
    rows: Vec<&'a RawValue>,
}

/// One tradable contract; the fields that a reader of market data needs.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct Contract<'a> {
    /// For example `XBTUSDTM`.
    pub symbol: Cow<'a, str>,
    /// `Open`, `Paused`, `BeingSettled`, `Settled`, `Closed`, `CancelOnly` or `Init`.
    pub status: Cow<'a, str>,
    /// Base coins per lot; -1 for inverse contracts, where a lot is one unit of quote currency.
    pub multiplier: Decimal,
    /// Smallest price step, in quote currency. Changes over time: do not keep it for days.
    pub tick_size: Decimal,
    /// Smallest size step, in lots.
    pub lot_size: Decimal,
    /// Whether size is in quote currency and profit in base currency.
    pub is_inverse: bool,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ContractData<'a> {
    #[serde(borrow)]
    symbol: Cow<'a, str>,
    #[serde(borrow)]
    status: Cow<'a, str>,
    #[serde(borrow)]
    multiplier: &'a RawValue,
    #[serde(borrow)]
    tick_size: &'a RawValue,
    #[serde(borrow)]
    lot_size: &'a RawValue,
    is_inverse: bool,
}

impl<'a> Contracts<'a> {
    /// Reads a whole response body, envelope included.
    ///
    /// # Errors
    /// Not JSON, an error body ([`WireError::Unexpected`]), or `data` is not an array.
    pub fn parse(body: &'a [u8]) -> Result<Self, WireError> {
        let data = api_data(body)?.map_err(|_| WireError::Unexpected)?;
        Ok(Self { rows: Vec::from_json(data.get().as_bytes(), "data")? })
    }

    /// The contracts, each with the error of its own row.
    pub fn iter(&self) -> impl Iterator<Item = Result<Contract<'a>, WireError>> + '_ {
        self.rows.iter().map(|row| Contract::parse(row))
    }
}

impl<'a> Contract<'a> {
    fn parse(row: &'a RawValue) -> Result<Self, WireError> {
        let row = ContractData::from_json(row.get().as_bytes(), "contract")?;
        let number = |raw: &RawValue, field| {
            Decimal::parse(raw.get().as_bytes()).ok_or(WireError::OutOfRange { field })
        };
        Ok(Self {
            symbol: row.symbol,
            status: row.status,
            multiplier: number(row.multiplier, "multiplier")?,
            tick_size: number(row.tick_size, "tickSize")?,
            lot_size: number(row.lot_size, "lotSize")?,
            is_inverse: row.is_inverse,
        })
    }
}
