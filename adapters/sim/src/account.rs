//! Accounts: keys, orders, positions and balances, exact, with everything that ever changed.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use kucoin_futures_proto::{Instant, Price, SplitMix64, Symbol, UnixNanos};
use sha2::{Digest as _, Sha256};

use crate::contract::Contract;
use crate::quota::Quota;
use check::Refused;
use margin::Listing;

mod check;
mod config;
mod desk;
mod event;
mod fill;
mod frames;
mod json;
mod margin;
mod money;
mod reading;
mod rest;
mod rows;
mod settings;
mod signature;
mod state;
mod trader;
mod trading;
mod watch;

pub use config::{AccountConfig, Permission};
pub(crate) use event::Event;
pub use money::Money;
pub(crate) use rest::is_private;
pub(crate) use signature::signed_headers;
pub use state::{
    AccountChange, AccountState, Balance, Fill, MarginMode, Order, OrderId, Position, Settlement,
    StopEnd, StopOrder, StopPriceType, Terms, TimeInForce, TradeType, Trigger,
};
pub(crate) use watch::Watch;

/// Changes, ended orders and matches that an account remembers of each kind; older ones are forgotten.
const KEPT: usize = 1 << 16;

/// When something happens: on the clock of whoever runs the exchange, and on its own.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Moment {
    pub(crate) now: Instant,
    pub(crate) unix: UnixNanos,
}

/// What belongs to an account of one currency.
#[derive(Clone, Copy, Debug)]
struct Purse {
    wallet: Money,
    hold: Money,
    version: u64,
}

/// An account of the simulated exchange, as it truly is.
///
/// What is pushed and what REST answers comes from here, so that a reader's picture can be judged: what
/// it claims of a time must equal [`Account::at`] of that time.
#[derive(Debug)]
pub struct Account {
    config: AccountConfig,
    user_id: Arc<str>,
    listings: BTreeMap<Symbol, Listing>,
    state: AccountState,
    /// The state before the first change of `history`.
    base: AccountState,
    history: VecDeque<(Instant, AccountChange)>,
    /// Orders that have ended.
    done: BTreeMap<OrderId, Order>,
    fills: VecDeque<Fill>,
    settlements: VecDeque<Settlement>,
    purses: BTreeMap<&'static str, Purse>,
    /// The latest mark prices that it was told.
    marks: BTreeMap<Symbol, Price>,
    /// After its first switch to cross margin it is not told the old way any more.
    has_crossed: bool,
    events: Vec<Event>,
    opened: UnixNanos,
    /// Requests signed by it.
    quota: Quota,
    rng: SplitMix64,
    next_act: Option<Instant>,
}

impl Account {
    fn new(config: AccountConfig, contracts: &[Contract], seed: u64, at: Moment) -> Self {
        let digest = Sha256::digest(config.key.as_bytes());
        let bytes = |from: usize| digest.iter().skip(from).take(8);
        let own = bytes(0).fold(0_u64, |sum, byte| (sum << 8) | u64::from(*byte));
        let user_id = digest.iter().take(12).map(|byte| format!("{byte:02x}")).collect::<String>();
        let listings: BTreeMap<_, _> =
            contracts.iter().filter_map(|c| Some((c.symbol, Listing::of(c)?))).collect();
        let purse = Purse { wallet: config.deposit, hold: Money::ZERO, version: 0 };
        let purses = listings.values().map(|listing| (listing.currency, purse)).collect();
        let mut account = Self {
            user_id: user_id.into(),
            listings,
            state: AccountState::default(),
            base: AccountState::default(),
            history: VecDeque::new(),
            done: BTreeMap::new(),
            fills: VecDeque::new(),
            settlements: VecDeque::new(),
            purses,
            marks: BTreeMap::new(),
            has_crossed: false,
            events: Vec::new(),
            opened: at.unix,
            quota: Quota::default(),
            rng: SplitMix64::new(seed ^ own),
            next_act: None,
            config,
        };
        account.next_act = account.draw_pause().map(|pause| at.now + pause);
        let currencies: Vec<_> = account.purses.keys().copied().collect();
        for currency in currencies {
            account.tell_balance(at, currency);
        }
        account.events.clear();
        account.base = core::mem::take(&mut account.history).iter().fold(
            AccountState::default(),
            |mut base, (_, change)| {
                base.apply(change);
                base
            },
        );
        account
    }

    /// `KC-API-KEY`.
    #[must_use]
    pub fn key(&self) -> &str {
        &self.config.key
    }

    /// What private pushes name as `userId`: 24 hex digits.
    #[must_use]
    pub fn user_id(&self) -> &str {
        &self.user_id
    }

    /// What it is now.
    #[must_use]
    pub const fn state(&self) -> &AccountState {
        &self.state
    }

    /// What it was at a time, changes of that very time included; `None` if that is longer ago than
    /// 65536 changes.
    #[must_use]
    pub fn at(&self, time: Instant) -> Option<AccountState> {
        let forgotten = self.history.len() == KEPT;
        if forgotten && self.history.front().is_some_and(|(at, _)| time < *at) {
            return None;
        }
        let mut state = self.base.clone();
        let past = self.history.iter().take_while(|(at, _)| *at <= time);
        past.for_each(|(_, change)| state.apply(change));
        Some(state)
    }

