//! One contract: its candles joined, and what is computed of them.

use std::collections::VecDeque;

use kucoin_futures_analytics::{Traded, TrueRangeInput, Valuation};
use kucoin_futures_data::join::{
    Candle, CandleJoin, CandleJoinConfig, CandleState, JoinedCandle, NoGrid,
};
use kucoin_futures_proto::wire::{self, CandleUpdate, Kline, Rows};
use kucoin_futures_proto::{ContractSpec, Decimal, Instant, Price, Query, Symbol, UnixNanos};

use super::study::{IndicatorName, Input, Shown, Study};
use crate::args::CandlesArgs;

/// Closes that are shown as a line.
const LINE: usize = 40;
/// Intervals without a trade that are computed with, in a row: the longest window is full of them then.
const MOST_EMPTY: u64 = 1 << 16;

pub(super) struct Contract {
    join: CandleJoin,
    joined: Vec<JoinedCandle>,
    /// What is joined and not told.
    waiting: VecDeque<JoinedCandle>,
    wanted: Vec<IndicatorName>,
    /// None until it is known what a lot is worth.
    studies: Vec<Study>,
    worth: Option<Valuation>,
    /// Of a candle, in nanoseconds.
    length: u64,
    /// The last close.
    close: Option<Price>,
    line: VecDeque<Option<Price>>,
}

/// What there is to tell.
#[derive(Clone, Copy, Debug)]
pub(super) enum Told {
    /// The candle of the present interval, as it stands.
    Growing(Candle),
    /// A candle that is over.
    Closed(Candle),
    /// Nothing was traded in these intervals.
    Empty { from: UnixNanos, to: UnixNanos },
    /// Candles of these intervals may be missing.
    Hole { from: UnixNanos, to: UnixNanos },
}

impl Told {
    /// When it begins; of several intervals, when they end.
    pub(super) const fn at(&self) -> UnixNanos {
        match self {
            Self::Growing(candle) | Self::Closed(candle) => candle.start,
            Self::Empty { to, .. } | Self::Hole { to, .. } => *to,
        }
    }
}

impl Contract {
    pub(super) fn new(
        now: Instant,
        symbol: Symbol,
        args: &CandlesArgs,
        history: u32,
    ) -> Result<Self, NoGrid> {
        let mut config = CandleJoinConfig::default();
        config.history = history;
        let length = args.interval.duration().map_or(0, |length| length.as_nanos());
        Ok(Self {
            join: CandleJoin::new(now, symbol, args.interval, config)?,
            joined: Vec::new(),
            waiting: VecDeque::new(),
            wanted: args.indicators.clone(),
            studies: Vec::new(),
            worth: None,
            length: u64::try_from(length).unwrap_or(u64::MAX),
            close: None,
            line: VecDeque::new(),
        })
    }

    pub(super) fn on_candle(&mut self, now: Instant, candle: &CandleUpdate) {
        self.join.on_candle(now, candle, &mut self.joined);
    }

    pub(super) fn on_klines(&mut self, now: Instant, rows: &Rows<'_, Kline>) {
        self.join.on_klines(now, rows, &mut self.joined);
    }

    pub(super) fn on_server_time(&mut self, now: Instant, time: UnixNanos) {
        self.join.on_server_time(now, time);
    }

    /// The exchange's time is not to be had. A join that has asked something else meanwhile knows it from that.
    pub(super) fn on_time_failed(&mut self, now: Instant) {
        if self.join.state() == CandleState::Clockless {
            self.on_query_failed(now);
        }
    }

    pub(super) fn on_query_failed(&mut self, now: Instant) {
        self.join.on_query_failed(now, &mut self.joined);
    }

    pub(super) fn on_may_have_missed(&mut self, now: Instant) {
        self.join.on_may_have_missed(now);
    }

    pub(super) fn on_down(&mut self) {
        self.join.on_down();
    }

