//! Reads candles out of a file of comma-separated values and prints all indicators with all digits, one row a candle:
//! `indicators_csv candles.csv`. The columns are `time_ms,open,high,low,close,lots`, the first row their names; what
//! is not there yet is left empty. `python/check.py` compares it with other libraries.

#![allow(clippy::print_stdout, reason = "an example prints")]

use std::error::Error;
use std::fmt::Display;
use std::time::Duration;

use kucoin_futures_analytics::{
    Atr, Bollinger, Ema, Fill, Indicator, Macd, Reading, RealisedVolatility, RollingVwap, Rsi, Sma,
    TrueRangeInput,
};
use kucoin_futures_proto::{ContractKind, Lots, Price, UnixNanos};

const COLUMNS: &str =
    "time_ms,sma,ema,rsi,atr,upper,middle,lower,macd,signal,histogram,vwap,vwap_inverse,volatility";

struct Row {
    at: UnixNanos,
    high: Price,
    low: Price,
    close: Price,
    size: Lots,
}

impl Row {
    fn parse(line: &str) -> Result<Self, Box<dyn Error>> {
        let columns: Vec<&str> = line.split(',').collect();
        let [time, _, high, low, close, lots] = columns[..] else {
            return Err(format!("not six columns: {line}").into());
        };
        Ok(Self {
            at: UnixNanos::from_millis(time.parse()?).ok_or("a time after 2554")?,
            high: high.parse()?,
            low: low.parse()?,
            close: close.parse()?,
            size: lots.parse()?,
        })
    }
}

/// The number, if it is valid, in a form that reads back to the same one.
fn cell<T: Display>(reading: Reading<T>) -> String {
    reading.valid().map(T::to_string).unwrap_or_default()
}

fn main() -> Result<(), Box<dyn Error>> {
    let path = std::env::args().nth(1).ok_or("which file?")?;
    let text = std::fs::read_to_string(path)?;
    let (mut sma, mut ema) = (Sma::new(20)?, Ema::new(20)?);
    let (mut rsi, mut atr) = (Rsi::new(14)?, Atr::new(14)?);
    let (mut bands, mut macd) = (Bollinger::new(20, 2.0)?, Macd::new(12, 26, 9)?);
    let mut vwap = RollingVwap::of_last(ContractKind::Linear, 20)?;
    let mut inverse = RollingVwap::of_last(ContractKind::Inverse, 20)?;
    let mut volatility = RealisedVolatility::annualised(20, Duration::from_secs(60))?;
    println!("{COLUMNS}");
    for line in text.lines().skip(1) {
        let row = Row::parse(line)?;
        let Row { at, high, low, close, size } = row;
        let fill = Fill { price: close, size }.into();
        let bands = bands.push(at, close);
        let macd = macd.push(at, close);
        let cells = [
            at.as_millis().to_string(),
            cell(sma.push(at, close)),
            cell(ema.push(at, close)),
            cell(rsi.push(at, close)),
            cell(atr.push(at, TrueRangeInput { high, low, close })),
            cell(bands.map(|bands| bands.upper)),
            cell(bands.map(|bands| bands.middle)),
            cell(bands.map(|bands| bands.lower)),
            cell(macd.map(|value| value.macd)),
            cell(macd.map(|value| value.signal)),
            cell(macd.map(|value| value.histogram)),
            cell(vwap.push(at, fill)),
            cell(inverse.push(at, fill)),
            cell(volatility.push(at, close)),
        ];
        println!("{}", cells.join(","));
    }
    Ok(())
}
