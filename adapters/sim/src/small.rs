//! The small world: every history of a tiny market up to a length, and every claim of a client in it.
//!
//! The swarm draws long histories of big markets; this goes through *all* short ones of a market with
//! two bids and an ask. What can happen is one of twelve [`Letter`]s: a change that arrives or is lost, a
//! repeat, a counter that is set back, a snapshot that is fresh or old, a new connection, time. After
//! every letter two questions are asked of the real [`Client`]:
//!
//! * **Is its claim justified?** A live book claims to be the exchange's at its sequence. Where the
//!   market was never there, a *story* is looked for: a history of the exchange that fits everything
//!   the client was given and makes the claim true (`small/story.rs`). A claim without a story is a
//!   defect, see [`Report::unjustified`]. One whose cheapest story needs more faults than what
//!   happened is one that a better rule could win, see [`Report::costlier`].
//! * **Does it come back?** From every history up to a length the exchange goes on without any fault,
//!   once with a market that moves and once with one that stands still; the book must become live, see
//!   [`Report::stuck`].
//!
//! [`Client`]: kucoin_futures_proto::Client

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use letters::LONGEST;
use life::Life;
use story::Explained;

mod letters;
mod life;
mod market;
mod story;
mod two_lines;

pub use letters::{Letter, Times};

/// How much of the small world is gone through.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct Extent {
    /// Letters of a history.
    pub depth: usize,
    /// Letters after which it is asked whether the book comes back; at most `depth`.
    pub live_depth: usize,
    /// What is said of times.
    pub times: Times,
    /// Lines that carry the book: 1, or 2.
    pub lines: u8,
    /// Threads.
    pub threads: usize,
}

impl Extent {
    /// Every history of `depth` letters, from 2 to 12, and of all that are two shorter whether the book
    /// comes back.
    #[must_use]
    pub fn new(depth: usize, times: Times) -> Self {
        let threads = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        let depth = depth.clamp(2, LONGEST);
        Self { depth, live_depth: depth.saturating_sub(2), times, lines: 1, threads }
    }

    /// The same with two lines that carry the book: the second one brings what the first one does, or did not,
    /// later.
    #[must_use]
    pub fn on_two_lines(self) -> Self {
        Self { lines: 2, ..self }
    }
}

/// Claims of a kind.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
#[non_exhaustive]
pub struct Kind {
    /// How many there are.
    pub claims: u64,
    /// The shortest history that ends in one.
    pub example: String,
}

impl Kind {
    fn add(&mut self, claims: u64, example: &str) {
        self.claims += claims;
        let is_shorter = || (example.len(), example) < (self.example.len(), &self.example);
        if self.example.is_empty() || is_shorter() {
            example.clone_into(&mut self.example);
        }
    }
}

/// What was found.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
#[non_exhaustive]
pub struct Report {
    /// Histories of full length. Letters that change nothing, such as a snapshot that nobody asks
    /// for, are not followed.
    pub histories: u64,
    /// Times that a book was said to be somewhere.
    pub claims: u64,
    /// Claims where the market never was.
    pub wrong: u64,
    /// Wrong claims whose story needs no more faults than what happened: no client can tell.
    pub as_likely: u64,
    /// Wrong claims whose cheapest story has more faults than what happened, by the kinds of fault
    /// that happened and how many more the story has.
    pub costlier: BTreeMap<String, Kind>,
    /// Claims as likely as the truth, unless the exchange's clocks are taken to be exact: then their
    /// stories need more faults, too.
    pub against_the_clock: BTreeMap<String, Kind>,
    /// Claims without a story, not even one that begins anywhere: by the kinds of fault.
    pub unjustified: BTreeMap<String, Kind>,
    /// Histories after which it was asked whether the book comes back.
    pub recoveries: u64,
    /// Histories after which it does not.
    pub stuck: BTreeMap<String, Kind>,
    /// The longest that it took, in a market that moves and in one that stands still.
    pub longest: [Duration; 2],
    /// Panics, and whatever else ended a history.
    pub broken: BTreeMap<String, Kind>,
}

impl Report {
    /// Whether every claim is justified and every book comes back.
    #[must_use]
    pub fn is_sound(&self) -> bool {
        self.unjustified.is_empty() && self.stuck.is_empty() && self.broken.is_empty()
    }

