//! The way of a text message: once down, from its bytes to a book or to the user.

use super::Client;
use crate::ids::ConnId;
use crate::push::PushTag;
use crate::stats::Disposition;
use crate::wire::Decoded;

impl Client {
    /// Takes a text message. True: it was a delta that looks like the last one of its symbol, as nearly all
    /// are.
    #[inline]
    pub(super) fn on_text(&mut self, conn: ConnId, bytes: &[u8]) -> bool {
        let Some(line) = self.lines.iter_mut().find(|line| line.is(conn)) else {
            self.cx.stats.count(Disposition::Stale);
            return false;
        };
        if let Some((topic, delta)) = line.read_delta(bytes) {
            let disposition = self.topics.on_delta(&mut self.cx, line.id(), topic, delta);
            self.cx.stats.count(disposition);
            return true;
        }
        self.on_other(conn, bytes);
        false
    }

    /// A frame that does not look like the last delta of its symbol. Apart from those, which are most and
    /// should not wait for what this needs.
    #[inline(never)]
    fn on_other(&mut self, conn: ConnId, bytes: &[u8]) {
        let Self { cx, lines, topics, message, .. } = self;
        let Some(line) = lines.iter_mut().find(|line| line.is(conn)) else { return };
        let disposition = match line.decode(bytes, |channel| topics.route(channel)) {
            Decoded::Delta(topic, delta) => topics.on_delta(cx, line.id(), topic, delta),
            Decoded::BadDelta(topic, error) => topics.on_bad_delta(cx, line.id(), topic, error),
            Decoded::Message(topic, said) => {
                let disposition = topics.on_message(cx, topic, said.position);
                if disposition == Disposition::Pushed {
                    *message = Some(PushTag::of_topic(topic, said.values, bytes));
                }
                disposition
            }
            Decoded::Control(frame) => line.on_control(cx, frame),
            Decoded::Unwanted => Disposition::Unwanted,
            Decoded::Malformed => Disposition::Malformed,
        };
        self.cx.stats.count(disposition);
    }
}
