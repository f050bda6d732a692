//! A feed for one reader: events in order, and books that keep step with them.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use kucoin_futures_blocking::{Item, Options, Roots};
use kucoin_futures_data::batch::Table;
use kucoin_futures_proto::{
    AccountStatus, BookStatus, Channel, Config, Instant, Message, Query, RequestId, Resolution,
    Symbol, TopicId, TopicStatus, resolve_symbol,
};
use pyo3::prelude::*;
use pyo3::sync::MutexExt as _;
use pyo3::types::{PyDict, PyList};

use crate::book::Book;
use crate::credentials::Credentials;
use crate::events::Delta;
use crate::fault::Fault;
use crate::query::Terms;
use crate::records::Record as _;
use crate::shared::{Out, Ready, Shared, State};
use crate::tables::{Collector, Passed, Tables};
use crate::{message, news, tables};

/// So long at most before signals are looked at.
pub(crate) const SLICE: Duration = Duration::from_millis(100);

/// What `kucoin_futures.Feed` is made of.
#[pyclass(module = "kucoin_futures._native", frozen)]
pub(crate) struct Feed {
    shared: Arc<Shared>,
    /// Of whoever reads columns.
    collector: Mutex<Collector>,
    /// What was handed out past that, as bits of [`Passed`]. Only the one who reads looks at it.
    passed: AtomicU64,
}

impl std::fmt::Debug for Feed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Feed").finish_non_exhaustive()
    }
}

/// What is forgotten without being closed is closed, and others run while that takes its time.
impl Drop for Feed {
    fn drop(&mut self) {
        let _ = Python::try_attach(|py| py.detach(|| self.shared.close()));
    }
}

/// What waiting for an event came to.
enum Next<'py> {
    Event(Bound<'py, PyAny>),
    Quiet,
    Ended,
}

impl Feed {
    /// Waits for the next event, and hands it out. Ctrl-C ends the wait.
    fn advance<'py>(&self, py: Python<'py>, until: Option<Instant>) -> PyResult<Next<'py>> {
        let _reading = self.shared.begin_reading()?;
        loop {
            // Given back before anything is done about it.
            let ready = self.shared.ready(&mut self.state(py));
            match ready {
                Ready::Out(out) => return self.next_is(py, &out),
                Ready::Slow => {
                    if let Some(out) = py.detach(|| self.shared.hand_out_slowly()) {
                        return self.next_is(py, &out);
                    }
                    continue;
                }
                Ready::Ended => return Ok(Next::Ended),
                Ready::Nothing => {}
            }
            let left = until.map_or(SLICE, |until| self.shared.until(until));
            if left.is_zero() {
                return Ok(Next::Quiet);
            }
            py.detach(|| self.shared.wait(left.min(SLICE)));
            py.check_signals()?;
        }
    }

    /// What the feed and its readers share. Others run while that has to be waited for.
    fn state(&self, py: Python<'_>) -> MutexGuard<'_, State> {
        self.shared.state().lock_py_attached(py).unwrap_or_else(PoisonError::into_inner)
    }

    #[inline]
    fn next_is<'py>(&self, py: Python<'py>, out: &Out) -> PyResult<Next<'py>> {
        let passed = self.passed.load(Ordering::Relaxed);
        self.passed.store(passed | Passed::bits(&out.item), Ordering::Relaxed);
        Ok(Next::Event(shown(py, out)?))
    }

    /// Makes rows of what is there until there are so many, or nothing is left. Whether anything may still come.
    fn collect(&self, rows: usize) -> bool {
        let mut collector = self.collector.lock().unwrap_or_else(PoisonError::into_inner);
        let passed = self.passed.swap(0, Ordering::Relaxed);
        collector.on_passed(&self.shared, Passed::of_bits(passed));
        while collector.len() < rows {
            let ready = self.shared.ready(&mut self.shared.lock());
            let out = match ready {
                Ready::Out(out) => Some(out),
                Ready::Slow => self.shared.hand_out_slowly(),
                Ready::Nothing => return true,
                Ready::Ended => return false,
            };
            if let Some(out) = out {
                collector.take(&self.shared, out);
            }
        }
        true
    }

    /// Asks, and waits for the answer. What comes meanwhile is kept.
    fn ask(
        &self,
        py: Python<'_>,
        query: Query,
        timeout: f64,
    ) -> PyResult<kucoin_futures_blocking::Message> {
        let until = self.deadline(timeout)?;
        let request = py.detach(|| self.shared.ask(query))?;
        loop {
            let left = self.shared.until(until);
            match py.detach(|| self.shared.answer(request, left.min(SLICE))) {
                Some(answer) => return Ok(answer?),
                None if left.is_zero() => {
                    return Err(self.give_up(py, request, Fault::Timeout.into()));
                }
                None => py.check_signals().map_err(|error| self.give_up(py, request, error))?,
            }
        }
    }

    fn give_up(&self, py: Python<'_>, request: RequestId, error: PyErr) -> PyErr {
        py.detach(|| self.shared.give_up(request));
        error
    }

    fn topic(&self, py: Python<'_>, channel: Channel) -> Result<TopicId, Fault> {
        let found = self.state(py).topics.find(channel);
        found.ok_or_else(|| Fault::Misuse(format!("{channel} is not subscribed to")))
    }

    fn deadline(&self, timeout: f64) -> Result<Instant, Fault> {
        Ok(self.shared.now() + span(timeout)?)
    }

    /// Asks the feed's thread.
    fn with<R: Send + 'static>(
        &self,
        py: Python<'_>,
        look: impl FnOnce(&mut kucoin_futures_blocking::Feed) -> R + Send + 'static,
    ) -> PyResult<R> {
        let looked = py.detach(|| self.shared.pump().with(look));
        Ok(looked.map_err(Fault::from)?)
    }
}

