//! rustls, with one provider, named.

use std::sync::Arc;

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use rustls::{ClientConfig, RootCertStore};

/// Whose certificates are believed.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub enum Roots {
    /// The public ones, as Mozilla lists them (compiled in).
    #[default]
    Public,
    /// These and no others: for private installations and tests.
    Only(Vec<CertificateDer<'static>>),
}

/// A root that cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("not a usable root certificate: {0}")]
pub struct TlsError(String);

impl Roots {
    /// Reads certificates in PEM form.
    ///
    /// # Errors
    /// Not PEM, or no certificate in it.
    pub fn from_pem(pem: &[u8]) -> Result<Self, TlsError> {
        let certificates: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem).collect();
        let certificates = certificates.map_err(|error| TlsError(error.to_string()))?;
        if certificates.is_empty() {
            return Err(TlsError("the file holds none".into()));
        }
        Ok(Self::Only(certificates))
    }
}

pub(crate) fn provider() -> Arc<rustls::crypto::CryptoProvider> {
    Arc::new(rustls::crypto::ring::default_provider())
}

/// The configuration for the socket. Certificates are always verified.
///
/// # Errors
/// One of the roots is not a certificate.
pub fn tls_config(roots: &Roots) -> Result<Arc<ClientConfig>, TlsError> {
    let mut store = RootCertStore::empty();
    match roots {
        Roots::Public => store.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned()),
        Roots::Only(certificates) => {
            for certificate in certificates {
                store.add(certificate.clone()).map_err(|error| TlsError(error.to_string()))?;
            }
        }
    }
    let config = ClientConfig::builder_with_provider(provider())
        .with_safe_default_protocol_versions()
        .map_err(|error| TlsError(error.to_string()))?
        .with_root_certificates(store)
        .with_no_client_auth();
    Ok(Arc::new(config))
}
