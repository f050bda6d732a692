//! Where a trial takes place: the exchange, the network, and a session without any finesse.

use std::time::Duration;

use kucoin_futures_proto::{ConnId, Instant, RequestId, Sequence, Symbol, TransportError};
use serde_json::Value;

use super::{Ask, Contender, Lie, Trial, View};
use crate::config::ExchangeConfig;
use crate::exchange::{About, Exchange, Outgoing};
use crate::fault::Fault;
use crate::rest::{Request, Response};
use crate::scenario::Scenario;
use crate::world::ENDPOINT;
use crate::world::net::{Address, Asked, Load, Net, Way, Weather};

/// From a loss to the next try, and the patience with each step of an opening.
const PAUSE: Duration = Duration::from_secs(1);
const PATIENCE: Duration = Duration::from_secs(10);
/// Between two requests for a snapshot: nobody gets the market to stand still by asking.
const SNAPSHOT_PAUSE: Duration = Duration::from_millis(10);
const ADDRESS: Address = Address(1);

/// Where the session is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Phase {
    Resting,
    Token(RequestId),
    Opening,
    Welcome,
    Ack,
    Up,
}

/// What is to be done about a snapshot.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Wish {
    None,
    At(Instant),
    Asked(RequestId),
}

struct Arena<'a, C> {
    contender: &'a mut C,
    symbol: Symbol,
    exchange: Exchange,
    net: Net,
    weather: Weather,
    now: Instant,
    phase: Phase,
    /// When the phase ends by itself; of `Up`: a ping is due, or a pong is overdue.
    deadline: Instant,
    conn: ConnId,
    pings: (Duration, Duration),
    /// The ping that is not answered yet.
    ping: Option<String>,
    requests: u32,
    wish: Wish,
    asked_at: Instant,
    trial: Trial,
    /// The latest view's sequence, and since when the contender is as live or blind as it is.
    live_at: Option<Sequence>,
    since: Instant,
    /// That view, if it was true: it stays so.
    proven: Option<View>,
    last_strike: Option<(Duration, &'static str)>,
}

/// Tries a contender in a scenario: first with its faults, and then, when they are over, until it
/// is live again or the scenario's `liveness_ms` have passed.
///
/// The same scenario is the same trial for a contender that does the same.
#[must_use]
pub fn try_book(scenario: &Scenario, contender: &mut impl Contender) -> Trial {
    let Some(symbol) = scenario.listed().first().copied() else { return Trial::default() };
    let config = ExchangeConfig { endpoint: ENDPOINT.into(), ..scenario.exchange() };
    let latency = Duration::from_micros(scenario.latency_us);
    let mut arena = Arena {
        contender,
        symbol,
        exchange: Exchange::new(Instant::ZERO, scenario.seed, config),
        net: Net::new(scenario.seed, latency),
        weather: Weather::default(),
        now: Instant::ZERO,
        phase: Phase::Resting,
        deadline: Instant::ZERO,
        conn: ConnId::new(0),
        pings: (PATIENCE, PATIENCE),
        ping: None,
        requests: 0,
        wish: Wish::None,
        asked_at: Instant::ZERO,
        trial: Trial { trials: 1, ..Trial::default() },
        live_at: None,
        since: Instant::ZERO,
        proven: None,
        last_strike: None,
    };
    arena.run(scenario);
    arena.trial
}

