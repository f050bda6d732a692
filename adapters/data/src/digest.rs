//! What a client has put out, as one number.

use std::fmt;

use kucoin_futures_proto::Output;
use postcard::ser_flavors::Flavor;
use sha2::{Digest as _, Sha256};

/// SHA-256 of all outputs of a client, one after the other, each in the encoding of
/// [postcard](https://postcard.jamesmunns.com/wire-format) 1: two clients with the same have put out the same.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Digest(pub(crate) [u8; 32]);

impl Digest {
    /// Of several sessions: that of the only one, or of them all, one after the other.
    #[must_use]
    pub fn of_all(digests: &[Self]) -> Self {
        match digests {
            [only] => *only,
            _ => {
                let mut hasher = Hasher::default();
                digests.iter().for_each(|digest| hasher.update(&digest.0));
                hasher.digest()
            }
        }
    }

    /// The 32 bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

/// 64 lower-case hexadecimal digits.
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

/// Takes outputs in, in pieces.
#[derive(Clone, Debug, Default)]
pub(crate) struct Hasher(Sha256);

impl Hasher {
    pub(crate) fn update(&mut self, outputs: &[u8]) {
        self.0.update(outputs);
    }

    /// Of all so far.
    pub(crate) fn digest(&self) -> Digest {
        Digest(self.0.clone().finalize().into())
    }
}

/// Puts an output behind what is there.
#[inline]
pub(crate) fn put_output(bytes: &mut Vec<u8>, output: &Output<'_>) {
    // A vector has room, and everything in an output can be written.
    let _ = postcard::serialize_with_flavor(output, Behind(bytes));
}

/// Appends, in whole pieces.
struct Behind<'a>(&'a mut Vec<u8>);

impl Flavor for Behind<'_> {
    type Output = ();

    #[inline]
    fn try_push(&mut self, byte: u8) -> postcard::Result<()> {
        self.0.push(byte);
        Ok(())
    }

    #[inline]
    fn try_extend(&mut self, bytes: &[u8]) -> postcard::Result<()> {
        self.0.extend_from_slice(bytes);
        Ok(())
    }

    fn finalize(self) -> postcard::Result<()> {
        Ok(())
    }
}
