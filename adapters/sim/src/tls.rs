//! A throw-away certificate authority: for `https` and `wss` that are verified like the real ones.

use std::sync::Arc;

use futures_rustls::rustls;
use rcgen::{
    BasicConstraints, Certificate, CertificateParams, DistinguishedName, DnType,
    ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair, KeyUsagePurpose, date_time_ymd,
};
use rustls::ServerConfig;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};

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
    /// It begins in the year 4000.
    NotYetValid,
    /// Nobody but itself vouches for it.
    SelfSigned,
    /// It names the host as its subject alone, as certificates did before RFC 2818.
    NoNames,
    /// It is good for clients alone.
    ForClients,
    /// Who vouches for it is no authority, but a server that the authority knows.
    ByAServer,
}

/// Keys or certificates could not be made.
#[derive(Debug, thiserror::Error)]
#[error("cannot make certificates: {0}")]
pub struct AuthorityError(String);

const AUTHORITY: &str = "kcf sim: throw-away authority";
const SERVER: &str = "kcf sim: server";
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
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        params.distinguished_name = named(AUTHORITY);
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
        let (chain, key) = self.chain(flaw)?;
        let secret = PrivateKeyDer::try_from(key.serialize_der())
            .map_err(|problem| AuthorityError(problem.into()))?;
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(fail)?
            .with_no_client_auth()
            .with_single_cert(chain, secret)
            .map_err(fail)?;
        Ok(Arc::new(config))
    }

    /// The certificates that are shown, the server's own first, and its key.
    fn chain(
        &self,
        flaw: Option<Flaw>,
    ) -> Result<(Vec<CertificateDer<'static>>, KeyPair), AuthorityError> {
        let key = KeyPair::generate().map_err(fail)?;
        let params = params(flaw)?;
        let chain = match flaw {
            Some(Flaw::SelfSigned) => vec![params.self_signed(&key).map_err(fail)?],
            Some(Flaw::ByAServer) => {
                let (between, between_key) = self.certify(None)?;
                let issuer = Issuer::new(self::params(None)?, between_key);
                vec![params.signed_by(&key, &issuer).map_err(fail)?, between]
            }
            _ => vec![params.signed_by(&key, &self.issuer).map_err(fail)?],
        };
        Ok((chain.iter().map(|certificate| certificate.der().clone()).collect(), key))
    }

    fn certify(&self, flaw: Option<Flaw>) -> Result<(Certificate, KeyPair), AuthorityError> {
        let key = KeyPair::generate().map_err(fail)?;
        let certificate = params(flaw)?.signed_by(&key, &self.issuer).map_err(fail)?;
        Ok((certificate, key))
    }
}

fn params(flaw: Option<Flaw>) -> Result<CertificateParams, AuthorityError> {
    let names = match flaw {
        Some(Flaw::WrongHost) => vec!["example.org".into()],
        Some(Flaw::NoNames) => Vec::new(),
        _ => LOOPBACK.map(String::from).to_vec(),
    };
    let mut params = CertificateParams::new(names).map_err(fail)?;
    // Without a name of its own OpenSSL takes it for its own issuer; without the rest, Python does
    // not like it.
    params.distinguished_name =
        named(if flaw == Some(Flaw::NoNames) { "127.0.0.1" } else { SERVER });
    params.use_authority_key_identifier_extension = true;
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![match flaw {
        Some(Flaw::ForClients) => ExtendedKeyUsagePurpose::ClientAuth,
        _ => ExtendedKeyUsagePurpose::ServerAuth,
    }];
    match flaw {
        Some(Flaw::Expired) => {
            params.not_before = date_time_ymd(2020, 1, 1);
            params.not_after = date_time_ymd(2021, 1, 1);
        }
        Some(Flaw::NotYetValid) => params.not_before = date_time_ymd(4000, 1, 1),
        _ => {}
    }
    Ok(params)
}

fn named(name: &str) -> DistinguishedName {
    let mut names = DistinguishedName::new();
    names.push(DnType::CommonName, name);
    names
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

#[cfg(test)]
mod tests {
    use super::*;

    /// Found with another client: OpenSSL called a certificate self-signed that bore its issuer's
    /// name, and refused it.
    #[test]
    fn a_certificate_and_its_issuer_have_different_names() {
        let (certificate, _) = Authority::new().unwrap().certify(None).unwrap();
        let has = |name: &str| certificate.der().windows(name.len()).any(|w| w == name.as_bytes());
        assert!(AUTHORITY != SERVER && has(AUTHORITY) && has(SERVER));
    }
}
