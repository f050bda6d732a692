//! What the streaming commands do alike: subscribe, show what comes, end well.

mod ctx;
mod liveness;
mod show;

use std::time::Duration;

use kucoin_futures_host::{Clock, Next, Update};
use kucoin_futures_proto::auth::Credentials;
use kucoin_futures_proto::{
    AccountEvent, BookEvent, Channel, Config, DisconnectReason, Event, Instant, LineEvent,
    LoginError, Message, Misuse, Query, Symbol, Tap, TopicEvent,
};

pub(crate) use ctx::{Ctx, News};
pub(crate) use show::Show;

use crate::args::{Connect, RunArgs, StreamArgs, SymbolArgs};
use crate::exit::{Failure, Kind};
use crate::feed::Feed;
use crate::metrics::Metrics;
use crate::out::Out;
use crate::refusal::Refusal;
use crate::stop::Stop;
use crate::symbols::{self, Listing};

/// Longest wait when there is no end to wait for.
const LONG: Duration = Duration::from_secs(3600);

/// Streams `channel` of every symbol until a signal or the end of the time.
pub(crate) fn follow(
    connect: &Connect,
    args: &StreamArgs,
    channel: impl Fn(Symbol) -> Channel,
    show: &mut impl Show,
) -> Result<(), Failure> {
    let mut session = Session::open(connect, &args.run, args.lines, None)?;
    let symbols = session.symbols(&args.contracts)?;
    session.subscribe(symbols.into_iter().map(channel))?;
    session.run(show)
}

/// A feed, and what is printed of it.
pub(crate) struct Session<'a> {
    feed: Feed,
    cx: Ctx,
    stop: Stop,
    metrics: Option<Metrics>,
    run: &'a RunArgs,
    span: Option<Duration>,
    /// Topics that there may be.
    most: usize,
    /// The list of contracts, asked for because a symbol was refused.
    listing: Listing,
    reached: bool,
    unauthorized: bool,
    login: Option<LoginError>,
    /// What is wanted changes with time, and may be nothing.
    varies: bool,
}

impl<'a> Session<'a> {
    /// `lines`: how many are to carry each public topic.
    pub(crate) fn open(
        connect: &Connect,
        run: &'a RunArgs,
        lines: u8,
        credentials: Option<Credentials>,
    ) -> Result<Self, Failure> {
        Self::open_tapped(connect, run, lines, credentials, None, None)
    }

    /// The same; somebody looks on, and a signal is already listened for.
    pub(crate) fn open_tapped(
        connect: &Connect,
        run: &'a RunArgs,
        lines: u8,
        credentials: Option<Credentials>,
        tap: Option<Box<dyn Tap>>,
        stop: Option<Stop>,
    ) -> Result<Self, Failure> {
        let config = Config::with_rest(&run.url);
        let mut config = config.map_err(|error| Failure::new(Kind::Usage, error))?;
        config.lines.per_topic = lines;
        if let Some(life) = run.line_life {
            (config.lines.life, config.lines.life_jitter) = (life, life / 20);
        }
        let most = config.budgets.topics_per_line.saturating_mul(config.lines.at_most);
        let feed = Feed::open(connect, config, credentials, tap)?;
        let stop = match stop {
            Some(stop) => {
                stop.notify_by(feed.waker());
                stop
            }
            None => Stop::on_signal(feed.waker())?,
        };
        let mut cx = Ctx::new(feed.clock().now(), run.json);
        let metrics = run.metrics.map(|addr| Metrics::listen(addr, feed.waker())).transpose()?;
        if let Some(metrics) = &metrics {
            cx.metrics(&metrics.url())?;
        }
        Ok(Self {
            feed,
            cx,
            stop,
            metrics,
            run,
            span: run.span,
            most,
            listing: Listing::default(),
            reached: false,
            unauthorized: false,
            login: None,
            varies: false,
        })
    }

    /// The contracts that are meant. Asks for a list of all only if that cannot be told from the names.
    pub(crate) fn symbols(&mut self, args: &SymbolArgs) -> Result<Vec<Symbol>, Failure> {
        let Some(symbols) = symbols::as_written(args) else {
            let (found, others) = symbols::ask(&mut self.feed, &self.stop, args)?;
            for (typed, symbol) in others {
                self.cx.resolved(&typed, symbol)?;
            }
            return Ok(found);
        };
        Ok(symbols)
    }

