//! What the feed's thread and the writer's share: the block that grows, and those that wait.

use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant as StdInstant};

use kucoin_futures_proto::{Config, Instant, UnixNanos};

use super::clock;
use super::options::RecorderOptions;
use super::{Pending, RecorderStatus};
use crate::format::record;

/// What a client was made with.
#[derive(Clone, Debug)]
pub(crate) struct Made {
    pub(crate) now: Instant,
    pub(crate) wall: UnixNanos,
    pub(crate) seed: u64,
    pub(crate) config: Config,
}

/// Records with what came of them, not yet packed.
#[derive(Debug)]
pub(crate) struct Block {
    pub(crate) first: Instant,
    pub(crate) last: Instant,
    /// What the wall clock said at the first.
    pub(crate) wall: UnixNanos,
    pub(crate) records: u32,
    pub(crate) bytes: Vec<u8>,
    pub(crate) outputs: Vec<u8>,
    pub(crate) output_count: u64,
    since: StdInstant,
}

impl Block {
    pub(crate) fn weight(&self) -> usize {
        self.bytes.len().saturating_add(self.outputs.len())
    }
}

#[derive(Debug)]
struct State {
    made: Option<Made>,
    open: Option<Block>,
    sealed: VecDeque<Block>,
    /// Nothing comes any more.
    is_closed: bool,
    /// More came than may wait: nothing is taken any more.
    is_over: bool,
    status: RecorderStatus,
}

#[derive(Debug)]
pub(crate) struct Shared {
    state: Mutex<State>,
    changed: Condvar,
    options: RecorderOptions,
}

/// What the writer is to do next.
#[derive(Debug)]
pub(crate) enum Job {
    Write(Block),
    /// Nothing now: time to sync, perhaps.
    Idle,
    /// All is written.
    End {
        is_over: bool,
    },
}

impl Shared {
    pub(crate) fn new(options: RecorderOptions) -> Self {
        let state = State {
            made: None,
            open: None,
            sealed: VecDeque::new(),
            is_closed: false,
            is_over: false,
            status: RecorderStatus::NEW,
        };
        Self { state: Mutex::new(state), changed: Condvar::new(), options }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Nothing is left half done by a panic.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) const fn options(&self) -> &RecorderOptions {
        &self.options
    }

    pub(crate) fn start(&self, now: Instant, seed: u64, config: Config) {
        let wall = (self.options.wall)(now);
        self.lock().made.get_or_insert(Made { now, wall, seed, config });
        self.changed.notify_one();
    }

    /// Waits until a client is made; `None` if none is.
    pub(crate) fn made(&self) -> Option<Made> {
        let wait = |state: &mut State| state.made.is_none() && !state.is_closed;
        let state = self.changed.wait_while(self.lock(), wait);
        state.unwrap_or_else(PoisonError::into_inner).made.clone()
    }

    /// Takes a call and what came of it.
    #[inline]
    pub(crate) fn append(&self, pending: &Pending) {
        let mut guard = self.lock();
        let state = &mut *guard;
        state.status.records += 1;
        if state.is_over || state.is_closed {
            state.status.lost += 1;
            return;
        }
        let open = state.open.get_or_insert_with(|| Block {
            first: pending.now,
            last: pending.now,
            wall: (self.options.wall)(pending.now),
            records: 0,
            bytes: Vec::with_capacity(self.options.block_bytes),
            outputs: Vec::with_capacity(self.options.block_bytes / 2),
            output_count: 0,
            since: clock::now(),
        });
        record::put_head(&mut open.bytes, pending.kind, open.last, pending.now);
        open.bytes.extend_from_slice(&pending.rest);
        open.last = pending.now;
        open.records += 1;
        open.outputs.extend_from_slice(&pending.outputs);
        open.output_count += pending.count;
        if open.bytes.len() >= self.options.block_bytes {
            self.seal(state);
            drop(guard);
            self.changed.notify_one();
        }
    }

