use std::boxed::Box;
use std::format;
use std::string::{String, ToString};
use std::vec::Vec;

use proptest::prelude::*;

use super::{Endpoint, RestBase};
use crate::error::Misuse;

const TOKEN: &str = "Xq81-canary_TOKEN.tail==";

#[test]
fn only_wss_on_port_443_of_a_listed_host_is_allowed() {
    // Every combination of these parts; the endpoint is allowed only if all of its parts are.
    let schemes = [("wss", true), ("ws", false), ("https", false), ("WSS", false), ("", false)];
    let users = [("", true), ("u@", false), ("u:p@", false), ("kucoin.com@", false)];
    let hosts = [
        ("kucoin.com", true),
        ("ws-api-futures.kucoin.com", true),
        ("A.B.KuCoin.Com", true),
        ("kucoin.com.evil.io", false),
        ("evilkucoin.com", false),
        ("kucoin.co", false),
        ("ucoin.com", false),
        ("kucoin.com.", false),
        (".kucoin.com", false),
        ("a..kucoin.com", false),
        ("com", false),
        ("", false),
        ("xn--kcoin-4ya.com", false),
        ("203.0.113.7", false),
        ("[2001:db8::7]", false),
        ("localhost", false),
        ("127.0.0.1", false),
        ("[::1]", false),
    ];
    let ports = [("", true), (":443", true), (":8443", false), (":80", false), (":", false)];
    let tails = [("", true), ("/", true), ("/endpoint", true), ("/e?a=b", true), ("/#f", false)];
    for (scheme, a) in schemes {
        for (user, b) in users {
            for (host, c) in hosts {
                for (port, d) in ports {
                    for (tail, e) in tails {
                        let endpoint = format!("{scheme}://{user}{host}{port}{tail}");
                        let allowed = assemble(&endpoint).is_some();
                        assert_eq!(allowed, a && b && c && d && e, "{endpoint}");
                    }
                }
            }
        }
    }
}

#[test]
fn a_byte_that_could_split_a_request_is_refused_anywhere() {
    let plain = "wss://ws.kucoin.com/path";
    assert!(assemble(plain).is_some());
    for bad in ["\r", "\n", "\0", " ", "\t", "\u{7f}", "ä", "．", "\\", "\"", "<", "`", "@", "#"]
    {
        for at in 0..=plain.len() {
            let mut endpoint = String::from(plain);
            endpoint.insert_str(at, bad);
            assert!(assemble(&endpoint).is_none(), "{endpoint:?}");
        }
    }
}

#[test]
fn odd_ports_are_refused() {
    for port in ["0443", "00443", "+443", "-443", "443 ", "65979", "4 43", "443a", "0", "٤٤٣"] {
        assert!(assemble(&format!("wss://kucoin.com:{port}/")).is_none(), "{port}");
    }
}

#[test]
fn the_longest_endpoint_has_512_bytes_and_the_longest_label_63() {
    let padded = |len: usize| format!("wss://ws.kucoin.com/{}", "p".repeat(len - 20));
    assert!(assemble(&padded(512)).is_some());
    assert!(assemble(&padded(513)).is_none());
    let labelled = |len: usize| format!("wss://{}.kucoin.com/", "l".repeat(len));
    assert!(assemble(&labelled(63)).is_some());
    assert!(assemble(&labelled(64)).is_none());
}

#[test]
fn loopback_is_allowed_only_where_rest_is_loopback_too() {
    for (endpoint, port, tls) in [
        ("ws://127.0.0.1:9001/", 9001, false),
        ("ws://127.8.8.8", 80, false),
        ("wss://LOCALHOST:7/x", 7, true),
        ("ws://localhost?a=b", 80, false),
        ("wss://[::1]:5000/", 5000, true),
    ] {
        assert!(assemble(endpoint).is_none(), "{endpoint} with a REST base far away");
        let here = assemble_for(endpoint, TOKEN, "id", true).unwrap();
        assert_eq!((here.port(), here.is_tls()), (port, tls), "{endpoint}");
    }
    for endpoint in [
        "ws://127.0.0.1.evil.io/",
        "ws://localhost.evil.io/",
        "ws://192.168.0.1/",
        "ws://0.0.0.0/",
        "ws://127.1/",
        "ws://2130706433/",
        "ws://[::2]/",
        "ws://[::1/",
        "ws://::1/",
        "ws://kucoin.com/",
        "wss://kucoin.com:8443/",
        "http://127.0.0.1/",
    ] {
        assert!(assemble_for(endpoint, TOKEN, "id", true).is_none(), "{endpoint}");
    }
    assert!(assemble_for("wss://kucoin.com/", TOKEN, "id", true).is_some(), "listed all the same");
}

