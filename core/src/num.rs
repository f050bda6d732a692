//! Exact numbers: no price ever passes through a float.

mod decimal;
mod lots;
mod price;

pub use decimal::Decimal;
pub use lots::Lots;
pub use price::Price;

#[cfg(test)]
mod tests;
