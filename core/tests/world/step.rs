//! What may happen to a client, in any order.

use proptest::prelude::*;
use proptest::sample::Index;

use super::market::Change;

#[derive(Clone, Debug)]
pub(crate) enum Step {
    /// The other side does what is due: answers, opens, welcomes, confirms; else a change.
    GoOn(Change),
    /// The clock goes on by milliseconds and nobody calls.
    Wait(u32),
    /// To the deadline, or so many milliseconds past it, and the call.
    Due(u32),
    Timeout,
    ClockBack(u32),
    /// Hours.
    ClockFar(u32),
    /// So many seconds before the end of the clock's range.
    ClockEnd(u32),
    Subscribe(usize),
    Unsubscribe(Index),
    Fetch(bool),
    Close,
    Reply(Index, Body),
    OpenFails(Index),
    Welcome(bool),
    Refuse(Index, Refusal),
    Pong(bool),
    /// The market moves, and the frame arrives or not.
    Move(usize, Change, bool),
    Repeat(usize, usize),
    Restart(usize, bool),
    Poison(usize),
    Ticker(usize),
    Garbage(Vec<u8>),
    Binary,
    Lost(Index),
    /// What a connection brings comes late from now on.
    Lag(Index),
}

/// What a reply holds.
#[derive(Clone, Debug)]
pub(crate) enum Body {
    /// What was asked for; a snapshot may be a few states old.
    Right(usize),
    /// A snapshot of another symbol, a token for another host.
    Wrong,
    Html,
    Cut(Index),
    Api(u32),
    TooMany(u64),
    Failed,
}

#[derive(Clone, Copy, Debug)]
pub(crate) enum Refusal {
    /// Of one request.
    Topic,
    PerFrame,
    PerSession(Option<u32>),
    /// Of the whole connection.
    Other(u32, &'static str),
    /// Of nothing in particular: an id that the server made.
    NoId,
}

pub(crate) const SYMBOLS: usize = 3;

pub(crate) fn steps(most: usize) -> impl Strategy<Value = Vec<Step>> {
    prop::collection::vec(step(), 1..most)
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        60 => change().prop_map(Step::GoOn),
        25 => time(),
        15 => wish(),
        40 => market(),
        10 => trouble(),
    ]
}

fn time() -> impl Strategy<Value = Step> {
    prop_oneof![
        20 => (0_u32..2000).prop_map(Step::Wait),
        40 => Just(Step::Due(0)),
        10 => (0_u32..30_000).prop_map(Step::Due),
        3 => Just(Step::Timeout),
        2 => (0_u32..100_000).prop_map(Step::ClockBack),
        1 => (1_u32..100).prop_map(Step::ClockFar),
    ]
}

fn wish() -> impl Strategy<Value = Step> {
    prop_oneof![
        10 => (0..2 * SYMBOLS).prop_map(Step::Subscribe),
        5 => any::<Index>().prop_map(Step::Unsubscribe),
        2 => any::<bool>().prop_map(Step::Fetch),
    ]
}

fn market() -> impl Strategy<Value = Step> {
    let symbol = || 0..SYMBOLS;
    prop_oneof![
        30 => (symbol(), change()).prop_map(|(s, change)| Step::Move(s, change, true)),
        3 => (symbol(), change()).prop_map(|(s, change)| Step::Move(s, change, false)),
        4 => (symbol(), 0_usize..4).prop_map(|(s, back)| Step::Repeat(s, back)),
        4 => symbol().prop_map(Step::Ticker),
        1 => (symbol(), any::<bool>()).prop_map(|(s, forward)| Step::Restart(s, forward)),
        1 => symbol().prop_map(Step::Poison),
    ]
}

/// Something that the server can send of its own accord, at any rate.
pub(crate) fn frame() -> impl Strategy<Value = Step> {
    prop_oneof![
        60 => (0..SYMBOLS, change()).prop_map(|(s, change)| Step::Move(s, change, true)),
        10 => market(),
        5 => (any::<Index>(), refusal()).prop_map(|(at, refusal)| Step::Refuse(at, refusal)),
        2 => any::<bool>().prop_map(Step::Pong),
        1 => any::<bool>().prop_map(Step::Welcome),
        1 => Just(Step::Binary),
    ]
}

fn trouble() -> impl Strategy<Value = Step> {
    let bytes = prop_oneof![
        prop::collection::vec(any::<u8>(), 0..40),
        "\\{\"(id|type|topic|data|code)\":(\"(ack|pong|error|message|[0-9]{1,3})\"|[0-9]{1,20}|\\{\\}|null)[,}]{1,2}"
            .prop_map(String::into_bytes),
    ];
    prop_oneof![
        8 => (any::<Index>(), body()).prop_map(|(at, body)| Step::Reply(at, body)),
        2 => any::<Index>().prop_map(Step::OpenFails),
        2 => any::<bool>().prop_map(Step::Welcome),
        5 => (any::<Index>(), refusal()).prop_map(|(at, refusal)| Step::Refuse(at, refusal)),
        3 => any::<bool>().prop_map(Step::Pong),
        5 => bytes.prop_map(Step::Garbage),
        2 => Just(Step::Binary),
        3 => any::<Index>().prop_map(Step::Lost),
        3 => any::<Index>().prop_map(Step::Lag),
    ]
}

fn body() -> impl Strategy<Value = Body> {
    prop_oneof![
        5 => (0_usize..6).prop_map(Body::Right),
        2 => Just(Body::Wrong),
        1 => Just(Body::Html),
        1 => any::<Index>().prop_map(Body::Cut),
        1 => prop_oneof![Just(200_003), Just(500_000)].prop_map(Body::Api),
        1 => (0_u64..30_000).prop_map(Body::TooMany),
        1 => Just(Body::Failed),
    ]
}

fn refusal() -> impl Strategy<Value = Refusal> {
    let other = prop::sample::select(vec![
        (400, "ping timeout"),
        (401, "token is expired"),
        (415, "type is not supported"),
        (500, "system error"),
        (509, "exceed max permits per second"),
        (509, "service busy, please retry later"),
        (777, "?"),
    ]);
    prop_oneof![
        4 => Just(Refusal::Topic),
        1 => Just(Refusal::PerFrame),
        1 => (0_u32..4).prop_map(|limit| Refusal::PerSession((limit > 0).then_some(limit))),
        2 => other.prop_map(|(code, text)| Refusal::Other(code, text)),
        1 => Just(Refusal::NoId),
    ]
}

pub(crate) fn change() -> impl Strategy<Value = Change> {
    let size = prop_oneof![Just(0_u64), 1_u64..100];
    let tick = prop_oneof![Just(0_u32), 1_u32..40];
    (any::<bool>(), tick, size).prop_map(|(bid, tick, size)| Change { bid, tick, size })
}

/// The one that an index means, if there is any.
pub(super) fn pick(at: Index, len: usize) -> Option<usize> {
    (len > 0).then(|| at.index(len))
}
