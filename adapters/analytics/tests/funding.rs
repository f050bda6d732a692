//! What is said of funding as messages come and time passes.

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

use std::time::Duration;

use kucoin_futures_analytics::funding::{
    Funding, FundingConfig, FundingDivergence, FundingInput, RateState, Waiting,
};
use kucoin_futures_analytics::{Indicator, ParameterError, Reading};
use kucoin_futures_proto::UnixNanos;
use kucoin_futures_proto::wire::{FundingRate, FundingSettlement, MarkPrice};

const HOUR: u64 = 3_600;
/// A settlement of a grid that does not go through midnight: 03:00.
const DUE: u64 = 20_718 * 24 * HOUR + 3 * HOUR;

fn at(seconds: u64) -> UnixNanos {
    UnixNanos::from_nanos(seconds * 1_000_000_000)
}

struct Desk(FundingDivergence);

impl Desk {
    fn new() -> Self {
        let interval = Duration::from_secs(8 * HOUR);
        Self(FundingDivergence::new(interval, FundingConfig::default()).unwrap())
    }

    fn mark(&mut self, second: u64, mark: &str, index: &str) -> Reading<Funding> {
        let text = format!(
            r#"{{"markPrice":{mark},"indexPrice":{index},"granularity":1000,"timestamp":{second}000}}"#
        );
        self.0.push(at(second), FundingInput::Mark(MarkPrice::parse(text.as_bytes()).unwrap()))
    }

    fn rate(&mut self, second: u64, rate: &str, interval_ms: u64) {
        let text = format!(
            r#"{{"granularity":{interval_ms},"fundingRate":{rate},"timestamp":{second}000}}"#
        );
        self.0.push(at(second), FundingInput::Rate(FundingRate::parse(text.as_bytes()).unwrap()));
    }

    fn settled(&mut self, second: u64, due: u64, rate: &str) {
        let text = format!(
            r#"{{"symbol":"XBTUSDTM","fundingTime":{due}000,"fundingRate":{rate},"timestamp":{second}000}}"#
        );
        let settled = FundingSettlement::parse(text.as_bytes()).unwrap();
        self.0.push(at(second), FundingInput::Settled(settled));
    }

    /// With a mark of that second.
    fn state(&mut self, second: u64) -> RateState {
        self.mark(second, "63000", "63000").valid().unwrap().rate
    }
}

#[test]
fn around_a_settlement_estimate_and_rate_are_not_comparable() {
    let mut desk = Desk::new();
    desk.settled(DUE - 8 * HOUR + 4, DUE - 8 * HOUR, "0.0001");
    desk.rate(DUE - 200, "0.00015", 60_000);
    let RateState::Comparable(said) = desk.state(DUE - 100) else { panic!() };
    let shown = [said.estimate, said.settled, said.difference].map(|rate| rate.to_string());
    assert_eq!(shown, ["0.00015", "0.0001", "0.00005"]);
    let shown = [said.estimate_per_year, said.settled_per_year].map(|rate| rate.to_string());
    assert_eq!(shown, ["0.16425", "0.1095"], "1095 intervals of 8 h");

    let settling = RateState::Settling { settlement: at(DUE) };
    desk.rate(DUE - 61, "0.00016", 60_000);
    assert!(matches!(desk.state(DUE - 61), RateState::Comparable(_)));
    assert_eq!(desk.state(DUE - 60), settling);
    // The old estimate, once more.
    desk.rate(DUE + 2, "0.00016", 60_000);
    assert_eq!(desk.state(DUE + 3), settling);
    desk.settled(DUE + 5, DUE, "0.00014");
    // The settled rate, said as if it were an estimate.
    desk.rate(DUE + 61, "0.00014", 60_000);
    assert_eq!(desk.state(DUE + 89), settling);
    assert_eq!(desk.state(DUE + 90), RateState::Waiting(Waiting::Estimate));
    desk.rate(DUE + 121, "0.0002", 60_000);
    let RateState::Comparable(said) = desk.state(DUE + 122) else { panic!() };
    assert_eq!(
        (said.settled.to_string().as_str(), said.difference.to_string().as_str()),
        ("0.00014", "0.00006")
    );
}

