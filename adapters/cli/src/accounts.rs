//! The accounts of a simulated exchange, as they are named on the command line.

use std::convert::Infallible;
use std::fmt;
use std::str::FromStr;

use kucoin_futures_sim::AccountConfig;

use crate::exit::{Failure, Kind};

/// What was written behind `--account`: not looked at yet, because whoever parses the command line
/// repeats what it cannot read, and nobody shall repeat a secret.
#[derive(Clone)]
pub(crate) struct AccountText(String);

impl FromStr for AccountText {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Self, Infallible> {
        Ok(Self(text.into()))
    }
}

impl fmt::Debug for AccountText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AccountText(..)")
    }
}

impl AccountText {
    /// Key, secret and passphrase. Only a passphrase may hold a colon.
    fn read(&self) -> Option<AccountConfig> {
        let mut parts = self.0.splitn(3, ':').map(str::to_owned);
        let (key, secret, passphrase) = (parts.next()?, parts.next()?, parts.next()?);
        let is_empty = key.is_empty() || secret.is_empty() || passphrase.is_empty();
        (!is_empty).then(|| AccountConfig::new(key, secret, passphrase))
    }
}

/// The accounts that were named, or the usual one, each as busy as was asked for.
pub(crate) fn configs(texts: &[AccountText], activity: u32) -> Result<Vec<AccountConfig>, Failure> {
    let wrong = |text: &str| Err(Failure::words(Kind::Usage, format_args!("--account: {text}")));
    let mut accounts = Vec::<AccountConfig>::new();
    for text in texts {
        let Some(account) = text.read() else {
            return wrong("KEY:SECRET:PASSPHRASE, none of them empty");
        };
        if accounts.iter().any(|other| other.key == account.key) {
            return wrong("two accounts have the same key");
        }
        accounts.push(account);
    }
    if accounts.is_empty() {
        accounts.push(AccountConfig::default());
    }
    accounts.iter_mut().for_each(|account| account.activity = activity);
    Ok(accounts)
}
