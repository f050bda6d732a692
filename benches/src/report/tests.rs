use super::{Latency, Measured, Report, Tail, chart, goals, page};

fn report() -> Report {
    let measured =
        |group: &str, name: &str, nanos| Measured { group: group.into(), name: name.into(), nanos };
    let tail = |p50, p99, p999| Tail { p50, p99, p999, p999_with_firsts: p999 + 1 };
    Report {
        measured: vec![
            measured("parse, usual", "ours", 20.0),
            measured("parse, usual", "serde_json borrowed", 300.0),
            measured("parse, white space", "ours", 40.0),
            measured("snapshot, 2 x 1000", "ours", 20_000.0),
        ],
        latency: Some(Latency { timer: 20, ours: tail(30, 60, 90), rival: tail(300, 500, 720) }),
    }
}

#[test]
fn a_family_is_a_table_of_rivals_and_variants() {
    let expected = "\
| parse               |           usual | white space |
|---------------------|----------------:|------------:|
| ours                |         20.0 ns |     40.0 ns |
| serde_json borrowed | 300 ns (15.0 x) |             |
";
    assert!(report().tables().starts_with(expected), "{}", report().tables());
}

#[test]
fn goals_show_what_was_measured_and_nothing_else() {
    let goals = goals::table(&report());
    let parse = goals.lines().find(|line| line.contains("parse / serde_json")).unwrap();
    assert!(parse.contains("15.0 x") && parse.contains("met"), "{parse}");
    assert!(goals.contains("8.0 x") && !goals.contains("apply"), "{goals}");
    assert!(!goals::are_measured(&report()));
}

#[test]
fn chart_and_page_are_complete_without_the_rest() {
    let chart = chart::draw(&report());
    assert!(chart.ends_with("</svg>\n") && chart.contains("Vec") == chart.contains("&lt;"));
    assert!(page::write(&report()).contains("serde_json 1."));
}

#[test]
fn days_are_dates() {
    assert_eq!(page::civil(0), (1970, 1, 1));
    assert_eq!(page::civil(19_782), (2024, 2, 29));
    assert_eq!(page::civil(20_453), (2025, 12, 31));
}
