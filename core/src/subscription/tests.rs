//! Batches, acks and refusals one by one. `subscription/model.rs` has the tests of arbitrary order.

use std::vec;
use std::vec::Vec;

use proptest::prelude::*;

use super::{AckOutcome, SubscriptionState, Subscriptions};
use crate::channel::ChannelKind::{self, Level2, TickerV2};
use crate::config::Config;
use crate::ids::TopicId;
use crate::time::Instant;
use crate::wire::ErrorKind;
use crate::wire::encode::Command::{self, Subscribe, Unsubscribe};

mod model;

#[test]
fn a_frame_holds_up_to_100_topics_of_one_channel() {
    let mut subs = subs();
    for id in 0..230 {
        assert!(!subs.subscribe(topic(id), if id < 130 { Level2 } else { TickerV2 }));
    }
    let mut frames = Vec::new();
    while subs.has_work() {
        let (command, kind, topics) = send(&mut subs, frames.len() as u64);
        frames.push((command, kind, topics.len()));
    }
    let expected =
        [(Level2, 100), (Level2, 30), (TickerV2, 100)].map(|(kind, n)| (Subscribe, kind, n));
    assert_eq!(frames, expected);
}

#[test]
fn an_ack_confirms_the_frame_with_its_id_and_no_other() {
    let mut subs = two_frames_of_one();
    assert_eq!(subs.on_ack(Some(3)), AckOutcome::Unknown);
    assert_eq!(subs.on_ack(None), AckOutcome::Unknown);
    assert_eq!(done(subs.on_ack(Some(2))), [topic(2)], "out of order");
    assert_eq!(subs.on_ack(Some(2)), AckOutcome::Unknown, "a second ack means nothing");
    assert_eq!(done(subs.on_ack(Some(1))), [topic(1)]);
    assert!(subs.subscribe(topic(1), Level2), "confirmed already");
    assert_eq!(subs.deadline(), None);
}

/// Lost at the server, on a line that is full.
#[test]
fn a_topic_that_is_asked_for_once_more_has_its_room() {
    let mut subs = Subscriptions { topics_per_line: 2, ..one_frame(&[1, 2]) };
    subs.renew(topic(1), Level2);
    assert!(!subs.has_work(), "not confirmed yet");
    done(subs.on_ack(Some(1)));
    subs.renew(topic(1), Level2);
    assert_eq!(send(&mut subs, 2), (Subscribe, Level2, vec![topic(1)]));
    assert_eq!(done(subs.on_ack(Some(2))), [topic(1)]);
    // What ends is not asked for again, nor what is asked for again and ends.
    assert!(!subs.unsubscribe(topic(1), Level2));
    subs.renew(topic(1), Level2);
    subs.renew(topic(2), Level2);
    assert!(!subs.unsubscribe(topic(2), Level2));
    assert_eq!(send(&mut subs, 3), (Unsubscribe, Level2, vec![topic(1), topic(2)]));
    assert!(!subs.has_work());
}

#[test]
fn an_ack_of_an_earlier_try_counts() {
    let mut subs = one_frame(&[1, 2]);
    assert_eq!(subs.on_overdue(at(5)), AckOutcome::Again);
    assert_eq!(send(&mut subs.clone(), 2).2, [topic(1), topic(2)], "the same topics again");

    let mut waiting = subs.clone();
    assert_eq!(done(waiting.on_ack(Some(1))).len(), 2, "before it went out again");
    assert!(!waiting.has_work());

    send(&mut subs, 2);
    assert_eq!(done(subs.on_ack(Some(1))).len(), 2, "after it went out again");
    assert_eq!(subs.on_ack(Some(2)), AckOutcome::Unknown, "the later try's ack comes as well");
}

#[test]
fn a_frame_is_sent_four_times_before_the_line_is_given_up() {
    let mut subs = one_frame(&[1]);
    for id in 2..=4 {
        assert_eq!(subs.on_overdue(at(4)), AckOutcome::Unknown, "not overdue yet");
        assert_eq!(subs.on_overdue(at(5)), AckOutcome::Again);
        send(&mut subs, id);
    }
    assert_eq!(subs.on_overdue(at(5)), AckOutcome::GiveUp);
}

