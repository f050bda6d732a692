//! Who publishes what, among workers that know of each other: by rendezvous hashing.
//!
//! Each worker computes the same: for each symbol the workers with the highest hash of both names. When one goes, its
//! symbols alone move, to those that are next; when one comes, it takes its share and nothing else moves. What is given
//! up is published for [`HANDOVER`] longer, so that a consumer has joined the other one before.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use kucoin_futures_proto::{Instant, Symbol};
use sha2::{Digest as _, Sha256};

use crate::message::PublisherId;

/// What is given up is published for so long yet: another worker needs a connection, a snapshot and a confirmed topic.
/// In the time of twenty it has tried more than once.
pub const HANDOVER: Duration = Duration::from_secs(20);

/// Workers that share symbols.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Group {
    /// Its name.
    pub name: String,
    /// So many workers publish each symbol; at least one.
    pub replicas: usize,
    /// A worker that was not heard of for so long is taken for dead. Default 3 s.
    pub life: Duration,
}

impl Group {
    /// With the default life.
    #[must_use]
    pub const fn new(name: String, replicas: usize) -> Self {
        Self { name, replicas, life: Duration::from_secs(3) }
    }
}

/// The workers that publish a symbol, the first one first.
#[must_use]
pub fn owners(workers: &[PublisherId], symbol: Symbol, replicas: usize) -> Vec<PublisherId> {
    let mut ranked: Vec<_> =
        workers.iter().map(|worker| (rank(*worker, symbol), *worker)).collect();
    ranked.sort_unstable_by(|one, other| other.cmp(one));
    ranked.into_iter().take(replicas.max(1)).map(|(_, worker)| worker).collect()
}

fn rank(worker: PublisherId, symbol: Symbol) -> [u8; 32] {
    let hash = Sha256::new_with_prefix(worker.get().to_le_bytes());
    hash.chain_update(symbol.as_str()).finalize().into()
}

/// The group as one of its workers sees it.
#[derive(Debug)]
pub struct Members {
    group: Group,
    own: PublisherId,
    workers: Vec<PublisherId>,
    heard: Option<Instant>,
    /// From then on all that are there have been heard of.
    settled: Option<Instant>,
    /// What falls to this worker, or did a moment ago: then until when it is kept.
    kept: BTreeMap<Symbol, Option<Instant>>,
    /// What falls to this worker by the hashes, of which symbols: computed once for the same workers and symbols.
    owned: Option<(Vec<Symbol>, BTreeSet<Symbol>)>,
}

/// Whoever has just come waits so long before it takes symbols, to hear of the others.
const SETTLE: Duration = Duration::from_secs(1);
/// Workers are heard of several times within this. After a longer time without a word the engine was away, and with it
/// the others.
const GAP: Duration = Duration::from_secs(1);
/// By then the others have come back, too: they try every two seconds at least.
const RETURN: Duration = Duration::from_secs(4);

impl Members {
    /// Nobody was heard of yet.
    #[must_use]
    pub const fn new(group: Group, own: PublisherId) -> Self {
        Self {
            group,
            own,
            workers: Vec::new(),
            heard: None,
            settled: None,
            kept: BTreeMap::new(),
            owned: None,
        }
    }

    /// These are there now.
    pub fn heard(&mut self, now: Instant, workers: Vec<PublisherId>) {
        match self.heard {
            None => self.settled = Some(now + SETTLE),
            Some(heard) if now.since(heard) > GAP => self.settled = Some(now + RETURN),
            Some(_) => {}
        }
        if self.workers != workers {
            self.workers = workers;
            self.owned = None;
        }
        self.heard = Some(now);
    }

    /// Which of all symbols are to be published by this worker now. While the engine cannot be reached nothing moves, and
    /// not until the others can be back: nobody is known to be there or not.
    pub fn shares(&mut self, now: Instant, symbols: &[Symbol]) -> Vec<Symbol> {
        let is_settled = self.settled.is_some_and(|settled| now >= settled);
        let is_heard = self.heard.is_some_and(|heard| now.since(heard) <= self.group.life);
        if is_settled && is_heard {
            self.share_out(now, symbols);
        }
        self.kept.keys().copied().collect()
    }

