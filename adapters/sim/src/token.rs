//! Bullet tokens: given out, aged, expired, and looked at when somebody connects.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE;
use kucoin_futures_proto::{Instant, SplitMix64};

use crate::exchange::percent_decode;

/// Every token that was given out.
#[derive(Debug, Default)]
pub(crate) struct Tokens {
    known: BTreeMap<String, Token>,
    /// So many of the next ones are expired from birth.
    stillborn: u32,
    latest: Vec<String>,
}

/// Tokens remembered for whoever looks for them where they must not be.
const LATEST: usize = 4;

#[derive(Clone, Debug)]
struct Token {
    granted: Instant,
    expires: Instant,
    /// Whose it is, if it is private.
    user: Option<Arc<str>>,
}

/// What a token is good for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Standing {
    /// Whose it is, if it is private.
    Valid {
        user: Option<Arc<str>>,
        granted: Instant,
    },
    Expired,
    Unknown,
}

impl Tokens {
    /// A new token in the usual form: URL-safe base64 with padding, a dot in between.
    pub(crate) fn issue(
        &mut self,
        now: Instant,
        expires: Instant,
        rng: &mut SplitMix64,
        user: Option<Arc<str>>,
    ) -> String {
        let mut bytes = |count: usize| -> Vec<u8> {
            (0..count).flat_map(|_| rng.next_u64().to_le_bytes()).collect()
        };
        let mut body = bytes(15);
        body.pop();
        let tail = bytes(2);
        let text = format!("{}.{}", URL_SAFE.encode(body), URL_SAFE.encode(tail));
        let born_dead = self.stillborn > 0;
        self.stillborn = self.stillborn.saturating_sub(1);
        let expires = if born_dead { now } else { expires };
        self.known.insert(text.clone(), Token { granted: now, expires, user });
        if self.latest.len() == LATEST {
            self.latest.remove(0);
        }
        self.latest.push(text.clone());
        text
    }

    pub(crate) fn standing(&self, now: Instant, token: &str) -> Standing {
        match self.known.get(token) {
            None => Standing::Unknown,
            Some(token) if token.expires <= now => Standing::Expired,
            Some(token) => Standing::Valid { user: token.user.clone(), granted: token.granted },
        }
    }

    /// The last ones given out.
    pub(crate) fn latest(&self) -> &[String] {
        &self.latest
    }

    /// From now on tokens live as long as they should.
    pub(crate) const fn heal(&mut self) {
        self.stillborn = 0;
    }

    pub(crate) fn expire(&mut self, now: Instant, next: u32) {
        self.stillborn = next;
        for token in self.known.values_mut() {
            token.expires = token.expires.min(now);
        }
    }
}

/// What somebody who connects says of himself.
pub(crate) struct Visitor {
    /// Empty if there is none.
    pub(crate) token: String,
    pub(crate) connect_id: Option<String>,
}

impl Visitor {
    /// `query`: what follows the `?` of the address, percent-encoded or not.
    pub(crate) fn of(query: &str) -> Self {
        let parameter = |name: &str| {
            let pairs = query.split('&').filter_map(|pair| pair.split_once('='));
            pairs.filter(|(key, _)| *key == name).map(|(_, value)| percent_decode(value)).next()
        };
        Self { token: parameter("token").unwrap_or_default(), connect_id: parameter("connectId") }
    }
}

/// Somebody who is let in.
pub(crate) struct Admitted {
    /// Whose connection it is, if it is private.
    pub(crate) user: Option<Arc<str>>,
    /// When the token was.
    pub(crate) granted: Instant,
}

/// Who it is, or the code and the text that he is refused with. `full`: there are so many already, and there may be
/// no more.
pub(crate) fn admit(standing: Standing, full: Option<usize>) -> Result<Admitted, (u32, String)> {
    match (standing, full) {
        (Standing::Unknown, _) => Err((401, "token is invalid".into())),
        (Standing::Expired, _) => Err((401, "token is expired".into())),
        (Standing::Valid { .. }, Some(most)) => {
            Err((509, format!("exceed max session count limitation of {most}")))
        }
        (Standing::Valid { user, granted }, None) => Ok(Admitted { user, granted }),
    }
}

/// The data of a token response with one server. `pings`: their interval, and how long a pong may take.
pub(crate) fn token_data(
    token: &str,
    endpoint: &str,
    [interval, timeout]: [Duration; 2],
) -> String {
    let pings = pings(interval, timeout);
    let server = server(endpoint, &pings);
    format!(r#"{{"token":"{token}","instanceServers":[{server}]}}"#)
}

/// What a server of a token response says of pings.
pub(crate) fn pings(interval: Duration, timeout: Duration) -> String {
    let (interval, timeout) = (interval.as_millis(), timeout.as_millis());
    format!(r#","pingInterval":{interval},"pingTimeout":{timeout}"#)
}

/// A server of a token response.
pub(crate) fn server(endpoint: &str, pings: &str) -> String {
    let encrypt = endpoint.starts_with("wss");
    format!(r#"{{"endpoint":"{endpoint}","encrypt":{encrypt},"protocol":"websocket"{pings}}}"#)
}
