//! A hundred subscriptions in one frame, with two that cannot be had: each is named, and nobody else is harmed.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs,
    reason = "tests"
)]

mod common;

use std::collections::BTreeMap;
use std::time::Duration;

use common::*;
use kucoin_futures_proto::{Channel, Config, Event, Output, ResponseHead, TopicEvent, TopicId};

/// The exchange refuses any frame that names it.
const REFUSED: &str = "C57USDTM";
/// The exchange confirms it and is silent; REST does not know it.
const UNLISTED: &str = "NOPEUSDTM";

/// Answers whatever was asked as the exchange would; how many frames that took.
fn answer(rig: &mut Rig, outputs: Vec<Output<'static>>, told: &mut Vec<Event>) -> usize {
    let mut frames = 0;
    let mut waiting = vec![outputs];
    while let Some(outputs) = waiting.pop() {
        told.extend(events(&outputs));
        for frame in sent(&outputs).iter().filter(|frame| frame.kind == "subscribe") {
            frames += 1;
            let names = frame.topic.split([':', ',']).any(|name| name == REFUSED);
            let id = frame.id;
            waiting.push(if names {
                rig.text(&error(&id.to_string(), 404, "topic does not exist"))
            } else {
                rig.text(&format!(r#"{{"id":"{id}","type":"ack"}}"#))
            });
        }
        for fetch in fetches(&outputs) {
            let symbol = fetch.path().rsplit('=').next().unwrap().to_owned();
            let body = match symbol.as_str() {
                UNLISTED => r#"{"code":"200003","msg":"Invalid symbol."}"#.into(),
                symbol => snapshot(symbol, 700, "[14.2,5]", "[14.3,6]"),
            };
            waiting.push(rig.reply_with(fetch.request(), ResponseHead::new(200), &body));
        }
    }
    frames
}

#[test]
fn two_of_a_hundred_are_rejected_by_name_and_ninety_eight_are_live() {
    let mut rig = Rig::with(Config::default());
    let names = (0..99).map(|n| format!("C{n:02}USDTM")).chain([UNLISTED.to_owned()]);
    let topics: BTreeMap<TopicId, String> = names.map(|name| (rig.want(&name), name)).collect();
    let outputs = rig.drain();
    rig.grant(bullet_request(&outputs));
    rig.opened();
    let outputs = rig.welcome();
    assert_eq!(sent(&outputs).len(), 1, "a hundred share a frame");

    let (mut told, mut frames) = (Vec::new(), 0);
    frames += answer(&mut rig, outputs, &mut told);
    for _ in 0..100 {
        let outputs = rig.pass(Duration::from_millis(200));
        frames += answer(&mut rig, outputs, &mut told);
    }
    // 1 + 2 * 7: a hundred are halved seven times until one is left.
    assert!(frames <= 15, "{frames}");
    let rejected = told.iter().filter_map(|event| match event {
        Event::Topic(topic, TopicEvent::Rejected { code, .. }) => Some((*code, &*topics[topic])),
        _ => None,
    });
    let mut rejected: Vec<_> = rejected.collect();
    rejected.sort_unstable();
    assert_eq!(rejected, [(404, REFUSED), (200_003, UNLISTED)]);
    for (topic, name) in &topics {
        let is_live = rig.client.book(*topic).is_some();
        assert_eq!(is_live, ![REFUSED, UNLISTED].contains(&name.as_str()), "{name}");
    }
    // A wrong channel takes nothing from the others, either.
    let mark =
        rig.client.subscribe(rig.now, Channel::instrument(REFUSED.parse().unwrap())).unwrap();
    let outputs = rig.drain();
    told.clear();
    answer(&mut rig, outputs, &mut told);
    let rejected = |event: &Event| matches!(event, Event::Topic(of, TopicEvent::Rejected { code: 404, .. }) if *of == mark);
    assert!(told.iter().any(rejected), "{told:?}");
    assert_eq!(topics.keys().filter(|topic| rig.client.book(**topic).is_some()).count(), 98);
}
