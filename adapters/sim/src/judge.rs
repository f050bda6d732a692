//! Holds a client to everything that is not about the contents of books: what it sends and when,
//! what it owns up to, what it counts, what it gives away.
//!
//! A client may have any number of lines. What a connection carries is followed from the texts on it
//! (`carriage`); what becomes of topics is the client's, whichever connections carry them (`topics`).

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use kucoin_futures_proto::{
    BookEvent, Channel, Client, Config, ConnId, DisconnectReason, Event, Instant, LineEvent,
    LineId, Output, RequestId, RestError, RestRequest, Stats, Symbol, TopicEvent, TopicId,
    TopicStatus,
};

use crate::exchange::{About, Exchange, PushForm, percent_decode};
use crate::rest::Response;
pub(crate) use accounts::AccountChecker;
use carriage::Carriage;
use conn::{Conn, Conns, Life};
use fetches::Fetches;
use fill::FirstFill;
use line::LineWatch;
pub(crate) use messages::{Arrival, Found, MessageChecker};
use refusals::Refusals;
use shown::{check_secrets, check_words};
pub(crate) use topics::topic_in;
use topics::{Delivered, SLACK, Topics, Verdict};
use window::Window;

mod accounts;
mod carriage;
mod conn;
mod fetches;
mod fill;
mod line;
mod messages;
mod refusals;
mod shown;
mod topics;
mod window;

/// Follows one client.
#[derive(Debug)]
pub(crate) struct ProtocolChecker {
    config: Config,
    conns: Conns,
    lines: BTreeMap<LineId, LineWatch>,
    carriage: Carriage,
    fill: FirstFill,
    topics: Topics,
    refusals: Refusals,
    fetches: Fetches,
    opens: Window,
    used_tokens: BTreeSet<String>,
    /// Until when deadlines may be missed: whoever drives the client is to blame.
    excused_until: Instant,
    buffered: u64,
    /// Messages that were not put aside, as the client counts them.
    taken: u64,
    /// The connection of the text that is being handled had been asked for its topic. It may be over by the time
    /// that is judged: a deadline that was met late comes after what had arrived.
    was_asked: bool,
    texts: u64,
}

/// What the judge knows of the moment.
#[derive(Clone, Copy)]
pub(crate) struct Moment<'a> {
    /// The client's own time.
    pub(crate) at: Instant,
    pub(crate) exchange: &'a Exchange,
    /// Outputs were left lying: their times say nothing.
    pub(crate) late: bool,
}

impl ProtocolChecker {
    pub(crate) fn new(config: &Config) -> Self {
        Self {
            conns: BTreeMap::new(),
            lines: BTreeMap::new(),
            carriage: Carriage::default(),
            fill: FirstFill::new(config),
            topics: Topics::default(),
            refusals: Refusals::default(),
            fetches: Fetches::new(config),
            opens: Window::new(config.budgets.connects_per_min.into(), Duration::from_secs(60)),
            used_tokens: BTreeSet::new(),
            excused_until: Instant::ZERO,
            buffered: 0,
            taken: 0,
            was_asked: false,
            texts: 0,
            config: config.clone(),
        }
    }

    /// Deadlines may be missed until then.
    pub(crate) fn excuse(&mut self, until: Instant) {
        self.excused_until = self.excused_until.max(until);
    }

    /// The client's clock leaps: an excuse that was given holds for as long as it would have.
    pub(crate) fn leap(&mut self, by: Duration) {
        self.excused_until = self.excused_until + by;
    }

    /// A channel is about to be subscribed.
    pub(crate) fn on_subscribe(&mut self, channel: Channel) {
        if self.conns.values().any(|conn| conn.welcomed) {
            self.fill.disturb();
        }
        channel.symbol().into_iter().for_each(|symbol| self.forget(symbol));
    }

    /// A channel was subscribed.
    pub(crate) fn on_subscribed(&mut self, channel: Channel) {
        if !channel.is_private() {
            self.fill.want(channel);
        }
    }

