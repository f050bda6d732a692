//! Markers: the comments in the core that say where a bug goes.

/// How the comment begins.
const MARK: &str = "// planted:";

/// One marker.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Marker<'a> {
    /// Which bug goes here; an error says why it names none.
    pub(crate) slug: Result<&'a str, &'static str>,
    /// Its line, counted from 1.
    pub(crate) line: usize,
    /// Where the first code below it begins, in bytes; the length of the text if there is none.
    pub(crate) code_at: usize,
}

/// All markers of a file.
///
/// Only comments and empty lines may stand between a marker and its code; so several markers may
/// stand above the same.
pub(crate) fn find(text: &str) -> Vec<Marker<'_>> {
    let mut found = Vec::new();
    let mut end = 0;
    for (line, whole) in (1..).zip(text.split_inclusive('\n')) {
        end += whole.len();
        if whole.contains(MARK) {
            found.push(Marker { slug: slug(whole), line, code_at: code_after(text, end) });
        }
    }
    found
}

fn slug(line: &str) -> Result<&str, &'static str> {
    let Some(slug) = line.trim().strip_prefix(MARK) else {
        return Err("a marker is a line of its own, and no doc comment");
    };
    let slug = slug.trim_start();
    let is_word = |word: &str| {
        !word.is_empty() && word.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit())
    };
    if slug.split('-').all(is_word) { Ok(slug) } else { Err("a marker names one slug-like-this") }
}

fn code_after(text: &str, mut at: usize) -> usize {
    for line in text.get(at..).unwrap_or_default().split_inclusive('\n') {
        let code = line.trim_start();
        if !code.is_empty() && !code.starts_with("//") {
            return at + line.len() - code.len();
        }
        at += line.len();
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn code_is_what_is_no_comment() {
        let text =
            "fn f() {\n    // planted: a-b2\n\n    // Why.\n    // planted: c\n    g();\n}\n";
        let code_at = text.find("g();").unwrap();
        let marker = |slug, line| Marker { slug: Ok(slug), line, code_at };
        assert_eq!(find(text), [marker("a-b2", 2), marker("c", 5)]);
    }

    #[test]
    fn at_the_end_there_is_no_code() {
        assert_eq!(find("// planted: a"), [Marker { slug: Ok("a"), line: 1, code_at: 13 }]);
    }

    #[test]
    fn what_only_looks_like_a_marker_is_told() {
        for text in ["f(); // planted: a\n", "/// planted: a\n", "// planted: A\n", "// planted:\n"]
        {
            assert!(find(text).iter().all(|marker| marker.slug.is_err()), "{text}");
            assert_eq!(find(text).len(), 1, "{text}");
        }
        for text in ["// planted: a b\n", "// planted: a--b\n", "// planted: a-\n"] {
            assert!(find(text).iter().all(|marker| marker.slug.is_err()), "{text}");
        }
    }
}
