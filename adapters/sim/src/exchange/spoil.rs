//! What faults make of pushes that are no deltas.

use std::sync::Arc;

use kucoin_futures_proto::Symbol;

use super::state::{Exchange, PushForm};
use crate::topic::{Feed, Topic};
use crate::trouble::PushTrouble;

/// What stands in every push, and what in its place makes it no message of its channel.
const SPOILS: [(&str, &str); 3] = [
    (r#""data":{"#, r#""data":{,"#),
    (r#""data":{"#, r#""data":"none","was":{"#),
    (r#""type":"message","#, r#""type":"message""#),
];
/// Whose data stand in a push of another contract's topic.
const STRANGERS: [&str; 2] = ["ETHUSDTM", "XBTUSDTM"];

impl Exchange {
    /// What is sent in place of a frame: nothing, the frame, or something else.
    pub(super) fn troubled(&mut self, topic: Topic, frame: Arc<str>) -> Vec<(Arc<str>, PushForm)> {
        if self.troubles.pushes.is_empty() {
            return vec![(frame, PushForm::Usual)];
        }
        let Some(symbol) = topic.symbol() else { return vec![(frame, PushForm::Usual)] };
        if self.meets(PushTrouble::Drop, symbol) {
            return Vec::new();
        }
        if self.meets(PushTrouble::Repeat, symbol) {
            return vec![(Arc::clone(&frame), PushForm::Usual), (frame, PushForm::Usual)];
        }
        if self.meets(PushTrouble::Malformed, symbol) {
            let at = self.rng.below(SPOILS.len() as u64 + 1) as usize;
            let spoiled = match SPOILS.get(at) {
                Some((sound, spoiled)) => frame.replacen(sound, spoiled, 1),
                None => of_another(symbol, &frame),
            };
            return vec![(spoiled.into(), PushForm::Unreadable)];
        }
        if self.meets(PushTrouble::Subject, symbol) {
            let strange = frame.replacen(r#""subject":""#, r#""subject":"next."#, 1);
            return vec![(strange.into(), PushForm::Unknown)];
        }
        let old = old_form(topic.feed, &frame);
        match old.filter(|_| self.meets(PushTrouble::OldForm, symbol)) {
            Some(old) => vec![(old.into(), PushForm::Old)],
            None => vec![(frame, PushForm::Usual)],
        }
    }

    fn meets(&mut self, trouble: PushTrouble, symbol: Symbol) -> bool {
        let taken = self.troubles.pushes.get_mut(&trouble).is_some_and(|next| next.take(symbol));
        if taken {
            self.strike(trouble.word(), Some(symbol));
            if matches!(trouble, PushTrouble::Drop | PushTrouble::Malformed | PushTrouble::Subject)
            {
                self.lost_pushes.insert(symbol, self.now);
            }
        }
        taken
    }
}

/// The data of another contract under this one's topic; no data, if they name none.
fn of_another(symbol: Symbol, frame: &str) -> String {
    let other = STRANGERS.into_iter().find(|other| *other != symbol.as_str()).unwrap_or_default();
    let (own, theirs) = (format!(r#""symbol":"{symbol}""#), format!(r#""symbol":"{other}""#));
    if frame.contains(&own) {
        frame.replacen(&own, &theirs, 1)
    } else {
        frame.replacen(r#""data":{"#, r#""data":null,"was":{"#, 1)
    }
}

/// The same as it was some years ago, if that was something else: depths had text for sizes, a time in
/// nanoseconds and no sequence (documents of 2023), trades had a number for a price (2021), the ticker had
/// no sequence (documents of 2023).
fn old_form(feed: Feed, frame: &str) -> Option<String> {
    match feed {
        Feed::Depth5 | Feed::Depth50 => {
            let frame: String = frame.split_inclusive(']').map(size_as_text).collect();
            let (frame, ts) = (without_sequence(&frame)?, r#","ts":"#);
            let (head, tail) = frame.split_once(ts)?;
            let (ms, tail) = tail.split_once('}')?;
            Some(format!("{head}{ts}{ms}000000}}{tail}"))
        }
        Feed::Execution => {
            let (head, tail) = frame.split_once(r#""price":""#)?;
            let (price, tail) = tail.split_once('"')?;
            Some(format!(r#"{head}"price":{price}{tail}"#))
        }
        Feed::TickerV2 => without_sequence(frame),
        _ => None,
    }
}

/// `["63000.1",5]` becomes `["63000.1","5"]`; anything else stays.
fn size_as_text(piece: &str) -> String {
    let size = piece.strip_suffix(']').and_then(|piece| piece.rsplit_once("\","));
    match size.filter(|(_, size)| size.bytes().all(|byte| byte.is_ascii_digit())) {
        Some((price, size)) if !size.is_empty() => format!("{price}\",\"{size}\"]"),
        _ => piece.to_owned(),
    }
}

fn without_sequence(frame: &str) -> Option<String> {
    let (head, tail) = frame.split_once(r#""sequence":"#)?;
    let (_, tail) = tail.split_once(',')?;
    Some(format!("{head}{tail}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_can_be_as_they_were() {
        let depth = r#"{"sn":5,"data":{"bids":[["1.5",7],["1.4",12]],"asks":[],"sequence":9,"timestamp":5,"ts":5}}"#;
        let old = r#"{"sn":5,"data":{"bids":[["1.5","7"],["1.4","12"]],"asks":[],"timestamp":5,"ts":5000000}}"#;
        assert_eq!(old_form(Feed::Depth5, depth).as_deref(), Some(old));
        let trade = r#"{"data":{"size":5,"price":"1.5","ts":5}}"#;
        let old = r#"{"data":{"size":5,"price":1.5,"ts":5}}"#;
        assert_eq!(old_form(Feed::Execution, trade).as_deref(), Some(old));
        assert_eq!(old_form(Feed::Candle, trade), None);
    }

    #[test]
    fn data_can_be_those_of_another_contract() {
        let own = r#"{"topic":"/t:XBTUSDTM","data":{"symbol":"XBTUSDTM","ts":5}}"#;
        let theirs = r#"{"topic":"/t:XBTUSDTM","data":{"symbol":"ETHUSDTM","ts":5}}"#;
        assert_eq!(of_another("XBTUSDTM".parse().unwrap(), own), theirs);
        let nameless = r#"{"topic":"/t:XBTUSDTM","data":{"ts":5}}"#;
        let empty = r#"{"topic":"/t:XBTUSDTM","data":null,"was":{"ts":5}}"#;
        assert_eq!(of_another("XBTUSDTM".parse().unwrap(), nameless), empty);
    }
}
