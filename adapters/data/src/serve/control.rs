//! `/_replay/`: what the exchange does not have. Looks at a replay, and moves it.

use kucoin_futures_proto::book::Coverage;
use kucoin_futures_proto::{Sequence, UnixNanos};
use kucoin_futures_sim::{Request, Response};
use serde_json::{Value, json};

use super::book::Unknown;
use super::venue::Replay;

/// Answers at once; nothing of it counts against a limit.
pub(super) fn answer(replay: &mut Replay, command: &str, request: &Request<'_>) -> Response {
    let done = match (request.method, command) {
        ("GET", "status") => Ok(()),
        ("GET", "digest") => return digest(replay, request).unwrap_or_else(refuse),
        ("POST", "pause") => {
            replay.set_paused(true);
            Ok(())
        }
        ("POST", "resume") => {
            replay.set_paused(false);
            Ok(())
        }
        ("POST", "speed") => {
            let speed = request.query("x").unwrap_or_default().parse();
            speed.map(|speed| replay.set_speed(speed)).map_err(|error| error.to_string())
        }
        ("POST", "seek") => {
            let ms = request.query("to").and_then(|ms| ms.parse().ok());
            let to = ms.and_then(UnixNanos::from_millis);
            to.map(|to| replay.seek(to)).ok_or_else(|| "`to` is no time in milliseconds".to_owned())
        }
        _ => return Response::not_found(),
    };
    match done {
        Ok(()) => Response::json(200, replay.status().to_json().to_string()),
        Err(problem) => refuse(problem),
    }
}

fn refuse(problem: impl Into<String>) -> Response {
    Response::json(400, json!({"error": problem.into()}).to_string())
}

/// What a book was at a sequence, up to these horizons, inclusive: `symbol`, `sequence`, `bid_horizon`, `ask_horizon`.
/// An absent horizon is none, an absent sequence the present one.
fn digest(replay: &Replay, request: &Request<'_>) -> Result<Response, &'static str> {
    let symbol = request.symbol().ok_or("symbol is missing or malformed")?;
    let book = replay.market.book(symbol).ok_or("the book is not live in the recording")?;
    let sequence = match request.parameter("sequence") {
        Some(text) => Sequence::new(text.parse().map_err(|_| "sequence is not a number")?),
        None => book.sequence(),
    };
    let reach = |name: &str| match request.parameter(name).as_deref() {
        None | Some("null") => Ok(Coverage::All),
        Some(price) => price.parse().map(Coverage::To).map_err(|_| "a horizon is not a price"),
    };
    let reaches = [reach("bid_horizon")?, reach("ask_horizon")?];
    let digest = book.digest(sequence, reaches).map_err(|unknown| match unknown {
        Unknown::Sequence => "sequence is ahead of the replay, or too old",
        Unknown::Horizon => "the recorded book does not reach that far",
    })?;
    let answer = json!({
        "symbol": symbol.as_str(), "sequence": sequence.get(), "sha256": digest,
        "live_at": Value::from(book.sequence().get()),
    });
    Ok(Response::json(200, answer.to_string()))
}
