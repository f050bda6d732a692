//! Where a token may go, against the `url` crate.

use kucoin_futures_proto::{
    Channel, Client, Config, ConnId, Endpoint, Event, Input, Instant, LineEvent, Output,
    ResponseHead, RestBase,
};
use url::{Host, Url};

/// Three lines, the last one to the end: a REST base (one that is none stands for KuCoin's), a
/// token, and an endpoint that a token reply names. What the client opens, `url` reads as the same
/// host, port and scheme, without user info, and token and connect id come back out of its query.
/// No other host than a listed one, or a loopback one beside a loopback REST base, is ever opened;
/// and a plain endpoint of a listed host is.
///
/// # Panics
/// A promise is broken.
pub fn endpoint(bytes: &[u8]) {
    let Ok(text) = core::str::from_utf8(bytes) else { return };
    let mut lines = text.splitn(3, '\n');
    let mut line = || lines.next().unwrap_or_default();
    let (base, token, endpoint) = (line(), line(), line());
    let rest = rest_base(base).unwrap_or_else(RestBase::kucoin);
    let near = rest.is_loopback();
    let mut client = Asked::new(rest);
    let Some((conn, to)) = client.answer(token, endpoint) else {
        let usable = !token.is_empty() && token.len() <= 4096;
        assert!(!(usable && is_plainly_fine(endpoint)), "refused: {endpoint}");
        return;
    };
    assert_eq!(format!("{to}"), format!("{to:?}"));
    assert!(endpoint.starts_with(to.to_string().trim_end_matches("/..")));
    assert!(to.secret_url().starts_with(endpoint), "the endpoint's bytes are kept");
    let connect_id = connect_id(to.secret_url(), token);
    check(endpoint, &to, near);
    client.greet(conn, &connect_id);
}

/// A base that is accepted is what `url` reads, and one that may do without TLS is this machine.
fn rest_base(text: &str) -> Option<RestBase> {
    let base = RestBase::new(text).ok()?;
    let host = base.as_str().split("://").nth(1).unwrap_or_default();
    if !is_left_alone(host) {
        assert!(!base.is_loopback(), "{text}");
        return Some(base);
    }
    let url = Url::parse(base.as_str()).expect("a base is a URL");
    assert!(url.username().is_empty() && url.password().is_none(), "{text}");
    assert_eq!((url.path(), url.query(), url.fragment()), ("/", None, None), "{text}");
    assert!(url.scheme() == "https" || (url.scheme() == "http" && base.is_loopback()), "{text}");
    // Only this way round: of the spellings of a loopback address we know one each.
    assert!(!base.is_loopback() || url.host().is_some_and(is_loopback), "{text}");
    Some(base)
}

/// What opens a connection must be allowed by what `url` reads in it.
fn check(endpoint: &str, to: &Endpoint, near: bool) {
    let authority = endpoint.split("://").nth(1).unwrap_or_default();
    let authority = authority.split(['/', '?']).next().unwrap_or_default();
    if !is_left_alone(authority) {
        assert!(is_listed(to.host()) && to.port() == 443 && to.is_tls(), "{endpoint}");
        return;
    }
    let url = Url::parse(to.secret_url()).expect("what is opened is a URL");
    assert_eq!(url.scheme(), if to.is_tls() { "wss" } else { "ws" }, "{endpoint}");
    assert_eq!(url.port_or_known_default(), Some(to.port()), "{endpoint}");
    assert!(url.username().is_empty() && url.password().is_none(), "{endpoint}");
    assert_eq!(url.fragment(), None, "{endpoint}");
    match url.host().expect("a host") {
        Host::Domain(name) => assert!(name.eq_ignore_ascii_case(to.host()), "{endpoint}"),
        Host::Ipv4(address) => assert_eq!(to.host().parse(), Ok(address), "{endpoint}"),
        Host::Ipv6(address) => assert_eq!(to.host().parse(), Ok(address), "{endpoint}"),
    }
    let local = near && url.host().is_some_and(is_loopback);
    let listed = url.host_str().is_some_and(is_listed) && to.is_tls() && to.port() == 443;
    assert!(local || listed, "opened: {endpoint}");
}

