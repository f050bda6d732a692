//! What a server of NATS says, out of bytes as they come.

/// The longest line but for a payload: `INFO` of a large cluster.
const MAX_LINE: usize = 64 * 1024;
/// Far more than any payload of ours.
const MAX_PAYLOAD: usize = 8 << 20;

/// One thing that it says.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Frame<'a> {
    Info(&'a [u8]),
    Message { subject: &'a str, payload: &'a [u8] },
    Ping,
    Pong,
    Ok,
    Error(&'a str),
}

/// Bytes that came and were not read yet.
#[derive(Debug, Default)]
pub(super) struct Frames {
    bytes: Vec<u8>,
    /// Up to here they were read.
    at: usize,
}

impl Frames {
    pub(super) fn push(&mut self, bytes: &[u8]) {
        // What was read goes before there is more.
        self.bytes.drain(..self.at);
        self.at = 0;
        self.bytes.extend_from_slice(bytes);
    }

    /// The next one that is whole.
    pub(super) fn next(&mut self) -> Result<Option<Frame<'_>>, &'static str> {
        let rest = self.bytes.get(self.at..).unwrap_or_default();
        let Some(end) = find_line(rest) else {
            return if rest.len() > MAX_LINE { Err("a line without an end") } else { Ok(None) };
        };
        let (line, after) = rest.split_at_checked(end).unwrap_or_default();
        let line = std::str::from_utf8(line).map_err(|_| "a line that is no text")?;
        let mut used = end + 2;
        let (word, arguments) = line.split_once(' ').unwrap_or((line, ""));
        let frame = match word.to_ascii_uppercase().as_str() {
            "MSG" => {
                let mut parts = arguments.split_ascii_whitespace();
                let (subject, len) = (parts.next(), parts.next_back());
                let (Some(subject), Some(Ok(len))) = (subject, len.map(str::parse::<usize>)) else {
                    return Err("MSG without subject and length");
                };
                if len > MAX_PAYLOAD {
                    return Err("a payload that is too long");
                }
                // Behind the line's end, and followed by one of its own.
                let Some(payload) = after.get(2..2 + len) else { return Ok(None) };
                match after.get(2 + len..4 + len) {
                    None => return Ok(None),
                    Some(b"\r\n") => used += len + 2,
                    Some(_) => return Err("a payload of another length than it says"),
                }
                Frame::Message { subject, payload }
            }
            "INFO" => Frame::Info(arguments.as_bytes()),
            "PING" => Frame::Ping,
            "PONG" => Frame::Pong,
            "+OK" => Frame::Ok,
            "-ERR" => Frame::Error(arguments.trim_matches('\'')),
            _ => return Err("a word that NATS has not"),
        };
        self.at += used;
        Ok(Some(frame))
    }
}

fn find_line(bytes: &[u8]) -> Option<usize> {
    bytes.windows(2).take(MAX_LINE + 1).position(|pair| pair == b"\r\n")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const SAID: &[u8] =
        b"INFO {\"max_payload\":1048576}\r\nPING\r\n+OK\r\nMSG kcf.book.X 1 5\r\na\r\nbc\r\n\
        MSG kcf.want.X 2 _INBOX.1 0\r\n\r\nPONG\r\n-ERR 'Slow Consumer'\r\n";

    fn read(frames: &mut Frames, to: &mut Vec<String>) {
        while let Some(frame) = frames.next().unwrap() {
            to.push(format!("{frame:?}"));
        }
    }

    proptest! {
        /// However it is cut into pieces.
        #[test]
        fn frames_are_read_whole(cuts in prop::collection::vec(1..20_usize, 40)) {
            let (mut whole, mut pieces) = (Frames::default(), Frames::default());
            let (mut expected, mut got) = (Vec::new(), Vec::new());
            whole.push(SAID);
            read(&mut whole, &mut expected);
            prop_assert_eq!(expected.len(), 7);
            let mut rest = SAID;
            for cut in cuts.into_iter().chain([SAID.len()]) {
                let (piece, after) = rest.split_at(cut.min(rest.len()));
                pieces.push(piece);
                read(&mut pieces, &mut got);
                rest = after;
            }
            prop_assert_eq!(got, expected);
        }

        #[test]
        fn hostile_bytes_are_refused_or_read(bytes: Vec<u8>) {
            let mut frames = Frames::default();
            frames.push(&bytes);
            while let Ok(Some(_)) = frames.next() {}
        }
    }

    #[test]
    fn what_is_no_frame_is_refused() {
        for bad in [
            "HELLO\r\n",
            "MSG a 1 x\r\n",
            "MSG a\r\n",
            "MSG a 1 99999999999\r\n",
            "MSG a 1 1\r\nabc\r\n",
        ] {
            let mut frames = Frames::default();
            frames.push(bad.as_bytes());
            assert!(frames.next().is_err(), "{bad}");
        }
        let mut frames = Frames::default();
        frames.push(&[b'x'; MAX_LINE + 1]);
        assert!(frames.next().is_err());
    }
}
