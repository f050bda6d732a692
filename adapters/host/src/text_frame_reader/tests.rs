//! The library alone must hear the same.

use std::io::{self, ErrorKind, Read, Write};

use kucoin_futures_proto::SplitMix64;
use tungstenite::protocol::Role;
use tungstenite::{Error, Message, WebSocket};

use super::*;
use crate::websocket::websocket_config;

/// A peer whose bytes come in pieces, then block, then end.
struct Peer {
    source: Source,
    reader: Option<TextFrameReader>,
}

struct Source {
    bytes: Vec<u8>,
    at: usize,
    rng: SplitMix64,
}

impl Source {
    fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
        assert!(!to.is_empty());
        let left = self.bytes.len() - self.at;
        if left > 0 && self.rng.below(3) == 0 {
            return Err(ErrorKind::WouldBlock.into());
        }
        let size = [3, 300, 30_000][self.rng.below(3) as usize];
        let count = left.min(to.len()).min(1 + self.rng.below(size) as usize);
        to[..count].copy_from_slice(&self.bytes[self.at..self.at + count]);
        self.at += count;
        Ok(count)
    }
}

impl Peer {
    /// As a blocking socket has it; or as an async one, where "would block" is no result.
    fn fill<'a>(source: &'a mut Source) -> impl FnMut(&mut [u8]) -> Poll<io::Result<usize>> + 'a {
        |space| match source.read(space) {
            Err(_) if source.at.is_multiple_of(2) => Poll::Pending,
            read => Poll::Ready(read),
        }
    }

    fn text(&mut self) -> Option<&[u8]> {
        let reader = self.reader.as_mut()?;
        match reader.poll_text(Self::fill(&mut self.source)) {
            Poll::Ready(taken) => taken.map(|taken| reader.text(taken)),
            Poll::Pending => None,
        }
    }
}

impl Read for Peer {
    fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
        let Some(reader) = &mut self.reader else { return self.source.read(to) };
        match reader.poll_read(to, Self::fill(&mut self.source)) {
            Poll::Ready(read) => read,
            Poll::Pending => Err(ErrorKind::WouldBlock.into()),
        }
    }
}

