//! One market: a touch that wanders, and ticks on both sides that are occupied or not.

use std::collections::VecDeque;
use std::fmt::Write as _;

use kucoin_futures_proto::SplitMix64;

use super::shape::{Level, START_MS, Shape, Spread, Units, unit};

/// A contract, its book before the first change, and its book now.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Market {
    /// As the exchange writes it.
    pub symbol: String,
    /// Smallest step of a price.
    pub tick: Units,
    /// Sequence of the book before the first change.
    pub sequence: u64,
    /// Before the first change: bids, then asks, each best first.
    pub before: [Vec<Level>; 2],
    /// The same as the body of `GET /api/v1/level2/snapshot`.
    pub body: String,
    decimals: usize,
    last_sequence: u64,
    sides: [Half; 2],
    /// The lowest tick of an ask; the highest of a bid is one below.
    touch: i64,
    home: i64,
    profile: Profile,
    due: VecDeque<(bool, i64, u64)>,
    lowest: i64,
    highest: i64,
}

/// Levels as (tick, size), worst first.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
struct Half(Vec<(i64, u64)>);

/// How likely a tick is occupied, by its distance from the touch.
#[derive(Clone, PartialEq, Eq, Debug)]
struct Profile {
    spread: Spread,
    /// Distance within which 20 levels are expected.
    near: i64,
    /// Distance within which all are expected.
    far: i64,
}

/// Decimals, steps per tick, and price in ticks, of the first contracts and, in turn, of all.
const KINDS: [(usize, i64, i64); 6] = [
    (1, 1, 900_000), // 90000.0 by 0.1
    (2, 1, 240_000), // 2400.00 by 0.01
    (8, 1, 234_567), // 0.00234567 by 1e-8
    (4, 1, 9_000),   // 0.9000 by 0.0001
    (2, 5, 48_000),  // 2400.00 by 0.05
    (3, 1, 145_000), // 145.000 by 0.001
];

/// Of the changes that meet a level; with as many insertions, 44 % of all changes are removals.
const REMOVED: f64 = 0.786;
/// Of the changes, with `Spread::Touch`.
const NEAR: f64 = 0.93;
const MOVES: f64 = 0.02;
const JUMPS: f64 = 0.000_05;

impl Profile {
    fn new(levels: usize, spread: Spread) -> Self {
        let (mut expected, mut near, mut far) = (0.0, 0, 0_i64);
        while expected < levels as f64 {
            if expected < 20.0 {
                near = far + 1;
            }
            expected += occupied(far);
            far += 1;
        }
        Self { spread, near, far }
    }

    fn draw(&self, rng: &mut SplitMix64) -> i64 {
        let whole = self.far as f64 * 1.1;
        let near = self.near as f64;
        let at = match self.spread {
            Spread::Flat => unit(rng) * whole,
            Spread::Touch if unit(rng) < NEAR => unit(rng).powi(2) * near,
            Spread::Touch => near + unit(rng) * (whole - near),
        };
        at as i64
    }

    /// How many insertions a free tick at this distance gets for each change of an occupied one.
    fn inserted(&self, distance: i64) -> f64 {
        if distance >= self.far {
            return 0.0;
        }
        let occupied = occupied(distance);
        occupied * REMOVED / (1.0 - occupied)
    }
}

fn occupied(distance: i64) -> f64 {
    match distance {
        0 => 0.6,
        1 => 0.4,
        _ => 1.0 / (5.0 + (distance as f64).sqrt() / 12.0),
    }
}

fn size(rng: &mut SplitMix64) -> u64 {
    100_000_f64.powf(unit(rng)) as u64
}

impl Market {
    pub(super) fn new(rank: usize, shape: &Shape, rng: &mut SplitMix64) -> Self {
        let kind = KINDS.iter().cycle().nth(rank).copied();
        let (decimals, steps, touch) = kind.unwrap_or((1, 1, 900_000));
        let symbol = match rank {
            0 => "XBTUSDTM".into(),
            1 => "ETHUSDTM".into(),
            _ => format!("ALT{rank}USDTM"),
        };
        let finest = 10_i64.pow(12 - decimals as u32);
        let sequence = 1_709_400_000_000 + rng.below(1_000_000_000);
        let mut market = Self {
            symbol,
            tick: finest * steps,
            sequence,
            before: [Vec::new(), Vec::new()],
            body: String::new(),
            decimals,
            last_sequence: sequence,
            sides: [Half::default(), Half::default()],
            touch,
            home: touch,
            profile: Profile::new(shape.levels, shape.spread),
            due: VecDeque::new(),
            lowest: touch,
            highest: touch,
        };
        for bid in [true, false] {
            market.fill(bid, shape.levels, rng);
        }
        market.before = market.after();
        market.body = market.snapshot_body();
        market
    }

    fn fill(&mut self, bid: bool, levels: usize, rng: &mut SplitMix64) {
        let mut distance = 0;
        let mut left = levels;
        while left > 0 {
            let tick = self.tick_at(bid, distance);
            if tick <= 0 {
                return;
            }
            if unit(rng) < occupied(distance) {
                self.set(bid, tick, size(rng));
                left -= 1;
            }
            distance += 1;
        }
    }

