//! Where the crowd lives: one exchange with its door, one network, and one clock.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use kucoin_futures_proto::{ConnId, Instant, SplitMix64, Symbol, TransportError};

use super::core_client::CoreClient;
use super::door::Door;
use super::schedule::Schedule;
use super::tally::Tally;
use super::usual_client::UsualClient;
use super::{Crowd, Outcome, PATIENCE};
use crate::config::ExchangeConfig;
use crate::contract::Contract;
use crate::exchange::{Exchange, Outgoing};
use crate::fault::Fault;
use crate::rest::Request;
use crate::world::ENDPOINT;
use crate::world::net::{Address, Load, Net, Packet, Way, Weather};

/// All are live long before, and the minute of their first connect is over: nobody has used anything up.
const LOSS: Duration = Duration::from_secs(90);
/// Changes a second: enough for a book to hear something, little enough for thousands.
const RATE: f64 = 1.0;
/// Levels a side: what a book holds is of no interest here.
const DEPTH: usize = 3;

#[derive(Debug)]
enum Member {
    Core(Box<CoreClient>),
    Usual(UsualClient),
}

impl Member {
    fn is_live(&self) -> bool {
        match self {
            Self::Core(client) => client.is_live(),
            Self::Usual(client) => client.is_live(),
        }
    }

    fn wakes(&self) -> Option<Instant> {
        match self {
            Self::Core(client) => client.wakes(),
            Self::Usual(client) => client.wakes(),
        }
    }

    fn on_wake(&mut self, now: Instant, sent: &mut Vec<Load>) {
        match self {
            Self::Core(client) => client.on_wake(now, sent),
            Self::Usual(client) => client.on_wake(now, sent),
        }
    }

    fn on_load(&mut self, now: Instant, load: Load, sent: &mut Vec<Load>) {
        match self {
            Self::Core(client) => client.on_load(now, load, sent),
            Self::Usual(client) => client.on_load(now, load, sent),
        }
    }
}

/// A client, when it is called next, and what is counted of it.
#[derive(Debug)]
struct House {
    member: Member,
    alarm: Option<Instant>,
    tally: Tally,
    was_live: bool,
}

#[derive(Debug)]
pub(super) struct Town {
    now: Instant,
    exchange: Exchange,
    /// When the exchange has something to do; asked for only when it was touched, since it goes through all sessions.
    exchange_wakes: Option<Instant>,
    net: Net,
    door: Door,
    houses: Vec<House>,
    /// When houses are to be called. What was changed since is passed over.
    alarms: BinaryHeap<Reverse<(Instant, usize)>>,
    live: usize,
}

impl Town {
    pub(super) fn new(crowd: &Crowd, schedule: Schedule) -> Self {
        let mut seeds = SplitMix64::new(crowd.seed);
        // The book that everybody wants.
        let contract = Contract::defaults().into_iter().next();
        let contract = contract.map(|contract| Contract { depth: DEPTH, ..contract });
        let symbol = contract.as_ref().map(|contract| contract.symbol);
        let mut config = ExchangeConfig {
            endpoint: ENDPOINT.into(),
            contracts: contract.into_iter().collect(),
            rate: RATE,
            ..ExchangeConfig::default()
        };
        // They are of many addresses; the limit is one of each.
        config.limits.sessions = usize::MAX;
        let now = Instant::ZERO;
        let mut town = Self {
            now,
            exchange: Exchange::new(now, seeds.next_u64(), config),
            exchange_wakes: Some(now),
            net: Net::new(seeds.next_u64(), crowd.latency),
            door: Door::new(crowd, seeds.next_u64()),
            houses: Vec::new(),
            alarms: BinaryHeap::new(),
            live: 0,
        };
        for symbol in symbol.into_iter().cycle().take(crowd.clients) {
            town.build(seeds.next_u64(), schedule, symbol);
        }
        town
    }