    fn add(&mut self, other: Self) {
        self.histories += other.histories;
        self.claims += other.claims;
        self.wrong += other.wrong;
        self.as_likely += other.as_likely;
        self.recoveries += other.recoveries;
        for (longest, other) in self.longest.iter_mut().zip(other.longest) {
            *longest = (*longest).max(other);
        }
        let kinds = [
            (&mut self.costlier, other.costlier),
            (&mut self.against_the_clock, other.against_the_clock),
            (&mut self.unjustified, other.unjustified),
            (&mut self.stuck, other.stuck),
            (&mut self.broken, other.broken),
        ];
        for (kinds, other) in kinds {
            for (name, kind) in other {
                kinds.entry(name).or_default().add(kind.claims, &kind.example);
            }
        }
    }

    /// Claims whose cheapest story has more faults than what happened.
    #[must_use]
    pub fn costlier_claims(&self) -> u64 {
        self.costlier.values().map(|kind| kind.claims).sum()
    }
}

/// A table for people.
impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "{} histories, {} claims, {} of them wrong; of these {} as likely as the truth",
            self.histories, self.claims, self.wrong, self.as_likely
        )?;
        writeln!(
            f,
            "{} recoveries; the longest took {:.1} s in a moving market, {:.1} s in a still one",
            self.recoveries,
            self.longest[0].as_secs_f64(),
            self.longest[1].as_secs_f64()
        )?;
        let lists = [
            ("unjustified", &self.unjustified),
            ("stuck", &self.stuck),
            ("broken", &self.broken),
            ("needs more faults than the truth", &self.costlier),
            ("against the clock", &self.against_the_clock),
        ];
        for (name, kinds) in lists {
            let sum: u64 = kinds.values().map(|kind| kind.claims).sum();
            writeln!(f, "{name}: {sum}")?;
            for (kind, Kind { claims, example }) in kinds {
                writeln!(f, "{claims:>10}  {kind}: {example}")?;
            }
        }
        Ok(())
    }
}

/// Goes through it all.
#[must_use]
pub fn explore(extent: Extent) -> Report {
    let letters = Letter::with(extent.lines);
    let first: Vec<[Letter; 2]> =
        letters.iter().flat_map(|&one| letters.iter().map(move |&other| [one, other])).collect();
    let (next, sum) = (AtomicUsize::new(0), Mutex::new(Report::default()));
    let work = || {
        let mut search = Search { extent, report: Report::default() };
        while let Some(prefix) = first.get(next.fetch_add(1, Ordering::Relaxed)) {
            search.begin_with(prefix);
        }
        let mut sum = sum.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        sum.add(search.report);
    };
    std::thread::scope(|scope| {
        for _ in 0..extent.threads.max(1) {
            scope.spawn(work);
        }
    });
    sum.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner)
}

/// One history, letter for letter: where the market is and what the client says.
///
/// # Errors
/// A letter that is none of the words in `text`, which are separated by white space.
pub fn tell(text: &str, times: Times) -> Result<String, String> {
    let lines = if text.split_whitespace().any(is_of_two) { 2 } else { 1 };
    let mut life = Life::new(times, lines);
    let mut told = format!("{:<10} {}\n", "", life.describe());
    for word in text.split_whitespace() {
        let letter = Letter::ALL.into_iter().find(|letter| letter.word() == word);
        let letter = letter.ok_or_else(|| {
            let words: Vec<&str> = Letter::ALL.iter().map(|letter| letter.word()).collect();
            format!("`{word}` is none of {}", words.join(", "))
        })?;
        let said = if life.live(letter) { life.describe() } else { "changes nothing".into() };
        told.push_str(&format!("{word:<10} {said}\n"));
    }
    Ok(told)
}

/// Whether a word is a letter of two lines.
fn is_of_two(word: &str) -> bool {
    let of_one = Letter::with(1);
    Letter::ALL.iter().any(|letter| letter.word() == word && !of_one.contains(letter))
}

struct Search {
    extent: Extent,
    report: Report,
}

