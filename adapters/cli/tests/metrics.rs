//! `kcf book --metrics`, asked by a real GET over loopback.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::disallowed_methods,
    missing_docs,
    reason = "tests"
)]

mod common;

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Stdio};
use std::time::Duration;

use common::{Sim, command, kcf};
use serde_json::Value;

/// A command that streams until it is dropped.
struct Streaming {
    child: Child,
    url: String,
}

impl Streaming {
    fn start(args: &[&str]) -> Self {
        let args = [args, &["--json", "--metrics", "127.0.0.1:0"]].concat();
        let mut child = command(&args).stdout(Stdio::piped()).spawn().unwrap();
        let mut first = String::new();
        let mut lines = BufReader::new(child.stdout.take().unwrap());
        lines.read_line(&mut first).unwrap();
        let first: Value = serde_json::from_str(&first).unwrap();
        assert_eq!(first["type"], "metrics");
        // Somebody has to read the rest, or it waits for that.
        std::thread::spawn(move || std::io::copy(&mut lines, &mut std::io::sink()));
        Self { child, url: first["url"].as_str().unwrap().to_owned() }
    }

    /// All that it says now.
    fn text(&self) -> String {
        let mut reply = ureq::get(&self.url).call().unwrap();
        let kind = reply.headers()["content-type"].to_str().unwrap().to_owned();
        assert_eq!(kind, "text/plain; version=0.0.4; charset=utf-8");
        reply.body_mut().read_to_string().unwrap()
    }

    /// What it says now of these series; those that are not there are `None`.
    fn read<const N: usize>(&self, series: [&str; N]) -> [Option<u64>; N] {
        let text = self.text();
        series.map(|name| {
            let value = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
            value.map(|value| value.parse().unwrap())
        })
    }

    /// Asks until it says so; ten seconds at most.
    fn until<const N: usize>(&self, series: [&str; N], right: impl Fn([u64; N]) -> bool) {
        let mut last = [None; N];
        for _ in 0..100 {
            last = self.read(series);
            if last.iter().all(Option::is_some) && right(last.map(Option::unwrap)) {
                return;
            }
            std::thread::sleep(Duration::from_millis(100));
        }
        panic!("in vain for {series:?}: {last:?}");
    }
}

