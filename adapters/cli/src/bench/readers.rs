//! Those who read, each as its users would write it.

use std::hint::black_box;
use std::net::TcpStream;
use std::time::Duration;

use async_tungstenite::client_async_with_config;
use indicatif::ProgressBar;
use kucoin_futures_blocking as blocking;
use kucoin_futures_host::{Clock, Next, Options, Update, thread_time, websocket_config};
use kucoin_futures_proto::book::{Coverage, Scope};
use kucoin_futures_proto::wire::Side;
use kucoin_futures_proto::{Book, BookEvent, Channel, Config, Event, Instant, LineEvent, TopicId};
use kucoin_futures_smol as on_smol;
use smol::stream::StreamExt as _;
use tungstenite::Message;
use tungstenite::protocol::WebSocketConfig;

use crate::args::BenchReader;
use crate::bench::pusher::{Pusher, Truth};
use crate::exit::{Failure, Kind};
use crate::words;

/// Who reads.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Reader {
    Tungstenite(Settings),
    Blocking,
    AsyncTungstenite(Settings),
    Smol,
}

/// What a bare library is told.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Settings {
    Ours,
    Default,
}

/// What it took to read all messages.
#[derive(Clone, Copy, Debug)]
pub(super) struct Reading {
    pub(super) wall: Duration,
    /// Of the reading thread.
    pub(super) cpu: Duration,
}

/// Books must be live, and a message must come, within this time.
const PATIENCE: Duration = Duration::from_secs(60);
/// The bar is moved after so many messages.
const TOLD: usize = 1 << 14;

impl Reader {
    /// In the order of their turns.
    pub(super) const ALL: [Self; 6] = [
        Self::Tungstenite(Settings::Ours),
        Self::Tungstenite(Settings::Default),
        Self::Blocking,
        Self::AsyncTungstenite(Settings::Ours),
        Self::AsyncTungstenite(Settings::Default),
        Self::Smol,
    ];

    pub(super) const fn kind(self) -> BenchReader {
        match self {
            Self::Tungstenite(_) => BenchReader::Tungstenite,
            Self::Blocking => BenchReader::Blocking,
            Self::AsyncTungstenite(_) => BenchReader::AsyncTungstenite,
            Self::Smol => BenchReader::Smol,
        }
    }

    pub(super) const fn settings(self) -> Option<Settings> {
        match self {
            Self::Tungstenite(settings) | Self::AsyncTungstenite(settings) => Some(settings),
            Self::Blocking | Self::Smol => None,
        }
    }

    /// Connects, and reads all of one pouring.
    pub(super) fn read(
        self,
        pusher: &mut Pusher,
        frames: usize,
        bar: &ProgressBar,
    ) -> Result<Reading, Failure> {
        match self {
            Self::Tungstenite(settings) => bare(pusher, settings.config(), frames, bar),
            Self::Blocking => on_threads(pusher, frames, bar),
            Self::AsyncTungstenite(settings) => {
                smol::block_on(bare_async(pusher, settings.config(), frames, bar))
            }
            Self::Smol => smol::block_on(on_tasks(pusher, frames, bar)),
        }
    }
}

impl Settings {
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Ours => "ours",
            Self::Default => "default",
        }
    }

    fn config(self) -> WebSocketConfig {
        match self {
            Self::Ours => websocket_config(),
            Self::Default => WebSocketConfig::default(),
        }
    }
}

fn bare(
    pusher: &mut Pusher,
    config: WebSocketConfig,
    frames: usize,
    bar: &ProgressBar,
) -> Result<Reading, Failure> {
    let tcp = TcpStream::connect(address(pusher))?;
    tcp.set_read_timeout(Some(PATIENCE))?;
    let connected = tungstenite::client::client_with_config(&pusher.socket, tcp, Some(config));
    let (mut websocket, _) = connected.map_err(|error| Failure::new(Kind::Network, error))?;
    let welcome = websocket.read().map_err(network)?;
    check_welcome(&welcome)?;
    let watch = Watch::start();
    pusher.go()?;
    for read in 1..=frames {
        black_box(websocket.read().map_err(network)?);
        show(bar, read);
    }
    watch.stop()
}

async fn bare_async(
    pusher: &mut Pusher,
    config: WebSocketConfig,
    frames: usize,
    bar: &ProgressBar,
) -> Result<Reading, Failure> {
    let tcp = smol::net::TcpStream::connect(address(pusher)).await?;
    let connected = client_async_with_config(pusher.socket.as_str(), tcp, Some(config)).await;
    let (mut websocket, _) = connected.map_err(network)?;
    let welcome = websocket.next().await.ok_or_else(ended)?.map_err(network)?;
    check_welcome(&welcome)?;
    let watch = Watch::start();
    pusher.go()?;
    for read in 1..=frames {
        black_box(websocket.next().await.ok_or_else(ended)?.map_err(network)?);
        show(bar, read);
    }
    watch.stop()
}

