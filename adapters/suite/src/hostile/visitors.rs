//! The process with the clients, as seen from the one with the peers.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use super::visitor::LONGEST_VISIT;

/// The argument that makes a process of this program a visitor.
pub(super) const VISITOR: &str = "--visitor";

/// What a client tells of its visit.
pub(super) struct Told {
    pub(super) what: String,
    /// Since the feed's start, by its clock.
    pub(super) took: Duration,
    /// Most bytes that the process had allocated at a time since then.
    pub(super) bytes: usize,
    pub(super) rest: String,
}

type Ears = Arc<Mutex<BTreeMap<usize, Sender<Told>>>>;

/// Clients, all of them in one other process.
pub(super) struct Visitors {
    child: Child,
    orders: Mutex<(usize, ChildStdin)>,
    ears: Ears,
}

impl Visitors {
    pub(super) fn new() -> Self {
        let program = std::env::current_exe().unwrap();
        let piped =
            Command::new(program).arg(VISITOR).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn();
        let mut child = piped.unwrap();
        let (stdin, stdout) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
        let ears = Ears::default();
        let heard = Arc::clone(&ears);
        std::thread::spawn(move || {
            for line in BufReader::new(stdout).lines().map_while(Result::ok) {
                let (number, told) = parse(&line);
                if let Some(ear) = heard.lock().unwrap().get(&number) {
                    // Who waits no longer has given it up.
                    let _ = ear.send(told);
                }
            }
            // Nothing will come any more.
            heard.lock().unwrap().clear();
        });
        Self { child, orders: Mutex::new((0, stdin)), ears }
    }

    /// Sends a client there.
    pub(super) fn send(&self, runtime: &str, url: &str, roots: &str) -> Visitor {
        let (sender, ear) = channel();
        let mut orders = self.orders.lock().unwrap();
        let (number, stdin) = &mut *orders;
        *number += 1;
        self.ears.lock().unwrap().insert(*number, sender);
        writeln!(stdin, "{number} {runtime} {url} {roots}").unwrap();
        Visitor(ear)
    }

    /// Most memory that the process ever had in use, in KiB, as the system counts.
    pub(super) fn most_resident(&self) -> Option<u64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).ok()?;
        let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
        peak.split_whitespace().next()?.parse().ok()
    }
}

/// A client that is on its way, or hangs: it is not waited for.
impl Drop for Visitors {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// One client.
pub(super) struct Visitor(Receiver<Told>);

impl Visitor {
    /// What it tells next. `None`: it hangs, or has come down.
    pub(super) fn told(&self) -> Option<Told> {
        self.0.recv_timeout(LONGEST_VISIT + Duration::from_secs(2)).ok()
    }
}

fn parse(line: &str) -> (usize, Told) {
    let mut words = line.splitn(5, ' ');
    let mut word = || words.next().unwrap_or_default().to_owned();
    let (number, what, took, bytes, rest) = (word(), word(), word(), word(), word());
    let took = Duration::from_micros(took.parse().unwrap());
    (number.parse().unwrap(), Told { what, took, bytes: bytes.parse().unwrap(), rest })
}
