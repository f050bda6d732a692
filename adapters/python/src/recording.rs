//! Recordings: the same events again, with books that keep step with them.

use std::collections::{BTreeSet, VecDeque};
use std::io;
use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard, PoisonError};

use kucoin_futures_data::batch::TableReader;
use kucoin_futures_data::{Moment, Recording as Files, Replayer, Session, Sink, Summary};
use kucoin_futures_proto::wire::Delta as CoreDelta;
use kucoin_futures_proto::{
    BookEvent, Channel, Event, Output, PushTag, Symbol, TopicId, UnixNanos,
};
use pyo3::prelude::*;
use pyo3::sync::MutexExt as _;
use pyo3::types::{PyDict, PyList};

use crate::arrow::BatchReader;
use crate::book::Book;
use crate::events::{BookLost, Delta, MayHaveMissed};
use crate::fault::Fault;
use crate::message::made;
use crate::mirror::{Copied, NEXT_SESSION, Topic, Topics};
use crate::{message, news, tables};

/// A recording on disk.
#[pyclass(module = "kucoin_futures", frozen)]
#[derive(Debug)]
pub(crate) struct Recording {
    path: PathBuf,
    sessions: Vec<Session>,
}

#[pymethods]
impl Recording {
    #[new]
    fn new(py: Python<'_>, path: PathBuf) -> PyResult<Self> {
        let files = py.detach(|| Files::open(&path)).map_err(Fault::from)?;
        Ok(Self { path, sessions: files.sessions })
    }

    /// Its clients, the oldest first.
    #[getter]
    fn sessions<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyList>> {
        let list = PyList::empty(py);
        for session in &self.sessions {
            let fields = PyDict::new(py);
            fields.set_item("name", session.name())?;
            fields.set_item("software", session.software())?;
            fields.set_item("started_ns", session.started_at().as_nanos())?;
            fields.set_item("bytes", session.bytes())?;
            list.append(made(py, "recordings", "Session", &fields)?)?;
        }
        Ok(list)
    }

    /// What is in it. Replays it once.
    fn info<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let summary = py.detach(|| self.summary())?;
        summarized(py, &summary)
    }

    /// Its events, from the beginning; of these topics only if some are named.
    #[pyo3(signature = (topics=None))]
    fn replay(&self, topics: Option<Vec<String>>) -> PyResult<Replay> {
        let wanted = topics.map(|topics| topics.iter().map(|it| it.parse()).collect()).transpose();
        let tape = Tape { wanted: wanted.map_err(Fault::from)?, ..Tape::default() };
        let mut sessions: VecDeque<Session> = self.sessions.iter().cloned().collect();
        let replayer = sessions.pop_front().map(|session| Replayer::new(&session));
        let played = Played {
            sessions,
            replayer,
            error: None,
            tape,
            topics: Topics::default(),
            handed: 0,
            received: None,
        };
        Ok(Replay { played: Mutex::new(played) })
    }

    /// One table of it, batch by batch, while it is replayed.
    fn table(&self, name: &str, rows: usize) -> PyResult<BatchReader> {
        let reader = TableReader::of_sessions(self.sessions.clone(), tables::named(name)?, rows);
        Ok(BatchReader::new(Box::new(reader)))
    }

    fn __repr__(&self) -> String {
        format!("<Recording {:?}: {} sessions>", self.path, self.sessions.len())
    }
}

impl Recording {
    fn summary(&self) -> Result<Summary, Fault> {
        let mut summary = Summary::default();
        for session in &self.sessions {
            Replayer::new(session).run(&mut summary)?;
        }
        Ok(summary)
    }
}

fn summarized<'py>(py: Python<'py>, summary: &Summary) -> PyResult<Bound<'py, PyAny>> {
    let nanos = |at: UnixNanos| at.as_nanos();
    let symbols = PyDict::new(py);
    for (symbol, it) in &summary.symbols {
        let live = PyList::empty(py);
        for run in &it.live {
            let fields = PyDict::new(py);
            fields.set_item("from_ns", nanos(run.from))?;
            fields.set_item("to_ns", run.to.map(nanos))?;
            fields.set_item("first", run.first.get())?;
            fields.set_item("last", run.last.get())?;
            live.append(made(py, "recordings", "LiveInterval", &fields)?)?;
        }
        let gaps = PyList::empty(py);
        for gap in &it.gaps {
            let fields = PyDict::new(py);
            fields.set_item("from_ns", nanos(gap.from))?;
            fields.set_item("to_ns", gap.to.map(nanos))?;
            fields.set_item("after", gap.after.get())?;
            fields.set_item("before", gap.before.map(|it| it.get()))?;
            fields.set_item("reason", gap.reason.to_string())?;
            gaps.append(made(py, "recordings", "BookGap", &fields)?)?;
        }
        let fields = PyDict::new(py);
        fields.set_item("deltas", it.deltas)?;
        fields.set_item("trades", it.trades)?;
        fields.set_item("messages", it.messages)?;
        fields.set_item("live", live)?;
        fields.set_item("gaps", gaps)?;
        symbols.set_item(symbol.as_str(), made(py, "recordings", "SymbolInfo", &fields)?)?;
    }
    let fields = PyDict::new(py);
    fields.set_item("from_ns", summary.from.map(nanos))?;
    fields.set_item("to_ns", summary.to.map(nanos))?;
    fields.set_item("symbols", symbols)?;
    fields.set_item("lines", summary.lines)?;
    fields.set_item("lines_down", summary.lines_down)?;
    fields.set_item("may_have_missed", summary.may_have_missed)?;
    fields.set_item("lagged", summary.lagged)?;
    made(py, "recordings", "Info", &fields)
}

