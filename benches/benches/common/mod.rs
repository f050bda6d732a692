//! How every benchmark here measures.

use std::time::Duration;

use criterion::measurement::WallTime;
use criterion::{BenchmarkGroup, Criterion, SamplingMode, Throughput};
use kucoin_futures_bench::run;

/// A run of all is to take minutes, and ratios are what is wanted: fifteen samples in a second.
pub(crate) fn settings() -> Criterion {
    run::begin();
    let second = Duration::from_secs(1);
    let settings = Criterion::default().sample_size(15).measurement_time(second);
    settings.warm_up_time(second / 4).configure_from_args()
}

/// A group whose figures are per element.
pub(crate) fn group<'a>(
    criterion: &'a mut Criterion,
    name: &str,
    elements: usize,
) -> BenchmarkGroup<'a, WallTime> {
    let mut group = criterion.benchmark_group(name);
    group.sampling_mode(SamplingMode::Flat);
    group.throughput(Throughput::Elements(elements as u64));
    group
}
