//! The exchange: REST, its clock, and every step to a live book.

use std::time::Duration;

use kucoin_futures_data::{Recorder, RecorderOptions};
use kucoin_futures_host::{Next, Update, credentials_from_env, unix_now};
use kucoin_futures_proto::{
    BookEvent, Channel, Config, Currency, DisconnectReason, Event, Instant, LineEvent, Message,
    Query, Symbol, TopicEvent, TopicId,
};

use super::steps::Steps;
use super::{Finding, Report, Verdict, steady};
use crate::args::{Connect, DoctorArgs};
use crate::exit::{Failure, Kind};
use crate::feed::Feed;
use crate::tap::Taps;
use crate::words::{State, Tone};

/// What is looked at here, in order.
pub(super) const CHECKS: [&str; 12] = [
    "rest",
    "clock",
    "token",
    "socket",
    "welcome",
    "subscription",
    "book",
    "change",
    steady::CHECKS[0],
    steady::CHECKS[1],
    "limits",
    "account",
];

/// What an answer of REST may take.
const PATIENCE: Duration = Duration::from_secs(15);

/// A step that takes longer works, and costs that much at each reconnect.
const SLOW: Duration = Duration::from_secs(1);
const SLOW_ADVICE: &str = "that is slow: each reconnect takes as long. A machine nearer to the exchange, or another network";

pub(super) fn look(
    report: &mut Report,
    connect: &Connect,
    args: &DoctorArgs,
) -> Result<(), Failure> {
    let usage = |error| Failure::new(Kind::Usage, error);
    let symbol: Symbol = args.symbol.parse().map_err(usage)?;
    let config = Config::with_rest(&args.url).map_err(usage)?;
    let (credentials, problem) = match credentials_from_env() {
        Ok(credentials) => (credentials, None),
        Err(error) => (None, Some(error.to_string())),
    };
    let has_keys = credentials.is_some();
    let steps = Steps::default();
    let recorder = match &args.record {
        Some(folder) => {
            std::fs::create_dir_all(folder)?;
            Some(Recorder::create(folder, RecorderOptions::default())?)
        }
        None => None,
    };
    let more = recorder.as_ref().map(Recorder::tap);
    let tap = Taps::of([Some(Box::new(steps.clone()) as _), more].into_iter().flatten());
    let mut feed = Feed::open(connect, config, credentials, Some(Box::new(tap)))?;

    let mut course = Course::default();
    let is_there = rest(report, &mut feed, &mut course)?;
    if is_there {
        let topic = feed.subscribe(Channel::level2(symbol)).map_err(usage)?;
        course.follow(&mut feed, topic, args.timeout);
        course.tell(report, &steps, symbol)?;
        if course.live.is_some() {
            steady::look(report, &mut feed, topic, symbol, args.watch)?;
        } else {
            for check in steady::CHECKS {
                report.tell(&Finding::skipped(check, "not looked at: no book is live"))?;
            }
        }
        report.tell(&limits(&feed))?;
    } else {
        for check in &CHECKS[2..11] {
            report.tell(&Finding::skipped(check, "not looked at: REST does not answer"))?;
        }
    }
    report.tell(&account(&mut feed, &mut course, is_there, has_keys, problem))?;
    feed.close();
    if let Some(recorder) = recorder {
        drop(feed);
        recorder.finish().1?;
    }
    Ok(())
}

/// How far it has come, and what went wrong on the way.
#[derive(Default)]
struct Course {
    up: Option<Instant>,
    confirmed: Option<Instant>,
    live: Option<Instant>,
    change: Option<Instant>,
    /// What went wrong last.
    trouble: Option<Trouble>,
    /// What went wrong before the line was up, the last of it, and how often something did.
    on_the_way: Option<Trouble>,
    failures: u32,
}

#[derive(Clone)]
struct Trouble {
    text: String,
    advice: Option<&'static str>,
    kind: Kind,
}