/// The events of a recording, one after the other.
#[pyclass(module = "kucoin_futures", frozen)]
#[derive(Debug)]
pub(crate) struct Replay {
    played: Mutex<Played>,
}

#[derive(Debug)]
struct Played {
    /// Those that come after the one that is played.
    sessions: VecDeque<Session>,
    replayer: Option<Replayer>,
    /// Why it ends before its end, until that is told.
    error: Option<Fault>,
    tape: Tape,
    topics: Topics,
    handed: u64,
    received: Option<UnixNanos>,
}

/// What was put out, until it is handed out.
#[derive(Debug, Default)]
struct Tape {
    wanted: Option<BTreeSet<Channel>>,
    /// What is known of topics, by their number, and whether they are wanted.
    known: Vec<Option<(Channel, bool)>>,
    kept: VecDeque<(UnixNanos, Kept)>,
}

#[derive(Debug)]
enum Kept {
    /// A client begins.
    Begin,
    Topic(TopicId, Channel),
    Delta(TopicId, CoreDelta),
    State(Event, Option<Box<str>>),
    /// The event, and the book as it was then.
    Book(TopicId, BookEvent, Box<Copied>),
    /// Events are missing here, and the books are these.
    Lagged(Event, Vec<(TopicId, Copied)>),
    Push(PushTag, Box<[u8]>),
    /// The client before has ended, and with it what it knew of this channel.
    Over(Channel, Over),
    /// A session ends here without its end, or what stands behind is not what was written.
    Torn(String),
}

/// What the end of a client means for a channel.
#[derive(Clone, Copy, Debug)]
enum Over {
    /// The book was live, in this run.
    Lost(u32),
    /// What came between the two clients is not in the recording.
    MayHaveMissed,
}

/// Inputs between two looks at signals.
const STEPS: usize = 1024;

impl Sink for Tape {
    fn on_start(&mut self, moment: &Moment<'_>) -> io::Result<()> {
        self.known.clear();
        self.kept.push_back((moment.received, Kept::Begin));
        Ok(())
    }

    fn on_output(&mut self, moment: &Moment<'_>, output: &Output<'_>) -> io::Result<()> {
        let kept = match output {
            Output::Event(event) => self.of_event(moment, event),
            Output::Push(push) => {
                let is_wanted = push.topic().is_some_and(|topic| self.wants(moment, topic));
                is_wanted.then(|| Kept::Push(push.tag(), push.bytes().into()))
            }
            Output::Open { .. } | Output::Send { .. } | Output::Close { .. } | Output::Fetch(_) => {
                None
            }
        };
        self.kept.extend(kept.map(|kept| (moment.received, kept)));
        Ok(())
    }

    fn on_end(&mut self, _: &Moment<'_>) -> io::Result<()> {
        Ok(())
    }
}

impl Tape {
    #[inline]
    fn of_event(&mut self, moment: &Moment<'_>, event: &Event) -> Option<Kept> {
        let copied =
            |topic| moment.client.book_epoch(topic).zip(moment.client.book(topic).cloned());
        match *event {
            Event::Book(topic, BookEvent::Delta(delta)) => {
                self.wants(moment, topic).then_some(Kept::Delta(topic, delta))
            }
            Event::Book(
                topic,
                event @ (BookEvent::Live { .. } | BookEvent::Verified { is_wider: true, .. }),
            ) => {
                self.wants(moment, topic).then(|| Kept::Book(topic, event, Box::new(copied(topic))))
            }
            Event::Lagged { .. } => {
                let numbers = 0..u32::try_from(self.known.len()).unwrap_or(u32::MAX);
                let topics = numbers.map(TopicId::new);
                let books = topics.map(|topic| (topic, copied(topic))).collect();
                Some(Kept::Lagged(*event, books))
            }
            event => {
                let is_wanted = match event.topic() {
                    Some(topic) => self.wants(moment, topic),
                    None => self.wanted.is_none() && !matches!(event, Event::QueryFailed { .. }),
                };
                let words = event.refusal().and_then(|it| moment.client.words(it.words?));
                is_wanted.then(|| Kept::State(event, words.map(Box::from)))
            }
        }
    }

