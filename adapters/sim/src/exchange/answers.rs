//! What sessions are answered, and what faults make of it: welcomes, acks, pongs.

use std::sync::Arc;
use std::time::Duration;

use kucoin_futures_proto::Instant;

use super::state::{Exchange, Later, Outgoing, SessionId};
use crate::session::{Reply, ack_frame, pong_frame, server_id, welcome_frame};

/// An ack waits this long for another one to pass it.
const PARKED: Duration = Duration::from_secs(1);
/// The id of answers to what nobody asked.
const STRANGER: &str = "77777777";

impl Exchange {
    pub(super) fn perform(&mut self, now: Instant, id: SessionId, reply: Reply) {
        match reply {
            Reply::Send(text) => self.send(id, text.into()),
            Reply::Ack(request) => self.acknowledge(now, id, &request),
            Reply::Pong(ping) => self.pong(now, id, &ping),
            Reply::Close(code, reason) => {
                self.sessions.remove(&id);
                self.outgoing.push_back(Outgoing::Close(id, code, reason));
            }
        }
    }

    pub(super) fn welcome(&mut self, now: Instant, id: SessionId, connect_id: &str) {
        let frame: Arc<str> = if self.troubles.wrong_welcomes.take().is_some() {
            self.strike("wrong-welcome", None);
            welcome_frame(&server_id(&mut self.rng)).into()
        } else {
            welcome_frame(connect_id).into()
        };
        if self.troubles.no_welcomes.take().is_some() {
            return self.strike("no-welcome", None);
        }
        if let Some(delay) = self.troubles.late_welcomes.take() {
            self.strike("late-welcome", None);
            return self.note(now + delay, Later::Send(id, frame));
        }
        if self.troubles.two_welcomes.take().is_some() {
            self.strike("two-welcomes", None);
            self.send(id, Arc::clone(&frame));
        }
        self.send(id, frame);
    }

    fn acknowledge(&mut self, now: Instant, id: SessionId, request: &str) {
        let ack = ack_frame(request);
        if let Some(delay) = self.troubles.late_acks.take() {
            self.strike("late-ack", None);
            return self.note(now + delay, Later::Send(id, ack.into()));
        }
        if self.parked.is_none() && self.troubles.swapped_acks.take().is_some() {
            self.strike("swap-acks", None);
            self.parked = Some((id, ack));
            return self.note(now + PARKED, Later::Parked(id));
        }
        if self.troubles.strange_acks.take().is_some() {
            self.strike("strange-ack", None);
            self.send(id, ack_frame(STRANGER).into());
        }
        let frame: Arc<str> = ack.into();
        if self.troubles.two_acks.take().is_some() {
            self.strike("two-acks", None);
            self.send(id, Arc::clone(&frame));
        }
        self.send(id, frame);
        if let Some((_, parked)) = self.parked.take_if(|(parked, _)| *parked == id) {
            self.send(id, parked.into());
        }
    }

    fn pong(&mut self, now: Instant, id: SessionId, ping: &str) {
        if Some(now) < self.troubles.no_pongs_until {
            return self.strike("withhold-pongs", None);
        }
        let unix_us = self.unix(now).as_nanos() / 1_000;
        if self.troubles.wrong_pongs.take().is_some() {
            self.strike("wrong-pong", None);
            return self.send(id, pong_frame(STRANGER, unix_us).into());
        }
        let frame: Arc<str> = pong_frame(ping, unix_us).into();
        if let Some(delay) = self.troubles.late_pongs.take() {
            self.strike("late-pong", None);
            return self.note(now + delay, Later::Send(id, frame));
        }
        self.send(id, frame);
    }
}
