//! The alphabet of the small world.

use std::time::Duration;

/// Longest history.
pub(super) const LONGEST: usize = 12;

/// What happens next.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
#[allow(clippy::exhaustive_enums, reason = "the alphabet of the small world")]
pub enum Letter {
    /// The first bid changes its size, and the delta arrives; with two lines on the first, and on its way on the
    /// other.
    ChangeA,
    /// The second bid comes or goes, and the delta arrives.
    ChangeB,
    /// The first bid changes its size, and the delta is lost; with two lines on the first one.
    LostA,
    /// The second bid comes or goes, and the delta is lost.
    LostB,
    /// The last delta that arrived arrives again.
    Repeat,
    /// The counter is set back by one; the book stays.
    Back1,
    /// The counter is set back by two; the book stays.
    Back2,
    /// The snapshot that is asked for, now or after the time it takes, is of the present.
    Snapshot,
    /// It is as old as the last change.
    Snapshot1,
    /// It is as old as the change before the last one.
    Snapshot2,
    /// The connection ends and another one is made.
    Reconnect,
    /// A little more than a second passes.
    Time,
    /// The second line brings the next of what the first one was sent before.
    Late,
    /// The second line leaves that out.
    Skip,
    /// The second line ends, with all that was on its way, and another one is made.
    Reconnect2,
}

impl Letter {
    /// All of them; the last three where a second line carries the book, too.
    pub const ALL: [Self; 15] = [
        Self::ChangeA,
        Self::ChangeB,
        Self::LostA,
        Self::LostB,
        Self::Repeat,
        Self::Back1,
        Self::Back2,
        Self::Snapshot,
        Self::Snapshot1,
        Self::Snapshot2,
        Self::Reconnect,
        Self::Time,
        Self::Late,
        Self::Skip,
        Self::Reconnect2,
    ];

    /// Those that there are with so many lines.
    pub(super) fn with(lines: u8) -> &'static [Self] {
        let count = if lines > 1 { Self::ALL.len() } else { Self::ALL.len() - 3 };
        Self::ALL.get(..count).unwrap_or_default()
    }

    pub(super) const fn word(self) -> &'static str {
        match self {
            Self::ChangeA => "a",
            Self::ChangeB => "b",
            Self::LostA => "lost-a",
            Self::LostB => "lost-b",
            Self::Repeat => "repeat",
            Self::Back1 => "back-1",
            Self::Back2 => "back-2",
            Self::Snapshot => "snapshot",
            Self::Snapshot1 => "old-1",
            Self::Snapshot2 => "old-2",
            Self::Reconnect => "reconnect",
            Self::Time => "time",
            Self::Late => "late",
            Self::Skip => "skip",
            Self::Reconnect2 => "reconnect-2",
        }
    }

    /// What it is called among the kinds of fault; `None` if it is no fault.
    pub(super) const fn fault(self) -> Option<&'static str> {
        match self {
            Self::LostA | Self::LostB | Self::Skip => Some("lost"),
            Self::Repeat => Some("repeat"),
            Self::Back1 | Self::Back2 => Some("set back"),
            Self::Snapshot1 | Self::Snapshot2 => Some("old snapshot"),
            Self::ChangeA | Self::ChangeB | Self::Snapshot | Self::Reconnect | Self::Time => None,
            Self::Late | Self::Reconnect2 => None,
        }
    }
}

/// What deltas and snapshots say of their times.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[allow(clippy::exhaustive_enums, reason = "each is asked for by name")]
pub enum Times {
    /// Nothing.
    Absent,
    /// The truth, with 3 ms between one letter and the next: within what neighbours may disagree by.
    Close,
    /// The truth, with 400 ms between one letter and the next: neither near nor far.
    Plausible,
    /// The truth, with 2 s between one letter and the next.
    Clear,
}

impl Times {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Absent, Self::Close, Self::Plausible, Self::Clear];

    pub(super) const fn step(self) -> Duration {
        match self {
            Self::Absent | Self::Plausible => Duration::from_millis(400),
            Self::Close => Duration::from_millis(3),
            Self::Clear => Duration::from_secs(2),
        }
    }

    /// Its name, in lower case.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Absent => "absent",
            Self::Close => "close",
            Self::Plausible => "plausible",
            Self::Clear => "clear",
        }
    }
}
