//! What the exchange says when it refuses something arrives where its event is shown.

use kucoin_futures_host::{Item, Taken};
use kucoin_futures_proto::{Channel, Config, DisconnectReason, Event, LineEvent, TopicEvent};
use kucoin_futures_sim::{Fault, Refusal};

use crate::case::{Case, cases};
use crate::feed::{Feed, Pump as _};
use crate::peer::Peer;
use crate::rig::*;

pub(crate) fn cases<F: Feed>() -> Vec<Case> {
    let mut cases = cases![BOTH:
        the_words_of_rest_arrive,
        the_words_of_the_stream_arrive,
        the_words_of_a_refused_token_arrive,
        words_travel_through_a_pump,
    ];
    cases.extend(cases![PLAIN: a_country_that_is_not_served_is_named]);
    cases
}

/// Waits for a refusal that is right, and gives its status, code and words.
fn refusal<F: Feed>(
    feed: &mut F,
    mut right: impl FnMut(&Event) -> bool,
) -> (Option<u16>, Option<u32>, Option<String>) {
    let mut told = None;
    wait_for(feed, "a refusal", |event| {
        told = event.refusal().filter(|_| right(event));
        told.is_some()
    });
    let told = told.unwrap();
    let words = told.words.map(|words| feed.words(words).unwrap().to_owned());
    (told.status, told.code, words)
}

fn unlisted() -> Channel {
    Channel::level2("NOPEUSDTM".parse().unwrap())
}

const fn is_rejected(event: &Event) -> bool {
    matches!(event, Event::Topic(_, TopicEvent::Rejected { .. }))
}

fn the_words_of_rest_arrive<F: Feed>(wire: Wire) {
    let rig = Rig::new(wire, 0.0);
    let mut feed: F = rig.feed();
    feed.subscribe(unlisted()).unwrap();
    let told = refusal(&mut feed, is_rejected);
    assert_eq!(told, (None, Some(200_003), Some("Invalid symbol.".into())));
    rig.inject(Fault::TooManyBare { count: 1 });
    feed.fetch(kucoin_futures_proto::Query::ServerTime).unwrap();
    let told = refusal(&mut feed, |event| matches!(event, Event::QueryFailed { .. }));
    assert_eq!(told, (Some(429), Some(429_000), Some("Too Many Requests".into())));
}

fn the_words_of_the_stream_arrive<F: Feed>(wire: Wire) {
    let rig = Rig::new(wire, 0.0);
    rig.inject(Fault::RefuseRequest { error: Refusal::UnknownTopic, count: 1 });
    let (mut feed, _) = rig.book_feed::<F>();
    let told = refusal(&mut feed, is_rejected);
    assert_eq!(told, (None, Some(404), Some("topic does not exist".into())));
    rig.inject(Fault::Error { error: Refusal::Busy });
    let told = refusal(&mut feed, |event| matches!(event, Event::Line(..)));
    assert_eq!(told, (None, Some(509), Some("service busy, please retry later".into())));
}

fn the_words_of_a_refused_token_arrive<F: Feed>(wire: Wire) {
    let rig = Rig::new(wire, 0.0);
    rig.inject(Fault::ExpireToken { count: 1 });
    let (mut feed, _) = rig.book_feed::<F>();
    let told = refusal(&mut feed, |event| {
        matches!(
            event,
            Event::Line(_, LineEvent::Down { reason: DisconnectReason::Unauthorized { .. }, .. })
        )
    });
    assert_eq!(told, (None, Some(401), Some("token is expired".into())));
}

/// Also to a reader who comes when the feed is gone.
fn words_travel_through_a_pump<F: Feed>(wire: Wire) {
    let rig = Rig::new(wire, 0.0);
    let mut feed: F = rig.feed();
    let topic = feed.subscribe(unlisted()).unwrap();
    wait_for(&mut feed, "confirmed", |event| *event == Event::Topic(topic, TopicEvent::Confirmed));
    let pump = feed.spawn(16);
    stay_away(2 * SECOND);
    pump.close();
    let mut told = None;
    while let Taken::Item(item) = pump.take_within(PATIENCE) {
        let Item::State(event, words) = item else { continue };
        if is_rejected(&event) {
            told = Some((event.refusal().unwrap().code, words));
        } else {
            assert_eq!(words, None, "{event:?}");
        }
    }
    assert_eq!(told, Some((Some(200_003), Some("Invalid symbol.".into()))));
}

/// As the exchange has answered since it left some countries.
fn a_country_that_is_not_served_is_named<F: Feed>(wire: Wire) {
    const ANSWER: &str = "HTTP/1.1 403 Forbidden\r\nContent-Type: application/json\r\n\
        Connection: close\r\nContent-Length: 72\r\n\r\n\
        {\"code\":\"400302\",\"msg\":\"This service is not available in your country.\"}";
    let rig = Rig::new(wire, 0.0);
    let mut options = rig.options();
    options.config =
        Config::with_rest(&format!("http://{}", Peer::answering(ANSWER).addr())).unwrap();
    let (mut feed, _) = book_feed::<F>(options);
    let told =
        refusal(&mut feed, |event| matches!(event, Event::Line(_, LineEvent::TokenFailed(_))));
    let words = "This service is not available in your country.";
    assert_eq!(told, (Some(403), Some(400_302), Some(words.into())));
}
