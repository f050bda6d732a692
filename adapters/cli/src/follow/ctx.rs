//! What a command prints with: states of lines and topics, and what is known of them.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Duration;

use kucoin_futures_host::unix_now;
use kucoin_futures_proto::{
    Channel, ChannelKind, Event, Instant, LineEvent, Push, Query, RequestId, Stats, Symbol,
    TopicEvent, TopicId, TopicStatus, UnknownMessage, WireError,
};
use serde_json::{Value, json};

use crate::exit::Failure;
use crate::feed::Feed;
use crate::follow::liveness::Liveness;
use crate::out::{DIM, Out};
use crate::refusal::Refusal;
use crate::words::{self, State};

/// What a command prints with.
pub(crate) struct Ctx {
    pub(crate) out: Out,
    pub(crate) now: Instant,
    pub(crate) json: bool,
    topics: BTreeMap<TopicId, Topic>,
    /// What is to be asked, and what was.
    queries: VecDeque<Query>,
    asked: BTreeMap<RequestId, Query>,
    /// What was told last, so that a storm does not repeat it.
    advice: Option<&'static str>,
    /// Of the line or of a symbol, the last one.
    refused: Option<State>,
    /// What to say of symbols that were refused.
    hints: Vec<String>,
    /// Topics that no line carries since one went down.
    stale: BTreeSet<TopicId>,
    stale_changes: u64,
    /// Of the books.
    liveness: Liveness,
}

/// A change of state, in words.
pub(crate) struct News {
    /// Whose: a contract, `line 2`, `account`.
    pub(crate) who: String,
    /// Of which contract, if it is one's.
    pub(crate) symbol: Option<Symbol>,
    /// What.
    pub(crate) state: State,
}

struct Topic {
    channel: Channel,
    rejected: bool,
    confirmed: bool,
    /// It was given up, and may still be told of.
    is_over: bool,
}

impl Topic {
    /// Its contract, or what it is called without one.
    fn name(&self) -> String {
        match self.channel.symbol() {
            Some(symbol) => symbol.to_string(),
            None => {
                let topic = self.channel.to_string();
                topic.rsplit('/').next().unwrap_or_default().to_owned()
            }
        }
    }

    /// Whether [`Topic::name`] is this.
    fn is_called(&self, name: &str) -> bool {
        match self.channel.symbol() {
            Some(symbol) => symbol.as_str() == name,
            None => self.name() == name,
        }
    }

    /// Whether a command without it has nothing to show.
    const fn is_needed(&self) -> bool {
        self.channel.symbol().is_some() || self.channel.is_private()
    }
}

impl Ctx {
    pub(super) fn new(now: Instant, json: bool) -> Self {
        Self {
            out: Out::new(),
            now,
            json,
            topics: BTreeMap::new(),
            queries: VecDeque::new(),
            asked: BTreeMap::new(),
            advice: None,
            refused: None,
            hints: Vec::new(),
            stale: BTreeSet::new(),
            stale_changes: 0,
            liveness: Liveness::default(),
        }
    }

    /// Says where metrics can be had.
    pub(super) fn metrics(&mut self, url: &str) -> Result<(), Failure> {
        if self.json {
            self.out.json(&json!({ "type": "metrics", "url": url }))?;
        } else {
            self.out.line(format_args!("{DIM}metrics at {url}{DIM:#}"))?;
        }
        self.out.flush()?;
        Ok(())
    }

    pub(super) fn add(&mut self, topic: TopicId, channel: Channel) {
        self.topics
            .insert(topic, Topic { channel, rejected: false, confirmed: false, is_over: false });
    }

    /// Whether a channel is subscribed to.
    pub(super) fn has(&self, channel: Channel) -> bool {
        self.topics.values().any(|topic| topic.channel == channel && !topic.is_over)
    }

    /// Gives up all topics but those of these channels, and names them.
    pub(super) fn others_than(&mut self, channels: &[Channel]) -> Vec<TopicId> {
        let is_other = |topic: &Topic| !topic.is_over && !channels.contains(&topic.channel);
        let others = self.topics.iter_mut().filter(|(_, topic)| is_other(topic));
        others
            .map(|(id, topic)| {
                topic.is_over = true;
                *id
            })
            .collect()
    }

    pub(crate) fn channel(&self, topic: TopicId) -> Option<Channel> {
        self.topics.get(&topic).map(|topic| topic.channel)
    }

    pub(crate) fn symbol(&self, topic: TopicId) -> Option<Symbol> {
        self.topics.get(&topic)?.channel.symbol()
    }

