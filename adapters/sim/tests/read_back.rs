//! Whatever the exchange says in health, the client's readers understand: every public channel and call, of
//! contracts of every kind.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs,
    reason = "tests"
)]

use std::collections::BTreeMap;
use std::time::Duration;

use kucoin_futures_proto::wire::{
    Contracts, Delta, Frame, IndexPrice, Kline, RestFundingRate, RestMarkPrice, RestTicker,
    RestTrade, Rows, Series, SeriesPoint, SettledFunding, Snapshot,
};
use kucoin_futures_proto::{ChannelKind, UnixNanos};
use kucoin_futures_sim::{Contract, Interval, Outgoing, Request};

mod listener;

use listener::{Listener, symbol};

fn listed() -> Vec<Contract> {
    let named = ["XBTUSDM", "XBTMZ26"].map(|name| Contract::named(symbol(name)));
    Contract::defaults().into_iter().chain(named).collect()
}

/// Half a minute before an hour in which some contracts settle.
fn busy() -> Listener {
    let mut listener = Listener::with(|config| {
        config.rate = 30.0;
        config.contracts = listed();
        config.unix_start = UnixNanos::from_nanos((1_790_002_800 - 30) * 1_000_000_000);
    });
    let names: Vec<String> = listed().iter().map(|c| c.symbol.to_string()).collect();
    for channel in [
        "/contractMarket/level2",
        "/contractMarket/level2Depth5",
        "/contractMarket/level2Depth50",
        "/contractMarket/tickerV2",
        "/contractMarket/ticker",
        "/contractMarket/execution",
        "/contract/instrument",
        "/contract/announcement",
        "/contractMarket/snapshot",
    ] {
        listener.listen(&format!("{channel}:{}", names.join(",")));
    }
    listener.listen("/contract/announcement");
    for interval in Interval::ALL {
        listener.listen(&format!("/contractMarket/limitCandle:XBTUSDTM_{}", interval.name()));
    }
    listener
}

#[test]
fn every_public_push_is_understood() {
    let mut listener = busy();
    listener.exchange.tick(listener.now + Duration::from_secs(58));
    let mut kinds: BTreeMap<ChannelKind, u32> = BTreeMap::new();
    while let Some(outgoing) = listener.exchange.poll_output() {
        let Outgoing::Send(_, text, _) = outgoing else { panic!("{outgoing:?}") };
        let Frame::Message(message) = Frame::parse(text.as_bytes()).unwrap() else {
            panic!("{text}");
        };
        let kind = message.channel().unwrap().kind();
        let read = match kind {
            ChannelKind::Level2 => Delta::parse(message.data).map(drop),
            _ => message.decode().map(drop),
        };
        read.unwrap_or_else(|error| panic!("{error}: {text}"));
        *kinds.entry(kind).or_default() += 1;
    }
    let public = ChannelKind::ALL.iter().filter(|kind| !kind.is_private());
    for kind in public {
        assert!(kinds.get(kind).is_some_and(|count| *count > 3), "{kind:?}: {kinds:?}");
    }
}

#[test]
fn every_public_answer_is_understood() {
    let mut listener = busy();
    listener.seconds(50);
    let ask = |listener: &mut Listener, target: &str| -> Vec<u8> {
        listener.exchange.http(listener.now, &Request::new("GET", target)).body.into_bytes()
    };
    let contracts = ask(&mut listener, "/api/v1/contracts/active");
    let contracts = Contracts::parse(&contracts).unwrap();
    assert_eq!(contracts.iter().map(Result::unwrap).count(), listed().len());
    let tickers = ask(&mut listener, "/api/v1/allTickers");
    let tickers = Rows::<RestTicker<'_>>::parse(&tickers).unwrap();
    assert_eq!(tickers.iter().map(Result::unwrap).count(), listed().len());
    for contract in listed() {
        let name = contract.symbol;
        let mut get = |target: &str| ask(&mut listener, &target.replace('*', name.as_str()));
        let ticker = get("/api/v1/ticker?symbol=*");
        assert!(RestTicker::parse(&ticker).unwrap().best_bid.is_some());
        assert!(!Snapshot::parse(&get("/api/v1/level2/depth20?symbol=*")).unwrap().bids.is_empty());
        let trades = get("/api/v1/trade/history?symbol=*");
        let trades = Rows::<RestTrade<'_>>::parse(&trades).unwrap();
        assert!(trades.iter().map(Result::unwrap).count() > 0, "{name}");
        let mark = get("/api/v1/mark-price/*/current");
        assert_eq!(RestMarkPrice::parse(&mark).unwrap().symbol, name);
        for interval in Interval::ALL {
            let minutes = interval.minutes();
            let candles = get(&format!("/api/v1/kline/query?symbol=*&granularity={minutes}"));
            let candles = Rows::<Kline>::parse(&candles).unwrap();
            assert!(candles.iter().map(Result::unwrap).count() > 100, "{name} {minutes}");
        }
        let premiums = get("/api/v1/premium/query?symbol=.*PI");
        let premiums = Series::<SeriesPoint>::parse(&premiums).unwrap();
        assert_eq!(premiums.rows.iter().map(Result::unwrap).count(), 10, "a page of the last hour");
        let rates =
            get("/api/v1/contract/funding-rates?symbol=*&from=1789900000000&to=1790010000000");
        let rates = Rows::<SettledFunding>::parse(&rates).unwrap();
        let rates = rates.iter().map(Result::unwrap).count();
        if contract.funding_hours > 0 {
            assert!(rates >= 3, "{name}: {rates}");
            RestFundingRate::parse(&get("/api/v1/funding-rate/*/current")).unwrap();
        } else {
            assert_eq!(rates, 0, "a dated contract has none");
        }
    }
    let index = ask(&mut listener, "/api/v1/index/query?symbol=.KXBTUSDT");
    let index = Series::<IndexPrice<'_>>::parse(&index).unwrap();
    let mut prices = index.rows.iter().map(Result::unwrap);
    assert_eq!(prices.next().unwrap().components.iter().map(Result::unwrap).count(), 3);
    assert!(index.has_more && prices.count() == 9);
}
