//! What whoever comes from another machine must know.

use std::ffi::OsString;
use std::fmt;

use rustls::crypto::ring;
use subtle::ConstantTimeEq as _;

use crate::exit::{Failure, Kind};
use crate::words;

/// Where a token may be given: here, or in the file that the same name with `_FILE` names. Never in the arguments,
/// which everybody on a machine can read.
const VARIABLE: &str = "KCF_TOKEN";
/// A shorter one could be guessed.
const SHORTEST: usize = 16;
/// A header holds this.
const LONGEST: usize = 256;

/// A text that is compared, and shown to nobody by accident.
pub(crate) struct Secret(String);

impl Secret {
    /// 32 bytes of the system's random numbers, in hex.
    ///
    /// # Errors
    /// The system has none.
    pub(crate) fn random() -> Result<Self, Failure> {
        let mut bytes = [0; 32];
        ring::default_provider().secure_random.fill(&mut bytes).map_err(|_| {
            Failure::words(Kind::Runtime, "the system gives no random numbers for a token")
        })?;
        Ok(Self(words::hex(&bytes)))
    }

    #[cfg(test)]
    pub(crate) fn from_text(text: &str) -> Self {
        Self(text.into())
    }

    /// Whether it is this one, in a time that does not tell where they differ.
    pub(crate) fn is(&self, given: &[u8]) -> bool {
        self.0.as_bytes().ct_eq(given).into()
    }

    /// The text itself, for whoever is to know it.
    pub(crate) fn tell(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(..)")
    }
}

/// The one of the environment; `None` if none is set. One that is set and is nothing, as it is where a secret was not
/// found, is an error: whoever has set it does not want everybody to be let in.
///
/// # Errors
/// Its file cannot be read, or it is too short, or nothing that a header can hold, or both variables are set.
pub(crate) fn from_env() -> Result<Option<Secret>, Failure> {
    read(&|name| std::env::var_os(name))
}

fn read(env: &dyn Fn(&str) -> Option<OsString>) -> Result<Option<Secret>, Failure> {
    let variable = format!("{VARIABLE}_FILE");
    let path = match (env(VARIABLE), env(&variable)) {
        (None, None) => return Ok(None),
        // What is not UTF-8 is not visible ASCII, either.
        (Some(text), None) => {
            return checked(VARIABLE, text.into_string().unwrap_or_default()).map(Some);
        }
        (None, Some(path)) => path,
        (Some(_), Some(_)) => {
            let text = format_args!("{VARIABLE} and {variable} are both set: unset one of them");
            return Err(Failure::words(Kind::Usage, text));
        }
    };
    let text = std::fs::read_to_string(path).map_err(|error| {
        let text = format_args!("the file that {variable} names cannot be read: {error}");
        Failure::words(Kind::Usage, text)
    })?;
    checked(&variable, text.trim_end_matches(['\r', '\n']).to_owned()).map(Some)
}

/// Says what is wrong with it, and not what it is.
fn checked(variable: &str, text: String) -> Result<Secret, Failure> {
    let is_visible = text.bytes().all(|byte| byte.is_ascii_graphic());
    if !is_visible || !(SHORTEST..=LONGEST).contains(&text.len()) {
        let text = format_args!(
            "{variable}: {SHORTEST} to {LONGEST} visible ASCII characters without blanks, such as those of \
             `openssl rand -hex 32`"
        );
        return Err(Failure::words(Kind::Usage, text));
    }
    Ok(Secret(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn from(pairs: &[(&str, &str)]) -> Result<Option<Secret>, Failure> {
        read(&|name| pairs.iter().find(|pair| pair.0 == name).map(|pair| pair.1.into()))
    }

    #[test]
    fn a_token_is_of_the_environment_or_of_a_file_and_not_short() {
        assert!(from(&[]).unwrap().is_none());
        let token = from(&[("KCF_TOKEN", "0123456789abcdef")]).unwrap().unwrap();
        assert!(token.is(b"0123456789abcdef"));
        for other in ["", "0123456789abcdeF", "0123456789abcde", "0123456789abcdef0"] {
            assert!(!token.is(other.as_bytes()), "{other}");
        }
        for bad in
            ["0123456789abcde", "0123456789 abcdef", "0123456789abcdef\n", "0123456789abcdeé"]
        {
            let error = format!("{:?}", from(&[("KCF_TOKEN", bad)]).unwrap_err());
            assert!(error.contains("KCF_TOKEN") && !error.contains("0123"), "{error}");
        }
        let path = std::env::temp_dir().join(format!("kcf-token-{}", std::process::id()));
        std::fs::write(&path, "fedcba9876543210\r\n").unwrap();
        let file = from(&[("KCF_TOKEN_FILE", path.to_str().unwrap())]);
        std::fs::remove_file(&path).unwrap();
        assert!(file.unwrap().unwrap().is(b"fedcba9876543210"));
        assert!(from(&[("KCF_TOKEN_FILE", path.to_str().unwrap())]).is_err());
    }

    /// A secret that was not found must not open the door.
    #[test]
    fn a_token_that_is_set_and_cannot_be_used_is_an_error() {
        let good = ("KCF_TOKEN", "0123456789abcdef");
        for bad in [
            &[("KCF_TOKEN", "")][..],
            &[("KCF_TOKEN_FILE", "")],
            &[("KCF_TOKEN_FILE", "/dev/null")],
            &[good, ("KCF_TOKEN_FILE", "/dev/null")],
        ] {
            let error = format!("{:?}", from(bad).unwrap_err());
            assert!(error.contains("KCF_TOKEN") && !error.contains("0123"), "{error}");
        }
    }

    #[cfg(unix)]
    #[test]
    fn a_token_that_is_no_text_is_an_error() {
        use std::os::unix::ffi::OsStringExt as _;
        let token = || OsString::from_vec(b"0123456789abcdef\xff".to_vec());
        assert!(read(&|name| (name == "KCF_TOKEN").then(token)).is_err());
    }

    #[test]
    fn random_ones_differ_and_none_is_shown() {
        let [one, other] = [Secret::random().unwrap(), Secret::random().unwrap()];
        assert_eq!(one.tell().len(), 64);
        assert!(!one.is(other.tell().as_bytes()));
        assert_eq!(format!("{one:?}"), "Secret(..)");
    }
}
