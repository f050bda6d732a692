//! Ours, behind the few functions that the benchmarks use. A change of the core's interface is a change
//! of this file.

use std::time::Duration;

use kucoin_futures_proto::book::{Apply, Best, Book, Scope};
pub use kucoin_futures_proto::wire::MessageParser;
use kucoin_futures_proto::wire::{Delta, DeltaFrame, DeltaParser, Side};
use kucoin_futures_proto::{
    BookEvent, Channel, Client, Config, ConnId, Event, Input, Instant, Interval, Lots, Message,
    Output, Price, ResponseHead, Sequence, Symbol, TopicId, TopicStatus,
};

use crate::books::{TOP, mix};
use crate::corpus::{Change, Feed, Level, Market};

/// Name in tables.
pub const NAME: &str = "ours";

/// Reads the frames of one connection.
#[derive(Default, Debug)]
pub struct Parser(DeltaParser);

impl Parser {
    /// A parser that has seen nothing yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Symbol and change of a level2 frame.
    #[inline]
    pub fn parse(&mut self, frame: &[u8]) -> Option<DeltaFrame> {
        self.0.parse(frame).ok()
    }
}

/// A book that knows nothing yet, as a client makes it; with room for what the deep corpus holds.
#[must_use]
pub fn empty_book() -> Book {
    Book::new(1000, 10_000)
}

/// Bytes of a snapshot into a book.
pub fn load_body(book: &mut Book, body: &[u8]) -> bool {
    book.read(body).is_ok()
}

/// The book of a market before its first change.
#[must_use]
pub fn load(market: &Market) -> Book {
    let mut book = empty_book();
    load_body(&mut book, market.body.as_bytes());
    book
}

/// A change as the core has it; `None` if its price is negative.
#[must_use]
pub fn delta(change: &Change) -> Option<Delta> {
    let side = if change.bid { Side::Bid } else { Side::Ask };
    let sequence = Sequence::new(change.sequence);
    let price = Price::from_scaled(change.price)?;
    Some(Delta::new(sequence, side, price, Lots::new(change.size)))
}

/// Applies a change; false if it was not the next one.
pub fn apply(book: &mut Book, delta: &Delta) -> bool {
    book.apply(delta) == Apply::Applied
}

/// Best bid and best ask.
#[must_use]
pub fn best(book: &Book) -> (Best, Best) {
    (book.best_bid(), book.best_ask())
}

/// What [`crate::books::Book::top`] does.
#[must_use]
pub fn top(book: &Book) -> u64 {
    let side = |side| {
        let levels = book.levels(side, Scope::Complete).take(TOP);
        levels.fold(0_u64, |sum, level| {
            sum.wrapping_add(mix(level.price.scaled() as u64, level.size.get()))
        })
    };
    side(Side::Bid).wrapping_add(side(Side::Ask))
}

/// All levels: bids, then asks, each best first.
#[must_use]
pub fn held(book: &Book) -> [Vec<Level>; 2] {
    [Side::Bid, Side::Ask].map(|side| {
        let levels = book.levels(side, Scope::Held);
        levels.map(|level| (level.price.scaled(), level.size.get())).collect()
    })
}

/// A whole client whose books are live, and the adapter around it.
#[derive(Debug)]
pub struct Live {
    client: Client,
    now: Instant,
    /// One for each copy.
    conns: Vec<ConnId>,
    topics: Vec<TopicId>,
}

/// From frame to frame: a million frames a second, for as long as the corpus lasts. So no timer comes
/// due while frames are fed.
const STEP: Duration = Duration::from_micros(1);

impl Live {
    /// Brings up a client with a book of each market, and answers all it asks for.
    ///
    /// # Panics
    /// The books do not become live.
    #[must_use]
    pub fn new(markets: &[Market]) -> Self {
        Self::on_lines(markets, 1)
    }

    /// The same with each book on so many lines, 1 or 2.
    ///
    /// # Panics
    /// The books do not become live.
    #[must_use]
    pub fn on_lines(markets: &[Market], lines: u8) -> Self {
        let mut live = Self::subscribed(markets, Channel::level2, lines);
        live.run(markets, |client, topic| client.book(topic).is_some());
        live
    }

