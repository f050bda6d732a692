//! Which contracts are meant: as they are named, or by a list of all, which is asked for only if need be.

use std::io::IsTerminal as _;
use std::time::Duration;

use indicatif::ProgressBar;
use kucoin_futures_host::{Next, Update};
use kucoin_futures_proto::wire::Contracts;
use kucoin_futures_proto::{
    Event, Message, Push, Query, RequestId, Resolution, Suggestion, Symbol, resolve_symbol,
};
use serde_json::{Value, json};

use crate::args::SymbolArgs;
use crate::exit::{Failure, Kind};
use crate::feed::Feed;
use crate::follow::Ctx;
use crate::stop::Stop;
use crate::words::State;

/// The symbols, if they can be told without asking anybody.
pub(crate) fn as_written(args: &SymbolArgs) -> Option<Vec<Symbol>> {
    if args.all {
        return None;
    }
    args.symbols.iter().map(|typed| looks_like_symbol(typed)).collect()
}

/// A contract's name has upper case and digits, and an M at its end, or a month and a year behind that: `XBTUSDTM`,
/// `XBTMZ26`.
fn looks_like_symbol(typed: &str) -> Option<Symbol> {
    let is_upper = typed.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit());
    let perpetual = ["USDTM", "USDCM", "USDM"].iter().any(|end| typed.ends_with(end));
    let month = typed.len().checked_sub(4).and_then(|at| typed.get(at..));
    let dated = month.is_some_and(|end| match *end.as_bytes() {
        [b'M', month, year, digit] => {
            month.is_ascii_uppercase() && year.is_ascii_digit() && digit.is_ascii_digit()
        }
        _ => false,
    });
    (is_upper && (perpetual || dated)).then(|| Symbol::new(typed).ok()).flatten()
}

/// What was found, and beside it what was written otherwise.
type Found = (Vec<Symbol>, Vec<(String, Symbol)>);

/// The symbols, by a list of all contracts.
pub(crate) fn ask(feed: &mut Feed, stop: &Stop, args: &SymbolArgs) -> Result<Found, Failure> {
    load(feed, stop, |list| if args.all { all(args, list) } else { resolve(args, list) })?
}

fn all(args: &SymbolArgs, list: &Contracts<'_>) -> Result<Found, Failure> {
    let mut symbols: Vec<Symbol> = list.iter().flatten().map(|row| row.symbol).collect();
    symbols.sort_unstable();
    let symbols = match args.part {
        Some(part) => part.take(symbols),
        None => symbols,
    };
    if symbols.is_empty() {
        return Err(Failure::words(Kind::Usage, "there is no contract in this part of the list"));
    }
    Ok((symbols, Vec::new()))
}

fn resolve(args: &SymbolArgs, list: &Contracts<'_>) -> Result<Found, Failure> {
    let (mut symbols, mut others, mut doubts) = (Vec::new(), Vec::new(), Vec::new());
    for typed in &args.symbols {
        match (looks_like_symbol(typed), resolve_symbol(typed, list.iter().flatten())) {
            // The exchange will say.
            (Some(symbol), _) => symbols.push(symbol),
            (None, Resolution::Exact(symbol)) => {
                symbols.push(symbol);
                if symbol.as_str() != typed {
                    others.push((typed.clone(), symbol));
                }
            }
            (None, Resolution::DidYouMean(suggestions)) => {
                doubts.push(format!("`{}`: {}", typed.escape_debug(), question(&suggestions)));
            }
        }
    }
    if doubts.is_empty() {
        return Ok((symbols, others));
    }
    Err(Failure::words(Kind::Usage, doubts.join("\n")))
}

/// `did you mean A, B or C?`
fn question(suggestions: &[Suggestion]) -> String {
    let names: Vec<String> = suggestions.iter().map(Suggestion::to_string).collect();
    match names.as_slice() {
        [] => "no contract has a name like this; `kcf contracts` lists them".into(),
        [one] => format!("did you mean {one}?"),
        [others @ .., last] => format!("did you mean {} or {last}?", others.join(", ")),
    }
}

/// A list that takes longer is waited for with something that moves.
const SHORT: Duration = Duration::from_millis(300);

