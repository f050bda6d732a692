//! JSON objects, key by key: the order of the keys and the forms of numbers are the exchange's.

use core::fmt::{Display, Write as _};

use kucoin_futures_proto::Decimal;
use serde_json::Value;

use super::money::Money;

/// An object that is being written.
#[derive(Debug)]
pub(super) struct Json(String);

impl Json {
    pub(super) fn new() -> Self {
        Self("{".into())
    }

    /// Anything that is JSON already: numbers, booleans, `null`.
    pub(super) fn raw(mut self, key: &str, value: impl Display) -> Self {
        if self.0.len() > 1 {
            self.0.push(',');
        }
        let _ = write!(self.0, r#""{key}":{value}"#);
        self
    }

    pub(super) fn text(self, key: &str, value: &str) -> Self {
        self.raw(key, Value::from(value))
    }

    /// A text that needs no escapes: numbers that are strings.
    pub(super) fn quoted(self, key: &str, value: impl Display) -> Self {
        self.raw(key, format_args!("\"{value}\""))
    }

    /// An amount as a number.
    pub(super) fn money(self, key: &str, value: Money) -> Self {
        self.raw(key, big(value.decimal()))
    }

    pub(super) fn number(self, key: &str, value: Decimal) -> Self {
        self.raw(key, big(value))
    }

    /// What another function adds.
    pub(super) fn with(self, add: impl FnOnce(Self) -> Self) -> Self {
        add(self)
    }

    pub(super) fn end(mut self) -> String {
        self.0.push('}');
        self.0
    }
}

/// A number as Java's `BigDecimal.toString` writes it: plain, but `1.2E-7` below a millionth.
pub(super) fn big(value: Decimal) -> String {
    let digits = value.mantissa().unsigned_abs().to_string();
    let power = digits.len() as i64 - 1 + i64::from(value.exponent());
    if value == Decimal::ZERO || power >= -6 {
        return value.to_string();
    }
    let sign = if value.is_negative() { "-" } else { "" };
    let (first, rest) = digits.split_at(1);
    let point = if rest.is_empty() { "" } else { "." };
    format!("{sign}{first}{point}{rest}E{power}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn small_numbers_have_an_exponent() {
        for (text, expected) in [
            ("0.000001", "0.000001"),
            ("0.00000012", "1.2E-7"),
            ("-0.0000001", "-1E-7"),
            ("40125.70", "40125.7"),
            ("0", "0"),
        ] {
            assert_eq!(big(text.parse().unwrap()), expected);
        }
    }

    #[test]
    fn an_object_reads_back() {
        let json = Json::new().text("a", "say \"x\"").raw("b", 7).quoted("c", 1.5).end();
        let read: Value = serde_json::from_str(&json).unwrap();
        assert_eq!(
            (&read["a"], &read["b"], &read["c"]),
            (&"say \"x\"".into(), &7.into(), &"1.5".into())
        );
    }
}
