//! The strategy: pure, told messages, tells decisions. It knows neither files nor sockets nor a clock.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::fmt;
use std::time::Duration;

use kucoin_futures_analytics::candle::{Candle, CandleBuilder, CandleEvent, Grid};
use kucoin_futures_analytics::funding::{
    Funding, FundingConfig, FundingDivergence, FundingInput, RateState,
};
use kucoin_futures_analytics::{
    Guarded, Indicator, ParameterError, Reading, RollingVwap, Rsi, Tick, Traded, Valuation,
};
use kucoin_futures_proto::wire::Contract;
use kucoin_futures_proto::{ContractKind, Decimal, Message, Price, Symbol, UnixNanos};

/// What is bought and sold by.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rules {
    /// Length of a candle.
    pub(crate) every: Duration,
    /// Candles that the RSI is of.
    pub(crate) rsi: u32,
    /// Below this it is too low, above 100 less this too high.
    pub(crate) low: f64,
    /// What the average price is of.
    pub(crate) average: Duration,
}

/// What one holds, or is to hold.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Position {
    Flat,
    Long,
    Short,
}

/// An event with its reasons.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Decision {
    /// The end of the candle that it was made at.
    pub(crate) at: UnixNanos,
    pub(crate) symbol: Symbol,
    pub(crate) what: What,
    pub(crate) why: Vec<String>,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum What {
    /// From one position to another, at the close of the candle.
    Move { to: Position, price: Price },
    /// Nothing is decided from here on, as something is not known.
    Wait,
    /// Everything is known again.
    Ready,
}

/// Decides for any number of contracts.
#[derive(Debug)]
pub(crate) struct Strategy {
    rules: Rules,
    markets: BTreeMap<Symbol, Market>,
    /// When funding is due.
    schedule: BTreeMap<Symbol, UnixNanos>,
}

impl Strategy {
    pub(crate) const fn new(rules: Rules) -> Self {
        Self { rules, markets: BTreeMap::new(), schedule: BTreeMap::new() }
    }

    /// Takes a message of a contract.
    pub(crate) fn on_message(
        &mut self,
        symbol: Symbol,
        message: &Message<'_>,
        out: &mut Vec<Decision>,
    ) -> Result<(), ParameterError> {
        let market = self.market(symbol)?;
        match message {
            Message::Execution(trade) => market.on_trade(&Tick::from(trade), out),
            Message::MarkPrice(mark) => {
                market.on_funding(mark.ts_event, FundingInput::Mark(*mark));
                // Trades of the same second may still be on their way.
                if let Some(at) = mark.ts_event {
                    market.on_time(before(at, Duration::from_secs(1)), out);
                }
            }
            Message::FundingRate(rate) => {
                market.on_funding(rate.ts_event, FundingInput::Rate(*rate));
            }
            Message::FundingEnd(end) => {
                market.on_funding(end.ts_event, FundingInput::Settled(*end));
            }
            _ => {}
        }
        Ok(())
    }

    /// What the exchange says of a contract: when funding is due.
    pub(crate) fn on_terms(&mut self, terms: &Contract<'_>) {
        let Some(next) = terms.next_funding else { return };
        self.schedule.insert(terms.symbol, next);
        if let Some(market) = self.markets.get_mut(&terms.symbol) {
            market.funding.on_schedule(next);
        }
    }

    /// What the positions that were left have brought, at the closes of candles and without fees: a line a contract.
    pub(crate) fn results(&self) -> impl Iterator<Item = String> {
        self.markets.values().map(|market| {
            let won = Decimal::new(i128::from(market.won), -12).unwrap_or_default();
            format!("{:<10} {} positions, {won} in all", market.symbol, market.trips)
        })
    }

    /// Something of a contract may have been missed.
    pub(crate) fn on_gap(&mut self, symbol: Symbol) -> Result<(), ParameterError> {
        self.market(symbol)?.on_gap();
        Ok(())
    }

    /// The same of all: another client begins.
    pub(crate) fn on_gaps(&mut self) {
        self.markets.values_mut().for_each(Market::on_gap);
    }

    fn market(&mut self, symbol: Symbol) -> Result<&mut Market, ParameterError> {
        Ok(match self.markets.entry(symbol) {
            Entry::Occupied(market) => market.into_mut(),
            Entry::Vacant(place) => {
                let market = place.insert(Market::new(symbol, self.rules)?);
                if let Some(next) = self.schedule.get(&symbol) {
                    market.funding.on_schedule(*next);
                }
                market
            }
        })
    }
}

