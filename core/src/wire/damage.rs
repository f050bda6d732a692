//! Frames that are nearly right, for the tests of the fast ways.

use alloc::vec::Vec;

use proptest::prelude::*;

/// What is done to a frame: a byte replaced, put in, or taken out.
#[derive(Clone, Copy, Debug)]
pub(super) enum Damage {
    Set(u8),
    Insert(u8),
    Remove,
}

/// Mostly bytes that mean something in a frame.
pub(super) fn damage() -> impl Strategy<Value = Damage> {
    let byte = prop_oneof![
        3 => prop::sample::select(&b"0123456789"[..]),
        3 => prop::sample::select(&b"\"\\,.:{}[] -+eE/'_buysel\n\t\0"[..]),
        1 => any::<u8>(),
    ];
    prop_oneof![
        3 => byte.clone().prop_map(Damage::Set),
        1 => byte.prop_map(Damage::Insert),
        1 => Just(Damage::Remove),
    ]
}

pub(super) fn damaged(frame: &[u8], at: prop::sample::Index, damage: Damage) -> Vec<u8> {
    let (mut frame, at) = (frame.to_vec(), at.index(frame.len()));
    match damage {
        Damage::Set(byte) => frame[at] = byte,
        Damage::Insert(byte) => frame.insert(at, byte),
        Damage::Remove => drop(frame.remove(at)),
    }
    frame
}
