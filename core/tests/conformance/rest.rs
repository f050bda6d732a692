//! Bodies of REST replies.

use kucoin_futures_proto::wire::{Contracts, Side, Snapshot};
use kucoin_futures_proto::{
    Book, Config, Decimal, Event, Input, Message, Query, RequestId, ResponseHead, RestError,
    WireError,
};

use crate::common::*;
use crate::folder::{Folder, Group, json};
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
            let number = |key: &str| row[key].to_string().parse::<Decimal>().unwrap();
            assert_eq!(Some(contract.symbol.as_str()), row["symbol"].as_str(), "{name}");
            assert_eq!(contract.status.plain(), row["status"].as_str(), "{name}");
            assert_eq!(Some(contract.is_inverse), row["isInverse"].as_bool(), "{name}");
            assert_eq!(contract.is_inverse, contract.multiplier.is_negative(), "{name}");
            assert_eq!(contract.tick_size, number("tickSize"), "{name}");
            assert_eq!(contract.lot_size, number("lotSize"), "{name}");
            assert_eq!(contract.multiplier, number("multiplier"), "{name}");
        }
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
