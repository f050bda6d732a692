//! Exchange, network and clients under one virtual clock: no sleeping, no threads.

use std::time::Duration;

use kucoin_futures_proto::{
    BookStatus, Channel, ChannelKind, Client, Config, ConnId, Instant, Misuse, Sequence,
    SplitMix64, Symbol, TopicId, TopicStatus, TransportError,
};

use crate::config::ExchangeConfig;
use crate::exchange::{Exchange, Outgoing};
use crate::fault::Fault;
use crate::ledger::Ledger;
use crate::oracle::{Oracle, Violation};
use crate::rest::{Request, Response, ResponseFate};
use crate::trace::Trace;
use happenings::Happenings;
use net::{Address, Load, Net, Packet, Way};
use node::{Cx, Node};

mod driver;
mod happenings;
pub(crate) mod net;
mod node;
mod tapped;

pub use happenings::WorldEvent;
pub use tapped::Taps;

/// After so long the news of a restart are lost, and no longer on their way. Chosen: the longest that the network
/// holds anything up.
const RESTARTED: Duration = Duration::from_secs(30);

/// One run.
///
/// ```
/// use std::time::Duration;
/// use kucoin_futures_proto::Channel;
/// use kucoin_futures_sim::{ExchangeConfig, World};
///
/// let mut exchange = ExchangeConfig::default();
/// exchange.faults = "every 20s drop XBTUSDTM; at 30s close 1006".parse()?;
/// let mut world = World::new(7, World::client_config(), exchange, Duration::from_millis(80));
/// let topic = world.subscribe(Channel::level2("XBTUSDTM".parse()?))??;
/// world.run_for(Duration::from_secs(60))?;
/// assert!(world.client().stats().gaps >= 1);
/// assert!(world.client().book(topic).is_some());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct World {
    exchange: Exchange,
    nodes: Vec<Node>,
    net: Net,
    now: Instant,
    seeds: SplitMix64,
    addresses: u32,
    ledger: Ledger,
    trace: Trace,
    events: u64,
    faults: u64,
    /// What clients that were replaced had compared.
    retired: (u64, u64),
    retired_messages: u64,
    /// Snapshots of a new run may overtake the news of it, for whoever knows the exchange's clocks.
    overtakes: bool,
    /// Time of books that were wanted, and of those that were live.
    time_live: (Duration, Duration),
    happenings: Happenings,
    taps: Taps,
}

impl World {
    /// A world that begins at zero, with one client. `latency` is the longest time a packet takes
    /// one way.
    #[must_use]
    pub fn new(seed: u64, config: Config, exchange: ExchangeConfig, latency: Duration) -> Self {
        Self::with_taps(seed, config, exchange, latency, Taps::default())
    }

    /// The same, with somebody who looks on.
    #[must_use]
    pub fn with_taps(
        seed: u64,
        config: Config,
        exchange: ExchangeConfig,
        latency: Duration,
        taps: Taps,
    ) -> Self {
        let mut seeds = SplitMix64::new(seed);
        let exchange = ExchangeConfig { endpoint: ENDPOINT.into(), ..exchange };
        let mut world = Self {
            exchange: Exchange::new(Instant::ZERO, seeds.next_u64(), exchange),
            nodes: Vec::new(),
            net: Net::new(seeds.next_u64(), latency),
            now: Instant::ZERO,
            seeds,
            addresses: 0,
            ledger: Ledger::default(),
            trace: Trace::default(),
            events: 0,
            faults: 0,
            retired: (0, 0),
            retired_messages: 0,
            overtakes: false,
            time_live: (Duration::ZERO, Duration::ZERO),
            happenings: Happenings::default(),
            taps,
        };
        world.add_client(config);
        world
    }

    /// The config of a client that talks to this world's exchange.
    #[must_use]
    pub fn client_config() -> Config {
        let mut config = Config::default();
        if let Ok(local) = Config::with_rest("http://127.0.0.1") {
            config.endpoints.rest = local.endpoints.rest;
        }
        config
    }

    /// Adds a client with a network and a clock of its own; they are numbered from 0.
    pub fn add_client(&mut self, config: Config) -> usize {
        let node = self.new_node(self.nodes.len(), config);
        self.nodes.push(node);
        self.nodes.len() - 1
    }

