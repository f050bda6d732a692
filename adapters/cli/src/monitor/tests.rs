//! A monitor of a real feed, against the simulated exchange over loopback.

use std::sync::Arc;

use kucoin_futures_host::Clock;
use kucoin_futures_proto::book::Best;
use kucoin_futures_proto::{BookStatus, Decimal, wire};
use kucoin_futures_sim::{Contract as Listed, ExchangeConfig, Fault, Server, Target};

use super::*;
use crate::args::{Connect, RunArgs, Runtime};
use crate::follow::Session;
use crate::stop::Stop;

const FAST: f64 = 200.0;

fn symbol(name: &str) -> Symbol {
    name.parse().unwrap()
}

fn serve(names: &[&str], rate: f64) -> Server {
    let mut config = ExchangeConfig::default();
    config.contracts = names.iter().map(|name| Listed::named(symbol(name))).collect();
    config.rate = rate;
    config.unix_start = unix_now();
    let clock = Clock::new();
    Server::start(([127, 0, 0, 1], 0).into(), 7, config, Arc::new(move || clock.now())).unwrap()
}

/// Watches until `look` says that it is enough, which it is asked every 20 ms, or for 30 s.
fn watch(
    server: &Server,
    runtime: Runtime,
    lines: u8,
    names: &[&str],
    mut look: impl FnMut(&mut Monitor) -> bool,
) {
    let connect = Connect { runtime, ca: None };
    let span = Some(Duration::from_secs(30));
    let run = RunArgs { url: server.url(), json: false, span, metrics: None, line_life: None };
    let stop = Some(Stop::default());
    let mut session = Session::open_tapped(&connect, &run, lines, None, None, stop).unwrap();
    session.silence();
    let symbols: Vec<Symbol> = names.iter().map(|name| symbol(name)).collect();
    session.subscribe(channels(&symbols)).unwrap();
    let monitor = Monitor::new(&symbols, false, session.now());
    let (mut due, mut is_enough) = (session.now(), false);
    let pause = Duration::from_millis(20);
    let watched = |monitor: &mut Monitor, cx: &mut Ctx, feed: &Feed| {
        if cx.now < due {
            return Ok(Again::Within(due.since(cx.now)));
        }
        due = cx.now + pause;
        monitor.look(feed, cx.now);
        is_enough = look(monitor);
        Ok(if is_enough { Again::Not } else { Again::Within(pause) })
    };
    session.run(&mut Watched::new(monitor, watched)).unwrap();
    assert!(is_enough, "not within 30 s");
}

fn log(monitor: &Monitor) -> String {
    monitor.log().map(|row| format!("{} {}\n", row.who, row.text)).collect()
}

#[test]
fn on_threads_what_a_market_does_is_seen() {
    what_a_market_does_is_seen(Runtime::Blocking);
}

#[test]
fn on_smol_what_a_market_does_is_seen() {
    what_a_market_does_is_seen(Runtime::Smol);
}

fn what_a_market_does_is_seen(runtime: Runtime) {
    let names = ["XBTUSDTM", "CHRUSDTM"];
    let server = serve(&names, FAST);
    let (bitcoin, other) = (symbol("XBTUSDTM"), symbol("CHRUSDTM"));
    watch(&server, runtime, 1, &names, |monitor| {
        monitor.focus(vec![bitcoin], 5);
        let contract = monitor.contract(bitcoin).unwrap();
        let complete = contract.is_live()
            && contract.depth.is_some()
            && contract.deltas > 50
            && !contract.trades.is_empty()
            && contract.mark.is_some()
            && contract.day.volume.is_some()
            && contract.funding.next.is_some()
            && contract.rate.per_second() > FAST / 2.0;
        if !complete {
            return false;
        }
        let (depth, (bid, ask)) = (contract.depth.as_ref().unwrap(), contract.touch.unwrap());
        assert_eq!((depth.bids.levels.len(), depth.asks.levels.len()), (5, 5));
        assert_eq!(Best::Level(depth.bids.levels[0]), bid);
        assert_eq!(Best::Level(depth.asks.levels[0]), ask);
        assert_eq!(Some(depth.sequence), contract.sequence);
        let spread = depth.asks.levels[0].price.scaled() - depth.bids.levels[0].price.scaled();
        assert_eq!(contract.spread(), Decimal::new(spread.into(), -12));
        assert_eq!((contract.state(), contract.epoch), ("live", Some(1)));
        assert_eq!(contract.last, Some(contract.trades.back().unwrap().price.into()));
        let candle = contract.minutes.candles().last().unwrap();
        assert_eq!(Decimal::from(candle.close), contract.last.unwrap());
        assert!(contract.age.unwrap().since_proof < Duration::from_secs(5));
        assert!(monitor.contract(other).unwrap().depth.is_none(), "nobody looks at that one");
        assert!(monitor.stats.messages >= contract.deltas + contract.messages);
        let lines = monitor.lines();
        assert!(lines.to_applied.count > 0 && lines.to_applied.p50 <= lines.to_applied.p99);
        assert_eq!(lines.all.len(), 1);
        assert_eq!((lines.all[0].status.topics, lines.all[0].wins()), (9, None));
        assert!(log(monitor).contains("XBTUSDTM live: epoch 1"), "{}", log(monitor));
        assert!(log(monitor).contains("CHRUSDTM trades: confirmed"), "{}", log(monitor));
        true
    });
}

