//! A pump whose task is gone leaves nobody waiting.

#![allow(clippy::unwrap_used, missing_docs, reason = "tests")]

use std::future::Future;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use kucoin_futures_proto::{Config, Misuse};
use kucoin_futures_smol::Feed;

fn feed() -> Feed {
    // Nobody listens there, and nothing is subscribed to.
    Feed::new(Config::with_rest("http://127.0.0.1:1").unwrap()).unwrap()
}

/// Found by the suite: the channel keeps a command that nobody reads any more.
#[test]
fn a_command_that_comes_too_late_is_refused() {
    let mut cx = Context::from_waker(Waker::noop());
    for started in [false, true] {
        let (pump, run) = feed().pump(4);
        let mut run = Box::pin(run);
        if started {
            assert!(run.as_mut().poll(&mut cx).is_pending());
        }
        let mut asked = pin!(pump.with(|_| ()));
        assert!(asked.as_mut().poll(&mut cx).is_pending());
        drop(run);
        assert_eq!(asked.as_mut().poll(&mut cx), Poll::Ready(Err(Misuse::Closed)), "{started}");
    }
}

#[test]
fn a_task_that_is_dropped_ends_what_it_left() {
    let mut cx = Context::from_waker(Waker::noop());
    let (pump, run) = feed().pump(4);
    let mut taken = pin!(pump.take());
    assert!(taken.as_mut().poll(&mut cx).is_pending());
    drop(run);
    assert!(matches!(taken.as_mut().poll(&mut cx), Poll::Ready(None)));
}

#[test]
fn a_command_runs_in_the_task_and_is_answered() {
    let mut cx = Context::from_waker(Waker::noop());
    let (pump, run) = feed().pump(4);
    let mut run = Box::pin(run);
    let mut asked = pin!(pump.with(|feed| feed.stats().messages));
    assert!(asked.as_mut().poll(&mut cx).is_pending());
    assert!(run.as_mut().poll(&mut cx).is_pending());
    assert_eq!(asked.as_mut().poll(&mut cx), Poll::Ready(Ok(0)));
    pump.close();
    assert!(run.as_mut().poll(&mut cx).is_ready());
    assert_eq!(smol::block_on(pump.with(|_| ())), Err(Misuse::Closed));
}
