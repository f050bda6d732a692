//! `kcf serve`, asked by real requests: what each route says, and what becomes of slow readers.

#![cfg(unix)]
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::disallowed_methods,
    missing_docs,
    reason = "tests"
)]

mod common;

#[path = "common/served.rs"]
mod served;

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use common::kcf;
use kucoin_futures_proto::book::Coverage;
use kucoin_futures_proto::wire::Side;
use kucoin_futures_proto::{Sequence, Symbol};
use kucoin_futures_sim::{Fault, Server};
use serde_json::Value;
use served::{Served, exchange};

const XBT: &str = "XBTUSDTM";
const ETH: &str = "ETHUSDTM";

#[test]
fn each_route_says_what_it_is_for_and_nothing_else_is_there() {
    let exchange = exchange(&[XBT, ETH], 20.0);
    let served = Served::start(&exchange, &[XBT, ETH], &[]);
    let health = served.until_healthy("/health", true).json();
    assert_eq!([&health["live"], &health["wanted"], &health["lines_up"]], [2, 2, 1]);
    assert_eq!(health["not_live"], Value::Array(Vec::new()));
    let one = served.get(&format!("/health?symbol={ETH}")).json();
    assert_eq!([&one["live"], &one["wanted"]], [1, 1]);

    let metrics = served.get("/metrics");
    assert_eq!(metrics.header("content-type"), Some("text/plain; version=0.0.4; charset=utf-8"));
    assert!(metrics.body.contains("\nkucoin_futures_book_live{symbol=\"ETHUSDTM\"} 1\n"));

    let state = served.get(&format!("/state?symbol={ETH}")).json();
    assert_eq!(state["type"], "state");
    assert_eq!(state["detail"]["symbol"], ETH);
    assert_eq!(state["rows"].as_array().unwrap().len(), 2);
    assert_eq!(served.get("/state").json()["detail"]["symbol"], XBT, "the first one");

    let page = served.get("/");
    assert_eq!(page.header("content-type"), Some("text/html; charset=utf-8"));
    // Whatever the page names is there, and of the right kind.
    for path in [
        "/main.js",
        "/stream.js",
        "/table.js",
        "/charts.js",
        "/panels.js",
        "/format.js",
        "/uplot/uPlot.esm.js",
    ] {
        let script = served.get(path);
        assert_eq!(script.header("content-type"), Some("text/javascript; charset=utf-8"), "{path}");
        for import in script.body.lines().filter(|line| line.starts_with("import ")) {
            let from = import.split('\'').nth(1).unwrap();
            assert_eq!(served.get(from).status, 200, "{path}: {import}");
        }
    }
    for link in page.body.split(['"', '\'']).filter(|text| text.starts_with('/')) {
        assert_eq!(served.get(link).status, 200, "{link}");
    }
    for path in
        ["/nothing", "/../Cargo.toml", "/uplot/", "//", "/login/", "/%2e%2e/main.js", "/.env"]
    {
        assert_eq!(served.get(path).status, 404, "{path}");
    }
    for (path, status) in [
        ("/health?symbol=SOLUSDTM", 404),
        ("/stream?symbol=SOLUSDTM", 404),
        ("/state?symbol=SOLUSDTM", 404),
        ("/health?symbl=XBTUSDTM", 400),
        ("/health?symbol=", 400),
        ("/health?symbol=%00", 400),
        ("/state?symbol=XBTUSDTM&symbol=ETHUSDTM", 400),
    ] {
        assert_eq!(served.get(path).status, status, "{path}");
    }
    assert_eq!(served.interrupt(), Some(0));
}