    /// The levels now: bids, then asks, each best first.
    #[must_use]
    pub fn after(&self) -> [Vec<Level>; 2] {
        self.sides
            .each_ref()
            .map(|half| half.0.iter().rev().map(|&(tick, size)| (tick * self.tick, size)).collect())
    }

    /// The lowest and the highest price that any level ever had.
    #[must_use]
    pub const fn range(&self) -> (Units, Units) {
        (self.lowest * self.tick, self.highest * self.tick)
    }

    /// A price as the stream writes it: `90631.2`, `83614`.
    #[must_use]
    pub fn price_text(&self, price: Units) -> String {
        let finest = 10_i64.pow(12 - self.decimals as u32);
        let digits = price / finest;
        let one = 10_i64.pow(self.decimals as u32);
        let text = format!("{}.{:0width$}", digits / one, digits % one, width = self.decimals);
        text.trim_end_matches('0').trim_end_matches('.').to_owned()
    }

    fn snapshot_body(&self) -> String {
        let [bids, asks] = self.before.each_ref().map(|levels| {
            let mut text = String::new();
            for &(price, size) in levels {
                let price = self.price_text(price);
                // The body writes whole prices with a zero behind the dot; the stream does not.
                let zero = if price.contains('.') { "" } else { ".0" };
                let comma = if text.is_empty() { "" } else { "," };
                // Writing to a string cannot fail.
                let _ = write!(text, "{comma}[{price}{zero},{size}]");
            }
            text
        });
        format!(
            r#"{{"code":"200000","data":{{"sequence":{},"symbol":"{}","bids":[{bids}],"asks":[{asks}],"ts":{}000000}}}}"#,
            self.sequence,
            self.symbol,
            START_MS - 1,
        )
    }

    /// The next change: its sequence, whether it is of a bid, its price and its size.
    pub(super) fn change(&mut self, rng: &mut SplitMix64) -> (u64, bool, Units, u64) {
        if self.due.is_empty() {
            self.stir(rng);
        }
        let next = self.due.pop_front();
        let (bid, tick, size) = next.unwrap_or_else(|| self.draw(rng));
        self.set(bid, tick, size);
        self.last_sequence += 1;
        (self.last_sequence, bid, tick * self.tick, size)
    }

    fn draw(&self, rng: &mut SplitMix64) -> (bool, i64, u64) {
        loop {
            let bid = rng.below(2) == 0;
            let distance = self.profile.draw(rng);
            let tick = self.tick_at(bid, distance);
            let held = self.half(bid).place_of(bid, tick).is_ok();
            if held {
                let removed = distance >= self.profile.far || unit(rng) < REMOVED;
                return (bid, tick, if removed { 0 } else { size(rng) });
            }
            if tick > 0 && unit(rng) < self.profile.inserted(distance) {
                return (bid, tick, size(rng));
            }
        }
    }

    /// Moves the touch now and then: what stands in the way goes, and what was vacated is filled.
    fn stir(&mut self, rng: &mut SplitMix64) {
        let ticks = match unit(rng) {
            x if x < JUMPS => 50 + rng.below(100) as i64,
            x if x < JUMPS + MOVES => 1 + rng.below(2) as i64,
            _ => return,
        };
        // Back towards home, so that the book of the beginning stays the book that is looked at.
        let away = (self.touch - self.home) as f64 / 1000.0;
        let up = unit(rng) < 0.5 - away.clamp(-0.4, 0.4);
        let old = self.touch;
        self.touch += if up { ticks } else { -ticks };
        let new = self.touch;
        let in_the_way = |tick: i64| if up { tick < new } else { tick >= new };
        let hit = self.half(!up).0.iter().rev().take_while(|&&(tick, _)| in_the_way(tick));
        let removals: Vec<_> = hit.map(|&(tick, _)| (!up, tick, 0)).collect();
        self.due.extend(removals);
        let vacated = if up { old..new } else { new..old };
        for tick in vacated {
            let distance = if up { new - 1 - tick } else { tick - new };
            if unit(rng) < occupied(distance) {
                self.due.push_back((up, tick, size(rng)));
            }
        }
    }

    const fn tick_at(&self, bid: bool, distance: i64) -> i64 {
        if bid { self.touch - 1 - distance } else { self.touch + distance }
    }

    const fn half(&self, bid: bool) -> &Half {
        let [bids, asks] = &self.sides;
        if bid { bids } else { asks }
    }

    fn set(&mut self, bid: bool, tick: i64, size: u64) {
        self.lowest = self.lowest.min(tick);
        self.highest = self.highest.max(tick);
        let [bids, asks] = &mut self.sides;
        let half = if bid { bids } else { asks };
        match (half.place_of(bid, tick), size) {
            (Ok(at), 0) => {
                half.0.remove(at);
            }
            (Ok(at), _) => {
                if let Some(level) = half.0.get_mut(at) {
                    level.1 = size;
                }
            }
            (Err(_), 0) => {}
            (Err(at), _) => half.0.insert(at, (tick, size)),
        }
    }
}

impl Half {
    fn place_of(&self, bid: bool, tick: i64) -> Result<usize, usize> {
        self.0.binary_search_by(|&(held, _)| if bid { held.cmp(&tick) } else { tick.cmp(&held) })
    }
}
