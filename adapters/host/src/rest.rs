//! Performs REST requests, blocking.

use std::fmt;
use std::sync::Arc;

use kucoin_futures_proto::auth::Credentials;
use kucoin_futures_proto::{
    Input, Method, RequestId, ResponseHead, RestRequest, Sign, TransportError,
};
use ureq::Agent;
use ureq::tls::{Certificate, RootCerts, TlsConfig, TlsProvider};
use ureq::unversioned::transport::{Connector as _, RustlsConnector};

use crate::addresses::{Addresses, Resolve};
use crate::clock::unix_now;
use crate::io_error::io_error;
use crate::rest_connector::RestConnector;
use crate::tls::{Roots, provider};
use crate::upgrade::USER_AGENT;

/// How a request ended: what to put into `Input::Reply` or `Input::Failed`. `Debug` shows no body.
#[allow(clippy::exhaustive_enums, reason = "the two ends of a request")]
pub enum RestOutcome {
    /// There was a response, of whatever status.
    Reply(ResponseHead, Vec<u8>),
    /// There was none.
    Failed(TransportError),
}

impl RestOutcome {
    /// What to tell a client that is driven by hand.
    #[must_use]
    pub fn to_input(&self, request: RequestId) -> Input<'_> {
        match self {
            Self::Reply(head, body) => Input::Reply { request, head: *head, body },
            Self::Failed(error) => Input::Failed { request, error: *error },
        }
    }
}

/// A REST client. Cheap to clone; connections are kept and shared.
#[derive(Clone)]
pub struct Rest {
    agent: Agent,
    addresses: Addresses,
    credentials: Option<Arc<Credentials>>,
}

/// Longest head of a response.
const MAX_HEAD: usize = 64 << 10;

impl Rest {
    /// A client that believes `roots` and signs with `credentials` where a request asks for it.
    #[must_use]
    pub fn new(roots: &Roots, credentials: Option<Credentials>) -> Self {
        Self::with_resolve(roots, credentials, Resolve::default())
    }

    /// The same with another resolver.
    #[must_use]
    pub fn with_resolve(roots: &Roots, credentials: Option<Credentials>, resolve: Resolve) -> Self {
        let addresses = Addresses::new(resolve);
        let roots = match roots {
            Roots::Public => RootCerts::WebPki,
            Roots::Only(certificates) => {
                let own = |der: &rustls::pki_types::CertificateDer<'_>| {
                    Certificate::from_der(der).to_owned()
                };
                RootCerts::from(certificates.iter().map(own))
            }
        };
        let tls = TlsConfig::builder()
            .provider(TlsProvider::Rustls)
            .root_certs(roots)
            .unversioned_rustls_crypto_provider(provider())
            .build();
        let config = Agent::config_builder()
            .tls_config(tls)
            .http_status_as_error(false)
            .max_redirects(0)
            .max_redirects_will_error(false)
            // ureq's default takes one from the environment. Sockets would not go through it.
            .proxy(None)
            .accept("application/json")
            .accept_encoding("identity")
            .user_agent(USER_AGENT)
            .max_response_header_size(MAX_HEAD)
            .build();
        let connector = RestConnector(addresses.clone());
        let chain = connector.clone().chain(RustlsConnector::default());
        let agent = Agent::with_parts(config, chain, connector);
        Self { agent, addresses, credentials: credentials.map(Arc::new) }
    }

    /// What it knows of addresses, for sockets that should know it, too.
    #[must_use]
    pub const fn addresses(&self) -> &Addresses {
        &self.addresses
    }

    /// Performs a request: within its time, up to its size, following no redirect.
    #[must_use]
    pub fn perform(&self, fetch: &RestRequest) -> RestOutcome {
        self.try_perform(fetch).unwrap_or_else(RestOutcome::Failed)
    }

    fn try_perform(&self, fetch: &RestRequest) -> Result<RestOutcome, TransportError> {
        let method = fetch.method().as_str();
        let mut request = ureq::http::Request::builder().method(method).uri(fetch.url());
        let unix_ms = match fetch.sign() {
            Sign::No => None,
            Sign::WallClock => Some(unix_now().as_millis()),
            Sign::At { unix_ms } => Some(unix_ms),
        };
        if let Some(unix_ms) = unix_ms {
            let credentials = self.credentials.as_ref().ok_or(TransportError::NoCredentials)?;
            for (name, value) in credentials.sign(unix_ms, method, fetch.path(), "").iter() {
                request = request.header(name, value);
            }
        }
        let mut response = match fetch.method() {
            Method::Get => self.run(request.body(()).map_err(|_| TransportError::Other)?, fetch)?,
            Method::Post => {
                self.run(request.body("").map_err(|_| TransportError::Other)?, fetch)?
            }
        };
        let mut head = ResponseHead::new(response.status().as_u16());
        tracing::debug!(path = fetch.path(), status = head.status(), "rest");
        for (name, value) in response.headers() {
            if let Ok(value) = value.to_str() {
                head.header(name.as_str(), value);
            }
        }
        let limit = u64::try_from(fetch.max_body()).unwrap_or(u64::MAX);
        let body = response.body_mut().with_config().limit(limit).read_to_vec();
        Ok(RestOutcome::Reply(head, body.map_err(|error| transport_error(&error))?))
    }

    fn run<B: ureq::AsSendBody>(
        &self,
        request: ureq::http::Request<B>,
        fetch: &RestRequest,
    ) -> Result<ureq::http::Response<ureq::Body>, TransportError> {
        let request =
            self.agent.configure_request(request).timeout_global(Some(fetch.timeout())).build();
        self.agent.run(request).map_err(|error| {
            // The address holds no secret; the error's own text may quote what the server sent.
            tracing::debug!(path = fetch.path(), error = %transport_error(&error), "rest");
            transport_error(&error)
        })
    }
}

fn transport_error(error: &ureq::Error) -> TransportError {
    use ureq::Error;
    match error {
        Error::Io(error) => io_error(error),
        Error::Timeout(_) => TransportError::TimedOut,
        Error::HostNotFound => TransportError::Dns,
        Error::ConnectionFailed => TransportError::Refused,
        Error::BodyExceedsLimit(_) | Error::LargeResponseHeader(..) => TransportError::TooLarge,
        Error::Tls(_) | Error::Rustls(_) | Error::Pem(_) => TransportError::Tls,
        // Stalled: what came cannot be part of a body, however long it gets.
        Error::Protocol(_) | Error::BodyStalled => TransportError::Protocol,
        _ => TransportError::Other,
    }
}

impl fmt::Debug for RestOutcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Reply(head, body) => write!(f, "Reply({head:?}, {} bytes)", body.len()),
            Self::Failed(error) => write!(f, "Failed({error:?})"),
        }
    }
}

impl fmt::Debug for Rest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Rest(..)")
    }
}
