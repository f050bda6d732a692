//! What an account does by itself adds up, exactly; and what is said of it is what it is.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs,
    reason = "tests"
)]

mod owner;

use std::collections::BTreeMap;
use std::time::Duration;

use kucoin_futures_proto::Instant;
use kucoin_futures_proto::wire::Side;
use kucoin_futures_sim::{
    Account, AccountChange, AccountConfig, AccountState, Contract, Exchange, ExchangeConfig, Fault,
    Money, Order, Target,
};
use owner::{Owner, Picture, symbol};

const SEEDS: u64 = 200;
const NAMES: [&str; 3] = ["XBTUSDTM", "CHRUSDTM", "XBTUSDCM"];

/// Some minutes of a busy trader in a quick market.
fn busy(seed: u64) -> Owner {
    let mut owner = Owner::new(seed, 8.0, 90, &NAMES);
    owner.seconds(150);
    owner
}

fn currency_of(name: &str) -> &'static str {
    if name.contains("USDC") { "USDC" } else { "USDT" }
}

#[test]
fn everything_adds_up_and_is_what_it_is_said_to_be() {
    let (mut filled, mut waiting, mut held) = (0, 0, 0);
    for seed in 0..SEEDS {
        let mut owner = busy(seed);
        let account = owner.account();
        balances_conserve(account, seed);
        positions_equal_the_fills(account, seed);
        orders_add_up(account, seed);
        own_lots_are_in_the_book(&owner, seed);
        history_leads_to_the_state(&owner, seed);
        rest_says_what_the_stream_said(&mut owner, seed);
        filled += owner.account().fills().count();
        waiting += owner.account().state().orders.len();
        held += owner.account().state().positions.len();
    }
    assert!(filled > 10_000 && waiting > 150 && held > 150, "{filled} {waiting} {held}");
}

/// The wallet is what was deposited, what closing brought, less fees, plus funding.
fn balances_conserve(account: &Account, seed: u64) {
    for (currency, balance) in &account.state().balances {
        let of = |name: &str| currency_of(name) == *currency;
        let fills = account.fills().filter(|fill| of(fill.terms.symbol.as_str()));
        let from_fills: Money = fills.map(|fill| fill.gross - fill.open_fee - fill.close_fee).sum();
        let settled = account.settlements().filter(|s| of(s.symbol.as_str()));
        let funding: Money = settled.map(|settlement| settlement.fee).sum();
        let wallet = Money::whole(10_000) + from_fills + funding;
        assert_eq!(balance.wallet, wallet, "seed {seed}, {currency}");
        let parts = balance.isolated_positions + balance.isolated_orders + balance.hold;
        assert_eq!(balance.total_cross, wallet - parts + balance.cross_unrealised, "seed {seed}");
        let taken = balance.cross_positions + balance.cross_orders;
        assert_eq!(balance.available, (balance.total_cross - taken).max(Money::ZERO));
    }
}

/// Lots, and what they cost: from the last time that a position was opened.
fn positions_equal_the_fills(account: &Account, seed: u64) {
    let mut lots = BTreeMap::new();
    let (mut flows, mut gross) = (BTreeMap::new(), BTreeMap::new());
    for fill in account.fills() {
        let buys = fill.terms.side == Side::Bid;
        let size = fill.size as i64;
        *lots.entry(fill.terms.symbol).or_insert(0) += if buys { size } else { -size };
        *flows.entry(fill.terms.symbol).or_insert(Money::ZERO) +=
            if buys { fill.value } else { -fill.value };
        *gross.entry(fill.terms.symbol).or_insert(Money::ZERO) += fill.gross;
    }
    for (symbol, lots) in lots {
        let position = account.state().positions.get(&symbol);
        assert_eq!(position.map_or(0, |position| position.qty), lots, "seed {seed}, {symbol}");
        // What went out is in the lots that are left, or has come back as profit or loss.
        let cost = position.map_or(Money::ZERO, |position| position.cost);
        assert_eq!(cost, flows[&symbol] + gross[&symbol], "seed {seed}, {symbol}");
        if let Some(position) = position {
            assert_eq!(position.cost, position.current_cost + position.gross, "seed {seed}");
        }
    }
}