#[test]
fn an_empty_list_allows_nothing_and_an_empty_name_in_it_neither() {
    for allowed in [Vec::new(), Vec::from([Box::from("")])] {
        assert!(Endpoint::assemble("wss://kucoin.com/", "t", "c", &allowed, false).is_none());
    }
}

#[test]
fn the_query_is_appended_to_what_is_there() {
    for (endpoint, url) in [
        ("wss://h.kucoin.com/", "wss://h.kucoin.com/?token=T&connectId=C"),
        ("wss://h.kucoin.com", "wss://h.kucoin.com?token=T&connectId=C"),
        ("wss://h.kucoin.com/endpoint", "wss://h.kucoin.com/endpoint?token=T&connectId=C"),
        ("wss://h.kucoin.com/?", "wss://h.kucoin.com/?token=T&connectId=C"),
        ("wss://h.kucoin.com/?a=b", "wss://h.kucoin.com/?a=b&token=T&connectId=C"),
        ("wss://h.kucoin.com/?a=b&", "wss://h.kucoin.com/?a=b&token=T&connectId=C"),
        ("wss://h.kucoin.com?a=?", "wss://h.kucoin.com?a=?&token=T&connectId=C"),
        ("wss://H.kucoin.com:443/%7e/", "wss://H.kucoin.com:443/%7e/?token=T&connectId=C"),
    ] {
        let endpoint = assemble_for(endpoint, "T", "C", false).unwrap();
        assert_eq!(endpoint.secret_url(), url);
    }
}

#[test]
fn a_token_is_percent_encoded() {
    let token = "aZ09-._~=+/&#%?: \r\n\0ä";
    let endpoint = assemble_for("wss://kucoin.com/", token, "a b", false).unwrap();
    assert_eq!(
        endpoint.secret_url(),
        "wss://kucoin.com/?token=aZ09-._~%3D%2B%2F%26%23%25%3F%3A%20%0D%0A%00%C3%A4&connectId=a%20b"
    );
}

#[test]
fn host_and_port_are_what_to_connect_to() {
    let far = assemble("wss://ws.kucoin.com/endpoint?x=1").unwrap();
    assert_eq!((far.host(), far.port(), far.is_tls()), ("ws.kucoin.com", 443, true));
    let near = assemble_for("ws://[::1]:4000/", TOKEN, "c", true).unwrap();
    assert_eq!((near.host(), near.port(), near.is_tls()), ("::1", 4000, false), "no brackets");
}

#[test]
fn what_is_shown_holds_neither_token_nor_query_nor_path() {
    let endpoint = assemble("wss://ws.kucoin.com/SECRETPATH?SECRETKEY=1").unwrap();
    for shown in [format!("{endpoint}"), format!("{endpoint:?}"), format!("{endpoint:#?}")] {
        assert_eq!(shown, "wss://ws.kucoin.com/..");
    }
}

