//! Who may ask: by which name the server was reached, whose page asks, and who knows the token.
//!
//! A page of the web cannot be kept from sending requests to this machine. What it can be kept from is being answered:
//! it may have its own name resolve to 127.0.0.1 (DNS rebinding), and then its `Host` is that name; or ask across
//! origins, and then its `Origin`, or what the browser says of the site, is not ours.

use std::net::{IpAddr, SocketAddr};

use hyper::Method;
use hyper::header::{AUTHORIZATION, COOKIE, HOST, HeaderMap, HeaderName, HeaderValue, ORIGIN};
use hyper::http::request::Parts;
use hyper::http::uri::Authority;

use super::token::Secret;

const FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");
const FETCH_MODE: HeaderName = HeaderName::from_static("sec-fetch-mode");
const FETCH_DEST: HeaderName = HeaderName::from_static("sec-fetch-dest");

/// Why there is no answer.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Denied {
    /// It was not us who was asked for.
    Misdirected,
    /// Somebody else's page asks.
    Foreign,
    /// The token is missing, or another one.
    Keyless,
}

/// Lets in whoever may ask.
pub(crate) struct Guard {
    addr: SocketAddr,
    /// Other names by which we are reached, as a `Host` says them.
    names: Vec<String>,
    key: Option<Key>,
}

/// What is asked for where a token is.
struct Key {
    token: Secret,
    /// What a browser shows once it has shown the token; good until the program ends.
    session: Secret,
}

impl Guard {
    /// Of a server that listens on `addr` and may be called by these names, too. Without `token` none is asked for;
    /// `session` is what a browser gets for it.
    pub(crate) fn new(
        addr: SocketAddr,
        names: Vec<String>,
        token: Option<(Secret, Secret)>,
    ) -> Self {
        Self { addr, names, key: token.map(|(token, session)| Key { token, session }) }
    }

    /// Whether the request was meant for us, and is not another page's.
    pub(crate) fn check_source(&self, request: &Parts) -> Result<(), Denied> {
        let mut hosts = request.headers.get_all(HOST).iter();
        let (Some(host), None) = (hosts.next(), hosts.next()) else {
            return Err(Denied::Misdirected);
        };
        let target = request.uri.authority().map(Authority::as_str);
        let is_ours = |host: &str| self.is_ours(host, 80);
        if !host.to_str().is_ok_and(is_ours) || !target.is_none_or(is_ours) {
            return Err(Denied::Misdirected);
        }
        let is_own = request.headers.get_all(ORIGIN).iter().all(|origin| self.is_own(origin));
        if is_own && !is_foreign(request) { Ok(()) } else { Err(Denied::Foreign) }
    }

    /// Whether the token is known, or none is asked for.
    pub(crate) fn check_key(&self, headers: &HeaderMap) -> Result<(), Denied> {
        let Some(key) = &self.key else { return Ok(()) };
        let bearer = headers.get(AUTHORIZATION).is_some_and(|value| {
            let value = value.as_bytes().split_at_checked(7);
            value.is_some_and(|(scheme, token)| {
                scheme.eq_ignore_ascii_case(b"bearer ") && key.token.is(token)
            })
        });
        let mut sessions = self.sessions(headers);
        let is_in = bearer || sessions.any(|session| key.session.is(session));
        if is_in { Ok(()) } else { Err(Denied::Keyless) }
    }

    /// Whether something is shown as the token, or for it.
    pub(crate) fn is_guess(&self, headers: &HeaderMap) -> bool {
        headers.contains_key(AUTHORIZATION) || self.sessions(headers).next().is_some()
    }

    /// The cookie for whoever knows the token.
    pub(crate) fn log_in(&self, token: &[u8]) -> Option<String> {
        let key = self.key.as_ref().filter(|key| key.token.is(token))?;
        let (name, session) = (self.cookie(), key.session.tell());
        Some(format!("{name}={session}; Path=/; HttpOnly; SameSite=Strict"))
    }

    /// With the port: a browser shows its cookies to all ports of a host, and several of us may run there.
    fn cookie(&self) -> String {
        format!("kcf-{}", self.addr.port())
    }

