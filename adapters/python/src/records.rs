//! What comes seldom, as frozen dataclasses: Python has their fields, and here is what fills them.

mod account;
mod consumer;
pub(crate) mod messages;
mod replies;
mod signed;

use pyo3::prelude::*;

/// Something that is a dataclass in Python.
pub(crate) trait Record {
    fn record<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>>;
}

/// The fields of one; `as` where Python calls one otherwise, `by` where it is shown in another way.
macro_rules! record {
    (
        $type:ty: $module:literal, $class:literal,
        [$($field:ident $(as $name:ident)? $(by $how:path)?),+ $(,)?]
    ) => {
        impl Record for $type {
            fn record<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
                static CLASS: PyOnceLock<Py<PyType>> = PyOnceLock::new();
                let class = CLASS.import(py, concat!("kucoin_futures.", $module), $class)?;
                let fields = PyDict::new(py);
                $(
                    let value = &self.$field;
                    $(let value = &$how(*value);)?
                    fields.set_item(intern!(py, name!($field $($name)?)), value.to_py(py)?)?;
                )+
                class.call((), Some(&fields))
            }
        }
    };
}

/// What a field is called.
macro_rules! name {
    ($field:ident) => {
        stringify!($field)
    };
    ($field:ident $name:ident) => {
        stringify!($name)
    };
}

pub(crate) use {name, record};
