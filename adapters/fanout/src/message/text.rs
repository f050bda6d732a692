//! What is a number in bytes and text in JSON: prices, digests, names of publishers.

use std::fmt;
use std::hash::{BuildHasher as _, Hasher as _, RandomState};

use kucoin_futures_proto::book::Level;
use kucoin_futures_proto::{Lots, Price};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::{DecodeError, Message, VERSION};

/// One run of one publisher: another one after each start. 16 hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PublisherId(u64);

/// A SHA-256: 64 hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Digest(pub [u8; 32]);

/// A level, as a pair.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Row(pub(super) Level);

/// A message of JSON says its version first.
#[derive(Serialize)]
pub(super) struct Line<'a> {
    pub(super) v: u64,
    #[serde(flatten)]
    pub(super) message: &'a Message,
}

/// The same, to be looked at before the rest is.
#[derive(Deserialize)]
struct Version {
    v: u64,
}

pub(super) fn parse_line(bytes: &[u8]) -> Result<Message, DecodeError> {
    let malformed = |error: serde_json::Error| DecodeError::Malformed(error.to_string());
    let Version { v } = serde_json::from_slice(bytes).map_err(malformed)?;
    if v != u64::from(VERSION) {
        return Err(DecodeError::Version(v));
    }
    serde_json::from_slice(bytes).map_err(malformed)
}

impl PublisherId {
    /// One that no other has, from the operating system's randomness.
    #[must_use]
    pub fn random() -> Self {
        Self(RandomState::new().build_hasher().finish())
    }

    /// With this number.
    #[must_use]
    pub const fn new(raw: u64) -> Self {
        Self(raw)
    }

    /// Its number.
    #[must_use]
    pub const fn get(self) -> u64 {
        self.0
    }
}

impl fmt::Display for PublisherId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

impl fmt::Debug for PublisherId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl std::str::FromStr for PublisherId {
    type Err = std::num::ParseIntError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        u64::from_str_radix(text, 16).map(Self)
    }
}

impl Serialize for PublisherId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if serializer.is_human_readable() {
            return serializer.collect_str(self);
        }
        // All eight bytes of a random number are in use.
        self.0.to_le_bytes().serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for PublisherId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        if deserializer.is_human_readable() {
            return String::deserialize(deserializer)?.parse().map_err(D::Error::custom);
        }
        <[u8; 8]>::deserialize(deserializer).map(|bytes| Self(u64::from_le_bytes(bytes)))
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Serialize for Digest {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if serializer.is_human_readable() {
            return serializer.collect_str(self);
        }
        self.0.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Digest {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        if !deserializer.is_human_readable() {
            return <[u8; 32]>::deserialize(deserializer).map(Self);
        }
        let text = String::deserialize(deserializer)?;
        let is_hex = text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
        if !is_hex {
            return Err(D::Error::custom("a digest has 64 hexadecimal digits"));
        }
        let mut bytes = [0; 32];
        for (at, byte) in bytes.iter_mut().enumerate() {
            let digits = text.get(2 * at..2 * at + 2).unwrap_or_default();
            *byte = u8::from_str_radix(digits, 16).map_err(D::Error::custom)?;
        }
        Ok(Self(bytes))
    }
}

impl Serialize for Row {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        (PriceText(self.0.price), self.0.size).serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Row {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let (price, size): (PriceText, Lots) = Deserialize::deserialize(deserializer)?;
        Ok(Self(Level { price: price.0, size }))
    }
}

/// A price: units of 1e-12, or its shortest text.
struct PriceText(Price);

impl Serialize for PriceText {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if serializer.is_human_readable() {
            return serializer.collect_str(&self.0);
        }
        self.0.scaled().cast_unsigned().serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for PriceText {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        if deserializer.is_human_readable() {
            let text = String::deserialize(deserializer)?;
            return text.parse().map(Self).map_err(D::Error::custom);
        }
        let units = i64::try_from(u64::deserialize(deserializer)?).map_err(D::Error::custom)?;
        Price::from_scaled(units).map(Self).ok_or_else(|| D::Error::custom("a price below zero"))
    }
}

/// For `#[serde(with)]`.
pub(super) mod price {
    use super::{Deserialize as _, Deserializer, Price, PriceText, Serialize as _, Serializer};

    pub(in crate::message) fn serialize<S: Serializer>(
        price: &Price,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        PriceText(*price).serialize(serializer)
    }

    pub(in crate::message) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Price, D::Error> {
        PriceText::deserialize(deserializer).map(|price| price.0)
    }
}

/// The same for what may be none.
pub(super) mod horizon {
    use super::{Deserialize as _, Deserializer, Price, PriceText, Serialize as _, Serializer};

    pub(in crate::message) fn serialize<S: Serializer>(
        horizon: &Option<Price>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        horizon.map(PriceText).serialize(serializer)
    }

    pub(in crate::message) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<Price>, D::Error> {
        Ok(Option::<PriceText>::deserialize(deserializer)?.map(|price| price.0))
    }
}
