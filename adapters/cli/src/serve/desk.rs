//! The command's side: keeps a monitor, and answers what is asked of it.

use std::collections::BTreeMap;
use std::time::Duration;

use async_channel::Receiver;
use kucoin_futures_host::{BookUpdate, unix_now};
use kucoin_futures_proto::{
    Channel, Event, Instant, Message, Push, Query, Symbol, TopicId, WireError,
};
use serde_json::{Value, json};

use super::history::Histories;
use super::picture::Scene;
use super::rows::Rows;
use super::site::{Question, Reply};
use super::trail::Trails;
use super::viewers::Viewers;
use crate::exit::{Failure, Kind};
use crate::feed::Feed;
use crate::follow::{Ctx, News, Show};
use crate::monitor::{Contract, Moment, Monitor};
use crate::out::{BAD, DIM, GOOD};

/// What is said of this run.
pub(crate) struct About {
    /// Where the page is.
    pub(crate) url: String,
    /// To be told once, at the start.
    pub(crate) token: Option<String>,
    /// Whose data it is.
    pub(crate) exchange: String,
    pub(crate) runtime: &'static str,
}

pub(crate) struct Desk {
    monitor: Monitor,
    questions: Receiver<Question>,
    about: About,
    viewers: Viewers,
    rows: Rows,
    trails: Trails,
    histories: Histories,
    /// When all was looked at last, and when the rows were made of it.
    looked: Option<Instant>,
    tabled: Option<Instant>,
    /// What was answered last, and when: metrics, and all that is shown of a contract.
    metrics: Option<(Instant, String)>,
    states: BTreeMap<Symbol, (Instant, String)>,
    /// A question that waits for the feed, which goes first until then.
    held: Option<Question>,
    rests_until: Instant,
    /// Those who look are told nothing more until then.
    tells_from: Instant,
    /// Nobody was told of it yet.
    is_new: bool,
    /// None of the books can be had: when it gives up.
    hopeless: Option<Instant>,
    is_over: bool,
}

/// Questions that are answered between two updates, if that is no work.
const AT_ONCE: usize = 16;
/// From one that is some to the next, at least.
const REST: Duration = Duration::from_millis(10);
/// And for so many times as long as that one has taken. Whoever asks, and those who look, keep the feed from no more
/// than a quarter of its time each.
const RESTS: u32 = 3;
/// An answer is given again to whoever asks within this time.
const KEPT: Duration = Duration::from_millis(250);
/// The table is made no more often for those who look.
const TABLE: Duration = super::viewers::PAUSE_OF_ALL;
/// For this long all contracts but the one that is looked at are shown as they were.
const GLANCE: Duration = Duration::from_millis(50);
/// What a symbol may have been meant to be is found out meanwhile.
const LAST_WORDS: Duration = Duration::from_secs(2);

impl Desk {
    pub(crate) fn new(monitor: Monitor, questions: Receiver<Question>, about: About) -> Self {
        Self {
            monitor,
            questions,
            about,
            viewers: Viewers::default(),
            rows: Rows::default(),
            trails: Trails::default(),
            histories: Histories::default(),
            looked: None,
            tabled: None,
            metrics: None,
            states: BTreeMap::new(),
            held: None,
            rests_until: Instant::ZERO,
            tells_from: Instant::ZERO,
            is_new: true,
            hopeless: None,
            is_over: false,
        }
    }

    /// Why there is nothing to serve, if so: the exchange gives none of the books.
    pub(crate) fn verdict(&self) -> Result<(), Failure> {
        if !self.is_over {
            return Ok(());
        }
        let words = self.monitor.contracts().filter_map(|contract| {
            Some(format!("\n{}: {}", contract.symbol, contract.rejected.as_ref()?))
        });
        let text = format!(
            "none of the books can be had (`kcf contracts` lists all contracts; upper case, and Bitcoin is XBT: \
             XBTUSDTM){}",
            words.collect::<String>()
        );
        Err(Failure::words(Kind::Usage, text))
    }

