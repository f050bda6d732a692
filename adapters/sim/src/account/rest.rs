//! The signed half of REST: which requests there are, what they cost, who may make them.

use kucoin_futures_proto::{Decimal, Instant, Symbol};
use serde_json::Value;

use super::check::{Refused, refused};
use super::config::Permission;
use super::{reading, trading};
use crate::exchange::Exchange;
use crate::rest::{Request, Response, is_signed, limit_headers, too_many};

/// A signed request that is answered.
#[derive(Clone, Copy, Debug)]
pub(super) struct Call<'a> {
    pub(super) now: Instant,
    /// Who has signed.
    pub(super) who: usize,
    pub(super) request: &'a Request<'a>,
    /// What stands in the path in place of `*`.
    pub(super) key: &'a str,
}

/// The JSON of `data`, or why there is none.
pub(super) type Answer = Result<String, Refused>;

type Handler = fn(&mut Exchange, &Call<'_>) -> Answer;

/// Method, path (`*`: whatever stands there), weight, permission, what answers it.
type Row = (&'static str, &'static str, u32, Permission, Handler);

use Permission::{Futures, General};

/// Weights as the pages of each endpoint have them (futures pool, 2025). Paths that are spelled out
/// stand before those with a key in the same place.
const TABLE: [Row; 38] = [
    ("POST", "/api/v1/bullet-private", 10, General, reading::bullet),
    ("GET", "/api/v1/orders", 2, General, reading::orders),
    ("GET", "/api/v1/orders/byClientOid", 5, General, reading::order_by_client_oid),
    ("GET", "/api/v1/orders/*", 5, General, reading::order),
    ("GET", "/api/v1/stopOrders", 6, General, reading::stop_orders),
    ("GET", "/api/v1/recentDoneOrders", 5, General, reading::recent_done),
    ("GET", "/api/v1/fills", 5, General, reading::fills),
    ("GET", "/api/v1/recentFills", 3, General, reading::recent_fills),
    ("GET", "/api/v1/openOrderStatistics", 10, General, reading::open_order_value),
    ("GET", "/api/v1/positions", 2, General, reading::positions),
    ("GET", "/api/v1/position", 2, General, reading::position),
    ("GET", "/api/v2/position", 2, General, reading::position_v2),
    ("GET", "/api/v1/history-positions", 2, General, reading::closed_positions),
    ("GET", "/api/v1/account-overview", 5, General, reading::overview),
    ("GET", "/api/v1/funding-history", 5, General, reading::funding_history),
    // Documented as public; it is not.
    ("GET", "/api/v1/trade-statistics", 3, General, reading::trade_statistics),
    ("GET", "/api/v1/trade-fees", 3, General, reading::trade_fees),
    ("GET", "/api/v1/contracts/risk-limit/*", 5, General, reading::risk_limits),
    ("GET", "/api/v1/margin/maxWithdrawMargin", 10, General, reading::max_withdraw_margin),
    ("GET", "/api/v2/position/getMarginMode", 2, General, reading::margin_mode),
    ("GET", "/api/v2/position/getPositionMode", 2, General, reading::position_mode),
    ("GET", "/api/v2/getCrossUserLeverage", 2, General, reading::cross_leverage),
    ("GET", "/api/v2/getMaxOpenSize", 2, General, reading::max_open_size),
    ("POST", "/api/v1/orders", 2, Futures, trading::place),
    ("POST", "/api/v1/st-orders", 2, Futures, trading::place_take_profit),
    ("POST", "/api/v1/orders/test", 2, Futures, trading::test),
    ("POST", "/api/v1/orders/multi", 20, Futures, trading::place_several),
    ("DELETE", "/api/v1/orders", 10, Futures, trading::cancel_all),
    ("DELETE", "/api/v3/orders", 10, Futures, trading::cancel_all),
    ("DELETE", "/api/v1/stopOrders", 15, Futures, trading::cancel_all_stops),
    ("DELETE", "/api/v1/orders/multi-cancel", 20, Futures, trading::cancel_several),
    ("DELETE", "/api/v1/orders/client-order/*", 1, Futures, trading::cancel_by_client_oid),
    ("DELETE", "/api/v1/orders/*", 1, Futures, trading::cancel),
    ("POST", "/api/v2/position/changeMarginMode", 2, Futures, trading::change_margin_mode),
    ("POST", "/api/v2/changeCrossUserLeverage", 2, Futures, trading::change_cross_leverage),
    ("POST", "/api/v1/position/margin/*", 4, Futures, trading::change_margin),
    ("POST", "/api/v1/margin/withdrawMargin", 10, Futures, trading::withdraw_margin),
    ("POST", "/api/v1/position/risk-limit-level/change", 5, Futures, trading::change_risk_limit),
];

/// Whether only an account may ask this, in whatever way.
pub(crate) fn is_private(path: &str) -> bool {
    is_signed(path) || TABLE.iter().any(|row| matches(row.1, path).is_some())
}

/// What stands in place of the `*` of a pattern; empty if there is none.
fn matches<'a>(pattern: &str, path: &'a str) -> Option<&'a str> {
    match pattern.strip_suffix('*') {
        Some(prefix) => {
            path.strip_prefix(prefix).filter(|key| !key.is_empty() && !key.contains('/'))
        }
        None => (pattern == path).then_some(""),
    }
}

