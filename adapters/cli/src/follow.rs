//! What the streaming commands do alike: subscribe, show what comes, end well.

use std::collections::BTreeMap;
use std::time::Duration;

use kucoin_futures_host::{BookUpdate, Next, Update};
use kucoin_futures_proto::{
    BookEvent, Channel, Config, DisconnectReason, Event, Instant, LineEvent, Push, Symbol,
    TopicEvent, TopicId,
};

use crate::args::{Connect, StreamArgs};
use crate::exit::{Failure, Kind};
use crate::feed::Feed;
use crate::out::{BAD, DIM, GOOD, Out};
use crate::refusal::Refusal;
use crate::stop::Stop;
use crate::words::{self, State};

/// What a command makes of the data; states are shown for all alike.
pub(crate) trait Show {
    /// A live book changed.
    fn change(&mut self, _: &mut Ctx, _: &BookUpdate<'_>) -> Result<(), Failure> {
        Ok(())
    }

    /// A book became live, before anything in it changes.
    fn live(&mut self, _: &mut Ctx, _: TopicId, _: &Event, _: &Feed) -> Result<(), Failure> {
        Ok(())
    }

    /// Nothing more has come for now: what was held back can be shown. Gives how long there is to
    /// wait for more of that.
    fn rest(&mut self, _: &mut Ctx, _: &Feed) -> Result<Option<Duration>, Failure> {
        Ok(None)
    }

    /// A message came.
    fn push(&mut self, _: &mut Ctx, _: Push<'_>) -> Result<(), Failure> {
        Ok(())
    }
}

/// What a command prints with.
pub(crate) struct Ctx {
    pub(crate) out: Out,
    pub(crate) now: Instant,
    pub(crate) json: bool,
    topics: BTreeMap<TopicId, Topic>,
    /// What was told last, so that a storm does not repeat it.
    advice: Option<&'static str>,
    /// Of the line or of a symbol, the last one.
    refused: Option<State>,
}

struct Topic {
    symbol: Symbol,
    rejected: bool,
}

/// Longest wait when there is no end to wait for.
const LONG: Duration = Duration::from_secs(3600);

/// Streams `channel` of every symbol until a signal or the end of the time.
pub(crate) fn follow(
    connect: &Connect,
    args: &StreamArgs,
    channel: impl Fn(Symbol) -> Channel,
    show: &mut impl Show,
) -> Result<(), Failure> {
    let config = Config::with_rest(&args.url).map_err(|error| Failure::new(Kind::Usage, error))?;
    let mut feed = Feed::open(connect, config)?;
    let stop = Stop::on_signal(feed.waker())?;
    let (now, topics) = (feed.clock().now(), BTreeMap::new());
    let mut cx = Ctx { out: Out::new(), now, json: args.json, topics, advice: None, refused: None };
    for &symbol in &args.symbols {
        let topic = feed.subscribe(channel(symbol));
        let topic = topic.map_err(|error| Failure::new(Kind::Usage, error))?;
        cx.topics.insert(topic, Topic { symbol, rejected: false });
    }
    let clock = feed.clock();
    let end = args.span.map(|span| clock.now() + span);
    let (mut reached, mut unauthorized) = (false, false);
    while !stop.is_asked() && !cx.all_rejected() {
        cx.now = clock.now();
        if end.is_some_and(|end| end <= cx.now) {
            break;
        }
        // What has come already is printed in one go; then the reader gets it, and we wait.
        let mut next = feed.next_within(Duration::ZERO);
        if matches!(next, Next::Quiet) {
            let held = show.rest(&mut cx, &feed)?.unwrap_or(LONG);
            cx.out.flush()?;
            next = feed.next_within(end.map_or(LONG, |end| end.since(cx.now)).min(held));
        }
        cx.now = clock.now();
        match next {
            Next::Ended => break,
            Next::Quiet => {}
            Next::Update(Update::Book(change)) => show.change(&mut cx, &change)?,
            Next::Update(Update::Push(push)) => show.push(&mut cx, push)?,
            Next::Update(Update::State(event)) => {
                reached |= matches!(event, Event::Line(_, LineEvent::Up { .. }));
                unauthorized = match event {
                    Event::Line(_, LineEvent::Down { reason, .. }) => {
                        matches!(reason, DisconnectReason::Unauthorized { .. })
                    }
                    Event::Line(_, LineEvent::Up { .. }) => false,
                    _ => unauthorized,
                };
                cx.state(&event, feed.words_of(&event))?;
                if let Event::Book(topic, BookEvent::Live { .. }) = event {
                    show.live(&mut cx, topic, &event, &feed)?;
                }
            }
        }
    }
    // Whatever was held back is due.
    cx.now = clock.now() + LONG;
    show.rest(&mut cx, &feed)?;
    cx.summary(&feed)?;
    feed.close();
    if cx.all_rejected() {
        let text = format!(
            "none of the symbols can be had: {}/api/v1/contracts/active lists them all \
             (upper case, and Bitcoin is XBT: XBTUSDTM){}",
            args.url.trim_end_matches('/'),
            cx.last_words()
        );
        return Err(Failure::words(Kind::Usage, text));
    }
    if args.span.is_some() && !reached {
        let text = format!(
            "no line to {} came up: see the reasons above, or RUST_LOG=debug{}",
            args.url,
            cx.last_words()
        );
        unauthorized |= cx.last_refusal().is_some_and(Refusal::is_about_credentials);
        let kind = if unauthorized { Kind::Auth } else { Kind::Network };
        return Err(Failure::words(kind, text));
    }
    Ok(())
}

