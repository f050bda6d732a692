//! A feed is only a future: dropped at any time, polled by anyone.

#![allow(clippy::unwrap_used, clippy::panic, missing_docs, reason = "tests")]

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::thread::Thread;

use kucoin_futures_host::Clock;
use kucoin_futures_proto::{Channel, Config};
use kucoin_futures_sim::{ExchangeConfig, Server};
use kucoin_futures_smol::{Feed, Update};

fn exchange() -> Server {
    let (clock, mut config) = (Clock::new(), ExchangeConfig::default());
    config.rate = 300.0;
    Server::start(([127, 0, 0, 1], 0).into(), 1, config, Arc::new(move || clock.now())).unwrap()
}

fn feed(server: &Server) -> Feed {
    let mut feed = Feed::new(Config::with_rest(&server.url()).unwrap()).unwrap();
    feed.subscribe(Channel::level2("XBTUSDTM".parse().unwrap())).unwrap();
    feed
}

/// The sequence, if the update is a change.
fn sequence(update: &Update<'_>) -> Option<u64> {
    match update {
        Update::Book(change) => Some(change.delta.sequence.get()),
        Update::State(_) | Update::Push(_) => None,
    }
}

#[test]
fn waits_that_are_dropped_lose_nothing() {
    let server = exchange();
    let mut feed = feed(&server);
    let (mut seen, mut dropped) = (Vec::new(), 0);
    smol::block_on(async {
        while seen.len() < 200 {
            // Given up at its first poll, again and again; sometimes waited for.
            let now = pin!(feed.next()).poll(&mut Context::from_waker(Waker::noop()));
            match now {
                Poll::Ready(update) => seen.extend(sequence(&update.unwrap())),
                Poll::Pending => {
                    dropped += 1;
                    let update = feed.next().await.unwrap();
                    seen.extend(sequence(&update));
                }
            }
        }
    });
    assert!(dropped > 20, "{dropped}");
    assert!(seen.is_sorted_by(|a, b| a + 1 == *b), "{seen:?}");
    assert_eq!(feed.stats().gaps, 0);
}

#[test]
fn any_executor_will_do() {
    let server = exchange();
    let mut feed = feed(&server);
    let mut changes = 0;
    while changes < 100 {
        changes += u32::from(sequence(&block_on(feed.next()).unwrap()).is_some());
    }
}

/// The smallest executor there is.
fn block_on<T>(future: impl Future<Output = T>) -> T {
    struct Unpark(Thread);
    impl Wake for Unpark {
        fn wake(self: Arc<Self>) {
            self.0.unpark();
        }
    }
    let mut future = pin!(future);
    let waker = Waker::from(Arc::new(Unpark(std::thread::current())));
    loop {
        if let Poll::Ready(output) = future.as_mut().poll(&mut Context::from_waker(&waker)) {
            return output;
        }
        std::thread::park();
    }
}