    #[cold]
    fn seal(&self, state: &mut State) {
        let Some(block) = state.open.take() else { return };
        // One is taken, however small the room is.
        let waiting = state.status.waiting;
        if waiting > 0 && waiting + block.weight() > self.options.queue_bytes {
            state.is_over = true;
            state.status.lost += u64::from(block.records);
            return;
        }
        state.status.waiting += block.weight();
        state.sealed.push_back(block);
    }

    pub(crate) fn close(&self) {
        self.lock().is_closed = true;
        self.changed.notify_one();
    }

    /// Whether nothing comes any more.
    pub(crate) fn is_closed(&self) -> bool {
        self.lock().is_closed
    }

    pub(crate) fn status(&self) -> RecorderStatus {
        self.lock().status
    }

    pub(crate) fn update(&self, update: impl FnOnce(&mut RecorderStatus)) {
        update(&mut self.lock().status);
    }

    /// Waits for something to do, for so long.
    pub(crate) fn next(&self, limit: Duration) -> Job {
        let age = self.options.block_age;
        let mut state = self.lock();
        if state.sealed.is_empty() && !state.is_closed {
            let left =
                state.open.as_ref().map_or(age, |open| age.saturating_sub(open.since.elapsed()));
            let waited =
                self.changed.wait_timeout(state, left.min(limit).max(Duration::from_millis(1)));
            state = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
        let is_due = |open: &Block| open.since.elapsed() >= age;
        if state.sealed.is_empty() && (state.is_closed || state.open.as_ref().is_some_and(is_due)) {
            self.seal(&mut state);
        }
        match state.sealed.pop_front() {
            Some(block) => Job::Write(block),
            // Not before nothing comes any more: it says how much came for nothing.
            None if state.is_closed => Job::End { is_over: state.is_over },
            None => Job::Idle,
        }
    }

    /// A block that was taken is written, or given up.
    pub(crate) fn done(&self, weight: usize) {
        let mut state = self.lock();
        state.status.waiting = state.status.waiting.saturating_sub(weight);
    }

    /// Waits before the disk is tried again; not if nothing comes any more.
    pub(crate) fn pause(&self, span: Duration) {
        let state = self.lock();
        // A new block may wake it up: a little early does no harm.
        let _ = self.changed.wait_timeout_while(state, span, |state| !state.is_closed);
    }
}

#[cfg(test)]
mod tests {
    use super::{Duration, Job, Pending, RecorderOptions, Shared};

    fn shared(queue_bytes: usize) -> Shared {
        let block_age = Duration::from_secs(3600);
        let options =
            RecorderOptions { block_bytes: 16, block_age, queue_bytes, ..Default::default() };
        Shared::new(options)
    }

    /// A record that fills a block.
    fn full() -> Pending {
        let mut pending = Pending::new();
        pending.rest = vec![0; 16];
        pending
    }

    #[test]
    fn what_comes_after_the_end_is_counted_and_kept_nowhere() {
        let shared = shared(1 << 20);
        shared.append(&full());
        shared.close();
        shared.append(&full());
        let status = shared.status();
        assert_eq!((status.records, status.lost), (2, 1));
        assert!(matches!(shared.next(Duration::ZERO), Job::Write(block) if block.records == 1));
        assert!(matches!(shared.next(Duration::ZERO), Job::End { is_over: false }));
    }

    #[test]
    fn one_block_is_taken_however_small_the_room_is_and_the_end_waits_for_the_last_that_is_lost() {
        let shared = shared(1);
        shared.append(&full());
        assert_eq!(shared.status().lost, 0);
        shared.append(&full());
        shared.append(&full());
        assert_eq!(shared.status().lost, 2);
        assert!(matches!(shared.next(Duration::ZERO), Job::Write(_)));
        // Nothing is left to be written, and more may be lost.
        assert!(matches!(shared.next(Duration::ZERO), Job::Idle));
        shared.append(&full());
        shared.close();
        assert!(matches!(shared.next(Duration::ZERO), Job::End { is_over: true }));
        assert_eq!(shared.status().lost, 3);
    }
}
