//! `redis-server` and `nats-server` on free ports of loopback, each with a folder of its own, ended by their id.

#![allow(dead_code, reason = "not every test file uses everything")]

use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use kucoin_futures_host::Clock;
use kucoin_futures_proto::Instant;

/// A server that runs until it is killed or dropped.
pub(crate) struct EngineServer {
    name: &'static str,
    port: u16,
    folder: PathBuf,
    child: Option<Child>,
    /// What it is to read at its start.
    config: Option<PathBuf>,
}

impl EngineServer {
    /// `redis` or `nats`; `None` if there is no such program.
    pub(crate) fn start(name: &'static str) -> Option<Self> {
        Self::start_with(name, None)
    }

    /// The same with a file of settings.
    pub(crate) fn start_with(name: &'static str, config: Option<&str>) -> Option<Self> {
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let folder = std::env::temp_dir().join(format!("kcf-{name}-{}-{port}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let config = config.map(|text| {
            let path = folder.join("settings");
            std::fs::write(&path, text).unwrap();
            path
        });
        let mut server = Self { name, port, folder, child: None, config };
        server.try_start().then_some(server)
    }

    pub(crate) fn url(&self) -> String {
        format!("{}://127.0.0.1:{}", self.name, self.port)
    }

    /// At once, as by `kill -9`.
    pub(crate) fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            child.kill().unwrap();
            child.wait().unwrap();
        }
    }

    /// It does nothing any more, and its connections stay.
    pub(crate) fn hang(&self) {
        let id = self.child.as_ref().unwrap().id().to_string();
        assert!(Command::new("kill").args(["-STOP", &id]).status().unwrap().success());
    }

    /// On the same port, with nothing of what it knew.
    pub(crate) fn restart(&mut self) {
        assert!(self.try_start());
    }

    fn try_start(&mut self) -> bool {
        let port = self.port.to_string();
        let mut command = match self.name {
            "redis" => {
                let mut command = Command::new("redis-server");
                command.args([
                    "--port",
                    &port,
                    "--bind",
                    "127.0.0.1",
                    "--save",
                    "",
                    "--appendonly",
                    "no",
                ]);
                command
            }
            _ => {
                let mut command = Command::new("nats-server");
                command.args(["--addr", "127.0.0.1", "--port", &port]);
                if let Some(path) = &self.config {
                    command.arg("--config").arg(path);
                }
                command
            }
        };
        command.current_dir(&self.folder).stdin(Stdio::null());
        let Ok(child) = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn() else {
            return false;
        };
        self.child = Some(child);
        let clock = Clock::new();
        while TcpStream::connect(("127.0.0.1", self.port)).is_err() {
            assert!(
                clock.now().since(Instant::ZERO) < Duration::from_secs(10),
                "{} does not start",
                self.name
            );
            std::thread::yield_now();
        }
        true
    }
}

impl Drop for EngineServer {
    fn drop(&mut self) {
        self.kill();
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}
