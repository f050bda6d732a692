use super::*;

const KEY: &str = "dGhlIHNhbXBsZSBub25jZQ==";
/// What RFC 6455 (section 1.3) makes of that key.
const ACCEPT: &str = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";

fn upgrade() -> Upgrade {
    Upgrade { accept: derive_accept_key(KEY.as_bytes()), head: Vec::new(), interim: 0 }
}

/// A 101 with these headers beside the right key.
fn answer(headers: &str) -> Vec<u8> {
    let accept = format!("Sec-WebSocket-Accept: {ACCEPT}\r\n");
    format!("HTTP/1.1 101 Switching Protocols\r\n{accept}{headers}\r\n").into_bytes()
}

fn good() -> Vec<u8> {
    answer("Upgrade: websocket\r\nConnection: Upgrade\r\n")
}

fn verdict(bytes: &[u8]) -> Result<Vec<u8>, UpgradeError> {
    upgrade().take(bytes).map(|rest| rest.expect("a whole answer").to_vec())
}

#[test]
fn the_request_is_that_of_the_rfc_with_a_user_agent() {
    let lines = "Host: h:1\r\nUser-Agent: UA\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
        Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: KEY\r\n\r\n";
    let lines = lines.replace("UA", USER_AGENT).replace("KEY", KEY);
    for (url, target) in [
        ("ws://h:1/e?token=t", "/e?token=t"),
        ("wss://h:1?token=t/", "/?token=t/"),
        ("wss://h:1", "/"),
    ] {
        let request = request(url, KEY);
        let expected = format!("GET {target} HTTP/1.1\r\n{lines}");
        assert_eq!(str::from_utf8(&request).unwrap(), expected);
        assert_eq!(request.capacity(), request.len(), "nothing was moved, so nothing was left");
    }
}

#[test]
fn a_connection_header_is_a_list_in_any_case() {
    for connection in [
        "Connection: Upgrade",
        "connection:upgrade",
        "Connection: keep-alive, Upgrade",
        "Connection: UPGRADE ,\tkeep-alive",
        "Connection: keep-alive\r\nConnection: upgrade",
    ] {
        let bytes = answer(&format!("UPGRADE: WebSocket\r\n{connection}\r\n"));
        assert_eq!(verdict(&bytes), Ok(vec![]), "{connection}");
    }
}

#[test]
fn a_wrong_answer_is_refused_by_the_name_of_its_header() {
    use UpgradeError::{Missing, Wrong};
    let both = "Upgrade: websocket\r\nConnection: Upgrade\r\n";
    let cases = [
        (answer("Upgrade: websocket\r\n"), Missing("Connection")),
        (answer("Upgrade: websocket\r\nConnection: upgrader, x-upgrade\r\n"), Wrong("Connection")),
        (answer("Connection: Upgrade\r\n"), Missing("Upgrade")),
        (answer("Connection: Upgrade\r\nUpgrade: h2c\r\n"), Wrong("Upgrade")),
        (
            answer(&format!("{both}Sec-WebSocket-Extensions: permessage-deflate\r\n")),
            Wrong("Sec-WebSocket-Extensions"),
        ),
        (answer(&format!("{both}Sec-WebSocket-Protocol: x\r\n")), Wrong("Sec-WebSocket-Protocol")),
        (answer(&format!("{both}sec-websocket-accept: x\r\n")), Wrong("Sec-WebSocket-Accept")),
        (format!("HTTP/1.1 101 x\r\n{both}\r\n").into_bytes(), Missing("Sec-WebSocket-Accept")),
    ];
    for (bytes, error) in cases {
        assert_eq!(verdict(&bytes), Err(error));
        assert_eq!(TransportError::from(error), TransportError::Protocol);
        let (Missing(name) | Wrong(name)) = error else { panic!("{error}") };
        assert!(error.to_string().contains(name), "{error}");
    }
    let old = String::from_utf8(good()).unwrap().replace("HTTP/1.1", "HTTP/1.0");
    assert_eq!(verdict(old.as_bytes()), Err(UpgradeError::OldVersion));
}

#[test]
fn what_follows_the_head_is_handed_back_wherever_the_bytes_are_cut() {
    let mut bytes = b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\nHTTP/1.1 100 \r\n\r\n".to_vec();
    bytes.extend(good());
    let head = bytes.len();
    bytes.extend(b"\x81\x03one\r\n\r\n");
    for size in 1..bytes.len() {
        let (mut upgrade, mut passed) = (upgrade(), 0);
        for chunk in bytes.chunks(size) {
            passed += chunk.len();
            if let Some(rest) = upgrade.take(chunk).unwrap() {
                assert_eq!(rest, &bytes[head..passed], "in pieces of {size}");
                break;
            }
            assert!(passed < head, "in pieces of {size}");
        }
        assert!(passed >= head);
    }
}

#[test]
fn interim_answers_are_passed_over_but_not_without_end() {
    let interim = |count| [b"HTTP/1.1 102 Processing\r\n\r\n".repeat(count), good()].concat();
    assert_eq!(verdict(&interim(MAX_INTERIM)), Ok(vec![]));
    assert_eq!(verdict(&interim(MAX_INTERIM + 1)), Err(UpgradeError::TooManyInterim));
}

#[test]
fn a_refusal_comes_with_what_it_says_about_limits() {
    let bytes = b"HTTP/1.1 429 Slow\r\nRetry-After: 7\r\nContent-Length: 4\r\n\r\nbody";
    let Err(UpgradeError::Refused(head)) = verdict(bytes) else { panic!("not refused") };
    assert_eq!((head.status(), head.retry_after()), (429, Some(std::time::Duration::from_secs(7))));
    let error = TransportError::from(UpgradeError::Refused(head));
    assert_eq!(error, TransportError::Upgrade { status: 429, retry_after: head.retry_after() });
    // Proxies are older than what they stand in front of.
    assert!(matches!(verdict(b"HTTP/1.0 403 \n\n"), Err(UpgradeError::Refused(_))));
}

#[test]
fn what_is_no_http_is_told_by_its_line() {
    let line_of = |bytes: &[u8]| match verdict(bytes) {
        Err(UpgradeError::Malformed { line, .. }) => line,
        other => panic!("{other:?}"),
    };
    assert_eq!(line_of(b"SSH-2.0-OpenSSH\r\n"), 1);
    assert_eq!(line_of(b"HTTP/2 101 x\r\n\r\n"), 1);
    assert_eq!(line_of(b"HTTP/1.1 101 x\r\nUpgrade: websocket\r\nno colon\r\n\r\n"), 3);
    assert_eq!(line_of(&[b"HTTP/1.1 101 x\r\n".to_vec(), b"a: b\r\n".repeat(101)].concat()), 102);
}

#[test]
fn a_head_is_cut_off_at_its_limit_however_it_comes() {
    let endless = [b"HTTP/1.1 101 x\r\nX: ".to_vec(), vec![b'x'; 1 << 20]].concat();
    assert_eq!(verdict(&endless), Err(UpgradeError::TooLong));
    let mut upgrade = upgrade();
    let taken = endless.chunks(1000).take_while(|chunk| upgrade.take(chunk).is_ok()).count();
    assert!(taken * 1000 <= MAX_HEAD, "{taken}");
    let whole = answer(&format!("X: {}\r\n", "x".repeat(MAX_HEAD)));
    assert_eq!(verdict(&whole), Err(UpgradeError::TooLong));
    assert_eq!(TransportError::from(UpgradeError::TooLong), TransportError::TooLarge);
}
