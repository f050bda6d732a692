//! The recorded market, as far as it has been replayed: the sink that a tape is shown to, and what is pushed of it.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::sync::Arc;

use kucoin_futures_proto::book::Level;
use kucoin_futures_proto::wire::{Delta, Execution, MarkPrice};
use kucoin_futures_proto::{
    BookEvent, Channel, ChannelKind, Client, Event, Message, Output, Push, Sequence, Symbol,
    TopicId, UnixNanos,
};
use kucoin_futures_sim::{Gateway, Topic, delta_frame, depth_frame, ticker_frame};

use super::book::RecordedBook;
use super::replies::Replies;
use super::trades::Trades;
use crate::sink::{Moment, Sink};

/// What the recording has told up to a moment.
#[derive(Debug, Default)]
pub(super) struct Market {
    pub(super) books: BTreeMap<Symbol, Stream>,
    pub(super) trades: BTreeMap<Symbol, Trades>,
    pub(super) marks: BTreeMap<Symbol, MarkPrice>,
    pub(super) replies: Replies,
    /// By the recorded client's names for them.
    topics: BTreeMap<TopicId, (Channel, Option<Topic>)>,
    /// What came as it was recorded.
    recorded: BTreeSet<Topic>,
    /// Best bid and offer that were pushed last, of each topic.
    touches: BTreeMap<Symbol, [Level; 2]>,
    /// The depth that was pushed last.
    depths: BTreeMap<Topic, String>,
}

/// A book and its stream of changes.
#[derive(Debug, Default)]
pub(super) struct Stream {
    /// While it is live.
    pub(super) book: Option<RecordedBook>,
    /// How far clients may have come.
    shown: Option<Sequence>,
    /// The book was lost since, or not looked at: it may go on as another one.
    is_broken: bool,
}

/// The market while an input is applied.
pub(super) struct Showing<'a> {
    pub(super) market: &'a mut Market,
    pub(super) gateway: &'a mut Gateway,
    /// Nothing is pushed.
    pub(super) is_silent: bool,
}

impl Market {
    /// The recording is at its beginning again. Nobody may be there who has heard what comes.
    pub(super) fn clear(&mut self) {
        *self = Self::default();
    }

    /// The book of a contract, while it is live.
    pub(super) fn book(&self, symbol: Symbol) -> Option<&RecordedBook> {
        self.books.get(&symbol)?.book.as_ref()
    }

    /// A depth is pushed to who has just come, changed or not.
    pub(super) fn forget_depths(&mut self) {
        self.depths.clear();
    }

    /// Pushes the depths that somebody listens to and that have changed, but for those that were recorded.
    pub(super) fn push_depths(&mut self, gateway: &mut Gateway, at: UnixNanos) {
        for topic in gateway.topics() {
            let (Some(most), Some(symbol)) = (topic.depth(), topic.symbol()) else { continue };
            if self.recorded.contains(&topic) {
                continue;
            }
            let Some(book) = self.books.get(&symbol).and_then(|stream| stream.book.as_ref()) else {
                continue;
            };
            let Some(levels) = book.depth(most) else { continue };
            if self.depths.get(&topic) != Some(&levels) {
                let frame = depth_frame(topic, book.sequence(), &levels, at);
                gateway.push(topic, &frame.into());
                self.depths.insert(topic, levels);
            }
        }
    }

    fn channel(&mut self, client: &Client, topic: TopicId) -> Option<(Channel, Option<Topic>)> {
        if let Some(known) = self.topics.get(&topic) {
            return Some(*known);
        }
        let channel = client.channel(topic)?;
        let known = (channel, Topic::of(channel));
        self.topics.insert(topic, known);
        if let (ChannelKind::Level2, Some(symbol)) = (channel.kind(), channel.symbol()) {
            self.books.entry(symbol).or_default();
        }
        Some(known)
    }
}

impl Stream {
    fn load(&mut self, client: &Client, topic: TopicId) {
        self.book = client.book(topic).map(RecordedBook::new);
    }

    fn lose(&mut self) {
        // A snapshot of it may have been taken.
        self.shown = self.shown.max(self.book.take().map(|book| book.sequence()));
        self.is_broken = true;
    }

    /// A change is about to be shown. True if whoever has heard what came before could take it for the next one,
    /// though it is one of another book.
    fn deceives(&mut self, sequence: Sequence) -> bool {
        let shows_a_hole = self.shown.is_none_or(|shown| Some(sequence) > shown.next());
        let deceives = self.is_broken && !shows_a_hole;
        self.is_broken = false;
        self.shown = Some(sequence);
        deceives
    }
}

