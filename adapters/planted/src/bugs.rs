//! The bugs: which there are, and how each of them changes the place that its marker names.

use std::panic::Location;

/// One bug.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bug {
    /// What its marker says: `// planted: <slug>` directly above the place in the core.
    pub(crate) slug: &'static str,
    /// What it is, in a few words.
    pub(crate) name: &'static str,
    /// What it makes of its place.
    pub(crate) edit: Edit,
    /// Who must find it.
    pub(crate) by: By,
    /// Where it is listed.
    pub(crate) listed: &'static Location<'static>,
}

/// Who must find a bug. Whoever else finds it is told, too.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum By {
    /// The swarm: one seed after the other.
    Simulation,
    /// Every short history of a tiny market.
    SmallWorld,
    /// What a client holds after an hour and after a day.
    Memory,
}

impl Bug {
    const fn by(self, by: By) -> Self {
        Self { by, ..self }
    }
}

/// What happens to the statement or the match arm below the marker while the bug is on.
///
/// The texts are Rust. In each of them `{right}` is what stands in the core: the whole statement or
/// the body of the arm, and for the edits of expressions the expression, in parentheses.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Edit {
    /// The statement, or the body of the arm, is not executed.
    Skip,
    /// Other statements are executed in place of the statement, or of the body of the arm.
    Instead(&'static str),
    /// Statements are executed before it, or before the body of the arm.
    Before(&'static str),
    /// Statements are executed behind it.
    After(&'static str),
    /// The condition of the `if` or `while`, or the guard of the arm, is another. Of a condition
    /// with `let`, that is what follows the last `let`.
    Condition(&'static str),
    /// The value of the `let`, assignment, `return`, last expression of a block, or arm is another.
    Value(&'static str),
    /// The operator that such a condition or else such a value consists of is another.
    Operator(&'static str),
}

#[track_caller]
pub(crate) const fn bug(slug: &'static str, name: &'static str, edit: Edit) -> Bug {
    Bug { slug, name, edit, by: By::Simulation, listed: Location::caller() }
}

use Edit::{After, Before, Condition, Instead, Operator, Skip, Value};

/// All of them, the books' first. A bug's number is its place in the list, counted from 1.
pub(crate) const BUGS: &[Bug] = &[
    bug("gap-unseen", "gaps are not looked for", Condition("false")),
    bug("gap-ignored", "a gap does not end the book", Skip),
    bug(
        "last-of-snapshot-again",
        "`<` for `<=`: the last delta of a snapshot is no repeat",
        Operator("<"),
    ),
    bug("stale-snapshot", "stale snapshots are accepted", Value("false")),
    bug("other-symbol", "snapshots of other symbols are accepted", Condition("false")),
    bug("other-request", "answers to other requests are accepted", Value("true")),
    bug("endless-buffer", "buffers have no end", Value("false")),
    bug("restart-unseen", "a restart of the counter is taken for repeats", Value("None"))
        .by(By::SmallWorld),
    bug("poison-skipped", "a delta that cannot be decoded is skipped", Skip),
    bug("cut-is-whole", "a cut snapshot is taken for the whole book", Value("true")),
    bug("dropped-silently", "levels are dropped without saying so", Skip),
    bug(
        "removal-adds",
        "the removal of an unknown level adds one",
        Value("match {right} { (was, is) => (was, is || !was) }"),
    ),
    // The first run of a book has this number.
    bug("same-epoch", "a new run of a book has the old one's number", Value("1")),
    bug("told-twice", "changes are told twice", Before("{right}")),
    bug("lag-untold", "what was dropped is not owned up to", Skip),
    bug("silence-believed", "a silent stream is a still market", Skip),
    bug("books-outlive-line", "books outlive the connection", Value("false")),
    bug(
        "any-line-carries",
        "what a line brings is taken though it was not asked for it",
        Condition("!entry.is_wanted()"),
    ),
    bug("lines-filled-up", "one line is filled up before the next", Condition("load >= room")),
    bug(
        "no-resubscribe",
        "nothing is subscribed after a reconnect",
        Instead("if self.cx.stats.reconnects == 0 { {right} }"),
    ),
    bug("refused-for-good", "a topic that was put off is never asked for again", Skip),
    bug("one-refusal-rejects", "one refusal outranks what a topic has said", Condition("true")),
    bug("ack-for-all", "an ack answers all that was asked", Before("self.sent.clear();")),
    bug("no-ack-deadline", "what is not acknowledged is not asked again", Skip),
    bug("endless-frame", "frames may hold any number of symbols", Value("usize::MAX")),
    bug("no-first-ping", "pings wait for traffic", Skip),
    bug("no-pong-deadline", "nobody waits for pongs", Skip),
    bug("any-pong", "any pong will do", Value("self.awaiting.is_some()")),
    bug("any-welcome", "any welcome will do", Condition("false")),
    bug(
        "endless-greeting",
        "a welcome is waited for without end",
        Instead("cx.timers.clear(self.timer(LineTimer::Phase));"),
    ),
    bug("connect-forgives", "a connect forgives all failures", After("self.backoff.reset();")),
    bug(
        "endless-renewal",
        "refused tokens are renewed without end",
        Before("self.refused_once = false;"),
    ),
    bug("token-twice", "a token is used twice", Value("self.endpoint.clone()")),
    bug(
        "half-span",
        "budgets are counted over half their time",
        Condition("at + self.span / 2 > now"),
    ),
    bug("tokens-unlimited", "tokens have no budget", Condition("false")),
    bug("wait-ignored", "the time that a 429 names is ignored", Skip),
    bug("snapshots-at-once", "snapshots follow each other at once", Value("Instant::ZERO")),
    bug("endless-request", "a request that is never answered is waited for", Skip),
    bug("token-shown", "addresses are shown with their tokens", Value("&*self.url")),
    bug(
        "repeats-uncounted",
        "repeats are not counted",
        Instead("if disposition != Disposition::Repeat { {right} }"),
    ),
    bug(
        "early-deadline",
        "deadlines are told too early",
        Value(
            "match {right} { (at, timer) => \
             (Instant::from_nanos(at.as_nanos().saturating_sub(1_000_000)), timer) }",
        ),
    ),
    bug(
        "eight-even-digits",
        "a snapshot's size of eight even digits is another number",
        Value("true"),
    ),
    // Four of the eight digits of a word are behind its 31st bit.
    bug(
        "price-digit-lost",
        "a delta's price has one digit less before its point",
        Value("{right}.behind(31)"),
    ),
    bug(
        "long-size",
        "a delta's size of more than eight digits is too small",
        Value("{right} / 10"),
    ),
    bug("horizon-unseen", "the market may leave the horizon", Value("false")),
    bug("crossed-unseen", "a book may be crossed for ever", Condition("false")),
    bug("silence-untold", "a topic falls silent without a word", Skip),
    bug("speech-untold", "a silent topic speaks again without a word", Skip),
    bug(
        "pings-starved",
        "subscriptions use up what is kept for pings",
        Value("self.sends.ready_at(cx.now, 1, 0)"),
    ),
    bug(
        "sends-bunched",
        "nothing is left for messages that bunch up on their way",
        Value("SlidingWindow::new(cx.config.budgets.sends_per_10s, SEND_SPAN * 10 / 11)"),
    ),
    bug(
        "restart-untold",
        "a restart of the counter is told as something else",
        Instead("self.invalidate(cx, BookLostReason::Crossed, BookDelayReason::Gap);"),
    ),
    bug(
        "clock-back-forgets",
        "a clock that steps back takes the deadline of a connect or a welcome along",
        Before(
            "if now < self.now { self.timers.clear(crate::timers::Timer::Line(\
             crate::ids::LineId::new(0), crate::timers::LineTimer::Phase)); }",
        ),
    ),
    bug("trades-remembered", "every trade is remembered for ever", Condition("false"))
        .by(By::Memory),
    bug(
        "first-words-are-repeats",
        "what a new line says of the past is not looked at",
        Value("true"),
    )
    .by(By::SmallWorld),
    bug(
        "silent-run-for-ever",
        "a run that is buffered speaks against snapshots for ever",
        Value("true"),
    )
    .by(By::SmallWorld),
    bug("ahead-for-ever", "a snapshot ahead of a silent stream is waited out for ever", Skip)
        .by(By::SmallWorld),
    bug(
        "named-wait-counts",
        "a refusal that names its own wait is a failure in the row",
        Before("self.backoff.next(rng);"),
    ),
    bug("overlap-unseen", "a stream that contradicts the snapshot goes on", Condition("false"))
        .by(By::SmallWorld),
    bug("no-change-believed", "a delta that changes nothing leaves no doubt", Value("false"))
        .by(By::SmallWorld),
    bug("data-of-another", "topic and data may be of different contracts", Value("Ok(message)")),
    bug(
        "subject-guessed",
        "a subject that nobody knows is read as the known one",
        Value("{right}.or(subjects.first().map(|(_, read)| *read))"),
    ),
    bug(
        "columns-of-rest",
        "the columns of a candle are in the order of REST",
        Value(
            "{ let it = {right}; \
             Self { high: it.close, low: it.high, close: it.low, ..it } }",
        ),
    ),
    bug(
        "absent-side-swaps",
        "the sides of a depth are swapped when one is absent",
        Value(
            "match {right} { (None, asks) => (asks, None), (bids, None) => (None, bids), \
             both => both }",
        ),
    ),
    bug(
        "estimate-is-charged",
        "the estimate of funding is taken for what is charged",
        Value("false"),
    ),
    bug(
        "old-time-unread",
        "the nanoseconds of an old depth are no time",
        Value("self.time(key, Unit::Millis)"),
    ),
    bug(
        "repeat-is-new",
        "tickers and trades are handed out as often as they come",
        Condition("false"),
    ),
    bug("missed-untold", "what may be missing after a reconnect is not told", Skip),
    bug("stop-order-stays", "a stop order that was triggered or canceled goes on to wait", Skip),
];

#[cfg(test)]
mod tests {
    use super::*;

    /// The page says which promise each bug breaks: it names all of them, and no others.
    #[test]
    fn the_record_of_checks_names_every_bug_once() {
        let page = include_str!("../../../docs/checks.md");
        let is_slug = |word: &&str| {
            word.contains('-') && word.chars().all(|c| c.is_ascii_lowercase() || c == '-')
        };
        let mut named: Vec<&str> = page.split('`').skip(1).step_by(2).filter(is_slug).collect();
        let mut listed: Vec<&str> = BUGS.iter().map(|bug| bug.slug).collect();
        named.sort_unstable();
        listed.sort_unstable();
        assert_eq!(named, listed);
    }
}
