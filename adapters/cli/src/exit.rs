//! How a command fails, and the exit code that says so.

use std::fmt;
use std::io;
use std::process::ExitCode;

/// What went wrong, for people and for scripts.
#[derive(Debug)]
pub(crate) struct Failure {
    kind: Kind,
    error: anyhow::Error,
}

/// The classes that scripts can tell apart.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Kind {
    /// 1: anything else.
    Runtime,
    /// 2: the call was wrong.
    Usage,
    /// 3: the exchange refused the token or the credentials.
    Auth,
    /// 4: the other side could not be reached.
    Network,
    /// 5: data is not what it must be.
    Integrity,
    /// 0: whoever read our output has gone.
    BrokenPipe,
}

impl Kind {
    /// The exit code.
    pub(crate) const fn code(self) -> u8 {
        match self {
            Self::BrokenPipe => 0,
            Self::Runtime => 1,
            Self::Usage => 2,
            Self::Auth => 3,
            Self::Network => 4,
            Self::Integrity => 5,
        }
    }
}

impl Failure {
    pub(crate) fn new(kind: Kind, error: impl Into<anyhow::Error>) -> Self {
        Self { kind, error: error.into() }
    }

    pub(crate) fn words(kind: Kind, text: impl fmt::Display) -> Self {
        Self { kind, error: anyhow::anyhow!("{text}") }
    }

    /// Prints the error and what to do next, and gives the exit code.
    pub(crate) fn report(&self) -> ExitCode {
        if self.kind != Kind::BrokenPipe {
            anstream::eprintln!("{BAD}error:{BAD:#} {}", with_causes(&self.error));
        }
        ExitCode::from(self.kind.code())
    }
}

/// The error and what caused it; some say that by themselves, and then it is said once.
fn with_causes(error: &anyhow::Error) -> String {
    let mut text = error.to_string();
    for cause in error.chain().skip(1).map(ToString::to_string) {
        if !text.ends_with(&cause) {
            text = format!("{text}: {cause}");
        }
    }
    text
}

const BAD: anstyle::Style = anstyle::AnsiColor::Red.on_default().bold();

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        let broken = error.kind() == io::ErrorKind::BrokenPipe;
        Self::new(if broken { Kind::BrokenPipe } else { Kind::Runtime }, error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cause_is_said_once() {
        let cause = || io::Error::other("no such file");
        let bare = anyhow::Error::new(cause()).context("data");
        assert_eq!(with_causes(&bare), "data: no such file");
        let said = anyhow::Error::new(cause()).context("data: no such file");
        assert_eq!(with_causes(&said), "data: no such file");
    }
}