impl Showing<'_> {
    fn on_book(&mut self, moment: &Moment<'_>, topic: TopicId, event: &BookEvent) {
        let Some((channel, name)) = self.market.channel(moment.client, topic) else { return };
        let (Some(symbol), Some(name)) = (channel.symbol(), name) else { return };
        let stream = self.market.books.entry(symbol).or_default();
        match event {
            BookEvent::Live { .. } | BookEvent::Verified { is_wider: true, .. } => {
                stream.load(moment.client, topic);
            }
            BookEvent::Lost { .. } => stream.lose(),
            BookEvent::Delta(delta) => {
                let is_next = stream.book.as_mut().is_some_and(|book| book.apply(delta));
                if !is_next {
                    // Some were not told: the client fell behind with its outputs.
                    stream.load(moment.client, topic);
                }
                self.show_delta(symbol, name, delta);
                self.show_touch(symbol, delta, moment.received);
            }
            _ => {}
        }
    }

    fn show_delta(&mut self, symbol: Symbol, topic: Topic, delta: &Delta) {
        if self.is_silent {
            return;
        }
        let stream = self.market.books.entry(symbol).or_default();
        if stream.deceives(delta.sequence) {
            self.gateway.cut(Some(topic));
        }
        if self.gateway.is_heard(topic) {
            self.gateway.push(topic, &delta_frame(symbol, delta).into());
        }
    }

    /// Best bid and offer have changed, and the recording does not say so itself.
    fn show_touch(&mut self, symbol: Symbol, delta: &Delta, received: UnixNanos) {
        let Some(channel) = Topic::of(Channel::ticker_v2(symbol)) else { return };
        let is_wanted = !self.is_silent && self.gateway.is_heard(channel);
        if !is_wanted || self.market.recorded.contains(&channel) {
            return;
        }
        let book = self.market.book(symbol).filter(|book| book.sequence() == delta.sequence);
        let Some([Some(bid), Some(ask)]) = book.and_then(RecordedBook::touch) else { return };
        if self.market.touches.insert(symbol, [bid, ask]) != Some([bid, ask]) {
            let at = delta.ts_event.unwrap_or(received);
            let frame = ticker_frame(symbol, delta.sequence, [bid, ask], at);
            self.gateway.push(channel, &frame.into());
        }
    }

    /// There was a trade, and the recording has no ticker of it.
    fn show_ticker(&mut self, trade: &Execution<'_>) {
        let Some(channel) = Topic::of(Channel::ticker(trade.symbol)) else { return };
        let is_wanted = !self.is_silent && self.gateway.is_heard(channel);
        if !is_wanted || self.market.recorded.contains(&channel) {
            return;
        }
        let touch = self.market.book(trade.symbol).and_then(RecordedBook::touch);
        let trades = self.market.trades.get(&trade.symbol);
        let Some((touch, trades)) = touch.zip(trades) else { return };
        if let Some(data) = trades.ticker(trade.symbol, trade.sequence, touch) {
            let sequence = trade.sequence;
            let frame = format!(
                r#"{{"topic":"{channel}","type":"message","subject":"ticker","sn":{sequence},"data":{data}}}"#
            );
            self.gateway.push(channel, &frame.into());
        }
    }

    fn on_push(&mut self, moment: &Moment<'_>, push: &Push<'_>) {
        if let Some(query) = push.query() {
            if query.is_signed() {
                return;
            }
            if let Ok(message) = push.decode() {
                self.market.replies.on_reply(&query, push.bytes());
                self.market.learn(&message, query.symbol());
            }
            return;
        }
        let known = push.topic().and_then(|topic| self.market.channel(moment.client, topic));
        let Some((channel, Some(topic))) = known.filter(|(channel, _)| !channel.is_private())
        else {
            return;
        };
        if let Ok(message) = push.decode() {
            self.market.learn(&message, channel.symbol());
        }
        self.market.recorded.insert(topic);
        if !self.is_silent && self.gateway.is_heard(topic) {
            let frame: Arc<str> = String::from_utf8_lossy(push.bytes()).into();
            self.gateway.push(topic, &frame);
        }
        if let Ok(Message::Execution(trade)) = push.decode() {
            self.show_ticker(&trade);
        }
    }
}

impl Market {
    /// Keeps what REST is asked for. `symbol`: what the channel or the query is about.
    fn learn(&mut self, message: &Message<'_>, symbol: Option<Symbol>) {
        match message {
            Message::Execution(trade) => {
                self.trades.entry(trade.symbol).or_default().on_execution(trade);
            }
            Message::Ticker(ticker) => {
                self.trades.entry(ticker.symbol).or_default().on_ticker(ticker);
            }
            Message::RestTicker(ticker) => {
                self.trades.entry(ticker.symbol).or_default().on_rest_ticker(ticker);
            }
            Message::AllTickers(rows) => {
                for ticker in rows.iter().flatten() {
                    self.trades.entry(ticker.symbol).or_default().on_rest_ticker(&ticker);
                }
            }
            Message::Trades(rows) => {
                if let Some(symbol) = symbol {
                    self.trades.entry(symbol).or_default().on_history(rows.iter().flatten());
                }
            }
            Message::MarkPrice(mark) => {
                if let Some(symbol) = mark.symbol.or(symbol) {
                    self.marks.insert(symbol, *mark);
                }
            }
            Message::Candle(candle) => self.replies.on_candle(candle),
            _ => {}
        }
    }
}

impl Sink for Showing<'_> {
    fn on_start(&mut self, _: &Moment<'_>) -> io::Result<()> {
        self.market.topics.clear();
        self.market.books.values_mut().for_each(Stream::lose);
        Ok(())
    }

    fn on_output(&mut self, moment: &Moment<'_>, output: &Output<'_>) -> io::Result<()> {
        match output {
            Output::Event(Event::Book(topic, event)) => self.on_book(moment, *topic, event),
            Output::Event(event) => {
                if let Some(topic) = event.topic() {
                    self.market.channel(moment.client, topic);
                }
            }
            Output::Push(push) => self.on_push(moment, push),
            Output::Send { .. } | Output::Open { .. } | Output::Close { .. } | Output::Fetch(_) => {
            }
        }
        Ok(())
    }

    fn on_end(&mut self, _: &Moment<'_>) -> io::Result<()> {
        Ok(())
    }
}
