//! Where bytes may go. A token response is untrusted input: it names the host that is to get our
//! token, so what it may name is a short list.

use alloc::boxed::Box;
use alloc::string::String;
use core::fmt;
use core::net::Ipv4Addr;
use core::str::FromStr;

use zeroize::Zeroizing;

use crate::error::Misuse;
use crate::text_serde::serde_as_text;

/// Longest endpoint accepted, in bytes; the real one has 31.
const MAX_ENDPOINT: usize = 512;

/// Scheme, host and port of the REST interface.
#[derive(Clone, PartialEq, Eq)]
pub struct RestBase {
    url: Box<str>,
    loopback: bool,
}

impl RestBase {
    /// `https://api-futures.kucoin.com`. Futures tokens come from the futures host only.
    #[must_use]
    pub fn kucoin() -> Self {
        Self { url: "https://api-futures.kucoin.com".into(), loopback: false }
    }

    /// Takes `https://host[:port]`, or `http://host[:port]` where the host is a loopback one. A
    /// trailing slash is dropped.
    ///
    /// # Errors
    /// [`Misuse::InvalidRestBase`] for anything else.
    pub fn new(url: &str) -> Result<Self, Misuse> {
        let url = url.strip_suffix('/').unwrap_or(url);
        let (scheme, rest) = url.split_once("://").ok_or(Misuse::InvalidRestBase)?;
        let authority = Authority::parse(rest).ok_or(Misuse::InvalidRestBase)?;
        let loopback = is_loopback(authority.host);
        match scheme {
            "https" => {}
            "http" if loopback => {}
            _ => return Err(Misuse::InvalidRestBase),
        }
        Ok(Self { url: url.into(), loopback })
    }

    /// The base, without a trailing slash.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.url
    }

    /// Whether it names this machine.
    #[must_use]
    pub const fn is_loopback(&self) -> bool {
        self.loopback
    }
}

impl fmt::Display for RestBase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.url)
    }
}

impl FromStr for RestBase {
    type Err = Misuse;

    fn from_str(url: &str) -> Result<Self, Misuse> {
        Self::new(url)
    }
}

serde_as_text!(RestBase, "the base of a REST interface");

impl fmt::Debug for RestBase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.url)
    }
}

/// A checked WebSocket address with its token. `Debug` and `Display` show neither token nor query.
#[derive(Clone, PartialEq, Eq)]
pub struct Endpoint {
    url: Zeroizing<String>,
    /// Length of the scheme with its `://`, and where the authority ends.
    authority: (usize, usize),
    host: Box<str>,
    port: u16,
    tls: bool,
}

impl Endpoint {
    /// Checks an endpoint and appends token and connect id.
    ///
    /// Allowed are `wss` on port 443 of a listed host or a subdomain of one, and, if `loopback`,
    /// `ws` and `wss` on any port of a loopback host. No user info, no fragment, nothing but
    /// visible ASCII, at most 512 bytes. The endpoint's own bytes are kept as they are; a query of
    /// its own is continued.
    pub(crate) fn assemble(
        endpoint: &str,
        token: &str,
        connect_id: &str,
        allowed_hosts: &[Box<str>],
        loopback: bool,
    ) -> Option<Self> {
        if endpoint.len() > MAX_ENDPOINT || !endpoint.bytes().all(is_url_byte) {
            return None;
        }
        let (scheme, rest) = endpoint.split_once("://")?;
        let tls = match scheme {
            "wss" => true,
            "ws" => false,
            _ => return None,
        };
        let end = rest.find(['/', '?']).unwrap_or(rest.len());
        let (authority, tail) = rest.split_at_checked(end)?;
        let parsed = Authority::parse(authority)?;
        let port = parsed.port.unwrap_or(if tls { 443 } else { 80 });
        let local = loopback && is_loopback(parsed.host);
        let listed = tls && port == 443 && allowed_hosts.iter().any(|a| is_within(parsed.host, a));
        if !local && !listed {
            return None;
        }
        let scheme_len = scheme.len().checked_add("://".len())?;
        let authority_end = scheme_len.checked_add(end)?;
        let separator = match tail.split_once('?') {
            None => "?",
            Some((_, "")) => "",
            Some((_, query)) if query.ends_with('&') => "",
            Some(_) => "&",
        };
        let mut url = Zeroizing::new(String::with_capacity(
            endpoint.len().saturating_add(token.len().saturating_mul(3)).saturating_add(64),
        ));
        for part in [endpoint, separator, "token="] {
            url.push_str(part);
        }
        percent_encode(token, &mut url);
        url.push_str("&connectId=");
        percent_encode(connect_id, &mut url);
        Some(Self {
            url,
            authority: (scheme_len, authority_end),
            host: parsed.host.into(),
            port,
            tls,
        })
    }

