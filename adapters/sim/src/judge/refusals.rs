//! Topics that were refused: what speaks for them, what pause was told, and when they are asked for again.

use std::collections::BTreeMap;
use std::time::Duration;

use kucoin_futures_proto::config::Backoff;
use kucoin_futures_proto::{ConnId, Instant, Symbol, TopicId};

use super::topics::Verdict;

/// What is known of all topics of one client that were ever confirmed or refused.
#[derive(Clone, Debug, Default)]
pub(super) struct Refusals {
    /// By their names on the wire.
    topics: BTreeMap<String, TopicId>,
    /// When each last brought something while it was wanted.
    spoke: BTreeMap<TopicId, Instant>,
    /// Refusals in a row.
    counts: BTreeMap<TopicId, u32>,
    /// The pauses that are not over, or over and not acted upon, on each connection that refused the topic.
    pauses: BTreeMap<(TopicId, ConnId), Pause>,
}

#[derive(Clone, Copy, Debug)]
struct Pause {
    end: Instant,
    /// It was told late: it ends some time before that.
    late: bool,
}

/// So long what a topic has said outranks a refusal.
const EVIDENCE: Duration = Duration::from_secs(24 * 3600);
/// The code for want of room, which says nothing about a topic.
const NO_ROOM: u32 = 509;
/// What may hold up a request that is due: the budget of a line that asks for 270 topics, one a frame, and the
/// rest after one 509 about too many messages.
const HELD_UP: Duration = Duration::from_secs(60);

impl Refusals {
    /// A topic was confirmed or refused: from now on its name is known.
    pub(super) fn know(&mut self, name: String, topic: TopicId) {
        self.topics.insert(name, topic);
    }

    /// The topic of this name, if it is known.
    pub(super) fn topic(&self, name: &str) -> Option<TopicId> {
        self.topics.get(name).copied()
    }

    /// A topic that is wanted has brought something.
    pub(super) fn on_spoken(&mut self, at: Instant, topic: TopicId) {
        self.spoke.insert(topic, at);
    }

    /// A topic was confirmed somewhere; connections that refused it are asked again all the same.
    pub(super) fn on_confirmed(&mut self, topic: TopicId, is_refused: impl Fn(ConnId) -> bool) {
        self.counts.remove(&topic);
        self.pauses.retain(|(of, conn), _| *of != topic || is_refused(*conn));
    }

    /// A symbol is subscribed or unsubscribed: what comes of it now begins anew.
    pub(super) fn on_command(&mut self, symbol: Symbol) {
        let is_its = |name: &str| super::topics::is_of(name, symbol);
        let its: Vec<TopicId> =
            self.topics.iter().filter(|(name, _)| is_its(name)).map(|(_, topic)| *topic).collect();
        its.into_iter().for_each(|topic| self.on_confirmed(topic, |_| false));
    }

    /// The next connection asks for all that is wanted.
    pub(super) fn on_down(&mut self, conn: ConnId) {
        self.pauses.retain(|(_, on), _| *on != conn);
    }

    /// A pause was told, of a topic that these connections refused; it has a bound that doubles.
    pub(super) fn on_refused(
        &mut self,
        (at, late): (Instant, bool),
        (topic, conns): (TopicId, &[ConnId]),
        delay: Duration,
        backoff: &Backoff,
    ) -> Verdict {
        let count = self.counts.entry(topic).or_default();
        let base = backoff.base.max(Duration::from_millis(1));
        let bound = base.saturating_mul(2_u32.saturating_pow(*count)).min(backoff.cap);
        *count = count.saturating_add(1);
        // One whose own pause is over may be asked already: this one is about another.
        let is_over = |pause: &Pause| at >= pause.end;
        for key in conns.iter().map(|conn| (topic, *conn)) {
            if !self.pauses.get(&key).is_some_and(is_over) {
                self.pauses.insert(key, Pause { end: at + delay, late });
            }
        }
        if !late && (delay.is_zero() || delay > bound.max(Duration::from_millis(1))) {
            return Err(format!(
                "{topic:?} waits {delay:?} after {count} refusals; at most {bound:?}"
            ));
        }
        Ok(())
    }

    /// A topic was given up; not for a refusal alone.
    pub(super) fn on_rejected(
        &mut self,
        (at, late): (Instant, bool),
        topic: TopicId,
        code: u32,
    ) -> Verdict {
        self.on_confirmed(topic, |_| false);
        let silence = self.spoke.get(&topic).map(|spoke| at.since(*spoke));
        match silence.filter(|silence| !late && code != NO_ROOM && *silence < EVIDENCE) {
            Some(silence) => Err(format!("{topic:?} is rejected, and spoke {silence:?} ago")),
            None => Ok(()),
        }
    }

    /// A connection is asked for these topics; none of them may be in a pause there.
    pub(super) fn on_asked(
        &mut self,
        (at, late): (Instant, bool),
        conn: ConnId,
        names: &[String],
    ) -> Verdict {
        for name in names {
            let pause = self.topic(name).and_then(|topic| self.pauses.remove(&(topic, conn)));
            if let Some(pause) = pause.filter(|pause| !late && !pause.late && at < pause.end) {
                let early = pause.end.since(at);
                return Err(format!("{name} is asked for {early:?} before its pause is over"));
            }
        }
        Ok(())
    }

