//! What a query asks for, out of whose budget, and what becomes of refusals.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs,
    reason = "tests"
)]

mod common;

use std::time::Duration;

use common::*;
use kucoin_futures_proto::{
    Config, Event, Granularity, Input, Output, PageNumber, Query, RequestId, ResponseHead,
    RestError, SeriesPart, Sign, Symbol, TimeRange, UnixNanos,
};

fn at(millis: u64) -> UnixNanos {
    UnixNanos::from_millis(millis).unwrap()
}

fn symbol(text: &str) -> Symbol {
    text.parse().unwrap()
}

fn config(change: impl Fn(&mut Config)) -> Config {
    let mut config = Config::default();
    change(&mut config);
    config
}

/// Asks, and says what goes out.
fn ask(rig: &mut Rig, query: Query) -> Vec<RequestId> {
    rig.client.fetch(rig.now, query).unwrap();
    let outputs = rig.drain();
    fetches(&outputs).iter().map(|fetch| fetch.request()).collect()
}

/// The requests for the market, and where they go.
fn of_the_market() -> Vec<(Query, &'static str)> {
    let link = symbol(LINK);
    let range = TimeRange { from: Some(at(1_791_500_000_001)), to: Some(at(1_791_500_060_000)) };
    // What is finer than the exchange's milliseconds is left out.
    let from = UnixNanos::from_nanos(1_791_500_000_001_999_999);
    let part = SeriesPart { range, offset: Some(at(1_791_500_030_000)), max_count: Some(100) };
    let none = SeriesPart::default();
    let granularity = Granularity::Min3;
    vec![
        (Query::ServerTime, "/api/v1/timestamp"),
        (Query::Contracts, "/api/v1/contracts/active"),
        (Query::Contract { symbol: link }, "/api/v1/contracts/LINKUSDTM"),
        (Query::Ticker { symbol: link }, "/api/v1/ticker?symbol=LINKUSDTM"),
        (Query::AllTickers, "/api/v1/allTickers"),
        (Query::Depth20 { symbol: link }, "/api/v1/level2/depth20?symbol=LINKUSDTM"),
        (Query::Depth100 { symbol: link }, "/api/v1/level2/depth100?symbol=LINKUSDTM"),
        (Query::Trades { symbol: link }, "/api/v1/trade/history?symbol=LINKUSDTM"),
        (
            Query::Klines { symbol: link, granularity, range },
            "/api/v1/kline/query?symbol=LINKUSDTM&granularity=3&from=1791500000001&to=1791500060000",
        ),
        (
            Query::Klines {
                symbol: symbol(".KLINKUSDT"),
                granularity: Granularity::Month1,
                range: TimeRange { from: Some(from), to: None },
            },
            "/api/v1/kline/query?symbol=.KLINKUSDT&granularity=43200&from=1791500000001",
        ),
        (Query::MarkPrice { symbol: link }, "/api/v1/mark-price/LINKUSDTM/current"),
        (Query::FundingRate { symbol: link }, "/api/v1/funding-rate/LINKUSDTM/current"),
        (
            Query::FundingHistory { symbol: link, from, to: at(1_791_500_060_000) },
            "/api/v1/contract/funding-rates?symbol=LINKUSDTM&from=1791500000001&to=1791500060000",
        ),
        (
            Query::IndexPrices { symbol: symbol(".KLINKUSDT"), part },
            "/api/v1/index/query?symbol=.KLINKUSDT&startAt=1791500000001&endAt=1791500060000&offset=1791500030000&maxCount=100",
        ),
        (
            Query::InterestRates { symbol: symbol(".LINKINT"), part: none },
            "/api/v1/interest/query?symbol=.LINKINT",
        ),
        (
            Query::Premiums { symbol: symbol(".LINKUSDTMPI"), part: none },
            "/api/v1/premium/query?symbol=.LINKUSDTMPI",
        ),
        (Query::ServiceStatus, "/api/v1/status"),
    ]
}