    /// The whole address, **with the token**: for the upgrade request and nothing else.
    #[must_use]
    pub fn secret_url(&self) -> &str {
        &self.url
    }

    /// The host to connect to; an IPv6 address comes without brackets.
    #[must_use]
    pub fn host(&self) -> &str {
        &self.host
    }

    /// The port to connect to.
    #[must_use]
    pub const fn port(&self) -> u16 {
        self.port
    }

    /// Whether TLS is spoken (`wss`).
    #[must_use]
    pub const fn is_tls(&self) -> bool {
        self.tls
    }

    fn shown(&self) -> &str {
        // planted: token-shown
        self.url.get(..self.authority.1).unwrap_or_default()
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/..", self.shown())
    }
}

/// For recordings: what [`Display`](fmt::Display) shows, and the connect id.
impl serde::Serialize for Endpoint {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let (_, connect_id) = self.url.rsplit_once("&connectId=").unwrap_or_default();
        serializer.collect_str(&format_args!("{self}{connect_id}"))
    }
}

impl fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// `host[:port]`, and nothing else.
struct Authority<'a> {
    host: &'a str,
    port: Option<u16>,
}

impl<'a> Authority<'a> {
    fn parse(text: &'a str) -> Option<Self> {
        if let Some(rest) = text.strip_prefix('[') {
            let (host, rest) = rest.split_once(']')?;
            host.parse::<core::net::Ipv6Addr>().ok()?;
            return Some(Self { host, port: parse_port(rest)? });
        }
        let (host, port) = text.split_at_checked(text.find(':').unwrap_or(text.len()))?;
        let legal = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.');
        let labels_ok = host.split('.').all(|label| !label.is_empty() && label.len() < 64);
        if !host.bytes().all(legal) || !labels_ok {
            return None;
        }
        Some(Self { host, port: parse_port(port)? })
    }
}

/// `` or `:1..65535`; the outer `None` is an error.
fn parse_port(text: &str) -> Option<Option<u16>> {
    let Some(digits) = text.strip_prefix(':') else {
        return text.is_empty().then_some(None);
    };
    let plain = digits.bytes().all(|b| b.is_ascii_digit()) && !digits.starts_with('0');
    digits.parse().ok().filter(|_| plain).map(Some)
}

/// The same name, or a subdomain on a label border; case does not matter.
fn is_within(host: &str, allowed: &str) -> bool {
    let Some(start) = host.len().checked_sub(allowed.len()) else { return false };
    let Some((front, tail)) = host.split_at_checked(start) else { return false };
    tail.eq_ignore_ascii_case(allowed) && (front.is_empty() || front.ends_with('.'))
}

fn is_loopback(host: &str) -> bool {
    host.eq_ignore_ascii_case("localhost")
        || host == "::1"
        || host.parse::<Ipv4Addr>().is_ok_and(|address| address.is_loopback())
}

/// Visible ASCII, less what is never legal in a URL or hides another part of it.
const fn is_url_byte(b: u8) -> bool {
    b.is_ascii_graphic()
        && !matches!(
            b,
            b'@' | b'#' | b'\\' | b'"' | b'<' | b'>' | b'^' | b'`' | b'{' | b'|' | b'}' | b'\''
        )
}

/// Everything outside the unreserved set of RFC 3986 becomes `%XX`.
fn percent_encode(text: &str, url: &mut String) {
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
            url.push(char::from(byte));
        } else {
            url.push('%');
            for nibble in [byte >> 4, byte & 15] {
                let digit = char::from_digit(u32::from(nibble), 16).unwrap_or('0');
                url.push(digit.to_ascii_uppercase());
            }
        }
    }
}

#[cfg(test)]
mod tests;
