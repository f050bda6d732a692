//! The corpus of the benchmarks: level2 frames as the simulated exchange pushes them.

use kucoin_futures_proto::Instant;
use kucoin_futures_sim::{Contract, Exchange, ExchangeConfig, Outgoing, Request, SessionId};

/// `count` consecutive frames of `symbol`, about 185 bytes each; the seed decides the market.
///
/// # Panics
/// The symbol is not one, or the simulation refuses its own token.
#[must_use]
#[allow(clippy::expect_used, reason = "a benchmark cannot go on without its corpus")]
pub fn frames(symbol: &str, count: usize, seed: u64) -> Vec<Box<[u8]>> {
    let now = Instant::ZERO;
    let symbol = symbol.parse().expect("a symbol");
    let mut config = ExchangeConfig::default();
    config.contracts = vec![Contract::named(symbol)];
    config.rate = 0.0;
    let mut exchange = Exchange::new(now, seed, config);
    let body = exchange.http(now, &Request::new("POST", "/api/v1/bullet-public")).body;
    let token = body.split('"').skip_while(|part| *part != "token").nth(2).expect("a token");
    assert!(exchange.connect(now, SessionId(1), &format!("token={token}")), "refused");
    let topic = format!("/contractMarket/level2:{symbol}");
    let subscribe = format!(r#"{{"id":"1","type":"subscribe","topic":"{topic}"}}"#);
    exchange.receive(now, SessionId(1), &subscribe);
    (0..count).for_each(|_| exchange.change(symbol, now));
    let texts =
        std::iter::from_fn(|| exchange.poll_output()).filter_map(|outgoing| match outgoing {
            Outgoing::Send(_, text, _) if text.contains("level2") => Some(text.as_bytes().into()),
            _ => None,
        });
    texts.collect()
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_corpus_is_whole_and_reproducible() {
        let frames = super::frames("XBTUSDTM", 100, 1);
        assert_eq!(frames.len(), 100);
        assert_eq!(frames, super::frames("XBTUSDTM", 100, 1));
    }
}