    /// Nothing is kept for [`World::take_happenings`] from now on: long runs need the room.
    pub fn forget_happenings(&mut self) {
        self.happenings = Happenings { list: Vec::new(), off: true };
    }

    /// Snapshots of a new run may overtake the news of it, for whoever knows the exchange's clocks.
    pub(crate) const fn let_overtake(&mut self) {
        self.overtakes = true;
    }

    /// Happenings are kept from now on.
    pub fn remember_happenings(&mut self) {
        self.happenings.off = false;
    }

    // Looking.

    /// The present.
    #[must_use]
    pub const fn now(&self) -> Instant {
        self.now
    }

    /// The first client.
    #[must_use]
    pub fn client(&self) -> &Client {
        self.client_at(0)
    }

    /// A client.
    ///
    /// # Panics
    /// There is none of that number.
    #[must_use]
    #[allow(clippy::indexing_slicing, reason = "as documented")]
    pub fn client_at(&self, number: usize) -> &Client {
        &self.nodes[number].client
    }

    /// How many clients there are.
    #[must_use]
    pub const fn clients(&self) -> usize {
        self.nodes.len()
    }

    /// The exchange.
    #[must_use]
    pub const fn exchange(&self) -> &Exchange {
        &self.exchange
    }

    /// The exchange, to be changed at will.
    pub const fn exchange_mut(&mut self) -> &mut Exchange {
        &mut self.exchange
    }

    /// Things delivered so far: frames, requests and replies, each way, and deadlines.
    #[must_use]
    pub const fn events(&self) -> u64 {
        self.events
    }

    /// Deltas and whole books compared with the truth so far, of all clients.
    #[must_use]
    pub fn compared(&self) -> (u64, u64) {
        let sum =
            |of: fn(&Oracle) -> u64| self.nodes.iter().map(|node| of(&node.oracle)).sum::<u64>();
        (self.retired.0 + sum(Oracle::deltas), self.retired.1 + sum(Oracle::checks))
    }

    /// Messages without a book that were compared with the truth so far, of all clients.
    #[must_use]
    pub fn messages(&self) -> u64 {
        let of = |node: &Node| node.messages.checked();
        self.retired_messages + self.nodes.iter().map(of).sum::<u64>()
    }

    /// Books that were wanted, each times how long; and the same of those that were live. Only books of
    /// contracts that are listed.
    pub(crate) const fn time_live(&self) -> (Duration, Duration) {
        self.time_live
    }

    /// So much time passes with everything as it is.
    fn add_time(&mut self, passed: Duration) {
        let (mut wanted, mut live) = (0, 0);
        for node in &self.nodes {
            let topics = node.wants.iter().filter(|(channel, want)| {
                want.on
                    && channel.kind() == ChannelKind::Level2
                    && channel.symbol().is_some_and(|of| self.exchange.market(of).is_some())
            });
            for (_, want) in topics {
                wanted += 1;
                live +=
                    u32::from(want.topic.is_some_and(|topic| node.client.book(topic).is_some()));
            }
        }
        self.time_live.0 += passed * wanted;
        self.time_live.1 += passed * live;
    }

    /// Which faults struck, and whether what they call for was seen.
    #[must_use]
    pub const fn ledger(&self) -> &Ledger {
        &self.ledger
    }

    /// One number for all that the clients put out: equal for equal seeds.
    #[must_use]
    pub const fn trace(&self) -> u64 {
        self.trace.hash()
    }

    /// What has happened since this was last called.
    pub fn take_happenings(&mut self) -> Vec<(Instant, WorldEvent)> {
        std::mem::take(&mut self.happenings.list)
    }

    // Doing.

    /// Subscribes the first client.
    ///
    /// # Errors
    /// The outer one: a broken promise. The inner one: the client's own answer.
    pub fn subscribe(&mut self, channel: Channel) -> Result<Result<TopicId, Misuse>, Violation> {
        self.subscribe_at(0, channel)
    }

    /// Subscribes a client.
    ///
    /// # Errors
    /// The outer one: a broken promise. The inner one: the client's own answer.
    pub fn subscribe_at(
        &mut self,
        number: usize,
        channel: Channel,
    ) -> Result<Result<TopicId, Misuse>, Violation> {
        let Some((node, mut cx)) = self.node(number) else { return Ok(Err(Misuse::Closed)) };
        node.subscribe(&mut cx, channel)
    }