    /// A client that wants a topic of each market, and has done nothing yet.
    fn subscribed(markets: &[Market], channel: fn(Symbol) -> Channel, lines: u8) -> Self {
        let mut config = Config::default();
        config.lines.per_topic = lines;
        config.budgets.topics_per_line = config.budgets.topics_per_line.max(markets.len());
        let now = Instant::ZERO;
        let client = Client::new(now, 1, config);
        let mut live = Self { client, now, conns: Vec::new(), topics: Vec::new() };
        for market in markets {
            let channel = market.symbol.parse().map(channel).ok();
            let topic = channel.and_then(|channel| live.client.subscribe(now, channel).ok());
            live.topics.extend(topic);
        }
        assert_eq!(live.topics.len(), markets.len(), "a symbol was refused");
        live
    }

    /// Answers all it asks for, until all its topics are as they should be.
    fn run(&mut self, markets: &[Market], is_there: fn(&Client, TopicId) -> bool) {
        for _ in 0..10_000 {
            while let Some(output) = self.client.poll_output() {
                self.answer(&output, markets);
            }
            if self.topics.iter().all(|&topic| is_there(&self.client, topic)) {
                return;
            }
            let deadline = self.client.poll_timeout().map_or(self.now, |deadline| deadline.at);
            self.now = self.now.max(deadline);
            let _ = self.client.handle(self.now, Input::Timeout);
        }
        assert!(self.topics.is_empty(), "the topics do not become what they should be");
    }

