//! REST about the market, as of the moment that is replayed.

use kucoin_futures_proto::{Symbol, wire::MarkPrice};
use kucoin_futures_sim::{Request, Response, java_number};

use super::book::RecordedBook;
use super::market::Market;

/// Answered only if the recording has an answer.
const SERIES: [&str; 4] = [
    "/api/v1/index/query",
    "/api/v1/interest/query",
    "/api/v1/premium/query",
    "/api/v1/contract/funding-rates",
];

/// What cannot be said at this moment, and may be at another one. HTTP 503 and the code of a server error: clients
/// know that as something that passes; what the exchange says with HTTP 200 counts as the asker's fault with some.
fn unable(text: &str) -> Response {
    Response::refused(503, "500000", text)
}

/// The answer to a GET; `market` is `None` while nothing can be said of it.
pub(super) fn get(market: Option<&Market>, request: &Request<'_>) -> Response {
    let path = request.path();
    let Some(market) = market else {
        return match path {
            "/api/v1/status" => open(),
            _ => unable("The replay is on its way to another moment."),
        };
    };
    let answer = match path {
        "/api/v1/level2/snapshot" => book(market, request, |book, symbol| book.full(symbol)),
        "/api/v1/level2/depth20" => book(market, request, |book, name| book.snapshot(name, 20)),
        "/api/v1/level2/depth100" => book(market, request, |book, name| book.snapshot(name, 100)),
        "/api/v1/level2/depth50" => {
            Response::json(404, r#"{"code":"404","msg":"not exist"}"#.into())
        }
        "/api/v1/ticker" => ticker(market, request),
        "/api/v1/allTickers" => tickers(market),
        "/api/v1/trade/history" => trades(market, request),
        "/api/v1/kline/query" => {
            market.replies.candles(request).unwrap_or_else(|| unknown(market, request))
        }
        path => by_path(market, path, request),
    };
    // What was recorded of it is the second best.
    let recorded = || market.replies.body(request.target);
    if answer.status == 503 { recorded().unwrap_or(answer) } else { answer }
}

fn open() -> Response {
    Response::data(r#"{"msg":"","status":"open"}"#)
}

fn by_path(market: &Market, path: &str, request: &Request<'_>) -> Response {
    let between = |head: &str, tail: &str| {
        path.strip_prefix(head)?.strip_suffix(tail).filter(|key| !key.contains('/'))
    };
    if let Some(symbol) = between("/api/v1/mark-price/", "/current") {
        return mark_price(market, symbol);
    }
    if let Some(answer) = market.replies.body(request.target) {
        return answer;
    }
    if path == "/api/v1/status" {
        open()
    } else if path == "/api/v1/contracts/active" {
        unable("The list of contracts is not in the recording.")
    } else if let Some(symbol) = between("/api/v1/contracts/", "") {
        contract(market, symbol)
    } else if let Some(symbol) = between("/api/v1/funding-rate/", "/current") {
        match market.replies.is_listed(symbol) {
            Some(false) => not_supported("funding rate"),
            _ => unable("This is not in the recording."),
        }
    } else if SERIES.contains(&path) {
        unable("This is not in the recording.")
    } else {
        Response::not_found()
    }
}

/// Of a contract that is not known: whether it is none, or only not recorded.
fn unknown(market: &Market, request: &Request<'_>) -> Response {
    let Some(symbol) = request.symbol() else { return Response::invalid_symbol() };
    match market.replies.is_listed(symbol.as_str()) {
        Some(false) => Response::invalid_symbol(),
        _ => unable("This is not in the recording."),
    }
}

fn book(
    market: &Market,
    request: &Request<'_>,
    read: impl FnOnce(&RecordedBook, Symbol) -> Option<String>,
) -> Response {
    let known = request.symbol().and_then(|symbol| Some((symbol, market.books.get(&symbol)?)));
    let Some((symbol, stream)) = known else { return unknown(market, request) };
    let live = stream.book.as_ref().and_then(|book| read(book, symbol));
    live.map_or_else(
        || unable("The book is not live in the recording."),
        |data| Response::data(&data),
    )
}

/// The data of a ticker, if its book is live and a trade is known.
fn ticker_data(market: &Market, symbol: Symbol) -> Option<String> {
    let book = market.book(symbol)?;
    market.trades.get(&symbol)?.ticker(symbol, book.sequence(), book.touch()?)
}

fn ticker(market: &Market, request: &Request<'_>) -> Response {
    let data = request.symbol().and_then(|symbol| ticker_data(market, symbol));
    data.map_or_else(|| unknown(market, request), |data| Response::data(&data))
}

/// Of all books that are live.
fn tickers(market: &Market) -> Response {
    let rows: Vec<String> =
        market.books.keys().filter_map(|symbol| ticker_data(market, *symbol)).collect();
    if rows.is_empty() {
        return unable("No trade is known.");
    }
    Response::data(&format!("[{}]", rows.join(",")))
}

fn trades(market: &Market, request: &Request<'_>) -> Response {
    let rows = request.symbol().and_then(|symbol| market.trades.get(&symbol)?.history());
    rows.map_or_else(|| unknown(market, request), |rows| Response::data(&rows))
}

fn contract(market: &Market, symbol: &str) -> Response {
    match (market.replies.contract(symbol), market.replies.is_listed(symbol)) {
        (Some(row), _) => row,
        (None, None) => unable("The list of contracts is not in the recording."),
        (None, Some(_)) => {
            let text = "The contract information you requested does not exist.";
            Response::refused(200, "404000", text)
        }
    }
}

fn not_supported(what: &str) -> Response {
    Response::refused(200, "415000", &format!("{what} is not supported"))
}

fn mark_price(market: &Market, symbol: &str) -> Response {
    let known = symbol.parse().ok().and_then(|symbol: Symbol| market.marks.get(&symbol));
    let Some(MarkPrice { mark_price, index_price, ts_event, .. }) = known else {
        return match market.replies.is_listed(symbol) {
            Some(false) => not_supported("mark price"),
            _ => unable("This is not in the recording."),
        };
    };
    let at = ts_event.map_or(0, |at| at.as_millis());
    Response::data(&format!(
        r#"{{"symbol":"{symbol}","granularity":1000,"timePoint":{at},"value":{},"indexPrice":{}}}"#,
        java_number(*mark_price),
        java_number(*index_price)
    ))
}