    /// What a lot is worth. From here on there is something to tell. An error says that this contract has no terms that
    /// can be computed with.
    pub(super) fn on_terms(&mut self, terms: &wire::Contract<'_>) -> Result<(), String> {
        if self.worth.is_some() {
            return Ok(());
        }
        let spec = ContractSpec::new(terms).map_err(|error| error.to_string())?;
        let worth = Valuation::new(&spec).map_err(|error| error.to_string())?;
        // Their lengths were looked at with the arguments.
        let studies = self.wanted.iter().map(|name| Study::of(*name, &worth));
        self.studies = studies.collect::<Result<_, _>>().map_err(|error| error.to_string())?;
        self.worth = Some(worth);
        Ok(())
    }

    /// Whether it is still to be asked what a lot is worth.
    pub(super) const fn wants_terms(&self) -> bool {
        self.worth.is_none()
    }

    pub(super) fn poll_query(&mut self, now: Instant) -> Option<Query> {
        self.join.poll_query(now, &mut self.joined)
    }

    pub(super) fn deadline(&self) -> Instant {
        self.join.poll_timeout()
    }

    /// The last closes, as a line; a dot where there may have been others.
    pub(super) fn spark(&self) -> String {
        super::spark::line(self.line.iter().map(|close| close.map(|close| close.scaled() as f64)))
    }

    /// The next thing that has come of all that. What is computed is as of it until it is called again.
    pub(super) fn next(&mut self) -> Option<Told> {
        let is_kept = |joined: &JoinedCandle| !matches!(joined, JoinedCandle::Growing(_));
        if self.wants_terms() {
            // What grows is soon told again.
            self.joined.retain(is_kept);
            return None;
        }
        self.waiting.extend(self.joined.drain(..));
        let joined = self.waiting.pop_front()?;
        self.tell(joined)
    }

    fn tell(&mut self, joined: JoinedCandle) -> Option<Told> {
        Some(match joined {
            JoinedCandle::Growing(candle) => Told::Growing(candle),
            JoinedCandle::Closed(candle) => {
                self.push(&candle);
                Told::Closed(candle)
            }
            JoinedCandle::Empty { from, to } => {
                let span = to.as_nanos().saturating_sub(from.as_nanos());
                for number in 0..(span / self.length.max(1)).min(MOST_EMPTY) {
                    let into = number.saturating_mul(self.length);
                    self.push_empty(UnixNanos::from_nanos(from.as_nanos().saturating_add(into)));
                }
                Told::Empty { from, to }
            }
            JoinedCandle::Hole { from, to } => {
                self.note(None);
                self.studies.iter_mut().for_each(|study| study.on_gap(from));
                Told::Hole { from, to }
            }
            _ => return None,
        })
    }

    fn push(&mut self, candle: &Candle) {
        let [high, low, close] = [candle.high, candle.low, candle.close].map(price);
        let (Some(high), Some(low), Some(close)) = (high, low, close) else {
            // Nothing that can be computed with: no exchange states such a price.
            self.studies.iter_mut().for_each(|study| study.on_gap(candle.start));
            return self.note(None);
        };
        let range = TrueRangeInput { high, low, close };
        let traded = candle.volume.zip(candle.turnover);
        let traded = traded
            .zip(self.worth)
            .and_then(|((lots, turnover), worth)| Traded::of_turnover(&worth, lots, turnover));
        self.push_input(candle.start, &Input { range, traded });
        self.note(Some(close));
    }

    /// An interval in which surely nothing was traded: the price is the one before, and no volume.
    fn push_empty(&mut self, start: UnixNanos) {
        // Nor is it known what was paid last.
        let Some(close) = self.close else {
            return self.studies.iter_mut().for_each(|study| study.on_gap(start));
        };
        let range = TrueRangeInput { high: close, low: close, close };
        self.push_input(start, &Input { range, traded: Some(Traded::NOTHING) });
        self.note(Some(close));
    }

    fn push_input(&mut self, start: UnixNanos, input: &Input) {
        let end = UnixNanos::from_nanos(start.as_nanos().saturating_add(self.length));
        self.studies.iter_mut().for_each(|study| study.push(start, end, input));
    }

