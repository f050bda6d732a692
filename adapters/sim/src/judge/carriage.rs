//! What each connection was asked for, as the texts that are sent on it and the answers to them say.

use std::collections::BTreeMap;

use kucoin_futures_proto::{ConnId, Instant};
use serde_json::Value;

/// What connections that are up carry.
#[derive(Debug, Default)]
pub(super) struct Carriage {
    conns: BTreeMap<ConnId, Carried>,
    /// Something is carried in fewer places than before.
    has_shrunk: bool,
}

/// What one connection was asked for.
#[derive(Debug, Default)]
struct Carried {
    /// Requests that were not answered yet, by their ids.
    requests: BTreeMap<String, Request>,
    /// By their names on the wire.
    topics: BTreeMap<String, Place>,
    /// Topics that an answer has ended.
    ended: Vec<String>,
    /// An error named none of the requests: what it was about is not known, and so neither what is carried.
    is_vague: bool,
}

/// One topic on one connection.
#[derive(Clone, Copy, Debug)]
struct Place {
    stand: Stand,
    /// When it brought something for the first time.
    first: Option<Instant>,
    /// The answer has come, or a message.
    is_known: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Stand {
    /// No answer yet.
    Asked,
    Confirmed,
    /// The end was asked for: what it brings until that is acknowledged is not heard.
    Ending,
    /// Refused as a topic, to be asked for again: it may have been carried before, and go on.
    Refused,
    /// An error that named no request may have been about it, or it was not wanted for a moment: whether the client
    /// hears it is not known.
    Doubtful,
}

/// One request that subscribes or unsubscribes.
#[derive(Clone, PartialEq, Eq, Debug)]
struct Request {
    subscribes: bool,
    names: Vec<String>,
}

/// What an error says of the request that it answers.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum About {
    Topic,
    Room {
        limit: Option<usize>,
    },
    Frame,
    /// The connection, or nothing that can be known: the request stays open.
    Else,
}

impl Carriage {
    /// A text is sent. What it asks for, if it subscribes; never more on a connection than `most`.
    pub(super) fn on_send(
        &mut self,
        conn: ConnId,
        text: &str,
        most: usize,
    ) -> Result<Vec<String>, String> {
        let frame: Value = serde_json::from_str(text).unwrap_or_default();
        let word = |key| frame.get(key).and_then(Value::as_str);
        let subscribes = match word("type") {
            Some("subscribe") => true,
            Some("unsubscribe") => false,
            _ => return Ok(Vec::new()),
        };
        let names = names_in(word("topic").unwrap_or_default());
        let carried = self.conns.entry(conn).or_default();
        let request = Request { subscribes, names: names.clone() };
        // One that is sent again may be of what was not wanted any more meanwhile.
        let is_again = carried.requests.values().any(|known| *known == request);
        for name in names.iter().filter(|_| !is_again) {
            carried.stand(name, if subscribes { Stand::Asked } else { Stand::Ending }, subscribes);
        }
        carried.requests.insert(word("id").unwrap_or_default().into(), request);
        let load = carried.load();
        if subscribes && load > most && !carried.is_vague {
            return Err(format!("{conn:?} is to carry {load} topics, more than {most}"));
        }
        Ok(if subscribes { names } else { Vec::new() })
    }

    /// An answer to something is about to be handed in. The topics that the connection does not carry any more.
    pub(super) fn on_answer(&mut self, conn: ConnId, text: &str) -> Vec<String> {
        let Some(carried) = self.conns.get_mut(&conn) else { return Vec::new() };
        let frame: Value = serde_json::from_str(text).unwrap_or_default();
        let word = |key| frame.get(key).and_then(Value::as_str);
        let id = word("id").unwrap_or_default();
        match word("type") {
            Some("ack") => carried.on_ack(id),
            Some("error") => {
                carried.is_vague |= id.parse::<u64>().is_err();
                let code = frame.get("code").and_then(Value::as_u64).unwrap_or_default();
                carried.on_error(id, About::of(code, word("data").unwrap_or_default()));
            }
            _ => {}
        }
        let ended = core::mem::take(&mut carried.ended);
        self.has_shrunk |= !ended.is_empty();
        ended
    }

    /// Something of a topic is about to be handed in.
    pub(super) fn on_text(&mut self, at: Instant, conn: ConnId, name: &str) {
        if let Some(place) = self.place_mut(conn, name) {
            place.first.get_or_insert(at);
            place.is_known = true;
        }
    }

    /// A topic cannot be had, or has ended: nobody carries it any more.
    pub(super) fn on_gone(&mut self, name: &str) {
        for carried in self.conns.values_mut() {
            carried.topics.remove(name);
        }
        self.has_shrunk = true;
    }

