//! A simulated exchange with a feed that talks to it.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use kucoin_futures_host::{Clock, Next, Options, Roots, Update, unix_now};
use kucoin_futures_proto::book::Scope;
use kucoin_futures_proto::wire::Side;
use kucoin_futures_proto::{Book, BookEvent, Channel, Config, Event, Symbol, TopicId};
use kucoin_futures_sim::{Authority, ExchangeConfig, Fault, Flaw, Server};

use crate::feed::Feed;

/// What the bytes travel on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[allow(clippy::exhaustive_enums, reason = "there is no third")]
pub enum Wire {
    /// `http` and `ws`.
    Plain,
    /// `https` and `wss`, with a throw-away authority.
    Tls,
}

impl fmt::Display for Wire {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Plain => "plain",
            Self::Tls => "tls",
        })
    }
}

/// Longer than the first wait after what will not pass quickly (close code 1012): up to 16 s.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);
/// What a busy machine may add to a deadline.
pub(crate) const SLACK: Duration = Duration::from_millis(1500);
pub(crate) const SECOND: Duration = Duration::from_secs(1);
pub(crate) const MS: Duration = Duration::from_millis(1);

/// An exchange on loopback.
pub(crate) struct Rig {
    pub(crate) server: Server,
    wire: Wire,
    authority: Authority,
}

impl Rig {
    /// An exchange whose markets make `rate` changes a second each, with pings as on the real one.
    pub(crate) fn new(wire: Wire, rate: f64) -> Self {
        Self::with_flaw(wire, rate, None)
    }

    /// The same with pings every second, answered within a second.
    pub(crate) fn brisk(wire: Wire, rate: f64) -> Self {
        let rig = Self::new(wire, rate);
        rig.server.with(|exchange, _| exchange.set_pings(SECOND, SECOND));
        rig
    }

    pub(crate) fn with_flaw(wire: Wire, rate: f64, flaw: Option<Flaw>) -> Self {
        let mut config = ExchangeConfig::default();
        config.rate = rate;
        config.unix_start = unix_now();
        Self::start(wire, config, flaw)
    }

    /// An exchange that is set up otherwise.
    pub(crate) fn with_config(wire: Wire, config: ExchangeConfig) -> Self {
        Self::start(wire, config, None)
    }

    fn start(wire: Wire, config: ExchangeConfig, flaw: Option<Flaw>) -> Self {
        let clock = Clock::new();
        let now = Arc::new(move || clock.now());
        let authority = Authority::new().unwrap();
        let addr = ([127, 0, 0, 1], 0).into();
        let server = match wire {
            Wire::Plain => Server::start(addr, 1, config, now),
            Wire::Tls => Server::start_tls(addr, 1, config, now, authority.server(flaw).unwrap()),
        };
        Self { server: server.unwrap(), wire, authority }
    }

    /// For a client of this exchange; retries come quickly.
    pub(crate) fn options(&self) -> Options {
        let mut options = Options::default();
        options.config = Config::with_rest(&self.server.url()).unwrap();
        options.config.backoff.base = 100 * MS;
        options.roots = self.roots();
        options.seed = Some(7);
        options
    }

    pub(crate) fn roots(&self) -> Roots {
        match self.wire {
            Wire::Plain => Roots::Public,
            Wire::Tls => Roots::from_pem(self.authority.pem().as_bytes()).unwrap(),
        }
    }

    pub(crate) const fn authority(&self) -> &Authority {
        &self.authority
    }

    /// The scheme of its sockets.
    pub(crate) const fn ws(&self) -> &'static str {
        match self.wire {
            Wire::Plain => "ws",
            Wire::Tls => "wss",
        }
    }

    /// The scheme of its REST interface.
    pub(crate) const fn http(&self) -> &'static str {
        match self.wire {
            Wire::Plain => "http",
            Wire::Tls => "https",
        }
    }

    pub(crate) fn feed<F: Feed>(&self) -> F {
        F::with_options(self.options()).unwrap()
    }

    /// A feed that wants the book of [`symbol`].
    pub(crate) fn book_feed<F: Feed>(&self) -> (F, TopicId) {
        book_feed(self.options())
    }

    /// A feed whose book of [`symbol`] is live.
    pub(crate) fn live<F: Feed>(&self) -> (F, TopicId) {
        let (mut feed, topic) = self.book_feed();
        until_live(&mut feed);
        (feed, topic)
    }

    pub(crate) fn inject(&self, fault: Fault) {
        self.server.inject(fault);
    }

    /// Whether a live book is the exchange's, by digest over all that it states.
    pub(crate) fn is_equal(&self, book: &Book) -> bool {
        self.is_equal_for(symbol(), book)
    }

    pub(crate) fn is_equal_for(&self, symbol: Symbol, book: &Book) -> bool {
        let reach = [Side::Bid, Side::Ask].map(|side| book.reach(side));
        let ours: String =
            book.digest(Scope::Complete).iter().map(|b| format!("{b:02x}")).collect();
        self.server.with(|exchange, _| {
            let market = exchange.market(symbol).unwrap();
            market.truths_at(book.sequence()).any(|truth| truth.digest(reach[0], reach[1]) == ours)
        })
    }
}

pub(crate) fn symbol() -> Symbol {
    "XBTUSDTM".parse().unwrap()
}

pub(crate) fn book_feed<F: Feed>(options: Options) -> (F, TopicId) {
    let mut feed = F::with_options(options).unwrap();
    let topic = feed.subscribe(Channel::level2(symbol())).unwrap();
    (feed, topic)
}

/// Takes updates until one is right, and says how long that took; fails when patience ends.
pub(crate) fn wait<F: Feed>(
    feed: &mut F,
    what: &str,
    mut right: impl FnMut(&Update<'_>) -> bool,
) -> Duration {
    let clock = Clock::new();
    let end = clock.now() + PATIENCE;
    while clock.now() < end {
        match feed.next_within(end.since(clock.now())) {
            Next::Update(update) => {
                if right(&update) {
                    return clock.now().since(kucoin_futures_proto::Instant::ZERO);
                }
            }
            Next::Quiet => {}
            Next::Ended => break,
        }
    }
    panic!("in vain for: {what}");
}

/// Takes updates until the core reports something.
pub(crate) fn wait_for<F: Feed>(
    feed: &mut F,
    what: &str,
    mut right: impl FnMut(&Event) -> bool,
) -> Duration {
    wait(feed, what, |update| matches!(update, Update::State(event) if right(event)))
}

pub(crate) fn until_live<F: Feed>(feed: &mut F) -> Duration {
    wait_for(feed, "live", |event| matches!(event, Event::Book(_, BookEvent::Live { .. })))
}

/// Takes what there is for so long.
pub(crate) fn run_for<F: Feed>(feed: &mut F, span: Duration, mut each: impl FnMut(&Update<'_>)) {
    let clock = feed.clock();
    let end = clock.now() + span;
    loop {
        let now = clock.now();
        if now >= end {
            return;
        }
        if let Next::Update(update) = feed.next_within(end.since(now)) {
            each(&update);
        }
    }
}

/// A caller who is elsewhere.
pub(crate) fn stay_away(time: Duration) {
    #[allow(clippy::disallowed_methods, reason = "the very thing under test: a caller who sleeps")]
    std::thread::sleep(time);
}
