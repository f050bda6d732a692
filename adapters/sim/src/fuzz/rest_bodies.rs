//! Whatever a REST server answers.

use std::time::Duration;

use kucoin_futures_proto::{Channel, Config, Output, Query, ResponseHead};

use super::market::SYMBOLS;
use super::watched::Watched;

/// Text like that of an HTTP reply: a first line with what was asked for (`token`, `snapshot`,
/// `time` or `contracts`) and a status, lines of headers, an empty line, and a body of any bytes.
/// It answers a client that waits for it: the laws hold, the client gets on afterwards, and no
/// event, output or push shows the token that the body held.
///
/// # Panics
/// A promise is broken.
pub fn rest_bodies(bytes: &[u8]) {
    let (head, body) = split(bytes);
    live(head, body);
    if let Some(body) = with_token(body, CANARY) {
        let world = live(head, &body);
        for shown in world.log.iter().map(show).chain(world.pushes) {
            assert!(!shown.contains(CANARY), "a token was shown: {shown}");
        }
    }
}

/// What stands in place of the body's own token.
const CANARY: &str = "Xq81-canary-TOKEN";

/// Everything that a log may hold of an output; not [`Output::Open`]'s secret URL, which is asked
/// for by name.
fn show(output: &Output<'_>) -> String {
    match output {
        Output::Open { to, .. } => format!("{output:?} {output:#?} {to}"),
        _ => format!("{output:?} {output:#?}"),
    }
}

fn split(bytes: &[u8]) -> (&str, &[u8]) {
    let end = bytes.windows(2).position(|pair| pair == b"\n\n").unwrap_or(0);
    let (head, body) = bytes.split_at(end);
    (core::str::from_utf8(head).unwrap_or_default(), body.strip_prefix(b"\n\n").unwrap_or(body))
}

/// The body with another text behind the first `"token":`; `None` if there is none, or if the new
/// one stands elsewhere already. By hand, so that it works in a body that is no JSON, too.
fn with_token(body: &[u8], token: &str) -> Option<Vec<u8>> {
    const KEY: &[u8] = b"\"token\"";
    let find = |bytes: &[u8], what: &[u8]| bytes.windows(what.len()).position(|at| at == what);
    let key = find(body, KEY)? + KEY.len();
    let start = key + find(&body[key..], b"\"")? + 1;
    let end = start + find(&body[start..], b"\"")?;
    let clean = find(body, token.as_bytes()).is_none();
    clean.then(|| [&body[..start], token.as_bytes(), &body[end..]].concat())
}

fn live(head: &str, body: &[u8]) -> Watched {
    let mut lines = head.lines();
    let mut words = lines.next().unwrap_or_default().split(' ');
    let (path, query) = match words.next() {
        Some("snapshot") => ("/api/v1/level2/snapshot", None),
        Some("time") => ("/api/v1/timestamp", Some(Query::ServerTime)),
        Some("contracts") => ("/api/v1/contracts/active", Some(Query::Contracts)),
        _ => ("/api/v1/bullet-public", None),
    };
    let mut head =
        ResponseHead::new(words.next().and_then(|word| word.parse().ok()).unwrap_or(200));
    for (name, value) in lines.filter_map(|line| line.split_once(':')) {
        head.header(name, value);
    }
    let mut world = waiting_for(path, query);
    let at = world.requests.iter().position(|(_, asked)| asked.starts_with(path));
    world.reply(at.expect("it was asked for"), head, body);
    world.drain();
    get_on(&mut world);
    world.close();
    world
}

fn waiting_for(path: &str, query: Option<Query>) -> Watched {
    let mut world = Watched::new(Config::default());
    world.subscribe(Channel::level2(SYMBOLS[0].parse().expect("a symbol")));
    if let Some(query) = query {
        world.fetch(query);
    }
    world.drain();
    for _ in 0..20 {
        if world.requests.iter().any(|(_, asked)| asked.starts_with(path)) {
            return world;
        }
        step(&mut world, 0);
        world.drain();
    }
    panic!("{path} is never asked for");
}

/// What is owed is given; otherwise time passes, and every other time the market moves.
fn step(world: &mut Watched, n: usize) {
    if world.is_quiet() && n.is_multiple_of(2) {
        world.due(Duration::ZERO);
    } else {
        world.go_on(0);
    }
}

/// Whatever was answered, a book is had in the end.
fn get_on(world: &mut Watched) {
    let topic = world.topics[0];
    for n in 0..100 {
        if world.client.book(topic).is_some() {
            return;
        }
        step(world, n);
        world.drain();
    }
    let rejected = kucoin_futures_proto::TopicStatus::Rejected { code: 200_003 };
    assert_eq!(world.client.status(topic), rejected, "no book, and no word that there is none");
}