/// What cannot be known is not shown, what is missing says so, and how long it took is remembered.
#[test]
fn a_lost_delta_is_a_resync_with_its_reason() {
    let names = ["XBTUSDTM"];
    let server = serve(&names, FAST);
    let bitcoin = symbol("XBTUSDTM");
    let (mut broken, mut seen_lost) = (false, false);
    watch(&server, Runtime::Blocking, 1, &names, |monitor| {
        monitor.focus(vec![bitcoin], 5);
        let contract = monitor.contract(bitcoin).unwrap();
        if !broken {
            broken = contract.is_live();
            if broken {
                server.inject(Fault::Drop { target: Target::One(bitcoin), count: 1 });
            }
            return false;
        }
        if contract.resync_count > 0 && !contract.is_live() {
            seen_lost = true;
            assert!(contract.state().starts_with("gap"), "{}", contract.state());
            assert_eq!(contract.touch, None);
            assert_eq!(contract.resyncs.back().unwrap().took(), None, "it lasts still");
        }
        if contract.resync_count == 0 || !contract.is_live() {
            return false;
        }
        assert!(seen_lost, "the book is away for 200 ms at least");
        let resync = contract.resyncs.back().unwrap();
        assert!(resync.took().unwrap() >= Duration::from_millis(100), "{resync:?}");
        assert!(resync.reason.starts_with("gap"), "{resync:?}");
        assert_eq!((contract.gap_count, contract.epoch), (1, Some(2)));
        assert_eq!(contract.since, resync.live.unwrap());
        assert!(log(monitor).contains("XBTUSDTM lost: gap"), "{}", log(monitor));
        true
    });
}

#[test]
fn of_two_lines_one_that_ends_says_why_and_no_book_is_lost() {
    let names = ["XBTUSDTM"];
    let server = serve(&names, FAST);
    let bitcoin = symbol("XBTUSDTM");
    let mut broken = false;
    watch(&server, Runtime::Blocking, 2, &names, |monitor| {
        let lines = &monitor.lines().all;
        let is_compared = |line: &Line| line.wins().is_some() && line.status.up_since.is_some();
        if !broken {
            let is_live = monitor.contract(bitcoin).unwrap().is_live();
            broken = is_live && lines.len() == 2 && lines.iter().all(is_compared);
            if broken {
                let wins: u64 = lines.iter().filter_map(Line::wins).sum();
                assert!((90..=100).contains(&wins), "each delta is first on one line: {wins}");
                server.inject(Fault::CloseOne { code: 1001 });
            }
            return false;
        }
        let down = lines.iter().find(|line| line.status.up_since.is_none());
        let Some((_, text, mood)) = down.and_then(|line| line.said.as_ref()) else { return false };
        let contract = monitor.contract(bitcoin).unwrap();
        assert!(contract.is_live() && contract.resync_count == 0, "{}", log(monitor));
        assert!(text.contains("line") && *mood == Mood::Bad, "{text}");
        true
    });
}

#[test]
fn a_contract_that_is_not_listed_says_so_and_the_others_go_on() {
    let server = serve(&["XBTUSDTM"], FAST);
    watch(&server, Runtime::Blocking, 1, &["XBTUSDTM", "NOPEUSDTM"], |monitor| {
        let nope = monitor.contract(symbol("NOPEUSDTM")).unwrap();
        let is_rejected =
            nope.rejected.is_some() && monitor.contract(symbol("XBTUSDTM")).unwrap().is_live();
        if is_rejected {
            assert!(nope.state().starts_with("rejected: code"), "{}", nope.state());
            assert_ne!(nope.status, BookStatus::Live);
        }
        is_rejected
    });
}