    /// Other streams of a contract that there is not are quiet for ever. Gives how long there is to wait.
    fn despair(&mut self, now: Instant) -> Option<Duration> {
        let none_left = self.monitor.contracts().all(|contract| contract.rejected.is_some());
        self.hopeless = none_left.then(|| self.hopeless.unwrap_or(now + LAST_WORDS));
        let hopeless = self.hopeless?;
        self.is_over = hopeless <= now;
        Some(hopeless.since(now))
    }

    /// Says where it is, and once what is asked for there.
    fn announce(&mut self, cx: &mut Ctx) -> Result<(), Failure> {
        let (url, token) = (&self.about.url, self.about.token.take());
        if cx.json {
            let mut line = json!({ "type": "serve", "url": url });
            if let (Some(fields), Some(token)) = (line.as_object_mut(), token) {
                fields.insert("token".into(), token.into());
            }
            cx.out.json(&line)?;
        } else {
            cx.out.line(format_args!("{GOOD}{url}{GOOD:#}"))?;
            if let Some(token) = token {
                cx.out.line(format_args!("token, shown this once: {BAD}{token}{BAD:#}"))?;
            }
            cx.out.line(format_args!(
                "{DIM}a page for a browser; {url}health and {url}metrics for machines (Ctrl-C ends){DIM:#}"
            ))?;
        }
        Ok(cx.out.flush()?)
    }

    /// Answers what is asked, but for what takes some work not more than once, and not at once again: whoever asks
    /// quickly must not hold up the feed. Gives how long there is to wait for the rest.
    fn answer(&mut self, cx: &Ctx, feed: &Feed) -> Option<Duration> {
        for _ in 0..AT_ONCE {
            let question = self.held.take().or_else(|| self.questions.try_recv().ok())?;
            let Err(question) = self.answer_again(cx, question) else { continue };
            if cx.now < self.rests_until {
                self.held = Some(question);
                return Some(self.rests_until.since(cx.now));
            }
            let clock = feed.clock();
            let began = clock.now();
            self.answer_anew(cx, feed, question);
            let over = clock.now();
            self.rests_until = rested(began, over);
            let is_left = !self.questions.is_empty();
            return is_left.then(|| self.rests_until.since(over));
        }
        let is_left = !self.questions.is_empty();
        is_left.then(|| self.rests_until.since(cx.now))
    }

    /// Says what was said to the last one who asked the same, if that was a moment ago; gives the question back if not.
    fn answer_again(&self, cx: &Ctx, question: Question) -> Result<(), Question> {
        let is_new = |at: Instant| cx.now.since(at) < KEPT;
        // Whoever asked may be gone, and is not told then.
        match &question {
            Question::Metrics { to } => {
                let kept = self.metrics.as_ref().filter(|(at, _)| is_new(*at));
                let Some((_, text)) = kept else { return Err(question) };
                let _ = to.try_send(text.clone());
            }
            Question::State { symbol, to } => {
                let kept = self.of(cx, *symbol).and_then(|(symbol, _)| self.states.get(&symbol));
                let Some((_, text)) = kept.filter(|(at, _)| is_new(*at)) else {
                    return Err(question);
                };
                let _ = to.try_send(Reply::Well(text.clone()));
            }
            Question::Health { .. } | Question::Stream { .. } => return Err(question),
        }
        Ok(())
    }

    fn answer_anew(&mut self, cx: &Ctx, feed: &Feed, question: Question) {
        match question {
            Question::Metrics { to } => {
                let text = feed.metrics(cx.books().map(|(topic, _)| topic));
                self.metrics = Some((cx.now, text.clone()));
                let _ = to.try_send(text);
            }
            Question::Health { symbol, to } => {
                self.monitor.look(feed, cx.now);
                self.looked = Some(cx.now);
                let _ = to.try_send(self.health(symbol));
            }
            Question::State { symbol, to } => {
                let Some((symbol, topic)) = self.of(cx, symbol) else {
                    let _ = to.try_send(Reply::NotFollowed);
                    return;
                };
                self.look(feed, cx.now, Some(GLANCE), Some((symbol, topic)));
                let text = format!("{}\n", self.scene(feed).whole(symbol, topic).0);
                self.states.retain(|_, (at, _)| cx.now.since(*at) < KEPT);
                self.states.insert(symbol, (cx.now, text.clone()));
                let _ = to.try_send(Reply::Well(text));
            }
            Question::Stream { symbol, slot, to } => {
                let Some(of) = self.of(cx, symbol) else {
                    let _ = to.try_send(Reply::NotFollowed);
                    return;
                };
                self.look(feed, cx.now, Some(GLANCE), Some(of));
                let Self { monitor, about, rows, trails, histories, viewers, .. } = self;
                let scene = Scene { monitor, feed, about, rows, trails, histories };
                viewers.add(cx.now, of, slot, scene);
                let _ = to.try_send(Reply::Well(String::new()));
            }
        }
    }

