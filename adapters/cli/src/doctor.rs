//! `kcf doctor`: everything between this machine and a live book, one after the other, and what to do about it.

mod exchange;
mod machine;
mod reach;
mod steady;
mod steps;

use std::time::Duration;

use serde_json::{Map, Value, json};

use crate::args::{Connect, DoctorArgs};
use crate::exit::{Failure, Kind};
use crate::out::{BAD, DIM, FAULT, GOOD, Out};

/// What was found.
#[derive(Debug)]
struct Finding {
    /// What was looked at.
    check: &'static str,
    verdict: Verdict,
    /// In words.
    text: String,
    /// How long it took.
    took: Option<Duration>,
}

#[derive(Clone, PartialEq, Eq, Debug)]
enum Verdict {
    /// As it should be.
    Fine,
    /// It works, and this can be done all the same.
    Note(String),
    /// It does not work, and this can be done.
    Bad(Kind, String),
    /// Nothing to look at, or what is before it does not work.
    Skipped,
}

impl Finding {
    fn fine(check: &'static str, text: impl Into<String>) -> Self {
        Self { check, verdict: Verdict::Fine, text: text.into(), took: None }
    }

    fn note(check: &'static str, text: impl Into<String>, advice: impl Into<String>) -> Self {
        Self { check, verdict: Verdict::Note(advice.into()), text: text.into(), took: None }
    }

    fn bad(
        check: &'static str,
        kind: Kind,
        text: impl Into<String>,
        advice: impl Into<String>,
    ) -> Self {
        Self { check, verdict: Verdict::Bad(kind, advice.into()), text: text.into(), took: None }
    }

    fn skipped(check: &'static str, text: impl Into<String>) -> Self {
        Self { check, verdict: Verdict::Skipped, text: text.into(), took: None }
    }

    fn within(self, took: Duration) -> Self {
        Self { took: Some(took), ..self }
    }
}

/// Tells findings as they come, and remembers the first that is bad.
struct Report {
    out: Out,
    json: bool,
    worst: Option<(Kind, &'static str)>,
    notes: usize,
}

pub(crate) fn run(connect: &Connect, args: &DoctorArgs) -> Result<(), Failure> {
    let mut report = Report { out: Out::new(), json: args.json, worst: None, notes: 0 };
    machine::look(&mut report)?;
    let place = reach::Place::of(&args.url)?;
    if reach::look(&mut report, connect, &place)? {
        exchange::look(&mut report, connect, args)?;
    } else {
        let unreached = "not looked at: the exchange cannot be reached";
        for check in exchange::CHECKS {
            report.tell(&Finding::skipped(check, unreached))?;
        }
    }
    report.conclude()
}

impl Report {
    fn tell(&mut self, found: &Finding) -> Result<(), Failure> {
        match &found.verdict {
            Verdict::Bad(kind, _) => {
                self.worst.get_or_insert((*kind, found.check));
            }
            Verdict::Note(_) => self.notes += 1,
            Verdict::Fine | Verdict::Skipped => {}
        }
        if self.json {
            self.out.json(&line(found))?;
        } else {
            self.say(found)?;
        }
        Ok(self.out.flush()?)
    }

    fn say(&mut self, found: &Finding) -> Result<(), Failure> {
        let (style, word, advice) = match &found.verdict {
            Verdict::Fine => (GOOD, "ok", None),
            Verdict::Note(advice) => (FAULT, "note", Some(advice)),
            Verdict::Bad(_, advice) => (BAD, "BAD", Some(advice)),
            Verdict::Skipped => (DIM, "-", None),
        };
        let took = found.took.map(|took| format!(" {DIM}({} ms){DIM:#}", took.as_millis()));
        let (check, text) = (found.check, &found.text);
        self.out.line(format_args!(
            "{style}{word:<5}{style:#}{check:<13} {text}{}",
            took.unwrap_or_default()
        ))?;
        if let Some(advice) = advice {
            self.out.line(format_args!("{:<19}{DIM}{advice}{DIM:#}", ""))?;
        }
        Ok(())
    }

    /// The exit code is that of the first thing that is bad: what comes after it may be its doing.
    fn conclude(mut self) -> Result<(), Failure> {
        let Some((kind, check)) = self.worst else {
            if self.json {
                self.out
                    .json(&json!({ "type": "verdict", "verdict": "well", "notes": self.notes }))?;
            } else {
                self.out.line(format_args!("{GOOD}well:{GOOD:#} a book is live from here"))?;
            }
            return Ok(self.out.flush()?);
        };
        if self.json {
            let line = json!({
                "type": "verdict",
                "verdict": "ill",
                "check": check,
                "exit_code": kind.code(),
                "notes": self.notes,
            });
            self.out.json(&line)?;
        }
        self.out.flush()?;
        Err(Failure::words(kind, format_args!("{check}: see above for what to do")))
    }
}

fn line(found: &Finding) -> Value {
    let mut fields = Map::new();
    let (verdict, advice) = match &found.verdict {
        Verdict::Fine => ("ok", None),
        Verdict::Note(advice) => ("note", Some(advice)),
        Verdict::Bad(_, advice) => ("bad", Some(advice)),
        Verdict::Skipped => ("skipped", None),
    };
    fields.insert("type".into(), "check".into());
    fields.insert("check".into(), found.check.into());
    fields.insert("verdict".into(), verdict.into());
    fields.insert("text".into(), found.text.as_str().into());
    if let Some(advice) = advice {
        fields.insert("advice".into(), advice.as_str().into());
    }
    if let Some(took) = found.took {
        fields.insert("took_ms".into(), u64::try_from(took.as_millis()).unwrap_or(u64::MAX).into());
    }
    fields.into()
}
