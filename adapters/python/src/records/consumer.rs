//! What a consumer has counted: the fields of `consumer.py`.

use kucoin_futures_fanout::consumer::Stats;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyDict, PyType};

use super::{Record, name, record};
use crate::to_py::ToPy as _;

record! {
    Stats: "consumer", "ConsumerStats",
    [
        messages, unwanted, malformed, repeats, changes, copies, holes, lagged, bad_snapshots,
        conflicts, agreed, crowded_out,
    ]
}
