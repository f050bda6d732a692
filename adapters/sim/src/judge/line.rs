//! What is held against one line: its connection, its pings, its topics, how it waits.

use std::collections::BTreeMap;
use std::time::Duration;

use kucoin_futures_proto::{Client, Config, ConnId, Event, Instant, TopicEvent, TopicStatus};

use super::refusals::Refusals;
use super::topics::{self, SLACK, Topics, Verdict};
use super::{Conn, GRACE, LONGEST_PINGS, Moment};

pub(super) type Conns = BTreeMap<ConnId, Conn>;

/// One line.
#[derive(Debug)]
pub(super) struct LineWatch {
    /// The connection that is in use.
    pub(super) up: Option<ConnId>,
    /// What the latest token response said of pings, interval and timeout.
    pub(super) pings: (Duration, Duration),
    /// Failures in a row that the client owned up to, and whether it has been in use for long since.
    pub(super) failures: u32,
    pub(super) proven: bool,
    /// The exchange named the time of the next wait: no failure.
    pub(super) named: bool,
    pub(super) refused: u32,
    pub(super) topics: Topics,
    pub(super) refusals: Refusals,
    /// The connection that is being made.
    pub(super) opening: Option<ConnId>,
}

impl Default for LineWatch {
    fn default() -> Self {
        Self {
            up: None,
            pings: (LONGEST_PINGS, LONGEST_PINGS),
            failures: 0,
            proven: false,
            named: false,
            refused: 0,
            topics: Topics::default(),
            refusals: Refusals::default(),
            opening: None,
        }
    }
}

impl LineWatch {
    /// A message may be of a topic that is wanted, which speaks for it.
    pub(super) fn hear(&mut self, at: Instant, client: &Client, text: &str) {
        let topic = topics::topic_in(text).and_then(|name| self.refusals.topic(name));
        let Some(topic) = topic else { return };
        // Not if its line is down already, and nobody was told yet.
        match client.status(topic) {
            TopicStatus::Pending | TopicStatus::Confirmed { .. } | TopicStatus::Refused { .. } => {
                self.refusals.on_spoken(at, topic);
            }
            TopicStatus::Wanted | TopicStatus::Rejected { .. } | TopicStatus::Unsubscribed => {}
        }
    }

    pub(super) fn on_topic_event(
        &mut self,
        moment: Moment<'_>,
        client: &Client,
        event: &Event,
        config: &Config,
    ) -> Verdict {
        let Event::Topic(topic, event) = *event else { return Ok(()) };
        let now = (moment.at, moment.late);
        if let Some(channel) = client.channel(topic) {
            self.refusals.know(channel.to_string(), topic);
        }
        match event {
            TopicEvent::Confirmed => self.refusals.on_confirmed(topic),
            TopicEvent::Refused { delay, .. } => {
                return self.refusals.on_refused(now, topic, delay, &config.backoff);
            }
            TopicEvent::Rejected { code, .. } => {
                return self.refusals.on_rejected(now, topic, code);
            }
            _ => {}
        }
        Ok(())
    }

    /// A connection that is being made is waited for, for a time.
    pub(super) fn check_opening(&self, at: Instant, conns: &Conns, config: &Config) -> Verdict {
        let opening = self.opening.and_then(|id| Some((id, conns.get(&id)?)));
        let overdue = opening.and_then(|(id, conn)| {
            conn.is_overdue(at, config).map(|waited| (id, conn.life, waited))
        });
        match overdue {
            Some((id, life, waited)) => Err(format!("{id:?} has been {life:?} for {waited:?}")),
            None => Ok(()),
        }
    }

    pub(super) fn check_pings(
        &self,
        at: Instant,
        conns: &Conns,
        excused_until: Instant,
    ) -> Verdict {
        let Some(conn) = self.up.and_then(|up| conns.get(&up)) else { return Ok(()) };
        let (interval, timeout) = self.pings;
        match &conn.ping {
            Some((_, sent)) => {
                let silence = at.since(*sent);
                if silence > timeout + GRACE + SLACK {
                    return Err(format!("up for {silence:?} after a ping that was not answered"));
                }
            }
            None => {
                // While a ping is open the next one is skipped, and comes an interval later.
                // So does one that comes due while the caller sleeps: the next one counts from there.
                let last = conn.last_ping.map_or(conn.up_at, |ping| ping.max(conn.up_at));
                let last = last.max(excused_until);
                let pause = at.since(last);
                if pause > interval * 2 + timeout + SLACK
                    || (conn.last_ping.is_none() && pause > interval + SLACK)
                {
                    return Err(format!("no ping for {pause:?}"));
                }
            }
        }
        Ok(())
    }
}