impl Ctx {
    pub(crate) fn symbol(&self, topic: TopicId) -> Option<Symbol> {
        self.topics.get(&topic).map(|topic| topic.symbol)
    }

    fn all_rejected(&self) -> bool {
        self.topics.values().all(|topic| topic.rejected)
    }

    fn last_refusal(&self) -> Option<&Refusal> {
        self.refused.as_ref()?.refusal.as_ref()
    }

    /// The last refusal and what can be done about it, to end an error with; empty if there was none.
    fn last_words(&self) -> String {
        let Some(state) = &self.refused else { return String::new() };
        let advice = state.advice().map(|advice| format!("\n{advice}"));
        format!("\n{}{}", state.text(), advice.unwrap_or_default())
    }

    fn state(&mut self, event: &Event, message: Option<&str>) -> Result<(), Failure> {
        let Some(state) = State::of(event, message) else { return Ok(()) };
        let topic = state.topic.and_then(|topic| self.topics.get_mut(&topic));
        let symbol = topic.as_ref().map(|topic| topic.symbol);
        if let (Some(topic), Event::Topic(_, TopicEvent::Rejected { .. })) = (topic, event) {
            topic.rejected = true;
        }
        if self.json {
            self.out.json(&state.json(symbol))?;
        } else {
            let style = if state.good { GOOD } else { BAD };
            let who = symbol.map_or_else(|| "line".into(), |symbol| symbol.to_string());
            let text = state.text();
            self.out.line(format_args!("{who:<12} {style}{text}{style:#}"))?;
            if let Some(advice) = state.advice()
                && self.advice.replace(advice) != Some(advice)
            {
                self.out.line(format_args!("{:<12} {DIM}{advice}{DIM:#}", ""))?;
            }
        }
        if state.refusal.is_some() {
            self.refused = Some(state);
        }
        Ok(())
    }

    fn summary(&mut self, feed: &Feed) -> Result<(), Failure> {
        if self.json {
            self.out.json(&words::summary(feed.stats()))?;
        } else {
            let text = words::summary_text(feed.stats());
            self.out.line(format_args!("{DIM}{text}{DIM:#}"))?;
        }
        Ok(self.out.flush()?)
    }
}
