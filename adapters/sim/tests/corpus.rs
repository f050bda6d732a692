//! The bodies of the fuzz targets without a fuzzer: every seed of `fuzz/corpus`, seeds that were
//! tampered with, and noise.

// The repository switches it on by a dependency that a published crate does not have.
#![cfg(feature = "fuzz")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stderr,
    reason = "tests"
)]

use std::collections::BTreeSet;
use std::fs;
use std::panic::catch_unwind;
use std::path::{Path, PathBuf};

use kucoin_futures_sim::fuzz::{Body, TARGETS, decimal, wire_delta};
use proptest::prelude::*;
use proptest::sample::Index;
use proptest::test_runner::TestRunner;

/// The folder of the fuzz targets; `None` where this crate is tested apart from its repository.
fn fuzz_folder() -> Option<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz");
    if folder.is_dir() {
        return Some(folder);
    }
    eprintln!("skipped: there is no fuzz folder beside this crate, so there are no seeds");
    None
}

/// Its body is in `adapters/data`, where it is tried, too.
const ELSEWHERE: &str = "recording.rs";

/// The names in a folder.
fn names(folder: &Path) -> BTreeSet<String> {
    let entries = fs::read_dir(folder).unwrap_or_else(|error| panic!("{folder:?}: {error}"));
    let name = |path: PathBuf| path.file_name().unwrap().to_str().unwrap().to_owned();
    entries.map(|entry| name(entry.unwrap().path())).collect()
}

/// The seeds of a target, in a fixed order, with their names. A fuzzer's finds that lie between them
/// are taken, too.
fn seeds(target: &str) -> Vec<(String, Vec<u8>)> {
    let Some(folder) = fuzz_folder().map(|folder| folder.join("corpus").join(target)) else {
        return Vec::new();
    };
    let read = |name: String| (name.clone(), fs::read(folder.join(name)).unwrap());
    names(&folder).into_iter().map(read).collect()
}

#[test]
fn every_body_has_a_target_and_seeds_and_nothing_else_has() {
    let Some(folder) = fuzz_folder() else { return };
    let bodies: BTreeSet<String> = TARGETS.iter().map(|(name, _)| String::from(*name)).collect();
    let files = bodies.iter().map(|name| format!("{name}.rs"));
    let files: BTreeSet<String> = files.chain([ELSEWHERE.into()]).collect();
    assert_eq!(names(&folder.join("fuzz_targets")), files);
    assert_eq!(names(&folder.join("corpus")), bodies);
    let manifest = fs::read_to_string(folder.join("Cargo.toml")).unwrap();
    for name in &bodies {
        assert!(manifest.contains(&format!("name = \"{name}\"\n")), "{name} is not in Cargo.toml");
        let seeds = seeds(name);
        assert!(seeds.iter().filter(|(seed, _)| seed.contains('.')).count() >= 10, "{name}");
    }
}

#[test]
fn every_seed_is_survived() {
    for (name, body) in TARGETS {
        for (seed, bytes) in seeds(name) {
            let survived = catch_unwind(|| body(&bytes));
            assert!(survived.is_ok(), "fuzz/corpus/{name}/{seed} breaks `{name}`");
        }
    }
}

/// What a fuzzer does to its inputs, in small.
#[derive(Clone, Debug)]
enum Edit {
    Set(Index, u8),
    Insert(Index, Vec<u8>),
    Cut(Index, usize),
    /// From here on it is another seed, from there on.
    Splice(Index, Index, Index),
}

fn edit() -> impl Strategy<Value = Edit> {
    let words = [
        "\"",
        "\\",
        "\\u0041",
        "\\ud800",
        "{",
        "}",
        "[",
        "]",
        ",",
        ":",
        "null",
        "-0",
        "1e9",
        ".5",
        "0",
        "\n",
        "@",
        "#",
        "kucoin.com",
        "127.0.0.1",
        "\u{feff}",
        "\"x\":[{}],",
        "200",
        "token",
    ];
    let word = prop::sample::select(words.to_vec()).prop_map(|word| word.as_bytes().to_vec());
    let bytes = prop_oneof![4 => word, 1 => prop::collection::vec(any::<u8>(), 1..8)];
    prop_oneof![
        4 => any::<(Index, u8)>().prop_map(|(at, byte)| Edit::Set(at, byte)),
        4 => (any::<Index>(), bytes).prop_map(|(at, bytes)| Edit::Insert(at, bytes)),
        2 => (any::<Index>(), 1_usize..20).prop_map(|(at, len)| Edit::Cut(at, len)),
        1 => any::<(Index, Index, Index)>().prop_map(|(at, other, from)| Edit::Splice(at, other, from)),
    ]
}