    /// A channel is about to be unsubscribed.
    pub(crate) fn on_unsubscribe(&mut self, channel: Channel) {
        self.fill.disturb();
        self.carriage.on_unwanted(&channel.to_string());
        channel.symbol().into_iter().for_each(|symbol| self.forget(symbol));
    }

    /// What waited for a symbol is gone.
    fn forget(&mut self, symbol: Symbol) {
        self.topics.on_command(symbol);
        self.refusals.on_command(symbol);
    }

    // Looking.

    /// Whether a connection was asked for a topic, and may bring it.
    pub(crate) fn carries(&self, conn: ConnId, name: &str) -> bool {
        self.carriage.carries(conn, name)
    }

    /// How many connections may bring a topic.
    pub(crate) fn carriers(&self, name: &str) -> usize {
        self.carriage.of(name).count()
    }

    /// Whether another connection than this one may bring a topic, too.
    pub(crate) fn is_shared(&self, conn: ConnId, name: &str) -> bool {
        self.carriage.is_carried_beside(conn, name)
    }

    /// Whether with a connection the stream of a topic breaks off, because no other goes on with it.
    pub(crate) fn ends_with(&self, conn: ConnId, name: &str) -> bool {
        self.carriage.ends_with(conn, name)
    }

    /// A topic that is confirmed is so on as many lines as it should be, and on no other; lines that are about to
    /// replace others apart.
    pub(crate) fn check_spread(&self, client: &Client, channel: Channel) -> Verdict {
        let most = if channel.is_private() { 1 } else { usize::from(self.config.lines.per_topic) };
        let name = channel.to_string();
        let is_heir = |conn: &ConnId| {
            let mut lines = client.lines();
            lines.any(|line| line.conn == Some(*conn) && line.replaces.is_some())
        };
        let on = self.carriage.confirmed(&name).filter(|conn| !is_heir(conn)).count();
        let may_be = on + self.carriage.doubtful(&name);
        let least = if self.fill.is_short() { 1 } else { most };
        let is_enough = on <= most && may_be >= least;
        if is_enough { Ok(()) } else { Err(format!("{name} is carried {on} times, not {most}")) }
    }

    // Inputs.

    pub(crate) fn on_opened(&mut self, at: Instant, conn: ConnId) {
        if let Some(conn) = self.conns.get_mut(&conn).filter(|conn| conn.life == Life::Asked) {
            conn.life = Life::Opened;
            conn.since = at;
        }
    }

    /// A text message was handed in.
    pub(crate) fn on_text(&mut self, at: Instant, id: ConnId, text: &str, about: About) {
        self.texts += 1;
        if about == About::Session {
            self.conns.get_mut(&id).into_iter().for_each(|conn| conn.on_session_text(text));
            if text.contains(r#""type":"error""#) {
                self.fill.disturb();
                if text.contains("per session") {
                    self.fill.run_short();
                }
            }
            let ended = self.carriage.on_answer(id, text);
            ended.iter().for_each(|name| self.topics.on_ended(id, name, &self.carriage));
            return;
        }
        let name = topic_in(text).filter(|name| self.carriage.carries(id, name));
        self.was_asked = name.is_some();
        if let Some(name) = name {
            self.carriage.on_text(at, id, name);
            self.topics.on_text(at, name);
        }
    }

    pub(crate) fn on_reply(&mut self, moment: Moment<'_>, request: RequestId, reply: &Response) {
        self.fetches.on_reply(moment.at, (request, reply), &self.config);
    }

    pub(crate) fn on_failed(&mut self, request: RequestId) {
        self.fetches.on_failed(request);
    }

