//! The token reply.

use alloc::borrow::Cow;
use alloc::string::String;
use alloc::vec::Vec;

use serde::Deserialize;
use serde_json::value::RawValue;
use zeroize::Zeroizing;

use super::envelope::FromJson;
use crate::error::WireError;
use crate::num::Decimal;

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
