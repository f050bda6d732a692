//! What budgets have left is what was asked for, sent and connected lately.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs,
    reason = "tests"
)]

mod common;

use std::time::Duration;

use common::{MS, Rig, SECOND, snapshot_request};
use kucoin_futures_proto::{BudgetKind, BudgetUse, Config, ResponseHead, TransportError};

fn of(rig: &Rig, kind: BudgetKind) -> BudgetUse {
    rig.client.budgets(rig.now).find(|budget| budget.kind == kind).unwrap()
}

/// Used of: public weight, signed weight, tokens, connects.
fn used(rig: &Rig) -> [u32; 4] {
    use BudgetKind::{Connects, PublicWeight, SignedWeight, Tokens};
    [PublicWeight, SignedWeight, Tokens, Connects].map(|kind| of(rig, kind).used)
}

fn messages(rig: &Rig) -> Option<BudgetUse> {
    rig.client.budgets(rig.now).find(|budget| matches!(budget.kind, BudgetKind::Messages(_)))
}

#[test]
fn each_budget_tells_what_was_used_and_forgets_it_in_its_time() {
    let (rig, _) = Rig::waiting_for_token(Config::default());
    assert_eq!(used(&rig), [10, 0, 1, 0], "a token weighs 10");
    assert_eq!(messages(&rig), None, "no line is up");
    let (mut rig, _) = Rig::live(Config::default());
    assert_eq!(used(&rig), [13, 0, 1, 1], "and a snapshot 3");
    let sent = messages(&rig).unwrap();
    assert_eq!((sent.used, sent.limit, sent.left()), (1, 100, 99), "a subscription");
    rig.pass(12 * SECOND);
    assert_eq!(messages(&rig).unwrap().used, 0);
    // Nobody calls: a look sees it all the same.
    rig.now = rig.now + 20 * SECOND;
    assert_eq!(used(&rig), [0, 0, 1, 1]);
    rig.now = rig.now + 40 * SECOND;
    assert_eq!(used(&rig), [0; 4]);
    rig.lose(TransportError::Eof);
    assert_eq!(messages(&rig), None);
}

#[test]
fn a_pause_that_the_exchange_asked_for_leaves_nothing_of_its_pool() {
    let (mut rig, link) = Rig::live(Config::default());
    rig.pass(SECOND);
    rig.client.verify(rig.now, link).unwrap();
    let request = snapshot_request(&rig.pass(MS));
    let mut head = ResponseHead::new(429);
    head.header("retry-after", "7");
    rig.reply_with(request, head, r#"{"code":"429000","msg":"too many"}"#);
    let pool = of(&rig, BudgetKind::PublicWeight);
    let jitter = Duration::from_millis(250);
    assert!((7 * SECOND..=7 * SECOND + jitter).contains(&pool.held_for), "{pool:?}");
    assert_eq!((pool.used, pool.left()), (16, 0));
    assert_eq!(of(&rig, BudgetKind::SignedWeight).left(), 1500);
    rig.now = rig.now + 8 * SECOND;
    assert_eq!(of(&rig, BudgetKind::PublicWeight).left(), 1500 - 16);
}