    /// A text message was handled and, unless nobody drains, what it caused was judged.
    pub(crate) fn after_text(
        &mut self,
        at: Instant,
        client: &Client,
        (conn, text, about): (ConnId, &str, About),
        late: bool,
    ) -> Verdict {
        let buffered = client.stats().buffered - self.buffered;
        self.buffered += buffered;
        let taken = taken(client.stats());
        let was_taken = core::mem::replace(&mut self.taken, taken) != taken;
        let Some(name) = topic_in(text).filter(|_| about != About::Session) else { return Ok(()) };
        if !self.carriage.carries(conn, name) {
            // Without another one it may have been asked a moment ago, and the request not be sent yet.
            let is_doubtful = self.carriage.is_doubtful(conn, name);
            let may_be_asked = is_doubtful || !self.carriage.is_carried_beside(conn, name);
            if was_taken && !self.was_asked && !may_be_asked {
                return Err(format!("{name} was taken from {conn:?}, which was not asked for it"));
            }
            return Ok(());
        }
        // What cannot be decoded may not even show whose it is.
        let is_readable = match about {
            About::Delta { sound, .. } => sound,
            About::Push(form) => form != PushForm::Unreadable,
            About::Session => true,
        };
        if is_readable {
            self.hear(at, client, name);
            if !late {
                self.topics.check_voice(name)?;
            }
        }
        let About::Delta { symbol, sequence, sound, .. } = about else { return Ok(()) };
        let most = if late { u64::MAX } else { self.config.book.max_pending_deltas.max(1) as u64 };
        let delta = Delivered { conn, symbol, sequence, sound };
        self.topics.after_delta(at, (client, &self.carriage), delta, (buffered, most))
    }

    /// A message may be of a topic that is wanted, which speaks for it.
    fn hear(&mut self, at: Instant, client: &Client, name: &str) {
        let Some(topic) = self.refusals.topic(name) else { return };
        // Not if its line is down already, and nobody was told yet.
        match client.status(topic) {
            TopicStatus::Pending | TopicStatus::Confirmed { .. } | TopicStatus::Refused { .. } => {
                self.refusals.on_spoken(at, topic);
            }
            TopicStatus::Wanted | TopicStatus::Rejected { .. } | TopicStatus::Unsubscribed => {}
        }
    }

    // Outputs.

    pub(crate) fn on_output(
        &mut self,
        moment: Moment<'_>,
        client: &Client,
        output: &Output<'_>,
    ) -> Verdict {
        match output {
            Output::Event(Event::Book(topic, BookEvent::Delta(delta))) => {
                self.topics.on_delta(*topic, delta.sequence);
                Ok(())
            }
            Output::Event(event) => {
                check_secrets(moment.exchange, &format!("{event:?}"))?;
                check_words(moment, client, event)?;
                self.on_event(moment, client, event)
            }
            Output::Push(_) => Err("a message outside of its turn".into()),
            Output::Open { conn, to } => {
                check_secrets(moment.exchange, &format!("{output:?} {to}"))?;
                if !to.host().starts_with("127.") {
                    return Err(format!("a connection to {to}"));
                }
                self.on_open(moment, *conn, to.secret_url())
            }
            Output::Send { conn, text } => {
                check_secrets(moment.exchange, text)?;
                self.on_send(moment, (client, *conn), text)
            }
            Output::Close { conn } => match self.conns.get(conn).map(|conn| conn.life) {
                Some(Life::Down) | None => Err(format!("{conn:?} shut twice or never opened")),
                Some(_) => Ok(()),
            },
            Output::Fetch(fetch) => {
                check_secrets(moment.exchange, &format!("{fetch:?}"))?;
                self.on_fetch(moment, fetch)
            }
        }
    }

