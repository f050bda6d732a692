//! Record batches by the Arrow C data interface, as PyCapsules: pyarrow, polars, DuckDB and others take them without a
//! copy, and none of them is needed here.

use std::ffi::CStr;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use arrow_array::ffi::{FFI_ArrowArray, FFI_ArrowSchema, to_ffi};
use arrow_array::ffi_stream::FFI_ArrowArrayStream;
use arrow_array::{
    Array as _, ArrayRef, Decimal128Array, RecordBatch, RecordBatchIterator, RecordBatchReader,
    StringArray, StructArray, UInt64Array,
};
use arrow_schema::{ArrowError, DataType, Field, Schema, SchemaRef};
use kucoin_futures_proto::wire::Side;
use pyo3::prelude::*;
use pyo3::types::PyCapsule;

use crate::fault::Fault;
use crate::level::Level;

/// Rows in columns. What it is can be asked with `pyarrow.record_batch(batch)` and the like.
#[pyclass(module = "kucoin_futures", frozen)]
#[derive(Clone, Debug)]
pub(crate) struct Batch {
    batch: RecordBatch,
}

/// Batches, one after the other; it can be read once: `pyarrow.RecordBatchReader.from_stream(reader)`.
#[pyclass(module = "kucoin_futures", frozen)]
pub(crate) struct BatchReader {
    schema: SchemaRef,
    reader: Mutex<Option<Box<dyn RecordBatchReader + Send>>>,
}

impl fmt::Debug for BatchReader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BatchReader").field("schema", &self.schema).finish_non_exhaustive()
    }
}

/// A schema by the same interface.
#[pyclass(module = "kucoin_futures", frozen)]
#[derive(Clone, Debug)]
pub(crate) struct ArrowSchema {
    schema: SchemaRef,
}

/// Digits of a price in all, and behind the point: as exact as the exchange's own.
const PRICE: (u8, i8) = (19, 12);

impl From<ArrowError> for Fault {
    fn from(error: ArrowError) -> Self {
        Self::Misuse(format!("no Arrow data: {error}"))
    }
}

impl Batch {
    pub(crate) const fn new(batch: RecordBatch) -> Self {
        Self { batch }
    }

    pub(crate) fn rows(&self) -> usize {
        self.batch.num_rows()
    }

    /// The levels of a book: `side`, `price` (exact), `size` in lots.
    pub(crate) fn of_levels(bids: &[Level], asks: &[Level]) -> Result<Self, Fault> {
        let sides = [(Side::Bid, bids), (Side::Ask, asks)];
        let names = sides.iter().flat_map(|(side, levels)| levels.iter().map(|_| side.to_string()));
        let names: StringArray = names.map(Some).collect();
        let levels = || bids.iter().chain(asks);
        let prices = levels().map(|level| i128::from(level.price.scaled()));
        let prices = Decimal128Array::from_iter_values(prices);
        let prices = prices.with_precision_and_scale(PRICE.0, PRICE.1)?;
        let sizes = UInt64Array::from_iter_values(levels().map(|level| level.size));
        let schema = Schema::new(vec![
            Field::new("side", DataType::Utf8, false),
            Field::new("price", DataType::Decimal128(PRICE.0, PRICE.1), false),
            Field::new("size", DataType::UInt64, false),
        ]);
        let columns: Vec<ArrayRef> = vec![Arc::new(names), Arc::new(prices), Arc::new(sizes)];
        Ok(Self::new(RecordBatch::try_new(Arc::new(schema), columns)?))
    }
}

impl BatchReader {
    pub(crate) fn new(reader: Box<dyn RecordBatchReader + Send>) -> Self {
        Self { schema: reader.schema(), reader: Mutex::new(Some(reader)) }
    }

    fn take(&self) -> Result<Box<dyn RecordBatchReader + Send>, Fault> {
        let taken = self.reader.lock().unwrap_or_else(PoisonError::into_inner).take();
        taken.ok_or_else(|| Fault::Misuse("these batches were read already: make them anew".into()))
    }
}

fn capsule<'py, T: Send + 'static>(
    py: Python<'py>,
    value: T,
    name: &'static CStr,
) -> PyResult<Bound<'py, PyCapsule>> {
    PyCapsule::new_with_value(py, value, name)
}