    /// Of all cookies, the values of ours.
    fn sessions<'a>(&self, headers: &'a HeaderMap) -> impl Iterator<Item = &'a [u8]> + use<'a> {
        let name = self.cookie();
        let cookies = headers.get_all(COOKIE).iter().map(HeaderValue::as_bytes);
        let pairs = cookies.flat_map(|value| value.split(|byte| *byte == b';'));
        pairs.filter_map(move |pair| {
            pair.trim_ascii().strip_prefix(name.as_bytes())?.strip_prefix(b"=")
        })
    }

    fn is_own(&self, origin: &HeaderValue) -> bool {
        let Ok(origin) = origin.to_str() else { return false };
        match origin.split_once("://") {
            Some(("http", host)) => self.is_ours(host, 80),
            // Somebody in front of us does that, and has a name.
            Some(("https", host)) => self.names.iter().any(|name| name.eq_ignore_ascii_case(host)),
            _ => false,
        }
    }

    /// Names can be made to resolve to anything; addresses cannot, and `localhost` is the browser's own.
    fn is_ours(&self, host: &str, default: u16) -> bool {
        if self.names.iter().any(|name| name.eq_ignore_ascii_case(host)) {
            return true;
        }
        let Ok(authority) = host.parse::<Authority>() else { return false };
        if host.contains('@') || authority.port_u16().unwrap_or(default) != self.addr.port() {
            return false;
        }
        let host = authority.host();
        if host.eq_ignore_ascii_case("localhost") {
            return true;
        }
        let address =
            host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
        let Ok(address) = address.parse::<IpAddr>() else { return false };
        let address = address.to_canonical();
        address.is_loopback() || (!self.addr.ip().is_loopback() && !address.is_unspecified())
    }
}

/// Whether a browser says that another site is behind it. A link to the page is followed, all the same: to that only,
/// and not into a frame.
fn is_foreign(request: &Parts) -> bool {
    let headers = &request.headers;
    let is = |name: HeaderName, words: &[&str]| {
        let value = headers.get(name);
        value.is_some_and(|value| words.iter().any(|word| value.as_bytes() == word.as_bytes()))
    };
    let is_link = request.method == Method::GET
        && request.uri.path() == "/"
        && is(FETCH_MODE, &["navigate"])
        && is(FETCH_DEST, &["document"]);
    is(FETCH_SITE, &["cross-site", "same-site"]) && !is_link
}

#[cfg(test)]
mod tests {
    use super::*;

    const TOKEN: &str = "0123456789abcdef";

    fn guard(addr: &str, names: &[&str]) -> Guard {
        let names = names.iter().map(|name| (*name).to_owned()).collect();
        Guard::new(addr.parse().unwrap(), names, None)
    }

    fn request(uri: &str, headers: &[(&str, &str)]) -> Parts {
        let mut request = hyper::Request::builder().uri(uri);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        request.body(()).unwrap().into_parts().0
    }

    #[test]
    fn on_loopback_only_its_own_names_are_answered() {
        let guard = guard("127.0.0.1:9464", &["Dash.example.org"]);
        let good = [
            "127.0.0.1:9464",
            "localhost:9464",
            "LocalHost:9464",
            "[::1]:9464",
            "127.1.2.3:9464",
            "dash.example.org",
        ];
        for host in good {
            assert_eq!(guard.check_source(&request("/", &[("host", host)])), Ok(()), "{host}");
        }
        let bad = [
            "",
            "evil.example:9464",
            "127.0.0.1",
            "127.0.0.1:80",
            "localhost",
            "localhost:9465",
            "localhost.:9464",
            "localhost.evil.example:9464",
            "127.0.0.1.evil.example:9464",
            "0.0.0.0:9464",
            "192.168.1.4:9464",
            "[::]:9464",
            "2130706433:9464",
            "0x7f.1:9464",
            "127.0.0.1:9464@evil.example",
            "x@127.0.0.1:9464",
            "dash.example.org:9464",
            "xdash.example.org",
            "127.0.0.1:9464, evil.example",
            "127.0.0.1:9464/",
            "::1:9464",
            "[::ffff:10.0.0.1]:9464",
        ];
        for host in bad {
            let denied = guard.check_source(&request("/", &[("host", host)]));
            assert_eq!(denied, Err(Denied::Misdirected), "{host}");
        }
        let host = ("host", "127.0.0.1:9464");
        for headers in [&[][..], &[host, ("host", "evil.example")], &[host, host]] {
            assert_eq!(guard.check_source(&request("/", headers)), Err(Denied::Misdirected));
        }
        let target = |uri: &str| guard.check_source(&request(uri, &[host]));
        assert_eq!(target("http://127.0.0.1:9464/"), Ok(()));
        assert_eq!(target("http://evil.example/"), Err(Denied::Misdirected));
    }

