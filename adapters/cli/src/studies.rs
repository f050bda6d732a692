//! `kcf candles --indicators`: history and stream as one list of candles, and what is computed of it.

mod contract;
mod show;
mod spark;
mod study;

use std::collections::BTreeMap;
use std::time::Duration;

use kucoin_futures_host::unix_now;
use kucoin_futures_proto::{Channel, Instant, Interval, Message, Push, Query, Symbol, UnixNanos};

use crate::args::{CandlesArgs, Connect};
use crate::board::Board;
use crate::exit::{Failure, Kind};
use crate::feed::Feed;
use crate::follow::{Ctx, Session, Show};
use contract::Contract;

pub(crate) use study::IndicatorName;

const HEADER: &str = "symbol       begins          close";

pub(crate) fn run(connect: &Connect, args: &CandlesArgs) -> Result<(), Failure> {
    let stream = &args.stream;
    let mut session = Session::open(connect, &stream.run, stream.lines, None)?;
    let symbols = session.symbols(&stream.contracts)?;
    let history = history(args);
    let length = args.interval.duration().unwrap_or_default();
    let shown = length.saturating_mul(args.history.saturating_add(1));
    let shown_from =
        unix_now().as_nanos().saturating_sub(u64::try_from(shown.as_nanos()).unwrap_or(u64::MAX));
    let shown_from = UnixNanos::from_nanos(shown_from);
    let mut contracts = BTreeMap::new();
    for symbol in symbols {
        let contract = Contract::new(session.now(), symbol, args, history);
        let contract = contract.map_err(|error| Failure::words(Kind::Usage, error))?;
        contracts.insert(symbol, contract);
        // What a lot is worth: averages over volume depend on it.
        session.fetch(Query::Contract { symbol });
    }
    session.subscribe(contracts.keys().map(|symbol| Channel::candles(*symbol, args.interval)))?;
    let board = Board::new(HEADER);
    let interval = args.interval;
    let (asks_time, terms_due) = (false, Vec::new());
    session.run(&mut Studies { interval, contracts, board, asks_time, terms_due, shown_from })
}

/// Candles from before: what was asked for, and for an average over the day since the day began.
fn history(args: &CandlesArgs) -> u32 {
    const DAY: u64 = 86_400_000_000_000;
    let length = args.interval.duration().map_or(0, |length| length.as_nanos());
    let of_today = u128::from(unix_now().as_nanos() % DAY).checked_div(length).unwrap_or(0);
    let of_today = u32::try_from(of_today).unwrap_or(0).saturating_add(1);
    let is_needed = args.indicators.iter().any(IndicatorName::is_of_days);
    if is_needed { args.history.max(of_today) } else { args.history }
}

struct Studies {
    interval: Interval,
    contracts: BTreeMap<Symbol, Contract>,
    board: Board,
    /// The exchange's time was asked for, by whichever contract.
    asks_time: bool,
    /// What a lot is worth is to be asked again.
    terms_due: Vec<(Instant, Symbol)>,
    /// What began before is not shown.
    shown_from: UnixNanos,
}

/// After an answer that did not come.
const RETRY: Duration = Duration::from_secs(5);

impl Studies {
    /// Asks what is to be asked; whether there was anything, and otherwise how long there is to wait.
    fn ask(&mut self, cx: &mut Ctx) -> Duration {
        let mut wait = Duration::MAX;
        let now = cx.now;
        for (_, symbol) in self.terms_due.extract_if(.., |(due, _)| *due <= now) {
            cx.ask(Query::Contract { symbol });
            wait = Duration::ZERO;
        }
        for (due, _) in &self.terms_due {
            wait = wait.min(due.since(now));
        }
        for (symbol, contract) in &mut self.contracts {
            if cx.is_stale(symbol.as_str()) {
                contract.on_down();
            }
            match contract.poll_query(cx.now) {
                Some(Query::ServerTime) if self.asks_time => {}
                Some(query) => {
                    self.asks_time |= query == Query::ServerTime;
                    cx.ask(query);
                    wait = Duration::ZERO;
                }
                None => wait = wait.min(contract.deadline().since(cx.now)),
            }
        }
        wait
    }

    /// Shows what has come of it.
    fn tell(&mut self, cx: &mut Ctx) -> Result<(), Failure> {
        for (symbol, contract) in &mut self.contracts {
            while let Some(told) = contract.next() {
                // What is older was only asked for to compute with.
                if told.at() < self.shown_from {
                    continue;
                }
                if cx.json {
                    if let Some(line) = show::json(*symbol, self.interval, contract, &told) {
                        cx.data(line)?;
                    }
                } else if let Some(row) = show::row(*symbol, contract, &told, cx.out.has_table()) {
                    self.board.show(cx, symbol.as_str(), row)?;
                }
            }
        }
        Ok(())
    }
}

impl Show for Studies {
    fn beat(&mut self, cx: &mut Ctx, _: &Feed) -> Result<Option<Duration>, Failure> {
        let wait = self.ask(cx);
        self.tell(cx)?;
        Ok(Some(wait))
    }

    fn rest(&mut self, cx: &mut Ctx, _: &Feed) -> Result<Option<Duration>, Failure> {
        self.board.rest(cx)
    }

    fn confirmed(&mut self, cx: &mut Ctx, channel: Channel) {
        self.missed(cx, channel);
    }

    fn missed(&mut self, cx: &mut Ctx, channel: Channel) {
        if let Some(contract) = channel.symbol().and_then(|of| self.contracts.get_mut(&of)) {
            contract.on_may_have_missed(cx.now);
        }
    }

    fn failed(&mut self, cx: &mut Ctx, query: Query) {
        match query {
            Query::ServerTime => {
                self.asks_time = false;
                self.contracts.values_mut().for_each(|contract| contract.on_time_failed(cx.now));
            }
            Query::Klines { symbol, .. } => {
                if let Some(contract) = self.contracts.get_mut(&symbol) {
                    contract.on_query_failed(cx.now);
                }
            }
            Query::Contract { symbol } => self.terms_due.push((cx.now + RETRY, symbol)),
            _ => {}
        }
    }

    fn message(
        &mut self,
        cx: &mut Ctx,
        push: &Push<'_>,
        message: &Message<'_>,
    ) -> Result<(), Failure> {
        if let Message::ServerTime(time) = message {
            self.asks_time = false;
            self.contracts.values_mut().for_each(|contract| contract.on_server_time(cx.now, *time));
            return Ok(());
        }
        let Some(contract) = cx.symbol_of(push).and_then(|of| self.contracts.get_mut(&of)) else {
            return Ok(());
        };
        match message {
            Message::Candle(candle) => contract.on_candle(cx.now, candle),
            Message::Klines(rows) => contract.on_klines(cx.now, rows),
            Message::Contract(terms) => contract.on_terms(terms).map_err(|error| {
                let text =
                    format!("the terms of {} cannot be computed with: {error}", terms.symbol);
                Failure::words(Kind::Integrity, text)
            })?,
            _ => {}
        }
        Ok(())
    }
}