fn schema_capsule<'py>(py: Python<'py>, schema: &Schema) -> PyResult<Bound<'py, PyCapsule>> {
    let schema = FFI_ArrowSchema::try_from(schema).map_err(Fault::from)?;
    capsule(py, schema, c"arrow_schema")
}

fn stream_capsule(
    py: Python<'_>,
    reader: Box<dyn RecordBatchReader + Send>,
) -> PyResult<Bound<'_, PyCapsule>> {
    capsule(py, FFI_ArrowArrayStream::new(reader), c"arrow_array_stream")
}

/// Schema and data of an array, each in a capsule.
type ArrayCapsules<'py> = (Bound<'py, PyCapsule>, Bound<'py, PyCapsule>);

#[pymethods]
impl Batch {
    #[getter]
    fn schema(&self) -> ArrowSchema {
        ArrowSchema { schema: self.batch.schema() }
    }

    #[getter]
    fn num_columns(&self) -> usize {
        self.batch.num_columns()
    }

    fn __len__(&self) -> usize {
        self.batch.num_rows()
    }

    fn __repr__(&self) -> String {
        format!("<Batch of {} rows: {}>", self.batch.num_rows(), columns(&self.batch.schema()))
    }

    fn __arrow_c_schema__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyCapsule>> {
        schema_capsule(py, &self.batch.schema())
    }

    /// The columns as they are: what is requested is a wish, and a conversion the reader's business.
    #[pyo3(signature = (requested_schema=None))]
    fn __arrow_c_array__<'py>(
        &self,
        py: Python<'py>,
        requested_schema: Option<Bound<'py, PyAny>>,
    ) -> PyResult<ArrayCapsules<'py>> {
        drop(requested_schema);
        let rows = StructArray::from(self.batch.clone());
        let (array, schema): (FFI_ArrowArray, FFI_ArrowSchema) =
            to_ffi(&rows.to_data()).map_err(Fault::from)?;
        Ok((capsule(py, schema, c"arrow_schema")?, capsule(py, array, c"arrow_array")?))
    }

    #[pyo3(signature = (requested_schema=None))]
    fn __arrow_c_stream__<'py>(
        &self,
        py: Python<'py>,
        requested_schema: Option<Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyCapsule>> {
        drop(requested_schema);
        let schema = self.batch.schema();
        let batches = std::iter::once(Ok(self.batch.clone()));
        stream_capsule(py, Box::new(RecordBatchIterator::new(batches, schema)))
    }
}

#[pymethods]
impl BatchReader {
    #[getter]
    fn schema(&self) -> ArrowSchema {
        ArrowSchema { schema: Arc::clone(&self.schema) }
    }

    fn __repr__(&self) -> String {
        format!("<BatchReader: {}>", columns(&self.schema))
    }

    fn __iter__(slf: PyRef<'_, Self>) -> PyRef<'_, Self> {
        slf
    }

    fn __next__(&self, py: Python<'_>) -> PyResult<Option<Batch>> {
        py.detach(|| {
            let mut reader = self.reader.lock().unwrap_or_else(PoisonError::into_inner);
            let next = reader.as_mut().and_then(Iterator::next);
            Ok(next.transpose().map_err(Fault::from)?.map(Batch::new))
        })
    }

    fn __arrow_c_schema__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyCapsule>> {
        schema_capsule(py, &self.schema)
    }

    #[pyo3(signature = (requested_schema=None))]
    fn __arrow_c_stream__<'py>(
        &self,
        py: Python<'py>,
        requested_schema: Option<Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyCapsule>> {
        drop(requested_schema);
        stream_capsule(py, self.take()?)
    }
}

#[pymethods]
impl ArrowSchema {
    #[getter]
    fn names(&self) -> Vec<String> {
        self.schema.fields().iter().map(|field| field.name().clone()).collect()
    }

    fn __repr__(&self) -> String {
        format!("<ArrowSchema: {}>", columns(&self.schema))
    }

    fn __arrow_c_schema__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyCapsule>> {
        schema_capsule(py, &self.schema)
    }
}

fn columns(schema: &Schema) -> String {
    let columns =
        schema.fields().iter().map(|field| format!("{} {}", field.name(), field.data_type()));
    columns.collect::<Vec<_>>().join(", ")
}