    /// What has changed and when, oldest first; the latest 65536.
    pub fn history(&self) -> impl DoubleEndedIterator<Item = &(Instant, AccountChange)> {
        self.history.iter()
    }

    /// Orders that have ended, oldest first; the latest 65536.
    pub fn done(&self) -> impl DoubleEndedIterator<Item = &Order> {
        self.done.values()
    }

    /// Its matches, oldest first; the latest 65536.
    pub fn fills(&self) -> impl DoubleEndedIterator<Item = &Fill> {
        self.fills.iter()
    }

    /// Fundings, oldest first; the latest 65536.
    pub fn settlements(&self) -> impl DoubleEndedIterator<Item = &Settlement> {
        self.settlements.iter()
    }

    /// What its positions would bring in a currency, at their marks.
    #[must_use]
    pub fn unrealised(&self, currency: &str) -> Money {
        let positions = self.state.positions.values();
        positions
            .filter_map(|position| Some((position, self.listing(position.symbol)?)))
            .filter(|(_, listing)| listing.currency == currency)
            .map(|(position, listing)| position.unrealised(&listing))
            .sum()
    }

    fn listing(&self, symbol: Symbol) -> Option<Listing> {
        self.listings.get(&symbol).copied()
    }

    /// The balance as it would be told now.
    fn balance(&self, unix: UnixNanos, currency: &'static str) -> Option<Balance> {
        let purse = self.purses.get(currency)?;
        let purse_of = (currency, purse.wallet, purse.hold);
        let listing = |symbol| self.listing(symbol);
        Some(self.state.balance(listing, purse_of, (purse.version, unix)))
    }

    /// The same; of a currency that nothing is settled in here, zeros.
    fn balance_or_none(&self, unix: UnixNanos, currency: &'static str) -> Balance {
        let nothing = (currency, Money::ZERO, Money::ZERO);
        let none = || self.state.balance(|symbol| self.listing(symbol), nothing, (0, unix));
        self.balance(unix, currency).unwrap_or_else(none)
    }

    /// What new orders in a currency may use.
    fn available(&self, currency: &'static str) -> Money {
        let balance = self.balance(self.opened, currency);
        balance.map_or(Money::ZERO, |balance| balance.available)
    }

    fn record(&mut self, at: Moment, change: AccountChange) {
        self.state.apply(&change);
        let oldest = if self.history.len() == KEPT { self.history.pop_front() } else { None };
        if let Some((_, oldest)) = oldest {
            self.base.apply(&oldest);
        }
        self.history.push_back((at.now, change));
    }

    fn record_order(&mut self, at: Moment, order: Order) {
        if !order.is_active() {
            if self.done.len() == KEPT {
                self.done.pop_first();
            }
            self.done.insert(order.id, order.clone());
        }
        self.record(at, AccountChange::Order(order));
    }

    /// Tells a balance anew, in the old way too while that is done.
    fn tell_balance(&mut self, at: Moment, currency: &'static str) {
        let Some(purse) = self.purses.get_mut(currency) else { return };
        purse.version += 1;
        let Some(balance) = self.balance(at.unix, currency) else { return };
        if !self.has_crossed {
            let before = self.state.balances.get(currency);
            self.events.extend(event::old_subjects(currency, before, &balance));
        }
        self.events.push(Event::Wallet(currency, balance.clone()));
        self.record(at, AccountChange::Balance(currency, balance));
    }
}

fn push_kept<T>(list: &mut VecDeque<T>, item: T) {
    if list.len() == KEPT {
        list.pop_front();
    }
    list.push_back(item);
}

/// All accounts of an exchange.
#[derive(Debug)]
pub(crate) struct Accounts {
    list: Vec<Account>,
    /// Order ids rise over all accounts, so that they say who came first.
    last_id: OrderId,
    watch: Watch,
}

impl Accounts {
    /// Draws from nothing but the seed: the exchange's own draws stay what they are.
    pub(crate) fn new(
        configs: Vec<AccountConfig>,
        contracts: &[Contract],
        seed: u64,
        at: Moment,
    ) -> Self {
        let last_id = 358_000_000_000_000_000 + SplitMix64::new(!seed).below(1 << 50);
        let account = |config| Account::new(config, contracts, seed, at);
        Self { list: configs.into_iter().map(account).collect(), last_id, watch: Watch::default() }
    }

    pub(crate) fn by_key(&self, key: &str) -> Option<&Account> {
        self.list.iter().find(|account| account.config.key == key)
    }

    /// Whoever has this order in the book.
    fn owner(&self, id: OrderId) -> Option<usize> {
        self.list.iter().position(|account| account.state.orders.contains_key(&id))
    }

    fn get(&self, who: usize) -> Option<&Account> {
        self.list.get(who)
    }

    fn get_mut(&mut self, who: usize) -> Option<&mut Account> {
        self.list.get_mut(who)
    }

    fn next_id(&mut self) -> OrderId {
        self.last_id += 1 + self.last_id % 7;
        self.last_id
    }
}
