//! The table of hostile peers, on threads and on smol.

use kucoin_futures_suite::{hostile_trials, run, visit_if_asked};
use peak_alloc::PeakAlloc;

#[global_allocator]
static HEAP: PeakAlloc = PeakAlloc;

fn main() {
    visit_if_asked();
    run(hostile_trials());
}