impl Search {
    /// The first two letters are one piece of work; what is found on the way to them is told once.
    fn begin_with(&mut self, prefix: &[Letter; 2]) {
        let Some(first) = self.follow(&Life::new(self.extent.times, self.extent.lines), prefix[0])
        else {
            return;
        };
        if Letter::with(self.extent.lines).last() == Some(&prefix[1]) {
            self.look_at(&first);
        }
        if let Some(second) = self.follow(&first, prefix[1]) {
            self.look_at(&second);
            self.descend(&second);
        }
    }

    fn descend(&mut self, life: &Life) {
        if life.letters().len() >= self.extent.depth {
            self.report.histories += 1;
            return;
        }
        for &letter in Letter::with(self.extent.lines) {
            if let Some(next) = self.follow(life, letter) {
                self.look_at(&next);
                self.descend(&next);
            }
        }
    }

    /// The life with one letter more; `None` if that changes nothing.
    fn follow(&mut self, life: &Life, letter: Letter) -> Option<Life> {
        let mut next = life.clone();
        let lived = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| next.live(letter)));
        match lived {
            Ok(true) => Some(next),
            Ok(false) => None,
            Err(_) => {
                let example = format!("{} {}", words(life.letters()), letter.word());
                self.report.broken.entry("panic".into()).or_default().add(1, &example);
                None
            }
        }
    }

    fn look_at(&mut self, life: &Life) {
        if let Some(problem) = life.problem() {
            let example = words(life.letters());
            self.report.broken.entry(problem.into()).or_default().add(1, &example);
        }
        self.judge(life);
        if life.letters().len() <= self.extent.live_depth {
            self.recover(life);
        }
    }

    fn judge(&mut self, life: &Life) {
        let Some(claim) = life.claim() else { return };
        self.report.claims += 1;
        if life.market().was_at(claim) {
            return;
        }
        self.report.wrong += 1;
        let (faults, kind) = faults_of(life.letters());
        let example = words(life.letters());
        if self.extent.lines > 1 {
            if two_lines::has_story(life.streams(), claim, faults) {
                self.report.as_likely += 1;
            } else {
                self.report.unjustified.entry(kind).or_default().add(1, &example);
            }
            return;
        }
        let heard = life.heard();
        match story::explain(heard, claim, faults) {
            Explained::AsLikely => {
                self.report.as_likely += 1;
                let times = self.extent.times != Times::Absent;
                if times && !story::fits_exactly(heard, claim, faults) {
                    self.report.against_the_clock.entry(kind).or_default().add(1, &example);
                }
            }
            Explained::Costlier(more) => {
                let kind = format!("{kind}, +{more}");
                self.report.costlier.entry(kind).or_default().add(1, &example);
            }
            Explained::FromAnywhere => {
                let kind = format!("{kind}, from another start");
                self.report.costlier.entry(kind).or_default().add(1, &example);
            }
            Explained::Never => {
                self.report.unjustified.entry(kind).or_default().add(1, &example);
            }
        }
    }

    fn recover(&mut self, life: &Life) {
        self.report.recoveries += 1;
        for (number, moving) in [(0, true), (1, false)] {
            match life.clone().recover(moving) {
                Some(time) => {
                    if let Some(longest) = self.report.longest.get_mut(number) {
                        *longest = (*longest).max(time);
                    }
                }
                None => {
                    let (_, kind) = faults_of(life.letters());
                    let kind = format!("{kind}, {}", if moving { "moving" } else { "still" });
                    let example = words(life.letters());
                    self.report.stuck.entry(kind).or_default().add(1, &example);
                }
            }
        }
    }
}

/// How many faults, and of which kinds.
fn faults_of(letters: &[Letter]) -> (usize, String) {
    let mut kinds: BTreeMap<&str, usize> = BTreeMap::new();
    for fault in letters.iter().filter_map(|letter| letter.fault()) {
        *kinds.entry(fault).or_default() += 1;
    }
    let names: Vec<String> = kinds.iter().map(|(kind, count)| format!("{count} {kind}")).collect();
    let name = if names.is_empty() { "no fault".into() } else { names.join(", ") };
    (kinds.values().sum(), name)
}

fn words(letters: &[Letter]) -> String {
    let words: Vec<&str> = letters.iter().map(|letter| letter.word()).collect();
    words.join(" ")
}

#[cfg(test)]
mod tests;