#[test]
fn it_is_read_only_and_says_so() {
    let exchange = exchange(&[XBT], 0.0);
    let served = Served::start(&exchange, &[XBT], &[]);
    for path in ["/", "/health", "/metrics", "/state", "/stream", "/main.js"] {
        for method in ["POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE"] {
            let answer = served.ask(method, path, &[], "");
            let allowed = if path == "/stream" { "GET" } else { "GET, HEAD" };
            assert_eq!(
                (answer.status, answer.header("allow")),
                (405, Some(allowed)),
                "{method} {path}"
            );
        }
    }
    assert_eq!(served.ask("HEAD", "/stream", &[], "").status, 405);
    assert_eq!(served.get("/login").status, 405);
    served.until_healthy("/health", true);
    let head = served.ask("HEAD", "/health", &[], "");
    assert_eq!((head.status, head.body.as_str()), (200, ""));
    assert!(head.header("content-length").unwrap().parse::<usize>().unwrap() > 20);
}

#[test]
fn health_turns_with_the_books() {
    let exchange = exchange(&[XBT, ETH], 50.0);
    let served = Served::start(&exchange, &[XBT, ETH], &[]);
    served.until_healthy("/health", true);
    for round in 0..3 {
        exchange.inject(Fault::Refuse { span: Duration::from_secs(1) });
        exchange.inject(Fault::Reset {});
        let ill = served.until_healthy("/health", false).json();
        let rows = ill["not_live"].as_array().unwrap();
        assert_eq!(rows.len(), 2 - ill["live"].as_u64().unwrap() as usize, "round {round}: {ill}");
        for row in rows {
            assert!([XBT, ETH].contains(&row["symbol"].as_str().unwrap()), "{row}");
            assert!(!row["reason"].as_str().unwrap().is_empty() && row["state"] != "live", "{row}");
        }
        served.until_healthy(&format!("/health?symbol={XBT}"), true);
        let well = served.until_healthy("/health", true).json();
        assert_eq!([&well["live"], &well["wanted"]], [2, 2]);
    }
    let gap = served.get("/state").json();
    let resyncs = gap["detail"]["resyncs"].as_array().unwrap();
    assert_eq!(resyncs.len(), 3, "{resyncs:?}");
    for resync in resyncs {
        assert!(resync[0].as_u64() < resync[1].as_u64(), "{resync}");
        assert!(!resync[2].as_str().unwrap().is_empty());
    }
    drop(exchange);
    served.until_healthy("/health", false);
}

/// What the page shows is the exchange's own book at that sequence.
#[test]
fn a_stream_tells_all_and_then_what_changes_of_a_book_that_is_the_exchanges() {
    let exchange = exchange(&[XBT, ETH], 100.0);
    let served = Served::start(&exchange, &[XBT, ETH], &[]);
    served.until_healthy("/health", true);
    let mut events = served.stream(&format!("/stream?symbol={ETH}")).unwrap();
    let first = events.next().unwrap();
    assert_eq!(first["type"], "state");
    check_against(&exchange, &first["detail"], ETH);
    let (begun, mut tables, mut sequences, mut candles) = (Instant::now(), 0, Vec::new(), 0);
    for _ in 0..20 {
        let update = events.next().unwrap();
        assert_eq!(update["type"], "update");
        check_against(&exchange, &update["detail"], ETH);
        sequences.push(update["detail"]["sequence"].as_u64().unwrap());
        let before =
            |candle: &&Value| candle[0].as_u64() < Some(first["at_ms"].as_u64().unwrap() - 60_000);
        let old = update["detail"]["candles"].as_array().unwrap().iter().filter(before);
        candles += old.inspect(|candle| assert_eq!(candle[6], true, "{candle}")).count();
        if let Some(rows) = update["rows"].as_array() {
            tables += 1;
            assert!(rows.len() <= 2);
            assert!(update["lines"].is_array() && update["feed"]["messages"].as_u64() > Some(20));
        }
    }
    let took = begun.elapsed();
    assert!((Duration::from_millis(3500)..Duration::from_secs(12)).contains(&took), "{took:?}");
    assert!((4..=10).contains(&tables), "once a second: {tables}");
    assert!(sequences.windows(2).all(|pair| pair[0] < pair[1]), "{sequences:?}");
    assert!(candles > 10, "the exchange is asked for those from before: {candles}");
    drop(events);
    // Whoever begins anew is told everything again.
    let mut again = served.stream("/stream").unwrap();
    let first = again.next().unwrap();
    assert_eq!((&first["type"], &first["detail"]["symbol"]), (&"state".into(), &XBT.into()));
    assert_eq!(first["rows"].as_array().unwrap().len(), 2);
}

