//! Leaves tokens out of what is written down, so that a client that reads it does the same.
//!
//! A token stands in the reply to a bullet request. Whatever it says, a client puts it into the address that it
//! connects to, and that is all; so each of its letters and digits becomes an `x` and everything else stays: what
//! could be read can be read, and what could not cannot. Where the exchange repeats it, in an error for example, it is
//! masked, too. Keys and signatures never come this far: a client does not know them.

use std::borrow::Cow;
use std::collections::VecDeque;

use aho_corasick::{AhoCorasick, MatchKind};
use kucoin_futures_proto::Input;
use memchr::memmem;
use serde::Deserialize;
use serde_json::value::RawValue;

/// Tokens that are looked for: two for each line that a client has, and some.
const MOST: usize = 64;
/// What is shorter is no secret, and may stand anywhere.
const SHORTEST: usize = 8;

/// The tokens that are known.
#[derive(Default)]
pub(crate) struct Mask {
    tokens: VecDeque<Vec<u8>>,
    /// All of them, in one walk over a frame, however many connections there were.
    finder: Option<AhoCorasick>,
}

/// They are secrets.
impl std::fmt::Debug for Mask {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Mask({} tokens)", self.tokens.len())
    }
}

/// What is looked for in a body, however its keys are written.
#[derive(Deserialize)]
struct Body<'a> {
    #[serde(borrow)]
    data: Option<Data<'a>>,
}

#[derive(Deserialize)]
struct Data<'a> {
    #[serde(borrow)]
    token: Option<&'a RawValue>,
}

impl Mask {
    /// The bytes of an input, to be written down.
    #[inline]
    pub(crate) fn of<'a>(&mut self, input: &Input<'a>) -> Cow<'a, [u8]> {
        match *input {
            Input::Text { bytes, .. } => self.known(Cow::Borrowed(bytes)),
            Input::Reply { body, .. } => {
                let masked = self.learn(body);
                self.known(masked)
            }
            _ => Cow::Borrowed(&[]),
        }
    }

    /// Masks the tokens of a reply, and remembers them.
    fn learn<'a>(&mut self, body: &'a [u8]) -> Cow<'a, [u8]> {
        let mut spans = by_key(body);
        if let Ok(Body { data: Some(Data { token: Some(token) }) }) = serde_json::from_slice(body) {
            let raw = token.get().strip_prefix('"').and_then(|raw| raw.strip_suffix('"'));
            spans.extend(raw.and_then(|raw| span_in(body, raw.as_bytes())));
        }
        let mut masked = Cow::Borrowed(body);
        for (from, to) in spans {
            let raw = body.get(from..to).unwrap_or_default();
            self.remember(raw);
            mask(masked.to_mut().get_mut(from..to).unwrap_or_default());
        }
        masked
    }

    fn remember(&mut self, raw: &[u8]) {
        // As it is written there, and as it is meant.
        let quoted = [b"\"", raw, b"\""].concat();
        let meant = serde_json::from_slice::<String>(&quoted).unwrap_or_default();
        let in_address = percent_encoded(&meant);
        for text in [raw, meant.as_bytes(), in_address.as_bytes()] {
            let is_known = || self.tokens.iter().any(|token| token == text);
            if text.len() < SHORTEST || is_known() {
                continue;
            }
            if self.tokens.len() == MOST {
                self.tokens.pop_front();
            }
            self.tokens.push_back(text.to_vec());
        }
        let mut builder = AhoCorasick::builder();
        // They are few and short: it cannot be too large.
        self.finder = builder.match_kind(MatchKind::LeftmostLongest).build(&self.tokens).ok();
    }

    /// Masks the tokens that are known.
    #[inline]
    fn known<'a>(&self, bytes: Cow<'a, [u8]>) -> Cow<'a, [u8]> {
        match &self.finder {
            Some(finder) if finder.is_match(&bytes) => masked(finder, bytes),
            _ => bytes,
        }
    }
}

#[cold]
fn masked<'a>(finder: &AhoCorasick, mut bytes: Cow<'a, [u8]>) -> Cow<'a, [u8]> {
    let places: Vec<_> = finder.find_iter(&bytes).map(|found| found.range()).collect();
    for place in places {
        mask(bytes.to_mut().get_mut(place).unwrap_or_default());
    }
    bytes
}

/// As a client puts it into an address.
fn percent_encoded(text: &str) -> String {
    let mut encoded = String::new();
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
            encoded.push(char::from(byte));
        } else {
            encoded.push_str(&format!("%{byte:02X}"));
        }
    }
    encoded
}

/// Where a piece of `whole` lies in it.
fn span_in(whole: &[u8], piece: &[u8]) -> Option<(usize, usize)> {
    let from = (piece.as_ptr() as usize).checked_sub(whole.as_ptr() as usize)?;
    let to = from.checked_add(piece.len())?;
    (to <= whole.len()).then_some((from, to))
}