    /// What was put off is asked for once its pause is over.
    pub(super) fn check(&self, at: Instant) -> Verdict {
        match self.pauses.iter().find(|(_, pause)| at > pause.end + HELD_UP) {
            Some(((topic, _), pause)) => Err(format!(
                "{topic:?} was refused, and has not been asked for since its pause ended {:?} ago",
                at.since(pause.end)
            )),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TOPIC: TopicId = TopicId::new(3);
    const NAME: &str = "/contractMarket/level2:XBTUSDTM";
    const SECOND: Duration = Duration::from_secs(1);

    fn at(seconds: u64) -> (Instant, bool) {
        (Instant::ZERO + Duration::from_secs(seconds), false)
    }

    const CONN: ConnId = ConnId::new(1);
    const OTHER: ConnId = ConnId::new(2);
    const ONE: (TopicId, &[ConnId]) = (TOPIC, &[CONN]);

    fn names(symbols: &str) -> Vec<String> {
        symbols.split(',').map(|symbol| format!("/contractMarket/level2:{symbol}")).collect()
    }

    fn ask(refusals: &mut Refusals, at: (Instant, bool), symbols: &str) -> Verdict {
        refusals.on_asked(at, CONN, &names(symbols))
    }

    /// One that spoke at 100 s and is refused at 200 s, for 600 ms.
    fn refused() -> Refusals {
        let mut refusals = Refusals::default();
        refusals.know(NAME.into(), TOPIC);
        refusals.on_spoken(at(100).0, TOPIC);
        refusals.on_refused(at(200), ONE, SECOND * 6 / 10, &Backoff::default()).unwrap();
        refusals
    }

    #[test]
    fn a_pause_is_kept_and_ends() {
        assert!(ask(&mut refused(), at(200), "ETHUSDTM,XBTUSDTM").is_err(), "too early");
        ask(&mut refused(), at(200), "ETHUSDTM").unwrap();
        refused().on_asked(at(200), OTHER, &names("XBTUSDTM")).unwrap();
        let mut asked = refused();
        ask(&mut asked, at(201), "ETHUSDTM,XBTUSDTM").unwrap();
        asked.check(at(500).0).unwrap();
        refused().check(at(260).0).unwrap();
        assert!(refused().check(at(262).0).is_err(), "never asked again");
        for ends in [
            |refusals: &mut Refusals| refusals.on_down(CONN),
            |refusals: &mut Refusals| refusals.on_confirmed(TOPIC, |_| false),
            |refusals: &mut Refusals| refusals.on_command("XBTUSDTM".parse().unwrap()),
            |refusals: &mut Refusals| drop(refusals.on_rejected(at(201), TOPIC, 404)),
        ] {
            let mut ended = refused();
            ends(&mut ended);
            ended.check(at(500).0).unwrap();
            ask(&mut ended, at(200), "XBTUSDTM").unwrap();
        }
        for goes_on in [
            |refusals: &mut Refusals| refusals.on_down(OTHER),
            |refusals: &mut Refusals| refusals.on_confirmed(TOPIC, |conn| conn == CONN),
        ] {
            let mut refused = refused();
            goes_on(&mut refused);
            assert!(ask(&mut refused, at(200), "XBTUSDTM").is_err(), "of another connection");
        }
        let mut told_late = Refusals::default();
        told_late.know(NAME.into(), TOPIC);
        told_late.on_refused((at(200).0, true), ONE, SECOND * 30, &Backoff::default()).unwrap();
        ask(&mut told_late, at(201), "XBTUSDTM").unwrap();
    }

    #[test]
    fn pauses_double_to_the_cap_and_begin_anew_once_confirmed() {
        let backoff = Backoff::default();
        let mut refusals = refused();
        for bound in [2, 4, 8, 16, 32, 60, 60] {
            let mut longer = refusals.clone();
            assert!(longer.on_refused(at(201), ONE, SECOND * (bound + 1), &backoff).is_err());
            refusals.on_refused(at(201), ONE, SECOND * bound, &backoff).unwrap();
        }
        assert!(refused().on_refused(at(201), ONE, Duration::ZERO, &backoff).is_err());
        refusals.on_confirmed(TOPIC, |_| false);
        assert!(refusals.on_refused(at(201), ONE, SECOND * 2, &backoff).is_err());
    }

    #[test]
    fn what_has_spoken_within_a_day_is_not_rejected_but_for_want_of_room() {
        assert!(refused().on_rejected(at(300), TOPIC, 404).is_err());
        assert!(refused().on_rejected(at(300), TOPIC, 200_003).is_err());
        refused().on_rejected(at(300), TOPIC, 509).unwrap();
        refused().on_rejected(at(100 + 24 * 3600), TOPIC, 404).unwrap();
        Refusals::default().on_rejected(at(300), TOPIC, 404).unwrap();
    }
}
