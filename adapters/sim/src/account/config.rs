//! An account's keys, and what it does by itself.

use core::fmt;
use std::net::IpAddr;

use super::money::Money;

/// An account of the simulated exchange. `Debug` shows its key and no secret.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct AccountConfig {
    /// `KC-API-KEY`; no two accounts share one. Default `sim-key`.
    pub key: String,
    /// What requests are signed with. Default `sim-secret`.
    pub secret: String,
    /// In the clear. Default `sim-passphrase`.
    pub passphrase: String,
    /// The version that `KC-API-KEY-VERSION` must name, 2 or 3; default `None`: either, since
    /// clients are in use that always name one of them.
    pub version: Option<u8>,
    /// Addresses that may sign; default: all.
    pub addresses: Vec<IpAddr>,
    /// What the key may do. Default: everything.
    pub permissions: Vec<Permission>,
    /// What it has at the start, of each currency that contracts settle in. Default 10,000.
    pub deposit: Money,
    /// Actions a minute of the small trader that owns it; default 0: it does nothing by itself.
    pub activity: u32,
}

/// What a key may do.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
#[non_exhaustive]
pub enum Permission {
    /// Read orders, positions and balances; private tokens.
    General,
    /// Place and cancel orders, change margin and leverage.
    Futures,
}

impl AccountConfig {
    /// An account with these three, and the defaults otherwise.
    #[must_use]
    pub fn new(key: String, secret: String, passphrase: String) -> Self {
        Self {
            key,
            secret,
            passphrase,
            version: None,
            addresses: Vec::new(),
            permissions: vec![Permission::General, Permission::Futures],
            deposit: Money::whole(10_000),
            activity: 0,
        }
    }
}

impl Default for AccountConfig {
    fn default() -> Self {
        Self::new("sim-key".into(), "sim-secret".into(), "sim-passphrase".into())
    }
}

impl fmt::Debug for AccountConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AccountConfig")
            .field("key", &self.key)
            .field("version", &self.version)
            .field("addresses", &self.addresses)
            .field("permissions", &self.permissions)
            .field("deposit", &self.deposit)
            .field("activity", &self.activity)
            .finish_non_exhaustive()
    }
}
