use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use kucoin_futures_proto::{Channel, TopicId};
use kucoin_futures_sim::{ExchangeConfig, World};

use super::*;

/// Up to 40 s things go wrong and heal; then the line is down for a minute.
const FAULTS: &str = "every 7s drop * 1; at 20s close 1006; at 28s repeat * 1; \
                      at 40s refuse 1m; at 40s close 1001";

fn world() -> (World, [TopicId; 2]) {
    world_with(1, FAULTS)
}

fn world_with(lines: u8, faults: &str) -> (World, [TopicId; 2]) {
    let mut exchange = ExchangeConfig::default();
    exchange.faults = faults.parse().unwrap();
    let mut config = World::client_config();
    config.lines.per_topic = lines;
    let mut world = World::new(7, config, exchange, Duration::from_millis(30));
    let topics = ["XBTUSDTM", "ETHUSDTM"]
        .map(|symbol| world.subscribe(Channel::level2(symbol.parse().unwrap())).unwrap().unwrap());
    (world, topics)
}

fn text((world, topics): &(World, [TopicId; 2])) -> String {
    let now = world.now();
    encode(world.client(), now, &Latencies::new(now), *topics)
}

/// Every series with its value.
fn series(text: &str) -> BTreeMap<&str, i64> {
    // Histograms and seconds are looked at by themselves.
    let lines = text.lines().filter(|line| !line.starts_with('#') && !line.contains("_seconds"));
    let all: Vec<_> = lines
        .map(|line| line.rsplit_once(' ').unwrap())
        .map(|(name, value)| (name, value.parse().unwrap()))
        .collect();
    let distinct: BTreeMap<_, _> = all.iter().copied().collect();
    assert_eq!(distinct.len(), all.len(), "each once: {text}");
    distinct
}

/// The fields of the counters, by their own names.
fn fields(stats: &Stats) -> BTreeMap<String, i64> {
    let text = format!("{stats:?}");
    let fields = text.trim_start_matches("Stats { ").trim_end_matches(" }").split(", ");
    let pairs = fields.map(|field| field.split_once(": ").unwrap());
    pairs.map(|(name, value)| (name.to_owned(), value.parse().unwrap())).collect()
}

#[test]
fn every_counter_of_a_client_is_one_series() {
    let mut rig = world();
    rig.0.run_for(Duration::from_secs(39)).unwrap();
    let stats = *rig.0.client().stats();
    assert!(stats.gaps > 2 && stats.reconnects > 0 && stats.repeats > 0, "{stats:?}");
    let text = text(&rig);
    let series = series(&text);
    let mut fields = fields(&stats);
    let messages = fields.remove("messages").unwrap();
    let by_disposition = DISPOSITIONS.iter().map(|(name, _)| {
        let series = series[format!("{PREFIX}_messages_total{{disposition=\"{name}\"}}").as_str()];
        assert_eq!(fields.remove(*name), Some(series), "{name}");
        series
    });
    assert_eq!(by_disposition.sum::<i64>(), messages, "every message has become something");
    for (name, value) in fields {
        assert_eq!(series.get(format!("{PREFIX}_{name}_total").as_str()), Some(&value), "{name}");
    }
}

#[test]
fn lines_and_books_are_told_as_they_are() {
    let mut rig = world();
    let line = |name: &str| format!("{PREFIX}_line_{name}{{line=\"0\",role=\"public\"}}");
    let book = |symbol: &str| format!("{PREFIX}_book_live{{symbol=\"{symbol}\"}}");
    let mut seen = |span| {
        rig.0.run_for(Duration::from_secs(span)).unwrap();
        let text = text(&rig);
        let series = series(&text);
        [line("up"), line("topics"), line("replaces"), book("XBTUSDTM"), book("ETHUSDTM")]
            .map(|name| series[name.as_str()])
    };
    assert_eq!(seen(6), [1, 2, 0, 1, 1]);
    assert_eq!(seen(39), [0, 0, 0, 0, 0], "refused since 40 s");
}

