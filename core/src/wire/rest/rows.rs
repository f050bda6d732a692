//! Lists in a reply, read row by row.

#![allow(clippy::wildcard_enum_match_arm, reason = "a row is an object, a list is an array")]

use core::fmt;
use core::marker::PhantomData;

use super::envelope::api_data;
use super::object::{FromObject, array_or_empty, elements, object, read};
use crate::error::WireError;
use crate::wire::scan::{Scanner, Value};

/// What stands in a list of a reply.
pub trait Row<'a>: Sized + fmt::Debug + sealed::Row {
    /// Reads one row: an object, or for a [`Kline`](super::Kline) an array.
    ///
    /// # Errors
    /// A field that must be there is not, stands twice, or is not what it should be.
    fn read(row: &'a [u8]) -> Result<Self, WireError>;
}

pub(super) mod sealed {
    #[allow(unnameable_types, reason = "nobody else's rows are read")]
    pub trait Row {}
}

/// Makes rows of structures that are objects.
macro_rules! rows {
    ($($name:ident $(<$life:lifetime>)?),* $(,)?) => {
        $(impl $(<$life>)? $crate::wire::rest::rows::sealed::Row for $name $(<$life>)? {}

        impl<'a> $crate::wire::rest::rows::Row<'a> for $name $(<$life>)? {
            fn read(row: &'a [u8]) -> Result<Self, $crate::error::WireError> {
                $crate::wire::rest::object::read(row)
            }
        })*
    };
}
pub(super) use rows;

/// A list as it lies in a reply. Holds no row: each is read when it is asked for.
pub struct Rows<'a, T> {
    /// An array that is JSON throughout, or one object in place of an array of one.
    bytes: &'a [u8],
    row: PhantomData<fn() -> T>,
}

impl<'a, T: Row<'a>> Rows<'a, T> {
    /// Reads a whole response body, envelope included.
    ///
    /// # Errors
    /// Not JSON, an error body ([`WireError::Unexpected`]), or `data` is not an array. What is wrong with a
    /// row is said when that row is asked for.
    pub fn parse(body: &'a [u8]) -> Result<Self, WireError> {
        let Value::Array(bytes) = data(body)? else {
            return Err(WireError::WrongType { field: "data" });
        };
        Ok(Self::of(bytes))
    }

    /// The same, where one row may stand without an array around it.
    pub(crate) fn parse_one_or_many(body: &'a [u8]) -> Result<Self, WireError> {
        let (Value::Array(bytes) | Value::Object(bytes)) = data(body)? else {
            return Err(WireError::WrongType { field: "data" });
        };
        Ok(Self::of(bytes))
    }

    /// The rows, each with the error of its own.
    pub fn iter(&self) -> impl Iterator<Item = Result<T, WireError>> + use<'a, T> {
        let one = self.bytes.starts_with(b"{").then_some(Value::Object(self.bytes));
        one.into_iter().chain(elements(self.bytes)).map(|row| {
            let (Value::Object(bytes) | Value::Array(bytes)) = row else {
                return Err(WireError::WrongType { field: "row" });
            };
            T::read(bytes)
        })
    }
}

impl<'a, T> Rows<'a, T> {
    pub(super) const fn of(bytes: &'a [u8]) -> Self {
        Self { bytes, row: PhantomData }
    }
}

impl<T> Clone for Rows<'_, T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Rows<'_, T> {}

/// The same bytes.
impl<T> PartialEq for Rows<'_, T> {
    fn eq(&self, other: &Self) -> bool {
        self.bytes == other.bytes
    }
}

impl<T> Eq for Rows<'_, T> {}

impl<'a, T: Row<'a>> fmt::Debug for Rows<'a, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}

/// One page of a list that is longer.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Page<'a, T: Row<'a>> {
    /// Which page it is, from 1.
    pub number: Option<u64>,
    /// Rows that a page holds, at most.
    pub size: Option<u64>,
    /// Rows of all pages together.
    pub total_rows: Option<u64>,
    /// Pages that there are: the last page is this one.
    pub total_pages: Option<u64>,
    /// What it holds.
    pub rows: Rows<'a, T>,
}

object! {
    struct PageData<'a> {
        number: Option<u64> = count_if_any("currentPage"),
        size: Option<u64> = count_if_any("pageSize"),
        total_rows: Option<u64> = count_if_any("totalNum"),
        total_pages: Option<u64> = count_if_any("totalPage"),
        items: Value<'a> = any("items"),
    }
}

impl<'a, T: Row<'a>> Page<'a, T> {
    /// Reads a whole response body, envelope included. One without rows may leave them out.
    ///
    /// # Errors
    /// Not JSON, an error body ([`WireError::Unexpected`]), or `data` is not an object.
    pub fn parse(body: &'a [u8]) -> Result<Self, WireError> {
        let PageData { number, size, total_rows, total_pages, items } = parse_object(body)?;
        let rows = Rows::of(array_or_empty(items));
        Ok(Self { number, size, total_rows, total_pages, rows })
    }
}

/// The `data` of a body.
pub(super) fn data(body: &[u8]) -> Result<Value<'_>, WireError> {
    let data = api_data(body)?.map_err(|_| WireError::Unexpected)?;
    let mut scanner = Scanner::new(data.get().as_bytes());
    let value = scanner.value()?;
    scanner.end()?;
    Ok(value)
}

/// A body whose `data` is an object.
pub(super) fn parse_object<'a, T: FromObject<'a>>(body: &'a [u8]) -> Result<T, WireError> {
    let Value::Object(object) = data(body)? else {
        return Err(WireError::WrongType { field: "data" });
    };
    read(object)
}