    pub(crate) fn subscribe(
        &mut self,
        channels: impl IntoIterator<Item = Channel>,
    ) -> Result<(), Failure> {
        let channels: Vec<Channel> = channels.into_iter().collect();
        let (wanted, most) = (channels.len(), self.most);
        for channel in channels {
            let topic = self.feed.subscribe(channel).map_err(|error| match error {
                Misuse::TooManyTopics => Failure::words(Kind::Usage, too_many(wanted, most)),
                error => Failure::new(Kind::Usage, error),
            })?;
            self.cx.add(topic, channel);
        }
        Ok(())
    }

    /// It is to end after this time, and not when its arguments say.
    pub(crate) const fn end_after(&mut self, span: Option<Duration>) {
        self.span = span;
    }

    /// Nothing is printed from here on: stdout is somebody else's.
    pub(crate) fn silence(&mut self) {
        self.cx.out = Out::silent();
    }

    /// What ends its wait.
    pub(crate) fn waker(&self) -> Box<dyn Fn() + Send> {
        self.feed.waker()
    }

    /// The feed's own.
    pub(crate) const fn clock(&self) -> Clock {
        self.feed.clock()
    }

    /// What ends it from outside.
    pub(crate) fn stop(&self) -> Stop {
        self.stop.clone()
    }

    /// By the feed's clock.
    pub(crate) const fn now(&self) -> Instant {
        self.cx.now
    }

    /// Asks something once, as soon as there is time.
    pub(crate) fn fetch(&mut self, query: Query) {
        self.cx.ask(query);
    }

    pub(crate) fn follow_account(&mut self) -> Result<(), Failure> {
        self.feed.follow_account().map_err(|error| Failure::new(Kind::Usage, error))
    }

    /// Until a signal, or the end of the time, or nothing is left to hope for.
    pub(crate) fn run(mut self, show: &mut impl Show) -> Result<(), Failure> {
        let clock = self.feed.clock();
        let end = self.span.map(|span| clock.now() + span);
        show.begin(&mut self.cx, &self.feed);
        loop {
            self.cx.now = clock.now();
            if let Some(channels) = show.wanted(self.cx.now) {
                self.want_only(&channels)?;
            }
            if self.stop.is_asked() || self.is_hopeless() {
                break;
            }
            if end.is_some_and(|end| end <= self.cx.now) || show.is_over() {
                break;
            }
            self.ask();
            self.answer_metrics();
            let beat = show.beat(&mut self.cx, &self.feed)?.unwrap_or(LONG);
            // What has come already is printed in one go; then the reader gets it, and we wait.
            let mut next = self.feed.next_within(Duration::ZERO);
            if matches!(next, Next::Quiet) {
                let held = show.rest(&mut self.cx, &self.feed)?.unwrap_or(LONG);
                self.cx.out.flush()?;
                let left = end.map_or(LONG, |end| end.since(self.cx.now));
                next = self.feed.next_within(left.min(held).min(beat));
            }
            self.cx.now = clock.now();
            match next {
                Next::Ended => break,
                Next::Quiet => {}
                Next::Update(Update::Book(change)) => show.change(&mut self.cx, &change)?,
                Next::Update(Update::Push(push)) => {
                    match push.decode() {
                        Ok(Message::Contracts(list)) if self.listing.is_answered_by(&push) => {
                            self.listing.suggest(&mut self.cx, &list)?;
                        }
                        Ok(Message::Unknown(message)) => self.cx.unknown(&message)?,
                        Ok(message) => show.message(&mut self.cx, &push, &message)?,
                        Err(error) => {
                            show.unreadable(&mut self.cx, &push, error);
                            self.cx.malformed(&push, error)?;
                            match self.cx.asked_or_carried(&push) {
                                (Some(channel), _) => show.missed(&mut self.cx, channel),
                                (_, Some(query)) => show.failed(&mut self.cx, query),
                                (None, None) => {}
                            }
                        }
                    }
                    self.cx.forget(push.request());
                }
                Next::Update(Update::State(event)) => self.state(&event, show)?,
            }
        }
        // Whatever was held back is due.
        let over = clock.now();
        self.cx.now = over + LONG;
        show.rest(&mut self.cx, &self.feed)?;
        self.cx.now = over;
        self.cx.summary(self.feed.stats())?;
        self.feed.close();
        self.verdict()
    }

    /// Nothing that was wanted can be had. (What may be nothing for a while is not hopeless.)
    fn is_hopeless(&self) -> bool {
        !self.varies && self.cx.all_rejected() && !self.listing.is_pending()
    }

    /// Subscribes to what is new among these, and unsubscribes from all else.
    fn want_only(&mut self, channels: &[Channel]) -> Result<(), Failure> {
        self.varies = true;
        for topic in self.cx.others_than(channels) {
            // It was subscribed to, and so it can be given up.
            let _ = self.feed.unsubscribe(topic);
        }
        let new: Vec<Channel> =
            channels.iter().copied().filter(|channel| !self.cx.has(*channel)).collect();
        if new.is_empty() { Ok(()) } else { self.subscribe(new) }
    }

