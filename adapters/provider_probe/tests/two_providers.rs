//! With two providers compiled in and none chosen, rustls panics for whoever asks for a default. The
//! feeds name theirs.

use std::sync::Arc;
use std::time::Duration;

use kucoin_futures_host::{Clock, Next, Options, Roots, Update};
use kucoin_futures_proto::{BookEvent, Channel, Config, Event};
use kucoin_futures_sim::{Authority, ExchangeConfig, Server};

const PATIENCE: Duration = Duration::from_secs(20);

fn exchange() -> (Server, Options) {
    let authority = Authority::new().unwrap();
    let (clock, mut config) = (Clock::new(), ExchangeConfig::default());
    config.rate = 50.0;
    let (now, tls) = (Arc::new(move || clock.now()), authority.server(None).unwrap());
    let server = Server::start_tls(([127, 0, 0, 1], 0).into(), 1, config, now, tls).unwrap();
    let mut options = Options::with_config(Config::with_rest(&server.url()).unwrap());
    options.roots = Roots::from_pem(authority.pem().as_bytes()).unwrap();
    (server, options)
}

fn is_live(next: &Next<'_>) -> bool {
    match next {
        Next::Update(update) => {
            matches!(update, Update::State(Event::Book(_, BookEvent::Live { .. })))
        }
        Next::Quiet | Next::Ended => panic!("not live in time"),
    }
}

/// What the feeds must not run into: the premise of the other two.
#[test]
fn rustls_cannot_choose() {
    assert!(std::panic::catch_unwind(rustls::ClientConfig::builder).is_err());
}

#[test]
fn the_blocking_feed_is_not_troubled() {
    let (_server, options) = exchange();
    let mut feed = kucoin_futures_blocking::Feed::with_options(options).unwrap();
    feed.subscribe(Channel::level2("XBTUSDTM".parse().unwrap())).unwrap();
    while !is_live(&feed.next_within(PATIENCE)) {}
}

#[test]
fn the_smol_feed_is_not_troubled() {
    let (_server, options) = exchange();
    let mut feed = kucoin_futures_smol::Feed::with_options(options).unwrap();
    feed.subscribe(Channel::level2("XBTUSDTM".parse().unwrap())).unwrap();
    while !smol::block_on(async { is_live(&feed.next_within(PATIENCE).await) }) {}
}
