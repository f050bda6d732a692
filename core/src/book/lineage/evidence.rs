//! What shows that the exchange's counter was set back, and the one table of what follows from it.

use core::fmt;

use serde::Serialize;

/// What shows, or may show, that the exchange's counter was set back.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize)]
#[non_exhaustive]
pub enum Evidence {
    /// A line's sequence went back by 1024 or more: repeats come from a queue that is shorter.
    LongStepBack,
    /// Three repeats in a row on one line, with nothing new between them.
    ThreeRepeats,
    /// A sequence that was seen says something else now.
    RepeatDiffers,
    /// A repeated sequence has an exchange time after that of the newest delta.
    RepeatIsNewer,
    /// The stream has stayed behind what the book had reached for 5 s.
    StreamStaysBehind,
    /// The snapshot holds another size than the deltas that it contains say.
    SnapshotDiffers,
    /// Ten snapshots in a row were behind what the book had reached, and no stream spoke against them.
    SnapshotsStayBehind,
    /// The snapshot is older than what the book had reached.
    BelowHighWater,
    /// After a reset: the snapshot holds none of the deltas that were seen since.
    UnprovenAfterReset,
    /// After a reset: the snapshot is ahead of the stream, and may be of the run before.
    AheadAfterReset,
    /// Every delta that came after the snapshot, by sequence, was made before it, by the exchange's times and
    /// whatever its clocks are known to be apart by.
    StreamIsEarlier,
    /// The snapshot is older than what the stream had said when it was asked for, the one before was not, and the
    /// exchange's times do not vouch for it: its service lags now, or the counter was set back in between.
    OlderThanAsked,
    /// A line's last delta was a repeat: it may be the first of a new run.
    RepeatInDoubt,
    /// A delta that the snapshot contains was made after it; likewise.
    ContainedIsLater,
    /// The delta right after the snapshot was made before it; likewise.
    FollowerIsEarlier,
    /// The delta right after the snapshot, or after a repeat of what is not remembered any more, sets a
    /// level to the size that it has in the book: the exchange pushes changes.
    ChangesNothing,
}

/// Where evidence was found.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Stage {
    /// In what a line brings.
    Stream,
    /// In a snapshot, held against the deltas that are buffered.
    Snapshot,
    /// In a delta, held against the snapshot that the live book began with.
    Loaded,
}

/// What follows from evidence.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Ruling {
    /// Nothing: it is taken for one run.
    Accept,
    /// The snapshot is kept for 5 s: what the stream says next settles it.
    Wait,
    /// The snapshot is of no use; another one is asked for.
    Retry,
    /// The counter was set back: nothing that was known fits what comes.
    NewRun,
}

/// The table. `doubts_left`: one of the exchange's clocks may have been set, and a repeat may be a repeat, so
/// what is a mere doubt has no consequence once three in a row were spent. Clocks that are apart by what
/// they were apart by before are no evidence at all: see [`Skew`](super::skew::Skew).
pub(super) const fn decide(stage: Stage, evidence: Evidence, doubts_left: bool) -> Ruling {
    use Evidence as E;
    use Ruling::{Accept, NewRun, Retry, Wait};
    match (evidence, stage, doubts_left) {
        // Facts.
        (E::LongStepBack, ..) => NewRun,
        (E::ThreeRepeats, ..) => NewRun,
        (E::RepeatDiffers, ..) => NewRun,
        (E::RepeatIsNewer, ..) => NewRun,
        (E::StreamStaysBehind, ..) => NewRun,
        (E::SnapshotDiffers, ..) => NewRun,
        (E::SnapshotsStayBehind, ..) => NewRun,
        (E::BelowHighWater, ..) => Retry,
        (E::UnprovenAfterReset, ..) => Retry,
        // A doubt that more snapshots cannot settle: only the stream can.
        (E::AheadAfterReset, _, true) => Wait,
        (E::AheadAfterReset, _, false) => Retry,
        // Doubts.
        (E::StreamIsEarlier, _, true) => Wait,
        (E::RepeatInDoubt, _, true) => Retry,
        // By the next snapshot the stream has shown which; one that lags, too, is taken.
        (E::OlderThanAsked, ..) => Retry,
        (E::ContainedIsLater, Stage::Loaded, true) => NewRun,
        (E::ContainedIsLater, _, true) => Retry,
        (E::FollowerIsEarlier, Stage::Loaded, true) => NewRun,
        (E::FollowerIsEarlier, _, true) => Retry,
        (E::ChangesNothing, Stage::Loaded, true) => NewRun,
        (E::ChangesNothing, _, true) => Retry,
        (E::StreamIsEarlier | E::RepeatInDoubt | E::ContainedIsLater, _, false) => Accept,
        (E::FollowerIsEarlier | E::ChangesNothing, _, false) => Accept,
    }
}

impl Evidence {
    /// Every kind there is.
    pub const ALL: &[Self] = &[
        Self::LongStepBack,
        Self::ThreeRepeats,
        Self::RepeatDiffers,
        Self::RepeatIsNewer,
        Self::StreamStaysBehind,
        Self::SnapshotDiffers,
        Self::SnapshotsStayBehind,
        Self::BelowHighWater,
        Self::UnprovenAfterReset,
        Self::AheadAfterReset,
        Self::StreamIsEarlier,
        Self::OlderThanAsked,
        Self::RepeatInDoubt,
        Self::ContainedIsLater,
        Self::FollowerIsEarlier,
        Self::ChangesNothing,
    ];

    /// Whether a clock that was set, or a repeat that is one, look like this, too.
    pub(super) const fn is_doubt(self) -> bool {
        matches!(
            self,
            Self::AheadAfterReset
                | Self::StreamIsEarlier
                | Self::RepeatInDoubt
                | Self::ContainedIsLater
                | Self::FollowerIsEarlier
                | Self::ChangesNothing
        )
    }
}

impl fmt::Display for Evidence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::LongStepBack => "a long step back",
            Self::ThreeRepeats => "three repeats in a row",
            Self::RepeatDiffers => "a repeat says something else",
            Self::RepeatIsNewer => "a repeat is newer than the newest delta",
            Self::StreamStaysBehind => "the stream stays behind the book",
            Self::SnapshotDiffers => "the snapshot differs from the deltas that it contains",
            Self::SnapshotsStayBehind => "the snapshots stay behind the book",
            Self::BelowHighWater => "it is older than what the book had reached",
            Self::UnprovenAfterReset => "it holds no delta that was seen since the reset",
            Self::AheadAfterReset => "it is ahead of the stream after a reset",
            Self::StreamIsEarlier => "all deltas after it were made before it",
            Self::OlderThanAsked => "it is older than what was known when it was asked for",
            Self::RepeatInDoubt => "the last delta was a repeat",
            Self::ContainedIsLater => "a delta that it contains was made after it",
            Self::FollowerIsEarlier => "the delta after it was made before it",
            Self::ChangesNothing => "the next delta changes nothing",
        })
    }
}
