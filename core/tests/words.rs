//! What people read: every outcome has words of its own, on one line, and no secret in them.

#![allow(clippy::unwrap_used, clippy::panic, missing_docs, reason = "tests")]

use std::collections::BTreeSet;
use std::fmt::{Debug, Display};
use std::time::Duration;

use kucoin_futures_proto::book::Book;
use kucoin_futures_proto::wire::{ErrorKind, Side, TakerSide};
use kucoin_futures_proto::{
    BookDelayReason, BookLostReason, Channel, Config, Decimal, DisconnectReason, Evidence, Misuse,
    RequestId, RestError, RestRequest, Sequence, Sign, Symbol, TransportError, WireError,
};

const FIELD: &str = "bids";

fn wire_errors() -> Vec<WireError> {
    vec![
        WireError::NotJson { at: 17 },
        WireError::TooDeep,
        WireError::Missing { field: FIELD },
        WireError::Duplicate { field: FIELD },
        WireError::WrongType { field: FIELD },
        WireError::OutOfRange { field: FIELD },
        WireError::TooPrecise { field: FIELD },
        WireError::NotWhole { field: FIELD },
        WireError::Negative { field: FIELD },
        WireError::Malformed { field: FIELD },
        WireError::TooLong { field: FIELD },
        WireError::Mismatch { field: FIELD },
        WireError::Disordered { field: FIELD },
        WireError::NoUsableServer,
        WireError::Unexpected,
    ]
}

fn losses() -> Vec<TransportError> {
    vec![
        TransportError::Dns,
        TransportError::Refused,
        TransportError::TimedOut,
        TransportError::Tls,
        TransportError::Upgrade { status: 503, retry_after: None },
        TransportError::Closed { code: Some(1012) },
        TransportError::Closed { code: None },
        TransportError::Eof,
        TransportError::Reset,
        TransportError::TooLarge,
        TransportError::Protocol,
        TransportError::Clogged,
        TransportError::NoCredentials,
        TransportError::Other,
    ]
}

#[test]
fn every_outcome_has_words_of_its_own() {
    let wire = WireError::TooDeep;
    let (expected, got) = (Sequence::new(41), Sequence::new(43));
    all_differ(&wire_errors());
    all_differ(&losses());
    all_differ(&[
        Misuse::InvalidSymbol,
        Misuse::TooManyTopics,
        Misuse::UnknownTopic,
        Misuse::TooManyQueries,
        Misuse::Closed,
        Misuse::InvalidRestBase,
    ]);
    all_differ(&[
        DisconnectReason::Lost(TransportError::Eof),
        DisconnectReason::ConnectTimeout,
        DisconnectReason::WelcomeTimeout,
        DisconnectReason::WrongWelcome,
        DisconnectReason::Unauthorized { words: None },
        DisconnectReason::PongTimeout,
        DisconnectReason::AckTimeout,
        DisconnectReason::Suspended,
        DisconnectReason::Refused { code: 509, kind: ErrorKind::Busy, words: None },
        DisconnectReason::Binary,
        DisconnectReason::Closed,
    ]);
    all_differ(&[
        BookLostReason::Gap { expected, got },
        BookLostReason::Poisoned(wire),
        BookLostReason::SequenceReset(Evidence::LongStepBack),
        BookLostReason::SequenceReset(Evidence::ThreeRepeats),
        BookLostReason::Horizon(Side::Bid),
        BookLostReason::Horizon(Side::Ask),
        BookLostReason::Crossed,
        BookLostReason::LineDown,
        BookLostReason::Unsubscribed,
    ]);
    all_differ(&[
        BookDelayReason::SnapshotTooOld { snapshot: got },
        BookDelayReason::SnapshotFailed(RestError::Http { status: 502, words: None }),
        BookDelayReason::SnapshotMalformed(wire),
        BookDelayReason::Overflow,
        BookDelayReason::Gap,
        BookDelayReason::Poisoned(wire),
        BookDelayReason::SequenceReset(Evidence::RepeatDiffers),
        BookDelayReason::SequenceReset(Evidence::SnapshotDiffers),
        BookDelayReason::SnapshotDeferred { snapshot: got, evidence: Evidence::RepeatInDoubt },
        BookDelayReason::SnapshotDoubted { snapshot: got, evidence: Evidence::RepeatInDoubt },
    ]);
    let retry_after = Some(Duration::from_millis(1178));
    all_differ(&[
        RestError::Lost(TransportError::Eof),
        limited(retry_after),
        limited(None),
        RestError::Http { status: 502, words: None },
        RestError::Api { code: 400_100, status: 400, words: None },
        RestError::Wire(wire),
        RestError::Closed,
    ]);
}