#[test]
fn a_settlement_that_nobody_has_told_of_is_waited_for() {
    let mut desk = Desk::new();
    desk.settled(DUE - 8 * HOUR + 4, DUE - 8 * HOUR, "0.0001");
    desk.rate(DUE + 120, "0.0002", 60_000);
    assert_eq!(desk.state(DUE + 121), RateState::Waiting(Waiting::SettledRate));
    let said = *desk.0.reading().valid().unwrap();
    assert_eq!(said.next_settlement, Some(at(DUE + 8 * HOUR)));
    assert_eq!(said.to_settlement, Some(Duration::from_secs(8 * HOUR - 121)));
    // A rate of the contract's own interval does as well.
    desk.rate(DUE + 125, "0.0003", 8 * HOUR * 1000);
    let RateState::Comparable(said) = desk.state(DUE + 126) else { panic!() };
    assert_eq!(said.difference.to_string(), "-0.0001");
}

#[test]
fn history_tells_what_was_charged_and_when_it_will_be_next() {
    let mut desk = Desk::new();
    desk.rate(DUE + 600, "0.0002", 60_000);
    assert_eq!(desk.state(DUE + 601), RateState::Waiting(Waiting::SettledRate));
    desk.0.on_schedule(at(DUE + 8 * HOUR));
    assert_eq!(desk.state(DUE + 602), RateState::Waiting(Waiting::SettledRate));
    desk.0.on_charged(at(DUE), "0.0001".parse().unwrap());
    assert!(matches!(desk.state(DUE + 603), RateState::Comparable(_)));
}

#[test]
fn an_estimate_that_is_old_or_of_before_a_gap_is_not_compared() {
    let mut desk = Desk::new();
    desk.settled(DUE, DUE, "0.0001");
    desk.rate(DUE + 600, "0.0002", 60_000);
    assert!(matches!(desk.state(DUE + 780), RateState::Comparable(_)));
    assert_eq!(desk.state(DUE + 781), RateState::Waiting(Waiting::Estimate));
    desk.rate(DUE + 790, "0.0002", 60_000);
    assert!(matches!(desk.state(DUE + 791), RateState::Comparable(_)));
    desk.0.on_gap(at(DUE + 792));
    let said = desk.0.reading();
    assert!(said.is_stale(), "no mark since");
    assert_eq!(said.value().unwrap().rate, RateState::Waiting(Waiting::Estimate));
    assert_eq!(desk.state(DUE + 793), RateState::Waiting(Waiting::Estimate));
    desk.rate(DUE + 850, "0.0002", 60_000);
    assert!(
        matches!(desk.state(DUE + 851), RateState::Comparable(_)),
        "the settled rate is known still"
    );
}

#[test]
fn a_mark_is_stale_when_none_comes() {
    let mut desk = Desk::new();
    assert_eq!(desk.0.reading(), Reading::Warming { needed: 1 });
    let said = desk.mark(100, "63006.3", "63000.0");
    assert_eq!(said.valid().unwrap().premium.to_string(), "0.0001");
    assert!(!desk.0.on_time(at(105)).is_stale());
    let Reading::Stale { gap, .. } = desk.0.on_time(at(106)) else { panic!() };
    assert_eq!(gap, at(100));
    // One that is older than what is known is none.
    let said = desk.mark(99, "1", "2");
    assert_eq!(
        (said.is_stale(), said.value().unwrap().premium.to_string().as_str()),
        (true, "0.0001")
    );
    let said = desk.mark(107, "62993.7", "63000");
    assert_eq!(said.valid().unwrap().premium.to_string(), "-0.0001");
    let said = desk.mark(108, "2", "3");
    assert_eq!(said.valid().unwrap().premium.to_string(), "-0.333333333333333333");
    assert_eq!(desk.mark(109, "2", "0"), Reading::Warming { needed: 1 });
}

#[test]
fn an_interval_that_a_year_is_no_multiple_of_is_refused() {
    let new = |interval| FundingDivergence::new(interval, FundingConfig::default()).map(|_| ());
    assert_eq!(new(Duration::ZERO), Err(ParameterError::Zero));
    assert_eq!(new(Duration::from_secs(7 * HOUR)), Err(ParameterError::Order));
    for hours in [1, 4, 8] {
        assert_eq!(new(Duration::from_secs(hours * HOUR)), Ok(()));
    }
}

#[test]
fn a_time_from_far_ahead_does_not_keep_an_old_number_valid() {
    let mut desk = Desk::new();
    desk.settled(DUE, DUE, "0.0001");
    desk.mark(DUE + 600, "63000", "63000");
    desk.mark(DUE + 90_000, "63063", "63000");
    let said = desk.mark(DUE + 601, "63006.3", "63000");
    let said = said.valid().unwrap();
    assert_eq!(said.premium.to_string(), "0.0001");
    assert_eq!((said.rate, said.next_settlement), (RateState::Waiting(Waiting::SettledRate), None));
    assert!(desk.0.on_time(at(DUE + 607)).is_stale());
}
