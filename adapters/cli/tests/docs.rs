//! What the pages at the root say of the tests.

#![allow(clippy::unwrap_used, missing_docs, reason = "tests")]

use std::fs;
use std::path::{Path, PathBuf};

/// Every test that a page names by its function exists. Nothing else there is as long.
#[test]
fn every_test_that_the_pages_name_exists() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).unwrap();
    let mut code = String::new();
    for folder in ["core", "adapters", "benches", "fuzz"] {
        read_code(&root.join(folder), &mut code);
    }
    let mut named = 0;
    for page in ["README.md", "ARCHITECTURE.md", "docs/checks.md"] {
        let text = fs::read_to_string(root.join(page)).unwrap();
        let is_word = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
        for name in text.split(|c| !is_word(c)).filter(|word| word.matches('_').count() >= 4) {
            named += 1;
            let known = ["(", "<"].map(|end| code.contains(&format!("fn {name}{end}")));
            assert!(known.contains(&true), "{page} names {name}");
        }
    }
    assert!(named > 20, "{named}");
}

/// What `docs/watching.md` lists is what there is: of traces each event, of metrics each but the client's counters.
#[test]
fn every_event_and_metric_is_on_the_page_and_the_other_way_round() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).unwrap();
    let read = |path: &str| fs::read_to_string(root.join(path)).unwrap();
    let page = read("docs/watching.md");
    let host = ["trace", "metrics"].map(|name| read(&format!("adapters/host/src/{name}.rs")));
    let tables = host[1].split_once("const LINE_GAUGES").unwrap().1;
    let metrics = tables.split_once("pub fn encode").unwrap().0;
    // The last word of a macro, and the first of a row.
    let events = host[0].split('"').zip(host[0].split('"').skip(1));
    let events = events.filter(|(_, rest)| rest.starts_with(')'));
    let rows = metrics.split("(\"").chain(metrics.split("(\n        \"")).skip(1);
    let names = rows.filter_map(|rest| Some(rest.split_once("\",")?.0));
    // What a version of the core may add that this one does not know.
    let unknown = ["event", "line", "topic", "book", "account"];
    let mut found = 0;
    for name in events.map(|(name, _)| name).chain(names).filter(|name| !unknown.contains(name)) {
        if name.contains(char::is_uppercase) || name.contains('{') || name.contains('\n') {
            continue;
        }
        found += 1;
        let listed = ["`", "_total`"].map(|end| page.contains(&format!("`{name}{end}")));
        assert!(listed.contains(&true), "{name} is not on the page");
    }
    assert!(found > 40, "{found}");
    for row in page.lines().filter_map(|line| line.strip_prefix("| `")) {
        let first = format!("`{}", row.split_once(" |").unwrap().0);
        for name in first.split('`').skip(1).step_by(2) {
            let base = format!("\"{}\"", name.trim_end_matches("_total"));
            assert!(host.iter().any(|code| code.contains(&base)), "{name} is not in the code");
        }
    }
}

/// What `docs/operations.md` says of the log is what the programs log, and its alerts are of metrics that there are.
#[test]
fn the_operations_page_knows_every_warning_and_every_metric_of_its_alerts() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).unwrap();
    let read = |path: &str| fs::read_to_string(root.join(path)).unwrap();
    let page = read("docs/operations.md");
    let mut code = String::new();
    for name in ["host", "blocking", "smol", "data", "cli", "fanout"] {
        read_code(&root.join("adapters").join(name).join("src"), &mut code);
    }
    let mut found = 0;
    let warnings = code.split("tracing::warn!(").skip(1);
    for call in warnings.chain(code.split("tracing::error!(").skip(1)) {
        let Some((call, _)) = call.split_once(");") else { continue };
        // The message is the last text of the call.
        let Some(message) = call.rsplit('"').nth(1).filter(|text| text.contains(' ')) else {
            continue;
        };
        found += 1;
        assert!(page.contains(&format!("`{message}`")), "{message} is not on the page");
    }
    assert!(found > 15, "{found}");
    let log = page.split_once("## What the log says").unwrap().1;
    let log = log.split_once("\n## ").unwrap().0;
    for row in log.lines().filter_map(|line| line.strip_prefix("| `")) {
        let first = format!("`{}", row.split_once(" |").unwrap().0);
        for name in first.split('`').skip(1).step_by(2) {
            assert!(code.contains(&format!("\"{name}\"")), "{name} is not in the code");
        }
    }
    let (alerts, metrics) =
        (read("docs/operations/alerts.yml"), read("adapters/host/src/metrics.rs"));
    let mut named = 0;
    for rest in alerts.split("kucoin_futures_").skip(1) {
        let name = rest.split(|c: char| !c.is_ascii_lowercase() && c != '_').next().unwrap();
        let base = name.trim_end_matches("_total").trim_end_matches("_bucket");
        assert!(metrics.contains(&format!("\"{base}\"")), "{base} is no metric");
        named += 1;
    }
    assert!(named > 8, "{named}");
}

fn read_code(folder: &Path, code: &mut String) {
    let entries: Vec<PathBuf> = fs::read_dir(folder).unwrap().map(|e| e.unwrap().path()).collect();
    for path in entries {
        if path.is_dir() && !path.ends_with("target") {
            read_code(&path, code);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            code.push_str(&fs::read_to_string(&path).unwrap());
        }
    }
}