#[test]
fn a_refused_batch_is_halved_until_the_bad_symbol_stands_alone() {
    let mut subs = one_frame(&[1, 2, 3, 4]);
    assert_eq!(subs.on_error(Some(1), ErrorKind::Topic), AckOutcome::Again);
    assert_eq!(send(&mut subs, 2).2, [topic(1), topic(2)]);
    assert_eq!(send(&mut subs, 3).2, [topic(3), topic(4)]);
    assert_eq!(done(subs.on_ack(Some(2))).len(), 2);
    assert_eq!(subs.on_error(Some(3), ErrorKind::Topic), AckOutcome::Again);
    send(&mut subs, 4);
    send(&mut subs, 5);
    assert_eq!(subs.on_error(Some(4), ErrorKind::Topic), AckOutcome::Refused(topic(3)));
    assert_eq!(done(subs.on_ack(Some(5))), [topic(4)]);
    assert!(!subs.has_work());
}

#[test]
fn an_error_without_an_id_of_ours_concerns_the_only_open_request() {
    for strange in [None, Some(u64::MAX)] {
        let mut subs = one_frame(&[1]);
        let answer = subs.on_error(strange, ErrorKind::Topic);
        let expected =
            if strange.is_none() { AckOutcome::Refused(topic(1)) } else { AckOutcome::Unknown };
        assert_eq!(answer, expected, "{strange:?}");
    }
    assert_eq!(two_frames_of_one().on_error(None, ErrorKind::Topic), AckOutcome::Unknown, "whose?");
}

#[test]
fn a_late_error_of_a_settled_request_is_not_blamed_on_another() {
    let mut subs = one_frame(&[1]);
    subs.on_overdue(at(5));
    send(&mut subs, 2);
    assert_eq!(subs.on_error(Some(1), ErrorKind::Topic), AckOutcome::Refused(topic(1)));
    subs.subscribe(topic(9), Level2);
    send(&mut subs, 3);
    assert_eq!(subs.on_error(Some(2), ErrorKind::Topic), AckOutcome::Unknown, "the second try's");
    assert_eq!(done(subs.on_ack(Some(3))), [topic(9)]);
}

#[test]
fn a_509_about_one_frame_halves_all_frames_for_good() {
    let all: Vec<u32> = (0..100).collect();
    let mut subs = one_frame(&all);
    assert_eq!(subs.on_error(Some(1), ErrorKind::TooManyPerFrame), AckOutcome::Again);
    assert_eq!((send(&mut subs, 2).2.len(), send(&mut subs, 3).2.len()), (50, 50));
    subs.clear();
    want(&mut subs, &all);
    assert_eq!(send(&mut subs, 4).2.len(), 50, "learned, and kept over a reconnect");
}

#[test]
fn a_509_about_the_session_teaches_how_many_topics_it_takes() {
    let all: Vec<u32> = (0..100).collect();
    let mut subs = one_frame(&all);
    assert_eq!(subs.on_error(Some(1), limit(Some(40))), AckOutcome::Again);
    assert_eq!(send(&mut subs, 2).2.len(), 40);
    for refused in 40..100 {
        assert_eq!(subs.next_batch(3, at(5)), Some(Err(topic(refused))), "no room");
    }
    assert!(!subs.has_work());
    subs.clear();
    want(&mut subs, &all);
    assert_eq!(send(&mut subs, 4).2.len(), 40, "learned, and kept over a reconnect");
}

