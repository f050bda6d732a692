//! The bugs: what stands in the core, and what stands there instead once the bug is switched on.

/// One bug.
pub(crate) struct Bug {
    /// What it is, in a few words.
    pub(crate) name: &'static str,
    /// Where, below `core/src`.
    pub(crate) file: &'static str,
    /// What is right; must stand there exactly once.
    pub(crate) right: &'static str,
    /// What is wrong. With `{on}` in it, the text that replaces the right one, where `{on}` says
    /// whether the bug is switched on; without, an expression or statement like the right one.
    pub(crate) wrong: &'static str,
}

const fn bug(
    name: &'static str,
    file: &'static str,
    right: &'static str,
    wrong: &'static str,
) -> Bug {
    Bug { name, file, right, wrong }
}

/// All of them, the books' first.
pub(crate) const BUGS: &[Bug] = &[
    bug("gaps are not looked for", "book.rs", "expected != Some(delta.sequence)", "false"),
    bug(
        "a gap does not end the book",
        "book/sync.rs",
        "self.resync(cx, ResyncReason::Gap { expected, got: delta.sequence });\n                self.buffer",
        "if !{on} { self.resync(cx, ResyncReason::Gap { expected, got: delta.sequence }); }\n                self.buffer",
    ),
    bug(
        "`<` for `<=`: the last delta of a snapshot is no repeat",
        "book.rs",
        "delta.sequence <= self.sequence",
        "delta.sequence < self.sequence",
    ),
    bug(
        "stale snapshots are accepted",
        "book/sync.rs",
        "!(self.is_before_run(snapshot) || self.is_before_past(snapshot) || is_unproven)",
        "true",
    ),
    bug(
        "`<=` for `<`: one delta may be missing behind a snapshot",
        "book/sync.rs",
        "next.is_some_and(|next| next < first)",
        "next.and_then(|n| n.next()).is_some_and(|next| next < first)",
    ),
    bug(
        "snapshots of other symbols are accepted",
        "book/sync.rs",
        "snapshot.symbol != symbol",
        "false",
    ),
    bug(
        "answers to other requests are accepted",
        "book/sync.rs",
        "self.request == Some(request)",
        "true",
    ),
    bug("buffers have no end", "book/pending.rs", "self.run.len() >= cap", "false"),
    bug(
        "a restart of the counter is taken for repeats",
        "book/watch.rs",
        "step_back >= RESTART_STEP || self.repeats >= RESTART_REPEATS || differs",
        "false",
    ),
    bug(
        "a delta that cannot be decoded is skipped",
        "book/sync.rs",
        "self.doubt(cx, ResyncReason::Poisoned(error), Delay::Poisoned(error));",
        "{}",
    ),
    bug(
        "a cut snapshot is taken for the whole book",
        "book/side/loading.rs",
        "half.complete < cut_at && self.left_out == 0",
        "true",
    ),
    bug("levels are dropped without saying so", "book/side.rs", "self.reach_to(worst);", "{}"),
    bug(
        "the removal of an unknown level adds one",
        "book/side/pages.rs",
        "(page.taken & mask != 0, size != 0)",
        "(page.taken & mask != 0, size != 0 || {on} && page.taken & mask == 0)",
    ),
    bug(
        "a new run of a book has the old one's number",
        "book/sync.rs",
        "self.epoch = self.epoch.saturating_add(1);",
        "self.epoch = self.epoch.max(1);",
    ),
    bug(
        "changes are told twice",
        "book/sync.rs",
        "cx.delta_event(self.topic, delta);",
        "{ cx.delta_event(self.topic, delta); cx.delta_event(self.topic, delta); }",
    ),
    bug(
        "what was dropped is not owned up to",
        "shared.rs",
        "self.queue.push_back(Output::Event(Event::Lagged { dropped: in_all }));",
        "{}",
    ),
    bug("books outlive the connection", "line.rs", "topics.on_line_down(cx, self.id);", "{}"),
    bug(
        "nothing is subscribed after a reconnect",
        "line.rs",
        "self.subs.subscribe(topic, entry.channel.kind());\n        }\n    }\n\n    pub(crate) fn on_pong",
        "if !{on} || self.session.failures() == 0 { self.subs.subscribe(topic, entry.channel.kind()); }\n        }\n    }\n\n    pub(crate) fn on_pong",
    ),
    bug(
        "an ack answers all that was asked",
        "subscription.rs",
        "match self.take(id) {\n            Some(batch) => self.done(batch),",
        "match self.take(id) {\n            Some(batch) if {on} => { self.sent.clear(); self.done(batch) }\n            Some(batch) => self.done(batch),",
    ),
    bug(
        "what is not acknowledged is not asked again",
        "line.rs",
        "Some(deadline) => cx.timers.set(timer, deadline),",
        "Some(deadline) => if !{on} { cx.timers.set(timer, deadline) },",
    ),
    bug(
        "frames may hold any number of symbols",
        "subscription.rs",
        "let mut room = self.symbols_per_frame;",
        "let mut room = if {on} { usize::MAX } else { self.symbols_per_frame };",
    ),
    bug(
        "pings wait for traffic",
        "line.rs",
        "cx.timers.set(self.timer(LineTimer::Ping), cx.now + interval);",
        "{}",
    ),
    bug(
        "nobody waits for pongs",
        "line.rs",
        "cx.timers.set(self.timer(LineTimer::Pong), cx.now + timeout);",
        "{}",
    ),
    bug("any pong will do", "keepalive.rs", "id == Some(awaited)", "true || id == Some(awaited)"),
    bug(
        "any welcome will do",
        "line.rs",
        "welcome.id.is_some_and(|id| !id.is(&self.connect_id))",
        "false",
    ),
    bug(
        "a welcome is waited for without end",
        "line.rs",
        "cx.timers.set(self.timer(LineTimer::Phase), cx.now + cx.config.welcome_timeout);",
        "cx.timers.clear(self.timer(LineTimer::Phase));",
    ),
    bug(
        "a connect forgives all failures",
        "session.rs",
        "self.ready_since = Some(now);",
        "{ self.ready_since = Some(now); self.backoff.reset(); }",
    ),
    bug(
        "refused tokens are renewed without end",
        "session.rs",
        "!core::mem::replace(&mut self.refused_once, true)",
        "true",
    ),
    bug(
        "a token is used twice",
        "line.rs",
        "let Some(to) = self.endpoint.take() else { return };",
        "let Some(to) = (if {on} { self.endpoint.clone() } else { self.endpoint.take() }) else { return };",
    ),
    bug(
        "budgets are counted over half their time",
        "limiter.rs",
        "if at + self.span > now {\n                break;",
        "if at + (if {on} { self.span / 2 } else { self.span }) > now {\n                break;",
    ),
    bug(
        "tokens have no budget",
        "desk.rs",
        "            if ready > cx.now {\n                return Some(ready);\n            }\n            self.lines.pop_front();",
        "            if ready > cx.now && !{on} {\n                return Some(ready);\n            }\n            self.lines.pop_front();",
    ),
    bug(
        "the time that a 429 names is ignored",
        "desk.rs",
        "self.blocked_until = self.blocked_until.max(until);",
        "{}",
    ),
    bug(
        "snapshots follow each other at once",
        "book/sync.rs",
        "(cx.now + delay).max(spaced).max(self.poison.paused_until())",
        "(cx.now + delay / 4).max(self.poison.paused_until())",
    ),
    bug(
        "a request that is never answered is waited for",
        "desk.rs",
        "cx.timers.set(Timer::Request(request), cx.now + timeout + SLACK);",
        "{}",
    ),
    bug(
        "addresses are shown with their tokens",
        "endpoint.rs",
        "self.url.get(..self.authority.1).unwrap_or_default()",
        "&*self.url",
    ),
    bug(
        "repeats are not counted",
        "book/sync.rs",
        "Verdict::Repeat => cx.stats.repeats = cx.stats.repeats.saturating_add(1),",
        "Verdict::Repeat => if !{on} { cx.stats.repeats = cx.stats.repeats.saturating_add(1) },",
    ),
    bug(
        "deadlines are told too early",
        "client.rs",
        "Some(Deadline::new(at, reason(timer)))",
        "Some(Deadline::new(Instant::from_nanos(at.as_nanos().saturating_sub(1_000_000)), reason(timer)))",
    ),
    bug(
        "a snapshot's size of eight even digits is another number",
        "wire/level2/level.rs",
        "bracket.wrapping_sub(8) < 56",
        "true",
    ),
    bug(
        "a delta's price has one digit less before its point",
        "wire/level2/change.rs",
        "let whole = last_digits(frame, point, whole_len)?;",
        "let whole = last_digits(frame, point, if {on} { whole_len.min(4) } else { whole_len })?;",
    ),
    bug(
        "a delta's size of more than eight digits is too small",
        "wire/level2/change.rs",
        "let size = first.value().wrapping_mul(100_000_000)",
        "let size = first.value().wrapping_mul(if {on} { 10_000_000 } else { 100_000_000 })",
    ),
];