impl Course {
    /// Asks something, and waits for what `take` makes of the answer.
    fn ask<T>(
        &mut self,
        feed: &mut Feed,
        query: Query,
        take: impl Fn(&Message<'_>) -> Option<T>,
    ) -> Result<(T, Duration), Trouble> {
        let clock = feed.clock();
        let began = clock.now();
        let failed = |text: String| Trouble { text, advice: None, kind: Kind::Network };
        let request = feed.fetch(query).map_err(|error| failed(error.to_string()))?;
        let end = began + PATIENCE;
        while clock.now() < end {
            match feed.next_within(end.since(clock.now())) {
                Next::Update(Update::Push(push)) if push.request() == Some(request) => {
                    let message = push.decode().map_err(|error| failed(error.to_string()))?;
                    let took = clock.now().since(began);
                    let taken = take(&message).ok_or_else(|| failed("an odd answer".into()))?;
                    return Ok((taken, took));
                }
                Next::Update(Update::State(event)) => {
                    self.on_event(feed, &event, clock.now());
                    if matches!(event, Event::QueryFailed { request: of, .. } if of == request) {
                        return Err(self
                            .trouble
                            .clone()
                            .unwrap_or_else(|| failed("refused".into())));
                    }
                }
                Next::Update(_) | Next::Quiet => {}
                Next::Ended => break,
            }
        }
        Err(failed(format!("no answer within {} s", PATIENCE.as_secs())))
    }

    /// Until a change came, it is clear that none will, or time is up.
    fn follow(&mut self, feed: &mut Feed, topic: TopicId, patience: Duration) {
        let clock = feed.clock();
        let end = clock.now() + patience;
        while self.change.is_none() && clock.now() < end {
            match feed.next_within(end.since(clock.now())) {
                Next::Update(Update::Book(_)) => self.change = Some(clock.now()),
                Next::Update(Update::State(event)) => {
                    self.on_event(feed, &event, clock.now());
                    let is_over = matches!(event, Event::Topic(of, TopicEvent::Rejected { .. }) if of == topic);
                    if is_over {
                        return;
                    }
                }
                Next::Update(Update::Push(_)) | Next::Quiet => {}
                Next::Ended => return,
            }
        }
    }

    fn on_event(&mut self, feed: &Feed, event: &Event, now: Instant) {
        let place = match event {
            Event::Line(_, LineEvent::Up { .. }) => &mut self.up,
            Event::Topic(_, TopicEvent::Confirmed) => &mut self.confirmed,
            Event::Book(_, BookEvent::Live { .. }) => &mut self.live,
            _ => return self.on_trouble(feed, event),
        };
        place.get_or_insert(now);
    }

    fn on_trouble(&mut self, feed: &Feed, event: &Event) {
        // That comes of what was told before.
        if matches!(event, Event::Line(_, LineEvent::Waiting { .. })) {
            return;
        }
        let state = State::of(event, feed.words_of(event), |line| feed.line_role(line));
        let Some(state) = state.filter(|state| state.tone == Tone::Bad) else { return };
        let is_auth = state.refusal.as_ref().is_some_and(|refusal| refusal.is_about_credentials());
        let kind = match event {
            Event::Topic(_, TopicEvent::Rejected { .. }) => Kind::Usage,
            Event::Line(
                _,
                LineEvent::LoginRefused { .. }
                | LineEvent::Down { reason: DisconnectReason::Unauthorized { .. }, .. },
            ) => Kind::Auth,
            _ if is_auth => Kind::Auth,
            _ => Kind::Network,
        };
        let trouble = Trouble { text: state.text(), advice: state.advice(), kind };
        if self.up.is_none() {
            self.failures += 1;
            self.on_the_way = Some(trouble.clone());
        }
        self.trouble = Some(trouble);
    }

    /// Each step: what came of it, and how long after the one before.
    fn tell(&self, report: &mut Report, steps: &Steps, symbol: Symbol) -> Result<(), Failure> {
        let marks = steps.marks();
        let all = [
            ("token", "a token", marks.token_asked, marks.opening),
            ("socket", "connected and upgraded", marks.opening, marks.opened),
            ("welcome", "the exchange says welcome", marks.opened, self.up),
            ("subscription", "confirmed", self.up, self.confirmed),
            ("book", "live", self.confirmed, self.live),
            ("change", "the first change of it", self.live, self.change),
        ];
        let mut stopped_by = None;
        for (check, text, began, done) in all {
            let found = match (done, stopped_by) {
                (_, Some(by)) => Finding::skipped(check, format!("not reached: {by}")),
                (Some(done), None) => {
                    let took = began.map(|began| done.since(began)).unwrap_or_default();
                    self.reached(check, text, symbol, took).within(took)
                }
                (None, None) => {
                    stopped_by = Some(check);
                    self.stopped(check, symbol)
                }
            };
            report.tell(&found)?;
        }
        Ok(())
    }

    fn reached(&self, check: &'static str, text: &str, symbol: Symbol, took: Duration) -> Finding {
        let text = match check {
            "subscription" | "book" => format!("{symbol}: {text}"),
            _ => text.to_owned(),
        };
        match &self.on_the_way {
            // Where it shows that it was not for good.
            Some(trouble) if check == "welcome" => {
                let count = self.failures;
                let text =
                    format!("{text}, at last: {count} failed before, the last: {}", trouble.text);
                Finding::note(
                    check,
                    text,
                    trouble.advice.unwrap_or("it passed: kcf goes on by itself"),
                )
            }
            // How long until something changes is the market's affair, and what failed before takes pauses.
            _ if took > SLOW && check != "change" && self.failures == 0 => {
                Finding::note(check, text, SLOW_ADVICE)
            }
            _ => Finding::fine(check, text),
        }
    }

    fn stopped(&self, check: &'static str, symbol: Symbol) -> Finding {
        if check == "change" {
            let text = format!("{symbol}: nothing has changed yet");
            return Finding::note(check, text, "a still market, or --timeout is too short to see");
        }
        match &self.trouble {
            Some(trouble) => {
                let advice =
                    trouble.advice.unwrap_or("RUST_LOG=debug says more; kcf itself goes on trying");
                Finding::bad(check, trouble.kind, trouble.text.clone(), advice)
            }
            None => Finding::bad(
                check,
                Kind::Network,
                "nothing came in time",
                "something swallows it, such as a firewall that looks into connections: another network, or a longer --timeout",
            ),
        }
    }
}

/// Answers, and what the exchange's clock is against this machine's.
fn rest(report: &mut Report, feed: &mut Feed, course: &mut Course) -> Result<bool, Failure> {
    let time = |message: &Message<'_>| match message {
        Message::ServerTime(time) => Some(*time),
        _ => None,
    };
    let first = course.ask(feed, Query::ServerTime, time);
    let again = first.and_then(|(_, cold)| {
        course.ask(feed, Query::ServerTime, time).map(|(time, warm)| (time, cold, warm))
    });
    let (server, cold, warm) = match again {
        Ok(answer) => answer,
        Err(trouble) => {
            let advice = trouble
                .advice
                .unwrap_or("is --url the base of the exchange's futures REST interface?");
            report.tell(&Finding::bad("rest", trouble.kind, trouble.text, advice))?;
            report.tell(&Finding::skipped("clock", "not looked at: REST does not answer"))?;
            return Ok(false);
        }
    };
    let text = format!("answers, and within {} ms once connected", warm.as_millis());
    let found = if warm > SLOW {
        Finding::note("rest", text, SLOW_ADVICE)
    } else {
        Finding::fine("rest", text)
    };
    report.tell(&found.within(cold))?;
    let here = i128::from(unix_now().as_nanos()) - (warm.as_nanos() / 2) as i128;
    let ahead = (here - i128::from(server.as_nanos())) / 1_000_000;
    report.tell(&clock(ahead, warm))?;
    Ok(true)
}