/// Of many contracts a look costs a few numbers each.
#[test]
fn of_many_contracts_levels_are_taken_of_those_in_focus_only() {
    let names: Vec<String> = (0..40).map(|n| format!("T{n}USDTM")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let server = serve(&names, 5.0);
    let (mut focus, mut seen) = (None, 0);
    watch(&server, Runtime::Blocking, 1, &names, |monitor| {
        if !monitor.contracts().all(Contract::is_live) {
            return false;
        }
        let with_levels = monitor.contracts().filter(|it| it.depth.is_some());
        let with_levels: Vec<Symbol> = with_levels.map(|it| it.symbol).collect();
        assert_eq!(with_levels, focus.into_iter().collect::<Vec<_>>());
        seen += 1;
        focus = Some(symbol(&format!("T{}USDTM", seen % 40)));
        monitor.focus(focus.into_iter().collect(), 3);
        seen >= 10 && monitor.contracts().all(|it| it.day.volume.is_some())
    });
}

#[test]
fn what_is_kept_has_an_end() {
    let mut monitor = Monitor::new(&[symbol("XBTUSDTM")], false, Instant::ZERO);
    for n in 0..LOG + 5 {
        monitor.say(Instant::ZERO, "line", n.to_string(), Mood::Plain);
    }
    assert_eq!(monitor.log().len(), LOG);
    assert_eq!(monitor.log().next().unwrap().text, "5");
    let now = Moment::of(Instant::ZERO);
    let mut contract = Contract::new(symbol("XBTUSDTM"), now);
    for n in 0..1000 {
        contract.on_lost(now, n.to_string(), false);
        contract.on_live(now);
    }
    assert_eq!((contract.resyncs.len(), contract.resync_count), (200, 1000));
}

/// A contract whose mark price, figures, trades and settlement have all come.
fn is_complete(contract: &Contract) -> bool {
    contract.is_live()
        && contract.mark.is_some()
        && contract.day.volume.is_some()
        && contract.funding.next.is_some()
        && !contract.trades.is_empty()
        && !contract.stale.is_any()
        && contract.funding.estimated.is_some()
}

#[test]
fn after_a_reconnect_each_figure_is_stale_until_its_own_stream_has_told_it() {
    let names = ["XBTUSDTM"];
    let server = serve(&names, FAST);
    let bitcoin = symbol("XBTUSDTM");
    let (mut broken, mut was_cut) = (false, false);
    watch(&server, Runtime::Blocking, 1, &names, |monitor| {
        let contract = monitor.contract(bitcoin).unwrap();
        if !broken {
            broken = is_complete(contract);
            if broken {
                let count = 1_000_000;
                server.inject(Fault::PushDrop { target: Target::One(bitcoin), count });
                server.inject(Fault::Reset {});
            }
            return false;
        }
        was_cut |= contract.stale == Stale { marks: true, funding: true, day: true, trades: true };
        // All topics are carried again, and say nothing.
        let is_back = contract.is_live() && was_cut && !contract.stale.trades;
        if is_back {
            let Stale { marks, funding, day, .. } = contract.stale;
            assert!(marks && funding && day, "{:?}", contract.stale);
            assert!(contract.mark.is_some() && contract.day.volume.is_some());
        }
        is_back
    });
}

#[test]
fn a_mark_price_that_does_not_come_any_more_is_stale_though_the_line_is_up() {
    let names = ["XBTUSDTM", "CHRUSDTM"];
    let server = serve(&names, FAST);
    let bitcoin = symbol("XBTUSDTM");
    let mut broken = false;
    watch(&server, Runtime::Blocking, 1, &names, |monitor| {
        let contract = monitor.contract(bitcoin).unwrap();
        if !broken {
            broken = is_complete(contract);
            if broken {
                let count = 1_000_000;
                server.inject(Fault::PushDrop { target: Target::One(bitcoin), count });
            }
            return false;
        }
        assert!(contract.is_live() && contract.resync_count == 0);
        if !contract.stale.marks {
            return false;
        }
        assert_eq!(contract.stale, Stale { marks: true, funding: true, ..Stale::default() });
        assert!(!monitor.contract(symbol("CHRUSDTM")).unwrap().stale.is_any());
        true
    });
}

#[test]
fn a_settlement_that_may_have_been_missed_is_asked_for_and_unknown_until_then() {
    let names = ["XBTUSDTM"];
    let server = serve(&names, FAST);
    let bitcoin = symbol("XBTUSDTM");
    let (wrong, mut broken) = (Some(UnixNanos::from_nanos(u64::MAX)), false);
    let settled = Decimal::new(1, -4);
    watch(&server, Runtime::Blocking, 1, &names, |monitor| {
        let contract = monitor.contracts.get_mut(&bitcoin).unwrap();
        if !broken {
            broken = is_complete(contract);
            if broken {
                // As it would be of before.
                (contract.funding.next, contract.funding.settled) = (wrong, settled);
                server.inject(Fault::Reset {});
            }
            return false;
        }
        let next = contract.funding.next;
        if next == wrong || next.is_none() {
            return false;
        }
        assert!(next.unwrap() > monitor.looked.wall);
        assert_eq!(contract.funding.settled, None);
        true
    });
}

#[test]
fn a_settlement_that_nobody_has_told_of_is_asked_for_once_it_is_due() {
    let names = ["XBTUSDTM"];
    let server = serve(&names, FAST);
    let bitcoin = symbol("XBTUSDTM");
    let mut due = None;
    watch(&server, Runtime::Blocking, 1, &names, |monitor| {
        let looked = monitor.looked.wall;
        let contract = monitor.contracts.get_mut(&bitcoin).unwrap();
        let Some(due) = due else {
            if is_complete(contract) {
                due = Some(UnixNanos::from_nanos(looked.as_nanos() + 300_000_000));
                (contract.funding.next, contract.funding.settled) = (due, Decimal::new(1, -4));
            }
            return false;
        };
        if looked <= due {
            return false;
        }
        assert_eq!(contract.funding.settled, None, "it is not that of the last one");
        // Unknown, and then the one after it.
        contract.funding.next.is_some_and(|next| {
            assert!(next > looked);
            true
        })
    });
}

#[test]
fn what_went_by_is_told_by_the_clock_that_is_never_set() {
    let at = |s: u64| Instant::from_nanos(s * 1_000_000_000);
    let looked = Moment { at: at(70), wall: UnixNanos::from_nanos(5_000 * 1_000_000_000) };
    // Whatever the other clock said then.
    assert_eq!(looked.wall_of(at(10)).as_millis(), 4_940_000);
}

/// The exchange's list says it once; nothing tells that it is of now.
#[test]
fn what_no_stream_has_said_is_not_current() {
    let contract = Contract::new(symbol("XBTUSDTM"), Moment::of(Instant::ZERO));
    assert_eq!(contract.stale, Stale { marks: true, funding: true, day: true, trades: true });
}

#[test]
fn a_candle_that_runs_while_trades_are_not_heard_is_not_whole() {
    let mut contract = Contract::new(symbol("XBTUSDTM"), Moment::of(Instant::ZERO));
    let trade = |contract: &mut Contract, n: u64, ms: u64| {
        let (id, ts) = (n.to_string(), ms * 1_000_000);
        let text = format!(
            "{{\"symbol\":\"XBTUSDTM\",\"sequence\":{n},\"side\":\"buy\",\"size\":2,\"price\":\"63000.6\",\
             \"takerOrderId\":\"9001\",\"makerOrderId\":\"9000\",\"tradeId\":\"{id}\",\"ts\":{ts}}}"
        );
        let message = Message::Execution(wire::Execution::parse(text.as_bytes()).unwrap());
        contract.on_message(Instant::ZERO, Some(ChannelKind::Execution), &message);
    };
    let is_whole = |contract: &Contract| contract.minutes.candles().last().unwrap().is_whole;
    trade(&mut contract, 52, 1_790_000_000_000);
    trade(&mut contract, 53, 1_790_000_070_000);
    assert!(is_whole(&contract));
    contract.on_cut(ChannelKind::Stats24h);
    assert!(is_whole(&contract), "that is another stream");
    contract.on_cut(ChannelKind::Execution);
    assert!(!is_whole(&contract));
}

#[test]
fn figures_of_24_hours_do_not_set_back_the_last_price() {
    let stats = |price: &str, ms: u64| {
        let (symbol, ts) = ("XBTUSDTM", ms * 1_000_000);
        format!("{{\"lastPrice\":{price},\"symbol\":\"{symbol}\",\"ts\":{ts}}}")
    };
    let trade = "{\"symbol\":\"XBTUSDTM\",\"sequence\":52,\"side\":\"buy\",\"size\":2,\"price\":\"63000.6\",\
                 \"takerOrderId\":\"9001\",\"makerOrderId\":\"9000\",\"tradeId\":\"52\",\"ts\":1790000000123000000}";
    let mut contract = Contract::new(symbol("XBTUSDTM"), Moment::of(Instant::ZERO));
    let say = |contract: &mut Contract, price: &str, ms: u64| {
        let text = stats(price, ms);
        let message = Message::Stats24h(wire::Stats24h::parse(text.as_bytes()).unwrap());
        contract.on_message(Instant::ZERO, Some(ChannelKind::Stats24h), &message);
        contract.last.unwrap().to_string()
    };
    assert_eq!(say(&mut contract, "62000", 1_790_000_000_000), "62000", "there is no better one");
    let message = Message::Execution(wire::Execution::parse(trade.as_bytes()).unwrap());
    contract.on_message(Instant::ZERO, Some(ChannelKind::Execution), &message);
    assert_eq!(say(&mut contract, "62500", 1_790_000_000_120), "63000.6");
    assert_eq!(say(&mut contract, "64000", 1_790_000_000_124), "64000", "a trade was missed");
    contract.on_message(Instant::ZERO, Some(ChannelKind::Execution), &message);
    contract.on_cut(ChannelKind::Execution);
    assert_eq!(say(&mut contract, "62500", 1_790_000_000_120), "62500", "trades are not heard");
}
