//! Planting: the bugs of a list go where their markers are, each behind its switch.
//!
//! A file is parsed only to learn where things begin and end; what is planted is then put around
//! them, so that everything else stays as it is, in the lines where it was.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::ops::Range;

use anyhow::{Result, bail};
use syn::{Block, Expr, File, Stmt};

use crate::bugs::{Bug, Edit};
use crate::markers;
use crate::place::{Place, range};

#[cfg(test)]
mod tests;

/// Texts of files, by their names as people know them.
pub(crate) type Sources = BTreeMap<String, String>;

/// What is put around a part of a text.
#[derive(Debug)]
struct Wrap {
    range: Range<usize>,
    before: String,
    after: String,
}

/// Plants all bugs. An error has a line for everything that is wrong.
pub(crate) fn plant(sources: &mut Sources, bugs: &[Bug]) -> Result<()> {
    let mut wrong = Vec::new();
    let mut seen = BTreeMap::new();
    for bug in bugs {
        if let Some(other) = seen.insert(bug.slug, bug.listed) {
            wrong.push(format!("{}: `{}` is listed at {other}, too", bug.listed, bug.slug));
        }
    }
    let mut marked = BTreeMap::new();
    for (name, text) in sources {
        let wraps = wraps_of(name, text, bugs, &mut marked, &mut wrong);
        *text = wrapped(text, &wraps);
    }
    for bug in bugs.iter().filter(|bug| !marked.contains_key(bug.slug)) {
        wrong.push(format!("{}: `{}` has no marker in the core", bug.listed, bug.slug));
    }
    if !wrong.is_empty() {
        bail!("{}", wrong.join("\n"));
    }
    Ok(())
}

/// What goes into one file.
fn wraps_of(
    name: &str,
    text: &str,
    bugs: &[Bug],
    marked: &mut BTreeMap<String, String>,
    wrong: &mut Vec<String>,
) -> Vec<Wrap> {
    let markers = markers::find(text);
    if markers.is_empty() {
        return Vec::new();
    }
    let file = match syn::parse_file(text) {
        Ok(file) => file,
        Err(error) => {
            wrong.push(format!("{name}:{}: {error}", error.span().start().line));
            return Vec::new();
        }
    };
    let mut wraps = Vec::new();
    for marker in markers {
        let at = format!("{name}:{}", marker.line);
        let slug = match marker.slug {
            Ok(slug) => slug,
            Err(error) => {
                wrong.push(format!("{at}: {error}"));
                continue;
            }
        };
        if let Some(other) = marked.insert(slug.to_owned(), at.clone()) {
            wrong.push(format!("{at}: `{slug}` is marked at {other}, too"));
        }
        let Some((number, bug)) = (1..).zip(bugs).find(|(_, bug)| bug.slug == slug) else {
            wrong.push(format!("{at}: `{slug}` is not in the list of bugs"));
            continue;
        };
        match wrap(text, &file, marker.code_at, number, bug.edit) {
            Ok(wrap) => wraps.push(wrap),
            Err(error) => wrong.push(format!("{at}: `{slug}`: {error}")),
        }
    }
    wraps
}

/// What bug `number` puts around its place.
fn wrap(text: &str, file: &File, at: usize, number: usize, edit: Edit) -> Result<Wrap> {
    let Some(place) = Place::find(file, at) else {
        bail!("no statement and no match arm begins below the marker");
    };
    let on = format!("crate::planted::is_on({number})");
    match edit {
        Edit::Skip => around(place, text, format!("if !{on} {{ "), "", " }", true),
        Edit::Instead(wrong) => {
            let open = format!("if {on} {{ {wrong} }} else {{ ");
            around(place, text, open, wrong, " }", true)
        }
        Edit::Before(wrong) => {
            around(place, text, format!("if {on} {{ {wrong} }} "), wrong, "", false)
        }
        Edit::After(wrong) => behind(place, text, &on, wrong),
        Edit::Condition(wrong) => {
            let Some(condition) = place.condition() else {
                bail!("`Condition` needs one besides `let`; below the marker is {}", place.what());
            };
            expression(text, condition.range, &on, wrong)
        }
        Edit::Value(wrong) => {
            let Some(value) = place.value() else {
                bail!("`Value` needs one; below the marker is {}", place.what());
            };
            let mut wrap = expression(text, range(value), &on, wrong)?;
            if matches!(place, Place::Arm(_)) {
                // A body in braces has no comma behind it.
                wrap.before.insert(0, '{');
                wrap.after.push('}');
            }
            Ok(wrap)
        }
        Edit::Operator(operator) => {
            let condition = place.condition().and_then(|condition| condition.expr);
            let Some(Expr::Binary(it)) = condition.or_else(|| place.value()) else {
                bail!(
                    "`Operator` needs a condition or value that consists of one; below the marker is {}",
                    place.what()
                );
            };
            let (left, right) = (part(text, range(&it.left)), part(text, range(&it.right)));
            expression(text, range(it), &on, &format!("{left} {operator} {right}"))
        }
    }
}

