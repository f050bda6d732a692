//! Whole runs: chance in a fuzzer's hands.

use std::time::Duration;

use crate::scenario::Scenario;
use crate::soak;

/// Bytes as a scenario, which is run: whatever goes wrong in whatever world, no promise is broken,
/// and all is well once the faults are over. Its text form says all of it.
///
/// A client that panics ends a fuzzer before the scenario can be printed; `tests/corpus.rs` prints
/// it for the same bytes.
///
/// # Panics
/// A promise is broken; the scenario is in the message, as text.
pub fn scenario(bytes: &[u8]) {
    let scenario = small(Scenario::from_bytes(bytes));
    let text = scenario.to_string();
    assert_eq!(text.parse().as_ref(), Ok(&scenario), "its text form is another one:\n{text}");
    if let Some(problem) = soak::run(&scenario, None).failure {
        panic!("{problem}, in this scenario:\n{text}");
    }
}

/// One run is to take milliseconds.
const SPAN: Duration = Duration::from_secs(20);
const MOST_CLIENTS: u64 = 2;
const MOST_SYMBOLS: u64 = 3;
const MOST_CHANGES_PER_KS: u64 = 10_000;
const MOST_FAULTS: usize = 60;

/// The same in small; no fault is put off beyond its end.
fn small(mut scenario: Scenario) -> Scenario {
    scenario.span_ms = scenario.span_ms.min(SPAN.as_millis() as u64);
    scenario.clients = scenario.clients.min(MOST_CLIENTS);
    scenario.symbols = scenario.symbols.min(MOST_SYMBOLS);
    scenario.rate_per_ks = scenario.rate_per_ks.min(MOST_CHANGES_PER_KS);
    scenario.plan.entries.truncate(MOST_FAULTS);
    for entry in &mut scenario.plan.entries {
        entry.at = Duration::from_nanos((entry.at.as_nanos() % SPAN.as_nanos()) as u64);
    }
    scenario
}
