//! exchange-apiws (Rust): REST, a supervised socket, and a book of its own.

use std::fmt::Display;
use std::future::Future;
use std::process::exit;
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use exchange_apiws::actors::{DataMessage, ExchangeConnector as _, OrderBookData};
use exchange_apiws::book::LocalOrderBook;
use exchange_apiws::ws::{
    KucoinConnector, SupervisedConfig, WsFeedEndpoint, WsRunnerConfig, run_feed_supervised,
};
use exchange_apiws::{Credentials, KuCoinClient, KucoinEnv, OrderType, Result, Side, TimeInForce};
use serde_json::json;
use tokio::sync::{mpsc, watch};
use tokio::time::{sleep, timeout};

const ENV: KucoinEnv = KucoinEnv::LiveFutures;

fn word(name: &str) -> String {
    std::env::var(name).unwrap_or_default()
}

fn now() -> f64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs_f64()
}

/// Runs a check and tells how it went.
async fn check<T, E: Display>(
    name: &str,
    run: impl Future<Output = std::result::Result<T, E>>,
) -> Option<T> {
    let outcome = match timeout(Duration::from_secs(60), run).await {
        Ok(Ok(value)) => Ok(value),
        Ok(Err(error)) => Err(error.to_string()),
        Err(_) => Err("not within 60 s".into()),
    };
    let (result, detail) = match &outcome {
        Ok(_) => ("ok", String::new()),
        Err(error) => ("fail", error.chars().take(400).collect()),
    };
    println!("{}", json!({"check": name, "result": result, "detail": detail}));
    outcome.ok()
}

fn need(holds: bool, text: impl Display) -> std::result::Result<(), String> {
    if holds { Ok(()) } else { Err(text.to_string()) }
}

async fn refused<T>(name: &str, run: impl Future<Output = Result<T>>, code: &str) {
    let refusal = async {
        match run.await {
            Ok(_) => Err("not refused".to_owned()),
            Err(error) => need(error.to_string().contains(code), &error),
        }
    };
    check(name, refusal).await;
}

fn client(key: &str, secret: &str, passphrase: &str) -> Arc<KuCoinClient> {
    let credentials = Credentials::new(key, secret, passphrase);
    match KuCoinClient::with_base_url(credentials, word("KCF_URL")) {
        Ok(client) => Arc::new(client),
        Err(error) => {
            eprintln!("{error}");
            exit(1)
        }
    }
}

/// What a socket brought, and when.
type Got = Arc<Mutex<Vec<(f64, DataMessage)>>>;

/// Opens a socket with these topics; it is opened again with a new token when it fails.
async fn listen(
    client: &Arc<KuCoinClient>,
    private: bool,
    topics: fn(&KucoinConnector, &str) -> Vec<Option<String>>,
) -> Result<(Got, watch::Sender<bool>)> {
    let token = token(client, private).await?;
    let connector = Arc::new(KucoinConnector::new(&token, ENV)?);
    let (tx, mut rx) = mpsc::channel(4096);
    let (shutdown, is_shut) = watch::channel(false);
    let runner = WsRunnerConfig {
        reconnect_delay_secs: 1,
        max_reconnect_attempts: 2,
        ..WsRunnerConfig::from_ping_interval(connector.ping_interval_secs)
    };
    let asked = Arc::clone(client);
    let refresh = move || {
        let client = Arc::clone(&asked);
        async move {
            let connector = KucoinConnector::new(&self::token(&client, private).await?, ENV)?;
            let subscriptions = topics(&connector, &word("KCF_SYMBOL"));
            Ok(WsFeedEndpoint {
                url: connector.ws_url().to_owned(),
                subscriptions: subscriptions.into_iter().flatten().collect(),
            })
        }
    };
    let config =
        SupervisedConfig { refresh_delay_secs: 1, ..SupervisedConfig::from_runner(runner) };
    tokio::spawn(async move {
        if let Err(error) = run_feed_supervised(connector, tx, config, is_shut, refresh).await {
            eprintln!("{error}");
        }
    });
    let got = Got::default();
    let seen = Arc::clone(&got);
    tokio::spawn(async move {
        while let Some(message) = rx.recv().await {
            lock(&seen).push((now(), message));
        }
    });
    Ok((got, shutdown))
}

async fn token(client: &KuCoinClient, private: bool) -> Result<exchange_apiws::ws::WsToken> {
    if private { client.get_ws_token_private().await } else { client.get_ws_token_public().await }
}

fn lock(got: &Got) -> std::sync::MutexGuard<'_, Vec<(f64, DataMessage)>> {
    got.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

