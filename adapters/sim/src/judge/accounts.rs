//! What a client says that an account has, held against what it has.

use std::collections::{BTreeMap, BTreeSet};

use kucoin_futures_proto::wire::{OrderSide, PositionSide, Side, StopDirection, StopPriceType};
use kucoin_futures_proto::{Account, Client, Currency, Decimal, Lots, Price, Symbol};

use super::topics::Verdict;
use crate::exchange::Exchange;

/// The account that every exchange has.
const KEY: &str = "sim-key";
/// So often fills are compared: there may be a thousand.
const FILLS_EVERY: u64 = 64;
/// So many of the latest fills must be known. REST shows a thousand, and those of a day.
const FILLS: usize = 300;

/// Follows one client's account.
#[derive(Debug, Default)]
pub(crate) struct AccountChecker {
    checks: u64,
}

/// An order, as far as both sides say it: contract, side, limit, size, filled.
type Order = (Symbol, Side, Option<Price>, Lots, Lots);

/// A stop order: contract, side, limit, size; the way, the price, and which price.
type Stop =
    ((Symbol, Side, Option<Price>, Option<Lots>), (&'static str, Option<Price>, &'static str));

impl AccountChecker {
    /// Comparisons so far.
    pub(crate) const fn checks(&self) -> u64 {
        self.checks
    }

    /// All that was said on the connection has arrived, and the client was drained: an account that says to be
    /// live is the exchange's.
    pub(crate) fn check(&mut self, client: &Client, exchange: &Exchange) -> Verdict {
        let (Some(told), Some(truth)) = (client.account(), exchange.account(KEY)) else {
            return Ok(());
        };
        self.checks += 1;
        let state = truth.state();
        let orders = state.orders.values().map(|order| {
            let terms = &order.terms;
            let size = Lots::new(terms.size);
            let order_told = (terms.symbol, terms.side, terms.price, size, Lots::new(order.filled));
            (order.id.to_string(), order_told)
        });
        same("orders", &orders_of(told), &orders.collect())?;
        // How much was canceled before the stream was heard, nobody says.
        let rest = told.orders().filter_map(|order| Some((order.id.to_string(), order.remaining?)));
        let rest: BTreeMap<String, Lots> = rest.collect();
        let truth_rest = state.orders.values();
        let truth_rest = truth_rest.map(|o| (o.id.to_string(), Lots::new(o.remaining())));
        let truth_rest = truth_rest.filter(|(id, _)| rest.contains_key(id)).collect();
        same("rests of orders", &rest, &truth_rest)?;
        let whole = |order: &&crate::account::Order| order.canceled == 0;
        if let Some(order) =
            state.orders.values().filter(whole).find(|o| !rest.contains_key(&o.id.to_string()))
        {
            return Err(format!("what rests of {} is not known", order.id));
        }
        let stops = state.stops.values().map(|stop| {
            let (terms, trigger) = (&stop.terms, &stop.trigger);
            let told = (terms.symbol, terms.side, terms.price, Some(Lots::new(terms.size)));
            let way = (trigger.direction(), Some(trigger.price), trigger.of.as_str());
            (stop.id.to_string(), (told, way))
        });
        same("stop orders", &stops_of(told), &stops.collect())?;
        let positions = state.positions.values().map(|position| (position.symbol, position.qty));
        same("positions", &positions_of(told), &positions.collect())?;
        let balances = state.balances.iter().filter_map(|(currency, balance)| {
            Some((Currency::new(currency).ok()?, balance.wallet.decimal()))
        });
        let balances: BTreeMap<Currency, Decimal> = balances.collect();
        let told_balances = told.balances().filter(|told| balances.contains_key(&told.currency));
        let told_balances =
            told_balances.filter_map(|balance| Some((balance.currency, balance.wallet_balance?)));
        same("balances", &told_balances.collect(), &balances)?;
        if self.checks.is_multiple_of(FILLS_EVERY) {
            let fills = truth.fills().map(|fill| (fill.trade.to_string(), fill.order.to_string()));
            check_fills(told, fills.rev().take(FILLS))?;
        }
        Ok(())
    }
}

fn stops_of(account: &Account) -> BTreeMap<String, Stop> {
    let stops = account.stop_orders().map(|stop| {
        let told = (stop.symbol, side_of(stop.side), stop.price, stop.size);
        let way = stop.stop.map_or("none", StopDirection::as_str);
        let of = stop.stop_price_type.map_or("none", StopPriceType::as_str);
        (stop.id.to_string(), (told, (way, stop.stop_price, of)))
    });
    stops.collect()
}

fn side_of(side: OrderSide) -> Side {
    if side == OrderSide::Buy { Side::Bid } else { Side::Ask }
}

fn orders_of(account: &Account) -> BTreeMap<String, Order> {
    let orders = account.orders().map(|order| {
        let side = side_of(order.side);
        (order.id.to_string(), (order.symbol, side, order.price, order.size, order.filled))
    });
    orders.collect()
}

fn positions_of(account: &Account) -> BTreeMap<Symbol, i64> {
    let both = account.positions().filter(|position| position.side == PositionSide::Both);
    both.map(|position| (position.symbol, position.qty)).collect()
}

/// Each fill is known, and none is there twice.
fn check_fills(account: &Account, latest: impl Iterator<Item = (String, String)>) -> Verdict {
    let mut known = BTreeSet::new();
    for fill in account.fills() {
        if !known.insert((&*fill.trade_id, &*fill.order_id)) {
            return Err(format!("the fill {} of {} is there twice", fill.trade_id, fill.order_id));
        }
    }
    for (trade, order) in latest {
        if !known.contains(&(&*trade, &*order)) {
            return Err(format!("the account is live, and the fill {trade} of {order} is unknown"));
        }
    }
    Ok(())
}

fn same<K: Ord + core::fmt::Debug, V: PartialEq + core::fmt::Debug>(
    what: &str,
    told: &BTreeMap<K, V>,
    truth: &BTreeMap<K, V>,
) -> Verdict {
    if told == truth {
        return Ok(());
    }
    let wrong = told.iter().find(|(key, value)| truth.get(*key) != Some(*value));
    let missing = truth.iter().find(|(key, value)| told.get(*key) != Some(*value));
    Err(format!("{what} of a live account: {wrong:?} is told, {missing:?} is so"))
}
