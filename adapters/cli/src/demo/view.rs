//! Where the show is seen: a screen, lines, or JSON.

use std::io::IsTerminal as _;

use serde_json::json;

use crate::args::DemoArgs;
use crate::demo::lines::Lines;
use crate::demo::scene::{Scene, Verdict};
use crate::demo::screen::{Screen, Wish};
use crate::exit::Failure;
use crate::out::Out;
use crate::words::{self, State};

pub(crate) enum View {
    Screen(Screen),
    Lines(Lines),
    Json(Out),
}

/// Whether the demo takes the terminal over.
pub(crate) fn is_on_screen(args: &DemoArgs) -> bool {
    let dumb = std::env::var_os("TERM").is_some_and(|term| term == "dumb");
    !args.json && !args.plain && !dumb && std::io::stdout().is_terminal()
}

impl View {
    pub(crate) fn new(args: &DemoArgs) -> Result<Self, Failure> {
        Ok(if args.json {
            Self::Json(Out::new())
        } else if is_on_screen(args) {
            Self::Screen(Screen::open()?)
        } else {
            Self::Lines(Lines::new())
        })
    }

    pub(crate) fn open(&mut self, scene: &Scene) -> Result<(), Failure> {
        match self {
            Self::Screen(_) => {}
            Self::Lines(lines) => lines.open(scene)?,
            Self::Json(out) => {
                let symbols: Vec<_> =
                    scene.books.iter().map(|row| row.symbol.to_string()).collect();
                out.json(&json!({
                    "type": "demo", "url": scene.url, "runtime": scene.runtime, "symbols": symbols,
                }))?;
                out.flush()?;
            }
        }
        Ok(())
    }

    /// An act begins.
    pub(crate) fn broken(&mut self, scene: &Scene, act: usize) -> Result<(), Failure> {
        let Some(act) = scene.acts.get(act) else { return Ok(()) };
        let faults: Vec<String> = act.faults.iter().map(ToString::to_string).collect();
        let faults = faults.join("; ");
        match self {
            Self::Screen(_) => {}
            Self::Lines(lines) => lines.broken(scene.now, act.title, &faults)?,
            Self::Json(out) => {
                let at_ms = scene.now.as_nanos() / 1_000_000;
                let title = act.title;
                let line =
                    json!({"type": "fault", "at_ms": at_ms, "title": title, "fault": faults});
                out.json(&line)?;
            }
        }
        Ok(())
    }

    /// An act ends.
    pub(crate) fn healed(&mut self, scene: &Scene, _: usize) -> Result<(), Failure> {
        if let (Self::Lines(lines), Some(row)) = (self, scene.log.back()) {
            lines.log(row)?;
        }
        Ok(())
    }

    /// The client says something.
    pub(crate) fn state(&mut self, scene: &Scene, state: &State) -> Result<(), Failure> {
        match self {
            Self::Screen(_) => {}
            Self::Lines(lines) => {
                if let Some(row) = scene.log.back() {
                    lines.log(row)?;
                }
            }
            Self::Json(out) => {
                let symbol = state.topic.and_then(|topic| scene.symbol(topic));
                out.json(&state.json(symbol))?;
            }
        }
        Ok(())
    }

    /// Time for another look.
    pub(crate) fn frame(&mut self, scene: &Scene) -> Result<Wish, Failure> {
        match self {
            Self::Screen(screen) => return screen.draw(scene),
            Self::Lines(lines) => lines.frame(scene)?,
            Self::Json(out) => out.flush()?,
        }
        Ok(Wish::More)
    }

    /// The end: what was healed, and how the books compare.
    pub(crate) fn close(self, scene: &Scene, books: &[Verdict]) -> Result<(), Failure> {
        match self {
            Self::Screen(screen) => {
                screen.leave()?;
                Lines::new().verdict(scene, books)?;
            }
            Self::Lines(mut lines) => lines.verdict(scene, books)?,
            Self::Json(mut out) => close_json(&mut out, scene, books)?,
        }
        Ok(())
    }
}

fn close_json(out: &mut Out, scene: &Scene, books: &[Verdict]) -> Result<(), Failure> {
    out.json(&words::summary(&scene.stats))?;
    for act in &scene.acts {
        let [seen, live] = act.times().map(|time| time.map(|time| time.as_millis() as u64));
        out.json(&json!({
            "type": "healed", "title": act.title, "seen_after_ms": seen, "live_after_ms": live,
        }))?;
    }
    for book in books {
        out.json(&json!({
            "type": "verdict", "symbol": book.symbol.as_str(), "sequence": book.sequence,
            "live": book.equal.is_some(), "equal": book.equal, "levels": book.levels,
        }))?;
    }
    Ok(out.flush()?)
}