    /// The one that is meant, or the first one.
    fn of(&self, cx: &Ctx, symbol: Option<Symbol>) -> Option<(Symbol, TopicId)> {
        let mut books = cx.books();
        let found = books.find(|(_, book)| symbol.is_none_or(|symbol| symbol == *book));
        found.map(|(topic, symbol)| (symbol, topic))
    }

    /// Tells those who look; gives how long there is to wait for the next time.
    fn tell(&mut self, cx: &mut Ctx, feed: &Feed) -> Option<Duration> {
        let now = cx.now;
        let due = self.viewers.due(now)?.max(self.tells_from);
        if now < due {
            return Some(due.since(now));
        }
        let clock = feed.clock();
        let began = clock.now();
        self.look(feed, now, self.viewers.is_all_due(now).then_some(TABLE), None);
        self.want_history(cx);
        let Self { monitor, about, rows, trails, histories, viewers, .. } = self;
        viewers.tell(now, Scene { monitor, feed, about, rows, trails, histories });
        let over = clock.now();
        self.tells_from = rested(began, over);
        Some(self.viewers.due(over)?.max(self.tells_from).since(over))
    }

    /// All of it is looked at once for all who are told within a moment; the contract itself is seen as it is now.
    /// `table`: how old that may be, if it is to be told.
    fn look(
        &mut self,
        feed: &Feed,
        now: Instant,
        table: Option<Duration>,
        of: Option<(Symbol, TopicId)>,
    ) {
        let is_old = |at: Option<Instant>, most| at.is_none_or(|at| now.since(at) >= most);
        if is_old(self.looked, GLANCE) {
            self.looked = Some(now);
            self.monitor.look(feed, now);
        } else {
            let seen = self.viewers.contracts().chain(of);
            seen.for_each(|(symbol, topic)| self.monitor.look_at(feed, now, symbol, topic));
        }
        if table.is_some_and(|most| is_old(self.tabled, most)) {
            self.tabled = Some(now);
            self.rows.look(&self.monitor);
        }
    }

    /// Asks for candles of what is looked at.
    fn want_history(&mut self, cx: &mut Ctx) {
        let wall = self.monitor.looked.wall;
        for (symbol, _) in self.viewers.contracts() {
            let contract = self.monitor.contract(symbol);
            let query = contract.and_then(|contract| self.histories.want(cx.now, wall, contract));
            query.into_iter().for_each(|query| cx.ask(query));
        }
    }

    fn scene<'a>(&'a self, feed: &'a Feed) -> Scene<'a> {
        let Self { monitor, about, rows, trails, histories, .. } = self;
        Scene { monitor, feed, about, rows, trails, histories }
    }

    /// Whether all books are live, or the one that is asked for; and which are not, and why.
    fn health(&self, symbol: Option<Symbol>) -> Reply {
        if symbol.is_some_and(|symbol| self.monitor.contract(symbol).is_none()) {
            return Reply::NotFollowed;
        }
        let is_asked = |contract: &&Contract| symbol.is_none_or(|symbol| symbol == contract.symbol);
        let (live, not_live): (Vec<_>, Vec<_>) =
            self.monitor.contracts().filter(is_asked).partition(|contract| contract.is_live());
        let proof =
            live.iter().filter_map(|contract| contract.age).map(|age| age.since_proof).max();
        let is_well = not_live.is_empty();
        let up =
            self.monitor.lines().all.iter().filter(|line| line.status.up_since.is_some()).count();
        let json = json!({
            "healthy": is_well,
            "at_ms": self.monitor.looked.wall.as_millis(),
            "live": live.len(),
            "wanted": live.len() + not_live.len(),
            "lines_up": up,
            "oldest_proof_ms": proof.map(crate::words::millis),
            "not_live": not_live.into_iter().map(|it| not_live_json(it, self.monitor.looked)).collect::<Value>(),
        });
        let text = format!("{json}\n");
        if is_well { Reply::Well(text) } else { Reply::Ill(text) }
    }
}

