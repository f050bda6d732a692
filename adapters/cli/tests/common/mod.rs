//! Runs the real program as a process.

#![allow(dead_code, reason = "not every test file uses everything")]

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Output, Stdio};

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
