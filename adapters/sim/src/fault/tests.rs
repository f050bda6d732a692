use std::time::Duration;

use proptest::prelude::*;

use super::*;

/// A fault of every kind, its parameters drawn.
fn fault() -> impl Strategy<Value = Fault> {
    let words = prop::sample::select(Fault::WORDS);
    let target = prop_oneof![Just("*".to_owned()), "[A-Z]{3,10}M"];
    let (ms, count) = (0_u64..10_000_000, 1_u32..100);
    let refusal = prop::sample::select(Refusal::ALL);
    (words, target, ms, count, refusal).prop_map(|(word, target, ms, count, refusal)| {
        let (refusal, time) = (refusal.word(), format!("{ms}ms"));
        let parameters = [target, time, count.to_string(), refusal.to_owned()];
        // At most two of these are taken, in an order that the fault knows.
        let try_one = |text: String| {
            let entry = format!("at 0s {word} {text}").parse::<Plan>().ok()?;
            entry.entries.first().map(|entry| entry.fault)
        };
        let pairs = parameters
            .iter()
            .flat_map(|one| parameters.iter().map(move |other| format!("{one} {other}")));
        let all = pairs.chain(parameters.iter().cloned()).chain([String::new()]);
        all.into_iter().find_map(try_one).unwrap_or_else(|| panic!("`{word}` reads nothing"))
    })
}

proptest! {
    #[test]
    fn the_text_form_goes_there_and_back(
        entries in prop::collection::vec((1_u64..10_000_000, any::<bool>(), fault()), 0..8)
    ) {
        let entries = entries.into_iter().map(|(us, repeats, fault)| {
            let at = Duration::from_micros(us);
            Entry { at, every: repeats.then_some(at), fault }
        });
        let plan = Plan { entries: entries.collect() };
        prop_assert_eq!(plan.to_string().parse::<Plan>().unwrap(), plan);
    }
}

#[test]
fn defaults_line_breaks_and_empty_entries() {
    let plan: Plan = " at 3s drop *\n\n;every 1m close ; at 0ms expire-token;".parse().unwrap();
    let shown = "at 3000ms drop * 1; every 60000ms close 1000; at 0ms expire-token 1";
    assert_eq!(plan.to_string(), shown);
}

#[test]
fn words_are_unique() {
    let unique: std::collections::BTreeSet<_> = Fault::WORDS.iter().collect();
    assert_eq!(unique.len(), Fault::WORDS.len());
}

#[test]
fn errors_name_the_entry_and_the_problem() {
    for (text, problem) in [
        ("drop X", "neither `at` nor `every`"),
        ("at 3 drop X", "the unit is"),
        ("at 3s", "a fault is missing"),
        ("at 3s explode", "is no fault"),
        ("at 3s drop", "a symbol or `*` is missing"),
        ("at 3s drop X 0", "at least 1"),
        ("at 3s step-back X", "the size of the step"),
        ("at 3s close 70000", "no number in range"),
        ("at 3s close 1000 1", "too much"),
        ("every 0s close", "above zero"),
    ] {
        let error = text.parse::<Plan>().unwrap_err().to_string();
        assert!(error.contains(problem) && error.contains(text), "{error}");
    }
}
