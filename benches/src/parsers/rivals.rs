//! The JSON libraries that are known for speed, each in the way that is fastest with it.

use std::fmt;

use jiter::NumberInt;
use simd_json::prelude::{ValueAsScalar as _, ValueIntoString as _};

use super::{Frame, Parsed, Parser, assemble};
use crate::number::Number;

/// `sonic-rs` into borrowed structs.
#[derive(Default, Debug)]
pub struct SonicRs;

impl Parser for SonicRs {
    const NAME: &'static str = "sonic-rs borrowed";

    fn parse<'a, N: Number>(&'a mut self, frame: &'a [u8]) -> Option<Parsed<'a, N>> {
        sonic_rs::from_slice::<Frame<'_>>(frame).ok()?.read()
    }
}

/// `simd-json` onto a tape, its buffers kept. It writes into its input, so each frame is copied
/// first: some 5 ns.
#[derive(Default)]
pub struct SimdJson {
    buffers: simd_json::Buffers,
    frame: Vec<u8>,
}

impl fmt::Debug for SimdJson {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SimdJson").finish_non_exhaustive()
    }
}

impl Parser for SimdJson {
    const NAME: &'static str = "simd-json tape";

    fn parse<'a, N: Number>(&'a mut self, frame: &'a [u8]) -> Option<Parsed<'a, N>> {
        self.frame.clear();
        self.frame.extend_from_slice(frame);
        let tape = simd_json::to_tape_with_buffers(&mut self.frame, &mut self.buffers).ok()?;
        let value = tape.as_value();
        let topic = value.get("topic")?.into_string()?;
        let data = value.get("data")?;
        let sequence = data.get("sequence")?.as_u64()?;
        let timestamp = data.get("timestamp")?.as_u64()?;
        assemble(topic, sequence, data.get("change")?.into_string()?, timestamp)
    }
}

/// `jiter`, key by key, without building values.
#[derive(Default, Debug)]
pub struct Jiter;

impl Parser for Jiter {
    const NAME: &'static str = "jiter";

    fn parse<'a, N: Number>(&'a mut self, frame: &'a [u8]) -> Option<Parsed<'a, N>> {
        let mut jiter = jiter::Jiter::new(frame);
        let (mut topic, mut data) = (None, None);
        let mut key = jiter.next_object().ok()?;
        while let Some(name) = key {
            match name {
                "topic" => topic = Some(borrowed(&mut jiter, frame)?),
                "data" => data = Some(jiter_data(&mut jiter, frame)?),
                _ => jiter.next_skip().ok()?,
            }
            key = jiter.next_key().ok()?;
        }
        jiter.finish().ok()?;
        let (sequence, change, timestamp) = data?;
        assemble(topic?, sequence, change, timestamp)
    }
}

fn jiter_data<'a>(jiter: &mut jiter::Jiter<'a>, frame: &'a [u8]) -> Option<(u64, &'a str, u64)> {
    let (mut sequence, mut change, mut timestamp) = (None, None, None);
    let mut key = jiter.next_object().ok()?;
    while let Some(name) = key {
        match name {
            "sequence" => sequence = Some(integer(jiter)?),
            "change" => change = Some(borrowed(jiter, frame)?),
            "timestamp" => timestamp = Some(integer(jiter)?),
            _ => jiter.next_skip().ok()?,
        }
        key = jiter.next_key().ok()?;
    }
    Some((sequence?, change?, timestamp?))
}

fn integer(jiter: &mut jiter::Jiter<'_>) -> Option<u64> {
    match jiter.next_int().ok()? {
        NumberInt::Int(value) => u64::try_from(value).ok(),
        #[allow(unreachable_patterns, reason = "big integers are a feature that others may enable")]
        _ => None,
    }
}

/// A string as it lies in the frame; the library itself lends it only until the next call.
fn borrowed<'a>(jiter: &mut jiter::Jiter<'a>, frame: &'a [u8]) -> Option<&'a str> {
    let len = jiter.next_str().ok()?.len();
    let end = jiter.current_index().checked_sub(1)?;
    std::str::from_utf8(frame.get(end.checked_sub(len)?..end)?).ok()
}
