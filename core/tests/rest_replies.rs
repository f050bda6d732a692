//! What queries are answered with, field by field, with units. The payloads are of our own making, in the
//! shapes of the documentation and of captures between 2024 and 2026.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs,
    reason = "tests"
)]

mod common;

use std::time::Duration;

use common::edited;
use common::reply::{answered, body, decimal, ms, ns, rows, some, words};
use kucoin_futures_proto::book::Level;
use kucoin_futures_proto::wire::{
    Contract, Contracts, IndexPrice, Kline, RestFundingRate, RestMarkPrice, RestTicker, RestTrade,
    Series, SeriesPoint, ServiceStatus, SettledFunding, TakerSide,
};
use kucoin_futures_proto::{
    Granularity, Lots, Message, Query, SeriesPart, TimeRange, UnixNanos, WireError,
};

const CONTRACT: &str = r#"{"symbol":"LINKUSDTM","displaySymbol":"LINKUSDTM","rootSymbol":"USDT",
    "type":"FFWCSX","firstOpenDate":1591000000000,"expireDate":1799000000000,"settleDate":null,
    "baseCurrency":"LINK","displayBaseCurrency":"Link","quoteCurrency":"USDT","settleCurrency":"USDT",
    "maxOrderQty":1000001,"marketMaxOrderQty":500002,"maxPrice":1000000.0,"lotSize":1,"tickSize":1.0E-4,
    "indexPriceTickSize":1.0E-5,"multiplier":0.1,"initialMargin":0.0134,"maintainMargin":0.0067,
    "maxRiskLimit":70000,"minRiskLimit":60000,"riskStep":35000,"makerFeeRate":2.0E-4,"takerFeeRate":6.0E-4,
    "takerFixFee":0.0,"makerFixFee":0E-8,"settlementFee":null,"isDeleverage":true,"isQuanto":true,
    "isInverse":false,"markMethod":"FairPrice","fairMethod":"RestFundingRate","fundingBaseSymbol":".LINKINT8H",
    "fundingQuoteSymbol":".USDTINT8H","fundingRateSymbol":".LINKUSDTMFPI8H","indexSymbol":".KLINKUSDT",
    "settlementSymbol":"","status":"Open","fundingFeeRate":-1.7E-5,"predictedFundingFeeRate":null,
    "dailyInterestRate":3.0E-4,"fundingRateGranularity":14400000,"fundingRateCap":0.0075,
    "fundingRateFloor":-0.0074,"period":1,"effectiveFundingRateCycleStartTime":1792000000000,
    "currentFundingRateGranularity":28800000,"openInterest":"4410877","turnoverOf24h":1.2345678901234567E8,
    "volumeOf24h":8640123.7,"markPrice":14.2871,"indexPrice":14.2902,"lastTradePrice":14.29,
    "nextFundingRateTime":3195839,"nextFundingRateDateTime":1791504000000,"maxLeverage":75,
    "sourceExchanges":["okex","binance"],"premiumsSymbol1M":".LINKUSDTMPI","premiumsSymbol8H":".LINKUSDTMPI8H",
    "fundingBaseSymbol1M":".LINKINT","fundingQuoteSymbol1M":".USDTINT","lowPrice":13.91,"highPrice":14.75,
    "priceChgPct":-0.0123,"priceChg":-0.178,"k":26001.0,"m":9002.0,"f":1.3,"mmrLimit":0.31,
    "mmrLevConstant":75.5,"supportCross":true,"buyLimit":15.7,"sellLimit":12.8,"adjustK":26100.0,
    "adjustM":9100.0,"adjustMmrLevConstant":76.0,"adjustActiveTime":1793000000000,"crossRiskLimit":2.5E7,
    "marketStage":"PRE_MARKET","preMarketToPerpDate":1794000000000,"orderPriceRange":0.1,
    "marketType":"CRYPTO","assetClass":"METAL","subMarketType":"US.STOCK","lastTimeFundingRate":3.4E-5,
    "somethingNew":{"of":["2027"]}}"#;

