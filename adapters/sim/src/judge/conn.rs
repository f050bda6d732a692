//! What is held against one connection: how long it takes, its pings, what is sent on it.

use std::collections::BTreeMap;
use std::time::Duration;

use kucoin_futures_proto::{Config, ConnId, Instant, LineId};

use super::fetches::Pings;
use super::topics::{SECOND, SLACK, Verdict};
use super::window::Window;

pub(super) type Conns = BTreeMap<ConnId, Conn>;

/// A deadline that is met late is put off by this.
const GRACE: Duration = SECOND;

#[derive(Debug)]
pub(super) struct Conn {
    pub(super) life: Life,
    /// When that life began.
    pub(super) since: Instant,
    /// The line that said to be up with it.
    pub(super) line: Option<LineId>,
    /// What the token that it was opened with says of pings.
    pings: Pings,
    connect_id: String,
    pub(super) welcomed: bool,
    sends: Window,
    pub(super) up_at: Instant,
    last_ping: Option<Instant>,
    /// The id of the ping that is not answered yet.
    ping: Option<(String, Instant)>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Life {
    Asked,
    Opened,
    Up,
    Down,
}

impl Conn {
    pub(super) fn new(at: Instant, pings: Pings, connect_id: &str, config: &Config) -> Self {
        Self {
            life: Life::Asked,
            since: at,
            line: None,
            pings,
            connect_id: format!("\"{connect_id}\""),
            welcomed: false,
            sends: Window::new(config.budgets.sends_per_10s.into(), SECOND * 10),
            up_at: at,
            last_ping: None,
            ping: None,
        }
    }

    /// Whether it may be said to be up.
    pub(super) fn is_ready(&self) -> bool {
        self.life == Life::Opened && self.welcomed
    }

    /// A frame that is of no topic is about to be handed in.
    pub(super) fn on_session_text(&mut self, text: &str) {
        if text.contains(r#""type":"pong""#) {
            self.ping.take_if(|(id, _)| text.contains(id.as_str()));
        } else if text.contains(r#""type":"welcome""#) {
            self.welcomed |= text.contains(&self.connect_id);
        }
    }

    pub(super) fn on_send(&mut self, (at, late): (Instant, bool), text: &str) -> Verdict {
        if text.contains(r#""type":"ping""#) {
            if self.ping.is_some() {
                return Err("a second ping before the first was answered".into());
            }
            let ping = text.split('"').nth(3).unwrap_or_default();
            self.ping = Some((format!("\"{ping}\""), at));
            self.last_ping = Some(at);
        }
        if late {
            self.sends.clear();
        } else if self.sends.exceeds(at, 1) {
            return Err("too many messages in ten seconds".into());
        }
        Ok(())
    }

    /// For how long it has been waited for, if that is too long.
    pub(super) fn is_overdue(&self, at: Instant, config: &Config) -> Option<Duration> {
        let limit = match self.life {
            Life::Asked => config.timeouts.connect,
            Life::Opened => config.timeouts.welcome,
            Life::Up | Life::Down => return None,
        };
        Some(at.since(self.since)).filter(|waited| *waited > limit + SLACK)
    }

    /// One that is being made is waited for, for a time; one that is in use is asked whether it is there.
    pub(super) fn check(
        &self,
        id: ConnId,
        (at, excused_until): (Instant, Instant),
        config: &Config,
    ) -> Verdict {
        if self.life == Life::Up {
            return self.check_pings(at, excused_until);
        }
        match self.is_overdue(at, config) {
            Some(waited) => Err(format!("{id:?} has been {:?} for {waited:?}", self.life)),
            None => Ok(()),
        }
    }

    fn check_pings(&self, at: Instant, excused_until: Instant) -> Verdict {
        let Pings { interval, timeout } = self.pings;
        match &self.ping {
            Some((_, sent)) => {
                let silence = at.since(*sent);
                if silence > timeout + GRACE + SLACK {
                    return Err(format!("up for {silence:?} after a ping that was not answered"));
                }
            }
            None => {
                // While a ping is open the next one is skipped, and comes an interval later.
                // So does one that comes due while the caller sleeps: the next one counts from there.
                let last = self.last_ping.map_or(self.up_at, |ping| ping.max(self.up_at));
                let last = last.max(excused_until);
                let pause = at.since(last);
                if pause > interval * 2 + timeout + SLACK
                    || (self.last_ping.is_none() && pause > interval + SLACK)
                {
                    return Err(format!("no ping for {pause:?}"));
                }
            }
        }
        Ok(())
    }
}
