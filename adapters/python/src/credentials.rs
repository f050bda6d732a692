//! The keys of an account.

use kucoin_futures_host::credentials_from_env;
use kucoin_futures_proto::auth::{Credentials as CoreCredentials, KeyVersion};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;

use crate::fault::Fault;

/// Key, secret and passphrase of an account. They are not shown, not compared and not pickled.
#[pyclass(module = "kucoin_futures", frozen)]
#[derive(Clone, Debug)]
pub(crate) struct Credentials {
    inner: CoreCredentials,
}

#[pymethods]
impl Credentials {
    #[new]
    #[pyo3(signature = (key, secret, passphrase, version=3))]
    fn new(key: String, secret: String, passphrase: String, version: u8) -> PyResult<Self> {
        let version = match version {
            2 => KeyVersion::V2,
            3 => KeyVersion::V3,
            _ => return Err(PyValueError::new_err("the version of a key is 2 or 3")),
        };
        Ok(Self { inner: CoreCredentials::new(key, secret, passphrase, version) })
    }

    /// Out of the environment: `KUCOIN_API_KEY`, `KUCOIN_API_SECRET`, `KUCOIN_API_PASSPHRASE`, or the files that the
    /// same names with `_FILE` name.
    #[staticmethod]
    fn from_env() -> PyResult<Self> {
        let found = credentials_from_env().map_err(|error| Fault::Misuse(error.to_string()))?;
        let inner = found.ok_or_else(|| {
            Fault::Misuse(
                "no credentials: set KUCOIN_API_KEY, KUCOIN_API_SECRET and KUCOIN_API_PASSPHRASE, or with _FILE behind each name a file that holds it".into(),
            )
        })?;
        Ok(Self { inner })
    }

    #[allow(clippy::unused_self, reason = "nothing of it is shown")]
    const fn __repr__(&self) -> &'static str {
        "Credentials(..)"
    }
}

impl Credentials {
    pub(crate) fn inner(&self) -> CoreCredentials {
        self.inner.clone()
    }
}