/// So many seconds.
pub(crate) fn span(timeout: f64) -> Result<Duration, Fault> {
    // A week is for ever here, and no sum can overflow.
    let span = Duration::try_from_secs_f64(timeout.min(604_800.0));
    span.map_err(|_| Fault::Misuse("a timeout is seconds, not below zero".into()))
}

/// An event as Python has it.
pub(crate) fn shown<'py>(py: Python<'py>, out: &Out) -> PyResult<Bound<'py, PyAny>> {
    match &out.item {
        Item::Delta(_, delta) => match out.channel.and_then(|channel| channel.symbol()) {
            Some(symbol) => Ok(Bound::new(py, Delta::of(symbol, delta))?.into_any()),
            None => Err(Fault::Loss("a change of a book that nobody subscribed to".into()).into()),
        },
        Item::State(event, words) => news::event(py, out.channel, event, words.as_deref()),
        Item::Push(message) => message::event(py, out.channel, &message.push()),
    }
}

#[pymethods]
impl Feed {
    #[new]
    #[pyo3(signature = (url, credentials, lines, queue, ca))]
    fn new(
        py: Python<'_>,
        url: Option<&str>,
        credentials: Option<&Bound<'_, Credentials>>,
        lines: u8,
        queue: usize,
        ca: Option<&[u8]>,
    ) -> PyResult<Self> {
        let mut config = match url {
            Some(url) => Config::with_rest(url).map_err(Fault::from)?,
            None => Config::default(),
        };
        config.lines.per_topic = lines;
        let mut options = Options::with_config(config);
        options.credentials = credentials.map(|it| it.get().inner());
        if let Some(pem) = ca {
            let roots = Roots::from_pem(pem);
            options.roots = roots.map_err(|error| Fault::Misuse(format!("ca: {error}")))?;
        }
        let shared = py.detach(|| Shared::start(options, queue))?;
        Ok(Self {
            shared: Arc::new(shared),
            collector: Mutex::default(),
            passed: AtomicU64::new(0),
        })
    }

    fn subscribe(&self, py: Python<'_>, topic: &str) -> PyResult<()> {
        let channel: Channel = topic.parse().map_err(Fault::from)?;
        py.detach(|| self.shared.subscribe(channel))?;
        Ok(())
    }

    fn unsubscribe(&self, py: Python<'_>, topic: &str) -> PyResult<()> {
        let topic = self.topic(py, topic.parse().map_err(Fault::from)?)?;
        let done = py.detach(|| self.shared.pump().unsubscribe(topic));
        done.map_err(Fault::from)?;
        self.state(py).topics.unwant(topic);
        Ok(())
    }

    /// The contracts that are meant by what was typed.
    fn resolve(&self, py: Python<'_>, typed: Vec<String>, timeout: f64) -> PyResult<Vec<String>> {
        let answer = self.ask(py, Query::Contracts, timeout)?;
        let resolved = py.detach(|| resolve(&typed, &answer));
        Ok(resolved?)
    }

