//! Runs the real program as a process, on files where it wants some.

#![allow(dead_code, reason = "not every test file uses everything")]

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, Output, Stdio};

use kucoin_futures_proto::{Instant, Symbol};
use kucoin_futures_sim::{Exchange, Request, SessionId};
use serde_json::Value;

/// `kcf` with these arguments, its output collected.
pub(crate) fn kcf(args: &[&str]) -> Output {
    command(args).output().unwrap()
}

/// The lines of a JSON output.
pub(crate) fn lines(output: &Output) -> Vec<Value> {
    let text = String::from_utf8(output.stdout.clone()).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// Those of one type.
pub(crate) fn of_type<'a>(lines: &'a [Value], name: &str) -> Vec<&'a Value> {
    lines.iter().filter(|line| line["type"] == name).collect()
}

/// The text with `to` in the place of `from`, which stands there once: else the test would not say
/// what it seems to say.
#[track_caller]
pub(crate) fn edited(text: &str, from: &str, to: &str) -> String {
    assert_eq!(text.matches(from).count(), 1, "{from:?} in {text}");
    text.replace(from, to)
}

/// A `kcf sim` that runs until it is dropped.
pub(crate) struct Sim {
    child: Child,
    pub(crate) url: String,
}

impl Sim {
    pub(crate) fn start(args: &[&str]) -> Self {
        let args = [&["sim", "--json"], args].concat();
        let mut child = command(&args).stdout(Stdio::piped()).spawn().unwrap();
        let mut first = String::new();
        BufReader::new(child.stdout.as_mut().unwrap()).read_line(&mut first).unwrap();
        let first: Value = serde_json::from_str(&first).unwrap();
        Self { child, url: first["url"].as_str().unwrap().to_owned() }
    }
}

impl Drop for Sim {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The same, not started yet.
pub(crate) fn command(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_kcf"));
    command.args(args).stdin(Stdio::null()).env_remove("RUST_LOG");
    command
}

/// What `kcf replay` reads, in a folder that is removed in the end.
pub(crate) struct Files(PathBuf);

impl Files {
    pub(crate) fn new(name: &str) -> Self {
        let folder = std::env::temp_dir().join(format!("kcf-replay-{name}-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        Self(folder)
    }

    pub(crate) fn snapshot(&self) -> String {
        self.0.join("snapshot.json").to_str().unwrap().to_owned()
    }

    pub(crate) fn frames(&self) -> String {
        self.0.join("frames.ndjson").to_str().unwrap().to_owned()
    }

    /// A snapshot of ETHUSDTM at 40, with a bid of 8 at 2417.3 and an ask of 5 at 2417.9.
    pub(crate) fn write_eth(&self) {
        fs::write(self.snapshot(), eth_snapshot("ETHUSDTM")).unwrap();
    }

    /// `kcf replay` of these files: its exit code, its books, its total and its complaint.
    pub(crate) fn replay(&self) -> Replayed {
        let output = kcf(&["replay", &self.snapshot(), &self.frames(), "--json"]);
        let lines = lines(&output);
        let of_type = |name| of_type(&lines, name).into_iter().cloned();
        Replayed {
            code: output.status.code(),
            books: of_type("replay").collect(),
            total: of_type("replay_total").next().unwrap_or_default(),
            complaint: String::from_utf8(output.stderr).unwrap(),
        }
    }

    /// The same of frames in whatever form.
    pub(crate) fn replay_bytes(&self, frames: impl AsRef<[u8]>) -> Replayed {
        fs::write(self.frames(), frames).unwrap();
        self.replay()
    }

    pub(crate) fn write_frames(&self, frames: &[String]) {
        fs::write(self.frames(), frames.join("\n")).unwrap();
    }

    pub(crate) fn write_snapshots(&self, bodies: &[String]) {
        fs::write(self.snapshot(), format!("[{}]", bodies.join(","))).unwrap();
    }
}

/// What `kcf replay --json` says.
pub(crate) struct Replayed {
    pub(crate) code: Option<i32>,
    pub(crate) books: Vec<Value>,
    pub(crate) total: Value,
    pub(crate) complaint: String,
}

impl Replayed {
    /// Where each book ended, and why.
    pub(crate) fn ends(&self) -> Vec<(u64, Option<&str>)> {
        let end = |book: &'_ Value| book["unbroken_to"].as_u64().unwrap();
        self.books.iter().map(|book| (end(book), book["ended"].as_str())).collect()
    }

    /// One book, without a word against anything.
    #[track_caller]
    pub(crate) fn is_sound(&self, sequence: u64, what: &str) {
        assert_eq!(self.ends(), [(sequence, None)], "{what}: {}", self.complaint);
        let counts = ["malformed", "not_frames", "ended"].map(|key| self.total[key].as_u64());
        assert_eq!((self.code, counts), (Some(0), [Some(0); 3]), "{what}");
    }
}

/// A snapshot at 40.
pub(crate) fn eth_snapshot(symbol: &str) -> String {
    let sides = r#""bids":[[2417.3,8]],"asks":[[2417.9,5]]"#;
    let data = format!(r#"{{"sequence":40,"symbol":"{symbol}",{sides},"ts":1790000000000000000}}"#);
    format!(r#"{{"code":"200000","data":{data}}}"#)
}

/// A delta.
pub(crate) fn delta(symbol: &str, sequence: u64) -> String {
    let topic = format!("/contractMarket/level2:{symbol}");
    let change = format!(r#""change":"2417.{sequence},buy,{sequence}","timestamp":1790000000041"#);
    let data = format!(r#"{{"sequence":{sequence},{change}}}"#);
    format!(r#"{{"topic":"{topic}","type":"message","subject":"level2","data":{data}}}"#)
}

impl Drop for Files {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// Connects to a model of the exchange and subscribes to the books of these symbols.
pub(crate) fn listen(exchange: &mut Exchange, now: Instant, symbols: &[Symbol]) {
    let body = exchange.http(now, &Request::new("POST", "/api/v1/bullet-public")).body;
    let body: Value = serde_json::from_str(&body).unwrap();
    let query = format!("token={}", body["data"]["token"].as_str().unwrap());
    assert!(exchange.connect(now, SessionId(1), &query));
    // More in one frame are refused.
    for symbols in symbols.chunks(100) {
        let names = symbols.iter().map(Symbol::as_str).collect::<Vec<_>>().join(",");
        let topic = format!("/contractMarket/level2:{names}");
        let request = format!(r#"{{"id":"1","type":"subscribe","topic":"{topic}"}}"#);
        exchange.receive(now, SessionId(1), &request);
    }
}

/// The body of a snapshot.
pub(crate) fn snapshot(exchange: &mut Exchange, now: Instant, symbol: Symbol) -> String {
    let target = format!("/api/v1/level2/snapshot?symbol={symbol}");
    exchange.http(now, &Request::new("GET", &target)).body
}
