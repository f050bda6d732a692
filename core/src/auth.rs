//! Signing of private requests: a pure function of credentials, time and the request.
//!
//! Used by adapters. The [`Client`](crate::Client) never holds a secret: it only says which request
//! must be signed, and with whose clock.

use alloc::format;
use alloc::string::String;
use core::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use zeroize::Zeroizing;

/// The version of an API key, shown where the key was made. The algorithm is the same for both;
/// the header must say the right one. (Version 1 sent the passphrase in the clear: not supported.)
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
#[non_exhaustive]
pub enum KeyVersion {
    /// Keys made until 2024.
    V2,
    /// Keys made today.
    #[default]
    V3,
}

impl KeyVersion {
    /// As the header `KC-API-KEY-VERSION` wants it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::V2 => "2",
            Self::V3 => "3",
        }
    }
}

/// An API key with its secret and passphrase. Wiped when dropped; `Debug` shows nothing.
#[derive(Clone)]
pub struct Credentials {
    key: Zeroizing<String>,
    secret: Zeroizing<String>,
    passphrase: Zeroizing<String>,
    version: KeyVersion,
}

/// The headers of a signed request. Wiped when dropped; `Debug` shows nothing.
#[derive(Clone, PartialEq, Eq)]
pub struct SignedHeaders {
    values: [(&'static str, Zeroizing<String>); 5],
}

impl SignedHeaders {
    /// Names and values, to be sent as they are.
    pub fn iter(&self) -> impl Iterator<Item = (&'static str, &str)> {
        self.values.iter().map(|(name, value)| (*name, value.as_str()))
    }
}

impl Credentials {
    /// Takes the three secrets.
    #[must_use]
    pub fn new(key: String, secret: String, passphrase: String, version: KeyVersion) -> Self {
        Self {
            key: Zeroizing::new(key),
            secret: Zeroizing::new(secret),
            passphrase: Zeroizing::new(passphrase),
            version,
        }
    }

    /// Signs one request.
    ///
    /// `unix_ms` must be within 5 s of the server's clock. `method` is upper case. `path` starts
    /// with `/api` and includes the query, exactly as sent. `body` is exactly what is sent; empty
    /// if there is none.
    #[must_use]
    pub fn sign(&self, unix_ms: u64, method: &str, path: &str, body: &str) -> SignedHeaders {
        let text = Zeroizing::new(format!("{unix_ms}{method}{path}{body}"));
        SignedHeaders {
            values: [
                ("KC-API-KEY", self.key.clone()),
                ("KC-API-SIGN", Zeroizing::new(hmac_base64(&self.secret, &text))),
                ("KC-API-TIMESTAMP", Zeroizing::new(format!("{unix_ms}"))),
                ("KC-API-PASSPHRASE", Zeroizing::new(hmac_base64(&self.secret, &self.passphrase))),
                ("KC-API-KEY-VERSION", Zeroizing::new(self.version.as_str().into())),
            ],
        }
    }
}

/// `base64(hmac_sha256(key, text))`: the whole of the exchange's signing, for either end of it.
#[must_use]
pub fn hmac_base64(key: &str, text: &str) -> String {
    // A key of any length is fine for HMAC; the error has no case.
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(key.as_bytes()) else { return String::new() };
    mac.update(text.as_bytes());
    STANDARD.encode(mac.finalize().into_bytes())
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Credentials(..)")
    }
}

impl fmt::Debug for SignedHeaders {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SignedHeaders(..)")
    }
}

#[cfg(test)]
mod tests;
