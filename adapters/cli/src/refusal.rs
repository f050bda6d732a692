//! What the exchange said when it refused something, and what can be done about it: one table for all commands.

use std::ops::RangeInclusive;

use kucoin_futures_proto::{Event, LineEvent, LoginError};
use serde_json::{Map, Value};

/// A refusal, for people and for machines.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Refusal {
    pub(crate) status: Option<u16>,
    pub(crate) code: Option<u32>,
    /// The exchange's own words.
    pub(crate) message: Option<String>,
    pub(crate) advice: Option<&'static str>,
}

impl Refusal {
    /// `message`: the words that the event names. `None` if nothing was refused.
    pub(crate) fn of(event: &Event, message: Option<&str>) -> Option<Self> {
        if let Event::Line(_, LineEvent::LoginRefused { error, .. }) = event {
            let message = message.map(str::to_owned);
            return Some(Self { message, ..Self::of_login(*error) });
        }
        let refusal = event.refusal()?;
        let (status, code) = (refusal.status, refusal.code);
        let advice = advice(status, code, message);
        Some(Self { status, code, message: message.map(str::to_owned), advice })
    }

    /// As far as it is known without the exchange's words.
    pub(crate) fn of_login(error: LoginError) -> Self {
        let code = (error != LoginError::NoCredentials).then(|| error.code());
        let advice = code.map_or(Some(NO_CREDENTIALS), |code| find(BY_CODE, code));
        Self { status: None, code, message: None, advice }
    }

    /// What is known of it.
    pub(crate) fn add_to(&self, object: &mut Map<String, Value>) {
        let mut add = |name: &str, value: Option<Value>| {
            object.extend(value.map(|value| (name.to_owned(), value)));
        };
        add("status", self.status.map(Value::from));
        add("code", self.code.map(Value::from));
        add("message", self.message.as_deref().map(Value::from));
        add("advice", self.advice.map(Value::from));
    }

    /// Whether it is about who asks, not about what.
    pub(crate) fn is_about_credentials(&self) -> bool {
        self.code.is_some_and(|code| matches!(code, 400_001..=400_009 | 411_100))
    }
}

const LOCATION: &str =
    "the exchange does not serve this location: no setting helps; run kcf where it serves you";
const TOO_MANY: &str = "too many requests from this address or account: kcf waits, and other programs here may have to";
const DOWN: &str =
    "the exchange is down or under maintenance: kcf goes on trying, with growing pauses";
const EDGE: &str = "the exchange's edge lets nothing through from this address: too many requests, or a location \
    that is not served; stop other programs here, wait some minutes, or use another network";
const NO_SYMBOL: &str =
    "there is no such contract: symbols are upper case, and Bitcoin is XBT (XBTUSDTM)";
const NO_CREDENTIALS: &str = "set KUCOIN_API_KEY, KUCOIN_API_SECRET and KUCOIN_API_PASSPHRASE, or with _FILE behind each name a file that holds it";
const TOKEN: &str = "the token was not known or too old: kcf asks for a new one by itself";

/// By the exchange's code, of REST or of the stream, or the edge's.
const BY_CODE: &[(RangeInclusive<u32>, &str)] = &[
    (401..=401, TOKEN),
    (
        403..=403,
        "this topic needs a login: `kcf private` has one, with keys out of the environment",
    ),
    (404..=404, "there is no such topic: check the symbol, and that the contract is still traded"),
    (500..=500, DOWN),
    (
        509..=509,
        "too many topics, messages or connections: fewer symbols, or fewer clients of this account or address",
    ),
    (1006..=1008, "the edge has banned this address: use another network, or ask the exchange"),
    (1009..=1009, LOCATION),
    (1015..=1015, TOO_MANY),
    (1020..=1020, EDGE),
    (200_002..=200_002, TOO_MANY),
    (200_003..=200_003, NO_SYMBOL),
    (
        400_001..=400_001,
        "this wants a signed request, and one of its headers is missing: is --url the futures REST address?",
    ),
    (
        400_002..=400_002,
        "the time of a signed request is off by more than 5 s: set this machine's clock (NTP)",
    ),
    (400_003..=400_003, "the API key is not known: check it, and that it was not deleted"),
    (
        400_004..=400_004,
        "the passphrase is not the one that was chosen when the API key was made, or the secret is wrong: it signs that, too",
    ),
    (
        400_005..=400_005,
        "the signature is wrong: check the secret, and that the key's version is right",
    ),
    (
        400_006..=400_006,
        "this address is not on the API key's whitelist: add it there, or run from one that is",
    ),
    (400_007..=400_007, "the API key lacks the permission: give it the right to read futures"),
    (
        400_008..=400_009,
        "the API key is of another version: set KUCOIN_API_KEY_VERSION to 2 or 3, as it is shown where the key was made",
    ),
    (400_302..=400_302, LOCATION),
    (404_000..=404_000, NO_SYMBOL),
    (411_100..=411_100, "the account is frozen: only the exchange's support can help"),
    (429_000..=429_000, TOO_MANY),
    (500_000..=500_000, DOWN),
];

