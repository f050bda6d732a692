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
    let client = world.client();
    let books = topics
        .iter()
        .filter_map(|topic| Some((client.channel(*topic)?.symbol()?, client.book_status(*topic)?)));
    encode(client.stats(), client.lines(), books)
}

/// Every series with its value.
fn series(text: &str) -> BTreeMap<&str, i64> {
    // The ranges of a histogram are looked at by themselves.
    let lines = text.lines().filter(|line| !line.starts_with('#') && !line.contains("_lag_"));
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
    assert_eq!(types.remove("kucoin_futures_line_lag_seconds"), Some("histogram"));
    let names: BTreeSet<&str> =
        series(&text).into_keys().map(|name| name.split('{').next().unwrap()).collect();
    assert_eq!(names, types.keys().copied().collect());
    for (name, kind) in types {
        assert_eq!(kind, if name.ends_with("_total") { "counter" } else { "gauge" }, "{name}");
    }
    assert_eq!(encode(&Stats::default(), [], []).matches("line_").count(), 0, "no line, no word");
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
