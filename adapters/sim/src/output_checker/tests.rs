//! One right history, and for every law the ways to break it.

use kucoin_futures_proto::wire::Delta;
use kucoin_futures_proto::{
    BookDelayReason, BookLostReason, Channel, Client, DisconnectReason, LineId, ResponseHead,
    RestError, RestRequest, TransportError,
};

use super::*;

const LINE: LineId = LineId::new(1);
const CONN: ConnId = ConnId::new(1);
const NEXT_CONN: ConnId = ConnId::new(2);
const TOPIC: TopicId = TopicId::new(3);
const OTHER_TOPIC: TopicId = TopicId::new(4);
const QUERY: RequestId = RequestId::new(70);
const NOW: Instant = Instant::from_nanos(1_000_000_000_000);

fn checker() -> OutputChecker {
    let mut config = Config::default();
    (config.budgets.symbols_per_frame, config.queues.events) = (2, 3);
    let mut checker = OutputChecker::new(&config);
    checker.on_topic(TOPIC);
    checker.on_topic(OTHER_TOPIC);
    checker
}

/// A checker whose connection is up.
fn up() -> OutputChecker {
    let mut checker = checker();
    checker.on_outputs(NOW, &[open(CONN), line_up(CONN)]).unwrap();
    checker
}

/// A checker whose connection is up, and whose book is live at 10 in its first epoch.
fn live() -> OutputChecker {
    let mut checker = up();
    checker.on_outputs(NOW, &[book_live(1, 10)]).unwrap();
    checker
}

/// A request and an address as a client makes them; nobody else can.
fn effects() -> (RestRequest, Output<'static>) {
    let mut client = Client::new(NOW, 1, Config::default());
    client.subscribe(NOW, Channel::level2("LINKUSDTM".parse().unwrap())).unwrap();
    let Some(Output::Fetch(fetch)) = client.poll_output() else { panic!("no token asked for") };
    let body = br#"{"code":"200000","data":{"token":"a.b","instanceServers":[{"endpoint":"wss://ws.kucoin.com/","pingInterval":18000,"pingTimeout":10000}]}}"#;
    let _ = client
        .handle(NOW, Input::Reply { request: fetch.request(), head: ResponseHead::new(200), body });
    (*fetch, client.poll_output().unwrap())
}

fn open(conn: ConnId) -> Output<'static> {
    let (_, Output::Open { to, .. }) = effects() else { panic!("no connection asked for") };
    Output::Open { conn, to }
}

fn fetch() -> Output<'static> {
    Output::Fetch(effects().0.into())
}

fn line_up(conn: ConnId) -> Output<'static> {
    Output::Event(Event::Line(LINE, LineEvent::Up { conn }))
}

const fn shut(conn: ConnId) -> Output<'static> {
    Output::Close { conn }
}

fn line_down(conn: ConnId) -> Output<'static> {
    Output::Event(Event::Line(
        LINE,
        LineEvent::Down { conn, reason: DisconnectReason::PongTimeout },
    ))
}

fn send(text: &str) -> Output<'static> {
    Output::Send { conn: CONN, text: text.into() }
}

fn ping() -> Output<'static> {
    send(r#"{"id":"9","type":"ping"}"#)
}

fn book_live(epoch: u32, sequence: u64) -> Output<'static> {
    let (epoch, sequence) = (Epoch::new(epoch), Sequence::new(sequence));
    Output::Event(Event::Book(TOPIC, BookEvent::Live { epoch, sequence }))
}

fn delta(sequence: u64) -> Output<'static> {
    let text = format!(r#"{{"sequence":{sequence},"change":"14.1,buy,7","timestamp":1}}"#);
    Output::Event(Event::Book(TOPIC, BookEvent::Delta(Delta::parse(text.as_bytes()).unwrap())))
}

fn book_lost(epoch: u32) -> Output<'static> {
    let (epoch, reason) = (Epoch::new(epoch), BookLostReason::Crossed);
    Output::Event(Event::Book(TOPIC, BookEvent::Lost { epoch, reason }))
}

fn delayed() -> Output<'static> {
    Output::Event(Event::Book(OTHER_TOPIC, BookEvent::Delayed(BookDelayReason::Gap)))
}

/// A refusal that is waited out for so many milliseconds.
fn refused(ms: u64) -> Output<'static> {
    let delay = Duration::from_millis(ms);
    Output::Event(Event::Topic(TOPIC, TopicEvent::Refused { code: 404, delay, words: None }))
}

