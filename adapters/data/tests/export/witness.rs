//! What a client's own outputs say, to be held against what was written of them.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use kucoin_futures_data::{Moment, Sink};
use kucoin_futures_proto::book::Scope;
use kucoin_futures_proto::wire::Side;
use kucoin_futures_proto::{BookEvent, Event, Message, Output, Price, TopicId};

use crate::read;

/// 2026-11-30T23:58:30Z: the day ends after a minute and a half.
pub const EVENING: u64 = 1_796_083_110_000_000_000;

/// What a client's own books looked like, and what it handed out.
#[derive(Default)]
pub struct Witness {
    /// By symbol, epoch and sequence.
    pub books: BTreeMap<(String, u32, u64), String>,
    epochs: BTreeMap<TopicId, u32>,
    pub trades: BTreeMap<String, Vec<(u64, String, u64)>>,
    pub deltas: BTreeMap<String, Vec<Told>>,
}

/// A delta, as it was told.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Told {
    pub received: u64,
    pub exchange: u64,
    pub sequence: u64,
    pub is_bid: bool,
    pub price: Price,
    pub size: u64,
}

impl Sink for Witness {
    fn on_start(&mut self, _: &Moment<'_>) -> io::Result<()> {
        self.epochs.clear();
        Ok(())
    }

    fn on_output(&mut self, moment: &Moment<'_>, output: &Output<'_>) -> io::Result<()> {
        match output {
            Output::Event(Event::Book(topic, event)) => {
                if let BookEvent::Live { epoch, .. } = event {
                    self.epochs.insert(*topic, epoch.get());
                }
                let of = moment.client.channel(*topic).unwrap().symbol().unwrap();
                if let BookEvent::Delta(delta) = event {
                    self.deltas.entry(of.to_string()).or_default().push(Told {
                        received: moment.received.as_nanos(),
                        exchange: delta.ts_event.unwrap().as_nanos(),
                        sequence: delta.sequence.get(),
                        is_bid: delta.side == Side::Bid,
                        price: delta.price,
                        size: delta.size.get(),
                    });
                }
                if let Some(book) = moment.client.book(*topic) {
                    let key = (of.to_string(), self.epochs[topic], book.sequence().get());
                    self.books.insert(key, read::hex(&book.digest(Scope::Complete)));
                }
            }
            Output::Push(push) => {
                if let Ok(Message::Execution(trade)) = push.decode() {
                    let trades = self.trades.entry(trade.symbol.to_string()).or_default();
                    let price = trade.price.to_string();
                    trades.push((trade.sequence.get(), price, trade.size.get()));
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn on_end(&mut self, _: &Moment<'_>) -> io::Result<()> {
        Ok(())
    }
}

/// An empty folder for a data set.
pub fn fresh(name: &str) -> PathBuf {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("export-{name}"));
    let _ = std::fs::remove_dir_all(&path);
    path
}
