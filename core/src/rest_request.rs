//! REST requests as values: what to ask, where, signed by whose clock, and how much to read.

use alloc::boxed::Box;
use alloc::string::String;
use core::time::Duration;

use serde::Serialize;

use crate::endpoint::RestBase;
use crate::ids::RequestId;
use crate::query::{Pool, Resource};

/// One REST request.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct RestRequest {
    request: RequestId,
    method: Method,
    url: Box<str>,
    base_len: usize,
    sign: Sign,
    timeout: Duration,
    max_body: usize,
}

/// An HTTP method.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
#[allow(clippy::exhaustive_enums, reason = "reading market data needs no others")]
pub enum Method {
    /// GET.
    Get,
    /// POST; the body is empty.
    Post,
}

impl Method {
    /// Upper case, as on the wire and in a signature.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Post => "POST",
        }
    }
}

/// Whether a request is signed, and with whose clock.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
#[allow(clippy::exhaustive_enums, reason = "an adapter must not overlook one")]
pub enum Sign {
    /// Public: no signature.
    No,
    /// With the adapter's wall clock.
    WallClock,
    /// With this time: the server's, because the wall clock was found to be wrong.
    At {
        /// Milliseconds since 1970.
        unix_ms: u64,
    },
}

impl RestRequest {
    pub(crate) fn new(
        request: RequestId,
        base: &RestBase,
        timeout: Duration,
        resource: Resource<'_>,
        clock: Sign,
    ) -> Self {
        let route = resource.route();
        let mut url = String::from(base.as_str());
        resource.write(&mut url);
        let base_len = base.as_str().len();
        Self {
            request,
            method: route.method,
            url: url.into(),
            base_len,
            sign: if route.pool == Pool::Signed { clock } else { Sign::No },
            timeout,
            max_body: route.max_body,
        }
    }

    /// The request for a private token, for adapters that test their signing.
    #[must_use]
    pub fn bullet_private(
        request: RequestId,
        base: &RestBase,
        timeout: Duration,
        sign: Sign,
    ) -> Self {
        Self::new(request, base, timeout, Resource::BulletPrivate, sign)
    }

    /// The name to answer with.
    #[must_use]
    pub const fn request(&self) -> RequestId {
        self.request
    }

    /// The method.
    #[must_use]
    pub const fn method(&self) -> Method {
        self.method
    }

    /// The whole address.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Path and query: what is signed.
    #[must_use]
    pub fn path(&self) -> &str {
        self.url.get(self.base_len..).unwrap_or_default()
    }

    /// Whether to sign.
    #[must_use]
    pub const fn sign(&self) -> Sign {
        self.sign
    }

    /// Time for the whole exchange, from the name's resolution to the last byte.
    #[must_use]
    pub const fn timeout(&self) -> Duration {
        self.timeout
    }

    /// Most bytes of body to read; more is [`TransportError::TooLarge`](crate::TransportError::TooLarge).
    #[must_use]
    pub const fn max_body(&self) -> usize {
        self.max_body
    }
}