fn query_failed() -> Output<'static> {
    Output::Event(Event::QueryFailed { request: QUERY, reason: RestError::Closed })
}

fn lagged(dropped: u32) -> Output<'static> {
    Output::Event(Event::Lagged { dropped })
}

/// Messages of all kinds, no two kinds as many.
fn stats() -> Stats {
    let mut stats = Stats::default();
    for (row, n) in rows(&mut stats).into_iter().zip(0..) {
        *row = 1 << n;
    }
    stats.messages = (1 << 13) - 1;
    stats
}

fn rows(stats: &mut Stats) -> [&mut u64; 13] {
    [
        &mut stats.deltas,
        &mut stats.buffered,
        &mut stats.repeats,
        &mut stats.covered,
        &mut stats.poisoned,
        &mut stats.pushes,
        &mut stats.control,
        &mut stats.unsolicited,
        &mut stats.errors,
        &mut stats.unwanted,
        &mut stats.unknown,
        &mut stats.malformed,
        &mut stats.stale,
    ]
}

/// Everything that there is, done right: two lives, two epochs, a lag, and an end.
#[test]
fn a_right_history_breaks_no_law() {
    let mut checker = checker();
    let said = |checker: &mut OutputChecker, outputs: &[Output<'_>]| {
        checker.on_outputs(NOW, outputs).unwrap();
        checker.check_stats(&stats()).unwrap();
    };
    let at = Sequence::new;
    said(&mut checker, &[fetch(), open(CONN)]);
    said(&mut checker, &[refused(1), refused(60_000)]);
    said(&mut checker, &[line_up(CONN), ping(), send(r#"{"id":"10","topic":"/a/b:A,B"}"#)]);
    checker.on_query(QUERY).unwrap();
    checker.check_book(TOPIC, None).unwrap();
    said(&mut checker, &[book_live(1, 10), delta(11), delta(12), delayed()]);
    checker.check_book(TOPIC, Some(at(12))).unwrap();
    said(&mut checker, &[lagged(4)]);
    checker.check_book(TOPIC, Some(at(16))).unwrap();
    said(&mut checker, &[delta(17), delta(18), query_failed()]);
    checker.check_book(TOPIC, Some(at(18))).unwrap();
    checker.on_query(RequestId::new(71)).unwrap();
    checker.on_answer(RequestId::new(71)).unwrap();
    said(&mut checker, &[lagged(2), book_lost(1), book_live(2, 30), delta(31)]);
    checker.check_book(TOPIC, Some(at(31))).unwrap();
    checker.on_input(&Input::Lost { conn: CONN, error: TransportError::Eof });
    // Of a connection to come: it means nothing yet.
    checker.on_input(&Input::Lost { conn: NEXT_CONN, error: TransportError::Eof });
    said(&mut checker, &[book_lost(2), shut(CONN), line_down(CONN), open(NEXT_CONN)]);
    let text = r#"{"id":"11","type":"ping"}"#.into();
    said(&mut checker, &[line_up(NEXT_CONN), Output::Send { conn: NEXT_CONN, text }]);
    said(&mut checker, &[shut(NEXT_CONN), line_down(NEXT_CONN)]);
    checker.check_book(TOPIC, None).unwrap();
    checker.check_end().unwrap();
    let mut counted = stats();
    counted.lagged = 6;
    checker.check_lagged(&counted).unwrap();
    assert_eq!(checker.lagged(), 6);
}

#[test]
fn a_hundred_texts_in_ten_seconds_are_allowed_and_the_next_one_after_them() {
    let mut checker = up();
    let hundred = vec![ping(); MOST_SENDS];
    checker.on_outputs(NOW, &hundred).unwrap();
    checker.on_outputs(NOW + SENDS_PER, &hundred).unwrap();
    // The next connection has a budget of its own.
    checker.on_outputs(NOW + SENDS_PER, &[shut(CONN), open(NEXT_CONN)]).unwrap();
    let text = r#"{"id":"9","type":"ping"}"#.into();
    let next = [line_up(NEXT_CONN), Output::Send { conn: NEXT_CONN, text }];
    checker.on_outputs(NOW + SENDS_PER, &next).unwrap();
}

/// What breaks a law, in one way.
type Breach = fn() -> Verdict;

/// After what is right, this is wrong.
fn wrong(mut checker: OutputChecker, outputs: &[Output<'_>]) -> Verdict {
    checker.on_outputs(NOW, outputs)
}

/// At the end, too, something is wrong.
fn wrong_end(mut checker: OutputChecker, outputs: &[Output<'_>]) -> Verdict {
    checker.on_outputs(NOW, outputs).unwrap();
    checker.check_end()
}

fn readable(mut checker: OutputChecker, outputs: &[Output<'_>], at: Option<u64>) -> Verdict {
    checker.on_outputs(NOW, outputs).unwrap();
    checker.check_book(TOPIC, at.map(Sequence::new))
}

const OF_CONNECTIONS: &[(Law, Breach)] = &[
    (Law::OneOpen, || wrong(checker(), &[open(CONN), open(CONN)])),
    (Law::OneOpen, || wrong(up(), &[open(CONN)])),
    (Law::OneOpen, || wrong(up(), &[shut(CONN), line_down(CONN), open(CONN)])),
    (Law::OneUp, || wrong(checker(), &[line_up(CONN)])),
    (Law::OneUp, || wrong(up(), &[line_up(CONN)])),
    (Law::OneUp, || wrong(checker(), &[open(CONN), shut(CONN), line_up(CONN)])),
    (Law::OneShut, || wrong(checker(), &[shut(CONN)])),
    (Law::OneShut, || wrong(up(), &[shut(CONN), shut(CONN)])),
    (Law::OneShut, || wrong(up(), &[shut(CONN), line_down(CONN), shut(CONN)])),
    (Law::OneDown, || wrong(checker(), &[line_down(CONN)])),
    (Law::OneDown, || wrong(up(), &[line_down(CONN)])),
    (Law::OneDown, || wrong(up(), &[shut(CONN), line_down(CONN), line_down(CONN)])),
    (Law::SentWhileUp, || wrong(checker(), &[ping()])),
    (Law::SentWhileUp, || wrong(checker(), &[open(CONN), ping()])),
    (Law::SentWhileUp, || wrong(up(), &[shut(CONN), ping()])),
    (Law::SentWhileUp, || wrong(up(), &[shut(CONN), line_down(CONN), ping()])),
    (Law::SentToNoneLost, || {
        let mut checker = up();
        checker.on_input(&Input::Lost { conn: CONN, error: TransportError::Eof });
        wrong(checker, &[ping()])
    }),
    (Law::SentWithId, || wrong(up(), &[send("ping")])),
    (Law::SentWithId, || wrong(up(), &[send(r#"{"type":"ping"}"#)])),
    (Law::SentWithId, || wrong(up(), &[send(r#"{"id":"nine","type":"ping"}"#)])),
    (Law::SentInTime, || wrong(up(), &vec![ping(); MOST_SENDS + 1])),
    (Law::SentInTime, || {
        let mut checker = up();
        checker.on_outputs(NOW, &vec![ping(); MOST_SENDS]).unwrap();
        checker.on_outputs(NOW + (SENDS_PER - Duration::from_nanos(1)), &[ping()])
    }),
    (Law::SymbolsPerFrame, || wrong(up(), &[send(r#"{"id":"9","topic":"/a/b:A,B,C"}"#)])),
    (Law::AllOver, || wrong_end(checker(), &[open(CONN)])),
    (Law::AllOver, || wrong_end(up(), &[])),
    (Law::AllOver, || wrong_end(up(), &[shut(CONN)])),
];

const OF_BOOKS: &[(Law, Breach)] = &[
    (Law::EpochsCount, || wrong(up(), &[book_live(0, 10)])),
    (Law::EpochsCount, || wrong(up(), &[book_live(2, 10)])),
    (Law::EpochsCount, || wrong(live(), &[book_live(2, 20)])),
    (Law::EpochsCount, || wrong(live(), &[book_lost(1), book_live(1, 20)])),
    (Law::EpochsCount, || wrong(live(), &[book_lost(1), book_live(3, 20)])),
    (Law::EpochsCount, || {
        let never = OutputChecker::new(&Config::default());
        wrong(never, &[book_live(1, 10)])
    }),
    (Law::DeltasFollow, || wrong(up(), &[delta(11)])),
    (Law::DeltasFollow, || wrong(live(), &[delta(10)])),
    (Law::DeltasFollow, || wrong(live(), &[delta(12)])),
    (Law::DeltasFollow, || wrong(live(), &[delta(11), delta(11)])),
    (Law::DeltasFollow, || wrong(live(), &[book_lost(1), delta(11)])),
    (Law::DeltasFollow, || wrong(live(), &[lagged(1), delta(10)])),
    (Law::DeltasFollow, || wrong(live(), &[lagged(1), delta(12), delta(14)])),
    (Law::DeltasFollow, || wrong(live(), &[lagged(1), book_lost(1), book_live(2, 20), delta(22)])),
    (Law::LostWasLive, || wrong(up(), &[book_lost(1)])),
    (Law::LostWasLive, || wrong(live(), &[book_lost(2)])),
    (Law::LostWasLive, || wrong(live(), &[book_lost(1), book_lost(1)])),
    (Law::BooksAsTold, || readable(up(), &[], Some(10))),
    (Law::BooksAsTold, || readable(live(), &[], None)),
    (Law::BooksAsTold, || readable(live(), &[delta(11)], Some(10))),
    (Law::BooksAsTold, || readable(live(), &[delta(11)], Some(12))),
    (Law::BooksAsTold, || readable(live(), &[book_lost(1)], Some(10))),
    (Law::BooksAsTold, || readable(live(), &[lagged(1)], Some(9))),
    (Law::BooksAsTold, || readable(live(), &[lagged(1)], None)),
    (Law::BooksAsTold, || readable(live(), &[lagged(1), book_lost(1)], Some(11))),
    (Law::BooksAsTold, || readable(live(), &[lagged(1), delta(12)], Some(13))),
    (Law::NoneLive, || wrong_end(live(), &[shut(CONN), line_down(CONN)])),
];

const OF_THE_REST: &[(Law, Breach)] = &[
    (Law::PausesInBounds, || wrong(up(), &[refused(60_001)])),
    (Law::PausesInBounds, || wrong(up(), &[refused(0)])),
    (Law::RequestsOnce, || wrong(checker(), &[fetch(), fetch()])),
    (Law::AnsweredOnce, || wrong(checker(), &[query_failed()])),
    (Law::AnsweredOnce, || checker().on_answer(QUERY)),
    (Law::AnsweredOnce, || {
        let mut checker = checker();
        checker.on_query(QUERY).unwrap();
        checker.on_answer(QUERY).unwrap();
        wrong(checker, &[query_failed()])
    }),
    (Law::AnsweredOnce, || {
        let mut checker = checker();
        checker.on_query(QUERY).unwrap();
        checker.on_answer(QUERY).unwrap();
        checker.on_query(QUERY)
    }),
    (Law::QueueCap, || wrong(live(), &[delta(11), delayed(), delayed(), delta(12)])),
    (Law::LaggedCounted, || {
        let mut checker = live();
        checker.on_outputs(NOW, &[lagged(1)]).unwrap();
        checker.check_lagged(&stats())
    }),
    (Law::LaggedCounted, || {
        let mut counted = stats();
        counted.lagged = 1;
        live().check_lagged(&counted)
    }),
    (Law::AllAnswered, || {
        let mut checker = checker();
        checker.on_query(QUERY).unwrap();
        checker.check_end()
    }),
    (Law::RowsAddUp, || {
        let mut counted = stats();
        counted.messages += 1;
        checker().check_stats(&counted)
    }),
];

/// A check that cannot fail is none: each law is broken, and it is this law that is named.
#[test]
fn every_law_can_be_broken() {
    let mut broken = BTreeSet::new();
    for (n, (law, breach)) in [OF_CONNECTIONS, OF_BOOKS, OF_THE_REST].concat().iter().enumerate() {
        let found = breach().expect_err(&format!("{law:?}, breach {n}"));
        assert_eq!(found.law(), *law, "breach {n}: {found}");
        assert!(found.to_string().starts_with(&law.to_string()), "{found}");
        broken.insert(*law);
    }
    assert_eq!(broken, Law::ALL.iter().copied().collect());
}

/// Each row of the counters is in the sum, once.
#[test]
fn no_row_can_be_left_out() {
    for n in 0..13 {
        for wrong in [0, 2] {
            let mut counted = stats();
            *rows(&mut counted)[n] *= wrong;
            let broken = checker().check_stats(&counted).unwrap_err();
            assert_eq!(broken.law(), Law::RowsAddUp, "row {n}");
        }
    }
}

#[test]
fn a_broken_law_is_named_with_its_number() {
    let broken = wrong(up(), &[open(CONN)]).unwrap_err();
    assert_eq!(broken.to_string(), "law 5: Each connection has one `Open`; but ConnId(1) was Up");
    let unnumbered = wrong(up(), &[send("ping")]).unwrap_err();
    assert_eq!(
        unnumbered.to_string(),
        "A text is JSON and has a number as its id; but ConnId(1): ping"
    );
}