#[test]
fn each_metric_is_introduced_once_and_numbers_are_counters_or_gauges() {
    let mut rig = world();
    rig.0.run_for(Duration::from_secs(3)).unwrap();
    let text = text(&rig);
    let words = |start: &str| -> Vec<(&str, &str)> {
        let lines = text.lines().filter_map(|line| line.strip_prefix(start));
        lines.map(|line| line.split_once(' ').unwrap()).collect()
    };
    let types: BTreeMap<_, _> = words("# TYPE ").into_iter().collect();
    assert_eq!(types.len(), words("# TYPE ").len());
    assert_eq!(types.len(), words("# HELP ").len());
    let mut types = types;
    for name in ["line_lag", "exchange_to_received", "received_to_applied"] {
        let name = format!("{PREFIX}_{name}_seconds");
        assert_eq!(types.remove(name.as_str()), Some("histogram"), "{name}");
    }
    let in_seconds = ["budget_held", "book_delta_age", "book_snapshot_age", "book_proof_age"];
    for name in in_seconds {
        let name = format!("{PREFIX}_{name}_seconds");
        assert_eq!(types.remove(name.as_str()), Some("gauge"), "{name}");
    }
    let names: BTreeSet<&str> =
        series(&text).into_keys().map(|name| name.split('{').next().unwrap()).collect();
    assert_eq!(names, types.keys().copied().collect());
    for (name, kind) in types {
        assert_eq!(kind, if name.ends_with("_total") { "counter" } else { "gauge" }, "{name}");
    }
    let now = Instant::ZERO;
    let empty = Client::new(now, 1, kucoin_futures_proto::Config::default());
    let text = encode(&empty, now, &Latencies::new(now), []);
    assert_eq!(text.matches("line_").count(), 0, "no line, no word");
}

/// The value of a series in seconds.
fn seconds(text: &str, name: &str) -> Option<f64> {
    let value = text.lines().find_map(|line| line.strip_prefix(&format!("{PREFIX}_{name} ")))?;
    Some(value.parse().unwrap())
}

#[test]
fn the_age_of_a_live_book_is_told_in_seconds_and_that_of_no_other() {
    let mut rig = world();
    rig.0.run_for(Duration::from_secs(39)).unwrap();
    let told = text(&rig);
    for (topic, symbol) in rig.1.into_iter().zip(["XBTUSDTM", "ETHUSDTM"]) {
        let age = rig.0.client().book_age(rig.0.now(), topic).unwrap();
        let of =
            |name: &str| seconds(&told, &format!("book_{name}_age_seconds{{symbol=\"{symbol}\"}}"));
        assert_eq!(of("delta"), age.since_delta.map(|age| age.as_secs_f64()));
        assert_eq!(of("snapshot"), Some(age.since_snapshot.as_secs_f64()));
        assert_eq!(of("proof"), Some(age.since_proof.as_secs_f64()));
        assert!(of("proof") <= of("delta") && of("snapshot") > Some(1.0), "{age:?}");
    }
    rig.0.run_for(Duration::from_secs(10)).unwrap();
    assert!(!text(&rig).contains("_age_seconds"), "no book is live");
}

#[test]
fn what_is_used_and_left_of_budgets_is_told_and_of_messages_by_line() {
    let mut rig = world();
    rig.0.run_for(Duration::from_secs(6)).unwrap();
    let told = text(&rig);
    let series = series(&told);
    let mut lines = 0;
    for budget in rig.0.client().budgets(rig.0.now()) {
        let labels = match budget.kind {
            BudgetKind::Messages(line) => format!("line=\"{}\",role=\"public\"", line.get()),
            other => format!("budget=\"{}\"", other.name()),
        };
        let is_of_line = matches!(budget.kind, BudgetKind::Messages(_));
        lines += u32::from(is_of_line);
        let name = if is_of_line { "line_messages" } else { "budget" };
        let of = |what: &str| series[format!("{PREFIX}_{name}_{what}{{{labels}}}").as_str()];
        assert_eq!((of("used"), of("left")), (budget.used.into(), budget.left().into()));
        if !is_of_line {
            assert_eq!(seconds(&told, &format!("budget_held_seconds{{{labels}}}")), Some(0.0));
        }
    }
    assert_eq!(lines, 1);
    assert!(series[format!("{PREFIX}_budget_used{{budget=\"public_weight\"}}").as_str()] >= 16);
}