    /// Gives the first client a command. A tap is not shown it.
    ///
    /// # Errors
    /// A broken promise.
    ///
    /// # Panics
    /// Never: there is always a first client.
    #[allow(clippy::expect_used, reason = "as documented")]
    pub fn command<T>(
        &mut self,
        command: impl FnOnce(&mut Client, Instant) -> T,
    ) -> Result<T, Violation> {
        let (node, mut cx) = self.node(0).expect("a world has a client");
        node.command(&mut cx, |client, now| command(client, now))
    }

    /// Breaks something now.
    ///
    /// # Errors
    /// A broken promise.
    pub fn inject(&mut self, fault: Fault) -> Result<(), Violation> {
        self.exchange.inject(self.now, fault);
        self.carry()
    }

    /// Ends all faults, wherever they are.
    ///
    /// # Errors
    /// A broken promise.
    pub fn heal(&mut self) -> Result<(), Violation> {
        self.exchange.heal();
        for node in &mut self.nodes {
            node.weather = net::Weather::default();
            node.driver.heal();
        }
        self.carry()
    }

    /// Lets time pass.
    ///
    /// # Errors
    /// A broken promise.
    pub fn run_for(&mut self, span: Duration) -> Result<(), Violation> {
        let end = self.now + span;
        while self.step(end)? {}
        self.now = end;
        Ok(())
    }