    /// Nobody wants a topic any more: what is brought of it is not heard, and may be again.
    pub(super) fn on_unwanted(&mut self, name: &str) {
        for carried in self.conns.values_mut() {
            if carried.has(name) {
                carried.stand(name, Stand::Doubtful, false);
            }
        }
        self.has_shrunk = true;
    }

    /// A connection is over.
    pub(super) fn on_down(&mut self, conn: ConnId) {
        self.has_shrunk |= self.conns.remove(&conn).is_some();
    }

    /// Whether a connection was asked for a topic, and may bring it.
    pub(super) fn carries(&self, conn: ConnId, name: &str) -> bool {
        self.conns.get(&conn).is_some_and(|carried| carried.has(name))
    }

    /// Whether it is not known if a connection is heard of a topic.
    pub(super) fn is_doubtful(&self, conn: ConnId, name: &str) -> bool {
        let place = self.conns.get(&conn).and_then(|carried| carried.place(name));
        place.is_some_and(|place| place.stand == Stand::Doubtful)
    }

    /// The connections that may bring a topic.
    pub(super) fn of(&self, name: &str) -> impl Iterator<Item = ConnId> {
        let with = self.conns.iter().filter(move |(_, carried)| carried.has(name));
        with.map(|(conn, _)| *conn)
    }

    /// Whether with a connection the stream of a topic breaks off: it carried it, and no other one brings it, or has
    /// said that it will.
    pub(super) fn ends_with(&self, conn: ConnId, name: &str) -> bool {
        let own = self.conns.get(&conn).and_then(|carried| carried.place(name));
        let carried = own.is_some_and(|own| own.is_heard() && own.is_known);
        carried && !self.is_brought_beside(conn, name)
    }

    /// Whether another connection than this one may bring a topic.
    pub(super) fn is_carried_beside(&self, conn: ConnId, name: &str) -> bool {
        let mut others = self.conns.keys().filter(|other| **other != conn);
        others.any(|other| self.carries(*other, name) || self.is_doubtful(*other, name))
    }

    /// Whether another connection than this one brings a topic, or has said that it will.
    pub(super) fn is_brought_beside(&self, conn: ConnId, name: &str) -> bool {
        let brings = |place: &Place| {
            matches!(place.stand, Stand::Confirmed | Stand::Doubtful) || place.first.is_some()
        };
        let mut others = self.conns.iter().filter(|(other, _)| **other != conn);
        others.any(|(_, carried)| carried.place(name).is_some_and(brings))
    }

    /// Whether any connection may bring a topic.
    pub(super) fn is_carried(&self, name: &str) -> bool {
        self.of(name).next().is_some()
    }

    /// The same, and those where it is not known.
    pub(super) fn may_be_carried(&self, name: &str) -> bool {
        self.is_carried(name) || self.doubtful(name) > 0
    }

    /// On how many connections it is not known whether a topic is heard.
    pub(super) fn doubtful(&self, name: &str) -> usize {
        self.conns.keys().filter(|conn| self.is_doubtful(**conn, name)).count()
    }

    /// The connections on which a topic is confirmed.
    pub(super) fn confirmed(&self, name: &str) -> impl Iterator<Item = ConnId> {
        let is_confirmed = |place: &Place| place.stand == Stand::Confirmed;
        let with = self.conns.iter().filter(move |(_, c)| c.place(name).is_some_and(is_confirmed));
        with.map(|(conn, _)| *conn)
    }

    /// The connections on which a topic was refused, to be asked for again.
    pub(super) fn refused(&self, name: &str) -> impl Iterator<Item = ConnId> {
        let is_refused = |place: &Place| place.stand == Stand::Refused;
        let with = self.conns.iter().filter(move |(_, c)| c.place(name).is_some_and(is_refused));
        with.map(|(conn, _)| *conn)
    }

    /// Whether a topic is confirmed on another connection than this one.
    pub(super) fn is_confirmed_beside(&self, conn: ConnId, name: &str) -> bool {
        self.confirmed(name).any(|other| other != conn)
    }

    /// Since when a connection brings a topic.
    pub(super) fn first(&self, conn: ConnId, name: &str) -> Option<Instant> {
        self.conns.get(&conn)?.place(name)?.first
    }

    /// Topics that a connection was asked for, those that are being ended apart.
    pub(super) fn load(&self, conn: ConnId) -> usize {
        self.conns.get(&conn).map_or(0, Carried::load)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.conns.is_empty()
    }

    /// Whether something is carried in fewer places than when this was last asked.
    pub(super) const fn take_shrunk(&mut self) -> bool {
        core::mem::replace(&mut self.has_shrunk, false)
    }