/// By the HTTP status, where the code says nothing.
const BY_STATUS: &[(RangeInclusive<u16>, &str)] = &[
    (401..=401, TOKEN),
    (403..=403, EDGE),
    (
        404..=404,
        "there is nothing at this address: is --url the base of the exchange's futures REST interface?",
    ),
    (429..=429, TOO_MANY),
    (451..=451, LOCATION),
    (500..=599, DOWN),
];

/// What to do about it. A code says more than words, and words more than a status.
fn advice(status: Option<u16>, code: Option<u32>, message: Option<&str>) -> Option<&'static str> {
    let by_code = || find(BY_CODE, code?);
    let by_words = || message.filter(|text| is_about_location(text)).map(|_| LOCATION);
    let by_status = || find(BY_STATUS, status?);
    by_code().or_else(by_words).or_else(by_status)
}

fn find<T: PartialOrd>(
    table: &[(RangeInclusive<T>, &'static str)],
    key: T,
) -> Option<&'static str> {
    table.iter().find(|(keys, _)| keys.contains(&key)).map(|(_, advice)| *advice)
}

/// The sentence has been changed before, and its code may be, too.
fn is_about_location(text: &str) -> bool {
    let text = text.to_lowercase();
    let names_a_place = text.contains("in the u.s.")
        || text
            .split(|c: char| !c.is_alphabetic())
            .any(|word| matches!(word, "country" | "countries" | "region" | "location" | "area"));
    let refuses = ["not available", "unavailable", "restricted", "not supported"];
    names_a_place && refuses.iter().any(|words| text.contains(words))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_common_refusals_have_advice_and_others_none() {
        for code in [
            400_001, 400_002, 400_003, 400_004, 400_005, 400_006, 400_007, 400_008, 400_009,
            400_302, 411_100, 429_000, 200_002, 200_003, 404_000, 401, 403, 404, 509, 1015,
        ] {
            assert!(advice(Some(200), Some(code), None).is_some(), "{code}");
        }
        for status in [401, 403, 404, 429, 451, 500, 502, 503, 504, 522] {
            assert!(advice(Some(status), None, None).is_some(), "{status}");
        }
        assert_eq!(advice(Some(200), Some(400_100), Some("Parameter error")), None);
        assert_eq!(advice(Some(301), None, None), None);
        assert_eq!(advice(None, None, None), None);
    }

    #[test]
    fn a_code_says_more_than_words_and_words_more_than_a_status() {
        let sentence = Some("Our services are currently unavailable in the U.S.");
        assert_eq!(advice(Some(200), Some(400_302), None), Some(LOCATION));
        assert_eq!(advice(Some(403), Some(999_999), sentence), Some(LOCATION));
        assert_eq!(
            advice(Some(403), None, Some("This service is not available in your country")),
            Some(LOCATION)
        );
        assert_eq!(advice(Some(429), Some(429_000), sentence), Some(TOO_MANY));
        assert_eq!(advice(Some(403), None, Some("Forbidden")), Some(EDGE));
        assert_eq!(advice(Some(200), Some(999_999), Some("allocation is restricted")), None);
        assert_eq!(advice(Some(503), None, Some("service unavailable")), Some(DOWN));
    }

    #[test]
    fn ranges_do_not_overlap_and_advice_is_one_line() {
        assert!(BY_CODE.is_sorted_by(|(one, _), (next, _)| one.end() < next.start()));
        assert!(BY_STATUS.is_sorted_by(|(one, _), (next, _)| one.end() < next.start()));
        let all = BY_CODE.iter().map(|row| row.1).chain(BY_STATUS.iter().map(|row| row.1));
        for text in all {
            assert!(
                !text.contains(['\n', '\t']) && !text.contains("  ") && text.len() < 200,
                "{text}"
            );
        }
    }
}