async fn seen(
    got: &Got,
    seconds: u32,
    holds: impl Fn(f64, &DataMessage) -> bool,
) -> std::result::Result<(), String> {
    for _ in 0..seconds * 20 {
        if lock(got).iter().any(|(at, message)| holds(*at, message)) {
            return Ok(());
        }
        sleep(Duration::from_millis(50)).await;
    }
    Err("no message".into())
}

async fn market_calls(api: &KuCoinClient, symbol: &str) {
    check("REST get_server_time", api.get_server_time()).await;
    check("REST get_ticker", api.get_ticker(symbol)).await;
    check("REST get_contract", api.get_contract(symbol)).await;
    check("REST get_active_contracts", api.get_active_contracts()).await;
    check("REST get_orderbook_snapshot", api.get_orderbook_snapshot(symbol)).await;
    check("REST get_mark_price", api.get_mark_price(symbol)).await;
    check("REST get_funding_rate", api.get_funding_rate(symbol)).await;
    let klines = async {
        let rows = api.fetch_klines(symbol, 100, "1").await.map_err(|error| error.to_string())?;
        need(rows.len() > 90, rows.len())
    };
    check("REST fetch_klines", klines).await;
    let longer = async {
        let rows = api.fetch_klines_extended(symbol, 450, "1", 200).await;
        let rows = rows.map_err(|error| error.to_string())?;
        need(rows.len() > 400, rows.len())
    };
    check("REST fetch_klines_extended", longer).await;
    refused("REST unknown symbol is refused", api.get_contract("NOPEUSDTM"), "404000").await;
}

async fn public(symbol: &str) {
    let api = client("", "", "");
    market_calls(&api, symbol).await;
    let topics = |c: &KucoinConnector, symbol: &str| {
        vec![
            c.trade_subscription(symbol),
            c.ticker_subscription(symbol),
            c.instrument_subscription(symbol),
            c.orderbook_l2_subscription(symbol),
        ]
    };
    let Some((got, stop)) = check("token, socket", listen(&api, false, topics)).await else {
        return;
    };
    let channels: [(&str, fn(&DataMessage) -> bool); 4] = [
        ("trade", |m| matches!(m, DataMessage::Trade(t) if t.price > 0.0 && t.amount > 0.0)),
        ("ticker", |m| matches!(m, DataMessage::Ticker(t) if t.best_bid < t.best_ask)),
        ("instrument", |m| matches!(m, DataMessage::InstrumentEvent(e) if e.mark_price.is_some())),
        ("level2", |m| matches!(m, DataMessage::OrderBook(b) if !b.is_snapshot)),
    ];
    for (name, is) in channels {
        check(&format!("channel {name}"), seen(&got, 15, |_, message| is(message))).await;
    }
    check("its book equals REST", book(&api, &got, symbol)).await;
    let _ = stop.send(true);
    for depth in [5, 50] {
        let topics = match depth {
            5 => |c: &KucoinConnector, s: &str| vec![c.orderbook_depth_subscription(s, 5)],
            _ => |c: &KucoinConnector, s: &str| vec![c.orderbook_depth_subscription(s, 50)],
        };
        let run = async {
            let (got, stop) =
                listen(&api, false, topics).await.map_err(|error| error.to_string())?;
            let full = |m: &DataMessage| matches!(m, DataMessage::OrderBook(b) if b.is_snapshot && b.bids.len() == depth);
            let outcome = seen(&got, 15, |_, message| full(message)).await;
            let _ = stop.send(true);
            outcome
        };
        check(&format!("channel depth {depth}"), run).await;
    }
}

/// Its book, from a snapshot and what came since, at the sequence of a later snapshot.
async fn book(api: &KuCoinClient, got: &Got, symbol: &str) -> std::result::Result<(), String> {
    let snapshot =
        || async { api.get_orderbook_snapshot(symbol).await.map_err(|error| error.to_string()) };
    let first = snapshot().await?;
    sleep(Duration::from_secs(3)).await;
    let second = snapshot().await?;
    seen(got, 15, |_, message| {
        matches!(message, DataMessage::OrderBook(b) if b.last_update_id >= Some(second.sequence))
    })
    .await?;
    let mut book = LocalOrderBook::new();
    let template = lock(got).iter().find_map(|(_, message)| match message {
        DataMessage::OrderBook(data) => Some(data.clone()),
        _ => None,
    });
    let template = template.ok_or("no changes")?;
    book.apply(&OrderBookData {
        asks: first.asks,
        bids: first.bids,
        is_snapshot: true,
        first_update_id: Some(first.sequence),
        last_update_id: Some(first.sequence),
        ..template
    });
    for (_, message) in lock(got).iter() {
        if let DataMessage::OrderBook(data) = message
            && data.last_update_id <= Some(second.sequence)
        {
            need(!book.apply(data).is_gap(), "a gap")?;
        }
    }
    need(book.last_update_id() == Some(second.sequence), "another sequence")?;
    let top = |side: Vec<[f64; 2]>| side.into_iter().take(20).collect::<Vec<_>>();
    need(first.sequence < second.sequence, "nothing changed")?;
    need(top(book.bids(20)) == top(second.bids), "other bids")?;
    need(top(book.asks(20)) == top(second.asks), "other asks")
}

