//! Small `Copy` names for things, so that nothing is looked up by text twice.

use core::fmt;
use core::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::error::Misuse;
use crate::text_serde::serde_as_text;

macro_rules! id {
    ($(#[$doc:meta])* $name:ident($inner:ty)) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        pub struct $name($inner);

        impl $name {
            #[doc = concat!("Wraps a raw number as a `", stringify!($name), "`.")]
            #[must_use]
            pub const fn new(raw: $inner) -> Self {
                Self(raw)
            }

            /// The raw number.
            #[must_use]
            pub const fn get(self) -> $inner {
                self.0
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "({})"), self.0)
            }
        }
    };
}

id! {
    /// One connection attempt. Never used twice by a `Client`: input that carries an old one is
    /// stale, dropped and counted.
    ConnId(u32)
}
id! {
    /// One REST request. Never used twice by a `Client`.
    RequestId(u32)
}
id! {
    /// One channel that was subscribed to; stays the same over reconnects and resubscriptions.
    TopicId(u32)
}
id! {
    /// One source of topics: a connection that is renewed until another line takes its place. What it is there for
    /// [`Client::line_role`](crate::Client::line_role) says; the number of one that is over is given to a later one.
    LineId(u32)
}
id! {
    /// What the exchange said when it refused something, as text: see
    /// [`Client::words`](crate::Client::words).
    WordsId(u32)
}
id! {
    /// One live run of one book, or of the account: from `Live` to `Lost`. Counts from 1 for each.
    Epoch(u32)
}
id! {
    /// A position in one symbol's stream of level changes. A counter, though it looks like a
    /// time in milliseconds (about 1.7e12): never compare it with one.
    Sequence(u64)
}

impl Sequence {
    /// The sequence that must follow; `None` at the end of the range.
    #[must_use]
    pub const fn next(self) -> Option<Self> {
        match self.0.checked_add(1) {
            Some(next) => Some(Self(next)),
            None => None,
        }
    }
}

impl TopicId {
    /// Position in the client's topic table.
    pub(crate) const fn index(self) -> usize {
        self.0 as usize
    }
}

impl LineId {
    /// Position in the client's line table.
    pub(crate) const fn index(self) -> usize {
        self.0 as usize
    }
}

impl fmt::Display for Sequence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A contract's name as the exchange writes it, such as `XBTUSDTM`. Bitcoin is XBT here.
///
/// 1 to 23 characters out of `A-Z a-z 0-9 . _ -`; kept inline, `Copy`, 24 bytes.
///
/// ```
/// use kucoin_futures_proto::Symbol;
/// let symbol: Symbol = "XBTUSDTM".parse()?;
/// assert_eq!(symbol.as_str(), "XBTUSDTM");
/// assert!("XBT,ETH".parse::<Symbol>().is_err());
/// # Ok::<(), kucoin_futures_proto::Misuse>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Symbol {
    bytes: [u8; Self::MAX_LEN],
    len: u8,
}

impl Symbol {
    /// Longest symbol accepted, in bytes. The longest one listed in 2026 has 14.
    pub const MAX_LEN: usize = 23;

    /// Takes a symbol as written.
    ///
    /// # Errors
    /// [`Misuse::InvalidSymbol`] if it is empty, too long, or could break out of a topic string.
    pub fn new(text: &str) -> Result<Self, Misuse> {
        Self::of_bytes(text.as_bytes()).ok_or(Misuse::InvalidSymbol)
    }

    /// The same of bytes, which are ASCII if they are legal.
    pub(crate) fn of_bytes(text: &[u8]) -> Option<Self> {
        let mut bytes = [0; Self::MAX_LEN];
        let legal = |b: &u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-');
        let slot = bytes.get_mut(..text.len())?;
        if text.is_empty() || !text.iter().all(legal) {
            return None;
        }
        slot.copy_from_slice(text);
        Some(Self { bytes, len: text.len() as u8 })
    }

    /// The symbol as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        let used = self.bytes.get(..usize::from(self.len)).unwrap_or_default();
        core::str::from_utf8(used).unwrap_or_default()
    }
}

impl FromStr for Symbol {
    type Err = Misuse;

    fn from_str(text: &str) -> Result<Self, Misuse> {
        Self::new(text)
    }
}

impl fmt::Display for Symbol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

serde_as_text!(Symbol, "a symbol");

impl fmt::Debug for Symbol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