#[test]
fn all_evidence_has_words_of_its_own() {
    all_differ(&[
        Evidence::LongStepBack,
        Evidence::ThreeRepeats,
        Evidence::RepeatDiffers,
        Evidence::RepeatIsNewer,
        Evidence::StreamStaysBehind,
        Evidence::SnapshotDiffers,
        Evidence::SnapshotsStayBehind,
        Evidence::BelowHighWater,
        Evidence::UnprovenAfterReset,
        Evidence::AheadAfterReset,
        Evidence::StreamIsEarlier,
        Evidence::RepeatInDoubt,
        Evidence::ContainedIsLater,
        Evidence::FollowerIsEarlier,
        Evidence::ChangesNothing,
    ]);
}

/// By the edge in front of the exchange.
const fn limited(retry_after: Option<Duration>) -> RestError {
    RestError::RateLimited { retry_after, status: 403, code: Some(1015), words: None }
}

/// No two alike, and each a short line without the braces of a debug output.
fn all_differ<T: Display + Debug>(values: &[T]) {
    let mut seen = BTreeSet::new();
    for value in values {
        let words = value.to_string();
        let is_plain = (4..=120).contains(&words.len()) && !words.contains(['{', '}', '\n']);
        assert!(is_plain, "{value:?} is {words:?}");
        assert!(seen.insert(words), "{value:?} says what another one says");
    }
}

#[test]
fn the_words_hold_what_matters() {
    let (expected, got) = (Sequence::new(41), Sequence::new(43));
    let gap = BookLostReason::Gap { expected, got }.to_string();
    assert_eq!(gap, "gap: expected 41, got 43");
    assert_eq!(WireError::NotJson { at: 17 }.to_string(), "not JSON at byte 17");
    for error in wire_errors() {
        let names_its_field = error.to_string().contains("`bids`");
        assert_eq!(names_its_field, format!("{error:?}").contains(FIELD), "{error:?}");
        assert!(BookDelayReason::Poisoned(error).to_string().contains(&error.to_string()));
        assert_eq!(RestError::Wire(error).to_string(), error.to_string());
    }
    for error in losses() {
        assert_eq!(DisconnectReason::Lost(error).to_string(), error.to_string());
        assert_eq!(RestError::Lost(error).to_string(), error.to_string());
    }
    assert!(TransportError::Upgrade { status: 503, retry_after: None }.to_string().contains("503"));
    assert!(TransportError::Closed { code: Some(1012) }.to_string().contains("1012"));
    let stay = limited(Some(Duration::from_millis(1178)));
    assert_eq!(stay.to_string(), "rate limited for 1178 ms (HTTP 403, code 1015)");
    let api = RestError::Api { code: 400_302, status: 403, words: None };
    assert_eq!(api.to_string(), "refused with code 400302 (HTTP 403)");
    assert_eq!((Side::Bid.to_string(), Side::Ask.to_string()), ("bid".into(), "ask".into()));
    assert_eq!(
        (TakerSide::Buy.to_string(), TakerSide::Sell.to_string()),
        ("buy".into(), "sell".into())
    );
}

#[test]
fn a_channel_is_written_as_its_topic() {
    let link: Symbol = "LINKUSDTM".parse().unwrap();
    for (channel, topic) in [
        (Channel::level2(link), "/contractMarket/level2:LINKUSDTM"),
        (Channel::ticker_v2(link), "/contractMarket/tickerV2:LINKUSDTM"),
        (Channel::ticker(link), "/contractMarket/ticker:LINKUSDTM"),
        (Channel::execution(link), "/contractMarket/execution:LINKUSDTM"),
    ] {
        assert_eq!((channel.to_string().as_str(), channel.symbol()), (topic, Some(link)));
    }
}

#[test]
fn a_debug_output_of_a_book_is_its_touch_and_not_a_thousand_levels() {
    let book = format!("{:?}", Book::new(1000, 5000));
    assert_eq!(
        book,
        "Book { sequence: Sequence(0), best_bid: Empty, best_ask: Empty, bids: 0, asks: 0, .. }"
    );
    assert_eq!(format!("{:?}", "12.50".parse::<Decimal>().unwrap()), "12.5");
    assert_eq!(format!("{:?}", Config::default().endpoints.rest), "https://api-futures.kucoin.com");
}

/// A request that an adapter can test its signing with.
#[test]
fn a_private_token_is_asked_for_with_a_signature() {
    let timeout = Duration::from_secs(7);
    let sign = Sign::At { unix_ms: 1_791_500_000_250 };
    let id = RequestId::new(9);
    let rest = Config::default().endpoints.rest;
    let fetch = RestRequest::bullet_private(id, &rest, timeout, sign);
    assert_eq!((fetch.request(), fetch.sign(), fetch.timeout()), (id, sign, timeout));
    assert_eq!((fetch.method().as_str(), fetch.path()), ("POST", "/api/v1/bullet-private"));
    assert_eq!(fetch.url(), "https://api-futures.kucoin.com/api/v1/bullet-private");
    assert!(fetch.max_body() <= 1 << 20);
}