#[track_caller]
fn check_against(exchange: &Server, detail: &Value, symbol: &str) {
    assert_eq!(detail["symbol"], symbol);
    let symbol: Symbol = symbol.parse().unwrap();
    let sequence = Sequence::new(detail["sequence"].as_u64().unwrap());
    let truth = exchange
        .with(|exchange, _| exchange.market(symbol).unwrap().truths_at(sequence).next().unwrap());
    for (side, key) in [(Side::Bid, "bids"), (Side::Ask, "asks")] {
        let best: Vec<Value> = truth
            .levels(side)
            .take(12)
            .map(|level| serde_json::json!([level.price.to_string(), level.size.get()]))
            .collect();
        assert_eq!(detail[key].as_array().unwrap(), &best, "{key} at {sequence}");
        // The curve ends at the horizon, with all lots to there.
        let end = detail["depth"][key].as_array().unwrap().last().unwrap();
        let horizon = detail["depth"][format!("{}_horizon", &key[..3])].as_str();
        let reach = horizon.map_or(Coverage::All, |price| Coverage::To(price.parse().unwrap()));
        let inside: Vec<_> = truth.levels_within(side, reach).collect();
        let lots: u64 = inside.iter().map(|level| level.size.get()).sum();
        let last = inside.last().unwrap().price.to_string();
        assert_eq!(end, &serde_json::json!([last, lots.to_string()]), "{key} at {sequence}");
        let count = detail["depth"][format!("{}_levels", &key[..3])].as_u64();
        assert_eq!(count, Some(inside.len() as u64));
    }
}

#[test]
fn sixteen_may_look_and_the_next_is_told_why_not() {
    let exchange = exchange(&[XBT], 10.0);
    let served = Served::start(&exchange, &[XBT], &[]);
    let mut all: Vec<_> = (0..16).map(|_| served.stream("/stream").unwrap()).collect();
    let refused = served.get("/stream");
    assert_eq!(refused.status, 503);
    assert!(refused.body.contains("16"), "{refused:?}");
    served.until_healthy("/health", true);
    for events in &mut all {
        assert_eq!(events.next().unwrap()["type"], "state");
        assert_eq!(events.next().unwrap()["type"], "update");
    }
    drop(all.pop());
    let end = Instant::now() + Duration::from_secs(10);
    let mut more = loop {
        match served.stream("/stream") {
            Ok(more) => break more,
            Err(503) if Instant::now() < end => std::thread::sleep(Duration::from_millis(50)),
            Err(status) => panic!("{status}"),
        }
    };
    assert_eq!(more.next().unwrap()["type"], "state");
}

/// What costs some work is made a few times a second, however often it is asked for.
#[test]
fn whoever_asks_without_end_is_told_what_others_were_told_a_moment_ago() {
    let exchange = exchange(&[XBT, ETH], 100.0);
    let served = Served::start(&exchange, &[XBT, ETH], &[]);
    served.until_healthy("/health", true);
    let (begun, mut states, mut metrics) = (Instant::now(), Vec::new(), Vec::new());
    while begun.elapsed() < Duration::from_secs(2) {
        states.push(served.get("/state").json()["at_ms"].as_u64().unwrap());
        metrics.push(served.get("/metrics").body);
    }
    let most = begun.elapsed().as_millis() as usize / 250 + 1;
    let asked = states.len();
    states.dedup();
    metrics.dedup();
    assert!(asked > 2 * most, "only {asked} answers");
    assert!((2..=most).contains(&states.len()), "{} of {most}", states.len());
    assert!((2..=most).contains(&metrics.len()), "{} of {most}", metrics.len());
    // Those who were not answered at once are answered later, and all of them.
    let health: Vec<_> = (0..10)
        .map(|_| {
            let mut stream = served.connect();
            let host = served.addr;
            write!(stream, "GET /health HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n")
                .unwrap();
            stream
        })
        .collect();
    for mut stream in health {
        let mut text = String::new();
        stream.read_to_string(&mut text).unwrap();
        assert!(text.starts_with("HTTP/1.1 200"), "{text}");
    }
}