/// One contract.
#[derive(Debug)]
struct Market {
    symbol: Symbol,
    rules: Rules,
    candles: CandleBuilder,
    events: Vec<CandleEvent>,
    rsi: Guarded<Rsi>,
    vwap: Guarded<RollingVwap>,
    funding: FundingDivergence,
    /// The latest time that the exchange has stated.
    now: UnixNanos,
    position: Position,
    /// Where the position began.
    entry: Option<Price>,
    /// Positions that were left.
    trips: u32,
    /// What they have brought, in units of 1e-12 of the price.
    won: i64,
    is_ready: bool,
}

impl Market {
    fn new(symbol: Symbol, rules: Rules) -> Result<Self, ParameterError> {
        // Those that are settled in coins: their lots are worth dollars.
        let is_inverse = symbol.as_str().ends_with("USDM");
        let kind = if is_inverse { ContractKind::Inverse } else { ContractKind::Linear };
        // What a lot is worth does not matter to prices.
        let lot = Valuation::linear(Decimal::new(1, 0).unwrap_or_default())?;
        let eight_hours = Duration::from_secs(8 * 3600);
        Ok(Self {
            symbol,
            rules,
            candles: CandleBuilder::new(Grid::every(rules.every)?, lot).filling_empty(),
            events: Vec::new(),
            rsi: Rsi::new(rules.rsi)?,
            vwap: RollingVwap::of_span(kind, rules.average)?,
            funding: FundingDivergence::new(eight_hours, FundingConfig::default())?,
            now: UnixNanos::from_nanos(0),
            position: Position::Flat,
            entry: None,
            trips: 0,
            won: 0,
            is_ready: false,
        })
    }

    fn on_trade(&mut self, trade: &Tick, out: &mut Vec<Decision>) {
        // What ends with this trade is decided without it.
        self.candles.push(trade, &mut self.events);
        self.decide(out);
        if let Some(at) = trade.time {
            self.now = self.now.max(at);
            self.vwap.push(at, Traded::from(trade));
        } else {
            self.vwap.on_gap(self.now);
        }
    }

    fn on_funding(&mut self, at: Option<UnixNanos>, input: FundingInput) {
        let at = at.unwrap_or(self.now);
        self.now = self.now.max(at);
        self.funding.push(at, input);
    }

    fn on_time(&mut self, at: UnixNanos, out: &mut Vec<Decision>) {
        self.vwap.on_time(at);
        self.candles.on_time(at, &mut self.events);
        self.decide(out);
    }

    fn on_gap(&mut self) {
        self.candles.on_gap();
        self.vwap.on_gap(self.now);
        self.funding.on_gap(self.now);
    }

    /// Looks at what the candles have told.
    fn decide(&mut self, out: &mut Vec<Decision>) {
        for event in std::mem::take(&mut self.events) {
            match event {
                CandleEvent::Closed(candle) => self.on_candle(&candle, out),
                CandleEvent::Empty { .. } => {}
                CandleEvent::Unknown { from, .. } => self.rsi.on_gap(from),
                CandleEvent::Late { .. } | CandleEvent::Timeless { .. } => {
                    self.rsi.on_gap(self.now);
                }
                _ => {}
            }
        }
    }

    fn on_candle(&mut self, candle: &Candle, out: &mut Vec<Decision>) {
        let mut rsi = self.rsi.push(candle.end, candle.close);
        if !candle.is_whole {
            // Its close may be another: no number that is valid has it in it.
            self.rsi.on_gap(candle.end);
            rsi = self.rsi.reading();
        }
        let funding = self.funding.on_time(self.now);
        match known(&rsi, &self.vwap.reading(), &funding) {
            Ok((rsi, average, funding)) => {
                if !std::mem::replace(&mut self.is_ready, true) {
                    out.push(self.decision(candle, What::Ready, Vec::new()));
                }
                self.act(candle, rsi, average, &funding, out);
            }
            Err(why) => {
                if std::mem::replace(&mut self.is_ready, false) {
                    out.push(self.decision(candle, What::Wait, why));
                }
            }
        }
    }

