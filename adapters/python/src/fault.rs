//! What can go wrong, as an exception of Python's: each says what to do next.

use kucoin_futures_data::RecordingError;
use kucoin_futures_host::FeedError;
use kucoin_futures_proto::{Misuse, Refusal, RestError, Symbol, WireError};
use pyo3::prelude::*;
use pyo3::types::PyDict;

/// Something that went wrong, found without the interpreter.
#[derive(Debug)]
pub(crate) enum Fault {
    /// The caller's mistake.
    Misuse(String),
    /// The feed was closed.
    Closed,
    /// What was to be read is not the exchange's now.
    NotLive(String),
    /// It lies where the book cannot see.
    BeyondHorizon(&'static str),
    /// No answer in time.
    Timeout,
    /// No answer, for this reason.
    Network(String),
    /// The exchange refused it.
    Exchange { status: Option<u16>, code: Option<u32>, words: Option<String> },
    /// The exchange's bytes do not say what they should.
    Wire(String),
    /// Changes are missing.
    Loss(String),
    /// A name that is no contract's, and what may have been meant.
    UnknownSymbol { typed: String, meant: Vec<(Symbol, String)> },
    /// A recording that cannot be read.
    Recording(String),
}

const CLOSED: &str = "it was closed, and everything that it told was read: make a new one";
const TIMEOUT: &str = "no answer in time: ask again, less often, or with a longer timeout (requests wait while their budget is used up)";

impl Fault {
    /// Why a query was not answered.
    pub(crate) fn of_query(
        reason: &RestError,
        refusal: Option<Refusal>,
        words: Option<Box<str>>,
    ) -> Self {
        match (reason, refusal) {
            (RestError::Closed, _) => Self::Closed,
            (RestError::Wire(error), _) => (*error).into(),
            (RestError::Lost(_), _) | (_, None) => Self::Network(reason.to_string()),
            (_, Some(refusal)) => Self::Exchange {
                status: refusal.status,
                code: refusal.code,
                words: words.map(String::from),
            },
        }
    }

    fn class(&self) -> &'static str {
        match self {
            Self::Misuse(_) => "MisuseError",
            Self::Closed => "Closed",
            Self::NotLive(_) => "NotLive",
            Self::BeyondHorizon(_) => "BeyondHorizon",
            Self::Timeout => "QueryTimeout",
            Self::Network(_) => "NetworkError",
            Self::Exchange { .. } => "ExchangeError",
            Self::Wire(_) => "WireError",
            Self::Loss(_) => "LossError",
            Self::UnknownSymbol { .. } => "UnknownSymbol",
            Self::Recording(_) => "RecordingError",
        }
    }

    fn text(&self) -> String {
        match self {
            Self::Misuse(text) | Self::NotLive(text) | Self::Loss(text) | Self::Recording(text) => {
                text.clone()
            }
            Self::Closed => CLOSED.into(),
            Self::BeyondHorizon(what) => format!(
                "the {what} lies beyond what the book knows: wait for BookVerified or BookLive, the client asks for more"
            ),
            Self::Timeout => TIMEOUT.into(),
            Self::Network(reason) => {
                format!("{reason}: check the address and the network, then ask again")
            }
            Self::Exchange { status, code, words } => refused(*status, *code, words.as_deref()),
            Self::Wire(error) => {
                format!(
                    "{error}: is the address the exchange's futures REST interface? If so, report it"
                )
            }
            Self::UnknownSymbol { typed, meant } => {
                let meant: Vec<&str> = meant.iter().map(|(_, words)| words.as_str()).collect();
                match meant.as_slice() {
                    [] => format!(
                        "no contract has a name like {typed:?}: feed.query.contracts() lists them"
                    ),
                    [one] => format!("{typed:?} is no contract: did you mean {one}?"),
                    [others @ .., last] => {
                        format!(
                            "{typed:?} is no contract: did you mean {} or {last}?",
                            others.join(", ")
                        )
                    }
                }
            }
        }
    }

    /// The exception.
    pub(crate) fn raise(self, py: Python<'_>) -> PyErr {
        self.exception(py).map_or_else(|error| error, PyErr::from_value)
    }

    fn exception<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let class = py.import("kucoin_futures.errors")?.getattr(self.class())?;
        let more = PyDict::new(py);
        match self {
            Self::Exchange { status, code, words } => {
                more.set_item("status", status)?;
                more.set_item("code", code)?;
                more.set_item("words", words)?;
            }
            Self::UnknownSymbol { typed, meant } => {
                more.set_item("typed", typed)?;
                let symbols: Vec<&str> = meant.iter().map(|(symbol, _)| symbol.as_str()).collect();
                more.set_item("suggestions", symbols)?;
            }
            _ => {}
        }
        class.call((self.text(),), Some(&more))
    }
}

fn refused(status: Option<u16>, code: Option<u32>, words: Option<&str>) -> String {
    let mut text = String::from("the exchange refused it");
    if let Some(code) = code {
        text.push_str(&format!(" with code {code}"));
    }
    if let Some(status) = status.filter(|status| *status != 200) {
        text.push_str(&format!(" (HTTP {status})"));
    }
    if let Some(words) = words {
        text.push_str(&format!(": {words}"));
    }
    if let Some(advice) = advice(status, code) {
        text.push_str(&format!(" ({advice})"));
    }
    text
}

/// What to do about the refusals that are met most.
const fn advice(status: Option<u16>, code: Option<u32>) -> Option<&'static str> {
    Some(match (code, status) {
        (Some(200_002 | 429_000 | 1015), _) | (_, Some(429)) => {
            "too many requests from this address or account: ask less often"
        }
        (Some(200_003 | 404_000), _) => "check the symbol: feed.query.contracts() lists them",
        (Some(400_001), _) => "this needs credentials: Feed(..., credentials=\"env\")",
        (Some(400_002), _) => "set this machine's clock",
        (Some(400_003..=400_005), _) => "check key, secret and passphrase",
        (Some(400_006), _) => "add this address to the key's list",
        (Some(400_007), _) => "give the key the right to read futures",
        (Some(400_302), _) => "the exchange does not serve this location",
        _ => return None,
    })
}

impl From<Misuse> for Fault {
    fn from(misuse: Misuse) -> Self {
        match misuse {
            Misuse::Closed => Self::Closed,
            Misuse::NotLive => Self::NotLive("the book is not live: wait for BookLive".into()),
            misuse => Self::Misuse(misuse.to_string()),
        }
    }
}

impl From<WireError> for Fault {
    fn from(error: WireError) -> Self {
        Self::Wire(error.to_string())
    }
}

impl From<FeedError> for Fault {
    fn from(error: FeedError) -> Self {
        Self::Misuse(error.to_string())
    }
}

impl From<RecordingError> for Fault {
    fn from(error: RecordingError) -> Self {
        Self::Recording(error.to_string())
    }
}

impl From<Fault> for PyErr {
    fn from(fault: Fault) -> Self {
        Python::attach(|py| fault.raise(py))
    }
}
