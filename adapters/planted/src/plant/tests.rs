use super::*;
use crate::bugs::bug;

/// Plants one bug into one file.
fn planted(text: &str, edit: Edit) -> Result<String> {
    let mut sources = Sources::from([("a.rs".to_owned(), text.to_owned())]);
    plant(&mut sources, &[bug("it", "a bug", edit)])?;
    let text = sources.remove("a.rs").unwrap();
    assert!(syn::parse_file(&text).is_ok(), "{text}");
    Ok(text)
}

/// What stands in place of `code` once the bug is planted, in a function.
fn planted_at(code: &str, edit: Edit) -> String {
    let (head, tail) = ("fn f() {\n// planted: it\n", "\n}\n");
    let text = planted(&format!("{head}{code}{tail}"), edit).unwrap();
    text.strip_prefix(head).unwrap().strip_suffix(tail).unwrap().to_owned()
}

#[track_caller]
fn assert_planted(code: &str, edit: Edit, wanted: &str) {
    let wanted = wanted.replace("ON", "crate::planted::is_on(1)");
    assert_eq!(planted_at(code, edit), wanted);
}

#[track_caller]
fn assert_refused(code: &str, edit: Edit, words: &str) {
    let error = planted(&format!("fn f() {{\n// planted: it\n{code}\n}}\n"), edit).unwrap_err();
    assert_eq!(error.to_string(), format!("a.rs:2: `it`: {words}"));
}

#[test]
fn a_statement_is_skipped() {
    assert_planted("g();", Edit::Skip, "if !ON { g(); }");
    assert_planted("g()", Edit::Skip, "if !ON { g() }");
    assert_planted("g!();\nh();", Edit::Skip, "if !ON { g!(); }\nh();");
    assert_planted("#[cold]\ng();", Edit::Skip, "if !ON { #[cold]\ng(); }");
    assert_planted("for a in b {\n    c();\n}", Edit::Skip, "if !ON { for a in b {\n    c();\n} }");
}

#[test]
fn the_body_of_an_arm_is_skipped() {
    let text = |arm: &str| format!("fn f() {{ match a {{\n// planted: it\n{arm}\n_ => {{}} }} }}");
    for (arm, wanted) in [
        ("1 | 2 => g(),", "1 | 2 => { if !ON { g() } },"),
        ("3 if b => { g(); }", "3 if b => { if !ON { { g(); } } }"),
    ] {
        let wanted = text(&wanted.replace("ON", "crate::planted::is_on(1)"));
        assert_eq!(planted(&text(arm), Edit::Skip).unwrap(), wanted);
    }
}

#[test]
fn a_statement_is_another() {
    let edit = Edit::Instead("if a { {right} }");
    assert_planted("g();", edit, "if ON { if a { g(); } } else { g(); }");
}

#[test]
fn statements_are_inserted() {
    assert_planted("let a = 1;", Edit::Before("g();"), "if ON { g(); } let a = 1;");
    assert_planted("a += 1;", Edit::Before("{right}"), "if ON { a += 1; } a += 1;");
    assert_planted("let a = 1;\na", Edit::After("g();"), "let a = 1; if ON { g(); }\na");
    let text = planted("fn f() { match a {\n// planted: it\n_ => 2 }; }", Edit::Before("g();"));
    assert!(text.unwrap().contains("\n_ => { if crate::planted::is_on(1) { g(); } 2 } }; }"));
}

#[test]
fn a_condition_is_another() {
    let edit = Edit::Condition("{right} || b");
    assert_planted("if a {}", edit, "if (if ON { (a) || b } else { a }) {}");
    assert_planted("while a {}", edit, "while (if ON { (a) || b } else { a }) {}");
    let text = planted("fn f() { match a {\n// planted: it\n1 if a > b => 2, _ => 3 }; }", edit);
    let wanted = "\n1 if (if crate::planted::is_on(1) { (a > b) || b } else { a > b }) => 2,";
    assert!(text.unwrap().contains(wanted));
}

#[test]
fn what_a_condition_binds_stays() {
    let edit = Edit::Condition("false");
    assert_planted(
        "if let Some(a) = b() && c && d(a) {}",
        edit,
        "if let Some(a) = b() && (if ON { false } else { c && d(a) }) {}",
    );
    assert_planted(
        "while a && let Some(b) = c\n&& b > 1\n{}",
        edit,
        "while a && let Some(b) = c\n&& (if ON { false } else { b > 1 })\n{}",
    );
    assert_planted("if a || b && c {}", edit, "if (if ON { false } else { a || b && c }) {}");
}