    /// Tells whoever has asked over HTTP.
    fn answer_metrics(&mut self) {
        let Some(metrics) = &mut self.metrics else { return };
        metrics.answer(self.cx.now, || self.feed.metrics(self.cx.books().map(|(topic, _)| topic)));
    }

    fn state(&mut self, event: &Event, show: &mut impl Show) -> Result<(), Failure> {
        match *event {
            Event::Line(_, LineEvent::Up { .. }) => {
                (self.reached, self.unauthorized) = (true, false);
            }
            Event::Line(_, LineEvent::Down { reason, .. }) => {
                self.unauthorized = matches!(reason, DisconnectReason::Unauthorized { .. });
            }
            Event::Line(_, LineEvent::LoginRefused { error, .. }) => self.login = Some(error),
            Event::QueryFailed { request, .. } => self.listing.give_up(request),
            _ => {}
        }
        let failed = match event {
            Event::QueryFailed { request, .. } => self.cx.query(*request),
            _ => None,
        };
        if let Some(news) = self.cx.news(event, &self.feed) {
            show.said(&mut self.cx, event, &news)?;
            self.cx.tell(event, news, &self.feed)?;
        }
        if let Some(query) = failed {
            show.failed(&mut self.cx, query);
        }
        match *event {
            Event::Topic(topic, TopicEvent::MayHaveMissed) => {
                if let Some(channel) = self.cx.channel(topic) {
                    show.missed(&mut self.cx, channel);
                }
            }
            Event::Book(topic, BookEvent::Live { .. }) => {
                show.live(&mut self.cx, topic, event, &self.feed)?;
            }
            Event::Book(topic, BookEvent::Lost { reason, .. }) => {
                show.lost(&mut self.cx, topic, &reason);
            }
            Event::Book(topic, BookEvent::Verified { is_wider: true, .. }) => {
                show.widened(&mut self.cx, topic, &self.feed)?;
            }
            Event::Account(AccountEvent::Live { .. }) => {
                if let Some(account) = self.feed.account() {
                    show.account(&mut self.cx, account)?;
                }
            }
            Event::Topic(topic, TopicEvent::Confirmed) => {
                if let Some(channel) = self.cx.channel(topic) {
                    show.confirmed(&mut self.cx, channel);
                }
            }
            // There may be a slip of the fingers in it.
            Event::Topic(topic, TopicEvent::Rejected { code: 404 | 200_003, .. }) => {
                if let Some(symbol) = self.cx.symbol(topic) {
                    self.listing.want(&mut self.feed, symbol);
                }
            }
            _ => {}
        }
        Ok(())
    }

    /// Asks what the command wants to know.
    fn ask(&mut self) {
        while let Some(query) = self.cx.next_query() {
            match self.feed.fetch(query) {
                Ok(request) => self.cx.asked(request, query),
                // Once some of those that wait were answered.
                Err(_) => return self.cx.ask_first(query),
            }
        }
    }

    fn verdict(self) -> Result<(), Failure> {
        let Self { cx, run, login, .. } = &self;
        if cx.all_rejected() && !self.varies {
            if let Some(error) = login {
                let text = format!("the login was refused: {error}{}", cx.last_words());
                return Err(Failure::words(Kind::Auth, text));
            }
            let text = format!(
                "none of the topics can be had: {}/api/v1/contracts/active lists all contracts \
                 (`kcf contracts` shows it; upper case, and Bitcoin is XBT: XBTUSDTM){}",
                run.url.trim_end_matches('/'),
                cx.last_words()
            );
            return Err(Failure::words(Kind::Usage, text));
        }
        if run.span.is_some() && !self.reached {
            let text = format!(
                "no line to {} came up: see the reasons above, or RUST_LOG=debug{}",
                run.url,
                cx.last_words()
            );
            let refused = cx.last_refusal().is_some_and(Refusal::is_about_credentials);
            let kind = if self.unauthorized || refused { Kind::Auth } else { Kind::Network };
            return Err(Failure::words(kind, text));
        }
        Ok(())
    }
}

/// What to do about it.
fn too_many(wanted: usize, most: usize) -> String {
    let parts = wanted.div_ceil(most.max(1));
    format!(
        "{wanted} topics are wanted, and the lines of one client carry {most}: name fewer contracts, or run {parts} \
         kcf, with --all --part 1/{parts} to --all --part {parts}/{parts}"
    )
}