fn on_threads(pusher: &mut Pusher, frames: usize, bar: &ProgressBar) -> Result<Reading, Failure> {
    let feed = blocking::Feed::with_options(options(pusher)?);
    let mut feed = feed.map_err(|error| Failure::new(Kind::Runtime, error))?;
    let mut books = Vec::new();
    for truth in &pusher.books {
        let topic = feed.subscribe(Channel::level2(truth.symbol));
        books.push(topic.map_err(|error| Failure::new(Kind::Runtime, error))?);
    }
    let mut dawn = Dawn::new(books.len(), feed.clock());
    while !dawn.is_over(&feed.next_within(PATIENCE))? {}
    let watch = Watch::start();
    pusher.go()?;
    let mut read = 0;
    while read < frames {
        if is_change(feed.next())? {
            read += 1;
            show(bar, read);
        }
    }
    let reading = watch.stop()?;
    compare(&pusher.books, &books, |topic| feed.book(topic))?;
    Ok(reading)
}

async fn on_tasks(
    pusher: &mut Pusher,
    frames: usize,
    bar: &ProgressBar,
) -> Result<Reading, Failure> {
    let feed = on_smol::Feed::with_options(options(pusher)?);
    let mut feed = feed.map_err(|error| Failure::new(Kind::Runtime, error))?;
    let mut books = Vec::new();
    for truth in &pusher.books {
        let topic = feed.subscribe(Channel::level2(truth.symbol));
        books.push(topic.map_err(|error| Failure::new(Kind::Runtime, error))?);
    }
    let mut dawn = Dawn::new(books.len(), feed.clock());
    while !dawn.is_over(&feed.next_within(PATIENCE).await)? {}
    let watch = Watch::start();
    pusher.go()?;
    let mut read = 0;
    while read < frames {
        if is_change(feed.next().await)? {
            read += 1;
            show(bar, read);
        }
    }
    let reading = watch.stop()?;
    compare(&pusher.books, &books, |topic| feed.book(topic))?;
    Ok(reading)
}

/// The plain defaults, but for where the exchange is.
fn options(pusher: &Pusher) -> Result<Options, Failure> {
    let config = Config::with_rest(&pusher.url);
    Ok(Options::with_config(config.map_err(|error| Failure::new(Kind::Runtime, error))?))
}

fn address(pusher: &Pusher) -> &str {
    pusher.url.trim_start_matches("http://")
}

fn check_welcome(message: &Message) -> Result<(), Failure> {
    match message {
        Message::Text(text) if text.contains(r#""type":"welcome""#) => Ok(()),
        _ => Err(Failure::words(Kind::Runtime, format_args!("no welcome: {message}"))),
    }
}

/// Waits until all books are live.
struct Dawn {
    dark: usize,
    clock: Clock,
    until: Instant,
}

impl Dawn {
    fn new(dark: usize, clock: Clock) -> Self {
        Self { dark, clock, until: clock.now() + PATIENCE }
    }

    fn is_over(&mut self, next: &Next<'_>) -> Result<bool, Failure> {
        if let Next::Update(Update::State(Event::Book(_, BookEvent::Live { .. }))) = next {
            self.dark -= 1;
        }
        if self.dark > 0 && self.clock.now() >= self.until {
            return Err(Failure::words(Kind::Runtime, "not all books became live"));
        }
        Ok(self.dark == 0)
    }
}

/// Looks at the touch, as every reader would. Whatever loses a book ends the measurement.
fn is_change(update: Option<Update<'_>>) -> Result<bool, Failure> {
    match update.ok_or_else(ended)? {
        Update::Book(change) => {
            black_box(change.book.map(|book| (book.best_bid(), book.best_ask())));
            Ok(true)
        }
        Update::State(
            event @ (Event::Book(_, BookEvent::Lost { .. } | BookEvent::Delayed(_))
            | Event::Line(_, LineEvent::Down { .. })),
        ) => Err(Failure::words(Kind::Integrity, format_args!("amid the messages: {event:?}"))),
        Update::State(_) | Update::Push(_) => Ok(false),
    }
}

/// Every book must be whole, at the last sequence, and the exchange's.
fn compare<'a>(
    truths: &[Truth],
    topics: &[TopicId],
    book: impl Fn(TopicId) -> Option<&'a Book>,
) -> Result<(), Failure> {
    for (truth, topic) in truths.iter().zip(topics) {
        let same = book(*topic).is_some_and(|book| {
            [Side::Bid, Side::Ask].iter().all(|side| book.reach(*side) == Coverage::All)
                && book.sequence().get() == truth.sequence
                && words::hex(&book.digest(Scope::Complete)) == truth.sha256
        });
        if !same {
            let text = format_args!("the book of {} is not the exchange's", truth.symbol);
            return Err(Failure::words(Kind::Integrity, text));
        }
    }
    Ok(())
}

fn show(bar: &ProgressBar, read: usize) {
    if read.is_multiple_of(TOLD) {
        bar.inc(TOLD as u64);
    }
}

fn network(error: tungstenite::Error) -> Failure {
    Failure::new(Kind::Network, error)
}

fn ended() -> Failure {
    Failure::words(Kind::Network, "the connection ended")
}

struct Watch {
    clock: Clock,
    cpu: Option<Duration>,
}

impl Watch {
    fn start() -> Self {
        Self { clock: Clock::new(), cpu: thread_time() }
    }

    fn stop(&self) -> Result<Reading, Failure> {
        let cpu = thread_time().zip(self.cpu).and_then(|(end, start)| end.checked_sub(start));
        let wall = self.clock.now().since(Instant::ZERO);
        let cpu = cpu.ok_or_else(|| Failure::words(Kind::Runtime, "no processor time"))?;
        Ok(Reading { wall, cpu })
    }
}