#[test]
fn a_value_is_another() {
    let edit = Edit::Value("{right} / 2");
    assert_planted("let a = b + 1;", edit, "let a = (if ON { (b + 1) / 2 } else { b + 1 });");
    assert_planted("a.b = c;", edit, "a.b = (if ON { (c) / 2 } else { c });");
    assert_planted("a *= c;", edit, "a *= (if ON { (c) / 2 } else { c });");
    assert_planted("return c;", edit, "return (if ON { (c) / 2 } else { c });");
    assert_planted("a;\nb", Edit::Skip, "if !ON { a; }\nb");
    assert_planted("b.c()", edit, "(if ON { (b.c()) / 2 } else { b.c() })");
    assert_planted(
        "let Some(a) = b else { return };",
        Edit::Value("None"),
        "let Some(a) = (if ON { None } else { b }) else { return };",
    );
}

#[test]
fn the_value_of_an_arm_needs_no_comma() {
    let text = "fn f() { match a {\n// planted: it\n1 => { 2 }\n_ => 3 } }";
    let text = planted(text, Edit::Value("4")).unwrap();
    assert!(text.contains("1 => {(if crate::planted::is_on(1) { 4 } else { { 2 } })}\n_"));
}

#[test]
fn an_operator_is_another() {
    let edit = Edit::Operator("<");
    assert_planted("if a.b <= c {}", edit, "if (if ON { a.b < c } else { a.b <= c }) {}");
    assert_planted("let a = b + 1 > c;", edit, "let a = (if ON { b + 1 < c } else { b + 1 > c });");
    assert_planted(
        "if let Some(a) = b && a > 1 {}",
        edit,
        "if let Some(a) = b && (if ON { a < 1 } else { a > 1 }) {}",
    );
}

const ORIGINAL: &str = "
impl Book {
    fn fits(&self, delta: &Delta) -> bool {
        // Why.
        // planted: early
        if delta.sequence < self.sequence {
            // planted: count
            self.count += 1;
            return false;
        }
        // planted: fits
        self.sequence.next() == delta.sequence
    }
}
";

/// As people and rustfmt change things.
const CHANGED: &str = "
impl<T> Book<T> {
    fn fits(&self, change: &Change, longer: Name) -> Option<bool> {
        // planted: early

        // Another reason, with some “letters”.
        if change.header.sequence
            < self.state.sequence
        {
            // planted: count
            self
                .statistics
                .count += 1;
            return None;
        }
        let next = self.state.sequence.next();
        // planted: fits
        Some(
            next == change.header.sequence,
        )
    }
}
";

const LIST: [Bug; 3] = [
    bug("early", "early ones fit", Edit::Condition("false")),
    bug("count", "they are not counted", Edit::Skip),
    bug("fits", "nothing fits", Edit::Value("Default::default()")),
];

fn plant_in(files: &[(&str, &str)]) -> Result<Sources> {
    let mut sources =
        files.iter().map(|(name, text)| (name.to_string(), text.to_string())).collect();
    plant(&mut sources, &LIST).map(|()| sources)
}

#[test]
fn markers_go_through_renames_and_formatting() {
    for text in [ORIGINAL, CHANGED] {
        let planted = plant_in(&[("book.rs", text)]).unwrap().remove("book.rs").unwrap();
        assert!(syn::parse_file(&planted).is_ok(), "{planted}");
        assert_eq!(planted.lines().count(), text.lines().count());
        assert!(planted.contains("if (if crate::planted::is_on(1) { false } else { "), "{planted}");
        assert!(planted.contains("if !crate::planted::is_on(2) { self"), "{planted}");
        assert!(planted.contains("(if crate::planted::is_on(3) { Default::default() } else { "));
        // Nothing but what is planted is new.
        let mut rest = planted.chars();
        assert!(text.chars().all(|wanted| rest.any(|c| c == wanted)));
    }
}

#[test]
fn markers_go_to_other_files() {
    let (first, second) = ("mod a { pub mod b { fn f() {\n", "\n} } }");
    let alone = plant_in(&[("book.rs", ORIGINAL)]).unwrap();
    let early = format!("{first}// planted: early\nif a {{\n// planted: count\nb();\n}}{second}");
    let fits = "fn g() {\n    // planted: fits\n    Some(1)\n}\n";
    let files = plant_in(&[("a/b.rs", &early), ("c.rs", fits), ("d.rs", "fn not() {}")]).unwrap();
    let count = |sources: &Sources| {
        sources.values().map(|text| text.matches("is_on(").count()).sum::<usize>()
    };
    assert_eq!((count(&alone), count(&files)), (3, 3));
    assert_eq!(files["d.rs"], "fn not() {}");
}