    fn __iter__(slf: PyRef<'_, Self>) -> PyRef<'_, Self> {
        slf
    }

    fn __next__<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyAny>>> {
        Ok(match self.advance(py, None)? {
            Next::Event(event) => Some(event),
            Next::Quiet | Next::Ended => None,
        })
    }

    /// The next event, or none in that time; `Closed` after the last one.
    #[pyo3(signature = (timeout=None))]
    fn next<'py>(
        &self,
        py: Python<'py>,
        timeout: Option<f64>,
    ) -> PyResult<Option<Bound<'py, PyAny>>> {
        let until = timeout.map(|timeout| self.deadline(timeout)).transpose()?;
        match self.advance(py, until)? {
            Next::Event(event) => Ok(Some(event)),
            Next::Quiet => Ok(None),
            Next::Ended => Err(Fault::Closed.into()),
        }
    }

    /// What comes, as columns: until there are so many rows and events, or that time is over, or nothing more will come.
    /// `Closed` after that.
    fn read(&self, py: Python<'_>, rows: usize, timeout: Option<f64>) -> PyResult<Tables> {
        let until = timeout.map(|timeout| self.deadline(timeout)).transpose()?;
        let _reading = self.shared.begin_reading()?;
        let collected = || self.collector.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            let is_open = py.detach(|| self.collect(rows));
            let left = until.map_or(SLICE, |until| self.shared.until(until));
            let is_enough = py.detach(|| collected().len()) >= rows;
            if is_enough || left.is_zero() || !is_open {
                let taken = py.detach(|| collected().finish()).shown(py)?;
                if !is_open && taken.is_empty(py) {
                    return Err(Fault::Closed.into());
                }
                return Ok(taken);
            }
            py.detach(|| self.shared.wait(left.min(SLICE)));
            py.check_signals()?;
        }
    }

    /// Waits until there is something to hand out. What comes is kept. For a thread beside the reader's.
    fn wait(&self, py: Python<'_>, timeout: f64) -> PyResult<bool> {
        let until = self.deadline(timeout)?;
        Ok(py.detach(|| {
            loop {
                if self.shared.has_next() {
                    return true;
                }
                let left = self.shared.until(until);
                if left.is_zero() {
                    return false;
                }
                self.shared.wait(left);
            }
        }))
    }

    fn book(&self, py: Python<'_>, symbol: &str) -> PyResult<Book> {
        let symbol: Symbol = symbol.parse().map_err(Fault::from)?;
        let mirror = self.state(py).topics.mirror_of(symbol);
        let mirror = mirror.ok_or_else(|| {
            Fault::Misuse(format!(
                "the book of {symbol} is not followed: subscribe to level2({:?})",
                symbol.as_str()
            ))
        })?;
        Ok(Book { mirror })
    }

    fn query<'py>(
        &self,
        py: Python<'py>,
        name: &str,
        terms: &Bound<'py, PyDict>,
        timeout: f64,
    ) -> PyResult<Bound<'py, PyAny>> {
        let query = Terms::new(terms)?.query(name)?;
        let answer = self.ask(py, query, timeout)?;
        message::answer(py, &answer.push())
    }

    fn follow_account(&self, py: Python<'_>) -> PyResult<()> {
        Ok(self.with(py, |feed| feed.follow_account())?.map_err(Fault::from)?)
    }

    fn unfollow_account(&self, py: Python<'_>) -> PyResult<()> {
        Ok(self.with(py, |feed| feed.unfollow_account())?.map_err(Fault::from)?)
    }

    /// The account as it is now, which may be further than the events.
    fn account<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let (status, account) =
            self.with(py, |feed| (feed.account_status(), feed.account().cloned()))?;
        let account = account.filter(|_| status == AccountStatus::Live);
        let fields = PyDict::new(py);
        fields.set_item("is_live", account.is_some())?;
        fields.set_item("epoch", account.as_ref().map(|it| it.epoch().get()))?;
        let [balances, positions, orders, stop_orders, fills] =
            std::array::from_fn(|_| PyList::empty(py));
        if let Some(account) = &account {
            account.balances().try_for_each(|it| balances.append(it.record(py)?))?;
            account.positions().try_for_each(|it| positions.append(it.record(py)?))?;
            account.orders().try_for_each(|it| orders.append(it.record(py)?))?;
            account.stop_orders().try_for_each(|it| stop_orders.append(it.record(py)?))?;
            account.fills().try_for_each(|it| fills.append(it.record(py)?))?;
        }
        fields.set_item("balances", balances)?;
        fields.set_item("positions", positions)?;
        fields.set_item("orders", orders)?;
        fields.set_item("stop_orders", stop_orders)?;
        fields.set_item("fills", fills)?;
        message::made(py, "account", "Account", &fields)
    }

    fn stats<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        self.with(py, |feed| *feed.stats())?.record(py)
    }

    fn lines<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyList>> {
        let lines = self.with(py, |feed| feed.lines().collect::<Vec<_>>())?;
        let list = PyList::empty(py);
        for line in lines {
            let fields = PyDict::new(py);
            fields.set_item("id", line.id.get())?;
            fields.set_item("role", line.role.name())?;
            fields.set_item("is_up", line.conn.is_some())?;
            fields.set_item("topics", line.topics)?;
            fields.set_item("replaces", line.replaces.map(|it| it.get()))?;
            fields.set_item("first", line.share.first)?;
            fields.set_item("later", line.share.later)?;
            fields.set_item("missed", line.share.missed)?;
            list.append(message::made(py, "account", "Line", &fields)?)?;
        }
        Ok(list)
    }

    /// How far a topic has come, and its book if it has one.
    fn status(
        &self,
        py: Python<'_>,
        topic: &str,
    ) -> PyResult<(&'static str, Option<&'static str>)> {
        let topic = self.topic(py, topic.parse().map_err(Fault::from)?)?;
        let (status, book) =
            self.with(py, move |feed| (feed.status(topic), feed.book_status(topic)))?;
        Ok((topic_word(status), book.map(book_word)))
    }

    fn verify(&self, py: Python<'_>, symbol: &str) -> PyResult<()> {
        let channel = Channel::level2(symbol.parse().map_err(Fault::from)?);
        let topic = self.topic(py, channel)?;
        let done = py.detach(|| self.shared.pump().verify(topic));
        Ok(done.map_err(Fault::from)?)
    }

    fn replace_lines(&self, py: Python<'_>) -> PyResult<usize> {
        Ok(self.with(py, |feed| feed.replace_lines())?.map_err(Fault::from)?)
    }

    fn close(&self, py: Python<'_>) {
        py.detach(|| self.shared.close());
    }

    /// A topic that is subscribed to now and has no rows in this table, if there is one.
    fn beside(&self, py: Python<'_>, table: &str) -> PyResult<Option<String>> {
        let table = tables::named(table)?;
        let state = self.state(py);
        let mut others = state.topics.wanted().filter(|it| Table::of(it.kind()) != Some(table));
        Ok(others.next().map(|channel| channel.to_string()))
    }

    /// All that was ever subscribed to.
    #[getter]
    fn topics(&self, py: Python<'_>) -> Vec<String> {
        self.state(py).topics.channels().map(|(_, it)| it.to_string()).collect()
    }
}

