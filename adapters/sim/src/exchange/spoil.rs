//! What faults make of pushes that are no deltas.

use std::sync::Arc;

use kucoin_futures_proto::Symbol;

use super::state::Exchange;
use crate::topic::{Feed, Topic};
use crate::trouble::PushTrouble;

/// What stands in every push, and what in its place makes it no message of its channel.
const SPOILS: [(&str, &str); 3] = [
    (r#""data":{"#, r#""data":{,"#),
    (r#""data":{"#, r#""data":"none","was":{"#),
    (r#""type":"message","#, r#""type":"message""#),
];

impl Exchange {
    /// What is sent in place of a frame: nothing, the frame, or something else.
    pub(super) fn troubled(&mut self, topic: Topic, frame: Arc<str>) -> Vec<Arc<str>> {
        if self.troubles.pushes.is_empty() {
            return vec![frame];
        }
        let Some(symbol) = topic.symbol() else { return vec![frame] };
        if self.meets(PushTrouble::Drop, symbol) {
            return Vec::new();
        }
        if self.meets(PushTrouble::Repeat, symbol) {
            return vec![Arc::clone(&frame), frame];
        }
        if self.meets(PushTrouble::Malformed, symbol) {
            let at = self.rng.below(SPOILS.len() as u64) as usize;
            let (sound, spoiled) = SPOILS.get(at).copied().unwrap_or_default();
            return vec![frame.replacen(sound, spoiled, 1).into()];
        }
        if self.meets(PushTrouble::Subject, symbol) {
            return vec![frame.replacen(r#""subject":""#, r#""subject":"next."#, 1).into()];
        }
        let old = old_form(topic.feed, &frame);
        match old.filter(|_| self.meets(PushTrouble::OldForm, symbol)) {
            Some(old) => vec![old.into()],
            None => vec![frame],
        }
    }

    fn meets(&mut self, trouble: PushTrouble, symbol: Symbol) -> bool {
        let taken = self.troubles.pushes.get_mut(&trouble).is_some_and(|next| next.take(symbol));
        if taken {
            self.strike(trouble.word(), Some(symbol));
        }
        taken
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
}