impl Exchange {
    /// Answers a request that must be signed; `None` if it is not one.
    pub(crate) fn private(&mut self, now: Instant, request: &Request<'_>) -> Option<Response> {
        let of = |row: &Row| {
            let key = matches(row.1, request.path())?;
            (row.0 == request.method).then_some((*row, key))
        };
        let ((_, _, weight, needs, handler), key) = TABLE.iter().find_map(of)?;
        let who = match self.signer(now, request, needs) {
            Ok(who) => who,
            Err(response) => return Some(response),
        };
        let (fits, left, reset) = self.accounts.get_mut(who)?.quota.take(now, weight);
        if !fits {
            return Some(too_many(limit_headers(left, reset)));
        }
        let answer = handler(self, &Call { now, who, request, key });
        let response = answer.map_or_else(
            |Refused { code, text }| {
                let text = Value::from(text);
                Response::json(200, format!(r#"{{"msg":{text},"code":"{code}"}}"#))
            },
            |data| Response::data(&data),
        );
        Some(Response { headers: limit_headers(left, reset), ..response })
    }
}

impl Call<'_> {
    /// A parameter of the query, decoded.
    pub(super) fn query(&self, name: &str) -> Option<String> {
        self.request.parameter(name)
    }

    /// A parameter that is a number; `or` if it is missing.
    pub(super) fn number(&self, name: &str, or: u64) -> Result<u64, Refused> {
        match self.query(name) {
            None => Ok(or),
            Some(text) => match text.parse() {
                Ok(number) => Ok(number),
                Err(_) => refused("400100", format!("{name} parameter invalid.")),
            },
        }
    }

    /// The contract that the query names, if it names one.
    pub(super) fn symbol(&self) -> Result<Option<Symbol>, Refused> {
        self.query("symbol").map(|text| symbol_of(&text)).transpose()
    }

    /// The contract that the query must name.
    pub(super) fn must_symbol(&self) -> Result<Symbol, Refused> {
        match self.symbol()? {
            Some(symbol) => Ok(symbol),
            None => refused("400100", "symbol parameter cannot be empty."),
        }
    }

    /// The body, which must be an object.
    pub(super) fn body(&self) -> Result<Value, Refused> {
        match serde_json::from_str(self.request.body) {
            Ok(body @ (Value::Object(_) | Value::Array(_))) => Ok(body),
            _ => refused("400100", "Request body is not JSON."),
        }
    }
}

pub(super) fn symbol_of(text: &str) -> Result<Symbol, Refused> {
    match text.parse() {
        Ok(symbol) => Ok(symbol),
        Err(_) => refused("100003", "Contract parameter invalid."),
    }
}

/// A member of a body that is text, or a number that could as well be.
pub(super) fn text_of(body: &Value, name: &str) -> Option<String> {
    match body.get(name)? {
        Value::String(text) => Some(text.clone()).filter(|text| !text.is_empty()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

pub(super) fn bool_of(body: &Value, name: &str) -> bool {
    let value = body.get(name);
    value.is_some_and(|v| *v == Value::Bool(true) || v.as_str() == Some("true"))
}

/// A number of a body, whether it is written as one or as text.
pub(super) fn decimal_of(body: &Value, name: &str) -> Result<Option<Decimal>, Refused> {
    match text_of(body, name).map(|text| text.parse()) {
        None => Ok(None),
        Some(Ok(value)) => Ok(Some(value)),
        Some(Err(_)) => refused("100001", format!("{name} parameter invalid.")),
    }
}