/// The server counts something else than we do: believing it would shut the line for good.
#[test]
fn a_509_that_does_not_explain_itself_is_halved_and_teaches_nothing() {
    for unexplained in [None, Some(0), Some(300)] {
        let mut subs = one_frame(&[1, 2]);
        assert_eq!(subs.on_error(Some(1), limit(unexplained)), AckOutcome::Again);
        assert_eq!((send(&mut subs, 2).2.len(), send(&mut subs, 3).2.len()), (1, 1));
        assert_eq!(done(subs.on_ack(Some(2))), [topic(1)]);
        assert_eq!(subs.on_error(Some(3), limit(unexplained)), AckOutcome::Rejected(topic(2)));
        subs.subscribe(topic(2), Level2);
        assert_eq!(send(&mut subs, 4).2.len(), 1, "asked again when wanted again");
    }
}

#[test]
fn a_topic_may_take_the_place_of_one_that_is_being_ended() {
    let mut config = Config::default();
    config.budgets.topics_per_line = 1;
    let mut subs = Subscriptions::new(&config);
    subs.subscribe(topic(1), Level2);
    send(&mut subs, 1);
    subs.on_ack(Some(1));
    subs.unsubscribe(topic(1), Level2);
    subs.subscribe(topic(2), Level2);
    assert_eq!(send(&mut subs, 2), (Unsubscribe, Level2, vec![topic(1)]), "this goes out first");
    assert_eq!(send(&mut subs, 3), (Subscribe, Level2, vec![topic(2)]));
    subs.on_ack(Some(2));
    assert_eq!(done(subs.on_ack(Some(3))), [topic(2)]);
}

#[test]
fn an_end_that_fails_is_an_end() {
    let mut subs = one_frame(&[1]);
    subs.on_ack(Some(1));
    assert!(!subs.unsubscribe(topic(1), Level2));
    send(&mut subs, 2);
    assert_eq!(done(subs.on_error(Some(2), ErrorKind::Topic)), [topic(1)]);
    assert!(subs.unsubscribe(topic(1), Level2), "not carried any more");
}

#[test]
fn what_was_not_asked_yet_is_ended_without_a_word() {
    let mut subs = subs();
    subs.subscribe(topic(1), Level2);
    assert!(subs.unsubscribe(topic(1), Level2));
    assert!(!subs.has_work());
}

#[test]
fn a_change_of_mind_while_asked_takes_effect_after_the_answer() {
    let mut subs = one_frame(&[1]);
    assert!(!subs.unsubscribe(topic(1), Level2));
    assert!(!subs.has_work(), "not before the answer: frames about one topic must not overtake");
    subs.on_ack(Some(1));
    assert_eq!(send(&mut subs, 2).0, Unsubscribe);
    subs.subscribe(topic(1), Level2);
    subs.on_ack(Some(2));
    assert_eq!(send(&mut subs, 3).0, Subscribe);
}

#[test]
fn a_change_of_mind_and_back_again_sends_nothing() {
    let mut asked = one_frame(&[1]);
    asked.unsubscribe(topic(1), Level2);
    asked.subscribe(topic(1), Level2);
    asked.on_ack(Some(1));
    assert!(!asked.has_work());

    let mut confirmed = one_frame(&[1]);
    confirmed.on_ack(Some(1));
    confirmed.unsubscribe(topic(1), Level2);
    assert!(confirmed.subscribe(topic(1), Level2), "confirmed all the time");
    assert!(!confirmed.has_work());
}

#[test]
fn a_topic_that_is_put_off_keeps_its_place_and_says_nothing_until_its_time() {
    let mut config = Config::default();
    config.budgets.topics_per_line = 1;
    let mut subs = Subscriptions::new(&config);
    subs.subscribe(topic(1), Level2);
    send(&mut subs, 1);
    assert_eq!(subs.on_error(Some(1), ErrorKind::Topic), AckOutcome::Refused(topic(1)));
    assert_eq!(subs.state(topic(1)), None, "unless it is put off");
    subs.put_off(topic(1), 404);
    assert_eq!(subs.state(topic(1)), Some(SubscriptionState::Refused { code: 404 }));
    assert!(!subs.has_work());
    subs.subscribe(topic(2), Level2);
    assert_eq!(subs.next_batch(2, at(5)), Some(Err(topic(2))), "no room");
    assert!(!subs.subscribe(topic(1), Level2), "not confirmed");
    assert_eq!(send(&mut subs, 3), (Subscribe, Level2, vec![topic(1)]));
    assert_eq!(done(subs.on_ack(Some(3))), [topic(1)]);
}