    fn on_open(&mut self, moment: Moment<'_>, conn: ConnId, url: &str) -> Verdict {
        let parameter = |name| {
            url.split(['?', '&']).find_map(|pair| pair.strip_prefix(name)).unwrap_or_default()
        };
        let pings = self.fetches.pings(&percent_decode(parameter("token=")));
        let fresh = Conn::new(moment.at, pings, parameter("connectId="), &self.config);
        if self.conns.insert(conn, fresh).is_some() {
            return Err(format!("{conn:?} was opened before"));
        }
        if !self.used_tokens.insert(parameter("token=").into()) {
            return Err("a token was used for a second connection".into());
        }
        if moment.late {
            self.opens.clear();
        } else if self.opens.exceeds(moment.at, 1) {
            return Err("too many connections in a minute".into());
        }
        Ok(())
    }

    fn on_send(
        &mut self,
        moment: Moment<'_>,
        (client, id): (&Client, ConnId),
        text: &str,
    ) -> Verdict {
        let now = (moment.at, moment.late);
        let Some(conn) = self.conns.get_mut(&id) else {
            return Err(format!("sent on {id:?}, which was never opened"));
        };
        if conn.life == Life::Down || !conn.welcomed {
            return Err(format!("sent on {id:?} outside of its life"));
        }
        let line = conn.line;
        let topic = topic_in(text).unwrap_or_default();
        let symbols = topic.split(',').count();
        if symbols > self.config.budgets.symbols_per_frame {
            return Err(format!("{symbols} symbols in one frame"));
        }
        conn.on_send(now, text)?;
        let most = self.config.budgets.topics_per_line;
        let asked = self.carriage.on_send(id, text, most)?;
        self.refusals.on_asked(now, id, &asked)?;
        let role = line.and_then(|line| client.line_role(line));
        if asked.is_empty() || role.is_some_and(|role| role.is_private()) {
            return Ok(());
        }
        self.fill.check(self.carriage.load(id))
    }

    fn on_fetch(&mut self, moment: Moment<'_>, fetch: &RestRequest) -> Verdict {
        let excused = moment.late || moment.at < self.excused_until;
        self.fetches.on_fetch((moment.at, moment.late, excused), fetch, &self.config)
    }

    fn on_event(&mut self, moment: Moment<'_>, client: &Client, event: &Event) -> Verdict {
        let now = (moment.at, moment.late);
        match *event {
            // Its number may have been another line's.
            Event::Line(_, LineEvent::Replacing { by, .. }) => {
                self.lines.remove(&by);
                Ok(())
            }
            Event::Line(id, LineEvent::Up { conn }) => {
                let known = self.conns.get_mut(&conn).filter(|conn| conn.is_ready());
                let Some(known) = known else {
                    return Err(format!("{conn:?} is up without having been opened and welcomed"));
                };
                (known.life, known.up_at, known.line) = (Life::Up, moment.at, Some(id));
                self.lines.entry(id).or_default().on_up(moment.late);
                Ok(())
            }
            Event::Line(id, LineEvent::Down { conn, reason }) => {
                self.on_down(moment, (id, conn), reason)
            }
            Event::Line(id, LineEvent::TokenFailed(reason)) => {
                self.fill.disturb();
                self.lines.entry(id).or_default().named =
                    matches!(reason, RestError::RateLimited { retry_after: Some(_), .. });
                Ok(())
            }
            Event::Line(id, LineEvent::Waiting { delay, failures }) => {
                let until = self.fetches.may_wait_until();
                let backoff = &self.config.backoff;
                let line = self.lines.entry(id).or_default();
                line.on_waiting(now, (delay, failures), until, backoff)
            }
            _ => {
                if let Event::Topic(topic, event) = *event {
                    self.on_topic_event(now, client, topic, event)?;
                }
                self.topics.on_event(moment.at, client, event)
            }
        }
    }

