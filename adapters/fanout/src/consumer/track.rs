//! One publisher of one symbol, as a consumer has heard it.

use std::collections::VecDeque;
use std::time::Duration;

use kucoin_futures_proto::wire::Delta;
use kucoin_futures_proto::{Book, Instant, Sequence};

use crate::message::PublisherId;

/// What is known of a publisher.
#[derive(Debug)]
pub(super) struct Track {
    pub(super) publisher: PublisherId,
    /// Of its last message.
    pub(super) number: u64,
    pub(super) epoch: u32,
    /// When it last said something; `None`: before this clock began, or nobody is heard now.
    pub(super) heard: Option<Instant>,
    /// Its last word was that its book is live.
    pub(super) claims_live: bool,
    /// As its last heartbeat said.
    pub(super) age: Option<Duration>,
    pub(super) place: Place,
    /// The furthest sequence that it said since it was last doubted, whether that was of use or not.
    pub(super) reached: Option<Sequence>,
    /// Messages are missing since its last snapshot.
    pub(super) has_hole: bool,
}

/// How its stream and the book stand to each other.
#[derive(Debug)]
pub(super) enum Place {
    /// Nothing that it says can be used before its next snapshot.
    Cold,
    /// It has a book of its own, of which is not known that it is the same.
    Apart {
        /// Its snapshot, maybe with some changes.
        base: Box<Book>,
        /// The changes that follow that, one by one.
        pending: VecDeque<Delta>,
    },
    /// The book takes its changes; it has said those up to here, and the book has them.
    Joined { at: Sequence },
}

impl Track {
    pub(super) fn new(publisher: PublisherId, number: u64, heard: Option<Instant>) -> Self {
        Self {
            publisher,
            number,
            epoch: 0,
            heard,
            claims_live: false,
            age: None,
            place: Place::Cold,
            reached: None,
            has_hole: false,
        }
    }

    /// What it says reaches to here.
    pub(super) fn reach(&mut self, sequence: Option<Sequence>) {
        self.reached = self.reached.max(sequence);
    }

    pub(super) fn is_fresh(&self, now: Instant, silence: Duration) -> bool {
        self.heard.is_some_and(|heard| now.since(heard) <= silence)
    }

    pub(super) const fn is_joined(&self) -> bool {
        matches!(self.place, Place::Joined { .. })
    }

    pub(super) const fn is_cold(&self) -> bool {
        matches!(self.place, Place::Cold)
    }

    pub(super) const fn is_apart(&self) -> bool {
        matches!(self.place, Place::Apart { .. })
    }

    /// Up to where it has told its book; `None` while that is not known.
    pub(super) fn told(&self) -> Option<Sequence> {
        match &self.place {
            Place::Cold => None,
            Place::Apart { base, pending } => {
                Some(pending.back().map_or_else(|| base.sequence(), |delta| delta.sequence))
            }
            Place::Joined { at } => Some(*at),
        }
    }
}