/// Its stream may go on: an earlier request was obeyed.
#[test]
fn a_topic_that_is_put_off_is_ended_as_if_it_were_carried() {
    let mut subs = one_frame(&[1]);
    subs.on_error(Some(1), ErrorKind::Topic);
    subs.put_off(topic(1), 404);
    assert!(!subs.unsubscribe(topic(1), Level2));
    let mut anew = subs.clone();
    assert_eq!(send(&mut subs, 2), (Unsubscribe, Level2, vec![topic(1)]));
    assert_eq!(done(subs.on_error(Some(2), ErrorKind::Topic)), [topic(1)]);
    assert_eq!((subs.state(topic(1)), subs.has_work()), (None, false));
    anew.subscribe(topic(1), Level2);
    assert_eq!(send(&mut anew, 2), (Subscribe, Level2, vec![topic(1)]), "wanted again in time");
    assert!(!anew.has_work());
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    /// Whatever mix of good and bad symbols: the bad ones are found, the good ones do not suffer,
    /// and it takes no more frames than halving needs.
    #[test]
    fn bisecting_finds_exactly_the_bad_symbols(
        bad in prop::collection::btree_set(0_u32..300, 0..8),
        count in 1_u32..300,
    ) {
        let mut subs = subs();
        want(&mut subs, &(0..count).collect::<Vec<_>>());
        let (mut confirmed, mut refused, mut frames) = (Vec::new(), Vec::new(), 0_u64);
        while subs.has_work() {
            frames += 1;
            let (_, _, topics) = send(&mut subs, frames);
            if topics.iter().any(|topic| bad.contains(&topic.get())) {
                if let AckOutcome::Refused(topic) = subs.on_error(Some(frames), ErrorKind::Topic) {
                    refused.push(topic.get());
                }
            } else {
                confirmed.extend(done(subs.on_ack(Some(frames))).iter().map(|topic| topic.get()));
            }
        }
        confirmed.sort_unstable();
        refused.sort_unstable();
        let (bad, good): (Vec<u32>, Vec<u32>) = (0..count).partition(|id| bad.contains(id));
        let halvings = 7;
        let most = u64::from(count.div_ceil(100)) + 2 * halvings * bad.len() as u64;
        prop_assert!(frames <= most, "{} frames, {} at most", frames, most);
        prop_assert_eq!((confirmed, refused), (good, bad));
    }
}

fn subs() -> Subscriptions {
    Subscriptions::new(&Config::default())
}

fn topic(id: u32) -> TopicId {
    TopicId::new(id)
}

fn at(seconds: u64) -> Instant {
    Instant::from_nanos(seconds * 1_000_000_000)
}

fn limit(limit: Option<u32>) -> ErrorKind {
    ErrorKind::TooManyTopics { limit }
}

/// Sends the next frame, due at 5 s.
fn send(subs: &mut Subscriptions, id: u64) -> (Command, ChannelKind, Vec<TopicId>) {
    let batch = subs.next_batch(id, at(5)).unwrap().unwrap();
    (batch.command, batch.kind, batch.topics.clone())
}

fn want(subs: &mut Subscriptions, topics: &[u32]) {
    for &id in topics {
        subs.subscribe(topic(id), Level2);
    }
}

fn one_frame(topics: &[u32]) -> Subscriptions {
    let mut subs = subs();
    want(&mut subs, topics);
    assert_eq!(send(&mut subs, 1).2.len(), topics.len());
    subs
}

fn two_frames_of_one() -> Subscriptions {
    let mut subs = one_frame(&[1]);
    subs.subscribe(topic(2), Level2);
    send(&mut subs, 2);
    subs
}

fn done(answer: AckOutcome) -> Vec<TopicId> {
    let AckOutcome::Done(batch) = answer else { panic!("{answer:?}") };
    batch.topics
}
