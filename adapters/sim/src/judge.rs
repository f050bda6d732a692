//! Holds a client to everything that is not about the contents of books: what it sends and when,
//! what it owns up to, what it counts, what it gives away.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use kucoin_futures_proto::{
    BookEvent, Client, Config, ConnId, DisconnectReason, Event, Instant, LineEvent, Output,
    RequestId, RestError, RestRequest, Sign, Stats, Symbol,
};

use serde_json::Value;

use crate::exchange::{About, Exchange, PushForm, percent_decode};
use crate::rest::Response;
pub(crate) use accounts::AccountChecker;
use line::{Conns, LineWatch};
pub(crate) use messages::{Arrival, Found, MessageChecker};
use topics::{SECOND, SLACK, Verdict};
use window::Window;

mod accounts;
mod line;
mod messages;
mod refusals;
mod topics;
mod window;

/// Follows one client.
#[derive(Debug)]
pub(crate) struct ProtocolChecker {
    config: Config,
    conns: Conns,
    /// What is watched of each line: the public one, and that of an account.
    lines: [LineWatch; 2],
    /// The lines that tokens were asked for, by request, and that they were given for.
    token_requests: BTreeMap<RequestId, usize>,
    tokens_of: BTreeMap<String, usize>,
    opens: Window,
    tokens: Window,
    weights: Window,
    asked: BTreeMap<Symbol, Instant>,
    in_flight: BTreeMap<RequestId, (Asked, Instant)>,
    /// Until when the exchange asked for quiet: its public side, and that of the account.
    blocked_until: [Instant; 2],
    /// Requests that were signed.
    signed: BTreeSet<RequestId>,
    /// The same, with answers to requests that the client may have given up.
    may_wait_until: Instant,
    used_tokens: BTreeSet<String>,
    /// Until when deadlines may be missed: whoever drives the client is to blame.
    excused_until: Instant,
    buffered: u64,
    texts: u64,
}

#[derive(Debug)]
struct Conn {
    /// Which line it is of: a place in `ProtocolChecker::lines`.
    line: usize,
    life: Life,
    /// When that life began.
    since: Instant,
    connect_id: String,
    welcomed: bool,
    sends: Window,
    up_at: Instant,
    last_ping: Option<Instant>,
    /// The id of the ping that is not answered yet.
    ping: Option<(String, Instant)>,
}

/// What a request is for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Asked {
    Token,
    Snapshot,
    Other,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Life {
    Asked,
    Opened,
    Up,
    Down,
}

