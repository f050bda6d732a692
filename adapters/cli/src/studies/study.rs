//! What can be computed of candles, by name.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use kucoin_futures_analytics::candle::Grid;
use kucoin_futures_analytics::{
    Atr, Bands, Bollinger, Ema, Guarded, Indicator, Macd, MacdValue, ParameterError, Reading,
    RealisedVolatility, RollingVwap, Rsi, SessionVwap, Sma, Traded, TrueRangeInput, Valuation,
};
use kucoin_futures_proto::{Decimal, Price, UnixNanos};

/// What a user asked for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct IndicatorName {
    kind: Kind,
    /// The length, if it is not the usual one.
    length: Option<u32>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Kind {
    Rsi,
    Vwap,
    Sma,
    Ema,
    Atr,
    Bollinger,
    Macd,
    Volatility,
}

const KINDS: [(&str, Kind); 8] = [
    ("rsi", Kind::Rsi),
    ("vwap", Kind::Vwap),
    ("sma", Kind::Sma),
    ("ema", Kind::Ema),
    ("atr", Kind::Atr),
    ("bollinger", Kind::Bollinger),
    ("macd", Kind::Macd),
    ("volatility", Kind::Volatility),
];

impl FromStr for IndicatorName {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (name, length) = match text.split_once('=') {
            Some((name, length)) => (name, Some(length)),
            None => (text, None),
        };
        let kind = KINDS.iter().find(|(known, _)| *known == name).map(|(_, kind)| *kind);
        let kind = kind.ok_or_else(|| {
            let known: Vec<_> = KINDS.iter().map(|(known, _)| *known).collect();
            format!("there are {}; each may have a length: rsi=21", known.join(", "))
        })?;
        let length = length
            .map(|length| length.parse().map_err(|_| format!("`{length}` is no length")))
            .transpose()?;
        if kind == Kind::Macd && length.is_some() {
            return Err("macd is of 12, 26 and 9 candles and has no length".into());
        }
        let name = Self { kind, length };
        // Lengths are the same for all that lots can be worth.
        let one = Valuation::linear(Decimal::new(1, 0).unwrap_or_default());
        let study = one.and_then(|one| Study::of(name, &one));
        study.map(|_| name).map_err(|error| error.to_string())
    }
}

impl IndicatorName {
    /// Whether it is of all candles of a day.
    pub(super) fn is_of_days(&self) -> bool {
        self.kind == Kind::Vwap && self.length.is_none()
    }
}

/// One of them, of one contract.
pub(super) struct Study {
    name: IndicatorName,
    of: Of,
}

enum Of {
    Rsi(Guarded<Rsi>),
    SessionVwap(SessionVwap),
    RollingVwap(Guarded<RollingVwap>),
    Sma(Guarded<Sma>),
    Ema(Guarded<Ema>),
    Atr(Guarded<Atr>),
    Bollinger(Guarded<Bollinger>),
    Macd(Guarded<Macd>),
    Volatility(Guarded<RealisedVolatility>),
}

/// What one says, to be shown.
pub(super) type Shown = Reading<Number>;

/// What is money is exact.
#[derive(Clone, PartialEq, Debug)]
pub(super) enum Number {
    Price(Price),
    Float(f64),
    Bands(Bands),
    Macd(MacdValue),
}

/// What is computed with: a candle's prices, and what was traded.
#[derive(Clone, Copy, Debug)]
pub(super) struct Input {
    pub(super) range: TrueRangeInput,
    pub(super) traded: Option<Traded>,
}

impl Study {
    /// Of a contract whose lots are worth that.
    pub(super) fn of(name: IndicatorName, worth: &Valuation) -> Result<Self, ParameterError> {
        let length = |usual| name.length.unwrap_or(usual);
        let of = match name.kind {
            Kind::Rsi => Of::Rsi(Rsi::new(length(14))?),
            Kind::Vwap => match name.length {
                Some(length) => Of::RollingVwap(RollingVwap::of_last(worth.kind(), length)?),
                None => Of::SessionVwap(SessionVwap::of_grid(worth.kind(), days()?)),
            },
            Kind::Sma => Of::Sma(Sma::new(length(20))?),
            Kind::Ema => Of::Ema(Ema::new(length(20))?),
            Kind::Atr => Of::Atr(Atr::new(length(14))?),
            Kind::Bollinger => Of::Bollinger(Bollinger::new(length(20), 2.0)?),
            Kind::Macd => Of::Macd(Macd::new(12, 26, 9)?),
            Kind::Volatility => Of::Volatility(RealisedVolatility::new(length(20))?),
        };
        Ok(Self { name, of })
    }

    /// As it is called in what is shown: `rsi`, or `rsi=21` as it was asked for.
    pub(super) const fn name(&self) -> IndicatorName {
        self.name
    }

    /// Takes the candle that begins at `start` and ends at `end`.
    pub(super) fn push(&mut self, start: UnixNanos, end: UnixNanos, input: &Input) {
        let close = input.range.close;
        match &mut self.of {
            Of::Rsi(study) => drop(study.push(end, close)),
            // By its start: a candle that ends with the day belongs to it.
            Of::SessionVwap(study) => traded(study, start, input),
            Of::RollingVwap(study) => traded(study, start, input),
            Of::Sma(study) => drop(study.push(end, close)),
            Of::Ema(study) => drop(study.push(end, close)),
            Of::Atr(study) => drop(study.push(end, input.range)),
            Of::Bollinger(study) => drop(study.push(end, close)),
            Of::Macd(study) => drop(study.push(end, close)),
            Of::Volatility(study) => drop(study.push(end, close)),
        }
    }

    pub(super) fn on_gap(&mut self, at: UnixNanos) {
        match &mut self.of {
            Of::Rsi(study) => study.on_gap(at),
            Of::SessionVwap(study) => study.on_gap(at),
            Of::RollingVwap(study) => study.on_gap(at),
            Of::Sma(study) => study.on_gap(at),
            Of::Ema(study) => study.on_gap(at),
            Of::Atr(study) => study.on_gap(at),
            Of::Bollinger(study) => study.on_gap(at),
            Of::Macd(study) => study.on_gap(at),
            Of::Volatility(study) => study.on_gap(at),
        }
    }

    pub(super) fn shown(&self) -> Shown {
        match &self.of {
            Of::Rsi(study) => study.reading().map(Number::Float),
            Of::SessionVwap(study) => study.reading().map(Number::Price),
            Of::RollingVwap(study) => study.reading().map(Number::Price),
            Of::Sma(study) => study.reading().map(Number::Price),
            Of::Ema(study) => study.reading().map(Number::Float),
            Of::Atr(study) => study.reading().map(Number::Float),
            Of::Bollinger(study) => study.reading().map(Number::Bands),
            Of::Macd(study) => study.reading().map(Number::Macd),
            Of::Volatility(study) => study.reading().map(Number::Float),
        }
    }
}

/// Sessions of a market that never closes.
fn days() -> Result<Grid, ParameterError> {
    Grid::every(Duration::from_secs(86_400))
}

/// A candle that does not say what was traded is one that is missing.
fn traded(study: &mut impl Indicator<Input = Traded>, at: UnixNanos, input: &Input) {
    match input.traded {
        Some(traded) => drop(study.push(at, traded)),
        None => study.on_gap(at),
    }
}

impl fmt::Display for IndicatorName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = KINDS.iter().find(|(_, kind)| *kind == self.kind).map_or("", |(name, _)| name);
        match self.length {
            Some(length) => write!(f, "{name}={length}"),
            None => f.write_str(name),
        }
    }
}
