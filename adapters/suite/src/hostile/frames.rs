//! WebSocket frames, right and wrong.

pub(super) const TEXT: u8 = 0x81;
pub(super) const BINARY: u8 = 0x82;
pub(super) const CLOSE: u8 = 0x88;
pub(super) const PING: u8 = 0x89;
pub(super) const PONG: u8 = 0x8a;
/// The first part of a text.
pub(super) const BEGINS: u8 = 0x01;
/// A later part, with more to come.
pub(super) const GOES_ON: u8 = 0x00;
/// The last part.
pub(super) const ENDS: u8 = 0x80;

/// A frame whose length is said in as few bytes as can be.
pub(super) fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
    [&header(first, payload.len() as u64), payload].concat()
}

/// The head of a frame that may never come.
pub(super) fn header(first: u8, len: u64) -> Vec<u8> {
    let mut head = vec![first];
    match (u8::try_from(len), u16::try_from(len)) {
        (Ok(len), _) if len < 126 => head.push(len),
        (_, Ok(len)) => {
            head.push(126);
            head.extend(len.to_be_bytes());
        }
        _ => {
            head.push(127);
            head.extend(len.to_be_bytes());
        }
    }
    head
}

/// A close frame with this code.
pub(super) fn close(code: u16) -> Vec<u8> {
    frame(CLOSE, &code.to_be_bytes())
}

/// The codes of the close frames in what a client has sent.
pub(super) fn closes(mut sent: &[u8]) -> Vec<u16> {
    let mut codes = Vec::new();
    while let Some((first, payload, rest)) = masked(sent) {
        if let (CLOSE, [high, low, ..]) = (first, payload.as_slice()) {
            codes.push(u16::from_be_bytes([*high, *low]));
        }
        sent = rest;
    }
    codes
}

/// First byte and payload of a client's frame, and what follows it.
fn masked(sent: &[u8]) -> Option<(u8, Vec<u8>, &[u8])> {
    let (&first, rest) = sent.split_first()?;
    let (&len, rest) = rest.split_first()?;
    let (len, rest) = match len & 0x7f {
        126 => {
            let (len, rest) = rest.split_first_chunk()?;
            (usize::from(u16::from_be_bytes(*len)), rest)
        }
        // Nobody says so much here.
        127 => return None,
        len => (usize::from(len), rest),
    };
    let (mask, rest) = rest.split_first_chunk::<4>()?;
    let (payload, rest) = rest.split_at_checked(len)?;
    let payload = payload.iter().zip(mask.iter().cycle()).map(|(byte, mask)| byte ^ mask);
    Some((first, payload.collect(), rest))
}
