//! `kcf watch` in a real terminal, as far as a machine can have one, against the simulated exchange.

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

use std::io::{Read as _, Write};
use std::num::NonZero;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use common::{Sim, command, kcf};
use kucoin_futures_host::{Clock, unix_now};
use kucoin_futures_proto::Symbol;
use kucoin_futures_sim::{Contract, ExchangeConfig, Fault, Server, Target};
use portable_pty::{Child, CommandBuilder, MasterPty, PtySize, native_pty_system};

/// Changes a second, of each market.
const RATE: f64 = 100.0;

fn serve(names: &[&str]) -> Server {
    let mut config = ExchangeConfig::default();
    let symbol = |name: &&str| name.parse::<Symbol>().unwrap();
    config.contracts = names.iter().map(symbol).map(Contract::named).collect();
    config.rate = RATE;
    config.unix_start = unix_now();
    let clock = Clock::new();
    Server::start(([127, 0, 0, 1], 0).into(), 5, config, Arc::new(move || clock.now())).unwrap()
}

/// A terminal with a program in it.
struct Tty {
    master: Box<dyn MasterPty + Send>,
    child: Box<dyn Child + Send + Sync>,
    keys: Box<dyn Write + Send>,
    /// How keys are treated before the program has begun.
    before: String,
}

impl Tty {
    fn start((cols, rows): (u16, u16), args: &[&str], env: &[(&str, &str)]) -> Self {
        let size = PtySize { rows, cols, pixel_width: 0, pixel_height: 0 };
        let pair = native_pty_system().openpty(size).unwrap();
        let before = modes(&*pair.master);
        let mut command = CommandBuilder::new(env!("CARGO_BIN_EXE_kcf"));
        command.args(args);
        for name in ["RUST_LOG", "NO_COLOR", "KUCOIN_API_KEY", "KUCOIN_API_KEY_FILE"] {
            command.env_remove(name);
        }
        command.env("TERM", "xterm-256color");
        env.iter().for_each(|(name, value)| command.env(name, value));
        let child = pair.slave.spawn_command(command).unwrap();
        let keys = pair.master.take_writer().unwrap();
        Self { master: pair.master, child, keys, before }
    }

    fn press(&mut self, keys: &str) {
        self.keys.write_all(keys.as_bytes()).unwrap();
        self.keys.flush().unwrap();
    }

    /// How it has ended; ten seconds at most.
    fn exit_code(&mut self) -> u32 {
        for _ in 0..100 {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status.exit_code();
            }
            std::thread::sleep(Duration::from_millis(100));
        }
        panic!("it does not end");
    }
}

impl Drop for Tty {
    fn drop(&mut self) {
        let _ = self.child.kill();
    }
}

/// How the terminal treats what is typed: with echo, in lines.
fn modes(master: &dyn MasterPty) -> String {
    let modes = master.get_termios().unwrap();
    format!("{:?} {:?} {:?}", modes.local_flags, modes.input_flags, modes.output_flags)
}

/// Somebody who looks at it.
struct Eyes {
    screen: Arc<Mutex<(vt100::Parser, Vec<u8>)>>,
}

impl Eyes {
    fn on(tty: &Tty) -> Self {
        let size = tty.master.get_size().unwrap();
        let [rows, cols] = [size.rows, size.cols].map(|it| NonZero::new(it).unwrap());
        let parser = vt100::Parser::new(rows, cols, 0);
        let screen = Arc::new(Mutex::new((parser, Vec::new())));
        let (theirs, mut reader) = (Arc::clone(&screen), tty.master.try_clone_reader().unwrap());
        std::thread::spawn(move || {
            let mut bytes = [0; 4096];
            while let Ok(count @ 1..) = reader.read(&mut bytes) {
                let mut screen = theirs.lock().unwrap();
                screen.0.process(&bytes[..count]);
                screen.1.extend_from_slice(&bytes[..count]);
            }
        });
        Self { screen }
    }

    fn text(&self) -> String {
        self.screen.lock().unwrap().0.screen().contents()
    }

    fn raw(&self) -> String {
        String::from_utf8_lossy(&self.screen.lock().unwrap().1).into_owned()
    }