/// One that is never read, and one of which nothing comes but its head.
#[test]
fn whoever_reads_nothing_holds_up_nobody_and_is_let_go() {
    let symbols: Vec<String> = (0..30).map(|i| format!("S{i}USDTM")).collect();
    let symbols: Vec<&str> = symbols.iter().map(String::as_str).collect();
    let exchange = exchange(&symbols, 20.0);
    let served = Served::start(&exchange, &symbols, &[]);
    served.until_healthy("/health", true);
    let deltas = || {
        let text = served.get("/metrics").body;
        let line = text.lines().find_map(|line| {
            line.strip_prefix("kucoin_futures_messages_total{disposition=\"deltas\"} ")
        });
        line.unwrap_or_else(|| panic!("no count: {text}")).parse::<u64>().unwrap()
    };
    // Without them, on the machine as it is.
    let (before, begun) = (deltas(), Instant::now());
    std::thread::sleep(Duration::from_secs(5));
    let alone = (deltas() - before) as f64 / begun.elapsed().as_secs_f64();
    // Before they come: so many questions at once may be all that wait, and the next is told to come again.
    let (before, memory) = (deltas(), resident(served.pid()));
    let begun = Instant::now();
    let mut slow: Vec<TcpStream> = Vec::new();
    for _ in 0..16 {
        let mut stream = served.connect();
        write!(stream, "GET /stream HTTP/1.1\r\nHost: {}\r\n\r\n", served.addr).unwrap();
        slow.push(stream);
    }
    let mut slowest = Duration::ZERO;
    // Until all were let go: somebody else can look again.
    loop {
        let asked = Instant::now();
        let is_free = served.stream("/stream").is_ok();
        slowest = slowest.max(asked.elapsed());
        assert!(begun.elapsed() < Duration::from_secs(90), "never let go");
        if is_free {
            break;
        }
        std::thread::sleep(Duration::from_millis(200));
    }
    let took = begun.elapsed();
    assert!(took > Duration::from_secs(8), "they had some time: {took:?}");
    assert!(slowest < Duration::from_secs(5), "an answer took {slowest:?}");
    let (rate, grown) = (
        (deltas() - before) as f64 / took.as_secs_f64(),
        resident(served.pid()).saturating_sub(memory),
    );
    assert!(rate > alone * 0.8, "of {alone} a second came {rate}");
    assert!(grown < 40 << 20, "it grew by {grown} bytes");
    assert_eq!(served.until_healthy("/health", true).json()["live"], 30);
    // The others, too: they are told, and stuck, one after the other.
    std::thread::sleep(Duration::from_secs(3));
    for mut stream in slow {
        stream.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
        let mut rest = Vec::new();
        // Whatever was on the way, and then the end: it does not go on.
        let _ = stream.read_to_end(&mut rest);
        assert!(rest.len() < 8 << 20, "{}", rest.len());
    }
}

/// In bytes.
fn resident(pid: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    line.map_or(0, |line| line.trim().trim_end_matches(" kB").parse::<u64>().unwrap() << 10)
}

#[test]
fn an_address_that_is_taken_and_contracts_that_are_not_there_are_said() {
    let exchange = exchange(&[XBT], 0.0);
    let served = Served::start(&exchange, &[XBT], &[]);
    let taken = served.addr.to_string();
    let output = kcf(&["serve", XBT, "--url", &exchange.url(), "--listen", &taken, "--for", "1s"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains("--listen"));
    let unknown = kcf(&[
        "serve",
        "SOLUSDTM",
        "--url",
        &exchange.url(),
        "--listen",
        "127.0.0.1:0",
        "--for",
        "5s",
    ]);
    assert_eq!(unknown.status.code(), Some(2), "a contract that is not there ends it");
}
