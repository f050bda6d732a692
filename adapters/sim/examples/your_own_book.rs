//! Your own book and gap handling on trial: two of them, the one from the tutorials and a careful one.
//!
//! ```sh
//! cargo run --release -p kucoin-futures-sim --example your_own_book -- 50
//! ```
//!
//! Copy it, put your own book in place of [`Careful`], and see whether it stays at 0 lies. It needs
//! the crates `kucoin-futures-sim`, `kucoin-futures-proto` and `serde_json`.

use std::collections::BTreeMap;
use std::time::Duration;

use kucoin_futures_proto::wire::Side;
use kucoin_futures_proto::{Price, Symbol};
use kucoin_futures_sim::trial::{Ask, Contender, Trial, View, try_book};
use kucoin_futures_sim::{Fault, Profile, Scenario};
use serde_json::Value;

/// Levels by price: what every tutorial begins with, and nothing is wrong with it.
#[derive(Default)]
struct Levels {
    bids: BTreeMap<Price, u64>,
    asks: BTreeMap<Price, u64>,
}

impl Levels {
    fn apply(&mut self, delta: &Delta) {
        let side = match delta.side {
            Side::Bid => &mut self.bids,
            Side::Ask => &mut self.asks,
        };
        if delta.size == 0 {
            side.remove(&delta.price);
        } else {
            side.insert(delta.price, delta.size);
        }
    }

    /// Shows so many levels a side, and claims to know them and what lies between them.
    fn show(&self, sequence: u64, depth: usize) -> View {
        let mut view = View::at(sequence);
        for (price, size) in self.bids.iter().rev().take(depth) {
            view = view.bid(&price.to_string(), *size).bids_down_to(&price.to_string());
        }
        for (price, size) in self.asks.iter().take(depth) {
            view = view.ask(&price.to_string(), *size).asks_up_to(&price.to_string());
        }
        view
    }
}

struct Delta {
    sequence: u64,
    side: Side,
    price: Price,
    size: u64,
}

impl Delta {
    fn parse(text: &str) -> Option<Self> {
        let frame: Value = serde_json::from_str(text).ok()?;
        let data = frame.get("data")?;
        let mut parts = data.get("change")?.as_str()?.split(',');
        let price: Price = parts.next()?.parse().ok()?;
        let side = match parts.next()? {
            "buy" => Side::Bid,
            "sell" => Side::Ask,
            _ => return None,
        };
        let size = parts.next()?.parse().ok()?;
        let sequence = data.get("sequence")?.as_u64()?;
        let is_sound = price > Price::ZERO && parts.next().is_none();
        is_sound.then_some(Self { sequence, side, price, size })
    }
}

struct Snapshot {
    sequence: u64,
    symbol: String,
    levels: Levels,
}

impl Snapshot {
    fn parse(body: &str) -> Option<Self> {
        let body: Value = serde_json::from_str(body).ok()?;
        // HTTP 200 says nothing: the code inside does.
        if body.get("code")?.as_str()? != "200000" {
            return None;
        }
        let data = body.get("data")?;
        let side = |name| {
            let rows = data.get(name)?.as_array()?.iter();
            let level =
                |row: &Value| Some((row.get(0)?.to_string().parse().ok()?, row.get(1)?.as_u64()?));
            rows.map(level).collect::<Option<BTreeMap<Price, u64>>>()
        };
        Some(Self {
            sequence: data.get("sequence")?.as_u64()?,
            symbol: data.get("symbol")?.as_str()?.into(),
            levels: Levels { bids: side("bids")?, asks: side("asks")? },
        })
    }
}

/// As in the tutorials: a snapshot, and then every delta on top of it. Claims no more than its best
/// five levels.
#[derive(Default)]
pub(crate) struct Tutorial {
    sequence: u64,
    book: Option<Levels>,
}

impl Contender for Tutorial {
    fn on_connected(&mut self, _: Symbol) -> Ask {
        if self.book.is_none() { Ask::Snapshot } else { Ask::Nothing }
    }

    fn on_frame(&mut self, text: &str) -> Ask {
        if let (Some(book), Some(delta)) = (&mut self.book, Delta::parse(text)) {
            book.apply(&delta);
            self.sequence = delta.sequence;
        }
        Ask::Nothing
    }

    fn on_snapshot(&mut self, body: &str) -> Ask {
        let Some(snapshot) = Snapshot::parse(body) else { return Ask::Snapshot };
        self.sequence = snapshot.sequence;
        self.book = Some(snapshot.levels);
        Ask::Nothing
    }

    fn on_disconnected(&mut self) {}

    fn view(&self) -> Option<View> {
        self.book.as_ref().map(|book| book.show(self.sequence, 5))
    }
}

/// Is live only while every delta since its snapshot was seen, in order, on one connection.
#[derive(Default)]
pub(crate) struct Careful {
    symbol: String,
    live: Option<Live>,
    /// What came while it was not live, without a gap.
    buffer: Vec<Delta>,
}

struct Live {
    sequence: u64,
    levels: Levels,
    /// The worst prices of the snapshot: nothing is known of what lies behind them.
    ends: [Option<Price>; 2],
}