fn orders_add_up(account: &Account, seed: u64) {
    let mut matched: BTreeMap<u64, (u64, Money)> = BTreeMap::new();
    for fill in account.fills() {
        let (lots, value) = matched.entry(fill.order).or_default();
        *lots += fill.size;
        *value += fill.value;
    }
    for order in account.state().orders.values().chain(account.done()) {
        let (size, left) = (order.terms.size, order.remaining());
        assert_eq!(size, order.filled + order.canceled + left, "seed {seed}, {order:?}");
        assert_eq!(order.is_active(), left > 0, "seed {seed}, {order:?}");
        let (lots, value) = matched.get(&order.id).copied().unwrap_or_default();
        assert_eq!((order.filled, order.filled_value), (lots, value), "seed {seed}, {order:?}");
    }
}

/// A level's size includes the account's own orders: a book without them can be made.
fn own_lots_are_in_the_book(owner: &Owner, seed: u64) {
    let mut own = BTreeMap::new();
    for order in owner.account().state().orders.values() {
        let (terms, price) = (&order.terms, order.terms.price.unwrap());
        *own.entry((terms.symbol, terms.side, price)).or_insert(0) += order.remaining();
    }
    for ((symbol, side, price), lots) in own {
        let size = owner.exchange.market(symbol).unwrap().truth().size(side, price);
        assert!(size >= lots, "seed {seed}: {lots} of {size} lots at {price}");
    }
}

fn history_leads_to_the_state(owner: &Owner, seed: u64) {
    let account = owner.account();
    assert_eq!(account.at(owner.now).as_ref(), Some(account.state()), "seed {seed}");
    let begin = account.at(Instant::from_nanos(1_000)).unwrap();
    assert_eq!((begin.orders.len(), begin.balances.len()), (0, 2), "seed {seed}");
    let times: Vec<Instant> = account.history().map(|(at, _)| *at).collect();
    assert!(times.is_sorted(), "seed {seed}");
    // Half way, put together by hand.
    let middle = times[times.len() / 2];
    let mut state = begin;
    let past = account.history().filter(|(at, _)| *at <= middle);
    past.for_each(|(_, change)| state.apply(change));
    assert_eq!(account.at(middle), Some(state), "seed {seed}");
}

