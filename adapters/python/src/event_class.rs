//! The macro that makes an event class: frozen, equal by value, hashed, matched, pickled and shown.

/// A frozen class with these fields, in this order; `in` another module than the package itself. `more` are methods of
/// its own.
macro_rules! event_class {
    ($(#[doc = $doc:literal])* $name:ident { $($fields:tt)* } $($more:tt)*) => {
        event_class! { $(#[doc = $doc])* $name in "kucoin_futures" { $($fields)* } $($more)* }
    };
    (
        $(#[doc = $doc:literal])*
        $name:ident in $module:tt { $($field:ident: $type:ty),+ $(,)? }
        $(more { $($more:tt)* })?
    ) => {
        $(#[doc = $doc])*
        #[pyclass(module = $module, frozen, eq, hash)]
        #[derive(Clone, PartialEq, Eq, Hash, Debug)]
        pub(crate) struct $name {
            $(pub(crate) $field: $type),+
        }

        #[pymethods]
        impl $name {
            #[new]
            #[allow(clippy::too_many_arguments, reason = "as many as there are fields")]
            fn new($($field: &Bound<'_, PyAny>),+) -> PyResult<Self> {
                Ok(Self { $($field: <$type as FromPy>::from_py($field)?),+ })
            }

            $(
                #[getter]
                fn $field<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
                    self.$field.to_py(py)
                }
            )+

            #[classattr]
            #[pyo3(name = "__match_args__")]
            fn match_args(py: Python<'_>) -> PyResult<Py<PyTuple>> {
                Ok(PyTuple::new(py, [$(stringify!($field)),+])?.unbind())
            }

            fn __repr__(&self, py: Python<'_>) -> PyResult<String> {
                let mut text = String::from(concat!(stringify!($name), "("));
                $(
                    if !text.ends_with('(') {
                        text.push_str(", ");
                    }
                    text.push_str(concat!(stringify!($field), "="));
                    text.push_str(&self.$field.to_py(py)?.repr()?.to_string_lossy());
                )+
                text.push(')');
                Ok(text)
            }

            fn __reduce__<'py>(
                slf: &Bound<'py, Self>,
            ) -> PyResult<(Bound<'py, PyType>, Bound<'py, PyTuple>)> {
                let py = slf.py();
                let this = slf.get();
                let fields = PyTuple::new(py, [$(this.$field.to_py(py)?),+])?;
                Ok((slf.get_type(), fields))
            }

            $($($more)*)?
        }
    };
}

pub(crate) use event_class;