    /// Looks until all of it is there at once; 20 s at most.
    #[track_caller]
    fn see(&self, parts: &[&str]) -> String {
        let mut text = String::new();
        for _ in 0..400 {
            text = self.text();
            if parts.iter().all(|part| text.contains(part)) {
                return text;
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        panic!("{parts:?} is not seen:\n{text}");
    }

    /// All that was written, once the last words are among it.
    fn see_end(&self) -> String {
        for _ in 0..100 {
            let raw = self.raw();
            if raw.contains("tokens") {
                return raw;
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        self.raw()
    }
}

#[test]
fn on_threads_a_market_is_seen_and_a_line_that_ends_and_keys_do_what_they_say() {
    a_market_is_seen("blocking");
}

#[test]
fn on_smol_a_market_is_seen_and_a_line_that_ends_and_keys_do_what_they_say() {
    a_market_is_seen("smol");
}

fn a_market_is_seen(runtime: &str) {
    let server = serve(&["XBTUSDTM", "ETHUSDTM"]);
    let url = server.url();
    let args =
        ["watch", "XBTUSDTM", "ETHUSDTM", "--url", &url, "--lines", "2", "--runtime", runtime];
    let mut tty = Tty::start((140, 44), &args, &[]);
    let eyes = Eyes::on(&tty);
    eyes.see(&["books 2 of 2 live", "line 0 up", "line 1 up", "XBTUSDTM at 1", "asks complete"]);
    eyes.see(&["trades of XBTUSDTM", " x ", "mark 6", "next in", "worth"]);
    assert_ne!(modes(&*tty.master), tty.before, "keys are read one by one");

    server.inject(Fault::CloseOne { code: 1001 });
    eyes.see(&["line down: ", "1001", "books 2 of 2 live", "no resync"]);
    // The next one under the cursor, and its book.
    tty.press("\t");
    eyes.see(&["ETHUSDTM at 1", "trades of ETHUSDTM", "live for"]);
    let symbol = "ETHUSDTM".parse().unwrap();
    server.inject(Fault::Drop { target: Target::One(symbol), count: 1 });
    // On both lines: the exchange pushes it on none.
    eyes.see(&["1 resync ", "gap: expected", "resyncs 1, last"]);

    tty.press("l");
    eyes.see(&["lag p50 / p99", "public", "spare", "through us", "public weight"]);
    tty.press("?");
    eyes.see(&["stop the picture; the feed goes on"]);
    tty.press("x ");
    let paused = eyes.see(&["PAUSED for"]);
    let counts = |text: &str| text.split("ETHUSDTM at ").nth(1).unwrap()[..13].to_owned();
    std::thread::sleep(Duration::from_secs(1));
    assert_eq!(counts(&eyes.text()), counts(&paused), "the picture stands still");
    tty.press(" ");
    std::thread::sleep(Duration::from_secs(1));
    assert_ne!(counts(&eyes.text()), counts(&paused), "and goes on");

    tty.press("q");
    assert_eq!(tty.exit_code(), 0);
    assert_eq!(modes(&*tty.master), tty.before, "keys are as they were");
    let raw = eyes.see_end();
    let left = raw.rfind("\u{1b}[?1049l").unwrap();
    assert!(raw[left..].contains("\u{1b}[?25h"), "and the cursor is there again");
    assert!(raw[left..].contains("messages, "), "what it came to: {}", &raw[left..]);
    assert!(raw.contains("\u{1b}[38;5;2;49m"), "green is good");
}

const DELTAS: &str = "messages_total{disposition=\"deltas\"}";

/// A terminal that shows nothing more does not hold up the feed: it goes on at the market's pace, no book is lost, and
/// it ends when it is told to.
#[test]
fn a_terminal_that_nobody_reads_does_not_hold_up_the_feed() {
    let names: Vec<String> = (0..30).map(|n| format!("T{n}USDTM")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let server = serve(&names);
    let url = server.url();
    let args = [&["watch"], &names[..], &["--url", &url, "--metrics", "127.0.0.1:0"]].concat();
    let mut tty = Tty::start((250, 60), &args, &[]);
    let mut reader = tty.master.try_clone_reader().unwrap();
    // Where metrics are, and then nothing any more: some thousand bytes later it is stuck.
    let mut said = Vec::new();
    while !said.ends_with(b"/metrics") {
        let mut byte = [0];
        reader.read_exact(&mut byte).unwrap();
        said.push(byte[0]);
    }
    let said = String::from_utf8(said).unwrap();
    let metrics = said[said.find("http://").unwrap()..].to_owned();
    let read = |name: &str| -> u64 {
        let text = ureq::get(&metrics).call().unwrap().body_mut().read_to_string().unwrap();
        let values = text.lines().filter_map(|line| {
            let rest = line.strip_prefix("kucoin_futures_")?.strip_prefix(name)?;
            rest.rsplit(' ').next()?.parse::<u64>().ok()
        });
        values.sum()
    };
    let mut tries = 0;
    while read("book_live{") < 30 {
        tries += 1;
        assert!(tries < 200, "books do not become live: {}", read("book_live{"));
        std::thread::sleep(Duration::from_millis(100));
    }
    let changes = || server.with(|exchange, _| exchange.counts().changes);
    let (made, taken) = (changes(), read(DELTAS));
    std::thread::sleep(Duration::from_secs(5));
    let (made, taken) = (changes() - made, read(DELTAS) - taken);
    assert!(made > 10_000, "5 s of 30 markets with 100 changes a second: {made}");
    assert!(taken.abs_diff(made) < made / 20, "it takes {taken} of {made}");
    // Not `resyncs_total`: a machine that is busy may make a book doubt its counter, which has nothing to do with this.
    let end = (read("book_live{"), read("gaps_total"), server.dropped());
    if end != (30, 0, 0) {
        // What is written still says why.
        let eyes = Eyes::on(&tty);
        std::thread::sleep(Duration::from_secs(2));
        panic!("{end:?}\n{}", eyes.text());
    }

    let pid = tty.child.process_id().unwrap().to_string();
    assert!(std::process::Command::new("kill").args(["-TERM", &pid]).status().unwrap().success());
    assert_eq!(tty.exit_code(), 0, "it ends without a reader");
    assert_eq!(modes(&*tty.master), tty.before);
    drop(reader);
}

#[test]
fn an_account_is_seen_and_no_secret() {
    let [key, secret, passphrase] = ["canary-key", "canary-secret", "canary-passphrase"];
    let account = format!("{key}:{secret}:{passphrase}");
    let sim = Sim::start(&[
        "--account",
        &account,
        "--activity",
        "600",
        "--symbols",
        "XBTUSDTM",
        "--rate",
        "50",
    ]);
    let env = [
        ("KUCOIN_API_KEY", key),
        ("KUCOIN_API_SECRET", secret),
        ("KUCOIN_API_PASSPHRASE", passphrase),
        ("NO_COLOR", "1"),
    ];
    let mut tty = Tty::start((140, 44), &["watch", "XBTUSDTM", "--url", &sim.url], &env);
    let eyes = Eyes::on(&tty);
    eyes.see(&["account live", "private up"]);
    tty.press("a");
    eyes.see(&["account (a: log)", "live for", "equity", "orders"]);
    tty.press("\u{3}");
    assert_eq!(tty.exit_code(), 0, "Ctrl-C is a key");
    let raw = eyes.see_end();
    assert!(!raw.contains("canary"), "{raw}");
    let colours = ["\u{1b}[31m", "\u{1b}[32m", "\u{1b}[38;5;1m", "\u{1b}[38;5;2m"];
    assert!(!colours.iter().any(|colour| raw.contains(colour)), "NO_COLOR");
}

#[test]
fn without_a_terminal_it_is_lines_once_a_second() {
    let server = serve(&["XBTUSDTM", "ETHUSDTM"]);
    let url = server.url();
    let output = kcf(&["watch", "XBTUSDTM", "ETHUSDTM", "--url", &url, "--for", "6s"]);
    assert!(output.status.success(), "{output:?}");
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(!text.contains('\u{1b}'), "no escape sequences: {text}");
    let live =
        |name| text.lines().filter(|line| line.contains(name) && line.contains(" live  ")).count();
    assert!((2..=6).contains(&live("XBTUSDTM")) && live("ETHUSDTM") >= 2, "{text}");
    assert!(text.contains("XBTUSDTM     live: epoch 1"), "changes of state, as everywhere: {text}");
    let last = text.lines().rfind(|line| line.contains("XBTUSDTM")).unwrap();
    assert!(last.contains(" | ") && last.contains("mark 6") && last.contains("msg/s"), "{last}");
}

#[test]
fn of_many_contracts_lines_tell_what_they_come_to() {
    let names: Vec<String> = (0..25).map(|n| format!("T{n}USDTM")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let server = serve(&names);
    let output = kcf(&["watch", "--all", "--url", &server.url(), "--for", "6s"]);
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(text.contains(" 25 of 25 books live, 1 of 1 lines up, "), "{text}");
}

#[test]
fn json_is_refused_with_what_to_do() {
    let output = kcf(&["watch", "XBTUSDTM", "--json"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains("kcf book"));
}

#[test]
fn the_last_look_can_be_had_as_a_picture() {
    let server = serve(&["XBTUSDTM", "ETHUSDTM"]);
    let path = std::env::temp_dir().join(format!("kcf-watch-{}.svg", std::process::id()));
    let mut watch = command(&["watch", "--all", "--url", &server.url(), "--for", "5s", "--svg"]);
    assert!(watch.arg(&path).output().unwrap().status.success());
    let picture = std::fs::read_to_string(&path).unwrap();
    std::fs::remove_file(&path).unwrap();
    assert!(picture.starts_with("<svg ") && picture.trim_end().ends_with("</svg>"));
    assert!(picture.contains("books 2 of 2 live"), "{picture}");
}
