//! Tokens.

use std::sync::Arc;

use kucoin_futures_proto::Instant;
use serde_json::Value;

use crate::exchange::Exchange;
use crate::token;

impl Exchange {
    /// The data of a token, for whoever has signed for one if anybody has.
    pub(crate) fn bullet(&mut self, now: Instant, user: Option<Arc<str>>) -> String {
        let expires = now + self.config.token_lifetime;
        let token = self.tokens.issue(now, expires, &mut self.rng, user);
        self.counts.tokens += 1;
        let servers = self.instance_servers();
        format!(r#"{{"token":"{token}","instanceServers":[{servers}]}}"#)
    }

    fn instance_servers(&mut self) -> String {
        let absurd = self.troubles.absurd_pings.take().map(|_| {
            self.strike("absurd-pings", None);
            let at = self.rng.below(ABSURD.len() as u64) as usize;
            ABSURD.get(at).copied().unwrap_or("0")
        });
        let (interval, timeout) = (self.config.ping_interval, self.config.ping_timeout);
        let pings = absurd.map_or_else(
            || token::pings(interval, timeout),
            |absurd| match absurd {
                "" => String::new(),
                absurd => format!(r#","pingInterval":{absurd},"pingTimeout":{absurd}"#),
            },
        );
        let good = token::server(&self.config.endpoint, &pings);
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