    #[inline]
    fn wants(&mut self, moment: &Moment<'_>, topic: TopicId) -> bool {
        let at = topic.get() as usize;
        if let Some(Some((_, is_wanted))) = self.known.get(at) {
            return *is_wanted;
        }
        let Some(channel) = moment.client.channel(topic) else { return false };
        let is_wanted = self.wanted.as_ref().is_none_or(|wanted| wanted.contains(&channel));
        if self.known.len() <= at {
            self.known.resize(at + 1, None);
        }
        if let Some(place) = self.known.get_mut(at) {
            *place = Some((channel, is_wanted));
        }
        if is_wanted {
            self.kept.push_back((moment.received, Kept::Topic(topic, channel)));
        }
        is_wanted
    }
}

impl Replay {
    /// Others run while another thread plays.
    fn lock(&self, py: Python<'_>) -> MutexGuard<'_, Played> {
        self.played.lock_py_attached(py).unwrap_or_else(PoisonError::into_inner)
    }

    /// For who has let go of the interpreter.
    fn play(&self) -> bool {
        self.played.lock().unwrap_or_else(PoisonError::into_inner).play()
    }
}

impl Played {
    /// Plays on until signals are due. False at the end.
    fn play(&mut self) -> bool {
        for _ in 0..STEPS {
            let Some(replayer) = &mut self.replayer else { return false };
            match replayer.step(&mut self.tape) {
                Ok(true) => {}
                Ok(false) => {
                    if let Some(tear) = &replayer.replayed().tear {
                        let last = self.tape.kept.back().map(|(received, _)| *received);
                        let at = last.or(self.received).unwrap_or(UnixNanos::from_nanos(0));
                        self.tape.kept.push_back((at, Kept::Torn(tear.to_string())));
                    }
                    self.replayer =
                        self.sessions.pop_front().map(|session| Replayer::new(&session));
                }
                Err(error) => self.stop(error.into()),
            }
        }
        true
    }

    /// Nothing behind a place that cannot be read is played. That is told once, after all that was before it.
    fn stop(&mut self, error: Fault) {
        (self.replayer, self.error) = (None, Some(error));
    }

    /// Whether it ends well, once everything was handed out.
    fn end(&mut self) -> Option<Result<(), Fault>> {
        self.tape.kept.is_empty().then(|| self.error.take().map_or(Ok(()), Err))
    }

    /// Brings the mirrors to the next event, and gives it out, with what it is of. `None`: there is none here yet.
    fn hand_out(&mut self) -> Option<(Option<Channel>, Kept)> {
        loop {
            let (received, mut kept) = self.tape.kept.pop_front()?;
            self.received = Some(received);
            match kept {
                Kept::Begin => {
                    self.begin(received);
                    continue;
                }
                Kept::Topic(topic, channel) => {
                    self.topics.add(topic, channel);
                    continue;
                }
                _ => {}
            }
            self.handed = self.handed.saturating_add(1);
            self.reflect(&mut kept);
            let topic = match &kept {
                Kept::Delta(topic, _) | Kept::Book(topic, ..) => Some(*topic),
                Kept::State(event, _) => event.topic(),
                Kept::Push(tag, bytes) => tag.on(bytes).topic(),
                Kept::Over(channel, _) => return Some((Some(*channel), kept)),
                Kept::Begin | Kept::Topic(..) | Kept::Lagged(..) | Kept::Torn(_) => None,
            };
            return Some((topic.and_then(|topic| self.topics.channel(topic)), kept));
        }
    }

    /// Another client begins. What the one before it knew ends here, and that is told before anything of the new one.
    fn begin(&mut self, received: UnixNanos) {
        let over: Vec<_> = self.topics.all().filter_map(|(_, topic)| ended(topic)).collect();
        self.topics.begin_anew();
        for kept in over.into_iter().rev() {
            self.tape.kept.push_front((received, kept));
        }
    }