    /// Lets time pass until something is true, or `limit` is over; says which.
    ///
    /// # Errors
    /// A broken promise.
    pub fn run_until(
        &mut self,
        limit: Duration,
        mut done: impl FnMut(&Self) -> bool,
    ) -> Result<bool, Violation> {
        let end = self.now + limit;
        while !done(self) {
            if !self.step(end)? {
                self.now = end;
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Does everything that is due next, if it is due until `end`; says whether it was.
    ///
    /// # Errors
    /// A broken promise.
    pub fn step(&mut self, end: Instant) -> Result<bool, Violation> {
        let Some(next) = self.next_event().filter(|next| *next <= end) else { return Ok(false) };
        let passed = next.since(self.now);
        if !passed.is_zero() {
            self.add_time(passed);
        }
        self.now = self.now.max(next);
        self.exchange.tick(self.now);
        self.carry()?;
        while let Some(packet) = self.net.take_due(self.now) {
            self.events += 1;
            self.deliver(packet)?;
        }
        for number in 0..self.nodes.len() {
            let Some((node, mut cx)) = self.node(number) else { break };
            self.events += u64::from(node.wake(&mut cx)?);
        }
        Ok(true)
    }

    /// Compares every live book with the truth, except where events are still to be drained.
    ///
    /// # Errors
    /// A broken promise.
    pub fn check_all(&mut self) -> Result<(), Violation> {
        let mut drained = self.nodes.iter_mut().filter(|node| !node.driver.left_lying);
        drained.try_for_each(|node| node.oracle.check_all(&node.client))
    }

    /// Whether every book that is wanted is live and of the exchange's present run. A symbol that
    /// `except` names need not be; nor one that was rejected.
    #[must_use]
    pub fn is_healthy(&self, except: impl Fn(Channel) -> bool) -> bool {
        self.nodes.iter().all(|node| {
            node.is_account_well()
                && node.wants.iter().filter(|(channel, want)| want.on && !except(**channel)).all(
                    |(channel, want)| {
                        want.topic.is_none_or(|topic| {
                            is_topic_healthy(node, &self.exchange, self.now, topic)
                                && is_spread(node, *channel, topic)
                        })
                    },
                )
        })
    }

    /// Lets a client follow the account that every exchange has; its machine's wall clock is off by so many ms.
    ///
    /// # Errors
    /// A broken promise.
    pub fn follow_account_at(
        &mut self,
        number: usize,
        clock_off_ms: i64,
    ) -> Result<Result<(), Misuse>, Violation> {
        let Some((node, mut cx)) = self.node(number) else { return Ok(Err(Misuse::Closed)) };
        node.clock_off_ms = clock_off_ms;
        node.follow_account(&mut cx)
    }

    /// Comparisons of an account that said to be live with the exchange's.
    #[must_use]
    pub fn compared_accounts(&self) -> u64 {
        self.nodes.iter().map(|node| node.accounts.checks()).sum()
    }

    /// Where each market is now.
    pub(crate) fn marks(&self) -> Vec<(Channel, usize, Sequence)> {
        let wants = self.nodes.first().into_iter().flat_map(|node| node.wants.keys());
        let mark = |channel: &Channel| {
            let market = self.exchange.market(channel.symbol()?)?;
            Some((*channel, market.runs(), market.sequence()))
        };
        wants.filter_map(mark).collect()
    }

    /// Whether all books that are wanted have come to where the markets were, or further. Not asked of
    /// one whose stream the exchange lets stand still.
    pub(crate) fn have_passed(
        &self,
        marks: &[(Channel, usize, Sequence)],
        except: impl Fn(Channel) -> bool,
    ) -> bool {
        self.nodes.iter().all(|node| {
            marks.iter().filter(|(channel, ..)| !except(*channel)).all(|(channel, runs, mark)| {
                let Some(want) = node.wants.get(channel).filter(|want| want.on) else {
                    return true;
                };
                let book = want.topic.and_then(|topic| node.client.book(topic));
                let Some(symbol) = channel.symbol() else { return true };
                let market = self.exchange.market(symbol);
                let same_run = market.is_some_and(|market| market.runs() == *runs);
                let own = |id| Address::of(id).0 == node.address;
                let stands = || self.exchange.withholds(symbol, own);
                book.is_none_or(|book| !same_run || book.sequence() >= *mark || stands())
            })
        })
    }

    /// What is not as it should be, in words.
    pub(crate) fn ailments(&self, except: impl Fn(Channel) -> bool) -> String {
        let mut ill = Vec::new();
        for node in &self.nodes {
            for (channel, want) in node.wants.iter().filter(|(c, want)| want.on && !except(**c)) {
                let Some(topic) = want.topic else { continue };
                if !is_spread(node, *channel, topic) {
                    ill.extend(node.check_spread(*channel).err());
                }
                if !is_topic_healthy(node, &self.exchange, self.now, topic) {
                    let status = node.client.status(topic);
                    let book = node.client.book_status(topic);
                    let client = node.address.0;
                    ill.push(format!(
                        "client {client}: {channel} is {status:?}, its book {book:?}"
                    ));
                }
            }
        }
        for node in self.nodes.iter().filter(|node| !node.is_account_well()) {
            let (client, status) = (node.address.0, node.client.account_status());
            ill.push(format!("client {client}: its account is {status:?}"));
        }
        let more = ill.len().saturating_sub(MOST_TOLD);
        ill.truncate(MOST_TOLD);
        let rest = if more > 0 { format!("; and {more} more") } else { String::new() };
        ill.join("; ") + &rest
    }

    /// Scripted faults whose time came.
    pub(crate) const fn faults(&self) -> u64 {
        self.faults
    }

    /// Closes all clients, and looks whether they are.
    ///
    /// # Errors
    /// A broken promise.
    pub fn close(&mut self) -> Result<(), Violation> {
        for number in 0..self.nodes.len() {
            let Some((node, mut cx)) = self.node(number) else { break };
            node.end(&mut cx)?;
        }
        Ok(())
    }

    fn next_event(&self) -> Option<Instant> {
        let node = self.nodes.iter().filter_map(|node| node.wakes(self.now)).min();
        [self.net.next(), node, self.exchange.poll_timeout()].into_iter().flatten().min()
    }

    fn new_node(&mut self, number: usize, config: Config) -> Node {
        self.addresses += 1;
        let tap = self.taps.make(number);
        Node::new(Address(self.addresses), self.now, self.seeds.next_u64(), config, tap)
    }

    fn node(&mut self, number: usize) -> Option<(&mut Node, Cx<'_>)> {
        let cx = Cx {
            now: self.now,
            net: &mut self.net,
            exchange: &self.exchange,
            ledger: &mut self.ledger,
            trace: &mut self.trace,
            happenings: &mut self.happenings,
        };
        Some((self.nodes.get_mut(number)?, cx))
    }

    fn number_of(&self, address: Address) -> Option<usize> {
        self.nodes.iter().position(|node| node.address == address)
    }

    fn deliver(&mut self, Packet { address, load, .. }: Packet) -> Result<(), Violation> {
        match load {
            Load::Connect(conn, query) => {
                let id = address.session(conn);
                let accepted = self.exchange.connect(self.now, id, &query);
                let delay =
                    if accepted { self.exchange.take_connect_delay() } else { Duration::ZERO };
                let load = if accepted {
                    Load::Opened(conn)
                } else {
                    Load::Lost(conn, TransportError::Refused)
                };
                self.send_down(address, conn, delay, load);
                self.carry()
            }
            Load::Up(conn, text) => {
                self.exchange.receive(self.now, address.session(conn), &text);
                self.carry()
            }
            Load::Gone(conn) => {
                self.exchange.lost(address.session(conn));
                Ok(())
            }
            Load::Request(asked) => {
                let headers: Vec<_> =
                    asked.headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
                let request = Request::new(asked.method, &asked.path).with_headers(&headers);
                let mut response = self.exchange.http(self.now, &request);
                let symbol = asked.path.split_once("level2/snapshot?symbol=");
                let symbol = symbol.and_then(|(_, symbol)| symbol.parse().ok());
                if symbol.is_some_and(|symbol| self.would_deceive(address, symbol)) {
                    response = Response::restarting();
                }
                // Most adapters give up in time; of one that does not, nothing is heard any more.
                let is_lost = response.fate == ResponseFate::Never && self.net.flip();
                let node = self.nodes.iter().find(|node| node.address == address);
                if let Some(node) = node.filter(|_| !is_lost) {
                    self.net.answer(self.now, &node.weather, address, &asked, response);
                }
                self.carry()
            }
            load => {
                let number = self.number_of(address);
                let Some((node, mut cx)) = number.and_then(|number| self.node(number)) else {
                    return Ok(());
                };
                node.arrive(&mut cx, load)
            }
        }
    }

    /// Whether a snapshot of a new run of the counter might be put under deltas of the run before that this reader
    /// has heard or is about to: what clocks are apart by is never known better than by what passes between two
    /// deltas, so that nobody could tell. An engine takes longer to restart than that.
    fn would_deceive(&self, address: Address, symbol: Symbol) -> bool {
        let Some(run) = self.exchange.new_run(self.now, symbol, RESTARTED) else { return false };
        let node = self.nodes.iter().find(|node| node.address == address);
        let may_tell = |node: &Node| self.overtakes && node.knows(self.now, symbol);
        node.is_some_and(|node| !node.has_heard(symbol, run) && !may_tell(node))
    }

    /// Takes along what the exchange said, and what it was told to break.
    fn carry(&mut self) -> Result<(), Violation> {
        while let Some(outgoing) = self.exchange.poll_output() {
            match outgoing {
                Outgoing::Send(id, text, about) => {
                    let (address, conn) = Address::of(id);
                    if let Some(node) = self.nodes.iter_mut().find(|node| node.address == address) {
                        *node.on_way.entry(conn).or_default() += 1;
                    }
                    self.send_down(address, conn, Duration::ZERO, Load::Down(conn, text, about));
                }
                Outgoing::Close(id, code, _) => {
                    let error = if code == 1006 {
                        TransportError::Eof
                    } else {
                        TransportError::Closed { code: Some(code) }
                    };
                    let (address, conn) = Address::of(id);
                    self.hear_no_more(address, conn);
                    self.send_down(address, conn, Duration::ZERO, Load::Lost(conn, error));
                }
                // A reset does not wait for what was sent before it; that is lost.
                Outgoing::Reset(id) => {
                    let (address, conn) = Address::of(id);
                    self.hear_no_more(address, conn);
                    let at = self.now;
                    self.net.post(at, address, Load::Lost(conn, TransportError::Reset));
                }
                Outgoing::Injected(fault) => {
                    self.faults += 1;
                    self.happenings.push(self.now, || Some(WorldEvent::Fault(fault)));
                    self.trace.text(fault.word());
                    if fault.needs_world() {
                        self.break_a_client(fault)?;
                    }
                }
            }
        }
        for strike in self.exchange.take_strikes() {
            self.ledger.strike(strike.word, strike.symbol);
        }
        Ok(())
    }

    /// The exchange has ended a connection, which the client does not know yet: what is said from now on does not
    /// reach it.
    fn hear_no_more(&mut self, address: Address, conn: ConnId) {
        if let Some(node) = self.nodes.iter_mut().find(|node| node.address == address) {
            node.on_way.remove(&conn);
        }
    }

    fn send_down(&mut self, address: Address, conn: ConnId, delay: Duration, load: Load) {
        let Some(node) = self.nodes.iter().find(|node| node.address == address) else { return };
        let earliest = self.exchange.frozen_until().max(self.now + delay);
        let way = (address, conn, Way::Down);
        self.net.send(self.now, &node.weather, way, earliest, load);
    }

    /// One client at a time: the others must not notice.
    fn break_a_client(&mut self, fault: Fault) -> Result<(), Violation> {
        let number = self.seeds.below(self.nodes.len() as u64) as usize;
        if matches!(fault, Fault::CloseClient {}) {
            return self.replace(number);
        }
        let Some((node, mut cx)) = self.node(number) else { return Ok(()) };
        node.break_it(&mut cx, fault)
    }

    /// Closes a client; another one takes its place and wants the same.
    fn replace(&mut self, number: usize) -> Result<(), Violation> {
        let Some((node, mut cx)) = self.node(number) else { return Ok(()) };
        cx.ledger.strike("close-client", None);
        node.end(&mut cx)?;
        let (config, wants) = (node.config.clone(), core::mem::take(&mut node.wants));
        let follows = node.follows();
        let (deltas, checks) = (node.oracle.deltas(), node.oracle.checks());
        let messages = node.messages.checked();
        self.retired = (self.retired.0 + deltas, self.retired.1 + checks);
        self.retired_messages += messages;
        let fresh = self.new_node(number, config);
        if let Some(node) = self.nodes.get_mut(number) {
            *node = fresh;
        }
        for (channel, _) in wants {
            // Too many topics is an answer, too.
            let _ = self.subscribe_at(number, channel)?;
        }
        if let Some(clock_off_ms) = follows {
            // Too many topics is an answer here, too.
            let _ = self.follow_account_at(number, clock_off_ms)?;
        }
        Ok(())
    }
}

/// A snapshot that is asked for because of a horizon is there after this: a second from one to the next,
/// and the slowest network's way there and back.
const REFRESH: Duration = Duration::from_secs(3);

/// A book must be live on the present run of the counter, or have left live a moment ago for its horizon
/// alone; another topic must be confirmed. What was rejected is nobody's fault here, and no client can tell
/// that there is a new run while the exchange model holds its deltas back.
fn is_topic_healthy(node: &Node, exchange: &Exchange, now: Instant, topic: TopicId) -> bool {
    let is_refreshed = node.refreshing.get(&topic).is_some_and(|at| now.since(*at) < REFRESH);
    match (node.client.status(topic), node.client.book_status(topic)) {
        (TopicStatus::Rejected { .. }, _) => true,
        (TopicStatus::Confirmed { .. }, Some(BookStatus::Buffering)) if is_refreshed => true,
        (_, Some(BookStatus::Live)) => {
            let own = |id| Address::of(id).0 == node.address;
            let symbol = node.client.channel(topic).and_then(|channel| channel.symbol());
            let is_withheld = || symbol.is_some_and(|symbol| exchange.withholds(symbol, own));
            node.oracle.is_of_present(&node.client, exchange, topic) || is_withheld()
        }
        (TopicStatus::Confirmed { .. }, None) => true,
        _ => false,
    }
}

/// Once a topic is confirmed it is so on as many connections as it should be.
fn is_spread(node: &Node, channel: Channel, topic: TopicId) -> bool {
    let is_confirmed = matches!(node.client.status(topic), TopicStatus::Confirmed { .. });
    !is_confirmed || node.check_spread(channel).is_ok()
}

/// Of what is not well, so many are told.
const MOST_TOLD: usize = 4;

/// Where token responses send clients.
pub(crate) const ENDPOINT: &str = "ws://127.0.0.1/endpoint";
