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

mod faults;
mod opening;
mod peer;
mod rig;
mod runtimes;
mod slow;
mod streams;
mod tls;

use std::time::Duration;

use kucoin_futures_host::{Clock, FeedError, Item, Next, Options, Taken};
use kucoin_futures_proto::{
    Book, BookStatus, Channel, Misuse, Query, RequestId, Stats, TopicId, TopicStatus,
};
use libtest_mimic::{Arguments, Trial};

pub use rig::Wire;

/// A feed of any runtime, driven from the thread of a test.
#[allow(missing_docs, reason = "as the feeds of the adapters have it")]
pub trait Feed: Sized + 'static {
    type Pump: Pump<Self> + Sync;

    fn with_options(options: Options) -> Result<Self, FeedError>;
    fn subscribe(&mut self, channel: Channel) -> Result<TopicId, Misuse>;
    fn fetch(&mut self, query: Query) -> Result<RequestId, Misuse>;
    fn close(&mut self);
    fn next_within(&mut self, limit: Duration) -> Next<'_>;
    fn book(&self, topic: TopicId) -> Option<&Book>;
    fn status(&self, topic: TopicId) -> TopicStatus;
    fn book_status(&self, topic: TopicId) -> Option<BookStatus>;
    fn stats(&self) -> &Stats;
    fn wakes(&self) -> u64;
    fn clock(&self) -> Clock;
    /// What another thread can end a wait with.
    fn waker(&self) -> Box<dyn Fn() + Send>;
    fn spawn(self, cap: usize) -> Self::Pump;
    /// The feed as an iterator or a stream; what `look` makes of the book of `topic` comes with each
    /// item.
    fn items<T>(
        self,
        topic: TopicId,
        look: impl Fn(Option<&Book>) -> T,
        each: impl FnMut(Item, T) -> bool,
    );
}

/// The reader's end of a feed that was spawned.
#[allow(missing_docs, reason = "as the pumps of the adapters have it")]
pub trait Pump<F> {
    fn take_within(&self, limit: Duration) -> Taken;
    fn with<T: Send + 'static>(
        &self,
        look: impl FnOnce(&mut F) -> T + Send + 'static,
    ) -> Result<T, Misuse>;
    fn close(&self);
}

/// A case: it runs on both wires unless it says otherwise.
struct Case {
    name: &'static str,
    run: fn(Wire),
    wires: &'static [Wire],
}

const BOTH: &[Wire] = &[Wire::Plain, Wire::Tls];
const PLAIN: &[Wire] = &[Wire::Plain];
const TLS: &[Wire] = &[Wire::Tls];

/// The table of a module's cases.
macro_rules! cases {
    ($wires:ident: $($name:ident),+ $(,)?) => {
        vec![$(crate::Case { name: stringify!($name), run: $name::<F>, wires: crate::$wires }),+]
    };
}
use cases;

/// Cases mostly wait: more of them than cores may do so at a time.
const THREADS: usize = 12;

/// All cases on one adapter, named `RUNTIME::WIRE::CASE`.
#[must_use]
pub fn trials<F: Feed>(runtime: &str) -> Vec<Trial> {
    let cases = [
        streams::cases::<F>(),
        opening::cases::<F>(),
        faults::cases::<F>(),
        slow::cases::<F>(),
        tls::cases::<F>(),
    ];
    let on_wires = |case: Case| case.wires.iter().map(move |&wire| (case.name, case.run, wire));
    let trial = |(name, run, wire): (&str, fn(Wire), Wire)| {
        Trial::test(format!("{runtime}::{wire}::{name}"), move || {
            run(wire);
            Ok(())
        })
    };
    cases.into_iter().flatten().flat_map(on_wires).map(trial).collect()
}

/// Runs them with the process's arguments, those of any Rust test program. Does not return.
pub fn run(trials: Vec<Trial>) {
    let mut arguments = Arguments::from_args();
    arguments.test_threads.get_or_insert(THREADS);
    libtest_mimic::run(&arguments, trials).exit();
}
