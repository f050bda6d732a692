//! permessage-deflate (RFC 7692): what is agreed on, and messages in and out of it.
//!
//! Neither side keeps a window from one message to the next: a server of many connections would not.

use flate2::{Compress, Compression, Decompress, FlushCompress, FlushDecompress, Status};

/// What ends each flushed block, and is left away on the wire.
const TAIL: [u8; 4] = [0, 0, 0xff, 0xff];
/// The window that everybody can read.
const FULL_WINDOW: &str = "15";

/// The answer to what a client offers in `Sec-WebSocket-Extensions`: the first offer that can be met.
pub(super) fn agree(offers: &str) -> Option<String> {
    offers.split(',').find_map(|offer| {
        let mut parts = offer.split(';').map(str::trim);
        if parts.next() != Some("permessage-deflate") {
            return None;
        }
        let agreed = "permessage-deflate; server_no_context_takeover; client_no_context_takeover";
        let mut agreed = agreed.to_owned();
        for part in parts {
            let (name, value) = match part.split_once('=') {
                Some((name, value)) => (name.trim(), Some(value.trim().trim_matches('"'))),
                None => (part, None),
            };
            match (name, value) {
                ("server_no_context_takeover" | "client_no_context_takeover", None)
                | ("client_max_window_bits", _) => {}
                ("server_max_window_bits", Some(FULL_WINDOW)) => {
                    agreed.push_str("; server_max_window_bits=15");
                }
                _ => return None,
            }
        }
        Some(agreed)
    })
}

/// Makes messages small.
pub(super) struct Deflater(Compress);

impl Deflater {
    pub(super) fn new() -> Self {
        Self(Compress::new(Compression::fast(), false))
    }

    /// A message as it stands in its frame; `None` if the library fails.
    pub(super) fn pack(&mut self, message: &[u8]) -> Option<Vec<u8>> {
        self.0.reset();
        let mut packed = Vec::with_capacity(message.len() / 2 + 64);
        loop {
            let read = self.0.total_in() as usize;
            let rest = message.get(read..)?;
            self.0.compress_vec(rest, &mut packed, FlushCompress::Sync).ok()?;
            // Room that is left means that everything is out.
            if self.0.total_in() as usize == message.len() && packed.len() < packed.capacity() {
                break;
            }
            packed.reserve(1024);
        }
        packed.truncate(packed.strip_suffix(&TAIL)?.len());
        Some(packed)
    }
}

/// Gives a message back; `None` if it is damaged, or longer than `most`.
pub(super) fn unpack(payload: &[u8], most: usize) -> Option<Vec<u8>> {
    let mut inflate = Decompress::new(false);
    let packed: Vec<u8> = payload.iter().chain(&TAIL).copied().collect();
    let mut message = Vec::with_capacity(packed.len() * 4);
    loop {
        let read = inflate.total_in() as usize;
        let written = message.len();
        let rest = packed.get(read..)?;
        let status = inflate.decompress_vec(rest, &mut message, FlushDecompress::Sync).ok()?;
        if message.len() > most {
            return None;
        }
        let all_read = inflate.total_in() as usize == packed.len();
        let has_room = message.len() < message.capacity();
        let stands = inflate.total_in() as usize == read && message.len() == written;
        match status {
            Status::StreamEnd => return Some(message),
            _ if all_read && has_room => return Some(message),
            _ if stands && has_room => return None,
            _ => {}
        }
        message.reserve(4096);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn offers_are_met_or_left() {
        let plain = "permessage-deflate; server_no_context_takeover; client_no_context_takeover";
        for (offers, agreed) in [
            ("permessage-deflate", Some(plain)),
            ("permessage-deflate; client_max_window_bits", Some(plain)),
            ("x-webkit-deflate-frame, permessage-deflate;client_no_context_takeover", Some(plain)),
            ("permessage-deflate; server_max_window_bits=10, permessage-deflate", Some(plain)),
            ("permessage-deflate; server_max_window_bits=10", None),
            ("permessage-deflate; colour=blue", None),
            ("permessage-bzip2", None),
            ("", None),
        ] {
            assert_eq!(agree(offers).as_deref(), agreed, "{offers}");
        }
        let wide = agree("permessage-deflate; server_max_window_bits=15").unwrap();
        assert!(wide.ends_with("server_max_window_bits=15"));
    }

    #[test]
    fn messages_of_all_sizes_go_there_and_back() {
        let mut deflater = Deflater::new();
        for len in [0, 1, 5, 100, 1_000, 65_536, 300_000] {
            let message: Vec<u8> =
                (0..len).map(|at: u32| (at.wrapping_mul(at) % 251) as u8).collect();
            let packed = deflater.pack(&message).unwrap();
            assert_eq!(unpack(&packed, 1 << 20).unwrap(), message, "{len}");
        }
    }

    /// The example of RFC 7692, section 7.2.3.1.
    #[test]
    fn hello_is_read_as_the_rfc_has_it() {
        let hello = [0xf2, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00];
        assert_eq!(unpack(&hello, 100).unwrap(), b"Hello");
        assert_eq!(Deflater::new().pack(b"Hello").unwrap(), hello);
    }

    #[test]
    fn damage_and_bombs_are_refused() {
        let bomb = Deflater::new().pack(&vec![b' '; 1 << 20]).unwrap();
        assert!(bomb.len() < 1 << 15);
        assert_eq!(unpack(&bomb, 1 << 16), None);
        assert_eq!(unpack(&[0xff; 40], 1 << 16), None);
    }
}