    /// The books that are wanted.
    pub(crate) fn books(&self) -> impl Iterator<Item = (TopicId, Symbol)> + '_ {
        let books =
            self.topics.iter().filter(|(_, topic)| topic.channel.kind() == ChannelKind::Level2);
        books.filter_map(|(id, topic)| Some((*id, topic.channel.symbol()?)))
    }

    /// The contract of a message that does not say it: that of its topic, or of what was asked.
    pub(crate) fn symbol_of(&self, push: &Push<'_>) -> Option<Symbol> {
        match (push.topic(), push.request()) {
            (Some(topic), _) => self.symbol(topic),
            (None, Some(request)) => self.asked.get(&request)?.symbol(),
            (None, None) => None,
        }
    }

    /// Whether somebody wants to know of this contract.
    pub(crate) fn wants(&self, symbol: Symbol) -> bool {
        self.topics.values().any(|topic| topic.channel.symbol() == Some(symbol))
    }

    /// Asks something once, when there is time for it.
    pub(crate) fn ask(&mut self, query: Query) {
        self.queries.push_back(query);
    }

    pub(super) fn ask_first(&mut self, query: Query) {
        self.queries.push_front(query);
    }

    pub(super) fn next_query(&mut self) -> Option<Query> {
        self.queries.pop_front()
    }

    pub(super) fn asked(&mut self, request: RequestId, query: Query) {
        self.asked.insert(request, query);
    }

    /// What was asked, until it is answered.
    pub(super) fn query(&self, request: RequestId) -> Option<Query> {
        self.asked.get(&request).copied()
    }

    /// What a push belongs to: its topic's channel, or what was asked.
    pub(super) fn asked_or_carried(&self, push: &Push<'_>) -> (Option<Channel>, Option<Query>) {
        let channel = push.topic().and_then(|topic| self.channel(topic));
        (channel, push.request().and_then(|request| self.query(request)))
    }

    /// It was answered.
    pub(super) fn forget(&mut self, request: Option<RequestId>) {
        if let Some(request) = request {
            self.asked.remove(&request);
        }
    }

    pub(super) fn all_rejected(&self) -> bool {
        self.topics.values().filter(|topic| topic.is_needed()).all(|topic| topic.rejected)
    }

    pub(super) fn last_refusal(&self) -> Option<&Refusal> {
        self.refused.as_ref()?.refusal.as_ref()
    }

    /// The last refusal and what can be done about it, to end an error with; empty if there was none.
    pub(super) fn last_words(&self) -> String {
        let Some(state) = &self.refused else { return String::new() };
        let advice = state.advice().map(|advice| format!("\n{advice}"));
        let hints: String = self.hints.iter().map(|hint| format!("\n{hint}")).collect();
        format!("\n{}{}{hints}", state.text(), advice.unwrap_or_default())
    }

    /// Whether what is known of a contract, or of what a topic is called without one, may be of the past.
    pub(crate) fn is_stale(&self, name: &str) -> bool {
        let mut stale = self.stale.iter().filter_map(|topic| self.topics.get(topic));
        stale.any(|topic| topic.is_called(name))
    }

    /// The topics of which nothing is heard until they are confirmed anew: each is carried, or not, for itself.
    pub(crate) fn stale(&self) -> impl Iterator<Item = Channel> + '_ {
        self.stale.iter().filter_map(|topic| self.channel(*topic))
    }

    /// Changes with each change of what is stale.
    pub(crate) const fn stale_changes(&self) -> u64 {
        self.stale_changes
    }

    /// A line of data, with the time at which it came.
    pub(crate) fn data(&mut self, mut line: Value) -> Result<(), Failure> {
        if let Some(fields) = line.as_object_mut() {
            fields.insert("at_ns".into(), unix_now().as_nanos().into());
        }
        Ok(self.out.json(&line)?)
    }

    /// Takes in what happened; `None` if that is no change of state.
    pub(super) fn news(&mut self, event: &Event, feed: &Feed) -> Option<News> {
        self.liveness.on_event(self.now, event);
        let mut state = State::of(event, feed.words_of(event), |line| feed.line_role(line))?;
        let id = state.topic;
        let topic = id.and_then(|topic| self.topics.get_mut(&topic));
        let mut symbol = topic.as_ref().and_then(|topic| topic.channel.symbol());
        let who = match &topic {
            Some(topic) => topic.name(),
            None if matches!(event, Event::Account(_)) => "account".into(),
            None => state.line_name(),
        };
        if let Some(topic) = topic {
            match event {
                Event::Topic(_, TopicEvent::Rejected { .. }) => topic.rejected = true,
                Event::Topic(_, TopicEvent::Confirmed) => {
                    topic.confirmed = true;
                    let was_stale = id.is_some_and(|id| self.stale.remove(&id));
                    self.stale_changes += u64::from(was_stale);
                }
                _ => {}
            }
            state.channel = Some(topic.channel);
        }
        if let Event::QueryFailed { request, .. } = event {
            symbol = self.asked.remove(request).and_then(|query| query.symbol());
        }
        Some(News { who, symbol, state })
    }

    /// Prints it, and what follows from it.
    pub(super) fn tell(&mut self, event: &Event, news: News, feed: &Feed) -> Result<(), Failure> {
        let News { who, symbol, state } = news;
        if self.json {
            self.out.json(&state.json(symbol))?;
        } else {
            let style = state.tone.style();
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
        match event {
            Event::Line(_, LineEvent::Down { .. }) => self.line_down(feed),
            _ => Ok(()),
        }
    }

    /// Nothing is heard of its topics until they are confirmed anew. (Books say so by themselves.) It may have brought
    /// something of those that were not confirmed yet; only of the others somebody was told that they are.
    fn line_down(&mut self, feed: &Feed) -> Result<(), Failure> {
        let mut told = Vec::new();
        for (id, topic) in &mut self.topics {
            let is_carried = matches!(feed.status(*id), TopicStatus::Confirmed { .. });
            if is_carried || topic.is_over || topic.rejected {
                continue;
            }
            self.stale_changes += u64::from(self.stale.insert(*id));
            if std::mem::take(&mut topic.confirmed) {
                told.push((*id, topic.channel));
            }
        }
        for (id, channel) in told {
            if self.json && channel.kind() != ChannelKind::Level2 {
                let state = State::stale(id, channel);
                self.out.json(&state.json(channel.symbol()))?;
            }
        }
        Ok(())
    }

    /// A message of a topic that cannot be read, or an answer.
    pub(super) fn malformed(&mut self, push: &Push<'_>, error: WireError) -> Result<(), Failure> {
        let symbol = self.symbol_of(push).map(|symbol| symbol.to_string());
        let channel = push.topic().and_then(|topic| self.topics.get(&topic));
        let topic = channel.map(|topic| topic.channel.to_string());
        tracing::warn!(symbol, topic, %error, "a message that cannot be read");
        if self.json {
            let reason = error.to_string();
            let line =
                json!({"type": "malformed", "symbol": symbol, "topic": topic, "reason": reason});
            self.data(line)?;
        }
        Ok(())
    }

    /// A message of a kind that this version does not know.
    pub(super) fn unknown(&mut self, message: &UnknownMessage<'_>) -> Result<(), Failure> {
        let (topic, subject) = (message.channel.to_string(), message.subject.map(words::plain));
        tracing::warn!(topic, subject, "a message of an unknown subject");
        if self.json {
            let symbol = message.channel.symbol().map(|symbol| symbol.to_string());
            let line =
                json!({"type": "unknown", "symbol": symbol, "topic": topic, "subject": subject});
            self.data(line)?;
        }
        Ok(())
    }

    /// A name was written in another way, and can mean only this.
    pub(super) fn resolved(&mut self, typed: &str, symbol: Symbol) -> Result<(), Failure> {
        if self.json {
            return self
                .data(json!({"type": "resolved", "typed": typed, "symbol": symbol.as_str()}));
        }
        Ok(self.out.line(format_args!("{symbol:<12} {DIM}is `{typed}`{DIM:#}"))?)
    }

    /// What may have been meant by a symbol that was refused.
    pub(crate) fn hint(
        &mut self,
        symbol: Symbol,
        suggestions: &[Value],
        text: &str,
    ) -> Result<(), Failure> {
        self.hints.push(format!("{symbol}: {text}"));
        if self.json {
            return self.data(json!({
                "type": "did_you_mean",
                "symbol": symbol.as_str(),
                "suggestions": suggestions,
            }));
        }
        Ok(self.out.line(format_args!("{symbol:<12} {DIM}{text}{DIM:#}"))?)
    }

    pub(super) fn summary(&mut self, stats: &Stats) -> Result<(), Failure> {
        // Those who want no book hear nothing of books.
        let not_live = self.books().next().map(|_| self.liveness.longest(self.now));
        if self.json {
            let mut summary = words::summary(stats);
            if let (Some(span), Some(fields)) = (not_live, summary.as_object_mut()) {
                fields.insert("not_live_ms".into(), words::millis(span).into());
            }
            self.out.json(&summary)?;
        } else {
            let text = words::summary_text(stats);
            let books = match not_live {
                None => String::new(),
                Some(Duration::ZERO) => "; no book was lost".into(),
                Some(span) => {
                    format!("; a book was not live for {} ms at most", words::millis(span))
                }
            };
            let text = text + &books;
            self.out.line(format_args!("{DIM}{text}{DIM:#}"))?;
        }
        Ok(self.out.flush()?)
    }
}