#[test]
fn places_may_be_in_each_other_or_the_same() {
    let mut sources = Sources::from([(
        "a.rs".to_owned(),
        "fn f() {\n// planted: fits\n// planted: count\nmatch a {\n\
         // planted: early\n_ if b => 1 } }"
            .to_owned(),
    )]);
    plant(&mut sources, &LIST).unwrap();
    assert_eq!(
        sources["a.rs"].replace("crate::planted::", ""),
        "fn f() {\n// planted: fits\n// planted: count\n\
         (if is_on(3) { Default::default() } else { if !is_on(2) { match a {\n// planted: early\n\
         _ if (if is_on(1) { false } else { b }) => 1 } } }) }",
    );
}

#[test]
fn what_is_listed_must_be_marked_and_what_is_marked_listed() {
    let text = ORIGINAL.replace("planted: count", "planted: counts");
    let error = plant_in(&[("book.rs", &text)]).unwrap_err().to_string();
    let (first, second) = error.split_once('\n').unwrap();
    assert_eq!(first, "book.rs:7: `counts` is not in the list of bugs");
    assert!(second.ends_with(": `count` has no marker in the core"), "{second}");
    assert!(second.contains("tests.rs:"), "{second}");
}

#[test]
fn a_bug_is_marked_once_and_listed_once() {
    let files = [("a.rs", ORIGINAL), ("b.rs", "fn f() {\n// planted: fits\n1\n}")];
    let error = plant_in(&files).unwrap_err().to_string();
    assert_eq!(error, "b.rs:2: `fits` is marked at a.rs:11, too");

    let twice = [LIST[0], LIST[0]];
    let mut sources =
        Sources::from([("a.rs".to_owned(), "fn f() {\n// planted: early\nif a {}\n}".into())]);
    let error = plant(&mut sources, &twice).unwrap_err().to_string();
    assert!(error.contains("`early` is listed at ") && error.ends_with(", too"), "{error}");
}

#[test]
fn an_edit_that_does_not_apply_is_told() {
    let condition = Edit::Condition("false");
    let needs = "`Condition` needs one besides `let`; below the marker is";
    assert_refused("let a = 1;", condition, &format!("{needs} a `let`"));
    assert_refused("if let Some(a) = b {}", condition, &format!("{needs} an `if`"));
    assert_refused("a = b;", condition, &format!("{needs} an assignment"));

    let value = Edit::Value("1");
    let needs = "`Value` needs one; below the marker is";
    assert_refused("g();", value, &format!("{needs} a statement"));
    assert_refused("if a {}\ng();", value, &format!("{needs} an `if`"));
    assert_refused("let a;", value, &format!("{needs} a `let`"));
    assert_refused("return;", value, &format!("{needs} a `return`"));

    let needs = "`Skip` and `Instead` need something to do; below the marker is";
    assert_refused("let a = 1;", Edit::Skip, &format!("{needs} a `let`"));
    assert_refused("fn g() {}", Edit::Instead("g();"), &format!("{needs} an item"));

    let needs = "`After` needs a statement to stand behind; below the marker is";
    assert_refused("g()", Edit::After("h();"), &format!("{needs} the last expression of a block"));

    let needs = "`Operator` needs a condition or value that consists of one; below the marker is";
    assert_refused("let a = b;", Edit::Operator("<"), &format!("{needs} a `let`"));
    assert_refused("if a() {}", Edit::Operator("<"), &format!("{needs} an `if`"));
    assert_refused("while a {}", Edit::Operator("<"), &format!("{needs} a `while`"));
}

#[test]
fn a_marker_stands_above_a_statement() {
    let words = "no statement and no match arm begins below the marker";
    assert_refused("", Edit::Skip, words);
    assert_refused("/* Why. */ g();", Edit::Skip, words);
    let error = planted("struct A {\n    // planted: it\n    b: u32,\n}", Edit::Skip).unwrap_err();
    assert_eq!(error.to_string(), format!("a.rs:2: `it`: {words}"));
}

#[test]
fn what_is_no_rust_is_told() {
    let error =
        planted("fn f() {\n// planted: it\nif a {}\n}", Edit::Condition("a <")).unwrap_err();
    assert!(error.to_string().starts_with("a.rs:2: `it`: `a <` cannot be planted: "), "{error}");
    let error = planted("fn f() {\n// planted: it\nlet a b;\n}", Edit::Skip).unwrap_err();
    assert!(error.to_string().starts_with("a.rs:3: "), "{error}");
    let error = planted("fn f() {\ng(); // planted: it\n}", Edit::Skip).unwrap_err();
    assert!(error.to_string().starts_with("a.rs:2: a marker is a line of its own"), "{error}");
}
