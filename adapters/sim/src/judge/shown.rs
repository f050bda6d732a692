//! What is held against all that a client shows: no token, and words that can be read.

use kucoin_futures_proto::{Client, Event};

use super::Moment;
use super::topics::Verdict;
use crate::exchange::Exchange;

/// Nobody but the server that a connection is opened to gets to see a token.
pub(super) fn check_secrets(exchange: &Exchange, text: &str) -> Verdict {
    let shows = |token: &String| {
        // The part before the dot is the same raw and percent-encoded.
        let body = token.split(['.', '=']).next().unwrap_or_default();
        text.contains(body)
    };
    if exchange.latest_tokens().iter().any(shows) {
        return Err("a token in plain sight".into());
    }
    Ok(())
}

/// What is told in the exchange's words can be read, by anybody.
pub(super) fn check_words(moment: Moment<'_>, client: &Client, event: &Event) -> Verdict {
    let Some(words) = event.refusal().and_then(|refusal| refusal.words) else { return Ok(()) };
    match client.words(words) {
        Some(text) if text.is_empty() || text.len() > 256 || text.contains(char::is_control) => {
            Err(format!("words that cannot be shown: {text:?}"))
        }
        Some(text) => check_secrets(moment.exchange, text),
        // Many more may have come while nobody drained.
        None if moment.late => Ok(()),
        None => Err("words that were forgotten before they were told".into()),
    }
}
