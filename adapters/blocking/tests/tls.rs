//! TLS for real: a throw-away authority, the simulated exchange behind it, and three bad certificates.

#![allow(clippy::unwrap_used, clippy::panic, missing_docs, reason = "tests")]

use std::sync::Arc;
use std::time::Duration;

use kucoin_futures_blocking::{Feed, Next, Options, Roots, Update};
use kucoin_futures_host::{Clock, unix_now};
use kucoin_futures_proto::{Channel, Config, Event, FetchFailure, Loss, TopicId};
use kucoin_futures_sim::{ExchangeConfig, Server};
use rcgen::{
    BasicConstraints, Certificate, CertificateParams, IsCa, Issuer, KeyPair, date_time_ymd,
};
use rustls::ServerConfig;
use rustls::pki_types::PrivateKeyDer;

const PATIENCE: Duration = Duration::from_secs(10);

#[test]
fn a_book_streams_over_tls() {
    let authority = Authority::new();
    let server = serve(&authority, |_| {});
    let (mut feed, topic) = feed(&server, authority.roots());
    let mut deltas = 0;
    wait(&mut feed, |update| {
        deltas += u32::from(matches!(update, Update::Book(_)));
        deltas == 50
    });
    assert!(feed.book(topic).is_some());
    assert_eq!(feed.stats().reconnects, 0);
}

#[test]
fn an_expired_certificate_is_refused() {
    let authority = Authority::new();
    let server = serve(&authority, |params| {
        params.not_before = date_time_ymd(2020, 1, 1);
        params.not_after = date_time_ymd(2021, 1, 1);
    });
    is_refused(&server, authority.roots());
}

#[test]
fn a_certificate_for_another_host_is_refused() {
    let authority = Authority::new();
    let server = serve(&authority, |params| {
        params.subject_alt_names =
            CertificateParams::new(vec!["example.org".into()]).unwrap().subject_alt_names;
    });
    is_refused(&server, authority.roots());
}

#[test]
fn an_unknown_authority_is_refused() {
    let server = serve(&Authority::new(), |_| {});
    is_refused(&server, Authority::new().roots());
    is_refused(&server, Roots::Public);
}

struct Authority {
    certificate: Certificate,
    issuer: Issuer<'static, KeyPair>,
}

impl Authority {
    fn new() -> Self {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let certificate = params.self_signed(&key).unwrap();
        Self { certificate, issuer: Issuer::new(params, key) }
    }

    fn roots(&self) -> Roots {
        Roots::from_pem(self.certificate.pem().as_bytes()).unwrap()
    }
}

fn serve(authority: &Authority, adjust: impl FnOnce(&mut CertificateParams)) -> Server {
    let key = KeyPair::generate().unwrap();
    let mut params = CertificateParams::new(vec!["127.0.0.1".into()]).unwrap();
    adjust(&mut params);
    let certificate = params.signed_by(&key, &authority.issuer).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let tls = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(
            vec![certificate.der().clone()],
            PrivateKeyDer::try_from(key.serialize_der()).unwrap(),
        )
        .unwrap();
    let mut config = ExchangeConfig::default();
    config.rate = 200.0;
    config.unix_start = unix_now();
    let clock = Clock::new();
    let now = Arc::new(move || clock.now());
    Server::start_tls(([127, 0, 0, 1], 0).into(), 1, config, now, Arc::new(tls)).unwrap()
}

fn feed(server: &Server, roots: Roots) -> (Feed, TopicId) {
    let mut options = Options::default();
    options.config = Config::with_rest(&server.url()).unwrap();
    options.roots = roots;
    let mut feed = Feed::with_options(options).unwrap();
    let topic = feed.subscribe(Channel::Level2("XBTUSDTM".parse().unwrap())).unwrap();
    (feed, topic)
}

/// Refused in the class that says so, before any byte of the protocol, and with a long wait.
fn is_refused(server: &Server, roots: Roots) {
    let (mut feed, _) = feed(server, roots);
    let tls = FetchFailure::Lost(Loss::Tls);
    wait(
        &mut feed,
        |update| matches!(update, Update::State(Event::NoToken { reason, .. }) if *reason == tls),
    );
    assert_eq!(server.with(|exchange, _| exchange.counts().requests), 0);
}

fn wait(feed: &mut Feed, mut right: impl FnMut(&Update<'_>) -> bool) {
    let clock = Clock::new();
    let end = clock.now() + PATIENCE;
    while clock.now() < end {
        match feed.next_within(end.since(clock.now())) {
            Next::Update(update) if right(&update) => return,
            Next::Update(_) | Next::Quiet => {}
            Next::Ended => break,
        }
    }
    panic!("in vain");
}
