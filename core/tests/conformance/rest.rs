//! Bodies of REST replies.

use kucoin_futures_proto::wire::{
    Contract, Contracts, Fill, Kline, OpenPosition, Order, Page, RestFundingRate, RestMarkPrice,
    RestTicker, RestTrade, Row, Rows, ServiceStatus, Side, Snapshot,
};
use kucoin_futures_proto::{
    Book, Config, ContractSpec, Event, Input, Message, Query, RequestId, Resolution, ResponseHead,
    RestError, WireError, resolve_symbol,
};
use serde_json::Value as Json;

use crate::common::*;
use crate::folder::{Folder, Group, json};
use crate::said::{Said, Says, meant};
use crate::side::{held, truth};

pub(crate) fn token_replies_lead_to_a_connection(folder: &Folder) {
    for (name, body) in folder.of(Group::Token) {
        let json = json(&body);
        let server = &json["data"]["instanceServers"][0];
        let (mut rig, request) = Rig::waiting_for_token(Config::default());
        let outputs = rig.reply(request, &body);
        let [endpoint] = opens(&outputs)[..] else { panic!("{name}: {outputs:?}") };
        let token = json["data"]["token"].as_str().unwrap().replace('=', "%3D");
        let (endpoint_text, id) = (server["endpoint"].as_str().unwrap(), &rig.connect_id);
        let url = format!("{endpoint_text}?token={token}&connectId={id}");
        assert_eq!(endpoint.secret_url(), url, "{name}");
        rig.opened();
        rig.welcome();
        rig.ack(1);
        let interval = u32::try_from(server["pingInterval"].as_u64().unwrap()).unwrap() * MS;
        assert_eq!(pings(&rig.pass(interval - MS)).len(), 0, "{name}");
        assert_eq!(pings(&rig.pass(MS)).len(), 1, "{name}");
    }
}

pub(crate) fn snapshots_are_read_to_the_last_level(folder: &Folder) {
    for (name, body) in folder.of(Group::Snapshot) {
        let (snapshot, json) = (Snapshot::parse(body.as_bytes()).unwrap(), json(&body));
        let data = &json["data"];
        assert_eq!(Some(snapshot.symbol.as_str()), data["symbol"].as_str(), "{name}");
        assert_eq!(Some(snapshot.sequence.get()), data["sequence"].as_u64(), "{name}");
        assert_eq!(snapshot.ts_event.map(|time| time.as_nanos()), data["ts"].as_u64(), "{name}");
        let mut book = Book::new(1000, 5000);
        book.load(&snapshot);
        for (side, key) in [(Side::Bid, "bids"), (Side::Ask, "asks")] {
            assert_eq!(held(&book, side), truth(&data[key]), "{name}");
            assert!(book.held_levels(side) > 0);
        }
    }
}

pub(crate) fn contract_lists_are_read_row_by_row(folder: &Folder) {
    for (name, body) in folder.of(Group::Contracts) {
        let json = json(&body);
        let rows = json["data"].as_array().unwrap();
        let contracts = Contracts::parse(body.as_bytes()).unwrap();
        assert_eq!(contracts.iter().count(), rows.len());
        for (contract, row) in contracts.iter().zip(rows) {
            let contract = contract.unwrap();
            contract.says(row, &[]);
            assert_eq!(contract.is_inverse, contract.multiplier.is_negative(), "{name}");
            let spec = ContractSpec::new(&contract).unwrap();
            assert_eq!(spec.is_dated(), row["type"] == "FFICSX", "{name}");
            assert_eq!(spec.is_dated(), spec.funding_interval().is_none(), "{name}");
            let symbol = Resolution::Exact(contract.symbol);
            let typed = contract.symbol.as_str().to_lowercase();
            let list = contracts.iter().flatten();
            assert_eq!(resolve_symbol(&typed, list), symbol, "{name}");
        }
    }
}

/// What is not in a row is not in the answer, either.
fn data(body: &str) -> Json {
    json(body)["data"].clone()
}

pub(crate) fn a_contract_is_read_to_the_last_key(folder: &Folder) {
    for (_, body) in folder.of(Group::Contract) {
        Contract::parse(body.as_bytes()).unwrap().says(&data(&body), &[]);
    }
}

pub(crate) fn tickers_of_rest(folder: &Folder) {
    let same = |ticker: RestTicker<'_>, data: &Json| {
        let (bid, ask) = (ticker.best_bid.unwrap(), ticker.best_ask.unwrap());
        let ours = serde_json::json!({
            "symbol": ticker.symbol.as_str(), "sequence": ticker.sequence.unwrap().get(),
            "side": ticker.taker_side.unwrap().to_string(), "size": ticker.size.unwrap().get(),
            "price": ticker.price.unwrap().to_string(),
            "tradeId": ticker.trade_id.unwrap().to_string(),
            "bestBidPrice": bid.price.to_string(), "bestBidSize": bid.size.get(),
            "bestAskPrice": ask.price.to_string(), "bestAskSize": ask.size.get(),
            "ts": ticker.traded.unwrap().as_nanos(),
        });
        assert_eq!(&ours, data);
    };
    for (_, body) in folder.of(Group::RestTicker) {
        same(RestTicker::parse(body.as_bytes()).unwrap(), &data(&body));
    }
    for (_, body) in folder.of(Group::AllTickers) {
        each(Rows::parse(body.as_bytes()).unwrap(), &data(&body), same);
    }
}