/// By how many milliseconds this machine's clock is ahead of the exchange's, as far as an answer that took so long
/// can tell.
fn clock(ahead: i128, took: Duration) -> Finding {
    const HALF_HOUR: i128 = 1_800_000;
    let off = ahead.abs();
    let side = if ahead < 0 { "behind" } else { "ahead of" };
    let text = format!(
        "this machine's clock is {off} ms {side} the exchange's, give or take {}",
        (took / 2).as_millis()
    );
    let from_zone = (off + HALF_HOUR / 60) % HALF_HOUR;
    if off > HALF_HOUR / 2 && from_zone < HALF_HOUR / 30 {
        return Finding::note(
            "clock",
            text,
            "that is a time zone: the clock is set to local time and taken for UTC (`timedatectl set-local-rtc 0`, then set it)",
        );
    }
    let unsure = (took / 2).as_millis() as i128;
    if off > 1_000 + unsure {
        let advice = "set it by NTP: times of arrival in logs and recordings are wrong, and above 5 s signed requests are refused (kcf signs by the exchange's clock then)";
        return Finding::note("clock", text, advice);
    }
    Finding::fine("clock", text)
}

/// What is left of what the exchange allows, as far as this program has used it up.
fn limits(feed: &Feed) -> Finding {
    let budgets = feed.budgets();
    let text: Vec<_> = budgets
        .iter()
        .map(|budget| {
            let name = budget.kind.name().replace('_', " ");
            format!("{name} {} of {}", budget.used, budget.limit)
        })
        .collect();
    let text = format!("used: {}", text.join(", "));
    match budgets.iter().find(|budget| !budget.held_for.is_zero()) {
        Some(held) => Finding::note(
            "limits",
            format!("{text}; the exchange asks for a pause of {} ms", held.held_for.as_millis()),
            "too many requests from this address or account: other programs here may have to wait, too",
        ),
        None => Finding::fine("limits", text),
    }
}

fn account(
    feed: &mut Feed,
    course: &mut Course,
    is_there: bool,
    has_keys: bool,
    problem: Option<String>,
) -> Finding {
    if let Some(problem) = problem {
        return Finding::bad(
            "account",
            Kind::Auth,
            problem,
            "set all three, or none: `kcf --help`",
        );
    }
    if !has_keys {
        return Finding::skipped(
            "account",
            "no keys in the environment: only `kcf private` needs them",
        );
    }
    if !is_there {
        return Finding::skipped("account", "not looked at: REST does not answer");
    }
    let Ok(currency) = "USDT".parse::<Currency>() else {
        return Finding::skipped("account", "not looked at");
    };
    let take = |message: &Message<'_>| matches!(message, Message::AccountOverview(_)).then_some(());
    match course.ask(feed, Query::AccountOverview { currency }, take) {
        Ok(((), took)) => Finding::fine("account", "the keys can read it").within(took),
        Err(Trouble { text, advice, .. }) => {
            let advice = advice.unwrap_or("check the key, its permissions and its version");
            Finding {
                check: "account",
                verdict: Verdict::Bad(Kind::Auth, advice.into()),
                text,
                took: None,
            }
        }
    }
}
