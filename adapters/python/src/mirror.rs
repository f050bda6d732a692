//! Copies of books that keep step with the events that were handed out.
//!
//! ```text
//!   the feed's thread    book at 107 ──────────────┐ copy, at `BookLive` and wherever events are missing
//!   the queue            .. 104 105 106 107 108 .. │
//!   the reader           handed out: 105           └> mirror at 107: 106 and 107 change nothing, 108 does
//! ```

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use kucoin_futures_proto::book::Apply;
use kucoin_futures_proto::wire::Delta;
use kucoin_futures_proto::{Book, Channel, ChannelKind, Epoch, Symbol, TopicId};

use crate::fault::Fault;

/// Why no book is known where one client of a recording has ended and the next one begins.
pub(crate) const NEXT_SESSION: &str = "another session of the recording begins";

/// The copy of one book. It can be read while it is known to be right, and only then.
#[derive(Debug)]
pub(crate) struct Mirror {
    symbol: Symbol,
    held: Mutex<Held>,
}

#[derive(Clone, Debug, Default)]
pub(crate) struct Held {
    book: Option<Book>,
    epoch: u32,
    /// No events are handed out any more of a run before that of the copy.
    is_shown: bool,
    /// The number of the last event that was there when the copy was taken: those up to it change nothing.
    cut: u64,
    /// Why it cannot be read.
    why: Option<String>,
}

/// What a feed's thread gives of a book that is live.
pub(crate) type Copied = Option<(Epoch, Book)>;

impl Mirror {
    pub(crate) fn new(symbol: Symbol) -> Arc<Self> {
        Arc::new(Self { symbol, held: Mutex::default() })
    }

    /// One that does not change any more, or by its owner's hand.
    pub(crate) fn of(symbol: Symbol, epoch: u32, book: Book) -> Arc<Self> {
        let held = Held { book: Some(book), epoch, is_shown: true, ..Held::default() };
        Arc::new(Self { symbol, held: Mutex::new(held) })
    }

    pub(crate) const fn symbol(&self) -> Symbol {
        self.symbol
    }

    pub(crate) fn symbol_text(&self) -> &str {
        self.symbol.as_str()
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Looks at the book.
    pub(crate) fn read<R>(&self, look: impl FnOnce(&Book) -> R) -> Result<R, Fault> {
        self.read_run(|_, book| look(book))
    }

    /// Looks at the book, and at which run of it this is.
    pub(crate) fn read_run<R>(&self, look: impl FnOnce(u32, &Book) -> R) -> Result<R, Fault> {
        let held = self.lock();
        match held.book() {
            Some(book) => Ok(look(held.epoch(), book)),
            None => Err(Fault::NotLive(self.not_live(&held))),
        }
    }

    fn not_live(&self, held: &Held) -> String {
        let why = held.why.as_deref().unwrap_or("it has not become so yet");
        format!(
            "the book of {} is not live: {why}. Read on: BookLive says when it is again",
            self.symbol
        )
    }
}

impl Held {
    /// The book, if it is the exchange's.
    pub(crate) const fn book(&self) -> Option<&Book> {
        match &self.book {
            Some(book) if self.is_shown => Some(book),
            _ => None,
        }
    }

    pub(crate) const fn book_mut(&mut self) -> Option<&mut Book> {
        match &mut self.book {
            Some(book) if self.is_shown => Some(book),
            _ => None,
        }
    }

    pub(crate) const fn epoch(&self) -> u32 {
        self.epoch
    }

    /// It became live, as the event with this number says, and this is what it is by now.
    pub(crate) fn live(&mut self, epoch: Epoch, copied: Copied, at: u64) {
        match copied {
            Some((run, book)) if run == epoch => {
                *self =
                    Self { book: Some(book), epoch: run.get(), is_shown: true, cut: at, why: None };
            }
            // It was lost meanwhile. The event that says so comes, and then that of the next run.
            _ => self.lose("it was lost again before this could be read".into()),
        }
    }

    /// Whether the copy was taken after the event with this number, and so contains it.
    pub(crate) const fn contains(&self, at: u64) -> bool {
        at <= self.cut
    }

    /// It is known to be live as of the copy, which was taken when events up to `cut` were there.
    pub(crate) fn replace(&mut self, copied: Copied, cut: u64) {
        let (book, epoch) =
            copied.map_or((None, self.epoch), |(run, book)| (Some(book), run.get()));
        let why = book.is_none().then(|| "it was not when events were left out".into());
        *self = Self { book, epoch, is_shown: true, cut, why };
    }

    /// The book knows more than before.
    pub(crate) fn widen(&mut self, copied: Copied, at: u64) {
        // A copy of another run is none of this one, which is right all the same.
        if let Some((run, book)) = copied
            && run.get() == self.epoch
            && self.book.is_some()
        {
            (self.book, self.cut) = (Some(book), at);
        }
    }

