//! What a subscriber of `tracing` is told: every transition, and no secret.

use std::io;
use std::sync::{Arc, Mutex, PoisonError};

use kucoin_futures_host::Next;
use kucoin_futures_proto::{BookEvent, DisconnectReason, Event, LineEvent, TopicEvent};
use kucoin_futures_sim::{Fault, Refusal, Target};
use tracing::Level;
use tracing_subscriber::fmt::format::FmtSpan;

use crate::case::{Case, cases};
use crate::feed::Feed;
use crate::rig::*;

pub(crate) fn cases<F: Feed>() -> Vec<Case> {
    cases![BOTH:
        every_transition_of_lines_and_books_is_traced,
        a_change_over_is_traced_as_two_lines,
        refusals_are_traced_with_the_words_of_the_exchange,
    ]
}

/// What was written.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Log {
    /// The lines that are written while this runs, on its thread, of what the feed traces of itself.
    fn of(run: impl FnOnce()) -> Vec<String> {
        let log = Self::default();
        let writer = log.clone();
        let subscriber = tracing_subscriber::fmt()
            .with_writer(move || writer.clone())
            .with_ansi(false)
            .with_max_level(Level::DEBUG)
            .with_span_events(FmtSpan::CLOSE)
            .without_time()
            .finish();
        tracing::subscriber::with_default(subscriber, run);
        let text = log.0.lock().unwrap_or_else(PoisonError::into_inner);
        let text = String::from_utf8_lossy(&text).into_owned();
        assert!(!text.contains("token="), "{text}");
        text.lines()
            .filter(|line| line.contains("kucoin_futures_host::trace"))
            .map(Into::into)
            .collect()
    }
}

/// Where each of these parts stands; they are in this order.
fn assert_in_order(lines: &[String], parts: &[&[&str]]) {
    let mut rest = lines.iter();
    for words in parts {
        let found = rest.any(|line| words.iter().all(|word| line.contains(word)));
        assert!(found, "{words:?} in {lines:#?}");
    }
}

fn every_transition_of_lines_and_books_is_traced<F: Feed>(wire: Wire) {
    let rig = Rig::new(wire, 200.0);
    let lines = Log::of(|| {
        let (mut feed, topic) = rig.live::<F>();
        rig.inject(Fault::Drop { target: Target::All, count: 1 });
        wait_for(&mut feed, "a gap", is_lost);
        until_live(&mut feed);
        rig.inject(Fault::CloseOne { code: 1006 });
        wait_for(&mut feed, "the line down", is_lost);
        until_live(&mut feed);
        feed.verify(topic).unwrap();
        wait_for(&mut feed, "a verdict", |event| {
            matches!(event, Event::Book(_, BookEvent::Verified { .. }))
        });
        feed.close();
        while !matches!(feed.next_within(PATIENCE), Next::Ended) {}
    });
    let line = "line{line=0 role=\"public\" conn=1}";
    assert_in_order(
        &lines,
        &[
            &["INFO", "feed{runtime=", line, "line up"],
            &["DEBUG", "topic confirmed", "topic=/contractMarket/level2:XBTUSDTM"],
            &["INFO", "book live", "symbol=XBTUSDTM", "epoch=1"],
            &[
                "INFO",
                "outage{symbol=XBTUSDTM epoch=1}",
                "book lost",
                "reason=gap: expected",
                "live_ms=",
            ],
            &["INFO", "outage{symbol=XBTUSDTM epoch=1}", "book live", "epoch=2", "outage_ms="],
            &["outage{symbol=XBTUSDTM epoch=1}", "close"],
            &["INFO", line, "line down", "reason=the stream ended without a close", "up_ms="],
            &[line, "close"],
            &["INFO", "book lost", "reason=the line is down"],
            &["DEBUG", "line waits", "delay_ms="],
            &["line up"],
            &["INFO", "outage{symbol=XBTUSDTM epoch=2}", "book live", "epoch=3"],
            &["DEBUG", "book verified"],
            &["INFO", "line down", "closed by us"],
        ],
    );
    assert!(lines.len() < 60, "nothing is said for a delta: {lines:#?}");
}

fn refusals_are_traced_with_the_words_of_the_exchange<F: Feed>(wire: Wire) {
    let rig = Rig::new(wire, 0.0);
    let lines = Log::of(|| {
        rig.inject(Fault::ExpireToken { count: 1 });
        rig.inject(Fault::RefuseRequest { error: Refusal::UnknownTopic, count: 1 });
        let (mut feed, _) = rig.book_feed::<F>();
        wait_for(&mut feed, "a rejection", |event| {
            matches!(event, Event::Topic(_, TopicEvent::Rejected { .. }))
        });
    });
    assert_in_order(
        &lines,
        &[
            &[
                "INFO",
                "line not up",
                "conn=1",
                "the token was refused",
                "said=\"token is expired\"",
            ],
            &["line{line=0 role=\"public\" conn=2}", "line up"],
            &["WARN", "topic rejected", "level2:XBTUSDTM", "code=404", "topic does not exist"],
        ],
    );
}

fn is_lost(event: &Event) -> bool {
    matches!(event, Event::Book(_, BookEvent::Lost { .. }))
}

fn a_change_over_is_traced_as_two_lines<F: Feed>(wire: Wire) {
    let rig = Rig::new(wire, 200.0);
    let lines = Log::of(|| {
        let (mut feed, _) = rig.live::<F>();
        feed.replace_lines().unwrap();
        wait_for(&mut feed, "the old one to be shut", |event| {
            let reason = DisconnectReason::Replaced;
            matches!(event, Event::Line(_, LineEvent::Down { reason: is, .. }) if *is == reason)
        });
    });
    let old = "line{line=0 role=\"public\" conn=1}";
    assert_in_order(
        &lines,
        &[
            &[old, "line up"],
            &[old, "line is being replaced", "by=1"],
            &["line{line=1 role=\"public\" conn=2}", "line up"],
            &[old, "line down", "another line has taken its place"],
        ],
    );
    assert!(lines.iter().all(|line| !line.contains("book lost")), "{lines:#?}");
}