/// The requests for an account.
fn of_an_account() -> Vec<(Query, &'static str)> {
    let link = symbol(LINK);
    let range = TimeRange { from: Some(at(1_791_500_000_001)), to: Some(at(1_791_500_060_000)) };
    let page = PageNumber { number: Some(2), size: Some(200) };
    vec![
        (
            Query::Orders { symbol: None, page },
            "/api/v1/orders?status=active&currentPage=2&pageSize=200",
        ),
        (
            Query::Orders { symbol: Some(link), page: PageNumber::default() },
            "/api/v1/orders?symbol=LINKUSDTM&status=active",
        ),
        (
            Query::StopOrders { symbol: Some(link), page },
            "/api/v1/stopOrders?symbol=LINKUSDTM&currentPage=2&pageSize=200",
        ),
        (Query::Positions, "/api/v1/positions"),
        (Query::Position { symbol: link }, "/api/v2/position?symbol=LINKUSDTM"),
        (
            Query::AccountOverview { currency: "USDT".parse().unwrap() },
            "/api/v1/account-overview?currency=USDT",
        ),
        (Query::RecentFills, "/api/v1/recentFills"),
        (
            Query::Fills { symbol: None, range, page },
            "/api/v1/fills?startAt=1791500000001&endAt=1791500060000&currentPage=2&pageSize=200",
        ),
    ]
}

#[test]
fn every_query_has_its_way() {
    let market = of_the_market().into_iter().map(|row| (row, Sign::No));
    let account = of_an_account().into_iter().map(|row| (row, Sign::WallClock));
    for ((query, path), sign) in market.chain(account) {
        let mut rig = Rig::new();
        rig.client.fetch(rig.now, query).unwrap();
        let outputs = rig.drain();
        let [fetch] = fetches(&outputs)[..] else { panic!("{query:?}: {outputs:?}") };
        let asked = (fetch.path(), fetch.method().as_str(), fetch.sign());
        assert_eq!(asked, (path, "GET", sign), "{query:?}");
        assert_eq!(query.is_signed(), sign == Sign::WallClock);
        assert_eq!(query.symbol().is_some(), path.contains("LINK"), "{query:?}");
    }
}

#[test]
fn granularities_are_minutes_and_have_names() {
    let minutes = Granularity::ALL.map(Granularity::minutes);
    assert_eq!(minutes, [1, 3, 5, 15, 30, 60, 120, 240, 480, 720, 1440, 10080, 43200]);
    let names = Granularity::ALL.map(|granularity| granularity.to_string());
    assert_eq!(names.concat(), "1min3min5min15min30min1hour2hour4hour8hour12hour1day1week1month");
}

/// A signed request of weight 2, and a public one of 5.
const SIGNED: Query = Query::Positions;
const PUBLIC: Query = Query::AllTickers;

#[test]
fn each_budget_holds_up_its_own_queries_only() {
    // Positions weigh 2, tickers 5.
    let limits = config(|config| {
        (config.budgets.rest_weight_per_30s, config.budgets.signed_weight_per_30s) = (10, 10);
        config.budgets.queries_in_flight = 100;
    });
    let mut rig = Rig::with(limits);
    let mut count =
        |query, times: usize| (0..times).map(|_| ask(&mut rig, query).len()).collect::<Vec<_>>();
    assert_eq!(count(SIGNED, 7), [1, 1, 1, 1, 1, 0, 0]);
    assert_eq!(count(PUBLIC, 3), [1, 1, 0], "those that wait for another budget are no obstacle");
    assert_eq!(fetches(&rig.pass(29 * SECOND)).len(), 0);
    let outputs = rig.pass(SECOND);
    let paths: Vec<_> = fetches(&outputs).iter().map(|fetch| fetch.path().to_owned()).collect();
    assert_eq!(paths, ["/api/v1/allTickers", "/api/v1/positions", "/api/v1/positions"]);
}