#[test]
fn a_contract_has_terms() {
    let body = body(CONTRACT);
    let c = Contract::parse(body.as_bytes()).unwrap();
    assert_eq!(c.symbol.as_str(), "LINKUSDTM");
    assert_eq!(words([c.display_symbol, c.root_symbol, c.kind]), "LINKUSDTM USDT FFWCSX");
    assert_eq!(
        (c.first_open, c.expires, c.settles),
        (ms(1_591_000_000_000), ms(1_799_000_000_000), None)
    );
    let currencies = [c.base_currency, c.quote_currency, c.settle_currency].map(Option::unwrap);
    assert_eq!(currencies.map(|name| name.to_string()), ["LINK", "USDT", "USDT"]);
    assert_eq!(words([c.display_base_currency, Some(c.status)]), "Link Open");
    assert_eq!(c.max_order_size, Some(Lots::new(1_000_001)));
    assert_eq!(c.max_market_order_size, Some(Lots::new(500_002)));
    assert_eq!((c.max_price, c.lot_size), (some("1000000"), decimal("1")));
    assert_eq!((c.tick_size, c.index_tick_size), (decimal("0.0001"), some("0.00001")));
    assert_eq!((c.multiplier, c.is_inverse), (decimal("0.1"), false), "coins per lot");
    assert_eq!((c.initial_margin, c.maintenance_margin), (some("0.0134"), some("0.0067")));
    let limits = [c.max_risk_limit, c.min_risk_limit, c.risk_step, c.cross_risk_limit];
    assert_eq!(limits, ["70000", "60000", "35000", "25000000"].map(some));
    assert_eq!((c.maker_fee_rate, c.taker_fee_rate), (some("0.0002"), some("0.0006")));
    assert_eq!((c.taker_fixed_fee, c.maker_fixed_fee), (some("0"), some("0")));
    assert_eq!(c.settlement_fee, None);
    assert_eq!([c.is_deleverage, c.is_quanto, c.supports_cross], [Some(true); 3]);
    assert_eq!(words([c.mark_method, c.fair_method]), "FairPrice RestFundingRate");
    let model = [c.k, c.m, c.f, c.mmr_limit, c.mmr_leverage_constant];
    assert_eq!(model, ["26001", "9002", "1.3", "0.31", "75.5"].map(some));
    let to_be = [c.adjusted_k, c.adjusted_m, c.adjusted_mmr_leverage_constant];
    assert_eq!((to_be, c.adjusts), (["26100", "9100", "76"].map(some), ms(1_793_000_000_000)));
    assert_eq!(c.max_leverage, some("75"));
    let classes = [c.market_stage, c.market_type, c.asset_class, c.sub_market_type];
    assert_eq!(words(classes), "PRE_MARKET CRYPTO METAL US.STOCK");
    assert_eq!(c.becomes_perpetual, ms(1_794_000_000_000));
    assert!(!c.is_dated(), "it is to be delisted, and no dated one");
}

