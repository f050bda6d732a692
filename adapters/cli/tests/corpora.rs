//! `kcf replay` over long recordings, of every size of book and every way to write a frame: what it
//! ends with is the exchange's book, symbol by symbol.
//!
//! So many frames as take seconds; `just replay-corpora` makes it a million of each.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    missing_docs,
    reason = "tests"
)]

mod common;
#[path = "corpora/style.rs"]
mod style;

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::io::{BufWriter, Write as _};
use std::time::Duration;

use common::{Files, kcf, lines, listen, of_type, snapshot};
use kucoin_futures_proto::book::Coverage;
use kucoin_futures_proto::wire::Side;
use kucoin_futures_proto::{Instant, Price, SplitMix64, Symbol, UnixNanos};
use kucoin_futures_sim::{
    About, Change, Contract, Exchange, ExchangeConfig, Market, Outgoing, Truth,
};
use serde_json::{Value, json};
use style::Layout;

/// Market, order of symbols and whatever a layout draws.
const SEED: u64 = 23;
/// As the real one's.
const SHOWN: usize = 1000;
/// What was wrong in between may have been set right by later changes: so often is looked.
const MARKS: u64 = 10;

#[test]
fn ordinary_books() {
    Corpus::new("std", ordinary(3)).is_replayed();
}

#[test]
fn deep_books_from_whole_snapshots() {
    Corpus { shown: usize::MAX, ..Corpus::new("deep", deep()) }.is_replayed();
}

/// As the exchange would have it: what lies beyond the snapshot is known only where it changed.
#[test]
fn deep_books_from_snapshots_that_are_cut() {
    Corpus::new("deep-cut", deep()).is_replayed();
}

#[test]
fn two_hundred_symbols() {
    Corpus::new("200-symbols", ordinary(200)).is_replayed();
}

#[test]
fn keys_in_another_order() {
    Corpus { layout: Layout::Sorted, ..Corpus::new("key-order", ordinary(3)) }.is_replayed();
}

#[test]
fn white_space() {
    Corpus { layout: Layout::Spaced, ..Corpus::new("white-space", ordinary(3)) }.is_replayed();
}

#[test]
fn every_frame_otherwise() {
    Corpus { layout: Layout::Mixed, ..Corpus::new("mixed", ordinary(3)) }.is_replayed();
}