/// All contracts. Waits as long as the client has patience.
pub(crate) fn load<R>(
    feed: &mut Feed,
    stop: &Stop,
    take: impl FnOnce(&Contracts<'_>) -> R,
) -> Result<R, Failure> {
    let runtime = |error| Failure::new(Kind::Runtime, error);
    let wanted = feed.fetch(Query::Contracts).map_err(runtime)?;
    let mut spinner = None;
    loop {
        if stop.is_asked() {
            return Err(Failure::words(Kind::Runtime, "stopped before the list had come"));
        }
        let event = match feed.next_within(SHORT) {
            Next::Ended => return Err(Failure::words(Kind::Runtime, "closed")),
            Next::Quiet => {
                spinner.get_or_insert_with(waiting);
                continue;
            }
            Next::Update(Update::Push(push)) if push.request() == Some(wanted) => {
                return match push.decode() {
                    Ok(Message::Contracts(list)) => Ok(take(&list)),
                    Ok(_) => {
                        Err(Failure::words(Kind::Integrity, "another answer than was asked for"))
                    }
                    Err(error) => Err(Failure::new(Kind::Integrity, error)),
                };
            }
            Next::Update(Update::State(event)) => event,
            Next::Update(_) => continue,
        };
        if let Event::QueryFailed { request, .. } = event
            && request == wanted
        {
            let state = State::of(&event, feed.words_of(&event), |line| feed.line_role(line));
            let text = state.as_ref().map(State::text).unwrap_or_default();
            let advice = state.as_ref().and_then(State::advice);
            let advice = advice.map(|advice| format!("\n{advice}")).unwrap_or_default();
            let text = format!("the list of contracts cannot be had: {text}{advice}");
            return Err(Failure::words(Kind::Network, text));
        }
    }
}

/// Cleared when it is dropped.
struct Waiting(ProgressBar);

fn waiting() -> Waiting {
    if !std::io::stderr().is_terminal() {
        return Waiting(ProgressBar::hidden());
    }
    let bar = ProgressBar::new_spinner().with_message("asking for the list of contracts");
    bar.enable_steady_tick(Duration::from_millis(100));
    Waiting(bar)
}

impl Drop for Waiting {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}

/// Symbols that were refused, until it is known what may have been meant.
#[derive(Default)]
pub(crate) struct Listing {
    refused: Vec<Symbol>,
    request: Option<RequestId>,
}

impl Listing {
    pub(crate) const fn is_pending(&self) -> bool {
        self.request.is_some()
    }

    pub(crate) fn is_answered_by(&self, push: &Push<'_>) -> bool {
        self.request.is_some() && push.request() == self.request
    }

    pub(crate) fn want(&mut self, feed: &mut Feed, symbol: Symbol) {
        if !self.refused.contains(&symbol) {
            self.refused.push(symbol);
        }
        if self.request.is_none() {
            self.request = feed.fetch(Query::Contracts).ok();
        }
    }

    pub(crate) fn give_up(&mut self, request: RequestId) {
        self.request.take_if(|pending| *pending == request);
    }

    pub(crate) fn suggest(&mut self, cx: &mut Ctx, list: &Contracts<'_>) -> Result<(), Failure> {
        self.request = None;
        for symbol in std::mem::take(&mut self.refused) {
            let suggestion =
                |symbol: &Symbol, words: String| json!({"symbol": symbol.as_str(), "words": words});
            let (suggestions, text): (Vec<Value>, _) =
                match resolve_symbol(symbol.as_str(), list.iter().flatten()) {
                    Resolution::Exact(meant) if meant == symbol => {
                        (Vec::new(), "is listed; the exchange does not offer this of it".into())
                    }
                    Resolution::Exact(meant) => {
                        let one = suggestion(&meant, meant.to_string());
                        (vec![one], format!("did you mean {meant}?"))
                    }
                    Resolution::DidYouMean(all) => {
                        let each = all.iter().map(|one| suggestion(&one.symbol, one.to_string()));
                        (each.collect(), question(&all))
                    }
                };
            cx.hint(symbol, &suggestions, &text)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::looks_like_symbol;

    #[test]
    fn a_contracts_name_is_told_from_what_people_type() {
        for name in ["XBTUSDTM", "XBTUSDM", "XBTUSDCM", "10PEPEUSDTM", "XBTMZ26", "NOPEUSDTM"] {
            assert!(looks_like_symbol(name).is_some(), "{name}");
        }
        for typed in [
            "btc", "BTC", "BTCUSDT", "BTC-USDT", "btc/usdt", "XBTUSD", "xbtusdtm", "", "XBTM26",
            "ÄÖ26",
        ] {
            assert!(looks_like_symbol(typed).is_none(), "{typed}");
        }
    }
}