    fn build(&mut self, seed: u64, schedule: Schedule, symbol: Symbol) {
        let (now, mut sent) = (self.now, Vec::new());
        let member = match schedule {
            Schedule::Core => Member::Core(Box::new(CoreClient::new(now, seed, symbol, &mut sent))),
            other => Member::Usual(UsualClient::new(now, seed, symbol, other)),
        };
        let number = self.houses.len();
        self.houses.push(House { member, alarm: None, tally: Tally::default(), was_live: false });
        self.after(number, sent);
    }

    /// Lets all of them become live, and their lines grow old enough to be trusted.
    pub(super) fn settle(&mut self) {
        while self.step(Instant::ZERO + LOSS) {}
        self.now = Instant::ZERO + LOSS;
    }

    /// Every line is lost, and from now on the door counts. Says how many were live.
    pub(super) fn cut_all(&mut self) -> usize {
        let live = self.live;
        self.door.count();
        self.houses.iter_mut().for_each(|house| house.tally.on_loss());
        self.exchange.inject(self.now, Fault::Close { code: 1006 });
        self.carry();
        live
    }

    /// Waits until all are live again, and says how long that took.
    pub(super) fn recover(&mut self) -> Option<Duration> {
        let (from, end) = (self.now, self.now + PATIENCE);
        let is_back = |house: &House| house.tally.back.is_some();
        while self.live < self.houses.len() || !self.houses.iter().all(is_back) {
            if !self.step(end) {
                return None;
            }
        }
        Some(self.now.since(from))
    }

    pub(super) fn outcome(
        &self,
        schedule: Schedule,
        lost: usize,
        all_live: Option<Duration>,
    ) -> Outcome {
        let loss = Instant::ZERO + LOSS;
        let tallies = || self.houses.iter().map(|house| &house.tally);
        let mut back: Vec<_> =
            tallies().filter_map(|tally| Some(tally.back?.since(loss))).collect();
        back.sort_unstable();
        Outcome {
            schedule,
            lost,
            all_live,
            median: back.get(self.houses.len().saturating_sub(1) / 2).copied(),
            attempts: tallies().map(|tally| tally.attempts).sum(),
            most_attempts: tallies().map(|tally| tally.attempts).max().unwrap_or(0),
            refused: self.door.refused(),
            over_limit: tallies().filter(|tally| tally.is_over).count(),
        }
    }

    /// Does what is due next, if it is due until `end`.
    fn step(&mut self, end: Instant) -> bool {
        let alarm = self.alarms.peek().map(|Reverse((at, _))| *at);
        let all = [self.net.next(), alarm, self.exchange_wakes];
        let Some(next) = all.into_iter().flatten().min().filter(|next| *next <= end) else {
            return false;
        };
        self.now = self.now.max(next);
        if self.exchange_wakes.is_some_and(|at| at <= self.now) {
            self.exchange.tick(self.now);
            self.carry();
        }
        while let Some(packet) = self.net.take_due(self.now) {
            self.deliver(packet);
        }
        while let Some(Reverse((at, number))) = self.alarms.peek().copied()
            && at <= self.now
        {
            self.alarms.pop();
            self.call(number, at);
        }
        true
    }

    fn call(&mut self, number: usize, at: Instant) {
        let Some(house) = self.houses.get_mut(number).filter(|house| house.alarm == Some(at))
        else {
            return;
        };
        house.alarm = None;
        let mut sent = Vec::new();
        house.member.on_wake(self.now, &mut sent);
        self.after(number, sent);
    }

    /// Carries what a member sent, sets its alarm, and notes whether it is live.
    fn after(&mut self, number: usize, sent: Vec<Load>) {
        sent.into_iter().for_each(|load| self.send_up(number, load));
        let Some(house) = self.houses.get_mut(number) else { return };
        let wakes = house.member.wakes();
        if wakes != house.alarm {
            house.alarm = wakes;
            self.alarms.extend(wakes.map(|at| Reverse((at, number))));
        }
        let is_live = house.member.is_live();
        if is_live == house.was_live {
            return;
        }
        house.was_live = is_live;
        house.tally.back = is_live.then_some(self.now);
        if is_live {
            self.live += 1;
        } else {
            self.live -= 1;
        }
    }

