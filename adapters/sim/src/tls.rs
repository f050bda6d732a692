//! A throw-away certificate authority: for `https` and `wss` that are verified like the real ones.

use std::sync::Arc;

use futures_rustls::rustls;
use rcgen::{
    BasicConstraints, Certificate, CertificateParams, IsCa, Issuer, KeyPair, date_time_ymd,
};
use rustls::ServerConfig;
use rustls::pki_types::PrivateKeyDer;

/// An authority that lives as long as this value; nobody trusts it unless told to.
pub struct Authority {
    certificate: Certificate,
    issuer: Issuer<'static, KeyPair>,
}

/// What is wrong with a certificate.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum Flaw {
    /// It ended in 2021.
    Expired,
    /// It is for `example.org`.
    WrongHost,
}

/// Keys or certificates could not be made.
#[derive(Debug, thiserror::Error)]
#[error("cannot make certificates: {0}")]
pub struct AuthorityError(String);

/// The names of this machine, for itself.
const LOOPBACK: [&str; 3] = ["127.0.0.1", "::1", "localhost"];

impl Authority {
    /// A new one, with new keys.
    ///
    /// # Errors
    /// The system has no randomness.
    pub fn new() -> Result<Self, AuthorityError> {
        let key = KeyPair::generate().map_err(fail)?;
        let mut params = CertificateParams::new(Vec::new()).map_err(fail)?;
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let certificate = params.self_signed(&key).map_err(fail)?;
        Ok(Self { certificate, issuer: Issuer::new(params, key) })
    }

    /// Its own certificate in PEM form: what a client must believe in.
    #[must_use]
    pub fn pem(&self) -> String {
        self.certificate.pem()
    }

    /// What [`Server::start_tls`](crate::Server::start_tls) wants: a certificate for loopback, new
    /// keys, flawed if so wished.
    ///
    /// # Errors
    /// The system has no randomness.
    pub fn server(&self, flaw: Option<Flaw>) -> Result<Arc<ServerConfig>, AuthorityError> {
        let names = match flaw {
            Some(Flaw::WrongHost) => vec!["example.org".into()],
            Some(Flaw::Expired) | None => LOOPBACK.map(String::from).to_vec(),
        };
        let mut params = CertificateParams::new(names).map_err(fail)?;
        if flaw == Some(Flaw::Expired) {
            params.not_before = date_time_ymd(2020, 1, 1);
            params.not_after = date_time_ymd(2021, 1, 1);
        }
        let key = KeyPair::generate().map_err(fail)?;
        let certificate = params.signed_by(&key, &self.issuer).map_err(fail)?;
        let secret = PrivateKeyDer::try_from(key.serialize_der())
            .map_err(|problem| AuthorityError(problem.into()))?;
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(fail)?
            .with_no_client_auth()
            .with_single_cert(vec![certificate.der().clone()], secret)
            .map_err(fail)?;
        Ok(Arc::new(config))
    }
}

fn fail(error: impl ToString) -> AuthorityError {
    AuthorityError(error.to_string())
}

/// Shows no key.
impl std::fmt::Debug for Authority {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Authority(..)")
    }
}
