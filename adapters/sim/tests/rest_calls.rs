//! Public REST calls: shapes, pages, refusals, and whether they tell what the market did.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs,
    reason = "tests"
)]

use kucoin_futures_proto::wire::Contracts;
use kucoin_futures_proto::{Decimal, Price};
use kucoin_futures_sim::{Contract, Interval};
use serde_json::Value;

mod listener;

use listener::{Listener, keys, symbol};

fn price(value: &Value) -> Price {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned).parse().unwrap()
}

#[test]
fn a_contract_has_every_key_that_the_exchange_sent() {
    let mut listener = Listener::new(20.0);
    listener.seconds(10);
    let rows = listener.data("/api/v1/contracts/active");
    let row = rows.as_array().unwrap().iter().find(|row| row["symbol"] == "XBTUSDTM").unwrap();
    assert_eq!(row.as_object().unwrap().len(), 86);
    for key in [
        "displaySymbol",
        "displayBaseCurrency",
        "dailyInterestRate",
        "fundingRateCap",
        "fundingRateFloor",
        "period",
        "effectiveFundingRateCycleStartTime",
        "currentFundingRateGranularity",
        "k",
        "m",
        "f",
        "mmrLimit",
        "mmrLevConstant",
        "buyLimit",
        "sellLimit",
        "adjustK",
        "adjustM",
        "adjustMmrLevConstant",
        "adjustActiveTime",
        "crossRiskLimit",
        "preMarketToPerpDate",
        "orderPriceRange",
        "marketType",
        "assetClass",
        "subMarketType",
        "lastTimeFundingRate",
    ] {
        assert!(row.get(key).is_some(), "{key}");
    }
    assert!(row["predictedFundingFeeRate"].is_null());
    let market = listener.market("XBTUSDTM");
    let at = listener.exchange.unix(listener.now);
    let (marks, day) = (market.marks(at), market.day(at));
    assert_eq!((price(&row["markPrice"]), price(&row["indexPrice"])), (marks.mark, marks.index));
    assert_eq!((price(&row["highPrice"]), price(&row["lowPrice"])), (day.high, day.low));
    assert_eq!(price(&row["lastTradePrice"]), market.last_price());
    assert_eq!(row["openInterest"], market.open_interest().to_string());
    assert_eq!(row["turnoverOf24h"].to_string().parse::<Decimal>().unwrap(), day.turnover);
    assert!(price(&row["sellLimit"]) < marks.mark && marks.mark < price(&row["buyLimit"]));
    assert_eq!(listener.data("/api/v1/contracts/XBTUSDTM")["multiplier"], 0.001);
    let hours = |name: &str| {
        let row = rows.as_array().unwrap().iter().find(|row| row["symbol"] == name).unwrap();
        row["fundingRateGranularity"].as_u64().unwrap() / 3_600_000
    };
    assert_eq!([hours("XBTUSDTM"), hours("CHRUSDTM"), hours("10PEPEUSDTM")], [8, 4, 1]);
}

#[test]
fn the_contract_list_reads_back() {
    let contracts = || {
        let named = ["XBTUSDM", "XBTMZ26"].map(|name| Contract::named(symbol(name)));
        Contract::defaults().into_iter().chain(named)
    };
    let mut listener = Listener::with(|config| config.contracts = contracts().collect());
    let (_, body) = listener.get("/api/v1/contracts/active");
    let body = body.to_string();
    let parsed: Vec<_> =
        Contracts::parse(body.as_bytes()).unwrap().iter().map(Result::unwrap).collect();
    assert_eq!(parsed.len(), contracts().count());
    for contract in contracts() {
        let row = parsed.iter().find(|row| row.symbol == contract.symbol).unwrap();
        assert_eq!(row.tick_size, contract.tick.into());
        assert_eq!(row.multiplier, contract.multiplier);
    }
}

