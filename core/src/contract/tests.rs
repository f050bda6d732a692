use std::format;
use std::string::{String, ToString};

use proptest::prelude::*;

use super::*;
use crate::wire::Contracts;

fn row(multiplier: &str, tick: &str, lot: &str, more: &str) -> String {
    format!(
        r#"{{"symbol":"LINKUSDTM","status":"Open","multiplier":{multiplier},"tickSize":{tick},"lotSize":{lot},"isInverse":{},"maxOrderQty":90000,"marketMaxOrderQty":4000,"maxPrice":500000.0{more}}}"#,
        multiplier.starts_with('-')
    )
}

fn try_spec(row: &str) -> Result<ContractSpec, WireError> {
    let body = format!(r#"{{"code":"200000","data":[{row}]}}"#);
    let row = Contracts::parse(body.as_bytes())?.iter().next().unwrap()?;
    ContractSpec::new(&row)
}

fn spec(multiplier: &str, tick: &str) -> ContractSpec {
    try_spec(&row(multiplier, tick, "1", "")).unwrap()
}

fn price(text: &str) -> Price {
    text.parse().unwrap()
}

fn decimal(text: &str) -> Decimal {
    text.parse().unwrap()
}

#[test]
fn the_terms_are_those_of_the_row() {
    let more = r#","type":"FFICSX","baseCurrency":"XBT","quoteCurrency":"USD","settleCurrency":"XBT","expireDate":1798185600000,"settleDate":1798185660000,"fundingRateGranularity":28800000,"currentFundingRateGranularity":14400000"#;
    let dated = try_spec(&row("-1.0", "5.0E-1", "2", more)).unwrap();
    assert_eq!((dated.symbol().as_str(), dated.kind()), ("LINKUSDTM", ContractKind::Inverse));
    let names = [dated.base(), dated.quote(), dated.settle()].map(|name| name.unwrap().to_string());
    assert_eq!(names, ["XBT", "USD", "XBT"]);
    assert_eq!((dated.lot_amount(), dated.tick()), (decimal("1"), price("0.5")));
    assert_eq!((dated.min_order(), dated.max_order()), (Lots::new(2), Some(Lots::new(90_000))));
    assert_eq!(dated.max_market_order(), Some(Lots::new(4000)));
    assert_eq!(dated.max_price(), Some(price("500000")));
    assert!(dated.is_dated());
    assert_eq!(dated.expires(), UnixNanos::from_millis(1_798_185_600_000));
    assert_eq!(dated.settles(), UnixNanos::from_millis(1_798_185_660_000));
    assert_eq!(dated.funding_interval(), Some(Duration::from_secs(4 * 3600)), "the one that holds");
    let perpetual = spec("0.001", "0.1");
    assert!(!perpetual.is_dated() && perpetual.settles().is_none());
}

#[test]
fn a_row_that_contradicts_itself_is_no_contract() {
    let out = |field| Err(WireError::OutOfRange { field });
    assert_eq!(try_spec(&row("0", "1", "1", "")), out("multiplier"));
    assert_eq!(try_spec(&row("1", "0.0", "1", "")), out("tickSize"));
    assert_eq!(try_spec(&row("1", "1", "0", "")), out("lotSize"));
    assert_eq!(try_spec(&row("1", "1", "0.5", "")), Err(WireError::NotWhole { field: "lotSize" }));
    assert_eq!(try_spec(&row("1", "-1", "1", "")), Err(WireError::Negative { field: "tickSize" }));
    let fine = Err(WireError::TooPrecise { field: "tickSize" });
    assert_eq!(try_spec(&row("1", "1E-13", "1", "")), fine);
    let wrong = row("-1.0", "1", "1", "").replace("true", "false");
    assert_eq!(try_spec(&wrong), out("multiplier"));
}

#[test]
fn known_values() {
    let linear = spec("0.001", "0.1");
    assert_eq!(linear.amount(Lots::new(1500)), Ok(decimal("1.5")));
    assert_eq!(linear.value(Lots::new(1500), price("63000.1")), Ok(decimal("94500.15")));
    assert_eq!(linear.lots_within(decimal("94500.15"), price("63000.1")), Ok(Lots::new(1500)));
    assert_eq!(linear.lots_within(decimal("94500.14"), price("63000.1")), Ok(Lots::new(1499)));
    assert_eq!(linear.value(Lots::new(3), Price::ZERO), Ok(Decimal::ZERO));

    let inverse = spec("-1.0", "0.1");
    assert_eq!(inverse.value(Lots::new(5), price("80000")), Ok(decimal("0.0000625")), "exact");
    let third = inverse.value(Lots::new(1), price("3"));
    assert_eq!(third, Ok(decimal("0.333333333333333333")), "18 decimals, rounded down");
    let two_thirds = inverse.value(Lots::new(2), price("3"));
    assert_eq!(two_thirds, Ok(decimal("0.666666666666666666")), "down, not to the nearest");
    // The exact value counts: what is rounded down buys one lot less.
    assert_eq!(inverse.lots_within(decimal("0.666666666666666666"), price("3")), Ok(Lots::new(1)));
    assert_eq!(inverse.lots_within(decimal("0.666666666666666667"), price("3")), Ok(Lots::new(2)));
    assert_eq!(inverse.value(Lots::new(5), Price::ZERO), Err(ContractError::ZeroPrice));
    assert_eq!(inverse.lots_within(decimal("-1"), price("3")), Err(ContractError::Negative));
}

#[test]
fn what_does_not_fit_is_an_error() {
    let most = Lots::new(u64::MAX);
    let huge = spec("3E100", "0.1");
    assert_eq!(huge.value(most, Price::MAX), Err(ContractError::Overflow));
    let precise = spec("1.234567890123456789012345678901234567", "0.1");
    assert_eq!(precise.amount(most), Err(ContractError::Overflow));
    let linear = spec("1E-12", "0.1");
    assert_eq!(linear.lots_within(decimal("1E20"), price("0.1")), Err(ContractError::Overflow));
    // What fits does, though its factors multiplied out would not.
    let fives = Decimal::new(5_i128.pow(54), -54).unwrap();
    let twos = Decimal::new(2_i128.pow(100), 0).unwrap();
    assert_eq!(product(fives, twos), Decimal::new(2_i128.pow(46), 0));
    assert_eq!(product(twos, fives), Decimal::new(2_i128.pow(46), 0));
    assert_eq!(product(decimal("1E127"), decimal("1E127")), None);
    assert_eq!(product(decimal("1E-100"), decimal("1E-100")), None);
    let max = Decimal::new(i128::MAX, 0).unwrap();
    assert_eq!(product(max, decimal("3")), None);
    assert_eq!(quotient(max, Decimal::ZERO, 18), None);
    assert_eq!(spec("1", "7").tick_above(Price::MAX), Err(ContractError::Overflow));
}

#[test]
fn an_order_has_a_size_and_a_price_that_the_terms_allow() {
    let spec = try_spec(&row("0.01", "0.05", "10", "")).unwrap();
    let check = |lots| spec.check_order(Lots::new(lots));
    assert_eq!(check(9), Err(ContractError::TooSmall { least: Lots::new(10) }));
    assert_eq!(check(15), Err(ContractError::NotAStep { step: Lots::new(10) }));
    assert_eq!(check(90_010), Err(ContractError::TooLarge { most: Lots::new(90_000) }));
    assert_eq!((check(10), check(90_000)), (Ok(()), Ok(())));
    let market = spec.check_market_order(Lots::new(4010));
    assert_eq!(market, Err(ContractError::TooLarge { most: Lots::new(4000) }));
    assert_eq!(
        spec.check_price(price("0.12")),
        Err(ContractError::OffTick { tick: price("0.05") })
    );
    let most = ContractError::TooExpensive { most: price("500000") };
    assert_eq!(spec.check_price(price("500000.05")), Err(most));
    assert_eq!(spec.check_price(Price::ZERO), Err(ContractError::ZeroPrice));
    assert_eq!(spec.check_price(price("500000")), Ok(()));
    assert_eq!(spec.tick_below(price("0.12")), price("0.1"));
    assert_eq!(spec.tick_above(price("0.12")), Ok(price("0.15")));
    assert_eq!(spec.lots_within(decimal("9.99"), price("10")), Ok(Lots::new(90)), "whole steps");
}

/// In units of 10^-`scale`; what the test makes has no more decimals.
fn units(value: Decimal, scale: u8) -> i128 {
    value.scaled(scale).unwrap()
}

proptest! {
    #[test]
    fn linear_values_are_products(
        lots in 0_u64..1_000_000_000, mantissa in 1_i64..10_000, places in 0_i8..9,
        units_of_price in 0_i64..i64::MAX,
    ) {
        let multiplier = Decimal::new(mantissa.into(), -places).unwrap();
        let spec = spec(&multiplier.to_string(), "0.1");
        let price = Price::from_scaled(units_of_price).unwrap();
        let value = spec.value(Lots::new(lots), price).unwrap();
        let factor = i128::from(mantissa) * i128::from(lots) * i128::from(units_of_price);
        let shift = 10_i128.pow(places.unsigned_abs().into());
        prop_assert_eq!(value.to_string(), Decimal::new(factor, -12 - places).unwrap().to_string());
        prop_assert_eq!(spec.base_amount(Lots::new(lots), price), spec.amount(Lots::new(lots)));
        prop_assert_eq!(
            units(spec.amount(Lots::new(lots)).unwrap(), 9) * shift,
            i128::from(mantissa) * i128::from(lots) * 1_000_000_000
        );
    }

    #[test]
    fn inverse_values_are_quotients_rounded_down(
        lots in 0_u64..100_000_000, units_of_price in 1_i64..i64::MAX,
    ) {
        let spec = spec("-1.0", "0.1");
        let price = Price::from_scaled(units_of_price).unwrap();
        let value = units(spec.value(Lots::new(lots), price).unwrap(), 18);
        // value / 10^18 <= lots / (price / 10^12), multiplied out; and the next one is more.
        let exact = i128::from(lots) * 10_i128.pow(30);
        let (whole, rest) = (exact / i128::from(units_of_price), exact % i128::from(units_of_price));
        prop_assert_eq!(value, whole);
        // Back again: never more than there was, and all of it if nothing was rounded.
        let back = spec.lots_within(Decimal::new(value, -18).unwrap(), price).unwrap().get();
        prop_assert!(back <= lots);
        if rest == 0 {
            prop_assert_eq!(back, lots);
        }
    }

    #[test]
    fn lots_are_the_most_that_a_value_buys(
        inverse: bool, value in 0_i64..1_000_000_000, places in 0_i8..6,
        lot in 1_u64..20, units_of_price in 1_000_000_i64..1_000_000_000_000_000_000,
    ) {
        let spec = try_spec(&row(if inverse { "-1.0" } else { "0.01" }, "0.1", &lot.to_string(), "")).unwrap();
        let price = Price::from_scaled(units_of_price).unwrap();
        let bought = spec.lots_within(Decimal::new(value.into(), -places).unwrap(), price);
        // Of a lot and of the value, over one denominator each.
        let power = |of: i8| 10_i128.pow(of.unsigned_abs().into());
        let price = i128::from(units_of_price);
        let fits = |lots: i128| if inverse {
            lots * power(12) * power(places) <= i128::from(value) * price
        } else {
            lots * price * power(places) <= i128::from(value) * power(14)
        };
        match bought {
            Ok(bought) => {
                prop_assert_eq!(bought.get() % lot, 0);
                prop_assert!(fits(bought.get().into()), "no more than the value");
                prop_assert!(!fits(i128::from(bought.get()) + i128::from(lot)), "and no fewer");
            }
            Err(error) => {
                prop_assert_eq!(error, ContractError::Overflow);
                prop_assert!(fits(u64::MAX.into()), "only what is more than there can be");
            }
        }
    }

    #[test]
    fn ticks_enclose_a_price(tick in 1_i64..1_000_000_000_000, units in 0_i64..i64::MAX) {
        let tick = Price::from_scaled(tick).unwrap();
        let spec = spec("0.01", &tick.to_string());
        let price = Price::from_scaled(units).unwrap();
        let below = spec.tick_below(price);
        prop_assert!(spec.is_on_tick(below) && below <= price);
        prop_assert!(price.scaled() - below.scaled() < tick.scaled());
        prop_assert_eq!(spec.is_on_tick(price), below == price);
        match spec.tick_above(price) {
            Ok(above) => {
                prop_assert!(spec.is_on_tick(above) && above >= price);
                prop_assert_eq!(above == price, below == price);
                prop_assert!(above == price || above.scaled() - below.scaled() == tick.scaled());
            }
            Err(_) => prop_assert!(below.scaled().checked_add(tick.scaled()).is_none()),
        }
    }

    /// Whatever the numbers: an answer or an error, and no answer that was wrapped.
    #[test]
    fn quotients_are_never_too_large(
        a in 0_i128..i128::MAX, b in 1_i128..i128::MAX, from in -128_i8..=127, to in -128_i8..=127,
        decimals in 0_u8..30,
    ) {
        let (Some(a), Some(b)) = (Decimal::new(a, from), Decimal::new(b, to)) else { return Ok(()) };
        if let Some(value) = quotient(a, b, decimals)
            && let Some(back) = product(value, b)
        {
            prop_assert!(back <= a, "{a} / {b} = {value}");
            prop_assert!(value.exponent() >= -i8::try_from(decimals).unwrap() || value == Decimal::ZERO);
        }
        if let Some(whole) = product(a, b) {
            prop_assert_eq!(whole.is_negative(), false);
            prop_assert!(whole == Decimal::ZERO || b == Decimal::ZERO || quotient(whole, b, 127).is_none_or(|back| back <= a));
        }
    }
}
