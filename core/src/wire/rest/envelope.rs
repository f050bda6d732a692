//! The envelope of every REST body, and what a refusal says. By serde.

use alloc::borrow::Cow;

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::error::WireError;
use crate::time::UnixNanos;

/// Deserializes with errors of ours, which never quote the text.
pub(super) trait FromJson<'a>: Deserialize<'a> {
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