#[test]
fn inverse_and_dated_contracts_are_themselves() {
    let names = ["XBTUSDM", "XBTMZ26"].map(symbol);
    let mut listener = Listener::with(|config| {
        config.contracts = names.map(Contract::named).to_vec();
    });
    listener.seconds(60);
    let perpetual = listener.data("/api/v1/contracts/XBTUSDM");
    assert_eq!((&perpetual["isInverse"], &perpetual["multiplier"]), (&true.into(), &(-1.0).into()));
    let currencies = |row: &Value| {
        ["rootSymbol", "baseCurrency", "quoteCurrency", "settleCurrency"]
            .map(|key| row[key].as_str().unwrap().to_owned())
    };
    assert_eq!(currencies(&perpetual), ["XBT", "XBT", "USD", "XBT"]);
    assert!(perpetual["expireDate"].is_null() && perpetual["fundingFeeRate"].is_number());
    let (lots, coins) = (&perpetual["volumeOf24h"], &perpetual["turnoverOf24h"]);
    assert!(lots.as_f64().unwrap() > 10_000.0 * coins.as_f64().unwrap(), "dollars and coins");
    let dated = listener.data("/api/v1/contracts/XBTMZ26");
    assert_eq!(
        (&dated["type"], &dated["expireDate"]),
        (&"FFICSX".into(), &1_798_185_600_000_u64.into())
    );
    for key in
        ["fundingFeeRate", "fundingRateSymbol", "nextFundingRateTime", "fairMethod", "period"]
    {
        assert!(dated[key].is_null(), "{key}");
    }
    let (_, refused) = listener.get("/api/v1/funding-rate/XBTMZ26/current");
    assert_eq!(refused["code"], "415000");
    assert!(listener.data("/api/v1/mark-price/XBTMZ26/current")["value"].is_number());
}

#[test]
fn tickers_have_the_sequence_of_the_book_and_the_last_trade() {
    let mut listener = Listener::new(50.0);
    listener.seconds(10);
    let ticker = listener.data("/api/v1/ticker?symbol=XBTUSDTM");
    let names = [
        "bestAskPrice",
        "bestAskSize",
        "bestBidPrice",
        "bestBidSize",
        "price",
        "sequence",
        "side",
        "size",
        "symbol",
        "tradeId",
        "ts",
    ];
    assert_eq!(keys(&ticker), names);
    let market = listener.market("XBTUSDTM");
    assert_eq!(ticker["sequence"], market.sequence().get());
    let last = market.trades().next_back().unwrap();
    assert_eq!(ticker["tradeId"], last.sequence.to_string());
    assert_eq!(ticker["price"], last.price.to_string());
    let all = listener.data("/api/v1/allTickers");
    assert_eq!(all.as_array().unwrap().len(), Contract::defaults().len());
    assert!(all.as_array().unwrap().contains(&ticker));
}

#[test]
fn klines_come_in_pages_of_200() {
    let mut listener = Listener::new(20.0);
    listener.seconds(300);
    let starts = |rows: &Value| -> Vec<u64> {
        rows.as_array().unwrap().iter().map(|row| row[0].as_u64().unwrap()).collect()
    };
    for interval in Interval::ALL {
        let minutes = interval.minutes();
        let base = format!("/api/v1/kline/query?symbol=XBTUSDTM&granularity={minutes}");
        let newest = listener.data(&base);
        let kept = listener.market("XBTUSDTM").candles(interval);
        let all: Vec<u64> = kept.iter().map(|candle| candle.start * 1000).collect();
        assert_eq!(starts(&newest), all[all.len() - 200..], "{interval:?}");
        let (row, candle) = (newest[199].as_array().unwrap(), kept.last().unwrap());
        let numbers: Vec<Price> = row[1..5].iter().map(price).collect();
        assert_eq!(numbers, [candle.open, candle.high, candle.low, candle.close]);
        assert_eq!(row[5].to_string(), candle.lots.to_string());
        assert_eq!(row[6].to_string().parse::<Decimal>().unwrap(), candle.turnover);
        let from = listener.data(&format!("{base}&from={}", all[0] + 1));
        assert_eq!(starts(&from), all[1..201.min(all.len())], "the first page from there");
        let to = listener.data(&format!("{base}&to={}", all[150]));
        assert_eq!(starts(&to), all[..=150]);
        let both = listener.data(&format!("{base}&from={}&to={}", all[3], all[9]));
        assert_eq!(starts(&both), all[3..=9]);
    }
    for granularity in ["2", "0", "x", ""] {
        let target = format!("/api/v1/kline/query?symbol=XBTUSDTM&granularity={granularity}");
        let (status, body) = listener.get(&target);
        assert_eq!((status, &body["code"]), (200, &"300000".into()));
        assert_eq!(body["msg"], "Unsupported granularity");
    }
}