const SOON: Ask = Ask::SnapshotAfter(Duration::from_millis(300));

impl Careful {
    /// Not live any more: what comes from now on is buffered, beginning with this.
    fn start_over(&mut self, first: Option<Delta>) -> Ask {
        self.live = None;
        self.buffer = first.into_iter().collect();
        SOON
    }
}

impl Live {
    /// `false`: there is a gap.
    fn apply(&mut self, delta: &Delta) -> bool {
        if delta.sequence > self.sequence + 1 {
            return false;
        }
        // What the snapshot contains already, or came before.
        if delta.sequence == self.sequence + 1 {
            self.levels.apply(delta);
            self.sequence = delta.sequence;
        }
        true
    }
}

impl Contender for Careful {
    fn on_connected(&mut self, symbol: Symbol) -> Ask {
        self.symbol = symbol.to_string();
        self.start_over(None)
    }

    fn on_frame(&mut self, text: &str) -> Ask {
        let Some(delta) = Delta::parse(text) else { return self.start_over(None) };
        if let Some(live) = &mut self.live {
            return if live.apply(&delta) { Ask::Nothing } else { self.start_over(Some(delta)) };
        }
        match self.buffer.last().map(|last| last.sequence) {
            Some(last) if delta.sequence > last + 1 => return self.start_over(Some(delta)),
            Some(last) if delta.sequence <= last => {}
            _ => self.buffer.push(delta),
        }
        Ask::Nothing
    }

    fn on_snapshot(&mut self, body: &str) -> Ask {
        let snapshot = Snapshot::parse(body).filter(|snapshot| snapshot.symbol == self.symbol);
        let Some(Snapshot { sequence, levels, .. }) = snapshot else { return SOON };
        // It must reach to where the buffer begins.
        if self.buffer.first().is_some_and(|first| first.sequence > sequence + 1) {
            return SOON;
        }
        let ends = [levels.bids.keys().next().copied(), levels.asks.keys().next_back().copied()];
        let mut live = Live { sequence, levels, ends };
        if self.buffer.drain(..).all(|delta| live.apply(&delta)) {
            self.live = Some(live);
        }
        Ask::Nothing
    }

    fn on_disconnected(&mut self) {
        // Whatever comes next is of another connection: nothing is asked for until there is one.
        let _ = self.start_over(None);
    }

    fn view(&self) -> Option<View> {
        let live = self.live.as_ref()?;
        let mut view = live.levels.show(live.sequence, usize::MAX);
        let [bids, asks] = live.ends;
        if let Some(end) = bids {
            view = view.bids_down_to(&end.to_string());
        }
        if let Some(end) = asks {
            view = view.asks_up_to(&end.to_string());
        }
        Some(view)
    }
}

/// Whether the exchange's counter is set back or forth in a scenario. Where old and new sequences
/// overlap, sequences alone do not tell that anything happened: only contents do.
pub(crate) fn turns_the_counter(scenario: &Scenario) -> bool {
    let turns = |fault: &Fault| matches!(fault, Fault::StepBack { .. } | Fault::StepAhead { .. });
    scenario.plan.entries.iter().any(|entry| turns(&entry.fault))
}

/// Tries a fresh contender in the scenario of each seed; adds up.
pub(crate) fn try_all<C: Contender + Default>(
    seeds: u64,
    choose: impl Fn(&Scenario) -> bool,
) -> Trial {
    let mut sum = Trial::default();
    for seed in 0..seeds {
        let scenario = Scenario::from_seed(Profile::Swarm, seed);
        if choose(&scenario) {
            sum.add(&try_book(&scenario, &mut C::default()));
        }
    }
    sum
}

#[allow(clippy::print_stdout, reason = "an example")]
fn main() -> Result<(), Box<dyn std::error::Error>> {
    let seeds = std::env::args().nth(1).map_or(Ok(50), |seeds| seeds.parse())?;
    let steady = |scenario: &Scenario| !turns_the_counter(scenario);
    let rows = [
        ("the tutorial's book", try_all::<Tutorial>(seeds, steady)),
        ("a careful one", try_all::<Careful>(seeds, steady)),
        ("the same, the counter is turned", try_all::<Careful>(seeds, turns_the_counter)),
    ];
    println!("{:<32}{HEAD}", "");
    for (name, sum) in &rows {
        let Trial { trials, caught, recovered, compared, lies, resyncs, .. } = sum;
        let [live, blind] = [sum.live, sum.blind].map(|time| format!("{} s", time.as_secs()));
        println!(
            "{name:<32}{trials:>6}{caught:>8}{recovered:>11}{compared:>10}{lies:>9}{resyncs:>9}{live:>10}{blind:>10}",
        );
    }
    println!();
    for (name, sum) in &rows {
        if let Some(lie) = &sum.first_lie {
            println!("{name}, the first lie:\n  {lie}");
        }
    }
    Ok(())
}

const HEAD: &str = "  runs  caught  recovered  compared     lies  resyncs      live     blind";