#[test]
fn a_contract_has_prices_and_funding() {
    let body = body(CONTRACT);
    let c = Contract::parse(body.as_bytes()).unwrap();
    let symbols = [
        c.funding_base_symbol,
        c.funding_quote_symbol,
        c.funding_rate_symbol,
        c.index_symbol,
        c.premium_symbol_1m,
        c.premium_symbol_8h,
        c.funding_base_symbol_1m,
        c.funding_quote_symbol_1m,
    ];
    assert_eq!(
        symbols.map(|symbol| symbol.unwrap().to_string()).join(" "),
        ".LINKINT8H .USDTINT8H .LINKUSDTMFPI8H .KLINKUSDT .LINKUSDTMPI .LINKUSDTMPI8H .LINKINT .USDTINT"
    );
    assert_eq!(c.settlement_symbol, None, "an empty text says nothing");
    let rates = [c.funding_fee_rate, c.daily_interest_rate, c.last_funding_rate];
    assert_eq!(rates, ["-0.000017", "0.0003", "0.000034"].map(some));
    assert_eq!((c.funding_rate_cap, c.funding_rate_floor), (some("0.0075"), some("-0.0074")));
    assert_eq!((c.predicted_funding_fee_rate, c.period), (None, Some(1)));
    let hours = |hours: u64| Some(Duration::from_secs(hours * 3600));
    assert_eq!((c.funding_interval, c.current_funding_interval), (hours(4), hours(8)));
    assert_eq!(c.funding_cycle_start, ms(1_792_000_000_000));
    assert_eq!(c.next_funding_in, Some(Duration::from_millis(3_195_839)), "a countdown");
    assert_eq!(c.next_funding, ms(1_791_504_000_000));
    assert_eq!(c.open_interest, Some(Lots::new(4_410_877)), "a string on the wire");
    assert_eq!(c.turnover_24h, some("123456789.01234567"), "to the last digit");
    assert_eq!(c.volume_24h, some("8640123.7"), "coins, not lots");
    let prices = [c.mark_price, c.index_price, c.last_trade_price];
    assert_eq!(prices, ["14.2871", "14.2902", "14.29"].map(some));
    let day = [c.low_price_24h, c.high_price_24h, c.price_change_rate_24h, c.price_change_24h];
    assert_eq!(day, ["13.91", "14.75", "-0.0123", "-0.178"].map(some));
    let range = [c.order_price_range, c.buy_limit, c.sell_limit];
    assert_eq!(range, ["0.1", "15.7", "12.8"].map(some));
    let exchanges: Vec<_> = c.source_exchanges.iter().map(|name| name.to_string()).collect();
    assert_eq!(exchanges, ["okex", "binance"]);
}

