//! JSON strings as they stand in a frame.

/// A JSON string as it stands between its quotes; checked, but not unescaped.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Text<'a> {
    raw: &'a str,
    escaped: bool,
}

impl<'a> Text<'a> {
    /// Text that the scanner has checked.
    #[inline]
    pub(super) const fn checked(raw: &'a str, escaped: bool) -> Self {
        Self { raw, escaped }
    }

    /// Whether there is an escape in it.
    pub(super) const fn is_escaped(self) -> bool {
        self.escaped
    }

    /// Text that is known to hold no escape.
    pub(crate) const fn unescaped(raw: &'a str) -> Self {
        Self { raw, escaped: false }
    }

    /// The bytes between the quotes, escapes and all.
    #[must_use]
    pub const fn raw(self) -> &'a str {
        self.raw
    }

    /// The string itself, if it needs no unescaping; nothing on this wire normally does.
    #[must_use]
    pub const fn plain(self) -> Option<&'a str> {
        if self.escaped { None } else { Some(self.raw) }
    }

    /// The characters meant, escapes resolved.
    pub fn chars(self) -> impl Iterator<Item = char> + use<'a> {
        Unescape { rest: self.raw.chars() }
    }

    /// Whether the characters meant are those of `other`.
    #[must_use]
    #[inline]
    pub fn is(self, other: &str) -> bool {
        if self.escaped { self.chars().eq(other.chars()) } else { self.raw == other }
    }

    /// The string itself, unescaped into `room` where need be; `None` if that is too small.
    pub(crate) fn resolve<'b>(self, room: &'b mut [u8]) -> Option<&'b str>
    where
        'a: 'b,
    {
        if !self.escaped {
            return Some(self.raw);
        }
        let mut used: usize = 0;
        for c in self.chars() {
            let end = used.checked_add(c.len_utf8())?;
            c.encode_utf8(room.get_mut(used..end)?);
            used = end;
        }
        core::str::from_utf8(room.get(..used)?).ok()
    }
}

/// The characters meant.
impl core::fmt::Display for Text<'_> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        use core::fmt::Write as _;
        match self.plain() {
            Some(text) => f.write_str(text),
            None => self.chars().try_for_each(|c| f.write_char(c)),
        }
    }
}

struct Unescape<'a> {
    rest: core::str::Chars<'a>,
}

impl Unescape<'_> {
    fn unit(&mut self) -> u32 {
        let digit = |c: Option<char>| c.and_then(|c| c.to_digit(16)).unwrap_or(0);
        (0..4).fold(0, |unit, _| (unit << 4) | digit(self.rest.next()))
    }
}

/// The scanner has checked the escapes; what is impossible after that becomes U+FFFD.
impl Iterator for Unescape<'_> {
    type Item = char;

    fn next(&mut self) -> Option<char> {
        let c = self.rest.next()?;
        if c != '\\' {
            return Some(c);
        }
        Some(match self.rest.next()? {
            'b' => '\u{8}',
            'f' => '\u{c}',
            'n' => '\n',
            'r' => '\r',
            't' => '\t',
            'u' => {
                let first = self.unit();
                let code = if (0xd800..0xdc00).contains(&first) {
                    self.rest.next();
                    self.rest.next();
                    join_surrogates(first, self.unit())
                } else {
                    first
                };
                char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER)
            }
            other => other,
        })
    }
}

const fn join_surrogates(high: u32, low: u32) -> u32 {
    0x1_0000_u32.wrapping_add((high & 0x3ff) << 10).wrapping_add(low & 0x3ff)
}