#[test]
fn how_long_deltas_were_on_their_way_is_told_with_ranges_and_sum() {
    use kucoin_futures_proto::UnixNanos;
    let (now, client) =
        (Instant::ZERO, Client::new(Instant::ZERO, 1, kucoin_futures_proto::Config::default()));
    let mut latencies = Latencies::new(now);
    latencies.on_read(now);
    let unix = crate::unix_now().as_nanos();
    for late_ms in [4_000, 40_000] {
        latencies.on_delta(Some(UnixNanos::from_nanos(unix - late_ms * 1_000_000)));
    }
    latencies.on_frame();
    latencies.on_read_over(now + Duration::from_micros(150));
    let text = encode(&client, now, &latencies, []);
    let of = |name: &str| seconds(&text, name).unwrap_or_else(|| panic!("{name} in {text}"));
    for (end, count) in [("2", 0.0), ("5", 1.0), ("30", 1.0), ("60", 2.0), ("+Inf", 2.0)] {
        let name = format!("exchange_to_received_seconds_bucket{{le=\"{end}\"}}");
        assert_eq!(of(&name), count, "{text}");
    }
    assert_eq!(of("exchange_to_received_seconds_count"), 2.0);
    assert!((43.0..44.5).contains(&of("exchange_to_received_seconds_sum")), "{text}");
    assert_eq!(of("received_to_applied_seconds_bucket{le=\"0.0001\"}"), 0.0, "{text}");
    assert_eq!(of("received_to_applied_seconds_bucket{le=\"0.0002\"}"), 1.0);
    assert_eq!(of("received_to_applied_seconds_sum"), 0.000_15);
    assert!(text.contains(&format!("{PREFIX}_deltas_from_future_total 0\n")));
}

#[test]
fn what_each_of_two_lines_has_brought_is_told_with_how_late_it_was() {
    let mut rig = world_with(2, "");
    rig.0.run_for(Duration::from_secs(20)).unwrap();
    let text = text(&rig);
    let series = series(&text);
    let lines: Vec<LineStatus> = rig.0.client().lines().collect();
    assert_eq!(lines.len(), 2);
    for line in lines {
        let (id, role, share) = (line.id.get(), line.role.name(), line.share);
        let of = |name: &str| format!("{PREFIX}_line_{name}{{line=\"{id}\",role=\"{role}\"");
        let counts = ["first", "later", "missed"]
            .map(|name| series[format!("{}}}", of(&format!("{name}_total"))).as_str()]);
        assert_eq!(counts, [share.first, share.later, share.missed].map(|n| n as i64));
        assert!(share.first + share.later > 200, "{share:?}");
        // Each range holds the ones before it.
        let start = format!("{},le=\"", of("lag_seconds_bucket"));
        let ranges: Vec<(&str, u64)> = text
            .lines()
            .filter_map(|line| line.strip_prefix(start.as_str())?.split_once("\"} "))
            .map(|(end, count)| (end, count.parse().unwrap()))
            .collect();
        let mut sum = 0;
        for (range, count) in share.lag.counts().iter().enumerate() {
            sum += u64::from(*count);
            assert_eq!(ranges[range].1, sum, "{ranges:?}");
        }
        assert_eq!((ranges[0].0, ranges[15].0, ranges.len()), ("6.4e-05", "+Inf", 16));
        assert!(sum > 0 && sum <= share.later, "{share:?}");
        let count = format!("{}}} {sum}\n", of("lag_seconds_count"));
        assert!(text.contains(&count), "{text}");
        assert!(text.contains(&format!("{}}} NaN\n", of("lag_seconds_sum"))), "no sum is kept");
    }
}