/// Everything that a reader of the stream knows, REST says too.
fn rest_says_what_the_stream_said(owner: &mut Owner, seed: u64) {
    let picture = Picture::of(&owner.frames);
    let open = owner.get("/api/v1/orders?status=active&pageSize=1000");
    let rows = open["items"].as_array().unwrap();
    assert_eq!(rows.len(), picture.orders.len(), "seed {seed}");
    for row in rows {
        let told = &picture.orders[row["id"].as_str().unwrap()];
        for (rest, stream) in [
            ("symbol", "symbol"),
            ("side", "side"),
            ("price", "price"),
            ("clientOid", "clientOid"),
            ("marginMode", "marginMode"),
        ] {
            assert_eq!(row[rest], told[stream], "seed {seed}: {row} {told}");
        }
        for (rest, stream) in [("size", "size"), ("filledSize", "filledSize")] {
            assert_eq!(row[rest].to_string(), told[stream].as_str().unwrap(), "seed {seed}");
        }
    }
    let stops = owner.get("/api/v1/stopOrders?pageSize=1000");
    let stops = stops["items"].as_array().unwrap();
    assert_eq!(stops.len(), picture.stops.len(), "seed {seed}");
    for row in stops {
        let told = &picture.stops[row["id"].as_str().unwrap()];
        assert_eq!((&row["stopPrice"], &row["size"]), (&told["stopPrice"], &told["size"]));
    }
    let positions = owner.get("/api/v1/positions");
    let positions = positions.as_array().unwrap();
    assert_eq!(positions.len(), picture.positions.len(), "seed {seed}");
    for row in positions {
        let told = &picture.positions[row["symbol"].as_str().unwrap()];
        for name in ["currentQty", "posCost", "currentCost", "currentComm", "avgEntryPrice"] {
            assert_eq!(row[name], told[name], "seed {seed}: {row} {told}");
        }
    }
    for (currency, told) in &picture.balances {
        // To the last digit, which a general parser would round.
        let target = format!("/api/v1/account-overview?currency={currency}");
        let overview = owner.respond("GET", &target, "").body;
        for (rest, stream) in [("marginBalance", "walletBalance"), ("frozenFunds", "holdBalance")] {
            let member = format!(r#""{rest}":{},"#, told[stream].as_str().unwrap());
            assert!(overview.contains(&member), "seed {seed}: {member} {overview}");
        }
    }
}

/// Whoever keeps the last frame of a balance knows what is true of it.
#[test]
fn balances_are_told_with_every_change_and_versions_go_up_by_one() {
    let owner = busy(4);
    let mut versions: BTreeMap<String, u64> = BTreeMap::new();
    for frame in &owner.frames {
        if frame["subject"] == "walletBalance.change" {
            let currency = frame["data"]["currency"].as_str().unwrap().to_owned();
            let version: u64 = frame["data"]["version"].as_str().unwrap().parse().unwrap();
            let before = versions.insert(currency, version);
            assert_eq!(version, before.unwrap_or(1) + 1, "{frame}");
        }
    }
    for (currency, balance) in &owner.account().state().balances {
        assert_eq!(versions.get(*currency), Some(&balance.version));
    }
}

#[test]
fn funding_is_settled_on_the_contracts_grid() {
    // Two seconds before 16:00 UTC, which is a settlement of every contract with 8 or 4 hours.
    let mut owner = Owner::with(3, |config| {
        config.rate = 1.0;
        config.contracts = vec![Contract::named(symbol("XBTUSDTM"))];
        let eight_hours = 28_800_000;
        let ms = (1_790_000_000_000 / eight_hours + 1) * eight_hours - 2_500;
        config.unix_start = kucoin_futures_proto::UnixNanos::from_millis(ms).unwrap();
    });
    assert_eq!(owner.order("buy", 7, r#","type":"market""#)["code"], "200000");
    let wallet = owner.account().state().balances["USDT"].wallet;
    owner.seconds(10);
    let settled: Vec<_> = owner.account().settlements().cloned().collect();
    let [settlement] = &settled[..] else { panic!("{settled:?}") };
    assert_eq!((settlement.qty, settlement.settled_ms % 28_800_000), (7, 0));
    let rate: f64 = settlement.rate.to_string().parse().unwrap();
    let value: f64 = settlement.value.to_string().parse().unwrap();
    let fee: f64 = settlement.fee.to_string().parse().unwrap();
    assert!((fee + value * rate).abs() < 1e-7, "{settlement:?}");
    let after = owner.account().state().balances["USDT"].wallet;
    assert_eq!(after - wallet, settlement.fee);
    assert_eq!(owner.account().state().positions[&symbol("XBTUSDTM")].funding, settlement.fee);
    let frame = owner.frames.iter().find(|f| f["subject"] == "position.settlement").unwrap();
    assert_eq!(frame["data"]["qty"], 7);
    assert!(frame["data"].get("symbol").is_none() && frame["data"]["ts"].as_u64() > Some(1 << 60));
}

/// Levels come and go behind the touch, and only others' orders with them.
#[test]
fn orders_behind_the_touch_wait_until_it_has_come_to_them() {
    let mut owner = Owner::new(13, 20.0, 0, &["XBTUSDTM"]);
    let xbt = symbol("XBTUSDTM");
    let best = |owner: &Owner| {
        let market = owner.exchange.market(xbt).unwrap();
        market.truth().levels(Side::Bid).next().unwrap().price
    };
    let (touch, tick) = (best(&owner).scaled(), 100_000_000_000);
    for away in 1..60 {
        let price = kucoin_futures_proto::Price::from_scaled(touch - away * tick).unwrap();
        let answer = owner.order("buy", 2, &format!(r#","price":"{price}""#));
        assert_eq!(answer["code"], "200000", "{answer}");
    }
    let mut fills = 0;
    for _ in 0..20_000 {
        owner.now = owner.exchange.poll_timeout().unwrap();
        owner.exchange.tick(owner.now);
        while owner.exchange.poll_output().is_some() {}
        for fill in owner.account().fills().skip(fills) {
            assert!(best(&owner) <= fill.price, "{fill:?} with {:?} before it", best(&owner));
        }
        fills = owner.account().fills().count();
        let waiting = owner.account().state().orders.len();
        assert_eq!(waiting + owner.account().done().count(), 59);
    }
    assert!(fills > 5, "{fills}");
}

/// A leverage of 100 in a market that walks away.
#[test]
fn a_position_whose_margin_is_used_up_is_closed() {
    let mut owner = Owner::new(5, 0.0, 0, &["YFIUSDTM"]);
    for (name, side) in [("long", "buy"), ("rests", "sell")] {
        let price = if side == "sell" { r#","price":"9000""# } else { r#","type":"market""# };
        let body = format!(
            r#"{{"clientOid":"{name}","symbol":"YFIUSDTM","side":"{side}","size":100,"leverage":100{price}}}"#
        );
        owner.post("/api/v1/orders", &body);
    }
    let target = Target::One(symbol("YFIUSDTM"));
    for _ in 0..20 {
        owner.exchange.inject(owner.now, Fault::Rally { target, count: 80 });
        owner.exchange.tick(owner.now);
        while owner.exchange.poll_output().is_some() {}
        owner.seconds(5);
    }
    let liquidation = |frame: &&serde_json::Value| frame["data"]["changeReason"] == "liquidation";
    let told = owner.frames.iter().rfind(liquidation).unwrap();
    assert_eq!((&told["data"]["isOpen"], &told["data"]["currentQty"]), (&false.into(), &0.into()));
    let account = owner.account();
    assert!(account.state().positions.is_empty() && account.state().orders.is_empty());
    let last = account.fills().next_back().unwrap();
    assert_eq!((last.terms.trade_type.as_str(), last.gross < Money::ZERO), ("liquid", true));
    balances_conserve(account, 5);
}

#[test]
fn the_same_seed_is_the_same_account_byte_for_byte() {
    let [one, same, other] = [busy(11), busy(11), busy(12)].map(|owner| owner.frames);
    assert_eq!(one, same);
    assert_ne!(one, other);
}

/// Seeds of exchanges whose accounts do nothing are what they were.
#[test]
fn an_account_that_does_nothing_changes_no_book() {
    let book = |accounts: Vec<AccountConfig>| {
        let mut config = ExchangeConfig::default();
        config.accounts = accounts;
        let start = Instant::from_nanos(1_000);
        let mut exchange = Exchange::new(start, 21, config);
        exchange.tick(start + Duration::from_secs(30));
        let market = exchange.market(symbol("XBTUSDTM")).unwrap();
        (market.sequence(), market.truth().clone(), market.trades().cloned().collect::<Vec<_>>())
    };
    let two =
        vec![AccountConfig::default(), AccountConfig::new("other".into(), "s".into(), "p".into())];
    assert_eq!(book(Vec::new()), book(two));
}

#[test]
fn changes_of_an_account_are_its_state_when_they_are_applied() {
    let owner = busy(8);
    let mut state = AccountState::default();
    let mut orders: BTreeMap<u64, Order> = BTreeMap::new();
    for (_, change) in owner.account().history() {
        if let AccountChange::Order(order) = change {
            let before = orders.insert(order.id, order.clone());
            let filled = before.as_ref().map_or(0, |order| order.filled);
            assert!(order.filled >= filled, "lots are never unfilled: {order:?}");
            assert!(before.is_none_or(|order| order.is_active()), "nothing after the end");
        }
        state.apply(change);
    }
    assert_eq!(state.orders, owner.account().state().orders);
}
