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