    /// Buys what is beaten down, sells what has run away, and leaves once that is over.
    fn act(
        &mut self,
        candle: &Candle,
        rsi: f64,
        average: Price,
        funding: &Funding,
        out: &mut Vec<Decision>,
    ) {
        let (low, high) = (self.rules.low, 100.0 - self.rules.low);
        let close = candle.close;
        let is_cheap = funding.premium < Decimal::ZERO;
        let to = match self.position {
            Position::Flat if rsi < low && close < average && is_cheap => Position::Long,
            Position::Flat if rsi > high && close > average && !is_cheap => Position::Short,
            Position::Long if rsi > 50.0 => Position::Flat,
            Position::Short if rsi < 50.0 => Position::Flat,
            _ => return,
        };
        self.book(close);
        self.position = to;
        let mut why = vec![
            format!("rsi {rsi:.1}"),
            format!("{} % from the average", percent(distance(close, average))),
            format!("premium {} %", percent(funding.premium)),
        ];
        if let RateState::Comparable(rates) = funding.rate {
            let (estimate, settled) = (percent(rates.estimate), percent(rates.settled));
            why.push(format!("funding {estimate} % after {settled} %"));
        }
        out.push(self.decision(candle, What::Move { to, price: close }, why));
    }

    /// Counts what a position has brought, and notes at which price the next one begins.
    fn book(&mut self, close: Price) {
        let way = close.scaled() - self.entry.unwrap_or(close).scaled();
        match self.position {
            Position::Flat => self.entry = Some(close),
            Position::Long => self.won += way,
            Position::Short => self.won -= way,
        }
        self.trips += u32::from(self.position != Position::Flat);
    }

    const fn decision(&self, candle: &Candle, what: What, why: Vec<String>) -> Decision {
        Decision { at: candle.end, symbol: self.symbol, what, why }
    }
}

/// All three, or what is not known.
fn known(
    rsi: &Reading<f64>,
    average: &Reading<Price>,
    funding: &Reading<Funding>,
) -> Result<(f64, Price, Funding), Vec<String>> {
    if let (Some(rsi), Some(average), Some(funding)) =
        (rsi.valid(), average.valid(), funding.valid())
    {
        return Ok((*rsi, *average, *funding));
    }
    let mut why = Vec::new();
    doubt("rsi", rsi, &mut why);
    doubt("average", average, &mut why);
    doubt("funding", funding, &mut why);
    Err(why)
}

fn doubt<T>(name: &str, reading: &Reading<T>, why: &mut Vec<String>) {
    match reading {
        Reading::Valid { .. } => {}
        Reading::Warming { .. } => why.push(format!("{name} is not known yet")),
        Reading::Stale { gap, .. } => {
            why.push(format!("{name} may have missed something at {}", clock(*gap)));
        }
    }
}

fn before(at: UnixNanos, span: Duration) -> UnixNanos {
    let span = u64::try_from(span.as_nanos()).unwrap_or(u64::MAX);
    UnixNanos::from_nanos(at.as_nanos().saturating_sub(span))
}

/// A part of one, to four decimals of a per cent.
fn percent(part: Decimal) -> String {
    let units = 10_i128.checked_pow(u32::from(part.exponent().unsigned_abs())).unwrap_or(1);
    let millionths = part.mantissa().saturating_mul(1_000_000) / units;
    let sign = if millionths < 0 { "-" } else { "" };
    let millionths = millionths.unsigned_abs();
    format!("{sign}{}.{:04}", millionths / 10_000, millionths % 10_000)
}

/// How far a price is from another, as a part of that.
fn distance(price: Price, from: Price) -> Decimal {
    let [price, from] = [price, from].map(|price| i128::from(price.scaled()));
    let part = ((price - from) * 10_i128.pow(12)).checked_div(from).unwrap_or(0);
    Decimal::new(part, -12).unwrap_or_default()
}

/// The time of day, UTC.
fn clock(at: UnixNanos) -> String {
    let ms = at.as_millis() % 86_400_000;
    let (seconds, ms) = (ms / 1000, ms % 1000);
    format!("{:02}:{:02}:{:02}.{ms:03}", seconds / 3600, seconds / 60 % 60, seconds % 60)
}

impl fmt::Display for Decision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (at, symbol, why) = (clock(self.at), self.symbol, self.why.join("; "));
        match &self.what {
            What::Move { to: Position::Flat, price } => {
                write!(f, "{at} {symbol:<10} leave at {price}: {why}")
            }
            What::Move { to: Position::Long, price } => {
                write!(f, "{at} {symbol:<10} buy   at {price}: {why}")
            }
            What::Move { to: Position::Short, price } => {
                write!(f, "{at} {symbol:<10} sell  at {price}: {why}")
            }
            What::Wait => write!(f, "{at} {symbol:<10} wait: {why}"),
            What::Ready => write!(f, "{at} {symbol:<10} everything is known"),
        }
    }
}