    fn answer(&mut self, output: &Output<'_>, markets: &[Market]) {
        match output {
            Output::Fetch(fetch) => {
                let body = match fetch.path().split_once("?symbol=") {
                    None => TOKEN,
                    Some((_, symbol)) => {
                        let market = markets.iter().find(|market| market.symbol == symbol);
                        market.map_or("", |market| &market.body)
                    }
                };
                let input = Input::Reply {
                    request: fetch.request(),
                    head: ResponseHead::new(200),
                    body: body.as_bytes(),
                };
                let _ = self.client.handle(self.now, input);
            }
            Output::Open { conn, to } => {
                self.conns.push(*conn);
                let _ = self.client.handle(self.now, Input::Opened { conn: *conn });
                let (_, id) = to.secret_url().rsplit_once("connectId=").unwrap_or_default();
                self.text(*conn, &format!(r#"{{"id":"{id}","type":"welcome"}}"#));
            }
            Output::Send { conn, text } => {
                let id = text.split('"').nth(3).unwrap_or_default();
                let kind = if text.contains(r#""type":"ping""#) { "pong" } else { "ack" };
                self.text(*conn, &format!(r#"{{"id":"{id}","type":"{kind}"}}"#));
            }
            Output::Close { .. } | Output::Event(_) | Output::Push(_) => {}
        }
    }

    fn text(&mut self, conn: ConnId, text: &str) {
        let _ = self.client.handle(self.now, Input::Text { conn, bytes: text.as_bytes() });
    }

    /// What an adapter does with a frame, and what its user does then: the frame goes in, the outputs
    /// are drained, and the best of the book that changed is read. `None` if no book changed.
    #[inline]
    pub fn feed(&mut self, frame: &[u8]) -> Option<(Best, Best)> {
        self.feed_on(0, frame)
    }

    /// The same with what comes on one of the lines.
    #[inline]
    pub fn feed_on(&mut self, line: usize, frame: &[u8]) -> Option<(Best, Best)> {
        self.now = self.now + STEP;
        let conn = *self.conns.get(line)?;
        let mut turn = self.client.handle(self.now, Input::Text { conn, bytes: frame });
        let mut changed = None;
        while let Some(output) = turn.next() {
            if let Output::Event(Event::Book(topic, BookEvent::Delta(_))) = output {
                changed = Some(topic);
            }
        }
        self.client.book(changed?).map(best)
    }

    /// What an adapter does when nothing comes: it looks when it will be needed, and calls too early.
    #[inline]
    pub fn idle(&mut self) -> Option<Instant> {
        let _ = self.client.handle(self.now, Input::Timeout);
        self.client.poll_timeout().map(|deadline| deadline.at)
    }

    /// All levels of all books, in the order of the markets.
    #[must_use]
    pub fn held(&self) -> Vec<Option<[Vec<Level>; 2]>> {
        self.topics.iter().map(|&topic| self.client.book(topic).map(held)).collect()
    }
}

/// A whole client with a topic without a book of each market, and the adapter around it.
#[derive(Debug)]
pub struct Messages(Live);

impl Messages {
    /// Brings up a client.
    ///
    /// # Panics
    /// The topics are not confirmed.
    #[must_use]
    pub fn new(markets: &[Market], feed: Feed) -> Self {
        let channel: fn(Symbol) -> Channel = match feed {
            Feed::TickerV2 => Channel::ticker_v2,
            Feed::Execution => Channel::execution,
            Feed::Depth5 => Channel::depth5,
            Feed::Depth50 => Channel::depth50,
            Feed::Mark => Channel::instrument,
            Feed::Stats => Channel::stats_24h,
            Feed::Candle => |symbol| Channel::candles(symbol, Interval::Min1),
            Feed::Order => Channel::orders_of,
            Feed::Position => Channel::positions_of,
            Feed::Wallet => |_| Channel::wallet(),
        };
        let mut live = Live::subscribed(markets, channel, 1);
        live.run(markets, |client, topic| {
            matches!(client.status(topic), TopicStatus::Confirmed { .. })
        });
        Self(live)
    }

    /// What an adapter does with a frame, and what its user does then: the frame goes in, the outputs are
    /// drained, and the message is decoded and looked at.
    #[inline]
    pub fn feed<T>(&mut self, frame: &[u8], look: impl FnOnce(&Message<'_>) -> T) -> Option<T> {
        let Live { client, now, conns, .. } = &mut self.0;
        *now = *now + STEP;
        let conn = *conns.first()?;
        let mut turn = client.handle(*now, Input::Text { conn, bytes: frame });
        while turn.next().is_some() {}
        match turn.into_message()?.decode() {
            Ok(message) => Some(look(&message)),
            Err(_) => None,
        }
    }
}

const TOKEN: &str = r#"{"code":"200000","data":{"token":"t.x","instanceServers":[{"endpoint":"wss://ws-7.kucoin.com/","encrypt":true,"protocol":"websocket","pingInterval":18000,"pingTimeout":10000}]}}"#;

#[cfg(test)]
mod tests {
    use super::{DeltaFrame, Live, Parser, apply, delta, held, load};
    use crate::corpus::{Corpus, Layout, Shape, Spread};

    #[test]
    fn client_and_books_follow_the_market() {
        let shape =
            Shape { symbols: 9, levels: 100, changes: 3000, spread: Spread::Touch, seed: 5 };
        let corpus = Corpus::new(shape);
        let ends: Vec<_> = corpus.markets.iter().map(|market| Some(market.after())).collect();
        let mut books: Vec<_> = corpus.markets.iter().map(load).collect();
        for change in &corpus.changes {
            assert!(apply(&mut books[change.market], &delta(change).unwrap()));
        }
        assert_eq!(books.iter().map(|book| Some(held(book))).collect::<Vec<_>>(), ends);
        for layout in Layout::ALL {
            let frames = corpus.frames(layout);
            let mut live = Live::new(&corpus.markets);
            assert!(frames.iter().all(|frame| live.feed(frame).is_some()), "{layout:?}");
            assert_eq!(live.held(), ends, "{layout:?}");
            let mut parser = Parser::new();
            for (frame, change) in frames.iter().zip(&corpus.changes) {
                let DeltaFrame { symbol, delta: parsed, .. } = parser.parse(frame).unwrap();
                assert_eq!(symbol.as_str(), corpus.markets[change.market].symbol);
                let known = delta(change).unwrap();
                assert_eq!((parsed.sequence, parsed.side), (known.sequence, known.side));
                assert_eq!((parsed.price, parsed.size), (known.price, known.size));
            }
        }
    }

    #[test]
    fn four_hundred_books_can_be_live() {
        let shape = Shape { symbols: 400, levels: 20, changes: 0, spread: Spread::Touch, seed: 5 };
        let mut live = Live::new(&Corpus::new(shape).markets);
        assert!(live.idle().is_some());
    }
}