#[test]
fn no_more_queries_are_in_flight_than_the_budget_says() {
    let mut rig = Rig::with(config(|config| config.budgets.queries_in_flight = 3));
    let asked: Vec<_> =
        [SIGNED, PUBLIC, SIGNED, PUBLIC, SIGNED].map(|query| ask(&mut rig, query)).concat();
    assert_eq!(asked.len(), 3);
    let outputs = rig.reply(asked[0], r#"{"code":"200000","data":[]}"#);
    assert_eq!(fetches(&outputs).len(), 1, "an answer makes room");
    // So does one that never comes: what was asked for is given up after 11 s.
    let outputs = rig.pass(11 * SECOND);
    assert!(events(&outputs).iter().any(|event| matches!(event, Event::QueryFailed { .. })));
    assert_eq!(fetches(&outputs).len(), 1);
}

/// Who may ask again after 5 s and who not, when one is told to stay away for 10 s.
fn after_refusal(refused: Query, code: &str, body_status: u16) -> [usize; 2] {
    let mut rig = Rig::new();
    let request = ask(&mut rig, refused)[0];
    let mut head = ResponseHead::new(body_status);
    head.header("gw-ratelimit-reset", "10000");
    let outputs = rig.reply_with(request, head, code);
    let [Event::QueryFailed { reason: RestError::RateLimited { .. }, .. }] = events(&outputs)[..]
    else {
        panic!("{outputs:?}")
    };
    rig.pass(Duration::from_secs(5));
    let asked = [ask(&mut rig, SIGNED).len(), ask(&mut rig, PUBLIC).len()];
    let later = fetches(&rig.pass(Duration::from_secs(6))).len();
    assert_eq!(asked[0] + asked[1] + later, 2, "nobody is forgotten");
    asked
}

#[test]
fn a_refusal_holds_up_the_pool_that_it_is_of() {
    let used_up = r#"{"code":"429000","msg":"Too Many Requests"}"#;
    assert_eq!(after_refusal(SIGNED, used_up, 429), [0, 1]);
    assert_eq!(after_refusal(PUBLIC, used_up, 429), [1, 0]);
    // The edge knows addresses and no accounts.
    for body in ["error code: 1015", "<html></html>"] {
        assert_eq!(after_refusal(SIGNED, body, 429), [0, 0], "{body}");
        assert_eq!(after_refusal(PUBLIC, body, 429), [0, 0], "{body}");
    }
}

#[test]
fn refusals_say_what_is_wrong_with_the_question() {
    let reason = |code: u32, status| {
        let mut rig = Rig::new();
        let request = ask(&mut rig, Query::ServerTime)[0];
        let body = format!(r#"{{"msg":"no","code":"{code}"}}"#);
        let outputs = rig.reply_with(request, ResponseHead::new(status), &body);
        let [Event::QueryFailed { reason, .. }] = events(&outputs)[..] else {
            panic!("{outputs:?}")
        };
        (reason.is_unknown_symbol(), reason.is_illegal_parameter())
    };
    for code in [200_003, 404_000, 415_000] {
        assert_eq!(reason(code, 200), (true, false), "{code}");
    }
    assert_eq!((reason(404_000, 404), reason(415_000, 415)), ((false, false), (false, false)));
    assert_eq!((reason(300_000, 200), reason(400_100, 400)), ((false, true), (false, true)));
    assert_eq!(reason(400_005, 401), (false, false));
}

#[test]
fn what_waits_for_either_budget_ends_with_the_client() {
    let mut rig = Rig::with(config(|config| config.budgets.queries_in_flight = 1));
    let asked: Vec<_> =
        [SIGNED, PUBLIC, SIGNED].map(|query| rig.client.fetch(rig.now, query).unwrap()).to_vec();
    rig.drain();
    rig.client.close(rig.now);
    let mut closed: Vec<_> = events(&rig.drain())
        .iter()
        .map(|event| {
            let Event::QueryFailed { request, reason: RestError::Closed } = event else {
                panic!("{event:?}")
            };
            *request
        })
        .collect();
    closed.sort();
    assert_eq!(closed, asked);
}

#[test]
fn a_query_that_waits_is_counted_whatever_its_budget() {
    let limits = config(|config| {
        (config.budgets.queries_in_flight, config.queues.queries) = (1, 2);
    });
    let mut rig = Rig::with(limits);
    assert_eq!(ask(&mut rig, SIGNED).len(), 1);
    assert_eq!([SIGNED, PUBLIC].map(|query| ask(&mut rig, query).len()), [0, 0]);
    let full = Err(kucoin_futures_proto::Misuse::TooManyQueries);
    assert_eq!([SIGNED, PUBLIC].map(|query| rig.client.fetch(rig.now, query)), [full, full]);
}

#[test]
fn an_answer_is_pushed_undecoded_and_decodes_to_what_was_asked_for() {
    let mut rig = Rig::new();
    let request = ask(&mut rig, Query::Positions)[0];
    let body = br#"{"code":"200000","data":[]}"#;
    let input = Input::Reply { request, head: ResponseHead::new(200), body };
    let mut turn = rig.client.handle(rig.now, input);
    let Some(Output::Push(push)) = turn.next() else { panic!("{turn:?}") };
    assert_eq!(push.request(), Some(request));
    let message = push.decode().unwrap();
    assert!(
        matches!(message, kucoin_futures_proto::Message::Positions(rows) if rows.iter().count() == 0)
    );
}