/// Reads all rows beside the referee's.
fn each<'a, T: Row<'a>>(rows: Rows<'a, T>, theirs: &Json, same: impl Fn(T, &Json)) {
    let theirs = theirs.as_array().unwrap();
    assert!(!theirs.is_empty() && rows.iter().count() == theirs.len());
    for (ours, theirs) in rows.iter().zip(theirs) {
        same(ours.unwrap(), theirs);
    }
}

pub(crate) fn trades_of_rest(folder: &Folder) {
    for (_, body) in folder.of(Group::Trades) {
        let rows = Rows::<RestTrade<'_>>::parse(body.as_bytes()).unwrap();
        // Deprecated.
        each(rows, &data(&body), |trade, json| trade.says(json, &["contractId"]));
    }
}

pub(crate) fn candles_of_rest(folder: &Folder) {
    for (_, body) in folder.of(Group::Klines) {
        each(Rows::<Kline>::parse(body.as_bytes()).unwrap(), &data(&body), |kline, json| {
            let prices = [kline.open, kline.high, kline.low, kline.close];
            let ours = [Some(kline.start.as_millis().to_string())]
                .into_iter()
                .chain(prices.map(|price| price.said()))
                .chain([kline.volume.said(), kline.turnover.said()])
                .flatten();
            assert_eq!(Some(ours.collect::<Vec<_>>().join(",")), meant(json));
        });
    }
}

pub(crate) fn marks_funding_and_status(folder: &Folder) {
    for (_, body) in folder.of(Group::MarkPrice) {
        RestMarkPrice::parse(body.as_bytes()).unwrap().says(&data(&body), &[]);
    }
    for (_, body) in folder.of(Group::FundingRate) {
        RestFundingRate::parse(body.as_bytes()).unwrap().says(&data(&body), &[]);
    }
    for (_, body) in folder.of(Group::Status) {
        ServiceStatus::parse(body.as_bytes()).unwrap().says(&data(&body), &[]);
    }
}

pub(crate) fn orders_positions_and_fills(folder: &Folder) {
    for (_, body) in folder.of(Group::Orders) {
        let (page, json) = (Page::<Order<'_>>::parse(body.as_bytes()).unwrap(), data(&body));
        let numbers = [page.number, page.size, page.total_rows, page.total_pages];
        let theirs = ["currentPage", "pageSize", "totalNum", "totalPage"];
        assert_eq!(numbers, theirs.map(|key| json[key].as_u64()));
        // Values that other keys have under another name.
        let twice = ["filledSize", "filledValue", "tags"];
        each(page.rows, &json["items"], |order, json| order.says(json, &twice));
    }
    for (_, body) in folder.of(Group::Positions) {
        let rows = Rows::<OpenPosition<'_>>::parse(body.as_bytes()).unwrap();
        each(rows, &data(&body), |position, json| position.says(json, &[]));
    }
    for (_, body) in folder.of(Group::Fills) {
        let rows = Rows::<Fill<'_>>::parse(body.as_bytes()).unwrap();
        each(rows, &data(&body), |fill, json| fill.says(json, &[]));
    }
}

pub(crate) fn the_server_time_is_in_milliseconds(folder: &Folder) {
    for (_, body) in folder.of(Group::Time) {
        let (mut rig, request) = queried();
        let input = Input::Reply { request, head: ResponseHead::new(200), body: body.as_bytes() };
        let push = rig.client.handle(rig.now, input).into_message().unwrap();
        let Ok(Message::ServerTime(time)) = push.decode() else { panic!("{push:?}") };
        assert_eq!(Some(time.as_millis()), json(&body)["data"].as_u64());
    }
}

pub(crate) fn refusals_are_told_by_their_code_whatever_the_status(folder: &Folder) {
    for (name, body) in folder.of(Group::Refusal) {
        let code = json(&body)["code"].as_str().unwrap().parse().unwrap();
        let is_limit = name.contains("429000") || name.contains("200002");
        for status in [200, 400, 403, 404] {
            let (mut rig, request) = queried();
            let outputs = rig.reply_with(request, ResponseHead::new(status), &body);
            let [event @ Event::QueryFailed { reason, .. }] = events(&outputs)[..] else {
                panic!("{name}: {outputs:?}")
            };
            assert_eq!(matches!(reason, RestError::RateLimited { .. }), is_limit, "{name}");
            assert_eq!(matches!(reason, RestError::Api { .. }), !is_limit, "{name}");
            let refusal = event.refusal().unwrap();
            assert_eq!((refusal.status, refusal.code), (Some(status), Some(code)), "{name}");
            let words = refusal.words.and_then(|words| rig.client.words(words));
            let says_something = json(&body)["msg"].as_str().is_some_and(|msg| !msg.is_empty());
            assert_eq!(words.is_some(), says_something, "{name}");
        }
        assert_eq!(Snapshot::parse(body.as_bytes()), Err(WireError::Unexpected), "{name}");
    }
}

fn queried() -> (Rig, RequestId) {
    let mut rig = Rig::new();
    let request = rig.client.fetch(rig.now, Query::ServerTime).unwrap();
    rig.drain();
    (rig, request)
}