#[test]
fn a_row_says_only_what_it_must_and_each_has_its_own_error() {
    let least = r#"{"symbol":"LINKUSDTM","status":"Open","multiplier":"1E-1","tickSize":"0.01","lotSize":1.0,"isInverse":false}"#;
    let odd = edited(
        least,
        "}",
        r#","maxPrice":[],"openInterest":1.5,"firstOpenDate":"soon","sourceExchanges":null,"expireDate":0}"#,
    );
    let data = [
        least.into(),
        odd,
        edited(least, r#""status":"Open","#, ""),
        edited(least, r#""0.01""#, "null"),
        edited(least, r#""0.01""#, "true"),
        edited(least, "LINKUSDTM", "LINK,USDTM"),
        edited(least, "{", r#"{"lotSize":1,"#),
        "7".into(),
        "[7]".into(),
        least.into(),
    ];
    let body = body(&format!("[{}]", data.join(",")));
    let rows: Vec<_> = Contracts::parse(body.as_bytes()).unwrap().iter().collect();
    let first = rows[0].unwrap();
    assert_eq!((first.multiplier, first.tick_size), (decimal("0.1"), decimal("0.01")));
    assert_eq!((first.max_price, first.open_interest, first.kind), (None, None, None));
    assert_eq!(first.source_exchanges.iter().count(), 0);
    // What need not be there and cannot be read is none; the row is good.
    assert_eq!(rows[1].unwrap().open_interest, None);
    assert_eq!((rows[1].unwrap().first_open, rows[1].unwrap().expires), (None, None));
    let errors: Vec<_> = rows[2..9].iter().map(|row| row.unwrap_err()).collect();
    assert_eq!(
        errors,
        [
            WireError::Missing { field: "status" },
            WireError::Missing { field: "tickSize" },
            WireError::WrongType { field: "tickSize" },
            WireError::Malformed { field: "symbol" },
            WireError::Duplicate { field: "lotSize" },
            WireError::WrongType { field: "row" },
            WireError::WrongType { field: "row" },
        ]
    );
    assert!(rows[9].is_ok(), "a bad row is not the end of the list");
    assert_eq!(rows.len(), 10);
}

#[test]
fn a_ticker_is_the_last_trade_and_the_touch() {
    let data = r#"{"sequence":1707992727046,"symbol":"LINKUSDTM","side":"sell","size":21,"tradeId":"91",
        "price":"14.29","bestBidPrice":"14.28","bestBidSize":2767,"bestAskPrice":"14.3",
        "bestAskSize":0,"ts":1791500000251000007}"#;
    let (one, many) =
        (body(data), body(&format!(r#"[{data},{{"symbol":"NEWUSDTM","price":null}}]"#)));
    let ticker = RestTicker::parse(one.as_bytes()).unwrap();
    assert_eq!(
        (ticker.symbol.as_str(), ticker.sequence.unwrap().get()),
        ("LINKUSDTM", 1_707_992_727_046)
    );
    assert_eq!((ticker.taker_side, ticker.size), (Some(TakerSide::Sell), Some(Lots::new(21))));
    assert_eq!((ticker.price, words([ticker.trade_id])), ("14.29".parse().ok(), "91".into()));
    let bid = Level { price: "14.28".parse().unwrap(), size: Lots::new(2767) };
    assert_eq!((ticker.best_bid, ticker.best_ask), (Some(bid), None), "no lots are no level");
    assert_eq!(ticker.traded, ns(1_791_500_000_251_000_007), "nanoseconds, to the last");
    let all = rows::<RestTicker<'_>>(&many);
    assert_eq!(all[0], Ok(ticker));
    assert_eq!((all[1].unwrap().price, all[1].unwrap().best_bid), (None, None), "never traded");
}

#[test]
fn trades_and_candles() {
    let data = body(
        r#"[{"sequence":1697915257909,"contractId":1,"tradeId":"17","makerOrderId":"236","takerOrderId":"237",
            "ts":1791500000251000007,"size":3,"price":"14.29","side":"buy"},{"sequence":1}]"#,
    );
    let trades = rows::<RestTrade<'_>>(&data);
    let trade = trades[0].unwrap();
    assert_eq!((trade.sequence.get(), trade.size), (1_697_915_257_909, Lots::new(3)));
    assert_eq!((trade.price.to_string().as_str(), trade.taker_side), ("14.29", TakerSide::Buy));
    let ids = [trade.trade_id, trade.maker_order_id, trade.taker_order_id];
    assert_eq!((words(ids).as_str(), trade.time), ("17 236 237", ns(1_791_500_000_251_000_007)));
    assert_eq!(trades[1], Err(WireError::Missing { field: "size" }));

    let data = body(
        r#"[[1791500040000,14.2,14.5,14.1,"14.3",322,2.72059061E4],[1791500100000,14.3,14.3,14.3,14.3,0],
            [1791500160000,-5.82E-4,-5.0E-4,-6.1E-4,-5.5E-4,null,null,"new"],[1791500220000,1,2,3],{"t":1}]"#,
    );
    let candles = rows::<Kline>(&data);
    let first = candles[0].unwrap();
    assert_eq!(Some(first.start), ms(1_791_500_040_000), "milliseconds");
    let prices = [first.open, first.high, first.low, first.close];
    assert_eq!(prices, ["14.2", "14.5", "14.1", "14.3"].map(decimal), "open, high, low, close");
    assert_eq!((first.volume, first.turnover), (Some(Lots::new(322)), some("27205.9061")));
    let second = candles[1].unwrap();
    assert_eq!((second.volume, second.turnover), (Some(Lots::ZERO), None), "as until 2025");
    let third = candles[2].unwrap();
    assert_eq!((third.open, third.volume), (decimal("-0.000582"), None), "of a premium");
    assert_eq!(candles[3], Err(WireError::Missing { field: "close" }));
    assert_eq!(candles[4], Err(WireError::WrongType { field: "candle" }));
}

#[test]
fn marks_and_funding() {
    let data = body(
        r#"{"symbol":"LINKUSDTM","granularity":1000,"timePoint":1791500000000,"value":14.2871,"indexPrice":14.2902}"#,
    );
    let mark = RestMarkPrice::parse(data.as_bytes()).unwrap();
    assert_eq!(
        (mark.symbol.as_str(), mark.granularity),
        ("LINKUSDTM", Some(Duration::from_secs(1)))
    );
    assert_eq!((Some(mark.time), mark.value), (ms(1_791_500_000_000), decimal("14.2871")));
    assert_eq!(mark.index_price, some("14.2902"));

    let data = body(
        r#"{"symbol":".LINKUSDTMFPI4H","granularity":14400000,"timePoint":1791500000000,"value":6.1E-5,
            "predictedValue":1.09E-4,"dailyInterestRate":3.0E-4,"fundingRateCap":0.003,
            "fundingRateFloor":-0.004,"period":0,"fundingTime":1791514400000,"lastTimeFundingRate":-2E-5}"#,
    );
    let funding = RestFundingRate::parse(data.as_bytes()).unwrap();
    assert_eq!(funding.rate_symbol.as_str(), ".LINKUSDTMFPI4H");
    assert_eq!(funding.interval, Some(Duration::from_secs(4 * 3600)));
    assert_eq!(
        (Some(funding.interval_start), funding.next_settlement),
        (ms(1_791_500_000_000), ms(1_791_514_400_000))
    );
    assert_eq!((funding.value, funding.predicted_value), (decimal("0.000061"), some("0.000109")));
    let rates = [funding.daily_interest_rate, funding.cap, funding.floor, funding.last_rate];
    assert_eq!(
        (rates, funding.period),
        (["0.0003", "0.003", "-0.004", "-0.00002"].map(some), Some(0))
    );

    let data = body(r#"[{"symbol":"LINKUSDTM","fundingRate":-3.4E-5,"timepoint":1791500000000}]"#);
    let settled = rows::<SettledFunding>(&data)[0].unwrap();
    assert_eq!((settled.symbol.as_str(), settled.rate), ("LINKUSDTM", decimal("-0.000034")));
    assert_eq!(Some(settled.time), ms(1_791_500_000_000));
}

#[test]
fn series_go_on() {
    let data = body(
        r#"{"dataList":[{"symbol":".KLINKUSDT","granularity":1000,"timePoint":1791500001000,"value":14.29,
            "decomposionList":[{"exchange":"okex","exchangeName":"OKX","price":14.28,"weight":0.6667},
            {"exchange":"kucoin","price":null}]},{"symbol":".KLINKUSDT","timePoint":1791500000000,"value":14}],"hasMore":true}"#,
    );
    let series = Series::<IndexPrice<'_>>::parse(data.as_bytes()).unwrap();
    let points: Vec<_> = series.rows.iter().map(Result::unwrap).collect();
    assert!(series.has_more && points.len() == 2);
    let first = points[0];
    assert_eq!(
        (first.symbol.as_str(), first.value, Some(first.time)),
        (".KLINKUSDT", decimal("14.29"), ms(1_791_500_001_000))
    );
    let parts: Vec<_> = first.components.iter().map(Result::unwrap).collect();
    assert_eq!(words([Some(parts[0].exchange), parts[0].exchange_name]), "okex OKX");
    assert_eq!((parts[0].price, parts[0].weight), (some("14.28"), some("0.6667")));
    assert_eq!((words([Some(parts[1].exchange)]).as_str(), parts[1].price), ("kucoin", None));
    assert_eq!((points[1].components.iter().count(), points[1].granularity), (0, None));

    let data = body(
        r#"{"dataList":[{"symbol":".LINKUSDTMPI","granularity":60000,"timePoint":1791500000000,"value":-5.82E-4}],"hasMore":false}"#,
    );
    let premiums = Series::<SeriesPoint>::parse(data.as_bytes()).unwrap();
    let point = premiums.rows.iter().next().unwrap().unwrap();
    assert_eq!(
        (point.value, point.granularity),
        (decimal("-0.000582"), Some(Duration::from_secs(60)))
    );
    assert_eq!((Some(point.time), premiums.has_more), (ms(1_791_500_000_000), false));
    for nothing in [r#"{"dataList":[],"hasMore":false}"#, r#"{"dataList":null}"#, "{}"] {
        let data = body(nothing);
        let none = Series::<SeriesPoint>::parse(data.as_bytes()).unwrap();
        assert_eq!((none.rows.iter().count(), none.has_more), (0, false), "{nothing}");
    }
}

