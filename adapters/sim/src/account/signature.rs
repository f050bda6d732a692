//! Who has signed a request, if anybody has.

use kucoin_futures_proto::Instant;
use kucoin_futures_proto::auth::hmac_base64;

use super::config::{AccountConfig, Permission};
use crate::exchange::Exchange;
use crate::rest::{Request, Response};

/// A signed request's time may be off by this much.
const CLOCK_TOLERANCE_MS: u64 = 5_000;

fn refuse<T>(code: &str, text: &str) -> Result<T, Response> {
    Err(Response::refused(400, code, text))
}

impl Exchange {
    /// Whose request it is. In the exchange's own order: headers, time, key, its version, passphrase,
    /// signature, address, permission.
    pub(crate) fn signer(
        &self,
        now: Instant,
        request: &Request<'_>,
        needs: Permission,
    ) -> Result<usize, Response> {
        let [key, sign, time, passphrase] = signed_headers(request)?;
        let server_ms = self.unix(now).as_millis();
        if time.parse::<u64>().map_or(true, |ms| ms.abs_diff(server_ms) > CLOCK_TOLERANCE_MS) {
            return refuse("400002", "Invalid KC-API-TIMESTAMP");
        }
        let who = self.accounts.list.iter().position(|account| account.config.key == key);
        let Some((who, account)) = who.and_then(|who| Some((who, self.accounts.get(who)?))) else {
            return refuse("400003", "KC-API-KEY not exists");
        };
        let config = &account.config;
        check_version(config, request.header("KC-API-KEY-VERSION").unwrap_or("1"))?;
        if passphrase != hmac_base64(&config.secret, &config.passphrase) {
            return refuse("400004", "Invalid KC-API-PASSPHRASE");
        }
        let text = format!("{time}{}{}{}", request.method, request.target, request.body);
        if sign != hmac_base64(&config.secret, &text) {
            return refuse("400005", "Invalid KC-API-SIGN");
        }
        let is_known = |peer| config.addresses.contains(&peer);
        if !config.addresses.is_empty() && !request.peer.is_some_and(is_known) {
            return refuse("400006", "The IP address is not in the API whitelist");
        }
        if !config.permissions.contains(&needs) {
            return refuse("400007", "Access denied - require more permission");
        }
        Ok(who)
    }
}

/// Key, signature, time and passphrase of a request.
pub(crate) fn signed_headers<'a>(request: &Request<'a>) -> Result<[&'a str; 4], Response> {
    let header = |name| {
        request.header(name).ok_or_else(|| {
            let text = "Please check the header of your request for KC-API-KEY, KC-API-SIGN, KC-API-TIMESTAMP, KC-API-PASSPHRASE.";
            Response::refused(400, "400001", text)
        })
    };
    Ok([
        header("KC-API-KEY")?,
        header("KC-API-SIGN")?,
        header("KC-API-TIMESTAMP")?,
        header("KC-API-PASSPHRASE")?,
    ])
}

fn check_version(config: &AccountConfig, named: &str) -> Result<(), Response> {
    let own = config.version.map(|version| version.to_string());
    match named {
        "1" => refuse("400008", "The V1 key is no longer supported by this API"),
        "2" | "3" if own.as_deref().is_none_or(|own| own == named) => Ok(()),
        _ => refuse("400009", "Invalid KC-API-KEY-VERSION"),
    }
}
