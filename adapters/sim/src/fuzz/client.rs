//! Arbitrary histories against the laws of the core.

use std::time::Duration;

use kucoin_futures_proto::{
    Channel, Config, ConnId, Input, Instant, Query, RequestId, ResponseHead, Symbol, TopicId,
    TransportError,
};

use super::market::SYMBOLS;
use super::reader::Reader;
use super::watched::Watched;

/// Bytes as inputs and commands: whatever happens to a client, the laws of the core's documentation
/// hold. Every history is lived twice, and what comes out is the same.
///
/// # Panics
/// A promise is broken.
pub fn client(bytes: &[u8]) {
    let [one, other] = [(); 2].map(|()| live(bytes));
    assert_eq!(one.log, other.log, "law 8");
    assert_eq!(one.pushes, other.pushes, "law 8");
    assert_eq!(one.client.stats(), other.client.stats(), "law 8");
}

const MOST_STEPS: usize = 200;
const MS: Duration = Duration::from_millis(1);

fn live(bytes: &[u8]) -> Watched {
    let mut reader = Reader::new(bytes);
    let head = reader.byte();
    let mut world = Watched::new(config(head));
    for _ in 0..MOST_STEPS {
        let Some(op) = reader.next() else { break };
        step(&mut world, op, &mut reader);
        // The upper half of the bytes does the same, and leaves what comes out for later.
        if op < 128 || head & 1 == 0 {
            world.drain();
        }
    }
    world.drain();
    world.close();
    world
}

/// Small limits, so that they are met; for some there are several lines.
fn config(head: u8) -> Config {
    let mut config = Config::default();
    config.lines.at_most = if head & 8 == 8 { 3 } else { 1 };
    (config.book.snapshot_levels, config.book.refresh_below, config.book.max_levels_per_side) =
        (5, 2, 6);
    (config.book.max_pending_deltas, config.budgets.symbols_per_frame) = (6, 2);
    (config.budgets.topics_per_line, config.budgets.snapshots_in_flight, config.queues.queries) =
        (5, 2, 2);
    if head & 24 == 24 {
        config.budgets.topics_per_line = 2;
    }
    if head & 2 == 2 {
        config.queues.events = 1 + usize::from(head >> 4);
    }
    if head & 4 == 4 {
        (config.book.snapshot_levels, config.book.max_levels_per_side) = (6, 20);
    }
    config
}

