//! The simulated exchange that pushes: `kcf bench --push`, a process of its own, so that neither its
//! threads nor its reactor are in the way of those who are measured.
//!
//! ```text
//!  kcf bench                                  kcf bench --push
//!      <── {"type":"recorded","frames":..} ──     while it makes the market's messages
//!      <── {"type":"ready","url":..,"books":..}   and listens
//!      ──────────────── "go" ───────────────>     pours all of them into every open connection
//! ```
//!
//! It ends with its stdin.

use std::io::{BufRead as _, BufReader, Lines, Write as _};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::Arc;

use indicatif::ProgressBar;
use kucoin_futures_host::Clock;
use kucoin_futures_proto::book::Coverage;
use kucoin_futures_proto::{Symbol, UnixNanos};
use kucoin_futures_sim::{Contract, ExchangeConfig, Flood, Request, Server};
use serde_json::{Value, json};

use crate::args::BenchArgs;
use crate::exit::{Failure, Kind};
use crate::out::Out;

/// Levels that a side hovers around: few enough for a snapshot to show all of them, so that no book
/// ever has to be fetched anew and the digests are over whole books.
const DEPTH: usize = 500;
/// Of the recording; any would do, and a fixed one makes the same bytes every time.
const START: UnixNanos = UnixNanos::from_nanos(1_790_000_000_000_000_000);
/// Progress is told after so many frames.
const TOLD: usize = 1 << 16;

/// The pushing process, as those who read see it.
pub(super) struct Pusher {
    child: Child,
    stdin: ChildStdin,
    /// Base of its REST interface.
    pub(super) url: String,
    /// Address of its WebSocket, with a token: for those who know no REST.
    pub(super) socket: String,
    /// What every book must end as.
    pub(super) books: Vec<Truth>,
    frame_bytes: f64,
}

/// A book of the exchange.
pub(super) struct Truth {
    pub(super) symbol: Symbol,
    pub(super) sequence: u64,
    pub(super) sha256: String,
}

impl Pusher {
    pub(super) fn start(args: &BenchArgs, bar: &ProgressBar) -> Result<Self, Failure> {
        let program = std::env::current_exe()?;
        let number = |number: usize| number.to_string();
        let mut child = Command::new(program)
            .args(["bench", "--push", "--seed", &args.seed.to_string()])
            .args(["--frames", &number(args.frames), "--per-write", &number(args.per_write)])
            .args(["--symbols", &number(args.symbols)])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let (Some(stdin), Some(stdout)) = (child.stdin.take(), child.stdout.take()) else {
            return Err(lost());
        };
        let ready = wait_until_ready(BufReader::new(stdout).lines(), bar)?;
        let text = |key: &str| ready.get(key).and_then(Value::as_str).unwrap_or_default().into();
        let bytes = ready.get("bytes").and_then(Value::as_f64).unwrap_or_default();
        let books = ready.get("books").and_then(Value::as_array);
        let books = books.into_iter().flatten().filter_map(Truth::read).collect();
        let (url, socket) = (text("url"), text("socket"));
        let frame_bytes = bytes / args.frames as f64;
        Ok(Self { child, stdin, url, socket, books, frame_bytes })
    }

    /// Lets it pour.
    pub(super) fn go(&mut self) -> Result<(), Failure> {
        self.stdin.write_all(b"go\n")?;
        Ok(self.stdin.flush()?)
    }

    /// Of one message, its head included, on average.
    pub(super) const fn frame_bytes(&self) -> f64 {
        self.frame_bytes
    }
}

impl Drop for Pusher {
    fn drop(&mut self) {
        // It may be gone already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Truth {
    fn read(book: &Value) -> Option<Self> {
        Some(Self {
            symbol: book.get("symbol")?.as_str()?.parse().ok()?,
            sequence: book.get("sequence")?.as_u64()?,
            sha256: book.get("sha256")?.as_str()?.into(),
        })
    }
}

fn lost() -> Failure {
    Failure::words(Kind::Runtime, "the process that pushes ended")
}

fn wait_until_ready(
    mut lines: Lines<BufReader<ChildStdout>>,
    bar: &ProgressBar,
) -> Result<Value, Failure> {
    loop {
        let line = lines.next().ok_or_else(lost)??;
        let line: Value = serde_json::from_str(&line).map_err(|_| lost())?;
        match line.get("frames").and_then(Value::as_u64) {
            Some(frames) => bar.set_position(frames),
            None => return Ok(line),
        }
    }
}

/// The pushing process.
pub(super) fn push(args: &BenchArgs) -> Result<(), Failure> {
    let mut out = Out::new();
    let server = start_server(args)?;
    let tell = |frames: usize, out: &mut Out| {
        out.json(&json!({"type": "recorded", "frames": frames}))?;
        out.flush()
    };
    let flood = {
        let out = std::cell::RefCell::new(&mut out);
        Flood::record(args.seed, config(args), args.frames, args.per_write, |frames| {
            if frames % TOLD < args.per_write {
                // Whoever listens is gone: that is noticed below.
                let _ = tell(frames, &mut out.borrow_mut());
            }
        })
    };
    let books: Vec<Value> = flood
        .markets()
        .map(|market| {
            json!({
                "symbol": market.contract().symbol.as_str(),
                "sequence": market.sequence().get(),
                "sha256": market.truth().digest(Coverage::All, Coverage::All),
            })
        })
        .collect();
    let token = server.with(|exchange, now| {
        exchange.http(now, &Request::new("POST", "/api/v1/bullet-public"));
        exchange.latest_tokens().last().cloned().unwrap_or_default()
    });
    let socket = format!("ws://{}/?token={token}&connectId=bare", server.addr());
    let bytes = flood.bytes();
    out.json(&json!({
        "type": "ready", "url": server.url(), "socket": socket, "bytes": bytes, "books": books,
    }))?;
    out.flush()?;
    let flood = Arc::new(flood);
    for line in std::io::stdin().lines() {
        line?;
        server.pour(&flood);
    }
    Ok(())
}

fn start_server(args: &BenchArgs) -> Result<Server, Failure> {
    let clock = Clock::new();
    let now = Arc::new(move || clock.now());
    let server = Server::start(([127, 0, 0, 1], 0).into(), args.seed, config(args), now);
    server.map_err(|error| Failure::new(Kind::Runtime, error))
}

/// The market stands still: what it would do is in the recording.
fn config(args: &BenchArgs) -> ExchangeConfig {
    let mut config = ExchangeConfig::default();
    let made_up = (1..).filter_map(|n| format!("BENCH{n}USDTM").parse().ok()).map(Contract::named);
    config.contracts = Contract::defaults().into_iter().chain(made_up).take(args.symbols).collect();
    config.contracts.iter_mut().for_each(|contract| contract.depth = DEPTH);
    config.rate = 0.0;
    config.unix_start = START;
    config
}