/// The comparison above is worth something only if it can fail.
#[test]
fn a_recording_that_says_one_size_wrong_is_noticed() {
    let corpus = Corpus::new("wrong", ordinary(3));
    let recording = corpus.record(2_000);
    let end = recording.marks.last().unwrap();
    assert_eq!(recording.replay(end).1, Vec::<String>::new());
    let mut frames = fs::read_to_string(recording.files.frames()).unwrap();
    // Nothing comes after the last frame that could set its level right.
    let digit = frames.rfind(r#"","timestamp""#).unwrap() - 1;
    let other = if &frames[digit..=digit] == "7" { "8" } else { "7" };
    frames.replace_range(digit..=digit, other);
    fs::write(recording.files.frames(), &frames).unwrap();
    let wrong = recording.replay(end).1;
    let symbol = wrong[0].split(' ').next().unwrap();
    assert!(wrong.len() == 1 && frames.lines().last().unwrap().contains(symbol), "{wrong:?}");
}

/// What is recorded.
struct Corpus {
    name: &'static str,
    contracts: Vec<Contract>,
    /// Levels a side that a snapshot shows.
    shown: usize,
    layout: Layout,
}

/// So many symbols with 500 levels a side, of every tick size that there is.
fn ordinary(symbols: usize) -> Vec<Contract> {
    let kinds = Contract::defaults();
    let contract = |(at, kind): (usize, &Contract)| {
        let mut contract = kind.clone();
        if symbols > kinds.len() {
            contract.symbol = format!("{at}{}", kind.symbol).parse().unwrap();
        }
        contract.depth = 500;
        contract
    };
    kinds.iter().cycle().take(symbols).enumerate().map(contract).collect()
}

fn deep() -> Vec<Contract> {
    let mut contract = Contract::named("XBTUSDTM".parse().unwrap());
    contract.depth = 5000;
    vec![contract]
}

/// Changes in each recording behind its snapshots: a hundred or more.
fn changes() -> u64 {
    std::env::var("KCF_REPLAY_FRAMES").map_or(20_000, |changes| changes.parse().unwrap())
}

impl Corpus {
    fn new(name: &'static str, contracts: Vec<Contract>) -> Self {
        Self { name, contracts, shown: SHOWN, layout: Layout::Own }
    }

    fn is_replayed(&self) {
        let recording = self.record(changes());
        let mut report = String::new();
        // From the whole of it backwards: what is behind a mark is cut off.
        for mark in recording.marks.iter().rev() {
            let (total, wrong) = recording.replay(mark);
            assert_eq!(wrong, Vec::<String>::new(), "{} after {} frames", self.name, mark.lines);
            if report.is_empty() {
                let (frames, seconds) = (mark.lines, total["seconds"].as_f64().unwrap());
                let rate = frames as f64 / seconds;
                report = format!("{frames} frames in {seconds:.3} s, {rate:.0} a second");
            }
        }
        let (books, marks) = (self.contracts.len(), recording.marks.len());
        println!("{}: {books} books right at {marks} marks; {report}", self.name);
    }

    /// Changes of all symbols in a drawn order: a hundredth of them first, then the snapshots, then
    /// `changes` more. Every frame that is sent is recorded.
    fn record(&self, changes: u64) -> Recording {
        let files = Files::new(self.name);
        let (mut now, mut rng) = (Instant::ZERO, SplitMix64::new(SEED));
        let mut exchange = Exchange::new(now, SEED, self.config());
        let symbols: Vec<Symbol> = self.contracts.iter().map(|contract| contract.symbol).collect();
        listen(&mut exchange, now, &symbols);
        let mut told: BTreeMap<Symbol, Told> =
            symbols.iter().map(|symbol| (*symbol, Told::default())).collect();
        let mut out = BufWriter::new(File::create(files.frames()).unwrap());
        let (mut marks, mut lines, mut bytes) = (Vec::new(), 0, 0);
        let early = changes / 100;
        for step in 1..=early + changes {
            now = now + Duration::from_millis(1);
            exchange.change(symbols[rng.below(symbols.len() as u64) as usize], now);
            while let Some(outgoing) = exchange.poll_output() {
                let Outgoing::Send(_, text, about) = outgoing else { continue };
                let mut text = text.to_string();
                if let About::Delta { symbol, sequence, .. } = about {
                    let change = exchange.market(symbol).unwrap().change_of(0, sequence).unwrap();
                    told.get_mut(&symbol).unwrap().change(&change);
                    text = self.layout.write(&mut rng, &text, (symbol, sequence, &change));
                }
                writeln!(out, "{text}").unwrap();
                lines += 1;
                bytes += text.len() as u64 + 1;
            }
            if step == early {
                let body = |symbol: &Symbol| snapshot(&mut exchange, now, *symbol);
                files.write_snapshots(&symbols.iter().map(body).collect::<Vec<_>>());
                for (symbol, told) in &mut told {
                    told.show(exchange.market(*symbol).unwrap().truth(), self.shown);
                }
            }
            let is_due = (early + changes - step).is_multiple_of((changes / MARKS).max(1));
            if step > early && is_due {
                let row = |(symbol, told): (&Symbol, &Told)| {
                    told.row(exchange.market(*symbol).unwrap(), self.is_cut())
                };
                marks.push(Mark { bytes, lines, rows: told.iter().map(row).collect() });
            }
        }
        out.flush().unwrap();
        Recording { files, marks }
    }

    fn is_cut(&self) -> bool {
        self.contracts.iter().any(|contract| contract.depth > self.shown)
    }

    fn config(&self) -> ExchangeConfig {
        let mut config = ExchangeConfig::default();
        config.contracts.clone_from(&self.contracts);
        config.rate = 0.0;
        config.snapshot_levels = self.shown;
        // Ten seconds on, more digits of the time change than are expected to.
        config.unix_start = UnixNanos::from_millis(1_790_099_990_000).unwrap();
        config
    }
}

/// What a recording says of one symbol.
#[derive(Default)]
struct Told {
    /// Where a level was shown or has changed since.
    prices: BTreeSet<(bool, Price)>,
    is_shown: bool,
    before: u64,
    after: u64,
}

impl Told {
    fn show(&mut self, truth: &Truth, levels: usize) {
        self.is_shown = true;
        for side in [Side::Bid, Side::Ask] {
            let shown = truth.levels(side).take(levels);
            self.prices.extend(shown.map(|level| (side == Side::Bid, level.price)));
        }
    }

    fn change(&mut self, change: &Change) {
        if self.is_shown {
            self.after += 1;
            self.prices.insert((change.side == Side::Bid, change.price));
        } else {
            self.before += 1;
        }
    }

    /// What a replay must say of the symbol now.
    fn row(&self, market: &Market, is_cut: bool) -> Value {
        let truth = self.known(market.truth());
        assert!(is_cut || truth == *market.truth());
        let top = |side| {
            let levels = truth.levels(side).take(20);
            levels.map(|level| json!([level.price.to_string(), level.size.get()])).collect()
        };
        let [bids, asks]: [Value; 2] = [Side::Bid, Side::Ask].map(top);
        json!({
            "type": "replay",
            "symbol": market.contract().symbol.as_str(),
            "frames": self.before + self.after,
            "applied": self.after,
            "repeats": self.before,
            "gaps": 0,
            "set_back": false,
            "malformed": 0,
            "first_malformed": null,
            "ended": null,
            "reason": null,
            "unbroken_to": market.sequence().get(),
            "sequence": market.sequence().get(),
            "bid_levels": truth.bids.len(),
            "ask_levels": truth.asks.len(),
            "top_bids": bids,
            "top_asks": asks,
            "sha256": truth.digest(Coverage::All, Coverage::All),
        })
    }

    /// Of the exchange's own book, what the recording tells: all of it, unless the snapshot was cut and
    /// something beyond has never changed since.
    fn known(&self, truth: &Truth) -> Truth {
        let mut known = truth.clone();
        known.bids.retain(|price, _| self.prices.contains(&(true, *price)));
        known.asks.retain(|price, _| self.prices.contains(&(false, *price)));
        known
    }
}

/// A recording, with what a replay of its beginning must say, at several places.
struct Recording {
    files: Files,
    marks: Vec<Mark>,
}

/// A place in a recording.
struct Mark {
    bytes: u64,
    lines: u64,
    /// Sorted by symbol.
    rows: Vec<Value>,
}

impl Recording {
    /// Replays what is before the mark. The last line of what the program says, and what is wrong with
    /// the others.
    fn replay(&self, mark: &Mark) -> (Value, Vec<String>) {
        let file = File::options().write(true).open(self.files.frames()).unwrap();
        file.set_len(mark.bytes).unwrap();
        let output = kcf(&["replay", &self.files.snapshot(), &self.files.frames(), "--json"]);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let lines = lines(&output);
        let total = of_type(&lines, "replay_total")[0].clone();
        assert_eq!((&total["frames"], &total["malformed"]), (&mark.lines.into(), &0.into()));
        let rows = of_type(&lines, "replay");
        assert_eq!(rows.len(), mark.rows.len());
        let pairs = rows.into_iter().zip(&mark.rows);
        let wrong = pairs.filter(|(row, must)| row != must).map(|(row, must)| {
            let symbol = must["symbol"].as_str().unwrap();
            format!("{symbol} is {row}, must be {must}")
        });
        (total, wrong.collect())
    }
}