/// Whether `url` takes a host as it stands. It does not with punycode, which it decodes and checks,
/// and with names that end in a number, which it takes for an address in one of many spellings; we
/// compare names as bytes and hand them to DNS as they are.
fn is_left_alone(authority: &str) -> bool {
    let host = authority.split(':').next().unwrap_or_default().to_ascii_lowercase();
    let last = host.rsplit('.').next().unwrap_or_default();
    let numeric = last.starts_with(|c: char| c.is_ascii_digit());
    let strict = host.parse::<std::net::Ipv4Addr>().is_ok();
    !host.split('.').any(|label| label.starts_with("xn--")) && (strict || !numeric)
}

fn is_listed(host: &str) -> bool {
    let host = host.to_ascii_lowercase();
    host == "kucoin.com" || host.ends_with(".kucoin.com")
}

fn is_loopback(host: Host<&str>) -> bool {
    match host {
        Host::Domain(name) => name == "localhost",
        Host::Ipv4(address) => address.is_loopback(),
        Host::Ipv6(address) => address.is_loopback(),
    }
}

/// An endpoint about which there can be no two opinions.
fn is_plainly_fine(endpoint: &str) -> bool {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"-._~:/?&=".contains(&b);
    let Ok(url) = Url::parse(endpoint) else { return false };
    let host = url.host_str().unwrap_or_default();
    let letters = |label: &str| label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
    let labels = host.split('.').all(|l| !l.is_empty() && l.len() < 64 && letters(l));
    let itself = url.as_str() == endpoint && url.port().is_none() && url.scheme() == "wss";
    itself && labels && is_listed(host) && endpoint.len() <= 512 && endpoint.bytes().all(plain)
}

/// The connect id, from the end of the query, where the token stands before it.
fn connect_id(url: &str, token: &str) -> String {
    let query = url.split_once('?').map(|(_, query)| query).unwrap_or_default();
    let pairs: Vec<_> = url::form_urlencoded::parse(query.as_bytes()).into_owned().collect();
    let [.., (token_key, sent), (id_key, id)] = &pairs[..] else { panic!("too short: {pairs:?}") };
    assert_eq!((token_key.as_str(), id_key.as_str()), ("token", "connectId"));
    assert_eq!(sent, token, "the token comes back");
    id.clone()
}

/// A client that has asked for a token.
struct Asked {
    client: Client,
}

impl Asked {
    const NOW: Instant = Instant::ZERO;

    fn new(rest: RestBase) -> Self {
        let mut config = Config::default();
        config.endpoints.rest = rest;
        let mut client = Client::new(Self::NOW, 7, config);
        let symbol = "XBTUSDTM".parse().expect("a symbol");
        client.subscribe(Self::NOW, Channel::level2(symbol)).expect("the first topic");
        Self { client }
    }

    /// Gives it a token, and says where it goes with it.
    fn answer(&mut self, token: &str, endpoint: &str) -> Option<(ConnId, Box<Endpoint>)> {
        let Some(Output::Fetch(fetch)) = self.client.poll_output() else { panic!("no fetch") };
        let server = serde_json::json!({ "endpoint": endpoint });
        let data = serde_json::json!({ "token": token, "instanceServers": [server] });
        let body = serde_json::json!({ "code": "200000", "data": data }).to_string();
        let reply = Input::Reply {
            request: fetch.request(),
            head: ResponseHead::new(200),
            body: body.as_bytes(),
        };
        assert_eq!(self.client.handle(Self::NOW, reply).into_message(), None);
        let mut opened = None;
        while let Some(output) = self.client.poll_output() {
            if let Output::Open { conn, to } = output {
                opened = Some((conn, to));
            }
        }
        opened
    }

    /// The connect id in the URL is the one that the client waits for.
    fn greet(&mut self, conn: ConnId, connect_id: &str) {
        let welcome = serde_json::json!({ "id": connect_id, "type": "welcome" }).to_string();
        for input in [Input::Opened { conn }, Input::Text { conn, bytes: welcome.as_bytes() }] {
            assert_eq!(self.client.handle(Self::NOW, input).into_message(), None);
        }
        let up = self.client.poll_output();
        assert!(matches!(up, Some(Output::Event(Event::Line(_, LineEvent::Up { .. })))), "{up:?}");
    }
}