fn resolve(
    typed: &[String],
    answer: &kucoin_futures_blocking::Message,
) -> Result<Vec<String>, Fault> {
    let push = answer.push();
    let Message::Contracts(list) = push.decode()? else {
        return Err(Fault::Wire("another answer than was asked for".into()));
    };
    let one = |typed: &String| match resolve_symbol(typed, list.iter().flatten()) {
        Resolution::Exact(symbol) => Ok(symbol.to_string()),
        Resolution::DidYouMean(all) => {
            let meant = all.iter().map(|it| (it.symbol, it.to_string())).collect();
            Err(Fault::UnknownSymbol { typed: typed.clone(), meant })
        }
    };
    typed.iter().map(one).collect()
}

fn topic_word(status: TopicStatus) -> &'static str {
    match status {
        TopicStatus::Wanted => "wanted",
        TopicStatus::Pending => "pending",
        TopicStatus::Refused { .. } => "refused",
        TopicStatus::Confirmed { silent: false } => "confirmed",
        TopicStatus::Confirmed { silent: true } => "silent",
        TopicStatus::Rejected { .. } => "rejected",
        TopicStatus::Unsubscribed => "unsubscribed",
    }
}

fn book_word(status: BookStatus) -> &'static str {
    match status {
        BookStatus::Idle => "idle",
        BookStatus::Buffering => "buffering",
        BookStatus::Live => "live",
        BookStatus::Stale => "stale",
    }
}