/// Around a statement or the body of an arm. A `let` or an item must not `move` into a block, where
/// nobody would see it.
fn around(
    place: Place<'_>,
    text: &str,
    open: String,
    wrong: &str,
    close: &str,
    moves: bool,
) -> Result<Wrap> {
    let (range, open, close) = match place {
        Place::Arm(arm) => (range(&arm.body), format!("{{ {open}"), format!("{close} }}")),
        Place::Statement(Stmt::Local(_) | Stmt::Item(_), _) if moves => {
            bail!(
                "`Skip` and `Instead` need something to do; below the marker is {}",
                place.what()
            );
        }
        Place::Statement(statement, _) => (range(statement), open, close.to_owned()),
    };
    let right = part(text, range.clone());
    check(&wrong.replace(RIGHT, right))?;
    Ok(Wrap { range, before: open.replace(RIGHT, right), after: close })
}

fn behind(place: Place<'_>, text: &str, on: &str, wrong: &str) -> Result<Wrap> {
    let statement = match place {
        Place::Statement(Stmt::Expr(_, None), true) | Place::Arm(_) => {
            bail!(
                "`After` needs a statement to stand behind; below the marker is {}",
                place.what()
            );
        }
        Place::Statement(statement, _) => statement,
    };
    let range = range(statement);
    let wrong = wrong.replace(RIGHT, part(text, range.clone()));
    check(&wrong)?;
    Ok(Wrap { range, before: String::new(), after: format!(" if {on} {{ {wrong} }}") })
}

fn expression(text: &str, range: Range<usize>, on: &str, wrong: &str) -> Result<Wrap> {
    let wrong = wrong.replace(RIGHT, &format!("({})", part(text, range.clone())));
    check(&wrong)?;
    Ok(Wrap { range, before: format!("(if {on} {{ {wrong} }} else {{ "), after: " })".to_owned() })
}

/// Stands for what is right in the text of what is wrong.
const RIGHT: &str = "{right}";

/// Whether what is to be planted is Rust at all.
fn check(wrong: &str) -> Result<()> {
    match syn::parse_str::<Block>(&format!("{{ {wrong} }}")) {
        Ok(_) => Ok(()),
        Err(error) => bail!("`{wrong}` cannot be planted: {error}"),
    }
}

fn part(text: &str, range: Range<usize>) -> &str {
    text.get(range).unwrap_or_default()
}

/// The text with everything around its parts. The parts are of a tree: one is in another or beside
/// it, so that what begins first, or ends last, is outside. Where both are the same, the first is.
fn wrapped(text: &str, wraps: &[Wrap]) -> String {
    let mut inserts = Vec::new();
    for (index, Wrap { range, before, after }) in wraps.iter().enumerate() {
        inserts.push((range.start, 1, Reverse(range.end), index, before));
        inserts.push((range.end, 0, Reverse(range.start), usize::MAX - index, after));
    }
    inserts.sort_unstable();
    let mut whole = String::new();
    let mut done = 0;
    for (at, .., insert) in inserts {
        whole.push_str(part(text, done..at));
        whole.push_str(insert);
        done = at;
    }
    whole.push_str(part(text, done..text.len()));
    whole
}