    fn send_up(&mut self, number: usize, load: Load) {
        let (address, weather) = (address_of(number), Weather::default());
        let conn = match &load {
            Load::Connect(conn, _) | Load::Up(conn, _) | Load::Gone(conn) => *conn,
            _ => {
                let at = self.net.arrival(self.now, &weather);
                return self.net.post(at, address, load);
            }
        };
        let is_over = matches!(load, Load::Gone(_));
        self.net.send(self.now, &weather, (address, conn, Way::Up), Instant::ZERO, load);
        if is_over {
            self.net.forget(address, conn);
        }
    }

    fn send_down(&mut self, address: Address, conn: ConnId, load: Load) {
        let way = (address, conn, Way::Down);
        self.net.send(self.now, &Weather::default(), way, Instant::ZERO, load);
    }

    fn deliver(&mut self, Packet { address, load, .. }: Packet) {
        let number = number_of(address);
        match load {
            Load::Connect(conn, query) => self.on_connect(address, conn, &query),
            Load::Up(conn, text) => self.exchange.receive(self.now, address.session(conn), &text),
            Load::Gone(conn) => self.exchange.lost(address.session(conn)),
            Load::Request(asked) => {
                let peer = IpAddr::V4(Ipv4Addr::from_bits(NET + address.0));
                let request = Request::new(asked.method, &asked.path).with_peer(peer);
                let response = self.exchange.http(self.now, &request);
                if let Some(house) = self.houses.get_mut(number) {
                    house.tally.on_answer(response.status);
                }
                self.net.answer(self.now, &Weather::default(), address, &asked, response);
            }
            load => {
                if let Load::Lost(conn, _) = load {
                    self.net.forget(address, conn);
                }
                let Some(house) = self.houses.get_mut(number) else { return };
                let mut sent = Vec::new();
                house.member.on_load(self.now, load, &mut sent);
                return self.after(number, sent);
            }
        }
        self.carry();
    }

    fn on_connect(&mut self, address: Address, conn: ConnId, query: &str) {
        if let Some(house) = self.houses.get_mut(number_of(address)) {
            house.tally.on_connect(self.now);
        }
        let load = match self.door.knock(self.now) {
            Err(error) => Load::Lost(conn, error),
            Ok(()) if self.exchange.connect(self.now, address.session(conn), query) => {
                Load::Opened(conn)
            }
            Ok(()) => Load::Lost(conn, TransportError::Refused),
        };
        self.send_down(address, conn, load);
    }

    /// Takes along what the exchange said.
    fn carry(&mut self) {
        while let Some(outgoing) = self.exchange.poll_output() {
            let (id, load) = match outgoing {
                Outgoing::Send(id, text, about) => (id, Load::Down(Address::of(id).1, text, about)),
                Outgoing::Close(id, ..) => (id, Load::Lost(Address::of(id).1, TransportError::Eof)),
                Outgoing::Reset(id) => (id, Load::Lost(Address::of(id).1, TransportError::Reset)),
                Outgoing::Injected(_) => continue,
            };
            let (address, conn) = Address::of(id);
            self.send_down(address, conn, load);
        }
        // Nobody counts what faults have met here.
        self.exchange.take_strikes();
        self.exchange_wakes = self.exchange.poll_timeout();
    }
}

/// 10.0.0.0: the net that they are all of.
const NET: u32 = 0x0a00_0000;

/// Addresses are numbered from 1.
fn address_of(number: usize) -> Address {
    Address(u32::try_from(number + 1).unwrap_or(u32::MAX))
}

const fn number_of(address: Address) -> usize {
    address.0 as usize - 1
}
