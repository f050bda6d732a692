//! What is known of the account.

use std::time::Duration;

use kucoin_futures_proto::{
    Account, AccountEvent, AccountFill, AccountStatus, Balance, Instant, OpenOrder, Position,
    StopOrder,
};

use super::Moment;
use crate::feed::Feed;
use crate::words::State;

/// Rows of each list that are shown.
const SHOWN: usize = 100;
/// Fills that are shown.
const FILLS: usize = 20;

/// What it has, as of the last look; empty unless it is live.
#[derive(Clone)]
pub(crate) struct Holdings {
    pub(crate) status: AccountStatus,
    /// Since when it is live, or is not.
    pub(crate) since: Moment,
    /// Why it is not, if that was said.
    pub(crate) why: Option<String>,
    /// Which run of it.
    pub(crate) epoch: Option<u32>,
    /// The first ones.
    pub(crate) orders: Vec<OpenOrder>,
    /// How many there are.
    pub(crate) order_count: usize,
    /// The first ones.
    pub(crate) stop_orders: Vec<StopOrder>,
    /// How many there are.
    pub(crate) stop_order_count: usize,
    /// The first ones.
    pub(crate) positions: Vec<Position>,
    /// How many there are.
    pub(crate) position_count: usize,
    pub(crate) balances: Vec<Balance>,
    /// The last ones, the latest last.
    pub(crate) fills: Vec<AccountFill>,
}

impl Holdings {
    pub(super) const fn new(now: Moment) -> Self {
        Self {
            status: AccountStatus::Idle,
            since: now,
            why: None,
            epoch: None,
            orders: Vec::new(),
            order_count: 0,
            stop_orders: Vec::new(),
            stop_order_count: 0,
            positions: Vec::new(),
            position_count: 0,
            balances: Vec::new(),
            fills: Vec::new(),
        }
    }

    pub(super) fn on_news(&mut self, now: Moment, event: &AccountEvent, state: &State) {
        match event {
            AccountEvent::Live { .. } => (self.since, self.why) = (now, None),
            AccountEvent::Lost { .. } => (self.since, self.why) = (now, Some(state.text())),
            AccountEvent::Delayed(_) | AccountEvent::Refused { .. } => {
                self.why = Some(state.text());
            }
            _ => {}
        }
    }

    pub(super) fn look(&mut self, feed: &Feed) {
        self.status = feed.account_status();
        match feed.account() {
            Some(account) => self.take(account),
            None => {
                let (status, since, why) = (self.status, self.since, self.why.take());
                *self = Self { status, why, ..Self::new(since) };
            }
        }
    }

    fn take(&mut self, account: &Account) {
        self.epoch = Some(account.epoch().get());
        self.order_count = account.orders().len();
        self.orders = account.orders().take(SHOWN).cloned().collect();
        self.stop_order_count = account.stop_orders().len();
        self.stop_orders = account.stop_orders().take(SHOWN).cloned().collect();
        self.position_count = account.positions().len();
        self.positions = account.positions().take(SHOWN).cloned().collect();
        self.balances = account.balances().cloned().collect();
        let skip = account.fills().len().saturating_sub(FILLS);
        self.fills = account.fills().skip(skip).cloned().collect();
    }

    /// What becomes of it, for people: `live`, or why it is not.
    pub(crate) fn state(&self) -> &str {
        match (self.status, &self.why) {
            (AccountStatus::Live, _) => "live",
            (_, Some(why)) => why,
            (AccountStatus::Syncing, None) => "is asked for",
            _ => "waits for its line",
        }
    }

    /// For how long it is live, or is not.
    pub(crate) fn age(&self, now: Instant) -> Duration {
        now.since(self.since.at)
    }
}