    fn place_mut(&mut self, conn: ConnId, name: &str) -> Option<&mut Place> {
        let topics = &mut self.conns.get_mut(&conn)?.topics;
        let name = if topics.contains_key(name) { name } else { of_all(name) };
        topics.get_mut(name)
    }
}

impl Carried {
    fn place(&self, name: &str) -> Option<&Place> {
        self.topics.get(name).or_else(|| self.topics.get(of_all(name)))
    }

    /// Whether it may bring a topic.
    fn has(&self, name: &str) -> bool {
        self.place(name).is_some_and(Place::is_heard)
    }

    /// Sets how far a topic has come; one that is not there yet only if it is asked for.
    fn stand(&mut self, name: &str, stand: Stand, is_asked: bool) {
        match self.topics.get_mut(name) {
            Some(place) => {
                if (place.stand, stand) == (Stand::Ending, Stand::Asked) {
                    (place.first, place.is_known) = (None, false);
                }
                place.stand = stand;
            }
            None if is_asked => {
                self.topics.insert(name.into(), Place { stand, first: None, is_known: false });
            }
            None => {}
        }
    }

    fn load(&self) -> usize {
        self.topics.values().filter(|place| place.is_heard()).count()
    }

    fn on_ack(&mut self, id: &str) {
        let Some(request) = self.take(id) else { return };
        for name in &request.names {
            if request.subscribes {
                if self.has(name) {
                    self.stand(name, Stand::Confirmed, false);
                }
                self.topics.entry(name.clone()).and_modify(|place| place.is_known = true);
            } else {
                self.end(name);
            }
        }
    }

    fn on_error(&mut self, id: &str, about: About) {
        if about == About::Else {
            return;
        }
        let Some(request) = self.take(id) else { return self.on_nameless_error(id) };
        if !request.subscribes {
            // Whatever it was that could not be ended, it is not there.
            return request.names.iter().for_each(|name| self.end(name));
        }
        let is_full = |limit: usize| limit < self.load();
        match (about, request.names.as_slice()) {
            (About::Room { limit: Some(limit) }, names) if is_full(limit) => {
                names.iter().for_each(|name| self.drop(name));
            }
            (About::Topic, [name]) => self.stand(name, Stand::Refused, false),
            (_, [name]) => self.drop(name),
            // The request is cut in two, and both are asked for again.
            _ => {}
        }
    }

    /// The end of a topic is acknowledged; it may have been asked for again meanwhile.
    fn end(&mut self, name: &str) {
        if self.topics.get(name).is_some_and(|place| place.stand == Stand::Ending) {
            self.drop(name);
        }
    }

    fn drop(&mut self, name: &str) {
        if self.topics.remove(name).is_some() {
            self.ended.push(name.into());
        }
    }

    /// An id that is none of ours may stand for the only request that is open, and the client may see it so.
    fn on_nameless_error(&mut self, id: &str) {
        let mut open = self.requests.values();
        let first = open.next().filter(|_| id.parse::<u64>().is_err());
        let Some(first) = first.filter(|first| open.all(|other| other == *first)) else { return };
        let names = first.names.clone();
        self.requests.clear();
        for name in names {
            self.stand(&name, Stand::Doubtful, false);
            self.ended.push(name);
        }
    }

    /// The request of an id; with it go all tries of the same.
    fn take(&mut self, id: &str) -> Option<Request> {
        let request = self.requests.remove(id)?;
        self.requests.retain(|_, other| *other != request);
        Some(request)
    }
}

impl Place {
    fn is_heard(&self) -> bool {
        !matches!(self.stand, Stand::Ending | Stand::Doubtful)
    }
}

impl About {
    fn of(code: u64, text: &str) -> Self {
        match code {
            403 | 404 | 406 => Self::Topic,
            400 if text.contains("topic") => Self::Topic,
            509 if text.contains("per time") => Self::Frame,
            509 if text.contains("per session") => {
                let mut numbers = text.split(|c: char| !c.is_ascii_digit());
                Self::Room { limit: numbers.find_map(|number| number.parse().ok()) }
            }
            _ => Self::Else,
        }
    }
}

/// The topics that a topic string stands for.
pub(super) fn names_in(topic: &str) -> Vec<String> {
    match topic.split_once(':') {
        Some((prefix, keys)) => keys.split(',').map(|key| format!("{prefix}:{key}")).collect(),
        None => vec![topic.into()],
    }
}