    fn on_topic_event(
        &mut self,
        now: (Instant, bool),
        client: &Client,
        topic: TopicId,
        event: TopicEvent,
    ) -> Verdict {
        let Some(channel) = client.channel(topic) else { return Ok(()) };
        let name = channel.to_string();
        self.refusals.know(name.clone(), topic);
        match event {
            TopicEvent::Confirmed => {
                let refused: Vec<ConnId> = self.carriage.refused(&name).collect();
                self.refusals.on_confirmed(topic, |conn| refused.contains(&conn));
            }
            TopicEvent::Refused { delay, .. } => {
                let conns: Vec<ConnId> = self.carriage.refused(&name).collect();
                let backoff = &self.config.backoff;
                return self.refusals.on_refused(now, (topic, &conns), delay, backoff);
            }
            TopicEvent::Rejected { code, .. } => {
                self.carriage.on_gone(&name);
                return self.refusals.on_rejected(now, topic, code);
            }
            TopicEvent::Unsubscribed => self.carriage.on_gone(&name),
            _ => {}
        }
        Ok(())
    }

    fn on_down(
        &mut self,
        moment: Moment<'_>,
        (line, id): (LineId, ConnId),
        reason: DisconnectReason,
    ) -> Verdict {
        let Some(conn) = self.conns.get_mut(&id).filter(|conn| conn.life != Life::Down) else {
            return Err(format!("{id:?} is down for a second time"));
        };
        let watch = self.lines.entry(line).or_default();
        if conn.life == Life::Up {
            let proven = moment.at.since(conn.up_at) >= self.config.backoff.reset_after;
            watch.proven |= proven || moment.late;
        }
        let overdue = conn.is_overdue(moment.at, &self.config);
        if let Some(waited) = overdue.filter(|_| !moment.late && moment.at >= self.excused_until) {
            return Err(format!("{id:?} was {:?} for {waited:?}", conn.life));
        }
        conn.life = Life::Down;
        self.fill.disturb();
        self.topics.on_down(id, &self.carriage);
        self.refusals.on_down(id);
        self.carriage.on_down(id);
        watch.on_down(reason)
    }

    // Whenever the client is drained.

    pub(crate) fn settle(&mut self, moment: Moment<'_>, client: &Client) -> Verdict {
        let (counted, rows) = (client.stats().messages, sum_of_rows(client.stats()));
        if self.texts != counted {
            return Err(format!("{} messages arrived, {counted} were counted", self.texts));
        }
        if rows != counted {
            return Err(format!("{counted} messages, but the rows say {rows}"));
        }
        // What took the place of a line that is over is another one, whatever its number.
        self.lines.retain(|line, _| client.lines().any(|known| known.id == *line));
        let excused = moment.late || moment.at < self.excused_until;
        let Self { conns, carriage, topics, config, excused_until, .. } = self;
        if moment.late {
            // What was said about them came too late to be held against what arrived meanwhile.
            topics.forget_streams();
        }
        topics.check_carried(client, carriage)?;
        topics.check_books(moment.at, client, config, excused)?;
        if excused {
            return Ok(());
        }
        for (id, conn) in conns.iter().filter(|(_, conn)| conn.life != Life::Down) {
            conn.check(*id, (moment.at, *excused_until), config)?;
        }
        self.refusals.check(moment.at)?;
        topics.check_silence(moment.at, config.timeouts.silence + SLACK, carriage)
    }

    /// The client was closed and drained.
    pub(crate) fn check_end(&self, client: &Client) -> Verdict {
        if client.poll_timeout().is_some() {
            return Err("a closed client waits for something".into());
        }
        match self.conns.iter().find(|(_, conn)| conn.life != Life::Down) {
            Some((conn, _)) => Err(format!("{conn:?} is not down though the client was closed")),
            None => Ok(()),
        }
    }
}

/// Messages that were taken for something that is wanted.
const fn taken(s: &Stats) -> u64 {
    s.deltas + s.buffered + s.repeats + s.covered + s.poisoned + s.pushes
}

fn sum_of_rows(s: &Stats) -> u64 {
    s.deltas
        + s.buffered
        + s.repeats
        + s.covered
        + s.poisoned
        + s.pushes
        + s.control
        + s.unsolicited
        + s.errors
        + s.unwanted
        + s.unknown
        + s.malformed
        + s.stale
}