fn step(world: &mut Watched, op: u8, reader: &mut Reader<'_>) {
    match op % 32 {
        0..=5 => world.go_on(reader.byte()),
        6..=8 => due(world, reader),
        9 => world.now = world.now + u32::from(reader.byte()) * 10 * MS,
        10 => strange_clock(world, reader),
        11 | 12 => subscribe(world, reader),
        13 => {
            let topic = TopicId::new(reader.below(8) as u32);
            world.unsubscribe(topic);
        }
        14 => world.fetch(if reader.bit() { Query::ServerTime } else { Query::Contracts }),
        15 | 16 => reply(world, reader),
        17 => lose(world, reader),
        18..=21 => market(world, reader),
        22 => refuse(world, reader),
        23 | 24 => {
            let at = some_conn(world, reader);
            let piece = reader.piece();
            world.text(at, piece);
        }
        25 => welcome_or_lag(world, reader),
        26 => {
            let at = some_conn(world, reader);
            if let Some(conn) = world.conns.get(at).map(|conn| conn.id) {
                world.input(Input::Binary { conn });
            }
        }
        27 | 28 => stale(world, reader),
        29 => early(world),
        30 => {
            let at = some_conn(world, reader);
            let id = reader.byte();
            let kind = ["ack", "pong", "welcome", "notice"][reader.below(4)];
            world.text(at, format!(r#"{{"id":"{id}","type":"{kind}"}}"#).as_bytes());
        }
        _ => (0..4).for_each(|_| world.due(Duration::ZERO)),
    }
}

/// The place of a connection; no byte is used up where there is no choice.
fn some_conn(world: &Watched, reader: &mut Reader<'_>) -> usize {
    if world.conns.len() > 1 { reader.below(world.conns.len()) } else { 0 }
}

/// Says a welcome; where each of several connections has had its own, one of them comes late from now on.
fn welcome_or_lag(world: &mut Watched, reader: &mut Reader<'_>) {
    let at = some_conn(world, reader);
    if world.conns.len() < 2 || world.conns.iter().any(|conn| !conn.welcomed) {
        return world.welcome(at);
    }
    world.conns[at].late.get_or_insert_default();
}

fn due(world: &mut Watched, reader: &mut Reader<'_>) {
    let late = if reader.bit() { u32::from(reader.byte()) * 100 } else { 0 };
    world.due(late * MS);
}

fn strange_clock(world: &mut Watched, reader: &mut Reader<'_>) {
    let amount = u64::from(reader.byte()) * 1_000_000_000;
    let nanos = world.now.as_nanos();
    world.now = Instant::from_nanos(match reader.below(8) {
        0..=3 => nanos.saturating_sub(amount),
        4..=6 => nanos.saturating_add(amount * 100),
        _ => u64::MAX - amount,
    });
}

fn subscribe(world: &mut Watched, reader: &mut Reader<'_>) {
    let symbol: Symbol = SYMBOLS[reader.below(3)].parse().expect("a symbol");
    world.subscribe(match reader.below(6) {
        0..=2 => Channel::level2(symbol),
        3 => Channel::ticker_v2(symbol),
        4 => Channel::ticker(symbol),
        _ => Channel::execution(symbol),
    });
}

fn reply(world: &mut Watched, reader: &mut Reader<'_>) {
    if world.requests.is_empty() {
        return;
    }
    let at = reader.below(world.requests.len());
    let mut head = ResponseHead::new([200, 200, 200, 400, 401, 403, 429, 500][reader.below(8)]);
    let mut body = world.answer(at, u64::from(reader.byte()));
    match reader.below(8) {
        0 => body.truncate(reader.below(body.len())),
        1 => {
            body = format!(r#"{{"code":"{}","msg":"no"}}"#, [429_000, 200_003, 5][reader.below(3)])
        }
        2 => head.header("gw-ratelimit-reset", &reader.number().saturating_mul(100).to_string()),
        3 => body = body.replace("kucoin.com", "evil.io").replace("LINK", "SINK"),
        4 => {
            let piece = reader.piece();
            return world.reply(at, head, piece);
        }
        5 => {
            let (request, _) = world.requests.remove(at);
            return world.input(Input::Failed { request, error: any_error(reader) });
        }
        _ => {}
    }
    world.reply(at, head, body.as_bytes());
}

fn any_error(reader: &mut Reader<'_>) -> TransportError {
    match reader.below(8) {
        0 => TransportError::Refused,
        1 => TransportError::Upgrade { status: 401, retry_after: None },
        2 => TransportError::Upgrade { status: 429, retry_after: Some(Duration::from_secs(2)) },
        3 => TransportError::Closed { code: Some(1012) },
        4 => TransportError::Tls,
        5 => TransportError::Reset,
        6 => TransportError::TooLarge,
        _ => TransportError::Eof,
    }
}

fn lose(world: &mut Watched, reader: &mut Reader<'_>) {
    let error = any_error(reader);
    let at = some_conn(world, reader);
    if at < world.conns.len() {
        let conn = world.conns.remove(at).id;
        world.input(Input::Lost { conn, error });
    }
}

fn market(world: &mut Watched, reader: &mut Reader<'_>) {
    let (at, bits) = (reader.below(3), reader.byte());
    let market = &mut world.markets[at];
    let frame = match reader.below(12) {
        0 => market.level2(market.sequence.saturating_sub(u64::from(bits % 8)), bits),
        1 => {
            let _ = market.change(bits);
            return;
        }
        2 => {
            market.sequence = market.sequence.saturating_sub(5000);
            market.change(bits)
        }
        3 => market.change(bits).replace(".5,", ".5.5,"),
        4 | 5 => market.ticker(u64::from(bits)),
        6 | 7 => market.trade(u64::from(bits)),
        8 => market.level2(reader.number(), bits),
        _ => market.change(bits),
    };
    world.push(&frame);
}

fn refuse(world: &mut Watched, reader: &mut Reader<'_>) {
    let which = some_conn(world, reader);
    let Some(conn) = world.conns.get_mut(which) else { return };
    let at = reader.below(8);
    let id = if at < conn.unanswered.len() { conn.unanswered.remove(at) } else { "77".into() };
    let (code, text) = [
        (404, "topic does not exist"),
        (509, "exceed limitation of 2 per time"),
        (509, "limitation of 3 per session"),
        (509, "exceed max permits per second"),
        (509, "service busy, please retry later"),
        (400, "ping timeout"),
        (401, "token is expired"),
        (500, "system error"),
    ][reader.below(8)];
    let text = format!(r#"{{"id":"{id}","type":"error","code":{code},"data":"{text}"}}"#);
    world.text(which, text.as_bytes());
}

/// Law 7: what belongs to nothing that is there changes nothing but a counter.
fn stale(world: &mut Watched, reader: &mut Reader<'_>) {
    let number = reader.number() as u32;
    let (conn, request) = (ConnId::new(number), RequestId::new(number));
    let alive = world.conns.iter().any(|present| present.id == conn);
    // Where the adapter has reported the loss, the client has forgotten the connection, too.
    let asked = world.requests.iter().any(|(present, _)| *present == request);
    let (kind, piece) = (reader.below(6), reader.piece());
    if world.is_overdue() || (alive && kind < 4) || (asked && kind >= 4) {
        return;
    }
    let before = (world.client.poll_timeout(), *world.client.stats());
    world.now = world.latest;
    world.input(match kind {
        0 => Input::Text { conn, bytes: piece },
        1 => Input::Opened { conn },
        2 => Input::Binary { conn },
        3 => Input::Lost { conn, error: TransportError::Eof },
        4 => Input::Failed { request, error: TransportError::Reset },
        _ => Input::Reply { request, head: ResponseHead::new(429), body: piece },
    });
    let mut stats = *world.client.stats();
    let counted = (stats.stale - before.1.stale) + (stats.stale_inputs - before.1.stale_inputs);
    assert_eq!(counted, 1, "law 7");
    stats.messages -= stats.stale - before.1.stale;
    (stats.stale, stats.stale_inputs) = (before.1.stale, before.1.stale_inputs);
    stats.binary = before.1.binary;
    assert_eq!((world.client.poll_timeout(), stats), before, "law 7");
    assert_eq!(world.client.poll_output(), None, "law 7");
}

/// Law 4: a call before the deadline changes nothing.
fn early(world: &mut Watched) {
    if world.is_overdue() {
        return;
    }
    let before = (world.client.poll_timeout(), *world.client.stats());
    world.now = world.latest;
    world.input(Input::Timeout);
    assert_eq!((world.client.poll_timeout(), *world.client.stats()), before, "law 4");
    assert_eq!(world.client.poll_output(), None, "law 4");
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use kucoin_futures_proto::{BookEvent, Event, LineEvent, Output};

    use super::*;

    /// How many lines were up in a history, and how many books were live.
    fn reached(bytes: &[u8]) -> (usize, usize) {
        let (mut lines, mut books) = (BTreeSet::new(), BTreeSet::new());
        for output in live(bytes).log {
            match output {
                Output::Event(Event::Line(line, LineEvent::Up { .. })) => {
                    lines.insert(line);
                }
                Output::Event(Event::Book(topic, BookEvent::Live { .. })) => {
                    books.insert(topic);
                }
                _ => {}
            }
        }
        (lines.len(), books.len())
    }

    #[test]
    fn the_head_decides_how_many_lines_there_are() {
        let history: Vec<u8> = [[11, 0, 0], [11, 1, 0], [11, 2, 0]]
            .into_iter()
            .flatten()
            .chain((0..14).flat_map(|n| [0, 33 + n % 3]))
            .chain((0..20).flat_map(|n| [6, 0, 0, 32 + n % 3 * 4]))
            .collect();
        for (head, expected) in [(0, 1), (8, 1), (24, 2)] {
            let (lines, books) = reached(&[&[head], history.as_slice()].concat());
            assert_eq!(lines, expected, "{head}");
            assert!(books > 1, "{head}: {books} books were live");
        }
    }
}