/// When the next of the same kind may be done: by the clock after it, whatever it took.
fn rested(began: Instant, over: Instant) -> Instant {
    over + REST.max(over.since(began) * RESTS)
}

fn not_live_json(contract: &Contract, looked: Moment) -> Value {
    json!({
        "symbol": contract.symbol.as_str(),
        "state": crate::monitor::status_words(contract.status),
        "reason": contract.state(),
        "since_ms": looked.wall_of(contract.since.at).as_millis(),
    })
}

/// What comes is the monitor's; what is due is told between two updates.
impl Show for Desk {
    fn begin(&mut self, cx: &mut Ctx, feed: &Feed) {
        self.monitor.begin(cx, feed);
    }

    fn change(&mut self, cx: &mut Ctx, change: &BookUpdate<'_>) -> Result<(), Failure> {
        self.monitor.change(cx, change)
    }

    fn live(
        &mut self,
        cx: &mut Ctx,
        topic: TopicId,
        event: &Event,
        feed: &Feed,
    ) -> Result<(), Failure> {
        self.monitor.live(cx, topic, event, feed)
    }

    fn widened(&mut self, cx: &mut Ctx, topic: TopicId, feed: &Feed) -> Result<(), Failure> {
        self.monitor.widened(cx, topic, feed)
    }

    fn beat(&mut self, cx: &mut Ctx, feed: &Feed) -> Result<Option<Duration>, Failure> {
        if std::mem::take(&mut self.is_new) {
            self.announce(cx)?;
        }
        let wait = self.monitor.beat(cx, feed)?;
        let point = self.trails.look(feed, cx.now, unix_now, cx.books());
        let asked = self.answer(cx, feed);
        let told = self.tell(cx, feed);
        let end = self.despair(cx.now);
        Ok([wait, Some(point), asked, told, end].into_iter().flatten().min())
    }

    fn is_over(&self) -> bool {
        self.is_over
    }

    fn rest(&mut self, cx: &mut Ctx, feed: &Feed) -> Result<Option<Duration>, Failure> {
        self.monitor.rest(cx, feed)
    }

    fn said(&mut self, cx: &mut Ctx, event: &Event, news: &News) -> Result<(), Failure> {
        self.monitor.said(cx, event, news)
    }

    fn unreadable(&mut self, cx: &mut Ctx, push: &Push<'_>, error: WireError) {
        self.monitor.unreadable(cx, push, error);
    }

    fn confirmed(&mut self, cx: &mut Ctx, channel: Channel) {
        self.monitor.confirmed(cx, channel);
    }

    fn missed(&mut self, cx: &mut Ctx, channel: Channel) {
        self.monitor.missed(cx, channel);
    }

    fn failed(&mut self, cx: &mut Ctx, query: Query) {
        self.monitor.failed(cx, query);
    }

    fn message(
        &mut self,
        cx: &mut Ctx,
        push: &Push<'_>,
        message: &Message<'_>,
    ) -> Result<(), Failure> {
        if let (Message::Klines(rows), Some(symbol)) = (message, cx.symbol_of(push)) {
            self.histories.on_klines(unix_now(), symbol, rows);
            return Ok(());
        }
        self.monitor.message(cx, push, message)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_takes_long_leaves_the_feed_most_of_the_time_all_the_same() {
        let at = |ms: u64| Instant::from_nanos(ms * 1_000_000);
        assert_eq!(rested(at(100), at(101)), at(111));
        assert_eq!(rested(at(100), at(120)), at(180), "the clock before it would leave no rest");
        assert_eq!(rested(at(100), at(1100)), at(4100));
    }
}