    #[inline]
    fn reflect(&self, kept: &mut Kept) {
        let mirror = |topic: TopicId| self.topics.mirror(topic);
        match kept {
            Kept::Delta(topic, delta) => {
                if let Some(mirror) = mirror(*topic) {
                    // One that has lost its place is not live until the recording says so again.
                    let _ = mirror.lock().apply(delta, self.handed);
                }
            }
            Kept::Book(topic, BookEvent::Live { epoch, .. }, copied) => {
                if let Some(mirror) = mirror(*topic) {
                    mirror.lock().live(*epoch, copied.take(), self.handed);
                }
            }
            Kept::Book(topic, _, copied) => {
                if let Some(mirror) = mirror(*topic) {
                    mirror.lock().widen(copied.take(), self.handed);
                }
            }
            Kept::Lagged(_, books) => {
                for (topic, copied) in books {
                    if let Some(mirror) = mirror(*topic) {
                        mirror.lock().replace(copied.take(), self.handed);
                    }
                }
            }
            Kept::State(Event::Book(topic, BookEvent::Lost { epoch, reason }), _) => {
                if let Some(mirror) = mirror(*topic) {
                    mirror.lock().over(*epoch, reason.to_string());
                }
            }
            Kept::State(..)
            | Kept::Push(..)
            | Kept::Over(..)
            | Kept::Torn(_)
            | Kept::Begin
            | Kept::Topic(..) => {}
        }
    }
}

/// What is to be told of a topic when its client has ended. `None`: its book was lost before.
fn ended(topic: &Topic) -> Option<Kept> {
    let over = match &topic.mirror {
        Some(mirror) => {
            let held = mirror.lock();
            held.book().map(|_| Over::Lost(held.epoch()))?
        }
        None => Over::MayHaveMissed,
    };
    Some(Kept::Over(topic.channel, over))
}

/// An event as Python has it. Nothing is locked: this may let others run.
fn shown<'py>(
    py: Python<'py>,
    channel: Option<Channel>,
    kept: &Kept,
) -> PyResult<Bound<'py, PyAny>> {
    match kept {
        Kept::Delta(_, delta) => match channel.and_then(|it| it.symbol()) {
            Some(symbol) => Ok(Bound::new(py, Delta::of(symbol, delta))?.into_any()),
            None => Err(Fault::Recording("a change of an unknown book".into()).into()),
        },
        Kept::State(event, words) => news::event(py, channel, event, words.as_deref()),
        Kept::Book(topic, event, _) => news::event(py, channel, &Event::Book(*topic, *event), None),
        Kept::Lagged(event, _) => news::event(py, None, event, None),
        Kept::Push(tag, bytes) => message::event(py, channel, &tag.on(bytes)),
        Kept::Over(channel, over) => over.shown(py, *channel),
        Kept::Torn(text) => {
            message::state(py, "torn", format!("the recording ends here: {text}"), None)
        }
        Kept::Begin | Kept::Topic(..) => Err(Fault::Recording("nothing to show".into()).into()),
    }
}

impl Over {
    fn shown(self, py: Python<'_>, channel: Channel) -> PyResult<Bound<'_, PyAny>> {
        let symbol = channel.symbol();
        match (self, symbol) {
            (Self::Lost(epoch), Some(symbol)) => {
                Ok(Bound::new(py, BookLost { symbol, epoch, reason: NEXT_SESSION.into() })?
                    .into_any())
            }
            (Self::Lost(_) | Self::MayHaveMissed, _) => {
                let topic = channel.to_string();
                Ok(Bound::new(py, MayHaveMissed { topic, symbol })?.into_any())
            }
        }
    }
}

#[pymethods]
impl Replay {
    fn __iter__(slf: PyRef<'_, Self>) -> PyRef<'_, Self> {
        slf
    }

    fn __next__<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyAny>>> {
        loop {
            let handed = self.lock(py).hand_out();
            if let Some((channel, kept)) = handed {
                return shown(py, channel, &kept).map(Some);
            }
            let goes_on = py.detach(|| self.play());
            let end = if goes_on { None } else { self.lock(py).end() };
            if let Some(end) = end {
                return end.map(|()| None).map_err(PyErr::from);
            }
            py.check_signals()?;
        }
    }

    fn book(&self, py: Python<'_>, symbol: &str) -> PyResult<Book> {
        let symbol: Symbol = symbol.parse().map_err(Fault::from)?;
        let mirror = self.lock(py).topics.mirror_of(symbol);
        let mirror = mirror.ok_or_else(|| {
            Fault::NotLive(format!(
                "the book of {symbol} is not live: nothing was heard of it so far. Read on, until BookLive"
            ))
        })?;
        Ok(Book { mirror })
    }

    /// When the recorder received what the latest event came of, in nanoseconds since 1970.
    #[getter]
    fn received_ns(&self, py: Python<'_>) -> Option<u64> {
        self.lock(py).received.map(UnixNanos::as_nanos)
    }
}
