//! No token reaches the disk.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs,
    reason = "tests"
)]

mod recorded;

use std::sync::{Arc, Mutex};

use kucoin_futures_data::{Recorder, RecorderOptions, Recording, Replayer};
use kucoin_futures_proto::{Command, Config, Input, Instant, Output, Tap};
use kucoin_futures_sim::{Profile, Scenario, Taps, soak};
use recorded::Folder;

/// Notes the tokens that pass, and hands everything on.
#[derive(Debug)]
struct Spy {
    tokens: Arc<Mutex<Vec<String>>>,
    inner: Box<dyn Tap>,
}

impl Tap for Spy {
    fn on_start(&mut self, now: Instant, seed: u64, config: &Config) {
        self.inner.on_start(now, seed, config);
    }

    fn on_command(&mut self, now: Instant, command: Command) {
        self.inner.on_command(now, command);
    }

    fn on_input(&mut self, now: Instant, input: &Input<'_>) {
        self.inner.on_input(now, input);
    }

    fn on_output(&mut self, output: &Output<'_>) {
        if let Output::Open { to, .. } = output {
            let (_, token) = to.secret_url().split_once("token=").unwrap();
            let token = token.split('&').next().unwrap();
            self.tokens.lock().unwrap().push(token.into());
        }
        self.inner.on_output(output);
    }

    fn on_drained(&mut self) {
        self.inner.on_drained();
    }

    fn on_poll(&mut self) {
        self.inner.on_poll();
    }
}

#[test]
fn no_token_is_in_a_recording_and_it_replays_all_the_same() {
    let (mut seen, mut replies) = (0, 0);
    for seed in 0..20 {
        let folder = Folder::new("masked");
        let recorder = Recorder::create(folder.path(), RecorderOptions::default()).unwrap();
        let tokens = Arc::new(Mutex::new(Vec::new()));
        let spy = Spy { tokens: Arc::clone(&tokens), inner: recorder.tap() };
        let scenario = Scenario::from_seed(Profile::Swarm, seed);
        let mut spy = Some(Box::new(spy) as Box<dyn Tap>);
        let taps = Taps::new(move |number| spy.take_if(|_| number == 0));
        let report = soak::run_tapped(&scenario, None, taps, &mut |_| true);
        assert_eq!(report.failure, None);
        recorder.finish().1.unwrap();
        let recording = Recording::open(folder.path()).unwrap();
        let session = &recording.sessions[0];
        let mut replayer = Replayer::new(session);
        replayer.run(&mut ()).unwrap();
        assert!(replayer.replayed().is_equal(), "seed {seed}");
        let mut bytes = Vec::new();
        session.write_unpacked(&mut bytes).unwrap();
        let text = String::from_utf8_lossy(&bytes);
        replies += u32::from(text.contains("instanceServers"));
        for token in tokens.lock().unwrap().iter() {
            seen += 1;
            let plain = token.replace("%3D", "=").replace("%2B", "+").replace("%2F", "/");
            assert!(!text.contains(token.as_str()) && !text.contains(&plain), "seed {seed}");
        }
    }
    assert!(seen > 50 && replies > 15, "{seen} tokens, {replies} recordings of replies");
}
