//! The rulings. What each piece of evidence does to a book is tested through the client, from outside:
//! `core/tests/restarts.rs`.

use super::*;

#[test]
fn three_doubts_are_spent_and_an_applied_delta_gives_them_back() {
    let mut lineage = Lineage::new();
    let doubted = |lineage: &mut Lineage| {
        [(); 5].map(|()| lineage.rule(Stage::Snapshot, Evidence::RepeatInDoubt) == Ruling::Retry)
    };
    assert_eq!(doubted(&mut lineage), [true, true, true, false, false]);
    lineage.on_applied();
    assert_eq!(doubted(&mut lineage), [true, true, true, false, false]);
}

#[test]
fn a_fact_needs_no_doubt() {
    let mut lineage = Lineage::new();
    (0..9).for_each(|_| lineage.give_up_waiting());
    for fact in [Evidence::LongStepBack, Evidence::SnapshotDiffers, Evidence::StreamStaysBehind] {
        assert_eq!(lineage.rule(Stage::Loaded, fact), Ruling::NewRun);
    }
    assert_eq!(lineage.rule(Stage::Snapshot, Evidence::BelowHighWater), Ruling::Retry);
    let ahead = lineage.rule(Stage::Snapshot, Evidence::AheadAfterReset);
    assert_eq!(ahead, Ruling::Retry, "never accepted, and not waited for without end");
}

#[test]
fn slack_between_two_times_is_allowed_in_full() {
    const SLACK: Duration = Duration::from_secs(1);
    let at = |ms: u64| UnixNanos::from_millis(1_791_500_000_000 + ms);
    assert!(!is_later(at(1000), at(0), SLACK) && is_later(at(1001), at(0), SLACK));
    assert!(!is_later(at(0), at(9999), SLACK), "earlier is not later");
    assert!(!is_later(None, at(0), SLACK) && !is_later(at(9999), None, SLACK));
}