impl Write for Peer {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// What is heard to the end, and how much of that was taken without the library.
fn hear(frames: &[u8], seed: u64, with_reader: bool) -> (Vec<String>, usize) {
    // Some of it came with the answer to the upgrade.
    let first = frames.len().min(seed as usize % 300);
    let reader = with_reader.then(|| TextFrameReader::new(&frames[..first]));
    let at = if with_reader { first } else { 0 };
    let source = Source { bytes: frames.to_vec(), at, rng: SplitMix64::new(seed) };
    let peer = Peer { source, reader };
    let mut websocket = WebSocket::from_raw_socket(peer, Role::Client, Some(websocket_config()));
    let (mut heard, mut taken) = (Vec::new(), 0);
    loop {
        if let Some(text) = websocket.get_mut().text() {
            let text = str::from_utf8(text).unwrap().to_owned();
            heard.push(format!("{:?}", Message::text(text)));
            taken += 1;
            continue;
        }
        match websocket.read() {
            Err(Error::Io(error)) if error.kind() == ErrorKind::WouldBlock => {}
            Ok(message) => heard.push(format!("{message:?}")),
            Err(error) => {
                heard.push(format!("{error:?}"));
                return (heard, taken);
            }
        }
    }
}

fn frame(into: &mut Vec<u8>, first: u8, payload: &[u8], masked: bool) {
    let mask = if masked { MASKED } else { 0 };
    into.push(first);
    match payload.len() {
        len @ ..126 => into.push(mask | len as u8),
        len @ ..65_536 => {
            into.push(mask | TWO_BYTES);
            into.extend((len as u16).to_be_bytes());
        }
        len => {
            into.push(mask | EIGHT_BYTES);
            into.extend((len as u64).to_be_bytes());
        }
    }
    if masked {
        into.extend([0; 4]);
    }
    into.extend(payload);
}

/// Mostly what a market sends; sometimes anything.
fn draw(rng: &mut SplitMix64, bytes: &mut Vec<u8>) {
    let level2 = vec![b'x'; 150 + rng.below(60) as usize];
    match rng.below(24) {
        0 => frame(bytes, 0x81, "grün".as_bytes(), false),
        1 => frame(bytes, 0x82, b"binary", false),
        2 => frame(bytes, 0x89, b"ping", false),
        3 => frame(bytes, 0x8a, b"", false),
        4 => frame(bytes, 0x81, &vec![b'y'; 16_000 + rng.below(800) as usize], false),
        5 => frame(bytes, 0x81, &vec![b'z'; 65_000 + rng.below(2_000) as usize], false),
        6 => {
            frame(bytes, 0x01, b"in ", false);
            frame(bytes, 0x89, b"between", false);
            frame(bytes, 0x00, b"three ", false);
            frame(bytes, 0x80, b"parts", false);
        }
        7 if rng.below(8) == 0 => frame(bytes, 0x88, &[0x03, 0xe8], false),
        8 if rng.below(8) == 0 => frame(bytes, 0x81, b"\xff\xfe", false),
        9 if rng.below(8) == 0 => frame(bytes, 0x81, b"masked", true),
        10 if rng.below(8) == 0 => frame(bytes, 0xc1, b"reserved", false),
        11 if rng.below(8) == 0 => {
            frame(bytes, 0x01, b"never ended", false);
            frame(bytes, 0x81, b"another", false);
        }
        12 if rng.below(8) == 0 => bytes.extend([0x81, 127, 0xff, 0, 0, 0, 0, 0, 0, 0]),
        13 => frame(bytes, 0x81, b"", false),
        _ => frame(bytes, 0x81, &level2, false),
    }
}

#[test]
fn everything_is_heard_as_by_the_library_alone() {
    let mut all_taken = 0;
    for seed in 0..2_000 {
        let mut rng = SplitMix64::new(seed);
        let mut bytes = Vec::new();
        for _ in 0..rng.below(40) {
            draw(&mut rng, &mut bytes);
        }
        let cut = rng.below(bytes.len() as u64 * 4 + 1) as usize;
        bytes.truncate(cut);
        let (alone, _) = hear(&bytes, seed, false);
        let (heard, taken) = hear(&bytes, seed + 1, true);
        assert_eq!(heard, alone, "seed {seed}");
        all_taken += taken;
    }
    assert!(all_taken > 10_000, "{all_taken}");
}

/// Found by a peer over a socket: parts without end that are empty make no message that is too long, and the library
/// went on to read for as long as they came.
#[test]
fn a_message_has_no_more_than_so_many_parts() {
    let parts = |count: usize| {
        let mut bytes = Vec::new();
        frame(&mut bytes, 0x01, b"", false);
        (1..count).for_each(|_| frame(&mut bytes, 0x00, b"", false));
        bytes
    };
    let read = |bytes: &[u8]| {
        let (mut reader, mut left) = (TextFrameReader::new(&[]), bytes);
        let mut to = [0; 64];
        loop {
            let read = reader.poll_read(&mut to, |space| Poll::Ready(left.read(space)));
            match read {
                Poll::Ready(Ok(0)) => return None,
                Poll::Ready(Ok(_)) => {}
                Poll::Ready(Err(error)) => return Some(error.kind()),
                Poll::Pending => panic!("it never waits"),
            }
        }
    };
    let most = MAX_PARTS as usize;
    assert_eq!(read(&parts(most)), None);
    assert_eq!(read(&parts(most + 1)), Some(ErrorKind::FileTooLarge));
    // Each message has as many, and what comes between them counts for nothing.
    let mut two = parts(most - 1);
    (0..10).for_each(|_| frame(&mut two, 0x89, b"ping", false));
    frame(&mut two, 0x80, b"", false);
    two.extend(parts(most));
    assert_eq!(read(&two), None);
}
