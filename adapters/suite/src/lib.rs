//! One body of tests for every adapter: a feed against the simulated exchange, over real sockets,
//! plain and TLS.
//!
//! [`Feed`] and [`Pump`] are what all adapters have in common, `runtimes` implements them, and
//! [`trials`] gives the tests of an adapter. Each case is a function that is generic over the feed;
//! one that is missing in the table of its module does not compile without a warning.

#![forbid(unsafe_code)]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "tests"
)]

mod black_hole;
mod case;
mod connecting;
mod faults;
mod feed;
mod hostile;
mod lines;
mod opening;
mod peer;
mod refusals;
mod rig;
mod runtimes;
mod slow;
mod streams;
mod tls;
mod traces;
mod upgrade;
mod whole_market;

use libtest_mimic::{Arguments, Trial};

use case::Case;
pub use feed::{Feed, Pump};
pub use hostile::{Crowd, hostile_crowd, hostile_trials, visit_if_asked};
pub use rig::Wire;

/// Cases mostly wait: more of them than cores may do so at a time.
const THREADS: usize = 12;

/// All cases on one adapter, named `RUNTIME::WIRE::CASE`.
#[must_use]
pub fn trials<F: Feed>(runtime: &str) -> Vec<Trial> {
    let cases = [
        streams::cases::<F>(),
        opening::cases::<F>(),
        connecting::cases::<F>(),
        upgrade::cases::<F>(),
        faults::cases::<F>(),
        refusals::cases::<F>(),
        lines::cases::<F>(),
        slow::cases::<F>(),
        tls::cases::<F>(),
        traces::cases::<F>(),
        whole_market::cases::<F>(),
    ];
    on_wires(runtime, cases.into_iter().flatten())
}

/// The cases of REST alone.
#[must_use]
pub fn rest_trials() -> Vec<Trial> {
    on_wires("rest", connecting::rest_cases())
}

fn on_wires(runtime: &str, cases: impl IntoIterator<Item = Case>) -> Vec<Trial> {
    let on_each = |case: Case| case.wires.iter().map(move |&wire| (case.name, case.run, wire));
    let trial = |(name, run, wire): (&str, fn(Wire), Wire)| {
        Trial::test(format!("{runtime}::{wire}::{name}"), move || {
            run(wire);
            Ok(())
        })
    };
    cases.into_iter().flat_map(on_each).map(trial).collect()
}

/// Runs them with the process's arguments, those of any Rust test program. Does not return.
pub fn run(trials: Vec<Trial>) {
    let mut arguments = Arguments::from_args();
    arguments.test_threads.get_or_insert(THREADS);
    libtest_mimic::run(&arguments, trials).exit();
}
