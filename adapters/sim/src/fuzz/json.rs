//! JSON by another reader: serde_json's, which shares nothing with the core's scanner. And numbers as
//! one would read them on paper.

use std::fmt;

use kucoin_futures_proto::{Decimal, Symbol};
use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

/// Deepest nesting that the core reads, the outermost container included.
const MAX_DEPTH: u32 = 16;

/// Any value: numbers as they stand, keys in their order, repeated ones too.
#[derive(Clone, PartialEq, Debug)]
pub(super) enum Json {
    Text {
        meant: String,
        /// It was written with a backslash.
        escaped: bool,
    },
    Number(String),
    Bool(bool),
    Null,
    Array(Vec<Self>),
    Object(Vec<(String, Self)>),
}

impl Json {
    /// Reads one value; `None` if it is not JSON, or deeper than the core reads.
    ///
    /// The text is split by `RawValue`, which keeps numbers of any size as they are but lets lone
    /// surrogates pass; each string is therefore read once more by itself, which does not.
    pub(super) fn read(bytes: &[u8]) -> Option<Self> {
        Self::of(serde_json::from_slice(bytes).ok()?, 0)
    }

    fn of(raw: &RawValue, depth: u32) -> Option<Self> {
        let text = raw.get();
        let within = || Some(depth + 1).filter(|depth| *depth <= MAX_DEPTH);
        Some(match text.as_bytes().first()? {
            b'{' => {
                let (depth, pairs) = (within()?, serde_json::from_str::<Pairs<'_>>(text).ok()?);
                let pairs =
                    pairs.0.into_iter().map(|(key, raw)| Some((key, Self::of(raw, depth)?)));
                Self::Object(pairs.collect::<Option<_>>()?)
            }
            b'[' => {
                let (depth, raws) = (within()?, serde_json::from_str::<Vec<&RawValue>>(text).ok()?);
                Self::Array(
                    raws.into_iter().map(|raw| Self::of(raw, depth)).collect::<Option<_>>()?,
                )
            }
            b'"' => {
                Self::Text { meant: serde_json::from_str(text).ok()?, escaped: text.contains('\\') }
            }
            b't' | b'f' => Self::Bool(text == "true"),
            b'n' => Self::Null,
            _ => Self::Number(text.into()),
        })
    }

    pub(super) const fn is_object(&self) -> bool {
        matches!(self, Self::Object(_))
    }

    /// The values of a key, of which there should be one or none.
    pub(super) fn all(&self, key: &str) -> Vec<&Self> {
        let Self::Object(pairs) = self else { return Vec::new() };
        pairs.iter().filter(|(name, _)| name == key).map(|(_, value)| value).collect()
    }

    /// The value of a key that stands once; `None` if it stands twice or not at all.
    pub(super) fn one(&self, key: &str) -> Option<&Self> {
        if let [value] = self.all(key)[..] { Some(value) } else { None }
    }

    pub(super) fn meant(&self) -> Option<&str> {
        if let Self::Text { meant, .. } = self { Some(meant) } else { None }
    }

    /// Null and an empty text say as much as no key at all.
    pub(super) fn is_nothing(&self) -> bool {
        matches!(self, Self::Null) || self.digits() == Some("")
    }

    /// An unsigned integer in plain digits, also as a text.
    pub(super) fn integer(&self) -> Option<u64> {
        let digits = self.digits()?;
        digits.bytes().all(|byte| byte.is_ascii_digit()).then(|| digits.parse().ok())?
    }

    /// A time in nanoseconds, of a number that counts so many of them: of 1973 or later.
    pub(super) fn time(&self, unit: u64) -> Option<u64> {
        self.integer()?.checked_mul(unit).filter(|ns| *ns >= 100_000_000_000_000_000)
    }

    /// Above zero, and more or finer than a price can be.
    pub(super) fn is_beyond(&self) -> bool {
        let decimal = self.digits().and_then(|digits| digits.parse::<Decimal>().ok());
        decimal.is_some_and(|decimal| decimal.mantissa() > 0)
    }

    pub(super) fn symbol(&self) -> Option<Symbol> {
        self.meant().and_then(|text| text.parse().ok())
    }

    /// A number, or a string that holds one. Deliberately not read: a string with escapes in it,
    /// which no digit needs.
    pub(super) fn digits(&self) -> Option<&str> {
        match self {
            Self::Number(text) | Self::Text { meant: text, escaped: false } => Some(text),
            _ => None,
        }
    }

    pub(super) fn price(&self) -> Option<u64> {
        units(self.digits()?, 12, i64::MAX as u64)
    }

    pub(super) fn lots(&self) -> Option<u64> {
        units(self.digits()?, 0, u64::MAX)
    }
}

/// An object's pairs as they stand.
struct Pairs<'a>(Vec<(String, &'a RawValue)>);

impl<'de> Deserialize<'de> for Pairs<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Every;

        impl<'de> Visitor<'de> for Every {
            type Value = Vec<(String, &'de RawValue)>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut pairs = Vec::new();
                while let Some(pair) = map.next_entry()? {
                    pairs.push(pair);
                }
                Ok(pairs)
            }
        }

        deserializer.deserialize_map(Every).map(Self)
    }
}

/// Whether serde_json takes the whole text for a number.
pub(super) fn is_number(text: &str) -> bool {
    let starts = text.starts_with(|c: char| c == '-' || c.is_ascii_digit());
    starts && serde_json::from_str::<&RawValue>(text).is_ok_and(|raw| raw.get() == text)
}

/// What a number means in units of `10^-scale`, if it is whole, not negative and at most `most`:
/// move the point, strip zeros.
pub(super) fn units(text: &str, scale: i64, most: u64) -> Option<u64> {
    if !is_number(text) {
        return None;
    }
    let (digits, power) = text.split_once(['e', 'E']).unwrap_or((text, "0"));
    let (negative, digits) = digits.strip_prefix('-').map_or((false, digits), |rest| (true, rest));
    let (whole, part) = digits.split_once('.').unwrap_or((digits, ""));
    let all = format!("{whole}{part}");
    let significant = all.trim_matches('0');
    if significant.is_empty() {
        return Some(0);
    }
    let zeros = (all.len() - all.trim_end_matches('0').len()) as i64;
    // More digits than an i64 has: out of every range there is, with a digit other than zero.
    let power: i64 = power.parse().ok()?;
    let places = power.checked_add(scale)?.checked_sub(part.len() as i64)?.checked_add(zeros)?;
    if negative || !(0..20).contains(&places) {
        return None;
    }
    let padded = format!("{significant}{}", "0".repeat(usize::try_from(places).ok()?));
    padded.parse().ok().filter(|units| *units <= most)
}