impl Drop for Streaming {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

const BOOK: &str = "kucoin_futures_book_live{symbol=\"XBTUSDTM\"}";
const LINE: &str = "kucoin_futures_line_up{line=\"0\",role=\"public\"}";
const DELTAS: &str = "kucoin_futures_messages_total{disposition=\"deltas\"}";
const GAPS: &str = "kucoin_futures_gaps_total";

#[test]
fn a_get_tells_counters_lines_and_books_as_they_are_now() {
    for runtime in ["blocking", "smol"] {
        let sim =
            Sim::start(&["--symbols", "XBTUSDTM", "--rate", "50", "--faults", "every 2s drop *"]);
        let book = Streaming::start(&["book", "XBTUSDTM", "--url", &sim.url, "--runtime", runtime]);
        book.until([BOOK, LINE, DELTAS], |[book, line, deltas]| {
            (book, line) == (1, 1) && deltas > 20
        });
        book.until([GAPS], |[gaps]| gaps >= 2);
        drop(sim);
        book.until([BOOK, LINE], |values| values == [0, 0]);
    }
}

#[test]
fn of_two_lines_each_is_told_with_what_it_has_brought() {
    let sim = Sim::start(&["--symbols", "XBTUSDTM", "--rate", "100"]);
    let book = Streaming::start(&["book", "XBTUSDTM", "--lines", "2", "--url", &sim.url]);
    let of = |name: &str, line: u8, role: &str| {
        format!("kucoin_futures_line_{name}{{line=\"{line}\",role=\"{role}\"}}")
    };
    let [firsts, laters] =
        ["first_total", "later_total"].map(|name| [of(name, 0, "public"), of(name, 1, "spare")]);
    let lag = [of("lag_seconds_count", 0, "public"), of("lag_seconds_count", 1, "spare")];
    let all =
        [&firsts[0], &firsts[1], &laters[0], &laters[1], &lag[0], &lag[1]].map(|s| s.as_str());
    book.until(all, |[a, b, a_later, b_later, a_lag, b_lag]| {
        a + b > 50 && a_later + b_later > 50 && (a_lag, b_lag) == (a_later, b_later)
    });
    book.until(["kucoin_futures_change_overs_total"], |[replaced]| replaced == 0);
}

/// What is in seconds, and how many there were.
#[test]
fn ages_budgets_and_latencies_are_told_of_either_runtime() {
    for runtime in ["blocking", "smol"] {
        let sim = Sim::start(&["--symbols", "XBTUSDTM", "--rate", "100"]);
        let book = Streaming::start(&["book", "XBTUSDTM", "--url", &sim.url, "--runtime", runtime]);
        let counts = [
            "kucoin_futures_exchange_to_received_seconds_count",
            "kucoin_futures_received_to_applied_seconds_count",
            DELTAS,
        ];
        book.until(counts, |[received, applied, deltas]| {
            received == deltas && deltas > 100 && applied >= deltas
        });
        book.until(
            [
                "kucoin_futures_received_to_applied_seconds_bucket{le=\"1\"}",
                "kucoin_futures_budget_used{budget=\"connects\"}",
                "kucoin_futures_budget_left{budget=\"connects\"}",
                "kucoin_futures_line_messages_left{line=\"0\",role=\"public\"}",
            ],
            |[applied, used, left, messages]| {
                applied > 100 && (used, left) == (1, 19) && messages >= 90
            },
        );
        let text = book.text();
        for age in ["delta", "snapshot", "proof"] {
            let start = format!("kucoin_futures_book_{age}_age_seconds{{symbol=\"XBTUSDTM\"}} ");
            let value = text.lines().find_map(|line| line.strip_prefix(&start)).unwrap();
            let value: f64 = value.parse().unwrap();
            assert!((0.0..20.0).contains(&value), "{start}{value}");
        }
    }
}

/// Nothing comes in a still market: whoever asks wakes the command.
#[test]
fn a_command_that_waits_answers_at_once() {
    let sim = Sim::start(&["--symbols", "XBTUSDTM", "--rate", "0"]);
    let book = Streaming::start(&["book", "XBTUSDTM", "--url", &sim.url]);
    book.until([BOOK], |[live]| live == 1);
    let begun = std::time::Instant::now();
    for _ in 0..20 {
        assert_eq!(book.read([BOOK, LINE]), [Some(1), Some(1)]);
    }
    assert!(begun.elapsed() < Duration::from_secs(2), "{:?}", begun.elapsed());
}

#[test]
fn other_paths_and_methods_are_refused_and_an_address_that_is_taken_is_said() {
    let sim = Sim::start(&["--symbols", "XBTUSDTM"]);
    let trades = Streaming::start(&["trades", "XBTUSDTM", "--url", &sim.url]);
    trades.until([LINE], |[up]| up == 1);
    assert_eq!(trades.read([BOOK]), [None], "no book is wanted");
    let status = |result: Result<ureq::http::Response<ureq::Body>, ureq::Error>| match result {
        Err(ureq::Error::StatusCode(status)) => status,
        other => panic!("{other:?}"),
    };
    let root = trades.url.replace("/metrics", "/");
    assert_eq!(status(ureq::get(&root).call()), 404);
    assert_eq!(status(ureq::post(&trades.url).send("x")), 405);
    let taken = root.trim_start_matches("http://").trim_end_matches('/');
    let output = kcf(&["book", "XBTUSDTM", "--url", &sim.url, "--metrics", taken, "--for", "1s"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains("--metrics"), "it says which");
}