/// The strings that stand behind a key `"token"`, without their quotes; also in what cannot be read as a whole.
fn by_key(body: &[u8]) -> Vec<(usize, usize)> {
    const KEY: &[u8] = b"\"token\"";
    let spans = memmem::find_iter(body, KEY).filter_map(|key| {
        let behind = key.checked_add(KEY.len())?;
        let skip = |at: usize| {
            let rest = body.get(at..)?;
            Some(at + rest.iter().position(|byte| !byte.is_ascii_whitespace())?)
        };
        let colon = skip(behind)?;
        let quote = skip(colon.checked_add(1)?)?;
        if body.get(colon) != Some(&b':') || body.get(quote) != Some(&b'"') {
            return None;
        }
        let from = quote.checked_add(1)?;
        let mut to = from;
        loop {
            match body.get(to) {
                Some(b'\\') => to = to.checked_add(2)?,
                Some(b'"') | None => break,
                Some(_) => to = to.checked_add(1)?,
            }
        }
        Some((from, to.min(body.len())))
    });
    spans.collect()
}

/// Letters and digits become `x`, those of an escape one that means `x`.
fn mask(text: &mut [u8]) {
    let mut at = 0;
    while let Some(byte) = text.get_mut(at) {
        if *byte == b'\\' {
            if let Some([b'u', code @ ..]) = text.get_mut(at.saturating_add(1)..)
                && let Some(code) = code.first_chunk_mut::<4>()
                && code.iter().all(u8::is_ascii_hexdigit)
                // Halves of a pair stay: alone they cannot be read.
                && !matches!(code, [b'd' | b'D', b'8'..=b'9' | b'a'..=b'f' | b'A'..=b'F', ..])
            {
                *code = *b"0078";
                at = at.saturating_add(6);
            } else {
                at = at.saturating_add(2);
            }
            continue;
        }
        if byte.is_ascii_alphanumeric() {
            *byte = b'x';
        }
        at = at.saturating_add(1);
    }
}

#[cfg(test)]
mod tests {
    use kucoin_futures_proto::{ConnId, Input, RequestId, ResponseHead};

    use super::Mask;

    fn reply(mask: &mut Mask, body: &str) -> String {
        let (request, head) = (RequestId::new(1), ResponseHead::new(200));
        let input = Input::Reply { request, head, body: body.as_bytes() };
        String::from_utf8(mask.of(&input).into_owned()).unwrap()
    }

    fn text(mask: &mut Mask, frame: &str) -> String {
        let input = Input::Text { conn: ConnId::new(1), bytes: frame.as_bytes() };
        String::from_utf8(mask.of(&input).into_owned()).unwrap()
    }

    #[test]
    fn a_token_is_masked_where_it_is_given_and_where_it_is_repeated() {
        let mut mask = Mask::default();
        let masked = reply(
            &mut mask,
            r#"{"code":"200000","data":{"token":"2neAiuYvAU61ZD-_=.x","instanceServers":[{"endpoint":"wss://h/"}]}}"#,
        );
        assert_eq!(
            masked,
            r#"{"code":"200000","data":{"token":"xxxxxxxxxxxxxx-_=.x","instanceServers":[{"endpoint":"wss://h/"}]}}"#
        );
        let said =
            text(&mut mask, r#"{"type":"error","data":"token 2neAiuYvAU61ZD-_=.x is invalid"}"#);
        assert_eq!(said, r#"{"type":"error","data":"token xxxxxxxxxxxxxx-_=.x is invalid"}"#);
        let quoted = text(&mut mask, "/?token=2neAiuYvAU61ZD-_%3D.x&connectId=1");
        assert_eq!(quoted, "/?token=xxxxxxxxxxxxxx-_%xx.x&connectId=1");
        let other = r#"{"type":"error","data":"token 3neAiuYvAU61ZD-_=.x is invalid"}"#;
        assert_eq!(text(&mut mask, other), other);
    }

    #[test]
    fn the_tokens_of_many_connections_are_masked_and_those_of_long_ago_forgotten() {
        let mut mask = Mask::default();
        for number in 0..100 {
            reply(&mut mask, &format!(r#"{{"data":{{"token":"connection-{number:03}"}}}}"#));
        }
        let said = text(&mut mask, "connection-099 and connection-050, and connection-001");
        assert_eq!(said, "xxxxxxxxxx-xxx and xxxxxxxxxx-xxx, and connection-001");
    }

    #[test]
    fn a_token_is_masked_however_it_is_written() {
        for (body, masked) in [
            // A key in escapes is the key.
            (r#"{"data":{"tok\u0065n":"secret-12"}}"#, r#"{"data":{"tok\u0065n":"xxxxxx-xx"}}"#),
            // Twice, of which a reader takes one or none.
            (
                r#"{"data":{"token":"secret12","token" : "secret34"}}"#,
                r#"{"data":{"token":"xxxxxxxx","token" : "xxxxxxxx"}}"#,
            ),
            // Escapes in it.
            (
                r#"{"data":{"token":"\u0073ecret\n\"9"}}"#,
                r#"{"data":{"token":"\u0078xxxxx\n\"x"}}"#,
            ),
            // Cut off, and so unreadable before and after.
            (r#"{"data":{"token":"secret12"#, r#"{"data":{"token":"xxxxxxxx"#),
            (r#"{"data":{"token":"secret\"#, r#"{"data":{"token":"xxxxxx\"#),
            // Of no use to anybody.
            (r#"{"data":{"token":12345678}}"#, r#"{"data":{"token":12345678}}"#),
        ] {
            assert_eq!(reply(&mut Mask::default(), body), masked);
        }
    }
}
