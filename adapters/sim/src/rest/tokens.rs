//! Tokens, and who has signed for one.

use kucoin_futures_proto::Instant;
use kucoin_futures_proto::auth::hmac_base64;
use serde_json::Value;

use super::{Request, Response};
use crate::exchange::Exchange;

/// A signed request's time may be off by this much.
const CLOCK_TOLERANCE_MS: u64 = 5_000;

impl Exchange {
    pub(super) fn bullet(&mut self, now: Instant, private: bool) -> Response {
        let expires = now + self.config.token_lifetime;
        let token = self.tokens.issue(now, expires, &mut self.rng, private);
        self.counts.tokens += 1;
        let servers = self.instance_servers();
        Response::data(&format!(r#"{{"token":"{token}","instanceServers":[{servers}]}}"#))
    }

    fn instance_servers(&mut self) -> String {
        let absurd = self.troubles.absurd_pings.take().map(|_| {
            self.strike("absurd-pings", None);
            let at = self.rng.below(ABSURD.len() as u64) as usize;
            ABSURD.get(at).copied().unwrap_or("0")
        });
        let (interval, timeout) = (self.config.ping_interval, self.config.ping_timeout);
        let pings = absurd.map_or_else(
            || {
                let (interval, timeout) = (interval.as_millis(), timeout.as_millis());
                format!(r#","pingInterval":{interval},"pingTimeout":{timeout}"#)
            },
            |absurd| match absurd {
                "" => String::new(),
                absurd => format!(r#","pingInterval":{absurd},"pingTimeout":{absurd}"#),
            },
        );
        let (endpoint, encrypt) = (&self.config.endpoint, self.config.endpoint.starts_with("wss"));
        let good = format!(
            r#"{{"endpoint":"{endpoint}","encrypt":{encrypt},"protocol":"websocket"{pings}}}"#
        );
        let bad = BAD_ENDPOINTS.map(|endpoint| {
            let endpoint = Value::from(endpoint);
            format!(r#"{{"endpoint":{endpoint},"encrypt":true,"protocol":"websocket"{pings}}}"#)
        });
        if self.troubles.only_bad_servers.take().is_some() {
            self.strike("only-bad-servers", None);
            bad.join(",")
        } else if self.troubles.bad_servers.take().is_some() {
            self.strike("bad-servers", None);
            format!("{},{good}", bad.join(","))
        } else {
            good
        }
    }

    /// In the exchange's own order: headers, time, key, passphrase, signature.
    pub(super) fn check_signature(
        &self,
        now: Instant,
        request: &Request<'_>,
    ) -> Result<(), Response> {
        let header = |name| {
            request.header(name).ok_or_else(|| {
                let text = "Please check the header of your request for KC-API-KEY, KC-API-SIGN, KC-API-TIMESTAMP, KC-API-PASSPHRASE.";
                Response::refused(400, "400001", text)
            })
        };
        let (key, sign) = (header("KC-API-KEY")?, header("KC-API-SIGN")?);
        let (time, passphrase) = (header("KC-API-TIMESTAMP")?, header("KC-API-PASSPHRASE")?);
        let version = request.header("KC-API-KEY-VERSION").unwrap_or("1");
        let refused = |code, text| Err(Response::refused(400, code, text));
        let server_ms = self.unix(now).as_millis();
        if time.parse::<u64>().map_or(true, |ms| ms.abs_diff(server_ms) > CLOCK_TOLERANCE_MS) {
            return refused("400002", "Invalid KC-API-TIMESTAMP");
        }
        let account = &self.config.account;
        if key != account.key {
            return refused("400003", "KC-API-KEY not exists");
        }
        match version {
            "2" | "3" => {}
            "1" => return refused("400008", "The V1 key is no longer supported by this API"),
            _ => return refused("400009", "Invalid KC-API-KEY-VERSION"),
        }
        if passphrase != hmac_base64(&account.secret, &account.passphrase) {
            return refused("400004", "Invalid KC-API-PASSPHRASE");
        }
        let text = format!("{time}{}{}{}", request.method, request.target, request.body);
        if sign != hmac_base64(&account.secret, &text) {
            return refused("400005", "Invalid KC-API-SIGN");
        }
        Ok(())
    }
}

/// Where nobody should go who was promised KuCoin.
const BAD_ENDPOINTS: [&str; 6] = [
    "wss://ws-api-futures.kucoin.com.evil.example/endpoint",
    "wss://evilkucoin.com/",
    "ws://ws-api-futures.kucoin.com/",
    "wss://kucoin.com@203.0.113.7/",
    "https://127.0.0.1/",
    "wss://127.0.0.1\r\nX: y/",
];
/// What token responses say when they make no sense; nothing at all among it.
const ABSURD: [&str; 7] = ["0", "1", "-1", "18446744073709551616", "\"18000\"", "null", ""];