/// A deadline that is met late is put off by this.
const GRACE: Duration = SECOND;
/// Whatever a token response says, pings and pongs may not take longer.
const LONGEST_PINGS: Duration = Duration::from_secs(60);
/// Bounds for how long the exchange may tell us to stay away.
const STAY: (Duration, Duration) = (SECOND, Duration::from_secs(300));
/// An adapter gives up a request at its time, the client a second later.
const REQUEST_SLACK: Duration = SECOND;

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
        let minute = Duration::from_secs(60);
        Self {
            conns: BTreeMap::new(),
            lines: Default::default(),
            token_requests: BTreeMap::new(),
            tokens_of: BTreeMap::new(),
            opens: Window::new(config.budgets.connects_per_min.into(), minute),
            tokens: Window::new(config.budgets.tokens_per_min.into(), minute),
            weights: Window::new(config.budgets.rest_weight_per_30s.into(), minute / 2),
            asked: BTreeMap::new(),
            in_flight: BTreeMap::new(),
            blocked_until: [Instant::ZERO; 2],
            signed: BTreeSet::new(),
            may_wait_until: Instant::ZERO,
            used_tokens: BTreeSet::new(),
            excused_until: Instant::ZERO,
            buffered: 0,
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

    /// A symbol is subscribed or unsubscribed: what waited for its book is gone.
    pub(crate) fn on_command(&mut self, symbol: Symbol) {
        for line in &mut self.lines {
            line.topics.on_command(symbol);
            line.refusals.on_command(symbol);
        }
    }

    // Inputs.

    pub(crate) fn on_opened(&mut self, at: Instant, conn: ConnId) {
        if let Some(conn) = self.conns.get_mut(&conn).filter(|conn| conn.life == Life::Asked) {
            conn.life = Life::Opened;
            conn.since = at;
        }
    }

    /// A text message was handed in.
    pub(crate) fn on_text(&mut self, at: Instant, conn: ConnId, text: &str, about: About) {
        self.texts += 1;
        if about != About::Session {
            let using = self.lines.iter_mut().find(|line| line.up == Some(conn));
            using.into_iter().for_each(|line| line.topics.on_text(at, text));
            return;
        }
        let Some(conn) = self.conns.get_mut(&conn) else { return };
        if text.contains(r#""type":"pong""#) {
            conn.ping.take_if(|(id, _)| text.contains(id.as_str()));
        } else if text.contains(r#""type":"welcome""#) {
            conn.welcomed |= text.contains(&conn.connect_id);
        }
    }

    pub(crate) fn on_reply(&mut self, moment: Moment<'_>, request: RequestId, reply: &Response) {
        let known = self.in_flight.remove(&request);
        let was_signed = self.signed.remove(&request);
        let of = self.token_requests.remove(&request);
        if let Some((of, token)) = of.zip(token_of(reply)) {
            self.tokens_of.insert(token, of);
        }
        let reset = reply.headers.iter().find(|(name, _)| *name == "gw-ratelimit-reset");
        let reset = reset.filter(|_| reply.status == 429).and_then(|(_, ms)| ms.parse().ok());
        let stay = reset.map(|ms| Duration::from_millis(ms).clamp(STAY.0, STAY.1));
        let until = stay.map_or(Instant::ZERO, |stay| moment.at + stay);
        self.may_wait_until = self.may_wait_until.max(until);
        let limit = self.config.timeouts.fetch + REQUEST_SLACK;
        let Some((asked, _)) = known.filter(|(_, since)| *since + limit > moment.at) else {
            // The client may have given it up, or not.
            self.lines.iter_mut().for_each(|l| l.pings = (LONGEST_PINGS, LONGEST_PINGS));
            return;
        };
        // Whichever of them an edge without a code means, it means at least this one.
        if let Some(blocked) = self.blocked_until.get_mut(usize::from(was_signed)) {
            *blocked = until.max(*blocked);
        }
        if asked == Asked::Token
            && let Some(line) = of.and_then(|of| self.lines.get_mut(of))
        {
            line.pings = (pings_of(reply, "pingInterval"), pings_of(reply, "pingTimeout"));
        }
    }

    pub(crate) fn on_failed(&mut self, request: RequestId) {
        self.in_flight.remove(&request);
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
        let Some(line) = self.lines.iter_mut().find(|line| line.up == Some(conn)) else {
            return Ok(());
        };
        // What cannot be decoded may not even show whose it is.
        let is_readable = match about {
            About::Delta { sound, .. } => sound,
            About::Push(form) => form != PushForm::Unreadable,
            About::Session => true,
        };
        if is_readable {
            line.hear(at, client, text);
            if !late {
                line.topics.check_voice(text)?;
            }
        }
        let About::Delta { symbol, sequence, sound, .. } = about else { return Ok(()) };
        let most = if late { u64::MAX } else { self.config.book.max_pending_deltas.max(1) as u64 };
        line.topics.after_delta(at, client, (symbol, sequence, sound), (buffered, most))
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
                let [public, _] = &mut self.lines;
                public.topics.on_delta(*topic, delta.sequence);
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
                self.on_send(moment, *conn, text)
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
        let of = self.tokens_of.get(&*percent_decode(parameter("token="))).copied().unwrap_or(0);
        let fresh = Conn {
            line: of,
            life: Life::Asked,
            since: moment.at,
            connect_id: format!("\"{}\"", parameter("connectId=")),
            welcomed: false,
            sends: Window::new(self.config.budgets.sends_per_10s.into(), SECOND * 10),
            up_at: moment.at,
            last_ping: None,
            ping: None,
        };
        if self.conns.insert(conn, fresh).is_some() {
            return Err(format!("{conn:?} was opened before"));
        }
        if let Some(line) = self.lines.get_mut(of) {
            line.opening = Some(conn);
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

    fn on_send(&mut self, moment: Moment<'_>, id: ConnId, text: &str) -> Verdict {
        let Some(conn) = self.conns.get_mut(&id) else {
            return Err(format!("sent on {id:?}, which was never opened"));
        };
        if conn.life == Life::Down || !conn.welcomed {
            return Err(format!("sent on {id:?} outside of its life"));
        }
        let topic = text.split(r#""topic":""#).nth(1).unwrap_or_default();
        let symbols = topic.split('"').next().unwrap_or_default().split(',').count();
        if symbols > self.config.budgets.symbols_per_frame {
            return Err(format!("{symbols} symbols in one frame"));
        }
        if text.contains(r#""type":"ping""#) {
            if conn.ping.is_some() {
                return Err("a second ping before the first was answered".into());
            }
            let ping = text.split('"').nth(3).unwrap_or_default();
            conn.ping = Some((format!("\"{ping}\""), moment.at));
            conn.last_ping = Some(moment.at);
        }
        if moment.late {
            conn.sends.clear();
        } else if conn.sends.exceeds(moment.at, 1) {
            return Err("too many messages in ten seconds".into());
        }
        match self.lines.get_mut(conn.line) {
            Some(line) => line.refusals.on_send((moment.at, moment.late), text),
            None => Ok(()),
        }
    }

    fn on_fetch(&mut self, moment: Moment<'_>, fetch: &RestRequest) -> Verdict {
        let at = moment.at;
        let excused = moment.late || at < self.excused_until;
        let is_signed = fetch.sign() != Sign::No;
        if is_signed {
            self.signed.insert(fetch.request());
        }
        let blocked = self.blocked_until.get(usize::from(is_signed));
        if blocked.is_some_and(|until| at < *until) && !excused {
            return Err(format!("asked for {} while told to stay away", fetch.path()));
        }
        let symbol = fetch.path().strip_prefix("/api/v1/level2/snapshot?symbol=");
        let symbol = symbol.and_then(|symbol| symbol.parse::<Symbol>().ok());
        let limit = fetch.timeout() + REQUEST_SLACK;
        self.in_flight.retain(|_, (_, since)| *since + limit > at);
        let is_token = fetch.path().starts_with("/api/v1/bullet");
        if is_token {
            let of = usize::from(fetch.path() == "/api/v1/bullet-private");
            self.token_requests.insert(fetch.request(), of);
        }
        let asked = match symbol {
            Some(_) => Asked::Snapshot,
            None if is_token => Asked::Token,
            None => Asked::Other,
        };
        // The client may have given up by itself what was sent so late.
        if !moment.late {
            self.in_flight.insert(fetch.request(), (asked, at));
        }
        let snapshots = self.in_flight.values().filter(|(a, _)| *a == Asked::Snapshot).count();
        if snapshots > self.config.budgets.snapshots_in_flight && !excused {
            return Err(format!("{snapshots} snapshots in flight"));
        }
        let last = symbol.and_then(|symbol| self.asked.insert(symbol, at));
        if moment.late {
            self.asked.clear();
        }
        let spacing = self.config.book.snapshot_spacing;
        if !moment.late && last.is_some_and(|last| at.since(last) < spacing) {
            return Err(format!("two snapshots within {spacing:?}: {}", fetch.path()));
        }
        if moment.late {
            self.tokens.clear();
            self.weights.clear();
        } else if is_token && self.tokens.exceeds(at, 1) {
            return Err("too many tokens in a minute".into());
        } else if fetch.sign() == Sign::No
            && self.weights.exceeds(at, if is_token { 10 } else { 3 })
        {
            return Err("more REST weight in 30 s than there is".into());
        }
        Ok(())
    }

    fn on_event(&mut self, moment: Moment<'_>, client: &Client, event: &Event) -> Verdict {
        match *event {
            Event::Line(id, LineEvent::Up { conn, .. }) => {
                let Some(line) = self.lines.get_mut(id.get() as usize) else { return Ok(()) };
                let is_next = |conn: &&mut Conn| conn.life == Life::Opened && conn.welcomed;
                let known = self.conns.get_mut(&conn).filter(is_next);
                let Some(known) = known else {
                    return Err(format!("{conn:?} is up without having been opened and welcomed"));
                };
                known.life = Life::Up;
                line.opening = None;
                known.up_at = moment.at;
                // Since when, nobody can tell any more.
                line.proven |= moment.late;
                line.up = Some(conn);
                line.refused = 0;
            }
            Event::Line(_, LineEvent::Down { conn, reason, .. }) => {
                return self.on_down(moment, conn, reason);
            }
            Event::Line(id, LineEvent::TokenFailed(reason)) => {
                let Some(line) = self.lines.get_mut(id.get() as usize) else { return Ok(()) };
                line.named = matches!(reason, RestError::RateLimited { retry_after: Some(_), .. });
            }
            Event::Line(id, LineEvent::Waiting { delay, failures, .. }) => {
                return self.on_waiting(moment, id.get() as usize, delay, failures);
            }
            _ => {
                let channel = event.topic().and_then(|topic| client.channel(topic));
                let is_private = channel.is_some_and(|channel| channel.is_private());
                let Some(line) = self.lines.get_mut(usize::from(is_private)) else { return Ok(()) };
                line.on_topic_event(moment, client, event, &self.config)?;
                return line.topics.on_event(moment.at, client, event);
            }
        }
        Ok(())
    }

    fn on_down(&mut self, moment: Moment<'_>, id: ConnId, reason: DisconnectReason) -> Verdict {
        let Some(conn) = self.conns.get_mut(&id).filter(|conn| conn.life != Life::Down) else {
            return Err(format!("{id:?} is down for a second time"));
        };
        let Some(line) = self.lines.get_mut(conn.line) else { return Ok(()) };
        if conn.life == Life::Up {
            let proven = moment.at.since(conn.up_at) >= self.config.backoff.reset_after;
            line.proven |= proven || moment.late;
            line.up = None;
        }
        let overdue = conn.is_overdue(moment.at, &self.config);
        if let Some(waited) = overdue.filter(|_| !moment.late && moment.at >= self.excused_until) {
            return Err(format!("{id:?} was {:?} for {waited:?}", conn.life));
        }
        conn.life = Life::Down;
        line.opening.take_if(|opening| *opening == id);
        line.topics.on_line_down();
        line.refusals.on_line_down();
        if matches!(reason, DisconnectReason::Unauthorized { .. }) {
            line.refused += 1;
            if line.refused > 2 {
                return Err("a third refused token without any wait".into());
            }
        }
        Ok(())
    }

    fn on_waiting(
        &mut self,
        moment: Moment<'_>,
        of: usize,
        delay: Duration,
        failures: u32,
    ) -> Verdict {
        let Some(line) = self.lines.get_mut(of) else { return Ok(()) };
        line.refused = line.refused.min(1);
        let named = core::mem::take(&mut line.named);
        let before = if core::mem::take(&mut line.proven) { 0 } else { line.failures };
        let expected = before + u32::from(!named);
        // Whether a connection had been in use for long is not known where outputs were left lying.
        if failures < expected || (named && failures > line.failures.max(expected)) {
            return Err(format!("{failures} failures in a row, but there were {expected}"));
        }
        line.failures = failures;
        let base = self.config.backoff.base.max(Duration::from_millis(1));
        let doubled = if named { 0 } else { failures.saturating_sub(1) };
        let bound = base.saturating_mul(2_u32.saturating_pow(doubled));
        let stay = self.may_wait_until.since(moment.at) + STAY.1 * u32::from(moment.late);
        let bound = bound.min(self.config.backoff.cap).max(Duration::from_millis(1)) + stay;
        if delay > bound || delay.is_zero() {
            return Err(format!("waits {delay:?} after {failures} failures; at most {bound:?}"));
        }
        Ok(())
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
        let excused = moment.late || moment.at < self.excused_until;
        let Self { conns, lines, config, excused_until, .. } = self;
        for line in lines {
            if moment.late {
                // What was said about them came too late to be held against what arrived meanwhile.
                line.topics.forget_streams();
            }
            if line.up.is_none() {
                line.topics.check_down(client)?;
            } else if !excused {
                line.check_pings(moment.at, conns, *excused_until)?;
            }
            line.topics.check_books(moment.at, client, config, excused)?;
            if excused {
                continue;
            }
            line.check_opening(moment.at, conns, config)?;
            line.refusals.check(moment.at)?;
            line.topics.check_silence(moment.at, config.timeouts.silence + SLACK)?;
        }
        Ok(())
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

impl Conn {
    /// For how long it has been waited for, if that is too long.
    fn is_overdue(&self, at: Instant, config: &Config) -> Option<Duration> {
        let limit = match self.life {
            Life::Asked => config.timeouts.connect,
            Life::Opened => config.timeouts.welcome,
            Life::Up | Life::Down => return None,
        };
        Some(at.since(self.since)).filter(|waited| *waited > limit + SLACK)
    }
}

/// What a token response says of pings, if it makes sense; else the longest that may come of it.
fn pings_of(reply: &Response, name: &str) -> Duration {
    let body: Value = serde_json::from_str(&reply.body).unwrap_or_default();
    let servers = body.pointer("/data/instanceServers").and_then(Value::as_array);
    let last = servers.and_then(|servers| servers.last()).and_then(|server| server.get(name));
    match last.and_then(Value::as_u64).map(Duration::from_millis) {
        Some(said) if (SECOND..=LONGEST_PINGS).contains(&said) => said,
        _ => LONGEST_PINGS,
    }
}

/// The token that a reply grants.
fn token_of(reply: &Response) -> Option<String> {
    let body: Value = serde_json::from_str(&reply.body).ok()?;
    body.pointer("/data/token").and_then(Value::as_str).map(Into::into)
}

/// Nobody but the server that a connection is opened to gets to see a token.
fn check_secrets(exchange: &Exchange, text: &str) -> Verdict {
    let shows = |token: &String| {
        // The part before the dot is the same raw and percent-encoded.
        let body = token.split(['.', '=']).next().unwrap_or_default();
        text.contains(body)
    };
    if exchange.latest_tokens().iter().any(shows) {
        return Err("a token in plain sight".into());
    }
    Ok(())
}

/// What is told in the exchange's words can be read, by anybody.
fn check_words(moment: Moment<'_>, client: &Client, event: &Event) -> Verdict {
    let Some(words) = event.refusal().and_then(|refusal| refusal.words) else { return Ok(()) };
    match client.words(words) {
        Some(text) if text.is_empty() || text.len() > 256 || text.contains(char::is_control) => {
            Err(format!("words that cannot be shown: {text:?}"))
        }
        Some(text) => check_secrets(moment.exchange, text),
        // Many more may have come while nobody drained.
        None if moment.late => Ok(()),
        None => Err("words that were forgotten before they were told".into()),
    }
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