fn apply(bytes: &mut Vec<u8>, edit: &Edit, seeds: &[(String, Vec<u8>)]) {
    let place = |at: &Index, len: usize| at.index(len + 1);
    match edit {
        Edit::Set(at, byte) => {
            let at = place(at, bytes.len());
            bytes.splice(at..(at + 1).min(bytes.len()), [*byte]);
        }
        Edit::Insert(at, piece) => {
            let at = place(at, bytes.len());
            bytes.splice(at..at, piece.iter().copied());
        }
        Edit::Cut(at, len) => {
            let at = place(at, bytes.len());
            bytes.drain(at..(at + len).min(bytes.len()));
        }
        Edit::Splice(at, other, from) => {
            let (_, other) = other.get(seeds);
            bytes.truncate(place(at, bytes.len()));
            bytes.extend(other.iter().skip(place(from, other.len())));
        }
    }
}

/// Runs a body over noise and over seeds with a few edits.
fn disturb(target: &str, cases: u32) {
    let body = TARGETS.iter().find(|(name, _)| *name == target).map(|(_, body): &(_, Body)| body);
    let body = body.expect("a body of that name");
    let seeds = seeds(target);
    let config = ProptestConfig { cases, failure_persistence: None, ..ProptestConfig::default() };
    let noise = prop::collection::vec(any::<u8>(), 0..400);
    let edits = prop::collection::vec(edit(), 1..6);
    let outcome =
        TestRunner::new(config).run(&(noise, any::<Index>(), edits), |(noise, at, edits)| {
            body(&noise);
            if !seeds.is_empty() {
                let mut bytes = at.get(&seeds).1.clone();
                edits.iter().for_each(|edit| apply(&mut bytes, edit, &seeds));
                body(&bytes);
            }
            Ok(())
        });
    outcome.unwrap_or_else(|error| panic!("{target}: {error}"));
}

#[test]
fn book_stands_tampering() {
    disturb("book", 2000);
}

#[test]
fn client_stands_tampering() {
    disturb("client", 1500);
}

#[test]
fn decimal_stands_tampering() {
    disturb("decimal", 4000);
}

#[test]
fn endpoint_stands_tampering() {
    disturb("endpoint", 3000);
}

#[test]
fn rest_bodies_stand_tampering() {
    disturb("rest_bodies", 1500);
}

#[test]
fn scenario_stands_tampering() {
    disturb("scenario", 300);
}

#[test]
fn wire_any_stands_tampering() {
    disturb("wire_any", 3000);
}

#[test]
fn wire_delta_stands_tampering() {
    disturb("wire_delta", 4000);
}

#[test]
fn wire_message_stands_tampering() {
    disturb("wire_message", 2000);
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 4000,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn decimal_holds_for_numbers(
        number in "-?[0-9]{0,40}(\\.[0-9]{0,40})?([eE][+-]?[0-9]{0,4})?",
        zeros in "-?0?\\.?0{0,80}[0-9]{0,3}0{0,80}(e-?[0-9]{1,25})?",
    ) {
        decimal(number.as_bytes());
        decimal(zeros.as_bytes());
    }

    #[test]
    fn wire_delta_holds_for_deltas(
        pairs in prop::collection::vec(pair(), 0..6).prop_shuffle(),
        space in "[ \\t\\r\\n]{0,2}",
    ) {
        let separator = format!("{space},{space}");
        wire_delta(format!("{{{}{space}}}", pairs.join(&separator)).as_bytes());
    }
}

/// A key and a value, mostly of a delta.
fn pair() -> impl Strategy<Value = String> {
    let number = "-?(0|[1-9][0-9]{0,20})(\\.[0-9]{1,14})?([eE][+-]?[0-9]{1,2})?";
    let price = prop_oneof![3 => "[1-9][0-9]{0,4}(\\.[0-9]{1,8})?", 1 => number];
    let size = prop_oneof![3 => "0|[1-9][0-9]{0,6}", 1 => number];
    let side = prop_oneof![8 => "buy|sell|\\\\u0062uy", 1 => "[a-z]{0,4}"];
    let change = (price, side, size)
        .prop_map(|(price, side, size)| format!(r#""change":"{price},{side},{size}""#));
    prop_oneof![
        8 => "[1-9][0-9]{0,19}".prop_map(|n| format!("\"sequence\":{n}")),
        8 => change,
        4 => "[1-9][0-9]{0,14}".prop_map(|n| format!("\"timestamp\":{n}")),
        1 => number.prop_map(|n| format!("\"sequence\":{n}")),
        1 => number.prop_map(|n| format!("\"timestamp\":{n}")),
        1 => "\"(change|sequ\\\\u0065nce|x)\":(null|true|\"[0-9]\"|\\{\\}|\\[1,\\[\\]\\]|\\{\"a\":0\\})",
    ]
}