async fn reconnect() {
    let close_at: f64 = word("KCF_CLOSE_AT").parse().unwrap_or_default();
    let topics = |c: &KucoinConnector, symbol: &str| vec![c.ticker_subscription(symbol)];
    let run = async {
        let listening = listen(&client("", "", ""), false, topics).await;
        let (got, _stop) = listening.map_err(|error| error.to_string())?;
        seen(&got, 15, |at, _| at < close_at).await?;
        // What had been sent before the close may still be on its way.
        seen(&got, 45, |at, _| at > close_at + 1.0).await
    };
    check("data again after a close", run).await;
}

async fn private(symbol: &str) {
    let account = word("KCF_ACCOUNT");
    let keys: Vec<&str> = account.split(':').collect();
    let [key, secret, passphrase] = keys[..] else { return eprintln!("KCF_ACCOUNT: three parts") };
    let api = client(key, secret, passphrase);
    check("REST get_account_overview", api.get_account_overview("USDT")).await;
    refused("wrong key is refused", client("no", secret, passphrase).get_balance("USDT"), "400003")
        .await;
    refused("wrong secret is refused", client(key, "no", passphrase).get_balance("USDT"), "40000")
        .await;
    refused("wrong passphrase is refused", client(key, secret, "no").get_balance("USDT"), "400004")
        .await;
    let topics = |c: &KucoinConnector, symbol: &str| {
        vec![
            c.order_updates_subscription(),
            c.position_subscription(symbol),
            c.balance_subscription(),
            c.stop_orders_subscription(),
        ]
    };
    let Some((got, _stop)) = check("private token, socket", listen(&api, true, topics)).await
    else {
        return;
    };
    sleep(Duration::from_secs(2)).await;
    let best =
        api.get_orderbook_snapshot(symbol).await.ok().and_then(|book| Some(book.bids.first()?[0]));
    let far = (best.unwrap_or(60_000.0) * 0.9).round();
    let place = api.place_order(
        symbol,
        Side::Buy,
        1,
        3,
        OrderType::Limit,
        Some(far),
        Some(TimeInForce::GTC),
        false,
        None,
    );
    if let Some(placed) = check("order placed", place).await {
        let id = placed.order_id;
        let is = |message: &DataMessage| matches!(message, DataMessage::OrderUpdate(o) if o.order_id == id);
        check("order seen on its channel", seen(&got, 10, |_, message| is(message))).await;
        check("order by id", api.get_order(&id)).await;
        let open = async {
            let orders = api.get_open_orders(symbol).await.map_err(|error| error.to_string())?;
            need(orders.iter().any(|order| order.id == id), "not there")
        };
        check("order among the open ones", open).await;
        check("order cancelled", api.cancel_order(&id)).await;
    }
    let stop = api.place_stop_order(symbol, Side::Buy, 1, 3, far, "down", Some(far), false);
    check("stop order placed", stop).await;
    check("stop orders listed", api.get_open_stop_orders(symbol)).await;
    check("stop orders cancelled", api.cancel_all_stop_orders(symbol)).await;
    let market =
        api.place_order(symbol, Side::Buy, 1, 3, OrderType::Market, None, None, false, None);
    check("market order placed", market).await;
    sleep(Duration::from_secs(1)).await;
    check("position", api.get_position(symbol)).await;
    check("positions", api.get_all_positions()).await;
    check("recent fills", api.get_recent_fills(symbol)).await;
    check("done orders", api.get_done_orders(symbol, 10)).await;
    check("risk limits", api.get_risk_limit_levels(symbol)).await;
    let channels: [(&str, fn(&DataMessage) -> bool); 4] = [
        ("orders", |m| matches!(m, DataMessage::OrderUpdate(_))),
        ("position", |m| matches!(m, DataMessage::PositionChange(_))),
        ("balance", |m| matches!(m, DataMessage::BalanceUpdate(_))),
        ("stop orders", |m| matches!(m, DataMessage::AdvancedOrderUpdate(_))),
    ];
    for (name, is) in channels {
        check(&format!("channel {name}"), seen(&got, 20, |_, message| is(message))).await;
    }
}

#[tokio::main]
async fn main() {
    let symbol = word("KCF_SYMBOL");
    match std::env::args().nth(1).as_deref() {
        Some("reconnect") => reconnect().await,
        Some("private") => private(&symbol).await,
        _ => public(&symbol).await,
    }
    // The tasks of its sockets are still there.
    exit(0)
}