#[test]
fn the_service_is_open_or_says_why_not() {
    let data = body(r#"{"status":"cancelonly","msg":"upgrade \"7\""}"#);
    let status = ServiceStatus::parse(data.as_bytes()).unwrap();
    assert_eq!(
        (status.status.to_string(), status.message.to_string()),
        ("cancelonly".into(), "upgrade \"7\"".into())
    );
    let data = body(r#"{"msg":null,"status":"open"}"#);
    let status = ServiceStatus::parse(data.as_bytes()).unwrap();
    assert!(status.status.is("open") && status.message.is(""));
}

#[test]
fn each_query_is_answered_with_its_message() {
    let symbol = "LINKUSDTM".parse().unwrap();
    let (page, part, range) = Default::default();
    let (now, granularity) = (UnixNanos::from_nanos(1_791_500_000_251_000_000), Granularity::Min1);
    let currency = "USDT".parse().unwrap();
    let book = common::snapshot("LINKUSDTM", 7, "[14.2,5]", "[14.3,6]");
    let ticker = body(r#"{"symbol":"LINKUSDTM"}"#);
    let mark = body(r#"{"symbol":"LINKUSDTM","timePoint":1791500000000,"value":14}"#);
    let (list, object) = (body("[]"), body("{}"));
    let series = |part: SeriesPart| {
        (Query::InterestRates { symbol, part }, Query::Premiums { symbol, part })
    };
    let (interest, premium) = series(part);
    let ranged: TimeRange = range;
    let status = body(r#"{"status":"open"}"#);
    let account = body(r#"{"accountEquity":1,"currency":"USDT"}"#);
    macro_rules! answers {
        ($($query:expr, $body:expr => $message:ident;)*) => {
            $(answered($query, $body, |message| {
                assert!(matches!(message, Message::$message(_)), "{message:?}");
            });)*
        };
    }
    answers! {
        Query::Contract { symbol }, &body(CONTRACT) => Contract;
        Query::Ticker { symbol }, &ticker => RestTicker;
        Query::AllTickers, &list => AllTickers;
        Query::Depth20 { symbol }, &book => PartialBook;
        Query::Depth100 { symbol }, &book => PartialBook;
        Query::Trades { symbol }, &list => Trades;
        Query::Klines { symbol, granularity, range: ranged }, &list => Klines;
        Query::MarkPrice { symbol }, &mark => RestMarkPrice;
        Query::FundingRate { symbol }, &mark => RestFundingRate;
        Query::FundingHistory { symbol, from: now, to: now }, &list => FundingHistory;
        Query::IndexPrices { symbol, part }, &object => IndexPrices;
        interest, &object => InterestRates;
        premium, &object => Premiums;
        Query::ServiceStatus, &status => ServiceStatus;
        Query::Orders { symbol: None, page }, &object => Orders;
        Query::StopOrders { symbol: None, page }, &object => StopOrders;
        Query::Positions, &list => Positions;
        Query::AccountOverview { currency }, &account => AccountOverview;
        Query::RecentFills, &list => RecentFills;
        Query::Fills { symbol: None, range: ranged, page }, &object => Fills;
    }
    let of = |query, text: &str, expected| {
        answered(query, text, |message| assert_eq!(message.symbol(), expected));
    };
    of(Query::Contract { symbol }, &body(CONTRACT), Some(symbol));
    of(Query::Ticker { symbol }, &ticker, Some(symbol));
    of(Query::Depth20 { symbol }, &book, Some(symbol));
    of(Query::MarkPrice { symbol }, &mark, Some(symbol));
    of(Query::AllTickers, &list, None);
}