/// The topic of all symbols that the topic of one may come under.
fn of_all(name: &str) -> &str {
    name.split_once(':').map_or(name, |(prefix, _)| prefix)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: ConnId = ConnId::new(1);
    const OTHER: ConnId = ConnId::new(2);

    fn send(
        carriage: &mut Carriage,
        conn: ConnId,
        id: u32,
        kind: &str,
        keys: &str,
    ) -> Result<(), String> {
        let text =
            format!(r#"{{"id":"{id}","type":"{kind}","topic":"/t:{keys}","response":true}}"#);
        carriage.on_send(conn, &text, 3).map(drop)
    }

    fn error(carriage: &mut Carriage, id: u32, code: u32, text: &str) {
        let text = format!(r#"{{"id":"{id}","type":"error","code":{code},"data":"{text}"}}"#);
        carriage.on_answer(ONE, &text);
    }

    fn ack(carriage: &mut Carriage, conn: ConnId, id: u32) {
        carriage.on_answer(conn, &format!(r#"{{"id":"{id}","type":"ack"}}"#));
    }

    #[test]
    fn what_was_asked_for_is_carried_until_it_is_ended_or_the_connection_is() {
        let mut carriage = Carriage::default();
        send(&mut carriage, ONE, 1, "subscribe", "A,B").unwrap();
        send(&mut carriage, OTHER, 1, "subscribe", "B").unwrap();
        assert!(carriage.carries(ONE, "/t:A") && !carriage.carries(OTHER, "/t:A"));
        assert_eq!(carriage.confirmed("/t:B").count(), 0, "no ack yet");
        ack(&mut carriage, ONE, 1);
        assert!(carriage.is_confirmed_beside(OTHER, "/t:B"));
        assert!(!carriage.is_confirmed_beside(ONE, "/t:B"));
        send(&mut carriage, ONE, 2, "unsubscribe", "A").unwrap();
        assert!(!carriage.carries(ONE, "/t:A"), "what it brings is not heard");
        assert_eq!(carriage.load(ONE), 1);
        ack(&mut carriage, ONE, 2);
        assert!(!carriage.is_carried("/t:A"));
        carriage.on_down(ONE);
        assert_eq!(carriage.of("/t:B").collect::<Vec<_>>(), [OTHER]);
    }

    #[test]
    fn what_is_asked_for_again_before_its_end_is_acknowledged_stays() {
        let mut carriage = Carriage::default();
        send(&mut carriage, ONE, 1, "subscribe", "A").unwrap();
        ack(&mut carriage, ONE, 1);
        send(&mut carriage, ONE, 2, "unsubscribe", "A").unwrap();
        send(&mut carriage, ONE, 3, "subscribe", "A").unwrap();
        ack(&mut carriage, ONE, 2);
        assert!(carriage.carries(ONE, "/t:A"));
    }

    #[test]
    fn whoever_carries_all_carries_each() {
        let mut carriage = Carriage::default();
        let all = r#"{"id":"1","type":"subscribe","topic":"/t","response":true}"#;
        carriage.on_send(ONE, all, 1).unwrap();
        assert!(carriage.carries(ONE, "/t:A") && !carriage.carries(ONE, "/s:A"));
    }

    #[test]
    fn no_more_topics_than_may_be() {
        let mut carriage = Carriage::default();
        send(&mut carriage, ONE, 1, "subscribe", "A,B,C").unwrap();
        assert!(send(&mut carriage, ONE, 2, "subscribe", "D").is_err());
        let mut carriage = Carriage::default();
        send(&mut carriage, ONE, 1, "subscribe", "A,B,C").unwrap();
        send(&mut carriage, ONE, 2, "unsubscribe", "A").unwrap();
        send(&mut carriage, ONE, 3, "subscribe", "D").unwrap();
    }

    #[test]
    fn errors_say_what_became_of_a_request() {
        let room = "exceed max subscription count limitation of 300 per session";
        let little = "exceed max subscription count limitation of 1 per session";
        for (keys, code, text, stays) in [
            ("A", 404, "topic does not exist", true),
            ("A,B", 404, "topic does not exist", true),
            ("A", 509, room, false),
            ("A,B", 509, room, true),
            ("A,B", 509, little, false),
            ("A", 509, "exceed max permits per second", true),
        ] {
            let mut carriage = Carriage::default();
            send(&mut carriage, ONE, 1, "subscribe", keys).unwrap();
            error(&mut carriage, 1, code, text);
            assert_eq!(carriage.carries(ONE, "/t:A"), stays, "{keys}: {text}");
        }
        let mut carriage = Carriage::default();
        send(&mut carriage, ONE, 1, "subscribe", "A").unwrap();
        send(&mut carriage, ONE, 2, "subscribe", "A").unwrap();
        error(&mut carriage, 1, 404, "topic does not exist");
        ack(&mut carriage, ONE, 2);
        assert_eq!(carriage.confirmed("/t:A").count(), 0, "all tries are answered by one");
    }
}