    fn share_out(&mut self, now: Instant, symbols: &[Symbol]) {
        let owned = self.owned.take().filter(|(of, _)| of == symbols);
        let owned = owned.unwrap_or_else(|| (symbols.to_vec(), self.owned_of(symbols)));
        for symbol in symbols {
            if owned.1.contains(symbol) {
                self.kept.insert(*symbol, None);
            } else if let Some(until) = self.kept.get_mut(symbol) {
                until.get_or_insert(now + HANDOVER);
            }
        }
        self.kept.retain(|symbol, until| {
            symbols.contains(symbol) && until.is_none_or(|until| now < until)
        });
        self.owned = Some(owned);
    }

    fn owned_of(&self, symbols: &[Symbol]) -> BTreeSet<Symbol> {
        let is_own = |symbol: &&Symbol| {
            owners(&self.workers, **symbol, self.group.replicas).contains(&self.own)
        };
        symbols.iter().filter(is_own).copied().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn workers(count: u64) -> Vec<PublisherId> {
        (0..count).map(|id| PublisherId::new(id * 7919)).collect()
    }

    fn symbols() -> Vec<Symbol> {
        (0..400).map(|at| format!("C{at}USDTM").parse().unwrap()).collect()
    }

    #[test]
    fn shares_are_even_and_only_those_of_who_goes_move() {
        let (five, symbols) = (workers(5), symbols());
        let four: Vec<_> = five.iter().copied().filter(|worker| *worker != five[2]).collect();
        let mut counts = BTreeMap::new();
        for symbol in &symbols {
            let before = owners(&five, *symbol, 2);
            let after = owners(&four, *symbol, 2);
            assert!(before.len() == 2 && before[0] != before[1]);
            before.iter().for_each(|worker| *counts.entry(*worker).or_insert(0) += 1);
            let stay: Vec<_> = before.iter().filter(|worker| **worker != five[2]).collect();
            assert!(stay.iter().all(|worker| after.contains(worker)), "{symbol}");
        }
        assert!(counts.values().all(|count| (120..=200).contains(count)), "{counts:?}");
        assert_eq!(owners(&five[..1], symbols[0], 2), &five[..1], "fewer workers than replicas");
    }

    #[test]
    fn what_is_given_up_is_kept_for_a_while_and_nothing_moves_unheard() {
        let (both, symbols) = (workers(2), symbols());
        let at = |ms| Instant::ZERO + Duration::from_millis(ms);
        let mut one = Members::new(Group::new("g".into(), 1), both[0]);
        assert!(one.shares(at(0), &symbols).is_empty());
        one.heard(at(0), both[..1].to_vec());
        assert!(one.shares(at(500), &symbols).is_empty(), "it listens first");
        one.heard(at(1000), both[..1].to_vec());
        assert_eq!(one.shares(at(1000), &symbols).len(), 400);
        one.heard(at(2000), both.clone());
        assert_eq!(one.shares(at(2000), &symbols).len(), 400, "until the other one has them");
        for ms in (2500..=22_500).step_by(500) {
            one.heard(at(ms), both.clone());
            one.shares(at(ms), &symbols);
        }
        let left = one.shares(at(22_500), &symbols);
        assert!((150..250).contains(&left.len()), "{}", left.len());
        // The engine is away: whether the other one is there cannot be known.
        assert_eq!(one.shares(at(60_000), &symbols), left);
        // It is back, and the other one is not yet.
        for ms in (61_000..65_000).step_by(250) {
            one.heard(at(ms), both[..1].to_vec());
            assert_eq!(one.shares(at(ms), &symbols), left, "{ms}");
        }
        one.heard(at(65_000), both[..1].to_vec());
        assert_eq!(one.shares(at(65_000), &symbols).len(), 400, "it does not come");
    }
}