    fn note(&mut self, close: Option<Price>) {
        self.close = close;
        self.line.push_back(close);
        if self.line.len() > LINE {
            self.line.pop_front();
        }
    }

    /// What everything comes to.
    pub(super) fn shown(&self) -> impl Iterator<Item = (IndicatorName, Shown)> + '_ {
        self.studies.iter().map(|study| (study.name(), study.shown()))
    }
}

/// A price that is stated as any other number.
fn price(number: Decimal) -> Option<Price> {
    number.to_string().parse().ok()
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;
    use kucoin_futures_analytics::Reading;

    use super::*;
    use crate::args::{Args, Command};

    const MINUTE: u64 = 60_000_000_000;
    const START: u64 = 1_790_000_040_000_000_000;

    fn contract(indicators: &str) -> Contract {
        let line = ["kcf", "candles", "XBTUSDTM", "--indicators", indicators];
        let Command::Candles(args) = Args::parse_from(line).command else { panic!("{line:?}") };
        let symbol = "XBTUSDTM".parse().unwrap();
        let mut contract = Contract::new(Instant::ZERO, symbol, &args, 0).unwrap();
        let worth = Valuation::linear("0.001".parse().unwrap()).unwrap();
        contract.studies =
            args.indicators.iter().map(|it| Study::of(*it, &worth).unwrap()).collect();
        contract.worth = Some(worth);
        contract
    }

    fn at(minute: u64) -> UnixNanos {
        UnixNanos::from_nanos(START + minute * MINUTE)
    }

    fn closed(minute: u64, close: u64) -> JoinedCandle {
        let start = at(minute).as_nanos() / 1_000_000_000;
        let text = format!(
            r#"{{"symbol":"XBTUSDTM","candles":["{start}","{close}","{close}","{close}","{close}","{}","1000"],"time":1}}"#,
            close
        );
        JoinedCandle::Closed(Candle::from(&CandleUpdate::parse(text.as_bytes()).unwrap()))
    }

    /// What the first indicator says after each word.
    fn said(contract: &mut Contract, words: Vec<JoinedCandle>) -> Vec<String> {
        contract.joined = words;
        let mut all = Vec::new();
        while contract.next().is_some() {
            all.push(match contract.shown().next().unwrap().1 {
                Reading::Warming { .. } => "warming".to_owned(),
                Reading::Valid { value, .. } => format!("{value:?}"),
                Reading::Stale { .. } => "stale".to_owned(),
            });
        }
        all
    }

    #[test]
    fn silence_after_a_hole_is_not_filled_with_the_price_from_before_it() {
        let mut contract = contract("sma=2");
        let words = vec![
            closed(0, 100),
            closed(1, 102),
            JoinedCandle::Empty { from: at(2), to: at(4) },
            JoinedCandle::Hole { from: at(4), to: at(5) },
            JoinedCandle::Empty { from: at(5), to: at(25) },
            closed(25, 110),
            closed(26, 112),
        ];
        let said = said(&mut contract, words);
        let price = |text: &str| format!("Price({:?})", text.parse::<Price>().unwrap());
        let expected =
            ["warming".into(), price("101"), price("102"), "stale".into(), "stale".into()];
        assert_eq!(said[..5], expected);
        assert_eq!(said[5..], ["stale".to_owned(), price("111")]);
        assert!(contract.spark().contains('·'));
        assert_eq!(contract.close.unwrap().to_string(), "112");
    }

    #[test]
    fn nothing_is_told_before_it_is_known_what_a_lot_is_worth() {
        let mut contract = contract("vwap=1");
        contract.worth = None;
        contract.joined = vec![closed(0, 100)];
        assert!(contract.next().is_none() && contract.wants_terms());
        contract.worth = Some(Valuation::linear("0.001".parse().unwrap()).unwrap());
        assert!(contract.next().is_some());
        // 100 were paid for a thousand lots of a thousandth.
        let Reading::Valid { value, .. } = contract.shown().next().unwrap().1 else { panic!() };
        assert_eq!(format!("{value:?}"), format!("Price({:?})", "100".parse::<Price>().unwrap()));
    }
}