#[test]
fn marks_and_funding_are_those_of_the_market() {
    let mut listener = Listener::new(20.0);
    listener.seconds(100);
    let mark = listener.data("/api/v1/mark-price/XBTUSDTM/current");
    assert_eq!(keys(&mark), ["granularity", "indexPrice", "symbol", "timePoint", "value"]);
    let at = mark["timePoint"].as_u64().unwrap();
    assert!((400..1_600).contains(&(listener.unix_ms() - at)) && at.is_multiple_of(1_000));
    let truth = listener
        .market("XBTUSDTM")
        .marks(kucoin_futures_proto::UnixNanos::from_nanos(at * 1_000_000));
    assert_eq!((price(&mark["value"]), price(&mark["indexPrice"])), (truth.mark, truth.index));
    let rate = listener.data("/api/v1/funding-rate/XBTUSDTM/current");
    let names = [
        "dailyInterestRate",
        "fundingRateCap",
        "fundingRateFloor",
        "fundingTime",
        "granularity",
        "lastTimeFundingRate",
        "period",
        "symbol",
        "timePoint",
        "value",
    ];
    assert_eq!(keys(&rate), names);
    assert_eq!(rate["symbol"], ".XBTUSDTMFPI8H");
    let (start, next) =
        (rate["timePoint"].as_u64().unwrap(), rate["fundingTime"].as_u64().unwrap());
    assert_eq!((start % 28_800_000, next - start), (0, 28_800_000));
    let (from, to) = (start - 5 * 28_800_000 + 1, listener.unix_ms());
    let target = format!("/api/v1/contract/funding-rates?symbol=XBTUSDTM&from={from}&to={to}");
    let rates = listener.data(&target);
    let rows = rates.as_array().unwrap();
    assert_eq!(keys(&rows[0]), ["fundingRate", "symbol", "timepoint"]);
    let times: Vec<u64> = rows.iter().map(|row| row["timepoint"].as_u64().unwrap()).collect();
    assert_eq!(times, (0..5).map(|back| start - back * 28_800_000).collect::<Vec<_>>());
    assert_eq!(rows[0]["fundingRate"], rate["lastTimeFundingRate"]);
    let (status, body) = listener.get("/api/v1/contract/funding-rates?symbol=XBTUSDTM&from=1");
    assert_eq!((status, &body["code"]), (400, &"400100".into()));
}

#[test]
fn the_list_of_contracts_is_late_after_a_settlement() {
    let mut listener = Listener::new(0.0);
    let settled = listener.unix_ms().next_multiple_of(3_600_000);
    let ahead = |listener: &Listener, ms: u64| {
        std::time::Duration::from_millis(settled + ms - listener.unix_ms())
    };
    let row = |listener: &mut Listener| listener.data("/api/v1/contracts/10PEPEUSDTM");
    let (wait, target) = (ahead(&listener, 0), "/api/v1/contract/funding-rates?symbol=10PEPEUSDTM");
    listener.pass(wait - std::time::Duration::from_millis(500));
    let before = row(&mut listener);
    assert_eq!(before["nextFundingRateDateTime"], settled);
    let mut at = |ms: u64| {
        let wait = ahead(&listener, ms);
        listener.pass(wait);
        (row(&mut listener), listener.data("/api/v1/funding-rate/10PEPEUSDTM/current"))
    };
    let (early, current) = at(3_000);
    assert_eq!(early["fundingFeeRate"], before["fundingFeeRate"]);
    assert_eq!(early["nextFundingRateDateTime"], settled + 3_600_000);
    assert_eq!(current["timePoint"], settled, "this call is ahead");
    let (shown, _) = at(40_000);
    assert_eq!(shown["fundingFeeRate"], shown["lastTimeFundingRate"]);
    assert_ne!(shown["fundingFeeRate"], before["fundingFeeRate"]);
    let (after, _) = at(120_000);
    assert_eq!(after["lastTimeFundingRate"], shown["lastTimeFundingRate"]);
    let charged = listener.data(&format!("{target}&from={settled}&to={settled}"));
    assert_eq!(charged[0]["fundingRate"], shown["lastTimeFundingRate"]);
}

