//! What a line keeps to besides what is in `Config`.

use core::time::Duration;

use crate::limiter::SlidingWindow;

/// Binary messages that are put up with within a minute: there are none in this protocol.
pub(super) const MOST_BINARIES: SlidingWindow = SlidingWindow::new(2, Duration::from_secs(60));
/// The exchange counts over 10 s, as messages arrive: two bursts may arrive closer together than they went out.
pub(super) const SEND_SPAN: Duration = Duration::from_secs(11);
/// How long sending rests after a 509 about its rate: the span that the exchange counts over.
pub(super) const TOO_FAST_REST: Duration = Duration::from_secs(10);
/// However short the life of a line is said to be: replacing it takes a few seconds.
pub(super) const SHORTEST_LIFE: Duration = Duration::from_secs(10);
/// The code for "no room on this line", as the exchange has it.
pub(crate) const NO_ROOM: u32 = 509;
