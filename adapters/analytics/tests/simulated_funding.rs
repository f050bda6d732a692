//! Funding of a contract that settles every hour, as a real client of the simulated exchange hears of it while its
//! connection breaks: whatever is called comparable is of two intervals in a row, and the charged rate is the true one.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    reason = "tests"
)]

use std::time::Duration;

use kucoin_futures_analytics::funding::{
    Funding, FundingConfig, FundingDivergence, FundingInput, RateState, Waiting,
};
use kucoin_futures_analytics::{Indicator, Reading};
use kucoin_futures_proto::wire::{FundingRate, FundingSettlement, MarkPrice};
use kucoin_futures_proto::{Channel, Decimal, Event, Symbol, TopicEvent, UnixNanos};
use kucoin_futures_sim::{Contract, ExchangeConfig, World, WorldEvent};
use serde_json::Value;

const HOUR_MS: u64 = 3_600_000;
/// A settlement.
const DUE_MS: u64 = 500_000 * HOUR_MS;

#[derive(Default, Debug)]
struct Counts {
    comparable: u32,
    settling: u32,
    waiting: u32,
    stale: u32,
}

struct Desk {
    world: World,
    symbol: Symbol,
    funding: FundingDivergence,
    counts: Counts,
}

impl Desk {
    fn new(seed: u64, faults: &str) -> Self {
        let symbol: Symbol = "10PEPEUSDTM".parse().unwrap();
        let mut exchange = ExchangeConfig::default();
        exchange.contracts = vec![Contract::named(symbol)];
        (exchange.rate, exchange.faults) = (2.0, faults.parse().unwrap());
        exchange.unix_start = UnixNanos::from_millis(DUE_MS - 240_000).unwrap();
        let mut world =
            World::new(seed, World::client_config(), exchange, Duration::from_millis(80));
        for channel in [Channel::instrument(symbol), Channel::announcements()] {
            world.subscribe(channel).unwrap().unwrap();
        }
        let hour = Duration::from_secs(3600);
        let mut funding = FundingDivergence::new(hour, FundingConfig::default()).unwrap();
        // What the contract list and history say at the start.
        let now = world.exchange().unix(world.now());
        let shown = world.exchange().market(symbol).unwrap().funding_at(now).unwrap();
        funding.on_schedule(UnixNanos::from_millis(shown.next_ms).unwrap());
        let last = UnixNanos::from_millis(shown.next_ms - HOUR_MS).unwrap();
        funding.on_charged(last, shown.last_charged);
        Self { world, symbol, funding, counts: Counts::default() }
    }

    fn run_for(&mut self, span: Duration) {
        let end = self.world.now() + span;
        while self.world.now() < end {
            let until = (self.world.now() + Duration::from_secs(1)).min(end);
            if !self.world.step(until).unwrap() {
                self.world.run_for(until.since(self.world.now())).unwrap();
            }
            let happenings = self.world.take_happenings();
            for (_, happening) in &happenings {
                if let WorldEvent::Client(Event::Topic(_, TopicEvent::MayHaveMissed)) = happening {
                    self.funding.on_gap(self.world.exchange().unix(self.world.now()));
                }
            }
            for (_, happening) in &happenings {
                if let WorldEvent::Push(bytes) = happening {
                    self.on_push(bytes);
                }
            }
            let now = self.world.exchange().unix(self.world.now());
            let reading = self.funding.on_time(now);
            self.check(&reading);
        }
    }

    fn on_push(&mut self, bytes: &[u8]) {
        let frame: Value = serde_json::from_slice(bytes).unwrap();
        let data = serde_json::to_vec(&frame["data"]).unwrap();
        let at = UnixNanos::from_millis(frame["data"]["timestamp"].as_u64().unwrap()).unwrap();
        let input = match frame["subject"].as_str().unwrap() {
            "mark.index.price" => FundingInput::Mark(MarkPrice::parse(&data).unwrap()),
            "funding.rate" => FundingInput::Rate(FundingRate::parse(&data).unwrap()),
            "funding.end" => FundingInput::Settled(FundingSettlement::parse(&data).unwrap()),
            "funding.begin" => return,
            other => panic!("{other}"),
        };
        let reading = self.funding.push(at, input);
        self.check(&reading);
        let (FundingInput::Mark(_), Reading::Valid { value, valid_since }) = (input, reading)
        else {
            return;
        };
        let marks = self.world.exchange().market(self.symbol).unwrap().marks(valid_since);
        let [mark, index] = [marks.mark, marks.index].map(|price| i128::from(price.scaled()));
        let premium = (mark - index) * 1_000_000_000_000_000_000 / index;
        assert_eq!(Some(value.premium), Decimal::new(premium, -18));
    }

    fn check(&mut self, reading: &Reading<Funding>) {
        self.counts.stale += u32::from(reading.is_stale());
        let Some(said) = reading.value() else { return };
        let now = self.world.exchange().unix(self.world.now()).as_millis();
        match said.rate {
            RateState::Comparable(said) => {
                self.counts.comparable += 1;
                // Nothing is on its way for longer than a second.
                let from_due = now.abs_diff(DUE_MS);
                assert!(
                    if now < DUE_MS { from_due > 59_000 } else { from_due >= 90_000 },
                    "{from_due}"
                );
                let market = self.world.exchange().market(self.symbol).unwrap();
                let shown = |ms| market.funding_at(UnixNanos::from_millis(ms).unwrap()).unwrap();
                assert_eq!(said.settled, shown(now).last_charged);
                // One comes each minute, and may be three minutes old; none of before the settlement.
                let minutes = (0..=3).map(|back| now - back * 60_000);
                let same_side = |ms: &u64| now < DUE_MS || *ms >= DUE_MS + 90_000;
                let estimates: Vec<_> =
                    minutes.filter(same_side).map(|ms| shown(ms).rate).collect();
                assert!(estimates.contains(&said.estimate), "{said:?} {estimates:?}");
            }
            RateState::Settling { settlement } => {
                self.counts.settling += 1;
                assert_eq!(settlement.as_millis(), DUE_MS);
            }
            RateState::Waiting(Waiting::Estimate | Waiting::SettledRate) => {
                self.counts.waiting += 1
            }
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn what_is_comparable_is_of_two_intervals_in_a_row() {
    let mut all = Counts::default();
    for seed in 0..20 {
        // The settlement itself is heard, missed, or heard on one of both topics.
        let faults = [
            "at 97s close 1006; at 400s reset",
            "at 235s close 1006; at 235s refuse 30s",
            "at 245s reset; at 245s refuse 3s",
            "every 50s close 1006",
        ][seed as usize % 4];
        let mut desk = Desk::new(seed, faults);
        desk.run_for(Duration::from_secs(720));
        let Counts { comparable, settling, waiting, stale } = desk.counts;
        all.comparable += comparable;
        all.settling += settling;
        all.waiting += waiting;
        all.stale += stale;
    }
    println!("{all:?}");
    assert!(all.comparable > 15_000 && all.settling > 8_000, "{all:?}");
    assert!(all.waiting > 8_000 && all.stale > 1_000, "{all:?}");
}
