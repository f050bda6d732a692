//! What an account has, and what a feed has counted: the fields of `account.py`.

use kucoin_futures_proto::{AccountFill, Balance, OpenOrder, Position, Stats, StopOrder};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyDict, PyType};

use super::{Record, name, record};
use crate::to_py::ToPy as _;

record! {
    Balance: "account", "Balance",
    [
        currency, equity, wallet_balance, available, hold, version, ts_event as ts_ns,
    ]
}

record! {
    Position: "account", "Position",
    [
        symbol, side, qty, avg_entry_price, mark_price, mark_value, cost, margin, unrealised_pnl,
        realised_pnl, liquidation_price, leverage, margin_mode, ts_event as ts_ns,
    ]
}

record! {
    OpenOrder: "account", "OpenOrder",
    [
        id, client_oid, symbol, side, order_type, price, size, filled, remaining, status,
        ts_event as ts_ns,
    ]
}

record! {
    StopOrder: "account", "StopOrder",
    [
        id, client_oid, symbol, side, price, size, stop, stop_price, stop_price_type, margin_mode,
        position_side, ts_event as ts_ns,
    ]
}

record! {
    AccountFill: "account", "AccountFill",
    [
        trade_id, order_id, symbol, side, price, size, liquidity, ts_event as ts_ns,
    ]
}

record! {
    Stats: "account", "Stats",
    [
        messages, deltas, buffered, repeats, covered, poisoned, pushes, control, unsolicited,
        errors, unwanted, unknown, malformed, stale, binary, stale_inputs, clock_backwards, gaps,
        resyncs, reconnects, change_overs, tokens, unauthorized, snapshots, snapshots_too_old,
        audits, failed_fetches, pings, pongs, odd_times, lagged,
    ]
}