#[test]
fn lists_have_pages_from_the_first_second_on() {
    let mut listener = Listener::new(0.0);
    for symbol in ["index/query?symbol=.KXBTUSDT", "interest/query?symbol=.XBTINT"] {
        let page = listener.data(&format!("/api/v1/{symbol}"));
        assert_eq!(page["dataList"].as_array().unwrap().len(), 10, "{symbol}");
        assert_eq!(page["hasMore"], true, "{symbol}");
    }
    let premium = listener.data("/api/v1/premium/query?symbol=.XBTUSDTMPI&maxCount=100");
    assert_eq!(premium["hasMore"], false, "an hour is not a hundred minutes");
}

#[test]
fn lists_go_back_page_by_page() {
    let mut listener = Listener::new(20.0);
    listener.seconds(400);
    for (target, step) in [
        ("/api/v1/index/query?symbol=.KXBTUSDT", 1_000),
        ("/api/v1/interest/query?symbol=.XBTINT", 60_000),
        ("/api/v1/premium/query?symbol=%2EXBTUSDTMPI", 60_000),
    ] {
        let mut offset = String::new();
        let mut times: Vec<u64> = Vec::new();
        loop {
            let page = listener.data(&format!("{target}&maxCount=3{offset}"));
            assert_eq!(keys(&page), ["dataList", "hasMore"]);
            let rows = page["dataList"].as_array().unwrap();
            times.extend(rows.iter().map(|row| row["timePoint"].as_u64().unwrap()));
            offset = format!("&offset={}", times.last().unwrap());
            if page["hasMore"] == false || times.len() > 60 {
                break;
            }
        }
        assert!(times.windows(2).all(|two| two[0] == two[1] + step), "{target}: {times:?}");
        assert!(times.len() >= 6, "{times:?}");
        let forward = listener.data(&format!("{target}&reverse=false&maxCount=2"));
        assert!(
            forward["dataList"][0]["timePoint"].as_u64()
                < forward["dataList"][1]["timePoint"].as_u64()
        );
    }
    let usual = listener.data("/api/v1/index/query?symbol=.KXBTUSDT");
    assert_eq!(usual["dataList"].as_array().unwrap().len(), 10);
    let row = &usual["dataList"][0];
    assert_eq!(keys(row), ["decomposionList", "granularity", "symbol", "timePoint", "value"]);
    let parts = row["decomposionList"].as_array().unwrap();
    assert_eq!(keys(&parts[0]), ["exchange", "exchangeName", "price", "weight"]);
    let part = |part: &Value| {
        let weight: Decimal = part["weight"].to_string().parse().unwrap();
        i128::from(price(&part["price"]).scaled())
            * weight.mantissa()
            * 10_i128.pow((2 + weight.exponent()) as u32)
    };
    let sum: i128 = parts.iter().map(part).sum();
    assert_eq!(
        sum,
        i128::from(price(&row["value"]).scaled()) * 100,
        "weighted, they are the index"
    );
    let nothing = listener.data("/api/v1/index/query?symbol=.KNOPE");
    assert_eq!(nothing, serde_json::json!({"dataList": [], "hasMore": false}));
}

#[test]
fn what_cannot_be_answered_is_refused_as_the_exchange_does() {
    let mut listener = Listener::new(0.0);
    for (target, status, code) in [
        ("/api/v1/level2/depth50?symbol=XBTUSDTM", 404, "404"),
        ("/api/v1/ticker?symbol=NOPEUSDTM", 200, "200003"),
        ("/api/v1/level2/depth20?symbol=NOPEUSDTM", 200, "200003"),
        ("/api/v1/mark-price/NOPEUSDTM/current", 200, "415000"),
        ("/api/v1/funding-rate/NOPEUSDTM/current", 200, "415000"),
        ("/api/v1/contracts/NOPEUSDTM", 200, "404000"),
        ("/api/v1/trade-statistics", 400, "400001"),
        ("/api/v1/account-overview?currency=USDT", 400, "400001"),
        ("/api/v1/orders/1", 400, "400001"),
        ("/api/v2/position?symbol=XBTUSDTM", 400, "400001"),
        ("/api/v1/mark-price/XBTUSDTM", 404, "404"),
    ] {
        let (was, body) = listener.get(target);
        assert_eq!((was, body["code"].as_str()), (status, Some(code)), "{target}");
    }
    assert_eq!(listener.get("/api/v1/level2/depth50").1["msg"], "not exist");
    let decoded = listener.data("/api/v1/ticker?symbol=%58BTUSDTM");
    assert_eq!(decoded["symbol"], "XBTUSDTM");
}