impl<C: Contender> Arena<'_, C> {
    fn run(&mut self, scenario: &Scenario) {
        let end = self.now + scenario.span();
        while self.step(end) {}
        self.now = end;
        self.exchange.heal();
        self.weather = Weather::default();
        let end = end + Duration::from_millis(scenario.liveness_ms);
        let is_well = |arena: &Self| arena.phase == Phase::Up && arena.proven.is_some();
        while !is_well(self) && self.step(end) {}
        if !is_well(self) {
            self.now = end;
        }
        self.trial.recovered = u64::from(is_well(self));
        self.trial.caught = u64::from(self.trial.lies > 0);
        self.pass_time();
    }

    /// Does what is due next, if it is due until `end`.
    fn step(&mut self, end: Instant) -> bool {
        let wish = if let Wish::At(at) = self.wish { Some(at) } else { None };
        let own = (!matches!(self.phase, Phase::Token(_))).then_some(self.deadline);
        let all = [self.net.next(), self.exchange.poll_timeout(), own, wish];
        let Some(next) = all.into_iter().flatten().min().filter(|next| *next <= end) else {
            return false;
        };
        self.now = self.now.max(next);
        self.exchange.tick(self.now);
        self.carry();
        while let Some(packet) = self.net.take_due(self.now) {
            self.deliver(packet.load);
            self.carry();
        }
        if own.is_some_and(|deadline| deadline <= self.now && deadline == self.deadline) {
            self.on_deadline();
        }
        if let Wish::At(at) = self.wish
            && at <= self.now
        {
            let path = format!("/api/v1/level2/snapshot?symbol={}", self.symbol);
            self.wish = Wish::Asked(self.ask("GET", path));
            self.asked_at = self.now;
        }
        true
    }

    // The exchange's side.

    /// Takes along what the exchange said, and what it was told to break.
    fn carry(&mut self) {
        while let Some(outgoing) = self.exchange.poll_output() {
            match outgoing {
                Outgoing::Send(id, text, about) => {
                    let (_, conn) = Address::of(id);
                    self.send_down(conn, Duration::ZERO, Load::Down(conn, text, about));
                }
                Outgoing::Close(id, ..) => {
                    let (_, conn) = Address::of(id);
                    self.send_down(conn, Duration::ZERO, Load::Lost(conn, TransportError::Eof));
                }
                Outgoing::Reset(id) => {
                    let (_, conn) = Address::of(id);
                    self.net.post(self.now, ADDRESS, Load::Lost(conn, TransportError::Reset));
                }
                Outgoing::Injected(fault) => self.break_the_net(fault),
            }
        }
        for strike in self.exchange.take_strikes() {
            if strike.symbol.is_none_or(|symbol| symbol == self.symbol) {
                self.strike(strike.word);
            }
        }
    }

    fn break_the_net(&mut self, fault: Fault) {
        match fault {
            Fault::StallUp { span } => self.weather.stalled[0] = self.now + span,
            Fault::StallDown { span } => self.weather.stalled[1] = self.now + span,
            Fault::Lag { delay, span } => self.weather.lag = (delay, self.now + span),
            _ => return,
        }
        self.strike(fault.word());
    }

    fn strike(&mut self, word: &'static str) {
        *self.trial.struck.entry(word).or_default() += 1;
        self.last_strike = Some((self.now.since(Instant::ZERO), word));
    }

    fn send_down(&mut self, conn: ConnId, delay: Duration, load: Load) {
        let earliest = self.exchange.frozen_until().max(self.now + delay);
        self.net.send(self.now, &self.weather, (ADDRESS, conn, Way::Down), earliest, load);
    }

    fn send_up(&mut self, load: Load) {
        let way = (ADDRESS, self.conn, Way::Up);
        self.net.send(self.now, &self.weather, way, self.exchange.frozen_until(), load);
    }

    fn deliver(&mut self, load: Load) {
        match load {
            Load::Connect(conn, query) => {
                let is_open = self.exchange.connect(self.now, ADDRESS.session(conn), &query);
                let load = if is_open {
                    Load::Opened(conn)
                } else {
                    Load::Lost(conn, TransportError::Refused)
                };
                let delay =
                    if is_open { self.exchange.take_connect_delay() } else { Duration::ZERO };
                self.send_down(conn, delay, load);
            }
            Load::Up(conn, text) => self.exchange.receive(self.now, ADDRESS.session(conn), &text),
            Load::Gone(conn) => self.exchange.lost(ADDRESS.session(conn)),
            Load::Request(asked) => {
                let request = Request::new(asked.method, &asked.path);
                let response = self.exchange.http(self.now, &request);
                self.net.answer(self.now, &self.weather, ADDRESS, &asked, response);
            }
            Load::Reply(request, response) => self.on_reply(request, Some(&response)),
            Load::Failed(request, _) => self.on_reply(request, None),
            Load::Opened(conn) | Load::Down(conn, ..) | Load::Lost(conn, _)
                if conn != self.conn || !self.is_connected() => {}
            Load::Opened(_) => self.turn(Phase::Welcome, PATIENCE),
            Load::Lost(..) => self.end(),
            Load::Down(_, text, About::Session) => self.on_control(&text),
            Load::Down(_, text, _) if self.phase == Phase::Up => {
                self.trial.frames += 1;
                self.tell(|contender| contender.on_frame(&text));
            }
            Load::Down(..) => {}
        }
    }

    // The session.

    const fn is_connected(&self) -> bool {
        !matches!(self.phase, Phase::Resting | Phase::Token(_))
    }

    fn turn(&mut self, phase: Phase, patience: Duration) {
        self.phase = phase;
        self.deadline = self.now + patience;
    }

    fn on_deadline(&mut self) {
        match self.phase {
            Phase::Resting => {
                self.phase = Phase::Token(self.ask("POST", "/api/v1/bullet-public".into()));
            }
            Phase::Up if self.ping.is_none() => {
                let id = self.now.as_nanos().to_string();
                self.send_up(Load::Up(
                    self.conn,
                    format!(r#"{{"id":"{id}","type":"ping"}}"#).into(),
                ));
                self.ping = Some(id);
                self.deadline = self.now + self.pings.1;
            }
            // The reply to a request comes, or word that it does not.
            Phase::Token(_) => {}
            Phase::Opening | Phase::Welcome | Phase::Ack | Phase::Up => {
                self.send_up(Load::Gone(self.conn));
                self.end();
            }
        }
    }

    /// A connection is over, on our side as well.
    fn end(&mut self) {
        self.net.forget(ADDRESS, self.conn);
        let was_up = self.phase == Phase::Up;
        self.turn(Phase::Resting, PAUSE);
        (self.wish, self.ping) = (Wish::None, None);
        if was_up {
            self.trial.losses += 1;
            self.tell(|contender| {
                contender.on_disconnected();
                Ask::Nothing
            });
        }
    }

    fn ask(&mut self, method: &'static str, path: String) -> RequestId {
        self.requests += 1;
        let request = RequestId::new(self.requests);
        let at = self.net.arrival(self.now, &self.weather);
        let asked = Asked { request, method, path, headers: Vec::new(), timeout: PATIENCE };
        self.net.post(at, ADDRESS, Load::Request(asked));
        request
    }

    fn on_reply(&mut self, request: RequestId, response: Option<&Response>) {
        if self.phase == Phase::Token(request) {
            let Some(token) = response.and_then(|response| self.read_token(&response.body)) else {
                return self.turn(Phase::Resting, PAUSE);
            };
            self.conn = ConnId::new(self.conn.get() + 1);
            let query = format!("token={token}&connectId={}", self.conn.get());
            self.send_up(Load::Connect(self.conn, query));
            self.turn(Phase::Opening, PATIENCE);
        } else if self.wish == Wish::Asked(request) {
            self.wish = Wish::None;
            match response {
                Some(response) if response.status == 200 => {
                    self.trial.snapshots += 1;
                    self.tell(|contender| contender.on_snapshot(&response.body));
                }
                other => {
                    let status = other.map(|response| response.status);
                    self.tell(|contender| contender.on_failed_snapshot(status));
                }
            }
        }
    }

    /// The token, if there is one for where we want to go; and what is said of pings.
    fn read_token(&mut self, body: &str) -> Option<String> {
        let body: Value = serde_json::from_str(body).ok()?;
        let data = body.get("data")?;
        let servers = data.get("instanceServers")?.as_array()?;
        let ours =
            |server: &&Value| server.get("endpoint").and_then(Value::as_str) == Some(ENDPOINT);
        let server = servers.iter().find(ours)?;
        let pings = ["pingInterval", "pingTimeout"].map(|name| {
            let ms = server.get(name).and_then(Value::as_u64).unwrap_or(10_000);
            Duration::from_millis(ms.clamp(1_000, 30_000))
        });
        self.pings = (pings[0], pings[1]);
        Some(data.get("token")?.as_str()?.into())
    }

    fn on_control(&mut self, text: &str) {
        let Ok(frame) = serde_json::from_str::<Value>(text) else { return };
        let word = |name| frame.get(name).and_then(Value::as_str).unwrap_or_default();
        let conn = self.conn.get().to_string();
        match (self.phase, word("type")) {
            (Phase::Welcome, "welcome") if word("id") == conn => {
                let (id, symbol) = (&conn, self.symbol);
                let request = format!(
                    r#"{{"id":"{id}","type":"subscribe","topic":"/contractMarket/level2:{symbol}","response":true}}"#
                );
                self.send_up(Load::Up(self.conn, request.into()));
                self.turn(Phase::Ack, PATIENCE);
            }
            (Phase::Ack, "ack") if word("id") == conn => {
                self.turn(Phase::Up, self.pings.0);
                let symbol = self.symbol;
                self.tell(|contender| contender.on_connected(symbol));
            }
            (Phase::Up, "pong") if self.ping.as_deref() == Some(word("id")) => {
                self.ping = None;
                self.deadline = self.now + self.pings.0;
            }
            // Our request is refused, or we are told to go: start over.
            (Phase::Welcome | Phase::Ack, "error") => {
                self.send_up(Load::Gone(self.conn));
                self.end();
            }
            _ => {}
        }
    }

    // The contender.

    /// Tells the contender something, does what it asks for, and looks at what it says by then.
    fn tell(&mut self, what: impl FnOnce(&mut C) -> Ask) {
        self.pass_time();
        let pause = match what(self.contender) {
            Ask::Nothing => None,
            Ask::Snapshot => Some(Duration::ZERO),
            Ask::SnapshotAfter(pause) => Some(pause),
        };
        if let (Some(pause), Phase::Up) = (pause, self.phase) {
            let at = (self.now + pause).max(self.asked_at + SNAPSHOT_PAUSE);
            self.wish = match self.wish {
                Wish::None => Wish::At(at),
                Wish::At(before) => Wish::At(before.min(at)),
                asked @ Wish::Asked(_) => asked,
            };
        }
        let view = self.contender.view();
        let was_live = core::mem::replace(&mut self.live_at, view.as_ref().map(|v| v.sequence));
        self.proven = view.filter(|view| self.is_true(view));
        let is_new = was_live.is_none() && self.live_at.is_some();
        self.trial.resyncs += u64::from(is_new && !self.trial.live.is_zero());
    }

    fn is_true(&mut self, view: &View) -> bool {
        self.trial.compared += 1;
        if self.proven.as_ref() == Some(view) {
            return true;
        }
        let Some(market) = self.exchange.market(self.symbol) else { return false };
        let Err(problem) = view.check(market) else { return true };
        self.trial.lies += 1;
        self.trial.first_lie.get_or_insert_with(|| Lie {
            at: self.now.since(Instant::ZERO),
            sequence: view.sequence,
            problem,
            after: self.last_strike,
        });
        false
    }

    /// Counts the time since the contender was last told something, and how old its view has become.
    fn pass_time(&mut self) {
        let passed = self.now.since(self.since);
        self.since = self.now;
        let Some(sequence) = self.live_at else {
            self.trial.blind += passed;
            return;
        };
        self.trial.live += passed;
        // What the exchange did next, if its counter has not been set anew since.
        let market = self.exchange.market(self.symbol);
        let next = market.and_then(|m| m.change_of(m.runs() - 1, sequence.next()?));
        if let Some(next) = next {
            let now = self.exchange.unix(self.now).as_nanos();
            let behind = Duration::from_nanos(now.saturating_sub(next.at.as_nanos()));
            self.trial.behind = self.trial.behind.max(behind);
        }
    }
}