#[test]
fn rest_is_https_or_loopback() {
    for (url, base, loopback) in [
        ("https://api-futures.kucoin.com", "https://api-futures.kucoin.com", false),
        ("https://api-futures.kucoin.com/", "https://api-futures.kucoin.com", false),
        ("https://proxy.example:8443", "https://proxy.example:8443", false),
        ("http://127.0.0.1:8080", "http://127.0.0.1:8080", true),
        ("http://localhost/", "http://localhost", true),
        ("https://[::1]:9", "https://[::1]:9", true),
    ] {
        let parsed = RestBase::new(url).unwrap();
        assert_eq!((parsed.as_str(), parsed.is_loopback()), (base, loopback));
    }
    for url in [
        "",
        "api-futures.kucoin.com",
        "http://api-futures.kucoin.com",
        "http://127.0.0.1.evil.io",
        "http://10.0.0.1:80",
        "ftp://localhost",
        "HTTPS://kucoin.com",
        "https://",
        "https://kucoin.com//",
        "https://kucoin.com/api",
        "https://kucoin.com?x",
        "https://kucoin.com#x",
        "https://u@kucoin.com",
        "https://kucoin.com:0",
        "https://kucoin.com:65536",
        "https://kucoin.com:",
        "https://kuc oin.com",
        "https://kucoin.com\r\n",
        "https://[::1",
        "https://[kucoin.com]",
    ] {
        assert_eq!(RestBase::new(url), Err(Misuse::InvalidRestBase), "{url:?}");
    }
    assert_eq!(RestBase::new("https://api-futures.kucoin.com"), Ok(RestBase::kucoin()));
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_token_comes_out_of_the_url_as_it_went_in(token: String, connect_id: String) {
        let base = "wss://kucoin.com/?v=1";
        let endpoint = assemble_for(base, &token, &connect_id, false).unwrap();
        let rest = endpoint.secret_url().strip_prefix(base).unwrap();
        let rest = rest.strip_prefix("&token=").unwrap();
        let (first, second) = rest.split_once("&connectId=").unwrap();
        prop_assert_eq!(decode(first), token.as_bytes());
        prop_assert_eq!(decode(second), connect_id.as_bytes());
    }

    #[test]
    fn no_token_is_ever_shown(token in "[ -~]{6,40}") {
        let endpoint = assemble_for("wss://kucoin.com/", &token, "c", false).unwrap();
        let shown = format!("{endpoint} {endpoint:?}");
        prop_assert_eq!(shown, "wss://kucoin.com/.. wss://kucoin.com/..");
    }

    #[test]
    fn text_of_any_kind_is_refused_or_leads_to_a_listed_host(
        text in "(wss?|http)://[a-z@:/?#.\\[\\]\\\\ 0-9%-]{0,12}(kucoin\\.com)[a-z@:/?#. 0-9]{0,12}",
    ) {
        if let Some(endpoint) = assemble(&text) {
            prop_assert!(endpoint.secret_url().starts_with(&text));
            let host = endpoint.host().to_ascii_lowercase();
            prop_assert!(host == "kucoin.com" || host.ends_with(".kucoin.com"));
            // Whoever parses the address again must come to the same host.
            let after_scheme = text.strip_prefix("wss://").unwrap();
            let authority = after_scheme.split(['/', '?', '#', '\\']).next().unwrap();
            prop_assert_eq!(authority.trim_end_matches(":443"), endpoint.host());
        }
    }
}

fn assemble(endpoint: &str) -> Option<Endpoint> {
    assemble_for(endpoint, TOKEN, "c0ffee", false)
}

fn assemble_for(endpoint: &str, token: &str, id: &str, loopback: bool) -> Option<Endpoint> {
    let allowed: [Box<str>; 2] = ["kucoin.com".into(), "push.example".into()];
    let assembled = Endpoint::assemble(endpoint, token, id, &allowed, loopback);
    if let Some(assembled) = &assembled {
        assert!(assembled.secret_url().starts_with(endpoint), "bytes are kept");
        assert!(!assembled.to_string().contains(TOKEN));
    }
    assembled
}

fn decode(text: &str) -> Vec<u8> {
    let mut bytes = text.bytes();
    let mut decoded = Vec::new();
    while let Some(byte) = bytes.next() {
        if byte == b'%' {
            let hex = [bytes.next().unwrap(), bytes.next().unwrap()];
            let hex = std::str::from_utf8(&hex).unwrap();
            decoded.push(u8::from_str_radix(hex, 16).unwrap());
        } else {
            assert!(
                byte.is_ascii_alphanumeric() || b"-._~".contains(&byte),
                "{byte} is unreserved"
            );
            decoded.push(byte);
        }
    }
    decoded
}
