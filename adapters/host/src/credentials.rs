//! API keys from the environment.

use kucoin_futures_proto::auth::{Credentials, KeyVersion};

/// Why there are no usable credentials. Names variables, never values.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CredentialsError {
    /// Some variables are set and others are not.
    #[error("{0} is not set (nor {0}_FILE), but other KUCOIN_API_ variables are")]
    Incomplete(&'static str),
    /// A `_FILE` variable names a file that cannot be read.
    #[error("the file that {variable} names cannot be read: {source}")]
    File {
        /// The variable.
        variable: String,
        /// Why not.
        source: std::io::Error,
    },
    /// The version is neither 2 nor 3.
    #[error("KUCOIN_API_KEY_VERSION must be 2 or 3 (it is shown where the key was made)")]
    Version,
}

/// Reads `KUCOIN_API_KEY`, `KUCOIN_API_SECRET` and `KUCOIN_API_PASSPHRASE`, each directly or out of
/// the file that the same name with `_FILE` names, and `KUCOIN_API_KEY_VERSION` (3 if not set).
///
/// `None` if none of them is set.
///
/// # Errors
/// Some are set and others are not, or cannot be read.
pub fn credentials_from_env() -> Result<Option<Credentials>, CredentialsError> {
    read(&|name| std::env::var(name).ok())
}

const NAMES: [&str; 3] = ["KUCOIN_API_KEY", "KUCOIN_API_SECRET", "KUCOIN_API_PASSPHRASE"];

fn read(env: &dyn Fn(&str) -> Option<String>) -> Result<Option<Credentials>, CredentialsError> {
    let [key, secret, passphrase] = NAMES.map(|name| value(env, name));
    let (key, secret, passphrase) = match (key?, secret?, passphrase?) {
        (Some(key), Some(secret), Some(passphrase)) => (key, secret, passphrase),
        (None, None, None) => return Ok(None),
        (None, _, _) => return Err(CredentialsError::Incomplete("KUCOIN_API_KEY")),
        (_, None, _) => return Err(CredentialsError::Incomplete("KUCOIN_API_SECRET")),
        (_, _, None) => return Err(CredentialsError::Incomplete("KUCOIN_API_PASSPHRASE")),
    };
    let version = match env("KUCOIN_API_KEY_VERSION").as_deref() {
        None | Some("3") => KeyVersion::V3,
        Some("2") => KeyVersion::V2,
        Some(_) => return Err(CredentialsError::Version),
    };
    Ok(Some(Credentials::new(key, secret, passphrase, version)))
}

fn value(
    env: &dyn Fn(&str) -> Option<String>,
    name: &str,
) -> Result<Option<String>, CredentialsError> {
    if let Some(value) = env(name).filter(|value| !value.is_empty()) {
        return Ok(Some(value));
    }
    let variable = format!("{name}_FILE");
    let Some(path) = env(&variable) else { return Ok(None) };
    match std::fs::read_to_string(path) {
        Ok(text) => Ok(Some(text.trim_end_matches(['\r', '\n']).to_owned())),
        Err(source) => Err(CredentialsError::File { variable, source }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn from(pairs: &[(&str, &str)]) -> Result<Option<Credentials>, CredentialsError> {
        read(&|name| pairs.iter().find(|pair| pair.0 == name).map(|pair| pair.1.to_owned()))
    }

    const ALL: [(&str, &str); 3] = [(NAMES[0], "k"), (NAMES[1], "s"), (NAMES[2], "p")];

    #[test]
    fn all_or_nothing() {
        assert!(from(&[]).unwrap().is_none());
        let signed = from(&ALL).unwrap().unwrap().sign(1, "GET", "/", "");
        assert!(signed.iter().any(|header| header == ("KC-API-KEY-VERSION", "3")));
        for missing in 0..3 {
            let mut some = ALL.to_vec();
            let name = some.remove(missing).0;
            assert!(from(&some).unwrap_err().to_string().starts_with(name));
        }
    }

    #[test]
    fn files_are_read_and_their_line_end_is_cut() {
        let path = std::env::temp_dir().join(format!("kcf-secret-{}", std::process::id()));
        std::fs::write(&path, "s\r\n").unwrap();
        let file = path.to_str().unwrap();
        let env = [ALL[0], ("KUCOIN_API_SECRET_FILE", file), ALL[2]];
        let from_file = from(&env).unwrap().unwrap().sign(1, "GET", "/", "");
        std::fs::remove_file(&path).unwrap();
        assert_eq!(from_file, from(&ALL).unwrap().unwrap().sign(1, "GET", "/", ""));
        assert!(matches!(from(&env), Err(CredentialsError::File { .. })));
    }

    #[test]
    fn the_version_is_2_or_3() {
        let with = |version| from(&[&ALL[..], &[("KUCOIN_API_KEY_VERSION", version)]].concat());
        assert!(with("2").is_ok() && with("3").is_ok());
        assert!(matches!(with("1"), Err(CredentialsError::Version)));
    }
}