    /// The event that says that a run is over was handed out.
    pub(crate) fn over(&mut self, epoch: Epoch, reason: String) {
        if self.book.is_some() && self.epoch > epoch.get() {
            // The copy is of a later run: to be shown once that begins.
            (self.is_shown, self.why) = (false, Some(reason));
        } else {
            self.lose(reason);
        }
    }

    /// The event that says that a run began, which the copy is further than.
    pub(crate) fn begun(&mut self, epoch: Epoch) {
        self.is_shown = self.book.is_some() && self.epoch == epoch.get();
    }

    pub(crate) fn lose(&mut self, why: String) {
        (self.book, self.is_shown, self.why) = (None, false, Some(why));
    }

    /// A change was handed out. False: something before it is missing, and the copy is given up.
    #[inline]
    pub(crate) fn apply(&mut self, delta: &Delta, at: u64) -> bool {
        if at <= self.cut || !self.is_shown {
            return true;
        }
        let Some(book) = &mut self.book else { return true };
        if matches!(book.apply(delta), Apply::Applied | Apply::Repeat) {
            return true;
        }
        self.lose("its copy has lost its place and is taken anew".into());
        false
    }
}

/// What was subscribed to, and the mirrors of what has a book.
#[derive(Debug, Default)]
pub(crate) struct Topics {
    list: Vec<Option<Topic>>,
    /// By contract, whatever topic carries it.
    mirrors: BTreeMap<Symbol, Arc<Mirror>>,
}

#[derive(Debug)]
pub(crate) struct Topic {
    pub(crate) channel: Channel,
    pub(crate) mirror: Option<Arc<Mirror>>,
    /// It was not unsubscribed since.
    is_wanted: bool,
}

impl Topics {
    /// Remembers what a topic is, and that it is wanted. One that is known stays what it is.
    pub(crate) fn add(&mut self, topic: TopicId, channel: Channel) {
        let at = topic.get() as usize;
        if self.list.len() <= at {
            self.list.resize_with(at + 1, || None);
        }
        let is_book = channel.kind() == ChannelKind::Level2;
        let mirrors = &mut self.mirrors;
        let Some(place) = self.list.get_mut(at) else { return };
        let topic = place.get_or_insert_with(|| {
            let symbol = channel.symbol().filter(|_| is_book);
            let mirror = symbol.map(|symbol| {
                Arc::clone(mirrors.entry(symbol).or_insert_with(|| Mirror::new(symbol)))
            });
            Topic { channel, mirror, is_wanted: true }
        });
        topic.is_wanted = true;
    }

    /// It is wanted no more. What it was is still known: events of it may be on their way.
    pub(crate) fn unwant(&mut self, topic: TopicId) {
        if let Some(Some(topic)) = self.list.get_mut(topic.get() as usize) {
            topic.is_wanted = false;
        }
    }

    /// What is subscribed to now.
    pub(crate) fn wanted(&self) -> impl Iterator<Item = Channel> {
        self.all().filter(|(_, topic)| topic.is_wanted).map(|(_, topic)| topic.channel)
    }

    #[inline]
    pub(crate) fn get(&self, topic: TopicId) -> Option<&Topic> {
        self.list.get(topic.get() as usize)?.as_ref()
    }

    pub(crate) fn channel(&self, topic: TopicId) -> Option<Channel> {
        Some(self.get(topic)?.channel)
    }

    #[inline]
    pub(crate) fn mirror(&self, topic: TopicId) -> Option<&Arc<Mirror>> {
        self.get(topic)?.mirror.as_ref()
    }

    /// The mirror of a contract's book, if that was ever subscribed to.
    pub(crate) fn mirror_of(&self, symbol: Symbol) -> Option<Arc<Mirror>> {
        self.mirrors.get(&symbol).map(Arc::clone)
    }

    /// Another client begins, with other topics: no book is known any more.
    pub(crate) fn begin_anew(&mut self) {
        self.list.clear();
        for mirror in self.mirrors.values() {
            mirror.lock().lose(NEXT_SESSION.into());
        }
    }

    /// The topics that have a book.
    pub(crate) fn mirrors(&self) -> impl Iterator<Item = (TopicId, &Arc<Mirror>)> {
        self.all().filter_map(|(id, topic)| Some((id, topic.mirror.as_ref()?)))
    }

    /// The topic of a channel.
    pub(crate) fn find(&self, channel: Channel) -> Option<TopicId> {
        let is_it = |topic: &Option<Topic>| topic.as_ref().is_some_and(|it| it.channel == channel);
        let at = self.list.iter().position(is_it)?;
        u32::try_from(at).ok().map(TopicId::new)
    }

    /// All that was ever subscribed to.
    pub(crate) fn all(&self) -> impl Iterator<Item = (TopicId, &Topic)> {
        let topics = self.list.iter().enumerate();
        topics.filter_map(|(at, topic)| {
            Some((TopicId::new(u32::try_from(at).ok()?), topic.as_ref()?))
        })
    }

    /// The channels of all topics.
    pub(crate) fn channels(&self) -> impl Iterator<Item = (TopicId, Channel)> {
        self.all().map(|(id, topic)| (id, topic.channel))
    }
}