    #[test]
    fn beyond_loopback_addresses_are_answered_and_names_only_if_they_are_known() {
        let guard = guard("0.0.0.0:9464", &["dash.example.org:9464"]);
        for host in
            ["192.168.1.4:9464", "localhost:9464", "[fe80::1]:9464", "dash.example.org:9464"]
        {
            assert_eq!(guard.check_source(&request("/", &[("host", host)])), Ok(()), "{host}");
        }
        for host in ["evil.example:9464", "192.168.1.4", "0.0.0.0:9464", "dash.example.org"] {
            let denied = guard.check_source(&request("/", &[("host", host)]));
            assert_eq!(denied, Err(Denied::Misdirected), "{host}");
        }
    }

    #[test]
    fn other_pages_are_not_answered() {
        let guard = guard("127.0.0.1:9464", &["dash.example.org"]);
        let ask = |headers: &[(&str, &str)]| {
            let headers = [&[("host", "localhost:9464")], headers].concat();
            guard.check_source(&request("/stream", &headers))
        };
        for origin in ["http://127.0.0.1:9464", "http://localhost:9464", "https://dash.example.org"]
        {
            assert_eq!(ask(&[("origin", origin)]), Ok(()), "{origin}");
        }
        for origin in [
            "null",
            "",
            "https://evil.example",
            "http://127.0.0.1:3000",
            "http://localhost",
            "https://localhost:9464",
            "http://localhost:9464.evil.example",
            "file://",
            "chrome-extension://abc",
        ] {
            assert_eq!(ask(&[("origin", origin)]), Err(Denied::Foreign), "{origin}");
        }
        let two = [("origin", "http://localhost:9464"), ("origin", "https://evil.example")];
        assert_eq!(ask(&two), Err(Denied::Foreign));
        let site = |site| ask(&[("sec-fetch-site", site), ("sec-fetch-mode", "no-cors")]);
        assert_eq!([site("same-origin"), site("none")], [Ok(()); 2]);
        assert_eq!([site("cross-site"), site("same-site")], [Err(Denied::Foreign); 2]);
    }

    #[test]
    fn a_link_of_another_page_is_followed_to_the_page_and_to_nothing_else() {
        let guard = guard("127.0.0.1:9464", &[]);
        let ask = |method: Method, path: &str, mode: &str, dest: &str| {
            let headers = [
                ("host", "localhost:9464"),
                ("sec-fetch-site", "cross-site"),
                ("sec-fetch-mode", mode),
                ("sec-fetch-dest", dest),
            ];
            let mut request = request(path, &headers);
            request.method = method;
            guard.check_source(&request)
        };
        assert_eq!(ask(Method::GET, "/", "navigate", "document"), Ok(()));
        for (method, path, mode, dest) in [
            (Method::GET, "/state", "navigate", "document"),
            (Method::GET, "/stream", "navigate", "document"),
            (Method::POST, "/", "navigate", "document"),
            (Method::POST, "/login", "navigate", "document"),
            (Method::GET, "/", "navigate", "iframe"),
            (Method::GET, "/", "no-cors", "document"),
        ] {
            assert_eq!(ask(method, path, mode, dest), Err(Denied::Foreign), "{path} {mode} {dest}");
        }
    }

    #[test]
    fn the_token_is_asked_for_as_a_bearer_or_as_a_cookie_that_was_got_for_it() {
        let secret = |text: &str| Secret::from_text(text);
        let guard = Guard::new(
            "0.0.0.0:9464".parse().unwrap(),
            Vec::new(),
            Some((secret(TOKEN), secret("fedcba9876543210"))),
        );
        let ask = |headers: &[(&str, &str)]| guard.check_key(&request("/", headers).headers);
        assert_eq!(ask(&[("authorization", "Bearer 0123456789abcdef")]), Ok(()));
        assert_eq!(ask(&[("authorization", "bearer 0123456789abcdef")]), Ok(()));
        assert_eq!(ask(&[("cookie", "a=b; kcf-9464=fedcba9876543210; c=d")]), Ok(()));
        for bad in [
            &[][..],
            &[("authorization", "Bearer 0123456789abcdeF")],
            &[("authorization", "Bearer ")],
            &[("authorization", "0123456789abcdef")],
            &[("authorization", "Basic 0123456789abcdef")],
            &[("cookie", "kcf-9464=0123456789abcdef")],
            &[("cookie", "kcf-9465=fedcba9876543210")],
            &[("cookie", "xkcf-9464=fedcba9876543210")],
            &[("cookie", "kcf-9464=")],
        ] {
            assert_eq!(ask(bad), Err(Denied::Keyless), "{bad:?}");
        }
        assert_eq!(guard.log_in(b"fedcba9876543210"), None);
        let cookie = guard.log_in(TOKEN.as_bytes()).unwrap();
        assert_eq!(cookie, "kcf-9464=fedcba9876543210; Path=/; HttpOnly; SameSite=Strict");
    }
}
