//! The formulas as they stand in books: over all inputs at once, nothing kept from one to the next.

use kucoin_futures_analytics::{Touch, TrueRangeInput};
use kucoin_futures_proto::{Book, ContractKind, Price, UnixNanos};

type Inputs<'a> = &'a [(UnixNanos, Price, u64, usize)];

fn last<T>(all: &[T], n: usize) -> Option<&[T]> {
    all.get(all.len().checked_sub(n)?..)
}

fn number(price: Price) -> f64 {
    price.to_string().parse().unwrap()
}

pub(crate) fn prices(all: Inputs<'_>) -> Vec<f64> {
    all.iter().map(|(_, price, ..)| number(*price)).collect()
}

pub(crate) fn sma(all: Inputs<'_>, n: usize) -> Option<Price> {
    let sum: i128 = last(all, n)?.iter().map(|(_, price, ..)| i128::from(price.scaled())).sum();
    Price::from_scaled((sum / n as i128) as i64)
}

/// From the first value on.
pub(crate) fn ema(all: &[f64], n: usize) -> Vec<f64> {
    if all.len() < n {
        return Vec::new();
    }
    let alpha = 2.0 / (n as f64 + 1.0);
    let mut values = vec![all[..n].iter().sum::<f64>() / n as f64];
    for x in &all[n..] {
        values.push(alpha * x + (1.0 - alpha) * values[values.len() - 1]);
    }
    values
}

fn wilder(all: &[f64], n: usize) -> Option<f64> {
    let first = all.get(..n)?.iter().sum::<f64>() / n as f64;
    Some(all[n..].iter().fold(first, |mean, x| (mean * (n as f64 - 1.0) + x) / n as f64))
}

pub(crate) fn rsi(all: Inputs<'_>, n: usize) -> Option<f64> {
    let changes =
        || all.windows(2).map(|pair| (pair[1].1.scaled() - pair[0].1.scaled()) as f64 / 1e12);
    let gain = wilder(&changes().map(|change| change.max(0.0)).collect::<Vec<_>>(), n)?;
    let loss = wilder(&changes().map(|change| (-change).max(0.0)).collect::<Vec<_>>(), n)?;
    (gain + loss > 0.0).then(|| 100.0 - 100.0 / (1.0 + gain / loss))
}

pub(crate) fn atr(all: &[TrueRangeInput], n: usize) -> Option<f64> {
    let range = |pair: &[TrueRangeInput]| {
        let [before, now] = pair else { unreachable!() };
        let [high, low, close] =
            [now.high, now.low, before.close].map(|price| i128::from(price.scaled()));
        (high - low).max((high - close).abs()).max((low - close).abs()) as f64 / 1e12
    };
    wilder(&all.windows(2).map(range).collect::<Vec<_>>(), n)
}

/// Mean and deviation, from differences to the mean: in units, so that they are exact up to the last division.
pub(crate) fn deviation(all: Inputs<'_>, n: usize) -> Option<(f64, f64)> {
    let prices: Vec<i128> =
        last(all, n)?.iter().map(|input| i128::from(input.1.scaled())).collect();
    let sum: i128 = prices.iter().sum();
    // n times each difference.
    let squares: f64 =
        prices.iter().map(|price| (price * n as i128 - sum) as f64).map(|d| d * d).sum();
    let n = n as f64;
    Some((sum as f64 / n / 1e12, (squares / n).sqrt() / n / 1e12))
}

pub(crate) fn macd(all: &[f64], [fast, slow, signal]: [usize; 3]) -> Option<[f64; 3]> {
    let slow_line = ema(all, slow);
    let fast_line = ema(all.get(slow - fast..)?, fast);
    let line: Vec<f64> = fast_line.iter().zip(&slow_line).map(|(a, b)| a - b).collect();
    let signal = *ema(&line, signal).last()?;
    let macd = *line.last()?;
    Some([macd, signal, macd - signal])
}

pub(crate) fn volatility(all: Inputs<'_>, n: usize) -> Option<f64> {
    let log = |pair: &[(UnixNanos, Price, u64, usize)]| {
        let change = (pair[1].1.scaled() - pair[0].1.scaled()) as f64 / pair[0].1.scaled() as f64;
        change.ln_1p().powi(2)
    };
    let squares: Vec<f64> = all.windows(2).map(log).collect();
    Some(last(&squares, n)?.iter().sum::<f64>().sqrt())
}

/// By ratios of whole numbers: of an inverse contract over a common denominator, in pieces of 1e-24.
pub(crate) fn vwap(kind: ContractKind, all: Inputs<'_>) -> Option<Price> {
    use ethnum::U256;
    let lots: U256 = all.iter().map(|fill| U256::from(fill.2)).sum();
    let units = |price: Price| U256::from(price.scaled() as u64);
    let value = match kind {
        ContractKind::Linear => all
            .iter()
            .map(|fill| units(fill.1) * U256::from(fill.2))
            .sum::<U256>()
            .checked_div(lots),
        ContractKind::Inverse => {
            let unit = U256::from(10_u64).pow(36);
            let coins: U256 =
                all.iter().map(|fill| U256::from(fill.2) * unit / units(fill.1)).sum();
            (lots * unit).checked_div(coins)
        }
    };
    Price::from_scaled(value?.as_i64())
}

/// Those later than a span before the last one, if the inputs go back so far.
pub(crate) fn within(all: Inputs<'_>, span: u64) -> Option<Inputs<'_>> {
    let begin = all.last()?.0.as_nanos() - span;
    let from = all.iter().position(|input| input.0.as_nanos() > begin)?;
    (all[0].0.as_nanos() <= begin).then_some(&all[from..])
}

/// When, and by how many lots buyers have pressed.
pub(crate) fn flows(all: &[(u64, Touch)]) -> Vec<(u64, i128)> {
    let flow = |pair: &[(u64, Touch)]| {
        let [(_, a), (at, b)] = pair else { unreachable!() };
        let lots = |level: kucoin_futures_proto::book::Level| i128::from(level.size.get());
        let mut flow = 0;
        if b.bid.price >= a.bid.price {
            flow += lots(b.bid);
        }
        if b.bid.price <= a.bid.price {
            flow -= lots(a.bid);
        }
        if b.ask.price <= a.ask.price {
            flow -= lots(b.ask);
        }
        if b.ask.price >= a.ask.price {
            flow += lots(a.ask);
        }
        (*at, flow)
    };
    all.windows(2).map(flow).collect()
}

pub(crate) fn microprice(touch: Touch) -> Option<Price> {
    let of = |price: Price, size: u64| price.scaled() as u128 * u128::from(size);
    let (bid, ask) = (touch.bid.size.get(), touch.ask.size.get());
    let sum = of(touch.bid.price, ask) + of(touch.ask.price, bid);
    Price::from_scaled((sum / u128::from(bid + ask)) as i64)
}

/// A book with a spread of one more than that, `lots` and three on the best three bids, and seven on as many asks.
pub(crate) fn book(spread: u64, lots: u64) -> Book {
    let mut book = Book::new(1000, usize::MAX);
    let ask = 101 + spread;
    let body = format!(
        r#"{{"code":"200000","data":{{"sequence":1,"symbol":"XBTUSDTM","ts":1790000000000000000,
        "bids":[[100,{}],[99,1],[98,1],[97,50]],"asks":[[{ask},4],[{},2],[{},1],[{},60]]}}}}"#,
        lots + 1,
        ask + 1,
        ask + 2,
        ask + 3,
    );
    book.read(body.as_bytes()).unwrap();
    book
}
